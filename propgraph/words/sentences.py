"""The sentences of one language: read from its file, and filled with facts in that language's manner."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from string import Formatter
from typing import Any

from propgraph.words.manner import Manner, manner_of

#: Languages, each with a file of sentences.
LANGUAGES = ("en", "fr")

Piece = tuple[str, str | None, str]
"""Text, the fact that follows it (None: no more), and how that is written."""

_FEW = 3
_SEVERAL = ("list", "few", "each", "and", "or")


@dataclass(frozen=True)
class Sentences:
    """All sentences of a language.

    Attributes
    ----------
    language
        `en`, `fr`.
    manner
        How it writes numbers and times.
    texts
        Sentences as they stand in the file, by key (`table.name`).
    """

    language: str
    manner: Manner
    texts: Mapping[str, str]

    def told(self, key: str, facts: Mapping[str, Any], /) -> str:
        """Return a sentence with its facts, which are words, numbers, times and lists of these.

        Raises
        ------
        KeyError
            When there is no such sentence, or one of its facts is missing.
        """
        parts = []
        for text, fact, how in pieces(self.texts[key]):
            parts.append(text)
            if fact is not None and facts[fact] is not None:
                parts.append(self.formatted(facts[fact], how))
        return "".join(parts)

    def formatted(self, value: Any, how: str, /) -> str:
        """Return a fact as it is written: `how` is a format, forms of a noun (`pair|pairs`), or a table of names."""
        if not how:
            return str(value)
        if "|" in how:
            forms = how.split("|")
            return forms[min(self.manner.plural(value), len(forms) - 1)]
        if how in _SEVERAL:
            return self._several(value, how)
        written = self.manner.written(value, how)
        return self.named(how, value) if written is None else written

    def _several(self, values: Sequence[Any], how: str) -> str:
        words = list(map(str, values))
        if how == "list":
            return ", ".join(words)
        if how == "few":
            return ", ".join(words[:_FEW]) + (", ..." if len(words) > _FEW else "")
        return self._each(words) if how == "each" else self._one_or_several(words, how)

    def _each(self, words: Sequence[str]) -> str:
        first, *others = words
        for other in others:
            first = self.told("words.semicolon", {"one": first, "other": other})
        return first

    def _one_or_several(self, words: Sequence[str], how: str) -> str:
        if len(words) < 2:
            return "".join(words)
        return f"{', '.join(words[:-1])} {self.texts[f'words.{how}']} {words[-1]}"

    def named(self, table: str, value: object, /) -> str:
        """Return what a value is called by a table of names: `else` where it stands for all others, else the value."""
        return self.texts.get(f"{table}.{value}", self.texts.get(f"{table}.else", str(value)))


@lru_cache
def pieces(text: str, /) -> tuple[Piece, ...]:
    """Return a sentence as pieces of text with the facts between them."""
    return tuple((before, fact, how or "") for before, fact, how, _ in Formatter().parse(text))


@lru_cache
def sentences_of(language: str, /) -> Sentences:
    """Return the sentences of a language."""
    found = tomllib.loads(files("propgraph.words").joinpath(f"{language}.toml").read_text(encoding="utf-8"))
    manner = manner_of(found.pop("manner"))
    texts = {
        f"{table}.{name}": manner.spaced(text) for table, rows in found.items() for name, text in rows.items()
    }
    return Sentences(language, manner, texts)
