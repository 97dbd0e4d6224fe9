"""Shapes compared among cascades of like size.

Nearly every measure of a cascade follows its size: what differs between two kinds of story may be no more
than how many people shared them. Juul and Ugander found that false and true news stop differing in depth,
breadth and structural virality once cascades of one size are compared. Hence each measure is shown with its
percentile among cascades of like size, and groups are compared raw and within sizes.

References
----------
Juul, J. L., & Ugander, J. (2021). Comparing information diffusion mechanisms by matching on cascade size.
Proceedings of the National Academy of Sciences, 118(46), e2100786118.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl
from numba import njit
from numpy.typing import NDArray

from propgraph.errors import InputError, UsageError, check_at_least, check_choice, check_threads, did_you_mean

#: The measures that follow a cascade's size; columns of `schema.CASCADES`.
SHAPE_METRICS = (
    "depth", "max_breadth", "structural_virality", "first_generation_share", "largest_subtree_share",
    "branching_factor", "duration_s", "t10_s", "t50_s", "t90_s", "size_1m", "size_10m", "size_1h", "size_1d",
)  # fmt: skip

#: Others that a cascade is compared with at least.
MIN_OTHERS = 30

#: How many times larger or smaller than a cascade those may be.
MAX_RATIO = 1.1


def percentile_name(metric: str, /) -> str:
    """Return the column of a measure's percentile: `duration_s` has `duration_pct`."""
    return metric.removesuffix("_s") + "_pct"


def size_matched_percentiles(
    cascades: pl.DataFrame,
    /,
    *,
    metrics: Sequence[str] | None = None,
    reference: pl.DataFrame | None = None,
    min_others: int = MIN_OTHERS,
    max_ratio: float = MAX_RATIO,
    threads: int | None = None,
) -> pl.DataFrame:
    """Rank each cascade's measures among cascades of like size.

    A cascade of size n is compared with all cascades whose size is at least n / r and at most n r, where r is
    the smallest ratio that gives `min_others` of them, itself left out. Where enough have the same size,
    r is 1 and only these count. The percentile is the mid-rank: the part of the others that lie below, and
    half of those that are equal. If kinds of cascades do not differ it is uniform on 0..1, apart from the
    steps that ties and small numbers make, with mean 0.5 at any size. It is null where the measure is, and
    where fewer than `min_others` others within `max_ratio` have the measure.

    Takes time in O(n log n) for each measure.

    Parameters
    ----------
    cascades
        Columns `size` (nodes, integers of at least 1) and the measures (numbers; null or NaN: unknown).
    metrics
        The measures; None takes those of `SHAPE_METRICS` that are there, in `reference` too.
    reference
        Cascades of another study to rank among, with the same columns; None ranks among `cascades`. A
        cascade that is in both counts as one of the others.
    min_others
        Cascades to be compared with, at least.
    max_ratio
        How many times larger or smaller these may be, at least 1.
    threads
        Measures ranked at once; None takes as many as there are cores.

    Returns
    -------
    pl.DataFrame
        Float64 columns `<metric>_pct` (0..1; without the `_s` of seconds), row by row as `cascades`.

    Raises
    ------
    InputError
        When a column is missing, or a size is null or below 1; all faults are named together.
    UsageError
        When an option is out of its range.

    References
    ----------
    Juul, J. L., & Ugander, J. (2021). Comparing information diffusion mechanisms by matching on cascade size.
    Proceedings of the National Academy of Sciences, 118(46), e2100786118.
    """
    check_at_least("min_others", min_others, 1)
    check_at_least("max_ratio", max_ratio, 1)
    among = cascades if reference is None else reference
    if metrics is None:
        metrics = [name for name in SHAPE_METRICS if name in cascades.columns and name in among.columns]
    _check(cascades, "cascades", metrics)
    _check(among, "reference", metrics)
    own_sizes = _sizes(cascades)
    sizes = own_sizes if reference is None else _sizes(among)
    # Positions in order of size: cascades of a size stand together, and so do those of like size.
    position = np.argsort(sizes, kind="stable")
    own_position = position if reference is None else np.argsort(own_sizes, kind="stable")
    present, start = np.unique(sizes[position], return_index=True)
    start = np.append(start, sizes.size).astype(np.int64)
    asked, own_start = np.unique(own_sizes[own_position], return_index=True)
    own_start = np.append(own_start, own_sizes.size).astype(np.int64)
    itself = int(reference is None)
    low, high = _like_sizes(asked, present, start, min_others + itself, float(max_ratio))
    # Where enough have the very same size only these need to be put in order; of the others those from `apart` on.
    exact = np.zeros(asked.size, dtype=np.bool_)
    if reference is None:
        exact = (high - low == 1) & (low == np.arange(asked.size))
    apart = int(start[low[(high > low) & ~exact].min(initial=present.size)])

    def ranked(name: str) -> pl.Series:
        own = _values(cascades[name])[own_position]
        found = np.full(own.size, np.nan)
        if reference is None:
            _rank_alike(start, exact, own, min_others, found)
            own_rank = rank = np.full(own.size, -1, dtype=np.int32)
            rank[apart:] = _dense_ranks(own[apart:])
        else:
            ranks = _dense_ranks(np.concatenate([own, _values(among[name])[position]]))
            own_rank, rank = ranks[: own.size], ranks[own.size :]
        _rank_near(
            own_start, own_rank, low, np.where(exact, low, high), start, rank, itself, min_others, found
        )
        percentile = np.empty(own.size)
        percentile[own_position] = found
        return pl.Series(percentile_name(name), percentile, dtype=pl.Float64).fill_nan(None)

    with ThreadPoolExecutor(check_threads(threads)) as pool:
        return pl.DataFrame(list(pool.map(ranked, metrics)))


def with_percentiles(
    cascades: pl.DataFrame, /, *, reference: pl.DataFrame | None = None, threads: int | None = None
) -> pl.DataFrame:
    """Give each cascade of two nodes or more its percentiles among others of two or more, trace by trace.

    Parameters
    ----------
    cascades
        Columns of `schema.CASCADES`; percentiles that are there are replaced.
    reference
        Cascades of another study to rank among. Where it has a column `trace` that names some trace of
        `cascades`, only those of the same trace count. None ranks among `cascades`.
    threads
        As for `size_matched_percentiles`.

    Returns
    -------
    pl.DataFrame
        The cascades, row by row, with the columns that `size_matched_percentiles` returns; null for a cascade
        of one, and where the others are too few.

    Raises
    ------
    InputError
        When the reference lacks `size` or all measures, or a size is null or below 1.
    """
    if reference is not None and not set(SHAPE_METRICS) & set(reference.columns):
        raise InputError(
            f"reference: none of the columns {', '.join(SHAPE_METRICS)}; give a table of cascades"
        )
    names = [percentile_name(name) for name in SHAPE_METRICS]
    parts = []
    bare = cascades.drop(names, strict=False).with_row_index("_row")
    for (trace,), part in bare.filter(pl.col("size") > 1).group_by("trace", maintain_order=True):
        among = reference
        if reference is not None:
            among = _like(reference, str(trace), bare["trace"])
        ranks = size_matched_percentiles(part, reference=among, threads=threads)
        parts.append(part.select("_row").hstack(ranks))
    empty = pl.DataFrame(schema={"_row": bare.schema["_row"], **dict.fromkeys(names, pl.Float64())})
    ranked = pl.concat([empty, *parts], how="diagonal")
    return bare.join(ranked, on="_row", how="left", maintain_order="left").drop("_row")


def _like(reference: pl.DataFrame, trace: str, traces: pl.Series) -> pl.DataFrame:
    """Return the reference's cascades of two or more, of the trace if it has any of the `traces`."""
    _check(reference, "reference", ())
    many = reference.filter(pl.col("size") > 1)
    if "trace" in reference.columns and set(reference["trace"].unique()) & set(traces.unique()):
        return many.filter(pl.col("trace").cast(pl.String) == trace)
    return many


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
    check_at_least("max_ratio", max_ratio, 1)
    check_at_least("resamples", resamples, 1)
    if metrics is None:
        metrics = [name for name in ("size", *SHAPE_METRICS) if name in cascades.columns]
    _check(cascades, "cascades", metrics)
    if len(labels) != cascades.height:
        raise UsageError(f"labels: {len(labels):,} for {cascades.height:,} cascades; give one for each")
    a, b = _groups(labels, groups)
    label = labels.cast(pl.String).fill_null("")
    group = np.where(label == a, 0, np.where(label == b, 1, -1))
    sizes = _sizes(cascades)
    stratum = _strata(sizes, float(max_ratio))
    rows = [
        {"metric": name, "group_a": a, "group_b": b}
        | _compare(_values(cascades[name]), group, stratum, resamples=resamples, seed=seed)
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


def _check(frame: pl.DataFrame, table: str, metrics: Sequence[str]) -> None:
    faults = [
        f"{table} lack the column {name!r}{did_you_mean(name, frame.columns)}"
        for name in ("size", *metrics)
        if name not in frame.columns
    ]
    if "size" in frame.columns:
        bad = frame.filter((pl.col("size").cast(pl.Int64) < 1).fill_null(True)).height
        if bad:
            faults.append(f"{table}: column 'size' is null or below 1 in {bad:,} of {frame.height:,} rows")
    if faults:
        raise InputError("; ".join(faults))


def _sizes(frame: pl.DataFrame) -> NDArray[np.int64]:
    return frame["size"].cast(pl.Int64).to_numpy()


def _values(column: pl.Series) -> NDArray[np.float64]:
    return column.cast(pl.Float64).fill_null(np.nan).to_numpy()


def _dense_ranks(values: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return the rank of each value among the distinct ones, -1 where it is unknown."""
    order = np.argsort(values)  # NaN comes last
    ordered = values[order]
    known = int(np.count_nonzero(~np.isnan(values)))
    rank = np.full(values.size, -1, dtype=np.int32)
    new = np.zeros(known, dtype=np.int32)
    new[1:] = ordered[1:known] != ordered[: max(known - 1, 0)]
    rank[order[:known]] = np.cumsum(new)
    return rank


def _groups(labels: pl.Series, groups: tuple[str, str] | None) -> tuple[str, str]:
    there = sorted(labels.cast(pl.String).drop_nulls().unique())
    for name in groups or ():
        check_choice("groups", name, there)
    if groups is not None:
        return groups
    if len(there) != 2:
        raise UsageError(f"labels: found {', '.join(there) or 'none'}; name the two groups to compare")
    return there[0], there[1]


def _strata(sizes: NDArray[np.int64], max_ratio: float) -> NDArray[np.int64]:
    """Return the stratum of each size; where they are cut depends on no size that happens to be there."""
    largest = int(sizes.max(initial=1))
    if largest * (max_ratio - 1) < 1:
        return sizes
    first = [1]
    while first[-1] * max_ratio < largest:
        first.append(int(first[-1] * max_ratio) + 1)
    return np.searchsorted(np.array(first), sizes, side="right") - 1


def _compare(
    value: NDArray[np.float64],
    group: NDArray[np.int64],
    stratum: NDArray[np.int64],
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

    def measured(times: NDArray[np.int64]) -> tuple[float, float, float, float]:
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


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _like_sizes(
    asked: NDArray[np.int64],
    present: NDArray[np.int64],
    start: NDArray[np.int64],
    wanted: int,
    max_ratio: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for each size asked for the range of the sizes present that are like it; empty: too few.

    Both bounds never fall from one size to the next: the way to the k-th nearest changes by at most the step.
    """
    low = np.zeros(asked.size, dtype=np.int64)
    high = np.zeros(asked.size, dtype=np.int64)
    for s in range(asked.size):
        size = asked[s]
        b = np.searchsorted(present, size)
        a = b
        if b < present.size and present[b] == size:
            b += 1
        while start[b] - start[a] < wanted:
            # Sizes are compared as products, so that two equally far off are seen to be: both come in.
            down = a > 0 and (b == present.size or size * size <= present[a - 1] * present[b])
            up = b < present.size and (a == 0 or size * size >= present[a - 1] * present[b])
            if down and size > max_ratio * present[a - 1]:
                break
            if up and present[b] > max_ratio * size:
                break
            if not (down or up):
                break
            a -= down
            b += up
        if start[b] - start[a] >= wanted:
            low[s], high[s] = a, b
    return low, high


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _rank_alike(
    start: NDArray[np.int64],
    exact: NDArray[np.bool_],
    value: NDArray[np.float64],
    min_others: int,
    percentile: NDArray[np.float64],
) -> None:
    """Fill in the mid-rank percentile of each row of the sizes that are `exact` among the rows of its size."""
    for s in range(exact.size):
        alike = value[start[s] : start[s + 1]]
        known = alike[~np.isnan(alike)] if exact[s] else alike[:0]
        if known.size - 1 < min_others:
            continue
        least = known.min()
        count = _counts_up_to(known, least)
        if count.size == 0:
            known.sort()
        for k in range(alike.size):
            if np.isnan(alike[k]):
                continue
            if count.size > 0:
                place = np.int64(alike[k] - least)
                below, upto = count[place], count[place + 1]
            else:
                below = np.searchsorted(known, alike[k])
                upto = np.searchsorted(known, alike[k], side="right")
            percentile[start[s] + k] = (below + 0.5 * (upto - below - 1)) / (known.size - 1)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _counts_up_to(known: NDArray[np.float64], least: float) -> NDArray[np.int64]:
    """Return how many values lie below `least`, `least` + 1, ...; empty unless all are such steps, and few."""
    span = known.max() - least
    if not span < 2.0 * known.size:
        return np.zeros(0, np.int64)
    count = np.zeros(np.int64(span) + 2, np.int64)
    for one in known:
        step = np.int64(one - least)
        if step != one - least:
            return np.zeros(0, np.int64)
        count[step + 1] += 1
    for k in range(1, count.size):
        count[k] += count[k - 1]
    return count


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _rank_near(  # noqa: PLR0917 (compiled functions take no keyword-only parameters)
    own_start: NDArray[np.int64],
    own_rank: NDArray[np.int32],
    low: NDArray[np.int64],
    high: NDArray[np.int64],
    start: NDArray[np.int64],
    rank: NDArray[np.int32],
    itself: int,
    min_others: int,
    percentile: NDArray[np.float64],
) -> None:
    """Fill in the mid-rank percentile of each row among the rows of like size, where `low` is below `high`.

    The rows of like size slide along with the size; a Fenwick tree counts them by rank.
    """
    n_ranks = max(own_rank.max(), rank.max()) + 1 if own_rank.size and rank.size else 0
    equal = np.zeros(n_ranks, dtype=np.int32)
    tree = np.zeros(n_ranks + 1, dtype=np.int32)
    first, end = 0, 0  # rows that are counted
    n = 0
    for s in range(low.size):
        if low[s] == high[s]:
            continue
        while end < start[high[s]]:
            n += _count_in(equal, tree, rank[end], 1)
            end += 1
        while first < start[low[s]]:
            n += _count_in(equal, tree, rank[first], -1)
            first += 1
        if n - itself < min_others:
            continue
        for row in range(own_start[s], own_start[s + 1]):
            if own_rank[row] >= 0:
                i = own_rank[row]
                below = 0.5 * (equal[i] - itself)
                while i > 0:
                    below += tree[i]
                    i &= i - 1
                percentile[row] = below / (n - itself)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _count_in(equal: NDArray[np.int32], tree: NDArray[np.int32], rank: int, step: int) -> int:
    """Add `step` to the count of `rank`; return what was added: nothing below 0."""
    if rank < 0:
        return 0
    equal[rank] += step
    i = rank + 1
    while i < tree.size:
        tree[i] += step
        i += i & -i
    return step


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _weighted(
    value: NDArray[np.float64],
    group: NDArray[np.int64],
    stratum: NDArray[np.int64],
    times: NDArray[np.int64],
) -> tuple[float, float]:
    """Return the difference of means and the superiority of group 0, over strata, NaN where no one has both.

    Rows stand by stratum and value; each counts as often as `times` says.
    """
    weights, differences, superiorities = 0.0, 0.0, 0.0
    i = 0
    while i < value.size:
        here = stratum[i]
        count_a, count_b, sum_a, sum_b, wins = 0.0, 0.0, 0.0, 0.0, 0.0
        while i < value.size and stratum[i] == here:
            tie = value[i]
            equal_a, equal_b = 0.0, 0.0
            while i < value.size and stratum[i] == here and value[i] == tie:
                if group[i] == 0:
                    equal_a += times[i]
                else:
                    equal_b += times[i]
                i += 1
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
