"""Crews: attendance, gatherings and their draws by definition, a planted crew, and logs in which there is none."""

from __future__ import annotations

import random
from itertools import combinations, permutations
from math import log

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from reference import habits as slow
from scipy.stats import binom, gamma, poisson
from test_synchrony_habits import drawn, ordered
from test_synchrony_pairs import frame

from propgraph import build, find_clusters
from propgraph.arrays.incidence import incidence
from propgraph.crews.attendance import attended
from propgraph.crews.found import GROUPS, NO_CREWS, HalvedTrace, _formed, find_crews, upper_tail
from propgraph.crews.gatherings import moments_of, nearness
from propgraph.crews.members import confirmed
from propgraph.synchrony.halves import halves_of
from propgraph.synchrony.pairs import MAX_P, HalfEvidence, near_pairs
from propgraph.synchrony.prepared import prepare_shares

HOUR = 3_600_000
MANY = settings(max_examples=60, deadline=None)


def crews_of(rows, *, seed=0, threads=2, q=0.05):
    shares = rows if isinstance(rows, pl.DataFrame) else frame(rows)
    prepared = prepare_shares(incidence(shares))
    halves = halves_of(prepared, seed=seed)
    _, pairs = near_pairs(prepared, max_p=MAX_P, halves=halves, threads=threads)
    one = HalvedTrace(prepared, halves, pairs)
    return find_crews({"object": one}, q=q, seed=seed, threads=threads)


@MANY
@given(st.integers(0, 1 << 32))
def test_attendance_equals_loops(seed):
    rng = random.Random(seed)
    rows = drawn(seed)
    prepared = prepare_shares(incidence(frame(rows)))
    labels = prepared.log.accounts
    group = {name: rng.choice([0, 0, 1, -1]) for name in labels}
    order = [row for name in labels for row in ordered(rows) if row[1] == name]  # the accounts' lists
    counts = np.array([rng.random() < 0.8 for _ in order])
    found = attended(prepared, np.array([group[name] for name in labels], np.int64), counts)

    size = {}
    for row in ordered(rows):
        size[row[2]] = size.get(row[2], 0) + 1
    seen = [row for row, on in zip(order, counts, strict=True) if on and size[row[2]] >= 5]
    holdings = {(row[1], row[2]) for row in seen}
    expected = set()
    for g in {number for number in group.values() if number >= 0}:
        members = {name for name, number in group.items() if number == g}
        activity = sum(who in members for who, _ in holdings)
        chance, n_objects = {}, 0
        for name in sorted({row[2] for row in seen}):
            here = {who for who, of in holdings if of == name}
            n_objects += len(here) >= 2
            mean = activity * len(here) / len(holdings)
            if len(here & members) >= 2:
                chance[name] = poisson.sf(len(here & members) - 1, mean)
        # Whoever comes together to more objects at one in a hundred than chance has is held to that.
        often = sum(p <= 1e-2 for p in chance.values())
        cut = 1e-2 if often and poisson.sf(often - 1, 1e-2 * n_objects) <= 1e-3 else 1e-3
        there = [name for name, p in chance.items() if p <= cut]
        # Of an account's objects in one session the first counts, with all its posts in that session.
        first = {}
        for row in seen:
            if row[1] in members and row[2] in there:
                key = (row[1], slow.session(row))
                first[key] = min(first.get(key, row[2]), row[2])
        kept = [row for row in seen if first.get((row[1], slow.session(row))) == row[2]]
        for name in there:
            mine = [row for row in kept if row[2] == name and row[1] in members]
            if len({row[1] for row in mine}) >= 2:
                expected |= {(g, name, row[1], order.index(row)) for row in mine}
    objects = prepared.log.objects
    told = {(g, objects[o], labels[a], k) for g, o, a, k in found.iter_rows()}
    assert told == expected
    assert found.rows() == sorted(found.rows())


def test_attendance_by_hand():
    # Six of a group of six share one object of ten accounts; forty others share nine objects each.
    rows = [(f"m{k}", f"m{k}", "o0", HOUR * k) for k in range(6)] + [
        (f"x{k}", f"x{k}", "o0", HOUR * k) for k in range(4)
    ]
    rows += [(f"m{k}b", f"m{k}", "o1", 100 * HOUR + HOUR * k) for k in range(2)]
    rows += [(f"y{k}.{o}", f"y{k}", f"o{o}", (100 * o + k) * HOUR) for k in range(40) for o in range(1, 10)]
    prepared = prepare_shares(incidence(frame(rows)))
    group = np.array([0 if name[0] == "m" else -1 for name in prepared.log.accounts], np.int64)
    found = attended(prepared, group, np.ones(len(rows), np.bool_))
    # Eight of 372 holdings are theirs: of ten accounts at o0 chance brings .2, and six once in 80 million; of the 42
    # at o1 it brings .9, and two in every fourth draw.
    assert poisson.sf(5, 8 * 10 / 372) < 1e-6 < 0.2 < poisson.sf(1, 8 * 42 / 372)
    assert {prepared.log.objects[o] for o in found["object"]} == {"o0"}
    assert found["account"].n_unique() == 6


def plain_nearness(times, posts, who):
    """The statistic of a gathering from all pairs of posts: positions `posts` into `times`, by `who`."""
    n, total = len(times), 0.0
    for member in sorted(set(who)):
        own = [post for post, by in zip(posts, who, strict=True) if by == member]
        others = [post for post, by in zip(posts, who, strict=True) if by != member]
        best = min(
            [
                n,
                *(
                    sum(min(times[p], times[q]) <= t <= max(times[p], times[q]) for t in times) - 1
                    for p in own
                    for q in others
                ),
            ]
        )
        apart = max(0.0, 1 - 2 * best / n)
        total -= log(max(1 - apart ** (len(others) * len(own)), 1e-12))
    return total


def ends(times):
    """First and last position of each post's tie."""
    first = [times.index(t) for t in times]
    last = [len(times) - 1 - times[::-1].index(t) for t in times]
    return np.array(first, np.int64), np.array(last, np.int64)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 1 << 32))
def test_nearness_equals_all_pairs_of_posts(seed):
    rng = random.Random(seed)
    times = sorted(rng.randrange(rng.choice([5, 1000])) for _ in range(rng.randrange(2, 60)))
    posts = rng.sample(range(len(times)), rng.randrange(2, min(12, len(times)) + 1))
    who = [rng.randrange(rng.choice([1, 3, 6])) for _ in posts]
    number = {member: k for k, member in enumerate(sorted(set(who)))}
    who = [number[member] for member in who]
    first, last = ends(times)
    # Set into a longer log, for positions are counted from the object's first.
    shift = np.full(7, 99, np.int64)
    found = nearness(
        np.array(posts), np.array(who), len(number), len(times),
        np.concatenate([shift, first + 7]), np.concatenate([shift, last + 7]), 7,
    )  # fmt: skip
    assert found == pytest.approx(plain_nearness(times, posts, who), rel=1e-9, abs=1e-12)


def moments(rows, members, *, seed=0):
    prepared = prepare_shares(incidence(frame(rows)))
    habits, gaps = prepared.habits, prepared.gaps
    labels = prepared.log.accounts
    place = [k for name in members for k in range(*prepared.start[labels.to_list().index(name) :][:2])]
    who = [
        labels.to_list().index(name)
        for name in members
        for _ in range(np.diff(prepared.start)[labels.to_list().index(name)])
    ]
    return moments_of(
        np.array([0, len(place)]), np.array(place), np.array(who), seed, prepared.start, prepared.position,
        prepared.listed, prepared.session, prepared.log.offsets, gaps.first, gaps.last, habits.kind,
        habits.first_cell, habits.cell, habits.usual, habits.vote, habits.leads,
    )[0]  # fmt: skip


def test_moments_of_the_deal_equal_those_of_all_deals():
    # Three members, one of them twice, among nine posts of which two are tied.
    times = [0, 1, 1, 2, 3, 4, 5, 6, 7]
    accounts = ["a", "b", "x", "y", "a", "c", "u", "v", "w"]
    rows = [(f"p{k}", who, "o", 1000 * t) for k, (who, t) in enumerate(zip(accounts, times, strict=True))]
    found = np.array([moments(rows, ["a", "b", "c"], seed=seed) for seed in range(60)])
    assert found[:, 0] == pytest.approx([plain_nearness(times, [0, 4, 1, 5], [0, 0, 1, 2])] * 60)
    every = np.array([plain_nearness(times, posts, [0, 0, 1, 2]) for posts in permutations(range(9), 4)])
    mean = every.mean()
    # 400 draws of each of sixty seeds; nobody has another session, so habits draw as the deal does.
    for null in (1, 4):
        error = every.std() / np.sqrt(60 * 400)
        assert abs(found[:, null].mean() - mean) < 5 * error
        assert found[:, null + 1].mean() == pytest.approx(every.var(), rel=0.05)
        assert found[:, null + 2].mean() == pytest.approx(((every - mean) ** 3).mean(), rel=0.25)


def test_moments_with_habits_equal_those_of_all_pairs_of_posts():
    # a and b post forty other objects at nine; here, among posts at all hours, both stand at nine as well.
    rows = [(f"o{k}", f"s{k}", "o", HOUR * k + (1 if k % 24 == 9 else 0)) for k in range(48)]
    rows += [("oa", "a", "o", 9 * HOUR + 5_000), ("ob", "b", "o", 9 * HOUR + 6_000)]
    others = [
        (f"{who}{k}", who, f"x{k}", (24 * (k + 3) + 9) * HOUR + 60_000 * j)
        for k in range(40)
        for j, who in enumerate("ab")
    ]
    others += [
        (f"t{k}{j}", f"t{j}", f"x{k}", (24 * (k + 3) + 2 * j) * HOUR) for k in range(40) for j in range(12)
    ]
    prepared = prepare_shares(incidence(frame(rows + others)))
    habits, gaps, labels = prepared.habits, prepared.gaps, prepared.log.accounts.to_list()
    o = prepared.log.objects.to_list().index("o")
    place = [
        k for who in "ab" for k in range(*prepared.start[labels.index(who) :][:2]) if prepared.listed[k] == o
    ]
    found = np.mean(
        [
            moments_of(
                np.array([0, 2]), np.array(place), np.array([labels.index("a"), labels.index("b")]), seed,
                prepared.start, prepared.position, prepared.listed, prepared.session, prepared.log.offsets,
                gaps.first, gaps.last, habits.kind, habits.first_cell, habits.cell, habits.usual, habits.vote,
                habits.leads,
            )[0]
            for seed in range(100)
        ],
        axis=0,
    )  # fmt: skip
    # a draws a post of the object with its own weights, b then one of the others with its; 400 times for each seed.
    log_rows = rows + others
    posts = slow.ordered(log_rows)["o"]
    times = [row[3] for row in posts]
    one, other = (slow.weights(log_rows, who, "o") for who in "ab")
    pairs = list(permutations(posts, 2))
    weight = np.array([one[p] * other[q] / (sum(other[row] for row in posts) - other[p]) for p, q in pairs])
    place_of = {row: k for k, row in enumerate(posts)}
    value = np.array([plain_nearness(times, [place_of[p], place_of[q]], [0, 1]) for p, q in pairs])
    for null, by in ((1, np.ones(value.size)), (4, weight)):
        mean = np.average(value, weights=by)
        spread = np.average((value - mean) ** 2, weights=by)
        assert abs(found[null] - mean) < 4 * np.sqrt(spread / 40_000)
        assert found[null + 1] == pytest.approx(spread, rel=0.05)


def test_the_tail_is_that_of_a_gamma_and_falls_as_more_is_observed():
    # Sums of a gamma of shape 3 and scale 2: mean 6, variance 12, third central moment 2 * 3 * 2**3 = 48.
    observed = np.linspace(0.1, 40, 50)
    one = np.tile([6.0, 12.0, 48.0], (50, 1))
    assert upper_tail(observed, one) == pytest.approx(gamma.sf(observed, 3, scale=2), rel=1e-9)
    assert (np.diff(upper_tail(observed, one)) < 0).all()
    # A lesser skewness is taken for that of the gamma from nought, the safe side; a larger one is kept.
    lighter, heavier = (np.tile([6.0, 12.0, third], (50, 1)) for third in (0.0, 96.0))
    assert upper_tail(observed, lighter) == pytest.approx(upper_tail(observed, one))
    assert (upper_tail(observed, heavier)[observed > 25] > upper_tail(observed, one)[observed > 25]).all()
    # The moments are met: mean and variance of the law by its own tail.
    grid = np.linspace(-20, 300, 400_000)
    sf = upper_tail(grid, np.tile([6.0, 12.0, 96.0], (grid.size, 1)))
    assert grid[0] + np.trapezoid(sf, grid) == pytest.approx(6, rel=1e-3)
    # Without any variance nothing can be told.
    assert upper_tail(np.array([5.0]), np.array([[1.0, 0.0, 0.0]])).tolist() == [1]


CREW = [f"c{k:02}" for k in range(30)]


def crowd(rng, n_objects=400, n_accounts=970, n=60):
    """Strangers who share objects at any time of three days, each begun at some hour of sixty days."""
    rows = []
    for o in range(n_objects):
        begin = (18_200 * 24 + int(rng.integers(60 * 24))) * HOUR  # in 2019
        for who, at in zip(
            rng.choice(n_accounts, n, replace=False), rng.integers(0, 72 * HOUR, n), strict=True
        ):
            rows.append((f"s{who}.{o}", f"s{who:03}", f"o{o:03}", begin + int(at)))
    return rows


def planted(seed=0):
    """A crew of thirty, of whom eight at a time post one of forty objects within half an hour, at any hour of it.

    No two meet more than a few times. All of them post six of the other objects as anybody does.
    """
    rng = np.random.default_rng(seed)
    rows = crowd(rng)
    begins = {}
    for row in rows:
        begins[row[2]] = min(begins.get(row[2], row[3]), row[3])
    for o in range(40):
        at = begins[f"o{o:03}"] + int(rng.integers(70 * HOUR))
        for who in rng.choice(CREW, 8, replace=False):
            rows.append((f"{who}.{o}", str(who), f"o{o:03}", at + int(rng.integers(HOUR // 2))))
    for who in CREW:
        for o in rng.choice(np.arange(40, 400), 6, replace=False):
            rows.append((f"{who}.{o}", who, f"o{o:03}", begins[f"o{o:03}"] + int(rng.integers(72 * HOUR))))
    return rows


@pytest.fixture(scope="module")
def found():
    return crews_of(planted())


def test_a_planted_crew_is_found_and_nobody_else(found):
    members = set(found.members["account_id"])
    assert members <= set(CREW)
    assert len(members) >= 0.8 * len(CREW)
    assert found.members["community"].n_unique() == found.crews.height == 1
    assert found.members["n_splits"].is_between(2, 3).all()
    [(p, q)] = found.crews.select("p_value", "q_value").rows()
    assert p < 1e-6
    assert q < 1e-4
    # A crew's p-value is twice the median over the splits of the least of its groups', as often as it has them.
    surest = found.groups.filter(pl.col("q_value") <= 0.05)
    assert surest["split"].n_unique() == 3
    by_split = surest.group_by("split").agg(p=pl.col("p_value").min() * pl.max_horizontal(pl.len(), 4))
    assert p == pytest.approx(2 * by_split["p"].median())
    assert (surest["p_value"] == surest.select(pl.max_horizontal("p_deal", "p_habits")).to_series()).all()


def test_neither_threads_nor_the_order_of_rows_matter(found):
    other = crews_of(frame(planted()).sample(fraction=1, shuffle=True, seed=5), threads=1)
    for name in ("members", "crews", "groups"):
        assert_frame_equal(getattr(found, name), getattr(other, name), check_exact=True)


def dealt(rows, seed):
    """Deal each object's accounts anew to its posts."""
    return frame(rows).with_columns(account_id=pl.col("account_id").shuffle(seed=seed).over("object_id"))


def test_a_log_dealt_anew_has_no_crew_and_its_probabilities_hold():
    rows = planted()
    p_values, n_crews = [], 0
    for seed in range(8):
        result = crews_of(dealt(rows, seed))
        n_crews += result.crews.height
        p_values.append(result.groups["p_value"].to_numpy())
    p = np.concatenate(p_values)
    assert n_crews == 0
    assert p.size > 100
    for x in (0.2, 0.05, 0.01):
        assert (p <= x).sum() <= binom.isf(1e-3, p.size, x), x


def test_nothing_to_group():
    none = find_crews({}, q=0.05, seed=0, threads=1)
    assert none is NO_CREWS
    few = crews_of([("p", "a", "o", 0), ("q", "b", "o", 1)])
    assert few.members.is_empty()
    assert few.groups.schema == pl.Schema(GROUPS | {"q_value": pl.Float64})


def test_clusters_say_who_is_there_as_a_crew_and_how_surely(found, tmp_path):
    frame(planted()).write_parquet(tmp_path / "log.parquet")
    study = find_clusters(build([tmp_path / "log.parquet"], tmp_path / "study").path)
    [cluster] = study.clusters.filter("flagged").to_dicts()
    assert cluster["evidence"] == "synchrony"
    assert cluster["p_value"] == found.crews["p_value"].item()
    assert "synchronised" in cluster["flags"]
    members = study.members.filter(cluster_id=cluster["cluster_id"])
    pairs = study.network.filter("synchronised")
    in_pairs = {*pairs["source"], *pairs["target"]}
    why = dict(members.select("account_id", "evidence").iter_rows())
    assert set(why) <= set(CREW)
    assert "crew" in why.values()
    for name, evidence in why.items():
        if name in in_pairs:
            assert evidence == "pairs"
        else:
            assert evidence == ("crew" if name in set(found.members["account_id"]) else "group")


def test_those_near_by_habit_alone_are_told_so_and_not_flagged(tmp_path):
    # Four always come within the first minutes, in any order, and so does nobody else.
    rng = np.random.default_rng(1)
    rows = crowd(rng, n_objects=60, n_accounts=300)
    for o in range(60):
        name = f"o{o:03}"
        begin = min(row[3] for row in rows if row[2] == name)
        rows += [(f"h{k}.{o}", f"h{k}", name, begin - 900_000 + int(rng.integers(800_000))) for k in range(4)]
    frame(rows).write_parquet(tmp_path / "log.parquet")
    study = find_clusters(build([tmp_path / "log.parquet"], tmp_path / "study").path, evidence="synchrony")
    assert not study.network["synchronised"].any()
    [cluster] = study.clusters.filter(pl.col("evidence") == "habits").to_dicts()
    members = study.members.filter(cluster_id=cluster["cluster_id"])
    assert members.select("account_id", "evidence").rows() == [(f"h{k}", "habits") for k in range(4)]
    assert (cluster["flagged"], cluster["p_value"]) == (False, None)
    assert "habits" in cluster["innocent"]


def test_of_two_weak_halves_a_member_is_confirmed_by_their_product_and_of_two_resolutions_by_their_mean():
    rows = [
        # split, half, level, account, found, p
        (0, 0, 0, "weak", True, 0.05), (0, 1, 0, "weak", True, 0.03),  # .0015 (1 - ln .0015) = .0113
        (0, 0, 0, "sure", True, 0.04), (0, 1, 0, "sure", True, 0.03),  # .0012 (1 - ln .0012) = .0093
        (0, 0, 0, "once", True, 0.0099), (0, 1, 0, "once", False, 1.00),  # on the other half nobody was found
        (0, 0, 0, "late", True, 0.0101),
        (0, 0, 0, "both", True, 0.004), (0, 0, 1, "both", True, 0.006),
        (0, 0, 0, "fine", True, 0.008), (0, 0, 1, "fine", False, 1.00),  # two chances: above .01
    ]  # fmt: skip
    table = pl.DataFrame(rows, ["split", "half", "level", "account_id", "found", "p_value"], orient="row")
    found = confirmed(table.with_columns(trace=pl.lit("object"), group=pl.lit(0)))
    assert found["account_id"].unique().sort().to_list() == ["both", "once", "sure"]
    # In which groups: those found, at both resolutions.
    assert sorted(found.filter(account_id="both")["level"]) == [0, 1]
    assert found.filter(account_id="once")["half"].to_list() == [0]


@pytest.mark.parametrize(("n_sure", "n_kept"), [(0, 0), (2, 0), (3, 0), (4, 4), (30, 30)])
def test_of_sixty_one_in_a_hundred_is_sure_by_chance_and_that_is_no_crew(n_sure, n_kept):
    # P(3 or more of 60 at .01) = .022, of 4 or more .0031.
    table = pl.DataFrame(
        {"account_id": [f"a{k}" for k in range(60)], "p_value": [0.009] * n_sure + [0.5] * (60 - n_sure)}
    )
    place = {"split": 0, "half": 1, "level": 0, "group": 3}
    table = table.with_columns(
        trace=pl.lit("object"), found=pl.lit(True), **{k: pl.lit(v) for k, v in place.items()}
    )
    # A small group beside it has three of five.
    small = table.head(5).with_columns(
        pl.lit(4).alias("group"), pl.format("b{}", pl.int_range(5)).alias("account_id"),
        p_value=pl.Series([0.005, 0.006, 0.009, 0.2, 0.9]),
    )  # fmt: skip
    kept = confirmed(pl.concat([table, small]))
    assert kept.filter(group=3).height == n_kept
    assert kept.filter(group=4)["account_id"].sort().to_list() == ["b0", "b1", "b2"]


@pytest.mark.parametrize(("often", "elsewhere", "n_there"), [(1, 12, 0), (10, 3, 10)])
def test_popular_objects_count_for_a_group_that_comes_to_many_of_them(often, elsewhere, n_there):
    # Forty objects of 110 strangers; to the first few come nine of a group of ten, who share others one by one, too.
    rows = [
        (f"s{k}.{o}", f"s{o}.{k}", f"o{o:02}", (1_000 * o + k) * HOUR) for o in range(40) for k in range(110)
    ]
    rows += [
        (f"m{k}.{o}", f"m{(k + o) % 10}", f"o{o:02}", (1_000 * o + 200 + k) * HOUR)
        for o in range(often)
        for k in range(9)
    ]
    rows += [
        (
            f"e{m}.{j}.{i}",
            f"z{m}.{j}.{i}" if i else f"m{m}",
            f"e{m}.{j}",
            (10**6 + 300 * m + 10 * j + i) * HOUR,
        )
        for m in range(10)
        for j in range(elsewhere)
        for i in range(6)
    ]
    # Nine where chance brings three: once in 250 draws. At one object that is nothing, at ten of them it is.
    n_holdings, activity = len(rows), 10 * elsewhere + 9 * often
    assert 1e-3 < poisson.sf(8, activity * 119 / n_holdings) < 1e-2
    prepared = prepare_shares(incidence(frame(rows)))
    group = np.array([0 if name[0] == "m" else -1 for name in prepared.log.accounts], np.int64)
    found = attended(prepared, group, np.ones(len(rows), np.bool_))
    assert found["object"].n_unique() == n_there


@pytest.mark.parametrize(("n_cliques", "sizes"), [(4, [[6, 6, 6, 6], [24]]), (1, [[6]])])
def test_groups_are_formed_fine_and_coarse_where_these_differ(n_cliques, sizes):
    # Cliques of six in a ring, two pairs from each to the next: fine groups are the cliques, the coarse one is all.
    pairs = {(6 * k + i, 6 * k + j) for k in range(n_cliques) for i, j in combinations(range(6), 2)}
    pairs |= {
        tuple(sorted((6 * k + i, 6 * ((k + 1) % n_cliques) + i + 1)))
        for k in range(n_cliques)
        for i in (0, 2)
    }
    source, target = np.array(sorted(pairs)).T
    prepared = prepare_shares(incidence(frame([(f"p{k}", f"a{k:02}", "o", k) for k in range(30)])))
    log_p = np.full(source.size, log(1e-3))
    evidence = HalfEvidence(source, target, np.zeros(source.size, np.int64), log_p)
    formed = _formed(HalvedTrace(prepared, halves_of(prepared), evidence), 0, seed=0)
    assert [np.bincount(group[group >= 0]).tolist() for group in formed] == sizes
    assert all((group[6 * n_cliques :] == -1).all() for group in formed)
