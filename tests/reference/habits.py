"""Slow and obvious twin of `propgraph.synchrony.{habits,weighed,halves}`: from the definitions, post by post.

A row is a tuple `(content_id, account_id, object_id, time in ms)`, and no two of a log are the same.
"""

from __future__ import annotations

from itertools import product
from math import log

from reference import standing as slow_standing
from reference import synchrony as slow

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
PLACES = (0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.25, 0.4, 0.55, 0.7, 0.85)
SIZES = (24, 7, 12)  # hours, days, places
REACH = (2, 1, 1)  # for how many to either side a session speaks
PRIOR = 4


def ordered(rows):
    """Return the posts of each object in order: by time, account, post."""
    return {
        name: sorted(posts, key=lambda r: (r[3], r[1], r[0])) for name, posts in slow.by_object(rows).items()
    }


def kinds(rows):
    """Return `{row: (hour, day, place)}`, the days as since 1970."""
    found = {}
    for posts in ordered(rows).values():
        for k, row in enumerate(posts):
            place = sum(k + 0.5 > bound * len(posts) for bound in PLACES)
            found[row] = (row[3] // HOUR_MS % 24, row[3] // DAY_MS % 7, place)
    return found


def usual(kind):
    """Return three lists: the part of all shares that each hour, day and place has."""
    return [
        [sum(marks[part] == k for marks in kind.values()) / len(kind) for k in range(SIZES[part])]
        for part in range(3)
    ]


def session(row):
    """Return the clock hour."""
    return row[3] // HOUR_MS


def votes(rows, account, kind):
    """Return `{session: kind of its first post}`, first by object and time."""
    found = {}
    for posts in ordered(rows).values():
        for row in posts:
            if row[1] == account:
                found.setdefault(session(row), kind[row])
    return found


def spread(counts, reach, *, circular):
    """Return counts smoothed by a tent, as many in all as before."""
    n = len(counts)
    found = [0.0] * n
    for i, count in enumerate(counts):
        for step in range(-reach, reach + 1):
            k = (i + step) % n if circular else i + step
            if 0 <= k < n:
                found[k] += count * (reach + 1 - abs(step)) / (reach + 1)
    total = sum(found)
    return [value * sum(counts) / total for value in found] if total else found


def weights(rows, account, name):
    """Return the weight of each row for an account that draws its post of object `name`."""
    kind = kinds(rows)
    everybody = usual(kind)
    left_out = {session(row) for row in rows if row[1] == account and row[2] == name and row in kind}
    own = [marks for hour, marks in votes(rows, account, kind).items() if hour not in left_out]
    parts = []
    for part, (size, reach) in enumerate(zip(SIZES, REACH, strict=True)):
        counts = [sum(marks[part] == k for marks in own) for k in range(size)]
        smooth = spread(counts, reach, circular=part < 2)
        parts.append(
            [
                (smooth[k] + PRIOR * everybody[part][k]) / (len(own) + PRIOR) / everybody[part][k]
                if everybody[part][k]
                else 1.0
                for k in range(size)
            ]
        )
    return {row: parts[0][h] * parts[1][d] * parts[2][p] for row, (h, d, p) in kind.items()}


def weighted(posts, one, other, largest, *, ties=False):
    """Return P(gap <= largest) of two accounts that draw different posts with the weights `one` and `other`.

    By how many places they are apart; with `ties`, by the gap that counts all tied with either.
    """
    times = [row[3] for row in posts]
    near = total = 0.0
    for i, j in product(range(len(posts)), repeat=2):
        if i != j:
            both = one[posts[i]] * other[posts[j]]
            total += both
            apart = slow.gap(times, times[i], times[j]) if ties else abs(i - j)
            near += both if apart <= largest else 0
    return near / total if total else 1.0


def p_habits(rows, pair, tau):
    """Return the p-value of a pair under the null with habits; as `synchrony.measure`, but for the chances."""
    total, met = 0.0, set()
    sitter, sessions = slow.sits(rows, pair), set()
    for name, posts in ordered(rows).items():
        times = [row[3] for row in posts]
        sides = [[row for row in posts if row[1] == account] for account in pair]
        ways = len(sides[0]) * len(sides[1])
        if not ways or ways * slow.least(times) > tau:
            continue
        hour = session(sides[sitter][0])
        counts = hour not in sessions
        sessions.add(hour)
        gap_of = {both: slow.gap(times, both[0][3], both[1][3]) for both in product(*sides)}
        shortest = min(gap_of.values())
        if ways * slow.chance(times, shortest) > tau:
            continue
        meetings = [both for both, gap in gap_of.items() if gap == shortest]
        seen = {row[0] for both in meetings for row in both}
        fresh = not seen & met and all(one[0] != other[0] for one, other in meetings)
        met |= seen
        if fresh and counts:
            one, other = (weights(rows, account, name) for account in pair)
            value = ways * weighted(posts, one, other, shortest)
            total += max(log(tau / value), 0.0)
    return slow.combined(len(sessions), total, tau)


def standing(rows, account, members, tau, counts=None, fellows=1):
    """Return ln P of an account near a group by the deal and with habits; only objects among `counts`, if given.

    Of the group's m posts of an object the k-th nearest counts, k the whole root of m, `fellows` at most.
    """
    held = set(members) - {account}
    sessions, by_deal, by_habit = set(), 0.0, 0.0
    for name, posts in ordered(rows).items():
        place = slow_standing.placed(posts, account, held, tau, fellows)
        if place is None or (counts is not None and name not in counts):
            continue
        hour, value = place
        fresh = hour not in sessions
        sessions.add(hour)
        if not fresh or value > tau:
            continue
        by_deal += log(tau / value)
        own = [row for row in posts if row[1] == account]
        free = [row for row in posts if row[1] not in held]
        gaps = {
            row: slow_standing.gap_to(posts, row, [other for other in posts if other[1] in held], fellows)
            for row in free
        }
        weight = weights(rows, account, name)
        best = min(gaps[row] for row in own)
        near = sum(weight[row] for row in free if gaps[row] <= best)
        chance = len(own) * near / sum(weight[row] for row in free)
        by_habit += max(log(tau / chance), 0.0)
    return tuple(slow_standing.tail(len(sessions), total, tau) for total in (by_deal, by_habit))


def usable(rows, account, side, bits):
    """Return the rows of an account that count in a split: their session lies on their object's side.

    `side` and `bits` are of objects; a session lies on the side of its object with the least bits.
    """
    mine = [row for posts in ordered(rows).values() for row in posts if row[1] == account]
    lies = {}
    for row in mine:
        of_session = [
            side[other[2]]
            for other in sorted(mine, key=lambda r: bits[r[2]])
            if session(other) == session(row)
        ]
        lies[row] = of_session[0]
    return [row for row in mine if lies[row] == side[row[2]]]


def half_p(rows, pair, tau, counted):
    """Return how many objects of a half a pair is near over, and its p-value there.

    `counted` are the rows of either account that count there. Gaps, chances and ties are those of the whole log, and
    so is whether two posts met before; a session serves with its first object that counts.
    """
    total, met, near = 0.0, set(), 0
    sitter, sessions = slow.sits(rows, pair), set()
    for posts in ordered(rows).values():
        times = [row[3] for row in posts]
        sides = [[row for row in posts if row[1] == account] for account in pair]
        ways = len(sides[0]) * len(sides[1])
        if not ways or ways * slow.least(times) > tau:
            continue
        gap_of = {both: slow.gap(times, both[0][3], both[1][3]) for both in product(*sides)}
        shortest = min(gap_of.values())
        value = ways * slow.chance(times, shortest)
        fresh = False
        if value <= tau:
            meetings = [both for both, gap in gap_of.items() if gap == shortest]
            seen = {row[0] for both in meetings for row in both}
            fresh = not seen & met and all(one[0] != other[0] for one, other in meetings)
            met |= seen
        if not all(mine[0] in counted for mine in sides):
            continue
        hour = session(sides[sitter][0])
        if hour in sessions:
            continue
        sessions.add(hour)
        near += fresh
        total += log(tau / value) if fresh else 0.0
    return near, slow.combined(len(sessions), total, tau)
