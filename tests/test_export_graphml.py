from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import igraph
import networkx as nx
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from polars.testing import assert_series_equal

from propgraph.errors import InputError, UsageError
from propgraph.export import graph_tables, graphml
from propgraph.export.graphml import write_graphml
from propgraph.export.text import clean_xml, xml_id, xml_ids

SPACE = "{http://graphml.graphdrawing.org/xmlns}"
HOSTILE = [
    "1234567890123456789", "1234567890123456788", "007", "7", " 7", "7 ", "<script>alert(1)</script>",
    'a"b\'c', "]]>", "&amp;", "&", "a\nb", "a\tb", "a\r\nb", "a b", "\u202eexe", "\u200f", "😀👨‍👩‍👧",
    "日本語",
    "x" * 10_000, "\x01", "\x02", "a\x00b", "a\x1b[31m", "\uffff", "\\", "\\u0001", "\\\\u0001", "\\u",
    "", "\x85", "\u2028", "nan", "None", "true", "{}", "C:\\temp",
]  # fmt: skip
NASTY = st.text(st.sampled_from("\\u01\x00\x01\x0b\uffffab<&>\"']\t\n\r \u202e😀"), max_size=8)


def unescaped(written: str) -> str:
    """Undo `xml_id` character by character: that it can be done shows that no two ids become one."""
    if "\\u" not in written:
        return written
    if written == "\\u":
        return ""
    read, at = "", 0
    while at < len(written):
        if written.startswith("\\\\", at):
            read, at = read + "\\", at + 2
        elif written.startswith("\\u", at):
            read, at = read + chr(int(written[at + 2 : at + 6], 16)), at + 6
        else:
            read, at = read + written[at], at + 1
    return read


def parsed(path) -> tuple[dict[str, dict[str, str]], list[tuple[str, str, dict[str, str]]]]:
    """Read nodes and edges with a plain XML parser, values as the text they are."""
    tree = etree.parse(path, etree.XMLParser(huge_tree=True))
    names = {key.get("id"): key.get("attr.name") for key in tree.iter(f"{SPACE}key")}
    assert len(names) == len(list(tree.iter(f"{SPACE}key")))

    def data(element) -> dict[str, str]:
        return {names[item.get("key")]: item.text or "" for item in element}

    nodes = [(node.get("id"), data(node)) for node in tree.iter(f"{SPACE}node")]
    assert len(dict(nodes)) == len(nodes)
    return dict(nodes), [(e.get("source"), e.get("target"), data(e)) for e in tree.iter(f"{SPACE}edge")]


def ring(ids: list[str]) -> pl.DataFrame:
    return pl.DataFrame({"source": ids, "target": ids[1:] + ids[:1]}, schema_overrides=dict.fromkeys(
        ("source", "target"), pl.String))  # fmt: skip


def types(path) -> dict[str, str]:
    return {key.get("id"): key.get("attr.type") for key in etree.parse(path).iter(f"{SPACE}key")}


@given(st.text(st.characters()) | NASTY)
def test_ids_can_be_told_apart(text: str) -> None:
    written = xml_id(text)
    assert written
    assert clean_xml(written) == written
    assert unescaped(written) == text
    assert ("\\u" in written) == (written != text)


@given(st.lists(st.none() | st.text() | NASTY))
def test_xml_ids_does_the_same(texts: list[str | None]) -> None:
    column = pl.Series("a", texts, dtype=pl.String)
    expected = pl.Series("a", [text if text is None else xml_id(text) for text in texts], dtype=pl.String)
    assert_series_equal(xml_ids(column), expected)


def test_ordinary_ids_stay() -> None:
    assert xml_id("C:\\temp") == "C:\\temp"
    assert [xml_id(text) for text in ("\x01", "\\u0001", "", "\\u")] == [
        "\\u0001",
        "\\\\u0001",
        "\\u",
        "\\\\u",
    ]


ROW = st.tuples(st.text() | NASTY, st.none() | st.text() | NASTY)


@given(st.lists(ROW, unique_by=lambda row: row[0], max_size=6))
def test_what_is_written_reads_back(tmp_path_factory, rows: list[tuple[str, str | None]]) -> None:
    path = tmp_path_factory.getbasetemp() / "any.graphml"
    ids = [row[0] for row in rows]
    names = [row[1] for row in rows]
    table = {"label": names, "list": [[name, "x"] for name in names]}
    nodes = pl.DataFrame(
        {"id": ids, **table}, schema={"id": pl.String, "label": pl.String, "list": pl.List(pl.String)}
    )
    write_graphml(path, nodes, ring(ids).with_columns(nodes["label"], id=nodes["id"]))
    read_nodes, read_edges = parsed(path)
    assert [unescaped(read) for read in read_nodes] == ids
    assert [read.get("label") for read in read_nodes.values()] == [
        n if n is None else clean_xml(n) for n in names
    ]
    assert [read["list"] for read in read_nodes.values()] == [
        "x" if name is None else f"{clean_xml(name)}|x" for name in names
    ]
    ends = [(unescaped(source), unescaped(target)) for source, target, _ in read_edges]
    assert ends == ring(ids).rows()


def test_hostile_ids_and_names_reach_igraph_and_networkx(tmp_path) -> None:
    nodes = pl.DataFrame({"id": HOSTILE, "label": HOSTILE, "n": range(len(HOSTILE))})
    edges = ring(HOSTILE).with_columns(trace=pl.col("target"))
    write_graphml(tmp_path / "g.graphml", nodes, edges, directed=True)
    written = [xml_id(text) for text in HOSTILE]
    cleaned = [clean_xml(text) for text in HOSTILE]

    read = igraph.Graph.Read_GraphML(str(tmp_path / "g.graphml"))
    # igraph 1.0 leaves the & of any XML attribute half decoded; in the text of an element it reads it.
    assert read.vs["id"] == [text.replace("&", "&#38;") for text in written]
    assert read.vs["label"] == cleaned
    assert read.vs["n"] == list(range(len(HOSTILE)))
    assert [(written[e.source], written[e.target]) for e in read.es] == [
        (xml_id(source), xml_id(target)) for source, target in ring(HOSTILE).iter_rows()
    ]
    assert read.es["trace"] == cleaned[1:] + cleaned[:1]

    other = nx.read_graphml(tmp_path / "g.graphml")
    assert list(other.nodes) == written
    # NetworkX takes an empty text for none at all.
    assert [other.nodes[node].get("label", "") for node in written] == cleaned
    assert set(other.edges) == {
        (xml_id(source), xml_id(target)) for source, target in ring(HOSTILE).iter_rows()
    }


def typed() -> tuple[pl.DataFrame, pl.DataFrame]:
    nodes = pl.DataFrame(
        {
            "id": ["a", "b", "c"],
            "label": ["A", None, ""],
            "x": [0.5, None, float("nan")],
            "size": [1.0, float("inf"), 1e300],
            "r": [0, 255, 7],
            "g": [1, None, 8],
            "b": [2, 3, 9],
            "n_shares": pl.Series([1, None, 4_000_000_000], dtype=pl.UInt32),
            "followers": [2**62 + 1, -1, None],
            "huge": pl.Series([2**64 - 1, 1, None], dtype=pl.UInt64),
            "flagged": [True, False, None],
            "created_at": pl.Series(
                [datetime(2020, 1, 2, 3, tzinfo=UTC)] * 3, dtype=pl.Datetime("ms", "UTC")
            ),
            "lag": [timedelta(seconds=1.5)] * 3,
            "flags": [["seeds", "night"], [], None],
            "platform": pl.Series(["x", "x", None], dtype=pl.Categorical),
            "nothing": [None, None, None],
            "32": pl.Series([0.1, 0.1, 0.1], dtype=pl.Float32),
        }
    )
    edges = pl.DataFrame(
        {
            "source": ["a", "a", "b"],
            "target": ["b", "b", "c"],
            "id": ["e1", "e2", None],
            "weight": [1.5, 2.0, 3.0],
            "trace": ["url", "domain", "url"],
            "r": [1, 2, 3],
            "g": [1, 2, 3],
            "b": [1, 2, 3],
        }
    )
    return nodes, edges


def test_types_and_values(tmp_path) -> None:
    path = tmp_path / "g.graphml"
    write_graphml(path, *typed())
    assert types(path) == {
        "v_label": "string", "v_x": "double", "v_size": "double", "v_r": "int", "v_g": "int", "v_b": "int",
        "v_n_shares": "long", "v_followers": "long", "v_huge": "string", "v_flagged": "boolean",
        "v_created_at": "string", "v_lag": "double", "v_flags": "string", "v_platform": "string",
        "v_nothing": "string", "v_16": "double",
        "e_weight": "double", "e_trace": "string", "e_r": "int", "e_g": "int", "e_b": "int",
    }  # fmt: skip
    nodes, edges = parsed(path)
    common = {"created_at": "2020-01-02T03:00:00Z", "lag": "1.5", "32": "0.1"}
    assert nodes["a"] == common | {
        "label": "A", "x": "0.5", "size": "1.0", "r": "0", "g": "1", "b": "2", "n_shares": "1",
        "followers": str(2**62 + 1), "huge": str(2**64 - 1), "flagged": "true", "flags": "seeds|night",
        "platform": "x",
    }  # fmt: skip
    # A colour that lacks a part is no colour, and infinity is no size.
    assert nodes["b"] == common | {
        "followers": "-1", "huge": "1", "flagged": "false", "flags": "", "platform": "x"
    }  # fmt: skip
    assert nodes["c"].keys() == common.keys() | {"label", "size", "r", "g", "b", "n_shares"}
    assert float(nodes["c"]["size"]) == 1e300
    assert edges[0] == ("a", "b", {"weight": "1.5", "trace": "url", "r": "1", "g": "1", "b": "1"})


def test_typed_values_reach_networkx_and_igraph(tmp_path) -> None:
    write_graphml(tmp_path / "g.graphml", *typed(), directed=True)
    read = nx.read_graphml(tmp_path / "g.graphml")
    assert read.is_directed()
    assert read.nodes["a"]["followers"] == 2**62 + 1
    assert read.nodes["a"]["flagged"] is True
    assert read.nodes["a"]["size"] == 1.0
    assert "x" not in read.nodes["c"]
    assert read.edges["a", "b", "e2"]["weight"] == 2.0
    other = igraph.Graph.Read_GraphML(str(tmp_path / "g.graphml"))
    assert other.is_directed()
    assert other.vs["id"] == ["a", "b", "c"]
    assert other.es["weight"] == [1.5, 2.0, 3.0]


@pytest.mark.parametrize("dtype", [pl.Int8, pl.UInt8, pl.Int64, pl.UInt64, pl.Int128])
def test_colours_of_any_integer(tmp_path, dtype) -> None:
    nodes = pl.DataFrame({"id": ["a"], "r": [12], "g": [0], "b": [127]}).with_columns(
        pl.col("r", "g", "b").cast(dtype)
    )
    write_graphml(tmp_path / "g", nodes, pl.DataFrame({"source": ["a"], "target": ["a"]}))
    assert parsed(tmp_path / "g")[0] == {"a": {"r": "12", "g": "0", "b": "127"}}
    assert set(types(tmp_path / "g").values()) == {"int"}


def test_slices_make_no_difference(tmp_path, monkeypatch) -> None:
    write_graphml(tmp_path / "one", *typed())
    monkeypatch.setattr(graph_tables, "_SLICE", 2)
    write_graphml(tmp_path / "two", *typed())
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_network_of_nothing(tmp_path) -> None:
    nodes, edges = typed()
    write_graphml(tmp_path / "g", nodes.clear(), edges.clear())
    assert parsed(tmp_path / "g") == ({}, [])
    write_graphml(tmp_path / "g", nodes.select("id"), edges.clear().select("source", "target"))
    assert parsed(tmp_path / "g") == ({"a": {}, "b": {}, "c": {}}, [])


def test_column_names_may_be_hostile(tmp_path) -> None:
    names = ['a"<&>\n\x01', "name", "Name", "d3", "", "é", "{}", "source"]
    nodes = pl.DataFrame({"id": ["a"], **{name: [str(at)] for at, name in enumerate(names)}})
    write_graphml(tmp_path / "g", nodes, pl.DataFrame({"source": ["a"], "target": ["a"]}))
    assert parsed(tmp_path / "g")[0] == {"a": {xml_id(name): str(at) for at, name in enumerate(names)}}
    # Gephi takes the key id d3 for a label, and compares the ids of columns without their case.
    keys = [key.lower() for key in types(tmp_path / "g")]
    assert len(set(keys)) == len(names)
    assert all(key.startswith("v_") for key in keys)


def test_all_faults_are_named_together(tmp_path) -> None:
    nodes = pl.DataFrame(
        {"id": ["a", "b", "b"], "size": ["1", "2", "3"], "r": [0, 256, 1], "g": [1.0, 2.0, 3.0]}
    )
    edges = pl.DataFrame({"source": ["a"], "target": ["b"], "Type": ["x"], "id": [1], "weight": [None]})
    with pytest.raises(InputError) as caught:
        write_graphml(tmp_path / "g", nodes, edges)
    for fault in (
        "nodes have the id 'b' more than once", "column 'id' of the edges is Int64, not String",
        "node column 'size' is String", "node column 'r' has values outside", "node column 'g' is Float64",
        "edge column 'Type'", "'trace'", "edge column 'weight' is Null",
    ):  # fmt: skip
        assert fault in str(caught.value)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("nodes", "edges", "fault"),
    [
        (
            {"a": ["a"]},
            {"source": ["a"]},
            "nodes: no column 'id'; .*; edges: no column 'target'; found source",
        ),
        ({"id": ["a", None]}, {"source": ["a"], "target": ["a"]}, "column 'id' of the nodes has 1 null"),
        ({"id": ["a"]}, {"source": ["a"], "target": [""]}, "1 edges have a target that is not a node: ''"),
        ({"id": ["a"]}, {"source": ["x", "y"], "target": ["a", "a"]}, "2 edges have a source .* 'x'"),
        ({"id": ["a"]}, {"source": ["a"] * 2, "target": ["a"] * 2, "id": ["e"] * 2}, "edges have the id 'e'"),
        ({"id": ["a"], "raw": [b"x"]}, {"source": ["a"], "target": ["a"]}, "column 'raw' of dtype Binary"),
    ],
)
def test_faults_are_said(tmp_path, nodes, edges, fault) -> None:
    with pytest.raises(InputError, match=fault):
        write_graphml(tmp_path / "g", pl.DataFrame(nodes), pl.DataFrame(edges))
    assert os.listdir(tmp_path) == []


def test_an_interrupted_write_leaves_what_was_there(tmp_path, monkeypatch) -> None:
    path = tmp_path / "g"
    write_graphml(path, *typed())
    before = path.read_bytes()

    def interrupted(*_, **__):
        yield "<node"
        raise KeyboardInterrupt

    monkeypatch.setattr(graphml, "_elements", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_graphml(path, *typed())
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["g"]
    with pytest.raises(UsageError, match="is a folder"):
        write_graphml(tmp_path, *typed())
