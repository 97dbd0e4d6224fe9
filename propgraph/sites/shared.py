"""Pairs of sites that the same accounts share first, beyond activity, popularity and a common audience."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from propgraph.arrays.encoding import grouped
from propgraph.arrays.holdings import sums_over_shared
from propgraph.arrays.kernels import kernel
from propgraph.arrays.p_values import binomial_tail, false_discovery_rate
from propgraph.arrays.types import Bool, Float64, Int32, Int64
from propgraph.likeness.bicm import fit_bicm
from propgraph.likeness.tails import shared_by_chance
from propgraph.sites.first_sharers import FirstSharers

#: A site with fewer first sharers is not compared, nor are two that share fewer of them.
MIN_FIRST = 5
MIN_SHARED = 3
# Accounts that are first at more sites bring no two of them together to be looked at; they count where others do.
_MOST_SITES = 2_000
# Beyond it no false discovery rate is small, so that the second test need not be made.
_TOLD = 0.05


@dataclass(frozen=True)
class SharedFirst:
    """What the first sharers of two sites have in common, pair by pair.

    Attributes
    ----------
    source, target
        int64[n_pairs]; the sites, source < target.
    n_first, expected
        First sharers of both, and as many as activity and popularity give.
    n_both, expected_order
        Accounts that share both sites at all, and how many of these would be first at both by chance.
    p_value, q_value
        The larger of both tests' p-values, 0..1; the false discovery rate over all pairs of sites that are compared.
    n_tests
        How many pairs these are.
    """

    source: Int64
    target: Int64
    n_first: Int64
    expected: Float64
    n_both: Int64
    expected_order: Float64
    p_value: Float64
    q_value: Float64
    n_tests: int


def shared_first(sharers: FirstSharers, /, *, threads: int) -> SharedFirst:
    """Return the pairs of sites whose first sharers are the same beyond both nulls at a level of 5 % each.

    **Activity and popularity**: the bipartite configuration model over sites and their first sharers (`likeness.bicm`).
    An account that is first everywhere says little of any two sites.

    **A common audience**: partisans read the same sites, and so share them more often than activity and popularity
    have it. If they are no more than readers, then who of a URL's sharers comes first is chance. An account that shares
    both sites is then a first sharer of one with a chance f, of the other with a chance g (`FirstSharers.chance`), and
    of both with f g. How many are is a sum of independent unequal chances, whose tail the binomial of the same
    mean bounds (Hoeffding 1956) from the mean plus one on. Where nearly all sharers of a URL are its first, this tells
    nothing, and no pair comes out: a crew and a few devoted readers look the same there.

    A pair has to stand out from either, so its p-value is the larger one (an intersection-union test; Berger 1982).

    Parameters
    ----------
    sharers
        Who shares each site, and who first.
    threads
        At most so many at once. The result does not depend on it.

    References
    ----------
    Saracco et al., New Journal of Physics 19 (2017); Hoeffding, "On the distribution of the number of successes in
    independent trials", Annals of Mathematical Statistics 27 (1956); Berger, "Multiparameter hypothesis testing and
    acceptance sampling", Technometrics 24 (1982).
    """
    held = sharers.first
    eligible = held.degree >= MIN_FIRST
    n = int(eligible.sum())
    n_tests = n * (n - 1) // 2
    start, position = grouped(held.object, held.n_objects)
    of = np.repeat(np.arange(held.degree.size, dtype=np.int64), held.degree)[position]
    source, target, n_first = _candidates(held.first, held.object, start, of, eligible)
    if source.size == 0:
        nothing = np.empty(0, np.float64)
        return SharedFirst(source, target, n_first, nothing, n_first, nothing, nothing, nothing, n_tests)
    if int(np.diff(start).max(initial=0)) > _MOST_SITES:
        n_first, _ = sums_over_shared(
            held, np.ones(held.object.size), source=source, target=target, threads=threads
        )
    model = fit_bicm(held.degree, np.diff(start))
    null = shared_by_chance(model, n_first, source=source, target=target, threads=threads)
    told = null.p_value <= _TOLD
    source, target, n_first, expected = source[told], target[told], n_first[told], null.mean[told]
    n_both, by_order = sums_over_shared(
        sharers.sharers, sharers.chance, source=source, target=target, threads=threads
    )
    p_order = np.ones(source.size)
    some = n_first >= by_order + 1
    p_order[some] = binomial_tail(n_first[some], n_both[some], by_order[some] / n_both[some])
    p_value = np.maximum(null.p_value[told], p_order)
    q_value = false_discovery_rate(p_value, n_tests=n_tests)
    return SharedFirst(source, target, n_first, expected, n_both, by_order, p_value, q_value, n_tests)


@kernel
def _candidates(
    first: Int64, account: Int32, start: Int64, site: Int64, eligible: Bool
) -> tuple[Int64, Int64, Int64]:
    """Return the pairs of eligible sites that share enough accounts: source, target, how many accounts."""
    n_sites = first.size - 1
    found = np.empty((1024, 3), np.int64)
    n_found = 0
    count, met = np.zeros(n_sites, np.int64), np.empty(n_sites, np.int64)
    # At the top `count` is 0 throughout, and `found` holds all pairs of which the smaller site is before s.
    for s in range(n_sites):
        if not eligible[s]:
            continue
        n = 0
        for k in range(first[s], first[s + 1]):
            a = account[k]
            if start[a + 1] - start[a] > _MOST_SITES:
                continue
            # An account's sites stand in order, so from its end all are behind s until s itself comes.
            for j in range(start[a + 1] - 1, start[a] - 1, -1):
                t = site[j]
                if t <= s:
                    break
                if eligible[t]:
                    if count[t] == 0:
                        met[n] = t
                        n += 1
                    count[t] += 1
        met[:n].sort()
        for k in range(n):
            t = met[k]
            if count[t] >= MIN_SHARED:
                if n_found == found.shape[0]:
                    found = np.concatenate((found, np.empty_like(found)))
                found[n_found, 0], found[n_found, 1], found[n_found, 2] = s, t, count[t]
                n_found += 1
            count[t] = 0
    return found[:n_found, 0].copy(), found[:n_found, 1].copy(), found[:n_found, 2].copy()
