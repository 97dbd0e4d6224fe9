"""Run one measurement by its name, or list them all with what each shows.

python -m benchmarks                       # the list
python -m benchmarks ten_million --runs 1  # one of them, with its options
"""

from __future__ import annotations

import ast
import os
import sys
from importlib import import_module
from pathlib import Path

from benchmarks import ROOT

ROOMS = ("speed", "detection", "real", "")


def measurements() -> dict[str, Path]:
    """Return the files that can be run, by name, room by room."""
    files = [file for room in ROOMS for file in sorted((ROOT / "benchmarks" / room).glob("*.py"))]
    return {file.stem: file for file in files if "\ndef main(" in file.read_text(encoding="utf-8")}


def shows(file: Path) -> str:
    """Return the first line of what a file says of itself."""
    return (ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "").splitlines()[0]


def listed() -> str:
    """Return the list of all measurements, a line each, under their rooms."""
    lines = ["python -m benchmarks NAME [OPTIONS]; --help tells the options"]
    room = None
    for name, file in measurements().items():
        if file.parent != room:
            room = file.parent
            title = (
                shows(room / "__init__.py")
                if room != ROOT / "benchmarks"
                else "Whether a change broke anything."
            )
            lines += ["", title]
        lines.append(f"  {name:<12} {shows(file)}")
    return "\n".join(lines)


def run() -> None:
    """Do what the command line says."""
    name = sys.argv[1] if len(sys.argv) > 1 else None
    files = measurements()
    if name is None or name in {"-h", "--help"}:
        print(listed())
    elif name not in files:
        sys.exit(f"{name}: no measurement of this name; there are {', '.join(files)}")
    else:
        sys.argv[:2] = [f"python -m benchmarks {name}"]
        module = ".".join(files[name].relative_to(ROOT).with_suffix("").parts)
        import_module(module).main()


if __name__ == "__main__":
    try:
        run()
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads it, `head` for one, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
