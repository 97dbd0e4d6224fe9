"""Communities of a network by the Leiden algorithm."""

from __future__ import annotations

import math
from typing import Any

import igraph as ig
import numpy as np
import polars as pl

from propgraph.errors import InputError, UsageError, check_columns, check_extra
from propgraph.networks import seeded, to_igraph
from propgraph.options import ClusterOptions
from propgraph.readers.taken import takes_frames

#: Partitions that a resolution plays a part in.
WITH_RESOLUTION = ("CPM", "RBConfiguration", "RBER")
_OF_LAYERS = {"modularity": "RBConfiguration", "CPM": "CPM"}  # modularity with a resolution, in leidenalg


def detect_communities(
    graph: ig.Graph,
    /,
    *,
    objective: str = "modularity",
    resolution: float = 1.0,
    partition: str | None = None,
    weight: str | None = "weight",
    seed: int = 0,
    min_size: int = 3,
) -> pl.DataFrame:
    """Return the community of each account by Leiden.

    Parameters
    ----------
    graph
        Undirected, vertices with `name` (see `to_igraph`).
    objective
        `modularity` or `CPM`, by igraph.
    resolution
        Higher gives smaller communities.
    partition
        Name of one of leidenalg's own qualities in place of `objective`: `Surprise`, `Significance` (which
        takes no weights), `RBConfiguration`, `RBER`, `Modularity` or `CPM`; slower, and with
        `pip install 'propgraph[leidenalg]'`.
    weight
        Edge attribute with the weights; None for none.
    seed
        Seed of the algorithm's random order, 0 to 2**31 - 1.
    min_size
        Smaller communities are left out.

    Returns
    -------
    pl.DataFrame
        `account_id` (String) and `community` (UInt32, 0 for the largest; ties by the first account), sorted
        by both. Accounts in no community of `min_size` are not there.

    Raises
    ------
    UsageError
        When an option is out of its range, or leidenalg is needed and not there.
    InputError
        When the vertices have no `name` or the edges no `weight`.

    References
    ----------
    Traag, Waltman and van Eck, "From Louvain to Leiden", Scientific Reports 9 (2019).

    Examples
    --------
    >>> import polars as pl
    >>> import propgraph as pg
    >>> edges = pl.DataFrame(
    ...     {
    ...         "source": ["ana", "ana", "bo", "dee", "dee", "eli", "cy"],
    ...         "target": ["bo", "cy", "cy", "eli", "fay", "fay", "dee"],
    ...         "weight": [9, 8, 9, 7, 9, 8, 1],
    ...     }
    ... )
    >>> found = pg.detect_communities(pg.to_igraph(edges))
    >>> found.group_by("community", maintain_order=True).agg("account_id").rows()
    [(0, ['ana', 'bo', 'cy']), (1, ['dee', 'eli', 'fay'])]
    """
    ClusterOptions.check(
        objective=objective, resolution=resolution, partition=partition, seed=seed, min_size=min_size
    )
    if graph.is_directed():
        raise UsageError("the network has to be undirected; take graph.as_undirected()", option="graph")
    weights = weight if weight and graph.ecount() else None
    _check_attributes(graph, weights)
    if partition is None:
        membership = _by_igraph(graph, objective, weights, resolution, seed)
    else:
        membership = _by_leidenalg(graph, partition, weights, resolution, seed)
    return _numbered(
        graph.vs["name"] if graph.vcount() else [], np.asarray(membership, dtype=np.int64), min_size
    )


@takes_frames
def detect_multiplex(
    layers: pl.DataFrame,
    /,
    *,
    objective: str = ClusterOptions.objective,
    resolution: float = ClusterOptions.resolution,
    partition: str | None = ClusterOptions.partition,
    seed: int = ClusterOptions.seed,
    min_size: int = ClusterOptions.min_size,
) -> pl.DataFrame:
    """Return the community of each account by Leiden over several networks of the same accounts at once.

    Each trace is a layer with its own quality; their sum is optimised, every layer with the same weight.

    Parameters
    ----------
    layers
        `trace`, `source`, `target` (String), `weight` (> 0); one row a trace and pair.
    objective, resolution, partition, seed, min_size
        As for `detect_communities`; all by leidenalg: `pip install 'propgraph[leidenalg]'`.

    Returns
    -------
    pl.DataFrame
        As from `detect_communities`.

    Raises
    ------
    InputError
        When a column is missing, or an id is null.
    UsageError
        When an option is out of its range, or leidenalg is needed and not there.

    References
    ----------
    Mucha et al., "Community Structure in Time-Dependent, Multiscale, and Multiplex Networks", Science 328
    (2010); Traag, Waltman and van Eck, "From Louvain to Leiden", Scientific Reports 9 (2019).

    Examples
    --------
    >>> import polars as pl
    >>> import propgraph as pg
    >>> layers = pl.DataFrame(
    ...     {
    ...         "trace": ["url", "url", "url", "reshare", "reshare", "reshare"],
    ...         "source": ["ana", "ana", "cy", "dee", "dee", "bo"],
    ...         "target": ["bo", "cy", "dee", "eli", "fay", "cy"],
    ...         "weight": [5, 5, 1, 5, 5, 5],
    ...     }
    ... )
    >>> found = pg.detect_multiplex(layers)
    >>> found.group_by("community", maintain_order=True).agg("account_id").rows()
    [(0, ['ana', 'bo', 'cy']), (1, ['dee', 'eli', 'fay'])]
    """
    check_leidenalg(multiplex=True)
    import leidenalg  # noqa: PLC0415 - an extra

    ClusterOptions.check(
        objective=objective, resolution=resolution, partition=partition, seed=seed, min_size=min_size
    )
    check_columns("layers", ("trace", "source", "target", "weight"), layers.columns)
    names = pl.concat([layers["source"], layers["target"].alias("source")]).unique().sort()
    if names.is_empty():
        return _numbered([], np.empty(0, np.int64), min_size)
    nodes = names.alias("account_id").to_frame()
    parts = layers.sort("trace").partition_by("trace", maintain_order=True)
    graphs = [to_igraph(part.select("source", "target", "weight"), nodes=nodes) for part in parts]
    kind, options = _quality(partition or _OF_LAYERS[objective], "weight", resolution)
    membership, _ = leidenalg.find_partition_multiplex(graphs, kind, n_iterations=-1, seed=seed, **options)
    return _numbered(names.to_list(), np.asarray(membership, dtype=np.int64), min_size)


def check_leidenalg(*, multiplex: bool = False, partition: str | None = None) -> None:
    """Raise `UsageError` where what is asked for takes leidenalg, and that is not installed."""
    if multiplex or partition is not None:
        option = "multiplex" if multiplex else "partition"
        check_extra(
            "leidenalg",
            extra="leidenalg",
            what="layers and other qualities than igraph's need",
            option=option,
        )


def _check_attributes(graph: ig.Graph, weights: str | None) -> None:
    if graph.vcount() and "name" not in graph.vs.attributes():
        raise InputError("the network's vertices have no 'name'; make it with `to_igraph`")
    if weights is not None and weights not in graph.es.attributes():
        found = ", ".join(graph.es.attributes()) or "nothing"
        raise InputError(f"the network's edges have no {weights!r}, only {found}; weight=None takes none")


def leiden(graph: ig.Graph, /, *, seed: int, resolution: float = 1.0) -> list[int]:
    """Return the community of each vertex by modularity over the edges' `weight`; a low resolution joins more."""
    return _by_igraph(graph, "modularity", "weight", resolution, seed)


def _by_igraph(
    graph: ig.Graph, objective: str, weights: str | None, resolution: float, seed: int
) -> list[int]:
    """Iterate as long as the quality rises.

    Left to itself until nothing changes, igraph never ends where two partitions are as good as each other.
    """
    best: list[int] | None = None
    quality = -math.inf
    with seeded(seed):
        while True:
            # The plain method: `Graph.community_leiden` makes an object of each iteration, which takes longer than it.
            found, now = ig.GraphBase.community_leiden(
                graph, edge_weights=weights, resolution=resolution, n_iterations=1, initial_membership=best,
                normalize_resolution=objective == "modularity",
            )  # fmt: skip
            if best is not None and not now > quality + 1e-12 * abs(quality):
                return best
            best, quality = found, now


def _by_leidenalg(
    graph: ig.Graph, partition: str, weights: str | None, resolution: float, seed: int
) -> list[int]:
    check_leidenalg(partition=partition)
    import leidenalg  # noqa: PLC0415 - an extra

    kind, options = _quality(partition, weights, resolution)
    found: list[int] = leidenalg.find_partition(graph, kind, seed=seed, n_iterations=-1, **options).membership
    return found


def _quality(partition: str, weights: str | None, resolution: float) -> tuple[type, dict[str, Any]]:
    """Return leidenalg's class of a quality, and what it is called with."""
    import leidenalg  # noqa: PLC0415 - an extra

    options: dict[str, Any] = {"resolution_parameter": resolution} if partition in WITH_RESOLUTION else {}
    if partition != "Significance":
        options["weights"] = weights
    return getattr(leidenalg, f"{partition}VertexPartition"), options


def _numbered(names: list[str], membership: np.ndarray, min_size: int) -> pl.DataFrame:
    frame = pl.DataFrame({"account_id": pl.Series(names, dtype=pl.String), "found": membership})
    sizes = (
        frame.group_by("found")
        .agg(size=pl.len(), first=pl.col("account_id").min())
        .filter(pl.col("size") >= min_size)
    )
    order = sizes.sort(["size", "first"], descending=[True, False]).with_row_index("community")
    return frame.join(order, on="found").select("account_id", "community").sort("community", "account_id")
