"""Meta Content Library: owners and surfaces, reshares and quotes, both platforms."""

from __future__ import annotations

import json

import polars as pl
import pytest

from propgraph.readers.platforms.meta import READERS
from propgraph.readers.read import read_logs

(READER,) = READERS
ROW = {
    "id": "501",
    "creation_time": "2024-03-05T10:00:00+0000",
    "text": "Look",
    "post_owner.id": "1001",
    "post_owner.name": "Ana's News",
    "post_owner.type": "page",
    "surface.id": "1001",
    "surface.name": "Ana's News",
}


def post(**changes) -> dict:
    row = ROW | {name.replace("__", "."): value for name, value in changes.items()}
    return READER.canonical(pl.DataFrame([row])).row(0, named=True)


def test_a_page_s_post():
    found = post(
        lang="en", link_attachment__link="https://valley-herald.example/water", hashtags='["Water"]',
        post_owner__username="ana.news", is_branded_content="true", branded_content_page_id="1009",
    )  # fmt: skip
    assert found == {
        "content_id": "501",
        "account_id": "1001",
        "account_name": "ana.news",
        "timestamp": "2024-03-05T10:00:00+0000",
        "kind": "original",
        "parent_content_id": None,
        "target_id": None,
        "url": "https://valley-herald.example/water",
        "hashtags": '["Water"]',
        "text": "Look",
        "language": "en",
        "platform": "facebook",
        "sponsor": "1009",
    }


def test_reshares_have_no_text_of_their_own_quotes_have():
    reshare, quote = post(shared_post_id="77", text=" "), post(shared_post_id="77")
    assert (reshare["kind"], reshare["parent_content_id"], reshare["text"]) == ("reshare", "77", None)
    assert (quote["kind"], quote["parent_content_id"], quote["text"]) == ("quote", "77", "Look")


def test_what_r_writes_for_nothing_is_nothing(tmp_path):
    nothing = dict.fromkeys(
        ("shared_post_id", "link_attachment.link", "hashtags", "lang", "surface.id"), "NA"
    )
    pl.DataFrame([ROW | nothing]).write_csv(tmp_path / "mcl.csv")
    log = read_logs([tmp_path / "mcl.csv"])
    assert log.posts["kind"].to_list() == ["original"]
    assert not {"parent_content_id", "urls", "hashtags", "language", "target_id"} & set(log.posts.columns)
    assert sorted(note.split(": ", 1)[1] for note in log.notes if "missing" in note) == [
        f"{name}: 1 rows say 'NA': taken as missing" for name in sorted(nothing)
    ]
    assert post(shared_post_id="77", text="NA")["kind"] == "reshare"  # of a text R says the same


def test_the_target_is_the_surface_where_it_is_not_the_owner():
    assert post(surface__id="2001", surface__type="group")["target_id"] == "2001"
    assert post()["target_id"] is None


def test_a_withheld_owner_leaves_the_post_to_the_surface():
    found = post(post_owner__id="", post_owner__name="", surface__id="2001", surface__name="River Talk")
    assert (found["account_id"], found["account_name"], found["target_id"]) == ("2001", "River Talk", "2001")


@pytest.mark.parametrize(
    ("columns", "platform"),
    [
        ({}, "facebook"),
        ({"post_owner__type": "Creator"}, "instagram"),
        ({"post_owner__type": "business", "surface__id": None}, "instagram"),
        ({"post_owner__type": None}, "facebook"),
        ({"post_owner__type": None, "surface__id": None}, None),
        ({"mcl_url": "https://www.facebook.com/transparency-tools/x/1/instagram/entity/5"}, "instagram"),
        ({"mcl_url": "https://www.facebook.com/transparency-tools/x/1/threads/entity/5"}, "threads"),
        ({"mcl_url": "https://www.facebook.com/transparency-tools/content-library/?id=5"}, "facebook"),
    ],
)
def test_the_platform_is_told_by_the_library_s_address_or_the_owner(columns, platform):
    assert post(**columns)["platform"] == platform


@pytest.mark.parametrize(
    ("flag", "page", "sponsor"), [("TRUE", None, "yes"), ("false", "1009", None), (None, None, None)]
)
def test_sponsors(flag, page, sponsor):
    assert post(is_branded_content=flag, branded_content_page_id=page)["sponsor"] == sponsor


@pytest.mark.parametrize(
    ("link", "kept"),
    [
        ("https://www.facebook.com/cem.talks/videos/678/", False),
        ("https://fb.watch/abc", False),
        ("https://www.instagram.com/p/C4x/", False),
        ("https://l.facebook.com/l.php?u=https%3A%2F%2Fvalley-herald.example", True),
        ("https://notfacebook.com/x", True),
    ],
)
def test_links_to_the_platforms_own_media_are_left_out(link, kept):
    assert post(link_attachment__link=link)["url"] == (link if kept else None)


def test_rows_of_the_api_with_objects_booleans_and_numbers_are_read_alike(tmp_path):
    file = tmp_path / "log.ndjson"
    record = {
        "id": 9007199254740995, "creation_time": "2024-03-05T10:00:00+00:00", "text": "Look", "lang": "en",
        "is_branded_content": True, "shared_post_id": 9007199254740993, "match_type": ["post_text"],
        "multimedia": [{"type": "photo"}], "link_attachment": {"link": "https://valley-herald.example/water"},
        "post_owner": {"id": 1001, "name": "Ana", "type": "profile"},
        "surface": {"id": 2001, "name": "River Talk", "type": "group"},
        "statistics": {"like_count": 3, "views": None},
    }  # fmt: skip
    file.write_text(json.dumps(record) + "\n", encoding="utf-8")
    log = read_logs([file])
    assert log.sources[0]["reader"] == "meta-content-library"
    found = log.posts.row(0, named=True)
    expected = {
        "content_id": "9007199254740995", "account_id": "1001", "kind": "quote",
        "parent_content_id": "9007199254740993", "target_id": "2001", "platform": "facebook",
        "urls": ["https://valley-herald.example/water"], "sponsor": "yes", "language": "en",
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected


def test_ids_that_lost_their_digits_and_objects_for_ids_are_rejected(tmp_path):
    file = tmp_path / "log.ndjson"
    lines = [
        {"id": "1.00000000001E+15", "creation_time": "2024-03-05T10:00:00Z", "post_owner": {"id": "1"}},
        {"id": {"a": 1}, "creation_time": "2024-03-05T10:00:00Z", "post_owner": {"id": "1"}},
        {"id": "3", "creation_time": "2024-03-05T10:00:00Z", "post_owner": {"id": "1"}},
        {"id": "4", "creation_time": "2024-03-05T10:00:00Z", "post_owner": [1]},
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    log = read_logs([file])
    assert log.posts["content_id"].to_list() == ["3"]
    assert log.rejected["line"].to_list() == [1, 2, 4]


def test_hashtags_are_read_from_lists_as_json_or_python_writes_them(tmp_path):
    file = tmp_path / "log.csv"
    rows = [
        ROW | {"id": str(n), "hashtags": tags}
        for n, tags in enumerate(["['Water', '#vote']", '["cure"]', ""])
    ]
    pl.DataFrame(rows).write_csv(file)
    tags = dict(read_logs([file]).posts.select("content_id", "hashtags").iter_rows())
    assert tags == {"0": ["water", "vote"], "1": ["cure"], "2": None}
