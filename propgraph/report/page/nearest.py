"""What came nearest to a flag without one: the contrast that shows where the line lies."""

from __future__ import annotations

import polars as pl

from propgraph.report.explain.groups import weighed
from propgraph.report.explain.readings import innocent_readings
from propgraph.report.page.findings import Findings
from propgraph.report.page.markup import paragraphs, shown, table
from propgraph.report.page.minute import reasons
from propgraph.report.words import headline, rule_names, with_reason
from propgraph.words.said import tell

_MOST, _SITES = 5, 10


def nearest(findings: Findings) -> str:
    """Return the unflagged clusters and sites with the highest scores, and what kept them from a flag."""
    rows = findings.clusters.filter(~pl.col("flagged") & (pl.col("score") > 0)).head(_MOST).to_dicts()
    parts = []
    for row in rows:
        name = row["cluster_id"]
        told = list(map(with_reason, reasons(findings, "cluster", name).to_dicts()))
        fits = innocent_readings(findings.study, "cluster", name)
        score = findings.part(weighed(findings.study, row))
        body = paragraphs(findings.lines((*told, *fits.lines, *score.lines)))
        body += (
            ""
            if score.table is None
            else table(score.table, tell("words.named", name=score.heading, what=name))
        )
        parts.append(f"<h3>{shown(findings.lines((headline(row),))[0])}</h3>{body}")
    if not parts:
        parts.append(f"<p>{shown(tell('nearest.none'))}</p>")
    return "".join(parts) + _sites(findings)


def _sites(findings: Findings) -> str:
    others = findings.sites.join(findings.seeded.select("site"), on="site", how="anti", maintain_order="left")
    rows = others.filter(pl.col("score") > 0).head(_SITES)
    listed = rows.select(
        "site", "score", links="n_urls", shares="n_shares", reasons=rule_names(rows["flags"])
    )
    return table(listed, tell("nearest.sites"))
