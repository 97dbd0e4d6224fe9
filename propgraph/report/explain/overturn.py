"""What would overturn a flag, in words and as a table."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from propgraph.arrays.types import Progress
from propgraph.clusters.overturn import overturn
from propgraph.report.document import Part
from propgraph.report.explain.timeline import short, with_who
from propgraph.report.words import renamed, rule_names
from propgraph.study import Study
from propgraph.words.said import tell

MEMBER = "member"
_WIDTH = 60


def overturned(study: Study, cluster_id: str, /, *, progress: Progress | None = None) -> Part:
    """Return what becomes of a cluster without one object, or one member, at a time; see `clusters.overturn`."""
    found = overturn(study, cluster_id, progress=progress)
    row = study.scan("clusters").filter(cluster_id=cluster_id).collect().row(0, named=True)
    least = study.run["clusters"]["parameters"]["min_score"]
    shown = _named(study, found)
    n_objects = found["trace"].count()
    lines = (
        tell("overturn.tried", n_objects=n_objects, n=found.height - n_objects),
        verdict(shown, flagged=row["flagged"]),
        tell("overturn.columns", score=row["score"], least=least, n=row["n_accounts"]),
    )
    return Part(
        tell("overturn.heading"), lines, shown.with_columns(renamed(shown["kind"], "thing-out")), "overturn"
    )


def verdict(shown: pl.DataFrame, /, *, flagged: bool) -> str:
    """Return whether a flag falls, and without what; `shown` has `without`, `kind`, `flagged`."""
    if not flagged:
        raised = shown.filter("flagged")["without"].to_list()
        return tell("overturn.raised", without=without(raised)) if raised else tell("overturn.not-raised")
    falls: list[str] = []
    for key, rows in (
        ("overturn.any-thing", shown.filter(pl.col("kind") != MEMBER)),
        ("overturn.any-member", shown.filter(pl.col("kind") == MEMBER)),
    ):
        fallen = rows.filter(~pl.col("flagged"))["without"].to_list()
        if len(fallen) == rows.height > 1:
            falls.append(tell(key, n=rows.height))
        else:
            falls += fallen
    return tell("overturn.falls", without=without(falls)) if falls else tell("overturn.stays")


def without(names: Sequence[str], /) -> str:
    """Return `without a or without b`."""
    first, *others = names
    told = tell("overturn.without", name=first)
    for other in others:
        told = tell("overturn.or-without", one=told, other=other)
    return told


def _named(study: Study, found: pl.DataFrame) -> pl.DataFrame:
    """Return the rows as people read them: accounts by name, long addresses cut."""
    names = with_who(study, found.lazy().with_columns(account_id="without")).collect()
    return names.with_columns(
        without=pl.when(pl.col("trace").is_null()).then("who").otherwise(short("without", _WIDTH))
    ).select(
        "without", kind=pl.col("trace").fill_null(MEMBER), score="score", flagged="flagged", together="n_together",
        in_flagged="n_flagged", why=rule_names(names["flags"]),
    )  # fmt: skip
