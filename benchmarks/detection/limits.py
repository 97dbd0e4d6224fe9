"""What limits who is found: how often operators meet a fellow, and what the host log holds of its own.

    python -m benchmarks limits [--data ../shared/data] [--logs weibo hoaxy twitter15] [--draws 3] [--first 3]

Real operators in real logs (graft.py). First, of operators by the most objects over which they are near one
fellow in rank, the share that is flagged, of how many in all draws. Then the precision at q <= .05, with all other
accounts as innocent, and without those accounts that are synchronised or flagged in the host log as it is.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import polars as pl

from benchmarks import SHARED
from benchmarks.detection.graft import ORGANIC, ira
from benchmarks.detection.methods import Case, grafted, told
from benchmarks.timing import header, row
from propgraph import Study, build, find_clusters

BOUNDS = (0, 2, 4, 10)
LABELS = ("none", "1 or 2", "3 or 4", "5 to 10", "more")


def searched(log: pl.DataFrame, folder: Path) -> Study:
    """Return the study of a log, clusters found."""
    log.write_parquet(folder / "log.parquet")
    return find_clusters(build([folder / "log.parquet"], folder / "study", overwrite=True).path)


def ends(pairs: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """Return a row for each account of each pair, with some columns."""
    return pl.concat([pairs.select(*columns, account_id=end) for end in ("source", "target")])


def standing_out(study: Study) -> pl.DataFrame:
    """Return the accounts that are synchronised or flagged."""
    flagged = study.members.join(study.clusters.filter("flagged"), on="cluster_id", how="semi")
    return pl.concat([ends(study.network.filter("synchronised")), flagged.select("account_id")]).unique()


def operators_of(case: Case, study: Study) -> pl.DataFrame:
    """Return the operators with `most`, the objects over which they are near one fellow, and `flagged`."""
    found = case.truth.filter(kind="operator").select("account_id")
    pairs = study.synchrony
    for end in ("source", "target"):
        pairs = pairs.join(found, left_on=end, right_on="account_id", how="semi")
    most = ends(pairs, "n_near").group_by("account_id").agg(most=pl.col("n_near").max())
    scores = study.account_scores.select("account_id", "flagged")
    return (
        found.join(most, on="account_id", how="left")
        .join(scores, on="account_id", how="left")
        .with_columns(pl.col("most").fill_null(0), pl.col("flagged").fill_null(False))
    )


def precision(case: Case, study: Study, without: pl.DataFrame) -> float | None:
    """Return the share of operators among the accounts at q <= .05, some left out."""
    found = study.account_scores.filter(pl.col("q_value") <= 0.05).join(without, on="account_id", how="anti")
    label = found.join(case.truth, on="account_id")["kind"] == "operator"
    return label.mean()  # type: ignore[return-value]


def main() -> None:
    """Draw, search, print both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--logs", nargs="+", choices=list(ORGANIC), default=list(ORGANIC))
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--first", type=int, default=3)
    options = parser.parse_args()
    operators = ira(options.data)
    header(
        "log",
        *(f"{label}: flagged" for label in LABELS),
        "precision",
        "without the log's own",
        "its own accounts",
    )
    for name in options.logs:
        organic = ORGANIC[name](options.data)
        with tempfile.TemporaryDirectory() as folder:
            own = standing_out(searched(organic.with_row_index("content_id"), Path(folder)))
        parts, plain, without = [], [], []
        for seed in range(options.first, options.first + options.draws):
            case = grafted(organic, operators, seed)
            with tempfile.TemporaryDirectory() as folder:
                study = searched(case.log, Path(folder))
                parts.append(operators_of(case, study))
                plain.append(precision(case, study, own.clear()))
                without.append(precision(case, study, own))
        met = pl.concat(parts).group_by(bound=sum((pl.col("most") > bound).cast(pl.Int8) for bound in BOUNDS))
        of = {
            bound: (n, share) for bound, n, share in met.agg(pl.len(), pl.col("flagged").mean()).iter_rows()
        }
        cells = (f"{of[k][1]:.2f} of {of[k][0]}" if k in of else "-" for k in range(len(LABELS)))
        row(name, *cells, told(plain, percent=False), told(without, percent=False), own.height)


if __name__ == "__main__":
    main()
