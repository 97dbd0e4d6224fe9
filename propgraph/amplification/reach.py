"""How early clusters are in cascades, which they start, and what hangs below their members."""

from __future__ import annotations

import numpy as np
import polars as pl

from propgraph.amplification.forest import Forest, ancestors_at, known_depths, subtrees, topmost
from propgraph.arrays.types import Bool, Int64
from propgraph.schema import AMPLIFICATION

FIRST = (10, 100)
MINUTES = (1, 10, 60)


def cluster_codes(cascades: Forest, members: pl.DataFrame, /) -> tuple[pl.Series, Int64]:
    """Return the ids of the clusters (sorted) and each node's cluster, -1 for none.

    Parameters
    ----------
    cascades
        The cascades.
    members
        `account_id`, `cluster_id`; an account is in one cluster at most.
    """
    ids = members["cluster_id"].unique().sort()
    places = pl.DataFrame({"cluster_id": ids, "cluster": np.arange(len(ids))})
    of_account = pl.DataFrame({"account_id": cascades.accounts}).join(
        members.select("account_id", "cluster_id")
        .join(places, on="cluster_id")
        .sort("cluster")
        .unique("account_id", keep="first", maintain_order=True),
        on="account_id",
        how="left",
        maintain_order="left",
    )["cluster"]
    cluster = np.append(of_account.fill_null(-1).to_numpy(), -1).astype(np.int64)  # unknown accounts: -1
    return ids, cluster[cascades.account]


def measure_amplification(cascades: Forest, members: pl.DataFrame, /) -> pl.DataFrame:
    """Return what each cluster has in each cascade that it touches: early shares, starts, what lies below.

    Shares of the first reshares and minutes leave the root out and are null where there is nothing to have
    a share of. Only known parents tell what lies below whom (see `Forest.known`): `share_below` is null where
    a cascade has none. A node that hangs below two clusters counts for both.

    Parameters
    ----------
    cascades
        The cascades, as `forest` returns them.
    members
        `account_id`, `cluster_id`; an account is in one cluster at most.

    Returns
    -------
    polars.DataFrame
        Columns of `schema.AMPLIFICATION`, sorted by cluster and cascade.

    References
    ----------
    Shao, C., Ciampaglia, G. L., Varol, O., Yang, K.-C., Flammini, A., & Menczer, F. (2018). The spread of
    low-credibility content by social bots. Nature Communications, 9, 4787.
    """
    ids, cluster = cluster_codes(cascades, members)
    n = len(cascades.cascade_id)
    rows = np.flatnonzero(cluster >= 0)
    position, age = cascades.position, cascades.age_ms
    table = _early(cascades, cluster, rows, position=position, age=age)
    for part in (_tiers(cascades, cluster, rows), _below(cascades, cluster, rows)):
        table = table.join(part, on="group", how="left", maintain_order="left")
    which = table["group"].to_numpy() % max(n, 1)
    size = np.diff(cascades.offsets)[which]
    reshare = position > 0
    all_in = {f"first_{k}": np.minimum(size - 1, k) for k in FIRST} | {
        f"first_{m}m": _count(cascades, reshare & (age <= m * 60_000))[which] for m in MINUTES
    }
    known = _count(cascades, cascades.known)[which]
    shares = {
        "share": table["n_reshares"] / pl.Series(size - 1),
        "share_below": _part(table["n_below"].fill_null(0), known),
        **{f"{name}_share": _part(table[name], whole) for name, whole in all_in.items()},
    }
    return AMPLIFICATION.conform(
        table.select(
            ids.gather(pl.Series(table["group"].to_numpy() // max(n, 1))).alias("cluster_id"),
            cascades.cascade_id.gather(pl.Series(which)).alias("cascade_id"),
            cascades.traces.gather(pl.Series(cascades.trace[which])).alias("trace"),
            "started",
            "n_nodes",
            "n_known_own",
            pl.Series("n_known", known),
            pl.col("n_below", "tier_1", "tier_2", "tier_3").fill_null(0),
            **shares,
        ).sort("cluster_id", "cascade_id")
    )


def _early(cascades: Forest, cluster: Int64, rows: Int64, *, position: Int64, age: Int64) -> pl.DataFrame:
    """Return a row for each cluster and cascade (`group`), sorted: how many nodes are its members', how early."""
    own = pl.DataFrame(
        {
            "group": cluster[rows] * len(cascades.cascade_id) + cascades.cascade[rows],
            "position": position[rows],
            "age": age[rows],
            "known": cascades.known[rows],
        }
    )
    below_root = pl.col("position") > 0
    table = own.group_by("group").agg(
        started=(pl.col("position") == 0).any(),
        n_nodes=pl.len(),
        n_reshares=below_root.sum(),
        n_known_own=pl.col("known").sum(),
        **{f"first_{k}": (below_root & (pl.col("position") <= k)).sum() for k in FIRST},
        **{f"first_{m}m": (below_root & (pl.col("age") <= m * 60_000)).sum() for m in MINUTES},
    )
    return table.sort("group")


def _count(cascades: Forest, which: Bool) -> Int64:
    return np.bincount(cascades.cascade[which], minlength=len(cascades.cascade_id))


def _part(part: pl.Series, whole: Int64) -> pl.Series:
    """Return the share, null where there is nothing."""
    return pl.Series(part.to_numpy() / np.maximum(whole, 1)).set(pl.Series(whole == 0), None)


def _below(cascades: Forest, cluster: Int64, rows: Int64) -> pl.DataFrame:
    """Return `group` and `n_below`: nodes with a member of the cluster above them, by known parents."""
    trees = subtrees(np.where(cascades.known, cascades.parent, -1))
    n = len(cascades.cascade_id)
    top = topmost(cluster[rows] * n + cascades.cascade[rows], rows, trees)
    below = pl.DataFrame({"group": cluster[top] * n + cascades.cascade[top], "n_below": trees.size[top] - 1})
    return below.group_by("group").agg(pl.col("n_below").sum())


def _tiers(cascades: Forest, cluster: Int64, rows: Int64) -> pl.DataFrame:
    """Return `group` and `tier_1, tier_2, tier_3`: the widths, by depth, of what the members span.

    They span their own nodes, all below them, and those on the way up that are at depth 1 or 2. `tier_3` is
    depth 3 and beyond. Nodes whose way to the root is not wholly known do not count.
    """
    depth = known_depths(cascades.parent, cascades.known)
    sure = depth >= 0
    trees = subtrees(np.where(sure, cascades.parent, -1))
    n = len(cascades.cascade_id)
    rows = rows[sure[rows]]
    top = topmost(cluster[rows] * n + cascades.cascade[rows], rows, trees)
    # How many nodes of each tier stand before each place of the walk.
    tier = np.empty(depth.size, np.int64)
    tier[trees.first] = np.minimum(depth, 3)
    spans = {"group": cluster[top] * n + cascades.cascade[top]}
    for k in (1, 2, 3):
        before = np.concatenate([[0], np.cumsum(tier == k)])
        spans[f"below_{k}"] = before[trees.first[top] + trees.size[top]] - before[trees.first[top]]
    frame = pl.DataFrame(spans).with_columns(
        pl.Series("depth", depth[top]),
        pl.Series("first", ancestors_at(cascades.parent, depth, 1)[top]),
        pl.Series("second", ancestors_at(cascades.parent, depth, 2)[top]),
    )
    up_to = {
        k: pl.col(name).filter(pl.col("depth") > k).n_unique() for k, name in ((1, "first"), (2, "second"))
    }
    return frame.group_by("group").agg(
        tier_1=pl.col("below_1").sum() + up_to[1],
        tier_2=pl.col("below_2").sum() + up_to[2],
        tier_3=pl.col("below_3").sum(),
    )
