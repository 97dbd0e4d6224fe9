"""The price table: what a profile, a click, a task and an influencer's like were sold for, with the source of each."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import polars as pl

from propgraph.errors import InputError, check_columns, did_you_mean
from propgraph.readers.side import read_side_table
from propgraph.schema import ID, IDS

COLUMNS = ("item", "low", "high", "currency", "source")
OPTIONAL = ("unit", "year")
#: What is sold: an account, a click in a click farm, a task on a platform of micro-work, an influencer's like.
ITEMS = ("profile", "click", "task", "like")
#: Which of these each line of `costs` may have cost.
PRICED = {
    "profiles": ("profile",),
    "created-together": ("profile",),
    "tasks": ("click", "task"),
    "relays": ("like",),
    "influencers": ("like",),
}
_SHOWN = 5  # faults that an error names


def price_table(prices: str | Path | pl.DataFrame | None = None, /) -> pl.DataFrame:
    """Return what things were sold for: propgraph's own table, or one that the user brings.

    Parameters
    ----------
    prices
        A table, or the path of one (CSV, TSV, JSON, NDJSON, Parquet or Arrow), with the columns `item` (`profile`,
        `click`, `task`, `like`), `low` and `high` (what one costs, in `currency`), `currency` (three letters of ISO
        4217) and `source`, and where it knows them `unit` and `year`. An item may have several rows. It replaces
        the package's table, `propgraph/costs/prices.csv`, whole. None takes that.

    Returns
    -------
    pl.DataFrame
        `item, unit, low, high, currency, year, source`, one row for each of the table's.

    Raises
    ------
    InputError
        When the table cannot be read, lacks a column or a source, or a row is no range of a price.
    """
    if isinstance(prices, pl.DataFrame):
        check_columns("prices", COLUMNS, prices.columns)
        there = [name for name in (*COLUMNS, *OPTIONAL) if name in prices.columns]
        return _checked(prices.select(pl.col(there).cast(ID, strict=False)), "prices")
    path = Path(str(files("propgraph.costs").joinpath("prices.csv"))) if prices is None else prices
    return _checked(read_side_table(path, columns=COLUMNS, optional=OPTIONAL, what="prices"), str(path))


def _checked(table: pl.DataFrame, where: str) -> pl.DataFrame:
    """Return the table with numbers, or raise one error on all that is wrong with its rows."""
    missing = [pl.lit(None, ID).alias(name) for name in OPTIONAL if name not in table.columns]
    table = table.with_columns(missing).with_columns(
        pl.col("item", "currency", "source").str.strip_chars(),
        number_low=pl.col("low").str.strip_chars().cast(pl.Float64, strict=False),
        number_high=pl.col("high").str.strip_chars().cast(pl.Float64, strict=False),
    )
    faults = [
        fault
        for k, row in enumerate(table.to_dicts(), 1)
        if (fault := _fault(row)) and (fault := f"row {k}: {fault}")
    ]
    if not table.height:
        faults = ["no row in it"]
    if faults:
        more = f"; and {len(faults) - _SHOWN:,} rows more" if len(faults) > _SHOWN else ""
        raise InputError(f"{where}: {'; '.join(faults[:_SHOWN])}{more}; correct these, or leave --prices out")
    return table.select(
        "item", "unit", low="number_low", high="number_high", currency=pl.col("currency").str.to_uppercase(),
        year="year", source="source",
    )  # fmt: skip


def _fault(row: dict[str, str | float | None]) -> str | None:
    """Return what is wrong with a row, None where nothing is."""
    item, low, high = row["item"], row["number_low"], row["number_high"]
    if item not in ITEMS:
        near = did_you_mean(str(item), ITEMS) if item else ""
        return f"item {str(item)[:40]!r} is not one of {', '.join(ITEMS)}{near}"
    # A comparison with NaN is false, so that what is no number fails here, too.
    if not (isinstance(low, float) and isinstance(high, float) and 0 <= low <= high < float("inf")):
        written = f"low {str(row['low'])[:40]!r} and high {str(row['high'])[:40]!r}"
        return f"{written} are no range of a price, 0 <= low <= high"
    currency = str(row["currency"] or "")
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
        return f"currency {currency[:40]!r} is not the three letters of one, as USD or EUR"
    return None if row["source"] else "no source; a price without one is a guess"


def prices_of(table: pl.DataFrame, /) -> pl.DataFrame:
    """Return what one of each line of `costs` may have cost, a row for each currency: nothing is ever converted.

    Parameters
    ----------
    table
        As from `price_table`.

    Returns
    -------
    pl.DataFrame
        `line, currency, price_low, price_high, sources`: the lowest and the highest price of any of its items.
    """
    lines = pl.DataFrame(
        [(line, item) for line, items in PRICED.items() for item in items],
        schema={"line": ID, "item": ID},
        orient="row",
    )
    return (
        lines.join(table, on="item")
        .group_by("line", "currency")
        .agg(
            price_low=pl.col("low").min(),
            price_high=pl.col("high").max(),
            sources=pl.col("source").unique().sort(),
        )
        .with_columns(pl.col("sources").cast(IDS))
        .sort("line", "currency")
    )
