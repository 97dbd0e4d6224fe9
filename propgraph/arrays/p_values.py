"""Combined p-values (truncated product, harmonic mean), q-values (Benjamini and Hochberg), and tails of draws."""

from __future__ import annotations

import math

import numpy as np

from propgraph.arrays.kernels import inlined, kernel
from propgraph.arrays.types import Float64, Int64

_NEGLIGIBLE = 45.0  # in natural logarithms: what is smaller than the largest term by so much does not count
_PLAIN = 600.0  # exp(-600) is still a number


@kernel
def truncated_product(k: int, total: float, tau: float) -> float:
    """Return the natural logarithm of the truncated product's tail.

    Of `k` independent probabilities those at or under `tau` count, each with -ln(p / tau) >= 0; `total` is
    their sum. If all are uniform, the number that count is binomial and the sum of j of them a gamma variable:

        P = sum over j >= 1 of Binom(j; k, tau) * P(Gamma(j) >= total)

    Discrete probabilities that are no smaller than uniform ones make it an upper bound.

    Parameters
    ----------
    k
        Number of probabilities.
    total
        Sum of -ln(p / tau) over those at or under `tau`.
    tau
        0 < tau < 1.

    Returns
    -------
    float
        ln P, at most 0; 0 where `total` is 0.

    References
    ----------
    Zaykin et al., "Truncated product method for combining P-values", Genetic Epidemiology 22 (2002).
    """
    if total <= 0.0 or k < 1:
        return 0.0
    if total < _PLAIN and -k * math.log1p(-tau) < _PLAIN:
        return math.log(_plain_tail(k, total, tau))
    log_total = math.log(total)
    odds = math.log(tau) - math.log1p(-tau)
    # ln of Binom(j) and of the gamma tail's newest term, e^-total total^(j-1) / (j-1)!
    chosen = k * math.log1p(-tau)
    term = -total
    tail = -math.inf
    result = -math.inf
    # At the end of step j: `chosen` is ln Binom(j; k, tau), `tail` the log of the gamma tail, the sum of its first j
    # terms, and `result` the log of the sum so far.
    for j in range(1, k + 1):
        chosen += math.log((k - j + 1) / j) + odds
        tail = _log_sum(tail, term)
        term += log_total - math.log(j)
        found = chosen + tail
        result = _log_sum(result, found)
        # Beyond both modes the terms only fall: the first that no longer counts is the last.
        if j > total and j > k * tau and found < result - _NEGLIGIBLE:
            break
    return min(result, 0.0)


@kernel
def _plain_tail(k: int, total: float, tau: float) -> float:
    """Return the same tail without logarithms, ten times as fast, where nothing gets too small."""
    odds = tau / (1 - tau)
    chosen = math.exp(k * math.log1p(-tau))
    term = math.exp(-total)
    tail = 0.0
    result = 0.0
    # The same sum term by term; beyond the binomial's mode its terms fall, and the gamma tail is at most 1.
    for j in range(1, k + 1):
        chosen *= odds * (k - j + 1) / j
        tail += term
        term *= total / j
        result += chosen * tail
        if j > k * tau and chosen < 1e-17 * result:
            break
    return min(result, 1.0)


@inlined
def _log_sum(a: float, b: float) -> float:
    if a < b:
        a, b = b, a
    return a if b == -math.inf else a + math.log1p(math.exp(b - a))


def harmonic_mean(p_values: Float64, /) -> Float64:
    """Return the harmonic mean p-value of each row: tests that may depend on each other, made one.

    Parameters
    ----------
    p_values
        float64[n_rows, n_tests]; NaN where a test was not made, 1 where it was made and found nothing.

    Returns
    -------
    float64[n_rows]
        0..1; asymptotically exact by Landau's distribution for independent tests, and near it for dependent ones
        whose tails do not all move together; NaN without a test. One test is itself.

    References
    ----------
    Wilson, "The harmonic mean p-value for combining dependent tests", PNAS 116 (2019).
    """
    # scipy.stats takes a second to load, and of all that is built on this file only a few calls need it.
    from scipy.stats import landau  # noqa: PLC0415

    inverse = np.nansum(1.0 / np.maximum(p_values, 1e-300), axis=1)
    n = np.count_nonzero(~np.isnan(p_values), axis=1).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = n / inverse
    # Far out both agree, and the distribution's own arithmetic ends first; one test needs none.
    joint = mean.copy()
    near = (mean >= 1e-9) & (n > 1)
    # Landau's constants: location ln L + 1 + psi(1) - ln(2 / pi), scale pi / 2; see Wilson's equation 4.
    location = np.log(n[near]) + 1 - np.euler_gamma - math.log(2 / math.pi)
    joint[near] = landau.sf(1.0 / mean[near], loc=location, scale=math.pi / 2)
    single = np.nanmax(np.where(np.isnan(p_values), -1.0, p_values), axis=1)
    joint = np.where(n == 1, single, joint)
    return np.where(n < 1, np.nan, np.minimum(joint, 1.0))


def false_discovery_rate(p_values: Float64, /, *, n_tests: float) -> Float64:
    """Return Benjamini and Hochberg's q-values of the smallest of `n_tests` p-values.

    Parameters
    ----------
    p_values
        float64[n]; the p-values that are known. All others have to be larger.
    n_tests
        How many tests there were in all, known or not; at least n.

    Returns
    -------
    float64[n]
        0..1; the least rate of false discoveries at which the test would be among the discoveries.

    References
    ----------
    Benjamini and Hochberg, "Controlling the False Discovery Rate", JRSS B 57 (1995).
    """
    order = np.argsort(p_values, kind="stable")
    scaled = p_values[order] * max(n_tests, p_values.size) / np.arange(1, p_values.size + 1)
    q_values = np.empty(p_values.size)
    q_values[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return q_values


def binomial_tail(k: Int64, n: Int64, p: Float64, /) -> Float64:
    """Return P(X >= k) of binomial variables of `n` trials at chance `p` (0..1).

    Parameters
    ----------
    k, n
        int64; successes and trials, 0 <= k <= n.
    p
        float64; the chance of one.
    """
    from scipy.special import betainc  # noqa: PLC0415 - it takes a while to load, and few calls need it

    some = k > 0
    tail = np.ones(k.size)
    tail[some] = betainc(
        k[some].astype(np.float64), (n - k + 1)[some].astype(np.float64), np.minimum(p[some], 1.0)
    )
    return tail


def hypergeometric_tail(k: Int64, inside: Int64, drawn: Int64, /, *, n_all: int | Int64) -> Float64:
    """Return P(X >= k) where `drawn` of `n_all` are drawn without replacement and `inside` of all would count.

    Parameters
    ----------
    k, inside, drawn
        int64; k <= drawn <= n_all, inside <= n_all.
    n_all
        How many there are in all, for all or for each of them.
    """
    from scipy.special import gammaln  # noqa: PLC0415 - it takes a while to load, and few jobs ask

    def choose(n: Float64 | Int64, r: Float64 | Int64) -> Float64:
        found: Float64 = gammaln(n + 1.0) - gammaln(r + 1.0) - gammaln(n - r + 1.0)
        return found

    tails = np.empty(k.size)
    whole = np.broadcast_to(n_all, k.shape)
    for row, (low, mine, n, of) in enumerate(
        zip(k.tolist(), inside.tolist(), drawn.tolist(), whole.tolist(), strict=True)
    ):
        x = np.arange(max(low, n - (of - mine), 0), min(n, mine) + 1)
        logs = choose(np.full(x.size, mine), x) + choose(np.full(x.size, of - mine), n - x)
        tails[row] = np.exp(logs - choose(np.array([of]), np.array([n]))).sum()
    return np.minimum(tails, 1.0)
