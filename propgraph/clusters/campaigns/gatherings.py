"""When the members of a cluster gather: several of them at one object within the cluster's own spread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import polars as pl

from propgraph.arrays.encoding import largest
from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import Int64
from propgraph.clusters.inputs import ClusterInputs

#: Sessions of gatherings lie this far apart or more (ms), and moments this near coincide.
HOUR_MS = 3_600_000
_LONGEST_MS = 6 * HOUR_MS
_FULLEST = 3
_SCHEMA = pl.Schema({
    "cluster": pl.UInt32, "object": pl.UInt32, "start": pl.Int64, "end": pl.Int64, "n": pl.Int64,
    "spread": pl.Int64, "session": pl.Int64,
})  # fmt: skip


@dataclass(frozen=True)
class Gatherings:
    """All gatherings of all clusters.

    Attributes
    ----------
    rows
        A row for each gathering, in order of cluster, start and object: `cluster` (UInt32), `object` (UInt32 code),
        `start`, `end` (ms since 1970, its first and last post), `n` (members), `spread` (ms, the cluster's own),
        `session` (its number among the sessions).
    objects
        `object` (code), `trace`, `object_id`.
    cluster, start, end
        int64[n_sessions]; sessions of gatherings less than an hour (or the spread, where that is more) apart, in
        order of cluster and start; ms.
    spread
        The spread (ms) of each cluster.
    """

    rows: pl.DataFrame
    objects: pl.DataFrame
    cluster: Int64
    start: Int64
    end: Int64
    spread: dict[int, int]


def gatherings_of(
    inputs: ClusterInputs, numbers: Mapping[int, int], /, *, window_ms: int, slow: frozenset[int]
) -> Gatherings:
    """Return when the members of each cluster gather.

    A gathering is two members or more who post one object within the cluster's spread, and at least half as many as
    at its third-fullest one: what two of forty happen to share is none. The spread is the window; of a cluster that
    ranks found it is the median time between a member's post and the nearest fellow's, where that is longer, up to
    six hours.

    Parameters
    ----------
    inputs
        The members' shares, and how they keep time.
    numbers
        What each cluster of `inputs` is called here.
    window_ms
        The window in milliseconds.
    slow
        The clusters that ranks found, whatever the delays.
    """
    shares, objects = _shares(inputs, numbers)
    spread = _spreads(shares, window_ms=window_ms, slow=slow)
    shares = shares.join(spread, on="cluster", how="left", maintain_order="left").with_columns(
        pl.col("spread").fill_null(_windows(inputs, numbers))
    )
    fresh = pl.any_horizontal(pl.col(name) != pl.col(name).shift() for name in ("cluster", "object"))
    code = shares.select(fresh.fill_null(False).cast(pl.Int64).cum_sum()).to_series().to_numpy()
    first, last, n = _gather(
        code,
        shares["time"].to_numpy(),
        shares["account"].to_numpy(),
        shares["spread"].to_numpy(),
    )
    found = shares[first].select("cluster", "object", "spread", start="time").with_columns(
        end=shares["time"].gather(last), n=pl.Series(n, dtype=pl.Int64)
    )  # fmt: skip
    enough = pl.col("n").top_k(_FULLEST).min().over("cluster")
    found = found.filter(pl.col("n") * 2 >= enough).sort("cluster", "start", "object")
    rows = _with_sessions(found)
    sessions = rows.group_by("session", maintain_order=True).agg(
        pl.col("cluster").first().cast(pl.Int64), pl.col("start").first(), pl.col("end").max()
    )
    cluster, start, end = (sessions[name].to_numpy() for name in ("cluster", "start", "end"))
    spreads = dict(rows.select("cluster", "spread").unique().iter_rows())
    return Gatherings(rows, objects, cluster, start, end, spreads)


def _windows(inputs: ClusterInputs, numbers: Mapping[int, int]) -> pl.Expr:
    """Return the window (ms) of each row's `cluster`."""
    of = dict(inputs.members.select("cluster", "time_window_s").unique().iter_rows())
    ms = {numbers[cluster]: round(window_s * 1000) for cluster, window_s in of.items()}
    return pl.col("cluster").replace_strict(ms, return_dtype=pl.Int64)


def _shares(inputs: ClusterInputs, numbers: Mapping[int, int]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return members' shares of what fellows shared, too, in order; and the objects behind their codes.

    Codes of accounts are those of a trace: within one object they tell accounts apart.
    """
    frames, place, code = [], 0, 0
    for parts in inputs.timing.values():
        n_codes = 0
        for part in parts:
            met = part.objects.select("cluster", "object")
            mine = part.shares.with_row_index("place", offset=place)
            mine = mine.join(met, on=["cluster", "object"], how="semi", maintain_order="left")
            # Codes go on where those of the trace before end.
            frames.append(mine.select("place", "cluster", "account", pl.col("object") + code, "time"))
            place += part.shares.height
            n_codes = max(n_codes, 1 + int(cast("int", part.shares["object"].max() or 0)))
        code += n_codes
    rows = pl.concat(frames)
    named = rows.unique("object", keep="any").select("place", "object").sort("object")
    # The rows of `inputs.shares` stand in the order of the traces and their parts.
    objects = named.hstack(inputs.shares[named["place"]].select("trace", "object_id")).drop("place")
    number = pl.col("cluster").replace_strict(numbers, return_dtype=pl.UInt32)
    return rows.select(number, "object", "account", "time").sort(
        "cluster", "object", "time", "account"
    ), objects


def _spreads(shares: pl.DataFrame, *, window_ms: int, slow: frozenset[int]) -> pl.DataFrame:
    """Return `cluster` and `spread` (ms)."""
    # Rows stand in order: a fellow's post of the same object is the row before or after, if it is nearest at all.
    shares = shares.filter(pl.col("cluster").is_in(sorted(slow)))
    alike = [pl.col(name) == pl.col(name).shift() for name in ("cluster", "object")]
    fellow = pl.all_horizontal(*alike, pl.col("account") != pl.col("account").shift())
    before = pl.when(fellow).then(pl.col("time").diff())
    nearest = shares.select("cluster", before=before).with_columns(after=pl.col("before").shift(-1))
    nearest = nearest.select("cluster", nearest=pl.min_horizontal("before", "after"))
    median = (
        pl.col("nearest").median().fill_null(0).cast(pl.Int64).clip(window_ms, max(window_ms, _LONGEST_MS))
    )
    return nearest.group_by("cluster").agg(spread=median).sort("cluster")


def _with_sessions(rows: pl.DataFrame) -> pl.DataFrame:
    """Add the number of the session: what begins long after all before it have ended begins a new one."""
    ended = pl.col("end").cum_max().shift().over("cluster")
    apart = pl.max_horizontal("spread", pl.lit(HOUR_MS))
    fresh = ended.is_null() | (pl.col("start") - ended > apart)
    return rows.with_columns(session=fresh.cast(pl.Int64).cum_sum() - 1).select(*_SCHEMA).cast(_SCHEMA)


@kernel
def _gather(code: Int64, time: Int64, account: Any, spread: Int64) -> tuple[Int64, Int64, Int64]:
    """Return the first and last row of each gathering, and how many accounts it has; rows in order of code and time."""
    first, last = np.empty(code.size, np.int64), np.empty(code.size, np.int64)
    n_accounts = np.empty(code.size, np.int64)
    seen = np.full(largest(account) + 1, -1, np.int64)  # the last row that looked at it
    kept = 0
    p = high = 0
    # Gatherings do not overlap: all rows before p are in one, or in none.
    while p < code.size:
        high = max(high, p + 1)
        # The rows from p to before high are of one object, within the spread of p, and one account's.
        while (
            high < code.size and code[high] == code[p] and account[high] == account[p]
            and time[high] - time[p] <= spread[p]
        ):  # fmt: skip
            high += 1
        if high == code.size or code[high] != code[p] or time[high] - time[p] > spread[p]:
            # No other account's lies within the spread of p; of what begins later, one may.
            p += 1
            continue
        n, high = 0, p
        # The rows from p to before high are of one object and within the spread, by n accounts.
        while high < code.size and code[high] == code[p] and time[high] - time[p] <= spread[p]:
            n += seen[account[high]] != p
            seen[account[high]] = p
            high += 1
        first[kept], last[kept], n_accounts[kept] = p, high - 1, n
        kept += 1
        p = high
    return first[:kept].copy(), last[:kept].copy(), n_accounts[:kept].copy()
