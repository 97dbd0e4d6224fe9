"""Tables that stand beside a log: where short links lead, who follows whom, what is known of accounts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from propgraph.errors import InputError, lacking
from propgraph.readers.find import find_logs
from propgraph.readers.layouts.tabular import columns_of, read_batches
from propgraph.schema import ID


def read_side_table(
    path: str | Path,
    /,
    *,
    columns: tuple[str, ...],
    what: str,
    optional: tuple[str, ...] = (),
    advice: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """Return some columns of a table that the user brings.

    Parameters
    ----------
    path
        CSV, TSV, JSON, NDJSON, Parquet or Arrow, plain or packed.
    columns
        The columns it must have.
    what
        What it is a table of, for errors: `resolved links`.
    optional
        Columns that it may have; null where it has not.
    advice
        What to do where a column is not there, by its name; for errors.

    Returns
    -------
    pl.DataFrame
        `columns` and `optional` (String) as written, a row for each of the file's; a record that is no row
        has nulls.

    Raises
    ------
    InputError
        When the file cannot be read or lacks a column.
    """
    files, _ = find_logs([path])
    parts = []
    for file in files:
        there = columns_of(file)
        todo = [words for name, words in (advice or {}).items() if name not in there]
        todo = todo or [f"a table of {what} needs the columns {' and '.join(columns)}"]
        if faults := lacking(file.name, columns, there, advice="; ".join(todo)):
            raise InputError(faults[0])
        wanted = [name for name in (*columns, *optional) if name in there]
        for batch in read_batches(file, wanted):
            parts.append(batch.frame.select(pl.col(wanted).cast(ID, strict=False)))
            parts.append(pl.DataFrame({name: [None] * batch.rejected.height for name in columns}).cast(ID))
    empty = pl.DataFrame(schema=dict.fromkeys((*columns, *optional), ID))
    return pl.concat([empty, *parts], how="diagonal")
