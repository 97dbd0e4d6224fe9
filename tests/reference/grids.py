"""Slow and obvious twin of `propgraph.arrays.grids`: rows told apart by how fine their times are.

A row is a tuple `(content_id, account_id, object_id, time in ms, how fine that is in ms)`.
"""

from __future__ import annotations

from collections import defaultdict

from reference.cosharing import kind


def told_apart(rows, limit_ms):
    """Return rows without their fineness, as if those of an object that cannot be compared had shared several.

    Where those that can be are not equally fine, all are cut to the coarsest; what is coarser than the limit lies
    nearest to some multiple of its step.
    """
    groups = defaultdict(list)
    for row in rows:
        groups[row[2], kind(row, limit_ms)].append(row)
    found = []
    for (object_, coarse), group in groups.items():
        steps = {row[4] for row in group}
        for content, account, _, time, _ in group:
            common = time
            if coarse:
                common = (time + coarse // 2) // coarse * coarse
            elif len(steps) > 1:
                common = time // max(steps) * max(steps)
            found.append((content, account, f"{object_}/{coarse:010}", common))
    return found
