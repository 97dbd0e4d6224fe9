"""Web addresses: one link as written to its canonical pieces, by the WHATWG standard and what links look like."""

from __future__ import annotations

import re
from typing import NamedTuple

from propgraph.traces.clinging import end_without_clinging, without_clinging
from propgraph.traces.hosts import Host, Hosts, parser
from propgraph.traces.url_words import read_fragment, read_query, without_session

SCHEME = re.compile(r"https?:", re.IGNORECASE)

_TABS = re.compile(r"[\t\n\r]")  # the URL standard takes these out wherever they stand
_BARE_HOST = re.compile(r"(?://)?(?=[^/?#\\:@\s.]++\.)[^/?#\\:@\s]++(?::\d++)?(?=[/?#\\]|\Z)")
_HREF = re.compile(
    r"https?://(?:[^/?#]*@)?(\[[^\]]*\]|[^/?#:]*)(:\d+)?(/[^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL
)
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_TRIPLETS = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_UNRESERVED = re.compile(r"%(2[DE]|3[0-9]|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])")
_AMP_PAGE = re.compile(r"(?:\.amp)+\.html\Z")


class Address(NamedTuple):
    """One web address in canonical pieces, not yet unwrapped.

    Attributes
    ----------
    host
        Its host.
    port
        `:` and the port, or empty for the default ones.
    path
        The path, without slashes at its end.
    params
        The parameters that address content, sorted by name.
    fragment
        `#` and the route, or empty.
    tokens
        The tracking parameters that were taken off, in the order found.
    """

    host: Host
    port: str
    path: str
    params: tuple[str, ...]
    fragment: str
    tokens: tuple[str, ...]

    @property
    def query(self) -> str:
        """`?` and the parameters, or empty."""
        return f"?{'&'.join(self.params)}" if self.params else ""

    def __str__(self) -> str:
        return f"https://{self.host.name}{self.port}{self.path}{self.query}{self.fragment}"


def read_address(raw: str, hosts: Hosts, /) -> Address | None:
    """Return the pieces of the link `raw`, or None if it is not a web URL."""
    text = _TABS.sub("", without_clinging(raw))
    is_bare = not SCHEME.match(text)
    if is_bare:
        if not _BARE_HOST.match(text):
            return None
        text = f"https://{text.removeprefix('//')}"
    href = parser()(text)
    found = _HREF.fullmatch(_same_triplets(href)) if href else None
    if found is None:
        return None
    name, port, path, query, fragment = found.groups()
    host = hosts[name]
    if host is None or (is_bare and not host.is_public):
        return None
    path, session = without_session(path)
    params, tokens = read_query(query, host) if query else ((), ())
    route, more_tokens = read_fragment(fragment, host) if fragment else ("", ())
    return Address(
        host,
        "" if port in {None, ":80", ":443"} else port,
        _AMP_PAGE.sub(".html", path[: _path_end(path, is_last=not params and not route)]),
        params,
        route,
        session + tokens + more_tokens,
    )


def _path_end(path: str, *, is_last: bool) -> int:
    """Return where `path` ends without slashes, AMP marks and, if nothing follows it, punctuation."""
    end = len(path)
    while True:
        before = end
        while end and path[end - 1] == "/":
            end -= 1
        if is_last:
            end = end_without_clinging(path, end)
        if end > len("/amp") and path.endswith("/amp", 0, end):
            end -= len("/amp")
        if end == before:
            return end


def _same_triplets(href: str) -> str:
    """Return `href` with percent triplets as RFC 3986 (6.2.2) has them: upper case, none without need."""
    if "%" not in href:
        return href
    # Stray signs first: `%%34%31` would otherwise become `%41`, and that `A` the next time.
    href = _STRAY_PERCENT.sub("%25", href)
    href = _TRIPLETS.sub(lambda found: found[0].upper(), href)
    return _UNRESERVED.sub(lambda found: chr(int(found[1], 16)), href)
