"""The shortest span of time that holds half of some accounts' creation times."""

from __future__ import annotations

import numpy as np
import polars as pl

from propgraph.arrays.types import Int64


def shortest_half(times: Int64, /) -> float:
    """Return the shortest span, in the unit of `times`, that holds half of them (rounded up)."""
    ordered = np.sort(times)
    first, last = _densest_half(ordered)
    return float(ordered[last] - ordered[first])


def densest_half(created: pl.DataFrame, /) -> pl.DataFrame:
    """Return the rows of the shortest span of `created_at` that holds half of them, in order of it."""
    ordered = created.drop_nulls("created_at").sort("created_at", "account_id")
    if ordered.is_empty():
        return ordered
    first, last = _densest_half(ordered["created_at"].dt.timestamp("ms").to_numpy())
    return ordered[first : last + 1]


def _densest_half(ordered: Int64) -> tuple[int, int]:
    half = (ordered.size + 1) // 2
    first = int((ordered[half - 1 :] - ordered[: ordered.size - half + 1]).argmin())
    return first, first + half - 1
