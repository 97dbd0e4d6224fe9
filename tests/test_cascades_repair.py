from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import cascades as reference

from propgraph.cascades.repair import trees_from_edges
from propgraph.cascades.shapes.growth import cascade_growth
from propgraph.cascades.shapes.shape import cascade_shapes, node_depths
from propgraph.errors import InputError

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
COLUMNS = ("cascade_id", "content_id", "parent_content_id", "account_id", "time")
NODE = st.sampled_from(["a", "b", "c", "d", "e", "k1"])
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["k1", "k2"]),
        NODE,
        st.one_of(st.none(), st.just("ROOT"), NODE, st.just("gone")),
        st.one_of(st.none(), st.sampled_from(["x", "y"])),
        st.one_of(st.none(), st.integers(-3, 6)),
    ),
    max_size=14,
)


def frame_of(rows):
    """Rows as `trees_from_edges` takes them, with delays in seconds."""
    frame = pl.DataFrame(
        rows, schema=dict.fromkeys(COLUMNS[:4], pl.String) | {"time": pl.Int64}, orient="row"
    )
    return frame.with_columns(delay_s=pl.col("time") / 1000).drop("time")


def as_dict(trees):
    found = {}
    for row in trees.nodes.iter_rows(named=True):
        time = None if row["delay_s"] is None else round(row["delay_s"] * 1000)
        node = (row["parent_content_id"], row["account_id"], time, row["depth"])
        found.setdefault(row["cascade_id"], {})[row["content_id"]] = node
    return found


@settings(deadline=None, max_examples=400)
@given(ROWS, st.booleans())
def test_equals_the_slow_twin(rows, virtual_root):
    trees = trees_from_edges(frame_of(rows), virtual_root=virtual_root)
    slow, counts = reference.trees_from_edges(rows, virtual_root)
    assert as_dict(trees) == slow
    assert trees.counts == counts


@settings(deadline=None, max_examples=200)
@given(ROWS, st.booleans(), st.randoms(use_true_random=False))
def test_is_a_forest_without_loss_mended_once_in_any_order(rows, virtual_root, random):
    frame = frame_of(rows)
    trees = trees_from_edges(frame, virtual_root=virtual_root)
    nodes = trees.nodes
    put_in = set(frame.select("cascade_id", "content_id").iter_rows())
    if virtual_root:
        put_in |= {(cascade, cascade) for cascade, *_ in rows}
    assert sorted(nodes.select("cascade_id", "content_id").iter_rows()) == sorted(put_in)
    cascade_shapes(trees.offsets, trees.parent)  # raises unless it is a forest with one root a cascade
    cascade_growth(trees.offsets, trees.time)  # raises if times fall
    below = trees.parent >= 0
    assert (trees.time[below] >= trees.time[trees.parent[below]]).all()
    assert node_depths(trees.offsets, trees.parent).tolist() == nodes["depth"].to_list()
    named = nodes["content_id"].gather(trees.parent[below])
    assert nodes["parent_content_id"].drop_nulls().to_list() == named.to_list()
    random.shuffle(rows)
    shuffled = trees_from_edges(frame_of(rows), virtual_root=virtual_root)
    assert shuffled.nodes.equals(nodes)
    assert shuffled.counts == trees.counts
    again = trees_from_edges(nodes, virtual_root=virtual_root)
    assert again.nodes.equals(nodes)
    assert not any(again.counts.values())


def test_each_rule_is_counted():
    rows = [
        ("k", "r", "ROOT", "x", 0),
        ("k", "r", "ROOT", "x", 0),  # duplicate_rows
        ("k", "r", "a", "x", 0),  # root_parents
        ("k", "a", "r", "y", 4),
        ("k", "a", "r", "z", 6),  # duplicate_rows, other_times, other_accounts
        ("k", "b", "a", "y", -2),  # times_raised
        ("k", "c", "r", "y", 9),  # extra_parents: the latest that is not later is a
        ("k", "c", "a", "y", 9),
        ("k", "c", "d", "y", 9),
        ("k", "d", "d", "y", 20),  # self_loops
        ("k", "e", "gone", "y", 5),  # parents_absent
        ("k", "f", None, "y", 5),  # parents_unknown
        ("k", "g", "h", "y", 7),  # cycles
        ("k", "h", "g", "y", 8),
        ("k", "i", "ROOT", "y", 8),  # extra_roots
    ]
    trees = trees_from_edges(frame_of(rows))
    found = as_dict(trees)["k"]
    assert {node: told[0] for node, told in found.items()} == {
        "r": None, "a": "r", "b": "a", "c": "a", "d": "r", "e": "r", "f": "r", "g": "r", "h": "g", "i": "r",
    }  # fmt: skip
    assert found["b"][2] == 4
    assert found["a"][1:3] == ("y", 4)
    assert trees.counts == {
        "duplicate_rows": 2, "other_times": 1, "other_accounts": 1, "root_parents": 1, "times_raised": 1,
        "extra_parents": 2, "self_loops": 1, "parents_absent": 1, "parents_unknown": 1, "cycles": 1,
        "extra_roots": 1, "roots_added": 0,
    }  # fmt: skip


def test_a_circle_of_a_million_and_a_chain_told_backwards():
    n = 1_000_000
    ids = pl.Series([f"{i:07}" for i in range(n)])
    rows = pl.DataFrame(
        {
            "cascade_id": ["k"] * n,
            "content_id": ids[::-1],
            "parent_content_id": ids.gather((np.arange(n)[::-1] - 1) % n),
        }
    )
    trees = trees_from_edges(rows)
    assert trees.nodes["depth"].max() == n - 1
    assert trees.counts["root_parents"] == 1


def test_timestamps_stay_timestamps():
    when = datetime(2020, 1, 1, tzinfo=UTC)
    rows = pl.DataFrame(
        {"cascade_id": [7], "content_id": [9], "parent_content_id": [None], "timestamp": [when]}
    )
    trees = trees_from_edges(rows, virtual_root=True)
    assert trees.nodes.schema["timestamp"] == pl.Datetime("ms", "UTC")
    assert trees.nodes.rows() == [("7", "7", None, None, None, 0), ("7", "9", None, when, "7", 1)]
    assert trees.time.tolist() == [1577836800000] * 2


def test_no_rows():
    trees = trees_from_edges(frame_of([]))
    assert trees.nodes.is_empty()
    assert trees.offsets.tolist() == [0]


def test_all_faults_are_named_together():
    rows = pl.DataFrame(
        {"cascade": ["k"], "content_id": [None], "parent_content_id": ["a"], "delay_s": ["1"]}
    )
    with pytest.raises(InputError) as error:
        trees_from_edges(rows)
    for part in (
        "'cascade_id' (did you mean 'cascade'?)",
        "'content_id' is null in 1 of 1",
        "'delay_s' is String",
    ):
        assert part in str(error.value)


@pytest.mark.skipif(not DATA.exists(), reason="the shared research data is not there")
def test_twitter15_loads_whole():
    raw = pl.read_parquet(DATA / "twitter15_trees.parquet")

    def node(account, content):
        is_root = pl.col(account) == "ROOT"
        return pl.when(is_root).then(pl.lit("ROOT")).otherwise(pl.concat_str(content, account, separator=":"))

    rows = raw.select(
        "cascade_id",
        "account_id",
        content_id=node("account_id", "content_id"),
        parent_content_id=node("parent_account", "parent_content"),
        delay_s=pl.col("delay_min") * 60,
    )
    trees = trees_from_edges(rows)
    assert trees.nodes.height == rows.select("cascade_id", "content_id").n_unique()
    assert trees.offsets.size - 1 == 1490
    assert trees.counts["cycles"] > 0
    assert trees.counts["parents_absent"] == 0
