from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from propgraph.readers.resolution import coarse_note, find_resolution, told_apart
from propgraph.schema import TIME

START = datetime(2020, 3, 5, tzinfo=UTC)


def posts(times, ids=None):
    ids = ids or [f"p{k}" for k in range(len(times))]
    return pl.DataFrame({"content_id": ids, "timestamp": pl.Series(times, dtype=TIME)})


def after(unit_ms, n=200, seed=0):
    """Posts at random over two months, at whole units."""
    at = np.random.default_rng(seed).integers(0, 60 * 86_400_000, n) // unit_ms * unit_ms
    return [START + timedelta(milliseconds=int(ms)) for ms in at]


@pytest.mark.parametrize("unit_s", [86_400, 3600, 60, 1, 0.001])
def test_the_coarsest_unit_of_which_all_times_are_multiples(unit_s):
    times = after(int(unit_s * 1000))
    assert find_resolution(posts(times)) == unit_s
    assert find_resolution(posts(times[::-1])) == unit_s


def test_one_in_a_hundred_may_be_finer():
    times = after(60_000, 200)
    finer = [time + timedelta(seconds=7) for time in times]
    assert find_resolution(posts(finer[:2] + times[2:])) == 60
    assert find_resolution(posts(finer[:3] + times[3:])) == 1


def test_few_posts_say_nothing():
    assert find_resolution(posts(after(60_000, 49))) is None
    assert find_resolution(posts(after(60_000, 50))) == 60
    assert find_resolution(posts([])) is None
    # A post of several rows, one for each of its links, is one post.
    assert find_resolution(posts(after(60_000, 49) * 3, [f"p{k % 49}" for k in range(147)])) is None


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu"])
def test_days_are_days_in_any_zone_and_in_summer_too(zone):
    local = [datetime(2020, 1, 1, tzinfo=ZoneInfo(zone)) + timedelta(days=k) for k in range(300)]
    assert find_resolution(posts([time.astimezone(UTC) for time in local])) == 86_400
    hours = [(time + timedelta(hours=k * 7 % 24)).astimezone(UTC) for k, time in enumerate(local)]
    assert find_resolution(posts(hours)) == 3600


def test_days_of_two_zones_are_not_days():
    days = after(86_400_000)
    moved = [time + timedelta(hours=5) for time in days]
    assert find_resolution(posts(days + moved)) == 3600


@given(
    st.lists(st.integers(0, 10**6), min_size=50, max_size=80),
    st.sampled_from([86_400_000, 3_600_000, 60_000, 1000, 1]),
)
def test_never_finer_than_what_all_times_are_multiples_of(numbers, unit_ms):
    times = [START + timedelta(milliseconds=k % 20_000 * unit_ms) for k in numbers]
    assert find_resolution(posts(times)) * 1000 >= unit_ms


@pytest.mark.parametrize(
    ("window", "resolution", "words"),
    [
        (60, None, "within 60 s"), (60, 0.0, "within 60 s"), (60, 0.001, "within 60 s"), (0, 0.001, "within 0 s"),
        (60, 1.0, "within 60 s"), (60, 60.0, "within 60 s"), (30, 60.0, "in the same minute"),
        (60, 3600.0, "in the same hour"), (60, 86_400.0, "on the same day"), (0, 1.0, "in the same second"),
    ],
)  # fmt: skip
def test_how_near_is_said_as_the_times_allow(window, resolution, words):
    assert told_apart(window, resolution) == words


@pytest.mark.parametrize(
    ("window", "resolution", "words"),
    [
        (60, 86_400.0, "times are whole days: .* two posts on the same day for a co-share"),
        (86_400, 86_400.0, "times are whole days: .* on the same day or on the next for"),
        (
            60,
            60.0,
            "times are whole minutes: a window of 60 s .* in the same minute or in minutes next to each",
        ),
        (1, 1.0, "times are whole seconds: .* in the same second or in seconds next to each other"),
    ],
)
def test_a_window_no_wider_than_the_times_are_fine_is_told(window, resolution, words):
    assert pl.Series([coarse_note(window, resolution)]).str.contains(words).all()


@pytest.mark.parametrize(("window", "resolution"), [(61, 60.0), (60, 1.0), (0, 0.001), (60, None)])
def test_a_wider_window_is_not_told(window, resolution):
    assert coarse_note(window, resolution) is None
