"""JSON records to columns of text, column by column: what is plain text goes through as it is.

What a record is, and which line is none, is left to `nested.records`. Of a few hundred records at a time the values of
each column are gathered, and only a column with other values than texts and whole numbers is gone through one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
import polars as pl

from propgraph.readers.base import at
from propgraph.readers.files.logfile import LogFile
from propgraph.readers.files.unpack import BytesRead
from propgraph.readers.layouts import nested
from propgraph.readers.layouts.batches import Batch, Fault, fault, rejected_rows
from propgraph.readers.layouts.json_values import as_text, as_written, may_be_another, no_object
from propgraph.readers.layouts.nested import RECORD
from propgraph.schema import ID

# As many records are in memory as objects; more of them would push one another out of the processor's cache.
_AT_ONCE = 256
_TEXT = frozenset({str, type(None)})
_PLAIN = frozenset({str, int, type(None)})  # no bool: its class is another


def read_columns(
    file: LogFile, columns: Sequence[str], /, *, progress: BytesRead | None = None
) -> Iterator[Batch]:
    """Yield records as columns of text: `a`, `a.b` for what stands in an object, `a[].b` in those of a list.

    Lists are written as JSON.
    """
    found = _Columns(columns)
    values = nested.records(file, (), progress)
    n_left = nested.BATCH_ROWS
    while some := list(islice(values, min(_AT_ONCE, n_left))):
        found.add(some)
        n_left -= len(some)
        if not n_left:
            yield found.batch(file.name)
            n_left = nested.BATCH_ROWS
    yield found.batch(file.name)


class _Columns:
    """Columns of text as they grow, the line of each row, and what was no row.

    Attributes
    ----------
    nested
        A list or an object was met in the place of a text.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self._paths = [(name, name.split(".")) for name in columns]
        self.nested = False
        self._clear()

    def _clear(self) -> None:
        self._texts: list[list[str | None]] = [[] for _ in self._paths]
        self._lines: list[int] = []
        self._faults: list[Fault] = []

    def batch(self, name: str) -> Batch:
        """Return what there is as a batch of the file `name`, and begin the next."""
        frame = pl.DataFrame(
            [
                pl.Series(path[0], texts, dtype=ID)
                for path, texts in zip(self._paths, self._texts, strict=True)
            ]
        )
        batch = Batch(frame, np.array(self._lines, np.int64), rejected_rows(name, self._faults), self.nested)
        self._clear()
        return batch

    def add(self, some: Sequence[RECORD]) -> None:
        """Add records, and of those that are none what is wrong with them."""
        faults: dict[int, Fault] = {}  # by the record's place in `some`
        whole: list[int] = []
        for place, (line, value, _, bad) in enumerate(some):
            if bad is not None or not isinstance(value, dict):
                faults[place] = bad or no_object(line, value)
            else:
                whole.append(place)
        columns = [self._column(some, whole, name, path) for name, path in self._paths]
        for (name, _), (_, deep) in zip(self._paths, columns, strict=True):
            for place in deep:
                line, _, text, _ = some[place]
                reason = f"{name}: lists and objects in one another beyond all use"
                faults.setdefault(place, fault(line, reason, text or b""))
        kept = [row for row, place in enumerate(whole) if place not in faults]
        for texts, (found, _) in zip(self._texts, columns, strict=True):
            texts.extend(found if len(kept) == len(whole) else [found[row] for row in kept])
        self._lines += [some[whole[row]][0] for row in kept]
        self._faults += [faults[place] for place in sorted(faults)]

    def _column(
        self, some: Sequence[RECORD], whole: Sequence[int], name: str, path: Sequence[str]
    ) -> tuple[list[str | None], list[int]]:
        """Return what the `whole` records have in a column, as texts, and the places of those too deep for that."""
        found: list[Any]
        if len(path) == 1:
            found = [some[place][1].get(name) for place in whole]
        else:
            found = [_value_at(some[place][1], name, path) for place in whole]
        kinds = set(map(type, found))
        if kinds <= _TEXT:
            return ([text or None for text in found] if "" in found else found), []
        if kinds <= _PLAIN:
            return [str(value) if value.__class__ is int else value or None for value in found], []
        texts: list[str | None] = []
        deep: list[int] = []
        for place, value in zip(whole, found, strict=True):
            try:
                texts.append(self._text(value, some[place], name, path))
            except RecursionError:
                texts.append(None)
                deep.append(place)
        return texts, deep

    def _text(self, value: Any, record: RECORD, name: str, path: Sequence[str]) -> str | None:
        """Return any value as text, with all digits that the record's own text has."""
        if value is None or isinstance(value, str):
            return value or None
        self.nested = self.nested or isinstance(value, dict | list)
        _, whole, text, _ = record
        if text and may_be_another(value, text):
            value = _value_at(as_written(text, whole), name, path)
        return as_text(value)


def _value_at(record: dict[str, Any], name: str, path: Sequence[str]) -> Any:
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
