"""What each cluster does, in figures: its network, its timing, its sites, its posts, its accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from propgraph.arrays.types import Int64
from propgraph.clusters.timing import Timing, log_tail
from propgraph.schema import COUNT

# How often, and how far apart, a crowd has to gather: what is posted within an hour may be one occasion.
_GATHERINGS, _APART_MS = 3, 3_600_000


@dataclass(frozen=True)
class ClusterInputs:
    """All that the figures of clusters are made from.

    Attributes
    ----------
    members
        `account_id` (String), `cluster` (UInt32), `evidence` (why it is there, as in `schema.MEMBERS`).
    edges
        One row a pair of accounts (see `networks.join_traces`).
    shares
        `account_id, content_id, trace, object_id` of the members, in the traces of the network, with
        `n_fellows` (fellow members' posts of the object within the window).
    posts
        `account_id, content_id, timestamp, time_resolution_s, kind, target_id, origin_account_id` of the members, a
        row for each post and group.
    links
        `account_id, content_id, site` of the members' links, one row a post and URL.
    accounts
        The members' rows of `schema.ACCOUNTS`.
    timing
        For each trace of the network, how the clusters keep time in it: once for each fineness of its times that
        has to be judged by itself.
    """

    members: pl.DataFrame
    edges: pl.DataFrame
    shares: pl.DataFrame
    posts: pl.DataFrame
    links: pl.DataFrame
    accounts: pl.DataFrame
    timing: Mapping[str, Sequence[Timing]]


def core_members(
    timing: Mapping[str, Sequence[Timing]], accounts: Mapping[str, pl.Series], /, *, min_size: int
) -> pl.DataFrame:
    """Return the members that keep time with their fellows: `account_id`, `cluster`.

    Leiden gives every account to some community; one that met the others twice by chance does not belong.
    Kept is who co-shared at three times the outsiders' rate or more, on at least two objects and half as
    many as the busy quarter of the community. A community with fewer than `min_size` of these (two at
    least) stays as it is: it will hardly be flagged, and is shown for what it is.

    Parameters
    ----------
    timing
        How the communities keep time, by trace, as in `ClusterInputs`.
    accounts
        Account labels behind the codes, by trace.
    min_size
        Smallest cluster.
    """
    frames = [
        part.members.with_columns(accounts[trace].gather(part.members["account"]).alias("account_id"))
        for trace, parts in timing.items()
        for part in parts
    ]
    everyone = pl.concat(frames).sort("n_co_objects", "window_rate", descending=True, maintain_order=True)
    best = everyone.group_by("cluster", "account_id", maintain_order=True).first()
    busy = pl.col("n_co_objects").quantile(0.75, "linear").over("cluster")
    in_time = (
        (pl.col("window_rate") >= 3 * pl.col("outsider_rate"))
        & (pl.col("n_co_objects") >= 2)
        & (pl.col("n_co_objects") * 2 >= busy)
    )
    marked = best.with_columns(core=in_time).with_columns(n_core=pl.col("core").sum().over("cluster"))
    return (
        marked.filter(pl.col("core") | (pl.col("n_core") < max(min_size, 2)))
        .select("account_id", "cluster")
        .sort("cluster", "account_id")
    )


def measure_clusters(material: ClusterInputs, /) -> pl.DataFrame:
    """Return the figures of each cluster: `cluster`, metrics of `schema.CLUSTERS`, and what rules ask for.

    Beyond the schema: `timing_trace` (the trace whose timing is shown), `co_objects` and
    `expected_co_objects` (objects, median over members, met over and expected), `top_object_share` (0..1, of
    the pairs in the window), `n_gathered` (members, behind `turnout`), `typical_targets` (groups, median over
    members), `n_links` (links), `n_created` (accounts whose creation is known).
    """
    parts = [
        _network(material), _timing(material), _shares(material), _posts(material), _sites(material),
        _creation(material),
    ]  # fmt: skip
    table = material.members.group_by("cluster").agg(n_accounts=pl.len().cast(COUNT)).sort("cluster")
    for part in parts:
        table = table.join(part, on="cluster", how="left", maintain_order="left")
    pairs = pl.col("n_accounts").cast(pl.Float64) * (pl.col("n_accounts") - 1) / 2
    return table.with_columns(pl.col("n_edges").fill_null(0)).with_columns(
        density=pl.col("n_edges") / pairs, turnout=pl.col("n_gathered") / pl.col("n_accounts")
    )


def measure_members(material: ClusterInputs, /) -> pl.DataFrame:
    """Return the figures of each member: `cluster` and the columns of `schema.MEMBERS`."""
    inside = inner_edges(material)
    ends = pl.concat([inside.select("cluster", "weight", account_id=end) for end in ("source", "target")])
    network = ends.group_by("account_id").agg(
        degree=pl.len(), strength=pl.col("weight").sum().cast(pl.Float64)
    )
    shared = material.shares.group_by("account_id", "content_id").agg(co=pl.col("n_fellows").max() > 0)
    shares = shared.group_by("account_id").agg(n_shares=pl.len(), n_co_shares=pl.col("co").sum())
    kinds = (
        once(material.posts).group_by("account_id").agg(original_share=(pl.col("kind") == "original").mean())
    )
    groups = material.posts.group_by("account_id").agg(n_targets=pl.col("target_id").drop_nulls().n_unique())
    table = material.members
    for part in (network, shares, kinds, groups, material.accounts.select("account_id", "created_at")):
        table = table.join(part, on="account_id", how="left", maintain_order="left")
    return table.with_columns(pl.col("degree", "strength", "n_shares", "n_co_shares").fill_null(0))


def once(posts: pl.DataFrame, /) -> pl.DataFrame:
    """Return each post once, whatever the number of groups it was posted into."""
    return posts.unique("content_id", keep="first", maintain_order=True)


def inner_edges(material: ClusterInputs, /) -> pl.DataFrame:
    """Return the edges between members of one cluster, with `cluster`."""
    return edges_inside(material.edges, material.members)


def edges_inside(edges: pl.DataFrame, members: pl.DataFrame, /) -> pl.DataFrame:
    """Return those of `edges` whose `source` and `target` are `members` of one cluster, with `cluster`."""
    of = members.select("account_id", "cluster")
    return (
        edges.join(of.rename({"account_id": "source"}), on="source", maintain_order="left")
        .join(of.rename({"account_id": "target", "cluster": "other"}), on="target", maintain_order="left")
        .filter(pl.col("cluster") == pl.col("other"))
        .drop("other")
    )


def gini(counts: npt.NDArray[Any], /) -> float:
    """Return the Gini coefficient (0..1) of positive `counts`; of one count alone it is 1 by convention."""
    n = counts.size
    if n == 1:
        return 1.0
    ordered = np.sort(counts.astype(np.float64))
    return float(2 * (np.arange(1, n + 1) * ordered).sum() / (n * ordered.sum()) - (n + 1) / n)


def shortest_half(times: Int64, /) -> float:
    """Return the shortest span, in the unit of `times`, that holds half of them (rounded up)."""
    ordered = np.sort(times)
    first, last = _densest_half(ordered)
    return float(ordered[last] - ordered[first])


def densest_half(created: pl.DataFrame, /) -> pl.DataFrame:
    """Return the rows of the shortest span of `created_at` that holds half of them, in order of it."""
    ordered = created.drop_nulls("created_at").sort("created_at", "account_id")
    if ordered.is_empty():
        return ordered
    first, last = _densest_half(ordered["created_at"].dt.timestamp("ms").to_numpy())
    return ordered[first : last + 1]


def _densest_half(ordered: Int64) -> tuple[int, int]:
    half = (ordered.size + 1) // 2
    first = int((ordered[half - 1 :] - ordered[: ordered.size - half + 1]).argmin())
    return first, first + half - 1


def _network(material: ClusterInputs) -> pl.DataFrame:
    events = pl.col("n_events")
    return (
        inner_edges(material)
        .group_by("cluster", maintain_order=True)
        .agg(
            n_edges=pl.len().cast(COUNT),
            total_weight=pl.col("weight").sum().cast(pl.Float64),
            median_weight=pl.col("weight").median(),
            median_delta_s=pl.col("mean_delta_s").median(),
            fast_share=pl.when(pl.col("fast_share").count() > 0).then(
                (pl.col("fast_share") * events).sum() / events.sum()
            ),
            first_time=pl.col("first_time").min(),
            last_time=pl.col("last_time").max(),
        )
    )


def _timing(material: ClusterInputs) -> pl.DataFrame:
    """Return each cluster's figures in the trace, and by the times, where it keeps time most surely."""
    frames = []
    parts = [(trace, part) for trace, of_trace in material.timing.items() for part in of_trace]
    for trace, part in parts:
        objects = part.objects.with_columns(
            part=pl.col("n_within") / pl.col("n_pairs"), root=pl.col("n_pairs").sqrt()
        )
        sums = objects.group_by("cluster", maintain_order=True).agg(
            observed=pl.col("n_within").sum(),
            expected=(pl.col("n_pairs") * pl.col("outsider_rate")).sum(),
            n_objects=(pl.col("n_within") > 0).sum().cast(COUNT),
            top_object_share=pl.col("n_within").max() / pl.col("n_within").sum(),
            window_rate=(pl.col("part") * pl.col("root")).sum() / pl.col("root").sum(),
            outsider_rate=(pl.col("outsider_rate") * pl.col("root")).sum() / pl.col("root").sum(),
        )
        sums = sums.with_columns(
            log_tail(objects, ["cluster"], weight="root"), pl.lit(trace).alias("timing_trace")
        )
        for more in (_typical(part.members, material.members), part.clusters, _gathered(objects)):
            sums = sums.join(more, on="cluster", how="left", maintain_order="left")
        # Objects of one post are one act: the tail counts as many acts as there are posts.
        frames.append(sums.with_columns(pl.col("log_p") * pl.col("acts")))
    best = pl.concat(frames).sort("log_p", "timing_trace").group_by("cluster", maintain_order=True).first()
    # The least of several tails is taken, so each counts as often as there are.
    return best.with_columns(p_value=(pl.col("log_p").exp() * len(parts)).clip(0, 1))


def _typical(there: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """Return `co_objects` and `expected_co_objects`, the medians over all members of each cluster.

    Who shares no object with a fellow in the trace is not `there`, and met nobody over none.
    """
    names = ("n_co_objects", "expected_co_objects")
    size = members.group_by("cluster").agg(absent=pl.len().cast(pl.Int64))
    n_there = there.group_by("cluster").agg(n=pl.len().cast(pl.Int64))
    absent = size.join(n_there, on="cluster").select(
        pl.col("cluster").repeat_by(pl.col("absent") - pl.col("n")).explode()
    )
    nobody = absent.drop_nulls().with_columns(pl.lit(0.0).alias(name) for name in names)
    met = there.select("cluster", pl.col(names).cast(pl.Float64))
    return (
        pl.concat([met, nobody])
        .group_by("cluster")
        .agg(
            co_objects=pl.col("n_co_objects").median(),
            expected_co_objects=pl.col("expected_co_objects").median(),
        )
    )


def _gathered(objects: pl.DataFrame) -> pl.DataFrame:
    """Return `cluster` and `n_gathered`: how many members at least gathered at the three times when most did.

    The times lie an hour apart or more; null where there are fewer.
    """
    rows = []
    order = objects.sort(["cluster", "gathered", "gathered_ms"], descending=[False, True, False])
    for (cluster,), part in order.partition_by("cluster", as_dict=True, maintain_order=True).items():
        times: list[int] = []
        least = None
        for n, at in part.select("gathered", "gathered_ms").iter_rows():
            if all(abs(at - other) >= _APART_MS for other in times):
                times.append(at)
            if len(times) == _GATHERINGS:
                least = n
                break
        rows.append((cluster, least))
    return pl.DataFrame(rows, schema={"cluster": pl.UInt32, "n_gathered": COUNT}, orient="row")


def _shares(material: ClusterInputs) -> pl.DataFrame:
    posts = material.shares.group_by("account_id", "content_id").agg(co=pl.col("n_fellows").max() > 0)
    posts = posts.join(material.members, on="account_id")
    # Sorted, for the last digit of a sum of floats depends on its order.
    counts = posts.group_by("cluster", "account_id").agg(n=pl.len(), co=pl.col("co").sum())
    counts = counts.sort("cluster", "account_id")
    part = pl.col("n") / pl.col("n").sum()
    return counts.group_by("cluster", maintain_order=True).agg(
        n_shares=pl.col("n").sum().cast(COUNT),
        co_shared=pl.col("co").sum() / pl.col("n").sum(),
        crowd_bot_index=((-(part * part.log()).sum()).exp() / pl.col("n").sum()).clip(0, 1),
    )


def _posts(material: ClusterInputs) -> pl.DataFrame:
    posts = material.posts.join(material.members, on="account_id")
    hours = once(posts).group_by("cluster", hour=pl.col("timestamp").dt.hour()).len().sort("cluster", "hour")
    part = pl.col("len") / pl.col("len").sum()
    rhythm = hours.group_by("cluster", maintain_order=True).agg(
        hour_entropy=((part * part.log()).sum().abs() / np.log(24)).clip(0, 1)
    )
    groups = posts.group_by("cluster", "account_id").agg(n=pl.col("target_id").drop_nulls().n_unique())
    typical = groups.group_by("cluster").agg(typical_targets=pl.col("n").median())
    reach = posts.group_by("cluster").agg(n_targets=pl.col("target_id").drop_nulls().n_unique().cast(COUNT))
    kinds = once(posts).group_by("cluster").agg(original_share=(pl.col("kind") == "original").mean())
    return kinds.join(reach, on="cluster").join(rhythm, on="cluster").join(typical, on="cluster")


def _sites(material: ClusterInputs) -> pl.DataFrame:
    schema: dict[str, Any] = {
        "cluster": pl.UInt32, "n_sites": COUNT, "site_gini": pl.Float64, "top_site": pl.String,
        "top_site_share": pl.Float64, "n_links": COUNT,
    }  # fmt: skip
    links = material.links.join(material.members, on="account_id")
    counts = (
        links.drop_nulls("site")
        .group_by("cluster", "site")
        .len()
        .sort(["cluster", "len", "site"], descending=[False, True, False])
    )
    rows = []
    for (cluster,), part in counts.partition_by("cluster", as_dict=True, maintain_order=True).items():
        n = part["len"].to_numpy()
        rows.append((cluster, n.size, gini(n), part["site"][0], float(n[0] / n.sum()), int(n.sum())))
    return pl.DataFrame(rows, schema=schema, orient="row")


def _creation(material: ClusterInputs) -> pl.DataFrame:
    known = material.members.join(
        material.accounts.select("account_id", "created_at"), on="account_id"
    ).drop_nulls()
    rows = [
        (cluster, shortest_half(part["created_at"].dt.timestamp("ms").to_numpy()) / 1000, part.height)
        for (cluster,), part in known.partition_by("cluster", as_dict=True, maintain_order=True).items()
    ]
    schema: dict[str, Any] = {"cluster": pl.UInt32, "creation_spread_s": pl.Float64, "n_created": COUNT}
    return pl.DataFrame(rows, schema=schema, orient="row")
