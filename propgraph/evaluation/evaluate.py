"""Scores, flags and clusters of accounts held against what is known of them, with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from propgraph.arrays.types import Bool, Float64, Int32, Int64
from propgraph.errors import LARGEST_SEED, InputError, UsageError, check_at_least, check_threads, lacking
from propgraph.evaluation.agreement import Partitions, add_draws, agreement, purity, tally, weighted_precision
from propgraph.evaluation.ranking import ranking
from propgraph.evaluation.reach import out_of_reach
from propgraph.evaluation.truth import read_truth
from propgraph.schema import ACCOUNT_SCORES, EVALUATION
from propgraph.study import Study, opened, unchanged

AT = (50, 100)
LEVEL = (2.5, 97.5)

AGAINST_NEGATIVES = (
    "average_precision", "auc", "precision_at_k", "precision", "f1", "precision_at_q", "weighted_precision",
    "weighted_precision_flagged",
)  # fmt: skip
"""Measures that no mistake can lower where every account that is known is to be found."""


@dataclass(frozen=True)
class Evaluation:
    """How well a study meets what is known of its accounts.

    Attributes
    ----------
    measures
        The columns of `schema.EVALUATION`, a row a measure, in the order in which to read them.
    n_accounts, n_positive
        Accounts that are measured, and those of them that are to be found.
    n_absent
        Accounts of the truth that the study lacks. They count, with the lowest score: nothing found them.
    n_unknown
        Accounts of the study that the truth does not know. They are left out, or with `others_innocent` counted.
    others_innocent
        Whether those are counted as not to be found.
    n_missed, n_out_of_reach
        Accounts to be found that are not flagged, and those of them with fewer than two objects that another account
        posted, too: nothing that compares who posted what can find these. The latter is null for scores alone.
    """

    measures: pl.DataFrame
    n_accounts: int
    n_positive: int
    n_absent: int
    n_unknown: int
    others_innocent: bool = False
    n_missed: int = 0
    n_out_of_reach: int | None = None

    @property
    def n_negative(self) -> int:
        """Accounts that are not to be found; without any, nothing can be said of precision."""
        return self.n_accounts - self.n_positive


def evaluate(
    study: Study | str | Path | pl.DataFrame,
    truth: pl.DataFrame | str | Path,
    /,
    *,
    accounts: pl.DataFrame | None = None,
    others_innocent: bool = False,
    at: Sequence[int] | None = None,
    q: float = 0.05,
    resamples: int = 1000,
    seed: int = 0,
    threads: int | None = None,
) -> Evaluation:
    """Measure how well scores, flags and clusters of accounts meet what is known of the accounts.

    Accounts without a score have score 0, q value 1, no cluster and no flag. Equal scores are one
    step (`propgraph.evaluation.ranking`). In `nmi` and `ari`, over the accounts to be found whose group is
    known, an account in no cluster is a cluster of its own: what was missed is not left out. Precision of
    nothing is null. Where no account is known that is not to be found, whatever is flagged is right, so that
    every measure that counts wrong ones too is null; recall stays.

    Intervals are the middle 95 % of bootstrap resamples of the accounts, drawn with replacement among those to
    be found and among the others separately, for how many there are of either was the choice of whoever made
    the truth. They say what other accounts of the same sort would have given. Accounts of one operation are no
    independent draws, so that for other operations the intervals are too narrow; only other logs tell of those.
    The weighted precisions keep the purity of each cluster and draw the accounts. The interval of `nmi` is rough:
    a resample loses many clusters of one.

    Weighted precision is the sum of n_k p_k^2 over the sum of n_k p_k, where n_k accounts of cluster k are known and
    the fraction p_k of them is to be found (Iannucci et al. 2025). `weighted_precision` is over all clusters that were
    found, flagged or not; `weighted_precision_flagged` counts the flagged accounts of each cluster alone. Accounts
    that the truth does not name count in neither. A cluster with nobody to be found adds nothing to either sum, so
    that both have to be read beside `precision`.

    Parameters
    ----------
    study
        A study with clusters; or scores alone, the columns of `account_scores` (`schema.ACCOUNT_SCORES`), of which a
        missing one counts as null throughout.
    truth
        `account_id` (String), `label` (Boolean, true: to be found), and where known `group` and `kind`
        (String; of those to be found the kind of campaign, say), one row an account, as
        `propgraph.evaluation.truth.read_truth` returns it; or the file that it reads.
    accounts
        `account_id` of all accounts of the study; None: those of the study, or of the scores where these are alone.
    others_innocent
        Count the accounts of the study that the truth does not name as not to be found. Some of them may be, so
        that `precision`, and precision at k and at q, are lower bounds.
    at
        Numbers of accounts at which to take the precision; None for 50, 100 and as many as are to be found.
    q
        The false discovery rate at which `precision_at_q` and `recall_at_q` cut, 0..1; the bound belongs to it.
    resamples
        Number of bootstrap resamples; 0 for no intervals.
    seed
        Where the draws begin; the same seed gives the same intervals on any number of threads.
    threads
        At most so many at once; None for one a processor.

    Returns
    -------
    Evaluation
        Measures `average_precision`, `auc`, `precision_at_k` (column `at`), `precision`, `recall` and `f1` of the
        flagged, `precision_at_q`, `recall_at_q`, `weighted_precision` of the clusters and
        `weighted_precision_flagged`; where groups are known `nmi` and `ari`; where kinds are known `false_flags` and
        `true_flags`, the fraction of the accounts of a kind that is flagged, among those not to be found and those to
        be found (their recall by kind), and `true_at_q`, the fraction of the latter at or below q.

    Raises
    ------
    StudyError
        When there is no study, or it has no clusters yet.
    InputError
        When a column is missing, an account stands twice, a label is not Boolean or null, the truth names nobody
        to be found, or none of its accounts is in the study.
    UsageError
        When an option is out of its range.

    References
    ----------
    Iannucci, Muratore, Matakos and Kivelä, "Detecting Coordinated Activities Through Temporal, Multiplex, and
    Collaborative Analysis", arXiv 2512.19677 (2025): weighted precision.

    Examples
    --------
    >>> import polars as pl
    >>> import propgraph as pg
    >>> scores = pl.DataFrame({"account_id": ["ana", "bo", "cy", "dee"], "score": [0.9, 0.8, 0.3, 0.1]})
    >>> truth = pl.DataFrame({"account_id": ["ana", "bo", "cy", "dee"], "label": [True, False, True, False]})
    >>> made = pg.evaluate(scores, truth, at=[1, 2])
    >>> made.n_accounts, made.n_positive
    (4, 2)
    >>> made.measures.filter(measure="auc")["value"].item()
    0.75
    >>> made.measures.filter(measure="precision_at_k").select("at", "value").rows()
    [(1.0, 1.0), (2.0, 0.5)]
    """
    if not 0 <= q <= 1:
        raise UsageError(f"{q} is not in 0..1", option="q")
    check_at_least("resamples", resamples, 0)
    check_at_least("seed", seed, 0, most=LARGEST_SEED)
    n_threads = check_threads(threads)
    scores, accounts = _scores_of(study, accounts)
    truth = truth if isinstance(truth, pl.DataFrame) else read_truth(truth)
    _check(scores, truth)
    there = (scores if accounts is None else accounts)["account_id"].unique()
    known = truth["account_id"]
    others = there.filter(~there.is_in(known.implode()))
    n_absent = known.len() - (there.len() - others.len())
    if n_absent == known.len():
        raise InputError(
            f"none of the {known.len():,} accounts of the truth is in the study; their ids have to be written as "
            "in the log (and as its pseudonyms, where the study has those)"
        )
    if others_innocent:
        truth = pl.concat([truth, others.to_frame().with_columns(label=pl.lit(False))], how="diagonal")
    judged = _judged(scores, truth)
    missed = judged.filter("label", ~pl.col("flagged"))["account_id"]
    sample = _Sample.of(judged, at=at, q=q)
    values = _measured(sample, np.ones(sample.positive.size, np.int32))
    drawn = _resampled(sample, resamples, seed=seed, threads=n_threads)
    return Evaluation(
        measures=_table(sample, values, drawn),
        n_accounts=truth.height,
        n_positive=sample.n_positive,
        n_absent=n_absent,
        n_unknown=others.len(),
        others_innocent=others_innocent,
        n_missed=missed.len(),
        n_out_of_reach=None if isinstance(study, pl.DataFrame) else out_of_reach(opened(study), missed),
    )


def _scores_of(
    study: Study | str | Path | pl.DataFrame, accounts: pl.DataFrame | None
) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    if isinstance(study, pl.DataFrame):
        return study, accounts
    found = opened(study)
    with unchanged(found):
        if accounts is None:
            accounts = found.scan("accounts").select("account_id").collect()
        return found.account_scores, accounts


def _check(scores: pl.DataFrame, truth: pl.DataFrame) -> None:
    faults = [
        *lacking("scores", ("account_id", "score"), scores.columns),
        *lacking("known accounts", ("account_id", "label"), truth.columns),
    ]
    if not faults:
        faults = [
            f"account {frame.filter(twice).item(0, 'account_id')!r} stands twice among the {name}"
            for name, frame in (("scores", scores), ("known accounts", truth))
            for twice in [frame["account_id"].is_duplicated()]
            if twice.any()
        ]
    if not faults and (truth["label"].dtype != pl.Boolean or truth["label"].has_nulls()):
        faults = [f"the label of a known account has to be Boolean, and is {truth['label'].dtype} or null"]
    if not faults and not truth["label"].any():
        faults = ["the truth names no account that is to be found"]
    if faults:
        raise InputError("; ".join(faults))


def _judged(scores: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """Return what is known of each account beside what was found of it, from the highest score down."""
    known = truth.select(
        "account_id",
        "label",
        *(
            (pl.col(name) if name in truth.columns else pl.lit(None)).cast(pl.String).alias(name)
            for name in ("group", "kind")
        ),
    )
    found = ACCOUNT_SCORES.conform(
        scores.select(name for name in scores.columns if name in ACCOUNT_SCORES.columns)
    )
    return (
        known.join(found, on="account_id", how="left")
        .with_columns(
            pl.col("score").fill_nan(None).fill_null(0.0),
            pl.col("q_value").fill_nan(None).fill_null(1.0),
            pl.col("flagged").fill_null(False),
        )
        .sort("score", "account_id", descending=[True, False])
    )


@dataclass(frozen=True)
class _Sample:
    """The accounts that are known, from the highest score down, as arrays.

    `last` is true at the last of those of one score. `cell` numbers what the counts need at once:
    8 * kind + 4 * (to be found) + 2 * flagged + (below q), with kind 0 for none and `kinds[k - 1]` for k;
    `there` holds (to be found, kind) of those kinds that there are. `pure` holds the places of the accounts to
    be found that are in a cluster, and the fraction of their cluster that is to be found; first of all accounts,
    then of the flagged alone. `parts` is None where no group is known.
    """

    positive: Bool
    n_positive: int
    last: Bool
    at: Int64
    q: float
    cell: Int32
    kinds: tuple[str, ...]
    there: tuple[tuple[int, int], ...]
    pure: tuple[tuple[Int64, Float64], ...]
    parts: Partitions | None

    @classmethod
    def of(cls, judged: pl.DataFrame, *, at: Sequence[int] | None, q: float) -> _Sample:
        score, positive = judged["score"].to_numpy(), judged["label"].to_numpy()
        kinds = judged["kind"].drop_nulls().unique().sort()
        kind = _codes(judged["kind"], kinds) + 1
        flagged = judged["flagged"].to_numpy()
        below = (judged["q_value"] <= q).to_numpy()
        clusters = judged["cluster_id"].drop_nulls().unique().sort()
        cluster = _codes(judged["cluster_id"], clusters)
        cell = (8 * kind + 4 * positive + 2 * flagged + below).astype(np.int32)
        groups = [int(code) for code in np.unique(cell // 4)]
        return cls(
            positive=positive,
            n_positive=int(positive.sum()),
            last=np.append(score[1:] != score[:-1], True),
            at=_cuts(at, n_accounts=judged.height, n_positive=int(positive.sum())),
            q=q,
            cell=cell,
            kinds=tuple(kinds),
            there=tuple((label, c // 2) for label in (0, 1) for c in groups if c % 2 == label and c > 1),
            pure=tuple(_pure(cluster, positive, which) for which in (cluster >= 0, (cluster >= 0) & flagged)),
            parts=_partitions(judged, cluster),
        )


def _codes(column: pl.Series, values: pl.Series) -> Int64:
    """Return where each value stands among the sorted `values`; -1 for a null."""
    codes = values.search_sorted(column.fill_null("")) if values.len() else pl.Series([0] * column.len())
    return np.where(column.is_null().to_numpy(), -1, codes.cast(pl.Int64).to_numpy())


def _pure(cluster: Int64, positive: Bool, which: Bool) -> tuple[Int64, Float64]:
    """Return where the accounts to be found among some in clusters stand, and the purity of the cluster of each."""
    _, own = np.unique(cluster[which], return_inverse=True)  # without clusters that none of these is in
    found = positive[which]
    return np.flatnonzero(which & positive), purity(own.astype(np.int64), found)[own[found]]


def _cuts(at: Sequence[int] | None, *, n_accounts: int, n_positive: int) -> Int64:
    if at is None:
        return np.array(sorted({k for k in (*AT, n_positive) if k <= n_accounts}), np.int64)
    for k in at:
        check_at_least("at", k, 1)
        if k > n_accounts:
            raise UsageError(f"{k:,} is more than the {n_accounts:,} accounts that are known", option="at")
    return np.array(sorted(set(at)), np.int64)


def _partitions(judged: pl.DataFrame, cluster: Int64) -> Partitions | None:
    grouped = judged["label"] & judged["group"].is_not_null()
    place = np.flatnonzero(grouped.to_numpy())
    if not place.size:
        return None
    groups = judged["group"].drop_nulls().unique().sort()
    alone = cluster.max(initial=-1) + 1 + np.arange(place.size)  # in no cluster: one of its own
    own = np.where(cluster[place] >= 0, cluster[place], alone)
    _, own = np.unique(own, return_inverse=True)
    return Partitions.of(place, own.astype(np.int64), _codes(judged["group"], groups)[place])


def _measured(sample: _Sample, weight: Int32) -> Float64:
    """Return the measures of one sample or resample, in the order of `_rows`."""
    ranked = ranking(weight, sample.positive, sample.last, sample.at)
    counts = _counts(sample, weight)
    total = counts.sum(axis=0)
    hits, flags = int(total[1, 1].sum()), int(total[:, 1].sum())
    hits_q, below_q = int(total[1, :, 1].sum()), int(total[:, :, 1].sum())
    n_positive = sample.n_positive
    values = [
        *ranked,
        _part(hits, flags), hits / n_positive, 2 * hits / (flags + n_positive),
        _part(hits_q, below_q), hits_q / n_positive,
    ]  # fmt: skip
    values += [weighted_precision(weight[places], part) for places, part in sample.pure]
    if sample.parts is not None:
        values += agreement(weight, sample.parts)
    values += [_part(n, of) for *_, n, of in _by_kind(sample, counts)]
    return np.array(values, np.float64)


def _counts(sample: _Sample, weight: Int32) -> Int64:
    """Return how many accounts there are by kind, to be found or not, flagged or not, below q or not."""
    cells = tally(sample.cell, weight)
    size = 8 * (len(sample.kinds) + 1)
    return np.append(cells, np.zeros(size - cells.size, np.int64)).reshape(-1, 2, 2, 2)


def _by_kind(sample: _Sample, counts: Int64) -> Iterator[tuple[str, float | None, str, int, int]]:
    """Yield measure, at, kind, n and of: the accounts flagged of each kind, then those to be found at or below q."""
    for label, kind in sample.there:
        of = counts[kind, label]
        name = ("false_flags", "true_flags")[label]
        yield name, None, sample.kinds[kind - 1], int(of[1].sum()), int(of.sum())
    for label, kind in sample.there:
        if label:
            of = counts[kind, 1]
            yield "true_at_q", sample.q, sample.kinds[kind - 1], int(of[:, 1].sum()), int(of.sum())


def _part(n: int, of: int) -> float:
    return n / of if of else float("nan")


def _resampled(sample: _Sample, resamples: int, *, seed: int, threads: int) -> Float64:
    """Return the measures of each resample, shape (resamples, measures)."""
    strata = [np.flatnonzero(which).astype(np.int32) for which in (sample.positive, ~sample.positive)]

    def one(number: int) -> Float64:
        rng = np.random.default_rng([seed, number])
        weight = np.zeros(sample.positive.size, np.int32)
        for places in strata:
            if places.size:
                add_draws(rng.integers(0, places.size, places.size, np.int32), places, weight)
        return _measured(sample, weight)

    with ThreadPoolExecutor(threads) as pool:
        return np.array(list(pool.map(one, range(resamples))), np.float64)


def _table(sample: _Sample, values: Float64, drawn: Float64) -> pl.DataFrame:
    rows = _rows(sample)
    ends = [_ends(column) for column in drawn.reshape(-1, values.size).T]
    columns = ("measure", "at", "kind", "n", "of")
    dtypes = {name: EVALUATION.dtypes[name] for name in columns}
    frame = pl.DataFrame(rows, schema=dtypes, orient="row").with_columns(
        value=pl.Series(values),
        low=pl.Series([low for low, _ in ends], dtype=pl.Float64),
        high=pl.Series([high for _, high in ends], dtype=pl.Float64),
    )
    table = EVALUATION.conform(frame).with_columns(pl.col("value", "low", "high").fill_nan(None))
    if not sample.positive.all():
        return table
    empty = pl.col("measure").is_in(AGAINST_NEGATIVES)
    return table.with_columns(
        pl.when(~empty).then(name).alias(name) for name in ("value", "low", "high", "n", "of")
    )


def _ends(column: Float64) -> tuple[float, float]:
    """Return the ends of the interval over those resamples in which the measure is defined."""
    defined = column[~np.isnan(column)]
    if not defined.size:
        return float("nan"), float("nan")
    low, high = np.percentile(defined, LEVEL)
    return float(low), float(high)


def _rows(sample: _Sample) -> list[tuple[str, float | None, str | None, int | None, int | None]]:
    """Return measure, at, kind, n and of of each value of `_measured`."""
    counts = _counts(sample, np.ones(sample.positive.size, np.int32))
    total = counts.sum(axis=0)
    hits, flags = int(total[1, 1].sum()), int(total[:, 1].sum())
    hits_q, below_q = int(total[1, :, 1].sum()), int(total[:, :, 1].sum())
    n_positive, q = sample.n_positive, sample.q
    return [
        ("average_precision", None, None, None, None),
        ("auc", None, None, None, None),
        *(("precision_at_k", float(k), None, None, int(k)) for k in sample.at),
        ("precision", None, None, hits, flags),
        ("recall", None, None, hits, n_positive),
        ("f1", None, None, None, None),
        ("precision_at_q", q, None, hits_q, below_q),
        ("recall_at_q", q, None, hits_q, n_positive),
        ("weighted_precision", None, None, None, None),
        ("weighted_precision_flagged", None, None, None, None),
        *((name, None, None, None, None) for name in ("nmi", "ari") if sample.parts is not None),
        *_by_kind(sample, counts),
    ]  # fmt: skip
