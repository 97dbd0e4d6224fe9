"""How strongly each account is tied to others, and what cluster it is in: the table `account_scores`."""

from __future__ import annotations

import polars as pl

from propgraph.clusters.judge import Judged
from propgraph.schema import ACCOUNT_SCORES
from propgraph.synchrony.joint import Joint, scores_of

_WINDOW_WORTH = 10.0  # orders of magnitude, at most: the window's bound is nominal


def score_accounts(*, joint: Joint, standing: pl.DataFrame, judged: Judged) -> pl.DataFrame:
    """Return `schema.ACCOUNT_SCORES`, sorted by account.

    Where the window alone speaks for a flagged cluster, the bound on its probability counts, up to a limit.

    Parameters
    ----------
    joint
        What rank synchrony says of pairs.
    standing
        How near accounts stand to groups, as from `grow_groups`.
    judged
        The clusters and their members.
    """
    scores = scores_of(joint.network, standing)
    surely = -pl.col("p_value").fill_null(1.0).clip(1e-300).log10()
    of = judged.clusters.select("cluster_id", "flagged", worth=surely.clip(0, _WINDOW_WORTH))
    inside = judged.members.select("account_id", "cluster_id", "evidence").join(of, on="cluster_id")
    both = scores.join(inside, on="account_id", how="full", coalesce=True).with_columns(
        pl.col("score").fill_null(0.0),
        pl.col("q_value").fill_null(1.0),
        pl.col("n_partners").fill_null(0),
        pl.col("flagged").fill_null(False),
    )
    by_window = pl.col("flagged") & (pl.col("evidence") == "window")
    total = pl.col("score") + pl.when(by_window).then("worth").otherwise(0.0)
    table = both.with_columns(score=total).select(*ACCOUNT_SCORES.columns)
    return ACCOUNT_SCORES.conform(table).sort("account_id")
