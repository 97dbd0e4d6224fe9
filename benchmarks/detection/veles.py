"""What build and clusters make of simulated campaigns: seeds by strengths, against the known truth.

python -m benchmarks veles [--seeds 10] [--first 0] [--strengths 0.5 1 2]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import polars as pl

from benchmarks.timing import header, row
from propgraph import build, find_clusters, simulate_veles
from propgraph.clusters.judge import flagged_members
from propgraph.evaluation.simulated import compare


def main() -> None:
    """Simulate, build, find, compare; a row a run, then the means and the worst."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--strengths", type=float, nargs="+", default=[0.5, 1.0, 2.0])
    options = parser.parse_args()
    rows = [
        figures(strength, seed)
        for strength in options.strengths
        for seed in range(options.first, options.first + options.seeds)
    ]
    table = pl.DataFrame(rows)
    header(*table.columns)
    for values in table.iter_rows():
        row(*values)
    print()
    worst = table.group_by("strength").agg(
        pl.col("precision", "recall").mean().name.prefix("mean_"),
        pl.col("precision", "recall", "site_precision", "site_recall", "farm_gap").min().name.prefix("least_"),
        pl.col("newsroom", "fan").sum(),
    ).sort("strength")  # fmt: skip
    header(*worst.columns)
    for values in worst.iter_rows():
        row(*values)


def figures(strength: float, seed: int) -> dict[str, float | int]:
    """Return the comparison of one simulated log."""
    veles = simulate_veles(strength=strength, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.parquet"
        veles.log.write_parquet(log)
        build([log], Path(folder) / "study")
        study = find_clusters(Path(folder) / "study")
        flagged = flagged_members(study.clusters, study.members)
        result = compare(
            study.accounts, flagged, study.sites, truth_accounts=veles.accounts, truth_sites=veles.sites
        )
    hit = {role: n for role, _, n in result.flagged_by_role.iter_rows()}
    return {
        "strength": strength, "seed": seed, "precision": result.precision, "recall": result.recall,
        "site_precision": result.sites_precision, "site_recall": result.sites_recall,
        "farm_gap": result.lowest_farm_score - result.highest_other_score,
        "newsroom": hit.get("newsroom", 0), "fan": hit.get("fan", 0),
        "ordinary": hit.get("organic", 0) + hit.get("breaking", 0),
    }  # fmt: skip


if __name__ == "__main__":
    main()
