"""Bursts: more accounts at one object within the window than pairs of accounts can be listed of.

A thousand accounts within a minute are one fact, and half a million pairs. Of a larger burst only an even sample of
the pairs is looked at: accounts are dealt into cells, twice over, and shares of two accounts that were dealt into one
cell are looked at together. Which accounts these are depends neither on how near their times are nor on what they
shared, so that what is measured of the pairs found speaks for all; and it is the same in all bursts, so that a crowd
that comes together again and again gives as many edges as one that does so twice. A pair that is found is measured
over all that both shared, by the lists of the two, not by walking the burst; a pair that meets outside of bursts is
found as ever.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from propgraph.arrays.encoding import largest, longest_part
from propgraph.arrays.incidence import Incidence
from propgraph.arrays.kernels import inlined, kernel
from propgraph.arrays.types import Bool, Float64, Int32, Int64, UInt64
from propgraph.schema import TIME

#: Of a burst each share is looked at together with so many others of each of its two cells, on average.
PARTNERS = 16
#: What is reported of bursts: see `Crowd.table`.
NO_BURSTS = pl.DataFrame(
    schema={
        "trace": pl.String,
        "object_id": pl.String,
        "first_time": TIME,
        "last_time": TIME,
        "n_accounts": pl.Int64,
        "n_shares": pl.Int64,
        "n_pairs": pl.Int64,
        "n_looked_at": pl.Int64,
    }
)


@dataclass(frozen=True)
class Crowd:
    """Which shares stand in a burst, and which of these are looked at together. Empty where there is no burst.

    Attributes
    ----------
    burst
        int32[n_shares]; the number of the share's burst, by object and time; -1 outside of bursts.
    cell
        int32[n_shares, 2]; the cells of its burst into which the share's account is dealt.
    later, earlier
        int32[n_shares, 2]; how far it is to the next share of the same burst and cell, and the one before; 0: none.
    after, before
        int32[n_shares]; how far it is to the next share of no burst, as if one stood at either end of the log.
    account
        bool[n_accounts]; has a share in a burst.
    """

    burst: Int32
    cell: Int32
    later: Int32
    earlier: Int32
    after: Int32
    before: Int32
    account: Bool

    def __bool__(self) -> bool:
        return self.burst.size > 0

    @property
    def inside(self) -> Bool:
        """Shares in bursts."""
        found: Bool = self.burst >= 0
        return found

    def table(self, log: Incidence, trace: str, /, *, window_ms: int) -> pl.DataFrame:
        """Return the bursts of a log, by object and time.

        Columns: `trace`, `object_id` (String), `first_time`, `last_time`, `n_accounts`, `n_shares`, `n_pairs` (pairs
        of its posts within the window), `n_looked_at` (those looked at together).
        """
        if not self:
            return NO_BURSTS
        n_pairs, n_looked_at = _counts(
            log.offsets, log.object, log.time, self.burst, self.cell, self.later, self.earlier, self.after,
            self.before, window_ms,
        )  # fmt: skip
        inside = self.inside
        shares = pl.DataFrame(
            {
                "burst": self.burst[inside],
                "object": log.object[inside],
                "account": log.account[inside],
                "time": pl.Series(log.time[inside]).cast(TIME),
                "n_pairs": n_pairs[inside],
                "n_looked_at": n_looked_at[inside],
            }
        )
        table = shares.group_by("burst").agg(
            pl.col("object").first(),
            first_time=pl.col("time").min(),
            last_time=pl.col("time").max(),
            n_accounts=pl.col("account").n_unique().cast(pl.Int64),
            n_shares=pl.len().cast(pl.Int64),
            n_pairs=pl.col("n_pairs").sum(),
            n_looked_at=pl.col("n_looked_at").sum(),
        )
        labels = log.objects.cast(pl.String).gather(table.sort("burst")["object"])
        return (
            table.sort("burst").with_columns(trace=pl.lit(trace), object_id=labels).select(NO_BURSTS.columns)
        )


def crowd_of(log: Incidence, /, *, window_ms: int, burst_cap: int) -> Crowd:
    """Return which shares have more than `burst_cap` accounts around them, at their object within the window.

    A burst ends where the next such share is beyond the window.

    Parameters
    ----------
    log
        The shares that are to be paired.
    window_ms
        The window in milliseconds; the bound belongs to it.
    burst_cap
        Accounts; 0 for no bound.
    """
    one, two = np.empty(0, np.int32), np.empty((0, 2), np.int32)
    nobody = Crowd(one, two, two, two, one, one, np.empty(0, np.bool_))
    if burst_cap == 0 or np.diff(log.offsets).max(initial=0) <= burst_cap:
        return nobody
    n_accounts = len(log.accounts)
    burst, n_near = _bursts(log.offsets, log.account, log.time, window_ms, burst_cap, n_accounts)
    inside = burst >= 0
    if not inside.any():
        return nobody
    crowding = np.bincount(burst[inside], n_near[inside]) / np.bincount(burst[inside])
    cell, later, earlier = _dealt(log.account, burst, cells_for(crowding))
    after, before = _hops(burst)
    account = np.bincount(log.account[inside], minlength=n_accounts) > 0
    return Crowd(burst, cell, later, earlier, after, before, account)


def cells_for(crowding: Float64, /) -> Int64:
    """Return as many cells, powers of two, as leave a share `PARTNERS` of `crowding` others in its cell, at most."""
    cells: Int64 = (2 ** np.ceil(np.log2(np.maximum(crowding / PARTNERS, 1)))).astype(np.int64)
    return cells


def bursts_note(bursts: pl.DataFrame, /, *, burst_cap: int, time_window: float) -> str | None:
    """Return what a reader has to know of bursts (see `Crowd.table`); None without any."""
    if bursts.is_empty():
        return None
    n, most, pairs, looked_at = bursts.select(
        pl.len(), pl.col("n_accounts").max(), pl.col("n_pairs").sum(), pl.col("n_looked_at").sum()
    ).row(0)
    return (
        f"{n:,} {'burst' if n == 1 else 'bursts'} of more than {burst_cap:,} accounts at one object within "
        f"{time_window:g} s (the largest: {most:,}): of {pairs:,} pairs of posts there, {looked_at:,}, spread evenly, "
        "are looked at for edges; --burst-cap 0 (in Python: burst_cap=0) looks at all, in time and memory that grow "
        "with their number"
    )


@kernel
def _bursts(
    offsets: Int64, account: Int32, time: Int64, window_ms: int, burst_cap: int, n_accounts: int
) -> tuple[Int32, Int64]:
    """Return the burst of each share (-1: none), and how many shares stand in its window."""
    burst = np.full(account.size, -1, np.int32)
    n_near = np.zeros(account.size, np.int64)
    posts = np.zeros(n_accounts, np.int64)  # of each account, in the window around the share
    number = -1  # of the latest burst; none yet
    # At the top `posts` is 0 for all accounts: each object leaves it so.
    for o in range(offsets.size - 1):
        low = high = offsets[o]
        if offsets[o + 1] - low <= burst_cap:
            continue
        n = 0
        latest = -1
        # The window around p holds the shares `low:high`, of n accounts. Times rise from p to p, so neither bound
        # ever goes back, and each share enters once and leaves once.
        for p in range(offsets[o], offsets[o + 1]):
            while high < offsets[o + 1] and time[high] - time[p] <= window_ms:
                n += posts[account[high]] == 0
                posts[account[high]] += 1
                high += 1
            while time[p] - time[low] > window_ms:
                posts[account[low]] -= 1
                n -= posts[account[low]] == 0
                low += 1
            # A burst goes on while its shares follow each other within the window; else this one begins the next.
            if n > burst_cap:
                number += latest < 0 or time[p] - time[latest] > window_ms
                latest = p
                burst[p] = number
                n_near[p] = high - low
        # What the last window still holds is taken out.
        for p in range(low, high):
            posts[account[p]] = 0
    return burst, n_near


@kernel
def _dealt(account: Int32, burst: Int32, cells: Int64) -> tuple[Int32, Int32, Int32]:
    """Return the two cells of each share of a burst, and how far it is to the next and the last of each.

    Accounts are dealt by a shuffle of their codes: whose names stand side by side need not meet in a cell.
    """
    cell = np.full((account.size, 2), -1, np.int32)
    later, earlier = np.zeros((account.size, 2), np.int32), np.zeros((account.size, 2), np.int32)
    latest = np.full((largest(cells), 2), -1, np.int64)
    number = -1
    # `latest` holds the last share in each cell of the burst `number`, in either deal; a new burst begins with none.
    for p in range(account.size):
        if burst[p] < 0:
            continue
        if burst[p] != number:
            number = burst[p]
            latest[:, :] = -1
        mixed = shuffled(np.uint64(account[p]))
        # The two deals take different halves of the bits, so that one says nothing of the other.
        for deal in range(2):
            drawn = mixed & np.uint64(0xFFFFFFFF) if deal == 0 else mixed >> np.uint64(32)
            c = np.int64(drawn) & (cells[number] - 1)
            cell[p, deal] = c
            if latest[c, deal] >= 0:
                earlier[p, deal] = p - latest[c, deal]
                later[latest[c, deal], deal] = p - latest[c, deal]
            latest[c, deal] = p
    return cell, later, earlier


@kernel
def shuffled_all(keys: Int32) -> UInt64:
    """Return `shuffled` of each key: bits by which accounts are dealt, 32 for each of the two deals."""
    found = np.empty(keys.size, np.uint64)
    for k in range(keys.size):
        found[k] = shuffled(np.uint64(keys[k]))
    return found


@inlined
def in_one_cell(bits: np.uint64, other: np.uint64, cells: int) -> bool:
    """Tell whether two accounts are dealt into one of `cells` cells (a power of two), in either deal."""
    apart = bits ^ other
    mask = np.uint64(cells - 1)
    return bool(apart & mask == 0 or (apart >> np.uint64(32)) & mask == 0)


@inlined
def shuffled(key: np.uint64) -> np.uint64:
    """Return `key` with its bits spread, one to one (SplitMix64: the golden ratio added, then the finaliser)."""
    key = key + np.uint64(0x9E3779B97F4A7C15)
    key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return key ^ (key >> np.uint64(31))


@kernel
def _hops(burst: Int32) -> tuple[Int32, Int32]:
    """Return how far it is from each share to the next of no burst, after it and before it."""
    n = burst.size
    after, before = np.ones(n, np.int32), np.ones(n, np.int32)
    # Next to a share of no burst it is one step; next to one in a burst, a step more than from there.
    for p in range(1, n):
        if burst[p - 1] >= 0:
            before[p] = before[p - 1] + 1
    for p in range(n - 2, -1, -1):
        if burst[p + 1] >= 0:
            after[p] = after[p + 1] + 1
    return after, before


@kernel
def looked_at(
    p: int,
    begin: int,
    end: int,
    time: Int64,
    window_ms: int,
    cell: Int32,
    later: Int32,
    earlier: Int32,
    after: Int32,
    before: Int32,
    found: Int64,
) -> int:
    """Fill `found` with the positions of the shares that share `p` of a burst is looked at with; return how many.

    `begin` and `end` bound the object; `found` has room for all its shares.
    """
    n = 0
    for forward in (True, False):
        # First those in p's cells of the burst, along the chain of each deal, away from p: times only grow apart.
        for deal in range(2):
            q = p
            while True:
                far = later[q, deal] if forward else earlier[q, deal]
                q += far if forward else -far
                if far == 0 or abs(time[q] - time[p]) > window_ms:
                    break
                # Who shares both cells with p was found in the first deal.
                if deal == 0 or cell[q, 0] != cell[p, 0]:
                    found[n] = q
                    n += 1
        # Then all shares of no burst: with these each share of a burst is looked at.
        q = p + after[p] if forward else p - before[p]
        while begin <= q < end and abs(time[q] - time[p]) <= window_ms:
            found[n] = q
            n += 1
            q += after[q] if forward else -before[q]
    return n


@kernel
def _counts(
    offsets: Int64,
    object_: Int32,
    time: Int64,
    burst: Int32,
    cell: Int32,
    later: Int32,
    earlier: Int32,
    after: Int32,
    before: Int32,
    window_ms: int,
) -> tuple[Int64, Int64]:
    """Return with how many later shares of its burst each share could pair, and is looked at together."""
    n_pairs, n_looked_at = np.zeros(burst.size, np.int64), np.zeros(burst.size, np.int64)
    found = np.empty(longest_part(offsets), np.int64)
    high = 0
    inside = 0  # shares of bursts before `high`
    passed = 0  # shares of bursts up to p
    # Within an object times rise from p to p, so `high` never goes back; in the next it begins with the object.
    for p in range(burst.size):
        if burst[p] < 0:
            continue
        o = object_[p]
        if high < offsets[o]:
            high = offsets[o]
            inside = passed
        passed += 1
        while high < offsets[o + 1] and time[high] - time[p] <= window_ms:
            inside += burst[high] >= 0
            high += 1
        # Only later shares count, so that each pair counts once.
        n_pairs[p] = inside - passed
        for k in range(
            looked_at(
                p, offsets[o], offsets[o + 1], time, window_ms, cell, later, earlier, after, before, found
            )
        ):
            n_looked_at[p] += found[k] > p and burst[found[k]] >= 0
    return n_pairs, n_looked_at
