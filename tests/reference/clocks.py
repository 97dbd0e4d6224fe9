"""Differences counted one by one, and offsets summed by hand."""

from __future__ import annotations

from collections import defaultdict
from math import comb

MINUTE, QUARTER = 60_000, 900_000


def firsts(rows):
    """Rows of (object, group), in order of time, that stand first of their group, of objects of two groups or more."""
    seen = defaultdict(dict)
    for k, (thing, group) in enumerate(rows):
        if group >= 0:
            seen[thing].setdefault(group, k)
    return sorted(k for by_group in seen.values() if len(by_group) > 1 for k in by_group.values())


def tail(x, n, p):
    """P(X >= x) of a binomial."""
    return sum(comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(x, n + 1))


def peaks(differences, pairs):
    """Offsets (quarters of an hour) with a peak."""
    near, around = defaultdict(list), defaultdict(list)
    for difference, pair in zip(differences, pairs, strict=True):
        quarter = (difference + QUARTER // 2) // QUARTER
        place = near if abs(difference - quarter * QUARTER) <= MINUTE else around
        place[quarter].append(pair)
    part = (2 * MINUTE + 1) / QUARTER
    found = []
    for o in range(-56, 57):
        x, n = len(set(near[o])), len(near[o])
        p = [tail(x, x + len(set(around[o])), part)]
        usual = [len(around[o]) * part / (1 - part)]
        for steps in ((-12, -8, -4, 4, 8, 12), (-3, -2, -1, 1, 2, 3)):
            others = sorted(len(near[o + s]) for s in steps)[:-1]
            distinct = sorted(len(set(near[o + s])) for s in steps)[:-1]
            usual.append(sum(others) / 5)
            p.append(tail(x, x + sum(distinct), 1 / 6))
        if n >= 20 and n >= 3 * max(usual) and 113 * max(p) <= 0.001:
            found.append(o)
    return found


def best_path(counts, cost):
    """The worth of the best path, by trying each."""
    if not counts:
        return 0
    n = len(counts[0])
    worth = [list(counts[0])]
    for day in counts[1:]:
        worth.append(
            [day[o] + max(worth[-1][b] - (cost if b != o else 0) for b in range(n)) for o in range(n)]
        )
    return max(worth[-1])
