"""Whole processes timed from outside: wall and CPU seconds, peak memory, by the operating system's account."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

PROPGRAPH = str(Path(sys.executable).with_name("propgraph"))


@dataclass(frozen=True)
class Timing:
    """One finished process: seconds of wall clock and of CPU, peak resident memory in MB (10^6 bytes)."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def run(*command: str, ends_with: int = 0) -> Timing:
    """Run a command to its end and return what it took; its output is thrown away.

    Any other exit code than `ends_with` ends the benchmark.
    """
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    complaint = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != ends_with:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}: {complaint.decode()[-2000:]}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Timing(time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / 1e6)


def median(timings: list[Timing]) -> Timing:
    """Return the medians of several runs, figure by figure."""
    names = ("wall_s", "cpu_s", "peak_mb")
    return Timing(*(statistics.median(getattr(timing, name) for timing in timings) for name in names))


def row(*cells: object) -> None:
    """Print one row of a Markdown table."""
    texts = [f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in cells]
    print("| " + " | ".join(texts) + " |", flush=True)


def header(*names: str) -> None:
    """Print the head of a Markdown table."""
    row(*names)
    row(*("---" for _ in names))
