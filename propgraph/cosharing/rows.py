"""The kernels of co-sharing in a window: one account's row of counts at a time.

A row is counted once, for its neighbours that reach the minimum, and a second time for these alone, with their times.
Shares of a burst are looked at with some of the others only (see `bursts`).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from propgraph.arrays.types import Bool, Int32, Int64
from propgraph.cosharing.bursts import looked_at, measure_by_lists
from propgraph.options import MANY

FAST_MS = 10_000

Counts = tuple[Int64, ...]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def distinct_objects(object_: Int32, account: Int32, n_accounts: int) -> Int64:
    """Return how many objects each account shared; shares lie object by object."""
    last = np.full(n_accounts, -1, np.int32)
    count = np.zeros(n_accounts, np.int64)
    for p in range(object_.size):
        a = account[p]
        if last[a] != object_[p]:
            last[a] = object_[p]
            count[a] += 1
    return count


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def next_other(object_: Int32, account: Int32) -> tuple[Int32, Int32]:
    """Return how far it is to the nearest share after and before that is another account's or object's."""
    n = object_.size
    after = np.ones(n, np.int32)
    before = np.ones(n, np.int32)
    for p in range(1, n):
        if account[p] == account[p - 1] and object_[p] == object_[p - 1]:
            before[p] = before[p - 1] + 1
    for p in range(n - 2, -1, -1):
        if account[p] == account[p + 1] and object_[p] == object_[p + 1]:
            after[p] = after[p + 1] + 1
    return after, before


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def mark_paired(
    offsets: Int64, object_: Int32, account: Int32, time: Int64, post: Int64, window_ms: int
) -> Bool:
    """Mark shares with another account's other post of the same object within the window."""
    after, before = next_other(object_, account)
    paired = np.zeros(account.size, np.bool_)
    for p in range(account.size):
        end = offsets[object_[p] + 1]
        q = p + after[p]
        while q < end and time[q] - time[p] <= window_ms:
            if account[q] != account[p] and (post.size == 0 or post[q] != post[p]):
                paired[p] = True
                break
            q += after[q] if account[q] == account[p] else 1
        if paired[p]:
            continue
        begin = offsets[object_[p]]
        q = p - before[p]
        while q >= begin and time[p] - time[q] <= window_ms:
            if account[q] != account[p] and (post.size == 0 or post[q] != post[p]):
                paired[p] = True
                break
            q -= before[q] if account[q] == account[p] else 1
    return paired


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def count_rows(
    first_account: int,
    last_account: int,
    start: Int64,
    position: Int64,
    offsets: Int64,
    object_: Int32,
    whole: Int32,
    account: Int32,
    time: Int64,
    told: Int64,
    post: Int64,
    after: Int32,
    before: Int32,
    takes_part: Bool,
    burst: Int32,
    cell: Int32,
    later: Int32,
    earlier: Int32,
    hop_after: Int32,
    hop_before: Int32,
    crowded: Bool,
    window_ms: int,
    min_weight: int,
    by_events: bool,
) -> Counts:
    """Return the edges from each account of the block to accounts of higher code.

    Hardly any pair reaches the minimum, so a row is counted first, with eight bytes a neighbour, and only
    the neighbours that reach it are looked up again for their times. Two accounts with shares in bursts may have
    met more often than was looked at: what they share decides.
    """
    n_accounts = start.size - 1
    latest = np.full((n_accounts, 2), -1, np.int32)  # the latest object co-shared, the count so far
    latest[:, 1] = 0
    slot = np.full(n_accounts, -1, np.int32)
    touched = np.empty(n_accounts, np.int32)
    seen = np.empty(np.diff(offsets).max() if burst.size else 0, np.int64)
    kept = 0
    out = np.empty((1024, 8), np.int64)
    for a in range(first_account, last_account):
        used = 0
        in_burst = burst.size > 0 and crowded[a]
        for k in range(start[a], start[a + 1]):
            p = position[k]
            o = object_[p]
            w = whole[o] if whole.size else o
            if burst.size and burst[p] >= 0:
                used = _in_burst(
                    a, p, w, offsets, object_, account, time, post, cell, later, earlier, hop_after, hop_before,
                    window_ms, by_events, seen, latest, touched, used,
                )  # fmt: skip
                continue
            bound = offsets[o + 1]
            q = p + after[p]
            limit = time[p] + window_ms
            while q < bound and time[q] <= limit:
                b = account[q]
                if b > a:
                    if post.size == 0 or post[p] != post[q]:
                        if latest[b, 1] == 0:
                            touched[used] = b
                            used += 1
                        if (by_events and latest[b, 1] < MANY) or latest[b, 0] != w:
                            latest[b, 0] = w
                            latest[b, 1] += 1
                    q += 1
                else:
                    q += after[q] if b == a else 1
            bound = offsets[o]
            q = p - before[p]
            limit = time[p] - window_ms
            while q >= bound and time[q] >= limit:
                b = account[q]
                if b > a:
                    if post.size == 0 or post[p] != post[q]:
                        if latest[b, 1] == 0:
                            touched[used] = b
                            used += 1
                        if (by_events and latest[b, 1] < MANY) or latest[b, 0] != w:
                            latest[b, 0] = w
                            latest[b, 1] += 1
                    q -= 1
                else:
                    q -= before[q] if b == a else 1
        n_found = 0
        for k in range(used):
            b = touched[k]
            enough = latest[b, 1] >= min_weight or (in_burst and crowded[b])
            if enough and (takes_part[a] or takes_part[b]):
                touched[n_found] = b
                n_found += 1
            latest[b, 0] = -1
            latest[b, 1] = 0
        if n_found == 0:
            continue
        while kept + n_found > out.shape[0]:
            longer = np.empty((out.shape[0] * 2, 8), np.int64)
            longer[:kept] = out[:kept]
            out = longer
        neighbours = np.sort(touched[:n_found])
        row = out[kept : kept + n_found]
        if in_burst:
            measure_by_lists(
                a, neighbours, row, start, position, offsets, object_, whole, time, told, post, window_ms, FAST_MS
            )  # fmt: skip
        else:
            for k in range(n_found):
                slot[neighbours[k]] = k
            _measure(
                a, row, slot, start, position, offsets, object_, whole, account, time, told, post, after, before,
                window_ms,
            )  # fmt: skip
            for k in range(n_found):
                slot[neighbours[k]] = -1
        for k in range(n_found):
            if row[k, 2 if by_events else 3] >= min_weight:
                out[kept] = row[k]
                out[kept, 0] = a
                out[kept, 1] = neighbours[k]
                kept += 1
    return (
        out[:kept, 0].copy(), out[:kept, 1].copy(), out[:kept, 2].copy(), out[:kept, 3].copy(),
        out[:kept, 4].copy(), out[:kept, 5].copy(), out[:kept, 6].copy(), out[:kept, 7].copy(),
    )  # fmt: skip


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _in_burst(
    a: int,
    p: int,
    whole: int,
    offsets: Int64,
    object_: Int32,
    account: Int32,
    time: Int64,
    post: Int64,
    cell: Int32,
    later: Int32,
    earlier: Int32,
    hop_after: Int32,
    hop_before: Int32,
    window_ms: int,
    by_events: bool,
    seen: Int64,
    latest: Int32,
    touched: Int32,
    used: int,
) -> int:
    """Count what share `p`, of object `whole`, of a burst is looked at with; return how many neighbours the row has."""
    o = object_[p]
    n_seen = looked_at(
        p, offsets[o], offsets[o + 1], time, window_ms, cell, later, earlier, hop_after, hop_before, seen
    )
    for q in seen[:n_seen]:
        b = account[q]
        if b > a and (post.size == 0 or post[p] != post[q]):
            if latest[b, 1] == 0:
                touched[used] = b
                used += 1
            if (by_events and latest[b, 1] < MANY) or latest[b, 0] != whole:
                latest[b, 0] = whole
                latest[b, 1] += 1
    return used


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _measure(
    a: int,
    row: Int64,
    slot: Int32,
    start: Int64,
    position: Int64,
    offsets: Int64,
    object_: Int32,
    whole: Int32,
    account: Int32,
    time: Int64,
    told: Int64,
    post: Int64,
    after: Int32,
    before: Int32,
    window_ms: int,
) -> None:
    """Fill a row's n_events, n_objects, sum_ms, fast, first, last for the neighbours that have a slot.

    Fast is what is so by the times `told`, in which coarse ones lie far from all others.
    """
    row[:, :] = 0
    latest = np.full(row.shape[0], -1, np.int64)
    for k in range(start[a], start[a + 1]):
        p = position[k]
        o = object_[p]
        w = whole[o] if whole.size else o
        t = time[p]
        for direction in range(2):
            q = p + after[p] if direction == 0 else p - before[p]
            while offsets[o] <= q < offsets[o + 1] and abs(time[q] - t) <= window_ms:
                b = account[q]
                s = slot[b]
                if s >= 0 and (post.size == 0 or post[p] != post[q]):
                    u = time[q]
                    if row[s, 2] == 0:
                        row[s, 6] = min(t, u)
                        row[s, 7] = max(t, u)
                    row[s, 2] += 1
                    if latest[s] != w:
                        latest[s] = w
                        row[s, 3] += 1
                    row[s, 4] += abs(u - t)
                    if abs(told[q] - told[p]) <= FAST_MS:
                        row[s, 5] += 1
                    row[s, 6] = min(row[s, 6], t, u)
                    row[s, 7] = max(row[s, 7], t, u)
                if direction == 0:
                    q += after[q] if b == a else 1
                else:
                    q -= before[q] if b == a else 1
