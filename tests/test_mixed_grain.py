"""Logs of files whose times are not equally fine: whole hours flag nobody, and a crew is found all the same."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest

from propgraph import build, find_clusters, measure_stability

DAY = 86_400
START = 1_709_600_000 // DAY * DAY
N_LINKS = 40


def cut(times, step):
    """Times (s) as a file has them: whole steps, or days of a zone."""
    if not isinstance(step, str):
        return times // step * step
    zone = ZoneInfo(step)
    days = [datetime.fromtimestamp(int(t), zone).replace(hour=0, minute=0, second=0) for t in times]
    return np.array([int(day.timestamp()) for day in days])


def shares(rng, name, n_accounts, step, *, starts, part=0.5, within_s=7200, together_s=None):
    """Accounts share some of the links, each on its own within two hours of a link's first; or all within seconds."""
    rows = []
    for link, start in enumerate(starts):
        first = start + rng.random() * within_s
        for account in range(n_accounts):
            if rng.random() < part:
                at = (
                    start + rng.random() * within_s
                    if together_s is None
                    else first + rng.random() * together_s
                )
                rows.append((f"{name}{account}", link, at))
    account, link, at = zip(*rows, strict=True)
    return pl.DataFrame(
        {
            "account_id": account, "content_id": [f"{name}-{k}" for k in range(len(rows))],
            "timestamp": cut(np.array(at, np.int64), step), "url": [f"https://s{k % 7}.example/{k}" for k in link],
        }
    )  # fmt: skip


def study(folder, *files):
    paths = []
    for k, file in enumerate(files):
        paths.append(folder / f"f{k}.csv")
        file.write_csv(paths[-1])
    return find_clusters(build(paths, folder / f"study{len(files)}").path)


def world(seed):
    rng = np.random.default_rng(seed)
    return rng, START + np.sort(rng.integers(0, 40 * DAY, N_LINKS))


def flagged(found):
    clusters = found.clusters.filter("flagged").select("cluster_id")
    return set(found.members.join(clusters, on="cluster_id")["account_id"])


MIXTURES = [
    [(8, 3600), (60, 1)], [(12, 900), (60, 1)], [(12, 10), (60, 1)], [(12, 60), (60, 1)], [(12, 10_000), (60, 1)],
    [(12, "Europe/Berlin"), (60, 1)], [(30, "Europe/Berlin"), (30, "America/New_York")],
    [(20, DAY), (20, 3600), (20, 60), (20, 1)], [(20, 7200), (30, 300)],
]  # fmt: skip


@pytest.mark.parametrize("mixture", MIXTURES)
def test_where_nobody_is_organised_nobody_is_flagged(tmp_path, mixture):
    rng, starts = world(1)
    files = [shares(rng, chr(97 + k), n, step, starts=starts) for k, (n, step) in enumerate(mixture)]
    found = study(tmp_path, *files)
    assert flagged(found) == set()
    assert not found.network["synchronised"].any()


@pytest.mark.parametrize("coarse", [3600, 900, 60, 10, "Europe/Berlin"])
def test_a_crew_in_seconds_is_found_beside_a_coarse_file(tmp_path, coarse):
    rng, starts = world(2)
    crew = shares(rng, "crew", 8, 1, starts=starts[::3], part=1, together_s=20)
    fine = pl.concat([shares(rng, "s", 60, 1, starts=starts, part=0.4), crew])
    found = study(tmp_path, fine, shares(rng, "h", 25, coarse, starts=starts))
    assert flagged(found) == {f"crew{k}" for k in range(8)}
    row = found.clusters.row(0, named=True)
    assert {"at-once", "in-step", "repetitive", "turnout", "within-seconds"} <= set(row["flags"])
    assert row["fast_share"] > 0.5
    runs = measure_stability(found.path, runs=4)
    assert runs.run["stability"].get("notes", []) == []  # the first finds all clusters again
    assert runs.stability.filter(cluster_id="c1")["holds_share"].item() >= 0.75


@pytest.mark.parametrize("coarse", [60, 10])
def test_a_crew_whose_accounts_stand_in_two_files_is_found_as_one(tmp_path, coarse):
    rng, starts = world(3)
    crew = shares(rng, "crew", 8, 1, starts=starts[::3], part=1, together_s=20)
    in_fine = crew["account_id"].str.contains("[0-3]$")
    other = crew.filter(~in_fine).with_columns(pl.col("timestamp") // coarse * coarse)
    found = study(
        tmp_path,
        pl.concat([shares(rng, "s", 40, 1, starts=starts), crew.filter(in_fine)]),
        pl.concat([shares(rng, "h", 40, coarse, starts=starts), other]),
    )
    assert flagged(found) == {f"crew{k}" for k in range(8)}


@pytest.mark.parametrize("step", [3600, 900, 60])
def test_a_coarse_file_is_judged_beside_a_finer_one_as_it_is_alone(tmp_path, step):
    rng, starts = world(4)
    wide = {"starts": starts, "within_s": 3 * DAY}
    crew = shares(rng, "crew", 8, step, starts=starts[::2], part=1, together_s=20, within_s=3 * DAY)
    coarse = pl.concat([shares(rng, "h", 40, step, **wide), crew])
    alone = study(tmp_path, coarse)
    assert flagged(alone) == {f"crew{k}" for k in range(8)}
    beside = study(tmp_path, coarse, shares(rng, "s", 60, 1, **wide))
    assert flagged(beside) == flagged(alone)
    assert "within-seconds" not in beside.clusters["flags"][0].to_list()
    assert beside.clusters["time_resolution_s"][0] == step
    if step > 60:  # no finer time has a part in it
        figures = [
            "observed",
            "expected",
            "window_rate",
            "outsider_rate",
            "turnout",
            "time_resolution_s",
            "fast_share",
        ]
        assert beside.clusters.select(figures).row(0) == alone.clusters.select(figures).row(0)
        assert beside.clusters["fast_share"][0] is None
        # No crew was found. The window's bound, of which the surer of two clocks is taken and so counts twice, is
        # told nowhere (see test_clusters_metrics).
        assert beside.clusters["p_value"][0] is alone.clusters["p_value"][0] is None


def test_platforms_of_one_file_are_told_apart(tmp_path):
    rng, starts = world(5)
    hours = shares(rng, "h", 8, 3600, starts=starts).with_columns(platform=pl.lit("vk"))
    fine = shares(rng, "s", 60, 1, starts=starts).with_columns(platform=pl.lit("x"))
    found = study(tmp_path, pl.concat([fine, hours]))
    assert flagged(found) == set()
    [note] = [note for note in found.run["build"]["notes"] if "whole hours" in note]
    assert "f0.csv (vk): times are whole hours" in note


@pytest.mark.parametrize(
    ("step", "seed"), [(3600, 11), (900, 12), (10_000, 13), (DAY, 14), ("Europe/Berlin", 15), (3600, 16)]
)
def test_exports_put_together_in_one_file_flag_nobody(tmp_path, step, seed):
    rng, starts = world(seed)
    coarse = shares(rng, "h", 8, step, starts=starts)
    fine = shares(rng, "s", 60, 1, starts=starts)
    found = study(tmp_path, pl.concat([fine, coarse]).sample(fraction=1.0, shuffle=True, seed=seed))
    assert flagged(found) == set()
    assert not found.network["synchronised"].any()
    step_s = DAY if isinstance(step, str) else step
    of_hours = pl.col("account_id").str.starts_with("h")
    assert found.posts.group_by(of_hours).agg(pl.col("time_resolution_s").unique()).sort("account_id").rows() == [
        (False, [1.0]), (True, [float(step_s)]),
    ]  # fmt: skip


@pytest.mark.parametrize("seed", [0, 1])
def test_accounts_that_stand_in_both_exports_of_one_file_are_not_flagged(tmp_path, seed):
    rng, starts = world(seed)
    hours = shares(rng, "a", 8, 3600, starts=starts).with_columns(pl.col("content_id") + "-by-the-hour")
    seconds = pl.concat([shares(rng, name, n, 1, starts=starts) for name, n in (("a", 8), ("s", 40))])
    found = study(tmp_path, pl.concat([seconds, hours]))
    assert flagged(found) == set()
    by_hour = pl.col("content_id").str.ends_with("hour")
    assert set(found.posts.filter(by_hour)["time_resolution_s"]) == {3600.0}


def test_a_crew_in_seconds_is_found_in_one_file_with_hours(tmp_path):
    rng, starts = world(17)
    crew = shares(rng, "crew", 8, 1, starts=starts[::3], part=1, together_s=20)
    fine = pl.concat([shares(rng, "s", 60, 1, starts=starts, part=0.4), crew])
    found = study(tmp_path, pl.concat([fine, shares(rng, "h", 12, 3600, starts=starts)]))
    assert flagged(found) == {f"crew{k}" for k in range(8)}


def test_a_crew_that_strikes_the_hour_is_judged_by_the_hour(tmp_path):
    rng, starts = world(18)
    wide = {"starts": starts, "within_s": 3 * DAY}
    crew = shares(rng, "crew", 8, 3600, starts=starts[::2], part=1, together_s=20, within_s=3 * DAY)
    log = pl.concat([shares(rng, "s", 60, 1, **wide), shares(rng, "h", 12, 3600, **wide), crew])
    found = study(tmp_path, log)
    assert flagged(found) == {f"crew{k}" for k in range(8)}
    row = found.clusters.filter("flagged").row(0, named=True)
    assert row["time_resolution_s"] == 3600
    assert "within-seconds" not in row["flags"]


def test_a_study_of_an_earlier_version_is_judged_by_its_one_resolution(tmp_path):
    rng, starts = world(6)
    found = study(tmp_path, shares(rng, "h", 40, 60, starts=starts))
    folder = found.path
    for table in ("posts", "shares"):
        old = pl.read_parquet(folder / f"{table}.parquet").drop("time_resolution_s")
        old.write_parquet(folder / f"{table}.parquet")
    edges = pl.read_parquet(folder / "edges.parquet")
    edges.with_columns(fast_share=1.0).write_parquet(folder / "edges.parquet")
    again = find_clusters(folder)
    assert again.clusters.equals(found.clusters)
