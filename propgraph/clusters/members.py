"""Who is in which cluster: groups first, then what relays, orders, windows and habits give among the rest."""

from __future__ import annotations

import polars as pl

from propgraph.amplification.relays import Relayed
from propgraph.arrays.incidence import Incidence
from propgraph.clusters.groups import habit_groups, number_clusters, window_clusters
from propgraph.clusters.own_bursts import OwnBursts, own_bursts
from propgraph.clusters.relayed import crews_left
from propgraph.clusters.sampled import Sampled
from propgraph.options import ClusterOptions, WindowOptions


def members_of_all(
    logs: dict[str, Incidence],
    groups: pl.DataFrame,
    network: pl.DataFrame,
    /,
    *,
    edges: pl.DataFrame,
    relayed: Relayed,
    ordered: pl.DataFrame,
    sampled: Sampled | None,
    window: WindowOptions,
    options: ClusterOptions,
    threads: int,
) -> tuple[pl.DataFrame, OwnBursts]:
    """Return the members of all clusters as from `number_clusters`, and the crowds found in wider windows.

    Parameters
    ----------
    logs
        All shares of each trace.
    groups
        The groups of synchronised accounts, grown.
    network
        Pairs near each other, with `by_habit`.
    edges
        Who co-shared in the shortest window.
    relayed
        Who stands under whom beyond chance.
    ordered
        `account_id`, `crew`, `own_order`: who takes things in one order (see `clusters.ordered`). Where it is no feed's
        and no newsletter's it says more than the window, else less.
    sampled
        The shares behind the edges, where these are a sample in bursts.
    window, options
        How edges and clusters are looked for.
    threads
        At most so many at once.
    """
    behind = crews_left(relayed.members, groups, min_size=options.min_size)
    taken = pl.concat([groups.select("account_id"), behind.select("account_id")])
    in_order = crews_left(ordered.filter("own_order"), taken, min_size=options.min_size)
    taken = pl.concat([taken, in_order.select("account_id")])
    own = own_bursts(logs, taken, window=window, options=options, threads=threads)
    window_ms = round(window.seconds * 1000)
    in_window = own.before(
        window_clusters(logs, edges, own.taken(taken), options=options, window_ms=window_ms, sampled=sampled)
    )
    taken = pl.concat([taken, in_window.select("account_id")])
    of_lists = crews_left(ordered.filter(~pl.col("own_order")), taken, min_size=options.min_size)
    taken = pl.concat([taken, of_lists.select("account_id")])
    by_habit = habit_groups(network, taken, options=options)
    return number_clusters(
        groups, in_window, by_habit, relayed=behind, ordered=_both(in_order, of_lists)
    ), own


def _both(crews: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """Return crews and others, `cluster` numbered on; no crew is in both."""
    return pl.concat([crews, others]).sort("cluster", "account_id")
