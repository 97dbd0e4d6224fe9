"""When a cluster's accounts were opened, beside all others of the log; lots are marked."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl

from propgraph.clusters.lots import lot_of
from propgraph.report.figures.axes import (
    WIDTH,
    Scale,
    boxes,
    count_axis,
    drawing,
    line,
    text,
    time_axis,
)
from propgraph.report.figures.figure import INK, MARK, MUTED, Figure
from propgraph.study import Study
from propgraph.words.said import said, tell

_LEFT, _RIGHT, _TOP, _TALL, _BETWEEN = 50.0, 12.0, 72.0, 84.0, 40.0
_WIDTHS = (("1d", "day"), ("1w", "week"), ("1mo", "month"), ("3mo", "quarter"), ("1y", "year"))
Lot = tuple[date, date, int]
_MOST, _LEAST, _LEAST_OTHERS = 130, 3, 10
_LOTS, _EARLY = 3, 0.005


def creation(study: Study, cluster_id: str, /) -> Figure | None:
    """Draw when a cluster's accounts were opened, with the lots found among them, above all others of the log.

    Parameters
    ----------
    study
        A study with clusters.
    cluster_id
        The cluster.

    Returns
    -------
    Figure or None
        None where the dates of fewer than three members, or ten others, are known.
    """
    made = study.accounts.filter(pl.col("created_at").is_not_null()).select("account_id", "created_at")
    members = study.members.filter(cluster_id=cluster_id).select("account_id")
    own = made.join(members, on="account_id", how="semi")["created_at"].sort()
    others = made.join(members, on="account_id", how="anti")["created_at"].sort()
    if len(own) < _LEAST or len(others) < _LEAST_OTHERS:
        return None
    # A handful of impossible dates is not to squeeze all others.
    low = min(own[0], others[int(len(others) * _EARLY)])
    shown = others.filter(others >= low)
    high = max(own[-1], shown[-1])
    width, unit = _unit(low, high)
    row = study.scan("clusters").filter(cluster_id=cluster_id).collect().row(0, named=True)
    lots = list(map(lot_of, row["lots"] or []))
    alt = _alt(own, shown, lots, members.height)
    parts = _drawn((own, shown), (low, high), width, unit, lots)
    early = len(others) - len(shown)
    caption = tell(
        "creation.caption", unit=unit, n=len(own), n_all=members.height, n_others=len(others),
        lots=said("creation.triangles") if lots else None,
        early=said("creation.before", n=early) if early else None,
    )  # fmt: skip
    return Figure(drawing(_TOP + 2 * _TALL + _BETWEEN + 26, parts, alt=alt), alt, caption)


def _unit(low: datetime, high: datetime) -> tuple[str, str]:
    fit = (one for one in _WIDTHS if pl.datetime_range(low, high, one[0], eager=True).len() <= _MOST)
    return next(fit, _WIDTHS[-1])


def _drawn(
    dates: tuple[pl.Series, pl.Series], span: tuple[datetime, datetime], width: str, unit: str,
    lots: list[Lot],
) -> list[str]:  # fmt: skip
    edges = pl.datetime_range(
        pl.Series([span[0]]).dt.truncate(width)[0],
        pl.Series([span[1]]).dt.offset_by(width)[0],
        width,
        eager=True,
    )
    across = Scale(edges[0].timestamp(), edges[-1].timestamp(), _LEFT, WIDTH - _RIGHT)
    parts = [text(_LEFT, 14, tell("creation.these", unit=unit), colour=INK, size=13, bold=True)]
    parts += _panel(dates[0], edges, across, width, _TOP, fill=MARK, opacity=1)
    parts += _lots_marked(lots, across)
    top = _TOP + _TALL + _BETWEEN
    parts.append(text(_LEFT, top - 12, tell("creation.others", unit=unit), colour=INK, size=13, bold=True))
    parts += _panel(dates[1], edges, across, width, top, fill=MUTED, opacity=0.5)
    return parts + time_axis(across, top + _TALL)


def _lots_marked(lots: list[Lot], across: Scale) -> list[str]:
    """Return a triangle for each lot, and the sizes of the largest."""
    middle = [across((_seconds(first) + _seconds(last)) / 2) for first, last, _ in lots]
    parts = [f'<path d="M{x - 4:.1f} {_TOP - 9:.1f}h8l-4 7z" fill="{INK}"/>' for x in middle]
    # The words stand on the side with more room, and so that no stem goes through them.
    right = sorted((x, k) for k, x in enumerate(middle[:_LOTS]) if x > WIDTH / 2)
    left = sorted(((x, k) for k, x in enumerate(middle[:_LOTS]) if x <= WIDTH / 2), reverse=True)
    for row, (x, k) in enumerate(right + left):
        y = _TOP - 12 - 13.5 * row
        side, away = ("end", -6) if x > WIDTH / 2 else ("start", 6)
        first, last, n = lots[k]
        parts.append(
            text(x + away, y, tell("creation.lot", n=n, span=(first, last)), anchor=side, colour=INK)
        )
        parts.append(line(x, y - 8, x, _TOP - 9, colour=INK))
    return parts


def _panel(
    dates: pl.Series, edges: pl.Series, across: Scale, width: str, top: float, *, fill: str, opacity: float
) -> list[str]:
    counts = dict(dates.dt.truncate(width).value_counts().rows())
    up = Scale(0, max(counts.values()), top + _TALL, top)
    places = []
    for start, end in zip(edges[:-1].to_list(), edges[1:].to_list(), strict=True):
        n, x = counts.get(start, 0), across(start.timestamp())
        places.append((x, up(n), max((across(end.timestamp()) - x) * 0.9, 1.0), up(0) - up(n)))
    y = top + _TALL
    axis = count_axis(up, left=_LEFT, right=WIDTH - _RIGHT, most=3)
    return [*axis, boxes(places, fill=fill, opacity=opacity), line(_LEFT, y, WIDTH - _RIGHT, y)]


def _seconds(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


def _alt(own: pl.Series, others: pl.Series, lots: list[Lot], n: int) -> str:
    found = [said("creation.alt-lot", n=size, span=(first, last)) for first, last, size in lots]
    return tell(
        "creation.alt", n=len(own), n_all=n, half=_half(own), span=(own[0], own[-1]), n_others=len(others),
        half_of_others=_half(others), lots=said("creation.lots", lots=found) if found else said("creation.no-lots"),
    )  # fmt: skip


def _half(dates: pl.Series) -> tuple[datetime, datetime]:
    """Return the middle half of dates."""
    return dates[len(dates) // 4], dates[(3 * len(dates)) // 4]
