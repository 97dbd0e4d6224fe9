"""What tells innocent readings: the sites and the origins of the posts over which members met."""

from __future__ import annotations

import polars as pl

from propgraph.clusters.inputs import ClusterInputs
from propgraph.clusters.metrics import once

#: From which fraction of the posts that members met over on one site, or one account outside, explains the meeting.
OF_ONE_SITE, OF_ONE_ORIGIN = 0.6, 0.5
#: Below this fraction of the posts of what members have in common the window is not where they meet.
SELDOM = 1 / 3


def with_context(table: pl.DataFrame, inputs: ClusterInputs, links: pl.DataFrame, /) -> pl.DataFrame:
    """Add what tells innocent readings, all 0..1 and all about the posts over which members met, in any trace.

    `met_site_share`: the fraction of those posts that links to the site to which most of them do;
    `met_site_inside`: the members' fraction of all links to that site; `met_site_all`: that site's of all
    links in the log; `met_origin_share`: the fraction of the posts that goes back to one account outside the
    cluster. Beside these `met_site` and `met_origin`, that site and that account.
    """
    met = _met(inputs)
    n_met = met.group_by("cluster").len("n_met")
    for part in (_met_sites(inputs, links, met), _met_origins(inputs, met)):
        # A post without a link, or of nobody else's, was met over too: parts are of all of them.
        shares = part.join(n_met, on="cluster").with_columns(pl.col("^met_.*_share$") / pl.col("n_met"))
        table = table.join(shares.drop("n_met"), on="cluster", how="left", maintain_order="left")
    return table


def _met(inputs: ClusterInputs) -> pl.DataFrame:
    """Return `account_id, content_id, cluster`: the posts over which members met.

    These are the posts within the window of a fellow's. Of clusters that hardly ever meet there, for they come together
    over hours, they are the posts of what two members or more shared.
    """
    members = inputs.members.select("account_id", "cluster")
    mine = inputs.shares.join(members, on="account_id").with_columns(
        near=pl.col("n_fellows") > 0,
        shared=pl.col("account_id").n_unique().over("cluster", "trace", "object_id") > 1,
    )
    posts = mine.group_by("cluster", "account_id", "content_id").agg(pl.col("near", "shared").any())
    seldom = pl.col("near").sum().over("cluster") < SELDOM * pl.col("shared").sum().over("cluster")
    return posts.filter(pl.when(seldom).then("shared").otherwise("near")).select(
        "account_id", "content_id", "cluster"
    )


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
