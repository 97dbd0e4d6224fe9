"""Parents before their children, whatever the times of a log say.

A node's parent is here any row of the flat table, above or below, or -1. Cycles are opened, times raised, and
rows put in an order in which parents lie above their children.
"""

from __future__ import annotations

import numpy as np

from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import Bool, Int64, UInt32

UNKNOWN = np.iinfo(np.int64).max
"""A time that nobody knows: later than all."""

NEVER = np.iinfo(np.int64).min
"""The time of a node without a parent, and without a time."""


def parents_first(
    offsets: Int64, above: Int64, *, time: Int64
) -> tuple[Int64 | None, Int64, Int64, dict[str, int]]:
    """Find an order of the rows of each cascade in which parents come first.

    1. A cycle of parents is opened at its earliest node, of those at one time the first.
    2. A node earlier than its parent has its parent's time.
    3. In a cascade where some parent still lies below its child, the nodes stand by these times, those at one
       time by the steps up to where parents end, else as they were. The other cascades stay as they are.

    Parameters
    ----------
    offsets
        Where each cascade begins, and the number of nodes at the end; rows, shape (cascades + 1,).
    above
        Row of each node's parent in the same cascade, not its own; -1 for none. Shape (nodes,).
    time
        When each node was posted, in ms, never falling within a cascade; shape (nodes,).

    Returns
    -------
    order
        The rows in their new order; None where they can stay as they are.
    above, time
        Parents and times in that order; every parent lies above its child, no time falls.
    counts
        `cycles`: cycles opened. `times_raised`: nodes that had to have their parent's time.
    """
    size = np.diff(offsets)
    tangled = _has_lower(offsets, above)
    if not tangled.any():
        return None, above, time, {"cycles": 0, "times_raised": 0}
    # Cycles and children before parents are in these cascades only: a table of their rows is repaired.
    own = np.concatenate([[0], np.cumsum(size[tangled])])
    shift = np.repeat(offsets[:-1][tangled] - own[:-1], size[tangled])
    rows = np.arange(own[-1]) + shift
    local = np.where(above[rows] < 0, -1, above[rows] - shift)
    cycles = int(open_cycles(local, time[rows]))
    clean, depth, raised = descend(local, time[rows])
    steps = np.where(np.repeat(_has_lower(own, local), size[tangled]), depth, 0)
    moved = np.lexsort(
        (np.arange(rows.size), steps, clean, np.repeat(np.arange(own.size - 1), size[tangled]))
    )
    place = np.empty(rows.size, np.int64)
    place[moved] = np.arange(rows.size)
    order = np.arange(above.size)
    order[rows] = moved + shift
    above, time = above.copy(), time.copy()
    above[rows] = np.where(local[moved] < 0, -1, place[local[moved]] + shift)
    time[rows] = clean[moved]
    return order, above, time, {"cycles": cycles, "times_raised": int(raised)}


def _has_lower(offsets: Int64, above: Int64) -> Bool:
    """Tell which cascades have a parent that lies below its child."""
    n = np.concatenate([[0], np.cumsum(above > np.arange(above.size))])
    return np.asarray(n[offsets[1:]] > n[offsets[:-1]])


@kernel
def open_cycles(parent: Int64, time: Int64) -> int:
    """Take its parent from the earliest node of each cycle; return how many cycles there are.

    `parent` has a row for each node or -1, and is changed; of nodes at one time the first is the earliest.
    """
    walk = np.full(parent.size, -1, dtype=np.int64)  # from where a node was first reached
    cycles = 0
    # At the top no cycle can be reached from the nodes that were walked: those met had their earliest node freed.
    for start in range(parent.size):
        at = start
        # Up until the parents end, or at a node that some walk has reached, this one or an earlier one.
        while at >= 0 and walk[at] < 0:
            walk[at] = start
            at = parent[at]
        if at >= 0 and walk[at] == start:  # met again on the same walk
            earliest = at
            other = parent[at]
            # Once round, from `at` to `at`: all its nodes are seen, and which is freed hangs not on where it was met.
            while other != at:
                if time[other] < time[earliest] or (time[other] == time[earliest] and other < earliest):
                    earliest = other
                other = parent[other]
            parent[earliest] = -1
            cycles += 1
    return cycles


@kernel
def descend(parent: Int64, time: Int64) -> tuple[Int64, UInt32, int]:
    """Return times that never fall from parent to child, depths, and how many times were raised.

    `parent` has no cycles. A time that is `UNKNOWN` becomes the parent's, and `NEVER` where there is no parent.
    """
    clean = np.empty(parent.size, dtype=np.int64)
    depth = np.zeros(parent.size, dtype=np.uint32)
    done = np.zeros(parent.size, dtype=np.bool_)
    way = np.empty(parent.size, dtype=np.int64)
    raised = 0
    # At the top all nodes walked are done, with all above them. A walk is noted on the way up, and worked down after.
    for start in range(parent.size):
        steps = 0
        at = start
        while at >= 0 and not done[at]:
            way[steps] = at
            steps += 1
            at = parent[at]
        # Back down the way, from the topmost: the parent of each is done.
        while steps > 0:
            steps -= 1
            at = way[steps]
            above = parent[at]
            if above < 0:
                clean[at] = NEVER if time[at] == UNKNOWN else time[at]
            else:
                depth[at] = depth[above] + 1
                clean[at] = clean[above] if time[at] == UNKNOWN else max(time[at], clean[above])
                raised += time[at] < clean[above]
            done[at] = True
    return clean, depth, raised
