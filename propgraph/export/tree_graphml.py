"""One cascade as GraphML."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from propgraph.export.graphml import write_graphml
from propgraph.trees import Tree


def write_tree_graphml(path: str | Path, tree: Tree, /) -> None:
    """Write a cascade as directed GraphML for Gephi, parent to child.

    Parameters
    ----------
    path
        The file; one that exists is replaced.
    tree
        The cascade. Nodes have the post's id and `label`, `account`, `name`, `timestamp`, `depth` (edges),
        `parent_source`; edges have `delay_s` (s from parent to child). A second post of one id gets `#2`.

    Raises
    ------
    UsageError
        When `path` is a folder or lies in none.
    """
    ids: list[str] = []
    taken: dict[str, int] = {}
    for name in tree.nodes["content_id"].fill_null(""):
        taken[name] = taken.get(name, 0) + 1
        ids.append(name if taken[name] == 1 else f"{name}#{taken[name]}")
    own = pl.Series("id", ids, dtype=pl.String)
    nodes = tree.nodes.select(
        own, pl.coalesce("name", "account_id").alias("label"), pl.col("account_id").alias("account"),
        "name", "timestamp", pl.col("depth").cast(pl.Int64), "parent_source",
    )  # fmt: skip
    above = pl.Series(tree.parent[1:])
    delay = tree.nodes["delay_s"][1:] - tree.nodes["delay_s"].gather(above)
    edges = pl.DataFrame({"source": own.gather(above), "target": own[1:], "delay_s": delay})
    write_graphml(path, nodes, edges, directed=True)
