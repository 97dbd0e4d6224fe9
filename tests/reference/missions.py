"""Quotas, releases and hours, object by object and account by account, out of plain lists."""

from __future__ import annotations

from math import comb, erf, floor, log2, sqrt
from statistics import mean, median


def tail(k, n, p):
    """P(at least k of n)."""
    return sum(comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))


def spike(sets):
    """The surest count of these objects' sets of accounts: count, objects at it, near it, chance, p; or None."""
    counts = [len(one) for one in sets]
    found = []
    for value in sorted(set(counts)):
        reach = max(1, int(0.2 * value))
        at = [one for one in sets if len(one) == value]
        near = [n for n in counts if abs(n - value) <= reach]
        if value < 10 or len(at) < 5:
            continue
        alike = [
            max(len(one & other) for j, other in enumerate(at) if i != j) / value for i, one in enumerate(at)
        ]
        variance = value * (1 - median(alike))
        steady = (
            1.0 if variance <= 0 else erf(0.5 / sqrt(2 * variance)) / erf((reach + 0.5) / sqrt(2 * variance))
        )
        others = max((near.count(n) for n in near if abs(n - value) > 1), default=0) / len(near)
        chance = max(steady, others, 1 / (2 * reach + 1))
        found.append((tail(len(at), len(near), chance), value, len(at), len(near), chance))
    if not found:
        return None
    p, *rest = min(found)
    return (*rest, p)


def tasks(posts, crew, within=600_000):
    """Object to (came, soon, chance) of the tasks of a crew; `posts` are (object, account, ms), at moments apart."""
    first = {}
    for thing, who, ms in sorted(posts, key=lambda post: post[2]):
        first.setdefault(thing, {}).setdefault(who, ms)
    all_of = {thing: sorted(ms for what, _, ms in posts if what == thing) for thing in first}
    later = [(len(ms) - 1, sum(x - ms[0] <= within for x in ms[1:])) for ms in all_of.values() if len(ms) > 1]
    of_log = sum(soon for _, soon in later) / max(1, sum(n for n, _ in later))

    def prior(size):
        size = min(size, max((floor(log2(n)) for n, _ in later), default=0))
        like = [soon / n for n, soon in later if floor(log2(n)) == size]
        return (sum(like) + 4 * of_log) / (len(like) + 4)

    found = {}
    busy = {thing for thing, by in first.items() if len(by.keys() & crew) > 5}

    def habit(who):
        free = [by[who] - all_of[thing][0] for thing, by in first.items() if thing not in busy and who in by]
        free = [delay for delay in free if delay > 0]
        return (sum(delay <= within for delay in free) + 4 * of_log) / (len(free) + 4)

    for thing in busy:
        mine = sorted((ms, who) for who, ms in first[thing].items() if who in crew)
        start, came = mine[0][0], mine[1:]
        others = [ms for who, ms in first[thing].items() if who not in crew and ms >= start]
        public = (sum(ms - start <= within for ms in others) + 4 * prior(floor(log2(len(came))))) / (
            len(others) + 4
        )
        soon = sum(ms - start <= within for ms, _ in came)
        found[thing] = (len(came), soon, max(public, mean(habit(who) for _, who in came)))
    return found


def active_hours(hours):
    """First hour and number of hours of the shortest run that holds nine tenths; ties: most held, then the earliest."""
    runs = []
    for length in range(1, 25):
        for start in range(24 if length < 24 else 1):
            held = sum(hours[(start + i) % 24] for i in range(length))
            if held >= 0.9 - 1e-9:
                runs.append((length, -round(held, 12), start))
    length, _, start = min(runs)
    return start, length
