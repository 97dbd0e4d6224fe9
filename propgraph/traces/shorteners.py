"""Hosts of link shorteners: an address on one of them says nothing of where it leads.

The list is that of medialab's `ural` (GPL-3.0), of some 1,400 hosts, and those that it lacks. `t.me` is no
shortener: it shows Telegram's posts.
"""

from __future__ import annotations

from functools import cache


def words(text: str, /) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


_MORE = words(
    """
    bitly.is bl.ink bzfd.it forms.gle gu.com ind.pn ln.is lnk.to nydn.us on.rt.com on.wsj.com page.link qr.ae
    short.io snip.ly sumo.ly surl.li tgam.ca washex.am
    """
)
# What their addresses lead to can be told from the address: `pages.PAGES`, `hosts`.
_DERIVED = frozenset({"youtu.be", "redd.it", "instagr.am"})


def is_shortener(host: str, /) -> bool:
    """Return whether a host, in punycode, is a shortener's, or lies below one."""
    labels = host.split(".")
    return any(".".join(labels[start:]) in _names() for start in range(len(labels)))


@cache
def _names() -> frozenset[str]:
    # Imported here, as a command line that only prints its help should not wait for it.
    from ada_url import idna_to_ascii  # noqa: PLC0415
    from ural.is_shortened_url import SHORTENER_DOMAINS  # noqa: PLC0415

    known = (idna_to_ascii(name).decode() if not name.isascii() else name for name in SHORTENER_DOMAINS)
    # `tk.` stands among them: all sites of a country would count.
    return _MORE.union(name for name in known if "." in name.strip(".")) - _DERIVED
