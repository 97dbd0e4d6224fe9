"""Where a table's header is: exports of some services have lines of prose before it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from propgraph.readers.files.logfile import LogFile
from propgraph.readers.layouts.kinds import HEAD_BYTES, WORKBOOK, separator_of
from propgraph.readers.layouts.sheets import other_sheets, sheet_headers

_MOST_LINES = 200
_NUMBER = re.compile(r"[-+.,:/\d\s]+(e[-+]?\d+)?", re.IGNORECASE)
# Records after a line that must have as many fields as it, or most of them, for it to be a header.
_RECORDS = 20


def later_headers(file: LogFile, /, *, search: bool) -> Iterator[tuple[LogFile, list[str]]]:
    """Yield a table from each line on that can be its header but is not the first, and the names in that line.

    A header has two names or more, and most of the records that follow have as many fields. Only the first
    lines of a file are looked at; of a workbook, those of each sheet. Where the user says which line it is
    there is nothing to `search`, but in other sheets.
    """
    if file.layout == WORKBOOK:
        yield from sheet_headers(file, in_line=None if search else file.skip_lines)
    elif file.layout == "csv" and search:
        yield from _later_lines(file)


def _later_lines(file: LogFile) -> Iterator[tuple[LogFile, list[str]]]:
    with replace(file, skip_lines=0).open() as stream:
        head = stream.read(HEAD_BYTES)
    # Of the bytes, which know fewer ends of lines than text does: those that `skip_lines` counts.
    lines = [line.decode("utf-8", "replace") for line in head.splitlines(keepends=True)]
    for k in range(file.skip_lines + 1, min(len(lines), _MOST_LINES)):
        separator = separator_of(lines[k])
        try:
            records = csv.reader(lines[k:], delimiter=separator)
            names, *rows = list(islice(filter(None, records), 1 + _RECORDS))
        except (csv.Error, ValueError):
            continue
        alike = sum(len(row) == len(names) for row in rows)
        if lines[k].strip() and len(names) > 1 and 2 * alike >= len(rows):
            yield replace(file, skip_lines=k, separator=separator), [name.strip() for name in names]


def told_header(file: LogFile, /) -> list[str]:
    """Return what to tell of a table whose header was looked for: what is not read."""
    if file.layout == WORKBOOK:
        others = other_sheets(file)
        sheet = f"sheet {file.sheet!r}, the header in row {file.skip_lines + 1}"
        return (
            [f"{file.name}: of its sheets one is read, {sheet}; not {', '.join(map(repr, others[:20]))}"]
            if others
            else []
        )
    with replace(file, skip_lines=0).open() as stream:
        first = stream.readline(200).decode("utf-8", "replace").strip()
    n = file.skip_lines
    return [
        f"{file.name}: the header is line {n + 1}; the lines before it are left out, the first of them {first[:60]!r}"
    ]


def likelier(names: list[str], first: list[str], /) -> bool:
    """Return whether a later line looks more like a header than the first: more names, and names all of them."""
    distinct = {name for name in names if name and not _NUMBER.fullmatch(name)}
    return len(names) > len(first) and len(distinct) == len(names)


def told_likely(file: LogFile, /) -> str:
    """Return what to tell where none is known, and one was taken."""
    n = file.skip_lines
    return (
        f" Line {n + 1} looks like the header; another is taken by --skip-lines N, of N lines before it (in Python: "
        "skip_lines=N)."
    )
