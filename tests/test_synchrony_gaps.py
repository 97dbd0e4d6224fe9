from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from reference import synchrony as reference

from propgraph.arrays.incidence import incidence
from propgraph.schema import TIME
from propgraph.synchrony import gaps as gaps_module
from propgraph.synchrony.gaps import chance_at, gaps_of, untied

# From no ties to hardly anything else.
objects = st.integers(1, 40).flatmap(lambda span: st.lists(st.integers(0, span), min_size=1, max_size=45))
logs = st.lists(objects, min_size=1, max_size=4)


def log_of(times_of):
    """The incidence of objects with posts at given times, each of an account of its own."""
    rows = [(f"o{o}", time) for o, times in enumerate(times_of) for time in times]
    return incidence(
        pl.DataFrame(
            {
                "account_id": [f"a{k:05}" for k in range(len(rows))],
                "object_id": [row[0] for row in rows],
                "content_id": [f"p{k}" for k in range(len(rows))],
                "timestamp": pl.Series([row[1] for row in rows], dtype=pl.Int64).cast(TIME),
            }
        )
    )


def chances(gaps, object_, n):
    return [chance_at(g, object_, n, gaps.counted, gaps.chance) for g in range(1, n)]


@settings(max_examples=200)
@given(logs, st.sampled_from([0.05, 0.1, 0.2, 0.5, 0.9]), st.sampled_from([1, 2, 5, 50]))
@example([[0]], 0.2, 50)
@example([[0, 0]], 0.9, 1)
@example([[0] * 30, list(range(30))], 0.2, 50)
def test_gaps_equal_the_slow_twin(times_of, tau, neighbours):
    log = log_of(times_of)
    gaps = gaps_of(log, tau=tau, neighbours=neighbours)
    for o, times in enumerate(map(sorted, times_of)):
        part = slice(log.offsets[o], log.offsets[o + 1])
        # A gap is from the first tied with the earlier to the last tied with the later.
        for p, time in enumerate(times):
            assert gaps.last[part][p] - gaps.first[part][0] == reference.gap(times, times[0], time)
            assert gaps.last[part][-1] - gaps.first[part][p] == reference.gap(times, time, times[-1])
        n = len(times)
        exact = [reference.chance(times, g) for g in range(1, n)]
        found = chances(gaps, o, n)
        n_counted = gaps.counted[o + 1] - gaps.counted[o]
        n_exact = n if len(set(times)) == n else n_counted - 1
        assert found[:n_exact] == pytest.approx(exact[:n_exact], abs=1e-12)
        # What is not counted is never told as rarer than it is, and never near.
        assert all(a >= b - 1e-12 and a > tau for a, b in zip(found[n_exact:], exact[n_exact:], strict=True))
        assert gaps.least[o] == pytest.approx(reference.least(times), abs=1e-12)
        assert gaps.limit[o] == reference.limit(times, tau, neighbours)


@given(st.integers(2, 300), st.data())
def test_without_ties_pairs_are_counted_by_a_formula(n, data):
    gap = data.draw(st.integers(1, n - 1))
    pairs = sum(min(gap, n - 1 - position) for position in range(n))  # those that start at each position
    assert untied(gap, n) == pytest.approx(pairs / (n * (n - 1) / 2), rel=1e-12)


def test_all_pairs_have_some_gap():
    assert untied(9, 10) == 1
    gaps = gaps_of(log_of([[0, 0, 1, 1, 1, 2]]), tau=0.5, neighbours=50)
    assert chances(gaps, 0, 6)[-1] == 1


def test_posts_of_one_time_cannot_be_near_unless_they_are_few():
    # All of one minute: the only gap is the largest, its chance 1. Nobody is near anybody.
    gaps = gaps_of(log_of([[0] * 40]), tau=0.2, neighbours=50)
    assert gaps.limit[0] == 0
    assert gaps.least[0] == 1


def test_beyond_the_gaps_that_are_counted_the_law_without_ties_is_safe(monkeypatch):
    monkeypatch.setattr(gaps_module, "_COUNTED", 3)
    rng = np.random.default_rng(0)
    times = sorted(rng.integers(0, 300, 400).tolist())
    gaps = gaps_of(log_of([times]), tau=0.5, neighbours=50)
    n_counted = int(gaps.counted[1])
    assert 3 < n_counted < 200
    tied = np.array([gaps.last[p] for p in range(400)]), np.array([gaps.first[p] for p in range(400)])
    spans = np.concatenate([tied[0][p + 1 :] - tied[1][p] for p in range(400)])
    exact = np.array([(spans <= g).mean() for g in range(1, 400)])
    found = np.array(chances(gaps, 0, 400))
    assert found[: n_counted - 1] == pytest.approx(exact[: n_counted - 1])
    assert (found[n_counted - 1 :] >= exact[n_counted - 1 :] - 1e-12).all()
    assert (found[n_counted - 1 :] > exact[n_counted - 1 :]).any()
    assert (np.diff(found) >= 0).all()


def test_large_ties_cost_no_more_than_a_thousand_posts_look():
    gaps = gaps_of(log_of([[0] * 3_000 + list(range(1, 9_001))]), tau=0.2, neighbours=50)
    assert gaps.counted[1] < 5_000
    assert gaps.limit[0] == 1_000
    # One and the next of 9,001 single posts; the tie itself is never so near.
    assert gaps.least[0] == pytest.approx(8_999 / (12_000 * 11_999 / 2))
