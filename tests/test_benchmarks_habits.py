"""The null logs of the benchmarks: habits are there, and whatever else would tell accounts is not."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from benchmarks.detection import habits

MANY = settings(max_examples=25, deadline=None)


def shares_of(log):
    return log.group_by("account_id").len().sort("account_id")


def hour(log):
    return log["timestamp"].dt.hour().to_numpy()


def test_a_simulated_log_has_the_size_and_the_columns_it_says():
    log = habits.null_log("none")
    assert log.schema == {
        "content_id": pl.String,
        "account_id": pl.String,
        "object_id": pl.String,
        "timestamp": pl.Datetime("ms", "UTC"),
    }
    assert log["account_id"].n_unique() == 5000
    assert log["object_id"].n_unique() == 400
    assert 90_000 < log.height < 110_000
    assert log["content_id"].is_unique().all()
    assert log.select("account_id", "object_id").is_unique().all()
    assert log["timestamp"].is_sorted()
    assert shares_of(log)["len"].min() >= 10


@pytest.mark.parametrize(("kind", "hours"), [("slot-2", 2), ("slot-4", 4), ("slot-8", 8)])
def test_accounts_with_a_slot_post_in_it_alone(kind, hours):
    log = habits.null_log(kind, 3)
    seconds = log["timestamp"].dt.epoch("s") % habits.DAY
    spread = log.with_columns(seconds=seconds).group_by("account_id").agg(pl.col("seconds"))
    for own in spread["seconds"].head(200):
        # The longest gap around the clock is the time in which the account never posts.
        times = np.sort(own.to_numpy())
        gaps = np.diff(np.append(times, times[0] + habits.DAY))
        assert gaps.max() >= (24 - hours) * habits.HOUR - 1


def test_quick_reactors_are_as_many_as_said_and_always_quick():
    settings_ = habits.Habits(quick=0.1)
    log = habits.simulated(settings_, 1)
    first = log.with_columns(
        delay=(pl.col("timestamp") - pl.col("timestamp").min().over("object_id")).dt.total_seconds()
    )
    latest = first.group_by("account_id").agg(pl.col("delay").max())
    # Who reacts within 300 s of publication is within 300 s of the first share, whoever made that.
    assert (latest["delay"] <= 300).sum() == pytest.approx(500, abs=80)


@pytest.mark.parametrize(("kind", "attendance"), [("feed", 0.9), ("feed-quick", 1.0)])
def test_readers_share_nearly_all_of_the_feed_in_its_hours(kind, attendance):
    log = habits.null_log(kind, 2)
    of_feed = [f"o{k}" for k in range(habits.FEED_OBJECTS)]
    readers = [f"a{k}" for k in range(60)]
    own = log.filter(pl.col("account_id").is_in(readers), pl.col("object_id").is_in(of_feed))
    assert own.height / (60 * 100) == pytest.approx(attendance, abs=0.02)
    begin, hours = habits.FEED_HOURS
    assert set(hour(own)) <= set(range(int(begin), int(begin + hours) + (kind == "feed-quick")))
    if kind == "feed-quick":
        spread = own.group_by("object_id").agg(pl.col("timestamp").max() - pl.col("timestamp").min())
        assert spread["timestamp"].max().total_seconds() <= habits.HOUR


def test_a_null_log_depends_on_its_seed_alone():
    assert_frame_equal(habits.null_log("slot-4", 5), habits.null_log("slot-4", 5))
    assert not habits.null_log("slot-4", 5).equals(habits.null_log("slot-4", 6))


LOGS = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from("xyz"), st.integers(0, 10 * habits.DAY)),
    min_size=1,
    max_size=60,
)


def as_shares(rows):
    return habits.as_log(pl.DataFrame(rows, schema=["account_id", "object_id", "t"], orient="row"))


@given(LOGS, st.booleans(), st.integers(0, 100))
@MANY
def test_swaps_keep_the_times_of_objects_and_the_objects_of_accounts(rows, cells, seed):
    log = as_shares(rows)
    dealt = habits.swapped(log, seed, cells=cells)
    for columns in (["object_id", "timestamp"], ["account_id", "object_id"]):
        assert_frame_equal(dealt.select(columns).sort(columns), log.select(columns).sort(columns))
    assert_frame_equal(dealt, habits.swapped(log.sample(fraction=1, shuffle=True), seed, cells=cells))


@given(LOGS, st.integers(0, 100))
@MANY
def test_swaps_within_cells_keep_the_hours_of_each_account(rows, seed):
    log = as_shares(rows)
    dealt = habits.swapped(log, seed, cells=True)
    tables = [
        frame.group_by("account_id", "object_id", two=pl.col("timestamp").dt.hour() // 2).len().sort(pl.all())
        for frame in (log, dealt)
    ]
    assert_frame_equal(*tables)


def test_weighted_swaps_keep_hours_and_reactions_and_break_who_is_beside_whom():
    log = habits.null_log("slot-4-quick-10", 4)
    uniform = habits.swapped(log, 4, sweeps=0)  # dealt within objects, no swap yet
    dealt = habits.swapped(log, 4)

    def told(frame):
        rank = pl.col("timestamp").rank("ordinal").over("object_id") / pl.len().over("object_id")
        own = (
            frame.with_columns(rank=rank)
            .group_by("account_id")
            .agg(early=pl.col("rank").median(), hours=(pl.col("timestamp").dt.hour() // 4).n_unique())
        )
        quick = own.filter(pl.col("early") < 0.15).height
        return quick, own["hours"].mean()

    (quick, hours), (quick_uniform, hours_uniform), (quick_dealt, hours_dealt) = map(
        told, (log, uniform, dealt)
    )
    assert quick_uniform < 0.1 * quick
    assert quick_dealt > 0.7 * quick
    assert hours < 3 < hours_dealt + 1 < hours_uniform
    same = log.join(dealt, on=["account_id", "object_id", "timestamp"], how="semi").height
    assert same < 0.2 * log.height
