"""What each cluster does, in figures: its network, its timing, its sites, its posts, its accounts."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from propgraph.clusters.inputs import ClusterInputs
from propgraph.clusters.spans import shortest_half
from propgraph.clusters.timing import log_tail
from propgraph.crews.found import Crews
from propgraph.schema import COUNT

#: How often, and how far apart, a crowd has to gather: what is posted within an hour may be one occasion.
GATHERINGS, APART_MS = 3, 3_600_000


def measure_clusters(inputs: ClusterInputs, /) -> pl.DataFrame:
    """Return the figures of each cluster: `cluster`, metrics of `schema.CLUSTERS`, and what rules ask for.

    Beyond the schema: `timing_trace` (the trace whose timing is shown), `co_objects` and
    `expected_co_objects` (objects, median over members, met over and expected), `top_object_share` (0..1, of
    the pairs in the window), `n_gathered` (members, behind `turnout`), `typical_targets` (groups, median over
    members), `n_links` (links), `n_created` (accounts whose creation is known).
    """
    parts = [
        _network(inputs), _timing(inputs), _shares(inputs), _posts(inputs), _sites(inputs),
        _creation(inputs),
    ]  # fmt: skip
    table = (
        inputs.members.group_by("cluster")
        .agg(pl.col("time_window_s", "own_objects", "usual_bursts").first(), n_accounts=pl.len().cast(COUNT))
        .sort("cluster")
    )
    for part in parts:
        table = table.join(part, on="cluster", how="left", maintain_order="left")
    pairs = pl.col("n_accounts").cast(pl.Float64) * (pl.col("n_accounts") - 1) / 2
    return table.with_columns(pl.col("n_edges").fill_null(0)).with_columns(
        density=pl.col("n_edges") / pairs, turnout=pl.col("n_gathered") / pl.col("n_accounts")
    )


def measure_members(inputs: ClusterInputs, /) -> pl.DataFrame:
    """Return the figures of each member: `cluster` and the columns of `schema.MEMBERS`."""
    inside = inner_edges(inputs)
    ends = pl.concat([inside.select("cluster", "weight", account_id=end) for end in ("source", "target")])
    network = ends.group_by("account_id").agg(
        degree=pl.len(), strength=pl.col("weight").sum().cast(pl.Float64)
    )
    shared = inputs.shares.group_by("account_id", "content_id").agg(co=pl.col("n_fellows").max() > 0)
    shares = shared.group_by("account_id").agg(n_shares=pl.len(), n_co_shares=pl.col("co").sum())
    kinds = (
        once(inputs.posts).group_by("account_id").agg(original_share=(pl.col("kind") == "original").mean())
    )
    groups = inputs.posts.group_by("account_id").agg(n_targets=pl.col("target_id").drop_nulls().n_unique())
    table = inputs.members
    for part in (network, shares, kinds, groups, inputs.accounts.select("account_id", "created_at")):
        table = table.join(part, on="account_id", how="left", maintain_order="left")
    return table.with_columns(pl.col("degree", "strength", "n_shares", "n_co_shares").fill_null(0))


def with_synchrony(table: pl.DataFrame, members: pl.DataFrame, inside: pl.DataFrame, /) -> pl.DataFrame:
    """Add what each cluster was found by, and how many of its pairs and members are synchronised.

    Parameters
    ----------
    table
        A row for each cluster, with `cluster` and `n_accounts`.
    members
        `account_id`, `cluster`, `evidence`.
    inside
        `source, target, cluster, p_value` of the synchronised pairs inside clusters.
    """
    ends = pl.concat([inside.select("cluster", account_id=end) for end in ("source", "target")]).unique()
    joined = members.filter(pl.col("evidence").is_in(["group", "crew"])).select("cluster", "account_id")
    tied = pl.concat([ends, joined]).unique().group_by("cluster").len("n_tied")
    pairs = inside.group_by("cluster").agg(n_synchronised=pl.len(), best_p=pl.col("p_value").min())
    alone = pl.col("evidence").first()
    found_by = (
        pl.when(alone.is_in(["relays", "order", "window", "habits"]))
        .then(alone)
        .otherwise(pl.lit("synchrony"))
    )
    table = table.join(members.group_by("cluster").agg(evidence=found_by), on="cluster", how="left")
    for part in (pairs, tied):
        table = table.join(part, on="cluster", how="left", maintain_order="left")
    return table.with_columns(pl.col("n_synchronised", "n_tied").fill_null(0)).with_columns(
        synchronised_share=pl.col("n_tied") / pl.col("n_accounts")
    )


def with_habits(table: pl.DataFrame, members: pl.DataFrame, network: pl.DataFrame, /) -> pl.DataFrame:
    """Add `n_by_habit`, the pairs of members that stand out by their habits alone, and `by_habit_share` of the members.

    Parameters
    ----------
    table
        A row for each cluster, with `cluster` and `n_accounts`.
    members
        `account_id`, `cluster`.
    network
        `schema.NETWORK`.
    """
    inside = edges_inside(network.filter("by_habit"), members)
    ends = pl.concat([inside.select("cluster", account_id=end) for end in ("source", "target")]).unique()
    for part in (inside.group_by("cluster").len("n_by_habit"), ends.group_by("cluster").len("n_habitual")):
        table = table.join(part, on="cluster", how="left", maintain_order="left")
    return table.with_columns(pl.col("n_by_habit", "n_habitual").fill_null(0)).with_columns(
        by_habit_share=pl.col("n_habitual") / pl.col("n_accounts")
    )


def with_crews_p(table: pl.DataFrame, members: pl.DataFrame, crews: Crews, /) -> pl.DataFrame:
    """Add `p_value`: of the crew of which most members are in a cluster, if half of the crew or more are; else null."""
    size = crews.members.group_by("community").len("size")
    held = (
        crews.members.join(members.select("account_id", "cluster"), on="account_id")
        .group_by("community", "cluster")
        .len("n")
        .join(size, on="community")
        .filter(pl.col("n") * 2 >= pl.col("size"))
        .join(crews.crews, on="community")
        .sort(["cluster", "n", "community"], descending=[False, True, False])
        .unique("cluster", keep="first", maintain_order=True)
    )
    return table.join(held.select("cluster", "p_value"), on="cluster", how="left", maintain_order="left")


def once(posts: pl.DataFrame, /) -> pl.DataFrame:
    """Return each post once, whatever the number of groups it was posted into."""
    return posts.unique("content_id", keep="first", maintain_order=True)


def inner_edges(inputs: ClusterInputs, /) -> pl.DataFrame:
    """Return the edges between members of one cluster, with `cluster`."""
    return edges_inside(inputs.edges, inputs.members)


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


def _network(inputs: ClusterInputs) -> pl.DataFrame:
    events = pl.col("n_events")
    return (
        inner_edges(inputs)
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


def _timing(inputs: ClusterInputs) -> pl.DataFrame:
    """Return each cluster's figures in the trace, and by the times, where it keeps time most surely."""
    frames = []
    parts = [(trace, part) for trace, of_trace in inputs.timing.items() for part in of_trace]
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
            usual_rate=(pl.col("usual_rate") * pl.col("root")).sum() / pl.col("root").sum(),
        )
        sums = sums.with_columns(
            log_tail(objects, ["cluster"], weight="root"), pl.lit(trace).alias("timing_trace")
        )
        for more in (_typical(part.members, inputs.members), part.clusters, _gathered(objects)):
            sums = sums.join(more, on="cluster", how="left", maintain_order="left")
        # Objects of one post are one act: the tail counts as many acts as there are posts.
        frames.append(sums.with_columns(pl.col("log_p") * pl.col("acts")))
    best = pl.concat(frames).sort("log_p", "timing_trace").group_by("cluster", maintain_order=True).first()
    # The least of several tails is taken, so each counts as often as there are.
    return best.with_columns(nominal_p=(pl.col("log_p").exp() * len(parts)).clip(0, 1))


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
            if all(abs(at - other) >= APART_MS for other in times):
                times.append(at)
            if len(times) == GATHERINGS:
                least = n
                break
        rows.append((cluster, least))
    return pl.DataFrame(rows, schema={"cluster": pl.UInt32, "n_gathered": COUNT}, orient="row")


def _shares(inputs: ClusterInputs) -> pl.DataFrame:
    posts = inputs.shares.group_by("account_id", "content_id").agg(co=pl.col("n_fellows").max() > 0)
    posts = posts.join(inputs.members, on="account_id")
    return posts.group_by("cluster").agg(n_shares=pl.len().cast(COUNT), co_shared=pl.col("co").mean())


def _posts(inputs: ClusterInputs) -> pl.DataFrame:
    posts = inputs.posts.join(inputs.members, on="account_id")
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


def _sites(inputs: ClusterInputs) -> pl.DataFrame:
    schema: dict[str, Any] = {
        "cluster": pl.UInt32, "n_sites": COUNT, "site_gini": pl.Float64, "top_site": pl.String,
        "top_site_share": pl.Float64, "n_links": COUNT,
    }  # fmt: skip
    links = inputs.links.join(inputs.members, on="account_id")
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


def _creation(inputs: ClusterInputs) -> pl.DataFrame:
    known = inputs.members.join(
        inputs.accounts.select("account_id", "created_at"), on="account_id"
    ).drop_nulls("created_at")
    rows = [
        (cluster, shortest_half(part["created_at"].dt.timestamp("ms").to_numpy()) / 1000, part.height)
        for (cluster,), part in known.partition_by("cluster", as_dict=True, maintain_order=True).items()
    ]
    schema: dict[str, Any] = {"cluster": pl.UInt32, "creation_spread_s": pl.Float64, "n_created": COUNT}
    return pl.DataFrame(rows, schema=schema, orient="row")
