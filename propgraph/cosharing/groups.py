"""How near an account stands to a group: evidence that many weak pairs share.

A member of a crew of twenty may meet each fellow over two or three objects only, too few for any pair to stand
out, and still always be near some fellow. So the posts of the group are held fixed, and an account's post is
placed by its gap to the nearest of them: P(gap <= theirs) is the share of the object's other posts that stand
so near, exactly, if the accounts outside the group were dealt at random to the posts that the group did not
make. What an account posts in one sitting counts once, as in `ranks`. The group must not have been formed by the
account's own posts: a member is held against the others.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numba import njit

from propgraph.cosharing.combine import Float64, truncated_product
from propgraph.cosharing.incidence import Bool, Int32, Int64
from propgraph.cosharing.ranks import LEAST_OBJECTS, Ranks
from propgraph.encoding import grouped


@dataclass(frozen=True)
class Standing:
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


def standing_of(ranks: Ranks, group: Int64, /, *, threads: int) -> Standing:
    """Return how near each account stands to each group with which it shares two objects or more.

    Parameters
    ----------
    ranks
        The shares of one trace.
    group
        int64[n_accounts]; the group of each account, -1 for none.
    threads
        At most so many at once.
    """
    n_groups = int(group.max(initial=-1)) + 1
    # Sittings of all accounts numbered together, post by post: no account has more of them than posts.
    sitting = np.zeros(ranks.log.account.size, np.int64)
    sitting[ranks.position] = ranks.sitting + np.repeat(ranks.start[:-1], np.diff(ranks.start))
    member = np.flatnonzero(group >= 0)
    start, place = grouped(group[member], n_groups)
    members = member[place]
    log, gaps = ranks.log, ranks.gaps

    def run(g: int) -> Standing:
        mine = members[start[g] : start[g + 1]].astype(np.int64)
        found = _hold(
            mine, group == g, ranks.start, ranks.position, ranks.listed, log.offsets, log.account,
            sitting, gaps.first, gaps.last, ranks.tau,
        )  # fmt: skip
        account, inside, n_tested, n_near, n_sittings, total = found
        log_p = _tails(n_sittings, total, ranks.tau)
        return Standing(account, np.full(account.size, g, np.int64), inside, n_tested, n_near, log_p)

    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(run, range(n_groups)))
    none = np.empty(0, np.int64)
    empty = Standing(none, none, none.astype(np.bool_), none, none, none.astype(np.float64))
    names = ("account", "group", "inside", "n_tested", "n_near", "log_p")
    return Standing(*(np.concatenate([getattr(part, name) for part in (empty, *parts)]) for name in names))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _tails(n: Int64, total: Float64, tau: float) -> Float64:
    log_p = np.empty(n.size, np.float64)
    for k in range(n.size):
        log_p[k] = truncated_product(n[k], total[k], tau)
    return log_p


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _hold(
    members: Int64,
    held: Bool,
    start: Int64,
    position: Int64,
    listed: Int32,
    offsets: Int64,
    account: Int32,
    sitting: Int64,
    first: Int64,
    last: Int64,
    tau: float,
) -> tuple[Int64, Bool, Int64, Int64, Int64, Float64]:
    """Return account, inside, n_tested, n_near, n_sittings and the sum of -ln(p / tau) of who shares two objects."""
    n_accounts = start.size - 1
    counts = np.zeros((n_accounts, 3), np.int64)
    total = np.zeros(n_accounts, np.float64)
    seen = np.zeros(offsets.size - 1, np.bool_)
    sat = np.zeros(sitting.size, np.bool_)  # the sittings that count already
    for g in range(members.size):
        a = members[g]
        for k in range(start[a], start[a + 1]):
            seen[listed[k]] = True
    # In the objects' order, not the members': of the objects of one sitting the first counts, whoever is in it.
    for o in np.flatnonzero(seen):
        _place(o, -1, held, offsets, account, sitting, first, last, tau, sat, counts, total)
    for g in range(members.size):
        a = members[g]
        held[a] = False
        for k in range(start[a], start[a + 1]):
            o = listed[k]
            if k == start[a] or listed[k - 1] != o:
                _place(o, a, held, offsets, account, sitting, first, last, tau, sat, counts, total)
        held[a] = True
    which = np.flatnonzero(counts[:, 0] >= LEAST_OBJECTS)
    found = counts[which]
    return which, held[which], found[:, 0], found[:, 1], found[:, 2], total[which]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _place(
    o: int,
    only: int,
    held: Bool,
    offsets: Int64,
    account: Int32,
    sitting: Int64,
    first: Int64,
    last: Int64,
    tau: float,
    sat: Bool,
    counts: Int64,
    total: Float64,
) -> None:
    """Place the posts of one object by their gap to the nearest post of the accounts held, and add up.

    Of account `only` alone, or (-1) of all that are not held.
    """
    begin, n = offsets[o], offsets[o + 1] - offsets[o]
    gap = np.full(n, n, np.int64)
    n_held = 0
    nearest = -1
    for x in range(n):
        p = begin + x
        if nearest >= 0:
            gap[x] = last[p] - first[nearest]
        if held[account[p]]:
            nearest = p
            n_held += 1
    nearest = -1
    for x in range(n - 1, -1, -1):
        p = begin + x
        if nearest >= 0:
            gap[x] = min(gap[x], last[nearest] - first[p])
        if held[account[p]]:
            nearest = p
    free = n - n_held
    if n_held == 0 or free < 2:
        return
    at = np.zeros(n + 1, np.int64)
    for x in range(n):
        if not held[account[begin + x]]:
            at[gap[x]] += 1
    least = 0
    while at[least] == 0:
        least += 1
    if at[least] > tau * free:
        return
    for g in range(1, n + 1):
        at[g] += at[g - 1]
    _add_up(o, only, held, offsets, account, sitting, gap, at, at[least], free, tau, sat, counts, total)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _add_up(
    o: int,
    only: int,
    held: Bool,
    offsets: Int64,
    account: Int32,
    sitting: Int64,
    gap: Int64,
    at: Int64,
    fewest: int,
    free: int,
    tau: float,
    sat: Bool,
    counts: Int64,
    total: Float64,
) -> None:
    """Add an object to the sums of the accounts that are placed in it, the nearest post of each."""
    begin, end = offsets[o], offsets[o + 1]
    who = np.empty(gap.size, np.int64)
    n_who = 0
    for p in range(begin, end):
        a = account[p]
        if (only < 0 and not held[a]) or a == only:
            who[n_who] = (np.int64(a) << 32) | (p - begin)
            n_who += 1
    placed = np.sort(who[:n_who])  # by account, then in order of time
    k = 0
    while k < n_who:
        a = placed[k] >> 32
        first = best = placed[k] & 0xFFFFFFFF
        ways = 0
        while k < n_who and placed[k] >> 32 == a:
            x = placed[k] & 0xFFFFFFFF
            if gap[x] < gap[best]:
                best = x
            ways += 1
            k += 1
        if ways * fewest > tau * free:
            continue
        fresh = not sat[sitting[begin + first]]
        sat[sitting[begin + first]] = True
        counts[a, 0] += 1
        counts[a, 2] += fresh
        value = ways * at[gap[best]] / free
        if value <= tau:
            counts[a, 1] += 1
            if fresh:
                total[a] -= np.log(value / tau)
