"""`--time-format`: a pattern of `strptime` as a shape of times, read like any other."""

from __future__ import annotations

import re

from propgraph.errors import UsageError
from propgraph.readers.times.written import Shape

_NAME = r"[^\W\d_]{2,}\.?"
_DIRECTIVES = {
    "%": "%", "Y": r"(?P<Y>[0-9]{4})", "y": r"(?P<y>[0-9]{2})", "m": r"(?P<m>[0-9]{1,2})", "d": r"(?P<d>[0-9]{1,2})",
    "H": r"(?P<h>[0-9]{1,2})", "I": r"(?P<h>[0-9]{1,2})", "M": r"(?P<mi>[0-9]{1,2})", "S": r"(?P<s>[0-9]{1,2})",
    "f": r"(?P<f>[0-9]{1,9})", "p": r"(?P<ap>[ap])\.?\s?m\.?", "b": rf"(?P<mon>{_NAME})", "a": rf"(?P<w>{_NAME})",
    "z": r"(?P<z>z|[+-][0-9]{1,2}(?::?[0-9]{2})?)", "Z": r"(?P<z>[a-z]{1,5}(?:[+-][0-9]{1,2}(?::?[0-9]{2})?)?)",
}  # fmt: skip
_SAME = {"B": "b", "h": "b", "A": "a", "e": "d", "k": "H", "l": "I"}
_SEVERAL = {"T": "%H:%M:%S", "R": "%H:%M", "D": "%m/%d/%y", "F": "%Y-%m-%d", "n": " ", "t": " "}
_ONE_OF = ({"Y", "y"}, {"m", "b"}, {"z", "Z"})
_PIECE = re.compile(r"%[-_0#]?(.)|(\s+)|(.)", re.DOTALL)
# Between two numbers that nothing stands between, the first has all its digits.
_NUMBER_BEFORE_NUMBER = re.compile(r"\{1,2\}\)(?=\(\?P<\w+>\[0-9\])")


def shape_of_pattern(pattern: str, /) -> Shape:
    """Return what a pattern such as `%d.%m.%Y %H:%M` stands for.

    Parameters
    ----------
    pattern
        Directives as Python's `strptime` has them; names of months and weekdays may be of any language that
        propgraph knows. A blank stands for any number of them.

    Raises
    ------
    UsageError
        When a directive is not known or comes twice, or the pattern has no year, month or day.
    """
    told = repr(pattern)
    plain = re.sub(r"%([TRDFnt])", lambda piece: _SEVERAL[piece[1]], pattern.strip())
    regex, seen = "", set()
    for piece in _PIECE.finditer(plain):
        directive, blanks, letter = piece.groups()
        if directive is None:
            regex += r"\s+" if blanks else re.escape(letter)
            continue
        name = _SAME.get(directive, directive)
        if name not in _DIRECTIVES:
            known = " %".join([*_DIRECTIVES, *_SAME, *_SEVERAL])
            raise UsageError(
                f"{told}: propgraph does not know %{directive}; it knows %{known}", option="time_format"
            )
        regex += _DIRECTIVES[name]
        seen.add(name)
    groups = re.findall(r"\?P<(\w+)>", regex)
    if len(groups) > len(set(groups)) or any(seen >= pair for pair in _ONE_OF):
        raise UsageError(f"{told}: says one part of the time twice", option="time_format")
    if not (seen & {"Y", "y"} and seen & {"m", "b"} and "d" in seen):
        raise UsageError(
            f"{told}: lacks the year (%Y), the month (%m or %b) or the day (%d)", option="time_format"
        )
    if ("I" in seen) != ("p" in seen):
        raise UsageError(f"{told}: %I and %p go together", option="time_format")
    if "h" not in groups and {"M", "S", "f"} & seen:
        raise UsageError(f"{told}: lacks the hour (%H, or %I and %p)", option="time_format")
    regex = _NUMBER_BEFORE_NUMBER.sub("{2})", regex)
    parts = ("Y" if "Y" in seen else "y", "mon" if "b" in seen else "m", "d")
    return Shape(f"(?i)^{regex}$", {"YMD": parts}, {"YMD": pattern})
