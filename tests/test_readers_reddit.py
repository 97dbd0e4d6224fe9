"""Reddit: what the reader makes of submissions and comments."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from propgraph.readers.read import read_logs
from propgraph.readers.registry import READERS

REDDIT = READERS["reddit"]
WATER = "https://valley-herald.example/water"
PAGE = "https://www.reddit.com/r/valley/comments/{}/they_shut_the_water_off/"


def submission(id="1b7aa", **other):
    return {
        "id": id,
        "author": "ana",
        "created_utc": 1709632800,
        "subreddit": "valley",
        "title": "They shut the water off",
        "selftext": "",
        "is_self": False,
        "url": WATER,
    } | other


def comment(id="kt1", **other):
    return {
        "id": id,
        "author": "ben",
        "created_utc": 1709632860,
        "subreddit": "valley",
        "body": "Is this true?",
        "link_id": "t3_1b7aa",
        "parent_id": "t1_kt0",
    } | other


def read(tmp_path, *records):
    file = tmp_path / "log.ndjson"
    file.write_text("\n".join(map(json.dumps, records)))
    log = read_logs([file])
    assert [source["reader"] for source in log.sources] == ["reddit"]
    return log


def only(tmp_path, record):
    """Return the one post of a record as a dict of the columns that hold anything."""
    (row,) = read(tmp_path, record).posts.to_dicts()
    return row


def test_a_link_post(tmp_path):
    row = only(tmp_path, submission())
    assert row.pop("timestamp").isoformat() == "2024-03-05T10:00:00+00:00"
    assert (Path(row.pop("source")).name, row.pop("line")) == ("log.ndjson", 1)
    assert row == {
        "content_id": "t3_1b7aa",
        "account_id": "ana",
        "kind": "original",
        "target_id": "valley",
        "text": "They shut the water off",
        "urls": [WATER],
        "mentions": [],
        "platform": "reddit",
    }


def test_a_comment_is_a_reply_to_its_parent(tmp_path):
    row = only(tmp_path, comment())
    assert (row["content_id"], row["kind"], row["parent_content_id"]) == ("t1_kt1", "reply", "t1_kt0")
    assert (row["text"], row["target_id"]) == ("Is this true?", "valley")


def test_a_comment_and_a_submission_with_one_id_are_two_posts(tmp_path):
    posts = read(tmp_path, submission("1b7aa"), comment("1b7aa")).posts
    assert posts["content_id"].to_list() == ["t3_1b7aa", "t1_1b7aa"]


def test_an_id_that_has_its_prefix_keeps_it(tmp_path):
    assert only(tmp_path, submission("t3_1b7aa"))["content_id"] == "t3_1b7aa"


def test_a_crosspost_is_a_reshare_with_its_originals_text(tmp_path):
    original = submission(
        "1b7zz", author="cem", created_utc=1709632000.0, title="Dry taps", selftext=f"See {WATER}"
    )
    row = only(
        tmp_path,
        submission(title="look", url="/r/valley/comments/1b7zz/dry_taps/", crosspost_parent="t3_1b7zz",
                   crosspost_parent_list=[original]),
    )  # fmt: skip
    assert (row["kind"], row["parent_content_id"], row["origin_account_id"]) == ("reshare", "t3_1b7zz", "cem")
    assert row["parent_timestamp"].isoformat() == "2024-03-05T09:46:40+00:00"
    assert (row["text"], row["urls"]) == (f"Dry taps\n\nSee {WATER}", [WATER])


def test_a_crosspost_without_its_original_has_its_own_text(tmp_path):
    row = only(tmp_path, submission(crosspost_parent="t3_1b7zz", crosspost_parent_list=None))
    assert (row["kind"], row["parent_content_id"]) == ("reshare", "t3_1b7zz")
    assert (row["text"], row["urls"]) == ("They shut the water off", [WATER])


def test_those_who_left_are_not_one_account(tmp_path):
    original = submission("1b7zz", author="[deleted]")
    log = read(
        tmp_path,
        original,
        submission("1b7bb", author="[deleted]"),
        comment(author="[deleted]", body="[removed]"),
        submission("1b7cc", crosspost_parent="t3_1b7zz", crosspost_parent_list=[original]),
    )
    posts = log.posts.sort("content_id").select(
        "content_id", pl.col("account_id").cast(pl.String), "origin_account_id"
    )
    assert posts.rows() == [
        ("t1_kt1", "[deleted] t1_kt1", None),
        ("t3_1b7bb", "[deleted] t3_1b7bb", None),
        ("t3_1b7cc", "ana", "[deleted] t3_1b7zz"),
        ("t3_1b7zz", "[deleted] t3_1b7zz", None),
    ]


@pytest.mark.parametrize(
    "own",
    [
        {"is_self": True, "url": PAGE.format("1b7aa")},
        {"is_self": None, "url": PAGE.format("1b7aa")},
        {"is_self": None, "url": "https://www.reddit.com/r/valley/comments/1b7aa"},
        {"url": "/r/valley/comments/1b7zz/dry_taps/"},
        {"url": PAGE.format("1b7zz"), "crosspost_parent": "t3_1b7zz"},
        {"url": "https://i.redd.it/abc.jpg"},
        {"url": "https://v.redd.it/abc"},
        {"url": "https://www.reddit.com/gallery/1b7aa"},
        {"url": None},
    ],
)
def test_its_own_page_and_reddits_own_media_are_no_links(tmp_path, own):
    assert only(tmp_path, submission(**own))["urls"] == []


@pytest.mark.parametrize(
    "other", [PAGE.format("1b7a"), PAGE.format("1b7aaa"), "https://redd.it/1b7xx", WATER]
)
def test_another_posts_page_is_a_link(tmp_path, other):
    assert only(tmp_path, submission(url=other))["urls"] == [other]


def test_the_link_meant_goes_before_the_one_shown(tmp_path):
    other = "https://valley-herald.example/other"
    assert only(tmp_path, submission(url_overridden_by_dest=WATER, url=other))["urls"] == [WATER]


@pytest.mark.parametrize(
    ("text", "links"),
    [
        (f"[the story]({WATER})[again]({WATER}/2)", [WATER, f"{WATER}/2"]),
        (f"[{WATER}]({WATER}), **{WATER}/2**.", [WATER, f"{WATER}/2"]),
        ("see (https://a.example/Water_(film)).", ["https://a.example/Water_(film)"]),
        ("https://a.example/?x=1&amp;y=2", ["https://a.example/?x=1&y=2"]),
        ("&lt;https://a.example/x&gt;", ["https://a.example/x"]),
        ("no link", []),
    ],
)
def test_links_in_a_comments_markdown(tmp_path, text, links):
    assert only(tmp_path, comment(body=text))["urls"] == links


def test_a_self_posts_links_are_those_of_its_text(tmp_path):
    row = only(
        tmp_path, submission(is_self=True, url=PAGE.format("1b7aa"), selftext=f"[Here]({WATER}) &amp; there")
    )
    assert (row["urls"], row["text"]) == ([WATER], f"They shut the water off\n\n[Here]({WATER}) & there")


def test_an_escaped_link_is_put_right(tmp_path):
    assert only(tmp_path, submission(url=f"{WATER}?a=1&amp;b=2"))["urls"] == [f"{WATER}?a=1&b=2"]


@pytest.mark.parametrize("gone", ["[deleted]", "[removed]", "[ Removed by Reddit ]"])
def test_a_text_that_is_gone_is_no_text(tmp_path, gone):
    assert only(tmp_path, submission(selftext=gone))["text"] == "They shut the water off"
    assert "text" not in only(tmp_path, comment(body=gone))


def test_a_title_that_is_gone_is_no_text(tmp_path):
    assert "text" not in only(tmp_path, submission(title="[deleted by user]"))


def test_names_in_a_text_are_mentions_and_those_in_links_are_not(tmp_path):
    text = "u/Ana_V and /u/ben-b, not https://a.example/?u/cem or you/dov"
    assert only(tmp_path, comment(body=text))["mentions"] == ["ana_v", "ben-b"]


def test_a_paid_post_is_marked_and_an_accounts_birthday_kept(tmp_path):
    log = read(
        tmp_path,
        submission(promoted=True, author_created_utc=1500000000),
        submission("1b7bb", promoted=False),
    )
    assert log.posts.sort("content_id")["sponsor"].to_list() == ["yes", None]
    assert log.profiles["created_at"].drop_nulls()[0].isoformat() == "2017-07-14T02:40:00+00:00"


def test_times_may_be_numbers_or_text(tmp_path):
    log = read(tmp_path, submission(created_utc="1709632800"), submission("1b7bb", created_utc=1709632800.0))
    assert {time.isoformat() for time in log.posts["timestamp"]} == {"2024-03-05T10:00:00+00:00"}


def test_hostile_records_are_rejected_and_the_others_read(tmp_path):
    log = read(
        tmp_path,
        submission(),
        submission({"a": 1}),
        submission("1b7bb", author=["ana"]),
        submission("1b7cc", created_utc=None),
        submission("1b7dd", crosspost_parent="t3_x", crosspost_parent_list={"author": "no list"}),
        submission("1b7ee", author=None),
        submission("1b7ff", title=["a"], url={"b": 1}, selftext=3),
    )
    assert log.posts["content_id"].to_list() == ["t3_1b7aa", "t3_1b7dd", "t3_1b7ff"]
    assert log.rejected["reason"].to_list() == [
        "content_id: empty",
        "account_id: a list or an object, not one value",
        "timestamp: empty",
        "account_id: empty",
    ]


def test_a_binary_table_may_keep_numbers_truth_values_and_lists(tmp_path):
    rows = [
        submission(promoted=True, crosspost_parent="t3_1b7zz", crosspost_parent_list=[{"author": "cem"}]),
        submission("1b7bb", is_self=True, url=PAGE.format("1b7bb"), promoted=False, crosspost_parent_list=[]),
    ]
    pl.DataFrame(rows).write_parquet(tmp_path / "log.parquet")
    posts = read_logs([tmp_path / "log.parquet"]).posts.sort("content_id")
    assert posts["kind"].to_list() == ["reshare", "original"]
    assert posts["urls"].to_list() == [[WATER], []]
    assert posts["sponsor"].to_list() == ["yes", None]


def test_the_sample_is_recognised_and_read(tmp_path):
    log = read(tmp_path, *map(json.loads, REDDIT.sample.splitlines()))
    assert log.posts["kind"].to_list() == ["original", "reply"]
    assert log.rejected.is_empty()
