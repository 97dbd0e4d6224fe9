"""X's archives of one's own account: whose tweets they are, retweets known by their text, quotes by their link."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import polars as pl
import pytest

from propgraph.errors import InputError
from propgraph.readers.base import NotThisFormatError
from propgraph.readers.read import read_logs
from propgraph.readers.registry import READERS

WATER = "https://valley-herald.example/water"
TIME = "Tue Mar 05 10:00:00 +0000 2024"
OWNER = {"accountId": "11", "username": "ana", "createdAt": "2014-12-05T08:11:02.000Z"}


def tweet(number, **more):
    return {
        "id_str": number,
        "created_at": TIME,
        "full_text": "They shut the water off",
        "entities": {},
        **more,
    }


def urls(*links):
    return {"urls": [{"url": "https://t.co/a1", "expanded_url": link} for link in links]}


def row(record):
    rows = READERS["x-personal-archive"].opened(None, [{"account": OWNER}])
    (found,) = rows({"tweet": record})
    return found


def write(folder: Path, name: str, value: object, *, end: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    what = path.stem.replace("-", "_")
    path.write_text(f"window.YTD.{what}.part0 = " + json.dumps(value, indent=2) + end)
    return path


def archive(folder: Path, *tweets: dict[str, object], owner: dict[str, str] = OWNER, end: str = "") -> Path:
    write(folder, "account.js", [{"account": owner}], end=end)
    return write(folder, "tweets.js", [{"tweet": one} for one in tweets], end=end)


def accounts(log):
    return log.posts["account_id"].cast(pl.String).to_list()


# --- tweets


def test_original():
    found = row(
        tweet(
            "101", full_text="Fish &amp; chips https://t.co/a1", lang="en",
            entities={
                **urls(WATER, "https://twitter.com/i/web/status/101", "https://twitter.com/ana/status/101/photo/1"),
                "hashtags": [{"text": "Water"}], "user_mentions": [{"screen_name": "Ben", "indices": ["3", "7"]}],
            },
            extended_entities={"media": [{"id_str": "901"}]}, community_id_str="5",
        )
    )  # fmt: skip
    assert found == {
        "content_id": "101", "account_id": "11", "timestamp": TIME, "kind": "original", "parent_content_id": None,
        "origin_account_id": None, "origin_account_name": None, "target_id": "5", "text": "Fish & chips https://t.co/a1",
        "urls": [WATER], "hashtags": ["Water"], "mentions": ["ben"], "images": ["901"], "language": "en",
        "platform": "x", "account_name": "ana", "account_created_at": "2014-12-05T08:11:02.000Z",
    }  # fmt: skip


def test_retweet():
    mentions = [
        {"screen_name": "dov", "id_str": "14", "indices": ["20", "24"]},
        {"screen_name": "Cem", "id_str": "13", "indices": ["3", "7"]},
    ]
    found = row(
        tweet("101", full_text="RT @Cem: They shut @dov", entities={"user_mentions": mentions, **urls(WATER)})
    )
    assert (found["kind"], found["parent_content_id"]) == ("reshare", None)
    assert (found["origin_account_id"], found["origin_account_name"]) == ("13", "Cem")
    assert (found["mentions"], found["urls"]) == (["dov"], [WATER])


def test_a_link_to_one_tweet_is_a_quote_to_two_is_none():
    one, two = "https://twitter.com/Cem/status/99?s=20", "https://x.com/dov/status/98"
    found = row(tweet("101", entities=urls(WATER, one), in_reply_to_status_id_str="97"))
    assert (found["kind"], found["parent_content_id"], found["origin_account_name"]) == ("quote", "99", "Cem")
    assert found["urls"] == [WATER]
    found = row(tweet("101", entities=urls(one, two)))
    assert (found["kind"], found["urls"]) == ("original", [one, two])
    found = row(tweet("101", entities=urls(one, two), quoted_status_id_str="98"))
    assert (found["kind"], found["parent_content_id"], found["origin_account_name"]) == ("quote", "98", "dov")
    assert found["urls"] == [one]


def test_reply():
    found = row(
        tweet(
            "101",
            in_reply_to_status_id_str="99",
            in_reply_to_user_id_str="13",
            in_reply_to_screen_name="Cem",
        )
    )
    assert (found["kind"], found["parent_content_id"], found["origin_account_id"]) == ("reply", "99", "13")
    assert found["origin_account_name"] == "Cem"


@pytest.mark.parametrize("wrong", [None, 5, "text", True, [], {}, [5], [[]], {"a": {}}, [{"indices": 5}]])
def test_anything_anywhere(wrong):
    whole = tweet("101", full_text="RT @cem: x")
    for key in (*whole, "extended_entities", "quoted_status_id_str", "in_reply_to_status_id_str"):
        assert row({**whole, key: wrong})
    for key in ("urls", "hashtags", "user_mentions", "media"):
        assert row(tweet("101", entities={key: wrong}))
    for rows in (READERS[name].opened for name in ("x-personal-archive",)):
        with pytest.raises(NotThisFormatError):
            list(rows(None, wrong)({"tweet": whole}))
    record = {"account": [{"account": OWNER}], "tweets": wrong, "community-tweet": wrong}
    list(READERS["x-community-archive"].rows(record))


# --- files


@pytest.mark.parametrize("end", ["", ";", " ;\n"])
def test_the_owner_stands_in_the_script_beside(tmp_path, end):
    path = archive(tmp_path / "data", tweet("101"), tweet("102"), end=end)
    for named in (path, tmp_path, path.with_name("*.js")):
        log = read_logs([named])
        assert (log.sources[0]["reader"], accounts(log), log.rejected.height) == (
            "x-personal-archive",
            ["11", "11"],
            0,
        )
        assert log.profiles["name"].to_list() == ["ana", "ana"]
        assert log.sources[0]["beside"]["path"] == str(path.with_name("account.js"))
        assert [note for note in log.notes if "account.js" in note] == [
            f"read together with the logs beside them: 1 files ({path.with_name('account.js')})"
        ]


def test_all_parts_and_communities_are_read_and_no_other_script(tmp_path):
    archive(tmp_path, tweet("101"))
    write(tmp_path, "tweets-part1.js", [{"tweet": tweet("102")}])
    write(tmp_path, "community-tweet.js", [{"tweet": tweet("103", community_id_str="5")}])
    for name in ("deleted-tweets.js", "like.js", "note-tweet.js", "tweetdeck.js"):
        write(tmp_path, name, [{"tweet": tweet("104")}])
    log = read_logs([tmp_path])
    assert log.posts["content_id"].to_list() == ["101", "102", "103"]
    assert sum("left out, not a log by its name" in note for note in log.notes) == 4
    assert accounts(read_logs([tmp_path / "deleted-tweets.js"])) == ["11"]


def test_without_the_script_beside_nobody_s_tweets_are_guessed(tmp_path):
    path = write(tmp_path, "tweets.js", [{"tweet": tweet("101")}])
    with pytest.raises(InputError, match=r"none of 1 rows can be used.*account\.js, which says whose tweets"):
        read_logs([path])
    other = archive(tmp_path / "other", tweet("102"))
    log = read_logs([path, other])
    assert (accounts(log), log.n_rows) == (["11"], 2)
    assert "account.js" in log.rejected["reason"][0]


def test_a_broken_script_beside_is_told(tmp_path):
    path = archive(tmp_path, tweet("101"))
    path.with_name("account.js").write_text("window.YTD.account.part0 = [ {")
    other = archive(tmp_path / "other", tweet("102"))
    log = read_logs([path, other])
    assert accounts(log) == ["11"]
    assert any("account.js: not JSON" in note for note in log.notes)


def test_two_archives_in_a_zip_have_two_owners(tmp_path):
    archive(tmp_path / "a/data", tweet("101"))
    archive(tmp_path / "b/data", tweet("102"), owner={"accountId": "12"})
    with zipfile.ZipFile(tmp_path / "both.zip", "w") as packed:
        for path in sorted(tmp_path.rglob("*.js")):
            packed.write(path, path.relative_to(tmp_path))
    log = read_logs([tmp_path / "both.zip"])
    assert dict(zip(log.posts["content_id"], accounts(log), strict=True)) == {"101": "11", "102": "12"}


def test_tweets_before_2020_stand_for_themselves(tmp_path):
    write(tmp_path, "account.js", [{"account": OWNER}])
    log = read_logs([write(tmp_path, "tweet.js", [tweet("101")])])
    assert (log.sources[0]["reader"], accounts(log)) == ("x-personal-archive", ["11"])


def test_a_tweet_that_says_itself_whose_it_is_needs_no_script(tmp_path):
    path = tmp_path / "tweets.json"
    path.write_text(json.dumps([tweet("101", user_id_str="15"), tweet("102")], indent=1))
    log = read_logs([path])
    assert (accounts(log), log.n_rows) == (["15"], 2)


def test_the_account_s_script_alone_is_no_log(tmp_path):
    path = write(tmp_path, "account.js", [{"account": OWNER}])
    with pytest.raises(InputError, match="no known format has these columns"):
        read_logs([path])


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("last", [False, True])
def test_community_archive(tmp_path, indent, last):
    document = {
        "tweets": [{"tweet": tweet("101")}],
        "like": [{"like": {"tweetId": "9"}}],
        "community-tweet": [],
    }
    account = {"account": [{"account": OWNER}]}
    path = tmp_path / "archive.json"
    path.write_text(json.dumps(document | account if last else account | document, indent=indent))
    log = read_logs([path])
    assert (log.sources[0]["reader"], accounts(log), log.n_rows) == ("x-community-archive", ["11"], 1)


def test_community_archive_without_an_account(tmp_path):
    path = tmp_path / "archive.json"
    path.write_text(json.dumps({"tweets": [{"tweet": tweet("101")}]}, indent=1))
    with pytest.raises(InputError, match="no account that says whose tweets these are"):
        read_logs([path])


def test_the_samples_are_read_whole(tmp_path):
    write(tmp_path, "account.js", [{"account": OWNER}])
    for name, file in (("x-personal-archive", "tweets.js"), ("x-community-archive", "archive.json")):
        path = tmp_path / file
        path.write_text(READERS[name].sample)
        log = read_logs([path])
        assert (log.sources[0]["reader"], log.rejected.height) == (name, 0)
