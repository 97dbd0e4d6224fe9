"""TikTok: the Research API as tables and as answers, and 4CAT's table; duets and stitches."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import polars as pl
import pytest

from propgraph.readers.base import NotThisFormatError
from propgraph.readers.platforms.tiktok import READERS
from propgraph.readers.read import read_logs

TABLE, PAGES, CAT = READERS
VIDEO = {
    "id": 7342816964169908803,
    "username": "ana",
    "create_time": 1709632800,
    "video_description": "They shut the water off #Water",
    "region_code": "US",
    "music_id": 7028743950684949701,
    "hashtag_names": ["Water"],
    "video_mention_list": ["Ben.Daily", "cem_talks"],
    "video_tag": {"number": 1, "type": "Branded Type"},
}
ROW = {
    "id": "7342816964169908803",
    "author": "ana",
    "body": "They shut the water off #water",
    "timestamp": "2024-03-05 10:00:00",
    "unix_timestamp": "1709632800",
    "is_duet": "no",
    "is_ad": "no",
    "music_id": "7028743950684949701",
    "tiktok_url": "https://www.tiktok.com/@ana/video/7342816964169908803",
    "hashtags": "water,vote",
    "author_followers": "120",
}
EXPECTED = {
    "content_id": "7342816964169908803",
    "account_id": "ana",
    "timestamp": datetime(2024, 3, 5, 10, tzinfo=UTC),
    "kind": "original",
    "hashtags": ["water"],
    "mentions": ["ben.daily", "cem_talks"],
    "text": "They shut the water off #Water",
    "platform": "tiktok",
    "sponsor": "yes",
}


def lines(path, *records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def only(log) -> dict:
    (row,) = log.posts.to_dicts()
    return {name: row[name] for name in EXPECTED}


def test_a_video_a_line_a_page_and_a_table_tell_the_same(tmp_path):
    page = {"data": {"videos": [VIDEO], "cursor": 1, "has_more": False}, "error": {"code": "ok"}}
    pretty = tmp_path / "page.json"
    pretty.write_text(json.dumps(page, indent=2), encoding="utf-8")
    table = tmp_path / "table.csv"
    cells = {name: str(value) for name, value in VIDEO.items()}
    pl.DataFrame([cells]).rename({"id": "video_id", "username": "author_name"}).write_csv(table)
    for file, reader in [
        (lines(tmp_path / "videos.ndjson", VIDEO), "tiktok-research"),
        (table, "tiktok-research"),
        (lines(tmp_path / "pages.ndjson", page), "tiktok-research-pages"),
        (pretty, "tiktok-research-pages"),
    ]:
        log = read_logs([file])
        assert log.sources[0]["reader"] == reader
        assert only(log) == EXPECTED, file.name


@pytest.mark.parametrize(
    ("text", "kind", "origin"),
    [
        ("#duet with @ben.daily so true", "quote", "ben.daily"),
        ("so true #Stitch with @cem_talks", "quote", "cem_talks"),
        ("#duet with @PrimeTime Promotion", "quote", None),
        ("#duet with my dog @ben.daily", "original", None),
        ("#duets with @ben.daily", "original", None),
        (None, "original", None),
    ],
)
def test_duets_and_stitches_are_quotes_of_whom_the_description_names(text, kind, origin):
    (page,) = PAGES.rows({"data": {"videos": [VIDEO | {"video_description": text}]}})
    research = {name: str(VIDEO[name]) for name in ("id", "username", "create_time")}
    table = TABLE.canonical(pl.DataFrame([research | {"video_description": text}]).cast(pl.String))
    cat = CAT.canonical(pl.DataFrame([ROW | {"body": text}]))
    for found in (page, table.row(0, named=True), cat.row(0, named=True)):
        assert (found["kind"], found["origin_account_name"], found["text"]) == (kind, origin, text)


def test_the_author_of_a_duet_s_other_half_is_found_by_name(tmp_path):
    other = VIDEO | {
        "id": 2,
        "username": "ben.daily",
        "video_description": "#duet with @ana no",
        "create_time": 1709632860,
    }
    posts = read_logs([lines(tmp_path / "log.ndjson", VIDEO, other)]).posts
    assert posts["origin_account_id"].to_list() == [None, "ana"]
    assert "origin_account_name" not in posts.columns


def test_lists_apart_by_commas_and_r_s_missing_ones(tmp_path):
    file = tmp_path / "log.csv"
    file.write_text(
        "video_id,author_name,create_time,video_description,hashtag_names\n"
        '1,ana,2024-03-05T10:00:00Z,Look,"Water, vote"\n'
        '2,ana,2024-03-05T10:01:00Z,Look,"cure,river"\n'
        "3,ana,2024-03-05T10:02:00Z,Look,NA\n",
        encoding="utf-8",
    )
    assert read_logs([file]).posts["hashtags"].to_list() == [["water", "vote"], ["cure", "river"], None]


@pytest.mark.parametrize(
    ("tag", "sponsor"),
    [
        ({"number": 7, "type": "Branded Type"}, "yes"),
        ([{"number": 1, "type": "Branded Type"}], "yes"),
        ({"number": 2, "type": "AIGC Type"}, None),
        (None, None),
    ],
)
def test_only_branded_tags_are_sponsored(tag, sponsor, tmp_path):
    (row,) = PAGES.rows({"data": {"videos": [VIDEO | {"video_tag": tag}]}})
    assert row["sponsor"] == sponsor
    posts = read_logs([lines(tmp_path / "log.ndjson", VIDEO | {"video_tag": tag})]).posts
    assert posts.row(0, named=True).get("sponsor") == sponsor


def test_pages_leave_out_what_is_no_video_and_reject_errors():
    assert [
        row["content_id"] for row in PAGES.rows({"videos": [5, None, VIDEO | {"id": None, "video_id": 9}]})
    ] == [9]
    for record in ({"error": {"code": "rate_limit_exceeded"}}, {"data": []}, {"data": {"videos": {}}}):
        with pytest.raises(NotThisFormatError):
            list(PAGES.rows(record))


@pytest.mark.parametrize("value", [None, 7, True, "x", [], [[1]], {}, {"a": {"b": 1}}])
def test_wrong_types_anywhere_in_a_video_raise_nothing(value):
    for key in VIDEO:
        (row,) = PAGES.rows({"data": {"videos": [VIDEO | {key: value}]}})
        assert set(row) == set(PAGES.fields), key


def test_a_video_without_its_author_is_rejected_and_the_others_of_its_page_are_read(tmp_path):
    file = lines(
        tmp_path / "log.ndjson",
        {"data": {"videos": [VIDEO, VIDEO | {"id": 1, "username": None}, VIDEO | {"id": 2}]}},
    )
    log = read_logs([file])
    assert sorted(log.posts["content_id"].to_list()) == ["2", "7342816964169908803"]
    assert log.rejected["reason"].to_list() == ["account_id: empty"]


def test_4cat_s_table(tmp_path):
    file = tmp_path / "log.csv"
    rows = [
        ROW,
        ROW | {"id": "2", "is_duet": "yes", "is_ad": "yes", "hashtags": "", "timestamp": "1999-01-01"},
    ]
    pl.DataFrame(rows).write_csv(file)
    log = read_logs([file])
    assert log.sources[0]["reader"] == "4cat-tiktok"
    posts = {post["content_id"]: post for post in log.posts.to_dicts()}
    plain, duet = posts["7342816964169908803"], posts["2"]
    assert plain["timestamp"] == duet["timestamp"] == datetime(2024, 3, 5, 10, tzinfo=UTC)
    assert (plain["kind"], plain["hashtags"], plain["sponsor"]) == ("original", ["water", "vote"], None)
    assert (duet["kind"], duet["hashtags"], duet["sponsor"]) == ("quote", None, "yes")
    assert log.profiles.select("name", "followers").unique().row(0) == ("ana", 120)


def test_4cat_s_older_table_has_unix_times_only(tmp_path):
    file = tmp_path / "log.csv"
    old = {name: value for name, value in ROW.items() if name not in ("unix_timestamp", "is_ad")}
    pl.DataFrame([old | {"timestamp": "1709632800", "is_duet": "False"}]).write_csv(file)
    log = read_logs([file])
    assert log.sources[0]["reader"] == "4cat-tiktok"
    assert log.posts["timestamp"].to_list() == [datetime(2024, 3, 5, 10, tzinfo=UTC)]
    assert log.posts["kind"].to_list() == ["original"]
