"""Cascades of another study, to compare shapes with."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from propgraph.cascades.shapes.percentiles import SHAPE_METRICS
from propgraph.errors import InputError
from propgraph.readers.find import find_logs
from propgraph.readers.layouts.tabular import columns_of
from propgraph.readers.side import read_side_table


def read_reference(path: str | Path, /) -> pl.DataFrame:
    """Return the cascades that shapes are to be compared with.

    Parameters
    ----------
    path
        A study, or a table of cascades with the column `size` and some of `matched.SHAPE_METRICS`: CSV, TSV,
        JSON, NDJSON, Parquet or Arrow, plain or packed.

    Returns
    -------
    pl.DataFrame
        `size` (Int64, posts), those of the measures that are there (Float64, as in `schema.CASCADES`), and `trace`
        (String) if it is there.

    Raises
    ------
    InputError
        When the file cannot be read, lacks `size` or all measures, or holds what is no number.
    """
    file = Path(path)
    if file.is_dir():
        file = file / "cascades.parquet"
        if not file.exists():
            raise InputError(
                f"{path}: a folder without cascades.parquet; give a study or a table of cascades"
            )
    there = columns_of(find_logs([file])[0][0])
    measures = [name for name in SHAPE_METRICS if name in there]
    if not measures:
        raise InputError(
            f"{file}: none of the measures {', '.join(SHAPE_METRICS)}; give a table of cascades, as "
            "`propgraph cascades STUDY --format csv` writes it"
        )
    trace = ["trace"] if "trace" in there else []
    table = read_side_table(file, columns=("size", *measures, *trace), what="cascades")
    numbers = table.with_columns(pl.col("size", *measures).cast(pl.Float64, strict=False))
    faults = [
        f"column {name!r} holds {text!r}, which is no number"
        for name in ("size", *measures)
        if (text := table.filter(numbers[name].is_null() & (table[name] != ""))[name].first()) is not None
    ]
    if faults:
        raise InputError(f"{file}: " + "; ".join(faults))
    return numbers.with_columns(pl.col("size").cast(pl.Int64, strict=False))
