"""CrowdTangle's CSV and API: zones, reshares told by a link, groups, Instagram."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import polars as pl
import pytest

from propgraph.errors import InputError
from propgraph.readers.base import NotThisFormatError
from propgraph.readers.platforms.crowdtangle import READERS
from propgraph.readers.read import read_logs

CSV, API = READERS
PAGE = {
    "Page Name": "Ana's News",
    "User Name": "ana.news",
    "Facebook Id": "1001",
    "Post Created": "2024-03-05 10:00:00 UTC",
    "URL": "https://www.facebook.com/1001/posts/501",
}


def canonical(*rows: dict[str, str]) -> list[dict]:
    return CSV.canonical(pl.DataFrame([PAGE | row for row in rows]).cast(pl.String)).to_dicts()


def one(**row: str) -> dict:
    return canonical({name.replace("_", " "): value for name, value in row.items()})[0]


def write(path, *rows: dict[str, str]):
    pl.DataFrame([PAGE | row for row in rows], infer_schema_length=None).write_csv(path)
    return path


def test_a_page_s_post():
    post = one(
        Message="Look",
        Link="https://bit.ly/x1",
        Final_Link="https://valley-herald.example/water",
        Description="the article's lead",
        Page_Created="2011-10-17 16:54:32",
        Followers_at_Posting="1,200,345",
        Likes_at_Posting="7",
        Sponsor_Id="1009",
        Sponsor_Name="Lemon Growers",
    )
    assert post == {
        "content_id": "501",
        "account_id": "1001",
        "account_name": "ana.news",
        "timestamp": "2024-03-05 10:00:00+00:00",
        "kind": "original",
        "parent_content_id": None,
        "origin_account_id": None,
        "origin_account_name": None,
        "target_id": None,
        "url": "https://valley-herald.example/water",
        "text": "Look",
        "platform": "facebook",
        "sponsor": "Lemon Growers",
        "account_created_at": "2011-10-17 16:54:32",
        "followers": 1200345.0,
    }


def test_summer_and_winter_time_of_one_file_are_brought_to_utc(tmp_path):
    file = write(
        tmp_path / "log.csv",
        {"Post Created": "2021-11-07 01:59:30 EDT", "URL": "https://www.facebook.com/1001/posts/1"},
        {"Post Created": "2021-11-07 01:00:10 EST", "URL": "https://www.facebook.com/1001/posts/2"},
        {"Post Created": "2021-11-07 07:00:20 CET", "URL": "https://www.facebook.com/1001/posts/3"},
        {"Post Created": "2021-11-07 11:30:30 ist", "URL": "https://www.facebook.com/1001/posts/4"},
    )
    posts = read_logs([file]).posts
    assert posts["content_id"].to_list() == ["1", "2", "3", "4"]
    assert posts["timestamp"].to_list() == [
        datetime(2021, 11, 7, 5, 59, 30, tzinfo=UTC),
        datetime(2021, 11, 7, 6, 0, 10, tzinfo=UTC),
        datetime(2021, 11, 7, 6, 0, 20, tzinfo=UTC),
        datetime(2021, 11, 7, 6, 0, 30, tzinfo=UTC),
    ]


def test_a_zone_that_nobody_knows_rejects_its_row_and_no_other(tmp_path):
    log = read_logs([
        write(tmp_path / "log.csv", {}, {"Post Created": "2024-03-05 10:00:00 XYZ", "URL": PAGE["URL"] + "2"})
    ])  # fmt: skip
    assert log.posts["content_id"].to_list() == ["501"]
    assert log.rejected["reason"].to_list() == [
        "timestamp: 2024-03-05 10:00:00 XYZ is not a time of this file's kind"
    ]


def test_date_and_time_stand_in_for_a_missing_time():
    post = one(Post_Created="", Post_Created_Date="2024-03-05", Post_Created_Time="10:00:00")
    assert post["timestamp"] == "2024-03-05 10:00:00"


@pytest.mark.parametrize(
    ("link", "parent", "origin_id", "origin_name"),
    [
        ("https://www.facebook.com/cem.talks/posts/503", "503", None, "cem.talks"),
        ("https://m.facebook.com/1003/posts/some-words/503/?d=n", "503", "1003", None),
        ("https://www.facebook.com/groups/2001/permalink/77/", "77", "2001", None),
        ("https://www.facebook.com/cem.talks/photos/a.10.20/345/?type=3", "345", None, "cem.talks"),
        ("https://www.facebook.com/cem.talks/videos/vb.1003/678/", "678", None, "cem.talks"),
        ("https://www.facebook.com/permalink.php?story_fbid=pfbid0aB&id=1003", "pfbid0aB", "1003", None),
    ],
)
def test_a_link_to_another_account_s_post_is_a_reshare_or_with_words_a_quote(
    link, parent, origin_id, origin_name
):
    article = "https://valley-herald.example/water"
    plain, quoting = canonical(
        {"Link": link, "Final Link": article, "Message": " ", "Description": "They shut it off"},
        {"Link": link, "Final Link": article, "Message": "So true", "Description": "They shut it off"},
    )
    assert (plain["kind"], plain["text"]) == ("reshare", "They shut it off")
    assert (quoting["kind"], quoting["text"]) == ("quote", "So true")
    for post in (plain, quoting):
        assert post["parent_content_id"] == parent
        assert post["origin_account_id"] == origin_id
        assert post["origin_account_name"] == origin_name
        assert post["url"] == article


@pytest.mark.parametrize(
    "link",
    [
        "https://www.facebook.com/Ana.News/photos/a.10.20/345/?type=3",
        "https://www.facebook.com/1001/videos/678/",
        "https://www.facebook.com/photo.php?fbid=345&set=gm.1&type=3",
        "https://www.facebook.com/events/99/",
        "https://fb.watch/abc/",
    ],
)
def test_own_media_and_other_places_on_facebook_are_neither_reshares_nor_links(link):
    post = one(Link=link, Description="a photo")
    assert (post["kind"], post["url"], post["parent_content_id"], post["text"]) == (
        "original",
        None,
        None,
        None,
    )


def test_a_video_of_the_account_s_own_under_an_older_name_is_no_reshare():
    link = "https://www.facebook.com/ana.before/videos/678/"
    owned, unknown = canonical(
        {"Link": link, "Is Video Owner?": "Yes"}, {"Link": link, "Is Video Owner?": "-"}
    )
    assert (owned["kind"], unknown["kind"]) == ("original", "reshare")


def test_what_crowdtangle_and_r_write_for_nothing_is_nothing(tmp_path):
    nothing = {
        "Message": "NA", "Link": "NA", "Final Link": "N/A", "Sponsor Name": "N/A", "Sponsor Id": "NA",
        "Page Created": "NA",
    }  # fmt: skip
    log = read_logs([write(tmp_path / "ct.csv", nothing)])
    assert not {"text", "urls", "sponsor"} & set(log.posts.columns)
    assert "created_at" not in log.profiles.columns
    assert sum("taken as missing" in note for note in log.notes) == len(nothing) - 1  # a text is the reader's


def test_a_redirect_of_facebook_is_a_link_outside():
    link = "https://l.facebook.com/l.php?u=https%3A%2F%2Fvalley-herald.example%2Fwater"
    assert one(Link=link)["url"] == link


def test_a_post_in_a_group_is_the_group_s_and_has_it_as_target(tmp_path):
    group = {
        "Group Name": "River Talk",
        "User Name": "",
        "Facebook Id": "2001",
        "Likes at Posting": "3,210",
        "Followers at Posting": "N/A",
        "Post Created": "2024-03-05 10:00:00 CET",
        "URL": "https://www.facebook.com/groups/2001/permalink/601",
        "Message": "Look",
    }
    file = tmp_path / "log.csv"
    pl.DataFrame([group]).write_csv(file)
    log = read_logs([file])
    assert log.sources[0]["reader"] == "crowdtangle"
    post = log.posts.row(0, named=True)
    assert (post["account_id"], post["target_id"], post["content_id"]) == ("2001", "2001", "601")
    assert post["timestamp"] == datetime(2024, 3, 5, 9, tzinfo=UTC)
    assert log.profiles.select("name", "followers").row(0) == ("River Talk", 3210)


def test_instagram_s_text_is_the_description_and_its_own_address_is_no_link(tmp_path):
    file = tmp_path / "log.csv"
    pl.DataFrame([
        {
            "Account": "Ana", "User Name": "ana", "Followers at Posting": "12", "Type": "Photo",
            "Post Created": "2024-03-05 02:00:00 PST", "URL": "https://www.instagram.com/p/C4x-_aB/",
            "Link": "https://www.instagram.com/p/C4x-_aB/", "Photo": "https://scontent.example/1.jpg",
            "Title": "", "Description": "Look #water", "Image Text": "WATER", "Sponsor Id": "9", "Sponsor Name": "",
        }
    ]).write_csv(file)  # fmt: skip
    log = read_logs([file])
    post = log.posts.row(0, named=True)
    assert log.sources[0]["reader"] == "crowdtangle"
    assert post["timestamp"] == datetime(2024, 3, 5, 10, tzinfo=UTC)
    assert {name: post.get(name) for name in ("content_id", "account_id", "text", "platform", "sponsor", "kind")} == {
        "content_id": "C4x-_aB", "account_id": "ana", "text": "Look #water", "platform": "instagram",
        "sponsor": "9", "kind": "original",
    }  # fmt: skip
    assert "urls" not in log.posts.columns


def test_posts_without_an_address_of_their_own_get_ids_by_what_they_say():
    first, second, again = canonical(
        {"URL": "", "Message": "Look"},
        {"URL": "https://www.facebook.com/1001", "Message": "Look there"},
        {"URL": "https://www.facebook.com/1001", "Message": "Look"},
    )
    assert first["content_id"].startswith("made:")
    assert second["content_id"].startswith("made:")
    assert first["content_id"] == again["content_id"] != second["content_id"]


def test_numbers_of_a_binary_table_are_read_like_text(tmp_path):
    file = tmp_path / "log.parquet"
    row = PAGE | {"Facebook Id": 100100000000001, "Followers at Posting": 1200, "Message": None}
    pl.DataFrame([row]).write_parquet(file)
    log = read_logs([file])
    assert log.posts["account_id"].cast(pl.String).to_list() == ["100100000000001"]
    assert log.profiles["followers"].to_list() == [1200]


# The API.

POST = {
    "platformId": "1001_501",
    "platform": "Facebook",
    "date": "2024-03-05 10:00:00",
    "type": "link",
    "message": "Look",
    "link": "https://bit.ly/x1",
    "expandedLinks": [
        {"original": "https://bit.ly/x1", "expanded": "https://valley-herald.example/water"},
        {"original": "https://bit.ly/x1", "expanded": "https://valley-herald.example/water"},
    ],
    "postUrl": "https://www.facebook.com/1001/posts/501",
    "subscriberCount": 1200,
    "account": {
        "id": 9,
        "name": "Ana's News",
        "handle": "ana.news",
        "platform": "Facebook",
        "platformId": "1001",
        "subscriberCount": 1300,
        "pageCreatedDate": "2011-10-17 00:00:00",
    },
    "languageCode": "en",
    "brandedContentSponsor": {"name": "Lemon Growers", "platformId": "1009"},
    "id": "9|501",
}


def api(**changes) -> dict:
    (row,) = API.rows(POST | changes)
    return row


def test_a_post_of_the_api():
    assert api() == {
        "content_id": "501",
        "account_id": "1001",
        "account_name": "ana.news",
        "timestamp": "2024-03-05 10:00:00",
        "kind": "original",
        "parent_content_id": None,
        "origin_account_id": None,
        "origin_account_name": None,
        "target_id": None,
        "urls": ["https://valley-herald.example/water"],
        "text": "Look",
        "language": "en",
        "platform": "facebook",
        "sponsor": "Lemon Growers",
        "account_created_at": "2011-10-17 00:00:00",
        "followers": 1200,
    }


def test_reshares_and_quotes_of_the_api():
    link = "https://www.facebook.com/cem.talks/posts/503"
    reshare = api(link=link, message=None, description="They shut it off", expandedLinks=None)
    assert (reshare["kind"], reshare["parent_content_id"], reshare["text"]) == (
        "reshare",
        "503",
        "They shut it off",
    )
    assert (reshare["origin_account_name"], reshare["origin_account_id"], reshare["urls"]) == (
        "cem.talks",
        None,
        [],
    )
    quote = api(link="https://www.facebook.com/1003/posts/503")
    assert (quote["kind"], quote["origin_account_id"], quote["text"]) == ("quote", "1003", "Look")
    own = api(link="https://www.facebook.com/Ana.News/posts/400")
    assert (own["kind"], own["parent_content_id"]) == ("original", None)


def test_groups_old_maps_of_links_and_other_platforms_of_the_api():
    group = api(postUrl="https://www.facebook.com/groups/1001/permalink/501")
    assert (group["target_id"], group["content_id"]) == ("1001", "501")
    mapped = api(expandedLinks={"https://bit.ly/x1": "https://valley-herald.example/map"})
    assert mapped["urls"] == ["https://valley-herald.example/map"]
    insta = api(
        platform="Instagram", message=None, description="Look #water", expandedLinks=None,
        link="https://www.instagram.com/p/C4x/", postUrl="https://www.instagram.com/p/C4x/",
    )  # fmt: skip
    assert (insta["text"], insta["content_id"], insta["urls"], insta["platform"]) == (
        "Look #water",
        "C4x",
        [],
        "instagram",
    )
    tweet = api(platform="Twitter", platformId="77", postUrl="https://twitter.com/ana/status/77")
    assert (tweet["platform"], tweet["content_id"]) == ("x", "77")


def test_a_page_of_the_api_gives_its_posts_and_another_record_is_none_of_it():
    page = {"status": 200, "result": {"posts": [POST, 5, POST | {"postUrl": None}]}}
    assert [row["content_id"] for row in API.rows(page)] == ["501", "1001_501"]
    assert [row["content_id"] for row in API.rows({"posts": [POST]})] == ["501"]
    with pytest.raises(NotThisFormatError):
        list(API.rows({"status": 429, "message": "rate limit"}))


@pytest.mark.parametrize("value", [None, 7, 1.5, True, "x", [], [[1]], {}, {"a": {"b": 1}}])
def test_wrong_types_anywhere_in_the_api_s_record_raise_nothing(value):
    for key in POST:
        rows = list(API.rows(POST | {key: value}))
        assert len(rows) == 1, key
        assert set(rows[0]) == set(API.fields)


def test_an_address_of_a_megabyte_takes_no_time():
    url = "https://www.facebook.com" + "/p" * 500_000 + "/!"
    row = api(postUrl=url, link=url)
    assert (row["content_id"], row["kind"]) == ("1001_501", "original")
    assert one(URL=url, Link=url)["content_id"].startswith("made:")


def test_the_csv_and_the_api_name_a_post_and_its_account_alike(tmp_path):
    (tmp_path / "api.ndjson").write_text(json.dumps(POST) + "\n", encoding="utf-8")
    csv = read_logs([write(tmp_path / "log.csv", {"Message": "Look"})])
    lines = read_logs([tmp_path / "api.ndjson"])
    assert [log.sources[0]["reader"] for log in (csv, lines)] == ["crowdtangle", "crowdtangle-api"]
    for name in ("content_id", "account_id", "timestamp", "platform"):
        assert csv.posts[name].cast(pl.String).to_list() == lines.posts[name].cast(pl.String).to_list()


def test_a_table_with_other_headers_is_not_taken_for_crowdtangle(tmp_path):
    file = tmp_path / "log.csv"
    file.write_text("User Name,Post Created,URL\nana,2024-03-05,https://x.example/1\n", encoding="utf-8")
    with pytest.raises(InputError):
        read_logs([file])
