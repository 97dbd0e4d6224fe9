"""What each account does in cascades: what it starts, who reshares it, how soon it reshares others."""

from __future__ import annotations

import numpy as np
import polars as pl

from propgraph.amplification.forest import NO_TIME, Forest, subtrees, topmost
from propgraph.arrays.encoding import grouped
from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import Float64, Int64
from propgraph.schema import SPREADERS


def measure_spreaders(cascades: Forest, /) -> pl.DataFrame:
    """Return what each account does in the cascades of two posts or more of each trace.

    A reshare counts for the post it was made of, where that is known. In the trace `reshare` a reshare of
    which only the original is known counts for the original, as platforms count it; in other traces the
    first to share an object is not made the source of all who share it later.

    The FIB index is the h-index of reshares: the largest h such that h of the account's posts were reshared
    at least h times each. It was made for posts with links to unreliable sites; here it takes all posts, so
    filter the log first where only some are meant. An account's reshares of itself count like others'.

    Parameters
    ----------
    cascades
        The cascades, as `forest` returns them.

    Returns
    -------
    polars.DataFrame
        Columns of `schema.SPREADERS`, sorted by trace and account. Accounts of no such cascade are not there.

    References
    ----------
    DeVerna, M. R., Aiyappa, R., Pacheco, D., Bryden, J., & Menczer, F. (2024). Identifying and
    characterizing superspreaders of low-credibility content on Twitter. PLOS ONE, 19(5), e0302201.
    """
    traces, trace = cascades.traces, cascades.trace[cascades.cascade]
    of_reshare = (traces == "reshare").to_numpy()[trace]
    counts = (cascades.known | of_reshare) & (cascades.parent >= 0)
    who = np.flatnonzero(cascades.account >= 0)
    n_accounts = len(cascades.accounts)
    n = len(traces) * n_accounts
    group = trace[who] * n_accounts + cascades.account[who]  # one for each trace and account
    direct = np.bincount(cascades.parent[counts], minlength=counts.size)[who]
    trees = subtrees(np.where(counts, cascades.parent, -1))
    above = trees.size[who] > 1
    top = topmost(group[above], who[above], trees)
    of_top = trace[top] * n_accounts + cascades.account[top]
    n_cascades = _distinct_cascades(group, cascades.cascade[who], n)
    there = np.flatnonzero(n_cascades)
    table = pl.DataFrame(
        {
            "trace": traces.gather(pl.Series(there // max(n_accounts, 1))),
            "account_id": cascades.accounts.gather(pl.Series(there % max(n_accounts, 1))),
            "n_cascades": n_cascades[there],
            "n_started": np.bincount(group[cascades.parent[who] < 0], minlength=n)[there],
            "n_reshares": np.bincount(group, weights=direct, minlength=n)[there],
            "n_reshares_below": np.bincount(of_top, weights=trees.size[top] - 1, minlength=n)[there],
            "fib_index": _fib(group, direct, n)[there],
        }
    )
    order = grouped(group, n)
    parent = np.where(counts, cascades.parent, -1)[who]
    root = np.where(cascades.parent < 0, -1, cascades.root)[who]
    return SPREADERS.conform(
        table.with_columns(
            pl.Series(
                name, _median_delays(*order, cascades.time[who], _time_at(cascades, earlier))[there] / 1000
            ).fill_nan(None)
            for name, earlier in (("median_delay_s", parent), ("median_delay_root_s", root))
        )
    )


def _time_at(cascades: Forest, rows: Int64) -> Int64:
    """Return the time of each of `rows`, `NO_TIME` where the row is -1."""
    return np.where(rows < 0, NO_TIME, cascades.time[rows])


@kernel
def _median_delays(start: Int64, position: Int64, time: Int64, earlier: Int64) -> Float64:
    """Return for each group the median delay, at least 0, of its rows after `earlier`; NaN without any (ms)."""
    median = np.full(start.size - 1, np.nan)
    delay = np.empty(position.size, np.int64)
    for g in range(start.size - 1):
        n = 0
        # `delay[:n]` holds the group's delays; rows without an earlier post of known time have none.
        for k in range(start[g], start[g + 1]):
            row = position[k]
            if earlier[row] > NO_TIME:
                delay[n] = max(time[row] - earlier[row], 0)
                n += 1
        # The mean of the two in the middle, which are one where their number is odd.
        if n > 0:
            ordered = np.sort(delay[:n])
            median[g] = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    return median


def _fib(group: Int64, direct: Int64, n: int) -> Int64:
    """Return for each of `n` groups the largest h such that h of its posts have h direct reshares or more."""
    some = np.flatnonzero(direct)
    order = some[np.lexsort((-direct[some], group[some]))]
    ordered = group[order]
    rank = np.arange(ordered.size) - np.searchsorted(ordered, ordered) + 1
    return np.bincount(ordered[direct[order] >= rank], minlength=n)


@kernel
def _distinct_cascades(group: Int64, cascade: Int64, n: int) -> Int64:
    """Count the cascades that each of `n` groups stands in; the rows of a cascade stand together."""
    latest = np.full(n, -1, np.int64)
    count = np.zeros(n, np.int64)
    # A cascade is new to a group unless it is the latest that was counted there.
    for i in range(group.size):
        if latest[group[i]] != cascade[i]:
            latest[group[i]] = cascade[i]
            count[group[i]] += 1
    return count
