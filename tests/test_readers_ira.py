"""FiveThirtyEight's IRA tweets, with and without ids and resolved links."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from propgraph.readers.read import read_logs

FULL = (
    "external_author_id,author,content,region,language,publish_date,harvested_date,following,followers,updates,"
    "post_type,account_type,retweet,account_category,new_june_2018,alt_external_id,tweet_id,article_url,"
    "tco1_step1,tco2_step1,tco3_step1"
)
FIRST_RELEASE = FULL.partition(",alt_external_id")[0]
BY_AUTHOR = (
    "author_id,content,region,language,publish_date,harvested_date,"
    "following,followers,updates,post_type,retweet"
)
LINK = "https://valley-herald.example/water"
FIRST = 914_580_356_430_536_704  # 2017-10-01 19:58:43.711 UTC
SHARED = Path(__file__).parents[2] / "shared" / "data" / "samples" / "ira_by_author.csv"


def read(folder: Path, header: str, *tweets: dict[str, object]) -> pl.DataFrame:
    path = folder / "ira.csv"
    common = {"author": "10_GOP", "author_id": "10_GOP", "publish_date": "10/1/2017 19:58", "retweet": 0}
    common |= {"external_author_id": "906000000000000000"}
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, header.split(","), restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(
            {"tweet_id": FIRST + n, "updates": n} | common | tweet for n, tweet in enumerate(tweets)
        )
    log = read_logs([path])
    assert [source["reader"] for source in log.sources] == ["ira-538"]
    assert log.rejected.is_empty()
    return log.posts.with_columns(pl.col("account_id").cast(pl.String))


def one(folder: Path, **tweet: object) -> dict[str, object]:
    return read(folder, FULL, tweet).to_dicts()[0]


def test_the_handle_is_the_account_and_the_id_gives_the_second(tmp_path):
    post = one(tmp_path, content="Water", language="English")
    assert (post["account_id"], post["content_id"]) == ("10_GOP", str(FIRST))
    assert post["timestamp"] == datetime(2017, 10, 1, 19, 58, 43, 711_000, tzinfo=UTC)
    assert (post["kind"], post["language"], post["platform"]) == ("original", "English", "x")


@pytest.mark.parametrize(
    ("post_type", "retweet", "kind"),
    [
        ("RETWEET", 1, "reshare"), ("R", 1, "reshare"), ("", 1, "reshare"), ("QUOTE_TWEET", 1, "quote"),
        ("Q", 1, "quote"), ("", 0, "original"),
    ],
)  # fmt: skip
def test_kinds(tmp_path, post_type, retweet, kind):
    assert one(tmp_path, post_type=post_type, retweet=retweet, content="Water")["kind"] == kind


@pytest.mark.parametrize(
    ("content", "name", "text"),
    [
        ("RT @Ana_1: Water is gone", "@ana_1", "Water is gone"),
        ("RT @Ana_1 Water is gone", "@ana_1", "Water is gone"),
        ("RT debesstrs: #ddep VIDEO", "@debesstrs", "#ddep VIDEO"),
    ],
)
def test_retweets_typed_by_hand_name_their_origin(tmp_path, content, name, text):
    post = one(tmp_path, content=content)
    assert (post["kind"], post["origin_account_id"], post["text"]) == ("reshare", name, text)


@pytest.mark.parametrize(
    "content", ["RT if you agree", "RT #FindKatelin luggage found", "ART @ana: show", ".@ana shame"]
)
def test_other_texts_with_rt_or_a_name_are_originals(tmp_path, content):
    post = one(tmp_path, content=content)
    assert (post["kind"], post["text"]) == ("original", content)


def test_a_retweet_goes_back_to_the_handle_whatever_its_case(tmp_path):
    original, retweet = read(
        tmp_path, FULL, {"author": "ANA_1", "content": "Water"},
        {"content": "RT @Ana_1: Water", "post_type": "RETWEET", "retweet": 1},
    ).sort("content_id").to_dicts()  # fmt: skip
    assert retweet["parent_content_id"] == original["content_id"]


def test_a_reply_stands_in_quotes(tmp_path):
    post = one(tmp_path, content="'@Politweecs it's horrible &amp; true'")
    assert (post["kind"], post["origin_account_id"]) == ("reply", "@politweecs")
    assert post["text"] == "@Politweecs it's horrible & true"


def test_a_retweeted_reply_is_a_retweet_of_nobody_known(tmp_path):
    post = one(tmp_path, content="'@ana Water'", post_type="RETWEET", retweet=1)
    assert (post["kind"], post.get("origin_account_id")) == ("reshare", None)


def test_a_quote_is_of_the_tweet_that_it_links(tmp_path):
    post = one(
        tmp_path, post_type="QUOTE_TWEET", content="Class action? https://t.co/p0y https://t.co/X8z",
        tco1_step1=LINK, tco2_step1="https://twitter.com/Ana_1/status/17",
    )  # fmt: skip
    assert (post["parent_content_id"], post["origin_account_id"]) == ("17", "@ana_1")
    assert (post["urls"], post["text"]) == ([LINK], "Class action?")


def test_somebody_else_s_video_is_neither_a_link_nor_a_parent(tmp_path):
    post = one(
        tmp_path, post_type="RETWEET", content="Dan: Exactly! https://t.co/Aig",
        tco1_step1="https://twitter.com/FoxNews/status/914239496786505729/video/1",
    )  # fmt: skip
    assert (post.get("parent_content_id"), post.get("urls"), post["text"]) == (None, [], "Dan: Exactly!")


def test_links_that_nobody_resolved_stay_in_the_text(tmp_path):
    post = one(tmp_path, content="Gone https://t.co/p0y")
    assert (post.get("urls"), post["text"]) == (None, "Gone https://t.co/p0y")


def test_the_first_release_has_no_ids_and_rows_alike_in_words_stay_apart(tmp_path):
    posts = read(tmp_path, FIRST_RELEASE, {"content": "Water"}, {"content": "Water"}, {"content": "Fire"})
    assert posts["content_id"].str.starts_with("made:").all()
    assert posts["content_id"].n_unique() == 3


def test_the_id_may_stand_in_the_address_alone(tmp_path):
    post = one(tmp_path, tweet_id="", article_url=f"http://twitter.com/905874659358453760/statuses/{FIRST}")
    assert post["content_id"] == str(FIRST)


def test_by_author(tmp_path):
    (post,) = read(
        tmp_path, BY_AUTHOR, {"publish_date": "2015-07-14 18:39:00", "post_type": "R", "retweet": 1, "content": "x"}
    ).to_dicts()  # fmt: skip
    assert (post["account_id"], post["kind"]) == ("10_GOP", "reshare")
    assert post["timestamp"] == datetime(2015, 7, 14, 18, 39, tzinfo=UTC)


def test_a_real_sample():
    if not SHARED.exists():
        pytest.skip("the real sample is not here")
    log = read_logs([SHARED])
    assert log.posts.height == 1495
    assert log.rejected["reason"].str.starts_with("duplicate").sum() == 5  # rows alike in every column
    assert dict(log.posts["kind"].value_counts().iter_rows()) == {
        "reshare": 800, "original": 615, "reply": 78, "quote": 2,
    }  # fmt: skip
