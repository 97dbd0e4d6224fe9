"""`propgraph compare`: which clusters stayed, which came back under other names, which are gone."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from propgraph.cli.options import Language

if TYPE_CHECKING:
    import polars as pl

FORMATS = ("table", "json", "csv", "parquet")
# The folder of a study that was added to; see `jobs.append`.
_BEFORE = "before"
_ROWS = 10
_KINDS = ("cluster", "campaign", "site")


def compare(
    before: Annotated[Path, typer.Argument(metavar="A", help="A study with its clusters: of an earlier log, say.", show_default=False)],
    after: Annotated[Path | None, typer.Argument(metavar="B", help="Another one.  [default: A itself, held against what it was before the last `build --append`]", show_default=False)] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of the draws behind what returned.")] = 0,
    format: Annotated[str, typer.Option("--format", metavar="table|json|csv|parquet", help="What goes to stdout: a summary to read, or the whole table as data.")] = "table",
    language: Language = "en",
) -> None:  # fmt: skip
    """Tell what became of the clusters, campaigns and flagged sites of one study in another.

    Found again by their members, or, under other names, by what they do.
    """
    from propgraph.comparison.compare import compare as job
    from propgraph.errors import StudyError, check_choice
    from propgraph.study import Study, is_study, unchanged
    from propgraph.words.said import read_in
    from propgraph.words.sentences import LANGUAGES

    check_choice("format", format, FORMATS)
    check_choice("language", language, LANGUAGES)
    if after is None:
        before, after = before / _BEFORE, before
        if not is_study(before):
            Study.open(after)
            raise StudyError(
                f"{after}: nothing was added to it since its clusters were found, so there is nothing to hold it against; "
                "name a second study"
            )
    one, other = Study.open(before), Study.open(after)
    with unchanged(one), unchanged(other):
        found = job(one, other, seed=seed)
    if format == "table":
        with read_in(language):
            show(found)
        return
    from propgraph.export.tables import render

    sys.stdout.buffer.write(render(found, format))
    sys.stdout.buffer.flush()


def show(found: pl.DataFrame) -> None:
    """Print one screen: what is flagged in either, a line each, and how many others changed how."""
    from propgraph.cli.output import say
    from propgraph.words.said import tell

    if found.is_empty():
        say(tell("compared.nothing"))
        return
    for kind in _KINDS:
        rows = [row for row in found.iter_rows(named=True) if row["subject_type"] == kind]
        if not rows:
            continue
        flagged = [row for row in rows if row["before_flagged"] or row["after_flagged"]]
        say(tell("compared.flagged", kind=kind, changes=_counted(flagged) or [tell("words.none")]), bold=True)
        _show_rows(flagged[:_ROWS])
        if len(flagged) > _ROWS:
            say(tell("compared.more", n=len(flagged) - _ROWS), indent=2)
        if rest := _counted([row for row in rows if row not in flagged]):
            say(tell("compared.not-flagged", changes=rest), indent=2)
        say()
    returned = found.filter(change="returned")
    if returned.height:
        say(tell("compared.returned-means", after=returned["after_id"][0]))


def _counted(rows: list[dict[str, Any]]) -> list[str]:
    """Return how many of the rows changed how."""
    from propgraph.words.said import named, tell

    counts = Counter(row["change"] for row in rows)
    return [
        tell("compared.so-many", n=n, change=named("became", change)) for change, n in sorted(counts.items())
    ]


def _show_rows(rows: list[dict[str, Any]]) -> None:
    from propgraph.cli.output import say_table
    from propgraph.words.said import named, tell

    if not rows:
        return
    cells: list[tuple[tuple[str, ...], list[str]]] = [
        (
            (
                named("became", row["change"]), row["before_id"] or "-", row["after_id"] or "-",
                _way(row["n_before"], row["n_after"], "n"), _way(row["before_score"], row["after_score"], "n2"),
            ),
            [told] if (told := _told(row)) else [],
        )
        for row in rows
    ]  # fmt: skip
    header = tuple(tell("compared.columns").split("|"))
    if rows[0]["subject_type"] == "site":
        header = ("", tell("compared.site"), *header[3:])
        cells = [
            ((line[0], line[1] if line[1] != "-" else line[2], *line[3:]), below) for line, below in cells
        ]
    say_table(header, cells, indent=2)


def _way(before: float | None, after: float | None, how: str) -> str:
    from propgraph.words.said import formatted

    return " -> ".join("-" if one is None else formatted(one, how) for one in (before, after))


def _told(row: dict[str, Any]) -> str:
    """Return what else a person has to know of a row."""
    from propgraph.words.said import tell

    parts = []
    if row["n_both"]:
        parts.append(tell("compared.in-both", n=row["n_both"]))
    if row["n_arrived"]:
        parts.append(tell("compared.arrived", n=row["n_arrived"]))
    if row["n_silent"]:
        parts.append(tell("compared.silent", n=row["n_silent"], n_all=row["n_before"]))
    if row["z"] is not None:
        parts.append(tell("compared.does-the-same", z=float(row["z"])))
    if row["change"] == "split":
        parts.append(tell("compared.into-several"))
    if row["change"] == "merged":
        parts.append(tell("compared.of-several"))
    return ", ".join(parts)
