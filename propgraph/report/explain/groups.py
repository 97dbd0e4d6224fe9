"""Clusters and campaigns explained: who, by which rules, with which posts, and what else would fit."""

from __future__ import annotations

from typing import Any

import polars as pl

from propgraph.clusters.judge import FEW_MEETINGS, NO_SYNCHRONY, weigh
from propgraph.report.costs import cost_sentence
from propgraph.report.document import Document, Part
from propgraph.report.explain.overturn import without
from propgraph.report.explain.people import unknown
from propgraph.report.explain.readings import innocent_readings
from propgraph.report.explain.reasons import reason_part
from propgraph.report.explain.timeline import beside_others, objects_of, with_who
from propgraph.report.explain.tried import tried_part
from propgraph.report.words import campaign_headline, headline, renamed, rule_heading, rule_name, rule_names
from propgraph.report.words import reason as sentence
from propgraph.study import Study
from propgraph.words.said import named, said, tell

_MEMBERS, _OBJECTS, _PAIRS = 25, 8, 50
_PAIR = ("one", "other", "common", "in_a_minute", "closest_s", "at", "post", "other_post")
_CUTS = (NO_SYNCHRONY, FEW_MEETINGS)


def explain_cluster(study: Study, cluster_id: str, /, *, rule: str | None, posts: int) -> Document:
    """Return what there is to say about one cluster, or about one rule that fired for it."""
    row = study.scan("clusters").filter(cluster_id=cluster_id).collect().row(0, named=True)
    members = study.scan("members").filter(cluster_id=cluster_id)
    accounts = members.select("account_id").collect()["account_id"].to_list()
    evidence = study.scan("evidence").filter(subject_type="cluster", subject_id=cluster_id).collect()
    if rule is not None:
        evidence = evidence.filter(rule=rule)
    shown = _reasons(study, evidence, posts)
    beside = _beside(study, evidence, accounts)
    if rule is not None:
        return Document(
            "cluster",
            f"{cluster_id}:{rule}",
            tell("words.named", name=cluster_id, what=rule_name(rule)),
            (*shown, *beside, unknown()),
        )
    parts = [_summary(study, row), _members(study, members, row["n_accounts"]), *_pairs(study, row)]
    parts += [*shown, *beside]
    parts += [innocent_readings(study, "cluster", cluster_id), *tried_part(study, cluster_id)]
    parts += [weighed(study, row), *_holds(study, row)]
    parts += [*_costs(study, "cluster", cluster_id), unknown()]
    return Document("cluster", cluster_id, headline(row), tuple(parts))


def _summary(study: Study, row: dict[str, Any]) -> Part:
    least = study.run["clusters"]["parameters"]["min_score"]
    verdict = said("explain.flagged" if row["flagged"] else "explain.not-flagged")
    lines = [tell("explain.cluster", n=row["n_accounts"], verdict=verdict, score=row["score"], least=least)]
    if row["first_time"] is not None:
        lines.append(tell("explain.together", first=row["first_time"], last=row["last_time"]))
    if row.get("campaign_id") and _of_several(study, row["campaign_id"]):
        lines.append(tell("explain.part-of", campaign=row["campaign_id"], study=study.path.name))
    return Part(tell("explain.short"), tuple(lines), name="short")


def _of_several(study: Study, campaign_id: str) -> bool:
    """Tell whether a campaign is more than one cluster; by itself a cluster is said of once."""
    n = study.scan("campaigns").filter(campaign_id=campaign_id).select("n_clusters").collect()
    return n.height > 0 and n.item() > 1


def _members(study: Study, members: pl.LazyFrame, n: int) -> Part:
    made = study.scan("accounts").select("account_id", "followers", "n_posts")
    told = (
        with_who(study, members.join(made, on="account_id", how="left"))
        .sort(["degree", "account_id"], descending=[True, False])
        .head(_MEMBERS)
        .select(
            "who", made=pl.col("created_at").dt.date(), followers="followers", posts="n_posts",
            together="n_co_shares", met="degree", by="evidence",
        )
        .collect()
    )  # fmt: skip
    table = told.with_columns(renamed(told["by"], "by")).select(
        name for name in told.columns if told[name].null_count() < told.height
    )
    lines = [tell("explain.who-columns")]
    if table.height < n:
        lines.insert(0, tell("explain.who-first", n=table.height, n_all=n, study=study.path.name))
    return Part(tell("explain.who"), tuple(lines), table, "who")


def _pairs(study: Study, row: dict[str, Any]) -> list[Part]:
    """Show the pairs of members that are the surest, of those that are told."""
    if "pair_evidence" not in study.tables:
        return []
    apart = pl.col("delta_s").abs()
    pairs = (
        study.scan("pair_evidence")
        .filter(cluster_id=row["cluster_id"])
        .group_by("source", "target", maintain_order=True)
        # Of each pair the closest posts stand first.
        .agg(
            common=pl.col("n_common").first(),
            in_a_minute=(apart <= 60).sum(),
            closest_s=apart.first(),
            at=pl.min_horizontal("source_time", "target_time").first(),
            post=pl.col("source_content_id").first(),
            other_post=pl.col("target_content_id").first(),
        )
    )
    n = pairs.select(pl.len()).collect().item()
    rows = with_who(study, pairs.head(_PAIRS).rename({"source": "account_id"})).rename({"who": "one"})
    rows = with_who(study, rows.drop("account_id", "name").rename({"target": "account_id"}))
    table = rows.rename({"who": "other"}).select(_PAIR).collect()
    if table.is_empty():
        return []
    lines = (
        tell("explain.pairs-told", n=table.height, n_told=n, n_all=row["n_edges"]),
        tell("explain.pairs-more", study=study.path.name),
    )
    return [Part(tell("explain.pairs"), lines, table, "pairs")]


def _reasons(study: Study, evidence: pl.DataFrame, posts: int) -> list[Part]:
    """Return a part for each reason; posts that show two are shown once."""
    first: dict[tuple[str, ...], str] = {}
    parts = []
    for reason in evidence.to_dicts():
        rule = first.setdefault(tuple(reason["content_ids"]), reason["rule"])
        if rule == reason["rule"] or not reason["content_ids"]:
            parts.append(reason_part(study, reason, posts))
        else:
            told = (sentence(reason), tell("explain.shown-too", name=rule_name(rule)))
            parts.append(Part(rule_heading(reason["rule"]), told, name=reason["rule"]))
    return parts


def _beside(study: Study, evidence: pl.DataFrame, accounts: list[str]) -> list[Part]:
    """Hold what the posts shown shared against what everybody else did with the same."""
    ids = [one for row in evidence["content_ids"].to_list() for one in row]
    traces = study.run["clusters"]["parameters"]["trace"]
    objects = objects_of(study, ids, traces=traces).head(_OBJECTS)
    if objects.is_empty():
        return []
    table = beside_others(study, objects, accounts)
    return [Part(tell("explain.beside"), (tell("explain.beside-columns"),), table, "beside")]


def weighed(study: Study, row: dict[str, Any], /) -> Part:
    """Return a cluster's score, part by part, and what would take the flag away."""
    parts = weigh(row["flags"], row["innocent"])
    least = study.run["clusters"]["parameters"]["min_score"]
    table = pl.DataFrame(
        [(named("cut", name) if name in _CUTS else rule_name(name), score) for name, score in parts],
        schema={"counts": pl.String, "score": pl.Float64}, orient="row",
    )  # fmt: skip
    lines = [] if parts else [tell("explain.no-rule")]
    if row["flagged"]:
        needed = [rule_name(name) for name in row["flags"] if not _flagged(row, without=name, least=least)]
        lines.append(
            tell("explain.needed", without=without(needed)) if needed else tell("explain.none-needed")
        )
    elif row["flags"]:
        lines.append(tell("explain.short-of-flag", score=least - row["score"]))
    return Part(tell("explain.weighed"), tuple(lines), table if parts else None, "weighed")


def _flagged(row: dict[str, Any], *, without: str, least: float) -> bool:
    parts = weigh([rule for rule in row["flags"] if rule != without], row["innocent"])
    return bool(parts) and parts[-1][1] >= least


def _holds(study: Study, row: dict[str, Any]) -> list[Part]:
    if "stability" not in study.tables:
        return [Part(tell("explain.holds"), (tell("explain.holds-not-tried"),), name="holds")]
    of = study.scan("stability").filter(cluster_id=row["cluster_id"]).collect()
    if of.is_empty():
        return []
    one = of.row(0, named=True)
    held = round(one["holds_share"] * one["n_runs"])
    return [Part(tell("explain.holds"), (tell("explain.held", n=held, n_runs=one["n_runs"]),), name="holds")]


def _costs(study: Study, kind: str, name: str) -> list[Part]:
    """Say what a flagged cluster or campaign would have cost, by the table of prices."""
    if "costs" not in study.tables:
        return []
    rows = study.scan("costs").filter(subject_type=kind, subject_id=name).collect().to_dicts()
    told = cost_sentence(rows) if rows else None
    return [] if told is None else [Part(tell("explain.costs"), (told,), name="costs")]


def explain_campaign(study: Study, campaign_id: str, /, *, rule: str | None, posts: int) -> Document:
    """Return what there is to say about one campaign."""
    row = study.scan("campaigns").filter(campaign_id=campaign_id).collect().row(0, named=True)
    ids = row["cluster_ids"]
    clusters = study.scan("clusters").filter(pl.col("cluster_id").is_in(ids)).collect()
    evidence = study.scan("evidence").filter(subject_type="campaign", subject_id=campaign_id).collect()
    reasons = [reason_part(study, one, posts) for one in evidence.to_dicts() if rule in (None, one["rule"])]
    table = clusters.select(
        "cluster_id", "score", "n_accounts", from_="first_time", to="last_time", why=rule_names(clusters["flags"]),
        also_fits=rule_names(clusters["innocent"]),
    ).rename({"from_": "from"})  # fmt: skip
    first, *why = campaign_headline(row)
    lines = tuple(why) if row["n_clusters"] > 1 else (tell("explain.one-cluster"),)
    return Document(
        "campaign", campaign_id, first,
        (
            Part(tell("explain.its-clusters"), lines, table, "clusters"), *reasons,
            *_costs(study, "campaign", campaign_id), unknown(),
        ),
    )  # fmt: skip
