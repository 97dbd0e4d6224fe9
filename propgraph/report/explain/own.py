"""What the log says of a post in columns of its own, those that were kept."""

from __future__ import annotations

import polars as pl

from propgraph.report.document import Part
from propgraph.study import Study
from propgraph.words.said import tell

_LONGEST, _BESIDE, _VALUE = 280, 160, 60
BESIDES = "besides"
"""Name of the column that `with_own` adds."""


def with_own(study: Study, rows: pl.DataFrame, /) -> pl.DataFrame:
    """Return rows with `post` (a content id) and, where columns of one's own were kept of any, what they say there."""
    if "own_columns" not in study.tables:
        return rows
    kept = study.scan("own_columns").filter(pl.col("content_id").is_in(rows["post"].implode())).collect()
    if kept.is_empty():
        return rows
    told = pl.format("{}: {}", "column", _cut(pl.col("value"), _VALUE))
    beside = (
        kept.sort("column", "value")
        .group_by("content_id", maintain_order=True)
        .agg(_cut(told.str.join("; "), _BESIDE).alias(BESIDES))
    )
    return rows.join(beside, left_on="post", right_on="content_id", how="left", maintain_order="left")


def _cut(text: pl.Expr, width: int) -> pl.Expr:
    """Return a text in one line, cut at so many characters."""
    line = text.str.replace_all(r"\s+", " ")
    return pl.when(line.str.len_chars() > width).then(line.str.head(width - 1) + "…").otherwise(line)


def own_part(study: Study, content_id: str, /) -> list[Part]:
    """Return the columns that were kept of a post, and what they say; nothing where there are none."""
    if "own_columns" not in study.tables:
        return []
    rows = study.scan("own_columns").filter(content_id=content_id).sort("column", "value").collect()
    if rows.is_empty():
        return []
    return [Part(tell("post.besides"), (), rows.select("column", says=_cut(pl.col("value"), _LONGEST)))]
