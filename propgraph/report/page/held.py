"""A study held in memory for as long as a page is made of it: it asks the same tables hundreds of times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import polars as pl

from propgraph.study import Study

#: Tables with a row for each post or pair of accounts: they stay on disk.
_LARGE = frozenset(
    (
        "posts",
        "shares",
        "objects",
        "cascades",
        "cascade_nodes",
        "edges",
        "synchrony",
        "rejected",
        "own_columns",
    )
)


class Held(Study):
    """A study whose small tables and run record are read once.

    Parameters
    ----------
    study
        The study; it is not to be replaced meanwhile (`propgraph.study.unchanged`).
    instead
        Tables that take the place of its own.
    """

    def __init__(self, study: Study, instead: Mapping[str, pl.DataFrame] | None = None) -> None:
        super().__init__(study.path)
        self._opened = study._opened
        self._frames = dict(instead or {})

    @cached_property
    def _record(self) -> dict[str, Any]:
        return super().run

    @property
    def run(self) -> dict[str, Any]:
        """The run records, as they were when first asked for."""
        return self._record

    def scan(self, name: str, /) -> pl.LazyFrame:
        """Return a table lazily: a small one out of memory."""
        if name not in self._frames:
            if name in _LARGE:
                return super().scan(name)
            self._frames[name] = super().scan(name).collect()
        return self._frames[name].lazy()

    def around(self, content_ids: Iterable[str], /) -> Held:
        """Return the same study with no other posts than some, and no other shares than those of what these shared."""
        ids = pl.LazyFrame({"content_id": sorted(set(content_ids))}, schema={"content_id": pl.String})
        posts = self.scan("posts").join(ids, on="content_id", how="semi").collect()
        keys = ["trace", "object_id"]
        objects = self.scan("shares").join(ids, on="content_id", how="semi").select(keys).unique().collect()
        shares = self.scan("shares").join(objects.lazy(), on=keys, how="semi").collect()
        own = {}
        if "own_columns" in self.tables:
            own = {"own_columns": self.scan("own_columns").join(ids, on="content_id", how="semi").collect()}
        return Held(self, {**self._frames, "posts": posts, "shares": shares, **own})
