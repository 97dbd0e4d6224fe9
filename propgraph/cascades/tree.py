"""One cascade as an igraph tree, made when a person asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import igraph as ig
import numpy as np
import polars as pl

from propgraph.encoding import codes_in
from propgraph.errors import StudyError, did_you_mean
from propgraph.schema import TABLES

if TYPE_CHECKING:
    from propgraph.study import Study

# Ids compared one by one for a hint: a study may have millions.
_HINTS = 2000


def cascade_tree(study: Study, cascade_id: str, /) -> ig.Graph:
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
        Vertices in the order of the table `cascade_nodes`, by time with the root first; each with `name` and
        `content_id` (the post), `account_id`, `timestamp` (datetime, UTC; None where unknown), `depth` (edges
        from the root) and `parent_source`. Edges have `delay_s`, seconds from the parent to the child, None where a
        time is unknown. The graph has every column of the cascade's row in `cascades` as an attribute.

    Raises
    ------
    StudyError
        When the study has no such cascade, or no cascades.
    """
    mine = pl.col("cascade_id") == cascade_id
    row = study.scan("cascades").filter(mine).collect()
    if row.is_empty():
        raise StudyError(f"{study.path}: no cascade is called {cascade_id!r}{_hint(study, cascade_id)}")
    nodes = study.scan("cascade_nodes").filter(mine).collect()
    parent = codes_in(nodes["parent_content_id"], nodes["content_id"])
    child = np.flatnonzero(parent >= 0)
    graph = ig.Graph(n=nodes.height, edges=np.column_stack([parent[child], child]), directed=True)
    graph.vs["name"] = nodes["content_id"].to_list()
    for name in nodes.columns:
        if name not in {"cascade_id", "parent_content_id"}:
            graph.vs[name] = nodes[name].to_list()
    time = nodes["timestamp"]
    delay = (time.gather(child) - time.gather(parent[child])).dt.total_milliseconds() / 1000
    graph.es["delay_s"] = delay.to_list()
    for name in TABLES["cascades"].columns:
        graph[name] = row[name].to_list()[0] if name in row.columns else None
    return graph


def _hint(study: Study, cascade_id: str) -> str:
    """Return `" (did you mean 'x'?)"`: the same object in some trace, else the likest of the ids nearby."""
    ids = study.scan("cascades").select("cascade_id").collect()["cascade_id"].sort()
    of_object = ids.filter(ids.str.ends_with(f":{cascade_id}"))
    if len(of_object):
        return did_you_mean(of_object[0], [of_object[0]])
    place = ids.search_sorted(cascade_id)
    return did_you_mean(cascade_id, ids[max(place - _HINTS, 0) : place + _HINTS])
