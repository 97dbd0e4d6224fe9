from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from propgraph.arrays import encoding
from propgraph.arrays.encoding import (
    all_distinct,
    codes_in,
    codes_of,
    decode,
    distinct_in_groups,
    encode,
    grouped,
    labels_of,
)
from propgraph.cosharing.window import cosharing_edges

texts = st.text(st.characters(codec="utf-8"), max_size=4)
id_lists = st.one_of(
    st.lists(texts, max_size=30), st.lists(st.sampled_from(["a", "b", "B", "é", "", " a"]), max_size=30)
)


def strings(values, name="id"):
    return pl.Series(name, values, dtype=pl.String)


@pytest.fixture
def clashing_hashes(monkeypatch):
    """Make unequal strings of one length share their first hash, as unequal strings may by bad luck."""
    real = pl.Series.hash

    def hash_(series, seed=0, *args, **kwargs):
        if seed == 2:
            return real(series, seed, *args, **kwargs)
        return series.cast(pl.String).str.len_bytes().cast(pl.UInt64)

    monkeypatch.setattr(pl.Series, "hash", hash_)


def assert_encodes(values):
    labels = sorted(set(values))
    coded = encode(strings(values))
    assert coded.name == "id"
    assert labels_of(coded).to_list() == labels
    assert codes_of(coded).dtype == np.uint32
    assert codes_of(coded).tolist() == [labels.index(value) for value in values]
    assert coded.cast(pl.String).to_list() == values
    assert decode(codes_of(coded), labels_of(coded)).cast(pl.String).to_list() == values


@settings(deadline=None)
@given(id_lists)
@example([])
@example(["x"])
@example(["\U0001f600", "\uffff", "z", "\x00", ""])
def test_codes_are_places_among_the_sorted_ids(values):
    assert_encodes(values)


@pytest.mark.usefixtures("clashing_hashes")
@pytest.mark.parametrize("values", [["b", "a", "b", "c"], ["aa", "b", "", "bb", "aa"], ["a"], []])
def test_clashing_hashes_do_not_confuse_ids(values):
    assert_encodes(values)


def test_the_clash_is_noticed(monkeypatch, clashing_hashes):
    noticed = []
    real = encoding._number_by_first_sight

    def spy(first, second):
        *result, clash = real(first, second)
        noticed.append(bool(clash))
        return *result, clash

    monkeypatch.setattr(encoding, "_number_by_first_sight", spy)
    encode(strings(["aa", "b", "aa"]))
    encode(strings(["aa", "bb"]))
    assert noticed == [False, True]


def test_more_ids_than_the_first_table_holds():
    generator = np.random.default_rng(0)
    values = [f"id{number}" for number in generator.integers(0, 60_000, 100_000)]
    coded = encode(strings(values))
    labels = sorted(set(values))
    assert len(labels) > 3 * (1 << 12)
    assert labels_of(coded).to_list() == labels
    assert codes_of(coded).tolist() == np.searchsorted(labels, values).tolist()


def test_what_is_encoded_already():
    ready = pl.Series("id", ["b", "a"], dtype=pl.Enum(["a", "b", "c"]))
    assert encode(ready).to_physical().to_list() == [1, 0]
    assert labels_of(encode(ready)).to_list() == ["a", "b", "c"]
    unsorted = pl.Series("id", ["b", "a"], dtype=pl.Enum(["b", "a"]))
    assert codes_of(encode(unsorted)).tolist() == [1, 0]
    assert labels_of(encode(unsorted)).to_list() == ["a", "b"]
    categorical = pl.Series("id", ["b", "a", "b"], dtype=pl.Categorical)
    assert codes_of(encode(categorical)).tolist() == [1, 0, 1]
    with pytest.raises(TypeError, match="encoded"):
        labels_of(strings(["a"]))


@settings(deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.sampled_from(["a", "b", "c", "d", ""])), max_size=20),
    st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=8),
)
def test_codes_in_are_first_places_or_minus_one(ids, labels):
    expected = [labels.index(one) if one in labels else -1 for one in ids]
    found = codes_in(strings(ids), strings(labels, "other"))
    assert found.dtype == np.int64
    assert found.tolist() == expected


@pytest.mark.usefixtures("clashing_hashes")
def test_codes_in_with_clashing_hashes():
    assert codes_in(strings(["b", None, "c", "a"]), strings(["a", "b", "b"])).tolist() == [1, -1, -1, 0]


@settings(deadline=None)
@given(id_lists)
def test_all_distinct(values):
    assert all_distinct(strings(values)) == (len(set(values)) == len(values))


@settings(deadline=None)
@given(st.lists(st.integers(0, 5), max_size=30), st.integers(6, 9))
def test_grouped_is_the_stable_order(codes, n_groups):
    start, position = grouped(np.array(codes, dtype=np.uint32), n_groups)
    assert start.dtype == position.dtype == np.int64
    assert position.tolist() == sorted(range(len(codes)), key=lambda row: codes[row])
    for group in range(n_groups):
        rows = position[start[group] : start[group + 1]].tolist()
        assert rows == [row for row, code in enumerate(codes) if code == group]
    assert start[-1] == len(codes)


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(-1, 4), max_size=6), max_size=6))
def test_distinct_in_groups(groups):
    offsets = np.cumsum([0] + [len(group) for group in groups])
    codes = np.array([code for group in groups for code in group], dtype=np.int64)
    expected = [len(set(group) - {-1}) for group in groups]
    assert distinct_in_groups(offsets, codes, 5).tolist() == expected


@pytest.mark.usefixtures("clashing_hashes")
def test_clashing_hashes_of_a_post_and_its_object_keep_the_share():
    shares = pl.DataFrame(
        {
            "content_id": ["p1", "p2"],
            "account_id": ["a", "b"],
            "object_id": ["o1", "o1"],
            "timestamp": pl.Series([0, 1]).cast(pl.Datetime("ms", "UTC")),
        }
    )
    assert cosharing_edges(shares, min_participation=1, min_edge_weight=1).height == 1
