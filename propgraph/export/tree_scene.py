"""One cascade as lines, dots and words with a place each, whatever draws them (see `tree_picture`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import igraph
import numpy as np
import polars as pl

from propgraph.arrays.types import Float64, Int64
from propgraph.export.text import clean_terminal
from propgraph.export.tree_text import figures, human
from propgraph.trees import Tree

MAX_DRAWN = 20_000
"""Posts that a picture shows at most, the first in time."""
RADIAL = 60
"""Trees of more posts are laid out in rings around the root."""
CAPTION = 170
"""Height of the words below a tree of width 1600."""

Colour = tuple[int, int, int]
PAPER: Colour = (252, 252, 250)
_INK: Colour = (40, 44, 52)
_FAINT: Colour = (100, 104, 112)
ROOT: Colour = (0, 0, 0)
# From the first posts to the last: dark blue, green, yellow (viridis), darkened at its light end.
_RAMP = np.array([(68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (224, 196, 32)], float)
_NAMED, _NAME = 8, 28
_LETTER = 0.56  # width of a letter in sizes of the font, on average
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Line:
    """A line from `start` to `end`."""

    start: tuple[float, float]
    end: tuple[float, float]
    colour: Colour
    width: float


@dataclass(frozen=True)
class Dot:
    """A disc, or a ring where `ring` says how broad its line is; `row` is its post's."""

    at: tuple[float, float]
    radius: float
    colour: Colour
    ring: float = 0.0
    row: int | None = None


@dataclass(frozen=True)
class Words:
    """A line of text whose upper left corner is at `at`; `halo` sets it off from what lies below."""

    at: tuple[float, float]
    text: str
    size: float
    colour: Colour
    halo: bool = False


@dataclass
class Scene:
    """What is drawn, from the bottom up, in a frame from (0, 0) to (`width`, `height`)."""

    width: float
    height: float
    drawn: int
    shapes: list[Line | Dot | Words] = field(default_factory=list)


def scene(tree: Tree, marks: pl.DataFrame, /, *, width: int = 1600) -> Scene:
    """Lay a cascade out: the root in the middle of its generations, small ones from the top down.

    Parameters
    ----------
    tree
        The cascade.
    marks
        As `tree_marks` returns them: posts of flagged clusters' members get a ring in the cluster's colour.
    width
        Of the picture; a caption comes below its square.
    """
    n = min(tree.parent.size, MAX_DRAWN)
    parent = tree.parent[:n].copy()
    parent[1:] = np.where(parent[1:] < n, parent[1:], 0)
    place = places(parent) * (0.455 * width) + width / 2
    made = Scene(width, round(width * (1 + CAPTION / 1600)), n)
    colours = by_time(tree)[:n]
    size = radii(parent)
    _add_edges(made, tree, place=place, parent=parent, colours=colours)
    _add_dots(made, place=place, size=size, colours=colours, marks=marks)
    _add_names(made, tree, place=place, size=size, parent=parent)
    _add_caption(made, tree, marks.head(n))
    return made


def places(parent: Int64) -> Float64:
    """Return igraph's layout of a tree, within -1..1; large ones in rings around the root."""
    n = parent.size
    if n == 1:
        return np.zeros((1, 2))
    radial = n > RADIAL
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


def by_time(tree: Tree, /) -> Int64:
    """Return a colour for each post, int64[n, 3]: from the first to the last."""
    delay = _delays(tree)
    when = np.argsort(np.argsort(delay, kind="stable"), kind="stable") / max(delay.size - 1, 1)
    return _ramp(when)


def radii(parent: Int64, /) -> Float64:
    """Return the radius of each post's dot: larger the more posts were made of it."""
    n = parent.size
    below = np.bincount(parent[1:], minlength=n)
    smallest = float(np.clip(90 / np.sqrt(n), 1.5, 9))
    size = np.minimum(smallest * (1 + 0.35 * np.log2(1 + below)), smallest + 14)
    size[0] = max(size[0], smallest + 3, 9)
    return np.asarray(size)


def _delays(tree: Tree) -> Float64:
    return tree.nodes["delay_s"].fill_null(0.0).clip(lower_bound=0.0).to_numpy()


def _ramp(when: Float64) -> Int64:
    return np.stack([np.interp(when, np.linspace(0, 1, 5), _RAMP[:, c]) for c in range(3)], 1).astype(
        np.int64
    )


def _rgb(values: Sequence[int]) -> Colour:
    r, g, b = values
    return int(r), int(g), int(b)


def _at(place: Float64) -> tuple[float, float]:
    return float(place[0]), float(place[1])


def _add_edges(made: Scene, tree: Tree, *, place: Float64, parent: Int64, colours: Int64) -> None:
    n = parent.size
    inferred = tree.nodes["parent_source"].head(n).str.starts_with("inferred").fill_null(True).to_numpy()
    light = (0.5 if n < 2000 else 0.3) * np.where(inferred, 0.5, 1.0)[:, None]
    mixed = (light * colours + (1 - light) * np.array(PAPER)).astype(np.int64)
    made.shapes += [
        Line(_at(place[parent[row]]), _at(place[row]), _rgb(mixed[row]), 2 if n < 400 else 1)
        for row in range(1, n)
    ]


def _add_dots(made: Scene, *, place: Float64, size: Float64, colours: Int64, marks: pl.DataFrame) -> None:
    rings = dict(zip(marks["row"], marks.select("r", "g", "b").rows(), strict=True))
    for row in [*(np.argsort(size[1:], kind="stable") + 1).tolist(), 0]:
        at, radius = _at(place[row]), float(size[row])
        fill = ROOT if row == 0 else _rgb(colours[row])
        if row in rings:
            broad = max(radius * 0.5, 2.5)
            made.shapes.append(Dot(at, radius + 1.5 * broad + 1, PAPER))
            made.shapes.append(Dot(at, radius + broad + 1, rings[row], ring=broad))
        elif row == 0:
            made.shapes.append(Dot(at, radius + 2, PAPER))
        made.shapes.append(Dot(at, radius, fill, row=row))
    # No hue is left that neither a time nor a cluster has: the root is hollow.
    made.shapes.append(Dot(_at(place[0]), float(size[0]) * 0.55, PAPER, row=0))


def _add_names(made: Scene, tree: Tree, *, place: Float64, size: Float64, parent: Int64) -> None:
    """Name the root and those of whose posts most others were made, as far as there is room."""
    below = np.bincount(parent[1:], minlength=parent.size)
    most = [row for row in np.argsort(-below, kind="stable").tolist() if row and below[row] > 1]
    taken: list[tuple[float, float, float, float]] = []
    font = made.width / 84
    for row in [0, *most[: _NAMED - 1]]:
        name = tree.nodes["name"][row] or tree.nodes["account_id"][row] or ""
        text = clean_terminal(name, width=_NAME)
        if not text.strip():
            continue
        long, (x, y) = _LETTER * font * len(text), _at(place[row])
        # At the right edge the name stands to the left of its dot.
        left = x + size[row] + 5 if x + size[row] + 5 + long < made.width else x - size[row] - 5 - long
        box = (left, y - 0.7 * font, left + long, y + 0.7 * font)
        if any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in taken):
            continue
        taken.append(box)
        made.shapes.append(Words((left, y - 0.6 * font), text, font, _INK, halo=True))


def _add_caption(made: Scene, tree: Tree, marks: pl.DataFrame) -> None:
    left, top, unit = made.width / 40, made.width, made.width / 1600
    title = clean_terminal(tree.cascade["cascade_id"], width=int(made.width / (unit * 14)))
    made.shapes.append(Words((left, top), title, 22 * unit, _INK))
    made.shapes.append(Words((left, top + 34 * unit), figures(tree.cascade), 17 * unit, _INK))
    key = "hollow: the root; pale lines: parents inferred; names: whose posts most others were made of"
    if made.drawn < tree.parent.size:
        key = f"the first {made.drawn:,} of {tree.parent.size:,} posts; {key}"
    made.shapes.append(Words((left, top + 62 * unit), key, 15 * unit, _FAINT))
    _add_time(made, _delays(tree), left=left, top=top + 92 * unit)
    _add_clusters(made, marks, left=left + 560 * unit, top=top + 92 * unit)


def _add_time(made: Scene, delay: Float64, *, left: float, top: float) -> None:
    """Add the scale of the colours: after how long so many of the posts were there."""
    unit = made.width / 1600
    long, steps = 480 * unit, 120
    colours = _ramp(np.linspace(0, 1, steps))
    for k in range(steps):
        start, end = (left + long * j / steps for j in (k, k + 1))
        at = top + 7 * unit
        # A little too long, or a renderer leaves gaps.
        made.shapes.append(Line((start, at), (end + 0.5 * unit, at), _rgb(colours[k]), 14 * unit))
    for part, after in zip(_TICKS, np.quantile(delay, _TICKS, method="lower"), strict=True):
        x = left + long * part
        made.shapes.append(Line((x, top + 14 * unit), (x, top + 20 * unit), _FAINT, unit))
        made.shapes.append(Words((x - 14 * unit, top + 22 * unit), human(float(after)), 14 * unit, _FAINT))
    told = "after the root, when none, a quarter, half, three quarters and all of the posts were there"
    made.shapes.append(Words((left, top + 44 * unit), told, 13 * unit, _FAINT))


def _add_clusters(made: Scene, marks: pl.DataFrame, *, left: float, top: float) -> None:
    """Add which cluster has which colour, those with most posts first."""
    if marks.is_empty():
        return
    unit = made.width / 1600
    counts = (
        marks.group_by("cluster_id", "r", "g", "b").len().sort("len", "cluster_id", descending=[True, False])
    )
    made.shapes.append(
        Words((left, top - 2 * unit), "rings: members of flagged clusters (posts)", 15 * unit, _FAINT)
    )
    for k, (cluster, r, g, b, n) in enumerate(counts.head(10).rows()):
        x, y = left + (k % 5) * 190 * unit, top + (24 + 24 * (k // 5)) * unit
        made.shapes.append(Dot((x + 8 * unit, y + 8 * unit), 7 * unit, (r, g, b), ring=3.5 * unit))
        text = f"{clean_terminal(cluster, width=9)} ({n:,})"
        made.shapes.append(Words((x + 22 * unit, y), text, 15 * unit, _INK))
    if counts.height > 10:
        made.shapes.append(Words((left + 950 * unit, top + 48 * unit), "...", 15 * unit, _FAINT))
