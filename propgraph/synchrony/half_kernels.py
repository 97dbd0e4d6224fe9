"""What the objects on each half say of a pair: the kernels that add up, and keep what stands out.

Of each half there are, in one array each, the sessions (`n`), the objects near (`near`) and the sum of -ln(p / tau)
(`total`); two halves for each split, twice its number and one more.
"""

from __future__ import annotations

import numpy as np

from propgraph.arrays.kernels import inlined, kernel
from propgraph.arrays.p_values import truncated_product
from propgraph.arrays.types import Float64, Int32, Int64


@kernel
def begin_halves(n_splits: int, n_sessions: int) -> tuple[Int32, Int64, Int64, Float64, Int64, Float64]:
    """Return what the kernels below fill: `spent`, `n`, `near`, `total`, and room for `on_half` and `log_p`."""
    spent = np.full((n_splits, n_sessions), -1, np.int32)
    n, near, total = (
        np.zeros(2 * n_splits, np.int64),
        np.zeros(2 * n_splits, np.int64),
        np.zeros(2 * n_splits),
    )
    return spent, n, near, total, np.empty((1024, 2), np.int64), np.empty(1024)


@inlined
def add_to_halves(
    pair: int,
    session: int,
    both: int,
    side: int,
    worth: float,
    spent: Int32,
    n: Int64,
    near: Int64,
    total: Float64,
) -> None:
    """Add one object, lying on `side`, to the halves in which the shares of both accounts count (bits of `both`).

    Of a session the first object on a half counts, near or not: `spent` holds the last pair each served, by split.
    """
    for s in range(spent.shape[0]):
        if both >> s & 1 and spent[s, session] != pair:
            spent[s, session] = pair
            half = 2 * s + (side >> s & 1)
            n[half] += 1
            near[half] += worth > 0
            total[half] += worth


@kernel
def keep_halves(
    pair: int,
    lax: float,
    tau: float,
    n: Int64,
    near: Int64,
    total: Float64,
    on_half: Int64,
    log_p: Float64,
    kept: int,
) -> tuple[Int64, Float64, int]:
    """Keep the halves on which a pair stands out, and begin anew; `on_half` is the pair and the half, `log_p` ln P."""
    for half in range(n.size):
        # With one object near there is no pair on the half.
        if near[half] >= 2:
            found = truncated_product(n[half], total[half], tau)
            if found <= lax:
                if kept == log_p.size:
                    on_half = np.concatenate((on_half, np.empty_like(on_half)))
                    log_p = np.concatenate((log_p, np.empty_like(log_p)))
                on_half[kept, 0], on_half[kept, 1], log_p[kept] = pair, half, found
                kept += 1
        n[half] = near[half] = 0
        total[half] = 0.0
    return on_half, log_p, kept
