from __future__ import annotations

from itertools import product
from math import exp, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import ranks as reference
from test_cosharing_gaps import log_of

from propgraph.cosharing.combine import truncated_product
from propgraph.cosharing.gaps import gaps_of
from propgraph.cosharing.steps import MOST, PARTS, stepped_tail


def found_tail(times_of, ways, tau, total, *, parts=PARTS, up=True):
    """What the kernel says of objects with posts at given times, all of them tested."""
    shares = log_of(times_of)
    gaps = gaps_of(shares, tau=tau, neighbours=50)
    objects = np.arange(len(times_of))
    return exp(
        stepped_tail(
            objects, np.array(ways), shares.offsets, gaps.counted, gaps.chance, tau, float(total), parts, up
        )
    )


def outcomes(times_of, ways, tau):
    """All that the sum can come to, and how often."""
    each = []
    for times, n_ways in zip(times_of, ways, strict=True):
        values = sorted({n_ways * reference.chance(times, g) for g in set(reference.gaps(times))})
        values = [value for value in values if value <= tau]
        steps = [(log(tau / v), v - before) for v, before in zip(values, [0, *values], strict=False)]
        each.append([*steps, (0.0, 1 - (values[-1] if values else 0))])
    return [(sum(t for t, _ in all_), float(np.prod([w for _, w in all_]))) for all_ in product(*each)]


@settings(max_examples=100)
@given(
    st.lists(st.lists(st.integers(0, 60), min_size=2, max_size=30), min_size=1, max_size=3),
    st.data(),
    st.sampled_from([0.2, 0.5]),
)
def test_chance_is_never_told_as_too_small_and_hardly_as_too_large(times_of, data, tau):
    ways = [data.draw(st.integers(1, 3)) for _ in times_of]
    everything = outcomes(times_of, ways, tau)
    for total in {round(t, 12) for t, _ in everything if t > 0}:
        found = found_tail(times_of, ways, tau, total)
        exact = sum(weight for t, weight in everything if t >= total - 1e-9)
        # Each of the terms was rounded up by less than a part.
        loose = sum(weight for t, weight in everything if t >= total * (1 - len(times_of) / PARTS) - 1e-9)
        assert exact * (1 - 1e-6) <= found <= loose * (1 + 1e-6)
        few = found_tail(times_of, ways, tau, total, parts=16, up=False)
        assert few <= exact * (1 + 1e-6)


def test_two_objects_at_their_rarest():
    times = [list(range(100)), list(range(100))]
    total = 2 * log(0.2 / 0.02)
    assert found_tail(times, [1, 1], 0.2, total) == pytest.approx(0.02**2)
    assert exp(truncated_product(2, total, 0.2)) > 0.005


def test_large_objects_are_as_the_law_of_uniform_probabilities():
    times = [list(range(40_000))] * 3
    for total in (2.0, 4.0, 6.0):  # no single object's rarest gap comes to so much
        law = exp(truncated_product(3, total, 0.2))
        assert 0.9 * law <= found_tail(times, [1, 1, 1], 0.2, total) <= 1.15 * law


def test_too_many_objects_too_large_a_sum_and_none_are_left_to_the_other_law():
    assert found_tail([list(range(20))] * (MOST + 1), [1] * (MOST + 1), 0.2, 5.0) == 1
    assert found_tail([list(range(20))], [1], 0.2, 50.0) == 1  # more than there can be
    assert found_tail([list(range(20))], [1], 0.2, 0.0) == 1
