"""Slow and obvious twin of `propgraph.amplification.following`: walks up each tree, node by node."""

from __future__ import annotations

from collections import defaultdict
from itertools import product

from reference.amplification import trees, way_up
from scipy.stats import binom


def first_posts(tree):
    """Return two dicts by account: its first post below the origin, and its first not right under it.

    Posts whose way to the root is not known, and those of the root's account, do not count.
    """
    below, hung = {}, {}
    for node in tree[1:]:
        way, sure = way_up(node, tree)
        if sure and node["account"] is not None and node["account"] != tree[0]["account"]:
            below.setdefault(node["account"], node)
            if len(way) > 1:
                hung.setdefault(node["account"], node)
    return below, hung


def following(nodes, least=3):
    """Return `{(account, relay): (n_under, n_common, expected, p_value)}` and the bound on the number of tests."""
    each = {name: (tree, *first_posts(tree)) for name, tree in trees(nodes).items()}
    relays = {a for a in accounts(each, 1) if sum(a in below for _, below, _ in each.values()) >= least}
    hanging = {a for a in accounts(each, 2) if sum(a in hung for _, _, hung in each.values()) >= least}
    found, n_tests = {}, 0
    counts = defaultdict(list)
    for tree, below, hung in each.values():
        for account, relay in product(sorted(hanging & hung.keys()), sorted(relays & below.keys())):
            node, top = hung[account], below[relay]
            if tree.index(top) >= tree.index(node):
                continue
            n_tests += 1
            if account != relay:
                counts[account, relay].append((top in way_up(node, tree)[0], chance(node, top, tree)))
    for pair, draws in counts.items():
        n, expected = sum(under for under, _ in draws), sum(part for _, part in draws)
        if n >= least:
            tail = binom.sf(n - 1, len(draws), min(expected / len(draws), 1))
            found[pair] = (n, len(draws), expected, tail if n - 1 >= expected else 1.0)
    return found, max(n_tests / least, 1)


def accounts(each, which):
    return {account for one in each.values() for account in one[which]}


def chance(node, top, tree):
    """Return the part at or below `top` of the posts before `node` whose way to the root is known."""
    earlier = [other for other in tree[1 : tree.index(node)] if way_up(other, tree)[1]]
    return sum(other is top or top in way_up(other, tree)[0] for other in earlier) / len(earlier)
