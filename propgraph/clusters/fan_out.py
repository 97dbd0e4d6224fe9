"""Pushing one object into many groups, one after another, at regular lags.

For each account and object (a link, or what the log has in its place) the times at which it went into its groups: how
many groups (fan-out), and how much the lags from group to group differ (the median absolute deviation of the logarithms
of an account's lags). A person who posts by hand does not keep time; a schedule, or an order to wait a minute, does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from propgraph.arrays.types import Float64
from propgraph.clusters.inputs import ClusterInputs, with_resolution
from propgraph.clusters.matched import Matched, Population, draws_of, like_members, matched
from propgraph.readers.times.fineness import RESOLUTION
from propgraph.schema import COUNT, IDS
from propgraph.study import Study

#: What a post into a group is about: the first of these traces that it shares something in.
ABOUT = ("url", "object", "reshare", "image", "near-text", "text")
_SHORTEST_S, _LONGEST_S = (
    5.0,
    86_400.0,
)  # lags: below, one click posts into several groups; above, they are occasions
_COARSE_S = 2.0  # times coarser than that make lags regular by themselves
_LAGS, _OBJECTS = 5, 2  # that an account's regularity is told from, at least
_COMPARED = 10  # accounts with regularity known that members are held against, at least
_DRAWS = 400  # of accounts with lags of their own
_SHOWN, _SHOWN_ACCOUNTS = 20, 6

_SCHEMA: dict[str, Any] = {
    "cluster": pl.UInt32, "groups_per_object": pl.Float64, "groups_per_object_expected": pl.Float64,
    "groups_per_object_limit": pl.Float64, "n_group_peers": COUNT, "lag_spread": pl.Float64,
    "lag_spread_expected": pl.Float64, "lag_spread_limit": pl.Float64, "lag_p": pl.Float64, "group_lag_s": pl.Float64,
    "n_lags": COUNT, "n_regular": COUNT, "lag_posts": IDS,
}  # fmt: skip


def with_fan_out(
    table: pl.DataFrame, population: Population, /, *, study: Study, inputs: ClusterInputs, seed: int
) -> pl.DataFrame:
    """Add into how many groups members put the same object, and how regularly, beside accounts like them.

    Parameters
    ----------
    table
        A row for each `cluster`.
    population
        The members, and the accounts in no cluster.
    study, inputs
        The study, and what the figures of its clusters are made from.
    seed
        For the draws.

    Returns
    -------
    pl.DataFrame
        `table` with the columns of `schema.profiles` on groups and lags and what the rules tell of them:
        `groups_per_object_limit` (the 99 % point of draws), `lag_spread_limit` (the 1 % point), `n_group_peers`
        (accounts that members are compared with), `n_lags`, `n_regular` (members whose regularity is known),
        `lag_posts`. Null where the log has no groups.
    """
    of_groups = _group_posts(study)
    active = of_groups.group_by("account_id").len("n_group_posts").collect()
    if active.join(inputs.members, on="account_id", how="semi").is_empty():
        return table.with_columns(
            pl.lit(None, dtype).alias(name) for name, dtype in _SCHEMA.items() if name != "cluster"
        )
    both = Population(
        population.members.join(active, on="account_id", how="left", maintain_order="left"),
        population.others.join(active, on="account_id", how="inner", maintain_order="left"),
    )
    like = like_members(both, by="n_group_posts")
    ids = pl.concat([like["like"], inputs.members["account_id"]]).unique().to_frame("account_id")
    pushed = _pushed(study, of_groups, ids)
    lags = lags_of(pushed)
    figures = figures_of(pushed, lags)
    rows = _rows(inputs, like, figures, lags, seed=seed)
    posts = {row["cluster"]: _posts_of(row, inputs, figures, pushed) for row in rows}
    frame = pl.DataFrame([row | {"lag_posts": posts[row["cluster"]]} for row in rows], schema=_SCHEMA)
    return table.join(frame, on="cluster", how="left", maintain_order="left")


def _group_posts(study: Study) -> pl.LazyFrame:
    return (
        with_resolution(study, "posts")
        .drop_nulls("target_id")
        .select("account_id", "content_id", "timestamp", RESOLUTION, "target_id")
    )


def _pushed(study: Study, of_groups: pl.LazyFrame, accounts: pl.DataFrame) -> pl.DataFrame:
    """Return the accounts' posts into groups with the object that each is about: its first into each group."""
    traces = pl.Enum(ABOUT)
    about = (
        study.scan("shares")
        .filter(pl.col("trace").is_in(ABOUT))
        .join(accounts.lazy(), on="account_id", how="semi")
        .select("content_id", "object_id", trace=pl.col("trace").cast(traces))
        .sort("trace", "object_id")
        .unique("content_id", keep="first", maintain_order=True)
    )
    return (
        of_groups.join(accounts.lazy(), on="account_id", how="semi")
        .join(about, on="content_id")
        .sort("account_id", "trace", "object_id", "timestamp", "content_id", "target_id")
        .unique(["account_id", "trace", "object_id", "target_id"], keep="first", maintain_order=True)
        .collect()
    )


def lags_of(pushed: pl.DataFrame, /) -> pl.DataFrame:
    """Return `account_id, trace, object_id, lag_s`: the times from one group to the next, 5 s to a day.

    Parameters
    ----------
    pushed
        `account_id, trace, object_id, timestamp, time_resolution_s`, an account's posts of an object in order, one a
        group. Posts whose times are coarser than 2 s are left out.
    """
    fine = pushed.filter(pl.col(RESOLUTION).fill_null(1.0) <= _COARSE_S)
    lag = pl.col("timestamp").diff().over("account_id", "trace", "object_id")
    return (
        fine.select("account_id", "trace", "object_id", lag_s=lag.dt.total_milliseconds() / 1000)
        .drop_nulls("lag_s")
        .filter(pl.col("lag_s").is_between(_SHORTEST_S, _LONGEST_S))
    )


def figures_of(pushed: pl.DataFrame, lags: pl.DataFrame, /) -> pl.DataFrame:
    """Return of each account its `groups` for an object (mean), `spread` and `lag_s` (median), null where not known.

    `spread` is the median absolute deviation of the logarithms of its lags; it takes five lags, over two objects.
    """
    groups = (
        pushed.group_by("account_id", "trace", "object_id")
        .len()
        .group_by("account_id")
        .agg(groups=pl.col("len").mean())
    )
    log = pl.col("lag_s").log()
    spread = (
        lags.group_by("account_id")
        .agg(
            spread=(log - log.median()).abs().median(),
            lag_s=pl.col("lag_s").median(),
            n_lags=pl.len(),
            n_objects=pl.struct("trace", "object_id").n_unique(),
        )
        .filter(pl.col("n_lags") >= _LAGS, pl.col("n_objects") >= _OBJECTS)
        .drop("n_objects")
    )
    return groups.join(spread, on="account_id", how="left").sort("account_id")


def _rows(
    inputs: ClusterInputs, like: pl.DataFrame, figures: pl.DataFrame, lags: pl.DataFrame, *, seed: int
) -> list[dict[str, Any]]:
    mine = figures.join(inputs.members.select("account_id", "cluster"), on="account_id")
    fans = matched(
        like.join(mine, on="account_id", how="semi"), figures, value="groups", statistic=np.median, seed=seed
    )
    known = mine.drop_nulls("spread")
    # Accounts with lags of their own are few, so all of those like any member stand for each.
    theirs = figures.drop_nulls("spread").join(
        like.select("cluster", account_id="like").unique(), on="account_id"
    )
    rows = []
    for (key,), part in (
        mine.sort("cluster", "account_id").partition_by("cluster", as_dict=True, maintain_order=True).items()
    ):
        cluster = int(str(key))
        row: dict[str, Any] = {"cluster": cluster, "groups_per_object": part["groups"].median()}
        row |= _fan_row(fans.get(cluster))
        own = known.filter(pl.col("cluster") == cluster)
        if own.height:
            others = theirs.filter(pl.col("cluster") == cluster)
            row |= _lag_row(own, others, lags, seed=seed)
        rows.append(row)
    return rows


def _fan_row(found: Matched | None) -> Mapping[str, Any]:
    if found is None:
        return {}
    return {
        "groups_per_object_expected": found.expected,
        "groups_per_object_limit": found.high,
        "n_group_peers": found.n_others,
    }


def _lag_row(own: pl.DataFrame, others: pl.DataFrame, lags: pl.DataFrame, *, seed: int) -> Mapping[str, Any]:
    """Hold the members' regularity against others' of their own, and against lags dealt anew to the same accounts."""
    value = float(np.median(own["spread"].to_numpy()))
    rng = np.random.default_rng([seed, own.height])
    pool = lags.join(others, on="account_id", how="semi").sort("account_id", "lag_s")["lag_s"].to_numpy()
    enough = others.height >= _COMPARED
    draws = draws_of(lags.height)
    sizes = own.sort("account_id")["n_lags"].to_list()
    dealt = np.median([_dealt(rng, pool if enough else None, (draws, n)) for n in sizes], axis=0)
    row = {
        "lag_spread": value,
        "lag_p": float((1 + (dealt <= value).sum()) / (1 + dealt.size)),
        "group_lag_s": own["lag_s"].median(),
        "n_lags": own["n_lags"].sum(),
        "n_regular": own.height,
        "lag_spread_expected": float(dealt.mean()),
    }
    if enough:
        spreads = others.sort("account_id")["spread"].to_numpy()
        drawn = np.median(spreads[rng.integers(0, spreads.size, (_DRAWS, own.height))], axis=1)
        row |= {
            "lag_spread_expected": float(np.median(spreads)),
            "lag_spread_limit": float(np.quantile(drawn, 0.01)),
        }
    return row


def _dealt(rng: np.random.Generator, pool: Float64 | None, shape: tuple[int, int]) -> Float64:
    """Return the spread of each row of lags drawn: others', or where these are too few, memoryless waiting times."""
    drawn: Float64 = rng.exponential(1.0, shape) if pool is None else pool[rng.integers(0, pool.size, shape)]
    log = np.log(drawn)
    spread: Float64 = np.median(np.abs(log - np.median(log, axis=1, keepdims=True)), axis=1)
    return spread


def _posts_of(
    row: Mapping[str, Any], inputs: ClusterInputs, figures: pl.DataFrame, pushed: pl.DataFrame
) -> Sequence[str]:
    """Return the posts of the most regular accounts: of each the object that it put into most groups."""
    if row.get("lag_spread") is None:
        return []
    mine = inputs.members.filter(pl.col("cluster") == row["cluster"]).select("account_id")
    best = (
        figures.drop_nulls("spread")
        .join(mine, on="account_id")
        .sort("spread", "account_id")
        .head(_SHOWN_ACCOUNTS)
    )
    of = ["account_id", "trace", "object_id"]
    chosen = (
        pushed.join(best.select("account_id", "spread"), on="account_id")
        .with_columns(n=pl.len().over(of))
        .sort(["spread", "account_id", "n", "trace", "object_id", "timestamp", "content_id"],
              descending=[False, False, True, False, False, False, False])
    )  # fmt: skip
    first = chosen.select(of).unique("account_id", keep="first", maintain_order=True)
    ids: list[str] = (
        chosen.join(first, on=of, how="semi", maintain_order="left")["content_id"]
        .unique(maintain_order=True)
        .head(_SHOWN)
        .to_list()
    )
    return ids
