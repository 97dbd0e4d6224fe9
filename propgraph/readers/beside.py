"""Files that are no logs of their own but tell more of the posts in a log beside them: accounts, an archive's owner."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path, PurePath

import orjson

from propgraph.readers.base import Reader
from propgraph.readers.files.logfile import LogFile
from propgraph.readers.files.paths import unreadable
from propgraph.readers.layouts.kinds import identify


class Beside:
    """The files beside the logs of one plan.

    Parameters
    ----------
    files
        All files found; those beside a log may be among them.
    readers
        All readers.
    """

    def __init__(self, files: Iterable[LogFile], readers: Collection[Reader]) -> None:
        self._files = {file.name: file for file in files}
        pairs = [(_beside(name, reader), name) for name in self._files for reader in readers]
        self._logs = {other: name for other, name in pairs if other in self._files}
        self._found: set[str] = set()

    def claims(self, file: LogFile, /) -> bool:
        """Return whether a file stands beside a log, and is none itself."""
        return file.name in self._logs

    def find(self, file: LogFile, reader: Reader, /) -> LogFile | None:
        """Return the file beside a log that this reader asks for, None where there is none."""
        name = _beside(file.name, reader)
        if name is None:
            return None
        found = self._files.get(name)
        if found is None and file.shown is None and Path(name).is_file():
            known = identify(LogFile(Path(name), by_name=False))
            found = known if isinstance(known, LogFile) else None
        if found is not None:
            self._found.add(found.name)
        return found

    @property
    def notes(self) -> list[str]:
        """Sentences on the files that were found, and on those that nothing was asked of."""
        notes = []
        if self._found:
            some = sorted(self._found)
            shown = ", ".join(some[:2]) + (", ..." if len(some) > 2 else "")
            notes.append(f"read together with the logs beside them: {len(some):,} files ({shown})")
        return notes + [
            f"{name}: left out, it tells more of the posts in {log} and is no log itself"
            for name, log in sorted(self._logs.items())
            if name not in self._found
        ]


def _beside(name: str, reader: Reader) -> str | None:
    """Return the name of the file that a reader asks for beside a log, with the log's folder or archive."""
    if reader.beside is None:
        return None
    path = PurePath(name)
    other = reader.beside(path.name)
    return None if other is None or other == path.name else str(path.with_name(other))


def opened(
    reader: Reader, log: LogFile, beside: LogFile | None, /
) -> tuple[Reader, dict[str, str] | None, str | None]:
    """Return the reader of this very log, `path` and `sha256` of the file beside it, and what is wrong with that."""
    if reader.opened is None:
        return reader, None, None
    value, known, fault = None, None, None
    if beside is not None:
        try:
            with beside.open() as stream:
                content = stream.read()
            value = orjson.loads(content)
            known = {"path": beside.name, "sha256": hashlib.sha256(content).hexdigest()}
        except orjson.JSONDecodeError as error:
            fault = f"{beside.name}: not JSON ({error}); {log.name} is read without it"
        except (OSError, EOFError) as error:
            fault = f"{beside.name}: {unreadable(error)}; {log.name} is read without it"
    return replace(reader, rows=reader.opened(log, value)), known, fault
