"""Slow and obvious twins of `propgraph.cascades`: plain loops over plain lists, from the definitions."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import combinations, pairwise
from math import inf, nan


def infer_parents(offsets, content, account, time, parent_content, origin_account):
    """Return the rows in order, their parents (places in it), sources and times, and what was mended."""
    order, parents, sources, times = [], [], [], []
    counts = dict.fromkeys(("parents_absent", "self_loops", "cycles", "times_raised"), 0)
    for start, end in pairwise(offsets):
        rows, above = range(start, end), {}
        for row in rows:
            named = [other for other in rows if 0 <= parent_content[row] == content[other]]
            by_origin = [other for other in rows if 0 <= origin_account[row] == account[other]]
            earlier = [other for other in by_origin if other < row]
            at_once = [
                other for other in by_origin
                if other > row and time[other] == time[row] and account[other] != account[row]
            ]  # fmt: skip
            if parent_content[row] >= 0 and not named:
                counts["parents_absent"] += 1
            if named and named[0] == row:
                counts["self_loops"] += 1
            if named and named[0] != row:
                above[row] = named[0]
            elif earlier or at_once:
                above[row] = (earlier or at_once)[-1]
        for row in rows:
            way = [row]
            while way[-1] in above and above[way[-1]] not in way:
                way.append(above[way[-1]])
            if above.get(way[-1]) == row:  # a circle, seen from each of its nodes until it is opened
                counts["cycles"] += 1
                del above[min(way, key=lambda node: (time[node], node))]
        steps, clean = {}, {}
        for row in rows:
            way = [row]
            while way[-1] in above:
                way.append(above[way[-1]])
            steps[row], clean[row] = len(way) - 1, max(time[node] for node in way)
        counts["times_raised"] += sum(time[row] < clean[above[row]] for row in above)
        ordered = list(rows)
        if any(other > row for row, other in above.items()):
            ordered.sort(key=lambda row: (clean[row], steps[row], row))
        for row in ordered:
            root = row == ordered[0]
            parents.append(-1 if root else start + ordered.index(above.get(row, ordered[0])))
            sources.append("root" if root else "observed" if row in above else "inferred:star")
            times.append(clean[row])
        order += ordered
    return order, parents, sources, times, counts


def way_to_root(row, parent):
    """Return the rows from `row` up to its root, both included."""
    way = [row]
    while parent[way[-1]] != -1:
        way.append(parent[way[-1]])
    return way


def distance(a, b, parent):
    """Count the edges between two rows of one tree: up from each to the first ancestor they share."""
    up_a, up_b = way_to_root(a, parent), way_to_root(b, parent)
    return min(up_a.index(row) + up_b.index(row) for row in up_a if row in up_b)


def node_depths(parent):
    """Return the number of edges from each row to its root."""
    return [len(way_to_root(row, parent)) - 1 for row in range(len(parent))]


def cascade_shapes(offsets, parent):
    """Return one dict of measures for each cascade; structural virality over all pairs, one by one."""
    depths = node_depths(parent)
    shapes = []
    for start, end in pairwise(offsets):
        rows = range(start, end)
        levels = Counter(depths[start:end])
        distances = [distance(a, b, parent) for a, b in combinations(rows, 2)]
        children = Counter(parent[row] for row in rows if parent[row] >= 0)
        firsts = [row for row in rows if parent[row] == start]
        below = [sum(first in way_to_root(row, parent) for row in rows) for first in firsts]
        several = end - start > 1
        shapes.append(
            {
                "size": end - start,
                "depth": max(levels, default=0),
                "max_breadth": max(levels.values(), default=0),
                "structural_virality": sum(distances) / len(distances) if distances else nan,
                "first_generation_share": len(firsts) / (end - start - 1) if several else nan,
                "largest_subtree_share": max(below) / (end - start - 1) if several else nan,
                "branching_factor": sum(children.values()) / len(children) if several else nan,
                "level_widths": [levels[depth] for depth in sorted(levels)],
            }
        )
    return shapes


def cascade_growth(offsets, time):
    """Return one dict for each cascade: seconds to a part of the final size, nodes of an age."""
    grown = []
    for start, end in pairwise(offsets):
        ages = [time[row] - time[start] for row in range(start, end)]
        told = {}
        for name, percent in (("t10_s", 10), ("t50_s", 50), ("t90_s", 90), ("duration_s", 100)):
            enough = [age for age in ages if sum(other <= age for other in ages) * 100 >= len(ages) * percent]
            told[name] = min(enough) / 1000 if enough else nan
        for name, seconds in (("size_1m", 60), ("size_10m", 600), ("size_1h", 3600), ("size_1d", 86400)):
            told[name] = sum(age <= seconds * 1000 for age in ages)
        grown.append(told)
    return grown


def size_matched_percentiles(sizes, values, reference, min_others, max_ratio):
    """Return the mid-rank percentile of each value among those of like size, None where there is none.

    `reference` holds sizes and values to rank among; None stands for the cascades themselves.
    """
    found = []
    for row, (size, value) in enumerate(zip(sizes, values, strict=True)):
        if reference is None:
            others = [(s, v) for other, (s, v) in enumerate(zip(sizes, values, strict=True)) if other != row]
        else:
            others = list(zip(*reference, strict=True))
        ratios = sorted(Fraction(max(s, size), min(s, size)) for s, _ in others)
        ratio = ratios[min_others - 1] if len(ratios) >= min_others else inf
        like = [v for s, v in others if Fraction(max(s, size), min(s, size)) <= ratio and v is not None]
        if value is None or ratio > max_ratio or len(like) < min_others:
            found.append(None)
        else:
            found.append(sum((v < value) + 0.5 * (v == value) for v in like) / len(like))
    return found


def matched_means(sizes, values, labels, max_ratio):
    """Return the matched difference and superiority of "a" over "b", None where no stratum holds both."""
    strata = {}
    for size, value, label in zip(sizes, values, labels, strict=True):
        first = 1
        while first * max_ratio < size:
            first = int(first * max_ratio) + 1
        strata.setdefault(first, {"a": [], "b": []})[label].append(value)
    both = [(group["a"], group["b"]) for group in strata.values() if group["a"] and group["b"]]
    weights = [len(a) * len(b) / (len(a) + len(b)) for a, b in both]
    gaps = [sum(a) / len(a) - sum(b) / len(b) for a, b in both]
    wins = [sum((x > y) + 0.5 * (x == y) for x in a for y in b) / (len(a) * len(b)) for a, b in both]
    if not both:
        return None, None
    return tuple(sum(w * x for w, x in zip(weights, of, strict=True)) / sum(weights) for of in (gaps, wins))


def trees_from_edges(rows, virtual_root=False, marker="ROOT"):
    """Return `{cascade: {node: (parent, account, time, depth)}}` and the counts; rows are tuples
    `(cascade, node, parent, account, time in ms)`.
    """
    counts = Counter(
        dict.fromkeys(
            (
                "duplicate_rows", "other_times", "other_accounts", "self_loops", "parents_absent",
                "roots_added", "root_parents", "extra_roots", "extra_parents", "cycles", "parents_unknown",
                "times_raised",
            ),
            0,
        )
    )  # fmt: skip
    counts["duplicate_rows"] = len(rows) - len({row[:3] for row in rows})
    trees = {}
    for cascade in {row[0] for row in rows}:
        own = [row[1:] for row in rows if row[0] == cascade]
        nodes = {node for node, *_ in own}
        times = {node: {row[3] for row in own if row[0] == node and row[3] is not None} for node in nodes}
        accounts = {node: {row[2] for row in own if row[0] == node and row[2] is not None} for node in nodes}
        counts["other_times"] += sum(len(found) > 1 for found in times.values())
        counts["other_accounts"] += sum(len(found) > 1 for found in accounts.values())
        if virtual_root and cascade not in nodes:
            nodes.add(cascade)
            counts["roots_added"] += 1
        time = {node: min(times.get(node, ()), default=inf) for node in nodes}
        marked = {node for node, parent, *_ in own if parent == marker}
        named = {
            node: {row[1] for row in own if row[0] == node and row[1] not in (None, marker)} for node in nodes
        }
        usable = {node: {p for p in named[node] if p in nodes and p != node} for node in nodes}
        counts["self_loops"] += sum(node in named[node] for node in nodes)
        counts["parents_absent"] += sum(p not in nodes for node in nodes for p in named[node])
        if virtual_root:
            root = cascade
        else:
            without = {node for node in nodes if not usable[node]}
            candidates = marked or without or nodes
            root = min(candidates, key=lambda node: (time[node], node))
        counts["root_parents"] += len(usable[root])
        counts["extra_roots"] += len(marked - {root})
        parent = {}
        for node in nodes - {root}:
            best = sorted(usable[node], key=lambda p: p)
            best.sort(key=lambda p: -time[p] if time[p] < inf else inf)
            best.sort(key=lambda p: inf > time[p] > time[node])
            parent[node] = best[0] if best else None
            counts["extra_parents"] += max(len(best) - 1, 0)
            counts["parents_unknown"] += not named[node] and node not in marked
        for node in sorted(nodes - {root}, key=lambda node: (time[node], node)):
            at = parent[node]
            seen = set()
            while at not in (None, root, node) and at not in seen:
                seen.add(at)
                at = parent[at]
            if at == node:  # the earliest of its circle, as the nodes come in order of time
                counts["cycles"] += 1
                parent[node] = None
        parent = {node: root if above is None else above for node, above in parent.items()} | {root: None}
        clean, depth = {root: time[root] if time[root] < inf else -inf}, {root: 0}
        while len(clean) < len(nodes):
            for node in nodes - clean.keys():
                above = parent[node]
                if above in clean:
                    depth[node] = depth[above] + 1
                    counts["times_raised"] += time[node] < clean[above]
                    clean[node] = clean[above] if time[node] == inf else max(clean[above], time[node])
        trees[cascade] = {
            node: (
                parent[node],
                min(accounts.get(node, ()), default=None),
                clean[node] if time[node] < inf else None,
                depth[node],
            )
            for node in nodes
        }
    return trees, dict(counts)
