"""Crews that are found by the order in which they take things, whenever that is.

Their posts need not be near in time, so that ranks say little: the model of overlaps is asked (`likeness`). The objects
are those of the trace `order`, "A before B in one session". Accounts that take far more of the same steps than their
activity and the steps' popularity explain are a pair; who is in such a pair is then looked at once more, among few.
A pair reads the same list. Whether that is an app's or a newsletter's, and whether order has anything to do with it,
is asked of the whole cluster (see `missions.order`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from propgraph.arrays.holdings import holdings_of
from propgraph.arrays.incidence import Incidence
from propgraph.arrays.p_values import false_discovery_rate
from propgraph.arrays.types import Int64
from propgraph.communities import detect_communities
from propgraph.likeness.overlap import overlap_of
from propgraph.networks import to_igraph
from propgraph.synchrony.growth import merge_groups

#: A pair that is looked for has so many steps in common; one session of three objects has as many.
COMMON_STEPS = 3
#: Steps that more accounts took suggest no pairs: strangers take them, and pairs grow with the square.
MOST_ACCOUNTS = 500
# Pairs that all steps together may suggest: beyond that only the steps with fewer accounts do.
_MOST_PAIRS = 20_000_000
#: Two communities are one crowd if ties between them are so dense, against those within the looser one.
BETWEEN = 0.2
NO_CREWS = pl.DataFrame(schema={"account_id": pl.String, "crew": pl.UInt32})


def ordered_crews(log: Incidence, /, *, q: float, leiden: Mapping[str, Any], threads: int) -> pl.DataFrame:
    """Return `account_id`, `crew` of accounts that take more of the same steps than chance has.

    Parameters
    ----------
    log
        All shares of the trace `order`.
    q
        False discovery rate (0..1) of pairs, over all pairs of accounts in the trace.
    leiden
        Options of `detect_communities`, `min_size` among them.
    threads
        At most so many at once.
    """
    n = len(log.accounts)
    source, target, n_common = _pairs(log)
    often = n_common >= COMMON_STEPS
    sure = _likely(log, source[often], target[often], n_tests=n * (n - 1) / 2, q=q, threads=threads)[0]
    ends = np.unique(np.concatenate([source[often][sure], target[often][sure]]))
    if not ends.size:
        return NO_CREWS.clear()
    among = np.isin(source, ends) & np.isin(target, ends)
    source, target = source[among], target[among]
    n_among = ends.size * (ends.size - 1) / 2
    held, p = _likely(log, source, target, n_tests=n_among, q=q, threads=threads)
    ties = pl.DataFrame(
        {
            "source": log.accounts.gather(source[held]),
            "target": log.accounts.gather(target[held]),
            "weight": -np.log10(np.maximum(p[held], 1e-300)),
        }
    )
    found = detect_communities(to_igraph(ties), **leiden)
    whole = merge_groups(found, _one_crowd(found, ties))
    return whole.select("account_id", crew="community").sort("crew", "account_id")


def _one_crowd(found: pl.DataFrame, ties: pl.DataFrame) -> pl.DataFrame:
    """Return `community`, `other`: ties between the two are as dense as a fifth of those within the looser one.

    Any two who read one list meet over a few of its steps only, and modularity cuts so loose a crowd to pieces.
    """
    size = found.group_by("community").len("size")
    ends = ties.join(found, left_on="source", right_on="account_id").join(
        found.rename({"community": "other"}), left_on="target", right_on="account_id"
    )
    n = ends.group_by(
        pl.min_horizontal("community", "other"), other=pl.max_horizontal("community", "other")
    ).len("n")
    sized = n.join(size, on="community").join(
        size.rename({"community": "other", "size": "size_other"}), on="other"
    )
    a, b = (pl.col(name).cast(pl.Float64) for name in ("size", "size_other"))
    within = sized.filter(pl.col("community") == pl.col("other")).select(
        "other", inside=pl.col("n") / (a * (a - 1) / 2)
    )
    between = sized.filter(pl.col("community") != pl.col("other")).with_columns(density=pl.col("n") / (a * b))
    held = between.join(within.rename({"other": "community"}), on="community").join(
        within.rename({"inside": "inside_other"}), on="other"
    )
    return held.filter(pl.col("density") >= BETWEEN * pl.min_horizontal("inside", "inside_other")).select(
        "community", "other"
    )


def _likely(
    log: Incidence, source: Int64, target: Int64, *, n_tests: float, q: float, threads: int
) -> tuple[Any, Any]:
    """Return which pairs have more steps in common than chance gives, and each one's probability."""
    if not source.size:
        return np.zeros(0, np.bool_), np.zeros(0)
    p = overlap_of(log, source=source, target=target, threads=threads).overlap_p
    return false_discovery_rate(p, n_tests=n_tests) <= q, p


def _widest(degree: Int64) -> int:
    """Return up to how many accounts a step may have, for all steps together to suggest as many pairs as allowed."""
    sizes = np.arange(MOST_ACCOUNTS + 1)
    pairs = np.cumsum(
        np.bincount(degree[degree <= MOST_ACCOUNTS], minlength=sizes.size) * (sizes * (sizes - 1) // 2)
    )
    return int(np.searchsorted(pairs, _MOST_PAIRS, side="right")) - 1


def _pairs(log: Incidence) -> tuple[Int64, Int64, Int64]:
    """Return the pairs of accounts with a step in common that suggests pairs, and how many of these."""
    from scipy.sparse import csr_array  # noqa: PLC0415 - slow to import

    held = holdings_of(log)
    degree = np.bincount(held.object, minlength=held.n_objects)
    amount = (degree[held.object] <= _widest(degree)).astype(np.int32)
    owns = csr_array((amount, held.object, held.first), shape=(len(log.accounts), held.n_objects))
    owns.eliminate_zeros()
    both = (owns @ owns.T).tocoo()
    upper = both.coords[0] < both.coords[1]
    source, target = (ends[upper].astype(np.int64) for ends in both.coords)
    order = np.lexsort((target, source))
    return source[order], target[order], both.data[upper][order].astype(np.int64)
