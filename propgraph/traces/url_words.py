"""Words of web addresses: which parameters track the reader or choose a presentation, which address content."""

from __future__ import annotations

import re
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING

from propgraph.traces.clinging import end_without_clinging
from propgraph.traces.shorteners import words

if TYPE_CHECKING:
    from propgraph.traces.hosts import Host


# A name belongs here only if no site is known to address content by it: `id`, `p`, `v`, `q` never do.
_TRACKING = words(
    """
    fbclid gclid gclsrc dclid gbraid wbraid msclkid twclid ttclid li_fat_id yclid ymclid igshid igsh srsltid
    ref ref_src ref_url referrer feed_id _unique_id cmp cmpid ncid sr_share _ga _gl __twitter_impression s_cid smid
    smtyp spm xtor share action_object_map action_type_map action_ref_map _hsenc _hsmi hsctatracking mkt_tok
    vero_id vero_conv icid ocid wt_mc wt.mc_id guccounter guce_referrer guce_referrer_sig soc_src soc_trk
    s_kwcid ef_id ex_cid sc_cid wpsrc wpisrc intcmp int_cmp trk trkcampaign sfnsn mibextid extid ito
    _branch_match_id __s nr_email_referer feedtype feedname _openstat at_medium at_campaign at_custom1
    pk_campaign pk_kwd pk_keyword pk_source pk_medium pk_content pk_cid ns_mchannel ns_source ns_campaign
    ns_linkname ns_fee at_custom2 at_custom3 at_custom4 usqp amp_js_v amp_gsa aoh
    phpsessid jsessionid cfid cftoken oscsid zenid
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
    "aspsessionid",
    "__cft__",
    "__tn__",
    "__xts__",
)
# These names may well address content, so only the value tells a tracking token from an address.
_TRACKING_BY_VALUE = frozenset({"source", "src", "via", "from", "medium", "shared"})
_NETWORKS = words(
    """
    twitter tw fb facebook ig instagram whatsapp wa telegram tg linkedin reddit pinterest youtube tiktok vk
    ok email mail newsletter rss feed feedburner social socialmedia social_media sharebar sharebutton
    twitterfeed hootsuite buffer dlvr.it ifttt tweetdeck
    """
)
# The same of a reader's session: what names one is as long as a hash.
_SESSIONS = frozenset({"sid", "sessid", "sessionid", "session_id"})
_IS_SESSION = re.compile(r"[0-9A-Za-z]{26,}").fullmatch
# A session in a path: `;jsessionid=...` of Java, `(S(...))` of ASP.NET.
_SESSION_IN_PATH = re.compile(r"(?i);((?:jsessionid|phpsessid)=[^/;]*)|/(\([A-Z]\([0-9A-Z_-]{20,}\)\))(?=/)")

_AMP_MARKS = {"amp": {"", "1", "true", "yes"}, "outputtype": {"amp"}, "output": {"amp"}}
_ENTITY = re.compile(r"(?:amp;)+")  # `&amp;` copied from a page's source


def read_query(query: str, host: Host, /) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the parameters that address content, sorted by name, and the tracking tokens as found."""
    kept: list[tuple[str, str]] = []
    tokens: list[str] = []
    for item in query.split("&"):
        param = _ENTITY.sub("", item, count=1) if item.startswith("amp;") else item
        # The last parameter clings to the text around the link, and sorting makes any of them the last.
        if not param[-1:].isalnum():
            param = param[: end_without_clinging(param, len(param))]
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


def read_fragment(fragment: str, host: Host, /) -> tuple[str, tuple[str, ...]]:
    """Return the fragment, with its `#`, if it is a route (`#!/a`, `#/a`), else the tokens in it (`#xtor=RSS-1`)."""
    if fragment.startswith(("!", "/")):
        route = fragment
        while route != (shorter := route[: end_without_clinging(route, len(route))].rstrip("/")):
            route = shorter
        return (f"#{route}" if route else ""), ()
    params = (param for param in fragment.split("&") if "=" in param)
    return "", tuple([param for param in params if _is_tracking(*param.partition("=")[::2], host)])


def without_session(path: str, /) -> tuple[str, tuple[str, ...]]:
    """Return `path` without the reader's session in it, and the session as a token."""
    tokens = tuple([found[1] or found[2] for found in _SESSION_IN_PATH.finditer(path)])
    return (_SESSION_IN_PATH.sub("", path), tokens) if tokens else (path, ())


def _is_tracking(name: str, value: str, host: Host) -> bool:
    kind = _kind(name)
    if kind == "by value":
        return value.lower() in _NETWORKS
    if kind == "session":
        return _IS_SESSION(value) is not None
    return kind == "tracking" or (bool(host.tracking) and name.lower() in host.tracking)


def _is_presentation(name: str, value: str, host: Host) -> bool:
    kind = _kind(name)
    if kind == "amp":
        return value.lower() in _AMP_MARKS[name.lower()]
    return host.is_blogger and name == "m" and value in {"0", "1"}


@lru_cache(maxsize=512)
def _kind(name: str) -> str:
    """Return what the name of a parameter alone tells of it: `tracking`, `by value`, `session`, `amp` or nothing."""
    key = name.lower()
    if key in _TRACKING or key.startswith(_TRACKING_PREFIXES):
        return "tracking"
    if key in _TRACKING_BY_VALUE:
        return "by value"
    if key in _SESSIONS:
        return "session"
    return "amp" if key in _AMP_MARKS else ""
