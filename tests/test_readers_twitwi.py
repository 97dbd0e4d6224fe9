"""minet's and gazouilloire's tables: quotes that have the links of what they quote, and lists joined by |."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from propgraph.readers.read import read_logs
from propgraph.readers.registry import READERS

FIRST = 1_764_954_002_027_446_272  # 2024-03-05 10:00:00 UTC
LINK = "https://valley-herald.example/water"
OTHER = "https://true-remedies.example/cure"
QUOTED = f"« cem: Quoted #cure {OTHER} — https://twitter.com/cem/statuses/17 »"


def read_posts(folder: Path, *posts: dict[str, object]) -> list[dict[str, object]]:
    reader = READERS["twitwi"]
    path = folder / "tweets.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*reader.reads, "url"], restval="")
        writer.writeheader()
        for n, post in enumerate(posts):
            base = {
                "id": FIRST + n,
                "timestamp_utc": "1709632800.0",
                "user_id": "101",
                "user_screen_name": "ana",
            }
            writer.writerow(base | {"url": f"https://twitter.com/ana/status/{FIRST + n}"} | post)
    log = read_logs([path])
    assert [source["reader"] for source in log.sources] == ["twitwi"]
    return log.posts.with_columns(pl.col("account_id").cast(pl.String)).sort("content_id").to_dicts()


def test_lists_are_parted_at_bars_and_the_tweet_s_own_address_is_no_link(tmp_path):
    own = f"https://twitter.com/i/web/status/{FIRST}"
    (post,) = read_posts(
        tmp_path,
        {
            "links": f"{LINK}|{own}|{OTHER}",
            "hashtags": "river|water",
            "mentioned_names": "ben|cem",
            "text": "@ben",
        },
    )
    assert post["urls"] == [LINK, OTHER]
    assert (post["hashtags"], post["mentions"]) == (["river", "water"], ["ben", "cem"])
    assert post["timestamp"] == datetime(2024, 3, 5, 10, tzinfo=UTC)
    assert post["kind"] == "original"


def test_a_retweet_has_its_original_s_text_and_links(tmp_path):
    (post,) = read_posts(
        tmp_path,
        {
            "retweeted_id": "17", "retweeted_user": "Cem", "retweeted_user_id": "103", "to_tweetid": "9",
            "retweeted_timestamp_utc": "1709632000.0", "text": f"RT @Cem: Water, says @ben {LINK}", "links": LINK,
            "mentioned_names": "ben|cem",
        },
    )  # fmt: skip
    assert (post["kind"], post["parent_content_id"], post["origin_account_id"]) == ("reshare", "17", "103")
    assert post["parent_timestamp"] == datetime(2024, 3, 5, 9, 46, 40, tzinfo=UTC)
    assert (post["text"], post["urls"]) == (f"Water, says @ben {LINK}", [LINK])
    assert post["mentions"] == ["ben"]


def test_a_quote_shares_what_stands_outside_of_what_it_quotes(tmp_path):
    quote = {
        "quoted_id": "17", "quoted_user": "cem", "quoted_user_id": "103", "quoted_timestamp_utc": "1709632000.0",
        "links": f"https://twitter.com/cem/status/17|{OTHER}|{LINK}", "hashtags": "cure|water",
        "mentioned_names": "ben|dov", "text": f"No #Water, @ben! {LINK} {QUOTED}",
    }  # fmt: skip
    first, unquoted, of_nobody = read_posts(
        tmp_path,
        quote,
        quote | {"text": f"No #Water {LINK} https://twitter.com/cem/status/17"},  # cut, or from API v2
        {"quoted_id": "17", "links": f"https://twitter.com/cem/status/17|{LINK}"},  # text was not exported
    )
    assert (first["kind"], first["parent_content_id"], first["origin_account_id"]) == ("quote", "17", "103")
    assert (first["text"], first["urls"], first["hashtags"]) == (
        f"No #Water, @ben! {LINK}",
        [LINK],
        ["water"],
    )
    assert first["mentions"] == ["ben"]
    assert (unquoted["urls"], unquoted["hashtags"]) == ([LINK], ["water"])
    assert of_nobody["urls"] == [LINK]


def test_a_retweet_of_a_quote_shares_what_the_quote_does(tmp_path):
    (post,) = read_posts(
        tmp_path,
        {
            "retweeted_id": "18", "retweeted_user": "ben", "text": f"RT @ben: No {LINK} {QUOTED}",
            "links": f"{OTHER}|{LINK}", "hashtags": "cure",
        },
    )  # fmt: skip
    assert (post["kind"], post["parent_content_id"]) == ("reshare", "18")
    assert (post["text"], post["urls"], post["hashtags"]) == (f"No {LINK}", [LINK], [])


def test_words_between_quotation_marks_are_no_quote(tmp_path):
    text = f"« Water: nothing new » {LINK}"
    (post,) = read_posts(tmp_path, {"text": text, "links": LINK, "hashtags": "water"})
    assert (post["text"], post["urls"], post["hashtags"]) == (text, [LINK], ["water"])


def test_reply(tmp_path):
    (post,) = read_posts(
        tmp_path, {"to_tweetid": "17", "to_userid": "102", "to_username": "ben", "text": "@ben No"}
    )
    assert (post["kind"], post["parent_content_id"], post["origin_account_id"]) == ("reply", "17", "102")


@pytest.mark.parametrize("layout", READERS["twitwi"].layouts)
def test_few_columns_are_enough(layout):
    post = READERS["twitwi"].canonical(pl.DataFrame({name: ["1"] for name in layout})).to_dicts()[0]
    assert post["content_id"] == "1"
