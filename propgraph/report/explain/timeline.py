"""Posts as a timeline: when, who, where to, what they wrote and linked to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from propgraph.report.explain.own import with_own
from propgraph.study import Study

_TEXT, _LINK = 90, 80


def with_who(study: Study, accounts: pl.LazyFrame, /) -> pl.LazyFrame:
    """Add `who` to rows with `account_id`: the name with the id, where a name is known."""
    names = study.scan("accounts").select("account_id", "name")
    with_name = pl.format("{} ({})", "name", "account_id")
    who = pl.when(pl.col("name").is_null() | (pl.col("name") == pl.col("account_id"))).then("account_id")
    return accounts.join(names, on="account_id", how="left", maintain_order="left").with_columns(
        who=who.otherwise(with_name)
    )


def timeline(study: Study, content_ids: Sequence[str], /, *, most: int) -> pl.DataFrame:
    """Return posts in order of time, those of one object together, the object posted first at the top.

    Parameters
    ----------
    study
        The study.
    content_ids
        Ids of the posts.
    most
        Show at most so many.

    Returns
    -------
    pl.DataFrame
        `time` (UTC), `after_s` (seconds after the first post shown of the same object), `who`, `into` (group, page or
        channel), `shared`, `text` (cut), `post`, `read_from` (file and line; null where an earlier version noted none),
        and, where columns of one's own were kept of any of them, `besides`: what these say.
    """
    ids = list(dict.fromkeys(content_ids))[:most]
    posts = (
        with_places(study.scan("posts").filter(pl.col("content_id").is_in(ids)).collect())
        .select("content_id", "account_id", "timestamp", "target_id", "text", "read_from")
        .unique("content_id", keep="first", maintain_order=True)
    )
    shared = (
        study.scan("shares")
        .filter(pl.col("content_id").is_in(ids))
        # Of what a post shares, a link tells a person most, then the post that it passes on.
        .sort(pl.col("trace").replace_strict({"url": 0, "reshare": 1, "object": 2}, default=3), "object_id")
        .unique("content_id", keep="first", maintain_order=True)
        .select("content_id", "object_id")
    )
    rows = with_who(study, posts.lazy().join(shared, on="content_id", how="left")).collect()
    if rows.is_empty():
        return pl.DataFrame(schema=_COLUMNS)
    start = pl.col("timestamp").min().over("object_id")
    rows = rows.sort(start, "object_id", "timestamp", "account_id", "content_id", nulls_last=True)
    shown = rows.select(
        time="timestamp",
        after_s=(pl.col("timestamp") - start).dt.total_milliseconds() / 1000,
        who="who", into="target_id", shared=short("object_id", _LINK), text=short("text", _TEXT), post="content_id",
        read_from="read_from",
    )  # fmt: skip
    return with_own(study, shown)


_COLUMNS: dict[str, Any] = {
    "time": pl.Datetime("ms", "UTC"), "after_s": pl.Float64, "who": pl.String, "into": pl.String, "shared": pl.String,
    "text": pl.String, "post": pl.String, "read_from": pl.String,
}  # fmt: skip


def with_places(posts: pl.DataFrame, /) -> pl.DataFrame:
    """Return posts by line with `read_from`, the name of their file and the line; null where none was noted."""
    if "line" not in posts.columns:  # by an earlier version
        return posts.with_columns(read_from=pl.lit(None, pl.String))
    name = pl.col("source").str.extract(r"([^/\\]*)$")
    return posts.sort("line").with_columns(read_from=pl.format("{}:{}", name, "line"))


def short(column: str, width: int, /) -> pl.Expr:
    """Return a text in one line, cut at so many characters."""
    line = pl.col(column).str.replace_all(r"\s+", " ").str.strip_chars()
    return pl.when(line.str.len_chars() > width).then(line.str.head(width - 1) + "…").otherwise(line)


def objects_of(study: Study, content_ids: Sequence[str], /, *, traces: Sequence[str]) -> pl.DataFrame:
    """Return `trace`, `object_id` of what posts share in some traces, the object of most of these posts first."""
    return (
        study.scan("shares")
        .filter(pl.col("content_id").is_in(list(content_ids)), pl.col("trace").is_in(list(traces)))
        .group_by("trace", "object_id")
        .len("n")
        .sort(["n", "trace", "object_id"], descending=[True, False, False])
        .select("trace", "object_id")
        .collect()
    )


def beside_others(study: Study, objects: pl.DataFrame, accounts: Sequence[str], /) -> pl.DataFrame:
    """Return what some accounts and what all others did with the same objects.

    Parameters
    ----------
    study
        The study.
    objects
        `trace`, `object_id`.
    accounts
        Those whose posts are told apart.

    Returns
    -------
    pl.DataFrame
        `shared`, `first_post` (UTC), `they` (posts by the accounts), `they_median_s` (their median time after the
        first post of the object), `others`, `others_median_s`; in the order of `objects`.
    """
    mine = pl.col("account_id").is_in(list(accounts))
    after = (pl.col("timestamp") - pl.col("timestamp").min()).dt.total_milliseconds() / 1000
    rows = (
        study.scan("shares")
        .join(objects.lazy(), on=["trace", "object_id"], how="semi")
        .group_by("trace", "object_id")
        .agg(
            first_post=pl.col("timestamp").min(),
            they=mine.sum(), they_median_s=after.filter(mine).median(),
            others=(~mine).sum(), others_median_s=after.filter(~mine).median(),
        )
        .collect()
    )  # fmt: skip
    return (
        objects.join(rows, on=["trace", "object_id"], how="left", maintain_order="left")
        .with_columns(shared=short("object_id", _LINK))
        .select("shared", "first_post", "they", "they_median_s", "others", "others_median_s")
    )
