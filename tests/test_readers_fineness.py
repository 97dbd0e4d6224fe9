"""How fine times are is found file by file and platform by platform, and told of each post."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from same_tables import PLACES

from propgraph import build, read_log
from propgraph.readers.read import read_logs

START = 1_709_600_000 // 86_400 * 86_400


def rows(name, n, step_s, *, seed=0, platform=None):
    at = np.random.default_rng(seed).integers(0, 20 * 86_400, n) // step_s * step_s
    frame = pl.DataFrame(
        {
            "content_id": [f"{name}{k}" for k in range(n)],
            "account_id": [f"{name}u{k % 9}" for k in range(n)],
            "timestamp": START + at,
            "url": [f"https://s.example/{k % 30}" for k in range(n)],
        }
    )
    return frame if platform is None else frame.with_columns(platform=pl.lit(platform))


def written(folder, **frames):
    paths = []
    for name, frame in frames.items():
        paths.append(folder / f"{name}.csv")
        frame.write_csv(paths[-1])
    return paths


def by(posts, *columns):
    return posts.select(*columns, "time_resolution_s").unique().sort(columns).rows()


def test_each_file_has_its_own(tmp_path):
    logs = written(tmp_path, a=rows("a", 200, 1), b=rows("b", 100, 3600), c=rows("c", 100, 900))
    log = read_logs(logs)
    found = by(log.posts.with_columns(pl.col("content_id").str.head(1)), "content_id")
    assert found == [("a", 1.0), ("b", 3600.0), ("c", 900.0)]
    assert [source["time_resolution_s"] for source in log.sources] == [1.0, 3600.0, 900.0]
    assert [(one.path, one.n_posts) for one in log.times] == [
        (str(path), n) for path, n in zip(logs, (200, 100, 100), strict=True)
    ]


def test_each_platform_of_a_file_has_its_own(tmp_path):
    mixed = pl.concat([rows("a", 200, 1, platform="x"), rows("b", 100, 86_400, platform="vk")])
    log = read_logs(written(tmp_path, log=mixed.sample(fraction=1.0, shuffle=True, seed=1)))
    assert by(log.posts, "platform") == [("vk", 86_400.0), ("x", 1.0)]
    (source,) = log.sources
    assert source["time_resolution_s"] == 86_400
    assert source["time_resolution_s_by_platform"] == {"vk": 86_400.0, "x": 1.0}


def test_a_post_of_several_rows_counts_once(tmp_path):
    hours = rows("a", 500, 3600)
    finer = rows("b", 40, 1, seed=4)
    one = pl.concat([finer.head(1).with_columns(url=pl.lit(f"https://t.example/{k}")) for k in range(40)])
    assert set(read_log(*written(tmp_path, one=pl.concat([hours, one])))["time_resolution_s"]) == {3600.0}
    two = read_log(*written(tmp_path, two=pl.concat([hours, finer])))
    assert set(two.filter(pl.col("content_id").str.starts_with("b"))["time_resolution_s"]) == {1.0}


def test_many_small_files_of_one_kind_are_judged_together(tmp_path):
    hours = rows("a", 200, 3600)
    small = {f"day{k:03}": hours[k : k + 2] for k in range(0, 200, 2)}
    assert set(read_log(*written(tmp_path, **small))["time_resolution_s"]) == {3600.0}


def test_accounts_of_a_file_that_are_coarser_have_their_own_and_it_is_told(tmp_path):
    mixed = pl.concat([rows("a", 200, 1), rows("b", 100, 3600), rows("c", 200, 900)])
    [path] = written(tmp_path, log=mixed.sample(fraction=1.0, shuffle=True, seed=1))
    log = read_logs([path])
    found = by(log.posts.with_columns(pl.col("content_id").str.head(1)), "content_id")
    assert found == [("a", 1.0), ("b", 3600.0), ("c", 900.0)]
    assert [(one.what, one.n_posts, one.resolution_s) for one in log.times] == [
        (str(path), 200, 1.0), (f"{path} (posts of 9 accounts)", 200, 900.0),
        (f"{path} (posts of 9 accounts)", 100, 3600.0),
    ]  # fmt: skip
    assert log.sources[0]["time_resolution_s"] == 3600
    assert log.sources[0]["coarser_posts"] == [
        {"n_accounts": 9, "n_posts": n, "time_resolution_s": step}
        for n, step in ((200, 900.0), (100, 3600.0))
    ]
    notes = [note for note in build([path], tmp_path / "study").run["build"]["notes"] if "9 accounts" in note]
    assert [note.partition(": times are ")[0] for note in notes] == [f"{path} (posts of 9 accounts)"] * 2
    assert (
        "(where some posts of a file: it was put together of several, or they were made by a schedule)"
        in notes[0]
    )


def test_accounts_of_few_posts_a_file_are_looked_at_over_all_files_of_the_kind(tmp_path):
    mixed = pl.concat([rows("a", 200, 1), rows("b", 100, 3600)]).sample(fraction=1.0, shuffle=True, seed=1)
    cut = {f"part{k:02}": mixed[k : k + 4] for k in range(0, 300, 4)}
    paths = written(tmp_path, **cut)
    posts = read_log(*paths).with_columns(pl.col("content_id").str.head(1))
    assert by(posts.filter(pl.col("content_id") == "b"), "content_id") == [("b", 3600.0)]
    assert 3600.0 not in posts.filter(pl.col("content_id") == "a")["time_resolution_s"]
    assert read_log(*paths).equals(read_log(*reversed(paths)))


def test_accounts_apart_are_told_of_their_platform(tmp_path):
    mixed = pl.concat(
        [
            rows("a", 200, 1, platform="x"),
            rows("b", 100, 3600, platform="x"),
            rows("c", 90, 60, platform="vk"),
        ]
    )
    log = read_logs(written(tmp_path, log=mixed))
    assert [(one.what.rpartition(" (")[2], one.resolution_s) for one in log.times] == [
        ("vk)", 60.0), ("x)", 1.0), ("x, posts of 9 accounts)", 3600.0),
    ]  # fmt: skip
    assert log.sources[0]["time_resolution_s_by_platform"] == {"vk": 60.0, "x": 1.0}


def test_of_few_posts_nobody_knows(tmp_path):
    log = rows("a", 5, 1).with_columns(timestamp=pl.col("timestamp") * 1000 + 7 * pl.int_range(pl.len()) + 3)
    assert read_log(*written(tmp_path, log=log))["time_resolution_s"].to_list() == [None] * 5
    assert "time_resolution_s" not in read_logs([tmp_path / "log.csv"]).posts.columns


def test_shares_and_pseudonyms_carry_it(tmp_path):
    logs = written(tmp_path, a=rows("a", 200, 1), b=rows("b", 100, 3600))
    for options in ({}, {"pseudonymise": True}):
        study = build(logs, tmp_path / f"s{len(options)}", **options)
        assert study.run["build"]["time_resolution_s"] == 3600
        assert [source["time_resolution_s"] for source in study.run["build"]["inputs"]] == [1.0, 3600.0]
        notes = [note for note in study.run["build"]["notes"] if "whole hours" in note]
        assert [note.startswith(f"{logs[1]}: times are whole hours") for note in notes] == [True]
        for table in (study.posts, study.shares.filter(pl.col("trace") == "url")):
            counts = table["time_resolution_s"].value_counts(sort=True).rows()
            assert counts == [(1.0, 200), (3600.0, 100)]


@pytest.mark.parametrize("n_files", [1, 3])
def test_it_does_not_depend_on_the_order_of_rows_or_files(tmp_path, n_files):
    parts = {f"f{k}": rows(f"f{k}", 120, (1, 3600, 600)[k], seed=k) for k in range(n_files)}
    there = read_log(*written(tmp_path, **parts))
    shuffled = {name: part.sample(fraction=1.0, shuffle=True, seed=5) for name, part in parts.items()}
    back = read_log(*reversed(written(tmp_path, **shuffled)))
    assert there.drop(PLACES).equals(back.drop(PLACES))


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_a_post_in_two_exports_has_its_finer_time_whichever_is_read_first(tmp_path, names):
    minutes = rows("p", 300, 60)  # some of which are whole hours
    hours = minutes.with_columns(pl.col("timestamp") // 3600 * 3600)
    paths = written(tmp_path, **dict(zip(names, (minutes, hours), strict=True)))
    there, back = read_logs(paths), read_logs(reversed(paths))
    assert there.posts.drop(PLACES).equals(back.posts.drop(PLACES))
    assert there.rejected.equals(back.rejected)
    same = (minutes["timestamp"] % 3600 == 0).sum()
    assert 0 < same < 20
    assert there.posts.height == 300
    assert there.rejected["reason"].str.contains("the same with a finer time").sum() == 300 - same
    assert (
        there.posts.sort("content_id")["timestamp"]
        .dt.epoch("s")
        .equals(minutes.sort("content_id")["timestamp"], check_names=False)
    )
    assert set(there.posts.filter(pl.col("timestamp").dt.minute() > 0)["time_resolution_s"]) == {60.0}


def test_values_that_were_written_coarsely_are_no_finer(tmp_path):
    # Three numbers could lie anywhere; but 32-bit floats are 128 s apart there.
    log = rows("a", 3, 1).with_columns(pl.col("timestamp").cast(pl.Float32))
    log.write_parquet(tmp_path / "log.parquet")
    assert read_log(tmp_path / "log.parquet")["time_resolution_s"].to_list() == [128.0] * 3


@pytest.mark.parametrize(
    ("cells", "step_s"),
    [
        (("3/5/2024", "3/15/2024"), 86_400.0),
        (("2024-03-05", "2024-03-15"), 86_400.0),
        (("20240305", "20240315"), 86_400.0),
        (("2024-03-05 10:07", "2024-03-15 11:13"), 60.0),
        (("5 mars 2024 10:07", "15 mars 2024 11:13"), 60.0),
        # Some rows show seconds: those without may well be at a full minute.
        (("2024-03-05 10:07", "2024-03-15 11:13:21"), None),
        (("2024-03-05T10:07:11Z", "2024-03-15T11:13:21Z"), None),
    ],
)
def test_what_is_not_written_is_not_known_even_of_two_posts(tmp_path, cells, step_s):
    log = tmp_path / "log.csv"
    log.write_text("account_id,content_id,timestamp\n" + "".join(f"a,p{c},{c}\n" for c in cells))
    assert read_logs([log]).sources[0].get("time_resolution_s") == step_s


def test_a_column_of_dates_in_a_binary_file_tells_days(tmp_path):
    log = tmp_path / "log.parquet"
    days = pl.Series(["2024-03-05", "2024-03-15"]).str.to_date()
    pl.DataFrame({"account_id": ["a", "b"], "content_id": ["p", "q"], "timestamp": days}).write_parquet(log)
    assert read_logs([log]).sources[0]["time_resolution_s"] == 86_400.0


def test_a_file_of_two_posts_is_as_fine_as_the_others_of_its_kind(tmp_path):
    # Ten posts at whole minutes, cut into files: that two of them stand at whole hours is chance.
    minutes = [0, 1, 1, 60, 65, 90, 120, 121, 150, 160]
    frames = [rows(f"f{k}", 1, 1).with_columns(timestamp=START + 60 * m) for k, m in enumerate(minutes)]
    cut = [pl.concat([frames[0], frames[3]]), pl.concat(frames[1:3]), pl.concat(frames[4:])]
    paths = written(tmp_path, **{f"part{k}": part for k, part in enumerate(cut)})
    assert {source["time_resolution_s"] for source in read_logs(paths).sources} == {60.0}
