"""Workbooks of Excel's or LibreOffice's, each sheet of which may be a table; read where `fastexcel` is there."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from propgraph.readers.files.logfile import LogFile
from propgraph.readers.files.unpack import check_growth
from propgraph.readers.layouts.batches import Batch

if TYPE_CHECKING:
    from fastexcel import ExcelReader

# What a workbook of before 2007 begins with, and one with a password; those of today are zip archives.
OLD_MARK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
NOT_INSTALLED = (
    "a workbook; have it read with pip install 'propgraph[xlsx]', or save its sheet as CSV UTF-8 (ids formatted as "
    "text before, or they lose their last digits)"
)
_CONTENTS = ("xl/workbook.xml", "xl/workbook.bin", "content.xml")
_HEAD_ROWS = 200


def is_workbook(file: LogFile, /) -> bool:
    """Return whether a zip archive is a workbook.

    Raises
    ------
    OSError
        When it is damaged, or would unpack to what no workbook does.
    """
    try:
        with zipfile.ZipFile(file.path) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise OSError(str(error)) from error
    if not any(info.filename in _CONTENTS for info in infos):
        return False
    check_growth(sum(info.file_size for info in infos), file.size)
    return True


def is_readable() -> bool:
    """Return whether the library is there that reads workbooks."""
    return find_spec("fastexcel") is not None


def sheet_headers(file: LogFile, /, *, in_line: int | None = None) -> Iterator[tuple[LogFile, list[str]]]:
    """Yield a workbook with each sheet and line that can be a table's header, and the names there.

    Parameters
    ----------
    file
        A workbook.
    in_line
        The header is in the line after so many; None looks at the first lines.

    Raises
    ------
    OSError
        When it cannot be read.
    """
    for sheet in _sheets(file):
        head = _loaded(file, sheet, header_row=None, skip_rows=0, n_rows=_HEAD_ROWS, dtypes="string")
        for k, cells in enumerate(head.iter_rows()):
            names = [(cell or "").strip() for cell in cells]
            if sum(map(bool, names)) > 1 and in_line in (None, k):
                yield replace(file, sheet=sheet, skip_lines=k), names


def sheet_names(file: LogFile, /) -> list[str]:
    """Return the names of the columns of a workbook's sheet."""
    here = sheet_headers(file, in_line=file.skip_lines)
    return next(names for other, names in here if other.sheet == file.sheet)


def other_sheets(file: LogFile, /) -> list[str]:
    """Return the names of the sheets of a workbook that are not read."""
    return [name for name in _sheets(file) if name != file.sheet]


def read_sheet(file: LogFile, columns: Sequence[str], /) -> Batch:
    """Return the rows of a sheet, with the types that their cells have; rows without any cell are none."""
    names = sheet_names(file)
    whole = _loaded(file, file.sheet or "", header_row=file.skip_lines, schema_sample_rows=None)
    found = [whole.to_series(names.index(column)).alias(column) for column in columns]
    filled = whole.select(~pl.all_horizontal(pl.all().is_null())).to_series()
    line = np.flatnonzero(filled.to_numpy()) + file.skip_lines + 2
    return Batch(pl.DataFrame(found).filter(filled), line)


def _sheets(file: LogFile) -> list[str]:
    with _all_faults_told():
        return _book(file).sheet_names


def _loaded(file: LogFile, sheet: str, **options: Any) -> pl.DataFrame:
    with _all_faults_told():
        frame: pl.DataFrame = _book(file).load_sheet(sheet, **options).to_polars()
        return frame


def _book(file: LogFile) -> ExcelReader:
    from fastexcel import read_excel  # noqa: PLC0415  # an extra

    return read_excel(file.path)


@contextmanager
def _all_faults_told() -> Iterator[None]:
    """Raise all that the library raises, and what panics in it, as `OSError`."""
    try:
        yield
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:  # a panic is no Exception
        raise OSError(str(error).split("\n")[0]) from error
