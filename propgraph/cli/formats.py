"""`propgraph formats`: the formats of logs that are read, and what each of them gives."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="Show which formats of logs are read, and what each gives.", rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def formats(context: typer.Context) -> None:
    """Show which formats of logs are read, and what each gives."""
    if context.invoked_subcommand is None:
        _list()


@app.command("show")
def show(name: Annotated[str, typer.Argument(metavar="NAME", help="A format, as `propgraph formats` lists it.", show_default=False)]) -> None:  # fmt: skip
    """Show one format: how it is recognised, a sample, and where each of propgraph's columns comes from."""
    from propgraph.cli.output import say
    from propgraph.errors import check_choice
    from propgraph.readers.registry import READERS

    check_choice("name", name, READERS)
    reader = READERS[name]
    say(f"{reader.name}: {reader.title}", bold=True)
    say()
    say("Recognised by" + (", any of:" if len(reader.layouts) > 1 else ":"))
    for layout in reader.layouts:
        say(", ".join(layout), indent=4)
    say()
    say("Sample (invented):")
    for line in reader.sample.strip().splitlines():
        say(line, indent=4, wrap=False)
    say()
    say("Columns of propgraph's and where they come from:")
    width = max(map(len, reader.fields))
    for field, source in reader.fields.items():
        say(f"{field:<{width}}  {source}", indent=4)
    say()
    say(f"Field names checked in: {reader.checked}")


def _list() -> None:
    from propgraph.cli.output import say
    from propgraph.readers.registry import READERS

    for reader in READERS.values():
        say(f"{reader.name}: {reader.title}", bold=True)
        say(", ".join(reader.fields), indent=4)
    say()
    say(
        "The format of a file is found by its columns or keys; `propgraph build --format NAME` overrules that."
    )
    say("Others: name the columns with --map; a key inside a JSON object is named by its path (user.id).")
    say("More on one: propgraph formats show NAME")
