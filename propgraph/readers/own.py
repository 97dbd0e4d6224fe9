"""Columns of one's own: what a log says beyond what posts hold, kept as text where it was asked for."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from propgraph.arrays.encoding import all_distinct
from propgraph.errors import UsageError, did_you_mean, listed
from propgraph.readers.base import OWN, as_json
from propgraph.readers.values.ids import as_text
from propgraph.schema import ID, OWN_COLUMNS

_LISTED = 30
#: Takes all columns of tables that are not read otherwise.
ALL = "all"


def kept_columns(
    keep: Sequence[str], found: Sequence[str], unread: Sequence[str], /, *, nested: bool
) -> list[str]:
    """Return those of a file's columns (of nested JSON: paths of keys) that are to be kept as they are.

    Parameters
    ----------
    keep
        Names, or `ALL` among them, which means all columns of a table that are `unread`.
    found, unread
        The file's columns, and those that its reader leaves; of nested JSON nobody knows what it leaves.
    nested
        The file is read record by record.
    """
    named = [name for name in found if name in keep]
    rest = [] if nested or ALL not in keep else [name for name in unread if name]
    return list(dict.fromkeys([*named, *rest]))


def check_kept(keep: Sequence[str], found: Sequence[str], /) -> None:
    """Raise `UsageError` where a column that was named is in none of the files, whose columns are `found`."""
    for name in keep:
        if name != ALL and name not in found:
            hint = did_you_mean(name, found) or f"; there are {listed(list(found)[:_LISTED])}"
            raise UsageError(f"no log has a column {name!r} to keep{hint}", option="keep")


def own_values(frame: pl.DataFrame, kept: Sequence[str], /) -> pl.DataFrame:
    """Return columns of a batch as text under names that no column of posts has; lists and objects as JSON."""
    return pl.DataFrame([_text(frame[name]).alias(OWN + name.removeprefix(OWN)) for name in kept])


def _text(values: pl.Series) -> pl.Series:
    if values.dtype.is_nested():
        values = as_json(values)
    if values.dtype == pl.Binary:
        values = values.bin.encode("hex")
    if isinstance(values.dtype, pl.Datetime):
        values = values.dt.to_string("iso:strict")
    text = as_text(values.cast(ID) if values.dtype in (pl.Categorical, pl.Enum, pl.Boolean) else values)
    return text.set((text.str.len_bytes() == 0).fill_null(False), None)


def own_table(posts: pl.DataFrame, /) -> pl.LazyFrame:
    """Return `schema.OWN_COLUMNS` of posts: column by column, in the order of the posts, no value twice for a post."""
    names = sorted(name for name in posts.columns if name.startswith(OWN))
    if not names:
        return OWN_COLUMNS.empty().lazy()
    repeated = not all_distinct(posts["content_id"])  # a post has a row for each object
    parts = []
    for name in names:
        part = posts.lazy().select(
            pl.col("content_id").cast(ID), column=pl.lit(name.removeprefix(OWN)), value=pl.col(name)
        )
        part = part.filter(pl.col("value").is_not_null())
        parts.append(part.unique(maintain_order=True) if repeated else part)
    return pl.concat(parts)
