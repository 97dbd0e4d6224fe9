"""The same campaign by a crowd and by a machine: nothing but who posts differs."""

from __future__ import annotations

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from propgraph.errors import UsageError
from propgraph.simulate.veles import simulate_veles
from propgraph.simulate.workforce import WorkforceLog, simulate_workforce, write_workforce

SMALL = {"n_accounts": 700, "n_days": 4, "n_posts": 2000}


@pytest.fixture(scope="module")
def made() -> dict[str, WorkforceLog]:
    return {kind: simulate_workforce(kind=kind, **SMALL) for kind in ("crowd", "machine")}


def posted(made: WorkforceLog) -> pl.DataFrame:
    """What the campaign itself posts of its farms."""
    farms = r"(patriotwire|truthdaily|libertybuzz|eaglenews|realreport|freepress|flagtoday)\."
    own = made.accounts.filter("organised")
    return made.log.filter(pl.col("url").str.contains(farms), kind="original").join(own, on="account_id")


def test_both_post_the_same_at_the_same_times(made):
    what = ["timestamp", "url", "target_id"]
    crowd, machine = (posted(made[kind]).select(what).sort(what) for kind in ("crowd", "machine"))
    # The ordinary side of tools may hold no farm's link: whatever is posted of them is the campaign's.
    assert crowd.height == machine.height == 2000
    assert_frame_equal(crowd, machine)


def test_a_worker_has_ten_posts_of_different_links_and_a_tool_hundreds(made):
    crowd, machine = (posted(made[kind]).group_by("account_id").len()["len"] for kind in ("crowd", "machine"))
    assert crowd.len() == 200
    assert set(crowd) == {10}
    assert machine.len() == 3
    assert machine.sum() == 2000
    assert machine.min() > 500
    links = posted(made["crowd"]).group_by("account_id").agg(pl.col("url").n_unique())["url"]
    assert links.mean() > 9.5


def test_ordinary_life_is_the_same(made):
    key = ["account_id", "timestamp", "kind", "url", "text"]
    workers = made["crowd"].accounts.filter("organised")  # in the other world they have no work
    tools = made["machine"].accounts.filter("organised")
    either = pl.concat([workers, tools])["account_id"].implode()
    crowd, machine = (
        made[kind].log.filter(~pl.col("account_id").is_in(either)) for kind in ("crowd", "machine")
    )
    # What is reshared of the campaign differs by who posted it; originals do not.
    left = crowd.filter(kind="original").join(machine, on=key, how="anti", nulls_equal=True)
    assert left.is_empty()


def test_the_truth_tells_who_and_how_much(made):
    for kind, role, n in (("crowd", "worker", 200), ("machine", "tool", 3)):
        truth = made[kind]
        assert set(truth.accounts.filter("organised")["role"]) == {role}
        assert truth.accounts.filter("organised").height == n
        row = truth.campaigns.row(0, named=True)
        assert (row["kind"], row["n_posts"], row["n_workers"]) == (kind, 2000, n)
        assert row["n_links"] == posted(truth)["url"].n_unique()
    assert (
        made["crowd"].log.schema
        == simulate_veles(n_accounts=400, n_days=1, n_sites=0, n_seeders=0).log.schema
    )


def test_strength_brings_more_posts_and_faster():
    delays, sizes = [], []
    for strength in (0.5, 1, 2):
        own = posted(simulate_workforce(**SMALL, strength=strength))
        sizes.append(own.height)
        since = pl.col("timestamp") - pl.col("timestamp").min().over("url")
        delays.append(own.select(since.dt.total_seconds()).to_series().median())
    assert sizes == [1000, 2000, 4000]
    assert delays[0] > 2 * delays[1] > 4 * delays[2]


def test_the_same_seed_gives_the_same_files(tmp_path, made):
    write_workforce(tmp_path / "one", made["crowd"])
    write_workforce(tmp_path / "two", simulate_workforce(kind="crowd", **SMALL))
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == ["truth_accounts.csv", "truth_campaigns.csv", "workforce.csv.gz", "workforce.parquet"]
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert not simulate_workforce(kind="crowd", **SMALL, seed=1).log.equals(made["crowd"].log)


def test_none_leaves_the_campaign_out():
    gone = simulate_workforce(n_accounts=400, n_days=2, n_posts=0)
    assert not gone.accounts["organised"].any()
    assert gone.campaigns["n_workers"].item() == 0


@pytest.mark.parametrize(
    "option",
    [
        {"kind": "bots"},
        {"n_posts": -1},
        {"n_days": 0},
        {"n_accounts": 400, "n_posts": 2000},
        {"strength": 0},
        {"seed": -1},
    ],
)
def test_parameters_that_make_no_sense_are_named(option):
    with pytest.raises(UsageError, match=next(iter(option))):
        simulate_workforce(**option)
