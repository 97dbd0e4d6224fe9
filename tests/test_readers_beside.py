"""Files beside a log: academictwitteR's users_ID.json beside data_ID.json."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import polars as pl
import pytest

from propgraph.errors import InputError
from propgraph.readers.read import read_logs

TIME = "2024-03-05T10:00:00.000Z"
WATER = "https://valley-herald.example/water"


def tweet(number, **more):
    return {
        "id": number,
        "author_id": "11",
        "created_at": TIME,
        "text": "Water",
        "entities": {"urls": {}},
        **more,
    }


def user(number="11", name="ana"):
    return {"id": number, "username": name, "created_at": TIME, "public_metrics": {"followers_count": 7}}


def write(folder: Path, name: str, value: object) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(value))
    return folder / name


def test_users_and_the_tweets_referred_to_are_joined_page_by_page(tmp_path):
    retweet = tweet("102", text="RT @cem: Wat…", referenced_tweets=[{"type": "retweeted", "id": "90"}])
    original = tweet("90", author_id="13", entities={"urls": [{"expanded_url": WATER}]})
    write(tmp_path, "data_101.json", [tweet("103"), retweet])
    write(tmp_path, "users_101.json", {"users": [user()], "tweets": [original]})
    write(tmp_path, "data_104.json", [tweet("104", author_id="12")])
    users = write(tmp_path, "users_104.json", {"users": [user("12", "ben")], "tweets": {}})
    for named in (
        [tmp_path],
        sorted(tmp_path.iterdir()),
        [tmp_path / "data_101.json", tmp_path / "data_104.json"],
    ):
        log = read_logs(named)
        assert [source["reader"] for source in log.sources] == ["x-api-v2"] * 2
        assert (log.posts["content_id"].to_list(), log.rejected.height) == (["102", "103", "104"], 0)
        assert log.profiles["name"].to_list() == ["ana", "ana", "ben"]
        assert log.profiles["followers"].to_list() == [7, 7, 7]
        post = log.posts.row(0, named=True)
        assert (post["kind"], post["parent_content_id"], post["origin_account_id"]) == ("reshare", "90", "13")
        assert (post["text"], post["urls"]) == ("Water", [WATER])
        assert log.sources[1]["beside"] == {
            "path": str(users), "sha256": hashlib.sha256(users.read_bytes()).hexdigest(),
        }  # fmt: skip
        assert [note for note in log.notes if "users_" in note] == [
            f"read together with the logs beside them: 2 files ({tmp_path}/users_101.json, {tmp_path}/users_104.json)"
        ]


def test_packed_pages(tmp_path):
    for name, value in (("data_1.json.gz", [tweet("101")]), ("users_1.json.gz", {"users": [user()]})):
        (tmp_path / name).write_bytes(gzip.compress(json.dumps(value).encode()))
    assert read_logs([tmp_path]).profiles["name"].to_list() == ["ana"]


def test_tweets_are_read_without_users_or_with_broken_ones(tmp_path):
    data = write(tmp_path, "data_1.json", [tweet("101")])
    log = read_logs([tmp_path])
    assert (log.posts["account_id"].cast(pl.String).to_list(), log.notes) == (["11"], [])
    (tmp_path / "users_1.json").write_text('{"users": [')
    log = read_logs([tmp_path])
    assert log.posts.height == 1
    assert any(note.startswith(f"{data}: {tmp_path}/users_1.json: not JSON") for note in log.notes)


@pytest.mark.parametrize("wrong", [None, 5, "x", [], {"users": 5, "tweets": {}}, {"users": [5, {"id": []}]}])
def test_whatever_lies_beside(tmp_path, wrong):
    write(tmp_path, "data_1.json", [tweet("101")])
    write(tmp_path, "users_1.json", wrong)
    assert read_logs([tmp_path]).posts.height == 1


def test_users_without_their_tweets_are_no_log(tmp_path):
    path = write(tmp_path, "users_1.json", {"users": [user()]})
    with pytest.raises(InputError, match="no known format has these columns"):
        read_logs([path])


def test_a_file_that_nothing_was_asked_of_is_told(tmp_path):
    write(tmp_path, "data_1.json", [{"id": "1", "page": "p", "when": TIME}])
    write(tmp_path, "users_1.json", {"users": [user()]})
    log = read_logs([tmp_path], mapping={"account_id": "page", "timestamp": "when"})
    assert any("users_1.json: left out, it tells more of the posts in" in note for note in log.notes)
