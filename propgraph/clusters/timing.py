"""Whether members share at once beyond what outsiders do with the same objects.

Permuting times within an object is blind where a campaign is most of the object's public: its own burst
then explains itself. So a cluster is held against the others: of all pairs of posts of an object by
outsiders, what fraction lies within the window? Where an object has few outsiders, the log's usual fraction
stands in. Posts whose times are coarser than the window are held against others of the same resolution only.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import polars as pl

from propgraph.arrays.encoding import largest
from propgraph.arrays.grids import common_times, kinds, steps_of
from propgraph.arrays.incidence import Incidence
from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import Bool, Float64, Int64
from propgraph.clusters.habit_rates import habit_multiples

#: How many outsiders' pairs of posts the log's usual rate weighs as much as.
PRIOR_PAIRS = 20.0
#: From how many outsiders' pairs of posts, or objects of accounts in no cluster, on there is a comparison.
ENOUGH = 20


@dataclass(frozen=True)
class Timing:
    """How the clusters keep time in one trace.

    Attributes
    ----------
    objects
        A row for each cluster and object that two or more members shared: `cluster` (UInt32), `object`
        (UInt32 code), `n_pairs` (pairs of members' posts, by different accounts), `n_within` (those in
        the window), `usual_rate` (0..1, the fraction of outsiders' pairs in the window), `outsider_rate` (the same,
        raised where the members' habits bring them nearer), `gathered` (the most
        members within one window), `gathered_ms` (the first post of that window, the earliest of such).
    members
        A row for each cluster and account with such an object: `cluster`, `account` (codes), `n_objects`,
        `window_rate` (0..1, the fraction of its pairs in the window, mean over the objects weighted by fellow
        members' posts), `outsider_rate` (0..1, the same expected), `n_co_objects` (objects in the window with a
        fellow), `expected_co_objects`.
    shares
        A row for each share by a member: `row` (of the shares' frame), `cluster`, `account`, `object`,
        `time` (ms since 1970, as coarse as it is compared), `n_fellows` (fellow members' posts within the window).
    clusters
        A row for each cluster: `n_outsider_pairs` (outsiders' pairs of posts of its objects), `n_alone` (objects over
        which members met that outsiders posted once at most), `acts` (0..1,
        posts over shares: below 1 where posts share several objects), `compared` (outsiders of its
        objects, or accounts in no cluster, are enough to compare with), `time_resolution_s` (how fine the coarsest
        times are by which members met, s; where none did, by which they could have; 0 where nobody knows).
    """

    objects: pl.DataFrame
    members: pl.DataFrame
    shares: pl.DataFrame
    clusters: pl.DataFrame

    def of(self, clusters: pl.Series, /) -> Timing:
        """Return the same of some clusters only (a list of their numbers, imploded)."""
        there = pl.col("cluster").is_in(clusters.cast(pl.List(pl.UInt32)))
        return Timing(*(getattr(self, one.name).filter(there) for one in fields(self)))


def timings_of(log: Incidence, cluster: Int64, /, *, window_ms: int, habits: bool = True) -> list[Timing]:
    """Return how each cluster keeps time in one trace: by times as fine as the window, and by each coarser one.

    See `timing_of`.
    """
    return [
        timing_of(part, cluster, window_ms=window_ms, habits=habits)
        for part in kinds(log, limit_ms=window_ms)
    ]


def timing_of(log: Incidence, cluster: Int64, /, *, window_ms: int, habits: bool = True) -> Timing:
    """Return how each cluster keeps time in one trace, by times that can be compared.

    Parameters
    ----------
    log
        All shares of the trace, of one kind (see `grids.kinds`).
    cluster
        int64[n_accounts]; the cluster of each account, -1 for none.
    window_ms
        The window in milliseconds.
    habits
        The outsiders' rate is raised where the members' habits alone bring them nearer (see `habit_rates`).
    """
    steps = steps_of(log)
    log = replace(log, time=common_times(log, limit_ms=window_ms))
    near = _near(log.offsets, log.time, window_ms)
    n_posts = np.diff(log.offsets)
    within = np.bincount(log.object, weights=near, minlength=n_posts.size) / 2
    member = cluster[log.account] >= 0
    usual, n_usual = _usual_rates(log, steps, member, window_ms)
    mine = np.flatnonzero(member)
    rows = pl.DataFrame(
        {
            "row": log.row[mine],
            "post": log.post[mine] if log.post.size else log.row[mine],
            "cluster": cluster[log.account[mine]].astype(np.uint32),
            "account": log.account[mine].astype(np.uint32),
            "object": log.object[mine].astype(np.uint32),
            "time": log.time[mine],
            "near": near[mine],
        }
    ).sort("cluster", "object", "account", "time")
    own = _near(_bounds(rows, "cluster", "object", "account"), rows["time"].to_numpy(), window_ms)
    rows = rows.with_columns(pl.Series("own", own)).sort("cluster", "object", "time", "account")
    of_objects = _bounds(rows, "cluster", "object")
    group = _near(of_objects, rows["time"].to_numpy(), window_ms)
    gathered = gathered_in(of_objects, rows["time"].to_numpy(), rows["account"].to_numpy(), window_ms)
    rows = rows.with_columns(
        pl.Series("group", group),
        # As int64: sums of pairs pass 2**32, where Polars' sum of UInt32 wraps around without a word.
        k=pl.len().over("cluster", "object").cast(pl.Int64),
        k_own=pl.len().over("cluster", "object", "account").cast(pl.Int64),
    ).with_columns(n_fellows=pl.col("group") - pl.col("own"), n_others=pl.col("k") - pl.col("k_own"))
    objects = _objects(rows, n_posts=n_posts, within=within, usual=usual, gathered=gathered)
    objects = objects.with_columns(usual_rate="outsider_rate")
    if habits:
        keys = {"of": objects["cluster"], "objects": objects["object"]}
        multiples = habit_multiples(
            log,
            cluster,
            window_ms=window_ms,
            **{name: key.to_numpy().astype(np.int64) for name, key in keys.items()},
        )
        objects = objects.with_columns(
            outsider_rate=(pl.col("outsider_rate") * pl.Series(multiples)).clip(0, 1)
        )
    shares = rows.select("row", "cluster", "account", "object", "time", "n_fellows")
    return Timing(objects, _members(rows, objects), shares, _clusters(rows, objects, steps, n_usual))


def _usual_rates(log: Incidence, steps: Int64, member: Bool, window_ms: int) -> tuple[Float64, int]:
    """Return each object's usual fraction of pairs in the window, by objects as fine, and over how many objects.

    Cut to minutes, more posts lie within a minute of each other than by the second.
    """
    usual, n_usual = np.zeros(steps.size), 0
    fineness = np.unique(steps[np.diff(log.offsets) > 0])
    for step in fineness:
        alike = steps[log.object] == step
        outsider_rate, n = usual_rate(log.keep(alike & ~member), window_ms=window_ms)
        if n == 0:
            outsider_rate, _ = usual_rate(log.keep(alike), window_ms=window_ms)
        usual[steps == step] = outsider_rate
        n_usual += n
    return usual, n_usual


def usual_rate(log: Incidence, /, *, window_ms: int) -> tuple[float, int]:
    """Return the usual fraction (0..1) of an object's pairs of posts in the window, and over how many objects.

    It is taken from accounts that are in no cluster: in a log of operators alone, everyone would
    excuse everyone.
    """
    n_posts = np.diff(log.offsets)
    pairs = n_posts * (n_posts - 1) / 2
    some = pairs > 0
    within = (
        np.bincount(log.object, weights=_near(log.offsets, log.time, window_ms), minlength=n_posts.size) / 2
    )
    # A hundredth of an object of doubt keeps a log without any pair within the window from a rate of zero.
    n = int(some.sum())
    return float((within[some] / pairs[some]).sum() + 0.01) / (n + 1), n


def _objects(
    rows: pl.DataFrame, /, *, n_posts: Int64, within: Any, usual: Float64, gathered: tuple[Int64, Int64]
) -> pl.DataFrame:
    """Sum rows up to objects; outsiders' pairs are all pairs less those with a member in them."""
    sums = (
        rows.group_by("cluster", "object", maintain_order=True)
        .agg(
            k=pl.col("k").first(),
            n_pairs=pl.col("n_others").sum() / 2,
            n_within=pl.col("n_fellows").sum() / 2,
            touched=pl.col("near").sum() - pl.col("group").sum() / 2,
        )
        .with_columns(gathered=pl.Series(gathered[0]), gathered_ms=pl.Series(gathered[1]))
        .filter(pl.col("n_pairs") > 0)
    )
    code = sums["object"].to_numpy()
    sums = sums.with_columns(
        pl.Series("posts", n_posts[code]), pl.Series("within", within[code]), pl.Series("usual", usual[code])
    )
    outsiders = pl.col("posts") - pl.col("k")
    pairs = outsiders * (outsiders - 1) / 2
    in_window = (pl.col("within") - pl.col("touched")).clip(0)
    return sums.with_columns(
        outsider_rate=((in_window + PRIOR_PAIRS * pl.col("usual")) / (pairs + PRIOR_PAIRS)).clip(0, 1),
        n_outsider_pairs=pairs,
    ).select(
        "cluster",
        "object",
        "n_pairs",
        "n_within",
        "outsider_rate",
        "n_outsider_pairs",
        "gathered",
        "gathered_ms",
    )


def _clusters(rows: pl.DataFrame, objects: pl.DataFrame, steps: Int64, n_usual: int) -> pl.DataFrame:
    acts = (
        rows.filter(pl.col("n_others") > 0)
        .group_by("cluster")
        .agg(acts=pl.struct("account", "post").n_unique() / pl.len())
    )
    step = pl.Series("step", steps[objects["object"].to_numpy()] / 1000)
    met = pl.col("step").filter(pl.col("n_within") > 0).max()
    pairs = (
        objects.with_columns(step)
        .group_by("cluster")
        .agg(
            n_outsider_pairs=pl.col("n_outsider_pairs").sum(),
            n_alone=((pl.col("n_within") > 0) & (pl.col("n_outsider_pairs") < 1)).sum(),
            time_resolution_s=pl.coalesce(met, pl.col("step").max()),
        )
    )
    compared = (pl.col("n_outsider_pairs") >= ENOUGH) | pl.lit(n_usual >= ENOUGH)
    return pairs.join(acts, on="cluster", how="left").with_columns(compared=compared).sort("cluster")


def _members(rows: pl.DataFrame, objects: pl.DataFrame) -> pl.DataFrame:
    of_object = (
        rows.filter(pl.col("n_others") > 0)
        .group_by("cluster", "account", "object", maintain_order=True)
        .agg(
            part=pl.col("n_fellows").sum() / pl.col("n_others").sum(),
            fellows=pl.col("n_others").max(),
            post=pl.col("post").filter(pl.col("n_fellows") > 0).first(),
            n_pairs=pl.col("n_others").sum(),
        )
        .join(
            objects.select("cluster", "object", "outsider_rate"),
            on=["cluster", "object"],
            how="left",
            maintain_order="left",
        )
        .sort("cluster", "account", "object")
    )
    return of_object.group_by("cluster", "account", maintain_order=True).agg(
        n_objects=pl.len(),
        window_rate=(pl.col("part") * pl.col("fellows")).sum() / pl.col("fellows").sum(),
        outsider_rate=(pl.col("outsider_rate") * pl.col("fellows")).sum() / pl.col("fellows").sum(),
        # Five links in one post met over are one meeting.
        n_co_objects=pl.col("post").drop_nulls().n_unique(),
        # As in `cosharing.chance`: every pair of an own post and a fellow's is a chance to meet.
        expected_co_objects=(1 - (1 - pl.col("outsider_rate")) ** pl.col("n_pairs")).sum(),
    )


def log_tail(parts: pl.DataFrame, group: list[str], /, *, weight: str) -> pl.Series:
    """Return for each group the logarithm of an upper bound for so large a weighted sum of parts by chance.

    Chernoff's bound: for independent parts X in 0..1 of means m and fixed weights c,
    log P(sum cX >= s) <= sum log(1 + m (exp(tc) - 1)) - ts for every t > 0; the least over a grid of t.

    Parameters
    ----------
    parts
        Columns `part` and `outsider_rate` (0..1), `weight`, and those of `group`; groups stand together.
    group
        Names of the group's columns.
    weight
        Name of the weight's column (> 0); it must not depend on the times.
    """
    if parts.is_empty():
        return pl.Series("log_p", [], dtype=pl.Float64)
    start = _bounds(parts, *group)[:-1]
    c = parts.select(pl.col(weight) / pl.col(weight).max().over(group)).to_series().to_numpy()
    x, m = parts["part"].to_numpy(), parts["outsider_rate"].to_numpy()
    total = np.add.reduceat(c * x, start)
    least = np.zeros(start.size)
    for t in np.geomspace(0.05, 200, 60):
        bound = np.add.reduceat(np.log1p(m * np.expm1(t * c)), start) - t * total
        least = np.minimum(least, bound)
    return pl.Series("log_p", least)


def _bounds(rows: pl.DataFrame, *keys: str) -> Int64:
    starts = rows.select(pl.struct(keys).rle_id()).to_series().to_numpy()
    sizes = np.bincount(starts) if rows.height else np.empty(0, np.int64)
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


@kernel
def _near(offsets: Int64, time: Int64, window_ms: int) -> Int64:
    """Return how many other rows of the same group lie within the window of each row."""
    near = np.zeros(time.size, np.int64)
    for g in range(offsets.size - 1):
        low = offsets[g]
        high = offsets[g]
        # The window around p holds the rows `low:high`; times rise, so neither bound ever goes back.
        for p in range(offsets[g], offsets[g + 1]):
            while time[p] - time[low] > window_ms:
                low += 1
            while high < offsets[g + 1] and time[high] - time[p] <= window_ms:
                high += 1
            near[p] = high - low - 1  # p itself does not count
    return near


@kernel
def gathered_in(offsets: Int64, time: Int64, account: Any, window_ms: int) -> tuple[Int64, Int64]:
    """Return the most accounts of each group within one window, and when the earliest of such windows begins."""
    most = np.zeros(offsets.size - 1, np.int64)
    begin = np.zeros(offsets.size - 1, np.int64)
    n_accounts = largest(account) + 1
    posts = np.zeros(n_accounts, np.int64)  # of each account, in the window
    # At the top `posts` is 0 for all accounts: each group leaves it so.
    for g in range(offsets.size - 1):
        low = offsets[g]
        n = 0
        # The window that ends with p holds the rows from `low` on, of n accounts. Windows that end with a row are
        # enough: any other holds no more accounts than the one that ends with its last row.
        for p in range(offsets[g], offsets[g + 1]):
            n += posts[account[p]] == 0
            posts[account[p]] += 1
            while time[p] - time[low] > window_ms:
                posts[account[low]] -= 1
                n -= posts[account[low]] == 0
                low += 1
            # Only more replaces the most so far, so that the earliest of equal windows stays.
            if n > most[g]:
                most[g] = n
                begin[g] = time[low]
        # What the last window still holds is taken out.
        for p in range(low, offsets[g + 1]):
            posts[account[p]] = 0
    return most, begin
