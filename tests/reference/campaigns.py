"""Gatherings, and sessions at one time of day, as their definitions say."""

from __future__ import annotations

DAY_MS = 86_400_000


def gather(rows, spread):
    """Return `object, start, end, n` of the gatherings of one cluster out of its rows `object, time, account`."""
    found = []
    for one in sorted({row[0] for row in rows}):
        left = sorted((time, account) for object_, time, account in rows if object_ == one)
        while left:
            start = left[0][0]
            here = [row for row in left if row[0] - start <= spread]
            n = len({account for _, account in here})
            if n > 1:
                found.append((one, start, here[-1][0], n))
                left = left[len(here) :]
            else:
                left = left[1:]
    return found


def alike(mine, other, reach):
    """Return how many sessions `start, end` of other days, moved by whole days, come within reach of the other."""
    return sum(
        any(
            other[0] - (end + k * DAY_MS) <= reach and start + k * DAY_MS - other[1] <= reach
            for k in range(-40, 41)
        )
        for start, end in mine
        if max(other[0] - end, start - other[1]) > DAY_MS // 2
    )
