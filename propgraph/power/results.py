"""How often crews were flagged, and how many accounts of the log with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import polars as pl

from propgraph.power.grid import Cell
from propgraph.schema import POWER

_KIND = ["n_accounts", "n_objects", "span_s"]


@dataclass(frozen=True)
class Results:
    """What became of the crews of one search.

    Attributes
    ----------
    crews
        `n_accounts`, `n_objects`, `span_s`, `n_found` (members in flagged clusters), `flagged` (half of the members or
        more are), `n_false` (accounts of the log in a flagged cluster with the crew that are in none without it).
    n_elsewhere
        Accounts of the log newly flagged in a cluster without any planted account.
    """

    crews: pl.DataFrame
    n_elsewhere: int


def results_of(
    cells: Sequence[Cell], crews: pl.DataFrame, found: pl.DataFrame, /, *, before: pl.Series
) -> Results:
    """Return what became of the crews of one search.

    Parameters
    ----------
    cells
        The kind of each crew.
    crews
        `account_id`, `crew` (its place in `cells`).
    found
        `account_id`, `cluster_id` of the flagged accounts.
    before
        Ids of the accounts that are flagged without any crew.
    """
    members = found.join(crews, on="account_id", how="left")
    own = members.drop_nulls("crew")
    new = members.filter(pl.col("crew").is_null() & ~pl.col("account_id").is_in(before.implode()))
    # A cluster with members of several crews counts for that with most of them.
    of_cluster = (
        own.group_by("cluster_id", "crew")
        .len()
        .sort(["cluster_id", "len", "crew"], descending=[False, True, False])
        .unique("cluster_id", keep="first")
        .select("cluster_id", "crew")
    )
    false = new.drop("crew").join(of_cluster, on="cluster_id")
    table = (
        pl.DataFrame([asdict(cell) for cell in cells])
        .with_row_index("crew")
        .join(own.group_by("crew").len("n_found"), on="crew", how="left", maintain_order="left")
        .join(false.group_by("crew").len("n_false"), on="crew", how="left", maintain_order="left")
        .with_columns(pl.col("n_found", "n_false").fill_null(0))
        .with_columns(flagged=pl.col("n_found") * 2 >= pl.col("n_accounts"))
    )
    return Results(table.drop("crew"), new.height - false.height)


def power_table(crews: pl.DataFrame, /, *, turnout: float) -> pl.DataFrame:
    """Return `schema.POWER` of all crews of all searches."""
    from scipy.stats import binomtest  # noqa: PLC0415 - slow to import

    table = (
        crews.group_by(_KIND)
        .agg(
            n_planted=pl.len(),
            n_flagged=pl.col("flagged").sum(),
            recall=(pl.col("n_found") / pl.col("n_accounts")).mean(),
            n_false=pl.col("n_false").sum(),
        )
        .sort(_KIND)
    )
    ranges = [
        binomtest(flagged, planted).proportion_ci(0.95, method="wilson")
        for flagged, planted in table.select("n_flagged", "n_planted").iter_rows()
    ]
    return POWER.conform(
        table.with_columns(
            turnout=turnout,
            power=pl.col("n_flagged") / pl.col("n_planted"),
            power_low=pl.Series([one.low for one in ranges], dtype=pl.Float64),
            power_high=pl.Series([one.high for one in ranges], dtype=pl.Float64),
        )
    )
