from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from propgraph.arrays.incidence import incidence
from propgraph.schema import TIME
from propgraph.sites import shared as room
from propgraph.sites.first_sharers import at_least, first_sharers
from propgraph.sites.pairs import sites_of_log
from propgraph.sites.shared import _candidates, shared_first
from tests.reference import sites as slow

START = datetime(2020, 1, 1, tzinfo=UTC)


def log_of(rows):
    frame = pl.DataFrame(rows, schema=["site", "object_id", "account_id", "s"], orient="row").unique(
        maintain_order=True
    )
    frame = frame.with_columns(
        content_id=pl.format("p{}", pl.int_range(pl.len())),
        timestamp=pl.lit(START).cast(TIME) + pl.duration(seconds="s"),
    )
    log = incidence(frame)
    of = dict(frame.select("object_id", "site").iter_rows())
    names = sorted(set(of.values()))
    return log, np.array([names.index(of[url]) for url in log.objects], np.int64), names


def firsts(rows, most=10):
    """Return what the slow way does, as the fast way has it."""
    log, site, names = log_of(rows)
    found = first_sharers(log, site, n_sites=len(names), most=most)
    held, accounts = found.sharers, log.accounts.to_list()

    def keys(held):
        of = np.repeat(np.arange(len(names)), held.degree)
        return [(names[s], accounts[a]) for s, a in zip(of, held.object, strict=True)]

    n_first = dict(zip(keys(held), held.posts.tolist(), strict=True))
    return n_first, set(keys(found.first)), dict(zip(keys(held), found.chance.tolist(), strict=True))


URLS = st.tuples(st.sampled_from("xyz"), st.integers(0, 3)).map(
    lambda pair: (pair[0], f"{pair[0]}/{pair[1]}")
)
ROWS = st.lists(
    st.tuples(URLS, st.sampled_from("abcdefghij"), st.integers(0, 6)).map(
        lambda row: (*row[0], row[1], row[2])
    ),
    min_size=1,
    max_size=80,
)


@given(ROWS, st.integers(1, 4))
def test_first_sharers_are_those_of_the_slow_way(rows, most):
    found, expected = firsts(rows, most), slow.first_sharers(rows, most)
    assert found[:2] == expected[:2]
    assert found[2] == pytest.approx(expected[2])


@given(st.lists(st.floats(0.01, 1.0), min_size=1, max_size=8), st.data())
def test_at_least_so_many_events(chances, data):
    least = data.draw(st.integers(1, len(chances)))
    assert at_least(np.array(chances), least) == pytest.approx(slow.at_least(chances, least))


def test_at_least_so_many_of_many_events_is_bounded():
    # Of 200 events at 5 % each 20 or more: the binomial's tail is exact there; below the mean plus one it is 1.
    assert at_least(np.full(200, 0.05), 20) == pytest.approx(slow.tail_of_binomial(20, 200, 0.05))
    assert at_least(np.full(200, 0.05), 10) == 1.0
    # Of unequal chances of the same mean the tail is smaller: 100 at 2 %, 100 at 8 %.
    rng = np.random.default_rng(0)
    drawn = rng.binomial(100, 0.02, 400_000) + rng.binomial(100, 0.08, 400_000)
    mixed = at_least(np.repeat([0.02, 0.08], 100), 20)
    assert (drawn >= 20).mean() < mixed == pytest.approx(slow.tail_of_binomial(20, 200, 0.05))


def test_the_first_are_at_most_half_and_those_at_the_same_time():
    # Five accounts: half of five, rounded up, is three; d shares at the same second as c, so that four are first.
    rows = [("x", "x/1", who, s) for who, s in [("a", 0), ("b", 1), ("c", 2), ("d", 2), ("e", 3)]]
    n_first, mostly, chance = firsts(rows)
    assert mostly == {("x", who) for who in "abcd"}
    assert n_first == {("x", "a"): 1, ("x", "b"): 1, ("x", "c"): 1, ("x", "d"): 1, ("x", "e"): 0}
    assert list(chance.values()) == pytest.approx([0.8] * 5)


def test_the_chance_is_that_of_half_of_the_urls_or_more():
    # At a URL of four accounts two are first, of two accounts one. Of two URLs one is half: b misses both with a chance
    # of a quarter. Of three (b at four, two and four accounts) it needs two: all three 1/8, just two of them 3/8.
    rows = [("x", "x/1", who, k) for k, who in enumerate("abcd")]
    rows += [("x", "x/2", who, k) for k, who in enumerate("eb")]
    n_first, mostly, chance = firsts(rows)
    assert n_first["x", "b"] == 1
    assert ("x", "b") in mostly
    assert chance["x", "b"] == pytest.approx(0.75)
    assert chance["x", "a"] == pytest.approx(0.5)
    n_first, mostly, chance = firsts(rows + [("x", "x/3", who, k) for k, who in enumerate("acdb")])
    assert n_first["x", "b"] == 1
    assert ("x", "b") not in mostly
    assert chance["x", "b"] == pytest.approx(0.5)


@given(ROWS)
def test_candidates_are_the_pairs_of_the_slow_way(rows):
    log, site, names = log_of(rows)
    held = first_sharers(log, site, n_sites=len(names)).first
    of = np.repeat(np.arange(len(names), dtype=np.int64), held.degree)
    order = np.lexsort((of, held.object))
    start = np.searchsorted(held.object[order], np.arange(held.n_objects + 1)).astype(np.int64)
    source, target, n = _candidates(held.first, held.object, start, of[order], held.degree >= 2)
    found = {(names[s], names[t]): k for s, t, k in zip(source, target, n.tolist(), strict=True)}
    assert found == slow.pairs_with(rows, 2, room.MIN_SHARED)


def crew(sites, crew, readers, *, seed, n_urls=6):
    """Shares of the URLs of sites by part of a crew first, then by some of the readers."""
    rng = np.random.default_rng(seed)
    rows = []
    for site in sites:
        for url in range(n_urls):
            ahead = rng.choice(crew, 8, replace=False)
            behind = rng.choice(readers, 60, replace=False)
            rows += [(site, f"{site}/{url}", who, k) for k, who in enumerate([*ahead, *behind])]
    return rows


def readers_only(sites, readers, *, seed, n_urls=6, n=68):
    """Shares of the URLs of sites by some of the same readers, in any order."""
    rng = np.random.default_rng(seed)
    return [
        (site, f"{site}/{url}", who, k)
        for site in sites
        for url in range(n_urls)
        for k, who in enumerate(rng.choice(readers, n, replace=False))
    ]


CREW = [f"c{k:02d}" for k in range(20)]
PARTISANS = [f"r{k:03d}" for k in range(300)]
OTHERS = [f"o{k:03d}" for k in range(400)]
PRESS = [f"press{k:02d}.org" for k in range(30)]
BLOC = [f"bloc{k}.com" for k in range(6)]
FARMS = [f"farm{k}.com" for k in range(6)]


def pairs_of(rows):
    log, site, names = log_of(rows)
    found = shared_first(first_sharers(log, site, n_sites=len(names)), threads=1)
    sure = found.q_value <= 0.05
    return {(names[a], names[b]) for a, b in zip(found.source[sure], found.target[sure], strict=True)}, found


def test_a_crew_that_comes_first_ties_its_sites_and_readers_of_the_same_sites_do_not():
    rows = readers_only(PRESS, OTHERS, seed=1) + readers_only(BLOC, PARTISANS, seed=2)
    assert pairs_of(rows)[0] == set()
    tied, found = pairs_of(rows + crew(FARMS, CREW, PARTISANS, seed=3))
    assert tied == {(a, b) for a in FARMS for b in FARMS if a < b}
    assert found.n_tests == 42 * 41 // 2  # of 42 sites, all of five first sharers or more


def test_the_null_of_activity_alone_would_tie_the_partisans_sites():
    # What the second test is there for: without it, the sites of one bloc look run by one hand.
    rows = readers_only(PRESS, OTHERS, seed=1) + readers_only(BLOC, PARTISANS, seed=2)
    _, found = pairs_of(rows)
    both_nulls = found.p_value.min()
    beyond = found.n_first / found.expected
    assert found.source.size >= 10
    assert beyond.max() > 2
    assert both_nulls > 0.001


def test_the_second_p_value_is_the_slow_ways():
    rows = readers_only(PRESS, OTHERS, seed=1) + crew(FARMS, CREW, PARTISANS, seed=3)
    log, site, names = log_of(rows)
    found = shared_first(first_sharers(log, site, n_sites=len(names)), threads=2)
    for k in range(found.source.size):
        one, other = names[found.source[k]], names[found.target[k]]
        n, n_both, mean = slow.by_order(rows, one, other)
        assert (n, n_both) == (found.n_first[k], found.n_both[k])
        assert found.expected_order[k] == pytest.approx(mean)
        least = slow.tail_of_binomial(n, n_both, mean / n_both)
        assert found.p_value[k] >= least * (1 - 1e-9)


def test_where_all_sharers_are_first_nothing_is_told():
    # Ten sharers who share nothing at different times: all are first, and so is everybody.
    rows = [(site, f"{site}/1", who, 0) for site in FARMS for who in CREW]
    rows += readers_only(PRESS, OTHERS, seed=1)
    assert pairs_of(rows)[0] == set()


def test_order_of_rows_and_threads_change_nothing():
    rows = readers_only(PRESS, OTHERS, seed=1) + crew(FARMS, CREW, PARTISANS, seed=3)
    _, one = pairs_of(rows)
    log, site, names = log_of(rows[::-1])
    other = shared_first(first_sharers(log, site, n_sites=len(names)), threads=2)
    assert (one.source == other.source).all()
    assert (one.p_value == other.p_value).all()


def test_platforms_and_shorteners_are_no_sites():
    rows = [
        (site, f"https://{site}/1", who, k)
        for site in ("a.com", "bit.ly", "twitter.com")
        for k, who in enumerate(CREW)
    ]
    log, _, _ = log_of(rows)
    objects = pl.DataFrame(
        {
            "object_id": log.objects,
            "site": ["a.com", "bit.ly", "twitter.com"],
            "is_shortener": [False, True, False],
        }
    )
    found = sites_of_log(log, objects, threads=1)
    assert found.names.to_list() == ["a.com"]
    assert found.totals.row(0) == (
        "a.com", 1, 20, START.replace(tzinfo=UTC), START.replace(second=19, tzinfo=UTC)
    )  # fmt: skip
    # Objects in another order, or some that are not there, are looked up by name.
    assert sites_of_log(log, objects[::-1].head(2), threads=1).names.to_list() == []
