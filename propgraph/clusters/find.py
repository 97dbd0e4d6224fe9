"""From edges to clusters: communities, their core, their figures, their flags, their evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from propgraph.arrays.encoding import groups_of
from propgraph.arrays.incidence import Incidence, incidence
from propgraph.arrays.types import Progress
from propgraph.clusters.flags import SYNCHRONISED, Baseline, evidence_posts, judge
from propgraph.clusters.measure import (
    ClusterInputs,
    core_members,
    edges_inside,
    measure_clusters,
    measure_members,
    once,
)
from propgraph.clusters.sampled import Sampled, sampling, told_of_bursts
from propgraph.clusters.timing import Timing, timings_of
from propgraph.communities import detect_communities, detect_multiplex
from propgraph.cosharing.rows import FAST_MS
from propgraph.networks import join_traces, to_igraph, with_pairs
from propgraph.readers.fineness import RESOLUTION
from propgraph.schema import ACCOUNT_SCORES, CLUSTERS, EVIDENCE, MEMBERS, NETWORK, SECONDS, SYNCHRONY
from propgraph.study import Study
from propgraph.synchrony.joint import Joint, grow_groups, joint_synchrony, merge_groups, near_posts, scores_of
from propgraph.synchrony.pairs import NEIGHBOURS, PreparedShares

EVIDENCE_KINDS = ("both", "synchrony", "window")

NO_GROUPS = pl.DataFrame(schema={"account_id": pl.String, "community": pl.UInt32, "joined": pl.Boolean})
NO_STANDING = pl.DataFrame(schema={"account_id": pl.String, "synchrony": pl.Float64, "q_value": pl.Float64})
NO_MEMBERS = pl.DataFrame(schema={"account_id": pl.String, "cluster": pl.UInt32})
_SHOWN_PAIRS, _SHOWN_MEETINGS = 4, 3
_WINDOW_WORTH = 10.0  # orders of magnitude, at most: the window's bound is nominal


@dataclass(frozen=True)
class ClusterTables:
    """The tables that `find` makes for a study, named as there, and all its links for what comes after.

    `links` has `site, url, account_id, content_id, timestamp, time_resolution_s`, one row a post and URL; `n_tests`
    tells how many pairs could have been found synchronised in each trace, `ties` what ties were sampled (see `Joint`).
    """

    members: pl.DataFrame
    clusters: pl.DataFrame
    evidence: pl.DataFrame
    synchrony: pl.DataFrame
    network: pl.DataFrame
    account_scores: pl.DataFrame
    links: pl.DataFrame
    n_tests: dict[str, float]
    ties: dict[str, dict[str, int]]


@dataclass(frozen=True)
class ClusterOptions:
    """How clusters are looked for; see `jobs.clusters.find_clusters`."""

    evidence: str = "both"
    q: float = 0.05
    neighbours: int = NEIGHBOURS
    multiplex: bool = False
    objective: str = "modularity"
    resolution: float = 1.0
    partition: str | None = None
    seed: int = 0
    min_size: int = 3


def find(
    study: Study,
    /,
    *,
    traces: list[str],
    time_window: float,
    choices: ClusterOptions,
    min_score: float,
    threads: int,
    progress: Progress | None = None,
) -> ClusterTables:
    """Return the clusters of a study; see `jobs.clusters.find_clusters` for the parameters."""
    tell = progress or (lambda _label, _done: None)
    window_ms = round(time_window * 1000)
    links = links_of(study)
    edges = join_traces(_edges_of(study, traces))
    logs, shares = logs_of(study, traces)
    built = study.run["build"]
    sampled = None
    if told_of_bursts(built):
        sampled = sampling(built["parameters"], logs, window_ms=window_ms, seed=choices.seed)
    joint, groups, standing = _synchronised(
        logs, edges, choices, sampled=sampled, threads=threads, progress=progress
    )
    tell("communities", 0.0)
    in_window = window_clusters(logs, edges, groups, choices=choices, window_ms=window_ms, sampled=sampled)
    members = number_clusters(groups, in_window)
    scores = scores_of(joint.network, standing)
    if members.is_empty():
        scores = _with_clusters(scores, MEMBERS.empty(), CLUSTERS.empty())
        nothing = (MEMBERS.empty(), CLUSTERS.empty(), EVIDENCE.empty())
        return ClusterTables(
            *nothing, joint.synchrony, joint.network, scores, links, joint.n_tests, joint.ties
        )
    tell("communities", 0.5)
    timing = _timing(logs, members, window_ms)
    material = _material(
        study, members, edges=with_pairs(edges, joint.network), shares=shares, links=links, timing=timing
    )
    # The synchronised pairs of which both are in one cluster, the surest first.
    inside = edges_inside(joint.network.filter("synchronised"), members).sort(
        "cluster", "p_value", "source", "target"
    )
    table = _with_synchrony(_with_context(measure_clusters(material), material, links), members, inside)
    baseline = _baseline(study, members, links, time_window=time_window, choices=choices)
    shown = _shown(joint, inside, shares)
    members, clusters, evidence = _judged(table, material, baseline, min_score, shown=shown)
    scores = _with_clusters(scores, members, clusters)
    tell("communities", 1.0)
    return ClusterTables(
        members, clusters, evidence, joint.synchrony, joint.network, scores, links, joint.n_tests, joint.ties
    )


def _synchronised(
    logs: dict[str, Incidence],
    edges: pl.DataFrame,
    choices: ClusterOptions,
    *,
    sampled: Sampled | None,
    threads: int,
    progress: Progress | None,
) -> tuple[Joint, pl.DataFrame, pl.DataFrame]:
    """Return what ranks say, the groups of synchronised accounts, and how near each account stands to them."""
    if choices.evidence == "window":
        joint = Joint({}, SYNCHRONY.empty(), NETWORK.empty(), {}, {})
        return joint, NO_GROUPS.clear(), NO_STANDING.clear()
    joint = joint_synchrony(
        logs, edges, q=choices.q, neighbours=choices.neighbours, seed=choices.seed, threads=threads,
        progress=progress,
    )  # fmt: skip
    groups, standing = grown_groups(
        joint.prepared,
        joint.network,
        joint.synchrony,
        edges=edges,
        choices=choices,
        sampled=sampled,
        threads=threads,
    )
    return joint, groups, standing


def grown_groups(
    prepared: Mapping[str, PreparedShares],
    network: pl.DataFrame,
    traced: pl.DataFrame,
    /,
    *,
    edges: pl.DataFrame,
    choices: ClusterOptions,
    sampled: Sampled | None = None,
    threads: int,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the groups of synchronised accounts as from `grow_groups`, and how near each account stands to them.

    Parameters
    ----------
    prepared
        The shares of each trace.
    network, traced
        `source, target, synchrony, synchronised` over all traces; `trace, source, target, synchrony` in each.
    edges
        `source, target`: who co-shared in the window.
    choices
        How groups are looked for.
    sampled
        The shares behind the edges, where these are a sample in bursts.
    threads
        At most so many at once.
    """
    pairs = network.filter("synchronised").select("source", "target", weight="synchrony")
    if choices.multiplex:
        # The joint network says which pairs; the traces, in which layers and how surely.
        layers = (
            traced.join(pairs, on=["source", "target"], how="semi", maintain_order="left")
            .filter(pl.col("synchrony") > 0)
            .select("trace", "source", "target", weight="synchrony")
        )
        found = detect_multiplex(layers, **_leiden(choices), min_size=2)
    else:
        found = _communities(pairs, choices, min_size=2)
    if found.is_empty():
        return NO_GROUPS.clear(), NO_STANDING.clear()
    crews = [_of_one_crew(found, edges)]
    if sampled is not None:
        crews.append(sampled.of_one_crew(found, edges))
    found = merge_groups(found, pl.concat(crews))
    groups, standing = grow_groups(prepared, found, q=choices.q, threads=threads)
    return groups.filter(pl.len().over("community") >= choices.min_size), standing


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


def _communities(edges: pl.DataFrame, choices: ClusterOptions, *, min_size: int) -> pl.DataFrame:
    return detect_communities(to_igraph(edges), **_leiden(choices), min_size=min_size)


def _leiden(choices: ClusterOptions) -> dict[str, Any]:
    return {name: getattr(choices, name) for name in ("objective", "resolution", "partition", "seed")}


def window_clusters(
    logs: dict[str, Incidence],
    edges: pl.DataFrame,
    groups: pl.DataFrame,
    /,
    *,
    choices: ClusterOptions,
    window_ms: int,
    sampled: Sampled | None = None,
) -> pl.DataFrame:
    """Return the communities of the window's edges among the accounts that are in no group yet, their core."""
    if choices.evidence == "synchrony":
        return NO_MEMBERS.clear()
    left = edges
    for end in ("source", "target"):
        left = left.join(groups, left_on=end, right_on="account_id", how="anti", maintain_order="left")
    left = left.select("source", "target", "weight")
    if sampled is None:
        found = _communities(left, choices, min_size=choices.min_size)
    else:
        found = _of_bursts(left, choices, sampled)
    if found.is_empty():
        return NO_MEMBERS.clear()
    members = found.rename({"community": "cluster"})
    labels = {trace: log.accounts for trace, log in logs.items()}
    return core_members(_timing(logs, members, window_ms), labels, min_size=choices.min_size)


def _of_bursts(edges: pl.DataFrame, choices: ClusterOptions, sampled: Sampled) -> pl.DataFrame:
    """Return communities where pairs in bursts are a sample: first those of whole edges, then of all others'.

    A sample would tear a crew that met elsewhere, too, apart, and scatter it among the crowd of a burst.
    """
    first = _communities(sampled.met_outside(edges), choices, min_size=choices.min_size)
    rest = edges
    for end in ("source", "target"):
        rest = rest.join(first, left_on=end, right_on="account_id", how="anti", maintain_order="left")
    second = _communities(rest, choices, min_size=choices.min_size)
    n_first = first["community"].n_unique()
    found = pl.concat([first, second.with_columns(pl.col("community") + n_first)])
    return merge_groups(found, sampled.parts_of_one(found, edges))


def number_clusters(groups: pl.DataFrame, in_window: pl.DataFrame, /) -> pl.DataFrame:
    """Return all members with the number of their cluster and why they are in it."""
    why = pl.when("joined").then(pl.lit("group")).otherwise(pl.lit("pairs"))
    first = groups.select("account_id", cluster=pl.col("community").rank("dense") - 1, evidence=why)
    n_groups = first["cluster"].n_unique()
    rest = in_window.select("account_id", cluster=pl.col("cluster") + n_groups, evidence=pl.lit("window"))
    return pl.concat([first.cast({"cluster": pl.UInt32}), rest.cast({"cluster": pl.UInt32})])


def _with_synchrony(table: pl.DataFrame, members: pl.DataFrame, inside: pl.DataFrame) -> pl.DataFrame:
    """Add what each cluster was found by, and how many of its pairs and members are synchronised."""
    ends = pl.concat([inside.select("cluster", account_id=end) for end in ("source", "target")]).unique()
    joined = members.filter(pl.col("evidence") == "group").select("cluster", "account_id")
    tied = pl.concat([ends, joined]).unique().group_by("cluster").len("n_tied")
    pairs = inside.group_by("cluster").agg(n_synchronised=pl.len(), best_p=pl.col("p_value").min())
    found_by = (
        pl.when((pl.col("evidence") == "window").all()).then(pl.lit("window")).otherwise(pl.lit("synchrony"))
    )
    table = table.join(members.group_by("cluster").agg(evidence=found_by), on="cluster", how="left")
    for part in (pairs, tied):
        table = table.join(part, on="cluster", how="left", maintain_order="left")
    return table.with_columns(pl.col("n_synchronised", "n_tied").fill_null(0)).with_columns(
        synchronised_share=pl.col("n_tied") / pl.col("n_accounts")
    )


def _shown(joint: Joint, inside: pl.DataFrame, shares: dict[str, pl.DataFrame]) -> dict[int, list[str]]:
    """Return for each cluster the posts that show best that its members are synchronised."""
    pairs = inside.group_by("cluster", maintain_order=True).head(_SHOWN_PAIRS)
    posts = (
        near_posts(joint.prepared, pairs.select("source", "target"))
        .group_by("source", "target", maintain_order=True)
        .head(_SHOWN_MEETINGS)
        .join(pairs.select("source", "target", "cluster"), on=["source", "target"], maintain_order="left")
    )
    shown: dict[int, list[str]] = {cluster: [] for cluster in pairs["cluster"].unique().to_list()}
    for cluster, trace, *rows in posts.select("cluster", "trace", "source_row", "target_row").iter_rows():
        shown[cluster] += shares[trace]["content_id"].gather(rows).to_list()
    return {cluster: list(dict.fromkeys(ids)) for cluster, ids in shown.items()}


def _with_clusters(scores: pl.DataFrame, members: pl.DataFrame, clusters: pl.DataFrame) -> pl.DataFrame:
    """Return `account_scores`: how strongly each account is tied to others, and what cluster it is in.

    Where the window alone speaks for a flagged cluster, the bound on its probability counts, up to a limit.
    """
    surely = -pl.col("p_value").fill_null(1.0).clip(1e-300).log10()
    of = clusters.select("cluster_id", "flagged", worth=surely.clip(0, _WINDOW_WORTH))
    inside = members.select("account_id", "cluster_id", "evidence").join(of, on="cluster_id")
    both = scores.join(inside, on="account_id", how="full", coalesce=True).with_columns(
        pl.col("score").fill_null(0.0),
        pl.col("q_value").fill_null(1.0),
        pl.col("n_partners").fill_null(0),
        pl.col("flagged").fill_null(False),
    )
    by_window = pl.col("flagged") & (pl.col("evidence") == "window")
    total = pl.col("score") + pl.when(by_window).then("worth").otherwise(0.0)
    return ACCOUNT_SCORES.conform(both.with_columns(score=total).select(*ACCOUNT_SCORES.columns)).sort(
        "account_id"
    )


def links_of(study: Study, /) -> pl.DataFrame:
    """Return all links: `site, url, account_id, content_id, timestamp, time_resolution_s`; empty without any."""
    trace = next((t for t in ("url", "domain") if _has(study, t)), None)
    shares = with_resolution(study, "shares").filter(pl.col("trace") == (trace or ""))
    sites = study.scan("objects").filter(pl.col("trace") == (trace or "")).select("object_id", "site")
    return (
        shares.join(sites, on="object_id", how="left")
        .select("site", "account_id", "content_id", "timestamp", RESOLUTION, url="object_id")
        .drop_nulls("site")
        .collect()
    )


def _has(study: Study, trace: str) -> bool:
    return not study.scan("objects").filter(pl.col("trace") == trace).head(1).collect().is_empty()


def _edges_of(study: Study, traces: list[str]) -> pl.DataFrame:
    edges = study.scan("edges").filter(pl.col("trace").is_in(traces)).collect()
    if RESOLUTION in study.scan("shares").collect_schema().names():
        return edges
    # An earlier version told what was fast by coarse times, too.
    coarse = (study.run["build"].get(RESOLUTION) or 0.0) * 1000 > FAST_MS
    return edges.with_columns(fast_share=None) if coarse else edges


def logs_of(study: Study, traces: list[str], /) -> tuple[dict[str, Incidence], dict[str, pl.DataFrame]]:
    """Return the shares of each trace, as arrays and as rows."""
    table = with_resolution(study, "shares")
    shares = {
        trace: table.filter(pl.col("trace") == trace)
        .select("account_id", "object_id", "content_id", "timestamp", RESOLUTION, "trace")
        .collect()
        for trace in traces
    }
    return {trace: incidence(part) for trace, part in shares.items()}, shares


def with_resolution(study: Study, name: str, /) -> pl.LazyFrame:
    """Return a table of posts or shares with how fine their times are; before, a study had one number for all."""
    table = study.scan(name)
    if RESOLUTION in table.collect_schema().names():
        return table
    known = study.run.get("build", {}).get(RESOLUTION)
    return table.with_columns(pl.lit(known, SECONDS).alias(RESOLUTION))


def _timing(logs: dict[str, Incidence], members: pl.DataFrame, window_ms: int) -> dict[str, list[Timing]]:
    timing = {}
    for trace, log in logs.items():
        cluster = groups_of(log.accounts, members["account_id"], members["cluster"])
        timing[trace] = timings_of(log, cluster, window_ms=window_ms)
    return timing


def _material(
    study: Study,
    members: pl.DataFrame,
    *,
    edges: pl.DataFrame,
    shares: dict[str, pl.DataFrame],
    links: pl.DataFrame,
    timing: dict[str, list[Timing]],
) -> ClusterInputs:
    ids = members.select("account_id").lazy()
    mine = pl.concat(
        [
            shares[trace][part.shares["row"]].with_columns(part.shares["n_fellows"])
            for trace, parts in timing.items()
            for part in parts
        ]
    )
    posts = (
        with_resolution(study, "posts")
        .join(ids, on="account_id", how="semi")
        .select(
            "account_id",
            "content_id",
            "timestamp",
            RESOLUTION,
            "kind",
            "target_id",
            "origin_account_id",
            "parent_content_id",
        )
        .collect()
    )
    return ClusterInputs(
        members=members,
        edges=edges,
        shares=mine,
        posts=_with_origins(study, posts).unique(
            ["content_id", "target_id"], keep="first", maintain_order=True
        ),
        links=links.lazy()
        .join(ids, on="account_id", how="semi")
        .select("account_id", "content_id", "site")
        .collect(),
        accounts=study.scan("accounts").join(ids, on="account_id", how="semi").collect(),
        timing=timing,
    )


def _with_origins(study: Study, posts: pl.DataFrame) -> pl.DataFrame:
    """Fill in whose post was reshared, quoted or replied to, where the log has that post."""
    parents = posts.lazy().select(content_id="parent_content_id").drop_nulls().unique()
    authors = (
        study.scan("posts").select("content_id", "account_id").join(parents, on="content_id", how="semi")
    )
    authors = authors.unique("content_id", keep="any").rename(
        {"content_id": "parent_content_id", "account_id": "author"}
    )
    return (
        posts.join(authors.collect(), on="parent_content_id", how="left", maintain_order="left")
        .with_columns(origin_account_id=pl.coalesce("origin_account_id", "author"))
        .drop("author", "parent_content_id")
    )


def _with_context(table: pl.DataFrame, material: ClusterInputs, links: pl.DataFrame) -> pl.DataFrame:
    """Add what tells innocent readings, all 0..1 and all about the posts over which members met, in any trace.

    `met_site_share`: the part of those posts that links to the site to which most of them do;
    `met_site_inside`: the members' part of all links to that site; `met_site_all`: that site's part of all
    links in the log; `met_origin_share`: the part of the posts that goes back to one account outside the
    cluster.
    """
    met = material.shares.filter(pl.col("n_fellows") > 0).select("account_id", "content_id").unique()
    met = met.join(material.members.select("account_id", "cluster"), on="account_id")
    n_met = met.group_by("cluster").len("n_met")
    for part in (_met_sites(material, links, met), _met_origins(material, met)):
        # A post without a link, or of nobody else's, was met over too: parts are of all of them.
        shares = part.join(n_met, on="cluster").with_columns(pl.col("^met_.*_share$") / pl.col("n_met"))
        table = table.join(shares.drop("n_met"), on="cluster", how="left", maintain_order="left")
    return table


def _met_sites(material: ClusterInputs, links: pl.DataFrame, met: pl.DataFrame) -> pl.DataFrame:
    """Return the posts met over that link to the site of most of them, and how much of that site is theirs."""
    mine = material.links.join(material.members, on="account_id")
    counts = (
        mine.join(met, on=["account_id", "content_id"], how="semi")
        # Two links to one site are one post.
        .unique(["account_id", "content_id", "site"])
        .group_by("cluster", "site")
        .len("met")
    )
    top = counts.sort(["cluster", "met", "site"], descending=[False, True, False])
    top = top.unique("cluster", keep="first", maintain_order=True)
    return (
        top.join(mine.group_by("cluster", "site").len("own"), on=["cluster", "site"], how="left")
        .join(links.group_by("site").len("all"), on="site", how="left")
        .select(
            "cluster",
            met_site_share="met",
            met_site_inside=pl.col("own") / pl.col("all"),
            met_site_all=pl.col("all") / max(links.height, 1),
        )
    )


def _met_origins(material: ClusterInputs, met: pl.DataFrame) -> pl.DataFrame:
    """Return the posts met over that go back to the one account outside of which most of them are."""
    fellows = material.members.select("cluster", origin="account_id")
    return (
        once(material.posts)
        .join(met, on=["account_id", "content_id"])
        .drop_nulls("origin_account_id")
        .group_by("cluster", origin="origin_account_id")
        .len("met")
        .join(fellows, on=["cluster", "origin"], how="anti")
        .group_by("cluster")
        .agg(met_origin_share=pl.col("met").max())
    )


def _baseline(
    study: Study,
    members: pl.DataFrame,
    links: pl.DataFrame,
    *,
    time_window: float,
    choices: ClusterOptions,
) -> Baseline:
    others = study.scan("posts").join(members.lazy(), on="account_id", how="anti")
    original = others.unique("content_id").select((pl.col("kind") == "original").mean()).collect().item()
    groups = others.drop_nulls("target_id").group_by("account_id").agg(n=pl.col("target_id").n_unique())
    created = (
        study.scan("accounts")
        .select(pl.col("created_at").dt.timestamp("ms"))
        .drop_nulls()
        .collect()
        .to_series()
    )
    return Baseline(
        original_share=original,
        typical_targets=groups.select(pl.col("n").median()).collect().item(),
        created_ms=created.sort().to_numpy(),
        site_share=_site_shares(links),
        window_s=time_window,
        q=choices.q,
        seed=choices.seed,
    )


def _site_shares(links: pl.DataFrame) -> dict[str, float]:
    counts = links.group_by("site").len()
    return {site: n / links.height for site, n in counts.iter_rows()}


def _judged(
    table: pl.DataFrame,
    material: ClusterInputs,
    baseline: Baseline,
    min_score: float,
    *,
    shown: dict[int, list[str]],
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    first = material.members.group_by("cluster").agg(first=pl.col("account_id").min())
    rows = table.join(first, on="cluster").sort("cluster").to_dicts()
    judged = [(row, *judge(row, baseline)) for row in rows]
    judged.sort(key=lambda one: (-round(one[1], 12), -one[0]["n_accounts"], one[0]["first"]))
    ids = {row["cluster"]: f"c{k}" for k, (row, *_) in enumerate(judged, 1)}
    posts = _posts_for_evidence(material, table).partition_by("cluster", as_dict=True)
    clusters, evidence = [], []
    for row, score, findings, readings in judged:
        name = ids[row["cluster"]]
        clusters.append(
            {column: row.get(column) for column in CLUSTERS.columns}
            | {"cluster_id": name, "score": score, "flagged": score >= min_score,
               "flags": [finding.rule for finding in findings], "innocent": readings}
        )  # fmt: skip
        evidence += [
            {"subject_type": "cluster", "subject_id": name, "rule": finding.rule, "value": finding.value,
             "threshold": finding.threshold, "expected": finding.expected, "sentence": finding.sentence,
             "content_ids": shown[row["cluster"]] if finding.rule == SYNCHRONISED
             else evidence_posts(finding.rule, posts[(row["cluster"],)], trace=row["timing_trace"])}
            for finding in findings
        ]  # fmt: skip
    members = measure_members(material).with_columns(
        cluster_id=pl.col("cluster").replace_strict(ids, return_dtype=pl.String), stability=None
    )
    order = {name: k for k, name in enumerate(ids.values())}
    by_cluster = pl.col("cluster_id").replace_strict(order, return_dtype=pl.UInt32)
    return (
        MEMBERS.conform(members.sort(by_cluster, "account_id").select(*MEMBERS.columns)),
        CLUSTERS.conform(pl.DataFrame(clusters, schema=CLUSTERS.dtypes)),
        EVIDENCE.conform(pl.DataFrame(evidence, schema=EVIDENCE.dtypes)),
    )


def _posts_for_evidence(material: ClusterInputs, table: pl.DataFrame) -> pl.DataFrame:
    """Return the members' posts with `cluster` and what `flags.evidence_posts` asks for."""
    links = material.links.join(material.members, on="account_id")
    top = table.select("cluster", site="top_site")
    on_top = links.join(top, on=["cluster", "site"], how="semi").select(
        "content_id", is_top_site=pl.lit(True)
    )
    return (
        material.posts.join(material.members, on="account_id")
        .join(material.accounts.select("account_id", "created_at"), on="account_id", how="left")
        .join(on_top.unique(), on="content_id", how="left")
        .join(
            material.shares.select("account_id", "content_id", "trace", "object_id", "n_fellows"),
            on=["account_id", "content_id"],
            how="left",
        )
        .with_columns(pl.col("is_top_site").fill_null(False))
    )
