"""What the files of a log held, kept in the study as it was read: a log that grows is not read again.

Kept are the raw columns, before anything is made of them, and what was rejected for being no row. Whatever hangs on
all files together (the order of the numbers in dates, what a parent implies) is settled anew with every new file.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from propgraph.errors import StudyError
from propgraph.readers.base import Reader
from propgraph.readers.files.logfile import LogFile
from propgraph.readers.files.paths import STDIN
from propgraph.readers.layouts.batches import Batch
from propgraph.readers.registry import OWN, READERS

_TOLD = "part.json"
_LINE = "line"
# In the order in which a plan has them.
_KINDS = ("file", "stdin", "frame")
_STDIN = re.compile(r"-(?: (\d+))?(?=/|$)")
_NUMBERED = {"stdin": _STDIN, "frame": re.compile(r"frame(?: (\d+))?$")}


@dataclass(frozen=True)
class KeptPart:
    """What is kept of one file.

    Attributes
    ----------
    folder
        Where it is.
    told
        `name`, `path` (of an archive, where it is out of one), `layout`, `by_name`, `bytes`, `reader`, `names`,
        `columns`, `unread`, `mapped`, `kept`, `beside`, `fault`, and of each batch `lines`, `nested` and `notes`.
    """

    folder: Path
    told: dict[str, Any]

    @property
    def file(self) -> LogFile:
        """The file as it was planned; nothing is read of it any more."""
        return LogFile(
            Path(self.told["path"]),
            self.told["layout"],
            by_name=self.told["by_name"],
            shown=self.told["name"],
            member_bytes=self.told["bytes"],
        )

    @property
    def reader(self) -> Reader:
        """The reader of its raw columns."""
        return replace(OWN, names=self.told["names"]) if self.told["mapped"] else READERS[self.told["reader"]]

    def batches(self) -> Iterator[Batch]:
        """Yield what was read, batch by batch."""
        for k, told in enumerate(self.told["batches"]):
            lines = told["lines"]
            yield Batch(
                self._read(f"{k}.rows"),
                self._read(f"{k}.lines")[_LINE].to_numpy() if lines is None else range(*lines),
                self._read(f"{k}.rejected"),
                nested=told["nested"],
                notes=list(told["notes"]),
            )

    def _read(self, name: str) -> pl.DataFrame:
        file = self.folder / f"{name}.arrow"
        try:
            return pl.read_ipc(file)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise StudyError(f"{file}: cannot be read ({error}); build the study anew") from error


def kept_parts(folder: Path, /) -> list[KeptPart]:
    """Return what is kept in a folder, in no order.

    Raises
    ------
    StudyError
        When something in it cannot be read.
    """
    parts = []
    for file in sorted(folder.glob(f"*/{_TOLD}")):
        try:
            parts.append(KeptPart(file.parent, json.loads(file.read_text(encoding="utf-8"))))
        except (OSError, ValueError) as error:
            raise StudyError(f"{file}: cannot be read ({error}); build the study anew") from error
    return parts


def keep(batches: Iterable[Batch], folder: Path, /, *, told: dict[str, Any]) -> Iterator[Batch]:
    """Yield batches as they come, and keep them in the folder for parts; it is told of when all are there."""
    mine = folder / part_name(told["name"])
    shutil.rmtree(
        mine, ignore_errors=True
    )  # never written into: the study that is there has links to these files
    mine.mkdir(parents=True)
    of_batches = []
    for k, batch in enumerate(batches):
        batch.frame.write_ipc(mine / f"{k}.rows.arrow", compression="zstd")
        batch.rejected.write_ipc(mine / f"{k}.rejected.arrow", compression="zstd")
        lines = [batch.line.start, batch.line.stop] if isinstance(batch.line, range) else None
        if lines is None:
            pl.DataFrame({_LINE: batch.line}).write_ipc(mine / f"{k}.lines.arrow", compression="zstd")
        of_batches.append({"lines": lines, "nested": batch.nested, "notes": batch.notes})
        yield batch
    text = json.dumps(told | {"batches": of_batches}, indent=1, ensure_ascii=False)
    (mine / _TOLD).write_text(text + "\n", encoding="utf-8")


def part_name(name: str, /) -> str:
    """Return what the folder of a file's part is called: names of files may be of any length and make."""
    return hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()


def kind_of(file: LogFile, /) -> str:
    """Return whether a log came as a file, by standard input (a member of an archive, too) or as a frame."""
    if file.layout == "frame":
        return "frame"
    return "stdin" if file.shown is not None and _STDIN.match(file.shown) else "file"


def place_of(file: LogFile, /) -> tuple[int, Path, int, str]:
    """Return by what a plan is sorted: files by their paths, then standard input, then frames."""
    kind = kind_of(file)
    if kind == "file":
        return 0, file.given or file.path, 0, file.name
    return _KINDS.index(kind), Path(), number_of(file), file.name


def number_of(file: LogFile, /) -> int:
    """Return the number of a frame, or of what came by standard input: 1 of `frame`, 2 of `frame 2`; 0 of a file."""
    found = _NUMBERED[kind_of(file)].match(file.name) if kind_of(file) in _NUMBERED else None
    return 0 if found is None else int(found[1] or 1)


def further(file: LogFile, n: int, /) -> LogFile:
    """Return a frame, or what came by standard input, numbered on after `n` that were there before."""
    kind = kind_of(file)
    if not n or kind == "file":
        return file
    rest = _NUMBERED[kind].sub("", file.name, count=1)
    first = STDIN if kind == "stdin" else "frame"
    return replace(file, shown=f"{first} {number_of(file) + n}{rest}")
