"""Ctrl-C, SIGTERM and SIGHUP: whichever it is, a command tidies up, says one line and ends."""

from __future__ import annotations

import signal
import sys
import threading
import time
from threading import Timer
from typing import Any

INTERRUPTED = "interrupted; nothing is left half made"
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
# A second one so soon is meant for the same command, which is on its way out already.
_AGAIN_S = 0.5

_came: list[tuple[int, float]] = []


class SignalKeyboardInterrupt(KeyboardInterrupt):
    """Ctrl-C or another signal that ends a process.

    Not a plain KeyboardInterrupt: after one of those inside `exec` (where dataclasses are made) Python kills itself
    by SIGINT at its end, whatever the exit code.
    """


def catch() -> None:
    """Let the signals that end a process raise KeyboardInterrupt instead; for the main thread.

    What is ignored from outside (by nohup, or in the background of a script) stays ignored.
    """
    for name in _NAMES:
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _interrupt)
    sys.unraisablehook = _swallowed


def let_go() -> None:
    """Let the signals end the process without a word, as there is nothing left to tidy up."""
    for name in _NAMES:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is _interrupt:
            signal.signal(number, signal.SIG_DFL)


def came() -> bool:
    """Tell whether a signal was caught."""
    return bool(_came)


def exit_code() -> int:
    """Return what a command ends with that was interrupted: 128 and the signal's number, 130 for Ctrl-C."""
    return 128 + (_came[0][0] if _came else signal.SIGINT)


def tell() -> None:
    """Say on stderr that the command was interrupted, without anything that would have to be loaded first."""
    try:
        sys.stderr.write(f"propgraph: {INTERRUPTED}\n")
        sys.stderr.flush()
    except (OSError, AttributeError):  # the terminal is gone, or there never was one
        pass


def _swallowed(unraisable: Any) -> None:
    """Bring a signal again that came inside a callback or destructor, where Python drops what is raised."""
    if isinstance(unraisable.exc_value, SignalKeyboardInterrupt) and _came:
        number, _ = _came.pop()
        Timer(0.05, _to_main_thread, (number,)).start()
    else:
        sys.__unraisablehook__(unraisable)


def _to_main_thread(number: int) -> None:
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, number)  # wakes it, too
    else:  # Windows
        signal.raise_signal(number)


def _interrupt(number: int, _: object) -> None:
    now = time.monotonic()
    if _came and now - _came[-1][1] < _AGAIN_S:
        return
    _came.append((number, now))
    raise SignalKeyboardInterrupt
