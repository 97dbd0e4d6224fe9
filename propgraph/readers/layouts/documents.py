"""Large JSON documents, cut into the texts of their records without a look at what is in them.

A document may be of any size, a record may not: whatever is in a document, reading it takes time in proportion
to its size, and memory for one record. A damaged record costs only itself wherever the next one can be found: in
a document written over several lines the records of a list begin alike, with a new line, blanks and a bracket.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import IO, Any

import numpy as np
import orjson

from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import Int64, UInt8
from propgraph.readers.files.streams import PIECE, pieces_of

LARGEST_RECORD = 1 << 28
# Comments under comments, as Reddit nests them, are a few levels each; no record needs more.
DEEPEST = 400
_DEEPEST_INDENT = 100
_SHOWN_BYTES = 1 << 14
_BLANKS = re.compile(rb"[\s,]*")
_BEGINS_SCALAR = b"-0123456789tfnNI"  # as Python's own json writes it, with NaN and Infinity
_JUNK = re.compile(rb'[^{\["\]]+')
_QUOTE, _BACKSLASH, _NEWLINE = b'"'[0], b"\\"[0], b"\n"[0]
_BRACE, _BRACKET, _BRACE_END, _BRACKET_END = b"{["[0], b"{["[1], b"}]"[0], b"}]"[1]
_COLON, _END = b":"[0], -1
_NOT_YET, _MISMATCH = -1, -2
_CONTAINER, _STRING, _SCALAR = range(3)
_PLAIN, _QUOTED, _ESCAPED = range(3)
_KINDS = {_BRACE: _CONTAINER, _BRACKET: _CONTAINER, _QUOTE: _STRING}


@dataclass(frozen=True)
class Record:
    """One record of a document.

    Attributes
    ----------
    text
        The record; of one that cannot be read, what it begins with.
    fault
        Why it cannot be read.
    list_name, beside
        Of a record in a known list, the name of the list, and the texts, numbers and truth values before it in
        the same object.
    """

    text: bytes
    fault: str | None = None
    list_name: str | None = None
    beside: dict[str, Any] = field(default_factory=dict)


def read_records(stream: IO[bytes], lists: Collection[str], /) -> Iterator[Record]:
    """Yield the records of a document, or of several one after another.

    Parameters
    ----------
    stream
        JSON in UTF-8, or nearly.
    lists
        Where the records are, as `messages` or `chats.list[].messages`; see `has_list`. None where each value is
        a record, and of a list each item.
    """
    document = _Document(stream, lists)
    try:
        yield from document.in_lists() if lists else document.values()
    except _BrokenError as error:
        at, n = document.lost()
        lost = (
            f"the rest of the file, {n:,} bytes from byte {at:,} on, is not read" if n else "is it cut off?"
        )
        yield Record(b"", f"not JSON from here on ({error}); {lost}")


def has_list(stream: IO[bytes], lists: Collection[str], /) -> bool:
    """Return whether any of the `lists` of records is in a document; one that is a list itself has none."""
    document = _Document(stream, lists)
    try:
        for _ in document.in_lists():
            if document.has_list:
                break
    except _BrokenError:
        pass
    return document.has_list


def first_record(stream: IO[bytes], name: str, /) -> Any:
    """Return the first record of a list, None where there is none or it cannot be read."""
    record = next((one for one in read_records(stream, (name,)) if one.list_name or one.fault), None)
    return _loaded(record.text) if record and not record.fault else None


class _BrokenError(Exception):
    """A document that is no JSON from here on."""


class _CutOffError(_BrokenError):
    """A document that ends inside a value."""


class _Document:
    """What of a document is in memory, and how far it is read.

    Attributes
    ----------
    has_list
        A known list of records was met.
    """

    def __init__(self, stream: IO[bytes], lists: Collection[str]) -> None:
        self._stream = stream
        self._data, self._codes = b"", np.empty(0, np.uint8)
        self._at = self._dropped = 0
        self._broken_at: int | None = None
        self._is_damaged = False
        self._state, self._closers = np.zeros(5, np.int64), np.zeros(DEEPEST, np.uint8)
        self._lists = set(lists)
        # Objects, and lists of objects, on the way to a list of records, and the objects that hold one.
        self._above = {path[: dot.start()] for path in lists for dot in re.finditer(r"\.", path)}
        self._owners = {path.rpartition(".")[0] for path in lists}
        self.has_list = False

    def values(self) -> Iterator[Record]:
        """Yield each value, and of a list each item."""
        while (code := self._next()) != _END:
            if code == _BRACKET:
                self._at += 1
                yield from self._items()
            else:
                yield from self._item(self._mark())

    def in_lists(self) -> Iterator[Record]:
        """Yield the records in the known lists."""
        if self._next() == _BRACKET:
            return
        while (code := self._next()) != _END:
            if code == _BRACE:
                yield from self._object("")
            else:
                yield from (record for record in self._item(None) if record.fault)

    def lost(self) -> tuple[int, int]:
        """Return the place up to which the document was read, in bytes, and how many come after it."""
        at = self._dropped + self._at if self._broken_at is None else self._broken_at
        return at, self._dropped + len(self._data) + sum(map(len, pieces_of(self._stream))) - at

    def _object(self, path: str) -> Iterator[Record]:
        """Yield the records in an object that holds lists of them, or objects with such lists."""
        beside: dict[str, Any] = {}
        self._at += 1
        while (code := self._next(inside="an object")) != _BRACE_END:
            key = self._key(code)
            inner = f"{path}.{key}" if path else key
            code = self._next(inside="an object")
            if code == _BRACKET and inner in self._lists:
                self._at += 1
                self.has_list = True
                for record in self._items():
                    yield replace(record, list_name=key, beside=beside.copy())
            elif code == _BRACE and inner in self._above:
                yield from self._object(inner)
            elif code == _BRACKET and f"{inner}[]" in self._above:
                yield from self._objects(f"{inner}[]")
            else:
                keep = path in self._owners and code not in (_BRACE, _BRACKET)
                value = self._value(keep=keep)
                if keep and not value.fault:
                    beside[key] = _loaded(value.text)
        self._at += 1

    def _objects(self, path: str) -> Iterator[Record]:
        """Yield the records in a list of such objects."""
        self._at += 1
        while (code := self._next(inside="a list")) != _BRACKET_END:
            if code == _BRACE:
                yield from self._object(path)
            else:
                yield from (record for record in self._item(None) if record.fault)
        self._at += 1

    def _key(self, code: int) -> str:
        """Take a key and its colon."""
        key = _loaded(self._value().text) if code == _QUOTE else None
        if not isinstance(key, str) or self._next() != _COLON:
            raise _BrokenError("a name and a colon should stand here")
        self._at += 1
        return key

    def _items(self) -> Iterator[Record]:
        """Yield the items of a list whose bracket is behind us."""
        mark = None
        while True:
            code = self._next(inside="a list")
            mark = mark or self._mark()
            if code != _BRACKET_END:
                yield from self._item(mark)
                continue
            self._at += 1
            # After a list and a comma there is a name, or nothing; but where the bracket was one too many, a record.
            after_comma = (
                mark and self._next() == _BRACE and b"," in self._data[: self._at].rpartition(b"]")[2]
            )
            if not after_comma:
                return
            yield Record(b"]", "a bracket that closes a list which goes on")

    def _item(self, mark: bytes | None) -> Iterator[Record]:
        """Yield the value that stands here; where it has no end, what is before the next record."""
        junk = _JUNK.match(self._data, self._at)
        if junk and self._data[self._at] not in _BEGINS_SCALAR:
            self._at = junk.end()
            yield Record(junk.group()[:_SHOWN_BYTES], f"{len(junk.group()):,} bytes that are no JSON value")
        elif self._data[self._at] == _BRACKET_END:
            self._at += 1
            yield Record(b"]", "a bracket that closes nothing")
        else:
            yield self._value(mark)

    def _mark(self) -> bytes | None:
        """Return what the records of a list begin with, if the one here is the first thing in its line."""
        start = self._data.rfind(b"\n", max(0, self._at - _DEEPEST_INDENT), self._at)
        indent = self._data[start : self._at + 1]
        return indent if start >= 0 and indent.strip() == b"{" else None

    def _following(self, mark: bytes | None) -> int:
        """Return where in memory the next record begins, -1 where none does."""
        return self._data.find(mark, self._at) if mark else -1

    def _torn(self, following: int) -> Record:
        """Take what stands before the next record; from now on none reaches into the next one."""
        n_bytes = following - self._at
        text = self._data[self._at : self._at + min(n_bytes, _SHOWN_BYTES)]
        self._at, self._is_damaged = following, True
        return Record(
            text, f"not JSON: {n_bytes:,} bytes up to the next record, which do not end as one does"
        )

    def _value(self, mark: bytes | None = None, *, keep: bool = True) -> Record:
        """Take the value that stands here; without its text where that is not to be kept, or too long."""
        state = self._state
        state[:] = _KINDS.get(self._data[self._at], _SCALAR), _PLAIN, 0, 0, 0
        following = self._following(mark) if self._is_damaged else -1
        if following >= 0:
            end = _end_of_value(self._codes[:following], self._at, state, self._closers)
            return self._torn(following) if end < 0 else self._taken(end, b"", 0)
        begin, shown, n_gone, scanned = self._dropped + self._at, b"", 0, self._at
        while (end := _end_of_value(self._codes, scanned, state, self._closers)) < 0:
            if end == _MISMATCH:
                if (following := self._following(mark)) >= 0 and not n_gone:
                    return self._torn(following)
                scanned = end = int(state[4])  # as if it did match
                if not state[2]:
                    break
                continue
            n_here = len(self._data) - self._at
            if not keep or n_gone + n_here > LARGEST_RECORD:
                shown = shown or self._data[self._at : self._at + _SHOWN_BYTES]
                n_gone, n_here, self._at = n_gone + n_here, 0, len(self._data)
            if not self._more():
                # All the rest of the file is in memory, unless it is very large.
                if (following := self._following(mark)) >= 0:
                    return self._torn(following)
                if state[0] == _SCALAR:
                    end = len(self._data)
                    break
                self._broken_at = begin
                raise _CutOffError("it ends inside a value")
            scanned = self._at + n_here
        return self._taken(end, shown, n_gone if keep else 0)

    def _taken(self, end: int, shown: bytes, n_gone: int) -> Record:
        """Take the value that ends at `end`, of which some bytes are in memory no longer."""
        n_bytes, deepest = n_gone + end - self._at, int(self._state[3])
        fault = None
        if n_bytes > LARGEST_RECORD:
            fault = f"a value of {n_bytes:,} bytes; no record has so many"
        elif deepest > DEEPEST:
            fault = f"{deepest:,} lists and objects in one another; no record needs so many"
        stop = end if fault is None else min(end, self._at + _SHOWN_BYTES)
        text, self._at = shown or self._data[self._at : stop], end
        return Record(text, fault)

    def _next(self, *, inside: str | None = None) -> int:
        """Go over blanks and commas; return the byte there, `_END` where there is none and there may be none."""
        while True:
            self._at = _BLANKS.match(self._data, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._data):
                return self._data[self._at]
            if not self._more():
                if inside is not None:
                    raise _CutOffError(f"it ends inside {inside}")
                return _END

    def _more(self) -> bool:
        """Read on, and keep what is not read over yet; return False at the end."""
        rest = self._data[self._at :]
        piece = self._stream.read(min(max(PIECE, len(rest)), LARGEST_RECORD))
        self._dropped += self._at
        self._data, self._at = rest + piece, 0
        self._codes = np.frombuffer(self._data, np.uint8)
        return bool(piece)


def _loaded(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


@kernel
def _place_after(byte: int, place: int) -> int:
    """Return where in a string, or behind it, the next byte stands, after a byte in a string."""
    if place == _ESCAPED:
        return _QUOTED
    if byte == _BACKSLASH:
        return _ESCAPED
    # No string goes on in the next line: one that seems to was left open.
    return _PLAIN if byte in (_QUOTE, _NEWLINE) else _QUOTED


@kernel
def _end_of_value(data: UInt8, start: int, state: Int64, closers: UInt8) -> int:
    """Return the place after a value, `_NOT_YET` where it does not end here, `_MISMATCH` at a wrong bracket.

    Parameters
    ----------
    data
        What is in memory.
    start
        Where to go on.
    state
        Kind of the value, place in a string, depth, deepest; after a mismatch, the place behind it.
    closers
        The brackets that will close what is open.
    """
    kind, place, depth, deepest, _ = state
    end = _NOT_YET
    # Before each byte: `place` is where it stands, `depth` how many brackets are open, `closers[:depth]` what closes
    # them, and the value goes on.
    for k in range(start, data.size):
        byte = data[k]
        if place != _PLAIN:
            place = _place_after(byte, place)
            if place == _PLAIN and kind == _STRING:
                end = k + 1
                break
        elif kind == _SCALAR:
            if byte in (_NEWLINE, 9, 13, 32, 44, _BRACE, _BRACKET, _BRACE_END, _BRACKET_END, _QUOTE, _COLON):
                end = k
                break
        elif byte == _QUOTE:
            place = _QUOTED
        elif byte in (_BRACE, _BRACKET):
            if depth < DEEPEST:
                closers[depth] = byte + 2
            depth += 1
            deepest = max(deepest, depth)
        elif byte in (_BRACE_END, _BRACKET_END):
            depth -= 1
            if depth < DEEPEST and closers[depth] != byte:
                state[4] = k + 1
                end = _MISMATCH
                break
            if depth == 0:
                end = k + 1
                break
    state[1], state[2], state[3] = place, depth, deepest
    return end
