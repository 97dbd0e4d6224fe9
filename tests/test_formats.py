"""Every format tells the same ten posts, and the same edges come out."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from ten_posts import DAY, EDGES, POSTS

from propgraph.jobs.build import build
from propgraph.jobs.clusters import find_clusters
from propgraph.readers.base import REQUIRED
from propgraph.readers.read import read_logs
from propgraph.readers.registry import READERS
from propgraph.readers.values.post_kinds import PARENT_OF

TEN = Path(__file__).parent / "fixtures" / "ten"
# NAME.csv, or NAME-in-words.csv for another layout of the same reader; a folder where one file is not enough.
FILES = sorted(TEN.iterdir())


def reader_of(file: Path) -> str:
    return max((name for name in READERS if file.name.startswith(name)), key=len)


@pytest.fixture(scope="module", params=FILES, ids=lambda file: file.name)
def file(request):
    return request.param


def test_each_reader_has_a_fixture():
    assert {reader_of(file) for file in FILES} == set(READERS)


def test_the_reader_is_found_by_the_content(file):
    log = read_logs([file])
    assert {source["reader"] for source in log.sources} == {reader_of(file)}
    assert log.rejected["reason"].to_list() == []
    assert log.posts["content_id"].n_unique() == len(POSTS)


def test_times_are_those_of_the_ten_posts(file):
    posts = read_logs([file]).posts.unique("content_id", maintain_order=True)
    clocks = [timedelta(hours=int(clock[:2]), minutes=int(clock[3:])) for _, clock, *_ in POSTS]
    assert posts["timestamp"].dt.truncate("1m").to_list() == [DAY + clock for clock in clocks]


def test_a_log_of_each_format_goes_through_build_and_clusters(file, tmp_path):
    study = find_clusters(build([file], tmp_path / "study").path)
    edges = study.edges
    trace = "url" if "url" in edges["trace"] else "object"
    numbered = dict(zip(in_order_of_appearance(study), "abcd", strict=True))
    found = [
        (*sorted((numbered[row["source"]], numbered[row["target"]])), row["n_objects"])
        for row in edges.filter(trace=trace).iter_rows(named=True)
    ]
    assert sorted(found) == sorted(EDGES)


def in_order_of_appearance(study) -> list[str]:
    """Accounts a to d: a posts at 10:00; b and c at 10:01, but b first at 11:00; then d."""
    posts = study.posts
    counts = posts.unique("content_id").group_by("account_id").agg(
        n=pl.len(), first=pl.col("timestamp").min(), last=pl.col("timestamp").max()
    )  # fmt: skip
    return counts.sort("first", "last", descending=[False, True])["account_id"].to_list()


@pytest.mark.parametrize("name", sorted(READERS))
def test_a_reader_fills_the_fields_that_it_names_and_no_others(name):
    filled: set[str] = set()
    for file in FILES:
        if reader_of(file) == name:
            log = read_logs([file])
            names = set(log.posts.columns) | {
                {"name": "account_name", "created_at": "account_created_at"}.get(column, column)
                for column in log.profiles.columns
            }
            filled |= names
    fields = {"urls" if field == "url" else field for field in READERS[name].fields}
    made = {
        "origin_account_id",
        "parent_timestamp",
        "parent_content_id",
        "content_id",
        "time_resolution_s",
        "source",
        "line",
    }  # by what the others say
    assert set(REQUIRED) <= fields
    assert fields - {"origin_account_name", *PARENT_OF} - filled == set()
    assert filled - fields - made == set()


def test_logs_of_several_platforms_meet_in_one_study(tmp_path):
    files = [file for file in FILES if reader_of(file) in ("x-api-v1", "reddit", "mastodon")]
    assert len({reader_of(file) for file in files}) == 3
    study = build(files, tmp_path / "study")
    assert study.posts["content_id"].n_unique() == 3 * len(POSTS)
    platforms = study.posts["platform"].unique().sort().to_list()
    assert platforms == ["mastodon", "reddit", "x"]
    for column in ("account_id", "content_id", "parent_content_id", "origin_account_id", "target_id"):
        kept = study.posts.filter(pl.col(column).is_not_null() & ~pl.col(column).str.starts_with("of:"))
        assert kept[column].str.split(":").list.first().to_list() == kept["platform"].to_list()
    # The same link is one object wherever it is shared: who is together on one platform meets the others.
    water = study.objects.filter(trace="url").sort("n_accounts", descending=True).row(0, named=True)
    assert water["n_accounts"] >= 9
    ends = study.edges.filter(trace="url").select(
        pl.col("source").str.split(":").list.first(), target=pl.col("target").str.split(":").list.first()
    )
    assert set(ends.iter_rows()) >= {("mastodon", "reddit"), ("mastodon", "x"), ("reddit", "x")}


def test_one_platform_keeps_its_ids_as_they_are(tmp_path):
    files = [file for file in FILES if file.name.startswith(("x-api-v2", "x-api-v1"))]
    posts = read_logs(files[:1]).posts
    assert not posts["account_id"].cast(pl.String).str.contains(":").any()
