"""Who reshared from whom, as far as the log says it.

The nodes of all cascades lie in one flat table: those of cascade `c` are rows `offsets[c]:offsets[c + 1]`, in
time order, ties in a fixed order. A parent is a row of that table and always lies above its child, so that a
cascade is a tree by construction, whatever the log claims.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from propgraph.errors import UsageError

ROOT, OBSERVED, INFERRED_STAR, INFERRED_FOLLOW, INFERRED_PDI, INFERRED_LEARNED = range(6)

#: The words of `cascade_nodes.parent_source`, in the order of their codes.
PARENT_SOURCES = (
    "root", "observed", "inferred:star", "inferred:follow", "inferred:pdi", "inferred:learned"
)  # fmt: skip

# Below this many codes a look-up array costs less than sorting to make a smaller one.
_SMALL_TABLE = 1 << 22

_Scalar = TypeVar("_Scalar", bound=np.generic)


def infer_parents(
    offsets: NDArray[np.int64],
    *,
    content: NDArray[np.int64],
    account: NDArray[np.int32],
    time: NDArray[np.int64],
    parent_content: NDArray[np.int64],
    origin_account: NDArray[np.int32],
) -> tuple[NDArray[np.int64], NDArray[np.uint8], dict[str, int]]:
    """Find each node's parent: the one that the log names, else the root.

    The first node of a cascade is its root. The parent of any other node is the first of these that exists:

    1. the earlier node of the same cascade whose post the log names as the parent (where a post stands there
       twice, its first row): observed;
    2. the latest earlier node of the same cascade by the account that the log names as the origin: observed;
    3. the root: an inferred star.

    A cascade whose root is not in the log needs a row for it, put first by the caller. Time and memory grow
    with the nodes and the largest account and content code; codes much sparser than that are sorted first.

    Parameters
    ----------
    offsets
        Where each cascade begins, and the number of nodes at the end; rows, shape (cascades + 1,). A cascade
        may be empty.
    content
        Code of each node's post, shape (nodes,). One post may stand in several cascades.
    account
        Code of each node's account, shape (nodes,).
    time
        When each node was posted, in ms, never falling within a cascade; shape (nodes,).
    parent_content
        Code of the post named as the parent, -1 where none is known; shape (nodes,).
    origin_account
        Code of the account named as the origin, -1 where none is known; shape (nodes,).

    Returns
    -------
    parent
        Row of the parent in the flat table, -1 at a root; shape (nodes,).
    source
        Where the parent comes from: `ROOT`, `OBSERVED` or `INFERRED_STAR`, an index into `PARENT_SOURCES`;
        shape (nodes,).
    counts
        Nodes, roots included, whose named parent could not be used. `parents_later`: it stands in the same
        cascade, but at or below the node itself. `parents_absent`: it does not stand in the cascade.

    Raises
    ------
    UsageError
        If the arrays differ in length, are of another type, or if times fall within a cascade.
    """
    offsets = flat_array("offsets", offsets, np.int64)
    check_offsets(offsets, content.size)
    content = flat_array("content", content, np.int64, size=content.size)
    account = flat_array("account", account, np.int32, size=content.size)
    parent_content = flat_array("parent_content", parent_content, np.int64, size=content.size)
    origin_account = flat_array("origin_account", origin_account, np.int32, size=content.size)
    check_times(offsets, flat_array("time", time, np.int64, size=content.size))

    knows_parents = parent_content.max(initial=-1) >= 0
    knows_origins = origin_account.max(initial=-1) >= 0
    if not (knows_parents or knows_origins):
        return *star_parents(offsets, n_nodes=content.size), {"parents_later": 0, "parents_absent": 0}
    parent = np.empty(content.size, dtype=np.int64)
    source = np.empty(content.size, dtype=np.uint8)
    content, parent_content, n_contents = _dense(content, parent_content, known=knows_parents)
    account, origin_account, n_accounts = _dense(account, origin_account, known=knows_origins)
    first_row = np.full(n_contents, -1, dtype=np.int64)
    last_row = np.full(n_accounts, -1, dtype=np.int64)
    later, absent = _follow(
        offsets, content, account, parent_content, origin_account, first_row, last_row, parent, source
    )
    return parent, source, {"parents_later": int(later), "parents_absent": int(absent)}


def star_parents(offsets: NDArray[np.int64], *, n_nodes: int) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Hang every node under the first of its cascade: all that can be said where the log names no parent.

    Parameters
    ----------
    offsets
        Where each cascade begins, and the number of nodes at the end; rows, shape (cascades + 1,).
    n_nodes
        Number of nodes.

    Returns
    -------
    parent, source
        As for `infer_parents`; shape (nodes,).
    """
    offsets = flat_array("offsets", offsets, np.int64)
    check_offsets(offsets, n_nodes)
    parent = np.empty(n_nodes, dtype=np.int64)
    source = np.empty(n_nodes, dtype=np.uint8)
    _hang_on_root(offsets, parent, source)
    return parent, source


def flat_array(
    name: str, array: NDArray[Any], dtype: type[_Scalar], *, size: int | None = None
) -> NDArray[_Scalar]:
    """Return a read-only, contiguous view of a flat array, or a copy where its layout needs one.

    Parameters
    ----------
    name
        What errors call the array.
    array
        One-dimensional array of integers.
    dtype
        The type wanted. Only conversions that lose nothing are made.
    size
        The length wanted, in rows; any if None.

    Raises
    ------
    UsageError
        If the array is of another shape or of a type that does not fit.
    """
    if array.ndim != 1 or (size is not None and array.size != size):
        wanted = "one dimension" if size is None else f"shape ({size},)"
        raise UsageError(f"{name}: an array of shape {array.shape}; give one of {wanted}")
    if not np.can_cast(array.dtype, dtype, casting="safe"):
        raise UsageError(f"{name}: an array of {array.dtype}; give one of {np.dtype(dtype)}")
    # Polars hands out read-only arrays, which are another type to numba: always read-only is compiled once.
    view = np.ascontiguousarray(array, dtype=dtype).view()
    view.setflags(write=False)
    return view


def check_offsets(offsets: NDArray[np.int64], n_nodes: int) -> None:
    """Raise `UsageError` unless `offsets` (rows) cut a table of `n_nodes` rows into cascades."""
    if not offsets.size or offsets[0] != 0 or offsets[-1] != n_nodes or (offsets[1:] < offsets[:-1]).any():
        raise UsageError(f"offsets: they must rise from 0 to the number of nodes, {n_nodes}")


def check_times(offsets: NDArray[np.int64], time: NDArray[np.int64]) -> None:
    """Raise `UsageError` where `time` (ms) falls within a cascade."""
    fallen = _first_fallen(offsets, time)
    if fallen >= 0:
        raise UsageError(f"time: row {fallen} is earlier than the row above it; sort each cascade by time")


def _dense(own: NDArray[Any], named: NDArray[Any], *, known: bool) -> tuple[NDArray[Any], NDArray[Any], int]:
    """Return both arrays of codes in a space small enough for a look-up array, and the size of that space.

    The size is 0 where nothing is named (`known` is false), which tells the kernel to look nothing up.
    """
    if not known:
        return own, named, 0
    n_codes = int(max(own.max(), named.max())) + 1
    if n_codes <= max(4 * own.size, _SMALL_TABLE):
        return own, named, n_codes
    both = np.concatenate([np.full(1, -1, dtype=own.dtype), np.maximum(own, -1), np.maximum(named, -1)])
    codes, places = np.unique(both, return_inverse=True)
    places = (places - 1).astype(own.dtype)  # the -1 put first is the least, hence -1 again
    own, named = places[1 : own.size + 1], places[own.size + 1 :]
    return (
        flat_array("codes", own, own.dtype.type),
        flat_array("codes", named, own.dtype.type),
        codes.size - 1,
    )


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _first_fallen(offsets: NDArray[np.int64], time: NDArray[np.int64]) -> int:
    """Return the first row whose time is before that of the row above in its cascade, or -1."""
    for c in range(offsets.size - 1):
        for i in range(offsets[c] + 1, offsets[c + 1]):
            if time[i] < time[i - 1]:
                return i
    return -1


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _hang_on_root(offsets: NDArray[np.int64], parent: NDArray[np.int64], source: NDArray[np.uint8]) -> None:
    """Fill in a star for each cascade."""
    for c in range(offsets.size - 1):
        lo, hi = offsets[c], offsets[c + 1]
        if lo < hi:
            parent[lo] = -1
            source[lo] = ROOT
            parent[lo + 1 : hi] = lo
            source[lo + 1 : hi] = INFERRED_STAR


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _follow(  # noqa: PLR0917 (compiled functions take no keyword-only parameters)
    offsets: NDArray[np.int64],
    content: NDArray[np.int64],
    account: NDArray[np.int32],
    parent_content: NDArray[np.int64],
    origin_account: NDArray[np.int32],
    first_row: NDArray[np.int64],
    last_row: NDArray[np.int64],
    parent: NDArray[np.int64],
    source: NDArray[np.uint8],
) -> tuple[int, int]:
    """Fill in `parent` and `source`; return how many named parents are later and how many absent.

    `first_row` (by content) and `last_row` (by account) are never cleared: rows only grow, so an entry below
    the start of this cascade was left by another one.
    """
    later = 0
    absent = 0
    for c in range(offsets.size - 1):
        lo, hi = offsets[c], offsets[c + 1]
        if first_row.size > 0:
            # The whole cascade first: only so can a later parent be told from an absent one.
            for i in range(lo, hi):
                if content[i] >= 0 and first_row[content[i]] < lo:
                    first_row[content[i]] = i
        for i in range(lo, hi):
            found = -1
            if parent_content[i] >= 0:
                row = first_row[parent_content[i]]
                if row < lo:
                    absent += 1
                elif row >= i:
                    later += 1
                else:
                    found = row
            if found < 0 and origin_account[i] >= 0 and last_row[origin_account[i]] >= lo:
                found = last_row[origin_account[i]]
            if last_row.size > 0 and account[i] >= 0:
                last_row[account[i]] = i
            _hang(i, lo, found, parent, source)
    return later, absent


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _hang(i: int, root: int, found: int, parent: NDArray[np.int64], source: NDArray[np.uint8]) -> None:
    """Write down node `i`'s parent: the row `found`, else (-1) the root, unless `i` is the root."""
    if found >= 0:
        parent[i] = found
        source[i] = OBSERVED
    elif i > root:
        parent[i] = root
        source[i] = INFERRED_STAR
    else:
        parent[i] = -1
        source[i] = ROOT
