"""Bursts: more accounts at one object within the window than pairs of accounts can be listed of.

A thousand accounts within a minute are one fact, and half a million pairs. Of a larger burst only an even sample of
the pairs is looked at: with the shares of the object in order of time, those a multiple of a step apart, and
neighbours. Which pairs these are depends neither on how near their times are nor on what else the two shared, so that
what is measured of the pairs found speaks for all. A pair that is found is measured over all that both shared, by the
lists of the two, not by walking the burst; a pair that meets outside of bursts is found as ever.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numba import njit

from propgraph.cosharing.incidence import Bool, Incidence, Int32, Int64
from propgraph.schema import TIME

#: So many accounts at one object within the window around a share are still paired one by one. The busiest of the
#: logs at hand have 650 (ten million made-up shares) and 530 (retweets of rumours, 2015) around a minute.
BURST_CAP = 1_000
#: Of a burst each share is looked at together with so many others, at most (and half as many, at least).
PARTNERS = 32
#: What is told of bursts: see `Crowd.table`.
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
    """Which shares stand in a burst.

    Attributes
    ----------
    step
        int32[n_shares]; 1 outside of bursts, else a power of two: two shares of bursts are looked at together where
        their positions differ by 1 or by a multiple of both their steps. Empty where there is no burst.
    after, before
        int32[n_shares]; how far it is to the next share of no burst, as if one stood at either end of the log. Empty
        where there is no burst.
    account
        bool[n_accounts]; has a share in a burst. Empty where there is no burst.
    """

    step: Int32
    after: Int32
    before: Int32
    account: Bool

    def __bool__(self) -> bool:
        return self.step.size > 0

    def table(self, log: Incidence, trace: str, /, *, window_ms: int) -> pl.DataFrame:
        """Return the bursts of a log, by object and time.

        Columns: `trace`, `object_id` (String), `first_time`, `last_time`, `n_accounts`, `n_shares`, `n_pairs` (pairs
        of its posts within the window), `n_looked_at` (those looked at together).
        """
        if not self:
            return NO_BURSTS
        burst, n_pairs, n_looked_at = _told(
            log.offsets, log.time, self.step, self.after, self.before, window_ms
        )
        inside = burst >= 0
        shares = pl.DataFrame(
            {
                "burst": burst[inside],
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

    Parameters
    ----------
    log
        The shares that are to be paired.
    window_ms
        The window in milliseconds; the bound belongs to it.
    burst_cap
        Accounts; 0 for no bound.
    """
    none = np.empty(0, np.int32)
    if burst_cap == 0 or np.diff(log.offsets).max(initial=0) <= burst_cap:
        return Crowd(none, none, none, np.empty(0, np.bool_))
    step = _steps(log.offsets, log.account, log.time, window_ms, burst_cap, PARTNERS, len(log.accounts))
    crowded = step > 1
    if not crowded.any():
        return Crowd(none, none, none, np.empty(0, np.bool_))
    account = np.bincount(log.account[crowded], minlength=len(log.accounts)) > 0
    after, before = _hops(step)
    return Crowd(step, after, before, account)


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


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _steps(
    offsets: Int64,
    account: Int32,
    time: Int64,
    window_ms: int,
    burst_cap: int,
    partners: int,
    n_accounts: int,
) -> Int32:
    """Return 1 for each share outside of bursts, else the least power of two that leaves `partners` in its window."""
    step = np.ones(account.size, np.int32)
    posts = np.zeros(n_accounts, np.int64)  # of each account, in the window around the share
    for o in range(offsets.size - 1):
        low = high = offsets[o]
        if offsets[o + 1] - low <= burst_cap:
            continue
        n = 0
        for p in range(offsets[o], offsets[o + 1]):
            while high < offsets[o + 1] and time[high] - time[p] <= window_ms:
                n += posts[account[high]] == 0
                posts[account[high]] += 1
                high += 1
            while time[p] - time[low] > window_ms:
                posts[account[low]] -= 1
                n -= posts[account[low]] == 0
                low += 1
            if n > burst_cap:
                step[p] = 2
                while step[p] * partners < high - low:
                    step[p] *= 2
        for p in range(low, high):
            posts[account[p]] = 0
    return step


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _hops(step: Int32) -> tuple[Int32, Int32]:
    """Return how far it is from each share to the next of no burst, after it and before it."""
    n = step.size
    after, before = np.ones(n, np.int32), np.ones(n, np.int32)
    for p in range(1, n):
        if step[p - 1] > 1:
            before[p] = before[p - 1] + 1
    for p in range(n - 2, -1, -1):
        if step[p + 1] > 1:
            after[p] = after[p + 1] + 1
    return after, before


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def looked_at(
    p: int,
    begin: int,
    end: int,
    time: Int64,
    window_ms: int,
    step: Int32,
    after: Int32,
    before: Int32,
    found: Int64,
) -> int:
    """Fill `found` with the positions of the shares that share `p` of a burst is looked at with; return how many.

    `begin` and `end` bound the object; `found` has room for all its shares.
    """
    n = 0
    own = step[p]
    for side in (1, -1):
        distance = 1
        while begin <= p + side * distance < end and abs(time[p + side * distance] - time[p]) <= window_ms:
            other = step[p + side * distance]
            if other > 1 and (distance == 1 or distance % other == 0):
                found[n] = p + side * distance
                n += 1
            distance += own - 1 if distance == 1 else own
        q = p + after[p] if side == 1 else p - before[p]
        while begin <= q < end and abs(time[q] - time[p]) <= window_ms:
            found[n] = q
            n += 1
            q += after[q] if side == 1 else -before[q]
    return n


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _told(
    offsets: Int64, time: Int64, step: Int32, after: Int32, before: Int32, window_ms: int
) -> tuple[Int64, Int64, Int64]:
    """Return each share's burst (-1: none), and with how many later shares of bursts it could pair, and is looked at.

    A burst ends where the next share of one is beyond the window.
    """
    burst = np.full(step.size, -1, np.int64)
    n_pairs, n_looked_at = np.zeros(step.size, np.int64), np.zeros(step.size, np.int64)
    number = -1
    for o in range(offsets.size - 1):
        begin, end = offsets[o], offsets[o + 1]
        high = begin
        inside = 0  # shares of bursts in begin..high
        latest = -1
        for p in range(begin, end):
            if step[p] == 1:
                continue
            if latest < 0 or time[p] - time[latest] > window_ms:
                number += 1
            latest = p
            burst[p] = number
        passed = 0  # shares of bursts in begin..p
        found = np.empty(end - begin if latest >= 0 else 0, np.int64)
        for p in range(begin, end):
            if step[p] == 1:
                continue
            passed += 1
            while high < end and time[high] - time[p] <= window_ms:
                inside += step[high] > 1
                high += 1
            n_pairs[p] = inside - passed
            for k in range(looked_at(p, begin, end, time, window_ms, step, after, before, found)):
                n_looked_at[p] += found[k] > p and step[found[k]] > 1
    return burst, n_pairs, n_looked_at


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def measure_by_lists(
    a: int,
    others: Int32,
    row: Int64,
    start: Int64,
    position: Int64,
    offsets: Int64,
    object_: Int32,
    whole: Int32,
    time: Int64,
    told: Int64,
    post: Int64,
    window_ms: int,
    fast_ms: int,
) -> None:
    """Fill n_events, n_objects, sum_ms, fast, first, last of account `a` and each of `others`, by their lists.

    The columns are those of `window._measure`. The shorter list is walked, object by object, and each object looked
    up in the longer one.
    """
    row[:, :] = 0
    for k in range(others.size):
        short, long = a, others[k]
        if start[short + 1] - start[short] > start[long + 1] - start[long]:
            short, long = long, short
        own, other = position[start[short] : start[short + 1]], position[start[long] : start[long + 1]]
        i = 0
        latest = -1
        while i < own.size:
            o = object_[own[i]]
            w = whole[o] if whole.size else o
            low = np.searchsorted(other, offsets[o])
            end = offsets[o + 1]
            n_before = row[k, 2]
            while i < own.size and own[i] < end:
                p = own[i]
                while low < other.size and other[low] < end and time[p] - time[other[low]] > window_ms:
                    low += 1
                j = low
                while j < other.size and other[j] < end and time[other[j]] - time[p] <= window_ms:
                    q = other[j]
                    if post.size == 0 or post[p] != post[q]:
                        _add(row[k], time[p], time[q], abs(told[q] - told[p]) <= fast_ms)
                    j += 1
                i += 1
            if row[k, 2] > n_before and latest != w:
                latest = w
                row[k, 3] += 1


@njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator]
def _add(sums: Int64, t: int, u: int, fast: bool) -> None:
    """Add a pair of posts to the sums of a pair of accounts."""
    if sums[2] == 0:
        sums[6] = min(t, u)
        sums[7] = max(t, u)
    sums[2] += 1
    sums[4] += abs(u - t)
    sums[5] += fast
    sums[6] = min(sums[6], t, u)
    sums[7] = max(sums[7], t, u)
