"""The oracle of `benchmarks bound` against laws that are known."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from scipy.stats import norm

from benchmarks.detection.bound import of_crew, of_member, power


def test_power_is_that_of_the_best_test_between_two_normal_laws():
    # N(2, 1) against N(0, 1): the ratio is exp(2x - 2), the best test rejects from the quantile on.
    x = np.random.default_rng(0).normal(2, 1, 200_000)
    for rate in (0.05, 0.01, 0.001):
        assert power(2 * x - 2, rate) == pytest.approx(norm.sf(norm.isf(rate) - 2), abs=0.01)


def test_power_where_the_ratio_is_one_number():
    # Always eight: chance looks like that once in eight, so that half of that rate allows half of the campaigns.
    eight = np.full(10, log(8))
    assert power(eight, 1 / 16) == pytest.approx(0.5)
    assert power(eight, 1 / 8) == pytest.approx(1)
    assert power(np.zeros(10), 0.05) == pytest.approx(0.05)


def test_ratios_by_hand():
    # Ten posts, one a second, then ten a thousand seconds apart: within three seconds stand up to four of twenty.
    times = np.concatenate([np.arange(10), 1_000 * np.arange(1, 11)]).astype(float)
    rng = np.random.default_rng(1)
    ratios = {round(float(np.exp(of_member(times, 3.0, rng))), 6) for _ in range(500)}
    assert ratios == {20 / 4, round(20 / 3, 6), 20 / 2, 20 / 1}
    # Every ratio has the mean 1 under the null; of a crew's, so its inverse has over campaigns: all placements once.
    inverse = [np.exp(-of_crew(times, 3.0, 2, rng)) for _ in range(40_000)]
    possible = {
        (p, q)
        for begin in range(20)
        for p in range(begin, int(np.searchsorted(times, times[begin] + 3, side="right")))
        for q in range(begin, int(np.searchsorted(times, times[begin] + 3, side="right")))
    }
    assert np.mean(inverse) == pytest.approx(len(possible) / 400, rel=0.02)
