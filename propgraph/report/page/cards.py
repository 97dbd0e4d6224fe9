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
from propgraph.words.said import tell

#: So many clusters have a card each; the tables of the annex hold all of them.
MOST = 100
_PICTURES = (heat_map, gaps, bar_code, creation, early_share, waterfall)
_SITES = 10
# Parts that stand open; all others open at a click.
_OPEN = frozenset(("short", "readings", "weighed", "holds", "overturn"))


def cards(findings: Findings) -> str:
    """Return a card for each flagged cluster, in the order of the highest score of their campaigns."""
    flagged = findings.flagged
    if flagged.is_empty():
        return f"<p>{tell('cards.none')}</p>"
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
        parts.append(f"<p>{tell('cards.highest', n=MOST, n_all=flagged.height)}</p>")
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
    lines = (tell("words.sentence", what=line) for line in (first, why))
    heading = tell("cards.campaign", campaign=row["campaign_id"])
    return f'<h3 id="campaign-{name}">{shown(heading)}</h3>' + paragraphs(findings.lines(lines))


def _card(findings: Findings, around: Held, row: dict[str, Any]) -> str:
    name = row["cluster_id"]
    document = explain_cluster(around, name, rule=None, posts=POSTS)
    fired = set(row["flags"])
    parts = findings.parts(document)
    title = tell(
        "cards.cluster", cluster=name, n=row["n_accounts"], signs=sureness(row["score"]), score=row["score"]
    )
    heading = f'<h3 id="cluster-{shown(name)}">{shown(title)}</h3>'
    why = [part for part in parts if part.name in fired]
    others = [part for part in parts if part.name not in fired and part.name != "unknown"]
    figures = {f"{one.__name__}-{name}": one(findings.study, name) for one in _PICTURES}
    body = [heading, *(_part(part, name) for part in others if part.name == "short")]
    body += [
        _reasons(why, name),
        drawn(findings, figures),
        _sites(findings, name),
    ]
    body += [_part(part, name) for part in others if part.name != "short"]
    return f'<article class="card" aria-labelledby="cluster-{shown(name)}">{"".join(body)}</article>'


def _reasons(parts: list[Part], name: str) -> str:
    """Return why it is flagged: a line a rule, with the posts that show it; those of the first stand side by side."""
    inside, first = [], ""
    for k, part in enumerate(parts):
        line, *more = part.lines
        told = tell("words.named", name=part.heading, what=line)
        caption = tell("cards.posts-that-show", cluster=name, rule=part.heading)
        rows = "" if part.table is None else table(part.table, caption)
        if k == 0 and part.table is not None:
            beside = tell("cards.side-by-side", n=part.table.height)
            first = f"<h4>{shown(beside)}</h4>{paragraphs(more)}{rows}"
        alone = f"<p>{prose(told)}</p>" + ("" if rows else paragraphs(more))
        inside.append(folded(told, paragraphs(more) + rows) if rows and k else alone)
    return f"<h4>{shown(tell('cards.why'))}</h4>{''.join(inside)}{first}" if inside else ""


def _part(part: Part, name: str) -> str:
    rows = "" if part.table is None else table(part.table, tell("words.named", name=part.heading, what=name))
    body = paragraphs(part.lines) + rows
    if not body:
        return ""
    if part.name in _OPEN:
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
    if found.is_empty():
        return ""
    return folded(tell("cards.sites", n=found.height), table(found, tell("cards.sites-of", cluster=name)))
