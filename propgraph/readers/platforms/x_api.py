"""X (Twitter) API logs: v2, as the API, twarc2, academictwitteR or 4CAT keep it, and v1.1.

Traps of both: a retweet's own text, links and hashtags are cut short after some 140 characters, those of
the tweet inside it are whole; a tweet's links list the tweet that it quotes and its own pictures too,
which nobody shared; `&`, `<` and `>` are escaped in texts. `includes.tweets` of a v2 page are there to
look things up in: they did not match the query, and are no posts of the log.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from propgraph.readers.base import NoPost, NotThisFormatError, Reader, Record, Row, Rows, objects

if TYPE_CHECKING:
    from propgraph.readers.files.logfile import LogFile

SNOWFLAKES = (22, 1_288_834_974_657)

_SHORTENED = ("https://t.co/", "http://t.co/")
_TWEET = re.compile(
    r"https?://(?:\w+\.)?(?:twitter|x)\.com/\w+(?:/web)?/status/(\d+)(/(?:photo|video)/\d+)?", re.IGNORECASE
)
# The users and the tweets that a page includes, by their ids.
_Included = tuple[dict[Any, Any], dict[Any, Any]]
# Where the one retweeted stands in "RT @name: ...".
_RETWEETED_AT = 3


def plain(text: Any, /) -> Any:
    """Return a text as it was written, X's `&amp;`, `&lt;` and `&gt;` undone."""
    if isinstance(text, str) and "&" in text:
        return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return text


def inner(record: Any, /, *names: str) -> dict[str, Any]:
    """Return the object at `names` in JSON, an empty one where there is none."""
    for name in names:
        if not isinstance(record, dict):
            return {}
        record = record.get(name)
    return record if isinstance(record, dict) else {}


def shared_links(urls: Any, *linked: Any) -> list[str]:
    """Return the links of `entities.urls` in full, but none to X's own media or to the tweets with ids `linked`."""
    links: list[str] = []
    if not isinstance(urls, list):
        return links
    for entry in urls:
        if not isinstance(entry, dict):
            continue
        # Not `unwound_url`: few exports have it, and it may be a page that asks to log in. Tweets from before
        # t.co have `url` alone.
        link = entry.get("expanded_url") or entry.get("url")
        if not isinstance(link, str) or link.startswith(_SHORTENED):
            continue
        tweet = _TWEET.match(link) if "/status/" in link else None
        if tweet is None or not (tweet[2] or tweet[1] in linked):
            links.append(link)
    return links


def words(items: Any, name: str, /) -> list[str]:
    """Return the text under `name` of each object in a list."""
    if not isinstance(items, list):
        return []
    return [item[name] for item in items if isinstance(item, dict) and isinstance(item.get(name), str)]


def account_names(items: Any, name: str, /) -> list[str]:
    """Return the accounts' names under `name` of each object in a list."""
    return [word.lower() for word in words(items, name)]


# academictwitteR, the R package, parts each page in two: the tweets, and all that they refer to.
_OF_ACADEMICTWITTER = re.compile(r"data_(\d+\.json.*)")


def _v2_beside(name: str) -> str | None:
    data = _OF_ACADEMICTWITTER.fullmatch(name)
    return f"users_{data[1]}" if data else None


def _v2_opened(_log: LogFile, includes: Any) -> Rows:
    return partial(_v2, included=_v2_included(inner(includes)))


def _v2(record: Record, *, included: _Included = ({}, {})) -> Iterator[Row | NoPost]:
    if "author_id" in record:
        yield _v2_post(record, *included)
        return
    data = record.get("data")
    if data:
        included = _v2_included(inner(record, "includes"))
        for tweet in data if isinstance(data, list) else [data]:
            yield _v2_post(tweet if isinstance(tweet, dict) else {}, *included)
    elif "data" in record or "meta" in record or "errors" in record:
        yield NoPost("a page without tweets")
    else:
        raise NotThisFormatError("neither author_id nor data")


def _v2_included(includes: Record) -> _Included:
    """Return the users and the tweets that a page includes, by their ids."""
    return _by_id(includes.get("users")), _by_id(includes.get("tweets") or includes.get("posts"))


def _by_id(items: Any) -> dict[Any, dict[str, Any]]:
    return {number: item for item in objects(items) if isinstance(number := item.get("id"), str | int)}


def _looked_up(table: dict[Any, dict[str, Any]], number: Any) -> dict[str, Any]:
    return table.get(number, {}) if isinstance(number, str | int) else {}


def _v2_post(tweet: Record, users: dict[Any, Any], tweets: dict[Any, Any]) -> Row | NoPost:
    account = tweet.get("author_id")
    if account == "UNKNOWN":  # 4CAT's for an id that it could not look up; its time is that of the look-up
        return NoPost("a tweet that could not be fetched")
    kind, reference = _v2_reference(tweet)
    parent_id = reference.get("id")
    parent = reference if "author_id" in reference else _looked_up(tweets, parent_id)
    shown, quoted = tweet, parent_id
    if kind == "reshare" and "text" in parent:
        shown, quoted = parent, _v2_reference(parent)[1].get("id")
    note = inner(shown, "note_tweet") or inner(shown, "note_post")
    entities = inner(note, "entities") or inner(shown, "entities")
    mentions = entities.get("mentions")
    origin, origin_name = parent.get("author_id"), None
    if kind == "reply":
        origin = origin or tweet.get("in_reply_to_user_id")
    elif kind == "reshare" and shown is tweet:
        first = next((item for item in objects(mentions) if item.get("start") == _RETWEETED_AT), {})
        mentions = [item for item in objects(mentions) if item is not first]
        origin, origin_name = origin or first.get("id"), first.get("username")
    author = inner(tweet, "author") or inner(tweet, "author_user") or _looked_up(users, account)
    return {
        "content_id": tweet.get("id"),
        "account_id": account,
        "timestamp": tweet.get("created_at"),
        "kind": kind,
        "parent_content_id": parent_id,
        "parent_timestamp": parent.get("created_at"),
        "origin_account_id": origin,
        "origin_account_name": origin_name,
        "text": plain(note.get("text") or shown.get("text")),
        "urls": shared_links(entities.get("urls"), quoted),
        "hashtags": words(entities.get("hashtags"), "tag"),
        "mentions": account_names(mentions, "username"),
        "images": _v2_media(tweet) or _v2_media(parent) if kind == "reshare" else _v2_media(tweet),
        "language": tweet.get("lang"),
        "platform": "x",
        "account_name": author.get("username"),
        "account_created_at": author.get("created_at"),
        "followers": inner(author, "public_metrics").get("followers_count"),
    }


def _v2_reference(tweet: Record) -> tuple[str, dict[str, Any]]:
    """Return the kind of a tweet, and its reference to the tweet that makes it one."""
    references = objects(tweet.get("referenced_tweets") or tweet.get("referenced_posts"))
    if references:
        for word, kind in (("retweeted", "reshare"), ("quoted", "quote"), ("replied_to", "reply")):
            for reference in references:
                if reference.get("type") == word:
                    return kind, reference
    return "original", {}


def _v2_media(tweet: Record) -> list[str]:
    """Return the numbers in a tweet's media keys: of `3_123` that is 123, v1.1's `id_str` of the same picture."""
    keys = inner(tweet, "attachments").get("media_keys")
    if not isinstance(keys, list):
        return []
    found = [key.get("media_key") if isinstance(key, dict) else key for key in keys]  # 4CAT's are objects
    return [key.rpartition("_")[2] for key in found if isinstance(key, str)]


# What a stream tells beside tweets.
_NOTICES = (
    "delete", "limit", "scrub_geo", "status_withheld", "user_withheld", "disconnect", "warning", "friends",
    "event",
)  # fmt: skip


def _v1(record: Record) -> Iterator[Row | NoPost]:
    if "user" in record:
        yield _v1_post(record)
        return
    page = record.get("statuses", record.get("results"))
    if isinstance(page, list):
        for tweet in page:
            yield _v1_post(tweet if isinstance(tweet, dict) else {})
        return
    for notice in _NOTICES:
        if notice in record:
            yield NoPost(notice)
            return
    raise NotThisFormatError("no user")


def _v1_post(tweet: Record) -> Row:
    kind, parent_id, parent, origin = _v1_parent(tweet)
    shown = parent if kind == "reshare" else tweet
    user = inner(tweet, "user")
    return {
        "content_id": tweet.get("id_str") or tweet.get("id"),
        "account_id": user.get("id_str") or user.get("id"),
        "timestamp": tweet.get("created_at"),
        "kind": kind,
        "parent_content_id": parent_id,
        "parent_timestamp": parent.get("created_at"),
        "origin_account_id": origin,
        **_v1_content(shown),
        "language": tweet.get("lang"),
        "platform": "x",
        "account_name": user.get("screen_name"),
        "account_created_at": user.get("created_at"),
        "followers": user.get("followers_count"),
    }


def _v1_parent(tweet: Record) -> tuple[str, Any, dict[str, Any], Any]:
    """Return the kind of a tweet, the id of its parent, the parent where the log has it, and its author."""
    for name, kind in (("retweeted_status", "reshare"), ("quoted_status", "quote")):
        parent = inner(tweet, name)
        if parent:
            author = inner(parent, "user")
            number, owner = (one.get("id_str") or one.get("id") for one in (parent, author))
            return kind, number, parent, owner
    # What was quoted may be gone.
    if tweet.get("quoted_status_id_str") or tweet.get("is_quote_status") is True:
        return "quote", tweet.get("quoted_status_id_str"), {}, None
    replied = tweet.get("in_reply_to_status_id_str")
    if replied:
        return "reply", replied, {}, tweet.get("in_reply_to_user_id_str")
    return "original", None, {}, None


def _v1_content(tweet: Record) -> Row:
    """Return what a tweet says; a stream gives tweets of more than 140 characters whole in `extended_tweet`."""
    body = inner(tweet, "extended_tweet") or tweet
    text = body.get("full_text") or body.get("text")
    linked = tweet.get("quoted_status_id_str"), tweet.get("id_str")  # cut short, it links itself
    return legacy_content(text, inner(body, "entities"), inner(body, "extended_entities"), *linked)


def legacy_content(text: Any, entities: Record, extended: Record, *linked: Any) -> Row:
    """Return what a tweet of v1.1's shape says, which X's website has to this day.

    `extended` are its `extended_entities`, which have all of its pictures where `entities` has the first;
    `linked` the ids of tweets that it links without sharing them.
    """
    media = objects(extended.get("media") or entities.get("media"))
    return {
        "text": plain(text),
        "urls": shared_links(entities.get("urls"), *linked),
        "hashtags": words(entities.get("hashtags"), "text"),
        "mentions": account_names(entities.get("user_mentions"), "screen_name"),
        "images": words(media, "id_str"),
    }


READERS = (
    Reader(
        name="x-api-v2",
        title="X (Twitter) API v2: pages, a stream's lines, one tweet a line (twarc2 flatten, 4CAT), or "
        "academictwitteR's folders",
        layouts=(
            ("id", "author_id", "created_at", "text"),
            ("data[].id", "data[].author_id", "data[].created_at", "data[].text"),
            ("data.id", "data.author_id", "data.created_at", "data.text"),
        ),
        fields={
            "content_id": "id",
            "account_id": "author_id",
            "timestamp": "created_at",
            "kind": "type of referenced_tweets: retweeted, else quoted, else replied_to, else original",
            "parent_content_id": "id in referenced_tweets",
            "parent_timestamp": "created_at of that tweet (includes.tweets, or flattened; academictwitteR: tweets in "
            "users_ID.json)",
            "origin_account_id": "author_id of that tweet, else in_reply_to_user_id, else the mention in `RT @name:`",
            "origin_account_name": "the mention in `RT @name:`, where it has no id",
            "text": "text of the tweet retweeted, else text; of long tweets note_tweet.text",
            "urls": "entities.urls[].expanded_url of the tweet retweeted or of the tweet, but not of its own media "
            "or of the tweet quoted",
            "hashtags": "entities.hashtags[].tag, likewise",
            "mentions": "entities.mentions[].username, likewise",
            "images": "the number in attachments.media_keys (pictures and videos): the same file posted anew has "
            "another",
            "language": "lang",
            "platform": "x",
            "account_name": "username of the author (includes.users, or flattened; academictwitteR: users in "
            "users_ID.json beside data_ID.json)",
            "account_created_at": "created_at of the author",
            "followers": "public_metrics.followers_count of the author",
        },
        rows=_v2,
        beside=_v2_beside,
        opened=_v2_opened,
        sample="""{"id":"1764954000000000001","author_id":"11","created_at":"2024-03-05T10:00:00.000Z","text":"They shut the water off https://t.co/a1","entities":{"urls":[{"url":"https://t.co/a1","expanded_url":"https://valley-herald.example/water"}]}}
{"id":"1764954000000000002","author_id":"12","created_at":"2024-03-05T10:01:00.000Z","text":"RT @ana: They shut the water off https://t.co/a1","referenced_tweets":[{"type":"retweeted","id":"1764954000000000001"}]}
""",  # noqa: E501
        checked="X API v2 example payloads (developer.x.com) and raw payloads in public code; "
        "twarc's source (expansions.py: what "
        "flatten adds); 4CAT's source (datasources/twitterv2: author_user, media_keys as objects, tweets that could "
        "not be fetched); academictwitteR's source (utils.R, bind_tweets.R) and the files in its tests. "
        "note_tweet.text in public code; note_tweet.entities in one project alone. Could not be "
        "verified: referenced_posts, note_post and includes.posts, which newer reference pages are said to write "
        "instead of referenced_tweets, note_tweet and includes.tweets.",
        snowflakes=SNOWFLAKES,
    ),
    Reader(
        name="x-api-v1",
        title="X (Twitter) API v1.1: one tweet a line (twarc, streams), or pages of a search",
        layouts=(
            ("id_str", "user.id_str", "created_at", "text"),
            ("id_str", "user.id_str", "created_at", "full_text"),
            ("statuses[].id_str", "statuses[].user.id_str", "statuses[].created_at"),
            ("results[].id_str", "results[].user.id_str", "results[].created_at"),
        ),
        lists=("statuses", "results"),
        fields={
            "content_id": "id_str",
            "account_id": "user.id_str",
            "timestamp": "created_at",
            "kind": "reshare with retweeted_status, quote with quoted_status, its id or is_quote_status, reply with "
            "in_reply_to_status_id_str, else original",
            "parent_content_id": "retweeted_status.id_str, quoted_status_id_str or in_reply_to_status_id_str",
            "parent_timestamp": "created_at of the tweet retweeted or quoted",
            "origin_account_id": "user.id_str of the tweet retweeted or quoted, or in_reply_to_user_id_str",
            "text": "full_text or text of the tweet retweeted, else of the tweet; in a stream that of extended_tweet",
            "urls": "entities.urls[].expanded_url, likewise, but not of the tweet quoted",
            "hashtags": "entities.hashtags[].text, likewise",
            "mentions": "entities.user_mentions[].screen_name, likewise",
            "images": "extended_entities.media[].id_str, likewise (pictures and videos): the same file posted anew has "
            "another",
            "language": "lang",
            "platform": "x",
            "account_name": "user.screen_name",
            "account_created_at": "user.created_at",
            "followers": "user.followers_count",
        },
        rows=_v1,
        sample="""{"id_str":"1764954000000000001","created_at":"Tue Mar 05 10:00:00 +0000 2024","full_text":"They shut the water off https://t.co/a1","user":{"id_str":"11","screen_name":"ana"},"entities":{"urls":[{"url":"https://t.co/a1","expanded_url":"https://valley-herald.example/water"}]}}
{"id_str":"1764954000000000002","created_at":"Tue Mar 05 10:01:00 +0000 2024","full_text":"@ana Is this true?","user":{"id_str":"12","screen_name":"ben"},"in_reply_to_status_id_str":"1764954000000000001","in_reply_to_user_id_str":"11","entities":{}}
""",  # noqa: E501
        checked="developer.x.com, v1.1 data dictionary (Tweet, entities, extended entities), example payloads and "
        "streaming message types; pages of the premium search (results) in public code",
        snowflakes=SNOWFLAKES,
    ),
)
