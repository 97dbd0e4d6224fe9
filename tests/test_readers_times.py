from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from propgraph.errors import InputError
from propgraph.readers.times import find_time_unit
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
        [1600000000122999999],
    ):
        assert parsed(values)[1] == [half]


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
