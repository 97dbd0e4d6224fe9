"""Tables whose header is not the first line."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest

from propgraph.errors import InputError, UsageError
from propgraph.readers.files.streams import without_lines
from propgraph.readers.find import find_logs
from propgraph.readers.read import read_logs

CASES = Path(__file__).parent / "fixtures" / "cases"
HEAD = "account_id,timestamp,content_id"
ROWS = "a,1600000000,p1\nb,1600000060,p2\nb,1600000061\n"


def read(path, content, **options):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_logs([path], **options)


def test_the_header_of_a_brandwatch_export_is_found_by_the_columns_named():
    names = {"account_id": "Author", "timestamp": "Date", "content_id": "Url", "urls": "Expanded URLs"}
    log = read_logs([CASES / "brandwatch_preamble.csv"], mapping=names)
    assert (log.posts.height, log.rejected.height) == (1, 0)
    assert log.posts["urls"].to_list() == [["https://x.example/a"]]
    (note,) = (note for note in log.notes if "header" in note)
    assert note.endswith(
        "the header is line 7; the lines before it are left out, the first of them 'Report:,Mentions'"
    )


BEFORE = {
    "prose": 'Made by "us", on 5 March, 2024.\nSecret; do not share\n\n',
    "prose as wide as the table": "Report:,Mentions,\nBrand:,valley,\n,,\n",
    "comments": "# made by hand\n#\n",
    "a comment with the separator": "# a, b, c\n",
    "a line of blanks": " \n\t\nx\n",
    "other separators": "a;b;c\nd\te\tf\ng|h|i\n",
    "Windows' ends of lines": "Report:,Mentions\r\n\r\n",
    "an old Mac's ends of lines": "Report:,Mentions\r\r",
}


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_lines_before_the_header(tmp_path, before, separator, pack):
    lines = BEFORE[before]
    table = (HEAD + "\n" + ROWS).replace(",", separator)
    n = len(lines.splitlines())
    log = read(tmp_path / "log.csv", pack((lines + table).encode()))
    assert log.posts["content_id"].to_list() == ["p1", "p2"]
    # The lines of the rows are those of the file, blank ones not counted.
    assert log.rejected.select("line", "reason").rows() == [(n + 4, "2 fields where the header has 3")]
    assert any(f"the header is line {n + 1};" in note for note in log.notes)
    again = read(tmp_path / "log.csv", pack((lines + table).encode()), skip_lines=n)
    assert again.posts.equals(log.posts)
    assert again.rejected.equals(log.rejected)


@pytest.mark.parametrize("line", ["sep=;", "SEP=;", '"sep=;"', "\ufeffsep=;", "\n\nsep=;"])
def test_the_line_by_which_a_spreadsheet_names_the_separator(tmp_path, line):
    log = read(tmp_path / "log.csv", line + "\r\n" + (HEAD + "\n" + ROWS).replace(",", ";"))
    assert log.posts.height == 2
    assert not any("header" in note for note in log.notes)


@pytest.mark.parametrize("separator", ["^", "~", "\t", ":"])
def test_the_separator_may_be_any(tmp_path, separator):
    log = read(tmp_path / "log.csv", f"sep={separator}\n" + (HEAD + "\n" + ROWS).replace(",", separator))
    assert log.posts.height == 2


def test_a_separator_is_what_makes_the_most_of_the_header_not_what_is_in_a_name(tmp_path):
    content = (
        '"urls; of, all | kinds"|account_id|timestamp\nhttp://a.example/1,http://a.example/2|a|1600000000\n'
    )
    assert read(tmp_path / "log.csv", content).posts.height == 1


def test_the_way_out_is_told_where_no_line_is_known(tmp_path):
    content = "Talkwalker\n\nwhen,who,what\n2024-03-05 10:00,ana,hi\n2024-03-05 10:01,bo,ho\n"
    with pytest.raises(InputError) as error:
        read(tmp_path / "log.csv", content)
    assert "Found: when, who, what." in str(error.value)
    assert "Line 3 looks like the header; another is taken by --skip-lines N" in str(error.value)
    assert "'account_id': 'who', 'timestamp': 'when'" in str(error.value)
    with pytest.raises(InputError, match="Found: 2024-03-05 10:00, ana, hi"):
        read(tmp_path / "log.csv", content, skip_lines=3)


def test_rows_are_not_taken_for_a_header(tmp_path):
    # As R writes a table with row names: one name less than columns.
    content = '"who","when"\n"1","ana",1600000000\n"2","bo",1600000001\n'
    with pytest.raises(InputError, match="Found: who, when"):
        read(tmp_path / "log.csv", content)


def test_a_known_header_further_down_than_a_person_writes_is_not_looked_for(tmp_path):
    rows = "".join(f"x{n},y\n" for n in range(300))
    with pytest.raises(InputError, match="Found: user, when"):
        read(tmp_path / "log.csv", "user,when\n" + rows + HEAD + "\n" + ROWS)


def test_skipped_lines_of_ndjson_are_counted(tmp_path):
    line = '{"account_id": "a", "timestamp": 1600000000, "content_id": "p1"}\n'
    log = read(tmp_path / "log.ndjson", "# from a crawl\n\n" + line + "torn\n", skip_lines=2)
    assert (log.posts.height, log.rejected["line"].to_list()) == (1, [4])


def test_a_negative_number_of_lines_is_bad_usage(tmp_path):
    with pytest.raises(UsageError, match=r"^skip_lines: -1 is too small; give 0 or more"):
        read(tmp_path / "log.csv", HEAD, skip_lines=-1)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("n", [0, 1, 2, 3, 9])
def test_lines_are_left_out_wherever_the_pieces_are_cut(end, n):

    whole = end.join([b"one", b"", b"three", b"four"]) + end
    want = b"".join(line + end for line in [b"one", b"", b"three", b"four"][n:])
    for cut in range(len(whole) + 1):
        pieces = [piece for piece in (whole[:cut], whole[cut:]) if piece]

        class Cut(io.BytesIO):
            def __init__(self, pieces):
                self.pieces = list(pieces)

            def read(self, _=-1):
                return self.pieces.pop(0) if self.pieces else b""

        assert without_lines(Cut(pieces), n).read() == want


def test_a_side_table_may_say_its_separator(tmp_path):
    (tmp_path / "t.csv").write_text("sep=|\na|b\n1|2\n")
    (file,), _ = find_logs([tmp_path / "t.csv"])
    assert (file.separator, file.skip_lines) == ("|", 1)
