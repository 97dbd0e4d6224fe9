"""The shape of each cascade: how large, how deep, how broad, how viral.

Everything works on the flat table of nodes that `propgraph.cascades.parents` describes, where a parent lies
above its children: one pass down gives depths and breadths, one pass up the sizes of all subtrees.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from propgraph.cascades.parents import check_offsets, flat_array
from propgraph.errors import UsageError

# A term of the sum is at most 2**62 (half of 2**32 nodes, squared): below this, one more still fits in int64.
_FULL = 1 << 61


def cascade_shapes(offsets: NDArray[np.int64], parent: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Measure each cascade's size, depth, breadth and structural virality.

    Structural virality is the mean distance between all pairs of distinct nodes: near 2 for a broadcast
    (a star), growing with the generations for a chain. On a tree of n nodes it is exactly
    2 / (n (n - 1)) times the sum over all edges of s (n - s), with s the size of the subtree below the edge,
    which takes time in O(n). The sum is kept in whole numbers as far as 64 bits hold it (any tree of up to
    two million nodes) and in few, large parts beyond.

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
        - `structural_virality`: edges (float64); NaN below two nodes

    Raises
    ------
    UsageError
        If `offsets` do not cut up the table or `parent` is not such a forest.

    References
    ----------
    Goel, S., Anderson, A., Hofman, J., & Watts, D. J. (2016). The Structural Virality of Online Diffusion.
    Management Science, 62(1), 180-196.
    """
    offsets, parent = _forest(offsets, parent)
    n_cascades = offsets.size - 1
    shapes = {
        "size": np.diff(offsets).astype(np.uint32),
        "depth": np.zeros(n_cascades, dtype=np.uint32),
        "max_breadth": np.zeros(n_cascades, dtype=np.uint32),
        "structural_virality": np.full(n_cascades, np.nan),
    }
    _measure(offsets, parent, shapes["depth"], shapes["max_breadth"], shapes["structural_virality"])
    return shapes


def node_depths(offsets: NDArray[np.int64], parent: NDArray[np.int64]) -> NDArray[np.uint32]:
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


def _forest(
    offsets: NDArray[np.int64], parent: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return both arrays ready for the kernels, or raise `UsageError`: those follow parents unchecked."""
    offsets = flat_array("offsets", offsets, np.int64)
    parent = flat_array("parent", parent, np.int64)
    check_offsets(offsets, parent.size)
    row = _first_misplaced(offsets, parent)
    if row >= 0:
        raise UsageError(
            f"parent: row {row} has parent {parent[row]}; "
            "give -1 to the first row of a cascade, and to any other a row of the same cascade above it"
        )
    return offsets, parent


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _first_misplaced(offsets: NDArray[np.int64], parent: NDArray[np.int64]) -> int:
    """Return the first row whose parent is not above it in its cascade (or not -1 at the top), or -1."""
    for c in range(offsets.size - 1):
        lo, hi = offsets[c], offsets[c + 1]
        if lo < hi and parent[lo] != -1:
            return int(lo)
        for i in range(lo + 1, hi):
            if parent[i] < lo or parent[i] >= i:
                return i
    return -1


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _descend(parent: NDArray[np.int64], depth: NDArray[np.uint32]) -> None:
    """Fill in the depth of each node; roots keep their 0."""
    for i in range(parent.size):
        if parent[i] >= 0:
            depth[i] = depth[parent[i]] + 1


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _measure(
    offsets: NDArray[np.int64],
    parent: NDArray[np.int64],
    depth: NDArray[np.uint32],
    max_breadth: NDArray[np.uint32],
    virality: NDArray[np.float64],
) -> None:
    """Fill in the three measures, cascade by cascade: the scratch of a small one stays in the cache."""
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
            virality[c] = _virality(tree, offsets[c], subtree)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _levels(
    tree: NDArray[np.int64], root: int, level: NDArray[np.uint32], width: NDArray[np.uint32]
) -> tuple[np.int64, np.int64]:
    """Return the depth and the largest breadth of one tree, whose parents count from `root`."""
    level[0] = 0
    width[0] = 1
    deepest = np.int64(0)
    broadest = np.int64(1)
    for i in range(1, tree.size):
        at = np.int64(level[tree[i] - root]) + 1
        level[i] = at
        if at > deepest:  # a level is first met right below the deepest so far, so none needs clearing before
            deepest = at
            width[at] = 0
        width[at] += 1
        broadest = max(broadest, np.int64(width[at]))
    return deepest, broadest


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _virality(tree: NDArray[np.int64], root: int, subtree: NDArray[np.uint32]) -> float:
    """Return the mean distance over all pairs of nodes of one tree, whose parents count from `root`."""
    n = tree.size
    subtree[:n] = 1
    whole = np.int64(0)
    carried = 0.0
    for i in range(n - 1, 0, -1):
        below = np.int64(subtree[i])
        subtree[tree[i] - root] += below
        whole += below * (n - below)
        if whole >= _FULL:
            carried += float(whole)
            whole = np.int64(0)
    return 2.0 * (carried + float(whole)) / (float(n) * float(n - 1))
