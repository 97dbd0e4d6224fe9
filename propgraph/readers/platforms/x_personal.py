"""X's archive of one's own account (`tweets.js`), and the Community Archive's JSON, which is made of such archives.

Traps: a tweet does not say whose it is: `account.js` beside `tweets.js` does, or `account` in the Community Archive's
file; without it no row can be used. A retweet is a tweet of one's own that begins with `RT @name:`, cut short, and
never says of which tweet; who is named first is its author. Nothing but the link says that a tweet quotes another one.
Tweets of more than 280 characters are cut, too; the whole of them stands in `note-tweet.js` without their ids.
The scripts without tweets (likes, messages, ...) are not read, deleted tweets only where that file is named itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from propgraph.readers.base import NoPost, NotThisFormatError, Reader, Record, Row, Rows, at, objects
from propgraph.readers.layouts.documents import first_record
from propgraph.readers.platforms.x_api import SNOWFLAKES, inner, legacy_content

if TYPE_CHECKING:
    from propgraph.readers.files.logfile import LogFile

_RETWEET = re.compile(r"\s*RT @(\w+)")
_RETWEETED_AT = "3"
_TWEET = re.compile(
    r"https?://(?:www\.|mobile\.)?(?:twitter|x)\.com/(?:i/web|(\w+))/status/(\d+)(/(?:photo|video)/)?",
    re.IGNORECASE,
)
_SCRIPT = re.compile(r"(?!account\.js)[^/]+\.js(?:\..+)?|tweets?\b.*\.json(?:\..+)?", re.IGNORECASE)
_PLACES = ("tweets", "community-tweet")


def _beside(name: str) -> str | None:
    return "account.js" if _SCRIPT.fullmatch(name) else None


def _opened(_log: LogFile, accounts: Any) -> Rows:
    return partial(_rows, owner=inner(at(accounts, 0), "account"))


def _rows(record: Record, *, owner: Record | None = None) -> Iterator[Row | NoPost]:
    tweet = inner(record, "tweet") or record
    if not owner and not tweet.get("user_id_str"):
        raise NotThisFormatError(
            "account.js, which says whose tweets these are, does not lie beside this file"
        )
    yield _post(tweet, owner or {})


def _community_opened(log: LogFile, _beside: Any) -> Rows:
    """Return the `rows` of one person's document; those of a file of many documents have their own accounts."""
    with log.open() as stream:
        owner = inner(first_record(stream, "account"), "account")
    return partial(_community_rows, owner=owner)


def _community_rows(record: Record, *, owner: Record | None = None) -> Iterator[Row | NoPost]:
    own = inner(at(record, "account", 0), "account") or inner(owner)
    if not own:
        raise NotThisFormatError("no account that says whose tweets these are")
    for place in _PLACES:
        for item in objects(record.get(place)):
            yield _post(inner(item, "tweet") or item, own)


def _post(tweet: Record, owner: Record) -> Row:
    number = tweet.get("id_str") or tweet.get("id")
    text, entities = tweet.get("full_text") or tweet.get("text"), inner(tweet, "entities")
    kind, parent_id, name = _parent(tweet, text, entities)
    mentions = objects(entities.get("user_mentions"))
    origin = None
    if kind == "reshare":
        first = next(
            (one for one in mentions if at(one, "indices", 0) in (_RETWEETED_AT, int(_RETWEETED_AT))), {}
        )
        entities = {**entities, "user_mentions": [one for one in mentions if one is not first]}
        origin = first.get("id_str")
    elif kind == "reply":
        origin = tweet.get("in_reply_to_user_id_str")
    return {
        "content_id": number,
        "account_id": owner.get("accountId") or tweet.get("user_id_str"),
        "timestamp": tweet.get("created_at"),
        "kind": kind,
        "parent_content_id": parent_id,
        "origin_account_id": origin,
        "origin_account_name": name,
        "target_id": tweet.get("community_id_str"),
        **legacy_content(text, entities, inner(tweet, "extended_entities"), number, parent_id),
        "language": tweet.get("lang"),
        "platform": "x",
        "account_name": owner.get("username"),
        "account_created_at": owner.get("createdAt"),
    }


def _parent(tweet: Record, text: Any, entities: Record) -> tuple[str, Any, Any]:
    """Return the kind of a tweet, the id of its parent, and the name of that one's author."""
    retweet = _RETWEET.match(text) if isinstance(text, str) else None
    if retweet:
        return "reshare", None, retweet[1]
    linked = {
        (found[2], found[1])
        for url in objects(entities.get("urls"))
        if (found := _TWEET.match(str(url.get("expanded_url")))) and not found[3]
        and found[2] != tweet.get("id_str")
    }  # fmt: skip
    if number := tweet.get("quoted_status_id_str"):
        return "quote", number, dict(linked).get(number)
    if len(linked) == 1:
        return ("quote", *linked.pop())
    if number := tweet.get("in_reply_to_status_id_str"):
        return "reply", number, tweet.get("in_reply_to_screen_name")
    return "original", None, None


_FIELDS = {
    "content_id": "id_str",
    "account_id": "accountId",
    "timestamp": "created_at",
    "kind": "reshare where full_text begins with `RT @name`, quote with quoted_status_id_str or a link to one tweet, "
    "reply with in_reply_to_status_id_str, else original",
    "parent_content_id": "of a quote quoted_status_id_str or the id in that link, of a reply in_reply_to_status_id_str",
    "origin_account_id": "id_str of the mention in `RT @name`, or in_reply_to_user_id_str",
    "origin_account_name": "the name in `RT @name` or in the link to the tweet quoted, or in_reply_to_screen_name",
    "target_id": "community_id_str",
    "text": "full_text",
    "urls": "entities.urls[].expanded_url, but not of the tweet itself or of the one quoted",
    "hashtags": "entities.hashtags[].text",
    "mentions": "entities.user_mentions[].screen_name, without the account in `RT @name`",
    "images": "extended_entities.media[].id_str (pictures and videos): the same file posted anew has another",
    "language": "lang",
    "platform": "x",
    "account_name": "username",
    "account_created_at": "createdAt",
}

READERS = (
    Reader(
        name="x-personal-archive",
        title="X (Twitter) archive of one's own account (tweets.js with account.js beside it)",
        layouts=(("tweet.id_str", "tweet.created_at", "tweet.full_text"), ("id_str", "created_at", "full_text")),
        fields=_FIELDS | {
            "account_id": "accountId in account.js, which has to lie beside tweets.js; where it does not, user_id_str, "
            "which an archive's own tweets do not have",
            "account_name": "username in account.js",
            "account_created_at": "createdAt in account.js",
        },
        rows=_rows,
        beside=_beside,
        opened=_opened,
        sample="""window.YTD.tweets.part0 = [
{"tweet": {"id_str": "1764954002027446273", "created_at": "Tue Mar 05 10:00:00 +0000 2024", "full_text": "They shut \
the water off https://t.co/a1", "entities": {"hashtags": [], "user_mentions": [], "urls": [{"url": "https://t.co/a1", \
"expanded_url": "https://valley-herald.example/water"}]}}},
{"tweet": {"id_str": "1764954253685686274", "created_at": "Tue Mar 05 10:01:00 +0000 2024", "full_text": "RT @ben: \
They shut the water off", "entities": {"user_mentions": [{"screen_name": "ben", "id_str": "102", \
"indices": ["3", "7"]}]}}}
]
""",
        checked="the Community Archive's documentation (docs/archive_data.md: tweets.js, account.js, "
        "community-tweet.js) and public code that reads such archives. Not verified: quoted_status_id_str, which few "
        "archives have; tweet.js of before 2020, without the key `tweet`",
        snowflakes=SNOWFLAKES,
    ),
    Reader(
        name="x-community-archive",
        title="X (Twitter) archive of one account by the Community Archive (account, tweets, community-tweet, ...)",
        layouts=(("tweets[].tweet.id_str", "tweets[].tweet.created_at", "tweets[].tweet.full_text"),),
        lists=_PLACES,
        fields=_FIELDS | {
            "account_id": "account[].account.accountId",
            "account_name": "account[].account.username",
            "account_created_at": "account[].account.createdAt",
        },
        rows=_community_rows,
        opened=_community_opened,
        sample="""{"account": [{"account": {"accountId": "101", "username": "ana"}}], "tweets": [{"tweet": {"id_str": \
"1764954002027446273", "created_at": "Tue Mar 05 10:00:00 +0000 2024", "full_text": "They shut the water off", \
"entities": {"urls": [{"expanded_url": "https://valley-herald.example/water"}]}}}]}
""",
        checked="the Community Archive's documentation and public code that reads its files",
        snowflakes=SNOWFLAKES,
    ),
)  # fmt: skip
