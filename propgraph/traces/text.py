"""Texts of posts: which posts say the same, word for word or nearly."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import polars as pl

from propgraph.arrays.encoding import codes_of, encode, labels_of
from propgraph.arrays.types import UInt32
from propgraph.schema import ID
from propgraph.traces.near import near_leaders

TEXT_TRACES = ("near-text", "text")
"""Traces whose objects are texts."""

MIN_WORDS = 4
"""Texts of fewer words carry nothing: everybody says `good morning`."""

MAX_CHARS = 100_000
"""Of a longer text only so many characters are read."""

_BLANKS = r"\s+"
# Characters that leave no mark on paper: a text with them looks like the same text without.
_INVISIBLE = r"[[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]--\s]"
_LINK = r"(?i)(?:https?://|\bwww\.|\bpic\.twitter\.com/)\S*"
# `RT @name:`, `.@name` or names alone: whom a text is said to, not what it says.
# Names are of letters, digits and _; a vowel sign after one, as in Thai, begins the text.
_NAME = r"@[\p{L}\p{N}_]"
_ADDRESS = rf"(?i)^(?:(?:rt )?[.'\"“]?{_NAME}+:? ?)+"
_RESHARE_MARK = rf"(?i)^\s*rt {_NAME}"
# Scripts that are written without blanks: two characters make about one word.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_WORD = rf"[\w--[{_UNSPACED}]]+"


@dataclass(frozen=True, eq=False)
class Texts:
    """The texts of posts that carry any.

    Attributes
    ----------
    row
        The row of the post (UInt32), ascending.
    text
        Which of `normal` it says.
    normal
        Distinct normalised texts, sorted.
    """

    row: pl.Series
    text: UInt32
    normal: pl.Series

    def exact(self) -> pl.DataFrame:
        """Return `row` and `object_id` (encoded): one object for each distinct normalised text."""
        return self._shares(text_ids(self.normal))

    def near(self) -> pl.DataFrame:
        """Return `row` and `object_id` (encoded): the id of the first text that a text is nearly the same as."""
        first = np.full(len(self.normal), len(self.row))
        first[self.text[::-1]] = np.arange(len(self.row))[::-1]
        order = np.argsort(first)
        leader = np.empty_like(order)
        leader[order] = order[near_leaders(self.normal.gather(pl.Series(order)))]
        return self._shares(text_ids(self.normal).gather(pl.Series(leader)))

    def _shares(self, ids: pl.Series) -> pl.DataFrame:
        return pl.DataFrame({"row": self.row, "object_id": encode(ids).gather(pl.Series(self.text))})


def find_texts(posts: pl.DataFrame, /) -> Texts:
    """Return the texts of posts, of `MIN_WORDS` words or more; of reshares none, which copy by nature.

    Parameters
    ----------
    posts
        `row` and `text`; `kind` where known. A post of unknown kind whose text begins with `RT @name` is
        a reshare.
    """
    told = posts.lazy().filter(pl.col("text").is_not_null() & ~is_reshare(posts)).select("row", "text")
    rows = told.collect()
    raw = encode(rows["text"])
    normal = normalise_texts(labels_of(raw))
    has_one = normal.is_not_null()
    known = encode(normal.drop_nulls())
    code = np.full(len(normal), -1)
    code[has_one.to_numpy()] = codes_of(known)
    of_row = code[codes_of(raw)]
    return Texts(
        rows["row"].filter(pl.Series(of_row >= 0)), of_row[of_row >= 0].astype(np.uint32), labels_of(known)
    )


def is_reshare(posts: pl.DataFrame, /) -> pl.Expr:
    """Return whether a post is a reshare, by its kind or, where that is unknown, by the mark in its text."""
    kind = pl.col("kind") if "kind" in posts.columns else pl.lit(None, ID)
    marked = pl.col("text").str.contains(_RESHARE_MARK) if "text" in posts.columns else pl.lit(False)
    return pl.when(kind.is_not_null()).then(kind == "reshare").otherwise(marked.fill_null(False))


def normalise_texts(texts: pl.Series, /) -> pl.Series:
    """Return what texts say, in one form: null for those of fewer than `MIN_WORDS` words.

    Unicode is brought to NFKC and case folded; links, invisible characters (controls, bidirectional marks,
    zero-width and other ignorable ones), the mark of a reshare and the names at the start go; blanks
    become one. What is left is told apart by its punctuation, hashtags and the names within.

    Parameters
    ----------
    texts
        String; of each the first `MAX_CHARS` characters count.
    """
    text = without_links(pl.col("text")).str.replace(_ADDRESS, "")
    n_words = (
        pl.col("text").str.count_matches(_WORD) + pl.col("text").str.count_matches(f"[{_UNSPACED}]") // 2
    )
    # The streaming engine works on one column with all cores.
    plain = (
        texts.alias("text")
        .to_frame()
        .lazy()
        .select(text)
        .with_columns(pl.when(n_words >= MIN_WORDS).then("text"))
        .collect(engine="streaming")["text"]
    )
    # Case folding is more than lower case (`STRASSE`, `Straße`), and Polars has only that.
    folded = [None if text is None else text.casefold() for text in plain.to_list()]
    return pl.Series(texts.name, folded, ID)


def without_links(text: pl.Expr, /) -> pl.Expr:
    """Return the first `MAX_CHARS` characters of a text in NFKC, without links and invisible characters."""
    return (
        text.str.slice(0, MAX_CHARS)
        .str.normalize("NFKC")
        .str.replace_all(_INVISIBLE, "")
        .str.replace_all(_LINK, " ")
        .str.replace_all(_BLANKS, " ")
        .str.strip_chars(" ")
    )


def text_ids(normal: pl.Series, /) -> pl.Series:
    """Return an id of each normalised text: `text:` and 16 hexadecimal digits of its BLAKE2b hash."""
    ids = [f"text:{hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}" for text in normal.to_list()]
    return pl.Series("object_id", ids, ID)
