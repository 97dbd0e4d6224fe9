from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from reference import texts as reference

from propgraph.traces import near
from propgraph.traces.near import MAX_CHARS, MIN_SIMILARITY, near_leaders

STORY = "they shut the water off tonight and nobody says why, ask the mayor before it is too late"


def leaders(*texts):
    return near_leaders(pl.Series(texts, dtype=pl.String)).tolist()


def changed(text, n, rng):
    """Return `text` with `n` of its characters replaced."""
    letters = list(text)
    for place in rng.sample(range(len(letters)), n):
        letters[place] = rng.choice("abcdefgh")
    return "".join(letters)


def test_a_text_with_a_tag_more_joins_the_first():
    assert leaders(STORY, "something else altogether", f"#now {STORY}", f"{STORY}!!!") == [0, 1, 0, 0]


def test_no_text_and_one_text():
    assert leaders() == []
    assert leaders("") == [0]
    assert leaders("", "a", "ab", "abc", "abcd") == [0, 1, 2, 3, 4]


def test_groups_do_not_drift():
    # Each text is near the one before; the last has nothing left of the first.
    chain = [STORY[k : k + 60] for k in range(0, 28, 4)]
    assert all(reference.similarity(a, b) >= MIN_SIMILARITY for a, b in pairwise(chain))
    assert reference.similarity(chain[0], chain[-1]) < MIN_SIMILARITY
    found = leaders(*chain)
    assert found == reference.leaders(chain)
    assert len(set(found)) > 1


def test_the_bound_belongs_to_it():
    # Shingles abc, bcd, cde, def, and efg: four of five.
    assert leaders("abcdefg", "abcdef") == [0, 0]
    assert leaders("abcdef", "abcde") == [0, 1]


def test_letters_of_any_script_count_one_each():
    # Ten letters and one more: eight of nine shingles, however many bytes a letter takes.
    for letters in ("abcdefghijk", "абвгдежзийк", "他们今晚把水关了真的吗", "😀😁😂🤣😃😄😅😆😉😊😋"):
        assert reference.similarity(letters, letters[:10]) == 8 / 9
        assert leaders(letters, letters[:10], letters[5:]) == [0, 0, 2]


WORDS = st.lists(st.sampled_from(["mill", "water", "вода", "水", "#x", "off", "tonight"]), max_size=9)


@settings(deadline=None, max_examples=300)
@given(st.lists(WORDS.map(" ".join), unique=True, max_size=25))
@example(["aaaa", "aaa"])
def test_every_text_is_as_similar_to_its_leader_as_asked(texts):
    found = leaders(*texts)
    assert all(lead <= k and found[lead] == lead for k, lead in enumerate(found))
    for k, lead in enumerate(found):
        assert k == lead or reference.similarity(texts[k], texts[lead]) >= MIN_SIMILARITY


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 10**6))
def test_clearly_near_texts_are_found(seed):
    rng = random.Random(seed)
    texts = [changed(STORY * 3, 60, rng) for _ in range(5)]
    copies = [changed(text, 1, rng) for text in texts for _ in range(3)]
    for copy in copies:
        assert max(reference.similarity(copy, text) for text in texts) >= 0.95
    found = leaders(*dict.fromkeys(texts + copies))
    assert found == reference.leaders(list(dict.fromkeys(texts + copies)))


def test_nearly_all_pairs_above_the_bound_are_found():
    rng = random.Random(0)
    texts = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz  ", k=120)) for _ in range(300)]
    texts += [changed(text, rng.randint(2, 8), rng) for text in texts]
    expected, found = np.array(reference.leaders(texts)), np.array(leaders(*texts))
    joined = expected != np.arange(len(texts))
    assert 150 < joined.sum() < 300
    assert (found[joined] == expected[joined]).mean() >= 0.98
    assert (found[~joined] == expected[~joined]).all()


def test_a_crowd_of_half_similar_texts_takes_no_more_looks_than_allowed():
    # A template whose filling makes a third of each text: in one band with thousands, near none of them.
    rng = random.Random(1)
    texts = [STORY[:60] + "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=26)) for _ in range(8000)]
    texts += [f"{text}." for text in texts[-50:]]
    found = leaders(*texts)
    assert found[8000:] == list(range(7950, 8000))


def test_of_long_texts_the_first_characters_count():
    start = "".join(random.Random(2).choices("абвгдежзиклмнопр ", k=MAX_CHARS))
    assert leaders(start + "a" * 5000, start + "b" * 5000, start[: MAX_CHARS // 2]) == [0, 0, 2]


@pytest.mark.parametrize("text", ["a" * 10_000_000, "他 " * 5_000_000, "\u200b\U0010ffff" * 5_000_000])
def test_a_huge_text_is_compared_with_the_others(text):
    assert leaders("short", text, text[:-1] + ".")[:2] == [0, 1]


def test_batches_do_not_matter(monkeypatch):
    rng = random.Random(3)
    texts = [changed(STORY, rng.randint(0, 9), rng) for _ in range(200)]
    texts = list(dict.fromkeys(texts))
    whole = leaders(*texts)
    monkeypatch.setattr(near, "_BATCH", 7)
    assert leaders(*texts) == whole
