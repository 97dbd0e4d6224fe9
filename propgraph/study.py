"""The study folder: Parquet tables and `run.json`, whole or not there at all."""

from __future__ import annotations

import glob
import json
import os
import shlex
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import polars as pl

from propgraph.errors import StudyError, did_you_mean
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

    Examples
    --------
    >>> study = Study.open("study")  # doctest: +SKIP
    >>> study.clusters.filter("flagged")  # doctest: +SKIP
    >>> study.cascade(study.cascades["cascade_id"][0]).summary()  # doctest: +SKIP
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @classmethod
    def open(cls, path: str | Path, /) -> Study:
        """Return the study at `path`.

        Raises
        ------
        StudyError
            When there is none, or it is not whole.
        """
        study = cls(path)
        _recover(study.path.resolve())
        if study.path.is_file():
            raise StudyError(f"{path}: a file, and a study is a folder; {_instead(study.path)}")
        if not study.path.is_dir():
            made = f"`propgraph build LOG... -o {shlex.quote(str(path))}`"
            raise StudyError(f"{path}: no such study; make one with {made}{_BUILD}")
        if not is_study(study.path):
            raise StudyError(f"{path}: not a study (no {RUN} in it); make one with `propgraph build`{_BUILD}")
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

    def file(self, name: str, /) -> Path:
        """Return the path of table `name`."""
        return self.path / f"{name}.parquet"

    def scan(self, name: str, /) -> pl.LazyFrame:
        """Return table `name` lazily.

        Raises
        ------
        StudyError
            When the study has no such table (yet).
        """
        if name not in TABLES:
            raise StudyError(f"no table is called {name!r}{did_you_mean(name, TABLES)}")
        if not self.file(name).exists():
            job = "stability" if name == "stability" else "clusters" if name in _OF_CLUSTERS else "build"
            raise StudyError(
                f"{self.path}: no table {name!r} yet; run `propgraph {job}` first (in Python: propgraph.{_JOBS[job]})"
            )
        return pl.scan_parquet(self.file(name))

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
        return self.scan(name).collect()

    def __dir__(self) -> Iterable[str]:
        return [*super().__dir__(), *TABLES]

    def __repr__(self) -> str:
        return f"Study({str(self.path)!r}: {', '.join(self.tables)})"


class StudyWriter:
    """The inside of a study that is being made: tables go in, nothing shows until it is whole."""

    def __init__(self, folder: Path, run: dict[str, Any]) -> None:
        self.folder, self.run = folder, run
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
    _recover(target)
    if not target.exists():
        return
    if target.is_dir() and (is_study(target) or not any(target.iterdir())):
        if overwrite or not is_study(target):
            return
        raise StudyError(
            f"{path}: a study is there already; add --overwrite (in Python: overwrite=True) to replace it, or "
            "choose another folder"
        )
    raise StudyError(f"{path}: something that is not a study is in the way; choose another folder")


@contextmanager
def writing(path: str | Path, *, keep: bool = False) -> Iterator[StudyWriter]:
    """Make or replace the study at `path`: into a folder beside it, renamed when it is whole.

    Parameters
    ----------
    path
        The study's folder.
    keep
        Start from the tables and run records that are there, instead of from nothing.

    Raises
    ------
    StudyError
        When the folder cannot be made or written.
    """
    target = Path(path).resolve()  # a link to a study stays one
    if target.exists() and Path.cwd().is_relative_to(target):
        # The folder is replaced as a whole: who stands in it would stand in nothing.
        raise StudyError(f"{path}: this is where you are; go up (cd ..) and name the study from there")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _clear_up(target)
    except OSError as error:
        raise StudyError(f"{path}: cannot be made here ({error.strerror})") from error
    # The name is known before the folder is there: Ctrl-C at any time finds what to clear up.
    folder = target.parent / f"{_partial(target)}{os.getpid()}-{uuid4().hex}"
    writer = StudyWriter(folder, {})
    try:
        _make(folder, path)
        if keep:
            writer.run = Study(target).run
            for entry in sorted(target.iterdir()):
                if entry.is_dir():  # whatever else lies in the study stays with it
                    shutil.copytree(entry, folder / entry.name, symlinks=True)
                elif entry.name != RUN:
                    _link(entry, folder / entry.name)
        yield writer
        writer.finish()
        _write_run(folder / RUN, writer.run)
        check_target(target, overwrite=True)
        _swap(folder, target)
    except OSError as error:
        raise StudyError(f"{path}: cannot be written ({error.strerror}); is the disk full?") from error
    finally:
        writer.stop()
        shutil.rmtree(folder, ignore_errors=True)


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
    except OSError:  # a file system without hard links
        shutil.copy2(source, target)


def _partial(target: Path) -> str:
    return f".{target.name}.partial-"


def _clear_up(target: Path) -> None:
    """Remove what killed runs left half-made beside `target`; a run that lives keeps its folder."""
    for folder in target.parent.glob(glob.escape(_partial(target)) + "*"):
        maker = folder.name.removeprefix(_partial(target)).partition("-")[0]
        if maker.isdigit() and not _lives(int(maker)):
            shutil.rmtree(folder, ignore_errors=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _previous(target: Path) -> Path:
    return target.parent / f".{target.name}.previous"


def _swap(folder: Path, target: Path) -> None:
    """Put `folder` in the place of `target`; between the two renames `_recover` knows the way back."""
    folder.chmod(0o755)
    previous = _previous(target)
    shutil.rmtree(previous, ignore_errors=True)
    if target.exists():
        target.rename(previous)
    folder.rename(target)
    shutil.rmtree(previous, ignore_errors=True)


def _recover(target: Path) -> None:
    """Bring back the earlier study where a run was killed between the two renames of `_swap`."""
    previous = _previous(target)
    if target.exists():
        shutil.rmtree(previous, ignore_errors=True)  # killed after the second rename: it has served
    elif is_study(previous):
        previous.rename(target)
