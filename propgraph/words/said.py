"""A sentence as its key and its facts: kept with what was found, put into words when somebody reads it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from typing import Any

from propgraph.errors import check_choice
from propgraph.words.sentences import LANGUAGES, sentences_of

ENGLISH = "en"
"""The language of what is written into tables, and the one in which people read where they ask for no other."""

# A reader's language is nobody's parameter: it holds for all that is told while one screen or page is made.
_READ_IN: ContextVar[str] = ContextVar("language", default=ENGLISH)


@dataclass(frozen=True)
class Said:
    """One sentence, or part of one, before it is put into words.

    Attributes
    ----------
    key
        Of the sentence in the files of sentences.
    facts
        What stands in it, by name: counts, parts of a whole, seconds, times, names; other sentences; lists of these.
        None says nothing.
    """

    key: str
    facts: Mapping[str, Any]

    def told(self, language: str | None = None, /) -> str:
        """Return it in words; None takes the language that `read_in` set, else English."""
        language = language or _READ_IN.get()
        facts = {name: _in_words(fact, language) for name, fact in self.facts.items()}
        return sentences_of(language).told(self.key, facts)

    @property
    def english(self) -> str:
        """It in words, in the language of tables."""
        return self.told(ENGLISH)

    def as_json(self) -> str:
        """Return it as JSON: an object with `key` and `facts`, sentences within it alike."""
        return json.dumps(_plain(self), ensure_ascii=False, separators=(",", ":"))

    def as_columns(self, name: str = "sentence", kept: str = "said") -> dict[str, str]:
        """Return it as two columns of a table: in English, and as JSON."""
        return {name: self.english, kept: self.as_json()}

    @staticmethod
    def from_json(text: str, /) -> Said:
        """Return what `as_json` wrote."""
        found = _read(json.loads(text))
        if not isinstance(found, Said):
            raise ValueError(f"{text!r} is no sentence")
        return found


def said(key: str, /, **facts: Any) -> Said:
    """Return a sentence by its key and facts."""
    return Said(key, facts)


def tell(key: str, /, **facts: Any) -> str:
    """Return a sentence in words, in the reader's language."""
    return Said(key, facts).told()


def joined(parts: Iterable[Said | None], /) -> Said | None:
    """Return several sentences as one, None of none."""
    kept = [part for part in parts if part is not None]
    return then(*kept) if kept else None


def then(first: Said, /, *others: Said | None) -> Said:
    """Return a sentence with others after it, those that are None left out."""
    for other in others:
        if other is not None:
            first = Said("words.semicolon", {"one": first, "other": other})
    return first


def named(table: str, value: object, /) -> str:
    """Return what the reader's language calls a value of a table of names; the value itself where it has none."""
    return sentences_of(_READ_IN.get()).named(table, value)


def formatted(value: Any, how: str, /) -> str:
    """Return a number or time as the reader's language writes it, `how` as in the files of sentences."""
    return sentences_of(_READ_IN.get()).formatted(value, how)


def language() -> str:
    """Return the language in which is told now."""
    return _READ_IN.get()


@contextmanager
def read_in(language: str, /) -> Iterator[None]:
    """Tell everything within in one language.

    Raises
    ------
    UsageError
        When there is no file of sentences in it.
    """
    check_choice("language", language, LANGUAGES)
    token = _READ_IN.set(language)
    try:
        yield
    finally:
        _READ_IN.reset(token)


def retold(sentence: str | None, kept: str | None, /) -> str:
    """Return a sentence of a table in the reader's language, by the JSON kept beside it; English where none was."""
    if kept is None or _READ_IN.get() == ENGLISH:
        return sentence or ""
    return Said.from_json(kept).told()


def _in_words(fact: Any, language: str) -> Any:
    if isinstance(fact, Said):
        return fact.told(language)
    if isinstance(fact, (list, tuple)):
        return [_in_words(one, language) for one in fact]
    return fact


def _plain(fact: Any) -> Any:
    if isinstance(fact, Said):
        return {"key": fact.key, "facts": {name: _plain(one) for name, one in fact.facts.items()}}
    if isinstance(fact, (list, tuple)):
        return [_plain(one) for one in fact]
    return fact.isoformat() if isinstance(fact, date) else fact


def _read(found: Any) -> Any:
    if isinstance(found, dict):
        return Said(found["key"], {name: _read(one) for name, one in found["facts"].items()})
    return [_read(one) for one in found] if isinstance(found, list) else found
