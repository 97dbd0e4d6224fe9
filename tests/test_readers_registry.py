from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path

import polars as pl
import pytest

from propgraph.errors import InputError, UnknownColumnsError, UsageError
from propgraph.readers.base import CANONICAL, REQUIRED
from propgraph.readers.read import read_logs
from propgraph.readers.registry import READERS, choose_reader, parse_mapping

FIXTURES = Path(__file__).parent / "fixtures"


def read(name, **options):
    log = read_logs([FIXTURES / name], **options)
    assert log.n_rows == sum(source["rows"] for source in log.sources)
    return log


def rows(log, *columns):
    return log.posts.select(
        pl.col(name).cast(pl.String) if name != "urls" else name for name in columns
    ).rows()


def test_coortweet():
    log = read("coortweet.csv")
    assert [source["reader"] for source in log.sources] == ["coortweet"]
    assert rows(log, "content_id", "account_id", "object_id") == [
        ("p1", "1234567890123456789", "https://mill.example/a"),
        ("p1", "1234567890123456789", "https://mill.example/b"),
        ("p2", "1234567890123456788", "https://mill.example/a"),
    ]
    assert log.posts["timestamp"].dt.timestamp("ms").to_list() == [1_600_000_000_000] * 2 + [
        1_600_000_030_000
    ]


def test_qut():
    log = read("qut.csv")
    assert [source["reader"] for source in log.sources] == ["qut"]
    assert rows(log, "content_id", "account_id", "kind", "parent_content_id", "urls", "text") == [
        ("m1", "u1", "original", None, ["https://mill.example/a", "https://mill.example/b"], "Look, here: https://mill.example/a"),
        ("m2", "u2", "reshare", "m1", None, "RT"),
        ("m3", "u3", "reply", "m1", None, 'No "way"'),
    ]  # fmt: skip
    assert log.profiles["name"].to_list() == ["Anna", "Ben", "Cleo"]


def test_hoaxy():
    log = read("hoaxy.csv")
    assert [source["reader"] for source in log.sources] == ["hoaxy"]
    assert rows(log, "content_id", "account_id", "kind", "origin_account_id", "platform") == [
        ("t1", "u1", "original", None, "x"),
        ("t2", "u2", "reshare", "u1", "x"),
        ("t3", "u3", "reply", "u1", "x"),
        ("t4", "u4", "quote", "u1", "x"),
        ("t5", "u5", "reshare", None, "x"),  # a mention: the author stands at `from`
    ]
    assert log.posts["urls"].to_list() == [["https://mill.example/a"]] * 5


def test_columns_of_ones_own_by_mapping():
    mapping = {"account_id": "who", "timestamp": "when", "hashtags": "tags", "url": "link"}
    log = read("own.ndjson", mapping=mapping)
    assert [source["reader"] for source in log.sources] == ["columns"]
    assert [source["time_unit"] for source in log.sources] == ["ISO 8601"]
    assert rows(log, "account_id", "urls") == [
        ("1234567890123456789", None),
        ("b", ["https://mill.example/a"]),
    ]
    assert log.posts["hashtags"].to_list() == [["mill", "fake"], None]
    assert log.posts["timestamp"].dt.timestamp("ms").to_list() == [1_600_000_000_000, 1_600_000_010_000]
    assert [note.split(": ", 1)[1] for note in log.notes] == [
        "no post ids; made from account, time and content (post:...)"
    ]


def test_a_mapping_reads_what_is_mapped_and_by_the_word_auto_what_has_the_right_name_too():
    log = read("coortweet.csv", mapping={"timestamp": "timestamp_share", "auto": "auto"})
    assert [source["reader"] for source in log.sources] == ["columns"]
    assert set(log.posts.columns) == {"content_id", "account_id", "timestamp", "object_id", "source", "line"}
    assert log.notes == []
    log = read("coortweet.csv", mapping={"timestamp": "timestamp_share", "account_id": "account_id"})
    assert set(log.posts.columns) == {"content_id", "account_id", "timestamp", "source", "line"}
    assert log.posts["content_id"].str.starts_with("post:").all()
    assert [note.split("coortweet.csv: ")[-1] for note in log.notes] == [
        "object_id, content_id: not mapped, so not read, though propgraph has columns of that name; "
        "--map auto (in Python: mapping={'auto': 'auto'}) reads them, too",
        "no post ids; made from account, time and content (post:...)",
        "1 rows without a post id say the same as another; each counts as a post of its own, so if a file was given "
        "twice, or two files overlap, leave one out",
    ]
    with pytest.raises(
        InputError, match=r"no column for account_id\. The log calls account_id so itself: add --map auto"
    ):
        read("coortweet.csv", mapping={"timestamp": "timestamp_share"})


def test_what_each_mapped_column_gave_is_told():
    mapping = {"account_id": "who", "timestamp": "when", "hashtags": "tags", "url": "link"}
    assert read("own.ndjson", mapping=mapping).sources[0]["columns"] == {
        "account_id": {"column": "who", "rows": 2},
        "timestamp": {"column": "when", "rows": 2},
        "hashtags": {"column": "tags", "rows": 1, "lists": "written as [...]"},
        "url": {"column": "link", "rows": 1},
    }
    assert "columns" not in read("coortweet.csv").sources[0]


def test_format_overrules_what_is_found(tmp_path):
    table = pl.read_csv(FIXTURES / "coortweet.csv").with_columns(timestamp=pl.lit(1_500_000_000))
    table.write_csv(tmp_path / "both.csv")
    years = {
        name: read_logs([tmp_path / "both.csv"], format=name).posts["timestamp"].dt.year().unique().to_list()
        for name in (None, "coortweet", "columns")
    }
    assert years == {None: [2020], "coortweet": [2020], "columns": [2017]}


LAYOUTS = [(reader.name, layout) for reader in READERS.values() for layout in reader.layouts]


@pytest.mark.parametrize(
    ("name", "layout"), LAYOUTS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_each_layout_is_known_beside_columns_of_ones_own(name, layout):
    found = [*layout, *READERS[name].uses, *CANONICAL] if name == "columns" else [*layout, *REQUIRED]
    assert choose_reader(found, source="f", nested=READERS[name].rows is not None).name == name


def test_a_layout_that_is_part_of_another_gives_way():
    both = [*READERS["coortweet"].layouts[0], *READERS["qut"].layouts[0]]
    with pytest.raises(
        InputError, match=r"2 readers know these columns: coortweet \(.*; qut \(.*--format coortweet"
    ):
        choose_reader(both, source="f")
    assert choose_reader([*both, *REQUIRED], source="f", format="qut").name == "qut"


def test_every_reader_gives_columns_that_are_known():
    for name, reader in READERS.items():
        assert name == reader.name
        assert set(reader.fields) <= set(CANONICAL)
        if reader.rows is None:
            raw = pl.DataFrame(schema=dict.fromkeys(reader.reads, pl.String))
            assert set(reader.canonical(raw).columns) == set(reader.fields)


def test_a_reader_of_nested_json_is_none_for_tables():
    name, layout = next((name, layout) for name, layout in LAYOUTS if READERS[name].rows)
    with pytest.raises(InputError, match=f"the format {name} reads no tables, and this is one"):
        choose_reader(list(layout), source="f", format=name)


def test_columns_that_no_reader_knows_are_listed_and_what_else_was_tried_for_who_asks():
    found = ["Page", "Author Id", "publish_date", "link"]
    with pytest.raises(UnknownColumnsError) as error:
        choose_reader(found, source="log.csv")
    assert str(error.value) == (
        "log.csv: no known format has these columns. Found: Page, Author Id, publish_date, link."
    )
    assert "columns misses account_id, timestamp" in error.value.details


def test_a_wide_table_is_listed_in_part():
    with pytest.raises(UnknownColumnsError, match=r"c11 and 988 more\.$") as error:
        choose_reader([f"c{n}" for n in range(1000)], source="f")
    assert "c49 and 950 more" in error.value.details
    with pytest.raises(InputError, match="Found: none"):
        choose_reader([], source="f")


def test_the_wrong_format_says_what_is_missing():
    with pytest.raises(
        InputError,
        match=r"Found: account_id, timestamp\. coortweet misses object_id, content_id, timestamp_share",
    ):
        choose_reader(["account_id", "timestamp"], source="f", format="coortweet")


def test_an_unknown_format_is_bad_usage():
    with pytest.raises(UsageError, match=r"^format: 'cortweet' is not one of .*did you mean 'coortweet'"):
        choose_reader(["account_id"], source="f", format="cortweet")


def test_a_mapping_of_a_known_format_is_bad_usage():
    with pytest.raises(UsageError, match=r"^format: the columns of qut are known"):
        choose_reader(["user"], source="f", format="qut", mapping={"account_id": "user"})
    assert (
        choose_reader(
            ["u", "t"], source="f", format="columns", mapping={"account_id": "u", "timestamp": "t"}
        ).name
        == "columns"
    )


def test_a_mapping_to_a_column_that_is_not_there():
    with pytest.raises(
        InputError,
        match=r"f: no column 'usr' \(did you mean 'user'\?\); found user, when.*--map account_id=",
    ):
        choose_reader(["user", "when"], source="f", mapping={"account_id": "usr"})


def test_a_mapping_that_leaves_something_out():
    with pytest.raises(UnknownColumnsError, match=r"f: no column for timestamp. Found: user, created\.$"):
        choose_reader(["user", "created"], source="f", mapping={"account_id": "user"})


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (["account_id"], "write NAME=COLUMN"),
        (["account_id="], "write NAME=COLUMN"),
        (["acount_id=user"], "did you mean 'account_id'"),
        (["atuo"], "did you mean 'auto'"),
        (["reply_to=user"], "did you mean 'reply_of'"),
        (["account_id=a", "account_id=b"], "account_id is mapped already"),
    ],
)
def test_words_that_are_no_mapping(pairs, message):
    with pytest.raises(UsageError, match=message):
        parse_mapping(pairs)


def test_a_mapping_in_python_is_checked_likewise():
    with pytest.raises(UsageError, match="did you mean 'account_id'"):
        choose_reader(["user", "when"], source="f", mapping={"acount_id": "user", "timestamp": "when"})


def test_a_column_may_have_an_equals_sign():
    assert parse_mapping(["account_id=a", "auto"]) == {"account_id": "a", "auto": "auto"}
    assert parse_mapping(["account_id=user", "text=a=b"]) == {"account_id": "user", "text": "a=b"}


# --- date and time in two columns -------------------------------------------------------------------------


def mapped(path, content, timestamp="date+time", **options):
    if isinstance(content, pl.DataFrame):
        content.write_parquet(path)
    else:
        path.write_text(content)
    return read_logs(
        [path], mapping={"account_id": "who", "timestamp": timestamp, "content_id": "id"}, **options
    )


def test_date_and_time_in_two_columns(tmp_path):
    head = "id,who,date,time,a+b\n"
    rows = [
        "p1,a,05/03/2024,10:00:05,1",
        "p2,b,15/03/2024,3:42 PM,2",
        "p3,c,15/03/2024,,3",
        "p4,d,,10:00,4",
        "p5,e,,,5",
    ]
    log = mapped(tmp_path / "log.csv", head + "\n".join(rows) + "\n")
    assert log.posts["timestamp"].to_list() == [
        datetime(2024, 3, 5, 10, 0, 5, tzinfo=UTC), datetime(2024, 3, 15, 15, 42, tzinfo=UTC),
    ]  # fmt: skip
    # A day without its time of day is not taken for midnight.
    assert log.rejected["reason"].to_list() == [
        "timestamp: 15/03/2024 (none) is not a time of this file's kind",
        "timestamp: (none) 10:00 is not a time of this file's kind",
        "timestamp: empty",
    ]
    assert log.sources[0]["columns"]["timestamp"] == {"column": "date+time", "rows": 2}


def test_a_column_whose_name_has_a_plus_comes_first(tmp_path):
    log = mapped(tmp_path / "log.csv", "id,who,date,time,date+time\np1,a,05/03/2024,10:00,1600000000\n")
    assert log.posts["timestamp"].to_list() == [datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC)]


def test_date_and_time_in_two_places_of_json(tmp_path):
    lines = '{"id":"p","who":"a","at":{"day":"5 mars 2024","clock":"10h30"}}\n'
    log = mapped(tmp_path / "log.ndjson", lines, "at.day+at.clock", time_zone="Europe/Paris")
    assert log.posts["timestamp"].to_list() == [datetime(2024, 3, 5, 9, 30, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("day", "clock"),
    [
        (date(2024, 3, 5), time(10, 30)),
        (datetime(2024, 3, 5), datetime(1899, 12, 31, 10, 30)),  # as spreadsheets hand them over
        (datetime(2024, 3, 5), "10:30 AM"),
        (20240305, "103000"),
        (20240305.0, 103000),
    ],
)
def test_date_and_time_in_two_columns_of_a_binary_file(tmp_path, day, clock):
    frame = pl.DataFrame({"id": ["p"], "who": ["a"], "date": [day], "time": [clock]})
    assert mapped(tmp_path / "log.parquet", frame).posts["timestamp"].to_list() == [
        datetime(2024, 3, 5, 10, 30, tzinfo=UTC)
    ]


def test_more_than_two_columns_by_a_pattern(tmp_path):
    log = mapped(
        tmp_path / "log.csv", "id,who,y,m,d,h\np,a,2024,3,5,10\n", "d+m+y+h", time_format="%d %m %Y %H"
    )
    assert log.posts["timestamp"].to_list() == [datetime(2024, 3, 5, 10, tzinfo=UTC)]


def test_a_part_that_is_not_there_is_told(tmp_path):
    with pytest.raises(
        InputError, match=r"no column 'tim' \(did you mean 'time'\?\);.*--map timestamp=COLUMN"
    ):
        mapped(tmp_path / "log.csv", "id,who,date,time\np,a,2024-03-05,10:00\n", "date+tim")
    with pytest.raises(InputError, match=r"no column 'date\+time' .*--map content_id=COLUMN"):
        read_logs(
            [tmp_path / "log.csv"],
            mapping={"account_id": "who", "timestamp": "date", "content_id": "date+time"},
        )
