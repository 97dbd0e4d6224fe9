"""Write docs/reference.md and docs/formats.md from the code itself: python docs/make_reference.py."""

from __future__ import annotations

import inspect
import io
import re
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import propgraph
from propgraph.cli.app import run
from propgraph.readers.base import CANONICAL, Reader
from propgraph.readers.registry import READERS
from propgraph.schema import COMPARISON, TABLES

COMMANDS = (
    (),
    ("build",),
    ("clusters",),
    ("cascades",),
    ("sites",),
    ("compare",),
    ("evaluate",),
    ("report",),
    ("stability",),
    ("power",),
    ("explain",),
    ("export",),
    ("formats",),
    ("formats", "show"),
    ("simulate", "veles"),
    ("simulate", "crowdturf"),
    ("simulate", "app"),
    ("simulate", "workforce"),
    ("demo",),
)

TIMES = (
    "Times may be unix s, ms, us or ns, or written: `2024-03-05T10:00:00Z`, `2024/03/05`, `3/5/2024 10:00 AM`, "
    "`05.03.24, 10:00`, `5 mars 2024 \u00e0 10h30`, `Mar 5, 2024`, `Tue, 05 Mar 2024 10:00:00 +0100`, "
    "`Fri Mar 01 00:00:00 UTC 2024`, `20240305T100000`, with or without a zone (`+01:00`, `GMT+2`, `CET`). Names of "
    "months and weekdays may be English, French, German, Spanish, Italian, Portuguese or Dutch. Which number is the "
    "day in `3/5/2024`, and which the year in `03/05/24`, is decided by all rows of a file; where they cannot tell, a "
    "note says what was taken. How the times of a file were read is said in the summary of `build`.",
    "",
    "All others are read by `--time-format`, with the directives of `strptime` (`%Y %y %m %b %d %H %I %M %S %f %p %z "
    "%Z %a %T %R %D %F`). `--time-zone` says whose clocks times without a zone are by, else they are taken for UTC; of "
    "a time that the clocks show twice the earlier is taken, and a time that they leave out is read as if they had "
    "not been put forward: both are counted.",
)


VALUES = (
    "With `--map` the columns that it names are read and no others; the word `auto` adds those that bear propgraph's "
    "own names. What each of them gave is said in the summary. A post's own address is no link that it shares: it is "
    "told by the post's id in it, or by its column: one that is called `permalink`, or that holds the address of "
    "another post on a platform in each row, if ids cannot tell and accounts have one name each in these. The address "
    "of any other post is a link.",
    "",
    "In tables a missing value may be written `NA`, `N/A`, `nan`, `None`, `NULL`, `<NA>`, `\\N`, `-` or as a "
    "spreadsheet does; in JSON it is null, and a string is what it says. `[deleted]` and `[removed]` are nobody in any "
    "file. A text keeps its words. A hashtag or name alone in its cell is missing if other columns write a "
    "missing value so, if none is an empty cell, or if others bear a mark (`#`). What was taken for what is told.",
    "",
    "Ids that a spreadsheet or JavaScript rounded (`1.23457E+18`, `1,23457E+18`, floats from 2^53 on, zeros "
    "after 15 or 17 digits in more rows than by chance) are no ids: a row without its own is rejected, any other id "
    "is not known. Numbers of posts that count within a channel only become `CHANNEL/NUMBER` where several of them "
    "stand for other posts in other channels.",
    "",
    'Lists in one cell may be joined by `|`, `;`, `,` or blanks, or written `["a", "b"]`, '
    "`['a', 'b']`, `c(\"a\", \"b\")`, `{a,b}`, or as objects with a known key (`expanded_url`, `tag`, `username`). "
    "What joins them is found from the column as a whole; a link is cut only where another begins.",
)

PYTHON = (
    "Every name is imported from `propgraph`; `help(propgraph.build)` says what each parameter, column and error of "
    "one is. Examples run as they stand, in an empty folder; a test runs them."
)


def reference() -> str:
    """Return the page."""
    title = ["# Reference", "", "Made by `python docs/make_reference.py`; a test holds it against the code."]
    tables = (
        "Parquet files in the study's folder. All ids are `String`, all times `Datetime(ms, UTC)`. Rows stand in "
        "the order of the key; clusters, with their members, evidence, pairs and readings, and sites from the "
        "highest score down."
    )
    jobs = (
        "`build`, `clusters`, `stability` and `power` make a study anew beside the old one and put it in its place "
        "when it is whole; whatever ends them before (an error, a full disk, Ctrl-C, SIGTERM, SIGHUP, a crash) leaves "
        "the old one. On Linux the two change places in one step (`renameat2`). On macOS, on Windows and on file "
        "systems that cannot do so there is a moment in which neither is there: commands wait for its end, and "
        "where a job was killed in it, the next command brings the old one back. One job at a time is at work on a "
        "study; a second one ends at once and says so. The lock, `.STUDY.lock` beside the study, is the system's "
        "and ends with its process; over a network it holds between machines as far as the file system passes locks"
        " on (NFS from version 4 on does). Where none hold, a job still puts nothing in the place of a study that "
        "is not the one it read: `run.json` has an `id` for each run, and under `of` those of the runs that it went"
        " on from."
    )
    parts = [*title, "", "## Commands"]
    for command in COMMANDS:
        parts += ["", "### " + " ".join(("propgraph", *command)), "", "```", usage(command), "```"]
    parts += ["", "## Python", "", PYTHON]
    for name in propgraph.__all__:
        parts += ["", *_python(name, getattr(propgraph, name))]
    parts += ["", "## Studies", "", jobs, "", "## Tables", "", tables]
    for table in (*TABLES.values(), COMPARISON):  # the last is printed, and lies in no study
        key = ", ".join(f"`{name}`" for name in table.key)
        parts += [
            "",
            f"### {table.name}",
            "",
            f"One row is {table.row}. Key: {key}. Made by `propgraph {table.job}`.",
            "",
        ]
        parts += ["| column | dtype | unit | meaning |", "|---|---|---|---|"]
        for name, column in table.columns.items():
            parts.append(f"| `{name}` | {column.dtype} | {column.unit} | {column.meaning} |")
    return "\n".join(parts) + "\n"


def formats() -> str:
    """Return the page of all formats of logs."""
    parts = [
        "# Formats of logs", "", "Made by `python docs/make_reference.py` from the readers; a test holds it "
        "against the code. `propgraph formats show NAME` says the same in a terminal.", "",
        "A file's format is found by its columns, or by the keys of its JSON records; `--format` overrules that. "
        "Files may be plain, packed (`.gz`, `.zst`, `.bz2`, `.xz`) or in a `.zip` or `.tar`; `-` is standard input. "
        "Workbooks (`.xlsx`) are read with `pip install 'propgraph[xlsx]'`. Archives and workbooks have to be named "
        "themselves, a folder's are left out. Lines before a table's header are found, or named with `--skip-lines`; "
        "text that is not UTF-8 is read as it looks, or as `--encoding` says. "
        "Other columns are named with `--map`; a key inside a JSON object is "
        "named by its path: `--map account_id=user.id`.", "",
        "| column of propgraph's | meaning |", "|---|---|",
        *(f"| `{name}` | {meaning} |" for name, meaning in CANONICAL.items()), "", *TIMES, "", *VALUES,
    ]  # fmt: skip
    for reader in READERS.values():
        parts += ["", *_format(reader)]
    return "\n".join(parts) + "\n"


def _format(reader: Reader) -> list[str]:
    known_by = "; or ".join(", ".join(f"`{name}`" for name in layout) for layout in reader.layouts)
    return [
        f"## {reader.name}", "", f"{reader.title}.", "", f"Recognised by {known_by}.", "",
        "```", reader.sample.strip(), "```", "", "| column | from |", "|---|---|",
        *(f"| `{name}` | {source} |" for name, source in reader.fields.items()), "",
        f"Field names checked in: {reader.checked}.",
    ]  # fmt: skip


def _python(name: str, thing: Callable[..., Any]) -> list[str]:
    """Return how a public name is called, what it is in a sentence, and its example."""
    text = inspect.getdoc(thing) or ""
    summary = " ".join(text.partition("\n\n")[0].split())
    example = text.partition("Examples\n--------\n")[2].strip()
    return [
        f"### {name}",
        "",
        summary,
        "",
        "```python",
        _call(name, thing),
        "```",
        "",
        "```pycon",
        example,
        "```",
    ]


def _call(name: str, thing: Callable[..., Any]) -> str:
    """Return the signature without types, one parameter a line where it is long."""
    if inspect.isclass(thing) and issubclass(thing, Exception):
        return f"propgraph.{name}"
    bare = inspect.signature(thing)
    parameters = [one.replace(annotation=inspect.Parameter.empty) for one in bare.parameters.values()]
    call = f"{name}{bare.replace(parameters=parameters, return_annotation=inspect.Signature.empty)}"
    call = call.replace("'", '"')
    if len(call) <= 100:
        return call
    return re.sub(r", (?=[\w/*])", ",\n    ", call.replace("(", "(\n    ", 1))[:-1] + ",\n)"


def usage(command: tuple[str, ...]) -> str:
    """Return what `--help` of a command prints."""
    out = io.StringIO()
    with redirect_stdout(out):
        run([*command, "--help"])
    return "\n".join(line.rstrip() for line in out.getvalue().strip().splitlines())


if __name__ == "__main__":
    for name, page in (("reference.md", reference()), ("formats.md", formats())):
        Path(__file__).with_name(name).write_text(page, encoding="utf-8")
