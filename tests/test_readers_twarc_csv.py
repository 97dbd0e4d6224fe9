"""twarc-csv's tables of both kinds, and others that flatten API v2."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from propgraph.errors import InputError
from propgraph.readers.read import read_logs
from propgraph.readers.registry import READERS, choose_reader

FIRST = 1_764_954_002_027_446_272  # 2024-03-05 10:00:00 UTC
LINK = "https://valley-herald.example/water"


def read_posts(folder: Path, *tweets: dict[str, object], dump=json.dumps) -> list[dict[str, object]]:
    path = folder / "tweets.csv"
    base = ("id", "author_id", "created_at", "public_metrics.like_count")
    names = list(dict.fromkeys([*base, *(name for one in tweets for name in one)]))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, restval="")
        writer.writeheader()
        for n, one in enumerate(tweets):
            cells = {name: dump(value) if isinstance(value, list) else value for name, value in one.items()}
            writer.writerow(
                {"id": FIRST + n, "author_id": "11", "created_at": "2024-03-05T10:00:00.000Z"} | cells
            )
    log = read_logs([path])
    assert [source["reader"] for source in log.sources] == ["twarc-csv"]
    return log.posts.with_columns(pl.col("account_id").cast(pl.String)).sort("content_id").to_dicts()


def urls(*links):
    return [{"start": 0, "end": 23, "url": "https://t.co/a1", "expanded_url": link} for link in links]


@pytest.mark.parametrize("dump", [json.dumps, str])
def test_lists_of_objects(tmp_path, dump):
    (post,) = read_posts(
        tmp_path,
        {
            "text": r"Fish &amp; chips\nit's #Water https://t.co/a1",
            "entities.urls": urls(LINK, f"https://twitter.com/ana/status/{FIRST}/photo/1", f"https://x.com/a/status/{FIRST}"),
            "entities.hashtags": [{"start": 0, "end": 6, "tag": "Water"}, {"tag": "it's"}],
            "entities.mentions": [{"start": 0, "end": 4, "username": "Ben"}],
            "attachments.media_keys": ["3_901", "13_902"],
        },
        dump=dump,
    )  # fmt: skip
    assert (post["kind"], post["text"]) == ("original", "Fish & chips\nit's #Water")
    assert (post["urls"], post["hashtags"], post["mentions"]) == ([LINK], ["water", "it's"], ["ben"])
    assert post["images"] == ["901", "902"]
    assert post["timestamp"] == datetime(2024, 3, 5, 10, tzinfo=UTC)


def test_words_instead_of_objects(tmp_path):
    (post,) = read_posts(
        tmp_path,
        {
            "entities.urls": [LINK, "https://t.co/a1"], "entities.hashtags": ["#Water"], "entities.mentions": ["@Ben"],
            "entities.annotations": [],
        },
    )  # fmt: skip
    assert (post["urls"], post["hashtags"], post["mentions"]) == ([LINK], ["water"], ["ben"])


def test_a_retweet_has_what_its_original_says(tmp_path):
    (post,) = read_posts(
        tmp_path,
        {
            "referenced_tweets.retweeted.id": "17", "retweeted_user_id": "13", "retweeted_username": "cem",
            "referenced_tweets.replied_to.id": "5", "text": "Water", "entities.mentions": [{"username": "cem"}],
            "entities.urls": urls(LINK, "https://twitter.com/quoted/status/9"),
        },
    )  # fmt: skip
    assert (post["kind"], post["parent_content_id"], post["origin_account_id"]) == ("reshare", "17", "13")
    assert (post["urls"], post["mentions"]) == ([LINK], ["cem"])


def test_a_retweet_that_was_not_merged(tmp_path):
    (post,) = read_posts(
        tmp_path,
        {
            "referenced_tweets.retweeted.id": "17", "text": "RT @Cem: Water…",
            "entities.mentions": [{"username": "Cem"}, {"username": "dov"}],
        },
    )  # fmt: skip
    assert (post["origin_account_id"], post["text"], post["mentions"]) == ("@cem", "Water…", ["dov"])


@pytest.mark.parametrize("dump", [json.dumps, str])
@pytest.mark.parametrize("swapped", [False, True])
def test_references_in_one_cell(tmp_path, dump, swapped):
    def references(*kinds):
        found = [{"type": kind, "id": number} for kind, number in kinds]
        return [dict(reversed(one.items())) for one in found] if swapped else found

    posts = read_posts(
        tmp_path,
        {"referenced_tweets": references(("retweeted", "17"))},
        {
            "referenced_tweets": references(("replied_to", "18"), ("quoted", "19")), "in_reply_to_user_id": "14",
            "entities.urls": urls("https://twitter.com/cem/status/19", "https://twitter.com/cem/status/20"),
        },
        {"referenced_tweets": references(("replied_to", "18")), "in_reply_to_user_id": "14"},
        {"referenced_tweets": ""},
        dump=dump,
    )  # fmt: skip
    assert [(post["kind"], post["parent_content_id"]) for post in posts] == [
        ("reshare", "17"), ("quote", "19"), ("reply", "18"), ("original", None),
    ]  # fmt: skip
    assert [post["origin_account_id"] for post in posts] == [None, None, "14", None]
    assert posts[1]["urls"] == ["https://twitter.com/cem/status/20"]


def test_all_values_as_json(tmp_path):
    one = {"author_id": '"11"', "text": r'"Water\n\u00e9 \"x\""', "author.username": '"ana"'}
    (post,) = read_posts(tmp_path, one | {"id": f'"{FIRST}"', "created_at": '"2024-03-05T10:00:00.000Z"'})
    assert (post["content_id"], post["account_id"], post["text"]) == (str(FIRST), "11", 'Water\né "x"')


def test_texts_that_only_begin_with_a_quote_stay(tmp_path):
    one, two = read_posts(tmp_path, {"text": '"Quoted"'}, {"text": "No"})
    assert (one["text"], two["text"]) == ('"Quoted"', "No")


def test_the_same_keys_in_json_are_api_v2_s():
    keys = ["id", "author_id", "created_at", "text", "entities", "entities.urls", "referenced_tweets"]
    assert choose_reader(keys, source="f", nested=True).name == "x-api-v2"
    assert choose_reader(keys, source="f").name == "twarc-csv"
    with pytest.raises(InputError, match="the format twarc-csv reads tables, and this is none"):
        choose_reader(keys, source="f", nested=True, format="twarc-csv")


@pytest.mark.parametrize("layout", READERS["twarc-csv"].layouts)
def test_few_columns_are_enough(layout):
    post = READERS["twarc-csv"].canonical(pl.DataFrame({name: ["1"] for name in layout})).to_dicts()[0]
    assert (post["content_id"], post["account_id"], post["urls"]) == ("1", "1", None)
