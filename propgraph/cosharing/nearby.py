"""Pairs of accounts that stand near each other over two objects or more: the only ones worth measuring."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from propgraph.cosharing.gaps import Gaps
from propgraph.cosharing.incidence import Bool, Incidence, Int32, Int64
from propgraph.encoding import group_offsets, grouped


@dataclass(frozen=True)
class Nearby:
    """The shares over which accounts can be near twice: of such objects, by accounts with two such objects or more.

    Accounts are numbered by their number of these shares. A pair is found in the row of the busier, the hub, so
    that the other's short list is walked later; who that is is told by the two numbers alone.

    Attributes
    ----------
    code
        int32; the account behind each number, the busiest last.
    account, object, first, last
        int32[n]; of each share, sorted by object and time; the account's number, and its tie's positions in the log.
    offsets
        int64[n_objects + 1]; object `o` has the shares `offsets[o]:offsets[o + 1]`.
    limit
        int64[n_objects]; the largest gap looked at.
    start, position
        int64; the number `a` has the shares `position[start[a]:start[a + 1]]`.
    """

    code: Int32
    account: Int32
    object: Int32
    first: Int32
    last: Int32
    offsets: Int64
    limit: Int64
    start: Int64
    position: Int64

    def blocks(self, n_blocks: int, /) -> Int64:
        """Return bounds of blocks of rows, about equal in work."""
        reach = self.limit[self.object] + 1
        work = np.bincount(self.account, weights=reach, minlength=self.code.size)
        total = np.concatenate([[0], np.cumsum(work)])
        cuts = np.searchsorted(total, np.linspace(0, total[-1], n_blocks + 1))
        cuts[0], cuts[-1] = 0, work.size
        return np.unique(cuts).astype(np.int64)

    def candidates(self, first: int, last: int, /) -> tuple[Int32, Int32]:
        """Return hubs and leaves (account codes) of the pairs in a block of rows, hub by hub."""
        hub, leaf = _candidates(
            first, last, self.start, self.position, self.offsets, self.object, self.account, self.first, self.last,
            self.limit,
        )  # fmt: skip
        return self.code[hub], self.code[leaf]


def nearby_of(log: Incidence, gaps: Gaps, /) -> Nearby:
    """Return the shares over which accounts can be near twice, each object's up to its `limit`."""
    kept = shares_that_count(log, gaps.limit > 0)
    account, object_ = log.account[kept], log.object[kept]
    degree = np.bincount(account, minlength=len(log.accounts))
    code = np.argsort(degree, kind="stable").astype(np.int32)
    number = np.empty(code.size, np.int32)
    number[code] = np.arange(code.size, dtype=np.int32)
    account = number[account]
    start, position = grouped(account, code.size)
    first, last = gaps.first[kept].astype(np.int32), gaps.last[kept].astype(np.int32)
    offsets = group_offsets(object_, len(log.objects))
    return Nearby(code, account, object_, first, last, offsets, gaps.limit, start, position)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _n_objects(object_: Int32, account: Int32, counts: Bool, n_accounts: int) -> Int32:
    """Return in how many of the objects that count each account has shares."""
    latest = np.full(n_accounts, -1, np.int32)
    found = np.zeros(n_accounts, np.int32)
    for p in range(object_.size):
        if counts[object_[p]] and latest[account[p]] != object_[p]:
            latest[account[p]] = object_[p]
            found[account[p]] += 1
    return found


def shares_that_count(log: Incidence, counts: Bool, /) -> Bool:
    """Mark the shares of objects that count (bool[n_objects]) by accounts that have two of these or more."""
    found: Bool = counts[log.object]
    found &= (_n_objects(log.object, log.account, counts, len(log.accounts)) >= 2)[log.account]
    return found


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _candidates(
    first_account: int,
    last_account: int,
    start: Int64,
    position: Int64,
    offsets: Int64,
    object_: Int32,
    account: Int32,
    first: Int32,
    last: Int32,
    limit: Int64,
) -> tuple[Int32, Int32]:
    """Return the pairs near over two objects or more in the rows of a block; hub > leaf."""
    latest = np.full((last_account, 2), -1, np.int32)  # the latest object near over, how many so far
    latest[:, 1] = 0
    touched = np.empty(last_account, np.int32)
    hub, leaf = np.empty(1024, np.int32), np.empty(1024, np.int32)
    kept = 0
    for a in range(first_account, last_account):
        used = 0
        for k in range(start[a], start[a + 1]):
            p = position[k]
            o = object_[p]
            bound = offsets[o + 1]
            highest = first[p] + limit[o]
            q = p + 1
            while q < bound and last[q] <= highest:
                b = account[q]
                if b < a and latest[b, 0] != o:
                    if latest[b, 1] == 0:
                        touched[used] = b
                        used += 1
                    latest[b, 0] = o
                    latest[b, 1] += 1
                q += 1
            bound = offsets[o]
            lowest = last[p] - limit[o]
            q = p - 1
            while q >= bound and first[q] >= lowest:
                b = account[q]
                if b < a and latest[b, 0] != o:
                    if latest[b, 1] == 0:
                        touched[used] = b
                        used += 1
                    latest[b, 0] = o
                    latest[b, 1] += 1
                q -= 1
        while kept + used > hub.size:
            hub = np.concatenate((hub, np.empty(hub.size, np.int32)))
            leaf = np.concatenate((leaf, np.empty(leaf.size, np.int32)))
        for k in range(used):
            b = touched[k]
            if latest[b, 1] >= 2:
                hub[kept] = a
                leaf[kept] = b
                kept += 1
            latest[b, 0] = -1
            latest[b, 1] = 0
    return hub[:kept].copy(), leaf[:kept].copy()
