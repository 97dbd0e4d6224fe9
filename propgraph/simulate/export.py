"""A week of a log as a monitoring tool exports it: columns by the tool's own names, and a list of known accounts."""

from __future__ import annotations

import polars as pl

#: What of a log goes into the export: its first days, the crews of its first recruiters, so many other accounts.
_DAYS, _CREWS, _OTHERS = 7, 2, 150
_SITE = r"^https?://(?:www\.|m\.)?([^/]+)"


def small_export(
    log: pl.DataFrame, accounts: pl.DataFrame, sites: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return a part of a log as few columns of another tool, and what is known of its accounts.

    In it are the crews of the first two recruiters, the newsroom, and those others who post most of the
    newsroom's links: without these no one could see that a newsroom has readers.

    Parameters
    ----------
    log, accounts, sites
        The log and its truth, with the columns of `VelesLog`.

    Returns
    -------
    tuple
        The log, sorted by time: `user` (names), `posted` (`2016-10-24 08:15:00`, UTC)`, link, text`. The accounts,
        sorted: `account_id` (names), `label` (true for the crews), `group`.
    """
    names = log.group_by("account_id").agg(user=pl.col("account_name").first())
    names = names.filter(pl.col("user").is_unique())
    end = pl.lit(log["timestamp"].min()).dt.truncate("1d").dt.offset_by(f"{_DAYS}d")
    newsrooms = sites.filter(pl.col("role") == "newsroom")["site"]
    posts = (
        log.filter(pl.col("kind") == "original", pl.col("url").is_not_null(), pl.col("timestamp") < end)
        .join(names, on="account_id")
        .join(accounts, on="account_id")
        .with_columns(read=pl.col("url").str.extract(_SITE).is_in(newsrooms.implode()))
    )
    known = _chosen(posts)
    table = (
        posts.join(known, on="account_id")
        .sort("timestamp", "content_id")
        .select("user", posted=pl.col("timestamp").dt.strftime("%Y-%m-%d %H:%M:%S"), link="url", text="text")
    )
    return table, known.select(account_id="user", label="organised", group="group").sort("account_id")


def _chosen(posts: pl.DataFrame) -> pl.DataFrame:
    """Return the accounts of the export: crews, newsroom, and the newsroom's most faithful others."""
    who = posts.group_by("account_id", "user", "role", "group", "organised").agg(
        pl.col("read").sum(), n=pl.len()
    )
    crews = who.filter("organised")["group"].unique().sort().head(_CREWS)
    acting = who.filter(
        (pl.col("organised") & pl.col("group").is_in(crews.implode())) | (pl.col("role") == "newsroom")
    )
    others = who.filter(~pl.col("organised"), ~pl.col("role").is_in(["newsroom", "desk"]))
    readers = others.sort("read", "n", "account_id", descending=[True, True, False]).head(_OTHERS)
    return pl.concat([acting, readers]).select("account_id", "user", "group", "organised")
