"""Which of a cluster's posts show a finding best: one function for each way to pick them.

Each takes the posts as `evidence.posts_of_members` makes them, those of the objects over which members met most first.
"""

from __future__ import annotations

import polars as pl

from propgraph.arrays.sessions import PAUSE_MS
from propgraph.cosharing.rows import FAST_MS

_OBJECT = ("trace", "object_id")
_IN_TURN = 4


def met(posts: pl.DataFrame) -> pl.DataFrame:
    """Keep posts with a fellow member's of the same object in the window."""
    return posts.filter(pl.col("n_fellows") > 0)


def met_over_objects(posts: pl.DataFrame) -> pl.DataFrame:
    """Keep posts that met, four of each object in turn: the finding is about all objects, not about the busiest."""
    ordered = _busiest_moments_first(posts)
    turn = pl.int_range(pl.len()).over(_OBJECT) // _IN_TURN
    return ordered.with_columns(turn=turn).sort("turn", maintain_order=True)


def some_of_each_object(posts: pl.DataFrame, *, n: int) -> pl.DataFrame:
    """Keep the posts of `n` accounts on each object over which members met, so that several objects show."""
    once = _busiest_moments_first(posts).unique([*_OBJECT, "account_id"], keep="first", maintain_order=True)
    return once.filter(pl.int_range(pl.len()).over(_OBJECT) < n)


def _busiest_moments_first(posts: pl.DataFrame) -> pl.DataFrame:
    """Keep posts that met, object by object: from the post with most fellows near it outwards.

    An account's nearest post comes before all second posts, so that the first few are of several accounts.
    """
    busiest = pl.col("timestamp").sort_by("n_fellows", "timestamp", descending=[True, False]).first()
    keys = ["meetings", *_OBJECT]
    downwards = [True, False, False]
    near = (
        met(posts)
        .unique([*_OBJECT, "content_id"], keep="first", maintain_order=True)
        .with_columns(away=(pl.col("timestamp") - busiest.over(_OBJECT)).abs())
        .sort([*keys, "away", "timestamp", "content_id"], descending=[*downwards, False, False, False])
    )
    again = near.with_columns(again=pl.int_range(pl.len()).over(*_OBJECT, "account_id"))
    return again.sort([*keys, "again"], descending=[*downwards, False], maintain_order=True)


def met_in_seconds(posts: pl.DataFrame) -> pl.DataFrame:
    """Keep posts known to have another account's of the same object at most 10 s before or after."""
    near = (pl.col("timestamp").diff() <= pl.duration(seconds=10)) & (
        pl.col("account_id") != pl.col("account_id").shift()
    )
    fine = (pl.col("time_resolution_s") * 1000 <= FAST_MS).fill_null(True)
    marked = posts.filter(pl.col("object_id").is_not_null(), fine).with_columns(
        after=near.over(_OBJECT).fill_null(False)
    )
    return marked.filter(pl.col("after") | pl.col("after").shift(-1).over(_OBJECT).fill_null(False))


def in_one_order(posts: pl.DataFrame) -> pl.DataFrame:
    """Keep posts of the objects that most members shared, the sessions with most of these first, in order of time."""
    there = posts.drop_nulls("object_id").unique(["trace", "object_id", "account_id"], keep="any")
    common = (
        there.group_by("trace", "object_id")
        .len()
        .sort("len", "trace", "object_id", descending=[True, False, False])
    )
    mine = posts.join(common.head(8), on=["trace", "object_id"]).sort("account_id", "timestamp", "content_id")
    pause = pl.col("timestamp").diff().over("account_id") > pl.duration(milliseconds=PAUSE_MS)
    sessions = mine.with_columns(session=pause.fill_null(True).cum_sum())
    size = pl.col("object_id").n_unique().over("session")
    return sessions.with_columns(size=size).sort(
        ["size", "session", "timestamp", "content_id"], descending=[True, False, False, False]
    )


def one_in_each_group(posts: pl.DataFrame) -> pl.DataFrame:
    """Keep an account's first post in each group, the accounts with most groups first."""
    once = (
        posts.drop_nulls("target_id")
        .sort("timestamp", "content_id")
        .unique(["account_id", "target_id"], keep="first", maintain_order=True)
    )
    return once.with_columns(groups=pl.len().over("account_id")).sort(
        ["groups", "account_id", "timestamp", "content_id"], descending=[True, False, False, False]
    )


def one_in_each_hour(posts: pl.DataFrame) -> pl.DataFrame:
    """Keep the first post of each hour of the day (UTC), the hours with most posts first."""
    hours = (
        posts.unique("content_id")
        .sort("timestamp", "content_id")
        .with_columns(hour=pl.col("timestamp").dt.hour())
    )
    first = hours.with_columns(n=pl.len().over("hour")).unique("hour", keep="first", maintain_order=True)
    return first.sort(["n", "hour"], descending=[True, False])


def not_original(posts: pl.DataFrame) -> pl.DataFrame:
    """Keep posts that pass on another's."""
    return posts.filter(pl.col("kind") != "original")


def on_top_site(posts: pl.DataFrame) -> pl.DataFrame:
    """Keep posts with a link to the cluster's top site."""
    return posts.filter("is_top_site")
