"""The bipartite configuration model: who would share what if only activity and popularity mattered.

Among all ways to deal objects to accounts that keep, on average, how many objects each account shared and
how many accounts shared each object, it is the one of the largest entropy. Account `i` then shares object
`o` with chance `x_i y_o / (1 + x_i y_o)`, independently of all else. Accounts of one degree have one `x`,
objects of one degree one `y`: the model is fitted and kept on distinct degrees only.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import Float64, Int64
from propgraph.errors import UsageError

TOLERANCE = 1e-11  # relative, of each degree: what the fit aims at
GOOD_ENOUGH = 1e-6  # relative, of each degree: beyond it the fit is reported as failed
_MOST_STEPS = 100
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Bicm:
    """A fitted model, on distinct degrees.

    Attributes
    ----------
    account_degrees, object_degrees
        int64[n] and int64[m]; the distinct degrees, highest first.
    account_class
        int64[n_accounts]; where each account's degree stands in `account_degrees`.
    object_class
        int64[n_objects]; where each object's degree stands in `object_degrees`.
    n_accounts, n_objects
        int64[n] and int64[m]; how many have that degree.
    chance
        float64[n, m]; chance, 0..1, that an account of one degree shares an object of the other.
    error
        The largest relative difference between a degree and the one that the model expects.
    """

    account_degrees: Int64
    object_degrees: Int64
    account_class: Int64
    object_class: Int64
    n_accounts: Int64
    n_objects: Int64
    chance: Float64
    error: float


def fit_bicm(account_degree: Int64, object_degree: Int64, /) -> Bicm:
    """Fit the model to both degree sequences by maximum likelihood.

    Some sequences force entries: an account that shared every object, or a nested log in which the most
    active accounts hold all of the popular objects and the others none of the rare ones. The likelihood
    then has no finite maximum. These are exactly the sequences for which an inequality of Gale and Ryser is
    an equality; the matrix is cut there into forced ones, forced zeros and blocks that do have a maximum,
    each found by Newton's method.

    Parameters
    ----------
    account_degree
        int64[n_accounts]; distinct objects of each account, 0 allowed.
    object_degree
        int64[n_objects]; distinct accounts of each object, 0 allowed.

    Returns
    -------
    Bicm
        With `error` normally below 1e-10. Above 1e-6 a warning is logged: the p-values that follow are then
        those of a model that misses the degrees by so much.

    Raises
    ------
    UsageError
        When no bipartite graph has these degrees.

    References
    ----------
    Saracco et al., "Randomizing bipartite networks: the case of the World Trade Web", Scientific Reports 5
    (2015); Saracco et al., "Inferring monopartite projections of bipartite networks", New Journal of
    Physics 19 (2017); Vallarano et al., "Fast and scalable likelihood maximization for exponential random
    graph models with local constraints", Scientific Reports 11 (2021).
    """
    d, account_class, n = _classes(account_degree)
    k, object_class, m = _classes(object_degree)
    ends, tight = _forced(d, n, k=k, m=m)
    chance = np.zeros((d.size, k.size), np.float64)
    for top, bottom in pairwise(tight):
        above, below = ends[top], ends[bottom]
        full, free = k >= below, (k > above) & (k < below)
        chance[top:bottom, full] = 1.0
        if free.any():
            block = (
                (d[top:bottom] - int(m[full].sum())).astype(np.float64), n[top:bottom].astype(np.float64),
                (k[free] - above).astype(np.float64), m[free].astype(np.float64),
            )  # fmt: skip
            chance[top:bottom, free] = _solve(*_sparse_limit(*block), *block, TOLERANCE, _MOST_STEPS)
    error = max(_misfit((chance * m).sum(axis=1), d), _misfit((n[:, None] * chance).sum(axis=0), k))
    if error > GOOD_ENOUGH:
        _log.warning("the null of overlaps misses a degree by a share of %.1e; its p-values are rough", error)
    return Bicm(d, k, account_class, object_class, n, m, chance, error)


def _classes(degree: Int64) -> tuple[Int64, Int64, Int64]:
    """Return the distinct degrees, highest first, where each degree stands there, and how many have it."""
    distinct, place, count = np.unique(-degree, return_inverse=True, return_counts=True)
    return -distinct, place.astype(np.int64), count.astype(np.int64)


def _forced(d: Int64, n: Int64, *, k: Int64, m: Int64) -> tuple[Int64, Int64]:
    """Return how many accounts stand above each class, and the classes at which the matrix is cut.

    The first s accounts cannot hold more than the sum of min(k, s) over the objects. Where they hold just
    that, they hold all objects of degree s or more, and the others hold none of degree s or less.
    """
    ends = np.concatenate([[0], np.cumsum(n)])
    room = np.array([int((m * np.minimum(k, s)).sum()) for s in ends])
    slack = room - np.concatenate([[0], np.cumsum(n * d)])
    if slack.min() < 0 or slack[-1] != 0:
        raise UsageError(
            "no log has these numbers of objects by account and of accounts by object", option="degrees"
        )
    return ends, np.flatnonzero(slack == 0)


def _misfit(expected: Float64, degree: Int64) -> float:
    seen = degree > 0
    return float(np.max(np.abs(expected[seen] / degree[seen] - 1.0), initial=0.0))


def _sparse_limit(d: Float64, n: Float64, k: Float64, _: Float64) -> tuple[Float64, Float64]:
    """Return log x and log y where all chances are small: near enough for Newton's method to start from."""
    half = 0.5 * np.log((n * d).sum())
    return np.log(d) - half, np.log(k) - half


@kernel
def _solve(
    theta: Float64,
    eta: Float64,
    d: Float64,
    n: Float64,
    k: Float64,
    m: Float64,
    tolerance: float,
    most: int,
) -> Float64:
    """Return the chances at the maximum of the likelihood: Newton's steps, halved while they overshoot."""
    chance, weight = np.empty((d.size, k.size)), np.empty((d.size, k.size))
    value = _likelihood(theta, eta, d, n, k, m, chance, weight)
    # At the top `chance` and `weight` belong to theta and eta, and `value` is their log-likelihood.
    for _ in range(most):
        up_d, up_k, error = _slope(chance, d, n, k, m)
        if error <= tolerance:
            break
        step_d, step_k = _newton_step(weight, up_d, up_k)
        length = min(1.0, 4.0 / max(np.abs(step_d).max(), np.abs(step_k).max()))
        # The direction climbs, so a short enough step does, too; none is longer than 4 in any logarithm.
        while length > 1e-9:
            new = _likelihood(theta + length * step_d, eta + length * step_k, d, n, k, m, chance, weight)
            if new >= value - 1e-12 * abs(value):  # sums of so many terms are not exact
                break
            length *= 0.5
        theta, eta, value = theta + length * step_d, eta + length * step_k, new
    return chance


@kernel
def _likelihood(
    theta: Float64,
    eta: Float64,
    d: Float64,
    n: Float64,
    k: Float64,
    m: Float64,
    chance: Float64,
    weight: Float64,
) -> float:
    """Return the log-likelihood at x = exp(theta), y = exp(eta); fill the chances and the variances."""
    total = float((n * d * theta).sum() + (m * k * eta).sum())
    for i in range(theta.size):
        of_row = 0.0
        # exp(-|z|) cannot overflow: chance, variance and log(1 + exp(z)) are all taken from it, for either sign of z.
        for j in range(eta.size):
            z = theta[i] + eta[j]
            small = np.exp(-abs(z))
            share = 1.0 / (1.0 + small)
            chance[i, j] = share if z >= 0 else small * share
            weight[i, j] = n[i] * m[j] * small * share * share
            of_row += m[j] * (max(z, 0.0) + np.log1p(small))
        total -= n[i] * of_row
    return total


@kernel
def _slope(chance: Float64, d: Float64, n: Float64, k: Float64, m: Float64) -> tuple[Float64, Float64, float]:
    """Return the gradient in theta and eta, and the largest relative error of a degree."""
    row, column = np.zeros(d.size), np.zeros(k.size)
    # The degrees that the model expects, of a member of each class; always added in the same order.
    for i in range(d.size):
        for j in range(k.size):
            row[i] += m[j] * chance[i, j]
            column[j] += n[i] * chance[i, j]
    error = max((np.abs(row - d) / d).max(), (np.abs(column - k) / k).max())
    return n * (d - row), m * (k - column), error


@kernel
def _newton_step(weight: Float64, up_d: Float64, up_k: Float64) -> tuple[Float64, Float64]:
    """Solve [[R, W], [W', C]] (a, b) = (up_d, up_k), R and C the sums of W, by conjugate gradients.

    The matrix is singular in one direction only, that of x growing as y shrinks, which changes nothing; the
    right side has no part in it. Plain loops in fixed order: the same bits on any number of threads.
    """
    n, m = weight.shape
    size = n + m
    scale = np.zeros(size)
    for i in range(n):  # and not `sum(axis)`: its complaint about an axis takes seconds to compile
        for j in range(m):
            scale[i] += weight[i, j]
            scale[n + j] += weight[i, j]
    scale = np.maximum(scale, 1e-300)
    rest = np.concatenate((up_d, up_k))
    step, image = np.zeros(size), np.empty(size)
    eased = rest / scale
    direction = eased.copy()
    size_now = (rest * eased).sum()
    enough = 1e-8 * size_now
    # At the top `rest` is what the step so far leaves unsolved, `eased` the same over the diagonal, and `direction` is
    # conjugate to all directions before. In exact arithmetic it ends after `size` rounds.
    for _ in range(10 * size):
        for i in range(size):
            image[i] = scale[i] * direction[i]
        # The matrix times the direction: its diagonal is in `image` already, W and its transpose are added in one pass.
        for i in range(n):
            along = 0.0
            for j in range(m):
                along += weight[i, j] * direction[n + j]
                image[n + j] += weight[i, j] * direction[i]
            image[i] += along
        bend = (direction * image).sum()
        # Along the one direction that changes nothing there is no bend, only rounding: it is as good as solved.
        if bend <= 0.0:
            break
        ahead = size_now / bend
        step += ahead * direction
        rest -= ahead * image
        eased = rest / scale
        size_next = (rest * eased).sum()
        if size_next <= enough:
            break
        direction = eased + size_next / size_now * direction
        size_now = size_next
    return step[:n], step[n:]
