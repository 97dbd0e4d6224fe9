"""Words that stand for a missing value: in which columns of which files they count."""

from __future__ import annotations

import json

import polars as pl
import pytest

from propgraph.readers.layouts import tabular
from propgraph.readers.read import read_logs
from propgraph.readers.registry import READERS

TIME = 1_600_000_000
WRITTEN = [
    "NA", "N/A", "nan", "NaN", "None", "NULL", "null", "<NA>", r"\N", "-", "#N/A", "n/a", "NaT", "none", " NA", "NA ",
    "(null)", "undefined",
]  # fmt: skip
GONE = ["[deleted]", "[removed]"]


def table(cells, name, **more):
    rows = {
        "content_id": [f"p{n:02d}" for n in range(len(cells))], "account_id": [f"u{n:02d}" for n in range(len(cells))],
        "timestamp": [TIME] * len(cells), name: cells,
    }  # fmt: skip
    return pl.DataFrame(rows | more)


def read(tmp_path, frame, suffix="csv", **options):
    path = tmp_path / f"log.{suffix}"
    getattr(frame, {"csv": "write_csv", "parquet": "write_parquet", "ndjson": "write_ndjson"}[suffix])(path)
    log = read_logs([path], **options)
    assert log.n_rows == frame.height
    return log, [note.removeprefix(f"{path}: ") for note in log.notes]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("word", WRITTEN + GONE)
def test_nobody_is_called_so_in_a_table(tmp_path, word, suffix):
    log, notes = read(tmp_path, table([word, "ana", word], "account_id"), suffix)
    assert log.posts["account_id"].cast(pl.String).to_list() == ["ana"]
    assert log.rejected["reason"].to_list() == [f"account_id: {word.strip()} stands for a missing value"] * 2
    assert notes == [f"account_id: 2 rows say {word.strip()!r}: taken as missing"]


@pytest.mark.parametrize("name", ["content_id", "parent_content_id", "origin_account_id", "target_id", "object_id",
                                  "account_name", "language", "platform", "followers", "account_created_at", "urls",
                                  "url", "images", "sponsor"])  # fmt: skip
def test_nothing_is_called_so_either(tmp_path, name):
    cells = {"followers": "12", "account_created_at": "2019-01-01", "url": "https://a.example/x"}.get(
        name, "https://a.example/1"
    )
    frame = table([*WRITTEN, *GONE, cells], name)
    log, notes = read(tmp_path, frame)
    there = log.posts if name not in ("account_name", "account_created_at", "followers") else log.profiles
    column = {"url": "urls", "account_name": "name", "account_created_at": "created_at"}.get(name, name)
    assert there[column].drop_nulls().len() == 1
    (told,) = [note for note in notes if note.startswith(f"{name}: ")]
    assert told.startswith(f"{name}: 3 rows say 'NA', 1 ")  # with a blank before or behind it, too
    assert told.endswith(": taken as missing")


def test_in_json_a_string_is_what_it_says_and_null_is_nothing(tmp_path):
    names = [*WRITTEN, None, "ana"]
    log, notes = read(tmp_path, table(names, "account_id"), "ndjson")
    assert set(log.posts["account_id"].cast(pl.String)) == {name.strip() for name in names if name}
    assert log.rejected["reason"].to_list() == ["account_id: empty"]
    assert notes == []


@pytest.mark.parametrize("suffix", ["csv", "ndjson", "parquet"])
def test_who_is_gone_is_nobody_in_any_file(tmp_path, suffix):
    log, notes = read(tmp_path, table(["[deleted]", "ana", "[deleted]"], "account_id"), suffix)
    assert log.posts["account_id"].cast(pl.String).to_list() == ["ana"]
    assert log.rejected["reason"].to_list() == ["account_id: [deleted] stands for a missing value"] * 2
    assert notes == ["account_id: 2 rows say '[deleted]': taken as missing"]


def test_a_text_keeps_its_words(tmp_path):
    log, notes = read(tmp_path, table([*WRITTEN, *GONE], "text"))
    assert log.posts["text"].to_list() == [*WRITTEN, *GONE]
    assert notes == []


def test_a_text_of_such_a_word_is_no_ground_to_find_an_original(tmp_path):
    rows = {
        "kind": ["original", "reshare"],
        "origin_account_id": [None, "u00"],
        "timestamp": [TIME, TIME + 9],
    }
    for text, parent in (("Look!", "p00"), ("NA", None), ("None", None)):
        log, _ = read(tmp_path, table([text] * 2, "text", **rows))
        parents = (
            log.posts["parent_content_id"].to_list()
            if "parent_content_id" in log.posts.columns
            else [None] * 2
        )
        assert parents == [None, parent]


def test_none_is_still_a_word_for_an_original_and_na_is_none(tmp_path):
    log, notes = read(tmp_path, table(["none", "None", "NA", "-", "rt"], "kind"))
    assert log.posts["kind"].to_list() == ["original", "original", None, None, "reshare"]
    assert notes == ["kind: 1 rows say '-', 1 'NA': taken as missing"]


def test_times(tmp_path):
    frame = table(["NA", "2020-09-13T12:26:40Z", "None"], "timestamp", account_created_at=["NA"] * 3)
    log, notes = read(tmp_path, frame)
    assert log.posts.height == 1
    assert log.sources[0]["time_unit"] == "ISO 8601"
    assert log.rejected["reason"].to_list() == [
        "timestamp: NA is not a time of this file's kind", "timestamp: None is not a time of this file's kind",
    ]  # fmt: skip
    assert notes == ["account_created_at: 3 rows say 'NA': taken as missing"]


# --- hashtags: words that people choose ------------------------------------------------------------------


def tags(tmp_path, cells, **more):
    log, notes = read(tmp_path, table(cells, "hashtags", **more))
    found = log.posts["hashtags"].to_list() if "hashtags" in log.posts.columns else [None] * len(cells)
    return found, notes


def test_a_marked_hashtag_is_real(tmp_path):
    found, notes = tags(tmp_path, ["#na", "#NA #null", "#None", "#water"])
    assert found == [["na"], ["na", "null"], ["none"], ["water"]]
    assert notes == []


def test_where_other_cells_are_empty_a_word_is_a_hashtag_and_it_is_told(tmp_path):
    found, notes = tags(tmp_path, ["null", None, "water|river", "null|water"])
    assert found == [["null"], None, ["water", "river"], ["null", "water"]]
    assert notes == [
        "hashtags: 1 rows say 'null' alone: taken for a word like others, not as missing",
        "hashtags: 1 rows say 'null' beside others: taken for a word like others, not as missing",
        "hashtags: lists joined by '|'",
    ]


def test_where_each_cell_is_filled_or_hashtags_are_marked_it_is_missing(tmp_path):
    found, notes = tags(tmp_path, ["NA", "water", "NA"])
    assert found == [None, ["water"], None]
    assert notes == ["hashtags: 2 rows say 'NA': taken as missing"]
    found, notes = tags(tmp_path, ["None", "#water", None])
    assert found == [None, ["water"], None]


def test_what_other_columns_say_for_missing_is_missing_in_lists_as_well(tmp_path):
    cells = ["NA", None, "water|NA", "nan|water"]
    found, notes = tags(tmp_path, cells, parent_content_id=["NA"] * 4)
    assert found == [None, None, ["water"], ["nan", "water"]]
    assert notes == [
        "hashtags: 2 rows say 'NA': taken as missing",
        "parent_content_id: 4 rows say 'NA': taken as missing",
        "hashtags: 1 rows say 'nan' beside others: taken for a word like others, not as missing",
        "hashtags: lists joined by '|'",
    ]


def test_what_can_be_no_hashtag_is_none(tmp_path):
    found, notes = tags(tmp_path, ["<NA>", "-", r"\N", "N/A", "water;-", None, "water"])
    assert found == [None, None, None, None, ["water"], None, ["water"]]
    assert "taken as missing" in notes[0]


def test_the_whole_column_decides_whatever_the_first_rows_say(tmp_path, monkeypatch):
    monkeypatch.setattr(tabular, "_BLOCK_BYTES", 200)
    cells = ["null"] * 20 + [None] + ["water"] * 20
    for order in (cells, cells[::-1]):
        found, notes = tags(tmp_path, order)
        assert [found.count(tag) for tag in (["null"], None, ["water"])] == [20, 1, 20]
        assert notes == ["hashtags: 20 rows say 'null' alone: taken for a word like others, not as missing"]


def test_links_in_lists(tmp_path):
    cells = ["NA|https://a.example/1", "['nan', 'https://a.example/1']", "NA", "https://a.example/1"]
    log, _ = read(tmp_path, table(cells, "urls"))
    assert log.posts["urls"].to_list() == [["https://a.example/1"]] * 2 + [None, ["https://a.example/1"]]
    lists = table([["NA"], ["None", "https://a.example/1"], [], None], "urls")
    log, _ = read(tmp_path, lists, "parquet")
    assert log.posts["urls"].to_list() == [None, ["https://a.example/1"], [], None]


# --- listed formats --------------------------------------------------------------------------------------

BY_COLUMNS = [reader for reader in READERS.values() if reader.posts is not None]


@pytest.mark.parametrize("reader", BY_COLUMNS, ids=lambda reader: reader.name)
def test_a_reader_says_which_of_its_columns_hold_peoples_own_words(reader):
    """Whatever one of its columns alone brings into a text, hashtags or mentions."""
    names, found = list(reader.reads), set()
    for form in (
        lambda word: f"{word} {word}",
        lambda word: word,
        lambda word: json.dumps([word]),
        lambda word: json.dumps([{"id": 1, "tag": word, "text": word, "username": word, "rawContent": word}]),
        lambda word: json.dumps({"id": 1, "tag": word, "text": word, "username": word, "rawContent": word}),
    ):
        # A row a column, in which nothing else stands, each with a word of its own.
        rows = [
            {name: form(f"zzword{k}zz") if name == own else None for name in names}
            for k, own in enumerate(names)
        ]
        post = reader.canonical(pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String)))
        own = str(
            [post[column].to_list() for column in ("text", "hashtags", "mentions") if column in post.columns]
        )
        found |= {name for k, name in enumerate(names) if f"zzword{k}zz" in own}
    assert found <= set(reader.texts) <= set(reader.reads)


@pytest.mark.parametrize("word", ["NA", "None", "null"])
def test_coortweet_and_qut_files_by_r_and_pandas(tmp_path, word):
    path = tmp_path / "log.csv"
    path.write_text(
        f"object_id,account_id,content_id,timestamp_share\nx,{word},p1,{TIME}\n{word},b,p2,{TIME}\nx,c,p3,{TIME}\n"
    )
    log = read_logs([path])
    assert log.posts.select(pl.col("content_id", "object_id").cast(pl.String)).rows() == [
        ("p2", None),
        ("p3", "x"),
    ]
    assert log.rejected["reason"].to_list() == [f"account_id: {word} stands for a missing value"]
    path.write_text(
        "message_id,user_id,username,repost_id,reply_id,message,timestamp,urls\n"
        f"1,u1,{word},{word},{word},{word},{TIME},{word}\n2,u2,ben,1,{word},RT,{TIME},https://a.example/1\n"
    )
    log = read_logs([path])
    assert log.sources[0]["reader"] == "qut"
    assert log.posts.select("kind", "parent_content_id", "text", "urls").rows() == [
        ("original", None, word, None), ("reshare", "1", "RT", ["https://a.example/1"]),
    ]  # fmt: skip
    assert log.profiles["name"].to_list() == [None, "ben"]
    assert [note.split(": ", 1)[1] for note in log.notes] == [
        f"reply_id: 2 rows say '{word}': taken as missing",
        f"repost_id: 1 rows say '{word}': taken as missing",
        f"urls: 1 rows say '{word}': taken as missing",
        f"username: 1 rows say '{word}': taken as missing",
    ]
