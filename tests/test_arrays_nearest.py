from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from propgraph.arrays.nearest import nearest_in


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.integers(-2, 11), st.integers(1, 12))
def test_as_many_lie_below_as_above_where_there_are_as_many(numbers, value, n):
    pool = np.array(sorted(numbers))
    [first], width = nearest_in(pool, np.array([value]), n=n)
    assert width == min(n, pool.size)
    assert 0 <= first <= pool.size - width
    # The middle of the equals, or where the value would stand: half of the others lie on either side of it.
    middle = (int((pool < value).sum()) + int((pool <= value).sum())) // 2
    if width // 2 <= middle <= pool.size - width + width // 2:
        assert first == middle - width // 2
    else:
        assert first in (0, pool.size - width)


def test_nearest_by_hand():
    pool = np.array([1, 3, 3, 3, 8, 20])
    first, width = nearest_in(pool, np.array([3, 0, 99]), n=2)
    # The threes stand from 1 to 3, their middle at 2; below all and above all the ends count.
    assert (first.tolist(), width) == ([1, 0, 4], 2)
    assert nearest_in(pool, np.array([3]), n=50)[1] == 6
