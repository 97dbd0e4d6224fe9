"""`propgraph compare`: which clusters stayed, which came back under other names, which are gone."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import polars as pl

FORMATS = ("table", "json", "csv", "parquet")
# The folder of a study that was added to; see `jobs.append`.
_BEFORE = "before"
_ROWS = 10
_PLURAL = {"cluster": "clusters", "campaign": "campaigns", "site": "sites"}
_MEANS = {
    "split": "into two or more",
    "merged": "of two or more",
    "returned": "other accounts do the same, beyond what others of their kind do: look at both",
}


def compare(
    before: Annotated[Path, typer.Argument(metavar="A", help="A study with its clusters: of an earlier log, say.", show_default=False)],
    after: Annotated[Path | None, typer.Argument(metavar="B", help="Another one.  [default: A itself, held against what it was before the last `build --append`]", show_default=False)] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of the draws behind what returned.")] = 0,
    format: Annotated[str, typer.Option("--format", metavar="table|json|csv|parquet", help="What goes to stdout: a summary to read, or the whole table as data.")] = "table",
) -> None:  # fmt: skip
    """Tell what became of the clusters, campaigns and flagged sites of one study in another.

    Found again by their members, or, under other names, by what they do.
    """
    from propgraph.comparison.compare import compare as job
    from propgraph.errors import StudyError, check_choice
    from propgraph.study import Study, is_study, unchanged

    check_choice("format", format, FORMATS)
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
        show(found)
        return
    from propgraph.export.tables import render

    sys.stdout.buffer.write(render(found, format))
    sys.stdout.buffer.flush()


def show(found: pl.DataFrame) -> None:
    """Print one screen: what is flagged in either, a line each, and how many others changed how."""
    from propgraph.cli.output import say

    if found.is_empty():
        say("No cluster, campaign or flagged site in either.")
        return
    for kind, plural in _PLURAL.items():
        rows = [row for row in found.iter_rows(named=True) if row["subject_type"] == kind]
        if not rows:
            continue
        flagged = [row for row in rows if row["before_flagged"] or row["after_flagged"]]
        rest = Counter(row["change"] for row in rows if row not in flagged)
        say(_head(plural, flagged), bold=True)
        _show_rows(flagged[:_ROWS])
        if len(flagged) > _ROWS:
            say(f"and {len(flagged) - _ROWS:,} more: --format csv", indent=2)
        if rest:
            told = ", ".join(f"{n:,} {change}" for change, n in sorted(rest.items()))
            say(f"not flagged in either: {told}", indent=2)
        say()
    returned = found.filter(change="returned").height
    if returned:
        say(
            f"returned: {_MEANS['returned']} (propgraph explain B {found.filter(change='returned')['after_id'][0]})."
        )


def _head(plural: str, flagged: list[dict[str, Any]]) -> str:
    counts = Counter(row["change"] for row in flagged)
    told = ", ".join(f"{n:,} {change}" for change, n in sorted(counts.items()))
    return f"{plural} flagged before or after: {told or 'none'}"


def _show_rows(rows: list[dict[str, Any]]) -> None:
    from propgraph.cli.output import say_table

    if not rows:
        return
    header: tuple[str, ...] = ("", "before", "after", "accounts", "score")
    cells: list[tuple[tuple[str, ...], list[str]]] = [
        (
            (
                row["change"], row["before_id"] or "-", row["after_id"] or "-",
                _way(row["n_before"], row["n_after"], "{:,}"), _way(row["before_score"], row["after_score"], "{:.2f}"),
            ),
            [told] if (told := _told(row)) else [],
        )
        for row in rows
    ]  # fmt: skip
    if rows[0]["subject_type"] == "site":
        header = ("", "site", *header[3:])
        cells = [
            ((line[0], line[1] if line[1] != "-" else line[2], *line[3:]), below) for line, below in cells
        ]
    say_table(header, cells, indent=2)


def _way(before: float | None, after: float | None, how: str) -> str:
    return " -> ".join("-" if one is None else how.format(one) for one in (before, after))


def _told(row: dict[str, Any]) -> str:
    """Return what else a person has to know of a row."""
    parts = []
    if row["n_both"]:
        parts.append(f"{row['n_both']:,} in both")
    if row["n_arrived"]:
        parts.append(f"{row['n_arrived']:,} new to the log")
    if row["n_silent"]:
        parts.append(f"{row['n_silent']:,} of {row['n_before']:,} silent since")
    if row["z"] is not None:
        parts.append(f"does the same, {row['z']:.1f} deviations nearer than others of its kind")
    if row["change"] in ("split", "merged"):
        parts.append(_MEANS[row["change"]])
    return ", ".join(parts)
