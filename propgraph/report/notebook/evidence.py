"""The posts behind a flag as one frame."""

from __future__ import annotations

import polars as pl

from propgraph.errors import StudyError, did_you_mean
from propgraph.study import Study


def evidence_posts(study: Study, what: str, /) -> pl.DataFrame:
    """Return the posts that show why something is flagged; see `Study.evidence_posts`."""
    evidence = study.evidence
    subject, _, rule = what.partition(":") if what not in evidence["subject_id"] else (what, "", "")
    mine = evidence.filter(subject_id=subject)
    if mine.is_empty():
        known = evidence["subject_id"].unique().sort()
        raise StudyError(f"{study.path}: no evidence on {subject!r}{did_you_mean(subject, known)}")
    if rule:
        rules = mine["rule"].unique().sort().to_list()
        mine = mine.filter(rule=rule)
        if mine.is_empty():
            raise StudyError(
                f"{study.path}: {subject!r} is not flagged by {rule!r}{did_you_mean(rule, rules)}; "
                f"it is by {', '.join(rules)}"
            )
    listed = (
        mine.with_row_index("_rule")
        .select("_rule", "rule", content_id="content_ids")
        .explode("content_id", empty_as_null=True)
        .drop_nulls("content_id")
        .unique(maintain_order=True)
    )
    posts = study.scan("posts").filter(pl.col("content_id").is_in(listed["content_id"].implode()))
    rows = listed.lazy().join(posts, on="content_id").collect()
    return rows.sort("_rule", "timestamp", "account_id", "content_id").select(
        "rule", *study.scan("posts").collect_schema()
    )
