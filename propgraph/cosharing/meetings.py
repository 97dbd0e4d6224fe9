"""The objects over which two accounts met in a window, kept so that edges can be weighed again without them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numba import njit

from propgraph.cosharing.incidence import Bool, Incidence, Int32, Int64
from propgraph.encoding import grouped


@dataclass(frozen=True)
class Meetings:
    """Over which objects pairs of accounts met, in one trace.

    Attributes
    ----------
    start
        int64[n_pairs + 1]; pair `e` has the meetings `start[e]:start[e + 1]`.
    object
        int32; the object of each.
    n_events
        int64[n_meetings, n_windows]; pairs of their posts of it within each window.
    """

    start: Int64
    object: Int32
    n_events: Int64

    def weights(self, drawn: Bool, /, *, window: int, by_events: bool) -> Int64:
        """Return the weight of each pair over the objects left: events in the window, or objects with any."""
        events = self.n_events[:, window]
        counts = np.where(drawn[self.object], events if by_events else events > 0, 0)
        total = np.concatenate([[0], np.cumsum(counts)])
        found: Int64 = total[self.start[1:]] - total[self.start[:-1]]
        return found


def meetings_of(
    log: Incidence, source: Int64, target: Int64, /, *, windows_ms: Int64, threads: int
) -> Meetings:
    """Return over which objects given pairs of accounts (codes) met within each window (ms, ascending)."""
    start, position = grouped(log.account, len(log.accounts))
    cuts = np.linspace(0, source.size, 4 * threads + 1).astype(np.int64)

    def run(k: int) -> tuple[Int64, Int64, Int64]:
        found: tuple[Int64, Int64, Int64] = _meet(
            source[cuts[k] : cuts[k + 1]], target[cuts[k] : cuts[k + 1]], start, position, log.object, log.time,
            log.post, windows_ms,
        )  # fmt: skip
        return found

    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(run, range(4 * threads)))
    length, object_, events = (np.concatenate(column) for column in zip(*parts, strict=True))
    offsets = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
    return Meetings(offsets, object_.astype(np.int32), events)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _meet(
    source: Int64,
    target: Int64,
    start: Int64,
    position: Int64,
    object_: Int32,
    time: Int64,
    post: Int64,
    windows_ms: Int64,
) -> tuple[Int64, Int64, Int64]:
    """Return the number of meetings of each pair, and object and events of each."""
    n_windows = windows_ms.size
    length = np.zeros(source.size, np.int64)
    found, events = np.empty(1024, np.int64), np.empty((1024, n_windows), np.int64)
    kept = 0
    count = np.zeros(n_windows, np.int64)
    for e in range(source.size):
        i, i_end = start[source[e]], start[source[e] + 1]
        k, k_end = start[target[e]], start[target[e] + 1]
        while i < i_end and k < k_end:
            o = object_[position[i]]
            if o != object_[position[k]]:
                if o < object_[position[k]]:
                    i += 1
                else:
                    k += 1
                continue
            count[:] = 0
            k_stop = k
            while k_stop < k_end and object_[position[k_stop]] == o:
                k_stop += 1
            while i < i_end and object_[position[i]] == o:
                p = position[i]
                for y in range(k, k_stop):
                    q = position[y]
                    if time[q] - time[p] > windows_ms[-1]:
                        break
                    if post.size and post[p] == post[q]:
                        continue
                    for w in range(n_windows):
                        count[w] += abs(time[q] - time[p]) <= windows_ms[w]
                i += 1
            k = k_stop
            if count[-1] == 0:
                continue
            if kept == found.size:
                found = np.concatenate((found, np.empty(kept, np.int64)))
                events = np.concatenate((events, np.empty((kept, n_windows), np.int64)))
            found[kept] = o
            events[kept] = count
            kept += 1
            length[e] += 1
    return length, found[:kept].copy(), events[:kept].copy()
