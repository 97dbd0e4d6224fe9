"""Missions in an order, slowly: sessions, steps and agreement with dictionaries."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations

PAUSE, MOST = 30 * 60 * 1000, 16


def sessions(shares: list[tuple[int, int, int]]) -> list[tuple[int, list[tuple[int, int]]]]:
    """Return (account, [(object, time), ...]) of each session, of shares (account, object, time in ms)."""
    came = {o: min(t for _, other, t in shares if other == o) for _, o, _ in shares}
    found = []
    for account in sorted({a for a, _, _ in shares}):
        own = sorted((t, o) for a, o, t in shares if a == account)
        seen: set[int] = set()
        now: list[tuple[int, int]] = []
        begun = last = None
        for time, object_ in own:
            if last is None or time - last > PAUSE:
                if now:
                    found.append((account, now))
                begun, now = time, []
            last = time
            new = object_ not in seen
            seen.add(object_)
            if new and came[object_] < begun and len(now) < MOST:
                now.append((object_, time))
        if now:
            found.append((account, now))
    return found


def steps(shares: list[tuple[int, int, int]], *, grain: int = 0) -> list[tuple[int, int, int]]:
    """Return (account, before, after) of all pairs of a session of which the times tell the order."""
    return [
        (account, one, other)
        for account, taken in sessions(shares)
        for (one, at), (other, later) in combinations(taken, 2)
        if later > at and later - at >= grain
    ]


def order_of(shares: list[tuple[int, int, int]], members: set[int]) -> dict[str, float] | None:
    """Return the figures of one cluster that need no draws; `shares` are those of everybody."""
    came = {o: min(t for _, other, t in shares if other == o) for _, o, _ in shares}
    taken = [(a, s) for a, s in sessions(shares) if a in members]
    by_pair: dict[tuple[int, int], list[tuple[int, bool]]] = defaultdict(list)
    for account, one, other in steps(shares):
        if account in members:
            by_pair[min(one, other), max(one, other)].append((account, one < other))
    common = {pair: who for pair, who in by_pair.items() if len(who) > 1}
    if not common:
        return None
    agree = of = older = aged = both = sitting = 0
    for (low, high), who in common.items():
        for (_, one), (_, other) in combinations(who, 2):
            agree, of = agree + (one == other), of + 1
        for _, forward in who:
            if came[low] != came[high]:
                aged += 1
                older += forward == (came[low] < came[high])
        for account in members:
            own = [{o for o, _ in s} for a, s in taken if a == account]
            if any(low in s for s in own) and any(high in s for s in own):
                both += 1
                sitting += any({low, high} <= s for s in own)
    return {
        "n_order_pairs": len(common),
        "n_order_accounts": len({a for who in common.values() for a, _ in who}),
        "order_agreement": agree / of,
        "order_by_age": older / aged if aged else None,
        "order_one_sitting": sitting / both,
    }
