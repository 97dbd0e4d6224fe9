"""Shifts: at which hours and on which days a cluster posts, held against accounts as active.

Hours are UTC, and told as hours: where people live or what they are cannot be told from when they post.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from propgraph.arrays.nearest import nearest_in
from propgraph.arrays.types import Bool, Float64, Int64
from propgraph.readers.times.fineness import RESOLUTION
from propgraph.schema import COUNT, IDS, SHARE

#: Posts that an account needs to have hours, and accounts with hours that a cluster needs.
LEAST_POSTS, LEAST_ACCOUNTS = 5, 5
#: The active hours hold this fraction of the posts, each account weighing the same.
MOST = 0.9
DRAWS = 200
_NEAREST = 20  # accounts as active, of which one is drawn for each member
_MOST_MEMBERS = 1000  # of larger clusters so many tell the hours
_QUIET, _LOUD, _WEEKS, _SHOWN = 0.1, 0.5, 4, 10
_HOUR_S, _SATURDAY = 3600, 6
#: Posts that a cluster usually makes on a weekday, for one without them to be quiet.
LEAST_A_DAY = 10

SHIFTS: dict[str, Any] = {
    "cluster": pl.UInt32, "active_from_h": COUNT, "active_hours": COUNT, "usual_active_hours": pl.Float64(),
    "shift_p": SHARE, "weekend_share": SHARE, "usual_weekend_share": SHARE, "weekend_p": SHARE, "quiet_days": IDS,
}  # fmt: skip


def shifts(posts: pl.DataFrame, others: pl.DataFrame, /, *, seed: int) -> pl.DataFrame:
    """Return the hours and days of each cluster, and those of as many other accounts as active.

    For each draw every member is replaced by one of the twenty accounts in no cluster nearest to it in number of
    posts. In the cluster, as in a draw, each account weighs the same, however much it posts.

    Parameters
    ----------
    posts
        `account_id, cluster, timestamp, time_resolution_s` of the members.
    others
        The same without `cluster` of accounts in no cluster.
    seed
        For the draws.

    Returns
    -------
    pl.DataFrame
        A row for each cluster of five accounts or more with five posts or more each: `cluster` (UInt32),
        `active_from_h, active_hours` (hours, UTC: the first, and the length of, the shortest run of hours of the day
        that holds nine tenths of the posts), `usual_active_hours` (median of the draws), `shift_p` (0..1, draws with as
        few hours), `weekend_share, usual_weekend_share` (0..1, of the posts those of Saturday and Sunday, UTC; median
        of the draws), `weekend_p` (0..1, draws with as small a share), `quiet_days` (days, as 2021-09-26, on which the
        cluster all but fell silent and the others did not; at most ten). What is about days is null where the posts
        span less than four weeks. Posts with times coarser than an hour are left out.
    """
    pool = _profiles(others)
    rows = []
    for (cluster,), part in posts.sort("cluster").group_by("cluster", maintain_order=True):
        mine = _profiles(part)
        if min(mine.n.size, pool.n.size) >= LEAST_ACCOUNTS:
            rows.append((cluster, *_measured(mine, pool, np.random.default_rng([seed, int(cluster)]))))
    return pl.DataFrame(rows, schema=SHIFTS, orient="row")


@dataclass(frozen=True)
class _Profiles:
    """Accounts by number of posts: their hours (24 fractions each) and weekends, and all days on which they post.

    `day` (days since 1970) and `count` (posts) are of all accounts together, ascending.
    """

    n: Int64
    hours: Float64
    weekend: Float64
    day: Int64
    count: Int64


def _profiles(posts: pl.DataFrame) -> _Profiles:
    """Return the profiles of those accounts that have enough posts with times fine enough."""
    time = pl.col("timestamp")
    fine = posts.filter((pl.col(RESOLUTION) <= _HOUR_S).fill_null(True))
    by_hour = fine.group_by("account_id", hour=time.dt.hour()).agg(
        n=pl.len(), weekend=(time.dt.weekday() >= _SATURDAY).sum()
    )
    table = (
        by_hour.group_by("account_id")
        .agg(pl.col("n", "weekend").sum())
        .filter(pl.col("n") >= LEAST_POSTS)
        .sort("n", "account_id")
        .with_row_index("k")
    )
    cells = by_hour.join(table.select("account_id", "k"), on="account_id")
    hours = np.zeros((table.height, 24))
    hours[cells["k"].to_numpy(), cells["hour"].to_numpy()] = cells["n"].to_numpy()
    n = table["n"].to_numpy().astype(np.int64)
    days = fine.group_by(day=time.dt.date().cast(pl.Int32).cast(pl.Int64)).len().sort("day")
    return _Profiles(
        n, hours / n[:, np.newaxis], table["weekend"].to_numpy() / n, days["day"].to_numpy(),
        days["len"].to_numpy().astype(np.int64),
    )  # fmt: skip


def _measured(mine: _Profiles, pool: _Profiles, rng: np.random.Generator) -> tuple[object, ...]:
    some = np.linspace(0, mine.n.size - 1, min(mine.n.size, _MOST_MEMBERS)).astype(np.int64)
    drawn = _matched(mine.n[some], pool.n, rng)
    start, length = active_hours(mine.hours.mean(axis=0)[np.newaxis])
    usual = active_hours(np.stack([pool.hours[one].mean(axis=0) for one in drawn]))[1]
    hours = int(start[0]), int(length[0]), float(np.median(usual)), _rank(usual <= length[0])
    if mine.day[-1] - mine.day[0] < 7 * _WEEKS:
        return *hours, None, None, None, None
    share, shares = float(mine.weekend.mean()), pool.weekend[drawn].mean(axis=1)
    return *hours, share, float(np.median(shares)), _rank(shares <= share), quiet_days(mine, pool)


def active_hours(hours: Float64, /) -> tuple[Int64, Int64]:
    """Return where the shortest run of hours that holds nine tenths of the posts begins, and how long it is.

    Of several as short the one with most posts is taken, then the earliest. A run may go on past midnight.

    Parameters
    ----------
    hours
        float64[n, 24]; fractions of the posts by hour, which sum to 1 in each row.
    """
    until = np.concatenate([np.zeros((hours.shape[0], 1)), np.cumsum(np.tile(hours, 2), axis=1)], axis=1)
    start, length = np.zeros(hours.shape[0], np.int64), np.full(hours.shape[0], 24)
    # From long to short, so that what is written last is the shortest. Rounding must not make 0.9 fall short of itself.
    for n in range(23, 0, -1):
        held = until[:, n : n + 24] - until[:, :24]
        enough = held.max(axis=1) >= MOST - 1e-9
        start[enough], length[enough] = np.round(held, 12).argmax(axis=1)[enough], n
    return start, length


def _matched(n: Int64, pool: Int64, rng: np.random.Generator) -> Int64:
    """Draw, for each member of so many posts, accounts of the pool (sorted by posts) that have about as many."""
    first, width = as_active(n, pool)
    drawn: Int64 = first + rng.integers(0, width, (DRAWS, n.size))
    return drawn


def as_active(n: Int64, pool: Int64, /) -> tuple[Int64, int]:
    """Return which of a pool's accounts post as much as each of some others.

    Parameters
    ----------
    n
        int64[m]; posts of the others.
    pool
        int64[p]; posts of the pool's accounts, ascending.

    Returns
    -------
    int64[m] and int
        The first of them for each, and how many there are from it on: twenty, or the whole pool.
    """
    return nearest_in(pool, n, n=_NEAREST)


def _rank(as_few: Bool) -> float:
    """Return the chance of a draw like the cluster or beyond, the cluster itself counted as one."""
    return (1 + int(as_few.sum())) / (1 + as_few.size)


def quiet_days(mine: _Profiles, pool: _Profiles, /) -> list[str]:
    """Return the days with at most a tenth of the cluster's posts of its usual such weekday, as on a day off.

    The usual number is the median, ten posts or more; the others have to have half of theirs on that day. No country's
    holidays are looked up.
    """
    days = np.arange(mine.day[0], mine.day[-1] + 1)
    own, theirs = _by_day(mine, days), _by_day(pool, days)
    quiet = np.zeros(days.size, np.bool_)
    for weekday in range(7):
        on = np.flatnonzero(days % 7 == weekday)
        usual, of_others = np.median(own[on]), np.median(theirs[on])
        quiet[on] = (usual >= LEAST_A_DAY) & (own[on] <= _QUIET * usual) & (theirs[on] >= _LOUD * of_others)
    return [str(day) for day in days[quiet][:_SHOWN].astype("datetime64[D]").tolist()]


def _by_day(of: _Profiles, days: Int64) -> Int64:
    counts = np.zeros(days.size, np.int64)
    inside = (of.day >= days[0]) & (of.day <= days[-1])
    counts[of.day[inside] - days[0]] = of.count[inside]
    return counts
