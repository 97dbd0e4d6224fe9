"""snscrape's and twscrape's tweets, as JSON and as pandas prints them into a table."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import polars as pl
import pytest
from same_tables import PLACES

from propgraph.readers.base import NotThisFormatError
from propgraph.readers.read import read_logs
from propgraph.readers.registry import READERS

TEN = Path(__file__).parent / "fixtures" / "ten"
WATER = "https://valley-herald.example/water"
CURE = "https://true-remedies.example/cure"
TIME = "2024-03-05T10:00:00+00:00"


def tweet(number, **more):
    return {
        "url": f"https://twitter.com/ana/status/{number}", "date": TIME, "rawContent": "Water &amp; power",
        "id": number, "user": {"username": "ana", "id": 101}, "links": None, "hashtags": None, **more,
    }  # fmt: skip


def row(record):
    (found,) = READERS["snscrape"].rows(record)
    return found


def links(*addresses):
    return [{"text": "a", "url": address, "tcourl": "https://t.co/a1"} for address in addresses]


def test_all_of_them_tell_the_same():
    logs = [read_logs([file]) for file in sorted(TEN.glob("snscrape*.ndjson"))]
    assert len(logs) == 3
    empty = pl.col("hashtags").fill_null([])
    for log in logs[1:]:
        said, first = (one.posts.drop(PLACES).with_columns(empty) for one in (log, logs[0]))
        assert said.equals(first)
        assert log.profiles.equals(logs[0].profiles)


def test_a_tweet_s_own_address_is_no_link():
    own = ["https://twitter.com/i/web/status/17", "https://x.com/ana/status/17/photo/1", WATER]
    found = row(
        tweet(17, links=links(*own), hashtags=["Water"], mentionedUsers=[{"username": "Ben", "id": 2}])
    )
    assert (found["kind"], found["urls"], found["hashtags"], found["mentions"]) == (
        "original",
        [WATER],
        ["Water"],
        ["ben"],
    )
    assert (found["content_id"], found["account_id"], found["text"]) == (17, 101, "Water & power")


def test_a_retweet_says_what_the_tweet_inside_says():
    original = tweet(9, links=links(WATER), hashtags=["water"], user={"username": "cem", "id": 103})
    found = row(tweet(17, retweetedTweet=original, rawContent="RT @cem: Wa…", links=None, inReplyToTweetId=5))
    assert (found["kind"], found["parent_content_id"], found["origin_account_id"]) == ("reshare", 9, 103)
    assert (found["text"], found["urls"], found["hashtags"]) == ("Water & power", [WATER], ["water"])
    assert found["parent_timestamp"] == TIME
    found = row(
        tweet(17, retweetedTweet={"_type": "snscrape.modules.twitter.TweetRef", "id": 9}, links=links(CURE))
    )
    assert (found["kind"], found["parent_content_id"], found["urls"]) == ("reshare", 9, [CURE])


def test_quotes():
    quoted = tweet(9, user={"username": "cem", "id": 103}, links=links(CURE))
    found = row(tweet(17, quotedTweet=quoted, links=links("https://twitter.com/cem/status/9", WATER)))
    assert (found["kind"], found["parent_content_id"], found["origin_account_name"]) == ("quote", 9, "cem")
    assert found["urls"] == [WATER]
    found = row(tweet(17, quotedTweet=None, isQuoteStatus=True))
    assert (found["kind"], found["parent_content_id"]) == ("quote", None)


def test_replies():
    found = row(tweet(17, inReplyToTweetId=9, inReplyToUser={"username": "ben", "id": 102}))
    assert (found["kind"], found["parent_content_id"], found["origin_account_id"]) == ("reply", 9, 102)


def test_snscrape_of_2019_names_the_account_alone(tmp_path):
    path = tmp_path / "tweets.jsonl"
    old = {
        "url": "https://twitter.com/ana/status/17",
        "date": TIME,
        "content": "Water",
        "id": 17,
        "username": "ana",
    }
    path.write_text(json.dumps(old | {"outlinks": [WATER], "outlinksss": WATER, "tcooutlinks": []}))
    log = read_logs([path])
    assert log.sources[0]["reader"] == "snscrape"
    assert log.posts["account_id"].cast(pl.String).to_list() == ["ana"]
    assert log.posts["urls"].to_list() == [[WATER]]


def test_a_record_of_another_kind():
    with pytest.raises(NotThisFormatError):
        row({"_type": "snscrape.modules.twitter.User", "id": 5})


@pytest.mark.parametrize("wrong", [None, 5, "text", True, [], {}, [5], [[]], {"id": {}}, [{"url": 5}]])
def test_anything_anywhere(wrong):
    whole = tweet(17, retweetedTweet=tweet(9), quotedTweet=tweet(8), inReplyToUser={}, mentionedUsers=[])
    for key in (*whole, "outlinks", "content", "isQuoteStatus"):
        assert row({**whole, key: wrong})
        assert row({**whole, "retweetedTweet": {**tweet(9), key: wrong}})


# --- tables


def read_posts(folder, *tweets, columns=None):
    path = folder / "tweets.csv"
    names = columns or list(dict.fromkeys(name for one in tweets for name in one))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, restval="")
        writer.writeheader()
        writer.writerows(tweets)
    log = read_logs([path])
    assert [source["reader"] for source in log.sources] == ["snscrape-csv"]
    return log.posts.with_columns(pl.col("account_id").cast(pl.String)).sort("content_id").to_dicts()


AS_TEXT = {
    "dictionaries": (
        "{'username': 'ben', 'id': 102, 'displayname': \"id=5, username='no'\"}",
        f"[{{'text': 'a', 'url': '{WATER}', 'tcourl': 'https://t.co/a1'}}]",
        "{'url': 'https://twitter.com/cem/status/9', 'date': datetime.datetime(2024, 3, 5), 'id': 9}",
    ),
    "JSON": (
        '{"_type": "snscrape.modules.twitter.User", "username": "ben", "id": 102, "displayname": "id"}',
        json.dumps(links(WATER)),
        json.dumps({"_type": "snscrape.modules.twitter.Tweet", "url": "https://x.com/cem/status/9", "id": 9}),
    ),
    "twscrape's": (
        "{'id': 102, 'id_str': '102', 'url': 'https://x.com/ben', 'username': 'ben'}",
        f"[{{'url': '{WATER}', 'text': 'a', 'tcourl': 'https://t.co/a1'}}]",
        "{'id': 9, 'id_str': '9', 'url': 'https://x.com/cem/status/9', 'rawContent': \"url: 'https://x.com/a/status/5'\"}",
    ),
    "objects": (
        "User(username='ben', id=102, displayname='Ben', rawDescription=None)",
        f"[TextLink(text='a', url='{WATER}', tcourl='https://t.co/a1', indices=(1, 24))]",
        "Tweet(url='https://twitter.com/cem/status/9', date=None, rawContent='No', id=9)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", AS_TEXT)
def test_objects_in_cells(tmp_path, way):
    user, cell, quoted = AS_TEXT[way]
    base = {"url": "https://twitter.com/ben/status/17", "date": "2024-03-05 10:00:00+00:00", "user": user}
    quote, reply = read_posts(
        tmp_path,
        base | {"id": 17, "rawContent": "No", "links": cell, "quotedTweet": quoted, "hashtags": "['Water']"},
        base | {"id": 18, "rawContent": "@cem No", "inReplyToTweetId": "9.0", "inReplyToUser": user},
    )
    assert (quote["account_id"], quote["kind"], quote["parent_content_id"]) == ("102", "quote", "9")
    assert (quote["origin_account_id"], quote["urls"], quote["hashtags"]) == ("@cem", [WATER], ["water"])
    assert (reply["kind"], reply["parent_content_id"], reply["origin_account_id"]) == ("reply", "9", "102")


def test_objects_printed_as_their_addresses(tmp_path):
    base = {"date": "2024-03-05 10:00:00+00:00", "user": "https://twitter.com/ben", "content": "Water"}
    quote, original = read_posts(
        tmp_path,
        base | {"id": 17, "url": "https://twitter.com/ben/status/17", "renderedContent": "Water",
                "quotedTweet": "https://twitter.com/cem/status/9", "outlinks": f"['{WATER}', 'https://x.com/cem/status/9']"},
        base | {"id": 18, "url": "https://twitter.com/ben/status/18"},
    )  # fmt: skip
    assert (quote["account_id"], quote["parent_content_id"], quote["urls"]) == ("ben", "9", [WATER])
    assert (original["kind"], original["urls"]) == ("original", None)


def test_columns_flattened_by_pandas(tmp_path):
    (post,) = read_posts(
        tmp_path,
        {
            "id": 17, "date": TIME, "rawContent": "RT @cem: Wa…", "user.id": 102, "user.username": "ben",
            "retweetedTweet.url": "https://twitter.com/cem/status/9", "links": "",
        },
    )  # fmt: skip
    assert (post["account_id"], post["kind"], post["parent_content_id"]) == ("102", "reshare", "9")
    assert (post["origin_account_id"], post["text"]) == ("@cem", "Wa…")


def test_a_retweet_in_a_cell(tmp_path):
    inside = tweet(9, links=links(WATER), hashtags=["water"], mentionedUsers=[{"username": "Dov"}])
    base = {"url": "https://twitter.com/ben/status/17", "date": TIME, "user": "{'id': 102}", "id": 17}
    (post,) = read_posts(
        tmp_path,
        base
        | {
            "rawContent": "RT @ana: Wa…",
            "retweetedTweet": str(inside),
            "mentionedUsers": "[{'username': 'ana'}]",
        },
    )
    assert (post["kind"], post["parent_content_id"], post["origin_account_id"]) == ("reshare", "9", "@ana")
    assert (post["text"], post["urls"], post["hashtags"], post["mentions"]) == (
        "Water & power",
        [WATER],
        ["water"],
        ["dov"],
    )
