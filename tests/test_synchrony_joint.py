"""All traces together, and groups that grow: definitions, planted truth, calibration."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from reference import synchrony as slow
from scipy.integrate import quad
from scipy.stats import binom

from propgraph.arrays.encoding import codes_in
from propgraph.arrays.incidence import incidence
from propgraph.errors import InputError, UsageError
from propgraph.schema import NETWORK, SYNCHRONY
from propgraph.synchrony.growth import grow_groups, merge_groups, scores_of
from propgraph.synchrony.joint import joint_evidence, joint_synchrony, near_posts
from propgraph.synchrony.pairs import rank_synchrony
from propgraph.synchrony.prepared import prepare_shares
from propgraph.synchrony.standing import standing_of

NO_EDGES = pl.DataFrame(schema={"source": pl.String, "target": pl.String})
MINUTE = 60_000


def shares_of(rows):
    """Rows of account, object, time (ms); every post is its own."""
    rows = [(f"p{k:05d}", *row) for k, row in enumerate(rows)]
    frame = pl.DataFrame(rows, schema=["content_id", "account_id", "object_id", "timestamp"], orient="row")
    return frame.with_columns(pl.col("timestamp").cast(pl.Datetime("ms", "UTC")))


def traffic(seed, objects, *, n=40, n_accounts=120):
    """Strangers who share objects at random over two days."""
    rng = np.random.default_rng(seed)
    return [
        (f"s{who:03d}", object_, int(time))
        for object_ in objects
        for who, time in zip(
            rng.choice(n_accounts, n, replace=False), rng.integers(0, 2880 * MINUTE, n), strict=True
        )
    ]


def meetings(accounts, objects, *, gap=MINUTE):
    """Accounts that share the objects one right after the other, at another hour each."""
    return [
        (who, object_, (100 + 211 * k % 2600) * MINUTE + gap * j)
        for k, object_ in enumerate(objects) for j, who in enumerate(accounts)
    ]  # fmt: skip


def names(prefix, n):
    return [f"{prefix}{k:02d}" for k in range(n)]


def two_traces():
    """A pair in one trace only, a pair in both, and one met in both that can be tested in one."""
    urls, tags = names("u", 12), names("t", 12)
    one = traffic(1, urls, n=100) + meetings(["a", "b"], urls[:10]) + meetings(["c", "d"], urls[6:11])
    one += meetings(["e", "f"], urls[1:5])
    other = traffic(2, tags) + meetings(["c", "d"], tags[:4]) + meetings(["e", "f"], tags[5:6])
    return {"tag": shares_of(other), "url": shares_of(one)}


def joined(traces, edges=NO_EDGES, **options):
    logs = {trace: incidence(shares) for trace, shares in traces.items()}
    return joint_evidence(logs, edges, **({"q": 0.05, "seed": 0, "threads": 1} | options))


def row_of(table, source, target, **where):
    [row] = table.filter(source=source, target=target, **where).to_dicts()
    return row


def wilson(p_values):
    """The harmonic mean p-value by Wilson's equation 4: the tail of Landau's density, integrated over x first."""
    n = len(p_values)
    x = sum(1 / p for p in p_values) / n
    place, scale = np.log(n) + 1 - np.euler_gamma + np.log(np.pi / 2), np.pi / 2

    def inside(t):
        return np.exp(-t * (x - place) / scale - 2 / np.pi * t * np.log(t)) * np.sin(2 * t) / t

    return quad(inside, 0, min(40, 50 * scale / max(x - place, 0.1)), limit=500)[0] / np.pi


def test_each_trace_says_what_it_says_alone():
    traces = two_traces()
    found = joined(traces)
    assert found.synchrony.schema == SYNCHRONY.dtypes
    assert found.network.schema == NETWORK.dtypes
    # Who is held to habits, and so what is surest, depends on all traces: the rates are over the tests of all.
    others = ("q_value", "overlap_q", "synchronised", "alike", "synchrony", "p_habits")
    for trace, shares in traces.items():
        alone = rank_synchrony(shares.with_columns(trace=pl.lit(trace)), threads=1)
        assert alone.height
        here = found.synchrony.filter(trace=trace).join(alone, on=["source", "target"], how="semi")
        assert_frame_equal(here.drop(others), alone.drop(others), check_exact=True)
        both = here["p_habits"].is_not_null() & alone["p_habits"].is_not_null()
        assert here.filter(both)["p_habits"].to_list() == alone.filter(both)["p_habits"].to_list()
        for table in (here, alone):
            larger = [
                max(p, p_habits or 0) for p, p_habits in table.select("p_value", "p_habits").iter_rows()
            ]
            assert table["synchrony"].to_list() == pytest.approx((-np.log10(larger)).tolist(), abs=1e-12)
    assert found.synchrony["p_habits"].is_not_null().any()
    for cut, rate in (("synchronised", "q_value"), ("alike", "overlap_q")):
        expected = [value is not None and value <= 0.05 for value in found.synchrony[rate]]
        assert found.synchrony[cut].to_list() == expected


def test_a_pair_of_one_trace_keeps_its_p_value():
    found = joined(two_traces())
    ab = row_of(found.network, "a", "b")
    assert ab["p_value"] == row_of(found.synchrony, "a", "b")["p_value"]
    assert (ab["traces"], ab["n_near"], ab["closest_delta_s"], ab["synchronised"]) == ("url", 10, 60, True)
    # One tag that e and f share is too little for a test: it does not dilute the other trace.
    rows = found.synchrony.filter(source="e", target="f")
    assert rows["n_shared"].to_list() == [1, 4]
    assert rows["p_value"].is_null().to_list() == [True, False]
    ef = row_of(found.network, "e", "f")
    assert ef["p_value"] == rows["p_value"][1]
    assert ef["traces"] == "url"


def test_two_traces_are_joined_by_the_harmonic_mean():
    found = joined(two_traces())
    parts = found.synchrony.filter(source="c", target="d")
    cd = row_of(found.network, "c", "d")
    assert parts["trace"].to_list() == ["tag", "url"]
    assert cd["p_value"] == pytest.approx(wilson(parts["p_value"].to_list()), rel=1e-5)
    assert cd["p_habits"] == pytest.approx(wilson(parts["p_habits"].to_list()), rel=1e-5)
    assert cd["synchrony"] == pytest.approx(-np.log10(max(cd["p_value"], cd["p_habits"])))
    assert (cd["traces"], cd["n_near"]) == ("tag+url", 5)
    # Twice the smaller would be Bonferroni's; two that agree do better.
    assert cd["p_value"] < 2 * parts["p_value"].min()


def shared_by_two(shares):
    """Count the pairs of accounts that share two objects or more, by sets."""
    objects = {
        account: set(part["object_id"])
        for (account,), part in shares.partition_by("account_id", as_dict=True).items()
    }
    return sum(len(objects[a] & objects[b]) >= 2 for a, b in combinations(objects, 2))


def test_the_false_discovery_rate_is_over_the_tests_of_all_traces():
    traces = two_traces()
    found = joined(traces)
    # All objects are large enough for two posts to be near.
    assert {name: told.total for name, told in found.tests.items()} == {
        trace: shared_by_two(shares) for trace, shares in traces.items()
    }
    n_tests = sum(told.total for told in found.tests.values())
    if_dealt = found.network["p_value"].to_list()
    larger = found.network.select(pl.max_horizontal("p_value", "p_habits")).to_series().to_list()
    assert larger != if_dealt
    rate_if_dealt = slow.q_values(if_dealt, n_tests)
    assert found.network["q_value"].to_list() == pytest.approx(slow.q_values(larger, n_tests))
    assert found.network["synchronised"].to_list() == (found.network["q_value"] <= 0.05).to_list()
    by_habit = [rate <= 0.05 < q for rate, q in zip(rate_if_dealt, found.network["q_value"], strict=True)]
    assert found.network["by_habit"].to_list() == by_habit
    # Whose rate is above a half is left at that, unless one trace alone says more.
    above = [rate > 0.5 for rate in rate_if_dealt]
    assert [p is None for p, high in zip(found.network["p_habits"], above, strict=True) if not high] == [
        False
    ] * above.count(False)
    assert found.network["p_value"].max() <= 0.01


def test_a_probability_too_small_for_a_number_is_still_ranked():
    # 400 objects of 300 accounts, an hour apart; two post one after the other in each. Of 300 * 299 / 2 pairs of places
    # 299 are neighbours, 1 in 150: together far under 1e-308, the smallest number there is.
    rows = [
        (f"a{(k * (1 + 2 * o) + o) % 298}", f"o{o:03d}", 60 * MINUTE * o + 11_000 * k)
        for o in range(400) for k in range(298)
    ]  # fmt: skip
    rows += [
        # Everywhere in the objects' lives, so that it is nobody's habit.
        (who, f"o{o:03d}", 60 * MINUTE * o + 11_000 * (37 * o % 297) + ms)
        for o in range(400)
        for who, ms in (("x", 5_000), ("y", 6_000))
    ]
    found = row_of(joined({"url": shares_of(rows)}).network, "x", "y")
    assert (found["n_near"], found["p_value"], found["synchrony"]) == (400, 0.0, pytest.approx(300))


def test_edges_of_the_window_are_tested_although_not_near():
    urls = names("u", 12)
    rows = traffic(1, urls)
    # y shares what x does, in the other half of the objects' lives; z shares nothing with x.
    rows += [("x", url, 10 * MINUTE) for url in urls[:4]] + [("y", url, 2700 * MINUTE) for url in urls[:4]]
    rows += [("z", url, 5 * MINUTE) for url in urls[6:9]]
    edges = pl.DataFrame({"source": ["x", "x"], "target": ["y", "z"]}).cast(pl.Categorical)
    traces = {"url": shares_of(rows)}
    xy = row_of(joined(traces, edges).synchrony, "x", "y")
    assert (xy["n_shared"], xy["n_tested"], xy["n_near"], xy["p_value"]) == (4, 4, 0, 1)
    assert xy["closest_delta_s"] is None
    assert not xy["synchronised"]
    with_edges, without = joined(traces, edges), joined(traces)
    assert with_edges.synchrony.filter(target="z").is_empty()
    assert without.synchrony.filter(source="x", target="y").is_empty()
    # Asking for more pairs is no evidence, and costs none.
    assert_frame_equal(with_edges.network, without.network, check_exact=True)


def test_threads_and_order_change_nothing():
    traces = two_traces()
    one = joined(traces)
    other = joined(
        {trace: shares.sample(fraction=1, shuffle=True, seed=3) for trace, shares in traces.items()},
        threads=2,
    )
    assert_frame_equal(one.synchrony, other.synchrony, check_exact=True)
    assert_frame_equal(one.network, other.network, check_exact=True)


def test_nothing_to_join():
    empty = joined({})
    assert (empty.synchrony.height, empty.network.height, empty.tests) == (0, 0, {})
    alone = joined({"url": shares_of([("a", "x", 1), ("b", "y", 2)])})
    assert alone.synchrony.is_empty()
    assert alone.network.is_empty()


CREW = names("c", 15)


def crew_log(seed=0, *, weak=(), n_objects=45, n=60, n_accounts=150):
    """A crew of fifteen, three at a time over each object, and after them who stands near: `weak`."""
    objects = names("o", n_objects)
    rows = traffic(seed, objects, n=n, n_accounts=n_accounts)
    rng = np.random.default_rng(seed + 1)
    for k, object_ in enumerate(objects):
        hour = int(rng.integers(100, 2700)) * MINUTE
        here = [CREW[(k + 5 * j) % 15] for j in range(3)]
        rows += [(who, object_, hour + 2 * MINUTE * j) for j, who in enumerate(here)]
        rows += [(who, object_, hour + MINUTE * (1 + 2 * j)) for j, who in enumerate(weak) if k % 3 == j % 3]
    return rows


def groups_of(*groups):
    rows = [(name, number) for number, group in enumerate(groups) for name in group]
    return pl.DataFrame(rows, schema={"account_id": pl.String, "community": pl.UInt32}, orient="row")


def prepared(rows):
    return {"object": prepare_shares(incidence(shares_of(rows)))}


def test_a_member_too_weak_for_pairs_joins_and_strangers_do_not():
    rows = crew_log(weak=["w"])
    found = joined({"object": shares_of(rows)})
    # w meets nobody more than three times: no pair of its stands out.
    assert found.network.filter(
        "synchronised", (pl.col("source") == "w") | (pl.col("target") == "w")
    ).is_empty()
    groups, standing = grow_groups(found.prepared, groups_of(CREW), q=0.05, threads=1)
    assert groups.filter("joined").rows() == [("w", 0, True)]
    assert groups.filter(~pl.col("joined")).rows() == [(name, 0, False) for name in CREW]
    assert standing.columns == ["account_id", "synchrony", "q_value"]
    rate = dict(standing.select("account_id", "q_value").iter_rows())
    assert rate["w"] <= 0.05
    assert all(rate[name] is None for name in CREW)
    assert all(value > 0.05 for name, value in rate.items() if name[0] == "s")
    strength = dict(standing.select("account_id", "synchrony").iter_rows())
    assert strength["w"] > max(value for name, value in strength.items() if name[0] == "s")


def test_members_of_other_groups_do_not_join():
    rows = crew_log(weak=["w", "x"])
    # x stands near the crew as w does, and has a group of its own of which nobody else does.
    groups, _ = grow_groups(prepared(rows), groups_of(CREW, ["x", "s000", "s001"]), q=0.05, threads=1)
    assert dict(groups.select("account_id", "community").iter_rows()) == dict.fromkeys(
        [*CREW, "w"], 0
    ) | dict.fromkeys(["x", "s000", "s001"], 1)
    assert groups.filter("joined")["account_id"].to_list() == ["w"]


def test_groups_of_which_half_the_members_stand_near_become_one():
    rows = crew_log(weak=["w", "x"])
    groups, _ = grow_groups(prepared(rows), groups_of(["w", "x", "s000", "s001"], CREW), q=0.05, threads=1)
    assert set(groups["community"]) == {0}
    assert not groups["joined"].any()
    groups, _ = grow_groups(
        prepared(rows), groups_of(["w", "x", "s000", "s001", "s002"], CREW), q=0.05, threads=1
    )
    assert groups.group_by("community").len().sort("community").rows() == [(0, 5), (1, 15)]


def test_a_trace_without_them_counts_against_them():
    rows = crew_log(weak=["w"])
    one = prepared(rows)
    quiet = prepare_shares(incidence(shares_of(traffic(5, names("q", 5)))))
    _, alone = grow_groups(one, groups_of(CREW), q=0.05, threads=1)
    _, both = grow_groups(one | {"quiet": quiet}, groups_of(CREW), q=0.05, threads=1)
    p = 10 ** -alone.filter(account_id="w")["synchrony"][0]
    assert 10 ** -both.filter(account_id="w")["synchrony"][0] == pytest.approx(wilson([p, 1.0]), rel=1e-4)


def test_growth_repeats():
    shares = shares_of(crew_log(weak=["w", "x"]))
    one = grow_groups({"o": prepare_shares(incidence(shares))}, groups_of(CREW), q=0.05, threads=1)
    shuffled = shares.sample(fraction=1, shuffle=True, seed=1)
    other = grow_groups(
        {"o": prepare_shares(incidence(shuffled))}, groups_of(CREW).reverse(), q=0.05, threads=2
    )
    for mine, yours in zip(one, other, strict=True):
        assert_frame_equal(mine, yours, check_exact=True)


def test_no_groups_and_no_shares():
    groups, standing = grow_groups(prepared(crew_log()), groups_of(), q=0.05, threads=1)
    assert groups.is_empty()
    assert standing.is_empty()
    groups, standing = grow_groups(prepared(traffic(0, ["o"])), groups_of(CREW), q=0.05, threads=1)
    assert groups.height == 15
    assert standing.is_empty()


def dealt(rows, seeds, rng):
    """Deal all accounts but the seeds anew to their posts, object by object."""
    accounts = np.array([row[0] for row in rows])
    objects = np.array([row[1] for row in rows])
    free = ~np.isin(accounts, seeds)
    for object_ in np.unique(objects):
        here = np.flatnonzero(free & (objects == object_))
        accounts[here] = rng.permutation(accounts[here])
    return [(str(who), row[1], row[2]) for who, row in zip(accounts, rows, strict=True)]


def test_growth_is_calibrated():
    # Strangers are dealt at random around a crew whose posts are held: all who join do so by chance.
    rng = np.random.default_rng(11)
    rows, n_draws = crew_log(n_objects=20, n=200, n_accounts=300), 60
    seeds = groups_of(CREW)
    with_joiners, p_values = 0, []
    for _ in range(n_draws):
        drawn = prepared(dealt(rows, CREW, rng))
        part = drawn["object"]
        group = np.full(len(part.log.accounts), -1, np.int64)
        group[codes_in(seeds["account_id"], part.log.accounts)] = 0
        found = standing_of(part, group, threads=1)
        p_values.append(np.exp(found.log_p[~found.inside]))
        groups, _ = grow_groups(drawn, seeds, q=0.05, threads=1)
        with_joiners += bool(groups["joined"].any())
    p = np.concatenate(p_values)
    assert p.size > 100 * n_draws
    for x in (0.1, 0.05, 0.01, 0.001):
        assert (p <= x).sum() <= binom.isf(1e-4, p.size, x), x
    # Where everything is chance, any join is a false discovery: in at most one draw of twenty.
    assert with_joiners <= binom.isf(1e-4, n_draws, 0.05)
    assert (p <= 0.1).sum() >= 0.03 * p.size  # and it is no empty promise


def test_near_posts_are_those_behind_a_pair():
    # Twenty posts of each object, a minute apart; a and b stand at given places.
    rows = []
    for object_, at_a, at_b in (("x", 4, 5), ("y", 9, 7), ("z", 0, 19)):
        who = [f"{object_}{k:02d}" for k in range(20)]
        who[at_a], who[at_b] = "a", "b"
        rows += [(name, object_, k * MINUTE) for k, name in enumerate(who)]
    made = {
        "url": prepare_shares(incidence(shares_of(rows))),
        "tag": prepare_shares(incidence(shares_of(rows[:20]))),
    }
    found = near_posts(made, pl.DataFrame({"source": ["a", "a"], "target": ["b", "nobody"]}))
    # Of the 190 pairs of posts 19 are one place apart, and 18 two: z's are not near.
    assert found.rows() == [
        ("a", "b", "tag", "x", 4, 5, pytest.approx(19 / 190), 60.0),
        ("a", "b", "url", "x", 4, 5, pytest.approx(19 / 190), 60.0),
        ("a", "b", "url", "y", 29, 27, pytest.approx(37 / 190), -120.0),
    ]


def test_near_posts_that_are_as_seldom_stand_in_the_order_of_their_objects():
    # Three objects of thirty accounts each, a and b next to each other in all: as seldom. The last by name comes first
    # in time, and first in the log.
    rows = [
        (who, name, (10_000 * day + 3 * k) * MINUTE)
        for day, name in enumerate(["z", "y", "x"])
        for k, who in enumerate([*(f"s{k}" for k in range(14)), "a", "b", *(f"t{k}" for k in range(14))])
    ]
    shares = shares_of(rows)
    posts = near_posts(
        {"url": prepare_shares(incidence(shares))}, pl.DataFrame({"source": ["a"], "target": ["b"]})
    )
    assert posts["object_id"].to_list() == ["x", "y", "z"]
    assert posts["chance"].n_unique() == 1
    assert [shares["object_id"][row] for row in posts["source_row"]] == ["x", "y", "z"]


def test_scores_by_hand():
    network = NETWORK.conform(
        pl.DataFrame(
            [("a", "b", 6.0, 0.01, True), ("a", "c", 4.0, 0.04, True), ("a", "d", 3.0, 0.2, False)],
            schema=["source", "target", "synchrony", "q_value", "synchronised"],
            orient="row",
        ).with_columns(traces=pl.lit("url"), n_near=pl.lit(3), closest_delta_s=pl.lit(1.0), p_value=0.001)
    )
    standing = pl.DataFrame(
        [("a", 2.0, None), ("d", 1.5, 0.1), ("e", 5.0, 0.02)],
        schema={"account_id": pl.String, "synchrony": pl.Float64, "q_value": pl.Float64}, orient="row",
    )  # fmt: skip
    # The best in full, the second by half, the third not at all; a group in full.
    assert scores_of(network, standing).rows() == [
        ("a", 6 + 4 / 2 + 2, 0.01, 2), ("b", 6.0, 0.01, 1), ("c", 4.0, 0.04, 1), ("d", 3 + 1.5, 0.1, 0),
        ("e", 5.0, 0.02, 0),
    ]  # fmt: skip
    assert scores_of(NETWORK.empty(), standing.clear()).is_empty()


def test_merging_by_hand():
    groups = groups_of("ab", "cd", "ef", "gh", "ij")
    links = pl.DataFrame({"community": [4, 3, 1], "other": [3, 1, 1]}, schema_overrides=dict.fromkeys(
        ("community", "other"), pl.UInt32))  # fmt: skip
    merged = merge_groups(groups, links)
    assert merged.schema == groups.schema
    assert merged["account_id"].equals(groups["account_id"])
    assert merged["community"].to_list() == [0, 0, 1, 1, 2, 2, 1, 1, 1, 1]


@given(
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=10), st.randoms(use_true_random=False)
)
def test_merged_groups_are_the_connected_parts(pairs, random):
    import networkx as nx

    graph = nx.Graph(pairs)
    graph.add_nodes_from(range(8))
    expected = {node: min(part) for part in nx.connected_components(graph) for node in part}
    random.shuffle(pairs)
    links = pl.DataFrame(pairs, schema={"community": pl.UInt32, "other": pl.UInt32}, orient="row")
    merged = merge_groups(groups_of(*"abcdefgh"), links)
    assert merged["community"].to_list() == [expected[k] for k in range(8)]


def test_the_public_door_takes_frames_and_checks_them():
    traces = two_traces()
    wanted = joined(traces)
    for order in (traces, dict(reversed(traces.items()))):
        found = joint_synchrony(order, threads=1)
        assert_frame_equal(found.network, wanted.network)
        assert_frame_equal(found.synchrony, wanted.synchrony)
        assert {name: told.total for name, told in found.tests.items()} == {
            name: told.total for name, told in wanted.tests.items()
        }
    edges = pl.DataFrame({"source": ["s000"], "target": ["s001"]})
    assert_frame_equal(joint_synchrony(traces, edges=edges).network, joined(traces, edges).network)
    for options, message in (({"q": 1}, "^q: 1 is not"), ({"neighbours": 0}, "^neighbours: 0 is too small")):
        with pytest.raises(UsageError, match=message):
            joint_synchrony(traces, **options)
    with pytest.raises(InputError, match=r"^edges: no column 'source', no column 'target'"):
        joint_synchrony(traces, edges=pl.DataFrame({"a": ["x"]}))
    with pytest.raises(InputError, match=r"^shares: no column 'object_id'"):
        joint_synchrony({"url": traces["url"].drop("object_id")})
    assert joint_synchrony({}).network.equals(NETWORK.empty())
