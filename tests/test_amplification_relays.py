"""Who stands under whom beyond chance: a slow twin, by hand, where parents are drawn; crews behind relays."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import relays as reference
from test_amplification import frame, tree

from propgraph.amplification.following import measure_following
from propgraph.amplification.forest import forest
from propgraph.amplification.relays import NO_RELAYED, find_relayed
from propgraph.jobs.build import build
from propgraph.jobs.clusters import find_clusters
from propgraph.schema import CASCADE_NODES
from propgraph.simulate.crowdturf import simulate_crowdturf


def with_depth(table):
    """Give the nodes the depth that `build` writes, where all parents are known."""
    depth, above = {}, dict(table.select("content_id", "parent_content_id").iter_rows())
    for content, parent in above.items():
        depth[content] = 0 if parent is None else depth[parent] + 1
    return CASCADE_NODES.conform(
        table.with_columns(depth=pl.col("content_id").replace_strict(depth, return_dtype=pl.UInt32))
    )


@st.composite
def forests(draw):
    """Cascades by five accounts, deep, some of the parents unknown."""
    nodes = []
    for number in range(draw(st.integers(1, 7))):
        size = draw(st.integers(2, 9))
        rows = [(draw(st.sampled_from("abcde")), 0, None)]
        for position in range(1, size):
            parent = draw(st.one_of(st.integers(0, position - 1), st.integers(0, position - 1), st.none()))
            rows.append((draw(st.sampled_from("abcde")), position, parent))
        nodes += tree(f"reshare:{number}", *rows)
    return nodes


@settings(max_examples=150, deadline=None)
@given(forests())
def test_following_equals_its_twin(nodes):
    cascades = forest(frame(nodes))
    found = measure_following(cascades)
    expected, n_tests = reference.following(nodes)
    label = cascades.accounts.to_list()
    rows = {(label[a], label[r]): values for a, r, *values in found.pairs.iter_rows()}
    assert rows.keys() == expected.keys()
    for pair, values in rows.items():
        assert values == pytest.approx(expected[pair], rel=1e-9), pair
    assert found.n_tests == pytest.approx(n_tests)


def test_following_by_hand():
    # In each of four cascades r and s reshare the root, w reshares s, and v reshares r: of the three posts before v's
    # below the origin one is r's. Nobody but v and w stands below a reshare.
    nodes = [
        node
        for k in range(4)
        for node in tree(
            f"reshare:{k}",
            (f"origin{k}", 0, None),
            ("r", 1, 0),
            ("s", 2, 0),
            ("w", 3, 2),
            ("v", 4, 1),
        )
    ]
    cascades = forest(frame(nodes))
    found = measure_following(cascades)
    assert cascades.accounts.gather(found.pairs["account"]).to_list() == ["v", "w"]
    assert cascades.accounts.gather(found.pairs["relay"]).to_list() == ["r", "s"]
    assert found.pairs.select("n_under", "n_common").rows() == [(4, 4), (4, 4)]
    assert found.pairs["expected"].to_list() == pytest.approx([4 / 3, 2])
    assert found.pairs["p_value"].to_list() == pytest.approx([(1 / 3) ** 4, (1 / 2) ** 4])
    # Of w two accounts stand above or beside, of v three, four times each.
    assert found.n_tests == pytest.approx(4 * (2 + 3) / 3)
    assert found.q_value.to_list() == pytest.approx([20 / 3 / 81, 20 / 3 / 16 / 2])


def test_parents_that_were_drawn_count_for_nothing():
    rows = [("o", 0, None), ("r", 1, 0), ("s", 2, 0), ("v", 3, 1)]
    nodes = [node for k in range(4) for node in tree(f"reshare:{k}", *rows)]
    table = frame(nodes)
    assert measure_following(forest(table, drawn=False)).pairs.height == 1
    for source in ("inferred:pdi", "inferred:learned"):
        drawn = table.with_columns(
            parent_source=pl.when(pl.col("parent_source") == "observed")
            .then(pl.lit(source))
            .otherwise("parent_source")
        )
        assert measure_following(forest(drawn)).pairs.height == 1
        assert measure_following(forest(drawn, drawn=False)).pairs.is_empty()


def drawn_log(seed, *, n_accounts=60, n_cascades=200, size=25):
    """Nodes of cascades whose parents are drawn among the earlier posts; some accounts come much oftener."""
    rng = np.random.default_rng(seed)
    often = rng.pareto(1.5, n_accounts) + 0.1
    rows = []
    for number in range(n_cascades):
        who = rng.choice(n_accounts, size, replace=False, p=often / often.sum())
        above = [None] + [int(rng.integers(0, position)) for position in range(1, size)]
        rows += tree(f"reshare:{number}", *zip(who.astype(str), range(size), above, strict=True))
    return frame(rows)


def test_p_values_hold_where_parents_are_drawn():
    p_values, n_sure, n_pairs = [], 0, 0.0
    for seed in range(5):
        found = measure_following(forest(drawn_log(seed)))
        p_values += found.pairs["p_value"].to_list()
        n_sure += (found.q_value <= 0.05).sum()
        n_pairs += found.n_tests
    p_values = np.array(p_values)
    assert n_sure == 0
    # Of all pairs that could have been looked at, not of those that stand together thrice: they were chosen for it.
    for x in (0.1, 0.01, 0.001):
        assert (p_values <= x).sum() <= x * n_pairs + 3 * np.sqrt(x * n_pairs)
    assert (p_values <= 0.01).sum() > 20  # it can say something


def test_nobody_is_of_a_crew_where_parents_are_drawn():
    found = find_relayed(with_depth(drawn_log(0)), q=0.05)
    assert (found.followers.height, found.members.height, found.crews.height) == (0, 0, 0)


def crew(n_jobs=8, relays=("r", "s"), *, delay=60, together=True, n_origins=5):
    """Each relay's four followers come to every job `delay` s after it; thirty strangers an hour after others."""
    nodes = []
    for k in range(n_jobs):
        for part in [relays] if together else [(relay,) for relay in relays]:
            name = f"{k}{''.join(part)}"
            rows = [(f"origin{k % n_origins}", 0, None), *((relay, 1, 0) for relay in part)]
            early = len(rows)
            rows += [(f"early{name}{i}", 1, 0) for i in range(10)]
            rows += [(f"{r}{i}", 1 + delay, 1 + place) for i in range(4) for place, r in enumerate(part)]
            rows += [(f"late{name}{i}", 3601, early + i % 10) for i in range(30)]
            nodes += tree(f"reshare:{name}", *rows)
    return with_depth(frame(nodes))


def test_a_crew_behind_relays():
    found = find_relayed(crew(), q=0.05)
    assert found.followers["account_id"].to_list() == sorted(f"{r}{i}" for r in "rs" for i in range(4))
    assert set(found.members["account_id"]) == {"r", "s", *found.followers["account_id"]}
    row = found.crews.row(0, named=True)
    assert (row["relays"], row["n_jobs"], row["turnout"]) == (["r", "s"], 8, 1)
    # Of eight jobs three origins have two each, and two have one: nine in ten take all five.
    assert row["n_origins"] == 5
    assert (row["lag_s"], row["usual_s"]) == (60, 3600)
    # Of four jobs, the relay's post and four followers'.
    assert len(row["content_ids"]) == 20


@pytest.mark.parametrize(
    "log",
    [
        crew(relays=("r",)),  # one relay: readers loyal to it
        crew(together=False),  # two who share no cascade
        crew(delay=1801),  # they take more than half as long as others
        crew(n_jobs=4),  # too few jobs
        crew(n_origins=6),  # they carry whatever is popular: of eight jobs six are of as many accounts
    ],
)
def test_loyal_followers_are_no_crew(log):
    found = find_relayed(log, q=0.05)
    assert found.members.is_empty()
    assert found.crews.is_empty()


def test_who_stays_away_is_no_crew():
    # Each follower comes to three jobs of ten.
    table = crew(10)
    number = pl.col("cascade_id").str.extract(r":(\d+)").cast(pl.Int64)
    which = pl.col("account_id").str.extract(r"^[rs](\d)$").cast(pl.Int64)
    kept = table.filter((which.is_null() | ((number + which) % 10 < 3)).fill_null(True))
    found = find_relayed(kept, q=0.5)
    assert found.followers.height == 8
    assert found.members.is_empty()


def test_nothing_to_find_without_trees():
    assert find_relayed(CASCADE_NODES.empty(), q=0.05).members.equals(NO_RELAYED.members)


@pytest.fixture(scope="module")
def pyramid(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pyramid")
    made = simulate_crowdturf(kind="pyramid", n_accounts=1500, n_days=14, seed=105)
    made.log.write_parquet(folder / "log.parquet")
    build([folder / "log.parquet"], folder / "study")
    return find_clusters(folder / "study"), made.accounts


def test_a_pyramid_is_flagged_and_loyal_communities_are_not(pyramid):
    study, truth = pyramid
    flagged = study.clusters.filter("flagged")
    members = study.members.join(flagged, on="cluster_id", how="semi").join(truth, on="account_id")
    assert members["organised"].sum() >= 0.9 * truth["organised"].sum()
    assert members["organised"].mean() >= 0.97
    assert "relayed" in flagged["flags"][0].to_list()
    # The posts that show it are of the campaign, and in the log.
    row = study.evidence.filter(rule="relayed").row(0, named=True)
    shown = study.scan("posts").filter(pl.col("content_id").is_in(row["content_ids"])).collect()
    assert shown.height == len(row["content_ids"]) == 20
    assert shown.join(truth, on="account_id")["organised"].mean() >= 0.95
