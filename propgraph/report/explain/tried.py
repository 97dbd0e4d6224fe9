"""Innocent readings that were tried on a cluster and do not fit, a line each with what is missing."""

from __future__ import annotations

from propgraph.report.document import Part
from propgraph.report.words import rule_name
from propgraph.study import Study
from propgraph.words.said import retold, tell

TRIED = "tried"
"""Name of the part."""


def tried_part(study: Study, cluster_id: str, /) -> list[Part]:
    """Return the readings that do not fit, and why not; nothing where an earlier version noted none."""
    if "tried_readings" not in study.tables:
        return []
    rows = study.scan("tried_readings").filter(subject_type="cluster", subject_id=cluster_id).collect()
    lines = tuple(
        tell("why-not.tried", reading=rule_name(row["reading"]), why=retold(row["why_not"], row["said"]))
        + "."
        for row in rows.to_dicts()
    )
    return [Part(tell("why-not.heading"), lines, name=TRIED)] if lines else []
