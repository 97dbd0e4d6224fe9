"""The study folder: Parquet tables and `run.json`, whole or not there at all."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from propgraph.errors import StudyError, did_you_mean
from propgraph.folders import WINDOWS, InUseError, alone, clear_up, partial, put_in_place, recover, unbroken
from propgraph.schema import TABLES

if TYPE_CHECKING:
    from igraph import Graph

RUN = "run.json"
_BUILD = " (in Python: propgraph.build)"
ROW_GROUP = 1 << 18

_OF_CLUSTERS = (
    "synchrony", "network", "account_scores", "members", "clusters", "amplification", "spreaders", "sites",
    "evidence",
)  # fmt: skip


_JOBS = {"build": "build", "clusters": "find_clusters", "stability": "measure_stability"}


class Study:
    """A folder of tables that one or more jobs made.

    Every table of `schema.TABLES` is an attribute: `Study.open("study").edges` reads the table as a
    `polars.DataFrame`; `scan` reads lazily.

    One job at a time is at work on a study; a second one ends at once with a `StudyError`. A job reads its tables as
    they were when it began, and replaces the study as a whole, if it is still the one that it read. On Linux that is
    one step. Elsewhere there is a moment in which no study is there, and `Study.open` waits for its end. Over a
    network the lock between jobs on several machines is as good as the file system's own.

    Examples
    --------
    >>> study = Study.open("study")  # doctest: +SKIP
    >>> study.clusters.filter("flagged")  # doctest: +SKIP
    >>> study.cascade(study.cascades["cascade_id"][0]).summary()  # doctest: +SKIP
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._opened: dict[str, str] = {}

    @classmethod
    def open(cls, path: str | Path, /) -> Study:
        """Return the study at `path`.

        Raises
        ------
        StudyError
            When there is none, or it is not whole.
        """
        study = cls(path)
        recover(study.path.resolve())
        if study.path.is_file():
            raise StudyError(f"{path}: a file, and a study is a folder; {_instead(study.path)}")
        if not study.path.is_dir():
            made = f"`propgraph build LOG... -o {shlex.quote(str(path))}`"
            raise StudyError(f"{path}: no such study; make one with {made}{_BUILD}")
        if not is_study(study.path):
            raise StudyError(f"{path}: not a study (no {RUN} in it); make one with `propgraph build`{_BUILD}")
        study._opened = study.ids
        return study

    @property
    def tables(self) -> list[str]:
        """Names of the tables that are there, in the order of the schema."""
        return [name for name in TABLES if self.file(name).exists()]

    @property
    def run(self) -> dict[str, Any]:
        """The run records, one a job: `{"build": {...}, "clusters": {...}}`."""
        record: dict[str, Any] = json.loads((self.path / RUN).read_text(encoding="utf-8"))
        return record

    @property
    def ids(self) -> dict[str, str]:
        """What tells the runs that made the tables from all others, by job."""
        return run_ids(self.run)

    def file(self, name: str, /) -> Path:
        """Return the path of table `name`."""
        return self.path / f"{name}.parquet"

    def scan(self, name: str, /) -> pl.LazyFrame:
        """Return table `name` lazily.

        Raises
        ------
        StudyError
            When the study has no such table (yet), or was built anew since it was opened.
        """
        if name not in TABLES:
            raise StudyError(f"no table is called {name!r}{did_you_mean(name, TABLES)}")
        if not self.file(name).exists():
            job = "stability" if name == "stability" else "clusters" if name in _OF_CLUSTERS else "build"
            raise StudyError(
                f"{self.path}: no table {name!r} yet; run `propgraph {job}` first (in Python: propgraph.{_JOBS[job]})"
            )
        self._check_build()
        return pl.scan_parquet(self.file(name))

    def _check_build(self) -> None:
        """Raise `StudyError` where the tables are no longer those of the build that was opened."""
        if "build" in self._opened and self.ids.get("build") != self._opened["build"]:
            raise StudyError(f"{self.path}: built anew since it was opened; open it again (Study.open)")

    def cascade(self, cascade_id: str, /) -> Graph:
        """Return one cascade as a directed tree, from each parent to its children.

        Parameters
        ----------
        cascade_id
            As in the table `cascades`: `trace:object_id`.

        Returns
        -------
        igraph.Graph
            As `propgraph.cascades.tree.cascade_tree` describes it: vertices in the order of the table
            `cascade_nodes`, the root first, with its columns; edges with `delay_s` (s); the cascade's row of
            `cascades` as the graph's attributes.

        Raises
        ------
        StudyError
            When the study has no such cascade, or no cascades.
        """
        # Trees are made in a room above this one, and igraph takes long to load.
        tree: Graph = import_module("propgraph.cascades.tree").cascade_tree(self, cascade_id)
        return tree

    def __getattr__(self, name: str) -> pl.DataFrame:
        if name.startswith("_") or name not in TABLES:
            raise AttributeError(f"Study has no table or attribute {name!r}{did_you_mean(name, TABLES)}")
        table = self.scan(name).collect()
        self._check_build()
        return table

    def __dir__(self) -> Iterable[str]:
        return [*super().__dir__(), *TABLES]

    def __repr__(self) -> str:
        return f"Study({str(self.path)!r}: {', '.join(self.tables)})"


class _Kept(Study):
    """A study as a job found it: tables that nobody else replaces, as they are linked in the job's own folder."""

    def __init__(self, path: Path, folder: Path, run: dict[str, Any]) -> None:
        super().__init__(path)
        self._folder, self._run = folder, run

    @property
    def run(self) -> dict[str, Any]:
        return self._run

    def file(self, name: str, /) -> Path:
        return self._folder / f"{name}.parquet"


class StudyWriter:
    """The inside of a study that is being made: tables go in, nothing shows until it is whole.

    Attributes
    ----------
    folder
        Where the tables are until then.
    run
        The run records, one a job, as they will be.
    source
        The study that is gone on from, as it was when the job began; to be read before its tables are replaced.
    """

    def __init__(self, folder: Path, source: Study) -> None:
        self.folder, self.source = folder, source
        self.run: dict[str, Any] = {}
        # One table is written while the next is being made.
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._writing: list[Future[None]] = []

    def write(self, name: str, frame: pl.DataFrame | pl.LazyFrame, /) -> None:
        """Begin to write one table; a LazyFrame is streamed and has to have the schema's columns already.

        Raises
        ------
        StudyError
            When an earlier table could not be written.
        """
        for write in self._writing:
            if write.done():
                write.result()
        lazy = frame if isinstance(frame, pl.LazyFrame) else TABLES[name].conform(frame).lazy()
        self._writing.append(self._pool.submit(_sink, lazy, self.folder / f"{name}.parquet"))

    def drop(self, name: str, /) -> None:
        """Take out a table that no longer fits the others; nothing where there is none."""
        (self.folder / f"{name}.parquet").unlink(missing_ok=True)

    def finish(self) -> None:
        """Wait until all tables are written; raise `StudyError` when one cannot be."""
        for write in self._writing:
            write.result()

    def stop(self) -> None:
        """Let go of what is not written yet, and wait for what is being written."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def _sink(frame: pl.LazyFrame, path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
        frame.sink_parquet(
            path, compression="zstd", compression_level=1, row_group_size=ROW_GROUP, maintain_order=True
        )
    except (OSError, pl.exceptions.ComputeError) as error:
        raise StudyError(f"{path.name}: cannot be written ({error}); is the disk full?") from error


def run_ids(run: Mapping[str, Mapping[str, Any]], /) -> dict[str, str]:
    """Return what tells each of the run records from all others, by job."""
    return {job: str(record.get("id") or _told_apart(record)) for job, record in run.items()}


def _told_apart(record: Mapping[str, Any]) -> str:
    """Return what tells a run of an earlier version from others, which gave it no id."""
    return hashlib.blake2b(
        json.dumps(record, sort_keys=True, default=str).encode(), digest_size=8
    ).hexdigest()


@contextmanager
def unchanged(study: Study, /) -> Iterator[None]:
    """Raise `StudyError` at the end where another job replaced the study meanwhile: what was read may be of two.

    It takes the place of an error that came of that.
    """
    before = study.ids
    try:
        yield
    except Exception as error:
        if _still(study, before):
            raise
        raise StudyError(_replaced(study)) from error
    if not _still(study, before):
        raise StudyError(_replaced(study))


def _still(study: Study, before: dict[str, str]) -> bool:
    with suppress(OSError):
        return study.ids == before
    return False


def _replaced(study: Study) -> str:
    return (
        f"{study.path}: another job replaced this study while it was read; what was shown or written of it may be of "
        "two studies. Run the command again"
    )


def opened(study: Study | str | Path, /) -> Study:
    """Return the study that a job was given, by its path or already open, as it is now.

    Raises
    ------
    StudyError
        When there is none, or it was built anew since it was opened.
    """
    if isinstance(study, Study):
        study._check_build()
        return Study.open(study.path)
    return Study.open(study)


def is_study(path: Path) -> bool:
    """Tell whether `path` is a whole study."""
    return (path / RUN).is_file()


def _instead(file: Path) -> str:
    """Return what to do where a study was asked for and a file was named."""
    if is_study(file.parent):
        return f"it lies in one: {file.parent}"
    return f"make one of a log with `propgraph build {shlex.quote(str(file))} -o STUDY`{_BUILD}"


def check_target(path: str | Path, *, overwrite: bool) -> None:
    """Raise `StudyError` unless a study can be made at `path`.

    An existing study is replaced only with `overwrite`; anything else in the way never is.
    """
    target = Path(path).resolve()
    recover(target)
    if not target.exists():
        return
    if os.path.ismount(target):
        raise StudyError(
            f"{path}: a disk or a volume begins here, and a study is replaced as a whole; name a folder in it: "
            f"{Path(path) / 'study'}"
        )
    if target.is_dir() and (is_study(target) or not any(target.iterdir())):
        if overwrite or not is_study(target):
            return
        raise StudyError(
            f"{path}: a study is there already; add --overwrite (in Python: overwrite=True) to replace it, or "
            "choose another folder"
        )
    raise StudyError(f"{path}: something that is not a study is in the way; choose another folder")


@contextmanager
def writing(path: str | Path, *, of: Study | None = None, overwrite: bool = True) -> Iterator[StudyWriter]:
    """Make or replace the study at `path`: into a folder beside it, put in its place when it is whole.

    Parameters
    ----------
    path
        The study's folder.
    of
        The study there, as it was opened: its tables and run records are kept, but for those that are written.
        None starts from nothing.
    overwrite
        Replace a study that is there; as for `check_target`.

    Raises
    ------
    StudyError
        When the folder cannot be made or written, another job is at work on it, or the study was replaced meanwhile.
    """
    target = Path(path).resolve()  # a link to a study stays one
    if target.exists() and Path.cwd().is_relative_to(target):
        # The folder is replaced as a whole: who stands in it would stand in nothing.
        raise StudyError(f"{path}: this is where you are; go up (cd ..) and name the study from there")
    with _alone(target, path):
        check_target(path, overwrite=overwrite)
        before = _record_at(target)
        # The name is known before the folder is there: Ctrl-C at any time finds what to clear up.
        folder = partial(target)
        writer = StudyWriter(folder, Study(path))
        try:
            _make(folder, path)
            if of is not None:
                _keep(writer, of, target)
                _check_same(before, target, path)
            yield writer
            writer.finish()
            _write_run(folder / RUN, writer.run)
            check_target(path, overwrite=True)
            _check_same(before, target, path)
            folder.chmod(0o755)
            with unbroken():
                put_in_place(folder, target)
        except Exception as error:
            _check_same(before, target, path)
            if isinstance(error, OSError):
                raise StudyError(_not_written(error, path)) from error
            raise
        finally:
            with unbroken():
                writer.stop()
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _alone(target: Path, path: str | Path) -> Iterator[None]:
    """Be the only job at work on `target`, with nothing of killed jobs beside it."""
    with ExitStack() as held:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            held.enter_context(alone(target))
        except InUseError as error:
            who = f" (process {error})" if error.args[0] else ""
            raise StudyError(
                f"{path}: another job is at work on this study{who}; wait for its end, or name another folder"
            ) from error
        except OSError as error:
            raise StudyError(f"{path}: cannot be made here ({error.strerror})") from error
        clear_up(target)
        yield


def _keep(writer: StudyWriter, of: Study, target: Path) -> None:
    """Put the tables of a study into the writer's folder, by links, and whatever else lies there."""
    writer.run = Study(target).run
    if run_ids(writer.run) != of._opened:
        raise StudyError(f"{of.path}: made anew since it was looked at; run again")
    writer.source = _Kept(of.path, writer.folder, dict(writer.run))
    for entry in sorted(target.iterdir()):
        if entry.is_dir():  # whatever else lies in the study stays with it
            shutil.copytree(entry, writer.folder / entry.name, symlinks=True)
        elif entry.name != RUN:
            _link(entry, writer.folder / entry.name)


def _record_at(target: Path) -> bytes | None:
    """Return the run records of a study as they are written; None where there is no study."""
    with suppress(FileNotFoundError):
        return (target / RUN).read_bytes()
    return None


def _check_same(before: bytes | None, target: Path, path: str | Path) -> None:
    """Raise `StudyError` where a study is no longer the one that it was."""
    if _record_at(target) != before:
        raise StudyError(
            f"{path}: something else made, moved or replaced this study while the job was at work; what is there now "
            "stays as it is. Run the job again"
        )


def _make(folder: Path, path: str | Path) -> None:
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise StudyError(f"{path}: cannot be made here ({error.strerror})") from error


def _write_run(path: Path, run: dict[str, Any]) -> None:
    with path.open("w", encoding="utf-8") as file:
        json.dump(run, file, indent=2, ensure_ascii=False, default=str)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except (OSError, AttributeError):  # a file system, or a Python, without hard links
        shutil.copy2(source, target)


def _not_written(error: OSError, path: str | Path) -> str:
    why = "is the disk full?"
    if isinstance(error, PermissionError) and WINDOWS:
        why = "is a file of the study open in another program?"
    return f"{path}: cannot be written ({error.strerror}); {why}"
