"""Brandwatch (Consumer Research): mentions of many platforms, as its CSV or Excel export.

A few lines on the query stand above the header. A mention is known by its address; of X and Twitter the number in it is
the tweet's id, so that such a log meets others. Which post was reposted or answered is told by an address, too, and
older exports leave it out: then the account that began the thread is the origin.
"""

from __future__ import annotations

import polars as pl

from propgraph.readers.base import Reader, filled
from propgraph.readers.platforms.x_api import SNOWFLAKES
from propgraph.readers.platforms.x_archive import bare_text, without_posts

STATUS = r"(?i)^https?://(?:[\w-]+\.)*(?:twitter|x)\.com/[^/?#]+/status(?:es)?/(\d+)"
_WHOSE = r"(?i)^https?://(?:[\w-]+\.)*(?:twitter|x)\.com/([^/?#]+)/status"
_KINDS = {
    "share": "reshare", "retweet": "reshare", "repost": "reshare", "quote": "quote", "reply": "reply",
    "comment": "reply",
}  # fmt: skip


def on_x(address: pl.Expr, /) -> pl.Expr:
    """Return the id in the address of a tweet, other addresses as they are."""
    return pl.coalesce(address.str.extract(STATUS), address)


def _posts(frame: pl.DataFrame) -> pl.DataFrame:
    reshared, answered = filled("Twitter Retweet of"), filled("Twitter Reply to")
    told = filled("Thread Entry Type").str.to_lowercase().replace_strict(_KINDS, default=None)
    kind = (
        pl.when(reshared.is_not_null()).then(pl.lit("reshare"))
        .when(told.is_not_null()).then(told)
        .when(answered.is_not_null()).then(pl.lit("reply"))
        .otherwise(pl.lit("original"))
    )  # fmt: skip
    has_parent = kind != "original"
    parent = pl.coalesce(reshared, answered, filled("Thread URL"))
    status = filled("Url").str.extract(STATUS)
    return frame.select(
        content_id=on_x(filled("Url")),
        account_id=pl.coalesce(
            filled("Twitter Author ID"), filled("Facebook Author ID"), filled("Author"), filled("Full Name")
        ),
        account_name=pl.coalesce(filled("Author"), filled("Full Name")),
        followers="Twitter Followers",
        timestamp="Date",
        kind=kind,
        parent_content_id=pl.when(has_parent).then(on_x(parent)),
        origin_account_name=pl.when(has_parent).then(
            pl.coalesce(parent.str.extract(_WHOSE), filled("Thread Author"))
        ),
        target_id="Subreddit",
        text=bare_text(pl.coalesce(filled("Full Text"), filled("Snippet"))),
        urls=without_posts(_listed("Expanded URLs", r",\s*(https?://)"), status),
        hashtags=_listed("Hashtags", r",\s*(#)"),
        mentions=_listed("Mentioned Authors", r",\s*(@)"),
        language="Language",
        platform=pl.when(status.is_not_null()).then(pl.lit("x")).otherwise(_platform()),
    )


def _listed(name: str, between: str) -> pl.Expr:
    return filled(name).str.replace_all(between, "\n$1").str.split("\n")


def _platform() -> pl.Expr:
    return pl.coalesce(filled("Page Type"), filled("Content Source")).str.to_lowercase()


READERS: tuple[Reader, ...] = (
    Reader(
        name="brandwatch",
        title="Brandwatch, mentions of many platforms (Query Id, Query Name, Date, Url, Author, ...)",
        layouts=(("Query Id", "Query Name", "Date", "Url", "Author"),),
        uses=(
            "Snippet", "Full Text", "Full Name", "Expanded URLs", "Hashtags", "Mentioned Authors", "Language",
            "Page Type", "Content Source", "Subreddit", "Thread Author", "Thread Entry Type", "Thread URL",
            "Twitter Author ID", "Facebook Author ID", "Twitter Followers", "Twitter Reply to", "Twitter Retweet of",
        ),
        fields={
            "content_id": "Url; of a tweet the number in it",
            "account_id": "Twitter Author ID, else Facebook Author ID, Author, Full Name",
            "account_name": "Author, else Full Name",
            "followers": "Twitter Followers",
            "timestamp": "Date",
            "kind": "reshare where Twitter Retweet of is filled, else by Thread Entry Type (share, retweet, quote, "
            "reply, comment), else reply where Twitter Reply to is, else original",
            "parent_content_id": "Twitter Retweet of, Twitter Reply to or Thread URL, as content_id",
            "origin_account_name": "the name in that address, else Thread Author",
            "target_id": "Subreddit",
            "text": "Full Text, else Snippet, without `RT @name:`",
            "urls": "Expanded URLs, without the mention's own address",
            "hashtags": "Hashtags",
            "mentions": "Mentioned Authors",
            "language": "Language",
            "platform": "x by Url, else Page Type, else Content Source",
        },
        posts=_posts,
        sample="""Query Id,Query Name,Date,Title,Snippet,Url,Domain,Page Type,Author,Full Text,Expanded URLs,\
Thread Entry Type
1,valley,2024-03-05 10:00:00.0,,,http://twitter.com/ana/statuses/1764954002027446273,twitter.com,twitter,ana,Look,\
https://valley-herald.example/water,post
""",
        checked="public scripts that read such exports (column names, six lines above the header, `Date` as "
        "YYYY-MM-DD HH:MM:SS.0) and Brandwatch's definitions of its fields. Not verified: which words stand in "
        "Thread Entry Type, whether lists are joined by `, ` or `,` (both are read), the time zone, set by the query",
        snowflakes=SNOWFLAKES,
    ),
)  # fmt: skip
