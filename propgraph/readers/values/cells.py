"""Cells of a table that hold more than one value: objects as JSON or as Python prints them, lists to be sifted."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import orjson
import polars as pl
import pyarrow as pa

from propgraph.schema import ID, IDS

# What Python prints that is no literal: a time, and nothing as pandas has it.
_TIME = re.compile(r"\bdatetime\.datetime\([^()'\"]*\)")
_NOTHING = re.compile(r"(?<=[\[(,{: ])(?:nan|NaN|NaT|<NA>|null)(?=\s*[\],)}])")
_LONGEST_LITERAL = 1 << 20


def parsed(cell: str, /) -> Any:
    """Return the value that a cell holds as JSON or as Python prints it, None where it is neither."""
    if not cell.lstrip().startswith(("[", "{")):
        return None
    try:
        return orjson.loads(cell)
    except orjson.JSONDecodeError:
        pass
    if len(cell) > _LONGEST_LITERAL:
        return None
    plain = _TIME.sub("None", cell.strip())
    # What stands in quotes may look like nothing: only a cell that is no literal as it is has it for that.
    return next(
        (value for text in (plain, _NOTHING.sub("None", plain)) if (value := _literal(text)) is not None),
        None,
    )


def _literal(text: str) -> Any:
    try:
        value = ast.literal_eval(text)
        # Half of an emoji would be no text for anything else.
        return orjson.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def lists_from(cells: pl.Expr, read: Callable[[Any], list[str]], /) -> pl.Expr:
    """Return what `read` makes of the value in each cell, null where a cell is empty or holds no such value.

    Each distinct cell is parsed once.
    """

    def made(values: pl.Series) -> pl.Series:
        distinct = values.drop_nulls().unique()
        lists = [None if (value := parsed(cell)) is None else read(value) for cell in distinct]
        table = pl.DataFrame(
            {"cell": distinct, "list": pl.Series(lists, dtype=IDS)}, schema={"cell": ID, "list": IDS}
        )
        return (
            values.alias("cell").to_frame().join(table, on="cell", how="left", maintain_order="left")["list"]
        )

    return cells.cast(ID).map_batches(made, return_dtype=IDS)


def list_series(name: str, values: Sequence[list[str] | None], /) -> pl.Series:
    """Return lists of text as a Series of that name; ten times as fast as Polars makes one of Python lists."""
    lengths = np.fromiter((len(value) if value else 0 for value in values), np.int64, len(values))
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    texts = pa.array([text for value in values if value for text in value], pa.large_string())
    absent = np.fromiter((value is None for value in values), np.bool_, len(values))
    lists = pa.LargeListArray.from_arrays(pa.array(offsets), texts, mask=pa.array(absent))
    return pl.Series(name, lists, dtype=IDS)


def sifted(items: pl.Expr, keep: pl.Expr, /, **beside: pl.Expr) -> pl.Expr:
    """Return lists with those items only for which `keep` holds; a list that is null stays so.

    Parameters
    ----------
    items
        Lists of String.
    keep
        Of the columns `item` and those of `beside`; an item is kept unless this is False.
    beside
        Columns of the same rows that `keep` needs; Polars' own `list.filter` sees no other columns.
    """

    def made(rows: pl.Series) -> pl.Series:
        frame = rows.struct.unnest()
        lists = frame["item"]
        lengths = lists.list.len().fill_null(0).to_numpy()
        row = np.repeat(np.arange(lengths.size), lengths)
        flat = frame.drop("item")[pl.Series(row.astype(np.uint32))].with_columns(
            item=lists.filter(pl.Series(lengths > 0)).explode()
        )
        kept = flat.select(keep.fill_null(True).alias("kept"))["kept"]
        offsets = np.concatenate([[0], np.cumsum(np.bincount(row[kept.to_numpy()], minlength=lengths.size))])
        values = flat["item"].filter(kept).to_arrow().cast(pa.large_string())
        made = pa.LargeListArray.from_arrays(pa.array(offsets), values, mask=lists.is_null().to_arrow())
        return pl.Series("item", made, dtype=IDS)

    struct = pl.struct(
        items.cast(IDS).alias("item"), *(column.alias(name) for name, column in beside.items())
    )
    return struct.map_batches(made, return_dtype=IDS)
