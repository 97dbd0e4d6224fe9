"""Which logs a user means: files, what folders, patterns and archives hold, and standard input."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path, PurePath

from propgraph.errors import InputError, check_at_least
from propgraph.readers.files.archives import read_tar, read_zip
from propgraph.readers.files.encodings import check_encoding
from propgraph.readers.files.logfile import LogFile
from propgraph.readers.files.paths import STDIN, NamedFile, find_named, unreadable
from propgraph.readers.files.spool import Spool
from propgraph.readers.layouts.kinds import EMPTY, TAR, WORKBOOK, ZIP, identify

__all__ = ["LogFile", "find_logs", "looks_like_log", "together", "unreadable"]

_SUFFIXES = {
    ".csv", ".tsv", ".tab", ".txt", ".ndjson", ".jsonl", ".json", ".parquet", ".arrow", ".feather", ".ipc",
}  # fmt: skip
_NO_LOG_BY_NAME = "not a log by its name"
_LEFT_OUT_BY_NAME = f": left out, {_NO_LOG_BY_NAME}"
_TOLD_EACH = 5  # of one folder
# Of the hundred scripts in an archive of X's those with posts, and the one that says whose they are.
_OF_AN_ARCHIVE = re.compile(r"(?:(?:tweets?|community-tweet)(?:-part\d+)?|account)\.js", re.IGNORECASE)
_PACKED = {".gz", ".zst", ".bz2", ".xz"}
# What is read only if it is named: beside it there often lies what it was made of, or what was made of it.
_NAMED_ONLY = dict.fromkeys((".zip", ".tar", ".tgz", ".tbz2", ".txz", ".tzst"), "an archive")
_NAMED_ONLY |= dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), "a workbook")
_KEPT_APART = {ZIP: "an archive", TAR: "an archive", WORKBOOK: "a workbook"}


def find_logs(
    logs: Iterable[str | Path],
    /,
    *,
    encoding: str | None = None,
    skip_lines: int | None = None,
    stdin: bool = False,
) -> tuple[list[LogFile], list[str]]:
    """Return the files behind `logs`, and a sentence for each file left out.

    Files come sorted by path and once each. From folders and globs only what has the suffix of a log and looks
    like one inside is taken; a file named by itself is taken whatever it is called. An archive is read like a
    folder where it is named itself, or by a pattern with its suffix. A file without a single row is left out,
    however it was named.

    Parameters
    ----------
    logs
        Files, folders, globs; `-` is standard input.
    encoding
        Of text files without a byte order mark, by any name that Python knows; None finds out.
    skip_lines
        Lines before the header of a table, or before the first record of a file of lines; None is none.
    stdin
        Standard input may be named. It can be read once, so that only one in a process should ask for it.

    Raises
    ------
    InputError
        When a name matches nothing, a file cannot be read, a file named by itself is no log, or no file
        holds anything; all such faults together.
    UsageError
        When there is no such encoding, or `skip_lines` is negative.
    """
    check_text_options(encoding, skip_lines)
    asked = LogFile(Path(), encoding=encoding, skip_lines=skip_lines or 0)
    named = find_named(logs)
    found: list[LogFile] = []
    left_out, faults = named.left_out, named.faults
    files = sorted(named.files.values(), key=lambda file: file.path)
    if named.stdin and stdin:
        files.append(NamedFile(Path(STDIN), by_name=True, by_suffix=True))
    elif named.stdin:
        faults.append(f"{STDIN}: standard input can be the log only; write this table to a file")
    for one in files:
        if not one.by_suffix and not looks_like_log(one.path):
            left_out.append(f"{one.path}: left out, {_no_log_by_name(one.path)}")
            continue
        try:
            for file in _identified(one, asked, left_out):
                (found if isinstance(file, LogFile) else faults).append(file)  # type: ignore[arg-type]
        except (OSError, EOFError) as error:
            faults.append(f"{one.path}: {unreadable(error)}")
    if faults:
        raise InputError(together(faults))
    if not found:
        raise InputError("no log to read: " + (together(left_out) if left_out else "no file was named"))
    return found, _folder_by_folder(left_out)


def _folder_by_folder(left_out: list[str]) -> list[str]:
    """Return the sentences with one for all files of a folder that are no logs by their names, if there are many."""
    of_folder: dict[PurePath, list[str]] = {}
    for sentence in left_out:
        if sentence.endswith(_LEFT_OUT_BY_NAME):
            path = PurePath(sentence.removesuffix(_LEFT_OUT_BY_NAME))
            of_folder.setdefault(path.parent, []).append(path.name)
    told: dict[str, None] = {}
    for sentence in left_out:
        path = PurePath(sentence.removesuffix(_LEFT_OUT_BY_NAME))
        names = of_folder.get(path.parent, [])
        if sentence.endswith(_LEFT_OUT_BY_NAME) and len(names) > _TOLD_EACH:
            some = ", ".join(names[:2])
            told[f"{path.parent}: {len(names):,} files left out, not logs by their names ({some}, ...)"] = (
                None
            )
        else:
            told[sentence] = None
    return list(told)


def check_text_options(encoding: str | None, skip_lines: int | None) -> None:
    """Raise `UsageError` where there is no such encoding of text, or a number of lines that cannot be."""
    if encoding is not None:
        check_encoding(encoding)
    if skip_lines is not None:
        check_at_least("skip_lines", skip_lines, 0)


def together(faults: list[str], /, *, shown: int = 5) -> str:
    """Return faults as one message, the first few of them in full."""
    more = f"; and {len(faults) - shown} more like these" if len(faults) > shown else ""
    return "; ".join(faults[:shown]) + more


def looks_like_log(path: PurePath, /) -> bool:
    """Return whether a file is a log by its name's suffix, packed or not, or one of an archive of X's."""
    suffixes = _unpacked_suffixes(path)
    return bool(suffixes) and (suffixes[-1] in _SUFFIXES or _OF_AN_ARCHIVE.fullmatch(path.name) is not None)


def _unpacked_suffixes(path: PurePath) -> list[str]:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    while suffixes and suffixes[-1] in _PACKED:
        suffixes.pop()
    return suffixes


def _no_log_by_name(path: Path) -> str:
    suffixes = _unpacked_suffixes(path)
    if suffixes and suffixes[-1] in _NAMED_ONLY:
        what = _NAMED_ONLY[suffixes[-1]]
        return f"{what} by its name; name it to have it read, or all of them: '*{path.suffix}'"
    return _NO_LOG_BY_NAME


def _identified(one: NamedFile, asked: LogFile, left_out: list[str]) -> Iterator[LogFile | str]:
    """Yield what a file is, the members of an archive one by one, or what is wrong with it."""
    if one.path == Path(STDIN):
        if sys.stdin.isatty():
            yield f"{STDIN}: standard input is a terminal; pipe a log into the command"
            return
        spool = Spool(sys.stdin.buffer)
        file = replace(asked, path=spool.path, shown=STDIN, given=spool.path, spools=(spool,))
    else:
        file = replace(asked, path=one.path, by_name=one.by_name)
    known = identify(file)
    if isinstance(known, LogFile) and known.layout in _KEPT_APART and not one.by_suffix:
        left_out.append(f"{one.path}: left out, {_KEPT_APART[known.layout]}; name it to have it read")
    elif isinstance(known, LogFile) and known.layout in (ZIP, TAR):
        yield from _members(known, left_out)
    elif isinstance(known, LogFile):
        yield known
    elif one.by_name and known != EMPTY:
        yield f"{file.name}: {known}"
    else:
        left_out.append(f"{file.name}: left out, {known}")


def _members(archive: LogFile, left_out: list[str]) -> Iterator[LogFile]:
    """Yield the logs in an archive."""
    told: list[str] = []
    if archive.layout == ZIP:
        members = read_zip(archive.path, _wanted, told)
    else:
        members = read_tar(archive.path, archive.packed, _wanted, told)
    found: list[LogFile] = []
    for member in members:
        file = replace(
            archive, path=member.spool.path, layout="", packed=(), by_name=False,
            shown=f"{archive.name}/{member.name}", given=archive.given or archive.path, member_bytes=member.size,
            spools=(*archive.spools, member.spool),
        )  # fmt: skip
        known = identify(file)
        if isinstance(known, LogFile) and known.layout in _KEPT_APART:
            known = f"{_KEPT_APART[known.layout]} in an archive; unpack that first"
        if isinstance(known, LogFile):
            found.append(known)
        else:
            told.append(f"/{member.name}: left out, {known}")
    if not found and not told:
        told.append(": left out, an archive without a log")
    left_out += [archive.name + what for what in told]
    yield from sorted(found, key=lambda file: file.name)


def _wanted(name: str) -> bool:
    return looks_like_log(PurePath(name))
