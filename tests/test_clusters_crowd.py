"""Crowd or machine: accounts a post, who makes most posts, and how many a day."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from propgraph.clusters.crowd import rates_of, with_crowd
from propgraph.jobs.build import build
from propgraph.report.words import crowd_or_machine
from propgraph.schema import ACCOUNTS

START = datetime(2020, 1, 1, tzinfo=UTC)
RATES = np.array([1.0, 2.0, 2.0, 4.0])


def figures(posts, *, n_posts=None, days=0.0):
    """The one row of a cluster with posts `account, content, object`; all posts of an account within so many days."""
    shares = pl.DataFrame(posts, schema=["account_id", "content_id", "object_id"], orient="row").with_columns(
        trace=pl.lit("url")
    )
    names = sorted(set(shares["account_id"]))
    accounts = pl.DataFrame({"account_id": names}).with_columns(
        n_posts=pl.lit(n_posts or 1), first_seen=START, last_seen=START + timedelta(days=days)
    )
    members = pl.DataFrame({"account_id": names}).with_columns(cluster=pl.lit(0, pl.UInt32))
    inputs = SimpleNamespace(members=members, shares=shares, accounts=ACCOUNTS.conform(accounts))
    [row] = with_crowd(
        pl.DataFrame({"cluster": [0]}, schema={"cluster": pl.UInt32}), inputs, RATES
    ).to_dicts()
    return row


def posts_of(**counts):
    """So many posts of object x by each account, and more objects by `account_object=n`."""
    return [
        (name[0], f"{name}{k}", name[2:] or "x") for name, n in counts.items() for k in range(n)
    ]  # fmt: skip


def test_one_post_each_is_one_whatever_the_number_of_objects():
    assert figures(posts_of(a=1, b=1, c=1))["accounts_per_post"] == pytest.approx(1)
    assert figures(posts_of(a=1, b=1, a_y=1, b_y=1, a_z=1, b_z=1))["accounts_per_post"] == pytest.approx(1)


def test_many_posts_of_one_object_are_few():
    assert figures(posts_of(a=200, b=200))["accounts_per_post"] == pytest.approx(2 / 400)
    entropy = -(3 / 4 * math.log(3 / 4) + 1 / 4 * math.log(1 / 4))
    assert figures(posts_of(a=3, b=1))["accounts_per_post"] == pytest.approx(math.exp(entropy) / 4)
    # Of x two effective accounts in four posts, of y two in two: the mean weighted by posts.
    assert figures(posts_of(a=2, b=2, a_y=1, b_y=1))["accounts_per_post"] == pytest.approx(4 / 6)


def test_what_one_member_alone_shares_does_not_count():
    assert figures(posts_of(a=1, b=1, a_y=50))["accounts_per_post"] == pytest.approx(1)
    assert figures(posts_of(a=1, b_y=1))["accounts_per_post"] is None


def test_the_busiest_make_nine_in_ten():
    row = figures(posts_of(a=50, b=30, c=15, d=3, e=2))
    assert (row["n_busiest"], row["busiest_share"]) == (3, pytest.approx(0.95))
    # Exactly nine in ten are enough.
    row = figures(posts_of(a=60, b=30, c=10))
    assert (row["n_busiest"], row["busiest_share"]) == (2, pytest.approx(0.9))


def test_posts_a_day_over_one_day_at_least():
    assert figures(posts_of(a=1, b=1), n_posts=8, days=4)["posts_per_day"] == pytest.approx(2)
    row = figures(posts_of(a=1, b=1), n_posts=4, days=0.01)
    assert row["posts_per_day"] == pytest.approx(4)
    assert row["posts_per_day_pct"] == pytest.approx(3.5 / 4)  # three post less, and one as often
    assert figures(posts_of(a=1, b=1), n_posts=2)["posts_per_day_pct"] == pytest.approx(2 / 4)


def test_rates_of_a_log(tmp_path):
    rows = [("a", 0), ("a", 24), ("a", 48), ("b", 1), ("b", 2), ("c", 5)]
    pl.DataFrame(
        {
            "content_id": [f"p{k}" for k in range(len(rows))], "account_id": [name for name, _ in rows],
            "timestamp": [START + timedelta(hours=hour) for _, hour in rows],
            "urls": [f"https://a.org/{k}" for k in range(len(rows))],
        }
    ).write_parquet(tmp_path / "log.parquet")  # fmt: skip
    study = build([tmp_path / "log.parquet"], tmp_path / "study")
    # Three posts over two days; two within the hour, and one, over a day.
    assert rates_of(study).tolist() == [1.0, 1.5, 2.0]


@given(
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.integers(0, 30), st.sampled_from("xyz")),
        min_size=1,
        max_size=60,
    )
)
def test_as_one_object_after_another(rows):
    posts = [(account, f"{account}{post}", thing) for account, post, thing in rows]
    of = defaultdict(Counter)
    for account, _, thing in set(posts):
        of[thing][account] += 1
    shared = [counts for counts in of.values() if len(counts) > 1]
    effective = [
        math.exp(-sum(n / sum(c.values()) * math.log(n / sum(c.values())) for n in c.values()))
        for c in shared
    ]
    found = figures(posts)["accounts_per_post"]
    if not shared:
        assert found is None
    else:
        assert found == pytest.approx(sum(effective) / sum(sum(c.values()) for c in shared))


ROW = {
    "accounts_per_post": 1.0, "n_accounts": 126, "n_busiest": 113, "busiest_share": 0.9, "n_shares": 400,
    "posts_per_day": 2.0, "posts_per_day_pct": 0.5,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, ["one post each of an object: a crowd"]),
        ({"accounts_per_post": 0.8}, ["one post each of an object: a crowd"]),
        ({"n_accounts": 9}, ["one post each of an object"]),
        ({"accounts_per_post": 0.43}, ["2.3 posts each of an object"]),
        (
            {"accounts_per_post": 0.02, "n_busiest": 3, "busiest_share": 0.96},
            ["3 accounts make 96% of 400 posts: a tool or a zealot"],
        ),
        (
            {"accounts_per_post": 0.02, "n_busiest": 1, "busiest_share": 0.96},
            ["1 account makes 96% of 400 posts: a tool or a zealot"],
        ),
        ({"accounts_per_post": 0.1}, ["10.0 posts each of an object: tools or zealots"]),
        (
            {"posts_per_day": 250.0, "posts_per_day_pct": 0.995},
            ["one post each of an object: a crowd", "250 posts a day each, more than 99.5% of accounts"],
        ),
        ({"accounts_per_post": None}, []),
    ],
)
def test_in_words(changes, told):
    assert crowd_or_machine(ROW | changes) == told


def test_rows_of_an_earlier_version_say_nothing():
    assert crowd_or_machine({"n_accounts": 3}) == []
