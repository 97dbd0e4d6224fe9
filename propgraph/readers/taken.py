"""Functions over Polars frames take those of other libraries, too: pandas, Arrow, DuckDB, narwhals, and lazy ones."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import polars as pl

from propgraph.schema import TIME

_P = ParamSpec("_P")
_R = TypeVar("_R")


def takes_frames(function: Callable[_P, _R], /) -> Callable[_P, _R]:
    """Return a function to which every frame is a `polars.DataFrame`, whatever library it is from.

    Raises
    ------
    InputError
        When a frame cannot be taken as a table.
    """

    @functools.wraps(function)
    def called(*args: _P.args, **given: _P.kwargs) -> _R:
        return function(*map(_taken, args), **{name: _taken(one) for name, one in given.items()})

    return called


def _taken(one: Any) -> Any:
    if one is None or isinstance(one, pl.DataFrame | str | bool | int | float):
        return one
    if isinstance(one, dict):
        return {name: _taken(value) for name, value in one.items()}
    from propgraph.readers.frames import frame_of, is_frame  # noqa: PLC0415 - it loads Arrow, and most need none

    if isinstance(one, pl.Series) or not is_frame(one):
        return one
    frame = frame_of(one, "frame")
    # Others count time finer, and have other names for UTC.
    zoned = [
        name for name, dtype in frame.schema.items() if isinstance(dtype, pl.Datetime) and dtype.time_zone
    ]
    return frame.with_columns(pl.col(zoned).dt.convert_time_zone("UTC").cast(TIME)) if zoned else frame
