"""Clusters where edges of bursts are a sample: a crowd stays one, and a crew inside of it stays itself."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from propgraph.arrays.incidence import incidence
from propgraph.clusters.sampled import Sampled
from propgraph.jobs.build import build
from propgraph.jobs.clusters import find_clusters
from propgraph.jobs.stability import measure_stability

START = datetime(2020, 1, 1, tzinfo=UTC)
HOUR = 3_600_000
CAP = 100


def posts(accounts, objects, times_ms):
    return pl.DataFrame({"account_id": accounts, "object_id": objects}).with_columns(
        timestamp=pl.lit(START).cast(pl.Datetime("ms", "UTC"))
        + pl.Series(np.asarray(times_ms, np.int64)).cast(pl.Duration("ms"))
    )


def jobs(accounts, n, *, seed=0, name="job", turnout=1.0, first_hour=0, listed=False, outsiders=0):
    """`n` objects, seven hours or so apart, that each account shares within a minute of each other, by chance in any
    order or (`listed`) in that of a list, begun at another place each time; `outsiders` others share them hours later.
    """
    rng = np.random.default_rng(seed)
    parts = []
    for k in range(n):
        who = [account for account in accounts if rng.random() < turnout]
        times = np.sort(rng.integers(0, 60, len(who)) * 1000)
        start = (first_hour + 7 * k) * HOUR + int(rng.integers(HOUR))
        # Who always came first would come first by habit.
        order = np.roll(times, rng.integers(len(who))) if listed else rng.permutation(times)
        parts.append(posts(who, [f"{name}{k}"] * len(who), start + order))
        late = rng.integers(HOUR, 6 * HOUR, outsiders)
        parts.append(
            posts(
                [f"reader{j}" for j in rng.integers(500, size=outsiders)],
                [f"{name}{k}"] * outsiders,
                start + late,
            )
        )
    return pl.concat(parts)


def ordinary(seed=1, n=6_000):
    """Shares at leisure: bursts that decay, and nobody who meets anybody often."""
    rng = np.random.default_rng(seed)
    objects = (600 * rng.random(n) ** 2).astype(int)
    born = rng.integers(0, 200 * HOUR, 600)
    times = born[objects] + (rng.lognormal(np.log(900), 1.6, n) * 1000).astype(np.int64)
    return posts([f"reader{j}" for j in rng.integers(1_000, size=n)], [f"q{k}" for k in objects], times)


def names(kind, n):
    return [f"{kind}{k:04d}" for k in range(n)]


def study_of(folder, *parts, burst_cap=CAP, **options):
    log = pl.concat(parts).with_row_index("content_id").with_columns(pl.col("content_id").cast(pl.String))
    log.write_parquet(folder / "log.parquet")
    made = build([folder / "log.parquet"], folder / f"study{burst_cap}", burst_cap=burst_cap, overwrite=True)
    return find_clusters(made, **options)


def flagged(study):
    """Return the members of each flagged cluster, sorted."""
    inside = study.members.join(study.clusters.filter("flagged"), on="cluster_id", how="semi")
    return sorted(sorted(part["account_id"]) for part in inside.partition_by("cluster_id"))


@pytest.mark.parametrize(
    "choices",
    [{}, {"turnout": 0.6}, {"listed": True}, {"outsiders": 60}],
    ids=["everybody", "three in five", "in the order of a list", "with readers who come later"],
)
def test_a_crew_larger_than_the_cap_is_found_as_one(tmp_path, choices):
    crew = names("crew", 400)
    study = study_of(tmp_path, ordinary(), jobs(crew, 20, **choices))
    [found] = flagged(study)
    assert set(found) <= set(crew)
    # Who came to half as few jobs as the busy is left out, as ever.
    assert len(found) == 400 or ("turnout" in choices and len(found) > 390)
    # A sample it is: of 79,800 pairs some few are listed.
    assert study.edges.filter(pl.col("source").str.starts_with("crew")).height < 15_000
    assert study.run["build"]["bursts"]["n_bursts"] == 20
    if "listed" in choices:
        assert "synchronised" in study.clusters.filter("flagged")["flags"].item()


def test_a_crew_is_found_where_ties_are_sampled_and_it_is_told(tmp_path):
    # In the order of a list, 140 in each second: their pairs are a sample for edges and for synchrony alike.
    n, n_jobs = 4_760, 20
    crew = names("crew", n)
    # The list is begun at another place each time: who always came first would come first by habit.
    shares = [
        posts(
            crew, [f"job{k}"] * n,
            (7 * HOUR + 97_000) * (k + 1) + np.roll(np.arange(n), 1_540 * k) // 140 * 1_000,
        )
        for k in range(n_jobs)
    ]  # fmt: skip
    study = study_of(tmp_path, ordinary(), *shares)
    assert flagged(study) == [crew]
    assert "synchronised" in study.clusters.filter("flagged")["flags"].item()
    record = study.run["clusters"]
    told, n_ties = record["sampled_ties_by_trace"]["object"], n_jobs * n // 140
    assert (told["n_ties"], told["n_posts"], told["n_pairs"]) == (n_ties, n_jobs * n, n_ties * 140 * 139 // 2)
    assert 0 < told["n_looked_at"] < told["n_pairs"] / 4
    [note] = record["notes"]
    assert f"{told['n_looked_at']:,}" in note


def test_a_crew_is_told_from_the_crowd_of_a_story(tmp_path):
    # Both share two breaking objects in the same minutes; the crew shares ten more by itself.
    crew, crowd = names("crew", 20), names("stranger", 600)
    story = jobs([*crew, *crowd], 2, name="story")
    study = study_of(tmp_path, ordinary(), story, jobs(crew, 10, first_hour=20))
    assert flagged(study) == [crew]
    strangers = study.members.filter(pl.col("account_id").str.starts_with("stranger"))
    assert strangers["cluster_id"].n_unique() == 1
    assert strangers.height == 600
    # As it is where all pairs are looked at.
    whole = study_of(tmp_path, ordinary(), story, jobs(crew, 10, first_hour=20), burst_cap=0)
    assert flagged(whole) == [crew]
    own = [
        study.edges.filter(pl.col("source").is_in(crew), pl.col("target").is_in(crew))
        for study in (study, whole)
    ]
    assert own[0].height == 190
    assert_frame_equal(*own, check_exact=True)


def test_two_crews_that_meet_now_and_then_stay_two(tmp_path):
    one, two = names("alpha", 300), names("beta", 300)
    study = study_of(
        tmp_path, ordinary(), jobs(one, 20, name="a"), jobs(two, 20, name="b", first_hour=3),
        jobs([*one, *two], 3, name="both", first_hour=150),
    )  # fmt: skip
    assert flagged(study) == [one, two]


def test_shuffled_rows_and_one_thread_give_the_same_clusters(tmp_path):
    rows = pl.concat([ordinary(), jobs(names("crew", 300), 10)]).with_row_index("content_id")
    rows = rows.with_columns(pl.format("p{}", "content_id").alias("content_id"))
    tables = []
    for name, log, threads in (("a", rows, 2), ("b", rows.sample(fraction=1, shuffle=True, seed=3), 1)):
        log.write_parquet(tmp_path / f"{name}.parquet")
        build([tmp_path / f"{name}.parquet"], tmp_path / name, burst_cap=CAP, threads=threads)
        study = find_clusters(tmp_path / name, threads=threads)
        tables.append((study.edges, study.members, study.clusters, study.evidence))
    for one, other in zip(*tables, strict=True):
        assert_frame_equal(one, other, check_exact=True)


def test_a_crowd_holds_under_other_choices(tmp_path):
    study = study_of(tmp_path, ordinary(), jobs(names("crew", 300), 20))
    study = measure_stability(study.path, runs=6)
    # The first run repeats the study's own; in others half a minute's window, or 63 in 100 objects, are left.
    assert study.clusters.filter("flagged")["stability"].item() > 0.9
    assert study.run["stability"]["notes"] == []


# Six accounts, two and two of a community; objects that all share at once, or only some.
def held(*objects, least=2):
    rows = [
        (f"{k}{account}", account, f"o{k}", 24 * HOUR * k)
        for k, accounts in enumerate(objects)
        for account in accounts
    ]
    columns = dict(zip(("content_id", "account_id", "object_id", "t"), zip(*rows, strict=True), strict=True))
    frame = pl.DataFrame({name: list(column) for name, column in columns.items()}).with_columns(
        timestamp=pl.col("t").cast(pl.Datetime("ms", "UTC"))
    )
    return Sampled({"object": incidence(frame)}, window_ms=60_000, burst_cap=2, least=least, seed=0)


GROUPS = pl.DataFrame(
    {"account_id": list("abcdef"), "community": [0, 0, 1, 1, 2, 2]}, schema_overrides={"community": pl.UInt32}
)
EDGES = pl.DataFrame({"source": ["a", "c", "a"], "target": ["c", "e", "b"]})


@pytest.mark.parametrize(
    ("objects", "parts", "crews"),
    [
        # All share three objects: across as within.
        (["abcdef"] * 3, [(0, 1), (1, 2)], [(0, 1), (1, 2)]),
        # a and b share four more: 3 across against 7 within; of c..f as before.
        (["abcdef"] * 3 + ["ab"] * 4, [(1, 2)], [(0, 1), (1, 2)]),
        # Two more only: 3 across, 5 within.
        (["abcdef"] * 3 + ["ab"] * 2, [(0, 1), (1, 2)], [(0, 1), (1, 2)]),
        # Half is not more than half: 3 across, 6 within.
        (["abcdef"] * 3 + ["ab"] * 3, [(1, 2)], [(0, 1), (1, 2)]),
        # One object is too little for an edge, and no less than is shared within.
        (["abcdef"], [(0, 1), (1, 2)], []),
        # a and b in no burst, so nothing is asked of them.
        (["cdef"] * 3 + ["ab"] * 3, [(1, 2)], [(1, 2)]),
    ],
)
def test_communities_that_met_across_as_they_met_within(objects, parts, crews):
    sampled = held(*objects)
    assert sampled.parts_of_one(GROUPS, EDGES).rows() == parts
    assert sampled.of_one_crew(GROUPS, EDGES).rows() == crews


def test_edges_that_take_no_burst():
    # Of two at once there is no burst: a and b meet twice by themselves, c and d once.
    sampled = held("abcdef", "abcdef", "ab", "ab", "cd")
    edges = pl.DataFrame({"source": ["a", "a", "c"], "target": ["b", "c", "d"], "weight": [4, 2, 3]})
    assert sampled.met_outside(edges).rows() == [("a", "b", 4)]
    assert held("abcdef", "ab", "cd", least=1).met_outside(edges).rows() == [("a", "b", 4), ("c", "d", 3)]


def test_nothing_is_asked_of_single_members_or_without_edges():
    sampled = held("abcdef", "abcdef")
    assert sampled.parts_of_one(GROUPS, EDGES.clear()).rows() == []
    alone = GROUPS.with_columns(community=pl.int_range(6, dtype=pl.UInt32))
    assert sampled.parts_of_one(alone, EDGES).rows() == []
