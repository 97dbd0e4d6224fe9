from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from propgraph.readers.posts.origins import with_origins
from propgraph.schema import IDS

NOON = datetime(2024, 3, 5, 12, tzinfo=UTC)
LINK = "https://valley-herald.example/water"


def posts(*rows, **schema):
    columns = {
        "content_id": pl.String, "account_id": pl.String, "kind": pl.String, "origin_account_id": pl.String,
        "urls": IDS, "text": pl.String,
    } | schema  # fmt: skip
    frame = pl.DataFrame(rows, schema=columns, orient="row")
    return frame.with_columns(timestamp=pl.Series([NOON + timedelta(minutes=n) for n in range(len(rows))]))


NOBODY = pl.DataFrame(schema={"account_id": pl.String, "account_name": pl.String})


def test_the_original_is_its_authors_first_post_of_the_same_link():
    frame = posts(
        ("o1", "a", "original", None, [LINK], "first"),
        ("o2", "a", "original", None, [LINK], "again"),
        ("r1", "b", "reshare", "a", [LINK], None),
        ("r2", "b", "reshare", "a", ["https://else.example"], None),
        ("r3", "b", "reshare", "nobody", [LINK], None),
        ("q", "b", "quote", "a", [LINK], None),
        ("x", "c", "reshare", None, [LINK], None),
    )
    found, counts = with_origins(frame, NOBODY)
    assert dict(found.select("content_id", "parent_content_id").iter_rows()) == {
        "o1": None, "o2": None, "r1": "o1", "r2": "of:a:https://else.example", "r3": f"of:nobody:{LINK}",
        "q": None, "x": None,
    }  # fmt: skip
    assert found["parent_timestamp"].to_list() == [None, None, NOON, None, None, None, None]
    assert counts == {"originals_by_author": 1, "originals_not_in_log": 2, "originals_by_text": 0}
    assert found["content_id"].to_list() == frame["content_id"].to_list()


def test_what_its_author_posted_only_later_is_not_the_original():
    frame = posts(
        ("r1", "b", "reshare", "a", [LINK], None),
        ("o1", "a", "original", None, [LINK], "first in this log"),
        ("r2", "c", "reshare", "a", [LINK], None),
    )
    found, counts = with_origins(frame, NOBODY)
    assert found["parent_content_id"].to_list() == [f"of:a:{LINK}", None, "o1"]
    assert found["parent_timestamp"].to_list() == [None, None, NOON + timedelta(minutes=1)]
    assert counts == {"originals_by_author": 1, "originals_not_in_log": 1, "originals_by_text": 0}


def test_a_reshare_by_whole_hours_may_be_of_a_post_later_in_the_hour():
    # Reshared at noon, in minutes or hours; posted a minute after.
    rows = [("r", "b", "reshare", "a", [LINK], None), ("o", "a", "original", None, [LINK], None)]
    for step_s, known in ((3600.0, True), (61.0, True), (60.0, False), (None, False)):
        frame = posts(*rows).with_columns(time_resolution_s=pl.lit(step_s, pl.Float64))
        found, _ = with_origins(frame, NOBODY)
        assert (found["parent_content_id"][0] == "o") == known


def test_a_text_cut_short_and_marked_as_a_reshare_is_its_originals():
    words = "word " * 60
    frame = posts(
        ("o1", "a", "original", None, None, words),
        ("r1", "b", "reshare", "a", None, f"RT @ana: {words[:210]}…"),
        ("r2", "b", "reshare", "a", None, "Other words"),
        ("r3", "b", "reshare", "a", None, "Other words"),
        ("r4", "b", "reshare", "a", None, ""),
    )
    found, counts = with_origins(frame, NOBODY)
    # Independently of the code: the text's own hash, behind the mark that tells it from a link.
    other = "of:a:" + hashlib.blake2b(b"\x1ftext:Other words", digest_size=8).hexdigest()
    assert found["parent_content_id"].to_list() == [None, "o1", other, other, None]
    assert counts == {"originals_by_author": 1, "originals_not_in_log": 2, "originals_by_text": 0}


def test_an_object_of_the_logs_own_tells_too_and_an_author_alone_does_not():
    frame = posts(
        ("o1", "a", "original", None, None, None, "x"),
        ("r1", "b", "reshare", "a", None, None, "x"),
        ("r2", "b", "reshare", "a", None, None, None),
        object_id=pl.String,
    )
    found, counts = with_origins(frame, NOBODY)
    assert found["parent_content_id"].to_list() == [None, "o1", None]
    assert counts == {"originals_by_author": 1, "originals_not_in_log": 0, "originals_by_text": 0}


def test_a_parent_that_the_log_names_stays():
    frame = posts(
        ("o1", "a", "original", None, [LINK], None, None),
        ("r1", "b", "reshare", "a", [LINK], None, "elsewhere"),
        parent_content_id=pl.String,
    )
    found, counts = with_origins(frame, NOBODY)
    assert (found["parent_content_id"].to_list(), counts) == ([None, "elsewhere"], {})


def test_names_lead_to_accounts_where_one_has_it():
    frame = posts(
        ("o1", "1", "original", None, [LINK], None, None),
        ("r1", "2", "reshare", None, [LINK], None, "@Ana"),
        ("r2", "2", "reshare", None, [LINK], None, "ben"),
        ("r3", "2", "reshare", None, [LINK], None, "Nobody"),
        ("r4", "2", "reshare", "7", [LINK], None, "ana"),
        origin_account_name=pl.String,
    )
    names = pl.DataFrame({"account_id": ["1", "1", "2", "3"], "account_name": ["ana", "ANA", "ben", "Ben"]})
    found, _ = with_origins(frame, names)
    assert found["origin_account_id"].to_list() == [None, "1", "@ben", "@nobody", "7"]
    assert found["parent_content_id"].to_list()[1:] == [
        "o1",
        f"of:@ben:{LINK}",
        f"of:@nobody:{LINK}",
        f"of:7:{LINK}",
    ]
    assert "origin_account_name" not in found.columns


def test_reshares_of_nobody_known_are_of_one_original_where_they_say_the_same():
    frame = posts(
        ("o1", "a", "original", None, None, "They shut the water off"),
        ("r1", "b", "reshare", None, None, "They shut the water off"),
        ("r2", "c", "reshare", None, [LINK], " They shut the water off"),
        ("r3", "c", "reshare", None, [LINK], "so true"),
        ("r4", "c", "reshare", None, [LINK], None),
    )
    found, counts = with_origins(frame, NOBODY)
    same = "of:?:" + hashlib.blake2b(b"\x1ftext:They shut the water off", digest_size=8).hexdigest()
    assert found["parent_content_id"].to_list() == [None, same, same, None, None]
    assert counts == {"originals_by_author": 0, "originals_not_in_log": 0, "originals_by_text": 2}


def test_a_log_without_reshares_is_left_as_it_is():
    frame = posts(("o1", "a", "original", None, [LINK], None))
    found, counts = with_origins(frame, NOBODY)
    assert found.equals(frame)
    assert counts == {}


LONG = "They shut the water off in the whole valley, and nobody in the town hall says until when."


@pytest.mark.parametrize("end", ["…", "...", " …", " ..."])
def test_a_text_cut_to_its_beginning_is_that_of_the_only_post_that_begins_so(end):
    frame = posts(
        ("o1", "a", "original", None, None, LONG),
        ("o2", "a", "original", None, None, "They shut the mill in the whole valley."),
        ("o3", "b", "original", None, None, f"{LONG} Ask them."),
        ("r1", "c", "reshare", "a", None, f"RT @ana: {LONG[:40]}{end}"),
        ("r2", "d", "reshare", "a", None, f"RT @ana: {LONG[:60]}{end}"),
        ("r3", "c", "reshare", "b", None, f"RT @ben: {LONG[:40]}{end}"),
    )
    found, counts = with_origins(frame, NOBODY)
    assert found["parent_content_id"].to_list() == [None, None, None, "o1", "o1", "o3"]
    assert counts["originals_by_author"] == 3


@pytest.mark.parametrize(
    ("others", "cut"),
    [
        ((f"{LONG} Part two.",), f"{LONG[:40]}…"),  # two begin so
        ((), f"{LONG[:19]}…"),  # too short to tell
        ((), LONG[:40]),  # not marked as cut
        ((), f"{LONG[:40]} but…"),
        ((f"{LONG[:40]}…",), f"{LONG[:40]}…"),  # a post that says just that
    ],
)
def test_a_text_that_may_be_another_posts_is_not_taken_for_one(others, cut):
    frame = posts(
        ("o1", "a", "original", None, None, LONG),
        *((f"o{k}", "a", "original", None, None, text) for k, text in enumerate(others, 2)),
        ("r1", "c", "reshare", "a", None, cut),
    )
    found, _ = with_origins(frame, NOBODY)
    assert found["parent_content_id"][-1] != "o1"
    assert (found["parent_content_id"][-1] == "o2") == (cut in others)


def test_reshares_of_nobody_known_are_of_one_original_where_one_is_cut():
    frame = posts(
        ("r1", "b", "reshare", None, None, LONG),
        ("r2", "c", "reshare", None, None, f"{LONG[:40]}…"),
        ("r3", "d", "reshare", None, None, f"{LONG[:50]}…"),
        ("r4", "d", "reshare", None, None, "Another story of the water in the valley…"),
    )
    found, _ = with_origins(frame, NOBODY)
    first, *others, another = found["parent_content_id"]
    assert others == [first, first]
    assert another != first
    shuffled, _ = with_origins(frame[::-1].with_columns(timestamp=frame["timestamp"]), NOBODY)
    assert shuffled["parent_content_id"].to_list()[::-1] == found["parent_content_id"].to_list()
