"""What each account holds: its distinct objects, and sums over the objects that two accounts both hold."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from propgraph.arrays.encoding import grouped
from propgraph.arrays.incidence import Incidence
from propgraph.arrays.kernels import inlined, kernel
from propgraph.arrays.types import Bool, Float64, Int32, Int64

NO_CHANCE = np.empty(0, np.float64)


@dataclass(frozen=True)
class Holdings:
    """The distinct objects of each account, ascending.

    Attributes
    ----------
    first
        int64[n_accounts + 1]; account `a` holds the objects `object[first[a]:first[a + 1]]`.
    object
        int32[n_holdings]; codes.
    posts
        int32[n_holdings]; how many posts of the object the account made.
    n_objects
        Number of object codes.
    """

    first: Int64
    object: Int32
    posts: Int32
    n_objects: int

    @property
    def degree(self) -> Int64:
        """Distinct objects of each account."""
        return np.diff(self.first)


def holdings_of(log: Incidence, /, *, parts: bool = False) -> Holdings:
    """Return what each account of the log holds: whole objects, or with `parts` those of a log that was split."""
    start, position = grouped(log.account, len(log.accounts))
    whole = log.whole.size and not parts
    first, object_, posts = _objects_of_accounts(start, position, log.whole_object if whole else log.object)
    return Holdings(first, object_, posts, int(log.whole[-1]) + 1 if whole else len(log.objects))


def sums_over_shared(
    held: Holdings,
    amount: npt.NDArray[Any],
    /,
    *,
    source: Int64,
    target: Int64,
    chance: Float64 = NO_CHANCE,
    threads: int = 1,
) -> tuple[Int64, Float64]:
    """Return for each pair the number of objects that both hold, and a sum over these.

    With `a` and `b` the two amounts of an object, the sum is over `a * b`; where `chance` is given, over
    `1 - (1 - chance) ** (a * b)`: that at least one of so many pairs of posts succeeds. The objects of each
    pair's busier account are marked once, and those of its neighbours walked.

    Parameters
    ----------
    held
        What each account holds.
    amount
        [n_holdings]; above 0.
    source, target
        int64[n_pairs]; account codes.
    chance
        float64[n_objects], or empty.
    threads
        At most so many at once. The result does not depend on it.
    """
    order, hub, leaf, cuts = by_hub(held.degree, source, target, n_parts=4 * threads)

    def run(k: int) -> tuple[Int64, Float64]:
        part = slice(int(cuts[k]), int(cuts[k + 1]))
        result: tuple[Int64, Float64] = _sums(
            hub[part], leaf[part], held.first, held.object, amount, chance, held.n_objects
        )
        return result

    n_shared, total = np.zeros(hub.size, np.int64), np.zeros(hub.size, np.float64)
    with ThreadPoolExecutor(threads) as pool:
        for k, (shared, part) in enumerate(pool.map(run, range(len(cuts) - 1))):
            n_shared[order[cuts[k] : cuts[k + 1]]] = shared
            total[order[cuts[k] : cuts[k + 1]]] = part
    return n_shared, total


def by_hub(
    degree: Int64, source: Int64, target: Int64, /, *, n_parts: int
) -> tuple[Int64, Int64, Int64, Int64]:
    """Lay pairs of accounts out hub by hub, so that a hub is marked once and the other's short list walked.

    Parameters
    ----------
    degree
        int64[n_accounts]; how long each account's list is.
    source, target
        int64[n_pairs]; account codes.
    n_parts
        Into so many parts of about equal work the pairs are cut, at most.

    Returns
    -------
    tuple of int64 arrays
        The order of the pairs; in that order the busier account of each and the other; bounds of the parts.
    """
    swap = degree[target] > degree[source]
    hub, leaf = np.where(swap, target, source), np.where(swap, source, target)
    _, order = grouped(hub, degree.size)
    hub, leaf = hub[order], leaf[order]
    # One more for each pair: where all lists are empty, the pairs are there all the same.
    work = np.concatenate([[0], np.cumsum(degree[leaf] + 1)])
    cuts = np.unique(np.searchsorted(work, np.linspace(0, work[-1], n_parts + 1)))
    cuts[0], cuts[-1] = 0, hub.size
    return order, hub, leaf, cuts


@inlined
def mark_hub(begin: Int64, hub: int, before: int, start: Int64, listed: Int32, counts: Bool) -> None:
    """Mark where a hub's posts of each object that counts begin in its list; the marks of the hub before (-1: none) go.

    `counts` is bool[n_objects], or empty where all objects count.
    """
    if before >= 0:
        for k in range(start[before], start[before + 1]):
            begin[listed[k]] = -1
    # From the end: of several posts of an object the first in the list writes last, and stays.
    for k in range(start[hub + 1] - 1, start[hub] - 1, -1):
        if counts.size == 0 or counts[listed[k]]:
            begin[listed[k]] = k


@kernel
def longest_list(start: Int64, accounts: npt.NDArray[Any]) -> int:
    """Return how many shares the busiest of `accounts` has; account `a` has `start[a]:start[a + 1]`."""
    longest = 0
    for a in accounts:
        longest = max(longest, start[a + 1] - start[a])
    return longest


@inlined
def shared_objects(leaf: int, hub_end: int, start: Int64, listed: Int32, begin: Int64, shared: Int64) -> int:
    """List the objects that count which a leaf shares with the hub that is marked, in order; return how many.

    Parameters
    ----------
    leaf
        The account whose list is walked.
    hub_end
        Where the hub's list ends.
    start, listed
        Account `a` has the shares `start[a]:start[a + 1]` of `listed`, their objects, in order.
    begin
        Where the hub's posts of each object that counts begin, -1 without any; see `mark_hub`.
    shared
        int64[`longest_list`, 4]; each line is filled with where the posts of one object begin and end in
        the hub's list, and in the leaf's.
    """
    n = 0
    k = start[leaf]
    end = start[leaf + 1]
    # At the top `k` is the first post of an object in the leaf's list, for its posts of one object stand together.
    while k < end:
        o = listed[k]
        stop = k + 1
        while stop < end and listed[stop] == o:
            stop += 1
        # Only an object that counts, and that both posted, costs a walk over the hub's posts of it.
        if begin[o] >= 0:
            hub_stop = begin[o] + 1
            while hub_stop < hub_end and listed[hub_stop] == o:
                hub_stop += 1
            shared[n, 0], shared[n, 1], shared[n, 2], shared[n, 3] = begin[o], hub_stop, k, stop
            n += 1
        k = stop
    return n


@kernel
def _objects_of_accounts(start: Int64, position: Int64, object_: Int32) -> tuple[Int64, Int32, Int32]:
    """Return each account's distinct objects and how many posts of each it made."""
    first = np.zeros(start.size, np.int64)
    distinct = np.empty(position.size, np.int32)
    posts = np.empty(position.size, np.int32)
    n = 0
    # An account's shares stand object by object: one of the object before adds to its count, another opens a new line.
    for a in range(start.size - 1):
        first[a] = n
        for k in range(start[a], start[a + 1]):
            o = object_[position[k]]
            if n > first[a] and distinct[n - 1] == o:
                posts[n - 1] += 1
            else:
                distinct[n] = o
                posts[n] = 1
                n += 1
    first[start.size - 1] = n
    return first, distinct[:n], posts[:n]


@kernel
def _sums(
    hub: Int64,
    leaf: Int64,
    first: Int64,
    object_: Int32,
    amount: npt.NDArray[Any],
    chance: Float64,
    n_objects: int,
) -> tuple[Int64, Float64]:
    n_shared = np.zeros(hub.size, np.int64)
    sums = np.zeros(hub.size, np.float64)
    marked = np.zeros(n_objects, amount.dtype)
    current = np.int64(-1)
    # `marked` holds the amounts of the hub `current`, 0 elsewhere: pairs stand hub by hub, so each is marked once.
    for e in range(hub.size):
        if hub[e] != current:
            if current >= 0:
                for k in range(first[current], first[current + 1]):
                    marked[object_[k]] = 0
            # A held object's amount is above 0, so that 0 means that the hub does not hold it.
            current = hub[e]
            for k in range(first[current], first[current + 1]):
                marked[object_[k]] = amount[k]
        total = 0.0
        # In the order of the leaf's objects, so that the sum has the same bits on any number of threads.
        for k in range(first[leaf[e]], first[leaf[e] + 1]):
            o = object_[k]
            if marked[o] > 0:
                n_shared[e] += 1
                ways = marked[o] * amount[k]
                if chance.size == 0:
                    total += ways
                else:
                    total += chance[o] if ways == 1 else 1.0 - (1.0 - chance[o]) ** ways
        sums[e] = total
    return n_shared, sums
