"""What happens to whole logs: cut off, packed, in other encodings, under prose, written another way."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import random
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl
import pyarrow as pa

from benchmarks.mutants import LISTS, MISSING, ROUNDED, TIMES, break_bytes

_BEFORE = (
    b"Report:,Mentions\nBrand:,valley\n\n", b"# made by hand\n# a, b, c\n", b"sep=,\n", b'Exported by "us"\n\n',
    b",,,,\n", b"Report:\tMentions\r\n\r\n", b"\n\n \n", b"x\n" * 30,
)  # fmt: skip
_ENCODINGS = (
    "windows-1252", "mac-roman", "windows-1251", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030",
)  # fmt: skip


@dataclass(frozen=True)
class Treated:
    """A log after what was done to it.

    Attributes
    ----------
    name
        What was done.
    content
        The file.
    same
        It holds the same rows as before.
    """

    name: str
    content: bytes
    same: bool = False


def treated(
    content: bytes,
    rng: random.Random,
    /,
    *,
    name: str,
    n_head: int,
    beside: Mapping[str, bytes] | None = None,
) -> Treated:
    """Return a log as it is in three cases of five, and else with something done to the whole of it.

    Parameters
    ----------
    content
        A log, whose rows may be broken.
    name
        What its file is called.
    n_head
        How many lines it has up to its header.
    beside
        Files that belong to it, by name: an archive has them, too.
    """
    if rng.random() < 0.6:
        return Treated("as it is", content)
    ways: list[Callable[[], Treated]] = [
        lambda: Treated("cut off", content[: rng.randrange(len(content) + 1)]),
        lambda: Treated("cut off", content[: -rng.randrange(1, 100)]),
        lambda: Treated("twice", content + content),
        lambda: _encoded(content, rng),
        lambda: Treated("packed", _packed(content, rng), same=True),
        lambda: Treated("packed twice", _packed(_packed(content, rng), rng), same=True),
        lambda: Treated("in an archive", _archived({name: content, **(beside or {})}, rng), same=True),
        lambda: Treated("packed and damaged", _damaged(_packed(content, rng), rng)),
        lambda: Treated(
            "in an archive and damaged", _damaged(_archived({name: content, **(beside or {})}, rng), rng)
        ),
    ]
    if name.endswith(".csv"):
        ways += [
            lambda: Treated("lines before", rng.choice(_BEFORE) + content),
            lambda: _quoted(content, rng),
            lambda: _column(content, rng, n_head),
            lambda: _column(content, rng, n_head),
            lambda: _binary(content, rng, n_head),
            lambda: _binary(content, rng, n_head),
        ]
    return rng.choice(ways)()


def _encoded(content: bytes, rng: random.Random) -> Treated:
    encoding = rng.choice(_ENCODINGS)
    text = content.decode("utf-8", "replace").replace("x", rng.choice(("x", "é", "ж")))
    return Treated("in another encoding", text.encode(encoding, "replace"))


def _packed(content: bytes, rng: random.Random) -> bytes:
    def zstd(content: bytes) -> bytes:
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, "zstd") as stream:
            stream.write(content)
        return bytes(sink.getvalue())

    return rng.choice((lambda data: gzip.compress(data, 1, mtime=0), bz2.compress, lzma.compress, zstd))(
        content
    )


def _archived(files: Mapping[str, bytes], rng: random.Random) -> bytes:
    buffer = io.BytesIO()
    if rng.random() < 0.5:
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(zipfile.ZipInfo(f"folder/{name}"), content)
            archive.writestr(zipfile.ZipInfo("README"), "")
    else:
        with tarfile.open(fileobj=buffer, mode=rng.choice(("w", "w:gz", "w:xz"))) as tar:
            for name, content in files.items():
                info = tarfile.TarInfo(f"folder/{name}")
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def _damaged(content: bytes, rng: random.Random) -> bytes:
    """Break a file in places, half of them near its end, where the tables of contents are."""
    for _ in range(rng.choice((1, 1, 3, 10))):
        at = rng.randrange(max(0, len(content) - 2000), len(content) + 1) if rng.random() < 0.5 else 0
        content = content[:at] + break_bytes(content[at:], rng)
    return content


def _quoted(content: bytes, rng: random.Random) -> Treated:
    """Leave quotes open, at the start of fields or anywhere."""
    for _ in range(rng.choice((1, 1, 2, 10))):
        at = rng.randrange(len(content) + 1)
        start = content.find(b",", at) + 1 if rng.random() < 0.5 else at
        content = content[:start] + b'"' + content[start:]
    return Treated("a quote left open", content)


def _rows(content: bytes, n_head: int) -> tuple[bytes, list[list[str]]]:
    """Return what stands before the header of a table, and the rows that have as many fields as it."""
    lines = content.decode("utf-8", "replace").replace("\0", "").splitlines(keepends=True)
    rows = list(csv.reader(lines[max(0, n_head - 1) :]))
    before = "".join(lines[: max(0, n_head - 1)]).encode()
    return before, [row for row in rows if len(row) == len(rows[0])] if rows else []


def _column(content: bytes, rng: random.Random, n_head: int) -> Treated:
    """Write most of a column in another way, as whoever exports a table does."""
    before, rows = _rows(content, n_head)
    if len(rows) < 2 or not rows[0]:
        return Treated("as it is", content)
    place = rng.randrange(len(rows[0]))
    words: tuple[str, ...] = rng.choice((MISSING, ROUNDED, LISTS, TIMES))
    words = words if rng.random() < 0.3 else (rng.choice(words),)
    for row in rows[1:]:
        if rng.random() < 0.9:
            row[place] = rng.choice(words)
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return Treated("a column in another way", before + out.getvalue().encode("utf-8", "replace"))


def _binary(content: bytes, rng: random.Random, n_head: int) -> Treated:
    """Write a table as Parquet or Arrow IPC, and break it in two cases of three."""
    _, rows = _rows(content, n_head)
    if len(rows) < 2 or not rows[0] or len(set(rows[0])) < len(rows[0]):
        return Treated("as it is", content)
    frame = pl.DataFrame(rows[1:], schema=dict.fromkeys(rows[0], pl.String), orient="row")
    buffer = io.BytesIO()
    if rng.random() < 0.5:
        frame.write_parquet(buffer, compression=rng.choice(("uncompressed", "snappy", "zstd")))
    else:
        frame.write_ipc(buffer, compression=rng.choice(("uncompressed", "lz4", "zstd")))
    if rng.random() < 0.33:
        return Treated("as a binary table", buffer.getvalue())
    return Treated("as a binary table and damaged", _damaged(buffer.getvalue(), rng))
