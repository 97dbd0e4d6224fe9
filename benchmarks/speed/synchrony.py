"""Rank synchrony against the plain window kernel: seconds and peak memory on logs of growing size.

    python -m benchmarks synchrony [--shares 1000000 3000000 10000000] [--runs 3] [--folder FOLDER]

Both are whole functions, `rank_synchrony` (with the number of pairs tested) and `cosharing_edges` (60 s): from a
frame of shares to a table, each in a process of its own that has read the log and warmed up before the clock starts.
They run in turn, and the ratio is taken pair by pair. Memory is the process's, the log in it. The logs have the same
shares per object and per account at every size; the exponent is the slope of the logarithms of the medians between
the smallest and the largest. The parts of rank synchrony are timed once more by themselves.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.logs import log_file
from benchmarks.timing import header, row
from propgraph.arrays.incidence import incidence
from propgraph.cosharing.window import cosharing_edges
from propgraph.schema import TIME
from propgraph.synchrony.pairs import as_frame, near_pairs, rank_synchrony
from propgraph.synchrony.prepared import prepare_shares
from propgraph.synchrony.testable import count_tests

PARTS = ("incidence", "gaps", "pairs", "trials", "table")


def main() -> None:
    """Make the logs, run both, print tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shares", type=int, nargs="+", default=[1_000_000, 3_000_000, 10_000_000])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "propgraph-benchmarks")
    parser.add_argument("--one", choices=JOBS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)
    if options.one:
        print(json.dumps(told(options.one, options)))
        return
    log_file(options.folder, 10_000, "parquet")
    header(
        "shares",
        "window s",
        "ranks s",
        "ratio",
        "all ratios",
        "window MB",
        "ranks MB",
        *(f"{name} s" for name in PARTS),
    )
    window, prepared = {}, {}
    for n in options.shares:
        log_file(options.folder, n, "parquet")
        runs = [(apart("window", n, options), apart("prepared", n, options)) for _ in range(options.runs)]
        window[n], prepared[n] = (statistics.median(pair[k]["s"] for pair in runs) for k in (0, 1))
        ratios = sorted(pair[1]["s"] / pair[0]["s"] for pair in runs)
        memory = [max(pair[k]["mb"] for pair in runs) for k in (0, 1)]
        parts = apart("parts", n, options)["parts"]
        row(f"{n:,}", window[n], prepared[n], statistics.median(ratios), ", ".join(f"{r:.2f}" for r in ratios),
            *(f"{mb:.0f}" for mb in memory), *parts)  # fmt: skip
    small, large = min(options.shares), max(options.shares)
    if small < large:
        for name, took in (("window", window), ("prepared", prepared)):
            print(f"exponent, {name}: {math.log(took[large] / took[small]) / math.log(large / small):.2f}")


def apart(job: str, n: int, options: argparse.Namespace) -> dict[str, Any]:
    """Do a job in a process of its own."""
    command = [sys.executable, __file__, "--one", job, "--shares", str(n)]
    command += ["--threads", str(options.threads), "--folder", str(options.folder)]
    found: dict[str, Any] = json.loads(subprocess.check_output(command))
    return found


def told(job: str, options: argparse.Namespace) -> dict[str, Any]:
    """Read the log, warm up, do the job and tell its seconds and this process's peak memory."""
    JOBS[job](read(log_file(options.folder, 10_000, "parquet")), options.threads)
    shares = read(log_file(options.folder, options.shares[0], "parquet"))
    begin = time.perf_counter()
    parts = JOBS[job](shares, options.threads)
    took = time.perf_counter() - begin
    unit = 1 if sys.platform == "darwin" else 1024
    return {"s": took, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6, "parts": parts}


def read(path: Path) -> pl.DataFrame:
    """Return a log as shares."""
    when = pl.from_epoch("timestamp_share", time_unit="s").cast(TIME)
    return pl.read_parquet(path).with_columns(timestamp=when).drop("timestamp_share")


def in_window(shares: pl.DataFrame, threads: int) -> None:
    """Co-share within 60 s."""
    cosharing_edges(shares, threads=threads)


def by_rank(shares: pl.DataFrame, threads: int) -> None:
    """Rank synchrony."""
    rank_synchrony(shares, threads=threads)


def by_parts(shares: pl.DataFrame, threads: int) -> list[float]:
    """Time rank synchrony's parts."""
    clock = [time.perf_counter()]

    def lap() -> None:
        clock.append(time.perf_counter())

    log = incidence(shares)
    lap()
    prepared = prepare_shares(log)
    lap()
    found, _ = near_pairs(prepared, threads=threads)
    lap()
    tests = count_tests(log, prepared.gaps.least, tau=prepared.tau, threads=threads)
    lap()
    as_frame(found, log, "object", tests=tests, threads=threads)
    lap()
    return [late - early for early, late in pairwise(clock)]


JOBS: dict[str, Callable[[pl.DataFrame, int], list[float] | None]] = {
    "window": in_window,
    "prepared": by_rank,
    "parts": by_parts,
}


if __name__ == "__main__":
    main()
