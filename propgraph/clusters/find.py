"""From edges to clusters: communities, their core, their figures, their flags, their evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from propgraph.clusters.flags import Baseline, evidence_posts, judge
from propgraph.clusters.measure import Material, core_members, measure_clusters, measure_members, once
from propgraph.clusters.synchrony import Synchrony, synchrony
from propgraph.communities import detect_communities
from propgraph.cosharing.incidence import Incidence, incidence
from propgraph.encoding import codes_in
from propgraph.networks import join_traces, to_igraph
from propgraph.schema import CLUSTERS, EVIDENCE, MEMBERS
from propgraph.study import Study

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Found:
    """The tables `members`, `clusters` and `evidence` of a study, and all its links for what comes after.

    `links` has `site, url, account_id, content_id, timestamp`, one row a post and URL.
    """

    members: pl.DataFrame
    clusters: pl.DataFrame
    evidence: pl.DataFrame
    links: pl.DataFrame


def find(
    study: Study,
    /,
    *,
    traces: list[str],
    time_window: float,
    objective: str,
    resolution: float,
    partition: str | None,
    seed: int,
    min_size: int,
    min_score: float,
    progress: Progress | None = None,
) -> Found:
    """Return the clusters of a study; see `pipeline.find_clusters` for the parameters."""
    tell = progress or (lambda _label, _done: None)
    window_ms = round(time_window * 1000)
    links = links_of(study)
    edges = join_traces(study.scan("edges").filter(pl.col("trace").is_in(traces)).collect())
    tell("communities", 0.0)
    communities = detect_communities(
        to_igraph(edges.select("source", "target", "weight")),
        objective=objective, resolution=resolution, partition=partition, seed=seed, min_size=min_size,
    )  # fmt: skip
    if communities.is_empty():
        return Found(MEMBERS.empty(), CLUSTERS.empty(), EVIDENCE.empty(), links)
    tell("communities", 0.4)
    logs, shares = _logs(study, traces)
    members = communities.rename({"community": "cluster"})
    timing = _timing(logs, members, window_ms)
    labels = {trace: log.accounts for trace, log in logs.items()}
    members = core_members(timing, labels, min_size=min_size)
    timing = _timing(logs, members, window_ms)
    tell("communities", 0.7)
    material = _material(study, members, edges=edges, shares=shares, links=links, timing=timing)
    table = _with_context(measure_clusters(material), material, links)
    baseline = _baseline(study, members, links, time_window=time_window, seed=seed)
    found = _judged(table, material, baseline, min_score)
    tell("communities", 1.0)
    return Found(*found, links)


def links_of(study: Study, /) -> pl.DataFrame:
    """Return all links of a study: `site, url, account_id, content_id, timestamp`; empty without any."""
    trace = next((t for t in ("url", "domain") if _has(study, t)), None)
    shares = study.scan("shares").filter(pl.col("trace") == (trace or ""))
    sites = study.scan("objects").filter(pl.col("trace") == (trace or "")).select("object_id", "site")
    return (
        shares.join(sites, on="object_id", how="left")
        .select("site", "account_id", "content_id", "timestamp", url="object_id")
        .drop_nulls("site")
        .collect()
    )


def _has(study: Study, trace: str) -> bool:
    return not study.scan("objects").filter(pl.col("trace") == trace).head(1).collect().is_empty()


def _logs(study: Study, traces: list[str]) -> tuple[dict[str, Incidence], dict[str, pl.DataFrame]]:
    shares = {
        trace: study.scan("shares")
        .filter(pl.col("trace") == trace)
        .select("account_id", "object_id", "content_id", "timestamp", "trace")
        .collect()
        for trace in traces
    }
    return {trace: incidence(part) for trace, part in shares.items()}, shares


def _timing(logs: dict[str, Incidence], members: pl.DataFrame, window_ms: int) -> dict[str, Synchrony]:
    timing = {}
    for trace, log in logs.items():
        cluster = np.full(len(log.accounts), -1, np.int64)
        code = codes_in(members["account_id"], log.accounts)
        cluster[code[code >= 0]] = members["cluster"].to_numpy()[code >= 0]
        timing[trace] = synchrony(log, cluster, window_ms=window_ms)
    return timing


def _material(
    study: Study,
    members: pl.DataFrame,
    *,
    edges: pl.DataFrame,
    shares: dict[str, pl.DataFrame],
    links: pl.DataFrame,
    timing: dict[str, Synchrony],
) -> Material:
    ids = members.select("account_id").lazy()
    mine = pl.concat(
        [
            shares[trace][part.shares["row"]].with_columns(part.shares["n_fellows"])
            for trace, part in timing.items()
        ]
    )
    posts = (
        study.scan("posts")
        .join(ids, on="account_id", how="semi")
        .select(
            "account_id",
            "content_id",
            "timestamp",
            "kind",
            "target_id",
            "origin_account_id",
            "parent_content_id",
        )
        .collect()
    )
    return Material(
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


def _with_context(table: pl.DataFrame, material: Material, links: pl.DataFrame) -> pl.DataFrame:
    """Add what tells innocent readings, all 0..1 and all about the posts over which members met.

    `met_site_share`: the part of their links that leads to the site met over most; `met_site_inside`: the
    members' part of all links to that site; `met_site_all`: that site's part of all links in the log;
    `met_origin_share`: the part of the posts that goes back to one account outside the cluster.
    """
    met = material.shares.filter(pl.col("n_fellows") > 0).select("content_id").unique()
    for part in (_met_sites(material, links, met), _met_origins(material, met)):
        table = table.join(part, on="cluster", how="left", maintain_order="left")
    return table


def _met_sites(material: Material, links: pl.DataFrame, met: pl.DataFrame) -> pl.DataFrame:
    mine = material.links.join(material.members, on="account_id")
    counts = mine.join(met, on="content_id", how="semi").group_by("cluster", "site").len("met")
    counts = counts.with_columns(met_site_share=pl.col("met") / pl.col("met").sum().over("cluster"))
    top = counts.sort(["cluster", "met", "site"], descending=[False, True, False])
    top = top.unique("cluster", keep="first", maintain_order=True)
    return (
        top.join(mine.group_by("cluster", "site").len("own"), on=["cluster", "site"], how="left")
        .join(links.group_by("site").len("all"), on="site", how="left")
        .select(
            "cluster",
            "met_site_share",
            met_site_inside=pl.col("own") / pl.col("all"),
            met_site_all=pl.col("all") / max(links.height, 1),
        )
    )


def _met_origins(material: Material, met: pl.DataFrame) -> pl.DataFrame:
    posts = (
        once(material.posts).join(met, on="content_id", how="semi").join(material.members, on="account_id")
    )
    fellows = material.members.rename({"account_id": "origin"})
    counts = posts.drop_nulls("origin_account_id").group_by("cluster", origin="origin_account_id").len()
    top = (
        counts.join(fellows, on=["cluster", "origin"], how="anti")
        .group_by("cluster")
        .agg(pl.col("len").max())
    )
    n_met = posts.group_by("cluster").len("met")
    return n_met.join(top, on="cluster").select("cluster", met_origin_share=pl.col("len") / pl.col("met"))


def _baseline(
    study: Study, members: pl.DataFrame, links: pl.DataFrame, *, time_window: float, seed: int
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
        seed=seed,
    )


def _site_shares(links: pl.DataFrame) -> dict[str, float]:
    counts = links.group_by("site").len()
    return {site: n / links.height for site, n in counts.iter_rows()}


def _judged(
    table: pl.DataFrame, material: Material, baseline: Baseline, min_score: float
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
             "content_ids": evidence_posts(finding.rule, posts[(row["cluster"],)], trace=row["timing_trace"])}
            for finding in findings
        ]  # fmt: skip
    members = measure_members(material).with_columns(
        cluster_id=pl.col("cluster").replace_strict(ids, return_dtype=pl.String)
    )
    order = {name: k for k, name in enumerate(ids.values())}
    by_cluster = pl.col("cluster_id").replace_strict(order, return_dtype=pl.UInt32)
    return (
        MEMBERS.conform(members.sort(by_cluster, "account_id").select(*MEMBERS.columns)),
        CLUSTERS.conform(pl.DataFrame(clusters, schema=CLUSTERS.dtypes)),
        EVIDENCE.conform(pl.DataFrame(evidence, schema=EVIDENCE.dtypes)),
    )


def _posts_for_evidence(material: Material, table: pl.DataFrame) -> pl.DataFrame:
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
