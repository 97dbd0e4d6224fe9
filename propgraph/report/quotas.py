"""Counts at which objects of the whole log stop, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def quota_sentence(row: Mapping[str, Any], /) -> str:
    """Return what a row of `schema.QUOTAS` says: a fact about the log, with what else it may be."""
    objects = f"{row['n_objects']:,} objects (trace {row['trace']})"
    several = f"{row['n_regulars']:,} of the {row['n_accounts']:,} accounts there come to several of them"
    who = f"; {several}, oftener than their activity has it" if row["n_regulars"] else ""
    return (
        f"In the whole log {objects} stop at {row['quota']:,} {row['counted']} each, where {row['expected']:,.1f} at "
        f"most would by themselves{who}. A goal that somebody set looks like this, and so does a limit of a tool or of "
        "how the log was collected: --format csv --table quotas"
    )
