from __future__ import annotations

import polars as pl
import pytest
from ural.is_shortened_url import SHORTENER_DOMAINS

from propgraph.traces.hosts import Hosts
from propgraph.traces.shorteners import is_shortener
from propgraph.traces.urls import canonicalise_urls

# The host that is kept, others of the same platform, and hosts that look alike.
ONE = {
    "twitter.com": (
        "x.com www.x.com mobile.twitter.com mobile.x.com m.twitter.com nitter.net nitter.privacydev.net fxtwitter.com "
        "www.vxtwitter.com g.fixupx.com fixvx.com twittpr.com xcancel.com",
        "notx.com x.com.evil.example xx.com x.co nitter-net.com mynitter.net fxtwitter.com.evil.example twitter.co",
    ),
    "pic.twitter.com": ("pic.x.com www.pic.x.com", "pic.notx.com"),
    "t.me": ("telegram.me telegram.dog www.telegram.me", "telegram.org notelegram.me tt.me"),
    "reddit.com": (
        "old.reddit.com np.reddit.com new.reddit.com www.reddit.com i.reddit.com fr.reddit.com amp.reddit.com "
        "redlib.example.org libreddit.de teddit.net vxreddit.com",
        "out.reddit.com preddit.com old.notreddit.com old.reddit.com.evil.example news.reddit.com",
    ),
    "facebook.com": (
        "m.facebook.com mbasic.facebook.com touch.facebook.com web.facebook.com fr-fr.facebook.com fb.com www.fb.com",
        "l.facebook.com developers.facebook.com notfb.com about.fb.com fb.me",
    ),
    "linkedin.com": ("www.linkedin.com de.linkedin.com", "learning.linkedin.com de.notlinkedin.com"),
    "instagram.com": ("instagr.am ddinstagram.com www.instagram.com", "l.instagram.com notinstagr.am"),
    "threads.net": ("threads.com www.threads.com", "mythreads.com"),
    "youtube.com": ("m.youtube.com www.youtube-nocookie.com yewtu.be piped.video", "music.youtube.com youtu.be"),
    "bsky.app": ("staging.bsky.app fxbsky.app", "docs.bsky.app bsky.social"),
    "vk.com": ("m.vk.com vk.ru vkontakte.ru", "away.vk.com vk.company"),
    "ok.ru": ("m.ok.ru odnoklassniki.ru", "book.ru"),
    "archive.today": ("archive.ph archive.is archive.li archive.md archive.vn archive.fo", "archive.org archive.com"),
    "web.archive.org": ("web-beta.archive.org wayback.archive.org", "blog.archive.org archive.org"),
}  # fmt: skip


@pytest.mark.parametrize("kept", ONE)
def test_a_platform_has_one_host(kept):
    same, others = ONE[kept]
    hosts = Hosts()
    assert {name: hosts[name].name for name in same.split()} == dict.fromkeys(same.split(), kept)
    assert {hosts[name].site for name in same.split()} == {hosts[kept].site}
    assert hosts[kept].name == kept
    assert all(hosts[name].name != kept for name in others.split())


def test_hosts_of_ural_are_shorteners():
    links = [f"https://{name}/aB1" for name in SHORTENER_DOMAINS]
    found = canonicalise_urls(pl.Series(links))
    assert len(SHORTENER_DOMAINS) >= 1400
    # Their addresses tell what they lead to, or they are no domains.
    told = found.filter(~pl.col("is_shortener"))["raw"].str.extract("https://(.*)/")
    assert set(told) == {"instagr.am", "redd.it", "youtu.be", "letop10.", "tk."}


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("bit.ly", True),
        ("on.wsj.com", True),
        ("wsj.com", False),
        ("maps.app.goo.gl", True),
        ("xn--odi.ws", True),  # a heart
        ("news.tk", False),
        ("t.me", False),
        ("t.co", True),
        ("not.co", False),
        ("bit.ly.example.com", False),
        ("lnk.to", True),
        ("cutt.ly", True),
        ("127.0.0.1", False),
    ],
)
def test_shorteners(host, expected):
    assert is_shortener(host) is expected


@pytest.mark.parametrize(("n", "is_host"), [(57, True), (58, False)])
def test_a_host_has_at_most_253_characters(n, is_host):
    name = ".".join(["a" * 63] * 3 + ["b" * n, "com"])
    assert (len(name) <= 253) is is_host
    assert (Hosts()[name] is not None) is is_host


@pytest.mark.parametrize(
    ("name", "site", "is_public", "is_address", "is_blogger"),
    [
        ("a.b.co.uk", "b.co.uk", True, False, False),
        ("co.uk", "co.uk", True, False, False),
        ("com", "com", False, False, False),  # a suffix alone is nobody's host
        ("localhost", "localhost", False, False, False),
        ("a.notasuffix", "a.notasuffix", False, False, False),
        ("127.0.0.1", "127.0.0.1", False, True, False),
        ("[::1]", "[::1]", False, True, False),
        ("a.blogspot.com", "a.blogspot.com", True, False, True),
        ("a.tumblr.com", "a.tumblr.com", True, False, False),
        ("tumblr.com", "tumblr.com", True, False, False),
    ],
)
def test_what_is_known_of_a_host(name, site, is_public, is_address, is_blogger):
    host = Hosts()[name]
    assert (host.name, host.site, host.is_public) == (name, site, is_public)
    assert (host.is_address, host.is_blogger) == (is_address, is_blogger)
