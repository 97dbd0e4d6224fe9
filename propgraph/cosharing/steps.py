"""The truncated product of probabilities that come in steps, as those of ranks do.

No two posts of a hundred can be rarer than 2 in 100, and two objects at their rarest look to the law of uniform
probabilities (`combine.truncated_product`) as if they could have been rarer still: .0055, where chance brings that
about in .0004. So here the sum's own distribution is built, object by object, from the gaps that there are.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from propgraph.cosharing.combine import Float64
from propgraph.cosharing.gaps import chance_at
from propgraph.cosharing.incidence import Int64

#: Parts into which the sum is cut; what is smaller is rounded so that chance is never told as too small.
PARTS = 128
#: Parts that tell whether it is worth that.
FEW_PARTS = 16
#: Objects beyond which the law of uniform probabilities is near enough.
MOST = 256

_TINY = 1e-280  # smaller numbers lose their digits
_SAME = 1e-9  # logarithms that are the same


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def stepped_tail(
    objects: Int64,
    ways: Int64,
    offsets: Int64,
    counted: Int64,
    chance: Float64,
    tau: float,
    total: float,
    parts: int,
    up: bool,
) -> float:
    """Return a bound of ln P(sum of -ln(p / tau) over the p at or under tau >= `total`), 0 where there is none.

    Of each object p is `ways` times P(gap <= g), and its own chance is at most itself. Each -ln(p / tau) is rounded
    up to a multiple of total / parts; the rounded sums are exact. Rounded down instead they are a bound from below:
    with few parts it tells soon which sums are not worth more.

    Parameters
    ----------
    objects, ways
        Those that were tested, and in how many ways the two accounts could have met over each.
    offsets, counted, chance
        Of the log and its `gaps.Gaps`.
    tau
        0 < tau < 1.
    total
        The sum that was found.
    parts
        Parts into which it is cut.
    up
        Round up: a bound from above.
    """
    if total <= 0.0 or objects.size > MOST:
        return 0.0
    part = total / parts
    sums = np.zeros(parts)  # the chance of each sum below the total
    sums[0] = 1.0
    least = np.empty(parts + 1)  # P(at least so many parts)
    reached = 0.0
    for i in range(objects.size):
        o = objects[i]
        n = offsets[o + 1] - offsets[o]
        least[0] = 1.0
        gap = n - 1
        for b in range(1, parts + 1):
            bound = tau * (
                math.exp(-(b - 1) * part) * (1 - _SAME) if up else math.exp(-b * part) * (1 + _SAME)
            )
            gap = _largest_gap(gap, bound / ways[i], o, n, counted, chance)
            least[b] = ways[i] * chance_at(gap, o, n, counted, chance) if gap > 0 else 0.0
        highest = parts if i else 1  # before the first object the sum is nought
        longer = np.zeros(parts)
        for s in range(highest):
            if sums[s] > 0:
                reached += sums[s] * least[parts - s]
                for b in range(parts - s):
                    longer[s + b] += sums[s] * (least[b] - least[b + 1])
        sums = longer
    if reached > _TINY:
        return min(math.log(reached), 0.0)
    return 0.0 if up else -math.inf


@njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator]
def _largest_gap(highest: int, bound: float, object_: int, n: int, counted: Int64, chance: Float64) -> int:
    """Return the largest gap, `highest` at most, whose chance is at most `bound`; 0 is always one."""
    low = 0
    while low < highest:
        middle = (low + highest + 1) // 2
        if chance_at(middle, object_, n, counted, chance) <= bound:
            low = middle
        else:
            highest = middle - 1
    return low
