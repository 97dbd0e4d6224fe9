"""Slow and obvious twin of `propgraph.clusters.timing`: pairs of posts, one by one, by definition."""

from __future__ import annotations

from itertools import combinations
from math import exp, log, log1p

from scipy.optimize import minimize_scalar

PRIOR_PAIRS = 20


def timing(posts, cluster_of, window_ms):
    """Return figures of objects, of members and of posts.

    Parameters
    ----------
    posts
        Tuples of account, object, time (ms), one a post.
    cluster_of
        The cluster of each account that is in one.
    window_ms
        The window; its bound belongs to it.

    Returns
    -------
    tuple
        `{(cluster, object): (n_pairs, n_within, pace)}`; `{(cluster, account): {figure: value}}`; and for
        each post its number of fellow members' posts within the window, None where it is nobody's of a cluster.
    """

    def near(a, b):
        return abs(a[2] - b[2]) <= window_ms

    usual, n_usual = usual_rate([post for post in posts if post[0] not in cluster_of], window_ms)
    if not n_usual:
        usual, _ = usual_rate(posts, window_ms)
    objects = {}
    for cluster in sorted(set(cluster_of.values())):
        for name in sorted({post[1] for post in posts}):
            of_object = [post for post in posts if post[1] == name]
            mine = [post for post in of_object if cluster_of.get(post[0]) == cluster]
            others = [post for post in of_object if cluster_of.get(post[0]) != cluster]
            pairs = [(a, b) for a, b in combinations(mine, 2) if a[0] != b[0]]
            strangers = list(combinations(others, 2))
            if pairs:
                outsider_rate = (sum(near(*pair) for pair in strangers) + PRIOR_PAIRS * usual) / (
                    len(strangers) + PRIOR_PAIRS
                )
                objects[cluster, name] = (len(pairs), sum(near(*pair) for pair in pairs), outsider_rate)
    members = {}
    for account, cluster in cluster_of.items():
        parts, chances = [], []
        for of_cluster, name in objects:
            own = [post for post in posts if post[:2] == (account, name)]
            fellows = [
                post
                for post in posts
                if post[1] == name and post[0] != account and cluster_of.get(post[0]) == cluster
            ]
            if of_cluster == cluster and own and fellows:
                met = sum(near(a, b) for a in own for b in fellows)
                parts.append((met / (len(own) * len(fellows)), objects[cluster, name][2], len(fellows)))
                chances.append(1 - (1 - objects[cluster, name][2]) ** (len(own) * len(fellows)))
        if parts:
            members[cluster, account] = _member(parts) | {"expected_co_objects": sum(chances)}
    fellows = [
        sum(
            near(post, other)
            for other in posts
            if other[0] != post[0] and other[1] == post[1] and cluster_of.get(other[0]) == cluster_of[post[0]]
        )
        if post[0] in cluster_of
        else None
        for post in posts
    ]
    return objects, members, fellows


def gathered(posts, cluster_of, window_ms):
    """Return `{(cluster, object): (accounts, time)}`: the most members in one window that a post opens, and when.

    Of objects that two members or more posted; for the parameters see `timing`.
    """
    found = {}
    for cluster in set(cluster_of.values()):
        for name in {post[1] for post in posts}:
            mine = [post for post in posts if post[1] == name and cluster_of.get(post[0]) == cluster]
            if len({post[0] for post in mine}) < 2:
                continue
            windows = [
                (len({who for who, _, at in mine if start <= at <= start + window_ms}), -start)
                for _, _, start in mine
            ]
            n, start = max(windows)
            found[cluster, name] = (n, -start)
    return found


def usual_rate(posts, window_ms):
    """Return the mean over objects of the part of their pairs in the window, with a little doubt; their number."""
    total, n = 0.01, 1
    for name in {post[1] for post in posts}:
        times = [post[2] for post in posts if post[1] == name]
        pairs = list(combinations(times, 2))
        if pairs:
            total += sum(abs(a - b) <= window_ms for a, b in pairs) / len(pairs)
            n += 1
    return total / n, n - 1


def _member(parts):
    weight = sum(fellows for _, _, fellows in parts)
    return {
        "n_objects": len(parts),
        "window_rate": sum(part * fellows for part, _, fellows in parts) / weight,
        "outsider_rate": sum(outsider_rate * fellows for _, outsider_rate, fellows in parts) / weight,
        "n_co_objects": sum(part > 0 for part, _, _ in parts),
    }


def log_tail(parts):
    """Return Chernoff's bound on log P(sum of weight * part or more), at its least over t in 0..200.

    Parameters
    ----------
    parts
        Tuples of part, mean, weight; weights count relative to the largest.
    """
    largest = max(weight for _, _, weight in parts)
    parts = [(part, mean, weight / largest) for part, mean, weight in parts]

    def bound(log_t):
        t = exp(log_t)
        return sum(log1p(mean * (exp(t * c) - 1)) - t * c * part for part, mean, c in parts)

    found = minimize_scalar(bound, bounds=(log(0.05), log(200)), method="bounded", options={"xatol": 1e-8})
    return min(0.0, found.fun, bound(log(0.05)), bound(log(200)))
