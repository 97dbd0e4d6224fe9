"""How many pairs of accounts could have been found: all that share two objects or more that carry anything."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numba import njit

from propgraph.arrays.encoding import grouped
from propgraph.arrays.incidence import Incidence
from propgraph.arrays.types import Bool, Float64, Int32, Int64
from propgraph.synchrony.candidates import shares_that_count

#: Posts looked at before the number of pairs is estimated from a sample of accounts.
BUDGET = 200_000_000


@dataclass(frozen=True)
class NumberOfTests:
    """The number of pairs that were tested, over near or not.

    Attributes
    ----------
    total
        Pairs that share two such objects or more; where it is estimated, two standard errors are added, which errs
        to the safe side.
    counted
        It was counted, not estimated.
    """

    total: float
    counted: bool


def count_tests(
    log: Incidence, carries: Bool, /, *, seed: int = 0, threads: int, budget: int = BUDGET
) -> NumberOfTests:
    """Count or estimate the pairs of accounts that share two objects or more.

    Looking at all posts of all objects of an account finds its partners. Where that is too much to do for all,
    accounts are drawn with a chance proportional to the work that they make (Horvitz and Thompson's estimate),
    since those of most work have most partners.

    Parameters
    ----------
    log
        All shares of the trace.
    carries
        bool[n_objects]; the objects that count.
    seed
        Seed of the draw.
    threads
        At most so many at once.
    budget
        Posts looked at, at most (about).

    References
    ----------
    Horvitz and Thompson, "A Generalization of Sampling Without Replacement", JASA 47 (1952).
    """
    log = log.keep(shares_that_count(log, carries))
    start, position = grouped(log.account, len(log.accounts))
    size = np.diff(log.offsets).astype(np.float64)
    work = np.bincount(log.account, weights=size[log.object], minlength=len(log.accounts)).astype(np.float64)
    chance = _chances(work, budget)
    drawn = np.flatnonzero(np.random.default_rng(seed).random(work.size) < chance)
    cuts = np.unique(
        np.searchsorted(np.cumsum(work[drawn]), np.linspace(0, work[drawn].sum(), 16 * threads + 1)[1:-1])
    )
    blocks = np.split(drawn, cuts)

    def run(accounts: Int64) -> Int64:
        found: Int64 = _partners(accounts, start, position, log.offsets, log.object, log.account)
        return found

    with ThreadPoolExecutor(threads) as pool:
        partners = np.concatenate([np.empty(0, np.int64), *pool.map(run, blocks)]).astype(np.float64)
    total = (partners / chance[drawn]).sum() / 2
    variance = (partners**2 * (1 - chance[drawn]) / chance[drawn] ** 2).sum() / 4
    return NumberOfTests(float(total + 2 * np.sqrt(variance)), bool((chance[work > 0] >= 1).all()))


def _chances(work: Float64, budget: int) -> Float64:
    """Return the chance of each account to be drawn: proportional to its work, so that the sum keeps the budget."""
    if work.sum() <= budget:
        return (work > 0).astype(np.float64)
    low, high = 0.0, 1.0 / work[work > 0].min()
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if (np.minimum(middle * work, 1) * work).sum() <= budget else (low, middle)
    return np.minimum(low * work, 1)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _partners(
    accounts: Int64, start: Int64, position: Int64, offsets: Int64, object_: Int32, account: Int32
) -> Int64:
    """Return with how many others each of `accounts` shares two objects or more."""
    latest = np.full((start.size - 1, 2), -1, np.int32)  # the latest object shared, how many so far
    latest[:, 1] = 0
    touched = np.empty(start.size - 1, np.int32)
    found = np.zeros(accounts.size, np.int64)
    # At the top no account has a count: each row leaves `latest` as it found it.
    for row in range(accounts.size):
        a = accounts[row]
        used = 0
        seen = -1
        # The account's shares stand object by object; of several of one object the first alone is looked at.
        for k in range(start[a], start[a + 1]):
            o = object_[position[k]]
            if o == seen:
                continue
            seen = o
            # Everybody who posted the object, near or not; of several posts by one account the first alone counts.
            for q in range(offsets[o], offsets[o + 1]):
                b = account[q]
                if b != a and latest[b, 0] != o:
                    latest[b, 0] = o
                    if latest[b, 1] == 0:
                        touched[used] = b
                        used += 1
                    latest[b, 1] += 1
        # A partner is testable from two objects on: with one alone nothing can be combined.
        for k in range(used):
            found[row] += latest[touched[k], 1] >= 2
            latest[touched[k], 0] = -1
            latest[touched[k], 1] = 0
    return found
