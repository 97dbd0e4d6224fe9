"""Ids as text, and those that lost digits in writing: many accounts, or many posts, then bear one id.

A spreadsheet shows a long number as 1.23457E+18 (1,23457E+18 where the comma is decimal), keeps 15 digits of it
and fills up with zeros; JavaScript and 64-bit floats keep 16 or 17. Of single ids zeros at the end tell nothing, since
one in a hundred ends in two; of a column as a whole they do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import polars as pl

from propgraph.readers.values.post_kinds import PARENT_OF
from propgraph.schema import ID

MUST = ("account_id", "content_id")
# What two columns of a log have to write alike; `object_id` may be any text.
_ALIKE = (*MUST, "parent_content_id", *PARENT_OF, "origin_account_id", "target_id")
ID_COLUMNS = (*_ALIKE, "object_id")
ROUNDED_NUMBER = "a rounded number, its last digits are lost"
_ZEROS = "ends in zeros as too many ids here do: rounded, its last digits are lost"
#: Of digits that nobody knows any more: a rounded number, or a float too large to be exact.
ROUNDED = r"^\s*-?\d{1,3}(?:[.,]\d+[eE]\+?|[eE]\+)\d+\s*$"
# In the place of such an id until it is known what a parent, though nobody knows which, makes of its row.
LOST = "\x1flost"

# Blanks around an id, and what pandas makes of whole numbers beside a missing one: 123.0.
_UNTIDY = r"^\s|\s$|^-?\d+\.0$"
_LONG_FLOAT = r"^\s*-?\d{16,}\.0\s*$"
_DIGITS = r"^\d{16,20}$"
_SHEET, _SCRIPT = 15, 17  # digits that a spreadsheet and JavaScript keep
_FEW = 16
# Zeros of whole seconds and milliseconds: an id made of a time in µs or ns.
_OF_TIMES = (6, 9)
# Ids made of a time alone (time << 22, time << 16) are no rounded ones.
_SHIFTED = 1 << 16


class Loss(NamedTuple):
    """What shows that ids were rounded: of those with so many digits or more, a part keeps only some of them.

    Of ids one in ten ends in a zero by chance, one in a hundred in two, and so on: the fewer can be there by chance,
    the smaller the part that tells. Distinct ones have to have so many zeros together.
    """

    keeps: int
    shortest: int
    part: float
    zeros: int


# Four zeros by chance: one column in ten thousand.
_LOSSES = Loss(_SHEET, 17, 0.5, 4), Loss(_SHEET, 18, 0.1, 12), Loss(_SCRIPT, 18, 0.9, 4)
_NO_LOSS = Loss(0, 0, 0.0, 0)


@dataclass
class DigitFacts:
    """What is found out about the digits of one column of ids while its rows are read.

    Attributes
    ----------
    rows, distinct
        Rows, and ids of each batch, that are as long as each of `_LOSSES` needs.
    zero_rows, zero_distinct
        Those of them that end in zeros after the digits that are kept.
    some
        A few of these ids.
    lost, example
        Ids whose digits are lost, and the first of them by its digits.
    settled
        How the column was rounded by all its rows, `_NO_LOSS` where it was not; None on the first reading.
    """

    rows: Counter[Loss] = field(default_factory=Counter)
    distinct: Counter[Loss] = field(default_factory=Counter)
    zero_rows: Counter[Loss] = field(default_factory=Counter)
    zero_distinct: Counter[Loss] = field(default_factory=Counter)
    some: dict[Loss, set[str]] = field(default_factory=dict)
    lost: int = 0
    example: str = ""
    settled: Loss | None = None

    def add(self, ids: pl.Series, /) -> None:
        """Count how many of more ids end in zeros."""
        long = ids.str.len_bytes() > _SHEET
        n_long = int(long.sum() or 0)
        if not n_long:
            return
        # Of ten ids one ends in a zero, of a hundred one in two: mostly there is nothing to look at more closely.
        if not any(
            int((long & ids.str.ends_with(zeros)).sum() or 0) * fewer >= n_long
            for zeros, fewer in (("0", 4), ("00", 20))
        ):
            for loss in _LOSSES:
                self.rows[loss] += n_long
                self.distinct[loss] += n_long
            return
        table = ids.filter(long.fill_null(False)).alias("id").value_counts(name="n")
        table = table.filter(pl.col("id").str.contains(_DIGITS))
        for loss in _LOSSES:
            longer = table.filter(pl.col("id").str.len_bytes() >= loss.shortest)
            zeros = longer.filter(_ends_in_zeros(pl.col("id"), loss) & ~_is_made(pl.col("id")))
            self.rows[loss] += int(longer["n"].sum())
            self.distinct[loss] += longer.height
            self.zero_rows[loss] += int(zeros["n"].sum())
            self.zero_distinct[loss] += zeros.height
            some = self.some.setdefault(loss, set())
            some.update(zeros["id"].sort().head(_FEW))

    def loss(self) -> Loss:
        """Return how the ids were rounded, by all rows counted."""
        for loss in _LOSSES:
            zeros = sum(len(one) - loss.keeps for one in self.some.get(loss, ()))
            if (
                self.zero_rows[loss] > loss.part * self.rows[loss]
                and self.zero_distinct[loss] > loss.part * self.distinct[loss]
                and zeros >= loss.zeros
            ):
                # Where most were, shorter ones were, too.
                return loss._replace(shortest=loss.keeps + 1) if loss.part >= 0.5 else loss
        return _NO_LOSS


def _zeros(number: pl.Expr) -> pl.Expr:
    return number.str.len_bytes() - number.str.strip_chars_end("0").str.len_bytes()


def _ends_in_zeros(number: pl.Expr, loss: Loss) -> pl.Expr:
    length = number.str.len_bytes().cast(pl.Int64)
    return (length >= loss.shortest) & (_zeros(number) >= length - loss.keeps)


def _is_made(number: pl.Expr) -> pl.Expr:
    """Return whether an id that ends in zeros may be made of a time."""
    # A number of six digits, written out, is a multiple of 2^13 as it is.
    shifted = (number.cast(pl.Int128, strict=False) % _SHIFTED == 0) & (_zeros(number) <= max(_OF_TIMES))
    return shifted | _zeros(number).is_in(_OF_TIMES)


def read_ids(values: pl.Series, facts: DigitFacts, /) -> pl.Series:
    """Return a column of `ID_COLUMNS` as text: null where an id of `MUST` lost digits, `LOST` where another did.

    Parameters
    ----------
    values
        Text, numbers or floats, by its canonical name.
    facts
        What is known of its digits so far; it is added to.
    """
    name = values.name
    ids = as_text(values)
    lost = _are_rounded(values, ids)
    if name in _ALIKE and ids.str.contains(_UNTIDY).any():
        tidy = pl.col("id").str.strip_chars().str.replace(r"^(-?\d+)\.0$", "${1}")
        ids = ids.alias("id").to_frame().select(tidy).to_series()
    if facts.settled is None:
        facts.add(ids)
    elif facts.settled.keeps:
        number = pl.col("id")
        zeros = number.str.contains(_DIGITS) & _ends_in_zeros(number, facts.settled)
        lost = lost | ids.alias("id").to_frame().select(zeros.fill_null(False)).to_series()
    if lost.any():
        facts.lost += int(lost.sum())
        shown = ids.filter(lost).min()
        facts.example = min(facts.example or str(shown), str(shown))
        ids = ids.set(lost, None if name in MUST else LOST)
    return ids.alias(name)


def as_text(values: pl.Series, /) -> pl.Series:
    """Return numbers as text, floats without a point where they are whole."""
    if not values.dtype.is_float():
        return values.cast(ID)
    number = pl.col("n")
    whole = (number == number.round(0)) & (number.abs() < 2**53)
    return (
        values.cast(pl.Float64).fill_nan(None).alias("n").to_frame()
        .select(pl.when(whole).then(number.cast(pl.Int64, strict=False).cast(ID)).otherwise(number.cast(ID)))
        .to_series()
    )  # fmt: skip


def _are_rounded(values: pl.Series, ids: pl.Series) -> pl.Series:
    if values.dtype.is_float():
        widest = pl.lit(2**24 if values.dtype == pl.Float32 else 2**53)
        too_wide = values.alias("n").to_frame().select(pl.col("n").abs() >= widest).to_series()
        return too_wide.fill_null(False) & ids.is_not_null()
    lost = ids.str.contains(ROUNDED)
    as_floats = ids.str.contains(_LONG_FLOAT)
    if as_floats.any():
        lost = lost | (as_floats & (ids.cast(pl.Float64, strict=False).abs() >= 2**53))
    return lost.fill_null(False)


def why_lost(name: str, written: pl.Expr, /, *, is_float: bool) -> tuple[pl.Expr, pl.Expr]:
    """Return whether an id of `MUST` that is null now had lost digits as it was written, and the reason to tell."""
    numbers = pl.lit(is_float) & (written != "NaN") | written.str.contains(f"{ROUNDED}|{_LONG_FLOAT}")
    zeros = written.str.contains(_DIGITS)
    how = pl.when(zeros & ~numbers).then(pl.lit(_ZEROS)).otherwise(pl.lit(ROUNDED_NUMBER))
    return numbers | zeros, pl.format(f"{name}: {{}}; save the ids as text", how)


def without_lost(parts: list[pl.DataFrame], facts: Mapping[str, DigitFacts], /) -> list[pl.DataFrame]:
    """Return the posts of a file with null for each id that is `LOST`."""
    if not any(digits.lost for digits in facts.values()):
        return parts
    return [
        part.with_columns(
            pl.when(pl.col(name) != LOST).then(name) for name in ID_COLUMNS if name in part.columns
        )
        for part in parts
    ]


def told(facts: Mapping[str, DigitFacts], /) -> list[str]:
    """Return a sentence for each column of which ids are not known; those of `MUST` are rejected with a reason."""
    return [
        f"{name}: {digits.lost:,} rows have a rounded id ({digits.example}), its last digits are lost: taken as not "
        "known; save the ids as text"
        for name, digits in sorted(facts.items())
        if digits.lost and name not in MUST
    ]
