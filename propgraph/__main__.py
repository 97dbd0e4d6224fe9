"""`python -m propgraph` and the `propgraph` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; a traceback never reaches the user."""
    from propgraph.cli.app import run  # noqa: PLC0415 - keeps `import propgraph.__main__` free of typer

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
