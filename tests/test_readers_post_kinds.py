"""What a parent makes of a row where no column says what sort of post it is."""

from __future__ import annotations

import polars as pl
import pytest

from propgraph.readers.read import read_logs
from propgraph.readers.values.post_kinds import said_by

BASE = {"content_id": "id", "account_id": "who", "timestamp": "when"}


def kinds_in(tmp_path, rows, /, **mapping):
    path = tmp_path / "log.csv"
    path.write_text(rows)
    log = read_logs([path], mapping=BASE | mapping)
    assert log.n_rows == rows.count("\n") - 1
    there = [name for name in ("kind", "parent_content_id") if name in log.posts.columns]
    return {row[0]: row[1:] for row in log.posts.select("content_id", *there).iter_rows()}, log


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("retweeted_id", "reshare"), ("retweetOf", "reshare"), ("RT of", "reshare"), ("fwd_from.id", "reshare"),
        ("reblog_of_id", "reshare"), ("crosspost_parent", None), ("in_reply_to_status_id", "reply"),
        ("replies_to", "reply"), ("comment_on", "reply"), ("quoted_status_id", "quote"), ("parent", None),
        ("article", None), ("start", None),
    ],
)  # fmt: skip
def test_what_a_columns_name_says(column, kind):
    assert said_by(column) == kind


def test_a_parent_is_of_the_kind_that_its_columns_name_says(tmp_path):
    text = "id,who,when,{},text\n1,a,1600000000,,x\n2,b,1600000001,1,words of my own\n3,c,1600000002,3,self\n"
    for column, kind in (("retweeted_id", "reshare"), ("in_reply_to", "reply"), ("quoted", "quote")):
        found, log = kinds_in(tmp_path, text.format(column), parent_content_id=column, text="text")
        assert found == {"1": ("original", None), "2": (kind, "1"), "3": ("original", "3")}
        assert log.notes == [
            f"{tmp_path / 'log.csv'}: kind: no column says it; of the rows with something in {column} are taken 1 as "
            f"{kind}; say otherwise with --map kind=COLUMN, reshare_of=, quote_of= or reply_of= "
            "(in Python: mapping=)"
        ]
        assert log.sources[0]["columns"]["kind"] == {"column": column, "rows": 1, "implied": kind}


def test_of_a_name_that_says_nothing_the_text_decides(tmp_path):
    rows = [
        "1,a,1600000000,,They shut the water off",
        "2,b,1600000001,1,",  # no text: a reshare
        "3,c,1600000002,1, They shut the water off ",  # what its parent says
        "4,d,1600000003,1,RT @a: They shut the wa",
        "5,e,1600000004,1,Is this true?",
        "6,f,1600000005,77,They shut the water off",  # a parent that is not in the log
    ]
    text = "\n".join(["id,who,when,parent,text", *rows]) + "\n"
    found, log = kinds_in(tmp_path, text, parent_content_id="parent", text="text")
    kinds = {number: kind for number, (kind, _) in found.items()}
    assert kinds == {
        "1": "original",
        "2": "reshare",
        "3": "reshare",
        "4": "reshare",
        "5": "reply",
        "6": "reply",
    }
    assert log.notes == [
        f"{tmp_path / 'log.csv'}: kind: no column says it; of the rows with something in parent are taken 2 as "
        "reshare, 3 as a reshare or a reply, by their texts; say otherwise with --map kind=COLUMN, reshare_of=, "
        "quote_of= or reply_of= (in Python: mapping=)",
        "kind: 1 rows with a parent that say what it says are reshares, 2 with another text replies",
    ]
    found, _ = kinds_in(tmp_path, text, parent_content_id="parent")
    assert {number for number, (kind, _) in found.items() if kind == "reshare"} == set("23456")


def test_columns_that_say_what_they_make(tmp_path):
    text = (
        "id,who,when,rt,qt,re,word\n1,a,1600000000,,,,\n2,b,1600000001,1,,,\n3,c,1600000002,,1,2,\n"
        "4,d,1600000003,,,3,quote\n"
    )
    of = {"reshare_of": "rt", "quote_of": "qt", "reply_of": "re"}
    found, log = kinds_in(tmp_path, text, **of)
    assert found == {"1": ("original", None), "2": ("reshare", "1"), "3": ("quote", "1"), "4": ("reply", "3")}
    assert log.notes == []
    found, _ = kinds_in(tmp_path, text, **of, kind="word")  # the log's own word stands
    assert found["4"] == ("quote", "3")


def test_an_author_reshared_makes_a_reshare_where_the_columns_name_says_so(tmp_path):
    text = "id,who,when,retweeted_user,object\n1,a,1600000000,,x\n2,b,1600000001,a,x\n"
    found, log = kinds_in(tmp_path, text, origin_account_id="retweeted_user", object_id="object")
    assert found == {"1": ("original", None), "2": ("reshare", "1")}
    assert "something in retweeted_user are taken 1 as reshare" in log.notes[0]
    found, log = kinds_in(
        tmp_path, text.replace("retweeted_user", "whom"), origin_account_id="whom", object_id="object"
    )
    assert found == {"1": (), "2": ()}
    assert log.notes == []


def test_kinds_that_the_log_gives_are_left_alone(tmp_path):
    text = (
        "id,who,when,retweeted_id,kind\n1,a,1600000000,,tweet\n2,b,1600000001,1,quote\n3,c,1600000002,1,odd\n"
    )
    found, _ = kinds_in(tmp_path, text, parent_content_id="retweeted_id", kind="kind")
    assert found == {"1": ("original", None), "2": ("quote", "1"), "3": (None, "1")}


def test_a_csv_and_a_parquet_of_one_log_give_the_same(tmp_path):
    table = pl.DataFrame(
        {
            "content_id": ["1", "2", "3"], "account_id": ["a", "b", "c"], "timestamp": [1_600_000_000] * 3,
            "parent_content_id": [None, "1", "1"], "text": ["x y", "x y", "z"],
        }
    )  # fmt: skip
    table.write_csv(tmp_path / "l.csv")
    table.write_parquet(tmp_path / "l.parquet")
    one, other = (read_logs([tmp_path / f"l.{suffix}"]).posts for suffix in ("csv", "parquet"))
    assert one["kind"].to_list() == other["kind"].to_list() == ["original", "reshare", "reply"]


CUT = [
    # Nothing in the first half says anything of parents; kinds; which column names the parent.
    (
        {"parent_content_id": [None, None, None, "p0", None, "p1"]},
        ["original"] * 3 + ["reshare", "original", "reshare"],
    ),
    (
        {"parent_content_id": [None, "p0", None, "p0", None, "p1"], "kind": [None] * 3 + ["reply", None, "reply"]},
        [None, None, None, "reply", None, "reply"],
    ),
    ({"reply_of": [None, None, None, "p0", None, "p1"]}, ["original"] * 3 + ["reply", "original", "reply"]),
    (
        {"parent_content_id": [None, "p0", "p1", None, None, None], "reply_of": [None] * 5 + ["p0"]},
        ["original"] * 5 + ["reply"],
    ),
    ({"parent_content_id": [None] * 6}, None),
]  # fmt: skip


@pytest.mark.parametrize(("columns", "kinds"), CUT)
@pytest.mark.parametrize("size", [6, 3, 2, 1])
def test_what_a_parent_implies_does_not_hang_on_how_the_log_is_cut_into_files(tmp_path, columns, kinds, size):
    base = {"content_id": [f"p{k}" for k in range(6)], "account_id": list("abcdef")}
    log = pl.DataFrame(base | columns).with_columns(timestamp=1_600_000_000 + pl.int_range(6))
    for k in range(0, 6, size):
        log[k : k + size].write_csv(tmp_path / f"part{k}.csv")
    posts = read_logs([tmp_path]).posts.sort("content_id")
    assert (posts["kind"].to_list() if "kind" in posts.columns else None) == kinds


def test_files_of_other_columns_imply_nothing_for_each_other(tmp_path):
    names = "content_id,account_id,timestamp"
    (tmp_path / "a.csv").write_text(f"{names},parent_content_id\n1,a,1600000000,\n2,b,1600000001,1\n")
    (tmp_path / "b.csv").write_text(f"{names},kind\n3,a,1600000000,\n4,b,1600000001,reply\n")
    log = read_logs([tmp_path])
    assert dict(log.posts.select("content_id", "kind").iter_rows()) == {
        "1": "original", "2": "reshare", "3": None, "4": "reply",
    }  # fmt: skip
