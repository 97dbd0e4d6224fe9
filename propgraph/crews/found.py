"""Crews: groups formed on one half of the objects, tested on the other, several splits joined."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import igraph as ig
import numpy as np
import polars as pl

from propgraph.arrays.p_values import false_discovery_rate
from propgraph.arrays.types import Bool, Float64, Int64
from propgraph.communities import leiden
from propgraph.crews.attendance import attended
from propgraph.crews.gatherings import moments_of
from propgraph.crews.members import NO_GROUP, confirmed, standing_in
from propgraph.synchrony.growth import half_in_common, merge_groups
from propgraph.synchrony.halves import N_SPLITS, Halves
from propgraph.synchrony.pairs import HalfEvidence
from propgraph.synchrony.prepared import PreparedShares

#: The smallest group that is tested, and how many of a half, the largest first.
LEAST_MEMBERS, MOST_GROUPS = 4, 400
#: Groups are formed by Leiden at these resolutions of modularity: of a crew that acts a few at a time the fine one
#: finds only pieces, of each of which hardly anybody is there at the next object.
RESOLUTIONS = (1.0, 0.1)
#: A crew has so many confirmed members at least.
LEAST_CONFIRMED = 3

GROUPS = {
    "trace": pl.String, "split": pl.Int64, "half": pl.Int64, "level": pl.Int64, "group": pl.Int64,
    "n_members": pl.Int64, "n_gatherings": pl.Int64, "p_deal": pl.Float64, "p_habits": pl.Float64,
    "p_value": pl.Float64,
}  # fmt: skip
MEMBERS = {"account_id": pl.String, "community": pl.UInt32, "n_splits": pl.UInt32}
CREWS = {"community": pl.UInt32, "p_value": pl.Float64, "q_value": pl.Float64}


@dataclass(frozen=True)
class HalvedTrace:
    """One trace cut into halves.

    Attributes
    ----------
    prepared, halves
        Its shares, and the splits.
    pairs
        The pairs that stand out on each half.
    """

    prepared: PreparedShares
    halves: Halves
    pairs: HalfEvidence


@dataclass(frozen=True)
class Crews:
    """The crews that hold in most splits.

    Attributes
    ----------
    members
        `account_id`, `community` (a number), `n_splits` (in how many splits it was found).
    crews
        `community`, `p_value`, `q_value` (twice the median over the splits).
    groups
        Every group that was tested, as in `GROUPS`, with `q_value`.
    """

    members: pl.DataFrame
    crews: pl.DataFrame
    groups: pl.DataFrame


NO_CREWS = Crews(
    pl.DataFrame(schema=MEMBERS),
    pl.DataFrame(schema=CREWS),
    pl.DataFrame(schema=GROUPS | {"q_value": pl.Float64}),
)


def find_crews(traces: Mapping[str, HalvedTrace], /, *, q: float, seed: int, threads: int) -> Crews:
    """Return the crews of a study.

    On each half of the objects groups are formed by Leiden over the pairs that stand out there, fine and coarse. On the
    other half they are tested, by the deal of accounts to posts and with habits, and the larger p-value counts; the
    false discovery rate is over all groups of a split. In a group found, a member is confirmed by its own standing near
    the others on the half that did not choose it (see `crews.members`). An account is in a crew if most splits find it:
    with m of n splits a rate of n / m times that of one split holds, whatever the splits have in common (Markov's
    inequality). A crew's p-value is twice the median of its p-values in the splits, which is valid under any dependence
    (Meinshausen et al.); a crew whose q-value, made in the same way, is above `q` is dropped.

    Parameters
    ----------
    traces
        By name.
    q
        False discovery rate (0..1) of groups in each split.
    seed
        Of Leiden and the draws.
    threads
        At most so many at once.

    References
    ----------
    Meinshausen, Meier and Bühlmann, "p-Values for High-Dimensional Regression", JASA 104 (2009).
    """
    formed = {
        (trace, split, half, level): group
        for trace, one in traces.items()
        for split in range(N_SPLITS)
        for half in range(2)
        for level, group in enumerate(_formed(one, 2 * split + half, seed=seed))
    }
    for trace in {trace for trace, *_ in formed}:
        _ = traces[trace].prepared.habits  # looked up once, before several at once ask for them
    with ThreadPoolExecutor(threads) as pool:
        told = list(pool.map(lambda at: _tested(traces[at[0]], formed[at], at, seed=seed), formed))
    if not told:
        return NO_CREWS
    groups = pl.concat([tested for tested, _ in told])
    rates = [
        part.with_columns(
            q_value=pl.Series(false_discovery_rate(part["p_value"].to_numpy(), n_tests=part.height))
        )
        for part in groups.partition_by("split", maintain_order=True)
    ]
    groups = pl.concat(rates)
    found = groups.filter(pl.col("q_value") <= q).partition_by(
        "trace", "split", "half", "level", as_dict=True, maintain_order=True
    )
    attendance = {at: places for at, (_, places) in zip(formed, told, strict=True)}
    standing = [
        standing_in(
            traces[at[0]].prepared, group, found[at]["group"] if at in found else NO_GROUP,
            at=attendance[at], threads=threads,
        ).with_columns(**_place(at))
        for at, group in formed.items()
    ]  # fmt: skip
    return _joined(groups, confirmed(pl.concat(standing)), q=q)


def _place(at: tuple[str, int, int, int]) -> dict[str, pl.Expr]:
    """Return the columns that say where a group was formed."""
    trace, *numbers = at
    columns = {name: pl.lit(k, pl.Int64) for name, k in zip(("split", "half", "level"), numbers, strict=True)}
    return {"trace": pl.lit(trace)} | columns


def _formed(one: HalvedTrace, half: int, *, seed: int) -> list[Int64]:
    """Return the group of each account on a half, at each resolution, the largest first; -1 for none.

    Where a resolution gives the very groups of the one before it is left out.
    """
    source, target, log_p = one.pairs.of(half)
    formed: list[Int64] = []
    if source.size == 0:
        return formed
    accounts, ends = np.unique(np.concatenate([source, target]), return_inverse=True)
    graph = ig.Graph(n=accounts.size, edges=ends.reshape(2, -1).T)
    graph.es["weight"] = -log_p / np.log(10)
    for resolution in RESOLUTIONS:
        found = np.asarray(leiden(graph, seed=seed, resolution=resolution), np.int64)
        size = np.bincount(found)
        _, first = np.unique(found, return_index=True)
        order = np.lexsort((first, -size))
        order = order[size[order] >= LEAST_MEMBERS][:MOST_GROUPS]
        number = np.full(size.size, -1, np.int64)
        number[order] = np.arange(order.size)
        group = np.full(len(one.prepared.log.accounts), -1, np.int64)
        group[accounts] = number[found]
        if order.size and not (formed and np.array_equal(group, formed[-1])):
            formed.append(group)
    return formed


def _counts(one: HalvedTrace, split: int, half: int) -> Bool:
    """Mark the shares, by their place in the accounts' lists, that count on a half of a split."""
    lies: Bool = (one.halves.usable >> split & 1).astype(np.bool_)
    lies &= one.halves.lies_on(split, half)[one.prepared.listed]
    return lies


def _tested(
    one: HalvedTrace, group: Int64, at: tuple[str, int, int, int], /, *, seed: int
) -> tuple[pl.DataFrame, Int64]:
    """Return the groups formed on one half as `GROUPS`, tested on the other by what they attended, and those places.

    `at` are the trace, the split and the half on which they were formed, and at which of the resolutions.
    """
    _, split, half, level = at
    rows = attended(one.prepared, group, _counts(one, split, 1 - half))
    found = _figures(one, group, rows, 2 * split + half + 8 * (len(RESOLUTIONS) * seed + level))
    return found.with_columns(**_place(at)).select(*GROUPS), rows["place"].to_numpy()


def _figures(one: HalvedTrace, group: Int64, rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Return `group, n_members, n_gatherings, p_deal, p_habits, p_value` of each group, by what it attended."""
    prepared, habits = one.prepared, one.prepared.habits
    n_groups = int(group.max()) + 1
    keys = rows.select(pl.struct("group", "object").rle_id()).to_series().to_numpy()
    begin = np.concatenate([np.flatnonzero(np.diff(keys, prepend=-1)), [rows.height]]).astype(np.int64)
    log, gaps = prepared.log, prepared.gaps
    # A column of one chunk would come read-only, of several not: two types, for each of which the kernel is compiled.
    place, account = (rows[name].to_numpy(writable=True) for name in ("place", "account"))
    found = moments_of(
        begin, place, account, seed, prepared.start,
        prepared.position, prepared.listed, prepared.session, log.offsets, gaps.first, gaps.last, habits.kind,
        habits.first_cell, habits.cell, habits.usual, habits.vote, habits.leads,
    )  # fmt: skip
    of = rows["group"].to_numpy()[begin[:-1]]
    sums = np.zeros((n_groups, 7))
    np.add.at(sums, of, found)
    p_deal, p_habits = upper_tail(sums[:, 0], sums[:, 1:4]), upper_tail(sums[:, 0], sums[:, 4:7])
    return pl.DataFrame(
        {
            "group": np.arange(n_groups),
            "n_members": np.bincount(group[group >= 0], minlength=n_groups),
            "n_gatherings": np.bincount(of, minlength=n_groups),
            "p_deal": p_deal,
            "p_habits": p_habits,
            "p_value": np.maximum(p_deal, p_habits),
        }
    )


def upper_tail(observed: Float64, moments: Float64, /) -> Float64:
    """Return P(X >= observed) of sums whose mean, variance and third central moment are known; 1 without any.

    By Pearson's type III (a shifted gamma), the skewness at least that of the gamma from 0 with this mean and variance:
    a heavier tail errs to the safe side.
    """
    from scipy.stats import gamma  # noqa: PLC0415 - slow to import

    mean, variance, third = moments.T
    p = np.ones(observed.size)
    there = variance > 0
    sd = np.sqrt(variance[there])
    skew = np.maximum(third[there] / sd**3, 2 * sd / mean[there])
    shape = 4 / skew**2
    scale = sd * skew / 2
    p[there] = gamma.sf(observed[there] - (mean[there] - shape * scale), shape, scale=scale)
    return p


def _joined(groups: pl.DataFrame, standing: pl.DataFrame, *, q: float) -> Crews:
    """Return the crews of the accounts that most splits find, from who was confirmed in which group."""
    key = ["trace", "split", "half", "level", "group"]
    often = standing.group_by("account_id").agg(n_splits=pl.col("split").n_unique())
    often = often.filter(pl.col("n_splits") * 2 > N_SPLITS)
    rows = standing.join(often, on="account_id", how="semi")
    if rows.is_empty():
        return Crews(NO_CREWS.members, NO_CREWS.crews, groups)
    names = rows.select(key).unique().sort(key).with_row_index("number")
    rows = rows.join(names, on=key).select("account_id", "number")
    # Groups of which one has half of its members, or more, in common with the other are one crew.
    of_groups = rows.rename({"number": "community"})
    numbers = names.with_columns(community="number")
    part = merge_groups(numbers, half_in_common(of_groups, of_groups))
    rows = rows.join(part.select("number", "community"), on="number")
    crews = _p_values(groups, part).filter(pl.col("q_value") <= q)
    rows = rows.join(crews, on="community", how="semi")
    # Where an account's groups belong to two crews, to that with most of them.
    members = (
        rows.group_by("account_id", "community")
        .len()
        .sort(["account_id", "len", "community"], descending=[False, True, False])
        .unique("account_id", keep="first", maintain_order=True)
        .filter(pl.len().over("community") >= LEAST_CONFIRMED)
        .join(often, on="account_id")
        .select(*MEMBERS)
        .sort("community", "account_id")
    )
    return Crews(members, crews.join(members, on="community", how="semi"), groups)


def _p_values(groups: pl.DataFrame, part: pl.DataFrame) -> pl.DataFrame:
    """Return `community`, `p_value`, `q_value` of each crew: twice the median over the splits, 1 for one without it.

    In a split, the least of its groups' p-values counts as often as it has groups, and once for each half and
    resolution at least.
    """
    own = part.join(groups, on=["trace", "split", "half", "level", "group"])
    ways = pl.max_horizontal(pl.len(), 2 * len(RESOLUTIONS))
    by_split = own.group_by("community", "split").agg(
        p=(pl.col("p_value").min() * ways).clip(0, 1), q=(pl.col("q_value").min() * ways).clip(0, 1)
    )
    every = part.select("community").unique().join(pl.DataFrame({"split": range(N_SPLITS)}), how="cross")
    told = every.join(by_split, on=["community", "split"], how="left").with_columns(
        pl.col("p", "q").fill_null(1.0)
    )
    medians = told.group_by("community").agg(
        p_value=(2 * pl.col("p").median()).clip(0, 1), q_value=(2 * pl.col("q").median()).clip(0, 1)
    )
    return medians.select(*CREWS).sort("community")
