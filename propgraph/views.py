"""What rooms above tell of a study, as its own methods: loaded when it is asked for, as the package's names are.

A study knows nothing of reports, figures or exports, which read it; here are the doors to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

    from propgraph.arrays.types import Progress
    from propgraph.report.document import Document
    from propgraph.report.notebook.plots import Plots

_HOME = {
    "Plots": "report.notebook.plots",
    "evidence_posts": "report.notebook.evidence",
    "explain": "report.explain.explain",
    "export_study": "export.folder",
    "summary_html": "report.notebook.summary",
}


def _above(name: str) -> Any:
    return getattr(import_module(f"propgraph.{_HOME[name]}"), name)


class Views:
    """What can be seen of a study beside its tables."""

    def explain(
        self, what: str, /, *, posts: int = 10, overturn: bool = False, progress: Progress | None = None
    ) -> Document:
        """Return why something is, or is not, flagged, as `propgraph.explain` does; a notebook shows it as a page.

        Parameters
        ----------
        what, posts, overturn, progress
            As for `propgraph.explain`.

        Returns
        -------
        Document
            Title and parts.

        Examples
        --------
        >>> import propgraph as pg
        >>> log = pg.simulate_veles(n_accounts=300, n_days=3, n_sites=5, n_seeders=50, strength=3).log
        >>> study = pg.find_clusters(pg.build(log, "study"))
        >>> study.explain("c1:at-once").title
        'c1: at-once'
        """
        document: Document = _above("explain")(self, what, posts=posts, overturn=overturn, progress=progress)
        return document

    def evidence_posts(self, what: str, /) -> pl.DataFrame:
        """Return the posts that show why a cluster, site, account or campaign is flagged, a row a reason and post.

        Parameters
        ----------
        what
            Its id, or one rule of it: `c1`, `c1:turnout`.

        Returns
        -------
        pl.DataFrame
            `rule`, then the columns of `posts`; rules as in `evidence`, the posts of each by time.

        Raises
        ------
        StudyError
            When nothing in `evidence` is called so, or there are no clusters yet.

        Examples
        --------
        >>> import propgraph as pg
        >>> log = pg.simulate_veles(n_accounts=300, n_days=3, n_sites=5, n_seeders=50, strength=3).log
        >>> study = pg.find_clusters(pg.build(log, "study"))
        >>> posts = study.evidence_posts("c1:turnout")
        >>> posts.select("rule", "kind").unique().sort("kind").rows()
        [('turnout', 'original')]
        """
        posts: pl.DataFrame = _above("evidence_posts")(self, what)
        return posts

    @property
    def plot(self) -> Plots:
        """The figures of the report, one a method: `study.plot.timeline()`, `.network()`, `.score("c1")`.

        Examples
        --------
        >>> import propgraph as pg
        >>> log = pg.simulate_veles(n_accounts=300, n_days=3, n_sites=5, n_seeders=50, strength=3).log
        >>> study = pg.find_clusters(pg.build(log, "study"))
        >>> study.plot.timeline().save("timeline.svg")
        >>> open("timeline.svg").read()[:4]
        '<svg'
        """
        plots: Plots = _above("Plots")(self)
        return plots

    def export(
        self,
        folder: str | Path,
        /,
        *,
        format: str = "csv",
        tables: str | Sequence[str] | None = None,
        overwrite: bool = False,
    ) -> pl.DataFrame:
        """Write the tables into a folder, a file each, as `propgraph.export_study` does.

        Parameters
        ----------
        folder, format, tables, overwrite
            As for `propgraph.export_study`.

        Returns
        -------
        pl.DataFrame
            One row a file: `table`, `file`, `n_rows`, `note`.

        Examples
        --------
        >>> import propgraph as pg
        >>> log = pg.simulate_veles(n_accounts=300, n_days=3, n_sites=5, n_seeders=50, strength=3).log
        >>> study = pg.build(log, "study")
        >>> study.export("tables", tables="edges")["file"].to_list()
        ['edges.csv', 'dictionary.csv']
        """
        written: pl.DataFrame = _above("export_study")(
            self, folder, format=format, tables=tables, overwrite=overwrite
        )
        return written

    def _repr_html_(self) -> str:
        shown: str = _above("summary_html")(self)
        return shown
