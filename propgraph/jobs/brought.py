"""Tables that the user brings to `clusters`: read, called by name in the run record, and what is told of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from propgraph.costs.ads import read_ads
from propgraph.costs.prices import price_table
from propgraph.provenance import Run, digest
from propgraph.readers.frames import frame_digest
from propgraph.sites.articles import read_articles, read_known_sites
from propgraph.sites.copies import Copies

Brought = str | Path | pl.DataFrame


@dataclass(frozen=True)
class SideTables:
    """Tables beside the log: articles, well-known sites, adverts, prices.

    Attributes
    ----------
    given
        What the steps of `clusters` take, by name.
    named
        How each is called among the parameters of the run.
    sources
        The table, or tables, of each kind that was brought, whose digests are recorded.
    notes
        What was found in them.
    """

    given: dict[str, Any]
    named: dict[str, Any]
    sources: dict[str, Brought | list[Brought]]
    notes: list[str]

    def record(self, run: Run, /) -> None:
        """Record which tables were brought, by their digests, and what was found in them."""
        for name, table in self.sources.items():
            run.record[name] = [_record(one) for one in table] if isinstance(table, list) else _record(table)
        for note in self.notes:
            run.note(note)

    def tell(self, run: Run, /, *, copies: Copies | None, boosts: pl.DataFrame) -> None:
        """Tell how much of them is about this log."""
        tell_copies(run, self.given["articles"], copies)
        tell_boosts(run, self.given["ads"], boosts)


def read_side_tables(
    *,
    articles: Brought | Sequence[Brought],
    known_sites: str | Path | None,
    ads: Brought | Sequence[Brought],
    prices: Brought | None,
) -> SideTables:
    """Return the tables that go with a log; see `find_clusters` for what each holds."""
    texts, brought = _as_list(articles), _as_list(ads)
    price_list = price_table(prices)
    adverts, notes = read_ads(brought)
    pages, page_notes = read_articles(texts) if texts else (None, [])
    known = [] if known_sites is None else read_known_sites(known_sites)
    sources: dict[str, Brought | list[Brought]] = {}
    if brought:
        sources["ads"] = brought
    if texts:
        sources["articles"] = texts
    if prices is not None:
        sources["prices"] = prices
    return SideTables(
        given={"prices": price_list, "ads": adverts, "articles": pages, "known_sites": known},
        named={
            "articles": [_name_of(one) for one in texts],
            "known_sites": _name_of(known_sites),
            "ads": [_name_of(one) for one in brought],
            "prices": _name_of(prices),
        },
        sources=sources,
        notes=[*notes, *page_notes],
    )


def _as_list(tables: Brought | Sequence[Brought]) -> list[Brought]:
    return [tables] if isinstance(tables, str | Path | pl.DataFrame) else list(tables)


def _name_of(table: Brought | None) -> str | None:
    """Return how a table is called among the parameters: by its path, if it has one."""
    return "(a table)" if isinstance(table, pl.DataFrame) else None if table is None else str(table)


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
        return {"path": _name_of(table), "sha256": frame_digest(table)}
    path = Path(table)
    return {"path": str(table), "sha256": digest(path) if path.is_file() else None}
