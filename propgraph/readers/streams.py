"""Byte streams made of others, piece by piece: told of, checked, in another encoding, without a script around them."""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

PIECE = 1 << 20


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


def recoded(stream: IO[bytes], encoding: str, /) -> IO[bytes]:
    """Return text in any encoding as valid UTF-8, what cannot be decoded replaced."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")

    def pieces() -> Iterator[bytes]:
        for piece in pieces_of(stream):
            yield decoder.decode(piece).encode()
        yield decoder.decode(b"", final=True).encode()

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
