"""HTML of posts: text, links, and whatever a hostile server may send."""

from __future__ import annotations

import pytest

from propgraph.readers.values.html import text_and_links

PAGE = "https://valley-herald.example/water"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("", ""),
        ("plain &amp; simple", "plain & simple"),
        ("5 &lt; 6", "5 < 6"),
        ("<p>one</p><p>two<br>three<br />four</p>", "one\ntwo\nthree\nfour"),
        ("<p>Is <b>this</b> tr<i>ue</i>?</p>", "Is this true?"),
        ("<p>a<script>alert(1)</script>b<style>p {}</style>c</p>", "abc"),
        ("<!-- nothing -->", ""),
        ("<p>a<!-- <b> -->b</p>", "ab"),
        ('<?xml version="1.0" encoding="utf-16"?><p>hä</p>', "hä"),
        ('<p title=">">x</p>', "x"),
        ("<p>left <b>open", "left open"),
        ("</p></div>x", "x"),
        ("<p>half \ud83d an emoji</p>", "half ? an emoji"),
        ("\u202e<p>\u202egpj.exe</p>", "\u202e\n\u202egpj.exe"),
        ('<p class="quote-inline">RE: <a href="https://x.example/1">x</a></p><p>Look</p>', "Look"),
        (
            'Look<span class="quote-inline"><br>RE: <a href="https://x.example/1">x</a></span> here',
            "Look here",
        ),
    ],
)
def test_text(source, text):
    assert text_and_links(source)[0] == text


def test_a_link_cut_short_on_the_screen_is_whole_in_text_and_links():
    source = (
        f'<p>See <a href="{PAGE}" rel="nofollow noopener" target="_blank"><span class="invisible">https://</span>'
        '<span class="ellipsis">valley-herald.exam</span><span class="invisible">ple/water</span></a></p>'
    )
    assert text_and_links(source) == (f"See {PAGE}", [PAGE])


@pytest.mark.parametrize(
    ("anchor", "links"),
    [
        (f'<a href="{PAGE}">x</a> <a href="{PAGE}">y</a>', [PAGE]),
        (f'<a href=" {PAGE}\n">x</a>', [PAGE]),
        ('<a href="HTTP://Herald.example/?a=1&amp;b=2">x</a>', ["HTTP://Herald.example/?a=1&b=2"]),
        ('<a href="https://m.example/tags/water" class="mention hashtag" rel="tag">#water</a>', []),
        ('<a href="https://m.example/tag/water" rel="nofollow tag">#water</a>', []),
        ('<a href="https://m.example/@ana" class="u-url mention">@ana</a>', []),
        ('<a href="javascript:alert(1)">x</a><a href="/local">y</a><a href="mailto:a@b.example">z</a>', []),
        ('<a name="x">x</a><a href="">y</a><a href>z</a>', []),
        ('<p class="quote-inline">RE: <a href="https://m.example/@ana/1">x</a></p>', []),
    ],
)
def test_links(anchor, links):
    assert text_and_links(f"<p>{anchor}</p>")[1] == links


@pytest.mark.parametrize(
    ("source", "characters", "links"),
    [
        (f'<p>{"a " * 5_000_000}<a href="{PAGE}">x</a></p>', 10_000_001, 1),
        (f'<a href="https://x.example/{"a" * 10_000_000}">x</a>', 1, 1),
        ("<p>x" * 100_000, 199_999, 0),
        ("<div>" * 1_000_000, 0, 0),
        (f'<a href="{PAGE}">' * 50_000, 0, 1),
        ("<" * 1_000_000, 1_000_000, 0),
        ("&lt;" * 1_000_000 + "<br>", 1_000_000, 0),
    ],
    ids=["text", "link", "paragraphs", "deep", "anchors", "brackets", "entities"],
)
def test_huge_and_deep(source, characters, links):
    text, found = text_and_links(source)
    assert (len(text), len(found)) == (characters, links)


def test_posts_nested_as_deep_as_servers_let_through_are_read():
    assert text_and_links("<div>" * 500 + f'<a href="{PAGE}">deep</a>') == ("deep", [PAGE])


def test_no_entity_is_expanded_from_a_declaration():
    bomb = '<!DOCTYPE x [<!ENTITY a "boom"><!ENTITY b SYSTEM "file:///etc/hostname">]><p>&a;&b;</p>'
    assert text_and_links(bomb)[0].endswith("&a;&b;")


@pytest.mark.parametrize("control", ["\x00", "\x01", "\x0b", "&#1;", "&#12;", "&#xFFFF;", "\ufffe", "\ud800"])
def test_characters_that_no_tree_takes_cost_no_post(control):
    text, links = text_and_links(f"<p>one{control}</p>two{control}<br>{control}three<a href={PAGE}>x</a>")
    assert [line.strip("\x00\x01\x0b\x0c\ufffd\ufffe\uffff? ") for line in text.split("\n")] == [
        "one",
        "two",
        "threex",
    ]
    assert links == [PAGE]
