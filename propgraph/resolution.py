"""How fine times are: the coarsest grid on which nearly all times of a file lie, found file by file.

A grid is a step and a phase: whole hours, quarters of an hour, days of some zone, steps of 10,000 s as a
spreadsheet leaves them. Steps that people use are tried first; any other is found by the greatest common divisor.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from propgraph.arrays.types import Bool, Int64

#: Fewer posts than that may well stand at whole minutes by chance, or be few acts of one tool.
ENOUGH_POSTS = 50
_NEARLY_ALL = 0.99
#: Steps with a name of their own; nearly all of enough posts on one of these is enough.
NAMED_MS = (1000, 60_000, 3_600_000, 86_400_000)
#: Steps that people and spreadsheets round to, the finest first.
STEPS_MS = (
    *NAMED_MS, *(1000 * s for s in (2, 5, 10, 15, 20, 30)), *(60_000 * m for m in (2, 5, 10, 15, 20, 30)),
    *(3_600_000 * h for h in (2, 3, 4, 6, 8, 12)), *(1000 * 10**k for k in (2, 3, 4, 5)),
)  # fmt: skip
# Clocks of the world differ by whole quarters of an hour, so a whole day or hour of one of them ends there.
QUARTER_MS, HOUR_MS, DAY_MS = 900_000, 3_600_000, 86_400_000
_SUMMER = HOUR_MS // QUARTER_MS
#: -log2 of the chance that times are all of a step though they are as fine as the unit below: one in a million.
SURE_BITS = 20.0
# Times drawn for a common divisor, and how often: one in a hundred may lie elsewhere.
_DRAWN, _DRAWS = 32, 8
_FINEST_MS = 1


def resolution_of(times: Int64, /, *, known_s: float | None = None) -> float | None:
    """Return the coarsest step of which nearly all times are multiples, from some common start.

    Parameters
    ----------
    times
        int64, sorted; milliseconds since 1970, one a post.
    known_s
        A step (s) of which they are known to be multiples, from other files of the kind.

    Returns
    -------
    float or None
        Seconds. Of 50 posts or more 99 % have to lie on the grid, of fewer all. A step counts where times that
        are whole days, hours, minutes or seconds, the coarsest of these that was found, would all stand on it once
        in a million; with posts enough they count in any case. Steps above 15 minutes may begin at any quarter of an
        hour, and days an hour earlier in summer. None where few posts cannot tell of more than whole seconds.
    """
    if not times.size:
        return known_s
    few = times.size < ENOUGH_POSTS
    free = NAMED_MS[:1] if few else NAMED_MS
    starts = np.flatnonzero(np.concatenate([[True], times[1:] != times[:-1]]))
    values, counts = times[starts], np.diff(np.append(starts, times.size))
    least = times.size if few else _NEARLY_ALL * times.size
    found = usual = _in_ms(known_s)
    off: list[int] = []
    for step in sorted(STEPS_MS):
        if step <= found or any(_is_part(other, step) for other in off):
            continue
        on = on_grid(values, step)
        if counts[on].sum() < least:
            off.append(step)
        elif step in free or bits(int(on.sum()), step, usual) >= SURE_BITS:
            found = step
            usual = step if step in NAMED_MS else usual
    found = max(found, _any_step(times, values, counts, finer=usual, least=least))
    return known_s if few and found <= max(_in_ms(known_s), NAMED_MS[0]) else found / 1000


def _in_ms(step_s: float | None) -> int:
    return max(round((step_s or 0.0) * 1000), _FINEST_MS)


def on_grid(values: Int64, step: int, /) -> Bool:
    """Mark the times (ms) that are multiples of a step (ms), in the zone where most of them are."""
    after = values % step
    if not _has_zones(step):
        return np.asarray(after == 0)
    quarter = np.where(after % QUARTER_MS == 0, after // QUARTER_MS, -1)
    by_offset = np.bincount(quarter[quarter >= 0], minlength=step // QUARTER_MS)
    if not _has_summer(step):
        return np.asarray(quarter == int(by_offset.argmax()))
    # In summer the clock is an hour ahead: the same midnight an hour earlier.
    best = int((by_offset + np.roll(by_offset, _SUMMER)).argmax())
    return np.isin(quarter, [best, (best - _SUMMER) % by_offset.size])


def _is_part(finer: int, step: int) -> bool:
    """Tell whether all grids of a step (ms) lie on one of a finer step."""
    starts = HOUR_MS if _has_summer(step) else QUARTER_MS if _has_zones(step) else step
    return step % finer == 0 and (starts % finer == 0 or (_has_zones(finer) and finer <= HOUR_MS))


def _has_zones(step: int) -> bool:
    """Tell whether a step (ms) may begin at any quarter of an hour."""
    return step > QUARTER_MS and step % QUARTER_MS == 0


def _has_summer(step: int) -> bool:
    """Tell whether a step (ms) begins an hour earlier in summer: one of days."""
    return step % DAY_MS == 0


def bits(n: int | Int64, step: int, finer: int, /) -> float | npt.NDArray[np.floating]:
    """Return -log2 of the chance that `n` distinct times, multiples of `finer` (ms), all are of `step`, too."""
    starts = step // QUARTER_MS if _has_zones(step) else 1
    part = step / (1 + _has_summer(step)) / (finer / (1 + _has_summer(finer)))
    return n * math.log2(part) - math.log2(starts)


def _any_step(times: Int64, values: Int64, counts: Int64, *, finer: int, least: float) -> int:
    """Return the largest step, whatever it be, with any start, of which nearly all times are multiples; 0: none."""
    draws = np.random.default_rng(0)
    drawn = [times[draws.integers(0, times.size, min(_DRAWN, 4 * times.size))] for _ in range(_DRAWS)]
    steps = {(int(np.gcd.reduce(some - some[0])), int(some[0])) for some in drawn}
    for step, start in sorted(steps, reverse=True):
        if step > finer:
            on = (values - start) % step == 0
            # Start and step are fitted to the times: two of them say nothing.
            if counts[on].sum() >= least and bits(int(on.sum()) - 2, step, finer) >= SURE_BITS:
                return step
    return 0


def resolutions_of(groups: Sequence[tuple[Hashable, Int64]], /) -> list[float | None]:
    """Return how fine the times of each group of posts are (s), None where nothing can tell.

    A group of fewer than 50 posts is judged with the others of its kind: it is as coarse as the small ones of the
    kind are together, or as any other group of the kind on whose grid it lies; coarser still where its own times
    leave no doubt.

    Parameters
    ----------
    groups
        For each its kind (what was written by the same program in the same way), and its times as for
        `resolution_of`.
    """
    found = [resolution_of(times) if times.size >= ENOUGH_POSTS else None for _, times in groups]
    small: dict[Hashable, list[int]] = {}
    for k, (kind, times) in enumerate(groups):
        if times.size < ENOUGH_POSTS:
            small.setdefault(kind, []).append(k)
    for kind, places in small.items():
        others = [one for one, (other, _) in zip(found, groups, strict=True) if other == kind]
        together = np.sort(np.concatenate([groups[k][1] for k in places]))
        pooled = resolution_of(together)
        steps = sorted({step for step in (*others, pooled) if step is not None})
        for k in places:
            found[k] = _of_few(groups[k][1], pooled, steps)
    return found


def _of_few(times: Int64, pooled: float | None, steps: Iterable[float]) -> float | None:
    known = [step for step in steps if on_grid(times, _in_ms(step)).all()]
    own = resolution_of(times, known_s=pooled if pooled in known else None)
    return max([*known, *([] if own is None else [own])], default=None)
