"""Small files after the habits of real exports: what their values mean, worked out by hand."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from propgraph.jobs.build import build

CASES = Path(__file__).parent / "fixtures" / "cases"


def study_of(tmp_path, name, **options):
    study = build([CASES / name], tmp_path / "study", **options)
    counts = study.run["build"]["counts"]
    assert counts["rows"] == counts["posts"] + counts["rejected"]
    return study


def shared(study, trace):
    """Return who shared what."""
    shares = study.scan("shares").filter(pl.col("trace") == trace).collect()
    grouped = shares.group_by("object_id").agg(pl.col("account_id").unique().sort())
    return {object_id: set(accounts) for object_id, accounts in grouped.iter_rows()}


def edges(study, trace):
    table = study.scan("edges").filter(pl.col("trace") == trace).collect()
    return table.select("source", "target", "weight").sort("source", "target").rows()


def test_rows_without_an_author_are_rejected(tmp_path):
    study = study_of(tmp_path, "na_account.csv")
    assert study.run["build"]["counts"]["posts"] == 24
    assert study.run["build"]["rejected_by_reason"] == {"account_id: NA stands for a missing value": 12}
    assert study.scan("accounts").collect()["account_id"].to_list() == ["u1", "u2"]
    assert any(
        "account_id: 12 rows say 'NA': taken as missing" in note for note in study.run["build"]["notes"]
    )


def test_r_writes_na_for_what_was_not_reposted(tmp_path):
    study = study_of(tmp_path, "na_repost_id_qut.csv")
    assert study.scan("posts").collect()["kind"].to_list() == ["original"] * 60
    assert study.scan("cascades").collect()["size"].to_list() == [1] * 60
    assert not any("parent" in note for note in study.run["build"]["notes"])


def test_lists_joined_by_bars_and_a_parent_without_a_kind(tmp_path):
    mapping = {
        "content_id": "id", "account_id": "user_id", "timestamp": "timestamp_utc", "urls": "links",
        "parent_content_id": "retweeted_id", "hashtags": "hashtags",
    }  # fmt: skip
    study = study_of(tmp_path, "lists_joined_by_bar.csv", mapping=mapping)
    assert shared(study, "url") == {"https://x.example/a": {"11", "12"}, "https://x.example/b": {"11"}}
    assert shared(study, "domain") == {"x.example": {"11", "12"}}
    assert shared(study, "hashtag") == {"water": {"11", "12"}, "river": {"11", "13"}}
    assert shared(study, "reshare") == {"1": {"13", "14"}}
    (source,) = study.run["build"]["inputs"]
    assert source["columns"]["urls"] == {"column": "links", "rows": 2, "lists": "joined by '|'"}
    assert source["columns"]["kind"] == {"column": "retweeted_id", "rows": 2, "implied": "reshare"}


def test_a_column_that_nobody_mapped_is_not_read(tmp_path):
    mapping = {"content_id": "id", "account_id": "user.id", "timestamp": "date", "hashtags": "hashtags"}
    study = study_of(tmp_path, "own_permalink_as_link.jsonl", mapping=mapping)
    assert shared(study, "hashtag") == {"water": {"11", "12", "13"}}
    assert study.scan("shares").collect()["trace"].unique().to_list() == ["hashtag"]
    assert any("url: not mapped, so not read" in note for note in study.run["build"]["notes"])


def test_twarcs_objects_in_cells(tmp_path):
    mapping = {
        "content_id": "id", "account_id": "author_id", "timestamp": "created_at",
        "hashtags": "entities.hashtags", "urls": "entities.urls",
    }  # fmt: skip
    study = study_of(tmp_path, "twarc_csv_entities.csv", mapping=mapping)
    assert shared(study, "hashtag") == {"water": {"11", "12", "13"}}
    assert shared(study, "url") == {"https://x.example/a": {"11", "12", "13"}}


def test_ids_that_a_spreadsheet_with_decimal_commas_rounded(tmp_path):
    study = study_of(tmp_path, "id_rounded_decimal_comma.csv")
    assert study.scan("accounts").collect()["account_id"].to_list() == ["77"]
    reason = "account_id: a rounded number, its last digits are lost; save the ids as text"
    assert study.run["build"]["rejected_by_reason"] == {reason: 2}


def test_telegrams_numbers_count_within_a_channel(tmp_path):
    mapping = {
        "account_id": "channel", "target_id": "channel", "timestamp": "date", "content_id": "id", "text": "message",
    }  # fmt: skip
    study = study_of(tmp_path, "telethon_ids_per_channel.csv", mapping=mapping)
    assert study.run["build"]["counts"]["posts"] == 10
    assert shared(study, "url") == {f"https://x.example/{k}": {"chanA", "chanB"} for k in range(1, 6)}
    assert edges(study, "url") == [("chanA", "chanB", 5)]
    assert any("they count within it only" in note for note in study.run["build"]["notes"])
