"""`propgraph export`: a study's tables as files for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def export(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="A study that `propgraph build` made.", show_default=False)],
    folder: Annotated[Path, typer.Option("--folder", "-o", metavar="FOLDER", help="Where to; made if it is not there.", show_default=False)],
    format: Annotated[str, typer.Option("--format", metavar="csv|parquet|feather|xlsx", help="csv: no cell is a formula, by commas or semicolons; parquet; feather: for R and pandas; xlsx: with pip install 'propgraph[xlsx]'.")] = "csv",
    tables: Annotated[list[str] | None, typer.Option("--table", metavar="NAME", help="A table, or gephi: nodes and edges for Gephi's table import. Repeatable.  [default: all, and gephi]", show_default=False)] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there already.")] = False,
) -> None:  # fmt: skip
    """Write a study's tables into a folder, and beside them what each column means (dictionary.csv)."""
    from propgraph.cli.output import say
    from propgraph.export.folder import export_study

    written = export_study(study, folder, format=format, tables=tables, overwrite=overwrite)
    width = max(map(len, written["file"]))
    for _, name, n, note in written.rows():
        say(f"{name:<{width}}  {n:>12,} rows", wrap=False)
        if note is not None:
            say(note, indent=width + 2)
    say(f"folder  {folder}", wrap=False)
