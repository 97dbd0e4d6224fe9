from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

import igraph
import polars as pl
import pytest

from propgraph.errors import StudyError
from propgraph.jobs.build import build
from propgraph.study import Study
from propgraph.trees import read_cascade

LOG = """content_id,account_id,timestamp,kind,parent_content_id,origin_account_id
a,u1,2020-01-01T00:00:00Z,original,,
b,u2,2020-01-01T00:00:10Z,reshare,a,u1
c,u3,2020-01-01T00:00:30Z,reshare,b,u2
d,u4,2020-01-01T00:01:00Z,reshare,a,u1
x,u5,2020-01-01T00:02:00Z,reshare,absent,u9
y,u6,2020-01-01T00:03:00Z,reshare,absent,u9
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tree")
    (folder / "log.csv").write_text(LOG)
    return build([folder / "log.csv"], folder / "study")


def test_a_tree_has_posts_as_vertices_and_delays_on_its_edges(study):
    graph = read_cascade(study, "reshare:a")
    assert graph.is_directed()
    assert graph.is_tree(mode="out")
    assert graph.vs["name"] == graph.vs["content_id"] == ["a", "b", "c", "d"]
    assert graph.vs["account_id"] == ["u1", "u2", "u3", "u4"]
    assert graph.vs["depth"] == [0, 1, 2, 1]
    assert graph.vs["parent_source"] == ["root", "observed", "observed", "observed"]
    assert graph.vs[1]["timestamp"] == datetime(2020, 1, 1, 0, 0, 10, tzinfo=UTC)
    named = {(graph.vs[e.source]["name"], graph.vs[e.target]["name"]): e["delay_s"] for e in graph.es}
    assert named == {("a", "b"): 10, ("b", "c"): 20, ("a", "d"): 60}
    assert (graph["cascade_id"], graph["size"], graph["depth"], graph["trace"]) == (
        "reshare:a",
        4,
        2,
        "reshare",
    )
    assert graph["level_widths"] == [1, 2, 1]


def test_a_study_gives_its_cascades_as_trees_and_loads_igraph_only_then(study):
    graph, same = study.cascade("reshare:a"), read_cascade(study, "reshare:a")
    assert isinstance(graph, igraph.Graph)
    assert graph.get_edgelist() == same.get_edgelist() == [(0, 1), (1, 2), (0, 3)]
    assert [vertex.attributes() for vertex in graph.vs] == [vertex.attributes() for vertex in same.vs]
    with pytest.raises(StudyError, match="did you mean 'reshare:a'"):
        study.cascade("reshare:b")
    script = f"""
import sys, propgraph
study = propgraph.Study.open({str(study.path)!r})
print("igraph" in sys.modules, study.cascade("reshare:a").vcount(), "igraph" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False 4 True\n"


def test_a_root_that_is_not_in_the_log_has_no_time(study):
    graph = study.cascade("reshare:absent")
    assert graph.vs["timestamp"][0] is None
    assert graph.es["delay_s"] == [None, None]


def test_every_tree_agrees_with_its_row(small_study: Study):
    rows = small_study.cascades.sort("size", descending=True).head(30)
    for row in rows.iter_rows(named=True):
        graph = read_cascade(small_study, row["cascade_id"])
        assert graph.vcount() == row["size"]
        assert graph.is_tree(mode="out") or row["size"] == 1
        depths = graph.distances(source=0, mode="out")[0]
        assert depths == graph.vs["depth"]
        widths = [depths.count(depth) for depth in range(int(max(depths)) + 1)]
        assert row["level_widths"] == widths[:64]
        if row["size"] > 1:
            assert row["first_generation_share"] == pytest.approx(
                graph.degree(0, mode="out") / (row["size"] - 1)
            )
            inner = [n for n in graph.degree(mode="out") if n]
            assert row["branching_factor"] == pytest.approx(sum(inner) / len(inner))
            below = [graph.neighborhood_size(v, order=row["size"], mode="out") for v in graph.successors(0)]
            assert row["largest_subtree_share"] == pytest.approx(max(below) / (row["size"] - 1))
            assert row["structural_virality"] == pytest.approx(graph.as_undirected().average_path_length())


def test_the_order_of_rows_does_not_matter(study, tmp_path):
    head, *rows = LOG.splitlines()
    (tmp_path / "log.csv").write_text("\n".join([head, *rows[::-1]]) + "\n")
    other = read_cascade(build([tmp_path / "log.csv"], tmp_path / "study"), "reshare:a")
    graph = read_cascade(study, "reshare:a")
    assert other.get_edgelist() == graph.get_edgelist()
    assert other.vs["name"] == graph.vs["name"]


@pytest.mark.parametrize(("asked", "meant"), [("a", "reshare:a"), ("reshare:absnt", "reshare:absent")])
def test_an_unknown_id_says_what_was_likely_meant(study, asked, meant):
    with pytest.raises(StudyError, match=f"no cascade is called '{asked}' \\(did you mean '{meant}'\\?\\)"):
        read_cascade(study, asked)


def test_an_id_like_no_other_has_no_hint(study):
    with pytest.raises(StudyError, match=r"'zzzzzzzzzzz'$"):
        read_cascade(study, "zzzzzzzzzzz")
    assert isinstance(read_cascade(study, "reshare:a"), igraph.Graph)
    assert isinstance(study.cascades, pl.DataFrame)


def test_a_parent_at_the_same_second_stands_before_its_child(tmp_path):
    (tmp_path / "log.csv").write_text(
        "content_id,account_id,timestamp,kind,parent_content_id,origin_account_id\n"
        "a,u9,2020-01-01T00:00:00Z,original,,\n"
        "b,u8,2020-01-01T00:00:10Z,reshare,a,u9\n"
        "c,u1,2020-01-01T00:00:10Z,reshare,b,u8\n"
    )
    graph = build([tmp_path / "log.csv"], tmp_path / "study").cascade("reshare:a")
    assert graph.vs["name"] == ["a", "b", "c"]
    assert graph.get_edgelist() == [(0, 1), (1, 2)]
