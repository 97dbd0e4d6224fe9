import os
import subprocess
import sys
from urllib.parse import quote

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from propgraph.errors import InputError
from propgraph.traces import urls as module
from propgraph.traces.addresses import read_address
from propgraph.traces.clinging import without_clinging
from propgraph.traces.hosts import Hosts
from propgraph.traces.pages import with_one_address
from propgraph.traces.urls import MAX_CHARS, canonicalise_urls

SCHEMA = {
    "raw": pl.String,
    "url": pl.String,
    "site": pl.String,
    "tokens": pl.String,
    "is_shortener": pl.Boolean,
}
VIDEO = "https://youtube.com/watch?v=dQw4w9WgXcQ"


def canonical(*urls):
    frame = canonicalise_urls(pl.Series("urls", urls, pl.String))
    return {row["raw"]: row for row in frame.iter_rows(named=True)}


def one(url):
    return canonical(url)[url]


def wrapped(url, times):
    for _ in range(times):
        url = f"https://l.facebook.com/l.php?u={quote(url, safe='')}"
    return url


CANONICAL = {
    "scheme, host case, port and fragment": ("HTTP://Example.COM:80/A#top", "https://example.com/A"),
    "either default port": ("http://example.com:443/a", "https://example.com/a"),
    "default port of the other scheme": ("https://example.com:80/a", "https://example.com/a"),
    "https on 443": ("https://example.com:443/a", "https://example.com/a"),
    "another port": ("http://example.com:8080/a", "https://example.com:8080/a"),
    "hash-bang route": ("https://example.com/#!/a/b", "https://example.com#!/a/b"),
    "hash route": ("https://example.com/app/#/a/b/", "https://example.com/app#/a/b"),
    "another hash route": ("https://example.com/app/#/a/c", "https://example.com/app#/a/c"),
    "empty hash route": ("https://example.com/app/#/", "https://example.com/app"),
    "a fragment that is no route": ("https://example.com/app#a/b", "https://example.com/app"),
    "empty hash-bang": ("https://example.com/a#!", "https://example.com/a"),
    "user and password": ("https://u:p@example.com/a", "https://example.com/a"),
    "user name that looks like a host": ("https://cnn.com@evil.example.com/a", "https://evil.example.com/a"),
    "encoded at sign in the user": ("https://cnn.com%40x@evil.com", "https://evil.com"),
    "root": ("https://example.com/", "https://example.com"),
    "trailing slashes": ("https://example.com/a//", "https://example.com/a"),
    "trailing slash before a query": ("https://example.com/a/?b=1", "https://example.com/a?b=1"),
    "inner slashes stay": ("https://example.com//a//b", "https://example.com//a//b"),
    "dot segments": ("https://example.com/a/./b/%2e%2E/c", "https://example.com/a/c"),
    "backslashes": ("http:\\\\example.com\\a", "https://example.com/a"),
    "tab and newline": ("https://exam\tple.com/a\nb", "https://example.com/ab"),
    "presentation labels": ("https://www.m.example.com/a", "https://example.com/a"),
    "mobile and amp labels": ("https://mobile.amp.example.com/a", "https://example.com/a"),
    "label that is the registered name": ("https://m.co.uk/a", "https://m.co.uk/a"),
    "label below a registered label": ("https://www.m.co.uk/a", "https://m.co.uk/a"),
    "public suffix with www": ("https://www.gov.uk/a", "https://www.gov.uk/a"),
    "other labels stay": ("https://edition.example.com", "https://edition.example.com"),
    "wikipedia for telephones": ("https://de.m.wikipedia.org/wiki/A", "https://de.wikipedia.org/wiki/A"),
    "the platform itself": ("https://www.tumblr.com/a", "https://tumblr.com/a"),
    "country of a blog": ("http://foo.blogspot.co.uk/a.html?m=1", "https://foo.blogspot.com/a.html"),
    "root dot of a host": ("https://example.com./a", "https://example.com/a"),
    "IDN": ("https://Пример.РФ/", "https://xn--e1afmkfd.xn--p1ai"),
    "IPv4 in disguise": ("http://0x7f.1/a", "https://127.0.0.1/a"),
    "IPv6": ("http://[2001:DB8::0:1]:80/a", "https://[2001:db8::1]/a"),
    "triplets in lower case": ("https://example.com/%d0%bf", "https://example.com/%D0%BF"),
    "triplets without need": ("https://example.com/%7E%61", "https://example.com/~a"),
    "characters to encode": ("https://example.com/п a", "https://example.com/%D0%BF%20a"),
    "stray percent signs": ("https://example.com/%%34%31", "https://example.com/%2541"),
    "triplet of a dot": ("https://example.com/a%2Eb", "https://example.com/a.b"),
    "reserved triplets stay": ("https://example.com/a%2Fb", "https://example.com/a%2Fb"),
    "parameters sorted, stable": ("https://example.com?b=2&a=9&b=1", "https://example.com?a=9&b=2&b=1"),
    "empty query": ("https://example.com/a?&&", "https://example.com/a"),
    "escaped ampersands": ("https://example.com/a?b=1&amp;utm_id=2&amp;c=3", "https://example.com/a?b=1&c=3"),
    "an entity within a value": (
        "https://example.com/a?b=1&amp;c=camp;d",
        "https://example.com/a?b=1&c=camp;d",
    ),
    "content parameters": (
        "https://example.com?p=1&id=2&v=3&q=4&page=5&story=6&source=abc&s=7&t=8",
        "https://example.com?id=2&p=1&page=5&q=4&s=7&source=abc&story=6&t=8&v=3",
    ),
    "session of Java": ("https://example.com/a.do;jsessionid=0A1B.node2?b=1", "https://example.com/a.do?b=1"),
    "session within": ("https://example.com/a;JSESSIONID=0A1B/c;v=1/d", "https://example.com/a/c;v=1/d"),
    "no session": ("https://example.com/a;id=0A1B", "https://example.com/a;id=0A1B"),
    "session of ASP.NET": (
        "https://example.com/(S(lit3py55t21z5v55vlm25s55))/a.aspx",
        "https://example.com/a.aspx",
    ),
    "no session of ASP.NET": (
        "https://example.com/(S(short))/a.aspx",
        "https://example.com/(S(short))/a.aspx",
    ),
    "AMP path": ("https://example.com/a/amp/", "https://example.com/a"),
    "AMP before a query": ("https://example.com/a/amp?b=1", "https://example.com/a?b=1"),
    "AMP parameters": ("https://example.com/a?amp=1&outputType=amp&amp", "https://example.com/a"),
    "AMP page": ("https://example.com/a.amp.html", "https://example.com/a.html"),
    "AMP page, twice": ("https://example.com/a.amp.amp.html?b=1", "https://example.com/a.html?b=1"),
    "a page called amp": ("https://example.com/amp", "https://example.com/amp"),
    "a word that ends in amp": ("https://example.com/a/lamp", "https://example.com/a/lamp"),
    "amp as content": ("https://example.com/a?amp=12v", "https://example.com/a?amp=12v"),
    "AMP cache": (
        "https://www-example-com.cdn.ampproject.org/v/s/www.example.com/a?amp_js_v=0.1&b=1",
        "https://example.com/a?b=1",
    ),
    "AMP cache without s": ("https://cdn.ampproject.org/c/example.com/a/amp", "https://example.com/a"),
    "AMP viewer": ("https://www.google.co.uk/amp/s/www.example.com/a/amp/", "https://example.com/a"),
    "no AMP viewer": ("https://www.google.com/amp/help/index.html", "https://google.com/amp/help/index.html"),
    "facebook": ("https://l.facebook.com/l.php?h=A&u=http%3A%2F%2Fexample.com%2Fa", "https://example.com/a"),
    "facebook, encoded target stays so": (
        wrapped("https://example.com/a%2Fb", 1),
        "https://example.com/a%2Fb",
    ),
    "google": ("https://www.google.de/url?sa=t&url=http%3A%2F%2Fexample.com&q=words", "https://example.com"),
    "vk": ("https://vk.com/away.php?to=http%3A%2F%2Fexample.com%2F", "https://example.com"),
    "redirect to an address": (wrapped("http://127.0.0.1/a", 1), "https://127.0.0.1/a"),
    "a blog called google": (
        "https://google.wordpress.com/url?q=https%3A%2F%2Fcnn.com",
        "https://google.wordpress.com/url?q=https%3A%2F%2Fcnn.com",
    ),
    "redirect to no web URL": (
        "https://l.facebook.com/l.php?u=javascript%3Aalert(1)",
        "https://l.facebook.com/l.php?u=javascript%3Aalert(1)",
    ),
    "deepest nest": (wrapped("https://example.com/a", 3), "https://example.com/a"),
    "too deep a nest": (
        wrapped("https://example.com/a", 4),
        wrapped("https://example.com/a", 4),
    ),
    "youtu.be": ("http://youtu.be/dQw4w9WgXcQ?t=4", VIDEO),
    "video for telephones": ("https://m.youtube.com/watch?list=PL1&v=dQw4w9WgXcQ", VIDEO),
    "video, second question mark": ("https://www.youtube.com/watch?v=dQw4w9WgXcQ?feature=share", VIDEO),
    "shorts": ("youtube.com/shorts/dQw4w9WgXcQ/", VIDEO),
    "embedded": ("https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ", VIDEO),
    "embedded list": (
        "https://youtube.com/embed/videoseries?list=PL1",
        "https://youtube.com/embed/videoseries?list=PL1",
    ),
    "channel": ("https://www.youtube.com/@name/", "https://youtube.com/@name"),
    "no scheme": ("example.com/a", "https://example.com/a"),
    "no scheme, with www": ("WWW.example.com", "https://example.com"),
    "no scheme, with a port": ("example.com:8080/a", "https://example.com:8080/a"),
    "scheme of the page": ("//example.com/a", "https://example.com/a"),
    "one slash": ("https:/example.com/a", "https://example.com/a"),
    "ellipsis": ("https://t.co/abc…", "https://t.co/abc"),
    "sentence": ("https://example.com/a.", "https://example.com/a"),
    "quotes": ("“https://example.com/a”,", "https://example.com/a"),
    "angle brackets": ("<https://example.com/a>", "https://example.com/a"),
    "unbalanced bracket": ("https://example.com/a)", "https://example.com/a"),
    "balanced bracket": ("https://example.com/a_(b)", "https://example.com/a_(b)"),
    "balanced bracket in brackets": ("(https://example.com/a_(b)).", "https://example.com/a_(b)"),
    "punctuation that a token hid": ("https://example.com/a.?utm_id=1", "https://example.com/a"),
    "punctuation within": ("https://example.com/a.b,c!d", "https://example.com/a.b,c!d"),
    "marks of direction": ("\u200fhttps://example.com/a\u202c", "https://example.com/a"),
    "mark of direction within": ("https://example.com/a\u202eb", "https://example.com/a%E2%80%AEb"),
    "byte order mark": ("\ufeffhttps://example.com/a ", "https://example.com/a"),
}


@pytest.mark.parametrize(("raw", "expected"), CANONICAL.values(), ids=CANONICAL.keys())
def test_canonical_form(raw, expected):
    assert one(raw)["url"] == expected
    assert one(expected)["url"] == expected


@pytest.mark.parametrize(
    "raw",
    [
        "",
        " ",
        "words",
        "e.g.",
        "3.14",
        "file.txt",
        "name@example.com",
        "mailto:name@example.com",
        "javascript:alert(1)",
        "JavaScript://example.com/%0aalert(1)",
        "data:text/html,<b>",
        "ftp://example.com/a",
        "file:///etc/passwd",
        "https://",
        "https://.",
        "https://user@/a",
        "https://exam ple.com",
        "https://exam\x00ple.com",
        "https://exa\u202emple.com",
        "https://example.com,https://example.org",
        'https://exam"ple.com',
        "https://a..com",
        "https://example.com:99999",
        "https://example.com:abc",
        "https://256.256.256.256",
        f"https://{'a.' * 200}com",
    ],
)
def test_no_web_url(raw):
    assert one(raw) == {"raw": raw, "url": None, "site": None, "tokens": None, "is_shortener": False}


@pytest.mark.parametrize(
    ("raw", "site"),
    [
        ("https://a.b.Example.co.uk/x", "example.co.uk"),
        ("https://foo.blogspot.com", "foo.blogspot.com"),
        ("https://a.foo.wordpress.com", "foo.wordpress.com"),
        ("https://wordpress.com", "wordpress.com"),
        ("https://gov.uk/a", "gov.uk"),
        ("https://a.b.notasuffix", "a.b.notasuffix"),
        ("https://localhost/a", "localhost"),
        ("https://127.0.0.1/a", "127.0.0.1"),
        ("https://[::1]/a", "[::1]"),
        ("https://www.пример.рф", "xn--e1afmkfd.xn--p1ai"),
        # A Cyrillic a in place of the Latin one: another site, and to be seen as one.
        ("https://аpple.com", "xn--pple-43d.com"),
        (wrapped("https://news.example.com/a", 1), "example.com"),
    ],
)
def test_site(raw, site):
    assert one(raw)["site"] == site


@pytest.mark.parametrize(
    ("raw", "url", "tokens"),
    [
        ("https://a.com/x", "https://a.com/x", None),
        ("https://a.com/x?id=1", "https://a.com/x?id=1", None),
        (
            "https://a.com/x?utm_source=Tw&b=1&FBCLID=Q&a=2&mc_cid=3&CMP=z",
            "https://a.com/x?a=2&b=1",
            "utm_source=Tw&FBCLID=Q&mc_cid=3&CMP=z",
        ),
        ("https://a.com/x?ref", "https://a.com/x", "ref"),
        ("https://a.com/x?utm%5Fsource=a%7e", "https://a.com/x", "utm_source=a~"),
        ("https://a.com/x?source=Twitter&via=me", "https://a.com/x?via=me", "source=Twitter"),
        ("https://a.com/x#xtor=RSS-1", "https://a.com/x", "xtor=RSS-1"),
        ("https://a.com/x#section", "https://a.com/x", None),
        ("https://a.com/x?s=1&t=2", "https://a.com/x?s=1&t=2", None),
        ("https://mobile.twitter.com/a/status/1?s=20&t=A", "https://twitter.com/i/status/1", "s=20&t=A"),
        ("https://youtu.be/dQw4w9WgXcQ?si=A&t=9", VIDEO, "si=A"),
        (wrapped("https://a.com/?gclid=1", 1) + "&fbclid=2", "https://a.com", "fbclid=2&gclid=1"),
        ("https://a.com/x?a=1&amp=1", "https://a.com/x?a=1", None),
        ("https://a.com/x?PHPSESSID=0a1b&id=1", "https://a.com/x?id=1", "PHPSESSID=0a1b"),
        ("https://a.com/x?CFID=1&CFTOKEN=2&b=1", "https://a.com/x?b=1", "CFID=1&CFTOKEN=2"),
        ("https://a.com/x?ASPSESSIONIDQSBT=A&b=1", "https://a.com/x?b=1", "ASPSESSIONIDQSBT=A"),
        ("https://a.com/x?sid=7&t=1", "https://a.com/x?sid=7&t=1", None),
        (f"https://a.com/x?sid={'0a' * 16}&t=1", "https://a.com/x?t=1", f"sid={'0a' * 16}"),
        (f"https://a.com/x?id={'0a' * 16}", f"https://a.com/x?id={'0a' * 16}", None),
        ("https://a.com/x?m=1&b=2", "https://a.com/x?b=2&m=1", None),
        ("https://a.blogspot.com/x?m=0&b=2", "https://a.blogspot.com/x?b=2", None),
        ("https://a.blogspot.com/x?m=2&b=1&n=1", "https://a.blogspot.com/x?b=1&m=2&n=1", None),
        ("https://a.com/x?amp;amp;b=1&c=2;amp;d", "https://a.com/x?b=1&c=2;amp;d", None),
        ("https://a.com/x#utm_id=1&via=me&from=tw&y", "https://a.com/x", "utm_id=1&from=tw"),
        ("https://a.com/x#!/y./.", "https://a.com/x#!/y", None),
        ("https://a.com/x;jsessionid=0A1B?utm_id=1", "https://a.com/x", "jsessionid=0A1B&utm_id=1"),
    ],
)
def test_tokens(raw, url, tokens):
    row = one(raw)
    assert (row["url"], row["tokens"]) == (url, tokens)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("https://t.co/abc", True),
        ("bit.ly/abc", True),
        ("https://maps.app.goo.gl/abc", True),
        ("https://on.wsj.com/abc", True),
        ("https://wsj.com/abc", False),
        ("https://youtu.be/dQw4w9WgXcQ", False),
        ("https://notbit.ly/abc", False),
        ("https://bit.ly.example.com/abc", False),
        (wrapped("https://bit.ly/abc", 1), True),
    ],
)
def test_is_shortener(raw, expected):
    assert one(raw)["is_shortener"] is expected


def test_one_row_for_each_distinct_string_sorted():
    urls = pl.Series("links", ["https://b.com", None, "a.com", "https://b.com", "", None, "é"])
    frame = canonicalise_urls(urls)
    assert frame.schema == SCHEMA
    assert frame["raw"].to_list() == ["", "a.com", "https://b.com", "é"]
    assert_frame_equal(frame, canonicalise_urls(urls.reverse()))
    assert urls.to_list()[-1] == "é"


@pytest.mark.parametrize(
    "urls",
    [
        pl.Series([], dtype=pl.String),
        pl.Series([None, None], dtype=pl.String),
        pl.Series([None]),
        pl.Series([]),
    ],
)
def test_nothing_in_nothing_out(urls):
    frame = canonicalise_urls(urls)
    assert frame.schema == SCHEMA
    assert frame.is_empty()


def test_other_dtypes_are_refused():
    with pytest.raises(InputError, match=r"'link' is of dtype Int64"):
        canonicalise_urls(pl.Series("link", [1, 2]))


def test_length_limit():
    longest = "https://example.com/".ljust(65_536, "a")
    # Encoded, a letter of Cyrillic is six characters: `%D1%8F`.
    encoded = f"{longest[:-6]}%D1%8F"
    rows = canonical(
        longest, f"{longest[:-6]}я", longest + "a", f"{longest[:-5]}я", longest.replace("a", "я")
    )
    assert rows.pop(longest)["url"] == longest
    assert rows.pop(f"{longest[:-6]}я")["url"] == encoded
    assert len(encoded) == MAX_CHARS
    assert all(row["url"] is None and row["site"] is None for row in rows.values())


@pytest.mark.parametrize(
    "raw",
    [
        "https://example.com/" + "a" * 10_000_000,
        "https://example.com/?" + "b.&" * 21_000,
        "https://example.com/" + "/amp)" * 13_000,
        "https://example.com/" + ")?" * 32_000,
        "https://example.com/?" + "amp;" * 16_000,
        "https://example.com/" + "%25" * 21_000,
        "https://example.com" + "/.." * 21_000,
        "https://" + "www." * 16_000 + "com",
        "https://" + "я" * 65_000 + ".com",
        "https://" + "a@" * 32_000 + "example.com",
        "a." * 32_000 + "@",
        '"' * 65_000,
        "https://l.facebook.com/l.php?u=" * 2_000,
        "https://web.archive.org/web/2024/" * 1_900,
        "https://href.li/?" * 3_800,
        "https://t.me/river/1?" + "t=t=" * 16_000 + "#!x",
        "https://t.me/river/1?" + "t&" * 32_000 + "x",
        "https://example.com/a" + ";jsessionid=1" * 5_000,
        "https://example.com" + "/(S(" * 16_000,
        "https://urldefense.com/v3/__https://example.com/" + "**A" * 20_000 + "__;MDM!!",
        "https://disq.us/url?url=https%3A%2F%2Fa.com" + ":a" * 32_000,
        "https://r.search.yahoo.com" + "/RU=https%3A" * 5_000,
        "https://a" + "-" * 60 + ".translate.goog/" + "--" * 32_000,
        "https://facebook.com/groups/a?" + "multi_permalinks=&" * 3_600,
        "https://facebook.com/a" + "/videos/a" * 7_000,
        "https://x.com/" + "@" * 65_000,
    ],
    ids=lambda raw: f"{raw[:24]} {len(raw)}",
)
def test_long_and_hostile_comes_to_an_end(raw):
    assert raw in canonical(raw)


def test_no_network_no_files(tmp_path):
    script = (
        "import socket, polars as pl\n"
        "def refuse(*args, **kwargs): raise AssertionError('network')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from propgraph.traces.urls import canonicalise_urls\n"
        "print(canonicalise_urls(pl.Series(['https://www.foo.co.uk/a']))['site'].item())\n"
    )
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    environment = {**os.environ, **home, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.stdout == "foo.co.uk\n"
    assert list(tmp_path.rglob("*")) == []


def test_heavy_imports_wait():
    heavy = ("ada_url", "tldextract", "ural")
    script = f"import sys, propgraph.traces.urls\nprint([m for m in {heavy} if m in sys.modules])"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, check=True, capture_output=True, text=True
    )
    assert done.stdout == "[]\n"


HOSTS = [
    "example.com",
    "www.Example.co.uk",
    "m.co.uk",
    "a.foo.blogspot.de",
    "en.m.m.wikipedia.org",
    "www.tumblr.com",
    "twitter.com",
    "t.co",
    "127.0.0.1",
    "0x7f..",
    "xn--a.com",
    "user:pw@www.m.example.com:443",
    "example.com:8080",
    "[::1]",
    "пример.рф",
    "www.youtube.com",
    "youtu.be",
    "l.facebook.com",
    "google.com",
    "cdn.ampproject.org",
    "a_b.example.com",
    "example.com.",
    "x.com",
    "nitter.net",
    "t.me",
    "redd.it",
    "old.reddit.com",
    "web.archive.org",
    "archive.ph",
    "href.li",
    "www-a-com.translate.goog",
]
PIECES = [
    *"/?&=#.,:;!'\"()[]{}~-_+@$*%^|\\ aBm1é…”",
    *("/amp", "amp;", "amp=1", "%2E", "%2e%2e", "%41", "%4", "%25", "%d0%bf", "%D0%BF", "%00", "/./", "/../"),
    *("utm_source=", "ref", "s=20", "id=", "a=1", "#!", "http://", "https%3A%2F%2F", "www.", "example.com"),
    *(
        "/l.php?u=",
        "/url?q=",
        "/amp/s/",
        "/c/s/",
        "/web/2024/",
        "/a/status/1",
        ";jsessionid=",
        "#/",
        "/watch?v=dQw4w9WgXcQ",
        "/embed/dQw4w9WgXcQ",
        "\u200f",
        "\t",
    ),
]
TAILS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
LIKELY = st.builds(
    "{}{}{}".format, st.sampled_from(["https://", "HTTP://", ""]), st.sampled_from(HOSTS), TAILS
)
PLAIN_TAILS = st.lists(
    st.sampled_from(
        [*"/a-1.?&=#", "/amp", "B.html", "%D0%BF", "%2E", "%41", "utm_id=1", "b=2", "fbclid=Q", "#top"]
    ),
    max_size=9,
).map("".join)
FORMS = ["/{}", "/a{}", "/a{}b", "/{}b/c", "?{}", "?a{}b", "?a=b{}", "?a={}&b=1", "#{}", "#a{}b", "#a{}"]
PLAIN = st.builds("https://{}{}".format, st.sampled_from(HOSTS), PLAIN_TAILS)
ANYTHING = st.text(max_size=60)


@settings(max_examples=250, deadline=None)
@given(st.lists(LIKELY | PLAIN | ANYTHING, min_size=1, max_size=30))
@example(["https://example.com?b.&a=1", "https://example.com?a=1&ref.=2", "https://example.com/a.?utm_id=1"])
@example(["https://redd.it/amp", "https://reddit.com/r/amp", "https://amp.t.me/amp", "https://x.com/amp"])
@example(["https://example.com/x)?(b)", "https://example.com?a=(b&c=d)", "https://example.com/%2%45"])
def test_canonical_urls_are_their_own_canonical_form(raw):
    frame = canonicalise_urls(pl.Series(raw)).filter(pl.col("url").is_not_null())
    again = canonicalise_urls(frame["url"])
    assert again.filter(pl.col("url").ne_missing(pl.col("raw"))).is_empty()
    assert again["tokens"].null_count() == again.height
    expected = frame.select("url", "site", "is_shortener").unique().sort("url")
    assert_frame_equal(again.select("url", "site", "is_shortener"), expected)


@settings(max_examples=250, deadline=None)
@given(st.lists(LIKELY | PLAIN, min_size=1, max_size=30))
def test_columns_at_a_time_equals_the_parser(raw):
    hosts = Hosts()
    rows = [(text, *module._canonicalise(text, hosts)) for text in sorted(set(raw))]
    expected = with_one_address(pl.DataFrame(rows, schema=SCHEMA, orient="row")).sort("raw")
    assert_frame_equal(canonicalise_urls(pl.Series(raw)), expected)


@settings(max_examples=100, deadline=None)
@given(LIKELY | PLAIN)
def test_the_parser_finds_nothing_to_change_in_scheme_host_and_encoding(raw):
    import ada_url

    url = one(raw)["url"]
    if url is not None:
        parsed = ada_url.parse_url(url)
        rest = parsed["pathname"].removesuffix("/") if parsed["pathname"] == "/" else parsed["pathname"]
        assert f"https://{parsed['host']}{rest}{parsed['search']}{parsed['hash']}" == url


def test_columns_at_a_time_equals_the_parser_on_every_sign():
    signs = [chr(code) for code in range(33, 127)] + [f"%{code:02X}" for code in range(256)]
    raw = [f"https://example.com{form.format(sign)}" for sign in signs for form in FORMS]
    hosts = Hosts()
    expected = {text: module._canonicalise(text, hosts)[0] for text in raw}
    assert {text: row["url"] for text, row in canonical(*raw).items()} == expected


def test_plain_urls_do_not_need_the_parser():
    plain = pl.DataFrame({"raw": ["https://www.a.com/2017/x-y.html?utm_id=1&b=2#top", "http://t.co/Abc"]})
    done, odd = module._split_plain(plain, Hosts())
    assert odd == []
    assert sorted(done["url"]) == ["https://a.com/2017/x-y.html?b=2", "https://t.co/Abc"]


@pytest.mark.parametrize(
    ("raw", "path", "params", "fragment", "tokens"),
    [
        ("https://a.com/amp", "/amp", (), "", ()),
        ("https://a.com/x/amp", "/x", (), "", ()),
        ("https://a.com//amp", "", (), "", ()),
        ("https://a.com/x/amp/amp/.", "/x", (), "", ()),
        ("https://a.com/x/amp).", "/x", (), "", ()),
        # Behind punctuation that stands within an address follows more of it.
        ("https://a.com/x./?b=1", "/x.", ("b=1",), "", ()),
        ("https://a.com/x.#/y.", "/x.", (), "#/y", ()),
        ("https://a.com/x./?utm_id=1.", "/x", (), "", ("utm_id=1",)),
        ("https://a.com/x.amp.html/", "/x.html", (), "", ()),
        (
            "https://a.com/x;jsessionid=7?utm_id=1#xtor=2&y",
            "/x",
            (),
            "",
            ("jsessionid=7", "utm_id=1", "xtor=2"),
        ),
        ("https://a.com/x?c=1&b=2&b=1.", "/x", ("b=2", "b=1", "c=1"), "", ()),
    ],
)
def test_the_pieces_of_an_address(raw, path, params, fragment, tokens):
    link = read_address(raw, Hosts())
    assert (link.host.name, link.port) == ("a.com", "")
    assert link[2:] == (path, params, fragment, tokens)


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("a.com/x", True),
        ("a.notasuffix/x", False),  # without a scheme it is a word with a point in it
        ("https://a.notasuffix/x", True),
        ("127.0.0.1/x", False),
        ("com", False),
        ("//a.com", True),
        ("a.com:80/x", True),
        ("https://a.com:x/", False),
    ],
)
def test_what_is_an_address(text, link):
    assert (read_address(text, Hosts()) is not None) is link


@pytest.mark.parametrize(
    ("raw", "left"),
    [
        ("a", "a"),
        ("", ""),
        ("...", ""),
        ("(a)", "a"),
        ("«a».", "a"),
        ("a (b)", "a (b)"),
        ("a/b)", "a/b"),
        ("a(/b)", "a(/b"),  # brackets are balanced within one segment
        ("a/(b))", "a/(b)"),
        ("a/((b)", "a/((b)"),
        ("a/(b)).)", "a/(b)"),
        ("a/(b]))", "a/(b])"),
        ("a?b)?)", "a?b"),
        ("a/(b)?)", "a/(b)"),
        ("a/b)?(c)", "a/b)?(c)"),
        ("a/（b）。", "a/（b）"),
        ("a/b）。", "a/b"),
        ("a/…", "a/"),
        ("a\u200b\u202c \n", "a"),
    ],
)
def test_what_clings_to_a_link(raw, left):
    assert without_clinging(raw) == left
