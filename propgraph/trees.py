"""One cascade of a study, read: the only place where rows of `cascade_nodes` become a tree."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import polars as pl

from propgraph.arrays.types import Int64
from propgraph.errors import StudyError, did_you_mean
from propgraph.schema import CASCADE_NODES, CASCADES

if TYPE_CHECKING:
    from igraph import Graph

# Ids to compare with for a hint: a study may have millions.
_HINTS = 50


class Tables(Protocol):
    """What is read of a study."""

    path: Path

    def scan(self, name: str, /) -> pl.LazyFrame:
        """Return a table lazily."""


@dataclass(frozen=True)
class Tree:
    """One cascade.

    Attributes
    ----------
    cascade
        Its row of `schema.CASCADES`.
    nodes
        Its posts, the root first, the others by time, parents before children: the columns of
        `schema.CASCADE_NODES`, `name` (of the account, where it is known; String) and `delay_s` (s after the
        root, or after the first post where the root has no time; null without a time).
    parent
        Row of each node's parent; -1 at the root.
    """

    cascade: dict[str, Any]
    nodes: pl.DataFrame
    parent: Int64


def read_cascade(study: Tables, cascade_id: str, /) -> Graph:
    """Return one cascade of a study as a directed tree, from each parent to its children.

    Only this cascade's rows are read.

    Parameters
    ----------
    study
        A study that `build` made.
    cascade_id
        As in its table `cascades`: `trace:object_id`.

    Returns
    -------
    igraph.Graph
        Vertices with the root first, then by time, parents before children; each with `name` and `content_id`
        (the post), `account_id`, `timestamp` (datetime, UTC; None where unknown), `depth` (edges from the root)
        and `parent_source`. Edges have `delay_s`, seconds from the parent to the child, None where a time is
        unknown. The graph has every column of the cascade's row in `cascades` as an attribute.

    Raises
    ------
    StudyError
        When the study has no such cascade, or no cascades.

    Examples
    --------
    >>> import polars as pl
    >>> import propgraph as pg
    >>> log = pl.DataFrame(
    ...     {
    ...         "content_id": ["p1", "p2", "p3", "p4"],
    ...         "account_id": ["ana", "bo", "cy", "dee"],
    ...         "timestamp": [1_700_000_000, 1_700_000_060, 1_700_000_090, 1_700_000_400],
    ...         "kind": ["original", "reshare", "reshare", "reshare"],
    ...         "parent_content_id": [None, "p1", "p1", "p3"],
    ...     }
    ... )
    >>> tree = pg.read_cascade(pg.build(log, "study"), "reshare:p1")
    >>> tree["size"], tree["depth"], tree.maxdegree(mode="out")
    (4, 2, 2)
    >>> list(zip(tree.vs["account_id"], tree.vs["depth"]))
    [('ana', 0), ('bo', 1), ('cy', 1), ('dee', 2)]
    >>> tree.es["delay_s"]
    [60.0, 90.0, 310.0]
    """
    import igraph  # noqa: PLC0415 - takes long to load, and few who open a study draw a tree

    tree = read_tree(study, _named(study, cascade_id))
    nodes, above = tree.nodes, tree.parent[1:]
    below = np.arange(1, nodes.height)
    graph = igraph.Graph(n=nodes.height, edges=np.column_stack([above, below]), directed=True)
    graph.vs["name"] = nodes["content_id"].to_list()
    for name in CASCADE_NODES.columns:
        if name not in {"cascade_id", "parent_content_id"}:
            graph.vs[name] = nodes[name].to_list()
    time = nodes["timestamp"]
    graph.es["delay_s"] = ((time[1:] - time.gather(above)).dt.total_milliseconds() / 1000).to_list()
    for name in CASCADES.columns:
        graph[name] = tree.cascade.get(name)
    return graph


def _named(study: Tables, cascade_id: str) -> dict[str, Any]:
    """Return the row of the cascade that has this very id."""
    table = study.scan("cascades")
    found = table.filter(pl.col("cascade_id") == cascade_id).head(1).collect()
    if found.is_empty():
        raise StudyError(_unknown(study, table, cascade_id))
    return found.row(0, named=True)


def find_cascade(study: Tables, name: str, /, *, trace: str | None = None) -> dict[str, Any]:
    """Return the row of one cascade.

    Parameters
    ----------
    study
        The study.
    name
        The cascade's id, its object's id, or the beginning of either if no other begins so. An ellipsis at
        its end, as a table shows it, is no part of it.
    trace
        Look among this trace's cascades only.

    Returns
    -------
    The row of `schema.CASCADES`.

    Raises
    ------
    StudyError
        When no cascade, or more than one, is called so.
    """
    table = study.scan("cascades")
    if trace is not None:
        table = table.filter(pl.col("trace") == trace)
    beginning = name.removesuffix("…")
    ids = pl.col("cascade_id"), pl.col("object_id")
    exact = pl.any_horizontal(column == name for column in ids)
    begins = pl.any_horizontal(column.str.starts_with(beginning) for column in ids)
    for wanted in (pl.col("cascade_id") == name, exact, begins if beginning else pl.lit(False)):
        found = table.filter(wanted).head(6).collect()
        if found.height == 1:
            return found.row(0, named=True)
        if found.height > 1:
            some = ", ".join(map(repr, found["cascade_id"].head(5)))
            more = " and more" if found.height > 5 else ""
            raise StudyError(f"{name!r} may be {some}{more}; write more of it")
    raise StudyError(_unknown(study, table, name))


def _unknown(study: Tables, table: pl.LazyFrame, name: str) -> str:
    """Return that no cascade is called so, and which may be meant: one of this object, else one called much alike."""
    of_object = table.filter(pl.col("object_id") == name).select(pl.col("cascade_id").min()).collect().item()
    known: Iterable[str] = [of_object] if of_object is not None else _near(table, name)
    return f"{study.path}: no cascade is called {name!r}{did_you_mean(of_object or name, known)}"


def _near(table: pl.LazyFrame, name: str) -> list[str]:
    """Return some hundred ids that begin or end as `name` does: to compare all of a million takes minutes."""
    both = table.select("cascade_id", "object_id").collect()
    ids = pl.concat([both["cascade_id"], both["object_id"].alias("cascade_id")]).drop_nulls().unique()
    near: list[str] = []
    for reverse in (False, True):
        known = (ids.str.reverse() if reverse else ids).sort()
        at = int(known.search_sorted(name[::-1] if reverse else name))
        part = known.slice(max(at - _HINTS, 0), 2 * _HINTS)
        near += (part.str.reverse() if reverse else part).to_list()
    return list(dict.fromkeys(near))


def read_tree(study: Tables, cascade: dict[str, Any], /) -> Tree:
    """Read one cascade's posts, and no others.

    Parameters
    ----------
    study
        The study.
    cascade
        As `find_cascade` returns it.

    Returns
    -------
    The tree. A post whose parent is not to be found hangs under the root.
    """
    nodes = study.scan("cascade_nodes").filter(pl.col("cascade_id") == cascade["cascade_id"]).collect()
    if nodes.is_empty():
        raise StudyError(f"{study.path}: no posts of {cascade['cascade_id']!r}; build the study anew")
    root = (pl.col("parent_source") == "root") | pl.col("parent_content_id").is_null()
    nodes = nodes.with_columns(root=root).sort("root", descending=True, maintain_order=True)
    nodes = pl.concat([nodes.head(1), nodes.slice(1).sort("timestamp", "depth", maintain_order=True)])
    names = (
        study.scan("accounts")
        .select("account_id", "name")
        .join(nodes.lazy().select("account_id").unique(), on="account_id", how="semi")
        .collect()
    )
    start = nodes["timestamp"][0] or nodes["timestamp"].min()
    delay = (pl.col("timestamp") - pl.lit(start, pl.Datetime("ms", "UTC"))).dt.total_milliseconds() / 1000
    parent = _parents(nodes)
    nodes = nodes.join(names, on="account_id", how="left", maintain_order="left")
    nodes = nodes.select(*CASCADE_NODES.columns, "name", delay_s=delay)
    return Tree(cascade, nodes, parent)


def _parents(nodes: pl.DataFrame) -> Int64:
    """Return the row of each node's parent; whatever does not lead to the root is put under it."""
    at: dict[str, int] = {}
    for row, name in enumerate(nodes["content_id"]):
        at.setdefault(name, row)
    parent = np.array([at.get(name, 0) for name in nodes["parent_content_id"]], np.int64)
    parent[0] = -1
    leads = np.zeros(parent.size, bool)
    leads[0] = True
    for row in range(parent.size):
        way, here = [row], row
        seen = {row}
        while not leads[here]:
            here = int(parent[here])
            if here in seen:
                parent[way[-1]], here = 0, 0
                break
            way.append(here)
            seen.add(here)
        leads[way] = True
    return parent
