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
    from propgraph.words.said import tell

    found, sites = study.clusters, study.sites
    flagged = found.filter("flagged")
    seeded = sites.filter(flagged_sites(sites))
    counts = study.run["clusters"]["counts"]
    say(
        tell(
            "screen.flagged", n=flagged.height, n_all=found.height, n_accounts=counts["flagged_accounts"],
            n_sites=seeded.height, all_sites=sites.height,
        )
    )  # fmt: skip
    nearest = found.filter(~pl.col("flagged") & (pl.col("score") > 0)).head(min(top, _NEAREST))
    if not found.height:
        say(nothing_found(study.run["clusters"]))
    elif not flagged.height:
        say(tell("screen.none-stands-out"))
    shown = flagged.head(top)
    _show_clusters(_with_stability(shown, study), campaigns=_campaigns(study))
    _more(flagged.height, top, "clusters")
    if nearest.height:
        say()
        say(tell("screen.nearest"))
        _show_clusters(_with_stability(nearest, study), campaigns={})
    _show_readings(pl.concat([shown["innocent"], nearest["innocent"]]))
    show_boosts(study, top=min(top, 1))
    if seeded.height:
        _show_sites(seeded.head(top))
        _more(seeded.height, top, "sites")
    _show_alone(study.evidence, counts)
    _show_quotas(study)
    _show_lacking(study)
    _show_next(study, flagged if flagged.height else nearest, written)


def _show_lacking(study: Study) -> None:
    """Say which tables an earlier version did not make, and what makes them."""
    from propgraph.cli.output import say
    from propgraph.schema import tables_of
    from propgraph.words.said import tell

    if lacking := [name for name in tables_of("clusters") if name not in study.tables]:
        path = shlex.quote(str(study.path))
        say()
        say(tell("screen.lacking", tables=lacking, study=path))


def _show_clusters(clusters: pl.DataFrame, *, campaigns: Mapping[str, Mapping[str, Any]]) -> None:
    """Print a line a cluster, those of one campaign below a line of its own, where its first cluster stands."""
    from propgraph.cli.output import say, say_table
    from propgraph.words.said import tell

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
    header = tell("screen.cluster-columns").split("|")
    say_table(header, lines)


def _campaign_line(row: Mapping[str, Any]) -> tuple[Sequence[str], Sequence[str]]:
    from propgraph.report.words import campaign_headline, days, sureness
    from propgraph.words.said import formatted, tell

    _, *why = campaign_headline(dict(row))
    cells = (
        row["campaign_id"], f"{formatted(row['score'], 'n2')} {sureness(row['score'])}",
        formatted(row["n_accounts"], "n"), days(row["first_time"], row["last_time"]), "",
        tell("screen.one-crowd", n=row["n_clusters"]),
    )  # fmt: skip
    return cells, why


def _cluster_line(row: Mapping[str, Any], *, inside: bool) -> tuple[Sequence[str], Sequence[str]]:
    from propgraph.report.words import days, held_in, rule_name, sureness
    from propgraph.words.said import formatted, tell

    reasons = ", ".join(map(rule_name, row["flags"][:_REASONS]))
    if len(row["flags"]) > _REASONS:
        reasons += f" +{len(row['flags']) - _REASONS}"
    below = (
        [tell("screen.also-fits", readings=list(map(rule_name, row["innocent"])))] if row["innocent"] else []
    )
    if row.get("n_runs"):
        below.append(held_in(row))
    cells = (
        ("  " if inside else "") + row["cluster_id"], f"{formatted(row['score'], 'n2')} {sureness(row['score'])}",
        formatted(row["n_accounts"], "n"), days(row["first_time"], row["last_time"]),
        "" if row["n_objects"] is None else formatted(row["n_objects"], "n"), reasons,
    )  # fmt: skip
    return cells, below


def _show_readings(innocent: pl.Series) -> None:
    """Say once what each innocent reading that was named means."""
    from propgraph.cli.output import say
    from propgraph.report.words import READINGS, rule_name
    from propgraph.words.said import named, tell

    fitting = set(innocent.explode().drop_nulls())
    if fitting:
        say()
    for reading in READINGS:
        if reading in fitting:
            say(tell("words.named", name=rule_name(reading), what=named("meaning", reading)), indent=2)


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
    from propgraph.report.words import with_reason
    from propgraph.words.said import said, tell

    alone = evidence.filter(subject_type="account").sort(["value", "subject_id"], descending=[True, False])
    declared = counts.get("declared_accounts", 0)
    if not alone.is_empty() or declared:
        say()
        also = said("screen.declared", n=declared) if declared else None
        say(tell("screen.alone", n=alone["subject_id"].n_unique(), also=also))
    for row in alone.head(_NEAREST).to_dicts():
        say(f"{row['subject_id']}  {with_reason(row)}", indent=2)
    if alone.height > _NEAREST:
        say(tell("screen.all-of-them", table="evidence"), indent=2)


def _show_next(study: Study, shown: pl.DataFrame, written: Mapping[str, Path | None]) -> None:
    from propgraph.cli.output import say
    from propgraph.words.said import tell

    say()
    say(tell("screen.no-verdict"))
    if shown.height:
        command = shlex.join(
            ["propgraph", "explain", str(study.path), shown["cluster_id"][0], *_in_language()]
        )
        say(f"{tell('screen.next'):<10}{command}  ({tell('screen.next-is')})", wrap=False)
    page = shlex.join(["propgraph", "report", str(study.path), "-o", "report.html", *_in_language()])
    say(f"{tell('screen.page'):<10}{page}  ({tell('screen.page-is')})", wrap=False)
    say(f"{tell('screen.study'):<10}{study.path}", wrap=False)
    say(f"{tell('screen.members'):<10}{study.file('members')}  ({tell('screen.members-are')})", wrap=False)
    for label, path in written.items():
        if path is not None:
            say(f"{label:<10}{path}" + ("" if label == "stix" else f"  ({tell('screen.gephi')})"), wrap=False)


def _in_language() -> list[str]:
    """Return the option by which another command is told in the same language."""
    from propgraph.words.said import ENGLISH, language

    return [] if language() == ENGLISH else ["--language", language()]


def _with_stability(clusters: pl.DataFrame, study: Study) -> pl.DataFrame:
    """Add in how many runs each cluster holds, where `propgraph stability` went through the study."""
    if "stability" not in study.run:
        return clusters
    return clusters.join(study.stability, on="cluster_id", how="left", maintain_order="left")


def _more(n: int, top: int, table: str) -> None:
    from propgraph.cli.output import say
    from propgraph.words.said import tell

    if n > top:
        say(tell("screen.more", n=n - top, n_all=n, table=table))


def _campaigns(study: Study) -> dict[str, dict[str, Any]]:
    """Return the campaigns of several clusters, by id; none where an earlier version found the clusters."""
    if "campaigns" not in study.tables:
        return {}
    campaigns = study.campaigns
    return {row["campaign_id"]: row for row in campaigns.filter(campaigns["n_clusters"] > 1).to_dicts()}


def _show_sites(sites: pl.DataFrame) -> None:
    from propgraph.cli.output import say, say_table
    from propgraph.report.words import rule_name
    from propgraph.words.said import formatted, tell

    say()
    counts, parts = ("n_urls", "n_shares", "n_accounts"), ("early_share", "coordinated_share")
    lines = [
        (
            (row["site"], formatted(row["score"], "n2"), *(formatted(row[name], "n") for name in counts),
             *(formatted(row[name], "%") for name in parts), row["top_cluster_id"] or "",
             ", ".join(map(rule_name, row["flags"]))),
            (),
        )
        for row in sites.to_dicts()
    ]  # fmt: skip
    say_table(tell("screen.site-columns").split("|"), lines)
    say(tell("screen.first-and-all"))
