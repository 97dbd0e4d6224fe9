"""A table as a workbook of Excel's, `.xlsx`: with `pip install 'propgraph[xlsx]'`."""

from __future__ import annotations

from datetime import datetime
from typing import BinaryIO

import polars as pl

from propgraph.errors import check_extra
from propgraph.export.tables import lists_joined

MAX_ROWS = 1_048_575
"""Rows of a sheet, without its header."""
MAX_TEXT = 32_767
"""Characters of a cell."""

_EARLIEST = datetime(1900, 3, 1)  # Excel counts a day too many before
_PROPERTIES = {"created": datetime(2000, 1, 1)}  # the same table gives the same bytes


def check_xlsxwriter() -> None:
    """Raise `UsageError` where the library that writes workbooks is not installed."""
    check_extra("xlsxwriter", extra="xlsx", what="csv needs none, but workbooks need", option="format")


def write_workbook(file: BinaryIO, table: pl.LazyFrame, /, *, sheet: str) -> list[str]:
    """Write a table as a workbook of one sheet.

    Texts are cells of text whatever they hold, neither formulas nor links, and stay so when they are edited. Times are
    dates, in UTC; lists are joined by `|`; whatever is no finite number is left empty.

    Parameters
    ----------
    file
        Where to.
    table
        The table; no more of it is read than a sheet holds.
    sheet
        What the sheet is called, at most 31 characters.

    Returns
    -------
    What a sheet could not hold: one sentence each, an empty list where all is there.
    """
    import xlsxwriter  # noqa: PLC0415

    notes = []
    n = int(table.select(pl.len()).collect().item())
    if n > MAX_ROWS:
        notes.append(
            f"the first {MAX_ROWS:,} of {n:,} rows, as many as a sheet holds; csv and parquet hold all"
        )
    cells, cut = _cells(table.head(MAX_ROWS).collect())
    if cut:
        notes.append(
            f"{cut:,} {'text' if cut == 1 else 'texts'} cut at {MAX_TEXT:,} characters, as many as a cell holds"
        )
    literal = {"strings_to_urls": False, "strings_to_formulas": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(file, {**literal, "use_zip64": True})
    book.set_properties(_PROPERTIES)
    text = {"num_format": "@", "quote_prefix": True}
    formats = {name: text for name, dtype in cells.schema.items() if isinstance(dtype, pl.String)}
    cells.write_excel(
        book,
        sheet,
        column_formats=formats,  # type: ignore[arg-type]
        dtype_formats={pl.Datetime: "yyyy-mm-dd hh:mm:ss"},
        float_precision=6,
        freeze_panes=(1, 0),
    )
    book.close()
    return notes


def _cells(frame: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Return the table in values that a cell can hold, and how many texts had to be cut for it."""
    flat = lists_joined(frame)
    made, cut = [], 0
    for values in flat.iter_columns():
        if isinstance(values.dtype, pl.String):
            cut += int((values.str.len_chars() > MAX_TEXT).sum())
            made.append(values.str.head(MAX_TEXT))
        elif isinstance(values.dtype, pl.Datetime):
            naive = values.dt.replace_time_zone(None)
            early = naive.len() and (naive < _EARLIEST).any()
            made.append(naive.dt.to_string("%Y-%m-%dT%H:%M:%S%.f") + "Z" if early else naive)
        elif values.dtype.is_float():
            made.append(values.set(~values.is_finite(), None))
        else:
            made.append(values)
    return flat.with_columns(made), cut
