"""`propgraph sites`: a study's sites, and the groups of them that look as if one hand pushed or ran them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from propgraph.cli.options import FLAGGED

if TYPE_CHECKING:
    import polars as pl

FORMATS = ("table", "json", "csv", "parquet")
_SITES_NAMED = 4


def sites(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="A study that `propgraph clusters` went through.", show_default=False)],
    operators: Annotated[bool, typer.Option("--operators", help="Groups of three sites or more that look as if one hand pushed or ran them, in place of the sites.")] = False,
    graphml: Annotated[Path | None, typer.Option("--graphml", metavar="FILE", help="Write the network of sites for Gephi.", show_default=False)] = None,
    format: Annotated[str, typer.Option("--format", metavar="table|json|csv|parquet", help="What goes to stdout: something to read, or data.")] = "table",
    top: Annotated[int, typer.Option("--top", metavar="N", help="Show at most N sites or operators.")] = 20,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="End with 3 where a site is flagged.")] = False,
) -> None:  # fmt: skip
    """Show a study's sites, highest score first, or the operators behind several of them."""
    from propgraph.cli.output import err
    from propgraph.errors import StudyError, check_at_least, check_choice
    from propgraph.export.sites import write_sites
    from propgraph.export.tables import render
    from propgraph.study import Study, run_first, unchanged

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
        elif operators:
            _show_operators(table, top=top)
        else:
            _show_sites(table, top=top)
    if graphml is not None:
        err(f"wrote {graphml}  (open it in Gephi)")
    if exit_code and found.run["clusters"]["counts"]["flagged_sites"]:
        raise typer.Exit(FLAGGED)


def _show_sites(table: pl.DataFrame, *, top: int) -> None:
    from propgraph.cli.output import say
    from propgraph.schema.sites import flagged_sites

    flagged = int(flagged_sites(table).sum())
    in_groups = table["operator_id"].drop_nulls()
    say(
        f"{table.height:,} sites, {flagged:,} flagged; {in_groups.len():,} in {in_groups.n_unique():,} groups that look "
        "run by one hand (--operators)"
    )
    header = ("site", "score", "URLs", "shares", "accounts", "first seen", "operator", "flags")
    rows: list[tuple[str, ...]] = [
        (row["site"], f"{row['score']:.2f}", f"{row['n_urls']:,}", f"{row['n_shares']:,}", f"{row['n_accounts']:,}",
         f"{row['first_seen']:%Y-%m-%d}", row["operator_id"] or "", ", ".join(row["flags"]))
        for row in table.head(top).to_dicts()
    ]  # fmt: skip
    _show(header, rows)
    if table.height > top:
        say(f"... and {table.height - top:,} more: add --top {table.height}, or --format csv")


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

    if table.is_empty():
        say("No three sites look as if one hand pushed or ran them.")
        return
    say(f"{table.height:,} groups of sites that look as if one hand pushed or ran them")
    for row in table.head(top).to_dicts():
        say()
        for k, line in enumerate(operator_lines(row)):
            say(line, indent=4 * (k > 0), bold=k == 0)
    if table.height > top:
        say()
        say(f"... and {table.height - top:,} more: add --top {table.height}, or --format csv")
    say()
    say(
        "Who pushes sites together need not own them; a shared registrant or id says more of who runs them than of why."
    )


def operator_lines(row: dict[str, Any], /) -> list[str]:
    """Return what to say of an operator, a sentence a line, the headline first."""
    sites = ", ".join(row["sites"][:_SITES_NAMED])
    more = f" and {row['n_sites'] - _SITES_NAMED:,} more" if row["n_sites"] > _SITES_NAMED else ""
    lines = [f"{row['operator_id']}  {row['n_sites']:,} sites: {sites}{more}"]
    if row["n_pairs"]:
        lines.append(
            f"the same accounts share them first, beyond activity, popularity and a common audience: {row['n_pairs']:,} "
            f"pairs of them; {row['n_seeders']:,} accounts made {row['seeder_share']:.0%} of the first shares of their "
            f"{row['n_urls']:,} URLs"
        )
    facts = [kind for kind in row["evidence"] if kind not in ("first-sharers", "names", "copies")]
    if facts:
        lines.append(f"rare facts that several of them share, by your tables: {', '.join(facts)}")
    if row["name_template"]:
        lines.append(f"names by one template: {row['name_template']}")
    if row["declared_owner"]:
        lines.append(f"also fits: a chain in the open; your tables name as owner {row['declared_owner']}")
    if row["first_seen"] is not None:
        lines.append(f"in the log from {row['first_seen']:%d %b %Y} to {row['last_seen']:%d %b %Y}")
    # Whoever shares a chain's or a publisher's sites may be of a cluster; that says nothing of those.
    if row["clusters"] and row["n_pairs"]:
        lines.append(f"flagged clusters among these accounts: {', '.join(row['clusters'][:10])}")
    return lines
