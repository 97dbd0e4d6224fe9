"""Cascades joined to accounts and clusters, against slow twins and by hand."""

from __future__ import annotations

import random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from reference import amplification as reference

from propgraph.amplification.forest import forest
from propgraph.amplification.join import amplify, structure_evidence
from propgraph.amplification.reach import measure_amplification
from propgraph.amplification.spreaders import measure_spreaders
from propgraph.amplification.structure import KINDS, measure_structure
from propgraph.jobs.build import build
from propgraph.jobs.clusters import find_clusters
from propgraph.schema import AMPLIFICATION, CASCADE_NODES, EVIDENCE, SPREADERS, TIME
from propgraph.simulate.crowdturf import simulate_crowdturf
from propgraph.study import Study


def frame(nodes):
    """The table `cascade_nodes` of nodes as the slow twins take them."""
    table = pl.DataFrame(
        {
            "cascade_id": [node["cascade"] for node in nodes],
            "content_id": [node["content"] for node in nodes],
            "account_id": [node["account"] for node in nodes],
            "timestamp": pl.Series([node["time"] for node in nodes], dtype=pl.Int64).cast(TIME),
            "parent_content_id": [node["parent"] for node in nodes],
            "parent_source": [node["source"] for node in nodes],
        },
        schema_overrides=CASCADE_NODES.dtypes,
    )
    return CASCADE_NODES.conform(table)


def tree(name, *nodes, start=0):
    """Nodes of one cascade from `(account, time in s, position of the parent or None for a star)`."""
    made = []
    for position, (account, time, parent) in enumerate(nodes):
        source = "root" if position == 0 else "inferred:star" if parent is None else "observed"
        above = None if position == 0 else f"{name}/{parent or 0}"
        made.append({
            "cascade": name, "content": f"{name}/{position}", "account": account,
            "time": None if time is None else start + time * 1000, "parent": above, "source": source,
        })  # fmt: skip
    return made


def members(cluster_of):
    return pl.DataFrame(
        {"account_id": list(cluster_of), "cluster_id": list(cluster_of.values())},
        schema={"account_id": pl.String, "cluster_id": pl.String},
    )


def assert_same(row, slow):
    """Floats may differ in the last digits only."""
    for name, value in slow.items():
        exact = value is None or isinstance(value, set)
        assert row[name] == (value if exact else pytest.approx(value, rel=1e-12)), name


@st.composite
def worlds(draw, accounts="abcdefgh", traces=("reshare", "url"), least=1):
    """A few cascades by few accounts, some with unknown parents, some with a root without a time."""
    nodes = []
    for number in range(draw(st.integers(0, 8))):
        size = draw(st.integers(least, 12))
        times = sorted(draw(st.lists(st.integers(0, 4000), min_size=size, max_size=size)))
        rows = []
        for position in range(size):
            parent = draw(st.one_of(st.none(), st.integers(0, position - 1))) if position else None
            time = times[position]
            if position == 0 and draw(st.integers(0, 4)) == 0:
                time = None
            rows.append((draw(st.sampled_from(accounts)), time, parent))
        nodes += tree(f"{draw(st.sampled_from(traces))}:{number:02d}", *rows)
    return sorted(nodes, key=lambda node: node["cascade"])  # stable: within a cascade as they are


CLUSTERS_OF = st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from(["c1", "c2"]), max_size=8)


@settings(deadline=None, max_examples=300)
@given(worlds(), CLUSTERS_OF)
def test_amplification_equals_the_slow_twin(nodes, cluster_of):
    found = measure_amplification(forest(frame(nodes)), members(cluster_of))
    assert found.schema == AMPLIFICATION.dtypes
    keys = ("cluster_id", "cascade_id")
    rows = {tuple(row.pop(key) for key in keys): row for row in found.drop("trace").to_dicts()}
    slow = reference.amplification(nodes, cluster_of)
    assert list(rows) == sorted(slow)
    for key, row in rows.items():
        assert row.keys() == slow[key].keys()
        assert_same(row, slow[key])


@settings(deadline=None, max_examples=300)
@given(worlds())
def test_spreaders_equal_the_slow_twin(nodes):
    found = measure_spreaders(forest(frame(nodes)))
    assert found.schema == SPREADERS.dtypes
    keys = ("trace", "account_id")
    rows = {tuple(row.pop(key) for key in keys): row for row in found.to_dicts()}
    slow = reference.spreaders(nodes)
    assert list(rows) == sorted(slow)
    for key, row in rows.items():
        assert row.keys() == slow[key].keys()
        assert_same(row, slow[key])


@st.composite
def campaigns(draw):
    """Cascades in which some accounts hang under the same others again and again."""
    chance = random.Random(draw(st.integers(0, 2**32)))
    habit = {account: chance.choice("rst") for account in "abcdefghij"}
    loyalty, spread = draw(st.sampled_from([0.3, 0.8, 1.0])), draw(st.sampled_from([5, 500]))
    nodes = []
    for number in range(draw(st.integers(2, 6))):
        rows = [("o", 0, None)]
        rows += [(relay, 10 + k, 0) for k, relay in enumerate(chance.sample("rst", chance.randint(1, 3)))]
        for account in chance.sample("abcdefghij", chance.randint(3, 10)):
            relays = [k for k, row in enumerate(rows) if row[0] == habit[account]]
            loyal = relays and chance.random() < loyalty
            parent = relays[0] if loyal else chance.choice([None, *range(len(rows))])
            rows.append((account, rows[-1][1] + chance.randint(0, spread), parent))
        rows += [
            (f"x{chance.randint(0, 30)}", rows[-1][1] + k, chance.randrange(len(rows))) for k in range(4)
        ]
        nodes += tree(f"{chance.choice(['reshare', 'url'])}:{number:02d}", *rows)
    of = draw(st.sampled_from(["one", "two", "three", "all"]))
    clusters = {
        "one": dict.fromkeys("abcdefghij", "c1"),
        "two": {account: "c1" if account < "e" else "c2" for account in "abcdefghij"},
        "three": {account: f"c{ord(account) % 3}" for account in "abcdefghijrst"},
        "all": {f"x{k}": f"c{k % 4}" for k in range(31)} | dict.fromkeys("abcdefghij", "c9"),
    }
    return sorted(nodes, key=lambda node: node["cascade"]), clusters[of]


@settings(deadline=None, max_examples=300)
@given(campaigns())
def test_structure_equals_the_slow_twin(world):
    nodes, cluster_of = world
    cascades = forest(frame(nodes))
    table = measure_amplification(cascades, members(cluster_of))
    found = measure_structure(cascades, members(cluster_of), table).clusters
    slow = reference.structure(nodes, cluster_of)
    rows = {(row["cluster_id"], row["trace"]): row for row in found.to_dicts()}
    assert rows.keys() == slow.keys()
    for key, row in rows.items():
        row["relays"] = set(row["relays"])
        assert row["n_relays"] == len(row["relays"])
        assert_same(row, slow[key])
        assert sum(row[kind] for kind in KINDS) <= 1 + 1e-12


def test_early_shares_and_what_lies_below_by_hand():
    # m and n are members. o posts; m at 30 s, x under m at 50 s, n at 300 s whose parent is unknown, y under x.
    nodes = tree("url:1", ("o", 0, None), ("m", 30, 0), ("x", 50, 1), ("n", 300, None), ("y", 3000, 2))
    found = measure_amplification(forest(frame(nodes)), members({"m": "c1", "n": "c1"})).row(0, named=True)
    assert found["started"] is False
    assert (found["n_nodes"], found["n_known"], found["n_below"], found["share_below"]) == (2, 3, 2, 2 / 3)
    assert (found["first_1m_share"], found["first_10m_share"], found["first_60m_share"]) == (
        1 / 2,
        2 / 3,
        1 / 2,
    )
    assert found["first_10_share"] == found["share"] == 1 / 2
    assert (found["tier_1"], found["tier_2"], found["tier_3"]) == (1, 1, 1)


def test_a_star_says_nothing_of_who_is_below():
    nodes = tree("url:1", ("m", 0, None), ("x", 1, None), ("y", 2, None))
    found = measure_amplification(forest(frame(nodes)), members({"m": "c1"})).row(0, named=True)
    assert (found["started"], found["n_below"], found["share_below"], found["first_10_share"]) == (
        True,
        0,
        None,
        0,
    )


def test_fib_index_by_hand():
    # Posts with 4, 3, 2 and 0 reshares: two were reshared twice or more thrice? 4, 3 >= 2 and 2 >= 2, not three >= 3.
    nodes = []
    for number, n in enumerate((4, 3, 2, 0)):
        nodes += tree(f"reshare:{number}", ("a", 0, None), *((f"x{k}", k + 1, None) for k in range(n)))
    found = measure_spreaders(forest(frame(nodes))).filter(account_id="a").row(0, named=True)
    # The cascade of one post is none.
    assert (found["fib_index"], found["n_started"], found["n_reshares"]) == (2, 3, 9)
    assert found["median_delay_s"] is None


def crowd(kind, n_cascades=6, *, apart=1):
    """A campaign of 12 workers, 3 relays and outsiders who take their time; and who is in the cluster."""
    nodes = []
    for number in range(n_cascades):
        rows = [("origin", 0, None)]
        if kind == "centralised":
            rows += [(f"w{k}", 60 + apart * k, 0) for k in range(12)]
        else:
            rows += [(f"r{k}", 100 * (k + 1), 0) for k in range(3)]
            rows += [(f"w{k}", 500 + apart * k, 1 + k % 3) for k in range(12)]
        if kind == "pyramid":
            rows += [(f"v{k}", 600 + k, 4 + k // 2) for k in range(24)]
        at = len(rows)
        rows += [(f"x{number}-{k}", 2000 * (k + 1), at if k % 2 else 0) for k in range(8)]
        nodes += tree(f"reshare:{number}", *rows)
    cluster_of = {f"{letter}{k}": "c1" for letter in "rwv" for k in range(24)}
    return nodes, cluster_of


@pytest.mark.parametrize("kind", KINDS)
def test_each_structure_scores_highest_for_its_own_kind(kind):
    nodes, cluster_of = crowd(kind)
    found = amplify(frame(nodes), members(cluster_of))
    row = found.figures.row(0, named=True)
    assert row[kind] == max(row[other] for other in KINDS) >= 0.5
    table = structure_evidence(found, ["c1"])
    evidence = table.row(0, named=True)
    assert table.schema == EVIDENCE.dtypes
    assert (evidence["subject_id"], evidence["rule"], evidence["value"]) == ("c1", "structure", row[kind])
    assert kind in evidence["sentence"]
    assert "look the same" in evidence["sentence"] or "looks the same" in evidence["sentence"]
    assert 1 <= len(evidence["content_ids"]) <= 20
    if kind == "distributed":
        assert row["relays"] == ["r0", "r1", "r2"]
        assert (row["n_relays"], row["relay_overlap"], row["first_generation_share"]) == (3, 0, 0)
        assert row["relay_lag_s"] == pytest.approx(305.5)
        posts = {f"reshare:{number}/{relay}" for number in range(6) for relay in (1, 2, 3)}
        assert set(evidence["content_ids"]) == posts


def test_a_structure_is_evidence_of_flagged_clusters_only():
    nodes, cluster_of = crowd("distributed")
    found = amplify(frame(nodes), members(cluster_of))
    assert found.figures["distributed"].item() >= 0.5
    assert structure_evidence(found, []).is_empty()


def test_traces_are_taken_one_by_one():
    of_trace = {}
    for trace, kind in (("object", "pyramid"), ("reshare", "distributed"), ("url", "centralised")):
        nodes, cluster_of = crowd(kind)
        ids = ("cascade", "parent", "content")
        of_trace[trace] = [
            node | {name: node[name] and node[name].replace("reshare", trace) for name in ids}
            for node in nodes
        ]
    together = frame([node for nodes in of_trace.values() for node in nodes])
    found = amplify(together.lazy(), members(cluster_of))
    alone = {trace: amplify(frame(nodes), members(cluster_of)) for trace, nodes in of_trace.items()}
    assert_frame_equal(found.spreaders, pl.concat([one.spreaders for one in alone.values()]))
    assert_frame_equal(found.table, pl.concat([one.table for one in alone.values()]))
    # The pyramid has most members' reshares with a known parent.
    assert found.figures["cascade_trace"].item() == "object"
    assert_frame_equal(found.figures, alone["object"].figures)


def test_parents_are_those_named_whatever_their_ids_look_like():
    # One post in two cascades, an id that is another's beginning, a parent of another cascade.
    nodes = [
        *tree("url:1", ("a", 0, None), ("b", 1, 0), ("c", 2, 1), ("d", 3, 1)),
        *tree("url:2", ("a", 0, None), ("b", 1, 0), ("c", 2, 0)),
    ]
    for node in nodes:
        node["content"] = node["content"].replace("url:2/", "url:1/")
        node["parent"] = node["parent"] and node["parent"].replace("url:2/", "url:1/")
    nodes[3]["parent"] = "url:1/1x"
    cascades = forest(frame(nodes).lazy())
    assert cascades.parent.tolist() == [-1, 0, 1, 0, -1, 4, 4]
    assert cascades.known.tolist() == [False, True, True, False, False, True, True]


def test_a_log_without_a_campaign_gives_no_evidence_of_structure(tmp_path):
    made = simulate_crowdturf(n_accounts=1000, n_days=7, n_workers=20, n_missions=0)
    made.log.write_parquet(tmp_path / "log.parquet")
    build([tmp_path / "log.parquet"], tmp_path / "study")
    study = find_clusters(tmp_path / "study")
    assert study.clusters.height
    assert study.evidence.filter(rule="structure").is_empty()
    fan_club = made.accounts.filter(group="fanclub")["account_id"]
    innocent = study.clusters.join(
        study.members.filter(pl.col("account_id").is_in(fan_club.implode())), on="cluster_id", how="anti"
    )
    assert innocent.height
    for kind in KINDS:
        assert (innocent[kind].drop_nulls() < 0.5).all()


def test_a_crowd_without_a_clock_has_no_structure_to_tell():
    nodes, cluster_of = crowd("centralised", apart=3000)
    found = amplify(frame(nodes), members(cluster_of))
    assert found.figures["centralised"].item() == 0
    assert structure_evidence(found, ["c1"]).is_empty()


def test_where_nobody_is_below_anybody_but_the_origin_no_structure_shows():
    nodes = [
        node
        for number in range(4)
        for node in tree(f"reshare:{number}", ("o", 0, None), *((f"w{k}", k + 1, 0) for k in range(9)))
    ]
    cluster_of = {f"w{k}": "c1" for k in range(9)}
    found = amplify(frame(nodes), members(cluster_of))
    row = found.figures.row(0, named=True)
    assert (row["cascade_trace"], row["n_cascades"], row["early_share_mean"]) == ("reshare", 4, 1)
    assert [row[name] for name in (*KINDS, "n_relays", "first_generation_share")] == [None] * 5


def test_crews_found_as_clusters_of_their_own_count_each_others_relays():
    nodes, _ = crowd("distributed")
    cluster_of = {f"w{k}": f"c{k % 3}" for k in range(12)}
    cascades = forest(frame(nodes))
    table = measure_amplification(cascades, members(cluster_of))
    found = measure_structure(cascades, members(cluster_of), table).clusters
    assert found["n_relays"].to_list() == [3, 3, 3]
    assert (found["distributed"] > 0.5).all()


def test_ids_given_later_change_nothing_but_the_ids():
    nodes, cluster_of = crowd("distributed")
    numbered = amplify(frame(nodes), members(dict.fromkeys(cluster_of, "0"))).named({"0": "c1"})
    found = amplify(frame(nodes), members(cluster_of))
    assert_frame_equal(numbered.table, found.table)
    assert_frame_equal(numbered.figures, found.figures)
    assert_frame_equal(structure_evidence(numbered, ["c1"]), structure_evidence(found, ["c1"]))


def test_no_cascade_and_no_member_are_no_trouble():
    nodes = frame(tree("url:1", ("a", 0, None), ("b", 1, None)))
    for table, some in (
        (nodes.clear(), members({"a": "c1"})),
        (nodes, members({})),
        (nodes, members({"z": "c1"})),
    ):
        found = amplify(table, some)
        assert (found.table.height, found.figures.height) == (0, 0)
        assert structure_evidence(found, ["c1"]).is_empty()
    assert measure_spreaders(forest(nodes.clear())).schema == SPREADERS.dtypes


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Study:
    folder = tmp_path_factory.mktemp("crowdturf")
    made = simulate_crowdturf(kind="distributed", n_accounts=800, n_days=5, n_workers=60, n_missions=20)
    made.log.write_parquet(folder / "log.parquet")
    build([folder / "log.parquet"], folder / "study")
    return find_clusters(folder / "study")


def test_shuffled_logs_give_the_same_tables(study, tmp_path):
    log = pl.read_parquet(study.path.parent / "log.parquet")
    log.sample(fraction=1, shuffle=True, seed=5).write_parquet(tmp_path / "log.parquet")
    build([tmp_path / "log.parquet"], tmp_path / "study", threads=1)
    other = find_clusters(tmp_path / "study")
    for name in ("spreaders", "amplification", "clusters", "evidence"):
        assert_frame_equal(getattr(study, name), getattr(other, name), check_exact=True)


def test_the_study_tells_relays_with_their_posts(study):
    told = study.evidence.filter(rule="structure")
    assert told.height
    posts = study.posts.select("content_id", "account_id").unique()
    for row in told.to_dicts():
        cluster = study.clusters.filter(cluster_id=row["subject_id"]).row(0, named=True)
        shown = posts.filter(pl.col("content_id").is_in(row["content_ids"]))
        assert shown.height == len(row["content_ids"]) > 0
        if "relay" in row["sentence"]:
            assert set(shown["account_id"]) <= set(cluster["relays"])
    assert study.run["clusters"]["counts"]["clusters"] == study.clusters.height
