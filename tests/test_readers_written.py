"""Any instant, written by an independent hand in any form, is read as that instant or rejected; never as another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from propgraph.errors import InputError
from propgraph.readers.read import read_logs
from propgraph.readers.times.times import find_time_unit
from propgraph.readers.times.written import ORDERS, SHAPES, find_layouts, read_written

ENGLISH = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
FRENCH = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
]
SHORT_FRENCH = [
    "janv.",
    "févr.",
    "mars",
    "avr.",
    "mai",
    "juin",
    "juil.",
    "août",
    "sept.",
    "oct.",
    "nov.",
    "déc.",
]
WEEKDAYS = {
    "en": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    "fr": ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"],
}
LAST = datetime(2024, 12, 31)


def plain(word):
    return word.translate(str.maketrans("éèûà", "eeua"))


MONTH_WORDS = [
    lambda m: ENGLISH[m - 1],
    lambda m: ENGLISH[m - 1][:3],
    lambda m: ENGLISH[m - 1][:3].upper() + ".",
    lambda m: FRENCH[m - 1],
    lambda m: plain(FRENCH[m - 1]).capitalize(),
    lambda m: SHORT_FRENCH[m - 1],
    lambda m: plain(SHORT_FRENCH[m - 1]).strip("."),
]
# The date, and whether the order of its numbers is open.
DATES = {
    "iso": (lambda t, w: f"{t.year}-{t.month:02d}-{t.day:02d}", False),
    "year/": (lambda t, w: f"{t.year}/{t.month}/{t.day}", False),
    "digits": (lambda t, w: t.strftime("%Y%m%d"), False),
    "american": (lambda t, w: f"{t.month}/{t.day}/{t.year}", True),
    "american 0": (lambda t, w: t.strftime("%m/%d/%Y"), True),
    "american short": (lambda t, w: f"{t.month}/{t.day}/{t:%y}", True),
    "british": (lambda t, w: f"{t.day}/{t.month}/{t.year}", True),
    "british short": (lambda t, w: t.strftime("%d/%m/%y"), True),
    "dutch": (lambda t, w: t.strftime("%d-%m-%Y"), True),
    "german": (lambda t, w: f"{t.day}.{t.month}.{t.year}", False),
    "german short": (lambda t, w: t.strftime("%d.%m.%y"), True),
    "year first, short": (lambda t, w: t.strftime("%y-%m-%d"), True),
    "day month": (lambda t, w: f"{t.day} {w(t.month)} {t.year}", False),
    "day-month": (lambda t, w: f"{t.day:02d}-{w(t.month)}-{t.year}", False),
    "day-month short": (lambda t, w: f"{t.day:02d}-{w(t.month)}-{t:%y}", True),
    "month day": (lambda t, w: f"{w(t.month)} {t.day}, {t.year}", False),
    "month day short": (lambda t, w: f"{w(t.month)} {t.day} {t.year}", False),
}
TIMES = [
    lambda t: f"{t:%H:%M:%S}",
    lambda t: f"{t:%H:%M:%S}.{t.microsecond // 1000:03d}",
    lambda t: f"{t:%H:%M:%S},{t.microsecond // 1000:03d}",
    lambda t: f"{t:%H:%M}",
    lambda t: f"{t.hour}:{t:%M:%S}",
    lambda t: f"{(t.hour + 11) % 12 + 1}:{t:%M:%S} {'AM' if t.hour < 12 else 'PM'}",
    lambda t: f"{t:%I:%M} {'a.m.' if t.hour < 12 else 'p.m.'}",
    lambda t: f"{t:%I:%M:%S}{'am' if t.hour < 12 else 'pm'}",
]
ZONES = [
    (lambda t: "", None),
    (lambda t: " Z", 0),
    (lambda t: " UTC", 0),
    (lambda t: " +0000", 0),
    (lambda t: " +05:30", 330),
    (lambda t: "-0330", -210),
    (lambda t: " GMT+2", 120),
    (lambda t: " UTC-07:00", -420),
    (lambda t: " CET", 60),
    (lambda t: " EDT", -240),
]
GLUE = [" ", ", ", "T", " - "]


@st.composite
def forms(draw):
    """A way to write an instant (as its local time), its zone in minutes, and whether its order is open."""
    date, open_order = DATES[draw(st.sampled_from(sorted(DATES)))]
    word = draw(st.sampled_from(MONTH_WORDS))
    time = draw(st.sampled_from(TIMES))
    zone, minutes = draw(st.sampled_from(ZONES))
    glue = draw(st.sampled_from(GLUE))
    weekday = draw(st.sampled_from([None, "en", "fr", "Mon"]))

    def write(local):
        day = date(local, word)
        if weekday == "Mon":
            day = f"{WEEKDAYS['en'][local.weekday()][:3]}, {day}"
        elif weekday:
            day = f"{WEEKDAYS[weekday][local.weekday()]} {day}"
        return f"{day}{glue}{time(local)}{zone(local)}"

    has_seconds = "%S" in time.__code__.co_consts or ":56" in time(datetime(2020, 1, 1, 12, 34, 56))
    has_ms = "789" in time(datetime(2020, 1, 1, 12, 34, 56, 789000))
    return write, timezone(timedelta(minutes=minutes or 0)), open_order, has_seconds, has_ms


instants = st.datetimes(datetime(1990, 1, 3), LAST)


def as_kept(local, has_seconds, has_ms):
    ms = local.microsecond // 1000 * 1000 if has_ms else 0
    return local.replace(second=local.second if has_seconds else 0, microsecond=ms)


@settings(max_examples=100)
@given(form=forms(), moments=st.lists(instants, min_size=1, max_size=8))
def test_what_is_written_is_read_or_rejected_and_never_taken_for_another_instant(
    form, moments, tmp_path_factory
):
    write, zone, open_order, has_seconds, has_ms = form
    path = tmp_path_factory.mktemp("written") / "log.csv"
    lines = [f'p{k};a;"{write(local)}"\n' for k, local in enumerate(moments)]
    path.write_text("content_id;account_id;timestamp\n" + "".join(lines), encoding="utf-8")
    log = read_logs([path])
    assert log.n_rows == len(moments)
    expected = {
        f"p{k}": as_kept(local, has_seconds, has_ms).replace(tzinfo=zone) for k, local in enumerate(moments)
    }
    found = dict(log.posts.select("content_id", "timestamp").iter_rows())
    if not open_order:
        assert found == expected
        assert not any("cannot tell" in note for note in log.notes)
    elif found != expected:  # it could be read in another order, even with its weekday, and that is told
        assert any("cannot tell" in note and "as many rows fit" in note for note in log.notes)


words = st.sampled_from([
    "5", "12", "24", "31", "99", "2024", "05", "03", "13", "Mar", "mars", "févr.", "Tue", "mardi", "10:00", "10:00:05",
    "3:42", "AM", "PM", "p.m.", "Z", "UTC", "+01:00", "CET", "CST", "GMT+2", "/", "-", ".", ",", "at", "à", "de", "le",
    "Di", "UT", "the", "st", "T", "20240305", "100000", "(", ")", "|", "·", "é", "x",
])  # fmt: skip


@settings(max_examples=30)
@given(st.lists(st.lists(words, min_size=1, max_size=9).map(" ".join), min_size=20, max_size=50), st.data())
@example(["5 mars 2024 10:00", "12 mars 2024 10:00"], None)
@example(["5 mars 2024 10:00 UT", "5 mars 2024 10:00 PM", "5 mars 2024 10:00 am"], None)
@example(["Tue 5 Mar 2024", "the 5 Mar 2024", "Wed 5 Mar 2024", "le 5 Mar 2024", "Di 5 Mar 2024"], None)
def test_where_the_parts_stand_saves_time_and_changes_nothing(texts, data):
    if data is not None:
        texts = [text.replace(" ", "") if data.draw(st.booleans()) else text for text in texts]
    column = pl.Series(texts)
    layouts = [layout for layout, _ in find_layouts(column, SHAPES)]
    slow, fast = read_written(column, SHAPES), read_written(column, SHAPES, layouts)
    assert [ms.to_list() for ms in slow.ms] == [ms.to_list() for ms in fast.ms]
    assert (slow.naive.to_list(), slow.zones) == (fast.naive.to_list(), fast.zones)


@pytest.mark.parametrize("n", [1, 999, 70_000, 200_000])
def test_long_columns_and_repeated_times_are_read_as_each_alone(n):
    texts = pl.Series(
        [f"{k % 12 + 1}/{k % 28 + 1}/2024 {k % 24}:{k % 60:02d}" for k in range(n - 1)] + ["soon"]
    )
    (one, other, _) = read_written(texts, SHAPES).ms if n > 1 else (read_written(texts, SHAPES).ms[0],) * 3
    for k in (0, n // 2, n - 2, n - 1):
        alone = read_written(texts.slice(k, 1), SHAPES).ms
        assert one[k] == alone[0][0]
        assert other[k] == alone[-1 if len(alone) == 1 else 1][0]


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("3/5/2024", ((3, 5), (5, 3), None)),
        ("3-5-2024", ((3, 5), (5, 3), None)),
        ("15/3/2024", (None, (3, 15), None)),
        ("3.5.2024", ((5, 3), (5, 3), (5, 3))),
    ],
)
def test_the_orders_of_numbers_with_a_long_year(text, readings):
    ms = read_written(pl.Series([text]), SHAPES).ms
    ms = ms * 3 if len(ms) == 1 else ms
    found = [None if one[0] is None else datetime.fromtimestamp(one[0] / 1000, UTC) for one in ms]
    assert [one and (one.month, one.day) for one in found] == list(readings)


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("3/5/24", ("2024-03-05", "2024-05-03", None)),
        ("03/05/24", ("2024-03-05", "2024-05-03", "2003-05-24")),
        ("03.05.24", ("2024-05-03", "2024-05-03", "2003-05-24")),
        ("03-May-24", ("2024-05-03", "2024-05-03", "2003-05-24")),
        ("01/02/68", ("2068-01-02", "2068-02-01", None)),
        ("01/02/69", ("1969-01-02", "1969-02-01", None)),
    ],
)
def test_the_orders_of_numbers_with_a_short_year(text, readings):
    found = [
        one.cast(pl.Datetime("ms")).dt.to_string("%Y-%m-%d")[0]
        for one in read_written(pl.Series([text]), SHAPES).ms
    ]
    assert found == list(readings)
    assert len(ORDERS) == 3


def notes_of(tmp_path, *texts):
    path = tmp_path / "log.csv"
    path.write_text(
        "content_id;account_id;timestamp\n" + "".join(f"p{k};a;{text}\n" for k, text in enumerate(texts))
    )
    log = read_logs([path])
    return log.sources[0]["time_unit"], [note.split(": ", 1)[1] for note in log.notes]


def test_all_rows_tell_where_a_short_year_stands(tmp_path):
    assert notes_of(tmp_path, "24/03/05", "24/03/31", "23/12/29") == ("YY/M/D", [])
    assert notes_of(tmp_path, "05/03/24", "31/03/24") == ("D/M/YY", [])
    assert notes_of(tmp_path, "05-Mar-24", "31-Mar-24") == ("D Mmm YY", [])
    assert notes_of(tmp_path, "3/5/24 10:00 PM", "3/15/24 1:00 AM") == ("M/D/YY H:MM AM/PM", [])
    unit, (note,) = notes_of(tmp_path, "01/02/03")
    assert unit == "M/D/YY"
    assert "as D/M/YY as many rows fit (1 rows then have another time) and as YY/M/D as many rows fit" in note


def test_files_that_cannot_tell_where_a_short_year_stands_follow_those_that_can(tmp_path):
    for name, text in {"a": "01/02/03", "b": "24/03/31", "c": "1/2/2003"}.items():
        (tmp_path / f"{name}.csv").write_text(f"content_id,account_id,timestamp\n{name},x,{text}\n")
    log = read_logs([tmp_path])
    assert dict(log.posts.select("content_id", "timestamp").iter_rows()) == {
        "a": datetime(2001, 2, 3, tzinfo=UTC),
        "b": datetime(2024, 3, 31, tzinfo=UTC),
        "c": datetime(2003, 1, 2, tzinfo=UTC),  # a long year is never read so
    }
    assert [source["time_unit"] for source in log.sources] == ["YY/M/D", "YY/M/D", "M/D/YYYY"]
    assert sum("a.csv: timestamp: read as YY/M/D, so do other files here" in note for note in log.notes) == 1


def test_what_abbreviations_of_zones_are_taken_for_is_told(tmp_path):
    unit, (note,) = notes_of(
        tmp_path, "2024-03-05 10:00 CST", "2024-03-05 10:00 CET", "2024-03-05 10:00 (IST)"
    )
    assert unit == "ISO 8601"
    assert note == (
        "timestamp: zones by their abbreviations: CST as UTC-06:00 (North America's central time, not China's or "
        "Cuba's), IST as UTC+05:30 (India's time, not Israel's or Ireland's); where that is wrong, put the "
        "abbreviation into --time-format and say the zone with --time-zone (in Python: time_format=, time_zone=)"
    )


def test_hostile_texts_take_no_time():
    texts = pl.Series(
        ["5" + " " * 100_000 + "x", "(" * 100_000, "2024-03-05" + " 10:00" * 20_000, "é" * 100_000]
    )
    with pytest.raises(InputError, match="should hold times"):
        find_time_unit(texts, column="t", source="f")


def test_files_none_of_which_tells_the_order_alone_tell_it_together(tmp_path):
    # The first reads in every order; the second not with the month first, but with the day or the year.
    days = {"a": ["3/5/24", "4/5/24"], "b": ["13/5/24", "14/5/24"]}
    for name, dates in days.items():
        rows = "".join(f"{name}{k},u,{date} 10:00\n" for k, date in enumerate(dates))
        (tmp_path / f"{name}.csv").write_text(f"content_id,account_id,timestamp\n{rows}")
    log = read_logs([tmp_path])
    by_id = dict(log.posts.select("content_id", pl.col("timestamp").dt.date().cast(pl.String)).iter_rows())
    assert by_id == {"a0": "2024-05-03", "a1": "2024-05-04", "b0": "2024-05-13", "b1": "2024-05-14"}
    [note] = [note for note in log.notes if "a.csv: timestamp" in note]
    assert "read as D/M/YY H:MM, so do other files here" in note
    assert log.posts.equals(read_logs([tmp_path / "b.csv", tmp_path / "a.csv"]).posts)
