from __future__ import annotations

import gzip
import io
import json
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from same_tables import PLACES

from propgraph.errors import InputError
from propgraph.readers import rows
from propgraph.readers.layouts import nested, tabular
from propgraph.readers.read import read_log, read_logs
from propgraph.schema import POSTS, REJECTED

HEAD = "content_id,account_id,timestamp"


def zstd(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return sink.getvalue().to_pybytes()


def log_of(path, content, **options):
    """Read one file and see that no row is lost."""
    if isinstance(content, pl.DataFrame):
        content.write_parquet(path)
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    log = read_logs([path], **options)
    assert log.rejected.schema == REJECTED.dtypes
    assert log.n_rows == log.posts.height + log.rejected.height == log.sources[0]["rows"]
    assert set(log.rejected["source"].unique()) <= {str(path)}
    return log


def reasons(log):
    return log.rejected.select("line", "reason").rows()


def ids(log, *columns):
    return log.posts.select(
        pl.col(name).cast(pl.String) for name in columns or ("content_id", "account_id")
    ).rows()


# --- which of two numbers is the day ---------------------------------------------------------------------


def slashed(dates, post="p"):
    lines = [
        f"{post}{k},u{k % 7},{day:02d}/{month:02d}/2020 {k // 60 % 24:02d}:{k % 60:02d}"
        for k, (day, month) in enumerate(dates)
    ]
    return "\n".join([HEAD, *lines]) + "\n"


def read_by_hand(dates):
    """Try both readings on every row and take the one that more rows fit, the month first in a tie."""

    def dated(k, pair, day_first):
        day, month = pair if day_first else pair[::-1]
        try:
            return datetime(2020, month, day, k // 60 % 24, k % 60, tzinfo=UTC)
        except ValueError:
            return None

    both = [[dated(k, pair, day_first) for k, pair in enumerate(dates)] for day_first in (False, True)]
    return both[sum(t is not None for t in both[1]) > sum(t is not None for t in both[0])]


def times_by_post(log):
    return dict(log.posts.select("content_id", "timestamp").iter_rows())


@pytest.mark.parametrize("days", [(13, 20, 31, 28), (17,), (22,), (25,), (30,)])
def test_days_above_twelve_in_a_few_of_many_rows_tell_that_the_day_stands_first(tmp_path, days):
    dates = [(k % 12 + 1, k // 12 % 12 + 1) for k in range(3000)] + [(day, 1) for day in days]
    for order in (dates, dates[::-1]):
        log = log_of(tmp_path / "l.csv", slashed(order))
        assert log.sources[0]["time_unit"] == "D/M/YYYY H:MM"
        assert log.rejected.is_empty()
        assert sorted(times_by_post(log).values()) == sorted(read_by_hand(order))
        assert log.notes == []


def test_the_last_rows_of_a_large_file_tell_it_too(tmp_path, monkeypatch):
    monkeypatch.setattr(tabular, "_BLOCK_BYTES", 4096)
    dates = [(5, 6)] * 3000 + [(25, 6)]
    log = log_of(tmp_path / "l.csv", slashed(dates))
    assert (log.sources[0]["time_unit"], log.sources[0]["rows"]) == ("D/M/YYYY H:MM", 3001)
    assert set(times_by_post(log).values()) == set(read_by_hand(dates))
    json_lines = "".join(
        json.dumps(dict(zip(HEAD.split(","), line.split(","), strict=True))) + "\n"
        for line in slashed(dates).splitlines()[1:]
    )
    monkeypatch.setattr(tabular, "_BATCH_ROWS", 100)
    log = log_of(tmp_path / "l.ndjson", json_lines)
    assert set(times_by_post(log).values()) == set(read_by_hand(dates))


@given(dates=st.lists(st.tuples(st.integers(1, 14), st.integers(1, 14)), min_size=1, max_size=12))
def test_the_reading_that_most_rows_fit_is_taken(dates, tmp_path_factory):
    expected = read_by_hand(dates)
    path = tmp_path_factory.mktemp("slashed") / "l.csv"
    if not any(expected):
        with pytest.raises(InputError):
            log_of(path, slashed(dates))
        return
    log = log_of(path, slashed(dates))
    assert times_by_post(log) == {f"p{k}": time for k, time in enumerate(expected) if time is not None}


def test_where_both_readings_fit_it_is_told(tmp_path):
    log = log_of(tmp_path / "l.csv", slashed([(1, 2), (3, 4), (5, 5)]))
    assert log.sources[0]["time_unit"] == "M/D/YYYY H:MM"
    (note,) = log.notes
    assert "timestamp: read as M/D/YYYY H:MM, the rows cannot tell; as D/M/YYYY H:MM as many rows fit" in note
    assert "(2 rows then have another time)" in note
    assert log_of(tmp_path / "l.csv", slashed([(5, 5), (6, 6)])).notes == []  # the same either way


def test_a_reading_that_puts_posts_into_the_future_does_not_fit(tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "_latest", lambda: datetime(2020, 6, 1, tzinfo=UTC))
    log = log_of(tmp_path / "l.csv", slashed([(12, 1), (12, 2)]))
    assert (log.sources[0]["time_unit"], log.notes) == ("D/M/YYYY H:MM", [])
    log = log_of(tmp_path / "l.csv", slashed([(1, 12), (2, 12)]))
    assert (log.sources[0]["time_unit"], log.notes) == ("M/D/YYYY H:MM", [])


def test_a_file_that_cannot_tell_is_read_as_the_others_are(tmp_path):
    (tmp_path / "a.csv").write_text(slashed([(1, 2), (3, 4)]))
    (tmp_path / "b.csv").write_text(slashed([(13, 2), (3, 4)], "q"))
    log = read_logs([tmp_path])
    assert [source["time_unit"] for source in log.sources] == ["D/M/YYYY H:MM"] * 2
    assert times_by_post(log)["p0"] == datetime(2020, 2, 1, tzinfo=UTC)
    (note,) = log.notes
    assert "a.csv: timestamp: read as D/M/YYYY H:MM, so do other files here" in note
    (tmp_path / "c.csv").write_text(slashed([(2, 13)], "r"))  # now they do not agree
    log = read_logs([tmp_path])
    assert [source["time_unit"][0] for source in log.sources] == ["M", "D", "M"]
    assert any("a.csv: timestamp: read as M/D/YYYY H:MM, the rows cannot tell" in note for note in log.notes)


# --- ids with a time in them -----------------------------------------------------------------------------


def hoaxy_rows(ids):
    return pl.DataFrame({
        "tweet_id": ids, "url": "https://a.example/x", "from_user_id": "u1", "to_user_id": "u2",
        "type": "origin", "is_mention": "False", "created_at": "2020-03-05 10:00:00",
    })  # fmt: skip


def test_ids_have_times_in_them_only_where_nearly_all_ids_of_the_file_can(tmp_path, monkeypatch):
    monkeypatch.setattr(tabular, "_BLOCK_BYTES", 4096)
    digits = [str(1235500000000000000 + k) for k in range(30)]
    hexadecimal = [f"{k:015x}f" for k in range(300)]
    path = tmp_path / "l.csv"
    for ids in (digits + hexadecimal, hexadecimal + digits):  # whichever the first batch holds
        hoaxy_rows(ids).write_csv(path)
        log = log_of(path, path.read_bytes())
        assert log.posts["timestamp"].unique().to_list() == [datetime(2020, 3, 5, 10, tzinfo=UTC)]
        assert not any("another time" in note or "exact" in note for note in log.notes)
    exact = str((1_583_402_400_250 - 1_288_834_974_657) << 22)  # a quarter of a second after ten
    hoaxy_rows([exact, *(str(1235500000000000000 + k) for k in range(150)), "t1"]).write_csv(path)
    log = log_of(path, path.read_bytes())
    assert any("1 times made exact" in note for note in log.notes)
    assert any("150 posts have an id that says another time" in note for note in log.notes)


# --- the same log in every form --------------------------------------------------------------------------

TABLE = pl.DataFrame(
    {
        "content_id": ["p1", "p2", "p3"],
        "account_id": ["1234567890123456789", "b", "ü"],
        "timestamp": [1_600_000_000, 1_600_000_001, 1_600_000_002],
        "urls": ["https://mill.example/a https://mill.example/b", None, "https://mill.example/a"],
        "text": ['said "x, y"\nand left; so\tthere', None, "z"],
    }
)


def written(layout):
    buffer = io.BytesIO()
    if layout in ("csv", "tab", "semicolon"):
        TABLE.write_csv(buffer, separator={"csv": ",", "tab": "\t", "semicolon": ";"}[layout])
    elif layout == "ndjson":
        TABLE.write_ndjson(buffer)
    elif layout == "parquet":
        TABLE.write_parquet(buffer)
    else:
        TABLE.write_ipc(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("layout", "pack"),
    [
        *((layout, pack) for layout in ("csv", "tab", "semicolon", "ndjson") for pack in (bytes, gzip.compress, zstd)),
        ("parquet", bytes),
        ("arrow", bytes),
    ],
)  # fmt: skip
def test_all_forms_of_a_log_give_the_same_posts(tmp_path, layout, pack):
    log = log_of(tmp_path / "log", pack(written(layout)))
    assert_frame_equal(
        POSTS.conform(log.posts.drop(PLACES)),
        POSTS.conform(
            pl.DataFrame(
                {
                    "content_id": ["p1", "p2", "p3"],
                    "account_id": ["1234567890123456789", "b", "ü"],
                    "timestamp": [datetime(2020, 9, 13, 12, 26, 40 + n, tzinfo=UTC) for n in range(3)],
                    "urls": [
                        ["https://mill.example/a", "https://mill.example/b"],
                        None,
                        ["https://mill.example/a"],
                    ],
                    "text": ['said "x, y"\nand left; so\tthere', None, "z"],
                }
            )
        ),
    )
    assert log.rejected.is_empty()
    assert log.notes == []
    assert log.sources == [
        {
            "path": str(tmp_path / "log"),
            "bytes": (tmp_path / "log").stat().st_size,
            "reader": "columns",
            "rows": 3,
            "time_unit": "unix s",
        }
    ]


words = st.one_of(st.none(), st.text(st.sampled_from("aZ0 ,;\"'\n\t{[#😀ü"), max_size=6))
posts = st.lists(
    st.fixed_dictionaries(
        {
            "account_id": st.one_of(st.none(), st.sampled_from(["a", "b", "12", "1e5", "007", " c"])),
            "timestamp": st.one_of(
                st.none(), st.integers(1_600_000_000, 1_600_000_003), st.sampled_from([-1, 5, 2**40, 2**62])
            ),
            "object_id": words,
            "text": words,
            "kind": st.sampled_from([None, "retweet", "Original", "quote"]),
        }
    ),
    min_size=1,
    max_size=12,
)
SCHEMA = {
    "content_id": pl.String, "account_id": pl.String, "timestamp": pl.Int64, "object_id": pl.String, "text": pl.String,
    "kind": pl.String,
}  # fmt: skip


@settings(deadline=None, max_examples=50)
@given(posts, st.sampled_from([None, 6]), st.randoms(use_true_random=False))
def test_random_rows_read_alike_from_every_form_and_in_every_order(tmp_path_factory, drawn, n_ids, random):
    """`n_ids` None: the log has no post ids; else few, so that posts recur."""
    folder = tmp_path_factory.mktemp("forms")
    table = pl.DataFrame(drawn, schema={name: SCHEMA[name] for name in SCHEMA if name != "content_id"})
    if n_ids:
        table = table.with_columns(content_id=pl.Series([f"p{random.randrange(n_ids)}" for _ in drawn]))
    order = list(range(len(drawn)))
    random.shuffle(order)
    table.write_csv(folder / "log.csv")
    table[order].write_csv(folder / "shuffled.csv")
    table.write_ndjson(folder / "log.ndjson")
    table.write_parquet(folder / "log.parquet")
    table.with_columns(pl.col("timestamp").cast(pl.String)).write_ipc(folder / "log.arrow")
    found = []
    for path in sorted(folder.iterdir()):
        try:
            log = read_logs([path])
        except InputError as error:
            found.append(str(error).split(";")[0].split(":")[1])
        else:
            assert log.n_rows == table.height
            found.append((log.posts.drop(PLACES), log.rejected["reason"].sort()))
    for other in found[1:]:
        if isinstance(found[0], str):
            assert other == found[0] == f" none of {table.height} rows can be used"
        else:
            assert_frame_equal(other[0], found[0][0])
            assert other[1].to_list() == found[0][1].to_list()


# --- several files ---------------------------------------------------------------------------------------


def test_several_files_are_one_log(tmp_path):
    (tmp_path / "a.csv").write_text(f"{HEAD},text\np2,a,1600000000,x\np3,,1600000000,y\n")
    (tmp_path / "b.ndjson").write_text(
        '{"account_id": "b", "timestamp": "2020-09-13T12:26:39Z", "content_id": "p1"}\n'
    )
    (tmp_path / "README.md").write_text("about")
    log = read_logs([tmp_path])
    assert ids(log) == [("p1", "b"), ("p2", "a")]
    assert [(Path(s["path"]).name, s["rows"], s["time_unit"]) for s in log.sources] == [
        ("a.csv", 2, "unix s"),
        ("b.ndjson", 1, "ISO 8601"),
    ]
    assert log.rejected.select("source", "line", "reason").rows() == [
        (str(tmp_path / "a.csv"), 3, "account_id: empty")
    ]
    assert log.notes == [f"{tmp_path / 'README.md'}: left out, not a log by its name"]


def test_a_file_of_a_folder_that_no_reader_knows_is_left_out_and_told(tmp_path):
    (tmp_path / "a.csv").write_text(f"{HEAD}\np1,a,1600000000\n")
    (tmp_path / "codebook.csv").write_text("variable,meaning\nx,y\n")
    (tmp_path / "run.json").write_text('{\n "a": 1\n}\n')
    log = read_logs([tmp_path])
    assert log.n_rows == 1
    assert [Path(s["path"]).name for s in log.sources] == ["a.csv"]
    assert [note.rsplit(" ", 2)[-2:] == ["(left", "out)"] for note in log.notes] == [True, True]
    assert "no known format has these columns. Found: variable, meaning" in log.notes[0]
    with pytest.raises(InputError, match="Found: variable, meaning"):
        read_logs([tmp_path / "a.csv", tmp_path / "codebook.csv"])
    (tmp_path / "a.csv").unlink()
    with pytest.raises(InputError, match=r"(?s)codebook\.csv.*run\.json"):
        read_logs([tmp_path])


def test_nothing_is_read_before_every_header_is_seen(tmp_path, monkeypatch):
    (tmp_path / "a.csv").write_text(f"{HEAD}\np1,a,1600000000\n")
    (tmp_path / "b.csv").write_text("who,what\n")
    (tmp_path / "c.csv").write_text("whence,whither\n")
    monkeypatch.setattr("propgraph.readers.parts.read_batches", None)
    with pytest.raises(InputError, match=r"(?s)b\.csv: .*c\.csv: "):
        read_logs([tmp_path / name for name in ("a.csv", "b.csv", "c.csv")])


def test_the_header_may_name_a_column_twice_if_nobody_reads_it(tmp_path):
    assert log_of(tmp_path / "log.csv", f"{HEAD},,\np1,a,1600000000,x,y\n").n_rows == 1
    with pytest.raises(InputError, match=r"log\.csv: the header names 'timestamp' more than once"):
        log_of(tmp_path / "log.csv", f"{HEAD}, timestamp\np1,a,1600000000,5\n")


def test_read_log_gives_the_posts_and_logs_what_is_left_out(tmp_path, caplog):
    (tmp_path / "a.csv").write_text(f"{HEAD}\np1,a,1600000000\np2,,1600000000\n")
    with caplog.at_level(logging.WARNING):
        frame = read_log(tmp_path / "a.csv")
    assert frame.schema == POSTS.dtypes
    assert frame.select("content_id", "account_id").rows() == [("p1", "a")]
    assert caplog.messages == ["1 of 2 rows cannot be used and are left out"]


def test_progress_goes_from_nothing_to_all(tmp_path):
    for name in ("a.csv", "b.csv.gz"):
        content = (f"{HEAD}\n" + "".join(f"{name}{n},a,{1600000000 + n}\n" for n in range(1000))).encode()
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    told = []
    read_logs([tmp_path], progress=lambda label, done: told.append((label, done)))
    assert {label for label, _ in told} == {"reading"}
    done = [done for _, done in told]
    assert done == sorted(done)
    assert done[-1] == pytest.approx(1)


# --- what a row must have --------------------------------------------------------------------------------


def test_rows_without_an_id_or_a_time_are_rejected(tmp_path):
    text = f'{HEAD}\np1,a,1600000000\n,a,1600000000\np3, ,1600000000\np4,"",1600000000\np5,a,\np6,a, \n'
    log = log_of(tmp_path / "log.csv", text)
    assert ids(log) == [("p1", "a")]
    assert reasons(log) == [
        (3, "content_id: empty"),
        (4, "account_id: empty"),
        (5, "account_id: empty"),
        (6, "timestamp: empty"),
        (7, "timestamp: empty"),
    ]
    assert json.loads(log.rejected["raw"][0]) == {
        "content_id": None,
        "account_id": "a",
        "timestamp": "1600000000",
    }


def test_times_that_cannot_be_are_rejected(tmp_path):
    soon = int((datetime.now(UTC) + timedelta(hours=12)).timestamp())  # a clock may be wrong by hours
    late = soon + 86_400
    good = "".join(f"p{n},a,{1600000000 + n}\n" for n in range(20))
    strange = [
        soon,
        late,
        631151999,
        631152000,
        -5,
        "1e30",
        "-1e30",
        "inf",
        "nan",
        "x",
        2**63,
        99999999999999,
    ]
    log = log_of(
        tmp_path / "log.csv", f"{HEAD}\n{good}" + "".join(f"q{n},a,{t}\n" for n, t in enumerate(strange))
    )
    assert log.sources[0]["time_unit"] == "unix s"
    assert log.posts["content_id"].to_list()[0] == "q3"
    assert log.posts["content_id"].to_list()[-1] == "q0"
    told = [reason for _, reason in reasons(log)]
    assert told[0].endswith("lies in the future")
    assert told[1:] == [
        "timestamp: 1989-12-31 23:59:59 lies before 1990",
        "timestamp: 1969-12-31 23:59:55 lies before 1990",
        "timestamp: 1e30 lies in the future",
        "timestamp: -1e30 lies before 1990",
        "timestamp: inf lies in the future",
        "timestamp: nan is not a time of this file's kind",
        "timestamp: x is not a time of this file's kind",
        f"timestamp: {2**63} lies in the future",
        "timestamp: 99999999999999 lies in the future",
    ]
    assert [line for line, _ in reasons(log)] == [23, *range(24, 25), 26, 27, 28, 29, 30, 31, 32, 33]


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_columns_of_times_that_no_calendar_holds(tmp_path, unit):
    far = pl.Series([1_600_000_000 * {"ms": 10**3, "us": 10**6, "ns": 10**9}[unit], 2**62, -(2**62), None])
    table = pl.DataFrame(
        {"content_id": list("wxyz"), "account_id": list("abcd"), "timestamp": far.cast(pl.Datetime(unit))}
    )
    log = log_of(tmp_path / "log.parquet", table)
    assert ids(log) == [("w", "a")]
    assert [(line, reason.split(" lies ")[-1]) for line, reason in reasons(log)] == [
        (2, "in the future"),
        (3, "before 1990"),
        (4, "timestamp: empty"),
    ]


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("timestamp", [True], "column 'timestamp' should hold times, found Boolean"),
        ("timestamp", [[1600000000]], r"column 'timestamp' should hold times, found List\(Int64\)"),
        ("timestamp", [{"at": 1}], "column 'timestamp' should hold times, found Struct"),
        ("account_id", [{"id": 1}], r"the column for 'account_id' holds Struct\(.*map another"),
        ("account_id", [["a"]], r"the column for 'account_id' holds List\(String\)"),
        ("account_id", [b"\xff"], "its columns are not of the kind that reader 'columns' expects"),
        (
            "urls",
            [[{"at": "x", "to": 1}]],
            "urls: its objects have none of the keys expanded_url, .*; found at, to; map",
        ),
        (
            "hashtags",
            [{"label": "x"}],
            "hashtags: its objects have none of the keys tag, .*; found label; map",
        ),
        ("urls", [[[["x"]]]], r"the column for 'urls' holds List\(List"),
        ("account_id", [None], "none of 1 rows can be used; the first, line 1: account_id: empty"),
        ("timestamp", [None], "none of 1 rows can be used; the first, line 1: timestamp: empty"),
        ("content_id", [None], "none of 1 rows can be used; the first, line 1: content_id: empty"),
    ],
)
def test_a_column_of_the_wrong_kind_is_one_clear_error(tmp_path, column, values, message):
    table = pl.DataFrame(
        {"content_id": ["p"], "account_id": ["a"], "timestamp": [1600000000]} | {column: values}
    )
    with pytest.raises(InputError, match=rf"log\.parquet: {message}"):
        log_of(tmp_path / "log.parquet", table)


def test_columns_of_an_unusual_kind_that_can_be_read(tmp_path):
    table = pl.DataFrame(
        {
            "account_id": pl.Series(["a", "b"], dtype=pl.Categorical),
            "content_id": pl.Series([1, 2], dtype=pl.Decimal(20, 0)),
            "timestamp": pl.Series(["2020-09-13", "2020-09-14"], dtype=pl.Enum(["2020-09-13", "2020-09-14"])),
            "text": [b"x", "ü".encode()],
            "language": [True, None],
            "hashtags": pl.Series([["A", None], ["#b", ""]], dtype=pl.Array(pl.String, 2)),
        }
    )
    log = log_of(tmp_path / "log.parquet", table)
    assert ids(log, "content_id", "account_id", "text", "language") == [
        ("1", "a", "x", "true"),
        ("2", "b", "ü", None),
    ]
    assert log.posts["hashtags"].to_list() == [["a"], ["b"]]


def test_a_rejected_row_of_any_kind_of_column_can_be_shown(tmp_path):
    table = pl.DataFrame(
        {
            "account_id": [None, "b"],
            "timestamp": [1600000000] * 2,
            "text": pl.Series(["x", "y"], dtype=pl.Categorical),
            "followers": pl.Series([1, 2], dtype=pl.Decimal(10, 2)),
            "account_created_at": pl.Series([2**62, None], dtype=pl.Int64).cast(pl.Datetime("ms")),
            "platform": [b"\x00z", b"z"],
            "urls": [["https://a.example"], None],
        }
    )
    log = log_of(tmp_path / "log.parquet", table)
    assert json.loads(log.rejected["raw"][0]) == {
        "account_id": None, "timestamp": 1600000000, "text": "x", "followers": "1.00",
        "account_created_at": "9999-12-31 23:59:59", "platform": "007a", "urls": ["https://a.example"],
    }  # fmt: skip


# --- ids -------------------------------------------------------------------------------------------------


def test_ids_keep_their_digits(tmp_path):
    big = 1234567890123456789
    numbers = pl.DataFrame({"content_id": [big, big + 1], "account_id": [2**64 - 1, 7], "timestamp": [1600000000] * 2},
                           schema_overrides={"account_id": pl.UInt64})  # fmt: skip
    expected = [(str(big), str(2**64 - 1)), (str(big + 1), "7")]
    lines = "".join(
        f'{{"content_id": {c}, "account_id": {a}, "timestamp": 1600000000}}\n' for c, a in expected
    )
    for name, content in (("log.parquet", numbers), ("log.ndjson", lines)):
        assert sorted(ids(log_of(tmp_path / name, content))) == expected


def test_whole_numbers_that_became_floats_are_whole_again(tmp_path):
    """What pandas writes where a column of integers has a gap."""
    table = pl.DataFrame(
        {
            "content_id": [1.0, 2.0, 3.0],
            "account_id": [12345.0, None, float("nan")],
            "timestamp": [1600000000] * 3,
            "parent_content_id": [None, 1.0, 1.0],
        }
    )
    buffer = io.BytesIO()
    table.with_columns(account_id=pl.col("account_id").fill_nan(None)).write_csv(buffer)
    for name, content in (("log.parquet", table), ("log.csv", buffer.getvalue())):
        log = log_of(tmp_path / name, content)
        assert ids(log) == [("1", "12345")]
        assert [reason for _, reason in reasons(log)] == ["account_id: empty"] * 2
    kept = log_of(tmp_path / "log.parquet", table.with_columns(account_id=pl.lit(2.5)))
    assert ids(kept, "account_id", "parent_content_id") == [("2.5", None), ("2.5", "1"), ("2.5", "1")]


@pytest.mark.parametrize(
    "rounded", ["1.23457E+18", "1.2345678901234568e+18", "1E+18", "1.2345678901234568e18", "-1.5E+20"]
)
def test_a_rounded_id_is_rejected_since_it_may_be_anyones(tmp_path, rounded):
    text = f"{HEAD},parent_content_id\np1,{rounded},1600000000,\n{rounded},a,1600000000,\np3,1e5,1600000000,{rounded}\n"
    log = log_of(tmp_path / "log.csv", text)
    # "1e5" may well be an id; a row whose parent is not known stays.
    assert ids(log) == [("p3", "1e5")]
    assert "parent_content_id" not in log.posts.columns
    assert (
        f"parent_content_id: 1 rows have a rounded id ({rounded}), its last digits are lost" in log.notes[-1]
    )
    assert reasons(log) == [
        (2, "account_id: a rounded number, its last digits are lost; save the ids as text"),
        (3, "content_id: a rounded number, its last digits are lost; save the ids as text"),
    ]


def test_floats_too_large_to_be_exact_are_rounded_ids(tmp_path):
    table = pl.DataFrame(
        {"content_id": ["p", "q"], "account_id": [1.2345678901234568e18, 5.0], "timestamp": [1600000000] * 2}
    )
    log = log_of(tmp_path / "log.parquet", table)
    assert ids(log) == [("q", "5")]
    assert reasons(log) == [
        (1, "account_id: a rounded number, its last digits are lost; save the ids as text")
    ]


def test_json_in_the_place_of_an_id_is_rejected_but_not_a_name_in_brackets(tmp_path):
    accounts = ['{"id": 1}', '["a"]', "[]", '"[ana]"', '"{"', "7"]
    lines = "".join(
        f'{{"content_id": "p{n}", "account_id": {a}, "timestamp": 1600000000}}\n'
        for n, a in enumerate(accounts)
    )
    log = log_of(tmp_path / "log.ndjson", lines)
    assert ids(log) == [("p5", "7"), ("p3", "[ana]")]
    assert {reason for _, reason in reasons(log)} == {"account_id: a list or an object, not one value"}
    assert [line for line, _ in reasons(log)] == [1, 2, 3, 5]


# --- the other columns -----------------------------------------------------------------------------------


def lists_of(tmp_path, name, cells):
    table = pl.DataFrame(
        {"content_id": [f"p{n:02d}" for n in range(len(cells))], "account_id": "a", name: cells}
    )
    table.with_columns(timestamp=1600000000).write_csv(tmp_path / "log.csv")
    return log_of(tmp_path / "log.csv", (tmp_path / "log.csv").read_bytes()).posts[name].to_list()


def test_lists_of_links(tmp_path):
    a, b = "https://a.example/x,y", "https://b.example/it's?q=1&r=2"
    cells = [
        f"{a} {b}", f"{a}, {b}", f"{a},{b}", f"{a}\n{b}", f"{a} | {b}", f"{a}; {b};", f"[{a}, {b}]", f"[{a},{b}]",
        json.dumps([a, b]), json.dumps([a, None, b, ""]), f"['{a}', \"{b}\"]",
        json.dumps([a, b]).replace("/", "\\/").replace("&", "\\u0026"),
    ]  # fmt: skip
    assert lists_of(tmp_path, "urls", cells) == [[a, b]] * len(cells)
    assert lists_of(tmp_path, "urls", ["[]", "[ ]", " ", None, a]) == [[], [], [], None, [a]]


def test_lists_of_hashtags(tmp_path):
    cells = [
        "#Mill Fake",
        "mill,  FAKE",
        '["Mill","fake"]',
        "['mill', '#fake']",
        "[mill, fake]",
        "＃mill #fake",
    ]
    assert lists_of(tmp_path, "hashtags", cells) == [["mill", "fake"]] * len(cells)


def test_one_link_stands_in_where_there_is_no_list(tmp_path):
    cells = ['p1,a,1600000000,https://one.example,', 'p2,a,1600000000,https://one.example,"[]"',
             "p3,a,1600000000,https://one.example,https://two.example", "p4,a,1600000000,,"]  # fmt: skip
    log = log_of(tmp_path / "log.csv", "\n".join([f"{HEAD},url,urls", *cells]))
    assert log.posts["urls"].to_list() == [["https://one.example"]] * 2 + [["https://two.example"], None]


def test_kinds_in_the_words_of_many_platforms_and_unknown_ones_told(tmp_path):
    kinds = {
        "original": ["original", "Tweet", "O", "0", "false"],
        "reshare": ["RT", " retweet", "Repost", "boost", "true", "1"],
        "quote": ["Q", "quoted"],
        "reply": ["replied_to", "comment"],
        None: ["", "poll", "Poll", "story"],
    }
    words = [(kind, word) for kind, group in kinds.items() for word in group]
    lines = "".join(f"p{n:02d},a,1600000000,{word}\n" for n, (_, word) in enumerate(words))
    log = log_of(tmp_path / "log.csv", f"{HEAD},kind\n{lines}")
    assert log.posts["kind"].to_list() == [kind for kind, _ in words]
    assert log.notes == [
        f"{tmp_path / 'log.csv'}: kind: 3 rows say 'poll' or another word that is none of original, reshare, quote, "
        "reply; taken as not known"
    ]


def test_profiles_have_what_is_known_of_accounts(tmp_path):
    rows = "p1,a,1600000000,Anna,2019-01-01,12\np2,b,1600000000,Ben,,x\n"
    text = f"{HEAD},account_name,account_created_at,followers\n{rows}"
    log = log_of(tmp_path / "log.csv", text)
    assert log.profiles.with_columns(pl.col("account_id").cast(pl.String)).rows() == [
        ("a", "Anna", datetime(2019, 1, 1, tzinfo=UTC), 12),
        ("b", "Ben", None, None),
    ]
    strange = log_of(tmp_path / "log.csv", text.replace("2019-01-01", "long ago"))
    assert "created_at" not in strange.profiles.columns
    assert ["account_created_at" in note and note.endswith("left out") for note in strange.notes] == [True]


def test_a_column_of_nothing_is_no_column(tmp_path):
    log = log_of(tmp_path / "log.csv", f"{HEAD},object_id,text,kind\np1,a,1600000000,,,\n")
    assert set(log.posts.columns) == {"content_id", "account_id", "timestamp", "source", "line"}


def test_keys_that_only_late_records_have_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(nested, "_KEY_RECORDS", 2)
    monkeypatch.setattr(nested, "BATCH_ROWS", 3)
    lines = [f'{{"content_id": "p{n}", "account_id": "a", "timestamp": {1600000000 + n}}}' for n in range(10)]
    lines[7] = lines[7].replace("}", ', "object_id": "o"}')
    log = log_of(tmp_path / "log.ndjson", "\n".join(lines))
    assert log.posts["object_id"].to_list() == [None] * 7 + ["o"] + [None] * 2


def test_a_first_batch_without_times_does_not_settle_their_unit(tmp_path, monkeypatch):
    monkeypatch.setattr(nested, "BATCH_ROWS", 2)
    times = ["null", "null", "null", '"2020-09-13"', '"2020-09-14"']
    lines = [
        f'{{"content_id": "p{n}", "account_id": "a", "timestamp": {time}}}' for n, time in enumerate(times)
    ]
    log = log_of(tmp_path / "log.ndjson", "\n".join(lines))
    assert (log.posts.height, log.sources[0]["time_unit"]) == (2, "ISO 8601 (no zone: read as UTC)")


# --- posts that recur ------------------------------------------------------------------------------------


def test_rows_that_repeat_or_contradict_an_earlier_one_are_rejected(tmp_path):
    (tmp_path / "a.csv").write_text(
        f"{HEAD},object_id\n"
        "p1,a,1600000000,x\n"
        "p1,a,1600000000,y\n"  # another object: fine
        "p1,a,1600000000,x\n"  # again
        "torn\n"
        "p2,a,1600000005,x\n"
        "p2,b,1600000005,x\n"  # another author
    )
    (tmp_path / "b.ndjson").write_text(
        '{"content_id": "p3", "account_id": "c", "timestamp": 1600000000}\n'
        "\n"
        '{"content_id": "p1", "account_id": "a", "timestamp": 1600000000, "object_id": "y"}\n'  # again
        '{"content_id": "p2", "account_id": "a", "timestamp": 1600000009, "object_id": "z"}\n'  # another time
    )
    log = read_logs([tmp_path])
    assert ids(log, "content_id", "account_id", "object_id") == [
        ("p1", "a", "x"), ("p1", "a", "y"), ("p3", "c", None), ("p2", "a", "x"),
    ]  # fmt: skip
    again = "duplicate: post p1 shares the same in an earlier row"
    other = "content_id: p2 is another post's already (other account or time)"
    assert log.rejected.select("source", "line", "reason").rows() == [
        (str(tmp_path / "a.csv"), 4, again),
        (str(tmp_path / "a.csv"), 5, "1 fields where the header has 4"),
        (str(tmp_path / "a.csv"), 7, other),
        (str(tmp_path / "b.ndjson"), 3, again),
        (str(tmp_path / "b.ndjson"), 4, other),
    ]
    assert log.n_rows == 9
    assert json.loads(log.rejected["raw"][0])["object_id"] == "x"


def test_repeats_are_found_with_lists_and_across_many_batches(tmp_path, monkeypatch):
    monkeypatch.setattr(tabular, "_BLOCK_BYTES", 1024)
    rows = [f"p{n},a{n % 5},{1600000000 + n},https://s{n % 3}.example #x" for n in range(500)]
    log = log_of(tmp_path / "log.csv", "\n".join([f"{HEAD},urls", *rows, *rows[::50]]))
    assert log.posts.height == 500
    assert [line for line, _ in reasons(log)] == list(range(502, 512))


def test_made_ids_depend_on_what_a_row_says_alone(tmp_path):
    rows = ["a,1600000000,x", "a,1600000000,x", "b,1600000000,x", "a,1600000000,y"]
    first = log_of(tmp_path / "log.csv", "\n".join(["account_id,timestamp,object_id", *rows]))
    second = log_of(tmp_path / "log.csv", "\n".join(["account_id,timestamp,object_id", *rows[::-1]]))
    assert first.posts["content_id"].n_unique() == 4
    assert first.posts["content_id"].str.starts_with("post:").all()
    assert_frame_equal(first.posts.drop("line"), second.posts.drop("line"))
    # Nothing tells a file given twice from a log in two files: each row is a post, and that is told.
    (tmp_path / "copy.csv").write_bytes((tmp_path / "log.csv").read_bytes())
    both = read_logs([tmp_path])
    assert (both.posts.height, both.posts["content_id"].n_unique(), both.rejected.height) == (8, 8, 0)
    assert [
        note for note in both.notes if note.startswith("5 rows without a post id say the same as another")
    ]
