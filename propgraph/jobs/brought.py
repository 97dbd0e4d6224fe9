"""Tables about money that the user brings to `clusters`: how the run record names them, and what is told of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from propgraph.provenance import Run, digest
from propgraph.readers.frames import frame_digest
from propgraph.sites.copies import Copies

Brought = str | Path | pl.DataFrame


def as_list(tables: Brought | Sequence[Brought], /) -> list[Brought]:
    """Return one table or several as a list."""
    return [tables] if isinstance(tables, str | Path | pl.DataFrame) else list(tables)


def name_of(table: Brought | None, /) -> str | None:
    """Return how a table is called among the parameters: by its path, if it has one."""
    return "(a table)" if isinstance(table, pl.DataFrame) else None if table is None else str(table)


def tell_brought(
    run: Run,
    /,
    *,
    ads: Sequence[Brought],
    notes: Sequence[str],
    prices: Brought | None,
    articles: Sequence[Brought] = (),
) -> None:
    """Record which tables were brought, by their digests, and what was found in them."""
    for name, tables in (("ads", ads), ("articles", articles)):
        if tables:
            run.record[name] = [_record(one) for one in tables]
    for note in notes:
        run.note(note)
    if prices is not None:
        run.record["prices"] = _record(prices)


def tell_boosts(run: Run, adverts: pl.DataFrame, boosts: pl.DataFrame, /) -> None:
    """Tell how many adverts are about URLs and sites of the log, if there are adverts at all."""
    if adverts.is_empty():
        return
    of_ads = boosts.filter(pl.col("source") == "ads")
    by_url, by_site = (of_ads.filter(pl.col("matched") == how).height for how in ("url", "site"))
    n = of_ads.select("ad_id", "payer", "start").n_unique() if of_ads.height else 0
    run.note(
        f"ads: {n:,} of {adverts.height:,} adverts lead to this log ({by_url:,} times to one of its URLs, {by_site:,} "
        "times to one of its sites, no URL being shown); the others name nothing that is in it"
    )


def tell_copies(run: Run, articles: pl.DataFrame | None, found: Copies | None, /) -> None:
    """Tell how many articles there are, and how many of them are copies, if any articles were brought."""
    if articles is None or found is None:
        return
    run.note(
        f"articles: {articles.height:,} of {articles['site'].n_unique():,} sites; {found.urls.height:,} stood on "
        "another site before, nearly word for word and without credit"
    )
    if found.n_undated:
        run.note(f"articles: {found.n_undated:,} say no time and nobody shares them; left out")


def _record(table: Brought) -> dict[str, Any]:
    if isinstance(table, pl.DataFrame):
        return {"path": name_of(table), "sha256": frame_digest(table)}
    path = Path(table)
    return {"path": str(table), "sha256": digest(path) if path.is_file() else None}
