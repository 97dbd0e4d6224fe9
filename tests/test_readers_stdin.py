"""A log piped into the command."""

from __future__ import annotations

import gzip
import hashlib
import io
import subprocess
import sys
import zipfile

import pytest

from propgraph.errors import InputError
from propgraph.readers.find import find_logs
from propgraph.readers.read import read_logs
from propgraph.study import Study

LOG = b"account_id,timestamp,content_id\na,1600000000,p1\nb,1600000060,p2\n,1600000060,p3\n"


def piped(monkeypatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_a_log_piped_in_becomes_a_study_that_names_it(tmp_path):
    packed = gzip.compress(LOG)
    command = [sys.executable, "-m", "propgraph", "build", "-", "-o", str(tmp_path / "study")]
    done = subprocess.run(command, input=packed, capture_output=True, check=True)
    assert b"read      -: 3 rows, columns" in done.stdout
    study = Study.open(tmp_path / "study")
    (source,) = study.run["build"]["inputs"]
    assert (source["path"], source["bytes"]) == ("-", len(packed))
    assert source["sha256"] == hashlib.sha256(packed).hexdigest()
    assert study.rejected.select("source", "line").rows() == [("-", 4)]


def test_a_zip_piped_in(monkeypatch):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("log.csv", LOG)
    piped(monkeypatch, buffer.getvalue())
    log = read_logs(["-"])
    assert [source["path"] for source in log.sources] == ["-/log.csv"]
    assert log.posts.height == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no log to read: -: left out, empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "-: neither UTF-8 text nor Parquet"),
        (b"user,when\na,1600000000\n", "-: no known format has these columns"),
    ],
)
def test_what_is_no_log_is_told(monkeypatch, content, message):
    piped(monkeypatch, content)
    with pytest.raises(InputError, match=message):
        read_logs(["-"])


def test_only_the_log_can_be_piped_in(monkeypatch):
    piped(monkeypatch, LOG)
    with pytest.raises(InputError, match="-: standard input can be the log only; write this table to a file"):
        find_logs(["-"])


def test_a_terminal_is_no_log(monkeypatch):
    piped(monkeypatch, LOG)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    with pytest.raises(InputError, match="-: standard input is a terminal; pipe a log into the command"):
        read_logs(["-"])
