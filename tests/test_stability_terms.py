"""Pairs tested again from what was looked up once, against the same pairs of shares from which objects are gone."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from propgraph.arrays.encoding import codes_in
from propgraph.arrays.incidence import incidence
from propgraph.stability.terms import retest, terms_of
from propgraph.synchrony.gaps import gaps_of
from propgraph.synchrony.pairs import near_pairs, pairs_at
from propgraph.synchrony.prepared import prepare_shares

N_ACCOUNTS, N_OBJECTS = 14, 9


@st.composite
def logs(draw, *, posts_of_several=False):
    """A log in which objects are large enough for posts to be near, with ties and sessions; and the objects drawn."""
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    rows = []
    for o in range(N_OBJECTS):
        who = random.choice(N_ACCOUNTS, N_ACCOUNTS, replace=not posts_of_several)
        times = random.integers(0, draw(st.sampled_from([8, 1000, 10_000])), N_ACCOUNTS)
        times += o * draw(st.sampled_from([0, 1800, 7200]))
        rows += [(f"a{a:02d}", f"o{o}", int(t)) for a, t in zip(who, times, strict=True)]
    shares = pl.DataFrame(rows, schema=["account_id", "object_id", "t"], orient="row").with_columns(
        timestamp=pl.from_epoch("t", time_unit="s").cast(pl.Datetime("ms", "UTC"))
    )
    if posts_of_several:  # each account's objects go by twos or threes into one post
        post = pl.col("object_id").str.slice(1).cast(pl.Int64) // draw(st.integers(2, 3))
        # Some posts have two authors: that both posted them is no meeting.
        who = pl.col("account_id").str.slice(1).cast(pl.Int64) // draw(st.integers(1, 2))
        shares = shares.with_columns(content_id=pl.format("{}-{}", who, post))
    else:
        shares = shares.with_row_index("n").with_columns(content_id=pl.format("p{}", "n"))
    kept = draw(st.lists(st.booleans(), min_size=N_OBJECTS, max_size=N_OBJECTS))
    return shares, np.array(kept)


def pairs_of(log):
    low, high = np.triu_indices(len(log.accounts), 1)
    return low.astype(np.int64), high.astype(np.int64)


def check(shares, kept, tau, threads=2):
    log = incidence(shares)
    source, target = pairs_of(log)
    terms = terms_of(prepare_shares(log, tau=0.2), source, target, threads=threads)
    everything = np.full(len(log.objects), 1 << 30)
    again = retest(terms, kept, everything, tau=tau, threads=threads)
    left = shares.filter(pl.col("object_id").is_in(log.objects.filter(pl.Series(kept)).implode()))
    log_p = np.zeros(source.size)
    n_tested = np.zeros(source.size, np.int64)
    if left.height:
        fresh = incidence(left)
        names = [log.accounts.gather(pl.Series(codes)) for codes in (source, target)]
        one, other = (codes_in(name, fresh.accounts) for name in names)
        there = (one >= 0) & (other >= 0)
        plain = pairs_at(prepare_shares(fresh, tau=tau), one[there], other[there], threads=1)
        # The pairs ask in sorted order of their labels, which is that in which `pairs_at` answers.
        log_p[there], n_tested[there] = plain.log_p, plain.n_tested
    assert again.n_tested.tolist() == n_tested.tolist()
    assert again.log_p.tolist() == log_p.tolist()
    return log_p


@given(logs(), st.sampled_from([0.2, 0.15]))
def test_as_if_the_other_objects_had_never_been(made, tau):
    check(*made, tau)


@given(logs(posts_of_several=True))
def test_also_where_posts_share_several_objects(made):
    check(*made, 0.2)


def test_these_logs_have_something_to_tell():
    random = np.random.default_rng(0)
    rows = [
        (f"a{a:02d}", f"o{o}", o * 3600 + (int(random.integers(0, 100)) * 10 if a > 1 else 401 + a))
        for o in range(9)
        for a in range(60)
    ]
    shares = pl.DataFrame(rows, schema=["account_id", "object_id", "t"], orient="row").with_columns(
        timestamp=pl.from_epoch("t", time_unit="s").cast(pl.Datetime("ms", "UTC")),
        content_id=pl.format("{}{}", "account_id", "object_id"),
    )
    log_p = check(shares, np.arange(9) < 5, 0.2)
    assert log_p[0] < -5  # a00 and a01, next to each other in each of five objects
    assert log_p[0] == log_p.min()


@given(logs(), st.sampled_from([1, 2, 50]))
def test_who_would_be_a_candidate(made, neighbours):
    shares, _ = made
    log = incidence(shares)
    source, target = pairs_of(log)
    terms = terms_of(prepare_shares(log), source, target, threads=2)
    limit = gaps_of(log, tau=0.2, neighbours=neighbours).limit
    again = retest(terms, np.ones(N_OBJECTS, np.bool_), limit, tau=0.2, threads=2)
    found, _ = near_pairs(prepare_shares(log, neighbours=neighbours), max_p=1.0, threads=1)
    assert {(s, t) for s, t, n in zip(source, target, again.n_met, strict=True) if n >= 2} == set(
        zip(found.source, found.target, strict=True)
    )


def test_no_pairs():
    shares = pl.DataFrame(
        {"account_id": ["a"], "object_id": ["o"], "content_id": ["p"], "timestamp": [0]},
        schema_overrides={"timestamp": pl.Datetime("ms", "UTC")},
    )
    prepared = prepare_shares(incidence(shares))
    none = np.empty(0, np.int64)
    terms = terms_of(prepared, none, none, threads=2)
    again = retest(terms, np.ones(1, np.bool_), np.ones(1, np.int64), tau=0.2, threads=2)
    assert again.log_p.size == again.n_tested.size == 0


@pytest.mark.parametrize("threads", [1, 3])
def test_any_number_of_threads(threads):
    random = np.random.default_rng(5)
    n = 400
    shares = pl.DataFrame(
        {
            "account_id": [f"a{k}" for k in random.integers(0, 20, n)],
            "object_id": [f"o{k}" for k in random.integers(0, 12, n)],
            "content_id": [f"p{k}" for k in range(n)],
            "timestamp": random.integers(0, 10**6, n),
        }
    ).with_columns(pl.col("timestamp").cast(pl.Datetime("ms", "UTC")))
    check(shares, random.random(12) < 0.6, 0.2, threads=threads)


def test_posts_are_kept_only_where_two_are_near():
    # Two accounts alone post an object turn about: 59 pairs of posts at the least gap, which say nothing.
    rows = [(f"a{k % 2}", "o0", 60 * k) for k in range(60)]
    rows += [(f"a{k % 2 if k < 2 else k}", "o1", 7200 + k) for k in range(40)]
    shares = pl.DataFrame(rows, schema=["account_id", "object_id", "t"], orient="row").with_columns(
        timestamp=pl.from_epoch("t", time_unit="s").cast(pl.Datetime("ms", "UTC")),
        content_id=pl.format("{}-{}", "account_id", pl.col("t") // 7200),
    )
    prepared = prepare_shares(incidence(shares))
    terms = terms_of(prepared, np.array([0]), np.array([1]), threads=1)
    assert [bool(value <= prepared.tau) for value in terms.value] == [False, True]
    assert np.diff(terms.first_post).tolist() == [0, 2]
