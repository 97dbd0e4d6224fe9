"""What an installation weighs, and what the first start costs beside the second: bytes, and seconds of processor time.

    python -m benchmarks first_start
    python -m benchmarks first_start --propgraph ENV/bin/propgraph

Of the environment that `--propgraph` stands in: each distribution's bytes, and how many are Python's compiled files;
then the demo with an empty cache of kernels and with a full one, and commands that compile nothing.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.timing import PROPGRAPH, Timing, header, row, run

_WEIGH = """
import os
from importlib.metadata import distributions

for found in distributions():
    sizes = {str(f): os.path.getsize(p) for f in found.files or () if (p := f.locate()).is_file()}
    code = sum(size for name, size in sizes.items() if name.endswith(".pyc"))
    print(found.name, sum(sizes.values()), code)
"""
_SHOWN_MB = 1.0


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks first_start", description=__doc__)
    parser.add_argument("--propgraph", default=PROPGRAPH, help="The command of the environment to look at.")
    chosen = parser.parse_args().propgraph
    weigh(Path(chosen).with_name("python"))
    print()
    time_starts(chosen)


def weigh(python: Path) -> None:
    """Print what each distribution of an environment weighs."""
    told = subprocess.run(
        [str(python), "-I", "-c", _WEIGH], capture_output=True, text=True, check=True
    ).stdout
    sizes = sorted(
        ((int(whole), int(code), name) for name, whole, code in map(str.split, told.splitlines())),
        reverse=True,
    )
    header("distribution", "MB", "of these .pyc")
    for whole, code, name in sizes:
        if whole >= _SHOWN_MB * 1e6:
            row(name, whole / 1e6, code / 1e6)
    row("all", sum(whole for whole, *_ in sizes) / 1e6, sum(code for _, code, _ in sizes) / 1e6)


def time_starts(propgraph: str) -> None:
    """Print what commands take whose kernels are not compiled yet, and again."""
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["NUMBA_CACHE_DIR"] = scratch
        os.chdir(scratch)
        build = ("build", "data/veles.parquet", "-o", "study", "--overwrite")
        again = ("clusters", "demo/study")
        header("command", "CPU s", "wall s")
        for name, arguments in (
            ("demo, nothing compiled", ("demo",)),
            ("demo, second time", ("demo",)),
            ("build, second time", build),
            ("clusters, shown again", again),
            ("--help", ("--help",)),
        ):
            taken: Timing = run(propgraph, *arguments)
            row(name, taken.cpu_s, taken.wall_s)
        os.chdir(Path(sys.executable).anchor)


if __name__ == "__main__":
    main()
