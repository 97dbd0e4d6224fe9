from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta

import igraph
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import cascades as reference

from propgraph.arrays.encoding import encode
from propgraph.cascades.build import REPAIRS, build_cascades
from propgraph.jobs.build import build
from propgraph.readers.read import read_log
from propgraph.schema import CASCADE_NODES, CASCADES, ID, IDS, TIME
from propgraph.traces.make import make_shares

START = datetime(2020, 1, 1, tzinfo=UTC)
LINK = "https://site.example/story"
COLUMNS = {
    "content_id": ID, "account_id": ID, "timestamp": TIME, "kind": ID, "parent_content_id": ID,
    "origin_account_id": ID, "object_id": ID, "urls": IDS,
}  # fmt: skip

MEASURED = (
    "cascade_id", "trace", "object_id", "root_account_id", "start", "size", "n_accounts", "depth", "max_breadth",
    "structural_virality", "duration_s", "observed_share",
)  # fmt: skip


def post(content_id, account_id, second, kind="original", **known):
    """One post; `known` are parent_content_id, origin_account_id, object_id, urls."""
    row = dict.fromkeys(COLUMNS) | known
    return row | {
        "content_id": content_id, "account_id": account_id, "kind": kind,
        "timestamp": START + timedelta(seconds=second),
    }  # fmt: skip


def reshare(content_id, account_id, second, parent=None, origin=None):
    return post(content_id, account_id, second, "reshare", parent_content_id=parent, origin_account_id=origin)


def frame_of(posts):
    frame = pl.DataFrame(posts, schema=COLUMNS, orient="row")
    return frame.sort("timestamp", "account_id", "content_id", "object_id").with_columns(
        encode(frame.sort("timestamp", "account_id", "content_id", "object_id")["account_id"])
    )


def built(posts, trace):
    """Return the shares and the cascades of one trace, ids and tables as the study would hold them."""
    frame = frame_of(posts)
    shares = make_shares(frame, trace=[trace])[trace]
    made = build_cascades(shares, frame, trace=trace)
    return (
        shares,
        CASCADES.conform(made.cascades),
        CASCADE_NODES.conform(made.nodes),
        made.counts,
    )


def mended(**counts):
    return dict.fromkeys(REPAIRS, 0) | counts


def trees(nodes):
    """Return for each cascade its nodes as dicts, in the table's order."""
    found = defaultdict(list)
    for node in nodes.iter_rows(named=True):
        found[node["cascade_id"]].append(node)
    return found


def parents(nodes):
    return {
        row[0]: row[1:]
        for row in nodes.select("content_id", "parent_content_id", "parent_source", "depth").rows()
    }


def assert_trees_agree_with_igraph(cascades, nodes):
    """Build each tree from the ids alone and measure it by igraph's shortest paths."""
    found = trees(nodes)
    assert cascades["cascade_id"].to_list() == sorted(found)
    for cascade in cascades.iter_rows(named=True):
        tree = found[cascade["cascade_id"]]
        names = [node["content_id"] for node in tree]
        assert len(set(names)) == len(names)
        place = {name: number for number, name in enumerate(names)}
        links = [
            (place[node["content_id"]], place[node["parent_content_id"]])
            for node in tree
            if node["parent_content_id"] is not None
        ]
        graph = igraph.Graph(len(names), links)
        assert graph.is_tree()
        (root,) = (node for node in tree if node["parent_source"] == "root")
        assert root["parent_content_id"] is None
        assert root["account_id"] == cascade["root_account_id"]
        distances = np.array(graph.distances())
        from_root = distances[place[root["content_id"]]]
        assert [node["depth"] for node in tree] == from_root.tolist()
        assert cascade["size"] == len(tree)
        assert cascade["depth"] == from_root.max()
        assert cascade["max_breadth"] == max(Counter(from_root.tolist()).values())
        assert cascade["n_accounts"] == len({node["account_id"] for node in tree} - {None})
        below = [node for node in tree if node is not root]
        if below:
            mean = distances.sum() / (len(tree) * (len(tree) - 1))
            assert cascade["structural_virality"] == pytest.approx(mean, rel=1e-12)
            observed = sum(node["parent_source"] == "observed" for node in below) / len(below)
            assert cascade["observed_share"] == pytest.approx(observed, rel=1e-12)
        else:
            assert cascade["structural_virality"] is None
            assert cascade["observed_share"] is None


def assert_every_share_is_one_node(shares, nodes):
    """Every share stands once in its cascade; the rest are the roots of reshares, one a cascade."""
    columns = ["object_id", "content_id", "account_id"]
    expected = Counter(
        shares.select(pl.col("object_id", "account_id").cast(pl.String), "content_id").select(columns).rows()
    )
    found = Counter(
        nodes.select(
            pl.col("cascade_id").str.splitn(":", 2).struct[1].alias("object_id"), *columns[1:]
        ).rows()
    )
    rest = found - expected
    assert not expected - found
    return rest


# --- any log ---------------------------------------------------------------------------------------------


@st.composite
def post_lists(draw):
    """Posts whose parents stand before them in the list (so that no two reshare each other), but not in time.

    A parent may be out of the log; origins may be wrong, unknown, or out of the log.
    """
    posts = []
    for number in range(draw(st.integers(1, 14))):
        ids = [one["content_id"] for one in posts] + ["gone1", "gone2"]
        posts.append(
            post(
                f"p{number}",
                draw(st.sampled_from("ABCD")),
                draw(st.integers(0, 6)),
                draw(st.sampled_from(["original", "reshare", "reshare", "reply", "quote"])),
                parent_content_id=draw(st.sampled_from([None, *ids])),
                origin_account_id=draw(st.sampled_from([None, *"ABCDE"])),
                object_id=draw(st.sampled_from(["o1", "o2"])),
                urls=draw(st.sampled_from([None, [LINK], [LINK, LINK + "2"]])),
            )
        )
    return posts


def twin(shares, posts, trace):
    """Return {(object, post): (parent, source)} by the rules, one cascade after the other, and what was mended."""
    by_id = {one["content_id"]: one for one in posts}
    nodes, mended = {}, Counter(dict.fromkeys(REPAIRS, 0))
    for object_, group in shares.group_by("object_id", maintain_order=True):
        name = str(object_[0])
        tree = group.select("content_id", pl.col("account_id").cast(pl.String), "timestamp").rows()
        if trace == "reshare":
            # The original comes first; where the log lacks it, its author is whom a reshare names first.
            origins = [by_id[content]["origin_account_id"] for content, *_ in tree]
            author = next((origin for origin in origins if origin), None)
            own = by_id.get(name, {"account_id": author, "timestamp": tree[0][2]})
            mended["roots_later"] += own["timestamp"] > tree[0][2]
            tree = [(name, own["account_id"], min(own["timestamp"], tree[0][2])), *tree]
        ids = [content for content, *_ in tree]
        told = [by_id[content] for content in ids if content in by_id]
        posts_there = sorted({*ids, *(one["parent_content_id"] or "" for one in told)} - {""})
        accounts = sorted({*"ABCDE"} | {account for _, account, _ in tree if account})

        def code(known, value):
            return known.index(value) if value else -1

        named = [by_id.get(content, {}) for content in ids]
        if trace == "reshare":
            named[0] = {}
        order, parents, sources, _, counts = reference.infer_parents(
            [0, len(tree)],
            [code(posts_there, content) for content in ids],
            [code(accounts, account) for _, account, _ in tree],
            [time for *_, time in tree],
            [code(posts_there, one.get("parent_content_id")) for one in named],
            [code(accounts, one.get("origin_account_id")) for one in named],
        )
        mended.update(counts)
        for place, row in enumerate(order):
            above = None if parents[place] < 0 else ids[order[parents[place]]]
            nodes[name, ids[row]] = (above, sources[place])
    return nodes, dict(mended)


@pytest.mark.parametrize("trace", ["reshare", "url", "object"])
@settings(deadline=None, max_examples=120)
@given(posts=post_lists())
def test_cascades_of_any_log_are_whole_trees_with_the_right_parents(trace, posts):
    # One post at least has to have the trace.
    if trace == "reshare":
        posts = [*posts, reshare("last", "A", 6, "p0")]
    if trace == "url":
        posts = [*posts, post("last", "A", 6, urls=[LINK])]
    shares, cascades, nodes, counts = built(posts, trace)
    rest = assert_every_share_is_one_node(shares, nodes)
    roots = [key[:2] for key in rest.elements()]
    assert sorted(roots) == ([(name, name) for name in cascades["object_id"]] if trace == "reshare" else [])
    assert_trees_agree_with_igraph(cascades, nodes)
    found = {
        (node["cascade_id"].removeprefix(f"{trace}:"), node["content_id"]): (
            node["parent_content_id"],
            node["parent_source"],
        )
        for node in nodes.iter_rows(named=True)
    }
    slow, mended = twin(shares, posts, trace)
    assert found == slow
    assert counts == mended
    times = nodes.select(
        "cascade_id", pl.col("timestamp").shift(1).over("cascade_id") > pl.col("timestamp"), "parent_source"
    ).filter("timestamp")
    assert times.height <= mended["roots_later"]  # only such a root is later than what follows


@settings(deadline=None, max_examples=40)
@given(post_lists(), st.randoms(use_true_random=False))
def test_the_order_of_posts_does_not_matter(posts, random):
    one, other = built(posts, "object"), built(random.sample(posts, len(posts)), "object")
    assert one[1].equals(other[1])
    assert one[2].equals(other[2])
    assert one[3] == other[3]


# --- reshares --------------------------------------------------------------------------------------------


def test_reshares_of_a_root_in_the_log():
    posts = [
        post("r", "A", 0),
        reshare("b", "B", 10, "r"),
        reshare("c", "C", 20, "b"),
        reshare("d", "D", 30, "r"),
        reshare("e", "B", 40, "c"),
    ]
    _, cascades, nodes, counts = built(posts, "reshare")
    assert nodes["timestamp"].to_list() == [START + timedelta(seconds=10 * k) for k in range(5)]
    assert parents(nodes) == {
        "r": (None, "root", 0),
        "b": ("r", "observed", 1),
        "c": ("b", "observed", 2),
        "d": ("r", "observed", 1),
        "e": ("c", "observed", 3),
    }
    # Distances: r-b 1, r-c 2, r-d 1, r-e 3, b-c 1, b-d 2, b-e 2, c-d 3, c-e 1, d-e 4.
    assert {name: value for name, value in cascades.row(0, named=True).items() if name in MEASURED} == {
        "cascade_id": "reshare:r", "trace": "reshare", "object_id": "r", "root_account_id": "A",
        "start": START, "size": 5, "n_accounts": 4, "depth": 3, "max_breadth": 2, "structural_virality": 2.0,
        "duration_s": 40.0, "observed_share": 1.0,
    }  # fmt: skip
    assert cascades.height == 1
    assert set(counts.values()) <= {0}


def test_a_root_that_is_not_in_the_log_stands_there_without_a_time():
    posts = [
        reshare("b", "B", 10, "gone"),
        reshare("c", "C", 20, "gone", "R"),
        reshare("d", "D", 25, "b", "X"),
    ]
    _, cascades, nodes, _ = built(posts, "reshare")
    root = nodes.row(0, named=True)
    assert (root["content_id"], root["account_id"], root["timestamp"]) == ("gone", "R", None)
    assert parents(nodes) == {
        "gone": (None, "root", 0),
        "b": ("gone", "observed", 1),
        "c": ("gone", "observed", 1),
        "d": ("b", "observed", 2),
    }
    cascade = cascades.row(0, named=True)
    assert cascade["start"] == START + timedelta(seconds=10)
    assert (cascade["root_account_id"], cascade["size"], cascade["duration_s"]) == ("R", 4, 15.0)
    assert cascade["observed_share"] == 1.0


def test_nobody_knows_whose_the_root_is():
    _, cascades, nodes, _ = built([reshare("b", "B", 10, "gone"), reshare("c", "C", 20, "gone")], "reshare")
    assert nodes["account_id"].to_list() == [None, "B", "C"]
    assert cascades["root_account_id"].to_list() == [None]
    assert (cascades["size"].item(), cascades["n_accounts"].item()) == (3, 2)


def test_reshares_hang_on_the_original_that_they_name_beside_its_account():
    posts = [
        post("r", "A", 0, urls=[LINK]),
        reshare("c", "C", 10, "r", origin="A") | {"urls": [LINK]},
        reshare("d", "D", 20, "r", origin="A") | {"urls": [LINK]},
    ]
    _, cascades, nodes, _ = built(posts, "reshare")
    assert cascades["object_id"].to_list() == ["r"]
    assert parents(nodes) == {"r": (None, "root", 0), "c": ("r", "observed", 1), "d": ("r", "observed", 1)}


def test_a_root_later_than_its_reshares_is_the_root_all_the_same():
    posts = [post("r", "A", 100), reshare("b", "B", 10, "r"), reshare("c", "C", 200, "r")]
    shares, cascades, nodes, _ = built(posts, "reshare")
    assert parents(nodes) == {"r": (None, "root", 0), "b": ("r", "observed", 1), "c": ("r", "observed", 1)}
    assert cascades["duration_s"].item() == 190.0
    assert len(assert_every_share_is_one_node(shares, nodes)) == 1


def test_a_root_later_than_its_reshares_is_told():
    posts = [post("r", "A", 100), reshare("b", "B", 10, "r"), reshare("c", "C", 200, "r")]
    *_, counts = built(posts, "reshare")
    assert counts == mended(roots_later=1)


@pytest.mark.parametrize(
    "posts",
    [
        [reshare("a", "A", 0, "a"), reshare("b", "B", 1, "a")],
        [reshare("a", "A", 0, "b"), reshare("b", "B", 1, "a"), reshare("c", "C", 2, "a")],
    ],
    ids=["of itself", "of each other"],
)
def test_reshares_in_a_circle_are_nodes_once(posts):
    _, _, nodes, _ = built(posts, "reshare")
    assert not nodes.select(pl.struct("cascade_id", "content_id").is_duplicated().any()).item()


# --- links and the log's own objects ---------------------------------------------------------------------


def test_replies_and_quotes_inside_a_links_cascade():
    story = {"urls": [LINK]}
    posts = [
        post("p1", "A", 0, **story),
        post("p2", "B", 10, "reply", parent_content_id="p1", **story),
        post("p3", "C", 20, "quote", parent_content_id="p2", **story),
        post("p4", "D", 30, "quote", origin_account_id="B", **story),
        post("p5", "B", 40, **story),
        post("p6", "E", 50, "reply", origin_account_id="B", **story),
        post("p7", "F", 60, "reply", parent_content_id="elsewhere", **story),
        post("elsewhere", "G", 5),
    ]
    _, cascades, nodes, counts = built(posts, "url")
    assert parents(nodes) == {
        "p1": (None, "root", 0),
        "p2": ("p1", "observed", 1),
        "p3": ("p2", "observed", 2),
        "p4": ("p2", "observed", 2),
        "p5": ("p1", "inferred:star", 1),
        "p6": ("p5", "observed", 2),
        "p7": ("p1", "inferred:star", 1),
    }
    assert counts == mended(parents_absent=1)
    assert cascades["observed_share"].item() == pytest.approx(4 / 6)
    assert cascades["max_breadth"].item() == 3


def test_a_parent_later_than_its_child_comes_first_and_gives_it_its_time():
    story = {"urls": [LINK]}
    posts = [
        post("p1", "A", 0, **story),
        post("p2", "B", 10, "reply", parent_content_id="p3", **story),
        post("p3", "C", 20, **story),
    ]
    _, cascades, nodes, counts = built(posts, "url")
    assert nodes["content_id"].to_list() == ["p1", "p3", "p2"]
    assert nodes["timestamp"].to_list() == [START + timedelta(seconds=second) for second in (0, 20, 20)]
    assert parents(nodes)["p2"] == ("p3", "observed", 2)
    assert cascades["t50_s"].item() == 20
    assert counts == mended(times_raised=1)


def test_a_parent_of_the_very_same_time_is_followed_and_nothing_mended():
    # p2 sorts before its parent p3: its account comes first.
    posts = [
        post("p1", "A", 0, object_id="o"),
        post("p2", "B", 10, "reply", parent_content_id="p3", object_id="o"),
        post("p3", "C", 10, object_id="o"),
    ]
    _, _, nodes, counts = built(posts, "object")
    assert nodes["content_id"].to_list() == ["p1", "p3", "p2"]
    assert parents(nodes)["p2"] == ("p3", "observed", 2)
    assert counts == mended()


def test_of_several_parents_the_latest_before_counts():
    several = [
        post("d", "D", 30, "reply", parent_content_id=above, object_id="o")
        for above in ("a", "b", "c", "gone")
    ]
    posts = [
        post("a", "A", 0, object_id="o"),
        post("b", "B", 10, "reply", parent_content_id="a", object_id="o"),
        post("c", "C", 40, "reply", parent_content_id="a", object_id="o"),
        *several,
    ]
    _, _, nodes, counts = built(posts, "object")
    assert parents(nodes)["d"] == ("b", "observed", 2)
    assert counts == mended(extra_parents=2)


def test_a_parent_that_is_not_in_the_log_is_counted():
    posts = [
        post("p1", "A", 0, object_id="o"),
        post("p2", "B", 1, "reply", parent_content_id="gone", object_id="o"),
    ]
    assert built(posts, "object")[3] == mended(parents_absent=1)


def test_without_any_parents_every_cascade_is_a_star():
    posts = [post(f"p{k}", f"A{k}", k, object_id=f"o{k % 2}") for k in range(7)]
    _, cascades, nodes, _ = built(posts, "object")
    assert cascades.select("object_id", "size", "depth", "max_breadth", "observed_share").rows() == [
        ("o0", 4, 1, 3, 0.0),
        ("o1", 3, 1, 2, 0.0),
    ]
    assert set(nodes["parent_source"]) == {"root", "inferred:star"}


def test_one_share_is_a_cascade_of_one():
    _, cascades, _, _ = built([post("p", "A", 0, object_id="o")], "object")
    cascade = cascades.row(0, named=True)
    assert (cascade["size"], cascade["depth"], cascade["max_breadth"]) == (1, 0, 1)
    assert (cascade["structural_virality"], cascade["observed_share"], cascade["duration_s"]) == (
        None,
        None,
        0,
    )


def test_a_parent_that_shared_several_objects_is_found_in_each():
    posts = [
        post("p0", "Z", 0, object_id="o2"),
        post("p1", "A", 1, object_id="o1"),
        post("p1", "A", 1, object_id="o2"),
        post("p2", "B", 2, "reply", parent_content_id="p1", object_id="o2"),
    ]
    _, _, nodes, counts = built(posts, "object")
    (second,) = (tree for name, tree in trees(nodes).items() if name == "object:o2")
    assert [node["parent_content_id"] for node in second] == [None, "p0", "p1"]
    assert counts["parents_absent"] == 0


def test_posts_as_read_log_returns_them_will_do(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text(
        "content_id,account_id,timestamp,kind,parent_content_id\n"
        "r,A,2020-01-01T00:00:00Z,original,\nb,B,2020-01-01T00:00:09Z,reshare,r\n"
    )
    posts = read_log(log)
    made = build_cascades(make_shares(posts)["reshare"], posts, trace="reshare")
    assert CASCADES.conform(made.cascades).select("cascade_id", "size", "depth").rows() == [
        ("reshare:r", 2, 1)
    ]


@pytest.mark.parametrize("late", ["B", "Z"])
def test_ids_of_rejected_rows_only_leave_no_trace(tmp_path, late):
    # The second row contradicts the first about its author; its account and object stand nowhere else.
    log = tmp_path / "log.csv"
    log.write_text(
        "content_id,account_id,timestamp,object_id\n"
        "c1,A,2020-01-01T00:00:00Z,o1\n"
        f"c1,{late},2020-01-01T00:00:01Z,o{late}\n"
        "c2,C,2020-01-01T00:00:02Z,oM\n"
    )
    study = build([log], tmp_path / "study")
    assert study.rejected.height == 1
    assert study.cascades["cascade_id"].to_list() == ["object:o1", "object:oM"]
    assert study.objects["object_id"].to_list() == ["o1", "oM"]
    assert study.accounts["account_id"].to_list() == ["A", "C"]
