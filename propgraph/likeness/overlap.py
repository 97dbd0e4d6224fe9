"""How much two accounts share at all, whenever: what activity and popularity explain of it, and likeness.

This is the second axis beside synchrony. A pair that is *alike* beyond chance has a common interest or a
common list: fans, partisans, colleagues. Alone it says nothing of acting together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from propgraph.arrays.holdings import Holdings, holdings_of, sums_over_shared
from propgraph.arrays.incidence import Incidence
from propgraph.arrays.types import Float64, Int64
from propgraph.errors import check_at_least
from propgraph.likeness.bicm import fit_bicm
from propgraph.likeness.tails import shared_by_chance


@dataclass(frozen=True)
class Overlap:
    """What two accounts share, pair by pair.

    Attributes
    ----------
    n_shared
        int64[n_pairs]; distinct objects that both shared.
    expected_shared
        float64[n_pairs]; the number that the null expects.
    overlap_p
        float64[n_pairs]; probability, 0..1, of sharing so many or more under the null.
    cosine
        float64[n_pairs]; 0..1, TF-IDF cosine; NaN where an account has fewer than two distinct objects.
    fit_error
        The largest relative difference between a degree and the one that the null expects: below 1e-10 as
        a rule; above 1e-6 the fit has failed.
    """

    n_shared: Int64
    expected_shared: Float64
    overlap_p: Float64
    cosine: Float64
    fit_error: float


def overlap_of(log: Incidence, /, *, source: Int64, target: Int64, threads: int) -> Overlap:
    """Return for each pair of accounts what both shared, what chance explains of it, and their cosine.

    **The null** is the bipartite configuration model (`bicm.py`): each account keeps, on average, its
    number of distinct objects, each object its number of distinct accounts. An object that half of all
    accounts shared is shared by any two as a matter of course, and counts for little.

    **The p-value** is P(X >= n_shared), X the sum of independent unequal chances q, one an object. Objects
    that both share with a chance of 0.001 or more are summed exactly, the many others as a Poisson
    variable: see `tails.py` for how far that is off (Le Cam's bound), and to which side. Counts are coarse, and the
    degrees are those of the very log that is tested, while under the model they would vary as well, and X
    with them: for both reasons fewer pairs of a log without any common interest come out at or below a
    level than that level says (`benchmarks/detection/overlap.py` draws such logs and counts).

    **The cosine** is that of Pacheco et al. in the form of their published code: the weight of an object
    for an account is (1 + ln c) · (1 + ln((1 + N) / (1 + k))), with c the account's posts of it, N all
    accounts that shared anything, k those that shared this object. They left out objects of fewer than
    three accounts; here all count, so that what an account alone shared makes it less like others. Accounts
    of one object would have cosine 1 with each other by construction: theirs is NaN.

    Parameters
    ----------
    log
        All shares of the trace.
    source, target
        int64[n_pairs]; account codes, different in each pair.
    threads
        At most so many at once. The result does not depend on it.

    Returns
    -------
    Overlap
        In the order of the pairs.

    References
    ----------
    Saracco et al., New Journal of Physics 19 (2017); Pacheco et al., "Uncovering Coordinated Networks on
    Social Media: Methods and Case Studies", ICWSM (2021); Le Cam, "An approximation theorem for the Poisson
    binomial distribution", Pacific Journal of Mathematics 10 (1960).
    """
    check_at_least("threads", threads, 1)
    source, target = source.astype(np.int64, copy=False), target.astype(np.int64, copy=False)
    held = holdings_of(log)
    object_degree = np.bincount(held.object, minlength=held.n_objects).astype(np.int64)
    n_shared, cosine = sums_over_shared(
        held, _unit_weights(held, object_degree), source=source, target=target, threads=threads
    )
    single = np.minimum(held.degree[source], held.degree[target]) < 2
    model = fit_bicm(held.degree, object_degree)
    null = shared_by_chance(model, n_shared, source=source, target=target, threads=threads)
    return Overlap(
        n_shared=n_shared,
        expected_shared=null.mean,
        overlap_p=null.p_value,
        cosine=np.where(single, np.nan, np.minimum(cosine, 1.0)),
        fit_error=model.error,
    )


def _unit_weights(held: Holdings, object_degree: Int64) -> Float64:
    """Return the TF-IDF weight of each holding, scaled so that each account's squares sum to one."""
    n_accounts = int(np.count_nonzero(held.degree))
    idf = 1.0 + np.log((1.0 + n_accounts) / (1.0 + object_degree))
    weight: Float64 = (1.0 + np.log(held.posts)) * idf[held.object]
    owner = np.repeat(np.arange(held.first.size - 1), held.degree)
    norm = np.sqrt(np.bincount(owner, weight**2, minlength=held.first.size - 1))
    return weight / norm[owner]
