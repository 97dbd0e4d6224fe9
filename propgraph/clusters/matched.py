"""Accounts in no cluster that are like the members of one: of the same platform, as active, or of the same objects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from propgraph.arrays.nearest import nearest_in
from propgraph.arrays.types import Int64
from propgraph.clusters.inputs import ClusterInputs
from propgraph.study import Study

_PEERS = 10  # times as many as members, of those who share most of the same objects
_MOST = 20_000  # accounts that all members together are compared with
_LIKE = 20  # accounts that each member is compared with, at most
_LEAST = 3
_OBJECTS = 50  # of a cluster, those over which its members met most
_DRAWS, _FEWEST_DRAWS, _PICKS = 400, 100, 2_000_000

Statistic = Callable[..., Any]


@dataclass(frozen=True)
class Population:
    """All accounts of a log, those in clusters apart from the others.

    Attributes
    ----------
    members
        `cluster` (UInt32) and the columns of `others`.
    others
        `account_id, name, created_at, followers, n_posts, first_seen` of `schema.ACCOUNTS`, and `platform` (null where
        the log has one platform only), of the accounts in no cluster, by `account_id`.
    """

    members: pl.DataFrame
    others: pl.DataFrame


def population_of(study: Study, members: pl.DataFrame, /) -> Population:
    """Return the accounts of a study; `members` holds `account_id`, `cluster`."""
    accounts = (
        study.scan("accounts")
        .select("account_id", "name", "created_at", "followers", "n_posts", "first_seen")
        .join(_platforms(study), on="account_id", how="left")
        .sort("account_id")
        .collect()
    )
    cluster = members.select("account_id", "cluster")
    return Population(
        accounts.join(cluster, on="account_id").sort("cluster", "account_id"),
        accounts.join(cluster, on="account_id", how="anti", maintain_order="left"),
    )


def _platforms(study: Study) -> pl.LazyFrame:
    posts = study.scan("posts").select("account_id", "platform")
    if posts.select(pl.col("platform").n_unique()).collect().item() < 2:
        return pl.LazyFrame(schema={"account_id": pl.String, "platform": pl.String})
    return posts.group_by("account_id").agg(platform=pl.col("platform").min())


def like_members(population: Population, /, *, by: str = "n_posts") -> pl.DataFrame:
    """Return for each member the accounts in no cluster, of its platform, that are nearest to it in a number.

    Parameters
    ----------
    population
        The members, and the accounts in no cluster.
    by
        A column of both: how active they are. Accounts of which it is null are left out.

    Returns
    -------
    pl.DataFrame
        `cluster`, `account_id` (the member), `like` (the other), sorted. Each member has as many, at most 20 (fewer
        where members are many), but one whose platform has none has no row.
    """
    n_like = min(_LIKE, max(_LEAST, _MOST // max(population.members.height, 1)))
    parts = []
    others = population.others.drop_nulls(by).sort(by, "account_id").partition_by("platform", as_dict=True)
    for key, mine in population.members.drop_nulls(by).partition_by("platform", as_dict=True).items():
        theirs = others.get(key)
        if theirs is None:
            continue
        first, n = nearest_in(theirs[by].to_numpy(), mine[by].to_numpy(), n=n_like)
        rows = (first[:, None] + np.arange(n)).ravel()
        member = np.repeat(np.arange(mine.height), n)
        parts.append(
            mine.select("cluster", "account_id")[member].with_columns(
                theirs["account_id"][rows].alias("like")
            )
        )
    empty = pl.DataFrame(schema={"cluster": pl.UInt32, "account_id": pl.String, "like": pl.String})
    return pl.concat([empty, *parts]).sort("cluster", "account_id", "like")


def peers_of(study: Study, inputs: ClusterInputs, clusters: Sequence[int], /) -> dict[int, pl.Series]:
    """Return for each of `clusters` the accounts in no cluster that share most of what its members met over.

    Of these objects the fifty over which they met most count. There are ten accounts for each member, more where
    several share as many of the objects, and fewer where not so many share any.
    """
    size = dict(inputs.members.group_by("cluster").len().iter_rows())
    of = inputs.members.filter(pl.col("cluster").is_in(clusters)).select("account_id", "cluster")
    met = (
        inputs.shares.filter(pl.col("n_fellows") > 0)
        .join(of, on="account_id")
        .group_by("cluster", "trace", "object_id")
        .agg(n=pl.col("n_fellows").sum())
        .sort(["cluster", "n", "trace", "object_id"], descending=[False, True, False, False])
        .group_by("cluster", maintain_order=True)
        .head(_OBJECTS)
        .with_row_index("object")
        .drop("n")
    )
    counts = (
        study.scan("shares")
        .select("trace", "object_id", "account_id")
        .join(met.lazy(), on=["trace", "object_id"])
        .join(inputs.members.lazy().select("account_id"), on="account_id", how="anti")
        .group_by("cluster", "account_id")
        .agg(n=pl.col("object").n_unique())
        .sort(["cluster", "n", "account_id"], descending=[False, True, False])
        .collect()
    )
    peers = {}
    for (cluster,), part in counts.partition_by("cluster", as_dict=True, maintain_order=True).items():
        n = part["n"].to_numpy()
        least = n[min(_PEERS * size[cluster], n.size) - 1]
        peers[int(str(cluster))] = part.filter(pl.col("n") >= least)["account_id"]
    return peers


def drawn(rng: np.random.Generator, pools: Sequence[tuple[Int64, int]], draws: int, /) -> Int64:
    """Return `draws` rows, each of so many values of each pool, drawn without replacement."""
    parts = [
        np.stack([pool[rng.choice(pool.size, n, replace=False, shuffle=False)] for _ in range(draws)])
        for pool, n in pools
    ]
    rows: Int64 = np.concatenate(parts, axis=1)
    return rows


def draws_of(n_picks: int, /) -> int:
    """Return how many times so many values are drawn: 400, or fewer of many, 100 at least."""
    return int(np.clip(_PICKS // max(n_picks, 1), _FEWEST_DRAWS, _DRAWS))


@dataclass(frozen=True)
class Matched:
    """A figure of the members of one cluster beside draws of as many accounts, each like one of them.

    Attributes
    ----------
    expected
        Its mean over the draws.
    low, high
        Its 1 % and 99 % points.
    n_others
        How many accounts are drawn from.
    """

    expected: float
    low: float
    high: float
    n_others: int


def matched(
    like: pl.DataFrame, values: pl.DataFrame, /, *, value: str, statistic: Statistic, seed: int
) -> dict[int, Matched]:
    """Return by cluster what a figure would be of accounts drawn, for each member one of those like it.

    Parameters
    ----------
    like
        As from `like_members`; members who have no `value` themselves are best left out.
    values
        `account_id` and the figure of each account, named `value`; others who have none are not drawn.
    value
        The column.
    statistic
        Makes the figure of a cluster out of its members' (as `np.mean`): takes the axis, too.
    seed
        For the draws, 400, or fewer of the largest clusters. A cluster of which half of the members or more have nobody
        to be compared with is not here.
    """
    known = (
        like.join(values.select(like="account_id", value=pl.col(value)), on="like")
        .drop_nulls("value")
        .sort("cluster", "account_id", "like")
    )
    size = dict(like.group_by("cluster").agg(pl.col("account_id").n_unique()).iter_rows())
    found = {}
    for (key,), part in known.partition_by("cluster", as_dict=True, maintain_order=True).items():
        cluster = int(str(key))
        counts = part.group_by("account_id", maintain_order=True).len()["len"].to_numpy().astype(np.int64)
        if 2 * counts.size <= size[cluster]:
            continue
        draws = draws_of(counts.size)
        rng = np.random.default_rng([seed, counts.size])
        picked = np.cumsum(counts) - counts + (rng.random((draws, counts.size)) * counts).astype(np.int64)
        drawn_values = statistic(part["value"].to_numpy()[picked], axis=1)
        low, high = np.quantile(drawn_values, [0.01, 0.99])
        found[cluster] = Matched(float(drawn_values.mean()), float(low), float(high), part["like"].n_unique())
    return found
