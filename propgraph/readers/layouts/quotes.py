"""Quotes of a CSV that were left open: they swallow the rows up to the next quote, and no parser says so.

In `1,"open` / `2,x` / `3,"closed"` the second quote ends the field that the first began, and a forgiving
parser makes of three rows one with the right number of fields. What tells is that a quote which ends a
field of several lines is followed by something other than a separator.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import UInt8

_FIELD_START, _PLAIN, _QUOTED, _QUOTE_IN_QUOTED, _LEFT_OPEN = range(5)
_QUOTE, _LF, _CR = b'"'[0], b"\n"[0], b"\r"[0]


class QuoteLeftOpenError(Exception):
    """A quoted field of several lines ends as no quoted field should, or goes on beyond all bounds."""


class Quotes:
    """Follows the quotes of a CSV, piece by piece.

    Parameters
    ----------
    separator
        One ASCII character.
    longest
        Bytes of a quoted field above which its quote counts as left open.
    """

    def __init__(self, separator: str, *, longest: int) -> None:
        self._separator, self._longest = ord(separator), longest
        self._state, self._several_lines = _FIELD_START, False
        self._open_bytes = 0

    def check(self, data: bytes, /) -> None:
        """Take the next bytes; none at the end of the file.

        Raises
        ------
        QuoteLeftOpenError
            When a quote turns out to be left open.
        """
        if not data:
            if self._state == _QUOTED:
                raise QuoteLeftOpenError
        elif self._state in (_FIELD_START, _PLAIN) and b'"' not in data:
            at_start = data[-1] in (self._separator, _LF, _CR)
            self._state = _FIELD_START if at_start else _PLAIN
        else:
            self._state, self._several_lines, opened = _follow(
                np.frombuffer(data, np.uint8), self._separator, self._state, self._several_lines
            )
            self._open_bytes = len(data) - opened if opened >= 0 else self._open_bytes + len(data)
            if self._state == _LEFT_OPEN or (self._state == _QUOTED and self._open_bytes > self._longest):
                raise QuoteLeftOpenError


@kernel
def _follow(data: UInt8, separator: int, state: int, several_lines: bool) -> tuple[Any, Any, Any]:
    opened = -1
    for k in range(data.size):
        byte = data[k]
        ends_line = byte in (_LF, _CR)
        if state == _QUOTED:
            if byte == _QUOTE:
                state = _QUOTE_IN_QUOTED
            elif ends_line:
                several_lines = True
        elif state == _QUOTE_IN_QUOTED and byte == _QUOTE:
            state = _QUOTED
        elif ends_line or byte == separator:
            state = _FIELD_START
        elif state == _QUOTE_IN_QUOTED and several_lines:
            return _LEFT_OPEN, several_lines, opened
        elif state == _FIELD_START and byte == _QUOTE:
            state, several_lines, opened = _QUOTED, False, k
        else:
            state = _PLAIN
    return state, several_lines, opened
