"""One cascade as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import igraph
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from propgraph.arrays.types import Float64, Int64
from propgraph.export.tables import whole_file
from propgraph.export.text import clean_terminal
from propgraph.export.tree_text import figures
from propgraph.trees import Tree

MAX_DRAWN = 20_000
"""Posts that a picture shows at most, the first in time."""

_PAPER, _INK, _FAINT = (252, 252, 250), (40, 44, 52), (120, 124, 132)
_ROOT = (213, 94, 0)
# From the first posts to the last: dark blue, green, yellow (viridis), darkened at its light end.
_RAMP = np.array([(68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (224, 196, 32)], float)


def write_tree_png(path: str | Path, tree: Tree, /, *, width: int = 1600) -> int:
    """Draw a cascade: the root in the middle of its generations, small ones from the top down.

    Parameters
    ----------
    path
        The file; one that exists is replaced.
    tree
        The cascade.
    width
        Pixels; the height is the same and a caption's.

    Returns
    -------
    Posts drawn: all, or the first `MAX_DRAWN` in time, as the caption then says.

    Raises
    ------
    UsageError
        When `path` is a folder or lies in none.
    """
    n = min(tree.parent.size, MAX_DRAWN)
    parent = tree.parent[:n].copy()
    parent[1:] = np.where(parent[1:] < n, parent[1:], 0)
    scale, caption = 2, 110
    side = width * scale
    place = _places(parent, radial=n > 60) * (0.455 * side) + side / 2
    image = Image.new("RGB", (side, side + caption * scale), _PAPER)
    draw = ImageDraw.Draw(image)
    delay = tree.nodes["delay_s"].head(n).fill_null(0.0).clip(lower_bound=0.0).to_numpy()
    when = np.argsort(np.argsort(delay, kind="stable"), kind="stable") / max(n - 1, 1)
    colours = np.stack([np.interp(when, np.linspace(0, 1, 5), _RAMP[:, c]) for c in range(3)], 1).astype(int)
    inferred = tree.nodes["parent_source"].head(n).str.starts_with("inferred").fill_null(True).to_list()
    _draw_tree(draw, place, parent, colours=colours, inferred=inferred, scale=scale)
    _caption(draw, tree, drawn=n, top=side, scale=scale, width=width)
    small = image.resize((width, width + caption), Image.Resampling.LANCZOS)
    with whole_file(path) as file:
        small.save(file, format="PNG", optimize=True)
    return n


def _places(parent: Int64, *, radial: bool) -> Float64:
    """Return igraph's layout of a tree, within -1..1."""
    n = parent.size
    if n == 1:
        return np.zeros((1, 2))
    graph = igraph.Graph(n=n, edges=np.column_stack([parent[1:], np.arange(1, n)]).tolist(), directed=True)
    kind = "reingold_tilford_circular" if radial else "reingold_tilford"
    place = np.array(graph.layout(kind, root=[0], mode="out").coords)
    if radial:
        place -= place[0]
        ring = np.hypot(place[:, 0], place[:, 1])
        place *= (np.maximum(ring, 1e-9) ** -0.4)[:, None]  # the inner rings, where most is, get more room
        low, high = place.min(0), place.max(0)
        return np.asarray(2 * (place - (low + high) / 2) / max(float((high - low).max()), 1e-9))
    low, high = place.min(0), place.max(0)
    spread = high > low
    return np.asarray(np.where(spread, 2 * (place - low) / np.where(spread, high - low, 1) - 1, 0))


def _draw_tree(
    draw: ImageDraw.ImageDraw,
    place: Float64,
    parent: Int64,
    *,
    colours: npt.NDArray[Any],
    inferred: list[bool],
    scale: int,
) -> None:
    n = parent.size
    strong = 0.5 if n < 2000 else 0.3
    for row in range(1, n):
        light = strong * (0.5 if inferred[row] else 1.0)
        mixed = tuple((light * colours[row] + (1 - light) * np.array(_PAPER)).astype(int).tolist())
        line = [tuple(place[parent[row]].tolist()), tuple(place[row].tolist())]
        draw.line(line, fill=mixed, width=scale * (2 if n < 400 else 1))
    below = np.bincount(parent[1:], minlength=n)
    smallest = float(np.clip(90 / np.sqrt(n), 1.5, 9))
    for row in np.argsort(below[1:], kind="stable") + 1:
        radius = scale * min(smallest * (1 + 0.35 * np.log2(1 + below[row])), smallest + 14)
        _dot(draw, place[row], radius, tuple(colours[row].tolist()))
    _dot(draw, place[0], scale * max(smallest + 5, 11), _PAPER)
    _dot(draw, place[0], scale * max(smallest + 3, 9), _ROOT)


def _dot(draw: ImageDraw.ImageDraw, at: Float64, radius: float, fill: tuple[int, ...]) -> None:
    x, y = at.tolist()
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)


def _caption(draw: ImageDraw.ImageDraw, tree: Tree, *, drawn: int, top: int, scale: int, width: int) -> None:
    big, small = ImageFont.load_default(22 * scale), ImageFont.load_default(17 * scale)
    left, all_posts = 40 * scale, tree.parent.size
    draw.text((left, top), clean_terminal(tree.cascade["cascade_id"], width=width // 14), _INK, font=big)
    draw.text((left, top + 34 * scale), figures(tree.cascade), _INK, font=small)
    key = "orange: the root; dark to light: the order of the posts; pale lines: parents inferred"
    if drawn < all_posts:
        key = f"the first {drawn:,} of {all_posts:,} posts; {key}"
    draw.text((left, top + 62 * scale), key, _FAINT, font=small)
