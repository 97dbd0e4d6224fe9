"""Tables without a header: their columns are called `#1`, `#2`, ... in a mapping, and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from propgraph.readers.base import TIMES
from propgraph.readers.files.logfile import LogFile
from propgraph.readers.layouts.tabular import columns_of

_NUMBERED = re.compile(r"#[1-9]\d*")
# What no person calls a column: an address, a number of five digits or more, a date or a time of day.
_VALUE = re.compile(
    r"https?://\S+|[-+]?\d{5,}(\.\d+)?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ].*)?|\d{1,2}:\d{2}(:\d{2})?",
    re.IGNORECASE,
)


def lacks_header(file: LogFile, found: Iterable[str], /) -> bool:
    """Return whether the first line of a table is a row, by what stands in it."""
    return file.layout == "csv" and any(_VALUE.fullmatch(name) for name in found)


def means_no_header(file: LogFile, found: Iterable[str], mapping: Mapping[str, str], /) -> bool:
    """Return whether a mapping names the columns of a table by their numbers, and it has none of such names."""
    if file.layout != "csv" or not mapping:
        return False
    parts = [part for name, raw in mapping.items() for part in (raw.split("+") if name in TIMES else [raw])]
    return all(_NUMBERED.fullmatch(part) for part in parts) and not set(parts) & set(found)


def without_header(file: LogFile, /) -> LogFile:
    """Return a table that has no header as one with `#1`, `#2`, ... for a header of its own."""
    names = [f"#{k}" for k in range(1, len(columns_of(file)) + 1)]
    return replace(file, header=file.separator.join(names))
