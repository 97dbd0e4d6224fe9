"""The flag `one-operator`: a site that the same accounts share first as two others or more, and nobody says why."""

from __future__ import annotations

import polars as pl

from propgraph.sites.operators import MIN_SITES, Operators
from propgraph.sites.pairs import Q


def reasons_of(found: Operators, /) -> pl.DataFrame:
    """Return of each site of an operator the surest pair that speaks for the flag `one-operator`.

    It speaks for it where the same accounts share three sites of the operator or more first, beyond activity,
    popularity and a common audience. A shared fact alone does not flag (a registrar's customer may be a publisher in
    the open), nor does a chain whose owner the user's tables name.

    Returns
    -------
    pl.DataFrame
        `site, operator_id`, and, null where nothing speaks for the flag, `other` (the other site), `n_others` (sites
        of such pairs with it), `n_first_sharers, expected, expected_order, operator_q`.
    """
    operators = found.operators
    undeclared = operators.filter(pl.col("declared_owner").is_null())["operator_id"]
    sure = found.pairs.filter((pl.col("q_value") <= Q) & pl.col("operator_id").is_in(undeclared.implode()))
    both = pl.concat(
        [
            sure.select(pl.all(), site=end, other=other)
            for end, other in (("source", "target"), ("target", "source"))
        ]
    )
    both = both.filter(pl.col("site").n_unique().over("operator_id") >= MIN_SITES)
    best = (
        both.with_columns(n_others=pl.len().over("site"))
        .sort("site", "p_value", "other")
        .unique("site", keep="first", maintain_order=True)
        .select(
            "site", "other", "n_others", "n_first_sharers", "expected", "expected_order", operator_q="q_value"
        )
    )
    of_site = operators.select("operator_id", site="sites").explode("site")
    return of_site.select("site", "operator_id").join(best, on="site", how="left", maintain_order="left")


def seeders_of(found: Operators, /) -> pl.DataFrame:
    """Return `site, account_id` of each operator's seeders and sites."""
    sites = found.operators.select("seeders", site="sites").explode("site")
    return sites.select("site", account_id="seeders").explode("account_id").drop_nulls()
