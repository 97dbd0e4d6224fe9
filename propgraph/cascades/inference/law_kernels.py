"""The compiled loops of the learned law: its loss, the chances of parents, and draws of these."""

from __future__ import annotations

import numpy as np

from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import Float64, Int64, UInt64
from propgraph.cascades.inference.draws import most_drawn, node_key, normal, place_in, uniform

# Steps of delay (from 1 s; the last begins at 4 years) and of rank. A penalty ties each to the one before,
# so that beyond what was seen the law stays level.
LAGS, RANKS = 28, 24
COMPARED = 2_000  # in fitting, the best other parent is looked for among so many nodes of a tree: all pairs


@kernel
def _no_parts() -> tuple[Int64, Int64, Int64, Int64]:
    """Return room for what `_cut_up` finds."""
    n = LAGS + RANKS
    return np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)


@kernel
def _cut_up(  # noqa: PLR0917
    i: int,
    lo: int,
    time: Int64,
    begin: Int64,
    low: Int64,
    top: Int64,
    lag: Int64,
    rank: Int64,
) -> int:
    """Cut the nodes between the root `lo` and node `i` where the step of delay or of rank changes.

    Part k is `low[k]:top[k]`, from the latest down; returns the number of parts. `begin` holds the first row
    of each step of delay, from one node of a cascade to the next, where it only rises.
    """
    # Delays from i only grow with i, so the rows where a step begins only move down.
    for b in range(begin.size):
        while begin[b] < i and time[i] - time[begin[b]] >= ((np.int64(2) << b) - 1) * 1000:
            begin[b] += 1
    parts, b, r = 0, 0, 0
    end = np.int64(i)
    # At the top the rows from `end` to i are cut up, and all steps below b and r are used up: both only rise.
    while end > lo + 1:
        while b < begin.size - 1 and begin[b] >= end:
            b += 1
        while r < RANKS - 1 and i - end + 1 >= (np.int64(2) << r):
            r += 1
        first = np.int64(lo + 1)
        if b < begin.size - 1:
            first = max(first, begin[b])
        if r < RANKS - 1:
            first = max(first, i - (np.int64(2) << r) + 1)
        low[parts], top[parts], lag[parts], rank[parts] = first, end, b, r
        parts += 1
        end = first
    return parts


@kernel
def loss_of(  # noqa: PLR0917
    offsets: Int64,
    time: Int64,
    known: Int64,
    attraction: Float64,
    root_log: Float64,
    by_delay: Float64,
    by_place: Float64,
    of_sharer: Float64,
    of_root: Float64,
    of_lag: Float64,
    of_rank: Float64,
) -> float:
    """Return the negative log-likelihood of the known parents; add its derivatives to the last four arrays."""
    low, top, lag, rank = _no_parts()
    loss = 0.0
    for c in range(offsets.size - 1):
        lo, hi = offsets[c], offsets[c + 1]
        sums = np.zeros(hi - lo + 1)
        change = np.zeros(hi - lo + 1)
        # Sums from the root on: what a part weighs is the difference of two.
        for j in range(lo, hi):
            sums[j - lo + 1] = sums[j - lo] + attraction[j]
        begin = np.full(LAGS, lo + 1, np.int64)
        for i in range(lo + 1, hi):
            if known[i] < 0:
                continue
            parts = _cut_up(i, lo, time, begin, low, top, lag, rank)
            whole = np.exp(root_log[i])
            # First all that i could have chosen, the root and the parts, for chances are shares of that.
            for k in range(parts):
                weight = by_delay[lag[k]] * by_place[rank[k]]
                whole += weight * (sums[top[k] - lo] - sums[low[k] - lo])
            of_root[i] += np.exp(root_log[i]) / whole
            chosen = root_log[i]
            # Then each part's chance, less 1 for the part that was chosen: the derivatives. `change` notes where the
            # rows of a part begin and end, so that a part costs two steps however many rows it has.
            for k in range(parts):
                weight = by_delay[lag[k]] * by_place[rank[k]] / whole
                mass = weight * (sums[top[k] - lo] - sums[low[k] - lo])
                change[low[k] - lo] += weight
                change[top[k] - lo] -= weight
                if low[k] <= known[i] < top[k]:
                    mass -= 1.0
                    chosen = np.log(attraction[known[i]] * weight * whole)
                of_lag[lag[k]] += mass
                of_rank[rank[k]] += mass
            if known[i] == lo:
                of_root[i] -= 1.0
            else:
                of_sharer[known[i]] -= 1.0
            loss += np.log(whole) - chosen
        drawn = 0.0
        # Added up from the root on, the changes are what all later nodes together drew from each row.
        for j in range(lo, hi):
            drawn += change[j - lo]
            of_sharer[j] += drawn * attraction[j]
    return loss


@kernel
def find_chances(  # noqa: PLR0917
    offsets: Int64,
    time: Int64,
    attraction: Float64,
    root_odds: Float64,
    by_delay: Float64,
    by_place: Float64,
    of_root: Float64,
    of_other: Float64,
    other: Int64,
) -> None:
    """Fill in the root's chance for each node and, down to `COMPARED` nodes, the best other parent's."""
    low, top, lag, rank = _no_parts()
    for c in range(offsets.size - 1):
        lo, hi = offsets[c], offsets[c + 1]
        sums = np.zeros(hi - lo + 1)
        for j in range(lo, hi):
            sums[j - lo + 1] = sums[j - lo] + attraction[j]
        begin = np.full(LAGS, lo + 1, np.int64)
        for i in range(lo + 1, hi):
            parts = _cut_up(i, lo, time, begin, low, top, lag, rank)
            whole = root_odds[i]
            # Row by row for the first nodes of a tree only: all pairs of a large one would take too long.
            for k in range(parts):
                weight = by_delay[lag[k]] * by_place[rank[k]]
                whole += weight * (sums[top[k] - lo] - sums[low[k] - lo])
                for j in range(low[k], top[k] if i - lo <= COMPARED else low[k]):
                    if weight * attraction[j] > of_other[i]:
                        of_other[i], other[i] = weight * attraction[j], j
            of_root[i] = root_odds[i] / whole
            of_other[i] /= whole


@kernel
def draw(  # noqa: PLR0917
    offsets: Int64,
    time: Int64,
    known: Int64,
    attraction: Float64,
    root_odds: Float64,
    by_delay: Float64,
    by_place: Float64,
    spread: float,
    favour: float,
    keys: UInt64,
    seed: np.uint64,
    first_sample: int,
    out: Int64,
    likeliest: Int64,
    times_drawn: Int64,
) -> None:
    """Fill in the parents of each sample (where `out` has room for the nodes) and the one most often drawn."""
    low, top, lag, rank = _no_parts()
    cumulated = np.zeros(LAGS + RANKS + 1)
    rows = np.empty(out.shape[0], np.int64)
    tilt = np.empty(rows.size)
    for c in range(offsets.size - 1):
        lo, hi = offsets[c], offsets[c + 1]
        own = node_key(keys[c], seed, 0)
        # In one sample all nodes of a cascade lean to the root alike: that is what spreads whole cascades.
        for s in range(rows.size):
            tilt[s] = np.exp(spread * normal(own, first_sample + s))
        sums = np.zeros(hi - lo + 1)
        for j in range(lo, hi):
            sums[j - lo + 1] = sums[j - lo] + attraction[j]
        begin = np.full(LAGS, lo + 1, np.int64)
        for i in range(lo, hi):
            if i == lo or known[i] >= 0:
                rows[:] = known[i]
            else:
                parts = _cut_up(i, lo, time, begin, low, top, lag, rank)
                for k in range(parts):
                    weight = by_delay[lag[k]] * by_place[rank[k]]
                    cumulated[k + 1] = cumulated[k] + weight * (sums[top[k] - lo] - sums[low[k] - lo])
                key = node_key(keys[c], seed, i - lo)
                # First among the parts and the root, then among the rows of the part drawn.
                for s in range(rows.size):
                    whole = cumulated[parts] + root_odds[i] * tilt[s]
                    value = uniform(key, first_sample + s, 0) * whole
                    rows[s] = lo
                    if value < cumulated[parts]:
                        k = place_in(cumulated, 0, parts, value)
                        first, last = low[k] - lo, top[k] - lo
                        value = sums[first] + uniform(key, first_sample + s, 1) * (sums[last] - sums[first])
                        rows[s] = lo + place_in(sums, first, last, value)
            if out.shape[1] > 0:
                out[:, i] = rows
            likeliest[i], times_drawn[i] = most_drawn(rows, lo, favour) if i > lo else (-1, rows.size)
