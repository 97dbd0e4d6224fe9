"""Telegram: the desktop application's JSON export, of one chat or of all, and 4CAT's CSV.

A message's number is its own within its chat only, so a post's id here is `CHAT/NUMBER`. Neither format says
which message was forwarded, only whose: the original is found by its author and link or text.

Traps of the export. In a channel the channel is the author, whoever signs. `date` is the local time of the
computer that wrote the file, without a zone; only exports since 2022 have `date_unixtime` beside it.
Exports before 2021 number their accounts (`from_id: 123`), later ones say what they are (`user123`,
`channel123`), and only recent ones have `forwarded_from_id`. In a group with topics every message counts as a
reply to its topic.

Traps of 4CAT's CSV. `timestamp` is the local time of the server. The older CSV numbers messages within
their chat, the later one writes `chat-number`. Accounts are bare numbers there, so an export and a CSV of one
chat do not share account ids.
"""

from collections.abc import Iterator
from typing import Any

import polars as pl

from propgraph.readers.base import NoPost, NotThisFormatError, Reader, Record, Row, at, filled, objects
from propgraph.readers.values.markdown import hashtags_in, links_in

_CHANNELS = ("public_channel", "private_channel")
# What Telegram's ids say of a chat, by its type; all others are with one user.
_PEERS = {"private_group": "chat"} | dict.fromkeys(
    ("private_supergroup", "public_supergroup", *_CHANNELS), "channel"
)


def _rows(record: Record) -> Iterator[Row | NoPost]:
    chats = [chat for chat in _chats(record) if isinstance(chat.get("messages"), list)]
    if not chats:
        raise NotThisFormatError("no chat with messages")
    for chat in chats:
        if not isinstance(chat.get("id"), int | str):
            raise NotThisFormatError("a chat without an id")
        place = f"{_PEERS.get(str(chat.get('type')), 'user')}{chat['id']}"
        for message in chat["messages"]:
            yield _post(message, chat, place) if isinstance(message, dict) else NoPost("not a message")


def _chats(record: Record) -> list[Record]:
    """Return the chats of a record, which is one of them or an export of all."""
    if "messages" in record:
        return [record]
    return [*objects(at(record, "chats", "list")), *objects(at(record, "left_chats", "list"))]


def _post(message: Record, chat: Record, place: str) -> Row | NoPost:
    if message.get("type") in ("service", "unsupported"):
        return NoPost(f"{message['type']} message")
    in_channel = chat.get("type") in _CHANNELS
    # Texts with marked parts are told twice, and older exports tell them once.
    entities = objects(message.get("text_entities")) or objects(message.get("text"))
    row: Row = {
        "content_id": _within(place, message.get("id")),
        "account_id": place if in_channel else _account(message.get("from_id")),
        "account_name": chat.get("name") if in_channel else message.get("from"),
        "timestamp": message.get("date_unixtime") or message.get("date"),
        "kind": "original",
        "target_id": place,
        "text": _text(message.get("text")),
        "urls": _links(message, entities),
        "hashtags": _marked(entities, "hashtag", "text"),
        "mentions": _marked(entities, "mention", "text"),
        "platform": "telegram",
    }
    if "forwarded_from" in message:
        row["kind"] = "reshare"
        row["origin_account_id"] = message.get("forwarded_from_id")
        row["origin_account_name"] = message["forwarded_from"]
    elif "reply_to_message_id" in message:
        row["kind"] = "reply"
        elsewhere = message.get("reply_to_peer_id")
        row["parent_content_id"] = _within(elsewhere or place, message["reply_to_message_id"])
    return row


def _within(place: Any, number: Any) -> str | None:
    return f"{place}/{number}" if isinstance(place, str) and isinstance(number, int | str) else None


def _account(account: Any) -> Any:
    """Return an account's id; older exports give a number, always a user's."""
    return f"user{account}" if isinstance(account, int) else account


def _text(text: Any) -> Any:
    """Return a text, which stands in pieces where parts of it are marked."""
    if not isinstance(text, list):
        return text
    pieces = (piece if isinstance(piece, str) else at(piece, "text") for piece in text)
    return "".join(piece for piece in pieces if isinstance(piece, str))


def _links(message: Record, entities: list[dict[str, Any]]) -> list[str]:
    """Return the links written out, those behind words, and those of the buttons below."""
    links = _marked(entities, "link", "text") + _marked(entities, "text_link", "href")
    rows = message.get("inline_bot_buttons")
    for buttons in rows if isinstance(rows, list) else ():
        links += _marked(objects(buttons), "url", "data")
    return links


def _marked(parts: list[dict[str, Any]], kind: str, key: str) -> list[str]:
    return [part[key] for part in parts if part.get("type") == kind and isinstance(part.get(key), str)]


_FORWARDED = (
    "author_forwarded_from_id", "author_forwarded_from_username", "author_forwarded_from_name",
    "unix_timestamp_forwarded_from",
)  # fmt: skip


def _csv_posts(frame: pl.DataFrame) -> pl.DataFrame:
    chat, number, reply_to = filled("thread_id"), _number("id"), _number("reply_to")
    is_reshare = pl.any_horizontal(filled(name).is_not_null() for name in _FORWARDED)
    is_reply = reply_to.is_not_null() & ~is_reshare
    links = links_in(pl.coalesce(filled("body_markdown"), filled("body")))
    return frame.select(
        content_id=pl.when(number.str.contains(r"^\d+$")).then(pl.format("{}-{}", chat, number)).otherwise(number),
        account_id=filled("author"),
        account_name=pl.coalesce(filled("author_username"), filled("author_name")),
        timestamp="unix_timestamp",
        kind=pl.when(is_reshare).then(pl.lit("reshare")).when(is_reply).then(pl.lit("reply"))
        .otherwise(pl.lit("original")),
        parent_content_id=pl.when(is_reply).then(pl.format("{}-{}", chat, reply_to)),
        parent_timestamp=filled("unix_timestamp_forwarded_from"),
        origin_account_id=filled("author_forwarded_from_id"),
        origin_account_name=pl.coalesce(
            filled("author_forwarded_from_username"), filled("author_forwarded_from_name")
        ),
        target_id=chat,
        text="body",
        urls=pl.concat_list(links, filled("link_attached")).list.drop_nulls().list.unique(maintain_order=True),
        hashtags=hashtags_in(pl.col("body")),
        mentions=filled("entities_mentioned").str.split(","),
        images=pl.when(filled("attachment_type") == "photo").then(
            pl.concat_list(filled("attachment_data").str.extract(r'"id": ?"?(\d+)')).list.drop_nulls()
        ),
        platform=pl.lit("telegram"),
    )  # fmt: skip


def _number(name: str) -> pl.Expr:
    """Return a message's number, which pandas writes as 12.0 beside a missing one."""
    return filled(name).str.replace(r"\.0$", "")


READERS: tuple[Reader, ...] = (
    Reader(
        name="telegram-export",
        title="Telegram Desktop's JSON export (result.json), one chat or all, or one chat a line",
        layouts=(
            ("id", "type", "messages[].id", "messages[].type", "messages[].date", "messages[].text"),
            (
                "chats.list[].id",
                "chats.list[].type",
                "chats.list[].messages[].id",
                "chats.list[].messages[].type",
                "chats.list[].messages[].date",
                "chats.list[].messages[].text",
            ),
        ),
        lists=("messages", "chats.list[].messages", "left_chats.list[].messages"),
        fields={
            "content_id": "the chat and the message's id: channel1700000001/12",
            "account_id": "from_id; in a channel the channel; where from_id is a number, user and the number",
            "account_name": "from; in a channel the chat's name",
            "timestamp": "date_unixtime, else date (local time, taken as UTC)",
            "kind": "reshare where forwarded_from is there, reply where reply_to_message_id is, else original",
            "parent_content_id": "reply_to_message_id, in the chat reply_to_peer_id if that is there",
            "origin_account_id": "forwarded_from_id",
            "origin_account_name": "forwarded_from",
            "target_id": "the chat's id, with what it is: channel, chat (a small group), user",
            "text": "text, its pieces put together",
            "urls": "text_entities (else text) of type link and text_link, and buttons of type url",
            "hashtags": "text_entities (else text) of type hashtag",
            "mentions": "text_entities (else text) of type mention",
            "platform": "telegram",
        },
        rows=_rows,
        sample="""{"name": "Valley talk", "type": "public_supergroup", "id": 1700000001, "messages": [{"id": 1, \
"type": "message", "date": "2024-03-05T10:00:00", "date_unixtime": "1709632800", "from": "Ana", \
"from_id": "user101", "text": "They shut the water off", "text_entities": \
[{"type": "plain", "text": "They shut the water off"}]}]}
""",
        checked="Telegram Desktop's source (export_output_json.cpp) of 2018, 2021 and 2025: all names. Of which "
        "application version a key is first known is not verified.",
    ),
    Reader(
        name="4cat-telegram",
        title="4CAT's Telegram CSV (id, thread_id, chat, author, body, author_forwarded_from_name, ...)",
        layouts=(
            (
                "id", "thread_id", "chat", "author", "author_is_bot", "body", "unix_timestamp",
                "author_forwarded_from_name",
            ),
        ),
        uses=(
            "author_username", "author_name", "body_markdown", "reply_to", "author_forwarded_from_username",
            "author_forwarded_from_id", "unix_timestamp_forwarded_from", "entities_mentioned", "link_attached",
            "attachment_type", "attachment_data",
        ),
        fields={
            "content_id": "id; where that is a number alone, thread_id-id",
            "account_id": "author",
            "account_name": "author_username, else author_name",
            "timestamp": "unix_timestamp",
            "kind": "reshare where a column of the original's author or time is filled, reply where reply_to is, "
            "else original",
            "parent_content_id": "of a reply thread_id-reply_to",
            "parent_timestamp": "unix_timestamp_forwarded_from",
            "origin_account_id": "author_forwarded_from_id",
            "origin_account_name": "author_forwarded_from_username, else author_forwarded_from_name",
            "target_id": "thread_id",
            "text": "body",
            "urls": "links in body_markdown (else body), then link_attached",
            "hashtags": "hashtags in body",
            "mentions": "entities_mentioned, separated by commas",
            "images": "id in attachment_data where attachment_type is photo; a forwarded photo keeps it",
            "platform": "telegram",
        },
        posts=_csv_posts,
        texts=("body", "entities_mentioned"),
        sample="""id,thread_id,chat,author,author_username,author_is_bot,body,reply_to,unix_timestamp,\
author_forwarded_from_name
valleytalk-1,valleytalk,valleytalk,101,ana,no,They shut the water off,,1709632800,
valleytalk-2,valleytalk,valleytalk,102,ben,no,They shut the water off,,1709632860,Ana
""",
        checked="4CAT's source (datasources/telegram, map_item of 2021 and 2025): all names. That a forwarded "
        "photo keeps its id is not verified.",
    ),
)  # fmt: skip
