"""What the log says of a post in columns of its own, those that were kept."""

from __future__ import annotations

import polars as pl

from propgraph.report.document import Part
from propgraph.study import Study
from propgraph.words.said import tell

_LONGEST = 280


def own_part(study: Study, content_id: str, /) -> list[Part]:
    """Return the columns that were kept of a post, and what they say; nothing where there are none."""
    if "own_columns" not in study.tables:
        return []
    rows = study.scan("own_columns").filter(content_id=content_id).sort("column", "value").collect()
    if rows.is_empty():
        return []
    line = pl.col("value").str.replace_all(r"\s+", " ")
    cut = pl.when(line.str.len_chars() > _LONGEST).then(line.str.head(_LONGEST - 1) + "…").otherwise(line)
    return [Part(tell("post.besides"), (), rows.select("column", says=cut))]
