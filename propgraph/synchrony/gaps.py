"""How near two posts of an object stand, and how seldom chance puts them so near.

Within an object the posts stand in order of time. The **gap** of two posts is the difference of their
positions; with ties, it is the largest that any order of the tied posts could give: from the first post
tied with the earlier to the last tied with the later. If the object's accounts were dealt at random to its
posts, two given posts are any two of its n with equal chance, so that

    P(gap <= g) = (pairs of posts with a gap of g or less) / (n (n - 1) / 2)

exactly, whatever the object's burst looks like; without ties the pairs are g n - g (g + 1) / 2. Only order
counts: neither a window nor a law of delays is assumed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from propgraph.arrays.grids import TOGETHER_MS, common_times
from propgraph.arrays.incidence import Incidence
from propgraph.arrays.kernels import inlined, kernel
from propgraph.arrays.types import Float64, Int64

_COUNTED = 256  # gaps whose pairs are counted one by one where posts are tied, and four times the largest tie
_LARGEST_TIE = 1_000  # posts of one time beyond which they are not compared with each other


@dataclass(frozen=True)
class Gaps:
    """What gaps mean in each object of a log.

    Attributes
    ----------
    first, last
        int64[n_shares]; the first and last position of the posts of the same object and time.
    counted
        int64[n_objects + 1]; where each object's part of `chance` begins. Empty parts have no ties.
    chance
        float64; P(gap <= g), 0..1, at `counted[o] + g` for the gaps that were counted.
    limit
        int64[n_objects]; the largest gap that is looked at: its chance is at most tau, and hardly more than
        `neighbours` posts lie between.
    least
        float64[n_objects]; the smallest chance that any two posts of the object can have; 2 without a pair.
    """

    first: Int64
    last: Int64
    counted: Int64
    chance: Float64
    limit: Int64
    least: Float64


def gaps_of(log: Incidence, /, *, tau: float, neighbours: int) -> Gaps:
    """Return what gaps mean in each object of `log`.

    Posts are in the order, and tied, by times that can be compared: an object's coarsest, up to 10 s (see `grids`).
    Where posts are tied, pairs are counted up to a gap of 256 and four times the largest tie; beyond, the law
    without ties stands in, which is never smaller.

    Parameters
    ----------
    log
        All shares of the trace, posts of an object of one kind (see `grids.split`).
    tau
        Chance (0..1) up to which a gap counts as near.
    neighbours
        Posts between which a gap is looked at, at most; ties of up to a thousand posts are seen all the same.
    """
    first, last, largest = _ties(log.offsets, common_times(log, limit_ms=TOGETHER_MS))
    n = np.diff(log.offsets)
    reach = np.minimum(_largest_gap(n, tau), _COUNTED) + 4 * np.minimum(largest, _LARGEST_TIE)
    length = np.where(largest > 1, np.minimum(reach, n - 1) + 1, 0)
    counted = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
    chance = _count(log.offsets, first, last, counted)
    cap = np.maximum(neighbours, np.minimum(2 * largest, _LARGEST_TIE))
    limit, least = _limits(n, counted, chance, tau, cap)
    return Gaps(first, last, counted, chance, limit, least)


@inlined
def untied(gap: int, n: int) -> float:
    """Return P(gap <= `gap`) among `n` posts, no two of one time."""
    return gap * (2.0 * n - gap - 1.0) / (n * (n - 1.0))


@inlined
def chance_at(gap: int, object_: int, n: int, counted: Int64, chance: Float64) -> float:
    """Return P(gap <= `gap`) in an object of `n` posts."""
    place = counted[object_] + gap
    return float(chance[place] if place < counted[object_ + 1] else untied(gap, n))


@kernel
def _largest_gap(n: Int64, tau: float) -> Int64:
    """Return the largest gap whose chance without ties is at most tau."""
    largest = np.zeros(n.size, np.int64)
    for o in range(n.size):
        if n[o] < 2:
            continue
        gap = int(tau * n[o] / 2)
        # The guess is near enough that both loops together take a step or two; the chance rises with the gap.
        while gap + 1 < n[o] and untied(gap + 1, n[o]) <= tau:
            gap += 1
        while gap > 0 and untied(gap, n[o]) > tau:
            gap -= 1
        largest[o] = gap
    return largest


@kernel
def _ties(offsets: Int64, time: Int64) -> tuple[Int64, Int64, Int64]:
    """Return the first and last position of each post's tie, and the largest tie of each object."""
    first, last = np.empty(time.size, np.int64), np.empty(time.size, np.int64)
    largest = np.zeros(offsets.size - 1, np.int64)
    for o in range(offsets.size - 1):
        begin = offsets[o]
        # Posts stand in order of time: at the top `begin` is the first post of a tie, which may be of one post.
        while begin < offsets[o + 1]:
            end = begin
            while end + 1 < offsets[o + 1] and time[end + 1] == time[begin]:
                end += 1
            first[begin : end + 1] = begin
            last[begin : end + 1] = end
            largest[o] = max(largest[o], end + 1 - begin)
            begin = end + 1
    return first, last, largest


@kernel
def _count(offsets: Int64, first: Int64, last: Int64, counted: Int64) -> Float64:
    """Count the pairs by gap in the objects with ties, tie by tie."""
    chance = np.zeros(counted[-1], np.float64)
    for o in range(offsets.size - 1):
        part = chance[counted[o] : counted[o + 1]]
        if part.size == 0:
            continue
        n = offsets[o + 1] - offsets[o]
        begin = offsets[o]
        # From tie to tie: all pairs of its own posts have its whole length as their gap.
        while begin < offsets[o + 1]:
            end = last[begin]
            size = end + 1 - begin
            if size > 1 and end - begin < part.size:
                part[end - begin] += size * (size - 1) / 2
            later = end + 1
            # Then with each later tie: the gap reaches from the first post of this one to the last of that, and only
            # grows on the way, so the first too large for the part ends the walk.
            while later < offsets[o + 1] and last[later] - begin < part.size:
                part[last[later] - begin] += size * (last[later] + 1 - later)
                later = last[later] + 1
            begin = end + 1
        total = 0.0
        # From counts at each gap to chances up to it.
        for gap in range(part.size):
            total += part[gap]
            part[gap] = total / (n * (n - 1) / 2)
    return chance


@kernel
def _limits(n: Int64, counted: Int64, chance: Float64, tau: float, cap: Int64) -> tuple[Int64, Float64]:
    """Return the largest gap that is looked at in each object, and the least chance that any two of its posts have."""
    limit, least = np.zeros(n.size, np.int64), np.full(n.size, 2.0)
    for o in range(n.size):
        # Chances rise with the gap: the first above 0 is the least, and the first above tau ends the search.
        for gap in range(1, n[o]):
            p = chance_at(gap, o, n[o], counted, chance)
            if p > 0:
                least[o] = min(least[o], p)
            if p > tau or gap > cap[o]:
                break
            limit[o] = gap
        # Where nothing can be near, nothing is looked at, not even gaps of chance 0, which no two posts have.
        if least[o] > tau:
            limit[o] = 0
    return limit, least
