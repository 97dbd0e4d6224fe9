"""Where nobody is organised, nobody is flagged."""

import numpy as np
import polars as pl
import pytest

from propgraph import build, find_clusters

DAY = 86_400


def chance_log(seed, *, accounts=250, objects=40, each=12):
    """Accounts share some of the same objects at independent, even times over one day."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(accounts), each)
    what = np.concatenate([rng.choice(objects, each, replace=False) for _ in range(accounts)])
    return pl.DataFrame(
        {"account_id": who, "object_id": what, "content_id": np.arange(who.size)}
    ).with_columns(timestamp=pl.Series(1_600_000_000 + rng.integers(0, DAY, who.size)))


def flagged(folder, log, **options):
    path = folder / "log.parquet"
    log.write_parquet(path)
    study = find_clusters(build([path], folder / "study", overwrite=True, **options).path)
    return study.clusters, study.clusters.filter("flagged").height


@pytest.mark.parametrize("seed", range(3))
def test_independent_times_flag_nobody(tmp_path, seed):
    found = 0
    for time_window in (60, 600, 1800, 3600):
        clusters, n_flagged = flagged(tmp_path, chance_log(seed), time_window=time_window)
        found += clusters.height
        assert n_flagged == 0
    assert found > 10  # wide windows do make communities


def test_links_of_one_post_are_one_meeting(tmp_path):
    # Three friends post once each, five links a post, 20 s apart; others share the links some other day.
    rng = np.random.default_rng(0)
    links = [f"https://news.example.com/{k}" for k in range(5)]
    rows = [(f"friend{k}", f"f{k}", 1_600_000_000 + 20 * k, " ".join(links)) for k in range(3)]
    rows += [
        (f"other{k}", f"o{k}", 1_600_000_000 + int(rng.integers(0, 20 * DAY)), links[k % 5])
        for k in range(200)
    ]
    log = pl.DataFrame(rows, schema=["account_id", "content_id", "timestamp", "urls"], orient="row")
    clusters, n_flagged = flagged(tmp_path, log, min_participation=1)
    assert clusters["n_accounts"].to_list() == [3]
    assert "repetitive" not in clusters["flags"][0].to_list()
    assert n_flagged == 0


def test_a_log_of_members_only_says_that_nobody_is_there_to_compare_with(tmp_path):
    rows = [
        (f"a{who}", f"p{what}-{who}", 1_600_000_000 + DAY * what + 5 * who, f"o{what}")
        for who in range(5)
        for what in range(8)
    ]
    log = pl.DataFrame(rows, schema=["account_id", "content_id", "timestamp", "object_id"], orient="row")
    clusters, _ = flagged(tmp_path, log)
    row = clusters.row(0, named=True)
    assert set(row["flags"]) == {"in-step", "repetitive", "turnout", "within-seconds"}
    assert "no-comparison" in row["innocent"]


def test_groups_of_a_post_that_stands_once_for_each_are_all_counted(tmp_path):
    rows = [
        (f"a{who}", f"p{what}-{who}", 1_600_000_000 + DAY * what + 5 * who, f"o{what}", f"g{group}")
        for who in range(5)
        for what in range(6)
        for group in range(6)
    ]
    columns = ["account_id", "content_id", "timestamp", "object_id", "target_id"]
    log = pl.DataFrame(rows, schema=columns, orient="row")
    clusters, _ = flagged(tmp_path, log)
    assert clusters["n_targets"].to_list() == [6]
    accounts = pl.read_parquet(tmp_path / "study" / "accounts.parquet")
    assert accounts["n_posts"].to_list() == [6] * 5
