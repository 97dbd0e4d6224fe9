"""Bytes that can be read only once, kept in a temporary file for as long as something refers to it."""

from __future__ import annotations

import errno
import os
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import IO

from propgraph.readers.files.streams import pieces_of
from propgraph.readers.files.unpack import RefusedError, packing


class Spool:
    """The bytes of a stream in a temporary file, which goes when the last reference to this goes.

    Parameters
    ----------
    stream
        Read to its end.
    packed
        Keep them packed (zstd, at its fastest): as large as the archive they come from, not as what is in it.
    check
        Called with each piece before it is written; may raise.

    Attributes
    ----------
    path
        The file.

    Raises
    ------
    OSError
        When the stream cannot be read, or the disk is full.
    """

    def __init__(
        self, stream: IO[bytes], /, *, packed: bool = False, check: Callable[[bytes], None] | None = None
    ) -> None:
        handle, name = tempfile.mkstemp(prefix="propgraph-")
        self.path = Path(name)
        weakref.finalize(self, self.path.unlink, missing_ok=True)
        try:
            with os.fdopen(handle, "wb") as file, packing(file) if packed else file as out:
                for piece in pieces_of(stream):
                    if check is not None:
                        check(piece)
                    out.write(piece)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise RefusedError(
                f"{self.path.parent} has no room for what is in it; set TMPDIR to a folder that has"
            ) from error
