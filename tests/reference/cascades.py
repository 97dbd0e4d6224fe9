"""Slow and obvious twins of `propgraph.cascades`: plain loops over plain lists, from the definitions."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, pairwise
from math import nan


def infer_parents(offsets, content, account, parent_content, origin_account):
    """Return parents, the words for their sources, and the counts of unusable ones."""
    parents, sources, counts = [], [], {"parents_later": 0, "parents_absent": 0}
    for start, end in pairwise(offsets):
        rows = range(start, end)
        for row in rows:
            above = range(start, row)
            named = [other for other in rows if 0 <= parent_content[row] == content[other]]
            by_origin = [other for other in above if 0 <= origin_account[row] == account[other]]
            if parent_content[row] >= 0 and not named:
                counts["parents_absent"] += 1
            elif named and named[0] >= row:
                counts["parents_later"] += 1
            if row == start:
                parent, source = -1, "root"
            elif named and named[0] < row:
                parent, source = named[0], "observed"
            elif by_origin:
                parent, source = by_origin[-1], "observed"
            else:
                parent, source = start, "inferred:star"
            parents.append(parent)
            sources.append(source)
    return parents, sources, counts


def way_to_root(row, parent):
    """Return the rows from `row` up to its root, both included."""
    way = [row]
    while parent[way[-1]] != -1:
        way.append(parent[way[-1]])
    return way


def distance(a, b, parent):
    """Count the edges between two rows of one tree: up from each to the first ancestor they share."""
    up_a, up_b = way_to_root(a, parent), way_to_root(b, parent)
    return min(up_a.index(row) + up_b.index(row) for row in up_a if row in up_b)


def node_depths(parent):
    """Return the number of edges from each row to its root."""
    return [len(way_to_root(row, parent)) - 1 for row in range(len(parent))]


def cascade_shapes(offsets, parent):
    """Return one dict of measures for each cascade; structural virality over all pairs, one by one."""
    depths = node_depths(parent)
    shapes = []
    for start, end in pairwise(offsets):
        levels = Counter(depths[start:end])
        distances = [distance(a, b, parent) for a, b in combinations(range(start, end), 2)]
        shapes.append(
            {
                "size": end - start,
                "depth": max(levels, default=0),
                "max_breadth": max(levels.values(), default=0),
                "structural_virality": sum(distances) / len(distances) if distances else nan,
            }
        )
    return shapes
