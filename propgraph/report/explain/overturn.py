"""What would overturn a flag, in words and as a table."""

from __future__ import annotations

import polars as pl

from propgraph.arrays.types import Progress
from propgraph.clusters.overturn import overturn
from propgraph.report.document import Part
from propgraph.report.explain.timeline import named, short
from propgraph.study import Study

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
        f"Tried, one at a time, each time with the whole log searched again: all posts of one of the {n_objects:,} "
        "things that most members posted at once left out; all posts of one of the "
        f"{found.height - n_objects:,} members who met others most left out.",
        verdict(shown, flagged=row["flagged"]),
        f"score: now {row['score']:.2f}, flagged from {least:g} on; together: members, of {row['n_accounts']:,}, in "
        "the cluster that then holds most of them, whose score it is; in_flagged: members in any flagged cluster.",
    )
    return Part("What would overturn it", lines, shown)


def verdict(shown: pl.DataFrame, /, *, flagged: bool) -> str:
    """Return whether a flag falls, and without what; `shown` has `without`, `kind`, `flagged`."""
    if not flagged:
        raised = shown.filter("flagged")["without"].to_list()
        if not raised:
            return "It is not flagged, nor would it be without any one of these."
        return f"It is not flagged, and would be without {' or without '.join(raised)}."
    falls = []
    for noun, rows in (
        ("things", shown.filter(pl.col("kind") != MEMBER)), ("members", shown.filter(pl.col("kind") == MEMBER))
    ):  # fmt: skip
        fallen = rows.filter(~pl.col("flagged"))["without"].to_list()
        if len(fallen) == rows.height > 1:
            falls.append(f"any one of the {rows.height:,} {noun}")
        else:
            falls += fallen
    return (
        f"The flag falls without {' or without '.join(falls)}."
        if falls
        else "The flag stays, whichever of these is left out."
    )


def _named(study: Study, found: pl.DataFrame) -> pl.DataFrame:
    """Return the rows as people read them: accounts by name, long addresses cut."""
    names = named(study, found.lazy().with_columns(account_id="without")).collect()
    return names.with_columns(
        without=pl.when(pl.col("trace").is_null()).then("who").otherwise(short("without", _WIDTH))
    ).select(
        "without", kind=pl.col("trace").fill_null(MEMBER), score="score", flagged="flagged", together="n_together",
        in_flagged="n_flagged", why=pl.col("flags").list.join(", "),
    )  # fmt: skip
