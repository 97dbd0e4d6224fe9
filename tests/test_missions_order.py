"""Missions in an order: sessions, steps, agreement, its null, and the innocent lists that have an order as well."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from propgraph.arrays.encoding import groups_of
from propgraph.arrays.incidence import Incidence, incidence
from propgraph.arrays.sessions import MOST_OBJECTS, common_steps, sessions_of, steps_of
from propgraph.missions.order import is_one_list, keeps_order, orders_of
from tests.reference import order as slow

MINUTE = 60_000
DAY = 24 * 60 * MINUTE


def log_of(shares: list[tuple[int, int, int]]) -> Incidence:
    """The shares (account, object, time in ms) as one trace."""
    return incidence(
        pl.DataFrame(
            {
                "account_id": [f"a{a:03d}" for a, _, _ in shares],
                "object_id": [f"o{o:04d}" for _, o, _ in shares],
                "content_id": [f"p{k}" for k in range(len(shares))],
                "timestamp": pl.Series([t for *_, t in shares]).cast(pl.Datetime("ms", "UTC")),
            }
        )
    )


def figures(shares: list[tuple[int, int, int]], members: set[int]) -> dict[str, float] | None:
    """What `orders_of` says of one cluster."""
    log = log_of(shares)
    ids = [f"a{a:03d}" for a in sorted(members)]
    cluster = groups_of(
        log.accounts, pl.Series(ids, dtype=pl.String), pl.Series([0] * len(ids), dtype=pl.UInt32)
    )
    found = orders_of(log, cluster)
    return found.row(0, named=True) if found.height else None


def told(shares: list[tuple[int, int, int]], log: Incidence) -> list[tuple[int, int, int]]:
    sessions = sessions_of(log)
    steps = steps_of(log, sessions)

    def number(labels: pl.Series, codes) -> list[int]:
        return [int(label[1:]) for label in labels.gather(codes).to_list()]

    rows = [sessions.row[part] for part in (steps.before, steps.after)]
    return sorted(
        zip(
            number(log.accounts, log.account[rows[0]]),
            number(log.objects, log.object[rows[0]]),
            number(log.objects, log.object[rows[1]]),
            strict=True,
        )
    )


SHARES = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 7), st.integers(0, 300).map(lambda t: t * MINUTE)),
    min_size=1,
    max_size=80,
)


@settings(max_examples=150, deadline=None)
@given(SHARES)
def test_steps_are_what_the_slow_way_finds(shares):
    log = log_of(shares)
    assert told(shares, log) == sorted(slow.steps(shares))
    counts: dict[tuple[int, int], int] = {}
    for _, one, other in slow.steps(shares):
        counts[one, other] = counts.get((one, other), 0) + 1
    assert common_steps(log).row.size == sum(n for n in counts.values() if n > 1)


@settings(max_examples=150, deadline=None)
@given(SHARES, st.sets(st.integers(0, 5), min_size=2))
def test_figures_are_what_the_slow_way_finds(shares, members):
    there = members & {a for a, _, _ in shares}
    expected = slow.order_of(shares, there)
    found = figures(shares, there)
    assert (found is None) == (expected is None)
    if found is not None:
        assert {name: found[name] for name in expected} == pytest.approx(expected, nan_ok=True)


def posted(objects: range) -> list[tuple[int, int, int]]:
    """One account that posted all objects two days before, an hour apart."""
    return [(999, o, o * 60 * MINUTE) for o in objects]


def test_three_of_four_go_the_same_way():
    # Of C(4,2) = 6 pairs of accounts 3 agree: those among the three who took 0 before 1.
    shares = posted(range(2))
    for account in range(4):
        first, second = (0, 1) if account < 3 else (1, 0)
        shares += [(account, first, 10 * DAY), (account, second, 10 * DAY + MINUTE)]
    found = figures(shares, {0, 1, 2, 3})
    assert found is not None
    assert (found["n_order_pairs"], found["n_order_accounts"]) == (1, 4)
    assert found["order_agreement"] == pytest.approx(3 / 6)
    assert found["order_by_age"] == pytest.approx(3 / 4)
    assert found["order_one_sitting"] == 1.0
    # By chance: two of four each way 2/6 in 6 of 16 cases, three 3/6 in 8, four 1 in 2: (2 + 4 + 2) / 16.
    assert found["order_expected"] == pytest.approx(0.5, abs=0.06)
    assert found["order_p"] > 0.3


def test_what_came_up_meanwhile_says_nothing():
    shares = posted(range(1))
    # Object 1 is new when the first takes it, and comes up within the second's session.
    for account, start in ((0, 10 * DAY), (1, 10 * DAY - MINUTE)):
        shares += [(account, 0, start), (account, 1, start + 5 * MINUTE)]
    assert figures(shares, {0, 1}) is None


def test_a_pause_of_half_an_hour_ends_a_session():
    for pause, n in ((30 * MINUTE, 1), (30 * MINUTE + 1, 0)):
        shares = [*posted(range(2)), (0, 0, 10 * DAY), (0, 1, 10 * DAY + pause)]
        assert len(told(shares, log_of(shares))) == n


def test_long_sessions_are_cut_and_counted():
    n = MOST_OBJECTS + 5
    shares = posted(range(n)) + [(0, o, 10 * DAY + o * MINUTE) for o in range(n)]
    log = log_of(shares)
    assert len(told(shares, log)) == MOST_OBJECTS * (MOST_OBJECTS - 1) // 2
    assert sessions_of(log).n_cut == common_steps(log).n_cut == 1


def test_times_too_coarse_tell_no_order():
    shares = [*posted(range(2)), (0, 0, 10 * DAY), (0, 1, 10 * DAY + MINUTE)]
    log = log_of(shares)
    coarse = Incidence(**{**vars(log), "resolution": np.array([2 * MINUTE])})
    assert steps_of(log, sessions_of(log)).before.size == 1
    assert steps_of(coarse, sessions_of(coarse)).before.size == 0


def crew(how, *, seed: int, n: int = 20, n_objects: int = 60) -> dict[str, float]:
    """Twenty who take four of sixty objects at a time, ten times, in the order that `how` sorts them by."""
    rng = np.random.default_rng(seed)
    shares = posted(range(n_objects))
    fixed = rng.permutation(n_objects)
    for account in range(n):
        left = rng.permutation(n_objects)
        for sitting in range(10):
            some = sorted(left[4 * sitting : 4 * sitting + 4].tolist(), key=lambda o: how(o, fixed, rng))
            start = (10 + sitting) * DAY + int(rng.integers(0, DAY // 2))
            shares += [(account, o, start + k * MINUTE) for k, o in enumerate(some)]
    found = figures(shares, set(range(n)))
    assert found is not None
    return found


@pytest.mark.parametrize("seed", range(3))
def test_an_apps_order_is_kept_and_none_is_not(seed):
    app = crew(lambda o, fixed, _: fixed[o], seed=seed)
    assert app["order_agreement"] == 1.0
    assert app["order_p"] == pytest.approx(1 / 201)
    assert keeps_order(app)
    assert not is_one_list(app)
    free = crew(lambda *given: given[2].random(), seed=seed)
    assert free["order_agreement"] == pytest.approx(0.5, abs=0.05)
    assert free["order_p"] > 0.01
    assert not keeps_order(free)


def test_a_feed_is_told_by_the_order_of_publication():
    for way, by_age in ((-1, 0.0), (1, 1.0)):
        feed = crew(lambda o, *_, way=way: way * o, seed=1)
        assert feed["order_by_age"] == by_age
        assert keeps_order(feed)
        assert is_one_list(feed)


def test_a_newsletter_is_told_by_its_one_sitting():
    rng = np.random.default_rng(2)
    shares = posted(range(60))
    for issue in range(6):
        links = rng.permutation(np.arange(10 * issue, 10 * issue + 10))
        for account in range(20):
            taken = links[rng.random(10) < 0.5]
            start = (10 + issue) * DAY + int(rng.integers(0, DAY // 2))
            shares += [(account, int(o), start + k * MINUTE) for k, o in enumerate(taken)]
    found = figures(shares, set(range(20)))
    assert found is not None
    assert found["order_agreement"] == 1.0
    assert found["order_one_sitting"] == 1.0
    assert 0.2 < found["order_by_age"] < 0.8
    assert keeps_order(found)
    assert is_one_list(found)


def test_rows_in_any_order_and_clusters_beside_give_the_same():
    rng = np.random.default_rng(3)
    drawn = rng.integers(0, (30, 30, 3000), (2000, 3))
    shares = [(a, o, t * MINUTE) for a, o, t in drawn.tolist()]
    members = pl.DataFrame({"account_id": [f"a{a:03d}" for a in range(20)], "cluster": [0] * 10 + [1] * 10})

    def found(rows):
        log = log_of(rows)
        cluster = groups_of(log.accounts, members["account_id"], members["cluster"])
        return orders_of(log, cluster)

    one = found(shares)
    assert one.height == 2
    assert one.equals(found([shares[k] for k in rng.permutation(len(shares))]))
    alone = figures(shares, set(range(10)))
    drawn = ("order_expected", "order_p", "order_tail")
    assert one.drop("cluster", *drawn).row(0) == tuple(
        v for k, v in alone.items() if k not in ("cluster", *drawn)
    )
