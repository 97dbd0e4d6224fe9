from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import missions as reference

from propgraph.arrays.encoding import distinct_in_groups
from propgraph.arrays.incidence import incidence
from propgraph.missions.counts import Counts, tail_shares
from propgraph.missions.quotas import quota_stops
from propgraph.missions.spikes import chance_of, surest_spike
from propgraph.schema import TIME


def of_sets(sets):
    """The counts, and what gives the accounts, of objects whose accounts are these."""
    counts = np.array([len(one) for one in sets], np.int64)
    return counts, lambda rows: [np.array(sorted(sets[k]), np.int64) for k in rows.tolist()]


def spike_of(sets):
    return surest_spike(*of_sets(sets))


def dealt(rng, counts, n):
    """Objects with so many accounts out of `n`."""
    return [set(rng.permutation(n)[:count].tolist()) for count in counts]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.sampled_from([10, 11, 12, 13, 14, 25, 26, 27, 30]), min_size=1, max_size=25),
    st.integers(0, 1000),
    st.integers(30, 60),
)
def test_the_surest_count_is_that_of_the_plain_twin(counts, seed, n):
    sets = dealt(np.random.default_rng(seed), counts, n)
    found, expected = spike_of(sets), reference.spike(sets)
    if expected is None:
        assert found is None or found.p_value > 0.01
        return
    value, n_at, n_near, chance, p = expected
    if p > 0.009:  # so unsure a count is not looked at closely
        assert found is None or found.p_value > 0.009
        return
    assert (found.value, found.at.size, found.near.size) == (value, n_at, n_near)
    assert found.expected == pytest.approx(chance * n_near)
    assert found.p_value == pytest.approx(p, rel=1e-6)


def test_the_chance_of_one_count_by_hand():
    # Without spread all counts are alike; with much, each of 24 +- 4 is as likely as the others.
    assert chance_of(24, 0.0) == 1.0
    assert chance_of(24, 1e9) == pytest.approx(1 / 9, rel=1e-4)
    # A deviation of 4: P(|Z| < 0.125) / P(|Z| < 1.125), from a table of the normal distribution.
    assert chance_of(24, 16.0) == pytest.approx(0.0995 / 0.7394, rel=2e-3)


def test_a_crew_that_stops_at_a_count_leaves_a_spike():
    rng = np.random.default_rng(1)
    spike = spike_of(dealt(rng, [24] * 40 + [*range(15, 55)], 80))
    assert (spike.value, spike.at.size) == (24, 41)
    # 20 to 28, once each, but 41 times at 24.
    assert spike.near.size == 49
    assert spike.p_value < 1e-20


STEADY = {
    "each_by_himself": lambda rng: rng.random((200, 80)) < 0.3,
    "half_of_them_nearly_always": lambda rng: rng.random((200, 80)) < np.where(np.arange(80) < 30, 0.97, 0.05),
    "all_come": lambda rng: np.ones((200, 20), bool),
    "the_same_come": lambda rng: np.tile(np.arange(80) < 24, (200, 1)),
    "two_crews_in_turn": lambda rng: (np.arange(200) % 2)[:, None] == (np.arange(50) % 2),
    "two_crews_in_turn_of_whom_one_in_ten_is_away": lambda rng: (
        ((np.arange(200) % 2)[:, None] == (np.arange(50) % 2)) & (rng.random((200, 50)) < 0.9)
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", STEADY)
def test_steady_attendance_is_no_quota(kind):
    for seed in range(20):
        there = STEADY[kind](np.random.default_rng([seed, 5]))
        spike = spike_of([set(np.flatnonzero(row).tolist()) for row in there])
        assert spike is None or spike.p_value > 1e-3 or spike.at.size < 2 * spike.expected


def test_counts_are_compared_with_other_counts_that_are_as_frequent():
    # Everybody comes twice: every second count is empty, and one even count is like the other.
    counts = np.repeat(np.arange(20, 31, 2), 30)
    assert surest_spike(counts, of_sets(dealt(np.random.default_rng(0), counts, 100))[1]) is None


def test_below_ten_nothing_is_looked_at():
    assert spike_of(dealt(np.random.default_rng(0), [9] * 50, 100)) is None
    assert spike_of(dealt(np.random.default_rng(0), [10] * 4, 100)) is None
    assert spike_of(dealt(np.random.default_rng(0), [10] * 30, 100)).value == 10


def log_of(sets, *, step_s=60, trace="url"):
    """A log in which each object's accounts post one after the other, and its shares as a frame."""
    rows = [
        (f"a{who:04d}", f"o{k:04d}", f"p{k:04d}.{i}", (k * 10_000 + i * step_s) * 1000)
        for k, one in enumerate(sets)
        for i, who in enumerate(sorted(one))
    ]
    schema = {"account_id": pl.String, "object_id": pl.String, "content_id": pl.String, "timestamp": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.col("timestamp").cast(TIME))


def crew(n):
    return pl.DataFrame(
        {"account_id": [f"a{k:04d}" for k in range(n)], "cluster": [0] * n},
        schema_overrides={"cluster": pl.UInt32},
    )


@pytest.fixture(scope="module")
def sets():
    """A crew of 80 stops at 24 at 30 objects of 70, of which it is everybody at half; others come to the other half."""
    rng = np.random.default_rng(3)
    mine = dealt(rng, [24] * 30 + [*range(10, 50)], 80)
    return [one | set((100 + rng.permutation(400)[: rng.integers(5, 60) if k % 2 else 0]).tolist())
            for k, one in enumerate(mine)]  # fmt: skip


def test_members_are_counted_whoever_else_comes(sets):
    shares = log_of(sets)
    found = quota_stops({"url": incidence(shares)}, crew(80)).row(0, named=True)
    assert (found["cluster"], found["quota_trace"], found["quota_counted"]) == (0, "url", "members")
    assert (found["quota"], found["n_at_quota"]) == (24, 31)
    # 20 to 28 once each, 30 more at 24.
    assert found["n_near_quota"] == 39
    assert found["quota_p"] < 1e-10
    assert len(found["quota_rows"]) == 31
    # What is shown is the post that reached the count: the last of a member at such an object.
    shown = shares[found["quota_rows"]]
    assert shown["account_id"].str.slice(1).cast(pl.Int64).max() < 80
    last = (
        shares.filter(pl.col("account_id") < "a0080")
        .group_by("object_id")
        .agg(pl.col("content_id").sort_by("timestamp").last())
    )
    assert set(shown["content_id"]) <= set(last["content_id"])


def test_a_total_counts_outsiders_where_members_are_a_quarter():
    rng = np.random.default_rng(4)
    mine = [int(n) for n in rng.integers(12, 36, 60)]
    sets = [
        set(rng.permutation(80)[:n].tolist())
        | set((100 + rng.permutation(400)[: 48 - n if k < 40 else 60]).tolist())
        for k, n in enumerate(mine)
    ]
    found = quota_stops({"url": incidence(log_of(sets))}, crew(80)).row(0, named=True)
    assert (found["quota_counted"], found["quota"], found["n_at_quota"]) == ("accounts", 48, 40)
    # To fewer members than a quarter the object does not belong: 10 of 48 are less.
    few = [set(rng.permutation(80)[:10].tolist()) | set(range(100, 138)) for _ in range(60)]
    assert "accounts" not in quota_stops({"url": incidence(log_of(few))}, crew(80))["quota_counted"].to_list()


def test_four_fifths_of_the_members_are_everybody():
    rng = np.random.default_rng(5)
    for n, counted in ((25, True), (24, False)):
        # 20 of 25 are four fifths, of 24 more. Strangers, never as many, hide the total.
        sets = [set(rng.permutation(n)[:20].tolist()) | set(range(100, 100 + k)) for k in range(60)]
        found = quota_stops({"url": incidence(log_of(sets))}, crew(n))
        assert ("members" in found["quota_counted"].to_list()) == counted


def test_the_p_value_reckons_with_all_counts_looked_at(sets):
    alone = quota_stops({"url": incidence(log_of(sets))}, crew(80)).row(0, named=True)
    twice = quota_stops({"url": incidence(log_of(sets)), "more": incidence(log_of(sets))}, crew(80)).row(
        0, named=True
    )
    assert twice["quota_p"] == pytest.approx(2 * alone["quota_p"])


def test_rows_in_any_order_give_the_same(sets):
    shares = log_of(sets)
    shuffled = shares.sample(fraction=1, shuffle=True, seed=2)
    one, other = (quota_stops({"url": incidence(log)}, crew(80)) for log in (shares, shuffled))
    assert one.drop("quota_rows").equals(other.drop("quota_rows"))
    assert (
        shares[one["quota_rows"][0]]["content_id"].to_list()
        == shuffled[other["quota_rows"][0]]["content_id"].to_list()
    )


def test_the_last_tenth_by_hand():
    # Eleven posts: the last tenth begins at the tenth, place 9 of 0 to 10.
    even = np.arange(11) * 10
    late = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 100])
    assert tail_shares([even, late, np.array([5, 5])]).tolist() == pytest.approx(
        [0.1, 0.9, np.nan], nan_ok=True
    )


def test_no_members_no_rows(sets):
    assert quota_stops({"url": incidence(log_of(sets))}, crew(0)).is_empty()
    assert quota_stops({}, crew(5)).is_empty()


@pytest.mark.parametrize("counted", ["accounts", "members", "posts"])
def test_of_like_size_is_by_what_is_counted(counted):
    """Twenty accounts once each, in ten objects; as many five times each in five others, and one a hundred times."""
    rows = [(f"o{o}", account, float(account)) for o in range(10) for account in range(20)]
    late = [*range(18), 98.0, 99.0]  # of these the last tenth takes most of the time
    rows += [
        (f"r{o}", account, late[account] + again / 10)
        for o in range(5)
        for account in range(20)
        for again in range(5)
    ]
    rows += [("s", 0, float(second)) for second in range(20)]
    shares = pl.DataFrame(rows, schema=["object_id", "account", "second"], orient="row").select(
        "object_id",
        account_id=pl.format("a{}", "account"),
        content_id=pl.int_range(pl.len()).cast(pl.String),
        timestamp=(pl.col("second") * 1000).cast(pl.Int64).cast(TIME),
    )
    log = incidence(shares)
    of_accounts = distinct_in_groups(log.offsets, log.account, len(log.accounts))
    sizes = np.diff(log.offsets) if counted == "posts" else of_accounts
    objects = np.arange(len(log.objects))
    group = np.zeros(len(log.accounts), np.int64) if counted == "members" else None
    there = Counts("url", log, counted, objects, of_accounts, sizes, group, 0)
    tail, usual = there.tails(np.arange(10), 20)
    # From the eighteenth (nine tenths of the way) to the twentieth: 2 of 19 s.
    assert tail == pytest.approx(2 / 19)
    # Of twenty accounts are those who post five times each; of twenty posts is the one account alone.
    times = np.sort([late[account] + again / 10 for account in range(20) for again in range(5)])
    by_accounts = (times[-1] - times[int(0.9 * 99)]) / (times[-1] - times[0])
    assert usual == pytest.approx(2 / 19 if counted == "posts" else by_accounts)
