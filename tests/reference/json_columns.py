"""JSON records to columns of text, one value after another: the slow twin of `readers.layouts.flat`."""

from __future__ import annotations

import json
import math

import polars as pl

from propgraph.readers.base import at
from propgraph.readers.layouts import nested
from propgraph.schema import ID


def columns(file, names):
    """Return the columns, the line of each row, `(line, reason)` of what is none, and whether any was nested."""
    rows, lines, faults, is_nested = [], [], [], False
    for line, value, text, bad in nested.records(file, (), None):
        if bad is not None or not isinstance(value, dict):
            reason = f"a JSON {type(value).__name__} where an object was expected"
            faults.append((line, bad[1] if bad else reason))
            continue
        # Python's own parser keeps all digits of an integer, and here of a number with an exponent as well.
        exact = json.loads(text, parse_float=Exact) if text else value
        cells = []
        for name in names:
            found = stands_at(value, name)
            is_nested = is_nested or isinstance(found, dict | list)
            is_large = type(found) is float and found.is_integer() and abs(found) >= 1e6
            cells.append(written(stands_at(exact, name) if is_large else found, is_large=is_large))
        rows.append(cells)
        lines.append(line)
    return pl.DataFrame(rows, schema=dict.fromkeys(names, ID), orient="row"), lines, faults, is_nested


class Exact(float):
    """A float that knows how it was written."""

    def __new__(cls, text):
        number = super().__new__(cls, text)
        number.written = text
        return number


def stands_at(record, name):
    """Return what stands at `a`, `a.b` or `a[].b`; a key that has the dots in it comes first."""
    if name in record or ("." not in name and "[]" not in name):
        return record.get(name)
    if "[]" not in name:
        return at(record, *name.split("."))
    return inside([record], name.split(".")) or None


def inside(values, path):
    """Return all that stands at a path with lists in it."""
    if not path:
        return [value for value in values if value is not None]
    found = []
    for value in values:
        if isinstance(value, dict):
            inner = value.get(path[0].removesuffix("[]"))
            if path[0].endswith("[]"):
                found += inner if isinstance(inner, list) else []
            else:
                found.append(inner)
    return inside(found, path[1:])


def written(value, *, is_large):
    """Return a value as text."""
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, str):
        return value
    if is_large and isinstance(value, Exact) and "e" in value.written.lower():
        return value.written
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(float(value)) if isinstance(value, float) else json.dumps(value)
