"""JSON, one object a line or one large document, and chats: records to flat columns, or to posts by a reader's `rows`.

A document is read record by record, never as a whole, as long as it is a list of records or keeps them in a
list that some reader knows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import IO, Any

import orjson
import polars as pl

from propgraph.errors import InputError
from propgraph.readers.base import LISTS, OWN, NoPost, NotThisFormatError, Reader
from propgraph.readers.files.logfile import LogFile
from propgraph.readers.files.streams import PIECE
from propgraph.readers.files.unpack import BytesRead
from propgraph.readers.layouts.batches import Batch, Fault, fault, in_batches
from propgraph.readers.layouts.chats import chat_name, messages
from propgraph.readers.layouts.documents import LARGEST_RECORD, has_list, read_records
from propgraph.readers.layouts.json_values import as_text, as_written, may_be_another, no_object, shown
from propgraph.readers.values.cells import list_series
from propgraph.schema import ID

BATCH_ROWS = 1 << 15
_KEY_RECORDS = 10_000
_PATH_RECORDS = 500
_KEY_BYTES = 1 << 23
_KEY_PATHS = 10_000
_KEY_DEPTH = 8
_HEX_ESCAPE = re.compile(r"(?<!\\)((?:\\\\)*)\\x([0-9a-fA-F]{2})")
_RESULT = tuple[int, Any, Fault | None]
# Line or number of a record, the record, its text in a file of lines, and what is wrong where it is none.
RECORD = tuple[int, Any, bytes | None, Fault | None]


def key_paths(file: LogFile, lists: Collection[str], /) -> list[str]:
    """Return the paths of the keys of the first records: `a`, `a.b`, `a[].b`, in order of first sight.

    Raises
    ------
    InputError
        When no record is a JSON object.
    """
    top: dict[str, None] = {}
    below: dict[str, None] = {}
    size = 0
    for n, (_, value, text, _) in enumerate(islice(records(file, lists, None), _KEY_RECORDS)):
        if isinstance(value, dict):
            top.update(dict.fromkeys(value))
            if n < _PATH_RECORDS:
                _add_paths(value, "", below, _KEY_DEPTH)
            size += len(text) if text else len(shown(value))
        if size > _KEY_BYTES:
            break
    if not top:
        raise InputError(
            f"{file.name}: starts like JSON, but holds no JSON object; write one object a line (jq -c .)"
        )
    return list(top | below)


def read_rows(
    file: LogFile, columns: Sequence[str], /, *, reader: Reader, progress: BytesRead | None = None
) -> Iterator[Batch]:
    """Yield the posts that `reader.rows` makes of each record, as canonical `columns` of text and lists of text.

    A record that is no post is rejected without being kept: a stream of events holds many.
    """
    posts = _Posts(columns, reader)
    results = posts.results(records(file, reader.lists, progress))
    for batch in in_batches(file, BATCH_ROWS, results, frame=posts.frame):
        batch.nested = posts.nested
        yield batch


class _Posts:
    """The posts that a reader makes of records, as rows of text and lists of text, one value for each column.

    Attributes
    ----------
    nested
        A list or an object was met in the place of a text.
    """

    def __init__(self, columns: Sequence[str], reader: Reader) -> None:
        assert reader.rows is not None
        self._rows_of, self._reader = reader.rows, reader.name
        self._kinds = [(name, name in LISTS) for name in columns if not name.startswith(OWN)]
        self._own = [(name, name.removeprefix(OWN).split(".")) for name in columns if name.startswith(OWN)]
        self.nested = False

    def results(self, values: Iterator[RECORD]) -> Iterator[_RESULT]:
        """Yield a row for each post of each record, or what is wrong with it."""
        for line, value, text, bad in values:
            if bad is not None or not isinstance(value, dict):
                yield line, None, bad or no_object(line, value)
                continue
            try:
                yield from self._posts(line, value, text)
            except NotThisFormatError as error:
                yield line, None, fault(line, f"not of {self._reader}: {error}", shown(value))
            except Exception as error:  # whatever a hostile record makes a reader stumble over
                reason = f"not of {self._reader}: {type(error).__name__} {str(error)[:100]}"
                yield line, None, fault(line, reason, shown(value))

    def frame(self, rows: list[Any]) -> pl.DataFrame:
        """Return rows as columns."""
        kinds = [*self._kinds, *((name, False) for name, _ in self._own)]
        values = list(zip(*rows, strict=True)) if rows else [()] * len(kinds)
        return pl.DataFrame([
            list_series(name, column) if is_list else pl.Series(name, column, dtype=ID)
            for (name, is_list), column in zip(kinds, values, strict=True)
        ])  # fmt: skip

    def _posts(self, line: int, record: dict[str, Any], text: bytes | None) -> Iterator[_RESULT]:
        empty = True
        own = [_as_own(_beneath(record, path)) for _, path in self._own]
        for k, post in enumerate(self._rows_of(record)):
            empty = False
            if isinstance(post, NoPost):
                yield line, None, (line, f"no post: {post.what}", "")
                continue
            if text and any(may_be_another(found, text) for found in post.values()):
                again = next(islice(self._rows_of(as_written(text, record)), k, None))
                yield line, self._row(post if isinstance(again, NoPost) else again) + own, None
            else:
                yield line, self._row(post) + own, None
        if empty:
            yield line, None, (line, f"no post: nothing in it for {self._reader}", "")

    def _row(self, post: dict[str, Any]) -> list[Any]:
        row: list[Any] = []
        for name, is_list in self._kinds:
            value = post.get(name)
            if is_list:
                value = _texts(value)
            elif value.__class__ is not str:
                if value is not None:
                    self.nested = self.nested or isinstance(value, dict | list)
                    value = as_text(value)
            elif not value:
                value = None
            row.append(value)
        return row


def _beneath(value: Any, path: Sequence[str]) -> Any:
    """Return what stands at a path as `key_paths` gives it: `a.b`, `a[].b`; of a list with several items a list."""
    for k, step in enumerate(path):
        value = value.get(step.removesuffix("[]")) if isinstance(value, dict) else None
        if step.endswith("[]") and isinstance(value, list):
            found = [_beneath(item, path[k + 1 :]) for item in value]
            return found[0] if len(found) == 1 else found
    return value


def _as_own(value: Any) -> str | None:
    return value or None if value is None or isinstance(value, str) else as_text(value)


def _texts(value: Any) -> list[str] | None:
    """Return the texts in a list, which may have none; a text alone counts as a list of it."""
    if isinstance(value, list | tuple):
        return [item for item in value if isinstance(item, str) and item]
    return [value] if isinstance(value, str) and value else None


def _add_paths(value: dict[str, Any], above: str, paths: dict[str, None], depth: int) -> None:
    for key, inner in value.items():
        if len(paths) >= _KEY_PATHS:
            return
        path = above + key
        paths[path] = None
        if depth and isinstance(inner, dict):
            _add_paths(inner, f"{path}.", paths, depth - 1)
        elif depth and isinstance(inner, list):
            for item in inner[:10]:
                if isinstance(item, dict):
                    _add_paths(item, f"{path}[].", paths, depth - 1)


def records(file: LogFile, lists: Collection[str], progress: BytesRead | None, /) -> Iterator[RECORD]:
    """Yield what stands in a file, record by record; `lists` are where a document may keep them."""
    first = 1 + file.skip_lines
    with file.open(progress=progress) as stream:
        if file.layout == "chat":
            yield from messages(stream, first=first, chat=chat_name(file.name))
        else:
            yield from _lines(stream, first) if file.layout == "ndjson" else _elements(stream, file, lists)


def _lines(stream: IO[bytes], first: int) -> Iterator[RECORD]:
    for number, (line, n_bytes) in enumerate(_bounded(stream), first):
        try:
            if n_bytes > LARGEST_RECORD:
                yield (
                    number,
                    None,
                    line,
                    fault(number, f"a line of {n_bytes:,} bytes; no record has so many", line),
                )
            else:
                yield number, orjson.loads(line), line, None
        except orjson.JSONDecodeError as error:
            if line.isspace():
                continue
            try:
                yield number, _lenient(line), line, None
            except (ValueError, RecursionError):
                yield number, None, line, fault(number, f"not JSON: {error}", line)


def _bounded(stream: IO[bytes]) -> Iterator[tuple[bytes, int]]:
    """Yield each line and its length; of one that is too long for a record, the beginning."""
    while line := stream.readline(LARGEST_RECORD + 1):
        n_bytes, last = len(line), line
        while n_bytes > LARGEST_RECORD and not last.endswith(b"\n") and (last := stream.readline(PIECE)):
            n_bytes += len(last)
        yield line if n_bytes <= LARGEST_RECORD else line[:PIECE], n_bytes


def _lenient(record: bytes | str) -> Any:
    """Return one JSON value as Python's own `json` writes it beyond the standard: NaN, half an emoji."""
    value = json.loads(record)
    return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def _elements(stream: IO[bytes], file: LogFile, lists: Collection[str]) -> Iterator[RECORD]:
    """Yield the records of a document."""
    if lists:
        with file.open() as again:
            lists = lists if has_list(again, lists) else ()
    for number, record in enumerate(read_records(stream, lists), 1):
        bad = record.fault
        if bad is None:
            try:
                value = _loaded(record.text)
                if record.list_name is not None:
                    value = {**record.beside, record.list_name: [value]}
                yield number, value, record.text, None
                continue
            except orjson.JSONDecodeError as error:
                bad = f"not JSON: {error}"
        yield number, None, record.text, fault(number, bad, record.text)


def _loaded(record: bytes) -> Any:
    r"""Return a record of a document, and with `\x01`, as Telegram Desktop writes it, as `\u0001`.

    Raises
    ------
    orjson.JSONDecodeError
        When it is no JSON.
    """
    try:
        return orjson.loads(record)
    except orjson.JSONDecodeError:
        try:
            return _lenient(_HEX_ESCAPE.sub(r"\1\\u00\2", record.decode("utf-8", "replace")))
        except (ValueError, RecursionError):
            pass
        raise
