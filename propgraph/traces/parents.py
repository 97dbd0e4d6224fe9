"""What a post answers to: the original that it reshares, its author within seconds, the post it replies to."""

from __future__ import annotations

import numpy as np
import polars as pl

from propgraph.arrays.encoding import codes_in
from propgraph.arrays.types import Int64
from propgraph.readers.times.fineness import RESOLUTION
from propgraph.resolution import resolution_of
from propgraph.schema import ID, TIME

FAST_S = 10.0
"""How soon after the post a reshare is fast, in seconds, the bound included."""


def reshares(posts: pl.DataFrame, /) -> pl.DataFrame:
    """Return `row, object_id`: for each reshare the original it goes back to.

    A reshare of a reshare goes back to where that one does. Of posts that reshare each other in a circle
    the first counts as the original.
    """
    rows = posts.filter(pl.col("kind") == "reshare")
    own, parent = rows["content_id"], rows["parent_content_id"]
    parent = parent.set((parent == own).fill_null(False), None) if len(parent) else parent
    above = codes_in(parent, own)
    top, circular = _tops(above)
    named = parent.scatter(circular, None) if circular.size else parent
    position = pl.Series(top, dtype=pl.UInt32)
    is_top = pl.Series(top == np.arange(len(top)))
    original = pl.coalesce(named.gather(position), pl.when(~is_top).then(own.gather(position)))
    return rows.select("row", object_id=original).drop_nulls()


def _tops(above: Int64) -> tuple[Int64, Int64]:
    """Return where the way up from each row ends, and the rows that end a circle: the first of each.

    `above` is the row above each row, -1 where there is none.
    """
    start = np.arange(above.size)
    up = np.where(above >= 0, above, start)
    top, lowest = up, np.minimum(start, up)
    # Twice as far at each step; longer than the number of rows no way can be, unless it is a circle.
    for _ in range(above.size.bit_length() + 1):
        further = top[top]
        if np.array_equal(further, top):
            break
        lowest, top = np.minimum(lowest, lowest[top]), further
    circling = above[top] >= 0
    if not circling.any():
        return top, np.empty(0, np.int64)
    top = np.where(circling, lowest[top], top)
    return top, np.unique(top[circling])


def fast_reshares(posts: pl.DataFrame, /, *, coarse: bool = False) -> pl.DataFrame:
    """Return `row, object_id`: for each reshare within `FAST_S` of the post it reshares, that post's author.

    The post's time is `parent_timestamp`, else its time in the log; its author is `origin_account_id`,
    else (or where only a `@name` is known) its account in the log. A reshare from before its post, and one
    whose post's time or author nobody knows, is not fast. Nor, unless `coarse`, is one where either time is coarser
    than `FAST_S` (by `time_resolution_s`, or by all of `parent_timestamp`). After the fast retweets of Pacheco et
    al. (2020) and Luceri et al. (2024).
    """
    absent = [name for name in ("parent_content_id", "origin_account_id") if name not in posts.columns]
    reshares = posts.filter(pl.col("kind") == "reshare").with_columns(
        pl.lit(None, ID).alias(name) for name in absent
    )
    if "parent_timestamp" not in reshares.columns:
        reshares = reshares.with_columns(parent_timestamp=pl.lit(None, TIME))
    place = pl.Series(codes_in(reshares["parent_content_id"], posts["content_id"]))
    place = place.set(place < 0, None)
    fast = reshares.select(
        "row",
        delay=pl.col("timestamp") - pl.coalesce("parent_timestamp", posts["timestamp"].gather(place)),
        named=pl.col("origin_account_id").cast(ID),
        author=posts["account_id"].gather(place).cast(ID),
        told=pl.lit(True) if coarse else _fine_enough(reshares, posts, place),
    ).filter(
        pl.col("delay").is_between(pl.duration(), pl.duration(milliseconds=int(FAST_S * 1000))),
        pl.col("told"),
    )
    by_id = pl.when(~pl.col("named").str.starts_with("@")).then("named")
    return fast.select("row", object_id=pl.coalesce(by_id, "author", "named")).drop_nulls()


def _fine_enough(reshares: pl.DataFrame, posts: pl.DataFrame, place: pl.Series) -> pl.Expr:
    """Tell where the times of a reshare and of its post (at `place` among the posts) are no coarser than `FAST_S`."""
    own = _fine(reshares)
    of_parents = reshares.filter(own)["parent_timestamp"].drop_nulls().dt.timestamp("ms").sort().to_numpy()
    parents_fine = (resolution_of(of_parents) or 0.0) <= FAST_S
    in_log = _fine(posts).gather(place).fill_null(False)
    of_post = in_log.set(reshares["parent_timestamp"].is_not_null(), parents_fine)
    return pl.lit(own & of_post)


def _fine(posts: pl.DataFrame) -> pl.Series:
    if RESOLUTION not in posts.columns:
        return pl.repeat(True, posts.height, eager=True)
    return (posts[RESOLUTION] <= FAST_S).fill_null(True)


def replies(posts: pl.DataFrame, /) -> pl.DataFrame:
    """Return `row, object_id`: the post that each reply answers to."""
    found = posts.lazy().filter(
        pl.col("kind") == "reply", pl.col("parent_content_id") != pl.col("content_id")
    )
    return found.select("row", object_id="parent_content_id").collect()
