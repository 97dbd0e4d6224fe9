from __future__ import annotations

import gzip
import random
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import made_ids as reference
from same_tables import same

from propgraph.jobs.build import build
from propgraph.jobs.clusters import find_clusters
from propgraph.readers.posts import made_ids
from propgraph.readers.posts.made_ids import row_hashes, with_made_ids
from propgraph.schema import TIME

SCHEMA = {
    "account_id": pl.String, "timestamp": TIME, "followers": pl.Int64, "urls": pl.List(pl.String), "text": pl.String,
}  # fmt: skip
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
rows = st.fixed_dictionaries(
    {
        "account_id": st.sampled_from(["a", "b", "seventeen letters"]),
        "timestamp": st.integers(-(2**40), 2**40),
        "followers": st.none() | st.integers(-(2**63), 2**63 - 1),
        "urls": st.none() | st.lists(words.filter(bool), max_size=3),
        "text": st.none() | words,
    }
)


def frame_of(drawn):
    table = pl.DataFrame(drawn, schema=SCHEMA | {"timestamp": pl.Int64})
    return table.with_columns(pl.col("timestamp").cast(TIME))


@settings(deadline=None, max_examples=200)
@given(st.lists(rows, max_size=9), st.sampled_from([1, 4, 1 << 19]))
def test_ids_are_those_of_the_twin(drawn, at_a_time):
    kept = made_ids._ROWS
    try:
        made_ids._ROWS = at_a_time
        found, n_again = with_made_ids(frame_of(drawn))
    finally:
        made_ids._ROWS = kept
    expected = reference.made_ids(drawn)
    assert found["content_id"].to_list() == expected
    assert n_again == sum("-" in made for made in expected)


def test_what_is_not_said_counts_for_nothing():
    plain = pl.DataFrame({"account_id": ["a", "b"], "text": ["x", "y"]})
    more = plain.select(
        "text", "account_id", pl.lit(None, pl.String).alias("language"), pl.lit("").alias("object_id"),
        pl.lit([], pl.List(pl.String)).alias("urls"), pl.lit(None, pl.Int64).alias("followers"),
    )  # fmt: skip
    assert row_hashes(more).tolist() == row_hashes(plain).tolist()
    assert (
        len(
            set(row_hashes(plain.with_columns(urls=pl.lit(["x"]))).tolist()) & set(row_hashes(plain).tolist())
        )
        == 0
    )


def test_the_same_in_another_column_is_something_else():
    one, other = pl.DataFrame({"a": ["x"], "b": ["y"]}), pl.DataFrame({"a": ["y"], "b": ["x"]})
    assert row_hashes(one)[0] != row_hashes(other)[0]
    lists = pl.DataFrame({"urls": [["ab", "c"], ["a", "bc"], ["c", "ab"], ["ab"]]})
    assert len(set(row_hashes(lists).tolist())) == 4


def test_ids_that_are_there_stay():
    posts = pl.DataFrame({"content_id": ["p1", None, None], "account_id": ["a", "a", "a"]})
    made, n_again = with_made_ids(posts)
    key = reference.row_hash({"account_id": "a"})
    assert made["content_id"].to_list() == ["p1", f"post:{key}", f"post:{key}-1"]
    assert n_again == 1
    again, n_again = with_made_ids(made)
    assert (again.equals(made), n_again) == (True, 0)
    assert posts["content_id"].null_count() == 2


# --- one log, however it is cut, packed and shuffled ------------------------------------------------------


@pytest.fixture(scope="module")
def log():
    """Thirty accounts of one team who share each story within a minute, and repeat themselves word for word."""
    draw = random.Random(1)
    start = int(datetime(2024, 3, 5, 10, tzinfo=UTC).timestamp())
    said = []
    for story in range(40):
        for account in draw.sample(range(60), 20):
            row = {
                "account_id": f"account {account}",
                "timestamp": start
                + story * 7200
                + (draw.randrange(50) if account < 30 else draw.randrange(7000)),
                "url": f"https://site{story % 3}.example/{story}",
                "text": draw.choice([None, f"Story number {story}, read it all"]),
                "account_name": f"Name {account}",
                "followers": draw.choice([None, account * 10]),
            }
            said += [row] * draw.choice([1, 1, 1, 2, 3])
    return pl.DataFrame(said)


def written(folder, parts, form):
    folder.mkdir()
    for k, part in enumerate(parts):
        path = folder / f"{k}.{form}"
        if form == "parquet":
            part.write_parquet(path)
        elif form == "ndjson":
            part.write_ndjson(path)
        elif form == "csv":
            part.write_csv(path)
        else:
            path.write_bytes(gzip.compress(part.write_csv().encode()))
    return folder


def test_a_log_without_ids_gives_the_same_tables_however_it_comes(log, tmp_path):
    shuffled = log.sample(fraction=1, shuffle=True, seed=2)
    forms = {
        "whole": ([log], "csv"),
        "shuffled": ([shuffled], "csv"),
        "packed": ([log], "csv.gz"),
        "typed": ([log], "parquet"),
        "json": ([log.sample(fraction=1, shuffle=True, seed=3)], "ndjson"),
        "two": ([log[:333], log[333:]], "csv"),
        "by turns": ([shuffled[::3], shuffled[1::3], shuffled[2::3]], "csv.gz"),
        "by followers": (
            [log.filter(pl.col("followers").is_null()), log.filter(pl.col("followers") >= 0)],
            "parquet",
        ),
    }
    tables = {}
    for name, (parts, form) in forms.items():
        study = tmp_path / f"study {name}"
        found = find_clusters(build([written(tmp_path / name, parts, form)], study).path)
        assert found.run["build"]["counts"]["posts"] == log.height > log.n_unique()
        tables[name] = found
    assert found.clusters["flagged"].any()
    names = [file.stem for file in sorted(found.path.glob("*.parquet"))]
    for form, other in tables.items():
        assert [name for name in names if not same(other, tables["whole"], name)] == [], form
