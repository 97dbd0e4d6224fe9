"""Times as logs write them: unix seconds, ms, µs or ns, ISO 8601, and American dates; one unit a file."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from propgraph.errors import InputError
from propgraph.schema import TIME

# The largest plausible number in each unit: 1e11 s is the year 5138, 1e11 ms is March 1973.
_UNITS = (("s", 1e11, 1000.0), ("ms", 1e14, 1.0), ("us", 1e17, 1e-3), ("ns", float("inf"), 1e-6))
_FORMATS = (
    ("M/D/YYYY H:MM", "%m/%d/%Y %H:%M"),
    ("M/D/YYYY H:MM:SS", "%m/%d/%Y %H:%M:%S"),
    ("Www Mmm DD HH:MM:SS +ZZZZ YYYY", "%a %b %d %H:%M:%S %z %Y"),
)
_SAMPLE = 1000


@dataclass(frozen=True)
class TimeUnit:
    """How one file writes its times; `name` is what the user is told."""

    name: str
    format: str | None = None
    to_ms: float | None = None

    def parse(self, times: pl.Series, /) -> pl.Series:
        """Return `times` as `Datetime("ms", "UTC")`, null where this unit does not fit."""
        if isinstance(times.dtype, pl.Datetime | pl.Date):
            zoned = times.cast(pl.Datetime("us", "UTC")) if times.dtype == pl.Date else _to_utc(times)
            return zoned.cast(TIME)
        if self.to_ms is not None:
            if times.dtype.is_integer() and self.to_ms >= 1:
                return (times.cast(pl.Int64) * int(self.to_ms)).cast(TIME)
            number = times.cast(pl.Float64, strict=False)
            return (number * self.to_ms).round(0).cast(pl.Int64, strict=False).cast(TIME)
        frame = times.alias("t").to_frame()
        if self.format is not None:
            parsed = pl.col("t").str.strip_chars().str.to_datetime(self.format, time_unit="ms", strict=False)
            return _to_utc(frame.select(parsed).to_series()).cast(TIME)
        return frame.select(_iso(pl.col("t"))).to_series()


def find_time_unit(times: pl.Series, *, column: str, source: str) -> TimeUnit:
    """Return the unit in which most of `times` are written, judged on about a thousand values.

    Raises
    ------
    InputError
        When the column holds no times in any form that propgraph reads.
    """
    dtype = times.dtype
    if isinstance(dtype, pl.Datetime):
        return TimeUnit(
            f"timestamps ({dtype.time_unit}{', no zone: read as UTC' if not dtype.time_zone else ''})"
        )
    if dtype == pl.Date:
        return TimeUnit("dates")
    if not (dtype.is_numeric() or dtype == pl.String):
        raise InputError(
            f"{source}: column {column!r} should hold times, found {dtype}; map another with --map timestamp=COLUMN"
        )
    sample = _sample(times.drop_nulls())
    if sample.is_empty():
        return TimeUnit("unix s", to_ms=1000.0)
    numbers = sample.cast(pl.Float64, strict=False)
    if numbers.null_count() * 2 < len(sample):
        middle = abs(float(numbers.median() or 0.0))  # type: ignore[arg-type]
        name, _, to_ms = next(unit for unit in _UNITS if middle < unit[1])
        return TimeUnit(f"unix {name}", to_ms=to_ms)
    choices = [
        TimeUnit("ISO 8601 (no zone: read as UTC)"),
        *(TimeUnit(name, format=form) for name, form in _FORMATS),
    ]
    best = max(choices, key=lambda unit: len(sample) - unit.parse(sample).null_count())
    if best.parse(sample).null_count() == len(sample):
        raise InputError(
            f"{source}: column {column!r} should hold times, found {sample[0]!r}; propgraph reads unix s, ms, us, "
            "ISO 8601 and M/D/YYYY H:MM; map another column with --map timestamp=COLUMN"
        )
    return best


def _sample(times: pl.Series) -> pl.Series:
    """Return some of `times`, the same ones whatever the order of the rows."""
    return times if len(times) <= _SAMPLE else times.filter(times.hash() % (len(times) // _SAMPLE) == 0)


def _to_utc(times: pl.Series) -> pl.Series:
    zone = times.dtype.time_zone if isinstance(times.dtype, pl.Datetime) else None
    return times.dt.convert_time_zone("UTC") if zone else times.dt.replace_time_zone("UTC")


def _iso(text: pl.Expr) -> pl.Expr:
    """Return ISO 8601 in its usual shapes: `T` or a blank, seconds or not, a zone or none."""
    plain = (
        text.str.strip_chars().str.replace("T", " ", literal=True).str.replace(r"(?i)\s*(Z|UTC)$", "+00:00")
    )
    plain = plain.str.replace(r"^(\d{4}-\d\d-\d\d)$", "${1} 00:00:00")
    plain = plain.str.replace(r"^(\d{4}-\d\d-\d\d \d\d:\d\d)($|[+-]\d\d:?\d\d$)", "${1}:00${2}")
    zoned = plain.str.to_datetime("%Y-%m-%d %H:%M:%S%.f%#z", time_unit="ms", strict=False, exact=True)
    naive = plain.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="ms", strict=False, exact=True)
    return pl.coalesce(zoned.dt.convert_time_zone("UTC"), naive.dt.replace_time_zone("UTC"))
