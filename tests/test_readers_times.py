from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from propgraph.errors import InputError
from propgraph.readers.times.calendar_words import _MONTHS, _WEEKDAYS, month_of, weekday_of
from propgraph.readers.times.times import find_time_unit
from propgraph.schema import TIME

MOMENT = datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC)  # 1,600,000,000 s


def parsed(values, dtype=None):
    times = pl.Series("t", values, dtype=dtype, strict=False)
    unit = find_time_unit(times, column="t", source="f.csv")
    found = unit.parse(times)
    assert found.dtype == TIME
    return unit.name, found.to_list()


@pytest.mark.parametrize(("unit", "factor"), [("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)])
@pytest.mark.parametrize("kind", [int, float, str, "point", Decimal])
def test_unix_times_of_every_unit_and_kind(unit, factor, kind):
    number = 1_600_000_000 * factor
    value = f"{number}.0" if kind == "point" else kind(number)
    assert parsed([value]) == (f"unix {unit}", [MOMENT])


def test_fractions_of_a_second_are_kept_to_the_millisecond():
    half = MOMENT + timedelta(milliseconds=123)
    for values in (
        [1600000000.123],
        ["1600000000.1234"],
        [1600000000123],
        [1600000000123456],
        ["1600000000123.9"],
        [1600000000123.9],
        [1600000000123999],
        [1600000000123999.0],
        ["1600000000123999"],
        ["1600000000123999.5"],
        ["1600000000123999999"],
        [1600000000123999999],
        [1600000000123000000],
    ):
        assert parsed(values)[1] == [half], values
    for values in (["1600000000.1226"], [1600000000.1234]):  # seconds go to the nearest
        assert parsed(values)[1] == [half], values
    # As a float, this would be rounded up to the next millisecond.
    assert parsed(["1600000000123999999", "soon", "1600000000000000000.0"])[1] == [half, None, MOMENT]


@pytest.mark.parametrize(
    "text",
    [
        "2020-09-13T12:26:40Z",
        "2020-09-13T12:26:40.000Z",
        "2020-09-13 12:26:40",
        "2020-09-13T12:26:40",
        "2020-09-13 12:26:40 UTC",
        "2020-09-13 12:26:40+00:00",
        "2020-09-13T14:26:40+02:00",
        "2020-09-13T14:26:40+0200",
        "2020-09-13 14:26:40 +0200",
        "2020-09-13T14:26:40+02",
        "2020-09-13T08:56:40-03:30",
        " 2020-09-13 12:26:40 ",
        "9/13/2020 12:26:40",
        "09/13/2020 12:26:40",
        "13/9/2020 12:26:40",
        "13.9.2020 12:26:40",
        "13.09.2020 12:26:40",
        "Sun Sep 13 12:26:40 +0000 2020",
        "Sun Sep 13 14:26:40 +0200 2020",
        "Sun Sep 13 12:26:40 UTC 2020",  # Brandwatch, Java
        "Sun Sep 13 12:26:40 2020",
        "Sun Sep 13 2020 14:26:40 GMT+0200 (Central European Summer Time)",  # JavaScript
        "Sun, 13 Sep 2020 14:26:40 +0200",  # RFC 2822
        "13 Sep 2020 12:26:40 GMT",
        "2020-09-13 14:26:40 +0200 CEST",  # Go
        "2020-09-13T14:26:40+02:00[Europe/Berlin]",
        "2020-09-13 14:26:40 CEST",
        "2020-09-13 14:26:40 GMT+2",
        "2020-09-13 14:26:40 UTC+02:00",
        "2020-09-13 08:26:40 EDT",
        "2020/09/13 12:26:40",
        "2020/9/13T12:26:40",
        "2020.09.13 12:26:40",
        "2020-09-13 12:26:40,000",
        "20200913122640",
        "20200913T122640Z",
        "20200913 12:26:40",
        "09/13/2020 12:26:40 PM",
        "9/13/2020, 12:26:40 p.m.",
        "9/13/2020 12:26:40\u202fPM",  # Chrome
        "13.09.2020, 12:26:40",
        "13.09.20, 12:26:40",
        "9/13/20 12:26:40",
        "13/9/20 12:26:40",
        "13-Sep-2020 12:26:40",
        "13-SEP-20 12:26:40",
        "13SEP2020:12:26:40",  # SAS
        "13/Sep/2020:14:26:40 +0200",  # Apache
        "Sep 13, 2020, 12:26:40 PM",
        "September 13th, 2020 at 12:26:40 PM",
        "sept. 13 2020 12:26:40",
        "2020 Sep 13 12:26:40",
        "13 septembre 2020 12:26:40",
        "13 SEPT. 2020 \u00e0 12:26:40",
        "dimanche 13 septembre 2020 \u00e0 12h26m40",
        "le 13 septembre 2020, 12:26:40",
        "Sonntag, 13. September 2020 um 12:26:40 Uhr",
        "13 de septiembre de 2020, 12:26:40",
        "12:26:40, 13 September 2020 (UTC)",
        "12:26:40 PM \u00b7 Sep 13, 2020",
        "\u200e13/09/2020 12:26:40",
    ],
)
def test_one_moment_in_many_ways(text):
    assert parsed([text])[1] == [MOMENT]


def test_shorter_forms_and_the_name_told():
    minute, day = MOMENT.replace(second=0), MOMENT.replace(hour=0, minute=0, second=0)
    assert parsed(["2020-09-13 12:26"]) == ("ISO 8601 (no zone: read as UTC)", [minute])
    assert parsed(["2020-09-13T12:26Z"]) == ("ISO 8601", [minute])
    assert parsed(["2020-09-13"]) == ("ISO 8601 (no zone: read as UTC)", [day])
    assert parsed(["9/13/2020 12:26"]) == ("M/D/YYYY H:MM", [minute])
    assert parsed(["1/2/2020 0:04"]) == ("M/D/YYYY H:MM", [datetime(2020, 1, 2, 0, 4, tzinfo=UTC)])
    assert parsed(["2020-09-13T12:26:40Z", "2020-09-13 12:26:40"])[0] == "ISO 8601 (no zone: read as UTC)"


def test_a_day_above_twelve_tells_which_of_the_numbers_is_the_day():
    assert parsed(["1/2/2020 0:04", "31/1/2020 0:04"]) == (
        "D/M/YYYY H:MM",
        [datetime(2020, 2, 1, 0, 4, tzinfo=UTC), datetime(2020, 1, 31, 0, 4, tzinfo=UTC)],
    )


def test_with_points_the_day_stands_first_whatever_the_numbers():
    assert parsed(["01.02.2020 00:04"]) == ("D.M.YYYY H:MM", [datetime(2020, 2, 1, 0, 4, tzinfo=UTC)])
    assert parsed(["1.2.2020 0:04:05"]) == ("D.M.YYYY H:MM:SS", [datetime(2020, 2, 1, 0, 4, 5, tzinfo=UTC)])
    assert parsed(["01.02.2020 00:04", "02.13.2020 00:04"])[1][1] is None


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("12:37 AM", 0),
        ("12:37 PM", 12),
        ("1:37 a.m.", 1),
        ("1:37 pm", 13),
        ("11:37 P.M.", 23),
        ("0:37 AM", 0),
        ("13:37 PM", 13),
    ],
)  # fmt: skip
def test_clocks_of_twelve_hours(text, hour):
    assert parsed([f"10/26/2023 {text}"])[1] == [datetime(2023, 10, 26, hour, 37, tzinfo=UTC)]


MONTHS = (
    "Jan. January JANV. janvier",
    "feb February F\u00c9VR. f\u00e9vrier Fevrier fevr.",
    "Mar. March mars",
    "Apr April avr. AVRIL",
    "May mai",
    "Jun June juin",
    "Jul July juil. juillet",
    "Aug August ao\u00fbt aout",
    "Sep Sept. September septembre",
    "Oct October octobre",
    "Nov November novembre",
    "Dec December d\u00e9c. D\u00c9CEMBRE decembre de\u0301c.",
)


@pytest.mark.parametrize(
    ("word", "month"), [(word, k) for k, words in enumerate(MONTHS, 1) for word in words.split()]
)
def test_names_of_months_in_english_and_french(word, month):
    day = datetime(2021, month, 12, tzinfo=UTC)
    assert parsed([f"12 {word} 2021"])[1] == [day]
    assert parsed([f"{word} 12, 2021 9:05 PM"])[1] == [day.replace(hour=21, minute=5)]


def test_no_word_is_two_months_or_two_weekdays():
    for lines, number in ((_MONTHS, month_of), (_WEEKDAYS, weekday_of)):
        words = [word for line in lines for word in set(line.split())]
        assert len(words) == len(set(words))
        assert [number(line.split()[0].upper() + ".") for line in lines] == list(range(1, len(lines) + 1))


@pytest.mark.parametrize(
    "text",
    [
        "2020-02-30", "31/04/2020", "29.02.2021", "2020-13-01", "0/0/2020", "2020-09-13 24:00", "2020-09-13 12:60",
        "2020-09-13 12:26:60", "13/9/2020 13:00 AM", "13/9/2020 0:30 PM", "Mon Sep 13 12:26:40 +0000 2020",
        "lundi 13 septembre 2020", "2020-09-13 12:26 XYZ", "2020-09-13 12:26 +25:00", "2020-09-13 12:26 EST+1",
        "13 Brumaire 2020", "13 September", "September 2020", "12:26:40", "13/9-2020", "2020-09-1312:26:40",
        "2020-09-13 12:26:40 or so", "1313/9/2020", "13 9 2020", "2020-09-13 -0300", "9/13/202", "20200931",
        "\u0663/\u0665/2024", "Sep 13 12:26:40", "13 Sep 12:26:40", "Sun Sep 13 12:26:40", "Sep 13 12:26:40 CEST",
        "13 septembre 12h26", "13 septembre, 12h26m40", "9/13 12:26:40", "13.9. 12:26:40", "12:26:40 13 Sep",
        "Sep 13 12:26 PM", "13SEP12:26:40", "2020 12:26:40", "2020-09 12:26:40",
    ],
)  # fmt: skip
def test_what_is_no_time_is_not_guessed_at(text):
    assert parsed(["2020-09-13", text])[1] == [MOMENT.replace(hour=0, minute=0, second=0), None]


def test_a_column_of_several_forms_is_read_where_each_is_clear():
    name, times = parsed(
        ["2020-09-13 12:26:40"] * 2
        + ["2020-09-13T12:26:40Z", "13 Sep 2020 12:26:40", "9/13/2020 12:26:40 PM", "x"]
    )
    assert (name, times) == ("ISO 8601 (no zone: read as UTC)", [MOMENT] * 5 + [None])
    name, times = parsed(["9/13/2020 12:26:40 PM"] * 2 + ["9/13/2020 12:26 PM"])
    assert (name, times) == ("M/D/YYYY H:MM:SS AM/PM", [MOMENT] * 2 + [MOMENT.replace(second=0)])


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("3/15/24 10:00", "M/D/YY H:MM"),
        ("15/3/24", "D/M/YY"),
        ("15-Mar-24 1:00 PM", "D Mmm YY H:MM AM/PM"),
        ("2024/03/05", "YYYY/M/D"),
        ("Tue, 05 Mar 2024 10:00:00 +0100", "Www D Mmm YYYY H:MM:SS +ZZZZ"),
        ("Fri Mar 01 00:00:00 UTC 2024", "Www Mmm D H:MM:SS +ZZZZ YYYY"),
        ("20240305T100000Z", "YYYYMMDD H:MM:SS +ZZZZ"),
    ],
)
def test_how_times_are_written_is_told(text, name):
    assert parsed([text])[0] == name


@pytest.mark.parametrize("dtype", [pl.String, pl.Int64, pl.UInt32, pl.Float64])
def test_digits_of_dates_are_no_unix_times(dtype):
    days = [date(2024, 3, day) for day in range(1, 31)]
    numbers = pl.Series([int(day.strftime("%Y%m%d")) for day in days]).cast(dtype)
    if dtype == pl.Float64:
        numbers = numbers.cast(pl.Float64)
    name, times = parsed(numbers)
    assert name == "YYYYMMDD"
    assert times == [datetime(day.year, day.month, day.day, tzinfo=UTC) for day in days]
    assert parsed(["20240305100000", "20240305100001"])[0] == "YYYYMMDD H:MM:SS"
    assert parsed([20240305100000])[1] == [datetime(2024, 3, 5, 10, tzinfo=UTC)]


def test_columns_of_times():
    berlin = timezone(timedelta(hours=2))
    assert parsed([MOMENT.replace(tzinfo=None)]) == ("timestamps (us, no zone: read as UTC)", [MOMENT])
    assert parsed([MOMENT.astimezone(berlin)]) == ("timestamps (us)", [MOMENT])
    assert parsed([MOMENT], pl.Datetime("ns", "America/New_York")) == ("timestamps (ns)", [MOMENT])
    assert parsed([date(2020, 9, 13)]) == ("dates", [MOMENT.replace(hour=0, minute=0, second=0)])


def test_one_unit_a_file_the_one_that_most_values_are_in():
    name, times = parsed(["1600000000", "1600000000", "2020-09-13 12:26:40", "soon", None, ""])
    assert (name, times) == ("unix s", [MOMENT, MOMENT, None, None, None, None])
    name, times = parsed(["2020-09-13 12:26:40", "2020-09-13 12:26:40", "1600000000", "Sunday"])
    assert (name, times) == ("ISO 8601 (no zone: read as UTC)", [MOMENT, MOMENT, None, None])


def test_absurd_numbers_do_not_decide_the_unit_and_do_not_wrap_round():
    # 2**64 / 1000 + 1.6e9 seconds would be a time of 2020 again if milliseconds wrapped in 64 bits.
    wrapping = 2**64 // 1000 + 1_600_000_000
    whole = pl.Series([1_600_000_000, wrapping, 2**62, -(2**63), 5], dtype=pl.Int64)
    assert find_time_unit(whole, column="t", source="f").name == "unix s"
    physical = find_time_unit(pl.Series([1_600_000_000]), column="t", source="f").parse(
        pl.Series([wrapping, 2**62, -(2**63)])
    )
    assert (physical.to_physical().abs() > 10**15).all()
    floats = pl.Series([1.6e9, 1e30, float("inf"), float("-inf"), -1e300, float("nan")])
    unit = find_time_unit(floats, column="t", source="f")
    assert unit.name == "unix s"
    found = unit.parse(floats).to_physical().to_list()
    assert found[0] == 1_600_000_000_000
    assert [value > 10**15 for value in found[1:3]] == [True, True]
    assert [value < -(10**15) for value in found[3:5]] == [True, True]
    assert found[5] is None


def test_unsigned_and_very_wide_integers():
    for dtype, largest in ((pl.UInt64, 2**64 - 1), (pl.Int128, 2**100)):
        times = pl.Series([largest, 1_600_000_000], dtype=dtype)
        found = find_time_unit(times, column="t", source="f").parse(times)
        assert found[1] == MOMENT


def test_times_that_no_calendar_holds_can_still_be_shown():
    far = pl.Series([2**62, -(2**62)], dtype=pl.Int64).cast(pl.Datetime("ms"))
    found = find_time_unit(far, column="t", source="f").parse(far)
    assert found.dt.year().to_list()[0] > 9999
    assert found.dt.to_string("%Y").len() == 2


@pytest.mark.parametrize("n", [999, 1000, 5000, 120_000])
@pytest.mark.parametrize("values", [["2020-09-13 12:26:40"], [f"2020-09-{day:02d}" for day in range(1, 31)]])
def test_a_log_of_few_distinct_times_is_understood(n, values):
    times = pl.Series((values * (n // len(values) + 1))[:n])
    unit = find_time_unit(times, column="t", source="f")
    assert unit.name == "ISO 8601 (no zone: read as UTC)"
    assert unit.parse(times).null_count() == 0


def test_the_unit_does_not_depend_on_the_order_of_the_rows():
    mixed = pl.Series(["2020-09-13 12:26:40"] * 3000 + [f"16000{n:05d}" for n in range(7000)])
    names = {
        find_time_unit(order, column="t", source="f").name
        for order in (mixed, mixed.reverse(), mixed.shuffle(1), mixed.shuffle(2))
    }
    assert names == {"unix s"}


@pytest.mark.parametrize(
    ("values", "dtype", "found"),
    [
        ([True], None, "Boolean"),
        ([[1]], None, r"List\(Int64\)"),
        ([{"a": 1}], None, "Struct"),
        ([timedelta(1)], None, "Duration"),
        (["yesterday", "today"], None, "'yesterday'"),
        (["x" * 500], None, "'x{60}'"),
    ],
)
def test_a_column_without_times_is_told(values, dtype, found):
    with pytest.raises(
        InputError, match=rf"f.csv: column 't' should hold times, found {found}.*--map timestamp="
    ):
        parsed(values, dtype)


@pytest.mark.parametrize("dtype", [pl.String, pl.Null, pl.Boolean, pl.Float64])
def test_a_column_of_nothing_is_no_fault(dtype):
    assert parsed([None, None], dtype) == ("none seen", [None, None])


@given(st.datetimes(datetime(1990, 1, 1), datetime(2099, 1, 1)).map(lambda t: t.replace(microsecond=0)))
def test_every_form_gives_the_same_time(moment):
    moment = moment.replace(tzinfo=UTC)
    seconds = int(moment.timestamp())
    forms = [
        seconds, seconds * 1000, float(seconds), str(seconds), moment.isoformat(), moment.isoformat(sep=" "),
        moment.strftime("%Y-%m-%dT%H:%M:%SZ"), moment.strftime("%a %b %d %H:%M:%S +0000 %Y"),
        moment.astimezone(timezone(timedelta(hours=-7))).isoformat(),
    ]  # fmt: skip
    for form in forms:
        assert parsed([form])[1] == [moment], form


@pytest.mark.parametrize(
    ("day", "there"),
    [
        ("29.02.2024", True),
        ("29.02.2000", True),
        ("29.02.2023", False),
        ("30.02.2024", False),
        ("29.02.2100", False),
        ("28.02.2100", True),
        ("31.04.2024", False),
        ("13.03.024", False),  # a year has two digits or four
    ],
)
def test_only_days_of_the_calendar_are_days(day, there):
    found = parsed(["13.03.2024 10:00:00", f"{day} 10:00:00"])[1]
    assert found[0] == datetime(2024, 3, 13, 10, tzinfo=UTC)
    d, m, y = map(int, day.split("."))
    assert found[1] == (datetime(y, m, d, 10, tzinfo=UTC) if there else None)


@pytest.mark.parametrize(
    ("text", "step_s"),
    [
        ("13.03.2024", 86_400),
        ("2024-03-13", 86_400),
        ("13.03.2024 10 PM", 3600),
        ("13.03.2024 10:05", 60),
        ("13.03.2024 10:05:07", None),
        ("1600000000", None),
    ],
)
def test_what_a_layout_leaves_out_is_how_fine_it_is(text, step_s):
    assert find_time_unit(pl.Series("t", [text]), column="t", source="f.csv").written_s == step_s
