"""`propgraph explain`: why something is, or is not, flagged."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from propgraph.cli.options import Language

if TYPE_CHECKING:
    import polars as pl

    from propgraph.report.document import Document

FORMATS = ("table", "json", "md", "html")


def explain(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="A study that `propgraph build` made.", show_default=False)],
    what: Annotated[str, typer.Argument(metavar="WHAT", help="An account, its name, a cluster, campaign, site, group of sites (o1) or post, two accounts as a,b, or one rule as c1:turnout; or how an id begins.", show_default=False)],
    format: Annotated[str, typer.Option("--format", metavar="table|json|md|html", help="What goes to stdout: text to read, data, or a page.")] = "table",
    posts: Annotated[int | None, typer.Option("--posts", metavar="N", help="Show at most N posts a reason, and all else that there is to say.  [default: 10]", show_default=False)] = None,
    full: Annotated[bool, typer.Option("--full", help="Of a cluster, show all there is to say in the terminal, too, and not one screen of it.")] = False,
    overturn: Annotated[bool, typer.Option("--overturn", help="Of a cluster: search the log again without one object, or one member, at a time, and say whether the flag falls; about ten times as long as `propgraph clusters`.")] = False,
    language: Language = "en",
) -> None:  # fmt: skip
    """Show the posts behind a flag, or why there is none, what else would fit, and what cannot be known."""
    from propgraph.cli.output import progress
    from propgraph.errors import check_choice
    from propgraph.report.explain.brief import brief
    from propgraph.report.explain.explain import POSTS
    from propgraph.report.explain.explain import explain as explained
    from propgraph.study import Study, unchanged
    from propgraph.words.said import ENGLISH, read_in

    check_choice("format", format, FORMATS)
    found = Study.open(study)
    with unchanged(found), progress() as tell:
        document = explained(
            found,
            what,
            posts=POSTS if posts is None else posts,
            overturn=overturn,
            language=language,
            progress=tell,
        )
    if format == "table":
        whole = full or posts is not None or overturn
        more = [] if language == ENGLISH else ["--language", language]
        command = shlex.join(["propgraph", "explain", str(study), what, "--full", *more])
        with read_in(language):
            _show(document if whole else brief(document, command=command))
        return
    texts = {
        "json": lambda: json.dumps(document.as_record(), ensure_ascii=False, indent=1) + "\n",
        "md": document.as_markdown,
        "html": document.as_html,
    }
    sys.stdout.buffer.write(texts[format]().encode())
    sys.stdout.buffer.flush()


def _show(document: Document) -> None:
    from propgraph.cli.output import say

    say(document.title, bold=True)
    for part in document.parts:
        say()
        say(part.heading, bold=True)
        for line in part.lines:
            say(line, indent=2)
        if part.table is not None and part.table.height:
            _show_table(part.table)


def _show_table(table: pl.DataFrame) -> None:
    """Print rows below each other: a line each, and what is long on lines of its own."""
    from propgraph.cli.output import say_table
    from propgraph.report.document import cell, label

    broad = [name for name in ("shared", "text", "besides") if name in table.columns and table.width > 4]
    narrow = table.drop(broad)
    below = [[cell(value) for value in row if value is not None] for row in table.select(broad).rows()]
    rows = [[cell(value) for value in row] for row in narrow.rows()]
    say_table(
        list(map(label, narrow.columns)), list(zip(rows, below or [[]] * len(rows), strict=True)), indent=2
    )
