"""`propgraph clusters`: a study's flagged clusters and sites, and why."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from propgraph.cli.config import Config
from propgraph.cli.options import FLAGGED, Language, check_suffixes, option_of
from propgraph.options import ClusterOptions

if TYPE_CHECKING:
    from propgraph.study import Study

FORMATS = ("table", "json", "csv", "parquet")


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
    articles: Annotated[list[Path] | None, typer.Option("--articles", metavar="FILE", help="The texts behind links, for the table copies and the flag of that name: a table with the columns url and text, and where known title and published. Repeatable.", show_default=False)] = None,
    known_sites: Annotated[Path | None, typer.Option("--known-sites", metavar="FILE", help="Well-known sites whose names others may imitate: a table with the column site.  [default: those that most accounts of the log share]", show_default=False)] = None,
    ads: Annotated[list[Path] | None, typer.Option("--ads", metavar="FILE", help="Adverts, for the table boosts: an export of Meta's Ad Library or Google's political ads transparency bundle, or a table with the columns ad_id and url (or site). Repeatable.", show_default=False)] = None,
    prices: Annotated[Path | None, typer.Option("--prices", metavar="FILE", help="What profiles, clicks, tasks and likes are sold for, for the table costs: a table with the columns item, low, high, currency and source.  [default: propgraph's own, with its sources]", show_default=False)] = None,
    sites: Annotated[list[Path] | None, typer.Option("--sites", metavar="FILE", help="A table of facts about sites (CSV, TSV, JSON, Parquet): site, and any of registrant, registered, ad_id, analytics_id, ip, network, owner, label, title, kind, ... Nothing is fetched. Repeatable.  [default: those that the study has]", show_default=False)] = None,
    names_from: Annotated[str | None, typer.Option("--names-from", metavar="STUDY", help="A cluster that goes on from one of that study keeps its name; none numbers them by their score.  [default: what they were called before the last `build --append`, if they were]", show_default=False)] = None,
    threads: Annotated[int | None, typer.Option("--threads", metavar="N", help="At most so many at once.  [default: one a processor]", show_default=False)] = None,
    graphml: Annotated[Path | None, typer.Option("--graphml", metavar="FILE", help="Write the network for Gephi.", show_default=False)] = None,
    gexf: Annotated[Path | None, typer.Option("--gexf", metavar="FILE", help="The same as GEXF, with times, for Gephi's timeline and Gephi Lite.", show_default=False)] = None,
    stix: Annotated[Path | None, typer.Option("--stix", metavar="FILE", help="Write flagged clusters as a STIX 2.1 bundle; with pip install 'propgraph[stix]'.", show_default=False)] = None,
    format: Annotated[str, typer.Option("--format", metavar="table|json|csv|parquet", help="What goes to stdout: a summary to read, or one table as data.")] = "table",
    table: Annotated[str | None, typer.Option("--table", metavar="NAME", help="Which table as data, with --format csv, json or parquet: clusters, campaigns, recruiters, quotas, sites, site_pairs, operators, copies, members, evidence, pair_evidence, readings, tried_readings, costs, boosts, account_scores, network, synchrony, amplification, spreaders.  [default: clusters]", show_default=False)] = None,
    top: Annotated[int, typer.Option("--top", metavar="N", help="Show at most N clusters and N sites.")] = 10,
    language: Language = "en",
    exit_code: Annotated[bool, typer.Option("--exit-code", help="End with 3 where a cluster or a site is flagged.")] = False,
    config: Config = None,
) -> None:  # fmt: skip
    """Find communities in a study, flag organised clusters and seeded sites, and say why.

    Called again without an option about the analysis, it shows what was found before.
    """
    from propgraph.cli.output import err, progress
    from propgraph.errors import UsageError, check_at_least, check_choice
    from propgraph.schema import tables_of
    from propgraph.study import Study, unchanged
    from propgraph.words.said import read_in
    from propgraph.words.sentences import LANGUAGES

    check_choice("format", format, FORMATS)
    check_choice("table", table or "clusters", tables_of("clusters"))
    if table and format == "table":
        raise UsageError(f"{table}: tables go out as data; add --format csv, json or parquet", option="table")
    check_at_least("top", top, 0)
    check_choice("language", language, LANGUAGES)
    check_suffixes(graphml, gexf)
    given = {
        "trace": trace, "evidence": evidence, "q": q, "neighbours": neighbours, "multiplex": multiplex, "objective": objective, "resolution": resolution, "partition": partition, "seed": seed,
        "min_size": min_size, "min_score": min_score, "articles": articles, "known_sites": known_sites, "ads": ads, "prices": prices, "sites": sites or None, "names_from": names_from,
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
        written = {"graphml": graphml, "gexf": gexf, "stix": stix}
        _write(found, written)
        if format == "table":
            from propgraph.cli.findings import show

            with read_in(language):
                show(found, top=top, written=written)
        else:
            from propgraph.export.tables import render

            sys.stdout.buffer.write(render(found.scan(table or "clusters").collect(), format))
            sys.stdout.buffer.flush()
            for path in written.values():
                if path is not None:
                    err(f"wrote {path}")
    counts = found.run["clusters"]["counts"]
    if exit_code and (counts["flagged_clusters"] or counts["flagged_sites"]):
        raise typer.Exit(FLAGGED)


def _write(study: Study, files: dict[str, Path | None]) -> None:
    """Write what is asked for."""
    for kind, path in files.items():
        if path is None:
            continue
        if kind == "stix":
            from propgraph.export.stix import write_stix

            write_stix(path, study)
        else:
            from propgraph.export.network import write_network

            write_network(path, study, seed=study.run["clusters"]["parameters"]["seed"])


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
    return (", ".join(value) or "none") if isinstance(value, list) else str(value)
