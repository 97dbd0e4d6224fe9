"""What missions leave in each cluster: an order, quotas, releases and shifts, and the posts that show them."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from propgraph.arrays.incidence import Incidence
from propgraph.clusters.inputs import with_resolution
from propgraph.clusters.ordered import ORDER, order_figures
from propgraph.missions.log_quotas import quotas_of_log
from propgraph.missions.quotas import quota_stops
from propgraph.missions.releases import release_bursts
from propgraph.missions.shifts import LEAST_POSTS, shifts
from propgraph.options import ClusterOptions
from propgraph.readers.times.fineness import RESOLUTION
from propgraph.study import Study

_POOL, _SHOWN = 20_000, 20


def measure_missions(
    *,
    study: Study,
    logs: dict[str, Incidence],
    shares: dict[str, pl.DataFrame],
    members: pl.DataFrame,
    options: ClusterOptions,
) -> pl.DataFrame:
    """Return `cluster` and what missions leave in it, null where nothing can be told.

    The columns are those of `orders_of`, and of `QUOTAS`, `RELEASES`, `SHIFTS`.
    In place of `quota_rows` and `release_rows` stand `quota_posts` and `release_posts` (ids).
    """
    table = members.select("cluster").unique().sort("cluster")
    if table.is_empty():
        return table
    order = order_figures(logs, members, seed=options.seed)
    logs = {trace: log for trace, log in logs.items() if trace != ORDER}
    quotas = _with_posts(quota_stops(logs, members), "quota", shares)
    releases = _with_posts(release_bursts(logs, members), "release", shares)
    mine = members.select("account_id", "cluster")
    rhythm = shifts(posts_of(study, mine), posts_of(study, sample_of_others(study, mine)), seed=options.seed)
    for part in (order, quotas, releases, rhythm):
        table = table.join(part, on="cluster", how="left", maintain_order="left")
    return table


def stops_of_log(*, logs: dict[str, Incidence], options: ClusterOptions) -> pl.DataFrame:
    """Return `schema.QUOTAS`, of all traces but that of orders."""
    return quotas_of_log({trace: log for trace, log in logs.items() if trace != ORDER}, q=options.q)


def sample_of_others(study: Study, members: pl.DataFrame, /) -> pl.DataFrame:
    """Return `account_id` of accounts in no cluster, of five posts or more.

    More than 20,000 are thinned out evenly, from the least to the most active.

    Parameters
    ----------
    study
        The study.
    members
        `account_id` of those in a cluster.
    """
    accounts = (
        study.scan("accounts")
        .filter(pl.col("n_posts") >= LEAST_POSTS)
        .select("account_id", "n_posts")
        .join(members.lazy().select("account_id"), on="account_id", how="anti")
        .sort("n_posts", "account_id")
        .collect()
    )
    return accounts.gather_every(max(1, -(-accounts.height // _POOL))).select("account_id")


def posts_of(study: Study, accounts: pl.DataFrame, /) -> pl.DataFrame:
    """Return `timestamp, time_resolution_s` of some accounts' posts, a row for each group that one goes into."""
    return (
        with_resolution(study, "posts")
        .select("account_id", "timestamp", RESOLUTION)
        .join(accounts.lazy(), on="account_id")
        .collect()
    )


def _with_posts(found: pl.DataFrame, name: str, shares: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Put the ids of posts in the place of rows of each trace's shares."""
    ids = [
        shares[trace]["content_id"].gather(rows[:_SHOWN]).cast(pl.String).to_list()
        for trace, rows in found.select(f"{name}_trace", f"{name}_rows").iter_rows()
    ]
    posts = pl.Series(f"{name}_posts", ids, dtype=pl.List(pl.String))
    return found.drop(f"{name}_rows").with_columns(posts)
