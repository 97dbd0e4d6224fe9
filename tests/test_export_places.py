"""Where nodes are drawn: nothing overlaps, groups lie apart, those with common edges near each other."""

from __future__ import annotations

import igraph as ig
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from propgraph.export.places import place_nodes


def drawn(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 400))
    size = np.clip(4 + rng.pareto(1.2, n) * 3, 4, 14) if rng.random() < 0.7 else np.full(n, 5.0)
    group = np.unique(rng.integers(0, rng.integers(1, n + 1), n), return_inverse=True)[1].astype(np.int64)
    group[rng.random(n) < rng.choice([0, 0.5, 1])] = -1
    graph = ig.Graph(n=n, edges=rng.integers(0, n, (int(rng.integers(0, 3 * n)), 2)))
    graph.simplify()
    graph.es["weight"] = rng.integers(1, 9, graph.ecount()).astype(float).tolist()
    return graph, group, size


def distances(place):
    apart = np.hypot(*(place[:, None] - place[None]).transpose(2, 0, 1))
    np.fill_diagonal(apart, np.inf)
    return apart


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 32))
def test_nothing_overlaps_and_a_group_has_a_disc_of_its_own(seed):
    graph, group, size = drawn(seed)
    place = place_nodes(graph, group, size)
    assert place.shape == (size.size, 2)
    assert np.isfinite(place).all()
    assert (distances(place) >= size[:, None] + size[None]).all()
    assert (place_nodes(graph, group, size) == place).all()
    for one in np.unique(group[group >= 0]):
        mine = group == one
        # The strongest lies in the middle, or as near to it as any.
        middle = place[mine][np.argmax(size[mine])]
        reach = np.hypot(*(place - middle).T)
        assert mine.all() or reach[~mine].min() > reach[mine].max() / 2


def test_groups_with_common_edges_lie_nearer_than_others():
    # Twelve groups of twenty in a row, each with edges to the next.
    group = np.repeat(np.arange(12), 20)
    edges = [(20 * k + i, 20 * (k + 1) + i) for k in range(11) for i in range(20)]
    place = place_nodes(ig.Graph(n=240, edges=edges), group, np.full(240, 5.0))
    centre = np.array([place[group == k].mean(axis=0) for k in range(12)])
    apart = distances(centre)
    linked = np.mean([apart[k, k + 1] for k in range(11)])
    others = np.mean([apart[i, j] for i in range(12) for j in range(12) if abs(i - j) > 1])
    assert linked < 0.7 * others


def test_a_network_of_nothing_and_of_one():
    assert place_nodes(ig.Graph(), np.empty(0, np.int64), np.empty(0)).shape == (0, 2)
    assert place_nodes(ig.Graph(n=1), np.array([-1]), np.array([4.0])).tolist() == [[0.0, 0.0]]
