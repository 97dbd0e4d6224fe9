"""What a post is tagged with: hashtags, their order, and the accounts it mentions."""

from __future__ import annotations

import polars as pl

from propgraph.traces.links import LINK
from propgraph.traces.text import is_reshare

MIN_TAGS = 3
"""Distinct hashtags that a sequence needs."""

# Not after a letter, `&` (&#39; is an apostrophe) or `/`.
_HASHTAG = r"(?:^|[^\w&/#＃])[#＃]\w+"
# `@name`, `@name.host.example` and `@name@host.example`; not the tail of a mail address.
_MENTION = r"(?:^|[^\w@＠/&])[@＠]\w+(?:[.-]\w+)*(?:@\w+(?:[.-]\w+)*)?"
_RESHARED = r"(?i)^\s*rt @(\w+(?:[.-]\w+)*)"


def hashtags(posts: pl.DataFrame, /) -> pl.DataFrame:
    """Return `row, object_id`: each post's hashtags; the log's own where it has any."""
    return posts.lazy().select("row", object_id=_tags(posts)).pipe(_exploded)


def hashtag_sequences(posts: pl.DataFrame, /) -> pl.DataFrame:
    """Return `row, object_id`: the hashtags of each post in order of writing, joined by blanks.

    Posts need `MIN_TAGS` distinct hashtags. Reshares have none, since they copy the order of their original:
    Pacheco et al. (2021, case study 3) take native tweets alone. They join the tags of a day and ask
    for five; of single posts three already are rarely the same by chance (Luceri et al. 2024).
    """
    tags = posts.lazy().select("row", is_reshare(posts).alias("again"), tags=_tags(posts))
    tags = tags.with_columns(pl.col("tags").list.eval(pl.element().filter(pl.element().str.len_bytes() > 0)))
    enough = ~pl.col("again") & (pl.col("tags").list.n_unique() >= MIN_TAGS)
    return tags.filter(enough).select("row", object_id=pl.col("tags").list.join(" ")).drop_nulls().collect()


def mentions(posts: pl.DataFrame, /) -> pl.DataFrame:
    """Return `row, object_id`: the accounts that each post mentions, lower case, without @.

    The log's own where it has any, else those in the text. The account that a reshare names at its start
    (`RT @name:`) is not mentioned by who reshares.
    """
    if _has_any(posts, "mentions"):
        named = pl.col("mentions")
        if "text" in posts.columns:
            reshared = pl.col("text").str.extract(_RESHARED).str.to_lowercase()
            named = (
                pl.when(reshared.is_null())
                .then(named)
                .otherwise(named.list.set_difference(pl.concat_list(reshared)))
            )
    else:
        text = pl.col("text").str.replace_all(LINK, " ").str.replace(_RESHARED, " ").str.to_lowercase()
        named = text.str.extract_all(_MENTION).list.eval(pl.element().str.extract(r"[@＠](.*)$"))
    return posts.lazy().select("row", object_id=named).pipe(_exploded)


def _tags(posts: pl.DataFrame) -> pl.Expr:
    """Return the hashtags of posts as lists, in order of writing."""
    if _has_any(posts, "hashtags"):
        return pl.col("hashtags")
    # A link may end in #section, which is no hashtag.
    marks = pl.col("text").str.replace_all(LINK, " ").str.to_lowercase().str.extract_all(_HASHTAG)
    return marks.list.eval(pl.element().str.extract(r"(\w+)$"))


def _has_any(posts: pl.DataFrame, column: str) -> bool:
    return column in posts.columns and posts[column].null_count() < posts.height


def _exploded(lists: pl.LazyFrame) -> pl.DataFrame:
    exploded = lists.explode("object_id", empty_as_null=True)
    return exploded.filter(pl.col("object_id").str.len_bytes() > 0).collect()
