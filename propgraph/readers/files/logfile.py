"""One input file: where its bytes are, how they are packed, and what they hold."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

import polars as pl

from propgraph.readers.files.spool import Spool
from propgraph.readers.files.streams import headed, recoded, unscripted, without_lines
from propgraph.readers.files.unpack import BytesRead, open_unpacked


@dataclass(frozen=True)
class LogFile:
    """One input file.

    Attributes
    ----------
    path
        Where its bytes are.
    layout
        `csv`, `ndjson` (one JSON value a line), `json` (values over several lines), `chat`, `parquet`, `ipc`,
        `workbook`, or `frame` for no file at all but a frame in memory.
    packed
        How its bytes are packed, the outer packing first: `gzip`, `zstd`, `bzip2`, `xz`.
    separator
        Of a CSV: comma, tab, semicolon or bar.
    script
        Bytes before the JSON in a script that gives it a name: `window.YTD.tweets.part0 = [...]`.
    encoding
        Of a text file, by Python's name; None where nothing is known yet.
    sheet
        Of a workbook, the name of the sheet.
    skip_lines
        How many lines stand before the header of a CSV, or before the first record.
    header
        Of a CSV that has none, the one to put before its first record.
    by_name
        The user named this very file; False where a folder, a pattern or an archive led to it.
    shown
        What to call it where that is not `path`: `-`, `archive.zip/member.csv`.
    given
        The file that the user gave, where that is not `path`: an archive.
    member_bytes
        How many bytes it has in the archive that it is from.
    frame
        What there is in the place of a file.
    notes
        What to tell of it: what follows its name in a sentence.
    spools
        The temporary files that `path` and `given` may be, kept for as long as this refers to them.
    """

    path: Path
    layout: str = ""
    packed: tuple[str, ...] = ()
    separator: str = ","
    encoding: str | None = None
    script: int = 0
    sheet: str | None = None
    skip_lines: int = 0
    header: str | None = None
    by_name: bool = True
    shown: str | None = None
    given: Path | None = None
    member_bytes: int | None = None
    frame: pl.DataFrame | None = field(default=None, compare=False, repr=False)
    notes: tuple[str, ...] = field(default=(), compare=False)
    spools: tuple[Spool, ...] = field(default=(), compare=False, repr=False)

    @property
    def name(self) -> str:
        """What to call it in messages and tables."""
        return self.shown or str(self.path)

    @property
    def is_nested(self) -> bool:
        """Whether it holds records whose keys and values vary, JSON or a chat, and not a table."""
        return self.layout in ("ndjson", "json", "chat")

    @property
    def size(self) -> int:
        """Bytes of `path`, packed as they are; of a frame, those in memory, about."""
        if self.frame is not None:
            return int(self.frame.estimated_size())
        return self.path.stat().st_size

    def open_raw(self, *, progress: BytesRead | None = None) -> IO[bytes]:
        """Open the file for reading, unpacked and no more; `progress` is called with the bytes just read of `path`."""
        return open_unpacked(self.path, self.packed, progress=progress)

    def open(self, *, progress: BytesRead | None = None) -> IO[bytes]:
        """Open the file for reading: unpacked, text as UTF-8 without a mark, from its header or its JSON on."""
        stream = self.open_raw(progress=progress)
        if self.encoding == "utf-8-sig":
            stream.read(len(codecs.BOM_UTF8))
        elif self.encoding not in (None, "utf-8"):
            stream = recoded(stream, self.encoding)
        if self.skip_lines:
            stream = without_lines(stream, self.skip_lines)
        if self.header is not None:
            stream = headed(stream, self.header)
        return unscripted(stream, self.script) if self.script else stream

    def plain(self) -> LogFile:
        """Return the file unpacked, in a temporary file where it is packed: one that can be read at any place."""
        if not self.packed:
            return self
        with self.open_raw() as stream:
            spool = Spool(stream)
        return replace(
            self, path=spool.path, packed=(), shown=self.name, given=self.given or self.path,
            spools=(*self.spools, spool),
        )  # fmt: skip
