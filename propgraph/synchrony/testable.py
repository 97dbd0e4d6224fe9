"""How many pairs of accounts could have been found: all that share two objects or more that carry anything.

Most of them share two or three objects, in which not even the least gaps would make a pair stand out among millions:
nothing can come of these tests, and each costs all others a part of the false discovery rate. So tests weigh by what
they could show: the **reach** of a pair is the sum of -ln(least chance / tau) over the objects that both shared, which
who shared what decides, not when. Those whose least possible p-value is at most one over the number of tests share
nine tenths of the weight, all tests together the other tenth. Weights that do not depend on times, and are 1 on
average at most, leave the rate valid (Genovese et al.; the idea that tests which cannot reach need not count is
Tarone's).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from propgraph.arrays.encoding import grouped
from propgraph.arrays.incidence import Incidence
from propgraph.arrays.kernels import kernel
from propgraph.arrays.p_values import truncated_product
from propgraph.arrays.types import Float64, Int32, Int64
from propgraph.synchrony.candidates import shares_that_count

#: Posts looked at before the number of pairs is estimated from a sample of accounts.
BUDGET = 200_000_000
#: The part of all weight that those tests share which could reach far enough.
SURE_PART = 0.9
# Pairs are counted by their number of objects, up to so many, and by their reach in steps of 1.
_MOST_OBJECTS, _MOST_REACH = 64, 128
# Blocks of accounts, whatever the threads: sums of floats depend on how they are cut.
_BLOCKS = 64


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
    able
        How many of them could reach a p-value of 1 / `total`.
    least_reach
        float64[65]; the reach that it takes, by the number of objects shared.
    """

    total: float
    counted: bool
    able: float
    least_reach: Float64

    @classmethod
    def told(cls, *, total: float, able: float, tau: float) -> NumberOfTests:
        """Return the number of tests that `record` told of."""
        return cls(total, True, able, reach_for(1 / max(total, 1.0), tau))

    def record(self, *, tau: float) -> dict[str, float]:
        """Return what `run.json` tells of the tests."""
        return {"total": self.total, "able": self.able, "tau": tau}

    def weights(self, n_objects: Int64, reach: Float64, /) -> Float64:
        """Return how much tests weigh, by the number of objects that each pair shares and its reach.

        Where half of all tests or more could reach far enough all weigh 1.
        """
        if self.able <= 0 or 2 * self.able >= self.total:
            return np.ones(reach.size)
        able = reach >= self.least_reach[np.minimum(n_objects, _MOST_OBJECTS)]
        found: Float64 = np.where(able, SURE_PART * self.total / self.able, 0.0) + (1 - SURE_PART)
        return found


def count_tests(
    log: Incidence, least: Float64, /, *, tau: float, seed: int = 0, threads: int, budget: int = BUDGET
) -> NumberOfTests:
    """Count or estimate the pairs of accounts that share two objects or more.

    Looking at all posts of all objects of an account finds its partners. Where that is too much to do for all,
    accounts are drawn with a chance proportional to the work that they make (Horvitz and Thompson's estimate),
    since those of most work have most partners.

    Parameters
    ----------
    log
        All shares of the trace.
    least
        float64[n_objects]; the least chance that two posts of each can have: those up to `tau` count.
    tau
        Chance up to which two posts count as near.
    seed
        Seed of the draw.
    threads
        At most so many at once.
    budget
        Posts looked at, at most (about).

    References
    ----------
    Horvitz and Thompson, "A Generalization of Sampling Without Replacement", JASA 47 (1952); Tarone, "A Modified
    Bonferroni Method for Discrete Data", Biometrics 46 (1990); Genovese, Roeder and Wasserman, "False Discovery Control
    with p-Value Weighting", Biometrika 93 (2006).
    """
    carries = least <= tau
    worth = np.where(carries, np.log(tau / np.maximum(least, 1e-300)), 0.0)
    log = log.keep(shares_that_count(log, carries))
    start, position = grouped(log.account, len(log.accounts))
    size = np.diff(log.offsets).astype(np.float64)
    work = np.bincount(log.account, weights=size[log.object], minlength=len(log.accounts)).astype(np.float64)
    chance = _chances(work, budget)
    drawn = np.flatnonzero(np.random.default_rng(seed).random(work.size) < chance)
    cuts = np.unique(
        np.searchsorted(np.cumsum(work[drawn]), np.linspace(0, work[drawn].sum(), _BLOCKS + 1)[1:-1])
    )
    blocks = np.split(drawn, cuts)

    def run(accounts: Int64) -> tuple[Int64, Float64]:
        found: tuple[Int64, Float64] = _partners(
            accounts, 1 / chance[accounts], start, position, log.offsets, log.object, log.account, worth
        )
        return found

    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(run, blocks))
    partners = np.concatenate([np.empty(0, np.int64), *(part for part, _ in found)]).astype(np.float64)
    by_reach = np.zeros((_MOST_OBJECTS + 1, _MOST_REACH))
    for _, part in found:
        by_reach += part / 2
    total = (partners / chance[drawn]).sum() / 2
    variance = (partners**2 * (1 - chance[drawn]) / chance[drawn] ** 2).sum() / 4
    safe = float(total + 2 * np.sqrt(variance))
    least_reach = reach_for(1 / max(safe, 1.0), tau)
    # A step of reach that holds the least is counted whole.
    steps = np.minimum(np.floor(least_reach), _MOST_REACH - 1).astype(np.int64)
    able = sum(float(by_reach[k, step:].sum()) for k, step in enumerate(steps))
    more = safe / total if total > 0 else 1.0
    return NumberOfTests(safe, bool((chance[work > 0] >= 1).all()), able * more, least_reach)


def reach_for(p: float, tau: float, /) -> Float64:
    """Return the least sum of -ln(chance / tau) whose p-value is `p` or less, by the number of objects."""
    least = np.full(_MOST_OBJECTS + 1, np.inf)
    for k in range(2, _MOST_OBJECTS + 1):
        low, high = 0.0, 1e4
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (low, middle) if truncated_product(k, middle, tau) <= np.log(p) else (middle, high)
        least[k] = high
    return least


def _chances(work: Float64, budget: int) -> Float64:
    """Return the chance of each account to be drawn: proportional to its work, so that the sum keeps the budget."""
    if work.sum() <= budget:
        return (work > 0).astype(np.float64)
    low, high = 0.0, 1.0 / work[work > 0].min()
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if (np.minimum(middle * work, 1) * work).sum() <= budget else (low, middle)
    return np.minimum(low * work, 1)


@kernel
def _partners(
    accounts: Int64,
    each: Float64,
    start: Int64,
    position: Int64,
    offsets: Int64,
    object_: Int32,
    account: Int32,
    worth: Float64,
) -> tuple[Int64, Float64]:
    """Return with how many others each of `accounts` shares two objects or more.

    And the number of such pairs by objects shared and reach, each account counted `each` times; `worth` is what each
    object adds to the reach.
    """
    latest = np.full((start.size - 1, 2), -1, np.int32)  # the latest object shared, how many so far
    latest[:, 1] = 0
    touched = np.empty(start.size - 1, np.int32)
    reach = np.zeros(start.size - 1, np.float64)
    found = np.zeros(accounts.size, np.int64)
    by_reach = np.zeros((_MOST_OBJECTS + 1, _MOST_REACH))
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
                        reach[b] = 0.0
                    latest[b, 1] += 1
                    reach[b] += worth[o]
        # A partner is testable from two objects on: with one alone nothing can be combined.
        for k in range(used):
            b = touched[k]
            if latest[b, 1] >= 2:
                found[row] += 1
                by_reach[min(latest[b, 1], _MOST_OBJECTS), min(int(reach[b]), _MOST_REACH - 1)] += each[row]
            latest[b, 0] = -1
            latest[b, 1] = 0
    return found, by_reach
