"""Bursts: a sample of pairs is looked at, what is found is exact, and all that lies outside of them is as ever."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import timedelta
from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from reference import cosharing as reference

from propgraph.arrays.incidence import incidence
from propgraph.cosharing import bursts as bursts_module
from propgraph.cosharing import window as window_module
from propgraph.cosharing.bursts import crowd_of
from propgraph.cosharing.window import cosharing_edges
from propgraph.errors import UsageError
from propgraph.options import WindowOptions

NAMES = ("content_id", "account_id", "object_id", "timestamp")
OPTIONS = {
    "time_window": 60.0, "min_participation": 2, "min_edge_weight": 2, "edge_weight": "objects", "edge_quantile": 0.0,
    "burst_cap": WindowOptions.burst_cap, "threads": 2,
}  # fmt: skip


def edges_and_bursts(shares, *, threads, **options):
    return window_module.edges_and_bursts(shares, WindowOptions(**options), threads=threads)


def frame(log):
    columns = list(zip(*log, strict=True)) if log else [[]] * 4
    shares = pl.DataFrame(
        dict(zip(NAMES[:3], map(list, columns[:3]), strict=True)), schema=dict.fromkeys(NAMES[:3], pl.String)
    )
    return shares.with_columns(
        pl.Series("timestamp", list(columns[3]), dtype=pl.Int64).cast(pl.Datetime("ms", "UTC"))
    )


def burst(n, *, objects=2, span_ms=60_000, seed=0, name="a", day=0):
    """`objects`, a day apart, each shared once by the same `n` accounts within `span_ms`, in an order of its own."""
    rng = np.random.default_rng(seed)
    parts = []
    for k in range(objects):
        times = np.sort(rng.integers(0, span_ms, n)) if span_ms else np.zeros(n, np.int64)
        parts.append(
            pl.DataFrame({"account": rng.permutation(n), "t": times + (day + k) * 86_400_000}).select(
                content_id=pl.format("{}-{}-{}", pl.lit(name), pl.lit(k), "account"),
                account_id=pl.format("{}{}", pl.lit(name), pl.col("account").cast(pl.String).str.zfill(6)),
                object_id=pl.format("{}-{}", pl.lit(name), pl.lit(k)),
                timestamp=pl.col("t").cast(pl.Datetime("ms", "UTC")),
            )
        )
    return pl.concat(parts)


def ordinary(n=3000, accounts=200, objects=60, seed=1):
    """Shares of many objects at leisure, by accounts of whom some meet twice."""
    rng = np.random.default_rng(seed)
    return pl.DataFrame({"k": range(n)}).select(
        content_id=pl.format("p{}", "k"),
        account_id=pl.format("s{}", pl.Series(rng.integers(accounts, size=n))),
        object_id=pl.format("q{}", pl.Series((objects * rng.random(n) ** 2).astype(np.int64))),
        timestamp=pl.Series(rng.integers(0, 2_000_000, n)).cast(pl.Datetime("ms", "UTC")),
    )


# Crowds of a few accounts, and posts of their own or of several rows; times that fall in and out of the window.
crowds = st.lists(
    st.tuples(
        st.integers(0, 25).map("p{}".format),
        st.integers(0, 9).map("a{}".format),
        st.sampled_from(["o1", "o2", "o3"]),
        st.sampled_from([0, 0, 1, 2_000, 4_999, 5_000, 9_000, 30_000]),
    ),
    max_size=60,
)  # fmt: skip
choices = st.fixed_dictionaries(
    {
        "min_participation": st.integers(1, 2),
        "min_edge_weight": st.integers(1, 3),
        "edge_weight": st.sampled_from(["objects", "events"]),
        "edge_quantile": st.sampled_from([0.0, 0.0, 0.3, 0.8]),
    }
)


@pytest.mark.parametrize("partners", [1, 2, 5])
@settings(max_examples=150)
@given(crowds, choices, st.integers(1, 6), st.booleans(), st.sampled_from([0, 1, 5_000]))
def test_edges_equal_the_slow_twin(partners, log, choices, burst_cap, own_posts, window_ms):
    log = list(dict.fromkeys(log))
    if own_posts:
        log = [(f"p{k:03}", *row[1:]) for k, row in enumerate(log)]
    patch = pytest.MonkeyPatch()
    with patch.context() as at:
        at.setattr(bursts_module, "PARTNERS", partners)
        options = OPTIONS | choices | {"time_window": window_ms / 1000, "burst_cap": burst_cap}
        edges, bursts = edges_and_bursts(frame(log), **options)
    slow, n_pairs, n_looked_at = reference.sampled_edges(
        log, window_ms=window_ms, burst_cap=burst_cap, partners=partners, **choices
    )
    exact = ["source", "target", "n_events", "n_objects", "weight"]
    assert edges.select(exact).rows() == [tuple(edge[name] for name in exact) for edge in slow]
    for name, time in (("first_ms", "first_time"), ("last_ms", "last_time")):
        assert edges[time].dt.timestamp("ms").to_list() == [edge[name] for edge in slow]
    for name in ("mean_delta_s", "fast_share"):
        assert edges[name].to_list() == pytest.approx([edge[name] for edge in slow], rel=1e-12)
    assert (bursts["n_pairs"].sum(), bursts["n_looked_at"].sum()) == (n_pairs, n_looked_at)


@settings(max_examples=60)
@given(crowds, choices, st.integers(1, 6), st.randoms(use_true_random=False))
def test_neither_threads_nor_the_order_of_rows_matter(log, choices, burst_cap, random):
    options = OPTIONS | choices | {"burst_cap": burst_cap, "time_window": 5.0}
    log = list(dict.fromkeys(log))
    one = edges_and_bursts(frame(log), **options | {"threads": 1})
    two = edges_and_bursts(frame(random.sample(log, len(log))), **options)
    for mine, yours in zip(one, two, strict=True):
        assert_frame_equal(mine, yours, check_exact=True)


@settings(max_examples=60)
@given(crowds, choices)
def test_without_a_cap_all_pairs_are_looked_at(log, choices):
    options = OPTIONS | choices | {"burst_cap": 0, "time_window": 5.0}
    edges, bursts = edges_and_bursts(frame(log), **options)
    slow = reference.cosharing_edges(log, window_ms=5_000, **choices)
    assert edges.select("source", "target", "n_events").rows() == [
        (edge["source"], edge["target"], edge["n_events"]) for edge in slow
    ]
    assert bursts.is_empty()


def test_a_burst_of_three_thousand_by_hand():
    # 3,000 in each window: of 2 ** 8 cells each holds at most 16 on average.
    n, n_cells = 3_000, 256
    cells = [[half % n_cells for half in reference.shuffled(k)] for k in range(n)]
    expected = {
        pair
        for deal in (0, 1)
        for cell in range(n_cells)
        for pair in combinations([k for k in range(n) if cells[k][deal] == cell], 2)
    }
    edges, bursts = edges_and_bursts(burst(n), **OPTIONS)
    assert {(int(a[1:]), int(b[1:])) for a, b in edges.select("source", "target").iter_rows()} == expected
    assert set(edges.select("n_events", "n_objects", "weight").rows()) == {(2, 2, 2)}
    assert bursts.select("trace", "object_id", "n_accounts", "n_shares", "n_pairs", "n_looked_at").rows() == [
        ("object", name, n, n, n * (n - 1) // 2, len(expected)) for name in ("a-0", "a-1")
    ]
    assert (bursts["last_time"] - bursts["first_time"]).max() < timedelta(seconds=60)


@pytest.mark.parametrize(
    ("n", "sampled"), [(WindowOptions.burst_cap, False), (WindowOptions.burst_cap + 1, True)]
)
def test_a_burst_begins_above_the_cap(n, sampled):
    edges, bursts = edges_and_bursts(burst(n), **OPTIONS)
    assert (edges.height < n * (n - 1) // 2) == sampled
    assert bursts.height == 2 * sampled


def test_every_account_has_about_as_many_partners_however_often_the_crowd_meets():
    for objects in (2, 6):
        edges, _ = edges_and_bursts(burst(6_000, objects=objects), **OPTIONS)
        partners = Counter(edges["source"].to_list() + edges["target"].to_list())
        assert len(partners) == 6_000
        # 512 cells, twice: 2 * 5,999 / 512 on average, hardly ever less than half or more than twice as many.
        assert sum(partners.values()) / 6_000 == pytest.approx(2 * 5_999 / 512, rel=0.02)
        assert min(partners.values()) >= 6
        assert max(partners.values()) <= 60
        assert set(edges["n_objects"]) == {objects}


def test_what_is_looked_at_does_not_hang_on_how_near_two_posts_are():
    # Two posts of a uniform minute are nearer than 10 s with a chance of 1 - (5 / 6) ** 2 = 0.306.
    edges, _ = edges_and_bursts(burst(6_000, seed=5), **OPTIONS)
    assert edges["fast_share"].mean() == pytest.approx(1 - (5 / 6) ** 2, abs=0.02)
    assert edges["mean_delta_s"].mean() == pytest.approx(20, abs=0.5)


def test_edges_outside_of_a_burst_are_as_without_it():
    quiet = ordinary()
    alone, none = edges_and_bursts(quiet, **OPTIONS)
    both, bursts = edges_and_bursts(pl.concat([burst(3_000), quiet]), **OPTIONS)
    assert alone.height > 500
    assert none.is_empty()
    assert bursts.height == 2
    assert_frame_equal(both.filter(~pl.col("source").str.starts_with("a")), alone, check_exact=True)


def test_who_meets_outside_of_bursts_too_is_found_as_ever():
    # All ordinary accounts take part in a story that fifteen hundred others share within the minute, too.
    quiet = ordinary()
    once = quiet.unique("account_id", keep="first", maintain_order=True)
    readers = once.with_columns(
        content_id=pl.format("story-{}", "account_id"),
        object_id=pl.lit("a-0"),
        timestamp=pl.lit(30_000).cast(pl.Datetime("ms", "UTC")),
    )
    story = pl.concat([burst(1_500, objects=1), readers])
    strangers = burst(1_500, objects=1, name="b", day=50).with_columns(
        pl.col("account_id").str.replace("b", "a")
    )
    log = pl.concat([quiet, story, strangers])
    sampled, bursts = edges_and_bursts(log, **OPTIONS)
    whole, _ = edges_and_bursts(log, **OPTIONS | {"burst_cap": 0})
    assert bursts["object_id"].to_list() == ["a-0", "b-0"]
    of_quiet = pl.col("source").str.starts_with("s") & pl.col("target").str.starts_with("s")
    assert_frame_equal(sampled.filter(of_quiet), whole.filter(of_quiet), check_exact=True)
    assert sampled.height < whole.height / 10
    # And what is found is exact, wherever it was found.
    same = whole.join(sampled, on=["source", "target"], how="semi", maintain_order="left")
    assert_frame_equal(sampled, same, check_exact=True)


def test_strangers_who_shared_nothing_else_make_no_burst():
    # Five thousand accounts at one story that make no edge whatever happens: those who could are looked at one by one.
    log = pl.concat([burst(900), burst(5_000, objects=1, name="z").with_columns(object_id=pl.lit("a-0"))])
    edges, bursts = edges_and_bursts(log, **OPTIONS)
    assert edges.height == 900 * 899 // 2
    assert bursts.is_empty()


def test_a_burst_lasts_as_long_as_it_is_crowded():
    # Two crowds at one object, an hour apart, with a trickle between.
    crowd = burst(1_500, objects=1)
    later = crowd.with_columns(
        pl.format("{}-later", "content_id").alias("content_id"), pl.col("timestamp") + pl.duration(hours=1)
    )
    trickle = crowd.head(20).with_columns(
        pl.format("{}-between", "content_id").alias("content_id"),
        timestamp=pl.Series(range(600_000, 1_200_000, 30_000)).cast(pl.Datetime("ms", "UTC")),
    )
    log = incidence(pl.concat([crowd, trickle, later]))
    table = crowd_of(log, window_ms=60_000, burst_cap=WindowOptions.burst_cap).table(
        log, "object", window_ms=60_000
    )
    assert (
        table.select("n_accounts", "n_shares", "n_pairs").rows() == [(1_500, 1_500, 1_500 * 1_499 // 2)] * 2
    )


def test_the_warning_tells_what_is_left_out(caplog):
    with caplog.at_level(logging.WARNING):
        cosharing_edges(burst(1_500))
    assert (
        "2 bursts of more than 1,000 accounts at one object within 60 s (the largest: 1,500)" in caplog.text
    )
    assert "of 2,248,500 pairs of posts there" in caplog.text
    caplog.clear()
    cosharing_edges(burst(900))
    assert caplog.text == ""


def test_a_negative_cap_is_refused():
    with pytest.raises(UsageError, match="burst_cap"):
        cosharing_edges(burst(3), burst_cap=-1)
