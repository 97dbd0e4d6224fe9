"""What a post is tagged with: hashtags, their order, and the accounts it mentions."""

from __future__ import annotations

import unicodedata

import polars as pl

from propgraph.readers.values.markdown import hashtags_in, without_links
from propgraph.traces.text import is_reshare

MIN_TAGS = 3
"""Distinct hashtags that a sequence needs."""

# `@name`, `@name.host.example` and `@name@host.example`; not the tail of a mail address.
_MENTION = r"(?:^|[^\w@＠/&])[@＠]\w+(?:[.-]\w+)*(?:@\w+(?:[.-]\w+)*)?"
_RESHARED = r"(?i)^\s*rt @(\w+(?:[.-]\w+)*)"


# Full-width Latin letters and half-width kana to the letters that they are.
_WIDTHS = {
    code: chr(int(form.split()[1], 16))
    for code in range(0xFF00, 0xFFF0)
    if (form := unicodedata.decomposition(chr(code))).startswith(("<wide>", "<narrow>"))
}


def find_hashtags(posts: pl.DataFrame, /) -> pl.Series:
    """Return the hashtags of posts as lists, in order of writing; the log's own where it has any.

    Hashtags that differ in case, in how an accent is put on a letter, in width or in invisible characters only are
    one. It is shown in lower case, as most posts write it (`straße` or `strasse`), of equals the first in the
    alphabet.
    """
    if _has_any(posts, "hashtags"):
        lists = posts["hashtags"]
    else:
        lists = posts.select(tags=hashtags_in(pl.col("text").str.to_lowercase())).to_series()
    shown = _shown(lists.explode(empty_as_null=False, keep_nulls=False))
    if shown.is_empty():
        return lists
    renamed = pl.element().replace(shown["tag"], shown["shown"])
    return lists.to_frame("tags").select(pl.col("tags").list.eval(renamed)).to_series()


def _shown(tags: pl.Series) -> pl.DataFrame:
    """Return `tag` and the writing `shown` of those tags, in lower case, that are written in several ways."""
    if not (tags.str.len_bytes() > tags.str.len_chars()).any():
        return pl.DataFrame(schema={"tag": pl.String, "shown": pl.String})
    counted = tags.drop_nulls().value_counts().rename({tags.name: "tag"})
    lower = pl.col("tag").str.normalize("NFC").str.to_lowercase().str.normalize("NFC")
    written = counted.with_columns(lower=lower)
    # Case folding is more than lower case (`STRASSE`, `Straße`), and Polars has only that.
    keys = [text if text.isascii() else _key(text) for text in written["lower"].to_list()]
    written = written.with_columns(pl.Series("key", keys, pl.String))
    best = (
        written.group_by("key", "lower")
        .agg(pl.col("count").sum())
        .sort("key", "count", "lower", descending=[False, True, False])
        .unique("key", keep="first")
        .select("key", shown="lower")
    )
    return written.join(best, on="key").filter(pl.col("tag") != pl.col("shown")).select("tag", "shown")


def _key(tag: str) -> str:
    """Return what all ways of writing a hashtag have in common."""
    seen = (letter for letter in tag.translate(_WIDTHS) if unicodedata.category(letter) != "Cf")
    folded = unicodedata.normalize("NFC", "".join(seen)).casefold()
    # The dot of a capital İ is the dot that a small i has.
    return unicodedata.normalize("NFC", folded.replace("i\u0307", "i"))


def hashtags(posts: pl.DataFrame, tags: pl.Series, /) -> pl.DataFrame:
    """Return `row, object_id`: each post's hashtags, as `find_hashtags` returns them."""
    return posts.lazy().select("row", tags.alias("object_id")).pipe(_exploded)


def hashtag_sequences(posts: pl.DataFrame, tags: pl.Series, /) -> pl.DataFrame:
    """Return `row, object_id`: the hashtags of each post in order of writing, joined by blanks.

    Posts need `MIN_TAGS` distinct hashtags. Reshares have none, since they copy the order of their original:
    Pacheco et al. (2021, case study 3) take native tweets alone. They join the tags of a day and ask
    for five; of single posts three already are rarely the same by chance (Luceri et al. 2024).
    """
    listed = posts.lazy().select("row", is_reshare(posts).alias("again"), tags=tags)
    listed = listed.with_columns(
        pl.col("tags").list.eval(pl.element().filter(pl.element().str.len_bytes() > 0))
    )
    enough = ~pl.col("again") & (pl.col("tags").list.n_unique() >= MIN_TAGS)
    return listed.filter(enough).select("row", object_id=pl.col("tags").list.join(" ")).drop_nulls().collect()


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
        text = without_links(pl.col("text")).str.replace(_RESHARED, " ").str.to_lowercase()
        named = text.str.extract_all(_MENTION).list.eval(pl.element().str.extract(r"[@＠](.*)$"))
    return posts.lazy().select("row", object_id=named).pipe(_exploded)


def _has_any(posts: pl.DataFrame, column: str) -> bool:
    return column in posts.columns and posts[column].null_count() < posts.height


def _exploded(lists: pl.LazyFrame) -> pl.DataFrame:
    exploded = lists.explode("object_id", empty_as_null=True)
    return exploded.filter(pl.col("object_id").str.len_bytes() > 0).collect()
