"""Crews behind relays among the clusters: how many members are of one, and those who are in no other group."""

from __future__ import annotations

import polars as pl

from propgraph.amplification.relays import NO_RELAYED, Relayed, find_relayed
from propgraph.options import ClusterOptions
from propgraph.study import Study


def relayed_accounts(*, study: Study, options: ClusterOptions) -> Relayed:
    """Return who stands under whom beyond chance, where all that the log tells is asked; see `find_relayed`."""
    if options.evidence != "both":
        return NO_RELAYED
    return find_relayed(study.scan("cascade_nodes"), q=options.q)


def crews_left(crews: pl.DataFrame, groups: pl.DataFrame, /, *, min_size: int) -> pl.DataFrame:
    """Return `account_id`, `cluster` of `crews` of which `min_size` accounts or more are in no group yet.

    Parameters
    ----------
    crews
        `account_id`, `crew`.
    groups
        `account_id` of those in a group.
    min_size
        Smallest cluster.
    """
    left = crews.join(groups, on="account_id", how="anti", maintain_order="left")
    return left.filter(pl.len().over("crew") >= min_size).select("account_id", cluster="crew")


def with_relayed(table: pl.DataFrame, members: pl.DataFrame, relayed: Relayed, /) -> pl.DataFrame:
    """Add what relays tell of each cluster, of the crew that most of its members are of, if any.

    Added are `relayed_share` (0..1, of the members who stand under a relay beyond chance)`, n_of_crew,
    relay_crew_share` (members, 0..1) and the crew's `crew_relays` (ids)`, n_relay_jobs` (cascades)`, n_origins`
    (accounts)`, relay_turnout` (0..1)`, crew_lag_s, crew_usual_s` and `crew_posts` (ids).

    Parameters
    ----------
    table
        A row for each `cluster`, with `n_accounts`.
    members
        `account_id`, `cluster`.
    relayed
        Who stands under whom beyond chance.
    """
    under = members.join(relayed.followers, on="account_id", how="semi").group_by("cluster").len("n_under")
    crews = (
        members.join(relayed.members, on="account_id")
        .group_by("cluster", "crew")
        .len("n_of_crew")
        .sort(["cluster", "n_of_crew", "crew"], descending=[False, True, False])
        .unique("cluster", keep="first", maintain_order=True)
        .join(relayed.crews, on="crew", how="left")
        .rename(
            {"relays": "crew_relays", "n_jobs": "n_relay_jobs", "turnout": "relay_turnout", "lag_s": "crew_lag_s",
             "usual_s": "crew_usual_s", "content_ids": "crew_posts"}
        )
        .drop("crew")
    )  # fmt: skip
    for part in (under, crews):
        table = table.join(part, on="cluster", how="left", maintain_order="left")
    return table.with_columns(
        relayed_share=pl.col("n_under").fill_null(0) / pl.col("n_accounts"),
        relay_crew_share=pl.col("n_of_crew") / pl.col("n_accounts"),
    ).drop("n_under")
