"""Crowd or machine: how many accounts stand behind a cluster's posts of one object, and how fast they post."""

from __future__ import annotations

import numpy as np
import polars as pl

from propgraph.arrays.types import Float64
from propgraph.clusters.inputs import ClusterInputs
from propgraph.schema import COUNT
from propgraph.study import Study

_MOST = 0.9


def with_crowd(table: pl.DataFrame, inputs: ClusterInputs, rates: Float64, /) -> pl.DataFrame:
    """Add what tells a crowd from a machine, as in `schema.CLUSTERS`.

    `accounts_per_post`: the effective number of accounts, exp(Shannon entropy of the posts over the accounts), of each
    object that two members or more share, over its posts by members; the mean over these objects, weighted by posts.
    One post an account gives 1, however many objects each shares; three accounts with 400 posts of one link give 3 /
    400. `n_busiest`: the fewest members that make nine in ten of all members' posts, and `busiest_share`, what they
    make. `posts_per_day`: median over members; `posts_per_day_pct`: the fraction of the log's accounts that post less
    often, ties counted half.

    Parameters
    ----------
    table
        A row for each `cluster`.
    inputs
        What the figures are made from.
    rates
        float64; posts a day of all accounts in the log, sorted (see `rates_of`).

    References
    ----------
    Hill, "Diversity and evenness: a unifying notation and its consequences", Ecology 54 (1973): numbers of order 1.
    """
    for part in (_accounts_per_post(inputs), _busiest(inputs), _rates(inputs, rates)):
        table = table.join(part, on="cluster", how="left", maintain_order="left")
    return table


def rates_of(study: Study, /) -> Float64:
    """Return the posts a day of all accounts that posted, sorted: over the time from first to last, at least a day."""
    accounts = study.scan("accounts").filter(pl.col("n_posts") > 0)
    return accounts.select(rate=rate()).collect()["rate"].sort().to_numpy()


def rate() -> pl.Expr:
    """Return the posts a day of a row of `schema.ACCOUNTS`, over the time from first to last, at least a day."""
    days = (pl.col("last_seen") - pl.col("first_seen")).dt.total_milliseconds() / 86_400_000
    return pl.col("n_posts") / days.clip(1.0)


def _accounts_per_post(inputs: ClusterInputs) -> pl.DataFrame:
    of = inputs.members.select("account_id", "cluster")
    # Sorted, for the last digit of a sum of floats depends on its order.
    counts = (
        inputs.shares.group_by("trace", "object_id", "account_id")
        .agg(n=pl.col("content_id").n_unique())
        .join(of, on="account_id")
        .sort("cluster", "trace", "object_id", "account_id")
    )
    part = pl.col("n") / pl.col("n").sum()
    objects = (
        counts.group_by("cluster", "trace", "object_id", maintain_order=True)
        .agg(effective=(-(part * part.log()).sum()).exp(), n_posts=pl.col("n").sum(), n_accounts=pl.len())
        .filter(pl.col("n_accounts") > 1)
    )
    return objects.group_by("cluster", maintain_order=True).agg(
        accounts_per_post=(pl.col("effective").sum() / pl.col("n_posts").sum()).clip(0, 1)
    )


def _busiest(inputs: ClusterInputs) -> pl.DataFrame:
    counts = (
        inputs.shares.group_by("account_id")
        .agg(n=pl.col("content_id").n_unique())
        .join(inputs.members.select("account_id", "cluster"), on="account_id")
        .sort(["cluster", "n"], descending=[False, True])
        .with_columns(total=pl.col("n").sum().over("cluster"), sofar=pl.col("n").cum_sum().over("cluster"))
    )
    # Those before the running sum reaches nine in ten, and one more.
    needed = counts.filter(pl.col("sofar") - pl.col("n") < _MOST * pl.col("total"))
    return needed.group_by("cluster", maintain_order=True).agg(
        n_busiest=pl.len().cast(COUNT), busiest_share=pl.col("n").sum() / pl.col("total").first()
    )


def _rates(inputs: ClusterInputs, rates: Float64) -> pl.DataFrame:
    mine = inputs.accounts.select("account_id", rate=rate()).join(
        inputs.members.select("account_id", "cluster"), on="account_id"
    )
    typical = mine.group_by("cluster").agg(posts_per_day=pl.col("rate").median()).sort("cluster")
    typical = typical.drop_nulls()
    of_each = typical["posts_per_day"].to_numpy()
    below = np.searchsorted(rates, of_each, "left") + np.searchsorted(rates, of_each, "right")
    return typical.with_columns(posts_per_day_pct=pl.Series(below / (2 * max(rates.size, 1))))
