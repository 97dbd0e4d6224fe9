from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from propgraph.clusters.inputs import ClusterInputs
from propgraph.clusters.matched import like_members, matched, population_of
from propgraph.clusters.originality import rhythm_of, with_originality
from propgraph.schema import TIME

START = datetime(2020, 1, 1, tzinfo=UTC)


def posts(rows):
    """Rows of account, second, kind, platform."""
    names = {"account_id": pl.String, "second": pl.Int64, "kind": pl.String, "platform": pl.String}
    return (
        pl.DataFrame(rows, schema=names, orient="row")
        .with_row_index("content_id")
        .with_columns(
            pl.format("p{}", "content_id").alias("content_id"),
            timestamp=pl.lit(START).cast(TIME) + pl.duration(seconds="second"),
        )
    )


def test_entropy_is_of_intervals_in_bins_that_double():
    seconds = np.cumsum([0, *[60] * 10]).tolist()  # all in 32 to 64 s
    even = [("a", s, "original", "one") for s in seconds]
    mixed = np.cumsum([0, *[3] * 5, *[100] * 5]).tolist()
    two_bins = [("b", s, "reshare", "one") for s in mixed]
    few = [("c", s, None, "one") for s in range(10)]
    zero = [("d", 7, "original", "one")] * 11
    found = {row["account_id"]: row for row in rhythm_of(posts(even + two_bins + few + zero)).to_dicts()}
    assert found["a"]["interval_entropy"] == 0
    assert found["b"]["interval_entropy"] == pytest.approx(1)
    assert found["c"]["interval_entropy"] is None  # nine intervals
    assert found["d"]["interval_entropy"] == 0
    assert [found[who]["original_share"] for who in "abcd"] == [1, 0, None, 1]


def figures(table, members):
    class Log:
        def scan(self, name):
            if name == "posts":
                return table.lazy()
            n = table.group_by("account_id").agg(n_posts=pl.len(), first_seen=pl.col("timestamp").min())
            return n.lazy().with_columns(
                name=pl.lit(None, pl.String), created_at=pl.lit(None, TIME), followers=pl.lit(None, pl.Int64)
            )

    of = pl.DataFrame({"account_id": members, "cluster": [0] * len(members)}).with_columns(
        pl.col("cluster").cast(pl.UInt32)
    )
    inputs = ClusterInputs(
        members=of, edges=pl.DataFrame(), links=pl.DataFrame(), accounts=pl.DataFrame(), timing={},
        shares=pl.DataFrame(), posts=table.join(of, on="account_id", how="semi"),
    )  # fmt: skip
    like = like_members(population_of(Log(), of))
    start = pl.DataFrame({"cluster": [0]}, schema={"cluster": pl.UInt32})
    return with_originality(start, like, study=Log(), inputs=inputs, seed=0).row(0, named=True)


def accounts(prefix, n, n_posts, original, platform="one", every=None):
    rng = np.random.default_rng(n_posts + n)
    rows = []
    for k in range(n):
        gaps = [every] * n_posts if every else (3600 * rng.exponential(1, n_posts)).astype(int) + 1
        for j, second in enumerate(np.cumsum(gaps).tolist()):
            rows.append(
                (f"{prefix}{k:02d}", second, "original" if j < original * n_posts else "reshare", platform)
            )
    return rows


def test_originals_are_held_against_accounts_as_active():
    members = [f"m{k:02d}" for k in range(5)]
    # Who posts a lot only passes on, in this log; those who post little write themselves.
    rows = accounts("m", 5, 100, 0) + accounts("x", 30, 100, 0.1) + accounts("y", 60, 10, 0.9)
    found = figures(posts(rows), members)
    assert found["original_expected"] == pytest.approx(0.1)
    assert found["n_like"] == 20
    little = figures(posts(accounts("m", 5, 10, 0) + rows[500:]), members)
    assert little["original_expected"] == pytest.approx(0.9)
    assert little["original_limit"] == pytest.approx(0.9)


def test_originals_are_held_against_the_same_platform():
    members = [f"m{k:02d}" for k in range(5)]
    rows = accounts("m", 5, 20, 0, "two") + accounts("x", 30, 20, 1) + accounts("y", 30, 20, 0, "two")
    assert figures(posts(rows), members)["original_expected"] == 0
    alone = figures(posts(rows[: 5 * 20 + 30 * 20]), members)
    assert alone["original_expected"] is None  # nobody else on that platform


def test_even_posting_has_a_low_place_among_the_like():
    members = [f"m{k:02d}" for k in range(5)]
    rows = accounts("x", 30, 40, 1)
    even = figures(posts(accounts("m", 5, 40, 1, every=600) + rows), members)
    assert (even["interval_entropy"], even["interval_entropy_pct"]) == (0, 0)
    usual = figures(posts(accounts("m", 5, 40, 1) + rows), members)
    assert 0.1 < usual["interval_entropy_pct"] < 0.9


def test_a_figure_is_drawn_from_those_like_each_member():
    like = pl.DataFrame(
        {"cluster": [0, 0, 0, 1], "account_id": ["a", "a", "b", "c"], "like": ["x", "y", "z", "n"]},
        schema_overrides={"cluster": pl.UInt32},
    )
    values = pl.DataFrame({"account_id": ["x", "y", "z", "n"], "v": [0.0, 1.0, 10.0, None]})
    found = matched(like, values, value="v", statistic=np.mean, seed=0)
    assert set(found) == {0}  # nobody who is like c has the figure
    assert found[0].expected == pytest.approx((0.5 + 10) / 2, abs=0.05)
    assert (found[0].low, found[0].high, found[0].n_others) == (5, 5.5, 3)
