"""Crews planted in a log: what is told of them is what the jobs would find, and nothing else is touched."""

from __future__ import annotations

import shutil

import numpy as np
import polars as pl
import pytest
from scipy.stats import binomtest, fisher_exact

from propgraph.clusters.choices import own_choices
from propgraph.clusters.judge import flagged_members
from propgraph.errors import StudyError, UsageError
from propgraph.jobs.build import build
from propgraph.jobs.clusters import find_clusters
from propgraph.jobs.power import measure_power
from propgraph.options import PowerOptions
from propgraph.power.grid import MOST_ACCOUNTS, MOST_CREWS, MOST_OBJECTS, Cell, cells_of, searches_of
from propgraph.power.plants import material_of, plant
from propgraph.power.results import results_of
from propgraph.power.search import Search
from propgraph.schema import POWER
from propgraph.study import Study

N_ACCOUNTS, N_STORIES = 1_500, 60


def crowd():
    """A log in which nobody acts together: stories of 60 to 140 shares, most of them soon, by whoever is there."""
    random = np.random.default_rng(5)
    rows = []
    for story in range(N_STORIES):
        size = int(random.integers(60, 140))
        at = story * 20_000 + np.sort(random.exponential(9_000, size)).astype(int)
        rows += [
            (f"u{a}", f"s{story}", int(t))
            for a, t in zip(random.integers(0, N_ACCOUNTS, size), at, strict=True)
        ]
    log = pl.DataFrame(rows, ["account_id", "object_id", "timestamp"], orient="row")
    return log.with_columns(
        content_id=pl.format("p{}", pl.int_range(pl.len())),
        timestamp=pl.from_epoch(pl.col("timestamp") + 1_600_000_000).dt.replace_time_zone("UTC"),
    )


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crowd")
    crowd().write_parquet(folder / "log.parquet")
    return find_clusters(build([folder / "log.parquet"], folder / "study"))


@pytest.fixture
def own(study, tmp_path):
    return Study.open(shutil.copytree(study.path, tmp_path / "study"))


def planted(study, cells, seed):
    material = material_of(study, ["object"], most_objects=10)
    return plant(study, material, cells, turnout=1.0, seed=seed)


def rebuilt(study, plants, folder):
    """Return the clusters of a log with crews, by the two jobs, from rows that are read again."""
    folder.mkdir()
    columns = ["content_id", "account_id", "object_id", "timestamp"]
    pl.concat([study.posts, plants.posts]).select(columns).write_parquet(folder / "log.parquet")
    return find_clusters(build([folder / "log.parquet"], folder / "study"))


def is_flagged(study, plants):
    members = flagged_members(study.clusters, study.members)
    return members.filter(pl.col("account_id").is_in(plants.crews["account_id"].implode()))


@pytest.mark.parametrize("cell", [Cell(8, 8, 60.0), Cell(20, 5, 600.0), Cell(6, 4, 21_600.0)])
def test_a_crew_is_found_as_the_jobs_would_find_it(study, tmp_path, cell):
    plants = planted(study, [cell], [3, 1])
    whole = rebuilt(study, plants, tmp_path / "a")
    judged = Search(study, *own_choices(study), 2).judged(plants)
    assert judged.members.select("account_id", "cluster_id", "evidence").equals(
        whole.members.select("account_id", "cluster_id", "evidence")
    )
    for name in ("score", "flags", "innocent", "n_accounts", "p_value"):
        assert judged.clusters[name].to_list() == whole.clusters[name].to_list()
    assert whole.clusters["flagged"].any() == (cell.n_objects > 4)


def test_held_out_crews_fall_into_the_band(own, tmp_path):
    """Crews that were drawn anew and went through both jobs, at a cell found mostly, now and then, and hardly ever."""
    cells = [Cell(8, 6, 300.0), Cell(8, 4, 300.0), Cell(8, 4, 3_600.0)]
    told = measure_power(own, sizes=[8], objects=[4, 6], spans=[300, 3_600], runs=16, seed=1).power
    for cell, n_draws in zip(cells, (2, 8, 2), strict=True):
        n_told = told.filter(n_objects=cell.n_objects, span_s=cell.span_s).item(0, "n_flagged")
        held_out = 0
        for draw in range(n_draws):
            plants = planted(own, [cell], [1_000, draw])
            found = is_flagged(
                rebuilt(own, plants, tmp_path / f"{cell.n_objects}-{cell.span_s}-{draw}"), plants
            )
            held_out += found.height * 2 >= cell.n_accounts
        # Two samples of one chance.
        table = [[held_out, n_draws - held_out], [n_told, 16 - n_told]]
        assert fisher_exact(table).pvalue > 0.01, (cell, held_out, n_told)
        if n_told in (0, 16):  # then few tell
            assert held_out == (n_draws if n_told else 0)


def test_the_more_a_crew_does_the_likelier_it_is_found(own):
    done = measure_power(own, sizes=[4, 12], objects=[2, 10], spans=[20, 40_000], runs=4)
    power = {row[:3]: row[3] for row in done.power.select(*POWER.key, "n_flagged").iter_rows()}
    assert power[4, 2, 40_000.0] == 0
    assert power[12, 10, 20.0] == 4
    assert done.power["n_planted"].to_list() == [4] * 8


def test_the_table(own):
    table = measure_power(own, sizes=[12, 4], objects=[10], spans=[3600, 20], runs=3, turnout=0.5).power
    assert table.schema == POWER.dtypes
    assert table.select(POWER.key).rows() == [
        (4, 10, 20.0),
        (4, 10, 3600.0),
        (12, 10, 20.0),
        (12, 10, 3600.0),
    ]
    assert table["turnout"].unique().to_list() == [0.5]
    for row in table.iter_rows(named=True):
        assert row["power"] == row["n_flagged"] / 3
        interval = binomtest(row["n_flagged"], 3).proportion_ci(method="wilson")
        assert (row["power_low"], row["power_high"]) == (interval.low, interval.high)
        assert row["power_low"] <= row["power"] <= row["power_high"]
        # Half of the members at least in a flagged crew, less in any other.
        assert row["recall"] >= row["power"] / 2


def test_nothing_else_of_the_study_changes(own):
    before = {path.name: path.read_bytes() for path in own.path.iterdir()}
    records = own.run
    done = measure_power(own, sizes=[5], objects=[4], spans=[60], runs=1)
    after = {path.name: path.read_bytes() for path in done.path.iterdir()}
    assert {name for name in after if after[name] != before.get(name)} == {"power.parquet", "run.json"}
    assert {job: done.run[job] for job in records} == records
    record = done.run["power"]
    assert record["of"] == {job: records[job]["id"] for job in ("build", "clusters")}
    assert (record["trace"], record["notes"], record["counts"]["searches"]) == ("object", [], 1)
    assert record["parameters"]["sizes"] == [5]
    # It is about the clusters that were there.
    assert "power" not in find_clusters(done, min_score=0.9).run
    assert "power" not in Study.open(done.path).tables


def test_the_same_bytes_with_the_same_seed(own, study, tmp_path):
    other = Study.open(shutil.copytree(study.path, tmp_path / "other"))
    asked = {"sizes": [5, 8], "objects": [4, 8], "spans": [30], "runs": 2}
    one, two = measure_power(own, **asked, threads=1), measure_power(other, **asked, threads=2)
    assert one.file("power").read_bytes() == two.file("power").read_bytes()
    material = material_of(study, ["object"], most_objects=10)
    posts = [plant(study, material, [Cell(5, 4, 9)], turnout=1, seed=[seed, 0]).posts for seed in (0, 0, 1)]
    assert posts[0].equals(posts[1])
    assert not posts[0].equals(posts[2])


def test_crews_do_what_is_said_of_them(study):
    cells = [Cell(5, 4, 60.0), Cell(8, 6, 0.0), Cell(3, 5, 7_200.0)]
    plants = planted(study, cells, [7])
    log = study.posts
    assert not set(plants.posts["content_id"]) & set(log["content_id"])
    assert plants.posts["content_id"].n_unique() == plants.posts.height
    assert plants.crews.group_by("crew").len().sort("crew")["len"].to_list() == [5, 8, 3]
    assert not set(plants.crews["account_id"]) & set(log["account_id"])
    assert set(plants.posts["object_id"]) <= set(log["object_id"])
    assert plants.accounts["account_id"].to_list() == plants.crews["account_id"].sort().to_list()
    assert plants.accounts["n_posts"].sum() == plants.posts.height
    posts = plants.posts.join(plants.crews, on="account_id")
    held = set()
    for k, cell in enumerate(cells):
        by_object = (
            posts.filter(crew=k)
            .group_by("object_id")
            .agg(pl.col("account_id").n_unique(), pl.col("timestamp").sort())
        )
        common = by_object.filter(account_id=cell.n_accounts)
        assert common.height >= cell.n_objects
        for row in common.iter_rows(named=True):
            # So many posts in a row within the span; others of members are their ordinary ones.
            t = pl.Series(row["timestamp"]).dt.epoch("s")
            assert (t.shift(1 - cell.n_accounts) - t).min() <= cell.span_s
        assert not held & set(common["object_id"])
        held |= set(common["object_id"])


def test_ordinary_posts_keep_the_hours_of_an_account(study):
    plants = planted(study, [Cell(40, 1, 0.0)], [2])
    [common] = plants.posts["object_id"].mode().to_list()
    times = {
        frozenset(part["timestamp"])
        for part in study.posts.select("account_id", "timestamp").partition_by("account_id")
    }
    first = plants.posts.filter(object_id=common)["timestamp"].mode().item(0)
    hidden = plants.posts.filter(~((pl.col("object_id") == common) & (pl.col("timestamp") == first)))
    assert hidden["account_id"].n_unique() > 30
    for part in hidden.partition_by("account_id"):
        assert any(set(part["timestamp"]) <= own for own in times)
    # What it posts there somebody else posted within the hour.
    near = hidden.join(study.posts, on="object_id", suffix="_of")
    apart = (near["timestamp"] - near["timestamp_of"]).abs()
    assert near.filter(apart <= pl.duration(hours=1))["content_id"].n_unique() == hidden.height


def test_ids_that_look_planted_are_not_hit(tmp_path):
    log = crowd().with_columns(
        account_id=pl.when(pl.col("account_id") == "u7").then(pl.lit("planted-0")).otherwise("account_id"),
        content_id=pl.when(pl.col("content_id") == "p9")
        .then(pl.lit("planted1-post0"))
        .otherwise("content_id"),
    )
    log.write_parquet(tmp_path / "log.parquet")
    study = build([tmp_path / "log.parquet"], tmp_path / "study")
    assert material_of(study, ["object"], most_objects=4).prefix == "planted2-"


def test_crews_share_a_search_while_there_is_room():
    cells = cells_of(PowerOptions())
    assert len(cells) == 48
    large = searches_of(cells, runs=10, seed=0, n_accounts=500_000, n_objects=50_000)
    assert [len(crews) for crews in large] == [MOST_CREWS] * 20
    small = searches_of(cells, runs=10, seed=0, n_accounts=3_000, n_objects=100)
    for crews in small:
        assert len(set(crews)) == len(crews)
        if len(crews) > 1:
            assert sum(cell.n_accounts for cell in crews) <= MOST_ACCOUNTS * 3_000
            assert sum(cell.n_objects for cell in crews) <= MOST_OBJECTS * 100
    for searches in (large, small):
        assert sorted(cell for crews in searches for cell in crews) == sorted(cells * 10)


def test_what_is_counted():
    cells = [Cell(4, 6, 60.0), Cell(2, 6, 60.0)]
    crews = pl.DataFrame(
        {
            "account_id": ["a1", "a2", "a3", "a4", "b1", "b2"],
            "crew": pl.Series([0, 0, 0, 0, 1, 1], dtype=pl.UInt32),
        }
    )
    found = pl.DataFrame(
        [("a1", "c1"), ("a2", "c1"), ("b1", "c1"), ("new", "c1"), ("old", "c1"), ("away", "c2"), ("older", "c3")],
        ["account_id", "cluster_id"], orient="row",
    )  # fmt: skip
    made = results_of(cells, crews, found, before=pl.Series(["old", "older"]))
    assert made.crews.select("n_found", "flagged", "n_false").rows() == [(2, True, 1), (1, True, 0)]
    assert made.n_elsewhere == 1


def test_what_cannot_be_asked(own, tmp_path):
    crowd().write_parquet(tmp_path / "log.parquet")
    bare = build([tmp_path / "log.parquet"], tmp_path / "bare")
    with pytest.raises(StudyError, match="run `propgraph clusters` first"):
        measure_power(bare)
    with pytest.raises(StudyError, match="too small a log for any of these crews: the log has"):
        measure_power(own, sizes=[5], objects=[N_STORIES + 1])
    for options in (
        {"sizes": []}, {"sizes": [1]}, {"objects": [0]}, {"spans": [-1]}, {"turnout": 0}, {"runs": 0}, {"seed": -1},
        {"threads": 0},
    ):  # fmt: skip
        with pytest.raises(UsageError, match=next(iter(options))):
            measure_power(own, **options)


def test_crews_that_the_log_is_too_small_for_are_told(own):
    done = measure_power(own, sizes=[5], objects=[4, N_STORIES + 1], spans=[60], runs=1)
    [note] = done.run["power"]["notes"]
    assert note.startswith("1 of 2 kinds of crews are left out: the log has ")
    assert done.power["n_objects"].to_list() == [4]
