"""Bursts after a release: what part of a cluster comes within minutes of the first member, task after task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from propgraph.arrays.encoding import groups_of
from propgraph.arrays.incidence import Incidence
from propgraph.arrays.kernels import kernel
from propgraph.arrays.p_values import binomial_tail
from propgraph.arrays.types import Bool, Int32, Int64
from propgraph.schema import COUNT, ID, SHARE

#: Minutes, not hours: an app's message is read at once or later, and nothing in between tells a release.
WITHIN_MS = 600_000
#: Members, the first left out, that make an object a task, and the tasks from which on a cluster is measured.
LEAST_MEMBERS, LEAST_TASKS = 5, 5
#: A task is prompt where chance would have so many members so soon once in twenty tasks.
RARE = 0.05
#: Coarser times tell nothing of minutes.
COARSEST_MS = 60_000
_SHOWN_TASKS, _SHOWN_POSTS = 5, 4
_SHRUNK = 4.0  # what is usual for objects of like size weighs as much as four accounts

RELEASES: dict[str, Any] = {
    "cluster": pl.UInt32, "release_trace": ID, "n_releases": COUNT, "n_prompt": COUNT, "release_turnout": SHARE,
    "release_share": SHARE, "usual_release_share": SHARE, "release_p": SHARE, "release_rows": pl.List(pl.Int64),
}  # fmt: skip


def release_bursts(logs: Mapping[str, Incidence], members: pl.DataFrame, /) -> pl.DataFrame:
    """Return how many members of each cluster came within ten minutes of the first of them, over its tasks.

    A task is an object that six members or more share. When it was released nobody knows; the first member to share it
    tells. Given how many others came at all, those within ten minutes are held against a binomial number, whose chance
    is the larger of two: what part of the object's other accounts that come after that moment do so within ten minutes
    (shrunk to what is usual after the first account of objects of like size), and how often these members are as soon
    after the first account of objects that are no tasks (shrunk to the log's). A task is prompt where such a number
    has a tail of .05 or less; the prompt tasks are binomial, too.

    Parameters
    ----------
    logs
        All shares of each trace; rests where times are coarser than the ten minutes can bear (a minute).
    members
        `account_id`, `cluster`.

    Returns
    -------
    pl.DataFrame
        A row for each cluster with five tasks, in the trace where they are surest: `cluster` (UInt32),
        `release_trace`, `n_releases, n_prompt` (tasks), `release_turnout` (0..1, of all members, those within ten
        minutes, mean over the tasks), `release_share` (0..1, of all who came to the tasks), `usual_release_share`
        (0..1, by the chance that they are held against), `release_p` (0..1, times the traces looked at), `release_rows`
        (rows of the trace's shares: the posts within ten minutes of the promptest tasks, four each).
    """
    found = []
    for trace, log in logs.items():
        if log.n_shares and int(log.resolution.max(initial=0)) <= COARSEST_MS:
            group = groups_of(log.accounts, members["account_id"], members["cluster"])
            found.append(_of_clusters(_tasks(log, group), np.bincount(group[group >= 0]), trace))
    if not found:
        return pl.DataFrame(schema=RELEASES)
    return (
        pl.concat(found)
        .with_columns(release_p=(pl.col("release_p") * pl.len().over("cluster")).clip(0, 1))
        .sort("cluster", "release_p", "release_trace")
        .unique("cluster", keep="first", maintain_order=True)
    )


def _of_clusters(tasks: pl.DataFrame, size: Int64, trace: str) -> pl.DataFrame:
    """Return `RELEASES` from the tasks of a trace; `size` is the number of members of each cluster."""
    tail = binomial_tail(
        tasks["n_soon"].to_numpy().astype(np.int64), tasks["n_came"].to_numpy().astype(np.int64),
        tasks["chance"].to_numpy(),
    )  # fmt: skip
    of_all = pl.col("n_soon") / pl.Series(size)[tasks["cluster"]]
    table = (
        tasks.with_columns(tail=pl.Series(tail, dtype=pl.Float64), of_all=of_all)
        .sort("cluster", "tail", "object")
        .group_by("cluster", maintain_order=True)
        .agg(
            n_releases=pl.len().cast(COUNT),
            n_prompt=(pl.col("tail") <= RARE).sum().cast(COUNT),
            release_turnout=pl.col("of_all").mean(),
            release_share=pl.col("n_soon").sum() / pl.col("n_came").sum(),
            usual_release_share=(pl.col("n_came") * pl.col("chance")).sum() / pl.col("n_came").sum(),
            release_rows=pl.col("rows").head(_SHOWN_TASKS).list.explode(),
        )
        .filter(pl.col("n_releases") >= LEAST_TASKS)
    )
    k, n = (table[name].to_numpy().astype(np.int64) for name in ("n_prompt", "n_releases"))
    p = pl.Series(binomial_tail(k, n, np.full(k.size, RARE)), dtype=SHARE)
    return table.with_columns(release_trace=pl.lit(trace), release_p=p).select(
        pl.col(name).cast(dtype) for name, dtype in RELEASES.items()
    )


def _tasks(log: Incidence, group: Int64) -> pl.DataFrame:
    """Return `cluster, object, n_came, n_soon, chance, rows` of each cluster's tasks."""
    first = _first_posts(log.offsets, log.account, len(log.accounts))
    mine = _rows_of(log, first & (group[log.account] >= 0), group)
    of = ("cluster", "object")
    mine = mine.with_columns(busy=pl.len().over(of) > LEAST_MEMBERS)
    # Within an object rows stand by time, so the first of a cluster's is the first member's.
    at_tasks = mine.filter("busy").with_columns(
        start=pl.col("time").first().over(of), rank=pl.int_range(pl.len()).over(of)
    )
    elsewhere = mine.filter(~pl.col("busy"))
    usual, of_log = _usual(log)
    came = at_tasks.filter(pl.col("rank") > 0).join(
        _habits(log, elsewhere, of_log), on="account", how="left", maintain_order="left"
    )
    soon = pl.col("time") - pl.col("start") <= WITHIN_MS
    tasks = came.group_by(of, maintain_order=True).agg(
        pl.col("start").first(),
        n_came=pl.len(),
        n_soon=soon.sum(),
        habit=pl.col("habit").fill_null(of_log).mean(),
        rows=pl.col("row").filter(soon).head(_SHOWN_POSTS),
    )
    public = _public(log, tasks, group, first)
    size = pl.col("n_came").log(2).floor().cast(pl.UInt8)
    prior = usual.gather(tasks.select(size.clip(0, len(usual) - 1))["n_came"])
    return tasks.join(public, on=of, how="left", maintain_order="left").with_columns(
        chance=pl.max_horizontal(
            "habit",
            (pl.col("others_soon").fill_null(0) + _SHRUNK * prior)
            / (pl.col("others").fill_null(0) + _SHRUNK),
        )
    )


def _rows_of(log: Incidence, mask: Bool, group: Int64) -> pl.DataFrame:
    """Return the posts that `mask` keeps, in the log's order."""
    rows = np.flatnonzero(mask)
    account = log.account[rows]
    return pl.DataFrame(
        {
            "cluster": group[account], "object": log.object[rows], "account": account, "time": log.time[rows],
            "row": log.row[rows], "first": log.time[log.offsets[log.object[rows]]],
            "is_first": rows == log.offsets[log.object[rows]],
        },
        schema_overrides={"cluster": pl.Int64},
    )  # fmt: skip


@kernel
def _first_posts(offsets: Int64, account: Int32, n_accounts: int) -> Bool:
    """Mark the first post of each account at each object."""
    first = np.zeros(account.size, np.bool_)
    latest = np.full(n_accounts, -1, np.int64)
    # `latest` is the last object at which each account was met: no object comes twice.
    for o in range(offsets.size - 1):
        for p in range(offsets[o], offsets[o + 1]):
            first[p] = latest[account[p]] != o
            latest[account[p]] = o
    return first


def _public(log: Incidence, tasks: pl.DataFrame, group: Int64, first: Bool) -> pl.DataFrame:
    """Return how many others came after the first member of each task, and how many of these within ten minutes.

    `first` marks the first post of each account at each object.
    """
    keys = ("object", "cluster", "start")
    others, soon = _others(
        *(tasks[name].to_numpy().astype(np.int64) for name in keys), group, log.offsets, log.account, log.time,
        first,
    )  # fmt: skip
    return tasks.select("cluster", "object", others=pl.Series(others), others_soon=pl.Series(soon))


@kernel
def _others(
    objects: Int64,
    cluster: Int64,
    start: Int64,
    group: Int64,
    offsets: Int64,
    account: Int32,
    time: Int64,
    first: Bool,
) -> tuple[Int64, Int64]:
    others, soon = np.zeros(objects.size, np.int64), np.zeros(objects.size, np.int64)
    for k in range(objects.size):
        # Posts stand by time: those before the first member's lie at the front.
        for p in range(offsets[objects[k]], offsets[objects[k] + 1]):
            if first[p] and time[p] >= start[k] and group[account[p]] != cluster[k]:
                others[k] += 1
                soon[k] += time[p] - start[k] <= WITHIN_MS
    return others, soon


def _usual(log: Incidence) -> tuple[pl.Series, float]:
    """Return what part of an object's posts comes within ten minutes of its first, by powers of two, and of all."""
    soon = np.concatenate([[0], np.cumsum(log.time - log.time[log.offsets[log.object]] <= WITHIN_MS)])
    later = np.diff(log.offsets) - 1
    some = later > 0
    n_soon = np.diff(soon[log.offsets])[some] - 1
    size = np.floor(np.log2(later[some])).astype(np.int64)
    total = np.bincount(size, minlength=1)
    of_all = float(n_soon.sum() / max(later[some].sum(), 1))
    by_size = np.bincount(size, n_soon / later[some], minlength=1)
    # A size that no object has is as usual as all.
    return pl.Series((by_size + _SHRUNK * of_all) / (total + _SHRUNK)), of_all


def _habits(log: Incidence, elsewhere: pl.DataFrame, usual: float) -> pl.DataFrame:
    """Return `account, habit`: what part of its posts of other objects comes within ten minutes of the first."""
    return (
        elsewhere.filter(~pl.col("is_first"))
        .group_by("account")
        .agg(n=pl.len(), soon=(pl.col("time") - pl.col("first") <= WITHIN_MS).sum())
        .select("account", habit=(pl.col("soon") + _SHRUNK * usual) / (pl.col("n") + _SHRUNK))
    )
