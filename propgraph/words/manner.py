"""How a language writes numbers, parts of a whole, lengths of time, and times."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

_UNITS = {"day": 86_400, "hour": 3600, "minute": 60}
_LEAST, _MOST = 0.005, 0.995


@dataclass(frozen=True)
class Manner:
    """One language's manner, as the table `manner` of its file has it.

    Attributes
    ----------
    thousands, decimal, percent
        What stands between thousands and before decimals, and after a number in per cent.
    one_below_two
        Whether nought and what is less than two take the first form of a noun, as in French; else 1 alone does.
    little, much
        What is said of parts of a whole that are hardly any, and nearly all.
    units
        Forms of `day`, `hour`, `minute`.
    months, first
        The months, short; the first of a month.
    dates
        Patterns of times with `{d} {m} {y} {month} {t}`, and of spans of them with `{one} {other}`.
    spaces
        Pairs of what stands in the file and what is shown: spaces at which no line breaks.
    """

    thousands: str
    decimal: str
    percent: str
    one_below_two: bool
    little: str
    much: str
    units: Mapping[str, str]
    months: Sequence[str]
    first: str
    dates: Mapping[str, str]
    spaces: Sequence[Sequence[str]]

    def spaced(self, text: str, /) -> str:
        """Return a text of the file with the spaces that this language's signs have."""
        for found, shown in self.spaces:
            text = text.replace(found, shown)
        return text

    def plural(self, n: float, /) -> int:
        """Return which form of a noun goes with a number, 0: the first."""
        return int(abs(n) >= 2) if self.one_below_two else int(n != 1)

    def written(self, value: Any, how: str, /) -> str | None:
        """Return a number or time as it is written; None where `how` is none of this file's formats."""
        if (number := _NUMBERS.get(how)) is not None:
            return self._number(number(value))
        if (of_whole := _PARTS.get(how)) is not None:
            return of_whole(self, float(value))
        if how == "duration":
            return self.duration(float(value))
        if how == "apart":
            return self._seconds(value) if value <= _UNITS["minute"] else self.duration(float(value))
        return self._time(value, how) if how in _TIMES else None

    def duration(self, seconds: float, /) -> str:
        """Return a time in the largest unit of which it is a whole number."""
        for name, size in _UNITS.items():
            if seconds and seconds % size == 0:
                n = round(seconds / size)
                return f"{self._number(f'{n:,}')} {self.units[name].split('|')[self.plural(n)]}"
        return self._seconds(seconds)

    def _seconds(self, seconds: float) -> str:
        return self._number(f"{seconds:,.0f}" if seconds == round(seconds) else f"{seconds:,}") + " s"

    def part(self, value: float, /, digits: int = 0) -> str:
        """Return a part of a whole, 0..1, in per cent."""
        return self._number(f"{value:.{digits}%}"[:-1]) + self.percent

    def _number(self, text: str) -> str:
        """Return a number that Python wrote as this language writes it."""
        if (self.thousands, self.decimal) == (",", "."):
            return text
        return text.translate({ord(","): self.thousands, ord("."): self.decimal})

    def _time(self, value: Any, how: str) -> str:
        if how in ("days", "when"):
            first, last = map(_moment, value)
            return self._span(first, last, how)
        return self._moment(_moment(value), how)

    def _moment(self, moment: date, how: str) -> str:
        time = moment if isinstance(moment, datetime) else datetime(moment.year, moment.month, moment.day)
        day = self.first if moment.day == 1 and self.first else str(moment.day)
        return self.dates[how].format(
            d=day,
            month=self.months[moment.month - 1],
            y=moment.year,
            t=time,
            h=time.hour,
            minute=f"{time:%M}",
        )

    def _span(self, first: date, last: date, how: str) -> str:
        """Return from which day to which, with the month and the year once where they are the same."""
        one, other = (moment.date() if isinstance(moment, datetime) else moment for moment in (first, last))
        if one == other:
            return self._moment(one, f"{how}-one")
        same = "month" if (one.year, one.month) == (other.year, other.month) else "year"
        start = f"{how}-{same}" if one.year == other.year else f"{how}-day"
        end = f"{how}-end" if one.year == other.year else f"{how}-day"
        return self.dates[f"{how}-span"].format(one=self._moment(one, start), other=self._moment(other, end))


def _moment(value: Any) -> date:
    """Return a time; of JSON it comes as text."""
    if not isinstance(value, str):
        return value  # type: ignore[no-any-return]
    return date.fromisoformat(value) if len(value) <= len("2016-11-08") else datetime.fromisoformat(value)


def _few(manner: Manner, part: float) -> str:
    return manner.little if 0 < part < 0.01 else manner.part(part)


def _some(manner: Manner, part: float) -> str:
    if 0 < part < _LEAST:
        return manner.little
    return manner.much if _MOST <= part < 1 else manner.part(part)


_NUMBERS: Mapping[str, Callable[[Any], str]] = {
    "n": lambda value: f"{value:,}" if isinstance(value, int) else f"{value:,.0f}",
    "n1": lambda value: f"{value:,.1f}",
    "n2": lambda value: f"{value:,.2f}",
    "change": lambda value: f"{value:+.2f}",
    "g": lambda value: f"{value:,g}",
}
_PARTS: Mapping[str, Callable[[Manner, float], str]] = {
    "%": lambda manner, value: manner.part(value),
    "%1": lambda manner, value: manner.part(value, 1),
    "%few": _few,
    "%some": _some,
}
_TIMES = (
    "date",
    "minute",
    "second",
    "clock",
    "year-clock",
    "day",
    "year-day",
    "hour",
    "to-the-second",
    "month",
    "days",
    "when",
)


def manner_of(found: Mapping[str, Any], /) -> Manner:
    """Return a language's manner by the table `manner` of its file."""
    return Manner(**found)
