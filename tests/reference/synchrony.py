"""Slow and obvious twin of rank synchrony (`propgraph.cosharing.{gaps,ranks,combine,trials}`), from the definitions.

A row is a tuple `(content_id, account_id, object_id, time in ms)`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cache
from itertools import combinations, permutations, product
from math import fsum, inf, log

from scipy.special import gammaincc
from scipy.stats import binom

CONTENT, ACCOUNT, OBJECT, TIME = range(4)
LARGEST_TIE = 1_000
SESSION_MS = 3_600_000


def by_object(rows):
    """Return the rows of each object, objects in order; the original of a reshare is no reshare."""
    found = defaultdict(list)
    for row in rows:
        if row[OBJECT] != row[CONTENT]:
            found[row[OBJECT]].append(row)
    return dict(sorted(found.items()))


def gap(times, one, other):
    """Return the gap of posts of two of an object's times: the posts not before the first and not after the last,
    less one. So all that are tied with either count."""
    low, high = min(one, other), max(one, other)
    return sum(low <= time <= high for time in times) - 1


@cache
def _gaps(times):
    return [gap(times, one, other) for one, other in combinations(times, 2)]


def gaps(times):
    """Return the gaps of all pairs of posts."""
    return _gaps(tuple(times))


def chance(times, largest):
    """Return the fraction of the pairs of posts with a gap of `largest` or less."""
    found = gaps(times)
    return sum(g <= largest for g in found) / len(found)


def least(times):
    """Return the smallest chance that two posts can have; 2 where there are no two posts."""
    return chance(times, min(gaps(times))) if len(times) > 1 else 2.0


def limit(times, tau, neighbours):
    """Return the largest gap that is looked at for candidates."""
    if least(times) > tau:
        return 0
    cap = max(neighbours, min(2 * max(Counter(times).values()), LARGEST_TIE))
    return max((g for g in range(1, min(cap, len(times) - 1) + 1) if chance(times, g) <= tau), default=0)


def combined(k, total, tau):
    """Return the tail of the truncated product: how many count is binomial, the sum of their logarithms gamma."""
    if total <= 0:
        return 1.0
    return fsum(binom.pmf(j, k, tau) * gammaincc(j, total) for j in range(1, k + 1))


def sits(rows, pair):
    """Return which of the two (0, 1) has more shares; of equals, whose name sorts last."""
    n_shares = Counter(row[ACCOUNT] for group in by_object(rows).values() for row in group)
    return max((0, 1), key=lambda side: (n_shares[pair[side]], pair[side]))


def measure(rows, pair, tau):
    """Return n_tested, n_near, closest_ms (-1: none) and the p-value of a pair of accounts."""
    n_near = 0
    closest, total, met, n_tested = inf, 0.0, set(), 0
    sitter, sessions = sits(rows, pair), set()
    for group in by_object(rows).values():
        times = [row[TIME] for row in group]
        sides = [[row for row in group if row[ACCOUNT] == account] for account in pair]
        ways = len(sides[0]) * len(sides[1])
        if not ways or ways * least(times) > tau:
            continue
        n_tested += 1
        hour = min(row[TIME] for row in sides[sitter]) // SESSION_MS
        counts = hour not in sessions
        sessions.add(hour)
        gap_of = {both: gap(times, both[0][TIME], both[1][TIME]) for both in product(*sides)}
        shortest = min(gap_of.values())
        value = ways * chance(times, shortest)
        if value > tau:
            continue
        apart = [abs(one[TIME] - other[TIME]) for one, other in gap_of if one[CONTENT] != other[CONTENT]]
        closest = min([closest, *apart])
        meetings = [both for both, g in gap_of.items() if g == shortest]
        posts = {row[CONTENT] for both in meetings for row in both}
        if not posts & met and all(one[CONTENT] != other[CONTENT] for one, other in meetings):
            n_near += 1
            total += log(tau / value) if counts else 0
        met |= posts
    p_value = combined(len(sessions), total, tau)
    return n_tested, n_near, -1 if closest == inf else closest, p_value


def near_pairs(rows, tau, neighbours):
    """Return the pairs of accounts within the limit of two objects or more, sorted."""
    objects = defaultdict(set)
    for name, group in by_object(rows).items():
        times = [row[TIME] for row in group]
        reach = limit(times, tau, neighbours)
        for one, other in combinations(group, 2):
            if reach and one[ACCOUNT] != other[ACCOUNT] and gap(times, one[TIME], other[TIME]) <= reach:
                objects[tuple(sorted((one[ACCOUNT], other[ACCOUNT])))].add(name)
    return sorted(pair for pair, near in objects.items() if len(near) >= 2)


def tested_pairs(rows, tau):
    """Return the pairs of accounts that share two objects or more in which some two posts can be near."""
    shared = Counter()
    for group in by_object(rows).values():
        if least([row[TIME] for row in group]) <= tau:
            shared.update(combinations(sorted({row[ACCOUNT] for row in group}), 2))
    return [pair for pair, n in shared.items() if n >= 2]


def q_values(p_values, n_tests):
    """Return for each test the least rate at which Benjamini and Hochberg's procedure discovers it."""
    ordered = sorted(p_values)
    found = []
    for p in p_values:
        # At rate q the k smallest are discovered, k the largest with p_(k) <= k q / m; so q is at least m p_(k) / k.
        rates = [n_tests * ordered[k - 1] / k for k in range(1, len(ordered) + 1) if ordered[k - 1] >= p]
        found.append(min(1.0, *rates))
    return found


def dealt(rows, *, object_):
    """Yield the rows under each way to deal an object's accounts to its posts, all equally likely."""
    places = [k for k, row in enumerate(rows) if row[OBJECT] == object_]
    accounts = [rows[k][ACCOUNT] for k in places]
    for dealing in sorted(set(permutations(accounts))):
        new = list(rows)
        for k, account in zip(places, dealing, strict=True):
            new[k] = (rows[k][CONTENT], account, *rows[k][OBJECT:])
        yield new
