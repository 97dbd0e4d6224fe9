"""One cascade to look at: as a folded tree of text, its growth, as GraphML and as a picture."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import igraph
import numpy as np
import numpy.typing as npt
import polars as pl
from PIL import Image, ImageDraw, ImageFont

from propgraph.errors import StudyError, did_you_mean
from propgraph.export.graphml import write_graphml
from propgraph.export.tables import whole_file
from propgraph.export.text import clean_terminal
from propgraph.study import Study

__all__ = [
    "MAX_DRAWN",
    "Tree",
    "find_cascade",
    "growth",
    "read_tree",
    "seeded",
    "tree_lines",
    "write_tree_graphml",
    "write_tree_png",
]

MAX_DRAWN = 20_000
"""Posts that a picture shows at most, the first in time."""

FIRST = 10  # posts below the root that count as seeding
_BLOCKS = "▁▂▃▄▅▆▇█"
_CHAIN = 8  # a longer run of only children is folded
_INDENTS = 18  # generations shown below each other
_NAME = 40

_Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Tree:
    """One cascade.

    Attributes
    ----------
    cascade
        Its row of `schema.CASCADES`.
    nodes
        Its posts, the root first, the others by time: `content_id`, `account_id`, `name` (what is known of
        both; String), `timestamp`, `depth` (edges), `parent_source`, `delay_s` (s after the root, or after
        the first post where the root has no time; null without a time).
    parent
        Row of each node's parent; -1 at the root.
    """

    cascade: dict[str, Any]
    nodes: pl.DataFrame
    parent: _Ints


def find_cascade(study: Study, name: str, /, *, trace: str | None = None) -> dict[str, Any]:
    """Return the row of one cascade.

    Parameters
    ----------
    study
        The study.
    name
        The cascade's id, its object's id, or the beginning of either if no other begins so. An ellipsis at
        its end, as a table shows it, is no part of it.
    trace
        Look among this trace's cascades only.

    Returns
    -------
    The row of `schema.CASCADES`.

    Raises
    ------
    StudyError
        When no cascade, or more than one, is called so.
    """
    table = study.scan("cascades")
    if trace is not None:
        table = table.filter(pl.col("trace") == trace)
    beginning = name.removesuffix("…")
    ids = pl.col("cascade_id"), pl.col("object_id")
    exact = pl.any_horizontal(column == name for column in ids)
    begins = pl.any_horizontal(column.str.starts_with(beginning) for column in ids)
    for wanted in (pl.col("cascade_id") == name, exact, begins if beginning else pl.lit(False)):
        found = table.filter(wanted).head(6).collect()
        if found.height == 1:
            return found.row(0, named=True)
        if found.height > 1:
            some = ", ".join(map(repr, found["cascade_id"].head(5)))
            more = " and more" if found.height > 5 else ""
            raise StudyError(f"{name!r} may be {some}{more}; write more of it")
    raise StudyError(f"{study.path}: no cascade is called {name!r}{did_you_mean(name, _near(table, name))}")


def _near(table: pl.LazyFrame, name: str) -> list[str]:
    """Return some hundred ids that begin or end as `name` does: to compare all of a million takes minutes."""
    both = table.select("cascade_id", "object_id").collect()
    ids = pl.concat([both["cascade_id"], both["object_id"].alias("cascade_id")]).drop_nulls().unique()
    near: list[str] = []
    for reverse in (False, True):
        known = (ids.str.reverse() if reverse else ids).sort()
        at = int(known.search_sorted(name[::-1] if reverse else name))
        part = known.slice(max(at - 50, 0), 100)
        near += (part.str.reverse() if reverse else part).to_list()
    return list(dict.fromkeys(near))


def read_tree(study: Study, cascade: dict[str, Any], /) -> Tree:
    """Read one cascade's posts, and no others.

    Parameters
    ----------
    study
        The study.
    cascade
        As `find_cascade` returns it.

    Returns
    -------
    The tree. A post whose parent is not to be found hangs under the root.
    """
    nodes = (
        study.scan("cascade_nodes")
        .filter(pl.col("cascade_id") == cascade["cascade_id"])
        .select("content_id", "account_id", "timestamp", "parent_content_id", "parent_source", "depth")
        .collect()
    )
    if nodes.is_empty():
        raise StudyError(f"{study.path}: no posts of {cascade['cascade_id']!r}; build the study anew")
    root = (pl.col("parent_source") == "root") | pl.col("parent_content_id").is_null()
    nodes = nodes.with_columns(root=root).sort("root", descending=True, maintain_order=True)
    nodes = pl.concat([nodes.head(1), nodes.slice(1).sort("timestamp", "depth", maintain_order=True)])
    names = (
        study.scan("accounts")
        .select("account_id", "name")
        .join(nodes.lazy().select("account_id").unique(), on="account_id", how="semi")
        .collect()
    )
    start = nodes["timestamp"][0] or nodes["timestamp"].min()
    delay = (pl.col("timestamp") - pl.lit(start, pl.Datetime("ms", "UTC"))).dt.total_milliseconds() / 1000
    parent = _parents(nodes)
    nodes = nodes.join(names, on="account_id", how="left", maintain_order="left").select(
        "content_id", "account_id", "name", "timestamp", "depth", "parent_source", delay_s=delay
    )
    return Tree(cascade, nodes, parent)


def _parents(nodes: pl.DataFrame) -> _Ints:
    """Return the row of each node's parent; whatever does not lead to the root is put under it."""
    at: dict[str, int] = {}
    for row, name in enumerate(nodes["content_id"]):
        at.setdefault(name, row)
    parent = np.array([at.get(name, 0) for name in nodes["parent_content_id"]], np.int64)
    parent[0] = -1
    leads = np.zeros(parent.size, bool)
    leads[0] = True
    for row in range(parent.size):
        way, here = [row], row
        seen = {row}
        while not leads[here]:
            here = int(parent[here])
            if here in seen:
                parent[way[-1]], here = 0, 0
                break
            way.append(here)
            seen.add(here)
        leads[way] = True
    return parent


def seeded(study: Study, /) -> pl.DataFrame | None:
    """Return how much of each cascade's beginning members of flagged clusters made.

    Parameters
    ----------
    study
        The study.

    Returns
    -------
    pl.DataFrame or None
        `cascade_id`, `seeded` (0..1, of the first ten posts below the root), of cascades where it is above 0;
        None when the study has no clusters yet.
    """
    if not {"clusters", "members"} <= set(study.tables):
        return None
    flagged = study.scan("clusters").filter("flagged").select("cluster_id")
    if "amplification" in study.tables:
        share = study.scan("amplification").join(flagged, on="cluster_id", how="semi")
        made = share.group_by("cascade_id").agg(seeded=pl.col("first_10_share").sum().clip(0, 1))
    else:
        members = (
            study.scan("members").join(flagged, on="cluster_id", how="semi").select("account_id").unique()
        )
        new = pl.col("cascade_id") != pl.col("cascade_id").shift(1).fill_null("")
        first = (
            study.scan("cascade_nodes")
            .select("cascade_id", "account_id", "parent_source")
            .filter(pl.col("parent_source") != "root")
            .with_row_index("row")
            .with_columns(pl.col("row").cast(pl.Int64))
            .with_columns(place=pl.col("row") - pl.when(new).then("row").forward_fill())
            .filter(pl.col("place") < FIRST)
            .join(members.with_columns(member=pl.lit(True)), on="account_id", how="left")
        )
        made = first.group_by("cascade_id").agg(seeded=pl.col("member").fill_null(False).mean())
    return made.filter(pl.col("seeded") > 0).sort("cascade_id").collect()


def human(seconds: float | None) -> str:
    """Return a duration in its own unit: `3 s`, `12 m`, `4 h`, `2 d`; `?` where it is unknown."""
    if seconds is None:
        return "?"
    sign, seconds = "-" if seconds < 0 else "", abs(seconds)
    for unit, length, until in (("s", 1, 60), ("m", 60, 3600), ("h", 3600, 86400)):
        if round(seconds / length) * length < until:
            return f"{sign}{seconds / length:.0f} {unit}"
    return f"{sign}{seconds / 86400:,.0f} d"


def _children(parent: _Ints) -> tuple[_Ints, _Ints]:
    """Return all rows by parent and time, and where each parent's begin (one more entry than rows)."""
    order = np.argsort(parent[1:], kind="stable") + 1
    starts = np.searchsorted(parent[order], np.arange(parent.size + 1))
    return order, starts


def _breadth_first(order: _Ints, starts: _Ints) -> _Ints:
    """Return the rows from the root down, parents before children."""
    rows = np.zeros(1, np.int64)
    levels = [rows]
    while rows.size:
        counts = starts[rows + 1] - starts[rows]
        first = np.repeat(starts[rows] - (np.cumsum(counts) - counts), counts)
        rows = order[first + np.arange(counts.sum())]
        levels.append(rows)
    return np.concatenate(levels)


def _subtrees(parent: _Ints) -> _Ints:
    """Return the posts of each subtree, its own root included."""
    size = [1] * parent.size
    above = parent.tolist()
    for row in _breadth_first(*_children(parent))[:0:-1].tolist():
        size[above[row]] += size[row]
    return np.array(size, np.int64)


def tree_lines(tree: Tree, /, *, most: int = 60, width: int = 100, children: int = 5) -> list[str]:
    """Draw a cascade as lines of text, folded where it is large.

    Parameters
    ----------
    tree
        The cascade.
    most
        Lines.
    width
        Display cells of a line.
    children
        Shown of one post: those with the largest subtrees, of equals the earlier, in order of time.

    Returns
    -------
    Lines safe for a terminal: the delay after the root, and the account under the one it had the post from;
    `~` stands before an account whose parent is inferred.
    """
    order, starts = _children(tree.parent)
    size = _subtrees(tree.parent)
    plan: dict[int, tuple[list[int], int]] = {}  # opened post: children shown, length of the run skipped
    lines, heap = 1, [(-int(size[0]), 0, 0)]
    while heap:
        _, row, level = heapq.heappop(heap)
        run, here = 0, row
        while starts[here + 1] - starts[here] == 1:
            here, run = int(order[starts[here]]), run + 1
        if run > _CHAIN:
            below, cost = [here], 2
        else:
            run = 0
            below = order[starts[row] : starts[row + 1]].tolist()
            cost = min(len(below), children) + (len(below) > children)
            below = sorted(sorted(below, key=lambda child: (-size[child], child))[:children])
        if not below or lines + cost > most or level >= _INDENTS:
            continue
        lines += cost
        plan[row] = (below, run)
        for child in below:
            heapq.heappush(heap, (-int(size[child]), child, level + 1))
    return _drawn(tree, plan, size=size, order=order, starts=starts, width=width)


def _drawn(
    tree: Tree,
    plan: dict[int, tuple[list[int], int]],
    *,
    size: _Ints,
    order: _Ints,
    starts: _Ints,
    width: int,
) -> list[str]:
    """Return the lines of the posts that `plan` opens, and of what is folded."""
    lines: list[str] = []

    def put(delay: str, branch: str, text: str) -> None:
        lines.append(clean_terminal(f"{delay:>7}  {branch}{text}", width=width))

    stack: list[tuple[int, str, str]] = [(0, "", "")]
    while stack:
        row, branch, below = stack.pop()
        if row < 0:
            put("", branch, below)
            continue
        folded = f"  (+ {size[row] - 1:,} below)" if size[row] > 1 and row not in plan else ""
        delay = "root" if row == 0 else human(tree.nodes["delay_s"][row])
        put(delay, branch, _label(tree, row) + folded)
        if row not in plan:
            continue
        shown, run = plan[row]
        later: list[tuple[int, str, str]] = []
        if run:
            later.append((-1, f"{below}┊  ", f"... {run - 1:,} in a row, each below the one before"))
        hidden = (
            np.setdiff1d(order[starts[row] : starts[row + 1]], shown) if not run else np.zeros(0, np.int64)
        )
        for child in shown:
            last = child == shown[-1] and not hidden.size
            later.append((child, below + ("└─ " if last else "├─ "), below + ("   " if last else "│  ")))
        if hidden.size:
            name = _name(tree, row)
            text = f"... and {hidden.size:,} more below {name} (largest subtree {size[hidden].max():,})"
            later.append((-1, f"{below}└─ ", text))
        stack += later[::-1]
    return lines


def _name(tree: Tree, row: int) -> str:
    name = tree.nodes["name"][row] or tree.nodes["account_id"][row] or "unknown account"
    return clean_terminal(name, width=_NAME)


def _label(tree: Tree, row: int) -> str:
    inferred = str(tree.nodes["parent_source"][row]).startswith("inferred")
    unseen = "  (its post is not in the log)" if tree.nodes["timestamp"][row] is None else ""
    return ("~" if inferred else "") + _name(tree, row) + unseen


def growth(tree: Tree, /, *, bins: int = 60) -> str:
    """Return how a cascade grew, as one line of blocks with its ends named.

    Parameters
    ----------
    tree
        The cascade.
    bins
        Blocks. They are of equal time, or of equal ratio of time where that shows more of the growth.

    Returns
    -------
    The line; posts count from the bottom up.
    """
    delays = tree.nodes["delay_s"].fill_null(0.0).clip(lower_bound=0.0).to_numpy()
    end, n = float(delays.max()), delays.size
    if end <= 0:
        return f"{n:,} {'post' if n == 1 else 'posts'} at one moment"
    axes = {"linear": np.linspace(end / bins, end, bins)}
    if end > 60:
        axes["log"] = np.geomspace(1.0, end, bins)
    lines = {axis: _blocks(delays, edges) for axis, edges in axes.items()}
    axis = max(lines, key=lambda name: len(set(lines[name])))
    begin = "1 s" if axis == "log" else "0 s"
    return f"{begin} {lines[axis]} {human(end)}  ({axis} time)"


def _blocks(delays: npt.NDArray[np.float64], edges: npt.NDArray[np.float64]) -> str:
    edges[-1] = delays.max()
    so_far = np.searchsorted(np.sort(delays), edges, side="right")
    levels = np.ceil(so_far * len(_BLOCKS) / delays.size).astype(int)
    return "".join(_BLOCKS[level - 1] for level in levels.clip(1, len(_BLOCKS)).tolist())


def write_tree_graphml(path: str | Path, tree: Tree, /) -> None:
    """Write a cascade as directed GraphML for Gephi, parent to child.

    Parameters
    ----------
    path
        The file; one that exists is replaced.
    tree
        The cascade. Nodes have the post's id and `label`, `account`, `name`, `timestamp`, `depth` (edges),
        `parent_source`; edges have `delay_s` (s from parent to child). A second post of one id gets `#2`.

    Raises
    ------
    UsageError
        When `path` is a folder or lies in none.
    """
    ids: list[str] = []
    taken: dict[str, int] = {}
    for name in tree.nodes["content_id"].fill_null(""):
        taken[name] = taken.get(name, 0) + 1
        ids.append(name if taken[name] == 1 else f"{name}#{taken[name]}")
    own = pl.Series("id", ids, dtype=pl.String)
    nodes = tree.nodes.select(
        own, pl.coalesce("name", "account_id").alias("label"), pl.col("account_id").alias("account"),
        "name", "timestamp", pl.col("depth").cast(pl.Int64), "parent_source",
    )  # fmt: skip
    above = pl.Series(tree.parent[1:])
    delay = tree.nodes["delay_s"][1:] - tree.nodes["delay_s"].gather(above)
    edges = pl.DataFrame({"source": own.gather(above), "target": own[1:], "delay_s": delay})
    write_graphml(path, nodes, edges, directed=True)


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


def _places(parent: _Ints, *, radial: bool) -> npt.NDArray[np.float64]:
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
    place: npt.NDArray[np.float64],
    parent: _Ints,
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


def _dot(
    draw: ImageDraw.ImageDraw, at: npt.NDArray[np.float64], radius: float, fill: tuple[int, ...]
) -> None:
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


def figures(cascade: dict[str, Any]) -> str:
    """Return a cascade's size and shape in one line."""
    size, accounts = cascade["size"], cascade["n_accounts"]
    parts = [
        f"{size:,} {'post' if size == 1 else 'posts'} by {accounts:,} {'account' if accounts == 1 else 'accounts'}",
        f"depth {cascade['depth']:,}",
        f"max breadth {cascade['max_breadth']:,}",
    ]
    if cascade["structural_virality"] is not None:
        low, high = (cascade.get(f"structural_virality_{end}") for end in ("low", "high"))
        interval = f" ({low:.2f} to {high:.2f})" if low is not None and high is not None else ""
        parts.append(f"structural virality {cascade['structural_virality']:.2f}{interval}")
    if cascade["duration_s"] is not None:
        parts.append(f"over {human(cascade['duration_s'])}")
    return ", ".join(parts)
