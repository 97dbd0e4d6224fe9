"""Telegram: what the readers make of an export's and a CSV's messages."""

from __future__ import annotations

import csv
import json

import pytest

from propgraph.readers.base import NoPost, NotThisFormatError
from propgraph.readers.read import read_logs
from propgraph.readers.registry import READERS

EXPORT, CSV = READERS["telegram-export"], READERS["4cat-telegram"]
WATER = "https://valley-herald.example/water"


def message(number=1, **other):
    return {
        "id": number,
        "type": "message",
        "date": "2024-03-05T11:00:00",
        "date_unixtime": str(1709632740 + 60 * number),
        "from": "Ana",
        "from_id": "user101",
        "text": "They shut the water off",
        "text_entities": [{"type": "plain", "text": "They shut the water off"}],
    } | other


def chat(*messages, **other):
    return {"name": "Valley talk", "type": "public_supergroup", "id": 17, "messages": list(messages)} | other


def post(*args, **other):
    (row,) = EXPORT.rows(chat(message(*args, **other)))
    return row


def read(tmp_path, *records, name="log.json"):
    file = tmp_path / name
    text = json.dumps(records[0], indent=1) if name.endswith(".json") else "\n".join(map(json.dumps, records))
    file.write_text(text)
    return read_logs([file])


def column(log, name):
    return log.posts.sort("timestamp", "content_id")[name].to_list()


# The export


def test_a_message_in_a_group_is_its_senders():
    assert post() == {
        "content_id": "channel17/1",
        "account_id": "user101",
        "account_name": "Ana",
        "timestamp": "1709632800",
        "kind": "original",
        "target_id": "channel17",
        "text": "They shut the water off",
        "urls": [],
        "hashtags": [],
        "mentions": [],
        "platform": "telegram",
    }


@pytest.mark.parametrize("kind", ["public_channel", "private_channel"])
def test_a_message_in_a_channel_is_the_channels_whoever_signs(kind):
    (row,) = EXPORT.rows(chat(message(author="Eva", from_id="user5"), type=kind, name="The Herald"))
    assert (row["account_id"], row["account_name"], row["target_id"]) == (
        "channel17",
        "The Herald",
        "channel17",
    )


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        ("private_group", "chat17"),
        ("private_supergroup", "channel17"),
        ("public_channel", "channel17"),
        ("personal_chat", "user17"),
        ("saved_messages", "user17"),
        (None, "user17"),
    ],
)
def test_a_chats_id_says_what_it_is(kind, place):
    (row,) = EXPORT.rows(chat(message(), type=kind))
    assert (row["target_id"], row["content_id"]) == (place, f"{place}/1")


def test_the_same_number_in_two_chats_is_two_posts():
    record = {"chats": {"list": [chat(message()), chat(message(), id=18)]}}
    assert [row["content_id"] for row in EXPORT.rows(record)] == ["channel17/1", "channel18/1"]


def test_chats_that_were_left_are_read_as_well():
    record = {"chats": {"list": [chat(message())]}, "left_chats": {"list": [chat(message(), id=18)]}}
    assert [row["content_id"] for row in EXPORT.rows(record)] == ["channel17/1", "channel18/1"]


def test_an_older_exports_number_is_a_user_and_its_time_the_date():
    row = post(from_id=101, date_unixtime=None)
    assert (row["account_id"], row["timestamp"]) == ("user101", "2024-03-05T11:00:00")


def test_a_forwarded_message_is_a_reshare_by_name_and_id():
    row = post(forwarded_from="Cem", forwarded_from_id="user103", reply_to_message_id=5)
    assert (row["kind"], row["origin_account_name"], row["origin_account_id"]) == (
        "reshare",
        "Cem",
        "user103",
    )
    assert "parent_content_id" not in row


def test_a_forward_from_an_account_that_is_gone_is_still_a_reshare():
    row = post(forwarded_from=None)
    assert (row["kind"], row["origin_account_name"], row["origin_account_id"]) == ("reshare", None, None)


@pytest.mark.parametrize(
    ("elsewhere", "parent"), [({}, "channel17/5"), ({"reply_to_peer_id": "channel18"}, "channel18/5")]
)
def test_a_reply_names_its_parent_with_its_chat(elsewhere, parent):
    row = post(reply_to_message_id=5, **elsewhere)
    assert (row["kind"], row["parent_content_id"]) == ("reply", parent)


PARTS = [
    {"type": "hashtag", "text": "#water"},
    {"type": "bold", "text": "off"},
    {"type": "mention", "text": "@Valley"},
    {"type": "link", "text": "valley-herald.example/a"},
    {"type": "text_link", "text": "here", "href": WATER},
    {"type": "email", "text": "me@valley.example"},
]


def test_links_hashtags_and_mentions_come_from_the_marked_parts():
    row = post(text_entities=PARTS)
    assert row["urls"] == ["valley-herald.example/a", WATER]
    assert (row["hashtags"], row["mentions"]) == (["#water"], ["@Valley"])


def test_an_older_exports_text_has_its_marked_parts_in_it():
    record = message(text=["They shut the ", PARTS[0], " ", PARTS[1], ", see ", PARTS[4]])
    del record["text_entities"]
    (row,) = EXPORT.rows(chat(record))
    assert row["text"] == "They shut the #water off, see here"
    assert (row["urls"], row["hashtags"]) == ([WATER], ["#water"])


def test_a_buttons_link_is_shared_too():
    buttons = [
        [{"type": "callback", "text": "like", "data": "x"}],
        [{"type": "url", "text": "Read", "data": WATER}],
    ]
    assert post(inline_bot_buttons=buttons)["urls"] == [WATER]


def test_service_messages_and_unsupported_ones_are_no_posts():
    records = [
        {
            "id": 1,
            "type": "service",
            "date": "2024-03-05T11:00:00",
            "actor": "Ana",
            "action": "pin_message",
            "text": "",
        },
        {"id": 2, "type": "unsupported"},
        "a text",
    ]
    assert list(EXPORT.rows(chat(*records))) == [
        NoPost("service message"), NoPost("unsupported message"), NoPost("not a message"),
    ]  # fmt: skip


@pytest.mark.parametrize("record", [{}, {"messages": "none"}, {"chats": []}, {"messages": None, "id": 1}])
def test_a_record_without_messages_is_not_of_this_format(record):
    with pytest.raises(NotThisFormatError, match="no chat with messages"):
        list(EXPORT.rows(record))


@pytest.mark.parametrize("id", [None, [], {"a": 1}])
def test_a_chat_without_an_id_is_not_of_this_format(id):
    with pytest.raises(NotThisFormatError, match="a chat without an id"):
        list(EXPORT.rows(chat(message(), id=id)))


@pytest.mark.parametrize(
    "bad", [None, 3, True, 1.5, "x", [], {}, [1], ["a"], [[None]], {"a": 1}, [{"type": "link"}]]
)
def test_a_value_of_the_wrong_type_stumbles_nobody(bad):
    keys = (*message(), "forwarded_from", "forwarded_from_id", "reply_to_message_id", "inline_bot_buttons")
    for key in keys:
        assert len(list(EXPORT.rows(chat(message(**{key: bad}), message(2))))) == 2
    row = post(reply_to_message_id=5, reply_to_peer_id=bad)
    assert row["parent_content_id"] == ("x/5" if bad == "x" else None if bad else "channel17/5")


def test_a_bad_message_is_rejected_and_the_next_one_read(tmp_path):
    bad = [message(2, id=None), message(3, from_id={"a": 1}), message(4, date_unixtime="soon")]
    log = read(tmp_path, chat(message(), *bad, message(5)), chat(message(), id=18), name="log.ndjson")
    assert column(log, "content_id") == ["channel17/1", "channel18/1", "channel17/5"]
    assert sorted(log.rejected["reason"]) == [
        "account_id: a list or an object, not one value",
        "content_id: empty",
        "timestamp: soon is not a time of this file's kind",
    ]


def test_an_export_of_one_chat_is_read_whole(tmp_path):
    messages = [
        message(text=["Off ", {"type": "link", "text": WATER}]),
        message(2, type="service"),
        message(3, **{"from": "Ben", "from_id": "user102", "forwarded_from": "Ana"}, text="Off " + WATER),
        message(4, forwarded_from="Nobody here", text="Elsewhere"),
    ]
    log = read(tmp_path, chat(*messages))
    assert log.sources[0]["reader"] == "telegram-export"
    assert log.rejected["reason"].to_list() == ["no post: service message"]
    assert column(log, "kind") == ["original", "reshare", "reshare"]
    assert column(log, "origin_account_id") == [None, "user101", "@nobody here"]
    assert [time.isoformat() for time in column(log, "timestamp")] == [
        "2024-03-05T10:00:00+00:00", "2024-03-05T10:02:00+00:00", "2024-03-05T10:03:00+00:00",
    ]  # fmt: skip


def test_an_export_of_all_chats_in_one_line_is_read(tmp_path):
    log = read(tmp_path, {"about": "", "chats": {"about": "", "list": [chat(message())]}}, name="log.ndjson")
    assert (log.sources[0]["reader"], column(log, "content_id")) == ("telegram-export", ["channel17/1"])


# 4CAT's CSV

COLUMNS = (
    "id", "thread_id", "chat", "author", "author_username", "author_name", "author_is_bot", "body", "body_markdown",
    "reply_to", "timestamp", "unix_timestamp", "author_forwarded_from_name", "author_forwarded_from_username",
    "author_forwarded_from_id", "unix_timestamp_forwarded_from", "entities_mentioned", "link_attached",
    "attachment_type", "attachment_data",
)  # fmt: skip


def read_csv(tmp_path, *rows, columns=COLUMNS):
    file = tmp_path / "log.csv"
    with file.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        for n, row in enumerate(rows):
            plain = {
                "id": f"valley-{n}",
                "thread_id": "valley",
                "author": "101",
                "body": "Off",
                "timestamp": "2024-03-05 11:00:00",
                "unix_timestamp": 1709632800 + 60 * n,
            }
            writer.writerow(plain | row)
    log = read_logs([file])
    assert [source["reader"] for source in log.sources] == ["4cat-telegram"]
    return log


def test_ids_are_taken_whole_or_put_together(tmp_path):
    log = read_csv(tmp_path, {"id": "valley-7"}, {"id": "8"}, {"id": "9.0", "thread_id": "hill"})
    assert column(log, "content_id") == ["valley-7", "valley-8", "hill-9"]
    assert column(log, "target_id") == ["valley", "valley", "hill"]
    assert column(log, "timestamp")[0].isoformat() == "2024-03-05T10:00:00+00:00"


def test_kinds_and_parents_of_the_csv(tmp_path):
    forwards = [
        {"author_forwarded_from_id": "103", "unix_timestamp_forwarded_from": "1709632000", "reply_to": "2"},
        {"author_forwarded_from_username": "dov", "author_forwarded_from_name": "Dov D."},
        {"author_forwarded_from_name": "Eva"},
        {"unix_timestamp_forwarded_from": "1709632000"},
    ]
    log = read_csv(tmp_path, {}, {"reply_to": "1.0"}, *forwards, {"author": "104", "author_username": "Dov"})
    assert column(log, "kind") == ["original", "reply", *["reshare"] * 4, "original"]
    assert column(log, "parent_content_id")[:2] == [None, "valley-1"]
    # Whatever a forwarded message replied to, its parent is what was forwarded.
    assert column(log, "parent_content_id")[2].startswith("of:103:")
    assert column(log, "origin_account_id") == [None, None, "103", "104", "@eva", None, None]
    made = column(log, "parent_timestamp")
    assert [time.isoformat() if time else None for time in (made[0], made[2])] == [
        None,
        "2024-03-05T09:46:40+00:00",
    ]


def test_links_are_those_of_the_text_hidden_ones_and_the_preview(tmp_path):
    cure = "https://true-remedies.example/cure_(lemon)"
    log = read_csv(
        tmp_path,
        {"body": f"Off: {WATER}.", "link_attached": WATER},
        {"body": "Off and cured", "body_markdown": f"[Off]({WATER}) and **[cured]({cure})**"},
        {"link_attached": WATER},
        {},
    )
    assert column(log, "urls") == [[WATER], [WATER, cure], [WATER], []]
    assert column(log, "text")[1] == "Off and cured"


def test_hashtags_mentions_and_photos_of_the_csv(tmp_path):
    photo = json.dumps({"id": 5370000000000000001, "dc_id": 2, "file_reference": "0a"})
    log = read_csv(
        tmp_path,
        {"body": f"#Water is #off {WATER}?#top", "entities_mentioned": "Ana,Ben_B"},
        {"attachment_type": "photo", "attachment_data": photo},
        {"attachment_type": "video", "attachment_data": photo},
        {"attachment_type": "photo", "attachment_data": "{broken"},
    )
    assert column(log, "hashtags") == [["water", "off"], [], [], []]
    assert column(log, "mentions")[0] == ["ana", "ben_b"]
    assert column(log, "images") == [None, ["5370000000000000001"], None, []]


def test_a_csv_of_2021_lacks_columns_and_is_read(tmp_path):
    columns = tuple(
        name for name in COLUMNS
        if name not in ("body_markdown", "author_forwarded_from_id", "entities_mentioned", "link_attached")
    )  # fmt: skip
    log = read_csv(tmp_path, {"id": "1"}, {"id": "2", "author_forwarded_from_name": "Eva"}, columns=columns)
    assert column(log, "origin_account_id") == [None, "@eva"]


@pytest.mark.parametrize("reader", [EXPORT, CSV], ids=lambda reader: reader.name)
def test_the_sample_is_recognised_and_read(tmp_path, reader):
    file = tmp_path / "sample"
    file.write_text(reader.sample)
    log = read_logs([file])
    assert [source["reader"] for source in log.sources] == [reader.name]
    assert log.rejected.is_empty()
