"""One count at which more objects stop than steady attendance leaves there.

Counts that nobody plans are smooth: 24 comes about as often as 23 or 25. A crew that stops at 24 leaves a spike there
(bunching, as economists call it). Two innocent crowds leave one, too: one of which all come each time, and one of which
the same come each time. So a spike is held against how steady a count is where each account comes or not by itself,
given how alike the objects' accounts are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from propgraph.arrays.p_values import binomial_tail
from propgraph.arrays.types import Int64

#: From this count on a value is fine enough to stand out, and so many objects have to share it.
LEAST_COUNT, LEAST_OBJECTS = 10, 5
#: Neighbours of a count are those at most this fraction below or above.
NEIGHBOURS = 0.2
_COMPARED = 300  # objects between which likeness is measured, at most
_HOPELESS = 0.01  # beyond this tail even the least steady attendance explains it


@dataclass(frozen=True)
class Spike:
    """A count at which more objects stop than at those near it.

    Attributes
    ----------
    value
        The count.
    at, near
        int64; rows of the objects with this count, and of those with a neighbouring one, these included.
    expected
        Objects that steady attendance would leave at the count at most.
    p_value
        Binomial tail, 0..1, of this one count: before the others that were looked at are reckoned with.
    """

    value: int
    at: Int64
    near: Int64
    expected: float
    p_value: float


def surest_spike(counts: Int64, accounts_of: Callable[[Int64], Sequence[Int64]], /) -> Spike | None:
    """Return the count that stands out most surely, the lowest of several; None without any. See `spikes`."""
    return min(spikes(counts, accounts_of), key=lambda spike: spike.p_value, default=None)


def spikes(counts: Int64, accounts_of: Callable[[Int64], Sequence[Int64]], /) -> Iterator[Spike]:
    """Go through the counts, from 10 on and of five objects or more, that stand out at all.

    The objects at a count are held against those at most a fifth away: their number is binomial, with the chance that
    `chance_of` gives to the likeliest count of a steady attendance, or with the fraction at the most frequent other
    count, if that is more (where all post twice, every second count is empty). The count just below and the one just
    above are left out of that, for a crew overshoots. What one in a hundred would be even if nobody came steadily is
    left out.

    Parameters
    ----------
    counts
        int64[n_objects]; objects of no count, 0, are no neighbours either.
    accounts_of
        Takes rows, and returns the distinct accounts of each of these objects.

    References
    ----------
    Kleven, "Bunching", Annual Review of Economics 8 (2016).
    """
    values, frequency = np.unique(counts[counts > 0], return_counts=True)
    for k in np.flatnonzero((values >= LEAST_COUNT) & (frequency >= LEAST_OBJECTS)).tolist():
        value, n_at, reach = int(values[k]), int(frequency[k]), reach_of(int(values[k]))
        begin, end = np.searchsorted(values, [value - reach, value + reach + 1])
        others = frequency[begin:end][np.abs(values[begin:end] - value) > 1]
        n_near, usual = int(frequency[begin:end].sum()), int(others.max(initial=0))
        chance = max(1 / (2 * reach + 1), usual / n_near)
        if _tail(n_at, n_near, chance) > _HOPELESS:
            continue
        at = np.flatnonzero(counts == value)
        chance = max(chance, chance_of(value, steady_variance(value, at, accounts_of)))
        near = np.flatnonzero(np.abs(counts - value) <= reach)
        yield Spike(value, at, near, chance * n_near, _tail(n_at, n_near, chance))


def reach_of(value: int, /) -> int:
    """Return how far from a count its neighbours go."""
    return max(1, int(NEIGHBOURS * value))


def steady_variance(value: int, at: Int64, accounts_of: Callable[[Int64], Sequence[Int64]], /) -> float:
    """Return the variance of a count if each account came or not by itself, from how alike objects' accounts are.

    If account i comes with chance p_i, the count has the mean sum p_i and the variance sum p_i (1 - p_i), and two
    objects have sum p_i² accounts in common: the variance is the mean less what two objects have in common. Of each
    object the one most like it is taken, and of these figures the median: where crews come in turn, each always the
    same, the count is as steady as their own objects are alike.

    Parameters
    ----------
    value
        The count.
    at
        int64; rows of the objects with this count.
    accounts_of
        As in `spikes`.
    """
    sets = accounts_of(at[:_COMPARED])
    size = np.array([one.size for one in sets])
    accounts, column = np.unique(np.concatenate(sets), return_inverse=True)
    there = np.zeros((len(sets), accounts.size), np.float32)
    there[np.repeat(np.arange(len(sets)), size), column] = 1.0
    common = there @ there.T
    # No object is its own like.
    np.fill_diagonal(common, 0.0)
    return value * (1.0 - float(np.median(common.max(axis=1) / size)))


def chance_of(value: int, variance: float, /) -> float:
    """Return the chance (0..1) of the likeliest count near `value`: a normal count, cut to the neighbours.

    The wider it spreads, the nearer it comes to one over their number; without any spread it is 1.
    """
    if variance <= 0.0:
        return 1.0
    scale = 1.0 / math.sqrt(2.0 * variance)
    return math.erf(0.5 * scale) / math.erf((reach_of(value) + 0.5) * scale)


def _tail(k: int, n: int, chance: float) -> float:
    return float(binomial_tail(np.array([k]), np.array([n]), np.array([chance]))[0])
