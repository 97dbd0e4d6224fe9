"""JSON records to columns of text, column by column."""

from __future__ import annotations

import json

import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st

from propgraph.readers.find import find_logs
from propgraph.readers.layouts import flat, nested
from tests.reference import json_columns

NAMES = ["id", "by.name", "links[].href", "n"]
NUMBERS = st.sampled_from(
    ["0", "-1", "1.0", "1.5", "1e3", "1.70964E+09", "1e400", "12345678901234567890", "123456789012345678901234567890",
     "9007199254740993", "9007199254740993.0", "-0.0", "1e-7", "2500000.0", "NaN", "true", "false", "null"]
)  # fmt: skip
WORDS = st.sampled_from(['""', '"a"', '"1"', '"\\u00e9"', '"\\ud83d"', '"é\\n"', '"null"'])
SCALARS = NUMBERS | WORDS
LISTS = st.lists(SCALARS, max_size=3).map(lambda items: f"[{', '.join(items)}]")
VALUES = SCALARS | LISTS | SCALARS.map(lambda one: f'{{"name": {one}, "href": {one}}}')
LINKS = st.lists(SCALARS.map(lambda one: f'{{"href": {one}}}') | SCALARS, max_size=3).map(
    lambda items: f"[{', '.join(items)}]"
)
KEYS = st.sampled_from(["id", "by", "by.name", "links", "n"])
# The same key may come twice.
OBJECTS = st.lists(st.tuples(KEYS, VALUES | LINKS), max_size=6).map(
    lambda items: "{" + ", ".join(f'"{key}": {value}' for key, value in items) + "}"
)
PLAIN = st.builds(
    lambda a, b: f'{{"id": {a}, "n": {b}, "by": {{"name": "x"}}}}', WORDS, st.integers(0, 2**70)
)
BROKEN = st.sampled_from(['{"id": 1', "", "   ", "[1]", "7", "null", '{"id": 1} {"id": 2}', "\ufeff{}", "x"])


@given(
    lines=st.lists(OBJECTS | PLAIN | BROKEN, max_size=12),
    at_once=st.integers(1, 5),
    batch_rows=st.integers(1, 20),
)
@example(lines=['{"id": 123456789012345678901234567890, "n": 1.70964E+09}'] * 3, at_once=2, batch_rows=2)
def test_columns_are_those_of_the_slow_reader(tmp_path_factory, lines, at_once, batch_rows):
    path = tmp_path_factory.getbasetemp() / "flat.ndjson"
    # Without a whole object first, this would be no file of JSON lines.
    path.write_text("\n".join(['{"id": "first"}', *lines]) + "\n", encoding="utf-8")
    (file,), _ = find_logs([path])
    before = flat._AT_ONCE, nested.BATCH_ROWS
    flat._AT_ONCE, nested.BATCH_ROWS = at_once, batch_rows
    try:
        batches = list(flat.read_columns(file, NAMES))
    finally:
        flat._AT_ONCE, nested.BATCH_ROWS = before
    frame, numbers, faults, is_nested = json_columns.columns(file, NAMES)
    assert pl.concat([batch.frame for batch in batches]).equals(frame)
    assert [line for batch in batches for line in batch.line] == numbers
    told = pl.concat([batch.rejected for batch in batches])
    assert told.select("line", "reason").rows() == faults
    assert batches[-1].nested == is_nested
    sizes = [batch.frame.height + batch.rejected.height for batch in batches]
    assert sizes[:-1] == [batch_rows] * (len(sizes) - 1)
    assert sizes[-1] < batch_rows


def test_a_record_too_deep_for_a_text_costs_only_itself(tmp_path):
    path = tmp_path / "deep.ndjson"
    deep = "[" * 1000 + "]" * 1000
    path.write_text(f'{{"id": 1, "n": 2}}\n{{"id": 2, "n": {deep}}}\n{{"id": 3}}\n[]\n')
    (file,), _ = find_logs([path])
    (batch,) = flat.read_columns(file, ["n", "id"])
    told = batch.rejected.select("line", "reason").rows()
    assert batch.frame["id"].to_list() in (["1", "3"], ["1", "2", "3"])  # by how deep this Python goes
    if batch.frame.height == 2:
        assert told[0] == (2, "n: lists and objects in one another beyond all use")
    assert told[-1] == (4, "a JSON list where an object was expected")


def test_a_list_of_texts_is_written_as_python_writes_json(tmp_path):
    path = tmp_path / "lists.ndjson"
    lists = [["a", "é\U0001f600", '"\\\n'], [], ["a", 1, None, {"b": [True]}]]
    path.write_text("\n".join(json.dumps({"links": one}) for one in lists))
    (file,), _ = find_logs([path])
    (batch,) = flat.read_columns(file, ["links"])
    assert batch.frame["links"].to_list() == [json.dumps(one) for one in lists]
