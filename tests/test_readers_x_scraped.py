"""4CAT's tables of X: API searches, and posts that Zeeschuimer collected."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from propgraph.readers.read import read_logs
from propgraph.readers.registry import READERS

HEADER = (
    "id,thread_id,timestamp,unix_timestamp,link,subject,body,author,author_fullname,author_id,source,"
    "language_guess,possibly_sensitive,retweet_count,is_retweet,retweeted_user,is_quote_tweet,quoted_user,"
    "quote_tweet_id,quote_author,is_reply,replied_user,replied_author,author_followers,hashtags,urls,images,"
    "videos,mentions,long_lat,place_name"
)
FIRST = 1_764_954_002_027_446_272  # 2024-03-05 10:00:00 UTC
LINK = "https://valley-herald.example/water"
POST = {
    "timestamp": "2024-03-05 10:00:00", "unix_timestamp": "1709629200", "author": "ana", "author_id": "101",
    "is_retweet": "no", "is_quote_tweet": "no", "is_reply": "no",
}  # fmt: skip


def write_log(folder: Path, *posts: dict[str, object]) -> Path:
    path = folder / "4cat.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, HEADER.split(","), restval="")
        writer.writeheader()
        writer.writerows({"id": FIRST + n} | POST | post for n, post in enumerate(posts))
    return path


def read_posts(folder: Path, *posts: dict[str, object]) -> list[dict[str, object]]:
    log = read_logs([write_log(folder, *posts)])
    assert [source["reader"] for source in log.sources] == ["4cat-x"]
    return log.posts.with_columns(pl.col("account_id").cast(pl.String)).sort("content_id").to_dicts()


def test_the_time_is_that_in_utc_not_the_server_s(tmp_path):
    (post,) = read_posts(tmp_path, {})
    assert post["timestamp"] == datetime(2024, 3, 5, 10, tzinfo=UTC)


def test_a_retweet_is_of_the_post_with_its_text_by_that_user(tmp_path):
    original, retweet = read_posts(
        tmp_path,
        {"body": "Water &lt; fire https://t.co/a1"},
        {
            "author": "ben", "author_id": "102", "is_retweet": "yes", "retweeted_user": "Ana", "is_reply": "yes",
            "body": "RT @Ana: Water &lt; fire https://t.co/a1", "is_quote_tweet": "yes",
        },
    )  # fmt: skip
    assert (retweet["kind"], retweet["text"]) == ("reshare", "Water < fire")
    assert (retweet["origin_account_id"], retweet["parent_content_id"]) == ("101", original["content_id"])


def test_older_exports_name_the_retweeted_in_the_text_alone(tmp_path):
    (post,) = read_posts(tmp_path, {"is_retweet": "yes", "body": "RT @cem Gone"})
    assert (post["origin_account_id"], post["text"]) == ("@cem", "Gone")


def test_quotes_by_their_id_or_their_link(tmp_path):
    by_id, by_link, unknown = read_posts(
        tmp_path,
        {
            "is_quote_tweet": "yes",
            "quote_tweet_id": "17",
            "quote_author": "cem",
            "urls": "https://x.com/dov/status/9",
        },
        {"is_quote_tweet": "yes", "is_reply": "yes", "urls": f"{LINK},https://twitter.com/Cem/status/17"},
        {"is_quote_tweet": "yes", "quoted_user": "dov"},
    )
    assert [post["kind"] for post in (by_id, by_link, unknown)] == ["quote", "quote", "quote"]
    assert [post["parent_content_id"] for post in (by_id, by_link, unknown)] == ["17", "17", None]
    assert [post["origin_account_id"] for post in (by_id, by_link, unknown)] == ["@cem", "@cem", "@dov"]
    assert by_link["urls"] == [LINK]
    assert not by_id["urls"]


@pytest.mark.parametrize("column", ["replied_user", "replied_author"])
def test_replies(tmp_path, column):
    (post,) = read_posts(tmp_path, {"is_reply": "yes", column: "ben", "thread_id": "5", "body": "@ben No"})
    assert (post["kind"], post["origin_account_id"], post["text"]) == ("reply", "@ben", "@ben No")
    assert post.get("parent_content_id") is None  # thread_id is the conversation


def test_lists_are_parted_at_commas_but_links_only_before_links(tmp_path):
    urls = f"{LINK}?a=1,2,https://twitter.com/ana/status/1/photo/1,http://b.example"
    (post,) = read_posts(tmp_path, {"hashtags": "Water,vote", "mentions": "Ben,cem", "urls": urls})
    assert post["hashtags"] == ["water", "vote"]
    assert post["mentions"] == ["ben", "cem"]
    assert post["urls"] == [f"{LINK}?a=1,2", "http://b.example"]


def test_tweets_that_were_gone_are_rejected(tmp_path):
    log = read_logs([write_log(tmp_path, {}, {"author": "UNKNOWN", "author_id": "UNKNOWN"})])
    assert log.posts["content_id"].to_list() == [str(FIRST)]
    assert log.rejected["reason"].to_list() == ["account_id: empty"]


def test_followers_of_newer_exports(tmp_path):
    log = read_logs([write_log(tmp_path, {"author_followers": "310"})])
    assert log.profiles["followers"].to_list() == [310]


def test_the_oldest_export_has_neither_retweeted_user_nor_quoted_user():
    reader = READERS["4cat-x"]
    (layout,) = reader.layouts
    frame = pl.DataFrame({name: ["yes"] for name in layout} | {"reply_to": ["ben"], "is_retweet": ["no"]})
    post = reader.canonical(frame.with_columns(is_quote_tweet=pl.lit("no"))).to_dicts()[0]
    assert (post["kind"], post["origin_account_name"]) == ("reply", "ben")
