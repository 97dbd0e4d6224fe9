"""propgraph against the QUT coordination-network-toolkit: CSV in, edges out, whole processes in turn.

    python -m benchmarks against_qut [--shares 1000000 3000000] [--runs 3] [--folder FOLDER]

The toolkit comes from PyPI into a virtual environment of its own. It preprocesses the CSV into a database
and computes co-link edges at 60 s and minimum weight 2; propgraph builds the whole study from the same CSV.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import polars as pl

from benchmarks.logs import log_file
from benchmarks.timing import PROPGRAPH, Timing, header, median, row, run

TOOLKIT = "coordination-network-toolkit==1.5.2"


def main() -> None:
    """Make the logs, run both, print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shares", type=int, nargs="+", default=[1_000_000, 3_000_000])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "propgraph-benchmarks")
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)
    toolkit = install(options.folder)
    warm = log_file(options.folder, 10_000, "csv")
    run(PROPGRAPH, "build", str(warm), "-o", str(options.folder / "warm"), "--overwrite")
    header("shares", "toolkit s", "propgraph s", "ratio", "toolkit MB", "propgraph MB")
    for n in options.shares:
        ours, theirs = log_file(options.folder, n, "csv"), toolkit_csv(options.folder, n)
        pairs = [(run_toolkit(toolkit, theirs), run_propgraph(ours)) for _ in range(options.runs)]
        them, us = median([pair[0] for pair in pairs]), median([pair[1] for pair in pairs])
        ratios = sorted(pair[0].wall_s / pair[1].wall_s for pair in pairs)
        row(f"{n:,}", them.wall_s, us.wall_s, ratios[len(ratios) // 2], them.peak_mb, us.peak_mb)


def install(folder: Path) -> str:
    """Return the toolkit's command, installed on first use."""
    command = folder / "toolkit" / "bin" / "compute_networks"
    if not command.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder / "toolkit")], check=True)
        subprocess.run([str(folder / "toolkit" / "bin" / "pip"), "install", "--quiet", TOOLKIT], check=True)
    return str(command)


def toolkit_csv(folder: Path, n: int) -> Path:
    """Return the same log in the toolkit's columns; each object is a link."""
    path = folder / f"toolkit_{n}.csv"
    if not path.exists():
        pl.read_csv(log_file(folder, n, "csv"), schema_overrides={"content_id": pl.String}).select(
            message_id="content_id", user_id="account_id", username="account_id",
            repost_id=pl.lit(""), reply_id=pl.lit(""), message=pl.lit(""),
            timestamp="timestamp_share", urls=pl.format("https://example.com/{}", "object_id"),
        ).write_csv(path)  # fmt: skip
    return path


def run_toolkit(command: str, log: Path) -> Timing:
    """Preprocess into a fresh database and compute the co-link network; seconds added up."""
    database = log.with_suffix(".db")
    database.unlink(missing_ok=True)
    first = run(command, str(database), "preprocess", str(log))
    second = run(
        command, str(database), "compute", "co_link", "--time_window", "60", "--min_edge_weight", "2"
    )
    return Timing(
        first.wall_s + second.wall_s, first.cpu_s + second.cpu_s, max(first.peak_mb, second.peak_mb)
    )


def run_propgraph(log: Path) -> Timing:
    """Build the whole study."""
    return run(PROPGRAPH, "build", str(log), "-o", str(log.with_suffix(".study")), "--overwrite")


if __name__ == "__main__":
    main()
