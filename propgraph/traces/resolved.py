"""Where short links lead, by a table that the user brings: nothing is ever fetched."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from propgraph.arrays.encoding import codes_of, encode, labels_of
from propgraph.arrays.types import Int64
from propgraph.errors import check_columns
from propgraph.readers.side import read_side_table
from propgraph.schema import ID
from propgraph.traces.urls import canonicalise_urls

COLUMNS = ("url", "resolved_url")


def read_resolved(path: str | Path, /) -> pl.DataFrame:
    """Read a table of short links and where they lead.

    Parameters
    ----------
    path
        CSV, TSV, NDJSON, Parquet or Arrow, plain or packed, with the columns `url` and `resolved_url`.

    Returns
    -------
    pl.DataFrame
        `url` and `resolved_url` (String) as written, a row for each of the file's; a record that is no
        row has nulls.

    Raises
    ------
    InputError
        When the file cannot be read or lacks a column.
    """
    return read_side_table(path, columns=COLUMNS, what="resolved links")


def usable_links(resolved: pl.DataFrame, /) -> tuple[pl.DataFrame, list[str]]:
    """Return where each link of a table leads in the end, and sentences on what was wrong with the table.

    A target that is in the table itself leads on, however often; links that lead in a circle stay what
    they are. A link with several targets takes the one that most of its rows give, of equals the first in
    the alphabet.

    Parameters
    ----------
    resolved
        `url` and `resolved_url`, String, as written.

    Returns
    -------
    pl.DataFrame
        `url` (canonical, once each, sorted) and `resolved_url` (its last target, as written). A table that
        was made usable comes out as it is.
    list of str
        Notes: rows that are not two URLs, links with several targets, links in circles; with counts.

    Raises
    ------
    InputError
        When a column is missing.
    """
    check_columns("resolved links", COLUMNS, resolved.columns)
    written = resolved.select(pl.col(COLUMNS).cast(ID))
    forms = canonicalise_urls(pl.concat([written["url"], written["resolved_url"]])).select("raw", form="url")
    pairs = (
        written.join(forms.rename({"raw": "url", "form": "link"}), on="url", how="left")
        .join(forms.rename({"raw": "resolved_url", "form": "target"}), on="resolved_url", how="left")
        .drop_nulls(["link", "target"])
    )
    notes = []
    if unusable := written.height - pairs.height:
        notes.append(f"resolved links: {unusable:,} of {written.height:,} rows are not two URLs; left out")
    ways = (
        pairs.filter(pl.col("link") != pl.col("target"))
        .group_by("link", "target")
        .agg(pl.len(), pl.col("resolved_url").min())
        .sort("link", "len", "target", descending=[False, True, False])
    )
    chosen = ways.unique("link", keep="first", maintain_order=True)
    if several := ways.filter(pl.col("link").is_duplicated())["link"].n_unique():
        notes.append(
            f"resolved links: {several:,} have several targets; the one that most rows give was taken"
        )
    led, circular = _follow(chosen)
    if circular:
        notes.append(f"resolved links: {circular:,} lead to each other in circles; they stay as they are")
    return led, notes


def _follow(ways: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Return `url` and last `resolved_url` of ways `link, target, resolved_url`; and how many are in circles."""
    node = encode(pl.concat([ways["link"], ways["target"]]).alias("url"))
    codes = codes_of(node).astype(np.int64)
    start, end = codes[: ways.height], codes[ways.height :]
    up = np.arange(len(labels_of(node)))
    up[start] = end
    top = _ends(up)
    circle = np.unique(top[up[top] != top])
    up[circle] = circle
    top = _ends(up)
    # A target is written as in the row that leads there.
    writing = np.full(up.size, -1)
    writing[end] = np.arange(ways.height)
    moved = top[start] != start
    led = pl.DataFrame(
        {
            "url": ways["link"],
            "resolved_url": ways["resolved_url"].gather(pl.Series(writing[top[start]], dtype=pl.Int64)),
        }
    )
    return led.filter(pl.Series(moved)).sort("url"), int(circle.size)


def _ends(up: Int64) -> Int64:
    """Return where the way up from each node ends; from and in a circle, some node of it.

    Of a circle every node is the end of some way.
    """
    top = up
    # Twice as far at each step; longer than the number of nodes no way can be, unless it is a circle.
    for _ in range(up.size.bit_length() + 1):
        top = top[top]
    return top
