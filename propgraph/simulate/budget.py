"""What a campaign of reshares was paid: known, for it is made up; no log says so (that of Veles: `payments`)."""

from __future__ import annotations

import numpy as np
import polars as pl

from propgraph.schema import COUNT, ID
from propgraph.simulate.draws import lognormal
from propgraph.simulate.payments import PROFILE, TASK

#: The median price of a relay's reshare, US dollars: that of an influencer's like.
RELAYED = 0.5


def crowdturf_payments(log: pl.DataFrame, accounts: pl.DataFrame, /) -> pl.DataFrame:
    """Return what was paid: for workers' profiles, for their reshares of the campaign's posts, for those by relays.

    Organisers are the customer's own, and what the hired reshare besides, to look like anybody, nobody pays. Prices are
    drawn by the number of the log's posts, and change nothing in the log.

    Parameters
    ----------
    log, accounts
        As in `crowdturf.CrowdturfLog`.

    Returns
    -------
    pl.DataFrame
        `operator` (`campaign`)`, item` (`profiles, tasks, relays`)`, n` (accounts, posts)`, amount` (in `currency`)`,
        currency`, as in `truth_payments` of `veles.VelesLog`; without campaign or relays, no such row.
    """
    who = {
        role: accounts.filter(pl.col("role") == role).select("account_id")
        for role in ("organiser", "worker", "relay")
    }
    carried = log.filter(pl.col("kind") == "reshare").join(
        who["organiser"], left_on="origin_account_id", right_on="account_id", how="semi"
    )
    n_tasks, n_relayed = (
        carried.join(who[role], on="account_id", how="semi").height for role in ("worker", "relay")
    )
    rng = np.random.default_rng(log.height)
    profiles = lognormal(rng, PROFILE, 0.3, who["worker"].height)
    relayed = lognormal(rng, RELAYED, 0.1, n_relayed)
    rows = [
        ("campaign", "profiles", profiles.size, float(profiles.sum())),
        ("campaign", "tasks", n_tasks, TASK * n_tasks),
        ("campaign", "relays", n_relayed, float(relayed.sum())),
    ]
    table = pl.DataFrame(
        rows if carried.height else [],
        schema={"operator": ID, "item": ID, "n": COUNT, "amount": pl.Float64()},
        orient="row",
    )
    return table.filter(pl.col("n") > 0).with_columns(pl.col("amount").round(2), currency=pl.lit("USD"))
