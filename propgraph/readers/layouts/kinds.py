"""What a file is, told by its first bytes and not by its name."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from typing import IO

import orjson

from propgraph.readers.files.archives import TAR_MARK_STOP, ZIP_MARKS, is_tar
from propgraph.readers.files.encodings import (
    guess_encoding,
    is_utf8,
    marked_encoding,
    told_guess,
    wide_encoding,
)
from propgraph.readers.files.logfile import LogFile
from propgraph.readers.files.unpack import MAGIC_BYTES, packing_of
from propgraph.readers.layouts.chats import is_chat
from propgraph.readers.layouts.sheets import NOT_INSTALLED, OLD_MARK, is_readable, is_workbook, sheet_headers

EMPTY = "empty"
ZIP, TAR, WORKBOOK = "zip", "tar", "workbook"
_NO_LOG = "neither UTF-8 text nor Parquet nor an Arrow IPC file"
_BINARY_TABLES = ((b"PAR1", "parquet"), (b"ARROW1", "ipc"))
# What people take for logs, and what is to be done about it.
_OTHERS = (
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"),
    (b"Rar!\x1a\x07", "a RAR archive; unpack it first"),
    (b"SQLite format 3\0", "an SQLite database; export the table as CSV"),
    (b"%PDF-", "a PDF; export the table as CSV"),
)
HEAD_BYTES = 1 << 16
_LONGEST_LINE = 1 << 26
_MOST_PACKINGS = 3
# How the files of an archive of X's begin.
_SCRIPT = re.compile(rb"\s*window\.YTD\.\w+\.part\d+\s*=\s*(?=[\[{])")
# The first line that a spreadsheet writes and reads, of any separator: sep=;
_DECLARED_SEPARATOR = re.compile(rb"\"?sep=([!-~\t])\"?[,;\t|]*\s*$", re.IGNORECASE)
_SEPARATORS = ",\t;|"
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1f]")


def identify(file: LogFile, /) -> LogFile | str:
    """Return a file with its layout, `WORKBOOK`, `ZIP` or `TAR` among them; or why it is no log.

    Parameters
    ----------
    file
        One of which no more is known than where it is, and what the user says of it: its encoding, which a byte
        order mark overrules, and the lines before its header.

    Raises
    ------
    OSError
        When it cannot be read.
    """
    for _ in range(_MOST_PACKINGS + 1):
        with file.open_raw() as stream:
            start = stream.read(max(MAGIC_BYTES, TAR_MARK_STOP))
        packing = packing_of(start)
        if packing is None:
            break
        file = replace(file, packed=(*file.packed, packing))
    else:
        return f"packed {_MOST_PACKINGS} times and more; unpack it first"
    for magic, layout in _BINARY_TABLES:
        if start.startswith(magic):
            return replace(file.plain(), layout=layout)
    if start.startswith((*ZIP_MARKS, OLD_MARK)):
        file = file.plain()
        return (
            _workbook(file) if start.startswith(OLD_MARK) or is_workbook(file) else replace(file, layout=ZIP)
        )
    if is_tar(start):
        return replace(file, layout=TAR)
    other = next((what for magic, what in _OTHERS if start.startswith(magic)), None)
    return other or _text(file, start)


def _workbook(file: LogFile) -> LogFile | str:
    """Return a workbook with the first line of its sheets that can be a header."""
    if not is_readable():
        return NOT_INSTALLED
    file = replace(file, layout=WORKBOOK)
    first = next(sheet_headers(file, in_line=file.skip_lines or None), None)
    return EMPTY if first is None else first[0]


def _text(file: LogFile, start: bytes) -> LogFile | str:
    file = replace(file, layout="csv", encoding=marked_encoding(start) or file.encoding)
    with file.open() as stream:
        head = stream.read(HEAD_BYTES)
    if file.encoding is None and (guess := _guessed(file, head)) is not None:
        file = replace(file, encoding=guess, notes=(told_guess(guess),))
        with file.open() as stream:
            head = stream.read(HEAD_BYTES)
    if script := _SCRIPT.match(head):
        file, head = replace(file, script=script.end()), head[script.end() :]
    lines = head.lstrip().splitlines()
    if not lines:
        return EMPTY
    # A torn write may leave a few NULs in a log; a format of another kind has such bytes at once or in masses.
    if _BINARY.search(lines[0]) or _has_many_zeros(head):
        return f"{_NO_LOG}; unpack or convert it first"
    if is_chat(head):
        return replace(file, layout="chat")
    if lines[0].startswith((b"{", b"[")):
        with file.open() as stream:
            return replace(file, layout="ndjson" if _one_a_line(stream) else "json")
    declared = _DECLARED_SEPARATOR.match(lines[0])
    if declared and not file.skip_lines:
        # Blank lines before it are no lines before the header: those a CSV may have anywhere.
        at = next(k for k, line in enumerate(head.splitlines(), 1) if line.strip())
        return replace(file, separator=declared[1].decode(), skip_lines=at)
    return replace(file, separator=separator_of(lines[0].decode(errors="replace")))


def _guessed(file: LogFile, head: bytes) -> str | None:
    if not _has_many_zeros(head):
        return None if is_utf8(head) else guess_encoding(file)
    with file.open_raw() as stream:
        return wide_encoding(stream.read(HEAD_BYTES))


def _has_many_zeros(head: bytes) -> bool:
    return head.count(b"\0") * 20 > len(head)


def separator_of(header: str, /) -> str:
    """Return the separator that makes the most of a header."""
    return max(_SEPARATORS, key=lambda separator: len(next(csv.reader([header], delimiter=separator), [])))


def _one_a_line(stream: IO[bytes]) -> bool:
    """Tell whether each line is a JSON object of its own, by the first two lines."""
    first, second = _line(stream), _line(stream)
    if len(first) == _LONGEST_LINE or first.startswith(b"["):
        return False
    try:
        return isinstance(orjson.loads(first), dict)
    except orjson.JSONDecodeError:
        return second.startswith(b"{") or (first.endswith(b"}") and not second)


def _line(stream: IO[bytes]) -> bytes:
    """Return the next line that is not blank."""
    while (line := stream.readline(_LONGEST_LINE)).isspace():
        pass
    return line.strip() if len(line) < _LONGEST_LINE else line
