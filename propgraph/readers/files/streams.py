"""Byte streams made of others, piece by piece: told of, checked, in another encoding, without a script around them."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

PIECE = 1 << 20
_LINE_END = re.compile(rb"\r\n|\r|\n")


class _Pieces(io.RawIOBase):
    """The bytes of `pieces`, made from `stream`, which is closed with it."""

    def __init__(self, stream: IO[bytes], pieces: Iterable[bytes]) -> None:
        self._stream, self._pieces, self._ready = stream, iter(pieces), memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._ready = memoryview(piece)
        part, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)

    def close(self) -> None:
        self._stream.close()
        super().close()


def stream_of(stream: IO[bytes], pieces: Iterable[bytes], /) -> IO[bytes]:
    """Return a stream of `pieces`, made from `stream`, which is closed with it."""
    return io.BufferedReader(_Pieces(stream, pieces), buffer_size=PIECE)


def pieces_of(stream: IO[bytes], /) -> Iterator[bytes]:
    """Yield the bytes of a stream in pieces."""
    while piece := stream.read(PIECE):
        yield piece


def told(stream: IO[bytes], progress: Callable[[int], None], /) -> IO[bytes]:
    """Return a stream that tells how many bytes of it were just read."""

    def pieces() -> Iterator[bytes]:
        for piece in pieces_of(stream):
            progress(len(piece))
            yield piece

    return stream_of(stream, pieces())


def checked(stream: IO[bytes], check: Callable[[bytes], None], /) -> IO[bytes]:
    """Return a stream that shows all that is read to a `check` that may raise; no bytes at the end."""

    def pieces() -> Iterator[bytes]:
        for piece in pieces_of(stream):
            check(piece)
            yield piece
        check(b"")

    return stream_of(stream, pieces())


def recoded(stream: IO[bytes], encoding: str, /, *, errors: str = "torn") -> IO[bytes]:
    """Return text in any encoding as UTF-8; bytes that are none of it become as many that UTF-8 has not either."""
    decoder = codecs.getincrementaldecoder(encoding)(errors=errors)

    def pieces() -> Iterator[bytes]:
        for piece in pieces_of(stream):
            yield decoder.decode(piece).encode(errors="surrogateescape")
        yield decoder.decode(b"", final=True).encode(errors="surrogateescape")

    return stream_of(stream, pieces())


def _torn(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\udcff" * (error.end - error.start), error.end  # 0xff, which stands nowhere in UTF-8


codecs.register_error("torn", _torn)


def headed(stream: IO[bytes], header: str, /) -> IO[bytes]:
    """Return a stream with a line before it."""

    def pieces() -> Iterator[bytes]:
        yield header.encode() + b"\n"
        yield from pieces_of(stream)

    return stream_of(stream, pieces())


def without_lines(stream: IO[bytes], n: int, /) -> IO[bytes]:
    """Return a stream without its first `n` lines, which end as lines of any system do."""

    def pieces() -> Iterator[bytes]:
        left, after_cr = n, False
        for piece in pieces_of(stream):
            start = 1 if after_cr and piece.startswith(b"\n") else 0
            after_cr = False
            while left and start < len(piece):
                end = _LINE_END.search(piece, start)
                start = end.end() if end else len(piece)
                left -= end is not None
                # The other half of CR LF may be in the next piece.
                after_cr = piece.endswith(b"\r") and start == len(piece)
            if start < len(piece):
                yield piece[start:]

    return stream_of(stream, pieces())


def unscripted(stream: IO[bytes], n_bytes: int, /) -> IO[bytes]:
    """Return the JSON in a script that is one assignment: not the first `n_bytes`, nor the semicolon at the end."""

    def pieces() -> Iterator[bytes]:
        stream.read(n_bytes)
        waiting = b""
        for piece in pieces_of(stream):
            kept = piece.rstrip(b"; \t\r\n")
            if kept:
                yield waiting + kept
                waiting = b""
            waiting += piece[len(kept) :]
        yield waiting.replace(b";", b"")

    return stream_of(stream, pieces())
