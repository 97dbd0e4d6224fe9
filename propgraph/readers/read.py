"""Logs to posts: every input row becomes one row of `posts` or one of `rejected`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from propgraph.arrays.types import Progress
from propgraph.errors import InputError
from propgraph.readers.date_orders import orders_by_others
from propgraph.readers.find import together
from propgraph.readers.frames import LogLike
from propgraph.readers.log import Log, assemble
from propgraph.readers.parts import Part, notes_on, read_by, read_part, source_of
from propgraph.readers.plan import Plan, PlannedFile, plan_logs
from propgraph.readers.values import ids, post_kinds
from propgraph.schema import POSTS, REJECTED

_log = logging.getLogger(__name__)


def read_log(
    *logs: LogLike,
    format: str | None = None,
    mapping: Mapping[str, str] | None = None,
    encoding: str | None = None,
    skip_lines: int | None = None,
    time_format: str | None = None,
    time_zone: str | None = None,
) -> pl.DataFrame:
    """Return the posts in `logs` as one frame.

    Parameters
    ----------
    logs
        Files, folders or globs, `-` for standard input; CSV, TSV, NDJSON, Parquet or Arrow IPC, plain, gzip, zstd,
        bzip2 or xz; zip or tar archives of them. Or frames of Polars, Arrow, pandas or whatever else gives its
        columns as Arrow's; they are called `frame`, `frame 2`, ... in all that is told.
    format
        Name of a reader; None chooses by the columns.
    mapping
        Columns of one's own, `{"account_id": "user", ...}`; no others are read, unless a key `auto` (of any
        value) adds those that bear propgraph's own names. Times that stand in several columns are named with a
        plus: `{"timestamp": "date+time"}`; columns of a CSV without a header by their numbers:
        `{"account_id": "#2"}`; keys in objects of JSON by their paths: `{"urls": "links[].href"}`.
    time_format
        How times are written, as for `strptime`: `%d.%m.%Y %H:%M`; None finds it, for each file and column.
    time_zone
        Whose clocks times without a zone of their own are by, as an IANA name: `Europe/Paris`. None takes UTC.
    encoding
        Of text files, by any name that Python knows: `windows-1252`. None takes them for UTF-8 where they can be,
        and else guesses; a byte order mark overrules both.
    skip_lines
        Lines before the header of a table. None finds the header by the names in it.

    Returns
    -------
    pl.DataFrame
        The columns of `posts` (`schema.POSTS`), sorted by time, account and post. Rows that cannot be
        used are left out and counted in a log message; `read_logs` returns them.

    Raises
    ------
    InputError
        When a file cannot be read, no reader fits, or no row can be used.
    UsageError
        When `format` is no reader's name, or given together with a `mapping`; when `time_format` or `time_zone`
        is none, or there is no such encoding.

    Examples
    --------
    >>> import polars as pl
    >>> import propgraph as pg
    >>> log = pl.DataFrame({"who": ["bo", "ana"], "day": ["25.03.2024"] * 2, "time": ["10:30", "10:00"]})
    >>> posts = pg.read_log(log, mapping={"account_id": "who", "timestamp": "day+time"}, time_zone="Europe/Paris")
    >>> posts.select("account_id", pl.col("timestamp").dt.to_string("%F %T %Z")).rows()
    [('ana', '2024-03-25 09:00:00 UTC'), ('bo', '2024-03-25 09:30:00 UTC')]
    """
    log = read_logs(
        logs, format=format, mapping=mapping, encoding=encoding, skip_lines=skip_lines, time_format=time_format,
        time_zone=time_zone,
    )  # fmt: skip
    for note in log.notes:
        _log.warning("%s", note)
    if log.rejected.height:
        _log.warning("%d of %d rows cannot be used and are left out", log.rejected.height, log.n_rows)
    return POSTS.conform(log.posts)


def read_logs(
    logs: LogLike | Iterable[LogLike],
    /,
    *,
    format: str | None = None,
    mapping: Mapping[str, str] | None = None,
    encoding: str | None = None,
    skip_lines: int | None = None,
    time_format: str | None = None,
    time_zone: str | None = None,
    progress: Progress | None = None,
) -> Log:
    """Return all that `logs` hold; see `read_log` for the parameters and errors."""
    plan = plan_logs(
        logs, format=format, mapping=mapping, encoding=encoding, skip_lines=skip_lines, time_format=time_format,
        time_zone=time_zone,
    )  # fmt: skip
    return read_planned(plan, progress=progress)


def read_planned(plan: Plan, /, *, progress: Progress | None = None) -> Log:
    """Return all that the files of a plan hold."""
    parts = _read_files(plan.files, progress)
    _settle_orders(parts)
    _settle_kinds(parts)
    sources = [source_of(part) for part in parts]
    notes = [*plan.notes, *(note for part in parts for note in notes_on(part))]
    posts = [frame for part in parts for frame in ids.without_lost(part.posts, part.facts.digits)]
    origins = [(part.facts.source, lines) for part in parts for lines in part.lines]
    rejected = [frame for part in parts for frame in part.rejected]
    parts.clear()  # or the posts would stay twice in memory
    if not any(frame.height for frame in posts):
        raise InputError(_nothing_left(sources, pl.concat([REJECTED.empty(), *rejected])))
    return assemble(posts, origins, rejected, sources=sources, notes=notes)


def _read_files(files: Sequence[PlannedFile], progress: Progress | None) -> list[Part]:
    """Read each file by itself; a file's part of the progress is its part of all bytes."""
    total = sum(one.n_to_read for one in files) or 1  # a frame may be empty
    parts: list[Part] = []
    done = 0
    for one in files:
        size = one.n_to_read
        parts.append(read_part(one, _scaled(progress, size, done / total, size / total)))
        done += size
        if progress:
            progress("reading", done / total)
    return parts


def _scaled(progress: Progress | None, size: int, start: float, share: float) -> Callable[[int], None] | None:
    if progress is None:
        return None
    seen = 0

    def tell(n_bytes: int) -> None:
        nonlocal seen
        seen += n_bytes
        progress("reading", start + share * min(1.0, seen / size))

    return tell


def _settle_orders(parts: list[Part]) -> None:
    """Read files whose dates may be of two orders once more, by the order of the others of their reader."""
    names = [part.planned.reader.name for part in parts]
    for k, settled in orders_by_others(names, [part.facts for part in parts]):
        parts[k] = read_by(parts[k].planned, settled, None)


def _settle_kinds(parts: Sequence[Part]) -> None:
    """Put into the posts what their parents imply, judged over all files that have the same columns of one's own."""
    alike: dict[tuple[Any, ...], list[Part]] = {}
    for part in parts:
        names = part.planned.reader.names
        if names is not None:
            columns = sorted(part.planned.columns)
            alike.setdefault((tuple(sorted(names.items())), *columns), []).append(part)
    for (names_there, *_), same in alike.items():
        by_log = any(part.facts.given["kind"] or part.facts.unknown_kinds.total() for part in same)
        found = post_kinds.with_parents_kinds([part.posts for part in same], dict(names_there), by_log=by_log)
        for part, (posts, implied) in zip(same, found, strict=True):
            part.posts, part.facts.implied = posts, implied


def _nothing_left(sources: list[dict[str, Any]], rejected: pl.DataFrame) -> str:
    where = together([source["path"] for source in sources])
    if rejected.is_empty():
        return f"{where}: a header but no rows"
    first = rejected.row(0, named=True)
    row = f" (row: {first['raw'][:200]})" if first["raw"] else ""
    return (
        f"{where}: none of {rejected.height} rows can be used; the first, line {first['line']}: "
        f"{first['reason']}{row}"
    )
