"""Which files a user means, and what each of them is, told by its first bytes and not by its name."""

from __future__ import annotations

import glob
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyarrow as pa

from propgraph.errors import InputError

_SUFFIXES = (
    ".csv",
    ".tsv",
    ".tab",
    ".txt",
    ".ndjson",
    ".jsonl",
    ".json",
    ".parquet",
    ".arrow",
    ".feather",
    ".ipc",
)
_PACKED = {".gz": "gzip", ".zst": "zstd"}
_HEAD = 1 << 16


@dataclass(frozen=True)
class LogFile:
    """One input file.

    Attributes
    ----------
    path
        Where it is.
    layout
        `csv`, `ndjson`, `parquet` or `ipc`.
    compression
        None, `gzip` or `zstd`.
    separator
        Of a CSV: comma, tab or semicolon.
    encoding
        Of a text file, `utf-8` unless a byte order mark says otherwise.
    """

    path: Path
    layout: str
    compression: str | None = None
    separator: str = ","
    encoding: str = "utf-8"

    def open(self) -> IO[bytes]:
        """Open the file for reading, unpacked."""
        return _open(self.path, self.compression)


def find_logs(logs: Iterable[str | Path], /) -> tuple[list[LogFile], list[str]]:
    """Return the files behind `logs` (files, folders, globs), and a sentence for each file left out.

    Files come sorted by path and once each. From folders and globs only what has the suffix of a log is
    taken; a file named by itself is taken whatever it is called.

    Raises
    ------
    InputError
        When a name matches nothing, or no file holds anything.
    """
    named: dict[Path, bool] = {}
    left_out = []
    for log in logs:
        for path, by_name in _expand(str(log)):
            named[path] = named.get(path, False) or by_name
    found = []
    for path in sorted(named):
        if not named[path] and not _looks_like_log(path):
            left_out.append(f"{path}: left out, not a log by its name")
        elif path.stat().st_size == 0:
            left_out.append(f"{path}: left out, empty (0 bytes)")
        else:
            found.append(_identify(path))
    if not found:
        raise InputError("no log to read: " + ("; ".join(left_out) if left_out else "no file was named"))
    return found, left_out


def _expand(log: str) -> list[tuple[Path, bool]]:
    path = Path(log)
    if path.is_dir():
        return [
            (file, False)
            for file in path.rglob("*")
            if file.is_file() and not _hidden(file.relative_to(path))
        ]
    if path.is_file():
        return [(path, True)]
    matches = [Path(match) for match in glob.glob(log, recursive=True)]
    files = [match for match in matches if match.is_file()]
    if not files:
        raise InputError(
            f"{log}: no such file or folder" + (" (the pattern matches nothing)" if "*" in log else "")
        )
    return [(file, False) for file in files]


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _looks_like_log(path: Path) -> bool:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in _PACKED:
        suffixes.pop()
    return bool(suffixes) and suffixes[-1] in _SUFFIXES


def _identify(path: Path) -> LogFile:
    try:
        with path.open("rb") as file:
            magic = file.read(8)
        if magic.startswith(b"PAR1"):
            return LogFile(path, "parquet")
        if magic.startswith(b"ARROW1"):
            return LogFile(path, "ipc")
        compression = (
            "gzip" if magic[:2] == b"\x1f\x8b" else "zstd" if magic[:4] == b"\x28\xb5\x2f\xfd" else None
        )
        with _open(path, compression) as file:
            head = file.read(_HEAD)
    except (OSError, EOFError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from error
    encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    text = head.decode(encoding, errors="replace").lstrip("\ufeff")
    if b"\0" in head and encoding == "utf-8":
        raise InputError(f"{path}: neither text nor Parquet nor Arrow IPC; unpack or convert it first")
    if text.lstrip()[:1] == "{":
        return LogFile(path, "ndjson", compression, encoding=encoding)
    if text.lstrip()[:1] == "[":
        raise InputError(f"{path}: one large JSON array; write one object a line instead (jq -c '.[]')")
    header = text.splitlines()[0] if text.strip() else ""
    separator = max(",\t;", key=header.count)
    return LogFile(path, "csv", compression, separator=separator, encoding=encoding)


def _open(path: Path, compression: str | None) -> IO[bytes]:
    if compression is None:
        return path.open("rb")
    stream = pa.CompressedInputStream(pa.OSFile(str(path)), compression)
    return io.BufferedReader(stream, buffer_size=1 << 20)
