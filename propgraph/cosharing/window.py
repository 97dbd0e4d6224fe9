"""Co-sharing in a sliding time window, account by account: no pair of posts is ever stored.

For each account, each of its shares looks up and down the object's time-sorted list while within the
window and adds into one row of counts; the row's edges that reach the minimum are written out and the
row is cleared. It is Gustavson's sparse product with a window and a threshold: memory is
O(shares + accounts + edges kept), and rows split over threads without locks.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import polars as pl
from numba import njit

from propgraph.cosharing.chance import chance_of
from propgraph.cosharing.incidence import Bool, Incidence, Int32, Int64, incidence
from propgraph.encoding import decode, grouped
from propgraph.errors import UsageError, check_at_least, check_choice
from propgraph.schema import EDGES

EDGE_WEIGHTS = ("objects", "events")
FAST_MS = 10_000
_HISTOGRAM = 1 << 16
_BLOCKS = 64

Progress = Callable[[str, float], None]
Counts = tuple[npt.NDArray[np.int64], ...]


def cosharing_edges(
    shares: pl.DataFrame,
    /,
    *,
    time_window: float = 60.0,
    min_participation: int = 2,
    min_edge_weight: int = 2,
    edge_weight: str = "objects",
    edge_quantile: float = 0.0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> pl.DataFrame:
    """Return the pairs of accounts that shared the same objects within `time_window` of each other.

    Parameters
    ----------
    shares
        Columns `content_id`, `account_id`, `object_id` (String), `timestamp` (`Datetime`), and `trace`
        (String) where several traces stand in one frame; rows in any order.
    time_window
        Seconds; the bound belongs to the window. Sliding, never binned.
    min_participation
        An account enters with at least this many shares of the trace, and an edge stays when either of
        its accounts has at least this many shares whose post is in some pair (both as CooRTweet does).
    min_edge_weight
        Keep edges of at least this weight.
    edge_weight
        What `weight` counts: `objects` (distinct objects) or `events` (pairs of posts).
    edge_quantile
        Keep edges whose weight lies strictly above this quantile (0..1, linear interpolation) of the
        weights of all edges of the trace; 0 keeps all.
    threads
        At most so many at once; None for one a processor. The result does not depend on it.
    progress
        Called with a label and the fraction done, 0..1.

    Returns
    -------
    pl.DataFrame
        The columns of `edges` (`schema.EDGES`), one row a trace and pair, sorted.

    Raises
    ------
    InputError
        When a column is missing, holds nulls, or has no times.
    UsageError
        When an option is out of its range.

    References
    ----------
    Righetti and Balluff, "CooRTweet: A Generalized R Software for Coordinated Network Detection",
    Computational Communication Research 7 (2025); Gustavson, "Two Fast Algorithms for Sparse
    Matrices", ACM TOMS 4 (1978).
    """
    check_choice("edge_weight", edge_weight, EDGE_WEIGHTS)
    check_at_least("time_window", time_window, 0)
    check_at_least("min_participation", min_participation, 1)
    check_at_least("min_edge_weight", min_edge_weight, 1)
    if not 0 <= edge_quantile < 1:
        raise UsageError(f"edge_quantile: {edge_quantile} is not in 0 <= q < 1")
    frames = [EDGES.empty()]
    for trace, part in _by_trace(shares):
        log = incidence(part)
        window = _Window(
            window_ms=round(time_window * 1000),
            min_weight=min_edge_weight,
            by_events=edge_weight == "events",
            threads=threads or os.cpu_count() or 1,
            tell=_named(progress, trace),
        )
        edges = window.edges(log, min_participation, edge_quantile)
        frames.append(_as_frame(edges, log, trace, window))
    return pl.concat(frames)


def _by_trace(shares: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    if "trace" not in shares.columns:
        return [("object", shares)]
    names = sorted(shares["trace"].cast(pl.String).unique().to_list())
    if len(names) == 1:
        return [(names[0], shares)]
    return [(name, shares.filter(pl.col("trace") == name)) for name in names]


class _Window:
    """One run of the kernel over one trace."""

    def __init__(
        self, *, window_ms: int, min_weight: int, by_events: bool, threads: int, tell: Callable[[float], None]
    ) -> None:
        self.window_ms, self.min_weight, self.by_events = window_ms, min_weight, by_events
        self.threads, self.tell = threads, tell

    def edges(self, log: Incidence, min_participation: int, quantile: float) -> Counts:
        """Return (source, target, n_events, n_objects, sum_ms, fast, first, last) of the edges kept."""
        n_accounts = len(log.accounts)
        rows = np.bincount(log.account, minlength=n_accounts)
        log = log.keep(rows[log.account] >= min_participation)
        paired = _paired(log.offsets, log.object, log.account, log.time, log.post, self.window_ms)
        takes_part = _participation(log, paired, n_accounts) >= min_participation
        log = log.keep(paired)
        if quantile > 0:
            cut = _quantile(*self._histogram(log, takes_part), quantile)
            self.min_weight = max(self.min_weight, int(np.floor(cut)) + 1)
        log = self._prune(log, n_accounts)
        return self._scan(log, takes_part, self.min_weight)

    def _prune(self, log: Incidence, n_accounts: int) -> Incidence:
        """Drop accounts that pair on too few objects for any edge, until few are left to drop."""
        if self.by_events or self.min_weight < 2:
            return log
        while True:
            enough = _objects_per_account(log.object, log.account, n_accounts) >= self.min_weight
            keep = enough[log.account]
            dropped = log.n_shares - int(keep.sum())
            log = log.keep(keep)
            if dropped == 0:
                return log
            log = log.keep(_paired(log.offsets, log.object, log.account, log.time, log.post, self.window_ms))
            if dropped < 0.1 * log.n_shares:
                return log

    def _histogram(self, log: Incidence, takes_part: Bool) -> tuple[Int64, Int64]:
        """Count the weights of all edges without storing one; the few heavy ones are listed."""
        kernel = self._blocks(log, takes_part, 1)
        parts = [
            _count_weights(column, _HISTOGRAM)
            for block in kernel
            for column in (block[2] if self.by_events else block[3],)
        ]
        histogram = np.sum([part[0] for part in parts], axis=0, dtype=np.int64)
        return histogram, np.concatenate([part[1] for part in parts])

    def _scan(self, log: Incidence, takes_part: Bool, min_weight: int) -> Counts:
        blocks = list(self._blocks(log, takes_part, min_weight))
        return tuple(np.concatenate(columns) for columns in zip(*blocks, strict=True))

    def _blocks(self, log: Incidence, takes_part: Bool, min_weight: int):  # type: ignore[no-untyped-def]
        """Yield the edges of block after block of accounts, in order, computed on several threads."""
        n_accounts = len(log.accounts)
        start, position = grouped(log.account, n_accounts)
        bounds = _equal_blocks(start, log.n_shares, _BLOCKS)
        after, before = _next_other(log.object, log.account)

        def run(block: int) -> Counts:
            result: Counts = _rows(
                bounds[block], bounds[block + 1], start, position, log.offsets, log.object, log.account,
                log.time, log.post, after, before, takes_part, self.window_ms, min_weight, self.by_events,
            )  # fmt: skip
            return result

        n_blocks = len(bounds) - 1
        with ThreadPoolExecutor(self.threads) as pool:
            for done, counts in enumerate(pool.map(run, range(n_blocks)), 1):
                self.tell(done / n_blocks)
                yield counts


def _named(progress: Progress | None, trace: str) -> Callable[[float], None]:
    return (lambda done: progress(f"co-shares ({trace})", done)) if progress else (lambda _: None)


def _as_frame(edges: Counts, log: Incidence, trace: str, window: _Window) -> pl.DataFrame:
    source, target, n_events, n_objects, sum_ms, fast, first, last = edges
    chance = chance_of(
        log,
        source=source,
        target=target,
        n_objects=n_objects,
        window_ms=window.window_ms,
        threads=window.threads,
    )
    frame = pl.DataFrame(
        {
            "trace": pl.repeat(trace, len(source), eager=True),
            "source": decode(source, log.accounts),
            "target": decode(target, log.accounts),
            "n_events": n_events,
            "n_objects": n_objects,
            "weight": n_events if window.by_events else n_objects,
            "mean_delta_s": sum_ms / n_events / 1000.0,
            "fast_share": fast / n_events,
            "first_time": pl.Series(first).cast(pl.Datetime("ms", "UTC")),
            "last_time": pl.Series(last).cast(pl.Datetime("ms", "UTC")),
            "n_shared": chance.n_shared,
            "expected": chance.expected,
            "p_value": chance.p_value,
        }
    )
    return EDGES.conform(frame)


def _participation(log: Incidence, paired: Bool, n_accounts: int) -> Int64:
    """Count for each account its shares whose post is in some pair."""
    if log.post.size and log.n_shares:
        in_pair = np.zeros(int(log.post.max()) + 1, np.bool_)
        in_pair[log.post[paired]] = True
        paired = in_pair[log.post]
    counts: Int64 = np.bincount(log.account[paired], minlength=n_accounts)
    return counts


def _objects_per_account(object_: Int32, account: Int32, n_accounts: int) -> Int64:
    return _distinct_objects(object_, account, n_accounts)


def _quantile(histogram: Int64, heavy: Int64, q: float) -> float:
    """Return the q-quantile (R's type 7, linear) of the weights behind a histogram and a list."""
    total = int(histogram.sum()) + heavy.size
    if total == 0:
        return 0.0
    cumulated = np.cumsum(histogram)
    heavy = np.sort(heavy)

    def at(rank: int) -> int:
        below = int(np.searchsorted(cumulated, rank, side="right"))
        return below if below < histogram.size else int(heavy[rank - int(cumulated[-1])])

    place = (total - 1) * q
    low = int(np.floor(place))
    lower, upper = at(low), at(min(low + 1, total - 1))
    return lower + (place - low) * (upper - lower)


def _count_weights(weights: Int64, cap: int) -> tuple[Int64, Int64]:
    light = weights[weights < cap]
    return np.bincount(light, minlength=cap), weights[weights >= cap]


def _equal_blocks(start: Int64, n_shares: int, n_blocks: int) -> Int64:
    cuts = np.searchsorted(start, np.linspace(0, n_shares, n_blocks + 1).astype(np.int64))
    cuts[0], cuts[-1] = 0, start.size - 1
    return np.unique(cuts).astype(np.int64) if start.size > 1 else np.array([0, 0], np.int64)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _distinct_objects(object_: Int32, account: Int32, n_accounts: int) -> Int64:
    last = np.full(n_accounts, -1, np.int32)
    count = np.zeros(n_accounts, np.int64)
    for p in range(object_.size):
        a = account[p]
        if last[a] != object_[p]:
            last[a] = object_[p]
            count[a] += 1
    return count


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _next_other(object_: Int32, account: Int32) -> tuple[Int32, Int32]:
    """Return how far it is to the nearest share after and before that is another account's or object's."""
    n = object_.size
    after = np.ones(n, np.int32)
    before = np.ones(n, np.int32)
    for p in range(1, n):
        if account[p] == account[p - 1] and object_[p] == object_[p - 1]:
            before[p] = before[p - 1] + 1
    for p in range(n - 2, -1, -1):
        if account[p] == account[p + 1] and object_[p] == object_[p + 1]:
            after[p] = after[p + 1] + 1
    return after, before


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _paired(offsets: Int64, object_: Int32, account: Int32, time: Int64, post: Int64, window_ms: int) -> Bool:
    """Mark shares with another account's other post of the same object within the window."""
    after, before = _next_other(object_, account)
    paired = np.zeros(account.size, np.bool_)
    for p in range(account.size):
        end = offsets[object_[p] + 1]
        q = p + after[p]
        while q < end and time[q] - time[p] <= window_ms:
            if account[q] != account[p] and (post.size == 0 or post[q] != post[p]):
                paired[p] = True
                break
            q += after[q] if account[q] == account[p] else 1
        if paired[p]:
            continue
        begin = offsets[object_[p]]
        q = p - before[p]
        while q >= begin and time[p] - time[q] <= window_ms:
            if account[q] != account[p] and (post.size == 0 or post[q] != post[p]):
                paired[p] = True
                break
            q -= before[q] if account[q] == account[p] else 1
    return paired


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _rows(
    first_account: int,
    last_account: int,
    start: Int64,
    position: Int64,
    offsets: Int64,
    object_: Int32,
    account: Int32,
    time: Int64,
    post: Int64,
    after: Int32,
    before: Int32,
    takes_part: Bool,
    window_ms: int,
    min_weight: int,
    by_events: bool,
) -> Counts:
    """Return the edges from each account of the block to accounts of higher code."""
    n_accounts = start.size - 1
    # Only `slot` is as long as the accounts; the counts of one row lie close together behind it.
    slot = np.full(n_accounts, -1, np.int32)
    size = 1024
    neighbour = np.empty(size, np.int32)
    row = np.empty((size, 7), np.int64)  # n_events, n_objects, sum_ms, fast, first, last, latest object
    kept = 0
    out = np.empty((1024, 8), np.int64)
    for a in range(first_account, last_account):
        used = 0
        for k in range(start[a], start[a + 1]):
            p = position[k]
            o = object_[p]
            t = time[p]
            for direction in range(2):
                q = p + after[p] if direction == 0 else p - before[p]
                bound = offsets[o + 1] if direction == 0 else offsets[o]
                while True:
                    if direction == 0:
                        if q >= bound or time[q] - t > window_ms:
                            break
                    elif q < bound or t - time[q] > window_ms:
                        break
                    b = account[q]
                    if b > a and (post.size == 0 or post[p] != post[q]):
                        s = slot[b]
                        if s < 0:
                            if used == size:
                                size *= 4
                                wider = np.empty(size, np.int32)
                                wider[:used] = neighbour
                                neighbour = wider
                                taller = np.empty((size, 7), np.int64)
                                taller[:used] = row
                                row = taller
                            s = used
                            slot[b] = s
                            neighbour[s] = b
                            used += 1
                            row[s, 0] = 0
                            row[s, 1] = 0
                            row[s, 2] = 0
                            row[s, 3] = 0
                            row[s, 4] = t
                            row[s, 5] = t
                            row[s, 6] = -1
                        u = time[q]
                        delta = abs(u - t)
                        row[s, 0] += 1
                        if row[s, 6] != o:
                            row[s, 6] = o
                            row[s, 1] += 1
                        row[s, 2] += delta
                        if delta <= FAST_MS:
                            row[s, 3] += 1
                        row[s, 4] = min(row[s, 4], t, u)
                        row[s, 5] = max(row[s, 5], t, u)
                    if direction == 0:
                        q += after[q] if b == a else 1
                    else:
                        q -= before[q] if b == a else 1
        if used == 0:
            continue
        for s in range(used):
            slot[neighbour[s]] = -1
        order = np.argsort(neighbour[:used])
        for k in range(used):
            s = order[k]
            weight = row[s, 0] if by_events else row[s, 1]
            b = neighbour[s]
            if weight < min_weight or not (takes_part[a] or takes_part[b]):
                continue
            if kept == out.shape[0]:
                longer = np.empty((kept * 2, 8), np.int64)
                longer[:kept] = out
                out = longer
            out[kept, 0] = a
            out[kept, 1] = b
            for c in range(6):
                out[kept, 2 + c] = row[s, c]
            kept += 1
    return (
        out[:kept, 0].copy(), out[:kept, 1].copy(), out[:kept, 2].copy(), out[:kept, 3].copy(),
        out[:kept, 4].copy(), out[:kept, 5].copy(), out[:kept, 6].copy(), out[:kept, 7].copy(),
    )  # fmt: skip
