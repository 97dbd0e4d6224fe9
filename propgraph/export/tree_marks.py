"""Which posts of a cascade are those of flagged clusters' members, and in which colour they are drawn."""

from __future__ import annotations

import polars as pl

from propgraph.export.network import cluster_colours
from propgraph.study import Study
from propgraph.trees import Tree

NO_MARKS = pl.DataFrame(
    schema={"row": pl.UInt32, "cluster_id": pl.String, "r": pl.Int64, "g": pl.Int64, "b": pl.Int64}
)


def tree_marks(study: Study, tree: Tree, /) -> pl.DataFrame:
    """Return the posts of a cascade that members of flagged clusters made.

    Returns
    -------
    pl.DataFrame
        `row` (of `tree.nodes`), `cluster_id` and the colour that the cluster has in the network, too: `r`, `g`, `b`
        (0..255). Without a row where the study has no clusters yet.
    """
    if "clusters" not in study.run:
        return NO_MARKS
    clusters = study.clusters.select("cluster_id", "flagged")
    colours = cluster_colours(clusters).join(clusters.filter("flagged"), on="cluster_id", how="semi")
    return (
        tree.nodes.select("account_id")
        .with_row_index("row")
        .join(study.members.select("account_id", "cluster_id"), on="account_id", maintain_order="left")
        .join(colours, on="cluster_id", maintain_order="left")
        .select(NO_MARKS.columns)
    )
