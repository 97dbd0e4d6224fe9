"""The texts behind a log's links, from tables that the user brings: nothing is fetched."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from propgraph.errors import InputError, check_columns
from propgraph.readers.side import read_side_table
from propgraph.readers.times.times import find_time_unit
from propgraph.schema import ID, TIME
from propgraph.traces.text import normalise_texts
from propgraph.traces.urls import canonicalise_urls

COLUMNS = ("url", "text")
OPTIONAL = ("title", "published")

#: Who is named where a text is passed on in the open.
_AGENCIES = (
    "reuters|afp|dpa|ap|ansa|efe|apa|tass|xinhua|upi|pa media|belga|anp|pap|interfax|keystone-sda|lusa"
)
_CREDIT = (
    rf"(?i)[(\[](?:[^()\[\]]{{0,40}}\b)?(?:{_AGENCIES})\b[^()\[\]]{{0,40}}[)\]]|"
    r"\b(?:associated press|(?:news|press) agency|agence (?:france|\w+)[- ]presse|agencia de noticias|"
    r"agenzia di stampa)\b|nachrichtenagentur|"
    r"\b(?:source|sources|quelle|fuente|fonte|bron)\s*:|"
    r"\b(?:originally|first) (?:published|appeared) (?:in|on|at|by)\b|\brepublished (?:from|with)\b"
)

Brought = str | Path | pl.DataFrame


def read_articles(articles: Brought | Sequence[Brought], /) -> tuple[pl.DataFrame, list[str]]:
    """Return the articles of tables, and what to tell of them.

    Parameters
    ----------
    articles
        Tables, or paths of CSV, TSV, JSON, NDJSON, Parquet or Arrow files, plain or packed, with the columns `url` and
        `text`, and where known `title` and `published` (in any form in which logs write times).

    Returns
    -------
    pl.DataFrame
        `url` (canonical, each once: the one published first), `site`, `text` (in one form, see `normalise_texts`),
        `published` (null where it is not told), `credited` (it names an agency or a source), sorted by `url`.
    list of str
        Notes: how many rows were left out, and why.

    Raises
    ------
    InputError
        When a file cannot be read, lacks a column, or holds no times in `published`.
    """
    given = [articles] if isinstance(articles, str | Path | pl.DataFrame) else list(articles)
    tables = [_with_times(*_table(one)) for one in given]
    empty = pl.DataFrame(schema={"url": ID, "text": ID, "title": ID, "published": TIME})
    rows = pl.concat([empty, *tables])
    forms = canonicalise_urls(rows["url"]).select("raw", "site", address="url")
    rows = rows.join(forms.rename({"raw": "url"}), on="url", how="left", maintain_order="left")
    both = pl.concat_str(pl.col("title"), pl.col("text"), separator=" ", ignore_nulls=True)
    rows = rows.with_columns(credited=both.str.contains(_CREDIT).fill_null(False))
    rows = rows.with_columns(normalise_texts(rows["text"]).alias("text"))
    usable = rows.drop_nulls(["address", "text"])
    notes = []
    if odd := rows["address"].null_count():
        notes.append(f"articles: {odd:,} of {rows.height:,} rows have no web address as url; left out")
    if short := rows.drop_nulls("address")["text"].null_count():
        notes.append(
            f"articles: {short:,} of {rows.height:,} rows have no text of four words or more; left out"
        )
    once = usable.sort("address", "published", "text", "credited", nulls_last=True).unique(
        "address", keep="first", maintain_order=True
    )
    if again := usable.height - once.height:
        notes.append(
            f"articles: {again:,} rows are of an address that another row has; the one published first counts"
        )
    return once.select(pl.col("address").alias("url"), "site", "text", "published", "credited"), notes


def _table(one: Brought) -> tuple[pl.DataFrame, str]:
    """Return a table as it is written, all columns there, and what errors call it."""
    if not isinstance(one, pl.DataFrame):
        return read_side_table(one, columns=COLUMNS, optional=OPTIONAL, what="articles"), str(one)
    check_columns("articles", COLUMNS, one.columns)
    there = [name for name in OPTIONAL if name in one.columns]
    return one.select(pl.col(*COLUMNS).cast(ID), *there), "articles"


def _with_times(table: pl.DataFrame, source: str) -> pl.DataFrame:
    """Return `url, text, title, published`, the last as times."""
    told = table.get_column("published", default=None)
    if told is None or told.null_count() == len(told):
        times = pl.Series([None] * table.height, dtype=TIME)
    else:
        try:
            unit = find_time_unit(told, column="published", source=source)
        except InputError as error:
            raise InputError(
                f"{error}; or leave the column out: an article then counts from its first share"
            ) from error
        times = unit.parse(told)
    title = pl.col("title").cast(ID) if "title" in table.columns else pl.lit(None, ID)
    return table.select("url", "text", title=title, published=times.cast(TIME))


def read_known_sites(path: str | Path, /) -> list[str]:
    """Return the registrable domains of a user's table of well-known sites, sorted.

    Parameters
    ----------
    path
        CSV, TSV, JSON, NDJSON, Parquet or Arrow, plain or packed, with the column `site` (a domain or address).

    Raises
    ------
    InputError
        When the file cannot be read, lacks the column, or names no site at all.
    """
    table = read_side_table(path, columns=("site",), what="known sites")
    sites: list[str] = canonicalise_urls(table["site"])["site"].drop_nulls().unique().sort().to_list()
    if not sites:
        raise InputError(f"{path}: the column site names no site; give domains, one a row: bbc.co.uk")
    return sites
