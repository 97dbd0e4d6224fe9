"""Posts that somebody paid for, as platforms mark them: what part of a cluster's posts they are, and who paid."""

from __future__ import annotations

import polars as pl

from propgraph.schema import ID, IDS, SHARE

_SHOWN = 5  # who paid for most


def sponsored_posts(posts: pl.LazyFrame, /) -> pl.DataFrame:
    """Return `content_id, account_id, sponsor` of the posts that somebody paid for, each once; empty without any."""
    # In most logs nobody marks anything: that is seen from one column, without the ids of all posts.
    known = "sponsor" in posts.collect_schema().names()
    if not known or not posts.select(pl.col("sponsor").count()).collect().item():
        return pl.DataFrame(schema={"content_id": ID, "account_id": ID, "sponsor": ID})
    return (
        posts.select("content_id", "account_id", "sponsor")
        .filter(pl.col("sponsor").is_not_null())
        .collect()
        .sort("content_id", "sponsor")
        .unique("content_id", keep="first", maintain_order=True)
    )


def with_sponsors(
    clusters: pl.DataFrame, members: pl.DataFrame, /, *, sponsored: pl.DataFrame, accounts: pl.LazyFrame
) -> pl.DataFrame:
    """Fill in `sponsored_share` and `sponsors`; both stay null where the log marks no post as paid for.

    Parameters
    ----------
    clusters, members
        `schema.CLUSTERS`; `account_id, cluster_id`.
    sponsored
        As from `sponsored_posts`.
    accounts
        `account_id, n_posts` of all accounts.
    """
    if sponsored.is_empty() or clusters.is_empty():
        return clusters
    mine = members.select("account_id", "cluster_id")
    n_posts = mine.lazy().join(accounts.select("account_id", "n_posts"), on="account_id").collect()
    paid = sponsored.join(mine, on="account_id")
    who = paid.group_by("cluster_id", "sponsor").len().sort("len", "sponsor", descending=[True, False])
    told = (
        n_posts.group_by("cluster_id")
        .agg(n=pl.col("n_posts").sum())
        .join(paid.group_by("cluster_id").len("paid"), on="cluster_id", how="left")
        .join(
            who.group_by("cluster_id", maintain_order=True).agg(sponsors=pl.col("sponsor").head(_SHOWN)),
            on="cluster_id",
            how="left",
        )
        .select(
            "cluster_id",
            sponsored_share=(pl.col("paid").fill_null(0) / pl.col("n")).cast(SHARE),
            sponsors=pl.col("sponsors").fill_null(pl.lit([], IDS)),
        )
    )
    columns = clusters.columns
    return (
        clusters.drop("sponsored_share", "sponsors")
        .join(told, on="cluster_id", how="left", maintain_order="left")
        .select(columns)
    )
