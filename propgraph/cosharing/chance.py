"""The time-permutation null: co-shares expected if posting times were permuted within each object.

The null keeps each object's popularity curve and every count, and loses synchrony alone: a breaking story that
brings hundreds of strangers within a minute explains its own co-shares.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from propgraph.arrays.holdings import holdings_of, sums_over_shared
from propgraph.arrays.incidence import Incidence
from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import Float64, Int64


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
    shared, `p_value` the Poisson tail at `n_objects` or more, an upper bound from one above the mean on for a
    sum of unequal chances (Hoeffding 1956).

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
    # scipy takes longer to load than most commands take to find what is wrong with their arguments.
    from scipy.special import pdtrc  # noqa: PLC0415

    within = _within_fraction(log.offsets, log.time, window_ms)
    held = holdings_of(log, parts=True)
    n_shared, expected = sums_over_shared(
        held, held.posts, source=source, target=target, chance=within, threads=threads
    )
    if log.whole.size:
        held = holdings_of(log)
        n_shared, _ = sums_over_shared(held, held.posts, source=source, target=target, threads=threads)
    # pdtrc(k, m) is P(X > k); guard the mean against rounding below zero.
    p_value = pdtrc(n_objects - 1, np.maximum(expected, 1e-300))
    return Chance(n_shared, expected, np.minimum(p_value, 1.0))


@kernel
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
        # The posts before p and within the window of it are `low:p`: times rise, so `low` never goes back, and each
        # pair counts once, at its later post.
        for p in range(begin, end):
            while time[p] - time[low] > window_ms:
                low += 1
            pairs += p - low
        fraction[o] = pairs / (n * (n - 1) / 2)
    return fraction
