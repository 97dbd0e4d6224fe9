"""How likely two accounts share so many objects: tails of the count, by degrees alone.

Under the configuration model (`bicm.py`) the number X that two accounts share is a sum of independent
unequal chances q, one an object. What the degrees are equal for is equal, so each tail is computed once for
each distinct pair of degrees and count.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import Float64, Int64
from propgraph.likeness.bicm import Bicm

POPULAR = 0.001
MOST_EXACT = 1000


@dataclass(frozen=True)
class SharedByChance:
    """What the model says of the number X of objects that two accounts both share.

    Attributes
    ----------
    mean
        float64[n_pairs]; expectation of X.
    p_value
        float64[n_pairs]; P(X >= n_shared), 0..1.
    bound
        float64[n_pairs]; how far at most `p_value` is from the exact sum.
    """

    mean: Float64
    p_value: Float64
    bound: Float64


def shared_by_chance(
    model: Bicm,
    n_shared: Int64,
    /,
    *,
    source: Int64,
    target: Int64,
    threads: int = 1,
    popular: float = POPULAR,
    most_exact: int = MOST_EXACT,
) -> SharedByChance:
    """Return the mean and the tail of what two accounts share under the model.

    The most popular objects, those that both share with a chance `q >= popular`, are summed exactly by
    convolution, at most `most_exact` of them for a pair; the number R shared of all others is taken as a
    Poisson variable of the same mean, but for P(R >= 1), which is exact: 1 - prod(1 - q). A Poisson
    variable alone would count an object that everybody shared as if it could be shared twice, and so hide
    that two accounts share three rare ones.

    With r the mean and s the sum of q² over the objects left to R, no probability is off by more than
    `bound` = s (1 - exp(-r)) / r, which is at most `popular` unless `most_exact` was reached (Le Cam 1960;
    Barbour and Eagleson 1983). Nor is the p-value small where the exact one is not: the Poisson tail is an
    upper bound at r + 1 and beyond (Hoeffding 1956; Anderson and Samuels 1967), and is at least 0.26 at two
    and more below that. So the exact one is at most `1 + popular / 0.26` times the p-value, 1.004 times by
    default; where `most_exact` was reached, which takes accounts of many hundreds of objects, 3.8 times in
    theory, while in fact the Poisson part, being the wider, makes the tail too heavy.

    Parameters
    ----------
    model
        The fitted model.
    n_shared
        int64[n_pairs]; distinct objects both shared.
    source, target
        int64[n_pairs]; accounts, by their place in the degrees that the model was fitted to.
    threads
        At most so many at once. The result does not depend on it.
    popular
        A chance, above 0; above 1 makes all Poisson.
    most_exact
        Objects summed exactly for a pair, at most.
    """
    one, other = model.account_class[source], model.account_class[target]
    width, height = max(model.account_degrees.size, 1), int(n_shared.max(initial=0)) + 1
    code = np.minimum(one, other) * width + np.maximum(one, other)
    code, place = np.unique(code * height + n_shared, return_inverse=True)
    code, count = np.divmod(code, height)
    start = np.flatnonzero(np.concatenate([[True], code[1:] != code[:-1], [True]])) if code.size else code
    mean, p, bound = np.ones((3, code.size), np.float64)
    cuts = np.linspace(0, max(start.size - 1, 0), 16 * threads + 1).astype(np.int64)

    def run(k: int) -> None:
        part = start[cuts[k] : cuts[k + 1] + 1]
        _tails(
            part, code // width, code % width, count, model.chance, model.n_objects, popular, most_exact,
            mean, p, bound,
        )  # fmt: skip

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(run, range(cuts.size - 1)))
    return SharedByChance(mean[place], p[place], bound[place])


@kernel
def _tails(
    start: Int64,
    one: Int64,
    other: Int64,
    count: Int64,
    chance: Float64,
    n_objects: Int64,
    popular: float,
    most_exact: int,
    mean: Float64,
    p: Float64,
    bound: Float64,
) -> None:
    """Fill the rows of each pair of degrees, `start[e]:start[e + 1]`, which stand by ascending count."""
    for e in range(start.size - 1):
        begin, end = start[e], start[e + 1]
        a, b = one[begin], other[begin]
        most = count[end - 1]
        exact = np.zeros(most + 1)  # P(of the popular so many are shared); the last place: or more
        exact[0] = 1.0
        n_exact = 0
        total, rest, rest_log, rest_square = 0.0, 0.0, 0.0, 0.0
        # Objects of one degree have one chance. The popular among them, up to `most_exact`, are added one by one to the
        # exact count; all others are the rest, R, of which only sums are kept.
        for j in range(n_objects.size):
            q = chance[a, j] * chance[b, j]
            total += n_objects[j] * q
            left = n_objects[j]
            if q >= popular and most > 0:
                taken = min(left, most_exact - n_exact)
                for _ in range(taken):
                    n_exact += 1
                    _add(exact, q, n_exact)
                left -= taken
            if left > 0:
                rest += left * q
                rest_square += left * q * q
                rest_log += left * _log_of_none(q)
        tail = _poisson_tail(rest, most)
        # At least one of the rest: exact, whatever the chances, so the approximation is not needed there.
        if most > 0:
            tail[1] = -np.expm1(rest_log)
        # P(count >= n): so many popular objects are shared, h of them, and at least n - h of the rest.
        for row in range(begin, end):
            n = count[row]
            likely = 0.0
            for h in range(most + 1):
                likely += exact[h] * (tail[n - h] if h < n else 1.0)
            mean[row] = total
            p[row] = min(likely, 1.0)
            bound[row] = rest_square * (-np.expm1(-rest) / rest if rest > 0 else 1.0) if n > 1 else 0.0


@kernel
def _add(exact: Float64, q: float, n_known: int) -> None:
    """Add one object to the first `n_known` of a count whose last place means so many or more."""
    last = exact.size - 1
    exact[last] += exact[last - 1] * q
    # Downwards, so that each place still finds the one below it as it was; above `n_known` all are 0.
    for h in range(min(last - 1, n_known), 0, -1):
        exact[h] = exact[h] * (1.0 - q) + exact[h - 1] * q
    exact[0] *= 1.0 - q


@kernel
def _log_of_none(q: float) -> float:
    """Return ln(1 - q)."""
    if q < 1e-4:  # the series is exact there, and cheaper
        return -q * (1.0 + q * (0.5 + q * (1.0 / 3.0 + 0.25 * q)))
    return float(np.log1p(-q)) if q < 1.0 else -np.inf


@kernel
def _poisson_tail(mean: float, most: int) -> Float64:
    """Return P(R >= t) for t = 0..most, summed from the far end: small ones keep their digits."""
    tail = np.zeros(most + 1)
    if mean > 0.0:
        top = max(most, int(mean))  # beyond the mode the terms fall
        term, beyond, t = _poisson_term(mean, top), 0.0, top
        # `beyond` is P(R >= top) so far: the terms fall, and the first that no longer counts is the last.
        while term > 1e-17 * beyond:
            beyond += term
            t += 1
            term *= mean / t
        # Back down: at the end of each step `beyond` is P(R >= t).
        for t in range(top, -1, -1):
            if t < top:
                beyond += _poisson_term(mean, t)
            if t <= most:
                tail[t] = beyond
    tail[0] = 1.0
    return np.minimum(tail, 1.0)


@kernel
def _poisson_term(mean: float, t: int) -> float:
    """Return P(R = t)."""
    return math.exp(t * math.log(mean) - mean - math.lgamma(t + 1.0))
