"""Simulated campaigns of an app that deals out tasks: a true log, a clear truth, and lists that are innocent."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from propgraph.errors import UsageError
from propgraph.simulate.app import AppLog, simulate_app, write_app
from propgraph.simulate.veles import simulate_veles
from propgraph.traces.urls import canonicalise_urls

SMALL = {"n_accounts": 600, "n_days": 4, "n_militants": 40, "n_tasks": 30}


@pytest.fixture(scope="module")
def made() -> AppLog:
    return simulate_app()


def tasks_done(made: AppLog) -> pl.DataFrame:
    """Militants' originals of tasks while these were on the list, by account and time."""
    urls = canonicalise_urls(made.log["url"].drop_nulls().unique()).select(url="raw", object="url")
    posts = made.log.filter(kind="original").join(urls, on="url").join(made.accounts, on="account_id")
    of_tasks = posts.filter(role="militant").join(made.tasks, on="object")
    there = pl.col("timestamp") >= pl.col("release")
    # What a militant shares beside the app is another's post of an hour ago, now and then of a task's object.
    return (
        of_tasks.filter(there).sort("account_id", "timestamp").unique(["account_id", "object"], keep="first")
    )


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    one, two = (simulate_app(**SMALL) for _ in range(2))
    for folder, log in (("one", one), ("two", two)):
        write_app(tmp_path / folder, log)
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == ["app.csv.gz", "app.parquet", "truth_accounts.csv", "truth_tasks.csv"]
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert not one.log.equals(simulate_app(**SMALL, seed=1).log)


def test_the_log_has_the_columns_of_the_other_simulators(made):
    assert made.log.schema == simulate_veles(n_accounts=400, n_days=1, n_sites=0, n_seeders=0).log.schema
    assert_frame_equal(made.log, made.log.sort("timestamp", "content_id"))
    assert made.log["content_id"].is_unique().all()
    assert set(made.log["account_id"]) <= set(made.accounts["account_id"])


def test_the_truth_labels_militants_and_each_kind_of_look_alike(made):
    roles = dict(made.accounts["role"].value_counts().iter_rows())
    assert made.accounts.height == 3000
    assert (roles["militant"], roles["newsletter"], roles["digest"], roles["feed"]) == (80, 30, 3, 40)
    assert (roles["newsroom"], roles["fan"]) == (12, 40)
    assert set(made.accounts.filter("organised")["role"]) == {"militant"}
    assert made.accounts.filter("organised").height == 80


def test_targets_stop_tasks_and_every_task_is_in_the_log(made):
    tasks = made.tasks
    assert tasks.height == 80
    assert tasks["object"].n_unique() == 80
    assert set(tasks["points"]) == {1, 2, 3}
    met = tasks.filter(pl.col("stopped_at").is_not_null())
    assert met.height > 20
    assert (met["n_done"] == 24).all()
    open_still = tasks.filter(pl.col("target").is_not_null() & pl.col("stopped_at").is_null())
    assert (open_still["n_done"] < 24).all()
    assert tasks.filter(pl.col("target").is_null())["n_done"].max() > 40
    # A militant's own posts of a task's link are all but what the truth counts, after the target none.
    done = tasks_done(made)
    late = done.filter(pl.col("timestamp") > pl.col("stopped_at"))
    assert late.height < 0.05 * done.height


def test_who_obeys_takes_what_stands_on_top():
    obedient = simulate_app(obedience=1.0, own_share=1.0)
    done = tasks_done(obedient).sort("account_id", "timestamp")
    steps = ups = 0
    for _, posts in done.group_by("account_id"):
        rows = posts.sort("timestamp").select("timestamp", "place", "release").rows()
        opened = None
        for (before, place, _), (after, below, released) in pairwise(rows):
            if after - before > timedelta(minutes=15):
                opened = None
                continue
            opened = opened or before
            if released < opened:
                steps, ups = steps + 1, ups + (below > place)
    assert steps > 1000
    assert ups / steps > 0.99  # two sessions may touch


@pytest.mark.parametrize(("order", "later"), [("newest", False), ("oldest", True)])
def test_a_list_by_age_is_one(order, later):
    tasks = simulate_app(**SMALL, list_order=order).tasks.sort("place")
    assert tasks["release"].is_sorted(descending=not later)


def test_readers_follow_their_lists(made):
    urls = made.log.filter(kind="original").join(made.accounts, on="account_id").drop_nulls("url")
    letters = urls.filter(role="newsletter")
    assert letters["account_id"].n_unique() == 30
    gaps = (
        urls.filter(role="digest")
        .sort("account_id", "timestamp")
        .select(pl.col("timestamp").diff().over("account_id"))
    )
    # Ten links, 20 s apart; a few fall out that the account has posted before.
    assert (gaps["timestamp"].drop_nulls() <= timedelta(seconds=60)).mean() > 0.7


def test_strengths_share_their_background():
    key = ["account_id", "timestamp", "kind", "text"]
    logs = [simulate_app(**SMALL, strength=strength) for strength in (1, 2)]
    ordinary, other = (
        made.log.join(made.accounts.filter(~pl.col("organised")), on="account_id") for made in logs
    )
    # All but those who took up what the militants posted.
    assert ordinary.join(other, on=key, how="semi", nulls_equal=True).height > 0.9 * ordinary.height


def test_without_militants_or_tasks_there_is_no_campaign():
    for none in ({"n_militants": 0}, {"n_tasks": 0}):
        quiet = simulate_app(**SMALL | none)
        assert quiet.tasks.height == 0
        posts = quiet.log.join(quiet.accounts.filter("organised"), on="account_id")
        assert posts.height < 40  # the breaking story takes some of everybody


@pytest.mark.parametrize(
    "option",
    [{"list_order": "secret"}, {"n_days": 0}, {"n_militants": -1}, {"n_tasks": -1}, {"n_accounts": 379},
     {"obedience": 1.1}, {"own_share": -0.1}, {"target": -1}, {"strength": 0}, {"seed": -1}],
)  # fmt: skip
def test_parameters_that_make_no_sense_are_named(option):
    with pytest.raises(UsageError, match=next(iter(option))):
        simulate_app(**option)


def test_the_command_writes_the_log_and_its_truth(tmp_path, capsys):
    from propgraph.cli.app import run

    small = ["--n-accounts", "600", "--n-days", "4", "--n-militants", "40", "--n-tasks", "30"]
    assert run(["simulate", "app", *small, "-o", str(tmp_path)]) == 0
    assert_frame_equal(pl.read_parquet(tmp_path / "app.parquet"), simulate_app(**SMALL).log)
    out = capsys.readouterr()
    assert "truth_tasks.csv" in out.out + out.err
    assert run(["simulate", "app", "--list-order", "random", "-o", str(tmp_path)]) == 2
