"""The table of innocent readings that were tried and do not fit."""

from __future__ import annotations

import polars as pl

from propgraph.schema.dtypes import ID
from propgraph.schema.table import declare

TRIED_READINGS = declare(
    "tried_readings",
    "clusters",
    "an innocent reading that was tried and does not fit a cluster",
    ("subject_type", "subject_id", "reading"),
    subject_type=(ID, "cluster", "what it was tried on"),
    subject_id=(ID, "id", "which one"),
    reading=(ID, "", "the reading, in the order of `readings`"),
    value=(pl.Float64(), "the reading's", "what was measured; null where nothing could be"),
    threshold=(pl.Float64(), "the reading's", "from where on it would fit, if nothing else spoke against it"),
    why_not=(ID, "", "why it does not fit, in words, in English"),
    said=(ID, "JSON", "the same as the key of a sentence and its facts, to be told in another language"),
)
