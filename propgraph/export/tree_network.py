"""One cascade as a network for Gephi: GEXF, with times, or GraphML."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from propgraph.arrays.types import Int64
from propgraph.export.gexf import write_gexf
from propgraph.export.graphml import write_graphml
from propgraph.export.palette import UNFLAGGED
from propgraph.export.tree_marks import NO_MARKS
from propgraph.export.tree_scene import RADIAL, ROOT, by_time, places, radii
from propgraph.trees import Tree

# So much room for each post on average, and so many radii from one to the next where many stand side by side.
_ROOM, _APART = 24.0, 2.6


def write_tree(path: str | Path, tree: Tree, /, *, marks: pl.DataFrame = NO_MARKS) -> None:
    """Write a cascade as a directed network, parent to child: as GEXF where the file is called so, else as GraphML.

    Parameters
    ----------
    path
        The file; one that exists is replaced.
    tree
        The cascade. Nodes have the post's id and `label`, `account`, `name`, `timestamp` (`start` in GEXF: there Gephi
        shows the cascade grow), `depth` (edges), `parent_source`, `cluster` (of a flagged one's member), `x`, `y`,
        `size` and colour; edges have `delay_s` (s from parent to child). A second post of one id gets `#2`.
    marks
        As `tree_marks` returns them: these posts have their cluster's colour and the others, but for the black root,
        are grey. Without any, posts are dark to light in order of time.

    Raises
    ------
    UsageError
        When `path` is a folder or lies in none.
    """
    nodes, edges = tree_tables(tree, marks)
    if Path(path).suffix.lower() != ".gexf":
        write_graphml(path, nodes, edges, directed=True)
        return
    write_gexf(path, nodes.rename({"timestamp": "start"}), edges, directed=True)


def tree_tables(tree: Tree, marks: pl.DataFrame, /) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the nodes and edges that `write_tree` writes."""
    ids: list[str] = []
    taken: dict[str, int] = {}
    for name in tree.nodes["content_id"].fill_null(""):
        taken[name] = taken.get(name, 0) + 1
        ids.append(name if taken[name] == 1 else f"{name}#{taken[name]}")
    own = pl.Series("id", ids, dtype=pl.String)
    place = places(tree.parent) * _half_width(tree.parent)
    nodes = tree.nodes.select(
        own, pl.coalesce("name", "account_id").alias("label"), pl.col("account_id").alias("account"),
        "name", "timestamp", pl.col("depth").cast(pl.Int64), "parent_source", _clusters(tree, marks),
        pl.Series("x", place[:, 0]), pl.Series("y", -place[:, 1]),  # Gephi's y goes up
        pl.Series("size", radii(tree.parent)), *_colours(tree, marks),
    )  # fmt: skip
    above = pl.Series(tree.parent[1:])
    delay = tree.nodes["delay_s"][1:] - tree.nodes["delay_s"].gather(above)
    return nodes, pl.DataFrame({"source": own.gather(above), "target": own[1:], "delay_s": delay})


def _half_width(parent: Int64) -> float:
    """Return how far from the middle a tree's network goes, so that its last generation has room side by side."""
    leaf = np.bincount(parent[1:], minlength=parent.size) == 0
    in_a_row = _APART * float(radii(parent)[leaf].max()) * int(leaf.sum())
    return max(
        _ROOM * float(np.sqrt(parent.size)), in_a_row / 2 if parent.size <= RADIAL else in_a_row / (2 * np.pi)
    )


def _clusters(tree: Tree, marks: pl.DataFrame) -> pl.Series:
    rows = pl.DataFrame({"row": np.arange(tree.parent.size, dtype=np.uint32)})
    return rows.join(marks, on="row", how="left", maintain_order="left")["cluster_id"].alias("cluster")


def _colours(tree: Tree, marks: pl.DataFrame) -> list[pl.Series]:
    colours = by_time(tree)
    if marks.height:
        colours[:] = UNFLAGGED
    colours[0] = ROOT
    colours[marks["row"].to_numpy()] = marks.select("r", "g", "b").to_numpy()
    return [pl.Series(name, colours[:, k]) for k, name in enumerate("rgb")]
