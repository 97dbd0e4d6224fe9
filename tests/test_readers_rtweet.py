"""rtweet's CSV: an x before ids, originals in columns of their own, lists joined by blanks."""

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
OTHER = "https://true-remedies.example/cure,a"


def read_posts(folder: Path, *posts: dict[str, object], x: str = "x") -> list[dict[str, object]]:
    path = folder / "tweets.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*READERS["rtweet"].reads, "url", "status_url"], restval="")
        writer.writeheader()
        for n, post in enumerate(posts):
            base = {
                "status_id": f"{x}{FIRST + n}", "user_id": f"{x}101", "created_at": "2024-03-05 10:00:00",
                "screen_name": "ana", "text": "Water https://t.co/a1", "is_retweet": "FALSE", "is_quote": "FALSE",
                "url": "https://ana.example", "status_url": f"https://twitter.com/ana/status/{FIRST + n}",
            }  # fmt: skip
            writer.writerow(base | post)
    log = read_logs([path])
    assert [source["reader"] for source in log.sources] == ["rtweet"]
    return log.posts.with_columns(pl.col("account_id").cast(pl.String)).sort("content_id").to_dicts()


@pytest.mark.parametrize("x", ["x", ""])
def test_ids_lose_their_x_and_lists_are_parted_at_blanks(tmp_path, x):
    own = f"https://twitter.com/i/web/status/{FIRST}"
    (post,) = read_posts(
        tmp_path,
        {
            "urls_expanded_url": f"{LINK} {OTHER} {own}",
            "hashtags": "Water river",
            "mentions_screen_name": "Ben cem",
        },
        x=x,
    )
    assert (post["content_id"], post["account_id"]) == (str(FIRST), "101")
    assert post["timestamp"] == datetime(2024, 3, 5, 10, tzinfo=UTC)
    assert (post["urls"], post["hashtags"], post["mentions"]) == (
        [LINK, OTHER],
        ["water", "river"],
        ["ben", "cem"],
    )
    assert (post["kind"], post["text"]) == ("original", "Water")


def test_retweet_of_a_quote(tmp_path):
    (post,) = read_posts(
        tmp_path,
        {
            "is_retweet": "TRUE", "is_quote": "TRUE", "retweet_status_id": "x17", "retweet_user_id": "x103",
            "retweet_screen_name": "Cem", "retweet_created_at": "2024-03-05 09:00:00", "retweet_text": "All of it",
            "text": "All o…", "quoted_status_id": "x9", "mentions_screen_name": "Cem dov",
            "urls_expanded_url": f"https://twitter.com/a/status/9 {LINK}",
        },
    )  # fmt: skip
    assert (post["kind"], post["parent_content_id"], post["origin_account_id"]) == ("reshare", "17", "103")
    assert post["parent_timestamp"] == datetime(2024, 3, 5, 9, tzinfo=UTC)
    assert (post["text"], post["urls"], post["mentions"]) == ("All of it", [LINK], ["dov"])


def test_quotes_and_replies(tmp_path):
    quote, gone, reply = read_posts(
        tmp_path,
        {
            "is_quote": "TRUE", "quoted_status_id": "x17", "quoted_user_id": "x103", "reply_to_status_id": "x5",
            "quoted_created_at": "2024-03-05 09:00:00", "urls_expanded_url": "https://twitter.com/cem/status/17",
        },
        {"is_quote": "TRUE"},
        {"reply_to_status_id": "x17", "reply_to_user_id": "x102", "reply_to_screen_name": "ben"},
    )  # fmt: skip
    assert (quote["kind"], quote["parent_content_id"], quote["origin_account_id"]) == ("quote", "17", "103")
    assert quote["urls"] == []
    assert (gone["kind"], gone["parent_content_id"]) == ("quote", None)
    assert (reply["kind"], reply["parent_content_id"], reply["origin_account_id"]) == ("reply", "17", "102")


def test_only_the_columns_of_the_layout_are_needed():
    reader = READERS["rtweet"]
    (layout,) = reader.layouts
    post = reader.canonical(pl.DataFrame({name: ["x1"] for name in layout})).to_dicts()[0]
    assert (post["content_id"], post["kind"], post["urls"]) == ("1", "original", None)
