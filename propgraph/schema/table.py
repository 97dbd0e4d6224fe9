"""What a table is: its name, the job that makes it, what a row is, and its columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from propgraph.errors import InputError, did_you_mean


@dataclass(frozen=True)
class Column:
    """One column of a table: its dtype, its unit or range, and one line of meaning."""

    dtype: Any
    unit: str
    meaning: str


@dataclass(frozen=True)
class Table:
    """One table of a study: the job that makes it, what a row is, its columns in order, and what tells rows apart."""

    name: str
    job: str
    row: str
    columns: Mapping[str, Column]
    key: tuple[str, ...]

    @property
    def dtypes(self) -> dict[str, Any]:
        """Column names to Polars dtypes, in order."""
        return {name: column.dtype for name, column in self.columns.items()}

    def empty(self) -> pl.DataFrame:
        """Return the table without a row."""
        return pl.DataFrame(schema=self.dtypes)

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return `frame` with this table's columns in order, cast; missing columns are null.

        Raises
        ------
        InputError
            When `frame` has a column that the table does not declare.
        """
        unknown = [name for name in frame.columns if name not in self.columns]
        if unknown:
            raise InputError(
                f"table {self.name!r} has no column {unknown[0]!r}{did_you_mean(unknown[0], self.columns)}"
            )
        return frame.select(
            (pl.col(name) if name in frame.columns else pl.lit(None)).cast(column.dtype).alias(name)
            for name, column in self.columns.items()
        )


def declare(name: str, job: str, row: str, key: tuple[str, ...], /, **columns: tuple[Any, str, str]) -> Table:
    """Return a table; each of its columns is its dtype, its unit or range, and one line of meaning."""
    return Table(name, job, row, {column: Column(*spec) for column, spec in columns.items()}, key)
