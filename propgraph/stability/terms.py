"""The objects behind each pair's probability, kept so that a pair can be tested again without looking them up.

To leave objects out, or to ask for other gaps, changes which objects a pair was tested over and which of them
count; what each says stays as it is. So they are looked up once, and many tests are sums over short lists.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numba import njit

from propgraph.arrays.holdings import by_hub, mark_hub
from propgraph.arrays.incidence import Incidence
from propgraph.arrays.p_values import truncated_product
from propgraph.arrays.types import Bool, Float64, Int32, Int64
from propgraph.synchrony.gaps import chance_at
from propgraph.synchrony.pairs import PreparedShares, gap_between, least_gap


@dataclass(frozen=True)
class Terms:
    """What each object says of each pair, in one trace.

    Attributes
    ----------
    log
        All shares of the trace.
    pair, hub, leaf
        int64[n_pairs]; where the pair of each list stands among those that were asked for, and its accounts.
    start
        int64[n_pairs + 1]; list `k` is `start[k]:start[k + 1]` of the following.
    object
        int32; objects both shared of which some two posts can be near, in order.
    gap
        int32; the least gap between their posts of it.
    hub_sitting, leaf_sitting
        int32; in which of its sessions each account posted it first.
    floor, value
        float64; the least chance that so many posts could have given, and that of the gap (see `rank_synchrony`).
    first_post, post
        int64; `post[first_post[x]:first_post[x + 1]]` are the posts at the least gap, where that is near. Empty
        where every share is a post of its own.
    """

    log: Incidence
    pair: Int64
    hub: Int64
    leaf: Int64
    start: Int64
    object: Int32
    gap: Int32
    hub_sitting: Int32
    leaf_sitting: Int32
    floor: Float64
    value: Float64
    first_post: Int64
    post: Int64


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


def terms_of(prepared: PreparedShares, source: Int64, target: Int64, /, *, threads: int) -> Terms:
    """Return what each object says of given pairs of accounts (codes)."""
    log, gaps = prepared.log, prepared.gaps
    order, hub, leaf, cuts = by_hub(np.diff(prepared.start), source, target, n_parts=4 * threads)

    def run(k: int) -> tuple[Int64, Int64, Float64, Int64, Int64]:
        found: tuple[Int64, Int64, Float64, Int64, Int64] = _list(
            hub[cuts[k] : cuts[k + 1]], leaf[cuts[k] : cuts[k + 1]], prepared.start, prepared.position,
            prepared.listed, prepared.opens, prepared.closes, prepared.session, log.offsets, log.post, gaps.counted,
            gaps.chance, gaps.least, prepared.tau,
        )  # fmt: skip
        return found

    none = np.empty(0, np.int64)
    parts = [(none, np.empty((0, 4), np.int64), np.empty((0, 2)), none, none)]
    with ThreadPoolExecutor(threads) as pool:
        parts += pool.map(run, range(len(cuts) - 1))
    length, whole, real, n_posts, post = (np.concatenate(column) for column in zip(*parts, strict=True))
    object_, gap, hub_sitting, leaf_sitting = (whole[:, k].astype(np.int32) for k in range(4))
    return Terms(
        log, order, hub, leaf, _offsets(length), object_, gap, hub_sitting, leaf_sitting,
        real[:, 0].copy(), real[:, 1].copy(), _offsets(n_posts), post,
    )  # fmt: skip


def _offsets(length: Int64) -> Int64:
    return np.concatenate([[0], np.cumsum(length)]).astype(np.int64)


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
    # Who is the busier, and so whose sessions count, is told by the shares that are left.
    degree = np.bincount(terms.log.account[drawn[terms.log.object]], minlength=len(terms.log.accounts))
    hub, leaf = degree[terms.hub], degree[terms.leaf]
    hub_sits = (hub > leaf) | ((hub == leaf) & (terms.hub > terms.leaf))

    def run(k: int) -> tuple[Int64, Float64]:
        found: tuple[Int64, Float64] = _again(
            cuts[k], cuts[k + 1], hub_sits, terms.start, terms.object, terms.gap, terms.hub_sitting,
            terms.leaf_sitting, terms.floor, terms.value, terms.first_post, terms.post, drawn, limit, tau,
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
    hub: Int64,
    leaf: Int64,
    start: Int64,
    position: Int64,
    listed: Int32,
    opens: Int32,
    closes: Int32,
    session: Int32,
    offsets: Int64,
    post: Int64,
    counted: Int64,
    chance: Float64,
    least: Float64,
    tau: float,
) -> tuple[Int64, Int64, Float64, Int64, Int64]:
    """Return each list's length; its entries' object, gap and sessions, floor and value, number of posts; the posts."""
    length = np.zeros(hub.size, np.int64)
    whole, real = np.empty((1024, 4), np.int64), np.empty((1024, 2), np.float64)
    n_posts, posts = np.zeros(1024, np.int64), np.empty(1024, np.int64)
    kept = n_kept_posts = 0
    begin = np.full(offsets.size - 1, -1, np.int64)  # where the hub's posts of an object begin in its list
    marked = -1
    for e in range(hub.size):
        a = hub[e]
        if a != marked:
            mark_hub(begin, a, marked, start, listed)
            marked = a
        k = start[leaf[e]]
        end = start[leaf[e] + 1]
        while k < end:
            o = listed[k]
            first = k
            while k < end and listed[k] == o:
                k += 1
            i = begin[o]
            if i < 0 or least[o] > tau:
                continue
            i_stop = i + 1
            while i_stop < start[a + 1] and listed[i_stop] == o:
                i_stop += 1
            ways = (i_stop - i) * (k - first)
            gap = least_gap(i, i_stop, first, k, opens, closes)
            if kept == whole.shape[0]:
                whole = np.concatenate((whole, np.empty((kept, 4), np.int64)))
                real = np.concatenate((real, np.empty((kept, 2), np.float64)))
                n_posts = np.concatenate((n_posts, np.zeros(kept, np.int64)))
            whole[kept, 0] = o
            whole[kept, 1] = gap
            whole[kept, 2] = session[i]
            whole[kept, 3] = session[first]
            real[kept, 0] = ways * least[o]
            real[kept, 1] = ways * chance_at(gap, o, offsets[o + 1] - offsets[o], counted, chance)
            # By which posts they met is asked only where they are near; where they are not, these could be many.
            if post.size and max(real[kept, 0], real[kept, 1]) <= tau:
                for y in range(first, k):
                    for x in range(i, i_stop):
                        if gap_between(x, y, opens, closes) == gap:
                            if n_kept_posts + 2 > posts.size:
                                posts = np.concatenate((posts, np.empty(posts.size, np.int64)))
                            posts[n_kept_posts] = post[position[x]]
                            posts[n_kept_posts + 1] = post[position[y]]
                            n_kept_posts += 2
                            n_posts[kept] += 2
            kept += 1
            length[e] += 1
    return length, whole[:kept].copy(), real[:kept].copy(), n_posts[:kept].copy(), posts[:n_kept_posts].copy()


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _again(
    first: int,
    last: int,
    hub_sits: Bool,
    start: Int64,
    object_: Int32,
    gap: Int32,
    hub_sitting: Int32,
    leaf_sitting: Int32,
    floor: Float64,
    value: Float64,
    first_post: Int64,
    post: Int64,
    drawn: Bool,
    limit: Int64,
    tau: float,
) -> tuple[Int64, Float64]:
    """Return n_tested and n_met, and ln P, of the lists of a block."""
    counts = np.zeros((last - first, 2), np.int64)
    log_p = np.zeros(last - first, np.float64)
    met = np.full(post.max() + 1 if post.size else 0, -1, np.int32)  # posts over which a pair met already
    n_sittings = max(hub_sitting.max(), leaf_sitting.max()) + 1 if object_.size else 0
    sat = np.full(n_sittings, -1, np.int32)  # sessions that count already
    for e in range(last - first):
        session = hub_sitting if hub_sits[first + e] else leaf_sitting
        total = 0.0
        n = 0
        for x in range(start[first + e], start[first + e + 1]):
            o = object_[x]
            if not drawn[o]:
                continue
            if gap[x] <= limit[o]:
                counts[e, 1] += 1
            if floor[x] > tau:
                continue
            counts[e, 0] += 1
            counts_here = sat[session[x]] != e
            sat[session[x]] = e
            n += counts_here
            if value[x] > tau:
                continue
            fresh = _fresh(e, post[first_post[x] : first_post[x + 1]], met)
            if fresh and counts_here:
                total -= np.log(value[x] / tau)
        log_p[e] = truncated_product(n, total, tau)
    return counts, log_p


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _fresh(pair: int, posts: Int64, met: Int32) -> bool:
    """Return whether a pair met by none of these posts before, two and two, nor by one of both; mark them."""
    fresh = True
    for k in range(0, posts.size, 2):
        fresh &= posts[k] != posts[k + 1] and met[posts[k]] != pair and met[posts[k + 1]] != pair
    for k in range(posts.size):
        met[posts[k]] = pair
    return fresh
