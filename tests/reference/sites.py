"""Slow and obvious twins of `propgraph.sites.first_sharers` and `shared`: lists and dictionaries.

A row is a tuple `(site, url, account, time)`.
"""

from __future__ import annotations

from itertools import combinations, product
from math import comb, prod


def first_sharers(rows, most=10):
    """Return by site and account at how many URLs it is first, and the chance that it is at half of its URLs or more.

    Between the two stand those for which that is so.
    """
    firsts, chances = {}, {}
    for site, url in sorted({row[:2] for row in rows}):
        earliest = {}
        for _, _, account, time in [row for row in rows if row[:2] == (site, url)]:
            earliest[account] = min(time, earliest.get(account, time))
        order = sorted(earliest.values())
        limit = order[min(most, -(-len(order) // 2)) - 1]
        first = {account for account, time in earliest.items() if time <= limit}
        for account in earliest:
            firsts.setdefault((site, account), []).append(account in first)
            chances.setdefault((site, account), []).append(len(first) / len(earliest))
    n_first = {key: sum(told) for key, told in firsts.items()}
    mostly = {key for key, told in firsts.items() if 2 * sum(told) >= len(told)}
    return n_first, mostly, {key: at_least(some, -(-len(some) // 2)) for key, some in chances.items()}


def at_least(chances, least):
    """Return the probability of so many or more of independent events, by going through all that can happen."""
    total = 0.0
    for what in product((False, True), repeat=len(chances)):
        if sum(what) >= least:
            total += prod(p if happens else 1 - p for p, happens in zip(chances, what, strict=True))
    return total


def by_order(rows, one, other, most=10):
    """Return how many accounts are first at both sites, how many share both, and how many would be first by chance."""
    n_first, mostly, chance = first_sharers(rows, most)
    both = {a for s, a in n_first if s == one} & {a for s, a in n_first if s == other}
    n = sum((one, a) in mostly and (other, a) in mostly for a in both)
    return n, len(both), sum(chance[one, a] * chance[other, a] for a in both)


def tail_of_binomial(k, n, p):
    """Return P(X >= k)."""
    return sum(comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(k, n + 1))


def pairs_with(rows, least_first, least_shared, most=10):
    """Return the pairs of sites with so many first sharers each and so many in common."""
    _, mostly, _ = first_sharers(rows, most)
    first = {}
    for site, account in mostly:
        first.setdefault(site, set()).add(account)
    some = sorted(site for site in first if len(first[site]) >= least_first)
    return {
        (a, b): len(first[a] & first[b])
        for a, b in combinations(some, 2)
        if len(first[a] & first[b]) >= least_shared
    }
