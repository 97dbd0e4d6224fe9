"""`propgraph build`: logs to a study."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from propgraph.cli.config import Config
from propgraph.cli.options import option_of
from propgraph.options import CascadeOptions, ClockOptions, WindowOptions

if TYPE_CHECKING:
    from propgraph.study import Study


def build(
    context: typer.Context,
    logs: Annotated[
        list[str],
        typer.Argument(metavar="LOG", help="Files, folders or globs, - for standard input: CSV, TSV, JSON, NDJSON, Parquet, Arrow; .xlsx; packed (.gz, .zst, .bz2, .xz) or in a .zip or .tar.", show_default=False),
    ],
    study: Annotated[Path, typer.Option("--study", "-o", metavar="STUDY", help="The folder to make.", show_default=False)],
    format: Annotated[str | None, typer.Option("--format", metavar="NAME", help="Format of the logs; propgraph formats lists them.  [default: found by the content]", show_default=False)] = None,
    mapping: Annotated[list[str] | None, typer.Option("--map", metavar="NAME=COLUMN", help="A column of your own, e.g. account_id=user, timestamp=date+time for two, or account_id=#2 for the second of a table without a header; no others are read, unless the word auto adds those that bear propgraph's own names. Repeatable.", show_default=False)] = None,
    encoding: Annotated[str | None, typer.Option("--encoding", metavar="NAME", help="Encoding of text files without a byte order mark: windows-1252, mac-roman, utf-16-le.  [default: UTF-8, or a guess]", show_default=False)] = None,
    skip_lines: Annotated[int | None, typer.Option("--skip-lines", metavar="N", help="Lines before the header of a table.  [default: found by the names in it]", show_default=False)] = None,
    time_format: Annotated[str | None, typer.Option("--time-format", metavar="PATTERN", help="How the times are written, as for strptime, e.g. '%d.%m.%Y %H:%M'.  [default: found by the content]", show_default=False)] = None,
    time_zone: Annotated[str | None, typer.Option("--time-zone", metavar="ZONE", help="Whose clocks times without a zone are by, e.g. Europe/Paris.  [default: UTC]", show_default=False)] = None,
    keep: Annotated[list[str] | None, typer.Option("--keep", metavar="COLUMN", help="A column of the log that posts have no place for, kept as it is in the table own_columns; of nested JSON the keys on the way to it, as public_metrics.like_count; all: all columns of tables. With --pseudonymise only what is named. Repeatable.", show_default=False)] = None,
    align_clocks: Annotated[bool, option_of(ClockOptions, "align_clocks")] = ClockOptions.align_clocks,
    trace: Annotated[list[str] | None, typer.Option("--trace", metavar="NAME", help="reshare, fast-reshare, url, domain, hashtag, hashtag-sequence, image, text, object; not unless asked for: near-text (takes longer), order (one thing before another in a session, for crews that take what an app lists; clusters looks for these without it, too), mention, reply (shared by strangers all the time). Repeatable.  [default: all of the former that the log supports]", show_default=False)] = None,
    resolved: Annotated[Path | None, typer.Option("--resolved", metavar="FILE", help="Where short links lead: a table with the columns url and resolved_url. Nothing is ever fetched.", show_default=False)] = None,
    time_window: Annotated[str, option_of(WindowOptions, "time_window")] = f"{WindowOptions.time_window:g}s",
    min_participation: Annotated[int, option_of(WindowOptions, "min_participation")] = WindowOptions.min_participation,
    min_edge_weight: Annotated[int, option_of(WindowOptions, "min_edge_weight")] = WindowOptions.min_edge_weight,
    edge_weight: Annotated[str, option_of(WindowOptions, "edge_weight")] = WindowOptions.edge_weight,
    edge_quantile: Annotated[float, option_of(WindowOptions, "edge_quantile")] = WindowOptions.edge_quantile,
    burst_cap: Annotated[int, option_of(WindowOptions, "burst_cap")] = WindowOptions.burst_cap,
    parents: Annotated[str | None, option_of(CascadeOptions, "parents")] = None,
    follows: Annotated[Path | None, typer.Option("--follows", metavar="FILE", help="Who follows whom: a table with the columns follower_id and followed_id.", show_default=False)] = None,
    sites: Annotated[list[Path] | None, typer.Option("--sites", metavar="FILE", help="A table of facts about sites (CSV, TSV, JSON, Parquet): site, and any of registrant, registered, ad_id, analytics_id, ip, network, owner, label, title, kind, ... Nothing is fetched. Repeatable.", show_default=False)] = None,
    samples: Annotated[int, option_of(CascadeOptions, "samples")] = CascadeOptions.samples,
    seed: Annotated[int, option_of(CascadeOptions, "seed")] = CascadeOptions.seed,
    threads: Annotated[int | None, typer.Option("--threads", metavar="N", help="At most N at once.  [default: one a processor]", show_default=False)] = None,
    pseudonymise: Annotated[bool, typer.Option("--pseudonymise", help="Put pseudonyms in the place of accounts, names and posts, in links to platforms, too, and leave out the texts. Times, hashtags, links to other sites and the inputs' paths stay.")] = False,
    key: Annotated[Path | None, typer.Option("--key", metavar="FILE", help="The key of the pseudonyms, 16 bytes or more.  [default: STUDY.key beside the study, made if it is not there]", show_default=False)] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a study that is there already.")] = False,
    append: Annotated[bool, typer.Option("--append", help="Add the logs to the study, which becomes that of all its logs; only the new ones are read. Makes a study where there is none. Options that are left out are those it was built with; a log that is in it already is left out, too.")] = False,
    config: Config = None,
) -> None:  # fmt: skip
    """Read logs and make a study: posts, shares, accounts, objects, cascades and co-sharing edges."""
    from propgraph.cli.output import err, progress
    from propgraph.cli.output import time_window as parsed
    from propgraph.jobs.build import build as job
    from propgraph.readers.registry import parse_mapping

    options: dict[str, Any] = {
        "format": format, "mapping": parse_mapping(mapping or []), "encoding": encoding, "skip_lines": skip_lines,
        "time_format": time_format, "time_zone": time_zone, "keep": keep or (), "align_clocks": align_clocks, "trace": trace, "resolved": resolved,
        "time_window": parsed("time_window", time_window), "min_participation": min_participation,
        "min_edge_weight": min_edge_weight, "edge_weight": edge_weight, "edge_quantile": edge_quantile, "burst_cap": burst_cap,
        "parents": parents, "follows": follows, "sites": sites, "samples": samples, "seed": seed, "pseudonymise": pseudonymise, "key": key,
    }  # fmt: skip
    before = _built(study) if append else None
    if before is not None:
        options = _as_before(context, options, before["parameters"])
    with progress() as tell:
        made = job(logs, study, **options, threads=threads, overwrite=overwrite, append=append, progress=tell)
    if before is not None and made.run["build"]["id"] == before.get("id"):
        err("nothing to add: each of these files is in the study already, by its digest (SHA-256)")
        return
    for note in made.run["build"]["notes"]:
        if note != made.run["build"].get("nothing_shared"):  # told last, where it is seen
            err(f"note: {note}")
    show(made)


def _built(study: Path) -> dict[str, Any] | None:
    """Return the record by which a study was built; None where there is none."""
    from propgraph.study import Study, is_study

    return Study.open(study).run.get("build") if is_study(study) else None


def _as_before(context: typer.Context, options: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """Return the options with those that nobody gave as the study was built with them."""
    recorded = {"mapping" if name == "map" else name: value for name, value in before.items()}
    return {
        name: recorded[name] if recorded.get(name) is not None and not _is_given(context, name) else value
        for name, value in options.items()
    }


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


def show(study: Study) -> None:
    """Print what a build did, and the next command to type."""
    from propgraph.cli.output import say

    run = study.run["build"]
    counts = run["counts"]
    new = set(run["parts"][-1]["files"]) if "parts" in run else {source["path"] for source in run["inputs"]}
    if kept := [source for source in run["inputs"] if source["path"] not in new]:
        say(
            f"kept      {len(kept):,} files, {sum(source['rows'] for source in kept):,} rows, of earlier builds"
        )
    for source in (source for source in run["inputs"] if source["path"] in new):
        times = f"times: {source['time_unit']}"
        say(f"read      {source['path']}: {source['rows']:,} rows, {source['reader']}, {times}", wrap=False)
    for line in _columns(run["inputs"]):
        say(line, indent=10)
    say(f"rows in   {counts['rows']:,} = {counts['posts']:,} posts + {counts['rejected']:,} rejected")
    for reason, n in run["rejected_by_reason"].items():
        say(f"{n:,} x {reason}", indent=10)
    say(f"accounts  {counts['accounts']:,}")
    say(f"shares    {counts['shares']:,} of {counts['objects']:,} objects")
    say(f"cascades  {counts['cascades']:,}")
    by_trace = ", ".join(f"{trace} {n:,}" for trace, n in run["edges_by_trace"].items())
    say(f"edges     {counts['edges']:,}" + (f" ({by_trace})" if by_trace else ""))
    memory = f", peak memory {run['peak_memory_mb']:,} MB" if run["peak_memory_mb"] else ""
    say(f"took      {run['wall_s']:.1f} s{memory}")
    say(f"study     {study.path}", wrap=False)
    if "nothing_shared" in run:
        say()
        say(f"note: {run['nothing_shared']}")
        return
    say(f"next      {shlex.join(['propgraph', 'clusters', str(study.path)])}", wrap=False)


def _columns(inputs: list[dict[str, Any]]) -> list[str]:
    """Return a line for each column that the user mapped: what it gave, over all files."""
    rows: dict[tuple[str, str, str], list[int]] = {}
    for source in inputs:
        for name, told in source.get("columns", {}).items():
            how = "".join(f", {word}: {told[word]}" for word in ("implied", "lists") if word in told)
            count = rows.setdefault((name, told["column"], how), [0, 0])
            count[0] += told["rows"]
            count[1] += source["rows"]
    return [
        f"{name} <- {column}: {n:,} of {total:,} rows{how}"
        for (name, column, how), (n, total) in rows.items()
    ]
