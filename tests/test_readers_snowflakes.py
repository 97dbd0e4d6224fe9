from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl

from propgraph.readers.posts.snowflakes import with_id_times
from propgraph.schema import TIME

X = (22, 1_288_834_974_657)
NOON = datetime(2024, 3, 5, 12, tzinfo=UTC)


def snowflake(time):
    return str(((int(time.timestamp() * 1000) - X[1]) << X[0]) + 77)


def frame(rows, **more):
    ids, times = zip(*rows, strict=True)
    return pl.DataFrame({"content_id": ids, "timestamp": pl.Series(times, dtype=TIME)} | more)


def after(**delta):
    return NOON + timedelta(**delta)


def test_an_id_known_from_elsewhere_holds_its_time():
    # The worked example of the encyclopaedias: this id was given out on 28 June 2022 at 16:07:40.105 UTC.
    posts, exact, other = with_id_times(
        frame([("1541815603606036480", datetime(2022, 6, 28, 16, 7, 40, tzinfo=UTC))]), X
    )
    assert posts["timestamp"].to_list() == [datetime(2022, 6, 28, 16, 7, 40, 105_000, tzinfo=UTC)]
    assert (exact, other) == (1, 0)


def test_digits_are_added_and_nothing_else_is_changed():
    rows = [
        (snowflake(after(milliseconds=250)), NOON),  # cut to seconds, or minutes
        (snowflake(after(seconds=59, milliseconds=999)), NOON),  # cut to minutes
        (snowflake(after(minutes=1)), NOON),  # too late for either
        (snowflake(after(milliseconds=-1)), NOON),  # too early
        (snowflake(after(seconds=1, milliseconds=5)), after(seconds=1)),
        (snowflake(after(seconds=2, milliseconds=5)), after(seconds=1)),
        (snowflake(after(milliseconds=7)), after(milliseconds=7)),  # exact already
        (snowflake(after(milliseconds=8)), after(milliseconds=7)),
        ("20", datetime(2006, 3, 21, tzinfo=UTC)),  # before there were such ids
        ("p7", NOON),
        ("-5", NOON),
        ("99999999999999999999999", NOON),
    ]
    posts, exact, other = with_id_times(frame(rows), X)
    expected = [time for _, time in rows]
    for row, time in ((0, after(milliseconds=250)), (1, after(seconds=59.999)), (4, after(seconds=1.005))):
        expected[row] = time
    assert posts["timestamp"].to_list() == expected
    assert posts["timestamp"].dtype == TIME
    assert (exact, other) == (3, 4)


def test_the_parents_time_comes_from_its_id_where_the_log_has_none():
    earlier = after(hours=-1, milliseconds=3)
    parents = pl.Series("parent_content_id", [snowflake(earlier), snowflake(earlier), "x", None])
    known = pl.Series("parent_timestamp", [None, NOON, None, None], dtype=TIME)
    rows = frame([("a", NOON)] * 4).with_columns(parents)
    posts, *_ = with_id_times(rows, X)
    assert posts["parent_timestamp"].to_list() == [earlier, earlier, None, None]
    posts, *_ = with_id_times(rows.with_columns(known), X)
    assert posts["parent_timestamp"].to_list() == [earlier, NOON, None, None]
