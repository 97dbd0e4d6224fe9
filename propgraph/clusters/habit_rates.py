"""How much oftener than anybody the members of a cluster would post within the window of each other by habit alone.

Who always posts early in a story's life, or in the same hours, meets others of the same habit within a minute more
often than outsiders meet each other. If each member draws its post of an object with the weights of its own habits (see
`synchrony.habits`), independent of the others, two posts lie in the window with a chance that is some multiple of the
chance that two posts drawn with equal weights do. By that multiple the outsiders' rate is raised.
"""

from __future__ import annotations

import numpy as np

from propgraph.arrays.encoding import grouped
from propgraph.arrays.incidence import Incidence
from propgraph.arrays.kernels import kernel
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
    # Members alone are asked for their habits.
    mine = np.flatnonzero(cluster[log.account] >= 0)
    start, position = grouped(log.account[mine], len(log.accounts))
    position = mine[position]
    session = sessions_of(start, position, log.time)
    habits = habits_of(log, start=start, position=position, session=session)
    # Object by object: which cells lie near each other is looked up once for all clusters that met at one.
    order = np.argsort(objects, kind="stable")
    found = np.empty(of.size)
    found[order] = _multiples(
        of[order], objects[order], cluster, log.offsets, log.account, log.time, window_ms, start,
        log.object[position], session,
        habits.kind, habits.first_cell, habits.cell, habits.usual, habits.vote, habits.leads,
    )  # fmt: skip
    return found


@kernel
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
    near, reach, first = cells_near(cell[:1], time, window_ms)
    for k in range(of.size):
        o = objects[k]
        begin, end = offsets[o], offsets[o + 1]
        n = end - begin
        low, high = first_cell[o], first_cell[o + 1]
        if k == 0 or objects[k - 1] != o:
            near, reach, first = cells_near(cell[low : high + 1], time, window_ms)
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
                alone += within(own, near, reach, first)
        by_habit = within(together, near, reach, first)
        if few <= _FEW and n_members > 1:
            by_habit = (by_habit - alone) / (n_members * (n_members - 1))
        else:
            by_habit /= n_members * n_members
        anybody = 2.0 * near.sum() / (n * n)
        if anybody > 0:
            found[k] = max(by_habit / anybody, 1.0)
    return found


@kernel
def cells_near(cell: Int64, time: Int64, window_ms: int) -> tuple[Int64, Int64, Int64]:
    """Return how many pairs of posts lie within the window, by the cells of the two: `near, reach, first`.

    Cell `c` has such pairs with the cells from `reach[c]` to itself: `near[first[c] + d - reach[c]]` with cell `d`.
    """
    m = cell.size - 1
    reach, first = np.empty(m, np.int64), np.zeros(m + 1, np.int64)
    d = 0
    low = cell[0]
    # The first post of a cell reaches back furthest; times rise, so what it reaches never goes back.
    for c in range(m):
        while time[cell[c]] - time[low] > window_ms:
            low += 1
        while low >= cell[d + 1]:
            d += 1
        reach[c] = d
        first[c + 1] = first[c] + c - d + 1
    near = np.zeros(first[m], np.int64)
    low = cell[0]
    for c in range(m):
        d = reach[c]
        # The window before p begins at `low`, in cell d; from there to p each cell has some posts in it.
        for p in range(cell[c], cell[c + 1]):
            while time[p] - time[low] > window_ms:
                low += 1
            while low >= cell[d + 1]:
                d += 1
            for e in range(d, c + 1):
                near[first[c] + e - reach[c]] += min(cell[e + 1], p) - max(cell[e], low)
    return near, reach, first


@kernel
def within(weight: Float64, near: Int64, reach: Int64, first: Int64) -> float:
    """Return the chance that two posts, drawn by `weight` (of each post of a cell), are two within the window."""
    total = 0.0
    for c in range(weight.size):
        for k in range(first[c], first[c + 1]):
            total += 2.0 * near[k] * weight[c] * weight[reach[c] + k - first[c]]
    return total
