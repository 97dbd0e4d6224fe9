"""Times as logs write them: unix s, ms, µs or ns, ISO 8601, dates with slashes or points; one unit a file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from propgraph.errors import InputError
from propgraph.schema import TIME

# Unit, the largest number it is taken for where nothing better is known (1e11 s is the year 5138, 1e11 ms
# is March 1973), and milliseconds.
_UNITS = (("s", 1e11, 1000.0), ("ms", 1e14, 1.0), ("us", 1e17, 1e-3), ("ns", float("inf"), 1e-6))
# From 1990 to 2100 in milliseconds: no number lies there in two units.
_LIKELY_MS = (631_152_000_000, 4_102_444_800_000)
# Where two of these fit as many values, the first is taken: without a day above 12, 1/2/2020 is January 2.
_MONTH_FIRST = (("M/D/YYYY H:MM", "%m/%d/%Y %H:%M"), ("M/D/YYYY H:MM:SS", "%m/%d/%Y %H:%M:%S"))
_DAY_FIRST = (("D/M/YYYY H:MM", "%d/%m/%Y %H:%M"), ("D/M/YYYY H:MM:SS", "%d/%m/%Y %H:%M:%S"))
_OTHER_WAY = {
    one[0]: other for pair in zip(_MONTH_FIRST, _DAY_FIRST, strict=True) for one, other in (pair, pair[::-1])
}
_FORMATS = (
    *_MONTH_FIRST,
    *_DAY_FIRST,
    # Where dates are written with points, the day always stands first.
    ("D.M.YYYY H:MM", "%d.%m.%Y %H:%M"),
    ("D.M.YYYY H:MM:SS", "%d.%m.%Y %H:%M:%S"),
    ("Www Mmm DD HH:MM:SS +ZZZZ YYYY", "%a %b %d %H:%M:%S %z %Y"),
)
_ZONED = r"(?i):\d\d(\.\d*)?\s*(Z|UTC|[+-]\d\d:?(\d\d)?)\s*$"
_SAMPLE = 1000
# Beyond the year 100,000 Polars cannot show a time; nothing there is a post's.
_FARTHEST_MS = 3_000_000_000_000_000


@dataclass(frozen=True)
class TimeUnit:
    """How one file writes its times; `name` is what the user is told."""

    name: str
    format: str | None = None
    to_ms: float | None = None

    @property
    def swapped(self) -> TimeUnit | None:
        """The same unit with day and month the other way round, None where there is but one way."""
        other = _OTHER_WAY.get(self.name)
        return None if other is None else TimeUnit(other[0], format=other[1])

    @property
    def month_first(self) -> bool:
        """Whether `name` begins with the month's number."""
        return self.name.startswith("M/D")

    def parse(self, times: pl.Series, /) -> pl.Series:
        """Return `times` as `Datetime("ms", "UTC")`, null where this unit does not fit."""
        if isinstance(times.dtype, pl.Datetime | pl.Date):
            return _bounded(_to_utc(times.cast(pl.Datetime("ms")) if times.dtype == pl.Date else times))
        if self.to_ms is not None:
            return _bounded(self._from_numbers(times))
        frame = times.cast(pl.String, strict=False).alias("t").to_frame()
        if self.format is not None:
            parsed = pl.col("t").str.strip_chars().str.to_datetime(self.format, time_unit="ms", strict=False)
            return _bounded(_to_utc(frame.select(parsed).to_series()))
        return _bounded(frame.select(_iso(pl.col("t"))).to_series())

    def _from_numbers(self, times: pl.Series) -> pl.Series:
        to_ms = self.to_ms or 1.0
        if times.dtype.is_integer() and to_ms >= 1:
            ms = times.cast(pl.Int64, strict=False)
            # Out of range before the product can wrap round to some time that looks right.
            far = int(_FARTHEST_MS // to_ms)
            return _clipped(ms, far) * int(to_ms)
        number = times.cast(pl.Float64, strict=False)
        # Cut, not rounded, as ISO times are; divided, because a product may fall just short of a whole number.
        number = number * to_ms if to_ms >= 1 else (number / round(1 / to_ms)).floor()
        return number.clip(-_FARTHEST_MS, _FARTHEST_MS).round(0).cast(pl.Int64, strict=False)


NONE_SEEN = TimeUnit("none seen", to_ms=1000.0)


@dataclass
class TwoReadings:
    """How a column of times reads with the month first and with the day first, over all rows seen.

    Attributes
    ----------
    month_first, day_first
        Rows that give a time that a post can have.
    differing
        Rows that give one in both readings, and not the same.
    """

    month_first: int = 0
    day_first: int = 0
    differing: int = 0

    def add(
        self, month_first: pl.Series, day_first: pl.Series, /, *, between: tuple[datetime, datetime]
    ) -> None:
        """Count more rows, read in both ways; what does not lie `between` two times is no post's."""
        fits = [times.is_between(*between).fill_null(False) for times in (month_first, day_first)]
        self.month_first += int(fits[0].sum())
        self.day_first += int(fits[1].sum())
        self.differing += int((fits[0] & fits[1] & (month_first != day_first)).sum() or 0)

    @property
    def by_rows(self) -> bool | None:
        """Whether the month stands first, by the rows that fit; None where they cannot tell."""
        return None if self.month_first == self.day_first else self.month_first > self.day_first


def find_time_unit(times: pl.Series, *, column: str, source: str) -> TimeUnit:
    """Return the unit in which most of `times` are written, judged on about a thousand values.

    Which of two numbers is the day a sample does not tell: see `TwoReadings`.

    `NONE_SEEN` where every value is null.

    Raises
    ------
    InputError
        When the column holds no times in any form that propgraph reads.
    """
    dtype = times.dtype
    if isinstance(dtype, pl.Datetime):
        zone = "" if dtype.time_zone else ", no zone: read as UTC"
        return TimeUnit(f"timestamps ({dtype.time_unit}{zone})")
    if dtype == pl.Date:
        return TimeUnit("dates")
    if times.null_count() == len(times):
        return NONE_SEEN
    if not (dtype.is_numeric() or dtype == pl.String):
        raise InputError(
            f"{source}: column {column!r} should hold times, found {dtype}; "
            "map another with --map timestamp=COLUMN"
        )
    sample = _sample(times.drop_nulls())
    numbers = sample.cast(pl.Float64, strict=False)
    by_number = _number_unit(numbers)
    if dtype.is_numeric():
        return by_number
    zone = "" if sample.str.contains(_ZONED).all() else " (no zone: read as UTC)"
    texts = [TimeUnit(f"ISO 8601{zone}"), *(TimeUnit(name, format=form) for name, form in _FORMATS)]
    fitting = {unit: len(sample) - unit.parse(sample).null_count() for unit in texts}
    fitting = {by_number: int(numbers.is_finite().sum() or 0)} | fitting
    best = max(fitting, key=lambda unit: fitting[unit])
    if not fitting[best]:
        raise InputError(
            f"{source}: column {column!r} should hold times, found {str(sample[0])[:60]!r}; propgraph reads "
            "unix s, ms, us, ISO 8601, M/D/YYYY H:MM, D/M/YYYY H:MM and D.M.YYYY H:MM; "
            "map another column with --map timestamp=COLUMN"
        )
    return best


def _number_unit(numbers: pl.Series) -> TimeUnit:
    """Return the unit in which most numbers lie between 1990 and 2100; where none does, by their size."""
    likely = [int((numbers * to_ms).is_between(*_LIKELY_MS).sum() or 0) for _, _, to_ms in _UNITS]
    if any(likely):
        name, _, to_ms = _UNITS[likely.index(max(likely))]
    else:
        finite = numbers.filter(numbers.is_finite().fill_null(False)).abs()
        middle = 0.0 if finite.is_empty() else float(finite.median())  # type: ignore[arg-type]
        name, _, to_ms = next(unit for unit in _UNITS if middle < unit[1])
    return TimeUnit(f"unix {name}", to_ms=to_ms)


def _sample(times: pl.Series) -> pl.Series:
    """Return some of `times`, the same ones whatever the order of the rows."""
    if len(times) <= _SAMPLE:
        return times
    some = times.filter(times.hash() % (len(times) // _SAMPLE) == 0)
    if len(some) > 10 * _SAMPLE:
        some = some.unique()
    # A log of a few distinct times (days, say) may have none or one of them drawn.
    return some if some.n_unique() > 100 else times.unique().sort().head(10 * _SAMPLE)


def _to_utc(times: pl.Series) -> pl.Series:
    zone = times.dtype.time_zone if isinstance(times.dtype, pl.Datetime) else None
    return times.dt.convert_time_zone("UTC") if zone else times.dt.replace_time_zone("UTC")


def _bounded(times: pl.Series) -> pl.Series:
    """Return times or milliseconds as `TIME`, none so far off that it could not be shown."""
    ms = times.cast(TIME).to_physical() if times.dtype != pl.Int64 else times
    return _clipped(ms, _FARTHEST_MS).cast(TIME)


def _clipped(numbers: pl.Series, limit: int) -> pl.Series:
    return numbers if numbers.is_between(-limit, limit).all() else numbers.clip(-limit, limit)


def _iso(text: pl.Expr) -> pl.Expr:
    """Return ISO 8601 in its usual shapes: `T` or a blank, seconds or not, a zone or none."""
    plain = text.str.strip_chars().str.replace(r"(?i)\s*(Z|UTC)$", "+00:00")
    plain = plain.str.replace("T", " ", literal=True)
    plain = plain.str.replace(r"^(\d{4}-\d\d-\d\d)$", "${1} 00:00:00")
    plain = plain.str.replace(r"^(\d{4}-\d\d-\d\d \d\d:\d\d)($|[+-]\d\d:?\d\d$)", "${1}:00${2}")
    zoned = plain.str.to_datetime("%Y-%m-%d %H:%M:%S%.f%#z", time_unit="ms", strict=False, exact=True)
    naive = plain.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="ms", strict=False, exact=True)
    return pl.coalesce(zoned.dt.convert_time_zone("UTC"), naive.dt.replace_time_zone("UTC"))
