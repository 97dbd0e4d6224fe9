"""Innocent readings that were tried and do not fit a cluster, each with what is missing.

What fits stands in `readings`. A reading that does not fit by these figures may be true all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from propgraph.clusters.baseline import Baseline, Row
from propgraph.clusters.context import OF_ONE_ORIGIN, OF_ONE_SITE
from propgraph.clusters.delays import LEAD_MS, MEETINGS, SAME_S
from propgraph.clusters.readings import (
    ACTIVISTS,
    BREAKING_NEWS,
    FANS,
    HABITS,
    INSTITUTION,
    NO_COMPARISON,
    ONE_HAND,
    ONE_LIST,
    ONE_OUTLET,
)
from propgraph.clusters.timing import ENOUGH
from propgraph.missions.order import AGREEMENT, keeps_order
from propgraph.words.said import Said, said, then

_HALF = 0.5


@dataclass(frozen=True)
class Misfit:
    """One innocent reading that does not fit one cluster.

    Attributes
    ----------
    value, threshold
        What was measured (None: nothing could be), and from where on the reading would fit.
    why_not
        A sentence with its facts.
    """

    value: float | None
    threshold: float | None
    why_not: Said

    def as_columns(self) -> dict[str, object]:
        """Return it as columns of the table `tried_readings`."""
        said_ = self.why_not.as_columns("why_not")
        return {"value": self.value, "threshold": self.threshold, **said_}


def tried_readings(row: Row, base: Baseline, /, *, fit: Collection[str]) -> list[dict[str, object]]:
    """Return the innocent readings that were tried on a cluster and do not fit, as rows of `tried_readings`.

    Parameters
    ----------
    row
        The cluster's figures.
    base
        What is usual in the log.
    fit
        Names of the readings that fit; see `clusters.readings`.
    """
    return [
        {"reading": name, **why(row, base).as_columns()} for name, why in _WHY_NOT.items() if name not in fit
    ]


def _one_outlet(row: Row, base: Baseline) -> Misfit:
    value, inside = row["met_site_share"], row["met_site_inside"] or 0
    threshold = max(OF_ONE_SITE, 2 * (row["met_site_all"] or 0))
    if value is None:
        return Misfit(None, threshold, said("why-not.no-links"))
    if value >= threshold:
        return Misfit(value, threshold, said("why-not.own-site", site=row["met_site"], part=inside))
    return Misfit(
        value,
        threshold,
        said("why-not.one-outlet", part=value, site=row["met_site"], least=min(threshold, 1)),
    )


def _fans(row: Row, base: Baseline) -> Misfit:
    value = row["met_origin_share"]
    key = "why-not.no-origin" if value is None else "why-not.fans"
    return Misfit(value, OF_ONE_ORIGIN, said(key, part=value, least=OF_ONE_ORIGIN))


def _breaking_news(row: Row, base: Baseline) -> Misfit:
    value = row["top_object_share"]
    if value is None:
        return Misfit(None, _HALF, said("why-not.no-window"))
    key = "why-not.own-burst" if value >= _HALF else "why-not.breaking-news"
    return Misfit(value, _HALF, said(key, part=value, n=row["n_objects"] or 0))


def _institution(row: Row, base: Baseline) -> Misfit:
    value, delay, n = row["leader_share"], row["leader_delay_s"], row["n_meetings"] or 0
    if value is None or delay is None or n < MEETINGS:
        return Misfit(value, _HALF, said("why-not.too-few-to-lead"))
    if value < _HALF:
        return Misfit(value, _HALF, said("why-not.nobody-leads", part=value))
    if delay > LEAD_MS / 1000:
        return Misfit(value, _HALF, said("why-not.late-followers", delay=float(round(delay))))
    return Misfit(value, _HALF, said("why-not.first-by-chance", part=value))


def _one_hand(row: Row, base: Baseline) -> Misfit:
    value, spread = row["seconds_share"], row["offset_spread_s"]
    if value is None and spread is None:
        return Misfit(None, _HALF, said("why-not.too-few-to-time"))
    told = [] if value is None else [said("why-not.few-seconds", part=value, seconds=SAME_S)]
    told += [] if spread is None else [said("why-not.delays-vary", spread=float(round(spread, 1)))]
    return Misfit(value, _HALF, said("why-not.no-tool", why=then(*told)))


def _activists(row: Row, base: Baseline) -> Misfit:
    n, size = row["n_declared"] or 0, row["n_accounts"]
    key = "why-not.activists" if n else "why-not.nobody-declared"
    return Misfit(n / size, _HALF, said(key, n=n, n_accounts=size))


def _habits(row: Row, base: Baseline) -> Misfit:
    if n := row["n_synchronised"] or 0:
        return Misfit(None, None, said("why-not.pairs-beyond-habits", n=n))
    if row["p_value"] is not None:
        return Misfit(None, None, said("why-not.group-beyond-habits"))
    usual, raised, window = row["usual_rate"], row["outsider_rate"], row["window_rate"]
    if not usual or not window:
        return Misfit(None, None, said("why-not.no-habits-known"))
    # `habits` fits where habits make for half of it, in orders of magnitude.
    facts = {"raised": raised / usual, "times": window / usual}
    return Misfit(raised / usual, (window / usual) ** 0.5, said("why-not.habits", **facts))


def _one_list(row: Row, base: Baseline) -> Misfit:
    value = row.get("order_agreement")
    if value is None:
        return Misfit(None, AGREEMENT, said("why-not.no-order-seen"))
    key = "why-not.an-order-of-its-own" if keeps_order(row) else "why-not.no-order"
    return Misfit(value, AGREEMENT, said(key, part=value))


def _no_comparison(row: Row, base: Baseline) -> Misfit:
    n = row["n_outsider_pairs"]
    key = "why-not.not-by-window" if n is None else "why-not.no-comparison"
    return Misfit(n, float(ENOUGH), said(key, n=round(n or 0)))


_WHY_NOT: Mapping[str, Callable[[Row, Baseline], Misfit]] = {
    ONE_OUTLET: _one_outlet, FANS: _fans, BREAKING_NEWS: _breaking_news, INSTITUTION: _institution,
    ONE_HAND: _one_hand, ACTIVISTS: _activists, HABITS: _habits, ONE_LIST: _one_list, NO_COMPARISON: _no_comparison,
}  # fmt: skip
