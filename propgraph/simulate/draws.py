"""Times, and what is drawn at random: sizes, waking hours, weighted choices.

Times are whole seconds since `START`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from propgraph.arrays.types import Float64, Int64

Words = npt.NDArray[np.str_]
Rng = np.random.Generator

START = datetime(2016, 10, 24, tzinfo=UTC)
DAY = 86_400
YEAR = 365 * DAY
STRONGEST = 100.0  # campaign; its articles grow with the strength, and numpy draws no number beyond bounds

# How much of the day's attention each local hour gets; the night is thin but never empty.
RHYTHM: Float64 = np.array(
    [.25, .14, .08, .06, .06, .10, .30, .60, .75, .76, .74, .76,
     .84, .80, .74, .74, .76, .82, .88, .95, 1.0, .98, .82, .50]
)  # fmt: skip
AWAKE = float(RHYTHM.mean())


def lognormal(rng: Rng, median: float, sigma: float, n: int) -> Float64:
    """Draw `n` numbers whose logarithm is normal with standard deviation `sigma`."""
    drawn: Float64 = median * np.exp(sigma * rng.standard_normal(n))
    return drawn


def attention(time: Int64, zone: Float64 | float) -> Float64:
    """Return how likely a person is to be online at `time`, 0..1."""
    hour: Int64 = ((time + zone) // 3600).astype(np.int64) % 24
    level: Float64 = RHYTHM[hour]
    return level


def when_awake(rng: Rng, draw: Callable[[Int64], Float64], after: Int64, zone: Float64) -> Int64:
    """Return `after` plus 1 s plus `draw(rows)`, drawn again for the rows who would be asleep then."""
    rows = np.arange(after.size)
    time = after + 1 + draw(rows).astype(np.int64)
    for _ in range(40):
        rows = rows[rng.random(rows.size) > attention(time[rows], zone[rows])]
        if not rows.size:
            break
        time[rows] = after[rows] + 1 + draw(rows).astype(np.int64)
    return time


def weighted(rng: Rng, weight: Float64, n: int) -> Int64:
    """Draw `n` positions with replacement, in proportion to `weight`."""
    heap = np.cumsum(weight)
    drawn: Int64 = np.searchsorted(heap, rng.random(n) * heap[-1], side="right").astype(np.int64)
    return np.minimum(drawn, weight.size - 1)
