"""Cells that hold objects, and lists sifted by other columns."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from propgraph.readers.platforms.x_archive import without_posts
from propgraph.readers.values.cells import lists_from, parsed, sifted

IDS = pl.List(pl.String)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ('[{"tag": "a"}]', [{"tag": "a"}]),
        ("[{'tag': \"it's\", 'n': None}]", [{"tag": "it's", "n": None}]),
        ("{'made': datetime.datetime(2009, 5, 15, 6, tzinfo=datetime.timezone.utc)}", {"made": None}),
        ("['https://a.example/Water_(film)']", ["https://a.example/Water_(film)"]),
        ("[TextLink(text='a')]", None),
        ("__import__('os').system('x')", None),
        ("[open('x')]", None),
        ("[" * 5000, None),
        ("[" + "-" * 50_000 + "1]", None),
        ('["\\ud800"]', ["?"]),
        ("[b'x']", None),
        ("a, b", None),
        ("12", None),
        ("", None),
    ],
)
def test_a_cell_is_json_or_what_python_prints(cell, value):
    assert parsed(cell) == value


def test_what_is_too_long_for_python_s_own_parser_is_left():
    assert parsed("['" + "x" * (1 << 20) + "']") is None


def test_each_cell_gives_a_list_or_null():
    frame = pl.DataFrame({"c": ['["a"]', None, "['b', 'c']", "nothing", '["a"]', "[]"]})
    lists = frame.select(lists_from(pl.col("c"), list)).to_series()
    assert lists.to_list() == [["a"], None, ["b", "c"], None, ["a"], []]
    assert lists.dtype == IDS
    assert frame.clear().select(lists_from(pl.col("c"), list)).to_series().dtype == IDS


@given(
    st.lists(
        st.tuples(
            st.none() | st.lists(st.none() | st.sampled_from("abc"), max_size=4),
            st.none() | st.sampled_from("abc"),
        ),
        max_size=8,
    )
)
def test_lists_are_sifted_by_the_columns_beside_them(rows):
    frame = pl.DataFrame(rows, schema={"items": IDS, "no": pl.String}, orient="row")
    found = frame.select(sifted(pl.col("items"), pl.col("item") != pl.col("unwanted"), unwanted=pl.col("no")))
    expected = [
        None if items is None else [item for item in items if item is None or no is None or item != no]
        for items, no in rows
    ]
    assert found.to_series().to_list() == expected


def test_links_to_media_and_to_named_tweets_are_none():
    links = [
        "https://twitter.com/ana/status/1", "https://x.com/i/web/status/2?s=20", "https://twitter.com/ana/statuses/3",
        "https://mobile.twitter.com/ana/status/4/photo/1", "https://valley.example/status/1", "https://x.com/ana",
    ]  # fmt: skip
    frame = pl.DataFrame(
        {"links": [links, links, None, []], "id": ["1", None, "1", "1"], "quoted": ["2", "3", None, "2"]}
    )
    found = frame.select(without_posts(pl.col("links"), pl.col("id"), pl.col("quoted"))).to_series().to_list()
    assert found == [[links[2], *links[4:]], [*links[:2], *links[4:]], None, []]
    assert frame.select(without_posts(pl.col("links"))).to_series().to_list()[0] == [*links[:3], *links[4:]]
