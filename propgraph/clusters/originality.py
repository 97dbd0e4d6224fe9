"""How much of what members post is their own, and how evenly they post, beside accounts of the same platform as active.

The entropy of the times between an account's posts, in bins that double, is a fact to be read and no sign of anything:
a queue that is worked off posts evenly, and so does a person with one free hour a day.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from propgraph.clusters.inputs import ClusterInputs
from propgraph.clusters.matched import matched
from propgraph.clusters.metrics import once
from propgraph.study import Study

_INTERVALS = 10  # of an account whose entropy is told, at least

_SCHEMA: dict[str, Any] = {
    "cluster": pl.UInt32, "original_expected": pl.Float64, "original_limit": pl.Float64, "n_like": pl.UInt32,
    "interval_entropy": pl.Float64, "interval_entropy_pct": pl.Float64,
}  # fmt: skip


def with_originality(
    table: pl.DataFrame, like: pl.DataFrame, /, *, study: Study, inputs: ClusterInputs, seed: int
) -> pl.DataFrame:
    """Add the originality and the rhythm of accounts like the members.

    Parameters
    ----------
    table
        A row for each `cluster`.
    like
        For each member the accounts in no cluster that are as active, as from `like_members`.
    study, inputs
        The study, and what the figures of its clusters are made from.
    seed
        For the draws.

    Returns
    -------
    pl.DataFrame
        `table` with `original_expected`, `original_limit` (the mean and the 1 % point, over draws of as many accounts,
        of the mean share of originals), `n_like` (accounts drawn from), `interval_entropy` (bits, median over members)
        and `interval_entropy_pct` (0..1: the median over members of each one's mid-rank among those like it).
    """
    others = (
        study.scan("posts")
        .select("account_id", "content_id", "timestamp", "kind")
        .join(like.lazy().select(account_id="like").unique(), on="account_id", how="semi")
        .collect()
    )
    theirs, mine = rhythm_of(once(others)), rhythm_of(once(inputs.posts))
    found = matched(like, theirs, value="original_share", statistic=np.mean, seed=seed)
    of_draws = pl.DataFrame(
        [(cluster, one.expected, one.low, one.n_others) for cluster, one in sorted(found.items())],
        schema=dict(list(_SCHEMA.items())[:4]),
        orient="row",
    )
    places = (
        like.join(mine.select("account_id", own="interval_entropy"), on="account_id")
        .join(theirs.select(like="account_id", other="interval_entropy"), on="like")
        .drop_nulls()
        .group_by("cluster", "account_id")
        .agg(
            pl.col("own").first(),
            pct=((pl.col("other") < pl.col("own")) + (pl.col("other") == pl.col("own")) / 2).mean(),
        )
        .group_by("cluster")
        .agg(interval_entropy=pl.col("own").median(), interval_entropy_pct=pl.col("pct").median())
    )
    for part in (of_draws, places):
        table = table.join(part, on="cluster", how="left", maintain_order="left")
    return table


def rhythm_of(posts: pl.DataFrame, /) -> pl.DataFrame:
    """Return `account_id, original_share, interval_entropy` of some accounts' posts (each once).

    `original_share` is null where no kind is known. `interval_entropy` is the entropy (bits) of the times from post to
    post, in bins of 0 to 1 s, 1 to 2 s, 2 to 4 s, and so on, each twice as long; null for fewer than ten such times.
    """
    kinds = posts.group_by("account_id").agg(original_share=(pl.col("kind") == "original").mean())
    seconds = pl.col("timestamp").diff().over("account_id").dt.total_milliseconds() / 1000
    bins = (
        posts.select("account_id", "timestamp")
        .sort("account_id", "timestamp")
        .select("account_id", seconds=seconds)
        .drop_nulls("seconds")
        .select("account_id", bin=pl.when(pl.col("seconds") < 1).then(-1).otherwise(
            pl.col("seconds").log(2).floor().cast(pl.Int32)))
        .group_by("account_id", "bin")
        .len()
        .sort("account_id", "bin")
    )  # fmt: skip
    part = pl.col("len") / pl.col("len").sum()
    entropy = (
        bins.group_by("account_id", maintain_order=True)
        .agg(n=pl.col("len").sum(), interval_entropy=-(part * part.log(2)).sum())
        .filter(pl.col("n") >= _INTERVALS)
        .select("account_id", pl.col("interval_entropy").abs())
    )
    return kinds.join(entropy, on="account_id", how="left").sort("account_id")
