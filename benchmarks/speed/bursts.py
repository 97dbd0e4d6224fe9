"""How time and memory of `propgraph build` and `propgraph clusters` grow with the accounts of a burst.

    python -m benchmarks bursts [--accounts 3000 12000] [--kinds two seconds ...] [--folder FOLDER]

A burst: so many accounts share an object within a minute. The exponents are the slopes of the logarithms between the
smallest and the largest, of CPU seconds and of memory, less what a log of a hundred accounts takes; all pairs would
give two.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.timing import PROPGRAPH, header, row, run

START_MS, DAY_MS, MINUTE_MS = 1_700_000_000_000, 86_400_000, 60_000
BARE = 100
FLOORS = (0.5, 50.0, 0.5, 50.0)  # what jobs take beyond a small log's is measured no better (s, MB)
WORDS = "nobody in the whole country will have to pay for the new road between the two towns said the minister today"


def burst(n: int, objects: int, *, step_ms: int = 1, listed: bool = False) -> pl.DataFrame:
    """Return `n` accounts' posts of each of `objects`, a day and a bit apart, within a minute.

    In an order of chance, or (`listed`) always the same; times are multiples of `step_ms`.
    """
    rng = np.random.default_rng(0)
    parts = []
    for k in range(objects):
        times = np.sort(rng.integers(0, MINUTE_MS, n)) // step_ms * step_ms
        order = np.arange(n) if listed else rng.permutation(n)
        parts.append(
            pl.DataFrame({"account": order, "k": k, "time": START_MS + k * (DAY_MS + 137_000) + times})
        )
    return pl.concat(parts).select(
        content_id=pl.format("p{}", pl.int_range(pl.len())),
        account_id=pl.format("a{}", pl.col("account").cast(pl.String).str.zfill(6)),
        object_id=pl.format("o{}", "k"),
        timestamp=pl.col("time").cast(pl.Datetime("ms", "UTC")),
    )


def reshared(n: int) -> pl.DataFrame:
    """Return one post and `n` reshares of it within a minute."""
    source = burst(1, 1).with_columns(content_id=pl.lit("source"), account_id=pl.lit("source"))
    reshares = burst(n, 1).with_columns(timestamp=pl.col("timestamp") + pl.duration(minutes=1))
    return pl.concat(
        [
            source.with_columns(parent_content_id=pl.lit(None, pl.String), kind=pl.lit("original")),
            reshares.with_columns(parent_content_id=pl.lit("source"), kind=pl.lit("reshare")),
        ]
    ).drop("object_id")


def written(n: int, *, own: bool = False) -> pl.DataFrame:
    """Return two texts, each posted by `n` accounts within a minute, to the letter or with a word of one's `own`."""
    tail = pl.format(" {}", pl.int_range(pl.len()).hash(0) % 100_000) if own else pl.lit("")
    return (
        burst(n, 2)
        .with_columns(
            text=pl.when(pl.col("object_id") == "o0").then(pl.lit(WORDS)).otherwise(pl.lit(WORDS[::-1]))
            + tail
        )
        .drop("object_id")
    )


def tagged(n: int) -> pl.DataFrame:
    """Return posts of three hashtags by `n` accounts within a minute, twice over."""
    return burst(n, 2).select(pl.exclude("object_id"), text=pl.format("{} #flood #rescue #now", "content_id"))


#: What a burst is made of, and options of `build`.
KINDS: dict[str, tuple[Callable[[int], pl.DataFrame], tuple[str, ...]]] = {
    "one": (lambda n: burst(n, 1), ()),
    "two": (lambda n: burst(n, 2), ()),
    "at-once": (lambda n: burst(n, 2, step_ms=MINUTE_MS), ()),
    "seconds": (lambda n: burst(n, 2, step_ms=1_000, listed=True), ()),
    "crew": (lambda n: burst(n // 4, 30, step_ms=1_000, listed=True), ()),
    "reshares": (reshared, ()),
    "text": (written, ("--trace", "text")),
    "near-text": (lambda n: written(n, own=True), ("--trace", "near-text")),
    "hashtags": (tagged, ("--trace", "hashtag")),
}


def main() -> None:
    """Make the logs, run both jobs, print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--accounts", type=int, nargs="+", default=[3_000, 12_000])
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "propgraph-benchmarks")
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)
    small, large = min(options.accounts), max(options.accounts)
    jobs("two", BARE, options.folder)  # compiles
    bare = jobs("two", BARE, options.folder)
    figures = [f"{job} {name}" for job in ("build", "clusters") for name in ("CPU s", "MB")]
    header("burst", "accounts", *figures, *(f"exponent of {name}" for name in figures))
    for kind in options.kinds:
        measured = {n: jobs(kind, n, options.folder) for n in sorted(options.accounts)}
        for n, of in measured.items():
            grown: list[object] = [""] * len(of)
            if n == large > small:
                grown = [
                    math.log(max(end - least, floor) / max(start - least, floor)) / math.log(large / small)
                    for start, end, least, floor in zip(measured[small], of, bare, FLOORS, strict=True)
                ]
            row(kind, f"{n:,}", *of, *grown)


def jobs(kind: str, n: int, folder: Path) -> list[float]:
    """Return CPU seconds and peak memory (MB) of `build`, then of `clusters`, on a burst of `n` accounts."""
    make, choices = KINDS[kind]
    log, study = folder / f"burst_{kind}_{n}.parquet", str(folder / "study")
    make(n).write_parquet(log)
    build = run(PROPGRAPH, "build", str(log), "-o", study, "--overwrite", *choices)
    clusters = run(PROPGRAPH, "clusters", study, "--seed", "0")
    return [build.cpu_s, build.peak_mb, clusters.cpu_s, clusters.peak_mb]


if __name__ == "__main__":
    main()
