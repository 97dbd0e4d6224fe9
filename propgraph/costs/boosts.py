"""Who paid to boost what, and whether it had spread before: adverts and paid posts beside organic shares."""

from __future__ import annotations

import polars as pl

from propgraph.costs.ads import most_spent_first
from propgraph.costs.alike import with_alike
from propgraph.costs.counting import SharesByTime
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
    found = pl.concat([_of_ads(ads, links), _of_posts(links)], how="diagonal")
    boosted = most_spent_first(found).unique(BOOSTS.key, keep="first", maintain_order=True)
    by_url = boosted.filter(pl.col("matched") == "url")
    by_site = boosted.filter(pl.col("matched") == "site")
    each = links.select(
        "content_id", "account_id", "timestamp", "time_resolution_s", "sponsor", "site", object_id="url"
    )
    # Two links of a post to one site are one share of it.
    of_sites = each.join(by_site.select("site").unique(), on="site", how="semi").unique(
        ["site", "content_id", "timestamp"], keep="any"
    )
    told = [
        with_alike(_counted(by_url, each, flagged, by="object_id"), each),
        _counted(by_site, of_sites, flagged, by="site"),
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
    told = _with_n_before(told, organic, by=by, at=("sure", "begun"))
    known = pl.col("start").is_not_null()
    return told.with_columns(
        n_before=pl.when(known).then("n_sure").cast(COUNT),
        n_after=pl.when(known).then(pl.col("n") - pl.col("n_begun")).cast(COUNT),
        by_then=pl.when(known & (pl.col("n") > 0)).then(pl.col("n_begun") / pl.col("n")),
    )


def _later(name: str, seconds: pl.Expr) -> pl.Expr:
    return (pl.col(name) + pl.duration(milliseconds=(seconds * 1000).round(0).cast(pl.Int64))).cast(TIME)


def _with_n_before(
    told: pl.DataFrame, organic: pl.DataFrame, *, by: str, at: tuple[str, ...]
) -> pl.DataFrame:
    """Add `n_NAME` for each time: how many organic shares of the same object came before it."""
    codes = told.select(by).unique().sort(by).with_row_index("code")
    shares = organic.join(codes, on=by).select("code", ms=pl.col("timestamp").dt.epoch("ms"))
    counts = SharesByTime(shares["code"].cast(pl.Int64).to_numpy(), shares["ms"].to_numpy(), codes.height)
    code = told.join(codes, on=by, how="left", maintain_order="left")["code"].cast(pl.Int64).to_numpy()
    for name in at:
        n = counts.before(code, told[name].dt.epoch("ms").fill_null(0).to_numpy())
        told = told.with_columns(pl.Series(f"n_{name}", n))
    return told


def _own() -> pl.Expr:
    """Return whether the page or the payer bears the site's name: one holds the other, legal forms left out."""
    label = pl.col("site").str.split(".").list.first().str.replace_all(r"[^\p{L}\p{N}]", "")
    return pl.any_horizontal(_alike(pl.col(name), label) for name in ("page", "payer")).fill_null(False)


def _alike(name: pl.Expr, label: pl.Expr) -> pl.Expr:
    plain = name.str.to_lowercase().str.replace_all(r"[._-]", " ").str.replace_all(_NO_NAMES, "")
    plain = plain.str.replace_all(r"[^\p{L}\p{N}]", "")
    short = pl.min_horizontal(plain.str.len_chars(), label.str.len_chars()) >= _NAME
    return short & (plain.str.contains(label, literal=True) | label.str.contains(plain, literal=True))
