"""How fine a study's times are: whole days, hours, minutes, seconds or milliseconds."""

from __future__ import annotations

import numpy as np
import polars as pl

#: What each unit lasts, in seconds, the coarsest first.
UNITS = {"day": 86_400.0, "hour": 3600.0, "minute": 60.0, "second": 1.0, "millisecond": 0.001}
#: Fewer posts than that may well stand at whole minutes by chance, or be few acts of one tool.
ENOUGH_POSTS = 50
_NEARLY_ALL = 0.99
# Clocks of the world differ by whole quarters of an hour, so a whole day or hour of one of them ends there.
_QUARTER_MS = 900_000
_SAME = {
    "day": "on the same day",
    "hour": "in the same hour",
    "minute": "in the same minute",
    "second": "in the same second",
}


def find_resolution(posts: pl.DataFrame, /) -> float | None:
    """Return the coarsest unit of which nearly all times are multiples.

    Parameters
    ----------
    posts
        `content_id`, and `timestamp` (`schema.TIME`); posts of several rows count once.

    Returns
    -------
    float or None
        Seconds: 86400, 3600, 60, 1 or 0.001, whichever is the coarsest of which 99 % of the times are
        multiples. Days and hours may be those of any zone, days also of one with summer time. None where
        fewer than `ENOUGH_POSTS` posts cannot tell.
    """
    if posts.height < ENOUGH_POSTS:
        return None
    once = posts.select("content_id", "timestamp").unique("content_id", keep="first", maintain_order=True)
    ms = once["timestamp"].dt.timestamp("ms").to_numpy()
    if ms.size < ENOUGH_POSTS:
        return None
    least = _NEARLY_ALL * ms.size
    return next((s for s in UNITS.values() if _n_whole(ms, round(s * 1000)) >= least), None)


def _n_whole(ms: np.ndarray[tuple[int], np.dtype[np.int64]], unit: int) -> int:
    """Return how many times are whole units, in the zone where most of them are."""
    after = ms % unit
    if unit <= 60_000:
        return int(np.count_nonzero(after == 0))
    found, counts = np.unique(after[after % _QUARTER_MS == 0], return_counts=True)
    by_offset = np.zeros(unit // _QUARTER_MS, np.int64)
    by_offset[found // _QUARTER_MS] = counts
    if unit > 3_600_000:
        # In summer the clock is an hour ahead: the same midnight an hour earlier.
        by_offset = by_offset + np.roll(by_offset, 4)
    return int(by_offset.max())


def unit_name(resolution_s: float, /) -> str:
    """Return the name of a unit of `UNITS`."""
    return next(name for name, seconds in UNITS.items() if seconds == resolution_s)


def told_apart(time_window: float, resolution_s: float | None, /) -> str:
    """Return in words how near two posts in the window are: `within 60 s`, or `on the same day`.

    Parameters
    ----------
    time_window
        Seconds.
    resolution_s
        How fine the times are, in seconds; None or 0 where nobody knows.
    """
    if resolution_s and resolution_s >= 1 and time_window < resolution_s:
        return _SAME[unit_name(resolution_s)]
    return f"within {time_window:g} s"


def coarse_note(time_window: float, resolution_s: float | None, /) -> str | None:
    """Return what a user has to know of a window (s) that is not wider than the times are fine, else None."""
    if resolution_s is None or resolution_s < 1 or time_window > resolution_s:
        return None
    name = unit_name(resolution_s)
    same = _SAME[name]
    if time_window == resolution_s:
        same += " or on the next" if name == "day" else f" or in {name}s next to each other"
    finer = "" if name == "second" else "; flags that need finer times (within-seconds, for one) are left out"
    return (
        f"times are whole {name}s: a window of {time_window:g} s cannot tell anything finer, and takes two posts "
        f"{same} for a co-share{finer}"
    )
