"""The shape of each cascade: how large, how deep, how broad, how viral.

Everything works on the flat table of nodes that `propgraph.cascades.parents` describes, where a parent lies
above its children: one pass down gives depths and breadths, one pass up the sizes of all subtrees. How a
cascade grew in time is measured in `propgraph.cascades.shapes.growth`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import Float64, Int64, UInt32
from propgraph.cascades.parents import check_offsets, flat_array
from propgraph.errors import UsageError

#: Depths whose widths are reported; a chain of a million nodes has as many levels as nodes.
MAX_LEVELS = 64

# A term of the sum is at most 2**62 (half of 2**32 nodes, squared): below this, one more still fits in int64.
_FULL = 1 << 61


def cascade_shapes(offsets: Int64, parent: Int64) -> dict[str, NDArray[Any]]:
    """Measure each cascade's size, depth, breadth, structural virality, and where its nodes hang.

    Structural virality is the mean distance between all pairs of distinct nodes: near 2 for a broadcast
    (a star), growing with the generations for a chain. On a tree of n nodes it is exactly
    2 / (n (n - 1)) times the sum over all edges of s (n - s), with s the size of the subtree below the edge,
    which takes time in O(n). The sum is kept in whole numbers as far as 64 bits hold it (any tree of up to
    two million nodes) and in few, large parts beyond.

    The branching factor is the mean number of children of the nodes that have any: over all nodes the mean of
    a finite tree is (n - 1) / n, whatever its shape. The reproduction number below the root (mean children of
    all nodes but the root) needs no column of its own: it is 1 - `first_generation_share`.

    Parameters
    ----------
    offsets
        Where each cascade begins, and the number of nodes at the end; rows, shape (cascades + 1,). A cascade
        may be empty.
    parent
        Row of each node's parent in the flat table, above its own; -1 for the first node of a cascade, its
        root, and for no other. Shape (nodes,).

    Returns
    -------
    dict
        Arrays of shape (cascades,):

        - `size`: nodes, the root included (uint32)
        - `depth`: edges from the root to the farthest node (uint32)
        - `max_breadth`: nodes at the most crowded depth (uint32)
        - `structural_virality`: edges (float64)
        - `first_generation_share`: children of the root over all nodes but the root, 0..1 (float64)
        - `largest_subtree_share`: nodes of the largest subtree below a child of the root over all nodes but
          the root, 0..1 (float64)
        - `branching_factor`: mean number of children of the nodes that have any (float64)

        The floats are NaN below two nodes.

    Raises
    ------
    UsageError
        If `offsets` do not cut up the table or `parent` is not such a forest.

    References
    ----------
    Goel, S., Anderson, A., Hofman, J., & Watts, D. J. (2016). The Structural Virality of Online Diffusion.
    Management Science, 62(1), 180-196.

    Gleeson, J. P., Onaga, T., Fennell, P., Cotter, J., Burke, R., & O'Sullivan, D. J. P. (2021). Branching
    process descriptions of information cascades on Twitter. Journal of Complex Networks, 8(6), cnab002.
    """
    offsets, parent = _forest(offsets, parent)
    n_cascades = offsets.size - 1
    depth = np.zeros(n_cascades, dtype=np.uint32)
    max_breadth = np.zeros(n_cascades, dtype=np.uint32)
    shares = np.full((4, n_cascades), np.nan)
    _measure(offsets, parent, depth, max_breadth, shares)
    return {
        "size": np.diff(offsets).astype(np.uint32),
        "depth": depth,
        "max_breadth": max_breadth,
        "structural_virality": shares[0],
        "first_generation_share": shares[1],
        "largest_subtree_share": shares[2],
        "branching_factor": shares[3],
    }


def node_depths(offsets: Int64, parent: Int64) -> UInt32:
    """Count the edges between each node and the root of its cascade.

    Parameters
    ----------
    offsets, parent
        The cascades, as in `cascade_shapes`.

    Returns
    -------
    numpy.ndarray
        Edges from the root, 0 at the root; shape (nodes,).

    Raises
    ------
    UsageError
        If `offsets` do not cut up the table or `parent` is not such a forest.
    """
    offsets, parent = _forest(offsets, parent)
    depth = np.zeros(parent.size, dtype=np.uint32)
    _descend(parent, depth)
    return depth


def level_widths(offsets: Int64, depth: UInt32, *, max_levels: int = MAX_LEVELS) -> tuple[Int64, UInt32]:
    """Count each cascade's nodes at every depth, from the root down.

    Parameters
    ----------
    offsets
        Where each cascade begins, as in `cascade_shapes`.
    depth
        Edges between each node and its root, as `node_depths` gives them; shape (nodes,).
    max_levels
        Depths from 0 to `max_levels - 1` are counted. Nodes farther down are left out: they are as many as
        the widths fall short of the cascade's size.

    Returns
    -------
    start
        Where the widths of each cascade begin, and their number at the end; shape (cascades + 1,).
    width
        Nodes at depth 0, 1, ... of the first cascade, then of the next.

    Raises
    ------
    UsageError
        If `offsets` do not cut up the table.
    """
    offsets = flat_array("offsets", offsets, np.int64)
    depth = flat_array("depth", depth, np.uint32)
    check_offsets(offsets, depth.size)
    start = np.zeros(offsets.size, dtype=np.int64)
    _count_levels(offsets, depth, max_levels, start)
    np.cumsum(start, out=start)
    width = np.zeros(start[-1], dtype=np.uint32)
    _fill_widths(offsets, depth, start, width)
    return start, width


def _forest(offsets: Int64, parent: Int64) -> tuple[Int64, Int64]:
    """Return both arrays ready for the kernels, or raise `UsageError`: those follow parents unchecked."""
    offsets = flat_array("offsets", offsets, np.int64)
    parent = flat_array("parent", parent, np.int64)
    check_offsets(offsets, parent.size)
    row = _first_misplaced(offsets, parent)
    if row >= 0:
        raise UsageError(
            f"row {row} has parent {parent[row]}; "
            "give -1 to the first row of a cascade, and to any other a row of the same cascade above it",
            option="parent",
        )
    return offsets, parent


@kernel
def _first_misplaced(offsets: Int64, parent: Int64) -> int:
    """Return the first row whose parent is not above it in its cascade (or not -1 at the top), or -1."""
    for c in range(offsets.size - 1):
        lo, hi = offsets[c], offsets[c + 1]
        if lo < hi and parent[lo] != -1:
            return int(lo)
        # Below the root every parent is one of the rows `lo:i`: that makes the cascade a tree, without any cycle.
        for i in range(lo + 1, hi):
            if parent[i] < lo or parent[i] >= i:
                return i
    return -1


@kernel
def _descend(parent: Int64, depth: UInt32) -> None:
    """Fill in the depth of each node; roots keep their 0."""
    # Parents lie above, so a parent's depth is there before its child asks for it.
    for i in range(parent.size):
        if parent[i] >= 0:
            depth[i] = depth[parent[i]] + 1


@kernel
def _count_levels(offsets: Int64, depth: UInt32, max_levels: int, levels: Int64) -> None:
    """Fill in the number of levels to report of cascade `c` at `c + 1`."""
    # One level more than the greatest depth, for the root's is 0; an empty cascade has none.
    for c in range(offsets.size - 1):
        for i in range(offsets[c], offsets[c + 1]):
            levels[c + 1] = max(levels[c + 1], min(np.int64(depth[i]) + 1, max_levels))


@kernel
def _fill_widths(
    offsets: Int64,
    depth: UInt32,
    start: Int64,
    width: UInt32,
) -> None:
    """Count the nodes of each level that has a place."""
    # Cascade c has the places `start[c]:start[c + 1]`: a depth beyond them is one of those left out.
    for c in range(offsets.size - 1):
        for i in range(offsets[c], offsets[c + 1]):
            place = start[c] + np.int64(depth[i])
            if place < start[c + 1]:
                width[place] += 1


@kernel
def _measure(
    offsets: Int64,
    parent: Int64,
    depth: UInt32,
    max_breadth: UInt32,
    shares: Float64,
) -> None:
    """Fill in the measures, cascade by cascade: the scratch of a small one stays in the cache."""
    largest = np.int64(0)
    for c in range(offsets.size - 1):
        largest = max(largest, offsets[c + 1] - offsets[c])
    level = np.empty(largest, dtype=np.uint32)
    width = np.empty(largest, dtype=np.uint32)  # only as much is ever touched as the deepest cascade is deep
    subtree = np.empty(largest, dtype=np.uint32)
    for c in range(offsets.size - 1):
        tree = parent[offsets[c] : offsets[c + 1]]
        if tree.size > 0:
            depth[c], max_breadth[c] = _levels(tree, offsets[c], level, width)
        if tree.size > 1:
            below = float(tree.size - 1)
            virality, children, heaviest, parents = _subtrees(tree, offsets[c], subtree)
            shares[0, c] = virality
            shares[1, c] = children / below
            shares[2, c] = heaviest / below
            shares[3, c] = below / parents


@kernel
def _levels(tree: Int64, root: int, level: UInt32, width: UInt32) -> tuple[np.int64, np.int64]:
    """Return the depth and the largest breadth of one tree, whose parents count from `root`."""
    level[0] = 0
    width[0] = 1
    deepest = np.int64(0)
    broadest = np.int64(1)
    # At the top `width` counts the nodes above i by depth, down to `deepest`; below that it is what a tree before left.
    for i in range(1, tree.size):
        at = np.int64(level[tree[i] - root]) + 1
        level[i] = at
        if at > deepest:  # a level is first met right below the deepest so far, so none needs clearing before
            deepest = at
            width[at] = 0
        width[at] += 1
        broadest = max(broadest, np.int64(width[at]))
    return deepest, broadest


@kernel
def _subtrees(tree: Int64, root: int, subtree: UInt32) -> tuple[float, np.int64, np.int64, np.int64]:
    """Climb one tree, whose parents count from `root`, from the last node up.

    Return the mean distance over all pairs of nodes, the children of the root, the nodes of the largest
    subtree below it, and how many nodes have children.
    """
    n = tree.size
    subtree[:n] = 1
    whole = np.int64(0)
    carried = 0.0
    children = np.int64(0)
    heaviest = np.int64(0)
    parents = np.int64(1)  # the root, as there is more than one node
    # Parents lie above: when i is reached, `subtree[i]` counts all nodes at or below it. The edge to its parent lies
    # on the way between each of these and each of the others.
    for i in range(n - 1, 0, -1):
        below = np.int64(subtree[i])
        above = tree[i] - root
        subtree[above] += below
        if above == 0:
            children += 1
            heaviest = max(heaviest, below)
        if below > 1:
            parents += 1
        whole += below * (n - below)
        # Before the next term could pass 64 bits, the sum moves to the float.
        if whole >= _FULL:
            carried += float(whole)
            whole = np.int64(0)
    virality = 2.0 * (carried + float(whole)) / (float(n) * float(n - 1))
    return virality, children, heaviest, parents
