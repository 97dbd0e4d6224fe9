"""From a cluster's figures to its score, its flags, and the innocent readings that also fit."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from propgraph.amplification.join import OF_CASCADES, Amplified, structure_evidence
from propgraph.clusters.baseline import Baseline, Row
from propgraph.clusters.evidence import evidence_rows, posts_of_members
from propgraph.clusters.inputs import ClusterInputs
from propgraph.clusters.metrics import measure_members
from propgraph.clusters.readings import BREAKING_NEWS, EXPLAINING, Fit, innocent_readings
from propgraph.clusters.rules import (
    AT_ONCE,
    IN_STEP,
    MISSION_ORDER,
    OWN_BURSTS,
    QUOTA_STOP,
    RECRUITER_TOKEN,
    RELAYED,
    REPETITIVE,
    RULE,
    RULES,
    SYNCHRONISED,
    TURNOUT,
    Finding,
)
from propgraph.clusters.tried import tried_readings
from propgraph.schema import AMPLIFICATION, CLUSTERS, EVIDENCE, MEMBERS, READINGS, TRIED_READINGS
from propgraph.schema.costs import OF_SPONSORS
from propgraph.schema.profiles import OF_PROFILES

# Columns of `clusters` that a cluster may be without: it stands in no cascade, a later job was not run.
_MAY_LACK = (*OF_CASCADES, *OF_PROFILES, *OF_SPONSORS, "stability", "campaign_id")


# Rules that do not speak of synchrony, but hold a null of their own: what explains synchrony explains nothing of them.
_BY_THEMSELVES = (MISSION_ORDER, QUOTA_STOP)


@dataclass(frozen=True)
class Judged:
    """The tables about clusters, once each is judged and has its id.

    Attributes
    ----------
    members, clusters, evidence, readings, tried, amplification
        As in `schema`, the cluster with the highest score first.
    nominal
        `cluster_id`, `order_tail` (how surely it keeps an order, see `missions.order`), `nominal_p`: the bound on the
        chance of the window's synchrony, 0..1. It orders accounts, and is no probability, for clusters are found by the
        very posts that it is about.
    """

    members: pl.DataFrame
    clusters: pl.DataFrame
    evidence: pl.DataFrame
    readings: pl.DataFrame
    tried: pl.DataFrame
    amplification: pl.DataFrame
    nominal: pl.DataFrame


_NOMINAL = {"cluster_id": pl.String, "nominal_p": pl.Float64, "order_tail": pl.Float64}
NOTHING = Judged(
    MEMBERS.empty(), CLUSTERS.empty(), EVIDENCE.empty(), READINGS.empty(), TRIED_READINGS.empty(),
    AMPLIFICATION.empty(),
    pl.DataFrame(schema=_NOMINAL),
)  # fmt: skip


def judge_clusters(
    inputs: ClusterInputs,
    table: pl.DataFrame,
    baseline: Baseline,
    /,
    *,
    amplified: Amplified,
    of_pairs: Mapping[int, Sequence[str]],
    min_score: float,
) -> Judged:
    """Judge every cluster, and name it by its place: the highest score first, then the largest.

    Parameters
    ----------
    inputs, table
        What the figures are made from, and the figures, a row for each `cluster`.
    baseline
        What accounts outside every cluster do.
    amplified
        What cascades tell of the clusters, whose number stands for an id.
    of_pairs
        Ids of the posts over which each cluster's synchronised pairs met.
    min_score
        From which score (0..1) on a cluster is flagged.
    """
    first = inputs.members.group_by("cluster").agg(first=pl.col("account_id").min())
    of_cascades = amplified.figures.with_columns(cluster=pl.col("cluster_id").cast(pl.UInt32)).drop(
        "cluster_id"
    )
    figures = table.join(first, on="cluster").join(of_cascades, on="cluster", how="left")
    rows = figures.sort("cluster").to_dicts()
    judged = [(row, *judge(row, baseline)) for row in rows]
    judged.sort(key=lambda one: (-round(one[1], 12), -one[0]["n_accounts"], one[0]["first"]))
    ids = {row["cluster"]: f"c{k}" for k, (row, *_) in enumerate(judged, 1)}
    posts = posts_of_members(inputs, table).partition_by("cluster", as_dict=True)
    clusters, evidence, readings, tried = [], [], [], []
    for row, score, findings, fits in judged:
        name = ids[row["cluster"]]
        verdict = {
            "cluster_id": name, "score": score, "flagged": score >= min_score,
            "flags": [finding.rule for finding in findings], "innocent": [fit.reading for fit in fits],
        }  # fmt: skip
        clusters.append(verdict | _figures(row, without=verdict))
        evidence += evidence_rows(
            findings, posts[(row["cluster"],)], subject=name, row=row,
            chosen={SYNCHRONISED: of_pairs.get(row["cluster"], [])} | _chosen(row),
        )  # fmt: skip
        about = {"subject_type": "cluster", "subject_id": name}
        readings += [about | fit.as_columns() for fit in fits]
        tried += [about | one for one in tried_readings(row, baseline, fit=[fit.reading for fit in fits])]
    named = amplified.named({str(cluster): name for cluster, name in ids.items()})
    flagged = [ids[row["cluster"]] for row, score, *_ in judged if score >= min_score]
    return Judged(
        _named_members(inputs, ids),
        CLUSTERS.conform(pl.DataFrame(clusters, schema=CLUSTERS.dtypes)),
        pl.concat(
            [
                EVIDENCE.conform(pl.DataFrame(evidence, schema=EVIDENCE.dtypes)),
                structure_evidence(named, flagged),
            ]
        ),
        READINGS.conform(pl.DataFrame(readings, schema=READINGS.dtypes)),
        TRIED_READINGS.conform(pl.DataFrame(tried, schema=TRIED_READINGS.dtypes)),
        named.table,
        pl.DataFrame(
            [(ids[row["cluster"]], row["nominal_p"], row["order_tail"]) for row in rows],
            schema=_NOMINAL,
            orient="row",
        ),
    )


def _figures(row: Row, *, without: Collection[str]) -> dict[str, object]:
    """Return the columns of `schema.CLUSTERS` but for some, as they were measured."""
    columns = [column for column in CLUSTERS.columns if column not in without]
    return {column: row.get(column) if column in _MAY_LACK else row[column] for column in columns}


def _chosen(row: Row) -> dict[str, list[str]]:
    """Return by rule the posts that were chosen with the figures."""
    return {rule.name: row.get(rule.posts) or [] for rule in RULES if rule.posts}


def _named_members(inputs: ClusterInputs, ids: Mapping[int, str]) -> pl.DataFrame:
    """Return `schema.MEMBERS`, cluster by cluster in the order of their ids."""
    members = measure_members(inputs).with_columns(
        cluster_id=pl.col("cluster").replace_strict(ids, return_dtype=pl.String), stability=None
    )
    order = {name: k for k, name in enumerate(ids.values())}
    by_cluster = pl.col("cluster_id").replace_strict(order, return_dtype=pl.UInt32)
    return MEMBERS.conform(members.sort(by_cluster, "account_id").select(*MEMBERS.columns))


def judge(row: Row, base: Baseline, /) -> tuple[float, list[Finding], list[Fit]]:
    """Return a cluster's score (0..1), the findings that fire, and the innocent readings that also fit.

    The score is 1 - product(1 - weight) over the rules that fire. It is halved for each innocent reading
    that accounts for the synchrony itself (one outlet, fans, breaking news; the last never where `synchronised` or
    `relayed` fires, for these are held against each object's own burst, and each cascade's own tree). Where neither
    `synchronised` nor `relayed` nor `own-bursts` nor `at-once` nor `in-step` fires it is cut to three tenths (what
    meets no more than outsiders do is not organised), but for `recruiter-token`: it has a null of its own, which asks
    nothing of time, and alone it flags nobody. Without `synchronised`, `relayed`, `own-bursts`,
    `repetitive` and `turnout` it is cut by a fifth (a few meetings prove little). All this is about synchrony:
    `mission-order` and `quota-stop` need none, have nulls of their own, and come on top whatever explains the rest
    (`quota-stop` alone flags nobody).
    """
    findings = [finding for rule in RULES if (finding := rule.check(row, base)) is not None and finding.fires]
    fits = innocent_readings(row, base)
    rules = [finding.rule for finding in findings]
    if {SYNCHRONISED, RELAYED} & set(rules):
        # Each object's own burst, or tree, is what pairs were held against, and there are several.
        fits = [fit for fit in fits if fit.reading != BREAKING_NEWS]
    weighed = weigh(rules, [fit.reading for fit in fits])
    return weighed[-1][1] if weighed else 0.0, findings, fits


#: What else cuts a score, beside the readings that explain the synchrony itself.
NO_SYNCHRONY, FEW_MEETINGS = "no rule of synchrony", "few meetings"


def weigh(rules: Sequence[str], readings: Sequence[str], /) -> list[tuple[str, float]]:
    """Return a score's parts in order: each rule, reading or rule of thumb that counts, and the score with it.

    Parameters
    ----------
    rules
        Those that fire.
    readings
        Innocent readings that fit; only those that account for the synchrony itself count.
    """
    score, parts = 0.0, []
    for name in rules:
        if name not in _BY_THEMSELVES:
            score = 1 - (1 - score) * (1 - RULE[name].weight)
            parts.append((name, score))
    cuts = [(reading, 0.5) for reading in readings if reading in EXPLAINING]
    if not {SYNCHRONISED, RELAYED, OWN_BURSTS, AT_ONCE, IN_STEP, RECRUITER_TOKEN} & set(rules):
        cuts.append((NO_SYNCHRONY, 0.3))
    if not {SYNCHRONISED, RELAYED, OWN_BURSTS, REPETITIVE, TURNOUT} & set(rules):
        cuts.append((FEW_MEETINGS, 0.8))
    for name, factor in cuts if parts else []:
        score *= factor
        parts.append((name, score))
    for name in rules:
        if name in _BY_THEMSELVES:
            score = 1 - (1 - score) * (1 - RULE[name].weight)
            parts.append((name, score))
    return parts


def flagged_members(clusters: pl.DataFrame, members: pl.DataFrame, /) -> pl.DataFrame:
    """Return `account_id` and `cluster_id` of the members of flagged clusters."""
    flagged = clusters.filter("flagged").select("cluster_id")
    return members.join(flagged, on="cluster_id").select("account_id", "cluster_id")
