"""The objects behind each pair's probability, kept so that a pair can be tested again without looking them up.

To leave objects out, or to ask for other gaps, changes which objects a pair was tested over and which of them
count; what each says stays as it is. So they are looked up once, and many tests are sums over short lists.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from propgraph.arrays.encoding import largest
from propgraph.arrays.holdings import by_hub, longest_list, mark_hub, shared_objects
from propgraph.arrays.incidence import Incidence
from propgraph.arrays.kernels import kernel
from propgraph.arrays.p_values import truncated_product
from propgraph.arrays.types import Bool, Float64, Int32, Int64, UInt8
from propgraph.synchrony.gaps import chance_at
from propgraph.synchrony.half_kernels import add_to_halves, begin_halves, keep_halves
from propgraph.synchrony.halves import N_SPLITS, NO_HALVES, Halves
from propgraph.synchrony.pair_kernels import gap_between, least_gap
from propgraph.synchrony.pairs import LAX_P, HalfEvidence
from propgraph.synchrony.prepared import PreparedShares


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
    hub_place, leaf_place
        int32; where each account's first post of it stands in the accounts' lists.
    floor, value
        float64; the least chance that so many posts could have given, and that of the gap (see `rank_synchrony`).
    first_post, post
        int64; `post[first_post[x]:first_post[x + 1]]` are the posts at the least gap, where that is near. Empty
        where every share is a post of its own.
    session
        int32[n_shares]; the session of each place in the accounts' lists.
    """

    log: Incidence
    pair: Int64
    hub: Int64
    leaf: Int64
    start: Int64
    object: Int32
    gap: Int32
    hub_place: Int32
    leaf_place: Int32
    floor: Float64
    value: Float64
    first_post: Int64
    post: Int64
    session: Int32


@dataclass(frozen=True)
class Retested:
    """Pairs tested again; arrays of one length, in the order in which they were asked for.

    Attributes
    ----------
    n_tested
        int64; objects in which they could have been near.
    n_met
        int64; objects in which they stand within the largest gap that is looked at.
    reach
        float64; what these could have shown (see `synchrony.testable`).
    log_p
        float64; natural logarithm of the p-value.
    on_half
        Pairs that stand out on a half of the objects left, and stand within the largest gap in two objects, so that
        they could have been found as candidates.
    """

    n_tested: Int64
    n_met: Int64
    reach: Float64
    log_p: Float64
    on_half: HalfEvidence


def terms_of(prepared: PreparedShares, source: Int64, target: Int64, /, *, threads: int) -> Terms:
    """Return what each object says of given pairs of accounts (codes)."""
    log, gaps = prepared.log, prepared.gaps
    order, hub, leaf, cuts = by_hub(np.diff(prepared.start), source, target, n_parts=4 * threads)

    def run(k: int) -> tuple[Int64, Int64, Float64, Int64, Int64]:
        found: tuple[Int64, Int64, Float64, Int64, Int64] = _list(
            hub[cuts[k] : cuts[k + 1]], leaf[cuts[k] : cuts[k + 1]], prepared.start, prepared.position,
            prepared.listed, prepared.opens, prepared.closes, log.offsets, log.post, gaps.counted,
            gaps.chance, gaps.least, prepared.tau,
        )  # fmt: skip
        return found

    none = np.empty(0, np.int64)
    parts = [(none, np.empty((0, 4), np.int64), np.empty((0, 2)), none, none)]
    with ThreadPoolExecutor(threads) as pool:
        parts += pool.map(run, range(len(cuts) - 1))
    # A part without pairs comes first, so that there is something to join where no pair was asked for.
    length, whole, real, n_posts, post = (np.concatenate(column) for column in zip(*parts, strict=True))
    object_, gap, hub_place, leaf_place = (whole[:, k].astype(np.int32) for k in range(4))
    return Terms(
        log, order, hub, leaf, _offsets(length), object_, gap, hub_place, leaf_place,
        real[:, 0].copy(), real[:, 1].copy(), _offsets(n_posts), post, prepared.session,
    )  # fmt: skip


def _offsets(length: Int64) -> Int64:
    return np.concatenate([[0], np.cumsum(length)]).astype(np.int64)


def retest(
    terms: Terms, drawn: Bool, limit: Int64, /, *, tau: float, halves: Halves = NO_HALVES, threads: int
) -> Retested:
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
    halves
        Splits of the objects; which shares count is by their place in the lists of all accounts, with all objects.
    threads
        At most so many at once.
    """
    n = terms.pair.size
    cuts = np.linspace(0, n, threads + 1).astype(np.int64)
    # The busier account's sessions count, and the shares that are left decide which of the two that is.
    degree = np.bincount(terms.log.account[drawn[terms.log.object]], minlength=len(terms.log.accounts))
    hub, leaf = degree[terms.hub], degree[terms.leaf]
    hub_is_busier = (hub > leaf) | ((hub == leaf) & (terms.hub > terms.leaf))

    n_splits = N_SPLITS if halves.usable.size else 0

    def run(k: int) -> tuple[Int64, Float64, Float64, Int64, Float64]:
        found: tuple[Int64, Float64, Float64, Int64, Float64] = _again(
            cuts[k], cuts[k + 1], hub_is_busier, terms.start, terms.object, terms.gap, terms.hub_place,
            terms.leaf_place, terms.floor, terms.value, terms.first_post, terms.post, terms.session, drawn, limit, tau,
            halves.side, halves.usable, n_splits, np.log(LAX_P),
        )  # fmt: skip
        return found

    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(run, range(threads)))
    counts, reach, log_p = np.empty((n, 2), np.int64), np.empty(n, np.float64), np.empty(n, np.float64)
    counts[terms.pair] = np.concatenate([part[0] for part in parts])
    reach[terms.pair] = np.concatenate([part[1] for part in parts])
    log_p[terms.pair] = np.concatenate([part[2] for part in parts])
    at = np.concatenate([part[3] for part in parts])
    on_half = _on_halves(terms, at[:, 0], at[:, 1], np.concatenate([part[4] for part in parts]))
    return Retested(counts[:, 0], counts[:, 1], reach, log_p, on_half)


def _on_halves(terms: Terms, at: Int64, half: Int64, log_p: Float64) -> HalfEvidence:
    """Return the lists `at` that stand out on a half, by half and pair."""
    low, high = np.minimum(terms.hub[at], terms.leaf[at]), np.maximum(terms.hub[at], terms.leaf[at])
    order = np.lexsort((high, low, half))
    return HalfEvidence(low[order], high[order], half[order], log_p[order])


@kernel
def _list(
    hub: Int64,
    leaf: Int64,
    start: Int64,
    position: Int64,
    listed: Int32,
    opens: Int32,
    closes: Int32,
    offsets: Int64,
    post: Int64,
    counted: Int64,
    chance: Float64,
    least: Float64,
    tau: float,
) -> tuple[Int64, Int64, Float64, Int64, Int64]:
    """Return each list's length; its entries' object, gap and places, floor and value, number of posts; the posts."""
    length = np.zeros(hub.size, np.int64)
    whole, real = np.empty((1024, 4), np.int64), np.empty((1024, 2), np.float64)
    n_posts, posts = np.zeros(1024, np.int64), np.empty(1024, np.int64)
    kept = n_kept_posts = 0
    begin = np.full(offsets.size - 1, -1, np.int64)  # where the hub's posts of an object begin in its list
    shared = np.empty((longest_list(start, leaf), 4), np.int64)
    carries = least <= tau  # of the other objects no two posts can be near, whatever happens
    for e in range(hub.size):
        a = hub[e]
        # At the top `begin` is marked for the hub of the pair before: only a new hub costs a walk over its list.
        if e == 0 or a != hub[e - 1]:
            mark_hub(begin, a, hub[e - 1] if e > 0 else -1, start, listed, carries)
        # The first `kept` entries, and the first `n_kept_posts` posts, are whole: both only grow.
        for k in range(shared_objects(leaf[e], start[a + 1], start, listed, begin, shared)):
            x, x_stop, y, y_stop = shared[k, 0], shared[k, 1], shared[k, 2], shared[k, 3]
            o = listed[x]
            ways = (x_stop - x) * (y_stop - y)
            gap = least_gap(x, x_stop, y, y_stop, opens, closes)
            if kept == whole.shape[0]:
                whole = np.concatenate((whole, np.empty((kept, 4), np.int64)))
                real = np.concatenate((real, np.empty((kept, 2), np.float64)))
                n_posts = np.concatenate((n_posts, np.zeros(kept, np.int64)))
            whole[kept, 0], whole[kept, 1] = o, gap
            whole[kept, 2], whole[kept, 3] = x, y
            real[kept, 0] = ways * least[o]
            real[kept, 1] = ways * chance_at(gap, o, offsets[o + 1] - offsets[o], counted, chance)
            # By which posts they met is asked only where they are near; where they are not, these could be many.
            if post.size and max(real[kept, 0], real[kept, 1]) <= tau:
                posts, n = _with_posts(posts, n_kept_posts, gap, shared[k], opens, closes, position, post)
                n_posts[kept] = n - n_kept_posts
                n_kept_posts = n
            kept += 1
            length[e] += 1
    return length, whole[:kept].copy(), real[:kept].copy(), n_posts[:kept].copy(), posts[:n_kept_posts].copy()


@kernel
def _with_posts(
    posts: Int64, n: int, gap: int, shared: Int64, opens: Int32, closes: Int32, position: Int64, post: Int64
) -> tuple[Int64, int]:
    """Return `posts` with those at the least gap added to the first `n`, two and two, and how many it holds then.

    `shared` is the line of `shared_objects`: where the posts of the object begin and end in both lists.
    """
    for y in range(shared[2], shared[3]):
        for x in range(shared[0], shared[1]):
            if gap_between(x, y, opens, closes) == gap:
                # Always even in number, as is the room: there is place for two or for none.
                if n + 2 > posts.size:
                    posts = np.concatenate((posts, np.empty(posts.size, np.int64)))
                posts[n] = post[position[x]]
                posts[n + 1] = post[position[y]]
                n += 2
    return posts, n


@kernel
def _again(
    first: int,
    last: int,
    hub_is_busier: Bool,
    start: Int64,
    object_: Int32,
    gap: Int32,
    hub_place: Int32,
    leaf_place: Int32,
    floor: Float64,
    value: Float64,
    first_post: Int64,
    post: Int64,
    session: Int32,
    drawn: Bool,
    limit: Int64,
    tau: float,
    side: UInt8,
    usable: UInt8,
    n_splits: int,
    lax: float,
) -> tuple[Int64, Float64, Float64, Int64, Float64]:
    """Return n_tested and n_met, the reach, and ln P, of the lists of a block.

    And the lists that stand out on a half of the objects up to the p-value `lax`, with the half, and ln P there.
    """
    counts = np.zeros((last - first, 2), np.int64)
    reach, log_p = np.zeros(last - first, np.float64), np.zeros(last - first, np.float64)
    # By each post the last pair that met by it, and the last pair that each session served.
    met = np.full(largest(post) + 1, -1, np.int32)
    n_sessions = largest(session) + 1
    spent = np.full(n_sessions, -1, np.int32)
    spent_half, n_half, near_half, total_half, on_half, log_p_half = begin_halves(n_splits, n_sessions)
    n_found = 0
    # `met` and `spent` are never cleared: an entry below e was left by another pair.
    for e in range(last - first):
        total = 0.0
        n = 0
        # The list stands in order of the objects: of those of one session that are drawn the first counts.
        for x in range(start[first + e], start[first + e + 1]):
            o = object_[x]
            if not drawn[o]:
                continue
            # Met within the largest gap looked at: such a pair could have been found as a candidate over this object.
            if gap[x] <= limit[o]:
                counts[e, 1] += 1
            # Where not even the least gap would be near, the object is no test.
            if floor[x] > tau:
                continue
            counts[e, 0] += 1
            reach[e] -= np.log(floor[x] / tau)
            own = session[hub_place[x] if hub_is_busier[first + e] else leaf_place[x]]
            first_of_session = spent[own] != e
            spent[own] = e
            n += first_of_session
            worth = 0.0
            if value[x] <= tau and _fresh(e, post[first_post[x] : first_post[x + 1]], met):
                worth = -np.log(value[x] / tau)
            if first_of_session:
                total += worth
            if n_splits:
                both = usable[hub_place[x]] & usable[leaf_place[x]]
                add_to_halves(e, own, both, side[o], worth, spent_half, n_half, near_half, total_half)
        log_p[e] = truncated_product(n, total, tau)
        if counts[e, 1] < 2:
            near_half[:] = 0  # no candidate, on no half either
        on_half, log_p_half, n_found = keep_halves(
            first + e, lax, tau, n_half, near_half, total_half, on_half, log_p_half, n_found
        )
    return counts, reach, log_p, on_half[:n_found].copy(), log_p_half[:n_found].copy()


@kernel
def _fresh(pair: int, posts: Int64, met: Int32) -> bool:
    """Return whether a pair met by none of these posts before, two and two, nor by one of both; mark them."""
    fresh = True
    # Nothing is marked before all are looked at: posts of this meeting must not be each other's meeting before.
    for k in range(0, posts.size, 2):
        fresh &= posts[k] != posts[k + 1] and met[posts[k]] != pair and met[posts[k + 1]] != pair
    for k in range(posts.size):
        met[posts[k]] = pair
    return fresh
