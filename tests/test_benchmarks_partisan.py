from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from benchmarks import SHARED
from benchmarks.real.partisan_sites import (
    FACTS,
    columns_of,
    cross_validated,
    logistic,
    sites_of,
    ties,
)
from propgraph.sites.pairs import pairs_by_facts


def test_the_weights_are_where_the_penalised_likelihood_has_no_slope():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3))
    y = (x[:, 0] + rng.normal(size=200) > 0.5).astype(float)
    w = logistic(x, y)
    p = 1 / (1 + np.exp(-(x @ w[:3] + w[3])))
    assert x.T @ (y - p) == pytest.approx(w[:3], abs=1e-6)
    assert (y - p).sum() == pytest.approx(0, abs=1e-6)
    assert w[0] > 1 > abs(w[1])


def test_ties_count_known_sites_alone():
    sites = pl.DataFrame({"site": ["a", "b", "c"], "farm": [True, True, False]})
    pairs = pl.DataFrame({"source": ["a", "a"], "target": ["b", "c"]})
    all_known = ties(sites, pairs, np.array([True, True, True]))
    assert np.expm1(all_known) == pytest.approx(np.array([[1, 1], [1, 0], [1, 0]]))
    one_known = ties(sites, pairs, np.array([False, True, False]))
    assert np.expm1(one_known) == pytest.approx(np.array([[1, 0], [0, 0], [0, 0]]))


@pytest.mark.skipif(not (SHARED / "partisan_sites.parquet").exists(), reason="the research data are not here")
def test_all_facts_tell_more_of_the_farms_than_any_one():
    sites, facts = sites_of(SHARED / "partisan_sites.parquet")
    assert (sites.height, sites["farm"].sum()) == (667, 77)
    columns = columns_of(sites, facts)
    pairs = pairs_by_facts(facts).select("source", "target").unique().sort("source", "target")
    everything = tuple(name for names in FACTS.values() for name in names)
    whole = cross_validated(sites, columns, pairs, everything, seed=99)
    for names in FACTS.values():
        ap, auc = cross_validated(sites, columns, pairs, names, seed=99)
        assert ap < whole[0]
        assert auc < whole[1]
