"""Clusters found again by their members: which of one study go on as which of another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from propgraph.arrays.p_values import hypergeometric_tail

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
    n_before, n_after, n_both
        Members of each, and of both.
    similarity
        Jaccard similarity of the members, 0..1.
    p_value
        Chance of so many in common, times the pairs.
    """

    before: str
    after: str
    n_before: int
    n_after: int
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
            if n < OVERLAP * min(sizes):
                continue
            n_all = max(n_accounts, sum(sizes) - n)
            [chance] = hypergeometric_tail(*np.array([[n], [sizes[0]], [sizes[1]]]), n_all=n_all)
            p = min(1.0, n_pairs * float(chance))
            if p <= LARGEST_P:
                links.append(Link(name, other, *sizes, n, n / (sum(sizes) - n), p))
    return links


def changes(links: list[Link], /) -> list[str]:
    """Return what each link says: stayed, grew, shrank, split or merged."""
    n_after, n_before = Counter(one.before for one in links), Counter(one.after for one in links)
    told = []
    for one in links:
        if n_after[one.before] > 1:
            told.append("split")
        elif n_before[one.after] > 1:
            told.append("merged")
        elif one.n_after >= (1 + GROWTH) * one.n_before:
            told.append("grew")
        else:
            told.append("shrank" if one.n_after <= (1 - GROWTH) * one.n_before else "stayed")
    return told


def heirs(links: list[Link], /) -> dict[str, str]:
    """Return by a cluster after the one before that it goes on most of all: each once, most members in common first."""
    taken: dict[str, str] = {}
    for one in sorted(links, key=lambda one: (-one.n_both, -one.similarity, one.before, one.after)):
        if one.after not in taken and one.before not in taken.values():
            taken[one.after] = one.before
    return taken
