"""At which whole quarters of an hour the differences of two groups' times pile up as only one hand or one tool does it.

People and tools that post one thing in two places do it within seconds. Where the two places' clocks differ, by what
time zones differ by, these seconds are found a whole number of quarters of an hour away from zero. So the offset of
two clocks is where differences of first shares have a sharp peak: many more within a minute of it than around it, and
than within a minute of the offsets beside it. A lag of people has no such peak; posts made by a timetable have one at
every quarter of an hour.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from propgraph.arrays.types import Bool, Float64, Int64

QUARTER_MS = 900_000
#: Differences this near an offset count for it; times that are coarser are not compared.
NEAR_MS = 60_000
#: Clocks differ by at most that, in quarters of an hour: 14 h.
FARTHEST = 56
#: An offset needs so many objects.
LEAST_OBJECTS = 20
#: Of all offsets together, the chance of one such peak.
MOST_P = 0.001
# So many times as many as around, and as at the others.
_LEAST_RATIO = 3.0
# The others: whole hours and quarters of an hour on both sides. Timetables have peaks at either.
_BESIDE = (np.array([-12, -8, -4, 4, 8, 12]), np.array([-3, -2, -1, 1, 2, 3]))
_REACH = FARTHEST + 12
# The places of the offsets among all that are counted, and the fraction of a quarter of an hour that is near one.
_AT = np.arange(-FARTHEST, FARTHEST + 1) + _REACH
_NEAR = (2 * NEAR_MS + 1) / QUARTER_MS


@dataclass(frozen=True)
class Peaks:
    """Offsets with a peak.

    Attributes
    ----------
    offset
        Quarters of an hour, ascending.
    n_objects
        Objects whose difference is near each.
    p_value
        The chance of such a peak at any offset.
    """

    offset: Int64
    n_objects: Int64
    p_value: Float64

    def __contains__(self, offset: int) -> bool:
        return bool((self.offset == offset).any())


def nearest(difference: Int64, /) -> tuple[Int64, Bool]:
    """Return of each difference (ms) the next whole quarter of an hour, and whether it is near it."""
    quarter = (difference + QUARTER_MS // 2) // QUARTER_MS
    return quarter, np.abs(difference - quarter * QUARTER_MS) <= NEAR_MS


def find_peaks(difference: Int64, pair: Int64, /) -> Peaks:
    """Return the offsets at which differences have a sharp peak.

    Each offset is compared with the rest of its quarter of an hour, with the whole hours and with the quarters of an
    hour next to it (without the largest of either, which may be another offset of the same clock, in summer): by
    objects three times as many are needed, and by a binomial test of pairs of accounts, each of which counts once at
    an offset, so that one account that repeats another's posts by a timetable makes no peak. Bonferroni's correction
    is over the 113 offsets.

    Parameters
    ----------
    difference
        Of each object, the time of one group's first share minus that of the other's, ms.
    pair
        The accounts of these two shares, as one number.
    """
    quarter, near = nearest(difference)
    told = np.abs(quarter) <= _REACH
    n_near, n_around = _counts(quarter[told & near]), _counts(quarter[told & ~near])
    n = n_near[_AT]
    usual = np.max(
        [n_around[_AT] * _NEAR / (1 - _NEAR), *(_others(n_near, of).mean(axis=1) for of in _BESIDE)], axis=0
    )
    enough = (n >= LEAST_OBJECTS) & (n >= _LEAST_RATIO * usual)
    if not enough.any():  # pairs of accounts take longer to count
        return Peaks(*(np.empty(0, np.int64),) * 2, np.empty(0))
    p = _p_values(_distinct(quarter, pair, told & near), _distinct(quarter, pair, told & ~near))
    found = enough & (p <= MOST_P)
    return Peaks(_AT[found] - _REACH, n[found], p[found])


def _p_values(near: Int64, around: Int64) -> Float64:
    """Return the chance of each offset's peak, by how many pairs of accounts are near each and around it."""
    n = near[_AT]
    p = [_at_least(n, n + around[_AT], _NEAR)]
    for steps in _BESIDE:
        others = _others(near, steps)
        p.append(_at_least(n, n + others.sum(axis=1), 1 / (1 + others.shape[1])))
    return np.asarray(np.minimum(1.0, np.max(p, axis=0) * _AT.size))


def _at_least(found: Int64, of: Int64, part: float) -> Float64:
    """Return P(X >= found) of a binomial."""
    # scipy takes longer to load than most commands take to find what is wrong with their arguments.
    from scipy.special import bdtrc  # noqa: PLC0415

    return np.asarray(bdtrc(found - 1.0, of, part))


def _counts(quarter: Int64) -> Int64:
    return np.bincount(quarter + _REACH, minlength=2 * _REACH + 1)


def _distinct(quarter: Int64, pair: Int64, there: Bool) -> Int64:
    """Return how many distinct pairs each offset has."""
    once = pl.DataFrame({"quarter": quarter[there], "pair": pair[there]}).unique()
    return _counts(once["quarter"].to_numpy())


def _others(counts: Int64, steps: Int64) -> Int64:
    """Return the counts at these steps from each offset, without the largest; shape (offsets, steps - 1)."""
    return np.sort(counts[_AT[:, None] + steps], axis=1)[:, :-1]
