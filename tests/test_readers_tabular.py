from __future__ import annotations

import csv
import gzip
import io
import itertools
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from propgraph.errors import InputError
from propgraph.readers.find import LogFile, find_logs
from propgraph.readers.layouts import tabular
from propgraph.readers.layouts.quotes import QuoteLeftOpenError, Quotes
from propgraph.readers.layouts.tabular import columns_of, read_batches


@pytest.fixture(autouse=True)
def limit_of_fields():
    """A reader sets Python's own limit for a field, of the whole process; what is set for a test ends with it."""
    limit = csv.field_size_limit()
    yield
    csv.field_size_limit(limit)


def records(path, content, columns):
    """Return the rows of a file as `(line, *values)` and the records rejected as `(line, reason, raw)`."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (file,), _ = find_logs([path])
    return collected(read_batches(file, columns))


def collected(batches):
    rows, rejected = [], []
    for batch in batches:
        assert len(batch.line) == batch.frame.height
        rows += [(int(line), *row) for line, row in zip(batch.line, batch.frame.rows(), strict=True)]
        rejected += [row[1:] for row in batch.rejected.rows()]
    return sorted(rows), sorted(rejected)


@pytest.fixture
def csv_way(monkeypatch):
    """Note by which way a CSV was read."""
    ways = []
    slow = tabular._read_csv_slow

    def noted(*args, **kwargs):
        ways.append("slow")
        return slow(*args, **kwargs)

    monkeypatch.setattr(tabular, "_read_csv_slow", noted)
    return ways


# --- CSV -------------------------------------------------------------------------------------------------


def test_lines_count_records_from_the_header_on(tmp_path, csv_way):
    text = 'x,y\n1,2\n\n"a\nb",4\n\n5\n7,"8"\n'
    rows, rejected = records(tmp_path / "f.csv", text, ["x", "y"])
    assert rows == [(2, "1", "2"), (3, "a\nb", "4"), (5, "7", "8")]
    assert rejected == [(4, "1 fields where the header has 2", "5")]
    assert csv_way == []


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_line_ends_of_all_systems(tmp_path, csv_way, end, last):
    text = end.join(["x,y", "1,2", "", "3", "4,", *[""] * last])
    rows, rejected = records(tmp_path / "f.csv", text, ["y", "x"])
    assert rows == [(2, "2", "1"), (4, None, "4")]
    assert rejected == [(3, "1 fields where the header has 2", "3")]
    assert csv_way == []


@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_separators(tmp_path, separator):
    text = separator.join("xyz") + "\n" + separator.join("abc") + "\n"
    assert records(tmp_path / "f", text, ["z", "x"]) == ([(2, "c", "a")], [])


def test_fields_stay_text(tmp_path):
    rows, _ = records(tmp_path / "f.csv", "x,y\n007,1e5\ntrue,null\nNA,\n", ["x", "y"])
    assert rows == [(2, "007", "1e5"), (3, "true", "null"), (4, "NA", None)]


def test_a_header_may_have_blanks_a_mark_repeats_and_gaps(tmp_path, csv_way):
    text = "\ufeff\n x , y ,,y2,,y2\n1,2,3,4,5,6\n"
    path = tmp_path / "f.csv"
    assert records(path, text, ["y", "x"]) == ([(2, "2", "1")], [])
    (file,), _ = find_logs([path])
    assert columns_of(file) == ["x", "y", "", "y2", "", "y2"]
    assert csv_way == []


def test_a_torn_last_line_is_rejected(tmp_path, csv_way):
    rows, rejected = records(tmp_path / "f.csv", "x,y,z\n1,2,3\n4,5", ["x"])
    assert rows == [(2, "1")]
    assert rejected == [(3, "2 fields where the header has 3", "4,5")]
    assert csv_way == []


@pytest.mark.parametrize("torn", ['3,"torn', '3,"torn ""too""', '"3,4', '"'])
def test_a_file_that_ends_inside_a_quote(tmp_path, torn):
    rows, rejected = records(tmp_path / "f.csv", "x,y\n1,2\n" + torn, ["x", "y"])
    assert rows == [(2, "1", "2")]
    assert rejected == [(3, "a quote opens here and is not closed", torn)]


@pytest.mark.parametrize("last", ["6,7", '6,"7"', '6,"7 ""8"""', '"6",7'])
@pytest.mark.parametrize("size", [0, 10, 100_000])
def test_a_quote_left_open_costs_its_own_line_only(tmp_path, last, size):
    text = 'x,y\n1,2\n3,"open\n' + "4,5\n" * size + last + "\n8,9\n"
    rows, rejected = records(tmp_path / "f.csv", text, ["x"])
    lines = [(4 + n, "4") for n in range(size)]
    assert rows == [(2, "1"), *lines, (4 + size, "6"), (5 + size, "8")]
    assert rejected == [(3, "a quote opens here and is not closed", '3,"open')]


def test_quotes_within_a_line_are_as_they_come(tmp_path, csv_way):
    text = 'x,y\n5\'10",2\n"a"b,3\na"b"c,4\n"",5\n"""",6\n"a ""b""\nc",7\n'
    rows, rejected = records(tmp_path / "f.csv", text, ["x"])
    assert [x for _, x in rows] == ["5'10\"", "ab", 'a"b"c', None, '"', 'a "b"\nc']
    assert (rejected, csv_way) == ([], [])


def test_a_record_of_several_lines_with_too_few_fields_says_so(tmp_path):
    rows, rejected = records(tmp_path / "f.csv", 'x,y,z\n1,"a\nb\nc"\n8,9,10\n', ["x"])
    assert rows == [(3, "8")]
    reason = "2 fields where the header has 3, over 3 lines: is a quote left open?"
    assert [row[:2] for row in rejected] == [(2, reason)]


def test_open_quotes_without_end_are_one_clear_error(tmp_path, monkeypatch):
    text = "x,y\n" + '1","2\n' * 300  # the outer quotes of each line cut off
    rows, rejected = records(tmp_path / "f.csv", text, ["x", "y"])
    assert len(rows) + len(rejected) == 300
    monkeypatch.setattr(tabular, "_REPLAYED_CHARACTERS", 1000)
    with pytest.raises(InputError, match=r"f\.csv: quotes open and do not close, again and again"):
        records(tmp_path / "f.csv", text, ["x", "y"])


@given(st.lists(st.sampled_from([*'a,"\n', '",', ',"', '"\n', '""'])), st.lists(st.integers(0, 60)))
def test_quotes_are_followed_across_pieces(parts, cuts):
    data = "".join(parts).encode()

    def left_open(pieces):
        quotes = Quotes(",", longest=1000)
        try:
            for piece in [*filter(None, pieces), b""]:
                quotes.check(piece)
        except QuoteLeftOpenError:
            return True
        return False

    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    assert left_open([data]) == left_open([data[a:b] for a, b in itertools.pairwise(edges)])


@pytest.mark.parametrize("column", ["x", "z"])
def test_bytes_that_are_not_utf8_cost_the_rows_that_need_them(tmp_path, capfd, column):
    text = "x,y,z\nMünchen,2,3\nRom,5,6\nKöln\n".encode("latin-1") + "Zürich,8,9\n".encode()
    rows, rejected = records(tmp_path / "f.csv", text, [column])
    torn = (4, "1 fields where the header has 3", "K?ln")
    if column == "x":
        assert rows == [(3, "Rom"), (5, "Zürich")]
        assert rejected == [
            (
                2,
                "bytes that are not UTF-8; save the file as UTF-8, or name its encoding with --encoding "
                "(in Python: encoding=)",
                "M?nchen,2,3",
            ),
            torn,
        ]
    else:
        assert rows == [(2, "3"), (3, "6"), (5, "9")]
        assert rejected == [torn]
    assert capfd.readouterr().err == ""


def test_nuls_are_data_in_a_field_and_no_record_by_themselves(tmp_path):
    text = "x,y\n" + "1,2\n" * 50 + "a\0b,3\n\0\0\0\0"
    rows, rejected = records(tmp_path / "f.csv", text, ["x"])
    assert rows[-1] == (52, "a\0b")
    assert rejected == [(53, "1 fields where the header has 2", "\0\0\0\0")]


@pytest.mark.parametrize("size", [10_000_000, 40_000_000])  # below and above what Arrow takes at once
def test_a_very_large_field(tmp_path, size):
    rows, rejected = records(tmp_path / "f.csv", f"x,y\n1,{'a' * size}\n2,\n3\n", ["x", "y"])
    assert [(line, x, len(y or "")) for line, x, y in rows] == [(2, "1", size), (3, "2", 0)] or size > 2**25
    assert rows[-1] == (3, "2", None)
    assert [row[0] for row in rejected][-1] == 4


def test_what_is_rejected_is_shown_in_part(tmp_path):
    _, ((_, _, raw),) = records(tmp_path / "f.csv", "x,y\n" + "a" * 5000, ["x"])
    assert raw == "a" * 2000


def test_a_header_alone_has_no_rows(tmp_path):
    for text in ("x,y", "x,y\n", "x,y\r\n\r\n"):
        assert records(tmp_path / "f.csv", text, ["x"]) == ([], [])


pieces = st.sampled_from([
    b"a", b"b", b",", b",", b'"', b'""', b"\n", b"\n", b" ", b"\xc3\xa9", b"\xff", b"\0", b"1,2\n",
    b'"x\ny",3\n', b"a" * 15,
])  # fmt: skip


@settings(deadline=None, max_examples=400)
@given(
    st.lists(pieces, max_size=40),
    st.sampled_from([16, 64, 1 << 20]),
    st.sampled_from([["x"], ["y", "x"]]),
)
@example([b'1,"2\n', b"3,4\n"], 1 << 20, ["x"])
@example([b'aa""\0aa,"""x\ny",3\n'], 16, ["x"])
@example([b"\xffaa\n", "éééé".encode(), b"\xff\n"], 16, ["x"])
def test_the_fast_and_the_slow_way_agree(tmp_path_factory, parts, block, columns):
    path = tmp_path_factory.getbasetemp() / "agree.csv"
    path.write_bytes(b"x,y\n" + b"".join(parts))
    file = LogFile(path, "csv")
    try:
        path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        # What is not UTF-8 is read by a guess, if there is one.
        file = replace(file, encoding=tabular.guess_encoding(file))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tabular, "_BLOCK_BYTES", block)
        patch.setattr(tabular, "_BATCH_ROWS", 3)
        places = [["x", "y"].index(name) for name in columns]
        slow = collected(tabular._read_csv_slow(file, columns, places, None, first=2))
        assert collected(read_batches(file, columns)) == slow


@given(
    st.lists(
        st.tuples(st.text('ab,;"\n é😀', max_size=5), st.text("01 '\t", min_size=1, max_size=3)), max_size=20
    )
)
def test_what_is_written_is_read(tmp_path_factory, rows):
    path = tmp_path_factory.getbasetemp() / "written.csv"
    pl.DataFrame(rows, schema={"x": pl.String, "y": pl.String}, orient="row").write_csv(path)
    found, rejected = records(path, path.read_bytes(), ["x", "y"])
    assert found == [(line, x or None, y) for line, (x, y) in enumerate(rows, 2)]
    assert rejected == []


def test_many_blocks_with_torn_lines_keep_their_numbers(tmp_path, monkeypatch, csv_way):
    monkeypatch.setattr(tabular, "_BLOCK_BYTES", 4096)
    lines = [f"{n}" if n % 7 == 0 else f"{n},{n}" for n in range(2, 20_000)]
    rows, rejected = records(tmp_path / "f.csv", "\n".join(["x,y", *lines]), ["x"])
    assert rows == [(n, str(n)) for n in range(2, 20_000) if n % 7]
    assert [(line, raw) for line, _, raw in rejected] == [(n, str(n)) for n in range(7, 20_000, 7)]
    assert csv_way == []


def test_a_fault_in_a_late_block_leaves_the_earlier_ones_as_they_are(tmp_path, monkeypatch, csv_way):
    monkeypatch.setattr(tabular, "_BLOCK_BYTES", 4096)
    lines = [f"{n},{n}" for n in range(2, 5000)]
    lines[4500] = "\xff,0"
    rows, rejected = records(tmp_path / "f.csv", "\n".join(["x,y", *lines]).encode("latin-1"), ["x"])
    assert [line for line, _ in rows] == [n for n in range(2, 5000) if n != 4502]
    assert [line for line, _, _ in rejected] == [4502]
    assert csv_way == ["slow"]


def test_progress_counts_every_byte_once(tmp_path):
    path = tmp_path / "f.csv"
    path.write_text("x,y\n" + "1,2\n" * 10_000)
    (file,), _ = find_logs([path])
    seen = []
    list(read_batches(file, ["x"], progress=seen.append))
    assert sum(seen) == path.stat().st_size


# --- NDJSON ----------------------------------------------------------------------------------------------


def test_ndjson_lines_are_the_files_own(tmp_path):
    content = b'{"a": 1, "b": "x"}\n\n{"a": torn\n[1]\n"text"\n  \n{"b": null}\r\n{"a": "\xff"}\n{"a": 2'
    rows, rejected = records(tmp_path / "f.ndjson", content, ["a", "b"])
    assert rows == [(1, "1", "x"), (7, None, None)]
    assert [(line, reason.split(":")[0]) for line, reason, _ in rejected] == [
        (3, "not JSON"),
        (4, "a JSON list where an object was expected"),
        (5, "a JSON str where an object was expected"),
        (8, "not JSON"),
        (9, "not JSON"),
    ]
    assert rejected[1][2] == "[1]"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1234567890123456789", "1234567890123456789"),
        ("-9007199254740993", "-9007199254740993"),
        ("18446744073709551616", "18446744073709551616"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("1600000000.0", "1600000000"),
        ("1600000000.5", "1600000000.5"),
        ("1.5e300", "1.5e300"),  # as it is written, as in a table
        ("true", "true"),
        ("null", None),
        ("NaN", None),
        ("Infinity", "inf"),
        ('""', None),
        ('"007"', "007"),
        ('"a\\u0000b"', "a\0b"),
        ('"half \\ud83d"', "half ?"),
        ('"whole \\ud83d\\ude00"', "whole 😀"),
        ('["a", 1]', '["a", 1]'),
        ('{"id": 12345678901234567890123}', '{"id": 1.2345678901234568e+22}'),
    ],
)
def test_json_values_as_text(tmp_path, value, text):
    rows, rejected = records(tmp_path / "f.ndjson", f'{{"a": {value}}}\n', ["a"])
    assert (rows, rejected) == ([(1, text)], [])


def test_an_absurdly_deep_or_long_value_is_rejected(tmp_path):
    deep = "[" * 100_000
    digits = "1" * 5000
    rows, rejected = records(tmp_path / "f.ndjson", f'{{"a": 1}}\n{{"a": {deep}\n{{"a": {digits}}}\n', ["a"])
    assert rows == [(1, "1")]
    assert [line for line, *_ in rejected] == [2, 3]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_ndjson_with_a_byte_order_mark(tmp_path, encoding):
    content = '{"a": "ü"}\n{"a": "b"}\n'.encode(encoding)
    assert records(tmp_path / "f.ndjson", content, ["a"]) == ([(1, "ü"), (2, "b")], [])


def test_keys_are_those_of_all_the_first_records(tmp_path):
    path = tmp_path / "f.ndjson"
    path.write_text('{"a": 1}\ntorn\n' + '{"a": 1}\n' * 500 + '{"b": 2}\n')
    (file,), _ = find_logs([path])
    assert columns_of(file) == ["a", "b"]


# --- Parquet, Arrow, packed ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["f.parquet", "f.arrow", "f[1].parquet", "f[1].arrow"])
def test_binary_tables(tmp_path, name):
    frame = pl.DataFrame({"a": [1, None, 3], "b": ["x", "y", None], "c": [[1], [], None]})
    buffer = io.BytesIO()
    (frame.write_parquet if "parquet" in name else frame.write_ipc)(buffer)
    rows, rejected = records(tmp_path / name, buffer.getvalue(), ["b", "a"])
    assert (rows, rejected) == ([(1, "x", 1), (2, "y", None), (3, None, 3)], [])
    (file,), _ = find_logs([tmp_path / name])
    assert columns_of(file) == ["a", "b", "c"]


@pytest.mark.parametrize("name", ["f.parquet", "f.arrow"])
def test_a_binary_table_cut_off_is_told(tmp_path, name, capfd):
    buffer = io.BytesIO()
    frame = pl.DataFrame({"a": np.arange(10_000)})
    (frame.write_parquet if "parquet" in name else frame.write_ipc)(buffer)
    (tmp_path / name).write_bytes(buffer.getvalue()[:-100])
    (file,), _ = find_logs([tmp_path / name])
    with pytest.raises(InputError, match=rf"{name}: cannot be read to its end .* cut off or damaged"):
        columns_of(file)


@pytest.mark.parametrize("cut", [10, 500])
@pytest.mark.parametrize("name", ["f.csv.gz", "f.ndjson.gz"])
def test_a_packed_file_cut_off_is_told(tmp_path, name, cut):
    line = "x,y\n" if "csv" in name else '{"x": 1}\n'
    content = (
        line + "".join(f"{n * n},2\n" if "csv" in name else f'{{"x": {n * n}}}\n' for n in range(50_000))
    ).encode()
    (tmp_path / name).write_bytes(gzip.compress(content)[:-cut])
    with pytest.raises(InputError, match=rf"{name}: cannot be read to its end .* cut off or damaged"):
        list(read_batches(find_logs([tmp_path / name])[0][0], ["x"]))


def test_packed_files_put_together_are_read_as_one(tmp_path):
    content = gzip.compress(b"x,y\n1,2\n") + gzip.compress(b"3,4\n")
    assert records(tmp_path / "f.csv.gz", content, ["x"]) == ([(2, "1"), (3, "3")], [])


@pytest.mark.parametrize("end", ["\n", ""])
def test_a_line_beyond_all_bounds_costs_itself(tmp_path, monkeypatch, end):
    monkeypatch.setattr(tabular, "_LINE_CHARACTERS", 200)
    monkeypatch.setattr(tabular, "_FIELD_CHARACTERS", 100)
    monkeypatch.setattr(tabular, "_BLOCK_BYTES", 1000)
    text = "x,y\n1,2\n3," + "z" * 100_000 + (end and end + '"4\n5",6\n')
    rows, rejected = records(tmp_path / "f.csv", text, ["x"])
    assert rows == [(2, "1"), (4, "4\n5")][: 1 + bool(end)]
    assert [row[:2] for row in rejected] == [(3, "a line of more than 200 characters; no row has so many")]


@pytest.mark.parametrize("n", [10, 1000])
def test_a_quote_left_open_for_longer_than_a_field_can_be_costs_its_line(tmp_path, monkeypatch, csv_way, n):
    monkeypatch.setattr(tabular, "_FIELD_CHARACTERS", 100)
    monkeypatch.setattr(tabular, "_BLOCK_BYTES", 1000)
    text = 'x,y\n1,2\n3,"open\n' + "4,5\n" * n
    rows, rejected = records(tmp_path / "f.csv", text, ["x"])
    assert rows == [(2, "1"), *((4 + k, "4") for k in range(n))]
    assert rejected == [(3, "a quote opens here and is not closed", '3,"open')]
    assert csv_way == ["slow"]


@given(st.integers(1, 300), st.lists(st.integers(0, 400), max_size=4))
def test_the_length_of_a_quoted_field_is_counted_across_pieces(size, cuts):
    data = b'x,"' + b"y\n" * size
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    quotes, raised = Quotes(",", longest=200), False
    try:
        for start, stop in itertools.pairwise(edges):
            if start < stop:
                quotes.check(data[start:stop])
    except QuoteLeftOpenError:
        raised = True
    assert raised == (len(data) - data.index(b'"') > 200)
