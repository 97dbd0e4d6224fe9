"""Amounts of money as ad libraries write them: bounds, ranges, open ends; never a guess."""

from __future__ import annotations

import polars as pl

_NUMBER = r"([0-9]+(?:\.[0-9]+)?)([km])?"
_ONE = rf"^(<=?|≤|>=?|≥)?{_NUMBER}\+?$"
_RANGE = rf"^{_NUMBER}(?:-|–|—|to){_NUMBER}$"
_BOUND = r"{}_bound[\"']?:[\"']?([0-9]+(?:\.[0-9]+)?)(?:[\"',}}]|$|[a-z])"


def read_range(text: pl.Expr, /) -> tuple[pl.Expr, pl.Expr]:
    """Return the lower and the upper end of amounts as written, null where there is none.

    `lower_bound: 100, upper_bound: 199` (also as JSON), `100-199`, `≤100` (from 0), `>1M` (open above), `12.50`. A
    comma parts thousands; where it cannot, the amount is not read, nor is a negative one.
    """
    plain = _plain(text)
    sign = plain.str.extract(_ONE, 1)
    one = _scaled(plain, _ONE, 2)
    low = pl.coalesce(
        plain.str.extract(_BOUND.format("lower"), 1).cast(pl.Float64),
        _scaled(plain, _RANGE, 1),
        pl.when(sign.is_in(["<", "<=", "≤"])).then(pl.when(one.is_not_null()).then(0.0)).otherwise(one),
    )
    high = pl.coalesce(
        plain.str.extract(_BOUND.format("upper"), 1).cast(pl.Float64),
        _scaled(plain, _RANGE, 3),
        pl.when(sign.is_in([">", ">=", "≥"]) | plain.str.ends_with("+")).then(None).otherwise(one),
    )
    return low, high


def read_amount(text: pl.Expr, /) -> pl.Expr:
    """Return single amounts as written; null where there is none."""
    return _scaled(_plain(text), rf"^{_NUMBER}$", 1)


def _plain(text: pl.Expr) -> pl.Expr:
    """Return amounts without blanks, signs of currencies, and commas between thousands."""
    plain = text.str.to_lowercase().str.replace_all(r"[\s\u00a0$€£]", "")
    # What a match ends with cannot begin the next one, so that 1,234,567 takes two rounds.
    for _ in range(2):
        plain = plain.str.replace_all(r"([0-9]),([0-9]{3})\b", "${1}${2}")
    return plain


def _scaled(text: pl.Expr, pattern: str, group: int) -> pl.Expr:
    """Return the number that a group of a pattern holds, in thousands or millions as the next group says."""
    times = text.str.extract(pattern, group + 1).replace_strict({"k": 1e3, "m": 1e6}, default=1.0)
    return text.str.extract(pattern, group).cast(pl.Float64) * times.fill_null(1.0)
