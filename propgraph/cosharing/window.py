"""Co-sharing in a sliding time window, account by account: no pair of posts is ever stored.

For each account, each of its shares looks up and down the object's time-sorted list while within the
window and adds into one row of counts; the row's edges that reach the minimum are written out and the
row is cleared. It is Gustavson's sparse product with a window and a threshold: memory is
O(shares + accounts + edges kept), and rows split over threads without locks. Of a burst of very many accounts a
sample is looked at (see `bursts`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl

from propgraph.arrays.encoding import grouped
from propgraph.arrays.grids import fine_times, split
from propgraph.arrays.incidence import Incidence, check_shares, incidence, named, parts_by_trace
from propgraph.arrays.types import Bool, Int64, Progress
from propgraph.cosharing.bursts import NO_BURSTS, bursts_note, crowd_of
from propgraph.cosharing.chance import chance_of
from propgraph.cosharing.choice import settled
from propgraph.cosharing.rows import (
    FAST_MS,
    Counts,
    count_rows,
    distinct_objects,
    mark_paired,
    next_other,
)
from propgraph.errors import check_threads
from propgraph.options import MANY, WindowOptions
from propgraph.readers.taken import takes_frames
from propgraph.schema import EDGES

_HISTOGRAM = 1 << 16
_BLOCKS = 64

_log = logging.getLogger(__name__)


@takes_frames
def cosharing_edges(
    shares: pl.DataFrame,
    /,
    *,
    time_window: float | str | Sequence[float] = WindowOptions.time_window,
    min_participation: int = WindowOptions.min_participation,
    min_edge_weight: int = WindowOptions.min_edge_weight,
    edge_weight: str = WindowOptions.edge_weight,
    edge_quantile: float = WindowOptions.edge_quantile,
    burst_cap: int = WindowOptions.burst_cap,
    threads: int | None = None,
    progress: Progress | None = None,
) -> pl.DataFrame:
    """Return the pairs of accounts that shared the same objects within `time_window` of each other.

    Parameters
    ----------
    shares
        Columns `content_id`, `account_id`, `object_id` (String), `timestamp` (`Datetime`), `time_resolution_s`
        (Float64, s) where it is known, and `trace` (String) where several traces stand in one frame; rows in any
        order.
    time_window
        Seconds; the bound belongs to the window. Sliding, never binned. Posts whose times are coarser than that are
        paired with those of the same resolution only, as if they had shared another object. `"auto"`: chosen from
        all shares here, as `cosharing.choice.choose_window` does. Of several windows the shortest.
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
    burst_cap
        Where more than so many accounts stand around a share, at its object within the window, it is in a burst,
        and of two shares in bursts only an even sample is looked at together (see `bursts`): a pair of accounts
        that met nowhere else may be missing, with no pair of posts looked at. What is reported of pairs is exact, and
        time grows with the shares, not with their square. A warning is logged where it happens. 0 for no bound.
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

    Examples
    --------
    >>> import polars as pl
    >>> import propgraph as pg
    >>> posts = [(f"reader {j * (k + 2) % 101}", k, 86_400 * k + 600 * j) for k in range(12) for j in range(1, 101)]
    >>> posts += [(who, k, 88_400 * k + wait) for k in range(12) for who, wait in (("ana", 301), ("bo", 303))]
    >>> shares = pl.DataFrame(posts, ["account_id", "object_id", "timestamp"], orient="row").with_columns(
    ...     pl.from_epoch("timestamp"),
    ...     pl.format("story {}", "object_id"),
    ...     content_id=pl.format("post {}", pl.int_range(pl.len())),
    ... )
    >>> edges = pg.cosharing_edges(shares, time_window=60)
    >>> edges.select("source", "target", "weight", "mean_delta_s").rows()
    [('ana', 'bo', 12, 2.0)]
    """
    options = WindowOptions(
        time_window=time_window, min_participation=min_participation, min_edge_weight=min_edge_weight,
        edge_weight=edge_weight, edge_quantile=edge_quantile, burst_cap=burst_cap,
    )  # fmt: skip
    threads = check_threads(threads)
    check_shares(shares)
    options, _ = settled(options, dict(parts_by_trace(shares)))
    edges, bursts = edges_and_bursts(shares, options, threads=threads, progress=progress)
    if (note := bursts_note(bursts, burst_cap=burst_cap, time_window=options.seconds)) is not None:
        _log.warning(note)
    return edges


def edges_and_bursts(
    shares: pl.DataFrame,
    options: WindowOptions,
    /,
    *,
    threads: int | None,
    progress: Progress | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the edges as `cosharing_edges` does, and the bursts of which pairs were sampled.

    The second frame has a row a burst, as from `bursts.Crowd.table`.
    """
    n_threads = check_threads(threads)
    window_ms = round(options.seconds * 1000)
    check_shares(shares)
    frames, bursts = [EDGES.empty()], [NO_BURSTS]
    for trace, part in parts_by_trace(shares):
        log = split(incidence(part), limit_ms=window_ms)
        tell = named(progress, f"co-shares ({trace})")
        edges, sampled = edges_of_trace(trace, log, options, threads=n_threads, tell=tell)
        frames.append(edges)
        bursts.append(sampled)
    return pl.concat(frames), pl.concat(bursts)


def edges_of_trace(
    trace: str,
    log: Incidence,
    options: WindowOptions,
    /,
    *,
    threads: int,
    tell: Callable[[float], None] = lambda _: None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the edges of one trace and its bursts, as `edges_and_bursts` does.

    `log` holds its shares as the window pairs them (see `grids.split`).
    """
    window = _Window(
        trace,
        window_ms=round(options.seconds * 1000),
        min_weight=options.min_edge_weight,
        by_events=options.edge_weight == "events",
        burst_cap=options.burst_cap,
        threads=threads,
        tell=tell,
    )
    edges = window.edges(log, options.min_participation, options.edge_quantile)
    return _as_frame(edges, log, window), window.bursts


class _Window:
    """One run of the kernel over one trace."""

    def __init__(
        self,
        trace: str,
        *,
        window_ms: int,
        min_weight: int,
        by_events: bool,
        burst_cap: int,
        threads: int,
        tell: Callable[[float], None],
    ) -> None:
        self.trace, self.window_ms, self.min_weight, self.by_events = trace, window_ms, min_weight, by_events
        self.burst_cap, self.threads, self.tell = burst_cap, threads, tell
        self.bursts = NO_BURSTS

    def edges(self, log: Incidence, min_participation: int, quantile: float) -> Counts:
        """Return (source, target, n_events, n_objects, sum_ms, fast, first, last) of the edges kept."""
        n_accounts = len(log.accounts)
        rows = np.bincount(log.account, minlength=n_accounts) + np.bincount(
            log.own_account, minlength=n_accounts
        )
        log = log.keep(rows[log.account] >= min_participation)
        paired = mark_paired(log.offsets, log.object, log.account, log.time, log.post, self.window_ms)
        takes_part = _participation(log, paired, n_accounts) >= min_participation
        log = log.keep(paired)
        if quantile > 0:
            cut = _quantile(*self._histogram(log, takes_part), quantile)
            self.min_weight = min(max(self.min_weight, int(np.floor(cut)) + 1), MANY)
        log = self._prune(log, n_accounts)
        blocks = list(self._blocks(log, takes_part, self.min_weight))
        return tuple(np.concatenate(columns) for columns in zip(*blocks, strict=True))

    def _prune(self, log: Incidence, n_accounts: int) -> Incidence:
        """Drop accounts that pair on too few objects for any edge, until few are left to drop."""
        if self.by_events or self.min_weight < 2:
            return log
        while True:
            enough = distinct_objects(log.whole_object, log.account, n_accounts) >= self.min_weight
            keep = enough[log.account]
            dropped = log.n_shares - int(keep.sum())
            log = log.keep(keep)
            if dropped == 0:
                return log
            log = log.keep(
                mark_paired(log.offsets, log.object, log.account, log.time, log.post, self.window_ms)
            )
            if dropped < 0.1 * log.n_shares:
                return log

    def _histogram(self, log: Incidence, takes_part: Bool) -> tuple[Int64, Int64]:
        """Count the weights of all edges without storing one; the few heavy ones are listed."""
        histogram, heavy = np.zeros(_HISTOGRAM, np.int64), [np.empty(0, np.int64)]
        for block in self._blocks(log, takes_part, 1):
            weights = block[2] if self.by_events else block[3]
            histogram += np.bincount(weights[weights < _HISTOGRAM], minlength=_HISTOGRAM)
            heavy.append(weights[weights >= _HISTOGRAM])
        return histogram, np.concatenate(heavy)

    def _blocks(self, log: Incidence, takes_part: Bool, min_weight: int) -> Iterator[Counts]:
        """Yield the edges of block after block of accounts, in order, computed on several threads."""
        n_accounts = len(log.accounts)
        start, position = grouped(log.account, n_accounts)
        bounds = _equal_blocks(start, log.n_shares, _BLOCKS)
        after, before = next_other(log.object, log.account)
        fine_time = fine_times(log, limit_ms=FAST_MS)
        crowd = crowd_of(log, window_ms=self.window_ms, burst_cap=self.burst_cap)
        self.bursts = crowd.table(log, self.trace, window_ms=self.window_ms)

        def run(block: int) -> Counts:
            result: Counts = count_rows(
                bounds[block], bounds[block + 1], start, position, log.offsets, log.object, log.whole, log.account,
                log.time, fine_time, log.post, after, before, takes_part, crowd.burst, crowd.cell, crowd.later,
                crowd.earlier, crowd.after, crowd.before, crowd.account, self.window_ms, min_weight, self.by_events,
            )  # fmt: skip
            return result

        n_blocks = len(bounds) - 1
        with ThreadPoolExecutor(self.threads) as pool:
            for done, counts in enumerate(pool.map(run, range(n_blocks)), 1):
                self.tell(done / n_blocks)
                yield counts


def _as_frame(edges: Counts, log: Incidence, window: _Window) -> pl.DataFrame:
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
            "trace": pl.repeat(window.trace, len(source), eager=True),
            "source": log.accounts.gather(pl.Series(source)),
            "target": log.accounts.gather(pl.Series(target)),
            "n_events": n_events,
            "n_objects": n_objects,
            "weight": n_events if window.by_events else n_objects,
            "mean_delta_s": sum_ms / n_events / 1000.0,
            "fast_share": pl.Series(fast / n_events).set(pl.Series(~_some_told(log, source, target)), None),
            "first_time": pl.Series(first).cast(pl.Datetime("ms", "UTC")),
            "last_time": pl.Series(last).cast(pl.Datetime("ms", "UTC")),
            "n_shared": chance.n_shared,
            "expected": chance.expected,
            "p_value": chance.p_value,
        }
    )
    return EDGES.conform(frame)


def _some_told(log: Incidence, source: Int64, target: Int64) -> Bool:
    """Tell whether two accounts have shares whose times can tell what is fast."""
    fine = np.broadcast_to(log.resolution <= FAST_MS, log.account.shape)
    there = np.bincount(log.account[fine], minlength=len(log.accounts)) > 0
    both: Bool = there[source] & there[target]
    return both


def _participation(log: Incidence, paired: Bool, n_accounts: int) -> Int64:
    """Count for each account its shares whose post is in some pair."""
    if log.post.size and log.n_shares:
        in_pair = np.zeros(int(log.post.max()) + 1, np.bool_)
        in_pair[log.post[paired]] = True
        own = log.own_account[np.isin(log.own_post, log.post[paired])]
        paired = in_pair[log.post]
    else:
        own = np.empty(0, np.int32)
    counts: Int64 = np.bincount(log.account[paired], minlength=n_accounts)
    return counts + np.bincount(own, minlength=n_accounts)


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


def _equal_blocks(start: Int64, n_shares: int, n_blocks: int) -> Int64:
    cuts = np.searchsorted(start, np.linspace(0, n_shares, n_blocks + 1).astype(np.int64))
    cuts[0], cuts[-1] = 0, start.size - 1
    return np.unique(cuts).astype(np.int64) if start.size > 1 else np.array([0, 0], np.int64)
