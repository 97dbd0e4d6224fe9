"""Posts that are HTML: their plain text, and the links that are shared in them.

What comes from other servers is hostile until shown otherwise: tags left open, nested a thousand deep, scripts.
It is parsed as browsers do, and nothing in it is ever fetched or run. What lies deeper than 2,048 levels is lost;
no server shows it either.
"""

from __future__ import annotations

import re
from html import unescape

from lxml import etree

_PARSER = etree.HTMLParser(
    encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=True
)
_TEXT_OF = etree.XPath("string()", smart_strings=False)
# Fediverse servers mark what they link themselves: people, hashtags, and the quoted post for servers
# that cannot show quotes (`RE: https://...`).
_NOT_SHARED = frozenset(("mention", "hashtag", "u-url"))
_QUOTED = "quote-inline"
_UNSEEN = ("script", "style", "template", "head")
_BLOCKS = ("p", "div", "li", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6")
# What HTML may have, and the tree takes from nobody but its parser.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_BREAKS = re.compile(r"\s*\n\s*")


def text_and_links(source: str, /) -> tuple[str, list[str]]:
    """Return a post's text without its tags, and where its links lead, each once.

    Parameters
    ----------
    source
        HTML, or plain text with entities.

    Returns
    -------
    tuple
        The text, a line for each paragraph and after each `<br>`; and the `http` and `https` links, in order,
        without those to the accounts and hashtags that the text names.
    """
    if "<" not in source:
        return unescape(source).strip(), []
    tree = etree.fromstring(source.encode("utf-8", "replace"), _PARSER)
    if tree is None:  # comments, and nothing else
        return "", []
    if _QUOTED in source:
        _hide_quoted(tree)
    etree.strip_elements(tree, *_UNSEEN, with_tail=False)
    links = [link.strip() for anchor in tree.iter("a") if (link := _shared(anchor))]
    for element in tree.iter("br", *_BLOCKS):
        element.tail = _line(element.tail)
        if element.tag != "br":
            element.text = _line(element.text)
    return _BREAKS.sub("\n", _TEXT_OF(tree)).strip(), list(dict.fromkeys(links))


def _line(text: str | None) -> str:
    return "\n" + _CONTROLS.sub("", text or "")


def _hide_quoted(tree: etree._Element) -> None:
    for element in tree.iter():
        if _QUOTED in (element.get("class") or "").split():
            element.tag = _UNSEEN[0]


def _shared(anchor: etree._Element) -> str | None:
    """Return where a link leads, None where it is an account's, a hashtag's, or none of the web."""
    link = anchor.get("href")
    if not link or not link.lstrip()[:8].lower().startswith(("http://", "https://")):
        return None
    marks = anchor.get("class")
    if marks and not _NOT_SHARED.isdisjoint(marks.split()):
        return None
    return None if "tag" in (anchor.get("rel") or "").split() else link
