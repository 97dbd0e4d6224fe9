"""Threads: what Zeeschuimer saw of it in a browser, as NDJSON, and 4CAT's table of the same.

A repost holds the whole post reposted (`share_info.reposted_post`), a quote the one quoted. Which post a reply answers
is not said, only whom. The preview of a link leads through Threads' own redirect.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from propgraph.readers.base import NotThisFormatError, Reader, Record, Row, at, filled, is_yes

_INFO = "text_post_app_info"


def _rows(record: Record) -> Iterator[Row]:
    post = record["data"] if "source_platform" in record and isinstance(record.get("data"), dict) else record
    if not isinstance(at(post, _INFO), dict):
        raise NotThisFormatError(f"no {_INFO}")
    reposted, quoted = (at(post, _INFO, "share_info", name) for name in ("reposted_post", "quoted_post"))
    answered = at(post, _INFO, "reply_to_author")
    kind, parent = "original", {}
    if isinstance(reposted, dict):
        kind, parent = "reshare", reposted
    elif isinstance(quoted, dict):
        kind, parent = "quote", quoted
    elif isinstance(answered, dict) or at(post, _INFO, "is_reply") is True:
        kind, parent = "reply", {"user": answered}
    shown = parent if kind == "reshare" else post
    yield {
        "content_id": post.get("code") or post.get("pk"),
        "account_id": _account(post),
        "account_name": at(post, "user", "username"),
        "timestamp": post.get("taken_at"),
        "kind": kind,
        "parent_content_id": parent.get("code") or parent.get("pk"),
        "parent_timestamp": parent.get("taken_at"),
        "origin_account_id": _account(parent),
        "origin_account_name": at(parent, "user", "username"),
        "text": at(shown, "caption", "text"),
        "url": at(shown, _INFO, "link_preview_attachment", "url"),
        "platform": "threads",
        "sponsor": "yes" if post.get("is_paid_partnership") is True else None,
    }


def _account(post: Any) -> Any:
    return at(post, "user", "pk") or at(post, "user", "id") or at(post, "user", "username")


def _of_4cat(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(
        content_id="id",
        account_id="author",
        account_name="author",
        timestamp="unix_timestamp",
        kind=pl.lit("original"),
        text="body",
        url=filled("link_url"),
        hashtags=filled("hashtags").str.split(","),
        platform=pl.lit("threads"),
        sponsor=pl.when(is_yes("is_paid_partnership")).then(pl.lit("yes")),
    )


READERS: tuple[Reader, ...] = (
    Reader(
        name="zeeschuimer-threads",
        title="Zeeschuimer's NDJSON of Threads, also as 4CAT keeps it",
        layouts=(
            (f"data.{_INFO}", "data.code", "data.taken_at", "source_platform"),
            (_INFO, "code", "taken_at"),
        ),
        fields={
            "content_id": "code, else pk",
            "account_id": "user.pk, else user.id or user.username",
            "account_name": "user.username",
            "timestamp": "taken_at",
            "kind": f"reshare with {_INFO}.share_info.reposted_post, quote with quoted_post, reply with "
            f"{_INFO}.reply_to_author or is_reply, else original",
            "parent_content_id": "code of the post reposted or quoted",
            "parent_timestamp": "its taken_at",
            "origin_account_id": "its user.pk; of a reply that of reply_to_author",
            "origin_account_name": "its user.username",
            "text": "caption.text, of a repost that of the post reposted",
            "url": f"{_INFO}.link_preview_attachment.url",
            "platform": "threads",
            "sponsor": "yes where is_paid_partnership",
        },
        rows=_rows,
        sample="""\
{"code": "C4abc", "pk": "3312", "taken_at": 1709632800, "user": {"pk": "101", "username": "ana"}, \
"caption": {"text": "Look"}, \
"text_post_app_info": {"link_preview_attachment": {"url": "https://valley-herald.example/water"}, "share_info": \
{"quoted_post": null, "reposted_post": null}, "reply_to_author": null}, "is_paid_partnership": false}
""",
        checked="4CAT's source (datasources/threads), and public code and answers of Threads' website (share_info, "
        "reply_to_author, link_preview_attachment). Not verified: reply_to_author.pk, what stands in Zeeschuimer's "
        "envelope beside data",
    ),
    Reader(
        name="4cat-threads",
        title="4CAT's table of Threads (id, thread_id, body, author, link_url, is_paid_partnership, ...)",
        layouts=(("id", "thread_id", "body", "author", "link_url", "is_paid_partnership", "unix_timestamp"),),
        uses=("hashtags",),
        fields={
            "content_id": "id",
            "account_id": "author",
            "account_name": "author",
            "timestamp": "unix_timestamp",
            "kind": "original: the table does not tell reposts and replies",
            "text": "body",
            "url": "link_url",
            "hashtags": "hashtags",
            "platform": "threads",
            "sponsor": "yes where is_paid_partnership",
        },
        posts=_of_4cat,
        texts=("body", "hashtags"),
        sample="""id,thread_id,url,body,timestamp,author,link_url,is_paid_partnership,hashtags,unix_timestamp
C4abc,C4abc,https://www.threads.com/@ana/post/C4abc,Look,2024-03-05 10:00:00,ana,https://valley-herald.example/water,no,,\
1709632800
""",
        checked="4CAT's source (datasources/threads: map_item)",
    ),
)
