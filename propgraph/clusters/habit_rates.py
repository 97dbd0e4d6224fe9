"""How much oftener than anybody the members of a cluster would post within the window of each other by habit alone.

Who always posts early in a story's life, or in the same hours, meets others of the same habit within a minute more
often than outsiders meet each other. If each member draws its post of an object with the weights of its own habits (see
`synchrony.habits`), independent of the others, two posts lie in the window with a chance that is some multiple of the
chance that two posts drawn with equal weights do. By that multiple the outsiders' rate is raised.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from propgraph.arrays.encoding import grouped
from propgraph.arrays.incidence import Incidence
from propgraph.arrays.types import Bool, Float64, Int32, Int64
from propgraph.synchrony.habits import (
    WEIGHTS,
    Int16,
    count_sessions_of,
    habits_of,
    weight_of,
    weights_without,
)
from propgraph.synchrony.pair_kernels import sessions_of

# Of clusters with more members at an object, a member's meeting itself is neglected: it is one pair in so many.
_FEW = 16


def habit_multiples(
    log: Incidence, cluster: Int64, /, *, of: Int64, objects: Int64, window_ms: int
) -> Float64:
    """Return for each cluster and object how many times as often members would meet by their habits, at least 1.

    Parameters
    ----------
    log
        All shares of a trace whose times can be compared.
    cluster
        int64[n_accounts]; the cluster of each account, -1 for none.
    of, objects
        int64[n]; the cluster and the object of each.
    window_ms
        The window in milliseconds.
    """
    start, position = grouped(log.account, len(log.accounts))
    session = sessions_of(start, position, log.time)
    habits = habits_of(log, start=start, position=position, session=session)
    found: Float64 = _multiples(
        of, objects, cluster, log.offsets, log.account, log.time, window_ms, start, log.object[position], session,
        habits.kind, habits.first_cell, habits.cell, habits.usual, habits.vote, habits.leads,
    )  # fmt: skip
    return found


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _multiples(
    of: Int64,
    objects: Int64,
    cluster: Int64,
    offsets: Int64,
    account: Int32,
    time: Int64,
    window_ms: int,
    start: Int64,
    listed: Int32,
    session: Int32,
    kind: Int16,
    first_cell: Int64,
    cell: Int64,
    usual: Float64,
    vote: Int16,
    leads: Bool,
) -> Float64:
    found = np.ones(of.size)
    weights = np.empty(WEIGHTS)
    line, votes = count_sessions_of(np.flatnonzero(cluster >= 0), start, vote, leads)
    at = np.full(start.size - 1, -1, np.int64)  # the last row in which each account was met
    for k in range(of.size):
        o = objects[k]
        begin, end = offsets[o], offsets[o + 1]
        n = end - begin
        low, high = first_cell[o], first_cell[o + 1]
        together = np.zeros(high - low)  # of all members, the weight of one post of each cell
        own = np.zeros(high - low)
        n_members, alone = 0, 0.0
        few = 0
        for p in range(begin, end):
            few += cluster[account[p]] == of[k]
        # Each member once, by its first post of the object: `at` tells who was met in this row before.
        for p in range(begin, end):
            a = account[p]
            if cluster[a] != of[k] or at[a] == k:
                continue
            at[a] = k
            n_members += 1
            x = start[a] + np.searchsorted(listed[start[a] : start[a + 1]], o)
            x_stop = x
            while x_stop < start[a + 1] and listed[x_stop] == o:
                x_stop += 1
            weights_without(x, x_stop, session, vote, votes[line[a]], usual, weights)
            total = 0.0
            for c in range(low, high):
                own[c - low] = weight_of(kind[cell[c]], weights)
                total += own[c - low] * (cell[c + 1] - cell[c])
            own /= total
            together += own
            if few <= _FEW:
                alone += within(own, cell[low : high + 1], time, window_ms)
        by_habit = within(together, cell[low : high + 1], time, window_ms)
        if few <= _FEW and n_members > 1:
            by_habit = (by_habit - alone) / (n_members * (n_members - 1))
        else:
            by_habit /= n_members * n_members
        anybody = within(np.full(high - low, 1.0 / n), cell[low : high + 1], time, window_ms)
        if anybody > 0:
            found[k] = max(by_habit / anybody, 1.0)
    return found


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def within(weight: Float64, cell: Int64, time: Int64, window_ms: int) -> float:
    """Return the chance that two posts, drawn by `weight` (of each post of a cell), are two within the window."""
    size = cell[-1] - cell[0]
    each = np.empty(size)
    # From cells to posts: all posts of a cell weigh the same.
    for c in range(weight.size):
        each[cell[c] - cell[0] : cell[c + 1] - cell[0]] = weight[c]
    total = 0.0
    inside = 0.0
    low = 0
    # `inside` is the weight of the posts before p within the window of it; times rise, so `low` never goes back.
    for p in range(size):
        while time[cell[0] + p] - time[cell[0] + low] > window_ms:
            inside -= each[low]
            low += 1
        total += 2.0 * each[p] * inside
        inside += each[p]
    return total
