from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import cascades as reference

from propgraph.cascades.parents import INFERRED_STAR, OBSERVED, PARENT_SOURCES, ROOT, infer_parents
from propgraph.cascades.shapes.growth import cascade_growth
from propgraph.cascades.shapes.shape import cascade_shapes
from propgraph.errors import UsageError

# Few codes, so that posts and accounts recur within a cascade and between cascades.
codes = st.integers(-1, 6)
nodes = st.fixed_dictionaries(
    {
        "content": codes,
        "account": codes,
        "time": st.integers(0, 3),
        "parent_content": codes,
        "origin_account": codes,
    }
)
logs = st.lists(st.lists(nodes, max_size=8), max_size=5)
DTYPES = {
    "content": np.int64,
    "account": np.int32,
    "time": np.int64,
    "parent_content": np.int64,
    "origin_account": np.int32,
}


def table(cascades):
    """Flat arrays from lists of nodes, each cascade sorted by time."""
    rows = [node for cascade in cascades for node in sorted(cascade, key=lambda node: node["time"])]
    offsets = np.cumsum([0] + [len(cascade) for cascade in cascades], dtype=np.int64)
    return offsets, {name: np.array([row[name] for row in rows], dtype=DTYPES[name]) for name in DTYPES}


def one_cascade(content, account, parent_content=None, origin_account=None, time=None):
    """One cascade whose nodes come one after the other, unless their times are given."""
    size = len(content)
    columns = {
        "content": content,
        "account": account,
        "time": time or list(range(size)),
        "parent_content": parent_content or [-1] * size,
        "origin_account": origin_account or [-1] * size,
    }
    arrays = {name: np.array(values, dtype=DTYPES[name]) for name, values in columns.items()}
    return infer_parents(np.array([0, size], dtype=np.int64), **arrays)


def mended(**counts):
    return dict.fromkeys(("parents_absent", "self_loops", "cycles", "times_raised"), 0) | counts


def assert_equals_twin(offsets, columns, found):
    slow = reference.infer_parents(offsets.tolist(), *(columns[name].tolist() for name in DTYPES))
    order, parent, source, time, counts = slow
    assert (found.parent.dtype, found.source.dtype) == (np.int64, np.uint8)
    assert (list(range(len(order))) if found.order is None else found.order.tolist()) == order
    assert found.parent.tolist() == parent
    assert [PARENT_SOURCES[code] for code in found.source] == source
    assert found.time.tolist() == time
    assert found.counts == counts


@settings(deadline=None, max_examples=300)
@given(
    logs,
    st.sampled_from([(), ("parent_content",), ("origin_account",), ("parent_content", "origin_account")]),
)
def test_parents_equal_the_slow_twin(cascades, unknown):
    offsets, columns = table(cascades)
    for name in unknown:
        columns[name][:] = -1
    result = infer_parents(offsets, **columns)
    assert_equals_twin(offsets, columns, result)
    cascade_shapes(offsets, result.parent)  # which refuses whatever is no forest
    cascade_growth(offsets, result.time)  # which refuses times that fall


@settings(deadline=None, max_examples=50)
@given(logs)
def test_sparse_codes_change_nothing(cascades):
    offsets, columns = table(cascades)
    expected = infer_parents(offsets, **columns)
    spread = {"content": 10**17, "parent_content": 10**17, "account": 10**8, "origin_account": 10**8}
    for name, factor in spread.items():
        columns[name] = np.where(columns[name] < 0, -1, columns[name] * factor).astype(DTYPES[name])
    np.testing.assert_equal(astuple(infer_parents(offsets, **columns)), astuple(expected))


def test_the_named_parent_wins_over_the_origin():
    found = one_cascade(
        content=[10, 11, 12], account=[0, 1, 2], parent_content=[-1, 10, 10], origin_account=[-1, 0, 1]
    )
    assert found.parent.tolist() == [-1, 0, 0]
    assert found.source.tolist() == [ROOT, OBSERVED, OBSERVED]
    assert found.counts == mended()
    assert found.order is None


def test_the_origin_stands_in_for_a_parent_absent_or_oneself():
    found = one_cascade(
        content=[10, 11, 12, 13],
        account=[0, 1, 2, 3],
        parent_content=[-1, -1, 12, 99],
        origin_account=[-1, -1, 1, 1],
    )
    assert found.parent.tolist() == [-1, 0, 1, 1]
    assert found.source.tolist() == [ROOT, INFERRED_STAR, OBSERVED, OBSERVED]
    assert found.counts == mended(parents_absent=1, self_loops=1)


def test_the_origin_is_its_latest_earlier_post():
    found = one_cascade(content=[0, 1, 2, 3, 4], account=[5, 6, 5, 7, 5], origin_account=[-1, 5, -1, 5, 5])
    assert found.parent.tolist() == [-1, 0, 0, 2, 2]  # the last one reshares the account's own earlier post


def test_an_origin_that_posts_only_later_or_here_gives_a_star():
    found = one_cascade(content=[0, 1, 2], account=[0, 1, 2], origin_account=[2, 2, 2])
    assert found.parent.tolist() == [-1, 0, 0]
    assert found.source.tolist() == [ROOT, INFERRED_STAR, INFERRED_STAR]


def test_parents_of_the_very_same_time_come_first():
    # 0 is the root; at time 5 a chain stands upside down: 1 names 2, 2 names 3, and 3 the account of 4.
    found = one_cascade(
        content=[0, 1, 2, 3, 4], account=[0, 1, 2, 3, 4], time=[0, 5, 5, 5, 5],
        parent_content=[-1, 2, 3, -1, 0], origin_account=[-1, -1, -1, 4, -1],
    )  # fmt: skip
    assert found.order.tolist() == [0, 4, 3, 2, 1]
    assert found.parent.tolist() == [-1, 0, 1, 2, 3]
    assert found.source.tolist() == [ROOT] + [OBSERVED] * 4
    assert found.time.tolist() == [0, 5, 5, 5, 5]
    assert found.counts == mended()


def test_a_child_before_its_parent_has_its_time():
    found = one_cascade(
        content=[0, 1, 2, 3], account=[0, 1, 2, 3], time=[0, 3, 4, 9], parent_content=[-1, 3, 1, 0]
    )
    assert found.order.tolist() == [0, 3, 1, 2]
    assert found.parent.tolist() == [-1, 0, 1, 2]
    assert found.time.tolist() == [0, 9, 9, 9]
    assert found.counts == mended(times_raised=2)


def test_a_post_that_names_itself_names_nobody():
    found = one_cascade(content=[0, 1], account=[0, 1], parent_content=[0, 1])
    assert found.parent.tolist() == [-1, 0]
    assert found.source.tolist() == [ROOT, INFERRED_STAR]
    assert found.counts == mended(self_loops=2)


def test_a_loop_of_parents_is_opened_at_its_earliest():
    found = one_cascade(content=[0, 1, 2], account=[0, 1, 2], parent_content=[2, 0, 1])
    assert found.parent.tolist() == [-1, 0, 1]
    assert found.source.tolist() == [ROOT, OBSERVED, OBSERVED]
    assert found.counts == mended(cycles=1)


def test_a_reshare_stamped_before_its_original_comes_after_it():
    found = one_cascade(content=[1, 0], account=[1, 0], parent_content=[0, -1])
    assert found.order.tolist() == [1, 0]
    assert found.parent.tolist() == [-1, 0]
    assert found.source.tolist() == [ROOT, OBSERVED]
    assert found.counts == mended(times_raised=1)


def test_a_post_in_two_cascades_is_looked_up_in_each():
    offsets, columns = table(
        [
            [
                {"content": 0, "account": 0, "time": 0, "parent_content": -1, "origin_account": -1},
                {"content": 1, "account": 1, "time": 1, "parent_content": -1, "origin_account": -1},
                {"content": 2, "account": 2, "time": 2, "parent_content": 1, "origin_account": -1},
            ]
        ]
        * 2
        + [[{"content": 3, "account": 3, "time": 9, "parent_content": 1, "origin_account": 1}]]
    )
    found = infer_parents(offsets, **columns)
    assert found.parent.tolist() == [-1, 0, 1, -1, 3, 4, -1]
    assert found.source.tolist() == [ROOT, INFERRED_STAR, OBSERVED] * 2 + [ROOT]
    assert found.counts == mended(parents_absent=1)


@pytest.mark.parametrize("offsets", [[0], [0, 0], [0, 0, 0]])
def test_no_nodes(offsets):
    empty = {name: np.empty(0, dtype=dtype) for name, dtype in DTYPES.items()}
    found = infer_parents(np.array(offsets, dtype=np.int64), **empty)
    assert (found.parent.size, found.source.size, found.counts) == (0, 0, mended())


def test_cascades_of_one_node():
    columns = {name: np.zeros(3, dtype=dtype) for name, dtype in DTYPES.items()}
    found = infer_parents(np.arange(4), **columns)
    assert (found.parent.tolist(), found.source.tolist()) == ([-1, -1, -1], [ROOT] * 3)
    assert found.counts == mended(self_loops=3)


def test_arguments_may_be_read_only_and_are_left_alone():
    columns = {name: np.array([0, 1, 0], dtype=dtype) for name, dtype in DTYPES.items() if name != "time"}
    columns["time"] = np.array([5, 5, 6])
    offsets = np.array([0, 3])
    expected = infer_parents(offsets, **columns)
    for array in (offsets, *columns.values()):
        assert array.flags.writeable
        array.setflags(write=False)
    np.testing.assert_equal(astuple(infer_parents(offsets, **columns)), astuple(expected))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"time": np.array([1, 0, 2])}, "time: row 1"),
        ({"time": np.array([0, 1])}, r"time: an array of shape \(2,\)"),
        ({"account": np.array([0, 1, 2], dtype=np.int64)}, "account: an array of int64; give one of int32"),
        ({"parent_content": np.array([0.0, 1.0, 2.0])}, "parent_content: an array of float64"),
        ({"content": np.zeros((3, 1), dtype=np.int64)}, "content: an array of shape"),
        ({"offsets": np.array([0, 2])}, "offsets"),
        ({"offsets": np.array([0, 2, 1, 3])}, "offsets"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(changed, message):
    arguments = {name: np.zeros(3, dtype=dtype) for name, dtype in DTYPES.items()}
    arguments |= {"offsets": np.array([0, 3])} | changed
    offsets = arguments.pop("offsets")
    with pytest.raises(UsageError, match=message):
        infer_parents(offsets, **arguments)
