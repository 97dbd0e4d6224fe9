"""Shapes of cascades: propgraph against NetworkX and igraph tree by tree, and at a million and ten million nodes.

    python -m benchmarks cascades [--data ../shared/data] [--every 10]

Depth, breadth and structural virality of Weibo's trees, from the same lists of parents, each peer in the way
its manual shows (all distances), NetworkX also by sums over subtrees written in Python. NetworkX is given each
`--every`-th tree, and the same trees are timed with propgraph for the ratio. All results are compared. Then, in
a process each, all measures of a million cascades of ten nodes and of one of ten million.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import igraph as ig
import networkx as nx
import numpy as np
import polars as pl

from benchmarks import SHARED
from benchmarks.timing import header, row
from propgraph.cascades.repair import trees_from_edges
from propgraph.cascades.shapes.measures import measure_cascades
from propgraph.cascades.shapes.percentiles import size_matched_percentiles
from propgraph.cascades.shapes.shape import cascade_shapes

Shape = tuple[int, int, float]
CASES = ("million of ten", "star", "chain", "random recursive tree")


def main() -> None:
    """Compare with the peers, then grow."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--every", type=int, default=10)
    parser.add_argument("--case", choices=CASES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        print(json.dumps(large(options.case)))
        return
    if (options.data / "weibo_trees.parquet").exists():
        against_peers(options.data / "weibo_trees.parquet", options.every)
        print()
    header(
        "cascades of 10,000,000 nodes in all",
        "shapes and growth, s",
        "percentiles, s",
        "peak MB",
        "of it data",
    )
    for case in CASES:
        command = [sys.executable, __file__, "--case", case]
        row(case, *json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def against_peers(path: Path, every: int, /) -> None:
    """Print how long each takes for Weibo's trees, and that they agree."""
    trees = trees_from_edges(pl.read_parquet(path).drop("date"), virtual_root=True)
    offsets, parent = trees.offsets, trees.parent
    each = [parent[lo:hi] - lo for lo, hi in pairwise(offsets)]
    some = each[::every]
    cut = np.concatenate([[0], np.cumsum([tree.size for tree in some])])
    few = np.concatenate([np.where(tree < 0, -1, tree + lo) for tree, lo in zip(some, cut[:-1], strict=True)])
    cascade_shapes(np.array([0, 1]), np.array([-1]))  # compiled, or read from the cache, before it is timed
    all_s, found = _timed(lambda: _shapes(offsets, parent))
    few_s, found_few = _timed(lambda: _shapes(cut, few))
    header("Weibo's trees, tree by tree", "trees", "nodes", "s", "propgraph, s", "times slower", "equal")
    for name, measure, given, own_s, own in (
        ("igraph, all distances", _by_igraph, each, all_s, found),
        ("NetworkX, sums over subtrees", _by_networkx_sums, each, all_s, found),
        ("NetworkX, all distances", _by_networkx, some, few_s, found_few),
    ):
        seconds, theirs = _timed(partial(_each, measure, given))
        equal = all(
            a[:2] == b[:2] and math.isclose(a[2], b[2], rel_tol=1e-12)
            for a, b in zip(own, theirs, strict=True)
        )
        n_nodes = sum(tree.size for tree in given)
        row(
            name, f"{len(given):,}", f"{n_nodes:,}", seconds, f"{own_s:.4f}", f"{seconds / own_s:,.0f}", equal
        )


def _each(measure: Callable[[Any], Any], trees: list[Any]) -> list[Any]:
    return [measure(tree) for tree in trees]


def _timed(job: Callable[[], Any]) -> tuple[float, Any]:
    """Return the least seconds of as many runs as fit into one second, at least one, and the result."""
    least, total = math.inf, 0.0
    while total < 1:
        start = time.perf_counter()
        result = job()
        seconds = time.perf_counter() - start
        least, total = min(least, seconds), total + seconds
    return least, result


def _shapes(offsets: np.ndarray, parent: np.ndarray) -> list[Shape]:
    found = cascade_shapes(offsets, parent)
    names = ("depth", "max_breadth", "structural_virality")
    return list(zip(*(found[name].tolist() for name in names), strict=True))


def _by_igraph(tree: np.ndarray) -> Shape:
    children = np.arange(1, tree.size)
    graph = ig.Graph(n=tree.size, edges=np.column_stack([tree[1:], children]))
    depths = np.asarray(graph.distances(source=0)[0], dtype=np.int64)
    return int(depths.max()), int(np.bincount(depths).max()), graph.average_path_length()


def _by_networkx(tree: np.ndarray) -> Shape:
    graph = nx.Graph(zip(tree[1:].tolist(), range(1, tree.size), strict=True))
    depth, breadth = _networkx_levels(graph)
    return depth, breadth, nx.average_shortest_path_length(graph)


def _by_networkx_sums(tree: np.ndarray) -> Shape:
    graph = nx.DiGraph(zip(tree[1:].tolist(), range(1, tree.size), strict=True))
    depth, breadth = _networkx_levels(graph)
    n, below, total = tree.size, dict.fromkeys(graph, 1), 0
    for above, node in reversed(list(nx.bfs_edges(graph, 0))):
        below[above] += below[node]
        total += below[node] * (n - below[node])
    return depth, breadth, 2 * total / (n * (n - 1))


def _networkx_levels(graph: nx.Graph) -> tuple[int, int]:
    widths = [len(layer) for layer in nx.bfs_layers(graph, 0)]
    return len(widths) - 1, max(widths)


def large(case: str, /) -> tuple[float, float, int, int]:
    """Measure ten million nodes; return seconds of measures and of percentiles, peak MB, and MB before."""
    n, generator = 10_000_000, np.random.default_rng(1)
    size = 10 if case == CASES[0] else n
    offsets = np.arange(0, n + 1, size)
    node = np.arange(n) % size
    if case == "star":
        parent = np.zeros(n, np.int64)
    elif case == "chain":
        parent = node - 1
    else:
        parent = (generator.random(n) * node).astype(np.int64)
    parent += np.arange(n) - node
    parent[offsets[:-1]] = -1
    clock = np.sort(generator.integers(0, 10**12, n))
    measure_cascades(np.array([0, 1]), np.array([-1]), time=np.array([0]))
    few = pl.DataFrame({"size": [1], "depth": [1]})
    size_matched_percentiles(few)
    before = _peak_mb()
    start = time.perf_counter()
    table = measure_cascades(offsets, parent, time=clock)
    measured = time.perf_counter()
    size_matched_percentiles(table)
    return measured - start, time.perf_counter() - measured, _peak_mb(), before


def _peak_mb() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6)


if __name__ == "__main__":
    main()
