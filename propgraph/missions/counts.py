"""What is counted at objects, and how soon the last come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from propgraph.arrays.incidence import Incidence
from propgraph.arrays.types import Float64, Int64
from propgraph.missions.spikes import reach_of

_LATE = 0.9  # where the last tenth of the posts begins
_COMPARED = 300  # other objects of like size, at most


@dataclass(frozen=True)
class Counts:
    """What is counted at some objects of a trace.

    Attributes
    ----------
    trace, log
        The trace, and its shares.
    counted
        `members`, `accounts` or `posts`.
    objects, counts
        int64[n]; the objects, ascending, and what is counted at each.
    sizes
        int64; how large each object of the trace is, in posts where these are counted, else in accounts.
    group, cluster
        The group of each account, and the one whose accounts count; None where everybody's do.
    """

    trace: str
    log: Incidence
    counted: str
    objects: Int64
    counts: Int64
    sizes: Int64
    group: Int64 | None = None
    cluster: int = -1

    def rows(self, k: int, /) -> Int64:
        """Return the rows of the log that count at an object, by time."""
        begin, end = self.log.offsets[self.objects[k] : self.objects[k] + 2]
        rows = np.arange(begin, end)
        return rows if self.group is None else rows[self.group[self.log.account[begin:end]] == self.cluster]

    def accounts_of(self, at: Int64, /) -> Sequence[Int64]:
        """Return the distinct accounts that count at each of these objects."""
        return [np.unique(self.log.account[self.rows(k)]).astype(np.int64) for k in at.tolist()]

    def tails(self, at: Int64, value: int, /) -> tuple[float | None, float | None]:
        """Return `tail_shares` of these objects, and of the log's others of like size, medians."""
        offsets, time = self.log.offsets, self.log.time
        like = np.abs(self.sizes - value) <= reach_of(value)
        like[self.objects[at]] = False
        others = [time[offsets[o] : offsets[o + 1]] for o in np.flatnonzero(like)[:_COMPARED].tolist()]
        return _median(tail_shares([time[self.rows(k)] for k in at.tolist()])), _median(tail_shares(others))


def tail_shares(times: Sequence[Int64], /) -> Float64:
    """Return which part (0..1) of the time from the first post to the last the last tenth of the posts takes.

    Interest fades, and the last come late; where posts are called off at a count, the last come as the others did.

    Parameters
    ----------
    times
        For each object its times (ms), ascending; NaN is returned for those of one moment.
    """
    first = np.array([one[0] for one in times], np.float64)
    late = np.array([one[int(_LATE * (one.size - 1))] for one in times], np.float64)
    last = np.array([one[-1] for one in times], np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(last > first, (last - late) / (last - first), np.nan)


def _median(values: Float64) -> float | None:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if known.size else None
