"""`propgraph build` on a Parquet log against what Polars takes merely to read, encode and sort it.

    python -m benchmarks ten_million [--shares 10000000] [--runs 3] [--folder FOLDER]

Both as whole processes, in turn; the ratio is taken pair by pair.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.logs import log_file
from benchmarks.timing import PROPGRAPH, header, median, row, run

POLARS = """
import sys, polars as pl
frame = pl.read_parquet(sys.argv[1])
frame = frame.with_columns(pl.col("account_id", "object_id").cast(pl.Categorical))
frame.sort("object_id", "timestamp_share")
"""


def main() -> None:
    """Make the log, run both, print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shares", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "propgraph-benchmarks")
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)
    log = str(log_file(options.folder, options.shares, "parquet"))
    warm = str(log_file(options.folder, 10_000, "parquet"))
    study = str(options.folder / "study")
    run(PROPGRAPH, "build", warm, "-o", study, "--overwrite")
    pairs = [
        (run(PROPGRAPH, "build", log, "-o", study, "--overwrite"), run(sys.executable, "-c", POLARS, log))
        for _ in range(options.runs)
    ]
    ours, theirs = median([pair[0] for pair in pairs]), median([pair[1] for pair in pairs])
    ratios = sorted(pair[0].wall_s / pair[1].wall_s for pair in pairs)
    header("", "wall s", "CPU s", "peak MB")
    row("propgraph build", ours.wall_s, ours.cpu_s, ours.peak_mb)
    row("Polars: read, encode, sort", theirs.wall_s, theirs.cpu_s, theirs.peak_mb)
    row(
        "ratio (pairs: " + ", ".join(f"{ratio:.2f}" for ratio in ratios) + ")",
        ratios[len(ratios) // 2],
        "",
        "",
    )


if __name__ == "__main__":
    main()
