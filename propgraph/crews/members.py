"""Members of a crew: confirmed by their own standing on the half of the objects that did not choose them."""

from __future__ import annotations

import numpy as np
import polars as pl

from propgraph.arrays.p_values import binomial_tail
from propgraph.arrays.types import Int64
from propgraph.synchrony.joint import harmonic
from propgraph.synchrony.prepared import PreparedShares
from propgraph.synchrony.weighed import weigh_standing

#: A member belongs to a crew whose own standing on the halves that did not choose it has this p-value at most. At .05
#: fans of one star, who are quick for it alone, made crews of their own in the logs of `simulate crowdturf`.
MEMBER_P = 0.01
#: Of a group with many posts of an object somebody is always near: up to the tenth nearest is asked for, and up to this
#: chance an object counts, for of two days' work each tells little.
FELLOWS, MEMBER_TAU = 10, 0.5
_GROUP = ("trace", "split", "half", "level", "group")
NO_GROUP = pl.Series(dtype=pl.Int64)


def standing_in(
    prepared: PreparedShares, group: Int64, found: pl.Series, /, *, at: Int64, threads: int
) -> pl.DataFrame:
    """Return how near the members of groups stand to their fellows on the half that did not choose them.

    Parameters
    ----------
    prepared
        The shares of one trace.
    group
        int64[n_accounts]; the group of each account, -1 for none.
    found
        The groups that were found.
    at
        The shares that count, by their place in the accounts' lists: what the groups attended.
    threads
        At most so many at once.

    Returns
    -------
    pl.DataFrame
        `account_id`, `group`, `found` (Boolean), `p_value`: the larger by both nulls; 1 in a group that was not found.
    """
    counts = np.zeros(prepared.listed.size, np.bool_)
    counts[at] = True
    member = np.flatnonzero(group >= 0)
    kept = np.isin(group, found.to_numpy())
    p_value = np.ones(group.size)
    again = np.flatnonzero(kept)
    if again.size:
        of_deal, of_habits = weigh_standing(
            prepared, np.where(kept, group, -1), account=again, near=group[again], counts=counts, tau=MEMBER_TAU,
            fellows=FELLOWS, threads=threads,
        )  # fmt: skip
        p_value[again] = np.exp(np.maximum(of_deal, of_habits))
    return pl.DataFrame(
        {
            "account_id": prepared.log.accounts.gather(pl.Series(member)),
            "group": group[member],
            "found": kept[member],
            "p_value": p_value[member],
        }
    )


def confirmed(standing: pl.DataFrame, /) -> pl.DataFrame:
    """Return the rows of members of groups found whose own standing in a split is beyond chance.

    On one half, the p-values of an account's groups at several resolutions are joined by their harmonic mean: they are
    about the same posts. Those of the two halves, which have no object and no session in common, are multiplied
    (Fisher); a half on which the account is in no group found says nothing.

    A group of which no more are beyond chance than chance has of so many (binomial, `MEMBER_P`) has no member at all:
    readers of one feed, who all come within the hour, pass as a group and not one by one, and one in a hundred of them
    would be beyond chance by chance.

    Parameters
    ----------
    standing
        As from `standing_in`, with `trace`, `split`, `half`, `level`.
    """
    of_half = standing.group_by("trace", "account_id", "split", "half", maintain_order=True).agg(
        "p_value", found=pl.col("found").any()
    )
    of_half = of_half.filter("found").sort("trace", "account_id", "split", "half")
    if of_half.is_empty():
        return standing.clear()
    of_half = of_half.with_columns(p=pl.Series(harmonic(of_half["p_value"])))
    # Fisher of one p-value is itself; of two with the product u it is u (1 - ln u).
    u = pl.col("p").log().sum().exp()
    sure = of_half.group_by("trace", "account_id", "split", maintain_order=True).agg(
        p=pl.when(pl.len() == 1).then(u).otherwise(u * (1 - pl.col("p").log().sum()))
    )
    sure = sure.filter(pl.col("p") <= MEMBER_P).select("trace", "account_id", "split")
    sure = sure.with_columns(sure=pl.lit(True))
    rows = standing.filter("found").join(
        sure, on=["trace", "account_id", "split"], how="left", maintain_order="left"
    )
    rows = rows.with_columns(pl.col("sure").fill_null(False))
    of_group = [pl.col("sure").sum().over(_GROUP), pl.len().over(_GROUP)]
    n_sure, n = (rows.select(one.cast(pl.Int64)).to_series().to_numpy() for one in of_group)
    enough = binomial_tail(n_sure, n, np.full(n.size, MEMBER_P)) <= MEMBER_P
    return rows.filter(pl.Series(enough, dtype=pl.Boolean) & rows["sure"]).drop("sure")
