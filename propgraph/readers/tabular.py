"""Files as frames of raw columns: every record is either in a frame or in `rejected`, with its line."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any

import orjson
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv

from propgraph.errors import InputError
from propgraph.readers.files import LogFile
from propgraph.schema import REJECTED

RAW_LIMIT = 2000
_BATCH_ROWS = 1 << 18
_BLOCK_BYTES = 1 << 25

Progress = Callable[[int], None]


@dataclass
class Batch:
    """Records of one file.

    Attributes
    ----------
    frame
        The raw columns asked for, as the file has them (text files: String).
    line
        Int64; the record's number in the file, 1-based; the header of a CSV is number 1.
    rejected
        Records that are not even a row: the columns of `schema.REJECTED`.
    """

    frame: pl.DataFrame
    line: pl.Series
    rejected: pl.DataFrame = field(default_factory=REJECTED.empty)


def columns_of(file: LogFile, /) -> list[str]:
    """Return the names of the file's columns; of NDJSON, the keys of its first readable records."""
    try:
        if file.layout == "parquet":
            return pl.scan_parquet(file.path).collect_schema().names()
        if file.layout == "ipc":
            return pl.scan_ipc(file.path).collect_schema().names()
        if file.layout == "ndjson":
            return _keys(file)
        with _text(file) as text:
            return next(csv.reader(text, delimiter=file.separator), [])
    except (OSError, pl.exceptions.PolarsError, UnicodeError, csv.Error) as error:
        raise InputError(f"{file.path}: cannot be read ({error})") from error


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
    except (OSError, EOFError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{file.path}: cannot be read ({error})") from error


def rejected_rows(source: str, rows: Iterable[tuple[int, str, str]], /) -> pl.DataFrame:
    """Return `(line, reason, raw)` triples as rows of `schema.REJECTED`."""
    data = [(source, line, reason, raw[:RAW_LIMIT]) for line, reason, raw in rows]
    return pl.DataFrame(data, schema=REJECTED.dtypes, orient="row")


def _read_binary(file: LogFile, columns: list[str]) -> Batch:
    if file.layout == "parquet":
        frame = pl.read_parquet(file.path, columns=columns, parallel="columns")
    else:
        frame = pl.read_ipc(file.path, columns=columns, memory_map=False)
    frame = frame.select(columns)
    return Batch(frame, pl.int_range(1, frame.height + 1, dtype=pl.Int64, eager=True))


class _Counted(io.RawIOBase):
    """A byte stream that tells how much of it was read."""

    def __init__(self, stream: IO[bytes], progress: Progress | None) -> None:
        self._stream, self._progress = stream, progress

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        if self._progress:
            self._progress(len(data))
        return len(data)


def _bytes(file: LogFile, progress: Progress | None = None) -> io.BufferedReader:
    return io.BufferedReader(_Counted(file.open(), progress), buffer_size=1 << 20)


def _text(file: LogFile, progress: Progress | None = None) -> io.TextIOWrapper:
    encoding = "utf-8-sig" if file.encoding == "utf-8" else file.encoding
    return io.TextIOWrapper(_bytes(file, progress), encoding=encoding, errors="surrogateescape", newline="")


def _read_csv(file: LogFile, columns: list[str], progress: Progress | None) -> Iterator[Batch]:
    """Read by Arrow; where Arrow gives up (a broken quote, bytes that are not text), record by record."""
    n_done = 0
    if file.encoding == "utf-8":
        try:
            for batch in _read_csv_fast(file, columns, progress):
                n_done += batch.frame.height + batch.rejected.height
                yield batch
            return
        except pa.ArrowInvalid:
            pass
    yield from _read_csv_slow(file, columns, None if n_done else progress, skip=n_done)


def _read_csv_fast(file: LogFile, columns: list[str], progress: Progress | None) -> Iterator[Batch]:
    torn: list[tuple[int, str, str]] = []

    def on_torn(row: Any) -> str:
        torn.append(
            (row.number, f"{row.actual_columns} fields where the header has {row.expected_columns}", row.text)
        )
        return "skip"

    names = columns_of(file)
    reader = pa_csv.open_csv(
        _bytes(file, progress),
        read_options=pa_csv.ReadOptions(block_size=_BLOCK_BYTES, use_threads=False),
        parse_options=pa_csv.ParseOptions(
            delimiter=file.separator, newlines_in_values=True, invalid_row_handler=on_torn
        ),
        convert_options=pa_csv.ConvertOptions(
            include_columns=columns,
            column_types=dict.fromkeys(names, pa.large_string()),
            strings_can_be_null=True,
            null_values=[""],
            quoted_strings_can_be_null=True,
        ),
    )
    line = 2
    for block in reader:
        bad, torn[:] = list(torn), []
        frame = pl.DataFrame(pl.from_arrow(block))
        numbers = range(line, line + frame.height + len(bad))
        line = numbers.stop
        skip = {number for number, _, _ in bad}
        lines = [number for number in numbers if number not in skip] if skip else numbers
        yield Batch(frame, pl.Series("line", lines, dtype=pl.Int64), rejected_rows(str(file.path), bad))
    if torn:
        empty = pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
        yield Batch(empty, pl.Series("line", [], dtype=pl.Int64), rejected_rows(str(file.path), torn))


def _read_csv_slow(
    file: LogFile, columns: list[str], progress: Progress | None, *, skip: int
) -> Iterator[Batch]:
    csv.field_size_limit(1 << 30)
    with _text(file, progress) as text:
        records = csv.reader(text, delimiter=file.separator)
        header = next(records, [])
        places = [header.index(name) for name in columns]

        def check(number: int, record: list[str]) -> tuple[list[str | None] | None, str]:
            if len(record) != len(header):
                return None, f"{len(record)} fields where the header has {len(header)}"
            row = [record[place] or None for place in places]
            if any(value is not None and _not_text(value) for value in row):
                return None, "bytes that are not UTF-8; save the file as UTF-8"
            return row, ""

        numbered = ((n, record) for n, record in enumerate(records, 2) if record)
        for k, (number, record) in enumerate(numbered):
            if k == skip:
                rest = _chain_one((number, record), numbered)
                yield from _in_batches(file, columns, rest, check, lambda record: file.separator.join(record))
                return


def _chain_one(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from rest


def _not_text(value: str) -> bool:
    return any("\udc80" <= character <= "\udcff" for character in value) if not value.isascii() else False


def _read_ndjson(file: LogFile, columns: list[str], progress: Progress | None) -> Iterator[Batch]:
    def check(number: int, record: bytes) -> tuple[list[str | None] | None, str]:
        try:
            value = orjson.loads(record)
        except orjson.JSONDecodeError as error:
            return None, f"not JSON: {error}"
        if not isinstance(value, dict):
            return None, f"a JSON {type(value).__name__} where an object was expected"
        return [_as_text(value.get(name)) for name in columns], ""

    with _bytes(file, progress) as stream:
        numbered = ((n, line) for n, line in enumerate(stream, 1) if not line.isspace())
        yield from _in_batches(
            file, columns, numbered, check, lambda line: line.decode("utf-8", "replace").rstrip()
        )


def _as_text(value: Any) -> str | None:
    """Return a JSON value as a log would write it in a column; a list is written as JSON."""
    if value is None or isinstance(value, str):
        return value or None
    return orjson.dumps(value).decode()


def _in_batches(
    file: LogFile,
    columns: list[str],
    numbered: Iterable[tuple[int, Any]],
    check: Callable[[int, Any], tuple[list[str | None] | None, str]],
    show: Callable[[Any], str],
) -> Iterator[Batch]:
    rows: list[list[str | None]] = []
    lines: list[int] = []
    bad: list[tuple[int, str, str]] = []

    def batch() -> Batch:
        frame = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
        return Batch(frame, pl.Series("line", lines, dtype=pl.Int64), rejected_rows(str(file.path), bad))

    for number, record in numbered:
        row, reason = check(number, record)
        if row is None:
            bad.append((number, reason, show(record).encode("utf-8", "replace").decode()))
        else:
            rows.append(row)
            lines.append(number)
        if len(rows) + len(bad) >= _BATCH_ROWS:
            yield batch()
            rows, lines, bad = [], [], []
    yield batch()


def _keys(file: LogFile) -> list[str]:
    names: dict[str, None] = {}
    with file.open() as stream:
        for number, line in enumerate(stream):
            if number == 100:
                break
            try:
                value = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue
            if isinstance(value, dict):
                names.update(dict.fromkeys(value))
    return list(names)
