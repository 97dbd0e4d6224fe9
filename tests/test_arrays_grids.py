"""Posts whose times are not equally fine: told apart, and compared with their like, in every kernel."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from reference import cosharing, grids, synchrony
from reference import timing as slow_timing

from propgraph.arrays.encoding import codes_in
from propgraph.arrays.grids import TOGETHER_MS, common_times, kinds, split, steps_of
from propgraph.arrays.incidence import incidence
from propgraph.clusters.timing import timings_of
from propgraph.cosharing.window import cosharing_edges
from propgraph.likeness.overlap import overlap_of
from propgraph.schema import EDGES, TIME
from propgraph.stability.meetings import meetings_of
from propgraph.synchrony.pairs import pairs_at, rank_synchrony
from propgraph.synchrony.prepared import prepare_shares

NAMES = ("content_id", "account_id", "object_id", "timestamp", "time_resolution_s")
STEPS = (0, 1, 2_000, 10_000, 20_000, 60_000, 3_600_000)


def frame(rows):
    columns = list(zip(*rows, strict=True)) if rows else [[]] * 5
    ids = pl.DataFrame(
        dict(zip(NAMES[:3], map(list, columns[:3]), strict=True)), schema=dict.fromkeys(NAMES[:3], pl.String)
    )
    resolution = pl.Series([step / 1000 or None for step in columns[4]], dtype=pl.Float64)
    return ids.with_columns(
        timestamp=pl.Series(list(columns[3]), dtype=pl.Int64).cast(TIME), time_resolution_s=resolution
    )


@st.composite
def logs(draw, steps=STEPS, max_posts=40):
    """Accounts of a few files, each of one fineness; now and then an account posts in several."""
    random = draw(st.randoms(use_true_random=False))
    files = draw(st.lists(st.sampled_from(steps), min_size=1, max_size=4, unique=True))
    span = draw(st.sampled_from([20, 300, 20_000]))
    rows = []
    for k in range(draw(st.integers(0, max_posts))):
        who = random.randrange(8)
        step = files[who % len(files)] if random.random() < 0.8 else random.choice(files)
        time = random.randrange(span) * 1000 // max(step, 1) * max(step, 1)
        rows.append((f"p{k:03}", f"a{who}", f"o{random.randrange(4)}", time, step))
    return rows


WINDOWS = (0, 1_000, 10_000, 20_000, 60_000)


@settings(deadline=None, max_examples=300)
@given(logs(), st.sampled_from(WINDOWS), st.sampled_from(["objects", "events"]), st.integers(1, 2))
# Met over one object by times of two finenesses: one object, two events.
@example(
    [(f"p{k}", "ab"[k % 2], "o0", 0, step) for k, step in enumerate((0, 0, 3_600_000, 3_600_000))],
    0,
    "objects",
    1,
)
def test_edges_equal_the_slow_twin(rows, window_ms, edge_weight, least):
    choices = {"min_edge_weight": least, "min_participation": 1, "edge_weight": edge_weight}
    edges = cosharing_edges(frame(rows), time_window=window_ms / 1000, threads=2, **choices)
    slow = cosharing.cosharing_edges(rows, window_ms=window_ms, **choices)
    assert dict(edges.schema) == EDGES.dtypes
    exact = ["source", "target", "n_events", "n_objects", "weight", "fast_share"]
    assert edges.select(exact).rows() == [tuple(edge[name] for name in exact) for edge in slow]
    assert edges["mean_delta_s"].to_list() == pytest.approx([edge["mean_delta_s"] for edge in slow])
    for edge in edges.iter_rows(named=True):
        n_shared, expected = cosharing.chance(rows, edge["source"], edge["target"], window_ms=window_ms)
        assert edge["n_shared"] == n_shared
        assert edge["expected"] == pytest.approx(expected, rel=1e-9)


@settings(deadline=None, max_examples=100)
@given(logs(max_posts=80), st.sampled_from(WINDOWS))
def test_what_is_told_of_pairs_in_bursts_is_the_same(rows, window_ms):
    choices = {"time_window": window_ms / 1000, "min_participation": 1, "min_edge_weight": 1}
    every = cosharing_edges(frame(rows), burst_cap=0, **choices)
    some = cosharing_edges(frame(rows), burst_cap=2, **choices)
    assert_frame_equal(some, every.join(some, on=["source", "target"], how="semi", maintain_order="left"))


@settings(deadline=None, max_examples=200)
@given(logs(max_posts=80), st.sampled_from([0.2, 0.5]))
def test_ranks_equal_the_slow_twin(rows, tau):
    apart = grids.told_apart(rows, TOGETHER_MS)
    found = prepare_shares(incidence(frame(rows)), tau=tau)
    accounts = found.log.accounts.to_list()
    pairs = np.array(list(combinations(range(len(accounts)), 2)), np.int64).reshape(-1, 2)
    fast = pairs_at(found, pairs[:, 0].copy(), pairs[:, 1].copy(), threads=2)
    for k, (one, other) in enumerate(zip(fast.source, fast.target, strict=True)):
        n_tested, n_near, _, p_value = synchrony.measure(apart, (accounts[one], accounts[other]), tau)
        assert (fast.n_tested[k], fast.n_near[k]) == (n_tested, n_near)
        assert np.exp(fast.log_p[k]) == pytest.approx(p_value, rel=1e-9)
    table = rank_synchrony(frame(rows), tau=tau, max_p=1)
    assert table.select("source", "target").rows() == synchrony.near_pairs(apart, tau, 50)
    # What both share at all does not hang on the clock.
    code = [codes_in(table[name], found.log.accounts) for name in ("source", "target")]
    plain = overlap_of(
        incidence(frame([(*row[:4], 0) for row in rows])), source=code[0], target=code[1], threads=1
    )
    assert table["n_shared"].to_list() == plain.n_shared.tolist()
    assert table["overlap_p"].to_list() == pytest.approx(plain.overlap_p.tolist(), rel=1e-9)


@settings(deadline=None, max_examples=200)
@given(logs(), st.sampled_from([(1_000, 20_000), (20_000, 60_000)]))
def test_meetings_give_the_weights_of_the_edges(rows, windows):
    log = incidence(frame(rows))
    for w, window_ms in enumerate(windows):
        edges = cosharing_edges(
            frame(rows), time_window=window_ms / 1000, min_edge_weight=1, min_participation=1
        )
        ends = [codes_in(edges[name], log.accounts) for name in ("source", "target")]
        found = meetings_of(log, *ends, windows_ms=np.array(windows), threads=2)
        everything = np.ones(len(log.objects), np.bool_)
        assert found.weights(everything, window=w, by_events=False).tolist() == edges["n_objects"].to_list()
        assert found.weights(everything, window=w, by_events=True).tolist() == edges["n_events"].to_list()


@settings(deadline=None, max_examples=200)
@given(
    logs(steps=(0, 20_000, 3_600_000, 86_400_000)),
    st.dictionaries(st.sampled_from([f"a{k}" for k in range(8)]), st.integers(0, 1), max_size=8),
)
def test_timing_of_each_fineness_equals_the_slow_twin_over_its_posts(rows, cluster_of):
    window_ms = 10_000
    log = incidence(frame(rows))
    cluster = np.array([cluster_of.get(account, -1) for account in log.accounts], dtype=np.int64)
    found = timings_of(log, cluster, window_ms=window_ms, habits=False)
    steps = sorted({step for *_, step in rows}) or [0]
    assert len(found) == len(steps)
    for step, part in zip(steps, found, strict=True):
        posts = [(row[1], row[2], row[3]) for row in rows if row[4] == step]
        objects, members, _ = slow_timing.timing(posts, cluster_of, window_ms)
        assert {
            (row["cluster"], log.objects[row["object"]]): pytest.approx(
                (row["n_pairs"], row["n_within"], row["outsider_rate"])
            )
            for row in part.objects.to_dicts()
        } == objects
        assert part.members.height == len(members)
        assert set(part.clusters["time_resolution_s"]) <= {step / 1000}
    fellows = pl.concat([part.shares for part in found])
    assert fellows["row"].is_unique().all()
    assert fellows.height == sum(row[1] in cluster_of for row in rows)


def test_minutes_and_seconds_in_one_object_are_compared_by_the_minute():
    # Members in seconds, one outsider in minutes, at 0:59 and 1:00 to 2:30: cut, all lie in 0:00, 1:00 and 2:00.
    rows = [
        ("p1", "a", "o", 59_000, 1_000),
        ("p2", "b", "o", 61_000, 1_000),
        ("p3", "c", "o", 150_000, 1_000),
    ]
    rows += [("p4", "x", "o", 60_000, 60_000), ("p5", "y", "o", 60_000, 60_000)]
    log = incidence(frame(rows))
    cluster = np.array([0, 0, 0, -1, -1])
    (part,) = timings_of(log, cluster, window_ms=60_000)
    (row,) = part.objects.to_dicts()
    # Of their three pairs a and b lie in minutes next to each other, and so do b and c.
    assert (row["n_pairs"], row["n_within"]) == (3, 2)
    assert part.clusters["time_resolution_s"].to_list() == [60]
    # The edges tell what lies within a minute: only a and b.
    edges = cosharing_edges(frame(rows), min_edge_weight=1, min_participation=1)
    inside = edges.filter(pl.col("target").is_in(["b", "c"]))
    assert inside.select("source", "target", "fast_share").rows() == [("a", "b", 1.0)]
    assert edges.filter(source="a", target="x")["fast_share"].to_list() == [None]


def test_seconds_by_themselves_are_not_cut_by_minutes_elsewhere():
    rows = [("p1", "a", "o", 59_000, 1_000), ("p2", "b", "o", 150_000, 1_000), ("p3", "a", "q", 0, 1_000)]
    rows += [("p4", "b", "q", 1_000, 1_000), ("p5", "c", "q", 60_000, 60_000)]
    log = incidence(frame(rows))
    assert steps_of(log).tolist() == [1_000, 60_000]
    assert common_times(log, limit_ms=60_000).tolist() == [59_000, 150_000, 0, 0, 60_000]


def test_the_usual_pace_is_that_of_objects_as_fine():
    # Outsiders in seconds never meet within a minute; those in minutes do in half of their pairs.
    rows = [(f"s{k}{o}", f"s{k}", f"fine{o}", 1_000_000 * k, 1_000) for k in range(3) for o in range(30)]
    rows += [
        (f"m{k}{o}", f"m{k}", f"coarse{o}", 0 if k < 2 else 600_000 * k, 60_000)
        for k in range(3)
        for o in range(30)
    ]
    rows += [("a1", "a", "fine_too", 0, 1_000), ("b1", "b", "fine_too", 9_000, 1_000)]
    rows += [("a2", "a", "coarse_too", 0, 60_000), ("b2", "b", "coarse_too", 0, 60_000)]
    log = incidence(frame(rows))
    cluster = np.array([0 if name in ("a", "b") else -1 for name in log.accounts])
    (part,) = timings_of(log, cluster, window_ms=60_000)
    outsider_rate = {log.objects[row["object"]]: row["outsider_rate"] for row in part.objects.to_dicts()}
    assert outsider_rate["fine_too"] == pytest.approx(0.01 / 31)
    assert outsider_rate["coarse_too"] == pytest.approx((30 / 3 + 0.01) / 31)


def test_a_log_of_one_fineness_is_left_as_it_is():
    rows = [(f"p{k}", f"a{k % 3}", f"o{k % 2}", 3_600_000 * k, 3_600_000) for k in range(12)]
    log = incidence(frame(rows))
    assert split(log, limit_ms=60_000) is log
    assert kinds(log, limit_ms=60_000) == [log]
    assert common_times(log, limit_ms=60_000) is log.time
    # As fine as asked for, however it differs.
    mixed = incidence(frame([(*row[:4], 1_000 + k % 2) for k, row in enumerate(rows)]))
    assert split(mixed, limit_ms=60_000) is mixed


def test_whole_days_of_two_zones_are_brought_to_the_same_days():
    # Midnight in Berlin, an hour before and in summer two, and in New York five or four after.
    day, hour = 86_400_000, 3_600_000
    for hours in ((-1, -2), (5, 4), (0, 0)):
        alone = [(f"p{k}", f"a{k}", "o", day * (100 + k) + hour * hours[k % 2], day) for k in range(20)]
        log = incidence(frame(alone))
        assert common_times(log, limit_ms=60_000) is log.time
    rows = [(f"p{k}", f"a{k}", "o", day * (100 + k // 3) + hour * (-1, 5, 0)[k % 3], day) for k in range(60)]
    log = incidence(frame(rows))
    assert common_times(log, limit_ms=60_000).tolist() == [day * (100 + k // 3) for k in range(60)]


def test_days_that_begin_at_noon_or_later_count_as_the_next_day():
    day, hour = 86_400_000, 3_600_000
    # An object in whole days of several clocks, and one in seconds beside it.
    rows = [
        (f"p{k}", f"a{k}", "days", 100 * day + hour * hours, day) for k, hours in enumerate((0, 11, 12, 13))
    ]
    rows += [(f"q{k}", f"a{k}", "seconds", 1000 * k, 1000) for k in range(2)]
    found = common_times(incidence(frame(rows)), limit_ms=60_000)
    assert found.tolist() == [100 * day, 100 * day, 101 * day, 101 * day, 0, 1000]


@settings(deadline=None, max_examples=50)
@given(logs(), st.randoms(use_true_random=False))
def test_neither_threads_nor_the_order_of_rows_matter(rows, random):
    shuffled = random.sample(rows, len(rows))
    for of in (
        lambda log, threads: cosharing_edges(frame(log), min_edge_weight=1, threads=threads),
        lambda log, threads: rank_synchrony(frame(log), tau=0.5, max_p=1, threads=threads),
    ):
        assert_frame_equal(of(rows, 1), of(shuffled, 2), check_exact=True)
