"""What is usual in a log as a whole: what some rules compare clusters with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from propgraph.options import ClusterOptions
from propgraph.words.said import Said, said

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Baseline:
    """What is usual in this log.

    Attributes
    ----------
    site_share
        For each site its fraction of all links in the log, 0..1.
    window_s
        The window of the study's edges in seconds.
    q
        False discovery rate (0..1) of the pairs that are called synchronised.
    """

    site_share: Mapping[str, float]
    window_s: float
    q: float

    def window_of(self, row: Row) -> float:
        """Return the window (s) of a cluster: the study's, or a wider one that it was found in."""
        return float(row.get("time_window_s") or self.window_s)

    def effective_s(self, row: Row) -> float:
        """Return the effective window (s): the larger of the window and the resolution of the times of a cluster."""
        return max(self.window_of(row), row["time_resolution_s"] or 0.0)

    def nearby(self, row: Row) -> Said:
        """Return how near two posts in the window are: `within 60 s`, or `on the same day`."""
        return told_apart(self.window_of(row), row["time_resolution_s"])


_STEPS: Mapping[float, str] = {
    86_400: "words.same-day",
    3600: "words.same-hour",
    60: "words.same-minute",
    1: "words.same-second",
}


def told_apart(time_window: float, resolution_s: float | None, /) -> Said:
    """Return how near two posts in the window are: `within 60 s`, `within 10 minutes`, `on the same day`.

    Parameters
    ----------
    time_window
        Seconds.
    resolution_s
        How fine the times are, in seconds; None or 0 where nobody knows.
    """
    if not resolution_s or resolution_s < 1 or time_window >= resolution_s:
        return said("words.within", seconds=time_window)
    return said(_STEPS.get(resolution_s, "words.same-span"), seconds=resolution_s)


def baseline_of(links: pl.DataFrame, /, *, window_s: float, options: ClusterOptions) -> Baseline:
    """Return what is usual in a log.

    Parameters
    ----------
    links
        All links of the log: `site` among other columns.
    window_s
        The window in seconds.
    options
        How clusters were looked for.
    """
    return Baseline(site_share=_site_shares(links), window_s=window_s, q=options.q)


def _site_shares(links: pl.DataFrame) -> dict[str, float]:
    counts = links.group_by("site").len()
    return {site: n / links.height for site, n in counts.iter_rows()}
