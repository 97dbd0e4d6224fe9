"""Time resolution: posts of unlike resolution are told apart before anything compares their times.

Posts of a file in whole hours all lie on the hour, and so stand near each other whatever their accounts do. They are
compared with each other only: an object's posts of another resolution count as another object's. Where all times are
fine enough for the question, posts of an object are compared together, as the coarsest of them allow.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from propgraph.arrays.encoding import group_offsets
from propgraph.arrays.incidence import Incidence
from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import Int64

#: In order of time, posts are compared with each other up to this resolution (ms): coarser ones only with their like.
TOGETHER_MS = 10_000
_NEARLY_ALL = 0.99
_DAY_MS, _HOUR_MS = 86_400_000, 3_600_000
_PICKS = 5


def kinds_of(log: Incidence, /, *, limit_ms: int) -> Int64:
    """Return what each post may be compared with: 0 up to a resolution of `limit_ms`, else its own (ms)."""
    return np.where(log.resolution <= limit_ms, 0, log.resolution)


def split(log: Incidence, /, *, limit_ms: int) -> Incidence:
    """Return a log in which posts of an object that must not be compared count as those of several objects.

    Parameters
    ----------
    log
        All shares of a trace.
    limit_ms
        Posts whose times are as fine as that (ms), or finer, are compared with each other.

    Returns
    -------
    Incidence
        The log itself where all posts are of one kind; else its objects' parts, in order, `whole` telling of which
        object.
    """
    kind = kinds_of(log, limit_ms=limit_ms)
    names, number = np.unique(kind, return_inverse=True)
    if names.size < 2:
        return log
    key = log.object.astype(np.int64) * names.size + number
    order = np.argsort(key, kind="stable")
    key = key[order]
    fresh = np.concatenate([[True], key[1:] != key[:-1]])
    whole = (key[fresh] // names.size).astype(np.int32)
    part = (np.cumsum(fresh) - 1).astype(np.int32)
    return replace(
        log, objects=log.objects.gather(pl.Series(whole)), offsets=group_offsets(part, whole.size),
        account=log.account[order], object=part, time=log.time[order], row=log.row[order],
        post=log.post[order] if log.post.size else log.post, resolution=log.resolution[order], whole=whole,
    )  # fmt: skip


def kinds(log: Incidence, /, *, limit_ms: int) -> list[Incidence]:
    """Return the posts of each kind that may be compared with each other, the finest first; see `split`."""
    kind = kinds_of(log, limit_ms=limit_ms)
    return [log.keep(kind == one) if kind.size > 1 else log for one in np.unique(kind)]


def steps_of(log: Incidence, /) -> Int64:
    """Return how fine the coarsest time of each object is (ms); 0 where nobody knows, or there is no post."""
    steps = np.zeros(log.offsets.size - 1, np.int64)
    if log.resolution.size == 1:
        steps[:] = log.resolution
    else:
        there = np.flatnonzero(np.diff(log.offsets))
        if there.size:
            steps[there] = np.maximum.reduceat(log.resolution, log.offsets[there])
    return steps


def common_times(log: Incidence, /, *, limit_ms: int) -> Int64:
    """Return times (ms) by which the posts of each object can be compared with each other.

    Of an object whose times are not equally fine they are cut to the coarsest. Times coarser than `limit_ms` are
    brought to the nearest multiple of their step, since the days of two zones begin at different hours. Where all
    are alike they stand as they are.

    Parameters
    ----------
    log
        Shares of a trace, posts of an object of one kind (see `split`).
    limit_ms
        As for `split`.
    """
    if log.resolution.size == 1:
        step = int(log.resolution[0])
        if step <= limit_ms or _on_one_grid(log.time, step):
            return log.time
        return (log.time + step // 2) // step * step
    found: Int64 = _common(log.offsets, log.time, log.resolution, limit_ms)
    return found


def _on_one_grid(time: Int64, step: int) -> bool:
    """Tell whether nearly all times (ms) are multiples of a step from one start, days an hour earlier in summer."""
    after = time % step
    away = (0, _HOUR_MS, step - _HOUR_MS) if step % _DAY_MS == 0 else (0,)
    for start in (
        np.unique(after[np.linspace(0, after.size - 1, _PICKS).astype(np.int64)]) if after.size else ()
    ):
        on = np.isin((after - start) % step, away)
        if np.count_nonzero(on) >= _NEARLY_ALL * after.size:
            return True
    return after.size == 0


def fine_times(log: Incidence, /, *, limit_ms: int) -> Int64:
    """Return times (ms) of which two lie within `limit_ms` only if both are as fine as that; the others lie far off."""
    coarse = log.resolution > limit_ms
    if not coarse.any():
        return log.time
    far = np.iinfo(np.int64).min // 2 + 2 * (limit_ms + 1) * np.arange(log.n_shares, dtype=np.int64)
    return np.where(coarse, far, log.time)


@kernel
def _common(offsets: Int64, time: Int64, resolution: Int64, limit_ms: int) -> Int64:
    common = time.copy()
    for o in range(offsets.size - 1):
        # An object that `keep` left without posts has no coarsest.
        begin, end = offsets[o], offsets[o + 1]
        if begin == end:
            continue
        least, step = resolution[begin], resolution[begin]
        # The coarsest of an object's posts says how fine all of them can be compared, so it is found first.
        for p in range(begin + 1, end):
            least, step = min(least, resolution[p]), max(step, resolution[p])
        # Coarser than the limit: to the nearest step, for the days of two zones begin at different hours. Else cut down
        # to the step, and left alone where all posts are as fine.
        for p in range(begin, end):
            if step > limit_ms:
                common[p] = (time[p] + step // 2) // step * step
            elif least < step:
                common[p] = time[p] // step * step
    return common
