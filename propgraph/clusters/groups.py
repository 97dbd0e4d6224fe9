"""Which accounts belong together: synchronised groups grown, communities of the window's edges, and their numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from propgraph.arrays.incidence import Incidence
from propgraph.arrays.p_values import false_discovery_rate
from propgraph.clusters.inputs import timing_by_trace
from propgraph.clusters.sampled import Sampled
from propgraph.clusters.timing import Timing
from propgraph.communities import detect_communities, detect_multiplex
from propgraph.crews.found import Crews
from propgraph.networks import to_igraph, without_accounts
from propgraph.options import ClusterOptions
from propgraph.synchrony.growth import grow_groups, half_in_common, held_to_habits, merge_groups
from propgraph.synchrony.joint import Joint
from propgraph.synchrony.prepared import PreparedShares

NO_GROUPS = pl.DataFrame(schema={"account_id": pl.String, "community": pl.UInt32, "evidence": pl.String})
NO_STANDING = pl.DataFrame(schema={"account_id": pl.String, "synchrony": pl.Float64, "q_value": pl.Float64})
NO_MEMBERS = pl.DataFrame(schema={"account_id": pl.String, "cluster": pl.UInt32})


def synchronised_groups(
    *,
    joint: Joint,
    crews: Crews,
    edges: pl.DataFrame,
    sampled: Sampled | None,
    options: ClusterOptions,
    threads: int,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the groups of synchronised accounts, and how near each account stands to them; see `grown_groups`."""
    if options.evidence == "window":
        return NO_GROUPS.clear(), NO_STANDING.clear()
    return grown_groups(
        joint.prepared, joint.network, joint.synchrony, crews=crews.members, edges=edges, options=options,
        sampled=sampled, threads=threads,
    )  # fmt: skip


def grown_groups(
    prepared: Mapping[str, PreparedShares],
    network: pl.DataFrame,
    traced: pl.DataFrame,
    /,
    *,
    crews: pl.DataFrame,
    edges: pl.DataFrame,
    options: ClusterOptions,
    sampled: Sampled | None = None,
    threads: int,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the groups of synchronised accounts and crews, and how near each account stands to them.

    The groups are `account_id`, `community`, `evidence` (`pairs`, `crew` or `group`, as in `schema.MEMBERS`); the
    standing is as from `grow_groups`.

    Parameters
    ----------
    prepared
        The shares of each trace.
    network, traced
        `source, target, synchrony, synchronised` over all traces; `trace, source, target, synchrony` in each.
    crews
        `account_id`, `community` of the crews (see `propgraph.crews`).
    edges
        `source, target`: who co-shared in the window.
    options
        How groups are looked for.
    sampled
        The shares behind the edges, where these are a sample in bursts.
    threads
        At most so many at once.
    """
    pairs = network.filter("synchronised").select("source", "target", weight="synchrony")
    if options.multiplex:
        # The joint network says which pairs; the traces, in which layers and how surely.
        layers = (
            traced.join(pairs, on=["source", "target"], how="semi", maintain_order="left")
            .filter(pl.col("synchrony") > 0)
            .select("trace", "source", "target", weight="synchrony")
        )
        found = detect_multiplex(layers, **_leiden(options), min_size=2)
    else:
        found = _communities(ties_among(prepared, network, q=options.q, threads=threads), options, min_size=2)
    of_pairs = found["account_id"]
    found = with_crews(found, crews)
    if found.is_empty():
        return NO_GROUPS.clear(), NO_STANDING.clear()
    links = [_of_one_crew(found, edges)]
    if sampled is not None:
        links.append(sampled.of_one_crew(found, edges))
    found = merge_groups(found, pl.concat(links))
    groups, standing = grow_groups(prepared, found, q=options.q, threads=threads)
    why = (
        pl.when("joined")
        .then(pl.lit("group"))
        .when(pl.col("account_id").is_in(of_pairs.implode()))
        .then(pl.lit("pairs"))
        .otherwise(pl.lit("crew"))
    )
    kept = groups.filter(pl.len().over("community") >= options.min_size)
    return kept.select("account_id", "community", evidence=why), standing


def ties_among(
    prepared: Mapping[str, PreparedShares], network: pl.DataFrame, /, *, q: float, threads: int
) -> pl.DataFrame:
    """Return `source`, `target`, `weight`: synchronised pairs, and those that hold among the synchronised accounts.

    Who is synchronised is settled by the first. Whether two of these accounts belong together is another question,
    asked of far fewer pairs: a pair of them is a tie if its false discovery rate over the pairs of these accounts is at
    most `q`, by the larger p-value of both nulls. So a crew whose pairs stand out here and there is one group.

    Parameters
    ----------
    prepared
        The shares of each trace.
    network
        `source, target, synchrony, synchronised` of pairs that stand near each other.
    q
        False discovery rate, 0..1.
    threads
        At most so many at once.
    """
    sure = network.filter("synchronised")
    accounts = pl.concat([sure["source"], sure["target"]]).unique().implode()
    inside = pl.col("source").is_in(accounts) & pl.col("target").is_in(accounts)
    among = network.filter(inside & ~pl.col("synchronised"))
    ties = [sure.select("source", "target", weight="synchrony")]
    if not among.is_empty():
        p_habits = held_to_habits(prepared, among, threads=threads)
        both = among.with_columns(p=pl.max_horizontal(10 ** -pl.col("synchrony"), pl.Series(p_habits)))
        n = accounts[0].len() * (accounts[0].len() - 1) / 2
        sure_p = 10 ** -sure["synchrony"].to_numpy()
        rate = false_discovery_rate(np.concatenate([sure_p, both["p"].to_numpy()]), n_tests=n)[sure.height :]
        held = both.filter(pl.Series(rate <= q, dtype=pl.Boolean))
        ties.append(held.select("source", "target", weight=-pl.col("p").clip(1e-300).log10()))
    return pl.concat(ties).sort("source", "target")


def with_crews(groups: pl.DataFrame, crews: pl.DataFrame, /) -> pl.DataFrame:
    """Return the groups of synchronised pairs and the crews; those with half the members of one in common are one.

    Both have `account_id`, `community`; an account of both is in its group of pairs.
    """
    if crews.is_empty():
        return groups
    above = int(groups["community"].max() or 0) + 1 if groups.height else 0  # type: ignore[arg-type]
    crews = crews.select("account_id", community=(pl.col("community") + above).cast(pl.UInt32))
    both = pl.concat([groups, crews.join(groups, on="account_id", how="anti")])
    # A crew of which all members are in groups of pairs has no row left to be joined to.
    there = both.select(other=pl.col("community")).unique()
    links = half_in_common(groups, crews).join(there, on="other", how="semi")
    linked = merge_groups(both, links)
    return linked.sort("community", "account_id")


def habit_groups(network: pl.DataFrame, taken: pl.DataFrame, /, *, options: ClusterOptions) -> pl.DataFrame:
    """Return `account_id`, `cluster` of accounts in no cluster yet whose pairs stand out by their habits alone."""
    # By how they stand out if accounts are dealt: where habits explain a pair in full, its `synchrony` is 0.
    surely = -pl.col("p_value").clip(1e-300).log10()
    pairs = network.filter("by_habit").select("source", "target", weight=surely)
    found = _communities(without_accounts(pairs, taken), options, min_size=options.min_size)
    return found.rename({"community": "cluster"}).select("account_id", "cluster")


def _of_one_crew(groups: pl.DataFrame, edges: pl.DataFrame) -> pl.DataFrame:
    """Return `community`, `other`: half of all pairs between the two, or more, co-shared in the window.

    A tool that posts to its accounts in a list's order puts only neighbours in the list near each other in rank.
    """
    size = groups.group_by("community").len("size")
    return (
        edges.join(groups, left_on="source", right_on="account_id")
        .join(groups.rename({"community": "other"}), left_on="target", right_on="account_id")
        .filter(pl.col("community") != pl.col("other"))
        .group_by(pl.min_horizontal("community", "other"), other=pl.max_horizontal("community", "other"))
        .len("n")
        .join(size, on="community")
        .join(size.rename({"community": "other", "size": "size_other"}), on="other")
        .filter(pl.col("n") * 2 >= pl.col("size") * pl.col("size_other"))
        .select("community", "other")
    )


def _communities(edges: pl.DataFrame, options: ClusterOptions, *, min_size: int) -> pl.DataFrame:
    return detect_communities(to_igraph(edges), **_leiden(options), min_size=min_size)


def _leiden(options: ClusterOptions) -> dict[str, Any]:
    return {name: getattr(options, name) for name in ("objective", "resolution", "partition", "seed")}


def window_clusters(
    logs: dict[str, Incidence],
    edges: pl.DataFrame,
    groups: pl.DataFrame,
    /,
    *,
    options: ClusterOptions,
    window_ms: int,
    sampled: Sampled | None = None,
) -> pl.DataFrame:
    """Return the communities of the window's edges among the accounts that are in no group yet, their core."""
    if options.evidence == "synchrony":
        return NO_MEMBERS.clear()
    left = without_accounts(edges, groups).select("source", "target", "weight")
    if sampled is None:
        found = _communities(left, options, min_size=options.min_size)
    else:
        found = _of_bursts(left, options, sampled)
    if found.is_empty():
        return NO_MEMBERS.clear()
    return _core(logs, found, options=options, window_ms=window_ms)


def one_crowd_clusters(
    logs: Mapping[str, Incidence], edges: pl.DataFrame, /, *, options: ClusterOptions, window_ms: int
) -> pl.DataFrame:
    """Return the core of the communities of edges, of which those of one crew are joined: `account_id`, `cluster`."""
    found = _communities(edges.select("source", "target", "weight"), options, min_size=options.min_size)
    if found.is_empty():
        return NO_MEMBERS.clear()
    return _core(logs, merge_groups(found, _of_one_crew(found, edges)), options=options, window_ms=window_ms)


def _core(
    logs: Mapping[str, Incidence], found: pl.DataFrame, *, options: ClusterOptions, window_ms: int
) -> pl.DataFrame:
    """Return the core of communities (`account_id`, `community`); see `core_members`."""
    members = found.rename({"community": "cluster"})
    labels = {trace: log.accounts for trace, log in logs.items()}
    return core_members(
        timing_by_trace(logs, members, window_ms=window_ms), labels, min_size=options.min_size
    )


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


def _of_bursts(edges: pl.DataFrame, options: ClusterOptions, sampled: Sampled) -> pl.DataFrame:
    """Return communities where pairs in bursts are a sample: first those of whole edges, then of all others'.

    A sample would tear a crew that met elsewhere, too, apart, and scatter it among the crowd of a burst.
    """
    first = _communities(sampled.met_outside(edges), options, min_size=options.min_size)
    rest = without_accounts(edges, first)
    second = _communities(rest, options, min_size=options.min_size)
    n_first = first["community"].n_unique()
    found = pl.concat([first, second.with_columns(pl.col("community") + n_first)])
    return merge_groups(found, sampled.parts_of_one(found, edges))


def number_clusters(
    groups: pl.DataFrame,
    in_window: pl.DataFrame,
    by_habit: pl.DataFrame = NO_MEMBERS,
    /,
    *,
    relayed: pl.DataFrame = NO_MEMBERS,
    ordered: pl.DataFrame = NO_MEMBERS,
) -> pl.DataFrame:
    """Return all members with the number of their cluster and why they are in it."""
    parts = [groups.select("account_id", cluster=pl.col("community").rank("dense") - 1, evidence="evidence")]
    for why, part in (("relays", relayed), ("order", ordered), ("window", in_window), ("habits", by_habit)):
        n = sum(one["cluster"].n_unique() for one in parts)
        dense = pl.col("cluster").rank("dense") - 1 + n
        parts.append(part.select("account_id", cluster=dense, evidence=pl.lit(why)))
    return pl.concat([part.cast({"cluster": pl.UInt32}) for part in parts])
