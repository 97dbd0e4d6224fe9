"""What a user knows of sites, from tables: who registered them and when, ids of adverts, addresses, owners, labels.

Nothing is fetched: registers, adverts and addresses change, and what they said then is in nobody's reach now.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from propgraph.errors import InputError, listed
from propgraph.provenance import digest
from propgraph.pseudonyms.keys import Key, pseudonyms
from propgraph.pseudonyms.links import PLATFORMS
from propgraph.readers.find import find_logs
from propgraph.readers.layouts.tabular import columns_of, read_batches
from propgraph.readers.values.missing import WORDS
from propgraph.schema import ID, SITE_FACTS
from propgraph.sites.dates import with_days
from propgraph.sites.nobody import NOBODY
from propgraph.traces.urls import canonicalise_urls

#: The column that names the site: the first of these that a table has.
SITE_COLUMNS = ("site", "domain", "url", "website", "hostname")
#: Facts of which one value belongs to one hand: a rare one that two sites share ties them.
TIES = ("registrant", "ad_id", "analytics_id", "owner", "page_id", "email")
#: Of these not: a hoster serves strangers, so they count beside a tie, never for one.
BESIDE = ("ip", "network")
#: The fact by which a table says in the open who owns a site.
OWNER = "owner"
_FACT_OF = {
    "date_registered": "registered", "registration_date": "registered", "creation_date": "registered",
    "registered_at": "registered", "registrant_name": "registrant", "registrant_organization": "registrant",
    "registrant_organisation": "registrant", "adsense_id": "ad_id", "publisher_id": "ad_id", "ga_id": "analytics_id",
    "google_analytics_id": "analytics_id", "tracking_id": "analytics_id", "ip_address": "ip", "fb_id": "page_id",
    "facebook_id": "page_id", "registrant_email": "email",
}  # fmt: skip
# Not a list: free text, in which these signs are punctuation.
_ONE_VALUE = ("title", "description", "label", "kind")
_JOINTS = r"\s*[|;]\s*"
_UNDISCLOSED = "undisclosed"
# Facts of nobody: these stay as written where a study has pseudonyms. A title is a text, and left out as texts are.
_OF_NOBODY = ("registered", "label", "kind")
_TEXTS = ("title", "description")
#: A value that more sites hold is a proxy's or a hoster's: of so many at least, else this fraction of the sites.
MOST_SITES, MOST_SHARE = 10, 0.01
_EXAMPLES = 3


@dataclass(frozen=True)
class SiteFacts:
    """What tables say of sites.

    Attributes
    ----------
    facts
        The columns of `schema.SITE_FACTS`.
    record
        For `run.json`: of each file its rows, those used, those left out by reason, dates not read, its digest.
    notes
        Sentences on what was left out.
    """

    facts: pl.DataFrame
    record: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_sites(paths: str | Path | Sequence[str | Path], /) -> SiteFacts:
    """Read tables of facts about sites.

    A table has a column `site` (or `domain`, `url`, `website`, `hostname`, the first of these that is there), brought
    to one form as links are, and any others: each is a fact, whatever it is called. Some common names are put in one
    (`date_registered` is `registered`, `fb_id` is `page_id`). A cell may hold several values, joined by `|` or `;`;
    words for a missing value are none. Values of one fact that differ in case or blanks alone are one. Dates of
    registration, however written, become days (`2016-01-31`); those that cannot be read stay as they are and are told.

    Parameters
    ----------
    paths
        CSV, TSV, JSON, NDJSON, Parquet or Arrow, plain or packed; one, or several that are taken together.

    Returns
    -------
    SiteFacts
        The facts; `ties` is set where a value identifies one hand (`TIES`) and 2 to max(10, 1 % of the sites) hold it.

    Raises
    ------
    InputError
        When a file cannot be read, or has no column that names sites.
    """
    parts, record, notes = [], [], []
    for path in [paths] if isinstance(paths, str | Path) else list(paths):
        long, told = _read_one(path)
        long, told["dates_not_read"], told_of_dates = with_days(long)
        parts.append(long)
        record.append(told)
        notes += [f"{path}: {note}" for note in told_of_dates]
        notes += [f"{path}: {n:,} rows left out, {reason}" for reason, n in told["left_out"].items()]
        if not told["facts"]:
            notes.append(f"{path}: names sites, but has no column with a fact about them")
    table = pl.concat([pl.DataFrame(schema={"site": ID, "fact": ID, "value": ID}), *parts])
    return SiteFacts(counted(table), record, notes)


def _read_one(path: str | Path) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Return `site, fact, value` of one table, and what to tell of it."""
    files, _ = find_logs([path])
    parts, rows, left_out, facts = [], 0, Counter[str](), dict[str, None]()
    for file in files:
        there = columns_of(file)
        named = _site_column(file.name, there)
        for batch in read_batches(file, there):
            rows += batch.frame.height + batch.rejected.height
            if batch.rejected.height:
                left_out["no rows of a table"] += batch.rejected.height
            frame = batch.frame.with_columns(_as_text(batch.frame[name]) for name in batch.frame.columns)
            # Another column by that name changes places with it, and is a fact as any.
            others = {"site": named} if "site" in frame.columns else {}
            usable, reasons = _with_sites(frame.rename({**others, named: "site"}))
            left_out.update(reasons)
            long = _long(usable)
            facts.update(dict.fromkeys(long["fact"].unique(maintain_order=True)))
            parts.append(long)
    told = {
        "path": str(path), "rows": rows, "used": rows - sum(left_out.values()), "left_out": dict(left_out),
        "facts": list(facts), "sha256": digest(Path(path)) if Path(path).is_file() else None,
    }  # fmt: skip
    return pl.concat(parts) if parts else pl.DataFrame(schema={"site": ID, "fact": ID, "value": ID}), told


def _site_column(name: str, there: Sequence[str]) -> str:
    plain = {_plain_name(column): column for column in reversed(there)}
    for wanted in SITE_COLUMNS:
        if wanted in plain:
            return plain[wanted]
    raise InputError(
        f"{name}: no column names the site; a table of sites needs one of {', '.join(SITE_COLUMNS)}. "
        f"Found: {listed(there)}"
    )


def _plain_name(column: str) -> str:
    return re.sub(r"[\s-]+", "_", column.strip().lower())


def _as_text(values: pl.Series) -> pl.Series:
    """Return a column as text: lists joined by `|`, times as ISO 8601 writes them."""
    if isinstance(values.dtype, pl.List):
        return values.cast(pl.List(pl.String), strict=False).list.join("|")
    if isinstance(values.dtype, pl.Struct):
        return values.struct.json_encode()
    return values.cast(ID, strict=False)


def _with_sites(frame: pl.DataFrame) -> tuple[pl.DataFrame, Counter[str]]:
    """Return the rows that name a site, in its one form, and how many do not, by reason."""
    written = frame["site"].str.strip_chars()
    written = written.set(written.is_in(WORDS) | (written == ""), None)
    found = written.to_frame("site").join(
        forms_of_sites(written), on="site", how="left", maintain_order="left"
    )
    is_page = found["is_page"].fill_null(False)
    is_site = found["form"].is_not_null() & ~is_page
    reasons: Counter[str] = Counter()
    for reason, rows in (
        ("without a site", written.is_null()),
        ("not the address of a site", written.is_not_null() & found["form"].is_null()),
        ("pages of a platform, which are no sites", is_page),
    ):
        if n := int(rows.sum()):
            some = written.filter(rows).drop_nulls().head(_EXAMPLES).to_list()
            shown = f" ({', '.join(repr(text[:60]) for text in some)}{', ...' if n > len(some) else ''})"
            reasons[reason + (shown if some else "")] = n
    return frame.with_columns(site=found["form"]).filter(is_site), reasons


def forms_of_sites(written: pl.Series, /) -> pl.DataFrame:
    """Return the one form of sites as people write them: domains, hosts, or links to them.

    Parameters
    ----------
    written
        String; nulls and duplicates are allowed.

    Returns
    -------
    pl.DataFrame
        `site` (as written, each once), `form` (the registrable domain; null where it is none), `is_page` (it is a page
        of a platform: of somebody there, not of the platform).
    """
    raw = written.drop_nulls().unique().sort().to_frame("site")
    # A domain in a table of sites is one, whether or not its ending is in the list of public ones.
    raw = raw.with_columns(
        raw=pl.when(pl.col("site").str.contains("://", literal=True))
        .then("site")
        .otherwise(pl.lit("https://") + pl.col("site").str.strip_chars())
    )
    known = canonicalise_urls(raw["raw"]).select("raw", "url", form="site")
    found = raw.join(known, on="raw", how="left", maintain_order="left")
    form = pl.when(pl.col("form").str.contains(".", literal=True)).then("form")
    is_page = pl.col("form").is_in(PLATFORMS) & (pl.col("url") != "https://" + pl.col("form"))
    return found.select("site", form=form, is_page=is_page.fill_null(False))


def _long(frame: pl.DataFrame) -> pl.DataFrame:
    """Return `site, fact, value`, a row for each value of each cell."""
    parts = []
    for column in frame.columns:
        if column == "site":
            continue
        fact = _FACT_OF.get(_plain_name(column), _plain_name(column))
        value = pl.col(column).str.replace_all(r"\s+", " ").str.strip_chars()
        cells = frame.select("site", fact=pl.lit(fact, ID), value=value)
        if fact not in _ONE_VALUE:
            cells = cells.with_columns(pl.col("value").str.replace_all(_JOINTS, "|").str.split("|")).explode(
                "value"
            )
        parts.append(cells.filter(pl.col("value").is_not_null() & ~pl.col("value").is_in([*WORDS, ""])))
    empty = pl.DataFrame(schema={"site": ID, "fact": ID, "value": ID})
    return pl.concat([empty, *parts])


def counted(table: pl.DataFrame, /) -> pl.DataFrame:
    """Return `schema.SITE_FACTS` of facts `site, fact, value`: each once, with how many sites hold it."""
    n_sites = table["site"].n_unique()
    # Of one value's spellings the first in the alphabet stands for all.
    one = table.with_columns(key=pl.col("value").str.to_lowercase())
    spelling = one.group_by("fact", "key").agg(pl.col("value").min(), n=pl.col("site").n_unique())
    held = one.select("site", "fact", "key").unique().join(spelling, on=["fact", "key"])
    n = pl.col("n")
    rare = (n >= 2) & (n <= max(MOST_SITES, MOST_SHARE * n_sites))
    facts = held.select(
        "site", "fact", "value", n_sites_with_value="n",
        ties=pl.col("fact").is_in(TIES) & rare & ~pl.col("value").str.contains(NOBODY),
    )  # fmt: skip
    return SITE_FACTS.conform(facts.sort("site", "fact", "value"))


def owners_of(facts: pl.DataFrame, /) -> pl.DataFrame:
    """Return `site, owner` of the facts that name an owner: a proxy, or a word for nobody, owns no chain.

    Parameters
    ----------
    facts
        `site, fact, value`.
    """
    named = facts.filter(pl.col("fact") == OWNER, ~pl.col("value").str.contains(NOBODY))
    return named.select("site", owner="value").sort("site", "owner")


def with_hidden_names(facts: pl.DataFrame, /, *, key: Key) -> pl.DataFrame:
    """Return facts for a study with pseudonyms: those that may name or lead to a person are replaced.

    Registrants, owners, addresses, ids of adverts and any fact that nobody knows get pseudonyms, equal where they were
    equal; titles and descriptions are left out, as texts are. Sites, dates, labels and kinds stay. An owner that
    is nobody (see `owners_of`) is `undisclosed`.

    Parameters
    ----------
    facts
        `schema.SITE_FACTS`.
    key
        The study's key.
    """
    kept = facts.filter(~pl.col("fact").is_in(_TEXTS))
    value = kept["value"]
    hidden = pseudonyms(value.str.to_lowercase(), key=key)
    nobody = (kept["fact"] == OWNER) & value.str.contains(NOBODY)
    return (
        kept.with_columns(
            value=value.zip_with(kept["fact"].is_in(_OF_NOBODY), hidden).set(nobody, _UNDISCLOSED)
        )
        .sort("site", "fact", "value", "n_sites_with_value")
        .unique(["site", "fact", "value"], keep="first", maintain_order=True)
    )
