"""What operators paid for profiles, posts and adverts: the budget that an estimate of costs is held against."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from propgraph.arrays.types import Float64, Int64
from propgraph.schema import COUNT, ID
from propgraph.simulate.boosts import FIRMS
from propgraph.simulate.draws import Rng, lognormal
from propgraph.simulate.farms import recruiters
from propgraph.simulate.operators import Operators
from propgraph.simulate.posts import LINKS, ORIGINAL, Posts
from propgraph.simulate.press import Press

#: A bought profile's median price and a post's, US dollars: some tens of cents, and one.
PROFILE, TASK = 0.35, 0.01


def payments(
    rng: Rng, press: Press, operators: Operators, log: Posts, *, n_seeders: int, adverts: Mapping[str, float]
) -> pl.DataFrame:
    """Return what each operator paid: `operator, item` (`profiles, tasks, adverts`)`, n, amount, currency`.

    A crew that works for two operators was bought by the first of them.

    Parameters
    ----------
    press
        The farms' articles, by operator.
    operators
        Who runs them.
    log
        All posts; those with a recruiter's token are paid.
    n_seeders
        Bought profiles.
    adverts
        What each firm paid for its adverts, US dollars.
    """
    n = operators.n
    buyer = operators.serves.argmax(axis=0)[recruiters(n_seeders)]
    profiles = np.bincount(buyer, minlength=n)
    price = lognormal(rng, PROFILE, 0.3, n_seeders)
    posts = log.article[(log.link >= len(LINKS)) & (log.kind == ORIGINAL)]
    tasks = np.bincount(operators.of_articles(press)[np.searchsorted(press.farm, posts)], minlength=n)
    bought: Float64 = np.bincount(buyer, weights=price, minlength=n).astype(np.float64)
    paid = [
        _lines("profiles", profiles, bought),
        _lines("tasks", tasks, TASK * tasks.astype(np.float64)),
        _lines(
            "adverts", np.ones(n, dtype=np.int64), np.array([adverts.get(firm, 0.0) for firm in FIRMS[:n]])
        ),
    ]
    table = pl.concat(paid).filter(pl.col("amount") > 0)
    return table.with_columns(currency=pl.lit("USD")).sort("operator", "item")


def _lines(item: str, n: Int64, amount: Float64) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "operator": [f"operator{k + 1}" for k in range(n.size)],
            "item": [item] * n.size,
            "n": n,
            "amount": np.round(amount, 2),
        },
        schema={"operator": ID, "item": ID, "n": COUNT, "amount": pl.Float64()},
    )
