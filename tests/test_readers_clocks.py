from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from propgraph.errors import UsageError
from propgraph.readers.read import read_logs
from propgraph.readers.times import clocks
from propgraph.readers.times.clocks import ClockCounts, check_time_zone, to_utc


def in_utc(local, zone):
    counts = ClockCounts()
    found = to_utc(pl.Series([local], dtype=pl.Datetime("ms")), zone, counts=counts)
    return found.to_list()[0], counts.doubled, counts.skipped


def test_clocks_put_forward_and_back():
    # Paris, 2024: from 02:00 to 03:00 on 31 March, from 03:00 back to 02:00 on 27 October.
    assert in_utc(datetime(2024, 3, 31, 1, 59), "Europe/Paris") == (
        datetime(2024, 3, 31, 0, 59, tzinfo=UTC),
        0,
        0,
    )
    assert in_utc(datetime(2024, 3, 31, 2, 30), "Europe/Paris") == (
        datetime(2024, 3, 31, 1, 30, tzinfo=UTC),
        0,
        1,
    )
    assert in_utc(datetime(2024, 3, 31, 3, 30), "Europe/Paris") == (
        datetime(2024, 3, 31, 1, 30, tzinfo=UTC),
        0,
        0,
    )
    assert in_utc(datetime(2024, 10, 27, 2, 30), "Europe/Paris") == (
        datetime(2024, 10, 27, 0, 30, tzinfo=UTC),
        1,
        0,
    )
    assert in_utc(datetime(2024, 10, 27, 3, 0), "Europe/Paris") == (
        datetime(2024, 10, 27, 2, 0, tzinfo=UTC),
        0,
        0,
    )
    # Samoa left out 30 December 2011.
    assert in_utc(datetime(2011, 12, 30, 12), "Pacific/Apia") == (
        datetime(2011, 12, 30, 22, tzinfo=UTC),
        0,
        1,
    )
    assert in_utc(datetime(2024, 3, 31, 2, 30), None) == (datetime(2024, 3, 31, 2, 30, tzinfo=UTC), 0, 0)
    assert in_utc(None, "Europe/Paris") == (None, 0, 0)


@given(
    local=st.datetimes(datetime(1990, 1, 1), datetime(2035, 1, 1)),
    zone=st.sampled_from(["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]),
)
@example(datetime(2024, 4, 7, 1, 45), "Australia/Lord_Howe")  # put back by half an hour
@example(datetime(2024, 10, 6, 2, 15), "Australia/Lord_Howe")
def test_local_times_are_taken_as_pythons_zoneinfo_takes_them(local, zone):
    local = local.replace(microsecond=0)
    # PEP 495: the earlier of two times, and a time that is left out by the offset before.
    expected = local.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)
    found, doubled, skipped = in_utc(local, zone)
    assert found == expected
    other = local.replace(tzinfo=ZoneInfo(zone), fold=1).astimezone(UTC)
    assert (doubled, skipped) == (int(other > expected), int(other < expected))


def test_times_far_off_do_no_harm():
    far = pl.Series([3_000_000_000_000_000, -3_000_000_000_000_000]).cast(pl.Datetime("ms"))
    assert to_utc(far, "Europe/Paris").null_count() == 0


@pytest.mark.parametrize("zone", ["Europe/Pariss", "", "Mars/Olympus", "../../etc/passwd", "CEST"])
def test_a_zone_that_is_none_is_told(zone):
    with pytest.raises(UsageError, match=r"^time_zone: .*no zone of the IANA database"):
        check_time_zone(zone)


def test_a_zone_near_the_one_meant_is_told():
    with pytest.raises(UsageError, match="did you mean 'Europe/Paris'"):
        check_time_zone("Europe/Pari")


def test_a_zone_holds_for_times_that_have_none_and_what_was_decided_is_counted(tmp_path):
    path = tmp_path / "log.csv"
    times = [
        "2024-07-05 10:00", "2024-01-05 10:00", "2024-07-05T10:00:00Z", "2024-07-05 10:00 -0500", "27.10.2024 02:30",
        "31.03.2024, 02:30", "5 juillet 2024", "soon",
    ]  # fmt: skip
    rows = "".join(f'p{k},a,"{time}"\n' for k, time in enumerate(times))
    path.write_text("content_id,account_id,timestamp\n" + rows)
    log = read_logs([path], time_zone="Europe/Paris")
    assert dict(log.posts.select("content_id", "timestamp").iter_rows()) == {
        "p0": datetime(2024, 7, 5, 8, tzinfo=UTC),
        "p1": datetime(2024, 1, 5, 9, tzinfo=UTC),
        "p2": datetime(2024, 7, 5, 10, tzinfo=UTC),
        "p3": datetime(2024, 7, 5, 15, tzinfo=UTC),
        "p4": datetime(2024, 10, 27, 0, 30, tzinfo=UTC),
        "p5": datetime(2024, 3, 31, 1, 30, tzinfo=UTC),
        "p6": datetime(2024, 7, 4, 22, tzinfo=UTC),
    }
    assert log.sources[0]["time_unit"] == "ISO 8601 (no zone: read as Europe/Paris)"
    assert [note.removeprefix(f"{path}: ") for note in log.notes] == [
        "timestamp: 1 times are shown twice by the clocks of Europe/Paris, which were put back; taken as the earlier "
        "of the two",
        "timestamp: 1 times are never shown by the clocks of Europe/Paris, which were put forward; taken as by a clock "
        "that had not been",
    ]


def test_a_zone_holds_for_columns_of_times_but_not_for_unix_times(tmp_path):
    noon = datetime(2024, 7, 5, 12)
    columns = {
        "naive": ([noon], datetime(2024, 7, 5, 10, tzinfo=UTC)),
        "zoned": ([noon.replace(tzinfo=UTC)], noon.replace(tzinfo=UTC)),
        "dates": ([noon.date()], datetime(2024, 7, 4, 22, tzinfo=UTC)),
        "unix": ([1_720_180_800], noon.replace(tzinfo=UTC)),
    }
    for name, (values, expected) in columns.items():
        path = tmp_path / f"{name}.parquet"
        pl.DataFrame({"content_id": ["p"], "account_id": ["a"], "timestamp": values}).write_parquet(path)
        log = read_logs([path], time_zone="Europe/Paris")
        assert log.posts["timestamp"].to_list() == [expected]
        assert ("Europe/Paris" in log.sources[0]["time_unit"]) == (name in ("naive", "dates"))


def test_one_zone_for_all_files_does_not_change_how_far_apart_posts_are():
    local = pl.Series(
        [datetime(2024, 7, 5, 12) + timedelta(minutes=k) for k in range(100)], dtype=pl.Datetime("ms")
    )
    apart = to_utc(local, "Asia/Kolkata").diff().drop_nulls().unique().to_list()
    assert apart == [timedelta(minutes=1)]


@pytest.mark.parametrize(
    ("minutes", "shown"), [(0, "UTC+00:00"), (330, "UTC+05:30"), (-210, "UTC-03:30"), (-1, "UTC-00:01")]
)
def test_offsets_are_shown_as_hours_and_minutes(minutes, shown):
    assert clocks._shown(minutes) == shown


def test_nothing_decided_nothing_told():
    assert ClockCounts().notes("Europe/Paris") == []


def test_what_abbreviations_are_taken_for_is_told_with_their_offsets():
    [note] = ClockCounts(zones={"PST", "IST", "BST"}).notes(None)
    assert note == (
        "zones by their abbreviations: BST as UTC+01:00 (British summer time, not Bangladesh's), IST as UTC+05:30 "
        "(India's time, not Israel's or Ireland's), PST as UTC-08:00 (North America's Pacific time, not the "
        "Philippines'); where that is wrong, put the abbreviation into --time-format and say the zone with --time-zone "
        "(in Python: time_format=, time_zone=)"
    )


def test_what_was_decided_is_counted_over_all_parts_of_a_file():
    counts = ClockCounts()
    doubled, skipped = datetime(2024, 10, 27, 2, 30), datetime(2024, 3, 31, 2, 30)
    for local in ([doubled, doubled, None, skipped], [doubled], [datetime(2024, 7, 1)]):
        to_utc(pl.Series(local, dtype=pl.Datetime("ms")), "Europe/Paris", counts=counts)
    assert (counts.doubled, counts.skipped) == (3, 1)
    assert [note[:30] for note in counts.notes("Europe/Paris")] == [
        "3 times are shown twice by the",
        "1 times are never shown by the",
    ]
