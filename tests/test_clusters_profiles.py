from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from propgraph.clusters.alike import Pool, alike_followers, alike_ids, alike_names
from propgraph.clusters.inputs import ClusterInputs
from propgraph.clusters.lots import DAY_MS, HOUR_MS, in_lots, least_of, lots_of, own_lots, scan, told
from propgraph.clusters.matched import like_members, population_of
from propgraph.clusters.profiles import RARE, with_profiles
from propgraph.schema import TIME
from tests.reference import profiles as slow

DAY = timedelta(days=1)
START = datetime(2008, 1, 1, tzinfo=UTC)
YEARS_MS = 8 * 365 * DAY_MS


@given(st.lists(st.integers(0, 60), max_size=25), st.integers(0, 12), st.integers(1, 6))
def test_lots_are_windows_that_hold_enough(times, width, least):
    times = sorted(times)
    fast = in_lots(np.array(times, np.int64).reshape(1, -1), width=width, least=least)[0].tolist()
    assert fast == slow.in_lots(times, width, least)


def test_a_lot_holds_three_and_a_twentieth():
    assert [least_of(n) for n in (5, 60, 61, 100, 101)] == [3, 3, 4, 5, 6]


def test_lots_are_told_with_their_dates_the_largest_first():
    made = [
        *(START + hours * timedelta(hours=1) for hours in (20, 22, 26)),  # over midnight
        START + 9 * DAY,
        *(START + 40 * DAY + k * timedelta(minutes=1) for k in range(4)),
    ]
    times = np.array([round(time.timestamp() * 1000) for time in made])
    assert lots_of(times, DAY_MS) == [(0, 2), (4, 7)]
    assert told(times, lots_of(times, DAY_MS)) == ["2008-02-10: 4", "2008-01-01 to 2008-01-02: 3"]
    assert lots_of(times, HOUR_MS) == [(4, 7)]


def test_a_lot_in_a_wave_of_others_is_not_the_members_own():
    rng = np.random.default_rng(7)
    hours = np.array([0, 5, 9, 14])
    times = 1000 * DAY_MS + hours * HOUR_MS
    usual = np.sort(rng.integers(0, 2000 * DAY_MS, 2000))  # one a day
    assert own_lots(times, DAY_MS, usual) == [(0, 3)]
    # Four beyond the usual are as many as the members, and a crowd beside one a day.
    wave = np.sort(np.concatenate([usual, 1000 * DAY_MS + np.arange(8) * HOUR_MS]))
    assert own_lots(times, DAY_MS, wave) == []
    few = np.sort(np.concatenate([usual, 1000 * DAY_MS + np.arange(2) * HOUR_MS]))
    assert own_lots(times, DAY_MS, few) == [(0, 3)]
    # A thousand a day are no wave where it is a thousand every day.
    lively = np.sort(rng.integers(900 * DAY_MS, 1100 * DAY_MS, 200_000))
    assert own_lots(times, DAY_MS, lively) == [(0, 3)]


def test_several_lots_are_found_that_the_shortest_half_misses():
    rng = np.random.default_rng(5)
    # Five lots of four, months apart: half of the accounts lie in no short span.
    lots = (np.arange(5) * 120 * DAY_MS)[:, None] + rng.integers(0, DAY_MS, (5, 4))
    times = np.sort(np.concatenate([lots.ravel() + YEARS_MS // 2, rng.integers(0, YEARS_MS, 4)]))
    found = scan(times, rng.integers(0, YEARS_MS, (400, times.size)))
    assert found.p <= RARE
    assert found.share == pytest.approx(20 / 24)
    assert found.width_ms == DAY_MS
    assert found.limit < 0.25


def test_a_scan_is_calibrated_whatever_the_span():
    """Of sets drawn like the draws, the least of the spans' p-values is under 5 % in 5 % of the cases at most."""
    rng = np.random.default_rng(11)
    draws = rng.integers(0, YEARS_MS, (400, 40))
    p = np.array([scan(np.sort(rng.integers(0, YEARS_MS, 40)), draws).p for _ in range(400)])
    assert 0.02 <= (p <= 0.05).mean() <= 0.08
    assert (p <= 0.01).mean() <= 0.03


class Log:
    """A study of accounts and shares, as far as profiles are concerned."""

    def __init__(self, accounts, shares, posts=None):
        self.tables = {"accounts": accounts, "shares": shares}
        self.tables["posts"] = (
            posts if posts is not None else accounts.select("account_id", platform=pl.lit("one"))
        )

    def scan(self, name):
        return self.tables[name].lazy()


def accounts(made, **columns):
    """Accounts by id, made at `made` (days after the start)."""
    ids = [f"a{k:05d}" for k in range(len(made))]
    default = {"name": [None] * len(ids), "followers": [None] * len(ids), "n_posts": [5] * len(ids)}
    return pl.DataFrame(
        {"account_id": ids, "created_at": [START + d * DAY for d in made], "first_seen": START}
        | default
        | columns,
        schema_overrides={
            "created_at": TIME, "first_seen": TIME, "name": pl.String, "followers": pl.Int64,
            "n_posts": pl.UInt32,
        },
    )  # fmt: skip


def figures(table, n_members, objects=None, posts=None):
    """The figures of the first `n_members` accounts, a cluster; `objects`: for each account the one it shares."""
    ids = table["account_id"]
    objects = objects or [None] * len(ids)
    shares = pl.DataFrame(
        {"account_id": ids, "object_id": objects, "trace": "url"}, schema_overrides={"object_id": pl.String}
    ).drop_nulls()
    log = Log(table, shares, posts)
    members = pl.DataFrame({"account_id": ids[:n_members], "cluster": [0] * n_members}).with_columns(
        pl.col("cluster").cast(pl.UInt32)
    )
    inputs = ClusterInputs(
        members=members, edges=pl.DataFrame(), links=pl.DataFrame(), accounts=pl.DataFrame(), timing={},
        shares=shares.join(members.select("account_id"), on="account_id", how="semi").with_columns(
            n_fellows=1, content_id="account_id"
        ),
        posts=ids[:n_members].to_frame().with_columns(
            content_id="account_id", timestamp=pl.lit(START).cast(TIME)
        ),
    )  # fmt: skip
    population = population_of(log, members)
    start = pl.DataFrame({"cluster": [0]}, schema={"cluster": pl.UInt32})
    return with_profiles(start, population, study=log, inputs=inputs, seed=0).row(0, named=True)


def lots(n, rng):
    """Days on which `n` accounts were made in five lots."""
    return (np.arange(n) % 5 * 90 + 1500 + rng.random(n)).tolist()


def test_bought_profiles_stand_out_in_a_log():
    rng = np.random.default_rng(3)
    found = figures(accounts([*lots(30, rng), *(rng.random(600) * 2900)]), 30)
    assert found["lot_p"] <= RARE
    assert found["lot_share"] == 1
    assert found["n_in_lots"] == 30
    assert [lot.split(": ")[1] for lot in found["lots"]] == ["6"] * 5
    assert found["n_lot_peers"] is None  # nobody shares anything
    assert len(found["lot_posts"]) == 20


def test_a_wave_of_new_accounts_all_over_the_log_does_not_stand_out():
    rng = np.random.default_rng(4)

    def wave(n):  # half of everybody came within a week
        return np.where(rng.random(n) < 0.5, 1500 + 7 * rng.random(n), 2900 * rng.random(n))

    p = [figures(accounts([*wave(30), *wave(600)]), 30)["lot_p"] for _ in range(20)]
    assert sum(value <= RARE for value in p) <= 1


def test_who_joined_for_an_event_is_held_against_others_of_the_event():
    rng = np.random.default_rng(6)
    # A community of 200, of whom a third joined within a week, among 3,000; the cluster is 40 of it.
    community = np.where(rng.random(200) < 0.35, 1500 + 7 * rng.random(200), 2900 * rng.random(200))
    made = [*community, *(2900 * rng.random(3000))]
    alone = figures(accounts(made), 40)
    # Against the log it stands out, but as many others were made at the same time.
    assert alone["lot_p"] <= RARE
    assert alone["lot_share"] == 0
    beside = figures(accounts(made), 40, objects=["event"] * 200 + [None] * 3000)
    assert beside["n_lot_peers"] == 160
    assert beside["lot_p"] > RARE
    # Bought profiles that push the same event are found all the same.
    bought = figures(accounts([*lots(40, rng), *made]), 40, objects=["event"] * 240 + [None] * 3000)
    assert bought["lot_p"] <= RARE
    assert bought["lot_share"] > 2 * bought["lot_expected"]


def test_draws_are_of_the_same_platforms():
    rng = np.random.default_rng(8)
    # A young platform, all of whose accounts were made in one week, beside an old one.
    made = [*(2000 + 7 * rng.random(100)), *(2900 * rng.random(900))]
    table = accounts(made)
    of = pl.Series(["young"] * 100 + ["old"] * 900)
    posts = table.select("account_id", platform=of)
    assert figures(table, 20)["lot_p"] <= RARE
    assert figures(table, 20, posts=posts)["lot_p"] > RARE


def test_too_few_known_dates_tell_nothing():
    rng = np.random.default_rng(8)
    table = accounts([*lots(5, rng), *(rng.random(100) * 2900)])
    assert figures(table, 4)["lot_share"] is None
    assert figures(table, 5)["lot_share"] is not None
    assert figures(table.head(14), 5)["lot_share"] is None  # nine others are fewer than twice as many
    assert figures(table.with_columns(created_at=pl.lit(None, TIME)), 5)["lot_share"] is None


def pool(names=(), ids=None, followers=None):
    n = len(names) or len(ids if ids is not None else followers)
    return pl.DataFrame(
        {
            "account_id": [str(i) for i in ids] if ids is not None else [f"x{k}" for k in range(n)],
            "name": list(names) or [None] * n,
            "followers": followers if followers is not None else [None] * n,
            "first_seen": [START + (k * 7919 % n) * DAY for k in range(n)],
            "created_at": [None] * n,
        },
        schema_overrides={"name": pl.String, "followers": pl.Int64, "created_at": TIME, "first_seen": TIME},
    )


def test_names_by_template_are_what_others_seldom_have():
    mine = pool([f"Name{k:08d}" for k in range(12)] + [f"Person {k}x" for k in "abcdefgh"])
    others = Pool(
        pool([f"Who {chr(65 + k % 26)}" for k in range(190)] + [f"abc{k}2345678" for k in range(10)])
    )
    found = alike_names(mine, others)
    # "Name########" is rarer than letters and eight digits, which nobody else has either: 0 of 200 each.
    assert found.what in ("Name########", "letters and 8 digits")
    assert found.share == 12 / 20
    assert found.rows.tolist() == list(range(12))
    assert found.expected == 1 / 202
    assert found.p < 1e-15
    # Where everybody is named so it tells nothing.
    usual = Pool(pool([f"Someone{k:08d}" for k in range(200)]))
    mixed = pool([f"{a}{k:08d}" for k, a in enumerate("abcdefghij")])
    assert alike_names(mixed, usual).p > 0.9
    # Names without a digit follow no template: sections of one party, people.
    assert alike_names(pool([f"Party {a}" for a in "abcdefgh"]), usual) is None
    assert alike_names(mine, others, only="letters and 3 digits") is None


def test_ids_in_sequence_have_no_other_account_between():
    rng = np.random.default_rng(1)
    others = pool(ids=rng.choice(10**9, 400, replace=False) + 10**9)
    mine = pool(ids=[1_500_000_000 + k for k in range(8)] + [1_000_000_001, 1_999_999_999])
    found = alike_ids(mine, Pool(others), rng)
    assert found.share == pytest.approx(0.8, abs=0.11)  # one of the two others may stand beside nobody, too
    assert found.p <= 0.01
    assert found.what == "from 1500000000 on"
    spread = pool(ids=rng.choice(10**9, 10, replace=False) + 10**9)
    assert (tried := alike_ids(spread, Pool(others), rng)) is None or tried.p > 0.01
    # Numbers given in the order of first posts say nothing; nor do short ones, or names.
    numbered = others.with_columns(
        first_seen=pl.lit(START) + pl.duration(seconds=pl.col("account_id").cast(pl.Int64))
    )
    own = mine.with_columns(
        first_seen=pl.lit(START) + pl.duration(seconds=pl.col("account_id").cast(pl.Int64))
    )
    assert alike_ids(own, Pool(numbered), rng) is None
    assert alike_ids(pool(ids=range(10, 20)), Pool(pool(ids=range(100, 500))), rng) is None


def test_equal_followers_count_from_ten_on():
    rng = np.random.default_rng(2)
    others = Pool(pool(followers=rng.integers(0, 2000, 500).tolist()))
    found = alike_followers(pool(followers=[50] * 6 + [*range(100, 110)]), others, rng)
    assert (found.share, found.what) == (6 / 16, "50 followers each")
    assert found.p <= 0.01
    assert alike_followers(pool(followers=[9] * 16), others, rng) is None
    assert alike_followers(pool(followers=[50] * 6), Pool(pool(followers=[50] * 300)), rng).p == 1


def test_members_are_held_against_others_as_active():
    table = accounts([0] * 200, n_posts=[50, 3, *range(1, 199)])
    members = pl.DataFrame({"account_id": ["a00000", "a00001"], "cluster": [0, 1]}).with_columns(
        pl.col("cluster").cast(pl.UInt32)
    )
    like = like_members(population_of(Log(table, pl.DataFrame()), members))
    n_posts = dict(table.select("account_id", "n_posts").iter_rows())
    got = {
        member: sorted(n_posts[one] for one in part["like"])
        for (member,), part in like.partition_by("account_id", as_dict=True).items()
    }
    assert got == {"a00000": list(range(40, 60)), "a00001": list(range(1, 21))}


def test_names_alike_are_held_against_the_log_and_against_who_shares_the_same():
    rng = np.random.default_rng(9)
    days = (2900 * rng.random(800)).tolist()
    usual = [f"Name {chr(97 + k % 26)}" for k in range(500)]
    numbered = [f"{chr(97 + k % 26)}user{k:08d}" for k in range(60)]
    members_only = accounts(days[:520], name=numbered[:20] + usual)
    found = figures(members_only, 20)
    assert (found["alike_by"], found["alike_share"], found["n_alike"]) == ("names", 1, 20)
    assert found["alike_p"] <= RARE
    assert len(found["alike_posts"]) == 20
    # One in forty of the log, but all who share the same objects.
    rare = accounts([*days, *days, *days], name=numbered + usual + usual * 3 + usual[:340])
    alone = figures(rare, 20)
    assert alone["alike_p"] <= RARE
    beside = figures(rare, 20, objects=["event"] * 60 + [None] * 2340)
    assert beside["alike_p"] > RARE
    assert beside["alike_expected"] > 0.9
