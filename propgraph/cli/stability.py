"""`propgraph stability`: which clusters hold when the choices behind them are made otherwise."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from propgraph.cli.options import Language

if TYPE_CHECKING:
    from propgraph.study import Study

FORMATS = ("table", "json", "csv", "parquet")


def stability(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="A study that `propgraph clusters` went through.", show_default=False)],
    runs: Annotated[int | None, typer.Option("--runs", metavar="N", help="Runs of the grid of choices.  [default: 100]", show_default=False)] = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", help="Of the grid, the draws and the communities.  [default: 0]", show_default=False)] = None,
    threads: Annotated[int | None, typer.Option("--threads", metavar="N", help="At most N at once.  [default: one a processor]", show_default=False)] = None,
    format: Annotated[str, typer.Option("--format", metavar="table|json|csv|parquet", help="What goes to stdout: something to read, or the table `stability` as data.")] = "table",
    top: Annotated[int, typer.Option("--top", metavar="N", help="Show at most N flagged clusters.")] = 20,
    language: Language = "en",
) -> None:  # fmt: skip
    """Find clusters again under other reasonable choices, and say which hold.

    Varied are traces, time window, tau, neighbours, q, resolution, seeds, and the objects that count. Called again
    without --runs or --seed, it shows what was found before.
    """
    from propgraph.cli.output import err, progress
    from propgraph.errors import check_at_least, check_choice
    from propgraph.study import Study, unchanged
    from propgraph.words.said import read_in
    from propgraph.words.sentences import LANGUAGES

    check_choice("format", format, FORMATS)
    check_choice("language", language, LANGUAGES)
    check_at_least("top", top, 0)
    given = {"runs": runs, "seed": seed}
    options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    found = Study.open(study)
    if options or "stability" not in found.run:
        from propgraph.jobs.stability import measure_stability

        with progress() as tell:
            found = measure_stability(study, threads=threads, progress=tell, **options)
    with unchanged(found):
        if format == "table":
            with read_in(language):
                _show(found, top=top)
            return
        from propgraph.export.tables import render

        for note in found.run["stability"]["notes"]:
            err(f"note: {note}")
        sys.stdout.buffer.write(render(found.stability, format))
        sys.stdout.buffer.flush()


def _show(study: Study, *, top: int) -> None:
    from propgraph.cli.output import say
    from propgraph.report.words import how_a_campaign_holds, how_it_holds
    from propgraph.words.said import tell

    record = study.run["stability"]
    table = study.clusters.select("cluster_id", "flagged").join(
        study.stability, on="cluster_id", maintain_order="left"
    )
    if table.is_empty():
        say(tell("holds.none"))
        return
    for note in record["notes"]:
        say(tell("words.note", what=note))
    for flagged, kind in ((True, "flagged"), (False, "other")):
        part = table.filter(table["flagged"] == flagged)
        held = part.filter(part["holds_share"] >= 0.5).height
        say(tell("holds.so-many", n=held, n_all=part.height, kind=kind))
    flagged_rows = table.filter("flagged")
    if flagged_rows.height:
        say()
    for row in flagged_rows.head(top).to_dicts():
        say(how_it_holds(row))
    if flagged_rows.height > top:
        say(tell("holds.more", n=flagged_rows.height - top, n_all=flagged_rows.height))
    crowds = study.campaigns.filter(study.campaigns["n_clusters"] > 1)
    for row in crowds.head(top).to_dicts():
        say(how_a_campaign_holds(row))
    say()
    say(tell("holds.means"))
    if crowds.height:
        say(tell("holds.campaign-means"))
