"""JSON, one object a line or one large document, and chats: records to flat columns, or to posts by a reader's `rows`.

A document is read record by record, never as a whole, as long as it is a list of records or keeps them in a
list that some reader knows.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal
from itertools import islice
from typing import IO, Any

import numpy as np
import orjson
import polars as pl
import pyarrow as pa

from propgraph.errors import InputError
from propgraph.readers.base import LISTS, OWN, NoPost, NotThisFormatError, Reader, at
from propgraph.readers.files.logfile import LogFile
from propgraph.readers.files.streams import PIECE
from propgraph.readers.files.unpack import BytesRead
from propgraph.readers.layouts.batches import Batch, Fault, fault, in_batches
from propgraph.readers.layouts.chats import chat_name, messages
from propgraph.readers.layouts.documents import LARGEST_RECORD, has_list, read_records
from propgraph.schema import ID, IDS

_BATCH_ROWS = 1 << 15
_KEY_RECORDS = 10_000
_PATH_RECORDS = 500
_KEY_BYTES = 1 << 23
_KEY_PATHS = 10_000
_KEY_DEPTH = 8
# A number as orjson does not keep it, with an exponent: `1.70964E+09`; of small ones no digit is lost in writing.
_EXPONENT = re.compile(rb"[0-9][eE]\+?[0-9]")
_SMALL = 1e6
_HEX_ESCAPE = re.compile(r"(?<!\\)((?:\\\\)*)\\x([0-9a-fA-F]{2})")
_RESULT = tuple[int, Any, Fault | None]
# Line or number of a record, the record, its text in a file of lines, and what is wrong where it is none.
_VALUE = tuple[int, Any, bytes | None, Fault | None]


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
    for n, (_, value, text, _) in enumerate(islice(_values(file, lists, None), _KEY_RECORDS)):
        if isinstance(value, dict):
            top.update(dict.fromkeys(value))
            if n < _PATH_RECORDS:
                _add_paths(value, "", below, _KEY_DEPTH)
            size += len(text) if text else len(_shown(value))
        if size > _KEY_BYTES:
            break
    if not top:
        raise InputError(
            f"{file.name}: starts like JSON, but holds no JSON object; write one object a line (jq -c .)"
        )
    return list(top | below)


def read_columns(
    file: LogFile, columns: Sequence[str], /, *, progress: BytesRead | None = None
) -> Iterator[Batch]:
    """Yield records as columns of text: `a`, `a.b` for what stands in an object, `a[].b` in those of a list.

    Lists are written as JSON.
    """
    nested = False
    paths = [(name, name.split(".")) for name in columns]

    def results() -> Iterator[_RESULT]:
        nonlocal nested
        for line, value, text, bad in _values(file, (), progress):
            if bad is not None or not isinstance(value, dict):
                yield line, None, bad or _no_object(line, value)
                continue
            deep = None
            row: list[str | None] = []
            for name, path in paths:
                found = _found(value, name, path)
                if found is None or isinstance(found, str):
                    row.append(found or None)
                    continue
                nested = nested or isinstance(found, dict | list)
                if text and _may_be_another(found, text):
                    found = _found(_as_written(text, value), name, path)
                try:
                    row.append(_as_text(found))
                except RecursionError:
                    deep = fault(
                        line, f"{name}: lists and objects in one another beyond all use", text or b""
                    )
                    break
            yield line, None if deep else row, deep

    def frame(rows: list[Any]) -> pl.DataFrame:
        return pl.DataFrame(rows, schema=dict.fromkeys(columns, ID), orient="row")

    for batch in in_batches(file, _BATCH_ROWS, results(), frame=frame):
        batch.nested = nested
        yield batch


def _found(record: dict[str, Any], name: str, path: Sequence[str]) -> Any:
    """Return what stands at a path, of lists in it all that stands there in their objects."""
    if len(path) == 1 or name in record:
        return record.get(name)
    if "[]" not in name:
        return at(record, *path)
    values: list[Any] = [record]
    for step in path:
        values = [value.get(step.removesuffix("[]")) for value in values if isinstance(value, dict)]
        if step.endswith("[]"):
            values = [item for value in values if isinstance(value, list) for item in value]
    return [value for value in values if value is not None] or None


def read_rows(
    file: LogFile, columns: Sequence[str], /, *, reader: Reader, progress: BytesRead | None = None
) -> Iterator[Batch]:
    """Yield the posts that `reader.rows` makes of each record, as canonical `columns` of text and lists of text.

    A record that is no post is rejected without being kept: a stream of events holds many.
    """
    posts = _Posts(columns, reader)
    results = posts.results(_values(file, reader.lists, progress))
    for batch in in_batches(file, _BATCH_ROWS, results, frame=posts.frame):
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

    def results(self, values: Iterator[_VALUE]) -> Iterator[_RESULT]:
        """Yield a row for each post of each record, or what is wrong with it."""
        for line, value, text, bad in values:
            if bad is not None or not isinstance(value, dict):
                yield line, None, bad or _no_object(line, value)
                continue
            try:
                yield from self._posts(line, value, text)
            except NotThisFormatError as error:
                yield line, None, fault(line, f"not of {self._reader}: {error}", _shown(value))
            except Exception as error:  # whatever a hostile record makes a reader stumble over
                reason = f"not of {self._reader}: {type(error).__name__} {str(error)[:100]}"
                yield line, None, fault(line, reason, _shown(value))

    def frame(self, rows: list[Any]) -> pl.DataFrame:
        """Return rows as columns."""
        kinds = [*self._kinds, *((name, False) for name, _ in self._own)]
        values = list(zip(*rows, strict=True)) if rows else [()] * len(kinds)
        return pl.DataFrame([
            _lists(name, column) if is_list else pl.Series(name, column, dtype=ID)
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
            if text and any(_may_be_another(found, text) for found in post.values()):
                again = next(islice(self._rows_of(_as_written(text, record)), k, None))
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
                    value = _as_text(value)
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
    return value or None if value is None or isinstance(value, str) else _as_text(value)


def _lists(name: str, values: Sequence[list[str] | None]) -> pl.Series:
    """Return lists of text as a Series; ten times as fast as Polars makes one of Python lists."""
    lengths = np.fromiter((len(value) if value else 0 for value in values), np.int64, len(values))
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    texts = pa.array([text for value in values if value for text in value], pa.large_string())
    absent = np.fromiter((value is None for value in values), np.bool_, len(values))
    lists = pa.LargeListArray.from_arrays(pa.array(offsets), texts, mask=pa.array(absent))
    return pl.Series(name, lists, dtype=IDS)


def _no_object(line: int, value: Any) -> Fault:
    return fault(line, f"a JSON {type(value).__name__} where an object was expected", _shown(value))


def _shown(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        return repr(type(value))


def _texts(value: Any) -> list[str] | None:
    """Return the texts in a list, which may have none; a text alone counts as a list of it."""
    if isinstance(value, list | tuple):
        return [item for item in value if isinstance(item, str) and item]
    return [value] if isinstance(value, str) and value else None


class _Written(float):
    """A number with an exponent as the record has it: how many digits it has is not in the float."""

    text: str

    def __new__(cls, text: str) -> _Written:
        number = super().__new__(cls, text)
        number.text = text
        return number


def _number(text: str) -> float:
    return _Written(text) if "e" in text.lower() else float(text)


def _may_be_another(value: Any, record: bytes) -> bool:
    """Return whether a float stands for a number with an exponent, or for an integer too large for orjson."""
    if value.__class__ is not float or not (abs(value) >= _SMALL and value.is_integer()):
        return False
    return abs(value) >= 2**63 or _EXPONENT.search(record) is not None


def _as_written(record: bytes, value: dict[str, Any]) -> dict[str, Any]:
    """Return a record with all digits of its integers, and its numbers with an exponent as `_Written`."""
    try:
        written: dict[str, Any] = json.loads(record, parse_float=_number)
    except (ValueError, RecursionError):
        return value
    if written.keys() == value.keys():
        return written
    # A record out of a list in a document is given with what stands beside the list.
    around = (name for name, inner in value.items() if isinstance(inner, list) and len(inner) == 1)
    name = next((name for name in around if getattr(value[name][0], "keys", dict)() == written.keys()), None)
    return value if name is None else {**value, name: [written]}


def _as_text(value: Any) -> str | None:
    """Return a JSON value as a log would write it in a column; a list or object is written as JSON."""
    if isinstance(value, _Written):
        return value.text
    if isinstance(value, float | Decimal):
        if math.isnan(value):  # how pandas writes nothing
            return None
        return str(int(value) if float(value).is_integer() and abs(float(value)) < 2**53 else value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return json.dumps(value, default=str)


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


def _values(file: LogFile, lists: Collection[str], progress: BytesRead | None) -> Iterator[_VALUE]:
    first = 1 + file.skip_lines
    with file.open(progress=progress) as stream:
        if file.layout == "chat":
            yield from messages(stream, first=first, chat=chat_name(file.name))
        else:
            yield from _lines(stream, first) if file.layout == "ndjson" else _elements(stream, file, lists)


def _lines(stream: IO[bytes], first: int) -> Iterator[_VALUE]:
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


def _elements(stream: IO[bytes], file: LogFile, lists: Collection[str]) -> Iterator[_VALUE]:
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
