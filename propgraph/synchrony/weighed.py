"""Pairs and standings tested again under the null with habits (see `habits`): only those that stand out otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl

from propgraph.arrays.encoding import codes_in, largest
from propgraph.arrays.holdings import by_hub, longest_list, mark_hub, shared_objects
from propgraph.arrays.kernels import kernel
from propgraph.arrays.p_values import false_discovery_rate, truncated_product
from propgraph.arrays.types import Bool, Float64, Int32, Int64
from propgraph.synchrony.gaps import chance_at
from propgraph.synchrony.habits import (
    WEIGHTS,
    Int16,
    count_sessions,
    weight_of,
    weighted_chance,
    weights_without,
)
from propgraph.synchrony.pair_kernels import least_gap, meet
from propgraph.synchrony.prepared import PreparedShares

#: Pairs are tested again whose false discovery rate under the uniform deal is at most this: no others can have a rate
#: up to it under both nulls.
WEIGHED_Q = 0.5
#: All shares.
ALL = np.empty(0, np.bool_)


def hold_to_habits(
    pairs: pl.DataFrame, prepared: PreparedShares, which: Bool, /, *, n_tests: float, threads: int
) -> pl.DataFrame:
    """Return pairs of one trace with `p_habits`, and `synchrony` and `q_value` by the larger of both p-values.

    Parameters
    ----------
    pairs
        `schema.SYNCHRONY`, of one trace, by the uniform deal.
    prepared
        The shares of the trace.
    which
        bool[n_pairs]; the pairs that are tested again; for the others `p_habits` is null, and their q-value above
        `WEIGHED_Q` anyhow.
    n_tests
        How many pairs could have been found near.
    threads
        At most so many at once.
    """
    again = np.flatnonzero(which & pairs["p_value"].is_not_null().to_numpy())
    p_habits = np.full(pairs.height, np.nan)
    p_habits[again] = weigh_in_traces({"": prepared}, pairs[again], threads=threads)[:, 0]
    told = pairs.with_columns(p_habits=pl.Series(p_habits).fill_nan(None))
    return with_rates(told, n_tests=n_tests)


def with_rates(pairs: pl.DataFrame, /, *, n_tests: float) -> pl.DataFrame:
    """Return pairs with `synchrony` and `q_value` by the larger of `p_value` and `p_habits`; the rate with `weight`."""
    larger = pairs.select(pl.max_horizontal("p_value", "p_habits")).to_series()
    tested = np.flatnonzero(larger.is_not_null().to_numpy())
    q_value = np.full(pairs.height, np.nan)
    q_value[tested] = false_discovery_rate(
        (larger / pairs["weight"]).gather(tested).to_numpy(), n_tests=n_tests
    )
    return pairs.with_columns(
        synchrony=-larger.clip(1e-300).log10(), q_value=pl.Series(q_value, dtype=pl.Float64).fill_nan(None)
    )


def weigh_in_traces(
    prepared: Mapping[str, PreparedShares], pairs: pl.DataFrame, /, *, threads: int
) -> Float64:
    """Return each pair's p-value under the null with habits in each trace; NaN where one of the two is not in a trace.

    Parameters
    ----------
    prepared
        The shares of each trace.
    pairs
        `source`, `target` (String).
    threads
        At most so many at once.
    """
    found = np.full((pairs.height, len(prepared)), np.nan)
    for k, part in enumerate(prepared.values()):
        source, target = (codes_in(pairs[name], part.log.accounts) for name in ("source", "target"))
        there = np.flatnonzero((source >= 0) & (target >= 0))
        if there.size:
            found[there, k] = np.exp(
                weigh_pairs(part, source=source[there], target=target[there], threads=threads)
            )
    return found


def weigh_pairs(prepared: PreparedShares, /, *, source: Int64, target: Int64, threads: int) -> Float64:
    """Return the natural logarithm of each pair's p-value under the null with habits.

    The same objects count as under the uniform deal, once a session, by the same gaps; where these are near by
    both nulls, the second one's chance enters the product, else none. So p stays conservative under the second null.

    Parameters
    ----------
    prepared
        The shares of one trace.
    source, target
        int64[n_pairs]; account codes.
    threads
        At most so many at once.
    """
    log, gaps, habits = prepared.log, prepared.gaps, prepared.habits
    order, hub, leaf, cuts = by_hub(np.diff(prepared.start), source, target, n_parts=4 * threads)

    def run(k: int) -> Float64:
        part = slice(int(cuts[k]), int(cuts[k + 1]))
        found: Float64 = _weigh(
            hub[part].astype(np.int32), leaf[part].astype(np.int32), prepared.start, prepared.position,
            prepared.listed, prepared.opens, prepared.closes, prepared.session, log.offsets, log.time, log.post,
            gaps.counted, gaps.chance, gaps.least, prepared.tau, habits.kind, habits.first_cell, habits.cell,
            habits.usual, habits.vote, habits.leads,
        )  # fmt: skip
        return found

    log_p = np.zeros(source.size)
    with ThreadPoolExecutor(threads) as pool:
        for k, found in enumerate(pool.map(run, range(len(cuts) - 1))):
            log_p[order[cuts[k] : cuts[k + 1]]] = found
    return log_p


@kernel
def _weigh(
    hub: Int32,
    leaf: Int32,
    start: Int64,
    position: Int64,
    listed: Int32,
    opens: Int32,
    closes: Int32,
    session: Int32,
    offsets: Int64,
    time: Int64,
    post: Int64,
    counted: Int64,
    chance: Float64,
    least: Float64,
    tau: float,
    kind: Int16,
    first_cell: Int64,
    cell: Int64,
    usual: Float64,
    vote: Int16,
    leads: Bool,
) -> Float64:
    """Return ln P of pairs that are sorted by hub; `a` is a hub, `b` its leaf, as in `pair_kernels`."""
    log_p = np.zeros(hub.size)
    begin = np.full(offsets.size - 1, -1, np.int64)
    shared = np.empty((longest_list(start, leaf), 4), np.int64)
    carries = least <= tau
    met = np.full(largest(post) + 1, -1, np.int32)
    n_sessions = largest(session) + 1
    spent = np.full(n_sessions, -1, np.int32)
    votes, votes_b, weights, weights_b = (
        np.empty(WEIGHTS),
        np.empty(WEIGHTS),
        np.empty(WEIGHTS),
        np.empty(WEIGHTS),
    )
    for e in range(hub.size):
        a, b = hub[e], leaf[e]
        # At the top `begin` and `votes` are those of the hub of the pair before: a new hub costs a walk over its list.
        if e == 0 or a != hub[e - 1]:
            mark_hub(begin, a, hub[e - 1] if e > 0 else -1, start, listed, carries)
            count_sessions(a, start, vote, leads, votes)
        count_sessions(b, start, vote, leads, votes_b)
        degree, degree_b = start[a + 1] - start[a], start[b + 1] - start[b]
        hub_is_busier = degree > degree_b or (degree == degree_b and a > b)
        total = 0.0
        n = 0
        # The same objects count, in the same order, as in `measure_pairs`; only what they say is another.
        for k in range(shared_objects(b, start[a + 1], start, listed, begin, shared)):
            x, x_stop, y, y_stop = shared[k, 0], shared[k, 1], shared[k, 2], shared[k, 3]
            o = listed[x]
            ways = (x_stop - x) * (y_stop - y)
            if ways * least[o] > tau:
                continue
            own = session[x] if hub_is_busier else session[y]
            first_of_session = spent[own] != e
            spent[own] = e
            n += first_of_session
            gap = least_gap(x, x_stop, y, y_stop, opens, closes)
            if ways * chance_at(gap, o, offsets[o + 1] - offsets[o], counted, chance) > tau:
                continue
            _, fresh = meet(e, gap, x, x_stop, y, y_stop, opens, closes, position, time, post, met)
            if not (fresh and first_of_session):
                continue
            weights_without(x, x_stop, session, vote, votes, usual, weights)
            weights_without(y, y_stop, session, vote, votes_b, usual, weights_b)
            value = ways * weighted_chance(gap, o, kind, first_cell, cell, weights, weights_b)
            if value <= tau:
                total -= np.log(max(value, 1e-300) / tau)
        log_p[e] = truncated_product(n, total, tau)
    return log_p


def weigh_standing(
    prepared: PreparedShares,
    group: Int64,
    /,
    *,
    account: Int64,
    near: Int64,
    counts: Bool = ALL,
    tau: float | None = None,
    fellows: int = 1,
    threads: int,
) -> tuple[Float64, Float64]:
    """Return ln P of each account's standing with a group, by the uniform deal and under the null with habits.

    As `standing.standing_of`, but under the second null the account draws its post among the free ones with its own
    weights; an object that is not near by the uniform deal counts as not near. Of a group with many posts in an object
    somebody is always near: asked is how far the k-th nearest of them stands, k the root of their number. That is fixed
    before the account is dealt, so its p-value stays exact.

    Parameters
    ----------
    prepared
        The shares of one trace.
    group
        int64[n_accounts]; the group of each account, -1 for none.
    account, near
        int64[n]; codes of accounts, and the group that each is held against, but for itself.
    counts
        bool[n_shares]; the shares that count, by their place in the accounts' lists; empty for all.
    tau
        Chance up to which an object counts as near; None for that of `prepared`.
    fellows
        k at most; with 1 the nearest post of the group counts, however many it has.
    threads
        At most so many at once.
    """
    log, habits = prepared.log, prepared.habits

    def run(part: Int64) -> tuple[Float64, Float64]:
        found: tuple[Float64, Float64] = _weigh_standing(
            account[part], near[part], group, counts, prepared.start, prepared.listed, prepared.session,
            log.offsets, log.account, prepared.gaps.first, prepared.gaps.last,
            prepared.tau if tau is None else tau, fellows, habits.kind, habits.usual, habits.vote, habits.leads,
        )  # fmt: skip
        return found

    parts = np.array_split(np.arange(account.size), 4 * threads)
    with ThreadPoolExecutor(threads) as pool:
        of_deal, of_habits = zip(*pool.map(run, parts), strict=True)
    return np.concatenate(of_deal), np.concatenate(of_habits)


@kernel
def _weigh_standing(
    account: Int64,
    near: Int64,
    group: Int64,
    counts: Bool,
    start: Int64,
    listed: Int32,
    session: Int32,
    offsets: Int64,
    author: Int32,
    first: Int64,
    last: Int64,
    tau: float,
    fellows: int,
    kind: Int16,
    usual: Float64,
    vote: Int16,
    leads: Bool,
) -> tuple[Float64, Float64]:
    log_p, log_p_habits = np.zeros(account.size), np.zeros(account.size)
    n_sessions = largest(session) + 1
    spent = np.full(n_sessions, -1, np.int64)
    votes, weights = np.empty(WEIGHTS), np.empty(WEIGHTS)
    for e in range(account.size):
        a = account[e]
        count_sessions(a, start, vote, leads, votes)
        total = total_habits = 0.0
        n = 0
        x = start[a]
        # Object by object: at the top `x` is the account's first post of one.
        while x < start[a + 1]:
            o = listed[x]
            x_stop = x + 1
            while x_stop < start[a + 1] and listed[x_stop] == o:
                x_stop += 1
            begin, end = offsets[o], offsets[o + 1]
            if tau * (end - begin) >= 1 and (counts.size == 0 or counts[x:x_stop].any()):
                weights_without(x, x_stop, session, vote, votes, usual, weights)
                tested, by_deal, by_habit = place_account(
                    a, near[e], x_stop - x, begin, end, group, author, first, last, kind, weights, tau, fellows
                )  # fmt: skip
                if tested:
                    fresh = spent[session[x]] != e
                    spent[session[x]] = e
                    n += fresh
                    if fresh and by_deal <= tau:
                        total -= np.log(by_deal / tau)
                        if by_habit <= tau:
                            total_habits -= np.log(max(by_habit, 1e-300) / tau)
            x = x_stop
        log_p[e] = truncated_product(n, total, tau)
        log_p_habits[e] = truncated_product(n, total_habits, tau)
    return log_p, log_p_habits


@kernel
def place_account(
    a: int,
    g: int,
    ways: int,
    begin: int,
    end: int,
    group: Int64,
    author: Int32,
    first: Int64,
    last: Int64,
    kind: Int16,
    weights: Float64,
    tau: float,
    fellows: int,
) -> tuple[bool, float, float]:
    """Place an account's posts of one object among the free ones, by their gap to the k-th nearest of group `g`.

    Returns
    -------
    tuple
        Whether it could have been near; the chance of so small a gap by the uniform deal, and with its own weights.
    """
    n = end - begin
    gap, none = _gaps_to_group(a, g, begin, end, group, author, first, last, fellows)
    if none:
        return False, 1.0, 1.0
    own = np.int64(n)
    least = np.int64(n)
    free = 0
    # The account's own nearest post, and the least gap of any free one: those of the group stay where they are.
    for p in range(begin, end):
        if author[p] == a:
            own = min(own, gap[p - begin])
        if author[p] == a or group[author[p]] != g:
            free += 1
            least = min(least, gap[p - begin])
    fewest = count = 0
    near = whole = 0.0
    # Free posts as near as that, by number and by weight.
    for p in range(begin, end):
        if author[p] == a or group[author[p]] != g:
            weight = weight_of(kind[p], weights)
            whole += weight
            fewest += gap[p - begin] == least
            if gap[p - begin] <= own:
                count += 1
                near += weight
    if free < 2 or free == n or ways * fewest > tau * free:
        return False, 1.0, 1.0
    return True, ways * count / free, ways * near / whole if whole > 0 else 1.0


@kernel
def _gaps_to_group(
    a: int,
    g: int,
    begin: int,
    end: int,
    group: Int64,
    author: Int32,
    first: Int64,
    last: Int64,
    fellows: int,
) -> tuple[Int64, bool]:
    """Return each post's gap to the k-th nearest post of group `g` but for account `a`; and whether there is none.

    k is the root of the number of these posts, at most `fellows`; of one that is another post than itself.
    """
    n = end - begin
    gap = np.full(n, n, np.int64)
    held = np.empty(n, np.int64)
    m = 0
    for p in range(begin, end):
        if group[author[p]] == g and author[p] != a:
            held[m] = p
            m += 1
    if m == 0:
        return gap, True
    k = min(int(np.sqrt(m)), fellows)
    ahead = 0
    # From the front: `ahead` is the first of the group's posts that stands at `p` or behind it.
    for p in range(begin, end):
        while ahead < m and held[ahead] < p:
            ahead += 1
        before = ahead - 1
        after = ahead + 1 if ahead < m and held[ahead] == p else ahead
        # Gaps grow to either side: the nearest k are taken one by one, from the side where the next is nearer.
        for _ in range(k):
            back = last[p] - first[held[before]] if before >= 0 else n
            on = last[held[after]] - first[p] if after < m else n
            gap[p - begin] = min(back, on)
            if back <= on:
                before -= 1
            else:
                after += 1
    return gap, False
