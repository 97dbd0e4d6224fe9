"""Talkwalker: results of many platforms, as a CSV export or as JSON, one result an object.

A result is known by its address, a tweet by the number in it. `parent_url` is the page that a comment belongs to; of an
article it is the article's own. Reposts are told by `RT @name` at the head of the text alone. Accounts' ids begin with
two letters for their network (`tw:123`), of X these are left out, so that such a log meets others.
"""

from __future__ import annotations

import polars as pl

from propgraph.readers.base import Reader, filled
from propgraph.readers.platforms.brandwatch import STATUS, on_x
from propgraph.readers.platforms.x_api import SNOWFLAKES
from propgraph.readers.platforms.x_archive import RETWEET_MARK, bare_text

_NAME, _ID = "extra_author_attributes.name", "extra_author_attributes.id"
_SHORT, _SOURCE = "extra_author_attributes.short_name", "extra_source_attributes.name"


def _posts(frame: pl.DataFrame) -> pl.DataFrame:
    url, parent, text = filled("url"), filled("parent_url"), filled("content")
    reshared = text.str.extract(RETWEET_MARK)
    is_reply = reshared.is_null() & ((_page(parent) != _page(url)) & parent.str.contains(_ADDRESS)).fill_null(
        False
    )
    return frame.select(
        content_id=on_x(url),
        account_id=pl.coalesce(
            filled(_ID).str.strip_prefix("tw:"),
            filled(_SHORT),
            filled(_NAME),
            filled(_SOURCE),
        ),
        account_name=pl.coalesce(filled(_SHORT), filled(_NAME), filled(_SOURCE)),
        timestamp="published",
        kind=pl.when(reshared.is_not_null())
        .then(pl.lit("reshare"))
        .when(is_reply)
        .then(pl.lit("reply"))
        .otherwise(pl.lit("original")),
        parent_content_id=pl.when(is_reply).then(on_x(parent)),
        origin_account_name=reshared,
        text=bare_text(text),
        language="lang",
        platform=pl.when(url.str.contains(STATUS)).then(pl.lit("x")).otherwise(_platform()),
    )


# Of a page, not only of a site.
_ADDRESS = r"^\w+://[^/]+/."


def _page(address: pl.Expr) -> pl.Expr:
    return address.str.replace(r"^\w+://(?:www\.)?", "").str.strip_suffix("/")


def _platform() -> pl.Expr:
    """Return the network: `reddit` of `MESSAGEBOARD_REDDIT`, else the kind of source."""
    last = filled("source_type").str.extract_all(r"\w+").list.last()
    return last.str.to_lowercase().str.replace(r"^\w+_", "")


READERS: tuple[Reader, ...] = (
    Reader(
        name="talkwalker",
        title="Talkwalker, results of many platforms (url, published, content, extra_author_attributes.name, ...)",
        layouts=tuple(("url", "published", "content", name) for name in (_NAME, _SHORT, _SOURCE)),
        uses=(_ID, "parent_url", "source_type", "lang"),
        fields={
            "content_id": "url; of a tweet the number in it",
            "account_id": f"{_ID} (without tw:), else {_SHORT}, {_NAME}, {_SOURCE}",
            "account_name": f"{_SHORT}, else {_NAME}, {_SOURCE}",
            "timestamp": "published",
            "kind": "reshare where content begins with `RT @name`, reply where parent_url is another page's "
            "address, else original",
            "parent_content_id": "parent_url of a reply, as content_id",
            "origin_account_name": "the name in `RT @name:`",
            "text": "content, in which the links stand, without `RT @name:`",
            "language": "lang",
            "platform": "x by url, else the end of source_type",
        },
        posts=_posts,
        texts=("content",),
        sample="""{"url": "http://twitter.com/ana/statuses/1764954002027446273", "published": 1709632800000, \
"content": "Look https://valley-herald.example/water", "lang": "en", \
"source_type": ["SOCIALMEDIA", "SOCIALMEDIA_TWITTER"], \
"extra_author_attributes": {"id": "tw:101", "name": "Ana", "short_name": "ana"}}
""",
        checked="results of its API in a public test, and public scripts that read its exports (column names). Not "
        "verified: what parent_url says of a retweet, whether links of tweets stand in content as they lead",
        snowflakes=SNOWFLAKES,
    ),
)
