"""Agreement of partitions and purity of clusters: against their definitions, and what a resample does."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import evaluation as slow

from propgraph.evaluation.agreement import Partitions, agreement, purity, tally, weighted_precision

PAIRED = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=20)


def agreed(one, other, weight=None):
    parts = Partitions.of(np.arange(len(one)), np.asarray(one, np.int64), np.asarray(other, np.int64))
    return agreement(np.ones(len(one), np.int32) if weight is None else np.asarray(weight, np.int32), parts)


def test_textbook_values():
    # scikit-learn's manual: V-measure, which is this NMI, 0.8; adjusted Rand index 0.57 = 4/7.
    assert agreed([0, 0, 1, 2], [0, 0, 1, 1]) == pytest.approx((0.8, 4 / 7))
    assert agreed([0, 0, 1, 1], [1, 1, 0, 0]) == pytest.approx((1, 1))
    assert agreed([0, 0, 0, 0], [0, 1, 2, 3]) == pytest.approx((0, 0))


@given(PAIRED)
def test_agreement_is_as_defined(accounts):
    one, other, _ = zip(*accounts, strict=True)
    nmi, ari = agreed(one, other)
    assert nmi == pytest.approx(max(0.0, slow.normalised_mutual_information(one, other)), abs=1e-9)
    assert ari == pytest.approx(slow.adjusted_rand(one, other), abs=1e-9)


@given(PAIRED)
def test_an_account_drawn_twice_makes_no_pair_with_itself(accounts):
    one, other, weight = zip(*accounts, strict=True)
    copies = [k for k, n in enumerate(weight) for _ in range(n)]
    nmi, ari = agreed(one, other, weight)
    if not copies:
        assert math.isnan(nmi)
        assert math.isnan(ari)
        return
    own_one, own_other = [one[k] for k in copies], [other[k] for k in copies]
    pairs = [(i, j) for i, j in combinations(range(len(copies)), 2) if copies[i] != copies[j]]
    assert nmi == pytest.approx(max(0.0, slow.normalised_mutual_information(own_one, own_other)), abs=1e-9)
    assert ari == pytest.approx(slow.adjusted_rand_of_pairs(own_one, own_other, pairs), abs=1e-9)


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=30))
def test_weighted_precision_is_as_defined(accounts):
    cluster, positive = (np.asarray(column) for column in zip(*accounts, strict=True))
    _, cluster = np.unique(cluster, return_inverse=True)
    pure = purity(cluster, positive)[cluster[positive]]
    found = weighted_precision(np.ones(pure.size, np.int32), pure)
    wanted = slow.weighted_precision(cluster.tolist(), positive.tolist())
    assert math.isnan(found) if wanted is None else found == pytest.approx(wanted)


def test_weighted_precision_by_hand():
    # A pure cluster of two and one of four with one positive: (2 + 4/16) / (2 + 1).
    cluster, positive = np.array([0, 0, 1, 1, 1, 1]), np.array([1, 1, 1, 0, 0, 0], bool)
    pure = purity(cluster, positive)[cluster[positive]]
    assert weighted_precision(np.array([1, 1, 1], np.int32), pure) == pytest.approx(0.75)
    assert weighted_precision(np.array([0, 0, 5], np.int32), pure) == pytest.approx(0.25)


def test_tally():
    assert tally(np.array([2, 0, 2]), np.array([1, 2, 3])).tolist() == [2, 0, 4]
    assert tally(np.empty(0, np.int64), np.empty(0, np.int64)).tolist() == []
