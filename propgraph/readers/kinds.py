"""What a file is, told by its first bytes and not by its name."""

from __future__ import annotations

import codecs
import re
from dataclasses import replace
from typing import IO

import orjson

from propgraph.readers.archives import TAR_MARK_STOP, ZIP_MARKS, is_tar
from propgraph.readers.logfile import LogFile
from propgraph.readers.unpack import MAGIC_BYTES, packing_of

EMPTY = "empty"
ZIP, TAR = "zip", "tar"
_NO_LOG = "neither UTF-8 text nor Parquet nor an Arrow IPC file"
_BINARY_TABLES = ((b"PAR1", "parquet"), (b"ARROW1", "ipc"))
# What people take for logs, and what is to be done about it.
_OTHERS = (
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"),
    (b"Rar!\x1a\x07", "a RAR archive; unpack it first"),
    (b"SQLite format 3\0", "an SQLite database; export the table as CSV"),
    (b"%PDF-", "a PDF; export the table as CSV"),
)
# The longer mark first: UTF-32's begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HEAD = 1 << 16
_LONGEST_LINE = 1 << 26
_MOST_PACKINGS = 3
# How the files of an archive of X's begin.
_SCRIPT = re.compile(rb"\s*window\.YTD\.\w+\.part\d+\s*=\s*(?=[\[{])")
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1f]")


def identify(file: LogFile, /) -> LogFile | str:
    """Return a file with its layout, `ZIP` or `TAR` for an archive; or why it is no log.

    Parameters
    ----------
    file
        One of which no more is known than where it is.

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
    if start.startswith(ZIP_MARKS):
        return replace(file.plain(), layout=ZIP)
    if is_tar(start):
        return replace(file, layout=TAR)
    other = next((what for magic, what in _OTHERS if start.startswith(magic)), None)
    return other or _text(file, start)


def _text(file: LogFile, start: bytes) -> LogFile | str:
    encoding = next((name for mark, name in _MARKS if start.startswith(mark)), "utf-8")
    file = replace(file, layout="csv", encoding=encoding)
    with file.open() as stream:
        head = stream.read(_HEAD)
    if script := _SCRIPT.match(head):
        file, head = replace(file, script=script.end()), head[script.end() :]
    lines = head.lstrip().splitlines()
    if not lines:
        return EMPTY
    # A torn write may leave a few NULs in a log; a format of another kind has such bytes at once or in masses.
    if _BINARY.search(lines[0]) or head.count(b"\0") * 20 > len(head):
        return f"{_NO_LOG}; unpack or convert it first"
    if lines[0].startswith((b"{", b"[")):
        with file.open() as stream:
            return replace(file, layout="ndjson" if _one_a_line(stream) else "json")
    return replace(file, separator=max(",\t;", key=lines[0].decode(errors="replace").count))


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
