"""Clusters found again by their members: which of one study go on as which of another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, lgamma

#: A cluster goes on as another where so much of the smaller of the two is in both.
OVERLAP = 0.5
#: From which chance on, times the pairs, members in common say nothing.
LARGEST_P = 0.01
#: By what part a cluster grew that is not said to have stayed.
GROWTH = 0.25


@dataclass(frozen=True)
class Link:
    """A cluster before that goes on as one after.

    Attributes
    ----------
    before, after
        Their ids.
    n_both
        Members of both.
    similarity
        Jaccard similarity of the members, 0..1.
    p_value
        Chance of so many in common, times the pairs.
    """

    before: str
    after: str
    n_both: int
    similarity: float
    p_value: float


def link(
    before: Mapping[str, frozenset[str]], after: Mapping[str, frozenset[str]], /, *, n_accounts: int
) -> list[Link]:
    """Return which clusters go on as which, in the order of their tables.

    Two are linked that have half of the smaller one's members in common, two at least, and more than chance gives
    (hypergeometric over `n_accounts`; after Greene, Doyle & Cunningham 2010, who ask for a Jaccard similarity, by which
    a cluster that doubles is another).
    """
    inside: dict[str, list[str]] = {}
    for name, members in after.items():
        for account in members:
            inside.setdefault(account, []).append(name)
    n_pairs = max(1, len(before) * len(after))
    links = []
    for name, members in before.items():
        common = Counter(other for account in members for other in inside.get(account, ()))
        for other in (other for other in after if common[other] > 1):
            n = common[other]
            sizes = len(members), len(after[other])
            p = min(1.0, n_pairs * chance_in_common(n, *sizes, n_all=max(n_accounts, sum(sizes) - n)))
            if n >= OVERLAP * min(sizes) and p <= LARGEST_P:
                links.append(Link(name, other, n, n / (sum(sizes) - n), p))
    return links


def chance_in_common(n: int, one: int, other: int, /, *, n_all: int) -> float:
    """Return the chance of `n` or more in common of two sets drawn out of `n_all` (hypergeometric)."""

    def log_ways(of: int, taken: int) -> float:
        return lgamma(of + 1) - lgamma(taken + 1) - lgamma(of - taken + 1)

    most = min(one, other)
    least = max(n, one + other - n_all)
    ways = log_ways(n_all, other)
    chances = (
        exp(log_ways(one, k) + log_ways(n_all - one, other - k) - ways) for k in range(least, most + 1)
    )
    return min(1.0, sum(chances))


def changes(links: list[Link], sizes: Mapping[str, tuple[int, int]], /) -> list[str]:
    """Return what each link says: stayed, grew, shrank, split or merged.

    Parameters
    ----------
    links
        As `link` returns them.
    sizes
        Members before and after, by `before` and `after`, joined by a blank.
    """
    n_after, n_before = Counter(one.before for one in links), Counter(one.after for one in links)
    told = []
    for one in links:
        before, after = sizes[f"{one.before} {one.after}"]
        if n_after[one.before] > 1:
            told.append("split")
        elif n_before[one.after] > 1:
            told.append("merged")
        elif after >= (1 + GROWTH) * before:
            told.append("grew")
        else:
            told.append("shrank" if after <= (1 - GROWTH) * before else "stayed")
    return told


def heirs(links: list[Link], /) -> dict[str, str]:
    """Return by a cluster after the one before that it goes on most of all: each once, most members in common first."""
    taken: dict[str, str] = {}
    for one in sorted(links, key=lambda one: (-one.n_both, -one.similarity, one.before, one.after)):
        if one.after not in taken and one.before not in taken.values():
            taken[one.after] = one.before
    return taken
