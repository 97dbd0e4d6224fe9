"""Quotas: objects of a cluster that stop at one and the same count, time after time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import polars as pl

from propgraph.arrays.encoding import distinct_in_groups, groups_of
from propgraph.arrays.incidence import Incidence
from propgraph.arrays.types import Int64
from propgraph.missions.counts import Counts
from propgraph.missions.spikes import LEAST_COUNT, Spike, surest_spike
from propgraph.schema import COUNT, ID, SHARE

#: A count beyond this fraction of the members is that of all of them coming.
EVERYBODY = 0.8
#: An object's total is the crew's doing where members are this fraction of its accounts, and so many, at least.
THEIRS, LEAST_MEMBERS = 0.25, 5

OF_CLUSTERS: dict[str, Any] = {
    "cluster": pl.UInt32, "quota_trace": ID, "quota_counted": ID, "quota": COUNT, "n_at_quota": COUNT,
    "n_near_quota": COUNT, "expected_at_quota": pl.Float64(), "quota_p": SHARE, "quota_tail": SHARE,
    "usual_tail": SHARE, "quota_rows": pl.List(pl.Int64),
}  # fmt: skip


def quota_stops(logs: Mapping[str, Incidence], members: pl.DataFrame, /) -> pl.DataFrame:
    """Return for each cluster the count at which its objects stop most surely, if any stands out at all.

    Counted are, object by object, the members, all accounts, and all posts, the last two where members are five and a
    quarter of the accounts or more. Looked at is each count from 10 on that an object has, of members those up to four
    fifths of them; see `surest_spike` for how.

    Parameters
    ----------
    logs
        All shares of each trace.
    members
        `account_id`, `cluster`.

    Returns
    -------
    pl.DataFrame
        A row for each cluster with five objects at one count: `cluster` (UInt32), `quota_trace`, `quota_counted`
        (members, accounts or posts), `quota` (the count), `n_at_quota, n_near_quota` (objects of this count, and of
        one at most a fifth away), `expected_at_quota` (objects), `quota_p` (0..1, times the counts looked at),
        `quota_tail, usual_tail` (0..1, `tail_shares`: medians of these objects, and of others of like size in the log),
        `quota_rows` (rows of the trace's shares: the post that reached the count, object by object).
    """
    best: dict[int, tuple[Counts, Spike]] = {}
    looked: dict[int, int] = {}
    for trace, log in logs.items():
        group = groups_of(log.accounts, members["account_id"], members["cluster"])
        for cluster, counts in _of_clusters(trace, log, group):
            values = np.unique(counts.counts)
            looked[cluster] = looked.get(cluster, 0) + int((values >= LEAST_COUNT).sum())
            spike = surest_spike(counts.counts, counts.accounts_of)
            if spike and (cluster not in best or spike.p_value < best[cluster][1].p_value):
                best[cluster] = counts, spike
    rows = [_row(cluster, looked[cluster], *found) for cluster, found in sorted(best.items())]
    return pl.DataFrame(rows, schema=OF_CLUSTERS, orient="row")


def _of_clusters(trace: str, log: Incidence, group: Int64) -> Iterator[tuple[int, Counts]]:
    """Go through the clusters and what can be counted at their objects."""
    size = np.bincount(group[group >= 0])
    there = np.flatnonzero(group[log.account] >= 0)
    once = pl.DataFrame(
        {"cluster": group[log.account[there]], "object": log.object[there], "account": log.account[there]}
    ).unique()
    n_members = once.group_by("cluster", "object").len("n").filter(pl.col("n") >= LEAST_MEMBERS)
    n_accounts = distinct_in_groups(log.offsets, log.account, len(log.accounts))
    for (cluster,), part in n_members.sort("cluster", "object").group_by("cluster", maintain_order=True):
        objects, n = part["object"].to_numpy().astype(np.int64), part["n"].to_numpy().astype(np.int64)
        some = n <= EVERYBODY * size[cluster]
        yield cluster, Counts(trace, log, "members", objects[some], n[some], n_accounts, group, cluster)
        theirs = objects[n >= THEIRS * n_accounts[objects]]
        for counted, sizes in (("accounts", n_accounts), ("posts", np.diff(log.offsets))):
            yield cluster, Counts(trace, log, counted, theirs, sizes[theirs], sizes)


def _row(cluster: int, looked: int, counts: Counts, spike: Spike) -> tuple[object, ...]:
    """Return a row of `OF_CLUSTERS`; `looked` is the number of counts that were looked at."""
    last = [int(counts.log.row[counts.rows(k)[-1]]) for k in spike.at.tolist()]
    return (
        cluster, counts.trace, counts.counted, spike.value, spike.at.size, spike.near.size, spike.expected,
        min(spike.p_value * looked, 1.0), *counts.tails(spike.at, spike.value), last,
    )  # fmt: skip
