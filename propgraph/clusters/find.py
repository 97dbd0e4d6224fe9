"""The way from a study's shares and edges to its clusters: the steps, in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from propgraph.amplification.join import Amplified, amplify
from propgraph.amplification.relays import Relayed
from propgraph.arrays.incidence import Incidence, incidence
from propgraph.arrays.types import Progress
from propgraph.clusters.alone import Alone, accounts_alone
from propgraph.clusters.baseline import baseline_of
from propgraph.clusters.campaigns.join import join_clusters
from propgraph.clusters.campaigns.recruiters import find_recruiters, recruiters_table
from propgraph.clusters.context import with_context
from propgraph.clusters.crowd import rates_of, with_crowd
from propgraph.clusters.declared import declared_posts, with_declared
from propgraph.clusters.delays import with_delays
from propgraph.clusters.evidence import posts_of_pairs, with_counts
from propgraph.clusters.groups import synchronised_groups
from propgraph.clusters.inputs import (
    ClusterInputs,
    edges_of,
    facts_of,
    inputs_of,
    links_of,
    logs_of,
    originals_of,
    site_inputs_of,
    timing_in_windows,
    trace_of_links,
)
from propgraph.clusters.judge import NOTHING, Judged, flagged_members, judge_clusters
from propgraph.clusters.members import members_of_all
from propgraph.clusters.metrics import (
    edges_inside,
    measure_clusters,
    with_crews_p,
    with_habits,
    with_synchrony,
)
from propgraph.clusters.missions import measure_missions, stops_of_log
from propgraph.clusters.names import keep_names
from propgraph.clusters.ordered import ordered_accounts
from propgraph.clusters.pair_evidence import pair_evidence
from propgraph.clusters.pair_reasons import pair_reasons
from propgraph.clusters.relayed import relayed_accounts, with_relayed
from propgraph.clusters.sampled import Sampled, sampling, told_of_bursts
from propgraph.clusters.scores import score_accounts
from propgraph.clusters.traits import with_traits
from propgraph.cosharing.choice import window_options
from propgraph.costs.boosts import find_boosts
from propgraph.costs.costs import hypothetical_costs, relay_posts
from propgraph.costs.sponsors import sponsored_posts, with_sponsors
from propgraph.crews.found import Crews, HalvedTrace, find_crews
from propgraph.networks import join_traces, with_pairs
from propgraph.options import ClusterOptions, WindowOptions
from propgraph.schema import COPIES
from propgraph.sites.copies import Copies, copies_in_log, with_copies
from propgraph.sites.judge import JudgedSites, judge_sites
from propgraph.sites.operator_reasons import operator_reasons
from propgraph.sites.operators import NO_OPERATORS, Operators, find_operators
from propgraph.sites.pairs import SitesOfLog, sites_of_log
from propgraph.steps import Step
from propgraph.study import Study
from propgraph.synchrony.joint import NO_JOINT, Joint, joint_evidence

Shares = dict[str, pl.DataFrame]


def given_of(
    study: Study,
    traces: list[str],
    /,
    *,
    options: ClusterOptions,
    threads: int,
    facts: pl.DataFrame | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Return what is there before the first step, by name: a study, and how its clusters are looked for.

    `facts` about sites are those of the study where none are given.
    """
    window = window_options(study.run["build"])
    return {
        "study": study, "traces": traces, "options": options, "window": window, "time_window": window.seconds,
        "window_ms": round(window.seconds * 1000), "threads": threads, "progress": progress,
        "facts": facts_of(study) if facts is None else facts,
    }  # fmt: skip


def _read(
    *, study: Study, traces: list[str], window: WindowOptions, window_ms: int, options: ClusterOptions
) -> tuple[dict[str, Incidence], Shares, pl.DataFrame, pl.DataFrame, Sampled | None]:
    logs, shares = logs_of(study, traces)
    built = study.run["build"]
    sampled = None
    if told_of_bursts(built):
        sampled = sampling(window, logs, window_ms=window_ms, seed=options.seed)
    return logs, shares, join_traces(edges_of(study, traces)), links_of(study), sampled


def _sites_of_log(
    *, study: Study, logs: dict[str, Incidence], links: pl.DataFrame, threads: int
) -> SitesOfLog | None:
    """Return who shares which sites first; None without a link."""
    trace = trace_of_links(study)
    if trace is None or links.is_empty():
        return None
    log = logs[trace] if trace in logs else incidence(links.rename({"url": "object_id"}))
    return sites_of_log(
        log, study.scan("objects").filter(pl.col("trace") == trace).collect(), threads=threads
    )


def _synchrony(
    *,
    logs: dict[str, Incidence],
    edges: pl.DataFrame,
    options: ClusterOptions,
    threads: int,
    progress: Progress | None,
) -> Joint:
    if options.evidence == "window":
        return NO_JOINT
    return joint_evidence(
        logs, edges, q=options.q, neighbours=options.neighbours, seed=options.seed, threads=threads,
        progress=progress,
    )  # fmt: skip


def _crews(*, joint: Joint, options: ClusterOptions, threads: int) -> tuple[Crews, Joint]:
    traces = {trace: HalvedTrace(part, *joint.halves[trace]) for trace, part in joint.prepared.items()}
    # Pairs of halves are many, and nobody else asks for them.
    return find_crews(traces, q=options.q, seed=options.seed, threads=threads), replace(joint, halves={})


def _members(
    *, logs: dict[str, Incidence], edges: pl.DataFrame, joint: Joint, groups: pl.DataFrame, relayed: Relayed,
    ordered: pl.DataFrame, sampled: Sampled | None, window: WindowOptions, options: ClusterOptions, threads: int,
) -> tuple[pl.DataFrame, pl.DataFrame]:  # fmt: skip
    """Return the members of all clusters, and the edges: those within crowds found in wider windows are in theirs."""
    members, own = members_of_all(
        logs, groups, joint.network, edges=edges, relayed=relayed, ordered=ordered, sampled=sampled, window=window,
        options=options, threads=threads,
    )  # fmt: skip
    return own.with_windows(members, time_window=window.seconds), own.with_edges(edges)


def _amplification(study: Study, members: pl.DataFrame) -> Amplified:
    labelled = members.select("account_id", cluster_id=pl.col("cluster").cast(pl.String))
    return amplify(study.scan("cascade_nodes"), labelled)


def _figures(
    *, study: Study, logs: dict[str, Incidence], shares: Shares, edges: pl.DataFrame, links: pl.DataFrame,
    members: pl.DataFrame, joint: Joint, crews: Crews, relayed: Relayed, window: WindowOptions,
    missions: pl.DataFrame,
) -> tuple[ClusterInputs | None, pl.DataFrame, dict[int, list[str]], Joint]:  # fmt: skip
    # The synchronised pairs of which both are in one cluster, the surest first.
    inside = edges_inside(joint.network.filter("synchronised"), members).sort(
        "cluster", "p_value", "source", "target"
    )
    if members.is_empty():
        return None, pl.DataFrame(), {}, replace(joint, prepared={})
    timing = timing_in_windows(logs, members, windows=window.windows)
    network = with_pairs(edges, joint.network)
    inputs = inputs_of(study, members, edges=network, shares=shares, links=links, timing=timing)
    table = with_delays(
        with_context(measure_clusters(inputs), inputs, links), inputs, shares,
        originals=originals_of(study, inputs),
    )  # fmt: skip
    table = with_crowd(table, inputs, rates_of(study))
    table = with_relayed(with_declared(table, inputs, declared_posts(study, inputs)), members, relayed)
    table = table.join(missions, on="cluster", how="left", maintain_order="left")
    of_pairs = posts_of_pairs(joint, inside, shares)
    # What comes after asks for no share any more: they make room for the cascades.
    table = with_synchrony(table, members, inside)
    table = with_crews_p(with_habits(table, members, joint.network), members, crews)
    return inputs, table, of_pairs, replace(joint, prepared={})


def _judge(
    *, study: Study, links: pl.DataFrame, inputs: ClusterInputs | None, table: pl.DataFrame,
    of_pairs: dict[int, list[str]], amplified: Amplified, time_window: float, options: ClusterOptions,
) -> Judged:  # fmt: skip
    if inputs is None:
        return NOTHING
    baseline = baseline_of(links, window_s=time_window, options=options)
    return judge_clusters(
        inputs, table, baseline, amplified=amplified, of_pairs=of_pairs, min_score=options.min_score
    )


def _sponsors(study: Study, judged: Judged) -> tuple[Judged, pl.DataFrame]:
    sponsored = sponsored_posts(study.scan("posts"))
    clusters = with_sponsors(
        judged.clusters, judged.members, sponsored=sponsored, accounts=study.scan("accounts")
    )
    return replace(judged, clusters=clusters), sponsored


def _boosts(ads: pl.DataFrame, links: pl.DataFrame, sponsored: pl.DataFrame, judged: Judged) -> pl.DataFrame:
    flagged = flagged_members(judged.clusters, judged.members)
    return find_boosts(ads, links, sponsored=sponsored.select("content_id", "sponsor"), flagged=flagged)


def _costs(study: Study, judged: Judged, prices: pl.DataFrame) -> pl.DataFrame:
    posts = relay_posts(study.scan("cascade_nodes"), judged.clusters, judged.amplification)
    return hypothetical_costs(judged.clusters, judged.members, prices, relays=posts)


def _operators(
    *, sites_of_log: SitesOfLog | None, facts: pl.DataFrame, judged: Judged, options: ClusterOptions
) -> Operators:
    if sites_of_log is None:
        return NO_OPERATORS
    flagged = flagged_members(judged.clusters, judged.members)
    return find_operators(sites_of_log, facts, flagged, seed=options.seed)


def _copies(
    *, articles: pl.DataFrame | None, links: pl.DataFrame, facts: pl.DataFrame, operators: Operators
) -> tuple[Copies | None, Operators]:
    """Return who copied whom, and the pairs of sites with it; nothing where no articles were brought."""
    if articles is None:
        return None, operators
    found = copies_in_log(articles, links, facts)
    return found, replace(operators, pairs=with_copies(operators.pairs, found.pairs))


def _sites(
    *, study: Study, links: pl.DataFrame, judged: Judged, options: ClusterOptions, operators: Operators,
    facts: pl.DataFrame, copies: Copies | None, known_sites: Sequence[str],
) -> JudgedSites:  # fmt: skip
    flagged = flagged_members(judged.clusters, judged.members)
    inputs = site_inputs_of(study, links, flagged, facts=facts, operators=operators, copies=copies)
    return judge_sites(inputs, min_score=options.min_score, known=known_sites)


def _tables(
    *, joint: Joint, judged: Judged, campaigns: pl.DataFrame, amplified: Amplified, account_scores: pl.DataFrame,
    sites: JudgedSites, operators: Operators, recruiters: pl.DataFrame, of_campaigns: pl.DataFrame,
    costs: pl.DataFrame, boosts: pl.DataFrame, alone: Alone, quotas: pl.DataFrame, pair_evidence: pl.DataFrame,
    pair_reasons: pl.DataFrame, copies: Copies | None,
) -> dict[str, pl.DataFrame]:  # fmt: skip
    return {
        "synchrony": joint.synchrony, "network": joint.network, "account_scores": account_scores,
        "members": judged.members, "clusters": judged.clusters, "campaigns": campaigns,
        "amplification": judged.amplification, "spreaders": amplified.spreaders,
        "sites": sites.sites, "site_pairs": operators.pairs, "operators": operators.operators,
        "evidence": with_counts(
            pl.concat([
                judged.evidence, of_campaigns, sites.evidence, alone.evidence, pair_reasons,
                operator_reasons(operators, sites.evidence),
            ])
        ),
        "pair_evidence": pair_evidence,
        "readings": pl.concat([judged.readings, sites.readings]),
        "tried_readings": judged.tried, "recruiters": recruiters, "costs": costs, "boosts": boosts, "quotas": quotas,
        "copies": COPIES.empty() if copies is None else copies.pairs,
    }  # fmt: skip


STEPS = (
    Step("read", _read, makes=("logs", "shares", "edges", "links", "sampled")),
    Step("first sharers", _sites_of_log, makes=("sites_of_log",)),
    Step("accounts", accounts_alone, makes=("alone",)),
    Step("synchrony", _synchrony, makes=("joint",)),
    Step("crews", _crews, makes=("crews", "joint")),
    Step("groups", synchronised_groups, makes=("groups", "standing")),
    Step("relays", relayed_accounts, makes=("relayed",)),
    Step("order", ordered_accounts, makes=("ordered",)),
    Step("communities", _members, makes=("members", "edges")),
    Step("quotas", stops_of_log, makes=("quotas",)),
    Step("missions", measure_missions, makes=("missions",)),
    Step("figures", _figures, makes=("inputs", "table", "of_pairs", "joint")),
    Step("tokens", find_recruiters, makes=("carried", "table")),
    Step("traits", with_traits, makes=("table", "n_remarks_left")),
    Step("amplification", _amplification, makes=("amplified",)),
    Step("judge", _judge, makes=("judged",)),
    Step("names", keep_names, makes=("judged",)),
    Step("campaigns", join_clusters, makes=("judged", "campaigns")),
    Step("pairs", pair_evidence, makes=("pair_evidence",)),
    Step("pair by pair", pair_reasons, makes=("pair_reasons",)),
    Step("recruiters", recruiters_table, makes=("recruiters", "of_campaigns")),
    Step("sponsors", _sponsors, makes=("judged", "sponsored")),
    Step("boosts", _boosts, makes=("boosts",)),
    Step("costs", _costs, makes=("costs",)),
    Step("scores", score_accounts, makes=("account_scores",)),
    Step("operators", _operators, makes=("operators",)),
    Step("copies", _copies, makes=("copies", "operators")),
    Step("sites", _sites, makes=("sites",)),
    Step("tables", _tables, makes=("tables",)),
)
