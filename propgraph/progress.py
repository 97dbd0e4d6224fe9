"""How far a job is, shown where a person looks: a bar in a terminal, in a cell of a notebook, nothing in a file."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import Any, ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")
_BETWEEN_S = 0.1  # two pictures; a job tells of itself thousands of times a second


def shows_progress(job: Callable[_P, _R], /) -> Callable[_P, _R]:
    """Return a job that shows how far it is by itself where it is called in a notebook or at a prompt.

    A `progress` of the caller's takes the place of that.
    """

    @functools.wraps(job)
    def called(*args: _P.args, **given: _P.kwargs) -> _R:
        if given.get("progress") is not None or not (in_notebook() or _at_prompt()):
            return job(*args, **given)
        with cell_bar(job.__name__) if in_notebook() else terminal_bar() as tell:
            given["progress"] = tell
            return job(*args, **given)

    return called


def in_notebook() -> bool:
    """Return whether a kernel of Jupyter's runs this, so that there are cells to show something in."""
    ask = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return ask is not None and getattr(ask(), "kernel", None) is not None


def _at_prompt() -> bool:
    """Return whether somebody types into Python or IPython and sees what it writes."""
    typed = hasattr(sys, "ps1") or "IPython" in sys.modules
    return typed and sys.stderr is not None and sys.stderr.isatty()


@contextmanager
def terminal_bar() -> Iterator[Callable[[str, float], None]]:
    """Show a bar for each label on stderr for as long as the job goes on."""
    from rich.console import Console  # noqa: PLC0415 - takes a tenth of a second
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f}%"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, Any] = {}

        def tell(label: str, done: float) -> None:
            if label not in tasks:
                tasks[label] = bars.add_task(label, total=1.0)
            bars.update(tasks[label], completed=done)

        yield tell


@contextmanager
def cell_bar(job: str, /) -> Iterator[Callable[[str, float], None]]:
    """Show one bar in the cell that runs, and when it has ended how long it took."""
    display = sys.modules["IPython"].display.display
    start = shown = time.monotonic()
    handle = display(_Bar(job, "starting", 0.0, 0.0), display_id=True)

    def tell(label: str, done: float) -> None:
        nonlocal shown
        now = time.monotonic()
        if handle is not None and now - shown >= _BETWEEN_S:
            shown = now
            handle.update(_Bar(job, label, done, now - start))

    ended = "stopped"
    try:
        yield tell
        ended = "done"
    finally:
        if handle is not None:
            handle.update(_Bar(job, ended, None, time.monotonic() - start))


class _Bar:
    """One picture of how far a job is; `done` is 0..1, None where it has ended."""

    def __init__(self, job: str, label: str, done: float | None, elapsed_s: float) -> None:
        self.job, self.label, self.done, self.elapsed_s = job, label, done, elapsed_s

    def __repr__(self) -> str:
        part = "" if self.done is None else f" {self.done:.0%}"
        return f"{self.job}: {self.label}{part}, {self.elapsed_s:.0f} s"

    def _repr_html_(self) -> str:
        if self.done is None:
            return f"<small>{escape(repr(self))}</small>"
        bar = f'<progress value="{min(max(self.done, 0.0), 1.0):.3f}" max="1"></progress>'
        return f"<small>{bar} {escape(repr(self))}</small>"
