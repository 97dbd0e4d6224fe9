"""How much of each cluster is found again in a run."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from propgraph.arrays.types import Bool

#: Jaccard similarity from which on a cluster counts as found again.
HOLDS = 0.5


def best_match(base: pl.DataFrame, found: pl.DataFrame, /) -> pl.DataFrame:
    """Return how like each cluster is to the cluster of a run that is most like it.

    Parameters
    ----------
    base
        `cluster_id`, `account_id`; the study's members.
    found
        `cluster`, `account_id`; the run's.

    Returns
    -------
    pl.DataFrame
        `cluster_id`, `jaccard` (0..1; 0 where none of its members is in any cluster), in order of first sight.

    References
    ----------
    Hennig, "Cluster-wise Assessment of Cluster Stability", Computational Statistics and Data Analysis 52 (2007).
    """
    both = _both(base, found)
    sizes = found.group_by("cluster").agg(n_found=pl.len())
    alike = (
        both.join(sizes, on="cluster")
        .group_by("cluster_id")
        .agg(jaccard=(pl.col("n_both") / (pl.col("n_base") + pl.col("n_found") - pl.col("n_both"))).max())
    )
    clusters = base.select(pl.col("cluster_id").unique(maintain_order=True))
    return clusters.join(alike, on="cluster_id", how="left", maintain_order="left").with_columns(
        pl.col("jaccard").fill_null(0.0)
    )


def best_union(base: pl.DataFrame, found: pl.DataFrame, /) -> pl.DataFrame:
    """Return how like each campaign is to those clusters of a run that together are most like it.

    That is the largest Jaccard similarity of its accounts to the union of any clusters of the run. Clusters of a run
    have no account in common, so the best ones are those with the largest parts of their members in the campaign,
    down to some part: each cluster more, in this order, is tried.

    Parameters
    ----------
    base
        `campaign_id`, `account_id`; the members of all clusters of each campaign.
    found
        `cluster`, `account_id`; the run's.

    Returns
    -------
    pl.DataFrame
        `campaign_id`, `jaccard` (0..1; 0 where none of its members is in any cluster), in order of first sight.
    """
    sizes = base.group_by("campaign_id", maintain_order=True).agg(n_base=pl.len().cast(pl.Int64))
    both = base.join(found, on="account_id").group_by("campaign_id", "cluster").agg(n=pl.len().cast(pl.Int64))
    n_found = found.group_by("cluster").agg(n_found=pl.len().cast(pl.Int64))
    tried = (
        both.join(n_found, on="cluster")
        .join(sizes, on="campaign_id")
        .sort(pl.col("n") / pl.col("n_found"), "cluster", descending=[True, False])
        .select(
            "campaign_id",
            jaccard=pl.col("n").cum_sum().over("campaign_id")
            / (pl.col("n_base") + (pl.col("n_found") - pl.col("n")).cum_sum().over("campaign_id")),
        )
    )
    best = tried.group_by("campaign_id").agg(pl.col("jaccard").max())
    return sizes.join(best, on="campaign_id", how="left", maintain_order="left").select(
        "campaign_id", pl.col("jaccard").fill_null(0.0)
    )


def together(base: pl.DataFrame, found: pl.DataFrame, /) -> pl.Series:
    """Return for each row of `base` the share (0..1) of its fellow members who are in one cluster with it.

    An account that is in no cluster of the run is with none of them. For `base` and `found` see `best_match`.
    """
    both = _both(base, found)
    rows = base.join(found, on="account_id", how="left", maintain_order="left").join(
        both, on=["cluster_id", "cluster"], how="left", maintain_order="left"
    )
    with_it = (pl.col("n_both").cast(pl.Float64) - 1) / (pl.col("n_base") - 1).clip(1)
    return rows.select(together=with_it.fill_null(0.0)).to_series()


def vanishing(holds: Bool, under: Mapping[str, Bool], /) -> list[str]:
    """Return the levels of choices under which a cluster vanishes, the worst first.

    That is the level under which it holds in the smallest part of the runs, if less than half; then the same
    among the runs without that level, and so on. A choice is not blamed for runs that a worse one had spoilt:
    where the choices are shuffled, two that have nothing to do with each other often stand together.

    Parameters
    ----------
    holds
        bool[n_runs]; the cluster holds in the run.
    under
        Level to bool[n_runs]: the runs with it. Among equals that with more runs comes first, then the earlier.
    """
    found: list[str] = []
    left = np.ones(holds.size, np.bool_)
    while left.any():
        runs = {level: rows & left for level, rows in under.items() if (rows & left).any()}
        worst = min(runs, key=lambda level: (holds[runs[level]].mean(), -runs[level].sum()), default=None)
        if worst is None or holds[runs[worst]].mean() >= 0.5:
            break
        found.append(worst)
        left &= ~under[worst]
    return found


def _both(base: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Return `cluster_id, cluster, n_both, n_base`: the pairs of clusters that have members in common."""
    counts = (
        base.join(found, on="account_id")
        .group_by("cluster_id", "cluster")
        .agg(n_both=pl.len().cast(pl.Int64))
    )
    sizes = base.group_by("cluster_id").agg(n_base=pl.len().cast(pl.Int64))
    return counts.join(sizes, on="cluster_id")
