"""One cell that lists several things in brackets: as JSON, Python, R or Postgres do; objects by a known key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson
import polars as pl

from propgraph.readers.values.cells import parsed

# What objects in a list are known by, the first that is filled: a link's full form before its short one.
KEYS = {
    "urls": ("expanded_url", "unwound_url", "expandedUrl", "expanded", "url", "uri", "href", "link"),
    "hashtags": ("tag", "text", "hashtag", "name"),
    "mentions": ("username", "screen_name", "screenname", "handle", "acct", "name", "id_str", "id"),
    "images": ("hash", "phash", "md5", "sha1", "sha256", "media_key", "id_str", "id", "url", "src"),
}
# Words in quotes, without brackets around them.
_WORDS = r"""^\s*(?:"[^"]*"(?:\s*[,;|]\s*"[^"]*")*|'[^']*'(?:\s*[,;|]\s*'[^']*')*)\s*$"""
_WORD = re.compile(r"""(["'])(.*?)\1""", re.DOTALL)
# What else Python prints around brackets.
_CALL = r"(?:array|(?:frozen)?set|dict_keys)\("
_PYTHON = re.compile(rf"{_CALL}(.*?)(?:,\s*dtype=[^()\[\]]*)?\)", re.DOTALL)
_BRACKETED = rf"""^\s*(?:"?\[|"?\{{|\(\s*["']|c\(|list\(|{_CALL}|character\(0\))|{_WORDS}"""
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
    """Return which cells of a column of the `kind` of `KEYS` are in brackets, or words in quotes.

    Images may have names that begin so.
    """
    opened = cells.str.contains(_BRACKETED)
    return opened & cells.str.contains(r"""[\])}"']\s*$""") if kind == "images" else opened


class Cell(NamedTuple):
    """What a cell lists.

    Attributes
    ----------
    items
        Words in their order; those of objects without a known key are left out.
    form
        How it is written: `[...]`, `objects`, `c(...)` as in R, `{...}` as in Postgres, `words in quotes`.
    strange
        The keys of objects that have none that is known.
    """

    items: list[str]
    form: str
    strange: frozenset[str] = frozenset()


def read_cell(cell: str, name: str, /) -> Cell:
    """Return what a bracketed cell of the column `name` of `KEYS` lists."""
    cell = cell.strip()
    if cell.startswith("[") and isinstance(value := _json(cell), list):
        return _of_values(value, name)  # as most cells are; what follows would come to the same
    return _read_written(_unwrapped(cell), name)


def _read_written(text: str, name: str) -> Cell:
    """Return what a cell lists that is no list of JSON, or may be none."""
    if text == "character(0)":
        return Cell([], "c(...)")
    if re.fullmatch(_WORDS, text) is not None:
        return Cell([found[2] for found in _WORD.finditer(text)], "words in quotes")
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


def _unwrapped(text: str) -> str:
    """Return a cell without what is around its brackets: `set(...)`, `array(..., dtype=object)`, JSON in JSON."""
    if text.startswith('"') and isinstance(inner := _json(text), str):
        text = inner.strip()
    if (python := _PYTHON.fullmatch(text)) is not None:
        text = python[1].strip() or "[]"
    return text


def _parsed(text: str) -> Any:
    """Return a cell's value, but not that of `['a' 'b']`, as numpy writes lists: Python would make `ab` of it."""
    if text.startswith("("):
        text = f"[{text[1:-1]}]"
    return None if _JOINED.search(text) and _json(text) is None else parsed(text)


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _of_values(value: Any, name: str) -> Cell:
    values = value if isinstance(value, list) else [value]
    if all(one.__class__ is str for one in values):
        return Cell(values, "[...]")
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
        elif isinstance(one, list) and all(isinstance(word, str) for word in one):
            items += one
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
