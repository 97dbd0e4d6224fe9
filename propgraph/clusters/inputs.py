"""What the figures of clusters are made from, read from a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from propgraph.arrays.encoding import groups_of
from propgraph.arrays.incidence import Incidence, incidence
from propgraph.clusters.timing import Timing, timings_of
from propgraph.cosharing.rows import FAST_MS
from propgraph.readers.times.fineness import RESOLUTION
from propgraph.schema import SECONDS, SITE_FACTS
from propgraph.sites.copies import Copies
from propgraph.sites.figures import SiteInputs
from propgraph.sites.one_operator import reasons_of, seeders_of
from propgraph.sites.operators import Operators
from propgraph.study import Study


@dataclass(frozen=True)
class ClusterInputs:
    """All that the figures of clusters are made from.

    Attributes
    ----------
    members
        `account_id` (String), `cluster` (UInt32), `evidence` (why it is there, as in `schema.MEMBERS`),
        `time_window_s` (the window of the cluster).
    edges
        One row a pair of accounts (see `networks.join_traces`).
    shares
        `account_id, content_id, trace, object_id, timestamp, time_resolution_s` of the members, in the traces of the
        network, with `n_fellows` (fellow members' posts of the object within the window).
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


def links_of(study: Study, /) -> pl.DataFrame:
    """Return all links: `site, url, account_id, content_id, timestamp, time_resolution_s`; empty without any."""
    trace = trace_of_links(study)
    shares = with_resolution(study, "shares").filter(pl.col("trace") == (trace or ""))
    sites = study.scan("objects").filter(pl.col("trace") == (trace or "")).select("object_id", "site")
    return (
        shares.join(sites, on="object_id", how="left")
        .select("site", "account_id", "content_id", "timestamp", RESOLUTION, url="object_id")
        .drop_nulls("site")
        .collect()
    )


def trace_of_links(study: Study, /) -> str | None:
    """Return the trace in which links stand, None where there are none."""
    return next((t for t in ("url", "domain") if _has(study, t)), None)


def facts_of(study: Study, /) -> pl.DataFrame:
    """Return what the user's tables say of sites; empty where the study was built before there were any."""
    return study.site_facts if SITE_FACTS.name in study.tables else SITE_FACTS.empty()


def _has(study: Study, trace: str) -> bool:
    return not study.scan("objects").filter(pl.col("trace") == trace).head(1).collect().is_empty()


def edges_of(study: Study, traces: list[str], /) -> pl.DataFrame:
    """Return the edges of these traces, a row a trace and pair."""
    edges = study.scan("edges").filter(pl.col("trace").is_in(traces)).collect()
    if RESOLUTION in study.scan("shares").collect_schema().names():
        return edges
    # An earlier version counted pairs of coarse times as fast, too.
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


def timing_by_trace(
    logs: Mapping[str, Incidence], members: pl.DataFrame, /, *, window_ms: int
) -> dict[str, list[Timing]]:
    """Return how clusters keep time in each trace: once for each resolution that has to be judged by itself.

    Parameters
    ----------
    logs
        All shares of each trace.
    members
        `account_id`, `cluster`.
    window_ms
        The window in milliseconds.
    """
    timing = {}
    for trace, log in logs.items():
        cluster = groups_of(log.accounts, members["account_id"], members["cluster"])
        timing[trace] = timings_of(log, cluster, window_ms=window_ms)
    return timing


def timing_in_windows(
    logs: Mapping[str, Incidence], members: pl.DataFrame, /, *, windows: Sequence[float]
) -> dict[str, list[Timing]]:
    """Return how each cluster keeps time in its own window, as from `timing_by_trace`.

    Where some were found in a wider window than others, all windows are gone through: in those of other clusters a part
    tells nothing of a cluster, but counts as looked at.

    Parameters
    ----------
    logs
        All shares of each trace.
    members
        `account_id`, `cluster`, `time_window_s`.
    windows
        The study's, in seconds, ascending.
    """
    own = members.select("cluster", "time_window_s").unique()
    if (own["time_window_s"] == windows[0]).all():
        return timing_by_trace(logs, members, window_ms=round(windows[0] * 1000))
    timing: dict[str, list[Timing]] = {trace: [] for trace in logs}
    for window in windows:
        there = own.filter(pl.col("time_window_s") == window)["cluster"].implode()
        for trace, parts in timing_by_trace(logs, members, window_ms=round(window * 1000)).items():
            timing[trace] += [part.of(there) for part in parts]
    return timing


def inputs_of(
    study: Study,
    members: pl.DataFrame,
    /,
    *,
    edges: pl.DataFrame,
    shares: Mapping[str, pl.DataFrame],
    links: pl.DataFrame,
    timing: Mapping[str, Sequence[Timing]],
) -> ClusterInputs:
    """Return what the figures of clusters are made from; see `ClusterInputs` for the columns.

    Parameters
    ----------
    study, members
        The study, and who is in which cluster.
    edges, links
        A row a pair of accounts; all links of the log.
    shares, timing
        The shares of each trace, as rows, and how clusters keep time in it.
    """
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


def site_inputs_of(
    study: Study, links: pl.DataFrame, flagged: pl.DataFrame, /, *, facts: pl.DataFrame,
    operators: Operators, copies: Copies | None = None,
) -> SiteInputs:  # fmt: skip
    """Return what the figures of sites are made from.

    Parameters
    ----------
    study, links
        The study, and all its links.
    flagged
        `account_id, cluster_id` of the members of flagged clusters.
    facts, operators
        What is known of sites (`schema.SITE_FACTS`), and which look as if one hand ran them.
    copies
        Who copied whom; None without articles.
    """
    posts = study.scan("posts").filter(pl.col("target_id").is_not_null() | pl.col("sponsor").is_not_null())
    return SiteInputs(
        links=links,
        flagged=flagged,
        posts=posts.select("content_id", "target_id", "sponsor").collect(),
        accounts=study.scan("accounts").select("account_id", "name").drop_nulls("name").collect(),
        facts=facts,
        operators=reasons_of(operators),
        seeders=seeders_of(operators),
        copies=None if copies is None else copies.sites,
        copied_urls=None if copies is None else copies.urls,
    )


def originals_of(study: Study, inputs: ClusterInputs, /) -> pl.DataFrame:
    """Return `object_id, account_id, timestamp, time_resolution_s` of the log's posts that members reshared at once."""
    met = inputs.shares.lazy().filter((pl.col("trace") == "reshare") & (pl.col("n_fellows") > 0))
    return (
        with_resolution(study, "posts")
        .select("account_id", "timestamp", RESOLUTION, object_id="content_id")
        .join(met.select("object_id").unique(), on="object_id", how="semi")
        .select("object_id", "account_id", "timestamp", RESOLUTION)
        .collect()
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
