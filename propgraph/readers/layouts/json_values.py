"""Values of JSON as a log would write them in a column, with all digits that its text has."""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from json.encoder import encode_basestring_ascii
from typing import Any

from propgraph.readers.layouts.batches import Fault, fault

# A number as orjson does not keep it, with an exponent: `1.70964E+09`; of small ones no digit is lost in writing.
_EXPONENT = re.compile(rb"[0-9][eE]\+?[0-9]")
_SMALL = 1e6
_encoded = json.JSONEncoder(default=str).encode  # made once: `json.dumps` makes one for each value


class _Written(float):
    """A number with an exponent as the record has it: how many digits it has is not in the float."""

    text: str

    def __new__(cls, text: str) -> _Written:
        number = super().__new__(cls, text)
        number.text = text
        return number


def _number(text: str) -> float:
    return _Written(text) if "e" in text.lower() else float(text)


def may_be_another(value: Any, record: bytes, /) -> bool:
    """Return whether a float stands for a number with an exponent, or for an integer too large for orjson."""
    if value.__class__ is not float or not (abs(value) >= _SMALL and value.is_integer()):
        return False
    return abs(value) >= 2**63 or _EXPONENT.search(record) is not None


def as_written(record: bytes, value: dict[str, Any], /) -> dict[str, Any]:
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


def as_text(value: Any, /) -> str | None:
    """Return a JSON value as a log would write it in a column; a list or object is written as JSON."""
    if isinstance(value, _Written):
        return value.text
    if isinstance(value, float | Decimal):
        if math.isnan(value):  # how pandas writes nothing
            return None
        return str(int(value) if float(value).is_integer() and abs(float(value)) < 2**53 else value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, list) and all(item.__class__ is str for item in value):
        return f"[{', '.join(map(encode_basestring_ascii, value))}]"  # most lists; as the encoder does it
    return _encoded(value)


def no_object(line: int, value: Any, /) -> Fault:
    """Return the fault of a record that is JSON, but no object."""
    return fault(line, f"a JSON {type(value).__name__} where an object was expected", shown(value))


def shown(value: Any, /) -> str:
    """Return a value as JSON to be shown, whatever it is."""
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        return repr(type(value))
