"""Posts on one clock."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import polars as pl

from propgraph.arrays.types import Int8, Int64
from propgraph.clocks.find import Clock
from propgraph.clocks.groups import Groups
from propgraph.readers.log import Log
from propgraph.readers.posts.snowflakes import parents_by_id
from propgraph.schema import POSTS, TIME


def aligned(log: Log, groups: Groups, clocks: Sequence[Clock], /) -> Log:
    """Return a log with the times of all posts by their reference's clock, again in canonical order.

    Times of parents are moved with the posts', but for those that the parents' ids say: these are right.

    Parameters
    ----------
    log, groups
        The log and its groups.
    clocks
        As `find_clocks` returns them for its shares.
    """
    columns = [_moved(log.posts, "timestamp", groups.code, clocks)]
    if "parent_timestamp" in log.posts.columns:
        moved = _moved(log.posts, "parent_timestamp", groups.code, clocks)
        columns.append(moved.zip_with(~parents_by_id(log.posts), log.posts["parent_timestamp"]))
    key = [name for name in POSTS.key if name in log.posts.columns]
    posts = log.posts.with_columns(columns).sort(key, maintain_order=True)
    return dataclasses.replace(log, posts=posts, files=None)


def n_moved(times: pl.Series, groups: Groups, clock: Clock, /) -> list[int]:
    """Return how many rows of posts lie in each stretch of a clock."""
    ms = _ms(times.filter(pl.Series(groups.code == clock.group)))
    starts = [stretch.start for stretch in clock.stretches if stretch.start is not None]
    place = np.searchsorted(starts, ms, side="right")
    return [int(n) for n in np.bincount(place, minlength=len(clock.stretches))]


def _moved(posts: pl.DataFrame, name: str, code: Int8, clocks: Sequence[Clock]) -> pl.Series:
    known = posts[name].is_not_null().to_numpy()
    ms = _ms(posts[name])
    for clock in clocks:
        here = (code == clock.group) & known
        ms[here] += clock.shift(ms[here])
    return pl.Series(name, ms).cast(TIME).set(~pl.Series(known), None)


def _ms(times: pl.Series) -> Int64:
    return times.dt.timestamp("ms").fill_null(0).to_numpy().copy()
