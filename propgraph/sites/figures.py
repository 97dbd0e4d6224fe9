"""The figures of sites: who shares them, who shares them first, for how long, into how many groups."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from propgraph.arrays.encoding import codes_of, encode
from propgraph.schema import COUNT, ID, TIME
from propgraph.sites.one_operator import reasons_of
from propgraph.sites.operators import NO_OPERATORS

FIRST = 10
"""So many shares of a URL are its first ones."""

DOUBT = 2.0
"""Smoothing: so many early shares that nobody flagged are added, so that one flagged early share of one is not 1."""

_NO_TARGETS = {"content_id": ID, "target_id": ID, "sponsor": ID}


@dataclass(frozen=True)
class SiteInputs:
    """All that the figures of sites are made from.

    Attributes
    ----------
    links
        All links: `site, url, account_id, content_id, timestamp`, and `time_resolution_s` where it is known; one
        row a post and URL.
    flagged
        `account_id, cluster_id` of the members of flagged clusters.
    posts
        `content_id, target_id, sponsor` of the posts that went into a group or were paid for, a row a post and
        group; None where the log knows of neither.
    accounts
        `account_id, name`; None where nobody's name is known.
    facts
        `site, fact, value`: what the user says of sites; None where nothing is said.
    copies
        `Copies.sites` of `copies`; None without articles.
    copied_urls
        `url` of the articles that are copies; None without articles.
    operators, seeders
        Which sites one hand seems to run, and why, as from `one_operator.reasons_of`; `site, account_id` of those who
        share several of them first. None where nobody looked.
    """

    links: pl.DataFrame
    flagged: pl.DataFrame
    posts: pl.DataFrame | None = None
    accounts: pl.DataFrame | None = None
    facts: pl.DataFrame | None = None
    copies: pl.DataFrame | None = None
    copied_urls: pl.DataFrame | None = None
    operators: pl.DataFrame | None = None
    seeders: pl.DataFrame | None = None


def in_order(inputs: SiteInputs, /) -> pl.DataFrame:
    """Return all links by URL, its shares by time, with `cluster_id`, `seeder`, `early` (of its first ten), `copied`.

    URLs are numbers here: they are long, and only told apart. Where the times of a URL's shares are not equally fine, a
    flagged cluster's by coarser ones count as late as they can be.
    """
    links = inputs.links
    copied = pl.lit(False)
    if inputs.copied_urls is not None:
        copied = pl.col("url").is_in(inputs.copied_urls["url"].implode())
    links = links.with_columns(copied=copied, url=pl.Series(codes_of(encode(links["url"]))))
    links = links.join(inputs.flagged, on="account_id", how="left")
    known = links.get_column("time_resolution_s", default=None)
    at = pl.col("timestamp")
    if known is not None and known.n_unique() > 1:
        step = pl.col("time_resolution_s").fill_null(0.0)
        coarser = ((step - step.min().over("url")) * 1000).cast(pl.Int64)
        at = (
            pl.when(pl.col("cluster_id").is_null()).then(at).otherwise(at + pl.duration(milliseconds=coarser))
        )
    links = links.sort("url", at, "account_id", "content_id")
    return links.with_columns(
        early=pl.int_range(pl.len()).over("url") < FIRST, seeder=pl.col("cluster_id").is_not_null()
    )


def makers_of_half(links: pl.DataFrame, /) -> pl.DataFrame:
    """Return `site, account_id, n_early` of the fewest accounts that make half of each site's first shares.

    Those that make most come first; of equals, whose name sorts first.
    """
    counts = links.filter("early").group_by("site", "account_id").agg(n_early=pl.len())
    counts = counts.sort(["site", "n_early", "account_id"], descending=[False, True, False])
    # Those before the running sum reaches half, and one more.
    before = pl.col("n_early").cum_sum().shift(1, fill_value=0).over("site")
    return counts.filter(before * 2 < pl.col("n_early").sum().over("site"))


def figures_of(inputs: SiteInputs, links: pl.DataFrame, makers: pl.DataFrame, /) -> pl.DataFrame:
    """Return a row for each site with all its figures that need no comparison with other sites.

    Parameters
    ----------
    inputs
        What the figures are made from.
    links
        The links in order, as from `in_order`.
    makers
        Who makes half of the first shares, as from `makers_of_half`.
    """
    n_half = makers.group_by("site").agg(n_half_seeders=pl.len().cast(COUNT))
    table = _traffic(links)
    for part in (_early(links), n_half, _top_cluster(links), _into_groups(inputs, links), _ages(inputs)):
        table = table.join(part, on="site", how="left")
    table = table.with_columns(
        early_share=pl.col("n_seeded") / pl.col("n_early"),
        seeded=pl.col("n_seeded") / (pl.col("n_early") + DOUBT),
        life_s=(pl.col("last_seen") - pl.col("first_seen")).dt.total_milliseconds() / 1000,
        age_at_first_share_s=(pl.col("first_seen") - pl.col("registered")).dt.total_milliseconds() / 1000,
    )
    return _with_others(table, inputs).sort("site")


def _with_others(table: pl.DataFrame, inputs: SiteInputs) -> pl.DataFrame:
    """Add what other tables say of sites: copies and operators, null where nobody looked."""
    copies, operators = inputs.copies, inputs.operators
    if copies is None:
        copies = pl.DataFrame(
            schema={
                "site": ID, "n_articles": COUNT, "n_compared": COUNT, "n_later": COUNT, "n_copied": COUNT,
                "lag_s": pl.Float64, "copies_q": pl.Float64, "sources": pl.List(pl.String),
            }
        )  # fmt: skip
    if operators is None:
        operators = reasons_of(NO_OPERATORS)
    return (
        table.join(copies, on="site", how="left")
        .join(operators, on="site", how="left")
        .with_columns(
            copied_share=pl.col("n_copied") / pl.col("n_articles"), median_copy_lag_s=pl.col("lag_s")
        )
    )


def _traffic(links: pl.DataFrame) -> pl.DataFrame:
    accounts = links.group_by("site", "account_id").len()
    rank = pl.int_range(1, pl.len() + 1)
    n = pl.len()
    gini = (
        pl.when(n == 1)
        .then(1.0)
        .otherwise(2 * (rank * pl.col("len").sort()).sum() / (n * pl.col("len").sum()) - (n + 1) / n)
    )
    spread = accounts.group_by("site").agg(gini=gini, n_accounts=n.cast(COUNT))
    days = links.group_by("site", day=pl.col("timestamp").dt.epoch("d")).len()
    busiest = days.group_by("site").agg(burst_share=pl.col("len").max() / pl.col("len").sum())
    return (
        links.group_by("site")
        .agg(
            n_shares=pl.len().cast(COUNT),
            n_urls=pl.col("url").n_unique().cast(COUNT),
            first_seen=pl.col("timestamp").min(),
            last_seen=pl.col("timestamp").max(),
            coordinated_share=pl.col("seeder").mean(),
        )
        .join(spread, on="site")
        .join(busiest, on="site")
    )


def _early(links: pl.DataFrame) -> pl.DataFrame:
    return links.filter("early").group_by("site").agg(n_early=pl.len(), n_seeded=pl.col("seeder").sum())


def _top_cluster(links: pl.DataFrame) -> pl.DataFrame:
    counts = links.filter("seeder").group_by("site", "cluster_id").len()
    ordered = counts.sort(["site", "len", "cluster_id"], descending=[False, True, False])
    return ordered.group_by("site", maintain_order=True).agg(top_cluster_id=pl.col("cluster_id").first())


def posts_in_groups(inputs: SiteInputs, links: pl.DataFrame, /) -> pl.DataFrame:
    """Return `site, url, account_id, content_id, timestamp, target_id, sponsor` of links in groups, or paid for."""
    posts = inputs.posts if inputs.posts is not None else pl.DataFrame(schema=_NO_TARGETS)
    wanted = links.select("site", "url", "account_id", "content_id", "timestamp")
    if posts.is_empty():
        return wanted.clear().with_columns(pl.lit(None, ID).alias(name) for name in ("target_id", "sponsor"))
    return wanted.join(posts.unique(), on="content_id")


def _into_groups(inputs: SiteInputs, links: pl.DataFrame) -> pl.DataFrame:
    """Count the groups that links went into, and what part was paid for; null where the log knows of none."""
    posts = posts_in_groups(inputs, links)
    in_group = posts.drop_nulls("target_id")
    fans = in_group.group_by("site", "url", "account_id").agg(n=pl.col("target_id").n_unique())
    groups = in_group.group_by("site").agg(n_groups=pl.col("target_id").n_unique().cast(COUNT))
    fanned = fans.group_by("site").agg(
        groups_per_url=pl.col("n").mean(),
        n_fanning=(pl.col("n") > 1).sum(),
        n_fanners=pl.col("account_id").filter(pl.col("n") > 1).n_unique(),
    )
    paid = posts.drop_nulls("sponsor").select("site", "url", "content_id").unique()
    n_paid = paid.group_by("site").agg(n_sponsored=pl.len())
    table = links.group_by("site").agg(n_links=pl.len())
    for part in (groups, fanned, n_paid):
        table = table.join(part, on="site", how="left")
    is_in, is_paid = not in_group.is_empty(), not paid.is_empty()
    none = pl.lit(None)
    return table.select(
        "site",
        "groups_per_url",
        "n_fanning",
        "n_fanners",
        n_groups=pl.col("n_groups").fill_null(0) if is_in else none,
        sponsored_share=pl.col("n_sponsored").fill_null(0) / pl.col("n_links") if is_paid else none,
    )


def _ages(inputs: SiteInputs) -> pl.DataFrame:
    """Return when each site was registered, by the user's facts; of several dates the first."""
    facts = inputs.facts
    if facts is None:
        return pl.DataFrame(schema={"site": ID, "registered": TIME})
    day = pl.col("value").str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    return (
        facts.filter(pl.col("fact") == "registered")
        .group_by("site")
        .agg(registered=day.min().cast(pl.Datetime("ms")).dt.replace_time_zone("UTC"))
    )
