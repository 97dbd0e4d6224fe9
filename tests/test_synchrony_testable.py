from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import synchrony as reference
from test_synchrony_pairs import LOUD, frame, logs

from propgraph.arrays.incidence import incidence
from propgraph.synchrony.candidates import shares_that_count
from propgraph.synchrony.prepared import prepare_shares
from propgraph.synchrony.testable import count_tests


@settings(max_examples=80)
@given(logs(), st.sampled_from([0.1, 0.2, 0.5]))
def test_the_number_of_pairs_equals_the_slow_twin(log, tau):
    prepared = prepare_shares(incidence(frame(log)), tau=tau)
    found = count_tests(prepared.log, prepared.gaps.least, tau=prepared.tau, threads=2)
    assert found.counted
    assert found.total == len(reference.tested_pairs(log, tau))


def test_none_counts_or_there_is_none():
    prepared = prepare_shares(incidence(frame(LOUD)))
    assert count_tests(prepared.log, np.full_like(prepared.gaps.least, 2.0), tau=0.2, threads=1).total == 0
    empty = prepare_shares(incidence(frame([])))
    assert count_tests(empty.log, empty.gaps.least, tau=0.2, threads=1).total == 0


@given(logs())
def test_shares_count_of_accounts_with_two_objects_that_count(log):
    shares = incidence(frame(log))
    names = shares.objects.to_list()
    kept = shares_that_count(shares, np.arange(len(names)) % 2 == 0)
    objects_of = defaultdict(set)
    for content, account, object_, _ in log:
        if content != object_ and object_ in names[::2]:
            objects_of[account].add(object_)
    for k in range(shares.n_shares):
        account, object_ = shares.accounts[int(shares.account[k])], names[shares.object[k]]
        assert kept[k] == (object_ in objects_of[account] and len(objects_of[account]) >= 2)


def heavy_log(seed, *, n=6_000, n_accounts=600, n_objects=60):
    """Few accounts share most, as ever."""
    rng = np.random.default_rng(seed)
    accounts = (n_accounts * rng.power(0.4, n)).astype(int)
    objects = (n_objects * rng.power(0.5, n)).astype(int)
    return [
        (f"p{k}", f"a{accounts[k]}", f"o{objects[k]:02}", 1_000 * int(t))
        for k, t in enumerate(rng.permutation(n))
    ]


def test_an_estimate_is_near_and_errs_to_the_safe_side():
    prepared = prepare_shares(incidence(frame(heavy_log(0))))
    exact = count_tests(prepared.log, prepared.gaps.least, tau=prepared.tau, threads=1)
    assert exact.counted
    assert exact.total > 10_000
    draws = [
        count_tests(prepared.log, prepared.gaps.least, tau=prepared.tau, seed=s, threads=2, budget=300_000)
        for s in range(40)
    ]
    assert not any(draw.counted for draw in draws)
    totals = np.array([draw.total for draw in draws])
    assert len(set(totals)) > 20
    # Two standard errors are added: nearly all are above, none by far.
    assert (totals >= exact.total).mean() >= 0.85
    assert totals.max() < 2 * exact.total
    # Were none added, about half would be below.
    assert np.median(totals) > exact.total


def test_the_same_seed_gives_the_same_estimate_on_any_number_of_threads():
    prepared = prepare_shares(incidence(frame(heavy_log(1))))
    one, two = (
        count_tests(prepared.log, prepared.gaps.least, tau=prepared.tau, seed=3, threads=n, budget=100_000)
        for n in (1, 2)
    )
    assert one.record(tau=prepared.tau) == two.record(tau=prepared.tau)
    assert one.total != pytest.approx(
        count_tests(
            prepared.log, prepared.gaps.least, tau=prepared.tau, seed=4, threads=1, budget=100_000
        ).total
    )


def test_the_budget_bounds_the_work():
    prepared = prepare_shares(incidence(frame(heavy_log(2))))
    loose, tight = (
        np.std(
            [
                count_tests(
                    prepared.log, prepared.gaps.least, tau=prepared.tau, seed=s, threads=1, budget=b
                ).total
                for s in range(12)
            ]
        )
        for b in (200_000, 20_000)
    )
    assert 0 < loose < tight
