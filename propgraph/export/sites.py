"""The network of a study's sites for Gephi: who shares a hand, and by what it shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from propgraph.errors import StudyError
from propgraph.export.graphml import write_graphml
from propgraph.export.palette import UNFLAGGED, palette
from propgraph.export.places import place_nodes
from propgraph.networks import to_igraph
from propgraph.schema import ID, SITE_FACTS
from propgraph.study import Study, run_first, unchanged

_SMALLEST, _LARGEST = 4.0, 14.0


def site_network_tables(study: Study, /, *, seed: int = 0) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the nodes and edges that `write_sites` writes.

    Parameters
    ----------
    study
        A study with clusters.
    seed
        Of the layout.

    Returns
    -------
    tuple of pl.DataFrame
        Nodes, all sites of the log: `id` and `label` (the site), `operator`, the other columns of `sites`, a column
        `fact_...` for each fact of the user's tables (several values joined by `|`), `x`, `y`, `size` (by first
        shares), `r`, `g`, `b` (one colour an operator). Edges, the table `site_pairs`, with `weight`: first sharers of
        both, at least 1.

    Raises
    ------
    StudyError
        When the study has no operators: no clusters yet, or an earlier version found them.
    """
    if "site_pairs" not in study.tables:
        raise StudyError(f"{study.path}: no pairs of sites yet; {run_first('clusters')}")
    pairs, sites = study.site_pairs, study.sites
    edges = pairs.with_columns(weight=pl.col("n_first_sharers").fill_null(1).cast(pl.Float64))
    nodes = sites.select(id="site", label="site", operator="operator_id").hstack(
        sites.drop("site", "operator_id")
    )
    nodes = nodes.join(_facts(study), on="id", how="left", maintain_order="left")
    part = (pl.col("n_shares") / pl.max("n_shares")).fill_nan(0).sqrt()
    nodes = nodes.with_columns(size=_SMALLEST + (_LARGEST - _SMALLEST) * part).sort("id")
    graph = to_igraph(edges.select("source", "target", "weight"), nodes=nodes.select(account_id="id"))
    number = pl.col("operator").str.slice(1).cast(pl.Int64)
    group = nodes.select(number - 1).to_series().fill_null(-1).to_numpy()
    place = place_nodes(graph, group, nodes["size"].to_numpy(), seed=seed)
    colours = np.array([*palette(int(group.max(initial=-1)) + 1), UNFLAGGED])
    return nodes.with_columns(
        pl.Series("x", place[:, 0]), pl.Series("y", place[:, 1]),
        *(pl.Series(c, colours[group, k], dtype=pl.Int64) for k, c in enumerate("rgb")),
    ), edges  # fmt: skip


def _facts(study: Study) -> pl.DataFrame:
    """Return `id` and a column for each fact."""
    known = study.site_facts if SITE_FACTS.name in study.tables else SITE_FACTS.empty()
    if known.is_empty():
        return pl.DataFrame(schema={"id": ID})
    names = pl.format("fact_{}", "fact")
    joined = known.group_by("site", names.alias("fact")).agg(pl.col("value").sort().str.join("|"))
    wide = joined.sort("fact").pivot("fact", index="site", values="value").rename({"site": "id"})
    return wide.select("id", *sorted(wide.drop("id").columns))


def write_sites(path: str | Path, study: Study, /, *, seed: int = 0) -> None:
    """Write the network of a study's sites as GraphML.

    Parameters
    ----------
    path
        The file; one that exists is replaced.
    study
        A study with clusters.
    seed
        Of the layout.

    Raises
    ------
    StudyError
        When the study has no operators.
    UsageError
        When `path` is a folder or lies in none.
    """
    with unchanged(study):
        nodes, edges = site_network_tables(study, seed=seed)
    write_graphml(path, nodes, edges)
