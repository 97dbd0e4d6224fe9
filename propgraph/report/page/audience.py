"""Who reads the page, and what they are not shown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from propgraph.report.page.markup import HOST
from propgraph.study import Study
from propgraph.words.said import named, tell

_ACCOUNT, _TEXT = "audience.an-account", "audience.a-text"
# As a number of so few digits stands in any sentence, an id of these cannot be told from a count.
_COUNT = r"^\d{1,4}$"
_SHORTEST = 3
_WORD = re.compile(r"[^\W_]+")
# Lists that hold no id and no text.
_PLAIN_LISTS = ("flags", "innocent", "ties", "traces", "lots", "level_widths", "sites", "vanishes")


@dataclass(frozen=True)
class Audience:
    """What one kind of reader is shown.

    Attributes
    ----------
    name
        `public`, `analyst` or `platform`.
    accounts
        Whether accounts and single posts are named.
    texts
        Whether posts are quoted.
    least
        Clusters with fewer accounts are left out.
    """

    name: str
    accounts: bool
    texts: bool
    least: int

    @property
    def says(self) -> str:
        """The same in a sentence."""
        return named("readers", self.name)


AUDIENCES = {
    one.name: one
    for one in (
        Audience("public", accounts=False, texts=False, least=5),
        Audience("analyst", accounts=True, texts=True, least=0),
        Audience("platform", accounts=True, texts=False, least=0),
    )
}  # fmt: skip


class Redaction:
    """Takes out of sentences and tables what the public is not shown: ids, names, quoted texts, small clusters.

    Parameters
    ----------
    study
        The study.
    hidden
        Clusters that are left out.
    """

    def __init__(self, study: Study, hidden: Iterable[str]) -> None:
        self._study = study
        self._hidden = frozenset(hidden)

    @cached_property
    def _words(self) -> dict[str, list[tuple[str, str]]]:
        """What must not stand anywhere and what stands in its place, by its first word or sign; the longest first."""
        accounts, posts = self._study.scan("accounts"), self._study.scan("posts")
        columns = (
            accounts.select(word="account_id"), accounts.select(word="name"), posts.select(word="target_id"),
            posts.select(word="origin_account_id"),
        )  # fmt: skip
        found = pl.concat([words.unique().collect() for words in columns])["word"].drop_nulls().unique()
        found = found.filter((found.str.len_chars() >= _SHORTEST) & ~found.str.contains(_COUNT))
        words = dict.fromkeys(found.to_list(), tell(_ACCOUNT)) | dict.fromkeys(self._quoted(), tell(_TEXT))
        by_first: dict[str, list[tuple[str, str]]] = {}
        for word in sorted(words, key=lambda word: (-len(word), word)):
            if first := _WORD.search(word):
                by_first.setdefault(first[0], []).append((word[first.start() :], words[word]))
        return by_first

    def _quoted(self) -> set[str]:
        """Return the remarks that sentences quote."""
        clusters = self._study.scan("clusters")
        if "templates" not in clusters.collect_schema():
            return set()
        texts = clusters.select(pl.col("templates").explode()).collect().to_series().drop_nulls().to_list()
        return {part for text in texts for part in (text, text.rsplit(": ", 1)[0]) if part.strip()}

    def text(self, text: str, /) -> str:
        """Return a text in which nobody is named and no post quoted."""
        hosts = [found.span() for found in HOST.finditer(text)]
        kept, at = [], 0
        for found in _WORD.finditer(text):
            start = found.start()
            if start < at:
                continue
            for word, instead in self._words.get(found[0], ()):
                end = start + len(word)
                # Part of a longer word or of a site's name it names nobody.
                if text.startswith(word, start) and not (
                    text[end : end + 1].isalnum()
                    or any(a <= start and end <= b and b - a > end - start for a, b in hosts)
                ):
                    kept += [text[at:start], instead]
                    at = end
                    break
        text = "".join((*kept, text[at:]))
        for cluster in self._hidden:
            text = re.sub(rf"\b{re.escape(cluster)}\b", tell("audience.a-small-cluster"), text)
        return text

    def column(self, texts: pl.Series, /) -> pl.Series:
        """Return texts in which nobody is named and no post quoted."""
        cleared = [None if text is None else self.text(text) for text in texts.to_list()]
        return pl.Series(texts.name, cleared, dtype=pl.String)

    def lines(self, lines: Iterable[str], /) -> tuple[str, ...]:
        """Return sentences in which nobody is named."""
        return tuple(map(self.text, lines))

    def frame(self, frame: pl.DataFrame, /) -> pl.DataFrame:
        """Return a table without columns of ids, lists of ids and texts, and without rows about small clusters."""
        about = [name for name in ("cluster_id", "subject_id") if name in frame.columns]
        for name in about:
            frame = frame.filter(~pl.col(name).is_in(self._hidden).fill_null(False))
        if "subject_type" in frame.columns:
            frame = frame.filter(~pl.col("subject_type").is_in(["account", "pair"]))
        gone = [
            name
            for name, dtype in frame.schema.items()
            if (isinstance(dtype, pl.List) and name not in _PLAIN_LISTS) or name in _NAMING
        ]
        frame = frame.drop(gone)
        return frame.with_columns(
            self.column(frame[name]).alias(name)
            for name, dtype in frame.schema.items()
            if dtype == pl.String and name not in _SITES
        )


# Columns that name an account, a post or a thing that may name either.
_NAMING = frozenset((
    "account_id", "leader_account_id", "name", "content_id", "object_id", "root_account_id", "cascade_id", "ad_id",
    "said", "said_for", "said_against",
    "text", "who", "post", "into", "shared", "who_first", "other_post", "values", "parent_content_id",
    "read_from", "besides",
))  # fmt: skip
_SITES = ("site", "source_site", "top_site")
