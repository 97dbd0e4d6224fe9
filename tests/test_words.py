"""The files of sentences: the same keys and facts in each language, none dead, none missing, each in its manner."""

from __future__ import annotations

import ast
import re
from datetime import date, datetime
from pathlib import Path

import pytest

from propgraph.amplification.join import RULE as STRUCTURE
from propgraph.clusters.alone import MAIN_SOURCE, OVER_AND_OVER
from propgraph.clusters.judge import FEW_MEETINGS, NO_SYNCHRONY
from propgraph.clusters.rules import RULES
from propgraph.errors import UsageError
from propgraph.report.page.annex import TABLES
from propgraph.report.page.audience import AUDIENCES
from propgraph.report.page.method import WORDS
from propgraph.report.page.minute import SCALE
from propgraph.report.words import READINGS
from propgraph.sites.operator_reasons import SHARED_FACTS
from propgraph.sites.rules import rules as site_rules
from propgraph.traces.make import TRACES
from propgraph.words.said import Said, formatted, joined, read_in, retold, said, tell
from propgraph.words.sentences import LANGUAGES, pieces, sentences_of

SOURCE = Path(__file__).parents[1] / "propgraph"
ENGLISH = sentences_of("en")
#: Formats that are no table of names.
WRITTEN = {
    "n", "n1", "n2", "g", "change", "%", "%1", "%few", "%some", "duration", "apart", "date", "minute", "second",
    "clock", "year-clock", "day", "year-day", "hour", "to-the-second", "month", "days", "when", "each", "list", "few",
    "and", "or",
}  # fmt: skip


def facts(language, key):
    return {fact for _, fact, _ in pieces(sentences_of(language).texts[key]) if fact is not None}


def tables_of_names():
    """Tables that a sentence names as a format, or the code by `named` or `renamed`."""
    used = {how for text in ENGLISH.texts.values() for _, _, how in pieces(text) if how and "|" not in how}
    place = {"named": 0, "renamed": 1}
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
            if called in place and len(node.args) == 2:
                used |= {
                    one.value for one in ast.walk(node.args[place[called]]) if isinstance(one, ast.Constant)
                }
    return {one for one in used if isinstance(one, str)} - WRITTEN


def constants():
    """All texts in the code, and those that a call of `said` or `tell` takes for a key."""
    every, keys = set(), set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                every.add(node.value)
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("said", "tell") and node.args:
                first = node.args[0]
                branches = (first.body, first.orelse) if isinstance(first, ast.IfExp) else (first,)
                keys |= {one.value for one in branches if isinstance(one, ast.Constant)}
    # What tells of progress is called so, too.
    return every, {key for key in keys if re.fullmatch(r"[a-z-]+\.[a-z0-9-]+", str(key))}


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_the_same_sentences_with_the_same_facts(language):
    texts = sentences_of(language).texts
    assert set(texts) == set(ENGLISH.texts)
    assert [key for key in texts if facts(language, key) != facts("en", key)] == []
    assert [key for key, text in texts.items() if not text.strip()] == []
    # A format that neither the manner nor a table of names knows would stand in a sentence as it is.
    known = WRITTEN | tables_of_names()
    assert {how for text in texts.values() for _, _, how in pieces(text) if how and "|" not in how} <= known


def test_each_sentence_is_used_and_each_that_is_used_is_there():
    every, keys = constants()
    assert sorted(keys - set(ENGLISH.texts)) == []
    names = tables_of_names()
    dead = [key for key in ENGLISH.texts if key.split(".")[0] not in names and key not in every]
    assert dead == ["words.and", "words.or"]  # these join several facts
    assert {key.split(".")[0] for key in ENGLISH.texts} >= names


def test_the_tables_of_names_hold_all_that_there_is_to_name():
    def names(table):
        return {key.removeprefix(f"{table}.") for key in ENGLISH.texts if key.startswith(f"{table}.")}

    of_clusters, of_sites = {rule.name for rule in RULES}, {rule.name for rule in site_rules(0.5)}
    assert names("rule") == of_clusters | of_sites | set(READINGS) | {
        STRUCTURE,
        OVER_AND_OVER,
        MAIN_SOURCE,
        SHARED_FACTS,
    }
    assert names("meaning") == set(READINGS)
    assert names("reason") == of_clusters
    assert names("cut") == names("short-cut") == {NO_SYNCHRONY, FEW_MEETINGS}
    assert names("annex") == set(TABLES)
    assert names("word") == names("word-means") == set(WORDS)
    assert names("readers") == set(AUDIENCES)
    assert names("scale") == set(SCALE)
    assert names("thing") == names("things") == names("same") == names("of-same") == names("same-things")
    assert names("thing") - {"else"} <= set(TRACES)


def test_french_has_its_own_words_and_spaces():
    french = sentences_of("fr").texts
    same = [
        key
        for key, text in french.items()
        if text == ENGLISH.texts[key] and re.search(r"[a-z]{4} [a-z]{3}", text)
    ]
    assert same == []
    for key, text in french.items():
        assert not re.search(r"[^\s\u00a0\u202f\d{}/]:(?=\s)|[\w}] [;!?%»]|« ", text), key
        assert not set("'\"") & set(text), key  # the apostrophe is ’, quotes are « »


def test_nobody_is_called_a_bot():
    words = {
        "en": r"\b(bots?|trolls?|fake accounts?|guilty)\b",
        "fr": r"\b(bots?|robots?|trolls?|faux comptes?|coupables?)\b",
    }
    for language, pattern in words.items():
        for key, text in sentences_of(language).texts.items():
            assert not re.search(pattern, text, re.IGNORECASE), key


def test_numbers_and_times_are_written_in_the_readers_manner():
    asked = [
        (1234567, "n"), (1234.56, "n1"), (0.123, "%1"), (0.001, "%some"), (0.999, "%some"), (7200, "duration"),
        (60, "duration"), (90.0, "apart"), (60, "apart"), (date(2016, 11, 3), "date"), ("2016-11-01", "day"),
        (datetime(2016, 11, 3, 14, 5), "minute"),
        ((date(2016, 10, 24), date(2016, 11, 6)), "when"), ((date(2016, 5, 7), date(2016, 5, 8)), "days"),
        ((date(2015, 12, 31), date(2016, 1, 1)), "days"), ((date(2016, 5, 7), date(2016, 5, 7)), "days"),
    ]  # fmt: skip
    assert [formatted(*one) for one in asked] == [
        "1,234,567", "1,234.6", "12.3%", "less than 1%", "more than 99%", "2 hours", "1 minute", "90 s", "60 s",
        "2016-11-03", "1 Nov 2016", "2016-11-03 14:05", "2016-10-24 to 11-06", "7 to 8 May 2016",
        "31 Dec 2015 to 1 Jan 2016", "7 May 2016",
    ]  # fmt: skip
    with read_in("fr"):
        assert [formatted(*one) for one in asked] == [
            "1\u202f234\u202f567", "1\u202f234,6", "12,3\u202f%", "moins de 1\u202f%", "plus de 99\u202f%", "2 heures",
            "1 minute", "90 s", "60 s", "3 nov. 2016", "1er nov. 2016", "3 nov. 2016 à 14\u00a0h\u00a005",
            "24 oct. – 6 nov. 2016", "du 7 au 8 mai 2016", "du 31 déc. 2015 au 1er janv. 2016", "le 7 mai 2016",
        ]  # fmt: skip


def test_nouns_go_with_their_numbers():
    def pairs(n):
        return tell("rules.by-pairs", n=n, by_chance="1")

    assert [pairs(n).split(",")[0] for n in (0, 1, 2)] == ["0 pairs", "1 pair", "2 pairs"]
    with read_in("fr"):
        assert [pairs(n).split(",")[0] for n in (0, 1, 2)] == ["0 paire", "1 paire", "2 paires"]


def test_a_sentence_is_kept_with_its_facts_and_told_again_in_another_language():
    name = 'Ann "the {fan}" <b> \u00e9'
    inner = joined((said("words.on-day", day=date(2016, 2, 3), n=7), None, said("words.quoted", text=name)))
    kept = said("rules.quiet", days=[inner, "x"]).as_json()
    assert "\\u00e9" not in kept
    assert Said.from_json(kept).told("en") == f"; all but silent on 2016-02-03: 7; '{name}', x"
    assert Said.from_json(kept).told("fr") == (
        f"\u202f; presque muets le 3 févr. 2016\u00a0: 7\u202f; «\u202f{name}\u202f», x"
    )
    with read_in("fr"):
        assert retold("English", None) == "English"  # of an earlier version
        assert retold("English", kept).startswith("\u202f; presque")
    assert retold("English", kept) == "English"
    with pytest.raises(ValueError, match="is no sentence"):
        Said.from_json("[1]")


def test_another_language_is_refused():
    with pytest.raises(UsageError, match="'de' is not one of en, fr"), read_in("de"):
        pass
    assert tell("words.or") == "or"  # what was told before is told again
