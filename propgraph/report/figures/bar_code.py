"""Who of a cluster shared what: accounts by objects, beside the others who shared most of the same."""

from __future__ import annotations

import polars as pl

from propgraph.report.figures.axes import WIDTH, boxes, drawing, line, text
from propgraph.report.figures.figure import INK, MARK, MUTED, Figure
from propgraph.report.figures.inputs import common
from propgraph.study import Study
from propgraph.words.said import Said, said, tell

_ROWS, _COLUMNS = 60, 120
_LEFT, _TOP, _BETWEEN = 12.0, 26.0, 42.0
_LEAST = 3


def bar_code(study: Study, cluster_id: str, /) -> Figure | None:
    """Draw which member shared which object, objects in the order of time, and the same of others.

    Parameters
    ----------
    study
        A study with clusters.
    cluster_id
        The cluster.

    Returns
    -------
    Figure or None
        None where members have fewer than three objects in common.
    """
    shares = common(study, cluster_id)
    mine = shares.filter(cluster_id=cluster_id)
    objects = mine.group_by("object_id").agg(n=pl.len(), first=pl.min("timestamp"))
    if objects.height < _LEAST:
        return None
    shown = (
        objects.sort("n", "first", "object_id", descending=[True, False, False])
        .head(_COLUMNS)
        .sort("first", "object_id")
        .with_row_index("column")
    )
    window_s = study.scan("clusters").filter(cluster_id=cluster_id).collect()["time_window_s"].item()
    columns = shown.select("object_id", "column")
    members = _near(_ranked(mine.join(columns, on="object_id"), _ROWS), window_s)
    n_rows = members["row"].n_unique()
    others = shares.filter(pl.col("cluster_id").is_null()).join(columns, on="object_id")
    outside = _near(_ranked(others, n_rows), window_s)
    alt = _alt(members, outside, shown, window_s)
    n_members = mine["account_id"].n_unique()
    height, parts = _drawn(members, outside, shown, n_members)
    caption = tell(
        "bar-code.caption", window=window_s,
        others=said("bar-code.no-others") if outside.is_empty() else said("bar-code.below"),
        left_out=_left_out(n_members, objects.height, n_rows, shown.height),
    )  # fmt: skip
    return Figure(drawing(height, parts, alt=alt), alt, caption)


def _ranked(cells: pl.DataFrame, most: int) -> pl.DataFrame:
    """Give accounts their rows, the one with most objects at the top; so many of them at most."""
    rows = (
        cells.group_by("account_id")
        .agg(n=pl.len(), first=pl.min("column"))
        .sort("n", "first", "account_id", descending=[True, False, False])
        .head(most)
        .with_row_index("row")
    )
    return cells.join(rows.select("account_id", "row"), on="account_id")


def _near(cells: pl.DataFrame, window_s: float) -> pl.DataFrame:
    """Tell which of these accounts' first posts of an object lie within the window of another's of them."""
    cells = cells.sort("column", "timestamp", "account_id")
    apart = (pl.col("timestamp").diff().over("column")).dt.total_milliseconds() / 1000
    near = (apart <= window_s).fill_null(False)
    return cells.with_columns(near=near | near.shift(-1, fill_value=False)).sort("row", "column")


def _drawn(
    members: pl.DataFrame, outside: pl.DataFrame, shown: pl.DataFrame, n_members: int
) -> tuple[float, list[str]]:
    n_rows = members["row"].n_unique()
    tall = min(10.0, max(3.5, 170 / n_rows))
    wide = (WIDTH - 2 * _LEFT) / shown.height
    title = (
        tell("figure.these", n=n_rows)
        if n_rows == n_members
        else tell("figure.of-these", n=n_rows, n_all=n_members)
    )
    parts = [text(_LEFT, 15, title, colour=INK, size=13, bold=True)]
    parts += _raster(members, _TOP, wide, tall)
    y = _TOP + n_rows * tall
    parts += [line(_LEFT, y + 3, WIDTH - _LEFT, y + 3), text(_LEFT, y + 17, tell("bar-code.earliest"))]
    parts += [text(WIDTH / 2, y + 17, tell("bar-code.things", n=shown.height), anchor="middle")]
    parts += [text(WIDTH - _LEFT, y + 17, tell("bar-code.latest"), anchor="end")]
    if outside.is_empty():
        return y + 24, parts
    n_others = outside["row"].n_unique()
    top = y + _BETWEEN + 6
    title = tell("bar-code.others", n=n_others)
    parts += [text(_LEFT, top - 8, title, colour=INK, size=13, bold=True)]
    parts += _raster(outside, top, wide, tall)
    bottom = top + n_others * tall
    return bottom + 8, [*parts, line(_LEFT, bottom + 3, WIDTH - _LEFT, bottom + 3)]


def _raster(cells: pl.DataFrame, top: float, wide: float, tall: float) -> list[str]:
    parts = []
    for near, fill, opacity in ((False, MUTED, 0.45), (True, MARK, 1.0)):
        rows = cells.filter(near=near).select("column", "row").rows()
        gap = 0.6 if wide > 3 else 0.0
        places = [(_LEFT + c * wide, top + r * tall, wide - gap, tall - 0.6) for c, r in rows]
        parts.append(boxes(places, fill=fill, opacity=opacity))
    return parts


def _left_out(n_accounts: int, n_objects: int, n_rows: int, n_columns: int) -> Said | None:
    told = []
    if n_rows < n_accounts:
        told.append(said("bar-code.some-accounts", n=n_rows, n_all=n_accounts))
    if n_columns < n_objects:
        told.append(said("bar-code.some-things", n=n_columns, n_all=n_objects))
    return said("bar-code.shown", what=told) if told else None


def _alt(members: pl.DataFrame, outside: pl.DataFrame, shown: pl.DataFrame, window: float) -> str:
    n_rows, n = members["row"].n_unique(), shown.height
    near = int(members["near"].sum())
    if outside.is_empty():
        beside = said("bar-code.no-others")
    else:
        others = outside["row"].n_unique()
        beside = said(
            "bar-code.alt-others", n=others, part=outside.height / (others * n), near=int(outside["near"].sum()),
            window=window,
        )  # fmt: skip
    return tell(
        "bar-code.alt", n_accounts=n_rows, n=n, span=(shown["first"].min(), shown["first"].max()),
        filled=members.height, n_cells=n_rows * n, part=members.height / (n_rows * n), near=near, window=window,
        others=beside,
    )  # fmt: skip
