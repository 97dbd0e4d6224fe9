"""Hosts of web addresses: the form of the name that is kept, whose site it is, and what holds for all its pages.

Nothing is fetched: no suffix list is downloaded, no file is written.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from propgraph.traces.shorteners import is_shortener, words

if TYPE_CHECKING:
    from collections.abc import Callable

# Free hosts whose names are handed out like domains, but which the Public Suffix List does not know.
_FREE_HOSTS = words(
    """
    000webhostapp.com blog.hr blogfa.com bravesites.com canalblog.com eklablog.com godaddysites.com home.blog
    jimdo.com jimdofree.com jimdosite.com livejournal.com mystrikingly.com narod.ru over-blog.com
    skyrock.com strikingly.com substack.com tripod.com tumblr.com typepad.com ucoz.com ucoz.net ucoz.ru
    unblog.fr webnode.com webs.com weebly.com weeblysite.com wordpress.com
    """
)
# Blogger answers for one blog under many endings, and sends readers to the one of their own country.
_BLOGSPOT = re.compile(
    r"\.blogspot\.(?:a[elm]|b[aegj]|c[afhlvz]|co\.(?:at|id|il|ke|nz|uk|za)|"
    r"com\.(?:ar|au|br|by|co|cy|ee|eg|es|mt|ng|tr|uy)|d[ek]|f[ir]|gr|h[kru]|i[enst]|jp|kr|l[itu]|m[dkrxy]|"
    r"n[lo]|p[et]|qa|r[eosu]|s[egikn]|t[dw]|ug|vn)\Z"
)
_WIKIPEDIA = re.compile(r"(?:\.m)+\.wikipedia\.org\Z")
_PRESENTATION_LABELS = ("www", "m", "mobile", "amp")
_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")

# One platform under several names: its own, those of front ends that show its pages under the same paths, and
# those that only make previews. The name that stays is the one that most logs hold. Subdomains keep their label
# where `*.` stands before the name, are taken for the platform's main host where `**.` does, else are others.
_ONE_HOST = {
    "twitter.com": "*.x.com **.fxtwitter.com **.vxtwitter.com **.fixupx.com **.fixvx.com **.twittpr.com "
    "xcancel.com twiiit.com",
    "t.me": "*.telegram.me *.telegram.dog",
    "reddit.com": "**.rxddit.com **.vxreddit.com",
    "facebook.com": "fb.com",
    "instagram.com": "*.instagr.am **.ddinstagram.com **.kkinstagram.com",
    "threads.net": "*.threads.com **.fixthreads.net",
    "tiktok.com": "**.vxtiktok.com **.tnktok.com",
    "youtube.com": "*.youtube-nocookie.com yewtu.be piped.video",
    "bsky.app": "staging.bsky.app main.bsky.dev **.fxbsky.app **.bskyx.app **.vxbsky.app **.bsyy.app",
    "vk.com": "*.vk.ru *.vkontakte.ru",
    "ok.ru": "*.odnoklassniki.ru",
    "archive.today": "archive.ph archive.is archive.li archive.md archive.vn archive.fo",
    "web.archive.org": "web-beta.archive.org wayback.archive.org classic-web.archive.org",
}  # fmt: skip
_FRONT_ENDS = {
    "nitter": "twitter.com", "libreddit": "reddit.com", "redlib": "reddit.com", "teddit": "reddit.com",
}  # fmt: skip
"""First labels of hosts on which anybody may run a front end to a platform: `nitter.net`, `nitter.example.org`."""
# Hosts that choose a design or a language of the platform.
_SKINS = re.compile(
    r"\A(?:(?:old|new|np|sh|i|ssl|pay|beta|us|[a-z]{2})\.(?=reddit\.com\Z)"
    r"|(?:mbasic|mtouch|touch|web|free|0|p|d|iphone|[a-z]{2}-[a-z]{2})\.(?=facebook\.com\Z)"
    r"|[a-z]{2}\.(?=linkedin\.com\Z))"
)

_SITE_TRACKING = {
    "facebook.com": frozenset({"fref", "hc_ref", "hc_location", "refid", "rdid", "share_url"}),
    "spotify.com": frozenset({"si"}),
    "tiktok.com": frozenset(
        {"_t", "_r", "is_from_webapp", "is_copy_url", "sender_device", "sender_web_id", "share_app_id"}
    ),
    "twitter.com": frozenset({"s", "t", "cn", "cxt"}),
    "youtu.be": frozenset({"si", "feature", "pp"}),
    "youtube.com": frozenset({"si", "feature", "pp"}),
}


class Host(NamedTuple):
    """A host, in the form and with the facts that hold for every address on it.

    Attributes
    ----------
    name
        The name as it is kept, in punycode; an IP address as it is.
    site
        What one party can register of it; the name itself for an address or where nobody can.
    is_public
        It ends in a public suffix.
    is_shortener
        Its addresses lead elsewhere, nobody knows where.
    tracking
        Names of parameters that track the reader on this site.
    is_blogger
        It is a blog on Blogger.
    """

    name: str
    site: str
    is_public: bool = False
    is_shortener: bool = False
    tracking: frozenset[str] = frozenset()
    is_blogger: bool = False

    @property
    def is_address(self) -> bool:
        """Whether it is an IP address and no name."""
        return _is_address(self.name)


class Hosts(dict[str, Host | None]):
    """Hosts as the parser gives them to their facts, each worked out once; None if no such host can be."""

    def __missing__(self, parsed: str) -> Host | None:
        self[parsed] = host = _read_host(parsed)
        return host


def _read_host(parsed: str) -> Host | None:
    name = parsed.removesuffix(".")
    if _is_address(name):
        return Host(name, name)
    # The parser lets pass what no name server can know.
    if len(name) > 253 or not _HOST.fullmatch(name):
        return None
    name = _BLOGSPOT.sub(".blogspot.com", name)
    name = _one_name(_without_labels(name, _site(name)[0]))
    site, is_public = _site(name)
    return Host(
        name,
        name if name in _FREE_HOSTS else site,
        is_public,
        is_shortener(name),
        _SITE_TRACKING.get(site, frozenset()),
        name.endswith(".blogspot.com"),
    )


def _is_address(name: str) -> bool:
    # The parser ends a host in a number only if it is an IPv4 address.
    return name.startswith("[") or name.rpartition(".")[2].isdecimal()


def _without_labels(name: str, site: str) -> str:
    """Return host `name` without the labels that choose a presentation, never cutting into its site."""
    while True:
        label, _, rest = name.partition(".")
        if label not in _PRESENTATION_LABELS:
            break
        # `www.tumblr.com` is no blog called www: it is the platform.
        if not (rest == site or rest.endswith(f".{site}") or rest in _FREE_HOSTS):
            break
        name = rest
    return _WIKIPEDIA.sub(".wikipedia.org", name)


def _one_name(name: str) -> str:
    """Return the one name of a host that has several."""
    label, _, rest = name.partition(".")
    if rest and label in _FRONT_ENDS:
        return _FRONT_ENDS[label]
    known = _known_names()
    if name in known:
        return known[name]
    above = name
    while "." in above:
        label, _, above = above.partition(".")
        if f"**.{above}" in known:
            return known[f"**.{above}"]
        if f"*.{above}" in known:
            return f"{name.removesuffix(above)}{known[f'*.{above}']}"
    return _SKINS.sub("", name)


@cache
def _known_names() -> dict[str, str]:
    known = {}
    for kept, names in _ONE_HOST.items():
        for name in names.split():
            known[name] = known[name.lstrip("*.")] = kept
    return known


def _site(name: str) -> tuple[str, bool]:
    """Return the registrable domain of host `name`, or `name`; and whether its suffix is a public one."""
    extracted = _suffixes().extract_str(name)
    return extracted.top_domain_under_public_suffix or name, bool(extracted.suffix) and "." in name


@cache
def parser() -> Callable[[str], str | None]:
    """Return the URL parser (WHATWG): a text to its normal form, or None if it is not a URL."""
    # Imported here, as a command line that only prints its help should not wait for it.
    from ada_url import normalize_url  # noqa: PLC0415

    def parse(text: str) -> str | None:
        try:
            return str(normalize_url(text))
        except ValueError:
            return None

    return parse


@cache
def _suffixes() -> Any:
    """Return the Public Suffix List as shipped: never downloaded, never cached on disk."""
    from tldextract import TLDExtract  # noqa: PLC0415

    return TLDExtract(
        cache_dir=None,
        suffix_list_urls=(),
        fallback_to_snapshot=True,
        include_psl_private_domains=True,
        extra_suffixes=sorted(_FREE_HOSTS),
    )
