from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from reference import synchrony as reference

from propgraph.arrays.incidence import incidence
from propgraph.errors import InputError, UsageError
from propgraph.schema import SYNCHRONY, TIME
from propgraph.synchrony.pairs import near_pairs, pairs_at, rank_synchrony
from propgraph.synchrony.prepared import prepare_shares

NAMES = ("content_id", "account_id", "object_id", "timestamp")
TAUS = (0.1, 0.2, 0.5)
NEIGHBOURS = (1, 3, 50)


def frame(log):
    columns = list(zip(*log, strict=True)) if log else [[]] * 4
    shares = pl.DataFrame(
        dict(zip(NAMES[:3], map(list, columns[:3]), strict=True)), schema=dict.fromkeys(NAMES[:3], pl.String)
    )
    return shares.with_columns(timestamp=pl.Series(list(columns[3]), dtype=pl.Int64).cast(TIME))


@st.composite
def logs(draw, max_posts=60):
    """Objects of 1 to 60 posts, by few accounts or many; ties from none to most; posts of several objects."""
    random = draw(st.randoms(use_true_random=False))
    accounts = [f"a{k}" for k in range(draw(st.sampled_from([3, 6, 12, 40])))]
    several = draw(st.sampled_from([0.0, 0.0, 0.5]))  # how often a post is one of few, of several objects
    log = []
    for o in range(draw(st.integers(1, 5))):
        n = draw(st.integers(1, max_posts))
        span = draw(st.sampled_from([1, 5, 50, 10_000]))
        for _ in range(n):
            post = f"p{random.randrange(12)}" if random.random() < several else f"q{len(log)}"
            # Now and then a post is itself what is shared.
            post = f"o{o}" if random.random() < 0.01 else post
            log.append((post, random.choice(accounts), f"o{o}", 1_000 * random.randrange(span)))
    return log


# One account with a great many posts among others, as people do who repeat themselves.
LOUD = [(f"p{k}", "ab"[k % 13 == 0] if k % 3 else f"c{k % 7}", "o1", 7 * k % 60) for k in range(60)]
LOUD += [
    (f"r{k}", f"{'abcd'[k % 4]}{k * k % 11 % 4 or ''}", f"o{2 + k // 60}", k * 2 // 3) for k in range(240)
]
# Two objects met by the same two posts, and a third by others.
TWICE = [(f"p{k}", f"a{k}", o, k) for k in range(40) for o in ("x", "y")]
TWICE += [(f"r{k}", f"a{k}", "z", k * k) for k in range(40)]


# Two accounts of three posts each, side by side in three objects: one in a single hour, the other in three. Whose
# sessions count is settled by the names, of two pairs once the one way and once the other.
def side_by_side(*, hurried, patient):
    rows = []
    for o, hour in (("x", 1), ("y", 2), ("z", 5)):
        edge = hour * 3_600_000
        rows += [(f"{hurried}{o}", hurried, o, 3_599_000 + ord(o)), (f"{patient}{o}", patient, o, edge)]
        rows += [(f"z{hurried}{o}{k}", f"z{hurried}{o}{k}", o, edge + 60_000 * (k + 1)) for k in range(60)]
    return rows


EQUAL = side_by_side(hurried="a", patient="b") + [
    (post, account, o + "2", time) for post, account, o, time in side_by_side(hurried="d", patient="c")
]


def found_by(prepared, pairs):
    """What ranks say of named pairs of accounts, as plain tuples."""
    code = {name: k for k, name in enumerate(prepared.log.accounts)}
    pairs = [pair for pair in pairs if pair[0] in code and pair[1] in code]
    ends = [np.array([code[pair[side]] for pair in pairs], np.int64) for side in (0, 1)]
    found = pairs_at(prepared, *ends, threads=2)
    assert [prepared.log.accounts[int(k)] for k in found.source] == [pair[0] for pair in pairs]
    assert [prepared.log.accounts[int(k)] for k in found.target] == [pair[1] for pair in pairs]
    columns = (found.n_tested, found.n_near, found.closest_ms, np.exp(found.log_p))
    return dict(zip(pairs, zip(*(column.tolist() for column in columns), strict=True), strict=True))


@settings(max_examples=100)
@given(logs(), st.sampled_from(TAUS))
@example(LOUD, 0.2)
@example(LOUD, 0.5)
@example(TWICE, 0.2)
@example(EQUAL, 0.2)
@example([], 0.2)
@example([("p", "a", "o", 0)], 0.2)
def test_any_pair_equals_the_slow_twin(log, tau):
    prepared = prepare_shares(incidence(frame(log)), tau=tau)
    accounts = sorted({row[1] for row in log})
    pairs = list(combinations(accounts, 2))[:150]
    for pair, found in found_by(prepared, pairs).items():
        expected = reference.measure(log, pair, tau)
        assert found[:3] == expected[:3]
        assert found[3] == pytest.approx(expected[3], rel=1e-9)


@settings(max_examples=80)
@given(logs(), st.sampled_from(TAUS), st.sampled_from(NEIGHBOURS), st.sampled_from([1.0, 1.0, 0.05]))
@example(LOUD, 0.2, 50, 1.0)
@example(TWICE, 0.2, 50, 1.0)
@example(TWICE, 0.2, 1, 1.0)
@example(EQUAL, 0.2, 50, 1.0)
@example([], 0.2, 50, 1.0)
def test_the_table_equals_the_slow_twin(log, tau, neighbours, max_p):
    table = rank_synchrony(frame(log), tau=tau, neighbours=neighbours, max_p=max_p)
    assert dict(table.schema) == SYNCHRONY.dtypes
    expected = {
        pair: reference.measure(log, pair, tau) for pair in reference.near_pairs(log, tau, neighbours)
    }
    expected = {pair: found for pair, found in expected.items() if found[3] <= max_p}
    # Of pairs with too many posts, fewer than two objects may be left to tell anything.
    told = [found[0] >= 2 for found in expected.values()]
    assert table.select("source", "target").rows() == list(expected)
    assert table.select("n_tested", "n_near").rows() == [found[:2] for found in expected.values()]
    closest = [None if found[2] < 0 else found[2] / 1000 for found in expected.values()]
    assert table["closest_delta_s"].to_list() == closest
    p_values = np.array([found[3] for found in expected.values()])[told]
    assert table["p_value"].is_not_null().to_list() == told
    table = table.filter(told)
    assert table["p_value"].to_list() == pytest.approx(p_values.tolist(), rel=1e-9)
    assert table["synchrony"].to_list() == pytest.approx((-np.log10(p_values)).tolist(), abs=1e-9)
    q_values = reference.q_values(p_values.tolist(), len(reference.tested_pairs(log, tau)))
    assert table["q_value"].to_list() == pytest.approx(q_values, rel=1e-9)


def test_the_logs_drawn_are_rich_enough():
    # Both examples have pairs that are near, not near, met twice by one post, and too loud to be tested.
    loud = {pair: reference.measure(LOUD, pair, 0.2) for pair in reference.near_pairs(LOUD, 0.2, 50)}
    assert Counter(found[0] for found in loud.values()).keys() >= {0, 1, 2, 4}
    assert Counter(found[1] for found in loud.values()).keys() >= {0, 1, 2}
    twice = reference.measure(TWICE, ("a0", "a1"), 0.2)
    assert twice[:2] == (3, 2)
    # Of equally busy accounts the last by name is held to its sessions: one for d, three for b.
    once, thrice = (reference.measure(EQUAL, pair, 0.2) for pair in (("c", "d"), ("a", "b")))
    assert once[:2] == thrice[:2] == (3, 3)
    assert once[3] > 5 * thrice[3]


def test_likeness_is_tested_over_all_pairs_of_accounts():
    # Two who share twelve objects side by side, each with two others, among 300 who share four of 150 at random.
    rng = np.random.default_rng(0)
    log = [
        (f"p{o}{k}", account, f"o{o}", k)
        for o in range(12)
        for k, account in enumerate(("x", "y", f"f{2 * o}", f"f{2 * o + 1}"))
    ]
    log += [(f"z{f}{o}", f"f{f}", f"g{o}", f) for f in range(300) for o in rng.choice(150, 4, replace=False)]
    table = rank_synchrony(frame(log), tau=0.5, max_p=1)
    # The pairs of the table are looked at, out of the 302 * 301 / 2 that as many accounts make.
    expected = reference.q_values(table["overlap_p"].to_list(), 45_451)
    assert table["overlap_q"].to_list() == pytest.approx(expected, rel=1e-9)
    assert table.filter(source="x", target="y")["overlap_q"][0] < 0.05


@settings(max_examples=60)
@given(logs(), st.randoms(use_true_random=False), st.sampled_from(TAUS))
@example(LOUD, None, 0.2)
def test_neither_threads_nor_the_order_of_rows_matter(log, random, tau):
    shuffled = random.sample(log, len(log)) if random else log[::-1]
    one = rank_synchrony(frame(log), tau=tau, max_p=1, threads=1)
    assert_frame_equal(one, rank_synchrony(frame(shuffled), tau=tau, max_p=1, threads=2), check_exact=True)


def test_posts_sorted_by_all_but_their_id_give_the_same_either_way():
    # Rows that stand in order already are not sorted again: what is left to chance must not matter.
    log = [(f"p{k:03}", f"a{k // 2}", o, k // 6) for k in range(60) for o in "xy"]
    log += [(f"p{(k * 7) % 60:03}", f"a{k // 2}", "z", k // 6) for k in range(60)]
    ordered = sorted(log, key=lambda row: (row[2], row[3], row[1]))
    log.reverse()
    backwards = sorted(log, key=lambda row: (row[2], row[3], row[1]))
    assert ordered != backwards
    one, other = (rank_synchrony(frame(rows), tau=0.5, max_p=1) for rows in (ordered, backwards))
    assert one.height > 5
    assert_frame_equal(one, other, check_exact=True)


@settings(max_examples=60)
@given(logs(), st.sampled_from(TAUS))
def test_what_accounts_are_called_does_not_matter(log, tau):
    # Their order may: of two that are as busy as each other it decides whose sessions count.
    accounts = sorted({row[1] for row in log})
    new = dict(zip(accounts, (f"{k:03}" for k in range(len(accounts))), strict=True))
    renamed = [(row[0], new[row[1]], *row[2:]) for row in log]

    def plain(table, names):
        return {
            frozenset((names[row["source"]], names[row["target"]])): [
                row["n_tested"], row["n_near"], row["closest_delta_s"], row["p_value"], row["q_value"]
            ]
            for row in table.fill_null(-1.0).iter_rows(named=True)
        }  # fmt: skip

    found = plain(rank_synchrony(frame(log), tau=tau, max_p=1), new)
    again = plain(rank_synchrony(frame(renamed), tau=tau, max_p=1), {name: name for name in new.values()})
    assert found.keys() == again.keys()
    for pair in found:
        assert found[pair][:3] == again[pair][:3]
        assert found[pair][3:] == pytest.approx(again[pair][3:], rel=1e-12)


def test_what_is_posted_in_one_sitting_counts_once():
    # Two accounts come one after the other in twelve objects, all in one hour: no more than one object tells.
    log = []
    for o in range(12):
        accounts = [f"x{k:02}" for k in range(40)]
        accounts[20:20] = ["a", "b"]
        log += [(f"p{o}.{k}", account, f"o{o:02}", 1000 * k + o) for k, account in enumerate(accounts)]
    [(n_tested, n_near, _, p)] = found_by(prepare_shares(incidence(frame(log))), [("a", "b")]).values()
    assert (n_tested, n_near) == (12, 12)
    assert p == pytest.approx(2 / 42)


def test_traces_are_apart_and_sorted():
    shares = pl.concat([frame(LOUD).with_columns(trace=pl.lit(name)) for name in ("url", "hashtag")])
    table = rank_synchrony(shares, max_p=1)
    single = rank_synchrony(frame(LOUD), max_p=1)
    for name in ("url", "hashtag"):
        assert_frame_equal(table.filter(trace=name).drop("trace"), single.drop("trace"))
    assert table["trace"].is_sorted()
    assert single.height > 0


def p_under_dealing(log, *, objects, tau):
    """The p-value of "a" and "b" under each way to deal the accounts of some objects."""
    logs = [log]
    for name in objects:
        logs = [dealt for one in logs for dealt in reference.dealt(one, object_=name)]
    found = []
    for one in logs:
        [values] = found_by(prepare_shares(incidence(frame(one)), tau=tau), [("a", "b")]).values()
        found.append(values[3])
    return np.array(found)


def assert_safe(p_values):
    """P(p <= x) <= x for every x: it is enough to look where the distribution steps."""
    for x in np.unique(p_values):
        assert (p_values <= x + 1e-12).mean() <= x + 1e-9


def test_one_object_is_exact():
    # Eight posts at times of their own, accounts dealt in all ways: P(p <= x) = x wherever p can be x at all.
    log = [(f"p{k}", "abxxxxxx"[k], "o", k * k) for k in range(8)]
    p_values = p_under_dealing(log, objects=["o"], tau=0.6)
    assert p_values.size == 56
    steps = np.unique(p_values)
    assert steps.tolist() == pytest.approx([7 / 28, 13 / 28, 1])  # a gap of 1, of 2, and nothing found
    for x in steps:
        assert (p_values <= x + 1e-12).mean() == pytest.approx(x)


@pytest.mark.parametrize(
    ("times", "accounts"),
    [
        ([0, 0, 1, 2, 3, 3, 3], "abxxxxx"),
        ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], "aabbxxxxxx"),
        ([0, 0, 1, 1, 2, 2, 3, 3, 4, 5], "aabxxxxxxx"),
        ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], "aaabxxxxxx"),
    ],
)
def test_one_object_with_ties_and_repeats_is_safe(times, accounts):
    log = [(f"p{k}", accounts[k], "o", time) for k, time in enumerate(times)]
    p_values = p_under_dealing(log, objects=["o"], tau=0.9)
    assert p_values.min() < 1
    assert_safe(p_values)


def test_two_objects_are_safe():
    log = [(f"p{k}", "abxxxx"[k], "o", k) for k in range(6)]
    log += [(f"q{k}", "abxxx"[k], "u", 7_200_000 + time) for k, time in enumerate([0, 1, 1, 2, 3])]
    p_values = p_under_dealing(log, objects=["o", "u"], tau=0.7)
    assert p_values.size == 30 * 20
    assert np.unique(p_values).size > 4
    assert_safe(p_values)


def test_objects_met_by_the_same_posts_count_once():
    # The two hashtags of one post: one meeting, not two. Both objects are tested all the same.
    prepared = prepare_shares(incidence(frame(TWICE)))
    [(n_tested, n_near, _, p)] = found_by(prepared, [("a0", "a1")]).values()
    apart = [(f"{row[2]}{row[0]}", *row[1:]) for row in TWICE]
    [(all_tested, all_near, _, all_p)] = found_by(
        prepare_shares(incidence(frame(apart))), [("a0", "a1")]
    ).values()
    assert (n_tested, n_near, all_tested, all_near) == (3, 2, 3, 3)
    assert p >= all_p


def test_two_who_always_come_one_after_the_other_are_found_and_others_are_not():
    rng = np.random.default_rng(0)
    log = []
    for o in range(12):
        accounts = [f"x{k:02}" for k in rng.permutation(40)]
        accounts[20:20] = ["a", "b"]
        # Days apart: no window would see them; and each object in an hour of its own.
        log += [
            (f"p{o}.{k}", account, f"o{o}", 86_400_000 * k + 3_600_000 * o)
            for k, account in enumerate(accounts)
        ]
    table = rank_synchrony(frame(log), max_p=1).sort("p_value").head(1)
    assert table.select("source", "target", "n_tested", "n_near").rows() == [("a", "b", 12, 12)]
    assert table["closest_delta_s"].to_list() == [86_400.0]
    # Twelve times p = 2 / 42 by the truncated product.
    assert table["p_value"][0] == pytest.approx(reference.combined(12, 12 * np.log(0.2 * 21), 0.2))


def test_a_log_without_times_apart_finds_nothing():
    log = [(f"p{k}", f"a{k % 10}", f"o{k // 30}", 0) for k in range(300)]
    assert rank_synchrony(frame(log), max_p=1).height == 0


def test_near_pairs_of_no_shares():
    found, on_half = near_pairs(prepare_shares(incidence(frame([]))), threads=2)
    assert found.source.size == on_half.source.size == 0
    assert rank_synchrony(frame([])).height == 0


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"tau": 0.0}, "tau"),
        ({"tau": 1.0}, "tau"),
        ({"tau": float("nan")}, "tau"),
        ({"max_p": 0.0}, "max_p"),
        ({"max_p": 1.5}, "max_p"),
        ({"neighbours": 0}, "neighbours"),
        ({"threads": 0}, "threads"),
    ],
)
def test_options_out_of_range(choice, message):
    with pytest.raises(UsageError, match=message):
        rank_synchrony(frame(LOUD), **choice)


def test_options_at_their_bounds():
    for choice in ({"tau": 1e-9, "neighbours": 1, "max_p": 1}, {"tau": 0.999, "max_p": 1e-9}):
        assert rank_synchrony(frame([]), **choice).is_empty()


def test_shares_that_lack_something():
    with pytest.raises(InputError, match="object_id"):
        rank_synchrony(frame(LOUD).drop("object_id"))
    with pytest.raises(InputError, match="nulls"):
        rank_synchrony(frame(LOUD).with_columns(account_id=pl.lit(None, pl.String)))
