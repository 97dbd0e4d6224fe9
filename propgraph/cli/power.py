"""`propgraph power`: which crews a study would have flagged, by crews planted in its own log."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from propgraph.cli.options import Language

if TYPE_CHECKING:
    from collections.abc import Callable

    from propgraph.study import Study

FORMATS = ("table", "json", "csv", "parquet")


def power(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="A study that `propgraph clusters` went through.", show_default=False)],
    sizes: Annotated[str | None, typer.Option("--sizes", metavar="N,N,...", help="Accounts of a crew.  [default: 5,10,20,50]", show_default=False)] = None,
    objects: Annotated[str | None, typer.Option("--objects", metavar="N,N,...", help="Objects that its accounts have in common.  [default: 4,6,10,20]", show_default=False)] = None,
    spans: Annotated[str | None, typer.Option("--spans", metavar="TIME,TIME,...", help="Within how long of each other they post each of them.  [default: 1m,30m,6h]", show_default=False)] = None,
    turnout: Annotated[float | None, typer.Option("--turnout", metavar="X", help="The part of a crew that posts each of them, drawn anew each time; two accounts at least.  [default: 1]", show_default=False)] = None,
    runs: Annotated[int | None, typer.Option("--runs", metavar="N", help="Crews of each kind.  [default: 10]", show_default=False)] = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", help="Of the crews.  [default: 0]", show_default=False)] = None,
    threads: Annotated[int | None, typer.Option("--threads", metavar="N", help="At most N at once.  [default: one a processor]", show_default=False)] = None,
    format: Annotated[str, typer.Option("--format", metavar="table|json|csv|parquet", help="What goes to stdout: something to read, or the table `power` as data.")] = "table",
    language: Language = "en",
) -> None:  # fmt: skip
    """Plant crews in the study's own log, and tell how often each would be flagged.

    The log with the crews is searched as `propgraph clusters` searched it, some twenty times by default. Called again
    without an option about the crews, it shows what was found before.
    """
    from propgraph.cli.output import err, progress, seconds
    from propgraph.errors import check_choice
    from propgraph.study import Study, unchanged
    from propgraph.words.said import read_in
    from propgraph.words.sentences import LANGUAGES

    check_choice("format", format, FORMATS)
    check_choice("language", language, LANGUAGES)
    given = {
        "sizes": _list("sizes", sizes, _whole), "objects": _list("objects", objects, _whole),
        "spans": _list("spans", spans, lambda word: seconds("spans", word)),
        "turnout": turnout, "runs": runs, "seed": seed,
    }  # fmt: skip
    options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    found = Study.open(study)
    if options or "power" not in found.run:
        from propgraph.jobs.power import measure_power

        with progress() as tell:
            found = measure_power(study, threads=threads, progress=tell, **options)
    with unchanged(found):
        if format == "table":
            with read_in(language):
                _show(found)
            return
        from propgraph.export.tables import render

        for note in found.run["power"]["notes"]:
            err(f"note: {note}")
        sys.stdout.buffer.write(render(found.power, format))
        sys.stdout.buffer.flush()


def _list(option: str, text: str | None, parse: Callable[[str], float]) -> list[float] | None:
    """Return the values that stand in an option, joined by commas; None where it was not given."""
    from propgraph.errors import UsageError

    if text is None:
        return None
    try:
        return [parse(word) for word in text.split(",")]
    except ValueError as error:
        raise UsageError(
            f"{text!r} is not whole numbers with commas between, as 5,10,20", option=option
        ) from error


def _whole(word: str) -> int:
    return int(word)


def _show(study: Study) -> None:
    from propgraph.cli.output import say
    from propgraph.report.words import power_headline, would_be_flagged
    from propgraph.words.said import said, tell

    record, table = study.run["power"], study.power
    for note in record["notes"]:
        say(tell("words.note", what=note))
    say(power_headline(table.to_dicts()), bold=True)
    say()
    for row in table.to_dicts():
        say(would_be_flagged(row))
    say()
    turnout = record["parameters"]["turnout"]
    who = said("power.all-of-them") if turnout == 1 else said("power.some-of-them", part=turnout)
    say(tell("power.means", who=who, trace=record["trace"]))
    say(tell("power.along", n=int(table["n_false"].sum()), n_crews=record["counts"]["crews"]))
