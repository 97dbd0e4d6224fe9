"""Which files a user means, and what each of them is, told by its first bytes and not by its name."""

from __future__ import annotations

import codecs
import glob
import io
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import orjson
import pyarrow as pa

from propgraph.errors import InputError
from propgraph.readers.streams import recoded, told

_SUFFIXES = {
    ".csv", ".tsv", ".tab", ".txt", ".ndjson", ".jsonl", ".json", ".parquet", ".arrow", ".feather", ".ipc",
}  # fmt: skip
_PACKED = {".gz": "gzip", ".zst": "zstd"}
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
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1f]")
EMPTY = "empty"

Progress = Callable[[int], None]


@dataclass(frozen=True)
class LogFile:
    """One input file.

    Attributes
    ----------
    path
        Where it is.
    layout
        `csv`, `ndjson` (one JSON value a line), `json` (values over several lines), `parquet` or `ipc`.
    compression
        None, `gzip` or `zstd`.
    separator
        Of a CSV: comma, tab or semicolon.
    encoding
        Of a text file, `utf-8` unless a byte order mark says otherwise.
    by_name
        The user named this very file; False where a folder or a pattern led to it.
    """

    path: Path
    layout: str
    compression: str | None = None
    separator: str = ","
    encoding: str = "utf-8"
    by_name: bool = True

    def open(self, *, progress: Progress | None = None) -> IO[bytes]:
        """Open the file for reading: unpacked, and text as UTF-8 without a byte order mark.

        `progress` is called with the number of bytes just read from the file itself, packed as they are.
        """
        stream = _open(self.path, self.compression, progress)
        if self.encoding == "utf-8-sig":
            stream.read(len(codecs.BOM_UTF8))
        elif self.encoding != "utf-8":
            stream = recoded(stream, self.encoding)
        return stream


def find_logs(logs: Iterable[str | Path], /) -> tuple[list[LogFile], list[str]]:
    """Return the files behind `logs` (files, folders, globs), and a sentence for each file left out.

    Files come sorted by path and once each. From folders and globs only what has the suffix of a log and
    looks like one inside is taken; a file named by itself is taken whatever it is called. A file without
    a single row is left out, however it was named.

    Raises
    ------
    InputError
        When a name matches nothing, a file cannot be read, a file named by itself is no log, or no file
        holds anything; all such faults together.
    """
    found: list[LogFile] = []
    left_out: list[str] = []
    faults: list[str] = []
    for path, by_name in _named(logs, faults, left_out):
        if not by_name and not looks_like_log(path):
            left_out.append(f"{path}: left out, not a log by its name")
            continue
        try:
            file = _identify(path, by_name)
        except (OSError, EOFError) as error:
            faults.append(f"{path}: {unreadable(error)}")
            continue
        if isinstance(file, LogFile):
            found.append(file)
        elif by_name and file != EMPTY:
            faults.append(f"{path}: {file}")
        else:
            left_out.append(f"{path}: left out, {file}")
    if faults:
        raise InputError(together(faults))
    if not found:
        raise InputError("no log to read: " + (together(left_out) if left_out else "no file was named"))
    return found, left_out


def together(faults: list[str], /, *, shown: int = 5) -> str:
    """Return faults as one message, the first few of them in full."""
    more = f"; and {len(faults) - shown} more like these" if len(faults) > shown else ""
    return "; ".join(faults[:shown]) + more


def unreadable(error: BaseException, /) -> str:
    """Return in words why a file cannot be read.

    Raises
    ------
    KeyboardInterrupt
        When that is why: Polars makes a panic of it.
    """
    if "KeyboardInterrupt" in str(error):
        raise KeyboardInterrupt from error
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read ({error.strerror})"
    return f"cannot be read to its end ({str(error)[:300]}); is it cut off or damaged?"


def _named(logs: Iterable[str | Path], faults: list[str], left_out: list[str]) -> list[tuple[Path, bool]]:
    """Return each file once, sorted by path, and whether it was named by itself."""
    named: dict[str, tuple[Path, bool]] = {}
    for log in logs:
        try:
            paths = _expand(str(log))
        except OSError as error:
            faults.append(f"{log}: {unreadable(error)}")
            continue
        if isinstance(paths, str):
            faults.append(f"{log}: {paths}")
            continue
        if not paths:
            left_out.append(f"{log}: a folder without any file (hidden ones do not count)")
        for path, by_name in paths:
            # The real path, so that a file reached in two ways is not read twice.
            first, before = named.get(os.path.realpath(path), (path, False))
            named[os.path.realpath(path)] = (first, before or by_name)
    return sorted(named.values())


def _expand(log: str) -> list[tuple[Path, bool]] | str:
    """Return the files behind one name, or what is wrong with it."""
    path = Path(log)
    if path.is_dir():
        return [
            (file, False)
            for file in path.rglob("*")
            if file.is_file() and not _hidden(file.relative_to(path))
        ]
    if path.is_file():
        return [(path, True)]
    if path.exists():
        return "not a file (a pipe?); write it to a file first"
    files = [Path(match) for match in glob.glob(log, recursive=True) if Path(match).is_file()]
    if not files:
        matches_nothing = " (the pattern matches nothing)" if glob.has_magic(log) else ""
        return f"no such file or folder{matches_nothing}"
    return [(file, False) for file in files]


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def looks_like_log(path: Path) -> bool:
    """Return whether a file is a log by its name's suffix, packed or not."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in _PACKED:
        suffixes.pop()
    return bool(suffixes) and suffixes[-1] in _SUFFIXES


def _identify(path: Path, by_name: bool) -> LogFile | str:
    """Return what a file is, or why it is no log."""
    with path.open("rb") as file:
        magic = file.read(8)
    if magic.startswith(b"PAR1"):
        return LogFile(path, "parquet", by_name=by_name)
    if magic.startswith(b"ARROW1"):
        return LogFile(path, "ipc", by_name=by_name)
    compression = {b"\x1f\x8b": "gzip", b"\x28\xb5": "zstd"}.get(magic[:2])
    with _open(path, compression) as file:
        start = file.read(4)
    encoding = next((name for mark, name in _MARKS if start.startswith(mark)), "utf-8")
    kind = {"compression": compression, "encoding": encoding, "by_name": by_name}
    with LogFile(path, "csv", **kind).open() as file:  # type: ignore[arg-type]
        head = file.read(_HEAD)
    return _text_kind(path, head, kind)


def _text_kind(path: Path, head: bytes, kind: dict[str, Any]) -> LogFile | str:
    lines = head.lstrip().splitlines()
    if not lines:
        return EMPTY
    # A torn write may leave a few NULs in a log; a format of another kind has such bytes at once or in masses.
    if _BINARY.search(lines[0]) or head.count(b"\0") * 20 > len(head):
        return "neither UTF-8 text nor Parquet nor an Arrow IPC file; unpack or convert it first"
    if lines[0].startswith((b"{", b"[")):
        with LogFile(path, "json", **kind).open() as file:
            return LogFile(path, "ndjson" if _one_a_line(file) else "json", **kind)
    separator = max(",\t;", key=lines[0].decode(errors="replace").count)
    return LogFile(path, "csv", separator=separator, **kind)


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


def _open(path: Path, compression: str | None, progress: Progress | None = None) -> IO[bytes]:
    file: IO[bytes] = path.open("rb")
    if progress is not None:
        file = told(file, progress)
    if compression is None:
        return file
    return io.BufferedReader(
        pa.CompressedInputStream(pa.PythonFile(file, "r"), compression), buffer_size=1 << 20
    )
