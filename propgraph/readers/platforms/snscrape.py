"""X (Twitter) by snscrape and twscrape: their JSON, one tweet a line, and tables that pandas made of it.

Traps: `url` is the tweet's own address. A retweet's own text and links are cut, those of the tweet inside it are
whole. `links` lists the tweet that is quoted, too. What was quoted may be a mere reference, without text. snscrape
before 2023 says `content` for `rawContent` and `outlinks` (addresses alone) for `links`; its first versions give the
account's name and no id. In a table, an account or a tweet is one cell, as Python prints it; there it is read by its
first keys, which stand before any text of a stranger's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from propgraph.readers.base import NoPost, NotThisFormatError, Reader, Record, Row, filled
from propgraph.readers.platforms.x_api import SNOWFLAKES, account_names, inner, plain, shared_links
from propgraph.readers.platforms.x_archive import RETWEET_MARK, bare_text, without_posts
from propgraph.readers.values.cells import lists_from


def _rows(record: Record) -> Iterator[Row | NoPost]:
    if "rawContent" not in record and "content" not in record:
        raise NotThisFormatError("neither rawContent nor content")
    yield _post(record)


def _post(tweet: Record) -> Row:
    kind, parent = _parent(tweet)
    parent_id = tweet.get("inReplyToTweetId") if kind == "reply" else _number(parent)
    origin = inner(tweet, "inReplyToUser") if kind == "reply" else inner(parent, "user")
    shown = parent if kind == "reshare" and _text(parent) else tweet
    user = inner(tweet, "user")
    return {
        "content_id": _number(tweet),
        "account_id": _number(user) or tweet.get("username"),
        "timestamp": tweet.get("date"),
        "kind": kind,
        "parent_content_id": parent_id,
        "parent_timestamp": parent.get("date"),
        "origin_account_id": _number(origin),
        "origin_account_name": origin.get("username"),
        "text": plain(_text(shown)),
        "urls": _links(shown, _number(inner(shown, "quotedTweet")), _number(shown)),
        "hashtags": shown.get("hashtags"),
        "mentions": account_names(shown.get("mentionedUsers"), "username"),
        "language": tweet.get("lang"),
        "platform": "x",
        "account_name": user.get("username") or tweet.get("username"),
        "account_created_at": user.get("created"),
        "followers": user.get("followersCount"),
    }


def _parent(tweet: Record) -> tuple[str, dict[str, Any]]:
    """Return the kind of a tweet, and the tweet that it retweets or quotes."""
    for name, kind in (("retweetedTweet", "reshare"), ("quotedTweet", "quote")):
        if parent := inner(tweet, name):
            return kind, parent
    if tweet.get("isQuoteStatus") is True:  # what was quoted is gone
        return "quote", {}
    return ("reply" if tweet.get("inReplyToTweetId") else "original"), {}


def _number(item: Record) -> Any:
    return item.get("id_str") or item.get("id")


def _text(tweet: Record) -> Any:
    return tweet.get("rawContent") or tweet.get("content")


def _links(tweet: Any, *linked: Any) -> list[str]:
    """Return the links of a tweet, which lists objects or mere addresses, but none to the tweets with ids `linked`."""
    links = inner(tweet).get("links") or inner(tweet).get("outlinks")
    found = [link if isinstance(link, str) else inner(link).get("url") for link in _list(links)]
    return shared_links([{"expanded_url": link} for link in found], *map(str, linked))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


# --- tables

_ADDRESS = r"(?i)https?://(?:twitter|x)\.com/(\w+)/status/(\d+)"
_PROFILE = r"(?i)^https?://(?:twitter|x)\.com/(\w+)$"
# The first `id` and `username`, the `url`s, in JSON or as Python prints a dictionary or an object.
_ID = r"""\bid(?:_str)?['"]?\s*[:=]\s*['"]?(\d+)"""
_USERNAME = r"""\busername['"]?\s*[:=]\s*['"](\w+)"""
_URL = r"""\burl['"]?\s*[:=]\s*['"]([^'"]+)"""


def _table_posts(frame: pl.DataFrame) -> pl.DataFrame:
    frame = frame.with_columns(_original=lists_from(filled("retweetedTweet"), _marked))
    retweeted, quoted = (
        pl.coalesce(filled(name), filled(f"{name}.url")) for name in ("retweetedTweet", "quotedTweet")
    )
    replied, content = filled("inReplyToTweetId"), pl.coalesce(filled("rawContent"), filled("content"))
    is_reshare = retweeted.is_not_null()
    is_quote = ~is_reshare & quoted.is_not_null()
    is_reply = ~is_reshare & ~is_quote & replied.is_not_null()
    parent = pl.when(is_reshare).then(retweeted).when(is_quote).then(quoted)
    reply_id, reply_name = _account("inReplyToUser")
    account, name = _account("user")
    links = pl.coalesce(_captured("links", _URL), filled("outlinks").str.extract_all(r"https?://[^\s'\"]+"))
    return frame.select(
        content_id="id",
        account_id=pl.coalesce(account, filled("username"), name),
        account_name=pl.coalesce(name, filled("username")),
        timestamp="date",
        kind=(
            pl.when(is_reshare).then(pl.lit("reshare")).when(is_quote).then(pl.lit("quote"))
            .when(is_reply).then(pl.lit("reply")).otherwise(pl.lit("original"))
        ),
        parent_content_id=(
            pl.when(is_reply).then(replied)
            .otherwise(pl.coalesce(parent.str.extract(_ADDRESS, 2), parent.str.extract(_ID)))
        ),
        origin_account_id=pl.when(is_reply).then(reply_id),
        origin_account_name=(
            pl.when(is_reply).then(reply_name)
            .otherwise(pl.coalesce(parent.str.extract(_ADDRESS, 1), content.str.extract(RETWEET_MARK)))
        ),
        text=bare_text(pl.coalesce(_of_original("text").list.first(), content)),
        urls=without_posts(
            pl.coalesce(_of_original("urls"), links), filled("id"), quoted.str.extract(_ADDRESS, 2)
        ),
        hashtags=pl.coalesce(_of_original("hashtags"), lists_from(filled("hashtags"), _strings)),
        mentions=pl.coalesce(_of_original("mentions"), _captured("mentionedUsers", _USERNAME)),
        language="lang",
        platform=pl.lit("x"),
    )  # fmt: skip


def _marked(tweet: Any) -> list[str]:
    """Return what a tweet inside a cell says, each item after the name of its column: a cell is parsed once."""
    row = _post(inner(tweet))
    said = [("text", text) for text in [row["text"]] if isinstance(text, str)]
    said += [(name, item) for name in ("urls", "hashtags", "mentions") for item in _strings(row[name])]
    return [f"{name}:{item}" for name, item in said]


def _of_original(name: str) -> pl.Expr:
    item = pl.element()
    return pl.col("_original").list.eval(
        item.filter(item.str.starts_with(f"{name}:")).str.strip_prefix(f"{name}:")
    )


def _account(name: str) -> tuple[pl.Expr, pl.Expr]:
    """Return the id and the name of an account; one that was printed as text is its address alone."""
    cell = filled(name)
    username = pl.coalesce(
        filled(f"{name}.username"), cell.str.extract(_USERNAME), cell.str.extract(_PROFILE)
    )
    return pl.coalesce(filled(f"{name}.id"), cell.str.extract(_ID)), username


def _captured(name: str, pattern: str) -> pl.Expr:
    """Return all that the one group of a pattern matches in a column's cells."""
    return filled(name).str.extract_all(pattern).list.eval(pl.element().str.extract(pattern))


def _strings(value: Any) -> list[str]:
    return [item for item in _list(value) if isinstance(item, str)]


READERS = (
    Reader(
        name="snscrape",
        title="X (Twitter) by snscrape or twscrape, one tweet a line (id, date, rawContent, user, ...)",
        layouts=(
            ("id", "date", "rawContent", "user.id", "user.username"),
            ("id", "date", "content", "renderedContent", "user.id", "user.username"),
            ("id", "url", "date", "content", "username", "outlinks"),
        ),
        fields={
            "content_id": "id_str, else id",
            "account_id": "user.id_str, else user.id; where there is no user, username",
            "timestamp": "date",
            "kind": "reshare with retweetedTweet, quote with quotedTweet or isQuoteStatus, reply with "
            "inReplyToTweetId, else original",
            "parent_content_id": "id of the tweet retweeted or quoted, or inReplyToTweetId",
            "parent_timestamp": "date of the tweet retweeted or quoted",
            "origin_account_id": "user.id of that tweet, or inReplyToUser.id",
            "origin_account_name": "username of that account",
            "text": "rawContent or content of the tweet retweeted, else of the tweet",
            "urls": "links[].url or outlinks, likewise, but not of its own media, of the tweet itself or of the one "
            "quoted",
            "hashtags": "hashtags, likewise",
            "mentions": "mentionedUsers[].username, likewise",
            "language": "lang",
            "platform": "x",
            "account_name": "user.username, else username",
            "account_created_at": "user.created",
            "followers": "user.followersCount",
        },
        rows=_rows,
        sample="""{"_type":"snscrape.modules.twitter.Tweet","url":"https://twitter.com/ana/status/1764954002027446273",\
"date":"2024-03-05T10:00:00+00:00","rawContent":"They shut the water off https://t.co/a1","id":1764954002027446273,\
"user":{"username":"ana","id":101},"links":[{"url":"https://valley-herald.example/water","tcourl":"https://t.co/a1"}],\
"hashtags":["water"]}
{"_type":"snscrape.modules.twitter.Tweet","url":"https://twitter.com/ben/status/1764954253685686274",\
"date":"2024-03-05T10:01:00+00:00","rawContent":"@ana Is this true?","id":1764954253685686274,\
"user":{"username":"ben","id":102},"links":null,"inReplyToTweetId":1764954002027446273,\
"inReplyToUser":{"username":"ana","id":101}}
""",
        checked="snscrape's source (modules/twitter.py, versions of 2021 and 2023) and twscrape's (models.py), output "
        "of both in public repositories. Not verified: snscrape's layout of 2019, whose names its later versions keep "
        "as deprecated ones",
        snowflakes=SNOWFLAKES,
    ),
    Reader(
        name="snscrape-csv",
        title="X (Twitter) by snscrape or twscrape, as a table that pandas wrote (id, date, rawContent, user, ...)",
        layouts=(
            ("id", "url", "date", "rawContent", "user"),
            ("id", "url", "date", "content", "renderedContent", "user"),
            ("id", "date", "rawContent", "user.id", "user.username"),
        ),
        uses=(
            "username", "links", "outlinks", "retweetedTweet", "retweetedTweet.url", "quotedTweet", "quotedTweet.url",
            "inReplyToTweetId", "inReplyToUser", "inReplyToUser.id", "inReplyToUser.username", "hashtags",
            "mentionedUsers", "lang",
        ),
        tables=True,
        fields={
            "content_id": "id",
            "account_id": "user.id, or the first id in user; where there is none, the account's name",
            "account_name": "user.username, the first username in user, or the name in its address; else username",
            "timestamp": "date",
            "kind": "reshare where retweetedTweet is filled, then quote (quotedTweet), then reply (inReplyToTweetId), "
            "else original",
            "parent_content_id": "the id in the first address of a tweet in retweetedTweet or quotedTweet, else their "
            "first id; or inReplyToTweetId",
            "origin_account_id": "of a reply: inReplyToUser.id, or the first id in inReplyToUser",
            "origin_account_name": "the name in that address; of a reply the first username in inReplyToUser",
            "text": "rawContent or content, without `RT @name:` and without t.co links",
            "urls": "url in links, or outlinks, without links to X's own photos and videos, to the tweet itself and to "
            "the one quoted; of a retweet those in retweetedTweet",
            "hashtags": "hashtags, likewise",
            "mentions": "username in mentionedUsers",
            "language": "lang",
            "platform": "x",
        },
        posts=_table_posts,
        texts=("rawContent", "content", "retweetedTweet", "hashtags", "mentionedUsers"),
        sample="""id,url,date,rawContent,user,links,hashtags,inReplyToTweetId
1764954002027446273,https://twitter.com/ana/status/1764954002027446273,2024-03-05 10:00:00+00:00,They shut the water \
off,"{'username': 'ana', 'id': 101}","[{'text': 'valley-herald…', 'url': 'https://valley-herald.example/water', \
'tcourl': 'https://t.co/a1'}]",['water'],
1764954253685686274,https://twitter.com/ben/status/1764954253685686274,2024-03-05 10:01:00+00:00,@ana Is this true?,\
"{'username': 'ben', 'id': 102}",,,1764954002027446273
""",
        checked="the same source, and what pandas makes of its objects; scripts in public repositories that write such "
        "tables. Tables with columns of their author's choice are to be read by --map",
        snowflakes=SNOWFLAKES,
    ),
)  # fmt: skip
