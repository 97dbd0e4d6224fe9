"""Documents cut into records: as a parser of the whole cuts them, and whatever is done to them."""

from __future__ import annotations

import io
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from propgraph.readers.layouts import documents
from propgraph.readers.layouts.documents import first_record, has_list, read_records

LISTS = ("messages", "chats.list[].messages")


def cut(content, lists=(), piece=1 << 20):
    data = content.encode() if isinstance(content, str) else content
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(documents, "PIECE", piece)
        return list(read_records(io.BytesIO(data), lists))


def plain(records):
    """Return records as `(list, what stands beside it, value)`."""
    assert [record.fault for record in records] == [None] * len(records)
    return [(record.list_name, record.beside, json.loads(record.text)) for record in records]


def slow(document, lists, path="", name=None):
    """Return the same by a parser of the whole document."""
    if not lists:
        return [(None, {}, item) for item in (document if isinstance(document, list) else [document])]
    found, beside = [], {}
    if not isinstance(document, dict):
        return []
    for key, value in document.items():
        inner = f"{path}.{key}" if path else key
        if isinstance(value, list) and inner in lists:
            found += [(key, dict(beside), item) for item in value]
        elif isinstance(value, dict):
            found += slow(value, lists, inner)
        elif isinstance(value, list):
            found += [
                one for item in value if isinstance(item, dict) for one in slow(item, lists, f"{inner}[]")
            ]
        elif path in {owner.rpartition(".")[0] for owner in lists}:
            beside[key] = value
    return found


keys = st.sampled_from(["messages", "chats", "list", "name", "a.b", 'q"\\', "é😀"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('ab"\\{}[],:\n é😀', max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=30,
)


@given(values, st.sampled_from([None, 1]), st.booleans(), st.integers(1, 40), st.booleans())
def test_a_document_is_cut_as_a_parser_of_the_whole_does(value, indent, ascii_only, piece, in_lists):
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    lists = LISTS if in_lists else ()
    if in_lists and not isinstance(value, dict):
        return
    assert plain(cut(text, lists, piece)) == slow(value, lists)


@given(values)
def test_a_known_list_is_found_or_not(value):
    known = isinstance(value, dict) and "messages" in json.dumps(value)
    found = has_list(io.BytesIO(json.dumps(value).encode()), LISTS)
    assert not found or known
    if isinstance(value, dict):
        assert found >= bool(slow(value, LISTS))


def test_values_one_after_another_are_records_and_lists_are_of_records():
    text = '{"a": 1}\n[{"b": 2}, 3]{"c": [4]}, "five" 6 null\n[{"d": 7}]\n{"e": 8}'
    assert [value for _, _, value in plain(cut(text, piece=3))] == [
        {"a": 1}, {"b": 2}, 3, {"c": [4]}, "five", 6, None, {"d": 7}, {"e": 8},
    ]  # fmt: skip


def test_the_first_record_of_a_list():
    text = '{"x": {"account": [1]}, "account": [{"id": "a"}, {"id": "b"}]}'
    assert first_record(io.BytesIO(text.encode()), "account") == {"id": "a"}
    for other in ("{}", '{"account": 7}', '{"account": []}', '{"account": [{', "", "[", "7"):
        assert first_record(io.BytesIO(other.encode()), "account") is None


POSTS = [{"id": n, "text": ["x", {"deep": n}]} for n in range(9)]
PRETTY = json.dumps({"name": "H", "messages": POSTS}, indent=1)
LINES = '{"name": "H", "messages": [\n' + ",\n".join(map(json.dumps, POSTS)) + "\n]}"


def ids(records):
    """Return the ids of the records that are JSON."""
    found = []
    for record in records:
        if record.fault is None:
            try:
                found.append(json.loads(record.text)["id"])
            except (ValueError, TypeError, KeyError):
                continue
    return found


# What is done to the fifth record, and which records are left.
END = """
     "deep": 4
    }
   ]
  }"""
REST = [0, 1, 2, 3, 5, 6, 7, 8]
BREAKS = {
    "a bracket missing": (END, END.removesuffix("\n  }"), REST),
    "a bracket too many": (END, END + "\n  }", list(range(9))),
    "a list's bracket too many": (END, END + "\n  ]", list(range(9))),
    "a quote missing": ('"deep": 4', '"deep: 4', REST),
    "a quote too many": ('"deep": 4', '"deep": "4', REST),
    "a comma missing": ('"id": 4,', '"id": 4', REST),
    "junk": ('"id": 4,', "\0\xff junk : ,", REST),
}


@pytest.mark.parametrize("name", BREAKS)
@pytest.mark.parametrize("piece", [7, 64, 1 << 20])
def test_damage_in_a_document_over_lines_costs_the_record(name, piece):
    old, new, left = BREAKS[name]
    assert old in PRETTY
    records = cut(PRETTY.replace(old, new), ("messages",), piece)
    assert ids(records) == left
    assert len(records) > len(left)  # what is not read is told


def test_where_nothing_more_is_found_the_bytes_lost_are_told():
    damaged = PRETTY.replace('"id": 4,', "}}]{[")
    *records, last = cut(damaged, ("messages",))
    assert ids(records) == [0, 1, 2, 3]
    at = damaged.index("{[")
    lost = f"the rest of the file, {len(damaged) - at} bytes from byte {at} on, is not read"
    assert last.fault == f"not JSON from here on (a name and a colon should stand here); {lost}"


@pytest.mark.parametrize("text", [PRETTY, LINES, json.dumps({"messages": POSTS})])
def test_a_document_cut_off_tells_how_much_of_it_is_lost(text):
    whole = [record.text for record in cut(text, ("messages",))]
    for stop in range(1, len(text) - 1):
        *good, last = cut(text[:stop], ("messages",), 64)
        assert [record.text for record in good] == whole[: len(good)]
        n_read = text.index(whole[len(good) - 1].decode()) + len(whole[len(good) - 1]) if good else 0
        if last.fault.endswith("; is it cut off?"):
            lost, at = 0, stop
        else:
            lost, at = (int(last.fault.split(word)[0].split()[-1]) for word in (" bytes", " on, is"))
        assert lost + at == stop
        assert at >= n_read
        # Between what was read and what is lost there are blanks, brackets, and whole names and values beside the list.
        assert "id" not in text[n_read:at]


@given(st.data())
def test_whatever_a_document_is_like_it_is_read_in_one_pass(data):
    if data is None:
        return
    text = bytearray(
        data.draw(st.sampled_from([PRETTY, LINES, json.dumps(POSTS), json.dumps(POSTS, indent=2)])).encode()
    )
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(text)))
        token = data.draw(
            st.sampled_from([b"{", b"}", b"[", b"]", b'"', b"\\", b",", b":", b"\n", b"\xff", b"\0", b""])
        )
        text[at : at + data.draw(st.integers(0, 3))] = token
    for lists in ((), ("messages",)):
        records = cut(bytes(text), lists, data.draw(st.sampled_from([5, 100, 1 << 20])))
        assert sum(len(record.text) for record in records) <= 2 * len(text)


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("[" * 1000 + "]" * 1000, "1,001 lists and objects in one another; no record needs so many"),
        (
            '{"a":' * 10**6 + "1" + "}" * 10**6,
            "1,000,001 lists and objects in one another; no record needs so many",
        ),
        ('"' + "x" * 5000 + '"', "a value of 5,018 bytes; no record has so many"),
        ("9" * 6000, "a value of 6,016 bytes; no record has so many"),
    ],
)
@pytest.mark.parametrize("piece", [1000, 1 << 20])
def test_what_no_record_has_costs_its_own(monkeypatch, value, fault, piece):
    if "bytes" in fault:
        monkeypatch.setattr(documents, "LARGEST_RECORD", 4096)
    text = '[{"id": 1},\n{"id": 2, "x": ' + value + '},\n{"id": 3}]'
    records = cut(text, (), piece)
    assert [record.fault for record in records] == [None, fault, None]
    assert 1000 < len(records[1].text) <= 1 << 14
    assert text.split("\n")[1].encode().startswith(records[1].text)
    assert ids(records) == [1, 3]


def test_a_million_torn_records_take_no_longer_than_whole_ones():
    text = b"[\n" + b'{"id": 1, "x": [1}\n' * 20_000 + b'{"id": 2}\n' * 20_000 + b"]"
    start = time.process_time()
    records = cut(text)
    assert time.process_time() - start < 20
    assert len(ids(records)) == 20_000
