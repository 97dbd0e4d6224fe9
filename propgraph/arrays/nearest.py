"""Which of some sorted numbers lie nearest in rank to each of others."""

from __future__ import annotations

import numpy as np

from propgraph.arrays.types import Float64, Int64


def nearest_in(pool: Int64 | Float64, values: Int64 | Float64, /, *, n: int) -> tuple[Int64, int]:
    """Return which numbers of a pool lie around each of some values.

    Parameters
    ----------
    pool
        int64[p] or float64[p], ascending.
    values
        The same of m values.
    n
        How many of the pool go with each value; all of a smaller pool.

    Returns
    -------
    int64[m] and int
        The place in the pool of the first of them for each value, and how many there are from it on.
    """
    width = min(n, pool.size)
    middle = (np.searchsorted(pool, values, "left") + np.searchsorted(pool, values, "right")) // 2
    return np.clip(middle - width // 2, 0, pool.size - width).astype(np.int64), width
