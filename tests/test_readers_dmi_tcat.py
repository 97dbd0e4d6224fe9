"""DMI-TCAT's export as CSV and TSV: retweets known by their text, and lists joined by semicolons."""

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
OTHER = "https://true-remedies.example/cure?a=1;2"


def read_posts(folder: Path, *posts: dict[str, object], delimiter: str = ",") -> list[dict[str, object]]:
    path = folder / "tcat_valley-20240305-full.csv"
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, READERS["dmi-tcat"].reads, restval="", delimiter=delimiter)
        writer.writeheader()
        for n, post in enumerate(posts):
            base = {
                "id": FIRST + n,
                "time": "1709632800",
                "created_at": "2024-03-05 11:00:00",
                "text": "Water",
            }
            writer.writerow(base | {"from_user_name": "ana", "from_user_id": "101"} | post)
    log = read_logs([path])
    assert [source["reader"] for source in log.sources] == ["dmi-tcat"]
    return log.posts.with_columns(pl.col("account_id").cast(pl.String)).sort("content_id").to_dicts()


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_the_time_is_not_that_of_the_server_and_lists_are_parted(tmp_path, delimiter):
    (post,) = read_posts(
        tmp_path,
        {
            "urls_expanded": f"{LINK}; {OTHER}; https://twitter.com/ana/status/{FIRST}/photo/1",
            "hashtags": "Water; river", "mentions": "Ben; cem", "text": "Water &amp; power https://t.co/a1",
        },
        delimiter=delimiter,
    )  # fmt: skip
    assert post["timestamp"] == datetime(2024, 3, 5, 10, tzinfo=UTC)
    assert (post["urls"], post["hashtags"], post["mentions"]) == (
        [LINK, OTHER],
        ["water", "river"],
        ["ben", "cem"],
    )
    assert (post["kind"], post["text"]) == ("original", "Water & power")


def test_a_retweet_is_of_the_post_with_its_link_by_that_account(tmp_path):
    original, retweet = read_posts(
        tmp_path,
        {"urls_expanded": LINK},
        {
            "from_user_name": "ben", "from_user_id": "102", "text": "RT @Ana: Water", "urls_expanded": LINK,
            "mentions": "ana; dov",
        },
    )  # fmt: skip
    assert (retweet["kind"], retweet["origin_account_id"]) == ("reshare", "101")
    assert (retweet["parent_content_id"], retweet["mentions"]) == (original["content_id"], ["dov"])


@pytest.mark.parametrize("column", ["retweet_id", "retweeted_id"])
def test_the_id_of_what_was_retweeted_where_there_is_one(tmp_path, column):
    retweet, original = read_posts(tmp_path, {column: "17", "text": "RT @cem: Gone"}, {column: "0"})
    assert (retweet["kind"], retweet["parent_content_id"]) == ("reshare", "17")
    assert (retweet["origin_account_id"], retweet["text"]) == ("@cem", "Gone")
    assert (original["kind"], original["parent_content_id"]) == ("original", None)


def test_quotes_and_replies(tmp_path):
    quote, reply = read_posts(
        tmp_path,
        {
            "quoted_status_id": "17", "in_reply_to_status_id": "9",
            "urls_expanded": f"https://twitter.com/cem/status/17; {LINK}; https://twitter.com/cem/status/18",
        },
        {"in_reply_to_status_id": "17", "to_user_name": "Ben"},
    )  # fmt: skip
    assert (quote["kind"], quote["parent_content_id"]) == ("quote", "17")
    assert quote["urls"] == [LINK, "https://twitter.com/cem/status/18"]
    assert (reply["kind"], reply["parent_content_id"], reply["origin_account_id"]) == ("reply", "17", "@ben")


def test_gazouilloire_s_older_export(tmp_path):
    retweet, quote = read_posts(
        tmp_path,
        {
            "retweeted_id": "17", "retweeted_user_name": "cem", "retweeted_user_id": "103", "links": f"{LINK}|{OTHER}",
            "mentioned_user_names": "ben|cem", "hashtags": "river|water",
        },
        {"quoted_id": "17", "quoted_user_name": "cem", "quoted_user_id": "103"},
    )  # fmt: skip
    assert (retweet["kind"], retweet["origin_account_id"], retweet["urls"]) == (
        "reshare",
        "103",
        [LINK, OTHER],
    )
    assert (retweet["mentions"], retweet["hashtags"]) == (["ben"], ["river", "water"])
    assert (quote["kind"], quote["parent_content_id"], quote["origin_account_id"]) == ("quote", "17", "103")


def test_only_the_columns_of_the_layout_are_needed():
    reader = READERS["dmi-tcat"]
    (layout,) = reader.layouts
    post = reader.canonical(pl.DataFrame({name: ["1"] for name in layout})).to_dicts()[0]
    assert (post["account_id"], post["kind"], post["urls"]) == ("1", "original", None)
