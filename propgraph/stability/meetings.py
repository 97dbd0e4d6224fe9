"""The objects over which two accounts met in a window, kept so that edges can be weighed again without them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from propgraph.arrays.encoding import grouped
from propgraph.arrays.holdings import by_hub, longest_list, mark_hub, shared_objects
from propgraph.arrays.incidence import Incidence
from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import Bool, Int32, Int64


@dataclass(frozen=True)
class Meetings:
    """Over which objects pairs of accounts met, in one trace.

    Attributes
    ----------
    pair
        int64[n_pairs]; where the pair of each list stands among those that were asked for.
    start
        int64[n_pairs + 1]; list `k` is `start[k]:start[k + 1]` of the following.
    object
        int32; the object of each.
    n_events
        int64[n_meetings, n_windows]; pairs of their posts of it within each window.
    """

    pair: Int64
    start: Int64
    object: Int32
    n_events: Int64

    def weights(self, drawn: Bool, /, *, window: int, by_events: bool) -> Int64:
        """Return the weight of each pair over the objects left: events in the window, or objects with any."""
        events = self.n_events[:, window]
        counts = np.where(drawn[self.object], events if by_events else events > 0, 0)
        total = np.concatenate([[0], np.cumsum(counts)])
        found = np.empty(self.pair.size, np.int64)
        found[self.pair] = total[self.start[1:]] - total[self.start[:-1]]
        return found


def meetings_of(
    log: Incidence, source: Int64, target: Int64, /, *, windows_ms: Int64, threads: int
) -> Meetings:
    """Return over which objects given pairs of accounts (codes) met within each window (ms, ascending).

    As in `window`, posts whose times are coarser than a window meet those of the same resolution only.
    """
    start, position = grouped(log.account, len(log.accounts))
    listed = log.object[position]
    order, hub, leaf, cuts = by_hub(np.diff(start), source, target, n_parts=4 * threads)

    def run(k: int) -> tuple[Int64, Int64, Int64]:
        found: tuple[Int64, Int64, Int64] = _meet(
            hub[cuts[k] : cuts[k + 1]], leaf[cuts[k] : cuts[k + 1]], start, position, listed, len(log.objects),
            log.time, log.post, log.resolution, windows_ms,
        )  # fmt: skip
        return found

    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(run, range(len(cuts) - 1)))
    none = np.empty(0, np.int64)
    parts.append((none, none, np.empty((0, windows_ms.size), np.int64)))
    length, object_, events = (np.concatenate(column) for column in zip(*parts, strict=True))
    offsets = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
    return Meetings(order, offsets, object_.astype(np.int32), events)


@kernel
def _meet(
    hub: Int64,
    leaf: Int64,
    start: Int64,
    position: Int64,
    listed: Int32,
    n_objects: int,
    time: Int64,
    post: Int64,
    resolution: Int64,
    windows_ms: Int64,
) -> tuple[Int64, Int64, Int64]:
    """Return the number of meetings of each pair, sorted by hub, and object and events of each."""
    n_windows = windows_ms.size
    length = np.zeros(hub.size, np.int64)
    found, events = np.empty(1024, np.int64), np.empty((1024, n_windows), np.int64)
    kept = 0
    count = np.zeros(n_windows, np.int64)
    begin = np.full(n_objects, -1, np.int64)  # where the hub's posts of an object begin in its list
    shared = np.empty((longest_list(start, leaf), 4), np.int64)
    all_count = np.empty(0, np.bool_)
    for e in range(hub.size):
        a = hub[e]
        # At the top `begin` is marked for the hub of the pair before: only a new hub costs a walk over its list.
        if e == 0 or a != hub[e - 1]:
            mark_hub(begin, a, hub[e - 1] if e > 0 else -1, start, listed, all_count)
        # The first `kept` meetings are whole; an object that brings none leaves no trace.
        for k in range(shared_objects(leaf[e], start[a + 1], start, listed, begin, shared)):
            _count_events(shared[k], position, time, post, resolution, windows_ms, count)
            if count[-1] == 0:
                continue
            if kept == found.size:
                found = np.concatenate((found, np.empty(kept, np.int64)))
                events = np.concatenate((events, np.empty((kept, n_windows), np.int64)))
            found[kept] = listed[shared[k, 0]]
            events[kept] = count
            kept += 1
            length[e] += 1
    return length, found[:kept].copy(), events[:kept].copy()


@kernel
def _count_events(
    shared: Int64,
    position: Int64,
    time: Int64,
    post: Int64,
    resolution: Int64,
    windows_ms: Int64,
    count: Int64,
) -> None:
    """Fill `count` with the pairs of two accounts' posts of an object within each window.

    `shared` is the line of `shared_objects`: where the posts of the object begin and end in both lists.
    """
    count[:] = 0
    first, stop = shared[0], shared[1]
    widest = windows_ms[-1]
    for y in range(shared[2], shared[3]):
        q = position[y]
        # Both lists stand in order of time: what lies before the window now does so from here on.
        while first < stop and time[position[first]] < time[q] - widest:
            first += 1
        x = first
        # From `first` on, times only rise: the first post beyond the window ends the walk.
        while x < stop and time[position[x]] - time[q] <= widest:
            p = position[x]
            x += 1
            if post.size and post[p] == post[q]:
                continue
            apart = abs(time[q] - time[p])
            # Posts of another resolution are as far apart as the coarser of the two, at least.
            if resolution.size > 1 and resolution[p] != resolution[q]:
                apart = max(apart, resolution[p], resolution[q])
            # Windows ascend: what lies in one lies in all wider ones, and the last counts them all.
            for w in range(windows_ms.size):
                count[w] += apart <= windows_ms[w]
