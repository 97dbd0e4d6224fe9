"""Raw trees, as other people's data sets hold them, to the flat table of nodes; every repair is counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from propgraph.arrays.encoding import codes_in, group_offsets
from propgraph.arrays.types import Int64, UInt32
from propgraph.cascades.order import NEVER, UNKNOWN, descend, open_cycles
from propgraph.errors import InputError, lacking
from propgraph.schema import ID, TIME

_NEEDED = ("cascade_id", "content_id", "parent_content_id")
_NODE = ("cascade", "content_id")


@dataclass(frozen=True)
class Trees:
    """Trees, one to a cascade.

    Attributes
    ----------
    nodes
        A row a node: `cascade_id`, `content_id`, `account_id`, `parent_content_id` (null at the root; all
        String), `timestamp` (Datetime) or `delay_s` (Float64), as the rows had it, repaired, null where
        unknown; `depth` (UInt32, edges). By cascade, time, depth and id.
    offsets
        Where each cascade begins, and the number of nodes at the end; rows, shape (cascades + 1,).
    parent
        Row of each node's parent, above its own; -1 at the roots. Shape (nodes,).
    time
        Time or delay of each node in ms, where unknown its parent's; never falling within a cascade and
        never before the parent's. Shape (nodes,).
    counts
        How often each rule of `trees_from_edges` had to repair something, by its name.
    """

    nodes: pl.DataFrame
    offsets: Int64
    parent: Int64
    time: Int64
    counts: dict[str, int]


def trees_from_edges(
    rows: pl.DataFrame, /, *, virtual_root: bool = False, root_marker: str = "ROOT"
) -> Trees:
    """Make one tree of each cascade out of rows that each name a node and a parent, in any order.

    No node is lost: the tree of a cascade holds every id that stands in its column `content_id`, once, and
    with `virtual_root` its root. The rules, in this order, and what each is counted as:

    1. Of rows with the same node and parent one counts: `duplicate_rows` (rows).
    2. A node with several times has the earliest, with several accounts the first by id: `other_times`,
       `other_accounts` (nodes).
    3. A node is not its own parent: `self_loops` (links from a node to a parent).
    4. A parent that is no node of the cascade is no parent: `parents_absent` (links).
    5. The root is the node called like the cascade if `virtual_root`, added where it is not there:
       `roots_added`. Else it is the earliest of the nodes whose parent is called `root_marker`; where there is
       none, of those without a parent; where there is none, of all. Its own parents are dropped:
       `root_parents` (links). Other nodes marked as a root are nodes like all others: `extra_roots` (nodes).
    6. Of several parents a node keeps the latest that is not later than the node, else the latest:
       `extra_parents` (links dropped).
    7. A cycle is opened at its earliest node: `cycles` (cycles).
    8. Whoever now has no parent hangs under the root: those who never named one are `parents_unknown` (nodes).
    9. A node earlier than its parent, as with a negative delay, has its parent's time: `times_raised` (nodes).

    Where nothing else decides, the earlier id comes first; an unknown time is later than all others.

    Parameters
    ----------
    rows
        `cascade_id`, `content_id` (the node), `parent_content_id` (null or `root_marker`: none);
        `account_id` if known; `timestamp` (Datetime) or `delay_s` (seconds since whenever) if known. Other
        columns are left out.
    virtual_root
        The root's own post is not among the rows, and is called like its cascade.
    root_marker
        What stands in the place of the parent of a root.

    Returns
    -------
    Trees
        The flat table, for `cascade_shapes` and `cascade_growth`; given these nodes anew, the same trees,
        with nothing to repair.

    Raises
    ------
    InputError
        When a column is missing or of the wrong kind, or `cascade_id` or `content_id` is null; all faults
        are named together.
    """
    clock = "delay_s" if "delay_s" in rows.columns else "timestamp"
    links = _links(rows, clock)
    counts = {"duplicate_rows": links.height - links.select(_NEEDED).n_unique()}
    labels = links["cascade_id"].unique().sort()
    links = links.with_columns(cascade=pl.Series(codes_in(links["cascade_id"], labels), dtype=pl.Int64))
    nodes = _nodes(links, labels, counts, virtual_root=virtual_root, root_marker=root_marker)
    named = _named(links, nodes, counts, root_marker=root_marker)
    root = _roots(nodes, named, labels, virtual_root=virtual_root)
    marked = nodes["marked"].to_numpy()
    counts["extra_roots"] = int(marked.sum()) - int(marked[root].sum())
    parent = _chosen(nodes, named, root, counts)
    cascade = nodes["cascade"].to_numpy()
    time = nodes["time"].fill_null(UNKNOWN).to_numpy()
    counts["cycles"] = int(open_cycles(parent, time))
    names_none = ~nodes["names"].to_numpy() & ~marked
    names_none[root] = False
    counts["parents_unknown"] = int(names_none.sum())
    parent = np.where(parent < 0, root[cascade], parent)
    parent[root] = -1
    clean, depth, counts["times_raised"] = descend(parent, time)
    # Below a root without a time others may have none either: they are as early as the cascade's first known.
    known = pl.DataFrame({"cascade": cascade, "time": clean}).filter(pl.Series(time != UNKNOWN))
    first = np.zeros(len(labels), dtype=np.int64)
    earliest = known.group_by("cascade").agg(pl.col("time").min())
    first[earliest["cascade"].to_numpy()] = earliest["time"].to_numpy()
    clean = np.where(clean == NEVER, first[cascade], clean)
    return _flat(nodes, labels, parent, clean, depth, clock=clock, counts=counts)


def _links(rows: pl.DataFrame, clock: str) -> pl.DataFrame:
    """Return the columns of use, ids as String and `time` in ms; raise `InputError` where that cannot be."""
    faults = lacking("rows of trees", _NEEDED, rows.columns)
    faults += [
        f"rows of trees: column {name!r} is null in {rows[name].null_count():,} of {rows.height:,} rows"
        for name in _NEEDED[:2]
        if name in rows.columns and rows[name].null_count()
    ]
    time = pl.lit(None, pl.Int64)
    if clock in rows.columns:
        dtype = rows.schema[clock]
        if clock == "delay_s" and dtype.is_numeric():
            time = (pl.col(clock).cast(pl.Float64) * 1000).round().cast(pl.Int64, strict=False)
        elif clock == "timestamp" and isinstance(dtype, pl.Datetime):
            time = pl.col(clock).dt.timestamp("ms")
        elif dtype != pl.Null:
            wanted = "numbers (seconds)" if clock == "delay_s" else "Datetime"
            faults.append(f"rows of trees: column {clock!r} is {dtype}; give {wanted}")
    if faults:
        raise InputError("; ".join(faults))
    account = pl.col("account_id") if "account_id" in rows.columns else pl.lit(None)
    return rows.select(pl.col(*_NEEDED).cast(ID), account_id=account.cast(ID), time=time)


def _nodes(
    links: pl.DataFrame, labels: pl.Series, counts: dict[str, int], *, virtual_root: bool, root_marker: str
) -> pl.DataFrame:
    """Return a row a node, by cascade and id, with `node` its number.

    `marked` tells whether it is called a root, `names` whether any row gives it a parent.
    """
    is_marker = pl.col("parent_content_id") == root_marker
    nodes = links.group_by(*_NODE).agg(
        pl.col("account_id", "time").min(),
        marked=is_marker.fill_null(False).any(),
        names=(pl.col("parent_content_id").is_not_null() & ~is_marker).any(),
        n_times=pl.col("time").drop_nulls().n_unique(),
        n_accounts=pl.col("account_id").drop_nulls().n_unique(),
    )
    counts["other_times"] = nodes.filter(pl.col("n_times") > 1).height
    counts["other_accounts"] = nodes.filter(pl.col("n_accounts") > 1).height
    nodes = nodes.drop("n_times", "n_accounts")
    counts["roots_added"] = 0
    if virtual_root:
        roots = pl.DataFrame({"cascade": np.arange(len(labels)), "content_id": labels})
        added = roots.join(nodes, on=_NODE, how="anti").with_columns(
            marked=pl.lit(False), names=pl.lit(False)
        )
        counts["roots_added"] = added.height
        nodes = pl.concat([nodes, added], how="diagonal")
    return nodes.sort(_NODE).with_row_index("node").with_columns(pl.col("node").cast(pl.Int64))


def _named(
    links: pl.DataFrame, nodes: pl.DataFrame, counts: dict[str, int], *, root_marker: str
) -> pl.DataFrame:
    """Return the links that can be followed, each once: `node, parent`, rows of `nodes`."""
    pairs = (
        links.filter(pl.col("parent_content_id") != root_marker).select(*_NODE, "parent_content_id").unique()
    )
    others = pairs.filter(pl.col("parent_content_id") != pl.col("content_id"))
    counts["self_loops"] = pairs.height - others.height
    ids = nodes.select(*_NODE, "node")
    above = ids.rename({"content_id": "parent_content_id", "node": "parent"})
    found = others.join(ids, on=_NODE).join(above, on=["cascade", "parent_content_id"])
    counts["parents_absent"] = others.height - found.height
    return found.select("node", "parent")


def _roots(nodes: pl.DataFrame, named: pl.DataFrame, labels: pl.Series, *, virtual_root: bool) -> Int64:
    """Return the row of each cascade's root."""
    if virtual_root:
        names = labels.gather(nodes["cascade"])
        return nodes.filter(nodes["content_id"] == names)["node"].to_numpy()
    # 0: called a root, 1: without a parent, 2: all others.
    unlikely = np.ones(nodes.height, dtype=np.int8)
    unlikely[named["node"].to_numpy()] = 2
    unlikely[nodes["marked"].to_numpy()] = 0
    best = nodes.with_columns(unlikely=unlikely).sort("cascade", "unlikely", "time", "node", nulls_last=True)
    return best.unique("cascade", keep="first", maintain_order=True)["node"].to_numpy()


def _chosen(nodes: pl.DataFrame, named: pl.DataFrame, root: Int64, counts: dict[str, int]) -> Int64:
    """Return the row of the parent that each node keeps, -1 for none."""
    is_root = np.zeros(nodes.height, dtype=np.bool_)
    is_root[root] = True
    below = named.filter(pl.Series(~is_root[named["node"].to_numpy()]))
    counts["root_parents"] = named.height - below.height
    time = nodes["time"]
    kept = (
        below.with_columns(own=time.gather(below["node"]), other=time.gather(below["parent"]))
        .with_columns(later=(pl.col("other") > pl.col("own")).fill_null(False))
        .sort("node", "later", "other", "parent", descending=[False, False, True, False], nulls_last=True)
        .unique("node", keep="first", maintain_order=True)
    )
    counts["extra_parents"] = below.height - kept.height
    parent = np.full(nodes.height, -1, dtype=np.int64)
    parent[kept["node"].to_numpy()] = kept["parent"].to_numpy()
    return parent


def _flat(
    nodes: pl.DataFrame,
    labels: pl.Series,
    parent: Int64,
    time: Int64,
    depth: UInt32,
    *,
    clock: str,
    counts: dict[str, int],
) -> Trees:
    """Put parents above their children and all in order of time."""
    cascade = nodes["cascade"].to_numpy()
    order = np.lexsort((np.arange(time.size), depth, time, cascade))
    row = np.empty(order.size, dtype=np.int64)
    row[order] = np.arange(order.size)
    above = parent[order]
    known = nodes["time"].is_not_null()
    clean = pl.Series(time).set(~known, None)
    own_time = clean / 1000 if clock == "delay_s" else clean.cast(TIME)
    ids = nodes["content_id"]
    frame = pl.DataFrame(
        {
            "cascade_id": labels.gather(nodes["cascade"]),
            "content_id": ids,
            "account_id": nodes["account_id"],
            clock: own_time,
            "parent_content_id": ids.gather(pl.Series(parent).set(pl.Series(parent < 0), None)),
            "depth": depth,
        }
    )
    return Trees(
        nodes=frame[order],
        offsets=group_offsets(cascade, len(labels)),
        parent=np.where(above < 0, -1, row[above]),
        time=time[order],
        counts=dict(sorted(counts.items())),
    )
