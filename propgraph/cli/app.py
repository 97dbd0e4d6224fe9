"""The `propgraph` command: its subcommands, and how errors end it."""

from __future__ import annotations

import io
import os
import shlex
import sys
from typing import Annotated, Any

import typer

from propgraph.cli import (
    build,
    cascades,
    clusters,
    compare,
    demo,
    evaluate,
    explain,
    export,
    formats,
    interrupts,
    power,
    report,
    simulate,
    sites,
    stability,
)
from propgraph.cli.loudness import with_loudness
from propgraph.errors import PropgraphError, UnknownColumnsError

_TITLE = "Graph analysis of how fake news propagates: from share logs to organised clusters and seeded sites."

app = typer.Typer(
    name="propgraph",
    help=_TITLE,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("build")(with_loudness(build.build))
app.command("cascades")(with_loudness(cascades.cascades))
app.command("clusters")(with_loudness(clusters.clusters))
app.command("compare")(with_loudness(compare.compare))
app.command("demo")(with_loudness(demo.demo))
app.command("evaluate")(with_loudness(evaluate.evaluate))
app.command("explain")(with_loudness(explain.explain))
app.command("export")(with_loudness(export.export))
app.command("power")(with_loudness(power.power))
app.command("report")(with_loudness(report.report))
app.command("sites")(with_loudness(sites.sites))
app.command("stability")(with_loudness(stability.stability))
app.add_typer(formats.app, name="formats")
app.add_typer(simulate.app, name="simulate")


def _version(show: bool) -> None:
    if show:
        from importlib.metadata import version

        print(version("propgraph"))  # noqa: T201
        raise typer.Exit


@app.callback(help=_TITLE)
def root(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Answer `propgraph --version`; the subcommands do the rest."""


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code: 0, 1 for bad data, 2 for bad usage, 3 for a flag (`--exit-code`).

    130 for Ctrl-C, 143 for SIGTERM and 129 for SIGHUP, where `interrupts.catch` has them caught.

    Where the reader of the output (head, less) has gone it is 1, without a word.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that knows no UTF-8 shows what it can.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        app(arguments, prog_name="propgraph", standalone_mode=True)
    except SystemExit as end:
        if end.code == 130:
            interrupts.tell()
            return interrupts.exit_code()
        return end.code if isinstance(end.code, int) else 1
    except BaseException as error:  # a panic of Polars' is no Exception
        if interrupts.came() or isinstance(error, KeyboardInterrupt) or "KeyboardInterrupt" in str(error):
            interrupts.tell()
            return interrupts.exit_code()
        code, message = _explained(error, arguments)
        if not isinstance(error, PropgraphError) and os.environ.get("PROPGRAPH_DEBUG"):
            raise
        _complain(message)
        if isinstance(error, UnknownColumnsError):
            _offer(error, arguments)
        return code
    return 0


def _offer(error: UnknownColumnsError, arguments: list[str]) -> None:
    """Print what unknown columns likely are, and the command that reads them so."""
    from propgraph.cli.output import err

    for line in error.lines:
        err(line, always=True)
    if error.new:
        words = [word for name, column in error.new.items() for word in ("--map", f"{name}={column}")]
        err("If that is right:", always=True)
        err(f"  {shlex.join(['propgraph', *arguments, *words])}", always=True)


def _explained(error: BaseException, arguments: list[str]) -> tuple[int, str]:
    """Return the exit code and what to tell."""
    if isinstance(error, PropgraphError):
        of = "" if error.option is None else f"{_written(error.option, arguments)}: "
        return error.exit_code, of + error.message
    if isinstance(error, MemoryError):
        return (
            1,
            f"out of memory{_step(error)}; a shorter time window, fewer traces or a part of the log need less",
        )
    if isinstance(error, OSError) and error.strerror:
        return 1, f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return 1, (
        f"internal error{_step(error)} ({type(error).__name__}: {str(error)[:300]}). This is a fault of propgraph's; "
        "please report it with the output of PROPGRAPH_DEBUG=1 propgraph ..."
    )


def _step(error: BaseException) -> str:
    """Return in which step of a job an error came up, where it was in one."""
    return "".join(f" ({note})" for note in getattr(error, "__notes__", []))


def _written(option: str, arguments: list[str]) -> str:
    """Return how the command that was called writes an option of that Python name: `min_score` as `--min-score`.

    A command's parameters bear the names that they have in Python, so typer knows how each is written.
    """
    command: Any = typer.main.get_command(app)
    for word in arguments:
        command = getattr(command, "commands", {}).get(word, command)
    for parameter in command.params:
        if parameter.name == option:
            longest = max(parameter.opts, key=len)
            return str(longest if longest.startswith("-") else parameter.metavar)
    return option


def _complain(message: str) -> None:
    from propgraph.cli.output import err

    err(f"propgraph: {message}", always=True)
