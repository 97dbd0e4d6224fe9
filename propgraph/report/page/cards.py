"""A card for each flagged cluster, those of one campaign below it: what it did, who, and what speaks against it."""

from __future__ import annotations

from typing import Any

import polars as pl

from propgraph.report.document import Part
from propgraph.report.explain.explain import POSTS
from propgraph.report.explain.groups import explain_cluster
from propgraph.report.figures.bar_code import bar_code
from propgraph.report.figures.creation import creation
from propgraph.report.figures.early_share import early_share
from propgraph.report.figures.gaps import gaps
from propgraph.report.figures.heat_map import heat_map
from propgraph.report.figures.waterfall import waterfall
from propgraph.report.page.drawn import drawn
from propgraph.report.page.findings import Findings
from propgraph.report.page.held import Held
from propgraph.report.page.markup import folded, paragraphs, prose, shown, table
from propgraph.report.words import campaign_headline, sureness

#: So many clusters have a card each; the tables of the annex hold all of them.
MOST = 100
_PICTURES = (heat_map, gaps, bar_code, creation, early_share, waterfall)
_SITES = 10
# Parts that stand open; all others open at a click.
_OPEN = frozenset(
    ("In short", "Innocent readings", "What was weighed", "Does it hold", "What would overturn it")
)


def cards(findings: Findings) -> str:
    """Return a card for each flagged cluster, in the order of the highest score of their campaigns."""
    flagged = findings.flagged
    if flagged.is_empty():
        return "<p>No group is flagged, so there is no card.</p>"
    of = {name: one for one in findings.campaigns for name in one["cluster_ids"]}
    rows = flagged.head(MOST).to_dicts()
    place: dict[str, int] = {}
    for k, row in enumerate(rows):
        place.setdefault(_home(row, of), k)
    rows.sort(key=lambda row: place[_home(row, of)])
    told: set[str] = set()
    parts = []
    around = findings.study.around(_shown_posts(findings, [row["cluster_id"] for row in rows]))
    for row in rows:
        campaign = of.get(row["cluster_id"])
        if campaign is not None and campaign["campaign_id"] not in told:
            told.add(campaign["campaign_id"])
            parts.append(_campaign(findings, campaign))
        parts.append(_card(findings, around, row))
    if flagged.height > MOST:
        parts.append(
            f"<p>The {MOST:,} with the highest scores, of {flagged.height:,}; the annex lists all.</p>"
        )
    return "".join(parts)


def _shown_posts(findings: Findings, names: list[str]) -> list[str]:
    """Return the posts that show why some clusters are flagged."""
    evidence = (
        findings.study.scan("evidence")
        .filter(subject_type="cluster")
        .filter(pl.col("subject_id").is_in(names))
    )
    return evidence.select(pl.col("content_ids").explode()).collect().to_series().drop_nulls().to_list()


def _home(row: dict[str, Any], of: dict[str, dict[str, Any]]) -> str:
    campaign = of.get(row["cluster_id"])
    return str(row["cluster_id"] if campaign is None else campaign["campaign_id"])


def _campaign(findings: Findings, row: dict[str, Any]) -> str:
    seen = set(findings.clusters["cluster_id"].to_list())
    ids = [name for name in row["cluster_ids"] if name in seen]
    first, why = campaign_headline({**row, "cluster_ids": ids, "n_clusters": len(ids)})
    name = shown(row["campaign_id"])
    return f'<h3 id="campaign-{name}">Campaign {name}</h3>' + paragraphs(
        findings.lines((f"{first}.", f"{why}."))
    )


def _card(findings: Findings, around: Held, row: dict[str, Any]) -> str:
    name = row["cluster_id"]
    document = explain_cluster(around, name, rule=None, posts=POSTS)
    fired = set(row["flags"])
    parts = findings.parts(document)
    heading = (
        f'<h3 id="cluster-{shown(name)}">{shown(name)}: {row["n_accounts"]:,} accounts, {sureness(row["score"])} signs '
        f"({row['score']:.2f})</h3>"
    )
    why = [part for part in parts if part.heading in fired]
    others = [
        part for part in parts if part.heading not in fired and part.heading != "What cannot be known here"
    ]
    figures = {f"{one.__name__}-{name}": one(findings.study, name) for one in _PICTURES}
    body = [heading, *(_part(part, name) for part in others if part.heading == "In short")]
    body += [
        _reasons(why, name),
        drawn(findings, figures),
        _sites(findings, name),
    ]
    body += [_part(part, name) for part in others if part.heading != "In short"]
    return f'<article class="card" aria-labelledby="cluster-{shown(name)}">{"".join(body)}</article>'


def _reasons(parts: list[Part], name: str) -> str:
    """Return why it is flagged: a line a rule, with the posts that show it; those of the first stand side by side."""
    inside, first = [], ""
    for k, part in enumerate(parts):
        line, *more = part.lines
        said = f"{part.heading}: {line}"
        rows = "" if part.table is None else table(part.table, f"Posts of {name} that show {part.heading}")
        if k == 0 and part.table is not None:
            first = f"<h4>{part.table.height:,} posts side by side</h4>{paragraphs(more)}{rows}"
        alone = f"<p>{prose(said)}</p>" + ("" if rows else paragraphs(more))
        inside.append(folded(said, paragraphs(more) + rows) if rows and k else alone)
    return f"<h4>Why it is flagged</h4>{''.join(inside)}{first}" if inside else ""


def _part(part: Part, name: str) -> str:
    rows = "" if part.table is None else table(part.table, f"{part.heading}: {name}")
    body = paragraphs(part.lines) + rows
    if not body:
        return ""
    if part.heading in _OPEN:
        return f"<h4>{shown(part.heading)}</h4>{body}"
    return folded(part.heading, body)


def _sites(findings: Findings, name: str) -> str:
    """Return the sites that a cluster's members shared most often."""
    members = findings.study.scan("members").filter(cluster_id=name).select("account_id")
    shares = findings.study.scan("shares").filter(trace="url").join(members, on="account_id", how="semi")
    objects = findings.study.scan("objects").filter(trace="url").select("object_id", "site")
    found = (
        shares.join(objects, on="object_id")
        .group_by("site")
        .agg(shares=pl.len(), links=pl.col("object_id").n_unique(), accounts=pl.col("account_id").n_unique())
        .drop_nulls("site")
        .sort(["shares", "site"], descending=[True, False])
        .head(_SITES)
        .collect()
    )
    return folded(f"The sites that they shared most ({found.height})", table(found, f"Sites shared by {name}")) if (
        found.height
    ) else ""  # fmt: skip
