from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import traces as reference

from propgraph.schema import ID, TIME
from propgraph.traces.make import make_shares

START = datetime(2020, 1, 1, tzinfo=UTC)
SCHEMA = {
    "content_id": ID, "account_id": ID, "timestamp": TIME, "kind": ID, "parent_content_id": ID,
    "parent_timestamp": TIME, "origin_account_id": ID,
}  # fmt: skip


def at(seconds):
    return None if seconds is None else START + timedelta(seconds=seconds)


def post(content, account, second, kind="original", parent=None, when=None, origin=None):
    return (content, account, at(second), kind, parent, at(when), origin)


def log(*posts):
    frame = pl.DataFrame(posts, schema=SCHEMA, orient="row")
    return frame.sort("timestamp", "account_id", "content_id")


def shares(frame, trace):
    made = make_shares(frame, trace=[trace])[trace]
    return set(made.select("content_id", pl.col("object_id").cast(ID)).rows())


def test_reshares_within_ten_seconds_of_a_post_in_the_log():
    frame = log(
        post("o", "anna", 0),
        post("r0", "b", 0, "reshare", "o"),
        post("r1", "b", 10, "reshare", "o"),
        post("r2", "b", 10.001, "reshare", "o"),
        post("early", "b", -0.001, "reshare", "o"),
        post("q", "b", 5, "quote", "o"),
        post("r3", "b", 5, "reshare", "elsewhere"),
    )
    assert shares(frame, "fast-reshare") == {("r0", "anna"), ("r1", "anna")}


def test_the_time_that_the_log_tells_goes_first():
    frame = log(
        post("o", "anna", 0),
        post("r1", "b", 100, "reshare", "o", when=95),
        post("r2", "b", 5, "reshare", "o", when=-60),
        post("r3", "b", 20, "reshare", "elsewhere", when=15, origin="carl"),
        post("r4", "b", 20, "reshare", None, when=15, origin="@dora"),
        post("r5", "b", 20, "reshare", None, when=15),
    )
    assert shares(frame, "fast-reshare") == {("r1", "anna"), ("r3", "carl"), ("r4", "@dora")}


def test_an_id_says_more_than_a_name():
    frame = log(
        post("o", "7", 0),
        post("r1", "b", 1, "reshare", "o", origin="@anna"),
        post("r2", "b", 1, "reshare", "o", origin="7"),
        post("r3", "b", 1, "reshare", "o", origin="9"),  # what the log says stands, even against itself
    )
    assert shares(frame, "fast-reshare") == {("r1", "7"), ("r2", "7"), ("r3", "9")}


def test_a_log_without_the_columns_that_would_help():
    frame = log(post("o", "anna", 0), post("r", "b", 1, "reshare", "o", origin="carl"))
    assert shares(frame.drop("parent_timestamp", "origin_account_id"), "fast-reshare") == {("r", "anna")}
    told = frame.with_columns(parent_timestamp=pl.lit(START).cast(TIME)).drop("parent_content_id")
    assert shares(told, "fast-reshare") == {("r", "carl")}
    assert "fast-reshare" not in make_shares(frame.drop("kind"))
    assert "fast-reshare" in make_shares(frame)


IDS_ = st.sampled_from(["a", "b", "c"])
POST = st.tuples(
    st.sampled_from(["p0", "p1", "p2", "p3", "p4"]),
    IDS_,
    st.integers(0, 25),
    st.sampled_from(["original", "reshare", "reshare", "reply"]),
    st.none() | st.sampled_from(["p0", "p1", "p2", "x"]),
    st.none() | st.integers(0, 25),
    st.none() | IDS_ | st.just("@a"),
)


@settings(deadline=None, max_examples=300)
@given(st.lists(POST, min_size=1, max_size=8, unique_by=lambda drawn: drawn[0]))
def test_fast_reshares_equal_their_twin(drawn):
    frame = log(*(post(*known) for known in drawn))
    expected = reference.fast_reshares(frame.to_dicts())
    made = make_shares(frame).get("fast-reshare")
    assert expected == (set() if made is None else shares(frame, "fast-reshare"))


def test_replies_go_by_the_post_they_answer():
    frame = log(
        post("o", "a", 0),
        post("r1", "b", 1, "reply", "o"),
        post("r2", "c", 2, "reply", "elsewhere"),
        post("r3", "c", 3, "reply", None),
        post("r4", "c", 4, "reply", "r4"),
        post("q", "c", 5, "quote", "o"),
    )
    assert shares(frame, "reply") == {("r1", "o"), ("r2", "elsewhere")}
    assert "reply" not in make_shares(frame)
