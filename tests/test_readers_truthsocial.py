"""Truth Social and Gab, by 4CAT and by Zeeschuimer."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from propgraph.readers.base import NotThisFormatError
from propgraph.readers.read import read_logs
from propgraph.readers.registry import READERS

TRUTH = (
    "id,created_at,body,url,reblogs_count,replies_count,account_id,account_username,account_display_name,"
    "account_avatar,account_verified,account_followers,account_following,mentions,hashtags,images,video_thumbs,"
    "video_urls,group_id,group_display_name,group_avatar,group_note,group_members_count,thread_id,timestamp"
)
GAB = (
    "collected_at,source_url,id,created_at,body,url,reaction_count,favourites_count,replies_count,reblogs_count,"
    "mentions,tags,group_id,group_title,account_id,account_username,account_account,account_display_name,link_id,"
    "link_url,link_title,image_urls,video_urls,thread_id,timestamp"
)
ID = "112042495180800000"  # 2024-03-05 10:00:00 UTC
COMMON = {
    "id": ID, "created_at": "2024-03-05T10:00:00.000Z", "account_id": "101", "account_username": "ana",
    "thread_id": ID, "url": f"https://truthsocial.com/@ana/{ID}",
}  # fmt: skip
QUOTED = "RT: https://truthsocial.com/users/mrddmia/statuses/117060035123254425"


def one(folder: Path, header: str, reader: str, **post: str) -> dict[str, object]:
    path = folder / "4cat.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, header.split(","), restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerow(COMMON | post)
    log = read_logs([path])
    assert [source["reader"] for source in log.sources] == [reader]
    return log.posts.with_columns(pl.col("account_id").cast(pl.String)).to_dicts()[0]


def truth(folder: Path, **post: str) -> dict[str, object]:
    return one(folder, TRUTH, "4cat-truthsocial", **post)


def test_truth(tmp_path):
    post = truth(tmp_path, body="Water is gone", hashtags="Water,vote", mentions="Ben,cem", group_id="7")
    assert (post["kind"], post["account_id"], post["target_id"]) == ("original", "101", "7")
    assert (post["hashtags"], post["mentions"]) == (["water", "vote"], ["ben", "cem"])
    assert (post["platform"], post["timestamp"]) == ("truthsocial", datetime(2024, 3, 5, 10, tzinfo=UTC))


def test_a_quoted_truth_runs_into_the_first_word(tmp_path):
    post = truth(tmp_path, body=f"{QUOTED}2024 was very true!", thread_id="117060035123254425")
    assert (post["kind"], post["parent_content_id"]) == ("quote", "117060035123254425")
    assert (post["origin_account_id"], post["text"]) == ("@mrddmia", "2024 was very true!")


def test_a_quote_without_a_word_is_a_repost(tmp_path):
    post = truth(tmp_path, body="RT: https://truthsocial.com/@mrddmia/posts/17 ")
    assert (post["kind"], post["parent_content_id"], post["origin_account_id"]) == (
        "reshare",
        "17",
        "@mrddmia",
    )
    assert post.get("text") is None


def test_a_repost_by_its_address(tmp_path):
    post = truth(tmp_path, body="Water", url=f"https://truthsocial.com/users/ana/statuses/{ID}/activity")
    assert (post["kind"], post["text"]) == ("reshare", "Water")


def test_a_reply_and_where_the_conversation_began(tmp_path):
    post = truth(tmp_path, body="@ben No", thread_id="17")
    assert post["kind"] == "reply"
    assert post.get("parent_content_id") is None


def test_rt_elsewhere_is_no_quote(tmp_path):
    assert truth(tmp_path, body=f"Look: {QUOTED}")["kind"] == "original"
    assert truth(tmp_path, body="RT: this now")["kind"] == "original"


def test_gab(tmp_path):
    post = one(
        tmp_path, GAB, "4cat-gab", created_at="2024-03-05 10:00:00", body="Water", tags="Water,vote",
        mentions="ben", group_id="7712", link_url="https://valley-herald.example/water",
    )  # fmt: skip
    assert (post["kind"], post["target_id"], post["platform"]) == ("original", "7712", "gab")
    assert (post["hashtags"], post["mentions"]) == (["water", "vote"], ["ben"])
    assert post["urls"] == ["https://valley-herald.example/water"]


def test_gab_reply(tmp_path):
    assert one(tmp_path, GAB, "4cat-gab", thread_id="17")["kind"] == "reply"


def status(number: str = ID, **more: object) -> dict[str, object]:
    return {
        "id": number, "created_at": "2024-03-05T10:00:00.000Z", "content": "Water", "reblogs_count": 1,
        "account": {"id": "101", "username": "ana"},
    } | more  # fmt: skip


def rows(record: dict[str, object]) -> dict[str, object]:
    reader = READERS["zeeschuimer-truth-gab"]
    assert reader.rows is not None
    (row,) = reader.rows(record)
    assert isinstance(row, dict)
    assert set(row) == set(reader.fields)
    return row


def of_truth(**more: object) -> dict[str, object]:
    return rows({"source_platform": "truthsocial.com", "data": status(**more)})


def test_a_truth_reposted_has_its_original_inside():
    html = (
        '<p>Cure <a href="https://true-remedies.example/lemon" rel="nofollow">'
        '<span class="invisible">https://</span>true-remedies.example</a></p>'
    )
    inside = status(
        "17",
        content=html,
        created_at="2024-03-05T09:00:00.000Z",
        account={"id": "103"},
        tags=[{"name": "cure"}],
    )
    row = of_truth(reblog=inside, content="", quote_id="18", in_reply_to_id="19")
    assert (row["kind"], row["parent_content_id"], row["origin_account_id"]) == ("reshare", "17", "103")
    assert row["parent_timestamp"] == "2024-03-05T09:00:00.000Z"
    assert (row["text"], row["urls"]) == (
        "Cure https://true-remedies.example", ["https://true-remedies.example/lemon"],
    )  # fmt: skip
    assert (row["hashtags"], row["platform"]) == (["cure"], "truthsocial")


def test_a_truth_quoted():
    row = of_truth(content=f"{QUOTED}Very true!", quote_id="17", quote=status("17", account={"id": "103"}))
    assert (row["kind"], row["parent_content_id"], row["origin_account_id"]) == ("quote", "17", "103")
    assert row["text"] == "Very true!"


def test_a_truth_quoted_without_a_word():
    row = of_truth(content=QUOTED, quote_id="17")
    assert (row["kind"], row["parent_content_id"], row["text"]) == ("reshare", "17", "")


def test_a_reply_names_whom_it_answers():
    row = of_truth(in_reply_to_id="17", in_reply_to_account_id="104", in_reply_to=None)
    assert (row["kind"], row["parent_content_id"], row["origin_account_id"]) == ("reply", "17", "104")


def test_what_else_a_truth_says():
    row = of_truth(
        card={"url": "https://valley-herald.example/water"}, group={"id": "7"}, sponsored=True, language="en",
        mentions=[{"username": "ben"}], media_attachments=[{"blurhash": "UBL_"}],
        account={"id": "101", "username": "ana", "followers_count": 310, "created_at": "2022-02-21T10:00:00.000Z"},
    )  # fmt: skip
    assert row["urls"] == ["https://valley-herald.example/water"]
    assert (row["target_id"], row["sponsor"], row["language"]) == ("7", "yes", "en")
    assert (row["mentions"], row["images"], row["followers"]) == (["ben"], ["UBL_"], 310)


def test_gab_s_timelines_have_short_keys():
    row = rows({
        "i": ID, "ca": "2024-03-05T10:00:00.000Z", "c": "Cure", "ir": True, "qoi": "17", "tg": [{"name": "cure"}],
        "g": {"id": "7712"}, "link_info": {"url": "https://true-remedies.example/lemon"},
        "image_info": [{"b": "UBL_", "ff": "9b1f"}], "author_info": {"i": "101", "un": "ana", "foc": 310},
    })  # fmt: skip
    assert (row["content_id"], row["account_id"], row["account_name"]) == (ID, "101", "ana")
    assert (row["kind"], row["parent_content_id"], row["platform"]) == ("quote", "17", "gab")
    assert (row["urls"], row["images"]) == (["https://true-remedies.example/lemon"], ["9b1f"])
    assert (row["hashtags"], row["target_id"], row["followers"]) == (["cure"], "7712", 310)


def test_gab_s_search_results_and_timelines_in_one_file(tmp_path):
    path = tmp_path / "gab.ndjson"
    timeline = {
        "i": ID, "ca": "2024-03-05T10:00:00.000Z", "c": "Cure", "robi": "17", "author_info": {"i": "1", "un": "a"},
    }  # fmt: skip
    found = status("112042495180800001", account={"id": "2", "username": "b"})
    path.write_text(
        "".join(json.dumps({"source_platform": "gab.com", "data": data}) + "\n" for data in (timeline, found))
    )
    log = read_logs([path])
    assert [source["reader"] for source in log.sources] == ["zeeschuimer-truth-gab"]
    assert log.posts.sort("content_id").select("kind", "parent_content_id", "platform").rows() == [
        ("reshare", "17", "gab"), ("original", None, "gab"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "record",
    [
        {"source_platform": "truthsocial.com"},
        {"source_platform": "truthsocial.com", "data": []},
        {"source_platform": "truthsocial.com", "data": {"content": "x"}},
        {"source_platform": "truthsocial.com", "data": {"account": {}}},
        {"ca": "2024", "author_info": {}},
    ],
)
def test_what_is_no_post_of_theirs(record):
    with pytest.raises(NotThisFormatError):
        rows(record)


@pytest.mark.parametrize("wrong", [None, 7, "x", [], [7, None, {"name": {}}], {"id": {"a": 1}, "account": 3}])
def test_wrong_types_reject_no_more_than_the_record(tmp_path, wrong):
    keys = (
        "reblog",
        "quote",
        "in_reply_to",
        "card",
        "group",
        "tags",
        "mentions",
        "media_attachments",
        "content",
    )
    path = tmp_path / "truths.ndjson"
    hostile = status("112042495180800001") | dict.fromkeys(keys, wrong)
    data = (status(), hostile)
    path.write_text(
        "".join(json.dumps({"source_platform": "truthsocial.com", "data": item}) + "\n" for item in data)
    )
    log = read_logs([path])
    assert ID in log.posts["content_id"].to_list()
    assert log.n_rows == 2
