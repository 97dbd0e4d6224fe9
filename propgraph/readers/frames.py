"""Frames as logs: what Polars, Arrow, pandas, DuckDB and others hold in memory goes the way of a file.

They are taken by the Arrow PyCapsule interface, so that none of these libraries has to be there.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, cast

import polars as pl
import pyarrow as pa

from propgraph.errors import InputError, UsageError
from propgraph.readers.files.logfile import LogFile

_ROWS = 1_000_000


class ArrowFrame(Protocol):
    """A frame of any library that gives its columns as Arrow's."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return the frame as a capsule with a stream of Arrow's record batches."""


#: A file, folder or glob, or a frame.
LogLike = str | Path | ArrowFrame | pl.LazyFrame


def as_logs(logs: LogLike | LogFile | Iterable[LogLike | LogFile], /) -> list[str | Path | LogFile]:
    """Return one log or several as a list, each frame as a file of that name: `frame`, `frame 2`, ...

    Raises
    ------
    InputError
        When a frame cannot be taken as a table.
    UsageError
        When something is neither a path nor a frame.
    """
    listed: list[str | Path | LogFile] = []
    n_frames = 0
    for log in _each(logs):
        if isinstance(log, str | Path | LogFile):
            listed.append(log)
        else:
            n_frames += 1
            name = "frame" if n_frames == 1 else f"frame {n_frames}"
            listed.append(LogFile(Path(name), "frame", shown=name, frame=frame_of(log, name)))
    return listed


def names_of_logs(logs: Iterable[str | Path | LogFile], /) -> list[str]:
    """Return what the user called each of `as_logs`, or what a frame is called."""
    return [log.name if isinstance(log, LogFile) else str(log) for log in logs]


def _each(logs: Any) -> Iterator[Any]:
    if isinstance(logs, str | LogFile) or is_frame(logs):
        yield logs
    elif isinstance(logs, os.PathLike):
        yield Path(logs)
    elif isinstance(logs, Iterable) and not isinstance(logs, Mapping | bytes):
        for log in logs:
            yield from _each(log)
    else:
        raise UsageError(
            f"{type(logs).__name__} is neither a path nor a frame; give files, folders, globs, or frames of "
            "Polars, Arrow or pandas",
            option="logs",
        )


def is_frame(log: object, /) -> bool:
    """Return whether this is a frame of Polars, lazy or not, or of a library that gives its columns as Arrow's."""
    by_arrow = hasattr(log, "__arrow_c_stream__") or hasattr(log, "__arrow_c_array__")
    return by_arrow or isinstance(log, pl.LazyFrame) or _is_old_pandas(log) or _is_wrapped(log)


def _is_wrapped(log: object) -> bool:
    """Tell whether this is a frame of narwhals', around one of another library."""
    return type(log).__module__.partition(".")[0] == "narwhals" and hasattr(log, "to_native")


def _is_old_pandas(log: object) -> bool:
    """Tell whether this is a frame of pandas before 2.2, which has no capsules."""
    kind = type(log)
    return kind.__name__ == "DataFrame" and kind.__module__.partition(".")[0] == "pandas"


def frame_of(log: object, name: str, /) -> pl.DataFrame:
    """Return a frame of any library as one of Polars.

    Raises
    ------
    InputError
        When it cannot be taken as a table.
    """
    if _is_wrapped(log):
        return frame_of(cast(Any, log).to_native(), name)
    try:
        if isinstance(log, pl.LazyFrame):
            return log.collect()
        if isinstance(log, pl.DataFrame):
            return log
        if _is_old_pandas(log) and not hasattr(log, "__arrow_c_stream__"):
            return cast(pl.DataFrame, pl.from_arrow(pa.Table.from_pandas(log)))
        return cast(pl.DataFrame, pl.from_arrow(pa.table(log)))
    except (pa.ArrowException, pl.exceptions.PolarsError, TypeError, ValueError) as error:
        told = " ".join(" ".join(map(str, error.args)).split())[:300]
        raise InputError(
            f"{name}: cannot be taken as a table ({told}); give each column values of one type, ids as text"
        ) from error


def frame_digest(frame: pl.DataFrame, /) -> str:
    """Return the SHA-256 of a frame's values as hexadecimal digits, however the frame is cut and kept in memory.

    It is that of a stream of Arrow's, in batches of a million rows.
    """
    sink = _Digest()
    with pa.ipc.new_stream(pa.PythonFile(sink, "w"), _defined(frame.clear()).schema) as stream:
        for part in frame.iter_slices(_ROWS):
            for batch in _defined(part).combine_chunks().to_batches():
                stream.write_batch(batch)
    return sink.sha256.hexdigest()


def _defined(part: pl.DataFrame) -> pa.Table:
    """Return columns whose bytes are all told by their values, and for each where it is null.

    At a null anything may stand in memory, and behind the last bit of a column of bits.
    """
    columns = []
    for values in part.iter_columns():
        name, dtype = values.name, values.dtype
        if dtype.is_nested():
            plain = part.select(pl.struct(name).struct.json_encode()).to_series()
        elif isinstance(dtype, pl.Categorical | pl.Enum | pl.Decimal):
            plain = values.cast(pl.String)
        else:
            plain = values.cast(pl.UInt8) if dtype in (pl.Boolean, pl.Null) else values.to_physical()
        empty = {pl.String: "", pl.Binary: b""}.get(plain.dtype.base_type(), 0)
        columns += [
            plain.fill_null(empty).alias(name),
            values.is_null().cast(pl.UInt8).alias(f"{name} is null"),
        ]
    return pa.table([column.rechunk().to_arrow() for column in columns], [column.name for column in columns])


class _Digest(io.RawIOBase):
    """Takes what is written to a file into a SHA-256."""

    def __init__(self) -> None:
        self.sha256 = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.sha256.update(data)
        return memoryview(data).nbytes
