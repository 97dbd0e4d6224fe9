"""Measures of detection from their definitions, one account and one pair at a time."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, permutations
from math import log


def average_precision(score, positive):
    """Sum over the thresholds of (recall gained) * (precision at the threshold)."""
    total = sum(positive)
    before, area = 0, 0.0
    for threshold in sorted(set(score), reverse=True):
        taken = [p for s, p in zip(score, positive, strict=True) if s >= threshold]
        area += (sum(taken) - before) / total * (sum(taken) / len(taken))
        before = sum(taken)
    return area


def auc(score, positive):
    """Part of the pairs of a positive and a negative in the right order; a tie is half right."""
    right = [
        1.0 if s > t else 0.5 if s == t else 0.0
        for s, p in zip(score, positive, strict=True)
        if p
        for t, n in zip(score, positive, strict=True)
        if not n
    ]
    return sum(right) / len(right)


def precision_at(score, positive, k):
    """Mean over all orders of the accounts, each then sorted stably by score."""
    found = []
    for order in permutations(range(len(score))):
        ranked = sorted(order, key=lambda i: -score[i])
        found.append(sum(positive[i] for i in ranked[:k]) / k)
    return sum(found) / len(found)


def adjusted_rand(one, other):
    """(pairs together in both - as many as by chance) / (mean of pairs together in either - by chance)."""
    return adjusted_rand_of_pairs(one, other, list(combinations(range(len(one)), 2)))


def adjusted_rand_of_pairs(one, other, pairs):
    """The same over given pairs."""
    if not pairs:
        return 1.0
    in_one = sum(one[i] == one[j] for i, j in pairs)
    in_other = sum(other[i] == other[j] for i, j in pairs)
    in_both = sum(one[i] == one[j] and other[i] == other[j] for i, j in pairs)
    chance = in_one * in_other / len(pairs)
    most = (in_one + in_other) / 2
    return 1.0 if most == chance else (in_both - chance) / (most - chance)


def normalised_mutual_information(one, other):
    """Mutual information over the mean of the entropies, in natural logarithms."""
    n = len(one)
    p, q, both = Counter(one), Counter(other), Counter(zip(one, other, strict=True))
    shared = sum(c / n * log(c * n / (p[a] * q[b])) for (a, b), c in both.items())
    entropies = [-sum(c / n * log(c / n) for c in counts.values()) for counts in (p, q)]
    return 1.0 if sum(entropies) == 0 else shared / (sum(entropies) / 2)


def weighted_precision(cluster, positive):
    """Sum over clusters of n p^2 over the sum of n p."""
    above, below = 0.0, 0.0
    for name in set(cluster):
        own = [p for c, p in zip(cluster, positive, strict=True) if c == name]
        part = sum(own) / len(own)
        above += len(own) * part**2
        below += len(own) * part
    return above / below if below else None
