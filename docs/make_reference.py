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
    title = ["# Reference", "", "Made by `python docs/make_reference.py`; a test holds it against the code."]
    tables = (
        "Parquet files in the study's folder. All ids are `String`, all times `Datetime(ms, UTC)`. Rows stand in "
        "the order of the key; clusters, with their members and evidence, and sites from the highest score down."
    )
    parts = [*title, "", "## Commands"]
    for command in COMMANDS:
        parts += ["", "### " + " ".join(("propgraph", *command)), "", "```", usage(command), "```"]
    parts += ["", "## Tables", "", tables]
    for table in TABLES.values():
        key = ", ".join(f"`{name}`" for name in table.key)
        parts += ["", f"### {table.name}", "", f"One row is {table.row}. Key: {key}.", ""]
        parts += ["| column | dtype | unit | meaning |", "|---|---|---|---|"]
        for name, column in table.columns.items():
            parts.append(f"| `{name}` | {column.dtype} | {column.unit} | {column.meaning} |")
    return "\n".join(parts) + "\n"


def usage(command: tuple[str, ...]) -> str:
    """Return what `--help` of a command prints."""
    out = io.StringIO()
    with redirect_stdout(out):
        run([*command, "--help"])
    return "\n".join(line.rstrip() for line in out.getvalue().strip().splitlines())


if __name__ == "__main__":
    Path(__file__).with_name("reference.md").write_text(reference(), encoding="utf-8")
