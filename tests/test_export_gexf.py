"""Networks as GEXF: read back by networkx, hostile names and all."""

from __future__ import annotations

from datetime import UTC, datetime

import networkx as nx
import polars as pl
import pytest

from propgraph.errors import InputError
from propgraph.export.gexf import write_gexf

HOSTILE = "<b>&amp; \"x\" 'y' ]]> \u202e\x00\x1b[31m"


def tables():
    nodes = pl.DataFrame(
        {
            "id": ["a", "b&<"],
            "label": ["Ana", HOSTILE],
            "n": [3, None],
            "on": [True, False],
            "flags": [["x", "y"], []],
        }
    )
    edges = pl.DataFrame({"source": ["a"], "target": ["b&<"], "weight": [2.5], "why": [HOSTILE]})
    return nodes, edges


def test_values_and_hostile_texts_read_back(tmp_path):
    nodes, edges = tables()
    write_gexf(tmp_path / "n.gexf", nodes, edges)
    graph = nx.read_gexf(tmp_path / "n.gexf")
    assert set(graph) == {"a", "b&<"}
    assert not graph.is_directed()
    assert graph.nodes["a"] == {"label": "Ana", "n": 3, "on": True, "flags": "x|y"}
    assert "n" not in graph.nodes["b&<"]
    assert graph.nodes["b&<"]["label"].startswith('<b>&amp; "x" ')
    assert "\x1b" not in (tmp_path / "n.gexf").read_text()
    assert graph.edges["a", "b&<"]["weight"] == 2.5
    assert 'mode="static"' in (tmp_path / "n.gexf").read_text()


def test_direction_and_times(tmp_path):
    nodes, edges = tables()
    at = datetime(2024, 3, 5, 10, 0, 20, tzinfo=UTC)
    write_gexf(tmp_path / "n.gexf", nodes.with_columns(start=pl.Series([at, None])), edges, directed=True)
    graph = nx.read_gexf(tmp_path / "n.gexf")
    assert graph.is_directed()
    assert datetime.fromisoformat(graph.nodes["a"]["start"]) == at
    assert "start" not in graph.nodes["b&<"]
    assert 'mode="dynamic" timeformat="date"' in (tmp_path / "n.gexf").read_text()


def test_a_network_of_nothing(tmp_path):
    write_gexf(tmp_path / "n.gexf", *(frame.clear() for frame in tables()))
    assert len(nx.read_gexf(tmp_path / "n.gexf")) == 0


@pytest.mark.parametrize(
    ("nodes", "fault"),
    [
        ({"id": ["a", "a"]}, "as GEXF: nodes have the id 'a' more than once"),
        ({"id": ["a"], "x": ["left"]}, "'x' is String, not a number"),
        ({"id": ["a"], "start": ["monday"]}, "'start' is String, not a time"),
    ],
)
def test_faults_are_said(tmp_path, nodes, fault):
    edges = pl.DataFrame(schema={"source": pl.String, "target": pl.String})
    with pytest.raises(InputError, match=fault):
        write_gexf(tmp_path / "n.gexf", pl.DataFrame(nodes), edges)
    assert not (tmp_path / "n.gexf").exists()
