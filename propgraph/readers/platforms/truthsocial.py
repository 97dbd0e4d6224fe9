"""Truth Social and Gab: 4CAT's CSVs of posts that Zeeschuimer collected, and Zeeschuimer's own NDJSON.

Traps of the CSVs: neither says of which post a post is a repost. On Truth Social a quote begins with `RT: ` and
the link to the post quoted, straight before the first word; one without a word of its own is a repost. Other
reposts can be told by their own address alone, which ends in `/activity` where Mastodon's code runs. `thread_id`
is where the conversation begins, not the post replied to.

Traps of both: Zeeschuimer takes the HTML out of the texts without putting blanks in its place, so that a link
and the next paragraph may run together; but not out of the post inside a repost. Gab's timelines have keys of
one to four letters, its search results whole words as Truth Social.
"""

import re
from collections.abc import Iterable
from typing import Any

import polars as pl

from propgraph.readers.base import NotThisFormatError, Reader, Record, Row, filled, objects
from propgraph.readers.values.html import text_and_links

_QUOTED = r"^\s*RT: ?https?://truthsocial\.com/(?:users/|@)([^/\s]+)/(?:statuses/|posts/)?(\d{1,18})\s*"
_QUOTED_PATTERN = re.compile(_QUOTED)
# The short keys of Gab's timelines, and the words for them in its search results.
_GAB_STATUS = {
    "i": "id", "ca": "created_at", "c": "content", "g": "group", "l": "language", "m": "mentions", "tg": "tags",
    "qoi": "quote_of_id", "robi": "reblog_of_id", "ir": "is_reply", "link_info": "card",
}  # fmt: skip
_GAB_ACCOUNT = {"i": "id", "un": "username", "ca": "created_at", "foc": "followers_count"}
_GAB_IMAGE = {"b": "blurhash", "ff": "file_fingerprint"}


def _truths(frame: pl.DataFrame) -> pl.DataFrame:
    body = filled("body")
    quoted = body.str.extract(_QUOTED, 2)
    words = body.str.replace(_QUOTED, "")
    reshares = filled("url").str.ends_with("/activity").fill_null(False) & quoted.is_null() | (
        quoted.is_not_null() & (words.str.len_bytes() == 0)
    )
    replies = (filled("thread_id") != filled("id")).fill_null(False)
    return frame.select(
        content_id="id",
        account_id="account_id",
        account_name="account_username",
        followers="account_followers",
        timestamp=pl.coalesce(filled("created_at"), filled("timestamp")),
        kind=(
            pl.when(reshares).then(pl.lit("reshare"))
            .when(quoted.is_not_null()).then(pl.lit("quote"))
            .when(replies).then(pl.lit("reply"))
            .otherwise(pl.lit("original"))
        ),
        parent_content_id=quoted,
        origin_account_name=body.str.extract(_QUOTED, 1),
        target_id=filled("group_id"),
        text=words,
        hashtags=filled("hashtags").str.split(","),
        mentions=filled("mentions").str.split(","),
        platform=pl.lit("truthsocial"),
    )  # fmt: skip


def _gabs(frame: pl.DataFrame) -> pl.DataFrame:
    replies = (filled("thread_id") != filled("id")).fill_null(False)
    return frame.select(
        content_id="id",
        account_id="account_id",
        account_name="account_username",
        timestamp=pl.coalesce(filled("created_at"), filled("timestamp")),
        kind=pl.when(replies).then(pl.lit("reply")).otherwise(pl.lit("original")),
        target_id=filled("group_id"),
        text="body",
        url=filled("link_url"),
        hashtags=filled("tags").str.split(","),
        mentions=filled("mentions").str.split(","),
        platform=pl.lit("gab"),
    )


def _rows(record: Record) -> Iterable[Row]:
    item = record.get("data") if "source_platform" in record else record
    if not isinstance(item, dict):
        raise NotThisFormatError("no data")
    status = _in_words(item) if "ca" in item else item
    account = status.get("account")
    if not isinstance(account, dict) or "content" not in status:
        raise NotThisFormatError("no account or no content")
    kind, parent_id, parent = _parent(status)
    text, shown = status.get("content"), status
    links: list[str] = []
    if kind == "reshare" and isinstance(parent.get("content"), str):
        text, links = text_and_links(parent["content"])
        shown = parent
    elif kind == "quote" and isinstance(text, str):
        text = _QUOTED_PATTERN.sub("", text)
        kind = kind if text else "reshare"
    origin = _object(parent, "account").get("id")
    if kind == "reply":
        origin = origin or status.get("in_reply_to_account_id")
    return (
        {
            "content_id": status.get("id"),
            "account_id": account.get("id"),
            "account_name": account.get("username"),
            "account_created_at": account.get("created_at"),
            "followers": account.get("followers_count"),
            "timestamp": status.get("created_at"),
            "kind": kind,
            "parent_content_id": parent_id,
            "parent_timestamp": parent.get("created_at"),
            "origin_account_id": origin,
            "target_id": _object(status, "group").get("id"),
            "text": text,
            "language": status.get("language"),
            "urls": links or [_object(shown, "card").get("url")],
            "hashtags": [tag.get("name") for tag in objects(shown.get("tags"))],
            "mentions": [mention.get("username") for mention in objects(shown.get("mentions"))],
            "images": [
                image.get("file_fingerprint") or image.get("blurhash")
                for image in objects(shown.get("media_attachments"))
            ],
            "sponsor": "yes" if status.get("sponsored") is True else None,
            "platform": "truthsocial" if "truth" in str(record.get("source_platform")) else "gab",
        },
    )


def _parent(status: Record) -> tuple[str, Any, Record]:
    """Return the kind, and the id and what else is told of the post reposted, quoted or replied to."""
    for kind, name, ids in (
        ("reshare", "reblog", ("reblog_of_id",)),
        ("quote", "quote", ("quote_id", "quote_of_id")),
        ("reply", "in_reply_to", ("in_reply_to_id",)),
    ):
        parent = _object(status, name)
        number = parent.get("id") or next(filter(None, map(status.get, ids)), None)
        if number:
            return kind, number, parent
    return ("reply" if status.get("is_reply") is True else "original"), None, {}


def _object(record: Record, name: str) -> Record:
    value = record.get(name)
    return value if isinstance(value, dict) else {}


def _in_words(status: Record) -> Record:
    """Return a post of one of Gab's timelines with the keys of its search results."""
    return {
        **_renamed(status, _GAB_STATUS),
        "account": _renamed(_object(status, "author_info"), _GAB_ACCOUNT),
        "media_attachments": [_renamed(image, _GAB_IMAGE) for image in objects(status.get("image_info"))],
    }


def _renamed(record: Record, names: dict[str, str]) -> dict[str, Any]:
    return {name: record[key] for key, name in names.items() if key in record}


READERS = (
    Reader(
        name="4cat-truthsocial",
        title="Truth Social by 4CAT (id, created_at, body, account_id, account_verified, thread_id, ...)",
        layouts=(
            (
                "id", "created_at", "body", "url", "reblogs_count", "account_id", "account_username",
                "account_verified", "account_followers", "thread_id",
            ),
        ),
        uses=("timestamp", "group_id", "hashtags", "mentions"),
        fields={
            "content_id": "id",
            "account_id": "account_id",
            "account_name": "account_username",
            "followers": "account_followers",
            "timestamp": "created_at, else timestamp; UTC",
            "kind": "quote where body begins with `RT: ` and a link to a post, reshare where it holds no more "
            "than that, or where url ends in /activity; reply where thread_id is another post; else original",
            "parent_content_id": "the id in the link after `RT: `",
            "origin_account_name": "the name in that link",
            "target_id": "group_id",
            "text": "body, without that link; links in it are found by propgraph",
            "hashtags": "hashtags",
            "mentions": "mentions",
            "platform": "truthsocial",
        },
        posts=_truths,
        texts=("body", "hashtags", "mentions"),
        sample="""id,created_at,body,url,reblogs_count,account_id,account_username,account_verified,account_followers,thread_id
112042718822400000,2024-03-05T10:00:00.000Z,They shut the water off https://valley-herald.example/water,https://truthsocial.com/@ana/112042718822400000,1,101,ana,False,12,112042718822400000
""",
        checked="4CAT's source (datasources/truth, the version of 2023 and the newest), Zeeschuimer's (modules/truth), "
        "quotes as public repositories show them; ids and times of three public posts. Not verified: that the "
        "address of a repost ends in /activity (so it is in Mastodon's source, which Truth Social is built on)",
        snowflakes=(16, 0),
    ),
    Reader(
        name="4cat-gab",
        title="Gab by 4CAT (id, created_at, body, account_id, account_account, group_title, link_url, ...)",
        layouts=(
            (
                "id", "created_at", "body", "account_id", "account_username", "account_account", "group_id",
                "group_title", "link_url", "thread_id",
            ),
        ),
        uses=("timestamp", "tags", "mentions"),
        fields={
            "content_id": "id",
            "account_id": "account_id",
            "account_name": "account_username",
            "timestamp": "created_at, else timestamp; UTC",
            "kind": "reply where thread_id is another post, else original: reposts and quotes cannot be told",
            "target_id": "group_id",
            "text": "body",
            "url": "link_url, else the links in body",
            "hashtags": "tags",
            "mentions": "mentions",
            "platform": "gab",
        },
        posts=_gabs,
        texts=("body", "tags", "mentions"),
        sample="""id,created_at,body,account_id,account_username,account_account,group_id,group_title,link_url,thread_id
112042718822400000,2024-03-05 10:00:00,They shut the water off,101,ana,ana,7,Valley,https://valley-herald.example/water,112042718822400000
""",
        checked="4CAT's source (datasources/gab, two versions), Zeeschuimer's (modules/gab). Not verified: that the "
        "ids carry the time",
    ),
    Reader(
        name="zeeschuimer-truth-gab",
        title="Truth Social or Gab by Zeeschuimer, NDJSON (source_platform, data.account.username, data.content, ...)",
        layouts=(
            (
                "source_platform", "data.created_at", "data.content", "data.account.id", "data.account.username",
                "data.reblogs_count",
            ),
            ("source_platform", "data.ca", "data.c", "data.author_info.i", "data.author_info.un"),
            ("ca", "c", "author_info.i", "author_info.un"),
        ),
        fields={
            "content_id": "id (i in Gab's timelines)",
            "account_id": "account.id (author_info.i)",
            "account_name": "account.username (author_info.un)",
            "account_created_at": "account.created_at (author_info.ca)",
            "followers": "account.followers_count (author_info.foc)",
            "timestamp": "created_at (ca)",
            "kind": "reshare with reblog or reblog_of_id (robi), quote with quote, quote_id or quote_of_id (qoi), "
            "but reshare where it has no word of its own, reply with in_reply_to, in_reply_to_id or is_reply (ir), "
            "else original",
            "parent_content_id": "the id of the same",
            "parent_timestamp": "created_at of reblog, quote or in_reply_to",
            "origin_account_id": "account.id of reblog, quote or in_reply_to; in_reply_to_account_id",
            "target_id": "group.id (g.id)",
            "text": "content (c), the reposted post's of a repost; without `RT: ` and the link to the post quoted",
            "language": "language (l)",
            "urls": "the links in a reposted post, else card.url (link_info.url), else the links in the text",
            "hashtags": "tags[].name (tg)",
            "mentions": "mentions[].username (m)",
            "images": "media_attachments[]: file_fingerprint, else blurhash (image_info[]: ff, b)",
            "sponsor": "yes where sponsored is true",
            "platform": "truthsocial or gab, by source_platform; gab where there is no envelope",
        },
        rows=_rows,
        sample=(
            '{"source_platform":"truthsocial.com","item_id":"112042718822400000","data":{"id":"112042718822400000",'
            '"created_at":"2024-03-05T10:00:00.000Z","content":"They shut the water off","reblogs_count":1,'
            '"account":{"id":"101","username":"ana"},"card":{"url":"https://valley-herald.example/water"},'
            '"reblog":null,"quote_id":null,"in_reply_to_id":null}}\n'
        ),
        checked="Zeeschuimer's source (modules/truth, modules/gab), 4CAT's (datasources/truth, datasources/gab), types "
        "and examples of Truth Social's statuses in public repositories, gablib's list of Gab's short keys. Not "
        "verified with real exports; that timelines of Gab hold reposts (robi) at all; that sponsored marks adverts",
        snowflakes=(16, 0),
    ),
)  # fmt: skip
