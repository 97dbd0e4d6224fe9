"""Who paid to boost what, and whether it had spread before: adverts and paid posts beside organic shares."""

from __future__ import annotations

import polars as pl

from propgraph.costs.alike import with_alike
from propgraph.schema import BOOSTS, COUNT, ID, IDS, SECONDS, TIME
from propgraph.traces.pages import PAGES
from propgraph.traces.urls import canonicalise_urls

# What anybody can post to is nobody's site: an advert for it says nothing of a post there.
_PLATFORMS = sorted({page.site for page in PAGES if page.site})
_NAME = 4  # letters: a shorter name stands in others by chance
_NO_NAMES = r"\b(?:inc|llc|ltd|gmbh|corp|co|company|the|www|com|net|org|info|media|group)\b"


def find_boosts(
    ads: pl.DataFrame, links: pl.DataFrame, /, *, sponsored: pl.DataFrame, flagged: pl.DataFrame
) -> pl.DataFrame:
    """Return who paid to boost which URL or site of the log, and what was shared before and after.

    It is a fact and no flag: a shop pays to show its wares, and an outlet its stories. `own` says where the payer bears
    the site's name.

    Parameters
    ----------
    ads
        As from `ads.read_ads`.
    links
        All links of the log: `site, url, account_id, content_id, timestamp, time_resolution_s`.
    sponsored
        `content_id, sponsor` of posts that somebody paid for, as from `sponsors.sponsored_posts`.
    flagged
        `account_id, cluster_id` of the members of flagged clusters.

    Returns
    -------
    pl.DataFrame
        Columns of `schema.BOOSTS`, sorted by its key.
    """
    if links.is_empty() or (ads.is_empty() and sponsored.is_empty()):
        return BOOSTS.empty()
    links = links.join(sponsored, on="content_id", how="left")
    boosted = pl.concat([_of_ads(ads, links), _of_posts(links)], how="diagonal").unique(
        BOOSTS.key, keep="first", maintain_order=True
    )
    by_url = boosted.filter(pl.col("matched") == "url")
    by_site = boosted.filter(pl.col("matched") == "site")
    each = links.select(
        "content_id", "account_id", "timestamp", "time_resolution_s", "sponsor", "site", object_id="url"
    )
    told = [
        with_alike(_counted(by_url, each, flagged, by="object_id"), each),
        # Two links of a post to one site are one share of it.
        _counted(by_site, each.unique(["site", "content_id", "timestamp"], keep="any"), flagged, by="site"),
    ]
    table = pl.concat(told, how="diagonal").with_columns(own=_own())
    return BOOSTS.conform(
        table.select(pl.col(name) for name in BOOSTS.columns if name in table.columns)
    ).sort(BOOSTS.key)


def _of_ads(ads: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    """Return the adverts for URLs of the log, and for its sites where no URL of the advert is there."""
    each = ads.with_row_index("ad").explode("links").drop_nulls("links")
    forms = canonicalise_urls(each["links"]).select(
        links="raw", url="url", site="site", is_shortener="is_shortener"
    )
    each = each.join(forms, on="links").drop_nulls("url").drop("links")
    there = links.select("url", "site").unique()
    exact = each.join(there, on=["url", "site"], how="semi").with_columns(matched=pl.lit("url"))
    sites = (
        each.filter(~pl.col("is_shortener"), ~pl.col("site").is_in(_PLATFORMS))
        .join(exact, on=["ad", "site"], how="anti")
        .join(there, on="site", how="semi")
        .with_columns(url=pl.lit(None, ID), matched=pl.lit("site"))
    )
    return (
        pl.concat([exact, sites.select(exact.columns)])
        .rename({"url": "object_id"})
        .drop("ad", "is_shortener")
        .with_columns(source=pl.lit("ads"))
    )


def _of_posts(links: pl.DataFrame) -> pl.DataFrame:
    """Return the URLs in posts that somebody paid for, once for each who did."""
    paid = links.filter(pl.col("sponsor").is_not_null())
    return (
        paid.group_by("site", object_id="url", payer="sponsor")
        .agg(
            start=pl.col("timestamp").min(),
            stop=pl.col("timestamp").max(),
            start_resolution_s=pl.col("time_resolution_s").max().cast(SECONDS),
        )
        .with_columns(
            source=pl.lit("posts"), matched=pl.lit("url"), page=pl.lit(None, ID), ad_id=pl.lit(None, ID)
        )
        .sort("object_id", "payer")
    )


def _counted(boosted: pl.DataFrame, shares: pl.DataFrame, flagged: pl.DataFrame, *, by: str) -> pl.DataFrame:
    """Add what was shared before and after; a share on the day of an advert's date is neither."""
    shares = shares.join(boosted.select(by).unique(), on=by, how="semi")
    organic = shares.filter(pl.col("sponsor").is_null())
    each = organic.group_by(by).agg(
        first_share=pl.col("timestamp").min(),
        n=pl.len(),
        coarse=pl.col("time_resolution_s").max().fill_null(0.0).cast(SECONDS),
    )
    paid = shares.filter(pl.col("sponsor").is_not_null()).group_by(by).agg(n_sponsored=pl.len())
    clusters = (
        shares.join(flagged, on="account_id")
        .group_by(by)
        .agg(cluster_ids=pl.col("cluster_id").unique().sort())
    )
    told = (
        boosted.join(each, on=by, how="left")
        .join(paid, on=by, how="left")
        .join(clusters, on=by, how="left")
        .with_columns(
            pl.col("n", "n_sponsored").fill_null(0).cast(COUNT),
            pl.col("cluster_ids").fill_null(pl.lit([], IDS)),
            coarse=pl.when(pl.col("coarse") > 1).then("coarse").fill_null(0.0),
            lead_s=(pl.col("start") - pl.col("first_share")).dt.total_milliseconds() / 1000,
        )
        .with_columns(
            # A coarse time lies anywhere in its step, and so does an advert's date.
            sure=pl.when(pl.col("coarse") > 0)
            .then(_later("start", 0.001 - pl.col("coarse")))
            .otherwise("start"),
            begun=_later("start", pl.max_horizontal("coarse", pl.col("start_resolution_s").fill_null(0.0))),
        )
    )
    told = _n_before(_n_before(told, organic, by=by, at="sure"), organic, by=by, at="begun")
    known = pl.col("start").is_not_null()
    return told.with_columns(
        n_before=pl.when(known).then("n_sure").cast(COUNT),
        n_after=pl.when(known).then(pl.col("n") - pl.col("n_begun")).cast(COUNT),
        by_then=pl.when(known & (pl.col("n") > 0)).then(pl.col("n_begun") / pl.col("n")),
    )


def _later(name: str, seconds: pl.Expr) -> pl.Expr:
    return (pl.col(name) + pl.duration(milliseconds=(seconds * 1000).round(0).cast(pl.Int64))).cast(TIME)


def _n_before(told: pl.DataFrame, shares: pl.DataFrame, *, by: str, at: str) -> pl.DataFrame:
    """Add `n_{at}`: how many shares of the same object came before a time."""
    counts = (
        shares.sort(by, "timestamp")
        .select(by, moment="timestamp", so_far=pl.int_range(1, pl.len() + 1).over(by).cast(COUNT))
        .unique([by, "moment"], keep="last", maintain_order=True)
        .sort("moment", by)
    )
    rows = told.with_row_index("place")
    placed = rows.filter(pl.col(at).is_not_null()).select("place", by, moment=at).sort("moment", "place")
    found = placed.join_asof(
        counts, on="moment", by=by, strategy="backward", allow_exact_matches=False, check_sortedness=False
    ).select("place", pl.col("so_far").fill_null(0).alias(f"n_{at}"))
    return rows.join(found, on="place", how="left", maintain_order="left").drop("place")


def _own() -> pl.Expr:
    """Return whether the page or the payer bears the site's name: one holds the other, legal forms left out."""
    label = pl.col("site").str.split(".").list.first().str.replace_all(r"[^\p{L}\p{N}]", "")
    return pl.any_horizontal(_alike(pl.col(name), label) for name in ("page", "payer")).fill_null(False)


def _alike(name: pl.Expr, label: pl.Expr) -> pl.Expr:
    plain = name.str.to_lowercase().str.replace_all(r"[._-]", " ").str.replace_all(_NO_NAMES, "")
    plain = plain.str.replace_all(r"[^\p{L}\p{N}]", "")
    short = pl.min_horizontal(plain.str.len_chars(), label.str.len_chars()) >= _NAME
    return short & (plain.str.contains(label, literal=True) | label.str.contains(plain, literal=True))
