"""How well clusters meet the groups that are known, and how pure they are; accounts may be weighted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import Bool, Float64, Int32, Int64


@dataclass(frozen=True)
class Partitions:
    """Two ways to part the same accounts: codes from 0 of each account's cluster, its group, and of both at once.

    `place` says where each account stands among the weights.
    """

    place: Int64
    cluster: Int64
    group: Int64
    both: Int64

    @classmethod
    def of(cls, place: Int64, cluster: Int64, group: Int64) -> Partitions:
        """Return the partitions with the codes of `both`."""
        pairs = cluster * (int(group.max(initial=0)) + 1) + group
        _, both = np.unique(pairs, return_inverse=True)
        return cls(place, cluster, group, both.astype(np.int64))


def agreement(weight: Int32, parts: Partitions, /) -> tuple[float, float]:
    """Return the normalised mutual information and the adjusted Rand index of two partitions.

    Parameters
    ----------
    weight
        How often each account counts.
    parts
        The partitions.

    Returns
    -------
    tuple
        NMI in 0..1, over the mean of the two entropies; 1 where neither partition parts anything. ARI (Hubert
        and Arabie), 1 for equal partitions, around 0 by chance. An account that counts twice makes no pair with
        itself: a resample would else agree with itself. NaN without accounts.

    References
    ----------
    Hubert and Arabie, "Comparing Partitions", Journal of Classification 2 (1985); Strehl and Ghosh, "Cluster
    Ensembles", JMLR 3 (2002), with the arithmetic mean as Vinh, Epps and Bailey, JMLR 11 (2010).
    """
    own = weight[parts.place].astype(np.int64)
    if own.sum() == 0:
        return float("nan"), float("nan")
    sums = [tally(code, own) for code in (parts.cluster, parts.group, parts.both)]
    squares = [tally(code, own * own) for code in (parts.cluster, parts.group, parts.both)]
    cluster, group, both = ((float(s @ s) - float(q.sum())) / 2 for s, q in zip(sums, squares, strict=True))
    pairs = (float(own.sum()) ** 2 - float(own @ own)) / 2
    return _nmi(*sums), _ari(cluster, group, both, pairs)


def purity(cluster: Int64, positive: Bool, /) -> Float64:
    """Return the fraction of each cluster's accounts that is to be found, 0..1.

    Parameters
    ----------
    cluster
        Code of each account's cluster, from 0; none is without an account.
    positive
        Whether the account is to be found.
    """
    n = np.bincount(cluster)
    return np.asarray(np.bincount(cluster, weights=positive) / n, np.float64)


def weighted_precision(weight: Int32, purity: Float64, /) -> float:
    """Return the weighted precision of clusters: sum of n p^2 over sum of n p, n accounts a cluster, p its purity.

    That is the mean purity of the clusters in which the accounts to be found sit.

    Parameters
    ----------
    weight
        How often each account to be found that is in a cluster counts.
    purity
        The purity of its cluster.

    Returns
    -------
    float
        0..1; NaN without such an account.
    """
    total = int(weight.sum())
    # A product by BLAS would add in another order on other threads.
    return float((weight * purity).sum()) / total if total else float("nan")


@kernel
def tally(code: Int64 | Int32, weight: Int64 | Int32) -> Int64:
    """Return the sum of the weights of each code, from 0 to the greatest."""
    size = 0
    # Codes may have gaps, so the greatest says how many sums there are.
    for c in code:
        size = max(size, c + 1)
    out = np.zeros(size, np.int64)
    for i in range(code.size):
        out[code[i]] += weight[i]
    return out


@kernel
def add_draws(drawn: Int32, places: Int32, weight: Int32) -> None:
    """Add to the weights, in place, how often each place was drawn."""
    # A draw with replacement: the same place may come several times.
    for k in drawn:
        weight[places[k]] += 1


def _entropy(sums: Int64) -> float:
    part = sums[sums > 0] / sums.sum()
    return float(-(part * np.log(part)).sum())


def _nmi(cluster: Int64, group: Int64, both: Int64) -> float:
    of_cluster, of_group = _entropy(cluster), _entropy(group)
    if of_cluster + of_group <= 0:
        return 1.0
    return max(0.0, 2 * (of_cluster + of_group - _entropy(both)) / (of_cluster + of_group))


def _ari(cluster: float, group: float, both: float, pairs: float) -> float:
    if pairs == 0:
        return 1.0
    expected = cluster * group / pairs
    most = (cluster + group) / 2
    return 1.0 if most == expected else (both - expected) / (most - expected)
