"""The traces and choices by which a study's clusters were found."""

from __future__ import annotations

from dataclasses import fields

from propgraph.errors import StudyError
from propgraph.options import ClusterOptions
from propgraph.study import Study


def own_choices(study: Study, /) -> tuple[list[str], ClusterOptions]:
    """Return the traces and choices that a study's clusters were found by."""
    given = study.run["clusters"]["parameters"]
    names = [field.name for field in fields(ClusterOptions)]
    missing = [name for name in names if name not in given]
    if missing:
        raise StudyError(
            f"{study.path}: its clusters were found by an earlier version (no {missing[0]!r} in run.json); "
            "run `propgraph clusters` with an option such as --seed 0 first (in Python: propgraph.find_clusters)"
        )
    return given["trace"], ClusterOptions(**{name: given[name] for name in names})
