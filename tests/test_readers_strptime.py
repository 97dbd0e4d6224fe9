from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from propgraph.errors import InputError, UsageError
from propgraph.readers.read import read_log, read_logs
from propgraph.readers.times.strptime import shape_of_pattern
from propgraph.readers.times.written import read_written

MOMENT = datetime(2024, 3, 5, 15, 7, 9)


def read(text, pattern):
    ms = read_written(pl.Series([text]), (shape_of_pattern(pattern),)).ms
    assert len(ms) == 1  # a pattern says the order
    return ms[0].cast(pl.Datetime("ms"))[0]


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("%d.%m.%Y %H.%M.%S", "05.03.2024 15.07.09"),
        ("%d.%m.%Y %H.%M.%S", "5.3.2024   15.7.9"),
        ("%H:%M:%S le %d/%m/%y", "15:07:09 le 05/03/24"),
        ("%y%m%d%H%M%S", "240305150709"),
        ("%Y%m%dT%H%M%S", "20240305T150709"),
        ("%d %B %Y kl %H:%M:%S", "5 mars 2024 kl 15:07:09"),
        ("%A %d %b %Y, %I:%M:%S %p", "mardi 05 Mar. 2024, 03:07:09 pm"),
        ("on %D at %T", "on 03/05/24 at 15:07:09"),
        ("%F %T CST", "2024-03-05 15:07:09 CST"),
        ("%d/%m/%Y, %-H h %-M min %-S", "5/3/2024, 15 h 7 min 9"),
        ("100%% %F %T", "100% 2024-03-05 15:07:09"),
        ("(%F) [%T]", "(2024-03-05) [15:07:09]"),
        ("%Y-%m-%d %H:%M:%S %Z", "2024-03-05 16:07:09 CET"),
        ("%Y-%m-%d %H:%M:%S %z", "2024-03-05 16:07:09 +01:00"),
        ("%Y-%m-%d %H:%M:%S%z", "2024-03-05 15:07:09Z"),
    ],
)
def test_patterns(pattern, text):
    assert read(text, pattern) == MOMENT


def test_fractions_are_cut_to_milliseconds():
    assert read("2024-03-05 15:07:09.1239", "%F %T.%f") == MOMENT.replace(microsecond=123_000)
    assert read("2024-03-05 15:07:09,5", "%F %T,%f") == MOMENT.replace(microsecond=500_000)


@given(
    moment=st.datetimes(datetime(1990, 1, 1), datetime(2068, 1, 1)),
    date=st.sampled_from(["%Y-%m-%d", "%d/%m/%y", "%m/%d/%Y", "%d %b %Y", "%A, %B %d, %Y", "%Y%m%d", "%D"]),
    time=st.sampled_from(["%H:%M:%S", "%H:%M:%S.%f", "%I.%M.%S %p", "%H%M%S", "%T", "%H h %M m %S"]),
)
def test_what_python_writes_by_a_pattern_is_read_by_it(moment, date, time):
    pattern = f"{date} {time}"
    expected = moment.replace(microsecond=moment.microsecond // 1000 * 1000 if "%f" in time else 0)
    assert read(moment.strftime(pattern), pattern) == expected
    assert read(moment.strftime(pattern) + "0", pattern) in (None, expected)


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("%Y-%m-%d %Q", "does not know %Q"),
        ("%c", "does not know %c"),
        ("%s", "does not know %s"),
        ("%H:%M", "lacks the year"),
        ("%Y-%m %H:%M", "or the day"),
        ("%d %m %Y %d", "one part of the time twice"),
        ("%Y %y %m %d", "one part of the time twice"),
        ("%Y-%m-%d %I:%M", "%I and %p go together"),
        ("%Y-%m-%d %H:%M %p", "%I and %p go together"),
        ("%Y-%m-%d %M", "lacks the hour"),
        ("", "lacks the year"),
        ("YYYY-MM-DD", "lacks the year"),
        ("%Y-%m-%d %", "lacks"),
    ],
)
def test_a_pattern_that_says_no_time_is_told(pattern, told, tmp_path):
    if pattern.endswith("%"):
        assert read("2024-03-05 %", pattern) == datetime(2024, 3, 5)
        return
    with pytest.raises(UsageError, match=f"^time_format: .*{told}"):
        read_logs([tmp_path], time_format=pattern)


def log_of(path, *times, **columns):
    names = ["content_id", "account_id", "timestamp", *columns]
    rows = [
        ",".join([f"p{k}", "a", f'"{time}"', *(c[k] for c in columns.values())])
        for k, time in enumerate(times)
    ]
    path.write_text("\n".join([",".join(names), *rows]) + "\n")
    return path


def test_a_pattern_binds_the_posts_times_and_others_where_it_fits(tmp_path):
    path = log_of(
        tmp_path / "log.csv", "05.03.24 15h", "06.03.24 15h", "2024-03-05",
        account_created_at=["2020-01-01", "2020-01-02", "2020-01-03"],
    )  # fmt: skip
    log = read_logs([path], time_format="%d.%m.%y %Hh", time_zone="America/New_York")
    assert log.posts["timestamp"].to_list() == [datetime(2024, 3, day, 20, tzinfo=UTC) for day in (5, 6)]
    assert log.profiles["created_at"].to_list() == [datetime(2020, 1, day, 5, tzinfo=UTC) for day in (1, 2)]
    assert log.rejected["reason"].to_list() == ["timestamp: 2024-03-05 is not a time of this file's kind"]
    assert log.sources[0]["time_unit"] == "%d.%m.%y %Hh (no zone: read as America/New_York)"


def test_whole_numbers_have_patterns_too(tmp_path):
    frame = pl.DataFrame({"content_id": ["p"], "account_id": ["a"], "timestamp": [240305150709]})
    frame.write_parquet(tmp_path / "log.parquet")
    assert read_log(tmp_path / "log.parquet", time_format="%y%m%d%H%M%S")["timestamp"].to_list() == [
        MOMENT.replace(tzinfo=UTC)
    ]


def test_a_pattern_that_fits_no_row_and_times_of_no_kind_show_what_was_found(tmp_path):
    path = log_of(
        tmp_path / "log.csv", "Year 5 of Ana", "", "Year 5 of Ana", "Year 6 of Ana", "  ", "Year 7", "Year 8"
    )
    with pytest.raises(InputError) as caught:
        read_logs([path], time_format="%d.%m.%Y")
    assert str(caught.value) == (
        f"{path}: column 'timestamp' should hold times as the format '%d.%m.%Y' says, found 'Year 5 of Ana', "
        "'Year 6 of Ana', 'Year 7'"
    )
    with pytest.raises(InputError) as caught:
        read_logs([path])
    assert str(caught.value) == (
        f"{path}: column 'timestamp' should hold times, found 'Year 5 of Ana', 'Year 6 of Ana', 'Year 7'; say how they "
        "are written with --time-format PATTERN (as for strptime, such as '%d.%m.%Y %H:%M') and, where they have no "
        "zone, --time-zone ZONE (in Python: time_format=, time_zone=); or map another column with --map "
        "timestamp=COLUMN (in Python: mapping=)"
    )


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("%m-%d", "lacks the year"),
        ("%Y %d", "the month"),
        ("%Y %m", "or the day"),
        ("%Y %y", "one part of the time twice"),
        ("%b %m", "one part of the time twice"),
        ("%F %H %z %Z", "one part of the time twice"),
        ("%F %H %I %p", "one part of the time twice"),
        ("%F %p", "%I and %p go together"),
        ("%F %S", "lacks the hour"),
        ("%F %f", "lacks the hour"),
    ],
)
def test_what_a_pattern_lacks_or_says_twice_is_told(pattern, told):
    with pytest.raises(UsageError, match=told):
        shape_of_pattern(pattern)


@pytest.mark.parametrize("pattern", ["%F", "%d %b %y", "%y%m%d", "%m/%d/%Y %H", "%F %I %p", "%F %H%M"])
def test_a_pattern_needs_no_more_than_a_day(pattern):
    moment = datetime(2024, 3, 5, 15 if "H" in pattern or "I" in pattern else 0, 7 if "M" in pattern else 0)
    assert read(moment.strftime(pattern), pattern) == moment
