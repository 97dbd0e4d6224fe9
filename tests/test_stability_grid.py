"""The grid: the study's own choices first, every level as often as the next, and the same again by the same seed."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from propgraph.options import LONGEST_WINDOW_S, ClusterOptions
from propgraph.stability.grid import grid_of, shown

OWN = ClusterOptions(q=0.05, neighbours=50, resolution=1.0, seed=3)


def test_the_first_run_is_the_studys_own():
    own = grid_of(["url"], OWN, time_window=60.0, runs=5, seed=0).settings[0]
    assert (own.number, own.without, own.drawn, own.seed) == (0, None, False, 3)
    assert (own.time_window, own.tau, own.neighbours, own.q, own.resolution) == (60, 0.2, 50, 0.05, 1)
    assert own.draw(7, 0).all()


def test_levels_are_balanced():
    grid = grid_of(["reshare", "url"], OWN, time_window=60.0, runs=100, seed=1)
    assert grid.levels == {
        "without": [None, "reshare", "url"], "time_window": [60, 30, 120], "tau": [0.2, 0.1],
        "neighbours": [50, 25, 100], "q": [0.05, 0.01, 0.2], "resolution": [1, 0.5, 2], "drawn": [False, True],
    }  # fmt: skip
    assert len(grid.settings) == 100
    for name, levels in grid.levels.items():
        counts = Counter(getattr(setting, name) for setting in grid.settings[1:])
        assert set(counts) == set(levels)
        assert max(counts.values()) - min(counts.values()) <= 1
    assert len({setting.seed for setting in grid.settings[1:]}) == 99


@pytest.mark.parametrize(
    ("evidence", "absent"),
    [("window", {"tau", "neighbours", "q"}), ("synchrony", {"time_window"}), ("both", set())],
)
def test_only_choices_that_play_a_part_are_varied(evidence, absent):
    grid = grid_of(["url"], ClusterOptions(evidence=evidence), time_window=60.0, runs=3, seed=0)
    everything = {"time_window", "tau", "neighbours", "q", "resolution", "drawn"}
    assert set(grid.levels) == everything - absent


def test_a_choice_of_ones_own_is_among_the_levels():
    grid = grid_of(["url"], ClusterOptions(q=0.001), time_window=0.0, runs=3, seed=0)
    assert grid.levels["q"] == [0.001, 0.01, 0.05, 0.2]
    assert "time_window" not in grid.levels  # half of nothing is nothing


@pytest.mark.parametrize(
    ("partition", "varied"), [(None, True), ("CPM", True), ("Surprise", False), ("Modularity", False)]
)
def test_a_resolution_is_varied_only_where_the_partition_has_one(partition, varied):
    grid = grid_of(["url"], ClusterOptions(partition=partition), time_window=60.0, runs=3, seed=0)
    assert ("resolution" in grid.levels) == varied


def test_no_window_is_longer_than_one_may_be():
    grid = grid_of(["url"], OWN, time_window=2e9, runs=9, seed=0)
    assert grid.levels["time_window"] == [2e9, 1e9, LONGEST_WINDOW_S]


def test_levels_are_written_out():
    # A fortnight doubled: not 2.4192e+06.
    assert shown("time_window", 2_419_200.0) == "2419200"
    assert [shown("q", level) for level in (0.01, 0.2)] == ["0.01", "0.2"]


def test_draws_differ_by_run_and_trace_and_come_again():
    grid = grid_of(["url"], OWN, time_window=60.0, runs=9, seed=2)
    assert grid == grid_of(["url"], OWN, time_window=60.0, runs=9, seed=2)
    assert grid != grid_of(["url"], OWN, time_window=60.0, runs=9, seed=4)
    drawn = [setting for setting in grid.settings if setting.drawn]
    kept = [setting.draw(5000, trace) for setting in drawn for trace in (0, 1)]
    assert (drawn[0].draw(5000, 0) == kept[0]).all()
    assert len({mask.tobytes() for mask in kept}) == len(kept)
    # Of n draws out of n, each object is among them with chance 1 - 1/e.
    assert np.mean([mask.mean() for mask in kept]) == pytest.approx(1 - np.exp(-1), abs=0.01)
    assert drawn[0].draw(0, 0).size == 0
