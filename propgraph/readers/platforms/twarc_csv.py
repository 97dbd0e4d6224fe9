r"""X (Twitter) API v2 as a table: what twarc-csv (`twarc2 csv`) and others who flatten its JSON write.

Traps: links, hashtags and mentions are lists of objects, written as JSON (by some as Python prints them). A retweet has
the text and the entities of its original, unless it was told not to (`--no-merge-retweets`). Line breaks are `\n`.
Newer versions give each kind of reference a column, older ones all of them one cell. Tweets that others refer to may
have rows of their own (`--inline-referenced-tweets`): posts like all others, for nothing marks them in newer files.
"""

from __future__ import annotations

from typing import Any

import orjson
import polars as pl

from propgraph.readers.base import Reader, filled
from propgraph.readers.platforms.x_api import SNOWFLAKES, inner, shared_links
from propgraph.readers.platforms.x_archive import RETWEET_MARK, bare_text, without_posts
from propgraph.readers.platforms.x_archive import shared_links as without_quoted
from propgraph.readers.values.cells import lists_from, sifted
from propgraph.schema import ID


def _posts(frame: pl.DataFrame) -> pl.DataFrame:
    retweeted, quoted, replied = (_reference(kind) for kind in ("retweeted", "quoted", "replied_to"))
    is_reshare = retweeted.is_not_null()
    is_quote = ~is_reshare & quoted.is_not_null()
    is_reply = ~is_reshare & ~is_quote & replied.is_not_null()
    text = _written(filled("text"))
    named_first = text.str.extract(RETWEET_MARK)
    links = without_posts(lists_from(filled("entities.urls"), _links), _plain("id"), quoted)
    return frame.select(
        content_id=_plain("id"),
        account_id=pl.coalesce(_plain("author_id"), _plain("author.id")),
        account_name=_plain("author.username"),
        account_created_at=_plain("author.created_at"),
        followers=_plain("author.public_metrics.followers_count"),
        timestamp=_plain("created_at"),
        kind=(
            pl.when(is_reshare).then(pl.lit("reshare")).when(is_quote).then(pl.lit("quote"))
            .when(is_reply).then(pl.lit("reply")).otherwise(pl.lit("original"))
        ),
        parent_content_id=(
            pl.when(is_reshare).then(retweeted).when(is_quote).then(quoted).when(is_reply).then(replied)
        ),
        origin_account_id=(
            pl.when(is_reshare).then(_plain("retweeted_user_id")).when(is_quote).then(_plain("quoted_user_id"))
            .when(is_reply).then(_plain("in_reply_to_user_id"))
        ),
        origin_account_name=(
            pl.when(is_reshare).then(pl.coalesce(_plain("retweeted_username"), named_first))
            .when(is_quote).then(_plain("quoted_username"))
            .when(is_reply).then(pl.coalesce(_plain("in_reply_to_username"), _plain("in_reply_to_user.username")))
        ),
        text=bare_text(text),
        urls=without_quoted(links, quotes=is_reshare),
        hashtags=lists_from(filled("entities.hashtags"), _hashtags),
        mentions=sifted(
            lists_from(filled("entities.mentions"), _mentions), pl.col("item") != pl.col("reshared"),
            reshared=pl.when(is_reshare).then(named_first).str.to_lowercase(),
        ),
        images=lists_from(filled("attachments.media_keys"), _media),
        language=_plain("lang"),
        platform=pl.lit("x"),
    )  # fmt: skip


def _plain(name: str) -> pl.Expr:
    """Return a column without the quotes that `--json-encode-all` puts around each value."""
    return filled(name).str.strip_chars('"')


def _written(text: pl.Expr) -> pl.Expr:
    """Return texts with their line breaks; where all are JSON (`--json-encode-text`), as these say."""

    def decoded(texts: pl.Series) -> pl.Series:
        some = texts.drop_nulls()
        if some.is_empty() or not (some.str.starts_with('"') & some.str.ends_with('"')).all():
            return texts.str.replace_all(r"\n", "\n", literal=True)
        return pl.Series(texts.name, [None if text is None else _string(text) for text in texts], dtype=ID)

    return text.map_batches(decoded, return_dtype=ID)


def _string(text: str) -> str:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return value if isinstance(value, str) else text


def _reference(kind: str) -> pl.Expr:
    """Return the id of the tweet that is referred to as this kind, from its own column or from the cell for all."""
    cell, q = filled("referenced_tweets"), r"""["']"""
    type_, id_ = f"{q}type{q}: *{q}{kind}{q}", rf"{q}id{q}: *{q}?(\d+){q}?"
    return pl.coalesce(
        _plain(f"referenced_tweets.{kind}.id"),
        cell.str.extract(f"{type_}, *{id_}"),
        cell.str.extract(f"{id_}, *{type_}"),
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _links(value: Any) -> list[str]:
    return shared_links([{"expanded_url": item} if isinstance(item, str) else item for item in _list(value)])


def _hashtags(value: Any) -> list[str]:
    return _named(value, "tag")


def _mentions(value: Any) -> list[str]:
    return [name.strip("@").lower() for name in _named(value, "username")]


def _media(value: Any) -> list[str]:
    return [key.rpartition("_")[2] for key in _named(value, "media_key")]


def _named(value: Any, name: str) -> list[str]:
    found = [item if isinstance(item, str) else inner(item).get(name) for item in _list(value)]
    return [item for item in found if isinstance(item, str)]


_BASE = ("id", "author_id", "created_at")

READERS = (
    Reader(
        name="twarc-csv",
        title="X (Twitter) API v2 as a table, by twarc-csv or the like (id, author_id, created_at, entities.urls, ...)",
        layouts=(
            (*_BASE, "entities.urls"),
            (*_BASE, "entities.hashtags"),
            (*_BASE, "entities.mentions"),
            (*_BASE, "referenced_tweets"),
            (*_BASE, "referenced_tweets.retweeted.id"),
            (*_BASE, "public_metrics.retweet_count"),
            (*_BASE, "public_metrics.like_count"),
            ("id", "author.id", "created_at", "text"),
        ),
        uses=(
            "author.username", "author.created_at", "author.public_metrics.followers_count", "lang",
            "referenced_tweets.quoted.id", "referenced_tweets.replied_to.id", "retweeted_user_id", "quoted_user_id",
            "in_reply_to_user_id", "retweeted_username", "quoted_username", "in_reply_to_username",
            "in_reply_to_user.username", "attachments.media_keys",
        ),
        tables=True,
        fields={
            "content_id": "id",
            "account_id": "author_id, else author.id",
            "account_name": "author.username",
            "account_created_at": "author.created_at",
            "followers": "author.public_metrics.followers_count",
            "timestamp": "created_at",
            "kind": "reshare with referenced_tweets.retweeted.id, quote with referenced_tweets.quoted.id, reply with "
            "referenced_tweets.replied_to.id (older files: the same types in referenced_tweets), else original",
            "parent_content_id": "these ids, by kind",
            "origin_account_id": "retweeted_user_id, quoted_user_id or in_reply_to_user_id, by kind",
            "origin_account_name": "retweeted_username (else the name in `RT @name:`), quoted_username or "
            "in_reply_to_username (older files: in_reply_to_user.username), by kind",
            "text": r"text, `\n` as line breaks, without `RT @name:` and without t.co links",
            "urls": "expanded_url in entities.urls, without links to X's own media, to the tweet itself and to the one "
            "quoted; of retweets without those to tweets",
            "hashtags": "tag in entities.hashtags",
            "mentions": "username in entities.mentions, without the account in `RT @name:`",
            "images": "the number in attachments.media_keys (pictures and videos): the same file posted anew has "
            "another",
            "language": "lang",
            "platform": "x",
        },
        posts=_posts,
        texts=("entities.hashtags", "entities.mentions", "text"),
        sample="""id,author_id,created_at,text,referenced_tweets.retweeted.id,entities.hashtags,entities.urls
1764954002027446273,101,2024-03-05T10:00:00.000Z,They shut the water off,,"[{""start"": 0, ""end"": 6, \
""tag"": ""water""}]","[{""url"": ""https://t.co/a1"", ""expanded_url"": ""https://valley-herald.example/water""}]"
1764954253685686274,102,2024-03-05T10:01:00.000Z,They shut the water off,1764954002027446273,,\
"[{""url"": ""https://t.co/a1"", ""expanded_url"": ""https://valley-herald.example/water""}]"
""",
        checked="twarc-csv's source (twarc_csv.py, dataframe_converter.py, versions of 2021 and 2022) and the table in "
        "its tests. Not verified: lists as Python prints them, which others write",
        snowflakes=SNOWFLAKES,
    ),
)  # fmt: skip
