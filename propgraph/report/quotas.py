"""Counts at which objects of the whole log stop, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from propgraph.words.said import said, tell


def quota_sentence(row: Mapping[str, Any], /) -> str:
    """Return what a row of `schema.QUOTAS` says: a fact about the log, with what else it may be."""
    several = (
        said("quotas.several", n=row["n_regulars"], n_all=row["n_accounts"]) if row["n_regulars"] else None
    )
    return tell(
        "quotas.in-whole-log", n=row["n_objects"], trace=row["trace"], quota=row["quota"], counted=row["counted"],
        expected=row["expected"], several=several,
    )  # fmt: skip
