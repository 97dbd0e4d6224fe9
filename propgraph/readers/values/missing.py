r"""What stands for a missing value in a table: one list of words, and in which columns they count.

R writes `NA`, Python and pandas `nan`, `None`, `NaT`, `<NA>`, databases `NULL` and `\N`, spreadsheets `#N/A`,
people `-` and `N/A`. In JSON a missing value is null, and a string is what it says: an account may be called
`None` there. What Reddit writes for authors who are gone, `[deleted]`, is nobody in any file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

import polars as pl

from propgraph.readers.values.post_kinds import KIND_OF

# As programs write it, letter by letter.
_BY_PROGRAMS = (
    "NA", "<NA>", "<na>", "NaN", "nan", "-nan", "-NaN", "None", "NaT", "NULL", "null", r"\N", "#N/A", "#N/A N/A",
    "#NA", "#NULL!", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "1.#QNAN", "-1.#IND", "NA_character_",
)  # fmt: skip
# As people write it, too.
_BY_PEOPLE = (
    "-",
    "--",
    "–",
    "—",
    "?",
    "n/a",
    "none",
    "null",
    "nil",
    "nan",
    "(null)",
    "[null]",
    "<null>",
    "undefined",
)
GONE = ("[deleted]", "[removed]", "[deleted by user]", "[ Deleted ]", "[ Removed by Reddit ]")


def _padded(words: Iterable[str]) -> list[str]:
    """Return words with and without a blank at either end: a table with `, ` for a separator has these."""
    return [before + word + after for word in words for before in ("", " ") for after in ("", " ")]


_PEOPLE = [form for word in _BY_PEOPLE for form in (word, word.upper(), word.capitalize())]
_GONE = _padded(GONE)
WORDS = list(dict.fromkeys(_padded([*_BY_PROGRAMS, *_PEOPLE, *GONE])))
# Words that may be a tag or a name as well, if people are free in what they write.
MAYBE_TAGS = [word for word in _BY_PROGRAMS if re.fullmatch(r"[A-Za-z]+", word)]
NEVER_TAGS = [word for word in WORDS if not re.fullmatch(r"#?\w+", word.strip())]
# `none` is a log's word for an original.
_NEVER_KINDS = [word for word in WORDS if word.strip().lower() not in KIND_OF]


def words_in(column: str, *, is_json: bool) -> list[str]:
    """Return the words that stand for a missing value in a canonical column, or in any other."""
    if column == "text":
        return []
    if is_json:
        return _GONE
    return {"kind": _NEVER_KINDS, "hashtags": NEVER_TAGS, "mentions": NEVER_TAGS}.get(column, WORDS)


def without(values: pl.Series, words: list[str], /, *, counts: Counter[tuple[str, str]]) -> pl.Series:
    """Return text with null for each cell that is one of `words`, which are counted by the column's name and word."""
    if values.dtype != pl.String or not words:
        return values
    missing = values.is_in(words).fill_null(False)
    if not missing.any():
        return values
    found = values.filter(missing).str.strip_chars().value_counts()
    counts.update({(values.name, word): n for word, n in found.iter_rows()})
    return values.set(missing, None)


def told(counts: Mapping[tuple[str, str], int], /) -> list[str]:
    """Return a sentence for each column of which words were taken as missing.

    Not of `timestamp`: each such row is rejected, and the reason shows the word.
    """
    by_column: dict[str, list[tuple[str, int]]] = {}
    for (column, word), n in sorted(counts.items(), key=lambda item: (item[0][0], -item[1], item[0][1])):
        if column != "timestamp":
            by_column.setdefault(column, []).append((word, n))
    return [
        f"{column}: {_rows(found)}: taken as missing" for column, found in by_column.items()
    ]  # fmt: skip


def _rows(found: Collection[tuple[str, int]]) -> str:
    (first, n), *others = found
    return ", ".join([f"{n:,} rows say {first!r}", *(f"{more:,} {word!r}" for word, more in others)])
