"""Folders that are replaced as a whole: one job at a time, in one step, and tidied up whatever ends the job.

On Linux two folders change places in one step (`renameat2`), so that at any time one whole folder is there. Elsewhere,
and on file systems that cannot do so, the earlier folder steps aside first (`.NAME.previous`); whoever looks between
the two renames finds none, and `recover` brings it back where a job was killed there.
"""

from __future__ import annotations

import ctypes
import errno
import glob
import os
import re
import shutil
import signal
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from filelock import BaseFileLock

WINDOWS = os.name == "nt"
_EXCHANGE = 2  # RENAME_EXCHANGE of linux/fs.h
_HERE = -100  # AT_FDCWD of fcntl.h
_NO_LOCKS = {errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS}
_PATIENCE_S = 2.0
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


class InUseError(Exception):
    """Another job holds the folder; its process, where that is known, is the argument."""


def partial(target: Path, /) -> Path:
    """Return a new name beside `target` for a folder that is to take its place."""
    return target.parent / f".{target.name}.partial-{os.getpid()}-{uuid4().hex}"


@contextmanager
def alone(target: Path, /) -> Iterator[None]:
    """Be the only job at work on a folder, which need not be there yet.

    The lock is the operating system's (`filelock`) and ends with the process, however that ends. Over a network it
    holds as far as the file system passes locks on; where there are none, a file with the owner's name stands in,
    which is broken when its owner is seen to be dead.

    Raises
    ------
    InUseError
        When another job is at work on it.
    OSError
        When no file can be made beside it.
    """
    path = target.parent / f".{target.name}.lock"
    lock, by_file = _acquired(path)
    if lock is None:
        if not path.exists():  # where no file can be made at all
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        raise InUseError(_maker(target))
    try:
        yield
    finally:
        if not by_file:
            # Taken away while it is held: who waits for it sees that, and makes another. Windows lets nobody do so.
            with suppress(OSError):
                path.unlink()
        lock.release()


def _acquired(path: Path) -> tuple[BaseFileLock | None, bool]:
    """Return a lock that is held, or None where another holds it; and whether a mere file is all there is to it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there is no more than a file
        from filelock import FileLock, SoftFileLock, Timeout  # noqa: PLC0415 - takes longer to load than to lock

        lock: BaseFileLock = FileLock(path)
        try:
            try:
                lock.acquire(timeout=0.2, poll_interval=0.05)
            except OSError as error:
                if error.errno not in _NO_LOCKS:
                    raise
                lock = SoftFileLock(path)
                lock.acquire(timeout=0.2, poll_interval=0.05)
        except Timeout:
            return None, False
        return lock, isinstance(lock, SoftFileLock)


def _partials(target: Path) -> list[Path]:
    ours = re.compile(re.escape(f".{target.name}.partial-") + r"\d+-[0-9a-f]{32}")
    beside = target.parent.glob(glob.escape(f".{target.name}.partial-") + "*")
    return [folder for folder in beside if ours.fullmatch(folder.name)]


def _maker(target: Path) -> str | None:
    """Return the process that is making the newest of the folders that are to take the place of `target`."""
    made = sorted((folder.stat().st_mtime, folder.name) for folder in _partials(target))
    return made[-1][1].removeprefix(f".{target.name}.partial-").partition("-")[0] if made else None


def clear_up(target: Path, /) -> None:
    """Remove what killed jobs left beside `target`; for who is `alone` with it, as no other job lives then."""
    _bring_back(target)
    shutil.rmtree(_previous(target), ignore_errors=True)
    for folder in _partials(target):
        shutil.rmtree(folder, ignore_errors=True)


def recover(target: Path, /) -> None:
    """Bring back the earlier folder where a job was killed between the two renames; wait where one is there now."""
    deadline = time.monotonic() + _PATIENCE_S
    while not target.exists() and _previous(target).exists():
        with suppress(InUseError, OSError), alone(target):
            _bring_back(target)
        if time.monotonic() > deadline:
            return
        time.sleep(0.01)


def _bring_back(target: Path) -> None:
    with suppress(FileNotFoundError):
        if not target.exists():
            _previous(target).rename(target)


def _previous(target: Path) -> Path:
    return target.parent / f".{target.name}.previous"


def put_in_place(folder: Path, target: Path, /) -> None:
    """Put `folder` in the place of `target`, and remove what was there."""
    if target.exists() and exchange(folder, target):
        shutil.rmtree(folder, ignore_errors=True)
        return
    previous = _previous(target)
    shutil.rmtree(previous, ignore_errors=True)
    if target.exists():
        _rename(target, previous)
    try:
        _rename(folder, target)
    except OSError:
        _bring_back(target)
        raise
    shutil.rmtree(previous, ignore_errors=True)


def exchange(one: Path, other: Path, /) -> bool:
    """Let two folders change places in one step; return False where the system or the file system cannot."""
    rename: Any = getattr(_libc(), "renameat2", None)
    if rename is None:
        return False
    done: int = rename(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE)
    return done == 0


def _libc() -> Any:
    try:
        return ctypes.CDLL(None)
    except (OSError, TypeError):  # Windows
        return None


def _rename(source: Path, target: Path) -> None:
    """Rename a folder; on Windows again and again for a while, as whoever looks into it (a virus scanner) holds it."""
    deadline = time.monotonic() + (_PATIENCE_S if WINDOWS else 0)
    while True:
        try:
            source.rename(target)
        except PermissionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


@contextmanager
def unbroken() -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and SIGHUP wait until the end of what has to be done as a whole."""
    came: list[int] = []
    handlers: dict[int, Any] = {}
    try:
        # Only the main thread is interrupted, and only it may say how.
        if threading.current_thread() is threading.main_thread():
            for name in _SIGNALS:
                number = getattr(signal, name, None)  # Windows has no SIGHUP
                if number is not None and signal.getsignal(number) is not None:
                    handlers[number] = signal.signal(number, lambda number, _: came.append(number))
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if came:
        signal.raise_signal(came[0])
