"""All measures of all cascades, as columns of the table `cascades`."""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from propgraph.arrays.types import Int64
from propgraph.cascades.shapes.growth import cascade_growth
from propgraph.cascades.shapes.shape import cascade_shapes, level_widths, node_depths


def measure_cascades(offsets: Int64, parent: Int64, *, time: Int64) -> pl.DataFrame:
    """Measure the shape and the growth of each cascade of a flat table.

    Parameters
    ----------
    offsets, parent
        The cascades, as for `cascade_shapes`.
    time
        When each node was posted, in ms, never falling within a cascade; shape (nodes,).

    Returns
    -------
    pl.DataFrame
        A row for each cascade, in order: the columns of `cascade_shapes`, `level_widths` (List(UInt32), nodes
        at depth 0 to 63) and the columns of `cascade_growth`. What cannot be told is null.

    Raises
    ------
    UsageError
        If `offsets` do not cut up the table, `parent` is not such a forest, or times fall.
    """
    start, width = level_widths(offsets, node_depths(offsets, parent))
    widths = pa.LargeListArray.from_arrays(pa.array(start), pa.array(width))
    shapes, growth = cascade_shapes(offsets, parent), cascade_growth(offsets, time)
    table = pl.DataFrame({**shapes, "level_widths": pl.Series(widths), **growth})
    return table.with_columns(pl.selectors.float().fill_nan(None))
