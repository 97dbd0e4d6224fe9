"""The study folder: Parquet tables and `run.json`, read."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from propgraph.errors import StudyError, did_you_mean
from propgraph.folders import recover
from propgraph.schema import TABLES
from propgraph.views import Views

if TYPE_CHECKING:
    from igraph import Graph

RUN = "run.json"
_BUILD = " (in Python: propgraph.build)"

# What a job is called in Python.
_JOBS = {
    "build": "build",
    "clusters": "find_clusters",
    "stability": "measure_stability",
    "power": "measure_power",
}


def run_first(job: str, /) -> str:
    """Return what to do where a job has not been run: as a command, and in Python."""
    return f"run `propgraph {job}` first (in Python: propgraph.{_JOBS[job]})"


class Study(Views):
    """A folder of tables that one or more jobs made.

    Every table of `schema.TABLES` is an attribute: `Study.open("study").edges` reads the table as a
    `polars.DataFrame`; `scan` reads lazily.

    One job at a time is at work on a study; a second one ends at once with a `StudyError`. A job reads its tables as
    they were when it began, and replaces the study as a whole, if it is still the one that it read. On Linux that is
    one step. Elsewhere there is a moment in which no study is there, and `Study.open` waits for its end. Over a
    network the lock between jobs on several machines is as good as the file system's own.

    Examples
    --------
    >>> import propgraph as pg
    >>> log = pg.simulate_veles(n_accounts=300, n_days=3, n_sites=5, n_seeders=50, strength=3).log
    >>> study = pg.find_clusters(pg.build(log, "study"))
    >>> study = pg.Study.open("study")
    >>> study.tables[:5]
    ['posts', 'shares', 'accounts', 'objects', 'rejected']
    >>> study.clusters.filter("flagged").select("cluster_id", "n_accounts").rows()
    [('c1', 25), ('c2', 25)]
    >>> study.scan("edges").filter(trace="url").collect().height
    650
    >>> study.evidence["sentence"][0].split(", ")[0]
    "3,420 pairs of members' posts of the same link lie within 60 s"
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

        Examples
        --------
        >>> import polars as pl
        >>> import propgraph as pg
        >>> log = pl.DataFrame({"account_id": ["ana", "bo"], "timestamp": [1_700_000_000] * 2, "object_id": ["x"] * 2})
        >>> made = pg.build(log, "study")
        >>> study = pg.Study.open("study")
        >>> study.posts["account_id"].to_list()
        ['ana', 'bo']
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
        """Names of the tables that are there, in the order of the schema.

        Examples
        --------
        >>> import polars as pl
        >>> import propgraph as pg
        >>> log = pl.DataFrame({"account_id": ["ana", "bo"], "timestamp": [1_700_000_000] * 2, "object_id": ["x"] * 2})
        >>> study = pg.build(log, "study")
        >>> "edges" in study.tables, "clusters" in study.tables
        (True, False)
        """
        return [name for name in TABLES if self.file(name).exists()]

    @property
    def run(self) -> dict[str, Any]:
        """The run records, one a job: `{"build": {...}, "clusters": {...}}`.

        Examples
        --------
        >>> import polars as pl
        >>> import propgraph as pg
        >>> log = pl.DataFrame({"account_id": ["ana", "bo"], "timestamp": [1_700_000_000] * 2, "object_id": ["x"] * 2})
        >>> study = pg.build(log, "study")
        >>> study.run["build"]["counts"]["accounts"], study.run["build"]["parameters"]["time_window"]
        (2, 60.0)
        """
        record: dict[str, Any] = json.loads((self.path / RUN).read_text(encoding="utf-8"))
        return record

    @property
    def ids(self) -> dict[str, str]:
        """What tells the runs that made the tables from all others, by job.

        Examples
        --------
        >>> import polars as pl
        >>> import propgraph as pg
        >>> log = pl.DataFrame({"account_id": ["ana", "bo"], "timestamp": [1_700_000_000] * 2, "object_id": ["x"] * 2})
        >>> study = pg.build(log, "study")
        >>> list(study.ids)
        ['build']
        """
        return run_ids(self.run)

    def file(self, name: str, /) -> Path:
        """Return the path of table `name`.

        Examples
        --------
        >>> import polars as pl
        >>> import propgraph as pg
        >>> log = pl.DataFrame({"account_id": ["ana", "bo"], "timestamp": [1_700_000_000] * 2, "object_id": ["x"] * 2})
        >>> study = pg.build(log, "study")
        >>> pl.read_parquet(study.file("shares"))["account_id"].to_list()
        ['ana', 'bo']
        """
        return self.path / f"{name}.parquet"

    def scan(self, name: str, /) -> pl.LazyFrame:
        """Return table `name` lazily.

        Raises
        ------
        StudyError
            When the study has no such table (yet), or was built anew since it was opened.

        Examples
        --------
        >>> import polars as pl
        >>> import propgraph as pg
        >>> log = pl.DataFrame({"account_id": ["ana", "bo"], "timestamp": [1_700_000_000] * 2, "object_id": ["x"] * 2})
        >>> study = pg.build(log, "study")
        >>> study.scan("shares").filter(account_id="bo").select("object_id").collect().item()
        'x'
        """
        if name not in TABLES:
            raise StudyError(f"no table is called {name!r}{did_you_mean(name, TABLES)}")
        if not self.file(name).exists():
            raise StudyError(f"{self.path}: no table {name!r} {self._lacking(TABLES[name].job)}")
        self._check_build()
        return pl.scan_parquet(self.file(name))

    def _lacking(self, job: str) -> str:
        """Return why a table of a job is not there, and what makes it."""
        if job != "clusters" or job not in self.run:
            return f"yet; {run_first(job)}"
        path = shlex.quote(str(self.path))
        return (
            "in it, for an earlier version made it; find the clusters again, by the same choices: "
            f"`propgraph clusters {path} --config {path}` (in Python: propgraph.find_clusters)"
        )

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
            As `propgraph.read_cascade` describes it: vertices with the columns of the table `cascade_nodes`, the
            root first, then by time; edges with `delay_s` (s); the cascade's row of `cascades` as the graph's
            attributes.

        Raises
        ------
        StudyError
            When the study has no such cascade, or no cascades.

        Examples
        --------
        >>> import polars as pl
        >>> import propgraph as pg
        >>> log = pl.DataFrame({"account_id": ["ana", "bo"], "timestamp": [1_700_000_000] * 2, "object_id": ["x"] * 2})
        >>> study = pg.build(log, "study")
        >>> study.cascade("object:x").vs["account_id"]
        ['ana', 'bo']
        """
        from propgraph.trees import read_cascade  # noqa: PLC0415 - it loads numpy, and most jobs draw no tree

        return read_cascade(self, cascade_id)

    def __getattr__(self, name: str) -> pl.DataFrame:
        if name.startswith("_") or name not in TABLES:
            raise AttributeError(f"Study has no table or attribute {name!r}{did_you_mean(name, TABLES)}")
        table = self.scan(name).collect()
        self._check_build()
        return table

    def __dir__(self) -> Iterable[str]:
        return [*super().__dir__(), *TABLES]

    def __repr__(self) -> str:
        counts = "".join(f"{told}; " for told in self._counts())
        return f"Study({str(self.path)!r}: {counts}{', '.join(self.tables)})"

    def _counts(self) -> Iterator[str]:
        """Yield what each job counted, in a few words; nothing where no record can be read."""
        with suppress(OSError, ValueError, KeyError):
            run = self.run
            counts = run["build"]["counts"]
            yield f"{counts['posts']:,} posts, {counts['accounts']:,} accounts, {counts['shares']:,} shares"
            counts = run["clusters"]["counts"]
            yield f"{counts['flagged_clusters']:,} of {counts['clusters']:,} clusters flagged"


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
