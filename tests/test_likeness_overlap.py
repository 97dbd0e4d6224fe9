from __future__ import annotations

import logging
import math
from itertools import combinations
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import scipy.stats
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from reference import overlap as reference

from propgraph.arrays.incidence import incidence
from propgraph.errors import UsageError
from propgraph.likeness import bicm
from propgraph.likeness.bicm import fit_bicm
from propgraph.likeness.overlap import overlap_of
from propgraph.likeness.tails import _log_of_none, shared_by_chance

DATA = Path(__file__).parents[2] / "shared" / "data"

logs = st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("opqrstu")), min_size=2, max_size=40)
binary = hnp.arrays(np.int64, st.tuples(st.integers(1, 7), st.integers(1, 8)), elements=st.integers(0, 1))


def frame(log):
    rows = [(f"p{number}", account, object_, number) for number, (account, object_) in enumerate(log)]
    names = ("content_id", "account_id", "object_id", "timestamp")
    shares = pl.DataFrame(rows, schema=names, orient="row")
    return rows, shares.with_columns(pl.col("timestamp").cast(pl.Datetime("ms", "UTC")))


def all_pairs(n):
    pairs = np.array(list(combinations(range(n), 2)), np.int64).reshape(-1, 2)
    return {"source": pairs[:, 0], "target": pairs[:, 1]}


def overlaps(log, threads=2):
    rows, shares = frame(log)
    accounts, posts = reference.counts(rows)
    pairs = all_pairs(len(accounts))
    return posts, pairs, overlap_of(incidence(shares), **pairs, threads=threads)


def dense(model):
    """The chance of each account and object."""
    return model.chance[np.ix_(model.account_class, model.object_class)]


def fitted(matrix):
    model = fit_bicm(matrix.sum(axis=1), matrix.sum(axis=0))
    return model, dense(model)


@given(logs)
def test_shared_objects_and_cosine_equal_the_dense_matrix(log):
    posts, pairs, found = overlaps(log)
    for e, (one, other) in enumerate(zip(pairs["source"], pairs["target"], strict=True)):
        assert found.n_shared[e] == ((posts[one] > 0) & (posts[other] > 0)).sum()
        expected = reference.cosine(posts, one, other)
        if expected is None:
            assert np.isnan(found.cosine[e])
        else:
            assert found.cosine[e] == pytest.approx(expected, rel=1e-12, abs=1e-15)
            assert 0 <= found.cosine[e] <= 1


def test_cosine_by_hand():
    # Three accounts; o is shared by all, p by a and b, q by c alone. a posted p three times.
    log = [("a", "o"), ("a", "p"), ("a", "p"), ("a", "p"), ("b", "o"), ("b", "p"), ("c", "o"), ("c", "q")]
    _, _, found = overlaps(log)
    common, two, one = 1.0, 1 + np.log(4 / 3), 1 + np.log(4 / 2)
    a_p = (1 + np.log(3)) * two
    a, b, c = np.hypot(common, a_p), np.hypot(common, two), np.hypot(common, one)
    assert found.cosine.tolist() == pytest.approx(
        [(1 + a_p * two) / (a * b), 1 / (a * c), 1 / (b * c)], rel=1e-14
    )


@given(binary)
def test_the_model_keeps_the_degrees_and_has_the_form_of_the_largest_entropy(matrix):
    model, chance = fitted(matrix)
    assert model.error < 1e-9
    assert chance.sum(axis=1) == pytest.approx(matrix.sum(axis=1), rel=1e-9, abs=1e-12)
    assert chance.sum(axis=0) == pytest.approx(matrix.sum(axis=0), rel=1e-9, abs=1e-12)
    # Odds that are a product of an account's part and an object's: every 2 x 2 has cross ratio one.
    for i, j in combinations(range(len(chance)), 2):
        straight = chance[i][:, None] * chance[j] * (1 - chance[i]) * (1 - chance[j])[:, None]
        assert straight == pytest.approx(straight.T, rel=1e-6, abs=1e-12)


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.integers(3, 12), st.integers(3, 12))
def test_the_model_equals_the_plain_fixed_point_where_that_settles(seed, n_accounts, n_objects):
    matrix = np.random.default_rng(seed).integers(0, 2, (n_accounts, n_objects))
    plain = reference.bicm(matrix.sum(axis=1), matrix.sum(axis=0))
    assume(plain is not None)  # forced entries send it to infinity
    _, chance = fitted(matrix)
    assert chance == pytest.approx(plain, abs=1e-8)


def test_entries_are_certain_just_where_all_logs_of_these_degrees_agree():
    for same in reference.logs_by_degrees(3, 4).values():
        _, chance = fitted(same[0])
        mean = np.mean(same, axis=0)
        assert ((chance == 1) == (mean == 1)).all()
        assert ((chance == 0) == (mean == 0)).all()


@pytest.mark.parametrize("n", [1, 2, 30])
def test_a_nested_log_is_all_certain(n):
    stairs = np.tril(np.ones((n, n), np.int64))
    _, chance = fitted(stairs)
    assert (chance == stairs).all()


def test_degrees_that_nearly_force_entries_are_fitted():
    # The stairs with one step moved: hardly any other log has these degrees.
    stairs = np.tril(np.ones((60, 80), np.int64))
    stairs[10, 70], stairs[50, 5] = 1, 0
    model, chance = fitted(stairs)
    assert model.error < 1e-9
    assert ((chance > 0) & (chance < 1)).any()


def test_busy_accounts_and_popular_objects_are_fitted_at_scale():
    rng = np.random.default_rng(3)
    reach = np.minimum(1.0, np.outer(rng.pareto(0.8, 400) + 0.02, rng.pareto(0.8, 300) + 0.02) * 0.05)
    matrix = (rng.random(reach.shape) < reach).astype(np.int64)
    assert 0.05 < matrix.mean() < 0.9
    model, chance = fitted(matrix)
    assert model.error < 1e-9
    assert chance.sum(axis=1) == pytest.approx(matrix.sum(axis=1), rel=1e-9)


@pytest.mark.parametrize("far", [-15.0, -3.0, 6.0, 15.0])
def test_the_fit_finds_the_same_model_from_far_away(far):
    rng = np.random.default_rng(4)
    reach = 0.1 + 0.8 * np.outer(rng.random(30), rng.random(40))
    matrix = (reach > rng.random(reach.shape)).astype(np.int64)
    model, chance = fitted(matrix)
    assert ((chance > 0) & (chance < 1)).all()
    sizes = [part.astype(float) for part in (
        model.account_degrees, model.n_accounts, model.object_degrees, model.n_objects)]  # fmt: skip
    theta, eta = np.full(sizes[0].size, far), rng.normal(0, 1, sizes[2].size)
    assert bicm._solve(theta, eta, *sizes, 1e-11, 100) == pytest.approx(model.chance, rel=1e-8)


def test_equal_popularity_expects_what_even_draws_expect():
    # Objects of one degree have one chance for an account, d / N: the mean is the hypergeometric one.
    n_objects = 12
    log = [(f"a{a}", f"o{(start + o) % n_objects:02}") for a, (d, start) in enumerate(
        [(2, 0), (4, 2), (6, 6), (3, 0), (9, 3), (5, 0), (7, 5)]) for o in range(d)]  # fmt: skip
    posts, pairs, found = overlaps(log)
    assert set(posts.sum(axis=0)) == {3}
    d = posts.sum(axis=1)
    assert found.expected_shared == pytest.approx(
        d[pairs["source"]] * d[pairs["target"]] / n_objects, rel=1e-9
    )


@settings(max_examples=150)
@given(binary, st.sampled_from([0.001, 0.05, 0.4, 2.0]), st.sampled_from([0, 1, 2, 1000]))
def test_tail_equals_the_exact_sum_within_the_bound_and_errs_to_the_safe_side(matrix, popular, most_exact):
    assume(len(matrix) > 1)
    model, chance = fitted(matrix)
    pairs = all_pairs(len(matrix))
    for n in range(matrix.shape[1] + 1):
        n_shared = np.full(pairs["source"].size, n)
        found = shared_by_chance(model, n_shared, **pairs, popular=popular, most_exact=most_exact, threads=2)
        for e, (one, other) in enumerate(zip(pairs["source"], pairs["target"], strict=True)):
            q = chance[one] * chance[other]
            exact = reference.poisson_binomial(q)[n:].sum()
            assert found.mean[e] == pytest.approx(q.sum(), rel=1e-9, abs=1e-12)
            # Le Cam's bound with the objects left to the Poisson part: all but the likeliest few.
            left = np.sort(q)[::-1]
            left = left[min((q >= popular).sum(), most_exact) :]
            assert found.bound[e] <= min((left**2).sum(), left.max(initial=0)) + 1e-9
            assert abs(found.p_value[e] - exact) <= found.bound[e] + 1e-9
            assert found.p_value[e] >= 0.26 * exact * (1 - 1e-8)
            if popular == 2.0 and found.p_value[e] < 0.26:
                assert found.p_value[e] >= exact * (1 - 1e-8)
            if popular < 1 and most_exact == 1000:
                assert found.p_value[e] >= exact / (1 + popular / 0.26) * (1 - 1e-8)


@given(logs)
def test_overlap_equals_the_exact_sum_over_the_fitted_chances(log):
    posts, pairs, found = overlaps(log)
    _, chance = fitted((posts > 0).astype(np.int64))
    for e, (one, other) in enumerate(zip(pairs["source"], pairs["target"], strict=True)):
        q = chance[one] * chance[other]
        exact = reference.poisson_binomial(q)[found.n_shared[e] :].sum()
        assert found.expected_shared[e] == pytest.approx(q.sum(), rel=1e-9, abs=1e-12)
        assert found.overlap_p[e] == pytest.approx(exact, rel=1e-6)  # at this size no object is rare


@given(st.lists(st.floats(1e-9, 5e-3), min_size=1, max_size=60), st.integers(0, 6))
def test_tail_of_rare_objects_keeps_its_digits(chances, n):
    # One pair of accounts, each object a class of its own; sums of tiny terms, against those of exact fractions.
    chances = sorted(chances, reverse=True)
    model = of_two_accounts(np.sqrt(chances), np.ones(len(chances), np.int64))
    found = shared_by_chance(model, np.array([n]), source=np.array([0]), target=np.array([1]))
    exact = reference.poisson_binomial(chances)[n:].sum()
    assert abs(found.p_value[0] - exact) <= found.bound[0] + 1e-15
    assert found.p_value[0] >= exact / 1.004
    mean = sum(chances)
    if n > 1 and max(chances) < 0.001:
        assert found.p_value[0] == pytest.approx(scipy.stats.poisson.sf(n - 1, mean), rel=1e-9)


@pytest.mark.parametrize("mean", [1e-8, 0.3, 7.0, 900.0, 40_000.0])
@pytest.mark.parametrize("n", [2, 10, 899, 1_000, 41_000])
def test_tail_of_many_rare_objects_equals_the_poisson_tail(mean, n):
    n_objects = 10**9
    model = of_two_accounts(np.sqrt([mean / n_objects]), np.array([n_objects]))
    found = shared_by_chance(model, np.array([n]), source=np.array([0]), target=np.array([1]))
    assert found.p_value[0] == pytest.approx(scipy.stats.poisson.sf(n - 1, mean), rel=1e-6)


@pytest.mark.parametrize(("n_objects", "q"), [(40, 0.3), (2_000, 0.3), (900, 0.01), (5, 1.0), (3_000, 1e-4)])
def test_tail_of_like_objects_is_near_the_binomial_tail(n_objects, q):
    model = of_two_accounts(np.sqrt([q]), np.array([n_objects]))
    n = np.arange(0, n_objects + 1)
    pair = np.zeros(n.size, np.int64)
    found = shared_by_chance(model, n, source=pair, target=pair + 1, threads=2)
    exact = scipy.stats.binom.sf(n - 1, n_objects, q)
    if q >= 0.001 and n_objects <= 1_000:
        assert found.p_value == pytest.approx(exact, rel=1e-9)
        assert not found.bound.any()
    else:
        assert (np.abs(found.p_value - exact) <= found.bound + 1e-12).all()
        seen = (found.p_value < 0.26) & (exact > 1e-280)
        assert (found.p_value[seen] >= exact[seen] * (1 - 1e-9)).all()


def of_two_accounts(chance, n_objects):
    """Two accounts with the same chances, one a class of objects."""
    return bicm.Bicm(
        account_degrees=np.array([2, 1]), object_degrees=np.arange(len(n_objects), 0, -1),
        account_class=np.array([0, 1]), object_class=np.empty(0, np.int64),
        n_accounts=np.array([1, 1]), n_objects=n_objects, chance=np.array([chance, chance]), error=0.0,
    )  # fmt: skip


def test_an_object_that_half_of_all_shared_explains_itself_and_rare_ones_do_not():
    # 200 accounts of three objects; even ones all share the story, the rest is strewn over 300 objects.
    rng = np.random.default_rng(1)
    log = [(f"a{a:03}", "story") for a in range(0, 200, 2)]
    log += [
        (f"a{a:03}", f"o{o}") for a in range(200) for o in rng.choice(300, 3 - (a % 2 == 0), replace=False)
    ]
    log += [(account, f"rare{o}") for o in range(3) for account in ("x", "y")] + [("x", "z"), ("y", "w")]
    posts, pairs, found = overlaps(log)
    x, y = len(posts) - 2, len(posts) - 1
    rare = (pairs["source"] == x) & (pairs["target"] == y)
    assert found.n_shared[rare].tolist() == [3]
    assert found.overlap_p[rare][0] < 1e-3
    fans = (pairs["source"] % 2 == 0) & (pairs["target"] % 2 == 0) & (pairs["target"] < 200)
    alone = fans & (found.n_shared == 1)  # the story and nothing else
    assert alone.sum() > 4000
    assert found.overlap_p[alone].min() > 0.2
    # Where popularity is not known, the same pair is a surprise.
    assert scipy.stats.hypergeom.sf(0, posts.shape[1], 3, 3) < 0.05


def test_p_values_are_calibrated_on_logs_drawn_from_the_model():
    # A third of the accounts busy, a seventh of the objects popular.
    rng = np.random.default_rng(11)
    account_class, object_class = np.repeat([0, 1, 2], 25), np.repeat([0, 1, 2], [30, 60, 120])
    odds = np.outer([2.0, 0.5, 0.15], [1.5, 0.1, 0.02])
    truth = bicm.Bicm(
        account_degrees=np.arange(3, 0, -1), object_degrees=np.arange(3, 0, -1),
        account_class=account_class, object_class=object_class,
        n_accounts=np.bincount(account_class), n_objects=np.bincount(object_class),
        chance=odds / (1 + odds), error=0.0,
    )  # fmt: skip
    by_truth, anew, even = [], [], []
    for _ in range(12):
        cells = np.argwhere(rng.random((75, 210)) < dense(truth))
        posts, pairs, found = overlaps([(f"a{i:02}", f"o{j:03}") for i, j in cells])
        assert len(posts) == 75
        d = posts.sum(axis=1)
        ends = d[pairs["source"]], d[pairs["target"]]
        even.append(scipy.stats.hypergeom.sf(found.n_shared - 1, posts.shape[1], *ends))
        anew.append(found.overlap_p)
        by_truth.append(shared_by_chance(truth, found.n_shared, **pairs).p_value)
    levels = np.array([0.1, 0.01, 0.001])

    def at_or_below(p_values):
        shares = np.array([(p[:, None] <= levels).mean(axis=0) for p in p_values])
        return shares.mean(axis=0), shares.std(axis=0, ddof=1) / np.sqrt(12)

    for p_values in (by_truth, anew):
        mean, error = at_or_below(p_values)
        assert (mean <= levels + 3 * error).all()
    # Counts are coarse, but the p-values are not safe by being blind.
    assert at_or_below(by_truth)[0][0] > 0.05
    # The same pairs where popularity is not known.
    assert at_or_below(even)[0][2] > 0.05


@pytest.mark.parametrize("most_exact", [0, 1, 7, 39, 40, 1_000])
@pytest.mark.parametrize("popular", [0.05, 0.2, 2.0])
@pytest.mark.parametrize("n", [0, 1, 2, 5, 12])
def test_what_is_summed_exactly_and_what_is_poisson(most_exact, popular, n):
    # Twenty objects with a chance of .3, twenty with .1: the likeliest are convolved, as many as may be.
    chances = np.repeat([0.3, 0.1], 20)
    model = of_two_accounts(np.sqrt([0.3, 0.1]), np.array([20, 20]))
    found = shared_by_chance(
        model,
        np.array([n]),
        source=np.array([0]),
        target=np.array([1]),
        popular=popular,
        most_exact=most_exact,
    )
    n_exact = min(int((chances >= popular).sum()), most_exact)
    rest = chances[n_exact:]
    exact = reference.poisson_binomial(chances[:n_exact])
    none = np.prod(1 - rest)
    tail = [1.0, 1 - none, *scipy.stats.poisson.sf(np.arange(1, n + 1), rest.sum())]
    expected = sum(p * tail[max(n - h, 0)] for h, p in enumerate(exact))
    assert found.p_value[0] == pytest.approx(min(expected, 1.0), rel=1e-9)
    factor = (1 - np.exp(-rest.sum())) / rest.sum() if rest.size else 1.0
    assert found.bound[0] == pytest.approx((rest**2).sum() * factor if n > 1 else 0.0, rel=1e-9)


@pytest.mark.parametrize("q", [0.0, 1e-12, 3e-6, 9.9e-5, 9.999e-5, 1e-4, 1.01e-4, 0.02, 0.7])
def test_logarithm_of_no_share_keeps_all_its_digits(q):
    assert _log_of_none(q) == pytest.approx(math.log1p(-q), rel=1e-14, abs=0)


def test_logarithm_of_no_share_of_a_certain_object():
    assert _log_of_none(1.0) == -math.inf


def test_degrees_of_no_log_are_refused():
    with pytest.raises(UsageError, match="degrees"):
        fit_bicm(np.array([2, 2]), np.array([1, 1]))
    with pytest.raises(UsageError, match="degrees"):
        fit_bicm(np.array([3, 1]), np.array([2, 2]))


def test_a_fit_that_stops_early_is_told(monkeypatch, caplog):
    matrix = np.random.default_rng(0).integers(0, 2, (9, 11))
    monkeypatch.setattr(bicm, "_MOST_STEPS", 0)
    with caplog.at_level(logging.WARNING, logger="propgraph"):
        model, chance = fitted(matrix)
    d = matrix.sum(axis=1)
    assert model.error >= np.abs(chance.sum(axis=1) / d - 1).max() > 1e-6
    assert "null of overlaps" in caplog.text


def test_same_bytes_on_any_number_of_threads_and_with_the_rows_shuffled():
    rng = np.random.default_rng(7)
    account, object_ = rng.integers(0, 80, 1500), (120 * rng.random(1500) ** 2).astype(int)
    log = [(f"a{a}", f"o{o}") for a, o in zip(account, object_, strict=True)]
    _, _, found = overlaps(log, threads=1)
    for threads, seed in ((2, 0), (3, 1)):
        _, _, again = overlaps(
            [log[i] for i in np.random.default_rng(seed).permutation(1500)], threads=threads
        )
        for name in ("n_shared", "expected_shared", "overlap_p", "cosine"):
            assert getattr(again, name).tobytes() == getattr(found, name).tobytes()
    # The order of the two ends makes no difference either.
    _, shares = frame(log)
    ends = all_pairs(80)
    turned = overlap_of(incidence(shares), source=ends["target"], target=ends["source"], threads=2)
    assert turned.cosine.tobytes() == found.cosine.tobytes()
    assert turned.overlap_p.tobytes() == found.overlap_p.tobytes()


def test_no_pairs_and_no_shares():
    none = np.empty(0, np.int64)
    _, shares = frame([("a", "o"), ("b", "o")])
    for part in (shares, shares.clear()):
        found = overlap_of(incidence(part), source=none, target=none, threads=2)
        assert found.n_shared.size == found.overlap_p.size == found.cosine.size == 0


@pytest.mark.parametrize("name", ["german_urls", "german_domains", "german_hashtags", "german_images"])
def test_real_degrees_are_met(name):
    path = DATA / f"{name}.parquet"
    if not path.exists():
        pytest.skip(f"{path} is not here")
    held = pl.read_parquet(path).select("account_id", "object_id").unique()
    sizes = [held.group_by(column).len()["len"].cast(pl.Int64).to_numpy() for column in held.columns]
    model = fit_bicm(*sizes)
    assert model.error < 1e-9
    assert model.chance.min() > 0
    assert model.chance.max() < 1
