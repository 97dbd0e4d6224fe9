"""Which accounts no comparison of who posted what could find: fewer than two objects in common with others."""

from __future__ import annotations

import polars as pl

from propgraph.study import Study, unchanged

LEAST = 2


def out_of_reach(study: Study, accounts: pl.Series, /) -> int:
    """Return how many accounts have fewer than two objects that another account posted, too.

    One common object says nothing of acting together: everybody who posts a popular link has one with thousands.

    Parameters
    ----------
    study
        A study that `build` made; all its traces count.
    accounts
        `account_id`, each once; one that is not in the study has no object.
    """
    with unchanged(study):
        common = study.scan("objects").filter(pl.col("n_accounts") >= 2).select("trace", "object_id")
        within = (
            study.scan("shares")
            .filter(pl.col("account_id").is_in(accounts.implode()))
            .select("account_id", "trace", "object_id")
            .unique()
            .join(common, on=["trace", "object_id"], how="semi")
            .group_by("account_id")
            .len()
            .filter(pl.col("len") >= LEAST)
            .collect()
        )
    return accounts.len() - within.height
