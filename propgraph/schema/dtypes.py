"""What a column may hold: its dtype, and what that means in every table."""

from __future__ import annotations

import polars as pl

ID = pl.String()
TIME = pl.Datetime("ms", "UTC")
SECONDS = pl.Float64()
COUNT = pl.UInt32()
PAIRS = pl.UInt64()  # pairs of posts grow with the square of a burst
SHARE = pl.Float64()
IDS = pl.List(pl.String())
COUNTS = pl.List(pl.UInt32())
