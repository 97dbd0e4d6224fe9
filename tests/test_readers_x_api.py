"""X's API logs: v2 in all its wrappings, and v1.1."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from same_tables import PLACES

from propgraph.readers.base import NoPost, NotThisFormatError
from propgraph.readers.platforms.x_api import plain, shared_links
from propgraph.readers.read import read_logs
from propgraph.readers.registry import READERS

TEN = Path(__file__).parent / "fixtures" / "ten"
WATER = "https://valley-herald.example/water"
TIME = "2024-03-05T10:00:00.000Z"
OLD_TIME = "Tue Mar 05 10:00:00 +0000 2024"


def rows(name, record):
    return list(READERS[name].rows(record))


def v2(record):
    (row,) = rows("x-api-v2", record)
    return row


def v1(record):
    (row,) = rows("x-api-v1", record)
    return row


def written(tmp_path, records, name="log.ndjson"):
    path = tmp_path / name
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def tweet2(number, **more):
    return {"id": number, "author_id": "11", "created_at": TIME, "text": "They shut the water off", **more}


def tweet1(number, **more):
    return {
        "id_str": number, "created_at": OLD_TIME, "full_text": "They shut the water off",
        "user": {"id_str": "11", "screen_name": "ana"}, "entities": {}, **more,
    }  # fmt: skip


def test_every_export_of_x_tells_the_same_ten_posts():
    files = sorted([*TEN.glob("x-api-*"), *TEN.glob("zeeschuimer-x*")])
    assert len(files) == 11
    logs = [read_logs([file]) for file in files]
    first = logs[0].posts.drop(PLACES)
    assert first["content_id"].n_unique() == 10
    for log in logs:
        assert log.posts.drop("sponsor", *PLACES, strict=False).equals(first)
        assert log.profiles.equals(logs[0].profiles)


# --- v2


def test_v2_original():
    tweet = tweet2(
        "101", text="Fish &amp; chips &lt;3 #Water https://t.co/a1", lang="en",
        entities={
            "urls": [{"url": "https://t.co/a1", "expanded_url": WATER, "unwound_url": "https://elsewhere.example/"}],
            "hashtags": [{"start": 18, "end": 24, "tag": "Water"}],
            "mentions": [{"start": 3, "end": 7, "username": "Ben_B", "id": "12"}],
        },
        attachments={"media_keys": ["3_901", "13_902"]},
        author={
            "id": "11", "username": "Ana", "created_at": "2014-12-05T08:11:02.000Z",
            "public_metrics": {"followers_count": 7},
        },
    )  # fmt: skip
    assert v2(tweet) == {
        "content_id": "101",
        "account_id": "11",
        "timestamp": TIME,
        "kind": "original",
        "parent_content_id": None,
        "parent_timestamp": None,
        "origin_account_id": None,
        "origin_account_name": None,
        "text": "Fish & chips <3 #Water https://t.co/a1",
        "urls": [WATER],
        "hashtags": ["Water"],
        "mentions": ["ben_b"],
        "images": ["901", "902"],
        "language": "en",
        "platform": "x",
        "account_name": "Ana",
        "account_created_at": "2014-12-05T08:11:02.000Z",
        "followers": 7,
    }


CUT = {
    "text": "RT @ana: They shut the wat…",
    "entities": {
        "mentions": [
            {"start": 3, "end": 7, "username": "Ana", "id": "11"},
            {"start": 9, "end": 13, "username": "cem", "id": "13"},
        ]
    },
}
WHOLE = {
    "text": "They shut the water off",
    "entities": {"urls": [{"expanded_url": WATER}], "hashtags": [{"tag": "water"}]},
    "attachments": {"media_keys": ["3_901"]},
}


def reshare2(**reference):
    return {
        **tweet2("102", **CUT), "author_id": "12",
        "referenced_tweets": [{"type": "retweeted", "id": "101", **reference}],
    }  # fmt: skip


@pytest.mark.parametrize("where", ["flattened", "included"])
def test_v2_reshare_says_what_the_tweet_inside_says(where):
    original = {**tweet2("101", **WHOLE), "created_at": "2024-03-05T09:00:00.000Z"}
    if where == "flattened":
        row = v2(reshare2(**original))
    else:
        row = v2({"data": [reshare2()], "includes": {"tweets": [original]}})
    assert (row["kind"], row["parent_content_id"], row["origin_account_id"]) == ("reshare", "101", "11")
    assert row["parent_timestamp"] == "2024-03-05T09:00:00.000Z"
    assert (row["text"], row["urls"], row["hashtags"]) == ("They shut the water off", [WATER], ["water"])
    assert (row["mentions"], row["images"]) == ([], ["901"])


def test_v2_reshare_of_a_tweet_that_is_not_in_the_log_has_its_author_by_the_mention():
    row = v2(reshare2())
    assert (row["kind"], row["parent_content_id"], row["parent_timestamp"]) == ("reshare", "101", None)
    assert (row["origin_account_id"], row["origin_account_name"]) == ("11", "Ana")
    assert (row["text"], row["mentions"]) == ("RT @ana: They shut the wat…", ["cem"])


def test_v2_quote_does_not_share_the_quoted_tweet_or_its_own_picture():
    links = [
        "https://twitter.com/ana/status/101",
        "https://twitter.com/ben/status/102/photo/1",
        "https://x.com/cem/status/103?s=20",
        WATER,
    ]
    tweet = tweet2(
        "102",
        referenced_tweets=[{"type": "replied_to", "id": "100"}, {"type": "quoted", "id": "101"}],
        in_reply_to_user_id="14",
        entities={"urls": [{"expanded_url": link} for link in links]},
    )
    row = v2({"data": [tweet], "includes": {"tweets": [{**tweet2("101"), "author_id": "15"}]}})
    assert (row["kind"], row["parent_content_id"], row["origin_account_id"]) == ("quote", "101", "15")
    assert row["urls"] == ["https://x.com/cem/status/103?s=20", WATER]
    assert row["text"] == "They shut the water off"


def test_v2_reshare_of_a_quote_does_not_share_what_that_quotes():
    quote = tweet2(
        "101",
        referenced_tweets=[{"type": "quoted", "id": "99"}],
        entities={"urls": [{"expanded_url": "https://twitter.com/i/status/99"}, {"expanded_url": WATER}]},
    )
    row = v2({"data": [reshare2()], "includes": {"tweets": [quote]}})
    assert (row["kind"], row["parent_content_id"], row["urls"]) == ("reshare", "101", [WATER])


def test_v2_reply():
    row = v2(tweet2("102", referenced_tweets=[{"type": "replied_to", "id": "101"}], in_reply_to_user_id="14"))
    assert (row["kind"], row["parent_content_id"], row["origin_account_id"]) == ("reply", "101", "14")


def test_v2_long_tweet_is_told_by_its_note():
    note = {"text": "All of a long tweet", "entities": {"urls": [{"expanded_url": WATER}]}}
    row = v2(tweet2("101", text="All of…", note_tweet=note, entities={"hashtags": [{"tag": "water"}]}))
    assert (row["text"], row["urls"]) == ("All of a long tweet", [WATER])
    row = v2(tweet2("101", note_tweet={"text": "Long"}, entities={"hashtags": [{"tag": "water"}]}))
    assert (row["text"], row["hashtags"]) == ("Long", ["water"])


def test_v2_by_the_newer_names():
    page = {
        "data": [tweet2("102", referenced_posts=[{"type": "retweeted", "id": "101"}])],
        "includes": {"posts": [tweet2("101", text="Cut", note_post={"text": "Whole"})]},
    }
    row = v2(page)
    assert (row["kind"], row["parent_content_id"], row["text"]) == ("reshare", "101", "Whole")


def test_v2_tweets_included_in_a_page_are_no_posts():
    page = {
        "data": [tweet2("102", referenced_tweets=[{"type": "replied_to", "id": "101"}]), tweet2("103")],
        "includes": {"tweets": [tweet2("101")], "users": [{"id": "11", "username": "ana"}]},
    }
    found = rows("x-api-v2", page)
    assert [row["content_id"] for row in found] == ["102", "103"]
    assert [row["account_name"] for row in found] == ["ana", "ana"]


def test_v2_of_4cat():
    tweet = tweet2(
        "101",
        author_user={"username": "ana"},
        attachments={"media_keys": [{"media_key": "3_901", "type": "photo"}, "3_902", {"media_key": None}]},
    )
    assert (v2(tweet)["account_name"], v2(tweet)["images"]) == ("ana", ["901", "902"])
    missing = tweet2("101", author_id="UNKNOWN", text="", author_user={"username": "UNKNOWN"})
    assert v2(missing) == NoPost("a tweet that could not be fetched")


@pytest.mark.parametrize(
    "record",
    [
        {"meta": {"result_count": 0}},
        {"data": [], "meta": {}},
        {"errors": [{"title": "Not Found"}]},
        {"data": None},
    ],
)
def test_v2_page_without_tweets(record):
    assert rows("x-api-v2", record) == [NoPost("a page without tweets")]


def test_v2_record_of_another_kind():
    with pytest.raises(NotThisFormatError):
        rows("x-api-v2", {"id": "1", "text": "no author"})


@pytest.mark.parametrize(
    "wrong", [None, 5, "text", True, [], {}, [5], [[]], {"a": {}}, [{"id": {}, "type": []}]]
)
def test_v2_with_anything_anywhere(wrong):
    for key in (
        "id", "author_id", "created_at", "text", "referenced_tweets", "entities", "attachments", "author",
        "note_tweet", "lang", "in_reply_to_user_id",
    ):  # fmt: skip
        assert len(rows("x-api-v2", {**reshare2(**tweet2("101")), key: wrong})) == 1
    for key in ("urls", "hashtags", "mentions"):
        row = v2(tweet2("101", entities={key: wrong}))
        assert row[key] == []
    for key in ("users", "tweets"):
        page = {"data": [reshare2(), wrong], "includes": {key: wrong}}
        assert [row["content_id"] for row in rows("x-api-v2", page)] == ["102", None]
    assert v2({"data": [reshare2()], "includes": wrong})["content_id"] == "102"


def test_v2_pages_end_to_end(tmp_path):
    pages = [
        {"data": [tweet2("101", **WHOLE), {**reshare2(), "created_at": "2024-03-05T10:01:00.000Z"}]},
        {"meta": {"result_count": 0}},
        {"data": [tweet2("103"), 5]},
    ]
    log = read_logs([written(tmp_path, pages)])
    assert log.sources[0]["reader"] == "x-api-v2"
    assert log.posts["content_id"].to_list() == ["101", "103", "102"]
    assert log.rejected.select("line", "reason").rows() == [
        (2, "no post: a page without tweets"), (3, "content_id: empty"),
    ]  # fmt: skip


def test_times_are_exact_by_the_ids(tmp_path):
    log = read_logs([written(tmp_path, [tweet2("1764954003508035585")])])
    assert log.posts["timestamp"].to_list() == [datetime(2024, 3, 5, 10, 0, 0, 353000, tzinfo=UTC)]


# --- v1.1


def test_v1_original():
    tweet = tweet1(
        "101", full_text="Fish &amp; chips https://t.co/a1", lang="en",
        entities={
            "urls": [{"url": "https://t.co/a1", "expanded_url": WATER}],
            "hashtags": [{"text": "Water"}],
            "user_mentions": [{"screen_name": "Ben_B", "id_str": "12"}],
            "media": [{"id_str": "901"}],
        },
        extended_entities={"media": [{"id_str": "901"}, {"id_str": "902"}]},
        user={
            "id_str": "11", "screen_name": "Ana", "created_at": "Fri Dec 05 08:11:02 +0000 2014",
            "followers_count": 7,
        },
    )  # fmt: skip
    assert v1(tweet) == {
        "content_id": "101",
        "account_id": "11",
        "timestamp": OLD_TIME,
        "kind": "original",
        "parent_content_id": None,
        "parent_timestamp": None,
        "origin_account_id": None,
        "text": "Fish & chips https://t.co/a1",
        "urls": [WATER],
        "hashtags": ["Water"],
        "mentions": ["ben_b"],
        "images": ["901", "902"],
        "language": "en",
        "platform": "x",
        "account_name": "Ana",
        "account_created_at": "Fri Dec 05 08:11:02 +0000 2014",
        "followers": 7,
    }


def test_v1_reshare_of_a_quote():
    quoted = tweet1("99", user={"id_str": "19"})
    original = tweet1(
        "101", created_at="Tue Mar 05 09:00:00 +0000 2024", quoted_status_id_str="99", quoted_status=quoted,
        entities={"urls": [{"expanded_url": "https://twitter.com/x/status/99"}, {"expanded_url": WATER}]},
    )  # fmt: skip
    row = v1(
        tweet1(
            "102", full_text="RT @ana: They shut…", user={"id_str": "12"}, retweeted_status=original,
            quoted_status_id_str="99", quoted_status=quoted, is_quote_status=True,
            entities={"user_mentions": [{"screen_name": "ana"}]},
        )
    )  # fmt: skip
    assert (row["kind"], row["parent_content_id"], row["origin_account_id"]) == ("reshare", "101", "11")
    assert row["parent_timestamp"] == "Tue Mar 05 09:00:00 +0000 2024"
    assert (row["text"], row["urls"], row["mentions"]) == ("They shut the water off", [WATER], [])
    assert (row["content_id"], row["account_id"]) == ("102", "12")


def test_v1_quote():
    quoted = tweet1("101", created_at="Tue Mar 05 09:00:00 +0000 2024", full_text="Quoted")
    row = v1(
        tweet1(
            "102", quoted_status=quoted, quoted_status_id_str="101", is_quote_status=True,
            in_reply_to_status_id_str="100", in_reply_to_user_id_str="14",
            entities={"urls": [{"expanded_url": "https://twitter.com/ana/status/101"}]},
        )
    )  # fmt: skip
    assert (row["kind"], row["parent_content_id"], row["origin_account_id"]) == ("quote", "101", "11")
    assert row["parent_timestamp"] == "Tue Mar 05 09:00:00 +0000 2024"
    assert (row["text"], row["urls"]) == ("They shut the water off", [])


def test_v1_quote_of_what_is_gone():
    row = v1(tweet1("102", quoted_status_id_str="101", is_quote_status=True))
    assert (row["kind"], row["parent_content_id"], row["origin_account_id"]) == ("quote", "101", None)
    row = v1(tweet1("102", is_quote_status=True))
    assert (row["kind"], row["parent_content_id"]) == ("quote", None)


def test_v1_reply():
    row = v1(tweet1("102", in_reply_to_status_id_str="101", in_reply_to_user_id_str="14"))
    assert (row["kind"], row["parent_content_id"], row["origin_account_id"]) == ("reply", "101", "14")
    row = v1(tweet1("102", in_reply_to_status_id_str=None, in_reply_to_user_id_str="14"))
    assert (row["kind"], row["parent_content_id"], row["origin_account_id"]) == ("original", None, None)


def test_v1_of_a_stream_is_whole_in_extended_tweet():
    extended = {
        "full_text": "They shut the water off tonight",
        "entities": {"urls": [{"expanded_url": WATER}], "hashtags": [{"text": "water"}]},
        "extended_entities": {"media": [{"id_str": "901"}]},
    }
    cut = {"urls": [{"expanded_url": "https://twitter.com/i/web/status/101"}]}
    tweet = {**tweet1("101", text="They shut…", truncated=True, entities=cut), "extended_tweet": extended}
    del tweet["full_text"]
    for row in (v1(tweet), v1(tweet1("102", full_text="RT", retweeted_status=tweet))):
        assert (row["text"], row["urls"]) == ("They shut the water off tonight", [WATER])
        assert (row["hashtags"], row["images"]) == (["water"], ["901"])
    del tweet["extended_tweet"]
    assert (v1(tweet)["text"], v1(tweet)["urls"]) == ("They shut…", [])


def test_v1_numbers_serve_where_there_are_no_strings():
    tweet = tweet1(None, id=101, user={"id": 11}, retweeted_status=tweet1(None, id=100, user={"id": 12}))
    row = v1(tweet)
    assert (row["content_id"], row["account_id"]) == (101, 11)
    assert (row["parent_content_id"], row["origin_account_id"]) == (100, 12)


@pytest.mark.parametrize(
    "notice",
    [
        {"delete": {"status": {"id_str": "101", "user_id_str": "11"}, "timestamp_ms": "1709632800000"}},
        {"limit": {"track": 5, "timestamp_ms": "1709632800000"}},
        {"scrub_geo": {"user_id": 11}},
        {"status_withheld": {"id": 101, "user_id": 11}},
        {"user_withheld": {"id": 11}},
        {"disconnect": {"code": 4}},
        {"warning": {"code": "FALLING_BEHIND"}},
    ],
)
def test_v1_notices_are_no_posts(notice, tmp_path):
    (name,) = notice
    assert rows("x-api-v1", notice) == [NoPost(name)]
    log = read_logs([written(tmp_path, [notice, tweet1("101")])])
    assert (log.sources[0]["reader"], log.posts.height) == ("x-api-v1", 1)
    assert log.rejected["reason"].to_list() == [f"no post: {name}"]


@pytest.mark.parametrize("key", ["statuses", "results"])
def test_v1_pages_of_a_search(key, tmp_path):
    pages = [{key: [tweet1("101"), tweet1("102")], "next": "abc"}, {key: [tweet1("103"), 5]}]
    assert [row["content_id"] for row in rows("x-api-v1", pages[0])] == ["101", "102"]
    log = read_logs([written(tmp_path, pages)])
    assert (log.sources[0]["reader"], log.posts["content_id"].to_list()) == (
        "x-api-v1",
        ["101", "102", "103"],
    )
    assert log.rejected["line"].to_list() == [2]


def test_v1_record_of_another_kind():
    with pytest.raises(NotThisFormatError):
        rows("x-api-v1", {"id_str": "1", "text": "no user"})


@pytest.mark.parametrize(
    "wrong", [None, 5, "text", True, [], {}, [5], [[]], {"a": {}}, [{"id": {}, "type": []}]]
)
def test_v1_with_anything_anywhere(wrong):
    whole = tweet1("102", retweeted_status=tweet1("101", extended_tweet={"entities": {}}))
    for key in (*whole, "quoted_status", "quoted_status_id_str", "extended_tweet", "extended_entities"):
        assert len(rows("x-api-v1", {**whole, key: wrong})) == 1
        assert len(rows("x-api-v1", tweet1("102", retweeted_status={**whole, key: wrong}))) == 1
    for key, name in (
        ("urls", "urls"),
        ("hashtags", "hashtags"),
        ("user_mentions", "mentions"),
        ("media", "images"),
    ):
        assert v1(tweet1("101", entities={key: wrong}))[name] == []


# --- both


def test_links_that_are_shared():
    links = [
        "https://t.co/a1",
        "http://bit.ly/abc",
        "https://mobile.twitter.com/ana/status/1/video/1",
        "https://x.com/i/web/status/2",
        "https://twitter.com/ana/status/22",
        "https://valley-herald.example/status/2",
        "https://x.com/ana",
    ]
    entries = [{"expanded_url": link} for link in links] + [
        {"url": "http://tinyurl.com/x", "expanded_url": None}
    ]
    assert shared_links(entries, "2", None) == [
        "http://bit.ly/abc",
        "https://twitter.com/ana/status/22",
        "https://valley-herald.example/status/2",
        "https://x.com/ana",
        "http://tinyurl.com/x",
    ]


def test_texts_are_unescaped_once():
    assert plain("a &lt;b&gt; &amp; c &amp;lt; d &eacute;") == "a <b> & c &lt; d &eacute;"
    assert plain(None) is None


@pytest.mark.parametrize("name", ["x-api-v2", "x-api-v1", "zeeschuimer-x"])
def test_the_sample_is_read_whole(name, tmp_path):
    path = tmp_path / "sample.ndjson"
    path.write_text(READERS[name].sample)
    log = read_logs([path])
    assert (log.sources[0]["reader"], log.rejected.height) == (name, 0)
    assert log.posts.height == len(READERS[name].sample.splitlines())
