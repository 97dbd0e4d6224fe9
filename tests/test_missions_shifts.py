from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import missions as reference

from propgraph.missions.shifts import active_hours, shifts
from propgraph.schema import TIME

MONDAY = datetime(2021, 8, 2, tzinfo=UTC)


def posts(rng, names, *, hours, n_days=42, a_day=2, off=(), cluster=None):
    """Posts of accounts, some two a day, at some hours of each day but those off (by number, or by weekday)."""
    days = [day for day in range(n_days) if day not in off and day % 7 not in off]
    rows = [
        (name, MONDAY + timedelta(days=day, hours=int(hour), minutes=int(rng.integers(60))))
        for name in names
        for day in days
        for hour in rng.choice(hours, rng.poisson(a_day))
    ]
    table = pl.DataFrame(
        rows, schema={"account_id": pl.String, "timestamp": TIME}, orient="row"
    ).with_columns(time_resolution_s=pl.lit(1.0))
    return table if cluster is None else table.with_columns(cluster=pl.lit(cluster, pl.UInt32))


def names(letter, n):
    return [f"{letter}{k:03d}" for k in range(n)]


@pytest.fixture(scope="module")
def others():
    """People awake for sixteen hours, from 6."""
    return posts(np.random.default_rng(0), names("b", 200), hours=np.arange(6, 22))


@settings(deadline=None)
@given(st.lists(st.integers(0, 20), min_size=24, max_size=24).filter(any))
def test_the_shortest_run_of_hours_is_that_of_the_plain_twin(counts):
    hours = np.array(counts) / sum(counts)
    start, length = active_hours(hours[np.newaxis])
    assert (start[0], length[0]) == reference.active_hours(hours.tolist())


def test_runs_of_hours_by_hand():
    one, night, even = np.zeros(24), np.zeros(24), np.full(24, 1 / 24)
    one[13] = 1
    night[[22, 23, 0, 1]] = 0.25
    start, length = active_hours(np.stack([one, night, even]))
    # Of an even day 22 hours hold 22/24 = .917, 21 only .875.
    assert list(zip(start.tolist(), length.tolist(), strict=True)) == [(13, 1), (22, 4), (0, 22)]


def test_a_shift_and_its_days_off_are_told(others):
    # A working day from 7 to 15 h, Saturdays and Sundays off, and Wednesday of the fourth week.
    mine = posts(np.random.default_rng(1), names("a", 20), hours=np.arange(7, 15), off=(5, 6, 23), cluster=3)
    found = shifts(mine, others, seed=0).row(0, named=True)
    assert (found["cluster"], found["active_from_h"], found["active_hours"]) == (3, 7, 8)
    assert found["usual_active_hours"] == pytest.approx(15, abs=1)
    assert found["shift_p"] == pytest.approx(1 / 201)
    assert (found["weekend_share"], found["weekend_p"]) == (0, pytest.approx(1 / 201))
    assert found["usual_weekend_share"] == pytest.approx(2 / 7, abs=0.02)
    assert found["quiet_days"] == ["2021-08-25"]


def test_who_lives_like_the_others_is_like_them(others):
    p, weekends = [], []
    for seed in range(20):
        mine = posts(np.random.default_rng([seed, 2]), names("a", 20), hours=np.arange(6, 22), cluster=0)
        found = shifts(mine, others, seed=seed).row(0, named=True)
        p.append(found["shift_p"])
        weekends.append(found["weekend_p"])
        assert found["quiet_days"] == []
    assert min(p) > 0.05
    # Twenty draws of a chance: the median is near a half.
    assert 0.2 < np.median(weekends) < 0.8


def test_a_day_on_which_all_are_silent_is_nobodys(others):
    holiday = [MONDAY + timedelta(days=23), MONDAY + timedelta(days=24)]
    silent = others.filter(~pl.col("timestamp").is_between(*holiday, closed="left"))
    mine = posts(np.random.default_rng(1), names("a", 20), hours=np.arange(7, 15), off=(23,), cluster=0)
    assert shifts(mine, silent, seed=0)["quiet_days"].to_list() == [[]]
    assert shifts(mine, others, seed=0)["quiet_days"].to_list() == [["2021-08-25"]]


def test_each_account_weighs_the_same(others):
    # One posts by night, forty times as much as the other nineteen together do by day.
    rng = np.random.default_rng(3)
    mine = posts(rng, names("a", 19), hours=np.arange(8, 12), a_day=1, cluster=0)
    loud = posts(rng, ["z"], hours=np.array([2]), a_day=19 * 40, cluster=0)
    found = shifts(pl.concat([mine, loud]), others, seed=0).row(0, named=True)
    assert (found["active_from_h"], found["active_hours"]) == (8, 4)


def test_little_or_coarse_tells_nothing(others):
    rng = np.random.default_rng(4)
    four = posts(rng, names("a", 4), hours=np.arange(8, 12), cluster=0)
    assert shifts(four, others, seed=0).is_empty()
    mine = posts(rng, names("a", 9), hours=np.arange(8, 12), cluster=0)
    assert shifts(mine.with_columns(time_resolution_s=pl.lit(86_400.0)), others, seed=0).is_empty()
    assert shifts(mine, others.clear(), seed=0).is_empty()
    short = posts(rng, names("a", 9), hours=np.arange(8, 12), n_days=28, cluster=0)
    found = shifts(short, others, seed=0).row(0, named=True)
    assert found["active_hours"] == 4
    assert (found["weekend_share"], found["quiet_days"]) == (None, None)


def test_rows_in_any_order_give_the_same(others):
    mine = posts(np.random.default_rng(5), names("a", 20), hours=np.arange(7, 15), cluster=0)
    one = shifts(mine, others, seed=7)
    assert one.equals(shifts(mine.sample(fraction=1, shuffle=True, seed=1), others[::-1], seed=7))
