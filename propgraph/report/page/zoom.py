"""The timeline from near: the days on which flagged clusters posted most, ten minutes a bar, each opened at a click."""

from __future__ import annotations

from datetime import date

import polars as pl

from propgraph.report.figures.timeline import timeline
from propgraph.report.page.drawn import drawn
from propgraph.report.page.findings import Findings
from propgraph.report.page.markup import folded
from propgraph.words.said import tell

_DAYS, _LONG_S = 4, 3 * 86_400


def zoom(findings: Findings) -> str:
    """Return the busiest days of the flagged clusters, the strongest first; nothing for a log of three days or less."""
    parts = []
    for day, clusters in _busiest(findings).items():
        made = timeline(
            findings.study, findings.events, least_accounts=findings.audience.least or 1, day_=day
        )
        inside = drawn(findings, {f"timeline-{day:%Y-%m-%d}": made})
        if inside:
            parts.append(folded(tell("zoom.day", day=day, clusters=clusters), inside))
    return "".join(parts)


def _busiest(findings: Findings) -> dict[date, list[str]]:
    """Return the days on which clusters posted most, and which clusters; at most so many days."""
    times = pl.col("timestamp")
    posts = findings.study.scan("posts")
    first, last = posts.select(first=times.min(), last=times.max()).collect().row(0)
    if first is None or (last - first).total_seconds() <= _LONG_S:
        return {}
    names = findings.flagged["cluster_id"].to_list()
    members = findings.study.scan("members").filter(pl.col("cluster_id").is_in(names))
    days = (
        posts.join(members.select("account_id", "cluster_id"), on="account_id")
        .group_by("cluster_id", day=times.dt.date())
        .agg(n=pl.col("content_id").n_unique())
        .sort("n", "day", descending=[True, False])
        .unique("cluster_id", keep="first", maintain_order=True)
        .select("cluster_id", "day")
        .collect()
    )
    of = dict(days.iter_rows())
    busiest: dict[date, list[str]] = {}
    for name in names:
        if name in of and (of[name] in busiest or len(busiest) < _DAYS):
            busiest.setdefault(of[name], []).append(name)
    return busiest
