"""Co-sharing edges to igraph and back; the only place that numbers vertices."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import igraph as ig
import numpy as np
import polars as pl

from propgraph.arrays.encoding import codes_of, encode, labels_of
from propgraph.errors import InputError, check_columns, lacking
from propgraph.readers.taken import takes_frames

# The columns of edges that `join_traces` makes one row a pair of.
_JOINED = (
    "trace", "source", "target", "weight", "n_objects", "n_events", "mean_delta_s", "fast_share", "first_time",
    "last_time",
)  # fmt: skip


@takes_frames
def join_traces(edges: pl.DataFrame, /) -> pl.DataFrame:
    """Return one row for each pair of accounts out of edges that have one for each trace and pair.

    The weight of a pair is the largest of its traces': a repost of a post with a link is one act, not two.

    Parameters
    ----------
    edges
        Columns `source`, `target`, `weight`, `n_events`, `n_objects`, `mean_delta_s`, `fast_share`,
        `first_time`, `last_time`, `trace`.

    Returns
    -------
    pl.DataFrame
        `source`, `target`, `weight`, `n_objects`, `n_events`, `mean_delta_s`, `fast_share` (of the trace
        with the largest weight), `first_time`, `last_time`, `traces` (joined by `+`); sorted.

    Examples
    --------
    >>> import polars as pl
    >>> import propgraph as pg
    >>> posts = pl.DataFrame(
    ...     {
    ...         "content_id": [f"p{k}" for k in range(4)],
    ...         "account_id": ["ana", "bo"] * 2,
    ...         "timestamp": [1_700_000_000, 1_700_000_010, 1_700_090_000, 1_700_090_030],
    ...         "url": ["https://a.example/1"] * 2 + ["https://a.example/2"] * 2,
    ...         "text": ["look at this story of a town"] * 2 + ["they do not want you to see this"] * 2,
    ...     }
    ... )
    >>> traces = pg.make_shares(pg.read_log(posts), trace=["url", "text"])
    >>> edges = pl.concat([pg.cosharing_edges(shares) for shares in traces.values()])
    >>> edges.select("trace", "source", "target", "weight").rows()
    [('text', 'ana', 'bo', 2), ('url', 'ana', 'bo', 2)]
    >>> pg.join_traces(edges).select("source", "target", "weight", "traces").rows()
    [('ana', 'bo', 2, 'text+url')]
    """
    check_columns("edges", _JOINED, edges.columns)
    heaviest = edges.sort(
        "source", "target", "weight", "n_events", "trace", descending=[False, False, True, True, False]
    )
    return heaviest.group_by("source", "target", maintain_order=True).agg(
        pl.col("weight", "n_objects", "n_events", "mean_delta_s", "fast_share").first(),
        pl.col("first_time").min(),
        pl.col("last_time").max(),
        traces=pl.col("trace").sort().str.join("+"),
    )


def without_accounts(edges: pl.DataFrame, accounts: pl.DataFrame, /) -> pl.DataFrame:
    """Return `edges`, in order, without those whose `source` or `target` is among the `account_id` of `accounts`."""
    for end in ("source", "target"):
        edges = edges.join(accounts, left_on=end, right_on="account_id", how="anti", maintain_order="left")
    return edges


def with_pairs(edges: pl.DataFrame, network: pl.DataFrame, /) -> pl.DataFrame:
    """Return the pairs of accounts that co-shared in the window, and those synchronised beyond chance.

    Parameters
    ----------
    edges
        As from `join_traces`.
    network
        `schema.NETWORK`.

    Returns
    -------
    pl.DataFrame
        The columns of `edges` (null where a pair did not co-share often enough in the window), `synchrony`
        (-log10 P; null where it is not known), `synchronised` (Boolean); sorted by `source`, `target`.
    """
    pairs = network.filter("synchronised").select("source", "target", "synchrony", "synchronised")
    both = edges.join(pairs, on=["source", "target"], how="full", coalesce=True)
    return both.with_columns(pl.col("synchronised").fill_null(False)).sort("source", "target")


@takes_frames
def to_igraph(edges: pl.DataFrame, /, *, nodes: pl.DataFrame | None = None) -> ig.Graph:
    """Return the undirected network of `edges` as an `igraph.Graph`.

    Parameters
    ----------
    edges
        Columns `source` and `target` (String); every other column becomes an edge attribute. One row a
        pair (see `join_traces`), or parallel edges.
    nodes
        Optional: `account_id` (once each) and further columns that become vertex attributes, `name` as
        `label`. Accounts without an edge become vertices too.

    Returns
    -------
    igraph.Graph
        Vertices carry their id as `name` and are numbered in sorted order of the ids, edges in sorted
        order of `source` and `target`, so that the same rows in any order give the same graph.

    Raises
    ------
    InputError
        When a column is missing or holds a null id, or an account stands twice in `nodes`; all faults are
        named together.

    Examples
    --------
    >>> import polars as pl
    >>> import propgraph as pg
    >>> edges = pl.DataFrame({"source": ["ana", "bo"], "target": ["bo", "cy"], "weight": [3, 2]})
    >>> graph = pg.to_igraph(edges, nodes=pl.DataFrame({"account_id": ["ana", "dee"], "followers": [120, 7]}))
    >>> graph.vs["name"], graph.strength(weights="weight"), graph.vs["followers"]
    (['ana', 'bo', 'cy', 'dee'], [3.0, 5.0, 2.0, 0.0], [120, None, None, 7])
    """
    faults = _faults(edges, "edges", ("source", "target"))
    if nodes is not None:
        faults += _faults(nodes, "nodes", ("account_id",))
        if not faults and nodes["account_id"].is_duplicated().any():
            faults.append("nodes have an account_id more than once")
    if faults:
        raise InputError("; ".join(faults))
    others = [name for name in edges.columns if name not in ("source", "target")]
    # Parallel edges are told apart by their trace, or by all that they carry.
    edges = edges.sort("source", "target", *(["trace"] if "trace" in others else others))
    ids = [edges["source"].cast(pl.String), edges["target"].cast(pl.String)]
    if nodes is not None:
        ids.append(nodes["account_id"].cast(pl.String))
    both = encode(pl.concat([series.alias("name") for series in ids]))
    codes = codes_of(both)[: 2 * edges.height].reshape(2, -1)
    names = labels_of(both).to_list()
    graph = ig.Graph(n=len(names), edges=np.ascontiguousarray(codes.T), directed=False)
    graph.vs["name"] = names
    for name in others:
        graph.es[name] = edges[name].to_list()
    if nodes is not None:
        attributes = pl.DataFrame({"account_id": names}).join(
            nodes.with_columns(pl.col("account_id").cast(pl.String)),
            on="account_id",
            how="left",
            maintain_order="left",
        )
        for name in nodes.columns:
            if name != "account_id":
                graph.vs["label" if name == "name" else name] = attributes[name].to_list()
    return graph


def _faults(frame: pl.DataFrame, table: str, needed: tuple[str, ...]) -> list[str]:
    return lacking(table, needed, frame.columns) or [
        f"column {name!r} of the {table} has nulls" for name in needed if frame[name].null_count()
    ]


@contextmanager
def seeded(seed: int, /) -> Iterator[None]:
    """Give igraph a random generator of its own for a while; its default is Python's global one."""
    ig.set_random_number_generator(random.Random(seed))
    try:
        yield
    finally:
        ig.set_random_number_generator(random)
