"""What the page is made of: the tables of one study, as far as its readers may see them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import polars as pl

from propgraph.report.document import Document, Part
from propgraph.report.explain.own import BESIDES
from propgraph.report.page.audience import Audience, Redaction
from propgraph.report.page.events import Event
from propgraph.report.page.held import Held
from propgraph.study import Study

#: Columns of tables in `Document`s that name no account, no post, and quote nothing.
_HARMLESS = frozenset((
    "counts", "score", "fact", "value", "n_sites_with_value", "ties", "cluster_id", "n_accounts", "from", "to", "why",
    "also_fits", "rule", "held", "reading", "threshold", "without",
))  # fmt: skip


class Findings:
    """A study and its readers: tables come out of it as these may see them.

    Parameters
    ----------
    study
        A study with clusters.
    audience
        The readers.
    events
        Dates to be marked.
    """

    def __init__(self, study: Study, audience: Audience, events: tuple[Event, ...] = ()) -> None:
        self.study = Held(study)
        self.audience = audience
        self.events = events
        self.run = self.study.run
        every = study.clusters
        small = every.filter(pl.col("n_accounts") < audience.least)["cluster_id"].to_list()
        self.n_hidden = len(small)
        self._redaction = None if audience.accounts else Redaction(study, small)
        kept = every.filter(pl.col("n_accounts") >= audience.least)
        if "stability" in study.run:
            held = study.stability.select("cluster_id", "n_runs", "holds_share")
            kept = kept.join(held, on="cluster_id", how="left", maintain_order="left")
        self.clusters = kept.sort(["score", "cluster_id"], descending=[True, False])

    @cached_property
    def flagged(self) -> pl.DataFrame:
        """Flagged clusters, the highest score first."""
        return self.clusters.filter("flagged")

    @cached_property
    def sites(self) -> pl.DataFrame:
        """All sites, the highest score first."""
        return self.study.sites.sort(["score", "n_shares", "site"], descending=[True, True, False])

    @cached_property
    def seeded(self) -> pl.DataFrame:
        """Flagged sites; those of an earlier version were flagged wherever a rule fired."""
        sites = self.sites
        return sites.filter("flagged" if "flagged" in sites.columns else pl.col("flags").list.len() > 0)

    @cached_property
    def campaigns(self) -> list[dict[str, Any]]:
        """Campaigns of several clusters, of which the readers may see one or more."""
        if "campaigns" not in self.study.tables:
            return []
        return self.study.campaigns.filter(pl.col("n_clusters") > 1).to_dicts()

    def table(self, name: str, /) -> pl.DataFrame | None:
        """Return a table as the readers may see it; None where the study has none."""
        if name not in self.study.tables:
            return None
        frame: pl.DataFrame = getattr(self.study, name)
        return self.cleared(frame)

    def cleared(self, frame: pl.DataFrame, /) -> pl.DataFrame:
        """Return rows as the readers may see them."""
        if self._redaction is not None:
            return self._redaction.frame(frame)
        quotes = [name for name in ("text", "templates") if name in frame.columns]
        return frame if self.audience.texts else frame.drop(quotes)

    def lines(self, lines: Iterable[str], /) -> tuple[str, ...]:
        """Return sentences as the readers may see them."""
        return tuple(lines) if self._redaction is None else self._redaction.lines(lines)

    def parts(self, document: Document, /) -> list[Part]:
        """Return the parts of a document as the readers may see them."""
        return [self.part(part) for part in document.parts]

    def part(self, part: Part, /) -> Part:
        """Return one part of a document as the readers may see it."""
        rows = part.table
        if rows is not None and not self.audience.texts:
            rows = rows.drop("text", BESIDES, strict=False)
        if rows is not None and self._redaction is not None:
            rows = self._redaction.frame(rows) if _HARMLESS.issuperset(rows.columns) else None
        if rows is not None:
            rows = rows.select(name for name in rows.columns if rows[name].null_count() < rows.height)
        return Part(part.heading, self.lines(part.lines), rows, part.name)

    def names_somebody(self, text: str, /) -> bool:
        """Tell whether something drawn names what the readers are not shown."""
        return self._redaction is not None and self.lines([text]) != (text,)
