"""How near accounts stand to a group: against the slow twin, and exact by enumeration."""

from __future__ import annotations

import random
from itertools import combinations, product
from math import exp

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from reference import standing as reference

from propgraph.arrays.incidence import incidence
from propgraph.synchrony.prepared import prepare_shares
from propgraph.synchrony.standing import standing_of

TAUS = st.sampled_from([0.2, 0.25, 0.5])
ACCOUNTS = "abcdefghijklmn"


@st.composite
def logs(draw):
    """Rows with ties, repeated posts, and posts that share several objects.

    Drawn whole from a seed: lists built up row by row stay so short that hardly anybody can be tested.
    """
    rng = random.Random(draw(st.integers(0, 1 << 32)))
    own_ids = draw(st.booleans())
    rows = []
    for k in range(draw(st.integers(4, 70))):
        account, object_ = rng.choice(ACCOUNTS), rng.choice("opq")
        content = f"p{k:02d}" if own_ids else f"{account}{rng.randrange(4)}"
        rows.append((content, account, object_, 600_000 * rng.randrange(60)))
    return list({(row[0], row[2]): row for row in rows}.values())


groupings = st.dictionaries(st.sampled_from(ACCOUNTS), st.integers(0, 2), min_size=3, max_size=8)


def shares_of(rows):
    frame = pl.DataFrame(rows, schema=["content_id", "account_id", "object_id", "timestamp"], orient="row")
    return frame.with_columns(pl.col("timestamp").cast(pl.Datetime("ms", "UTC")))


def hours_apart(rows):
    """Put each object in a day of its own, so that no two are of one session; gaps stay."""
    day = {name: k for k, name in enumerate(sorted({row[2] for row in rows}))}
    return [(*row[:3], row[3] + 86_400_000 * day[row[2]]) for row in rows]


def stand(rows, group_of, *, tau=0.2, threads=1):
    """`standing_of` as a table; accounts that are in no row have no group."""
    prepared = prepare_shares(incidence(shares_of(rows)), tau=tau)
    labels = prepared.log.accounts
    group = np.array([group_of.get(name, -1) for name in labels], np.int64)
    found = standing_of(prepared, group, threads=threads)
    return pl.DataFrame(
        {
            "group": found.group, "account": labels.gather(pl.Series(found.account)), "inside": found.inside,
            "n_tested": found.n_tested, "n_near": found.n_near, "log_p": found.log_p,
        }
    )  # fmt: skip


@given(logs(), groupings, TAUS, st.sampled_from([1, 2]))
def test_standing_equals_the_slow_twin(rows, group_of, tau, threads):
    there = {row[1] for row in rows}
    expected = []
    for group in range(3):
        members = {name for name, of in group_of.items() if of == group} & there
        for account, (n_tested, n_near, log_p) in reference.standing(rows, members, tau).items():
            expected.append((group, account, account in members, n_tested, n_near, log_p))
    found = stand(rows, group_of, tau=tau, threads=threads)
    assert found.drop("log_p").rows() == [row[:-1] for row in expected]
    assert found["log_p"].to_list() == pytest.approx([row[-1] for row in expected], rel=1e-9, abs=1e-12)


@given(logs(), groupings, st.randoms(use_true_random=False))
def test_neither_the_rows_order_nor_threads_change_anything(rows, group_of, random):
    other = rows.copy()
    random.shuffle(other)
    assert_frame_equal(stand(rows, group_of), stand(other, group_of, threads=2), check_exact=True)


@given(logs(), groupings, st.permutations(ACCOUNTS))
def test_other_names_give_the_same(rows, group_of, names):
    # Posts of one time and account are told apart by their ids, which stay.
    new = dict(zip(ACCOUNTS, names, strict=True))
    found = stand(rows, group_of).with_columns(pl.col("account").replace_strict(new, return_dtype=pl.String))
    renamed = stand(
        [(content, new[account], object_, time) for content, account, object_, time in rows],
        {new[name]: group for name, group in group_of.items()},
    )
    assert_frame_equal(found.sort("group", "account"), renamed, check_exact=True)


def test_without_groups_nobody_stands_anywhere():
    rows = [(f"p{k}", "abc"[k % 3], "opq"[k // 3], k) for k in range(9)]
    assert stand(rows, {}).is_empty()


def test_standing_by_hand():
    # Eleven posts of each object, a minute apart; the group made the sixth. The posts beside it are two of the
    # ten free ones, so w's p is 0.2 each; x, always five away, is as far as the last: its p is 1.
    rows = []
    for object_ in "opq":
        names = [f"{object_}{k}" for k in range(11)]
        names[4], names[5], names[10] = "w", "m", "x"
        rows += [(f"{object_}{k}", name, object_, k) for k, name in enumerate(names)]
    found = {row["account"]: row for row in stand(hours_apart(rows), {"m": 0}, tau=0.25).to_dicts()}
    assert set(found) == {"w", "x"}  # all others share one object only; m has no fellows
    assert (found["w"]["n_tested"], found["w"]["n_near"]) == (3, 3)
    # Three of three at ln(0.25 / 0.2) each: by the binomial and gamma laws.
    assert found["w"]["log_p"] == pytest.approx(reference.tail(3, 3 * np.log(1.25), 0.25), rel=1e-12)
    assert (found["x"]["n_tested"], found["x"]["n_near"], found["x"]["log_p"]) == (3, 0, 0)


def test_a_member_is_held_against_the_others_alone():
    # m stands beside itself only, n and k beside each other: m's own posts must not vouch for it.
    rows = []
    for object_ in "opqr":
        names = [f"{object_}{k:02d}" for k in range(30)]
        names[3], names[4], names[28] = "n", "k", "m"
        rows += [(f"{object_}{k:02d}", name, object_, k) for k, name in enumerate(names)]
    found = {row["account"]: row for row in stand(hours_apart(rows), dict.fromkeys("mnk", 0)).to_dicts()}
    assert all(found[name]["inside"] for name in "mnk")
    assert (found["m"]["n_near"], found["n"]["n_near"], found["k"]["n_near"]) == (0, 4, 4)


def test_a_sitting_counts_by_the_first_object_in_order_whoever_is_in_it():
    # w posts o and p in one hour; z of the group is in o, y in p: o is first though y is looked at first.
    rows = []
    for object_, fellow, place in (("o", "z", 1), ("p", "y", 2)):
        names = [f"{object_}{k:02d}" for k in range(40)]
        names[10], names[10 + place] = fellow, "w"
        rows += [(f"{object_}{k:02d}", name, object_, k) for k, name in enumerate(names)]
    [found] = stand(rows, {"y": 0, "z": 0}).filter(account="w").to_dicts()
    # Two of the 39 free posts stand one place away; the second object is near, too, and does not count.
    assert (found["n_tested"], found["n_near"]) == (2, 2)
    assert found["log_p"] == pytest.approx(reference.tail(1, -np.log(2 / 39 / 0.2), 0.2), rel=1e-9)


@st.composite
def objects(draw):
    """One object: its posts' times and which the group made, and how many of the others are w's."""
    times = draw(st.lists(st.integers(0, 40), min_size=6, max_size=10))
    held = draw(st.sets(st.integers(0, len(times) - 1), min_size=1, max_size=2))
    return [(time, k in held) for k, time in enumerate(times)], draw(st.sampled_from([1, 1, 2]))


def deals(layout, n_own):
    """Return every way to deal an account's posts to the free ones of an object: rows without the object."""
    free = [k for k, (_, held) in enumerate(layout) if not held]
    for mine in combinations(free, n_own):
        yield [
            (f"p{k}", "m" if held else "w" if k in mine else f"s{k}", time)
            for k, (time, held) in enumerate(layout)
        ]


def all_p_values(layouts, tau):
    """Return ln P of `w` for every deal of all objects; empty where too little can be told, or it takes too long."""
    values = []
    for name, (layout, n_own) in enumerate(layouts):
        here = []
        for posts in deals(layout, n_own):
            rows = [(content, account, f"o{name}", time) for content, account, time in posts]
            here.append(reference.placed(rows, "w", {"m"}, tau))
        # What can be tested is known before anybody is dealt.
        assert len({place is None for place in here}) <= 1
        if here and here[0] is not None:
            values.append([value for _, value in here])
    if len(values) < 2 or np.prod([len(dealt) for dealt in values]) > 3000:
        return []
    return [
        reference.tail(len(dealt), sum(-np.log(v / tau) for v in dealt if v <= tau), tau)
        for dealt in product(*values)
    ]


def is_calibrated(log_p):
    """Tell whether P(p <= x) <= x at every x that comes about."""
    log_p = np.sort(log_p)
    share = np.searchsorted(log_p, log_p + 1e-12, side="right") / log_p.size
    return bool((share <= np.exp(log_p) * (1 + 1e-9)).all())


@given(st.lists(objects(), min_size=2, max_size=3), st.sampled_from([0.25, 0.5]))
@example([([(k, k == 3) for k in range(9)], 1)] * 3, 0.25)
@example([([(k // 2, k in (2, 5)) for k in range(9)], 2)] * 2, 0.5)
def test_over_all_deals_small_p_values_are_as_seldom_as_they_say(layouts, tau):
    log_p = all_p_values(layouts, tau)
    assume(log_p)
    assert is_calibrated(np.array(log_p))


@pytest.mark.parametrize("inside", [False, True])
def test_the_compiled_p_values_are_exact_over_all_deals(inside):
    # Three objects, one post of the group or two in each; of the others' seven or eight, w's is any.
    layouts = [
        [(k, k in (0, 1)) for k in range(9)],
        [(time, k == 8) for k, time in enumerate((0, 1, 1, 2, 4, 4, 5, 8, 9))],
        [(k, k in (4, 9)) for k in range(10)],
    ]
    log_p = []
    for dealt in product(*(deals(layout, 1) for layout in layouts)):
        rows = [
            (f"{name}{content}", account, f"o{name}", time)
            for name, posts in enumerate(dealt) for content, account, time in posts
        ]  # fmt: skip
        found = stand(hours_apart(rows), {"m": 0} | ({"w": 0} if inside else {}), tau=0.3).filter(account="w")
        assert found["inside"].to_list() == [inside]
        log_p += found["log_p"].to_list()
    assert len(log_p) == 7 * 8 * 8
    assert is_calibrated(np.array(log_p))
    assert exp(min(log_p)) < 0.2  # and it says something
