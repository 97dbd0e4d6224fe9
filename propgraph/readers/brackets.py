"""One cell that lists several things in brackets: as JSON, Python, R or Postgres do; objects by a known key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson
import polars as pl

from propgraph.readers.cells import parsed

# What objects in a list are known by, the first that is filled: a link's full form before its short one.
KEYS = {
    "urls": ("expanded_url", "unwound_url", "expandedUrl", "expanded", "url", "uri", "href", "link"),
    "hashtags": ("tag", "text", "hashtag", "name"),
    "mentions": ("username", "screen_name", "screenname", "handle", "acct", "name", "id_str", "id"),
    "images": ("hash", "phash", "md5", "sha1", "sha256", "media_key", "id_str", "id", "url", "src"),
}
_BRACKETED = r"""^\s*(?:\[|\{|\(\s*["']|c\(|list\(|character\(0\))"""
_R = re.compile(r"\s*(?:c|list)\((.*)\)\s*", re.DOTALL)
_R_NAME = re.compile(r"(?:^|(?<=,))\s*[\w.]+\s*=\s*(?=[\"'])")
_QUOTED = re.compile(
    r"""\s*(?:"((?:[^"\\]|\\.|"")*)"|'((?:[^'\\]|\\.|'')*)'|([^,]*))\s*(?:,|\Z)""", re.DOTALL
)
# Between the words of `[a, b]`; not at every comma of links, which may hold some.
_BETWEEN = {
    name: re.compile(r"""["']\s*,?\s*["']|""" + (r",\s+|,(?=https?:)" if name in ("urls", "images") else ","))
    for name in KEYS
}
_JOINED = re.compile(r"""["']\s+["']""")
_ESCAPE = re.compile(r"""\\(.)|""(?=.)|''(?=.)""", re.DOTALL)


def are_bracketed(cells: pl.Series, kind: str, /) -> pl.Series:
    """Return which cells of a column of the `kind` of `KEYS` are in brackets: images may have names that begin so."""
    opened = cells.str.contains(_BRACKETED)
    return opened & cells.str.contains(r"[\])}]\s*$") if kind == "images" else opened


class Cell(NamedTuple):
    """What a cell lists.

    Attributes
    ----------
    items
        Words in their order; those of objects without a known key are left out.
    form
        How it is written: `[...]`, `objects`, `c(...)` as in R, `{...}` as in Postgres.
    strange
        The keys of objects that have none that is known.
    """

    items: list[str]
    form: str
    strange: frozenset[str] = frozenset()


def read_cell(cell: str, name: str, /) -> Cell:
    """Return what a bracketed cell of the column `name` of `KEYS` lists."""
    text = cell.strip()
    if text == "character(0)":
        return Cell([], "c(...)")
    if (inner := _R.fullmatch(text)) is not None:
        inner = _R.fullmatch(inner[1]) or inner  # list(c(...))
        return Cell(list(_parted(_R_NAME.sub("", inner[1]), nothing="NA")), "c(...)")
    value = _parsed(text)
    if value is not None:
        return _of_values(value, name)
    if text.startswith("{") and text.endswith("}"):
        return Cell(list(_parted(text[1:-1], nothing="NULL")), "{...}")
    words = _BETWEEN[name].split(re.sub(r"^[\[{(]|[\]})]$", "", text).strip())
    return Cell([word.strip("\"' \n\t") for word in words], "[...]")


def _parsed(text: str) -> Any:
    """Return a cell's value, but not that of `['a' 'b']`, as numpy writes lists: Python would make `ab` of it."""
    if text.startswith("("):
        text = f"[{text[1:-1]}]"
    return None if _JOINED.search(text) and not _is_json(text) else parsed(text)


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _of_values(value: Any, name: str) -> Cell:
    values = value if isinstance(value, list) else [value]
    items: list[str] = []
    strange: set[str] = set()
    form = "[...]"
    for one in values:
        if isinstance(one, str):
            items.append(one)
        elif isinstance(one, dict):
            form = "objects"
            known = next(
                (one[key] for key in KEYS[name] if isinstance(one.get(key), str | int) and one[key]), None
            )
            if known is None:
                strange.update(one)
            else:
                items.append(str(known))
        elif one is not None:
            items.append(orjson.dumps(one).decode())
    return Cell(items, form, frozenset(strange))


def _parted(inner: str, *, nothing: str) -> Iterator[str]:
    """Yield the words between commas, quoted or bare; `nothing` is how a missing one is written, bare."""
    end = len(inner)
    place = 0
    while place < end:
        found = _QUOTED.match(inner, place)
        if found is None or found.end() == place:
            return
        place = found.end()
        quoted = found[1] if found[1] is not None else found[2]
        if quoted is not None:
            yield _ESCAPE.sub(lambda escape: escape[1] or escape[0][0], quoted)
        elif (bare := found[3].strip()) and bare != nothing:
            yield bare
