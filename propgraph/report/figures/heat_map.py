"""The hours at which a cluster posts, day by day of the week, beside those of accounts as active."""

from __future__ import annotations

import numpy as np
import polars as pl

from propgraph.arrays.types import Float64
from propgraph.missions.shifts import LEAST_ACCOUNTS
from propgraph.report.figures.axes import boxes, drawing, text
from propgraph.report.figures.figure import INK, MARK, MUTED, Figure
from propgraph.report.figures.inputs import SLOTS, week
from propgraph.study import Study
from propgraph.words.said import named, said, tell

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_LEFT, _TOP, _CELL, _TALL, _BETWEEN = 34.0, 24.0, 10.8, 17.0, 32.0
_LEAST_POSTS = 20
_SHADES = 8


def heat_map(study: Study, cluster_id: str, /) -> Figure | None:
    """Draw a cluster's posts by hour of the day and day of the week (UTC), beside those of accounts as active.

    Parameters
    ----------
    study
        A study with clusters.
    cluster_id
        The cluster.

    Returns
    -------
    Figure or None
        None where fewer than twenty posts have times of an hour or finer.
    """
    of = week(study)
    mine = of.members.filter(cluster_id=cluster_id)
    if mine["n"].sum() < _LEAST_POSTS:
        return None
    counts = np.zeros(SLOTS)
    np.add.at(counts, mine["slot"].to_numpy(), mine["n"].to_numpy())
    posts = mine.group_by("account_id").agg(pl.sum("n"))["n"].sort().to_numpy()
    usual = of.usual(posts) if of.pool.size >= LEAST_ACCOUNTS else None
    alt = _alt(counts, usual, posts.size)
    most = max(counts.max(), 0 if usual is None else usual.max())
    parts = _map(counts, _LEFT, most, tell("figure.these", n=posts.size))
    if usual is not None:
        parts += _map(usual, _LEFT + 24 * _CELL + _BETWEEN, most, tell("heat-map.as-active"))
    parts += _legend(most)
    beside = said("heat-map.too-few") if usual is None else said("heat-map.left-and-right")
    caption = tell("heat-map.caption", beside=beside)
    return Figure(drawing(_TOP + 7 * _TALL + 52, parts, alt=alt), alt, caption)


def _map(counts: Float64, left: float, most: float, title: str) -> list[str]:
    """Return one map, cells of like shade as one path."""
    parts = [text(left, 14, title, colour=INK, size=13, bold=True)]
    for k, name in enumerate(_DAYS):
        if left == _LEFT:
            parts.append(text(left - 5, _TOP + k * _TALL + 13, named("short-day", name), anchor="end"))
    shade = np.ceil(counts / most * _SHADES).astype(np.int64)
    for value in range(_SHADES + 1):
        cells = [
            (left + slot % 24 * _CELL, _TOP + slot // 24 * _TALL, _CELL - 0.8, _TALL - 0.8)
            for slot in np.flatnonzero(shade == value).tolist()
        ]
        parts.append(
            boxes(cells, fill=MARK, opacity=value / _SHADES)
            if value
            else boxes(cells, fill=MUTED, opacity=0.1)
        )
    y = _TOP + 7 * _TALL + 13
    hours = (
        text(left + hour * _CELL, y, tell("heat-map.hour", hour=hour), anchor="middle" if hour else "start")
        for hour in range(0, 24, 6)
    )
    return [*parts, *hours]


def _legend(most: float) -> list[str]:
    y = _TOP + 7 * _TALL + 28
    wide = 22.0
    parts = [boxes([(_LEFT, y, wide, 12)], fill=MUTED, opacity=0.1)]
    parts += [
        boxes([(_LEFT + k * wide, y, wide, 12)], fill=MARK, opacity=k / _SHADES)
        for k in range(1, _SHADES + 1)
    ]
    end = _LEFT + (_SHADES + 1) * wide + 6
    return [
        *parts,
        text(end, y + 10, tell("heat-map.legend", n=float(most))),
    ]


def _alt(counts: Float64, usual: Float64 | None, n: int) -> str:
    busiest = int(counts.argmax())
    total = counts.sum()
    where = beside = None
    if usual is not None:
        where = said("heat-map.where-others", n=float(usual[busiest]))
        beside = said("heat-map.of-others", weekend=_weekend(usual), night=_night(usual))
    return tell(
        "heat-map.alt", n_posts=float(total), n=n, day=_DAYS[busiest // 24], hour=busiest % 24,
        most=float(counts.max()), where=where, weekend=_weekend(counts), night=_night(counts), others=beside,
    )  # fmt: skip


def _weekend(counts: Float64) -> float:
    return float(counts.reshape(7, 24)[5:].sum() / counts.sum())


def _night(counts: Float64) -> float:
    return float(counts.reshape(7, 24)[:, :6].sum() / counts.sum())
