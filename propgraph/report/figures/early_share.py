"""A cluster's part in the first shares of cascades, beside its part in all of them."""

from __future__ import annotations

from typing import Any

import polars as pl

from propgraph.report.figures.axes import WIDTH, Scale, clock, day, drawing, line, number, text
from propgraph.report.figures.figure import INK, MARK, MUTED, PAPER, Figure
from propgraph.study import Study
from propgraph.words.said import formatted, said, tell

_LEFT, _RIGHT, _TOP, _ROW = 214.0, 20.0, 58.0, 18.0
_ROWS, _TEN, _HUNDRED = 15, 10, 100


def early_share(study: Study, cluster_id: str, /) -> Figure | None:
    """Draw which part of the first ten and the first hundred posts below each root were members', and of all.

    Parameters
    ----------
    study
        A study with clusters.
    cluster_id
        The cluster.

    Returns
    -------
    Figure or None
        None where members stand in no cascade with ten posts or more below its root.
    """
    row = study.scan("clusters").filter(cluster_id=cluster_id).collect().row(0, named=True)
    touched = (
        study.scan("amplification")
        .filter(pl.col("cluster_id") == cluster_id, pl.col("trace") == row["cascade_trace"])
        .join(
            study.scan("cascades").select("trace", "cascade_id", "start", "size"), on=["trace", "cascade_id"]
        )
        .filter(pl.col("size") > _TEN)
        .sort("n_nodes", "cascade_id", descending=[True, False])
        .collect()
    )
    if touched.is_empty():
        return None
    shown = touched.head(_ROWS).sort("start", "cascade_id")
    alt = _alt(touched, shown)
    some = touched.height > shown.height
    most = said("early-share.most", n=shown.height, n_all=touched.height) if some else None
    caption = tell("early-share.caption", most=most)
    return Figure(drawing(_TOP + shown.height * _ROW + 24, _drawn(shown), alt=alt), alt, caption)


def _drawn(shown: pl.DataFrame) -> list[str]:
    across = Scale(0, 1, _LEFT, WIDTH - _RIGHT)
    bottom = _TOP + shown.height * _ROW
    parts = [text(8, 14, tell("early-share.title"), colour=INK, size=13, bold=True)]
    parts += _legend()
    for k in range(5):
        parts += [f'<g opacity=".3">{line(across(k / 4), _TOP - 6, across(k / 4), bottom)}</g>']
        parts += [text(across(k / 4), bottom + 16, formatted(k / 4, "%"), anchor="middle")]
    years = shown["start"].dt.year().n_unique() > 1
    for k, row in enumerate(shown.to_dicts()):
        y = _TOP + k * _ROW + _ROW / 2
        when = day(row["start"]) if years else clock(row["start"])
        parts += [text(_LEFT - 12, y + 4, tell("early-share.row", when=when, n=row["size"]), anchor="end")]
        parts += _marks(row, across, y)
    return parts


def _marks(row: dict[str, Any], across: Scale, y: float) -> list[str]:
    first, every = across(row["first_10_share"]), across(row["share"])
    parts = [line(first, y, every, y), _bar(every, y)]
    # Up to a hundred posts the first hundred are all.
    if row["size"] - 1 > _HUNDRED:
        parts.append(_circle(across(row["first_100_share"]), y, full=False))
    return [*parts, _circle(first, y, full=True)]


def _circle(x: float, y: float, *, full: bool) -> str:
    fill = MARK if full else PAPER
    return f'<circle cx="{number(x)}" cy="{number(y)}" r="4.5" fill="{fill}" stroke="{MARK}" stroke-width="1.6"/>'


def _bar(x: float, y: float) -> str:
    return f'<path d="M{number(x)} {number(y - 6)}v12" stroke="{MUTED}" stroke-width="3"/>'


def _legend() -> list[str]:
    y = 34.0
    return [
        _circle(_LEFT + 4, y, full=True), text(_LEFT + 14, y + 4, tell("early-share.first-10")),
        _circle(_LEFT + 130, y, full=False), text(_LEFT + 140, y + 4, tell("early-share.first-100")),
        _bar(_LEFT + 262, y), text(_LEFT + 270, y + 4, tell("early-share.of-all")),
    ]  # fmt: skip


def _alt(touched: pl.DataFrame, shown: pl.DataFrame) -> str:
    many = touched.height
    ahead = touched.filter(pl.col("first_10_share") > pl.col("share")).height
    first, every = touched.select(pl.mean("first_10_share", "share")).row(0)
    best = shown.sort("first_10_share", "cascade_id", descending=[True, False]).row(0, named=True)
    most = (
        said("early-share.at-most", part=best["first_10_share"], moment=best["start"])
        if best["first_10_share"]
        else said("early-share.none-of-ten")
    )
    return tell("early-share.alt", n=many, least=_TEN, first=first, part=every, n_ahead=ahead, most=most)
