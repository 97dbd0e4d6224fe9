"""Missions in a fixed order: whether the members of a cluster take the same things in the same order.

A campaign's app lists its tasks in one order for everybody. Who obeys takes them from the top, at whatever time: no
two posts need be near each other. So for each pair of objects it is counted, of the members who shared both in one
session and were free to choose (see `arrays.sessions`), how many went the same way. Agreement is the sum of
C(k,2) + C(n-k,2) over the sum of C(n,2): of the pairs of members, how many agree.

What chance gives is drawn: the objects of each session in another order, 200 times. Two innocent lists give a fixed
order as well, and are measured beside it: a feed, whose order is that of publication (the newest first, or the
oldest), and a list that is read at one sitting, such as a newsletter, a digest or a thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from propgraph.arrays.encoding import group_offsets
from propgraph.arrays.incidence import Incidence
from propgraph.arrays.kernels import kernel
from propgraph.arrays.sessions import sessions_of, steps_of
from propgraph.arrays.types import Bool, Float64, Int64
from propgraph.schema import COUNT

#: How often the objects of each session are put in another order.
DRAWS = 200
#: So many steps of a cluster count at most, those between the objects that most members shared.
MOST_STEPS = 100_000

#: From here on members keep an order: of pairs of members, those that agree; at a probability of at most `ORDER_P`,
#: over so many pairs of objects and members.
AGREEMENT, ORDER_P, ENOUGH_PAIRS, ENOUGH_ACCOUNTS = 0.7, 0.01, 20, 5
#: A feed's readers go from the newer to the older, or the other way, at this share of their steps or more.
BY_AGE = 0.8
#: A newsletter's readers who share two of its links do so at one sitting, this share of them or more.
ONE_SITTING = 0.8

SCHEMA = {
    "cluster": pl.UInt32(), "n_order_pairs": COUNT, "n_order_accounts": COUNT, "order_agreement": pl.Float64(),
    "order_expected": pl.Float64(), "order_p": pl.Float64(), "order_tail": pl.Float64(),
    "order_by_age": pl.Float64(), "order_one_sitting": pl.Float64(),
}  # fmt: skip


@dataclass(frozen=True)
class _Steps:
    """Steps from one object to another in one session, by clusters' pairs of objects.

    `low` and `high` are the items of the pair's two objects, `forward` tells whether `low` came first.
    """

    pair: Int64
    low: Int64
    high: Int64
    forward: Bool


def orders_of(log: Incidence, cluster: Int64, /, *, seed: int = 0) -> pl.DataFrame:
    """Return how far the members of each cluster keep one order, in one trace.

    Parameters
    ----------
    log
        All shares of the trace.
    cluster
        int64[n_accounts]; the cluster of each account, -1 for none.
    seed
        Where the draws begin.

    Returns
    -------
    pl.DataFrame
        A row for each `cluster` with a pair of objects that two members or more shared in one session each:
        `n_order_pairs` (such pairs of objects)`, n_order_accounts` (members who did)`, order_agreement` (0..1)`,
        order_expected` (mean of the draws)`, order_p` (of the draws as high or higher; at least 1 in 201)`,
        order_tail` (the same by a normal tail through the draws' mean and spread: it orders clusters)`, order_by_age`
        (share of the steps from the object that came up first in the log to the later one)`, order_one_sitting` (of
        members that were free to choose both objects of a pair, those who did at one sitting).
    """
    from scipy.special import ndtr  # noqa: PLC0415 - slow to import

    sessions = sessions_of(log, mask=cluster[log.account] >= 0)
    steps = steps_of(log, sessions)
    account = log.account[sessions.row].astype(np.int64)
    object_ = log.object[sessions.row].astype(np.int64)
    keys, node = np.unique(cluster[account] * len(log.objects) + object_, return_inverse=True)
    of_pair, rows = _by_pairs(node, steps.before, steps.after, keys // len(log.objects))
    if not of_pair.size:
        return pl.DataFrame(schema=SCHEMA)
    n_steps = np.bincount(rows.pair, minlength=of_pair.shape[0])
    home, place = np.unique(keys[of_pair[:, 0]] // len(log.objects), return_inverse=True)
    agreed = _agreement(rows.pair, rows.forward, n_steps, place, home.size)
    drawn = _drawn(
        sessions.first, rows.pair, rows.low, rows.high, n_steps, place, home.size, DRAWS, seed, account.size
    )
    came = log.time[log.offsets[keys[of_pair] % len(log.objects)]]
    older = np.sign(came[:, 1] - came[:, 0])[rows.pair]
    ways = np.where(rows.forward, 1, -1) * older
    of_row = place[rows.pair]
    with np.errstate(invalid="ignore"):
        by_age = np.bincount(of_row, ways > 0, home.size) / np.bincount(of_row, ways != 0, home.size)
    session = np.repeat(np.arange(sessions.first.size - 1), np.diff(sessions.first))
    by_node = np.lexsort((account, node))
    both, one = _sittings(of_pair, group_offsets(node, keys.size), account[by_node], session[by_node])
    spread = drawn.std(axis=1)
    mean = drawn.mean(axis=1)
    return pl.DataFrame(
        {
            "cluster": home,
            "n_order_pairs": np.bincount(place, minlength=home.size),
            "n_order_accounts": _accounts(of_row, account[rows.low], home.size),
            "order_agreement": agreed,
            "order_expected": mean,
            "order_p": (1 + (drawn >= agreed[:, None] - 1e-12).sum(axis=1)) / (DRAWS + 1),
            "order_tail": np.where(spread > 0, ndtr((mean - agreed) / np.maximum(spread, 1e-12)), 1.0),
            "order_by_age": by_age,
            "order_one_sitting": np.bincount(place, one, home.size) / np.bincount(place, both, home.size),
        },
        schema_overrides=SCHEMA,
    ).with_columns(pl.col("order_by_age").fill_nan(None))


def keeps_order(row: Mapping[str, Any], /) -> bool:
    """Tell whether the figures of `orders_of` are those of a crowd that keeps one order, whoever gives it."""
    return (
        row.get("order_agreement") is not None
        and row["order_agreement"] >= AGREEMENT
        and row["order_p"] <= ORDER_P
        and row["n_order_pairs"] >= ENOUGH_PAIRS
        and row["n_order_accounts"] >= ENOUGH_ACCOUNTS
    )


def is_one_list(row: Mapping[str, Any], /) -> bool:
    """Tell whether the order is that of a feed, or of a list read at one sitting; where ages are unknown, it may be."""
    by_age = row["order_by_age"]
    feed = by_age is None or max(by_age, 1 - by_age) >= BY_AGE
    return feed or row["order_one_sitting"] >= ONE_SITTING


def _by_pairs(node: Int64, before: Int64, after: Int64, home: Int64) -> tuple[Int64, _Steps]:
    """Return the pairs of objects of a cluster (two nodes each) that two members or more took, and their steps.

    Nodes are objects in clusters; `home` is the cluster of each. Of a cluster with very many steps those of the pairs
    that most members took are kept.
    """
    forward = node[before] < node[after]
    low, high = np.where(forward, before, after), np.where(forward, after, before)
    n_nodes = home.size
    pairs, pair, count = np.unique(node[low] * n_nodes + node[high], return_inverse=True, return_counts=True)
    of = home[pairs // max(n_nodes, 1)]
    order = np.lexsort((pairs, -count, of))
    total = np.cumsum(count[order])
    first = np.searchsorted(of[order], of[order])
    within = total - np.where(first > 0, total[np.maximum(first - 1, 0)], 0)
    kept = np.zeros(pairs.size, np.bool_)
    kept[order] = within <= MOST_STEPS
    kept &= count > 1
    number = np.cumsum(kept) - 1
    rows = kept[pair]
    of_pair = np.stack([pairs[kept] // max(n_nodes, 1), pairs[kept] % max(n_nodes, 1)], axis=1)
    return of_pair, _Steps(number[pair[rows]], low[rows], high[rows], forward[rows])


def _accounts(of_row: Int64, account: Int64, n: int) -> Int64:
    """Return how many accounts took a step in each cluster."""
    seen = np.unique(np.stack([of_row, account]), axis=1)
    found: Int64 = np.bincount(seen[0], minlength=n)
    return found


@kernel
def _agreement(pair: Int64, forward: Bool, n_steps: Int64, place: Int64, n_clusters: int) -> Float64:
    """Return of each cluster: of the pairs of members who took the same two objects, how many went the same way."""
    ahead = np.zeros(n_steps.size, np.int64)
    for row in range(pair.size):
        ahead[pair[row]] += forward[row]
    same, of = np.zeros(n_clusters), np.zeros(n_clusters)
    for k in range(n_steps.size):
        n, a = n_steps[k], ahead[k]
        same[place[k]] += a * (a - 1) / 2 + (n - a) * (n - a - 1) / 2
        of[place[k]] += n * (n - 1) / 2
    return same / of


@kernel
def _drawn(
    first: Int64,
    pair: Int64,
    low: Int64,
    high: Int64,
    n_steps: Int64,
    place: Int64,
    n_clusters: int,
    n_draws: int,
    seed: int,
    n_items: int,
) -> Float64:
    """Return float64[n_clusters, n_draws]: agreement where each session's items stand in any order."""
    np.random.seed(seed)
    found = np.empty((n_clusters, n_draws))
    rank = np.empty(n_items, np.int64)
    forward = np.empty(pair.size, np.bool_)
    for draw in range(n_draws):
        for s in range(first.size - 1):
            begin, end = first[s], first[s + 1]
            # Fisher and Yates, from the left: the ranks of the items before i are in any order.
            for i in range(begin, end):
                j = begin + np.random.randint(0, i - begin + 1)
                rank[i] = rank[j]
                rank[j] = i
        for row in range(pair.size):
            forward[row] = rank[low[row]] < rank[high[row]]
        agreement = _agreement(pair, forward, n_steps, place, n_clusters)
        for cluster in range(n_clusters):
            found[cluster, draw] = agreement[cluster]
    return found


@kernel
def _sittings(of_pair: Int64, start: Int64, account: Int64, session: Int64) -> tuple[Float64, Float64]:
    """Return for each pair of nodes how many accounts have both, and how many of these in one session.

    A node's accounts stand at `start[node]:start[node + 1]`, ascending, each once.
    """
    both, one = np.zeros(of_pair.shape[0]), np.zeros(of_pair.shape[0])
    for k in range(of_pair.shape[0]):
        i, j = start[of_pair[k, 0]], start[of_pair[k, 1]]
        # Both lists ascend: what lies before i and j has been met.
        while i < start[of_pair[k, 0] + 1] and j < start[of_pair[k, 1] + 1]:
            if account[i] == account[j]:
                both[k] += 1
                one[k] += session[i] == session[j]
                i += 1
                j += 1
            elif account[i] < account[j]:
                i += 1
            else:
                j += 1
    return both, one
