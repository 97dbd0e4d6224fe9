"""Addresses that wrap another: outgoing-link pages, archived, translated and accelerated copies, mail scanners.

Nothing is fetched: a wrapper is taken off only where its address holds the inner one.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from collections.abc import Callable
from functools import cache, lru_cache
from typing import NamedTuple
from urllib.parse import unquote, unquote_plus

from propgraph.traces.addresses import SCHEME, Address, read_address
from propgraph.traces.hosts import Hosts

MAX_UNWRAPS = 3
"""How many wrappers, one inside the other, are taken off."""

# What finds the inner addresses in an address whose path fits, the likeliest first.
_Finder = Callable[[Address, "re.Match[str]"], list[str]]


class Wrapper(NamedTuple):
    """One kind of address that wraps another.

    Attributes
    ----------
    hosts
        Hosts in their canonical form, separated by blanks; `*.` stands for any subdomain and none, `google.*` for
        Google in any country.
    path
        Regular expression for the start of the path; of the whole path where parameters are named.
    inner
        Names of the parameters of which one holds the inner address, the likeliest first; or a function.
    """

    hosts: str
    path: str
    inner: tuple[str, ...] | _Finder


def _rest(link: Address, found: re.Match[str]) -> list[str]:
    """Return what stands behind the part of the path that was found; a wildcard asks for many pages."""
    path = link.path[found.end() :]
    return [] if path.endswith("*") else [_decoded(path) + link.query + link.fragment]


def _whole_query(link: Address, found: re.Match[str]) -> list[str]:
    """Return a query that is one address; its own parameters were sorted among the others."""
    first = [param for param in link.params if SCHEME.match(param) or _ENCODED.match(param)][:1]
    rest = [param for param in link.params if param not in first]
    return ["&".join([_decoded(first[0]), *rest]) + link.fragment] if first else []


def _secure_rest(link: Address, found: re.Match[str]) -> list[str]:
    return [f"https://{text}" for text in _rest(link, found)]


def _translated_host(link: Address, found: re.Match[str]) -> list[str]:
    """Return an address whose host became one label: `.` is written `-`, and `-` is written `--`."""
    label = link.host.name.removesuffix(".translate.goog")
    params = [param for param in link.params if not param.startswith("_x_tr_")]
    # A host that begins otherwise than its label says (`_x_tr_hp`) cannot be told.
    if "." in label or any(param.startswith("_x_tr_hp=") for param in link.params):
        return []
    if label.startswith("0-") and label.endswith("-0"):  # else it would look like punycode
        label = label[2:-2]
    query = f"?{'&'.join(params)}" if params else ""
    host = "-".join(part.replace("-", ".") for part in label.split("--"))
    return [f"https://{host}{link.port}{link.path}{query}{link.fragment}"]


def _proofpoint_2(link: Address, found: re.Match[str]) -> list[str]:
    return [unquote(text.replace("-", "%").replace("_", "/")) for text in _values(link, ("u",))]


def _proofpoint_3(link: Address, found: re.Match[str]) -> list[str]:
    """Return an address of which some characters stand apart, in base 64: each `*` is one, each `**X` a run."""
    # The end of the address may be a tracking token, which was taken off; any other parameters were sorted.
    ends = [item for item in (*link.params, *link.tokens) if "__;" in item][:1]
    params = [param for param in link.params if param not in ends]
    params += [param.partition("__;")[0] for param in ends if param in link.params]
    text = link.path[found.end() :] + (f"?{'&'.join(params)}" if params else "")
    text, _, apart = text.partition("__;") if not ends else (text, "", ends[0].partition("__;")[2])
    if sum("*" in param for param in params) > 1:
        return []
    place = 0

    def put_back(mark: re.Match[str]) -> str:
        nonlocal place
        start, place = place, place + (_RUNS.index(mark[1]) + 2 if mark[1] else 1)
        return characters[start:place]

    characters = _from_base64(apart.partition("!")[0])
    return [re.sub(r"\*(?:\*([A-Za-z0-9_-]))?", put_back, text)]


def _bing(link: Address, found: re.Match[str]) -> list[str]:
    return [_from_base64(text[2:]) for text in _values(link, ("u",)) if text.startswith("a1")]


def _disqus(link: Address, found: re.Match[str]) -> list[str]:
    """Return an address behind which a checksum stands."""
    return [re.sub(r":[\w-]{20,}\Z", "", text) for text in _values(link, ("url",))]


def _yahoo(link: Address, found: re.Match[str]) -> list[str]:
    return [unquote(link.path[found.end() :].partition("/")[0])]


def _cached(link: Address, found: re.Match[str]) -> list[str]:
    """Return the address in `cache:ID:https://... words`."""
    texts = [re.sub(r"\A(?i:cache):(?:[\w-]{12}:)?", "", text) for text in _values(link, ("q",))]
    return [text.partition(" ")[0] for text in texts]


def _from_base64(text: str) -> str:
    """Return what `text` says in base 64, or nothing if it is none."""
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except ValueError:
        return ""


def _decoded(text: str) -> str:
    return unquote(text) if _ENCODED.match(text) else text


_RUNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_ENCODED = re.compile(r"https?%3A", re.IGNORECASE)
_GOOGLE = re.compile(r"(?:translate\.)?google\.(?:com|[a-z]{2}|com?\.[a-z]{2})")
# When a copy was made: 20240305100000, cut anywhere, with what is shown of it (id_, if_) or * for all copies.
_WHEN = r"(?:(?:\d{1,14}(?:[a-z]{2}_)?\*?|\*|\d{4}\.\d\d\.\d\d-\d{6})/)"

WRAPPERS = (
    # Pages through which a platform leads every link that goes out.
    Wrapper("facebook.com l.facebook.com lm.facebook.com", r"/(?:l\.php|flx/warn)", ("u",)),
    Wrapper("l.instagram.com l.threads.net l.messenger.com l.workplace.com l.wl.co", r"(?:/l(?:\.php)?)?", ("u",)),
    Wrapper("google.*", r"/url", ("q", "url")),
    Wrapper("google.*", r"/imgres", ("imgrefurl",)),
    Wrapper("facebook.com", r"/plugins/(?:post|video)\.php", ("href",)),
    Wrapper("youtube.com", r"/redirect", ("q",)),
    Wrapper("vk.com away.vk.com", r"/away(?:\.php)?", ("to",)),
    Wrapper("ok.ru", r"/dk", ("st.rfn", "st.link")),
    Wrapper("t.me", r"/iv", ("url",)),
    Wrapper("out.reddit.com", r".*", ("url",)),
    Wrapper("t.umblr.com tumblr.com", r"/redirect", ("z",)),
    Wrapper("linkedin.com", r"/(?:redir/[a-z-]+|safety/go)", ("url",)),
    Wrapper("tiktok.com", r"/link/v2", ("target",)),
    Wrapper("pinterest.com", r"/offsite", ("url",)),
    Wrapper("medium.com", r"/r", ("url",)),
    Wrapper("flipboard.com getpocket.com", r"/redirect", ("url",)),
    Wrapper("slack-redir.net", r"/link", ("url",)),
    Wrapper("steamcommunity.com", r"/linkfilter", ("url", "u")),
    Wrapper("steamcommunity.com", r"/linkfilter/(?=https?:)", _rest),
    Wrapper("exit.sc gate.sc", r".*", ("url",)),
    Wrapper("link.zhihu.com", r".*", ("target",)),
    Wrapper("weibo.cn", r"/sinaurl", ("u", "toasturl")),
    Wrapper("disq.us", r"/url", _disqus),
    Wrapper("duckduckgo.com", r"/l", ("uddg",)),
    Wrapper("bing.com", r"/ck/a", _bing),
    Wrapper("r.search.yahoo.com", r".*/RU=(?=https?%3A)", _yahoo),
    Wrapper("go.redirectingat.com go.skimresources.com", r".*", ("url",)),
    # Nothing but a redirect, to hide whence a reader comes.
    Wrapper("href.li anonym.to anonym.es anonymz.com anon.to nullrefer.com hiderefer.com", r"", _whole_query),
    Wrapper("blankrefer.com dereferer.me dereferer.org", r"", _whole_query),
    # What scans mail.
    Wrapper("*.safelinks.protection.outlook.com", r".*", ("url",)),
    Wrapper("urldefense.proofpoint.com urldefense.com urldefense.us", r"/v1/url", ("u",)),
    Wrapper("urldefense.proofpoint.com urldefense.com urldefense.us", r"/v2/url", _proofpoint_2),
    Wrapper("urldefense.proofpoint.com urldefense.com urldefense.us", r"/v3/__", _proofpoint_3),
    Wrapper("linkprotect.cudasvc.com", r"/url", ("a",)),
    Wrapper("clicktime.symantec.com protect2.fireeye.com", r".*", ("u",)),
    Wrapper("secure-web.cisco.com", r"/[^/]+/(?=https?(?::|%3A))", _rest),
    Wrapper("deref-gmx.net deref-web.de deref-web-02.de deref-mail.com", r".*", ("redirectUrl",)),
    # Copies in archives.
    Wrapper("web.archive.org archive.org", rf"/(?:web|wayback)/{_WHEN}?", _rest),
    Wrapper("web.archive.org archive.org", r"/save/(?:_embed/)?", _rest),
    Wrapper("archive.today", rf"/(?:(?:newest|oldest|timegate|timemap)/|o/\w+/|{_WHEN})", _rest),
    Wrapper("archive.today", r"/(?=https?:)", _rest),
    Wrapper("archive.today", r"(?:/submit)?", ("url",)),
    Wrapper("timetravel.mementoweb.org", rf"/(?:memento|list)/{_WHEN}", _rest),
    Wrapper("arquivo.pt", rf"/(?:noFrame/replay|wayback)/{_WHEN}", _rest),
    Wrapper("webarchive.loc.gov", rf"/all/{_WHEN}", _rest),
    Wrapper("wayback.archive-it.org", rf"/\w+/{_WHEN}", _rest),
    Wrapper("webarchive.org.uk", rf"/wayback/(?:en/)?archive/{_WHEN}", _rest),
    Wrapper("webarchive.nationalarchives.gov.uk", rf"/(?:ukgwa/)?{_WHEN}", _rest),
    Wrapper("webcitation.org", r"/query", ("url",)),
    Wrapper("webcache.googleusercontent.com", r"/search", _cached),
    Wrapper("12ft.io txtify.it", r"/(?=https?:)", _rest),
    Wrapper("12ft.io", r"/proxy", ("q",)),
    # Copies for telephones.
    Wrapper("google.*", r"/amp/(?:s/)?(?=[^/])", _secure_rest),
    Wrapper("bing.com", r"/amp/s/(?=[^/])", _secure_rest),
    Wrapper("*.cdn.ampproject.org *.bing-amp.com", r"/(?:c|v|wp)/(?:s/)?(?=[^/])", _secure_rest),
    Wrapper("googleweblight.com", r"(?:/i)?", ("u", "lite_url")),
    # Translations.
    Wrapper("*.translate.goog", r"", _translated_host),
    Wrapper("google.*", r"/(?:translate|website)", ("u",)),
    Wrapper("translate.googleusercontent.com", r"/translate_[cp]", ("u",)),
    Wrapper("translate.yandex.com translate.yandex.ru", r"/translate", ("url",)),
    Wrapper("translated.turbopages.org", r"/proxy_u/[^/]+/https?/", _secure_rest),
    Wrapper("microsofttranslator.com translatetheweb.com", r"/bv\.aspx", ("a",)),
)  # fmt: skip


def wraps(host: str, /) -> bool:
    """Return whether addresses on a host can wrap others."""
    return bool(_of_host(host))


def unwrapped(link: Address, hosts: Hosts, /) -> Address:
    """Return the address inside `link`, with the tokens of both, or `link` if it wraps none or too many."""
    inner = link
    for _ in range(MAX_UNWRAPS):
        following = _target(inner, hosts)
        if following is None:
            return inner
        inner = following._replace(tokens=inner.tokens + following.tokens)
    # A nest cut half-way would go on unwrapping when its canonical URL is canonicalised again.
    return inner if _target(inner, hosts) is None else link


def _target(link: Address, hosts: Hosts) -> Address | None:
    """Return the address that `link` leads to or shows, by its own words alone, or None."""
    for wrapper in _of_host(link.host.name):
        for text in _texts(link, wrapper):
            target = read_address(text, hosts)
            if target is not None and (target.host.is_public or target.host.is_address):
                return target
    return None


def _texts(link: Address, wrapper: Wrapper) -> list[str]:
    if isinstance(wrapper.inner, tuple):
        texts = _values(link, wrapper.inner) if re.fullmatch(wrapper.path, link.path) else []
        return [text for text in texts if SCHEME.match(text)]
    found = re.match(wrapper.path, link.path)
    return wrapper.inner(link, found) if found else []


def _values(link: Address, names: tuple[str, ...]) -> list[str]:
    """Return what the parameters of those names hold, in the order of `names`."""
    values = dict(param.partition("=")[::2] for param in reversed(link.params))
    return [_decoded(unquote_plus(values[name])) for name in names if name in values]


@lru_cache(maxsize=4096)
def _of_host(name: str) -> tuple[Wrapper, ...]:
    """Return the wrappers of a host."""
    labels = name.split(".")
    names = [name, *(f"*.{'.'.join(labels[start:])}" for start in range(len(labels)))]
    if _GOOGLE.fullmatch(name):
        names.append("google.*")
    places = sorted(place for known in names for place in _places().get(known, ()))
    return tuple(WRAPPERS[place] for place in places)


@cache
def _places() -> dict[str, list[int]]:
    """Return which wrappers each name of `hosts` has."""
    places: dict[str, list[int]] = {}
    for place, wrapper in enumerate(WRAPPERS):
        for name in wrapper.hosts.split():
            places.setdefault(name, []).append(place)
    return places
