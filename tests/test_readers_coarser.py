"""Posts whose times are coarser than those of the others in a file are found, and no others."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from propgraph.readers.times.coarser import coarser_posts

START_MS = 1_583_366_400_000  # 2020-03-05
MONTHS_MS = 60 * 86_400_000
DAY, HOUR, QUARTER, MINUTE, SECOND = 86_400_000, 3_600_000, 900_000, 60_000, 1000


def posts(*accounts, seed=0):
    """Times and accounts of posts, shuffled: of each account `(n, step)`, or its times."""
    rng = np.random.default_rng(seed)
    times = [
        (START_MS + rng.integers(0, MONTHS_MS, one[0])) // one[1] * one[1]
        if isinstance(one, tuple)
        else np.array(one, np.int64)
        for one in accounts
    ]
    number = np.repeat(np.arange(len(times)), [some.size for some in times])
    order = rng.permutation(number.size)
    return np.concatenate(times)[order], number[order].astype(np.uint32)


def found(*accounts, than_s=1.0, seed=0):
    return sets(*posts(*accounts, seed=seed), than_s=than_s)


def sets(times, number, *, than_s):
    """Each step (s) that is found, the finest first, and the accounts whose posts are of it."""
    steps = coarser_posts(times, number, than_s=than_s)
    there = [] if steps is None else np.unique(steps[steps > 0]).tolist()
    return [(np.unique(number[steps == step]).tolist(), step / 1000) for step in there]


FINE = [(30, SECOND)] * 20  # accounts 0 to 19
FINE_TIMES = [posts((30, SECOND), seed=k)[0].tolist() for k in range(20)]


@pytest.mark.parametrize("step_s", [86_400, 43_200, 10_000, 7200, 3600, 1800, 1000, 900, 600, 300])
def test_three_accounts_of_a_coarser_step_are_found_and_two_are_not(step_s):
    coarse = (40, step_s * 1000)
    assert found(*FINE, coarse, coarse, coarse) == [([20, 21, 22], step_s)]
    assert found(*FINE, *FINE, coarse, coarse) == []


def test_whole_minutes_are_people_s_habit():
    assert found(*FINE, *[(200, MINUTE)] * 9) == []


def test_five_different_times_each():
    five = [[START_MS + HOUR * k for k in (0, 7, 33, 50, 101 + j)] for j in range(3)]
    assert found(*FINE, *five) == [([20, 21, 22], 3600.0)]
    four = [[*times[:4], times[0], times[1]] for times in five]
    assert found(*FINE, *four) == []
    assert found(*FINE, *five[:2], four[2]) == []


def test_each_step_has_its_own_accounts():
    there = found(*FINE, *[(20, QUARTER)] * 4, *[(10, HOUR)] * 3, *[(20, 10_000_000)] * 3)
    assert there == [([20, 21, 22, 23], 900.0), ([24, 25, 26], 3600.0), ([27, 28, 29], 10_000.0)]


def test_accounts_of_few_posts_are_with_those_on_whose_grid_they_lie():
    few = [[START_MS + HOUR], [START_MS + HOUR, START_MS + HOUR + SECOND], [START_MS + 1]]
    assert found(*few, *FINE, *[(10, HOUR)] * 3) == [([0, 23, 24, 25], 3600.0)]


def test_days_and_hours_of_several_zones():
    def days(zone, k):
        midnight = [
            datetime(2020, 1, 1, tzinfo=ZoneInfo(zone)) + timedelta(days=7 * j + k) for j in range(40)
        ]
        return [round(time.timestamp() * 1000) for time in midnight]

    zones = [days(zone, k) for zone in ("Europe/Berlin", "America/New_York") for k in range(3)]
    assert found(*FINE, *zones) == [([20, 21, 22, 23, 24, 25], 86_400.0)]
    half_past = (np.arange(3 * 15) ** 2 * HOUR + HOUR // 2 + START_MS).reshape(3, 15)
    assert found(*FINE, *[(15, HOUR)] * 4, *half_past) == [(list(range(20, 27)), 3600.0)]


def test_seven_past_the_hour_is_no_coarse_time():
    past = [[START_MS + HOUR * (j * j + k) + 7 * MINUTE for j in range(20)] for k in range(3)]
    assert found(*FINE, *past) == []


def test_days_in_a_file_of_hours():
    hours = [(40, HOUR)] * 20
    assert found(*hours, *[(20, DAY)] * 3, than_s=3600.0) == [([20, 21, 22], 86_400.0)]
    assert found(*hours, *[(20, QUARTER)] * 3, than_s=900.0)[0][0] == list(range(20))
    assert found(*[(40, DAY)] * 20, than_s=86_400.0) == []


def test_how_many_times_it_takes_depends_on_how_many_accounts_there_are():
    # In minutes one time in five lies on five minutes, log2(5) = 2.32 bits. Of 1,003 accounts, log2 = 9.97, it takes
    # (20 + 9.97) / 2.32 = 12.9 times.
    minutes = [[START_MS + MINUTE * (1 + 5 * j + 50 * k) for j in range(6)] for k in range(1000)]
    for n, there in ((12, []), (13, [([1000, 1001, 1002], 300.0)])):
        fives = [[START_MS + 300_000 * (j * j + k) for j in range(n)] for k in range(3)]
        assert found(*minutes, *fives, than_s=60.0) == there


def test_chance_puts_nobody_on_a_grid():
    for seed in range(40):
        assert found(*[(5, MINUTE)] * 400, *[(20, MINUTE)] * 200, than_s=60.0, seed=seed) == []


def test_where_many_posts_are_coarse_it_does_not_matter_whose():
    # Twenty accounts of 30 posts in seconds and ten in hours each: a quarter of all.
    both = [[*posts((30, SECOND), seed=k)[0], *posts((10, HOUR), seed=k)[0]] for k in range(20)]
    times, number = posts(*both)
    steps = coarser_posts(times, number, than_s=1.0)
    assert (steps > 0).tolist() == (times % HOUR == 0).tolist()
    assert set(steps.tolist()) == {0, HOUR}
    # Accounts of two posts each, a tenth of all; and fewer than that.
    few = [[START_MS + HOUR * (k * k + j) for j in (0, 3)] for k in range(50)]
    assert found(*FINE, *few) == [(list(range(20, 70)), 3600.0)]
    assert found(*FINE, *few[:25]) == []
    # Fifty at one and the same hour are an event.
    assert found(*FINE, *[[START_MS + HOUR, START_MS + 2 * HOUR]] * 50) == []


def test_the_hours_at_which_people_post_are_no_coarser_grid():
    rng = np.random.default_rng(0)
    evenings = [START_MS + DAY * rng.integers(0, 60, 40) + HOUR * rng.integers(19, 22, 40) for _ in range(20)]
    assert found(*evenings, than_s=3600.0) == []
    both = [[*FINE_TIMES[k], *evenings[k]] for k in range(20)]
    assert found(*both) == [(list(range(20)), 3600.0)]
    days = [np.unique(times // DAY * DAY) for times in evenings]
    assert found(*[[*FINE_TIMES[k], *days[k]] for k in range(20)]) == [(list(range(20)), 86_400.0)]


def test_of_nothing_or_few_posts_nothing_is_said():
    assert found([], than_s=None) == found((3, HOUR), than_s=None) == []
    assert found(*[(5, HOUR)] * 3, than_s=None) == [([0, 1, 2], 3600.0)]


steps = st.sampled_from([SECOND, MINUTE, QUARTER, HOUR, 10_000_000, DAY])


@given(st.lists(st.tuples(st.integers(1, 30), steps), min_size=1, max_size=20), st.randoms())
def test_all_times_of_those_found_lie_on_the_grid_whatever_the_order(accounts, random):
    times, number = posts(*accounts)
    steps = coarser_posts(times, number, than_s=1.0)
    steps = np.zeros(times.size, np.int64) if steps is None else steps
    for step in np.unique(steps[steps > 0]).tolist():
        assert set((times[steps == step] % (QUARTER if step % QUARTER == 0 else step)).tolist()) <= {0}
    # Other numbers for the accounts, and the posts in another order.
    new = list(range(len(accounts)))
    random.shuffle(new)
    order = np.argsort(np.array(new)[number], kind="stable")
    again = coarser_posts(times[order], np.array(new)[number][order], than_s=1.0)
    assert (np.zeros(times.size, np.int64) if again is None else again).tolist() == steps[order].tolist()


@given(st.lists(st.tuples(st.integers(5, 30), steps), min_size=3, max_size=20))
def test_as_many_as_it_takes_are_always_found(accounts):
    # Of 3 to 20 accounts, hours among minutes take (20 + 4.3 + 2) / 5.9 = 4.5 times.
    times, number = posts(*accounts)
    found_at = {k: step for names, step in sets(times, number, than_s=1.0) for k in names}
    distinct = [len(set(times[number == k].tolist())) for k in range(len(accounts))]
    hourly = [k for k, (_, step) in enumerate(accounts) if step == HOUR and distinct[k] >= 5]
    if len(hourly) >= 3:
        assert all(found_at.get(k, 0) >= 3600 for k in hourly)
