"""Lists in one cell, in all the ways that people and programs write them."""

from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from propgraph.errors import InputError
from propgraph.readers.layouts import tabular
from propgraph.readers.read import read_logs
from propgraph.readers.values.brackets import read_cell

A, B, C = "https://a.example/x,y", "https://b.example/it's?q=1|2;3", "http://www.c.example/"
TIME = 1_600_000_000


def read(tmp_path, cells, name, suffix="csv"):
    n = len(cells)
    frame = pl.DataFrame(
        {"content_id": [f"p{k:03d}" for k in range(n)], "account_id": "a", "timestamp": TIME, name: cells}
    )
    path = tmp_path / f"log.{suffix}"
    getattr(frame, {"csv": "write_csv", "parquet": "write_parquet", "ndjson": "write_ndjson"}[suffix])(path)
    log = read_logs([path])
    assert log.n_rows == n
    return log, [note.removeprefix(f"{path}: ") for note in log.notes]


def lists(tmp_path, cells, name, suffix="csv"):
    column = "urls" if name == "url" else name
    log, _ = read(tmp_path, cells, name, suffix)
    return log.posts[column].to_list()


@pytest.mark.parametrize("name", ["urls", "url"])
@pytest.mark.parametrize("joint", ["|", ";", ",", " ", " | ", "; ", ", ", "\n", "  "])
def test_links_are_cut_where_another_begins(tmp_path, joint, name):
    cells = [joint.join([A, B, C]), A, B, joint.join([B, A])]
    assert lists(tmp_path, cells, name) == [[A, B, C], [A], [B], [B, A]]


@pytest.mark.parametrize(
    "link",
    [
        "https://a.example/?ids=1|2|3", "https://a.example/?ids=1;2", "https://a.example/a,b;c|d?e=f,g", "a.example/x",
        "https://a.example/?q=two words and more", "https://a.example/?q=a, b", "https://a.example/?x=1|2.5;3",
        "https://a.example/search?q=cats; dogs",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["urls", "url"])
def test_a_link_is_whole_where_the_column_is_no_list(tmp_path, link, name):
    assert lists(tmp_path, [link, "https://b.example/y", link], name) == [
        [link],
        ["https://b.example/y"],
        [link],
    ]


def test_a_column_joined_by_bars_leaves_the_commas_of_its_links_alone(tmp_path):
    odd = "https://a.example/share?text=look,https://b.example/1"
    cells = [f"{A}|{B}", f"{C}|{A}", f"{odd}|{C}"]
    assert lists(tmp_path, cells, "urls") == [[A, B], [C, A], [odd, C]]
    _, notes = read(tmp_path, cells, "urls")
    assert notes == ["urls: lists joined by '|'"]


def test_links_without_a_scheme(tmp_path):
    assert lists(tmp_path, ["a.example/x|b.example/y", "c.example"], "urls") == [
        ["a.example/x", "b.example/y"], ["c.example"],
    ]  # fmt: skip
    assert lists(tmp_path, ["see https://a.example/x (new)", "www.b.example;www.c.example"], "urls") == [
        ["see", "https://a.example/x", "(new)"], ["www.b.example", "www.c.example"],
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["hashtags", "mentions"])
@pytest.mark.parametrize("joint", ["|", ";", ",", " ", " | ", "; ", ", ", "\n", "  ", " ,"])
def test_words_are_cut_at_any_joint(tmp_path, joint, name):
    mark = {"hashtags": "#", "mentions": "@"}[name]
    cells = [joint.join(["Mill", "river", "ü"]), "water", joint.join(["river", "Mill"])]
    expected = [["mill", "river", "ü"], ["water"], ["river", "mill"]]
    assert lists(tmp_path, cells, name) == expected
    marked = [joint.join(mark + word for word in row) for row in expected]
    assert lists(tmp_path, marked, name) == expected


def test_a_hashtag_may_hold_a_blank_where_something_else_joins_them(tmp_path):
    cells = ["fake news|water mill", "water", "fake news|river|mill", "fake news"]
    assert lists(tmp_path, cells, "hashtags") == [
        ["fake news", "water mill"], ["water"], ["fake news", "river", "mill"], ["fake news"],
    ]  # fmt: skip
    assert lists(tmp_path, ["fake news", "water", "a|b"], "hashtags") == [
        ["fake", "news"],
        ["water"],
        ["a", "b"],
    ]
    assert lists(tmp_path, ["#a#b", "＃c #d"], "hashtags") == [["a", "b"], ["c", "d"]]
    assert lists(tmp_path, ["@ana@valley.example @ben"], "mentions") == [["ana@valley.example", "ben"]]


def test_the_whole_column_decides_whatever_the_first_rows_say(tmp_path, monkeypatch):
    monkeypatch.setattr(tabular, "_BLOCK_BYTES", 300)
    tags = ["fake news"] * 20 + ["fake news|mill"] * 30
    expected = [["fake news"]] * 20 + [["fake news", "mill"]] * 30
    assert lists(tmp_path, tags, "hashtags") == expected
    assert lists(tmp_path, tags[::-1], "hashtags") == expected[::-1]
    odd = "https://a.example/share?text=look,https://b.example/1"
    links = [odd] * 10 + [f"{A}|{C}"] * 30
    assert lists(tmp_path, links, "urls") == [[odd]] * 10 + [[A, C]] * 30


def test_hashes_of_images(tmp_path):
    assert lists(tmp_path, ["c3d4e5f6|a1b2c3d4", "ffff0000"], "images") == [
        ["c3d4e5f6", "a1b2c3d4"],
        ["ffff0000"],
    ]
    blurhash = ["LEHV6nWB2yk8pyo0adR*.7kCMdnj", "L|GF,;?b_3~q", "{a,b"]
    assert lists(tmp_path, blurhash, "images") == [[cell] for cell in blurhash]
    pictures = ["https://a.example/1.jpg|https://a.example/2.jpg"]
    assert lists(tmp_path, pictures, "images") == [pictures[0].split("|")]


def forms(words):
    """Return a list as R, Postgres, Python, numpy and JSON write it."""
    quoted = [word.replace("\\", "\\\\").replace('"', '\\"') for word in words]
    yield f"c({', '.join(chr(34) + word + chr(34) for word in quoted)})"
    yield f"list({', '.join(chr(34) + word + chr(34) for word in quoted)})"
    yield "{" + ",".join(f'"{word}"' for word in quoted) + "}"
    yield repr(words)
    yield f"({', '.join(map(repr, words))},)"
    yield json.dumps(words)
    yield json.dumps(words, ensure_ascii=False)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1), min_size=1, max_size=4))
def test_what_a_program_writes_is_read_as_it_was(words):
    for cell in forms(words):
        assert read_cell(cell, "hashtags").items == words, cell


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ('c("a", NA, "b")', ["a", "b"]), ("character(0)", []), ("list()", []), ('list(c("a", "b"))', ["a", "b"]),
        ('c(x1 = "a", x2 = "b")', ["a", "b"]), ("{a,b}", ["a", "b"]), ('{"a b",NULL,c}', ["a b", "c"]), ("{}", []),
        ("[]", []), ("[ ]", []), ("['a' 'b']", ["a", "b"]), ("['a'\n 'b']", ["a", "b"]), ("[a, b]", ["a", "b"]),
        ("{'a', 'b'}", ["a", "b"]), ('["a", null, 1]', ["a", "1"]), ("[1, None, 'a']", ["1", "a"]), ("[", []),
        ("{a", ["a"]),
        ("[" * 5000, ["[" * 4999]), ('[{"tag": "a"}, {"tag": "b"}]', ["a", "b"]), ("[{'tag': 'a', 'at': None}]", ["a"]),
        ('{"text": "a", "indices": [0, 1]}', ["a"]),
    ],
)  # fmt: skip
def test_cells_in_brackets(cell, words):
    assert [word for word in read_cell(cell, "hashtags").items if word] == words


@pytest.mark.parametrize(
    ("name", "item", "value"),
    [
        ("urls", {"url": "https://t.co/x", "expanded_url": A, "display_url": "a.ex…"}, A),
        ("urls", {"url": "https://t.co/x", "expanded_url": None}, "https://t.co/x"),
        ("urls", {"href": A}, A),
        ("hashtags", {"text": "Mill", "indices": [0, 5]}, "mill"),
        ("hashtags", {"start": 9, "end": 15, "tag": "Mill"}, "mill"),
        ("mentions", {"screen_name": "Ana", "id_str": "7", "name": "A."}, "ana"),
        ("mentions", {"start": 1, "username": "Ana", "id": "7"}, "ana"),
        ("images", {"media_key": "3_17", "type": "photo"}, "3_17"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", ["json", "python", "ndjson", "parquet"])
def test_objects_are_known_by_their_key(tmp_path, name, item, value, form):
    cells = {"json": json.dumps([item]), "python": repr([item])}.get(form, [item])
    suffix = form if form in ("ndjson", "parquet") else "csv"
    assert lists(tmp_path, [cells, None], name, suffix) == [[value], None]


@pytest.mark.parametrize("suffix", ["csv", "ndjson", "parquet"])
def test_objects_without_a_known_key_are_an_error_that_names_theirs(tmp_path, suffix):
    cell = [{"label": "x", "n": 1}]
    with pytest.raises(
        InputError, match=r"hashtags: its objects have none of the keys tag, .*; found label, n; map"
    ):
        read(tmp_path, [json.dumps(cell) if suffix == "csv" else cell], "hashtags", suffix)


def test_an_odd_object_among_others_costs_no_more_than_itself(tmp_path):
    log, notes = read(tmp_path, ['[{"tag": "a"}, {"q": 1}]', '[{"q": 1}]', "b"], "hashtags")
    assert log.posts["hashtags"].to_list() == [["a"], [], ["b"]]
    assert notes == [
        "hashtags: objects without any of the keys tag, text, hashtag, name are left out; they have q",
        "hashtags: lists written as objects",
    ]


@pytest.mark.parametrize(
    ("cells", "how"),
    [
        (["a|b", "c"], "joined by '|'"), (["a;b", "c; d"], "joined by ';'"), (["A,B"], "joined by ','"),
        (["a b"], "joined by blanks"), (['c("a", "b")'], "written as c(...)"), (["{a,b}"], "written as {...}"),
        (["['a']"], "written as [...]"), (['[{"tag": "a"}]'], "written as objects"), (["a", "b"], None),
    ],
)  # fmt: skip
def test_how_lists_are_written_is_told(tmp_path, cells, how):
    pl.DataFrame({"who": "a", "when": TIME, "what": cells}).write_csv(tmp_path / "log.csv")
    log = read_logs(
        [tmp_path / "log.csv"], mapping={"account_id": "who", "timestamp": "when", "hashtags": "what"}
    )
    told = {"column": "what", "rows": len(cells)} | ({"lists": how} if how else {})
    assert log.sources[0]["columns"]["hashtags"] == told


@pytest.mark.parametrize(
    "cell",
    ["['water', nan, 'river']", "['water', None, 'river']", "[nan, 'water', <NA>, 'river']",
     "frozenset({'water', 'river'})", "array(['water', 'river'], dtype=object)",
     "array(['water',\n 'river'], dtype='<U5')", "{'water', 'river'}",
     "dict_keys(['water', 'river'])", '"[\\"water\\", \\"river\\"]"', '"water","river"', "'water', 'river'",
     '"water"; "river"',
     "[['water', 'river']]", '"[{\\"tag\\": \\"water\\"}, {\\"tag\\": \\"river\\"}]"'],
)  # fmt: skip
def test_what_other_programs_print(tmp_path, cell):
    frame = pl.DataFrame(
        {"content_id": ["1", "2"], "account_id": ["a", "b"], "timestamp": TIME, "hashtags": [cell, "wine"]}
    )
    frame.write_csv(tmp_path / "log.csv")
    log = read_logs([tmp_path / "log.csv"])
    assert log.posts["hashtags"].to_list() == [["water", "river"], ["wine"]]
    assert not any("water" in note for note in log.notes)


@pytest.mark.parametrize(
    "cell", ["set()", "frozenset()", "array([], dtype=object)", '"[]"', "[nan]", "[None]", "[[]]"]
)
def test_nothing_as_other_programs_print_it(tmp_path, cell):
    frame = pl.DataFrame(
        {"content_id": ["1", "2"], "account_id": ["a", "b"], "timestamp": TIME, "hashtags": [cell, "wine"]}
    )
    frame.write_csv(tmp_path / "log.csv")
    assert read_logs([tmp_path / "log.csv"]).posts["hashtags"].to_list() in ([[], ["wine"]], [None, ["wine"]])


def test_several_joints_in_one_column_of_links(tmp_path):
    a, b = "https://a.example/1", "https://b.example/2"
    cells = [
        f"{a}|{b}",
        f"{a};{b}",
        f"{a}, {b}",
        f"{a} {b}",
        f"['{a}', '{b}']",
        f'"{a}","{b}"',
        f"{{{a},{b}}}",
        f"{a},{b}",
    ]
    for once in (cells, cells * 3 + [f"{a},{b}"] * 9):
        frame = pl.DataFrame(
            {
                "content_id": [str(k) for k in range(len(once))],
                "account_id": "a",
                "timestamp": TIME,
                "urls": once,
            }
        )
        frame.write_csv(tmp_path / "log.csv")
        assert read_logs([tmp_path / "log.csv"]).posts["urls"].to_list() == [[a, b]] * len(once)
    for whole in ("https://fonts.example/css?family=A|B", "https://a.example/x;jsessionid=1;y"):
        frame = pl.DataFrame(
            {"content_id": ["1", "2"], "account_id": "a", "timestamp": TIME, "urls": [whole, a]}
        )
        frame.write_csv(tmp_path / "log.csv")
        assert read_logs([tmp_path / "log.csv"]).posts["urls"].to_list() == [[whole], [a]]


def test_a_word_that_mentions_have_for_nothing_is_nothing_in_hashtags(tmp_path):
    (tmp_path / "log.csv").write_text(
        f"content_id,account_id,timestamp,hashtags,mentions\n1,a,{TIME},water|NA,NA\n2,b,{TIME},NA,NA\n3,c,{TIME},,x\n"
    )
    posts = read_logs([tmp_path / "log.csv"]).posts
    assert posts["hashtags"].to_list() == [["water"], None, None]
    assert posts["mentions"].to_list() == [None, None, ["x"]]
