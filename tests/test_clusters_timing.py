from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from reference import timing as reference

from propgraph.arrays.incidence import incidence
from propgraph.clusters.timing import log_tail, timing_of, usual_rate
from propgraph.schema import TIME

MINUTE = 60_000


def frame(posts):
    """Shares as `incidence` takes them, out of tuples of account, object, time (ms)."""
    return pl.DataFrame(
        {
            "account_id": [post[0] for post in posts],
            "object_id": [post[1] for post in posts],
            "content_id": [f"post{k}" for k in range(len(posts))],
            "timestamp": pl.Series([post[2] for post in posts], dtype=pl.Int64).cast(TIME),
        },
        schema_overrides={"account_id": pl.String, "object_id": pl.String, "content_id": pl.String},
    )


def timing(posts, cluster_of, window_ms):
    """`timing_of` with labels in the place of codes, in the shape that the slow twin returns."""
    log = incidence(frame(posts))
    cluster = np.array([cluster_of.get(account, -1) for account in log.accounts], dtype=np.int64)
    found = timing_of(log, cluster, window_ms=window_ms, habits=False)
    objects = {
        (row["cluster"], log.objects[row["object"]]): (row["n_pairs"], row["n_within"], row["outsider_rate"])
        for row in found.objects.to_dicts()
    }
    members = {
        (row.pop("cluster"), log.accounts[row.pop("account")]): row for row in found.members.to_dicts()
    }
    fellows = [None] * len(posts)
    for row in found.shares.to_dicts():
        fellows[row["row"]] = row["n_fellows"]
        assert posts[row["row"]][0] == log.accounts[row["account"]]
        assert posts[row["row"]][1] == log.objects[row["object"]]
        assert cluster_of[posts[row["row"]][0]] == row["cluster"]
    return objects, members, fellows


POSTS = st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("xyz"), st.integers(0, 12))
CLUSTERS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 2), max_size=8)


@settings(deadline=None, max_examples=300)
@given(st.lists(POSTS, max_size=40), CLUSTERS, st.integers(0, 4))
@example([], {}, 1)
@example([("a", "x", 0)] * 3 + [("b", "x", 0)] * 2, {"a": 0, "b": 0}, 0)  # ties, repeats, members only
@example([("a", "x", 0), ("b", "x", 1), ("c", "x", 1)], {}, 1)  # no member at all
@example([("a", "x", 0), ("b", "x", 1), ("c", "x", 9), ("d", "x", 9)], {"a": 0, "b": 0, "c": 1, "d": 1}, 1)
def test_figures_equal_the_slow_twin(posts, cluster_of, window_ms):
    objects, members, fellows = timing(posts, cluster_of, window_ms)
    slow_objects, slow_members, slow_fellows = reference.timing(posts, cluster_of, window_ms)
    assert fellows == slow_fellows
    assert objects.keys() == slow_objects.keys()
    for key, row in objects.items():
        assert row == pytest.approx(slow_objects[key], rel=1e-12)
    assert members.keys() == slow_members.keys()
    for key, row in members.items():
        slow = slow_members[key]
        for name in ("n_objects", "window_rate", "outsider_rate", "n_co_objects", "expected_co_objects"):
            assert row[name] == pytest.approx(slow[name], rel=1e-12)


@settings(deadline=None, max_examples=300)
@given(st.lists(POSTS, max_size=40), CLUSTERS, st.integers(0, 4))
@example([("a", "x", 0)] * 3 + [("b", "x", 5), ("b", "x", 6), ("a", "x", 6)], {"a": 0, "b": 0}, 1)
def test_who_gathers_equals_the_slow_twin(posts, cluster_of, window_ms):
    log = incidence(frame(posts))
    cluster = np.array([cluster_of.get(account, -1) for account in log.accounts], dtype=np.int64)
    found = timing_of(log, cluster, window_ms=window_ms).objects
    assert {
        (row["cluster"], log.objects[row["object"]]): (row["gathered"], row["gathered_ms"])
        for row in found.to_dicts()
    } == reference.gathered(posts, cluster_of, window_ms)


@settings(deadline=None)
@given(st.lists(POSTS, max_size=40), st.integers(0, 4))
def test_usual_pace_equals_the_slow_twin(posts, window_ms):
    found = usual_rate(incidence(frame(posts)), window_ms=window_ms)
    assert found == pytest.approx(reference.usual_rate(posts, window_ms), rel=1e-12)  # and over how many


def test_figures_by_hand():
    # Members a, b, c post x at 0, 30 and 300 s; outsiders d, e, f at 0, 50 and 1000 s. Window 60 s.
    posts = [(who, "x", s * 1000) for who, s in zip("abcdef", (0, 30, 300, 0, 50, 1000), strict=True)]
    objects, members, fellows = timing(posts, {"a": 0, "b": 0, "c": 0}, MINUTE)
    # Of members' 3 pairs one is in the window, of outsiders' 3 one; the log's usual part is that of x and
    # a hundredth of an object of doubt: (1/3 + 0.01) / 2.
    usual = (1 / 3 + 0.01) / 2
    outsider_rate = (1 + 20 * usual) / (3 + 20)
    assert objects == {(0, "x"): pytest.approx((3, 1, outsider_rate))}
    assert fellows == [1, 1, 0, None, None, None]
    assert members[0, "a"]["window_rate"] == members[0, "b"]["window_rate"] == 1 / 2
    assert members[0, "c"]["window_rate"] == 0
    assert members[0, "c"]["n_co_objects"] == 0
    assert members[0, "c"]["expected_co_objects"] == pytest.approx(1 - (1 - outsider_rate) ** 2)


def test_a_burst_of_strangers_excuses_members():
    members = [(who, "x", 1000 * k) for k, who in enumerate("abc")]
    crowd = [(f"s{k}", "x", 300 * k) for k in range(100)]
    alone, _, _ = timing(members, {"a": 0, "b": 0, "c": 0}, MINUTE)
    within, _, _ = timing(members + crowd, {"a": 0, "b": 0, "c": 0}, MINUTE)
    assert alone[0, "x"][:2] == within[0, "x"][:2] == (3, 3)
    # Nobody else is there, so the members' own pace is all there is: (1 + 0.01) / 2.
    assert alone[0, "x"][2] == pytest.approx(0.505)
    assert within[0, "x"][2] > 0.99


def test_pairs_beyond_32_bits_are_counted():
    # Two accounts with 46,500 posts each: 2 * 46,500² ordered pairs pass 2**32.
    n = 46_500
    posts = pl.DataFrame({"k": np.arange(2 * n)}).select(
        account_id=pl.when(pl.col("k") < n).then(pl.lit("a")).otherwise(pl.lit("b")),
        object_id=pl.lit("x"),
        content_id=pl.format("post{}", "k"),
        timestamp=pl.lit(0, dtype=pl.Int64).cast(TIME),
    )
    found = timing_of(incidence(posts), np.zeros(2, np.int64), window_ms=0)
    assert found.objects["n_pairs"].to_list() == found.objects["n_within"].to_list() == [n * n]
    assert found.members["window_rate"].to_list() == [1, 1]


def groups(part, mean, weight):
    """Parts of many groups of equal size as `log_tail` takes them; arrays with a row a group."""
    n, size = part.shape
    return pl.DataFrame(
        {
            "group": np.repeat(np.arange(n), size),
            "part": part.ravel(),
            "outsider_rate": mean.ravel(),
            "weight": weight.ravel(),
        }
    )


@pytest.mark.parametrize("kind", ["yes or no", "in between"])
@pytest.mark.parametrize("size", [2, 15])
def test_the_bound_is_a_bound(kind, size):
    rng = np.random.default_rng(20261)
    n = 40_000
    # One design, drawn again and again: means and weights as objects have them, some rare, some common.
    mean = np.broadcast_to(rng.beta(0.7, 3, size), (n, size))
    weight = np.broadcast_to(rng.lognormal(0, 1, size), (n, size))
    part = (rng.random((n, size)) < mean) * 1.0 if kind == "yes or no" else rng.beta(4 * mean, 4 * (1 - mean))
    log_p = log_tail(groups(part, mean, weight), ["group"], weight="weight").to_numpy()
    for alpha in (0.1, 0.01):
        rate = (log_p <= np.log(alpha)).mean()
        assert rate <= alpha
    # Nor is it empty: such sums as chance seldom gives are seldom.
    if kind == "yes or no" and size == 15:
        assert (log_p <= np.log(0.1)).mean() > 0.005


PARTS = st.lists(st.tuples(st.floats(0, 1), st.floats(0.001, 0.9), st.integers(1, 9)), min_size=1, max_size=8)


@settings(deadline=None)
@given(st.lists(PARTS, min_size=1, max_size=4))
def test_the_bound_equals_the_slow_twin(several):
    rows = [(g, *one) for g, parts in enumerate(several) for one in parts]
    table = pl.DataFrame(rows, schema=["g", "part", "outsider_rate", "w"], orient="row")
    for found, parts in zip(log_tail(table, ["g"], weight="w"), several, strict=True):
        slow = reference.log_tail(parts)
        # The least over a grid of t: never below the least over all t, and hardly above it.
        assert slow - 1e-9 <= found <= 0.97 * slow + 1e-9


def test_the_bound_where_it_is_exact():
    # All parts 1, equal weights: the product of the means, whatever t, from large t on.
    part = pl.DataFrame(
        {"g": [0, 0, 0], "part": [1.0, 1.0, 1.0], "outsider_rate": [0.1, 0.2, 0.05], "w": [3, 3, 3]}
    )
    assert np.exp(log_tail(part, ["g"], weight="w")[0]) == pytest.approx(0.1 * 0.2 * 0.05)
    # At or below the mean nothing is surprising.
    part = part.with_columns(part=pl.lit(0.05))
    assert log_tail(part, ["g"], weight="w")[0] == 0


def test_no_parts_have_no_bound():
    empty = pl.DataFrame(
        schema={"g": pl.UInt32, "part": pl.Float64, "outsider_rate": pl.Float64, "w": pl.Float64}
    )
    assert log_tail(empty, ["g"], weight="w").to_list() == []
