from __future__ import annotations

import bz2
import gzip
import lzma
import os
import re
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from propgraph.errors import InputError
from propgraph.readers.find import find_logs

CSV = "account_id,timestamp\na,1600000000\n"
NDJSON = '{"account_id": "a", "timestamp": 1600000000}\n'


def write(path: Path, content: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def zstd(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return sink.getvalue().to_pybytes()


def only(path):
    (file,), left_out = find_logs([path])
    assert left_out == []
    return file


@pytest.mark.parametrize(
    ("content", "layout", "separator"),
    [
        (CSV, "csv", ","),
        (CSV.replace(",", "\t"), "csv", "\t"),
        (CSV.replace(",", ";"), "csv", ";"),
        ("\n\n" + CSV.replace(",", ";"), "csv", ";"),
        (NDJSON, "ndjson", ","),
        (NDJSON.splitlines()[0], "ndjson", ","),
        ('{"a": torn\n{"a": 1}\n', "ndjson", ","),
        ('{"a": 1}\ntorn\n', "ndjson", ","),
        ('[{"a": 1}]', "json", ","),
        ('[\n{"a": 1}\n]', "json", ","),
        ('{\n "a": 1\n}', "json", ","),
        ("\n  " + NDJSON, "ndjson", ","),
    ],
)
@pytest.mark.parametrize(
    ("pack", "packed"),
    [
        (bytes, ()),
        (gzip.compress, ("gzip",)),
        (zstd, ("zstd",)),
        (bz2.compress, ("bzip2",)),
        (lzma.compress, ("xz",)),
        (lambda content: gzip.compress(gzip.compress(content)), ("gzip", "gzip")),
        (lambda content: lzma.compress(zstd(content)), ("xz", "zstd")),
    ],
)
def test_a_file_is_known_by_its_content_and_not_by_its_name(
    tmp_path, content, layout, separator, pack, packed
):
    file = only(write(tmp_path / "export.dat", pack(content.encode())))
    assert (file.layout, file.separator, file.packed) == (layout, separator, packed)
    with file.open() as stream:
        assert stream.read() == content.encode()


def test_binary_tables_are_known_by_their_content(tmp_path):
    frame = pl.DataFrame({"account_id": ["a"]})
    frame.write_parquet(tmp_path / "one.csv")
    frame.write_ipc(tmp_path / "two.csv")
    assert [file.layout for file in find_logs([tmp_path])[0]] == ["parquet", "ipc"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_text_with_a_byte_order_mark_is_read_as_plain_utf8(tmp_path, encoding, pack):
    text = "account_id,timestamp\nÄnne 😀,1600000000\n" * 30_000  # over more than one block
    file = only(write(tmp_path / "log.csv", pack(text.encode(encoding))))
    assert file.encoding == encoding
    with file.open() as stream:
        assert stream.read() == text.encode()


def test_of_utf16_cut_in_the_middle_of_a_character_the_torn_byte_is_no_text(tmp_path):
    file = only(write(tmp_path / "log.csv", CSV.encode("utf-16")[:-1]))
    with file.open() as stream:
        assert stream.read() == CSV[:-1].encode() + b"\xff"


def test_of_a_folder_only_logs_are_taken_and_the_rest_is_told(tmp_path):
    wanted = [
        write(tmp_path / "a.csv", CSV),
        write(tmp_path / "deep" / "b.ndjson.gz", gzip.compress(NDJSON.encode())),
    ]
    write(tmp_path / "notes.docx", "PK")
    write(tmp_path / "picture.txt", b"\x89PNG\r\n\x1a\n\0\0\0")
    write(tmp_path / "empty.csv", "")
    write(tmp_path / "blank.csv", " \n\n")
    write(tmp_path / "nothing.csv.gz", gzip.compress(b""))
    write(tmp_path / ".hidden.csv", CSV)
    write(tmp_path / ".cache" / "c.csv", CSV)
    found, left_out = find_logs([tmp_path])
    assert [file.path for file in found] == wanted
    assert [file.by_name for file in found] == [False, False]
    reasons = {Path(path).name: reason for path, reason in (line.split(": left out, ") for line in left_out)}
    assert reasons == {
        "notes.docx": "not a log by its name",
        "picture.txt": "neither UTF-8 text nor Parquet nor an Arrow IPC file; unpack or convert it first",
        "empty.csv": "empty",
        "blank.csv": "empty",
        "nothing.csv.gz": "empty",
    }


def test_globs_take_what_they_match(tmp_path):
    for name in ("a1.csv", "a2.csv", "b.csv", "deep/a3.csv"):
        write(tmp_path / name, CSV)
    assert [file.path.name for file in find_logs([tmp_path / "a?.csv"])[0]] == ["a1.csv", "a2.csv"]
    assert [file.path.name for file in find_logs([f"{tmp_path}/**/a*.csv"])[0]] == [
        "a1.csv",
        "a2.csv",
        "a3.csv",
    ]


def test_a_file_reached_in_several_ways_is_read_once(tmp_path):
    path = write(tmp_path / "a.csv", CSV)
    (tmp_path / "link.csv").symlink_to(path)
    ways = [path, tmp_path, f"{tmp_path}/../{tmp_path.name}/a.csv", f"{tmp_path}/*.csv"]
    (file,), _ = find_logs(ways)
    assert (file.path, file.by_name) == (path, True)


def test_a_name_with_pattern_characters_is_a_name(tmp_path):
    path = write(tmp_path / "log[1].csv", CSV)
    assert only(path).path == path


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no log to read: .*left out, empty"),
        (" \n", "no log to read: .*left out, empty"),
        (b"PK\x03\x04\x14\0\x06\0" + bytes(99), "log.csv: cannot be read to its end .File is not a zip file"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "log.csv: neither UTF-8 text"),
        (b"7z\xbc\xaf\x27\x1c\0\x04", "log.csv: a 7z archive; unpack it first"),
        (gzip.compress(CSV.encode(), mtime=0)[:12], "log.csv: cannot be read to its end .* cut off"),
    ],
)
def test_a_file_that_is_no_log_is_told(tmp_path, content, message):
    with pytest.raises(InputError, match=message):
        find_logs([write(tmp_path / "log.csv", content)])


def test_all_that_is_wrong_is_told_at_once(tmp_path):
    write(tmp_path / "paper.csv", b"\x89PNG\r\n\x1a\n\0\0\0")
    with pytest.raises(InputError) as error:
        find_logs([tmp_path / "absent.csv", tmp_path / "*.tsv", tmp_path / "paper.csv"])
    for part in ("absent.csv: no such file or folder", "the pattern matches nothing", "neither UTF-8 text"):
        assert part in str(error.value)


def test_many_faults_are_cut_short(tmp_path):
    with pytest.raises(InputError, match="and 15 more like these"):
        find_logs([tmp_path / f"{n}.csv" for n in range(20)])


def test_a_pipe_and_a_name_too_long_are_told(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match=r"pipe: not a file \(a pipe\?\)"):
        find_logs([tmp_path / "pipe"])
    with pytest.raises(InputError, match="cannot be read"):
        find_logs(["x" * 5000])


def test_an_unreadable_file_is_told(tmp_path, monkeypatch):
    path = write(tmp_path / "log.csv", CSV)
    whole = Path.open

    def refused(self, *args, **kwargs):
        if self == path:
            raise PermissionError(13, "Permission denied", str(self))
        return whole(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refused)
    for named in (path, tmp_path):  # a folder's unreadable file is no less a fault
        with pytest.raises(InputError, match=re.escape(f"{path}: cannot be read (Permission denied)")):
            find_logs([named])


def test_a_few_nuls_do_not_make_a_log_binary(tmp_path):
    path = write(tmp_path / "log.csv", (CSV * 50).encode() + b"\0" * 8)
    assert only(path).layout == "csv"


def test_a_folder_of_many_pictures_is_told_in_one_sentence(tmp_path):
    (tmp_path / "a.csv").write_text("account_id,timestamp\na,1\n")
    for n in range(6):
        for name in (f"media/{n}.jpg", f"{n}.md"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).touch()
    (tmp_path / "media/sub").mkdir()
    (tmp_path / "media/sub/x.jpg").touch()
    found, left_out = find_logs([tmp_path])
    assert [file.path.name for file in found] == ["a.csv"]
    assert left_out == [
        f"{tmp_path}: 6 files left out, not logs by their names (0.md, 1.md, ...)",
        f"{tmp_path}/media: 6 files left out, not logs by their names (0.jpg, 1.jpg, ...)",
        f"{tmp_path}/media/sub/x.jpg: left out, not a log by its name",
    ]
