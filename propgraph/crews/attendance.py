"""Which objects the members of a group attend beyond their activity: who is there, not when."""

from __future__ import annotations

import numpy as np
import polars as pl

from propgraph.arrays.types import Bool, Int64
from propgraph.synchrony.prepared import PreparedShares

#: An object is attended if chance brings so many members there with this probability at most; or with the second, for a
#: group that comes to more such objects than chance has, with a probability of at most the first.
MAX_ATTENDANCE_P, LAX_ATTENDANCE_P = 1e-3, 1e-2
#: Fewer posts of an object cannot show who is near.
_FEWEST_POSTS = 5


def attended(prepared: PreparedShares, group: Int64, counts: Bool, /) -> pl.DataFrame:
    """Return the shares by which members of groups attend objects together.

    By chance an object that n accounts share, of N pairs of accounts and objects in all, has a Poisson number of
    members among them, with mean n / N times the objects that all members share. Attended are objects with so many
    that chance brings them there with a probability of at most `MAX_ATTENDANCE_P`. In popular objects strangers hide a
    few of a crew: where a group comes to more objects at `LAX_ATTENDANCE_P` than chance has (Poisson, p at most
    `MAX_ATTENDANCE_P`), these count. Times are not looked at. Of an account's objects in one session the first counts.

    Parameters
    ----------
    prepared
        The shares of one trace.
    group
        int64[n_accounts]; the group of each account, -1 for none.
    counts
        bool[n_shares]; the shares that are looked at, by their place in the accounts' lists.

    Returns
    -------
    pl.DataFrame
        `group`, `object`, `account`, `place` (int64; in the accounts' lists), sorted; of each group and object two
        accounts at least.
    """
    from scipy.stats import poisson  # noqa: PLC0415 - slow to import

    author = np.repeat(np.arange(len(prepared.start) - 1), np.diff(prepared.start))
    n_posts = np.diff(prepared.log.offsets)
    some = counts & (n_posts[prepared.listed] >= _FEWEST_POSTS)
    # One row for an account and object: its first post of it, for these stand together in its list.
    object_, account = prepared.listed[some].astype(np.int64), author[some]
    once = np.ones(object_.size, np.bool_)
    once[1:] = (object_[1:] != object_[:-1]) | (account[1:] != account[:-1])
    n_accounts = np.bincount(object_[once], minlength=n_posts.size)
    degree = np.bincount(account[once], minlength=group.size)
    member = group >= 0
    activity = np.bincount(group[member], weights=degree[member])
    mine = member[account]
    rows = pl.DataFrame(
        {
            "group": group[account[mine]],
            "object": object_[mine],
            "account": account[mine],
            "place": np.flatnonzero(some)[mine],
            "session": prepared.session[some][mine].astype(np.int64),
        }
    )
    sizes = rows.group_by("group", "object").agg(n=pl.col("account").n_unique()).filter(pl.col("n") >= 2)
    mean = activity[sizes["group"].to_numpy()] * n_accounts[sizes["object"].to_numpy()] / max(once.sum(), 1)
    by_chance = poisson.sf(sizes["n"].to_numpy() - 1, mean)
    sizes = sizes.with_columns(p=pl.Series(by_chance, dtype=pl.Float64))
    often = sizes.group_by("group").agg(n=(pl.col("p") <= LAX_ATTENDANCE_P).sum())
    n_objects = np.count_nonzero(n_accounts >= 2)
    together = poisson.sf(often["n"].to_numpy() - 1, LAX_ATTENDANCE_P * n_objects) <= MAX_ATTENDANCE_P
    lax = pl.col("group").is_in(often["group"].filter(pl.Series(together, dtype=pl.Boolean)).implode())
    cut = pl.when(lax).then(LAX_ATTENDANCE_P).otherwise(MAX_ATTENDANCE_P)
    there = sizes.filter(pl.col("p") <= cut).select("group", "object")
    rows = rows.join(there, on=["group", "object"], how="semi")
    first = pl.col("object") == pl.col("object").min().over("account", "session")
    # Once the rule of sessions has left shares out, an object may have one account only.
    rows = rows.filter(first).filter(pl.col("account").n_unique().over("group", "object") >= 2)
    return rows.select("group", "object", "account", "place").sort("group", "object", "account", "place")
