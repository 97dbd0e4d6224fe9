"""propgraph against what the field runs on the same log, CSV in: seconds and peak memory, whole processes in turn.

    python -m benchmarks against [--shares 300000 1000000] [--without qut] [--folder FOLDER]

QUT's toolkit is the real one, up to its edges. Pacheco's cosines of all pairs (TF-IDF over objects) are the
re-implementation in `detection/baselines.py`, by scipy, up to each account's heaviest edge. propgraph builds the whole
study. Give 3000000 or 10000000 shares as well where there is time.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.logs import log_file
from benchmarks.speed.against_qut import install, run_propgraph, run_toolkit, toolkit_csv
from benchmarks.timing import PROPGRAPH, Timing, header, row, run

PACHECO = """
import sys, polars as pl
from benchmarks.detection.baselines import pacheco
log = pl.read_csv(sys.argv[1], schema_overrides={"content_id": pl.String})
pacheco(log.with_columns(timestamp=pl.from_epoch("timestamp_share").dt.cast_time_unit("ms")))
"""


def main() -> None:
    """Make the logs, run each method on each, print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shares", type=int, nargs="+", default=[300_000, 1_000_000])
    parser.add_argument("--without", choices=("qut", "pacheco"), nargs="*", default=[])
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "propgraph-benchmarks")
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)
    warm = log_file(options.folder, 10_000, "csv")
    run(PROPGRAPH, "build", str(warm), "-o", str(options.folder / "warm"), "--overwrite")
    header("shares", "what", "wall s", "CPU s", "peak MB")
    for n in options.shares:
        log = log_file(options.folder, n, "csv")
        _print(n, "propgraph build", run_propgraph(log))
        if "pacheco" not in options.without:
            _print(n, "TF-IDF cosines (Pacheco)", run(sys.executable, "-c", PACHECO, str(log)))
        if "qut" not in options.without:
            toolkit = install(options.folder)
            _print(n, "QUT's toolkit", run_toolkit(toolkit, toolkit_csv(options.folder, n)))


def _print(n: int, what: str, timing: Timing) -> None:
    row(f"{n:,}", what, timing.wall_s, timing.cpu_s, timing.peak_mb)


if __name__ == "__main__":
    main()
