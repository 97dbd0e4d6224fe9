"""Innocent readings of a cluster or site, with what speaks for and against each."""

from __future__ import annotations

from propgraph.report.document import Part
from propgraph.report.words import rule_name
from propgraph.study import Study
from propgraph.words.said import named, retold, tell

READING = "readings"
"""Name of the part, of which nothing but a line says that none fits."""


def innocent_readings(study: Study, kind: str, name: str, /) -> Part:
    """Return which explanations without any campaign fit a cluster or site, and how well."""
    heading = tell("explain.readings")
    if "readings" not in study.tables or "subject_id" not in study.scan("readings").collect_schema().names():
        return Part(heading, (tell("explain.no-readings-noted"),), name=READING)
    fits = study.scan("readings").filter(subject_type=kind, subject_id=name).collect()
    if fits.is_empty():
        return Part(heading, (tell("explain.no-reading"),), name=READING)
    lines = []
    for fit in fits.to_dicts():
        name = fit["reading"]
        lines.append(tell("explain.reading", name=rule_name(name), what=named("meaning", name)))
        lines.append(
            tell(
                "explain.for-and-against", this=retold(fit["speaks_for"], fit.get("said_for")),
                that=retold(fit["speaks_against"], fit.get("said_against")),
            )
        )  # fmt: skip
    return Part(heading, tuple(lines), name=READING)
