from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from reference import cosharing as reference

from propgraph.arrays.encoding import encode
from propgraph.cosharing import window as window_module
from propgraph.cosharing.window import cosharing_edges
from propgraph.errors import InputError, UsageError
from propgraph.schema import EDGES

DATA = Path(__file__).parents[2] / "shared" / "data"
NAMES = ("content_id", "account_id", "object_id", "timestamp")
WINDOWS = (0, 1, 5_000, 10_000, 60_000)

# Few of everything, so that ties, repeats and bounds of the window come about by themselves. Posts may be
# called like objects, and one post may stand in rows of several objects, accounts and times.
rows = st.tuples(
    st.sampled_from(["p1", "p2", "p3", "p4", "p5", "o1", "o2"]),
    st.sampled_from(["a", "b", "c", "d", "e"]),
    st.sampled_from(["o1", "o2", "o3", "o4", "o5"]),
    st.sampled_from([0, 1, 4_999, 5_000, 5_001, 10_000, 10_001, 15_001, 60_000, 70_000]),
)
logs = st.lists(rows, max_size=40)
options = st.fixed_dictionaries(
    {
        "min_participation": st.integers(1, 3),
        "min_edge_weight": st.integers(1, 4),
        "edge_weight": st.sampled_from(["objects", "events"]),
        "edge_quantile": st.sampled_from([0.0, 0.0, 0.1, 0.25, 0.5, 0.8, 0.99]),
    }
)


def frame(log, trace=None):
    columns = list(zip(*log, strict=True)) if log else [[]] * 4
    shares = pl.DataFrame(
        dict(zip(NAMES[:3], map(list, columns[:3]), strict=True)), schema=dict.fromkeys(NAMES[:3], pl.String)
    )
    times = pl.Series("timestamp", list(columns[3]), dtype=pl.Int64).cast(pl.Datetime("ms", "UTC"))
    shares = shares.with_columns(times)
    return shares if trace is None else shares.with_columns(trace=pl.lit(trace, pl.String))


def with_own_posts(log):
    """Number the posts: then each row is a post of its own."""
    return [(f"p{number:03}", *row[1:]) for number, row in enumerate(log)]


def random_log(seed, *, n=400, accounts=12, objects=10, span_s=300):
    """Enough rows for edges of every weight, with repeated posts and times."""
    rng = np.random.default_rng(seed)
    posts = rng.integers(0, n, n)
    log = [
        (f"p{post}", f"a{rng.integers(accounts)}", f"o{int(rng.integers(objects) * rng.random())}", int(time))
        for post, time in zip(posts, rng.integers(0, span_s, n) * 1000, strict=True)
    ]
    return log if seed % 2 else with_own_posts(log)


def assert_equals_twin(edges, log, *, window_ms, trace="object", **choices):
    slow = reference.cosharing_edges(log, window_ms=window_ms, **choices)
    assert dict(edges.schema) == EDGES.dtypes
    assert set(edges["trace"]) <= {trace}
    exact = ["source", "target", "n_events", "n_objects", "weight"]
    assert edges.select(exact).rows() == [tuple(edge[name] for name in exact) for edge in slow]
    for name, found in (("first_ms", edges["first_time"]), ("last_ms", edges["last_time"])):
        assert found.dt.timestamp("ms").to_list() == [edge[name] for edge in slow]
    for name in ("mean_delta_s", "fast_share"):
        assert edges[name].to_list() == pytest.approx([edge[name] for edge in slow], rel=1e-12)


@settings(deadline=None, max_examples=250)
@given(logs, st.sampled_from(WINDOWS), options)
@example([], 60_000, {})
@example([("p1", "a", "o1", 0)], 60_000, {"min_participation": 1, "min_edge_weight": 1})
@example([("o1", "a", "o1", 0)], 60_000, {"min_participation": 1, "min_edge_weight": 1})
def test_edges_equal_the_slow_twin_over_repeated_posts(log, window_ms, choices):
    edges = cosharing_edges(frame(log), time_window=window_ms / 1000, threads=1, **choices)
    assert_equals_twin(edges, log, window_ms=window_ms, **choices)


@settings(deadline=None, max_examples=250)
@given(logs, st.sampled_from(WINDOWS), options)
def test_edges_equal_the_slow_twin_over_posts_of_one_object(log, window_ms, choices):
    log = with_own_posts(log)
    edges = cosharing_edges(frame(log), time_window=window_ms / 1000, threads=1, **choices)
    assert_equals_twin(edges, log, window_ms=window_ms, **choices)


# Posts of one object each, some of which are themselves the objects of others.
reshares = st.lists(
    st.tuples(
        st.sampled_from("abcd"), st.sampled_from(["p000", "p001", "p002", "o"]), st.sampled_from([0, 5_000])
    ),
    max_size=24,
)


@settings(deadline=None, max_examples=150)
@given(reshares, options)
def test_an_original_among_its_reshares_pairs_with_nobody(log, choices):
    log = with_own_posts([("", *row) for row in log])
    edges = cosharing_edges(frame(log), time_window=5, threads=1, **choices)
    assert_equals_twin(edges, log, window_ms=5_000, **choices)


def test_an_original_counts_towards_participation():
    # CooRTweet drops the pairs of such rows, not the rows: "a" has two rows, both of a post in some pair.
    log = [("c1", "a", "c1", 0), ("c1", "a", "o", 0), ("c2", "b", "o", 5_000), ("c3", "b", "q", 5_000)]
    assert len(reference.cosharing_edges(log, window_ms=60_000, min_edge_weight=1)) == 1
    assert_equals_twin(
        cosharing_edges(frame(log), min_edge_weight=1), log, window_ms=60_000, min_edge_weight=1
    )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("min_edge_weight", [1, 2, 3, 4])
@pytest.mark.parametrize("edge_weight", ["objects", "events"])
def test_larger_logs_equal_the_slow_twin(seed, min_edge_weight, edge_weight):
    log = random_log(seed)
    choices = {
        "min_edge_weight": min_edge_weight,
        "edge_weight": edge_weight,
        "min_participation": 1 + seed % 3,
        "edge_quantile": (0.0, 0.1, 0.25, 0.4)[(seed + min_edge_weight) % 4],
    }
    edges = cosharing_edges(frame(log), time_window=10, **choices)
    assert_equals_twin(edges, log, window_ms=10_000, **choices)
    # The log is rich enough for the cuts to bite: some edges stay, some go.
    everything = reference.cosharing_edges(log, window_ms=10_000, min_participation=1, min_edge_weight=1)
    assert 0 < edges.height < len(everything) or choices["edge_quantile"] == 0


@settings(deadline=None, max_examples=60)
@given(logs, st.randoms(use_true_random=False), options)
def test_neither_threads_nor_the_order_of_rows_matter(log, random, choices):
    shuffled = random.sample(log, len(log))
    one = cosharing_edges(frame(log), threads=1, **choices)
    assert_frame_equal(one, cosharing_edges(frame(shuffled), threads=2, **choices), check_exact=True)


@pytest.mark.parametrize("seed", [0, 1])
def test_larger_logs_depend_on_neither_threads_nor_order(seed):
    shares = frame(random_log(seed, n=4000, accounts=300, objects=60))
    one = cosharing_edges(shares, threads=1)
    two = cosharing_edges(shares.sample(fraction=1, shuffle=True, seed=seed), threads=2)
    assert one.height > 300
    assert_frame_equal(one, two, check_exact=True)


@settings(deadline=None, max_examples=60)
@given(logs, logs, options)
def test_traces_in_one_frame_do_not_meet(log, other, choices):
    other = with_own_posts(other)
    both = pl.concat([frame(log, "url"), frame(other, "hashtag")])
    edges = cosharing_edges(both, time_window=10, **choices)
    assert edges.equals(edges.sort("trace", "source", "target"))
    for trace, part in (("url", log), ("hashtag", other)):
        found = edges.filter(pl.col("trace") == trace)
        assert_equals_twin(found, part, window_ms=10_000, trace=trace, **choices)


@settings(deadline=None, max_examples=40)
@given(logs, options)
def test_encoded_ids_give_the_same_edges(log, choices):
    shares = frame(log)
    coded = shares.with_columns(encode(shares["account_id"]), encode(shares["object_id"]))
    assert_frame_equal(
        cosharing_edges(shares, **choices), cosharing_edges(coded, **choices), check_exact=True
    )


@pytest.mark.parametrize(("last_ms", "n_edges"), [(60_000, 1), (60_001, 0)])
def test_the_bound_belongs_to_the_window(last_ms, n_edges):
    log = [("p1", "a", "o", 0), ("p2", "b", "o", last_ms)]
    assert cosharing_edges(frame(log), min_participation=1, min_edge_weight=1).height == n_edges


def test_counts_of_a_small_log_by_hand():
    log = [
        ("p1", "a", "o", 0), ("p2", "a", "o", 20_000), ("p3", "b", "o", 10_000), ("p4", "b", "o", 30_000),
        ("p5", "a", "q", 100_000), ("p6", "b", "q", 100_000), ("p7", "c", "q", 190_000),
    ]  # fmt: skip
    edge = cosharing_edges(frame(log), time_window=10).row(0, named=True)
    assert (edge["source"], edge["target"], edge["n_events"], edge["n_objects"]) == ("a", "b", 4, 2)
    assert (edge["weight"], edge["mean_delta_s"], edge["fast_share"]) == (2, 7.5, 1.0)
    assert edge["first_time"] == datetime(1970, 1, 1, tzinfo=UTC)
    assert edge["last_time"] == datetime(1970, 1, 1, 0, 1, 40, tzinfo=UTC)
    assert edge["n_shared"] == 2


def test_default_options_are_the_documented_ones():
    log = random_log(3)
    named = cosharing_edges(
        frame(log),
        time_window=60,
        min_participation=2,
        min_edge_weight=2,
        edge_weight="objects",
        edge_quantile=0,
    )
    assert_frame_equal(cosharing_edges(frame(log)), named, check_exact=True)
    assert_equals_twin(named, log, window_ms=60_000)


@pytest.mark.parametrize("q", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("edge_weight", ["objects", "events"])
def test_quantile_over_weights_beyond_the_histogram(monkeypatch, q, edge_weight):
    # Weights from 3 up are listed instead of counted: the cut falls now on one side, now on the other.
    monkeypatch.setattr(window_module, "_HISTOGRAM", 3)
    log = random_log(1)
    choices = {"edge_weight": edge_weight, "edge_quantile": q, "min_edge_weight": 1}
    edges = cosharing_edges(frame(log), time_window=10, **choices)
    assert_equals_twin(edges, log, window_ms=10_000, **choices)


def test_progress_ends_at_one():
    told = []
    cosharing_edges(frame(random_log(0)), progress=lambda label, done: told.append((label, done)))
    assert {label for label, _ in told} == {"co-shares (object)"}
    assert told[-1][1] == 1
    assert [done for _, done in told] == sorted(done for _, done in told)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"time_window": -1}, "time_window"),
        ({"time_window": float("nan")}, "time_window"),
        ({"min_participation": 0}, "min_participation"),
        ({"min_edge_weight": 0}, "min_edge_weight"),
        ({"edge_quantile": 1}, "edge_quantile"),
        ({"edge_quantile": -0.1}, "edge_quantile"),
        ({"edge_weight": "event"}, "did you mean 'events'"),
    ],
)
def test_options_out_of_range_are_refused(choices, message):
    with pytest.raises(UsageError, match=message):
        cosharing_edges(frame([("p", "a", "o", 0)]), **choices)


@pytest.mark.parametrize("choices", [{"time_window": float("inf")}, {"time_window": 1e17}, {"threads": -1}])
def test_absurd_options_are_refused_too(choices):
    with pytest.raises(UsageError):
        cosharing_edges(frame(random_log(0, n=20)), **choices)


def test_frames_that_are_no_shares_are_refused():
    shares = frame([("p", "a", "o", 0)])
    with pytest.raises(InputError, match=r"object_id.*found content_id"):
        cosharing_edges(shares.drop("object_id"))
    with pytest.raises(InputError, match=r"nulls.*account_id"):
        cosharing_edges(shares.with_columns(account_id=pl.lit(None, pl.String)))
    with pytest.raises(InputError, match="not a Datetime"):
        cosharing_edges(shares.with_columns(timestamp=pl.lit(5)))


# --- against published results -------------------------------------------------------------------------


def published(name):
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{name}: the research data is not beside this checkout")
    return pl.read_parquet(path)


def german(log):
    return published(f"{log}.parquet").with_columns(
        timestamp=pl.from_epoch("timestamp_share", time_unit="s").cast(pl.Datetime("ms", "UTC"))
    )


@pytest.mark.parametrize("log", ["german_urls", "german_domains", "german_hashtags", "german_images"])
def test_edges_of_the_german_logs_equal_the_published_ones(log):
    shares = german(log)
    edges = cosharing_edges(shares, time_window=60, min_participation=1, min_edge_weight=1)
    oracle = published(f"oracle/{log}.w60.p1.edges.parquet").sort("source", "target")
    exact = ["source", "target", "n_events", "n_objects"]
    assert_frame_equal(edges.select(exact), oracle.select(exact), check_exact=True, check_dtypes=False)
    np.testing.assert_allclose(edges["mean_delta_s"], oracle["mean_delta_s"], rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    "name",
    [
        "german_domains.w30.p2.q25", "german_domains.w60.p2", "german_hashtags.w30.p2",
        "german_urls.w30.p2.q25", "german_urls.w60.p2",
    ],
)  # fmt: skip
def test_edges_of_the_german_logs_equal_coortweets(name):
    log, window, participation, quantile = re.fullmatch(r"(\w+)\.w(\d+)\.p(\d+)(?:\.q(\d+))?", name).groups()
    oracle = published(f"oracle/{name}.edges.coortweet.parquet").select(
        source=pl.min_horizontal("from", "to"),
        target=pl.max_horizontal("from", "to"),
        weight=pl.col("weight").cast(pl.UInt64),
        mean_delta_s="avg_time_delta",
    )
    edges = cosharing_edges(
        german(log), time_window=int(window), min_participation=int(participation), min_edge_weight=1,
        edge_weight="events", edge_quantile=int(quantile or 0) / 100,
    )  # fmt: skip
    assert_frame_equal(
        edges.select("source", "target", "weight", "mean_delta_s"),
        oracle.sort("source", "target"),
        rel_tol=0,
        abs_tol=1e-9,
    )


# --- size ----------------------------------------------------------------------------------------------


def test_a_viral_object_of_few_accounts_counts_every_pair():
    # A share every 432 ms for a day by 1,000 accounts in turn: each reaches the next 138 within 60 s.
    n, accounts, near = 200_000, 1_000, 60_000 // 432
    shares = pl.select(k=pl.int_range(n)).select(
        content_id=pl.format("p{}", "k"),
        account_id=pl.format("a{}", (pl.col("k") % accounts).cast(pl.String).str.zfill(3)),
        object_id=pl.lit("o"),
        timestamp=(pl.col("k") * 432).cast(pl.Datetime("ms", "UTC")),
    )
    edges = cosharing_edges(shares, min_edge_weight=1)
    assert edges.height == accounts * near
    assert edges["n_events"].sum() == n * near - near * (near + 1) // 2
    assert set(edges["n_objects"]) == {1}
    neighbours = edges.row(0, named=True)
    assert (neighbours["source"], neighbours["target"], neighbours["n_events"]) == ("a000", "a001", 200)
    assert neighbours["mean_delta_s"] == pytest.approx(0.432, rel=1e-12)


def test_a_viral_object_of_many_accounts_makes_no_edge():
    n = 200_000
    shares = pl.select(k=pl.int_range(n)).select(
        content_id=pl.format("p{}", "k"),
        account_id=pl.format("a{}", "k"),
        object_id=pl.lit("o"),
        timestamp=(pl.col("k") * 432).cast(pl.Datetime("ms", "UTC")),
    )
    assert cosharing_edges(shares, min_participation=1).height == 0
    pair = pl.DataFrame(
        {
            "content_id": ["q1", "q2"],
            "account_id": ["a100", "a101"],
            "object_id": ["other", "other"],
            "timestamp": pl.Series([0, 0]).cast(pl.Datetime("ms", "UTC")),
        }
    )
    edges = cosharing_edges(pl.concat([shares, pair]), min_participation=1)
    assert edges.select("source", "target", "n_objects", "n_events").rows() == [("a100", "a101", 2, 2)]


def test_everybody_at_once_is_all_pairs():
    n = 1_000  # no burst yet
    edges = cosharing_edges(
        frame([(f"p{k}", f"a{k:04}", "o", 0) for k in range(n)]), min_participation=1, min_edge_weight=1
    )
    assert edges.height == n * (n - 1) // 2
    assert set(edges["n_events"]) == {1}
    assert edges.select(pl.struct("source", "target").n_unique()).item() == edges.height


def test_one_account_repeating_one_object_within_the_window():
    n, others = 100_000, 20
    log = [(f"p{k}", "bot", "o", k * 60_000 // n) for k in range(n)]
    log += [(f"q{k}", f"b{k:02}", "o", 30_000) for k in range(others)]
    edges = cosharing_edges(frame(log), min_participation=1, min_edge_weight=1)
    with_bot = edges.filter(pl.col("target") == "bot")
    assert with_bot["source"].to_list() == [f"b{k:02}" for k in range(others)]
    assert set(with_bot["n_events"]) == {n}
    assert set(with_bot["n_objects"]) == {1}
    assert edges.height - with_bot.height == others * (others - 1) // 2
    assert set(edges.filter(pl.col("target") != "bot")["n_events"]) == {1}


def test_one_account_over_very_many_objects():
    n = 100_000
    log = [(f"p{k}", "bot", f"o{k}", k * 1000) for k in range(n)]
    log += [(f"q{k}", "man", f"o{k}", k * 1000 + 1000) for k in range(0, n, 2)]
    edge = cosharing_edges(frame(log)).row(0, named=True)
    assert (edge["source"], edge["target"]) == ("bot", "man")
    assert (edge["n_objects"], edge["n_events"], edge["n_shared"]) == (n // 2,) * 3
    assert (edge["mean_delta_s"], edge["fast_share"]) == (1.0, 1.0)
