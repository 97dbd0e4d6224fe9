"""A worksheet for those who write in DISARM's ids: what may be meant by what was measured, and what is not shown."""

from __future__ import annotations

import polars as pl

from propgraph.export.disarm import all_techniques, flags_of, techniques_of
from propgraph.report.page.findings import Findings
from propgraph.report.page.markup import folded, paragraphs, table
from propgraph.report.words import rule_name
from propgraph.words.said import tell

_NAMED = 12


def disarm(findings: Findings) -> str:
    """Return all techniques as a table, with the groups that each is offered for; nothing for the public."""
    if not findings.audience.accounts:
        return ""
    offered, flags = _offered(findings), dict(findings.flagged.select("cluster_id", "flags").iter_rows())
    rows = []
    for technique in all_techniques():
        groups = offered.get(technique, [])
        rules = {flag for name in groups for flag in flags[name]} & set(flags_of(technique))
        rows.append((
            *technique, _listed(groups) or tell("disarm.not-shown"), ", ".join(map(rule_name, sorted(rules))) or None,
        ))  # fmt: skip
    frame = pl.DataFrame(rows, schema=["id", "technique", "clusters", "by"], orient="row")
    title = tell("disarm.title")
    return folded(title, paragraphs((tell("disarm.about"),)) + table(frame, title))


def _offered(findings: Findings) -> dict[tuple[str, str], list[str]]:
    """Return the flagged groups that each technique is offered for."""
    study = findings.study
    traces = dict(study.scan("campaigns").select("campaign_id", "traces").collect().iter_rows())
    pushers = set(findings.seeded["top_cluster_id"].drop_nulls())
    platforms = (
        study.scan("posts").select("account_id", "platform").drop_nulls().unique()
        .join(study.scan("members"), on="account_id")
        .group_by("cluster_id").agg(pl.col("platform").n_unique()).collect()
    )  # fmt: skip
    n_platforms = dict(platforms.iter_rows())
    offered: dict[tuple[str, str], list[str]] = {}
    for row in findings.flagged.to_dicts():
        name = row["cluster_id"]
        for technique in techniques_of(
            row, traces=traces.get(row["campaign_id"]) or (), n_platforms=n_platforms.get(name, 0),
            seeds_sites=name in pushers,
        ):  # fmt: skip
            offered.setdefault(technique, []).append(name)
    return offered


def _listed(groups: list[str]) -> str:
    rest = len(groups) - _NAMED
    return ", ".join(groups[:_NAMED]) + (tell("words.more", n=rest) if rest > 0 else "")
