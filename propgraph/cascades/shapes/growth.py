"""How each cascade grew: its pace and its size at fixed ages.

Everything works on the flat table of nodes that `propgraph.cascades.parents` describes, in time order within
each cascade. Where the root's own time is unknown, the caller gives it that of the first reshare, and all
times count from there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import Float64, Int64, UInt32
from propgraph.cascades.parents import check_offsets, check_times, flat_array

#: Columns of the times to a share of the final size, and that share in percent.
PARTS: Mapping[str, int] = {"t10_s": 10, "t50_s": 50, "t90_s": 90}

#: Columns of the sizes at an age, and that age in ms.
AGES: Mapping[str, int] = {
    "size_1m": 60_000,
    "size_10m": 600_000,
    "size_1h": 3_600_000,
    "size_1d": 86_400_000,
}


def cascade_growth(offsets: Int64, time: Int64) -> dict[str, NDArray[Any]]:
    """Measure how long each cascade took and how large it was at fixed ages.

    The age of a node is the time since the first node of its cascade, the root. A cascade of n nodes has
    p % of its size once the first ceil(n p / 100) nodes are there, the root included.

    Parameters
    ----------
    offsets
        Where each cascade begins, and the number of nodes at the end; rows, shape (cascades + 1,). A cascade
        may be empty.
    time
        When each node was posted, in ms, never falling within a cascade; shape (nodes,).

    Returns
    -------
    dict
        Arrays of shape (cascades,):

        - `duration_s`: seconds from the first to the last node (float64)
        - `t10_s`, `t50_s`, `t90_s`: seconds until 10, 50, 90 % of the final size (float64)
        - `size_1m`, `size_10m`, `size_1h`, `size_1d`: nodes at most 1 minute, 10 minutes, 1 hour, 1 day old,
          the root included (uint32)

        Of an empty cascade the seconds are NaN and the sizes 0.

    Raises
    ------
    UsageError
        If `offsets` do not cut up the table or times fall within a cascade.
    """
    offsets = flat_array("offsets", offsets, np.int64)
    time = flat_array("time", time, np.int64)
    check_offsets(offsets, time.size)
    check_times(offsets, time)
    percents = np.array([*PARTS.values(), 100], dtype=np.int64)
    ages = np.array(list(AGES.values()), dtype=np.int64)
    seconds = np.full((percents.size, offsets.size - 1), np.nan)
    sizes = np.zeros((ages.size, offsets.size - 1), dtype=np.uint32)
    _grow(offsets, time, percents, ages, seconds, sizes)
    return {
        "duration_s": seconds[-1],
        **dict(zip(PARTS, seconds, strict=False)),
        **dict(zip(AGES, sizes, strict=True)),
    }


@kernel
def _grow(  # noqa: PLR0917 (compiled functions take no keyword-only parameters)
    offsets: Int64,
    time: Int64,
    percents: Int64,
    ages: Int64,
    seconds: Float64,
    sizes: UInt32,
) -> None:
    """Fill in `seconds` by percent and `sizes` by age."""
    for c in range(offsets.size - 1):
        lo, hi = offsets[c], offsets[c + 1]
        if lo == hi:
            continue
        # The first `there` nodes are p % of the size, rounded up: at least one, so that `lo + there - 1` is a row.
        for p in range(percents.size):
            there = ((hi - lo) * percents[p] + 99) // 100
            seconds[p, c] = (time[lo + there - 1] - time[lo]) / 1000.0
        for a in range(ages.size):
            # The size does not fall with age, and most cascades end within the first few.
            row = lo + np.int64(sizes[a - 1, c]) if a > 0 else lo
            while row < hi and time[row] - time[lo] <= ages[a]:
                row += 1
            sizes[a, c] = row - lo
