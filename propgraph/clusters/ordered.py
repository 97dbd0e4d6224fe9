"""Missions in an order among the clusters: who is found by it, and how far each cluster keeps one."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from propgraph.arrays.encoding import groups_of
from propgraph.arrays.incidence import Incidence
from propgraph.arrays.sessions import common_steps, incidence_of_steps
from propgraph.missions.crews import NO_CREWS, ordered_crews
from propgraph.missions.order import SCHEMA, orders_of
from propgraph.options import ClusterOptions

ORDER = "order"


def ordered_accounts(*, logs: Mapping[str, Incidence], options: ClusterOptions, threads: int) -> pl.DataFrame:
    """Return `account_id`, `crew` of those who take things in one order, in the trace in which most steps are common.

    The trace `order` is taken where it is of the network; else steps are made of the network's traces.
    As relays are, they are asked where all that the log tells is asked.
    """
    if options.evidence != "both":
        return NO_CREWS.clear()
    if ORDER in logs:
        return _crews(logs[ORDER], options, threads=threads)
    steps = {trace: common_steps(logs[trace]) for trace in sorted(logs)}
    if not steps:
        return NO_CREWS.clear()
    most = max(steps, key=lambda trace: steps[trace].row.size)
    return _crews(incidence_of_steps(logs[most], steps[most]), options, threads=threads)


def _crews(log: Incidence, options: ClusterOptions, *, threads: int) -> pl.DataFrame:
    leiden = {
        name: getattr(options, name) for name in ("objective", "resolution", "partition", "seed", "min_size")
    }
    return ordered_crews(log, q=options.q, leiden=leiden, threads=threads)


def order_figures(logs: Mapping[str, Incidence], members: pl.DataFrame, /, *, seed: int) -> pl.DataFrame:
    """Return the columns of `orders_of`, of the trace in which a cluster's members share most pairs of objects.

    Parameters
    ----------
    logs
        All shares of each trace of the network.
    members
        `account_id`, `cluster`.
    seed
        Of the draws.
    """
    parts = [pl.DataFrame(schema=SCHEMA)]
    for trace in sorted(logs):
        if trace != ORDER:  # the order of orders says nothing
            cluster = groups_of(logs[trace].accounts, members["account_id"], members["cluster"])
            parts.append(orders_of(logs[trace], cluster, seed=seed))
    return (
        pl.concat(parts)
        .sort("cluster", "n_order_pairs", descending=[False, True], maintain_order=True)
        .unique("cluster", keep="first", maintain_order=True)
    )
