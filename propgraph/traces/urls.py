"""URLs as written to one canonical form: the same story is the same object, however it was linked.

Nothing is fetched: no shortener is resolved, no suffix list is downloaded, no file is written.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote_plus

import polars as pl

from propgraph.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_CHARS = 65_536
"""The longest URL that is parsed, in characters; a longer one is kept as a row without `url`."""

MAX_UNWRAPS = 3
"""How many redirects or AMP wrappers, one inside the other, are taken off."""

_SCHEMA = {
    "raw": pl.String(),
    "url": pl.String(),
    "site": pl.String(),
    "tokens": pl.String(),
    "is_shortener": pl.Boolean(),
}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A name belongs here only if no site is known to address content by it: `id`, `p`, `v`, `q` never do.
_TRACKING = _words(
    """
    fbclid gclid gclsrc dclid gbraid wbraid msclkid twclid ttclid li_fat_id yclid ymclid igshid igsh srsltid
    ref ref_src ref_url referrer feed_id _unique_id cmp cmpid ncid sr_share _ga _gl __twitter_impression s_cid smid
    smtyp spm xtor share action_object_map action_type_map action_ref_map _hsenc _hsmi hsctatracking mkt_tok
    vero_id vero_conv icid ocid wt_mc wt.mc_id guccounter guce_referrer guce_referrer_sig soc_src soc_trk
    s_kwcid ef_id ex_cid sc_cid wpsrc wpisrc intcmp int_cmp trk trkcampaign sfnsn mibextid extid ito
    _branch_match_id __s nr_email_referer feedtype feedname _openstat at_medium at_campaign at_custom1
    pk_campaign pk_kwd pk_keyword pk_source pk_medium pk_content pk_cid ns_mchannel ns_source ns_campaign
    ns_linkname ns_fee at_custom2 at_custom3 at_custom4 usqp amp_js_v amp_gsa aoh
    """
)
_TRACKING_PREFIXES = (
    "utm_",
    "mc_",
    "fb_action_",
    "fb_ref",
    "fb_source",
    "piwik_",
    "mtm_",
    "matomo_",
    "__cft__",
    "__tn__",
    "__xts__",
)
# These names may well address content, so only the value tells a tracking token from an address.
_TRACKING_BY_VALUE = frozenset({"source", "src", "via", "from", "medium", "shared"})
_NETWORKS = _words(
    """
    twitter tw fb facebook ig instagram whatsapp wa telegram tg linkedin reddit pinterest youtube tiktok vk
    ok email mail newsletter rss feed feedburner social socialmedia social_media sharebar sharebutton
    twitterfeed hootsuite buffer dlvr.it ifttt tweetdeck
    """
)
_SITE_TRACKING = {
    "facebook.com": frozenset({"fref", "hc_ref", "hc_location", "refid", "rdid", "share_url"}),
    "spotify.com": frozenset({"si"}),
    "tiktok.com": frozenset(
        {"_t", "_r", "is_from_webapp", "is_copy_url", "sender_device", "sender_web_id", "share_app_id"}
    ),
    "twitter.com": frozenset({"s", "t", "cn", "cxt"}),
    "x.com": frozenset({"s", "t", "cn", "cxt"}),
    "youtu.be": frozenset({"si", "feature", "pp"}),
    "youtube.com": frozenset({"si", "feature", "pp"}),
    "youtube-nocookie.com": frozenset({"si", "feature", "pp"}),
}
_AMP_MARKS = {"amp": {"", "1", "true", "yes"}, "outputtype": {"amp"}, "output": {"amp"}}

_SHORTENERS = _words(
    """
    t.co bit.ly bitly.com bitly.is j.mp goo.gl ow.ly ht.ly owl.li buff.ly dlvr.it ift.tt tinyurl.com tiny.cc
    is.gd v.gd trib.al fb.me lnkd.in wp.me amzn.to nyti.ms wapo.st reut.rs cnn.it bbc.in fxn.ws politi.co
    washex.am hill.cm bloom.bg on.wsj.com on.ft.com on.rt.com on.mktw.net on.msnbc.com cnb.cx nbcnews.to
    abcn.ws cbsn.ws usat.ly dailym.ai huff.to thr.cm n.pr econ.st ti.me slate.me theatln.tc read.bi bzfd.it
    mol.im apne.ws lat.ms nyp.st nydn.us ind.pn tgam.ca shar.es ln.is po.st su.pr cutt.ly rb.gy rebrand.ly
    short.io shorturl.at t.ly bl.ink snip.ly adf.ly clck.ru vk.cc u.to qr.ae flip.it redd.it disq.us sumo.ly
    zpr.io crwd.fr spr.ly lnk.to hubs.ly hubs.li goo.su x.co tr.im cli.gs url.ie eepurl.com smarturl.it
    s.id surl.li v.ht soo.gd urlz.fr dld.bz fw.to toi.in forms.gle page.link mcaf.ee w.wiki gu.com db.tt
    """
)

# Free hosts whose names are handed out like domains, but which the Public Suffix List does not know.
_FREE_HOSTS = _words(
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
_GOOGLE = re.compile(r"google\.(?:com|[a-z]{2}|com?\.[a-z]{2})")

_PRESENTATION_LABELS = ("www", "m", "mobile", "amp")

_INVISIBLE = "\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
_BLANK = rf"\s\x00-\x20\x7f-\x9f{_INVISIBLE}"
_LEADING = re.compile(rf"[{_BLANK}\"'(<\[{{“”„‘’«»‹›…]+")
_CLINGING = frozenset(".,;:!?\"'“”„‘’«»‹›>…、。，！？；：")
_CLOSERS = {")": "(", "]": "[", "}": "{", "）": "（", "」": "「", "』": "『", "】": "【"}
_DELIMITERS = frozenset("/?&#=")
_IS_BLANK = re.compile(rf"[{_BLANK}]").match

_TABS = re.compile(r"[\t\n\r]")  # the URL standard takes these out wherever they stand
_SCHEME = re.compile(r"https?:", re.IGNORECASE)
_BARE_HOST = re.compile(r"(?://)?(?=[^/?#\\:@\s.]++\.)[^/?#\\:@\s]++(?::\d++)?(?=[/?#\\]|\Z)")
_HREF = re.compile(
    r"https?://(?:[^/?#]*@)?(\[[^\]]*\]|[^/?#:]*)(:\d+)?(/[^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL
)
_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_TRIPLETS = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_UNRESERVED = re.compile(r"%(2[DE]|3[0-9]|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])")
_ENTITY = re.compile(r"(?:amp;)+")  # `&amp;` copied from a page's source

_VIDEO_ID = re.compile(r"([A-Za-z0-9_-]{6,})")
_VIDEO_PATH = re.compile(r"/(?:shorts|embed|live|v|e)/([A-Za-z0-9_-]{6,})")
_NOT_A_VIDEO = frozenset({"videoseries", "live_stream"})

# Pages through which a platform leads every link that goes out: path to the parameters that may hold it.
_REDIRECTS: dict[str, dict[str, tuple[str, ...]]] = {
    "facebook": {"/l.php": ("u",), "/flx/warn": ("u",)},
    "google": {"/url": ("q", "url")},
    "instagram": {"": ("u",)},
    "vk": {"/away.php": ("to",)},
    "youtube": {"/redirect": ("q",)},
}
_AMP_PAGE = re.compile(r"(?:\.amp)+\.html\Z")
_AMP_WRAPPERS = {
    "google": re.compile(r"/amp/(?:s/)?(?=[^/])"),
    "amp cache": re.compile(r"/(?:c|v|wp)/(?:s/)?(?=[^/])"),
}

# Every URL that this matches comes out of `_canonicalise` as its own pieces put together again, so that
# the pieces can be worked on as columns. What it leaves out (user names, ports, dot segments, odd
# punctuation, characters to encode, lower-case percent triplets) goes through the parser.
_TRIPLET = r"%(?:2[0-9A-CF]|3[A-F]|40|5[B-E]|60|7[B-DF]|[0189A-F][0-9A-F])"
_ENDS = rf"(?:[A-Za-z0-9_~+@$*-]|{_TRIPLET})"
_IN_PATH = rf"(?:[A-Za-z0-9_~+@$*.,:!-]|{_TRIPLET})"
_IN_PARAM = rf"(?:[A-Za-z0-9_~+@$*.,:!=/-]|{_TRIPLET})"
_PARAM = rf"{_IN_PARAM}*(?:[=/]|{_ENDS})"
_PLAIN = (
    r"\A[Hh][Tt][Tt][Pp][Ss]?://(?<host>[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)"
    rf"(?<path>(?:/(?:{_ENDS}(?:{_IN_PATH}*{_ENDS})?)?)*)"
    rf"(?:\?(?<query>{_PARAM}(?:&{_PARAM})*))?(?:#(?:[A-Za-z0-9_-][A-Za-z0-9._-]*)?)?\z"
)


class _Host(NamedTuple):
    """A host, in the form and with the facts that hold for every URL on it."""

    name: str
    site: str
    is_public: bool
    is_shortener: bool
    platform: str
    tracking: frozenset[str]
    is_blogger: bool


class _Link(NamedTuple):
    """One URL in canonical pieces, not yet unwrapped."""

    host: _Host
    port: str
    path: str
    params: tuple[str, ...]
    fragment: str
    tokens: tuple[str, ...]

    def __str__(self) -> str:
        query = f"?{'&'.join(self.params)}" if self.params else ""
        return f"https://{self.host.name}{self.port}{self.path}{query}{self.fragment}"


def canonicalise_urls(urls: pl.Series, /) -> pl.DataFrame:
    """Bring URLs to one form, name the site of each, and keep the tracking tokens that were taken off.

    Two links to one story should give one object. The URL is parsed by the WHATWG standard; then

    - `http` and `https` become one (`https`), as is the custom in co-sharing research;
    - user names, default ports, fragments (but not `#!` routes) and the leading host labels `www`, `m`,
      `mobile` and `amp` go, unless the label is itself the registered name, as in `m.co.uk`;
    - trailing slashes, AMP marks (`/amp`, `.amp.html`, `?amp=1`, `outputType=amp`) and punctuation that
      clings to a link in running text go; percent triplets are written in one way;
    - AMP viewers and the outgoing-link pages of Facebook, Google, Instagram, VK and YouTube are unwrapped,
      at most three deep (deeper nests are kept as they are);
    - every address of a YouTube video becomes `https://youtube.com/watch?v=ID`, whatever the list or the
      start time, and every country's address of a Blogger blog becomes `NAME.blogspot.com`;
    - parameters that track the reader go to `tokens`; the others are sorted by name, equal names in their
      order. A link without a scheme is read as `https` if its host ends in a public suffix.

    Nothing is fetched: links by a shortener stay what they are and are marked.

    A site is what one party can register, by the Public Suffix List that comes with `tldextract`, with its
    private section and some free hosts more: on shared hosting each `NAME.blogspot.com` or
    `NAME.wordpress.com` is a site of its own, or a farm of throw-away blogs would look like one big site.

    Parameters
    ----------
    urls
        Links as written; dtype String. Nulls and duplicates are allowed, and no content is an error.

    Returns
    -------
    pl.DataFrame
        One row for each distinct non-null string of `urls`, sorted by `raw`:

        - `raw` (String): the string as given;
        - `url` (String): the canonical URL; null when `raw` is not a web URL (http or https, with a valid
          host) or is longer than 65,536 characters, as given or encoded. A canonical URL is its own
          canonical form;
        - `site` (String): the registrable domain, lower case, in punycode; the host itself for an IP
          address, a public suffix or a host without one; null where `url` is;
        - `tokens` (String): the tracking parameters taken off, `key=value` joined by `&` in the order
          found; null when there were none;
        - `is_shortener` (Boolean): whether the link is by a known shortener; never null.

    Raises
    ------
    InputError
        When `urls` is not of dtype String.
    """
    if urls.dtype not in {pl.String(), pl.Null()}:
        raise InputError(f"URLs are text, but {urls.name!r} is of dtype {urls.dtype}; cast it to String")
    raw = urls.cast(pl.String).drop_nulls().unique().sort().to_frame("raw")
    hosts = _Hosts()
    short = raw.filter(pl.col("raw").str.len_chars() <= MAX_CHARS)
    plain, odd = _split_plain(short, hosts)
    rows = [(text, *_canonicalise(text, hosts)) for text in odd]
    too_long = raw.filter(pl.col("raw").str.len_chars() > MAX_CHARS).with_columns(is_shortener=pl.lit(False))
    return pl.concat(
        [plain, pl.DataFrame(rows, schema=_SCHEMA, orient="row"), too_long], how="diagonal"
    ).sort("raw")


def _split_plain(raw: pl.DataFrame, hosts: _Hosts) -> tuple[pl.DataFrame, list[str]]:
    """Return the plain URLs of `raw`, done column by column, and the others as they are."""
    pieces = pl.col("raw").str.extract_groups(_PLAIN).alias("pieces")
    # The streaming engine works on one column with all cores.
    parts = raw.lazy().with_columns(pieces).unnest("pieces").collect(engine="streaming")
    parts = parts.with_columns(pl.col("host").str.to_lowercase(), pl.col("path").str.strip_chars_end("/"))
    facts = _plain_hosts(parts["host"].drop_nulls().unique().sort(), hosts)
    parts = parts.join(facts, on="host", how="left", maintain_order="left")
    is_amp = pl.col("path").str.ends_with("/amp") | pl.col("path").str.ends_with(".amp.html")
    is_plain = pl.col("name").is_not_null() & ~is_amp
    odd = parts.filter(~is_plain)["raw"].to_list()
    parts = _with_queries(parts.filter(is_plain), hosts)
    url = pl.concat_str(pl.lit("https://"), "name", "path", "query")
    return parts.select("raw", url.alias("url"), "site", "tokens", "is_shortener"), odd


def _plain_hosts(names: pl.Series, hosts: _Hosts) -> pl.DataFrame:
    """Return the facts of those hosts of `names` that the parser leaves as they are and that need no rule."""
    parse = _parser()
    rows = [
        (name, host.name, host.site, host.is_shortener)
        for name in names
        if parse(f"https://{name}") == f"https://{name}/" and (host := hosts[name]) and not host.platform
    ]
    schema = {"host": pl.String, "name": pl.String, "site": pl.String, "is_shortener": pl.Boolean}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _with_queries(parts: pl.DataFrame, hosts: _Hosts) -> pl.DataFrame:
    """Return `parts` with the `query` that is kept, with its `?` or empty, and the `tokens`."""
    bare = parts.filter(pl.col("query").is_null())
    full = parts.filter(pl.col("query").is_not_null())
    queries: list[str] = []
    tokens: list[str | None] = []
    for query, name in zip(full["query"].to_list(), full["host"].to_list(), strict=True):
        host = hosts[name]
        kept, stripped = _read_query(query, host) if host else ((), ())
        queries.append("?" + "&".join(kept) if kept else "")
        tokens.append("&".join(stripped) or None)
    return pl.concat(
        [
            bare.with_columns(query=pl.lit(""), tokens=pl.lit(None, pl.String)),
            full.with_columns(pl.Series("query", queries, pl.String), pl.Series("tokens", tokens, pl.String)),
        ]
    )


def _canonicalise(raw: str, hosts: _Hosts) -> tuple[str | None, str | None, str | None, bool]:
    """Return `url`, `site`, `tokens` and `is_shortener` of one link of any shape."""
    link = _read(raw, hosts)
    if link is None:
        return None, None, None, False
    if link.host.platform:
        link = _unwrapped(link, hosts)
    url = str(link)
    # Encoding may lengthen a URL beyond what would be parsed again.
    if len(url) > MAX_CHARS:
        return None, None, None, False
    return url, link.host.site, "&".join(link.tokens) or None, link.host.is_shortener


def _unwrapped(link: _Link, hosts: _Hosts) -> _Link:
    """Return the link inside `link`, with the tokens of both, or `link` if it wraps none or too many."""
    inner = link
    for _ in range(MAX_UNWRAPS):
        following = _target(inner, hosts)
        if following is None:
            return inner
        inner = following._replace(tokens=inner.tokens + following.tokens)
    # A nest cut half-way would go on unwrapping when its canonical URL is canonicalised again.
    return inner if _target(inner, hosts) is None else link


def _target(link: _Link, hosts: _Hosts) -> _Link | None:
    """Return the link that `link` leads to or shows, by its address alone, or None."""
    for text in _target_texts(link):
        target = _read(text, hosts)
        if target is not None and (target.host.is_public or _is_address(target.host.name)):
            return target
    return None


def _target_texts(link: _Link) -> list[str]:
    platform, path = link.host.platform, link.path
    names = _REDIRECTS[platform].get(path) if platform in _REDIRECTS else None
    if names:
        values = dict(param.partition("=")[::2] for param in reversed(link.params))
        texts = [unquote_plus(values.get(name, "")) for name in names]
        return [text for text in texts if _SCHEME.match(text)]
    found = _AMP_WRAPPERS[platform].match(path) if platform in _AMP_WRAPPERS else None
    if found is None:
        return []
    query = f"?{'&'.join(link.params)}" if link.params else ""
    return [f"https://{path[found.end() :]}{query}"]


def _read(raw: str, hosts: _Hosts) -> _Link | None:
    """Return the pieces of the link `raw`, or None if it is not a web URL."""
    text = _TABS.sub("", _trimmed(raw))
    is_bare = not _SCHEME.match(text)
    if is_bare:
        if not _BARE_HOST.match(text):
            return None
        text = f"https://{text.removeprefix('//')}"
    href = _parser()(text)
    found = _HREF.fullmatch(_same_triplets(href)) if href else None
    if found is None:
        return None
    name, port, path, query, fragment = found.groups()
    host = hosts[name]
    if host is None or (is_bare and not host.is_public):
        return None
    params, tokens = _read_query(query, host) if query else ((), ())
    route, more_tokens = _read_fragment(fragment, host) if fragment else ("", ())
    link = _Link(
        host,
        "" if port in {None, ":80", ":443"} else port,
        _AMP_PAGE.sub(".html", path[: _path_end(path, is_last=not params and not route)]),
        params,
        route,
        tokens + more_tokens,
    )
    return _as_video(link, hosts) if host.platform == "youtube" else link


def _trimmed(raw: str) -> str:
    """Return `raw` without the blanks, quotes and sentence punctuation around it."""
    found = None if raw[:1].isalpha() else _LEADING.match(raw)
    text = raw[found.end() :] if found else raw
    return text if text[-1:].isalnum() else text[: _text_end(text, len(text))]


def _text_end(text: str, end: int) -> int:
    """Return where `text[:end]` ends without clinging punctuation and unbalanced closing brackets.

    Brackets are balanced within the last segment or value, so that the answer is the same for a part of a
    URL and for the whole that ends in it.
    """
    surplus: dict[str, int] = {}
    while end:
        last = text[end - 1]
        if last in _CLOSERS:
            if not surplus:
                start = end
                while start and text[start - 1] not in _DELIMITERS:
                    start -= 1
                segment = text[start:end]
                surplus = {
                    closer: segment.count(closer) - segment.count(_CLOSERS[closer]) for closer in _CLOSERS
                }
            if surplus[last] <= 0:
                break
            surplus[last] -= 1
        elif last not in _CLINGING and not _IS_BLANK(last):
            break
        elif last == "?":
            surplus = {}
        end -= 1
    return end


def _path_end(path: str, *, is_last: bool) -> int:
    """Return where `path` ends without slashes, AMP marks and, if nothing follows it, punctuation."""
    end = len(path)
    while True:
        before = end
        while end and path[end - 1] == "/":
            end -= 1
        if is_last:
            end = _text_end(path, end)
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


def _read_query(query: str, host: _Host) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the parameters that address content, sorted by name, and the tracking tokens as found."""
    kept: list[tuple[str, str]] = []
    tokens: list[str] = []
    for item in query.split("&"):
        param = _ENTITY.sub("", item, count=1) if item.startswith("amp;") else item
        # The last parameter clings to the text around the link, and sorting makes any of them the last.
        if not param[-1:].isalnum():
            param = param[: _text_end(param, len(param))]
        if not param:
            continue
        name, _, value = param.partition("=")
        if _is_tracking(name, value, host):
            tokens.append(param)
        elif not _is_presentation(name, value, host):
            kept.append((name, param))
    if len(kept) > 1:
        kept.sort(key=itemgetter(0))
    return tuple([param for _, param in kept]), tuple(tokens)


def _is_tracking(name: str, value: str, host: _Host) -> bool:
    kind = _kind(name)
    if kind == "by value":
        return value.lower() in _NETWORKS
    return kind == "tracking" or (bool(host.tracking) and name.lower() in host.tracking)


def _is_presentation(name: str, value: str, host: _Host) -> bool:
    kind = _kind(name)
    if kind == "amp":
        return value.lower() in _AMP_MARKS[name.lower()]
    return host.is_blogger and name == "m" and value in {"0", "1"}


@lru_cache(maxsize=512)
def _kind(name: str) -> str:
    """Return what the name of a parameter alone tells of it: `tracking`, `by value`, `amp` or nothing."""
    key = name.lower()
    if key in _TRACKING or key.startswith(_TRACKING_PREFIXES):
        return "tracking"
    if key in _TRACKING_BY_VALUE:
        return "by value"
    return "amp" if key in _AMP_MARKS else ""


def _read_fragment(fragment: str, host: _Host) -> tuple[str, tuple[str, ...]]:
    """Return the fragment if it is a `#!` route, else the tracking tokens in it (`#xtor=RSS-1`)."""
    if fragment.startswith("!"):
        route = fragment[: _text_end(fragment, len(fragment))]
        return (f"#{route}" if route else ""), ()
    params = (param for param in fragment.split("&") if "=" in param)
    return "", tuple([param for param in params if _is_tracking(*param.partition("=")[::2], host)])


def _as_video(link: _Link, hosts: _Hosts) -> _Link:
    """Return `link` as the one address of its video, or as it is if it shows none."""
    if link.port:
        return link
    if link.host.name == "youtu.be":
        found = _VIDEO_ID.fullmatch(link.path[1:])
    elif link.path == "/watch":
        values = (param[2:] for param in link.params if param.startswith("v="))
        # `watch?v=ID?feature=...` is a slip so common that the player forgives it.
        found = _VIDEO_ID.fullmatch(next(values, "").partition("?")[0])
    else:
        found = _VIDEO_PATH.fullmatch(link.path)
    host = hosts["youtube.com"]
    if found is None or found[1] in _NOT_A_VIDEO or host is None:
        return link
    return _Link(host, "", "/watch", (f"v={found[1]}",), "", link.tokens)


class _Hosts(dict[str, _Host | None]):
    """Hosts as the parser gives them to their facts, each worked out once; None if no such host can be."""

    def __missing__(self, parsed: str) -> _Host | None:
        self[parsed] = host = _read_host(parsed)
        return host


def _read_host(parsed: str) -> _Host | None:
    name = parsed.removesuffix(".")
    if _is_address(name):
        return _Host(name, name, False, False, "", frozenset(), False)
    # The parser lets pass what no name server can know.
    if len(name) > 253 or not _HOST.fullmatch(name):
        return None
    name = _BLOGSPOT.sub(".blogspot.com", name)
    site, is_public = _site(name)
    name = _without_labels(name, site)
    if name in _FREE_HOSTS:
        site = name
    return _Host(
        name,
        site,
        is_public,
        name in _SHORTENERS or site in _SHORTENERS,
        _platform(name, site),
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


def _site(name: str) -> tuple[str, bool]:
    """Return the registrable domain of host `name`, or `name`; and whether its suffix is a public one."""
    extracted = _suffixes().extract_str(name)
    return extracted.top_domain_under_public_suffix or name, bool(extracted.suffix) and "." in name


def _platform(name: str, site: str) -> str:
    """Return the platform whose addresses have rules of their own, or an empty string."""
    if site == "ampproject.org":
        return "amp cache" if name.endswith("cdn.ampproject.org") else ""
    if _GOOGLE.fullmatch(name):
        return "google"
    return {
        "facebook.com": "facebook",
        "l.facebook.com": "facebook",
        "lm.facebook.com": "facebook",
        "l.instagram.com": "instagram",
        "vk.com": "vk",
        "away.vk.com": "vk",
        "youtube.com": "youtube",
        "youtube-nocookie.com": "youtube",
        "youtu.be": "youtube",
    }.get(name, "")


@cache
def _parser() -> Callable[[str], str | None]:
    """Return the URL parser: a text to its normal form, or None if it is not a URL."""
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
