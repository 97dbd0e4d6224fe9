"""What tells innocent readings: the sites and the origins of the posts over which members met."""

from __future__ import annotations

import polars as pl

from propgraph.clusters.inputs import ClusterInputs
from propgraph.clusters.metrics import once

#: From which fraction of the posts that members met over on one site, or one account outside, explains the meeting.
OF_ONE_SITE, OF_ONE_ORIGIN = 0.6, 0.5


def with_context(table: pl.DataFrame, inputs: ClusterInputs, links: pl.DataFrame, /) -> pl.DataFrame:
    """Add what tells innocent readings, all 0..1 and all about the posts over which members met, in any trace.

    `met_site_share`: the fraction of those posts that links to the site to which most of them do;
    `met_site_inside`: the members' fraction of all links to that site; `met_site_all`: that site's of all
    links in the log; `met_origin_share`: the fraction of the posts that goes back to one account outside the
    cluster. Beside these `met_site` and `met_origin`, that site and that account.
    """
    met = inputs.shares.filter(pl.col("n_fellows") > 0).select("account_id", "content_id").unique()
    met = met.join(inputs.members.select("account_id", "cluster"), on="account_id")
    n_met = met.group_by("cluster").len("n_met")
    for part in (_met_sites(inputs, links, met), _met_origins(inputs, met)):
        # A post without a link, or of nobody else's, was met over too: parts are of all of them.
        shares = part.join(n_met, on="cluster").with_columns(pl.col("^met_.*_share$") / pl.col("n_met"))
        table = table.join(shares.drop("n_met"), on="cluster", how="left", maintain_order="left")
    return table


def _met_sites(inputs: ClusterInputs, links: pl.DataFrame, met: pl.DataFrame) -> pl.DataFrame:
    """Return the posts met over that link to the site of most of them, and how much of that site is theirs."""
    mine = inputs.links.join(inputs.members, on="account_id")
    counts = (
        mine.join(met, on=["account_id", "content_id"], how="semi")
        # Two links to one site are one post.
        .unique(["account_id", "content_id", "site"])
        .group_by("cluster", "site")
        .len("met")
    )
    top = counts.sort(["cluster", "met", "site"], descending=[False, True, False])
    top = top.unique("cluster", keep="first", maintain_order=True)
    return (
        top.join(mine.group_by("cluster", "site").len("own"), on=["cluster", "site"], how="left")
        .join(links.group_by("site").len("all"), on="site", how="left")
        .select(
            "cluster",
            met_site="site",
            met_site_share="met",
            met_site_inside=pl.col("own") / pl.col("all"),
            met_site_all=pl.col("all") / max(links.height, 1),
        )
    )


def _met_origins(inputs: ClusterInputs, met: pl.DataFrame) -> pl.DataFrame:
    """Return the posts met over that go back to the one account outside of which most of them are."""
    fellows = inputs.members.select("cluster", origin="account_id")
    return (
        once(inputs.posts)
        .join(met, on=["account_id", "content_id"])
        .drop_nulls("origin_account_id")
        .group_by("cluster", origin="origin_account_id")
        .len("met")
        .join(fellows, on=["cluster", "origin"], how="anti")
        .sort(["cluster", "met", "origin"], descending=[False, True, False])
        .unique("cluster", keep="first", maintain_order=True)
        .select("cluster", met_origin="origin", met_origin_share="met")
    )
