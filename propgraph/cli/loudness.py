"""How much a command says beside its results: `-q` and `-v`, the same for all."""

from __future__ import annotations

import functools
import inspect
import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Annotated, Any

import typer

_quiet: ContextVar[bool] = ContextVar("quiet", default=False)

_OPTIONS = {
    "quiet": Annotated[
        bool, typer.Option("--quiet", "-q", help="No notes and no progress; errors are told.")
    ],
    "verbose": Annotated[
        bool,
        typer.Option(
            "--verbose", "-v", help="Tell on stderr how long each step took, and what an error leaves out."
        ),
    ],
}


def is_quiet() -> bool:
    """Tell whether the command that runs was called with `-q`."""
    return _quiet.get()


def with_loudness(command: Callable[..., None], /) -> Callable[..., None]:
    """Return a command that takes `-q` and `-v`, too."""

    @functools.wraps(command)
    def called(*, quiet: bool, verbose: bool, **given: Any) -> None:
        before = _quiet.set(quiet)
        try:
            with _told(command.__name__, when=verbose):
                command(**given)
        finally:
            _quiet.reset(before)

    signature = inspect.signature(command, eval_str=True)
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=option)
        for name, option in _OPTIONS.items()
    ]
    called.__signature__ = signature.replace(parameters=[*signature.parameters.values(), *added])  # type: ignore[attr-defined]
    called.__annotations__ = {name: one.annotation for name, one in signature.parameters.items()} | _OPTIONS
    return called


class _ToStderr(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        from propgraph.export.text import clean_terminal

        sys.stderr.write(clean_terminal(record.getMessage()) + "\n")


@contextmanager
def _told(command: str, *, when: bool) -> Iterator[None]:
    """Let the steps of jobs tell how long they took."""
    if not when:
        yield
        return
    log, handler, level = logging.getLogger("propgraph"), _ToStderr(), logging.getLogger("propgraph").level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    start = time.perf_counter()
    try:
        yield
    finally:
        log.info("%s took %.1f s", command, time.perf_counter() - start)
        log.removeHandler(handler)
        log.setLevel(level)
