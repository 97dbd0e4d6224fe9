"""The campaigns of the benchmarks: members meet as said, innocents are as active and do not meet."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from benchmarks.detection.campaigns import CAMPAIGNS, Campaign, TooFewObjectsError, lay

HOUR = 3600


def host(n_objects=120, n_shares=60, seed=0):
    """Bursts of ten days, a share each four hours or so, by 2,000 accounts; ten objects have five shares only."""
    rng = np.random.default_rng(seed)
    rows = [
        (f"u{rng.integers(0, 2000)}", f"o{o}", int(t))
        for o in range(n_objects)
        for t in o * 30 * HOUR + rng.integers(0, 240 * HOUR, 5 if o < 10 else n_shares)
    ]
    table = pl.DataFrame(rows, schema=["account_id", "object_id", "t"], orient="row")
    return table.select(
        "account_id", "object_id", timestamp=pl.from_epoch("t").cast(pl.Datetime("ms", "UTC"))
    )


HOST = host()


def with_seconds(log):
    return log.with_columns(t=pl.col("timestamp").dt.epoch("s"))


def crews_meet(log, truth, span):
    """Return for each group and object how many members share it within `span` s of one another, at the most."""
    crew = with_seconds(log).join(truth.filter("label"), on="account_id").sort("t")
    most = {}
    for (group, object_), own in crew.group_by("group", "object_id"):
        t, who = own["t"].to_numpy(), own["account_id"].to_numpy()
        most[group, object_] = max(len(set(who[(t >= at) & (t <= at + span)])) for at in t)
    return most


#: members, objects at which a whole turn meets, how many of a turn, within seconds
SAID = {
    "small-crews": (20, 24, 5, 1800),
    "ten-at-a-time": (100, 60, 10, 7200),
    "many-at-a-time": (300, 100, 63, 3600),
    "camouflage": (40, 12, 40, 1800),
    "quota": (300, 30, 116, 2 * 86_400),
    "quota-brought": (300, 30, 20, 2 * 86_400),
    "whole-burst": (50, 8, 50, 3600),
    "days-late": (30, 20, 20, 86_400),
    "own-links": (30, 12, 20, 300),
    "in-turn": (40, 32, 20, 1800),
    "two-traces": (40, 24, 20, 1800),
}


@pytest.mark.parametrize("kind", CAMPAIGNS)
def test_members_meet_as_said(kind):
    log, truth = lay(HOST, kind, 1)
    if kind == "two-traces":
        log = log.with_columns(object_id=pl.coalesce(pl.col("urls").list[0], pl.col("hashtags").list[0]))
    members, meetings, together, span = SAID[kind]
    # A member that was drawn for no object is not in the log: one in 500 of those that are ten of 100 at a time.
    assert truth.filter("label").height == pytest.approx(members, abs=3 if kind == "ten-at-a-time" else 0)
    met = sorted(crews_meet(log, truth, span).values(), reverse=True)
    assert min(met[:meetings]) >= together
    # Camouflage alone does not bring them together: no other object has so many of one crew. (Two days are so long
    # that it does in a host as small as this.)
    assert len(met) == meetings or kind == "quota-brought" or met[meetings] < max(together, 5)


def test_a_quota_brings_its_objects_to_their_number():
    log, truth = lay(HOST, Campaign(accounts=150, objects=30, span=48, brought_to=116, camouflage=0), 1)
    outside = log.join(
        truth.filter(pl.col("kind").is_in(["organic", "operator"])), on="account_id", how="semi"
    )
    members = outside.join(truth.filter("label"), on="account_id", how="semi")
    totals = outside.join(members, on="object_id", how="semi").group_by("object_id").len()
    assert totals["len"].to_list() == [116] * 30


@pytest.mark.parametrize("kind", ["small-crews", "camouflage", "ten-at-a-time", "own-links"])
def test_innocents_are_as_active_and_three_to_a_member(kind):
    log, truth = lay(HOST, kind, 2)
    counts = log.group_by("account_id").len().join(truth, on="account_id")
    by_kind = {name: sorted(own["len"]) for (name,), own in counts.group_by("kind")}
    assert sorted(by_kind["decoy"]) == sorted(2 * by_kind["operator"])
    assert by_kind["fan"] == by_kind["operator"]
    assert truth.filter("label")["kind"].unique().to_list() == ["operator"]
    assert truth.filter(pl.col("group").is_not_null()).height == truth.filter("label").height


def test_camouflage_is_twenty_times_the_campaign():
    log, truth = lay(HOST, "camouflage", 3)
    counts = log.join(truth.filter("label"), on="account_id").group_by("account_id").len()
    assert counts["len"].unique().to_list() == [12 + 240]


def test_fans_share_the_campaign_objects_of_their_member_at_other_times():
    log, truth = lay(HOST, Campaign(accounts=20, objects=10, span=0.5, camouflage=0), 4)
    own = with_seconds(log).join(truth, on="account_id")
    members, fans = own.filter("label"), own.filter(kind="fan")
    assert members["object_id"].n_unique() == 10
    assert_frame_equal(*(frame.group_by("object_id").len().sort("object_id") for frame in (members, fans)))
    spread = fans.group_by("object_id").agg(pl.col("t").max() - pl.col("t").min())
    assert spread["t"].min() > 24 * HOUR


def test_the_host_stays_and_a_campaign_begins_at_a_share_of_it():
    log, truth = lay(HOST, "many-at-a-time", 5)
    organic = log.join(truth.filter(kind="organic"), on="account_id", how="semi")
    columns = ["account_id", "object_id", "timestamp"]
    assert_frame_equal(organic.select(columns).sort(columns), HOST.sort(columns))
    assert log["content_id"].is_unique().all()
    # Its objects have 20 shares or more: o0 to o9 have none of the campaign's 63.
    met = crews_meet(log, truth, HOUR)
    taken = {object_ for (_, object_), n in met.items() if n >= 63}
    assert len(taken) == 100
    assert not taken & {f"o{k}" for k in range(10)}


def test_own_links_are_shared_by_others_only_where_said():
    for kind, others in (("own-links", 0), ("whole-burst", 10)):
        log, truth = lay(HOST, kind, 6)
        own = (
            with_seconds(log).filter(pl.col("object_id").str.starts_with("own")).join(truth, on="account_id")
        )
        outside = own.filter(~pl.col("label"))
        assert outside.group_by("object_id").len()["len"].to_list() == [others] * (8 if others else 0)
        last = own.filter("label").group_by("object_id").agg(last=pl.col("t").max())
        assert (outside.join(last, on="object_id").select(pl.col("t") > pl.col("last")).to_series()).all()


def test_late_campaigns_come_days_after_the_object():
    log, truth = lay(HOST, Campaign(accounts=5, objects=10, span=0.5, camouflage=0, late=(20, 21)), 7)
    members = log.join(truth.filter("label"), on="account_id", how="semi")
    first = HOST.group_by("object_id").agg(first=pl.col("timestamp").min())
    wait = members.join(first, on="object_id").select(pl.col("timestamp") - pl.col("first")).to_series()
    assert wait.min().days >= 20
    assert wait.max().days <= 31


def test_crews_in_turn_change_who_comes_first():
    log, truth = lay(HOST, Campaign(accounts=6, objects=8, span=0.5, crews=2, in_turn=True, camouflage=0), 8)
    crew = with_seconds(log).join(truth.filter("label"), on="account_id")
    first = crew.group_by("object_id", "group").agg(pl.col("t").min()).pivot("group", values="t")
    gaps = (first["crew1"] - first["crew0"]).to_list()
    assert sorted(gaps) == [-3 * HOUR] * 4 + [3 * HOUR] * 4


def test_half_of_all_objects_are_links_and_half_hashtags():
    log, _ = lay(HOST, "two-traces", 9)
    tags = log.filter(pl.col("hashtags").is_not_null())
    assert log.filter(pl.col("hashtags").is_not_null() & pl.col("urls").is_not_null()).is_empty()
    assert 30 < tags["hashtags"].n_unique() < 90
    assert tags.height < log.height


def test_a_campaign_depends_on_the_seed_and_not_on_the_order_of_rows():
    one = lay(HOST, "in-turn", 3)
    for made, again in zip(
        one, lay(HOST.sample(fraction=1, shuffle=True, seed=1), "in-turn", 3), strict=True
    ):
        assert_frame_equal(made, again)
    assert not one[0].equals(lay(HOST, "in-turn", 4)[0])


def test_a_host_too_small_says_so():
    with pytest.raises(TooFewObjectsError, match="has 10 objects of the right size; the campaign takes 100"):
        lay(host(20), "many-at-a-time")
