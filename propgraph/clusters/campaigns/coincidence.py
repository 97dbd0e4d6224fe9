"""Whether two clusters gather at the same moments, more often than at the same hours of other days.

The null is that of shifts by whole days: each cluster keeps its hours of the day and how much it does on a day, and
nothing ties the one's moments to the other's. The trials are the sessions of the cluster that has fewer, on days on
which the other one gathers at all. Where both gather at one object, its public is asked, too: what is new is shared at
once by many who have nothing to do with each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from propgraph.arrays.kernels import kernel
from propgraph.arrays.p_values import binomial_tail, false_discovery_rate
from propgraph.arrays.types import Float64, Int64
from propgraph.clusters.campaigns.gatherings import HOUR_MS, Gatherings
from propgraph.clusters.campaigns.public import HALF_DAY_MS, Public

#: Fewest sessions that have to coincide.
LEAST = 3
# Posts that the usual rate of the public weighs as much as, at an object.
_DOUBT = 4.0

SCHEMA = pl.Schema({
    "cluster": pl.Int64, "other": pl.Int64, "n_gatherings": pl.Int64, "n_coinciding": pl.Int64,
    "expected": pl.Float64, "p_value": pl.Float64,
})  # fmt: skip


@dataclass(frozen=True)
class Tested:
    """Pairs of clusters that may be one crowd.

    Attributes
    ----------
    pairs
        `cluster`, `other` (the one with fewer sessions), `n_gatherings` (trials), `n_coinciding`, `expected` (as many
        by the null), `p_value` (two looks, corrected), `q_value`: of the pairs of which half of the trials coincide.
    n_tests
        Pairs of clusters that could have been found.
    """

    pairs: pl.DataFrame
    n_tests: int


def common_objects(gatherings: Gatherings, pairs: pl.DataFrame, /) -> pl.DataFrame:
    """Return for each pair of clusters and session of `other` the first object at which both gathered that day.

    Parameters
    ----------
    gatherings
        All gatherings.
    pairs
        `cluster`, `other`.

    Returns
    -------
    pl.DataFrame
        `cluster`, `other`, `session` (of `other`), `object` (code), `at` (ms, when `cluster` gathered there, the time
        nearest to `other`'s), `apart` (ms).
    """
    rows = gatherings.rows.filter(pl.col("cluster").n_unique().over("object") > 1)
    rows = rows.unique(["cluster", "object", "session"], keep="first", maintain_order=True)
    rows = rows.with_columns(pl.col("cluster").cast(pl.Int64), half=pl.col("start") // HALF_DAY_MS)
    mine = rows.select("cluster", "object", "half", at="start")
    theirs = rows.select("object", "session", "start", other="cluster", half=pl.concat_list(
        pl.col("half") + k for k in (-1, 0, 1)
    )).explode("half")  # fmt: skip
    return (
        pairs.join(theirs, on="other")
        .join(mine, on=["cluster", "object", "half"])
        .with_columns(apart=(pl.col("at") - pl.col("start")).abs())
        .filter(pl.col("apart") <= HALF_DAY_MS)
        .sort("cluster", "other", "session", "start", "object", "apart", "at")
        .unique(["cluster", "other", "session"], keep="first", maintain_order=True)
        .select("cluster", "other", "session", "object", "at", "apart")
    )


def pairs_to_test(gatherings: Gatherings, flagged: frozenset[int], /) -> pl.DataFrame:
    """Return `cluster`, `other`: all pairs of clusters with sessions enough of which one is flagged, or both."""
    numbers, sessions = np.unique(gatherings.cluster, return_counts=True)
    enough = pl.DataFrame({"number": numbers, "n": sessions}).filter(pl.col("n") >= LEAST)
    first = enough.filter(pl.col("number").is_in(sorted(flagged)))
    both = first.join(enough, how="cross", suffix="_other").filter(pl.col("number") != pl.col("number_other"))
    # The one with more sessions comes first: its habits are the better known.
    more = (pl.col("n") > pl.col("n_other")) | (
        (pl.col("n") == pl.col("n_other")) & (pl.col("number") < pl.col("number_other"))
    )
    return (
        both.select(
            cluster=pl.when(more).then("number").otherwise("number_other").cast(pl.Int64),
            other=pl.when(more).then("number_other").otherwise("number").cast(pl.Int64),
        )
        .unique()
        .sort("cluster", "other")
    )


def coincidences(
    gatherings: Gatherings, pairs: pl.DataFrame, common: pl.DataFrame, public: Public, /
) -> Tested:
    """Test whether pairs of clusters gather at the same moments.

    Two looks are taken at each pair: whether sessions lie within an hour (or the larger spread) of each other, and
    whether both are at one object within the larger spread (the window, for most).

    Parameters
    ----------
    gatherings, pairs, common
        The gatherings; the pairs, and the objects common to each, as from `pairs_to_test` and `common_objects`.
    public
        What accounts in no cluster do, at the hours and with these objects.

    References
    ----------
    Hoeffding, "On the Distribution of the Number of Successes in Independent Trials", Annals of Mathematical Statistics
    27 (1956): the binomial of the mean bounds the tail of trials that differ.
    """
    near = _with_rates(common, public, gatherings.spread)
    hours = _by_hours(gatherings, pairs, near, public)
    objects = _by_objects(near)
    looks = pl.concat([hours, objects])
    possible = looks.filter(pl.col("n_gatherings") >= LEAST)
    n_looks = possible.group_by("cluster", "other").len("looks")
    half = (pl.col("n_coinciding") >= LEAST) & (pl.col("n_coinciding") * 2 >= pl.col("n_gatherings"))
    best = (
        possible.filter(half)
        .sort("cluster", "other", "p_value", "n_gatherings")
        .unique(["cluster", "other"], keep="first", maintain_order=True)
        .join(n_looks, on=["cluster", "other"], maintain_order="left")
        .with_columns(p_value=(pl.col("p_value") * pl.col("looks")).clip(0, 1))
        .drop("looks")
    )
    q_values = false_discovery_rate(best["p_value"].to_numpy(), n_tests=n_looks.height)
    return Tested(best.with_columns(q_value=pl.Series(q_values, dtype=pl.Float64)), n_looks.height)


def _with_rates(common: pl.DataFrame, public: Public, spread: dict[int, int]) -> pl.DataFrame:
    """Add `coincides`, and which part of the object's public that day posts within the spread, and within an hour."""
    ends = (np.array([spread[k] for k in common[name].to_list()], np.int64) for name in ("cluster", "other"))
    wide: Int64 = np.maximum(*ends)
    at = common["at"].to_numpy()
    object_ = common["object"].to_numpy().astype(np.int64)
    n = _posts_within(public, object_, at, np.full(at.size, HALF_DAY_MS))
    rates = {}
    for name, reach in (("rate", wide), ("hour_rate", np.maximum(wide, HOUR_MS))):
        close = _posts_within(public, object_, at, reach)
        usual = (close.sum() + 0.01) / (n.sum() + 1)
        rates[name] = pl.Series((close + _DOUBT * usual) / (n + _DOUBT), dtype=pl.Float64)
    told = bool(n.sum() > 0)
    coincides = pl.Series(common["apart"].to_numpy() <= wide, dtype=pl.Boolean)
    return common.with_columns(coincides=coincides, told=pl.lit(told), **rates)


def _posts_within(public: Public, object_: Int64, at: Int64, reach: Int64) -> Int64:
    """Return how many posts of each object the public made within a reach (ms) of a time."""
    objects, time = public.objects["object"].to_numpy(), public.objects["time"].to_numpy()
    start = np.searchsorted(objects, object_, side="left")
    stop = np.searchsorted(objects, object_, side="right")
    found: Int64 = _within(time, start, stop, at, reach)
    return found


@kernel
def _within(time: Int64, start: Int64, stop: Int64, at: Int64, reach: Int64) -> Int64:
    n = np.zeros(at.size, np.int64)
    # Each row asks of its own stretch of `time`, which rises.
    for k in range(at.size):
        part = time[start[k] : stop[k]]
        n[k] = np.searchsorted(part, at[k] + reach[k], side="right") - np.searchsorted(part, at[k] - reach[k])
    return n


def _by_objects(near: pl.DataFrame) -> pl.DataFrame:
    """Return the look at common objects: trials, those that coincide, and the tail."""
    sums = (
        near.filter("told")
        .group_by("cluster", "other", maintain_order=True)
        .agg(
            n_gatherings=pl.len().cast(pl.Int64),
            n_coinciding=pl.col("coincides").sum().cast(pl.Int64),
            expected=pl.col("rate").sum(),
        )
    )
    n, k, expected = (sums[name].to_numpy() for name in ("n_gatherings", "n_coinciding", "expected"))
    tail = binomial_tail(k, n, expected / np.maximum(n, 1))
    return sums.with_columns(p_value=pl.Series(tail, dtype=pl.Float64)).select(*SCHEMA).cast(SCHEMA)


def _by_hours(
    gatherings: Gatherings, pairs: pl.DataFrame, near: pl.DataFrame, public: Public
) -> pl.DataFrame:
    """Return the look at hours: trials and coincidences of all pairs, and the tail where half of them coincide."""
    bounds = np.searchsorted(
        gatherings.cluster, pairs.to_numpy().astype(np.int64).reshape(-1, 2), side="left"
    )
    ends = np.searchsorted(gatherings.cluster, pairs.to_numpy().astype(np.int64).reshape(-1, 2), side="right")
    reach = np.array(
        [max(HOUR_MS, gatherings.spread[a], gatherings.spread[b]) for a, b in pairs.iter_rows()], np.int64
    )
    floors = {
        key: dict(part.select("session", "hour_rate").iter_rows())
        for key, part in near.partition_by("cluster", "other", as_dict=True).items()
    }
    rows = []
    for k, (cluster, other) in enumerate(pairs.iter_rows()):
        mine = slice(bounds[k, 0], ends[k, 0])
        start, end = gatherings.start[mine], gatherings.end[mine]
        there = np.arange(bounds[k, 1], ends[k, 1])
        same_day = _in_reach(start, end, gatherings.start[there], gatherings.end[there], HALF_DAY_MS)
        met = _in_reach(start, end, gatherings.start[there], gatherings.end[there], int(reach[k])) > 0
        trials = there[same_day > 0]
        n, n_met = trials.size, int(met.sum())
        expected, tail = 0.0, 1.0
        if n_met >= LEAST and 2 * n_met >= n:
            chance = _chances(
                gatherings, mine, trials, same_day[same_day > 0], public, reach=int(reach[k]),
                floor=floors.get((cluster, other), {}),
            )  # fmt: skip
            expected = float(chance.sum())
            tail = float(binomial_tail(np.array([n_met]), np.array([n]), np.array([expected / n]))[0])
        rows.append((cluster, other, n, n_met, expected, tail))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _in_reach(start: Int64, end: Int64, other_start: Int64, other_end: Int64, reach: int) -> Int64:
    """Return how many of some sessions lie within `reach` (ms) of each other one; both in order, none overlapping."""
    before = np.searchsorted(end, other_start - reach, side="left")
    found: Int64 = np.searchsorted(start, other_end + reach, side="right") - before
    return found


def _chances(
    gatherings: Gatherings, mine: slice, trials: Int64, same_day: Int64, public: Public, /, *, reach: int,
    floor: dict[int, float],
) -> Float64:  # fmt: skip
    """Return each trial's chance to coincide: the other's sessions that day, dealt over its hours of other days."""
    start, end = gatherings.start[mine], gatherings.end[mine]
    alike = _alike(start, end, gatherings.start[trials], gatherings.end[trials], reach)
    elsewhere = start.size - same_day
    chance = np.empty(trials.size)
    for k, session in enumerate(trials.tolist()):
        first, last = int(gatherings.start[session]) - reach, int(gatherings.end[session]) + reach
        # The session itself counts, too, as in a permutation test: of few other days none may look the same by chance.
        part = (alike[k] + 1) / (elsewhere[k] + 1) * public.busy(first, last)
        by_habit = 1 - (1 - min(part, 1.0)) ** same_day[k]
        chance[k] = max(by_habit, floor.get(session, 0.0))
    return chance


@kernel
def _alike(start: Int64, end: Int64, other_start: Int64, other_end: Int64, reach: int) -> Int64:
    """Return how many sessions of other days would lie within reach of each other one, if moved by whole days."""
    alike = np.zeros(other_start.size, np.int64)
    for k in range(other_start.size):
        # Counted one by one: no order of the sessions matters.
        for j in range(start.size):
            if max(other_start[k] - end[j], start[j] - other_end[k]) <= HALF_DAY_MS:
                continue
            # Moved so that the other begins less than a day after this one: it begins before this one's end, or reaches
            # as far as this one's next day.
            begin = (other_start[k] - start[j]) % (2 * HALF_DAY_MS)
            after = begin <= end[j] - start[j] + reach
            before = begin + other_end[k] - other_start[k] + reach >= 2 * HALF_DAY_MS
            alike[k] += after or before
    return alike
