"""Crowds whose whole bursts are their own, found in windows wider than that of the edges.

Where nearly all who share an object are one crowd, the order of the posts says nothing, and an hour's work shows
little within a minute. In a wider window strangers meet over every story, so only such objects are looked at there of
which at least half of all accounts stand within one window; and only such crowds count of which half or more, again
and again, make up at least half of all who ever share an object.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from propgraph.arrays.grids import split
from propgraph.arrays.incidence import Incidence
from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import Bool, Int32, Int64
from propgraph.clusters.groups import NO_MEMBERS, one_crowd_clusters
from propgraph.clusters.inputs import timing_by_trace
from propgraph.clusters.metrics import APART_MS, GATHERINGS, edges_inside
from propgraph.clusters.timing import ENOUGH, gathered_in
from propgraph.cosharing.window import edges_of_trace
from propgraph.networks import join_traces, without_accounts
from propgraph.options import ClusterOptions, WindowOptions
from propgraph.schema import COUNT, EDGES

#: How many of a crowd have to gather over an object at least.
LEAST = 5
_FIGURES: dict[str, Any] = {"time_window_s": pl.Float64, "own_objects": COUNT, "usual_bursts": pl.Float64}


@dataclass(frozen=True)
class OwnBursts:
    """The crowds found in wider windows.

    Attributes
    ----------
    members
        `account_id`, `cluster`, and of each crowd `time_window_s` (the window it was found in), `own_objects` (over so
        many it gathered, at moments apart, as half of all who share them) and `usual_bursts` (0..1, of other objects of
        like size those of which half of all accounts stand within one window; null where they are too few).
    edges
        The pairs within each crowd, in its window, over the objects that were looked at; see `networks.join_traces`.
    """

    members: pl.DataFrame
    edges: pl.DataFrame

    def taken(self, groups: pl.DataFrame, /) -> pl.DataFrame:
        """Return `account_id` of those in one of these crowds or in `groups`."""
        return pl.concat([frame.select("account_id") for frame in (groups, self.members)])

    def before(self, in_window: pl.DataFrame, /) -> pl.DataFrame:
        """Return `account_id`, `cluster` of these crowds, then of the clusters of the narrowest window."""
        own = self.members.select("account_id", "cluster")
        n_own = own["cluster"].n_unique()
        return pl.concat([own, in_window.select("account_id", pl.col("cluster") + pl.lit(n_own, pl.UInt32))])

    def with_windows(self, members: pl.DataFrame, /, *, time_window: float) -> pl.DataFrame:
        """Add the figures of each crowd to members of clusters; `time_window` (s) is the window of all others."""
        own = self.members.select("account_id", *_FIGURES)
        there = members.join(own, on="account_id", how="left", maintain_order="left")
        return there.with_columns(pl.col("time_window_s").fill_null(time_window))

    def with_edges(self, edges: pl.DataFrame, /) -> pl.DataFrame:
        """Put these crowds' own edges in the place of those between their members."""
        if self.edges.is_empty():
            return edges
        rest = edges.join(self.edges, on=["source", "target"], how="anti", maintain_order="left")
        return pl.concat([rest, self.edges]).sort("source", "target")


NO_OWN_BURSTS = OwnBursts(
    NO_MEMBERS.with_columns(pl.Series(name, [], dtype) for name, dtype in _FIGURES.items()),
    join_traces(EDGES.empty()),
)


def own_bursts(
    logs: Mapping[str, Incidence],
    groups: pl.DataFrame,
    /,
    *,
    window: WindowOptions,
    options: ClusterOptions,
    threads: int,
) -> OwnBursts:
    """Return the crowds whose whole bursts are theirs, each in the narrowest window that shows it.

    In each window after the first, the narrower first: edges of weight 3 or more over the objects of which at least
    half of all accounts stand within one window, without the accounts that are in a cluster already; their
    communities, those of one crowd joined, and the core of each. It counts where half of it or more, and five accounts,
    gather within the window over three objects, at moments apart (an hour, and twice the window), each time at least
    half of all accounts that ever share the object; and where it does not gather so often by halves in a narrower
    window, which shows it by itself.

    Parameters
    ----------
    logs
        All shares of each trace.
    groups
        `account_id` of those in a cluster already.
    window, options
        How edges and clusters are looked for; the shortest window is that of the study's edges.
    threads
        At most so many at once.
    """
    windows_ms = [round(one * 1000) for one in window.windows]
    if len(windows_ms) < 2 or options.evidence == "synchrony":
        return NO_OWN_BURSTS
    crowds = {trace: _crowds(log.offsets, log.account, len(log.accounts)) for trace, log in logs.items()}
    members, edges, n = [NO_OWN_BURSTS.members], [NO_OWN_BURSTS.edges], 0
    taken = groups.select("account_id")
    for k, window_ms in enumerate(windows_ms[1:], 1):
        bursting = {trace: _bursting(log, crowds[trace], window_ms) for trace, log in logs.items()}
        found = _edges_in(logs, bursting, window_ms, window=window, threads=threads)
        found = without_accounts(found, taken)
        crowd = one_crowd_clusters(logs, found, options=options, window_ms=window_ms)
        crowd = crowd.join(_theirs(logs, crowds, bursting, crowd, windows_ms[: k + 1]), on="cluster")
        if crowd.is_empty():
            continue
        number = pl.col("cluster").rank("dense").cast(pl.UInt32) - 1 + pl.lit(n, pl.UInt32)
        crowd = crowd.with_columns(number, time_window_s=pl.lit(window_ms / 1000))
        n += crowd["cluster"].n_unique()
        members.append(crowd.select(NO_OWN_BURSTS.members.columns).sort("cluster", "account_id"))
        edges.append(edges_inside(found, crowd).select(found.columns))
        taken = pl.concat([taken, crowd.select("account_id")])
    return OwnBursts(pl.concat(members), pl.concat(edges))


def _bursting(log: Incidence, crowd: Int64, window_ms: int) -> Bool:
    """Mark the objects of which half of all accounts stand within one window, five at least, by times as fine."""
    fine = log.keep(np.broadcast_to(log.resolution <= window_ms, log.account.shape))
    most, _ = gathered_in(fine.offsets, fine.time, fine.account, window_ms)
    bursting: Bool = (most >= LEAST) & (2 * most >= crowd)
    return bursting


def _edges_in(
    logs: Mapping[str, Incidence],
    bursting: Mapping[str, Bool],
    window_ms: int,
    *,
    window: WindowOptions,
    threads: int,
) -> pl.DataFrame:
    """Return the pairs that met in a wider window over three such objects."""
    wide = replace(
        window, time_window=window_ms / 1000, min_edge_weight=max(window.min_edge_weight, GATHERINGS),
        edge_quantile=0.0,
    )  # fmt: skip
    frames = [EDGES.empty()]
    for trace, log in logs.items():
        if bursting[trace].any():
            part = log.keep(bursting[trace][log.object] & (log.resolution <= window_ms))
            frames.append(edges_of_trace(trace, split(part, limit_ms=window_ms), wide, threads=threads)[0])
    return join_traces(pl.concat(frames))


def _theirs(
    logs: Mapping[str, Incidence], crowds: Mapping[str, Int64], bursting: Mapping[str, Bool], members: pl.DataFrame,
    windows_ms: Sequence[int],
) -> pl.DataFrame:  # fmt: skip
    """Return the clusters whose bursts are theirs in the last window, and that no narrower one shows by itself.

    Columns `cluster`, `own_objects`, `usual_bursts`.
    """
    rows = []
    if not members.is_empty():
        last = windows_ms[-1]
        own = _gatherings(logs, crowds, members, last)
        own = own.filter(2 * pl.col("gathered") >= pl.col("crowd"))
        shown: set[int] = set()
        for window_ms in windows_ms[:-1]:
            narrower = _gatherings(logs, crowds, members, window_ms)
            shown |= {
                cluster for cluster, times in _moments(narrower) if _n_apart(times, APART_MS) >= GATHERINGS
            }
        for cluster, times in _moments(own):
            n = _n_apart(times, max(APART_MS, 2 * last))
            if n >= GATHERINGS and cluster not in shown:
                rows.append((cluster, n, _usual(crowds, bursting, own.filter(pl.col("cluster") == cluster))))
    schema: dict[str, Any] = {"cluster": pl.UInt32, "own_objects": COUNT, "usual_bursts": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _gatherings(
    logs: Mapping[str, Incidence], crowds: Mapping[str, Int64], members: pl.DataFrame, window_ms: int
) -> pl.DataFrame:
    """Return where half of a cluster or more gathers within a window, and five accounts.

    Columns `cluster`, `trace`, `object` (code), `gathered` (accounts), `gathered_ms`, `crowd` (all its accounts).
    """
    size = members.group_by("cluster").len("size")
    frames = [
        part.objects.select("cluster", "object", "gathered", "gathered_ms").with_columns(
            pl.Series("crowd", crowds[trace][part.objects["object"].to_numpy()]), trace=pl.lit(trace)
        )
        for trace, parts in timing_by_trace(logs, members, window_ms=window_ms).items()
        for part in parts
    ]
    there = pl.concat(frames).join(size, on="cluster")
    return there.filter((pl.col("gathered") >= LEAST) & (2 * pl.col("gathered") >= pl.col("size")))


def _moments(gatherings: pl.DataFrame) -> list[tuple[int, list[int]]]:
    """Return each cluster and when it gathers, ascending (ms)."""
    times = gatherings.group_by("cluster").agg(pl.col("gathered_ms").sort()).sort("cluster")
    return list(times.iter_rows())


def _n_apart(times: Sequence[int], apart_ms: int) -> int:
    """Return how many of some times, ascending, lie so far apart at most."""
    n, last = 0, None
    for at in times:
        if last is None or at - last >= apart_ms:
            n, last = n + 1, at
    return n


def _usual(crowds: Mapping[str, Int64], bursting: Mapping[str, Bool], own: pl.DataFrame) -> float | None:
    """Return which part of the other objects bursts: of those half to twice as large as a cluster's, or of all.

    Objects of fewer than five accounts never count. None where there are fewer than `ENOUGH`.
    """
    size, bursts, other = [], [], []
    for trace, crowd in crowds.items():
        theirs = np.zeros(crowd.size, np.bool_)
        theirs[own.filter(pl.col("trace") == trace)["object"].to_numpy()] = True
        size.append(crowd)
        bursts.append(bursting[trace])
        other.append(~theirs & (crowd >= LEAST))
    crowd, burst, left = np.concatenate(size), np.concatenate(bursts), np.concatenate(other)
    typical = float(np.median(own["crowd"].to_numpy()))
    alike = left & (2 * crowd >= typical) & (crowd <= 2 * typical)
    for some in (alike, left):
        if np.count_nonzero(some) >= ENOUGH:
            return float(burst[some].mean())
    return None


@kernel
def _crowds(offsets: Int64, account: Int32, n_accounts: int) -> Int64:
    """Return how many accounts share each object."""
    latest = np.full(n_accounts, -1, np.int64)  # the latest object at which each account was counted
    crowd = np.zeros(offsets.size - 1, np.int64)
    # Shares lie object by object: an account counts at an object unless that is the latest it was counted at.
    for o in range(offsets.size - 1):
        for p in range(offsets[o], offsets[o + 1]):
            if latest[account[p]] != o:
                latest[account[p]] = o
                crowd[o] += 1
    return crowd
