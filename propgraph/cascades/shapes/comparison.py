"""Two kinds of cascades compared: raw, and among cascades of like size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import Float64, Int64
from propgraph.cascades.shapes.percentiles import MAX_RATIO, SHAPE_METRICS, check_table, sizes_of, values_of
from propgraph.errors import UsageError, check_at_least, check_choice


def matched_difference(
    cascades: pl.DataFrame,
    labels: pl.Series,
    /,
    *,
    groups: tuple[str, str] | None = None,
    metrics: Sequence[str] | None = None,
    max_ratio: float = MAX_RATIO,
    resamples: int = 1000,
    seed: int = 0,
) -> pl.DataFrame:
    """Compare two groups of cascades, raw and size-matched, with bootstrap intervals.

    Sizes are cut into strata: small sizes each their own, larger ones together as long as the largest is at
    most `max_ratio` times the smallest. The matched difference of means is the mean of the strata's
    differences weighted by n_a n_b / (n_a + n_b), which makes the sizes of both groups the same; a stratum
    that holds one group only has weight 0. The superiority is the chance that a cascade of group a has the
    larger value than one of group b, ties counting half (0.5: no difference); matched, both come from one
    stratum, weighted likewise (van Elteren's test is built on the same weights). Means are swayed by few
    huge cascades, superiorities are not.

    The intervals hold the middle 95 % of `resamples` bootstrap resamples; in each, the cascades of each group
    are drawn anew with replacement. They do not depend on the order of the rows.

    Parameters
    ----------
    cascades
        Columns `size` (nodes, integers of at least 1) and the measures (numbers; null or NaN: left out).
    labels
        The group of each cascade, row by row as `cascades` (String; other than the two groups: left out).
    groups
        The labels of groups a and b; None takes the two that there are, in sorted order.
    metrics
        The measures; None takes `size` and those of `SHAPE_METRICS` that are there.
    max_ratio
        How many times larger than the smallest the largest size of a stratum may be, at least 1.
    resamples
        Number of bootstrap resamples, at least 1.
    seed
        The same seed gives the same intervals.

    Returns
    -------
    pl.DataFrame
        A row for each measure, in its own unit unless said: `metric`, `group_a`, `group_b`, `n_a`, `n_b`
        (cascades), `mean_a`, `mean_b`, `median_a`, `median_b`, `difference` (of means, a - b),
        `difference_low`, `difference_high`, `superiority`, `superiority_low`, `superiority_high` (0..1),
        `n_matched_a`, `n_matched_b` (cascades in strata that hold both groups), `matched_difference`,
        `matched_difference_low`, `matched_difference_high`, `matched_superiority`,
        `matched_superiority_low`, `matched_superiority_high` (0..1). What cannot be told is null.

    Raises
    ------
    InputError
        When a column is missing, or a size is null or below 1; all faults are named together.
    UsageError
        When an option is out of its range, or a group is not among the labels.

    References
    ----------
    Juul, J. L., & Ugander, J. (2021). Comparing information diffusion mechanisms by matching on cascade size.
    Proceedings of the National Academy of Sciences, 118(46), e2100786118.

    van Elteren, P. H. (1960). On the combination of independent two-sample tests of Wilcoxon. Bulletin of the
    International Statistical Institute, 37, 351-361.
    """
    check_at_least("max_ratio", max_ratio, 1, most=np.inf)
    check_at_least("resamples", resamples, 1)
    if metrics is None:
        metrics = [name for name in ("size", *SHAPE_METRICS) if name in cascades.columns]
    check_table(cascades, "cascades", metrics)
    if len(labels) != cascades.height:
        raise UsageError(
            f"{len(labels):,} for {cascades.height:,} cascades; give one for each", option="labels"
        )
    a, b = _groups(labels, groups)
    label = labels.cast(pl.String).fill_null("")
    group = np.where(label == a, 0, np.where(label == b, 1, -1))
    sizes = sizes_of(cascades)
    stratum = _strata(sizes, float(max_ratio))
    rows = [
        {"metric": name, "group_a": a, "group_b": b}
        | _compare(values_of(cascades[name]), group, stratum, resamples=resamples, seed=seed)
        for name in metrics
    ]
    return pl.DataFrame(rows, schema=_COMPARED)


_TEXT, _N, _X = pl.String(), pl.UInt32(), pl.Float64()
_MEASURED = ("difference", "superiority", "matched_difference", "matched_superiority")
_COMPARED = {
    "metric": _TEXT, "group_a": _TEXT, "group_b": _TEXT, "n_a": _N, "n_b": _N,
    "mean_a": _X, "mean_b": _X, "median_a": _X, "median_b": _X,
    "difference": _X, "difference_low": _X, "difference_high": _X,
    "superiority": _X, "superiority_low": _X, "superiority_high": _X,
    "n_matched_a": _N, "n_matched_b": _N,
    "matched_difference": _X, "matched_difference_low": _X, "matched_difference_high": _X,
    "matched_superiority": _X, "matched_superiority_low": _X, "matched_superiority_high": _X,
}  # fmt: skip


def _groups(labels: pl.Series, groups: tuple[str, str] | None) -> tuple[str, str]:
    there = sorted(labels.cast(pl.String).drop_nulls().unique())
    for name in groups or ():
        check_choice("groups", name, there)
    if groups is not None:
        return groups
    if len(there) != 2:
        raise UsageError(
            f"found {', '.join(there) or 'none'}; name the two groups to compare (groups=)", option="labels"
        )
    return there[0], there[1]


def _strata(sizes: Int64, max_ratio: float) -> Int64:
    """Return the stratum of each size; where they are cut depends on no size that happens to be there."""
    largest = int(sizes.max(initial=1))
    if largest * (max_ratio - 1) < 1:
        return sizes
    first = [1]
    while first[-1] * max_ratio < largest:
        first.append(int(first[-1] * max_ratio) + 1)
    return np.searchsorted(np.array(first), sizes, side="right") - 1


def _compare(
    value: Float64,
    group: Int64,
    stratum: Int64,
    *,
    resamples: int,
    seed: int,
) -> dict[str, float | int | None]:
    used = (group >= 0) & ~np.isnan(value)
    # In this order rows are alike but for what tells them apart: the order of the input is forgotten.
    order = np.lexsort((group[used], value[used], stratum[used]))
    value, group, stratum = value[used][order], group[used][order], stratum[used][order]
    raw = np.lexsort((group, value))
    members = [np.flatnonzero(group == side) for side in (0, 1)]
    n_a, n_b = (rows.size for rows in members)
    told: dict[str, float | int | None] = {"n_a": n_a, "n_b": n_b}
    for side, rows in zip("ab", members, strict=True):
        told[f"mean_{side}"] = float(value[rows].mean()) if rows.size else None
        told[f"median_{side}"] = float(np.median(value[rows])) if rows.size else None
    matched = [np.bincount(stratum[rows], minlength=int(stratum.max(initial=0)) + 1) for rows in members]
    both = (matched[0] > 0) & (matched[1] > 0)
    told["n_matched_a"], told["n_matched_b"] = int(matched[0][both].sum()), int(matched[1][both].sum())
    if not (n_a and n_b):
        return told

    def measured(times: Int64) -> tuple[float, float, float, float]:
        whole = np.zeros(raw.size, np.int64)
        return (
            *_weighted(value[raw], group[raw], whole, times[raw]),
            *_weighted(value, group, stratum, times),
        )

    generator = np.random.default_rng(seed)
    drawn = np.empty((resamples, len(_MEASURED)))
    for resample in range(resamples):
        times = np.zeros(value.size, np.int64)
        for rows in members:
            times[rows] = np.bincount(generator.integers(0, rows.size, rows.size), minlength=rows.size)
        drawn[resample] = measured(times)
    for column, name in enumerate(_MEASURED):
        known = drawn[:, column][~np.isnan(drawn[:, column])]
        exact = measured(np.ones(value.size, np.int64))[column]
        told[name] = None if np.isnan(exact) else exact
        if known.size and told[name] is not None:
            low, high = np.quantile(known, (0.025, 0.975))
            told |= {f"{name}_low": float(low), f"{name}_high": float(high)}
    return told


@kernel
def _weighted(
    value: Float64,
    group: Int64,
    stratum: Int64,
    times: Int64,
) -> tuple[float, float]:
    """Return the difference of means and the superiority of group 0, over strata, NaN where no one has both.

    Rows stand by stratum and value; each counts as often as `times` says.
    """
    weights, differences, superiorities = 0.0, 0.0, 0.0
    i = 0
    # At the top i is the first row of a stratum.
    while i < value.size:
        here = stratum[i]
        count_a, count_b, sum_a, sum_b, wins = 0.0, 0.0, 0.0, 0.0, 0.0
        # In the stratum from the least value up: the counts and sums are of all rows below this value.
        while i < value.size and stratum[i] == here:
            tie = value[i]
            equal_a, equal_b = 0.0, 0.0
            while i < value.size and stratum[i] == here and value[i] == tie:
                if group[i] == 0:
                    equal_a += times[i]
                else:
                    equal_b += times[i]
                i += 1
            # Group 0 wins against all of group 1 below, and half against its equals.
            wins += equal_a * (count_b + 0.5 * equal_b)
            count_a += equal_a
            count_b += equal_b
            sum_a += equal_a * tie
            sum_b += equal_b * tie
        if count_a > 0 and count_b > 0:
            weight = count_a * count_b / (count_a + count_b)
            weights += weight
            differences += weight * (sum_a / count_a - sum_b / count_b)
            superiorities += weight * wins / (count_a * count_b)
    if weights == 0:
        return np.nan, np.nan
    return differences / weights, superiorities / weights
