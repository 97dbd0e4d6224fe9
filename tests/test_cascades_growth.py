from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import cascades as reference

from propgraph.cascades.shapes.growth import AGES, PARTS, cascade_growth
from propgraph.errors import UsageError

MINUTE = 60_000
DELAYS = st.one_of(st.integers(0, 90 * 1440 * 1000), st.sampled_from([0, 1, *AGES.values()]))


@st.composite
def clocks(draw):
    """Offsets and times: any pace, the bounds of the ages among them, before 1970 too."""
    offsets, time = [0], []
    for delays in draw(st.lists(st.lists(DELAYS, max_size=12), max_size=4)):
        start = draw(st.integers(-(10**12), 10**12))
        time += [start + delay for delay in sorted(delays)]
        offsets.append(len(time))
    return offsets, time


@settings(deadline=None)
@given(clocks())
def test_growth_equals_the_slow_twin(clock):
    grown = cascade_growth(*(np.array(part, dtype=np.int64) for part in clock))
    slow = reference.cascade_growth(*clock)
    assert set(grown) == {"duration_s", *PARTS, *AGES}
    for name, values in grown.items():
        assert values.dtype == (np.uint32 if name in AGES else np.float64)
        np.testing.assert_array_equal(values, [told[name] for told in slow], err_msg=name)


def test_a_cascade_of_ten_by_hand():
    time = np.arange(10) * 7 * MINUTE
    grown = {name: values[0] for name, values in cascade_growth(np.array([0, 10]), time).items()}
    assert (grown["t10_s"], grown["t50_s"], grown["t90_s"], grown["duration_s"]) == (0, 1680, 3360, 3780)
    assert [grown[name] for name in AGES] == [1, 2, 9, 10]


def test_ages_include_their_bound():
    grown = cascade_growth(np.array([0, 3]), np.array([5, 5 + MINUTE, 6 + MINUTE]))
    assert grown["size_1m"][0] == 2


def test_times_that_fall_are_refused():
    with pytest.raises(UsageError, match="time: row 3 is earlier"):
        cascade_growth(np.array([0, 2, 4]), np.array([1, 2, 1, 0]))
    with pytest.raises(UsageError, match="offsets"):
        cascade_growth(np.array([0, 2]), np.array([1, 2, 3]))
