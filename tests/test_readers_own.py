"""Where each post stands in what was read, and columns of the user's own that are kept."""

from __future__ import annotations

import gzip
import json
import random
import zipfile

import polars as pl
import pytest

from propgraph.errors import UsageError
from propgraph.jobs.build import build
from propgraph.readers.read import read_log
from propgraph.report.explain.explain import explain

HEADER = "id,who,when,link,campaign,note\n"
MAP = {"content_id": "id", "account_id": "who", "timestamp": "when", "url": "link"}


def rows(n, *, first=0):
    """Return lines of a log, no two alike, in another order than their times."""
    made = [
        f"p{k},a{k % 7},2024-03-05 10:{k // 60:02}:{k % 60:02},https://s.example/{k % 5},c{k % 3},"
        + ("" if k % 4 else f'"two\nlines {k}"')
        for k in range(first, first + n)
    ]
    random.Random(3).shuffle(made)
    return made


def as_told(text):
    """Return the record of a CSV in which each id stands, the header's number being 1: counted by hand, not by us."""
    records, inside, number = {}, False, 1
    start = True
    for line in text.splitlines():
        if start and not inside:
            records[line.split(",")[0]] = number
            number += 1
        inside ^= line.count('"') % 2 == 1
        start = not inside
    return records


def test_each_post_keeps_its_file_and_line(tmp_path):
    one, two, packed, inside = rows(90), rows(60, first=90), rows(50, first=150), rows(40, first=200)
    texts = {name: HEADER + "\n".join(of) + "\n" for name, of in (
        ("b.csv", one), ("a.csv", two), ("c.csv.gz", packed), ("d.csv", inside))}  # fmt: skip
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(texts[name])
    (tmp_path / "c.csv.gz").write_bytes(gzip.compress(texts["c.csv.gz"].encode()))
    with zipfile.ZipFile(tmp_path / "logs.zip", "w") as archive:
        archive.writestr("deep/d.csv", texts["d.csv"])
    files = [tmp_path / name for name in ("b.csv", "a.csv", "c.csv.gz", "logs.zip")]
    posts = read_log(*files, mapping=MAP)
    assert posts.height == 240
    for name, text in texts.items():
        of = posts.filter(pl.col("source").str.ends_with(name))
        expected = {id: line for id, line in as_told(text).items() if id != "id"}
        assert dict(of.select("content_id", "line").iter_rows()) == expected, name
    assert posts["timestamp"].is_sorted()
    assert posts["source"].n_unique() == 4


def test_repeats_and_rejected_rows_move_no_line(tmp_path):
    path = tmp_path / "log.ndjson"
    of = [{"content_id": f"p{k}", "account_id": "a", "timestamp": f"2024-03-05 10:{59 - k:02}:00", "url": "https://s.example/1"}
          for k in range(50)]  # fmt: skip
    lines = [json.dumps(row) for row in of]
    lines[7:7] = ["no json", "", lines[3]]  # p3 again
    lines.append(json.dumps({**of[5], "timestamp": "never"}))
    path.write_text("\n".join(lines) + "\n")
    posts = read_log(path)
    assert posts.height == 50
    where = {
        json.loads(line)["content_id"]: n
        for n, line in reversed(list(enumerate(lines, 1)))
        if line.startswith("{")
    }
    assert dict(posts.select("content_id", "line").iter_rows()) == where


def test_a_frame_counts_its_rows():
    frame = pl.DataFrame(
        {"account_id": ["b", "a"], "timestamp": ["2024-03-05 11:00:00", "2024-03-05 10:00:00"]}
    )
    assert read_log(frame).select("account_id", "source", "line").rows() == [
        ("a", "frame", 2),
        ("b", "frame", 1),
    ]


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    path = tmp_path_factory.mktemp("own") / "log.csv"
    path.write_text(HEADER + "\n".join(rows(120)) + "\n")
    return path


def test_columns_are_kept_where_asked(log, tmp_path):
    study = build([log], tmp_path / "one", mapping=MAP, keep="campaign")
    own = study.own_columns
    assert own["column"].unique().to_list() == ["campaign"]
    assert dict(own.select("content_id", "value").iter_rows()) == {f"p{k}": f"c{k % 3}" for k in range(120)}
    assert study.run["build"]["parameters"]["keep"] == ["campaign"]
    both = build([log], tmp_path / "all", mapping=MAP, keep=["all"]).own_columns
    assert both.group_by("column").len().sort("column").rows() == [("campaign", 120), ("note", 30)]
    assert both.filter(column="note", content_id="p4")["value"].to_list() == ["two\nlines 4"]
    nothing = build([log], tmp_path / "none", mapping=MAP)
    assert nothing.own_columns.is_empty()
    # They are beside the posts: nothing else is another for them.
    for name in ("posts", "shares", "edges", "cascades"):
        assert nothing.file(name).read_bytes() == study.file(name).read_bytes()
    shown = next(part for part in explain(study, "p7").parts if "besides" in part.heading)
    assert shown.table.rows() == [("campaign", "c1")]


def test_ids_made_of_a_row_do_not_hang_on_what_is_kept(log, tmp_path):
    mapping = {name: column for name, column in MAP.items() if name != "content_id"}
    plain = build([log], tmp_path / "one", mapping=mapping)
    kept = build([log], tmp_path / "two", mapping=mapping, keep=["note"])
    assert kept.posts["content_id"].to_list() == plain.posts["content_id"].to_list()
    assert kept.own_columns.height == 30


def test_with_pseudonyms_only_what_is_named_is_kept(log, tmp_path):
    key = tmp_path / "key"
    key.write_bytes(b"k" * 32)
    build_ = {"mapping": MAP, "pseudonymise": True, "key": key}
    assert build([log], tmp_path / "one", keep="all", **build_).own_columns.is_empty()
    study = build([log], tmp_path / "two", keep=["all", "campaign"], **build_)
    assert study.own_columns["column"].unique().to_list() == ["campaign"]
    joined = study.own_columns.join(study.posts, on="content_id")
    plain = {line: int(id[1:]) for id, line in as_told(log.read_text()).items() if id != "id"}
    assert all(value == f"c{plain[line] % 3}" for value, line in joined.select("value", "line").iter_rows())
    assert joined.height == 120
    assert log.name not in str(study.posts["source"].unique().to_list())


def test_a_column_that_is_not_there_is_told(log, tmp_path):
    with pytest.raises(UsageError, match=r"no log has a column 'campain' to keep.*campaign"):
        build([log], tmp_path / "study", mapping=MAP, keep=["campain"])


def test_keys_of_nested_records_are_kept(tmp_path):
    log = tmp_path / "tweets.ndjson"
    log.write_text("".join(
        json.dumps({
            "id": str(k), "author_id": str(k % 3), "created_at": f"2024-03-05T10:00:0{k}.000Z", "text": f"t {k}",
            "public_metrics": {"like_count": k * 10}, "labels": [{"of": "x"}, {"of": k}],
        }) + "\n"
        for k in range(8)
    ))  # fmt: skip
    study = build([log], tmp_path / "study", keep=["public_metrics.like_count", "labels[].of"])
    values = {(id, column): value for id, column, value in study.own_columns.iter_rows()}
    assert values["3", "public_metrics.like_count"] == "30"
    assert values["3", "labels[].of"] == '["x", 3]'
    told = build([log], tmp_path / "all", keep="all").run["build"]["notes"]
    assert any("takes columns of tables" in note for note in told)


def test_typed_columns_become_text(tmp_path):
    frame = pl.DataFrame({
        "account_id": ["a", "b"], "timestamp": ["2024-03-05 10:00:00"] * 2, "likes": [12.0, None],
        "tags": [["x", "y"], []], "yes": [True, False],
    })  # fmt: skip
    own = build(frame, tmp_path / "study", keep="all").own_columns
    told = {tuple(sorted(of.select("column", "value").rows())) for _, of in own.group_by("content_id")}
    assert told == {
        (("likes", "12"), ("tags", '["x","y"]'), ("yes", "true")), (("tags", "[]"), ("yes", "false")),
    }  # fmt: skip
