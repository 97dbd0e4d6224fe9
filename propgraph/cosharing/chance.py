"""What chance would do: co-shares expected if times were permuted within each object.

Popularity curves and counts stay, only synchrony is lost: a breaking story that brings hundreds of
strangers within a minute explains its own co-shares.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy.special import pdtrc

from propgraph.cosharing.incidence import Incidence, Int32, Int64
from propgraph.encoding import grouped

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Chance:
    """For each edge: distinct objects both shared, those expected in the window, and the tail beyond."""

    n_shared: Int64
    expected: Float64
    p_value: Float64


def chance_of(
    log: Incidence, /, *, source: Int64, target: Int64, n_objects: Int64, window_ms: int, threads: int
) -> Chance:
    """Return what the objects' own bursts explain of each edge.

    For an object `o` of which two accounts made `i` and `j` of its posts, a fraction `f` of all pairs
    of its posts lies within the window; the accounts then co-share it by chance with probability
    `1 - (1 - f) ** (i * j)` (`f` itself for one post each). `expected` is the sum over the objects both
    shared, `p_value` the Poisson tail at `n_objects` or more, an upper bound above the mean for a sum
    of unequal chances (Hoeffding 1956).

    Parameters
    ----------
    log
        All shares of the trace.
    source, target, n_objects
        int64[n_edges]; account codes and distinct objects co-shared within the window.
    window_ms
        The window in milliseconds.
    threads
        At most so many at once.
    """
    within = _within_fraction(log.offsets, log.time, window_ms)
    start, position = grouped(log.account, len(log.accounts))
    first, object_, posts = _objects_of_accounts(start, position, log.object)
    n_shared, expected = _by_hub(
        source, target, first=first, object_=object_, posts=posts, within=within, threads=threads
    )
    # pdtrc(k, m) is P(X > k); guard the mean against rounding below zero.
    p_value = pdtrc(n_objects - 1, np.maximum(expected, 1e-300))
    return Chance(n_shared, expected, np.minimum(p_value, 1.0))


def _by_hub(
    source: Int64, target: Int64, *, first: Int64, object_: Int32, posts: Int32, within: Float64, threads: int
) -> tuple[Int64, Float64]:
    """Mark the objects of each edge's busier account once, then walk those of its neighbours."""
    degree = np.diff(first)
    swap = degree[target] > degree[source]
    hub, leaf = np.where(swap, target, source), np.where(swap, source, target)
    order = np.argsort(hub, kind="stable")
    hub, leaf = hub[order], leaf[order]
    work = np.concatenate([[0], np.cumsum(degree[leaf])])
    cuts = np.unique(np.searchsorted(work, np.linspace(0, work[-1], 4 * threads + 1)))
    cuts[-1] = hub.size
    if hub.size:
        cuts[0] = 0

    def run(k: int) -> tuple[Int64, Float64]:
        part = slice(int(cuts[k]), int(cuts[k + 1]))
        result: tuple[Int64, Float64] = _expected(hub[part], leaf[part], first, object_, posts, within)
        return result

    n_shared, expected = np.zeros(hub.size, np.int64), np.zeros(hub.size, np.float64)
    with ThreadPoolExecutor(threads) as pool:
        for k, (shared, mean) in enumerate(pool.map(run, range(len(cuts) - 1))):
            n_shared[order[cuts[k] : cuts[k + 1]]] = shared
            expected[order[cuts[k] : cuts[k + 1]]] = mean
    return n_shared, expected


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _within_fraction(offsets: Int64, time: Int64, window_ms: int) -> Float64:
    """Return for each object the fraction of all pairs of its posts that lie within the window."""
    fraction = np.zeros(offsets.size - 1, np.float64)
    for o in range(offsets.size - 1):
        begin, end = offsets[o], offsets[o + 1]
        n = end - begin
        if n < 2:
            continue
        low = begin
        pairs = 0
        for p in range(begin, end):
            while time[p] - time[low] > window_ms:
                low += 1
            pairs += p - low
        fraction[o] = pairs / (n * (n - 1) / 2)
    return fraction


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _objects_of_accounts(start: Int64, position: Int64, object_: Int32) -> tuple[Int64, Int32, Int32]:
    """Return each account's distinct objects and how many posts of each it made."""
    first = np.zeros(start.size, np.int64)
    distinct = np.empty(position.size, np.int32)
    posts = np.empty(position.size, np.int32)
    n = 0
    for a in range(start.size - 1):
        first[a] = n
        for k in range(start[a], start[a + 1]):
            o = object_[position[k]]
            if n > first[a] and distinct[n - 1] == o:
                posts[n - 1] += 1
            else:
                distinct[n] = o
                posts[n] = 1
                n += 1
    first[start.size - 1] = n
    return first, distinct[:n], posts[:n]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _expected(
    hub: Int64, leaf: Int64, first: Int64, object_: Int32, posts: Int32, within: Float64
) -> tuple[Int64, Float64]:
    n_shared = np.zeros(hub.size, np.int64)
    expected = np.zeros(hub.size, np.float64)
    marked = np.zeros(within.size, np.int32)
    current = np.int64(-1)
    for e in range(hub.size):
        if hub[e] != current:
            if current >= 0:
                for k in range(first[current], first[current + 1]):
                    marked[object_[k]] = 0
            current = hub[e]
            for k in range(first[current], first[current + 1]):
                marked[object_[k]] = posts[k]
        total = 0.0
        for k in range(first[leaf[e]], first[leaf[e] + 1]):
            o = object_[k]
            if marked[o] > 0:
                n_shared[e] += 1
                ways = marked[o] * posts[k]
                total += within[o] if ways == 1 else 1.0 - (1.0 - within[o]) ** ways
        expected[e] = total
    return n_shared, expected
