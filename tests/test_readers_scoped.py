"""Numbers of posts that count within a channel, and repeats that are none of that."""

from __future__ import annotations

import random

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from propgraph.readers.read import read_logs
from propgraph.schema import POSTS

TIME = 1_700_000_000


def messages(channels=3, n=20, *, accounts=False):
    """Return messages as each channel counts them; every fifth answers the second before it."""
    return pl.DataFrame(
        [
            {
                "content_id": str(k), "account_id": f"c{c}" if accounts else f"u{(c + k) % 5}", "target_id": f"c{c}",
                "timestamp": TIME + 100 * k + c, "parent_content_id": str(k - 2) if k % 5 == 0 else None,
                "kind": "reply" if k % 5 == 0 else "original",
            }
            for c in range(channels) for k in range(1, n + 1)
        ]
    )  # fmt: skip


def read(tmp_path, frame, suffix="csv"):
    path = tmp_path / f"log.{suffix}"
    getattr(frame, {"csv": "write_csv", "parquet": "write_parquet", "ndjson": "write_ndjson"}[suffix])(path)
    log = read_logs([path])
    assert log.n_rows == frame.height
    return log


def ids(log):
    return set(log.posts.select("content_id", "parent_content_id").iter_rows())


@pytest.mark.parametrize("suffix", ["csv", "parquet", "ndjson"])
def test_numbers_that_count_within_a_target_are_named_after_it(tmp_path, suffix):
    frame = messages()
    log = read(tmp_path, frame, suffix)
    assert log.rejected.is_empty()
    assert ids(log) == {
        (f"{c}/{k}", parent and f"{c}/{parent}")
        for k, c, parent in frame.select("content_id", "target_id", "parent_content_id").iter_rows()
    }
    assert log.notes == [
        "content_id: 20 numbers stand for another post under another group, page or channel: they count within it "
        "only, so that an id is target_id and number here (c0/1), a parent's likewise"
    ]


def test_or_within_an_account_where_there_are_no_targets(tmp_path):
    log = read(tmp_path, messages(accounts=True).drop("target_id"))
    assert log.rejected.is_empty()
    assert ("c1/5", "c1/3") in ids(log)
    assert "under another account: they count within it only" in log.notes[0]


def test_the_order_of_rows_does_not_count(tmp_path):
    frame = messages()
    order = list(range(frame.height))
    random.Random(0).shuffle(order)
    first, second = (POSTS.conform(read(tmp_path, one).posts.drop("line")) for one in (frame, frame[order]))
    assert_frame_equal(first, second)


def test_rows_given_twice_are_repeats_as_before(tmp_path):
    frame = messages(channels=1)
    log = read(tmp_path, pl.concat([frame, frame]))
    assert {number for number, _ in ids(log)} == {str(k) for k in range(1, 21)}
    assert log.rejected["reason"].str.starts_with("duplicate: post ").all()
    assert log.notes == []
    scoped = read(tmp_path, pl.concat([messages(), messages()[:5]]))
    assert scoped.rejected["reason"].to_list() == [
        f"duplicate: post c0/{k} shares the same in an earlier row" for k in range(1, 6)
    ]


def test_a_post_in_several_groups_is_one_post(tmp_path):
    """The same number, account and time under another target: a post that was put into both."""
    frame = messages(channels=1, n=9)
    log = read(tmp_path, pl.concat([frame, frame.with_columns(target_id=pl.lit("c7"))]))
    assert log.posts["content_id"].n_unique() == 9
    assert log.rejected.is_empty()
    assert log.notes == []


def test_a_post_seen_at_two_times_stays_one(tmp_path):
    frame = messages(channels=1)
    edited = frame[:6].with_columns(timestamp=pl.col("timestamp") + 7)
    log = read(tmp_path, pl.concat([frame, edited]))
    assert log.posts["content_id"].to_list() == [str(k) for k in range(1, 21)]
    assert log.rejected.height == 6
    assert log.notes == []


def test_a_few_slips_in_a_large_log_are_no_such_numbers(tmp_path):
    frame = messages(channels=1, n=1000)
    slips = frame[:5].with_columns(target_id=pl.lit("c9"), timestamp=pl.col("timestamp") + 5)
    log = read(tmp_path, pl.concat([frame, slips]))
    assert log.rejected.height == 5
    assert "1" in log.posts["content_id"].to_list()


def test_ids_of_a_whole_platform_are_left_alone(tmp_path):
    frame = messages().with_columns(
        content_id=pl.format("17649540020274{}", pl.col("content_id").str.zfill(5))
    )
    log = read(tmp_path, frame)
    assert log.rejected.height == 40


def test_each_platform_by_itself(tmp_path):
    other = messages(channels=1).with_columns(platform=pl.lit("vk"), target_id=pl.lit("g"))
    log = read(tmp_path, pl.concat([messages().with_columns(platform=pl.lit("telegram")), other]))
    assert log.rejected.is_empty()
    found = set(log.posts["content_id"])
    assert {"telegram:c0/1", "telegram:c1/1", "vk:1"} <= found
    assert log.notes[0].startswith("content_id: 20 numbers of telegram stand for another post")


def test_rows_without_a_target_keep_their_numbers(tmp_path):
    frame = pl.concat(
        [messages(), messages(channels=1, n=30)[20:].with_columns(target_id=pl.lit(None, pl.String))]
    )
    found = {number for number, _ in ids(read(tmp_path, frame))}
    assert {"c2/20", "21", "30"} <= found


@pytest.mark.parametrize("prefix", ["", "-100"])
@pytest.mark.parametrize("origin", ["origin_account_id", "origin_account_name"])
def test_a_forwarded_post_is_that_of_the_channel_that_it_comes_from(tmp_path, origin, prefix):
    # Telethon calls a chat -1001700000001 and the channel forwarded from 1700000001.
    a, b = "1700000001", "1700000002"
    rows = [
        {"content_id": str(k), "account_id": prefix + c, "timestamp": TIME + 60 * k + (c == b), "kind": "original"}
        for k in range(1, 6) for c in (a, b)
    ]  # fmt: skip
    forwards = {("6", a): ("3", b), ("7", b): ("3", a), ("8", a): ("2", "1700000003"), ("9", a): ("2", a)}
    rows += [
        {
            "content_id": number, "account_id": prefix + here, "timestamp": TIME + 1000 + int(number),
            "kind": "reshare", "parent_content_id": parent, origin: there,
        }
        for (number, here), (parent, there) in forwards.items()
    ]  # fmt: skip
    frame = pl.DataFrame(rows, infer_schema_length=None).with_columns(target_id="account_id")
    found = {number: parent for number, parent in ids(read(tmp_path, frame)) if parent}
    assert found == {
        f"{prefix}{a}/6": f"{prefix}{b}/3", f"{prefix}{b}/7": f"{prefix}{a}/3", f"{prefix}{a}/8": "1700000003/2",
        f"{prefix}{a}/9": f"{prefix}{a}/2",
    }  # fmt: skip


def test_an_answer_to_an_account_is_within_the_group(tmp_path):
    frame = messages().with_columns(origin_account_id=pl.when(pl.col("kind") == "reply").then(pl.lit("u1")))
    shared = frame.with_columns(kind=pl.col("kind").replace("reply", "reshare"))
    for one in (frame, shared):
        assert ids(read(tmp_path, one)) == {
            (f"{c}/{k}", parent and f"{c}/{parent}")
            for k, c, parent in one.select("content_id", "target_id", "parent_content_id").iter_rows()
        }
