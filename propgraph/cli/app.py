"""The `propgraph` command: its subcommands, and how errors end it."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from propgraph.cli import build, clusters, demo, simulate
from propgraph.errors import PropgraphError

app = typer.Typer(
    name="propgraph",
    help="Graph analysis of how fake news propagates: from share logs to organised clusters and seeded sites.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("build")(build.build)
app.command("clusters")(clusters.clusters)
app.command("demo")(demo.demo)
app.add_typer(simulate.app, name="simulate")


def _version(show: bool) -> None:
    if show:
        from importlib.metadata import version

        print(version("propgraph"))  # noqa: T201
        raise typer.Exit


@app.callback()
def root(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Graph analysis of how fake news propagates: from share logs to organised clusters and seeded sites."""


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code: 0, 1 for bad data, 2 for bad usage, 130 for Ctrl-C."""
    try:
        app(arguments, prog_name="propgraph", standalone_mode=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except PropgraphError as error:
        _complain(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        _complain("interrupted; what was there before is as it was")
        return 130
    except BrokenPipeError:
        # The reader of our output (head, less) has gone; its absence is no error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except MemoryError:
        _complain("out of memory; a shorter time window, fewer traces or a part of the log need less")
        return 1
    except Exception as error:
        if os.environ.get("PROPGRAPH_DEBUG"):
            raise
        _complain(
            f"internal error ({type(error).__name__}: {str(error)[:300]}). This is a fault of propgraph's; "
            "please report it with the output of PROPGRAPH_DEBUG=1 propgraph ..."
        )
        return 1
    return 0


def _complain(message: str) -> None:
    from propgraph.cli.output import err

    err(f"propgraph: {message}")
