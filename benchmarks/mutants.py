"""Lines of logs, broken: as a disk breaks them, as spreadsheets and scripts do, and as somebody does who means harm."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

_DEEP = "@deep@"
_DEEP_JSON = b"[" * 2000 + b"]" * 2000
_HUGE = "@huge@"
_HUGE_NUMBER = b"9" * 5000
_TOKENS = (
    b'"', b"'", b"\0", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xff\xfe", b"\r", b"\n", b"\r\n", b",", b";", b"\t",
    b"|", b"{", b"}", b"[", b"]", b":", b"\\", b"\\ud800", "\u2028".encode(), "\u202e".encode(), b"null", b"1e999",
    b"-", b"\xe9\xe8 \xfc", b'","', b"x" * 50_000, _HUGE_NUMBER, b"[" * 1200, b'{"a":' * 1200,
)  # fmt: skip
MISSING = (
    "", " ", "NA", "N/A", "nan", "NaN", "None", "NULL", "null", "<NA>", "\\N", "-", "#N/A", "[deleted]", "[removed]",
)  # fmt: skip
ROUNDED = (
    "1.23457E+18", "1,23457E+18", "1.2e9", "1.70964E+09", "1234567890123450000", "1234567890123456789.0",
    "1.2345678901234568e18",
)  # fmt: skip
LISTS = (
    "a|b", "a;b", "A,B", "a b", 'c("a", "b")', "{a,b}", "['a', 'b']", '["a", 7, null]', '[{"url": "http://a.example"}]',
    '[{"x": 1}]', "[", "]", "[[[", "[]", "{}", "http://a.example;http://b.example", "http://a.example,http://b.example",
)  # fmt: skip
TIMES = (
    "03/22/2024 03:42:02 AM", "22.03.2024, 03:42:02", "2024/03/22", "22 Mar 2024 03:42", "22 mars 2024",
    "20240322034202", "Fri, 22 Mar 2024 03:42:02 +0100", "2024-03-22 03:42:02 GMT", "22/3/24", "2024-13-45T99:99:99Z",
    "0000-00-00", "-99999999999", "24:00", "1e30",
)  # fmt: skip
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 10**30, 2**63, 1e308, float("nan"), float("inf"), -1.5, "0", "x", "\0", "\ud800",
    "x" * 50_000, "1e999", "9" * 40, "@", "#", "http://", "https://[::1", "=1+1", [], {}, [None], [[]], [{}],
    {"": None}, [1, "a", None, {}], {"a": {"b": []}}, _DEEP, _HUGE, *MISSING, *ROUNDED, *LISTS, *TIMES,
)  # fmt: skip


def break_bytes(line: bytes, rng: random.Random) -> bytes:
    """Break a line as a disk or a network would."""
    at, to = sorted((rng.randrange(len(line) + 1), rng.randrange(len(line) + 1)))
    to = min(to, at + 200)
    ways: tuple[Callable[[], bytes], ...] = (
        lambda: line[:at] + bytes([rng.randrange(256)]) + line[at + 1 :],
        lambda: line[:at] + line[to:],
        lambda: line[:to] + line[at:],
        lambda: line[:at],
        lambda: line[:at] + rng.choice(_TOKENS) + line[at:],
        lambda: line[:at] + rng.choice(_TOKENS) + line[to:],
        lambda: line + line,
        lambda: b"",
    )
    return rng.choice(ways)()


def break_row(line: bytes, rng: random.Random) -> bytes:
    """Break a line as a spreadsheet or a script would: fields moved, left out, doubled or of another kind."""
    try:
        (fields,) = csv.reader([line.decode()])
    except (ValueError, csv.Error):
        return line
    if not fields:
        return line
    place, other = rng.randrange(len(fields)), rng.randrange(len(fields))
    way = rng.randrange(5)
    if way == 0:
        fields[place], fields[other] = fields[other], fields[place]
    elif way == 1:
        del fields[place]
    elif way == 2:
        fields.insert(place, fields[other])
    else:
        value = rng.choice(_VALUES)
        fields[place] = value if isinstance(value, str) else json.dumps(value)
    out = io.StringIO()
    csv.writer(out, lineterminator="", quoting=rng.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL))).writerow(
        fields
    )
    written = out.getvalue().encode("utf-8", "surrogatepass")
    return written.replace(_DEEP.encode(), _DEEP_JSON).replace(_HUGE.encode(), _HUGE_NUMBER)


def break_json(line: bytes, rng: random.Random) -> bytes:
    """Break a JSON value: keys and items left out, swapped, doubled, or of another kind."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return line
    places = list(_places(value))
    if not places:
        return line
    (box, place), (other_box, other) = rng.choice(places), rng.choice(places)
    way = rng.randrange(6)
    if way == 0:
        del box[place]
    elif way == 1:
        # Copies, or one might come to stand in itself.
        one, two = (json.dumps(which) for which in (box[place], other_box[other]))
        box[place], other_box[other] = json.loads(two), json.loads(one)
    elif way == 2 and isinstance(box, dict):
        box[rng.choice(("", "x", "id", "\ud800", str(other)))] = box.pop(place)
    elif way == 3 and isinstance(value, dict):
        again = rng.choice(list(value))
        twice = f"{{{json.dumps(again)}: {json.dumps(rng.choice(_VALUES))}, "
        return _special(_written(value).replace(b"{", twice.encode(), 1))
    else:
        box[place] = rng.choice(_VALUES)
    return _written(value)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for place, inner in list(inside):
        yield value, place
        yield from _places(inner)


def _written(value: Any) -> bytes:
    return _special(json.dumps(value).encode())


def _special(written: bytes) -> bytes:
    return written.replace(f'"{_DEEP}"'.encode(), _DEEP_JSON).replace(f'"{_HUGE}"'.encode(), _HUGE_NUMBER)
