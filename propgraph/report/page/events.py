"""Dates that a reader wants marked: an election, a takedown, a first report."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import NamedTuple

import polars as pl

from propgraph.errors import InputError
from propgraph.readers.side import read_side_table


class Event(NamedTuple):
    """What happened on a day.

    Attributes
    ----------
    day
        The day (UTC).
    label
        In a few words.
    """

    day: date
    label: str


def read_events(path: str | Path, /) -> tuple[Event, ...]:
    """Return the dates of a table with the columns `date` and `label`, in order.

    Parameters
    ----------
    path
        CSV, TSV, JSON, NDJSON, Parquet or Arrow; dates as 2016-11-08, what follows the day is left out.

    Raises
    ------
    InputError
        When the file cannot be read, lacks a column, or has a row without a label or such a date.
    """
    rows = read_side_table(path, columns=("date", "label"), what="dates")
    day = pl.col("date").str.strip_chars().str.head(10).str.to_date("%Y-%m-%d", strict=False)
    rows = rows.with_columns(day=day, label=pl.col("label").str.strip_chars())
    bad = (rows["day"].is_null() | rows["label"].is_null() | (rows["label"] == "")).fill_null(True)
    if bad.any():
        first = rows.filter(bad).row(0, named=True)
        where = int(bad.arg_max() or 0) + 1
        raise InputError(
            f"{path}: row {where} has date {first['date']!r} and label {first['label']!r}; write the date as "
            f"2016-11-08 and say in label what happened ({int(bad.sum()):,} such rows)"
        )
    return tuple(Event(*row) for row in rows.select("day", "label").sort("day", "label").rows())
