"""Who leads, and how constant delays are, meeting by meeting, out of plain lists."""

from __future__ import annotations

from math import comb
from statistics import median


def leader(met, posts):
    """Name, meetings led, meetings, delay (s), expected share and bound of one cluster's leader, or None.

    `met` are the members' posts that met, `posts` all posts, both (object, account, ms).
    """
    meetings = {}
    for thing in {row[0] for row in met}:
        mine = [row for row in met if row[0] == thing]
        start = min(ms for *_, ms in mine)
        first_ms = min(ms for what, _, ms in posts if what == thing and ms >= start - 60_000)
        names = {who for what, who, ms in posts if what == thing and ms == first_ms}
        first = names.pop() if len(names) == 1 else None
        meetings[thing] = (first, first_ms, {who for _, who, _ in mine})
    # The same account at the same time is one act; of several the one at which most met is kept.
    acts = {}
    for thing in sorted(meetings, key=lambda thing: (-len(meetings[thing][2]), thing)):
        first, first_ms, there = meetings[thing]
        acts.setdefault((first, first_ms), there)
    counts = {}
    for first, _ in acts:
        if first is not None:
            counts[first] = counts.get(first, 0) + 1
    if not counts:
        return None
    name = min(counts, key=lambda who: (-counts[who], who))
    inside = any(name in there for there in acts.values())
    chances = [(name in there) / len(there) if inside else 1 / (len(there) + 1) for there in acts.values()]
    n, k, p = len(acts), counts[name], sum(chances) / len(acts)
    tail = sum(comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(k, n + 1))
    n_accounts = len({who for there in acts.values() for who in there})
    delays = []
    for thing, (first, first_ms, there) in meetings.items():
        if first == name:
            delays += [
                min(ms for what, other, ms in met if (what, other) == (thing, who)) - first_ms
                for who in there - {name}
            ]
    return name, k, n, median(delays) / 1000 if delays else None, p, min(1, tail * (n_accounts + 1))


def offset(met, pair, window_ms):
    """Delays (ms) of each object over which two accounts met in the window, the nearest of each."""
    delays = []
    for thing in sorted({row[0] for row in met}):
        one, other = ([ms for what, who, ms in met if (what, who) == (thing, name)] for name in pair)
        near = [b - a for a in one for b in other if abs(b - a) <= window_ms]
        if near:
            delays.append(min(near, key=abs))
    return delays
