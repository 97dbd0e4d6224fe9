"""The cascades of a study as numbers: one flat table of nodes, a parent above its children."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import polars.selectors as cs

from propgraph.arrays.encoding import codes_of, encode, labels_of
from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import Bool, Int64, UInt64

_UNTOLD = ("root", "inferred:star")
# Parents that one draw in many gave.
_DRAWN = ("inferred:pdi", "inferred:learned")

#: The time of a root that is not in the log.
NO_TIME = -(1 << 62)


@dataclass(frozen=True)
class Forest:
    """All cascades of two nodes or more.

    Attributes
    ----------
    cascade_id
        Id of each cascade (String).
    traces
        Names of the traces (String, sorted).
    trace
        Each cascade's trace, a position in `traces`.
    offsets
        Where each cascade begins, its root first, and the number of nodes at the end; rows.
    cascade
        Each node's cascade; position in `cascade_id`.
    accounts
        Labels of the accounts (String, sorted).
    account
        Each node's account, a position in `accounts`; -1 where it is unknown.
    content_id
        Each node's post.
    parent
        Row of each node's parent, always above its own; -1 at a root.
    known
        Whether that parent is more than the root put in for want of a better (`inferred:star`).
    time
        When each node was posted, ms since 1970; `NO_TIME` for a root that is not in the log.
    """

    cascade_id: pl.Series
    traces: pl.Series
    trace: Int64
    offsets: Int64
    cascade: Int64
    accounts: pl.Series
    account: Int64
    content_id: pl.Series
    parent: Int64
    known: Bool
    time: Int64

    @property
    def root(self) -> Int64:
        """Row of each node's root."""
        return self.offsets[:-1][self.cascade]

    @property
    def position(self) -> Int64:
        """How many nodes of its cascade stand before each node; 0 at a root."""
        return np.arange(self.cascade.size) - self.root

    @property
    def age_ms(self) -> Int64:
        """Each node's time since its root, where that is not in the log since the first reshare; ms, >= 0."""
        first = self.offsets[:-1]
        start = np.where(self.time[first] > NO_TIME, self.time[first], self.time[first + 1])
        age: Int64 = np.maximum(self.time - start[self.cascade], 0)
        return age


def forest(nodes: pl.DataFrame | pl.LazyFrame, /, *, drawn: bool = True) -> Forest:
    """Return the cascades of two nodes or more as numbers.

    Parameters
    ----------
    nodes
        `schema.CASCADE_NODES` in the order of a study: cascade by cascade, the root first, then by time.
        Ids may be encoded. Of a LazyFrame one column is read at a time, so that a file need not be held whole.
    drawn
        Whether parents that were drawn (`inferred:pdi`, `inferred:learned`) count as known.

    Returns
    -------
    Forest
        A parent that does not stand above its child in the same cascade counts as unknown.
    """
    lazy = nodes.lazy()
    ids, sizes = _cascades(_column(lazy, "cascade_id"))
    kept = None if (sizes >= 2).all() else pl.Series(np.repeat(sizes >= 2, sizes))
    ids, sizes = ids.filter(pl.Series(sizes >= 2)), sizes[sizes >= 2]

    def column(name: str) -> pl.Series:
        whole = _column(lazy, name)
        return whole if kept is None else whole.filter(kept)

    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    traces, trace = _coded(ids.str.extract("^([^:]*):").fill_null(""))
    accounts, account = _coded(column("account_id"))
    content = column("content_id")
    untold = _UNTOLD if drawn else _UNTOLD + _DRAWN
    told = ~column("parent_source").cast(pl.String).is_in(untold).to_numpy()
    parent = np.repeat(offsets[:-1], sizes)
    named = _named_rows(offsets, content, column("parent_content_id"), told) if told.any() else told - 1
    known = told & (named >= 0) & (named < np.arange(told.size))
    parent[known] = named[known]
    parent[offsets[:-1]] = -1
    known[offsets[:-1]] = False
    time = column("timestamp").dt.timestamp("ms").fill_null(NO_TIME)
    return Forest(
        cascade_id=ids,
        traces=traces,
        trace=trace,
        offsets=offsets,
        cascade=np.repeat(np.arange(sizes.size), sizes),
        accounts=accounts,
        account=account,
        content_id=content,
        parent=parent,
        known=known,
        time=time.to_numpy().astype(np.int64),
    )


def by_trace(nodes: pl.LazyFrame, /) -> list[pl.LazyFrame]:
    """Return the nodes of each trace.

    Parameters
    ----------
    nodes
        `schema.CASCADE_NODES`, in the order of a study: those of a trace stand together.
    """
    traces = nodes.select(pl.col("cascade_id").cast(pl.String).str.extract("^([^:]*):").rle()).unnest(
        cs.all()
    )
    ends = traces.select(pl.col("len").cum_sum()).collect().to_series().to_list()
    return [nodes.slice(start, end - start) for start, end in pairwise([0, *ends])]


def _column(nodes: pl.LazyFrame, name: str) -> pl.Series:
    return nodes.select(name).collect().to_series()


def _cascades(ids: pl.Series) -> tuple[pl.Series, Int64]:
    """Return the id of each cascade (String) and its number of nodes."""
    first = np.flatnonzero((ids != ids.shift()).fill_null(True).to_numpy())
    return ids.gather(pl.Series(first)).cast(pl.String), np.diff(np.append(first, len(ids)))


def _coded(ids: pl.Series) -> tuple[pl.Series, Int64]:
    """Return sorted labels and each id's position in them, -1 for null."""
    if ids.null_count() == len(ids):
        return pl.Series([], dtype=pl.String), np.full(len(ids), -1, np.int64)
    unknown = ids.is_null().to_numpy()
    coded = encode(ids.fill_null(strategy="backward").fill_null(strategy="forward") if unknown.any() else ids)
    code = codes_of(coded).astype(np.int64)
    code[unknown] = -1
    return labels_of(coded), code


def _named_rows(offsets: Int64, content: pl.Series, above: pl.Series, told: Bool) -> Int64:
    """Return the first row, in the same cascade, of the post that each of the `told` nodes names, else -1."""
    content, above = content.cast(pl.String), above.cast(pl.String)
    found: Int64 = _look_up(offsets, content.hash().to_numpy(), above.hash().to_numpy(), told)
    rows = np.flatnonzero(found >= 0)
    # A 64-bit hash stood for the id.
    meant = (
        (content.gather(pl.Series(found[rows])) == above.gather(pl.Series(rows))).fill_null(False).to_numpy()
    )
    found[rows[~meant]] = -1
    return found


@kernel
def _look_up(offsets: Int64, own: UInt64, named: UInt64, told: Bool) -> Int64:
    """Find each told node's hash `named` among its cascade's `own`; return the first such row, -1 for none."""
    found = np.full(own.size, -1, np.int64)
    table = np.full(16, -1, np.int64)  # rows by their hash, of one cascade after the other
    # The table is at most half full, so each walk from slot to slot, round its end, meets the hash or a free slot (-1).
    for c in range(offsets.size - 1):
        lo, hi = offsets[c], offsets[c + 1]
        if not told[lo:hi].any():
            continue
        size = 16
        while size < 2 * (hi - lo):
            size *= 2
        if table.size < size:
            table = np.empty(size, np.int64)
        table[:size] = -1
        mask = np.uint64(size - 1)
        # All rows first, for a post named may stand below; of equal hashes the first row stays.
        for i in range(lo, hi):
            slot = own[i] & mask
            while table[slot] >= 0 and own[table[slot]] != own[i]:
                slot = (slot + np.uint64(1)) & mask
            if table[slot] < 0:
                table[slot] = i
        # Where the walk ends at a free slot, no row of the cascade has the hash, and its -1 is the answer.
        for i in range(lo, hi):
            if told[i]:
                slot = named[i] & mask
                while table[slot] >= 0 and own[table[slot]] != named[i]:
                    slot = (slot + np.uint64(1)) & mask
                found[i] = table[slot]
    return found


@dataclass(frozen=True)
class Subtrees:
    """Where what lies below a node stands in a walk that finishes each branch before the next.

    Attributes
    ----------
    first
        Each node's place in the walk.
    size
        Nodes at or below each node; they have the places `first` to `first + size - 1`.
    """

    first: Int64
    size: Int64


def subtrees(parent: Int64, /) -> Subtrees:
    """Return what lies below each node, in two passes over the nodes.

    Parameters
    ----------
    parent
        Row of each node's parent, above its own; -1 where a tree begins.
    """
    return Subtrees(*_walk(parent))


@kernel
def _walk(parent: Int64) -> tuple[Int64, Int64]:
    """Return each node's place in the walk and the nodes at or below it; see `Subtrees`."""
    size = np.ones(parent.size, np.int64)
    # Parents lie above: from the last node up, all below a node are counted before it is added to its parent.
    for i in range(parent.size - 1, -1, -1):
        if parent[i] >= 0:
            size[parent[i]] += size[i]
    first = np.empty(parent.size, np.int64)
    free = np.empty(parent.size, np.int64)  # the next place below each node
    place = 0
    # From the first node down, a parent has its place before its children take theirs, one after the other, each with
    # room for all below it.
    for i in range(parent.size):
        if parent[i] >= 0:
            first[i] = free[parent[i]]
            free[parent[i]] += size[i]
        else:
            first[i] = place
            place += size[i]
        free[i] = first[i] + 1
    return first, size


def topmost(group: npt.NDArray[Any], rows: Int64, trees: Subtrees, /) -> Int64:
    """Return those of `rows` with no other row of the same group above them, by group and place.

    What lies below several nodes of a group is counted once when it is counted below these.

    Parameters
    ----------
    group
        Group of each of `rows`, 0 or more.
    rows
        Nodes.
    trees
        What lies below each node.
    """
    order = np.lexsort((trees.first[rows], group))
    ordered = rows[order]
    outer = _outermost(group[order].astype(np.int64), trees.first[ordered], trees.size[ordered])
    return np.asarray(ordered[outer])


@kernel
def _outermost(group: Int64, first: Int64, size: Int64) -> Bool:
    """Tell which intervals lie in no earlier one of their group; intervals nest or are apart."""
    outer = np.zeros(group.size, np.bool_)
    end = np.int64(-1)
    # `end` is where the latest outermost interval of the group ends: what begins before it lies inside.
    for k in range(group.size):
        if k == 0 or group[k] != group[k - 1] or first[k] >= end:
            outer[k] = True
            end = first[k] + size[k]
    return outer


@kernel
def known_depths(parent: Int64, known: Bool) -> Int64:
    """Return the edges between each node and its root; -1 where a parent on the way is not known."""
    depth = np.empty(parent.size, np.int64)
    # A parent lies above its child, so its depth is there before it is asked for; -1 passes on to all below.
    for i in range(parent.size):
        if parent[i] < 0:
            depth[i] = 0
        elif known[i] and depth[parent[i]] >= 0:
            depth[i] = depth[parent[i]] + 1
        else:
            depth[i] = -1
    return depth


@kernel
def ancestors_at(parent: Int64, depth: Int64, wanted: int) -> Int64:
    """Return the row at depth `wanted` on the way from the root to each node (-1: the node lies higher)."""
    ancestor = np.full(parent.size, -1, np.int64)
    # What lies deeper has its parent's ancestor, which is found already, for parents lie above.
    for i in range(parent.size):
        if depth[i] == wanted:
            ancestor[i] = i
        elif depth[i] > wanted:
            ancestor[i] = ancestor[parent[i]]
    return ancestor


@kernel
def topmost_marked(parent: Int64, depth: Int64, marked: Bool) -> Int64:
    """Return the marked row nearest to the root, but not the root, strictly above each node (-1: none).

    Nodes whose `depth` is below 0 have none.
    """
    found = np.full(parent.size, -1, np.int64)
    # Nearest to the root wins: what the parent has is taken over, and the parent itself only where it has none. At
    # depth 1 the only node above is the root.
    for i in range(parent.size):
        if depth[i] > 1:
            above = parent[i]
            if found[above] >= 0:
                found[i] = found[above]
            elif marked[above]:
                found[i] = above
    return found
