"""The rank test of an account against a group: evidence that is spread over many weak pairs.

A member of a crew of twenty may meet each fellow over two or three objects only, too few for any pair to stand
out, and still always be near some fellow. The test statistic of an object is the gap between the account's post and
the group's nearest. Its null keeps the group's posts fixed and deals the accounts outside it at random to the other
posts: P(gap <= theirs) is exactly the fraction of these posts that stand so near. What an account posts in one
session counts once, as in `pairs`. The account's own posts must not have formed the group: a member is tested
against the other members.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from propgraph.arrays.encoding import grouped
from propgraph.arrays.kernels import inlined, kernel
from propgraph.arrays.p_values import truncated_product
from propgraph.arrays.types import Bool, Float64, Int32, Int64
from propgraph.synchrony.pairs import LEAST_OBJECTS
from propgraph.synchrony.prepared import PreparedShares


@dataclass(frozen=True)
class GroupEvidence:
    """Accounts held against groups; arrays of one length, sorted by group and account.

    Attributes
    ----------
    account, group
        int64; codes.
    inside
        bool; the account belongs to the group, and is held against its other members.
    n_tested
        int64; objects shared with the group in which it could have been near, two at least.
    n_near
        int64; those in which it is.
    log_p
        float64; natural logarithm of the p-value.
    """

    account: Int64
    group: Int64
    inside: Bool
    n_tested: Int64
    n_near: Int64
    log_p: Float64


def standing_of(prepared: PreparedShares, group: Int64, /, *, threads: int) -> GroupEvidence:
    """Return how near each account stands to each group with which it shares two objects or more.

    Parameters
    ----------
    prepared
        The shares of one trace.
    group
        int64[n_accounts]; the group of each account, -1 for none.
    threads
        At most so many at once.
    """
    n_groups = int(group.max(initial=-1)) + 1
    # Sessions of all accounts numbered together: an account's begin where its posts do, for it has no more of them.
    session = np.zeros(prepared.log.account.size, np.int64)
    session[prepared.position] = prepared.session + np.repeat(prepared.start[:-1], np.diff(prepared.start))
    member = np.flatnonzero(group >= 0)
    start, place = grouped(group[member], n_groups)
    members = member[place]
    log, gaps = prepared.log, prepared.gaps

    def run(g: int) -> GroupEvidence:
        mine = members[start[g] : start[g + 1]].astype(np.int64)
        found = _hold(
            mine, group == g, prepared.start, prepared.listed, log.offsets, log.account,
            session, gaps.first, gaps.last, prepared.tau,
        )  # fmt: skip
        account, inside, n_tested, n_near, n_sessions, total = found
        log_p = _tails(n_sessions, total, prepared.tau)
        return GroupEvidence(account, np.full(account.size, g, np.int64), inside, n_tested, n_near, log_p)

    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(run, range(n_groups)))
    none = np.empty(0, np.int64)
    empty = GroupEvidence(none, none, none.astype(np.bool_), none, none, none.astype(np.float64))
    names = ("account", "group", "inside", "n_tested", "n_near", "log_p")
    return GroupEvidence(
        *(np.concatenate([getattr(part, name) for part in (empty, *parts)]) for name in names)
    )


@kernel
def _tails(n: Int64, total: Float64, tau: float) -> Float64:
    """Return ln P of each account, from its number of sessions and its sum of -ln(p / tau)."""
    log_p = np.empty(n.size, np.float64)
    for k in range(n.size):
        log_p[k] = truncated_product(n[k], total[k], tau)
    return log_p


@kernel
def _hold(
    members: Int64,
    held: Bool,
    start: Int64,
    listed: Int32,
    offsets: Int64,
    account: Int32,
    session: Int64,
    first: Int64,
    last: Int64,
    tau: float,
) -> tuple[Int64, Bool, Int64, Int64, Int64, Float64]:
    """Return account, inside, n_tested, n_near, n_sessions and the sum of -ln(p / tau) of who shares two objects."""
    n_accounts = start.size - 1
    counts = np.zeros((n_accounts, 3), np.int64)
    total = np.zeros(n_accounts, np.float64)
    seen = np.zeros(offsets.size - 1, np.bool_)
    spent = np.zeros(session.size, np.bool_)  # the sessions that count already
    # Objects of which no member has a post have nothing to be near to.
    for g in range(members.size):
        a = members[g]
        for k in range(start[a], start[a + 1]):
            seen[listed[k]] = True
    # In the objects' order, not the members': of the objects of one session the first counts, whoever is in it.
    for o in np.flatnonzero(seen):
        begin, end = offsets[o], offsets[o + 1]
        if tau * (end - begin) >= 1:  # of fewer posts no two can be near
            _place(begin, end, held, account, session, first, last, tau, spent, counts, total)
    which = np.flatnonzero(counts[:, 0] >= LEAST_OBJECTS)
    found = counts[which]
    return which, held[which], found[:, 0], found[:, 1], found[:, 2], total[which]


@kernel
def _nearest(begin: int, end: int, held: Bool, account: Int32) -> Int64:
    """Return for each post of an object the nearest posts held, before it and after; -1 without one.

    Of either side the nearest, and the nearest by another account than that one's: so the nearest are known with any
    one account left out.
    """
    near = np.empty((end - begin, 2, 2), np.int64)
    for side in range(2):
        # On the way from either end: `one` is the latest post held so far, `other` the latest by another account than
        # that one's, -1 for none. Each post is given these two before it may become one of them.
        one, other = -1, -1
        for x in range(end - begin):
            p = begin + x if side == 0 else end - 1 - x
            near[p - begin, side, 0] = one
            near[p - begin, side, 1] = other
            if held[account[p]]:
                if one >= 0 and account[one] != account[p]:
                    other = one
                one = p
    return near


@inlined
def _gap(p: int, without: int, begin: int, near: Int64, account: Int32, first: Int64, last: Int64) -> int:
    """Return the gap of a post to the nearest one held but those of account `without`; all posts if there is none."""
    gap = np.int64(near.shape[0])
    before, after = near[p - begin, 0, 0], near[p - begin, 1, 0]
    if before >= 0 and account[before] == without:
        before = near[p - begin, 0, 1]
    if after >= 0 and account[after] == without:
        after = near[p - begin, 1, 1]
    if before >= 0:
        gap = last[p] - first[before]
    if after >= 0:
        gap = min(gap, last[after] - first[p])
    return gap  # type: ignore[return-value]


@kernel
def _place(
    begin: int,
    end: int,
    held: Bool,
    account: Int32,
    session: Int64,
    first: Int64,
    last: Int64,
    tau: float,
    spent: Bool,
    counts: Int64,
    total: Float64,
) -> None:
    """Place the posts of one object by their gap to the nearest post of the accounts held, and add up.

    An outsider's are placed among all outsiders' posts; a member's, which is not held meanwhile, among these and its
    own: then another's post is nearest to the outsiders' posts beside its own, and their gaps are others.
    """
    n = end - begin
    near = _nearest(begin, end, held, account)
    gap, at = np.empty(n, np.int64), np.zeros(n + 1, np.int64)  # outsiders' posts by their gap
    # Who is outside is dealt to all posts that the group did not make: their gaps are what chance could give.
    for p in range(begin, end):
        gap[p - begin] = _gap(p, -1, begin, near, account, first, last)
        if not held[account[p]]:
            at[gap[p - begin]] += 1
    up_to = np.cumsum(at)
    least = np.searchsorted(up_to, 1)
    by_account = np.sort(account[begin:end].astype(np.int64) << 32 | np.arange(n))  # then in order of time
    own, old, new = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    k = 0
    # Account by account: at the top k is the first post of one, in order of the code and then of time.
    while k < n:
        a = by_account[k] >> 32
        ways = n_beside = 0
        earliest = begin + (by_account[k] & 0xFFFFFFFF)
        # `own` gathers the gaps of its posts; for a member, `old` and `new` those that change when it is not held.
        while k < n and by_account[k] >> 32 == a:
            p = begin + (by_account[k] & 0xFFFFFFFF)
            own[ways] = gap[p - begin]
            k += 1
            if held[a]:
                own[ways] = _gap(p, a, begin, near, account, first, last)
                n_beside = _beside(p, begin, end, near, held, account, first, last, gap, old, new, n_beside)
            ways += 1
        free = up_to[n] + (ways if held[a] else 0)
        # One free post is no choice, and where all are free nobody is held to be near to.
        if free < 2 or free == n:
            continue
        mine, gone, come = own[: ways if held[a] else 0], old[:n_beside], new[:n_beside]
        fewest = _up_to(_least(least, at, mine, gone, come), up_to, mine, gone, come)
        if ways * fewest <= tau * free:
            value = ways * _up_to(own[:ways].min(), up_to, mine, gone, come) / free
            _add_up(a, session[earliest], value, tau, spent, counts, total)


@kernel
def _beside(
    p: int,
    begin: int,
    end: int,
    near: Int64,
    held: Bool,
    account: Int32,
    first: Int64,
    last: Int64,
    gap: Int64,
    old: Int64,
    new: Int64,
    n: int,
) -> int:
    """Add the outsiders' posts to which a member's post `p` is nearest to the `n` found: their gap with it and without.

    A post between two of the member's is added by the first of them.
    """
    a = account[p]
    for step in (1, -1):
        q = p + step
        # As far as the next post held, which is nearer to all beyond it.
        while begin <= q < end and not held[account[q]]:
            before = near[q - begin, 0, 0]
            if step > 0 or before < 0 or account[before] != a:
                old[n] = gap[q - begin]
                new[n] = _gap(q, a, begin, near, account, first, last)
                n += 1
            q += step
    return n


@inlined
def _least(least: int, at: Int64, mine: Int64, gone: Int64, come: Int64) -> int:
    """Return the least gap: of the outsiders' (`least`, so many `at` each), but those gone, those come, and `mine`."""
    bound = at.size
    # Those gone are taken out of the counts for the search, and put back after it.
    for k in range(mine.size):
        bound = min(bound, mine[k])
    for k in range(gone.size):
        bound = min(bound, come[k])
        at[gone[k]] -= 1
    # Below `least` no outsider had a gap before, so none has one now.
    while least < bound and at[least] == 0:
        least += 1
    for k in range(gone.size):
        at[gone[k]] += 1
    return min(least, bound)


@inlined
def _up_to(gap: int, up_to: Int64, mine: Int64, gone: Int64, come: Int64) -> int:
    """Return how many gaps are `gap` or less: of the outsiders', but those gone, those come, and `mine`."""
    found = up_to[gap]
    for k in range(mine.size):
        found += mine[k] <= gap
    for k in range(gone.size):
        found += int(come[k] <= gap) - int(gone[k] <= gap)
    return int(found)


@inlined
def _add_up(
    a: int, own_session: int, value: float, tau: float, spent: Bool, counts: Int64, total: Float64
) -> None:
    """Add an object to the sums of account `a`, which posted it first in the session `own_session`."""
    fresh = not spent[own_session]
    spent[own_session] = True
    counts[a, 0] += 1
    counts[a, 2] += fresh
    if value <= tau:
        counts[a, 1] += 1
        if fresh:
            total[a] -= np.log(value / tau)
