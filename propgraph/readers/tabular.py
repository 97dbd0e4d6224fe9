"""Files as frames of raw columns: every record is either in a frame or in `rejected`, with its line.

The line of an NDJSON record is its line in the file. Of a CSV it is the number of the record, the header
being 1: a record of several lines counts once, a blank line not at all.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import orjson
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv

from propgraph.errors import InputError
from propgraph.readers.files import LogFile, unreadable
from propgraph.readers.quotes import QuoteLeftOpenError, Quotes
from propgraph.schema import REJECTED

RAW_LIMIT = 2000
_BATCH_ROWS = 1 << 18
_BLOCK_BYTES = 1 << 25
_FIELD_CHARACTERS = 1 << 25
_KEY_RECORDS = 10_000
_REPLAYED_CHARACTERS = 1 << 28
_UNREADABLE = (OSError, pa.ArrowException, pl.exceptions.PolarsError, pl.exceptions.PanicException)

Progress = Callable[[int], None]
# Increasing; a range where nothing was left out, so that ten million lines take no memory.
Lines = range | npt.NDArray[np.int64]


@dataclass
class Batch:
    """Records of one file.

    Attributes
    ----------
    frame
        The raw columns asked for, as the file has them (text files: String).
    line
        The line of each row of `frame`, 1-based.
    rejected
        Records that are not even a row: the columns of `schema.REJECTED`.
    nested
        Some value of `frame` is a JSON object or list, written as JSON.
    """

    frame: pl.DataFrame
    line: Lines
    rejected: pl.DataFrame = field(default_factory=REJECTED.empty)
    nested: bool = False


def columns_of(file: LogFile, /) -> list[str]:
    """Return the names of the file's columns; of NDJSON, the keys of its first records.

    Raises
    ------
    InputError
        When the file cannot be read, or holds no JSON objects where it looks like NDJSON.
    """
    try:
        if file.layout == "parquet":
            return pl.scan_parquet(file.path, glob=False).collect_schema().names()
        if file.layout == "ipc":
            return pl.scan_ipc(file.path, glob=False).collect_schema().names()
        return _keys(file) if file.layout == "ndjson" else [name.strip() for name in _header(file)]
    except (*_UNREADABLE, csv.Error) as error:
        raise InputError(f"{file.path}: {unreadable(error)}") from error


def read_batches(
    file: LogFile, columns: list[str], /, *, progress: Progress | None = None
) -> Iterator[Batch]:
    """Yield all records of `file`, with only the `columns` wanted.

    Raises
    ------
    InputError
        When the file as a whole cannot be read.
    """
    try:
        if file.layout in ("parquet", "ipc"):
            yield _read_binary(file, columns)
        elif file.layout == "ndjson":
            yield from _read_ndjson(file, columns, progress)
        else:
            yield from _read_csv(file, columns, progress)
    except _UNREADABLE as error:
        raise InputError(f"{file.path}: {unreadable(error)}") from error


def rejected_rows(source: str, rows: Iterable[tuple[int, str, str]], /) -> pl.DataFrame:
    """Return `(line, reason, raw)` triples as rows of `schema.REJECTED`."""
    data = [(source, line, reason, raw[:RAW_LIMIT]) for line, reason, raw in rows]
    return pl.DataFrame(data, schema=REJECTED.dtypes, orient="row")


def _read_binary(file: LogFile, columns: list[str]) -> Batch:
    if file.layout == "parquet":
        frame = pl.read_parquet(file.path, columns=columns, parallel="columns", glob=False).select(columns)
    else:
        frame = pl.scan_ipc(file.path, glob=False).select(columns).collect()
    return Batch(frame, range(1, frame.height + 1))


class _Counted(io.RawIOBase):
    """A byte stream that tells how much of it was read, and shows it to a `check` that may raise."""

    def __init__(
        self, stream: IO[bytes], progress: Progress | None, check: Callable[[bytes], None] | None = None
    ) -> None:
        self._stream, self._progress, self._check = stream, progress, check

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        if self._check:
            self._check(data)
        if self._progress and data:
            self._progress(len(data))
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()


def _bytes(
    file: LogFile, progress: Progress | None = None, check: Callable[[bytes], None] | None = None
) -> io.BufferedReader:
    return io.BufferedReader(_Counted(file.open(), progress, check), buffer_size=1 << 20)


def _text(file: LogFile, progress: Progress | None = None) -> io.TextIOWrapper:
    return io.TextIOWrapper(_bytes(file, progress), encoding="utf-8", errors="surrogateescape", newline="")


def _header(file: LogFile) -> list[str]:
    csv.field_size_limit(_FIELD_CHARACTERS)
    with _text(file) as text:
        return next((names for names in csv.reader(text, delimiter=file.separator) if names), [])


def _read_csv(file: LogFile, columns: list[str], progress: Progress | None) -> Iterator[Batch]:
    """Read by Arrow; what Arrow would read wrongly without a word, record by record."""
    header = _header(file)
    names = [name.strip() for name in header]
    places = [names.index(name) for name in columns]
    line = 2
    try:
        for batch, next_line in _read_csv_fast(file, columns, places, progress, n_fields=len(header)):
            line = next_line
            yield batch
    except (pa.ArrowInvalid, UnicodeDecodeError, QuoteLeftOpenError):
        yield from _read_csv_slow(file, columns, places, None if line > 2 else progress, first=line)


def _read_csv_fast(
    file: LogFile, columns: list[str], places: list[int], progress: Progress | None, *, n_fields: int
) -> Iterator[tuple[Batch, int]]:
    """Yield batches, and for each the line of the first record after it."""
    torn: list[tuple[int, str, str]] = []

    def on_torn(row: Any) -> str:
        torn.append((row.number, _miscounted(row.actual_columns, n_fields, row.text), row.text))
        return "skip"

    quotes, decoder = Quotes(file.separator), codecs.getincrementaldecoder("utf-8")()

    def check(data: bytes) -> None:
        quotes.check(data)
        if b"\0" in data:
            raise QuoteLeftOpenError  # Arrow and Python differ on where such a record ends
        # Arrow looks at the bytes of some columns only, and trips over others where it shows a torn row.
        if not (data and data.isascii() and not decoder.getstate()[0]):
            decoder.decode(data, final=not data)

    raw = [f"f{place}" for place in places]
    reader = pa_csv.open_csv(
        _bytes(file, progress, check),
        # Names of its own count the header as a row and do not care how it is written.
        read_options=pa_csv.ReadOptions(
            block_size=_BLOCK_BYTES, use_threads=False, autogenerate_column_names=True
        ),
        parse_options=pa_csv.ParseOptions(
            delimiter=file.separator, newlines_in_values=True, invalid_row_handler=on_torn
        ),
        convert_options=pa_csv.ConvertOptions(
            include_columns=raw,
            column_types=dict.fromkeys(raw, pa.large_string()),
            strings_can_be_null=True,
            null_values=[""],
            quoted_strings_can_be_null=True,
        ),
    )
    line = 1
    for block in reader:
        frame = pl.DataFrame(pl.from_arrow(block))
        frame.columns = columns
        lines = _lines(line, frame.height, [number for number, _, _ in torn])
        if line == 1:
            frame, lines = frame[1:], lines[1:]  # the header
        line = int(lines[-1]) + 1 if frame.height else max(line, 2)
        bad, torn[:] = [row for row in torn if row[0] < line], [row for row in torn if row[0] >= line]
        yield Batch(frame, lines, rejected_rows(str(file.path), bad)), line
    if torn:
        empty = pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
        yield Batch(empty, range(0), rejected_rows(str(file.path), torn)), torn[-1][0] + 1


def _lines(first: int, n: int, without: list[int]) -> Lines:
    """Return the `n` lines from `first` on `without` some, all of which are `first` or later."""
    holes, skipped = np.sort(np.array(without, np.int64)), 0
    while (now := int(np.searchsorted(holes, first + n + skipped))) > skipped:
        skipped = now
    if not skipped:
        return range(first, first + n)
    return np.setdiff1d(np.arange(first, first + n + skipped), holes[:skipped])


def _miscounted(found: int, expected: int, text: str) -> str:
    n_lines = text.rstrip("\r\n").count("\n") + 1
    over = f", over {n_lines} lines: is a quote left open?" if n_lines > 1 else ""
    return f"{found} fields where the header has {expected}{over}"


def _read_csv_slow(
    file: LogFile, columns: list[str], places: list[int], progress: Progress | None, *, first: int
) -> Iterator[Batch]:
    """Read the records from line `first` on."""

    def check(record: tuple[list[str] | None, str]) -> tuple[list[str | None] | None, str]:
        fields, text = record
        if fields is None:
            return None, "a quote opens here and is not closed"
        if len(fields) != n_fields:
            return None, _miscounted(len(fields), n_fields, text)
        row = [fields[place] or None for place in places]
        if any(value is not None and _not_text(value) for value in row):
            return None, "bytes that are not UTF-8; save the file as UTF-8"
        return row, ""

    with _text(file, progress) as text:
        records = _csv_records(text, file)
        header, _ = next(records)
        n_fields = len(header or [])
        numbered = ((line, record) for line, record in enumerate(records, 2) if line >= first)
        yield from _in_batches(file, columns, numbered, check, lambda record: record[1])


def _csv_records(text: Iterable[str], file: LogFile) -> Iterator[tuple[list[str] | None, str]]:
    """Yield the fields and the text of each record; fields are None where a quote is left open.

    Such a quote costs the one line that it stands in: reading goes on with the next.
    """
    lines, again = iter(text), deque[str]()
    taken: list[str] = []
    ended = False

    def feed() -> Iterator[str]:
        nonlocal ended
        while again:
            taken.append(again.popleft())
            yield taken[-1]
        for line in lines:
            taken.append(line)
            yield line
        ended = True

    replayed = 0
    while True:
        records = csv.reader(feed(), delimiter=file.separator)
        while True:
            taken.clear()
            try:
                fields = next(records)
                # At its end the reader asked for a line more than there is.
                left_open = ended or (len(taken) > 1 and _left_open(taken, file.separator))
            except StopIteration:
                return
            except csv.Error:  # a field beyond all bounds
                left_open = True
            if left_open:
                break
            if fields:
                yield fields, "".join(taken)
        yield None, taken[0]
        again.extendleft(reversed(taken[1:]))
        replayed += sum(map(len, taken))
        ended = False
        if replayed > _REPLAYED_CHARACTERS:
            raise InputError(
                f"{file.path}: quotes open and do not close, again and again, the last in {taken[0][:80]!r}; "
                "write the file with closed quotes, or with none"
            )


def _left_open(lines: list[str], separator: str) -> bool:
    try:
        Quotes(separator).check("".join(lines).encode("utf-8", "surrogateescape"))
    except QuoteLeftOpenError:
        return True
    return False


def _not_text(value: str) -> bool:
    return not value.isascii() and any("\udc80" <= character <= "\udcff" for character in value)


def _read_ndjson(file: LogFile, columns: list[str], progress: Progress | None) -> Iterator[Batch]:
    nested = False

    def check(record: bytes) -> tuple[list[str | None] | None, str]:
        nonlocal nested
        try:
            found = _parse(record)
        except ValueError as error:
            return None, f"not JSON: {error}"
        if not isinstance(found, dict):
            return None, f"a JSON {type(found).__name__} where an object was expected"
        row: list[str | None] = []
        for name in columns:
            value = found.get(name)
            if value is None or isinstance(value, str):
                row.append(value or None)
                continue
            nested = nested or isinstance(value, dict | list)
            if isinstance(value, float) and abs(value) >= 2**63:
                value = _exact(record, name, value)
            row.append(_as_text(value))
        return row, ""

    with _bytes(file, progress) as stream:
        numbered = ((n, line) for n, line in enumerate(stream, 1) if not line.isspace())
        for batch in _in_batches(
            file, columns, numbered, check, lambda line: line.decode("utf-8", "replace").rstrip()
        ):
            batch.nested = nested
            yield batch


def _parse(record: bytes) -> Any:
    """Return one JSON value, also as Python's own `json` writes it beyond the standard: NaN, half an emoji."""
    try:
        return orjson.loads(record)
    except orjson.JSONDecodeError as error:
        try:
            value = json.loads(record)
            return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
        except (ValueError, RecursionError):
            raise error from None


def _exact(record: bytes, name: str, value: float) -> Any:
    """Return a value with all its digits if it is an integer too large for orjson, which makes it a float."""
    try:
        return json.loads(record)[name]
    except (ValueError, RecursionError):
        return value


def _as_text(value: Any) -> str | None:
    """Return a JSON value as a log would write it in a column; a list or object is written as JSON."""
    if isinstance(value, float):
        if math.isnan(value):  # how pandas writes nothing
            return None
        return str(int(value) if value.is_integer() and abs(value) < 2**53 else value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return json.dumps(value)


def _in_batches(
    file: LogFile,
    columns: list[str],
    numbered: Iterable[tuple[int, Any]],
    check: Callable[[Any], tuple[list[str | None] | None, str]],
    show: Callable[[Any], str],
) -> Iterator[Batch]:
    rows: list[list[str | None]] = []
    lines: list[int] = []
    bad: list[tuple[int, str, str]] = []

    def batch() -> Batch:
        frame = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
        return Batch(frame, np.array(lines, np.int64), rejected_rows(str(file.path), bad))

    for number, record in numbered:
        row, reason = check(record)
        if row is None:
            raw = show(record).rstrip("\r\n")[: 2 * RAW_LIMIT]
            bad.append((number, reason, raw.encode("utf-8", "replace").decode()))
        else:
            rows.append(row)
            lines.append(number)
        if len(rows) + len(bad) >= _BATCH_ROWS:
            yield batch()
            rows, lines, bad = [], [], []
    yield batch()


def _keys(file: LogFile) -> list[str]:
    names: dict[str, None] = {}
    with _bytes(file) as stream:
        for number, line in enumerate(stream):
            if number == _KEY_RECORDS:
                break
            try:
                value = _parse(line)
            except ValueError:
                continue
            if isinstance(value, dict):
                names.update(dict.fromkeys(value))
    if not names:
        raise InputError(
            f"{file.path}: starts like JSON, but no line is a JSON object; write one object a line (jq -c .)"
        )
    return list(names)
