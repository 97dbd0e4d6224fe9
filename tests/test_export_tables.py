from __future__ import annotations

import csv
import io
import json
import os
import threading
from datetime import UTC, date, datetime, time, timedelta, timezone

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from rich.cells import cell_len

from propgraph.errors import InputError, UsageError
from propgraph.export.tables import FORMATS, plain, render, whole_file, write_table
from propgraph.export.text import clean_csv_cell, clean_terminal, clean_xml, clean_xml_column, csv_safe

ANY_TEXT = st.text(st.characters(), max_size=60)  # lone surrogates included
NASTY = st.text(
    st.sampled_from(
        "=+-@|' \t\r\n\x00\x1b[31m\u200b\u202e\u2066\ufeff\xa0＝a1,;\"界😀👨\u200d❤\ufe0f\u0301\ud800\uffff"
    ),
    max_size=30,
)
BLANKS = " \t\r\n\x00\u200b\u202e\u2066\ufeff\xa0"
COLUMN_TEXT = NASTY.map(lambda text: text.replace("\ud800", ""))


def frame() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "account_id": ["1234567890123456789", "007", "=1+1", 'a,b\r\n"c"|\'', ""],
            "n": [1, -2, None, 4, 5],
            "share": [0.1, float("nan"), float("inf"), None, -3.5],
            "flagged": [True, False, None, True, True],
            "flags": [["a", "b"], [], None, ["=x", None, "y"], ["@z"]],
            "first_time": [
                datetime(2020, 1, 2, 3, 4, 5, 678000, UTC),
                *[datetime(2020, 1, 2, tzinfo=UTC)] * 4,
            ],
        },
        schema_overrides={"first_time": pl.Datetime("ms", "UTC")},
    )


def test_csv_holds_texts_lists_and_times() -> None:
    rows = list(csv.reader(io.StringIO(render(frame(), "csv").decode(), newline="")))
    assert rows[0] == frame().columns
    assert rows[1] == ["1234567890123456789", "1", "0.1", "true", "a|b", "2020-01-02T03:04:05.678Z"]
    assert rows[2] == ["007", "-2", "", "false", "", "2020-01-02T00:00:00Z"]
    assert rows[3][:5] == ["'=1+1", "", "", "", ""]
    assert rows[4][:5] == ['a,b\r\n"c"|\'', "4", "", "true", "'=x|y"]
    assert rows[5][:5] == ["", "5", "-3.5", "true", "'@z"]


@pytest.mark.parametrize("format", ["json", "ndjson"])
def test_json_holds_texts_lists_and_times(format: str) -> None:
    text = render(frame(), format).decode()
    rows = json.loads(text) if format == "json" else [json.loads(line) for line in text.split("\n") if line]
    assert [row["account_id"] for row in rows] == frame()["account_id"].to_list()
    assert [row["share"] for row in rows] == [0.1, None, None, None, -3.5]
    assert [row["flags"] for row in rows] == frame()["flags"].to_list()
    assert [row["n"] for row in rows] == frame()["n"].to_list()
    assert rows[0]["first_time"] == "2020-01-02T03:04:05.678Z"
    assert text.endswith("\n")


def test_parquet_holds_everything() -> None:
    assert_frame_equal(pl.read_parquet(io.BytesIO(render(frame(), "parquet"))), frame())


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_frame_gives_the_same_bytes(format: str) -> None:
    assert render(frame(), format) == render(frame(), format)


def test_a_frame_without_rows() -> None:
    assert render(frame().clear(), "csv").decode().splitlines() == [",".join(frame().columns)]
    assert json.loads(render(frame().clear(), "json")) == []
    assert render(frame().clear(), "ndjson") == b""


def test_plain_values() -> None:
    east = timezone(timedelta(hours=2))
    utc, paris = pl.Datetime("ms", "UTC"), pl.Datetime("us", "Europe/Paris")
    values = pl.DataFrame(
        {
            "zoned": pl.Series([datetime(2020, 1, 1, 1, tzinfo=east)], dtype=paris),
            "naive": [datetime(2020, 1, 1, 1)],
            "day": [date(2020, 1, 31)],
            "clock": [time(1, 2, 3)],
            "span": [timedelta(seconds=90, milliseconds=500)],
            "platform": pl.Series(["x"], dtype=pl.Categorical),
            "counts": [[1, 2]],
            "times": pl.Series([[datetime(2020, 1, 1, tzinfo=UTC), None]], dtype=pl.List(utc)),
            "pair": pl.Series([[0.5, float("nan")]], dtype=pl.Array(pl.Float64, 2)),
        }
    )
    assert plain(values, join_lists=False).row(0) == (
        "2019-12-31T23:00:00Z", "2020-01-01T01:00:00", "2020-01-31", "01:02:03", 90.5, "x",
        [1, 2], ["2020-01-01T00:00:00Z", None], [0.5, None],
    )  # fmt: skip
    assert plain(values, join_lists=True).row(0)[-3:] == ("1|2", "2020-01-01T00:00:00Z", "0.5")


def test_dtypes_that_cannot_be_written_are_named_together() -> None:
    odd = pl.DataFrame({"fine": [1], "raw": [b"x"], "nested": [{"a": 1}]})
    for format in ("csv", "json", "ndjson"):
        with pytest.raises(InputError, match="'raw' of dtype Binary, column 'nested' of dtype Struct"):
            render(odd, format)
    assert_frame_equal(pl.read_parquet(io.BytesIO(render(odd, "parquet"))), odd)
    with pytest.raises(InputError, match="'a' holds lists within lists"):
        render(pl.DataFrame({"a": [[[1]]]}), "csv")


def test_an_unknown_format_says_what_was_meant() -> None:
    with pytest.raises(UsageError, match="did you mean 'json'"):
        render(frame(), "jsn")


def test_write_table_takes_the_format_from_the_ending(tmp_path) -> None:
    for format in FORMATS:
        write_table(frame(), tmp_path / f"t.{format.upper()}")
        assert (tmp_path / f"t.{format.upper()}").read_bytes() == render(frame(), format)
    write_table(frame(), str(tmp_path / "t.txt"), format="csv")
    assert (tmp_path / "t.txt").read_bytes() == render(frame(), "csv")
    with pytest.raises(UsageError, match="is not one of"):
        write_table(frame(), tmp_path / "t.xlsx")


def test_write_table_says_where_it_cannot_write(tmp_path) -> None:
    with pytest.raises(UsageError, match="is a folder"):
        write_table(frame(), tmp_path, format="csv")
    with pytest.raises(UsageError, match="does not exist"):
        write_table(frame(), tmp_path / "none" / "t.csv")


def write_half(path, error: type[BaseException]) -> None:
    with whole_file(path) as file:
        file.write(b"half")
        file.flush()
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_interrupted_write_leaves_what_was_there(tmp_path, error) -> None:
    (tmp_path / "t").write_bytes(b"old")
    for name in ("t", "new"):
        with pytest.raises(error):
            write_half(tmp_path / name, error)
    assert (tmp_path / "t").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["t"]


def test_links_are_followed_and_pipes_written_to(tmp_path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with whole_file(tmp_path / "link") as file:
        file.write(b"x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"x"

    os.mkfifo(tmp_path / "pipe")
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_bytes()), daemon=True)
    reader.start()
    with whole_file(tmp_path / "pipe") as file:
        file.write(b"y")
    reader.join(5)
    assert read == [b"y"]
    assert (tmp_path / "pipe").is_fifo()


# ---- hostile text


@given(ANY_TEXT | NASTY)
def test_clean_xml_keeps_what_xml_allows_and_nothing_else(text: str) -> None:
    def allowed(character: str) -> bool:
        code = ord(character)
        return code in (9, 10, 13) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000

    assert clean_xml(text) == "".join(filter(allowed, text))
    assert not set(clean_xml(text, attribute=True)) & set("\t\r\n")
    if text.isprintable():
        assert clean_xml(text, attribute=True) == clean_xml(text)


@given(st.lists(st.none() | st.text() | COLUMN_TEXT))
def test_clean_xml_column_does_the_same(texts: list[str | None]) -> None:
    column = pl.Series("a", texts, dtype=pl.String)
    assert clean_xml_column(column).to_list() == [text if text is None else clean_xml(text) for text in texts]


@given(ANY_TEXT | NASTY, st.none() | st.integers(0, 20))
@example("👨‍👩‍👧❤️🏳️‍🌈 🇬🇧👍🏽", 5)
@example("\u0301" * 50, 1)
def test_clean_terminal_stays_in_its_cell(text: str, width: int | None) -> None:
    shown = clean_terminal(text, width=width)
    shown.encode()
    assert len(shown.splitlines()) <= 1
    hidden = [
        *range(0x20),
        *range(0x7F, 0xA0),
        *range(0x200B, 0x2010),
        *range(0x2028, 0x202F),
        *range(0x2066, 0x206A),
    ]
    assert not set(shown) & set(map(chr, (*hidden, 0xFEFF, 0x061C)))  # fmt: skip
    whole = clean_terminal(text)
    assert clean_terminal(whole) == whole
    if width is not None:
        assert cell_len(shown) <= width
        assert shown == whole or width == 0 or (shown.endswith("…") and whole.startswith(shown[:-1]))


def test_clean_terminal_shows_what_would_hide() -> None:
    assert clean_terminal("a\x1b[31mred\x1b[0m\nb\x00\x7f") == "a␛[31mred␛[0m␊b␀␡"
    assert clean_terminal("gpj\u202eexe.\u2066\u200b\u200f\ufeff\xad\U000e0041") == "gpjexe."
    assert clean_terminal("one\u2028two\ud800") == "one␤two\ufffd"
    assert clean_terminal("日本語のアカウント", width=7) == "日本語…"
    assert clean_terminal("日本語のアカウント", width=6) == "日本…"
    assert clean_terminal("Żółć naïve عربي हिन्दी") == "Żółć naïve عربي हिन्दी"
    assert clean_terminal("abc", width=3) == "abc"
    assert clean_terminal("abcd", width=3) == "ab…"
    assert clean_terminal("abcd", width=0) == ""


@pytest.mark.parametrize(
    "cell",
    ["=1", "+1", "-1", "@A1", "\rx", "\nx", "\u200b\ufeff=1", "\xa0-1", "＝1", "\x00=1"],
)
def test_formulas_get_an_apostrophe(cell: str) -> None:
    assert clean_csv_cell(cell) == "'" + cell


@pytest.mark.parametrize(
    "cell", ["", "a=1", "'a", "3.5", "  x", "https://a.b/?c=-1", "\U0001f600-1", "a;b", 'a\n"b"-1', "a;b-1"]
)
def test_other_cells_stay(cell: str) -> None:
    assert clean_csv_cell(cell) == cell


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("a;=1", "a;'=1"),
        ("a; \t@b;+c", "a; \t'@b;'+c"),
        ('a;"=1"', 'a;"\'=1"'),
        ("two\n- lines\r\n=1", "two\n'- lines\r\n'=1"),
        ("'=1", "''=1"),
        ("a;'=1", "a;''=1"),
        ("\n=1", "'\n'=1"),
        (" \t =1", "' \t '=1"),
    ],
)
def test_formulas_within_get_one_too(text: str, safe: str) -> None:
    assert clean_csv_cell(text) == safe


@given(st.lists(COLUMN_TEXT, unique=True))
def test_different_texts_stay_different(texts: list[str]) -> None:
    assert len({clean_csv_cell(text) for text in texts}) == len(texts)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@given(texts=st.lists(NASTY.map(lambda text: text.replace("\ud800", "")), min_size=1, max_size=5))
@example(texts=['x;"=1', "a\n=1", 'b";=1'])
def test_no_cell_is_a_formula_whatever_parts_them(separator: str, texts: list[str]) -> None:
    frame = pl.DataFrame({"first": texts, "n": [1] * len(texts), "last": texts})
    written = render(frame, "csv").decode().replace("\x00", "")
    for row in csv.reader(io.StringIO(written, newline=""), delimiter=separator):
        for cell in row:
            assert not cell.strip(BLANKS).startswith(("=", "+", "-", "@", "＝")), row


@given(st.lists(st.none() | st.text() | COLUMN_TEXT))
def test_csv_safe_does_the_same(texts: list[str | None]) -> None:
    column = pl.Series("a", texts, dtype=pl.String)
    safe = csv_safe(
        pl.DataFrame({"a": column, "c": column.cast(pl.Categorical), "l": [[t, "z"] for t in texts]})
    )
    expected = [text if text is None else clean_csv_cell(text) for text in texts]
    assert safe["a"].to_list() == expected
    assert safe["c"].to_list() == expected
    assert safe["l"].to_list() == [clean_csv_cell("z" if t is None else f"{t}|z") for t in texts]


def test_csv_safe_leaves_numbers_alone() -> None:
    numbers = pl.DataFrame({"a": [-3.5], "b": [-1], "c": [[-1, 2]]})
    assert_frame_equal(csv_safe(numbers), numbers)


@given(st.lists(st.text() | COLUMN_TEXT, min_size=1, max_size=5))
def test_csv_reads_back_as_written(texts: list[str]) -> None:
    written = render(pl.DataFrame({"a": texts, "b": texts}), "csv").decode()
    safe = [clean_csv_cell(text) for text in texts]
    assert list(csv.reader(io.StringIO(written, newline="")))[1:] == [[text, text] for text in safe]
    assert json.loads(render(pl.DataFrame({"a": texts}), "json")) == [{"a": text} for text in texts]
