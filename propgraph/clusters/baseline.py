"""What accounts outside every cluster do in a log: what the rules compare clusters with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from propgraph.options import ClusterOptions
from propgraph.readers.times.coarse import told_apart
from propgraph.study import Study

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Baseline:
    """What accounts outside every cluster do in this log (null where the log cannot tell).

    Attributes
    ----------
    original_share
        Originals over all their posts, 0..1.
    typical_targets
        Median number of groups that an account which posts into groups posts into.
    site_share
        For each site its fraction of all links in the log, 0..1.
    window_s
        The window of the study's edges in seconds.
    q
        False discovery rate (0..1) of the pairs that are called synchronised.
    seed
        For the draws of accounts.
    """

    original_share: float | None
    typical_targets: float | None
    site_share: Mapping[str, float]
    window_s: float
    q: float
    seed: int

    def window_of(self, row: Row) -> float:
        """Return the window (s) of a cluster: the study's, or a wider one that it was found in."""
        return float(row.get("time_window_s") or self.window_s)

    def effective_s(self, row: Row) -> float:
        """Return the effective window (s): the larger of the window and the resolution of the times of a cluster."""
        return max(self.window_of(row), row["time_resolution_s"] or 0.0)

    def nearby(self, row: Row) -> str:
        """Return how near two posts in the window are, in words: `within 60 s`, or `on the same day`."""
        return told_apart(self.window_of(row), row["time_resolution_s"])


def baseline_of(
    study: Study, members: pl.DataFrame, links: pl.DataFrame, /, *, window_s: float, options: ClusterOptions
) -> Baseline:
    """Return what accounts outside every cluster do in a study.

    Parameters
    ----------
    study
        The study.
    members
        `account_id` of those in a cluster.
    links
        All links of the log: `site` among other columns.
    window_s
        The window in seconds.
    options
        How clusters were looked for.
    """
    others = study.scan("posts").join(members.lazy(), on="account_id", how="anti")
    original = others.unique("content_id").select((pl.col("kind") == "original").mean()).collect().item()
    groups = others.drop_nulls("target_id").group_by("account_id").agg(n=pl.col("target_id").n_unique())
    return Baseline(
        original_share=original,
        typical_targets=groups.select(pl.col("n").median()).collect().item(),
        site_share=_site_shares(links),
        window_s=window_s,
        q=options.q,
        seed=options.seed,
    )


def _site_shares(links: pl.DataFrame) -> dict[str, float]:
    counts = links.group_by("site").len()
    return {site: n / links.height for site, n in counts.iter_rows()}
