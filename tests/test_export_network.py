from __future__ import annotations

import csv
import io
import random
import unicodedata
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import igraph as ig
import networkx as nx
import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from propgraph.cli import findings
from propgraph.cli.app import run
from propgraph.errors import StudyError, UsageError
from propgraph.export.network import network_tables, write_network
from propgraph.export.palette import UNFLAGGED
from propgraph.export.tables import render
from propgraph.jobs.build import build
from propgraph.jobs.clusters import find_clusters
from propgraph.networks import join_traces

XML = "{http://graphml.graphdrawing.org/xmlns}"
START = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def graphml(small_study, tmp_path_factory):
    path = tmp_path_factory.mktemp("graphml") / "network.graphml"
    write_network(path, small_study)
    return path


def test_networkx_reads_it_back(small_study, graphml):
    graph = nx.read_graphml(graphml)
    edges = join_traces(small_study.edges.filter(pl.col("trace").is_in(["reshare", "url"])))
    assert {frozenset(pair) for pair in graph.edges} == {
        frozenset(pair) for pair in edges.select("source", "target").iter_rows()
    }
    assert set(graph) == set(edges["source"]) | set(edges["target"])
    cluster = dict(small_study.members.select("account_id", "cluster_id").iter_rows())
    clusters = {row["cluster_id"]: row for row in small_study.clusters.to_dicts()}
    accounts = {row["account_id"]: row for row in small_study.accounts.to_dicts()}
    weights = dict.fromkeys(graph, 0)
    for row in edges.to_dicts():
        for end in (row["source"], row["target"]):
            weights[end] += row["weight"]
    flagged = 0
    for account, node in graph.nodes.items():
        assert node["label"] == accounts[account]["name"]
        assert node.get("cluster") == cluster.get(account)
        if account in cluster:
            judged = clusters[cluster[account]]
            assert node["flagged"] == judged["flagged"]
            assert node["score"] == judged["score"]
            assert node.get("flags", "") == "|".join(judged["flags"])
            flagged += node["flagged"]
        else:
            assert node["flagged"] is False
            assert "score" not in node
        assert node["degree"] == graph.degree(account)
        assert node["strength"] == weights[account]
        assert node["n_posts"] == accounts[account]["n_posts"]
        assert node["followers"] == accounts[account]["followers"]
        assert datetime.fromisoformat(node["created_at"]) == accounts[account]["created_at"]
        assert 4 <= node["size"] <= 14
        colour = [node[part] for part in "rgb"]
        assert all(type(part) is int and 0 <= part <= 255 for part in colour)
        assert (tuple(colour) == UNFLAGGED) == ("cluster" not in node)
    assert flagged == small_study.run["clusters"]["counts"]["flagged_accounts"] > 0
    assert max(node["size"] for node in graph.nodes.values()) == 14


def test_flagged_clusters_have_a_colour_each(small_study, graphml):
    graph = nx.read_graphml(graphml)
    colours = {}
    for node in graph.nodes.values():
        if node["flagged"]:
            colours.setdefault(node["cluster"], set()).add((node["r"], node["g"], node["b"]))
    assert len(colours) == small_study.clusters["flagged"].sum() >= 2
    assert all(len(of_cluster) == 1 for of_cluster in colours.values())
    assert len(set.union(*colours.values())) == len(colours)
    for one, other, edge in graph.edges(data=True):
        ends = graph.nodes[one], graph.nodes[other]
        inside = ends[0]["flagged"] and ends[0]["cluster"] == ends[1].get("cluster")
        colour = (edge["r"], edge["g"], edge["b"])
        assert colour == (tuple(ends[0][part] for part in "rgb") if inside else UNFLAGGED)
        assert {"weight", "n_objects", "n_events", "mean_delta_s", "fast_share", "traces"} <= set(edge)


def test_edges_out_of_a_flagged_cluster_are_grey(own_study):
    # One seeder moved to the other flagged cluster, one out of every cluster: their edges lead across.
    flagged = own_study.clusters.filter("flagged")["cluster_id"].to_list()
    members = own_study.members
    moved, gone = members.filter(cluster_id=flagged[0])["account_id"][:2]
    members.filter(pl.col("account_id") != gone).with_columns(
        cluster_id=pl.when(pl.col("account_id") == moved).then(pl.lit(flagged[1])).otherwise("cluster_id")
    ).write_parquet(own_study.file("members"))
    _, edges = network_tables(own_study)
    for account in (moved, gone):
        mine = edges.filter((pl.col("source") == account) | (pl.col("target") == account))
        assert mine.height > 10
        assert set(mine.select("r", "g", "b").iter_rows()) == {UNFLAGGED}


def test_igraph_reads_it_back(graphml):
    graph = ig.Graph.Read_GraphML(str(graphml))
    by_networkx = nx.read_graphml(graphml)
    assert sorted(graph.vs["id"]) == sorted(by_networkx)
    assert graph.ecount() == by_networkx.number_of_edges()
    assert not graph.is_directed()
    assert {
        "label",
        "cluster",
        "flags",
        "score",
        "degree",
        "strength",
        "x",
        "y",
        "size",
        "r",
        "g",
        "b",
    } <= set(graph.vs.attributes())
    for vertex in graph.vs:
        assert vertex["label"] == by_networkx.nodes[vertex["id"]]["label"]
        assert vertex["strength"] == by_networkx.nodes[vertex["id"]]["strength"]


def test_gephi_finds_integers_and_no_type(graphml):
    root = ElementTree.parse(graphml).getroot()
    kinds = {(key.get("for"), key.get("attr.name")): key.get("attr.type") for key in root.iter(f"{XML}key")}
    assert kinds["node", "r"] == kinds["node", "g"] == kinds["edge", "b"] == "int"
    assert ("edge", "type") not in kinds
    [red] = [
        key.get("id")
        for key in root.iter(f"{XML}key")
        if key.get("attr.name") == "r" and key.get("for") == "node"
    ]
    values = [data.text for data in root.iter(f"{XML}data") if data.get("key") == red]
    assert values
    assert all(value.isdecimal() for value in values)


def test_the_same_study_gives_the_same_bytes(small_study, graphml, tmp_path):
    random.seed(1)
    write_network(tmp_path / "again.graphml", small_study)
    assert (tmp_path / "again.graphml").read_bytes() == graphml.read_bytes()
    nodes, _ = network_tables(small_study, seed=1)
    assert_frame_equal(nodes.drop("x", "y"), network_tables(small_study)[0].drop("x", "y"))


def test_clusters_lie_apart_and_no_two_nodes_overlap(small_study):
    nodes, _ = network_tables(small_study)
    place, size = nodes.select("x", "y").to_numpy(), nodes["size"].to_numpy()
    apart = np.hypot(*(place[:, None] - place[None]).transpose(2, 0, 1))
    np.fill_diagonal(apart, np.inf)
    assert (apart >= size[:, None] + size[None]).all()
    clusters = nodes["cluster"].unique().drop_nulls().to_list()
    assert len(clusters) >= 2
    for name in clusters:
        mine = nodes["cluster"].eq_missing(name).to_numpy()
        middle = place[mine].mean(axis=0)
        reach = np.hypot(*(place - middle).T)
        # All strangers lie further from the middle of a cluster than its outermost member.
        assert reach[~mine].min() > reach[mine].max()


def test_gexf_has_times_places_and_colours(small_study, tmp_path):
    path = tmp_path / "network.gexf"
    write_network(path, small_study)
    nodes, edges = network_tables(small_study)
    graph = nx.read_gexf(path)
    assert set(graph) == set(nodes["id"])
    for row in nodes.to_dicts():
        node = graph.nodes[row["id"]]
        assert node["label"] == row["label"]
        assert node["viz"]["size"] == pytest.approx(row["size"])
        assert node["viz"]["position"]["x"] == pytest.approx(row["x"])
        assert [node["viz"]["color"][part] for part in "rgb"] == [row[part] for part in "rgb"]
        assert datetime.fromisoformat(node["start"]) == row["first_seen"]
        assert node.get("cluster") == row["cluster"]
    for row in edges.to_dicts():
        edge = graph.edges[row["source"], row["target"]]
        assert edge["weight"] == row["weight"]
        if row["first_time"] is not None:
            assert datetime.fromisoformat(edge["start"]) == row["first_time"]
            assert datetime.fromisoformat(edge["end"]) == row["last_time"]


def test_a_study_without_clusters_and_a_path_in_no_folder(small_study, tmp_path):
    rows = {"account_id": ["a", "b"], "timestamp": [START, START], "object_id": ["x", "x"]}
    pl.DataFrame(rows).write_parquet(tmp_path / "log.parquet")
    study = build([tmp_path / "log.parquet"], tmp_path / "study")
    with pytest.raises(StudyError, match="propgraph clusters"):
        write_network(tmp_path / "network.graphml", study)
    assert not (tmp_path / "network.graphml").exists()
    with pytest.raises(UsageError, match="does not exist"):
        write_network(tmp_path / "nowhere" / "network.graphml", small_study)
    # And a study whose network is empty.
    empty = find_clusters(study.path)
    write_network(tmp_path / "network.graphml", empty)
    assert nx.read_graphml(tmp_path / "network.graphml").number_of_nodes() == 0


HOSTILE = [
    "<script>alert(1)</script>",
    "a\x00b\x01\x1b[31mred\x1b[0m\x7f",
    "\u202egnp.exe\u202c",
    "\u200e\u200f\u2066x\u2069",
    "one\ntwo\r\nthree\tfour",
    "x" * 10_000,
    "👩‍👩‍👧 emoji 🇲🇰",
    '=HYPERLINK("http://evil.example","click")',
    "+1-1@cmd|' /C calc'!A0",
    "@SUM(A1)",
    "\u200b=1+1",
    "界" * 300,
    "]]>&amp;<!--",
    "[red]markup[/red]",
    "null",
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢",
]


@pytest.fixture(scope="module")
def hostile_study(tmp_path_factory):
    """A crew whose ids and names are as hostile as text can be, among strangers; flagged."""
    folder = tmp_path_factory.mktemp("hostile")
    rows, chance = [], random.Random(7)
    for k in range(8):
        # At another place of each link's life: who always came first would come first by habit.
        begin = 5000 * k + 300 + 600 * (3 * k % 8)
        for j, who in enumerate(HOSTILE):
            rows.append((who, f"{who} too", begin + j, f"https://xn--80ak6aa92e.example{k % 2}.com/{k}"))
        for j in range(20):
            second = 5000 * k + 300 + chance.randrange(4600)
            rows.append((f"s{j}", f"stranger {j}", second, f"https://xn--80ak6aa92e.example{k % 2}.com/{k}"))
    pl.DataFrame(
        {
            "content_id": [f"{who[:50]} {k}" for k, (who, *_) in enumerate(rows)],
            "account_id": [row[0] for row in rows],
            "account_name": [row[1] for row in rows],
            "timestamp": [START + timedelta(seconds=row[2]) for row in rows],
            "url": [row[3] for row in rows],
            "target_id": [row[0] for row in rows],
        }
    ).write_ndjson(folder / "log.ndjson")  # there an account may be called null
    study = build([folder / "log.ndjson"], folder / "study")
    assert study.run["build"]["counts"]["rejected"] == 0
    return find_clusters(study.path)


def as_xml_id(text):
    """The id as XML can hold it: what XML forbids, and the backslash beside it, escaped."""
    forbidden = [c for c in text if ord(c) < 0x20 and c not in "\t\n\r"]
    if not forbidden:
        return text
    text = text.replace("\\", "\\\\")
    for c in forbidden:
        text = text.replace(c, f"\\u{ord(c):04X}")
    return text


def test_hostile_accounts_are_flagged_and_come_through(hostile_study):
    flagged = hostile_study.members.join(
        hostile_study.clusters.filter("flagged"), on="cluster_id", how="semi"
    )
    assert sorted(flagged["account_id"]) == sorted(HOSTILE)
    names = dict(hostile_study.accounts.select("account_id", "name").iter_rows())
    assert all(names[who] == f"{who} too" for who in HOSTILE)


def test_hostile_graphml_is_well_formed(hostile_study, tmp_path):
    path = tmp_path / "network.graphml"
    write_network(path, hostile_study)
    ElementTree.parse(path)
    graph = nx.read_graphml(path)
    assert set(map(as_xml_id, HOSTILE)) == {
        account for account, node in graph.nodes.items() if node["flagged"]
    }
    label = graph.nodes[HOSTILE[0]]["label"]
    assert label == "<script>alert(1)</script> too"
    assert "\x1b" not in graph.nodes[as_xml_id(HOSTILE[1])]["label"]
    assert ig.Graph.Read_GraphML(str(path)).vcount() == graph.number_of_nodes()


@pytest.mark.parametrize("table", ["members", "clusters", "sites", "evidence", "accounts"])
def test_hostile_csv_starts_no_formula(hostile_study, table):
    frame = getattr(hostile_study, table)
    rows = list(csv.reader(io.StringIO(render(frame, "csv").decode(), newline="")))
    assert len(rows) == frame.height + 1
    assert {len(row) for row in rows} == {frame.width}
    numbers = {name for name, dtype in frame.schema.items() if dtype.is_numeric()}
    for row in rows[1:]:
        for name, cell in zip(frame.columns, row, strict=True):
            if name not in numbers:
                # A spreadsheet skips what is blank or invisible before it looks for a formula.
                visible = cell.lstrip(
                    "".join(map(chr, range(33))) + "\x7f\u200b\u200e\u200f\u202e\u2066\u2069"
                )
                assert not visible.startswith(("=", "+", "-", "@"))


def cells(line):
    """Columns of a terminal that a line takes, by Unicode's own tables; a wide character takes two."""
    return sum(
        0 if unicodedata.category(c) in ("Mn", "Me") else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in line
    )


def test_hostile_text_keeps_to_the_table(hostile_study, capsys):
    findings.show(hostile_study)
    out = capsys.readouterr().out
    assert "1 of" in out
    for line in out.split("\n"):
        if not line.startswith(("study ", "next ", "page ", "members ")):
            assert cells(line) <= 100
            assert line == line.rstrip()
        assert all(unicodedata.category(c) not in ("Cc", "Cf", "Zl", "Zp") for c in line)


def test_hostile_sites_and_sentences_keep_to_the_table(own_study, capsys):
    # Sites and sentences as no log should have them: long, wide, invisible, marked up, coloured.
    worst = ["界" * 80 + ".com", "[bold]x[/bold].com", "\u202emoc.x", "\x1b[31mred\x1b[0m.com", "y" * 500]
    sites = own_study.sites.sort("score", descending=True)
    names = pl.Series("site", (worst + sites["site"].to_list())[: sites.height])
    counts = pl.Series("n_shares", [4_000_000_000] * sites.height, dtype=pl.UInt32)
    sites.with_columns(names, counts, pl.lit(["seeded"]).alias("flags")).write_parquet(
        own_study.file("sites")
    )
    said = own_study.evidence.with_columns(
        sentence=pl.lit(
            " ".join(["\u202e" + "界" * 70, "x" * 300, "[red]no[/red]", "\x1b]0;title\x07\n\n"] * 3)
        )
    )
    said.write_parquet(own_study.file("evidence"))
    findings.show(own_study, top=sites.height)
    assert run(["explain", str(own_study.path), "c1"]) == 0
    out = capsys.readouterr().out
    assert "[red]no[/red]" in out
    assert "[bold]x[/bold].com" in out
    assert "4,000,000,000" in out
    for line in out.split("\n"):
        if not line.startswith(("study ", "next ", "page ", "members ")):
            assert cells(line) <= 100
            assert line == line.rstrip()
        assert all(unicodedata.category(c) not in ("Cc", "Cf", "Zl", "Zp") for c in line)
