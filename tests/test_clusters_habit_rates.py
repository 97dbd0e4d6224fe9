"""How much oftener members would meet in the window by their habits: against draws of all pairs of posts."""

from __future__ import annotations

import random
from collections import Counter
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import habits as slow
from test_synchrony_habits import HOUR, drawn
from test_synchrony_pairs import frame

from propgraph.arrays.incidence import incidence
from propgraph.clusters.habit_rates import cells_near, habit_multiples, within
from propgraph.clusters.timing import timing_of


def multiple(rows, members, name, window_ms):
    """Return how many times as often two members' draws of different posts lie in the window as anybody's."""
    posts = slow.ordered(rows)[name]
    near = [(p, q) for p, q in permutations(posts, 2) if abs(p[3] - q[3]) <= window_ms]
    lines = []
    for who in members:
        weight = slow.weights(rows, who, name)
        total = sum(weight[row] for row in posts)
        lines.append({row: weight[row] / total for row in posts})
    chances = [sum(one[p] * other[q] for p, q in near) for one, other in combinations(lines, 2)]
    anybody = len(near) / len(posts) ** 2
    if len(members) < 2 or not anybody:
        return 1.0
    return max(float(np.mean(chances)) / anybody, 1.0)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 1 << 32))
def test_multiples_equal_the_slow_twin(seed):
    rng = random.Random(seed)
    rows = drawn(seed)
    window_ms = rng.choice([60_000, HOUR, 5 * HOUR])
    log = incidence(frame(rows))
    labels, names = log.accounts.to_list(), log.objects.to_list()
    of = {name: rng.choice([0, 0, 1, -1, -1]) for name in labels}
    keys = []
    for c in (0, 1):
        for o, name in enumerate(names):
            mine = [row for row in slow.ordered(rows)[name] if of[row[1]] == c]
            # Among many posts of members a member's own share of the pairs is neglected; see below.
            if len({row[1] for row in mine}) >= 2 and len(mine) <= 16:
                keys.append((c, o))
    found = habit_multiples(
        log, np.array([of[name] for name in labels], np.int64), of=np.array([c for c, _ in keys], np.int64),
        objects=np.array([o for _, o in keys], np.int64), window_ms=window_ms,
    )  # fmt: skip
    for value, (c, o) in zip(found, keys, strict=True):
        members = sorted({row[1] for row in slow.ordered(rows)[names[o]] if of[row[1]] == c})
        assert value == pytest.approx(multiple(rows, members, names[o], window_ms), rel=1e-6)


def morning(n_members):
    """Members who post thirty objects between nine and ten, others who post them at all hours of two days."""
    rows = []
    for o in range(30):
        begin = 72 * HOUR * o
        rows += [
            (f"m{k}.{o}", f"m{k:02}", f"o{o:02}", begin + 9 * HOUR + 97_000 * ((k * 7 + o) % 30))
            for k in range(n_members)
        ]
        rows += [
            (f"s{k}.{o}", f"s{(k * 31 + o * 17) % 200:03}", f"o{o:02}", begin + 1_728_000 * k + 1_000)
            for k in range(100)
        ]
    return rows


def test_people_of_the_same_hours_meet_oftener_and_others_do_not():
    rows = morning(5)
    log = incidence(frame(rows))
    labels = log.accounts.to_list()
    cluster = np.array([0 if name[0] == "m" else 1 if int(name[1:]) % 2 else -1 for name in labels], np.int64)
    key = {"objects": np.array([4], np.int64), "window_ms": 60_000}
    assert habit_multiples(log, cluster, of=np.array([0]), **key)[0] > 5
    # Those who post at all hours are within the window as anybody is.
    assert habit_multiples(log, cluster, of=np.array([1]), **key)[0] < 1.5


def test_of_many_members_one_who_meets_itself_is_neglected():
    rows = morning(25)
    log = incidence(frame(rows))
    cluster = np.array([0 if name[0] == "m" else -1 for name in log.accounts], np.int64)
    found = habit_multiples(log, cluster, of=np.array([0]), objects=np.array([4]), window_ms=60_000)[0]
    exact = multiple(rows, [f"m{k:02}" for k in range(25)], "o04", 60_000)
    # One pair in 25 is of a member with itself, and no less near than the rest.
    assert found == pytest.approx(exact, rel=0.04)


def test_outsiders_rates_are_raised_by_the_multiple_and_told_both_ways():
    rows = morning(5)
    log = incidence(frame(rows))
    cluster = np.array([0 if name[0] == "m" else -1 for name in log.accounts], np.int64)
    plain = timing_of(log, cluster, window_ms=60_000, habits=False).objects
    raised = timing_of(log, cluster, window_ms=60_000).objects
    assert plain["usual_rate"].to_list() == plain["outsider_rate"].to_list() == raised["usual_rate"].to_list()
    expected = [
        min(rate * multiple(rows, [f"m{k:02}" for k in range(5)], log.objects[o], 60_000), 1)
        for rate, o in plain.select("usual_rate", "object").iter_rows()
    ]
    assert raised["outsider_rate"].to_list() == pytest.approx(expected, rel=1e-6)


def test_pairs_in_the_window_by_hand():
    # Posts at 0, 30 and 90 s with weights of a half, a third and a sixth, a cell each: in 60 s all but the outer two.
    time = np.array([0, 30_000, 90_000])
    cell = np.array([0, 1, 2, 3])
    weight = np.array([1 / 2, 1 / 3, 1 / 6])
    assert within(weight, *cells_near(cell, time, 60_000)) == pytest.approx(
        2 * (1 / 2 * 1 / 3 + 1 / 3 * 1 / 6)
    )
    assert within(weight, *cells_near(cell, time, 90_000)) == pytest.approx(1 - (1 / 4 + 1 / 9 + 1 / 36))
    assert within(weight, *cells_near(cell, time, 10)) == 0


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 1 << 32))
def test_cells_hold_every_pair_of_posts_in_the_window_once(seed):
    rng = random.Random(seed)
    n = rng.randint(1, 40)
    time = np.array(sorted(rng.randint(0, 100) for _ in range(n)))
    bounds = sorted(rng.sample(range(1, n), rng.randint(0, n - 1)))
    cell, window_ms = np.array([0, *bounds, n]), rng.choice([0, 1, 10, 200])
    of = np.searchsorted(cell, np.arange(n), side="right") - 1
    expected = Counter(
        (int(of[q]), int(of[p])) for p, q in combinations(range(n), 2) if time[q] - time[p] <= window_ms
    )
    near, reach, first = cells_near(cell, time, window_ms)
    found = {
        (c, d): int(near[first[c] + d - reach[c]])
        for c in range(cell.size - 1)
        for d in range(reach[c], c + 1)
    }
    assert near.size == first[-1] == len(found)
    assert {pair: k for pair, k in found.items() if k} == expected
