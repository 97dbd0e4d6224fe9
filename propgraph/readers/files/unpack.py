"""Packed files: which packing one has, told by its first bytes, and the bytes inside it as a stream."""

from __future__ import annotations

import bz2
import io
import lzma
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, cast

import pyarrow as pa

from propgraph.readers.files.streams import pieces_of, stream_of, told

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

#: Called with the number of bytes read of a file so far.
BytesRead = Callable[[int], None]

# What a packed file begins with. A zstd file may begin with a frame to be skipped, as those of pzstd do.
_MAGIC = (
    (re.compile(rb"\x1f\x8b"), "gzip"),
    (re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"), "zstd"),
    (re.compile(rb"BZh[1-9](1AY&SY|\x17\x72\x45\x38\x50\x90)"), "bzip2"),
    (re.compile(rb"\xfd7zXZ\x00"), "xz"),
)
MAGIC_BYTES = 10
# `zstd --long=31`, as the dumps of Reddit are packed; other readers stop at 2 ** 27.
_ZSTD_WINDOW_LOG = 31
# A log packs to a tenth, a monotonous one to a hundredth; what unpacks to more is made to fill memory and disk.
_FREE_BYTES = 1 << 30
_LARGEST_RATIO = 300


class RefusedError(OSError):
    """Bytes that could be read on, and are not; its words say why, and what to do."""


def packing_of(start: bytes, /) -> str | None:
    """Return the name of the packing whose mark these first bytes (`MAGIC_BYTES` of them) are."""
    return next((name for magic, name in _MAGIC if magic.match(start)), None)


def open_unpacked(path: Path, packed: Sequence[str], /, *, progress: BytesRead | None = None) -> IO[bytes]:
    """Open a file and take off its packings, the outer one first.

    Parameters
    ----------
    path
        Where it is.
    packed
        Names that `packing_of` gives.
    progress
        Called with the number of bytes just read from the file itself, packed as they are.

    Raises
    ------
    OSError
        Here or when it is read: it cannot be read, is damaged, or grows beyond all bounds.
    """
    file: IO[bytes] = path.open("rb")
    stream = file if progress is None else told(file, progress)
    if not packed:
        return stream
    for packing in packed:
        stream = _unpacked(stream, packing)
    return stream_of(stream, _bounded(stream, file))


def packing(file: IO[bytes], /) -> IO[bytes]:
    """Return a stream that writes what it is given to `file`, packed by zstd at its fastest."""
    return cast(IO[bytes], zstd.ZstdFile(file, "wb", level=1))


def check_growth(n_unpacked: int, n_packed: int, /) -> None:
    """Raise `RefusedError` where so many bytes out of so few are no log's."""
    if n_unpacked > max(_FREE_BYTES, _LARGEST_RATIO * n_packed):
        raise RefusedError(
            f"it unpacks to more than {_LARGEST_RATIO} times its size, as no log does; unpack it yourself if it is one"
        )


def _unpacked(stream: IO[bytes], packing: str) -> IO[bytes]:
    if packing == "gzip":
        return io.BufferedReader(pa.CompressedInputStream(pa.PythonFile(stream, "r"), packing), 1 << 20)
    if packing == "zstd":
        windows = {int(zstd.DecompressionParameter.window_log_max): _ZSTD_WINDOW_LOG}
        return cast(IO[bytes], zstd.ZstdFile(stream, options=windows))
    return cast(IO[bytes], bz2.BZ2File(stream) if packing == "bzip2" else lzma.LZMAFile(stream))


def _bounded(stream: IO[bytes], file: IO[bytes]) -> Iterator[bytes]:
    """Yield what a packed `file` holds, all faults of the packing as `OSError`."""
    n_bytes = 0
    try:
        for piece in pieces_of(stream):
            n_bytes += len(piece)
            if n_bytes > _FREE_BYTES:
                check_growth(n_bytes, file.tell())
            yield piece
    except (EOFError, lzma.LZMAError, zstd.ZstdError) as error:
        raise OSError(str(error)) from error
    finally:
        file.close()
