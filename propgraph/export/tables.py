"""Tables as CSV, JSON, NDJSON and Parquet, in values that other programs read back."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl

from propgraph.errors import InputError, UsageError, check_choice
from propgraph.export.text import Frame, csv_safe

__all__ = ["FORMATS", "lists_joined", "plain", "render", "whole_file", "write_table"]


def plain(frame: Frame, *, join_lists: bool) -> Frame:
    """Return a frame of values that every reader understands.

    Parameters
    ----------
    frame
        Any frame, lazy or not, without `Struct`, `Binary` and `Object` columns.
    join_lists
        Join lists into one text, with `|` between the items; a `|` inside an item is not marked.

    Returns
    -------
    The same rows and column names. Times are `String`, ISO 8601, in UTC with a `Z` where they have a time
    zone; durations are seconds as `Float64`; NaN and infinity are null, for JSON has no word for them and
    each program its own; `Categorical` and `Enum` are `String`; `Array` is `List`.

    Raises
    ------
    InputError
        When a column's dtype has no such value; all such columns are named.
    """
    schema = frame.collect_schema()
    plainer = {name: _plain(pl.col(name), dtype) for name, dtype in schema.items()}
    faults = [name for name, values in plainer.items() if values is None]
    if faults:
        raise InputError(
            "cannot be written: " + ", ".join(f"column {name!r} of dtype {schema[name]}" for name in faults)
        )
    flat = frame.select(values.alias(name) for name, values in plainer.items() if values is not None)
    return lists_joined(flat) if join_lists else flat


def lists_joined(frame: Frame) -> Frame:
    """Return a frame with each list as one text, with `|` between the items; raise `InputError` for lists of lists."""
    lists = {name: dtype for name, dtype in frame.collect_schema().items() if isinstance(dtype, pl.List)}
    for name, dtype in lists.items():
        if isinstance(dtype.inner, pl.List):
            raise InputError(f"cannot be written: column {name!r} holds lists within lists")
    return frame.with_columns(pl.col(name).cast(pl.List(pl.String)).list.join("|") for name in lists)


def _plain(values: pl.Expr, dtype: Any) -> pl.Expr | None:
    """Return the expression of the plain values, or None where the dtype has none."""
    if isinstance(dtype, (pl.List, pl.Array)):
        inner = _plain(pl.element(), dtype.inner)
        lists = values.arr.to_list() if isinstance(dtype, pl.Array) else values
        return None if inner is None else lists.list.eval(inner)
    if isinstance(dtype, pl.Datetime):
        zoned = dtype.time_zone is not None
        utc = values.dt.convert_time_zone("UTC") if zoned else values
        return utc.dt.to_string(f"%Y-%m-%dT%H:%M:%S%.f{'Z' if zoned else ''}")
    if isinstance(dtype, (pl.Date, pl.Time)):
        return values.dt.to_string("iso")
    if isinstance(dtype, pl.Duration):
        return values.dt.total_seconds(fractional=True)
    if dtype.is_float():
        values = pl.when(values.is_finite()).then(values)
    elif isinstance(dtype, (pl.Categorical, pl.Enum)):
        values = values.cast(pl.String)
    return None if isinstance(dtype, (pl.Struct, pl.Binary, pl.Object)) else values


def _csv(frame: pl.DataFrame) -> bytes:
    return csv_safe(plain(frame, join_lists=True)).write_csv().encode()


def _json(frame: pl.DataFrame) -> bytes:
    return f"{plain(frame, join_lists=False).write_json()}\n".encode()


def _ndjson(frame: pl.DataFrame) -> bytes:
    return plain(frame, join_lists=False).write_ndjson().encode()


def _parquet(frame: pl.DataFrame) -> bytes:
    buffer = BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


FORMATS: Mapping[str, Callable[[pl.DataFrame], bytes]] = {
    "csv": _csv,
    "json": _json,
    "ndjson": _ndjson,
    "parquet": _parquet,
}


def render(frame: pl.DataFrame, format: str) -> bytes:
    """Return a table as the bytes of a file.

    `csv` is safe to open in a spreadsheet (`propgraph.export.text.csv_safe`) and so does not always hold the
    text as it was: an account called `@name` becomes `'@name`. `json` (one array), `ndjson` (one object a
    line) and `parquet` keep every text. Parquet also keeps every dtype; the others hold the values of
    `plain`. All text is UTF-8.

    Parameters
    ----------
    frame
        Any table; `Struct`, `Binary` and `Object` columns only as `parquet`.
    format
        One of `FORMATS`.

    Returns
    -------
    The bytes, the same for the same frame.

    Raises
    ------
    UsageError
        When `format` is unknown.
    InputError
        When a column has a dtype that the format cannot hold.
    """
    check_choice("format", format, FORMATS)
    return FORMATS[format](frame)


def write_table(frame: pl.DataFrame, path: str | Path, *, format: str | None = None) -> None:
    """Write a table to a file, whole or not at all.

    Parameters
    ----------
    frame
        Any table that `render` takes.
    path
        The file; one that exists is replaced.
    format
        One of `FORMATS`; by default the path's ending.

    Raises
    ------
    UsageError
        When the format is unknown, or `path` is a folder or lies in none.
    InputError
        When a column has a dtype that the format cannot hold.
    """
    content = render(frame, Path(path).suffix.removeprefix(".").lower() if format is None else format)
    with whole_file(path) as file:
        file.write(content)


@contextmanager
def whole_file(path: str | Path) -> Iterator[BinaryIO]:
    """Open a file for writing that takes its name only when the block ends without an error.

    Until then the bytes go to a temporary file beside it, so that an interrupted write leaves what was there.
    A path that is no ordinary file (a pipe, a device) is written to directly.

    Parameters
    ----------
    path
        The file; a symbolic link is followed.

    Raises
    ------
    UsageError
        When `path` is a folder, or its folder does not exist.
    """
    target = Path(path).resolve()
    if target.is_dir():
        raise UsageError(f"{path} is a folder; give the name of a file")
    if not target.parent.is_dir():
        raise UsageError(f"{path}: the folder {Path(path).parent} does not exist")
    if target.exists() and not target.is_file():
        with target.open("wb") as file:
            yield file
        return
    unfinished = target.with_name(f".propgraph-{secrets.token_hex(8)}.tmp")
    try:
        with unfinished.open("xb") as file:
            yield file
        os.replace(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)
