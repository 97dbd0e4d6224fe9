"""One cascade as text, GraphML and picture, against small trees drawn by hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import igraph
import networkx
import numpy as np
import polars as pl
import pytest
from lxml import etree
from PIL import Image

from propgraph.amplification.seeding import seeded
from propgraph.cli.app import run
from propgraph.errors import StudyError, UsageError
from propgraph.export.tree_marks import NO_MARKS, tree_marks
from propgraph.export.tree_network import tree_tables, write_tree
from propgraph.export.tree_picture import write_tree_png, write_tree_svg
from propgraph.export.tree_scene import MAX_DRAWN, Dot, Line, Words, scene
from propgraph.export.tree_text import growth, human, tree_lines
from propgraph.schema import TABLES
from propgraph.study import Study
from propgraph.trees import find_cascade, read_tree

START = datetime(2024, 5, 1, tzinfo=UTC)


def make(folder, *trees, names=None):
    """Write a study of trees `(cascade_id, [(content, account, delay or None, parent, source), ...])`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_text(json.dumps({"build": {}}))
    rows, nodes = [], []
    for cascade, posts in trees:
        trace, _, object_ = cascade.partition(":")
        rows.append(
            {"cascade_id": cascade, "trace": trace, "object_id": object_, "start": START, "size": len(posts),
             "n_accounts": len({post[1] for post in posts}), "depth": 1, "max_breadth": 1, "observed_share": 0.5,
             "structural_virality": 1.5 if len(posts) > 1 else None, "duration_s": 60.0}
        )  # fmt: skip
        nodes += [
            {"cascade_id": cascade, "content_id": content, "account_id": account, "parent_content_id": parent,
             "timestamp": None if delay is None else START + timedelta(seconds=delay), "parent_source": source,
             "depth": 0 if source == "root" else 1}
            for content, account, delay, parent, source in posts
        ]  # fmt: skip
    accounts = [{"account_id": key, "name": name} for key, name in (names or {}).items()]
    for table, content in (("cascades", rows), ("cascade_nodes", nodes), ("accounts", accounts)):
        known = {
            name: dtype for name, dtype in TABLES[table].dtypes.items() if content and name in content[0]
        }
        TABLES[table].conform(pl.DataFrame(content, schema=known)).write_parquet(folder / f"{table}.parquet")
    return Study.open(folder)


def tree_of(study, name="url:x"):
    return read_tree(study, find_cascade(study, name))


SMALL = [
    ("p0", "ann", 0, None, "root"),
    ("p1", "bob", 3, "p0", "observed"),
    ("p2", "cat", 720, "p1", "inferred:star"),
    ("p3", "dan", 14_400, "p0", "observed"),
    ("p4", "eve", 172_800, "p3", "inferred:pdi"),
]


def test_a_small_tree_line_by_line(tmp_path):
    tree = tree_of(make(tmp_path / "s", ("url:x", SMALL), names={"bob": "Bob B."}))
    assert tree_lines(tree) == [
        "   root  ann",
        "    3 s  ├─ Bob B.",
        "   12 m  │  └─ ~cat",
        "    4 h  └─ dan",
        "    2 d     └─ ~eve",
    ]
    assert tree.parent.tolist() == [-1, 0, 1, 0, 3]


def test_only_that_cascade_is_read_whatever_the_order(tmp_path):
    study = make(tmp_path / "s", ("url:x", SMALL[::-1]), ("url:y", SMALL))
    tree = tree_of(study)
    assert tree.nodes["content_id"].to_list() == ["p0", "p1", "p2", "p3", "p4"]


def test_a_star_is_folded(tmp_path):
    star = [("p0", "ann", 0, None, "root")]
    star += [(f"p{k}", f"a{k}", k, "p0", "inferred:star") for k in range(1, 218)]
    star += [("q", "late", 500, "p200", "observed")]
    lines = tree_lines(tree_of(make(tmp_path / "s", ("url:x", star))))
    assert lines[1:5] == [f"    {k} s  ├─ ~a{k}" for k in range(1, 5)]
    assert lines[5:] == [
        "    3 m  ├─ ~a200",
        "    8 m  │  └─ late",
        "         └─ ... and 212 more below ann (largest subtree 1)",
    ]


def test_lines_stay_few_and_narrow(tmp_path):
    posts = [("p0", "名" * 60, 0, None, "root")]
    posts += [(f"p{k}", f"{k}" * 60, k, f"p{(k - 1) // 3}", "observed") for k in range(1, 3000)]
    lines = tree_lines(tree_of(make(tmp_path / "s", ("url:x", posts))), most=40, width=60)
    assert 30 < len(lines) <= 40
    assert max(map(len, lines)) <= 60
    assert any(line.endswith(" below)") or line.endswith("…") for line in lines)


def test_a_chain_of_100_000(tmp_path):
    n = 100_000
    chain = [("p0", "a0", 0, None, "root")]
    chain += [(f"p{k}", f"a{k}", k, f"p{k - 1}", "observed") for k in range(1, n)]
    tree = tree_of(make(tmp_path / "s", ("url:x", chain)))
    assert tree_lines(tree) == [
        "   root  a0",
        "         ┊  ... 99,998 in a row, each below the one before",
        "    1 d  └─ a99999",
    ]
    assert write_tree_png(tmp_path / "t.png", tree, width=300) == MAX_DRAWN


def test_hostile_names_stay_in_their_line(tmp_path):
    posts = [("p0", "a", 0, None, "root"), ("p\n1", "b", 1, "p0", "observed")]
    names = {"a": "x\n\x1b[31mred\u202egnp", "b": "[bold]\r\u200b"}
    tree = tree_of(make(tmp_path / "s", ("url:x", posts), names=names))
    assert tree_lines(tree) == ["   root  x␊␛[31mredgnp", "    1 s  └─ [bold]␍"]
    write_tree(tmp_path / "t.graphml", tree)
    assert igraph.Graph.Read_GraphML(str(tmp_path / "t.graphml")).vcount() == 2


def test_a_root_without_a_time(tmp_path):
    posts = [
        ("p0", None, None, None, "root"),
        ("p1", "b", 5, "p0", "observed"),
        ("p2", "c", 65, "p0", "observed"),
    ]
    tree = tree_of(make(tmp_path / "s", ("reshare:x", posts)), "x")
    assert tree_lines(tree) == [
        "   root  unknown account  (its post is not in the log)",
        "    0 s  ├─ b",
        "    1 m  └─ c",
    ]
    write_tree(tmp_path / "t.graphml", tree)
    write_tree_png(tmp_path / "t.png", tree, width=300)


def test_one_post_alone(tmp_path):
    tree = tree_of(make(tmp_path / "s", ("url:x", SMALL[:1])))
    assert tree_lines(tree) == ["   root  ann"]
    assert growth(tree) == "1 post at one moment"
    assert write_tree_png(tmp_path / "t.png", tree, width=300) == 1
    write_tree(tmp_path / "t.graphml", tree)


def test_no_post_is_lost_to_dirt(tmp_path):
    # A parent that is not there, two that name each other, an id that stands twice.
    posts = [
        ("p0", "a", 0, None, "root"), ("p1", "b", 1, "gone", "observed"), ("p2", "c", 2, "p3", "observed"),
        ("p3", "d", 3, "p2", "observed"), ("p1", "e", 4, "p1", "observed"),
    ]  # fmt: skip
    tree = tree_of(make(tmp_path / "s", ("url:x", posts)))
    assert len(tree_lines(tree)) == 5
    write_tree(tmp_path / "t.graphml", tree)
    graph = igraph.Graph.Read_GraphML(str(tmp_path / "t.graphml"))
    assert (graph.vcount(), graph.ecount(), graph.is_connected("weak")) == (5, 4, True)


def test_growth_names_its_ends(tmp_path):
    even = [("p0", "a", 0, None, "root")] + [(f"p{k}", "b", k, "p0", "observed") for k in range(1, 61)]
    line = growth(tree_of(make(tmp_path / "s", ("url:x", even))), bins=4)
    assert line == "0 s ▃▅▇█ 1 m  (linear time)"
    burst = [(f"p{k}", "b", 2**k, "p0", "observed") for k in range(1, 20)]
    line = growth(tree_of(make(tmp_path / "b", ("url:x", [even[0], *burst]))))
    assert line.startswith("1 s ▁")
    assert line.endswith("█ 6 d  (log time)")


def test_graphml_is_the_tree(tmp_path):
    tree = tree_of(make(tmp_path / "s", ("url:x", SMALL), names={"bob": "Bob"}))
    write_tree(tmp_path / "t.graphml", tree)
    graph = igraph.Graph.Read_GraphML(str(tmp_path / "t.graphml"))
    assert (graph.vcount(), graph.ecount(), graph.is_directed()) == (5, 4, True)
    assert graph.vs["id"] == ["p0", "p1", "p2", "p3", "p4"]
    assert {"account", "name", "timestamp", "depth", "parent_source"} <= set(graph.vs.attributes())
    assert [edge.tuple for edge in graph.es] == [(0, 1), (1, 2), (0, 3), (3, 4)]
    assert graph.es["delay_s"] == [3, 717, 14_400, 158_400]


@pytest.mark.parametrize("n", [5, 300])
def test_png_is_a_picture(tmp_path, n):
    posts = [SMALL[0], *((f"p{k}", f"a{k}", k, f"p{k // 3}", "observed") for k in range(1, n))]
    tree = tree_of(make(tmp_path / "s", ("url:x", posts)))
    assert write_tree_png(tmp_path / "t.png", tree, width=400) == n
    assert (tmp_path / "t.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    with Image.open(tmp_path / "t.png") as picture:
        assert picture.size == (400, 442)
        assert len(picture.getcolors(1 << 20)) > 50
    with pytest.raises(UsageError, match="does not exist"):
        write_tree_png(tmp_path / "nowhere" / "t.png", tree)


def test_found_by_id_object_or_beginning(tmp_path):
    study = make(
        tmp_path / "s", ("url:https://a.mk/1", SMALL), ("url:https://a.mk/12", SMALL), ("reshare:77", SMALL)
    )
    for name, found in (
        ("url:https://a.mk/1", "url:https://a.mk/1"), ("https://a.mk/1", "url:https://a.mk/1"), ("7", "reshare:77"),
        ("url:https://a.mk/12…", "url:https://a.mk/12"), ("resh", "reshare:77"),
    ):  # fmt: skip
        assert find_cascade(study, name)["cascade_id"] == found
    with pytest.raises(StudyError, match=r"may be .*write more of it"):
        find_cascade(study, "url:http")
    with pytest.raises(StudyError, match=r"did you mean 'url:https://a.mk/12'"):
        find_cascade(study, "url:httsp://a.mk/12")
    with pytest.raises(StudyError, match="no cascade is called ''"):
        find_cascade(study, "")


def test_seeded_counts_flagged_members_among_the_first_ten(tmp_path):
    long = [
        SMALL[0],
        *((f"q{k}", f"m{k}" if k < 6 or k > 10 else "other", k, "p0", "observed") for k in range(1, 30)),
    ]
    study = make(tmp_path / "s", ("url:x", long), ("url:y", SMALL))
    assert seeded(study) is None
    members = pl.DataFrame(
        {"cluster_id": ["c1"] * 29 + ["c2"], "account_id": [*(f"m{k}" for k in range(1, 30)), "eve"]}
    )
    clusters = pl.DataFrame({"cluster_id": ["c1", "c2"], "flagged": [True, False]})
    TABLES["members"].conform(members).write_parquet(study.file("members"))
    TABLES["clusters"].conform(clusters).write_parquet(study.file("clusters"))
    assert seeded(study).rows() == [("url:x", 0.5)]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(None, "?"), (0, "0 s"), (59.4, "59 s"), (59.6, "1 m"), (3599, "1 h"), (86399, "1 d"), (-5, "-5 s")],
)
def test_durations_for_people(seconds, told):
    assert human(seconds) == told


# Members of flagged clusters, names, times: what a picture and a network show of them


MARKED = pl.DataFrame(
    {"row": [1, 3], "cluster_id": ["c1", "c2"], "r": [230, 86], "g": [159, 180], "b": [0, 233]},
    schema=NO_MARKS.schema,
)


def seeded_tree(study):
    """The cascade of a study with most posts of flagged clusters' members, and its marks."""
    flagged = study.clusters.filter("flagged")["cluster_id"]
    members = study.members.filter(pl.col("cluster_id").is_in(flagged.implode()))
    nodes = study.cascade_nodes.join(members.select("account_id", "cluster_id"), on="account_id")
    name = nodes["cascade_id"].value_counts().sort("count", "cascade_id", descending=True)["cascade_id"][0]
    return tree_of(study, name), nodes.filter(cascade_id=name)


def test_marks_are_the_posts_of_flagged_members(small_study):
    tree, members = seeded_tree(small_study)
    marks = tree_marks(small_study, tree)
    assert marks.schema == NO_MARKS.schema
    assert sorted(tree.nodes["content_id"].gather(marks["row"])) == sorted(members["content_id"])
    assert marks.height < tree.nodes.height
    assert (
        marks.group_by("cluster_id").agg(pl.struct("r", "g", "b").n_unique())["r"].to_list()
        == [1] * marks["cluster_id"].n_unique()
    )


def test_without_clusters_nothing_is_marked(tmp_path):
    study = make(tmp_path / "s", ("url:x", SMALL))
    assert tree_marks(study, tree_of(study)).equals(NO_MARKS)


def test_a_picture_shows_members_names_and_times(tmp_path):
    posts = [*SMALL, ("p5", "fay", 172_801, "p1", "observed")]
    tree = tree_of(make(tmp_path / "s", ("url:x", posts), names={"bob": "Bob B."}))
    made = scene(tree, MARKED)
    words = [shape.text for shape in made.shapes if isinstance(shape, Words)]
    assert words[:2] == ["ann", "Bob B."]  # the root, and the only other with two children
    assert {"c1 (1)", "c2 (1)", "0 s", "3 s", "4 h", "2 d"} <= set(words)
    edges = [shape for shape in made.shapes[:5] if isinstance(shape, Line)]
    places = {
        shape.row: shape.at for shape in made.shapes if isinstance(shape, Dot) and shape.row is not None
    }
    assert {(line.start, line.end) for line in edges} == {
        (places[int(tree.parent[row])], places[row]) for row in range(1, 6)
    }
    rings = {shape.at: shape.colour for shape in made.shapes if isinstance(shape, Dot) and shape.ring}
    assert rings[places[1]] == (230, 159, 0)
    assert rings[places[3]] == (86, 180, 233)
    assert not {places[0], places[2], places[4], places[5]} & set(rings)
    # Parents above their children.
    assert all(places[int(tree.parent[row])][1] < places[row][1] for row in range(1, 6))


def test_the_svg_is_the_same_picture(tmp_path):
    tree = tree_of(make(tmp_path / "s", ("url:x", SMALL)))
    made = scene(tree, MARKED)
    assert write_tree_svg(tmp_path / "t.svg", tree, marks=MARKED) == 5
    svg = etree.parse(tmp_path / "t.svg").getroot()
    kinds = {"line": Line, "circle": Dot, "text": Words}
    for tag, kind in kinds.items():
        assert len(svg.findall(f"{{*}}{tag}")) == sum(isinstance(shape, kind) for shape in made.shapes)
    assert svg.get("viewBox") == "0 0 1600 1770"
    titles = [title.text for title in svg.iterfind(".//{*}title")]
    assert sorted(set(titles)) == [
        "ann, root",
        "bob, after 3 s",
        "cat, after 12 m",
        "dan, after 4 h",
        "eve, after 2 d",
    ]
    before = (tmp_path / "t.svg").read_bytes()
    write_tree_svg(tmp_path / "t.svg", tree, marks=MARKED)
    assert (tmp_path / "t.svg").read_bytes() == before


def test_hostile_names_stay_words(tmp_path):
    posts = [("p0", "a", 0, None, "root"), *((f"p{k}", f"b{k}", k, "p0", "observed") for k in range(1, 4))]
    names = {
        "a": '</text><script>alert(1)</script>"&\x00\ufffe\u202e',
        "b1": "<svg onload=x>",
        "b2": "\x1b[31m]]>",
    }
    tree = tree_of(make(tmp_path / "s", ('url:"><script>', posts), names=names), 'url:"><script>')
    write_tree_svg(tmp_path / "t.svg", tree)
    write_tree(tmp_path / "t.gexf", tree)
    svg = etree.parse(tmp_path / "t.svg").getroot()
    assert {etree.QName(element).localname for element in svg.iter()} == {
        "svg",
        "rect",
        "line",
        "circle",
        "text",
        "title",
    }
    assert not any(
        name.startswith("on") or "href" in name for element in svg.iter() for name in element.attrib
    )
    assert any("<script>alert" in (text.text or "") for text in svg.iterfind(".//{*}title"))
    graph = networkx.read_gexf(tmp_path / "t.gexf")
    assert graph.nodes["p1"]["label"] == "<svg onload=x>"


@pytest.mark.parametrize("ending", ["gexf", "graphml"])
def test_a_network_has_places_sizes_and_colours(tmp_path, ending):
    tree = tree_of(make(tmp_path / "s", ("url:x", SMALL), names={"bob": "Bob"}))
    write_tree(tmp_path / f"t.{ending}", tree, marks=MARKED)
    read = networkx.read_gexf if ending == "gexf" else networkx.read_graphml
    graph = read(tmp_path / f"t.{ending}")
    assert set(graph.edges) == {("p0", "p1"), ("p1", "p2"), ("p0", "p3"), ("p3", "p4")}
    assert graph.edges["p1", "p2"]["delay_s"] == 717
    nodes = graph.nodes(data=True)
    assert [value.get("cluster") for _, value in nodes] == [None, "c1", None, "c2", None]
    look = [value["viz"] if ending == "gexf" else value for _, value in nodes]
    places = [tuple(one["position"].values()) if ending == "gexf" else (one["x"], one["y"]) for one in look]
    assert len(set(places)) == 5
    assert places[0][1] > places[1][1] > places[2][1]  # Gephi's y goes up
    assert look[0]["size"] > look[1]["size"] > look[2]["size"]
    colours = [one["color"] if ending == "gexf" else one for one in look]
    assert [(one["r"], one["g"], one["b"]) for one in colours] == [
        (0, 0, 0), (230, 159, 0), (160, 160, 160), (86, 180, 233), (160, 160, 160)
    ]  # fmt: skip
    if ending == "gexf":
        assert b'start="2024-05-01T00:00:03' in (tmp_path / "t.gexf").read_bytes()


def test_without_marks_colours_tell_the_order(tmp_path):
    tree = tree_of(make(tmp_path / "s", ("url:x", SMALL)))
    write_tree(tmp_path / "t.graphml", tree)
    nodes = dict(networkx.read_graphml(tmp_path / "t.graphml").nodes(data=True))
    brightness = [sum(nodes[f"p{k}"][part] for part in "rgb") for k in range(5)]
    assert brightness == sorted(brightness)
    assert len(set(brightness)) == 5


def test_the_command_writes_all_four(small_study, tmp_path, capsys):
    tree, _ = seeded_tree(small_study)
    words = ["cascades", str(small_study.path), tree.cascade["cascade_id"]]
    files = {kind: str(tmp_path / f"t.{kind}") for kind in ("graphml", "gexf", "png", "svg")}
    assert run([*words, *(word for kind, path in files.items() for word in (f"--{kind}", path))]) == 0
    assert capsys.readouterr().out.splitlines()[-4:] == [
        f"{kind:<9}{path}{'  (open it in Gephi)' if kind in ('graphml', 'gexf') else ''}"
        for kind, path in files.items()
    ]
    svg = (tmp_path / "t.svg").read_text()
    assert "rings: members of flagged clusters (posts)" in svg
    assert run([*words, "--gexf", str(tmp_path / "t.graphml")]) == 2
    assert run([*words, "--graphml", str(tmp_path / "t.gexf")]) == 2
    assert run(["cascades", str(small_study.path), "--svg", str(tmp_path / "t.svg")]) == 2
    assert "--graphml, --gexf, --png and --svg write one cascade" in capsys.readouterr().err


@pytest.mark.parametrize("n", [2, 50, 61, 500])
def test_no_two_posts_of_a_star_lie_on_each_other(tmp_path, n):
    star = [SMALL[0], *((f"p{k}", f"a{k}", k, "p0", "observed") for k in range(1, n))]
    nodes, _ = tree_tables(tree_of(make(tmp_path / "s", ("url:x", star))), NO_MARKS)
    x, y, size = (nodes[name].to_numpy() for name in ("x", "y", "size"))
    apart = np.hypot(x[:, None] - x, y[:, None] - y) - (size[:, None] + size)
    assert apart[~np.eye(n, dtype=bool)].min() > 0
