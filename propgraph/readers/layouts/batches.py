"""What every kind of file is read into: batches of records, and the records that are none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl

from propgraph.arrays.types import Int64
from propgraph.readers.files.logfile import LogFile
from propgraph.schema import REJECTED

RAW_LIMIT = 2000

# Increasing; a range where nothing was left out, so that ten million lines take no memory.
Lines = range | Int64
# Line, reason, and the record as found (empty where that would say nothing).
Fault = tuple[int, str, str]


@dataclass
class Batch:
    """Records of one file.

    Attributes
    ----------
    frame
        The raw columns asked for, as the file has them (text files: String).
    line
        The line of each row of `frame`, 1-based.
    rejected
        Records that are not even a row: the columns of `schema.REJECTED`.
    nested
        Some value of `frame` is a JSON object or list, written as JSON.
    notes
        What to tell of the file: what follows its name in a sentence.
    own
        Columns of the user's own that are kept as they are, as text; no column for none.
    """

    frame: pl.DataFrame
    line: Lines
    rejected: pl.DataFrame = field(default_factory=REJECTED.empty)
    nested: bool = False
    notes: list[str] = field(default_factory=list)
    own: pl.DataFrame = field(default_factory=pl.DataFrame)

    def moved(self, n_lines: int, /) -> Batch:
        """Return the batch as one whose lines stand so many lines further down."""
        if not n_lines:
            return self
        line = self.line
        line = range(line.start + n_lines, line.stop + n_lines) if isinstance(line, range) else line + n_lines
        return replace(self, line=line, rejected=self.rejected.with_columns(pl.col("line") + n_lines))

    def since(self, first: int, /) -> Batch:
        """Return what of the batch stands in line `first` or later."""
        start = int(np.searchsorted(np.asarray(self.line), first))
        rejected = self.rejected.filter(pl.col("line") >= first)
        return replace(self, frame=self.frame[start:], line=self.line[start:], rejected=rejected)


def rejected_rows(source: str, faults: Iterable[Fault], /) -> pl.DataFrame:
    """Return faults as rows of `schema.REJECTED`."""
    data = [(source, line, reason, raw[:RAW_LIMIT] or None) for line, reason, raw in faults]
    return pl.DataFrame(data, schema=REJECTED.dtypes, orient="row")


def in_batches(
    file: LogFile,
    size: int,
    results: Iterable[tuple[int, Any, Fault | None]],
    /,
    *,
    frame: Callable[[list[Any]], pl.DataFrame],
) -> Iterator[Batch]:
    """Gather `(line, row, None)` and `(line, None, fault)` into batches of `size` rows; the last may be empty."""
    rows: list[Any] = []
    lines: list[int] = []
    faults: list[Fault] = []

    def batch() -> Batch:
        return Batch(frame(rows), np.array(lines, np.int64), rejected_rows(file.name, faults))

    for line, row, fault in results:
        if fault is None:
            rows.append(row)
            lines.append(line)
        else:
            faults.append(fault)
        if len(rows) + len(faults) >= size:
            yield batch()
            rows, lines, faults = [], [], []
    yield batch()


def fault(line: int, reason: str, record: str | bytes, /) -> Fault:
    """Return a fault with as much of the record as is kept, fit to be stored."""
    if isinstance(record, bytes):
        return line, reason, record[: 8 * RAW_LIMIT].decode("utf-8", "replace").rstrip()[:RAW_LIMIT]
    text = record[:RAW_LIMIT].rstrip("\r\n")
    return line, reason, text.encode("utf-8", "replace").decode()
