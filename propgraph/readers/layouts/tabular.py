"""Files as frames of raw columns: every record is either in a frame or in `rejected`, with its line.

The line of an NDJSON record is its line in the file; of other JSON it is the number of the record. Of a CSV
it is the number of the record, the header being 1: a record of several lines counts once, a blank line not at
all.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv

from propgraph.errors import InputError
from propgraph.readers.base import Reader
from propgraph.readers.files.encodings import guess_encoding, told_guess
from propgraph.readers.files.logfile import LogFile
from propgraph.readers.files.paths import unreadable
from propgraph.readers.files.streams import PIECE, checked
from propgraph.readers.files.unpack import BytesRead
from propgraph.readers.layouts import flat, nested
from propgraph.readers.layouts.batches import Batch, Fault, Lines, fault, in_batches, rejected_rows
from propgraph.readers.layouts.binary import binary_columns, read_binary
from propgraph.readers.layouts.kinds import WORKBOOK
from propgraph.readers.layouts.quotes import QuoteLeftOpenError, Quotes
from propgraph.readers.layouts.sheets import read_sheet, sheet_names

_BATCH_ROWS = 1 << 18
_BLOCK_BYTES = 1 << 25
_FIELD_CHARACTERS = 1 << 25
_LINE_CHARACTERS = 1 << 26
_REPLAYED_CHARACTERS = 1 << 28
_UNREADABLE = (OSError, pa.ArrowException, pl.exceptions.PolarsError, pl.exceptions.PanicException)


def columns_of(file: LogFile, /, *, lists: Collection[str] = ()) -> list[str]:
    """Return the names of the file's columns; of JSON, the paths of the keys of its first records.

    Parameters
    ----------
    file
        A file that `find_logs` found.
    lists
        Where one large JSON document may keep its records; see `base.Reader`.

    Raises
    ------
    InputError
        When the file cannot be read, or holds no JSON objects where it looks like JSON.
    """
    try:
        if file.frame is not None:
            return file.frame.columns
        if file.layout in ("parquet", "ipc"):
            return binary_columns(file)
        if file.layout == WORKBOOK:
            return sheet_names(file)
        if file.layout == "csv":
            return [name.strip() for name in _header(file)]
        return nested.key_paths(file, lists)
    except (*_UNREADABLE, csv.Error) as error:
        raise InputError(f"{file.name}: {unreadable(error)}") from error


def read_batches(
    file: LogFile,
    columns: Sequence[str],
    /,
    *,
    reader: Reader | None = None,
    progress: BytesRead | None = None,
) -> Iterator[Batch]:
    """Yield all records of `file`, with only the `columns` wanted.

    Parameters
    ----------
    file
        A file that `find_logs` found.
    columns
        Raw columns; where `reader` makes rows of nested JSON, canonical ones.
    reader
        The reader of nested JSON, None for tables.
    progress
        Called with the number of bytes just read.

    Raises
    ------
    InputError
        When the file as a whole cannot be read.
    """
    try:
        if file.layout in ("parquet", "ipc", "frame"):
            frame = read_binary(file, columns) if file.frame is None else file.frame.select(columns)
            yield Batch(frame, range(1, frame.height + 1))
        elif file.layout == WORKBOOK:
            yield read_sheet(file, columns)
        elif file.layout == "csv":
            for batch in _read_csv(file, columns, progress):
                yield batch.moved(file.skip_lines - (file.header is not None))
        elif reader is not None and reader.rows is not None:
            yield from nested.read_rows(file, columns, reader=reader, progress=progress)
        else:
            yield from flat.read_columns(file, columns, progress=progress)
    except _UNREADABLE as error:
        raise InputError(f"{file.name}: {unreadable(error)}") from error


def _text(file: LogFile, progress: BytesRead | None = None) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        file.open(progress=progress), encoding="utf-8", errors="surrogateescape", newline=""
    )


def _header(file: LogFile) -> list[str]:
    csv.field_size_limit(_FIELD_CHARACTERS)
    with _text(file) as text:
        lines = _bounded_lines(text)
        header = next((names for names in csv.reader(lines, delimiter=file.separator) if names), [])
    if sum(map(len, header)) > _LINE_CHARACTERS // 2:
        raise csv.Error("a header of so many characters")
    return header


def _read_csv(file: LogFile, columns: Sequence[str], progress: BytesRead | None) -> Iterator[Batch]:
    """Read by Arrow; what Arrow would read wrongly without a word, record by record."""
    header = _header(file)
    names = [name.strip() for name in header]
    places = [names.index(name) for name in columns]
    line = 2
    while True:
        try:
            for batch, next_line in _read_csv_fast(file, columns, places, progress, n_fields=len(header)):
                if next_line > line:  # else it was read before
                    yield batch if line == 2 else batch.since(line)
                    line = next_line
            return
        except UnicodeDecodeError:
            if file.encoding is not None or (guess := guess_encoding(file)) is None:
                break
            # All that was read of it by now is ASCII, or hardly anything is not.
            file, progress = replace(file, encoding=guess), None
            yield Batch(_empty(columns), range(0), notes=[told_guess(guess)])
        except (pa.ArrowInvalid, QuoteLeftOpenError):
            break
    yield from _read_csv_slow(file, columns, places, None if line > 2 else progress, first=line)


def _read_csv_fast(
    file: LogFile, columns: Sequence[str], places: list[int], progress: BytesRead | None, *, n_fields: int
) -> Iterator[tuple[Batch, int]]:
    """Yield batches, and for each the line of the first record after it."""
    torn: list[tuple[int, str, str]] = []

    def on_torn(row: Any) -> str:
        torn.append((row.number, _miscounted(row.actual_columns, n_fields, row.text), row.text))
        return "skip"

    quotes, decoder = (
        Quotes(file.separator, longest=_FIELD_CHARACTERS),
        codecs.getincrementaldecoder("utf-8")(),
    )

    def check(data: bytes) -> None:
        quotes.check(data)
        if b"\0" in data:
            raise QuoteLeftOpenError  # Arrow and Python differ on where such a record ends
        # Arrow looks at the bytes of some columns only, and trips over others where it shows a torn row.
        if not (data and data.isascii() and not decoder.getstate()[0]):
            decoder.decode(data, final=not data)

    raw = [f"f{place}" for place in places]
    reader = pa_csv.open_csv(
        checked(file.open(progress=progress), check),
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
        yield Batch(frame, lines, rejected_rows(file.name, bad)), line
    if torn:
        yield Batch(_empty(columns), range(0), rejected_rows(file.name, torn)), torn[-1][0] + 1


def _empty(columns: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame(schema=dict.fromkeys(columns, pl.String))


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
    file: LogFile, columns: Sequence[str], places: list[int], progress: BytesRead | None, *, first: int
) -> Iterator[Batch]:
    """Read the records from line `first` on."""

    def result(line: int, fields: list[str] | None, text: str, why: str) -> tuple[int, Any, Fault | None]:
        if fields is None:
            return line, None, fault(line, why, text)
        if len(fields) != n_fields:
            return line, None, fault(line, _miscounted(len(fields), n_fields, text), text)
        row = [fields[place] or None for place in places]
        if any(value is not None and not_text(value) for value in row):
            return line, None, fault(line, _no_text(file), text)
        return line, row, None

    def frame(rows: list[Any]) -> pl.DataFrame:
        return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")

    with _text(file, progress) as text:
        records = _csv_records(text, file)
        header, *_ = next(records)
        n_fields = len(header or [])
        results = (result(line, *record) for line, record in enumerate(records, 2) if line >= first)
        yield from in_batches(file, _BATCH_ROWS, results, frame=frame)


# The fields of a record, its text, and where it has no fields, why it is none.
_RECORD = tuple[list[str] | None, str, str]


def _csv_records(text: io.TextIOBase, file: LogFile) -> Iterator[_RECORD]:
    """Yield the records of a CSV.

    A quote that is left open costs the one line that it stands in: reading goes on with the next.
    """
    lines = _Lines(text)
    while True:
        yield from _whole_records(lines, file.separator)
        if not lines.taken:
            return
        yield None, lines.taken[0], _no_record(lines.taken)
        if lines.put_back() > _REPLAYED_CHARACTERS:
            raise InputError(
                f"{file.name}: quotes open and do not close, again and again, the last in {lines.taken[0][:80]!r}; "
                "write the file with closed quotes, or with none"
            )


class _Lines:
    """The lines of a text, to be read once more where they are put back.

    Attributes
    ----------
    taken
        Those given out since it was last emptied.
    ended
        A line was asked for after the last.
    """

    def __init__(self, text: io.TextIOBase) -> None:
        self._lines, self._again = _bounded_lines(text), deque[str]()
        self._replayed = 0
        self.taken: list[str] = []
        self.ended = False

    def __iter__(self) -> Iterator[str]:
        while self._again:
            self.taken.append(self._again.popleft())
            yield self.taken[-1]
        for line in self._lines:
            self.taken.append(line)
            yield line
        self.ended = True

    def put_back(self) -> int:
        """Give out what was taken once more but for its first line; return how many characters come again so far."""
        self._again.extendleft(reversed(self.taken[1:]))
        self._replayed += sum(map(len, self.taken[1:]))
        self.ended = False
        return self._replayed


def _whole_records(lines: _Lines, separator: str) -> Iterator[_RECORD]:
    """Yield records up to the first that is none; its lines are left in `taken`, none at the end of the text."""
    records = csv.reader(lines, delimiter=separator)
    while True:
        lines.taken.clear()
        try:
            fields = next(records)
        except (StopIteration, csv.Error):  # no line is left, or a field is beyond all bounds
            return
        # At its end the reader asked for a line more than there is.
        if lines.ended or (len(lines.taken) > 1 and _left_open(lines.taken, separator)):
            return
        if len(lines.taken[0]) > _LINE_CHARACTERS:
            return
        if fields:
            yield fields, "".join(lines.taken), ""


def _bounded_lines(text: io.TextIOBase) -> Iterator[str]:
    """Yield each line, of one beyond all bounds the beginning; that is longer than any line may be."""
    while line := text.readline(_LINE_CHARACTERS + 1):
        last = line
        while len(line) > _LINE_CHARACTERS and not last.endswith(("\n", "\r")) and last:
            last = text.readline(PIECE)
        yield line


def _no_record(lines: list[str]) -> str:
    """Return why no record begins with the first of these lines."""
    if len(lines[0]) > _LINE_CHARACTERS:
        return f"a line of more than {_LINE_CHARACTERS:,} characters; no row has so many"
    if len(lines[0]) > _FIELD_CHARACTERS and len(lines) == 1:
        return f"a field of more than {_FIELD_CHARACTERS:,} characters; no post has so many"
    return "a quote opens here and is not closed"


def _left_open(lines: list[str], separator: str) -> bool:
    try:
        Quotes(separator, longest=_FIELD_CHARACTERS).check("".join(lines).encode("utf-8", "surrogateescape"))
    except QuoteLeftOpenError:
        return True
    return False


def _no_text(file: LogFile) -> str:
    if file.encoding in (None, "utf-8", "utf-8-sig"):
        return (
            "bytes that are not UTF-8; save the file as UTF-8, or name its encoding with --encoding "
            "(in Python: encoding=)"
        )
    return f"bytes that are not {file.encoding}"


def not_text(value: str, /) -> bool:
    """Tell whether a value holds bytes that are no text in the file's encoding."""
    return not value.isascii() and any("\udc80" <= character <= "\udcff" for character in value)
