"""Days and hours as Python's own calendar has them, whatever the form; where their parts stand in a text."""

from __future__ import annotations

import re
from calendar import day_name, month_abbr
from datetime import date, datetime, timedelta

import polars as pl
import pytest

from propgraph.readers.times.strptime import shape_of_pattern
from propgraph.readers.times.written import ORDERS, SHAPES, find_layouts, read_written

EPOCH = datetime(1970, 1, 1)
YEARS = (1, 1599, 1600, 1700, 1896, 1900, 1969, 1970, 1999, 2000, 2023, 2024, 2100, 2400, 9999)


def read(texts):
    """Return `texts` as times by their own clocks; they have one reading."""
    [ms] = read_written(pl.Series(texts, dtype=pl.String), SHAPES).ms
    return [None if n is None else EPOCH + timedelta(milliseconds=n) for n in ms]


def in_python(year, month, day):
    try:
        return datetime(year, month, day)
    except ValueError:
        return None


def test_the_calendar_is_pythons():
    days = [(y, m, d) for y in YEARS for m in range(14) for d in range(33)]
    expected = [in_python(*day) for day in days]
    assert read([f"{y:04d}-{m:02d}-{d:02d}" for y, m, d in days]) == expected
    named = [
        (*day, moment)
        for *day, moment in zip(*zip(*days, strict=True), expected, strict=True)
        if 0 < day[1] < 13
    ]
    assert read([f"{d} {month_abbr[m]} {y:04d}" for y, m, d, _ in named]) == [moment for *_, moment in named]


def test_two_digits_of_a_year_are_of_the_hundred_years_from_1969():
    years = range(1969, 2069)
    assert read([f"Mar 13 {year % 100:02d}" for year in years]) == [datetime(year, 3, 13) for year in years]


def shown(hour, half):
    """Return the hour of the day at which a clock shows this, None where none does."""
    if half == "AM":
        return hour % 12 if hour <= 12 else None
    if half == "PM":
        return hour % 12 + 12 if 0 < hour < 24 else None
    return hour if hour < 24 else None


@pytest.mark.parametrize("half", ["", "AM", "PM"])
def test_hours_of_clocks_of_twelve_and_of_twenty_four(half):
    hours = [shown(hour, half) for hour in range(30)]
    expected = [None if hour is None else datetime(2024, 3, 5, hour, 7, 9) for hour in hours]
    assert read([f"2024-03-05 {hour}:07:09 {half}" for hour in range(30)]) == expected


def test_an_hour_has_sixty_minutes_of_sixty_seconds():
    rest = [None] * 40
    minutes = [datetime(2024, 3, 5, 10, minute) for minute in range(60)]
    seconds = [datetime(2024, 3, 5, 10, 0, second) for second in range(60)]
    assert read([f"2024-03-05 10:{minute:02d}" for minute in range(100)]) == minutes + rest
    assert read([f"2024-03-05 10:00:{second:02d}" for second in range(100)]) == seconds + rest
    assert read(["2024-03-05 10 PM"]) == [datetime(2024, 3, 5, 22)]


@pytest.mark.parametrize(
    ("fraction", "ms"),
    [
        ("1", 100),
        ("05", 50),
        ("12", 120),
        ("009", 9),
        ("123", 123),
        ("1239", 123),
        ("123456", 123),
        ("999999999", 999),
    ],
)
def test_fractions_are_cut_to_milliseconds(fraction, ms):
    expected = [datetime(2024, 3, 5, 10, 0, 7, ms * 1000)]
    assert read([f"2024-03-05 10:00:07.{fraction}"]) == expected
    assert read([f"5 Mar 2024, 10:00:07,{fraction}"]) == expected


def test_a_weekday_has_to_be_the_days_own():
    for monday in (datetime(2024, 3, 4), datetime(1969, 12, 29), datetime(1970, 1, 5)):
        for k in range(7):
            day = monday + timedelta(days=k)
            texts = [f"{name}, {day.day} {month_abbr[day.month]} {day.year}" for name in day_name]
            assert read(texts) == [day if name == k else None for name in range(7)]
    assert read(["le 5 mars 2024", "the 6 Mar 2024"]) == [datetime(2024, 3, 5), datetime(2024, 3, 6)]


@pytest.mark.parametrize(
    ("zone", "in_utc"),
    [
        ("Z", "10:00"), ("UT", "10:00"), ("+01:00", "09:00"), ("+0530", "04:30"), ("-03:30", "13:30"), ("-7", "17:00"),
        ("GMT+2", "08:00"), ("(CET)", "09:00"), ("EST", "15:00"), ("NPT", "04:15"), ("+10:59", "-0:59"), ("XYZ", None),
    ],
)  # fmt: skip
def test_a_zone_is_taken_off(zone, in_utc):
    found = read_written(pl.Series([f"2024-03-05 10:00 {zone}", "2024-03-05 10:00"]), SHAPES)
    clock = datetime(2024, 3, 5, 10)
    expected = None
    if in_utc is not None:
        hours, minutes = in_utc.lstrip("-").split(":")
        after_midnight = timedelta(hours=int(hours), minutes=int(minutes))
        expected = datetime(2024, 3, 5) + (-after_midnight if in_utc.startswith("-") else after_midnight)
    ms = [
        None if moment is None else (moment - EPOCH) // timedelta(milliseconds=1)
        for moment in (expected, clock)
    ]
    assert [one.to_list() for one in found.ms] == [ms]
    assert found.naive.to_list() == [False, True]
    assert found.zones == ({"EST"} if zone == "EST" else set())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("05MAR2024", date(2024, 3, 5)),
        ("2024MAR5", date(2024, 3, 5)),
        ("5 de marzo de 2024", date(2024, 3, 5)),
        ("1er mars 2024", date(2024, 3, 1)),
        ("Mar. 5th, 2024", date(2024, 3, 5)),
        ("Mar 5 24", date(2024, 3, 5)),
        ("MAR5 2024", date(2024, 3, 5)),
        ("MAR52024", None),  # nothing tells where the day ends
        ("Tue Mar 5 10:00:00 CET 2024", datetime(2024, 3, 5, 9)),
        ("5/Mar/2024:10:00:00", datetime(2024, 3, 5, 10)),
        ("Mar 5 2024:10:00:00", None),
        ("10:00:07 - 5 Mar 2024", datetime(2024, 3, 5, 10, 0, 7)),
        ("10:00 5.3.2024 CET", datetime(2024, 3, 5, 9)),
        ("5. 3. 2024 10:00", datetime(2024, 3, 5, 10)),
        ("20240305-1000", datetime(2024, 3, 5, 10)),
        ("20240305100007123", datetime(2024, 3, 5, 10, 0, 7, 123_000)),
    ],
)
def test_what_may_stand_between_the_parts(text, expected):
    if type(expected) is date:
        expected = datetime(expected.year, expected.month, expected.day)
    assert read([text]) == [expected]


@pytest.mark.parametrize("n_distinct", [7, 499, 501, 2500])
def test_how_often_a_text_comes_changes_nothing(n_distinct):
    moments = [datetime(2024, 1, 1) + timedelta(minutes=17 * (k % n_distinct)) for k in range(4000)]
    texts = [f"{moment:%Y-%m-%d %H:%M}{' CST' if moment.minute % 2 else ''}" for moment in moments]
    expected = [moment + timedelta(hours=6 if moment.minute % 2 else 0) for moment in moments]
    for k in range(0, 4000, 9):
        texts[k], expected[k] = ("soon" if k % 2 else None), None
    found = read_written(pl.Series(texts), SHAPES)
    assert found.ms[0].cast(pl.Datetime("ms")).to_list() == expected
    assert len(found.ms) == 1
    naive = [
        None if moment is None else "CST" not in text for text, moment in zip(texts, expected, strict=True)
    ]
    assert found.naive.to_list() == naive
    assert found.zones == {"CST"}


def test_a_pattern_reads_the_shortest_dates_that_it_writes():
    [ms] = read_written(pl.Series(["24035", "240315", "2403"]), (shape_of_pattern("%y%m%d"),)).ms
    assert ms.cast(pl.Datetime("ms")).to_list() == [datetime(2024, 3, 5), datetime(2024, 3, 15), None]


def test_layouts_come_by_how_many_times_have_each():
    texts = [
        "5.3.2024",
        "2024-03-05 10:00",
        "5 Mar 2024",
        "2023-12-31 23:59",
        "6.4.2023",
        "2020-01-01 00:00",
        "soon",
    ]
    found = [(layout.name("MDY"), n) for layout, n in find_layouts(pl.Series([*texts, None]), SHAPES)]
    assert found == [("YYYY-M-D H:MM", 3), ("D.M.YYYY", 2), ("D Mmm YYYY", 1)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("3/5/2024", ("M/D/YYYY", "D/M/YYYY", "M/D/YYYY")),
        ("3.5.24 10:00:07", ("D.M.YY H:MM:SS", "D.M.YY H:MM:SS", "YY.M.D H:MM:SS")),
        ("3/5/24 10 PM", ("M/D/YY H AM/PM", "D/M/YY H AM/PM", "YY/M/D H AM/PM")),
        ("Tue Mar 5 10:00:00 UTC 2024", ("Www Mmm D H:MM:SS +ZZZZ YYYY",) * 3),
    ],
)
def test_what_a_layout_is_called_in_each_order(text, names):
    [(layout, _)] = find_layouts(pl.Series([text]), SHAPES)
    assert tuple(map(layout.name, ORDERS)) == names


@pytest.mark.parametrize(
    ("text", "same", "others"),
    [
        ("2024-03-05 10:00+01:00", "1999-12-31 23:59-05:30", "2024-03-05T10:00+01:00|2024/03/05 10:00+01:00"),
        ("5 mars 2024 10:00 PM", "6 juin 1999 23:59 am", "5 mars 2024 10:00 UT|5 ma1s 2024 10:00 PM"),
        ("5 mars 2024 10:00 UT", "6 JUIN 1999 23:59 ut", "5 mars 2024 10:00 PM|5 mars 2024 10:00 am"),
        ("5 mars 2024 10:00 CET", "6 juin 1999 23:59 EST", "5 mars 2024 10:00 C+T|15 mars 2024 10:00 CET"),
        ("5 août 2024", "6 mars 1999", "5 févr 2024|5 ao_t 2024|5 août 20247|5 août 24"),
    ],
)
def test_texts_of_one_layout_have_other_digits_signs_and_words(text, same, others):
    [(layout, _)] = find_layouts(pl.Series([text]), SHAPES)
    assert re.match(layout.regex, text)
    assert re.match(layout.regex, same)
    assert not [other for other in others.split("|") if re.match(layout.regex, other)]


def test_two_letters_are_a_zone_in_one_time_and_afternoon_in_another():
    texts = pl.Series(["5 mars 2024 10:00 UT", "5 mars 2024 10:00 pm"])
    layouts = [layout for layout, _ in find_layouts(texts, SHAPES)]
    [ms] = read_written(texts, SHAPES, layouts).ms
    assert ms.cast(pl.Datetime("ms")).to_list() == [datetime(2024, 3, 5, 10), datetime(2024, 3, 5, 22)]


@pytest.mark.parametrize(("n", "n_layouts"), [(100, 1), (101, 0)])
def test_a_text_of_more_than_a_hundred_characters_is_read_without_a_layout(n, n_layouts):
    time = "Wednesday, September 4th 2024 at 10:00:07 a.m. GMT+02:00"
    text = f"{time} ({'x' * (n - len(time) - 3)})"
    assert len(text) == n
    assert len(find_layouts(pl.Series([text]), SHAPES)) == n_layouts
    assert read([text]) == [datetime(2024, 9, 4, 8, 0, 7)]
