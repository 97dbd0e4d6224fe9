"""Logs to posts: every input row becomes one row of `posts` or one of `rejected`."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from propgraph.arrays.encoding import encode
from propgraph.arrays.types import Progress
from propgraph.errors import InputError
from propgraph.readers import ids, missing, permalinks, post_kinds
from propgraph.readers.base import CANONICAL, Reader
from propgraph.readers.batches import Lines
from propgraph.readers.beside import Beside, opened
from propgraph.readers.date_orders import notes_on_times, orders_by_others
from propgraph.readers.files import find_logs, looks_like_log, together
from propgraph.readers.fineness import RESOLUTION, SOURCE, Fineness, of_sources, with_resolutions
from propgraph.readers.frames import LogLike, as_logs
from propgraph.readers.headers import later_headers, likelier, told_header, told_likely
from propgraph.readers.kinds import WORKBOOK
from propgraph.readers.logfile import LogFile
from propgraph.readers.made_ids import with_made_ids
from propgraph.readers.order import Origins, in_order_once
from propgraph.readers.origins import with_origins
from propgraph.readers.paths import STDIN
from propgraph.readers.registry import PLACES_OF_RECORDS, READERS, choose_reader
from propgraph.readers.rows import FileFacts, normalise
from propgraph.readers.scoped import with_scopes
from propgraph.readers.tabular import columns_of, read_batches
from propgraph.readers.times import AS_FOUND, NONE_SEEN, TimeOptions
from propgraph.schema import ACCOUNTS, POSTS, REJECTED

PROFILE = ("account_name", "account_created_at", "followers")
_ALWAYS = ("content_id", "account_id", "timestamp")
# Ids that mean something on their own platform only.
_OF_PLATFORM = (
    "content_id", "account_id", "parent_content_id", "origin_account_id", "origin_account_name", "target_id",
)  # fmt: skip
_ORIGINALS = {
    "originals_by_author": "unnamed posts: {:,} found in the log, by their author and link or text",
    "originals_not_in_log": "unnamed posts: {:,} not found in the log, called of:AUTHOR:LINK",
    "originals_by_text": "unnamed posts: {:,} without an author either, one original for each text",
}

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Log:
    """What was read.

    Attributes
    ----------
    posts
        The columns of `schema.POSTS` that hold anything, `account_id` and `object_id` encoded; in
        canonical order (time, account, post, object).
    profiles
        `account_id, name, created_at, followers` for each post that carries any of them.
    rejected
        The columns of `schema.REJECTED`.
    sources
        For each file: path, bytes, reader, rows, unit of time, how fine its times are (s); of columns of one's own
        what each of them gave: `columns`, by canonical name the `column` and the `rows` it has a value in.
    notes
        Sentences that the user has to be told.
    times
        How fine the times of each file are, on each of its platforms.
    """

    posts: pl.DataFrame
    profiles: pl.DataFrame
    rejected: pl.DataFrame
    sources: list[dict[str, Any]]
    notes: list[str] = field(default_factory=list)
    times: list[Fineness] = field(default_factory=list)

    @property
    def n_rows(self) -> int:
        """Rows in: posts and rejected rows."""
        return self.posts.height + self.rejected.height


@dataclass(frozen=True)
class PlannedFile:
    """A file, its reader, the columns to read, those of a table that nobody asked for; what the user said of them.

    `beside` is the file that tells more of its posts.
    """

    file: LogFile
    reader: Reader
    columns: list[str]
    unread: list[str]
    mapped: bool = False
    beside: LogFile | None = None
    times: TimeOptions = AS_FOUND


@dataclass(frozen=True)
class Plan:
    """The files to be read, and sentences that the user has to be told."""

    files: list[PlannedFile]
    notes: list[str]


@dataclass
class _Part:
    """What one file gives: its posts batch by batch, with the lines they stand in."""

    facts: FileFacts
    posts: list[pl.DataFrame] = field(default_factory=list)
    lines: list[Lines] = field(default_factory=list)
    rejected: list[pl.DataFrame] = field(default_factory=list)
    n_rows: int = 0
    beside: dict[str, str] | None = None


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
        plus: `{"timestamp": "date+time"}`.
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


def plan_logs(
    logs: LogLike | LogFile | Iterable[LogLike | LogFile],
    /,
    *,
    format: str | None = None,
    mapping: Mapping[str, str] | None = None,
    encoding: str | None = None,
    skip_lines: int | None = None,
    time_format: str | None = None,
    time_zone: str | None = None,
) -> Plan:
    """Return how `logs` are to be read, by no more than their first records; see `read_log`."""
    times = TimeOptions(time_format, time_zone)
    given = as_logs(logs)
    frames = [log for log in given if isinstance(log, LogFile)]
    names = [log for log in given if not isinstance(log, LogFile)]
    files: list[LogFile] = []
    notes: list[str] = []
    if names or not frames:
        files, notes = find_logs(names, encoding=encoding, skip_lines=skip_lines, stdin=True)
    plan = _plan([*files, *frames], format, mapping or {}, notes, search=skip_lines is None)
    return Plan([replace(one, times=times) for one in plan.files], plan.notes)


def read_planned(plan: Plan, /, *, progress: Progress | None = None) -> Log:
    """Return all that the files of a plan hold."""
    total = sum(one.file.size for one in plan.files) or 1  # a frame may be empty
    parts: list[_Part] = []
    done = 0
    for one in plan.files:
        size = one.file.size
        parts.append(_read_file(one, _scaled(progress, size, done / total, size / total)))
        done += size
        if progress:
            progress("reading", done / total)
    for k, settled in orders_by_others(
        [one.reader.name for one in plan.files], [part.facts for part in parts]
    ):
        parts[k] = _read_once(plan.files[k], settled, None)
    _settle_kinds(plan.files, parts)
    for part in parts:
        part.posts = ids.without_lost(part.posts, part.facts.digits)
    sources = [_source(one, part) for one, part in zip(plan.files, parts, strict=True)]
    notes = list(plan.notes)
    notes += [
        note
        for one, part in zip(plan.files, parts, strict=True)
        for note in _told(part.facts, one.reader, mapped=one.mapped)
    ]
    posts = [frame for part in parts for frame in part.posts]
    origins = [(part.facts.source, lines) for part in parts for lines in part.lines]
    rejected = [frame for part in parts for frame in part.rejected]
    parts.clear()  # or the posts would stay twice in memory
    if not any(frame.height for frame in posts):
        raise InputError(_nothing_left(sources, pl.concat([REJECTED.empty(), *rejected])))
    return _assemble(posts, origins, rejected, sources, notes)


def _plan(
    files: list[LogFile], format: str | None, mapping: Mapping[str, str], notes: list[str], *, search: bool
) -> Plan:
    """Choose each file's reader before any is read, so that a wrong column is told at once.

    A file that no reader fits is an error where the user named it; from a folder it is left out, and
    told. Where nothing else is left that is an error too.
    """
    plan: list[PlannedFile] = []
    faults: list[str] = []
    left_out: list[str] = []
    others = Beside(files, READERS.values())
    for file in files:
        if others.claims(file):
            continue
        try:
            one, told = _planned(file, format, mapping, search=search)
            plan.append(replace(one, beside=others.find(one.file, one.reader)))
            notes += told
        except InputError as error:
            stated = mapping or file.name == STDIN or file.layout in (WORKBOOK, "frame")
            if file.by_name and not stated and not looks_like_log(Path(file.name)):
                faults.append(_not_a_log(file))
                continue
            (faults if file.by_name else left_out).append(str(error))
    if faults or not plan:
        raise InputError(together(faults or left_out, shown=3))
    return Plan(plan, [*notes, *(f"{fault} (left out)" for fault in left_out), *others.notes])


def _planned(
    file: LogFile, format: str | None, mapping: Mapping[str, str], *, search: bool
) -> tuple[PlannedFile, list[str]]:
    """Return how one file is to be read, and what to tell of it; `search` for a header further down."""

    def planned(file: LogFile, found: list[str]) -> PlannedFile:
        reader = choose_reader(
            found, source=file.name, nested=_is_nested(file), format=format, mapping=mapping
        )
        unread = [] if reader.rows else [name for name in found if name not in reader.reads]
        if mapping and (own := [name for name in unread if name in CANONICAL]):
            told.append(
                f"{file.name}: {', '.join(own)}: not mapped, so not read, though propgraph has columns of that "
                "name; --map auto (in Python: mapping={'auto': 'auto'}) reads them, too"
            )
        return PlannedFile(file, reader, _wanted(file, reader, found), unread, mapped=bool(mapping))

    told = [f"{file.name}: {note}" for note in file.notes]
    found = columns_of(file, lists=PLACES_OF_RECORDS)
    try:
        return planned(file, found), [*(told_header(file) if file.layout == WORKBOOK else ()), *told]
    except InputError as error:
        fault, most = error, found
    for other, names in later_headers(file, search=search):
        try:
            return planned(other, names), [*told_header(other), *told]
        except InputError as error:
            if likelier(names, most):
                fault, most = InputError(f"{error}{told_likely(other)}"), names
    raise fault


def _not_a_log(file: LogFile) -> str:
    """Return what to tell of a file that is no log by its name, nor by its columns."""
    with file.open() as stream:
        first = stream.readline(200).decode(errors="replace").strip()
    return (
        f"{file.name}: not a log, neither by its name nor by its first line, {first[:60]!r}; a log is CSV, TSV, JSON, "
        "NDJSON, Parquet or Arrow, and its columns are named in its first line or by its keys. Was another "
        "file meant? Where it is a log all the same, name its columns: --map account_id=COLUMN --map timestamp=COLUMN "
        "(in Python: mapping=)"
    )


def _is_nested(file: LogFile) -> bool:
    return file.layout in ("ndjson", "json", "chat")


def _wanted(file: LogFile, reader: Reader, found: list[str]) -> list[str]:
    """Return the columns to read; of a reader of nested records, those that it fills."""
    if reader.rows is not None:
        return [name for name in CANONICAL if name in reader.fields]
    wanted = [name for name in found if name in reader.reads]
    repeated = [name for name, n in Counter(wanted).items() if n > 1]
    if repeated:
        raise InputError(f"{file.name}: the header names {repeated[0]!r} more than once; rename one of them")
    if _is_nested(file):
        # Any record may have a key that the first ones lack. Not so ids: they are there or they are made.
        return [name for name in reader.reads if name in found or name != "content_id"]
    return wanted


def _scaled(progress: Progress | None, size: int, start: float, share: float) -> Callable[[int], None] | None:
    if progress is None:
        return None
    seen = 0

    def tell(n_bytes: int) -> None:
        nonlocal seen
        seen += n_bytes
        progress("reading", start + share * min(1.0, seen / size))

    return tell


def _read_file(one: PlannedFile, tell: Callable[[int], None] | None) -> _Part:
    """Read one file; once more, where all its rows say that it was read wrongly by what the first ones say."""
    part = _read_once(one, FileFacts(one.file.name, is_json=_is_nested(one.file), times=one.times), tell)
    settled = part.facts.to_read_again()
    return part if settled is None else _read_once(one, settled, None)


def _source(one: PlannedFile, part: _Part) -> dict[str, Any]:
    source: dict[str, Any] = {
        "path": part.facts.source, "bytes": one.file.member_bytes or one.file.size, "reader": one.reader.name,
        "rows": part.n_rows, "time_unit": part.facts.units.get("timestamp", NONE_SEEN).name,
        RESOLUTION: part.facts.written_s,
    }  # fmt: skip
    if part.beside:
        source["beside"] = part.beside
    if one.mapped:
        source["columns"] = _columns(one.reader.names or {}, part.facts)
    return source


def _columns(names: Mapping[str, str], facts: FileFacts) -> dict[str, dict[str, Any]]:
    """Return what each column of the log gave: `column`, `rows`, and how `lists` are written, by canonical name."""
    columns: dict[str, dict[str, Any]] = {
        name: {"column": column, "rows": facts.given[name]} for name, column in names.items()
    }
    for name, found in facts.lists.items():
        if found.how:
            columns[name]["lists"] = found.how.removeprefix("lists ")
    if facts.implied:
        columns["kind"] = {
            "column": " or ".join(post_kinds.parents_columns(names)), "rows": facts.implied.total(),
            "implied": ", ".join(sorted(facts.implied)),
        }  # fmt: skip
    return columns


def _read_once(one: PlannedFile, facts: FileFacts, tell: Callable[[int], None] | None) -> _Part:
    reader, beside, fault = opened(one.reader, one.file, one.beside)
    part = _Part(facts, beside=beside)
    facts.notes += [fault] if fault else []
    for batch in read_batches(one.file, one.columns, reader=reader, progress=tell):
        facts.notes += batch.notes
        part.n_rows += batch.frame.height + batch.rejected.height
        posts, lines, rejected = normalise(batch, one.reader, facts)
        part.posts.append(posts)
        part.lines.append(lines)
        part.rejected += [batch.rejected, rejected]
    if any(posts.height and "content_id" not in posts.columns for posts in part.posts):
        facts.notes.append("no post ids; made from account, time and content (post:...)")
    return part


def _settle_kinds(files: Sequence[PlannedFile], parts: Sequence[_Part]) -> None:
    """Put into the posts what their parents imply, judged over all files that have the same columns of one's own."""
    alike: dict[tuple[Any, ...], list[_Part]] = {}
    for one, part in zip(files, parts, strict=True):
        names = one.reader.names
        if names is not None:
            alike.setdefault((tuple(sorted(names.items())), *sorted(one.columns)), []).append(part)
    for (names_there, *_), same in alike.items():
        by_log = any(part.facts.given["kind"] or part.facts.unknown_kinds.total() for part in same)
        found = post_kinds.with_parents_kinds([part.posts for part in same], dict(names_there), by_log=by_log)
        for part, (posts, implied) in zip(same, found, strict=True):
            part.posts, part.facts.implied = posts, implied


def _told(facts: FileFacts, reader: Reader, *, mapped: bool) -> list[str]:
    notes = list(facts.notes)
    if (implied := post_kinds.told(facts.implied, reader.names or {})) is not None:
        notes.append(implied)
    notes += notes_on_times(facts)
    notes += missing.told(facts.missing) + ids.told(facts.digits) + permalinks.told(facts.permalinks)
    notes += [note for name, found in sorted(facts.lists.items()) for note in found.told(name)]
    if not mapped:
        notes += [f"{name}: {found.how}" for name, found in sorted(facts.lists.items()) if found.is_odd]
    if facts.id_times:
        notes.append(f"{facts.id_times:,} times made exact to the millisecond by the posts' ids")
    if facts.other_times:
        notes.append(
            f"{facts.other_times:,} posts have an id that says another time; the log's own time stands"
        )
    notes += [
        f"{name}: {n:,} made from what the row says (made:...), the log has none"
        for name, n in sorted(facts.made.items())
        if n
    ]
    if facts.unknown_kinds:
        word, _ = min(facts.unknown_kinds.items(), key=lambda item: (-item[1], item[0]))
        notes.append(
            f"kind: {facts.unknown_kinds.total():,} rows say {word!r} or another word that is none of original, "
            "reshare, quote, reply; taken as not known"
        )
    return [note if note.startswith(facts.source) else f"{facts.source}: {note}" for note in notes]


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


def _platforms_mix(frame: pl.DataFrame) -> bool:
    return "platform" in frame.columns and frame["platform"].drop_nulls().n_unique() > 1


def _of_platform(name: str) -> pl.Expr:
    """Return ids with their platform before them: 123 on one is not 123 on another."""
    plain = pl.col(name).cast(pl.String).str.strip_prefix("@")
    return pl.coalesce(pl.col("platform") + ":" + plain, name).alias(name)


def _assemble(
    posts: list[pl.DataFrame],
    origins: Origins,
    rejected: list[pl.DataFrame],
    sources: list[dict[str, Any]],
    notes: list[str],
) -> Log:
    # One file alone `concat` leaves in pieces, out of which lists are gathered ten times as slowly.
    frame = pl.concat([part for part in posts if part.height], how="diagonal_relaxed").rechunk()
    posts.clear()  # the copies would double the memory
    frame, n_again = with_made_ids(frame)
    by_path = sorted(sources, key=lambda source: str(source["path"]))
    frame = frame.with_columns(_numbered(origins, by_path))  # by now, for an id does not hang on the file
    if n_again:
        notes.append(
            f"{n_again:,} rows without a post id say the same as another; each counts as a post of its own, so if "
            "a file was given twice, or two files overlap, leave one out"
        )
    frame, scoped = with_scopes(frame)
    notes += scoped
    mixed = _platforms_mix(frame)
    if mixed:
        notes.append("several platforms: ids of accounts, posts and groups begin with theirs (x:123)")
        frame = frame.with_columns(_of_platform(name) for name in _OF_PLATFORM if name in frame.columns)
    frame = frame.drop(
        name for name in frame.columns if name not in _ALWAYS and frame[name].null_count() == frame.height
    )
    encoded = [
        name for name in ("account_id", "object_id") if name in frame.columns and not frame[name].null_count()
    ]
    with ThreadPoolExecutor() as pool:
        frame = frame.with_columns(list(pool.map(lambda name: encode(frame[name]), encoded)))
    frame, repeats = in_order_once(frame, origins)
    frame, by_text = post_kinds.settled(frame)
    if by_text:
        notes.append(
            f"kind: {by_text['reshare']:,} rows with a parent that say what it says are reshares, "
            f"{by_text['reply']:,} with another text replies"
        )
    if repeats.height:  # whoever stands in rejected rows alone is no account of this log
        frame = frame.with_columns(encode(frame[name].cast(pl.String)) for name in encoded)
    frame, times = with_resolutions(frame, by_path)
    name = (
        "account_name" if "account_name" in frame.columns else pl.lit(None, pl.String).alias("account_name")
    )
    names = frame.select(
        "account_id", _of_platform("account_name") if mixed and isinstance(name, str) else name
    )
    frame, originals = with_origins(frame, names)
    notes += [f"reshares of {_ORIGINALS[kind].format(n)}" for kind, n in originals.items() if n]
    profiles = frame.select(
        "account_id",
        *(pl.col(name).alias(name.removeprefix("account_")) for name in PROFILE if name in frame.columns),
    )
    return Log(
        posts=frame.drop(PROFILE, strict=False),
        profiles=profiles if profiles.width > 1 else ACCOUNTS.empty().select("account_id"),
        rejected=pl.concat([*rejected, repeats]).sort(*REJECTED.key),
        sources=of_sources(sources, times),
        notes=notes,
        times=times,
    )


def _numbered(origins: Origins, sources: list[dict[str, Any]]) -> pl.Series:
    """Return the number of each row's file, by its path: what is kept of a post in two does not hang on their order."""
    number = {source["path"]: k for k, source in enumerate(sources)}
    of_parts = np.repeat([number[path] for path, _ in origins], [len(lines) for _, lines in origins])
    return pl.Series(SOURCE, of_parts, dtype=pl.UInt32)
