"""A study's co-sharing network dressed for Gephi: labels, clusters, flags, positions, sizes, colours."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from propgraph.errors import StudyError
from propgraph.export.gexf import write_gexf
from propgraph.export.graphml import write_graphml
from propgraph.export.palette import UNFLAGGED, muted, palette
from propgraph.export.places import place_nodes
from propgraph.networks import join_traces, to_igraph, with_pairs
from propgraph.study import Study, run_first, unchanged

# Radius of the weakest node and of the strongest.
_SMALLEST, _LARGEST = 4.0, 14.0


def network_tables(study: Study, /, *, seed: int = 0) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the nodes and edges that `write_network` writes.

    Parameters
    ----------
    study
        A study with clusters.
    seed
        Of the layout, where accounts in no cluster are grouped.

    Returns
    -------
    tuple of pl.DataFrame
        Nodes: `id` (the account's), `label`, `cluster`, `flagged`, `flags`, `score` (of the cluster),
        `degree`, `strength`, `n_posts`, `n_shares`, `followers`, `created_at`, `first_seen`, `last_seen`, `x`, `y`,
        `size` (the radius, in the unit of `x` and `y`: no two nodes overlap), `r`, `g`, `b`. Edges: `source`,
        `target`, `weight`, `n_objects`, `n_events`, `mean_delta_s`, `fast_share`, `first_time`, `last_time`,
        `traces`, `synchrony`, `synchronised`, `r`, `g`, `b`; a pair synchronised beyond chance that has no edge in
        the window has weight 1. Flagged clusters have a colour each, other clusters a muted one; accounts in none,
        and edges that are not within one flagged cluster, are grey.

    Raises
    ------
    StudyError
        When the study has no clusters yet.
    """
    if "clusters" not in study.run:
        raise StudyError(f"{study.path}: no clusters yet; {run_first('clusters')}")
    traces = study.run["clusters"]["parameters"]["trace"]
    edges = join_traces(study.scan("edges").filter(pl.col("trace").is_in(traces)).collect())
    edges = with_pairs(edges, study.network).with_columns(pl.col("weight").fill_null(1))
    graph = to_igraph(edges.select("source", "target", "weight"))
    ids = pl.Series("id", graph.vs["name"], dtype=pl.String)
    strength = graph.strength(weights="weight") if graph.ecount() else [0.0] * graph.vcount()
    clusters = study.clusters.select("cluster_id", "flagged", "score", "flags")
    colours = cluster_colours(clusters)
    nodes = (
        pl.DataFrame({"id": ids, "degree": graph.degree(), "strength": strength})
        .join(
            # Who stands in two clusters is drawn with the first of them, the one with the higher score.
            study.members.select(id="account_id", cluster_id="cluster_id").unique(
                "id", keep="first", maintain_order=True
            ),
            on="id",
            how="left",
            maintain_order="left",
        )
        .join(clusters, on="cluster_id", how="left", maintain_order="left")
        .join(study.accounts.rename({"account_id": "id"}), on="id", how="left", maintain_order="left")
        .join(colours, on="cluster_id", how="left", maintain_order="left")
    )
    part = (pl.col("strength") / pl.max("strength")).fill_nan(0).sqrt()
    nodes = nodes.with_columns(size=_SMALLEST + (_LARGEST - _SMALLEST) * part)
    numbers = clusters.select("cluster_id").with_row_index("group")
    number = nodes.join(numbers, on="cluster_id", how="left", maintain_order="left")["group"]
    group = number.cast(pl.Int64).fill_null(-1).to_numpy()
    place = place_nodes(graph, group, nodes["size"].to_numpy(), seed=seed)
    nodes = nodes.select(
        "id", pl.coalesce("name", "id").alias("label"), pl.col("cluster_id").alias("cluster"),
        pl.col("flagged").fill_null(False), "flags", "score", pl.col("degree").cast(pl.Int64), "strength",
        pl.col("n_posts", "n_shares").cast(pl.Int64), "followers", "created_at",
        "first_seen", "last_seen", pl.Series("x", place[:, 0]), pl.Series("y", place[:, 1]), "size",
        *(pl.col(c).fill_null(grey) for c, grey in zip("rgb", UNFLAGGED, strict=True)),
    )  # fmt: skip
    return nodes, _coloured_edges(edges, nodes)


def write_network(path: str | Path, study: Study, /, *, seed: int = 0) -> None:
    """Write a study's co-sharing network for Gephi: as GEXF where the file is called so, else as GraphML.

    Parameters
    ----------
    path
        The file; one that exists is replaced. In a `.gexf` accounts and edges have times, for Gephi's timeline.
    study
        A study with clusters.
    seed
        Of the layout.

    Raises
    ------
    StudyError
        When the study has no clusters yet.
    UsageError
        When `path` is a folder or lies in none.

    See Also
    --------
    network_tables : The nodes and edges, column by column.

    Examples
    --------
    >>> import propgraph as pg
    >>> log = pg.simulate_veles(n_accounts=300, n_days=3, n_sites=5, n_seeders=50, strength=2).log
    >>> study = pg.find_clusters(pg.build(log, "study"))
    >>> pg.write_network("network.graphml", study)
    >>> import igraph
    >>> graph = igraph.Graph.Read_GraphML("network.graphml")
    >>> members = [vertex for vertex in graph.vs if vertex["cluster"] == "c1"]
    >>> len(members), {vertex["flagged"] for vertex in members}
    (25, {True})
    """
    with unchanged(study):
        nodes, edges = network_tables(study, seed=seed)
    if Path(path).suffix.lower() != ".gexf":
        write_graphml(path, nodes, edges)
        return
    write_gexf(
        path,
        nodes.rename({"first_seen": "start", "last_seen": "end"}),
        edges.rename({"first_time": "start", "last_time": "end"}),
    )


def cluster_colours(clusters: pl.DataFrame, /) -> pl.DataFrame:
    """Return `cluster_id` and the colour of each cluster, `r`, `g`, `b`: flagged ones have one each."""
    flagged, others = (clusters.filter(pl.col("flagged") == value)["cluster_id"] for value in (True, False))
    rgb = palette(len(flagged)) + muted(len(others))
    return pl.DataFrame(
        {
            "cluster_id": pl.concat([flagged, others]),
            **{c: [colour[k] for colour in rgb] for k, c in enumerate("rgb")},
        },
        schema={"cluster_id": pl.String, "r": pl.Int64, "g": pl.Int64, "b": pl.Int64},
    )


def _coloured_edges(edges: pl.DataFrame, nodes: pl.DataFrame) -> pl.DataFrame:
    """Give an edge its cluster's colour where both ends share one, grey elsewhere."""
    end = nodes.select("id", "cluster", "flagged", "r", "g", "b")
    both = edges.join(end, left_on="source", right_on="id", how="left", maintain_order="left").join(
        end.select("id", other="cluster"), left_on="target", right_on="id", how="left", maintain_order="left"
    )
    inside = pl.col("flagged") & (pl.col("cluster") == pl.col("other")).fill_null(False)
    return both.with_columns(
        pl.when(inside).then(c).otherwise(grey).alias(c) for c, grey in zip("rgb", UNFLAGGED, strict=True)
    ).drop("cluster", "other", "flagged")
