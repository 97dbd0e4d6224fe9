from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from propgraph.clusters.fan_out import figures_of, lags_of, with_fan_out
from propgraph.clusters.inputs import ClusterInputs
from propgraph.clusters.matched import population_of
from propgraph.schema import TIME

START = datetime(2020, 1, 1, tzinfo=UTC)
DAY = 86_400


def posts(rows, resolution_s=1.0):
    """Rows of account, object, group, second."""
    names = {"account_id": pl.String, "object_id": pl.String, "target_id": pl.String, "second": pl.Float64}
    return (
        pl.DataFrame(rows, schema=names, orient="row")
        .with_row_index("content_id")
        .with_columns(
            pl.format("p{}", "content_id").alias("content_id"),
            timestamp=pl.lit(START).cast(TIME) + pl.duration(milliseconds=pl.col("second") * 1000),
            time_resolution_s=pl.lit(resolution_s, pl.Float64),
            trace=pl.lit("url"),
            platform=pl.lit("one"),
            kind=pl.lit("original"),
        )
    )


class Log:
    """A study of posts into groups, each of one link."""

    def __init__(self, posts):
        self.posts = posts
        self.run = {}

    def scan(self, name):
        if name == "accounts":
            n = self.posts.group_by("account_id").agg(n_posts=pl.len(), first_seen=pl.col("timestamp").min())
            return n.lazy().with_columns(
                name=pl.lit(None, pl.String), created_at=pl.lit(None, TIME), followers=pl.lit(None, pl.Int64)
            )
        return (self.posts if name == "posts" else self.posts.drop_nulls("object_id")).lazy()


def figures(table, members):
    of = pl.DataFrame({"account_id": sorted(members), "cluster": [0] * len(members)}).with_columns(
        pl.col("cluster").cast(pl.UInt32)
    )
    log = Log(table)
    inputs = ClusterInputs(
        members=of, edges=pl.DataFrame(), links=pl.DataFrame(), accounts=pl.DataFrame(), timing={},
        shares=pl.DataFrame(), posts=table.join(of, on="account_id", how="semi"),
    )  # fmt: skip
    start = pl.DataFrame({"cluster": [0]}, schema={"cluster": pl.UInt32})
    return with_fan_out(start, population_of(log, of), study=log, inputs=inputs, seed=0).row(0, named=True)


def pushed(who, rng, *, n_objects=8, n_groups=4, gap=60.0, sigma=0.05, first=0):
    """An account's posts of several links, each into several groups, a lognormal lag apart."""
    rows = []
    for k in range(n_objects):
        second = k * DAY + 3600 * rng.random()
        for group in range(n_groups):
            rows.append((who, f"o{k + first}", f"g{group}", round(second)))
            second += gap * np.exp(sigma * rng.standard_normal())
    return rows


def crew(rng, n=6, **how):
    return [row for k in range(n) for row in pushed(f"m{k}", rng, gap=30.0 + 10 * k, **how)]


def admins(rng, n=30):
    """Group admins who cross-post by hand."""
    return [row for k in range(n) for row in pushed(f"x{k:02d}", rng, gap=240.0, sigma=1.3, first=100 * k)]


def ordinary(rng, n=60):
    """People who post each link into one group, and some into their other group another day."""
    return [
        (f"y{k:02d}", f"o{rng.integers(0, 99)}", f"g{rng.integers(0, 8)}", DAY * j + DAY * rng.random())
        for k in range(n)
        for j in range(30)
    ]


MEMBERS = [f"m{k}" for k in range(6)]


def test_lags_go_from_group_to_group_of_one_object():
    table = posts([
        ("a", "o1", "g1", 0), ("a", "o1", "g2", 60), ("a", "o1", "g3", 64), ("a", "o1", "g4", 164),
        ("a", "o2", "g1", 1000), ("a", "o2", "g2", 1000 + 2 * DAY), ("b", "o1", "g1", 70),
    ])  # fmt: skip
    # Four seconds are one click, two days another occasion.
    assert lags_of(table)["lag_s"].to_list() == [60, 100]
    assert lags_of(table.with_columns(time_resolution_s=60.0)).is_empty()
    groups = dict(figures_of(table, lags_of(table)).select("account_id", "groups").iter_rows())
    assert groups == {"a": 3, "b": 1}


def test_spread_is_of_the_logarithms_about_their_median():
    lags = [60, 30, 120, 60, 240, 60]
    rows, second = [], 0
    for k, lag in enumerate(lags):
        rows += [("a", f"o{k}", "g1", second), ("a", f"o{k}", "g2", second + lag)]
        second += DAY
    table = posts(rows)
    found = figures_of(table, lags_of(table)).row(0, named=True)
    # Logs to the base 2, less log 60: 0, -1, 1, 0, 2, 0; their absolute values have the median .5.
    assert found["spread"] == pytest.approx(np.log(2) / 2)
    assert (found["lag_s"], found["n_lags"]) == (60, 6)
    # Five lags over two objects are needed.
    short = posts(rows[:8])
    assert figures_of(short, lags_of(short))["spread"].to_list() == [None]
    one = posts([("a", "o", f"g{k}", 60 * k) for k in range(9)])
    assert figures_of(one, lags_of(one))["spread"].to_list() == [None]


def test_a_crew_that_keeps_time_stands_out_among_admins_and_people():
    rng = np.random.default_rng(1)
    found = figures(posts(crew(rng) + admins(rng) + ordinary(rng)), MEMBERS)
    assert found["groups_per_object"] == 4
    assert found["lag_spread"] < 0.1
    assert found["lag_spread_expected"] > 0.5
    assert found["lag_spread"] < found["lag_spread_limit"]
    assert found["lag_p"] <= 0.01
    assert (found["n_regular"], found["n_lags"]) == (6, 6 * 8 * 3)
    assert 5 <= len(found["lag_posts"]) <= 20
    # Without anybody who has lags it is held against posts at random moments.
    alone = figures(posts(crew(rng) + ordinary(rng)), MEMBERS)
    assert alone["groups_per_object_limit"] < 2
    assert alone["lag_spread_limit"] is None
    assert alone["lag_p"] <= 0.01
    # The spread of the logarithms of waiting times without memory is .77.
    assert alone["lag_spread_expected"] == pytest.approx(0.74, abs=0.06)


def test_admins_by_hand_and_sections_do_not_stand_out():
    rng = np.random.default_rng(2)
    by_hand = figures(posts(crew(rng, sigma=1.3) + admins(rng) + ordinary(rng)), MEMBERS)
    assert by_hand["lag_p"] > 0.01
    assert by_hand["lag_spread"] > 0.4
    # They put as many links into as many groups as the other admins do.
    assert by_hand["groups_per_object"] <= by_hand["groups_per_object_limit"]
    sections = [(m, f"o{k}", f"own{m}", DAY * k + 60 * n) for n, m in enumerate(MEMBERS) for k in range(20)]
    found = figures(posts(sections + ordinary(rng)), MEMBERS)
    assert found["groups_per_object"] == 1
    assert found["lag_spread"] is None


def test_where_everybody_has_a_schedule_nobody_stands_out():
    rng = np.random.default_rng(3)
    all_alike = [row for k in range(30) for row in pushed(f"x{k:02d}", rng, first=100 * k)]
    found = figures(posts(crew(rng) + all_alike), MEMBERS)
    assert found["lag_spread"] > found["lag_spread_limit"]


def test_a_log_without_groups_has_no_such_figures():
    rng = np.random.default_rng(3)
    table = posts(crew(rng)).with_columns(target_id=pl.lit(None, pl.String))
    found = figures(table, MEMBERS)
    assert {value for name, value in found.items() if name != "cluster"} == {None}
    # Groups, but no object that posts in them have in common with others.
    nothing = posts(crew(rng)).with_columns(object_id=pl.lit(None, pl.String))
    assert figures(nothing, MEMBERS)["groups_per_object"] is None
