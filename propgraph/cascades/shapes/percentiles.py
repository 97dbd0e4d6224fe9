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

from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import Bool, Float64, Int32, Int64
from propgraph.errors import InputError, check_at_least, check_threads, lacking
from propgraph.readers.taken import takes_frames

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


@takes_frames
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
    r is 1 and only these count. The percentile is the mid-rank: the fraction of the others that lie below, and
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

    Examples
    --------
    >>> import polars as pl
    >>> import propgraph as pg
    >>> cascades = pl.DataFrame({"size": [50] * 40 + [400], "depth": [2] * 39 + [9, 9]})
    >>> ranks = pg.size_matched_percentiles(cascades, min_others=20)
    >>> ranks["depth_pct"].round(3)[0], ranks["depth_pct"][39], ranks["depth_pct"][40]
    (0.487, 1.0, None)
    """
    check_at_least("min_others", min_others, 1)
    check_at_least("max_ratio", max_ratio, 1, most=np.inf)
    among = cascades if reference is None else reference
    if metrics is None:
        metrics = [name for name in SHAPE_METRICS if name in cascades.columns and name in among.columns]
    check_table(cascades, "cascades", metrics)
    check_table(among, "reference", metrics)
    own_sizes = sizes_of(cascades)
    sizes = own_sizes if reference is None else sizes_of(among)
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
        own = values_of(cascades[name])[own_position]
        found = np.full(own.size, np.nan)
        if reference is None:
            _rank_alike(start, exact, own, min_others, found)
            own_rank = rank = np.full(own.size, -1, dtype=np.int32)
            rank[apart:] = _dense_ranks(own[apart:])
        else:
            ranks = _dense_ranks(np.concatenate([own, values_of(among[name])[position]]))
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
    check_table(reference, "reference", ())
    many = reference.filter(pl.col("size") > 1)
    if "trace" in reference.columns and set(reference["trace"].unique()) & set(traces.unique()):
        return many.filter(pl.col("trace").cast(pl.String) == trace)
    return many


def check_table(frame: pl.DataFrame, table: str, metrics: Sequence[str]) -> None:
    """Raise `InputError` unless a table of cascades has sizes and the metrics."""
    faults = lacking(table, ("size", *metrics), frame.columns)
    if "size" in frame.columns:
        bad = frame.filter((pl.col("size").cast(pl.Int64) < 1).fill_null(True)).height
        if bad:
            faults.append(f"{table}: column 'size' is null or below 1 in {bad:,} of {frame.height:,} rows")
    if faults:
        raise InputError("; ".join(faults))


def sizes_of(frame: pl.DataFrame) -> Int64:
    """Return the posts of each cascade."""
    return frame["size"].cast(pl.Int64).to_numpy()


def values_of(column: pl.Series) -> Float64:
    """Return a metric as floats, NaN where it is unknown."""
    return column.cast(pl.Float64).fill_null(np.nan).to_numpy()


def _dense_ranks(values: Float64) -> Int32:
    """Return the rank of each value among the distinct ones, -1 where it is unknown."""
    order = np.argsort(values)  # NaN comes last
    ordered = values[order]
    known = int(np.count_nonzero(~np.isnan(values)))
    rank = np.full(values.size, -1, dtype=np.int32)
    new = np.zeros(known, dtype=np.int32)
    new[1:] = ordered[1:known] != ordered[: max(known - 1, 0)]
    rank[order[:known]] = np.cumsum(new)
    return rank


@kernel
def _like_sizes(
    asked: Int64,
    present: Int64,
    start: Int64,
    wanted: int,
    max_ratio: float,
) -> tuple[Int64, Int64]:
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


@kernel
def _rank_alike(
    start: Int64,
    exact: Bool,
    value: Float64,
    min_others: int,
    percentile: Float64,
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
        # Either way `below` and `upto` are how many known values are less, and less or equal; itself is one of these.
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


@kernel
def _counts_up_to(known: Float64, least: float) -> Int64:
    """Return how many values lie below `least`, `least` + 1, ...; empty unless all are such steps, and few."""
    span = known.max() - least
    if not span < 2.0 * known.size:
        return np.zeros(0, np.int64)
    count = np.zeros(np.int64(span) + 2, np.int64)
    # One place on, so that the sums below count what is less.
    for one in known:
        step = np.int64(one - least)
        if step != one - least:
            return np.zeros(0, np.int64)
        count[step + 1] += 1
    for k in range(1, count.size):
        count[k] += count[k - 1]
    return count


@kernel
def _rank_near(  # noqa: PLR0917 (compiled functions take no keyword-only parameters)
    own_start: Int64,
    own_rank: Int32,
    low: Int64,
    high: Int64,
    start: Int64,
    rank: Int32,
    itself: int,
    min_others: int,
    percentile: Float64,
) -> None:
    """Fill in the mid-rank percentile of each row among the rows of like size, where `low` is below `high`.

    The rows of like size slide along with the size; a Fenwick tree counts them by rank.
    """
    n_ranks = max(own_rank.max(), rank.max()) + 1 if own_rank.size and rank.size else 0
    equal = np.zeros(n_ranks, dtype=np.int32)
    tree = np.zeros(n_ranks + 1, dtype=np.int32)
    first, end = 0, 0  # rows that are counted
    n = 0
    # The tree holds the rows `first:end`, n of them with a value: like sizes rise with the size, so neither bound ever
    # goes back.
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
        # Equals count half, less the row itself where it stands among them; the tree is climbed down for those below.
        for row in range(own_start[s], own_start[s + 1]):
            if own_rank[row] >= 0:
                i = own_rank[row]
                below = 0.5 * (equal[i] - itself)
                while i > 0:
                    below += tree[i]
                    i &= i - 1
                percentile[row] = below / (n - itself)


@kernel
def _count_in(equal: Int32, tree: Int32, rank: int, step: int) -> int:
    """Add `step` to the count of `rank`; return what was added: nothing below 0."""
    if rank < 0:
        return 0
    equal[rank] += step
    i = rank + 1
    # Each step adds the lowest bit: these are the places whose range holds the rank.
    while i < tree.size:
        tree[i] += step
        i += i & -i
    return step
