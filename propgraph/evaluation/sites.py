"""Scores and operators of sites held against what is known of the sites."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from propgraph.errors import InputError, StudyError
from propgraph.evaluation.agreement import Partitions, agreement
from propgraph.evaluation.ranking import ranking
from propgraph.evaluation.truth import labels_of
from propgraph.readers.side import read_side_table
from propgraph.schema import EVALUATION
from propgraph.schema.sites import flagged_sites
from propgraph.sites.facts import forms_of_sites
from propgraph.study import Study, opened, run_first, unchanged


@dataclass(frozen=True)
class SiteEvaluation:
    """How well a study meets what is known of sites.

    Attributes
    ----------
    measures
        The columns of `schema.EVALUATION`.
    n_sites, n_positive
        Sites that are measured, and those of them that are to be found.
    n_absent
        Sites of the truth that the study does not have. They count, with the lowest score: nothing found them.
    n_positive_absent
        Those of them that are to be found.
    n_unknown
        Sites of the study that the truth does not name; left out.
    """

    measures: pl.DataFrame
    n_sites: int
    n_positive: int
    n_absent: int
    n_positive_absent: int
    n_unknown: int


def read_sites_truth(
    path: str | Path, /, *, label: str = "label", positive: str | None = None
) -> pl.DataFrame:
    """Return what a table says of sites: `site`, `label` (Boolean, true: to be found), `operator` where it is known.

    Parameters
    ----------
    path
        CSV, TSV, JSON, NDJSON, Parquet or Arrow with the columns `site` and that of the label, and, where it is known,
        `operator`, who runs the site. Sites are brought to one form, as those of a log.
    label, positive
        As for `read_truth`.

    Raises
    ------
    InputError
        When the file cannot be read or lacks a column, names no site or no label in a row, has a label that is none, or
        says two different things of one site.
    """
    table = read_side_table(
        path, columns=("site", label), what="what is known of sites", optional=("operator",),
        advice={label: "say which of them is the label with --label NAME (in Python: label=)"},
    )  # fmt: skip
    known = table.join(forms_of_sites(table["site"]), on="site", how="left", maintain_order="left")
    bad = known.filter(pl.col("form").is_null() | pl.col(label).is_null())
    if bad.height:
        raise InputError(
            f"{path}: {bad.height:,} of {table.height:,} rows lack a site or a {label}; the first: "
            f"site {bad.item(0, 'site')!r}, {label} {bad.item(0, label)!r}"
        )
    truth = known.select(
        pl.col("form").alias("site"), labels_of(path, known[label], positive).alias("label"), "operator"
    ).unique()
    twice = truth.filter(pl.col("site").is_duplicated()).sort("site")
    if twice.height:
        raise InputError(
            f"{path}: says different things of site {twice.item(0, 'site')!r} in several rows "
            f"({twice['site'].n_unique():,} such sites); leave one row a site"
        )
    return truth.sort("site")


def evaluate_sites(study: Study | str | Path, truth: pl.DataFrame | str | Path, /) -> SiteEvaluation:
    """Measure how well a study's scores, flags and operators of sites meet what is known of them.

    Sites of the truth that the study has not have score 0, no flag and no operator. NMI and ARI are over the sites to
    be found whose operator is known, a site of no operator being one of its own.

    Parameters
    ----------
    study
        A study with clusters.
    truth
        As from `read_sites_truth`, or the file that it reads.

    Returns
    -------
    SiteEvaluation
        Measures `average_precision`, `auc`, `precision` and `recall` of the flagged, and where operators are known
        `nmi` and `ari`; null where one is not defined.

    Raises
    ------
    StudyError
        When there is no study, or it has no operators yet.
    InputError
        When the truth cannot be used.
    """
    source = opened(study)
    if "operators" not in source.tables:
        raise StudyError(f"{source.path}: no operators yet; {run_first('clusters')}")
    known = truth if isinstance(truth, pl.DataFrame) else read_sites_truth(truth)
    with unchanged(source):
        sites = source.sites.select("site", "score", "operator_id", flagged=flagged_sites(source.sites))
    judged = known.join(sites.with_columns(there=pl.lit(True)), on="site", how="left", maintain_order="left")
    judged = judged.with_columns(pl.col("score").fill_null(0.0), pl.col("flagged", "there").fill_null(False))
    absent = judged.filter(~pl.col("there"))
    return SiteEvaluation(
        measures=_measures(judged),
        n_sites=judged.height,
        n_positive=int(judged["label"].sum()),
        n_absent=absent.height,
        n_positive_absent=int(absent["label"].sum()),
        n_unknown=sites.join(known, on="site", how="anti").height,
    )


def _measures(judged: pl.DataFrame) -> pl.DataFrame:
    ordered = judged.sort("score", "site", descending=[True, False])
    last = (ordered["score"] != ordered["score"].shift(-1)).fill_null(True)
    weight = np.ones(judged.height, np.int32)
    precision, auc = ranking(weight, ordered["label"].to_numpy(), last.to_numpy(), np.empty(0, np.int64))
    hits = judged.filter(pl.col("flagged") & pl.col("label")).height
    n_flagged, n_positive = int(judged["flagged"].sum()), int(judged["label"].sum())
    rows: list[tuple[str, float | None, int | None, int | None]] = [
        ("average_precision", precision, None, None),
        ("auc", auc, None, None),
        ("precision", hits / n_flagged if n_flagged else None, hits, n_flagged),
        ("recall", hits / n_positive if n_positive else None, hits, n_positive),
    ]
    run_by = judged.filter(pl.col("label") & pl.col("operator").is_not_null())
    if run_by.height:
        found = pl.coalesce("operator_id", pl.format("alone:{}", "site"))
        codes = run_by.select(
            found.rank("dense").cast(pl.Int64) - 1, pl.col("operator").rank("dense").cast(pl.Int64) - 1
        )
        parts = Partitions.of(
            np.arange(run_by.height), codes.to_series(0).to_numpy(), codes.to_series(1).to_numpy()
        )
        nmi, ari = agreement(np.ones(run_by.height, np.int32), parts)
        rows += [("nmi", nmi, None, run_by.height), ("ari", ari, None, run_by.height)]
    table = pl.DataFrame(rows, schema=["measure", "value", "n", "of"], orient="row")
    return EVALUATION.conform(table.with_columns(pl.col("value").cast(pl.Float64).fill_nan(None)))
