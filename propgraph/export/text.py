"""Hostile text made safe for the place it goes to: an XML file, a terminal, a spreadsheet.

Account names, URLs and post texts are chosen by the very people under study. They hold markup, terminal
escapes, formulas, right-to-left overrides and characters that no XML file may contain.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TypeVar

import polars as pl
from rich.cells import cell_len

__all__ = [
    "clean_csv_cell",
    "clean_terminal",
    "clean_xml",
    "clean_xml_column",
    "csv_safe",
    "xml_id",
    "xml_ids",
]

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)

# What XML 1.0 forbids, even as a character reference. Lone surrogates are forbidden too, but a Polars column
# cannot hold one, and its regular expressions cannot name one.
_FORBIDDEN = [chr(code) for code in (*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0xFFFE, 0xFFFF)]
_FORBIDDEN_COLUMN = f"[{''.join(_FORBIDDEN)}]"
_FORBIDDEN_TEXT = re.compile(f"[{''.join(_FORBIDDEN)}\ud800-\udfff]")
_ID_ESCAPES = {character: f"\\u{ord(character):04X}" for character in _FORBIDDEN} | {"\\": "\\\\"}

# White space and invisible characters: spreadsheets skip some of them before they look for a formula. The
# full-width signs count as formula signs where the spreadsheet speaks Japanese.
_BLANK = "\x00-\x20\x7f-\xa0\xad\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff"
_SIGNS = "[=+\\-@\uff1d\uff0b\uff0d\uff20]"
# With the apostrophes that are there already, so that no two texts become one.
_FORMULA = f"\\A[{_BLANK}']*(?:{_SIGNS}|[\t\r\n])"
_FORMULA_TEXT = re.compile(_FORMULA)
# Who takes semicolons or tabs for what parts the cells sees no quotes but at a cell's beginning: there a text goes on
# in another cell, and after a line break in another row.
_CELL_WITHIN = f"([;\t\r\n][{_BLANK}\"']*)({_SIGNS})"
_CELL_WITHIN_TEXT = re.compile(_CELL_WITHIN)

# Invisible, though Unicode files them under letters and marks: fillers, joiners, variation selectors.
_INVISIBLE = frozenset(
    map(chr, (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), 0x2800, 0x3164, 0xFFA0))
) | frozenset(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))


def clean_xml(text: str, *, attribute: bool = False) -> str:
    """Drop the characters that XML 1.0 forbids: controls, lone surrogates, U+FFFE and U+FFFF.

    Markup is not escaped: that is the XML writer's part.

    Parameters
    ----------
    text
        Any text.
    attribute
        The text becomes an attribute's value: tabs and line breaks, which a parser would change there,
        become spaces.

    Returns
    -------
    The text without those characters.
    """
    cleaned = _FORBIDDEN_TEXT.sub("", text)
    return re.sub("[\t\r\n]", " ", cleaned) if attribute else cleaned


def clean_xml_column(column: pl.Series) -> pl.Series:
    """Drop the characters that XML 1.0 forbids from a `String` column, as `clean_xml` does."""
    return column.str.replace_all(_FORBIDDEN_COLUMN, "")


def xml_id(text: str) -> str:
    r"""Return an id that XML can hold; different ids stay different.

    An id is kept as it is unless it is empty, holds a character that XML 1.0 forbids, or holds `\u`. In such
    an id each backslash becomes `\\` and each forbidden character `\uXXXX` (its code point in four upper-case
    hexadecimal digits); the empty id becomes `\u`. Every rewritten id therefore holds `\u`, and no kept one
    does.

    Parameters
    ----------
    text
        Any id.

    Returns
    -------
    The id, never empty. Tabs and line breaks are kept: write them as character references.
    """
    if text and "\\u" not in text and not _FORBIDDEN_TEXT.search(text):
        return text
    escaped = _FORBIDDEN_TEXT.sub(lambda found: f"\\u{ord(found[0]):04X}", text.replace("\\", "\\\\"))
    return escaped or "\\u"


def xml_ids(column: pl.Series) -> pl.Series:
    """Return a `String` column of ids that XML can hold, each as `xml_id` gives it; nulls stay null."""
    unfit = (column == "") | column.str.contains("\\u", literal=True) | column.str.contains(_FORBIDDEN_COLUMN)
    if not unfit.any():
        return column
    escaped = column.str.replace_many(_ID_ESCAPES)
    escaped = escaped.set(column == "", "\\u")
    return escaped.zip_with(unfit.fill_null(False), column)


def clean_terminal(text: str, *, width: int | None = None) -> str:
    """Return text that stays within its cell of a terminal table.

    Control characters, the escape character and line breaks among them, show as their pictures (␛, ␊), so
    that a hostile name can neither colour the screen nor hide. What would be invisible or reorder the line is
    dropped: direction marks and overrides, zero-width characters, variation selectors, soft hyphens, tags.
    Rich's own markup (`[red]`) is not touched: print through `rich.text.Text` or `rich.markup.escape`.

    Parameters
    ----------
    text
        Any text.
    width
        Cut to this many display cells, the last of them an ellipsis; a CJK character or an emoji takes two.

    Returns
    -------
    One line of printable text, encodable as UTF-8.
    """
    shown = "".join(map(_shown, text))
    if width is None or cell_len(shown) <= width:
        return shown
    kept, cells = "", 1
    for character in shown:
        cells += cell_len(character)
        if cells > width:
            break
        kept += character
    return f"{kept}…" if width > 0 else ""


def _shown(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code < 0x7F:
        return character
    if code == 0x7F:
        return "␡"
    category = unicodedata.category(character)
    if category in ("Zl", "Zp"):
        return "␤"
    if category == "Cs":
        return "\ufffd"
    noncharacter = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
    return "" if category in ("Cc", "Cf") or noncharacter or character in _INVISIBLE else character


def clean_csv_cell(text: str) -> str:
    """Return text that no spreadsheet takes for a formula.

    A text that begins, after any white space, with `= + - @` (or their full-width forms), or with a tab or
    line break, gets a leading apostrophe: spreadsheets run such cells, and a name like `=HYPERLINK(...)` in
    a log is an attack on whoever opens the table. Within a text such a sign gets one after a semicolon, a tab or a
    line break, where another cell begins for a spreadsheet that parts cells by semicolons, as those of half of
    Europe do. Different texts stay different. Quoting is the CSV writer's part.
    """
    safe = _CELL_WITHIN_TEXT.sub(r"\1'\2", text)
    return f"'{safe}" if _FORMULA_TEXT.match(text) else safe


def csv_safe(frame: Frame) -> Frame:
    """Return a frame whose texts no spreadsheet takes for a formula.

    Parameters
    ----------
    frame
        Any frame, lazy or not.

    Returns
    -------
    The frame with each `String`, `Categorical` and `Enum` column as `clean_csv_cell` gives it, each `List` of
    those joined by `|` first; columns of other dtypes, numbers among them, are as they were.
    """
    return frame.with_columns(_safe(text).alias(name) for name, text in _texts(frame))


def _safe(text: pl.Expr) -> pl.Expr:
    within = text.str.replace_all(_CELL_WITHIN, "${1}'${2}")
    return pl.when(text.str.contains(_FORMULA)).then(pl.concat_str(pl.lit("'"), within)).otherwise(within)


def _texts(frame: pl.DataFrame | pl.LazyFrame) -> list[tuple[str, pl.Expr]]:
    """Return the columns of text or of lists of text, each with the expression of its one text a row."""
    text = (pl.String, pl.Categorical, pl.Enum)
    found = []
    for name, dtype in frame.collect_schema().items():
        if isinstance(dtype, pl.List) and isinstance(dtype.inner, text):
            found.append((name, pl.col(name).cast(pl.List(pl.String)).list.join("|")))
        elif isinstance(dtype, text):
            found.append((name, pl.col(name).cast(pl.String)))
    return found
