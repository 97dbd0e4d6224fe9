"""The kernels of co-sharing in a window: one account's row of counts at a time.

A row is counted once, for its neighbours that reach the minimum, and a second time for these alone, with their times.
Shares of a burst are looked at with some of the others only (see `bursts`).

Throughout, `a` and `b` are codes of accounts, `o` of an object, and `p` and `q` positions of shares, which lie object
by object and in order of time.
"""

from __future__ import annotations

import numpy as np

from propgraph.arrays.encoding import longest_part
from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import Bool, Int32, Int64
from propgraph.cosharing.bursts import looked_at
from propgraph.cosharing.by_lists import measure_by_lists
from propgraph.options import MANY

FAST_MS = 10_000

Counts = tuple[Int64, ...]


@kernel
def distinct_objects(object_: Int32, account: Int32, n_accounts: int) -> Int64:
    """Return how many objects each account shared; shares lie object by object."""
    latest = np.full(n_accounts, -1, np.int32)
    count = np.zeros(n_accounts, np.int64)
    # An object's shares lie together: it is new to an account unless it is the latest that was counted there.
    for p in range(object_.size):
        a = account[p]
        if latest[a] != object_[p]:
            latest[a] = object_[p]
            count[a] += 1
    return count


@kernel
def next_other(object_: Int32, account: Int32) -> tuple[Int32, Int32]:
    """Return how far it is to the nearest share after and before that is another account's or object's."""
    n = object_.size
    after = np.ones(n, np.int32)
    before = np.ones(n, np.int32)
    # Next to another account's or object's share it is one step: all begin with 1.
    # Within a run of one account's shares of one object, each is a step farther than its neighbour, which is known.
    for p in range(1, n):
        if account[p] == account[p - 1] and object_[p] == object_[p - 1]:
            before[p] = before[p - 1] + 1
    for p in range(n - 2, -1, -1):
        if account[p] == account[p + 1] and object_[p] == object_[p + 1]:
            after[p] = after[p + 1] + 1
    return after, before


@kernel
def mark_paired(
    offsets: Int64, object_: Int32, account: Int32, time: Int64, post: Int64, window_ms: int
) -> Bool:
    """Mark shares with another account's other post of the same object within the window."""
    after, before = next_other(object_, account)
    paired = np.zeros(account.size, np.bool_)
    # One partner is enough: the walk over an object's shares, away from p, ends at the first.
    for p in range(account.size):
        end = offsets[object_[p] + 1]
        q = p + after[p]
        # Shares are in order of time, so the first beyond the window ends the walk. All shares passed are the
        # account's own, or of the very same post, which may hold an object twice.
        while q < end and time[q] - time[p] <= window_ms:
            if account[q] != account[p] and (post.size == 0 or post[q] != post[p]):
                paired[p] = True
                break
            q += after[q] if account[q] == account[p] else 1
        if paired[p]:
            continue
        begin = offsets[object_[p]]
        q = p - before[p]
        # The same walk towards earlier shares.
        while q >= begin and time[p] - time[q] <= window_ms:
            if account[q] != account[p] and (post.size == 0 or post[q] != post[p]):
                paired[p] = True
                break
            q -= before[q] if account[q] == account[p] else 1
    return paired


@kernel
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
    fine_time: Int64,
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
    seen = np.empty(longest_part(offsets), np.int64)
    kept = 0
    out = np.empty((1024, 8), np.int64)
    # At the top no account has a count, nor a slot: each row leaves `latest` and `slot` as it found them.
    for a in range(first_account, last_account):
        # Without any burst `crowded` is empty, and must not be read.
        in_burst = burst.size > 0 and crowded[a]
        used = _count(
            a, start, position, offsets, object_, whole, account, time, post, after, before, burst, cell, later,
            earlier, hop_after, hop_before, window_ms, by_events, seen, latest, touched,
        )  # fmt: skip
        n_found = _enough(a, used, min_weight, in_burst, crowded, takes_part, latest, touched)
        if n_found == 0:
            continue
        out = _with_room(out, kept, n_found)
        # Edges come out sorted by both ends, whatever the order in which neighbours were met.
        neighbours = np.sort(touched[:n_found])
        row = out[kept : kept + n_found]
        if in_burst:
            measure_by_lists(
                a, neighbours, row, start, position, offsets, object_, whole, time, fine_time, post, window_ms, FAST_MS
            )  # fmt: skip
        else:
            _measure(
                a, neighbours, row, slot, start, position, offsets, object_, whole, account, time, fine_time, post,
                after, before, window_ms,
            )  # fmt: skip
        # What is kept moves up over what is not: `kept` never passes the line that is read.
        for k in range(n_found):
            if row[k, 2 if by_events else 3] >= min_weight:
                for column in range(2, 8):
                    out[kept, column] = row[k, column]
                out[kept, 0] = a
                out[kept, 1] = neighbours[k]
                kept += 1
    return (
        out[:kept, 0].copy(), out[:kept, 1].copy(), out[:kept, 2].copy(), out[:kept, 3].copy(),
        out[:kept, 4].copy(), out[:kept, 5].copy(), out[:kept, 6].copy(), out[:kept, 7].copy(),
    )  # fmt: skip


@kernel
def _count(
    a: int,
    start: Int64,
    position: Int64,
    offsets: Int64,
    object_: Int32,
    whole: Int32,
    account: Int32,
    time: Int64,
    post: Int64,
    after: Int32,
    before: Int32,
    burst: Int32,
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
) -> int:
    """Count the row of account `a` in `latest`, list who is in it in `touched`, and return how many these are."""
    used = 0
    # The account's shares lie object by object: an object is new to a neighbour unless it is the neighbour's latest.
    for k in range(start[a], start[a + 1]):
        p = position[k]
        o = object_[p]
        whole_object = whole[o] if whole.size else o
        if burst.size and burst[p] >= 0:
            used = _count_in_burst(
                a, p, whole_object, offsets, object_, account, time, post, cell, later, earlier, hop_after, hop_before,
                window_ms, by_events, seen, latest, touched, used,
            )  # fmt: skip
            continue
        end = offsets[o + 1]
        q = p + after[p]
        bound = time[p] + window_ms
        # Shares are in order of time, so the first beyond the window ends the walk. Of each pair the account of lower
        # code counts, so that no pair is counted twice; a run of its own shares is passed at one stride.
        while q < end and time[q] <= bound:
            b = account[q]
            if b > a:
                if post.size == 0 or post[p] != post[q]:
                    if latest[b, 1] == 0:
                        touched[used] = b
                        used += 1
                    if (by_events and latest[b, 1] < MANY) or latest[b, 0] != whole_object:
                        latest[b, 0] = whole_object
                        latest[b, 1] += 1
                q += 1
            else:
                q += after[q] if b == a else 1
        begin = offsets[o]
        q = p - before[p]
        bound = time[p] - window_ms
        # The same towards earlier shares. (One loop for both directions took a tenth longer.)
        while q >= begin and time[q] >= bound:
            b = account[q]
            if b > a:
                if post.size == 0 or post[p] != post[q]:
                    if latest[b, 1] == 0:
                        touched[used] = b
                        used += 1
                    if (by_events and latest[b, 1] < MANY) or latest[b, 0] != whole_object:
                        latest[b, 0] = whole_object
                        latest[b, 1] += 1
                q -= 1
            else:
                q -= before[q] if b == a else 1
    return used


@kernel
def _count_in_burst(
    a: int,
    p: int,
    whole_object: int,
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
    """Count what share `p` of a burst is looked at with, as `_count` does, and return how many are in the row then."""
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
            if (by_events and latest[b, 1] < MANY) or latest[b, 0] != whole_object:
                latest[b, 0] = whole_object
                latest[b, 1] += 1
    return used


@kernel
def _enough(
    a: int,
    used: int,
    min_weight: int,
    in_burst: bool,
    crowded: Bool,
    takes_part: Bool,
    latest: Int32,
    touched: Int32,
) -> int:
    """Leave the neighbours to be measured in `touched`, and no count in `latest`; return how many there are."""
    n_found = 0
    for k in range(used):
        b = touched[k]
        # Of two accounts in bursts not all meetings were looked at: no count of theirs is too low.
        enough = latest[b, 1] >= min_weight or (in_burst and crowded[b])
        if enough and (takes_part[a] or takes_part[b]):
            touched[n_found] = b
            n_found += 1
        latest[b, 0] = -1
        latest[b, 1] = 0
    return n_found


@kernel
def _with_room(out: Int64, kept: int, more: int) -> Int64:
    """Return `out`, or the lines kept in one twice as long, until it has room for so many more."""
    while kept + more > out.shape[0]:
        longer = np.empty((out.shape[0] * 2, 8), np.int64)
        for line in range(kept):
            for column in range(8):
                longer[line, column] = out[line, column]
        out = longer
    return out


@kernel
def _measure(
    a: int,
    neighbours: Int32,
    row: Int64,
    slot: Int32,
    start: Int64,
    position: Int64,
    offsets: Int64,
    object_: Int32,
    whole: Int32,
    account: Int32,
    time: Int64,
    fine_time: Int64,
    post: Int64,
    after: Int32,
    before: Int32,
    window_ms: int,
) -> None:
    """Fill a row's n_events, n_objects, sum_ms, fast, first, last for each of the neighbours.

    Fast is what is so by `fine_time`, in which times too coarse to say so lie far from all others. `slot` is -1 for
    all accounts, before and after.
    """
    row[:, :] = 0
    latest = np.full(row.shape[0], -1, np.int64)
    for k in range(neighbours.size):
        slot[neighbours[k]] = k
    # As in `_count`, with the same shares in the same order, but for the neighbours with a slot alone.
    for k in range(start[a], start[a + 1]):
        p = position[k]
        o = object_[p]
        whole_object = whole[o] if whole.size else o
        own_time = time[p]
        for step in (1, -1):
            q = p + (after[p] if step > 0 else -before[p])
            while offsets[o] <= q < offsets[o + 1] and abs(time[q] - own_time) <= window_ms:
                b = account[q]
                s = slot[b]
                if s >= 0 and (post.size == 0 or post[p] != post[q]):
                    other_time = time[q]
                    if row[s, 2] == 0:
                        row[s, 6] = min(own_time, other_time)
                        row[s, 7] = max(own_time, other_time)
                    row[s, 2] += 1
                    if latest[s] != whole_object:
                        latest[s] = whole_object
                        row[s, 3] += 1
                    row[s, 4] += abs(other_time - own_time)
                    row[s, 5] += abs(fine_time[q] - fine_time[p]) <= FAST_MS
                    row[s, 6] = min(row[s, 6], own_time, other_time)
                    row[s, 7] = max(row[s, 7], own_time, other_time)
                if b == a:
                    q += after[q] if step > 0 else -before[q]
                else:
                    q += step
    # Only the slots given out are taken back: to clear all would cost as much as all accounts.
    for b in neighbours:
        slot[b] = -1
