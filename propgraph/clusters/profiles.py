"""Bought profiles: accounts of a cluster made in lots, or alike in name, id and number of followers.

Held against as many accounts in no cluster: drawn from the log, of the same platforms, and drawn from those who share
most of the same objects, for who joined because of an event, or with a community, did not buy anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from propgraph.arrays.types import Int64
from propgraph.clusters.alike import (
    FOLLOWERS,
    IDS,
    NAMES,
    Alike,
    Pool,
    alike_followers,
    alike_ids,
    alike_names,
)
from propgraph.clusters.inputs import ClusterInputs
from propgraph.clusters.lots import NO_LOTS, WIDTHS, Scan, in_lots, least_of, own_lots, scan, told
from propgraph.clusters.matched import Population, drawn, peers_of
from propgraph.schema import COUNT
from propgraph.schema import IDS as LIST
from propgraph.study import Study

#: Chance under which a scan stands out, by either comparison.
RARE = 0.01
_DRAWS = 400
_FEWEST = 5  # accounts with known dates
_TIMES = 2  # as many others as members, at least: draws of nearly all of them are all alike
_SHOWN = 20

_SCHEMA: dict[str, Any] = {
    "cluster": pl.UInt32, "lot_share": pl.Float64, "lot_expected": pl.Float64, "lot_limit": pl.Float64,
    "lot_p": pl.Float64, "lot_width_s": pl.Float64, "n_in_lots": COUNT, "n_lots": COUNT, "lots": LIST,
    "n_lot_peers": COUNT,
    "lot_posts": LIST, "alike_share": pl.Float64, "alike_expected": pl.Float64, "alike_p": pl.Float64,
    "alike_by": pl.String, "alike_what": pl.String, "n_alike": COUNT, "alike_posts": LIST,
}  # fmt: skip


def with_profiles(
    table: pl.DataFrame, population: Population, /, *, study: Study, inputs: ClusterInputs, seed: int
) -> pl.DataFrame:
    """Add what the members' accounts have in common by how they were made.

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
        `table` with the columns of `schema.profiles` on lots and on accounts alike and what the rules tell of them:
        `lot_expected, lot_limit` (the mean and the 99 % point of `lot_share` in draws), `lot_p, alike_p` (the larger of
        both comparisons), `n_in_lots`, `n_alike` (members), `n_lot_peers` (accounts of the second comparison; null
        where too few share the objects), `lot_posts, alike_posts` (one post of each such member).
    """
    groups = {
        int(str(key)): part
        for (key,), part in population.members.partition_by("cluster", as_dict=True).items()
    }
    others = _pools(population.others)
    first = _Profiles(
        others,
        {cluster: _scan_of(part, others, seed) for cluster, part in groups.items()},
        {cluster: _alike_of(part, others, seed) for cluster, part in groups.items()},
    )
    # Who shares the same objects is looked up for those alone that stand out in the log.
    odd = [cluster for cluster in groups if first.stands_out(cluster)]
    peers = peers_of(study, inputs, odd) if odd else {}
    posts = _first_posts(inputs.posts)
    rows = []
    for cluster, part in groups.items():
        near = _pools(
            population.others.filter(pl.col("account_id").is_in(peers[cluster].implode()))
            if cluster in peers
            else population.others.clear()
        )
        rows.append({"cluster": cluster} | _row(part, first, near, posts, seed))
    figures = pl.DataFrame(rows, schema=_SCHEMA)
    return table.join(figures, on="cluster", how="left", maintain_order="left")


@dataclass(frozen=True)
class _Profiles:
    """What stands out of each cluster among the accounts of the log."""

    others: Mapping[str | None, Pool]
    scans: Mapping[int, Scan | None]
    alike: Mapping[int, Alike | None]

    def stands_out(self, cluster: int) -> bool:
        found = (self.scans[cluster], self.alike[cluster])
        return any(one is not None and one.p <= RARE for one in found)


def _pools(accounts: pl.DataFrame) -> dict[str | None, Pool]:
    return {
        platform: Pool(part) for (platform,), part in accounts.partition_by("platform", as_dict=True).items()
    }


def _row(
    part: pl.DataFrame, first: _Profiles, near: Mapping[str | None, Pool], posts: pl.DataFrame, seed: int
) -> dict[str, Any]:
    """Return what stands out of one cluster, whose members are `part`, held against those `near` it as well."""
    cluster = part["cluster"][0]
    row: dict[str, Any] = {}
    if (found := first.scans[cluster]) is not None:
        known = part.drop_nulls("created_at").sort("created_at", "account_id")
        against = _scan_of(part, near, seed)
        n_near = sum(pool.created_ms.size for pool in near.values())
        lots = own_lots(_times(known), found.width_ms, _made(known, first.others))
        row |= _lots_row(known, found, against, lots) | {"n_lot_peers": n_near if against else None}
        members = [known["account_id"][first : last + 1] for first, last in lots]
        row["lot_posts"] = _posts_of(pl.concat(members), posts) if members else []
    if (like := first.alike[cluster]) is not None:
        row |= _alike_row(like, _alike_of(part, near, seed, like=like))
        row["alike_posts"] = _posts_of(part["account_id"][like.rows], posts)
    return row


def _scan_of(part: pl.DataFrame, others: Mapping[str | None, Pool], seed: int) -> Scan | None:
    """Scan for lots among `part`, against as many of the others of each platform; None where that cannot be told."""
    known = part.drop_nulls("created_at")
    if known.height < _FEWEST:
        return None
    pools = []
    for platform, n in known.group_by("platform").len().sort("platform").iter_rows():
        made = others[platform].created_ms if platform in others else np.zeros(0, np.int64)
        if made.size < _TIMES * n:
            return None
        pools.append((made, n))
    times = np.sort(known["created_at"].dt.timestamp("ms").to_numpy())
    if not in_lots(times[None], width=WIDTHS[-1], least=least_of(times.size)).any():
        return NO_LOTS
    rng = np.random.default_rng([seed, times.size])
    return scan(times, drawn(rng, pools, _DRAWS))


def _lots_row(
    known: pl.DataFrame, found: Scan, against: Scan | None, lots: list[tuple[int, int]]
) -> dict[str, Any]:
    n_in_lots = sum(last - first + 1 for first, last in lots)
    return {
        "lot_share": n_in_lots / known.height,
        "lot_expected": max(found.expected, against.expected if against else 0.0),
        "lot_limit": max(found.limit, against.limit if against else 0.0),
        "lot_p": max(found.p, against.p if against else 0.0),
        "lot_width_s": found.width_ms / 1000,
        "n_in_lots": n_in_lots,
        "n_lots": len(lots),
        "lots": told(_times(known), lots),
    }


def _times(known: pl.DataFrame) -> Int64:
    times: Int64 = known["created_at"].dt.timestamp("ms").to_numpy()
    return times


def _made(known: pl.DataFrame, others: Mapping[str | None, Pool]) -> Int64:
    """Return when the accounts in no cluster of the same platforms were made, ascending."""
    platforms = known["platform"].unique().to_list()
    made: Int64 = np.sort(np.concatenate([others[one].created_ms for one in platforms if one in others]))
    return made


def _alike_of(
    part: pl.DataFrame, others: Mapping[str | None, Pool], seed: int, *, like: Alike | None = None
) -> Alike | None:
    """Return what stands out most of what members have in common, or how what is `like` does."""
    platforms = part["platform"].unique().to_list()
    if part.height < _FEWEST or len(platforms) > 1 or platforms[0] not in others:
        return None
    pool = others[platforms[0]]
    if pool.accounts.height < _TIMES * part.height:
        return None
    rng = np.random.default_rng([seed, part.height])
    ways: dict[str, Callable[[], Alike | None]] = {
        NAMES: lambda: alike_names(part, pool, only=like.what if like else None),
        IDS: lambda: alike_ids(part, pool, rng),
        FOLLOWERS: lambda: alike_followers(part, pool, rng),
    }
    found = [way() for by, way in ways.items() if like is None or by == like.by]
    return min((one for one in found if one is not None), key=lambda one: (one.p, -one.share), default=None)


def _alike_row(like: Alike, against: Alike | None) -> Mapping[str, Any]:
    return {
        "alike_share": like.share,
        "alike_expected": max(like.expected, against.expected if against else 0.0),
        # Three things are looked at.
        "alike_p": min(1.0, 3 * max(like.p, against.p if against else 0.0)),
        "alike_by": like.by,
        "alike_what": like.what,
        "n_alike": like.rows.size,
    }


def _first_posts(posts: pl.DataFrame) -> pl.DataFrame:
    """Return `account_id, content_id` of each account's first post."""
    return (
        posts.sort("timestamp", "content_id")
        .unique("account_id", keep="first", maintain_order=True)
        .select("account_id", "content_id")
    )


def _posts_of(accounts: pl.Series, posts: pl.DataFrame) -> list[str]:
    """Return the first posts of some accounts, in their order."""
    found = accounts.to_frame("account_id").join(posts, on="account_id", how="left", maintain_order="left")
    ids: list[str] = found["content_id"].drop_nulls().head(_SHOWN).to_list()
    return ids
