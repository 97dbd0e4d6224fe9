"""Parts that figures are drawn of: numbers, text, bars, scales and axes, as SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from html import escape

from propgraph.export.text import clean_terminal, clean_xml
from propgraph.report.figures.figure import MUTED
from propgraph.words.said import formatted

WIDTH = 600.0
"""Of every figure, in its own unit: a text of size 12 is as large as the page's where it is shown 600 px wide."""

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_STEPS_S = tuple(
    size * unit
    for unit, sizes in ((_MINUTE, (1, 2, 5, 10, 15, 30)), (_HOUR, (1, 2, 3, 6, 12)), (_DAY, (1, 2, 4, 7, 14)))
    for size in sizes
)
_STEPS_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 240)


@dataclass(frozen=True)
class Scale:
    """Where a value from `low` to `high` stands between `start` and `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float, /) -> float:
        """Return the place of a value."""
        return self.start + (value - self.low) / ((self.high - self.low) or 1.0) * (self.end - self.start)


def number(value: float, /) -> str:
    """Return a coordinate, to a tenth."""
    shown = f"{value:.1f}".removesuffix(".0")
    return "0" if shown == "-0" else shown


def text(
    x: float, y: float, words: str, /, *, anchor: str = "start", size: int = 12, colour: str = MUTED,
    bold: bool = False,
) -> str:  # fmt: skip
    """Return one line of text, escaped; what would be invisible or turn the line round is left out."""
    where = "" if anchor == "start" else f' text-anchor="{anchor}"'
    thick = ' font-weight="600"' if bold else ""
    shown = escape(clean_xml(clean_terminal(words)), quote=False)
    return f'<text x="{number(x)}" y="{number(y)}" font-size="{size}" fill="{colour}"{where}{thick}>{shown}</text>'


def line(x1: float, y1: float, x2: float, y2: float, /, *, colour: str = MUTED, dashes: str = "") -> str:
    """Return a thin line."""
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<path d="M{number(x1)} {number(y1)}L{number(x2)} {number(y2)}" stroke="{colour}"{dashed}/>'


def boxes(places: Iterable[tuple[float, float, float, float]], /, *, fill: str, opacity: float = 1) -> str:
    """Return filled boxes, each `(x, y, width, height)`, as one path; nothing for none."""
    drawn = "".join(
        f"M{number(x)} {number(y)}h{number(w)}v{number(h)}h{number(-w)}z"
        for x, y, w, h in places
        if w > 0 and h > 0
    )
    clear = "" if opacity == 1 else f' fill-opacity="{opacity:g}"'
    return f'<path d="{drawn}" fill="{fill}"{clear}/>' if drawn else ""


def drawing(height: float, parts: Sequence[str], /, *, alt: str) -> str:
    """Return the parts as one SVG element."""
    label = escape(clean_xml(clean_terminal(alt), attribute=True))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{label}" '
        f'viewBox="0 0 {number(WIDTH)} {number(height)}" font-family="system-ui,sans-serif">{"".join(parts)}</svg>'
    )


def round_steps(high: float, /, *, most: int = 4) -> list[float]:
    """Return round values from 0 to `high`, at most so many beside 0."""
    if high <= 0:
        return [0.0]
    rough = high / most
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * size for size in (1, 2, 5, 10) if unit * size >= rough * (1 - 1e-9))
    return [k * step for k in range(math.floor(high / step + 1e-9) + 1)]


def count_axis(
    scale: Scale, /, *, left: float, right: float, most: int = 4, in_percent: bool = False
) -> list[str]:
    """Return lines at round counts, or parts of a whole, from `left` to `right`, with what they count left of them."""
    values = round_steps(scale.high, most=most)
    if not in_percent:
        values = [value for value in values if value == int(value)]
    fine = len(values) > 1 and values[1] < 0.01
    label = partial(_part, digits=int(fine)) if in_percent else _count
    return [
        f'<g opacity=".3">{"".join(line(left, scale(v), right, scale(v)) for v in values)}</g>',
        *(text(left - 6, scale(v) + 4, label(v), anchor="end") for v in values),
    ]


def _part(value: float, *, digits: int) -> str:
    return formatted(value, "%1" if digits else "%")


def _count(value: float) -> str:
    return f"{formatted(value / 1e6, 'g')}M" if value >= 1e6 else formatted(float(value), "n")


def time_axis(scale: Scale, y: float, /) -> list[str]:
    """Return marks and dates below `y`; the scale's values are seconds since 1970."""
    times, label = _times(scale.low, scale.high)
    parts = [line(scale.start, y, scale.end, y)]
    for moment in times:
        x = scale(moment.timestamp())
        parts += [line(x, y, x, y + 4), text(x, y + 17, label(moment), anchor="middle")]
    return parts


def moment_of(seconds: float, /) -> datetime:
    """Return seconds since 1970 as a time, UTC."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


def day(moment: datetime, /, *, year: bool = True) -> str:
    """Return a date as people write it: `24 Oct 2016`."""
    return formatted(moment, "day" if year else "year-day")


def days(first: datetime, last: datetime, /) -> str:
    """Return from which day to which something went on: `24 Oct to 6 Nov 2016`, `7 to 8 May 2016`."""
    return formatted((first, last), "days")


def clock(moment: datetime, /, *, year: bool = False) -> str:
    """Return a day and the time of day: `24 Oct 19:40`."""
    return formatted(moment, "year-clock" if year else "clock")


def percent(part: float, /) -> str:
    """Return a part of a whole, 0..1, in percent; what is little is not called nothing, nor what is most all."""
    return formatted(part, "%some")


def _times(low: float, high: float, most: int = 7) -> tuple[list[datetime], Callable[[datetime], str]]:
    """Return at most so many times at round steps, and how they are written."""
    for step in _STEPS_S:
        if (high - low) / step <= most:
            first = math.ceil(low / step)
            times = [moment_of(k * step) for k in range(first, math.floor(high / step) + 1)]
            return times, partial(day, year=False) if step >= _DAY else _hour_or_day
    for months in _STEPS_MONTHS:
        times = _months(moment_of(low), moment_of(high), months)
        if len(times) <= most:
            break
    return times, _month if months < 12 else _year


def _months(first: datetime, last: datetime, step: int) -> list[datetime]:
    start = first.year * 12 + first.month - 1
    found = (k for k in range(start - start % step, last.year * 12 + last.month, step))
    times = [datetime(k // 12, k % 12 + 1, 1, tzinfo=UTC) for k in found]
    return [time for time in times if first <= time <= last]


def _hour_or_day(moment: datetime) -> str:
    return day(moment, year=False) if (moment.hour, moment.minute) == (0, 0) else formatted(moment, "hour")


def _month(moment: datetime) -> str:
    return formatted(moment, "month")


def _year(moment: datetime) -> str:
    return str(moment.year)
