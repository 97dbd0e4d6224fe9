"""Accounts in no cluster that are like the members of one: of the same platform, as active, or of the same objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from propgraph.arrays.types import Int64
from propgraph.clusters.inputs import ClusterInputs
from propgraph.study import Study

_PEERS = 10  # times as many as members, of those who share most of the same objects
_MOST = 20_000  # accounts that all members together are compared with
_LIKE = 20  # accounts that each member is compared with, at most
_LEAST = 3


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


def like_members(population: Population, /) -> pl.DataFrame:
    """Return for each member the accounts in no cluster, of its platform, with numbers of posts nearest to its own.

    Returns
    -------
    pl.DataFrame
        `cluster`, `account_id` (the member), `like` (the other), sorted. Each member has as many, at most 20 (fewer
        where members are many), but one whose platform has none has no row.
    """
    n_like = min(_LIKE, max(_LEAST, _MOST // max(population.members.height, 1)))
    parts = []
    others = population.others.sort("n_posts", "account_id").partition_by("platform", as_dict=True)
    for key, mine in population.members.partition_by("platform", as_dict=True).items():
        theirs = others.get(key)
        if theirs is None:
            continue
        first, n = _nearest(mine["n_posts"].to_numpy(), theirs["n_posts"].to_numpy(), n_like)
        rows = (first[:, None] + np.arange(n)).ravel()
        member = np.repeat(np.arange(mine.height), n)
        parts.append(
            mine.select("cluster", "account_id")[member].with_columns(
                theirs["account_id"][rows].alias("like")
            )
        )
    empty = pl.DataFrame(schema={"cluster": pl.UInt32, "account_id": pl.String, "like": pl.String})
    return pl.concat([empty, *parts]).sort("cluster", "account_id", "like")


def _nearest(mine: Int64, theirs: Int64, n_like: int) -> tuple[Int64, int]:
    """Return where the `n_like` of `theirs` (sorted) that lie around each of `mine` begin, and how many they are."""
    n = min(n_like, theirs.size)
    middle = (np.searchsorted(theirs, mine) + np.searchsorted(theirs, mine, side="right")) // 2
    return np.clip(middle - n // 2, 0, theirs.size - n).astype(np.int64), n


def peers_of(study: Study, inputs: ClusterInputs, clusters: Sequence[int], /) -> dict[int, pl.Series]:
    """Return for each of `clusters` the accounts in no cluster that share most of what its members met over.

    There are ten for each member, more where several share as many of the objects, and fewer where not so many share
    any.
    """
    size = dict(inputs.members.group_by("cluster").len().iter_rows())
    of = inputs.members.filter(pl.col("cluster").is_in(clusters)).select("account_id", "cluster")
    met = (
        inputs.shares.filter(pl.col("n_fellows") > 0)
        .join(of, on="account_id")
        .select("cluster", "trace", "object_id")
        .unique()
    )
    counts = (
        study.scan("shares")
        .select("trace", "object_id", "account_id")
        .join(met.lazy(), on=["trace", "object_id"])
        .join(inputs.members.lazy().select("account_id"), on="account_id", how="anti")
        .group_by("cluster", "account_id")
        .agg(n=pl.struct("trace", "object_id").n_unique())
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
