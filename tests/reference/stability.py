"""Slow and obvious twins of `propgraph.stability` and of what it looks up once: sets, and pairs of posts."""

from __future__ import annotations

from itertools import combinations


def best_match(base, found):
    """Return the Jaccard similarity of each cluster to the most similar one found.

    Parameters
    ----------
    base, found
        `{cluster: set of accounts}`.
    """
    return {
        name: max((len(mine & other) / len(mine | other) for other in found.values()), default=0.0)
        for name, mine in base.items()
    }


def together(base, found):
    """Return for each cluster and account the share of its fellows who are in one cluster found with it."""
    shares = {}
    for name, mine in base.items():
        for account in mine:
            its = next((other for other in found.values() if account in other), set())
            fellows = mine - {account}
            shares[name, account] = len(fellows & its) / max(len(fellows), 1) if its else 0.0
    return shares


def meetings(posts, source, target, window_ms):
    """Return `{object: pairs of posts}` of two accounts within the window.

    Parameters
    ----------
    posts
        Tuples of account, object, time (ms), post.
    """
    found = {}
    for who, what, when, post in posts:
        for other, which, then, another in posts:
            if (who, other) == (source, target) and what == which and post != another:
                found[what] = found.get(what, 0) + (abs(when - then) <= window_ms)
    return {what: n for what, n in found.items() if n}


def best_union(base, found):
    """Return the largest Jaccard similarity of each campaign to the union of any clusters found."""
    unions = [
        set().union(*some) for n in range(len(found) + 1) for some in combinations(list(found.values()), n)
    ]
    return {
        name: max(len(mine & other) / len(mine | other) for other in unions) for name, mine in base.items()
    }
