"""The null with habits: against slow twins, and calibrated where accounts draw their posts by habits."""

from __future__ import annotations

import random
from itertools import combinations
from math import exp, log

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import habits as reference
from reference import synchrony as slow
from test_synchrony_pairs import frame

from benchmarks.detection.habits import Habits as Made
from benchmarks.detection.habits import simulated
from propgraph.arrays.incidence import incidence
from propgraph.synchrony.habits import WEIGHTS, count_sessions, habits_of, weighted_chance, weights_without
from propgraph.synchrony.joint import joint_synchrony
from propgraph.synchrony.pairs import rank_synchrony
from propgraph.synchrony.prepared import prepare_shares
from propgraph.synchrony.weighed import weigh_pairs, weigh_standing

HOUR = 3_600_000
# No fraction of few pairs of posts is one of these, so that nothing hangs on the last digit of a float.
TAUS = (0.1003, 0.2003, 0.4987)
MANY = settings(max_examples=60, deadline=None)


def drawn(seed):
    """A log with ties, repeats, posts of several objects, and accounts that keep hours or post at any."""
    rng = random.Random(seed)
    accounts = [f"a{k}" for k in range(rng.choice([3, 6, 12, 40]))]
    own_hours = {account: rng.choice([None, rng.randrange(24)]) for account in accounts}
    several, step = rng.choice([0.0, 0.0, 0.3]), rng.choice([1_000, 600_000])
    rows = []
    for o in range(rng.randrange(1, 7)):
        begin = rng.randrange(20 * 24) * HOUR
        for _ in range(rng.randrange(1, 50)):
            account = rng.choice(accounts)
            hours = own_hours[account]
            at = (
                begin + rng.randrange(3 * 24) * HOUR
                if hours is None
                else begin // (24 * HOUR) * 24 * HOUR + hours * HOUR
            )
            post = f"p{rng.randrange(9)}" if rng.random() < several else f"q{len(rows)}"
            rows.append((post, account, f"o{o}", at + rng.randrange(HOUR // step) * step))
    return list(dict.fromkeys(rows))


def prepared_of(rows, tau=0.2003):
    return prepare_shares(incidence(frame(rows)), tau=tau)


def ordered(rows):
    """The rows in the order of the log."""
    return [row for posts in reference.ordered(rows).values() for row in posts]


logs = st.integers(0, 1 << 32).map(drawn)


@MANY
@given(logs)
def test_kinds_cells_and_frequencies_equal_the_slow_twin(rows):
    prepared = prepared_of(rows)
    habits = prepared.habits
    kind, order = reference.kinds(rows), ordered(rows)
    numbers = [(hour * 7 + day) * 12 + place for hour, day, place in (kind[row] for row in order)]
    assert habits.kind.tolist() == numbers
    assert habits.usual.tolist() == pytest.approx([part for parts in reference.usual(kind) for part in parts])
    # A cell is a run of one kind in one object.
    begins = [
        k
        for k, row in enumerate(order)
        if k == 0 or row[2] != order[k - 1][2] or numbers[k] != numbers[k - 1]
    ]
    assert habits.cell.tolist() == [*begins, len(order)]
    objects = [order[begin][2] for begin in begins]
    names = sorted(set(objects))
    assert habits.first_cell.tolist() == [objects.index(name) for name in names] + [len(begins)]


@MANY
@given(logs)
def test_weights_equal_the_slow_twin(rows):
    prepared = prepared_of(rows)
    habits, order = prepared.habits, ordered(rows)
    labels, objects = prepared.log.accounts, prepared.log.objects
    found, votes = np.empty(WEIGHTS), np.empty(WEIGHTS)
    for a in range(len(labels)):
        mine = np.arange(prepared.start[a], prepared.start[a + 1])
        count_sessions(a, prepared.start, habits.vote, habits.leads, votes)
        assert votes[:24].sum() == len({row[3] // HOUR for row in rows if row[1] == labels[a]})
        for o in np.unique(prepared.listed[mine])[:2]:
            x, x_stop = mine[prepared.listed[mine] == o][[0, -1]] + (0, 1)
            weights_without(x, x_stop, prepared.session, habits.vote, votes, habits.usual, found)
            expected = reference.weights(rows, labels[a], objects[int(o)])
            for row, marks in reference.kinds(rows).items():
                hour, day, place = marks
                product = found[hour] * found[24 + day] * found[31 + place]
                assert product == pytest.approx(expected[row], rel=1e-9)
    assert len(order) == prepared.listed.size


def test_weights_by_hand():
    # b posts one object a day, always at nine, for eight Mondays; eight others post at all hours.
    rows = [(f"b{k}", "b", f"o{k}", (4 + 7 * k) * 24 * HOUR + 9 * HOUR) for k in range(8)]
    rows += [
        (f"s{k}{j}", f"s{j}", f"o{k}", (4 + 7 * k) * 24 * HOUR + (3 * j + k) % 24 * HOUR + 60_000)
        for k in range(8)
        for j in range(8)
    ]
    weight = reference.weights(rows, "b", "o0")
    kind = reference.kinds(rows)
    usual_hour = reference.usual(kind)[0]
    # Seven sessions are left: at nine falls a third of what they speak for, at eleven a ninth, elsewhere nothing.
    # All are on Mondays (4 January 1970 was a Sunday, day 3 since): half of that is spread to the days beside them.
    days = {day for _, day, _ in kind.values()}
    assert days == {4}
    monday = (7 * 0.5 + 4) / 11
    for row, (hour, _, _) in kind.items():
        tent = {7: 1 / 9, 8: 2 / 9, 9: 1 / 3, 10: 2 / 9, 11: 1 / 9}.get(hour, 0)
        of_hour = (7 * tent + 4 * usual_hour[hour]) / 11 / usual_hour[hour]
        of_place = weight[row] / monday / of_hour
        same = [other for other in rows if kind[other][::2] == kind[row][::2]]
        assert all(weight[other] == pytest.approx(weight[row]) for other in same)
        assert of_place > 0
    # One who posts at all hours of one day is no likelier at any than another, but for chance.
    nobody = reference.weights([*rows, ("x", "x", "o0", 4 * 24 * HOUR)], "x", "o0")
    assert list(nobody.values()) == pytest.approx([1] * len(nobody))


@MANY
@given(logs, st.integers(0, 1 << 32))
def test_the_chance_with_weights_equals_a_count_over_all_pairs_and_bounds_that_with_ties(rows, seed):
    prepared = prepared_of(rows)
    habits, kind = prepared.habits, reference.kinds(rows)
    rng = np.random.default_rng(seed)
    one, other = rng.lognormal(0, 2, (2, WEIGHTS))
    one[rng.integers(WEIGHTS)] = 0

    def named(line):
        return {row: line[h] * line[24 + d] * line[31 + p] for row, (h, d, p) in kind.items()}

    for o, posts in enumerate(reference.ordered(rows).values()):
        for gap in {1, 2, len(posts) // 5, len(posts) - 1} - {0}:
            found = weighted_chance(gap, o, habits.kind, habits.first_cell, habits.cell, one, other)
            assert found == pytest.approx(
                reference.weighted(posts, named(one), named(other), gap), rel=1e-6, abs=1e-9
            )
            with_ties = reference.weighted(posts, named(one), named(other), gap, ties=True)
            if len({row[3] for row in posts}) == len(posts):
                assert found == pytest.approx(with_ties, rel=1e-6, abs=1e-9)
            assert found >= with_ties - 1e-9


@MANY
@given(logs, st.sampled_from(TAUS))
def test_pairs_held_to_habits_equal_the_slow_twin(rows, tau):
    prepared = prepared_of(rows, tau)
    labels = prepared.log.accounts
    pairs = list(combinations(range(len(labels)), 2))[:40]
    source, target = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    found = [weigh_pairs(prepared, source=source, target=target, threads=n) for n in (1, 2)]
    assert found[0].tolist() == found[1].tolist()
    for k, (a, b) in enumerate(pairs):
        assert exp(found[0][k]) == pytest.approx(
            reference.p_habits(rows, (labels[a], labels[b]), tau), rel=1e-6
        )


@MANY
@given(logs, st.sampled_from(TAUS), st.integers(0, 1 << 32))
def test_standings_held_to_habits_equal_the_slow_twin(rows, tau, seed):
    rng = random.Random(seed)
    prepared = prepared_of(rows, tau)
    labels = prepared.log.accounts
    group = np.array([rng.choice([0, 0, 1, -1]) for _ in labels], np.int64)
    account = np.arange(min(len(labels), 20))
    near = np.array([rng.randrange(2) for _ in account], np.int64)
    some = {name for name in prepared.log.objects if rng.random() < 0.7}
    counts = np.array([prepared.log.objects[int(o)] in some for o in prepared.listed])
    for told, names, fellows, cut in (
        (np.empty(0, np.bool_), None, 1, None), (counts, some, 1, None), (counts, some, 3, 0.5),
    ):  # fmt: skip
        by_deal, by_habit = weigh_standing(
            prepared, group, account=account, near=near, counts=told, tau=cut, fellows=fellows, threads=2
        )
        for k in account:
            members = [labels[int(m)] for m in np.flatnonzero(group == near[k])]
            expected = reference.standing(rows, labels[int(k)], members, cut or tau, names, fellows)
            assert (by_deal[k], by_habit[k]) == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_the_table_tells_the_larger_of_both_and_tests_again_whoever_stands_out():
    rng = np.random.default_rng(4)
    rows = []
    for o in range(20):
        who = [f"x{k:02}" for k in rng.permutation(40)]
        at = int(rng.integers(41))
        who[at:at] = ["a", "b"]
        who[3:3] = ["c", "d"]  # always early
        begin = (31 * o) * HOUR
        rows += [(f"p{o}.{k}", name, f"o{o:02}", begin + 1_800_000 * k + k) for k, name in enumerate(who)]
    table = rank_synchrony(frame(rows), tau=0.2003, max_p=1)
    n_tests = len(slow.tested_pairs(rows, 0.2003))
    if_dealt = slow.q_values(table["p_value"].to_list(), n_tests)
    assert table["p_habits"].is_not_null().to_list() == [q <= 0.5 for q in if_dealt]
    again = table.filter(pl.col("p_habits").is_not_null())
    assert again.height >= 2
    for row in again.iter_rows(named=True):
        pair = (row["source"], row["target"])
        assert row["p_habits"] == pytest.approx(reference.p_habits(rows, pair, 0.2003), rel=1e-6)
    larger = [max(p, habit or 0) for p, habit in table.select("p_value", "p_habits").iter_rows()]
    assert table["synchrony"].to_list() == pytest.approx((-np.log10(larger)).tolist(), abs=1e-9)
    assert table["q_value"].to_list() == pytest.approx(slow.q_values(larger, n_tests), rel=1e-9)
    # Who comes early in everything, with another who does, stands near by habit.
    found = {(row["source"], row["target"]): row for row in table.to_dicts()}
    assert found["c", "d"]["p_value"] == pytest.approx(found["a", "b"]["p_value"])
    assert found["a", "b"]["q_value"] <= 0.05
    assert found["c", "d"]["p_habits"] > 100 * found["a", "b"]["p_habits"]


def quick_log(seed, kind):
    return simulated(kind, seed, n_accounts=1_000, n_objects=150, mean=14)


@pytest.mark.parametrize("kind", [Made(slot=4), Made(quick=0.1), Made(slot=4, quick=0.1)], ids=str)
def test_nobody_is_synchronised_by_habits_alone(kind):
    held, n_pairs = np.zeros(2), 0
    levels = np.array([0.1, 0.01])
    for seed in range(3):
        shares = quick_log(seed, kind)
        prepared = prepare_shares(incidence(shares))
        ends = np.random.default_rng(seed).integers(0, len(prepared.log.accounts), (2, 20_000))
        source, target = ends[:, ends[0] != ends[1]]
        log_p = weigh_pairs(prepared, source=source, target=target, threads=2)
        held += [(log_p <= log(x)).sum() for x in levels]
        n_pairs += source.size
        found = joint_synchrony({"object": shares}, threads=2).network
        assert not found["synchronised"].any()
    # Pairs hang together, for each account is in many: twice the error of as many that would not.
    assert (held <= n_pairs * levels + 8 * np.sqrt(n_pairs * levels)).all()
    assert held[0] >= 0.01 * n_pairs  # and it is no empty promise


def crew_log(hours, *, seed=0, n_objects=24):
    """Two of four accounts meet within seconds over each object, at hours of their own; others at any time."""
    rng = np.random.default_rng(seed)
    rows = []
    for o in range(n_objects):
        begin = int(rng.integers(0, 60 * 24)) * HOUR
        when = np.sort(begin + rng.integers(0, 3 * 24 * HOUR, 60))
        rows += [
            (f"s{o}.{k}", f"s{who:03}", f"o{o:02}", int(at))
            for k, (who, at) in enumerate(zip(rng.choice(200, 60, replace=False), when, strict=True))
        ]
        hour = hours(o, rng)
        # Two posts at that hour, of one of the object's three days.
        at = (
            begin // (24 * HOUR) * 24 * HOUR
            + 24 * HOUR * int(rng.integers(1, 3))
            + hour * HOUR
            + int(rng.integers(HOUR // 2))
        )
        rows += [(f"{who}{o}", who, f"o{o:02}", at + 2_000 * k) for k, who in enumerate("xy")]
    return rows


def test_a_pair_that_meets_at_all_hours_is_found_and_one_of_one_slot_is_told_as_habit():
    spread = joint_synchrony({"object": frame(crew_log(lambda _, rng: int(rng.integers(24))))}).network
    [pair] = spread.filter("synchronised").to_dicts()
    assert (pair["source"], pair["target"], pair["by_habit"]) == ("x", "y", False)
    assert pair["p_habits"] < 1e-6
    # Always in the object's first minutes, at one hour: nearer than chance, and no nearer than habit.
    rows = [
        row
        if row[1] not in "xy"
        else (*row[:3], min(r[3] for r in ROWS_OF[row[2]]) + (1 if row[1] == "x" else 2))
        for row in QUICK
    ]
    narrow = joint_synchrony({"object": frame(rows)}).network
    [told] = narrow.filter(source="x", target="y").to_dicts()
    assert (told["synchronised"], told["by_habit"]) == (False, True)
    assert told["p_value"] < 1e-9 < told["p_habits"]
    assert not narrow["synchronised"].any()


QUICK = crew_log(lambda _, rng: 9)
ROWS_OF = reference.ordered(QUICK)


def test_no_shares_and_no_objects():
    prepared = prepared_of([])
    habits = prepared.habits
    assert habits.cell.tolist() == [0]
    assert (
        weigh_pairs(prepared, source=np.empty(0, np.int64), target=np.empty(0, np.int64), threads=2).size == 0
    )


def test_sessions_of_an_account_are_one_vote_each():
    # Five posts in one hour and one the next day: two votes, by the first post of each by object and time.
    rows = [(f"p{k}", "a", f"o{k}", 9 * HOUR + 60_000 * k) for k in range(5)] + [("q", "a", "o0", 30 * HOUR)]
    prepared = prepared_of(rows)
    habits = habits_of(
        prepared.log, start=prepared.start, position=prepared.position, session=prepared.session
    )
    votes = np.empty(WEIGHTS)
    count_sessions(0, prepared.start, habits.vote, habits.leads, votes)
    assert {k: v for k, v in enumerate(votes[:24]) if v} == {9: 1, 6: 1}
    assert habits.leads.sum() == 2
