"""How strongly each account is tied to others, and what cluster it is in: the table `account_scores`."""

from __future__ import annotations

import polars as pl

from propgraph.amplification.relays import Relayed
from propgraph.clusters.judge import Judged
from propgraph.crews.found import Crews
from propgraph.schema import ACCOUNT_SCORES
from propgraph.synchrony.growth import scores_of
from propgraph.synchrony.joint import Joint

_WINDOW_WORTH = 10.0  # orders of magnitude, at most: the window's bound is nominal


def score_accounts(
    *, joint: Joint, crews: Crews, standing: pl.DataFrame, relayed: Relayed, judged: Judged
) -> pl.DataFrame:
    """Return `schema.ACCOUNT_SCORES`, sorted by account.

    Where the window alone speaks for a flagged cluster, the bound on its probability counts, up to a limit; where
    relays do, the account's own p-value in the crew does; where its order does, the tail of that.

    Parameters
    ----------
    joint
        What rank synchrony says of pairs.
    crews
        The crews.
    standing
        How near accounts stand to groups, as from `grow_groups`.
    relayed
        Who stands under whom beyond chance.
    judged
        The clusters and their members.
    """
    scores = with_crew_rates(scores_of(joint.network, standing), crews)
    nominal, in_order, own = (_worth(name) for name in ("nominal_p", "order_tail", "p_value"))
    of = judged.clusters.join(judged.nominal, on="cluster_id").select(
        "cluster_id", "flagged", worth=nominal, in_order=in_order
    )
    inside = judged.members.select("account_id", "cluster_id", "evidence").join(of, on="cluster_id")
    both = scores.join(inside, on="account_id", how="full", coalesce=True).with_columns(
        pl.col("score").fill_null(0.0),
        pl.col("q_value").fill_null(1.0),
        pl.col("n_partners").fill_null(0),
        pl.col("flagged").fill_null(False),
    )
    both = both.join(relayed.members.select("account_id", own=own), on="account_id", how="left")
    by = pl.when("flagged").then("evidence")
    more = (
        pl.when(by == "window")
        .then("worth")
        .when(by == "relays")
        .then("own")
        .when(by == "order")
        .then("in_order")
    )
    total = pl.col("score") + more.fill_null(0.0)
    table = both.with_columns(score=total).select(*ACCOUNT_SCORES.columns)
    return ACCOUNT_SCORES.conform(table).sort("account_id")


def _worth(name: str) -> pl.Expr:
    return (-pl.col(name).fill_null(1.0).clip(1e-300).log10()).clip(0, _WINDOW_WORTH)


def with_crew_rates(scores: pl.DataFrame, crews: Crews, /) -> pl.DataFrame:
    """Return scores by account, the `q_value` no larger than that of the account's crew."""
    of = crews.members.join(crews.crews, on="community").select("account_id", q_crew="q_value")
    return (
        scores.join(of, on="account_id", how="full", coalesce=True)
        .with_columns(
            pl.col("score").fill_null(0.0),
            pl.col("n_partners").fill_null(0),
            q_value=pl.min_horizontal("q_value", "q_crew"),
        )
        .drop("q_crew")
        .sort("account_id")
    )
