"""How time and memory of `propgraph build` grow with the log, and what a second thread gives.

    python -m benchmarks growth [--shares 1000000 3000000 10000000] [--runs 3] [--folder FOLDER]

The logs have the same shares per object and per account at every size. The exponent is the slope of the
logarithms between the smallest and the largest; memory also less the size of the bare process.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from pathlib import Path

from benchmarks.logs import log_file
from benchmarks.timing import PROPGRAPH, Timing, header, median, row, run


def main() -> None:
    """Make the logs, run, print tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shares", type=int, nargs="+", default=[1_000_000, 3_000_000, 10_000_000])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "propgraph-benchmarks")
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)
    study = str(options.folder / "study")

    def build(n: int, threads: int) -> Timing:
        log = str(log_file(options.folder, n, "parquet"))
        command = (PROPGRAPH, "build", log, "-o", study, "--overwrite", "--threads", str(threads))
        return median([run(*command) for _ in range(options.runs)])

    bare = build(10_000, 2)
    header("shares", "wall s", "CPU s", "peak MB", "wall s, 1 thread")
    timings = {}
    for n in options.shares:
        timings[n] = build(n, 2)
        row(f"{n:,}", timings[n].wall_s, timings[n].cpu_s, timings[n].peak_mb, build(n, 1).wall_s)
    small, large = min(options.shares), max(options.shares)
    ratio = math.log(large / small)
    print(f"\nexponent of time {math.log(timings[large].wall_s / timings[small].wall_s) / ratio:.2f}")
    print(f"exponent of memory {math.log(timings[large].peak_mb / timings[small].peak_mb) / ratio:.2f}")
    above = (
        math.log((timings[large].peak_mb - bare.peak_mb) / (timings[small].peak_mb - bare.peak_mb)) / ratio
    )
    print(f"exponent of memory above a log of 10,000 shares ({bare.peak_mb:.0f} MB) {above:.2f}")


if __name__ == "__main__":
    main()
