from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from propgraph.schema import ID, IDS, TIME
from propgraph.traces.make import make_shares

START = datetime(2020, 1, 1, tzinfo=UTC)
SCHEMA = {
    "content_id": ID, "account_id": ID, "timestamp": TIME, "kind": ID, "hashtags": IDS, "mentions": IDS, "images": IDS,
    "text": ID,
}  # fmt: skip


def log(*posts):
    """Return posts `p0, p1, ...` with the columns given, a second apart."""
    rows = [
        {"content_id": f"p{n}", "account_id": f"a{n}", "timestamp": START + timedelta(seconds=n)} | known
        for n, known in enumerate(posts)
    ]
    return pl.DataFrame(
        rows, schema={name: SCHEMA[name] for name in SCHEMA if any(name in row for row in rows)}
    )


def shares(frame, trace):
    made = make_shares(frame, trace=[trace])[trace]
    pairs = made.select("content_id", pl.col("object_id").cast(ID)).rows()
    assert len(pairs) == len(set(pairs))
    return set(pairs)


# --- hashtag sequences -----------------------------------------------------------------------------------


def test_sequences_keep_the_order_of_writing():
    frame = log(
        {"hashtags": ["mill", "water", "vote"]},
        {"hashtags": ["water", "mill", "vote"]},
        {"hashtags": ["mill", "water", "vote"]},
        {"hashtags": ["mill", "water"]},
        {"hashtags": ["mill", "water", "mill", "mill"]},
        {"hashtags": ["mill", "", "water", "vote"]},
        {"hashtags": None},
        {"hashtags": []},
    )
    assert shares(frame, "hashtag-sequence") == {
        ("p0", "mill water vote"), ("p1", "water mill vote"), ("p2", "mill water vote"), ("p5", "mill water vote"),
    }  # fmt: skip


def test_sequences_repeat_what_the_post_repeats():
    frame = log({"text": "#A #b #A! and #c"}, {"text": "#a #b #c"})
    assert shares(frame, "hashtag-sequence") == {("p0", "a b a c"), ("p1", "a b c")}


def test_reshares_have_no_sequence_of_their_own():
    tags = {"hashtags": ["a", "b", "c"]}
    frame = log(
        tags | {"kind": "reshare"},
        tags | {"kind": "quote"},
        tags | {"text": "RT @x: #a #b #c"},
        tags | {"kind": "original", "text": "RT @x: #a #b #c"},
    )
    assert {content for content, _ in shares(frame, "hashtag-sequence")} == {"p1", "p3"}
    assert len(shares(frame, "hashtag")) == 12


# --- one hashtag, several writings -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Vote", "vOTE"),
        ("café", "cafe\u0301"),  # one letter, or a letter and its accent
        ("İstanbul", "istanbul"),
        ("İSTANBUL", "i\u0307stanbul"),
        ("Straße", "STRASSE"),
        ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
        ("οδυσσευς", "οδυσσευσ"),
        ("ＶＯＴＥ２０２４", "vote2024"),
        ("ガス", "ｶﾞｽ"),
        ("ǅungla", "ǆungla"),
        ("می\u200cخواهم", "میخواهم"),
        ("ÅNGSTRÖM", "a\u030angstro\u0308m"),
    ],
)
def test_one_hashtag_in_several_writings(first, second):
    as_text = shares(log({"text": f"#{first} now"}, {"text": f"＃{second} now"}), "hashtag")
    as_list = shares(log({"hashtags": [first.lower()]}, {"hashtags": [second.lower()]}), "hashtag")
    for made in (as_text, as_list):
        assert {content for content, _ in made} == {"p0", "p1"}
        assert len({tag for _, tag in made}) == 1


@pytest.mark.parametrize(
    ("first", "second"), [("résumé", "resume"), ("ırmak", "irmak"), ("её", "ее"), ("vote", "v0te")]
)  # fmt: skip
def test_other_hashtags_stay_apart(first, second):
    made = shares(log({"text": f"#{first}"}, {"text": f"#{second}"}), "hashtag")
    assert made == {("p0", first), ("p1", second)}


def test_the_writing_of_most_posts_is_shown():
    frame = log({"text": "#STRASSE"}, {"text": "#Straße"}, {"text": "#straße"}, {"text": "#river"})
    assert shares(frame, "hashtag") == {(f"p{n}", "straße") for n in range(3)} | {("p3", "river")}
    tied = log({"text": "#Straße"}, {"text": "#strasse"})
    assert shares(tied, "hashtag") == {("p0", "strasse"), ("p1", "strasse")}
    alone = log({"text": "#ΟΔΥΣΣΕΥΣ"}, {"text": "#Ｖｏｔｅ"})
    assert shares(alone, "hashtag") == {("p0", "οδυσσευς"), ("p1", "ｖｏｔｅ")}


def test_sequences_are_of_hashtags_in_one_writing():
    frame = log({"text": "#Straße #b #c"}, {"text": "#STRASSE #B #C"}, {"text": "#straße"})
    assert shares(frame, "hashtag-sequence") == {("p0", "straße b c"), ("p1", "straße b c")}


def test_an_emoji_is_no_hashtag():
    frame = log({"text": "#\ufe0f\u20e3 one #river"}, {"text": "#vote"})
    assert shares(frame, "hashtag") == {("p0", "river"), ("p1", "vote")}


# --- mentions --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@Anna and @ben_2, (@C)", {"anna", "ben_2", "c"}),
        (".@anna: '@ben' \"@c\" @anna", {"anna", "ben", "c"}),
        ("RT @anna: hello @ben", {"ben"}),
        ("rt @anna @anna hello", {"anna"}),
        ("so RT @anna: hello", {"anna"}),
        ("mail me@a.example or x@y", set()),
        ("@anna@Mill.Example said", {"anna@mill.example"}),
        ("@anna.bsky.social. And @my-name.example!", {"anna.bsky.social", "my-name.example"}),
        ("https://a.example/@anna https://a.example/?x=@ben", set()),
        ("@ anna @@ben &@c a/@d", set()),
        ("＠全角 @Ünal", {"全角", "ünal"}),
        ("", set()),
    ],
)
def test_mentions_are_found_in_text(text, names):
    found = shares(log({"text": text}, {"text": "@control"}), "mention")
    assert {name for content, name in found if content == "p0"} == names


def test_mentions_of_the_log_where_it_has_any():
    frame = log(
        {"mentions": ["anna", "ben", "anna"], "text": "@c"},
        {"mentions": None, "text": "@c"},
        {"mentions": []},
    )
    assert shares(frame, "mention") == {("p0", "anna"), ("p0", "ben")}
    assert shares(frame.with_columns(mentions=pl.lit(None, IDS)), "mention") == {("p0", "c"), ("p1", "c")}


def test_whom_a_reshare_is_of_is_not_mentioned_by_it():
    frame = log(
        {"mentions": ["anna", "ben"], "text": "RT @Anna: hello @ben"},
        {"mentions": ["anna", "ben"], "text": "hello @anna @ben"},
        {"mentions": ["anna"], "text": None},
    )
    assert shares(frame, "mention") == {("p0", "ben"), ("p1", "anna"), ("p1", "ben"), ("p2", "anna")}
    assert shares(frame.drop("text"), "mention") == shares(frame, "mention") | {("p0", "anna")}


def test_mentions_have_to_be_asked_for():
    assert "mention" not in make_shares(log({"mentions": ["anna"]}))


# --- images ----------------------------------------------------------------------------------------------


def test_images_go_by_their_hash():
    frame = log(
        {"images": ["ff00", "00ff", "ff00"]}, {"images": ["ff00", ""]}, {"images": None}, {"images": []}
    )
    assert shares(frame, "image") == {("p0", "ff00"), ("p0", "00ff"), ("p1", "ff00")}
    assert "image" in make_shares(frame)
