"""X's archives of information operations: kinds, parents, links, and both ways of writing lists."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from propgraph.readers.platforms.x_archive import bare_text, quoted_post, shared_links
from propgraph.readers.read import read_logs
from propgraph.readers.registry import READERS

HEADER = (
    "tweetid,userid,user_display_name,user_screen_name,user_reported_location,user_profile_description,"
    "user_profile_url,follower_count,following_count,account_creation_date,account_language,tweet_language,"
    "tweet_text,tweet_time,tweet_client_name,in_reply_to_userid,in_reply_to_tweetid,quoted_tweet_tweetid,"
    "is_retweet,retweet_userid,retweet_tweetid,latitude,longitude,quote_count,reply_count,like_count,"
    "retweet_count,hashtags,urls,user_mentions,poll_choices"
)
# 2024-03-05 10:00:00.250 UTC
FIRST = 1_764_954_003_076_022_272
LINK = "https://valley-herald.example/water"


def write_log(folder: Path, *tweets: dict[str, object]) -> Path:
    path = folder / "tweets.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, HEADER.split(","), restval="")
        writer.writeheader()
        for n, tweet in enumerate(tweets):
            writer.writerow({"tweetid": FIRST + n, "userid": "u1", "tweet_time": "2024-03-05 10:00"} | tweet)
    return path


def read_posts(folder: Path, *tweets: dict[str, object]) -> list[dict[str, object]]:
    log = read_logs([write_log(folder, *tweets)])
    assert [source["reader"] for source in log.sources] == ["x-archive"]
    return log.posts.with_columns(pl.col("account_id").cast(pl.String)).sort("content_id").to_dicts()


def one(folder: Path, **tweet: object) -> dict[str, object]:
    (post,) = read_posts(folder, tweet)
    return post


def test_the_id_gives_what_the_minute_lacks(tmp_path):
    assert one(tmp_path)["timestamp"] == datetime(2024, 3, 5, 10, 0, 0, 250_000, tzinfo=UTC)


@pytest.mark.parametrize("yes", ["True", "true"])
def test_retweet(tmp_path, yes):
    post = one(
        tmp_path, is_retweet=yes, retweet_userid="2572896396", retweet_tweetid=FIRST - (1000 << 22),
        tweet_text=f"RT @Ana_1: Water &amp; power gone https://t.co/mAcCirn4o1 {'x' * 20} https://t.co/mA…",
        in_reply_to_userid="9", urls=f"['{LINK}']",
    )  # fmt: skip
    assert post["kind"] == "reshare"
    assert post["parent_content_id"] == str(FIRST - (1000 << 22))
    assert post["parent_timestamp"] == post["timestamp"] - timedelta(seconds=1)
    assert post["origin_account_id"] == "2572896396"
    assert post["text"] == "Water & power gone " + "x" * 20
    assert post["urls"] == [LINK]


def test_a_retweet_that_names_no_account_id_goes_by_the_name_in_its_text(tmp_path):
    post = one(tmp_path, is_retweet="True", retweet_tweetid="17", tweet_text="RT @Ana_1: Water")
    assert post["origin_account_id"] == "@ana_1"


def test_a_retweet_without_any_id_belongs_to_the_post_of_that_name_and_text(tmp_path):
    first, second = read_posts(
        tmp_path,
        {"userid": "h1", "user_screen_name": "ana_1", "tweet_text": "Water is gone tonight"},
        {"userid": "h2", "is_retweet": "True", "tweet_text": "RT @Ana_1: Water is gone tonight"},
    )
    assert second["origin_account_id"] == "h1"
    assert second["parent_content_id"] == first["content_id"]


def test_quote_loses_the_link_to_the_tweet_quoted(tmp_path):
    post = one(
        tmp_path, quoted_tweet_tweetid="17", in_reply_to_tweetid="18", in_reply_to_userid="u9",
        urls=f"[https://twitter.com/ana/status/17, {LINK}?a=1,2]",
    )  # fmt: skip
    assert (post["kind"], post["parent_content_id"]) == ("quote", "17")
    assert post.get("origin_account_id") is None
    assert post["urls"] == [f"{LINK}?a=1,2"]


def test_a_linked_tweet_is_a_link_where_it_is_not_quoted(tmp_path):
    link = "https://twitter.com/ana/status/17"
    assert one(tmp_path, urls=f"['{link}']")["urls"] == [link]


def test_replies_with_and_without_the_tweet_replied_to(tmp_path):
    reply, to_account = read_posts(
        tmp_path,
        {"in_reply_to_tweetid": "17", "in_reply_to_userid": "u2", "tweet_text": "@ana My tap is dry"},
        {"in_reply_to_userid": "u2"},
    )
    assert (reply["kind"], reply["parent_content_id"], reply["origin_account_id"]) == ("reply", "17", "u2")
    assert reply["text"] == "@ana My tap is dry"
    assert (to_account["kind"], to_account["parent_content_id"]) == ("reply", None)


@pytest.mark.parametrize("lists", ["[a, B]", "['a', 'B']", '["a", "B"]'])
def test_lists_of_all_releases(tmp_path, lists):
    links = lists.replace("a", "http://a.example/x,y").replace("B", "https://b.example/it's")
    post = one(tmp_path, hashtags=lists, user_mentions=lists, urls=links)
    assert post["hashtags"] == ["a", "b"]
    assert post["mentions"] == ["a", "b"]
    assert post["urls"] == ["http://a.example/x,y", "https://b.example/it's"]


@pytest.mark.parametrize("none", ["", "[]"])
def test_empty_lists_and_media_links_in_the_text_are_no_links(tmp_path, none):
    post = one(tmp_path, urls=none, tweet_text="Look https://t.co/abc123XYZ")
    assert not post.get("urls")
    assert post["text"] == "Look"


def test_profile(tmp_path):
    log = read_logs(
        [
            write_log(
                tmp_path,
                {"user_screen_name": "ana", "account_creation_date": "2019-08-10", "follower_count": "5240"},
            )
        ]
    )
    (profile,) = log.profiles.to_dicts()
    assert (profile["name"], profile["followers"]) == ("ana", 5240)
    assert profile["created_at"] == datetime(2019, 8, 10, tzinfo=UTC)


def test_numbers_and_truth_values_from_a_binary_file(tmp_path):
    path = tmp_path / "tweets.parquet"
    pl.DataFrame({
        "tweetid": [FIRST], "userid": ["u1"], "tweet_time": [datetime(2024, 3, 5, 10)], "tweet_text": ["RT @a: b"],
        "is_retweet": [True], "retweet_tweetid": [17], "urls": ["[]"],
    }).write_parquet(path)  # fmt: skip
    (post,) = read_logs([path]).posts.to_dicts()
    assert (post["kind"], post["parent_content_id"], post["text"]) == ("reshare", "17", "b")


def test_only_the_columns_of_the_layout_are_needed():
    reader = READERS["x-archive"]
    (layout,) = reader.layouts
    frame = pl.DataFrame({name: ["1"] for name in layout})
    post = reader.canonical(frame).to_dicts()[0]
    assert (post["kind"], post["parent_content_id"], post["hashtags"]) == ("original", None, None)


def test_links_that_x_adds_itself():
    links = pl.DataFrame({
        "links": [[
            LINK, "https://x.com/i/web/status/3", "https://mobile.twitter.com/ana/statuses/4?s=20",
            "https://twitter.com/ana/status/5/photo/1", "https://twitter.com/ana", "https://notx.com/a/status/6",
        ], None],
        "quote": [True, True],
    })  # fmt: skip
    shared = links.select(
        one=shared_links(pl.col("links"), quotes=pl.lit(False)),
        of_quote=shared_links(pl.col("links"), quotes=pl.col("quote")),
    ).to_dicts()
    assert shared[0]["one"] == [
        LINK, "https://x.com/i/web/status/3", "https://mobile.twitter.com/ana/statuses/4?s=20",
        "https://twitter.com/ana", "https://notx.com/a/status/6",
    ]  # fmt: skip
    assert shared[0]["of_quote"] == [LINK, "https://twitter.com/ana", "https://notx.com/a/status/6"]
    assert shared[1] == {"one": None, "of_quote": None}


def test_the_tweet_quoted_is_known_by_its_link_only_if_there_is_one():
    frame = pl.DataFrame(
        {
            "links": [
                [LINK, "https://twitter.com/Ana/status/17", "https://twitter.com/Ana/status/17"],
                ["https://twitter.com/ana/status/17", "https://twitter.com/ben/status/18"],
                ["https://twitter.com/ana/status/17/video/1"],
                ["https://x.com/i/web/status/19"],
                None,
            ]
        }
    )
    name, number = quoted_post(pl.col("links"))
    assert frame.select(name, number=number).rows() == [
        ("Ana", "17"), (None, None), (None, None), (None, "19"), (None, None),
    ]  # fmt: skip


def test_bare_text_keeps_what_only_looks_like_x_s_own():
    texts = pl.DataFrame(
        {"t": ["RT if you agree", "See RT @ana: x", "https://t.company/a", "&amp;lt;", None]}
    )
    assert texts.select(bare_text(pl.col("t"))).to_series().to_list() == [
        "RT if you agree", "See RT @ana: x", "https://t.company/a", "&lt;", None,
    ]  # fmt: skip
