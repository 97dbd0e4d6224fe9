from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import cascades as reference

from propgraph.cascades.shapes.comparison import matched_difference
from propgraph.cascades.shapes.percentiles import SHAPE_METRICS, percentile_name, size_matched_percentiles
from propgraph.cascades.shapes.shape import cascade_shapes
from propgraph.errors import InputError, UsageError
from propgraph.schema import CASCADES

SIZES = st.one_of(st.integers(1, 12), st.integers(90, 130), st.just(2**31))
VALUES = st.one_of(st.none(), st.integers(-2, 3), st.just(float("inf")), st.just(float("-inf")))
ROWS = st.lists(st.tuples(SIZES, VALUES), max_size=25)


def frame_of(rows):
    return pl.DataFrame(rows, schema={"size": pl.UInt32, "depth": pl.Float64}, orient="row")


def columns_of(rows):
    return [row[0] for row in rows], [row[1] for row in rows]


@settings(deadline=None, max_examples=300)
@given(ROWS, st.one_of(st.none(), ROWS), st.integers(1, 5), st.sampled_from([1, 1.1, 1.5, 4]))
def test_percentiles_equal_the_slow_twin(rows, among, min_others, max_ratio):
    found = size_matched_percentiles(
        frame_of(rows),
        reference=None if among is None else frame_of(among),
        min_others=min_others,
        max_ratio=max_ratio,
    )
    other = None if among is None else columns_of(among)
    slow = reference.size_matched_percentiles(*columns_of(rows), other, min_others, max_ratio)
    assert found.schema == {"depth_pct": pl.Float64}
    assert found["depth_pct"].to_list() == pytest.approx(slow, abs=1e-12)


def random_trees(sizes, seed):
    """Cascades of random recursive trees: what happens if nothing differs but size."""
    generator = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    row = np.arange(offsets[-1])
    first = np.repeat(offsets[:-1], sizes)
    parent = first + (generator.random(row.size) * (row - first)).astype(np.int64)
    parent[offsets[:-1]] = -1
    return pl.DataFrame(cascade_shapes(offsets, parent)).with_columns(pl.col(pl.Float64).fill_nan(None))


def test_percentiles_are_uniform_at_every_size_where_nothing_differs():
    generator = np.random.default_rng(1)
    sizes = np.minimum(2 / generator.random(40_000), 3000).astype(np.int64)
    cascades = random_trees(sizes, 2)
    found = size_matched_percentiles(cascades)
    assert found.columns == [percentile_name(name) for name in SHAPE_METRICS if name in cascades.columns]
    for name in found.columns:
        for least, most in ((2, 3), (4, 9), (10, 99), (100, 3000)):
            part = found[name].filter(cascades["size"].is_between(least, most)).drop_nulls().to_numpy()
            assert part.size > 300
            assert part.mean() == pytest.approx(0.5, abs=0.01)
    # Where few ties are left the whole distribution is flat, not its mean alone.
    large = found["structural_virality_pct"].filter(cascades["size"] > 30).drop_nulls().to_numpy()
    parts = np.histogram(large, bins=10, range=(0, 1))[0] / large.size
    assert parts == pytest.approx(np.full(10, 0.1), abs=0.015)


def test_where_all_are_equal_each_stands_in_the_middle():
    found = size_matched_percentiles(pl.DataFrame({"size": [2] * 31, "depth": [1] * 31}))
    assert found["depth_pct"].to_list() == [0.5] * 31


def test_too_few_of_like_size_give_null():
    cascades = pl.DataFrame({"size": [5] * 30 + [50] * 31, "depth": [1] * 61})
    found = size_matched_percentiles(cascades)["depth_pct"]
    assert found.to_list() == [None] * 30 + [0.5] * 31


def test_against_a_reference_one_cascade_is_enough():
    reference_table = pl.DataFrame({"size": range(95, 106), "depth": range(11), "duration_s": [None] * 11})
    own = pl.DataFrame({"size": [100, 100, 300], "depth": [5, 11, 5], "duration_s": [1.0, 2.0, 3.0]})
    found = size_matched_percentiles(own, reference=reference_table, min_others=11)
    assert found["depth_pct"].to_list() == [0.5, 1.0, None]
    assert found["duration_pct"].to_list() == [None] * 3


def test_percentile_columns_are_declared():
    assert {percentile_name(name) for name in SHAPE_METRICS} <= set(CASCADES.columns)
    assert set(SHAPE_METRICS) <= set(CASCADES.columns)


def test_no_cascades():
    empty = frame_of([])
    assert size_matched_percentiles(empty).is_empty()
    assert size_matched_percentiles(empty, reference=frame_of([(1, 1)])).is_empty()
    assert size_matched_percentiles(frame_of([(1, 1)]), reference=empty)["depth_pct"].to_list() == [None]


def test_faults_are_named_together():
    with pytest.raises(InputError) as error:
        size_matched_percentiles(frame_of([(0, 1), (3, 1)]), metrics=["depht"])
    assert "'depht' (did you mean 'depth'?)" in str(error.value)
    assert "'size' is null or below 1 in 1 of 2 rows" in str(error.value)
    with pytest.raises(UsageError, match="min_others"):
        size_matched_percentiles(frame_of([]), min_others=0)
    with pytest.raises(UsageError, match="max_ratio"):
        size_matched_percentiles(frame_of([]), max_ratio=0.9)


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.tuples(st.integers(1, 130), st.integers(-2, 3), st.sampled_from("ab")), max_size=25),
    st.sampled_from([1, 1.1, 3]),
)
def test_matched_difference_equals_the_slow_twin(rows, max_ratio):
    rows = [*rows, (3, 1, "a"), (900, 2, "b")]
    sizes, values, labels = zip(*rows, strict=True)
    cascades = pl.DataFrame({"size": sizes, "depth": values})
    told = matched_difference(
        cascades, pl.Series(labels), metrics=["depth"], max_ratio=max_ratio, resamples=20
    ).row(0, named=True)
    matched = reference.matched_means(sizes, values, labels, max_ratio)
    raw = reference.matched_means([1] * len(sizes), values, labels, max_ratio)
    assert (told["matched_difference"], told["matched_superiority"]) == pytest.approx(matched, abs=1e-12)
    assert (told["difference"], told["superiority"]) == pytest.approx(raw, abs=1e-12)
    a, b = ([v for v, label in zip(values, labels, strict=True) if label == name] for name in "ab")
    assert (told["n_a"], told["n_b"]) == (len(a), len(b))
    assert (told["mean_a"], told["median_b"]) == pytest.approx((np.mean(a), np.median(b)))


def test_a_difference_of_size_alone_does_not_survive_matching_and_one_of_shape_does():
    generator = np.random.default_rng(3)
    small = np.minimum(3 / generator.random(1500), 900).astype(np.int64)
    large = np.minimum(8 / generator.random(1500), 900).astype(np.int64)
    labels = pl.Series(["a"] * 1500 + ["b"] * 1500)
    cascades = random_trees(np.concatenate([large, small]), 4)
    told = matched_difference(cascades, labels, metrics=["depth"], resamples=300).row(0, named=True)
    assert told["difference_low"] > 0
    assert told["superiority_low"] > 0.5
    assert told["matched_difference_low"] < 0 < told["matched_difference_high"]
    assert told["matched_superiority_low"] < 0.5 < told["matched_superiority_high"]
    deeper = cascades.with_columns(pl.col("depth") + (labels == "a").cast(pl.UInt32))
    told = matched_difference(deeper, labels, metrics=["depth"], resamples=300).row(0, named=True)
    assert told["matched_difference"] == pytest.approx(1, abs=0.25)
    assert told["matched_difference_low"] > 0.5


def test_intervals_cover_the_truth_as_often_as_they_say():
    generator = np.random.default_rng(5)
    covered = 0
    for _ in range(100):
        sizes = generator.integers(5, 15, 200)
        cascades = pl.DataFrame({"size": sizes, "depth": sizes + generator.normal(size=200)})
        labels = pl.Series(np.where(generator.random(200) < sizes / 20, "a", "b"))
        told = matched_difference(cascades, labels, metrics=["depth"], resamples=200).row(0, named=True)
        covered += told["matched_difference_low"] <= 0 <= told["matched_difference_high"]
    assert covered >= 88


def test_differences_do_not_depend_on_the_order_of_rows():
    cascades = random_trees(np.random.default_rng(6).integers(1, 60, 300), 7)
    labels = pl.Series(["a", "b", "c", None] * 75)
    order = np.random.default_rng(8).permutation(300)
    told = matched_difference(cascades, labels, groups=("b", "a"), resamples=50)
    assert told["metric"].to_list()[0] == "size"
    assert told["n_a"][0] == 75
    shuffled = matched_difference(cascades[order], labels[order], groups=("b", "a"), resamples=50)
    assert shuffled.equals(told)
    other_way = matched_difference(cascades, labels, groups=("a", "b"), resamples=50)
    assert other_way["matched_difference"].to_list() == pytest.approx((-told["matched_difference"]).to_list())


def test_groups_are_checked():
    cascades = frame_of([(1, 1), (2, 1), (3, 1)])
    with pytest.raises(UsageError, match="labels: found a, b, c; name the two groups"):
        matched_difference(cascades, pl.Series(["a", "b", "c"]))
    with pytest.raises(UsageError, match="groups: 'd' is not one of"):
        matched_difference(cascades, pl.Series(["a", "b", "c"]), groups=("a", "d"))
    with pytest.raises(UsageError, match="labels: 2 for 3 cascades"):
        matched_difference(cascades, pl.Series(["a", "b"]))


def test_nothing_in_common_is_told_as_null():
    cascades = pl.DataFrame({"size": [5, 50], "depth": [1, 2], "t50_s": [None, 1.0]})
    told = matched_difference(cascades, pl.Series(["a", "b"]), metrics=["depth", "t50_s"], resamples=5)
    assert told["difference"].to_list() == [-1, None]
    assert told["matched_difference"].to_list() == [None, None]
    assert told["n_matched_a"].to_list() == [0, 0]
