"""Options of the commands, out of what `propgraph.options` says of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from propgraph.errors import UsageError
from propgraph.options import Options

FLAGGED = 3
"""What a command ends with that was asked to tell a script so (`--exit-code`): something is flagged."""

Language = Annotated[str, typer.Option("--language", metavar="en|fr", help="Language of what people read: English, French; names, options and data stay as they are.")]  # fmt: skip
"""The option of commands whose sentences are there in several languages."""


def option_of(of: type[Options], name: str, /, *, unset: bool = False) -> Any:
    """Return the typer option of that name: its flag, what stands for its value, and its help.

    Parameters
    ----------
    of, name
        The set of options and the one in it.
    unset
        The command has to tell what was given from what was not: its default is None, and the help names the real one.
    """
    spec = of.spec(name)
    default, switch = spec.default, isinstance(spec.default, bool)
    named = f"  [default: {default}]" if unset and default is not None and not switch else ""
    return typer.Option(
        f"--{name.replace('_', '-')}",
        metavar=spec.metadata["metavar"],
        help=spec.metadata["help"] + named,
        show_default=not unset and default is not None,
    )


def check_suffixes(graphml: Path | None, gexf: Path | None, /) -> None:
    """Raise `UsageError` where a file of one format is called as the other."""
    if graphml is not None and graphml.suffix.lower() == ".gexf":
        raise UsageError(f"{graphml}: that is called GEXF; write it with --gexf", option="graphml")
    if gexf is not None and gexf.suffix.lower() != ".gexf":
        raise UsageError(
            f"{gexf}: call it {gexf.with_suffix('.gexf').name}, or Gephi does not know what it is",
            option="gexf",
        )
