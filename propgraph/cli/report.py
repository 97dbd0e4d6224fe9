"""`propgraph report`: what was found, as one page to hand over."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from propgraph.cli.options import Language


def report(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="A study that `propgraph clusters` went through.", show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The page to write (HTML).", show_default=False)],
    audience: Annotated[str, typer.Option("--audience", metavar="public|analyst|platform", help="Who reads it. public: no account, post or text, no cluster under five accounts; platform: accounts, ids and times, no texts; analyst: everything.")] = "analyst",
    events: Annotated[Path | None, typer.Option("--events", metavar="FILE", help="Dates to be marked: a table with the columns date (2016-11-08) and label.", show_default=False)] = None,
    title: Annotated[str | None, typer.Option("--title", metavar="TEXT", help="What stands above it.  [default: the name of the log and the days that it spans]", show_default=False)] = None,
    language: Language = "en",
) -> None:  # fmt: skip
    """Write what was found as one page: to read offline, to print, to hand over."""
    from propgraph.cli.output import say
    from propgraph.report.page.report import write_report
    from propgraph.words.said import read_in, tell

    write_report(
        output,
        study,
        audience=audience,
        events=() if events is None else events,
        title=title,
        language=language,
    )
    with read_in(language):
        size = tell("screen.written", n=max(output.stat().st_size // 1000, 1))
        say(f"{tell('screen.report'):<10}{output}  ({size})", wrap=False)
