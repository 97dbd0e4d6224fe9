"""The shortest span of time that holds half of some accounts' creation times."""

from __future__ import annotations

import numpy as np

from propgraph.arrays.types import Int64


def shortest_half(times: Int64, /) -> float:
    """Return the shortest span, in the unit of `times`, that holds half of them (rounded up)."""
    ordered = np.sort(times)
    half = (ordered.size + 1) // 2
    return float((ordered[half - 1 :] - ordered[: ordered.size - half + 1]).min())
