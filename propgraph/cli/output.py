"""Printing: results to stdout, progress and complaints to stderr, nothing that a name could break."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console

from propgraph.errors import UsageError
from propgraph.options import AUTO

WIDTH = 100
_CELL, _LEAST = 40, 8
# Spaces at which no line breaks, and what stands for them while lines are broken: the wrapping takes any space.
_HELD = {0xA0: "\ue0a0", 0x202F: "\ue0a1"}
_LET_GO = {ord(held): chr(space) for space, held in _HELD.items()}
_UNITS = {"": 1.0, "ms": 0.001, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def console(*, stderr: bool = False) -> Console:
    """Return a console at most 100 columns wide that takes text as text, never as markup."""
    plain = Console(stderr=stderr, markup=False, highlight=False, emoji=False, soft_wrap=False)
    plain.width = min(plain.width, WIDTH) if plain.is_terminal else WIDTH
    return plain


def say(text: str = "", *, indent: int = 0, bold: bool = False, wrap: bool = True) -> None:
    """Print text to stdout, made safe for a terminal, in lines of at most 100 columns.

    Parameters
    ----------
    text
        Any text; whatever breaks a line shows as a picture of it.
    indent
        Columns; the lines after the first stand four further in.
    bold
        Where a person looks.
    wrap
        False leaves one line as long as it is: a path or a command, to be copied whole.
    """
    from rich.text import Text

    from propgraph.export.text import clean_terminal

    out = console()
    clean = Text(clean_terminal(text).translate(_HELD))
    lines = (
        clean.wrap(out, max(out.width - indent - 4, 20))
        if wrap and clean.cell_len > out.width - indent
        else [clean]
    )
    for k, line in enumerate(lines):
        shown = " " * (indent + 4 * (k > 0)) + line.plain.rstrip().translate(_LET_GO)
        out.print(Text(shown, style="bold" if bold else ""), soft_wrap=True)


def say_table(
    header: Sequence[str], rows: Sequence[tuple[Sequence[str], Sequence[str]]], *, indent: int = 0
) -> None:
    """Print rows below each other, in lines of at most 100 columns; the last column has what is left.

    Parameters
    ----------
    header
        What each column is called.
    rows
        The cells of each row, and lines that stand below it.
    indent
        Columns.
    """
    from rich.cells import cell_len, set_cell_size

    from propgraph.export.text import clean_terminal

    cells = [[clean_terminal(cell, width=_CELL) for cell in row] for row, _ in rows]
    widths = [max(map(cell_len, column)) for column in zip(header, *cells, strict=True)][:-1]
    room = console().width - indent - sum(widths) - 2 * len(widths)
    if room < _LEAST and widths:
        # The widest column gives what the last one needs.
        widest = widths.index(max(widths))
        widths[widest] = max(widths[widest] - (_LEAST - room), _LEAST)
    limits = [*widths, max(room, _LEAST)]
    lines = [
        [clean_terminal(cell, width=limit) for cell, limit in zip(line, limits, strict=True)]
        for line in (header, *cells)
    ]
    for k, line in enumerate(lines):
        padded = "  ".join(set_cell_size(cell, width) for cell, width in zip(line[:-1], widths, strict=True))
        say(" " * indent + f"{padded}  {line[-1]}".rstrip(), bold=k == 0, wrap=False)
        for below in rows[k - 1][1] if k else ():
            say(below, indent=indent + 6)


def err(message: str, *, always: bool = False) -> None:
    """Print one message to stderr, made safe for a terminal; after `-q` only what is told `always`: an error."""
    from propgraph.cli.loudness import is_quiet
    from propgraph.export.text import clean_terminal

    if is_quiet() and not always:
        return
    sys.stderr.write(clean_terminal(message) + "\n")


@contextmanager
def progress() -> Iterator[Callable[[str, float], None] | None]:
    """Show a progress bar on stderr where a person looks, nothing where a file does."""
    from propgraph.cli.loudness import is_quiet

    if is_quiet() or not sys.stderr.isatty():
        yield None
        return
    from propgraph.progress import terminal_bar

    with terminal_bar() as tell:
        yield tell


def time_window(option: str, text: str) -> float | str | list[float]:
    """Return a duration in seconds, those of several joined by commas, or the word `auto` as it is.

    Raises
    ------
    UsageError
        When `text` is neither.
    """
    if text.strip() == AUTO:
        return AUTO
    several = [seconds(option, part) for part in text.split(",")]
    return several if len(several) > 1 else several[0]


def seconds(option: str, text: str) -> float:
    """Return a duration like `60`, `60s`, `5m`, `1.5h` in seconds.

    Raises
    ------
    UsageError
        When `text` is none.
    """
    number = text.strip().rstrip("abcdefghijklmnopqrstuvwxyz")
    unit = text.strip()[len(number) :]
    try:
        value = float(number)
    except ValueError:
        value = -1.0
    if unit not in _UNITS or not 0 <= value < float("inf"):
        raise UsageError(f"{text!r} is no duration; write one such as 60s, 5m or 1h", option=option)
    return value * _UNITS[unit]
