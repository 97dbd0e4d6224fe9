"""Times as logs write them: unix s, ms, µs or ns, ISO 8601, dates with names of months; one unit a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import combinations

import polars as pl

from propgraph.errors import InputError
from propgraph.readers.times.clocks import ClockCounts, check_time_zone, to_utc
from propgraph.readers.times.rounding import NOT_ROUNDED, Rounding, digits_kept, find_rounding, numbers_in
from propgraph.readers.times.strptime import shape_of_pattern
from propgraph.readers.times.written import ORDERS, SHAPES, Layout, Shape, find_layouts, read_written
from propgraph.schema import TIME

# Unit, the largest number it is taken for where nothing better is known (1e11 s is the year 5138, 1e11 ms
# is March 1973), and milliseconds.
_UNITS = (("s", 1e11, 1000.0), ("ms", 1e14, 1.0), ("us", 1e17, 1e-3), ("ns", float("inf"), 1e-6))
# From 1990 to 2100 in milliseconds: no number lies there in two units.
_LIKELY_MS = (631_152_000_000, 4_102_444_800_000)
_SAMPLE = 1000
# Layouts that save time: those of this part of a sample, and not more than so many.
_LEAST_LAYOUT = 0.01
_MOST_LAYOUTS = 12
# Beyond the year 100,000 Polars cannot show a time; nothing there is a post's.
_FARTHEST_MS = 3_000_000_000_000_000
_SHOWN = 3  # values that an error shows


@dataclass(frozen=True)
class TimeOptions:
    """What the user says of the times of a log.

    Attributes
    ----------
    format
        How they are written, as `strptime` has it; None finds it.
    zone
        The IANA name of the zone of those that have none; None takes UTC.

    Raises
    ------
    UsageError
        When the pattern has a directive that is not known or lacks a date, or no such zone is known.
    """

    format: str | None = None
    zone: str | None = None
    shape: Shape | None = field(init=False)

    def __post_init__(self) -> None:
        check_time_zone(self.zone)
        shape = None if self.format is None else shape_of_pattern(self.format)
        object.__setattr__(self, "shape", shape)


#: The user says nothing.
AS_FOUND = TimeOptions()
# What a time without this part and all smaller ones is rounded to, in seconds.
_PART_S = {"h": 86_400.0, "mi": 3600.0, "s": 60.0}


def _step_of(layout: Layout, /) -> float:
    """Return to how many seconds times of a layout are rounded; 0 where they show seconds."""
    return next((step for part, step in _PART_S.items() if part not in layout.spans), 0.0)


@dataclass(frozen=True)
class TimeUnit:
    """How one file writes its times.

    Attributes
    ----------
    names
        What the user is told: one, or one for each of `written.ORDERS`.
    to_ms
        Of numbers: what one of them is in milliseconds.
    shapes, layouts
        Of text: what is understood, and where the parts stand in most rows.
    order
        Of dates in numbers.
    zone
        Of times that have none of their own; None takes UTC.
    rounding
        How far numbers lost their last digits before or in writing.
    dates_alone
        They are dates by the type of a binary file's column.
    """

    names: tuple[str, ...]
    to_ms: float | None = None
    shapes: tuple[Shape, ...] = ()
    layouts: tuple[Layout, ...] = ()
    order: str = ORDERS[0]
    zone: str | None = None
    rounding: Rounding = NOT_ROUNDED
    dates_alone: bool = False

    @property
    def name(self) -> str:
        """What the user is told."""
        return self.name_in(self.order)

    @property
    def written_s(self) -> float | None:
        """To how many seconds the times were rounded in writing, if at all: dates alone to a day, hours and minutes."""
        if self.dates_alone:
            return _PART_S["h"]
        return min(map(_step_of, self.layouts), default=self.rounding.step_s) or None

    def name_in(self, order: str, /) -> str:
        """Return what the user is told if the numbers of dates stand in this order."""
        return self.names[ORDERS.index(order)] if len(self.names) > 1 else self.names[0]

    def parse(self, times: pl.Series, /) -> pl.Series:
        """Return `times` as `Datetime("ms", "UTC")`, null where this unit does not fit."""
        return self.own(self.read(times))

    def own(self, readings: Sequence[pl.Series], /) -> pl.Series:
        """Return that of several readings which has the numbers of dates in this unit's order."""
        return readings[ORDERS.index(self.order)] if len(readings) > 1 else readings[0]

    def read(self, times: pl.Series, /, *, counts: ClockCounts | None = None) -> tuple[pl.Series, ...]:
        """Return `times` as `Datetime("ms", "UTC")`, null where this unit does not fit.

        Parameters
        ----------
        times
            As a file has them.
        counts
            What had to be decided is added.

        Returns
        -------
        tuple of pl.Series
            One, or where it makes a difference one for each of `written.ORDERS`.
        """
        if isinstance(times.dtype, pl.Datetime | pl.Date):
            return (self._from_times(times, counts),)
        if self.to_ms is not None:
            return (_bounded(self._from_numbers(times, self.to_ms)),)
        written = read_written(_as_text(times), self.shapes, self.layouts)
        if counts is not None:
            counts.zones.update(written.zones)
        own = self.own(written.ms)
        return tuple(
            _in_utc(_bounded(ms), written.naive, self.zone, counts if ms is own else None)
            for ms in written.ms
        )

    def _from_times(self, times: pl.Series, counts: ClockCounts | None) -> pl.Series:
        if isinstance(times.dtype, pl.Datetime) and times.dtype.time_zone:
            return _bounded(times.dt.convert_time_zone("UTC"))
        local = _bounded(times.cast(pl.Datetime("ms")).dt.replace_time_zone("UTC"))
        return _in_utc(local, local.is_not_null(), self.zone, counts)

    def _from_numbers(self, times: pl.Series, to_ms: float) -> pl.Series:
        if times.dtype.is_integer() and to_ms >= 1:
            ms = times.cast(pl.Int64, strict=False)
            # Out of range before the product can wrap round to some time that looks right.
            far = int(_FARTHEST_MS // to_ms)
            return _clipped(ms, far) * int(to_ms)
        number = numbers_in(times)
        if times.dtype == pl.String:
            number = digits_kept(number, times, self.rounding, to_ms=to_ms)
        # Whole units are cut, as ISO times are; seconds with a fraction are floats, and go to the nearest millisecond.
        number = (number * to_ms).round(0) if to_ms > 1 else (number / round(1 / to_ms)).floor()
        ms = number.clip(-_FARTHEST_MS, _FARTHEST_MS).cast(pl.Int64, strict=False)
        if to_ms >= 1 or times.dtype.is_float():
            return ms
        whole = times.cast(pl.Int64, strict=False)  # a time in nanoseconds has more digits than a float
        return _clipped(whole // round(1 / to_ms), _FARTHEST_MS).zip_with(whole.is_not_null(), ms)


NONE_SEEN = TimeUnit(("none seen",))


@dataclass
class Readings:
    """How a column of times reads with the numbers of dates in each order, over all rows seen.

    Attributes
    ----------
    fits
        Rows that give a time that a post can have, by order.
    differing
        Rows that give one in both of two orders, and not the same, by both.
    """

    fits: Counter[str] = field(default_factory=Counter)
    differing: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, readings: Sequence[pl.Series], /, *, between: tuple[datetime, datetime]) -> None:
        """Count more rows, read in all of `ORDERS`; what does not lie `between` two times is no post's."""
        by_order = dict(zip(ORDERS, readings, strict=True))
        fits = {name: times.is_between(*between).fill_null(False) for name, times in by_order.items()}
        self.fits.update({name: int(fit.sum()) for name, fit in fits.items()})
        for one, other in combinations(ORDERS, 2):
            differ = fits[one] & fits[other] & (by_order[one] != by_order[other])
            self.differing[one, other] += int(differ.sum() or 0)

    @property
    def best(self) -> tuple[str, ...]:
        """The orders that most rows fit."""
        return tuple(order for order in ORDERS if self.fits[order] == max(self.fits.values()))

    @property
    def by_rows(self) -> str | None:
        """The order, by the rows that fit; None where they cannot tell."""
        return self.best[0] if len(self.best) == 1 else None

    def as_well(self, order: str, /) -> dict[str, int]:
        """Return the other orders that as many rows fit, and how many rows have another time in them."""
        pairs = {other: self.differing[_in_order(order, other)] for other in self.best if other != order}
        return {other: n for other, n in pairs.items() if n}


def _in_order(one: str, other: str) -> tuple[str, str]:
    return (one, other) if ORDERS.index(one) < ORDERS.index(other) else (other, one)


def find_time_unit(
    times: pl.Series, *, column: str, source: str, options: TimeOptions = AS_FOUND
) -> TimeUnit:
    """Return the unit in which most of `times` are written, judged on about a thousand values.

    Which of the numbers of a date is the day a sample does not tell: see `Readings`.

    Parameters
    ----------
    times
        As a file has them.
    column, source
        For errors; `--time-format` binds the column `timestamp` alone, others where it fits.
    options
        What the user says of them.

    Returns
    -------
    TimeUnit
        `NONE_SEEN` where every value is null.

    Raises
    ------
    InputError
        When the column holds no times in any form that propgraph reads, or numbers that were rounded too far.
    """
    dtype = times.dtype
    if isinstance(dtype, pl.Datetime | pl.Date):
        return _unit_of_times(dtype, options)
    if times.null_count() == len(times):
        return NONE_SEEN
    if not (dtype.is_numeric() or dtype == pl.String):
        raise InputError(
            f"{source}: column {column!r} should hold times, found {dtype}; "
            "map another with --map timestamp=COLUMN (in Python: mapping=)"
        )
    sample = _sample(times.drop_nulls())
    found = None if options.shape is None else _pattern_unit(sample, options, options.shape)
    if found is None and (options.shape is None or column != "timestamp"):
        found = _found_unit(sample, options)
    if found is None:
        raise InputError(_no_times(times, options, column=column, source=source))
    if (told := found.rounding.too_far) is not None:
        raise InputError(f"{source}: column {column!r}, found {_some(times)}: {told}")
    return found


def _unit_of_times(dtype: pl.DataType, options: TimeOptions) -> TimeUnit:
    if isinstance(dtype, pl.Datetime):
        zone = "" if dtype.time_zone else f", no zone: read as {options.zone or 'UTC'}"
        return TimeUnit((f"timestamps ({dtype.time_unit}{zone})",), zone=options.zone)
    name = f"dates ({options.zone})" if options.zone else "dates"
    return TimeUnit((name,), zone=options.zone, dates_alone=True)


def _pattern_unit(sample: pl.Series, options: TimeOptions, shape: Shape) -> TimeUnit | None:
    layouts = tuple(layout for layout, _ in find_layouts(_as_text(sample), (shape,)))
    unit = TimeUnit((options.format or "",), shapes=(shape,), layouts=layouts, zone=options.zone)
    if options.zone is not None and not all(layout.zoned for layout in layouts):
        unit = replace(unit, names=(f"{options.format} (no zone: read as {options.zone})",))
    return None if unit.parse(sample).null_count() == len(sample) else unit


def _found_unit(sample: pl.Series, options: TimeOptions) -> TimeUnit | None:
    """Return the unit that most of a sample is in; None where it is in none."""
    numbers = numbers_in(sample)
    name, to_ms, likely = _number_unit(numbers)
    n_numbers = int(numbers.is_finite().sum() or 0)
    if not likely or n_numbers < len(sample):
        written, n_written = _written_unit(_as_text(sample), options)
        # Numbers that are no likely time in any unit may be digits of dates: 20240305.
        if n_written and (n_written > n_numbers or not likely):
            return written
    if not n_numbers:
        return None
    return TimeUnit((f"unix {name}",), to_ms=to_ms, rounding=find_rounding(sample, numbers, to_ms=to_ms))


def _number_unit(numbers: pl.Series) -> tuple[str, float, bool]:
    """Return the unit in which most numbers lie between 1990 and 2100, its milliseconds, and whether any does.

    Where none does, the size of the numbers tells.
    """
    likely = [int((numbers * to_ms).is_between(*_LIKELY_MS).sum() or 0) for _, _, to_ms in _UNITS]
    if any(likely):
        name, _, to_ms = _UNITS[likely.index(max(likely))]
    else:
        finite = numbers.filter(numbers.is_finite().fill_null(False)).abs()
        middle = 0.0 if finite.is_empty() else float(finite.median())  # type: ignore[arg-type]
        name, _, to_ms = next(unit for unit in _UNITS if middle < unit[1])
    return name, to_ms, any(likely)


def _written_unit(sample: pl.Series, options: TimeOptions) -> tuple[TimeUnit, int]:
    """Return the unit of dates, and how many of a sample it fits."""
    found = find_layouts(sample, SHAPES)
    least = _LEAST_LAYOUT * len(sample)
    layouts = [layout for layout, n in found if n >= least][:_MOST_LAYOUTS]
    unit = TimeUnit(("dates",), shapes=SHAPES, layouts=tuple(layouts), zone=options.zone)
    by_order = unit.read(sample)
    if len(by_order) > 1:
        readings = Readings()
        readings.add(by_order, between=(datetime.fromtimestamp(_LIKELY_MS[0] / 1000, UTC), datetime.now(UTC)))
        unit = replace(unit, order=readings.best[0])
    if found:
        zoned = all(layout.zoned for layout, _ in found)
        unit = replace(unit, names=_names(found[0][0], zoned, options.zone))
    return unit, len(sample) - unit.own(by_order).null_count()


def _names(layout: Layout, zoned: bool, zone: str | None) -> tuple[str, ...]:
    """Return what to call the commonest layout, by order; as ISO 8601 where it is that."""
    names = tuple(layout.name(order) for order in ORDERS)
    iso = names[0].startswith("YYYY-M-D") and "AM/PM" not in names[0]
    if zoned or not (iso or zone):
        return ("ISO 8601",) if iso else names
    read_as = f" (no zone: read as {zone or 'UTC'})"
    return (f"ISO 8601{read_as}",) if iso else tuple(name + read_as for name in names)


def _no_times(times: pl.Series, options: TimeOptions, *, column: str, source: str) -> str:
    """Return what to tell of a column that holds no times."""
    told = f"{source}: column {column!r} should hold times"
    if options.format is not None:
        return f"{told} as the format {options.format!r} says, found {_some(times)}"
    return (
        f"{told}, found {_some(times)}; say how they are written with --time-format PATTERN (as for strptime, such as "
        "'%d.%m.%Y %H:%M') and, where they have no zone, --time-zone ZONE (in Python: time_format=, time_zone=); or "
        "map another column with --map timestamp=COLUMN (in Python: mapping=)"
    )


def _some(times: pl.Series) -> str:
    """Return the first values of a column as found."""
    text = times.drop_nulls().head(_SAMPLE).cast(pl.String)
    filled = text.filter(text.str.strip_chars().str.len_bytes() > 0).unique(maintain_order=True)
    return ", ".join(repr(value[:60]) for value in filled.head(_SHOWN).to_list()) or "blanks"


def _sample(times: pl.Series) -> pl.Series:
    """Return some of `times`, the same ones whatever the order of the rows."""
    if len(times) <= _SAMPLE:
        return times
    some = times.filter(times.hash() % (len(times) // _SAMPLE) == 0)
    if len(some) > 10 * _SAMPLE:
        some = some.unique()
    # A log of a few distinct times (days, say) may have none or one of them drawn.
    return some if some.n_unique() > 100 else times.unique().sort().head(10 * _SAMPLE)


def _as_text(times: pl.Series) -> pl.Series:
    """Return times as text; floats that are whole without a point."""
    if times.dtype.is_float():
        whole = times.cast(pl.Int64, strict=False)
        return whole.zip_with(whole == times, whole.clear(len(whole))).cast(pl.String)
    return times.cast(pl.String, strict=False)


def _in_utc(times: pl.Series, naive: pl.Series, zone: str | None, counts: ClockCounts | None) -> pl.Series:
    """Return times in UTC, of which the `naive` ones are still by the clocks of `zone`."""
    if zone is None or not naive.any():
        return times
    local = times.dt.replace_time_zone(None)
    return to_utc(local.zip_with(naive, local.clear(len(local))), zone, counts=counts).zip_with(naive, times)


def _bounded(times: pl.Series) -> pl.Series:
    """Return times or milliseconds as `TIME`, none so far off that it could not be shown."""
    ms = times.cast(TIME).to_physical() if times.dtype != pl.Int64 else times
    return _clipped(ms, _FARTHEST_MS).cast(TIME)


def _clipped(numbers: pl.Series, limit: int) -> pl.Series:
    return numbers if numbers.is_between(-limit, limit).all() else numbers.clip(-limit, limit)
