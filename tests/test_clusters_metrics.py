from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from propgraph.clusters.groups import core_members
from propgraph.clusters.inputs import ClusterInputs
from propgraph.clusters.metrics import gini, inner_edges, measure_clusters, measure_members, with_synchrony
from propgraph.clusters.spans import shortest_half
from propgraph.clusters.timing import Timing
from propgraph.schema import ACCOUNTS, TIME

START = datetime(2020, 1, 1, tzinfo=UTC)


def at(seconds):
    return START + timedelta(seconds=seconds)


def edges(*rows):
    """Rows of source, target, weight, n_events, mean_delta_s, fast_share."""
    names = ["source", "target", "weight", "n_events", "mean_delta_s", "fast_share"]
    return pl.DataFrame(
        rows, schema=names, orient="row", schema_overrides={"source": pl.String}
    ).with_columns(first_time=pl.lit(START).cast(TIME), last_time=pl.lit(START).cast(TIME))


def shares(*rows):
    """Rows of account, content, object, n_fellows; all of trace url."""
    names = {
        "account_id": pl.String, "content_id": pl.String, "object_id": pl.String, "n_fellows": pl.Int64,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=names, orient="row").with_columns(trace=pl.lit("url"))


def posts(*rows):
    """Rows of account, content, hour of the day, kind, group."""
    names = {
        "account_id": pl.String, "content_id": pl.String, "hour": pl.Int64, "kind": pl.String,
        "target_id": pl.String,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=names, orient="row").select(
        "account_id", "content_id", "kind", "target_id",
        timestamp=pl.lit(START).cast(TIME) + pl.duration(hours="hour"),
        origin_account_id=pl.lit(None, pl.String),
    )  # fmt: skip


def links(*rows):
    """Rows of account, content, site."""
    names = {"account_id": pl.String, "content_id": pl.String, "site": pl.String}
    return pl.DataFrame(rows, schema=names, orient="row")


def accounts(created):
    table = pl.DataFrame(
        {"account_id": list(created), "created_at": list(created.values())},
        schema={"account_id": pl.String, "created_at": TIME},
    )
    return ACCOUNTS.conform(table)


def timing(objects=(), members=(), step_s=1.0):
    """Rows of cluster, object, n_pairs, n_within, pace (gathered, hour); and of members: cluster, account, ..."""
    return Timing(
        objects=pl.DataFrame(
            [row if len(row) == 7 else (*row, 2, 0) for row in objects],
            schema={"cluster": pl.UInt32, "object": pl.UInt32, "n_pairs": pl.Float64,
                    "n_within": pl.Float64, "outsider_rate": pl.Float64, "gathered": pl.Int64, "hour": pl.Float64},
            orient="row",
        ).with_columns(gathered_ms=(pl.col("hour") * 3_600_000).cast(pl.Int64), usual_rate="outsider_rate"),
        members=pl.DataFrame(
            list(members),
            schema={"cluster": pl.UInt32, "account": pl.UInt32, "n_co_objects": pl.UInt32,
                    "window_rate": pl.Float64, "outsider_rate": pl.Float64},
            orient="row",
        ).with_columns(expected_co_objects=pl.col("outsider_rate") * 10),
        shares=pl.DataFrame(),
        clusters=pl.DataFrame(
            [(cluster, 100.0, 1.0, True, step_s) for cluster in sorted({row[0] for row in objects})],
            schema={"cluster": pl.UInt32, "n_outsider_pairs": pl.Float64, "acts": pl.Float64,
                    "compared": pl.Boolean, "time_resolution_s": pl.Float64},
            orient="row",
        ),
    )  # fmt: skip


def material(members=None, **parts):
    members = members or {"a": 0, "b": 0, "c": 0}
    table = pl.DataFrame(
        {"account_id": list(members), "cluster": list(members.values())},
        schema={"account_id": pl.String, "cluster": pl.UInt32},
    ).with_columns(time_window_s=60.0, own_objects=None, usual_bursts=None)
    default = {
        "edges": edges(("a", "b", 1, 1, 0.0, 0.0)), "shares": shares(), "posts": posts(), "links": links(),
        "accounts": accounts({}), "timing": {"url": [timing()]},
    }  # fmt: skip
    return ClusterInputs(members=table, **(default | parts))


def figures(**parts):
    """The one row of a cluster's figures."""
    [row] = measure_clusters(material(**parts)).to_dicts()
    return row


@given(st.lists(st.integers(1, 50), min_size=2, max_size=20))
def test_gini_is_half_the_relative_mean_absolute_difference(counts):
    n = len(counts)
    mean_difference = sum(abs(a - b) for a in counts for b in counts) / n**2
    assert gini(np.array(counts)) == pytest.approx(mean_difference / (2 * sum(counts) / n), abs=1e-12)


def test_gini_by_hand():
    assert gini(np.array([7, 7, 7])) == pytest.approx(0)
    assert gini(np.array([3, 1])) == pytest.approx(0.25)  # mean |difference| 1, mean 2
    assert gini(np.array([9])) == 1  # one alone, by convention
    assert gini(np.array([10**6] + [1] * 999)) > 0.99


@pytest.mark.parametrize(
    ("times", "span"),
    [
        ([5], 0),
        ([5, 90], 0),  # half of two is one
        ([0, 10, 13], 3),  # two of three
        ([13, 0, 10], 3),
        ([0, 10, 13, 100], 3),  # two of four
        ([0, 1, 50, 51, 52, 200], 2),  # three of six
        ([0, 0, 0, 9, 9], 0),
    ],
)
def test_shortest_half(times, span):
    assert shortest_half(np.array(times)) == span


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=12))
def test_no_half_is_shorter(times):
    half = math.ceil(len(times) / 2)
    ordered = sorted(times)
    spans = [ordered[k + half - 1] - ordered[k] for k in range(len(times) - half + 1)]
    assert shortest_half(np.array(times)) == min(spans)


def test_network_figures():
    found = figures(
        members={"a": 0, "b": 0, "c": 0, "d": 0},
        edges=edges(
            ("a", "b", 4, 10, 2.0, 1.0),
            ("a", "c", 1, 10, 10.0, 0.5),
            ("b", "c", 7, 20, 30.0, 0.0),
            ("c", "stranger", 99, 99, 99.0, 1.0),
        ),
    )
    assert found["n_accounts"] == 4
    assert found["n_edges"] == 3
    assert found["density"] == 3 / 6
    assert found["total_weight"] == 12
    assert found["median_weight"] == 4
    assert found["median_delta_s"] == 10
    assert found["fast_share"] == (10 * 1 + 10 * 0.5 + 20 * 0) / 40  # pairs of posts, not edges


def test_edges_between_clusters_belong_to_none():
    made = material(
        members={"a": 0, "b": 1, "c": 1}, edges=edges(("a", "b", 5, 5, 1, 1), ("b", "c", 2, 2, 1, 1))
    )
    assert inner_edges(made).select("source", "target", "cluster").rows() == [("b", "c", 1)]
    table = measure_clusters(made)
    assert table.select("cluster", "n_accounts", "n_edges").rows() == [(0, 1, 0), (1, 2, 1)]
    assert table["total_weight"].to_list() == [None, 2]


def test_a_post_of_two_objects_is_one_share():
    two = shares(("a", "a1", "x", 0), ("a", "a1", "y", 2), ("a", "a2", "z", 0), ("b", "b1", "y", 1))
    found = figures(shares=two)
    assert found["n_shares"] == 3
    assert found["co_shared"] == 2 / 3
    members = measure_members(material(shares=two)).sort("account_id")
    assert members["n_shares"].to_list() == [2, 1, 0]
    assert members["n_co_shares"].to_list() == [1, 1, 0]


def test_hours_of_the_day():
    one_hour = posts(*(("a", f"p{k}", 24 * k + 5, "original", None) for k in range(9)))
    around = posts(*(("a", f"p{k}", k, "original", None) for k in range(48)))
    two_hours = posts(*(("a", f"p{k}", 12 * k, "original", None) for k in range(10)))
    assert figures(posts=one_hour)["hour_entropy"] == 0
    assert figures(posts=around)["hour_entropy"] == pytest.approx(1)
    assert figures(posts=two_hours)["hour_entropy"] == pytest.approx(math.log(2) / math.log(24))


def test_originals_and_groups():
    made = posts(
        ("a", "p1", 1, "original", "g1"), ("a", "p2", 1, "reshare", "g1"), ("a", "p3", 1, "reshare", "g2"),
        ("b", "p4", 1, "reply", None), ("b", "p5", 1, "original", "g3"),
        ("c", "p6", 1, "reshare", None),
    )  # fmt: skip
    found = figures(posts=made)
    assert found["original_share"] == 2 / 6
    assert found["n_targets"] == 3
    assert found["typical_targets"] == 1  # of 2, 1 and 0
    members = measure_members(material(posts=made)).sort("account_id")
    assert members["original_share"].to_list() == [1 / 3, 1 / 2, 0]
    assert members["n_targets"].to_list() == [2, 1, 0]


def test_without_kinds_there_is_no_share_of_originals():
    assert figures(posts=posts(("a", "p1", 1, None, None)))["original_share"] is None


def test_sites():
    made = links(*(("a", f"p{k}", "x.com") for k in range(3)), ("b", "p9", "y.org"))
    found = figures(links=made)
    assert (found["top_site"], found["n_sites"], found["n_links"]) == ("x.com", 2, 4)
    assert found["top_site_share"] == 3 / 4
    assert found["site_gini"] == pytest.approx(0.25)
    # A tie goes to the name that sorts first; one site alone has Gini 1.
    assert figures(links=links(("a", "1", "z.com"), ("b", "2", "a.com")))["top_site"] == "a.com"
    assert figures(links=links(("a", "1", "z.com"), ("b", "2", "z.com")))["site_gini"] == 1
    assert figures()["top_site"] is None


def test_creation_times():
    found = figures(
        members=dict.fromkeys("abcde", 0),
        accounts=accounts({"a": at(0), "b": at(100), "c": at(130), "d": at(9000), "e": None}),
    )
    assert found["n_created"] == 4
    assert found["creation_spread_s"] == 30  # two of four


def test_timing_is_summed_over_objects():
    found = figures(
        timing={
            "url": [
                timing(
                    objects=[(0, 7, 100.0, 50.0, 0.1), (0, 8, 4.0, 0.0, 0.2)],
                    members=[(0, 0, 2, 0.5, 0.1), (0, 1, 4, 0.5, 0.3), (0, 2, 9, 0.5, 0.2)],
                )
            ]
        }
    )
    assert found["timing_trace"] == "url"
    assert found["observed"] == 50
    assert found["expected"] == pytest.approx(100 * 0.1 + 4 * 0.2)
    assert found["n_objects"] == 1  # the other was never co-shared in the window
    assert found["top_object_share"] == 1
    both = timing(objects=[(0, 7, 100.0, 50.0, 0.1), (0, 8, 40.0, 30.0, 0.2)])
    assert figures(timing={"url": [both]})["top_object_share"] == pytest.approx(50 / 80)
    assert found["window_rate"] == pytest.approx((10 * 0.5 + 2 * 0) / 12)  # weights √100 and √4
    assert found["outsider_rate"] == pytest.approx((10 * 0.1 + 2 * 0.2) / 12)
    assert found["co_objects"] == 4
    assert found["expected_co_objects"] == pytest.approx(2)


@pytest.mark.parametrize(("n_accounts", "median"), [(3, 6), (4, 5), (5, 4), (6, 2), (7, 0)])
def test_members_who_share_nothing_with_a_fellow_count_as_having_met_nobody(n_accounts, median):
    # Met over 4, 6 and 9 objects (expected 4, 6, 9, too); the others over none.
    members = [(0, 0, 4, 0.5, 0.4), (0, 1, 6, 0.5, 0.6), (0, 2, 9, 0.5, 0.9)]
    part = timing(
        objects=[(0, 7, 100.0, 50.0, 0.1), (1, 7, 4.0, 1.0, 0.1)], members=[*members, (1, 8, 1, 1, 0.1)]
    )
    table = measure_clusters(
        material(members=dict.fromkeys("abcdefg"[:n_accounts], 0) | {"h": 1}, timing={"url": [part]})
    )
    assert table["co_objects"].to_list() == [median, 1]
    assert table["expected_co_objects"].to_list() == pytest.approx([median, 1])


@pytest.mark.parametrize(
    ("gathered", "turnout"),
    [
        # Members (of ten) within one window, and the hour: the third most of times an hour or more apart.
        ([(9, 0), (8, 5), (6, 9), (7, 30)], 0.7),
        ([(9, 0), (8, 0.9), (6, 1), (5, 2)], 0.5),  # the second is the first's occasion
        ([(9, 0), (9, 0.5), (9, 1), (9, 1.5), (9, 2)], 0.9),
        ([(9, 0), (8, 5)], None),
        ([(9, 0), (8, 5), (6, 5.9)], None),
    ],
)
def test_turnout_is_that_of_the_third_of_times_apart(gathered, turnout):
    rows = [(0, k, 9.0, 3.0, 0.1, n, hour) for k, (n, hour) in enumerate(gathered)]
    for objects in (rows, rows[::-1]):
        found = figures(
            members=dict.fromkeys("abcdefghij", 0),
            timing={"url": [timing(objects=objects, members=[(0, 0, 2, 0.5, 0.1)])]},
        )
        assert found["turnout"] == turnout
        assert found["n_gathered"] == (None if turnout is None else 10 * turnout)


def test_the_surest_trace_tells_and_each_trace_counts():
    # Where all pairs are in the window the bound is the product of the paces, times the number of traces.
    weak = timing(objects=[(0, 1, 9.0, 9.0, 0.2)], members=[(0, 0, 1, 1.0, 0.2)])
    sure = timing(objects=[(0, 1, 9.0, 9.0, 0.1), (0, 2, 9.0, 9.0, 0.05)], members=[(0, 0, 2, 1.0, 0.1)])
    found = figures(timing={"reshare": [weak], "url": [sure]})
    assert found["timing_trace"] == "url"
    assert found["nominal_p"] == pytest.approx(2 * 0.1 * 0.05)
    assert figures(timing={"url": [sure]})["nominal_p"] == pytest.approx(0.1 * 0.05)
    assert figures(timing={"a": [weak], "b": [weak]})["timing_trace"] == "a"
    assert figures(timing={name: [weak] for name in "abcdef"})["nominal_p"] == 1  # no chance is above 1


def test_the_times_tell_that_tell_most_surely_and_each_fineness_counts():
    weak = timing(objects=[(0, 1, 9.0, 9.0, 0.2)], members=[(0, 0, 1, 1.0, 0.2)], step_s=3600.0)
    sure = timing(objects=[(0, 1, 9.0, 9.0, 0.1)], members=[(0, 0, 2, 1.0, 0.1)], step_s=1.0)
    for parts, step_s in (([weak, sure], 1), ([sure, weak], 1), ([weak], 3600)):
        found = figures(timing={"url": parts})
        assert found["time_resolution_s"] == step_s
        assert found["nominal_p"] == pytest.approx(len(parts) * (0.1 if step_s == 1 else 0.2))


def test_members_degree_and_strength():
    found = measure_members(
        material(edges=edges(("a", "b", 4, 1, 1, 1), ("a", "c", 1, 1, 1, 1), ("c", "stranger", 9, 9, 9, 1)))
    ).sort("account_id")
    assert found["degree"].to_list() == [2, 1, 1]
    assert found["strength"].to_list() == [5, 4, 1]


NAMES = {"url": pl.Series(["a", "b", "c", "d", "e"])}


def test_who_is_tied_to_a_cluster_is_in_a_pair_of_it_or_joined_it_as_a_group():
    members = pl.DataFrame(
        [*((who, 0, "pairs") for who in "abc"), ("d", 0, "group"), *((who, 1, "window") for who in "wx")],
        schema={"account_id": pl.String, "cluster": pl.UInt32, "evidence": pl.String}, orient="row",
    )  # fmt: skip
    inside = pl.DataFrame(
        [("a", "b", 0, 1e-5), ("a", "d", 0, 1e-7)],
        schema={"source": pl.String, "target": pl.String, "cluster": pl.UInt32, "p_value": pl.Float64}, orient="row",
    )  # fmt: skip
    table = pl.DataFrame({"cluster": [0, 1], "n_accounts": [4, 2]}, schema_overrides={"cluster": pl.UInt32})
    found = with_synchrony(table, members, inside)
    # a, b and d by pairs, d as a group, too; c by neither.
    assert found.select("evidence", "n_synchronised", "best_p", "n_tied", "synchronised_share").rows() == [
        ("synchrony", 2, 1e-7, 3, 0.75), ("window", 0, None, 0, 0.0)
    ]  # fmt: skip
    alone = with_synchrony(table, members, inside.filter(target="b"))
    assert alone["n_tied"].to_list() == [3, 0]


def core(*members, min_size=3, **more):
    found = core_members({"url": [timing(members=members)], **more}, NAMES | dict.fromkeys(more, NAMES["url"]),
                         min_size=min_size)  # fmt: skip
    return dict(found.select("account_id", "cluster").iter_rows())


def test_core_keeps_who_keeps_time():
    # a, b, c: 8 objects at three times the pace or more. d: below that. e: one object only.
    found = core(
        (0, 0, 8, 0.9, 0.125), (0, 1, 8, 0.375, 0.125), (0, 2, 8, 0.5, 0.125), (0, 3, 8, 0.374, 0.125),
        (0, 4, 1, 1.0, 0.1),
    )  # fmt: skip
    assert found == {"a": 0, "b": 0, "c": 0}


def test_core_asks_for_two_objects():
    # Half as many as the busy quarter's two is one; one meeting is a coincidence all the same.
    assert core(*((0, k, n, 1.0, 0.1) for k, n in enumerate((2, 2, 2, 2, 1)))) == dict.fromkeys("abcd", 0)


def test_core_leaves_out_who_met_far_less_than_the_busy():
    # The upper quartile of 10, 10, 10, 5, 4 is 10: 5 is half as many, 4 is not.
    found = core(*((0, k, n, 1.0, 0.1) for k, n in enumerate((10, 10, 10, 5, 4))))
    assert found == {"a": 0, "b": 0, "c": 0, "d": 0}


def test_a_community_without_a_core_stays_whole():
    scattered = [(0, k, 1, 1.0, 0.1) for k in range(4)]
    assert core(*scattered) == dict.fromkeys("abcd", 0)
    # Two in time are no core of three; they are one of two.
    pair = [(0, 0, 5, 1.0, 0.1), (0, 1, 5, 1.0, 0.1), (0, 2, 5, 0.1, 0.1)]
    assert core(*pair) == dict.fromkeys("abc", 0)
    assert core(*pair, min_size=2) == {"a": 0, "b": 0}
    # Nobody is a cluster alone.
    assert core(*pair[1:], min_size=1) == dict.fromkeys("bc", 0)


def test_communities_are_cut_each_by_itself():
    found = core(
        *((0, k, 9, 1.0, 0.1) for k in range(3)), *((1, k, 2, 1.0, 0.1) for k in (3, 4)), min_size=2
    )  # fmt: skip
    assert found == {"a": 0, "b": 0, "c": 0, "d": 1, "e": 1}


def test_core_takes_an_accounts_best_trace():
    url = [(0, k, 9, 1.0, 0.1) for k in range(2)] + [(0, 2, 1, 0.0, 0.1)]
    reshare = timing(members=[(0, 2, 9, 1.0, 0.1)])
    assert core(*url) == dict.fromkeys("abc", 0)  # two are too few, so all stay
    assert core(*url, (0, 3, 1, 0.0, 0.1), reshare=[reshare]) == dict.fromkeys("abc", 0)
