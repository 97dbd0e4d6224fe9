"""`propgraph clusters`: a study's flagged clusters and sites, and why."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from propgraph.cli.money import costs_told, show_boosts
from propgraph.cli.options import option_of
from propgraph.options import ClusterOptions

if TYPE_CHECKING:
    import polars as pl

    from propgraph.study import Study

FORMATS = ("table", "json", "csv", "parquet")

_NEAREST = 3
NOTHING_WRITTEN: Mapping[str, Path | None] = {}
_REASONED = 3  # of the sites so many are told why; the table `evidence` has all


def clusters(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="A study that `propgraph build` made.", show_default=False)],
    trace: Annotated[list[str] | None, typer.Option("--trace", metavar="NAME", help="Traces that make the network. Repeatable.  [default: object, reshare and url, or all where there is none of these]", show_default=False)] = None,
    evidence: Annotated[str | None, option_of(ClusterOptions, "evidence", unset=True)] = None,
    q: Annotated[float | None, option_of(ClusterOptions, "q", unset=True)] = None,
    neighbours: Annotated[int | None, option_of(ClusterOptions, "neighbours", unset=True)] = None,
    multiplex: Annotated[bool | None, option_of(ClusterOptions, "multiplex", unset=True)] = None,
    objective: Annotated[str | None, option_of(ClusterOptions, "objective", unset=True)] = None,
    resolution: Annotated[float | None, option_of(ClusterOptions, "resolution", unset=True)] = None,
    partition: Annotated[str | None, option_of(ClusterOptions, "partition", unset=True)] = None,
    seed: Annotated[int | None, option_of(ClusterOptions, "seed", unset=True)] = None,
    min_size: Annotated[int | None, option_of(ClusterOptions, "min_size", unset=True)] = None,
    min_score: Annotated[float | None, option_of(ClusterOptions, "min_score", unset=True)] = None,
    ads: Annotated[list[Path] | None, typer.Option("--ads", metavar="FILE", help="Adverts, for the table boosts: an export of Meta's Ad Library or Google's political ads transparency bundle, or a table with the columns ad_id and url (or site). Repeatable.", show_default=False)] = None,
    prices: Annotated[Path | None, typer.Option("--prices", metavar="FILE", help="What profiles, clicks, tasks and likes are sold for, for the table costs: a table with the columns item, low, high, currency and source.  [default: propgraph's own, with its sources]", show_default=False)] = None,
    sites: Annotated[list[Path] | None, typer.Option("--sites", metavar="FILE", help="A table of facts about sites (CSV, TSV, JSON, Parquet): site, and any of registrant, registered, ad_id, analytics_id, ip, network, owner, label, title, kind, ... Nothing is fetched. Repeatable.  [default: those that the study has]", show_default=False)] = None,
    threads: Annotated[int | None, typer.Option("--threads", metavar="N", help="At most so many at once.  [default: one a processor]", show_default=False)] = None,
    graphml: Annotated[Path | None, typer.Option("--graphml", metavar="FILE", help="Write the network for Gephi.", show_default=False)] = None,
    gexf: Annotated[Path | None, typer.Option("--gexf", metavar="FILE", help="The same as GEXF, with times, for Gephi's timeline and Gephi Lite.", show_default=False)] = None,
    format: Annotated[str, typer.Option("--format", metavar="table|json|csv|parquet", help="What goes to stdout: a summary to read, or one table as data.")] = "table",
    table: Annotated[str | None, typer.Option("--table", metavar="NAME", help="Which table as data, with --format csv, json or parquet: clusters, campaigns, recruiters, sites, site_pairs, operators, members, evidence, readings, costs, boosts, account_scores, network, synchrony, amplification, spreaders.  [default: clusters]", show_default=False)] = None,
    top: Annotated[int, typer.Option("--top", metavar="N", help="Show at most N clusters and N sites.")] = 10,
) -> None:  # fmt: skip
    """Find communities in a study, flag organised clusters and seeded sites, and say why.

    Called again without an option about the analysis, it shows what was found before.
    """
    from propgraph.cli.output import err, progress
    from propgraph.errors import UsageError, check_at_least, check_choice
    from propgraph.schema import tables_of
    from propgraph.study import Study, unchanged

    check_choice("format", format, FORMATS)
    check_choice("table", table or "clusters", tables_of("clusters"))
    if table and format == "table":
        raise UsageError(f"{table}: tables go out as data; add --format csv, json or parquet", option="table")
    check_at_least("top", top, 0)
    _check_suffixes(graphml, gexf)
    given = {
        "trace": trace, "evidence": evidence, "q": q, "neighbours": neighbours, "multiplex": multiplex, "objective": objective, "resolution": resolution, "partition": partition, "seed": seed,
        "min_size": min_size, "min_score": min_score, "ads": ads, "prices": prices, "sites": sites or None,
    }  # fmt: skip
    options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    found = Study.open(study)
    # Without a word on the analysis, what was found before is shown again, not made anew by other rules.
    if options or "clusters" not in found.run:
        from propgraph.jobs.clusters import find_clusters

        before = found.run
        with progress() as tell:
            found = find_clusters(study, threads=threads, progress=tell, **options)
        _tell_replaced(before, found.run)
        for note in found.run["clusters"]["notes"]:
            err(f"note: {note}")
    with unchanged(found):
        written = {"graphml": graphml, "gexf": gexf}
        for path in written.values():
            if path is not None:
                from propgraph.export.network import write_network

                write_network(path, found, seed=found.run["clusters"]["parameters"]["seed"])
        if format == "table":
            show(found, top=top, written=written)
            return
        from propgraph.export.tables import render

        sys.stdout.buffer.write(render(found.scan(table or "clusters").collect(), format))
        sys.stdout.buffer.flush()
        for path in written.values():
            if path is not None:
                err(f"wrote {path}")


def _check_suffixes(graphml: Path | None, gexf: Path | None) -> None:
    from propgraph.errors import UsageError

    if graphml is not None and graphml.suffix.lower() == ".gexf":
        raise UsageError(f"{graphml}: that is called GEXF; write it with --gexf", option="graphml")
    if gexf is not None and gexf.suffix.lower() != ".gexf":
        raise UsageError(
            f"{gexf}: call it {gexf.with_suffix('.gexf').name}, or Gephi does not know what it is",
            option="gexf",
        )


def _tell_replaced(before: dict[str, Any], now: dict[str, Any]) -> None:
    """Tell by which other choices the clusters were found that are replaced, and what went with them.

    Choices that nobody spoke of this time are the default ones again, and may be others than before, too.
    """
    from propgraph.cli.output import err

    if "clusters" not in before:
        return
    old, new = (run["clusters"]["parameters"] for run in (before, now))
    changed = [name for name in new if name != "threads" and name in old and old[name] != new[name]]
    if changed:
        told = ", ".join(f"{name} {_in_words(old[name])}" for name in changed)
        err(f"this replaced what was found before by other choices ({told}); copy a study to keep both")
    for job in ("stability", "power"):
        if job in before:
            err(f"the table {job} was about those clusters and is taken out; run `propgraph {job}` again")


def _in_words(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, list) else str(value)


def show(study: Study, *, top: int = 10, written: Mapping[str, Path | None] = NOTHING_WRITTEN) -> None:
    """Print the flagged clusters and sites of a study, and why they are flagged."""
    import polars as pl

    from propgraph.cli.output import say
    from propgraph.report.words import nothing_found

    found, sites = study.clusters, study.sites
    flagged = found.filter("flagged")
    seeded = sites.filter(_flagged(sites))
    counts = study.run["clusters"]["counts"]
    say(
        f"{flagged.height:,} of {found.height:,} clusters flagged ({counts['flagged_accounts']:,} accounts), "
        f"{seeded.height:,} of {sites.height:,} sites flagged"
    )
    if flagged.height:
        shown = _with_stability(flagged.head(top), study)
        _show_clusters(
            shown, study.evidence, _readings(study), campaigns=_campaigns(study), costs=costs_told(study)
        )
        _more(flagged.height, top, "clusters")
    elif found.height:
        say("No cluster stands out from what the rest of the log does.")
    else:
        say(nothing_found(study.run["clusters"]))
    nearest = found.filter(~pl.col("flagged") & (pl.col("score") > 0)).head(min(top, _NEAREST))
    _show_nearest(nearest, _readings(study))
    show_boosts(study, top=min(top, _NEAREST))
    if seeded.height:
        _show_sites(seeded.head(top), study.evidence, _readings(study))
        _more(seeded.height, top, "sites")
    _show_alone(study.evidence, counts)
    say()
    say("A flag is a reason to look, not a verdict: it says how accounts act, not who they are.")
    say(f"study     {study.path}", wrap=False)
    say(f"evidence  {study.file('evidence')}  (every reason, with the posts that show it)", wrap=False)
    say(f"members   {study.file('members')}  (who; or --format csv --table members)", wrap=False)
    for label, path in written.items():
        if path is not None:
            say(f"{label:<10}{path}  (open it in Gephi)", wrap=False)


def _show_alone(evidence: pl.DataFrame, counts: dict[str, int]) -> None:
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


def _show_nearest(clusters: pl.DataFrame, readings: pl.DataFrame) -> None:
    """Print a line for each cluster that is not flagged, and the innocent readings that fit it."""
    from propgraph.cli.output import say

    if clusters.is_empty():
        return
    say()
    say("Not flagged, the nearest to it:")
    for row in clusters.to_dicts():
        text = f"{row['cluster_id']}  score {row['score']:.2f}  {row['n_accounts']:,} accounts: {', '.join(row['flags'])}"
        say(text, indent=2)
        if row["innocent"]:
            _show_readings(row, _of(readings, "cluster", row["cluster_id"]))


def _flagged(sites: pl.DataFrame) -> pl.Series:
    """Return which sites are flagged; those of an earlier version were wherever a rule fired."""
    return sites["flagged"] if "flagged" in sites.columns else sites["flags"].list.len() > 0


def _of(rows: pl.DataFrame, kind: str, name: str) -> pl.DataFrame:
    """Return the rows of `evidence` or `readings` about one cluster, campaign or site."""
    return rows.filter((rows["subject_type"] == kind) & (rows["subject_id"] == name))


def _with_stability(clusters: pl.DataFrame, study: Study) -> pl.DataFrame:
    """Add in how many runs each cluster holds, where `propgraph stability` went through the study."""
    if "stability" not in study.run:
        return clusters
    return clusters.join(study.stability, on="cluster_id", how="left", maintain_order="left")


def _more(n: int, top: int, table: str) -> None:
    from propgraph.cli.output import say

    if n > top:
        say(f"... and {n - top:,} more: add --top {n}, or --format csv --table {table} for all figures")


def _readings(study: Study) -> pl.DataFrame:
    """Return what speaks for and against each innocent reading; empty where an earlier version found the clusters."""
    from propgraph.schema import READINGS

    found = study.readings if READINGS.name in study.tables else READINGS.empty()
    return found if "subject_id" in found.columns else READINGS.empty()


def _campaigns(study: Study) -> dict[str, dict[str, Any]]:
    """Return the campaigns of several clusters, by id; none where an earlier version found the clusters."""
    if "campaigns" not in study.tables:
        return {}
    campaigns = study.campaigns
    return {row["campaign_id"]: row for row in campaigns.filter(campaigns["n_clusters"] > 1).to_dicts()}


def _show_clusters(
    flagged: pl.DataFrame,
    evidence: pl.DataFrame,
    readings: pl.DataFrame,
    *,
    campaigns: dict[str, dict[str, Any]],
    costs: dict[str, str],
) -> None:
    """Print each cluster, those of one campaign together under one line, where its first cluster stands."""
    from propgraph.cli.output import say
    from propgraph.report.words import campaign_headline, headline

    rows = flagged.to_dicts()
    told: set[str] = set()
    place: dict[str, int] = {}
    for k, row in enumerate(rows):
        place.setdefault(row.get("campaign_id") or row["cluster_id"], k)
    rows.sort(key=lambda row: place[row.get("campaign_id") or row["cluster_id"]])
    for row in rows:
        say()
        name = row.get("campaign_id") or ""
        if name in campaigns and name not in told:
            told.add(name)
            for line in campaign_headline(campaigns[name]):
                say(line, bold=True)
            _show_reasons(evidence, "campaign", name)
            if name in costs:
                say(costs[name])
            say()
        say(headline(row), bold=True)
        _show_reasons(evidence, "cluster", row["cluster_id"])
        _show_readings(row, _of(readings, "cluster", row["cluster_id"]))
        if name in costs and name not in campaigns:
            say(costs[name], indent=4)


def _show_reasons(evidence: pl.DataFrame, kind: str, name: str) -> None:
    """Print why a cluster, campaign or site is flagged."""
    from propgraph.cli.output import say

    for reason in _of(evidence, kind, name).to_dicts():
        say(f"{reason['rule']}: {reason['sentence']}", indent=4)


def _show_readings(row: dict[str, Any], readings: pl.DataFrame) -> None:
    """Print the innocent readings that fit a cluster, with what speaks for and against each."""
    from propgraph.cli.output import say
    from propgraph.report.words import NO_READING, also_fits

    if not row["innocent"]:
        say(NO_READING, indent=4)
    elif readings.is_empty():
        say(also_fits(row), indent=4)
    for fit in readings.to_dicts():
        _show_fit(fit)


def _show_fit(fit: dict[str, Any]) -> None:
    """Print an innocent reading, with what speaks for and against it."""
    from propgraph.cli.output import say
    from propgraph.report.words import READINGS

    say(f"also fits: {READINGS[fit['reading']]}", indent=4)
    say(f"for: {fit['speaks_for']}", indent=6)
    say(f"against: {fit['speaks_against']}", indent=6)


def _show_sites(sites: pl.DataFrame, evidence: pl.DataFrame, readings: pl.DataFrame) -> None:
    from rich.cells import cell_len, set_cell_size

    from propgraph.cli.output import WIDTH, say
    from propgraph.export.text import clean_terminal

    say()
    if sites.is_empty():
        return
    header = ("score", "URLs", "shares", "accounts", "first shares", "all shares", "cluster")
    rows = [
        (f"{row['score']:.2f}", f"{row['n_urls']:,}", f"{row['n_shares']:,}", f"{row['n_accounts']:,}",
         f"{row['early_share']:.0%}", f"{row['coordinated_share']:.0%}", row["top_cluster_id"] or "")
        for row in sites.to_dicts()
    ]  # fmt: skip
    widths = [max(map(len, column)) + 2 for column in zip(header, *rows, strict=True)]
    width = min(WIDTH - sum(widths), 40)
    names = ["flagged site", *(clean_terminal(site, width=width) for site in sites["site"])]
    width = max(map(cell_len, names))
    for k, (name, cells) in enumerate(zip(names, (header, *rows), strict=True)):
        figures = "".join(f"{cell:>{n}}" for cell, n in zip(cells, widths, strict=True))
        say(set_cell_size(name, width) + figures, bold=k == 0, wrap=False)
    say("first shares, all shares: the part made by flagged clusters, of each URL's first ten and of all")
    for row in sites.head(_REASONED).to_dicts():
        say()
        say(f"{clean_terminal(row['site'], width=60)}  score {row['score']:.2f}", bold=True)
        _show_reasons(evidence, "site", row["site"])
        for fit in _of(readings, "site", row["site"]).to_dicts():
            _show_fit(fit)
