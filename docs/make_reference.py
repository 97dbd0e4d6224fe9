"""Write docs/reference.md from the schema and the commands themselves: python docs/make_reference.py."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from pathlib import Path

from propgraph.cli.app import run
from propgraph.schema import TABLES

COMMANDS = ((), ("build",), ("clusters",), ("simulate", "veles"), ("demo",))


def reference() -> str:
    """Return the page."""
    parts = ["# Reference", "", "Made by `python docs/make_reference.py`; a test holds it against the code.", "", "## Commands"]
    for command in COMMANDS:
        out = io.StringIO()
        with redirect_stdout(out):
            run([*command, "--help"])
        lines = "\n".join(line.rstrip() for line in out.getvalue().strip().splitlines())
        parts += ["", "### " + " ".join(("propgraph", *command)), "", "```", lines, "```"]
    parts += ["", "## Tables", "", "Parquet files in the study's folder. All ids are `String`, all times `Datetime(ms, UTC)`."]
    for table in TABLES.values():
        parts += ["", f"### {table.name}", "", f"One row is {table.row}. Sorted by {', '.join(f'`{key}`' for key in table.key)}.", ""]
        parts += ["| column | dtype | unit | meaning |", "|---|---|---|---|"]
        parts += [f"| `{name}` | {column.dtype} | {column.unit} | {column.meaning} |" for name, column in table.columns.items()]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("reference.md").write_text(reference(), encoding="utf-8")
