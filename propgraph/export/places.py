"""Where the nodes of a network are drawn: clusters apart from each other, their members side by side.

Two levels, each in time linear in the network but for a logarithm. Members of one group lie in a disc, the strongest in
the middle, on a spiral of golden angles, on which no two come too close (Vogel's model of a sunflower head). The discs
are set one by one, the largest first: each starts between those that it has edges with and goes straight outwards until
it touches nobody. So nothing overlaps, neighbours lie near each other, and there is nothing random in it but Leiden.
"""

from __future__ import annotations

import igraph as ig
import numpy as np
import numpy.typing as npt

from propgraph.arrays.encoding import grouped
from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import Float64, Int64
from propgraph.communities import leiden

_GOLDEN = np.pi * (3 - 5**0.5)
# A disc of radius 1 has so much room on the spiral, and after a large one room falls off so slowly, that none overlap.
_ROOM, _FALL = 1.5, 0.985
# Between two groups lies so much of the smaller one's radius, and at least so much.
_APART, _LEAST = 0.15, 6.0
# So many largest discs are looked at one by one, the others by the squares in which they lie.
_LARGE = 64
_WAYS = 8

Squares = dict[tuple[int, int], int]


def place_nodes(graph: ig.Graph, group: Int64, size: Float64, /, *, seed: int = 0) -> npt.NDArray[np.float64]:
    """Return positions for the vertices, float64[n, 2], in the unit of `size`.

    Parameters
    ----------
    graph
        Undirected; `weight` of its edges, if there, says how near two groups want to be.
    group
        int64[n]; the group of each vertex, -1 for none: these are grouped by Leiden among themselves.
    size
        float64[n]; the radius of each vertex, > 0.
    seed
        Of Leiden, 0 to 2**31 - 1.

    References
    ----------
    Vogel, "A better way to construct the sunflower head", Mathematical Biosciences 44 (1979).
    """
    n = graph.vcount()
    if n == 0:
        return np.empty((0, 2))
    group = _with_rest(graph, group, seed=seed)
    start, rows = grouped(group, int(group.max()) + 1)
    rows = rows[np.lexsort((rows, -size[rows], group[rows]))]
    inside, radius = _spirals(start, size[rows])
    links, towards, weight = _between(graph, group, start.size - 1)
    centre = _set_apart(radius, links, towards, weight, np.argsort(-radius, kind="stable"))
    place = np.empty((n, 2))
    place[rows] = inside + centre[group[rows]]
    return place


def _with_rest(graph: ig.Graph, group: Int64, *, seed: int) -> Int64:
    """Return the groups, those without one grouped among themselves."""
    rest = np.flatnonzero(group < 0)
    if rest.size == 0:
        return group
    among = graph.induced_subgraph(rest.tolist())
    if "weight" not in among.es.attributes():
        among.es["weight"] = 1.0
    found = np.asarray(leiden(among, seed=seed), np.int64) if among.ecount() else np.arange(rest.size)
    group = group.copy()
    group[rest] = int(group.max(initial=-1)) + 1 + found
    return np.unique(group, return_inverse=True)[1].astype(np.int64)


def _between(graph: ig.Graph, group: Int64, n: int) -> tuple[Int64, Int64, Float64]:
    """Return the weights between groups: group `g` has those at `links[g]:links[g + 1]` towards `towards`."""
    ends = np.asarray(graph.get_edgelist(), np.int64).reshape(-1, 2)
    weight = np.asarray(
        graph.es["weight"] if "weight" in graph.es.attributes() else np.ones(len(ends)), np.float64
    )
    a, b = group[ends[:, 0]], group[ends[:, 1]]
    apart = a != b
    keys = np.concatenate([a[apart] * n + b[apart], b[apart] * n + a[apart]])
    pairs, at = np.unique(keys, return_inverse=True)
    sums = np.bincount(at, weights=np.tile(weight[apart], 2), minlength=pairs.size)
    links, rows = grouped(pairs // n, n)
    towards: Int64 = (pairs % n)[rows]
    return links, towards, sums[rows].astype(np.float64)


@kernel
def _spirals(start: Int64, size: Float64) -> tuple[Float64, Float64]:
    """Return each member's place in its group's disc, and the radius of each disc; sizes descend within a group."""
    place = np.zeros((size.size, 2))
    radius = np.empty(start.size - 1)
    for g in range(start.size - 1):
        area, room = 0.0, 0.0
        # At the top `area` is what the members before have taken, from the middle outwards.
        for k in range(start[g], start[g + 1]):
            if start[g + 1] - start[g] > 1:
                room = max(size[k], room * _FALL)
                area += room**2
                angle = (k - start[g]) * _GOLDEN
                at = _ROOM * np.sqrt(area - room**2 / 2)
                place[k, 0], place[k, 1] = at * np.cos(angle), at * np.sin(angle)
                radius[g] = at + size[k]
            else:
                radius[g] = size[k]
        # Larger ones further in may reach as far.
        for k in range(start[g], start[g + 1]):
            radius[g] = max(radius[g], np.hypot(place[k, 0], place[k, 1]) + size[k])
    return place, radius


@kernel
def _set_apart(radius: Float64, links: Int64, towards: Int64, weight: Float64, order: Int64) -> Float64:
    """Return the centre of each disc, the first of `order` in the middle; none touches another."""
    n = radius.size
    centre = np.zeros((n, 2))
    wide = radius + np.maximum(_APART * radius, _LEAST)
    large = order[: min(_LARGE, n)]
    # Of the others each stands in one square, as wide as the widest: whom it touches stands in the next at most.
    square = 2 * wide[order[large.size]] if n > large.size else 1.0
    head = {(0, 0): np.int64(-1)}  # the latest in each square; the entry tells the compiler of what types
    following = np.full(n, -1, np.int64)
    placed = np.zeros(n, np.bool_)
    for k in range(n):
        g = order[k]
        x, y, total = 0.0, 0.0, 0.0
        for e in range(links[g], links[g + 1]):
            if placed[towards[e]]:
                x += weight[e] * centre[towards[e], 0]
                y += weight[e] * centre[towards[e], 1]
                total += weight[e]
        if total > 0:
            x, y = x / total, y / total
        best = np.inf
        # Several ways outwards, the shortest counts; who has no neighbours takes one, a golden angle on each time.
        for way in range(_WAYS if total > 0 else 1):
            angle = k * _GOLDEN + way * 2 * np.pi / _WAYS
            gone = _way_out(x, y, angle, g, wide, centre, large, k, head, following, square)
            if gone < best:
                best = gone
                centre[g, 0], centre[g, 1] = x + gone * np.cos(angle), y + gone * np.sin(angle)
        placed[g] = True
        if k >= large.size:
            key = (int(np.floor(centre[g, 0] / square)), int(np.floor(centre[g, 1] / square)))
            if key in head:
                following[g] = head[key]
            head[key] = g
    return centre


@kernel
def _way_out(
    x: float, y: float, angle: float, g: int, wide: Float64, centre: Float64, large: Int64, k: int, head: Squares,
    following: Int64, square: float,
) -> float:  # fmt: skip
    """Return how far disc g has to go from a point in one direction until it touches none of those that are there."""
    dx, dy = np.cos(angle), np.sin(angle)
    gone = 0.0
    while True:
        px, py = x + gone * dx, y + gone * dy
        before = gone
        for j in range(min(k, large.size)):
            gone = max(gone, _past(x, y, dx, dy, px, py, centre[large[j]], wide[g] + wide[large[j]]))
        if k > large.size and gone == before:
            cx, cy = int(np.floor(px / square)), int(np.floor(py / square))
            for i in range(cx - 1, cx + 2):
                for j in range(cy - 1, cy + 2):
                    h = head[i, j] if (i, j) in head else -1  # noqa: SIM401 - the compiler's `get` may give None
                    while h >= 0:
                        gone = max(gone, _past(x, y, dx, dy, px, py, centre[h], wide[g] + wide[h]))
                        h = following[h]
        # Each round passes at least one disc, so it ends.
        if gone == before:
            return gone


@kernel
def _past(
    x: float, y: float, dx: float, dy: float, px: float, py: float, other: Float64, apart: float
) -> float:
    """Return how far to go from (x, y) to be past a disc that (px, py) touches; 0 if it touches none."""
    if (px - other[0]) ** 2 + (py - other[1]) ** 2 >= apart**2:
        return 0.0
    along = (other[0] - x) * dx + (other[1] - y) * dy
    aside = (other[0] - x) ** 2 + (other[1] - y) ** 2 - along**2
    # A little further than it takes, for rounding must not leave them touching.
    return float((along + np.sqrt(max(apart**2 - aside, 0.0))) * (1 + 1e-9) + 1e-6)
