"""Groups that grow: accounts join those they stand near to, and groups near each other become one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from propgraph.arrays.encoding import codes_in, groups_of
from propgraph.arrays.p_values import false_discovery_rate, harmonic_mean
from propgraph.arrays.types import Float64
from propgraph.synchrony.joint import harmonic
from propgraph.synchrony.prepared import PreparedShares
from propgraph.synchrony.standing import standing_of
from propgraph.synchrony.weighed import weigh_in_traces, weigh_standing

#: Accounts are told to stand near a group up to this p-value.
MAX_GROUP_P = 0.05
_ROUNDS = 3


def held_to_habits(
    prepared: Mapping[str, PreparedShares], pairs: pl.DataFrame, /, *, threads: int
) -> Float64:
    """Return the p-values under the null with habits of pairs, all traces together (harmonic mean).

    Parameters
    ----------
    prepared
        The shares of each trace.
    pairs
        `source`, `target` (String). A trace in which a pair shares nothing counts as a test that found nothing.
    threads
        At most so many at once.
    """
    return harmonic_mean(np.nan_to_num(weigh_in_traces(prepared, pairs, threads=threads), nan=1.0))


def grow_groups(
    prepared: Mapping[str, PreparedShares], groups: pl.DataFrame, /, *, q: float, threads: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Let accounts join groups that they stand near to beyond chance, and tell how near each stands.

    Outsiders are tested against every group with which they share two objects or more, in all traces together;
    those with a false discovery rate of at most `q` join the group nearest to them, and groups of which half the
    members of one stand near the other become one, at most three times over.
    Accounts that are tested are outside the group. That groups are chosen by the data and grow in rounds is not
    corrected for (docs/synchronised.md). A member's standing with the others describes: the pairs that made the group
    are part of it.

    Parameters
    ----------
    prepared
        The shares of each trace.
    groups
        `account_id` (String), `community` (UInt32).
    q
        False discovery rate, 0..1.
    threads
        At most so many at once.

    Returns
    -------
    tuple of pl.DataFrame
        The groups grown: `account_id`, `community`, `joined` (Boolean). And the best standing of each account
        near a group: `account_id`, `synchrony` (-log10 P), `q_value` (0..1; null for first members).
    """
    groups = groups.select("account_id", "community", joined=pl.lit(False))
    q_values = pl.DataFrame(schema={"account_id": pl.String, "q_value": pl.Float64})
    for _ in range(_ROUNDS):
        standing, n_tests = _standing(prepared, groups, threads=threads)
        away = _with_rate(standing.filter(~pl.col("inside")), n_tests=n_tests)
        away = _with_rate(
            _standing_held_to_habits(prepared, groups, away, q=q, threads=threads), n_tests=n_tests
        )
        best = (
            away.join(groups, on="account_id", how="anti")
            .sort("p_value", "community", "account_id")
            .unique("account_id", keep="first", maintain_order=True)
        )
        new = best.filter(pl.col("q_value") <= q)
        told = pl.concat([q_values, best.select("account_id", "q_value")])
        q_values = told.group_by("account_id").agg(pl.col("q_value").min())
        links = _near_groups(groups, away.filter(pl.col("q_value") <= q))
        if new.is_empty() and links.is_empty():
            break
        joining = new.select("account_id", "community", joined=pl.lit(True))
        groups = merge_groups(pl.concat([groups, joining]), links)
    nearest = standing.group_by("account_id").agg(p_value=pl.col("p_value").min())
    told = nearest.with_columns(synchrony=-pl.col("p_value").clip(1e-300).log10()).join(
        q_values, on="account_id", how="left"
    )
    return (
        groups.sort("community", "account_id"),
        told.select("account_id", "synchrony", "q_value").sort("account_id"),
    )


def _with_rate(away: pl.DataFrame, *, n_tests: int) -> pl.DataFrame:
    rate = false_discovery_rate(away["p_value"].to_numpy(), n_tests=max(n_tests, 1))
    return away.with_columns(q_value=pl.Series(rate, dtype=pl.Float64))


def _standing_held_to_habits(
    prepared: Mapping[str, PreparedShares],
    groups: pl.DataFrame,
    away: pl.DataFrame,
    *,
    q: float,
    threads: int,
) -> pl.DataFrame:
    """Return the standings with the larger p-value of both nulls, where the uniform deal gives a rate of at most q."""
    again = away.filter(pl.col("q_value") <= q).select("account_id", "community")
    if again.is_empty():
        return away
    p_values = np.ones((again.height, len(prepared)))
    for k, part in enumerate(prepared.values()):
        labels = part.log.accounts
        group = groups_of(labels, groups["account_id"], groups["community"])
        code = codes_in(again["account_id"], labels)
        there = np.flatnonzero(code >= 0)
        near = again["community"].to_numpy().astype(np.int64)[there]
        _, log_p = weigh_standing(part, group, account=code[there], near=near, threads=threads)
        p_values[there, k] = np.exp(log_p)
    weighed = again.with_columns(p_habits=pl.Series(harmonic_mean(p_values)))
    return (
        away.join(weighed, on=["account_id", "community"], how="left", maintain_order="left")
        .with_columns(p_value=pl.max_horizontal("p_value", "p_habits"))
        .drop("p_habits")
    )


def _near_groups(groups: pl.DataFrame, near: pl.DataFrame) -> pl.DataFrame:
    """Return `community`, `other`: half the members of the first, or more, stand near the second."""
    size = groups.group_by("community").len("size")
    return (
        near.rename({"community": "other"})
        .join(groups.select("account_id", "community"), on="account_id")
        .group_by("community", "other")
        .len("n")
        .join(size, on="community")
        .filter(pl.col("n") * 2 >= pl.col("size"))
    )


def half_in_common(groups: pl.DataFrame, others: pl.DataFrame, /) -> pl.DataFrame:
    """Return `community`, `other`: half the accounts of one of the two, or more, belong to both.

    Parameters
    ----------
    groups, others
        `account_id`, `community` (UInt32); an account may be in several of each.
    """
    sizes = (part.group_by("community").len("size") for part in (groups, others))
    size, size_other = sizes
    return (
        groups.join(others.rename({"community": "other"}), on="account_id")
        .group_by("community", "other")
        .len("n")
        .join(size, on="community")
        .join(size_other.rename({"community": "other", "size": "size_other"}), on="other")
        .filter(pl.col("n") * 2 >= pl.min_horizontal("size", "size_other"))
        .select("community", "other")
    )


def merge_groups(groups: pl.DataFrame, links: pl.DataFrame, /) -> pl.DataFrame:
    """Make one group of all that `links` connect.

    Parameters
    ----------
    groups
        `community` (UInt32) among other columns.
    links
        `community`, `other`.

    Returns
    -------
    pl.DataFrame
        `groups` with the lowest number of those connected as `community`.
    """
    first = {community: community for community in groups["community"].unique().to_list()}

    def root(community: int) -> int:
        while first[community] != community:
            community = first[community]
        return community

    for one, other in links.select("community", "other").sort("community", "other").iter_rows():
        low, high = sorted((root(one), root(other)))
        first[high] = low
    names = {community: root(community) for community in first}
    return groups.with_columns(pl.col("community").replace_strict(names, return_dtype=pl.UInt32))


def _standing(
    prepared: Mapping[str, PreparedShares], groups: pl.DataFrame, *, threads: int
) -> tuple[pl.DataFrame, int]:
    """Return `account_id, community, inside, p_value` of who stands near a group, and how many were tested."""
    frames, n_tests = [], 0
    for part in prepared.values():
        labels = part.log.accounts
        group = groups_of(labels, groups["account_id"], groups["community"])
        found = standing_of(part, group, threads=threads)
        n_tests += int(np.count_nonzero(~found.inside))
        near = found.log_p <= np.log(MAX_GROUP_P)
        frames.append(
            pl.DataFrame(
                {
                    "account_id": labels.gather(pl.Series(found.account[near])),
                    "community": pl.Series(found.group[near], dtype=pl.UInt32),
                    "inside": found.inside[near],
                    "p_value": np.exp(found.log_p[near]),
                }
            )
        )
    together = (
        pl.concat(frames)
        .group_by("account_id", "community", "inside")
        .agg(pl.col("p_value"))
        .sort("community", "account_id")
    )
    # A trace in which an account does not stand near counts as a test that found nothing.
    lists = together["p_value"].list.concat(
        pl.Series([[1.0] * len(prepared)] * together.height, dtype=pl.List(pl.Float64))
    )
    lists = lists.list.head(len(prepared))
    return together.with_columns(p_value=pl.Series(harmonic(lists))), n_tests


def scores_of(network: pl.DataFrame, standing: pl.DataFrame, /) -> pl.DataFrame:
    """Return how strongly each account is tied to others.

    A third account that confirms a pair counts half; the standing with a group counts in full. The sum ranks
    accounts and is no probability: its parts overlap.

    Parameters
    ----------
    network
        `schema.NETWORK`.
    standing
        As from `grow_groups`.

    Returns
    -------
    pl.DataFrame
        `account_id`, `score`, `q_value`, `n_partners`, sorted by account.
    """
    ends = pl.concat(
        [
            network.select("synchrony", "q_value", "synchronised", account_id=end)
            for end in ("source", "target")
        ]
    )
    best = pl.col("synchrony").top_k(2).sort(descending=True)
    pairs = ends.group_by("account_id").agg(
        score=best.first() + best.slice(1, 1).sum() / 2,
        q_value=pl.col("q_value").min(),
        n_partners=pl.col("synchronised").sum(),
    )
    both = pairs.join(standing, on="account_id", how="full", coalesce=True, suffix="_group")
    return both.select(
        "account_id",
        score=pl.col("score").fill_null(0.0) + pl.col("synchrony").fill_null(0.0),
        q_value=pl.min_horizontal("q_value", "q_value_group").fill_null(1.0),
        n_partners=pl.col("n_partners").fill_null(0),
    ).sort("account_id")
