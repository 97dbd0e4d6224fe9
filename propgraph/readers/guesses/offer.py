"""The error for columns that no reader knows: what they likely are, and what to type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from propgraph.errors import InputError, UnknownColumnsError
from propgraph.readers.base import REQUIRED
from propgraph.readers.files.logfile import LogFile
from propgraph.readers.guesses.cells import Cells, cells_of
from propgraph.readers.guesses.columns import guess_columns
from propgraph.readers.layouts.headerless import lacks_header, without_header
from propgraph.readers.layouts.tabular import columns_of, not_text, read_batches

_MOST_COLUMNS, _ROWS = 500, 1 << 18
_WHAT = {"account_id": "who posted", "timestamp": "when"}
COLUMN = "COLUMN"  # what the user has to put another word for


def offer(error: UnknownColumnsError, file: LogFile, found: list[str], /) -> UnknownColumnsError:
    """Return the error with what the columns of a file likely are.

    Parameters
    ----------
    error
        As `registry.choose_reader` raised it, with what the user mapped.
    file
        The file, from its header on.
    found
        Its columns.

    Returns
    -------
    UnknownColumnsError
        `mapping` has a word for each column told, those of the user's among them, and `COLUMN` for one of
        `base.REQUIRED` that nothing is like.
    """
    given = {name: column for name, column in error.mapping.items() if column != COLUMN}
    try:
        headless = not given and lacks_header(file, found)
        if headless:
            file = without_header(file)
            found = columns_of(file)
        columns = _first_rows(file, found)
    except (InputError, pl.exceptions.PolarsError):  # damaged further down: what is known is told
        return error
    guessed = guess_columns(columns, given=given)
    missing = [name for name in REQUIRED if name not in guessed and name not in given]
    lines = ["It seems to have no header: #1 is the first column."] if headless else []
    lines += _shown(guessed, {one.name: one for one in columns})
    lines += [
        f"No column looks like {name} ({_WHAT[name]}): write its name for {COLUMN}." for name in missing
    ]
    mapping = {**{name: guessed.get(name, COLUMN) for name in REQUIRED if name not in given}, **guessed}
    return UnknownColumnsError(
        error.message, details=error.details, mapping={**given, **mapping}, new=mapping, lines=lines
    )


def _first_rows(file: LogFile, found: list[str]) -> list[Cells]:
    """Return the columns of the first rows; of JSON without those that hold others."""
    names = [name for name in dict.fromkeys(found) if name and not not_text(name)]
    if file.is_nested:
        names = [
            name for name in names if not any(other.startswith((f"{name}.", f"{name}[]")) for other in names)
        ]
    names = names[:_MOST_COLUMNS]
    if file.layout == "parquet":  # of which the first rows can be had alone
        file = replace(
            file, layout="frame", frame=pl.scan_parquet(file.path, glob=False).head(_ROWS).collect()
        )
    elif file.frame is not None:
        file = replace(file, frame=file.frame.head(_ROWS))
    first = next(iter(read_batches(file, names)), None)
    return [] if first is None else cells_of(pl.DataFrame(first.frame))


def _shown(guessed: Mapping[str, str], by_name: Mapping[str, Cells]) -> list[str]:
    """Return a line for each column that was guessed, with a cell of it."""
    named = {name: column if column.isprintable() else repr(column) for name, column in guessed.items()}
    wide, width = (max(map(len, words), default=0) for words in (named, named.values()))
    lines = []
    for name, column in named.items():
        parts = [guessed[name]] if guessed[name] in by_name else guessed[name].split("+")
        cells = " + ".join(by_name[part].example for part in parts)
        lines.append(f"  {name:<{wide}}  <-  {column:<{min(width, 40)}}  {cells}")
    return lines
