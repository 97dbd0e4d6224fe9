"""VK: posts and comments as its API gives them (wall.get, newsfeed.search), and 4CAT's table of the same.

A number counts on one wall only, so that an id is the wall's number and the post's, as in the address: `-123_45`; of a
comment `-123_r45`. A repost holds the posts that it passes on in `copy_history`, the nearest first; with words of its
own it is a quote. The author is `from_id`; who posts on another's wall posts into a group.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from propgraph.readers.base import NoPost, NotThisFormatError, Reader, Record, Row, at, filled, objects

_LISTS = ("response.items", "items")


def _rows(record: Record) -> Iterator[Row | NoPost]:
    items = record.get("items", at(record, "response", "items"))
    if not isinstance(items, list):
        if not _is_post(record):
            raise NotThisFormatError("no owner_id or no date")
        items = [record]
    for post in items:
        yield _post(post) if _is_post(post) else NoPost("not a post: no owner_id or no date")


def _is_post(value: Any) -> bool:
    return isinstance(value, dict) and value.get("owner_id") is not None and value.get("date") is not None


def _post(post: Record) -> Row:
    wall = post["owner_id"]
    is_comment = post.get("post_id") is not None and post.get("post_type") in (None, "reply")
    author, shared = post.get("from_id", wall), objects(post.get("copy_history"))
    text = post.get("text") or None
    kind, parent = "original", None
    if is_comment:
        answered = post.get("reply_to_comment") or at(post, "parents_stack", -1)
        kind = "reply"
        parent = f"{wall}_r{answered}" if answered else f"{wall}_{post['post_id']}"
    elif shared:
        kind, parent = "quote" if text else "reshare", _name(shared[0])
    said = shared if kind == "reshare" else [post]
    return {
        "content_id": f"{wall}_r{post.get('id')}" if is_comment else _name(post),
        "account_id": author,
        "account_name": at(post, "author_profile", "screen_name"),
        "timestamp": post["date"],
        "kind": kind,
        "parent_content_id": parent,
        "parent_timestamp": shared[0].get("date") if shared else None,
        "origin_account_id": _author(shared[0]) if shared else post.get("reply_to_user"),
        "target_id": wall if wall != author else None,
        "text": next((one["text"] for one in said if one.get("text")), None),
        "urls": list(dict.fromkeys(link for one in said for link in _links(one))),
        "platform": "vk",
        "sponsor": "yes" if post.get("marked_as_ads") in (1, True) else None,
    }


def _links(post: Record) -> Iterator[str]:
    found = (at(one, "link", "url") for one in objects(post.get("attachments")))
    return (link for link in found if isinstance(link, str) and link)


def _name(post: Record) -> str:
    return f"{post.get('owner_id')}_{post.get('id')}"


def _author(post: Record) -> Any:
    return post.get("from_id", post.get("owner_id"))


def _of_4cat(frame: pl.DataFrame) -> pl.DataFrame:
    is_comment = filled("item_type") == "comment"
    wall = filled("link").str.extract(r"/wall(-?\d+)_")
    answered = filled("in_reply_to_comment_id")
    return frame.select(
        content_id=pl.concat_str(wall, pl.when(is_comment).then(pl.lit("_r")).otherwise(pl.lit("_")), "id"),
        account_id="author_id",
        account_name="author_screen_name",
        timestamp="unix_timestamp",
        kind=pl.when(is_comment).then(pl.lit("reply")).otherwise(pl.lit("original")),
        parent_content_id=pl.when(is_comment).then(
            pl.coalesce(pl.concat_str(wall, pl.lit("_r"), answered), pl.concat_str(wall, pl.lit("_"), "thread_id"))
        ),
        origin_account_id=filled("in_reply_to_user"),
        target_id=pl.when(wall != filled("author_id")).then(wall),
        text="body",
        urls=filled("links").str.split(", "),
        platform=pl.lit("vk"),
    )  # fmt: skip


READERS: tuple[Reader, ...] = (
    Reader(
        name="vk-api",
        title="VK, posts and comments of its API (owner_id, from_id, date, text, copy_history, ...)",
        layouts=(
            ("id", "owner_id", "from_id", "date", "text"),
            ("items[].owner_id", "items[].date", "items[].text"),
            ("response.items[].owner_id", "response.items[].date", "response.items[].text"),
        ),
        fields={
            "content_id": "owner_id and id, `-123_45`; of a comment `-123_r45`",
            "account_id": "from_id, else owner_id",
            "account_name": "author_profile.screen_name (4CAT)",
            "timestamp": "date",
            "kind": "reply of a comment; with copy_history quote where text is filled, else reshare; else original",
            "parent_content_id": "copy_history[0], as content_id; of a comment reply_to_comment, else the last of "
            "parents_stack, else post_id",
            "parent_timestamp": "copy_history[0].date",
            "origin_account_id": "copy_history[0].from_id; of a comment reply_to_user",
            "target_id": "owner_id where it is not the author's",
            "text": "text, of a reshare the first in copy_history",
            "urls": "attachments[].link.url, of a reshare those in copy_history; where there are none, those in "
            "the text",
            "platform": "vk",
            "sponsor": "yes where marked_as_ads",
        },
        rows=_rows,
        lists=_LISTS,
        sample="""\
{"id": 45, "owner_id": -123, "from_id": -123, "date": 1709632800, "post_type": "post", "text": "Look", "attachments": \
[{"type": "link", "link": {"url": "https://valley-herald.example/water"}}]}
{"id": 7, "owner_id": 88, "from_id": 88, "date": 1709632860, "post_type": "post", "text": "", \
"copy_history": [{"id": 45, "owner_id": -123, "from_id": -123, "date": 1709632800, "text": "Look"}]}
""",
        checked="public clients of VK's API (wall.get, wall.getComments: names of fields) and 4CAT's source "
        "(datasources/vk). Not verified: marked_as_ads",
    ),
    Reader(
        name="4cat-vk",
        title="4CAT's table of VK (id, thread_id, link, item_type, body, author_id, author_screen_name, ...)",
        layouts=(("id", "thread_id", "unix_timestamp", "link", "item_type", "body", "author_id"),),
        uses=("author_screen_name", "in_reply_to_user", "in_reply_to_comment_id", "links"),
        fields={
            "content_id": "the wall's number in link, and id, `-123_45`; of a comment `-123_r45`",
            "account_id": "author_id",
            "account_name": "author_screen_name",
            "timestamp": "unix_timestamp",
            "kind": "reply of a comment, else original: the table does not tell reposts",
            "parent_content_id": "of a comment in_reply_to_comment_id, else thread_id",
            "origin_account_id": "in_reply_to_user",
            "target_id": "the wall's number where it is not the author's",
            "text": "body",
            "urls": "links; where there are none, those in the text",
            "platform": "vk",
        },
        posts=_of_4cat,
        texts=("body",),
        sample="""id,thread_id,timestamp,unix_timestamp,link,item_type,body,author_id,author_screen_name,links
45,45,2024-03-05 10:00:00,1709632800,https://vk.com/wall-123_45,post,Look,-123,ananews,https://valley-herald.example/water
""",
        checked="4CAT's source (datasources/vk: map_item)",
    ),
)
