"""One cascade as text: a folded tree, its growth in one line, its figures."""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np

from propgraph.arrays.types import Float64, Int64
from propgraph.export.text import clean_terminal
from propgraph.trees import Tree

_BLOCKS = "▁▂▃▄▅▆▇█"
_CHAIN = 8  # a longer run of only children is folded
_INDENTS = 18  # generations shown below each other
_NAME = 40


def human(seconds: float | None) -> str:
    """Return a duration in its own unit: `3 s`, `12 m`, `4 h`, `2 d`; `?` where it is unknown."""
    if seconds is None:
        return "?"
    sign, seconds = "-" if seconds < 0 else "", abs(seconds)
    for unit, length, until in (("s", 1, 60), ("m", 60, 3600), ("h", 3600, 86400)):
        if round(seconds / length) * length < until:
            return f"{sign}{seconds / length:.0f} {unit}"
    return f"{sign}{seconds / 86400:,.0f} d"


def _children(parent: Int64) -> tuple[Int64, Int64]:
    """Return all rows by parent and time, and where each parent's begin (one more entry than rows)."""
    order = np.argsort(parent[1:], kind="stable") + 1
    starts = np.searchsorted(parent[order], np.arange(parent.size + 1))
    return order, starts


def _breadth_first(order: Int64, starts: Int64) -> Int64:
    """Return the rows from the root down, parents before children."""
    rows = np.zeros(1, np.int64)
    levels = [rows]
    while rows.size:
        counts = starts[rows + 1] - starts[rows]
        first = np.repeat(starts[rows] - (np.cumsum(counts) - counts), counts)
        rows = order[first + np.arange(counts.sum())]
        levels.append(rows)
    return np.concatenate(levels)


def _subtrees(parent: Int64) -> Int64:
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
    size: Int64,
    order: Int64,
    starts: Int64,
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


def _blocks(delays: Float64, edges: Float64) -> str:
    edges[-1] = delays.max()
    so_far = np.searchsorted(np.sort(delays), edges, side="right")
    levels = np.ceil(so_far * len(_BLOCKS) / delays.size).astype(int)
    return "".join(_BLOCKS[level - 1] for level in levels.clip(1, len(_BLOCKS)).tolist())


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
