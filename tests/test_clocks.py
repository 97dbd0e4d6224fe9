"""Clocks that differ: two platforms that the same people post to at once, on clocks of different zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import clocks as reference
from same_tables import same
from typer.testing import CliRunner

from propgraph.cli.app import app
from propgraph.clocks import stretches
from propgraph.clocks.find import _first_rows
from propgraph.clocks.peaks import QUARTER_MS, find_peaks
from propgraph.jobs.build import build

DATA = Path(__file__).parents[2] / "shared" / "data"
HOUR, DAY = 3600, 86_400
START = int(datetime(2021, 1, 4, tzinfo=UTC).timestamp())
MAP = {name: name for name in ("account_id", "url", "timestamp", "platform")}


def cross_posted(
    n=300, *, shift=lambda time: 0 * time, lag=lambda draws, n: draws.normal(0, 20, n), days=20, seed=0
):
    """A log of links that 40 desks post on x and on fb within seconds, and that others share within hours.

    `shift`: by how many seconds fb's clock is ahead at each (true) time.
    """
    draws = np.random.default_rng(seed)
    time = START + draws.uniform(0, days * DAY, n)
    desk = draws.integers(0, 40, n)
    there = time + lag(draws, n)
    rows = [
        *zip([f"desk{k}" for k in desk], range(n), time, ["x"] * n, strict=True),
        *zip([f"desk{k}" for k in desk], range(n), there + shift(there), ["fb"] * n, strict=True),
    ]
    for platform, each in (("x", 4), ("fb", 2)):
        link = np.repeat(np.arange(n), each)
        late = np.repeat(time, each) + draws.exponential(5 * HOUR, link.size) + 300
        late = late + (shift(late) if platform == "fb" else 0)
        people = draws.integers(0, 500, link.size)
        rows += zip([f"p{k}" for k in people], link.tolist(), late, [platform] * link.size, strict=True)
    return pl.DataFrame(
        {
            "account_id": [row[0] for row in rows],
            "url": [f"https://news.example/{row[1]}" for row in rows],
            "timestamp": [int(row[2]) for row in rows],
            "platform": [row[3] for row in rows],
        }
    )


def built(log, tmp_path, mapping=MAP, **options):
    study = build(log, tmp_path / "study", mapping=mapping, overwrite=True, **options)
    return study, study.run["build"].get("clocks")


def offsets(clocks):
    return [
        (one["name"], one["reference"], [part["ahead_s"] for part in one["stretches"]])
        for one in clocks["compared"]
    ]


def notes(study):
    return [note for note in study.run["build"]["notes"] if "clocks differ" in note]


# --- found ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ahead", [4 * HOUR, -5 * HOUR, 20_700, 14 * HOUR])  # 20,700 s: Kathmandu
def test_an_offset_is_told_and_nothing_moved(ahead, tmp_path):
    log = cross_posted(shift=lambda time: ahead + 0 * time)
    study, clocks = built(log, tmp_path)
    assert offsets(clocks) == [("fb", "x", [ahead])]
    assert clocks["by"] == "platform"
    assert not clocks["aligned"]
    [note] = notes(study)
    assert "--align-clocks" in note
    assert "a tool that posts everything again that much later" in note
    assert sorted(study.posts["timestamp"].dt.epoch("s")) == sorted(log["timestamp"])


def test_the_note_says_hours_and_minutes(tmp_path):
    study, _ = built(cross_posted(shift=lambda time: -20_700 + 0 * time), tmp_path)
    assert "by the clock of x, times of fb are 5 h 45 min behind:" in notes(study)[0]


def test_aligned_posts_are_those_of_a_log_on_one_clock(tmp_path):
    right, _ = built(cross_posted(), tmp_path / "right")
    moved, clocks = built(
        cross_posted(shift=lambda time: 4 * HOUR + 0 * time), tmp_path / "off", align_clocks=True
    )
    assert clocks["aligned"]
    [part] = clocks["compared"][0]["stretches"]
    assert part["n_rows"] == 900
    assert (part["from"], part["to"]) == (None, None)
    assert "they were moved to the clock of x" in notes(moved)[0]
    for name in ("posts", "shares", "objects", "edges", "accounts", "cascades"):
        own, other = getattr(moved, name), getattr(right, name)
        made = [column for column in ("content_id", "parent_content_id") if column in own.columns]
        # Ids are made from the times as they were written.
        assert own.drop(made).equals(other.drop(made)), name


def test_steps_at_summer_time_are_found_to_the_day(tmp_path):
    berlin = ZoneInfo("Europe/Berlin")

    def local(time):
        return np.array([datetime.fromtimestamp(t, berlin).utcoffset() // timedelta(seconds=1) for t in time])

    log = cross_posted(1500, shift=local, days=340)
    moved, clocks = built(log, tmp_path, align_clocks=True)
    [one] = clocks["compared"]
    assert [part["ahead_s"] for part in one["stretches"]] == [HOUR, 2 * HOUR, HOUR]
    # Berlin puts its clocks forward at 2 h on 28 March 2021, and back at 3 h on 31 October.
    assert [part["from"] for part in one["stretches"]] == [
        None,
        "2021-03-28T02:00:00Z",
        "2021-10-31T03:00:00Z",
    ]
    assert [part["to"] for part in one["stretches"]] == ["2021-03-28T02:00:00Z", "2021-10-31T03:00:00Z", None]
    right, _ = built(cross_posted(1500, days=340), tmp_path / "right")
    apart = moved.posts["timestamp"].sort() != right.posts["timestamp"].sort()
    assert apart.sum() <= 2 * 3  # only those of the hour that the clocks show twice
    assert (
        "1 h ahead to 2021-03-28, 2 h ahead from 2021-03-28 to 2021-10-31, 1 h ahead from" in notes(moved)[0]
    )


def test_a_clock_that_is_right_in_winter(tmp_path):
    summer = START + 60 * DAY
    log = cross_posted(600, shift=lambda time: np.where(time > summer, HOUR, 0), days=120)
    _, clocks = built(log, tmp_path)
    assert offsets(clocks) == [("fb", "x", [0, HOUR])]
    start = datetime.fromisoformat(clocks["compared"][0]["stretches"][1]["from"]).timestamp()
    assert abs(start - summer) < DAY


def test_platforms_are_put_right_through_one_another(tmp_path):
    """Telegram has nothing in common with x, but with fb; both are off."""
    one = cross_posted(shift=lambda time: HOUR + 0 * time)
    other = cross_posted(seed=1).filter(pl.col("platform") == "x")
    ours = [("fb", HOUR), ("telegram", 3 * HOUR)]
    again = [
        other.with_columns(
            pl.lit(name).alias("platform"),
            pl.col("url") + "#b",
            pl.col("timestamp") + ahead,
            account_id="account_id",
        ).with_columns(pl.col("url").str.replace("news", "other"))
        for name, ahead in ours
    ]
    log = pl.concat([one, *again])
    most = pl.DataFrame({
        "account_id": "z", "url": [f"https://z.example/{k}" for k in range(3000)],
        "timestamp": np.arange(3000) + START, "platform": "x",
    })  # fmt: skip
    _, clocks = built(pl.concat([log, most]), tmp_path)
    assert offsets(clocks) == [("fb", "x", [HOUR]), ("telegram", "x", [3 * HOUR])]
    assert [one["compared_with"] for one in clocks["compared"]] == ["x", "fb"]


def test_by_how_ids_begin(tmp_path):
    log = cross_posted(shift=lambda time: 4 * HOUR + 0 * time)
    log = log.select(pl.col("platform") + "_" + pl.col("account_id"), "url", "timestamp").rename(
        {"platform": "account_id"}
    )
    _, clocks = built(log, tmp_path, {name: name for name in log.columns})
    assert clocks["by"] == "account ids"
    assert offsets(clocks) == [("fb", "x", [4 * HOUR])]


def test_by_file(tmp_path):
    log = cross_posted(shift=lambda time: 4 * HOUR + 0 * time)
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for path, platform in zip(paths, ("x", "fb"), strict=True):
        log.filter(platform=platform).drop("platform").write_csv(path)
    mapping = {name: name for name in ("account_id", "url", "timestamp")}
    _, clocks = built(paths, tmp_path, mapping)
    assert clocks["by"] == "file"
    assert offsets(clocks) == [(str(paths[1]), str(paths[0]), [4 * HOUR])]
    back, turned = built(paths[::-1], tmp_path / "back", mapping, align_clocks=True)
    assert offsets(turned) == offsets(clocks)
    assert back.posts["timestamp"].dt.epoch("s").sort().to_list() != log["timestamp"].sort().to_list()


def test_rows_in_any_order(tmp_path):
    log = cross_posted(shift=lambda time: 4 * HOUR + 0 * time)
    one, told = built(log, tmp_path / "one", align_clocks=True)
    other, again = built(
        log.sample(fraction=1.0, shuffle=True, seed=3), tmp_path / "other", align_clocks=True
    )
    assert told == again
    assert notes(one) == notes(other)
    for name in ("posts", "shares", "edges"):
        assert same(one, other, name)


def test_times_of_parents_move_with_their_posts(tmp_path):
    log = cross_posted(shift=lambda time: 4 * HOUR + 0 * time).with_row_index("content_id")
    late = log.filter(platform="fb").select(
        "url", "platform", account_id=pl.lit("late"), content_id=pl.col("content_id") + 10_000,
        parent_content_id="content_id", parent_timestamp="timestamp", timestamp=pl.col("timestamp") + 5,
        kind=pl.lit("reshare"),
    ).head(50)  # fmt: skip
    log = pl.concat([log, late], how="diagonal").with_columns(
        pl.col("content_id", "parent_content_id").cast(pl.String)
    )
    mapping = {name: name for name in log.columns}
    study, _ = built(log, tmp_path, mapping, align_clocks=True)
    after = study.posts.filter(pl.col("parent_timestamp").is_not_null())
    assert after.height == 50
    assert (after["timestamp"] - after["parent_timestamp"]).unique().to_list() == [timedelta(seconds=5)]


def test_times_of_parents_by_their_ids_stay(tmp_path):
    """Ids of X say when a post was made, whatever zone the file's times are of."""
    log = cross_posted(shift=lambda time: 4 * HOUR + 0 * time).with_columns(
        pl.col("platform").replace({"x": "telegram", "fb": "x"})
    )
    made = (START * 1000 + 123 - 1_288_834_974_657) << 22
    log = log.with_row_index("content_id").with_columns(
        pl.col("content_id").cast(pl.String), parent_content_id=pl.lit(None, pl.String),
        parent_timestamp=pl.lit(None, pl.Int64), kind=pl.lit("original"),
    )  # fmt: skip
    one = pl.DataFrame({
        "content_id": ["r", "s"], "account_id": ["q", "q"], "url": ["https://q.example"] * 2,
        "timestamp": [START + 4 * HOUR + 9] * 2, "platform": ["x", "x"], "parent_content_id": [str(made), "7"],
        "parent_timestamp": [START * 1000 + 123, START * 1000 + 4 * HOUR * 1000], "kind": ["reshare"] * 2,
    })  # fmt: skip
    log = pl.concat([log.with_columns(pl.col("timestamp") * 1000), one.with_columns(pl.col("timestamp") * 1000)],
                    how="diagonal")  # fmt: skip
    study, _ = built(log, tmp_path, {name: name for name in log.columns}, align_clocks=True)
    found = study.posts.filter(pl.col("parent_timestamp").is_not_null()).sort("content_id")
    assert found["timestamp"].dt.epoch("s").to_list() == [START + 9] * 2
    assert found["parent_timestamp"].dt.epoch("ms").to_list() == [START * 1000 + 123, START * 1000]


# --- not told ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("why", "log"),
    [
        ("clocks agree", cross_posted()),
        ("people react hours later", cross_posted(lag=lambda draws, n: draws.normal(2 * HOUR, 1200, n))),
        ("people react when they like", cross_posted(lag=lambda draws, n: draws.exponential(3 * HOUR, n))),
        ("whole hours", cross_posted(shift=lambda time: 4 * HOUR + 0 * time).with_columns(
            pl.col("timestamp") // HOUR * HOUR)),
        ("few common links", cross_posted(15, shift=lambda time: 4 * HOUR + 0 * time)),
        ("one account's timetable", cross_posted(shift=lambda time: 4 * HOUR + 0 * time).with_columns(
            account_id=pl.when(pl.col("account_id").str.starts_with("desk")).then(pl.lit("one")).otherwise("account_id"))),
        ("posts at whole quarters", cross_posted(
            1000, lag=lambda draws, n: draws.geometric(0.3, n) * 900.0 - 900).with_columns(
            timestamp=pl.when(pl.col("account_id").str.starts_with("desk"))
            .then(pl.col("timestamp") // 900 * 900 + 2).otherwise("timestamp"))),
    ],
)  # fmt: skip
def test_not_told(why, log, tmp_path):
    study, clocks = built(log, tmp_path, align_clocks=True)
    assert notes(study) == [], why
    assert not clocks["aligned"]
    assert study.posts["timestamp"].dt.epoch("s").sort().to_list() == log["timestamp"].sort().to_list()


def test_a_timetable_beside_those_who_post_at_once_is_no_clock(tmp_path):
    """Two thirds come an hour later to the second, by many accounts; but a third comes at once."""
    log = cross_posted(600, lag=lambda draws, n: draws.normal(0, 20, n) + HOUR * (draws.random(n) < 0.67))
    study, clocks = built(log, tmp_path)
    assert offsets(clocks) == [("fb", "x", [0])]
    assert notes(study) == []


def test_all_by_a_timetable_looks_like_a_clock_and_is_left(tmp_path):
    log = cross_posted(lag=lambda draws, n: np.full(n, float(HOUR)))
    study, clocks = built(log, tmp_path)
    assert offsets(clocks) == [("fb", "x", [HOUR])]
    assert not clocks["aligned"]
    assert "looks the same" in notes(study)[0]


def test_one_platform_is_not_looked_at(tmp_path):
    study, clocks = built(cross_posted().with_columns(platform=pl.lit("x")), tmp_path, align_clocks=True)
    assert clocks is None
    assert notes(study) == []


def test_what_cannot_be_told_is_named(tmp_path):
    _, clocks = built(cross_posted(15), tmp_path)
    assert clocks["compared"] == []
    assert clocks["not_known"] == ["fb", "x"]


def test_the_command_tells_and_aligns(tmp_path):
    path = tmp_path / "log.csv"
    cross_posted(shift=lambda time: 4 * HOUR + 0 * time).write_csv(path)
    maps = [word for name in MAP for word in ("--map", f"{name}={name}")]
    told = CliRunner().invoke(app, ["build", str(path), "-o", str(tmp_path / "a"), *maps])
    assert told.exit_code == 0
    assert "clocks differ" in " ".join(told.stderr.split())
    moved = CliRunner().invoke(app, ["build", str(path), "-o", str(tmp_path / "b"), *maps, "--align-clocks"])
    assert "moved to the clock of x" in " ".join(moved.stderr.split())


# --- against the obvious -------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-1, 2)), min_size=1, max_size=40))
def test_first_rows_equal_the_dictionary(rows):
    rows = sorted(rows, key=lambda row: row[0])
    objects, group = np.array(rows, np.int64).T
    posts = np.random.default_rng(len(rows)).permutation(len(rows))
    of_posts = np.empty(len(rows), np.int8)
    of_posts[posts] = group
    found = _first_rows(objects.astype(np.uint32), posts.astype(np.uint32), of_posts, 3)
    assert found.tolist() == reference.firsts(rows)


@given(st.integers(0, 2**32), st.integers(-60, 60), st.integers(0, 60), st.integers(0, 200))
def test_peaks_equal_those_counted_one_by_one(seed, offset, n_there, n_anywhere):
    draws = np.random.default_rng(seed)
    there = offset * QUARTER_MS + draws.normal(0, 90_000, n_there)
    anywhere = np.where(draws.random(n_anywhere) < 0.5, draws.integers(-68, 69, n_anywhere) * QUARTER_MS,
                        draws.normal(0, 3 * QUARTER_MS, n_anywhere))  # fmt: skip
    difference = np.concatenate([there, anywhere]).astype(np.int64)
    pair = draws.integers(0, 50, difference.size)
    found = find_peaks(difference, pair)
    assert found.offset.tolist() == reference.peaks(difference.tolist(), pair.tolist())


@given(st.lists(st.lists(st.integers(0, 30), min_size=3, max_size=3), min_size=1, max_size=12))
def test_the_best_path_is_worth_as_much_as_the_best_of_all(counts):
    path = stretches._best_path(np.array(counts))
    worth = sum(day[o] for day, o in zip(counts, path.tolist(), strict=True))
    steps = int((path[1:] != path[:-1]).sum())
    assert worth - 20 * steps == reference.best_path(counts, 20)


# --- real ----------------------------------------------------------------------------------------------


@pytest.mark.skipif(not DATA.exists(), reason="the public data sets are not here (../shared/data)")
def test_the_german_log_is_four_hours_apart(tmp_path):
    study = build(DATA / "german_urls.parquet", tmp_path / "study")
    clocks = study.run["build"]["clocks"]
    assert offsets(clocks) == [("fb", "tw", [4 * HOUR])]
    [part] = clocks["compared"][0]["stretches"]
    # Counted by hand: see the first shares of each link on either platform.
    table = pl.read_parquet(DATA / "german_urls.parquet").group_by("object_id", pl.col("account_id").str.head(2)).agg(
        pl.col("timestamp_share").min()
    )  # fmt: skip
    both = table.filter(account_id="fb").join(table.filter(account_id="tw"), on="object_id")
    near = (both["timestamp_share"] - both["timestamp_share_right"] - 4 * HOUR).abs() <= 60
    assert 0 <= near.sum() - part["n_objects"] <= 0.05 * near.sum()  # each pair of posts counts once
    assert part["n_objects"] > 500
