"""How often the structure of a simulated campaign is told by its highest score: kinds by strengths and seeds.

python -m benchmarks crowdturf [--seeds 10] [--first 0] [--strengths 0.5 1 2] [--clusters]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import polars as pl

from benchmarks.timing import header, row
from propgraph import build, find_clusters
from propgraph.amplification.join import amplify
from propgraph.schema import CLUSTERS
from propgraph.simulate.crowdturf import KINDS, simulate_crowdturf

SHOWN = 0.5
WHOLE = "whole campaign"


def main() -> None:
    """Simulate, build, find; then a confusion table for each strength, and what innocent clusters score."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--strengths", type=float, nargs="+", default=[0.5, 1.0, 2.0])
    parser.add_argument("--clusters", action="store_true", help="a row for each cluster with a structure")
    options = parser.parse_args()
    found = pl.concat(
        [
            structures(kind, strength, seed)
            for strength in options.strengths
            for kind in KINDS
            for seed in range(options.first, options.first + options.seeds)
        ]
    )
    if options.clusters:
        show(found)
    print("\nMembers of the campaign's clusters by the clusters' highest score\n")
    show(confusion(found.filter(of="campaign")))
    print("\nThe same where the whole campaign is taken as one cluster: the scores without the finding\n")
    show(confusion(found.filter(of=WHOLE)).drop("flagged_share"))
    print("\nFlagged accounts: how many of the hired, and innocents, among them of loyal communities\n")
    show(flagged(found))
    print("\nClusters by what most of their members are\n")
    show(innocents(found.filter(pl.col("of") != WHOLE)))


def structures(kind: str, strength: float, seed: int) -> pl.DataFrame:
    """Return a row for each cluster of one simulated log: what its members are, and its scores."""
    made = simulate_crowdturf(kind=kind, strength=strength, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.parquet"
        made.log.write_parquet(log)
        build([log], Path(folder) / "study")
        study = find_clusters(Path(folder) / "study")
        members = study.members.join(made.accounts, on="account_id").with_columns(
            is_of=pl.when("organised").then(pl.lit("campaign"))
            .when(pl.col("group") == "fanclub").then(pl.lit("fan club"))
            .when(pl.col("role") == "fan").then(pl.lit("loyal community"))
            .otherwise(pl.lit("others"))
        )  # fmt: skip
        main = members.group_by("cluster_id").agg(
            of=pl.col("is_of").mode().sort().first(),
            n_hired=pl.col("organised").sum(),
            n_innocent=(~pl.col("organised")).sum(),
            n_loyal=pl.col("group").str.starts_with("hub").sum(),
        )
        shown = (
            "cluster_id", "score", "flagged", "flags", "n_accounts",
            "first_generation_share", "middle_share", "n_relays",
            "relay_overlap", "clock", *KINDS,
        )  # fmt: skip
        hired = made.accounts.filter("organised").select("account_id", cluster_id=pl.lit(WHOLE))
        whole = CLUSTERS.conform(amplify(study.scan("cascade_nodes"), hired).figures)
        main = pl.concat(
            [main, pl.DataFrame({"cluster_id": [WHOLE], "of": [WHOLE], "n_hired": [hired.height]})],
            how="diagonal_relaxed",
        )
        clusters = pl.concat([study.clusters, whole]).select(shown)
        return main.join(clusters, on="cluster_id").select(
            pl.lit(kind).alias("kind"),
            pl.lit(strength).alias("strength"),
            pl.lit(seed).alias("seed"),
            pl.exclude("kind"),
            *verdict(),
        )


def verdict() -> list[pl.Expr]:
    """Return `highest`, the kind with the highest score, and `highest_score`."""
    top = pl.max_horizontal(*KINDS)
    name = pl.coalesce(
        [pl.when(pl.col(kind) == top, top > 0).then(pl.lit(kind)) for kind in KINDS] + [pl.lit("none")]
    )
    return [name.alias("highest"), top.fill_null(0).alias("highest_score")]


def confusion(found: pl.DataFrame) -> pl.DataFrame:
    """Return per strength and kind how many hired members are in clusters of each highest score, and shares."""
    n = pl.col("n_hired")
    return (
        found.group_by("strength", "kind")
        .agg(
            runs=pl.col("seed").n_unique(),
            clusters=pl.len(),
            **{name: n.filter(pl.col("highest") == name).sum() for name in (*KINDS, "none")},
            right_share=n.filter(pl.col("highest") == pl.col("kind")).sum() / n.sum(),
            right_and_shown=n.filter(
                pl.col("highest") == pl.col("kind"), pl.col("highest_score") >= SHOWN
            ).sum() / n.sum(),
            median_score=pl.col("highest_score").median(),
            flagged_share=n.filter("flagged").sum() / n.sum(),
        )
        .sort("strength", "kind")
    )  # fmt: skip


def flagged(found: pl.DataFrame) -> pl.DataFrame:
    """Return per strength and kind how many of the hired, and who else, are in flagged clusters."""
    hired = found.filter(of=WHOLE).group_by("strength", "kind").agg(hired=pl.col("n_hired").sum())
    in_flagged = found.filter("flagged", pl.col("of") != WHOLE)
    counts = in_flagged.group_by("strength", "kind").agg(
        runs=pl.col("seed").n_unique(),
        relayed=pl.col("flags").list.contains("relayed").sum(),
        **{name: pl.col(name).sum() for name in ("n_hired", "n_innocent", "n_loyal")},
    )
    table = hired.join(counts, on=["strength", "kind"], how="left").with_columns(
        recall=pl.col("n_hired").fill_null(0) / pl.col("hired"),
        precision=pl.col("n_hired") / (pl.col("n_hired") + pl.col("n_innocent")),
    )
    return table.sort("strength", "kind")


def innocents(found: pl.DataFrame) -> pl.DataFrame:
    """Return how high each sort of cluster scores."""
    return (
        found.group_by("of", "kind", "strength")
        .agg(
            clusters=pl.len(),
            **{f"{kind}_shown": (pl.col(kind) >= SHOWN).sum() for kind in KINDS},
            **{f"{kind}_max": pl.col(kind).max() for kind in KINDS},
            flagged_and_shown=((pl.col("highest_score") >= SHOWN) & pl.col("flagged")).sum(),
        )
        .sort("of", "strength", "kind")
        .rename({"kind": "log"})
    )


def show(table: pl.DataFrame) -> None:
    """Print a Markdown table."""
    header(*table.columns)
    for values in table.iter_rows():
        row(*values)


if __name__ == "__main__":
    main()
