"""In which unit a column's times are, what the user is told of it, and how fine they are."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from propgraph.errors import InputError
from propgraph.readers.times.clocks import ClockCounts
from propgraph.readers.times.times import Readings, TimeOptions, _sample, find_time_unit
from propgraph.readers.times.written import ORDERS

MOMENT = datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC)  # 1,600,000,000 s
DAY = datetime(2024, 3, 5, tzinfo=UTC)
LAST_MS = 3_000_000_000_000_000


def unit_of(values, *, column="timestamp", **options):
    return find_time_unit(
        pl.Series("t", values, strict=False), column=column, source="f.csv", options=TimeOptions(**options)
    )


@pytest.mark.parametrize(
    ("number", "unit"),
    [
        (0, "s"), (5, "s"), (-5, "s"), (10**11 - 1, "s"), (-(10**11) + 1, "s"), (10**11, "ms"), (-(10**11), "ms"),
        (10**14 - 1, "ms"), (10**14, "us"), (10**17 - 16, "us"), (10**17, "ns"), (-(10**18), "ns"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", [int, float, str])
def test_numbers_that_are_no_likely_time_are_told_by_their_size(number, unit, kind):
    assert unit_of([kind(number)]).name == f"unix {unit}"
    assert unit_of([kind(number), None, kind(number)]).name == f"unix {unit}"


def test_most_of_the_likely_times_tell_the_unit():
    assert unit_of([1_600_000_000, 1_600_000_000_000, 1_600_000_000_001]).name == "unix ms"
    assert unit_of([1_600_000_000, 1_600_000_000_000]).name == "unix s"  # as many: the coarser
    assert (
        unit_of([1_600_000_000, 7, 10**13, 10**13]).name == "unix s"
    )  # what is no likely time tells nothing


def test_as_many_numbers_as_dates_are_numbers():
    assert unit_of(["1600000000", "2020-09-13"]).name == "unix s"
    assert unit_of(["1600000000", "2020-09-13", "2020-09-14"]).name == "ISO 8601 (no zone: read as UTC)"
    assert unit_of(["7", "7", "2020-09-13"]).name == "ISO 8601 (no zone: read as UTC)"


def test_floats_are_digits_of_dates_only_where_they_are_whole():
    times = pl.Series([20240305.0, 20240305.5, None])
    unit = find_time_unit(times, column="t", source="f")
    assert (unit.name, unit.parse(times).to_list()) == ("YYYYMMDD", [DAY, None, None])


@pytest.mark.parametrize(
    ("seen", "far", "dtype"),
    [
        (1_600_000_000, 2**62, pl.Int64),
        (1_600_000_000, 3 * 10**12 + 1, pl.Int64),
        (1_600_000_000_000, LAST_MS + 1, pl.Int64),
        (1_600_000_000_000_000, LAST_MS * 1000 + 1000, pl.Int64),
        (1.6e9, 1e30, pl.Float64),
        (1.6e12, float("inf"), pl.Float64),
        ("1600000000", "1e30", pl.String),
        ("1600000000000000", f"{LAST_MS * 1000 + 1000}", pl.String),
    ],
)
def test_no_time_is_farther_off_than_can_be_shown(seen, far, dtype):
    unit = find_time_unit(pl.Series([seen], dtype=dtype), column="t", source="f")
    other = f"-{far}" if dtype == pl.String else -far
    found = unit.parse(pl.Series([seen, far, other], dtype=dtype))
    assert found.to_physical().to_list() == [1_600_000_000_000, LAST_MS, -LAST_MS]


def test_columns_of_times_are_bounded_alike():
    times = pl.Series([2**62, LAST_MS, LAST_MS - 1, -(2**62)]).cast(pl.Datetime("ms"))
    for column in (times, times.dt.replace_time_zone("UTC")):
        found = unit_of(column).parse(column).to_physical().to_list()
        assert found == [LAST_MS, LAST_MS, LAST_MS - 1, -LAST_MS]


@pytest.mark.parametrize(
    ("text", "zone", "name"),
    [
        ("2020-09-13 12:26", None, "ISO 8601 (no zone: read as UTC)"),
        ("2020-09-13 12:26", "Europe/Paris", "ISO 8601 (no zone: read as Europe/Paris)"),
        ("2020-09-13T12:26Z", "Europe/Paris", "ISO 8601"),
        ("2020-09-13 12:26 PM", None, "YYYY-M-D H:MM AM/PM"),
        ("2020-09-13 12:26 PM", "Europe/Paris", "YYYY-M-D H:MM AM/PM (no zone: read as Europe/Paris)"),
        ("13.9.2020", None, "D.M.YYYY"),
        ("13.9.2020", "Europe/Paris", "D.M.YYYY (no zone: read as Europe/Paris)"),
        ("13 Sep 2020 12:26 CET", "Europe/Paris", "D Mmm YYYY H:MM +ZZZZ"),
        (datetime(2020, 9, 13), "Europe/Paris", "timestamps (us, no zone: read as Europe/Paris)"),
        (date(2020, 9, 13), "Europe/Paris", "dates (Europe/Paris)"),
        ("1600000000", "Europe/Paris", "unix s"),
    ],
)
def test_how_times_without_a_zone_are_read_is_told(text, zone, name):
    assert unit_of([text], zone=zone).name == name


def test_the_commonest_layout_names_the_column():
    assert unit_of(["13.9.2020", "2020-09-13", "14.9.2020"]).name == "D.M.YYYY"
    assert unit_of(["13.9.2020 CET", "13.9.2020"], zone="Europe/Paris").name.endswith(
        "(no zone: read as Europe/Paris)"
    )


def test_dates_of_one_order_beside_others_that_have_but_one():
    times = pl.Series(["2020-09-13", "2020-09-14", "31/1/2020"])
    unit = find_time_unit(times, column="t", source="f")
    assert (unit.name, unit.order) == ("ISO 8601 (no zone: read as UTC)", "DMY")
    assert unit.parse(times).dt.day().to_list() == [13, 14, 31]
    assert unit.parse(times.head(2)).dt.day().to_list() == [13, 14]  # they have one reading


def test_days_before_1990_and_days_to_come_do_not_tell_the_order():
    assert unit_of(["90/01/01"]).order == "YMD"
    for text, order in {
        "13/12/1989": "MDY",
        "13/1/1990": "DMY",
        "13/12/2019": "DMY",
        "13/12/2089": "MDY",
    }.items():
        assert unit_of([text, "1/2/2020"]).order == order, text


@pytest.mark.parametrize(
    ("n_days", "n_seconds", "step_s"),
    [(1, 0, 86_400), (99, 1, None), (100, 1, 86_400), (198, 2, None), (199, 2, 86_400)],
)
def test_one_time_in_a_hundred_tells_how_fine_all_are(n_days, n_seconds, step_s):
    assert unit_of(["2024-03-05"] * n_days + ["2024-03-05 10:00:07"] * n_seconds).written_s == step_s


@pytest.mark.parametrize(
    ("values", "step_s"),
    [
        ([date(2024, 3, 5)], 86_400),
        ([datetime(2024, 3, 5)], None),
        (["2024-03-05 10 PM", "2024-03-05"], 3600),
        (["2024-03-05 10:00", "2024-03-05 10 PM"], 60),
        ([1_600_000_000], None),
        (["1.709633E+09"], 1000),
    ],
)
def test_how_fine_times_are_as_they_are_written(values, step_s):
    assert unit_of(values).written_s == step_s


def test_a_pattern_binds_the_posts_times_and_is_tried_on_others():
    pattern = "%m.%d.%Y"
    for column in ("timestamp", "account_created_at"):
        unit = unit_of(["03.05.2024"], column=column, format=pattern)  # else the day stands before the month
        assert (unit.name, unit.parse(pl.Series(["03.05.2024"])).to_list()) == (pattern, [DAY])
    assert unit_of(["2024-03-05"], column="account_created_at", format=pattern).name.startswith("ISO 8601")
    with pytest.raises(InputError, match=r"as the format '%m\.%d\.%Y' says, found '2024-03-05'"):
        unit_of(["2024-03-05"], format=pattern)


@pytest.mark.parametrize(
    ("pattern", "text", "name"),
    [
        ("%F %H:%M", "2024-03-05 10:00", "%F %H:%M (no zone: read as Asia/Tokyo)"),
        ("%F %H:%M %z", "2024-03-05 10:00 +0900", "%F %H:%M %z"),
    ],
)
def test_the_zone_of_a_pattern_that_has_none_is_told(pattern, text, name):
    unit = unit_of([text, "soon"], format=pattern, zone="Asia/Tokyo")
    assert unit.name == name
    assert unit.parse(pl.Series([text]))[0] == DAY.replace(hour=1)
    assert unit_of([text], format=pattern).name == pattern


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["a", "b", "a", "c", "d"], "'a', 'b', 'c';"),
        ([" ", "", None, "y" * 70], f"'{'y' * 60}';"),
        (["", "  "], "blanks;"),
    ],
)
def test_what_is_no_time_is_shown_as_found(values, found):
    with pytest.raises(InputError) as caught:
        unit_of(values)
    assert f"should hold times, found {found} say how they are written" in str(caught.value)


def test_what_was_decided_is_counted_by_the_order_that_is_taken():
    times = pl.Series(["27/10/2024 02:30", "10/11/2024 02:30", "31/03/2024 02:30", "2024-10-27 02:30 CST"])
    unit = find_time_unit(times, column="t", source="f", options=TimeOptions(zone="Europe/Paris"))
    counts = ClockCounts()
    readings = unit.read(times, counts=counts)
    assert (unit.order, len(readings)) == ("DMY", 3)
    assert (counts.doubled, counts.skipped, counts.zones) == (1, 1, {"CST"})
    assert unit.own(readings).to_list() == [
        datetime(2024, 10, 27, 0, 30, tzinfo=UTC),
        datetime(2024, 11, 10, 1, 30, tzinfo=UTC),
        datetime(2024, 3, 31, 1, 30, tzinfo=UTC),
        datetime(2024, 10, 27, 8, 30, tzinfo=UTC),
    ]


def test_rows_tell_the_order_where_they_fit_one_best():
    def column(*days):
        moments = [None if day is None else DAY + timedelta(days=day) for day in days]
        return pl.Series(moments, dtype=pl.Datetime("ms", "UTC"))

    between = (DAY, DAY + timedelta(days=9))
    readings = Readings()
    # MDY and DMY fit four rows each and differ in two of them; YMD fits one row, and differs from both there.
    readings.add(
        (column(0, 9, 2, 3, 10), column(0, 9, 4, 5, -1), column(1, -1, 10, None, None)), between=between
    )
    assert readings.fits == {"MDY": 4, "DMY": 4, "YMD": 1}
    assert readings.differing == {("MDY", "DMY"): 2, ("MDY", "YMD"): 1, ("DMY", "YMD"): 1}
    assert (readings.best, readings.by_rows) == (("MDY", "DMY"), None)
    assert readings.as_well("MDY") == {"DMY": 2}
    assert readings.as_well("DMY") == {"MDY": 2}
    assert readings.as_well("YMD") == {"MDY": 1, "DMY": 1}
    readings.add((column(20), column(0), column(20)), between=between)
    assert (readings.fits["DMY"], readings.best, readings.by_rows) == (5, ("DMY",), "DMY")
    assert readings.as_well("DMY") == {}


def test_orders_in_which_no_row_differs_are_not_named():
    readings = Readings()
    same = pl.Series([DAY], dtype=pl.Datetime("ms", "UTC"))
    readings.add((same,) * len(ORDERS), between=(DAY, DAY))
    assert (readings.best, readings.by_rows, readings.as_well("MDY")) == (ORDERS, None, {})
    with pytest.raises(ValueError, match="shorter"):
        readings.add((same,), between=(DAY, DAY))  # rows are read in all orders, or not counted


def test_a_unit_is_judged_on_about_a_thousand_values():
    few = pl.Series([f"2020-09-{day:02d}" for day in range(1, 21)])
    assert _sample(pl.concat([few] * 500).shuffle(3)).to_list() == few.to_list()
    many = pl.Series(range(100_000))
    assert 800 < len(_sample(many)) < 1200
    assert set(_sample(many)) == set(_sample(many.reverse()))
    assert _sample(many.head(1000)).equals(many.head(1000))
    doubled = pl.Series([k % 150 for k in range(2_000_000)])
    assert sorted(_sample(doubled)) == list(range(150))
