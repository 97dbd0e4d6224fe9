"""The posts of all files in one order, whatever order the rows came in, and each of them once."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from propgraph.arrays.encoding import all_distinct, codes_of, encode
from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import Bool, Int64, UInt32, UInt64
from propgraph.readers.layouts.batches import Lines
from propgraph.readers.rows import rejected_table
from propgraph.readers.times.fineness import SOURCE
from propgraph.schema import ID, REJECTED

# What one post may have several rows for: a row says something new if any of these is new.
_SHARED = ("object_id", "urls", "hashtags", "parent_content_id", "target_id")
# A time that is a multiple of the first may be a later one cut, which lies within the second: days begin at any quarter
# of an hour, so that where a day is meant is not known.
_CUT_MS = (
    (86_400_000, 86_400_000), (3_600_000, 86_400_000), (900_000, 86_400_000), (60_000, 60_000), (1000, 1000),
)  # fmt: skip
#: Column of posts: the line of the post in its file.
LINE = "line"
# Of each part of the rows, in their order: the file it comes from, and its lines there.
Origins = list[tuple[str, Lines]]


def in_order_once(posts: pl.DataFrame, origins: Origins, /) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Sort posts by time, account, post and all else they say; reject what was said before.

    Parameters
    ----------
    posts
        Columns of `schema.POSTS` (`account_id, timestamp, content_id` at least), `account_id` encoded.
    origins
        Where the rows come from.

    Returns
    -------
    tuple of pl.DataFrame
        The posts, with the `line` of each in its file, and the rows rejected (columns of `schema.REJECTED`): those
        that say again what an earlier row says, or that give a post another author or time than the first of its rows.
        But where that first time is a whole second, minute, hour or day, and a later one of the same author lies within
        it that is less round, the post was told of in two exports: the finer time counts, in whatever order they are
        read.
    """
    unique = all_distinct(posts["content_id"])
    order = _canonical_order(posts, unique)
    posts = posts[pl.Series(order)].with_columns(_lines(order, origins))
    return (posts, REJECTED.empty()) if unique else _without_repeats(posts, order, origins)


def _canonical_order(posts: pl.DataFrame, unique: bool) -> UInt32:
    time = posts["timestamp"].dt.timestamp("ms").to_numpy()
    account = codes_of(encode(posts["account_id"]))
    span = (int(time.max()) - int(time.min())).bit_length()
    bits = int(account.max()).bit_length()
    if span + bits <= 64:
        # Time and account in one number: sorting it takes half as long as sorting by two keys.
        key = _packed(time, account, int(time.min()), bits)
        order = np.argsort(key)
        tied = _tied(key, order)
    else:
        order, tied = np.lexsort((account, time)), np.ones(len(time), np.bool_)
    if tied.any():
        order[tied] = _settle(posts, np.sort(order[tied]), unique)
    return order.astype(np.uint32)


@kernel
def _packed(time: Int64, account: UInt32, first: int, bits: int) -> UInt64:
    key = np.empty(time.size, np.uint64)
    for row in range(time.size):
        key[row] = (np.uint64(time[row] - first) << np.uint64(bits)) | np.uint64(account[row])
    return key


@kernel
def _tied(key: UInt64, order: Int64) -> Bool:
    """Mark the places whose key is that of the place before or after."""
    tied = np.zeros(order.size, np.bool_)
    for place in range(1, order.size):
        if key[order[place]] == key[order[place - 1]]:
            tied[place] = tied[place - 1] = True
    return tied


def _settle(posts: pl.DataFrame, rows: npt.NDArray[Any], unique: bool) -> npt.NDArray[Any]:
    """Return the positions of posts of one account and time, sorted by all that a row says."""
    keys = ["timestamp", "account_id", "content_id"]
    if not unique:
        keys += [name for name in posts.columns if name not in keys]
    some = posts.select(keys)[pl.Series(rows.astype(np.uint32))]
    flat = some.with_columns(
        pl.col(name).list.join(" ") for name, dtype in some.schema.items() if isinstance(dtype, pl.List)
    )
    # Rows alike in everything keep their order, so that it is the later one that counts as the repeat.
    order = flat.select(pl.arg_sort_by(keys, maintain_order=True)).to_series()
    settled: npt.NDArray[Any] = rows[order.to_numpy()]
    return settled


def _without_repeats(
    posts: pl.DataFrame, order: UInt32, origins: Origins
) -> tuple[pl.DataFrame, pl.DataFrame]:
    shared = [name for name in _SHARED if name in posts.columns]
    doubtful = _with_first(
        posts.select("content_id", "account_id", "timestamp", *shared)
        .with_row_index()
        .filter(pl.col("content_id").is_duplicated())
    ).with_columns(
        other=(pl.col("account_id") != pl.col("_account")) | (pl.col("timestamp") != pl.col("_time")),
        again=~pl.struct("content_id", "account_id", "timestamp", *shared).is_first_distinct(),
    )
    bad = doubtful.filter(pl.col("other") | pl.col("again"))
    if bad.is_empty():
        return posts, REJECTED.empty()
    cut = (pl.col("account_id") == pl.col("_account")) & (pl.col("timestamp") < pl.col("_time"))
    reasons = bad.select(
        pl.when(cut)
        .then(
            pl.format("content_id: {} is another post's already (the same with a finer time)", "content_id")
        )
        .when("other")
        .then(pl.format("content_id: {} is another post's already (other account or time)", "content_id"))
        .otherwise(pl.format("duplicate: post {} shares the same in an earlier row", "content_id"))
    ).to_series()
    rows = posts.drop(SOURCE, LINE, strict=False)[bad["index"]].with_columns(pl.col("account_id").cast(ID))
    sources = _sources(order[bad["index"].to_numpy()], origins)
    keep = np.ones(posts.height, np.bool_)
    keep[bad["index"].to_numpy()] = False
    return posts.filter(pl.Series(keep)), rejected_table(rows, posts[LINE][bad["index"]], reasons, sources)


def _with_first(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows with the author and the time of their post, `_account` and `_time`: those of the first of its rows.

    But where that time was cut, the finest of those that it can be cut from.
    """
    rows = rows.with_columns(
        _account=pl.col("account_id").first().over("content_id", order_by="index"),
        _time=pl.col("timestamp").first().over("content_id", order_by="index"),
    )
    first, time = pl.col("_time").to_physical(), pl.col("timestamp").to_physical()
    within = pl.coalesce(
        *(pl.when(first % step == 0).then(pl.lit(span, pl.Int64)) for step, span in _CUT_MS),
        pl.lit(0, pl.Int64),
    )
    finer = rows.filter(
        (pl.col("account_id") == pl.col("_account")) & (time > first) & (time - first < within)
        & (_roundness(time) < _roundness(first))
    )  # fmt: skip
    if finer.is_empty():
        return rows
    finest = finer.sort(_roundness(time), "timestamp").unique("content_id", keep="first", maintain_order=True)
    return rows.join(
        finest.select("content_id", _finest="timestamp"), on="content_id", how="left", maintain_order="left"
    ).with_columns(_time=pl.coalesce("_finest", "_time"))


def _roundness(time: pl.Expr) -> pl.Expr:
    """Return of how many of the steps a time (ms) is a multiple."""
    return pl.sum_horizontal(time % step == 0 for step, _ in _CUT_MS)


def _lines(order: UInt32, origins: Origins) -> pl.Series:
    """Return the line that each row comes from; `order` is their number before sorting."""
    lines = [np.asarray(part, np.int64) for _, part in origins if len(part)]
    largest = max((int(part[-1]) for part in lines), default=0)  # of each part they increase
    dtype = np.uint32 if largest < 1 << 32 else np.int64
    return pl.Series(LINE, np.concatenate([part.astype(dtype) for part in lines])[order])


def _sources(rows: npt.NDArray[Any], origins: Origins) -> pl.Series:
    """Return the file that each of these rows, numbered before sorting, comes from."""
    stops = np.cumsum([len(lines) for _, lines in origins])
    part = np.searchsorted(stops, rows, side="right")
    return pl.Series([path for path, _ in origins], dtype=ID).gather(part)
