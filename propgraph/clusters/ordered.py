"""Missions in an order among the clusters: who is found by it, and how far each cluster keeps one."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from propgraph.arrays.encoding import groups_of
from propgraph.arrays.incidence import Incidence
from propgraph.arrays.sessions import common_steps, incidence_of_steps
from propgraph.missions.crews import NO_CREWS, ordered_crews
from propgraph.missions.order import SCHEMA, is_one_list, keeps_order, orders_of
from propgraph.options import ClusterOptions

ORDER = "order"


def ordered_accounts(*, logs: Mapping[str, Incidence], options: ClusterOptions, threads: int) -> pl.DataFrame:
    """Return `account_id`, `crew`, `own_order` of those who take things in one order.

    The trace `order` is taken where it is of the network; else steps are made of the network's trace in which most are
    common. `own_order` tells of a whole crew that it keeps an order, and none that a feed or a newsletter gives. As
    relays are, crews are asked where all that the log tells is asked.
    """
    if options.evidence != "both" or not logs:
        return NO_CREWS.with_columns(own_order=pl.lit(True))
    log = logs[ORDER] if ORDER in logs else _steps_of(logs)
    leiden = {
        name: getattr(options, name) for name in ("objective", "resolution", "partition", "seed", "min_size")
    }
    crews = ordered_crews(log, q=options.q, leiden=leiden, threads=threads)
    figures = order_figures(logs, crews.rename({"crew": "cluster"}), seed=options.seed)
    own = [row["cluster"] for row in figures.to_dicts() if keeps_order(row) and not is_one_list(row)]
    return crews.with_columns(own_order=pl.col("crew").is_in(own))


def _steps_of(logs: Mapping[str, Incidence]) -> Incidence:
    """Return the steps of the trace in which most are common."""
    steps = {trace: common_steps(logs[trace]) for trace in sorted(logs)}
    most = max(steps, key=lambda trace: steps[trace].row.size)
    return incidence_of_steps(logs[most], steps[most])


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
