"""Candidate pairs: accounts near each other in rank over two objects or more, the only ones worth measuring.

All posts of a tie are equally near each other, and a crowd that posts at once, again and again, makes more pairs than
memory holds. So of a tie of more than 128 posts a sample of the pairs is looked at: accounts are dealt into cells,
twice over, as in `bursts`, and two accounts of one cell are a pair of the sample. A pair that is found has the same
p-value as without sampling, since that depends on its own posts only. Pairs that are not looked at count as tests that
found nothing: the number of tests stays that of all pairs (see `testable`), and the cells depend on the accounts' codes
alone, not on their times. So sampling can only raise the q-values of the pairs found. What it costs is power.
Pairs in a burst up to `--burst-cap` are edges, all of which are tested, looked at here or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from propgraph.arrays.encoding import group_offsets, grouped
from propgraph.arrays.incidence import Incidence
from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import Bool, Int32, Int64, UInt64
from propgraph.cosharing.bursts import cells_for, in_one_cell, shuffled_all
from propgraph.synchrony.gaps import Gaps, chance_at

#: Posts of one object and time of which all pairs are still looked at.
WHOLE_TIE = 128


@dataclass(frozen=True)
class Candidates:
    """Candidate pairs: the shares that can produce one.

    Their object can put two posts near each other, and their account has two such objects or more.

    Accounts are numbered by their number of these shares. A pair is found in the row of the busier, the hub, so
    that the other's short list is walked later; the larger of two numbers is the hub.

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
    cells
        int32[n]; into how many cells the accounts of each share's tie are dealt, 1 for a tie that is looked at whole.
        Two shares are looked at together if their accounts fall into one cell of the larger tie's. Empty where all
        ties are whole.
    bits
        uint64; by which the account behind each number is dealt. Empty with `cells`.
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
    cells: Int32
    bits: UInt64

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
            self.limit, self.cells, self.bits,
        )  # fmt: skip
        return self.code[hub], self.code[leaf]


def candidates_of(log: Incidence, gaps: Gaps, /) -> Candidates:
    """Return the shares that can produce a candidate pair, and how to walk each object's up to its `limit`."""
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
    cells, bits = _dealt(first, last, code)
    return Candidates(code, account, object_, first, last, offsets, gaps.limit, start, position, cells, bits)


def _dealt(first: Int32, last: Int32, code: Int32) -> tuple[Int32, UInt64]:
    """Return the cells of each share's tie and the bits of each number's account; both empty if all ties are whole."""
    size = (last - first + 1).astype(np.float64)
    if size.max(initial=0) <= WHOLE_TIE:
        return np.empty(0, np.int32), np.empty(0, np.uint64)
    return np.where(size > WHOLE_TIE, cells_for(size), 1).astype(np.int32), shuffled_all(code)


def sampled_ties(
    log: Incidence, gaps: Gaps, /, *, tau: float, nearby: Candidates | None = None
) -> dict[str, int]:
    """Count the ties of which a sample is looked at, though their posts can be near (a chance of at most `tau`).

    Parameters
    ----------
    log, gaps
        Of one trace.
    tau
        As in `gaps`.
    nearby
        What `candidates_of` makes of both, if it is there already.

    Returns
    -------
    dict
        `n_ties`; `n_posts` in these, by accounts that can be near others twice; `n_pairs` of such posts; `n_looked_at`
        of these, none in a tie beyond the largest gap looked at.
    """
    nearby = nearby or candidates_of(log, gaps)
    counts = np.zeros(4, np.int64)
    if nearby.cells.size:
        large = np.flatnonzero(nearby.cells > 1)
        tie, start = np.unique(nearby.first[large], return_index=True)
        bounds = np.append(start, large.size)
        n = np.diff(log.offsets)
        for k in range(tie.size):
            p = large[start[k]]
            o, gap = nearby.object[p], int(nearby.last[p] - nearby.first[p])
            if chance_at(gap, o, n[o], gaps.counted, gaps.chance) > tau:
                continue
            # Pairs that are found together are counted by how many accounts fell into each cell.
            bits = nearby.bits[nearby.account[large[bounds[k] : bounds[k + 1]]]]
            near = gap <= nearby.limit[o]
            counts += (
                1,
                bits.size,
                bits.size * (bits.size - 1) // 2,
                near * _in_cells(bits, nearby.cells[p]),
            )
    return dict(zip(("n_ties", "n_posts", "n_pairs", "n_looked_at"), counts.tolist(), strict=True))


def ties_note(ties: Mapping[str, Mapping[str, int]], /) -> str | None:
    """Return what a reader has to know of the ties sampled in each trace (see `sampled_ties`); None without any."""
    n, posts, pairs, looked_at = (
        sum(told[name] for told in ties.values()) for name in ("n_ties", "n_posts", "n_pairs", "n_looked_at")
    )
    if not n:
        return None
    return (
        f"{n:,} {'tie' if n == 1 else 'ties'} of more than {WHOLE_TIE:,} posts of one object and time ({posts:,} posts "
        f"in all): of {pairs:,} pairs of these, {looked_at:,}, spread evenly, are looked at for synchrony, and all "
        "that are edges; build --burst-cap 0 (in Python: burst_cap=0) makes all of them edges, in time and memory that "
        "grow with their number"
    )


def _in_cells(bits: UInt64, cells: int) -> int:
    """Count the pairs that `in_one_cell` finds: those of either deal, less those of both."""
    mask = np.uint64(cells - 1)
    one, other = bits & mask, (bits >> np.uint64(32)) & mask
    found = [np.unique(key, return_counts=True)[1] for key in (one, other, one << np.uint64(32) | other)]
    first, second, both = (int((n * (n - 1) // 2).sum()) for n in found)
    return first + second - both


@kernel
def _n_objects(object_: Int32, account: Int32, counts: Bool, n_accounts: int) -> Int32:
    """Return in how many of the objects that count each account has shares."""
    latest = np.full(n_accounts, -1, np.int32)
    found = np.zeros(n_accounts, np.int32)
    # Shares lie object by object: an object is new to an account unless it is the account's latest.
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


@kernel
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
    cells: Int32,
    bits: UInt64,
) -> tuple[Int32, Int32]:
    """Return the pairs near over two objects or more in the rows of a block; hub > leaf."""
    latest = np.full((last_account, 2), -1, np.int32)  # the latest object near over, how many so far
    latest[:, 1] = 0
    touched = np.empty(last_account, np.int32)
    hub, leaf = np.empty(1024, np.int32), np.empty(1024, np.int32)
    kept = 0
    # At the top no account has a count: each row leaves `latest` as it found it.
    for a in range(first_account, last_account):
        used = _count_near(
            a, start, position, offsets, object_, account, first, last, limit, cells, bits, latest, touched
        )
        # Room for the whole row first, for hardly any of its leaves are kept.
        while kept + used > hub.size:
            hub = np.concatenate((hub, np.empty(hub.size, np.int32)))
            leaf = np.concatenate((leaf, np.empty(leaf.size, np.int32)))
        kept = _keep_twice_near(a, touched[:used], latest, hub, leaf, kept)
    return hub[:kept].copy(), leaf[:kept].copy()


@kernel
def _count_near(
    a: int,
    start: Int64,
    position: Int64,
    offsets: Int64,
    object_: Int32,
    account: Int32,
    first: Int32,
    last: Int32,
    limit: Int64,
    cells: Int32,
    bits: UInt64,
    latest: Int32,
    touched: Int32,
) -> int:
    """Count in `latest` over how many objects leaves are near hub `a`, list these in `touched`; return how many."""
    used = 0
    # The hub's shares lie object by object: an object is new to a leaf unless it is the leaf's latest.
    for k in range(start[a], start[a + 1]):
        p = position[k]
        o = object_[p]
        end = offsets[o + 1]
        highest = first[p] + limit[o]
        q = p + 1
        # Gaps only grow on the way: the first share beyond the limit ends the walk.
        while q < end and last[q] <= highest:
            b = account[q]
            # Of each pair the account of the lower number is the leaf, so that no pair is counted twice.
            if (
                b < a
                and latest[b, 0] != o
                and (cells.size == 0 or in_one_cell(bits[a], bits[b], max(cells[p], cells[q])))
            ):
                if latest[b, 1] == 0:
                    touched[used] = b
                    used += 1
                latest[b, 0] = o
                latest[b, 1] += 1
            q += 1
        begin = offsets[o]
        lowest = last[p] - limit[o]
        q = p - 1
        # The same towards earlier shares. (One loop for both directions took a twentieth longer.)
        while q >= begin and first[q] >= lowest:
            b = account[q]
            if (
                b < a
                and latest[b, 0] != o
                and (cells.size == 0 or in_one_cell(bits[a], bits[b], max(cells[p], cells[q])))
            ):
                if latest[b, 1] == 0:
                    touched[used] = b
                    used += 1
                latest[b, 0] = o
                latest[b, 1] += 1
            q -= 1
    return used


@kernel
def _keep_twice_near(a: int, touched: Int32, latest: Int32, hub: Int32, leaf: Int32, kept: int) -> int:
    """Keep the leaves that are near hub `a` over two objects, leave no count, and return how many pairs are kept."""
    for b in touched:
        # One object is not enough: a pair is tested over two objects or more.
        if latest[b, 1] >= 2:
            hub[kept] = a
            leaf[kept] = b
            kept += 1
        latest[b, 0] = -1
        latest[b, 1] = 0
    return kept
