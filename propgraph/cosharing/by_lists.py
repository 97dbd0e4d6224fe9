"""What two accounts' lists of shares say of the pair: measured without walking a burst.

A pair that stands in bursts is measured over all that both shared, looked at together or not. The shorter list is
walked, and each of its objects is looked up in the longer one.
"""

from __future__ import annotations

import numpy as np

from propgraph.arrays.encoding import grouped
from propgraph.arrays.incidence import Incidence
from propgraph.arrays.kernels import inlined, kernel
from propgraph.arrays.types import Int32, Int64


@kernel
def measure_by_lists(
    a: int,
    others: Int32,
    row: Int64,
    start: Int64,
    position: Int64,
    offsets: Int64,
    object_: Int32,
    whole: Int32,
    time: Int64,
    fine_time: Int64,
    post: Int64,
    window_ms: int,
    fast_ms: int,
) -> None:
    """Fill n_events, n_objects, sum_ms, fast, first, last of account `a` and each of `others`, by their lists.

    The columns are those of `rows._measure`.
    """
    row[:, :] = 0
    for k in range(others.size):
        short, long = a, others[k]
        if start[short + 1] - start[short] > start[long + 1] - start[long]:
            short, long = long, short
        own, other = position[start[short] : start[short + 1]], position[start[long] : start[long + 1]]
        i = 0
        latest = -1  # the whole object of the latest meeting: parts of one stand together, and count once
        # At the top `i` is the first share of an object in the shorter list.
        while i < own.size:
            o = object_[own[i]]
            whole_object = whole[o] if whole.size else o
            low = np.searchsorted(other, offsets[o])
            end = offsets[o + 1]
            n_before = row[k, 2]
            # Both lists are in order of time within the object: what lies before p's window lies before all later ones,
            # so `low` never goes back.
            while i < own.size and own[i] < end:
                p = own[i]
                while low < other.size and other[low] < end and time[p] - time[other[low]] > window_ms:
                    low += 1
                j = low
                # From `low` to the first share beyond the window, later than p or not.
                while j < other.size and other[j] < end and time[other[j]] - time[p] <= window_ms:
                    q = other[j]
                    if post.size == 0 or post[p] != post[q]:
                        _add(row[k], time[p], time[q], abs(fine_time[q] - fine_time[p]) <= fast_ms)
                    j += 1
                i += 1
            if row[k, 2] > n_before and latest != whole_object:
                latest = whole_object
                row[k, 3] += 1


@inlined
def _add(sums: Int64, t: int, u: int, fast: bool) -> None:
    """Add a pair of posts to the sums of a pair of accounts."""
    if sums[2] == 0:
        sums[6] = min(t, u)
        sums[7] = max(t, u)
    sums[2] += 1
    sums[4] += abs(u - t)
    sums[5] += fast
    sums[6] = min(sums[6], t, u)
    sums[7] = max(sums[7], t, u)


def co_objects(log: Incidence, source: Int64, target: Int64, /, *, window_ms: int) -> Int64:
    """Return over how many objects each pair of accounts (codes) met in the window, whether it is looked at or not.

    Posts of unlike resolution have to be told apart before (see `grids.split`).
    """
    start, position = grouped(log.account, len(log.accounts))
    found: Int64 = _met_over(
        source, target, start, position, log.offsets, log.object, log.whole, log.time, log.post, window_ms
    )
    return found


@kernel
def _met_over(
    source: Int64,
    target: Int64,
    start: Int64,
    position: Int64,
    offsets: Int64,
    object_: Int32,
    whole: Int32,
    time: Int64,
    post: Int64,
    window_ms: int,
) -> Int64:
    """Return the objects that each pair met over, of what `measure_by_lists` tells."""
    n_objects = np.zeros(source.size, np.int64)
    sums = np.zeros((1, 8), np.int64)
    other = np.empty(1, np.int32)
    # Pair by pair, for each target is a row of its own: `sums` is filled anew each time.
    for k in range(source.size):
        other[0] = target[k]
        measure_by_lists(
            source[k], other, sums, start, position, offsets, object_, whole, time, time, post, window_ms, 0
        )
        n_objects[k] = sums[0, 3]
    return n_objects
