"""`propgraph sites`: a study's sites, and the groups of them that look as if one hand pushed or ran them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from propgraph.cli.options import FLAGGED, Language

if TYPE_CHECKING:
    import polars as pl

FORMATS = ("table", "json", "csv", "parquet")


def sites(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="A study that `propgraph clusters` went through.", show_default=False)],
    operators: Annotated[bool, typer.Option("--operators", help="Groups of three sites or more that look as if one hand pushed or ran them, in place of the sites.")] = False,
    graphml: Annotated[Path | None, typer.Option("--graphml", metavar="FILE", help="Write the network of sites for Gephi.", show_default=False)] = None,
    format: Annotated[str, typer.Option("--format", metavar="table|json|csv|parquet", help="What goes to stdout: something to read, or data.")] = "table",
    top: Annotated[int, typer.Option("--top", metavar="N", help="Show at most N sites or operators.")] = 20,
    language: Language = "en",
    exit_code: Annotated[bool, typer.Option("--exit-code", help="End with 3 where a site is flagged.")] = False,
) -> None:  # fmt: skip
    """Show a study's sites, highest score first, or the operators behind several of them."""
    from propgraph.cli.output import err
    from propgraph.errors import StudyError, check_at_least, check_choice
    from propgraph.export.sites import write_sites
    from propgraph.export.tables import render
    from propgraph.study import Study, run_first, unchanged
    from propgraph.words.said import read_in
    from propgraph.words.sentences import LANGUAGES

    check_choice("language", language, LANGUAGES)
    check_choice("format", format, FORMATS)
    check_at_least("top", top, 0)
    found = Study.open(study)
    if "operators" not in found.tables:
        raise StudyError(f"{found.path}: no operators yet; {run_first('clusters')}")
    with unchanged(found):
        if graphml is not None:
            write_sites(graphml, found, seed=found.run["clusters"]["parameters"]["seed"])
        table = found.operators if operators else found.sites
        if format != "table":
            sys.stdout.buffer.write(render(table, format))
            sys.stdout.buffer.flush()
        else:
            with read_in(language):
                (_show_operators if operators else _show_sites)(table, top=top)
    if graphml is not None:
        err(f"wrote {graphml}  (open it in Gephi)")
    if exit_code and found.run["clusters"]["counts"]["flagged_sites"]:
        raise typer.Exit(FLAGGED)


def _show_sites(table: pl.DataFrame, *, top: int) -> None:
    from propgraph.cli.output import say
    from propgraph.report.words import rule_name
    from propgraph.schema.sites import flagged_sites
    from propgraph.words.said import formatted, tell

    flagged = int(flagged_sites(table).sum())
    in_groups = table["operator_id"].drop_nulls()
    say(
        tell(
            "screen.sites",
            n=table.height,
            n_flagged=flagged,
            n_inside=in_groups.len(),
            n_groups=in_groups.n_unique(),
        )
    )
    header = tuple(tell("screen.all-site-columns").split("|"))
    counts = ("n_urls", "n_shares", "n_accounts")
    rows: list[tuple[str, ...]] = [
        (row["site"], formatted(row["score"], "n2"), *(formatted(row[name], "n") for name in counts),
         formatted(row["first_seen"], "date"), row["operator_id"] or "", ", ".join(map(rule_name, row["flags"])))
        for row in table.head(top).to_dicts()
    ]  # fmt: skip
    _show(header, rows)
    if table.height > top:
        say(tell("screen.more-rows", n=table.height - top, n_all=table.height))


def _show(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Print rows in columns: the first and the last from the left, the others from the right."""
    from rich.cells import cell_len, set_cell_size

    from propgraph.cli.output import say
    from propgraph.export.text import clean_terminal

    if not rows:
        return
    say()
    names = [header[0], *(clean_terminal(row[0], width=40) for row in rows)]
    width = max(map(cell_len, names))
    widths = [
        max(map(len, column)) + 2 for column in zip(*[one[1:-1] for one in (header, *rows)], strict=True)
    ]
    for k, (name, row) in enumerate(zip(names, (header, *rows), strict=True)):
        figures = "".join(f"{cell:>{n}}" for cell, n in zip(row[1:-1], widths, strict=True))
        say(f"{set_cell_size(name, width)}{figures}  {row[-1]}".rstrip(), bold=k == 0, wrap=False)


def _show_operators(table: pl.DataFrame, *, top: int) -> None:
    from propgraph.cli.output import say
    from propgraph.report.operators import operator_lines
    from propgraph.words.said import tell

    if table.is_empty():
        say(tell("operators.none"))
        return
    say(tell("operators.so-many", n=table.height))
    for row in table.head(top).to_dicts():
        say()
        for k, line in enumerate(operator_lines(row)):
            say(line, indent=4 * (k > 0), bold=k == 0)
    if table.height > top:
        say()
        say(tell("screen.more-rows", n=table.height - top, n_all=table.height))
    say()
    say(tell("operators.no-owner"))
