"""Slow and obvious twins of `propgraph.cosharing`: plain loops over plain rows, from the definitions.

A row is a tuple `(content_id, account_id, object_id, time in ms)`, and where it matters how fine that time is, in
ms; rows of several traces come as a dict.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import combinations, permutations, product
from math import ceil, exp, factorial, floor, fsum

CONTENT, ACCOUNT, OBJECT, TIME = range(4)
FAST_MS = 10_000


def fineness(row):
    """Return how fine a row's time is, in ms; 0 where nobody knows."""
    return row[4] if len(row) > 4 else 0


def kind(row, window_ms):
    """Return what a row may pair with: all that is fine enough for the window, else what is as coarse as itself."""
    return 0 if fineness(row) <= window_ms else fineness(row)


def pairs_within(rows, window_ms):
    """Return all pairs of rows of one object, two accounts and two posts at most `window_ms` apart.

    A row whose object is one of the two posts itself (the original of reshares) pairs with nobody, and one whose time
    is coarser than the window with none of another fineness.
    """
    return [
        (one, other)
        for one, other in combinations(rows, 2)
        if one[OBJECT] == other[OBJECT]
        and abs(one[TIME] - other[TIME]) <= window_ms
        and one[ACCOUNT] != other[ACCOUNT]
        and one[CONTENT] != other[CONTENT]
        and one[OBJECT] not in (one[CONTENT], other[CONTENT])
        and kind(one, window_ms) == kind(other, window_ms)
    ]


def participating_pairs(rows, window_ms, min_participation):
    """Return the pairs that CooRTweet keeps: participation is asked for before pairing and after it."""
    n_rows = Counter(row[ACCOUNT] for row in rows)
    rows = [row for row in rows if n_rows[row[ACCOUNT]] >= min_participation]
    pairs = pairs_within(rows, window_ms)
    posts = {row[CONTENT] for pair in pairs for row in pair}
    n_paired = Counter(row[ACCOUNT] for row in rows if row[CONTENT] in posts)
    return [pair for pair in pairs if any(n_paired[row[ACCOUNT]] >= min_participation for row in pair)]


def quantile(values, q):
    """Return the q-quantile as R's `quantile(values, q, type = 7)` does, in its own steps."""
    values = sorted(values)
    place = 1 + (len(values) - 1) * q
    low, high = values[floor(place) - 1], values[ceil(place) - 1]
    part = place - floor(place)
    return low if low == high or part == 0 else (1 - part) * low + part * high


def cosharing_edges(
    rows, *, window_ms, min_participation=2, min_edge_weight=2, edge_weight="objects", edge_quantile=0.0
):
    """Return one dict for each edge of one trace, sorted by source and target."""
    events = defaultdict(list)
    for pair in participating_pairs(rows, window_ms, min_participation):
        events[tuple(sorted(row[ACCOUNT] for row in pair))].append(pair)
    edges = [_measured(source, target, pairs) for (source, target), pairs in sorted(events.items())]
    # Whoever has no time that is fine enough can have no fast pair: nobody knows.
    told = {row[ACCOUNT] for row in rows if fineness(row) <= FAST_MS and row[OBJECT] != row[CONTENT]}
    for edge in edges:
        if not {edge["source"], edge["target"]} <= told:
            edge["fast_share"] = None
    for edge in edges:
        edge["weight"] = edge[f"n_{edge_weight}"]
    cut = quantile([edge["weight"] for edge in edges], edge_quantile) if edges and edge_quantile > 0 else 0
    return [edge for edge in edges if edge["weight"] > cut and edge["weight"] >= min_edge_weight]


def shuffled(number):
    """Return the two halves of a number's 64 bits, spread by SplitMix64."""
    whole = 2**64
    number = (number + 0x9E3779B97F4A7C15) % whole
    number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9 % whole
    number = (number ^ number >> 27) * 0x94D049BB133111EB % whole
    number ^= number >> 31
    return number % 2**32, number >> 32


def bursts(group, *, window_ms, burst_cap):
    """Return the bursts of one object's rows, in order of time: those with more than `burst_cap` accounts in their
    windows, cut where the next is beyond the window."""
    found = []
    for row in group:
        near = [other for other in group if abs(other[TIME] - row[TIME]) <= window_ms]
        if len({other[ACCOUNT] for other in near}) > burst_cap:
            if not found or row[TIME] - found[-1][-1][0][TIME] > window_ms:
                found.append([])
            found[-1].append((row, len(near)))
    return found


def pairs_looked_at(rows, *, window_ms, burst_cap, partners, accounts):
    """Return the pairs of rows that are looked at: of two in a burst, those of accounts that were dealt into one of two
    cells, so many cells that a window holds `partners` for each; of all others, every pair. And how many pairs of
    bursts there are, and are looked at."""
    kept, n_in_bursts, n_kept = [], 0, 0
    by_object = defaultdict(list)
    for row in rows:
        by_object[row[OBJECT]].append(row)
    for group in by_object.values():
        group.sort(key=lambda row: (row[TIME], row[ACCOUNT], row[CONTENT]))
        n_cells, burst_of = {}, {}
        for number, burst in enumerate(bursts(group, window_ms=window_ms, burst_cap=burst_cap)):
            crowding = sum(n_near for _, n_near in burst) / len(burst)
            n_cells[number] = next(2**k for k in range(60) if 2**k * partners >= crowding)
            burst_of |= {row: number for row, _ in burst}
        for one, other in combinations(group, 2):
            if other[TIME] - one[TIME] > window_ms:
                continue
            in_burst = one in burst_of and other in burst_of
            deals = zip(*(shuffled(accounts.index(row[ACCOUNT])) for row in (one, other)), strict=True)
            looked_at = in_burst and any(not (a ^ b) % n_cells[burst_of[one]] for a, b in deals)
            n_in_bursts += in_burst
            n_kept += looked_at
            if looked_at or not in_burst:
                kept.append((one, other))
    return kept, n_in_bursts, n_kept


def left(rows, *, window_ms, min_participation, least):
    """Return the rows by which edges of `least` objects or more can come about: in some pair, by accounts with so many
    rows; and then, again and again, by accounts that pair over so many objects, until fewer than a tenth go."""
    n_rows = Counter(row[ACCOUNT] for row in rows)
    rows = [row for row in rows if n_rows[row[ACCOUNT]] >= min_participation and row[OBJECT] != row[CONTENT]]

    def paired(rows):
        found = {row for pair in pairs_within(rows, window_ms) for row in pair}
        return [row for row in rows if row in found]

    rows = paired(rows)
    while least >= 2:
        objects = defaultdict(set)
        for row in rows:
            objects[row[ACCOUNT]].add(row[OBJECT])
        fewer = [row for row in rows if len(objects[row[ACCOUNT]]) >= least]
        n_dropped = len(rows) - len(fewer)
        if n_dropped == 0:
            break
        rows = paired(fewer)
        if n_dropped < 0.1 * len(fewer):
            break
    return rows


def sampled_edges(
    rows,
    *,
    window_ms,
    burst_cap,
    partners,
    min_participation=2,
    min_edge_weight=2,
    edge_weight="objects",
    edge_quantile=0.0,
):
    """Return the edges of accounts of which some pair of rows is looked at, and the pairs in bursts and looked at.

    The quantile is of the weights of such pairs, and raises the minimum.
    """
    options = {"window_ms": window_ms, "min_participation": min_participation, "edge_weight": edge_weight}
    every = cosharing_edges(rows, min_edge_weight=1, **options)
    accounts = sorted({row[ACCOUNT] for row in rows})

    def looked_at(least):
        able = left(rows, window_ms=window_ms, min_participation=min_participation, least=least)
        pairs, *told = pairs_looked_at(
            able, window_ms=window_ms, burst_cap=burst_cap, partners=partners, accounts=accounts
        )
        seen = {
            tuple(sorted((one[ACCOUNT], other[ACCOUNT])))
            for one, other in pairs
            if one[ACCOUNT] != other[ACCOUNT] and one[CONTENT] != other[CONTENT]
        }
        return [edge for edge in every if (edge["source"], edge["target"]) in seen], told

    if edge_quantile > 0:
        weights = [edge["weight"] for edge in looked_at(1)[0]]
        cut = quantile(weights, edge_quantile) if weights else 0
        min_edge_weight = max(min_edge_weight, floor(cut) + 1)
    edges, told = looked_at(1 if edge_weight == "events" else min_edge_weight)
    return [edge for edge in edges if edge["weight"] >= min_edge_weight], *told


def _measured(source, target, pairs):
    deltas = [abs(one[TIME] - other[TIME]) for one, other in pairs]
    fast = [
        max(abs(one[TIME] - other[TIME]), fineness(one), fineness(other)) <= FAST_MS for one, other in pairs
    ]
    times = [row[TIME] for pair in pairs for row in pair]
    return {
        "source": source,
        "target": target,
        "n_events": len(pairs),
        "n_objects": len({one[OBJECT] for one, _ in pairs}),
        "mean_delta_s": sum(deltas) / len(deltas) / 1000,
        "fast_share": sum(fast) / len(fast),
        "first_ms": min(times),
        "last_ms": max(times),
    }


def posts_of(rows, account, object_):
    """Count the rows by which an account shared an object; sharing one's own post as such does not count."""
    return sum(row[ACCOUNT] == account and row[OBJECT] == object_ and row[CONTENT] != object_ for row in rows)


def within_fraction(rows, object_, window_ms):
    """Return the fraction of all pairs of an object's posts, of one kind, that lie within the window."""
    times = [row[TIME] for row in rows if row[OBJECT] == object_ != row[CONTENT]]
    near = [abs(one - other) <= window_ms for one, other in combinations(times, 2)]
    return sum(near) / len(near) if near else 0.0


def chance(rows, source, target, *, window_ms):
    """Return how many objects both accounts shared, and the co-shares expected under permuted times."""
    shared, chances = set(), []
    for object_ in {row[OBJECT] for row in rows}:
        if posts_of(rows, source, object_) and posts_of(rows, target, object_):
            shared.add(object_)
        for one in {kind(row, window_ms) for row in rows}:
            some = [row for row in rows if kind(row, window_ms) == one]
            ways = posts_of(some, source, object_) * posts_of(some, target, object_)
            chances.append(1 - (1 - within_fraction(some, object_, window_ms)) ** ways if ways else 0)
    return len(shared), fsum(chances)


def poisson_tail(n, mean):
    """Return P(X >= n) for a Poisson variable, summed from its terms."""
    return fsum(exp(-mean) * mean**k / factorial(k) for k in range(n, n + 60))


def permuted(rows):
    """Yield the rows under every permutation of the times within each object, all equally likely."""
    by_object = defaultdict(list)
    for row in rows:
        by_object[row[OBJECT]].append(row)
    for times in product(*(permutations([row[TIME] for row in group]) for group in by_object.values())):
        yield [
            (*row[:TIME], time)
            for group, new in zip(by_object.values(), times, strict=True)
            for row, time in zip(group, new, strict=True)
        ]
