"""The kernels of rank synchrony: what the objects that two accounts share say of the pair, together.

Throughout, `a` is a hub, `b` its leaf, and `o` an object; `x` and `y` are places in the accounts' lists of shares, in
which the posts of an object stand together, in order of time; `p` and `q` are positions of shares in the log.
"""

from __future__ import annotations

import numpy as np

from propgraph.arrays.encoding import largest
from propgraph.arrays.holdings import longest_list, mark_hub, shared_objects
from propgraph.arrays.kernels import inlined, kernel
from propgraph.arrays.p_values import truncated_product
from propgraph.arrays.types import Float64, Int32, Int64, UInt8
from propgraph.synchrony.gaps import chance_at
from propgraph.synchrony.half_kernels import add_to_halves, begin_halves, keep_halves

#: What an account posts within an hour of the clock is one session.
SESSION_MS = 3_600_000


@kernel
def sessions_of(start: Int64, position: Int64, time: Int64) -> Int32:
    """Return the number of each post's session among those of its account, in order of time."""
    session = np.empty(position.size, np.int32)
    for a in range(start.size - 1):
        hours = time[position[start[a] : start[a + 1]]] // SESSION_MS
        order = np.argsort(hours, kind="mergesort")
        number = -1
        # Hour after hour, whatever the objects: `number` is that of the latest hour seen, -1 before the first.
        for k in range(order.size):
            if k == 0 or hours[order[k]] != hours[order[k - 1]]:
                number += 1
            session[start[a] + order[k]] = number
    return session


@kernel
def measure_pairs(
    hub: Int32,
    leaf: Int32,
    start: Int64,
    position: Int64,
    listed: Int32,
    opens: Int32,
    closes: Int32,
    session: Int32,
    offsets: Int64,
    time: Int64,
    post: Int64,
    counted: Int64,
    chance: Float64,
    least: Float64,
    tau: float,
    side: UInt8,
    usable: UInt8,
    n_splits: int,
    lax: float,
) -> tuple[Int64, Float64, Float64, Int64, Float64]:
    """Return n_tested, n_near and closest_ms, the reach (see `testable`) and ln P of pairs that are sorted by hub.

    And the pairs that stand out on a half of the objects alone, up to the p-value `lax`: the pair and the half, two for
    each split (see `halves`), and ln P there.
    """
    counts = np.zeros((hub.size, 3), np.int64)
    reach, log_p = np.zeros(hub.size, np.float64), np.zeros(hub.size, np.float64)
    begin = np.full(offsets.size - 1, -1, np.int64)  # where the hub's posts of an object begin in its list
    shared = np.empty((longest_list(start, leaf), 4), np.int64)
    carries = least <= tau  # of the other objects no two posts can be near, whatever happens
    # By each post the last pair that met by it, and the last pair that each session served.
    met = np.full(largest(post) + 1, -1, np.int32)
    spent = np.full(largest(session) + 1, -1, np.int32)
    spent_half, n_half, near_half, total_half, on_half, log_p_half = begin_halves(n_splits, spent.size)
    n_found = 0
    for e in range(hub.size):
        a, b = hub[e], leaf[e]
        # At the top `begin` is marked for the hub of the pair before: only a new hub costs a walk over its list.
        if e == 0 or a != hub[e - 1]:
            mark_hub(begin, a, hub[e - 1] if e > 0 else -1, start, listed, carries)
        degree, degree_b = start[a + 1] - start[a], start[b + 1] - start[b]
        hub_is_busier = degree > degree_b or (degree == degree_b and a > b)
        total = 0.0
        n_sessions = 0
        counts[e, 2] = -1
        # `met` and `spent` are never cleared: an entry below e was left by another pair.
        for k in range(shared_objects(b, start[a + 1], start, listed, begin, shared)):
            x, x_stop, y, y_stop = shared[k, 0], shared[k, 1], shared[k, 2], shared[k, 3]
            o = listed[x]
            ways = (x_stop - x) * (y_stop - y)
            # Where not even the least gap would be near for so many posts, the object says nothing of the pair.
            if ways * least[o] > tau:
                continue
            counts[e, 0] += 1
            reach[e] -= np.log(ways * least[o] / tau)
            own = session[x] if hub_is_busier else session[y]
            first_of_session = spent[own] != e
            spent[own] = e
            n_sessions += first_of_session
            gap = least_gap(x, x_stop, y, y_stop, opens, closes)
            value = ways * chance_at(gap, o, offsets[o + 1] - offsets[o], counted, chance)
            worth = 0.0
            if value <= tau:
                apart, fresh = meet(e, gap, x, x_stop, y, y_stop, opens, closes, position, time, post, met)
                counts[e, 1] += fresh
                if fresh:
                    worth = -np.log(value / tau)
                if fresh and first_of_session:
                    total += worth
                if counts[e, 2] < 0 or 0 <= apart < counts[e, 2]:
                    counts[e, 2] = apart
            if n_splits:
                both = usable[x] & usable[y]
                add_to_halves(e, own, both, side[o], worth, spent_half, n_half, near_half, total_half)
        log_p[e] = truncated_product(n_sessions, total, tau)
        on_half, log_p_half, n_found = keep_halves(
            e, lax, tau, n_half, near_half, total_half, on_half, log_p_half, n_found
        )
    return counts, reach, log_p, on_half[:n_found].copy(), log_p_half[:n_found].copy()


@inlined
def least_gap(x: int, x_stop: int, y: int, y_stop: int, opens: Int32, closes: Int32) -> int:
    """Return the least gap between two accounts' posts of an object: `x:x_stop` and `y:y_stop` in their lists."""
    best = 1 << 40
    # An account's posts stand in order of time: nearest to a post are the last that opens before it and the next one.
    for other in range(y, y_stop):
        after = x + np.searchsorted(opens[x:x_stop], opens[other]) if x_stop > x + 1 else x
        for own in range(max(after - 1, x), min(after + 1, x_stop)):
            best = min(best, gap_between(own, other, opens, closes))
    return best


@inlined
def gap_between(x: int, y: int, opens: Int32, closes: Int32) -> int:
    """Return the gap between two posts of an object, by their places in the lists of their accounts."""
    return int(max(closes[x], closes[y])) - int(min(opens[x], opens[y]))


@kernel
def meet(
    pair: int,
    gap: int,
    x: int,
    x_stop: int,
    y: int,
    y_stop: int,
    opens: Int32,
    closes: Int32,
    position: Int64,
    time: Int64,
    post: Int64,
    met: Int32,
) -> tuple[int, bool]:
    """Return the least time between two accounts' posts of an object, and whether they met by none of these before.

    All posts at the least gap count as those by which they meet, and are marked: no choice among equals, which
    could hang on who is called what. One post of both is no meeting; -1 where they have no other.
    """
    apart = -1
    fresh = True
    # Nothing is marked before all are looked at: two posts at the least gap must not be each other's meeting before.
    for other in range(y, y_stop):
        for own in range(x, x_stop):
            p, q = position[own], position[other]
            same = post.size > 0 and post[p] == post[q]
            if not same and (apart < 0 or abs(time[p] - time[q]) < apart):
                apart = abs(time[p] - time[q])
            if post.size and gap_between(own, other, opens, closes) == gap:
                fresh &= not same and met[post[p]] != pair and met[post[q]] != pair
    if post.size:
        for other in range(y, y_stop):
            for own in range(x, x_stop):
                if gap_between(own, other, opens, closes) == gap:
                    met[post[position[own]]] = pair
                    met[post[position[other]]] = pair
    return apart, fresh
