"""Whole studies: what was planted holds, what is noise does not, and a run is what the jobs would make of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from propgraph.errors import StudyError, UsageError
from propgraph.jobs.build import build
from propgraph.jobs.clusters import find_clusters
from propgraph.jobs.stability import measure_stability
from propgraph.options import ClusterOptions
from propgraph.schema import STABILITY
from propgraph.stability.grid import grid_of
from propgraph.stability.rerun import rerun
from propgraph.stability.shared import shared_work

START = datetime(2020, 1, 1, tzinfo=UTC)
N_STORIES = 90
FAST, SLOW = [f"fast{k}" for k in range(5)], [f"slow{k}" for k in range(5)]


def planted():
    """A log of a crew within seconds, a crew minutes apart but always next to each other, and a crowd.

    The crowd posts each story in bursts, so that strangers meet within seconds here and there. Bursts and crews come
    at any time of the day: what always came at one hour, or before anybody else, would be a habit.
    """
    random = np.random.default_rng(11)
    rows = []
    for story in range(N_STORIES):
        name = f"story{story:02d}"
        day = story * 86_400
        crowd = random.choice(300, 100, replace=False)
        bursts = random.choice(random.integers(0, 80_000, 4), 100)
        at = [int(t) for t in bursts + random.integers(0, 900, 100)]
        rows += [(f"one{a:03d}", name, day + t) for a, t in zip(crowd, at, strict=True)]
        begin = int(random.integers(0, 84_000))
        crew, step = (FAST, 3) if story % 2 else (SLOW, 150)
        # In no order among themselves: otherwise only neighbours in that order would be synchronised.
        # Between the bursts, now here, now there: what always came at one hour would be a habit.
        begin = int(random.choice([11_000, 32_000, 52_000, 72_000]) + random.integers(0, 5_000))
        crew, step = (FAST, 3) if story % 2 else (SLOW, 2_000)
        rows += [
            (who, name, day + begin + step * k) for k, who in enumerate(random.permutation(crew).tolist())
        ]
    return log_of(rows)


def log_of(rows):
    return pl.DataFrame(
        {
            "content_id": [f"p{k}" for k in range(len(rows))],
            "account_id": [who for who, *_ in rows],
            "object_id": [what for _, what, _ in rows],
            "timestamp": [START + timedelta(seconds=when) for *_, when in rows],
        }
    )


def crowd_with_crew():
    """A log of a crew that posts every fifth story within half an hour, twelve of 24 at a time, and a crowd.

    Any two of the crew meet over seven stories, in no order: no pair stands out, only all together do.
    """
    random = np.random.default_rng(5)
    rows = []
    for story in range(150):
        name, day = f"story{story:03d}", story * 86_400
        crowd = random.choice(300, 100, replace=False)
        rows += [(f"one{a:03d}", name, day + int(random.integers(0, 86_000))) for a in crowd]
        if story % 5 == 0:
            begin = day + int(random.integers(0, 80_000))
            crew = random.choice(24, 12, replace=False)
            rows += [(f"crew{a:02d}", name, begin + int(random.integers(0, 1_800))) for a in crew]
    return log_of(rows)


def study_of(folder, log, *, time_window=60.0, **options):
    folder.mkdir(exist_ok=True)
    log.write_parquet(folder / "log.parquet")
    build([log_file := folder / "log.parquet"], folder / "study", time_window=time_window, overwrite=True)
    assert log_file.exists()
    return find_clusters(folder / "study", **options)


def groups(frame, name):
    return sorted(sorted(part["account_id"]) for part in frame.partition_by(name))


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    study = study_of(tmp_path_factory.mktemp("planted") / "a", planted())
    return measure_stability(study.path, runs=40, seed=1)


def test_what_was_planted_holds_and_what_is_noise_does_not(found):
    of = found.members.select("account_id", "cluster_id", "stability")
    held = dict(found.stability.select("cluster_id", "holds_share").iter_rows())
    crews = {}
    for crew in (FAST, SLOW):
        [name] = of.filter(pl.col("account_id").is_in(crew))["cluster_id"].unique().to_list()
        assert of.filter(cluster_id=name)["account_id"].to_list() == crew
        crews[name] = held[name]
    assert min(crews.values()) >= 0.9
    noise = [share for name, share in held.items() if name not in crews]
    assert noise
    assert max(noise) < 0.5
    in_crew = pl.col("cluster_id").is_in(list(crews))
    assert of.filter(in_crew)["stability"].min() > 0.8
    assert of.filter(~in_crew)["stability"].max() < 0.5


def test_the_tables_agree(found):
    table = found.stability
    assert table.schema == STABILITY.dtypes
    assert table["cluster_id"].to_list() == found.clusters["cluster_id"].to_list()
    assert table["n_runs"].unique().to_list() == [40]
    assert found.clusters["stability"].to_list() == table["jaccard_mean"].to_list()
    # Each campaign is one cluster here; together with others, none can be more like it.
    alone = found.campaigns.explode("cluster_ids")
    assert alone.height == found.campaigns.height >= 2
    held = dict(found.clusters.select("cluster_id", "stability").iter_rows())
    assert all(of >= held[name] > 0.5 for name, of in alone.select("cluster_ids", "stability").iter_rows())
    record = found.run["stability"]
    assert record["counts"]["campaigns"] == record["counts"]["campaigns_hold"] == found.campaigns.height
    assert record["notes"] == []  # the first run finds what the study has
    assert len(record["grid"]["runs"]) == 40
    levels = {
        f"{name}={level:g}"
        for name, found_ in record["grid"]["levels"].items()
        if name != "drawn"
        for level in found_
    }
    for row in table.iter_rows(named=True):
        assert set(row["vanishes"]) <= levels | {"drawn=no", "drawn=yes"}
        assert bool(row["vanishes"]) or row["holds_share"] >= 0.5


@pytest.mark.parametrize(
    "varied",
    [
        {"time_window": 30.0}, {"time_window": 120.0, "resolution": 2.0, "seed": 5}, {"neighbours": 25, "q": 0.2},
        {"drawn": True, "number": 3}, {"drawn": True, "number": 4, "time_window": 120.0, "q": 0.01},
    ],
)  # fmt: skip
def test_a_run_is_what_the_jobs_make_of_what_is_left(found, tmp_path, varied):
    mine, plain = both_ways(found, planted(), tmp_path / "b", ClusterOptions(), varied)
    assert {tuple(FAST), tuple(SLOW)} <= {tuple(group) for group in mine}
    assert mine == plain


def both_ways(study, log, folder, choices, varied):
    """Return the groups of one run, and those that the jobs find in what is left of the log."""
    grid = grid_of(["object"], choices, time_window=60.0, runs=40, seed=1)
    setting = replace(grid.settings[0], **varied)
    shared = shared_work(study, ["object"], grid, choices=choices, threads=2)
    mine = rerun(shared, setting, threads=2)
    objects = log["object_id"].unique().sort()
    left = objects.filter(pl.Series(setting.draw(len(objects), 0)))
    plain = study_of(
        folder, log.filter(pl.col("object_id").is_in(left.implode())), time_window=setting.time_window,
        q=setting.q, neighbours=setting.neighbours, resolution=setting.resolution, seed=setting.seed,
        evidence=choices.evidence,
    )  # fmt: skip
    return groups(mine, "cluster"), groups(plain.members, "cluster_id")


@pytest.fixture(scope="module")
def crew_only(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crew")
    return study_of(folder, crowd_with_crew(), evidence="synchrony")


@pytest.mark.parametrize(
    "varied", [{}, {"seed": 5}, {"drawn": True, "number": 3}, {"drawn": True, "number": 8, "seed": 2}]
)
def test_a_crew_for_which_no_pair_speaks_is_found_in_a_run_as_the_jobs_find_it(crew_only, tmp_path, varied):
    assert not crew_only.network["synchronised"].any()
    choices = ClusterOptions(evidence="synchrony")
    mine, plain = both_ways(crew_only, crowd_with_crew(), tmp_path / "b", choices, varied)
    assert [len(crew) >= 20 for crew in mine] == [True]
    assert mine == plain


def test_a_crew_for_which_no_pair_speaks_holds(crew_only):
    done = measure_stability(crew_only.path, runs=20)
    assert done.members["evidence"].unique().to_list() == ["crew"]
    assert done.run["stability"]["notes"] == []
    assert done.stability["holds_share"].item() >= 0.5


def test_several_traces(tmp_path):
    log = planted().with_columns(url=pl.format("https://site.example.org/{}", "object_id"))
    done = measure_stability(study_of(tmp_path / "a", log).path, runs=30)
    assert done.run["stability"]["notes"] == []
    assert done.run["stability"]["grid"]["levels"]["without"] == [None, "object", "url"]
    # Both traces tell the same: each may be missing.
    for crew in (FAST, SLOW):
        [name] = done.members.filter(pl.col("account_id").is_in(crew))["cluster_id"].unique().to_list()
        assert done.stability.row(by_predicate=pl.col("cluster_id") == name, named=True)["vanishes"] == []


@pytest.mark.parametrize("options", [{"evidence": "synchrony"}, {"evidence": "window"}, {"multiplex": True}])
def test_the_first_run_finds_the_study_again(tmp_path, options):
    study = study_of(tmp_path / "a", planted(), **options)
    assert study.clusters.height
    done = measure_stability(study.path, runs=1)
    assert done.stability["jaccard_mean"].to_list() == [1.0] * study.clusters.height
    assert done.members["stability"].to_list() == [1.0] * study.members.height


def test_the_same_bytes_on_any_number_of_threads_and_in_any_order(tmp_path):
    log = planted()
    one = study_of(tmp_path / "a", log)
    other = study_of(tmp_path / "b", log.sample(fraction=1, shuffle=True, seed=3))
    measure_stability(one.path, runs=6, seed=4, threads=1)
    measure_stability(other.path, runs=6, seed=4, threads=2)
    for name in ("stability", "clusters", "campaigns", "members"):
        assert one.file(name).read_bytes() == other.file(name).read_bytes()
    measure_stability(other.path, runs=6, seed=5)
    assert not one.stability.equals(other.stability)


def test_whom_ranks_find_need_not_have_met_in_the_window(tmp_path):
    # No two posts at one time, and a window of nothing: no edge at all. The slow crew is near in rank all the same.
    log = planted().filter(~pl.col("account_id").is_in(FAST))
    log = log.with_columns(pl.col("timestamp") + pl.duration(milliseconds=pl.int_range(pl.len())))
    study = study_of(tmp_path / "a", log, time_window=0.0)
    assert study.edges.is_empty()
    assert study.members["account_id"].to_list() == SLOW
    assert measure_stability(study.path, runs=1).stability["holds_share"].to_list() == [1.0]


def test_a_trace_named_twice_counts_once(tmp_path):
    study = study_of(tmp_path / "a", planted(), trace=["object", "object"])
    assert study.run["clusters"]["parameters"]["trace"] == ["object"]
    done = measure_stability(study.path, runs=4)
    assert "without" not in done.run["stability"]["grid"]["levels"]


def test_clusters_found_anew_have_no_stability_yet(found, tmp_path):
    study = study_of(tmp_path / "a", planted())
    assert study.clusters["stability"].null_count() == study.clusters.height
    assert study.campaigns["stability"].null_count() == study.campaigns.height > 0
    measure_stability(study.path, runs=2)
    assert "stability" in study.tables
    study = find_clusters(study.path)
    assert "stability" not in study.tables
    assert "stability" not in study.run
    assert study.members["stability"].null_count() == study.members.height


def test_no_clusters_at_all(tmp_path):
    log = planted().head(3)
    study = measure_stability(study_of(tmp_path / "a", log).path, runs=3)
    assert study.stability.schema == STABILITY.dtypes
    assert study.stability.is_empty()


def test_a_trace_over_which_nobody_could_meet(tmp_path):
    with pytest.raises(UsageError, match="'object' makes no network; no object was shared by two accounts"):
        study_of(tmp_path / "a", planted().head(1), trace=["object"])


def test_what_cannot_be_asked(found, tmp_path):
    planted().head(50).write_parquet(tmp_path / "log.parquet")
    build([tmp_path / "log.parquet"], tmp_path / "study")
    with pytest.raises(StudyError, match="run `propgraph clusters` first"):
        measure_stability(tmp_path / "study")
    for options in ({"runs": 0}, {"seed": -1}, {"threads": 0}):
        with pytest.raises(UsageError, match=next(iter(options))):
            measure_stability(found.path, **options)


def test_clusters_of_an_earlier_version_have_to_be_found_again(tmp_path):
    planted().head(50).write_parquet(tmp_path / "log.parquet")
    study = find_clusters(build([tmp_path / "log.parquet"], tmp_path / "study"))
    record = json.loads((study.path / "run.json").read_text(encoding="utf-8"))
    del record["clusters"]["tests_by_trace"]  # which earlier versions did not tell
    (study.path / "run.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(StudyError, match="run `propgraph clusters` again"):
        measure_stability(study.path)
