"""What is offered where no reader knows the columns; and that it works when it is run as it is offered."""

from __future__ import annotations

import json
import shlex
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from propgraph.cli.app import run
from propgraph.errors import InputError, UnknownColumnsError
from propgraph.readers.read import read_log, read_logs
from propgraph.study import Study

SHARED = Path(__file__).parents[2] / "shared" / "data"
POSTS = [
    ("p-9", "ana", "2024-03-05 10:00:00", "https://mill.example/a", "Look at what they hide from all of us"),
    (
        "p-7",
        "bo",
        "2024-03-05 10:00:20",
        "https://mill.example/a",
        "The mill is on fire, pass it on to others",
    ),
    (
        "p-5",
        "ana",
        "2024-03-05 11:30:00",
        "https://mill.example/b",
        "Nobody tells you this about the old mill",
    ),
    (
        "p-3",
        "cem",
        "2024-03-06 09:00:00",
        "https://mill.example/a",
        "Why is nobody writing about this at all?",
    ),
]
MEANT = {"content_id": 0, "account_id": 1, "timestamp": 2, "url": 3, "text": 4}


def written(path: Path, header: list[str] | None, *, separator: str = ",", rows=POSTS) -> Path:
    lines = [separator.join(f'"{cell}"' for cell in row) for row in ([header] if header else []) + list(rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def offered(log, **options) -> dict[str, str]:
    with pytest.raises(UnknownColumnsError) as error:
        read_logs(log, **options)
    return error.value.mapping


@pytest.mark.parametrize(
    "header",
    [
        ["id", "author", "date", "link", "text"],
        ["Numéro", "Auteur", "Publié le", "Lien", "Texte"],
        ["Beitrag", "Nutzer", "Zeitpunkt", "Verweis", "Inhalt"],
        ["сообщение", "автор", "время", "ссылка", "текст"],
        ["c1", "c2", "c3", "c4", "c5"],  # by their values alone
    ],
)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_what_is_offered_works_when_it_is_run(tmp_path, capsys, header, separator):
    log = written(tmp_path / "my log.csv", header, separator=separator)
    study = tmp_path / "study"
    assert run(["build", str(log), "-o", str(study)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    lines = said.err.splitlines()
    assert lines[-2] == "If that is right:"
    name, *words = shlex.split(lines[-1])
    assert name == "propgraph"
    pairs = dict(word.split("=", 1) for before, word in pairwise(words) if before == "--map")
    assert pairs == {name: header[k] for name, k in MEANT.items()}
    assert "coortweet" not in said.err  # what else was tried is told who asks
    assert run(words) == 0
    posts = Study.open(study).posts
    assert sorted(posts.select("content_id", "account_id", "text").rows()) == sorted(
        (row[0], row[1], row[4]) for row in POSTS
    )
    assert posts["urls"].to_list() == [[row[3]] for row in POSTS]


def test_the_rest_is_told_who_asks(tmp_path, capsys):
    log = written(tmp_path / "log.csv", ["c1", "c2", "c3", "c4", "c5"])
    assert run(["build", str(log), "-o", str(tmp_path / "study"), "-v"]) == 1
    assert "coortweet misses object_id, account_id, content_id, timestamp_share" in capsys.readouterr().err


def test_a_table_without_a_header(tmp_path):
    log = written(tmp_path / "log.csv", None, separator=";")
    mapping = offered(log)
    assert mapping == {name: f"#{k + 1}" for name, k in MEANT.items()}
    read = read_logs(log, mapping=mapping)
    assert read.posts.height == len(POSTS)  # the first line is a row, too
    torn = [*POSTS[:2], ("p-1", "dan", "soon", "https://mill.example/a", "Look"), *POSTS[2:]]
    read = read_logs(written(log, None, rows=torn), mapping=mapping)
    assert (read.posts.height, read.rejected["line"].to_list()) == (4, [3])
    # A table that has such names is read by them.
    log.write_text("#1,#2\nana,1600000000\n")
    assert read_log(log, mapping={"account_id": "#1", "timestamp": "#2"}).height == 1


def test_days_and_times_of_day_in_two_columns(tmp_path):
    rows = [(*row[:2], *row[2].split(" "), *row[3:]) for row in POSTS]
    log = written(tmp_path / "log.csv", ["Nr", "Konto", "Tag", "Uhrzeit", "Link", "Text"], rows=rows)
    mapping = offered(log)
    assert mapping["timestamp"] == "Tag+Uhrzeit"
    assert read_log(log, mapping=mapping)["timestamp"].dt.to_string("%F %T").to_list() == [
        r[2] for r in POSTS
    ]


def test_keys_of_nested_records(tmp_path):
    log = tmp_path / "log.ndjson"
    records = [
        {"meta": {"key": i}, "by": {"handle": who, "n": 3}, "at": {"posted": when}, "body": {"text": text},
         "ents": {"links": [{"href": link, "w": 1}, {"href": "https://mill.example/z"}]}}
        for i, who, when, link, text in POSTS
    ]  # fmt: skip
    log.write_text("".join(json.dumps(record) + "\n" for record in records))
    mapping = offered(log)
    assert mapping == {
        "account_id": "by.handle", "timestamp": "at.posted", "content_id": "meta.key",
        "urls": "ents.links[].href", "text": "body.text",
    }  # fmt: skip
    posts = read_log(log, mapping=mapping)
    assert posts["urls"].to_list() == [[row[3], "https://mill.example/z"] for row in POSTS]


USERS = ["7000001", "7000002", "7000001", "7000003", "7000002", "7000001"]
TIMES = [f"2024-03-05 10:00:{k:02}" for k in (1, 5, 9, 20, 33, 48)]
MADE = {"7000001": "2012-01-01 00:00:00", "7000002": "2015-06-01 00:00:00", "7000003": "2019-02-03 00:00:00"}


@pytest.mark.parametrize(
    ("columns", "account", "time"),
    [
        (
            {"in_reply_to_user_id": [None, "7000001"] * 3, "author_id": USERS, "created_at": TIMES},
            "author_id", "created_at",
        ),
        (
            {"user_followers_count": [10, 20, 10, 30, 20, 10], "user_created_at": [MADE[u] for u in USERS],
             "user_name": [f"u {u}" for u in USERS], "user_id": USERS, "created_at": TIMES},
            "user_id", "created_at",
        ),
        ({"quotedUserId": USERS[::-1], "likes": [1, 2] * 3, "account": USERS, "time": TIMES}, "account", "time"),
        ({"in_reply_to_user_id": USERS, "x": [1, 2, 1, 2, 1, 2]}, "COLUMN", "COLUMN"),
        ({"ids of posts": [f"12{k}" for k in range(6)], "who": USERS, "created": TIMES}, "who", "created"),
        ({"kind": ["retweet", "quote"] * 3, "lang": ["de", "en"] * 3, "k": USERS, "t": TIMES}, "k", "t"),
        # Snowflake ids have as many digits as times in billionths of a second.
        ({"a": [f"17649217{k}5678901234" for k in range(6)], "b": USERS, "c": TIMES}, "b", "c"),
    ],
)  # fmt: skip
def test_nobody_else_is_taken_for_the_account_nor_its_time(columns, account, time):
    mapping = offered(pl.DataFrame(columns))
    assert (mapping["account_id"], mapping["timestamp"]) == (account, time)


def test_a_profile_is_offered_with_the_account():
    mapping = offered(
        pl.DataFrame(
            {"k": USERS, "name": [f"User {u}" for u in USERS], "born": [MADE[u] for u in USERS], "t": TIMES}
        )
    )
    assert mapping == {
        "account_id": "k",
        "timestamp": "t",
        "account_name": "name",
        "account_created_at": "born",
    }


def test_a_parent_is_a_post_of_the_log():
    posts = [f"m{k}x" for k in range(6)]
    log = pl.DataFrame({"p": posts, "k": USERS, "t": TIMES, "up": [None, "m0x", None, "m0x", None, None]})
    assert offered(log)["parent_content_id"] == "up"
    assert offered(log.rename({"up": "retweeted_id"}))["reshare_of"] == "retweeted_id"


def test_the_posts_own_address_is_no_link_that_it_shares():
    own = [f"https://x.com/u{u}/status/1{k}" for k, u in enumerate(USERS)]
    links = ["https://mill.example/a", None] * 3
    assert offered(pl.DataFrame({"k": USERS, "t": TIMES, "address": own, "shared": links}))["url"] == "shared"
    assert "url" not in offered(pl.DataFrame({"k": USERS, "t": TIMES, "address": own}))


def test_what_the_user_said_stands_and_the_rest_is_offered(tmp_path, capsys):
    log = written(tmp_path / "log.csv", ["c1", "c2", "c3", "c4", "c5"])
    assert offered(log, mapping={"account_id": "c4"})["account_id"] == "c4"
    assert run(["build", str(log), "-o", str(tmp_path / "study"), "--map", "account_id=c2"]) == 1
    *_, last = capsys.readouterr().err.splitlines()
    assert last.count("account_id=c2") == 1
    assert run(shlex.split(last)[1:]) == 0


def test_where_nothing_is_like_a_time_the_user_is_asked_for_its_name_alone():
    with pytest.raises(UnknownColumnsError) as error:
        read_log(pl.DataFrame({"k": USERS, "n": ["soon", "later"] * 3}))
    assert "No column looks like timestamp (when): write its name for COLUMN." in str(error.value)
    assert error.value.mapping["timestamp"] == "COLUMN"


def test_files_with_the_same_columns_are_told_once(tmp_path):
    header = ["c1", "c2", "c3", "c4", "c5"]
    logs = [written(tmp_path / f"{k}.csv", header) for k in range(3)]
    with pytest.raises(
        UnknownColumnsError, match=r"0\.csv: no known(?s:.*)2 more files have the same columns"
    ):
        read_logs(logs)
    logs.append(written(tmp_path / "other.csv", ["x"], rows=[("y",)]))
    with pytest.raises(UnknownColumnsError, match=r"Build other files by themselves: .*other\.csv"):
        read_logs(logs)


def test_nothing_hostile_reaches_the_terminal(tmp_path, capsys):
    rows = [(*row[:4], f"\x1b[31m{row[4]}\u202e") for row in POSTS]
    log = written(tmp_path / "log.csv", ["c1", "c2\x1b[2J", "c3", "c4", "c5"], rows=rows)
    assert run(["build", str(log), "-o", str(tmp_path / "study")]) == 1
    err = capsys.readouterr().err
    assert "\x1b" not in err
    assert "\u202e" not in err


def test_a_table_of_nothing_has_nothing_to_offer(tmp_path):
    (tmp_path / "log.csv").write_text("who,what\n")
    with pytest.raises(InputError, match="no known format has these columns"):
        read_log(tmp_path / "log.csv")


def renamed(name: str, header: str) -> pl.DataFrame:
    frame = pl.read_parquet(SHARED / f"{name}.parquet")
    return frame.rename(dict(zip(frame.columns, header.split(), strict=True)))


@pytest.mark.skipif(not SHARED.exists(), reason="the research data beside the repository are not here")
@pytest.mark.parametrize(
    ("name", "header", "meant"),
    [
        ("german_urls", "a b c d", {"account_id": "b", "timestamp": "d", "content_id": "c", "object_id": "a"}),
        ("german_images", "a b c d", {"account_id": "b", "timestamp": "d", "content_id": "c", "object_id": "a"}),
        (
            "german_hashtags", "tag Konto Beitrag Zeit",
            {"account_id": "Konto", "timestamp": "Zeit", "content_id": "Beitrag", "object_id": "tag"},
        ),
        ("ira_link_shares", "a b c d e f", {"account_id": "a", "timestamp": "b", "url": "f"}),
    ],
)  # fmt: skip
def test_real_logs_with_other_names(name, header, meant):
    log = renamed(name, header).head(30_000)
    assert offered(log) == meant
    assert read_log(log, mapping=meant).height == log.height


@pytest.mark.parametrize(
    ("name", "account", "time", "post"),
    [
        ("4cat-x", "author_id", "timestamp", "id"),
        ("dmi-tcat", "from_user_id", "time", "id"),
        ("meta-content-library", "post_owner.id", "creation_time", "id"),
        ("rtweet", "user_id", "created_at", "status_id"),
        ("tiktok-research", "username", "create_time", "id"),
        ("x-archive", "userid", "tweet_time", "tweetid"),
    ],
)
def test_exports_whose_columns_are_called_a_little_otherwise(name, account, time, post):
    table = pl.read_csv(Path(__file__).parent / "fixtures" / "ten" / f"{name}.csv", infer_schema=False)
    mapping = offered(table.rename({name: f"export.{name}" for name in table.columns}))
    told = (mapping["account_id"], mapping["timestamp"], mapping["content_id"])
    assert told == tuple(f"export.{column}" for column in (account, time, post))
