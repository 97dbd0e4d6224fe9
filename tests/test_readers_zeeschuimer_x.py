"""What Zeeschuimer saw of X, in its envelope, as 4CAT keeps it, and as X's website wrote it before 2023."""

from __future__ import annotations

import json

import pytest

from propgraph.readers.base import NoPost, NotThisFormatError
from propgraph.readers.read import read_logs
from propgraph.readers.registry import READERS

WATER = "https://valley-herald.example/water"
TIME = "Tue Mar 05 10:00:00 +0000 2024"
EARLIER = "Tue Mar 05 09:00:00 +0000 2024"


def rows(record):
    return list(READERS["zeeschuimer-x"].rows(record))


def post(record):
    (row,) = rows(record)
    return row


def user(number, name):
    return {
        "rest_id": number,
        "core": {"screen_name": name, "created_at": "Fri Dec 05 08:11:02 +0000 2014"},
        "legacy": {"followers_count": 7},
    }


def tweet(number, account="11", name="Ana", *, legacy=None, **more):
    said = {
        "created_at": TIME,
        "full_text": "They shut the water off",
        "user_id_str": account,
        "id_str": number,
    }
    return {
        "__typename": "Tweet", "rest_id": number, "core": {"user_results": {"result": user(account, name)}},
        "legacy": {**said, "entities": {}, **(legacy or {})}, **more,
    }  # fmt: skip


def envelope(item):
    return {
        "id": 1, "nav_index": "1:2:0", "item_id": "101", "timestamp_collected": 1709740800000,
        "source_platform": "x.com", "source_platform_url": "https://x.com/home", "data": item,
    }  # fmt: skip


def retweet(original, **more):
    legacy = {"full_text": "RT @Ana: They shut…", "retweeted_status_result": {"result": original}, **more}
    return tweet("102", "12", "ben", legacy=legacy)


def test_original():
    said = {
        "full_text": "Fish &amp; chips https://t.co/a1", "lang": "en",
        "entities": {
            "urls": [{"expanded_url": WATER}], "hashtags": [{"text": "Water"}],
            "user_mentions": [{"screen_name": "Ben_B"}], "media": [{"id_str": "901"}],
        },
        "extended_entities": {"media": [{"id_str": "901"}, {"id_str": "902"}]},
    }  # fmt: skip
    expected = {
        "content_id": "101",
        "account_id": "11",
        "timestamp": TIME,
        "kind": "original",
        "parent_content_id": None,
        "parent_timestamp": None,
        "origin_account_id": None,
        "origin_account_name": None,
        "text": "Fish & chips https://t.co/a1",
        "urls": [WATER],
        "hashtags": ["Water"],
        "mentions": ["ben_b"],
        "images": ["901", "902"],
        "language": "en",
        "platform": "x",
        "sponsor": None,
        "account_name": "Ana",
        "account_created_at": "Fri Dec 05 08:11:02 +0000 2014",
        "followers": 7,
    }
    item = tweet("101", legacy=said, id=1764954002027446300, promoted=False)
    assert post(envelope(item)) == expected
    assert post(item) == expected
    limited = {"__typename": "TweetWithVisibilityResults", "tweet": item}
    assert post(envelope(limited)) == expected
    assert post(envelope({**item, "promoted": True})) == {**expected, "sponsor": "yes"}


def test_names_of_accounts_lay_in_legacy_before_2025():
    old = {"rest_id": "11", "legacy": {"screen_name": "Ana", "created_at": EARLIER, "followers_count": 3}}
    row = post({**tweet("101"), "core": {"user_results": {"result": old}}})
    assert (row["account_name"], row["account_created_at"], row["followers"]) == ("Ana", EARLIER, 3)


def test_reshare_says_what_the_tweet_inside_says():
    said = {
        "created_at": EARLIER, "quoted_status_id_str": "99",
        "entities": {"urls": [{"expanded_url": WATER}, {"expanded_url": "https://x.com/a/status/99"}]},
    }  # fmt: skip
    original = tweet("101", legacy=said)
    outer = {"is_quote_status": True, "quoted_status_id_str": "99"}
    for inside in (original, {"__typename": "TweetWithVisibilityResults", "tweet": original}):
        row = post(envelope(retweet(inside, **outer)))
        assert (row["kind"], row["parent_content_id"], row["parent_timestamp"]) == ("reshare", "101", EARLIER)
        assert (row["origin_account_id"], row["origin_account_name"]) == ("11", "Ana")
        assert (row["text"], row["urls"]) == ("They shut the water off", [WATER])
        assert (row["content_id"], row["account_id"], row["account_name"]) == ("102", "12", "ben")


def test_reshare_of_what_is_not_available():
    row = post(retweet({"__typename": "TweetTombstone", "tombstone": {"text": {"text": "Age-restricted"}}}))
    assert (row["kind"], row["parent_content_id"], row["text"]) == ("reshare", None, "RT @Ana: They shut…")


def test_quote():
    quoted = tweet("101", legacy={"created_at": EARLIER, "full_text": "Quoted"})
    said = {
        "is_quote_status": True, "quoted_status_id_str": "101", "in_reply_to_status_id_str": "100",
        "entities": {"urls": [{"expanded_url": "https://x.com/Ana/status/101"}, {"expanded_url": WATER}]},
    }  # fmt: skip
    row = post(tweet("102", "12", "ben", legacy=said, quoted_status_result={"result": quoted}))
    assert (row["kind"], row["parent_content_id"], row["parent_timestamp"]) == ("quote", "101", EARLIER)
    assert (row["origin_account_id"], row["origin_account_name"]) == ("11", "Ana")
    assert (row["text"], row["urls"]) == ("They shut the water off", [WATER])


@pytest.mark.parametrize("result", [{}, {"result": {"__typename": "QuotedTombstone", "tombstone": {}}}])
def test_quote_of_what_is_gone(result):
    said = {"is_quote_status": True, "quoted_status_id_str": "101"}
    row = post(tweet("102", legacy=said, quoted_status_result=result))
    assert (row["kind"], row["parent_content_id"], row["origin_account_id"]) == ("quote", "101", None)
    row = post(tweet("102", legacy={"is_quote_status": True}, quoted_status_result=result))
    assert (row["kind"], row["parent_content_id"]) == ("quote", None)


def test_reply():
    said = {
        "in_reply_to_status_id_str": "101", "in_reply_to_user_id_str": "14", "in_reply_to_screen_name": "Dov",
    }  # fmt: skip
    row = post(tweet("102", legacy=said))
    assert (row["kind"], row["parent_content_id"]) == ("reply", "101")
    assert (row["origin_account_id"], row["origin_account_name"]) == ("14", "Dov")


def test_long_tweet_is_told_by_its_note():
    result = {"text": "All of a long tweet", "entity_set": {"urls": [{"expanded_url": WATER}]}}
    note = {"note_tweet_results": {"result": result}}
    said = {"full_text": "All of…", "entities": {"media": [{"id_str": "901"}]}}
    for row in (
        post(tweet("101", legacy=said, note_tweet=note)),
        post(retweet(tweet("101", legacy=said, note_tweet=note))),
    ):
        assert (row["text"], row["urls"], row["images"]) == ("All of a long tweet", [WATER], ["901"])


def test_tweets_as_the_website_had_them_before_2023():
    item = {
        "id": 101, "type": "adaptive", "user": {"id_str": "11", "screen_name": "ana", "followers_count": 4},
        "legacy": {
            "id_str": "101", "user_id_str": "11", "created_at": TIME, "full_text": "RT @cem: Cut…",
            "retweeted_status_id_str": "99", "entities": {},
        },
    }  # fmt: skip
    row = post(item)
    assert (row["content_id"], row["account_id"], row["account_name"], row["followers"]) == (
        "101",
        "11",
        "ana",
        4,
    )
    assert (row["kind"], row["parent_content_id"], row["text"]) == ("reshare", "99", "RT @cem: Cut…")


@pytest.mark.parametrize(
    "gone",
    [
        {"__typename": "TweetTombstone", "tombstone": {"text": {"text": "This Post is unavailable."}}},
        {"tombstone": {}},
        {"__typename": "TweetUnavailable", "reason": "Suspended"},
    ],
)
def test_tombstones_are_no_posts(gone):
    assert rows(envelope(gone)) == [NoPost("a tweet that is not available")]


@pytest.mark.parametrize(
    "record", [{}, {"rest_id": "1"}, envelope(None), envelope({}), envelope({"tweet": {}})]
)
def test_records_of_another_kind(record):
    with pytest.raises(NotThisFormatError):
        rows(record)


@pytest.mark.parametrize(
    "wrong", [None, 5, "text", True, [], {}, [5], [[]], {"result": 5}, {"result": {"legacy": 5}}]
)
def test_anything_anywhere(wrong):
    whole = retweet(tweet("101"))
    for key in ("rest_id", "core", "legacy", "note_tweet", "quoted_status_result", "user", "promoted"):
        assert len(rows({**whole, key: wrong})) == 1
    for key in (*whole["legacy"], "quoted_status_id_str", "in_reply_to_status_id_str", "extended_entities"):
        assert len(rows({**whole, "legacy": {**whole["legacy"], key: wrong}})) == 1
        inside = {**whole["legacy"], key: wrong}
        assert len(rows(retweet({**whole, "legacy": inside}))) == 1


def test_end_to_end(tmp_path):
    path = tmp_path / "export.ndjson"
    records = [
        envelope(tweet("101")),
        envelope({"tombstone": {}}),
        envelope(tweet("101")),
        envelope(tweet("102")),
    ]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    log = read_logs([path])
    assert (log.sources[0]["reader"], log.posts["content_id"].to_list()) == ("zeeschuimer-x", ["101", "102"])
    assert log.rejected.select("line", "reason").row(0) == (2, "no post: a tweet that is not available")
    assert log.rejected["line"].to_list() == [2, 3]
