from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from propgraph.cascades.shapes.measures import measure_cascades
from propgraph.schema import CASCADES


def test_columns_are_those_of_the_table_and_nothing_is_nan():
    table = measure_cascades(
        np.array([0, 3, 4, 4]), np.array([-1, 0, 1, -1]), time=np.array([0, 500, 2000, 7])
    )
    assert {name: table.schema[name] for name in table.columns} == {
        name: dtype for name, dtype in CASCADES.dtypes.items() if name in table.columns
    }
    assert table["level_widths"].to_list() == [[1, 1, 1], [1], []]
    assert table["structural_virality"].to_list() == [pytest.approx(4 / 3), None, None]
    assert table["duration_s"].to_list() == [2.0, 0.0, None]
    assert not table.select(pl.selectors.float().is_nan().any()).row(0).count(True)


def test_no_cascades():
    none = np.array([], dtype=np.int64)
    table = measure_cascades(np.array([0]), none, time=none)
    assert table.is_empty()
    assert table.schema["level_widths"] == pl.List(pl.UInt32)
