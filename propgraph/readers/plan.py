"""How logs are to be read, by no more than their first records: their files, a reader for each, the columns."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from propgraph.errors import InputError, UnknownColumnsError
from propgraph.readers.base import CANONICAL, Reader
from propgraph.readers.beside import Beside
from propgraph.readers.files.logfile import LogFile
from propgraph.readers.files.paths import STDIN
from propgraph.readers.find import find_logs, looks_like_log, together
from propgraph.readers.frames import LogLike, as_logs
from propgraph.readers.guesses.offer import offer
from propgraph.readers.kept import KeptPart
from propgraph.readers.layouts.headerless import means_no_header, without_header
from propgraph.readers.layouts.headers import later_headers, likelier, told_header, told_likely
from propgraph.readers.layouts.kinds import WORKBOOK
from propgraph.readers.layouts.tabular import columns_of
from propgraph.readers.own import ALL, check_kept, kept_columns
from propgraph.readers.registry import PLACES_OF_RECORDS, READERS, choose_reader
from propgraph.readers.times.times import AS_FOUND, TimeOptions

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PlannedFile:
    """A file, its reader, the columns to read, those of a table that nobody asked for; what the user said of them.

    `beside` is the file that tells more of its posts; `kept` are columns to be kept as they are, besides. `part` is
    what an earlier build kept of the file, `parts` the folder in which this one is to keep it, `sha256` its digest
    where that is known already.
    """

    file: LogFile
    reader: Reader
    columns: list[str]
    unread: list[str]
    mapped: bool = False
    beside: LogFile | None = None
    times: TimeOptions = AS_FOUND
    kept: list[str] = field(default_factory=list)
    part: KeptPart | None = None
    parts: Path | None = None
    sha256: str | None = None

    @property
    def n_bytes(self) -> int:
        """Bytes of the file, as it was given or as it stands in its archive."""
        return int(self.part.told["bytes"]) if self.part else self.file.member_bytes or self.file.size

    @property
    def n_to_read(self) -> int:
        """Bytes that are read of it, packed as they are: none of what was kept."""
        return 0 if self.part else self.file.size


@dataclass(frozen=True)
class Plan:
    """The files to be read, and sentences that the user has to be told."""

    files: list[PlannedFile]
    notes: list[str]


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
    keep: Sequence[str] = (),
) -> Plan:
    """Return how `logs` are to be read, by no more than their first records; see `read_log`, for `keep` `build`."""
    times = TimeOptions(time_format, time_zone)
    given = as_logs(logs)
    frames = [log for log in given if isinstance(log, LogFile)]
    names = [log for log in given if not isinstance(log, LogFile)]
    files: list[LogFile] = []
    notes: list[str] = []
    if names or not frames:
        files, notes = find_logs(names, encoding=encoding, skip_lines=skip_lines, stdin=True)
    plan = _plan([*files, *frames], format, mapping or {}, notes, search=skip_lines is None)
    plan = _with_kept(plan, keep) if keep else plan
    return Plan([replace(one, times=times) for one in plan.files], plan.notes)


def planned_as_kept(part: KeptPart, /, *, times: TimeOptions, sha256: str) -> PlannedFile:
    """Return a file that an earlier build kept, to be read from there."""
    told = part.told
    return PlannedFile(
        part.file, part.reader, told["columns"], told["unread"], mapped=told["mapped"], times=times,
        kept=told["kept"], part=part, sha256=sha256,
    )  # fmt: skip


def _plan(
    files: list[LogFile], format: str | None, mapping: Mapping[str, str], notes: list[str], *, search: bool
) -> Plan:
    """Choose each file's reader before any is read, so that a wrong column is told at once.

    A file that no reader fits is an error where the user named it; from a folder it is left out, and
    told. Where nothing else is left that is an error too.
    """
    plan: list[PlannedFile] = []
    faults: list[InputError] = []
    left_out: list[InputError] = []
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
                faults.append(InputError(_not_a_log(file)))
                continue
            (faults if file.by_name else left_out).append(error)
    if faults or not plan:
        raise _together(faults or left_out)
    return Plan(plan, [*notes, *(f"{fault.message} (left out)" for fault in left_out), *others.notes])


class _NoReaderError(UnknownColumnsError):
    """What no reader knows, and where: what it likely is takes a look at its rows, and of one file alone."""

    def __init__(self, error: UnknownColumnsError, file: LogFile, found: list[str], more: str = "") -> None:
        super().__init__(error.message + more, details=error.details, mapping=error.mapping)
        self.file, self.found = file, found


def _together(faults: list[InputError]) -> InputError:
    """Return faults as one; of columns that no reader knows what they likely are, if nothing else is wrong."""
    first = faults[0]
    if not all(isinstance(fault, _NoReaderError) for fault in faults) or not isinstance(
        first, _NoReaderError
    ):
        return InputError(together([fault.message for fault in faults], shown=3))
    _log.info("%s", first.details)
    others = [
        fault.message
        for fault in faults[1:]
        if isinstance(fault, _NoReaderError) and fault.found != first.found
    ]
    offered = offer(first, first.file, first.found)
    if same := len(faults) - 1 - len(others):
        offered.lines.append(f"{same} more file{'s have' if same > 1 else ' has'} the same columns.")
    if others:
        offered.lines.append(f"Build other files by themselves: {together(others, shown=3)}")
    return offered


def _with_kept(plan: Plan, keep: Sequence[str]) -> Plan:
    """Return a plan by which columns of the user's own are kept, too."""
    files, notes, found = [], list(plan.notes), dict[str, None]()
    for one in plan.files:
        by_record = one.reader.rows is not None
        there = columns_of(one.file, lists=PLACES_OF_RECORDS) if by_record else [*one.columns, *one.unread]
        found.update(dict.fromkeys(there))
        files.append(replace(one, kept=kept_columns(keep, there, one.unread, nested=by_record)))
        if by_record and ALL in keep:
            notes.append(
                f"{one.file.name}: --keep all (in Python: keep='all') takes columns of tables; of nested JSON name "
                "the keys, as public_metrics.like_count"
            )
    check_kept(keep, list(found))
    return Plan(files, notes)


def _planned(
    file: LogFile, format: str | None, mapping: Mapping[str, str], *, search: bool
) -> tuple[PlannedFile, list[str]]:
    """Return how one file is to be read, and what to tell of it; `search` for a header further down."""

    def planned(file: LogFile, found: list[str]) -> PlannedFile:
        reader = choose_reader(found, source=file.name, nested=file.is_nested, format=format, mapping=mapping)
        unread = [] if reader.rows else [name for name in found if name not in reader.reads]
        if mapping and (own := [name for name in unread if name in CANONICAL]):
            told.append(
                f"{file.name}: {', '.join(own)}: not mapped, so not read, though propgraph has columns of that "
                "name; --map auto (in Python: mapping={'auto': 'auto'}) reads them, too"
            )
        return PlannedFile(file, reader, _wanted(file, reader, found), unread, mapped=bool(mapping))

    told = [f"{file.name}: {note}" for note in file.notes]
    found = columns_of(file, lists=PLACES_OF_RECORDS)
    if means_no_header(file, found, mapping):
        file = without_header(file)
        return planned(file, columns_of(file)), told
    try:
        return planned(file, found), [*(told_header(file) if file.layout == WORKBOOK else ()), *told]
    except InputError as error:
        fault, most = _placed(error, file, found), found
    for other, names in later_headers(file, search=search):
        try:
            return planned(other, names), [*told_header(other), *told]
        except InputError as error:
            if likelier(names, most):
                fault, most = _placed(error, other, names, told_likely(other)), names
    raise fault


def _placed(error: InputError, file: LogFile, found: list[str], more: str = "") -> InputError:
    """Return a fault with what is to be told of the header, and where no reader knows the columns, with these."""
    if isinstance(error, UnknownColumnsError):
        return _NoReaderError(error, file, found, more)
    return InputError(f"{error.message}{more}") if more else error


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


def _wanted(file: LogFile, reader: Reader, found: list[str]) -> list[str]:
    """Return the columns to read; of a reader of nested records, those that it fills."""
    if reader.rows is not None:
        return [name for name in CANONICAL if name in reader.fields]
    wanted = [name for name in found if name in reader.reads]
    repeated = [name for name, n in Counter(wanted).items() if n > 1]
    if repeated:
        raise InputError(f"{file.name}: the header names {repeated[0]!r} more than once; rename one of them")
    if file.is_nested:
        # Any record may have a key that the first ones lack. Not so ids: they are there or they are made.
        return [name for name in reader.reads if name in found or name != "content_id"]
    return wanted
