"""Zip and tar archives of logs, kind and hostile ones."""

from __future__ import annotations

import gc
import gzip
import io
import tarfile
import tempfile
import zipfile
from pathlib import Path

import polars as pl
import pytest

from propgraph.errors import InputError
from propgraph.jobs.build import build
from propgraph.provenance import digest
from propgraph.readers.files import archives, unpack
from propgraph.readers.find import find_logs
from propgraph.readers.read import read_logs

HEAD = "account_id,timestamp,content_id\n"
ONE, TWO = HEAD + "a,1600000000,p1\n", HEAD + "b,1600000060,p2\n,1600000060,p3\n"


def zipped(path: Path, *members: tuple[str, bytes | str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def tarred(path: Path, *members: tuple[str, bytes | str], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            content = content.encode() if isinstance(content, str) else content  # noqa: PLW2901
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def parquet() -> bytes:
    buffer = io.BytesIO()
    pl.DataFrame({"account_id": ["c"], "timestamp": [1600000000], "content_id": ["p4"]}).write_parquet(buffer)
    return buffer.getvalue()


MEMBERS = [
    ("logs/one.csv", ONE), ("logs/two.csv.gz", gzip.compress(TWO.encode())), ("logs/README.md", "about"),
    ("logs/three.parquet", parquet()), ("logs/.hidden.csv", ONE), ("__MACOSX/logs/._one.csv", b"\0\5"),
]  # fmt: skip
WAYS = {
    "a.zip": zipped,
    "a.tar": lambda path, *members: tarred(path, *members, mode="w"),
    "a.tgz": tarred,
    "a.tar.xz": lambda path, *members: tarred(path, *members, mode="w:xz"),
    "named.csv": zipped,
}


@pytest.mark.parametrize("name", WAYS)
def test_each_member_is_a_log_of_its_own(tmp_path, name):
    path = WAYS[name](tmp_path / name, *MEMBERS)
    study = build([path], tmp_path / "study")
    run = study.run["build"]
    assert [(source["path"], source["rows"]) for source in run["inputs"]] == [
        (f"{path}/logs/one.csv", 1), (f"{path}/logs/three.parquet", 1), (f"{path}/logs/two.csv.gz", 2),
    ]  # fmt: skip
    assert {source["sha256"] for source in run["inputs"]} == {digest(path)}
    assert run["inputs"][0]["bytes"] == len(ONE)
    assert study.posts["content_id"].to_list() == ["p1", "p4", "p2"]
    assert study.rejected.select("source", "line").rows() == [(f"{path}/logs/two.csv.gz", 3)]
    assert f"{path}/logs/README.md: left out, not a log by its name" in run["notes"]


def test_the_temporary_files_go_when_the_log_is_read(tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    path = zipped(tmp_path / "a.zip", *MEMBERS)
    files, _ = find_logs([path])
    assert len(list((tmp_path / "temporary").iterdir())) == 4  # a Parquet file is unpacked once more
    del files
    gc.collect()
    assert list((tmp_path / "temporary").iterdir()) == []


def test_an_archive_has_to_be_named(tmp_path):
    (tmp_path / "a.csv").write_text(ONE)
    zipped(tmp_path / "a.zip", ("a.csv", ONE))
    zipped(tmp_path / "really.csv", ("a.csv", ONE))
    files, left_out = find_logs([tmp_path])
    assert [file.name for file in files] == [f"{tmp_path}/a.csv"]
    assert left_out == [
        f"{tmp_path}/a.zip: left out, an archive by its name; name it to have it read, or all of them: '*.zip'",
        f"{tmp_path}/really.csv: left out, an archive; name it to have it read",
    ]
    files, _ = find_logs([f"{tmp_path}/*.zip"])
    assert [file.name for file in files] == [f"{tmp_path}/a.zip/a.csv"]


def test_an_archive_without_a_log_is_told(tmp_path):
    with pytest.raises(InputError, match=r"no log to read: .*a\.zip/x\.md: left out, not a log by its name"):
        find_logs([zipped(tmp_path / "a.zip", ("x.md", "x"))])
    with pytest.raises(InputError, match=r"no log to read: .*b\.zip: left out, an archive without a log"):
        find_logs([zipped(tmp_path / "b.zip")])


def test_an_archive_in_an_archive_is_told(tmp_path):
    inner = zipped(tmp_path / "inner.zip", ("a.csv", ONE)).read_bytes()
    files, left_out = find_logs([tarred(tmp_path / "a.tar.gz", ("deep.csv", inner), ("b.csv", TWO))])
    assert [file.name for file in files] == [f"{tmp_path}/a.tar.gz/b.csv"]
    assert left_out == [
        f"{tmp_path}/a.tar.gz/deep.csv: left out, an archive in an archive; unpack that first"
    ]


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["a.zip", "a.tgz"])
def test_of_members_of_one_name_the_last_is_read(tmp_path, name):
    path = WAYS[name](tmp_path / name, ("a.csv", ONE), ("a.csv", TWO))
    log = read_logs([path])
    assert log.posts["content_id"].to_list() == ["p2"]
    assert any("there more than once; the last of them is read" in note for note in log.notes)


@pytest.mark.parametrize(
    "name", ["../up.csv", "/etc/log.csv", "logs/../../up.csv", "C:\\log.csv", "..\\up.csv"]
)
@pytest.mark.parametrize("kind", ["a.zip", "a.tgz"])
def test_a_member_outside_of_the_archive_is_one_clear_error(tmp_path, kind, name):
    path = WAYS[kind](tmp_path / kind, ("a.csv", ONE), (name, TWO))
    with pytest.raises(
        InputError, match=r"a\.\w+: its member .* would lie outside of it; nothing of it is read$"
    ):
        find_logs([path])


def test_an_encrypted_member_is_one_clear_error(tmp_path):
    path = zipped(tmp_path / "a.zip", ("a.csv", ONE))
    content = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + place] |= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"its member 'a.csv' is encrypted; unpack it with its password$"):
        find_logs([path])


@pytest.mark.parametrize("kind", ["a.zip", "a.tgz", "a.csv.gz", "a.csv.bz2", "a.csv.gz.gz"])
def test_a_bomb_is_one_clear_error(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(unpack, "_FREE_BYTES", 1 << 20)
    content = HEAD.encode() + b"a,1600000000,p1\n" * 600_000
    path = tmp_path / kind
    if kind in WAYS:
        WAYS[kind](path, ("a.csv", content))
    else:
        import bz2

        packed = bz2.compress(content) if kind.endswith("bz2") else gzip.compress(content)
        path.write_bytes(gzip.compress(packed) if kind.endswith("gz.gz") else packed)
    with pytest.raises(InputError, match=r": it unpacks to more than 300 times its size, as no log does"):
        read_logs([path])


def test_members_that_overlap_are_one_clear_error(tmp_path):
    # Both entries of the directory point at the one file, as in bombs that need no nesting.
    path = zipped(tmp_path / "a.zip", ("a.csv", ONE), ("b.csv", ONE))
    content = bytearray(path.read_bytes())
    second = content.rindex(b"PK\x01\x02")
    content[second + 42 : second + 46] = bytes(4)
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.zip: its member '.\.csv' lies in the midst of another"):
        find_logs([path])


def test_too_many_members_are_one_clear_error(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "_MOST_MEMBERS", 2)
    members = [(f"{n}.csv", ONE) for n in range(3)]
    for name in ("a.zip", "a.tgz"):
        with pytest.raises(InputError, match="it holds more than 2 logs; unpack it and name the folder"):
            find_logs([WAYS[name](tmp_path / name, *members)])


def test_links_and_devices_in_a_tar_are_left_out(tmp_path):
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        for name, kind in (("link.csv", tarfile.SYMTYPE), ("hard.csv", tarfile.LNKTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        info = tarfile.TarInfo("a.csv")
        info.size = len(ONE)
        archive.addfile(info, io.BytesIO(ONE.encode()))
    files, left_out = find_logs([path])
    assert [file.name for file in files] == [f"{path}/a.csv"]
    assert left_out == [f"{path}/link.csv: left out, a link", f"{path}/hard.csv: left out, a link"]


MANY = HEAD + "".join(f"a{n},{1_600_000_000 + n},p{n * 7919 % 10_007}\n" for n in range(9000))


@pytest.mark.parametrize("kind", ["a.zip", "a.tar", "a.tgz", "a.tar.xz"])
@pytest.mark.parametrize("part", [0.3, 0.7, 0.95])
def test_an_archive_cut_off_is_told_and_nothing_of_it_is_read(tmp_path, kind, part):
    path = WAYS[kind](tmp_path / kind, ("a.csv", MANY), ("b.csv", MANY))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    with pytest.raises(InputError, match=r"cannot be read to its end .* is it cut off or damaged\?"):
        find_logs([path])


def test_a_tar_cut_off_between_two_members_is_told(tmp_path):
    path = tarred(tmp_path / "a.tar", ("a.csv", ONE), ("b.csv", TWO), mode="w")
    path.write_bytes(path.read_bytes()[:1024])
    files, left_out = find_logs([path])
    assert [file.name for file in files] == [f"{path}/a.csv"]
    assert left_out == [f"{path}: does not end as a tar archive ends; is it cut off?"]


def test_a_tar_with_a_broken_header_is_told(tmp_path):
    path = tarred(tmp_path / "a.tar", ("a.csv", ONE), ("b.csv", TWO), mode="w")
    content = bytearray(path.read_bytes())
    content[1024 + 150] ^= 1  # in the sum of the second header
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.tar: cannot be read to its end .damaged after 1,024 bytes"):
        find_logs([path])


@pytest.mark.parametrize("kind", ["a.zip", "a.tgz"])
def test_any_damage_of_an_archive_is_told_or_harmless(tmp_path, kind):
    path = WAYS[kind](tmp_path / kind, ("a.csv", MANY[:3000]))
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            log = read_logs([path])
        except InputError:
            continue
        # The sums of both kinds find every change of the content.
        assert log.posts.height + log.rejected.height == MANY[:3000].count("\n")


def test_a_file_packed_with_a_long_window(tmp_path):
    # As Reddit's dumps are packed: zstd --long=31.
    log = read_logs([Path(__file__).parent / "fixtures" / "cases" / "zst_long_window.csv.zst"])
    assert (log.posts.height, log.rejected.height) == (400, 0)
