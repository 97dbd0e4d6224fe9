from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from same_tables import same

from propgraph.errors import InputError, StudyError, UsageError
from propgraph.jobs.build import build
from propgraph.jobs.clusters import find_clusters
from propgraph.schema import TABLES as ALL_TABLES
from propgraph.schema import tables_of
from propgraph.simulate.veles import simulate_veles
from propgraph.study import Study

CHOICES = {"time_window": 45.0, "min_participation": 2, "min_edge_weight": 2, "threads": 2}
# These stand from the highest score down.
OTHER_ORDER = {
    "clusters",
    "members",
    "evidence",
    "readings",
    "tried_readings",
    "recruiters",
    "sites",
    "costs",
    "pair_evidence",
}
TABLES = {name: table for name, table in ALL_TABLES.items() if table.job not in ("stability", "power")}


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    path = tmp_path_factory.mktemp("log") / "log.parquet"
    simulate_veles(n_accounts=600, n_days=5, n_sites=6, n_seeders=40).log.write_parquet(path)
    return path


@pytest.fixture(scope="module")
def built(log, tmp_path_factory):
    """The study as `build` leaves it."""
    return build([log], tmp_path_factory.mktemp("built") / "study", **CHOICES)


@pytest.fixture(scope="module")
def study(log, tmp_path_factory):
    """The study after both jobs."""
    path = tmp_path_factory.mktemp("study") / "study"
    build([log], path, **CHOICES)
    return find_clusters(path, seed=7)


def assert_same_bytes(one, other, names=TABLES):
    assert one.tables == other.tables
    differing = [name for name in names if not same(one, other, name)]
    for name in differing:
        assert_frame_equal(getattr(one, name), getattr(other, name), check_exact=True)
    assert differing == []


# --- the tables ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TABLES)
def test_tables_have_the_columns_of_the_schema(study, name):
    assert list(study.scan(name).collect_schema().items()) == list(TABLES[name].dtypes.items())


def test_each_job_makes_the_tables_that_are_its_own(built, study):
    made = tables_of("build")
    assert built.tables == [name for name in ALL_TABLES if name in made]
    assert set(study.tables) == {*made, *tables_of("clusters")}


@pytest.mark.parametrize("name", [name for name in TABLES if name not in OTHER_ORDER])
def test_tables_are_sorted_by_their_key(study, name):
    table = getattr(study, name)
    assert_frame_equal(table, table.sort(TABLES[name].key, nulls_last=False, maintain_order=True))
    # Sorted by Python's own rules too: text by code points.
    keys = [
        tuple((value is not None, value) for value in row) for row in table.select(TABLES[name].key).rows()
    ]
    assert keys == sorted(keys)


# What the user brings is empty without it; three sites of one operator need more of them than six; no goals are set.
MAY_BE_EMPTY = {"rejected", "site_facts", "own_columns", "operators", "boosts", "copies", "quotas"}


@pytest.mark.parametrize("name", [name for name in TABLES if name not in MAY_BE_EMPTY])
def test_tables_are_not_empty_and_their_keys_name_one_row(study, name):
    table = getattr(study, name)
    assert table.height > 0
    assert not table.select(TABLES[name].key).is_duplicated().any()


def test_posts_are_the_log(log, built):
    source = pl.read_parquet(log)
    same = [
        "content_id",
        "account_id",
        "timestamp",
        "kind",
        "parent_content_id",
        "origin_account_id",
        "target_id",
    ]
    assert_frame_equal(
        built.posts.select(same).sort("content_id"),
        source.select(same).sort("content_id"),
        check_dtypes=False,
    )


def test_accounts_and_objects_count_posts_and_shares(built):
    posts, shares = built.posts, built.shares
    counted = posts.group_by("account_id").agg(
        n_posts=pl.len(), first_seen=pl.col("timestamp").min(), last_seen=pl.col("timestamp").max()
    )
    n_shares = shares.group_by("account_id").agg(n_shares=pl.len())
    expected = counted.join(n_shares, on="account_id", how="left").with_columns(
        pl.col("n_shares").fill_null(0)
    )
    columns = ["account_id", "n_posts", "n_shares", "first_seen", "last_seen"]
    assert_frame_equal(
        built.accounts.select(columns), expected.select(columns).sort("account_id"), check_dtypes=False
    )
    of_objects = shares.group_by("trace", "object_id").agg(
        n_shares=pl.len(),
        n_accounts=pl.col("account_id").n_unique(),
        first_share=pl.col("timestamp").min(),
        first_account_id=pl.col("account_id").sort_by("timestamp", "account_id").first(),
    )
    columns = ["trace", "object_id", "n_shares", "n_accounts", "first_share", "first_account_id"]
    assert_frame_equal(
        built.objects.select(columns),
        of_objects.select(columns).sort("trace", "object_id"),
        check_dtypes=False,
    )


def test_profiles_come_from_the_log(log, built):
    source = (
        pl.read_parquet(log)
        .group_by("account_id")
        .agg(
            name=pl.col("account_name").sort_by("timestamp").last(),
            created_at=pl.col("account_created_at").min(),
            followers=pl.col("followers").max(),
        )
    )
    columns = ["account_id", "name", "created_at", "followers"]
    assert_frame_equal(built.accounts.select(columns), source.select(columns).sort("account_id"))


def test_tables_name_each_others_ids(study):
    posts = set(study.posts["content_id"])
    accounts = set(study.accounts["account_id"])
    assert set(study.shares["content_id"]) <= posts
    assert set(study.shares["account_id"]) <= accounts
    assert set(study.edges["source"]) | set(study.edges["target"]) <= accounts
    assert (study.edges["source"] < study.edges["target"]).all()
    assert set(study.cascade_nodes["cascade_id"]) == set(study.cascades["cascade_id"])
    assert set(study.members["account_id"]) <= accounts
    assert set(study.members["cluster_id"]) == set(study.clusters["cluster_id"])
    subjects = {"cluster": set(study.clusters["cluster_id"]), "site": set(study.sites["site"])}
    subjects["operator"] = set(study.operators["operator_id"])
    for kind, subject, content_ids in study.evidence.select(
        "subject_type", "subject_id", "content_ids"
    ).rows():
        if kind == "pair":
            assert set(subject.split(",")) <= accounts
        else:
            assert subject in subjects[kind]
        assert 0 < len(content_ids) <= (24 if kind in ("pair", "operator") else 20)
        assert set(content_ids) <= posts


# --- rows in = posts + rejected --------------------------------------------------------------------------


def test_every_row_is_a_post_or_rejected(log, tmp_path):
    source = pl.read_parquet(log).with_columns(pl.col("timestamp").dt.to_string("iso:strict"))
    # Another's post, and a post once more; of each id there are good rows too.
    other = source.filter(pl.col("account_id") != source["account_id"][0])["account_id"][0]
    doubtful = source.head(6).with_columns(
        content_id=pl.Series(["x1", "x2", "x3", "x4", source["content_id"][0], source["content_id"][5]]),
        account_id=pl.Series([None, "u2", "u3", "u4", other, source["account_id"][5]]),
        timestamp=pl.Series(["", "", "yesterday", "1712-01-01T00:00:00Z", *source["timestamp"][4:6]]),
    )
    dirty = tmp_path / "dirty.csv"
    pl.concat([source, doubtful]).write_csv(dirty)
    made = build([dirty], tmp_path / "study")
    counts = made.run["build"]["counts"]
    assert counts["rows"] == source.height + 6
    assert counts["rows"] == counts["posts"] + counts["rejected"]
    assert (counts["posts"], counts["rejected"]) == (made.posts.height, made.rejected.height)
    assert counts["rejected"] == 6
    assert sum(made.run["build"]["rejected_by_reason"].values()) == 6
    assert sorted(reason.split(":")[0] for reason in made.rejected["reason"]) == [
        "account_id", "content_id", "duplicate", "timestamp", "timestamp", "timestamp"
    ]  # fmt: skip


def test_all_rows_of_a_clean_log_are_posts(log, built):
    counts = built.run["build"]["counts"]
    assert counts["rows"] == counts["posts"] == built.posts.height == pl.read_parquet(log).height
    assert counts["rejected"] == built.rejected.height == 0


# --- the run record --------------------------------------------------------------------------------------


def test_the_run_record_tells_how_the_study_was_made(log, study):
    run = json.loads((study.path / "run.json").read_text(encoding="utf-8"))
    assert list(run) == ["build", "clusters"]
    made = run["build"]
    assert {"python", "propgraph", "polars", "numba", "numpy", "igraph"} <= set(made["versions"])
    assert made["versions"]["polars"] == pl.__version__
    assert made["parameters"] == CHOICES | {
        "logs": [str(log)], "format": None, "map": {}, "trace": None, "edge_weight": "objects", "edge_quantile": 0.0,
        "burst_cap": 1000, "encoding": None, "skip_lines": None, "time_format": None, "time_zone": None, "keep": None,
        "resolved": None, "pseudonymise": False, "key": None, "parents": None, "follows": None, "sites": None,
        "samples": 100, "seed": 0, "align_clocks": False,
    }  # fmt: skip
    (source,) = made["inputs"]
    assert source["sha256"] == hashlib.sha256(log.read_bytes()).hexdigest()
    assert (source["path"], source["bytes"]) == (str(log), log.stat().st_size)
    assert source["rows"] == pl.read_parquet(log).height
    for name in ("posts", "rejected", "accounts", "shares", "objects", "cascades", "edges"):
        assert made["counts"][name] == getattr(study, name).height
    by_trace = study.edges.group_by("trace").len().rows()
    assert made["edges_by_trace"] == dict(sorted(by_trace))
    steps = [step["step"] for step in made["steps"]]
    told = "read, traces, clocks, window, accounts and objects, cascades, edges, write"
    assert ", ".join(steps) == told
    for job in run.values():
        assert sum(step["wall_s"] for step in job["steps"]) <= job["wall_s"] + 0.01
        assert all(step["peak_memory_mb"] > 10 for step in job["steps"])
    found = run["clusters"]
    assert found["parameters"]["seed"] == 7
    assert found["counts"]["clusters"] == study.clusters.height
    assert found["counts"]["members"] == study.members.height
    assert found["counts"]["sites"] == study.sites.height
    assert found["counts"]["flagged_clusters"] == study.clusters["flagged"].sum() > 0


# --- the same input gives the same bytes -----------------------------------------------------------------


def test_bytes_depend_on_neither_order_nor_threads(log, study, tmp_path):
    # The other study comes from shuffled rows, in a process that has a single thread for everything.
    shuffled = tmp_path / "log.parquet"
    pl.read_parquet(log).sample(fraction=1, shuffle=True, seed=1).write_parquet(shuffled)
    script = (
        "import sys; from propgraph import build, find_clusters; "
        f"build([sys.argv[1]], sys.argv[2], **{CHOICES | {'threads': 1}!r}); find_clusters(sys.argv[2], seed=7)"
    )
    alone = os.environ | {"POLARS_MAX_THREADS": "1", "NUMBA_NUM_THREADS": "1", "PYTHONHASHSEED": "5"}
    subprocess.run([sys.executable, "-c", script, shuffled, tmp_path / "other"], env=alone, check=True)
    assert_same_bytes(study, Study.open(tmp_path / "other"))


def test_bytes_do_not_depend_on_how_the_log_is_cut_into_files(log, built, tmp_path):
    (tmp_path / "logs").mkdir()
    rows = pl.read_parquet(log)
    for number, start in enumerate(range(0, rows.height, 1000)):
        rows[start : start + 1000].write_parquet(tmp_path / "logs" / f"{9 - number}.parquet")
    other = build([tmp_path / "logs"], tmp_path / "other", **CHOICES)
    assert len(other.run["build"]["inputs"]) == 4
    assert_same_bytes(built, other, built.tables)


def test_bytes_are_the_same_time_after_time(study):
    # A sum of floats in another order shows in its last digit, but not each time.
    first = {name: study.file(name).read_bytes() for name in study.tables}
    for _ in range(5):
        find_clusters(study.path, seed=7)
        assert {name for name in first if study.file(name).read_bytes() != first[name]} == set()


# --- coarse times ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def minutes(tmp_path_factory):
    """Three crowds of five who post twenty links within the same minutes, among people who do not; no seconds."""
    rng = np.random.default_rng(3)
    rows = []
    for link in range(60):
        start = 1000 * link + 5
        crowd = link % 3
        rows += [(f"c{crowd}{k}", link, start) for k in range(5)]
        rows += [(f"u{rng.integers(200)}", link, start + int(rng.integers(900))) for _ in range(20)]
    table = pl.DataFrame(rows, schema=["account_id", "link", "minute"], orient="row").with_row_index(
        "content_id"
    )
    path = tmp_path_factory.mktemp("minutes") / "log.csv"
    table.select(
        pl.format("p{}", "content_id").alias("content_id"),
        "account_id",
        (1_600_000_020 + 60 * pl.col("minute")).alias("timestamp"),
        pl.format("https://a.example/{}", "link").alias("url"),
    ).write_csv(path)
    return path


def test_how_fine_the_times_are_is_found_told_and_heeded(minutes, tmp_path):
    made = build([minutes], tmp_path / "study")
    assert made.run["build"]["time_resolution_s"] == 60
    assert any(
        note.startswith("times are whole minutes: a window of 60 s") for note in made.run["build"]["notes"]
    )
    rules = set(find_clusters(made.path, evidence="window").evidence["rule"])
    assert {"in-step", "repetitive"} <= rules
    assert "within-seconds" not in rules
    wide = build([minutes], tmp_path / "wide", time_window=120)
    assert not any("times are whole" in note for note in wide.run["build"]["notes"])


def test_a_study_of_an_earlier_version_is_judged_as_it_was(minutes, tmp_path):
    made = build([minutes], tmp_path / "study")
    for name in ("posts", "shares", "edges"):
        table = pl.read_parquet(made.path / f"{name}.parquet")
        table = table.with_columns(fast_share=1.0) if name == "edges" else table.drop("time_resolution_s")
        table.write_parquet(made.path / f"{name}.parquet")
    for known, told in ((60.0, False), (None, True)):  # before that nobody asked how fine times are
        run = made.run
        run["build"]["time_resolution_s"] = known
        (made.path / "run.json").write_text(json.dumps(run))
        rules = set(find_clusters(made.path, evidence="window").evidence["rule"])
        assert ("within-seconds" in rules) == told


def test_no_reshare_is_fast_by_whole_minutes(tmp_path):
    start = datetime(2020, 9, 13, tzinfo=UTC)
    rows = [("o", "author", start, "original", None)]
    rows += [(f"r{k}", f"u{k}", start + timedelta(seconds=k % 7), "reshare", "o") for k in range(60)]
    names = ["content_id", "account_id", "timestamp", "kind", "parent_content_id"]
    seconds = pl.DataFrame(rows, schema=names, orient="row")
    minutes = seconds.with_columns(pl.col("timestamp").dt.truncate("1m"))
    for name, table, fast in (("s", seconds, True), ("m", minutes, False)):
        table.write_parquet(tmp_path / f"{name}.parquet")
        made = build([tmp_path / f"{name}.parquet"], tmp_path / name)
        assert ("fast-reshare" in made.shares["trace"]) == fast
        assert any("fast-reshare is left out" in note for note in made.run["build"]["notes"]) == (not fast)
    asked = build([tmp_path / "m.parquet"], tmp_path / "asked", trace=["fast-reshare"])
    assert asked.shares["trace"].unique().to_list() == ["fast-reshare"]


def test_over_whole_days_nobody_acts_within_a_minute(minutes, tmp_path):
    days = pl.read_csv(minutes).with_columns(pl.col("timestamp") // 86_400 * 86_400)
    days.write_csv(tmp_path / "days.csv")
    made = build([tmp_path / "days.csv"], tmp_path / "study")
    assert made.run["build"]["time_resolution_s"] == 86_400
    assert any(note.startswith("times are whole days") for note in made.run["build"]["notes"])
    found = find_clusters(made.path, evidence="window")
    assert found.clusters.height
    assert not found.evidence["sentence"].str.contains(" 60 s| 10 s").any()


# --- faults ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"time_window": -1}, "time_window"),
        ({"edge_weight": "object"}, "did you mean 'objects'"),
        ({"edge_quantile": 1.5}, "edge_quantile"),
        ({"trace": ["hashtags"]}, "did you mean 'hashtag'"),
        ({"trace": ["object"]}, "the log has none"),
    ],
)
def test_wrong_options_leave_nothing_behind(log, tmp_path, choices, message):
    with pytest.raises(UsageError, match=message):
        build([log], tmp_path / "study", **choices)
    assert list(tmp_path.iterdir()) == []


def test_logs_that_cannot_be_read_leave_nothing_behind(tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"bad\.csv"):
        build([bad], tmp_path / "study")
    with pytest.raises(InputError, match="no such file"):
        build([tmp_path / "none.csv"], tmp_path / "study")
    assert list(tmp_path.iterdir()) == [bad]


def test_clusters_need_a_study_and_sensible_options(built, tmp_path):
    before = (built.path / "run.json").read_bytes()
    with pytest.raises(StudyError, match="no such study"):
        find_clusters(tmp_path / "none")
    with pytest.raises(UsageError, match="min_score"):
        find_clusters(built.path, min_score=1.5)
    with pytest.raises(UsageError, match="did you mean 'modularity'"):
        find_clusters(built.path, objective="modularty")
    with pytest.raises(UsageError, match="did you mean 'url'"):
        find_clusters(built.path, trace=["urls"])
    assert (built.path / "run.json").read_bytes() == before
    assert "clusters" not in built.tables


def test_fewer_threads_than_one_are_refused(log, tmp_path):
    with pytest.raises(UsageError, match="threads"):
        build([log], tmp_path / "study", threads=-1)


def test_one_trace_only(log, tmp_path):
    made = build([log], tmp_path / "study", trace=["url"])
    assert set(made.shares["trace"]) == set(made.edges["trace"]) == set(made.cascades["trace"]) == {"url"}


def test_a_log_without_co_shares_is_a_study_all_the_same(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text(
        "content_id,account_id,timestamp,object_id\n"
        "p1,a,2020-01-01T00:00:00Z,o1\np2,b,2020-01-02T00:00:00Z,o1\np3,c,2020-01-03T00:00:00Z,o2\n"
    )
    made = build([log], tmp_path / "study")
    assert (made.posts.height, made.edges.height, made.cascades.height) == (3, 0, 2)
    found = find_clusters(made.path)
    for name in ("members", "clusters", "sites", "evidence"):
        assert getattr(found, name).is_empty()
        assert dict(getattr(found, name).schema) == TABLES[name].dtypes


def test_progress_is_told_in_parts_of_one(log, tmp_path):
    told = []
    build([log], tmp_path / "study", progress=lambda label, done: told.append((label, done)))
    find_clusters(tmp_path / "study", progress=lambda label, done: told.append((label, done)))
    labels = {label for label, _ in told}
    assert {"reading", "communities"} <= labels
    assert any(label.startswith("co-shares") for label in labels)
    for label in labels:
        steps = [done for name, done in told if name == label]
        assert steps == sorted(steps)
        assert 0 <= steps[0] <= steps[-1] == 1


# --- parents ---------------------------------------------------------------------------------------------


@pytest.fixture
def chain(tmp_path):
    """Five accounts share one link, a minute apart; each follows the one before, d nobody."""
    path = tmp_path / "chain.csv"
    rows = [
        f"p{n},{account},{1_700_000_000 + 60 * n},https://a.example/1" for n, account in enumerate("abcde")
    ]
    path.write_text("content_id,account_id,timestamp,url\n" + "\n".join(rows) + "\n")
    (tmp_path / "follows.csv").write_text("follower_id,followed_id\nb,a\nc,a\nc,b\ne,d\ne,b\ne,b\n,a\n")
    return path, tmp_path / "follows.csv"


def sources(study):
    nodes = study.cascade_nodes.filter(pl.col("cascade_id").str.starts_with("url:")).sort("content_id")
    return nodes.select("content_id", "parent_content_id", "parent_source").rows()


def test_followers_hang_under_whom_they_follow(chain, tmp_path):
    log, follows = chain
    study = build([log], tmp_path / "s", trace=["url"], parents="follow", follows=follows)
    assert sources(study) == [
        ("p0", None, "root"), ("p1", "p0", "inferred:follow"), ("p2", "p1", "inferred:follow"),
        ("p3", "p0", "inferred:star"), ("p4", "p3", "inferred:follow"),
    ]  # fmt: skip
    made = study.run["build"]
    assert (made["follows"]["rows"], made["follows"]["used"]) == (7, 5)
    assert (made["counts"]["parents_follow"], made["counts"]["parents_star"]) == (3, 1)
    assert any("2 rows repeat others or lack an id" in note for note in made["notes"])


def test_the_follow_graph_is_known_by_pseudonyms_too(chain, tmp_path):
    log, follows = chain
    plain = build([log], tmp_path / "s", trace=["url"], parents="follow", follows=follows)
    hidden = build([log], tmp_path / "t", trace=["url"], parents="follow", follows=follows, pseudonymise=True)
    by_time = [study.cascade_nodes.sort("timestamp")["parent_source"].to_list() for study in (plain, hidden)]
    assert by_time[0] == by_time[1]
    assert hidden.cascades["depth"].item() == plain.cascades["depth"].item() == 2


@pytest.mark.parametrize("provider", ["pdi", "learned"])
def test_drawn_parents_come_with_their_range(chain, tmp_path, provider):
    log, _ = chain
    study = build([log], tmp_path / "s", trace=["url"], parents=provider, samples=50)
    row = study.cascades.row(0, named=True)
    assert {source for _, _, source in sources(study)} == {"root", f"inferred:{provider}"}
    assert 1 <= row["depth_low"] <= row["depth_mean"] <= row["depth_high"] <= 4
    assert row["structural_virality_low"] <= row["structural_virality"] <= row["structural_virality_high"]
    again = build([log], tmp_path / "t", trace=["url"], parents=provider, samples=50)
    assert again.cascades.equals(study.cascades)
    plain = build([log], tmp_path / "u", trace=["url"])
    assert plain.cascades["depth_mean"].null_count() == 1


def test_parents_that_cannot_be_had_are_bad_usage(chain, tmp_path):
    log, _ = chain
    with pytest.raises(UsageError, match="did you mean 'pdi'"):
        build([log], tmp_path / "s", parents="pid")
    with pytest.raises(UsageError, match="--follows FILE"):
        build([log], tmp_path / "s", parents="follow")
    with pytest.raises(UsageError, match="samples"):
        build([log], tmp_path / "s", parents="pdi", samples=0)


def test_dirty_trees_are_repaired_counted_and_reported(tmp_path):
    rows = [
        # content, account, second, parent
        ("root", "A", 0, None),
        ("early", "B", 5, "late"),  # before its parent
        ("late", "C", 50, "root"),
        ("x", "D", 10, "y"),  # a circle
        ("y", "E", 11, "x"),
        ("orphan", "F", 20, "gone"),
        ("self", "G", 21, "self"),
        ("two", "H", 30, "root"),  # several parents
        ("two", "H", 30, "late"),
        ("two", "H", 30, "x"),
        ("two", "H", 30, "x"),  # a duplicate
        ("down", "I", 40, "up"),  # at the very time of its parent, and before it by account
        ("up", "J", 40, "root"),
    ]
    log = pl.DataFrame(rows, schema=["content_id", "account_id", "second", "parent_content_id"], orient="row")
    log.select(
        "content_id", "account_id", "parent_content_id", timestamp=pl.col("second") + 1_600_000_000,
        kind=pl.lit("reply"), object_id=pl.lit("o"),
    ).write_parquet(tmp_path / "log.parquet")  # fmt: skip
    study = build([tmp_path / "log.parquet"], tmp_path / "study", trace=["object"])
    nodes = study.cascade_nodes
    assert sorted(nodes["content_id"]) == sorted({row[0] for row in rows})
    above = dict(nodes.select("content_id", "parent_content_id").iter_rows())
    assert above == {
        "root": None, "early": "late", "late": "root", "x": "root", "y": "x", "orphan": "root", "self": "root",
        "two": "x", "down": "up", "up": "root",
    }  # fmt: skip
    run = study.run["build"]
    told = {
        "parents_absent": 1, "self_loops": 1, "extra_parents": 2, "cycles": 1, "times_raised": 1, "roots_later": 0,
    }  # fmt: skip
    assert {name: run["counts"][name] for name in told} == told
    assert run["counts"]["rejected"] == 1
    assert list(run["rejected_by_reason"].values()) == [1]
    (note,) = (note for note in run["notes"] if note.startswith("trees repaired"))
    assert [int(number) for number in re.findall(r"\d+", note)] == [1, 1, 2, 1, 1]
