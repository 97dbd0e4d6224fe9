from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from reference import parents as reference
from scipy.integrate import quad
from scipy.optimize import check_grad
from scipy.special import expit, logit
from scipy.stats import chi2, norm

from propgraph.arrays.encoding import encode
from propgraph.cascades.build import build_cascades
from propgraph.cascades.inference import ensemble as ensemble_module
from propgraph.cascades.inference import learned as learned_module
from propgraph.cascades.inference.clues import ROOT_CLUES, SHARER_CLUES, audience_of, clues_of
from propgraph.cascades.inference.draws import cascade_keys, most_drawn
from propgraph.cascades.inference.ensemble import MEASURES, Nodes, ensemble_shapes
from propgraph.cascades.inference.follow import follow_parents
from propgraph.cascades.inference.learned import Law, Learned, default_law, fit_on_known, learned_sampler
from propgraph.cascades.inference.pdi import PDI, known_followers
from propgraph.cascades.shapes.shape import cascade_shapes
from propgraph.errors import InputError, UsageError
from propgraph.schema import CASCADE_NODES, CASCADES, ID, TIME
from propgraph.traces.make import make_shares

START = datetime(2020, 1, 1, tzinfo=UTC)
# Delays from none to years, in ms, so that every step of a law is met.
gaps = st.sampled_from([0, 0, 1, 400, 1000, 1400, 60_000, 3_600_000, 10**8, 10**11])


def nodes_of(cascades, known=None):
    """Nodes of cascades given as lists of gaps before each node."""
    times = [np.cumsum(gaps) for gaps in cascades]
    offsets = np.cumsum([0] + [len(gaps) for gaps in cascades])
    time = np.concatenate(times) if times else np.empty(0, np.int64)
    known = np.full(time.size, -1) if known is None else np.array(known)
    keys = cascade_keys(pl.Series([f"c{number}" for number in range(len(cascades))], dtype=pl.String))
    return Nodes(offsets, time.astype(np.int64), known.astype(np.int64), keys)


def samplers(nodes, seed=0):
    """One sampler of each kind over the same nodes."""
    generator = np.random.default_rng(seed)
    account = np.zeros(nodes.time.size, np.int32)
    return [
        PDI(nodes, generator.integers(0, 50, nodes.time.size).astype(float)),
        learned_sampler(nodes, account=account),
    ]


def assert_drawn_by(chances, drawn):
    """Hold the frequencies of draws of one cascade against chances: Pearson's statistic over all cells."""
    n_samples = drawn.shape[0]
    statistic = freedom = 0
    for i, chance in enumerate(chances):
        if i == 0:
            assert (drawn[:, 0] == -1).all()
            continue
        expected = n_samples * np.array(chance)
        found = np.bincount(drawn[:, i], minlength=i)
        assert found.size == i
        assert (found[expected == 0] == 0).all()
        rare = expected < 5
        cells = np.append(expected[~rare], expected[rare].sum())
        seen = np.append(found[~rare], found[rare].sum())
        seen, cells = seen[cells > 0], cells[cells > 0]
        statistic += ((seen - cells) ** 2 / cells).sum()
        freedom += cells.size - 1
    assert statistic <= chi2.isf(1e-6, max(freedom, 1))


# --- follow ----------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.lists(st.integers(-1, 6), max_size=9), max_size=4),
    st.lists(st.tuples(st.integers(-1, 9), st.integers(-1, 9)), max_size=30),
)
# An account that follows more others than the cascade has rows before it: these are looked through, the last first.
@example([[0, 1, 2]], [(2, 0), (2, 1), (2, 5), (2, 6)])
@example([[1, 0, 2]], [(2, 1), (2, 5), (2, 6)])
def test_follow_parents_equal_the_slow_twin(cascades, pairs):
    account = np.array([one for cascade in cascades for one in cascade], np.int32)
    offsets = np.cumsum([0] + [len(cascade) for cascade in cascades])
    follower, followed = np.array(pairs, np.int32).reshape(-1, 2).T
    found = follow_parents(offsets, account=account, follower=follower, followed=followed)
    assert found.tolist() == reference.follow_parents(offsets.tolist(), account.tolist(), set(pairs))


def test_accounts_that_follow_100_000_in_a_long_cascade_are_quick():
    n = 200_000
    account = np.arange(n, dtype=np.int32)
    hubs = np.repeat(np.arange(n - 20, n, dtype=np.int32), 100_000)
    followed = np.tile(np.arange(100_000, dtype=np.int32), 20)
    found = follow_parents(np.array([0, n]), account=account, follower=hubs, followed=followed)
    assert (found[:-20] == -1).all()
    assert (found[-20:] == 99_999).all()


# --- pdi -------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(gaps, st.sampled_from([0, 1, 7, 10**6, 9 * 10**18])), min_size=1, max_size=9),
    st.sampled_from([0.0, 0.25, 1.0]),
    st.sampled_from([0.5, 1.1, 3.0]),
)
def test_pdi_draws_by_the_chances_of_the_paper(cascade, gamma, alpha):
    nodes = nodes_of([[gap for gap, _ in cascade]])
    followers = [float(count) for _, count in cascade]
    sampler = PDI(nodes, np.array(followers), gamma=gamma, alpha=alpha)
    drawn = sampler.draw(0, 1, samples=range(2000), seed=3)
    assert_drawn_by(reference.pdi_chances(nodes.time.tolist(), followers, gamma, alpha), drawn.parents)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([3.0, np.nan, -1.0, 5.0, np.inf], [3.0, 4.0, 4.0, 5.0, 4.0]),
        ([np.nan, -2.0], [1.0, 1.0]),
        ([0.0, np.nan], [0.0, 0.0]),
        ([], []),
    ],
)
def test_unknown_followers_are_the_median(given, expected):
    assert known_followers(np.array(given)).tolist() == expected


@pytest.mark.parametrize("options", [{"gamma": 1.1}, {"gamma": np.nan}, {"alpha": 0.0}, {"alpha": 21.0}])
def test_pdi_refuses_what_is_out_of_range(options):
    with pytest.raises(UsageError, match=next(iter(options))):
        PDI(nodes_of([[0, 1]]), np.ones(2), **options)


def test_pdi_refuses_negative_followers():
    with pytest.raises(UsageError, match="followers"):
        PDI(nodes_of([[0, 1]]), np.array([1.0, -1.0]))


# --- learned ---------------------------------------------------------------------------------------------


def steep_law():
    """A law whose steps all differ."""
    generator = np.random.default_rng(5)
    return replace(default_law(), lag=generator.normal(0, 1, 28), rank=generator.normal(0, 1, 24), spread=0.0)


@settings(deadline=None, max_examples=40)
@given(st.lists(gaps, min_size=1, max_size=40), st.integers(0, 99))
def test_learned_draws_by_the_chances_of_its_law(cascade, seed):
    nodes = nodes_of([cascade])
    generator = np.random.default_rng(seed)
    attraction, root_odds = np.exp(generator.normal(0, 2, (2, len(cascade))))
    attraction[0] = 0.0
    law = steep_law()
    drawn = Learned(nodes, law, attraction, root_odds).draw(0, 1, samples=range(2000), seed=seed)
    chances = reference.learned_chances(
        nodes.time.tolist(), attraction.tolist(), root_odds.tolist(), law.lag, law.rank
    )
    assert_drawn_by(chances, drawn.parents)


@settings(deadline=None, max_examples=30)
@given(st.lists(gaps, min_size=2, max_size=25), st.data())
def test_the_loss_is_that_of_the_twin_and_has_the_gradient_it_says(cascade, data):
    known = [-1] + [data.draw(st.integers(-1, i - 1)) for i in range(1, len(cascade))]
    nodes = nodes_of([cascade], known)
    clues = clues_of(nodes.offsets, time=nodes.time, account=np.zeros(len(cascade), np.int32), audience=None)
    weights = np.random.default_rng(1).normal(0, 0.2, 52 + len(SHARER_CLUES) + len(ROOT_CLUES))
    arguments = (nodes.offsets, nodes.time, nodes.known, clues.sharer, clues.root)

    def loss(x):
        return learned_module._penalised(x, *arguments)[0]

    def gradient(x):
        return learned_module._penalised(x, *arguments)[1]

    assert check_grad(loss, gradient, weights) <= 1e-4 * max(1.0, np.abs(gradient(weights)).max())
    lag, rank, sharer, root = learned_module._split(weights)
    chances = reference.learned_chances(
        nodes.time.tolist(), np.exp(clues.sharer @ sharer), np.exp(clues.root @ root), lag, rank
    )
    told = [-np.log(chances[i][parent]) for i, parent in enumerate(known) if parent >= 0]
    assert loss(weights) * len(cascade) == pytest.approx(sum(told) + weights @ weights)


def made_trees(n_cascades=120, seed=0):
    """Trees grown by a known law: most nodes take the root, the rest the last node."""
    generator = np.random.default_rng(seed)
    cascades, known, row = [], [], 0
    for _ in range(n_cascades):
        size = int(generator.integers(40, 90))
        cascades.append(generator.exponential(60_000, size).astype(int))
        recent = generator.random(size) < 0.4
        known += [-1] + [row + i - 1 if recent[i] else row for i in range(1, size)]
        row += size
    return nodes_of(cascades, known)


def choices(seed, n_cascades=12, n=20):
    """For nodes of some cascades the root's chance, the best other's and its row, and whom the log names."""
    rng = np.random.default_rng(seed)
    offsets = np.arange(0, n_cascades * n + 1, n)
    root = np.repeat(offsets[:-1], n)
    row = np.arange(root.size)
    of_root = rng.uniform(0.05, 0.95, root.size)
    of_other = of_root * rng.choice([0.5, 1.0, 1.5, 2.5, 4.0, 8.0], root.size)
    other = np.where(row - root >= 2, row - 1, -1)
    known = np.where(rng.random(root.size) < of_other / (of_other + 3 * of_root), other, root)
    return offsets, of_root, of_other, other, np.where(row == root, -1, known)


@pytest.mark.parametrize("seed", range(6))
def test_the_spread_of_tilts_is_the_likeliest_by_integration(seed):
    offsets, of_root, _, _, known = choices(seed, n_cascades=4, n=6)

    def log_likelihood(spread):
        total = 0.0
        for lo, hi in pairwise(offsets.tolist()):
            rows = [row for row in range(lo, hi) if known[row] >= 0]

            def density(z, rows=rows, lo=lo):
                chances = [expit(logit(of_root[row]) + spread * z) for row in rows]
                named = [p if known[row] == lo else 1 - p for row, p in zip(rows, chances, strict=True)]
                return norm.pdf(z) * np.prod(named)

            total += np.log(quad(density, -12, 12, limit=200)[0])
        return total

    found = learned_module._spread(of_root, known, offsets)
    grid = np.arange(0.0, 2.01, 0.05)
    best = max(grid, key=log_likelihood)
    # On a flat top the quadrature's last digits may choose the neighbour.
    assert found == pytest.approx(best, abs=0.0501)


def test_cascades_that_agree_and_that_do_not_have_the_spreads_they_say():
    # All as likely as not, within each cascade all alike: tilts are wide. Half and half within each: none at all.
    offsets = np.arange(0, 401, 20)
    root = np.repeat(offsets[:-1], 20)
    row, half = np.arange(400), np.full(400, 0.5)
    alike = np.where(root % 40 == 0, root, root + 1)
    mixed = np.where(row % 2 == 0, root, root + 1)
    for known, spread in ((alike, 2.0), (mixed, 0.0)):
        assert learned_module._spread(half, np.where(row == root, -1, known), offsets) == pytest.approx(
            spread
        )


@pytest.mark.parametrize("seed", range(8))
def test_how_much_likelier_another_must_be_equals_the_slow_twin(seed):
    offsets, of_root, of_other, other, known = choices(seed)
    grid = [10 ** (k / 23) for k in range(24)]
    gains = []
    for least in grid:
        by_cascade = []
        for lo, hi in pairwise(offsets.tolist()):
            right = 0
            for row in range(lo, hi):
                if known[row] >= 0 and other[row] >= 0 and of_other[row] / of_root[row] > least:
                    right += int(other[row] == known[row]) - int(known[row] == lo)
            by_cascade.append(right)
        gains.append(np.array(by_cascade))
    best = max(gains, key=sum)
    fits = [one for one, gain in zip(grid, gains, strict=True)
            if (best - gain).sum() <= (best - gain).std() * np.sqrt(len(gain))]  # fmt: skip
    assert learned_module._favour(of_root, of_other, other, known, offsets) == pytest.approx(fits[-1])
    assert fits[-1] > grid[0]


def test_another_that_is_just_as_likely_as_the_root_is_not_named():
    # Twenty cascades whose only choice is even, and named is the other: only a figure below one would name it.
    offsets = np.arange(0, 61, 3)
    row, root = np.arange(60), np.repeat(offsets[:-1], 3)
    other = np.where(row - root == 2, row - 1, -1)
    known = np.where(other >= 0, other, -1)
    even = np.full(60, 0.5)
    assert learned_module._favour(even, even, other, known, offsets) == pytest.approx(10.0)
    assert learned_module._favour(even, even * 1.01, other, known, offsets) == pytest.approx(1.0)


def test_a_cascade_too_short_for_bursts_says_what_the_law_was_fitted_with():
    nodes = nodes_of([[0, 1000, 1000, 60_000, 3_600_000]])
    clues = clues_of(nodes.offsets, time=nodes.time, account=np.zeros(5, np.int32), audience=None)
    told = dict(zip(ROOT_CLUES, clues.root[-1].tolist(), strict=True))
    assert [told[f"bursts_{span}"] for span in (2, 10, 40)] == [1.0, 0.6, 0.6]
    assert [told[f"sharpest_{span}"] for span in (2, 10, 40)] == [-1.5, -1.0, -1.0]


def test_bursts_of_a_whole_cascade_by_hand():
    # Thirteen reshares, by their seconds. Over two of them before and after each that has as many on both sides: the
    # log of the time after (and a second) over the time before (and a second).
    seconds = [0, 1, 1, 2, 5, 9, 10, 10, 10, 40, 41, 90, 91]
    changes = [
        np.log((seconds[k + 2] - seconds[k] + 1) / (seconds[k] - seconds[k - 2] + 1)) for k in range(2, 11)
    ]
    times = [0] + [1000 * (10 + second) for second in seconds]
    nodes = nodes_of([np.diff([0, *times]).tolist()])
    clues = clues_of(nodes.offsets, time=nodes.time, account=np.zeros(14, np.int32), audience=None)
    told = dict(zip(ROOT_CLUES, clues.root[-1].tolist(), strict=True))
    assert told["bursts_2"] == pytest.approx(np.std(changes))
    assert told["sharpest_2"] == pytest.approx(min(changes))


def test_a_law_fitted_on_trees_draws_trees_like_them():
    nodes = made_trees()
    account = np.arange(nodes.time.size, dtype=np.int32)
    law, _ = fit_on_known(nodes, account=account)
    assert law is not None
    other = made_trees(seed=1)
    hidden = replace(other, known=np.full(other.time.size, -1))
    sampler = learned_sampler(hidden, account=np.full(other.time.size, -1, np.int32), law=law)
    drawn = ensemble_shapes(sampler, samples=50)
    true = cascade_shapes(other.offsets, other.known)
    for name in MEASURES:
        error = np.log(drawn.shapes[f"{name}_median"]) - np.log(true[name])
        assert abs(error.mean()) < 0.1
    again, _ = fit_on_known(nodes, account=account)
    assert again.to_json() == law.to_json()


def test_too_few_or_too_incomplete_trees_teach_nothing():
    nodes = made_trees(40)
    account = np.zeros(nodes.time.size, np.int32)
    assert fit_on_known(nodes, account=account) == (None, None)
    # Where only those who are not the root are named, nobody seems to reshare from the root.
    nodes = made_trees()
    root = np.repeat(nodes.offsets[:-1], np.diff(nodes.offsets))
    partly = replace(nodes, known=np.where(nodes.known == root, -1, nodes.known))
    assert fit_on_known(partly, account=np.zeros(root.size, np.int32)) == (None, None)


def test_audience_leaves_out_a_node_s_own_cascade():
    nodes = nodes_of([[0, 1, 1], [0, 1, 1], [0, 1]], [-1, 0, 1, -1, 3, 3, -1, 6])
    account = np.array([-1, 0, 1, -1, 0, 2, -1, -1], np.int32)
    audience = audience_of(account, nodes.known, trusted=np.ones(8, bool), n_accounts=3)
    assert (audience.posts.tolist(), audience.children.tolist()) == ([2, 1, 1], [1, 0, 0])
    column = SHARER_CLUES.index("audience")
    told = {
        "elsewhere": clues_of(nodes.offsets, time=nodes.time, account=account, audience=audience),
        "own": clues_of(
            nodes.offsets, time=nodes.time, account=account, audience=audience, without=nodes.known
        ),
    }
    assert told["elsewhere"].sharer[[1, 2, 4], column] == pytest.approx(
        np.log([1.5 / 2.5, 0.5 / 1.5, 1.5 / 2.5])
    )
    # Without its own cascade, account 0 had none and one child; accounts 1 and 2 are unknown.
    assert told["own"].sharer[[1, 2, 4, 5], column] == pytest.approx(
        [np.log(0.5 / 1.5), 0, np.log(1.5 / 1.5), 0]
    )
    assert told["own"].sharer[[1, 2, 4, 5], column + 1].tolist() == [1, 0, 1, 0]


def test_a_law_goes_through_json():
    law = default_law()
    assert Law.from_json(law.to_json()).to_json() == law.to_json()
    assert (law.lag.size, law.rank.size) == (28, 24)
    assert (law.sharer.size, law.root.size) == (len(SHARER_CLUES), len(ROOT_CLUES))


# --- ensembles -------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(gaps, max_size=12), max_size=5), st.integers(0, 5), st.data())
def test_draws_are_trees_and_keep_what_is_known(cascades, seed, data):
    nodes = nodes_of(cascades)
    known = nodes.known.copy()
    for start, end in zip(nodes.offsets[:-1], nodes.offsets[1:], strict=True):
        for row in range(start + 1, end):
            known[row] = data.draw(st.one_of(st.just(-1), st.integers(start, row - 1)))
    nodes = replace(nodes, known=known)
    for sampler in samplers(nodes):
        drawn = sampler.draw(0, len(cascades), samples=range(4), seed=seed)
        for parent in drawn.parents:
            cascade_shapes(nodes.offsets, parent)  # which refuses whatever is no forest
            assert (parent[known >= 0] == known[known >= 0]).all()
        whole = ensemble_shapes(sampler, samples=4, seed=seed)
        for row, column in enumerate(drawn.parents.T):
            often = (column == whole.parent[row]).sum()
            assert whole.support[row] == often / 4
        for name in MEASURES:
            of = np.stack([cascade_shapes(nodes.offsets, parent)[name] for parent in drawn.parents])
            np.testing.assert_allclose(whole.shapes[f"{name}_mean"], of.mean(axis=0))
            np.testing.assert_allclose(whole.shapes[f"{name}_low"], np.quantile(of, 0.05, axis=0))
            np.testing.assert_allclose(whole.shapes[f"{name}_high"], np.quantile(of, 0.95, axis=0))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.lists(gaps, min_size=1, max_size=10), min_size=1, max_size=5))
def test_draws_do_not_depend_on_room_or_on_other_cascades(cascades):
    nodes = nodes_of(cascades)
    for sampler in samplers(nodes):
        expected = ensemble_shapes(sampler, samples=7, seed=2)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ensemble_module, "_ROOM", 12)  # so that samples are drawn a few at a time
            found = ensemble_shapes(sampler, samples=7, seed=2)
            np.testing.assert_equal(vars(found), vars(expected))
        last = len(cascades) - 1
        alone = sampler.draw(last, last + 1, samples=range(7), seed=2).parents
        together = sampler.draw(0, last + 1, samples=range(7), seed=2).parents[:, nodes.offsets[last] :]
        start = np.where(together < 0, 0, nodes.offsets[last])
        assert (together - start == alone).all()


def test_another_seed_draws_other_trees():
    nodes = nodes_of([[0] + [60_000] * 200])
    for sampler in samplers(nodes):
        one, other = (sampler.draw(0, 1, samples=range(1), seed=seed).parents for seed in (0, 1))
        assert (one != other).mean() > 0.05


def test_a_tilt_of_cascades_widens_the_interval():
    nodes = nodes_of([[0] + [60_000] * 400])
    sampler = learned_sampler(nodes, account=np.full(401, -1, np.int32))
    ranges = []
    for spread in (0.0, 1.0):
        shapes = ensemble_shapes(replace(sampler, law=replace(sampler.law, spread=spread))).shapes
        ranges.append(shapes["max_breadth_high"] - shapes["max_breadth_low"])
    assert ranges[1] > 2 * ranges[0]


@pytest.mark.parametrize(
    ("drawn", "favour", "expected"),
    [
        ([9, 9, 9, 5], 1.0, (9, 3)),
        ([5, 9, 9, 9], 3.0, (5, 1)),
        ([5, 5, 9, 9, 9], 1.0, (9, 3)),
        ([7, 9, 9, 7], 1.0, (7, 2)),
        ([5, 9, 5, 9], 1.0, (5, 2)),
        ([], 1.0, (5, 0)),
    ],
)
def test_the_row_drawn_most_often(drawn, favour, expected):
    assert most_drawn(np.array(drawn, np.int64), 5, favour) == expected


def test_keys_are_the_same_on_every_machine():
    assert cascade_keys(pl.Series(["", "reshare:1"])).tolist() == [
        13020603013274838756,
        2220139835432430394,
    ]


@pytest.mark.parametrize("options", [{"samples": 0}, {"seed": -1}, {"seed": 1 << 63}])
def test_ensembles_refuse_what_is_out_of_range(options):
    with pytest.raises(UsageError, match=next(iter(options))):
        ensemble_shapes(samplers(nodes_of([[0, 1]]))[0], **options)


def test_times_that_fall_are_refused():
    with pytest.raises(UsageError, match="time"):
        nodes_of([[5, -1]])


# --- through build_cascades ------------------------------------------------------------------------------


def log(n=40, accounts=12):
    """Reshares of two originals, two of them naming a parent other than the original."""
    rows = [
        {"content_id": f"r{k}", "account_id": "root", "timestamp": START, "kind": "original"} for k in "ab"
    ]
    for k in "ab":
        for i in range(n):
            parent = f"{k}0" if i in {3, 5} else None
            rows.append(
                {
                    "content_id": f"{k}{i}", "account_id": f"u{i % accounts}", "kind": "reshare",
                    "timestamp": START + timedelta(minutes=7 * i + 1), "parent_content_id": parent,
                    "object_id": f"r{k}",
                }
            )  # fmt: skip
    return rows


def built(rows, **options):
    schema = {
        "content_id": ID, "account_id": ID, "timestamp": TIME, "kind": ID, "parent_content_id": ID,
        "origin_account_id": ID, "object_id": ID,
    }  # fmt: skip
    frame = pl.DataFrame(rows, schema=schema).sort("timestamp", "account_id", "content_id")
    frame = frame.with_columns(encode(frame["account_id"]))
    shares = make_shares(frame, trace=["object"])["object"]
    return build_cascades(shares, frame, trace="object", **options)


@pytest.mark.parametrize("parents", ["observed", "star"])
def test_without_a_provider_nothing_changes(parents):
    one, other = built(log()), built(log(), parents=parents)
    assert one.nodes.equals(other.nodes)
    assert one.cascades.equals(other.cascades)
    assert one.ensemble is other.ensemble is None


@pytest.mark.parametrize("parents", ["pdi", "learned"])
def test_drawn_parents_leave_the_observed_alone(parents):
    made = built(log(), parents=parents, samples=20)
    nodes = CASCADE_NODES.conform(made.nodes)
    CASCADES.conform(made.cascades)
    named = nodes.filter(pl.col("parent_source") == "observed")
    assert sorted(named["content_id"].to_list()) == ["a3", "a5", "b3", "b5"]
    assert set(named["parent_content_id"].str.slice(1)) == {"0"}
    assert set(nodes["parent_source"]) == {"root", "observed", f"inferred:{parents}"}
    medians = made.ensemble["structural_virality_median"]
    assert made.cascades["structural_virality"].to_list() == medians.to_list()
    for name in MEASURES:
        assert (made.ensemble[f"{name}_low"] <= made.ensemble[f"{name}_median"]).all()
        assert (made.ensemble[f"{name}_median"] <= made.ensemble[f"{name}_high"]).all()


@pytest.mark.parametrize("parents", ["pdi", "learned"])
def test_shuffled_rows_and_other_cascades_change_no_draw(parents):
    rows = log()
    expected = built(rows, parents=parents, samples=10, seed=4)
    shuffled = [rows[k] for k in np.random.default_rng(0).permutation(len(rows))]
    found = built(shuffled, parents=parents, samples=10, seed=4)
    assert found.nodes.equals(expected.nodes)
    assert found.ensemble.equals(expected.ensemble)
    alone = built([row for row in rows if row["content_id"][-1] != "b" and row.get("object_id") != "rb"],
                  parents=parents, samples=10, seed=4)  # fmt: skip
    of_a = expected.ensemble.filter(pl.col("cascade_id").cast(pl.String) == "object:ra")
    assert alone.ensemble.rows() == of_a.rows()


def test_the_follow_graph_comes_before_the_provider():
    follows = pl.DataFrame({"follower_id": ["u4", "u4", "nobody"], "followed_id": ["u1", "u2", "u1"]})
    nodes = built(log(6), follows=follows, parents="learned").nodes
    told = nodes.filter(pl.col("parent_source") == "inferred:follow")
    assert told.select("content_id", "parent_content_id").rows() == [("a4", "a2"), ("b4", "b2")]
    nodes = built(log(6), follows=follows, parents="follow").nodes
    assert set(nodes["parent_source"]) == {"root", "observed", "inferred:follow", "inferred:star"}


def test_followers_weigh_and_may_be_unknown():
    followers = pl.DataFrame(
        {"account_id": ["u1", "u1", "u2", "gone"], "followers": [10**9, None, -5, 10**12]},
        schema_overrides={"followers": pl.Int64},
    )
    made = built(log(accounts=40), parents="pdi", followers=followers, samples=200)
    assert made.nodes.height == built(log(accounts=40)).nodes.height
    equal = built(log(accounts=40), parents="pdi", samples=200)
    # All known followers are one account's, hence the median of the unknown: as if all were equal.
    assert made.ensemble.equals(equal.ensemble)


def test_one_node_has_no_virality_but_null():
    made = built(log(1)[2:], parents="learned")
    assert made.ensemble["structural_virality_mean"].to_list() == [None, None]
    assert made.cascades["structural_virality"].to_list() == [None, None]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"parents": "learnt"}, "did you mean 'learned'"),
        ({"parents": "follow"}, "follower_id, followed_id"),
        ({"follows": pl.DataFrame({"follower": [], "followed_id": []})}, "follows: no column 'follower_id'"),
        ({"followers": pl.DataFrame({"account_id": []})}, "followers: no column 'followers'"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    with pytest.raises(InputError if "no column" in message else UsageError, match=message):
        built(log(1), **options)
