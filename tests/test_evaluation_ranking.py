"""Average precision, area under the curve, precision at k: against their definitions, ties and weights and all."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference.evaluation import auc, average_precision, precision_at

from propgraph.evaluation.ranking import ranking


def ranked(score, positive, *, weight=None, at=()):
    order = np.argsort(-np.asarray(score, float), kind="stable")
    score = np.asarray(score, float)[order]
    return ranking(
        np.ones(len(score), np.int32) if weight is None else np.asarray(weight, np.int32)[order],
        np.asarray(positive, bool)[order],
        np.append(score[1:] != score[:-1], True),
        np.asarray(at, np.int64),
    )


ACCOUNTS = st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.integers(0, 3)), min_size=1, max_size=30)


def test_textbook_values():
    # The four documents of scikit-learn's manual: average precision 0.83, area 0.75.
    found = ranked([0.1, 0.4, 0.35, 0.8], [False, False, True, True], at=[1, 2, 3, 4])
    assert found == pytest.approx([(1 + 2 / 3) / 2, 0.75, 1, 1 / 2, 2 / 3, 1 / 2])


def test_one_score_for_all_is_chance():
    found = ranked([0.0] * 10, [True] * 3 + [False] * 7, at=[1, 5, 10])
    assert found == pytest.approx([0.3, 0.5, 0.3, 0.3, 0.3])


def test_without_positives_or_negatives_it_is_not_defined():
    assert np.isnan(ranked([1, 2], [False, False])).all()
    found = ranked([1, 2], [True, True])
    assert found[0] == 1
    assert math.isnan(found[1])


@given(ACCOUNTS)
def test_weights_are_copies(accounts):
    score, positive, weight = zip(*accounts, strict=True)
    copies = [k for k, n in enumerate(weight) for _ in range(n)]
    own_score, own_positive = [score[k] for k in copies], [positive[k] for k in copies]
    at = range(1, len(copies) + 1)
    found = ranked(score, positive, weight=weight, at=at)
    if any(own_positive):
        assert found[0] == pytest.approx(average_precision(own_score, own_positive))
    else:
        assert math.isnan(found[0])
    if any(own_positive) and not all(own_positive):
        assert found[1] == pytest.approx(auc(own_score, own_positive))
    assert found[2:] == pytest.approx(ranked(own_score, own_positive, at=at)[2:] if copies else [])


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=6), st.integers(1, 6))
def test_precision_at_k_is_the_mean_over_all_orders_of_equals(accounts, k):
    score, positive = zip(*accounts, strict=True)
    k = min(k, len(score))
    assert ranked(score, positive, at=[k])[2] == pytest.approx(precision_at(score, positive, k))
