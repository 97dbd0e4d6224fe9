"""Slow and obvious twins of `propgraph.likeness.overlap` and `bicm`: dense matrices, one cell an account and object.

A row is a tuple `(content_id, account_id, object_id, time in ms)`.
"""

from __future__ import annotations

from itertools import product
from math import exp, factorial, log, sqrt

import numpy as np


def counts(rows):
    """Return the labels of the accounts, sorted, and the matrix of posts by account and object."""
    accounts = sorted({row[1] for row in rows})
    objects = sorted({row[2] for row in rows})
    matrix = np.zeros((len(accounts), len(objects)), int)
    for _, account, object_, _ in rows:
        matrix[accounts.index(account), objects.index(object_)] += 1
    return accounts, matrix


def cosine(posts, one, other):
    """Return the TF-IDF cosine of two rows of a matrix of posts; None where one holds a single object."""
    if min((posts[one] > 0).sum(), (posts[other] > 0).sum()) < 2:
        return None
    vectors = [
        [
            (1 + log(c)) * (1 + log((1 + len(posts)) / (1 + (posts[:, o] > 0).sum()))) if c else 0.0
            for o, c in enumerate(posts[account])
        ]
        for account in (one, other)
    ]
    dot = sum(a * b for a, b in zip(*vectors, strict=True))
    return dot / sqrt(sum(a * a for a in vectors[0]) * sum(b * b for b in vectors[1]))


def bicm(d, k, *, sweeps=4000):
    """Return the chances by the plain fixed point, an x an account and a y an object; None if it has not settled."""
    d, k = np.array(d, float), np.array(k, float)
    x, y = d / sqrt(d.sum()), k / sqrt(d.sum())
    for _ in range(sweeps):
        x = d / (y / (1 + np.outer(x, y))).sum(axis=1)
        y = k / (x[:, None] / (1 + np.outer(x, y))).sum(axis=0)
        chance = np.outer(x, y) / (1 + np.outer(x, y))
        if np.abs(chance.sum(axis=1) - d).max() < 1e-12:
            return chance
    return None


def logs_by_degrees(n_accounts, n_objects):
    """Return all binary matrices of a shape, by their degrees."""
    found = {}
    for cells in product((0, 1), repeat=n_accounts * n_objects):
        matrix = np.array(cells).reshape(n_accounts, n_objects)
        found.setdefault((tuple(matrix.sum(axis=1)), tuple(matrix.sum(axis=0))), []).append(matrix)
    return found


def poisson_binomial(chances):
    """Return P(X = 0), P(X = 1), ... of a sum of independent chances, by convolution."""
    terms = np.array([1.0])
    for q in chances:
        terms = np.convolve(terms, [1 - q, q])
    return terms


def poisson(mean, n):
    """Return P(X = 0), ..., P(X = n - 1) of a Poisson variable."""
    return np.array([exp(-mean) * mean**i / factorial(i) for i in range(n)])
