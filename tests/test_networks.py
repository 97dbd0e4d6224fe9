from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from propgraph.errors import InputError
from propgraph.networks import join_traces, to_igraph, with_pairs
from propgraph.schema import EDGES, NETWORK

JANUARY = [datetime(2020, 1, day, tzinfo=UTC) for day in range(1, 30)]


def edges(*rows):
    """Rows of trace, source, target, weight, n_events, first and last day of January; the rest is made up."""
    table = pl.DataFrame(
        rows, schema=["trace", "source", "target", "weight", "n_events", "first", "last"], orient="row"
    )
    return EDGES.conform(
        table.select(
            "trace", "source", "target", "weight", "n_events",
            n_objects="weight", mean_delta_s=pl.col("weight") * 1.5, fast_share=pl.col("weight") / 8,
            first_time=pl.col("first").map_elements(JANUARY.__getitem__, pl.Datetime("us", "UTC")),
            last_time=pl.col("last").map_elements(JANUARY.__getitem__, pl.Datetime("us", "UTC")),
        )
    )  # fmt: skip


def test_join_traces_takes_the_heaviest():
    joined = join_traces(
        edges(
            ("url", "a", "b", 3, 5, 4, 9),
            ("reshare", "a", "b", 7, 8, 6, 7),
            ("object", "a", "b", 2, 99, 5, 12),
            ("url", "a", "c", 1, 1, 1, 2),
        )
    )
    assert joined.columns == [
        "source", "target", "weight", "n_objects", "n_events", "mean_delta_s", "fast_share", "first_time",
        "last_time", "traces",
    ]  # fmt: skip
    [ab, ac] = joined.to_dicts()
    assert (ab["weight"], ab["n_objects"], ab["n_events"]) == (7, 7, 8)  # the reshares', nothing added up
    assert (ab["mean_delta_s"], ab["fast_share"]) == (10.5, 7 / 8)
    assert (ab["first_time"], ab["last_time"]) == (JANUARY[4], JANUARY[12])  # over all traces
    assert ab["traces"] == "object+reshare+url"
    assert (ac["source"], ac["target"], ac["weight"], ac["traces"]) == ("a", "c", 1, "url")


def test_join_traces_breaks_ties_by_events_then_by_name():
    by_events = edges(("url", "a", "b", 3, 5, 1, 2), ("object", "a", "b", 3, 4, 1, 2))
    assert join_traces(by_events)["n_events"].to_list() == [5]
    by_name = edges(("url", "a", "b", 3, 5, 1, 2), ("object", "a", "b", 3, 5, 1, 2))
    by_name = by_name.with_columns(fast_share=pl.Series([0.1, 0.2]))
    assert join_traces(by_name)["fast_share"].to_list() == [0.2]


@given(st.permutations(range(6)))
def test_join_traces_does_not_depend_on_the_order(order):
    rows = [(trace, a, b, 2, 3, 1, 2) for trace in ("url", "object") for a, b in ("ab", "ac", "bc")]
    assert_frame_equal(join_traces(edges(*(rows[k] for k in order))), join_traces(edges(*rows)))


def test_join_traces_of_nothing():
    assert join_traces(EDGES.empty()).is_empty()


def test_vertices_are_numbered_in_sorted_order():
    graph = to_igraph(pl.DataFrame({"source": ["b", "a10", "Z"], "target": ["é", "b", "a9"], "n": [1, 2, 3]}))
    assert graph.vs["name"] == ["Z", "a10", "a9", "b", "é"]
    named = [tuple(graph.vs[end]["name"] for end in edge.tuple) for edge in graph.es]
    # Edges go by source and target; the end with the lower number is told first.
    assert sorted(zip(named, graph.es["n"], strict=True)) == [
        (("Z", "a9"), 3),
        (("a10", "b"), 2),
        (("b", "é"), 1),
    ]
    assert not graph.is_directed()


def test_every_other_column_becomes_an_attribute():
    graph = to_igraph(join_traces(edges(("url", "a", "b", 3, 5, 4, 9))))
    assert graph.es["weight"] == [3]
    assert graph.es["first_time"] == [JANUARY[4]]
    assert graph.es["traces"] == ["url"]
    assert graph.vs.attributes() == ["name"]


def test_parallel_edges_stay_apart_by_trace():
    table = edges(
        ("url", "a", "b", 3, 5, 1, 2), ("object", "a", "b", 4, 5, 1, 2), ("url", "b", "c", 1, 1, 1, 2)
    )
    for rows in (table, table.reverse()):
        graph = to_igraph(rows.select("source", "target", "trace", "weight"))
        assert graph.es["trace"] == ["object", "url", "url"]
        assert graph.es["weight"] == [4, 3, 1]
        assert graph.has_multiple()


@given(st.permutations(range(5)))
def test_shuffled_rows_give_the_same_graph(order):
    table = pl.DataFrame({"source": list("aaabd"), "target": list("bbbce"), "weight": [3, 1, 2, 4, 5]})
    graph = to_igraph(table[list(order)])
    assert graph.get_edgelist() == [(0, 1), (0, 1), (0, 1), (1, 2), (3, 4)]
    assert graph.es["weight"] == [1, 2, 3, 4, 5]


def test_nodes_bring_attributes_and_lone_accounts():
    nodes = pl.DataFrame({"account_id": ["z", "a"], "name": ["Zoë", None], "followers": [5, 7]})
    graph = to_igraph(pl.DataFrame({"source": ["a"], "target": ["b"]}), nodes=nodes)
    assert graph.vs["name"] == ["a", "b", "z"]  # igraph's name is the id, whatever the account calls itself
    assert graph.vs["label"] == [None, None, "Zoë"]
    assert graph.vs["followers"] == [7, None, 5]
    assert graph.degree() == [1, 1, 0]


def test_ids_are_text():
    graph = to_igraph(pl.DataFrame({"source": ["1234567890123456789"], "target": ["1234567890123456788"]}))
    assert graph.vs["name"] == ["1234567890123456788", "1234567890123456789"]


def test_no_edges():
    nothing = pl.DataFrame(schema={"source": pl.String, "target": pl.String, "weight": pl.UInt32})
    assert to_igraph(nothing).vcount() == 0
    lone = to_igraph(nothing, nodes=pl.DataFrame({"account_id": ["a"]}))
    assert (lone.vs["name"], lone.ecount()) == (["a"], 0)


def test_all_faults_are_named_together():
    with pytest.raises(
        InputError,
        match=r"edges: no column 'source', no column 'target'; found from, to; .*; nodes: no column 'account_id'",
    ):
        to_igraph(pl.DataFrame({"from": [1], "to": [2]}), nodes=pl.DataFrame({"id": [1]}))
    some = pl.DataFrame({"source": ["a"], "target": ["b"]})
    with pytest.raises(InputError, match="'source' of the edges has nulls"):
        to_igraph(pl.DataFrame({"source": [None, "a"], "target": ["b", "c"]}))
    with pytest.raises(InputError, match="more than once"):
        to_igraph(some, nodes=pl.DataFrame({"account_id": ["a", "a"], "x": [1, 2]}))


def test_with_pairs_has_the_window_and_what_is_beyond_chance():
    joined = join_traces(
        edges(("url", "a", "b", 3, 5, 4, 9), ("url", "b", "c", 7, 8, 6, 7), ("url", "c", "d", 2, 2, 1, 2))
    )
    network = NETWORK.conform(
        pl.DataFrame(
            [("a", "c", 5.0, True), ("b", "c", 6.0, True), ("c", "d", 2.5, False), ("a", "z", 2.1, False)],
            schema=["source", "target", "synchrony", "synchronised"], orient="row",
        ).with_columns(traces=pl.lit("url"), n_near=pl.lit(3), closest_delta_s=pl.lit(1.0), p_value=pl.lit(0.001),
                       q_value=pl.lit(0.01))
    )  # fmt: skip
    both = with_pairs(joined, network)
    assert both.columns == [*joined.columns, "synchrony", "synchronised"]
    assert both.select("source", "target", "weight", "synchrony", "synchronised").rows() == [
        ("a", "b", 3, None, False),
        ("a", "c", None, 5.0, True),  # never in the window often enough
        ("b", "c", 7, 6.0, True),
        ("c", "d", 2, None, False),  # not beyond chance
    ]
    assert_frame_equal(both.drop_nulls("weight").select(joined.columns), joined)
    nothing = with_pairs(joined, NETWORK.empty())
    assert_frame_equal(nothing.select(joined.columns), joined)
    assert not nothing["synchronised"].any()
    assert with_pairs(joined.clear(), network)["source"].to_list() == ["a", "b"]
