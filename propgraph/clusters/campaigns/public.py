"""What accounts in no cluster do at the hours, and with the objects, of gatherings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from propgraph.arrays.types import Float64, Int64
from propgraph.clusters.campaigns.gatherings import HOUR_MS
from propgraph.study import Study

#: Half a day (ms): what lies further off is another day's.
HALF_DAY_MS = 12 * HOUR_MS
_DOUBT = 20.0  # posts that the usual hours of a day weigh as much as


@dataclass(frozen=True)
class Public:
    """The shares of accounts in no cluster.

    Attributes
    ----------
    hours
        float64[24]; the part of them in each hour of the day (UTC), 0..1.
    first
        The first hour of `by_hour`, in hours since 1970.
    by_hour
        int64; sums over the hours: `by_hour[k]` shares lie before hour `first + k`.
    objects
        `object` (code), `time` (ms) of those of certain objects, in this order.
    """

    hours: Float64
    first: int
    by_hour: Int64
    objects: pl.DataFrame

    def usual(self, start: int, end: int, /) -> float:
        """Return which part (0..1) of a usual day's shares lies in the hours from `start` to `end` (ms)."""
        low, high = start // HOUR_MS, end // HOUR_MS
        if high - low >= 23:
            return 1.0
        return float(self.hours[np.arange(low, high + 1) % 24].sum())

    def busy(self, start: int, end: int, /) -> float:
        """Return how many times as many shares lie in these hours as their usual part of that day's, at least 1."""
        usual = self.usual(start, end)
        middle = (start + end) // 2
        here = self._count(start // HOUR_MS, end // HOUR_MS)
        day = self._count((middle - HALF_DAY_MS) // HOUR_MS, (middle + HALF_DAY_MS) // HOUR_MS)
        return max(1.0, (here + _DOUBT * usual) / (max(day, here) + _DOUBT) / usual)

    def _count(self, low: int, high: int) -> int:
        ends = np.clip([low - self.first, high + 1 - self.first], 0, self.by_hour.size - 1)
        return int(self.by_hour[ends[1]] - self.by_hour[ends[0]])


def public_of(study: Study, members: pl.DataFrame, objects: pl.DataFrame, /, *, traces: list[str]) -> Public:
    """Return what accounts in no cluster share.

    Parameters
    ----------
    study
        The study.
    members
        `account_id` of all members of all clusters.
    objects
        `object` (code), `trace`, `object_id`: those whose shares are wanted one by one.
    traces
        The traces of the network.
    """
    shares = (
        study.scan("shares")
        .filter(pl.col("trace").is_in(traces))
        .join(members.lazy().select("account_id"), on="account_id", how="anti")
    )
    time = pl.col("timestamp").dt.timestamp("ms")
    hour = (time // HOUR_MS).alias("hour")
    counts = shares.group_by(hour).len().collect().sort("hour")
    at, n = counts["hour"].to_numpy(), counts["len"].to_numpy().astype(np.int64)
    # One share in each hour of the day more: no hour is one in which nobody ever posts.
    hours = np.bincount(at % 24, weights=n, minlength=24) + 1.0
    first = int(at[0]) if at.size else 0
    series = np.bincount(at - first, weights=n).astype(np.int64) if at.size else np.empty(0, np.int64)
    wanted = (
        shares.join(objects.lazy(), on=["trace", "object_id"])
        .select("object", time=time)
        .collect()
        .sort("object", "time")
    )
    return Public(hours / hours.sum(), first, np.concatenate([[0], np.cumsum(series)]), wanted)
