"""Large ties: a sample of their pairs is looked at, what is found is exact, and what is left out accuses nobody."""

from __future__ import annotations

import random
from collections import Counter
from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from reference import synchrony as reference

from propgraph.arrays.incidence import incidence
from propgraph.cosharing import bursts
from propgraph.schema import TIME
from propgraph.synchrony import candidates
from propgraph.synchrony.candidates import candidates_of, sampled_ties, ties_note
from propgraph.synchrony.gaps import gaps_of
from propgraph.synchrony.pairs import near_pairs, rank_synchrony
from propgraph.synchrony.prepared import prepare_shares
from propgraph.synchrony.testable import count_tests

SECOND = 1_000
NAMES = ("content_id", "account_id", "object_id", "timestamp")


def frame(log):
    columns = list(zip(*log, strict=True)) if log else [[]] * 4
    shares = pl.DataFrame(
        dict(zip(NAMES[:3], map(list, columns[:3]), strict=True)), schema=dict.fromkeys(NAMES[:3], pl.String)
    )
    return shares.with_columns(timestamp=pl.Series(list(columns[3]), dtype=pl.Int64).cast(TIME))


def crowd(n, objects, *, a_second, seed=None):
    """`n` accounts share each of `objects`, so many in a second, in an order of their own or (None) the same."""
    rng = np.random.default_rng(seed)
    rows = []
    for o in range(objects):
        order = range(n) if seed is None else rng.permutation(n)
        rows += [
            (f"p{o}-{k}", f"a{k:05d}", f"o{o}", (o * 86_400 + place // a_second) * SECOND)
            for place, k in enumerate(order)
        ]
    return frame(rows)


def spread(key):
    """SplitMix64 of an account's code, by its definition, in whole numbers."""
    key = (key + 0x9E3779B97F4A7C15) % 2**64
    key = (key ^ key >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    key = (key ^ key >> 27) * 0x94D049BB133111EB % 2**64
    return key ^ key >> 31


def cells(size, *, whole, partners):
    """The cells that a tie is dealt into: the least power of two that leaves no more than `partners` in each."""
    n = 1
    while size > whole and size > n * partners:
        n *= 2
    return n


def looked_at(log, *, tau, neighbours, whole, partners):
    """The pairs near over two objects or more, each time in one cell of the larger of the ties they stand in."""
    accounts = sorted({row[1] for row in log})
    bits = {account: spread(code) for code, account in enumerate(accounts)}
    objects = {}
    for name, group in reference.by_object(log).items():
        times = [row[3] for row in group]
        reach, ties = reference.limit(times, tau, neighbours), Counter(times)
        for one, other in combinations(group, 2):
            pair = tuple(sorted((one[1], other[1])))
            n = max(cells(ties[row[3]], whole=whole, partners=partners) for row in (one, other))
            deals = [[bits[account] >> shift & 0xFFFFFFFF for account in pair] for shift in (0, 32)]
            together = any(first % n == second % n for first, second in deals)
            near = reach and reference.gap(times, one[3], other[3]) <= reach
            if pair[0] != pair[1] and together and near:
                objects.setdefault(pair, set()).add(name)
    return sorted(pair for pair, near in objects.items() if len(near) >= 2)


def posts(draw: random.Random, n: int) -> list[tuple[str, str, int]]:
    """Return posts by up to 25 accounts of three objects within ten seconds."""
    return [(f"a{draw.randrange(25)}", draw.choice("xyz"), draw.randrange(10)) for _ in range(n)]


# Drawn whole: lists built up post by post stay so short that hardly any pair is near twice.
rows = st.builds(posts, st.integers(0, 1 << 32).map(random.Random), st.integers(0, 120))


@settings(max_examples=80, deadline=None)
@given(rows, st.sampled_from([0.2, 0.6]), st.sampled_from([1, 4]), st.sampled_from([1, 2, 5]))
def test_candidates_equal_the_slow_twin(rows, tau, neighbours, partners):
    log = [(f"p{k}", account, name, SECOND * t) for k, (account, name, t) in enumerate(rows)]
    shares = incidence(frame(log))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(candidates, "WHOLE_TIE", 3)
        patch.setattr(bursts, "PARTNERS", partners)
        found = candidates_of(shares, gaps_of(shares, tau=tau, neighbours=neighbours))
        hub, leaf = found.candidates(0, found.code.size) if len(shares.accounts) else ([], [])
    pairs = sorted(
        tuple(sorted((shares.accounts[int(a)], shares.accounts[int(b)])))
        for a, b in zip(hub, leaf, strict=True)
    )
    event("some pair is near twice" if pairs else "none")
    assert pairs == looked_at(log, tau=tau, neighbours=neighbours, whole=3, partners=partners)


def test_what_is_looked_at_of_large_ties_is_counted():
    # Two ties of 200 in each of two objects of 2,000 posts, and one of 100 that is looked at whole.
    shares = pl.concat(
        crowd(2_000, 2, a_second=1).with_columns(
            timestamp=pl.when(pl.int_range(pl.len()) % 2_000 < size)
            .then(pl.col("timestamp").dt.truncate("1d"))
            .otherwise("timestamp"),
            object_id=pl.format("{}-{}", "object_id", pl.lit(size)),
        )
        for size in (200, 100)
    )
    log = incidence(shares)
    told = sampled_ties(log, gaps_of(log, tau=0.2, neighbours=50), tau=0.2)
    # 200 accounts in 16 cells, twice over: by hand.
    bits = [spread(k) for k in range(200)]
    pairs = sum((a ^ b) % 16 == 0 or (a ^ b) >> 32 & 15 == 0 for a, b in combinations(bits, 2))
    assert told == {"n_ties": 2, "n_posts": 400, "n_pairs": 2 * 199 * 100, "n_looked_at": 2 * pairs}
    note = ties_note({"url": told, "text": dict.fromkeys(told, 0)})
    assert note.startswith("2 ties of more than 128 posts of one object and time (400 posts in all): ")
    assert f"of 39,800 pairs of these, {2 * pairs:,}, " in note
    assert ties_note({"url": dict.fromkeys(told, 0)}) is None


def test_a_tie_whose_posts_cannot_be_near_is_not_counted():
    log = incidence(crowd(300, 3, a_second=300))
    assert sampled_ties(log, gaps_of(log, tau=0.2, neighbours=50), tau=0.2)["n_ties"] == 0


def test_pairs_grow_with_the_accounts_not_with_their_square():
    pairs = []
    for n in (3_000, 12_000):
        log = crowd(n, 2, a_second=n // 60)
        prepared = prepare_shares(incidence(log))
        pairs.append(near_pairs(prepared, max_p=1.0, threads=1)[0].source.size / n)
    # In the order of a list all in a tie, and in the next ones, are near over both: 75 an account, then 300.
    assert pairs[0] > 70
    assert pairs[1] < 70


def whole_and_sampled(shares, **options):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(candidates, "WHOLE_TIE", 1_000_000)
        whole = rank_synchrony(shares, threads=1, **options)
    return whole, rank_synchrony(shares, threads=1, **options)


@pytest.mark.parametrize("seed", [None, 1])
def test_a_pair_found_in_a_sample_is_as_it_is_and_no_surer(seed):
    # In a list's order, and by chance.
    shares = crowd(1_600, 4, a_second=200, seed=seed)
    whole, sampled = whole_and_sampled(shares, max_p=1.0)
    assert 0 < sampled.height < whole.height / 2
    both = sampled.join(whole, on=["trace", "source", "target"], suffix="_whole")
    assert both.height == sampled.height
    assert (both["p_value"] == both["p_value_whole"]).all()
    assert (both["q_value"] >= both["q_value_whole"]).all()


def test_chance_is_as_rare_in_a_sample_as_it_says():
    # Accounts dealt to posts at random: of the pairs that are tested, looked at or not, no more than x have p <= x.
    least = {0.01: 0.0, 0.001: 0.0}
    n_tests, surest = 0.0, 1.0
    for seed in range(6):
        prepared = prepare_shares(incidence(crowd(1_600, 8, a_second=150, seed=seed)))
        assert sampled_ties(prepared.log, prepared.gaps, tau=prepared.tau)["n_ties"] > 50
        p_values = np.exp(near_pairs(prepared, threads=1)[0].log_p)
        n_tests += count_tests(prepared.log, prepared.gaps.least, tau=prepared.tau, threads=1).total
        least = {x: n + (p_values <= x).sum() for x, n in least.items()}
        surest = min(
            surest,
            rank_synchrony(crowd(1_600, 8, a_second=150, seed=seed), threads=1)["q_value"].min() or 1.0,
        )
    assert all(0 < n <= x * n_tests for x, n in least.items())
    assert surest > 0.05
