"""JSON documents, nested keys, and records that become posts."""

from __future__ import annotations

import json
import re
import tracemalloc

import polars as pl
import pytest

from propgraph.errors import InputError
from propgraph.readers.base import NoPost, NotThisFormatError, Reader, at, objects
from propgraph.readers.find import find_logs
from propgraph.readers.layouts import nested
from propgraph.readers.layouts.tabular import columns_of, read_batches
from propgraph.readers.read import read_logs

POSTS = [{"id": f"p{n}", "by": {"id": n % 3, "name": "é"}, "at": 1_600_000_000 + n} for n in range(10)]


def file_of(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (file,), _ = find_logs([path])
    return file


def rows_of(reader, file):
    batches = list(read_batches(file, list(reader.fields), reader=reader))
    frame = pl.concat([batch.frame for batch in batches])
    lines = [line for batch in batches for line in batch.line]
    faults = pl.concat([batch.rejected for batch in batches])
    return frame, lines, faults.select("line", "reason", "raw").rows()


def reader(rows, **more):
    fields = {"content_id": "id", "account_id": "by.id", "timestamp": "at", "urls": "links"}
    return Reader(
        name="r", title="", layouts=(("id",),), fields=fields, sample="", checked="", rows=rows, **more
    )


def plain(record):
    if "id" not in record:
        raise NotThisFormatError("no id")
    if record.get("gone"):
        yield NoPost("deletion")
        return
    yield {
        "content_id": record["id"], "account_id": at(record, "by", "id"), "timestamp": record["at"],
        "urls": record.get("links"),
    }  # fmt: skip


PLAIN = reader(plain)


def written(form, values):
    if form == "lines":
        return "\n".join(json.dumps(value) for value in values)
    if form == "values":
        return "\n".join(json.dumps(value, indent=1) for value in values)
    return json.dumps(values, indent=1 if form == "array over lines" else None)


@pytest.mark.parametrize("form", ["lines", "values", "array", "array over lines"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_records_are_the_same_in_each_form_of_json(tmp_path, form, encoding):
    file = file_of(tmp_path / "f.json", written(form, POSTS).encode(encoding))
    assert file.layout == ("ndjson" if form == "lines" else "json")
    assert columns_of(file) == ["id", "by", "at", "by.id", "by.name"]
    frame, lines, faults = rows_of(PLAIN, file)
    assert frame["account_id"].to_list() == [str(n % 3) for n in range(10)]
    assert frame["timestamp"].to_list() == [str(1_600_000_000 + n) for n in range(10)]
    assert (lines, faults) == (list(range(1, 11)), [])


def test_paths_go_through_objects_and_lists(tmp_path):
    content = json.dumps({"data": [{"a": 1}, {"b": {"c": 1}}, 7], "meta": {"x": {}}, "data.a": 2})
    file = file_of(tmp_path / "f.json", content)
    assert columns_of(file) == ["data", "meta", "data.a", "data[].a", "data[].b", "data[].b.c", "meta.x"]


def test_a_document_of_a_million_keys_is_recognised_by_some_of_them(tmp_path):
    content = json.dumps({"id": 1, "many": {f"k{n}": n for n in range(100_000)}, "late": 1})
    paths = columns_of(file_of(tmp_path / "f.json", content))
    assert len(paths) < 11_000
    assert {"id", "many", "late"} <= set(paths)


CHAT = {"name": "Herald", "id": 7, "messages": [{"id": 1}, {"id": 2, "more": {"deep": [1, [2]]}}, "odd"]}


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize(
    ("document", "lists"),
    [
        (CHAT, ("messages",)),
        ({"about": "x", "chats": {"about": "y", "list": [CHAT]}}, ("messages", "chats.list[].messages")),
    ],
)
def test_records_in_a_list_come_one_by_one_beside_what_their_owner_says(tmp_path, document, lists, indent):
    seen = []

    def rows(record):
        seen.append(record)
        yield from ({"content_id": str(message["id"])} for message in objects(record.get("messages")))

    # One line of its own is a record as it is: the reader sees the whole of it.
    file = file_of(tmp_path / "f.json", json.dumps(document, indent=indent))
    frame, _, faults = rows_of(reader(rows, lists=lists), file)
    if indent is None:
        assert seen == [document]
        return
    assert [record["messages"] for record in seen] == [[message] for message in CHAT["messages"]]
    assert all((record["name"], record["id"]) == ("Herald", 7) for record in seen)
    assert frame["content_id"].to_list() == ["1", "2"]
    assert [(line, reason) for line, reason, _ in faults] == [(3, "no post: nothing in it for r")]


def test_all_lists_of_a_document_are_read(tmp_path):
    document = {"chats": {"list": [CHAT]}, "left_chats": {"list": [CHAT | {"id": 8}]}}
    seen = []

    def rows(record):
        seen.append((record["id"], record["messages"]))
        yield {}

    file = file_of(tmp_path / "f.json", json.dumps(document, indent=1))
    rows_of(reader(rows, lists=("chats.list[].messages", "left_chats.list[].messages")), file)
    assert seen == [(n, [message]) for n in (7, 8) for message in CHAT["messages"]]


@pytest.mark.parametrize(
    "text", [r"a\x01b", r"\x1fb", r"a\\x01", r"a\\\x01b", "\\\\" * 5, r"a\x0", "x" * 5000 + r"\x41"]
)
def test_an_escape_that_json_does_not_know_is_a_character(tmp_path, monkeypatch, text):
    content = '[{"id": "%s", "at": 1},\n{"id": "q", "at": 1}]' % text  # noqa: UP031
    frame, _, faults = rows_of(PLAIN, file_of(tmp_path / "f.json", content))
    if text.endswith("x0"):
        assert (frame["content_id"].to_list(), faults[0][0]) == (["q"], 1)
        return
    # Python's own rules for the same escapes, which are those of C.
    assert frame["content_id"].to_list() == [text.encode().decode("unicode_escape"), "q"]


def test_an_escape_may_be_cut_in_two(tmp_path):
    for n in range(1 << 20, (1 << 20) - 40, -1):
        start = '[{"id": "'
        content = start + "y" * (n - len(start)) + '\\\\\\x41\\"z", "at": 1}]'
        frame, _, faults = rows_of(PLAIN, file_of(tmp_path / "f.json", content))
        assert (frame["content_id"][0][-5:], faults) == ('y\\A"z', [])


def test_owners_do_not_lend_each_other_their_names(tmp_path):
    owners = [{"id": 1, "name": "a", "messages": [{}]}, {"id": 2, "messages": [{}]}]
    seen = []

    def rows(record):
        seen.append((record["id"], record.get("name")))
        yield {}

    file = file_of(tmp_path / "f.json", json.dumps({"chats": {"list": owners}}, indent=1))
    rows_of(reader(rows, lists=("chats.list[].messages",)), file)
    assert seen == [(1, "a"), (2, None)]


def test_what_a_record_is_not_is_told_and_costs_only_itself(tmp_path):
    lines = [
        '{"id": "p1", "at": 1600000000, "by": {"id": 1}, "links": ["a", 7, null, "", "b"]}', "torn", "[1]",
        '{"at": 1}', '{"id": "p2"}', '{"id": "p3", "gone": true}', '{"id": "p4", "at": [1], "by": 7, "links": "c"}',
        "", '{"id": NaN, "at": NaN}', "7",
    ]  # fmt: skip
    frame, found, faults = rows_of(PLAIN, file_of(tmp_path / "f.ndjson", "\n".join(lines)))
    assert found == [1, 7, 9]
    assert frame["urls"].to_list() == [["a", "b"], ["c"], None]
    assert frame["timestamp"].to_list() == ["1600000000", "[1]", None]
    # What follows "not JSON" are the parser's own words, which change with its version.
    assert [(line, re.sub("(?<=not JSON: ).*", "...", reason)) for line, reason, _ in faults] == [
        (2, "not JSON: ..."),
        (3, "a JSON list where an object was expected"),
        (4, "not of r: no id"),
        (5, "not of r: KeyError 'at'"),
        (6, "no post: deletion"),
        (10, "a JSON int where an object was expected"),
    ]
    assert [raw for _, _, raw in faults] == ["torn", "[1]", '{"at": 1}', '{"id": "p2"}', None, "7"]


def test_a_log_of_no_posts_at_all_is_told(tmp_path):
    path = tmp_path / "f.ndjson"
    like = {"did": "did:plc:a", "time_us": 1, "kind": "commit", "commit": {
        "operation": "create", "collection": "app.bsky.feed.like", "rkey": "k", "record": {}}}  # fmt: skip
    path.write_text(json.dumps(like) + "\n")
    with pytest.raises(
        InputError, match=r"none of 1 rows can be used; the first, line 1: no post: app.bsky.feed.like$"
    ):
        read_logs([path], format="bluesky-jetstream")


def test_posts_before_the_fault_of_a_record_of_many_stay(tmp_path):
    def rows(record):
        yield from ({"content_id": post["id"], "account_id": "a", "timestamp": 1} for post in record["data"])

    content = '{"id": 1, "data": [{"id": "p1"}, {"id": "p2"}, {}, {"id": "p3"}]}\n'
    frame, lines, faults = rows_of(reader(rows), file_of(tmp_path / "f.ndjson", content))
    assert (frame["content_id"].to_list(), lines) == (["p1", "p2"], [1, 1])
    assert [(line, reason) for line, reason, _ in faults] == [(1, "not of r: KeyError 'id'")]


def test_a_document_cut_off_keeps_what_came_before_and_tells_how_much_is_lost(tmp_path):
    content = json.dumps(POSTS, indent=1)
    frame, _, faults = rows_of(PLAIN, file_of(tmp_path / "f.json", content[:300]))
    n = frame.height
    assert 1 < n < 10
    start = content.index("{", content.rindex('"at"', 0, content.index(f'"p{n}"')))
    assert [(line, reason) for line, reason, _ in faults] == [
        (n + 1, "not JSON from here on (it ends inside a value); the rest of the file, "
         f"{300 - start} bytes from byte {start} on, is not read"),
    ]  # fmt: skip


def test_a_record_that_is_no_json_costs_only_itself(tmp_path):
    content = json.dumps(POSTS, indent=1)
    for damage in (
        content.replace('"p4"', "p4"),
        content.replace('"p4"', '"p4" 7'),
        content.replace('"p4",', '"p4"'),
    ):
        frame, _, faults = rows_of(PLAIN, file_of(tmp_path / "f.json", damage))
        assert frame["content_id"].to_list() == [f"p{n}" for n in range(10) if n != 4]
        ((line, reason, raw),) = faults
        assert (line, reason[:10], "p4" in raw) == (5, "not JSON: ", True)
    frame, _, faults = rows_of(PLAIN, file_of(tmp_path / "f.json", content.replace('"p4"', "NaN")))
    assert (frame.height, faults) == (10, [])  # as Python's json reads it


def test_bytes_that_are_no_text_cost_themselves(tmp_path):
    content = json.dumps(POSTS).encode().replace(b"p4", b"p\xff4")
    frame, _, faults = rows_of(PLAIN, file_of(tmp_path / "f.json", content))
    assert (frame["content_id"][4], frame.height, faults) == ("p\ufffd4", 10, [])


def test_half_an_emoji_and_deep_nesting_are_data(tmp_path):
    deep = '{"id": "p", "at": 1, "x": ' + "[" * 100_000 + "]" * 100_000 + "}"
    lines = [r'{"id": "p\ud83d", "at": 1}', deep, '{"id": "q", "at": 1}']
    frame, _, faults = rows_of(PLAIN, file_of(tmp_path / "f.ndjson", "\n".join(lines)))
    assert frame["content_id"].to_list() == ["p?", "q"]
    assert [line for line, _, _ in faults] == [2]


def test_integers_keep_all_their_digits(tmp_path):
    big = 12345678901234567890123
    for form in ("lines", "array"):
        file = file_of(tmp_path / "f.json", written(form, [{"id": big, "by": {"id": big + 1}}]))
        (batch,) = read_batches(file, ["id", "by.id", "by"])
        assert batch.frame.row(0)[:2] == (str(big), str(big + 1))
        assert batch.nested


def test_ones_own_columns_may_lie_in_objects(tmp_path):
    path = tmp_path / "f.ndjson"
    path.write_text("\n".join(json.dumps(post) for post in POSTS))
    log = read_logs(
        [path], mapping={"account_id": "by.id", "timestamp": "at", "content_id": "id", "text": "by.name"}
    )
    assert log.posts["account_id"].cast(pl.String).to_list() == [str(n % 3) for n in range(10)]
    assert log.posts["text"].to_list() == ["é"] * 10


def test_a_key_with_a_dot_comes_before_a_path(tmp_path):
    file = file_of(tmp_path / "f.ndjson", '{"a.b": 1, "a": {"b": 2}}\n{"a": {"b": 3}}\n')
    (batch,) = read_batches(file, ["a.b"])
    assert batch.frame["a.b"].to_list() == ["1", "3"]


def test_a_large_document_is_never_in_memory_as_a_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(nested, "BATCH_ROWS", 100)
    text = "x" * 1000
    whole = {"name": "Herald", "messages": [{"id": n, "text": text} for n in range(20_000)]}
    file = file_of(tmp_path / "f.json", json.dumps(whole, indent=1))
    size = file.path.stat().st_size

    def rows(record):
        yield from ({"content_id": str(message["id"])} for message in record["messages"])

    tracemalloc.start()
    n = sum(
        b.frame.height for b in read_batches(file, ["content_id"], reader=reader(rows, lists=("messages",)))
    )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert n == 20_000
    assert peak < size / 2


def test_progress_is_told_in_bytes_of_the_file(tmp_path):
    import gzip

    content = gzip.compress(written("lines", POSTS * 1000).encode())
    file = file_of(tmp_path / "f.ndjson.gz", content)
    told: list[int] = []
    list(read_batches(file, ["id"], progress=told.append))
    assert sum(told) == len(content)
