"""The sites of a log in pairs: shared first by the same accounts, rare facts in common, names by one template."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from propgraph.arrays.encoding import codes_of, encode, labels_of
from propgraph.arrays.incidence import Incidence
from propgraph.arrays.types import Int64
from propgraph.pseudonyms.links import PLATFORMS
from propgraph.schema import SITE_PAIRS
from propgraph.sites.facts import BESIDE, MOST_SHARE, MOST_SITES
from propgraph.sites.first_sharers import FirstSharers, first_sharers
from propgraph.sites.names import templates
from propgraph.sites.shared import SharedFirst, shared_first

#: The false discovery rate up to which the same accounts share two sites first.
Q = 0.05
# Pairs up to this rate are listed, for whoever wants to see what was near.
_LISTED_Q = 0.5
# A template that more sites have gives no pairs; as a column of operators it stays.
_MOST_OF_NAME = 100


@dataclass(frozen=True)
class SitesOfLog:
    """The sites of a log: who shares them, who first, and which pairs of them that ties.

    Attributes
    ----------
    names
        Registrable domains, sorted; their places are the codes of all else.
    accounts
        Labels of the accounts.
    sharers, shared
        Who shares each site; what the first sharers of two sites have in common.
    totals
        `site, n_urls, n_shares, first_seen, last_seen`, in the order of `names`.
    """

    names: pl.Series
    accounts: pl.Series
    sharers: FirstSharers
    shared: SharedFirst
    totals: pl.DataFrame


def sites_of_log(log: Incidence, objects: pl.DataFrame, /, *, threads: int) -> SitesOfLog:
    """Return what the shares of a log say of its sites. Platforms and shorteners are no sites here: all use them.

    Parameters
    ----------
    log
        All shares of URLs.
    objects
        `object_id, site, is_shortener` of the URLs, as in `schema.OBJECTS`.
    threads
        At most so many at once.
    """
    known = objects.select("object_id", "site", "is_shortener")
    if known.height != len(log.objects) or not (known["object_id"] == log.objects).all():
        known = log.objects.alias("object_id").to_frame().join(
            known, on="object_id", how="left", maintain_order="left"
        )  # fmt: skip
    no_site = (
        known["site"].is_null() | known["site"].is_in(PLATFORMS) | known["is_shortener"].fill_null(False)
    )
    encoded = encode(known["site"].set(no_site, ""))
    names, code = labels_of(encoded), codes_of(encoded).astype(np.int64)
    if len(names) and names[0] == "":
        names, code = names.slice(1), code - 1
    sharers = first_sharers(log, code, n_sites=len(names))
    shared = shared_first(sharers, threads=threads)
    return SitesOfLog(names, log.accounts, sharers, shared, _totals(log, code, names))


def _totals(log: Incidence, site: Int64, names: pl.Series) -> pl.DataFrame:
    there = (np.diff(log.offsets) > 0) & (site >= 0)
    start, end = log.offsets[:-1][there], log.offsets[1:][there]
    n = len(names)
    first, last = np.full(n, np.iinfo(np.int64).max), np.full(n, np.iinfo(np.int64).min)
    np.minimum.at(first, site[there], log.time[start])
    np.maximum.at(last, site[there], log.time[end - 1])
    time = pl.Datetime("ms", "UTC")
    return pl.DataFrame(
        {
            "site": names,
            "n_urls": np.bincount(site[there], minlength=n),
            "n_shares": np.bincount(site[there], weights=end - start, minlength=n).astype(np.int64),
            "first_seen": pl.Series(first).cast(time),
            "last_seen": pl.Series(last).cast(time),
        }
    )


def pairs_of_sites(sites: SitesOfLog, facts: pl.DataFrame, /) -> pl.DataFrame:
    """Return the pairs of a log's sites that anything ties.

    Parameters
    ----------
    sites
        The sites of the log.
    facts
        `schema.SITE_FACTS`.

    Returns
    -------
    pl.DataFrame
        The columns of `schema.SITE_PAIRS`, sorted, and `weight`: -log10 of the p-value plus, for each rare fact that
        both share, log10 of the tables' sites over those that hold it. Listed are pairs at a false discovery rate of a
        half, with a rare fact in common, or with names by one template.
    """
    shared = sites.shared
    names = sites.names
    first = pl.DataFrame(
        {
            "source": names.gather(shared.source), "target": names.gather(shared.target),
            "n_first_sharers": shared.n_first, "expected": shared.expected, "n_sharers": shared.n_both,
            "expected_order": shared.expected_order, "p_value": shared.p_value, "q_value": shared.q_value,
        },
        schema_overrides={"source": pl.String, "target": pl.String},
    )  # fmt: skip
    held = facts.filter(pl.col("site").is_in(names.implode()))
    told = first.select("source", "target").vstack(pairs_by_facts(held).select("source", "target"))
    by_name = _pairs_by_name(names)
    pairs = pl.concat([told, by_name.select("source", "target")]).unique()
    pairs = (
        pairs.join(first, on=["source", "target"], how="left")
        .join(
            _shared_facts(pairs, held, n_sites=facts["site"].n_unique()), on=["source", "target"], how="left"
        )
        .join(by_name, on=["source", "target"], how="left")
    )
    surely = -pl.max_horizontal("p_value", pl.lit(1e-300)).log10()
    return (
        pairs.with_columns(
            weight=surely.fill_null(0.0) + pl.col("of_facts").fill_null(0.0),
            shared_facts=pl.col("shared_facts").fill_null(pl.lit([], pl.List(pl.String))),
        )
        .drop("of_facts")
        .sort("source", "target")
    )


def listed(pairs: pl.DataFrame, /) -> pl.DataFrame:
    """Return `schema.SITE_PAIRS` of the pairs that are worth a row."""
    tied = pl.col("ties") | pl.col("name_template").is_not_null() | pl.col("operator_id").is_not_null()
    return SITE_PAIRS.conform(
        pairs.filter((pl.col("q_value") <= _LISTED_Q).fill_null(False) | tied.fill_null(False)).drop(
            "weight", "ties"
        )
    )


def pairs_by_facts(facts: pl.DataFrame, /) -> pl.DataFrame:
    """Return `source, target, fact, value`: pairs of sites that share a rare fact which ties them."""
    ties = facts.filter("ties").select("site", "fact", "value")
    return (
        ties.rename({"site": "source"})
        .join(ties.rename({"site": "target"}), on=["fact", "value"])
        .filter(pl.col("source") < pl.col("target"))
    )


def _shared_facts(pairs: pl.DataFrame, facts: pl.DataFrame, *, n_sites: int) -> pl.DataFrame:
    """Return for pairs the rare facts that both share, whether one ties them, and the weight of those that do."""
    rare = pl.col("n_sites_with_value").is_between(2, max(MOST_SITES, MOST_SHARE * n_sites))
    some = facts.filter(pl.col("ties") | (pl.col("fact").is_in(BESIDE) & rare))
    mine = some.select(source="site", fact="fact", value="value", n="n_sites_with_value", one="ties")
    both = (
        pairs.join(mine, on="source")
        .join(some.select("fact", "value", target="site"), on=["target", "fact", "value"])
        .sort("source", "target", "fact", "value")
    )
    return both.group_by("source", "target", maintain_order=True).agg(
        shared_facts=pl.format("{}={}", "fact", "value"),
        of_facts=(max(n_sites, 1) / pl.col("n")).log10().filter(pl.col("one")).sum(),
        ties=pl.col("one").any(),
    )


def _pairs_by_name(names: pl.Series) -> pl.DataFrame:
    """Return `source, target, name_template` of sites with names by one template."""
    named = pl.DataFrame({"source": names, "name_template": templates(names)}).drop_nulls()
    some = named.filter(pl.len().over("name_template").is_between(2, _MOST_OF_NAME))
    return some.join(some.rename({"source": "target"}), on="name_template").filter(
        pl.col("source") < pl.col("target")
    )
