"""What Zeeschuimer saw of X in a browser, as NDJSON: its own export, or 4CAT's without the envelope.

A tweet is what X's website gets: its text, links and ids lie in `legacy`, in v1.1's shape, its author in
`core`, and the tweet that it retweets or quotes inside of it. Since May 2025 the names of accounts are in
the user's own `core`; before they were in its `legacy`. The number in `id` is rounded in places, that in
`rest_id` never. Tweets shown as advertisements are marked `promoted`. Each visit to a page adds its tweets
again: such repeats are left out, and counted, when the log is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from propgraph.readers.base import NoPost, NotThisFormatError, Reader, Record, Row
from propgraph.readers.platforms.x_api import SNOWFLAKES, inner, legacy_content

# What the website gets instead of a tweet that is gone, hidden or for subscribers only.
_UNAVAILABLE = ("TweetTombstone", "TweetUnavailable", "TweetPreviewDisplay")


def _rows(record: Record) -> Iterator[Row | NoPost]:
    item = _unwrapped(record["data"] if "source_platform" in record and "data" in record else record)
    if "legacy" in item:
        yield _post(item)
    elif "tombstone" in item or item.get("__typename") in _UNAVAILABLE:
        yield NoPost("a tweet that is not available")
    else:
        raise NotThisFormatError("no legacy")


def _unwrapped(result: Any) -> dict[str, Any]:
    """Return the tweet in a result; one with limited visibility lies a level deeper."""
    return inner(result, "tweet") or inner(result)


def _post(tweet: Record) -> Row:
    legacy = inner(tweet, "legacy")
    number = tweet.get("rest_id") or legacy.get("id_str")
    kind, parent_id, parent = _parent(tweet, legacy)
    said, shown = inner(parent, "legacy"), tweet
    origin, origin_name = _author(parent, said)[:2]
    if kind == "reshare" and said:
        shown = parent
    elif kind == "reply":
        origin, origin_name = legacy.get("in_reply_to_user_id_str"), legacy.get("in_reply_to_screen_name")
    account, name, created, followers = _author(tweet, legacy)
    return {
        "content_id": number,
        "account_id": account,
        "timestamp": legacy.get("created_at"),
        "kind": kind,
        "parent_content_id": parent_id,
        "parent_timestamp": said.get("created_at"),
        "origin_account_id": origin,
        "origin_account_name": origin_name,
        **_content(shown),
        "language": legacy.get("lang"),
        "platform": "x",
        "sponsor": "yes" if tweet.get("promoted") is True else None,
        "account_name": name,
        "account_created_at": created,
        "followers": followers,
    }


def _parent(tweet: Record, legacy: Record) -> tuple[str, Any, dict[str, Any]]:
    """Return the kind of a tweet, the id of its parent, and the parent where the log has it."""
    retweeted = inner(legacy, "retweeted_status_result")
    parent = _unwrapped(retweeted.get("result"))
    number = parent.get("rest_id") or legacy.get("retweeted_status_id_str")
    if number or retweeted:
        return "reshare", number, parent
    parent = _unwrapped(inner(tweet, "quoted_status_result", "result"))
    number = parent.get("rest_id") or legacy.get("quoted_status_id_str")
    if number or legacy.get("is_quote_status") is True:
        return "quote", number, parent
    number = legacy.get("in_reply_to_status_id_str")
    return ("reply", number, {}) if number else ("original", None, {})


def _author(tweet: Record, legacy: Record) -> tuple[Any, Any, Any, Any]:
    """Return id, name, time of making and followers of a tweet's author."""
    user = inner(tweet, "core", "user_results", "result") or inner(tweet, "user")
    old = inner(user, "legacy") or user
    new = inner(user, "core") or old
    number = legacy.get("user_id_str") or user.get("rest_id")
    return number, new.get("screen_name"), new.get("created_at"), old.get("followers_count")


def _content(tweet: Record) -> Row:
    """Return what a tweet says; one of more than 280 characters says it in `note_tweet`."""
    legacy = inner(tweet, "legacy")
    note = inner(tweet, "note_tweet", "note_tweet_results", "result")
    entities = inner(note, "entity_set") or inner(legacy, "entities")
    media = inner(legacy, "extended_entities") or inner(legacy, "entities")
    text = note.get("text") or legacy.get("full_text")
    return legacy_content(text, entities, media, legacy.get("quoted_status_id_str"))


READERS = (
    Reader(
        name="zeeschuimer-x",
        title="Zeeschuimer's NDJSON of X (Twitter), also as 4CAT keeps it",
        layouts=(
            (
                "item_id",
                "timestamp_collected",
                "source_platform",
                "data.legacy.full_text",
                "data.legacy.user_id_str",
            ),
            ("rest_id", "legacy.created_at", "legacy.full_text", "legacy.user_id_str"),
            ("type", "legacy.id_str", "legacy.full_text", "legacy.user_id_str", "user.screen_name"),
        ),
        fields={
            "content_id": "rest_id, else legacy.id_str",
            "account_id": "legacy.user_id_str",
            "timestamp": "legacy.created_at",
            "kind": "reshare with legacy.retweeted_status_result, quote with quoted_status_result, the id of what was "
            "quoted or legacy.is_quote_status, reply with legacy.in_reply_to_status_id_str, else original",
            "parent_content_id": "rest_id of the tweet retweeted or quoted, or legacy.in_reply_to_status_id_str",
            "parent_timestamp": "legacy.created_at of the tweet retweeted or quoted",
            "origin_account_id": "legacy.user_id_str of the tweet retweeted or quoted, or "
            "legacy.in_reply_to_user_id_str",
            "origin_account_name": "screen_name of that account",
            "text": "legacy.full_text of the tweet retweeted, else of the tweet; of long tweets the text in note_tweet",
            "urls": "legacy.entities.urls[].expanded_url, likewise, but not of the tweet quoted",
            "hashtags": "legacy.entities.hashtags[].text, likewise",
            "mentions": "legacy.entities.user_mentions[].screen_name, likewise",
            "images": "legacy.extended_entities.media[].id_str, likewise (pictures and videos): the same file posted "
            "anew has another",
            "language": "legacy.lang",
            "platform": "x",
            "sponsor": "yes where promoted is true: the tweet was shown as an advertisement",
            "account_name": "core.user_results.result.core.screen_name, before 2025 .legacy.screen_name",
            "account_created_at": "created_at, likewise",
            "followers": "core.user_results.result.legacy.followers_count",
        },
        rows=_rows,
        sample="""{"id":1,"nav_index":"1:2:0","item_id":"1764954000000000001","timestamp_collected":1709640000000,"source_platform":"x.com","data":{"rest_id":"1764954000000000001","core":{"user_results":{"result":{"core":{"screen_name":"ana"}}}},"legacy":{"created_at":"Tue Mar 05 10:00:00 +0000 2024","full_text":"They shut the water off https://t.co/a1","user_id_str":"11","entities":{"urls":[{"expanded_url":"https://valley-herald.example/water"}]}}}}
""",  # noqa: E501
        checked="Zeeschuimer's source (zs-background.js: the envelope; modules/twitter.js: what it keeps of a tweet), "
        "4CAT's source (datasources/twitter-import), issues of both and of other tools of X's website on the move of "
        "the names in May 2025; note_tweet and entity_set in public code. Could not be verified on a real export.",
        snowflakes=SNOWFLAKES,
    ),
)
