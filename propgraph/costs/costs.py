"""What flagged clusters and campaigns would have cost, if they were paid: always a range, always hypothetical."""

from __future__ import annotations

import polars as pl

from propgraph.costs.prices import prices_of
from propgraph.schema import COSTS, COUNT, ID, IDS

#: The flag without which no member counts as made in a lot.
CREATED_TOGETHER = "created-together"
# What a total is of. Influencers stand in place of tasks, and profiles made in lots are among the profiles.
_SUMMED = ("profiles", "tasks", "relays")
_ORDER = ("profiles", CREATED_TOGETHER, "tasks", "relays", "influencers", "total")


def hypothetical_costs(
    clusters: pl.DataFrame, members: pl.DataFrame, prices: pl.DataFrame, /, *, relays: pl.DataFrame
) -> pl.DataFrame:
    """Return what flagged clusters and campaigns would have cost, if they were paid.

    Nothing in a log says that anybody was paid, or how much: a line multiplies what was counted by what such things
    were sold for elsewhere. It is no flag and enters no score, and there is none for a cluster without a flag.

    Parameters
    ----------
    clusters
        `cluster_id, campaign_id, flagged, flags, lot_share`.
    members
        `cluster_id, account_id, n_shares, n_co_shares, created_at`; an account is in one cluster at most.
    prices
        As from `prices.price_table`.
    relays
        `cluster_id, n` (posts) of relays in the cascades that a cluster carried, as from `relay_posts`; a cluster
        without relays has no row.

    Returns
    -------
    pl.DataFrame
        Columns of `schema.COSTS`: clusters in their order, then campaigns in that of their first cluster.
    """
    flagged = clusters.filter("flagged").select("cluster_id", "campaign_id", "flags", "lot_share")
    if flagged.is_empty():
        return COSTS.empty()
    mine = flagged.join(members, on="cluster_id", maintain_order="left")
    both = []
    for subject, name in (("cluster", "cluster_id"), ("campaign", "campaign_id")):
        of = mine.filter(pl.col(name).is_not_null())
        counts = _counts(of, flagged.join(relays, on="cluster_id"), name)
        order = of[name].unique(maintain_order=True)
        priced = counts.join(prices_of(prices), on="line").with_columns(
            low=pl.col("n_low") * pl.col("price_low"), high=pl.col("n_high") * pl.col("price_high")
        )
        priced = _with_totals(priced, counts)
        both.append(_sorted(priced, order.to_list()).with_columns(subject_type=pl.lit(subject)))
    return COSTS.conform(pl.concat(both).rename({"line": "item"}))


def _counts(members: pl.DataFrame, relays: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return `subject_id, line, n_low, n_high` of clusters or campaigns, by the column that names them."""
    each = members.group_by(subject_id=name).agg(
        profiles=pl.len(), met=pl.col("n_co_shares").sum(), shared=pl.col("n_shares").sum()
    )
    parts = [
        _line(each, "profiles", "profiles", "profiles"),
        _line(each, "tasks", "met", "shared"),
        _line(each, "influencers", "met", "shared"),
        _line(_in_lots(members, name), CREATED_TOGETHER, "n", "n"),
        _line(relays.group_by(subject_id=name).agg(pl.col("n").sum()), "relays", "n", "n"),
    ]
    return pl.concat(parts).filter(pl.col("n_high") > 0, pl.col("subject_id").is_not_null())


def _line(counts: pl.DataFrame, line: str, low: str, high: str) -> pl.DataFrame:
    return counts.select(
        "subject_id", line=pl.lit(line), n_low=pl.col(low).cast(COUNT), n_high=pl.col(high).cast(COUNT)
    )


def _in_lots(members: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return `subject_id, n`: members that were made in lots, of clusters in which that was flagged."""
    flagged = members.filter(pl.col("flags").list.contains(CREATED_TOGETHER))
    each = flagged.group_by("cluster_id", subject_id=name).agg(
        n=(pl.col("lot_share").first() * pl.col("created_at").count()).round(0).fill_null(0)
    )
    return each.group_by("subject_id").agg(pl.col("n").sum())


def _with_totals(priced: pl.DataFrame, counts: pl.DataFrame) -> pl.DataFrame:
    """Add `total` where all that it is of, and was counted, has prices in one and the same currency."""
    is_summed = pl.col("line").is_in(_SUMMED)
    summed = priced.filter(is_summed)
    needed = counts.filter(is_summed).group_by("subject_id").agg(needed=pl.col("line").n_unique())
    totals = (
        summed.group_by("subject_id", "currency")
        .agg(
            lines=pl.len(),
            low=pl.col("low").sum(),
            high=pl.col("high").sum(),
            sources=pl.col("sources").explode().unique().sort(),
        )
        .join(needed, on="subject_id")
        .filter((pl.col("lines") == pl.col("needed")) & (pl.col("lines") > 1))
        .select("subject_id", "currency", "low", "high", "sources", line=pl.lit("total"))
    )
    return pl.concat([priced, totals], how="diagonal")


def _sorted(priced: pl.DataFrame, order: list[str]) -> pl.DataFrame:
    place = pl.col("subject_id").replace_strict(
        order, list(range(len(order))), default=0, return_dtype=pl.UInt32
    )
    line = pl.col("line").replace_strict(
        list(_ORDER), list(range(len(_ORDER))), default=0, return_dtype=pl.UInt32
    )
    return priced.with_columns(pl.col("sources").cast(IDS)).sort(place, line, "currency")


def relay_posts(
    nodes: pl.LazyFrame, clusters: pl.DataFrame, carried: pl.DataFrame, /, *, least: int = 3
) -> pl.DataFrame:
    """Return how many posts relays made, right under the origin, in the cascades that their flagged clusters carried.

    Parameters
    ----------
    nodes
        `cascade_id, account_id, depth` of `schema.CASCADE_NODES`.
    clusters
        `cluster_id, flagged, relays`.
    carried
        `cluster_id, cascade_id, n_nodes` of `schema.AMPLIFICATION`.
    least
        In cascades with so many posts of the cluster's members or more.

    Returns
    -------
    pl.DataFrame
        `cluster_id, n` (posts); a cluster without relays has no row.
    """
    relays = (
        clusters.filter("flagged")
        .select("cluster_id", account_id="relays")
        .explode("account_id")
        .drop_nulls("account_id")
    )
    if relays.is_empty():
        return pl.DataFrame(schema={"cluster_id": ID, "n": COUNT})
    return (
        nodes.filter(
            pl.col("depth") == 1
        )  # who hands on what a relay handed on is no relay that one would pay for
        .select("cascade_id", "account_id")
        .join(relays.lazy(), on="account_id")
        .join(
            carried.lazy().filter(pl.col("n_nodes") >= least).select("cluster_id", "cascade_id"),
            on=["cluster_id", "cascade_id"],
            how="semi",
        )
        .group_by("cluster_id")
        .agg(n=pl.len().cast(COUNT))
        .collect()
    )
