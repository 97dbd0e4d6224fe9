"""What reviewers made of flagged clusters, by the review sheets that a report saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from propgraph.errors import InputError
from propgraph.schema import EVALUATION
from propgraph.study import Study, opened, unchanged

FORMAT = "propgraph-review-1"
VERDICTS = ("yes", "no", "unsure")
_ADVICE = "give a file that a report's review sheet saved"


@dataclass(frozen=True)
class ReviewEvaluation:
    """How many flagged clusters reviewers took for organised.

    Attributes
    ----------
    measures
        The columns of `schema.EVALUATION`: `precision` of the flagged clusters, over those that are told (yes or no),
        `unsure`, the fraction that was left open, and `agreement`, the fraction of the clusters with two sure verdicts
        or more that all of these share; `kind` is a reviewer, or null for all of them, by the majority of the sure
        verdicts on a cluster (a tie is unsure). Intervals are Wilson's, at 95 %.
    n_flagged, n_reviewed
        Flagged clusters, and those of them with a verdict.
    n_reviewers
        Who gave one.
    n_others
        Verdicts on clusters that the study has not, or that are not flagged; left out.
    """

    measures: pl.DataFrame
    n_flagged: int
    n_reviewed: int
    n_reviewers: int
    n_others: int


def evaluate_reviews(study: Study | str | Path, files: Sequence[str | Path], /) -> ReviewEvaluation:
    """Measure the precision of flagged clusters by what reviewers said of them.

    Parameters
    ----------
    study
        A study with clusters.
    files
        Review sheets, as a report saves them (JSON).

    Raises
    ------
    StudyError
        When there is no study, or it has no clusters yet.
    InputError
        When a file is no review sheet, is of clusters found at another time, or a reviewer says two things of one
        cluster.
    """
    source = opened(study)
    with unchanged(source):
        flagged = source.clusters.filter("flagged")["cluster_id"]
        verdicts = _together([_read(file, source) for file in files])
    known = verdicts.filter(pl.col("cluster_id").is_in(flagged.implode()))
    rows = [_measure("precision", "unsure", _by_majority(known), None)]
    reviewers = known["reviewer"].unique().sort().to_list()
    if len(reviewers) > 1:
        rows += [[_agreement(known)]]
        rows += [_measure("precision", "unsure", known.filter(reviewer=who), who) for who in reviewers]
    measures = pl.DataFrame([row for of in rows for row in of], schema=EVALUATION.dtypes)
    return ReviewEvaluation(
        measures,
        flagged.len(),
        known["cluster_id"].n_unique(),
        len(reviewers),
        verdicts.height - known.height,
    )


def _read(file: str | Path, study: Study) -> pl.DataFrame:
    """Return `reviewer`, `cluster_id`, `verdict` of one sheet; what has a note and no verdict is left out."""
    try:
        record = orjson.loads(Path(file).read_bytes())
    except orjson.JSONDecodeError as error:
        raise InputError(f"{file}: no JSON ({error}); {_ADVICE}") from error
    if (
        not isinstance(record, dict)
        or record.get("format") != FORMAT
        or not isinstance(record.get("reviews"), list)
    ):
        raise InputError(f"{file}: no review sheet (format {FORMAT}); {_ADVICE}")
    made_of, now = record.get("clusters"), study.ids.get("clusters")
    if made_of != now:
        raise InputError(
            f"{file}: reviews clusters of another run of `propgraph clusters` ({made_of}, the study's is {now}), where "
            "the same number may be another cluster; make the report anew"
        )
    rows = []
    for k, one in enumerate(record["reviews"], 1):
        verdict = one.get("verdict") if isinstance(one, dict) else ""
        if verdict not in (*VERDICTS, None) or not isinstance(one.get("cluster_id"), str):
            raise InputError(
                f"{file}: review {k} has the verdict {verdict!r}; it is one of {', '.join(VERDICTS)}"
            )
        if verdict is not None:
            rows.append((str(record.get("reviewer") or Path(file).stem), one["cluster_id"], verdict))
    return pl.DataFrame(
        rows, schema=dict.fromkeys(("reviewer", "cluster_id", "verdict"), pl.String), orient="row"
    )


def _together(sheets: Sequence[pl.DataFrame]) -> pl.DataFrame:
    verdicts = pl.concat(sheets).unique().sort("reviewer", "cluster_id")
    twice = verdicts.filter(pl.struct("reviewer", "cluster_id").is_duplicated())
    if twice.height:
        who, which, _ = twice.row(0)
        raise InputError(f"reviewer {who!r} says two things of {which}; leave out one of the files")
    return verdicts


def _by_majority(verdicts: pl.DataFrame) -> pl.DataFrame:
    """Return one verdict a cluster: the one with more of the sure ones, unsure where neither has."""
    yes, no = (pl.col("verdict") == "yes").sum(), (pl.col("verdict") == "no").sum()
    told = pl.when(yes > no).then(pl.lit("yes")).when(no > yes).then(pl.lit("no")).otherwise(pl.lit("unsure"))
    return verdicts.group_by("cluster_id").agg(verdict=told)


def _measure(sure: str, open: str, verdicts: pl.DataFrame, who: str | None) -> list[dict[str, Any]]:
    yes, no = (verdicts.filter(verdict=word).height for word in ("yes", "no"))
    return [_row(sure, who, yes, yes + no), _row(open, who, verdicts.height - yes - no, verdicts.height)]


def _agreement(verdicts: pl.DataFrame) -> dict[str, Any]:
    sure = verdicts.filter(pl.col("verdict") != "unsure").group_by("cluster_id")
    several = sure.agg(n=pl.len(), same=pl.col("verdict").n_unique() == 1).filter(pl.col("n") > 1)
    return _row("agreement", None, int(several["same"].sum()), several.height)


def _row(measure: str, who: str | None, n: int, of: int) -> dict[str, Any]:
    """Return a fraction with its interval; null where there is nothing to count."""
    from scipy.stats import binomtest  # noqa: PLC0415 - slow to import

    low = high = None
    if of:
        interval = binomtest(n, of).proportion_ci(method="wilson")
        low, high = float(interval.low), float(interval.high)
    return {
        "measure": measure, "at": None, "kind": who, "value": n / of if of else None, "low": low, "high": high,
        "n": n, "of": of,
    }  # fmt: skip
