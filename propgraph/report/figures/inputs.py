"""What several figures of all clusters are drawn from, read once a study."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import polars as pl

from propgraph.arrays.types import Float64, Int64
from propgraph.missions.shifts import as_active
from propgraph.readers.times.fineness import RESOLUTION
from propgraph.study import Study

SLOTS = 7 * 24
_HOUR_S = 3600


@dataclass(frozen=True)
class Week:
    """When accounts post, by hour of the week (0: Monday 00:00 to 00:59, UTC).

    Attributes
    ----------
    members
        `account_id, cluster_id, slot, n` (posts with times fine enough).
    pool
        int64[p]; posts of the accounts in no cluster, ascending.
    account, slot, count
        int64[k]; which account of the pool made so many posts in which hour.
    """

    members: pl.DataFrame
    pool: Int64
    account: Int64
    slot: Int64
    count: Int64

    def usual(self, n: Int64, /) -> Float64:
        """Return how many posts, float64[168], as active accounts make in each hour for members with `n` posts."""
        first, width = as_active(n, self.pool)
        # A member's posts are spread as those of the accounts of its window are, each of these weighing the same.
        change = np.zeros(self.pool.size + 1)
        np.add.at(change, first, n / width)
        np.add.at(change, first + width, -n / width)
        weight = np.cumsum(change)[:-1] / self.pool
        posts = np.zeros(SLOTS)
        np.add.at(posts, self.slot, weight[self.account] * self.count)
        return posts


def week(study: Study, /) -> Week:
    """Return when the study's accounts post."""
    return _week(study, _version(study))


def common(study: Study, cluster_id: str, /) -> pl.DataFrame:
    """Return who shared what at least two members of a cluster shared, in the trace in which they met most.

    Parameters
    ----------
    study
        A study with clusters.
    cluster_id
        The cluster.

    Returns
    -------
    pl.DataFrame
        `object_id, timestamp, account_id, cluster_id` (null: in none), each account's first post of an object; by
        object and time. Empty where no two members shared the same.
    """
    shares = _together(study, _version(study))
    mine = shares.filter(cluster_id=cluster_id)
    apart = (pl.col("timestamp").diff().over("trace", "object_id")).dt.total_milliseconds() / 1000
    window_s = study.scan("clusters").filter(cluster_id=cluster_id).collect()["time_window_s"].item()
    best = (
        mine.with_columns(met=(apart <= window_s).fill_null(False))
        .group_by("trace", "object_id")
        .agg(n=pl.len(), met=pl.sum("met"))
        .filter(pl.col("n") >= 2)
    )
    ranked = best.group_by("trace").agg(pl.sum("met", "n")).sort("met", "n", "trace", descending=True)
    objects = best.filter(trace=ranked["trace"][0] if ranked.height else None).select("trace", "object_id")
    return shares.join(objects, on=["trace", "object_id"], how="semi", maintain_order="left").drop("trace")


def _version(study: Study) -> str:
    """Return what changes when a job changes the study, for what is kept of it."""
    return repr(sorted(study.ids.items()))


@lru_cache(maxsize=1)
def _week(study: Study, version: str) -> Week:
    time = pl.col("timestamp")
    slots = (
        study.scan("posts")
        .filter((pl.col(RESOLUTION) <= _HOUR_S).fill_null(True))
        .unique("content_id", keep="any")
        .group_by(
            "account_id",
            slot=(time.dt.weekday().cast(pl.Int64) - 1) * 24 + time.dt.hour().cast(pl.Int64),
        )
        .agg(n=pl.len().cast(pl.Int64))
        .join(study.scan("members").select("account_id", "cluster_id"), on="account_id", how="left")
        .collect()
    )
    others = slots.filter(pl.col("cluster_id").is_null())
    pool = (
        others.group_by("account_id").agg(posts=pl.sum("n")).sort("posts", "account_id").with_row_index("k")
    )
    others = others.join(pool.select("account_id", "k"), on="account_id").sort("k", "slot")
    return Week(
        slots.filter(pl.col("cluster_id").is_not_null()),
        pool["posts"].to_numpy(),
        *(others[name].cast(pl.Int64).to_numpy() for name in ("k", "slot", "n")),
    )


@lru_cache(maxsize=1)
def _together(study: Study, version: str) -> pl.DataFrame:
    """Return each account's first share of the objects that two members of a cluster shared."""
    members = study.scan("members").select("account_id", "cluster_id")
    shares = (
        study.scan("shares")
        .filter(pl.col("trace").is_in(study.run["clusters"]["parameters"]["trace"]))
        .select("trace", "object_id", "timestamp", "account_id")
    )
    objects = (
        shares.join(members, on="account_id")
        .group_by("trace", "object_id", "cluster_id")
        .agg(n=pl.col("account_id").n_unique())
        .filter(pl.col("n") >= 2)
        .unique(["trace", "object_id"])
    )
    return (
        shares.join(objects, on=["trace", "object_id"], how="semi")
        .group_by("trace", "object_id", "account_id")
        .agg(pl.min("timestamp"))
        .join(members, on="account_id", how="left")
        .sort("trace", "object_id", "timestamp", "account_id")
        .collect()
    )
