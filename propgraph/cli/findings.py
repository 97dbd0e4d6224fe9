"""What `propgraph clusters` found, on one screen: a line a campaign or cluster, and what to type next."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

    from propgraph.study import Study

NOTHING_WRITTEN: Mapping[str, Path | None] = {}
_NEAREST, _REASONS = 3, 2


def show(study: Study, *, top: int = 10, written: Mapping[str, Path | None] = NOTHING_WRITTEN) -> None:
    """Print the flagged clusters and sites of a study, the nearest others, and how to see more of each."""
    import polars as pl

    from propgraph.cli.money import show_boosts
    from propgraph.cli.output import say
    from propgraph.report.words import nothing_found
    from propgraph.schema.sites import flagged_sites

    found, sites = study.clusters, study.sites
    flagged = found.filter("flagged")
    seeded = sites.filter(flagged_sites(sites))
    counts = study.run["clusters"]["counts"]
    say(
        f"{flagged.height:,} of {found.height:,} clusters flagged ({counts['flagged_accounts']:,} accounts), "
        f"{seeded.height:,} of {sites.height:,} sites flagged"
    )
    nearest = found.filter(~pl.col("flagged") & (pl.col("score") > 0)).head(min(top, _NEAREST))
    if not found.height:
        say(nothing_found(study.run["clusters"]))
    elif not flagged.height:
        say("No cluster stands out from what the rest of the log does.")
    shown = flagged.head(top)
    _show_clusters(_with_stability(shown, study), campaigns=_campaigns(study))
    _more(flagged.height, top, "clusters")
    if nearest.height:
        say()
        say("Not flagged, the nearest to it:")
        _show_clusters(_with_stability(nearest, study), campaigns={})
    _show_readings(pl.concat([shown["innocent"], nearest["innocent"]]))
    show_boosts(study, top=min(top, 1))
    if seeded.height:
        _show_sites(seeded.head(top))
        _more(seeded.height, top, "sites")
    _show_alone(study.evidence, counts)
    _show_quotas(study)
    _show_next(study, flagged if flagged.height else nearest, written)


def _show_clusters(clusters: pl.DataFrame, *, campaigns: Mapping[str, Mapping[str, Any]]) -> None:
    """Print a line a cluster, those of one campaign below a line of its own, where its first cluster stands."""
    from propgraph.cli.output import say, say_table

    if clusters.is_empty():
        return
    rows = clusters.to_dicts()
    place: dict[str, int] = {}
    for k, row in enumerate(rows):
        place.setdefault(row.get("campaign_id") or row["cluster_id"], k)
    rows.sort(key=lambda row: place[row.get("campaign_id") or row["cluster_id"]])
    told: set[str] = set()
    lines: list[tuple[Sequence[str], Sequence[str]]] = []
    for row in rows:
        name = row.get("campaign_id") or ""
        inside = name in campaigns
        if inside and name not in told:
            told.add(name)
            lines.append(_campaign_line(campaigns[name]))
        lines.append(_cluster_line(row, inside=inside))
    say()
    say_table(("", "score", "accounts", "when", "shared", "main reasons"), lines)


def _campaign_line(row: Mapping[str, Any]) -> tuple[Sequence[str], Sequence[str]]:
    from propgraph.report.words import campaign_headline, days, sureness

    _, *why = campaign_headline(dict(row))
    cells = (
        row["campaign_id"], f"{row['score']:.2f} {sureness(row['score'])}", f"{row['n_accounts']:,}",
        days(row["first_time"], row["last_time"]), "", f"one crowd in {row['n_clusters']:,} clusters",
    )  # fmt: skip
    return cells, why


def _cluster_line(row: Mapping[str, Any], *, inside: bool) -> tuple[Sequence[str], Sequence[str]]:
    from propgraph.report.words import days, sureness

    reasons = ", ".join(row["flags"][:_REASONS])
    if len(row["flags"]) > _REASONS:
        reasons += f" +{len(row['flags']) - _REASONS}"
    below = [f"also fits: {', '.join(row['innocent'])}"] if row["innocent"] else []
    if row.get("n_runs"):
        below.append(f"holds in {round(row['holds_share'] * row['n_runs']):,} of {row['n_runs']:,} runs")
    cells = (
        ("  " if inside else "") + row["cluster_id"], f"{row['score']:.2f} {sureness(row['score'])}",
        f"{row['n_accounts']:,}", days(row["first_time"], row["last_time"]),
        "" if row["n_objects"] is None else f"{row['n_objects']:,}", reasons,
    )  # fmt: skip
    return cells, below


def _show_readings(innocent: pl.Series) -> None:
    """Say once what each innocent reading that was named means."""
    from propgraph.cli.output import say
    from propgraph.report.words import READINGS

    named = set(innocent.explode().drop_nulls())
    if named:
        say()
    for reading, meaning in READINGS.items():
        if reading in named:
            say(f"{reading}: {meaning}", indent=2)


def _show_quotas(study: Study) -> None:
    """Print the counts at which objects of the whole log stop; none where an earlier version found the clusters."""
    from propgraph.cli.output import say
    from propgraph.report.quotas import quota_sentence

    for row in study.quotas.to_dicts() if "quotas" in study.tables else ():
        say()
        say(quota_sentence(row))


def _show_alone(evidence: pl.DataFrame, counts: Mapping[str, int]) -> None:
    """Print what stands out of accounts on their own, of those with most posts; and how many say what they are."""
    from propgraph.cli.output import say

    alone = evidence.filter(subject_type="account").sort(["value", "subject_id"], descending=[True, False])
    declared = counts.get("declared_accounts", 0)
    if not alone.is_empty() or declared:
        say()
        say(f"Accounts on their own: {alone['subject_id'].n_unique():,}" + (
            f", and {declared:,} more that bear the site's name or say that they are feeds" if declared else ""
        ))  # fmt: skip
    for row in alone.head(_NEAREST).to_dicts():
        say(f"{row['subject_id']}  {row['rule']}: {row['sentence']}", indent=2)
    if alone.height > _NEAREST:
        say("... all of them: --format csv --table evidence", indent=2)


def _show_next(study: Study, shown: pl.DataFrame, written: Mapping[str, Path | None]) -> None:
    from propgraph.cli.output import say

    say()
    say("A flag is a reason to look, not a verdict: it says how accounts act, not who they are.")
    if shown.height:
        command = shlex.join(["propgraph", "explain", str(study.path), shown["cluster_id"][0]])
        say(f"next      {command}  (the posts that show it, who, and what else would fit)", wrap=False)
    page = shlex.join(["propgraph", "report", str(study.path), "-o", "report.html"])
    say(f"page      {page}  (all of it, to read, to print, to hand over)", wrap=False)
    say(f"study     {study.path}", wrap=False)
    say(f"members   {study.file('members')}  (who; or --format csv --table members)", wrap=False)
    for label, path in written.items():
        if path is not None:
            say(f"{label:<10}{path}" + ("" if label == "stix" else "  (open it in Gephi)"), wrap=False)


def _with_stability(clusters: pl.DataFrame, study: Study) -> pl.DataFrame:
    """Add in how many runs each cluster holds, where `propgraph stability` went through the study."""
    if "stability" not in study.run:
        return clusters
    return clusters.join(study.stability, on="cluster_id", how="left", maintain_order="left")


def _more(n: int, top: int, table: str) -> None:
    from propgraph.cli.output import say

    if n > top:
        say(f"... and {n - top:,} more: add --top {n}, or --format csv --table {table} for all figures")


def _campaigns(study: Study) -> dict[str, dict[str, Any]]:
    """Return the campaigns of several clusters, by id; none where an earlier version found the clusters."""
    if "campaigns" not in study.tables:
        return {}
    campaigns = study.campaigns
    return {row["campaign_id"]: row for row in campaigns.filter(campaigns["n_clusters"] > 1).to_dicts()}


def _show_sites(sites: pl.DataFrame) -> None:
    from propgraph.cli.output import say, say_table

    say()
    lines = [
        (
            (row["site"], f"{row['score']:.2f}", f"{row['n_urls']:,}", f"{row['n_shares']:,}", f"{row['n_accounts']:,}",
             f"{row['early_share']:.0%}", f"{row['coordinated_share']:.0%}", row["top_cluster_id"] or "",
             ", ".join(row["flags"])),
            (),
        )
        for row in sites.to_dicts()
    ]  # fmt: skip
    say_table(("site", "score", "URLs", "shares", "accounts", "first", "all", "cluster", "reasons"), lines)
    say("first, all: the part made by flagged clusters, of each URL's first ten shares and of all")
