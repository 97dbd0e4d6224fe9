from __future__ import annotations

from itertools import pairwise

import igraph
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import cascades as reference

from propgraph.cascades.shapes.shape import MAX_LEVELS, cascade_shapes, level_widths, node_depths
from propgraph.errors import UsageError


@st.composite
def forests(draw, min_size=0, max_size=12, max_cascades=5):
    """Offsets and parents: any tree in which a parent stands above its child, star to path."""
    offsets, parent = [0], []
    for size in draw(st.lists(st.integers(min_size, max_size), max_size=max_cascades)):
        start = offsets[-1]
        parent += [-1] * min(size, 1)
        parent += [draw(st.integers(start, row - 1)) for row in range(start + 1, start + size)]
        offsets.append(start + size)
    return offsets, parent


def arrays(offsets, parent):
    return np.array(offsets, dtype=np.int64), np.array(parent, dtype=np.int64)


@settings(deadline=None)
@given(forests())
def test_shapes_equal_the_slow_twin(forest):
    shapes = cascade_shapes(*arrays(*forest))
    slow = reference.cascade_shapes(*forest)
    for name in ("size", "depth", "max_breadth"):
        assert shapes[name].dtype == np.uint32
        assert shapes[name].tolist() == [shape[name] for shape in slow]
    floats = shapes.keys() - {"size", "depth", "max_breadth"}
    assert floats | {"size", "depth", "max_breadth", "level_widths"} == set(slow[0]) if slow else True
    for name in floats:
        np.testing.assert_allclose(shapes[name], [shape[name] for shape in slow], rtol=1e-14, err_msg=name)
    depths = node_depths(*arrays(*forest))
    assert depths.dtype == np.uint32
    assert depths.tolist() == reference.node_depths(forest[1])
    for most in (1, 3, MAX_LEVELS):
        start, width = level_widths(np.array(forest[0]), depths, max_levels=most)
        assert width.dtype == np.uint32
        told = [width[a:b].tolist() for a, b in pairwise(start)]
        assert told == [shape["level_widths"][:most] for shape in slow]


@settings(deadline=None, max_examples=50)
@given(forests(min_size=1, max_size=60, max_cascades=2))
def test_shapes_equal_igraph_distances(forest):
    offsets, parent = forest
    shapes = cascade_shapes(*arrays(offsets, parent))
    depths = node_depths(*arrays(offsets, parent))
    for c, (start, end) in enumerate(pairwise(offsets)):
        size = end - start
        graph = igraph.Graph(size, [(row - start, parent[row] - start) for row in range(start + 1, end)])
        distances = np.array(graph.distances())
        assert depths[start:end].tolist() == distances[0].tolist()
        assert shapes["depth"][c] == graph.eccentricity(0)
        assert shapes["max_breadth"][c] == np.bincount(distances[0].astype(int)).max()
        if size > 1:
            mean = distances.sum() / (size * (size - 1))
            assert shapes["structural_virality"][c] == pytest.approx(mean, rel=1e-14)


def test_large_random_tree_equals_igraph():
    generator = np.random.default_rng(7)
    size = 1500
    parent = np.array([-1] + [generator.integers(max(0, row - 40), row) for row in range(1, size)])
    offsets = np.array([0, size])
    shapes = cascade_shapes(offsets, parent)
    graph = igraph.Graph(size, [(row, int(parent[row])) for row in range(1, size)])
    mean = np.array(graph.distances()).sum() / (size * (size - 1))
    assert shapes["structural_virality"][0] == pytest.approx(mean, rel=1e-14)
    assert shapes["depth"][0] == graph.eccentricity(0)


def test_sum_beyond_64_bits_stays_exact():
    # The mean distance on a path is (n + 1) / 3; here the sum behind it passes 2**63.
    size = 5_000_000
    shapes = cascade_shapes(np.array([0, size]), np.arange(-1, size - 1))
    assert shapes["structural_virality"][0] == pytest.approx((size + 1) / 3, rel=1e-14)
    assert (shapes["depth"][0], shapes["max_breadth"][0]) == (size - 1, 1)


def test_star_has_virality_just_below_two():
    size = 1000
    shapes = cascade_shapes(np.array([0, size]), np.array([-1] + [0] * (size - 1)))
    assert shapes["structural_virality"][0] == pytest.approx(2 * (size - 1) / size, rel=1e-15)
    assert (shapes["depth"][0], shapes["max_breadth"][0]) == (1, size - 1)


def test_one_node_has_no_pairs_and_an_empty_cascade_no_nodes():
    shapes = cascade_shapes(*arrays([0, 1, 1], [-1]))
    assert shapes["size"].tolist() == [1, 0]
    assert shapes["depth"].tolist() == [0, 0]
    assert shapes["max_breadth"].tolist() == [1, 0]
    assert np.isnan(shapes["structural_virality"]).all()


def test_no_cascades():
    assert {values.size for values in cascade_shapes(*arrays([0], [])).values()} == {0}
    assert node_depths(*arrays([0], [])).size == 0
    start, width = level_widths(np.array([0]), np.array([], dtype=np.uint32))
    assert (start.tolist(), width.size) == ([0], 0)


def test_a_chain_tells_no_more_levels_than_the_cap():
    size = 1_000_000
    offsets, parent = np.array([0, size]), np.arange(-1, size - 1)
    start, width = level_widths(offsets, node_depths(offsets, parent))
    assert start.tolist() == [0, MAX_LEVELS]
    assert set(width.tolist()) == {1}


def test_shares_and_branching_by_hand():
    #      0
    #    1   2
    #   3 4
    #   5
    shapes = cascade_shapes(np.array([0, 6]), np.array([-1, 0, 0, 1, 1, 3]))
    assert shapes["first_generation_share"][0] == pytest.approx(2 / 5)
    assert shapes["largest_subtree_share"][0] == pytest.approx(4 / 5)
    assert shapes["branching_factor"][0] == pytest.approx(5 / 3)


def test_arguments_may_be_read_only_and_are_left_alone():
    offsets, parent = arrays([0, 3, 5], [-1, 0, 1, -1, 3])
    before = cascade_shapes(offsets, parent)
    for array in (offsets, parent):
        assert array.flags.writeable
        array.setflags(write=False)
    np.testing.assert_equal(cascade_shapes(offsets, parent), before)


@pytest.mark.parametrize(
    ("offsets", "parent", "message"),
    [
        ([], [], "offsets"),
        ([0, 2], [-1], "offsets"),
        ([1, 2], [-1, -1], "offsets"),
        ([0, 2, 1, 3], [-1, 0, -1], "offsets"),
        ([0, 2], [0, -1], "row 0 has parent 0"),
        ([0, 2], [-1, -1], "row 1 has parent -1"),
        ([0, 3], [-1, 2, 0], "row 1 has parent 2"),
        ([0, 2], [-1, 1], "row 1 has parent 1"),
        ([0, 1, 3], [-1, -1, 0], "row 2 has parent 0"),
        ([0, 2], [-1, 10**12], "row 1 has parent 1000000000000"),
    ],
)
def test_what_is_no_forest_is_refused(offsets, parent, message):
    for function in (cascade_shapes, node_depths):
        with pytest.raises(UsageError, match=message):
            function(*arrays(offsets, parent))


def test_floats_are_refused():
    with pytest.raises(UsageError, match="parent: an array of float64; give one of int64"):
        node_depths(np.array([0, 2]), np.array([-1.0, 0.5]))
