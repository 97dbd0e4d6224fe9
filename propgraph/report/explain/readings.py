"""Innocent readings of a cluster or site, with what speaks for and against each."""

from __future__ import annotations

from propgraph.report.document import Part
from propgraph.report.words import NO_READING, READINGS
from propgraph.study import Study


def innocent_readings(study: Study, kind: str, name: str, /) -> Part:
    """Return which explanations without any campaign fit a cluster or site, and how well."""
    heading = "Innocent readings"
    if "readings" not in study.tables or "subject_id" not in study.scan("readings").collect_schema().names():
        return Part(heading, ("An earlier version did not note them: run `propgraph clusters` again.",))
    fits = study.scan("readings").filter(subject_type=kind, subject_id=name).collect()
    if fits.is_empty():
        return Part(heading, (NO_READING,))
    lines = []
    for fit in fits.to_dicts():
        lines.append(f"{fit['reading']}: {READINGS.get(fit['reading'], fit['reading'])}.")
        lines.append(f"For it: {fit['speaks_for']}. Against it: {fit['speaks_against']}.")
    return Part(heading, tuple(lines))
