"""When a clock is off by how much: stretches of time with one offset each, and steps at summer time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from propgraph.arrays.types import Int64
from propgraph.clocks.peaks import QUARTER_MS, find_peaks, nearest

_DAY_MS, _HOUR_MS = 86_400_000, 3_600_000
# A step has to explain so many differences more than staying does: a stretch within others needs twice as many.
_STEP_COSTS = 20
# Where clocks are put forward and back on one day each.
_ZONES = ("Europe/Berlin", "America/New_York", "Australia/Sydney", "America/Santiago", "Asia/Jerusalem")
_MOST_DAYS = 400
# Posts of other lags lie near either offset by chance.
_FEW = 5
_NONE = np.iinfo(np.int64).min


@dataclass(frozen=True)
class Stretch:
    """A stretch of time through which a clock is off by one offset.

    Attributes
    ----------
    offset
        How far it is ahead of the other, in quarters of an hour; negative: behind.
    start, stop
        When the stretch begins and ends by the clock that is off, ms since 1970 (the end is not in it); None where
        nothing earlier, or later, tells.
    n_objects, n_common
        Objects whose difference is near the offset, and all that both groups share, in the stretch.
    """

    offset: int
    start: int | None
    stop: int | None
    n_objects: int
    n_common: int


def find_stretches(time: Int64, difference: Int64, pair: Int64) -> list[Stretch]:
    """Return the stretches in order; none where there is no peak at all and so nothing is known.

    In each the offset with most differences counts, but none, where the differences have a peak at 0, too: a clock
    that is off is off for everybody, a timetable is not.

    Parameters
    ----------
    time
        When the group whose clock is looked at shared each object, by that clock: ms.
    difference, pair
        As `find_peaks` takes them, in the same order.
    """
    peaks = find_peaks(difference, pair)
    if not peaks.offset.size:
        return []
    order = np.lexsort((pair, difference, time))
    time, difference, pair = time[order], difference[order], pair[order]
    offsets = np.union1d(peaks.offset, [0])
    quarter, near = nearest(difference)
    hit = near & np.isin(quarter, offsets)
    runs = _runs(time[hit], quarter[hit], pair[hit], offsets)
    bounds = [0, *np.searchsorted(time, [start for start, _ in runs[1:]]).tolist(), time.size]
    settled: list[tuple[int | None, int]] = []
    for k, (start, most) in enumerate(runs):
        part = slice(bounds[k], bounds[k + 1])
        offset = 0 if 0 in find_peaks(difference[part], pair[part]) else most
        if not settled or settled[-1][1] != offset:
            settled.append((start if settled else None, offset))
    near_one = np.where(near, quarter, _NONE)
    stops = [*(start for start, _ in settled[1:]), None]
    return [
        _stretch(offset, start, stop, time=time, quarter=near_one)
        for (start, offset), stop in zip(settled, stops, strict=True)
    ]


def _stretch(offset: int, start: int | None, stop: int | None, *, time: Int64, quarter: Int64) -> Stretch:
    first = 0 if start is None else int(np.searchsorted(time, start))
    last = time.size if stop is None else int(np.searchsorted(time, stop))
    return Stretch(offset, start, stop, int((quarter[first:last] == offset).sum()), last - first)


def _runs(time: Int64, quarter: Int64, pair: Int64, offsets: Int64) -> list[tuple[int, int]]:
    """Return when each run of one offset begins (ms), and its offset (quarters of an hour)."""
    day, label = time // _DAY_MS, np.searchsorted(offsets, quarter)
    votes = np.unique(
        np.stack([day, label, pair]), axis=1
    )  # a pair of accounts has one vote a day for an offset
    days, place = np.unique(votes[0], return_inverse=True)
    counts = np.zeros((days.size, offsets.size), np.int64)
    np.add.at(counts, (place, votes[1]), 1)
    path = _best_path(counts)
    steps = np.flatnonzero(path[1:] != path[:-1]) + 1
    runs = [(int(time[0]), int(offsets[path[0]]))]
    # Days tell roughly where the step is; between the steps before and after, it is where fewest differences object.
    edges = [*np.searchsorted(day, days[steps]).tolist(), time.size]
    for s, stop in zip(steps.tolist(), edges[1:], strict=True):
        around = slice(int(np.searchsorted(time, runs[-1][0])), stop)
        old, new = int(path[s - 1]), int(path[s])
        start = _step(
            time[around], np.where(label[around] == new, -1, label[around] == old), int(offsets[old])
        )
        runs.append((start, int(offsets[new])))
    return runs


def _best_path(counts: Int64) -> Int64:
    """Return the offset (its place) of each day: as many votes for it as can be had, a step costing `_STEP_COSTS`."""
    n_days, n_offsets = counts.shape
    came_from = np.zeros((n_days, n_offsets), np.int64)
    best = counts[0].copy()
    # At the top `best` is the worth of the best path up to the day before that ends at each offset.
    for d in range(1, n_days):
        top = int(best.argmax())
        stay = best >= best[top] - _STEP_COSTS
        came_from[d] = np.where(stay, np.arange(n_offsets), top)
        best = np.where(stay, best, best[top] - _STEP_COSTS) + counts[d]
    path = np.empty(n_days, np.int64)
    path[-1] = best.argmax()
    for d in range(n_days - 1, 0, -1):
        path[d - 1] = came_from[d, path[d]]
    return path


def _step(time: Int64, vote: Int64, old_offset: int) -> int:
    """Return when a step is made (ms): where most of the old lie before it and of the new after.

    Where no more than a few object to it, it is where some zone puts its clocks forward or back, else half way between
    two votes. Votes are 1 for the old, -1 for the new, else 0.
    """
    time, vote = time[vote != 0], vote[vote != 0]
    for_old = np.cumsum(vote)[:-1]  # how good a step is after each vote but the last
    good = np.flatnonzero(for_old >= for_old.max() - _FEW)
    for change in _zone_changes(int(time[good[0]]), int(time[good[-1] + 1]), old_offset * QUARTER_MS):
        if np.isin(np.searchsorted(time, change) - 1, good):
            return change
    best = int(for_old.argmax())
    return int(time[best] + time[best + 1] + 1) // 2


def _zone_changes(first: int, last: int, offset: int) -> list[int]:
    """Return when zones change their offset from the first time to the last (ms, by a clock so far ahead of UTC).

    Those of the zones named first in `_ZONES` come first, for most logs are by their clocks.
    """
    start = datetime.fromtimestamp((first - offset) // _HOUR_MS * _HOUR_MS / 1000, UTC)
    n_hours = min((last - first) // _HOUR_MS + 2, 24 * _MOST_DAYS)
    hours = [start + timedelta(hours=k) for k in range(n_hours + 1)]
    changes: list[datetime] = []
    for name in _ZONES:
        try:
            shown = [hour.astimezone(ZoneInfo(name)).utcoffset() for hour in hours]
        except ZoneInfoNotFoundError:  # a system without its data
            continue
        changes += [
            hour for hour, own, before in zip(hours[1:], shown[1:], shown, strict=False) if own != before
        ]
    return [round(hour.timestamp() * 1000) + offset for hour in changes]
