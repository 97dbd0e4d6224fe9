"""Who runs the farms: operators, the sites of each, and the recruiters that work for them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from propgraph.arrays.types import Bool, Float64, Int64
from propgraph.simulate.draws import Rng
from propgraph.simulate.press import Press

MOST = 3
#: Below so many recruiters or farms there is one operator: each of several needs crews and three sites.
LEAST_RECRUITERS, LEAST_FARMS = 4, 12


@dataclass(frozen=True)
class Operators:
    """Operators by number, 0 the largest.

    Attributes
    ----------
    site
        The operator of each farm.
    heir
        Who takes the farm over half-way through the log, -1 for nobody.
    serves
        Which recruiter (column) works for which operator (row).
    handed
        When farms are taken over, s.
    """

    site: Int64
    heir: Int64
    serves: Bool
    handed: int

    @property
    def n(self) -> int:
        """How many operators."""
        return int(self.serves.shape[0])

    def of_articles(self, press: Press) -> Int64:
        """Return the operator that pushes each of the farms' articles."""
        farm = press.article_site[press.farm] - (press.site.size - self.site.size)
        passed = (self.heir[farm] >= 0) & (press.article_time[press.farm] >= self.handed)
        return np.where(passed, self.heir[farm], self.site[farm])

    def quotas(self, article_operator: Int64, n_seeders: int) -> Int64:
        """Return how many articles a seeder of each recruiter pushes before it stops.

        A crew has 12.5 people on average, and operators share their articles out evenly.
        """
        n_articles = np.bincount(article_operator, minlength=self.n)
        load = (n_articles[:, None] * self.serves / self.serves.sum(axis=1, keepdims=True)).sum(axis=0)
        people: Float64 = 12.5 * load * load.size / n_seeders
        return np.ceil(np.round(people, 6)).astype(np.int64)


def one_operator(n_farms: int, n_recruiters: int) -> Operators:
    """Return the one operator whom all work for."""
    nobody = np.full(n_farms, -1)
    return Operators(np.zeros(n_farms, dtype=np.int64), nobody, np.ones((1, n_recruiters), dtype=np.bool_), 0)


def several_operators(rng: Rng, *, n_farms: int, n_recruiters: int, end: int) -> Operators:
    """Return three operators: one with half of the farms and recruiters, and two that share a recruiter.

    Of eight recruiters four work for the first, two for the second, and three for the third, one of which the
    second has, too. One of the first one's farms passes to the second half-way.
    """
    if n_recruiters < LEAST_RECRUITERS or n_farms < LEAST_FARMS:
        return one_operator(n_farms, n_recruiters)
    half, quarter = n_recruiters // 2, n_recruiters // 4
    serves = np.zeros((MOST, n_recruiters), dtype=np.bool_)
    serves[0, :half] = True
    serves[1, half : half + quarter] = True
    serves[2, half + quarter - 1 :] = True
    site = rng.permutation(np.repeat(np.arange(MOST), [n_farms - 2 * (n_farms // 4), *[n_farms // 4] * 2]))
    heir = np.full(n_farms, -1)
    heir[np.flatnonzero(site == 0)[0]] = 1
    return Operators(site, heir, serves, end // 2)
