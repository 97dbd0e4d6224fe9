from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from propgraph.resolution import resolution_of, resolutions_of

START_MS = 1_583_366_400_000  # 2020-03-05
MONTHS_MS = 60 * 86_400_000


def sorted_ms(times):
    return np.sort(np.array(times, np.int64))


def after(unit_ms, n=200, seed=0):
    """Posts at random over two months, at whole units."""
    at = np.random.default_rng(seed).integers(0, MONTHS_MS, n)
    return sorted_ms((START_MS + at) // unit_ms * unit_ms)


def in_zone(times):
    return sorted_ms([round(time.astimezone(UTC).timestamp() * 1000) for time in times])


@pytest.mark.parametrize("unit_s", [86_400, 3600, 60, 1, 0.001])
def test_the_coarsest_unit_of_which_all_times_are_multiples(unit_s):
    assert resolution_of(after(int(unit_s * 1000))) == unit_s


@pytest.mark.parametrize(
    "step_s", [10, 30, 300, 900, 1800, 7200, 10_800, 43_200, 1000, 10_000, 100_000, 17, 864]
)
def test_any_step_is_found_and_not_only_those_with_a_name(step_s):
    assert resolution_of(after(step_s * 1000, 300)) == step_s


def test_a_step_may_begin_anywhere_and_be_no_whole_second():
    # Numbers of 24 bits are 131,072 ms apart where they tell the time in ms.
    rounded = np.float32(after(1)).astype(np.int64)
    assert resolution_of(np.sort(rounded)) == 131.072
    assert resolution_of(after(240_000) + 77_300) == 240
    # The ends of days.
    assert resolution_of(after(86_400_000) - 1000) == 86_400


def test_one_in_a_hundred_may_be_finer():
    times = after(60_000, 200)
    for unit_ms, step_s in ((60_000, 60), (17_000, 17)):
        times = after(unit_ms, 200)
        finer = times + 7_001
        assert resolution_of(sorted_ms([*finer[:2], *times[2:]])) == step_s
        assert resolution_of(sorted_ms([*finer[:3], *times[3:]])) == 0.001


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu"])
def test_days_and_hours_are_those_of_any_zone_and_days_of_summer_too(zone):
    local = [datetime(2020, 1, 1, tzinfo=ZoneInfo(zone)) + timedelta(days=k) for k in range(300)]
    assert resolution_of(in_zone(local)) == 86_400
    hours = [time + timedelta(hours=k * 7 % 24) for k, time in enumerate(local)]
    assert resolution_of(in_zone(hours)) == 3600
    quarters = [time + timedelta(minutes=k * 465 % 1440) for k, time in enumerate(local)]
    assert resolution_of(in_zone(quarters)) == 900


def test_days_of_two_zones_are_not_days():
    days = after(86_400_000)
    assert resolution_of(sorted_ms([*days, *(days + 5 * 3_600_000)])) == 3600


def test_whole_hours_are_not_taken_for_two_hours_of_summer_and_winter():
    assert resolution_of(after(3_600_000, 400)) == 3600


@given(
    st.lists(st.integers(0, 10**6), min_size=50, max_size=80),
    st.sampled_from([86_400_000, 3_600_000, 60_000, 1000, 1]),
)
def test_never_finer_than_what_all_times_are_multiples_of(numbers, unit_ms):
    times = sorted_ms([START_MS + k % 20_000 * unit_ms for k in numbers])
    assert resolution_of(times) * 1000 >= unit_ms


@given(
    st.lists(st.integers(0, 10**6), min_size=2, max_size=80, unique=True), st.sampled_from([1, 17, 60_000])
)
def test_what_is_found_is_a_step_of_the_times(numbers, unit_ms):
    times = sorted_ms([START_MS + k * unit_ms for k in numbers])
    found = resolution_of(times)
    if found is not None and found < 900:  # beyond, zones have a say
        assert len(set((times % round(found * 1000)).tolist())) == 1


def test_random_times_are_as_fine_as_they_are():
    for seed in range(300):
        n = 3 + seed // 4
        assert resolution_of(after(1000, n, seed)) == (1 if n >= 50 else None)
        assert resolution_of(after(60_000, max(n, 50), seed)) == 60


def test_few_posts_tell_only_what_leaves_no_doubt():
    assert resolution_of(sorted_ms([])) is None
    assert resolution_of(sorted_ms([START_MS])) is None  # of a day or a minute, who knows
    assert resolution_of(sorted_ms([START_MS + 7])) is None
    # Of seconds, two stand at whole hours of some zone once in 3,600 * 3,600 / 4 tries; in minutes, twelve in 3,600.
    assert resolution_of(sorted_ms([START_MS + 3_600_000 * k for k in (1, 5)])) == 3600
    assert resolution_of(sorted_ms([START_MS + 60_000 * k for k in (1, 5)])) is None
    # Four whole seconds may well be even ones.
    assert resolution_of(sorted_ms([START_MS + 2000 * k for k in (3, 5, 11, 17)])) is None
    assert resolution_of(sorted_ms([START_MS + 60_000 * k for k in (3, 5, 11, 17)] * 3)) == 60


def of(kind, *files):
    return resolutions_of([(kind, sorted_ms(times)) for times in files])


def test_each_group_of_posts_has_its_own():
    assert of("csv", after(3_600_000), after(1000), after(86_400_000)) == [3600, 1, 86_400]


def test_small_groups_are_judged_together():
    days = after(86_400_000)
    assert of("csv", *([time] for time in days)) == [86_400] * 200
    # One post that stands at midnight beside a file of days is of a day; one that does not is not.
    assert of("csv", days, [START_MS]) == [86_400, 86_400]
    assert of("csv", days, [START_MS + 1234])[1] is None
    assert resolutions_of([("csv", days), ("json", sorted_ms([START_MS]))]) == [86_400, None]


def test_a_small_group_that_is_coarser_than_the_others_is_seen():
    seconds = [after(1000, 20, seed) for seed in range(20)]
    assert of("csv", *seconds, after(3_600_000, 20)) == [1] * 20 + [3600]
    # Where all are minutes, four of them may well be whole fives.
    minutes = [after(60_000, 20, seed) for seed in range(20)]
    fives = sorted_ms([START_MS + 300_000 * k for k in (3, 5, 11, 17)])
    assert of("csv", *minutes, fives) == [60] * 21
