"""The map of who met whom: flagged clusters drawn, everybody else as a picture behind them."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO

import numpy as np
import polars as pl
from PIL import Image, ImageDraw

from propgraph.arrays.types import Float64
from propgraph.export.network import network_tables
from propgraph.report.figures.axes import WIDTH, drawing, number, text
from propgraph.report.figures.figure import INK, PAPER, Figure, hue
from propgraph.study import Study
from propgraph.words.said import said, tell

_MARGIN, _LEAST_R, _MOST_R = 14.0, 1.3, 24.0
_CIRCLES, _LABELS, _EDGES = 1800, 24, 20_000
_BYTES = 145_000  # of the whole figure
_TOLD = 6
# Of the picture: how clear its grey is, by what is drawn: nothing, edges, accounts in no cluster, in one not flagged.
_CLEAR = bytes((0, 60, 130, 210))
_GREY = 128
Dot = tuple[float, float, float, str | None]


def network_map(study: Study, /, *, least_accounts: int = 1) -> Figure | None:
    """Draw the co-sharing network: members of flagged clusters as circles over a grey picture of all others.

    Parameters
    ----------
    study
        A study with clusters.
    least_accounts
        Smaller clusters are drawn like those that are not flagged.

    Returns
    -------
    Figure or None
        None where nobody met anybody. Each circle carries its cluster as `data-cluster`.
    """
    nodes, edges = network_tables(study)
    if nodes.is_empty():
        return None
    flagged = study.clusters.filter("flagged", pl.col("n_accounts") >= least_accounts)["cluster_id"].to_list()
    placed, height = _placed(nodes)
    of_flagged = placed.filter(pl.col("cluster").is_in(flagged))
    drawn = (
        of_flagged.with_columns(rank=pl.col("r").rank("ordinal", descending=True).over("cluster"))
        .sort("rank", "cluster", "id")
        .head(_CIRCLES)
    )
    circles = [_group(drawn, name, hue(k)) for k, name in enumerate(flagged)]
    room = _BYTES - sum(map(len, circles))
    behind = _picture(
        placed.join(drawn, on="id", how="anti", maintain_order="left"), placed, edges, height, room
    )
    alt = _alt(placed, of_flagged, flagged)
    missing = [name for name in flagged if name not in set(of_flagged["cluster"])]
    n_weak = of_flagged.height - drawn.height
    caption = tell(
        "map.caption",
        lines=said("map.strongest", n=_EDGES, n_all=edges.height) if edges.height > _EDGES else None,
        missing=said("map.missing", clusters=missing[:_LABELS]) if missing else None,
        weak=said("map.weaker", n=n_weak) if n_weak else None,
    )
    return Figure(drawing(height, [behind, *circles, *_labels(drawn, flagged)], alt=alt), alt, caption)


def _placed(nodes: pl.DataFrame) -> tuple[pl.DataFrame, float]:
    """Return the nodes with their place and radius in the drawing, and how high that is."""
    x, y, size = (nodes[name].to_numpy() for name in ("x", "y", "size"))
    left, top = (x - size).min(), (y - size).min()
    scale = (WIDTH - 2 * _MARGIN) / max((x + size).max() - left, 1.0)
    height = max(((y + size).max() - top) * scale, 60.0) + 2 * _MARGIN
    return nodes.select(
        "id", "cluster", "flagged",
        x=pl.Series((x - left) * scale + _MARGIN), y=pl.Series((y - top) * scale + _MARGIN),
        r=pl.Series(np.clip(size * scale, _LEAST_R, _MOST_R)),
    ), min(height, 2 * WIDTH)  # fmt: skip


def _group(drawn: pl.DataFrame, name: str, colour: str) -> str:
    rows = drawn.filter(cluster=name).select("x", "y", "r").rows()
    circles = "".join(
        f'<circle data-cluster="{name}" cx="{number(x)}" cy="{number(y)}" r="{number(r)}"/>'
        for x, y, r in rows
    )
    return f'<g fill="{colour}" stroke="{INK}" stroke-width=".4">{circles}</g>'


def _labels(drawn: pl.DataFrame, flagged: list[str]) -> list[str]:
    """Return the names of the first clusters above them, where no other name stands."""
    parts: list[str] = []
    taken: list[tuple[float, float]] = []
    for name in flagged[:_LABELS]:
        rows = drawn.filter(cluster=name)
        if rows.is_empty():
            continue
        x = float(rows.select((pl.min("x") + pl.max("x")) / 2).item())
        y = max(float(rows.select((pl.col("y") - pl.col("r")).min()).item()) - 3, 11.0)
        if all(abs(x - a) > 8 * len(name) or abs(y - b) > 12 for a, b in taken):
            taken.append((x, y))
            parts.append(text(x, y, name, anchor="middle", colour=INK, bold=True))
    return [
        f'<g stroke="{PAPER}" stroke-width="3" paint-order="stroke" pointer-events="none">{"".join(parts)}</g>'
    ]


def _picture(grey: pl.DataFrame, placed: pl.DataFrame, edges: pl.DataFrame, height: float, room: int) -> str:
    """Return the grey picture as an element of so many bytes at most: as sharp as fits."""
    ends = edges.sort("weight", "source", "target", descending=[True, False, False]).head(_EDGES)
    place = placed.select("id", "x", "y")
    lines = (
        ends.select("source", "target")
        .join(place, left_on="source", right_on="id", maintain_order="left")
        .join(place, left_on="target", right_on="id", suffix="_to", maintain_order="left")
        .select("x", "y", "x_to", "y_to")
        .to_numpy()
    )
    dots = grey.select("x", "y", "r", "cluster").sort(pl.col("cluster").is_not_null(), "x", "y").rows()
    for sharp in (2.0, 1.5, 1.0, 0.6, 0.3):
        data = b64encode(_png(lines, dots, height, sharp)).decode()
        if len(data) <= room:
            break
    return f'<image width="{number(WIDTH)}" height="{number(height)}" href="data:image/png;base64,{data}"/>'


def _png(lines: Float64, dots: list[Dot], height: float, sharp: float) -> bytes:
    image = Image.new("P", (round(WIDTH * sharp), round(height * sharp)), 0)
    image.putpalette([_GREY] * 3 * len(_CLEAR))
    pen = ImageDraw.Draw(image)
    for line in (lines * sharp).tolist():
        pen.line(line, fill=1)
    for x, y, r, cluster in dots:
        box = [(x - r) * sharp, (y - r) * sharp, (x + r) * sharp, (y + r) * sharp]
        pen.ellipse(box, fill=2 if cluster is None else 3)
    file = BytesIO()
    image.save(file, "png", transparency=_CLEAR, bits=2, optimize=True)
    return file.getvalue()


def _alt(placed: pl.DataFrame, of_flagged: pl.DataFrame, flagged: list[str]) -> str:
    if not flagged:
        return tell("map.alt-none", n=placed.height)
    sizes = dict(of_flagged.group_by("cluster").len().rows())
    there = [name for name in flagged if name in sizes]
    some = [said("map.cluster", cluster=name, n=sizes[name]) for name in there[:_TOLD]]
    return tell(
        "map.alt", n=placed.height, n_flagged=of_flagged.height, part=of_flagged.height / placed.height,
        n_clusters=len(there), clusters=some,
    )  # fmt: skip
