"""What a grid of other choices costs, and which clusters hold in it.

    python -m benchmarks stability [--data ../shared/data] [--logs german hoaxy ira twitter15 graft noise]
                                   [--runs 100] [--repeats 1] [--folder FOLDER]

Each log goes through `propgraph build`; then `propgraph clusters` and `propgraph stability` are timed as whole
commands, one after the other. german, hoaxy, ira and twitter15 are those of real/flagged.py; graft is one draw of
real operators in Weibo's reposts (detection/graft.py, seed 3); noise is a million shares at random
(logs.py). The ratio is stability's seconds over those of one run
of `clusters`. Then, of the flagged clusters and of the others, how many hold in half of the runs or more.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import polars as pl

from benchmarks import SHARED
from benchmarks.detection.graft import graft, ira, weibo
from benchmarks.logs import log_file
from benchmarks.real.flagged import LOGS
from benchmarks.timing import PROPGRAPH, Timing, header, median, row, run
from propgraph import Study, build


def grafted(data: Path, folder: Path) -> tuple[Path, list[str]]:
    """Return a log of real operators in Weibo's reposts, and its trace."""
    log, _ = graft(weibo(data), ira(data), seed=3)
    log.write_parquet(folder / "graft.parquet")
    return folder / "graft.parquet", ["object"]


def noise(_: Path, folder: Path) -> tuple[Path, list[str]]:
    """Return a log in which nothing is to be found, and its trace."""
    return log_file(folder, 1_000_000, "parquet"), ["object"]


def timed(study: Path, traces: list[str], *, runs: int, repeats: int) -> tuple[Timing, Timing]:
    """Return what `clusters` and `stability` took."""
    options = [word for trace in traces for word in ("--trace", trace)]
    clusters, stability = [], []
    for _ in range(repeats):
        clusters.append(run(PROPGRAPH, "clusters", str(study), *options))
        stability.append(run(PROPGRAPH, "stability", str(study), "--runs", str(runs)))
    return median(clusters), median(stability)


def held(study: Study, *, flagged: bool) -> str:
    """Return how many of the flagged clusters, or of the others, hold."""
    part = study.stability.join(
        study.clusters.filter(pl.col("flagged") == flagged), on="cluster_id", how="semi"
    )
    return f"{(part['holds_share'] >= 0.5).sum()} of {part.height}"


def main() -> None:
    """Run the logs, print the table."""
    logs = {**LOGS, "graft": grafted, "noise": noise}
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--logs", nargs="+", choices=list(logs), default=list(logs))
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "propgraph-benchmarks")
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)
    header("log", "clusters, s", "stability, s", "ratio", "flagged hold", "others hold")
    for name in options.logs:
        log, traces = logs[name](options.data, options.folder)
        study = build([log], options.folder / name, overwrite=True)
        clusters, stability = timed(study.path, traces, runs=options.runs, repeats=options.repeats)
        done = Study.open(study.path)
        row(
            name,
            clusters.wall_s,
            stability.wall_s,
            stability.wall_s / clusters.wall_s,
            held(done, flagged=True),
            held(done, flagged=False),
        )


if __name__ == "__main__":
    main()
