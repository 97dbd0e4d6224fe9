"""Sites: who shares them, who shares them first, and how much of both is the work of flagged clusters."""

from __future__ import annotations

import polars as pl

from propgraph.schema import COUNT, EVIDENCE, SITES

SEEDED = "seeded"
FIRST = 10
# Smoothing: two early shares that nobody flagged are added, so that one flagged early share of one does not score 1.
_DOUBT = 2.0


def measure_sites(
    links: pl.DataFrame, flagged: pl.DataFrame, /, *, min_score: float = 0.5
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the `sites` table and the evidence for the sites flagged `seeded`.

    A site's score is the fraction of its URLs' first ten shares that flagged clusters made, smoothed by two shares
    that nobody flagged: early / (all early + 2). At `min_score` or more over at least two URLs it is seeded. Where the
    times of a URL's shares are not equally fine, a flagged cluster's by coarser ones count as late as they can be.

    Parameters
    ----------
    links
        All links: `site, url, account_id, content_id, timestamp`, and `time_resolution_s` where it is known; one
        row a post and URL.
    flagged
        `account_id, cluster_id` of the members of flagged clusters.
    min_score
        From which score on a site is flagged, 0..1.

    Returns
    -------
    tuple of pl.DataFrame
        Columns of `schema.SITES`, highest score first, and of `schema.EVIDENCE`.
    """
    if links.is_empty():
        return SITES.empty(), EVIDENCE.empty()
    links = _in_order(links.join(flagged, on="account_id", how="left"))
    links = links.with_columns(
        early=pl.int_range(pl.len()).over("url") < FIRST, seeder=pl.col("cluster_id").is_not_null()
    )
    table = (
        _figures(links)
        .join(_early(links), on="site", how="left")
        .join(_top_cluster(links), on="site", how="left")
    )
    table = table.with_columns(
        early_share=pl.col("n_seeded") / pl.col("n_early"),
        score=pl.col("n_seeded") / (pl.col("n_early") + _DOUBT),
    ).sort(["score", "n_seeded", "n_shares", "site"], descending=[True, True, True, False])
    is_seeded = (pl.col("score") >= min_score) & (pl.col("n_urls") >= 2)
    table = table.with_columns(
        flags=pl.when(is_seeded).then(pl.lit([SEEDED])).otherwise(pl.lit([], dtype=pl.List(pl.String)))
    )
    n_seeded, n_early = pl.col("n_seeded"), pl.col("n_early")
    table = table.with_columns(
        others=((n_seeded.sum() - n_seeded) / (n_early.sum() - n_early)).fill_nan(None)
    )
    there = [name for name in SITES.columns if name in table.columns]
    return SITES.conform(table.select(there)), _evidence(table, links, min_score)


def _in_order(links: pl.DataFrame) -> pl.DataFrame:
    """Sort links by URL, and its shares by time."""
    known = links.get_column("time_resolution_s", default=None)
    at = pl.col("timestamp")
    if known is not None and known.n_unique() > 1:
        step = pl.col("time_resolution_s").fill_null(0.0)
        coarser = ((step - step.min().over("url")) * 1000).cast(pl.Int64)
        at = (
            pl.when(pl.col("cluster_id").is_null()).then(at).otherwise(at + pl.duration(milliseconds=coarser))
        )
    return links.sort("url", at, "account_id", "content_id")


def _figures(links: pl.DataFrame) -> pl.DataFrame:
    accounts = links.group_by("site", "account_id").len()
    rank = pl.int_range(1, pl.len() + 1)
    n = pl.len()
    gini = (
        pl.when(n == 1)
        .then(1.0)
        .otherwise(2 * (rank * pl.col("len").sort()).sum() / (n * pl.col("len").sum()) - (n + 1) / n)
    )
    spread = accounts.group_by("site").agg(gini=gini, n_accounts=n.cast(COUNT))
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
    )


def _early(links: pl.DataFrame) -> pl.DataFrame:
    early = links.filter("early")
    by_account = early.group_by("site", "account_id").len().sort(["site", "len"], descending=[False, True])
    # Fewest accounts that make half: those before the running sum reaches half, and one more.
    half = (pl.col("len").cum_sum().shift(1, fill_value=0) * 2 < pl.col("len").sum()).sum()
    seeders = by_account.group_by("site", maintain_order=True).agg(n_half_seeders=half.cast(COUNT))
    return (
        early.group_by("site").agg(n_early=pl.len(), n_seeded=pl.col("seeder").sum()).join(seeders, on="site")
    )


def _top_cluster(links: pl.DataFrame) -> pl.DataFrame:
    counts = links.filter("seeder").group_by("site", "cluster_id").len()
    ordered = counts.sort(["site", "len", "cluster_id"], descending=[False, True, False])
    return ordered.group_by("site", maintain_order=True).agg(top_cluster_id=pl.col("cluster_id").first())


def _evidence(table: pl.DataFrame, links: pl.DataFrame, min_score: float) -> pl.DataFrame:
    seeded = table.filter(pl.col("flags").list.len() > 0)
    posts = links.filter(pl.col("early") & pl.col("seeder")).sort("timestamp", "content_id")
    shown = posts.group_by("site", maintain_order=True).agg(
        content_ids=pl.col("content_id").unique(maintain_order=True).head(20)
    )
    rows = seeded.join(shown, on="site", how="left", maintain_order="left").select(
        subject_type=pl.lit("site"),
        subject_id="site",
        rule=pl.lit(SEEDED),
        value="score",
        threshold=pl.lit(min_score),
        expected="others",
        content_ids="content_ids",
        sentence=pl.format(
            "flagged clusters made {} of the first ten shares in this log of its {} URLs ({} of {}); "
            "of other sites' {}",
            _percent("early_share"), "n_urls", "n_seeded", "n_early", _percent("others").fill_null("none are there"),
        ),
    )  # fmt: skip
    return EVIDENCE.conform(rows)


def _percent(name: str) -> pl.Expr:
    return pl.format("{}%", (pl.col(name) * 100).round(0).cast(pl.Int64))
