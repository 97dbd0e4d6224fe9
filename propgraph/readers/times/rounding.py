"""Unix times that were rounded in writing: by a spreadsheet (1.70964E+09), or as 32-bit floats."""

from __future__ import annotations

import math
from dataclasses import dataclass

import polars as pl

#: Numbers with an exponent: 1.70964E+09, with a decimal comma where the spreadsheet has one.
EXPONENT = r"^\s*[+-]?[0-9]+(?:[.,](?<decimals>[0-9]*))?[eE]\+?(?<exponent>[0-9]{1,2})\s*$"
_DECIMAL_COMMA = r"^\s*([+-]?[0-9]+),([0-9]+(?:[eE][+-]?[0-9]+)?)\s*$"
# A rounding that leaves less than this no clock of a log is finer than.
_FINE_S = 1.0
# Beyond an hour nothing is left of who posted before whom, nor of who posted together; but a user who reads a day or
# an hour in the study would take it for the truth. What has the digits can be saved again.
_FARTHEST_S = 3600.0
_NEARLY_ALL = 0.99
_ENOUGH = 50
_ENOUGH_DISTINCT = 5
_CLOCK_S = 60.0  # a step of whole minutes is a clock's, not a rounding's
_DECIMAL_STEPS_S = tuple(10.0**k for k in range(7, 1, -1))
_BITS_OF_FLOAT32 = 24
_LAST_MS = 4_102_444_800_000  # the year 2100: what lies beyond is no time, rounded or not


@dataclass(frozen=True)
class Rounding:
    """How far the numbers of a column were rounded.

    Attributes
    ----------
    step_s
        To this many seconds; None where nothing says that they were rounded.
    exponents
        They are written with an exponent, all of them or most.
    how
        What shows it, in words.
    """

    step_s: float | None = None
    exponents: bool = False
    how: str = ""

    @property
    def too_far(self) -> str | None:
        """What to tell of numbers that were rounded so far that they are no times any more; None for others."""
        if not self.exponents or self.step_s is None or self.step_s <= _FARTHEST_S:
            return None
        return f"{self._told}; who posted when cannot be read from it. {_ADVICE}"

    @property
    def note(self) -> str | None:
        """What to tell of numbers that were rounded; None for others."""
        if self.step_s is None:
            return None
        return f"{self._told}; the times are taken to be no finer. {_ADVICE}"

    @property
    def _told(self) -> str:
        return f"unix times rounded to {self.step_s:,.0f} s in writing ({self.how})"


#: Nothing says so.
NOT_ROUNDED = Rounding()
_ADVICE = "Save the column again from where it has all digits, as whole numbers or as text"


def numbers_in(times: pl.Series, /) -> pl.Series:
    """Return the numbers in a column as floats, null where there is none; text may have a decimal comma."""
    numbers = times.cast(pl.Float64, strict=False)
    if times.dtype != pl.String or numbers.null_count() == times.null_count():
        return numbers
    other = times.filter(numbers.is_null()).str.replace(_DECIMAL_COMMA, "${1}.${2}").str.strip_chars()
    places = numbers.is_null().arg_true()
    return numbers.scatter(places, other.cast(pl.Float64, strict=False))


def digits_kept(numbers: pl.Series, text: pl.Series, rounding: Rounding, /, *, to_ms: float) -> pl.Series:
    """Return numbers without those that were rounded where most others of the column were not."""
    if rounding.exponents:
        return numbers
    # A number that lost digits is a multiple of ten: most rows need no second look.
    round_ones = ((numbers % 10 == 0) & (numbers * to_ms).is_between(0, _LAST_MS)).fill_null(False)
    if not round_ones.any():
        return numbers
    places = round_ones.arg_true()
    steps = _steps_s(text.gather(places), to_ms)
    lost = places.filter((steps > _FINE_S).fill_null(False))
    return numbers.scatter(lost, None) if len(lost) else numbers


def find_rounding(sample: pl.Series, numbers: pl.Series, /, *, to_ms: float) -> Rounding:
    """Return how far the numbers of a column were rounded, judged on a sample of it.

    Parameters
    ----------
    sample
        Text or numbers as the file has them.
    numbers
        The same as floats.
    to_ms
        What one of them is in milliseconds.
    """
    finite = numbers.filter(numbers.is_finite().fill_null(False))
    seconds = finite * (to_ms / 1000)
    if seconds.is_empty():
        return NOT_ROUNDED
    if sample.dtype == pl.String and (written := _by_exponents(sample, seconds, to_ms)) != NOT_ROUNDED:
        return written
    float32_s = _float32_step(finite) * to_ms / 1000
    if sample.dtype == pl.Float32:
        return _coarse(float32_s, "32-bit floats have no more digits")
    # Zeros tell it in any form: as whole numbers, as text, as floats.
    if len(seconds) >= _ENOUGH and _off_the_clock(seconds):
        for step in _DECIMAL_STEPS_S:
            if _nearly_all(seconds % step == 0):
                return _coarse(step, "nearly all are multiples of that")
        if _nearly_all(finite.cast(pl.Float32).cast(pl.Float64) == finite):
            return _coarse(float32_s, "they went through 32-bit floats")
    return NOT_ROUNDED


def _off_the_clock(seconds: pl.Series) -> bool:
    """Return whether several times are there and are not whole minutes, as those of a coarse clock are."""
    return seconds.n_unique() >= _ENOUGH_DISTINCT and not _nearly_all(seconds % _CLOCK_S == 0)


def _by_exponents(sample: pl.Series, seconds: pl.Series, to_ms: float) -> Rounding:
    steps = _steps_s(sample, to_ms)
    written = steps.drop_nulls()
    if len(written) * 2 <= len(seconds):
        return NOT_ROUNDED
    # Zeros at the end are not written, so that one number in ten looks coarser than it is.
    step = written.quantile(1 - _NEARLY_ALL, "nearest")
    by_clock = seconds.n_unique() >= _ENOUGH_DISTINCT and not _off_the_clock(seconds)
    if step is None or step <= _FINE_S or by_clock:
        return Rounding(exponents=True)
    return Rounding(step, exponents=True, how="their exponents leave out the last digits")


def _steps_s(text: pl.Series, to_ms: float) -> pl.Series:
    """Return what the last digit of each number with an exponent stands for, in seconds; null for others."""
    parts = text.str.extract_groups(EXPONENT).struct.unnest()
    lost = pl.col("exponent").cast(pl.Float64) - pl.col("decimals").str.len_bytes().fill_null(0)
    return parts.select(pl.lit(10.0).pow(lost) * (to_ms / 1000)).to_series()


def _float32_step(numbers: pl.Series) -> float:
    """Return how far apart 32-bit floats are at most of these numbers."""
    _, exponent = math.frexp(float(numbers.abs().median()))  # type: ignore[arg-type]
    return 2.0 ** (exponent - _BITS_OF_FLOAT32)


def _coarse(step_s: float, how: str) -> Rounding:
    return Rounding(step_s, how=how) if step_s > _FINE_S else NOT_ROUNDED


def _nearly_all(true: pl.Series) -> bool:
    return float(true.mean() or 0.0) >= _NEARLY_ALL  # type: ignore[arg-type]
