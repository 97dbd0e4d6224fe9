"""Writing a study: whole or not at all, by one job at a time, in the place of the one that was read."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import polars as pl

from propgraph.errors import StudyError
from propgraph.folders import WINDOWS, InUseError, alone, clear_up, partial, put_in_place, recover, unbroken
from propgraph.schema import TABLES
from propgraph.study import RUN, Study, is_study, run_ids

ROW_GROUP = 1 << 18


class _Kept(Study):
    """A study as a job found it: tables that nobody else replaces, as they are linked in the job's own folder."""

    def __init__(self, path: Path, folder: Path, run: dict[str, Any]) -> None:
        super().__init__(path)
        self._folder, self._run = folder, run

    @property
    def run(self) -> dict[str, Any]:
        return self._run

    def file(self, name: str, /) -> Path:
        return self._folder / f"{name}.parquet"


class StudyWriter:
    """The inside of a study that is being made: tables go in, nothing shows until it is whole.

    Attributes
    ----------
    folder
        Where the tables are until then.
    run
        The run records, one a job, as they will be.
    source
        The study that is gone on from, as it was when the job began; to be read before its tables are replaced.
    """

    def __init__(self, folder: Path, source: Study) -> None:
        self.folder, self.source = folder, source
        self.run: dict[str, Any] = {}
        # One table is written while the next is being made.
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._writing: list[Future[None]] = []

    def write(self, name: str, frame: pl.DataFrame | pl.LazyFrame, /) -> None:
        """Begin to write one table; a LazyFrame is streamed and has to have the schema's columns already.

        Raises
        ------
        StudyError
            When an earlier table could not be written.
        """
        for write in self._writing:
            if write.done():
                write.result()
        lazy = frame if isinstance(frame, pl.LazyFrame) else TABLES[name].conform(frame).lazy()
        self._writing.append(self._pool.submit(_sink, lazy, self.folder / f"{name}.parquet"))

    def drop(self, name: str, /) -> None:
        """Take out a table that no longer fits the others; nothing where there is none."""
        (self.folder / f"{name}.parquet").unlink(missing_ok=True)

    def finish(self) -> None:
        """Wait until all tables are written; raise `StudyError` when one cannot be."""
        for write in self._writing:
            write.result()

    def stop(self) -> None:
        """Let go of what is not written yet, and wait for what is being written."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def _sink(frame: pl.LazyFrame, path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
        frame.sink_parquet(
            path, compression="zstd", compression_level=1, row_group_size=ROW_GROUP, maintain_order=True
        )
    except (OSError, pl.exceptions.ComputeError) as error:
        raise StudyError(f"{path.name}: cannot be written ({error}); is the disk full?") from error


def streamed(frame: pl.DataFrame, dtypes: Mapping[str, Any]) -> pl.LazyFrame:
    """Return the schema's columns of `frame`, cast only as they are written: ids stay codes in memory."""
    return frame.lazy().select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in dtypes.items()
    )


def check_target(path: str | Path, *, overwrite: bool) -> None:
    """Raise `StudyError` unless a study can be made at `path`.

    An existing study is replaced only with `overwrite`; anything else in the way never is.
    """
    target = Path(path).resolve()
    recover(target)
    if not target.exists():
        return
    if os.path.ismount(target):
        raise StudyError(
            f"{path}: a disk or a volume begins here, and a study is replaced as a whole; name a folder in it: "
            f"{Path(path) / 'study'}"
        )
    if target.is_dir() and (is_study(target) or not any(target.iterdir())):
        if overwrite or not is_study(target):
            return
        raise StudyError(
            f"{path}: a study is there already; add --overwrite (in Python: overwrite=True) to replace it, or "
            "choose another folder"
        )
    raise StudyError(f"{path}: something that is not a study is in the way; choose another folder")


@contextmanager
def writing(path: str | Path, *, of: Study | None = None, overwrite: bool = True) -> Iterator[StudyWriter]:
    """Make or replace the study at `path`: into a folder beside it, put in its place when it is whole.

    Parameters
    ----------
    path
        The study's folder.
    of
        The study there, as it was opened: its tables and run records are kept, but for those that are written.
        None starts from nothing.
    overwrite
        Replace a study that is there; as for `check_target`.

    Raises
    ------
    StudyError
        When the folder cannot be made or written, another job is at work on it, or the study was replaced meanwhile.
    """
    target = Path(path).resolve()  # a link to a study stays one
    if target.exists() and Path.cwd().is_relative_to(target):
        # The folder is replaced as a whole: who stands in it would stand in nothing.
        raise StudyError(f"{path}: this is where you are; go up (cd ..) and name the study from there")
    with _alone(target, path):
        check_target(path, overwrite=overwrite)
        before = _record_at(target)
        # The name is known before the folder is there: Ctrl-C at any time finds what to clear up.
        folder = partial(target)
        writer = StudyWriter(folder, Study(path))
        try:
            _make(folder, path)
            if of is not None:
                _keep(writer, of, target)
                _check_same(before, target, path)
            yield writer
            writer.finish()
            write_run(folder / RUN, writer.run)
            check_target(path, overwrite=True)
            _check_same(before, target, path)
            folder.chmod(0o755)
            with unbroken():
                put_in_place(folder, target)
        except Exception as error:
            _check_same(before, target, path)
            if isinstance(error, OSError):
                raise StudyError(_not_written(error, path)) from error
            raise
        finally:
            with unbroken():
                writer.stop()
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _alone(target: Path, path: str | Path) -> Iterator[None]:
    """Be the only job at work on `target`, with nothing of killed jobs beside it."""
    with ExitStack() as held:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            held.enter_context(alone(target))
        except InUseError as error:
            who = f" (process {error})" if error.args[0] else ""
            raise StudyError(
                f"{path}: another job is at work on this study{who}; wait for its end, or name another folder"
            ) from error
        except OSError as error:
            raise StudyError(f"{path}: cannot be made here ({error.strerror})") from error
        clear_up(target)
        yield


def _keep(writer: StudyWriter, of: Study, target: Path) -> None:
    """Put the tables of a study into the writer's folder, by links, and whatever else lies there."""
    writer.run = Study(target).run
    if run_ids(writer.run) != of._opened:
        raise StudyError(f"{of.path}: made anew since it was looked at; run again")
    writer.source = _Kept(of.path, writer.folder, dict(writer.run))
    for entry in sorted(target.iterdir()):
        if entry.is_dir():  # whatever else lies in the study stays with it
            shutil.copytree(entry, writer.folder / entry.name, symlinks=True, copy_function=link)
        elif entry.name != RUN:
            link(entry, writer.folder / entry.name)


def _record_at(target: Path) -> bytes | None:
    """Return the run records of a study as they are written; None where there is no study."""
    with suppress(FileNotFoundError):
        return (target / RUN).read_bytes()
    return None


def _check_same(before: bytes | None, target: Path, path: str | Path) -> None:
    """Raise `StudyError` where a study is no longer the one that it was."""
    if _record_at(target) != before:
        raise StudyError(
            f"{path}: something else made, moved or replaced this study while the job was at work; what is there now "
            "stays as it is. Run the job again"
        )


def _make(folder: Path, path: str | Path) -> None:
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise StudyError(f"{path}: cannot be made here ({error.strerror})") from error


def write_run(path: Path, run: dict[str, Any]) -> None:
    """Write the record of a study's jobs, and wait until it is on the disk."""
    with path.open("w", encoding="utf-8") as file:
        json.dump(run, file, indent=2, ensure_ascii=False, default=str)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())


def link(source: str | Path, target: str | Path) -> None:
    """Let a file have another name, or make a copy where that cannot be."""
    try:
        os.link(source, target)
    except (OSError, AttributeError):  # a file system, or a Python, without hard links
        shutil.copy2(source, target)


def _not_written(error: OSError, path: str | Path) -> str:
    why = "is the disk full?"
    if isinstance(error, PermissionError) and WINDOWS:
        why = "is a file of the study open in another program?"
    return f"{path}: cannot be written ({error.strerror}); {why}"
