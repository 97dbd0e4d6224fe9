"""Brandwatch (Consumer Research): mentions of many platforms, as its CSV or Excel export.

A few lines on the query stand above the header. A mention is known by its address; of X and Twitter the number in it is
the tweet's id, so that such a log meets others. Which post was reposted or answered is told by an address, too, and
older exports leave it out: then the account that began the thread is the origin. The columns of Twitter are called
after X since 2024 (`X Repost of`).
"""

from __future__ import annotations

import polars as pl

from propgraph.readers.base import Reader, filled
from propgraph.readers.platforms.x_api import SNOWFLAKES
from propgraph.readers.platforms.x_archive import RETWEET_MARK, bare_text, without_posts

STATUS = r"(?i)^https?://(?:[\w-]+\.)*(?:twitter|x)\.com/(?:i/web|[^/?#]+)/status(?:es)?/(\d+)"
# Not of `x.com/i/status/1`, which names nobody: nobody's name is so short.
_WHOSE = r"(?i)^https?://(?:[\w-]+\.)*(?:twitter|x)\.com/([^/?#]{2,})/status"
_KINDS = {
    "share": "reshare", "retweet": "reshare", "repost": "reshare", "quote": "quote", "reply": "reply",
    "comment": "reply",
}  # fmt: skip


def on_x(address: pl.Expr, /) -> pl.Expr:
    """Return the id in the address of a tweet, other addresses as they are."""
    return pl.coalesce(address.str.extract(STATUS), address)


def _posts(frame: pl.DataFrame) -> pl.DataFrame:
    reshared, answered = (
        _address("X Repost of", "Twitter Retweet of"),
        _address("X Reply to", "Twitter Reply to"),
    )
    text = pl.coalesce(filled("Full Text"), filled("Snippet"))
    marked = text.str.extract(RETWEET_MARK)
    engaged, entry = (
        filled(name).str.to_lowercase().replace_strict(_KINDS, default=None)
        for name in ("Engagement Type", "Thread Entry Type")
    )
    kind = (
        pl.when(engaged.is_not_null()).then(engaged)
        .when(entry == "quote").then(entry)
        .when(reshared.is_not_null() | marked.is_not_null()).then(pl.lit("reshare"))
        .when(entry.is_not_null()).then(entry)
        .when(answered.is_not_null()).then(pl.lit("reply"))
        .otherwise(pl.lit("original"))
    )  # fmt: skip
    parent = pl.when(kind == "reply").then(pl.coalesce(answered, filled("Thread URL"))).when(
        kind != "original"
    ).then(pl.coalesce(reshared, filled("Thread URL")))  # fmt: skip
    others = pl.when(on_x(parent) != on_x(filled("Url"))).then(parent)
    status = filled("Url").str.extract(STATUS)
    return frame.select(
        content_id=on_x(filled("Url")),
        account_id=pl.coalesce(filled(name) for name in _ACCOUNT),
        account_name=pl.coalesce(filled("Author"), filled("Full Name"), filled("Domain")),
        followers=pl.coalesce(filled("X Followers"), filled("Twitter Followers")),
        timestamp="Date",
        kind=kind,
        parent_content_id=on_x(others),
        origin_account_name=pl.when(kind != "original").then(
            pl.coalesce(others.str.extract(_WHOSE), marked, filled("Thread Author"))
        ),
        target_id="Subreddit",
        text=bare_text(text),
        urls=without_posts(_listed("Expanded URLs", r",\s*(https?://)"), status),
        hashtags=_listed("Hashtags", r",\s*(#)"),
        mentions=_listed("Mentioned Authors", r",\s*(@)"),
        language="Language",
        platform=pl.when(status.is_not_null()).then(pl.lit("x")).otherwise(_platform()),
    )


_ACCOUNT = (
    "X Author ID", "Twitter Author ID", "Facebook Author ID", "Bluesky Author Id", "Author", "Full Name", "Domain",
)  # fmt: skip


def _address(*names: str) -> pl.Expr:
    """Return the first address in the first of these columns that has any."""
    return pl.coalesce(filled(name) for name in names).str.extract(r"^([^\s,]+)")


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
            "X Author ID", "X Followers", "X Reply to", "X Repost of", "Engagement Type", "Bluesky Author Id", "Domain",
        ),
        fields={
            "content_id": "Url; of a tweet the number in it",
            "account_id": "X (or Twitter) Author ID, else Facebook Author ID, Bluesky Author Id, Author, Full Name, "
            "Domain",
            "account_name": "Author, else Full Name, Domain",
            "followers": "X (or Twitter) Followers",
            "timestamp": "Date",
            "kind": "by Engagement Type (retweet, share, quote, reply, comment), else quote by Thread Entry Type, else "
            "reshare where X Repost of (Twitter Retweet of) is filled or the text begins with `RT @name`, else by "
            "Thread Entry Type, else reply where X Reply to (Twitter Reply to) is, else original",
            "parent_content_id": "X Repost of (of a reply X Reply to), else Thread URL, as content_id",
            "origin_account_name": "the name in that address, else that in `RT @name:`, else Thread Author",
            "target_id": "Subreddit",
            "text": "Full Text, else Snippet, without `RT @name:`",
            "urls": "Expanded URLs, without the mention's own address",
            "hashtags": "Hashtags",
            "mentions": "Mentioned Authors",
            "language": "Language",
            "platform": "x by Url, else Page Type, else Content Source",
        },
        posts=_posts,
        texts=("Snippet", "Full Text", "Hashtags", "Mentioned Authors"),
        sample="""Query Id,Query Name,Date,Title,Snippet,Url,Domain,Page Type,Author,Full Text,Expanded URLs,\
Thread Entry Type
1,valley,2024-03-05 10:00:00.0,,,http://twitter.com/ana/statuses/1764954002027446273,twitter.com,twitter,ana,Look,\
https://valley-herald.example/water,post
""",
        checked="public scripts that read such exports (column names, six lines above the header, `Date` as "
        "YYYY-MM-DD HH:MM:SS.0, RETWEET in Engagement Type) and Brandwatch's definitions of its fields. Not verified: "
        "which other words stand in Engagement Type and Thread Entry Type, whether lists are joined by `, ` or `,` "
        "(both are read), the time zone, set by the query",
        snowflakes=SNOWFLAKES,
    ),
)  # fmt: skip
