from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import polars as pl

from propgraph.readers.origins import with_origins
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
