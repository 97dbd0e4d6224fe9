"""`python -m propgraph` and the `propgraph` command."""

from __future__ import annotations

import sys

from propgraph.cli import interrupts


def main() -> None:
    """Run the command line; a traceback never reaches the user."""
    interrupts.catch()
    try:
        # Not before: typer takes a moment to load, and Ctrl-C may come in it.
        from propgraph.cli.app import run  # noqa: PLC0415

        code = run(sys.argv[1:])
        interrupts.let_go()
    except BaseException:
        # What is interrupted while it loads says so in many ways (ImportError, SystemError).
        if not interrupts.came():
            raise
        interrupts.tell()
        code = interrupts.exit_code()
    sys.exit(code)


if __name__ == "__main__":
    main()
