from __future__ import annotations

from statistics import fmean

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import cosharing as reference

from propgraph.arrays.incidence import incidence
from propgraph.cosharing.chance import chance_of
from propgraph.cosharing.window import cosharing_edges

times = st.sampled_from([0, 1_000, 4_999, 5_000, 10_000, 10_001, 30_000, 90_000])
logs = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from(["o1", "o2", "o3"]), times), min_size=2, max_size=30
)
# Each account posts an object at most once, few accounts and objects: all permutations can be walked.
tiny_logs = st.dictionaries(
    st.tuples(st.sampled_from("abcd"), st.sampled_from(["o1", "o2"])), times, min_size=2, max_size=8
)


def numbered(log):
    return [(f"p{number}", *row) for number, row in enumerate(log)]


def frame(rows):
    names = ("content_id", "account_id", "object_id", "timestamp")
    shares = pl.DataFrame(rows, schema=names, orient="row")
    return shares.with_columns(pl.col("timestamp").cast(pl.Datetime("ms", "UTC")))


def edges_of(rows, window_ms, **choices):
    choices = {"min_participation": 1, "min_edge_weight": 1, "threads": 2} | choices
    return cosharing_edges(frame(rows), time_window=window_ms / 1000, **choices)


@settings(deadline=None, max_examples=200)
@given(logs, st.sampled_from([0, 1_000, 5_000, 60_000]), st.integers(1, 2))
def test_expectation_equals_the_enumeration_of_pairs(log, window_ms, min_participation):
    rows = numbered(log)
    for edge in edges_of(rows, window_ms, min_participation=min_participation).iter_rows(named=True):
        # Posts of accounts that do not take part are part of the object's burst all the same.
        n_shared, expected = reference.chance(rows, edge["source"], edge["target"], window_ms=window_ms)
        assert edge["n_shared"] == n_shared
        assert edge["expected"] == pytest.approx(expected, rel=1e-12)
        tail = min(1.0, reference.poisson_tail(edge["n_objects"], expected))
        assert edge["p_value"] == pytest.approx(tail, rel=1e-9)


@pytest.mark.parametrize("threads", [1, 2])
def test_expectation_over_many_edges_equals_the_enumeration_of_pairs(threads):
    # Each account knows some of the objects only; of most edges the busier end has several neighbours.
    rng = np.random.default_rng(5)
    rows = numbered(
        (f"a{account:02}", f"o{rng.integers(12) * (1 + account % 3)}", int(rng.integers(600)) * 1000)
        for account in rng.integers(0, 20, 300)
    )
    edges = edges_of(rows, 30_000, threads=threads)
    assert edges.height > 100
    twins = [
        reference.chance(rows, *ends, window_ms=30_000) for ends in edges.select("source", "target").rows()
    ]
    assert edges["n_shared"].to_list() == [n_shared for n_shared, _ in twins]
    assert edges["expected"].to_list() == pytest.approx([expected for _, expected in twins], rel=1e-12)


@settings(deadline=None, max_examples=60)
@given(tiny_logs, st.sampled_from([0, 1_000, 5_000, 20_000]))
def test_expectation_equals_the_mean_over_all_permutations_of_times(log, window_ms):
    rows = numbered((*key, time) for key, time in log.items())
    worlds = [reference.pairs_within(world, window_ms) for world in reference.permuted(rows)]
    for edge in edges_of(rows, window_ms).iter_rows(named=True):
        ends = {edge["source"], edge["target"]}
        co_shares = [sum({one[1], other[1]} == ends for one, other in world) for world in worlds]
        assert edge["expected"] == pytest.approx(fmean(co_shares), rel=1e-9)


@settings(deadline=None, max_examples=40)
@given(st.lists(times, min_size=2, max_size=6), st.sampled_from([0, 1_000, 5_000, 20_000]))
def test_fraction_equals_the_chance_of_two_posts_under_permutation(post_times, window_ms):
    # Two accounts and silent others; the edge is asked for by code, so that it need not be seen.
    rows = numbered((f"a{number}", "o", time) for number, time in enumerate(post_times))
    near = [abs(world[0][3] - world[1][3]) <= window_ms for world in reference.permuted(rows)]
    found = chance_of(
        incidence(frame(rows)),
        source=np.array([0]), target=np.array([1]), n_objects=np.array([1]), window_ms=window_ms, threads=1,
    )  # fmt: skip
    assert found.n_shared.tolist() == [1]
    assert found.expected[0] == pytest.approx(fmean(near), rel=1e-9, abs=1e-15)


def test_expectation_by_hand():
    # o1: of six pairs of posts two lie within 10 s; a posted it twice, b once: 1 - (2/3)^2.
    # o2: one pair of posts, within: 1. o3: only a shared it.
    rows = numbered([
        ("a", "o1", 0), ("b", "o1", 5_000), ("a", "o1", 50_000), ("c", "o1", 55_000),
        ("a", "o2", 0), ("b", "o2", 10_000), ("a", "o3", 0),
    ])  # fmt: skip
    edge = edges_of(rows, 10_000).row(0, named=True)
    assert (edge["source"], edge["target"], edge["n_objects"], edge["n_shared"]) == ("a", "b", 2, 2)
    assert edge["expected"] == pytest.approx(1 + 5 / 9, rel=1e-14)
    mean = 14 / 9
    assert edge["p_value"] == pytest.approx(1 - np.exp(-mean) * (1 + mean), rel=1e-12)


def test_a_burst_explains_its_own_co_shares_and_quiet_objects_do_not():
    # A hundred strangers share the story within a minute; two accounts meet on ten objects over a year.
    burst = [(f"s{number:02}", "story", number * 500) for number in range(100)]
    year = [
        (account, f"quiet{number}", number * 10**9 + far)
        for number in range(10)
        for account, far in [("x", 0), ("y", 2_000)] + [(f"z{k}", (k + 1) * 10**7) for k in range(9)]
    ]
    edges = edges_of(numbered(burst + year), 60_000)
    story = edges.filter(pl.col("source").str.starts_with("s"))
    assert story.height == 100 * 99 // 2
    assert set(story["expected"]) == {1.0}
    assert story["p_value"].min() == pytest.approx(1 - np.exp(-1), rel=1e-12)
    pair = edges.filter(pl.col("source") == "x").row(0, named=True)
    assert (pair["target"], pair["n_objects"]) == ("y", 10)
    assert pair["expected"] == pytest.approx(10 / 55, rel=1e-12)
    assert pair["p_value"] == pytest.approx(reference.poisson_tail(10, 10 / 55), rel=1e-9)
    assert pair["p_value"] < 1e-13


def test_the_twin_of_the_tail_sums_to_one():
    assert reference.poisson_tail(0, 3.0) == pytest.approx(1, rel=1e-12)
    assert reference.poisson_tail(2, 0.5) == pytest.approx(1 - np.exp(-0.5) * 1.5, rel=1e-12)
