"""How well an order of accounts puts those to be found first; accounts may be weighted, scores may tie."""

from __future__ import annotations

import numpy as np

from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import Bool, Float64, Int32, Int64


@kernel
def ranking(weight: Int32, positive: Bool, last: Bool, at: Int64) -> Float64:
    """Return average precision, the area under the ROC curve, and the precision at each of `at`.

    Accounts of one score are one step, in whatever order they stand. Average precision is the sum over the
    steps of the recall that a step adds times the precision down to its end, as scikit-learn has it: a score
    that all share gives the fraction of positives. In the area a pair of one score counts half. Precision at k,
    where the cut goes through a step, is the expectation over the orders of that step.

    Parameters
    ----------
    weight
        How often each account counts, from the highest score down.
    positive
        Whether it is to be found.
    last
        Whether it is the last of its score.
    at
        Numbers of accounts, rising, from 1 to the sum of the weights.

    Returns
    -------
    numpy.ndarray
        Shape (2 + at.size,). NaN: average precision without positives, the area without either.
    """
    out = np.full(2 + at.size, np.nan)
    above, hits = 0, 0  # accounts and positives down to the last step's end
    members, found = 0, 0  # of this step
    steps, area, k = 0.0, 0.0, 0
    # At the top `above` and `hits` are the accounts and positives of all steps that have ended, and `members` and
    # `found` those of the step that i stands in.
    for i in range(weight.size):
        members += weight[i]
        if positive[i]:
            found += weight[i]
        # Nothing is added before a step ends, and a step that no account counts in is none.
        if not last[i] or members == 0:
            continue
        # The cuts rise, so each is met once: those within this step take of it in proportion.
        while k < at.size and at[k] <= above + members:
            out[2 + k] = (hits + (at[k] - above) * (found / members)) / at[k]
            k += 1
        steps += found * ((hits + found) / (above + members))
        area += (members - found) * (hits + found / 2)
        above, hits = above + members, hits + found
        members, found = 0, 0
    if hits > 0:
        out[0] = steps / hits
        if hits < above:
            out[1] = area / (hits * (above - hits))
    return out
