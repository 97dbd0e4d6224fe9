"""Who reshared from whom, as far as the log says it.

The nodes of all cascades lie in one flat table: those of cascade `c` are rows `offsets[c]:offsets[c + 1]`, in
time order, ties in a fixed order. A parent is a row of that table and always lies above its child, so that a
cascade is a tree by construction, whatever the log claims.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import Int32, Int64, UInt8
from propgraph.cascades.order import parents_first
from propgraph.errors import UsageError

ROOT, OBSERVED, INFERRED_STAR, INFERRED_FOLLOW, INFERRED_PDI, INFERRED_LEARNED = range(6)

#: The words of `cascade_nodes.parent_source`, in the order of their codes.
PARENT_SOURCES = (
    "root", "observed", "inferred:star", "inferred:follow", "inferred:pdi", "inferred:learned"
)  # fmt: skip

# Below this many codes a look-up array costs less than sorting to make a smaller one.
_SMALL_TABLE = 1 << 22

_Scalar = TypeVar("_Scalar", bound=np.generic)


@dataclass(frozen=True)
class Inferred:
    """The parents of all nodes, which may have had to be put in another order.

    Attributes
    ----------
    order
        The rows given, in the order that all else is in; None where it is the order given.
    parent
        Row of each node's parent, above its own; -1 at a root. Shape (nodes,).
    source
        Where the parent comes from: `ROOT`, `OBSERVED` or `INFERRED_STAR`, an index into `PARENT_SOURCES`;
        shape (nodes,).
    time
        When each node was posted, in ms, not before its parent and never falling; shape (nodes,).
    counts
        What had to be repaired: `parents_absent` and `self_loops` (nodes whose named parent does not stand in the
        cascade, or is the node itself), `cycles` (cycles of parents opened), `times_raised` (nodes earlier
        than their parent).
    """

    order: Int64 | None
    parent: Int64
    source: UInt8
    time: Int64
    counts: dict[str, int]


def infer_parents(
    offsets: Int64,
    *,
    content: Int64,
    account: Int32,
    time: Int64,
    parent_content: Int64,
    origin_account: Int32,
) -> Inferred:
    """Find each node's parent, the one that the log names, else the root; repair what cannot be.

    The parent of a node is the first of these that exists:

    1. the node of the same cascade whose post the log names as the parent (where a post stands there twice,
       its first row), other than the node itself: observed;
    2. the latest earlier node of the same cascade by the account that the log names as the origin, else the
       last at the very same time if that is another account's: observed;
    3. the root: an inferred star.

    A parent that the log dates after its child, or at the very same time but below it, is put first, as
    `propgraph.cascades.order.parents_first` says. The root is then the first node of the cascade: where no parent lies
    below its child the one that was given first. A cascade whose root is not in the log needs a row for it,
    put first by the caller and naming no parent. Time and memory grow with the nodes and the largest account and
    content code; codes much sparser than that are sorted first.

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
    Inferred
        Parents, their sources, the order and the times of the nodes, and what was repaired.

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
    time = flat_array("time", time, np.int64, size=content.size)
    check_times(offsets, time)

    knows_parents = parent_content.max(initial=-1) >= 0
    knows_origins = origin_account.max(initial=-1) >= 0
    content, parent_content, n_contents = _dense(content, parent_content, known=knows_parents)
    account, origin_account, n_accounts = _dense(account, origin_account, known=knows_origins)
    above = np.full(content.size, -1, dtype=np.int64)
    absent = itself = 0
    if knows_parents or knows_origins:
        first_row = np.full(n_contents, -1, dtype=np.int64)
        last_row = np.full(n_accounts, -1, dtype=np.int64)
        absent, itself = _follow(
            offsets, content, account, time, parent_content, origin_account, first_row, last_row, above
        )
    order, above, time, repaired = parents_first(offsets, above, time=time)
    parent, source = star_parents(offsets, n_nodes=content.size)
    observed = above >= 0
    parent[observed], source[observed] = above[observed], OBSERVED
    counts = {"parents_absent": int(absent), "self_loops": int(itself)} | repaired
    return Inferred(order, parent, source, time, counts)


def star_parents(offsets: Int64, *, n_nodes: int) -> tuple[Int64, UInt8]:
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
        raise UsageError(f"an array of shape {array.shape}; give one of {wanted}", option=name)
    if not np.can_cast(array.dtype, dtype, casting="safe"):
        raise UsageError(f"an array of {array.dtype}; give one of {np.dtype(dtype)}", option=name)
    # Polars hands out read-only arrays, which are another type to numba: always read-only is compiled once.
    view = np.ascontiguousarray(array, dtype=dtype).view()
    view.setflags(write=False)
    return view


def check_offsets(offsets: Int64, n_nodes: int) -> None:
    """Raise `UsageError` unless `offsets` (rows) cut a table of `n_nodes` rows into cascades."""
    if not offsets.size or offsets[0] != 0 or offsets[-1] != n_nodes or (offsets[1:] < offsets[:-1]).any():
        raise UsageError(f"they must rise from 0 to the number of nodes, {n_nodes}", option="offsets")


def check_times(offsets: Int64, time: Int64) -> None:
    """Raise `UsageError` where `time` (ms) falls within a cascade."""
    fallen = _first_fallen(offsets, time)
    if fallen >= 0:
        raise UsageError(
            f"row {fallen} is earlier than the row above it; sort each cascade by time", option="time"
        )


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


@kernel
def _first_fallen(offsets: Int64, time: Int64) -> int:
    """Return the first row whose time is before that of the row above in its cascade, or -1."""
    # The first row of a cascade has none above it there.
    for c in range(offsets.size - 1):
        for i in range(offsets[c] + 1, offsets[c + 1]):
            if time[i] < time[i - 1]:
                return i
    return -1


@kernel
def _hang_on_root(offsets: Int64, parent: Int64, source: UInt8) -> None:
    """Fill in a star for each cascade."""
    # An empty cascade has no root, and nothing to hang on it.
    for c in range(offsets.size - 1):
        lo, hi = offsets[c], offsets[c + 1]
        if lo < hi:
            parent[lo] = -1
            source[lo] = ROOT
            parent[lo + 1 : hi] = lo
            source[lo + 1 : hi] = INFERRED_STAR


@kernel
def _follow(  # noqa: PLR0917 (compiled functions take no keyword-only parameters)
    offsets: Int64,
    content: Int64,
    account: Int32,
    time: Int64,
    parent_content: Int64,
    origin_account: Int32,
    first_row: Int64,
    last_row: Int64,
    above: Int64,
) -> tuple[int, int]:
    """Fill in `above`, the row that the log names as the parent; return how many are absent, how many themselves.

    `first_row` (by content) and `last_row` (by account) are never cleared: rows only grow, so an entry below
    the start of this cascade was left by another one.
    """
    absent = 0
    itself = 0
    for c in range(offsets.size - 1):
        lo, hi = offsets[c], offsets[c + 1]
        if first_row.size > 0:
            # The whole cascade first: a parent may stand below its child.
            for i in range(lo, hi):
                if content[i] >= 0 and first_row[content[i]] < lo:
                    first_row[content[i]] = i
            # A row below `lo` was left by a cascade before: the post named does not stand in this one.
            for i in range(lo, hi):
                if parent_content[i] >= 0:
                    row = first_row[parent_content[i]]
                    if row < lo:
                        absent += 1
                    elif row == i:
                        itself += 1
                    else:
                        above[i] = row
        if last_row.size > 0:
            _follow_origins(lo, hi, account, time, origin_account, last_row, above)
    return absent, itself


@kernel
def _follow_origins(  # noqa: PLR0917 (compiled functions take no keyword-only parameters)
    lo: int,
    hi: int,
    account: Int32,
    time: Int64,
    origin_account: Int32,
    last_row: Int64,
    above: Int64,
) -> None:
    """Fill in the origin's row where no parent is known yet, of the cascade `lo:hi`."""
    start = lo
    # At the top `start` is the first of the nodes of one time, and `last_row` knows all nodes of earlier times.
    while start < hi:
        end = start
        # Down through these: the latest earlier node of the account named, also one above at the same time.
        while end < hi and time[end] == time[start]:
            if above[end] < 0 and origin_account[end] >= 0 and last_row[origin_account[end]] >= lo:
                above[end] = last_row[origin_account[end]]
            if account[end] >= 0:
                last_row[account[end]] = end
            end += 1
        # What is still without a parent may have it below, at the same time. An account is not its own origin there.
        for i in range(start, end):
            if above[i] < 0 and origin_account[i] >= 0 and origin_account[i] != account[i]:
                row = last_row[origin_account[i]]
                if row >= start:
                    above[i] = row
        start = end
