from __future__ import annotations

from decimal import Decimal
from itertools import product
from math import exp, log

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from reference import synchrony as reference
from scipy import stats

from propgraph.arrays import p_values as combine
from propgraph.arrays.p_values import false_discovery_rate, harmonic_mean, truncated_product

N = 100_000


@given(st.integers(1, 400), st.floats(0, 300), st.floats(0.01, 0.95))
@example(1, 0.0, 0.2)
@example(1, 1e-12, 0.2)
@example(400, 300.0, 0.95)
def test_the_truncated_product_equals_the_slow_twin(k, total, tau):
    expected = reference.combined(k, total, tau)
    assert exp(truncated_product(k, total, tau)) == pytest.approx(expected, rel=1e-9, abs=1e-290)


@given(st.integers(1, 400), st.floats(0, 300), st.floats(0.01, 0.95))
def test_logarithms_give_the_same_tail(k, total, tau):
    plain = truncated_product(k, total, tau)
    kept = combine._PLAIN
    try:
        combine._PLAIN = -1.0
        # Compiled code keeps the constant it was compiled with; without a compiler there is only the plain function.
        slow = getattr(truncated_product, "py_func", truncated_product)(k, total, tau)
    finally:
        combine._PLAIN = kept
    assert slow == pytest.approx(plain, rel=1e-9, abs=1e-9)


def log_tail(k, total, tau):
    """The same sum with numbers that have no smallest: logarithm at the very end."""
    total, tau = Decimal(total), Decimal(tau)
    chosen, term, tail, result = (1 - tau) ** k, (-total).exp(), Decimal(0), Decimal(0)
    for j in range(1, k + 1):
        chosen *= tau / (1 - tau) * (k - j + 1) / j  # Binom(j; k, tau)
        tail += term  # P(Gamma(j) >= total) = P(Poisson(total) < j)
        term *= total / j
        result += chosen * tail
    return float(result.ln())


@pytest.mark.parametrize("total", [599.0, 601.0, 5_000.0])
@pytest.mark.parametrize("k", [1, 30, 2_600, 2_800, 20_000])
def test_far_tails_do_not_end_in_nought(k, total):
    assert truncated_product(k, total, 0.2) == pytest.approx(log_tail(k, total, 0.2), rel=1e-9, abs=1e-9)


def test_one_probability_combined_is_itself():
    for p in (1e-9, 1e-3, 0.05, 0.19):
        assert exp(truncated_product(1, log(0.2 / p), 0.2)) == pytest.approx(p)
    assert truncated_product(1, 0.0, 0.2) == 0  # over tau: nothing found


def test_the_truncated_product_of_uniforms_is_uniform():
    rng = np.random.default_rng(1)
    p = rng.random((N, 6))
    total = np.where(p <= 0.2, -np.log(p / 0.2), 0).sum(axis=1)
    found = np.array([exp(truncated_product(6, t, 0.2)) for t in total])
    for x in (0.5, 0.1, 0.01, 0.001):
        n = (found <= x).sum()
        assert stats.binomtest(int(n), N, x).pvalue > 1e-6
    # Were the number that could be near not counted (k = those that are), nothing would hold.
    wrong = np.array(
        [
            exp(truncated_product(max(int(c), 1), t, 0.2))
            for t, c in zip(total, (p <= 0.2).sum(1), strict=True)
        ]
    )
    assert stats.binomtest(int((wrong <= 0.01).sum()), N, 0.01, alternative="greater").pvalue < 1e-6


def test_discrete_probabilities_are_never_told_as_too_small():
    # Each of three probabilities takes the values .1, .5, 1 with P(p <= v) = v: all 27 outcomes, weighed.
    values = {0.1: 0.1, 0.5: 0.4, 1.0: 0.5}
    found = []
    for outcome in product(values, repeat=3):
        total = sum(log(0.6 / v) for v in outcome if v <= 0.6)
        found.append((exp(truncated_product(3, total, 0.6)), np.prod([values[v] for v in outcome])))
    for x, _ in found:
        assert sum(weight for p, weight in found if p <= x + 1e-12) <= x + 1e-9


@given(st.lists(st.floats(1e-12, 1), min_size=1, max_size=30), st.integers(0, 1_000))
@example([0.01, 0.01, 0.02], 0)
def test_q_values_equal_the_slow_twin(p_values, more):
    n_tests = len(p_values) + more
    expected = reference.q_values(p_values, n_tests)
    assert false_discovery_rate(np.array(p_values), n_tests=n_tests).tolist() == pytest.approx(expected)


def test_q_values_are_those_of_scipy_and_of_no_test():
    p_values = np.random.default_rng(0).random(50) ** 3
    expected = stats.false_discovery_control(p_values)
    assert false_discovery_rate(p_values, n_tests=50) == pytest.approx(expected)
    assert false_discovery_rate(np.empty(0), n_tests=1e9).size == 0
    # No fewer tests than are known, whatever is said.
    assert false_discovery_rate(p_values, n_tests=3) == pytest.approx(expected)


def test_the_harmonic_mean_of_one_test_is_itself_and_of_none_nothing():
    p_values = np.array([[0.03, np.nan], [np.nan, 0.5], [np.nan, np.nan], [1e-200, np.nan]])
    found = harmonic_mean(p_values)
    assert found[[0, 1, 3]].tolist() == [0.03, 0.5, 1e-200]
    assert np.isnan(found[2])


def test_far_out_the_harmonic_mean_is_the_mean_and_passes_over_without_a_step():
    p_values = np.array(
        [[1e-12, 1e-12], [1e-12, 1.0], [1.001e-9, 1.001e-9], [0.999e-9, 0.999e-9], [1e-320, 1.0]]
    )
    found = harmonic_mean(p_values)
    assert found[:2] == pytest.approx([1e-12, 2e-12], rel=1e-6)
    assert found[2] / found[3] == pytest.approx(1.001 / 0.999, rel=1e-4)
    assert 0 <= found[4] < 1e-290


@pytest.mark.parametrize("n", [2, 4, 8])
def test_the_harmonic_mean_of_independent_tests_is_calibrated(n):
    p_values = np.random.default_rng(n).random((N, n))
    found = harmonic_mean(p_values)
    for x in (0.1, 0.05, 0.01, 0.001):
        at_most = int((found <= x).sum())
        assert stats.binomtest(at_most, N, x, alternative="greater").pvalue > 1e-6
        assert at_most > 0.8 * x * N - 5 * np.sqrt(x * N)  # near it, not merely below
    # The smallest of several is not: such a statistic would be seen here.
    smallest = int((p_values.min(axis=1) <= 0.01).sum())
    assert stats.binomtest(smallest, N, 0.01, alternative="greater").pvalue < 1e-6


def test_the_harmonic_mean_of_the_same_test_twice_is_hardly_smaller():
    # The worst dependence there is: all tests are one.
    p = np.random.default_rng(0).random(N)
    for n in (2, 4):
        found = harmonic_mean(np.repeat(p[:, None], n, axis=1))
        for x in (0.05, 0.01, 0.001):
            assert (found <= x).mean() <= 1.05 * x + 5 * np.sqrt(x / N)


def test_a_test_that_found_nothing_counts_and_one_not_made_does_not():
    made = harmonic_mean(np.array([[0.001, 1.0]]))[0]
    not_made = harmonic_mean(np.array([[0.001, np.nan]]))[0]
    assert not_made == 0.001
    assert made == pytest.approx(0.002, rel=0.05)
