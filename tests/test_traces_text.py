from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from reference import texts as reference

from propgraph.arrays.encoding import labels_of
from propgraph.schema import ID, TIME
from propgraph.traces.make import make_shares
from propgraph.traces.text import MAX_CHARS, normalise_texts, text_ids
from propgraph.traces.totals import objects_table

STORY = "They shut the water off tonight"


def log(*texts, kinds=None):
    """Return posts of texts, each by an account of its own, an hour apart."""
    n = len(texts)
    return pl.DataFrame(
        {
            "content_id": [f"p{k}" for k in range(n)],
            "account_id": [f"a{k}" for k in range(n)],
            "timestamp": [datetime(2020, 1, 1 + k // 24, k % 24, tzinfo=UTC) for k in range(n)],
            "kind": kinds or [None] * n,
            "text": texts,
        },
        schema={"content_id": ID, "account_id": ID, "timestamp": TIME, "kind": ID, "text": ID},
    )


def groups(frame, trace="text"):
    """Return the posts of each object of a trace, by object."""
    made = make_shares(frame, trace=[trace])[trace]
    found = {}
    for content, object_ in made.select("content_id", pl.col("object_id").cast(ID)).rows():
        found.setdefault(object_, []).append(content)
    return found


def normal(text):
    return normalise_texts(pl.Series([text], dtype=ID)).item()


@pytest.mark.parametrize(
    "text",
    [
        STORY,
        STORY.upper(),
        f"RT @anna: {STORY}",
        f"rt @anna {STORY}",
        f"@anna @ben.  @c_d {STORY}".replace("ben.", "ben"),
        f".@anna {STORY}",
        f"RT @anna: @ben: {STORY}",
        f"{STORY} https://t.example/abc…",
        f"https://t.example/abc\n{STORY}\thttp://x",
        f"{STORY} pic.twitter.com/abc www.a.example",
        f"  {STORY.replace(' ', chr(0xA0))} ",
        STORY.replace("water", "wa\u200bter").replace("off", "o\u00adff"),
        f"\u202e{STORY}\u202c\ufeff",
        f"\u200bRT @anna: {STORY}",
        "".join(chr(ord(c) + 0xFEE0) if c != " " else "\u3000" for c in STORY),
        STORY.replace("shut", "\x00shut\x07"),
    ],
)
def test_texts_that_say_the_same(text):
    assert normal(text) == "they shut the water off tonight"


@pytest.mark.parametrize(
    "text",
    [f"{STORY}!", f"{STORY} #water", f"{STORY} @anna", f"“{STORY}”", STORY.replace("off", "0ff")],
)
def test_texts_that_do_not(text):
    assert normal(text) not in {None, "they shut the water off tonight"}


def test_case_is_folded_not_lowered():
    assert normal("Die STRASSE ist heute GESPERRT") == normal("die Straße ist heute gesperrt")
    assert normal("ΟΔΟΣ ΟΔΟΣ ΟΔΟΣ ΟΔΟΣ") == normal("οδος οδοσ οδος οδος")


@pytest.mark.parametrize(
    ("text", "carries"),
    [
        ("good morning everyone", False),
        ("good morning to you", True),
        ("@anna RT @ben: good morning everyone https://a.example/four", False),
        ("!!! ??? ... --- one two three", False),
        ("#one #two #three #four", True),
        ("", False),
        (None, False),
        ("转发微博", False),
        ("他们今晚把水关了", True),
        ("สวัสดีครับทุกคน", True),
        ("они выключили воду сегодня", True),
        ("👍 👍 👍 👍 👍", False),
    ],
)
def test_texts_of_few_words_carry_nothing(text, carries):
    assert (normal(text) is not None) is carries


def test_the_same_text_is_one_object():
    found = groups(log(STORY, "else is all this here", f"{STORY.upper()} https://a.example", "short", None))
    assert sorted(found.values()) == [["p0", "p2"], ["p1"]]
    assert all(len(object_) == len("text:") + 16 and object_.startswith("text:") for object_ in found)


def test_ids_are_the_same_in_every_log():
    assert text_ids(pl.Series(["they shut the water off tonight"])).to_list() == ["text:6782e5bf7d42f750"]


def test_reshares_copy_by_nature():
    kinds = ["original", "reshare", "reply", "quote", None, None, "original"]
    texts = [STORY, STORY, STORY, STORY, STORY, f"RT @anna: {STORY}", f"RT @anna: {STORY}"]
    for trace in ("text", "near-text"):
        assert list(groups(log(*texts, kinds=kinds), trace).values()) == [["p0", "p2", "p3", "p4", "p6"]]
    assert list(groups(log(*texts).drop("kind")).values()) == [["p0", "p1", "p2", "p3", "p4"]]


def test_near_texts_go_by_the_first_of_them():
    frame = log(
        "All of this is something else", f"#now {STORY} again", f"{STORY} again", f"{STORY} again.", STORY * 9
    )
    found = groups(frame, "near-text")
    assert sorted(found.values()) == [["p0"], ["p1", "p2", "p3"], ["p4"]]
    first = groups(frame)
    assert found[next(name for name, posts in first.items() if posts == ["p1"])] == ["p1", "p2", "p3"]


def test_near_text_has_to_be_asked_for():
    assert set(make_shares(log(STORY))) == {"text"}


def test_objects_show_a_text():
    frame = log(f"{STORY} https://a.example/1", "x" * 300 + " y z w", STORY)
    for trace in ("text", "near-text"):
        shares = make_shares(frame, trace=[trace])
        table = objects_table(shares, frame).sort("first_share")
        assert table["text"].to_list() == [f"{STORY} https://a.example/1", "x" * 280]
        assert table["n_shares"].to_list() == [2, 1]
    assert objects_table(shares, frame.drop("text"))["text"].to_list() == [None, None]
    assert objects_table(make_shares(frame, trace=["url"]), frame)["text"].to_list() == [None]


def test_objects_do_not_depend_on_accounts_or_other_texts():
    one = make_shares(log(STORY, "something else in here"), trace=["near-text"])["near-text"]
    assert set(labels_of(one["object_id"])) == set(groups(log("something else in here", STORY)))


PIECES = st.sampled_from(
    ["water", "Off", "STRASSE", "ß", "RT", "@anna", "@anna:", ".@b", "#tag", "https://a.example/x", "www.b.example",
     "\u200b", "\u202e", "\ufe0f", "\x00", "\x07", "\t", "\n", " ", " ", "\u3000", "\xa0", "水", "关了", "วัน",
     "ｆｕｌｌ", "é", "e\u0301", "!", "…", "“", "\u3164", "\U000e0001", "😀", "ﬁ", "Σ", "ς"]
)  # fmt: skip


@settings(deadline=None, max_examples=500)
@given(st.lists(st.tuples(PIECES, st.sampled_from(["", " ", " "])).map("".join), max_size=14).map("".join))
@example("rt @a rt @b one two three four")
def test_normalising_equals_its_twin(text):
    assert normal(text) == reference.normal(text)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.lists(PIECES, max_size=9).map(" ".join), min_size=1, max_size=12))
def test_traces_equal_their_twins(texts):
    frame = log(*texts).filter(~pl.col("text").str.contains(r"(?i)^\s*rt @\w"))
    told = [
        (f"p{k}", reference.normal(text))
        for k, text in enumerate(texts)
        if f"p{k}" in set(frame["content_id"])
    ]
    told = [(content, text) for content, text in told if text is not None]
    distinct = list(dict.fromkeys(text for _, text in told))
    leaders = dict(zip(distinct, reference.leaders(distinct), strict=True))
    for trace, key in (("text", lambda text: text), ("near-text", lambda text: distinct[leaders[text]])):
        expected = {}
        for content, text in told:
            expected.setdefault(key(text), []).append(content)
        found = groups(frame, trace) if told else {}
        assert sorted(found.values()) == sorted(expected.values())


@pytest.mark.parametrize(
    "text",
    [
        "word " * 2_000_000,
        "@a " * 3_000_000,
        "https://" * 1_200_000,
        "\u200b" * 3_000_000 + STORY,
        "%25" * 3_000_000,
        "\ufdfa" * 3_000_000,
        "#" * 10_000_000,
        "(" * 10_000_000,
        "https://a.example/" + "(" * 10_000_000,
        "javascript:alert('they shut the water')",
        "\u202egro.elpmaxe//:sptth they shut the water",
        "they shut the water off �� \uffff \U0010ffff",
        "аpple.com they shut the water https://аррӏе.com/%2525252525",
        "z̸̢" + "\u0336" * 1_000_000 + " a b c d",
    ],
    ids=lambda text: f"{text[:20]!r} {len(text)}",
)
def test_hostile_texts_are_data(text):
    # Work that grew with the square of the length would never end here.
    frame = log(text, f"{text}x", STORY)
    make_shares(log(STORY), trace=["near-text"])
    for trace in ("text", "near-text", "url", "hashtag", "hashtag-sequence", "mention"):
        try:
            made = make_shares(frame, trace=[trace])
        except Exception as error:
            assert "the log has none" in str(error)  # noqa: PT017
        else:
            assert made[trace].height


def test_of_a_huge_text_the_first_characters_count():
    start = "word " * (MAX_CHARS // 5)
    assert sorted(groups(log(start + "one", start + "two", "word " * 100)).values()) == [["p0", "p1"], ["p2"]]
