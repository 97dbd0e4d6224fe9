"""The objects behind each pair's probability, kept so that a pair can be tested again without looking them up.

To leave objects out, or to ask for other gaps, changes which objects a pair was tested over and which of them
count; what each says stays as it is. So they are looked up once, and many tests are sums over short lists.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numba import njit

from propgraph.cosharing.combine import Float64, truncated_product
from propgraph.cosharing.gaps import chance_at
from propgraph.cosharing.incidence import Bool, Int32, Int64
from propgraph.cosharing.ranks import Ranks, closest


@dataclass(frozen=True)
class Terms:
    """What each object says of each pair, in one trace.

    Attributes
    ----------
    pair
        int64[n_pairs]; where the pair of each list stands among those that were asked for.
    start
        int64[n_pairs + 1]; list `k` is `start[k]:start[k + 1]` of the following.
    object
        int32; objects both shared of which some two posts can be near, in order.
    gap
        int32; the least gap between their posts of it.
    floor, value
        float64; the least chance that so many posts could have given, and that of the gap (see `rank_synchrony`).
    mine, yours
        int64; the two posts. Empty where every share is a post of its own.
    """

    pair: Int64
    start: Int64
    object: Int32
    gap: Int32
    floor: Float64
    value: Float64
    mine: Int64
    yours: Int64


@dataclass(frozen=True)
class Retested:
    """Pairs tested again; arrays of one length, in the order in which they were asked for.

    Attributes
    ----------
    n_tested
        int64; objects in which they could have been near.
    n_met
        int64; objects in which they stand within the largest gap that is looked at.
    log_p
        float64; natural logarithm of the p-value.
    """

    n_tested: Int64
    n_met: Int64
    log_p: Float64


def terms_of(ranks: Ranks, source: Int64, target: Int64, /, *, threads: int) -> Terms:
    """Return what each object says of given pairs of accounts (codes)."""
    log, gaps = ranks.log, ranks.gaps
    degree = np.diff(ranks.start)
    swap = (degree[target] > degree[source]) | ((degree[target] == degree[source]) & (target > source))
    hub, leaf = np.where(swap, target, source), np.where(swap, source, target)
    order = np.argsort(hub, kind="stable")
    hub, leaf = hub[order].astype(np.int32), leaf[order].astype(np.int32)
    work = np.concatenate([[0], np.cumsum(degree[leaf])])
    cuts = np.unique(np.searchsorted(work, np.linspace(0, work[-1], 4 * threads + 1)))
    cuts[0], cuts[-1] = 0, hub.size

    def run(k: int) -> tuple[Int64, Int64, Float64]:
        found: tuple[Int64, Int64, Float64] = _list(
            hub[cuts[k] : cuts[k + 1]], leaf[cuts[k] : cuts[k + 1]], ranks.start, ranks.position, ranks.listed,
            ranks.opens, ranks.closes, log.offsets, gaps.counted, gaps.chance, gaps.least, ranks.tau,
        )  # fmt: skip
        return found

    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(run, range(len(cuts) - 1)))
    parts.append((np.empty(0, np.int64), np.empty((0, 4), np.int64), np.empty((0, 2), np.float64)))
    length, whole, real = (np.concatenate(column) for column in zip(*parts, strict=True))
    start = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
    mine, yours = (log.post[whole[:, k]] if log.post.size else np.empty(0, np.int64) for k in (2, 3))
    return Terms(
        order.astype(np.int64), start, whole[:, 0].astype(np.int32), whole[:, 1].astype(np.int32),
        real[:, 0].copy(), real[:, 1].copy(), mine, yours,
    )  # fmt: skip


def retest(terms: Terms, drawn: Bool, limit: Int64, /, *, tau: float, threads: int) -> Retested:
    """Return what the objects that are left say of the pairs.

    Parameters
    ----------
    terms
        From ranks of a tau no smaller.
    drawn
        bool[n_objects]; the objects that are left.
    limit
        int64[n_objects]; the largest gap that is looked at, for `n_met`.
    tau
        Chance (0..1) up to which a gap counts as near.
    threads
        At most so many at once.
    """
    n = terms.pair.size
    cuts = np.linspace(0, n, threads + 1).astype(np.int64)

    def run(k: int) -> tuple[Int64, Float64]:
        found: tuple[Int64, Float64] = _again(
            cuts[k], cuts[k + 1], terms.start, terms.object, terms.gap, terms.floor, terms.value, terms.mine,
            terms.yours, drawn, limit, tau,
        )  # fmt: skip
        return found

    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(run, range(threads)))
    counts, log_p = np.empty((n, 2), np.int64), np.empty(n, np.float64)
    counts[terms.pair] = np.concatenate([part[0] for part in parts])
    log_p[terms.pair] = np.concatenate([part[1] for part in parts])
    return Retested(counts[:, 0], counts[:, 1], log_p)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _list(
    hub: Int32,
    leaf: Int32,
    start: Int64,
    position: Int64,
    listed: Int32,
    opens: Int32,
    closes: Int32,
    offsets: Int64,
    counted: Int64,
    chance: Float64,
    least: Float64,
    tau: float,
) -> tuple[Int64, Int64, Float64]:
    """Return the length of each list; object, gap and both places of its entries; their floor and value."""
    length = np.zeros(hub.size, np.int64)
    whole, real = np.empty((1024, 4), np.int64), np.empty((1024, 2), np.float64)
    kept = 0
    begin = np.full(offsets.size - 1, -1, np.int64)  # where the hub's posts of an object begin in its list
    marked = -1
    for e in range(hub.size):
        a = hub[e]
        if a != marked:
            if marked >= 0:
                for k in range(start[marked], start[marked + 1]):
                    begin[listed[k]] = -1
            for k in range(start[a + 1] - 1, start[a] - 1, -1):
                begin[listed[k]] = k
            marked = a
        k = start[leaf[e]]
        end = start[leaf[e] + 1]
        while k < end:
            o = listed[k]
            stop = k + 1
            while stop < end and listed[stop] == o:
                stop += 1
            i = begin[o]
            if i >= 0 and least[o] <= tau:
                i_stop = i + 1
                while i_stop < start[a + 1] and listed[i_stop] == o:
                    i_stop += 1
                ways = (i_stop - i) * (stop - k)
                gap, at_hub, at_leaf = closest(i, i_stop, k, stop, opens, closes)
                if kept == whole.shape[0]:
                    whole = np.concatenate((whole, np.empty((kept, 4), np.int64)))
                    real = np.concatenate((real, np.empty((kept, 2), np.float64)))
                whole[kept, 0] = o
                whole[kept, 1] = gap
                whole[kept, 2] = position[at_hub]
                whole[kept, 3] = position[at_leaf]
                real[kept, 0] = ways * least[o]
                real[kept, 1] = ways * chance_at(gap, o, offsets[o + 1] - offsets[o], counted, chance)
                kept += 1
                length[e] += 1
            k = stop
    return length, whole[:kept].copy(), real[:kept].copy()


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _again(
    first: int,
    last: int,
    start: Int64,
    object_: Int32,
    gap: Int32,
    floor: Float64,
    value: Float64,
    mine: Int64,
    yours: Int64,
    drawn: Bool,
    limit: Int64,
    tau: float,
) -> tuple[Int64, Float64]:
    """Return n_tested and n_met, and ln P, of the lists of a block."""
    counts = np.zeros((last - first, 2), np.int64)
    log_p = np.zeros(last - first, np.float64)
    n_posts = max(mine.max(), yours.max()) + 1 if mine.size else 0
    met = np.full(n_posts, -1, np.int32)  # posts over which a pair met already
    for e in range(last - first):
        total = 0.0
        for x in range(start[first + e], start[first + e + 1]):
            o = object_[x]
            if not drawn[o]:
                continue
            if gap[x] <= limit[o]:
                counts[e, 1] += 1
            if floor[x] > tau:
                continue
            counts[e, 0] += 1
            if value[x] > tau:
                continue
            same_act = False
            if mine.size:
                same_act = met[mine[x]] == e or met[yours[x]] == e
                met[mine[x]] = e
                met[yours[x]] = e
            if not same_act:
                total -= np.log(value[x] / tau)
        log_p[e] = truncated_product(counts[e, 0], total, tau)
    return counts, log_p
