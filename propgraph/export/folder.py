"""A study's tables as files for other programs, what each column means, and the network for Gephi's table import."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from propgraph.errors import StudyError, UsageError, check_choice
from propgraph.export import workbook
from propgraph.export.network import network_tables
from propgraph.export.tables import lists_joined, plain, whole_file
from propgraph.export.text import csv_safe
from propgraph.schema import TABLES
from propgraph.study import Study, opened, run_first, unchanged

FORMATS = ("csv", "parquet", "feather", "xlsx")
GEPHI = ("gephi_nodes", "gephi_edges")
_DICTIONARY = "dictionary.csv"
WRITTEN = {"table": pl.String, "file": pl.String, "n_rows": pl.UInt64, "note": pl.String}


def export_study(
    study: Study | str | Path,
    folder: str | Path,
    /,
    *,
    format: str = "csv",
    tables: str | Sequence[str] | None = None,
    overwrite: bool = False,
) -> pl.DataFrame:
    """Write a study's tables into a folder, a file each, for spreadsheets, statistics and Gephi.

    Beside them `dictionary.csv` says what each column means: `table`, `column`, `dtype`, `unit`, `meaning`. Where the
    study has clusters, `gephi_nodes.csv` and `gephi_edges.csv` are what Gephi's "Import spreadsheet" takes: the network
    that `write_network` writes, without its positions and colours. Each file is whole or not there; CSV and Parquet are
    streamed, so that a table need not fit into memory.

    Parameters
    ----------
    study
        A study, open or by its path.
    folder
        Where to; made if it is not there. Not the study's own folder, nor one in it.
    format
        `csv`: UTF-8, commas; lists are joined by `|`, times are ISO 8601. No cell is a formula to a spreadsheet,
        whether that parts cells by commas or by semicolons: where one would be, it has an apostrophe before it (see
        `propgraph.export.text.clean_csv_cell`). `parquet`: all dtypes stay, but lists are joined, too. `feather`: as
        `parquet`, for R's arrow and for pandas, without the types of Arrow that they may not know yet. `xlsx`: with
        `pip install 'propgraph[xlsx]'`; a sheet holds 1,048,575 rows, a cell 32,767 characters. What is beyond is left
        out, and told.
    tables
        Names of tables, or one; `gephi` for those two. None takes all that the study has, and them.
    overwrite
        Replace files that are there already.

    Returns
    -------
    pl.DataFrame
        One row a file: `table`, `file` (its name), `n_rows` (written), `note` (what it could not hold; null where all
        is there).

    Raises
    ------
    StudyError
        When there is no study, or a table that was named is not there yet.
    UsageError
        When the format or a table is unknown, files are there already, or the folder cannot be one for this.

    Examples
    --------
    >>> import propgraph as pg
    >>> log = pg.simulate_veles(n_accounts=300, n_days=3, n_sites=5, n_seeders=50, strength=3).log
    >>> study = pg.find_clusters(pg.build(log, "study"))
    >>> pg.export_study(study, "tables", tables=["clusters", "sites"])["file"].to_list()
    ['clusters.csv', 'sites.csv', 'dictionary.csv']
    """
    check_choice("format", format, FORMATS)
    if format == "xlsx":
        workbook.check_xlsxwriter()
    found = opened(study)
    chosen, gephi = _chosen(found, tables)
    target = _target(found, folder)
    files = [f"{name}.{format}" for name in chosen]
    files += [*(f"{name}.csv" for name in GEPHI if gephi), *([_DICTIONARY] if chosen else [])]
    _make(target, folder, files, overwrite=overwrite)
    rows = []
    with unchanged(found):
        for name in chosen:
            n, note = _write(found.scan(name), target / f"{name}.{format}", format)
            rows.append((name, f"{name}.{format}", n, note))
        if gephi:
            for name, table in zip(GEPHI, gephi_tables(found), strict=True):
                rows.append((name, f"{name}.csv", *_write(table.lazy(), target / f"{name}.csv", "csv")))
        if chosen:
            told = dictionary(chosen)
            rows.append(("dictionary", _DICTIONARY, *_write(told.lazy(), target / _DICTIONARY, "csv")))
    return pl.DataFrame(rows, schema=WRITTEN, orient="row")


def dictionary(tables: Sequence[str], /) -> pl.DataFrame:
    """Return what each column of these tables means: `table`, `column`, `dtype`, `unit`, `meaning`."""
    told = [
        (name, column, _dtype(spec.dtype), spec.unit, spec.meaning)
        for name in tables
        for column, spec in TABLES[name].columns.items()
    ]
    return pl.DataFrame(
        told, schema=dict.fromkeys(("table", "column", "dtype", "unit", "meaning"), pl.String), orient="row"
    )


def gephi_tables(study: Study, /) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the nodes and the edges that Gephi's table import takes, by the names that it knows.

    Raises
    ------
    StudyError
        When the study has no clusters yet.
    """
    nodes, edges = network_tables(study)
    drawn = ("x", "y", "size", "r", "g", "b")  # the import takes them for mere figures
    first = [pl.col(name).alias(name.title()) for name in ("source", "target")]
    first += [pl.lit("Undirected").alias("Type"), pl.col("weight").alias("Weight")]
    return (
        nodes.drop(drawn).rename({"id": "Id", "label": "Label"}),
        edges.select(*first, pl.exclude("source", "target", "weight", "r", "g", "b")),
    )


def _dtype(dtype: pl.DataType) -> str:
    return f"{dtype}, joined by |" if isinstance(dtype, pl.List) else str(dtype)


def _chosen(study: Study, tables: str | Sequence[str] | None) -> tuple[list[str], bool]:
    """Return which tables to write, and whether those for Gephi."""
    if tables is None:
        return study.tables, "clusters" in study.run
    named = list(dict.fromkeys([tables] if isinstance(tables, str) else tables))
    if not named:
        raise UsageError("no table is named; None takes all", option="tables")
    for name in named:
        check_choice("tables", name, (*TABLES, "gephi"))
        if name != "gephi":
            study.scan(name)  # says which job makes it, where it is not there
    if "gephi" in named and "clusters" not in study.run:
        raise StudyError(f"{study.path}: no clusters yet; {run_first('clusters')}")
    return [name for name in named if name != "gephi"], "gephi" in named


def _target(study: Study, folder: str | Path) -> Path:
    target, own = Path(folder).resolve(), study.path.resolve()
    if target.is_relative_to(own):
        raise UsageError(
            f"{folder}: a study's folder is replaced as a whole by the next job; choose one beside it",
            option="folder",
        )
    if target.exists() and not target.is_dir():
        raise UsageError(f"{folder}: a file is in the way; name a folder", option="folder")
    if (target / "run.json").exists():
        raise UsageError(f"{folder}: a study; choose a folder that is none", option="folder")
    return target


def _make(target: Path, folder: str | Path, files: list[str], *, overwrite: bool) -> None:
    there = [name for name in files if (target / name).exists()]
    if there and not overwrite:
        some = ", ".join(there[:3]) + (f" and {len(there) - 3:,} more" if len(there) > 3 else "")
        raise UsageError(
            f"{folder}: {some} {'is' if len(there) == 1 else 'are'} there already; add --overwrite (in Python: "
            "overwrite=True) to replace what is there, or choose another folder",
            option="folder",
        )
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be made here ({error.strerror})", option="folder") from error


def _write(table: pl.LazyFrame, path: Path, format: str) -> tuple[int, str | None]:
    """Write a table; return how many rows are there now, and what is not."""
    n = int(table.select(pl.len()).collect().item())
    try:
        with whole_file(path) as file:
            if format == "xlsx":
                notes = workbook.write_workbook(file, table, sheet=path.stem)
                return min(n, workbook.MAX_ROWS), "; ".join(notes) or None
            if format == "csv":
                csv_safe(plain(table, join_lists=True)).sink_csv(file, maintain_order=True)
            elif format == "feather":
                oldest = pl.CompatLevel.oldest()
                lists_joined(table).sink_ipc(
                    file, compression="uncompressed", compat_level=oldest, maintain_order=True
                )
            else:
                lists_joined(table).sink_parquet(file, maintain_order=True)
    except pl.exceptions.ComputeError as error:
        raise StudyError(f"{path}: cannot be written ({error}); is the disk full?") from error
    return n, None
