"""Which clusters are one crowd: gatherings at the same moments, tokens, and the campaigns they make."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from reference import campaigns as slow

from propgraph.arrays.p_values import binomial_tail
from propgraph.clusters.campaigns.coincidence import (
    _alike,
    coincidences,
    common_objects,
    pairs_to_test,
)
from propgraph.clusters.campaigns.gatherings import HOUR_MS, Gatherings, _gather
from propgraph.clusters.campaigns.join import _campaigns_of
from propgraph.clusters.campaigns.public import Public
from propgraph.jobs.build import build
from propgraph.jobs.clusters import find_clusters

START = datetime(2021, 3, 1, tzinfo=UTC)
DAYS = 14
DAY_S = 86_400


def study_of(folder, rows, *, seed=None, **options):
    """A study with clusters out of rows `account_id, second, object_id` (or `urls`, `hashtags`); posts are numbered."""
    log = pl.DataFrame(
        [
            {"content_id": f"p{k:05d}", "timestamp": START + timedelta(seconds=row["second"])}
            | {name: value for name, value in row.items() if name != "second"}
            for k, row in enumerate(rows)
        ],
        infer_schema_length=None,
    )
    if seed is not None:
        log = log.sample(fraction=1, shuffle=True, seed=seed)
    folder.mkdir(exist_ok=True)
    log.write_parquet(folder / "log.parquet")
    build([folder / "log.parquet"], folder / "study", overwrite=True)
    return find_clusters(folder / "study", **options)


def half(name, moments, *, column="object_id", prefix="o", n=5):
    """Rows of five accounts that post one object together, 5 s apart, at each of the moments (s)."""
    return [
        {"account_id": f"{name}{j}", "second": second + 5 * j, column: f"{prefix}{name}{k}"}
        for k, second in enumerate(moments) for j in range(n)
    ]  # fmt: skip


def crowd(moments, *, column="object_id", prefix="o", names="ab"):
    """Rows of forty strangers who share the same objects within two days, at any hour."""
    rng = np.random.default_rng(1)
    return [
        {
            "account_id": f"s{j:02d}", "second": second + 600 + int(rng.integers(0, 2 * DAY_S)),
            column: f"{prefix}{name}{k}",
        }
        for name in names for k, second in enumerate(moments) for j in rng.choice(40, 8, replace=False)
    ]  # fmt: skip


def moments(seed, *, width_h=12):
    """One moment a day, at a time of its own within the waking hours."""
    rng = np.random.default_rng(seed)
    return [day * DAY_S + 8 * 3600 + int(rng.integers(0, width_h * 3600)) for day in range(DAYS)]


def test_two_halves_of_a_crew_over_two_traces_are_one_campaign(tmp_path):
    when = moments(0)
    rows = half("a", when, column="urls", prefix="https://a.example/") + half(
        "b", [second + 900 for second in when], column="hashtags", prefix="tag"
    )
    rows += crowd(when, column="urls", prefix="https://a.example/", names="a")
    rows += crowd(when, column="hashtags", prefix="tag", names="b")
    study = study_of(tmp_path, rows, trace=["url", "hashtag"])
    [campaign] = study.campaigns.to_dicts()
    assert campaign["n_flagged"] == campaign["n_clusters"] == 2
    assert campaign["cluster_ids"] == ["c1", "c2"]
    assert campaign["n_accounts"] == 10
    assert campaign["ties"] == ["gatherings"]
    # A quarter of an hour apart on each of the fourteen days, of which by the habit few would coincide.
    assert campaign["n_gatherings"] == campaign["n_coinciding"] == DAYS
    assert campaign["expected_coinciding"] < DAYS / 2
    assert campaign["p_value"] < 1e-4
    assert campaign["traces"] == ["hashtag", "url"]
    assert study.clusters.filter("flagged")["campaign_id"].to_list() == ["g1", "g1"]
    # The same in any order of the rows.
    again = study_of(tmp_path / "again", rows, seed=3, trace=["url", "hashtag"])
    assert_frame_equal(again.campaigns, study.campaigns)
    assert_frame_equal(again.clusters, study.clusters)


def test_two_crews_with_the_same_hours_are_two_campaigns(tmp_path):
    # Each at a time of its own from 18 to 19 h, every day: shifted by any number of days they coincide as well.
    rows = half("a", moments(1, width_h=1)) + half("b", moments(2, width_h=1))
    rows += crowd(moments(1), names="ab")
    study = study_of(tmp_path, rows)
    assert study.clusters["flagged"].sum() == 2
    assert study.campaigns["cluster_ids"].to_list() == [["c1"], ["c2"]]
    assert study.campaigns["ties"].to_list() == [[], []]
    assert study.campaigns["p_value"].to_list() == [None, None]


def test_recruiters_tokens_join_and_everybodys_do_not(tmp_path):
    rng = np.random.default_rng(5)
    rows = []
    for name, token in (("a", "ref=r00"), ("b", "utm_campaign=r01"), ("c", "utm_source=twitter")):
        pushed = half(name, moments(ord(name)), column="urls", prefix="https://x.example/")
        rows += [row | {"urls": f"{row['urls']}?utm_source=twitter&{token}"} for row in pushed]
    public = crowd(moments(9), column="urls", prefix="https://x.example/", names="abc")
    rows += [
        row | {"urls": row["urls"] + ("?utm_source=twitter" if rng.random() < 0.8 else "")} for row in public
    ]
    study = study_of(tmp_path, rows)
    assert study.clusters["flagged"].sum() == 3
    assert study.campaigns["n_clusters"].to_list() == [2, 1]
    joined = study.campaigns.row(0, named=True)
    assert joined["ties"] == ["tokens"]
    assert joined["tokens"] == ["ref=r00", "utm_campaign=r01"]


def test_where_nothing_is_flagged_there_is_no_campaign(tmp_path):
    study = study_of(tmp_path, half("a", moments(1)) + crowd(moments(1), names="a"), min_score=1.0)
    assert study.campaigns.is_empty()
    assert study.clusters["campaign_id"].null_count() == study.clusters.height > 0


def ties(*rows):
    return pl.DataFrame(
        [{"cluster": a, "other": b, "tie": "gatherings", "strength": s} for a, b, s in rows],
        schema_overrides={"strength": pl.Float64},
    )


def test_clusters_without_a_flag_join_one_campaign_and_connect_none():
    # 1, 2 and 3 are flagged; 4 is tied to 1 and, more surely, to 3; 5 to 4 only, which is not flagged either.
    first, kept = _campaigns_of(
        6, ties((1, 4, 3.0), (3, 4, 9.0), (4, 5, 20.0), (1, 2, 5.0)), frozenset({1, 2, 3})
    )
    assert first == {1: 1, 2: 1, 3: 3, 4: 3}
    assert kept.select("cluster", "other").rows() == [(3, 4), (1, 2)]


def gatherings(*, clusters, objects=None):
    """Gatherings, each a session, at the times (ms) of each cluster; at their own objects, or those given."""
    rows = [
        (number, at, objects[number][k] if objects else 1000 * number + k)
        for number, times in enumerate(clusters, 1) for k, at in enumerate(sorted(times))
    ]  # fmt: skip
    numbers = np.array([row[0] for row in rows])
    start = np.array([row[1] for row in rows])
    frame = pl.DataFrame(
        {
            "cluster": numbers.astype(np.uint32), "object": [row[2] for row in rows], "start": start, "end": start,
            "n": 3, "spread": 60_000, "session": np.arange(numbers.size),
        }
    )  # fmt: skip
    spread = dict.fromkeys(range(1, len(clusters) + 1), 60000)
    return Gatherings(frame, pl.DataFrame(), numbers, start, start, spread)


def public(posts=()):
    """A public that posts at all hours alike, and at objects at given times (ms)."""
    table = pl.DataFrame(sorted(posts), schema={"object": pl.Int64, "time": pl.Int64}, orient="row")
    return Public(np.full(24, 1 / 24), 0, np.arange(0, 60 * 24 * 10, 10), table)


def looked_at(found, people):
    pairs = pairs_to_test(found, frozenset(range(1, 1000)))
    return coincidences(found, pairs, common_objects(found, pairs), people)


def test_what_is_expected_by_hand():
    # Four days; both clusters at 6, 9, 12 and 18 h, half an hour apart. No two times of day lie within an hour, so that
    # of the four sessions one alone, the day's own, is near.
    times = [(24 * day + hour) * HOUR_MS for day, hour in enumerate((6, 9, 12, 18), 1)]
    found = looked_at(gatherings(clusters=[times, [at + HOUR_MS // 2 for at in times]]), public())
    [pair] = found.pairs.to_dicts()
    assert (pair["n_gatherings"], pair["n_coinciding"]) == (4, 4)
    assert pair["expected"] == pytest.approx(4 * 1 / 4)
    assert pair["p_value"] == pytest.approx((1 / 4) ** 4)
    assert found.n_tests == 1


def test_a_burst_of_the_public_explains_two_clusters_at_one_object():
    # Five objects, both clusters in the same seconds. Where all of the public is there as well, that is no sign.
    times = [(24 * day + 3 * day) * HOUR_MS for day in range(1, 6)]
    same = {1: list(range(5)), 2: list(range(5))}
    found = gatherings(clusters=[times, [at + 20_000 for at in times]], objects=same)
    at_once = [(o, at + 1000 * k) for o, at in enumerate(times) for k in range(30)]
    later = [(o, at + 600_000 * k) for o, at in enumerate(times) for k in range(1, 31)]
    [crowded] = looked_at(found, public(at_once)).pairs.to_dicts()
    [alone] = looked_at(found, public(later)).pairs.to_dicts()
    assert crowded["p_value"] > 0.5
    assert alone["p_value"] < 1e-6


@pytest.mark.parametrize("hours_awake", [(10, 13, 16), (18, 19, 20), (8, 12, 22)])
def test_independent_clusters_with_one_rhythm_are_rarely_joined(hours_awake):
    # Two hundred pairs, busy in the same hours (a slot of two, six, fourteen) and on the same days of three weeks.
    rng = np.random.default_rng(0)
    n_small = n = 0
    for _ in range(200):
        busy = rng.random(21) < 0.7
        clusters = [
            [
                int((24 * day + rng.triangular(*hours_awake)) * HOUR_MS)
                for day in np.flatnonzero(busy) for _ in range(rng.integers(0, 3))
            ]
            for _ in range(2)
        ]  # fmt: skip
        hours = np.bincount(np.arange(hours_awake[0], hours_awake[2]), minlength=24) / 6
        series = np.concatenate([[0], np.cumsum(np.tile(hours * 60, 22).astype(np.int64))])
        rhythm = Public((hours * 1000 + 1) / (hours * 1000 + 1).sum(), 0, series, public().objects)
        found = looked_at(gatherings(clusters=clusters), rhythm)
        n += found.n_tests
        n_small += found.pairs.filter(pl.col("p_value") <= 0.05).height
    assert n > 190
    # Binomial: 17 of 200 or more come up once in forty times at 5 %.
    assert n_small <= 16


def test_the_binomial_tail_is_the_sum():
    # Of four trials at 1/2: 16/16, 15/16, 11/16, 5/16, 1/16.
    k = np.arange(5)
    assert binomial_tail(k, np.full(5, 4), np.full(5, 0.5)) * 16 == pytest.approx([16, 15, 11, 5, 1])


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 40), st.integers(0, 3)),
        min_size=1,
        max_size=40,
        unique=True,
    ),
    st.integers(0, 12),
)
# One account's posts before another's: the gathering begins with the first that is near enough.
@example([(0, 0, 0), (0, 1, 0), (0, 2, 0), (0, 3, 1)], 2)
def test_gatherings_are_those_of_the_definition(rows, spread):
    rows = sorted(rows)
    code, time, account = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    first, last, n = _gather(code, time, account, np.full(code.size, spread))
    found = list(zip(code[first], time[first], time[last], n, strict=True))
    assert found == slow.gather(rows, spread)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 700), st.integers(0, 30)), min_size=1, max_size=20),
    st.tuples(st.integers(0, 700), st.integers(0, 30)),
    st.sampled_from([1, 6]),
)
def test_sessions_at_one_time_of_day_are_those_moved_by_whole_days(sessions, other, reach):
    sessions = [(start * HOUR_MS, (start + length) * HOUR_MS) for start, length in sessions]
    other = (other[0] * HOUR_MS, sum(other) * HOUR_MS)
    start, end = (np.array(column, np.int64) for column in zip(*sessions, strict=True))
    found = _alike(start, end, np.array(other[:1]), np.array(other[1:]), reach * HOUR_MS)
    assert found[0] == slow.alike(sessions, other, reach * HOUR_MS)
