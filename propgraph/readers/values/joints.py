"""What joins the words of one cell: a bar, a semicolon, a comma or a blank, each of which may be part of a word, too.

A link may hold any of them, so links are cut only where another link begins. A hashtag or a name holds neither bar nor
semicolon nor comma; some hashtags have a blank in them. Hashes of images hold none of all these, but some other marks
of images do.
"""

from __future__ import annotations

import re

import polars as pl

BARS = "|;,"
JOINTS = BARS + " "
# What a cell has to have in it to be more than one word, or to bear a mark.
ODD = r"[|;,\s#＃@＠]"
MARKS = {"hashtags": "#＃", "mentions": "@＠"}

_LINK = r"(?i:https?://|www\.)"
_HOST = r"(?:[\w-]+\.)+[A-Za-z]{2,}(?:[/?#|;,]|$)"
_HASH = r"[\w+/=:.-]{4,}"
_BLANK_AFTER_QUERY = r"^\s*\S*\?\S*\s"


def seems_to_part(cells: pl.Series, kind: str, joint: str, /) -> pl.Series:
    """Return which cells a joint seems to part into words.

    Parameters
    ----------
    cells
        Text without blanks around it.
    kind
        `urls`, `hashtags`, `mentions` or `images`.
    joint
        One of `JOINTS`.
    """
    bar = r"\s" if joint == " " else re.escape(joint)
    if kind in MARKS:
        return cells.str.contains(bar) & ~(cells.str.contains(f"[{BARS}]") if joint == " " else _none(cells))
    before = rf"[^{BARS}\s]" if joint == " " else ""
    links = cells.str.contains(rf"{before}{bar}\s*{_LINK}")
    bare = ~cells.str.contains("://", literal=True)
    if kind == "images":
        return links | (bare & cells.str.contains(rf"^{_HASH}(?:\s*{bar}\s*{_HASH})+$"))
    # Of links without a scheme a blank is told from one in a sentence by nothing.
    return links if joint == " " else links | (bare & cells.str.contains(rf"{bar}\s*{_HOST}"))


def _none(cells: pl.Series) -> pl.Series:
    return pl.repeat(False, len(cells), eager=True)


def split(cells: pl.Series, kind: str, joints: str, /) -> pl.Series:
    """Return cells as lists of the words between `joints`; `kind` is as above, or `url` where one link is expected."""
    cell = pl.col("cell")
    if kind in MARKS:
        cut = _split_tags(cell, kind, joints)
    elif kind == "images":
        cut = (
            pl.when(_has_scheme(cell)).then(_split_links(cell, joints)).otherwise(_split_hashes(cell, joints))
        )
    else:
        cut = _split_links(cell, joints, one=kind == "url")
    lists = cells.alias("cell").to_frame().select(cut.str.split("\n")).to_series()
    word = pl.element().str.strip_chars()
    return lists.list.eval(word.filter(word.str.len_bytes() > 0))


def _bars(joints: str) -> str:
    return "".join(re.escape(joint) for joint in joints if joint != " ")


def _has_scheme(cell: pl.Expr) -> pl.Expr:
    return cell.str.contains("://", literal=True)


def _split_tags(cell: pl.Expr, kind: str, joints: str) -> pl.Expr:
    # Not before each @: one name may be name@host.
    cell = cell.str.replace_all(r"([#＃])" if kind == "hashtags" else r"\s([@＠])", "\n$1")
    blanks = r"\s" if " " in joints else r"\n\r\t"
    return cell.str.replace_all(f"[{_bars(joints)}{blanks}]+", "\n")


def _split_hashes(cell: pl.Expr, joints: str) -> pl.Expr:
    return cell.str.replace_all(rf"[{_bars(joints)}\s]+", "\n")


def _split_links(cell: pl.Expr, joints: str, *, one: bool = False) -> pl.Expr:
    cut = cell
    if bars := _bars(joints):
        before_link = cell.str.replace_all(rf"[{bars}\s]*[{bars}]\s*({_LINK})", "\n$1")
        # Links without a scheme are cut at each bar.
        cut = pl.when(_has_scheme(cell)).then(before_link).otherwise(cell.str.replace_all(rf"[{bars}]", "\n"))
    words = cut.str.replace_all(rf"[{BARS}]*\s+[{BARS}]*|[{BARS}]+$", "\n")
    if " " in joints:
        return words
    # No blank parts links here, so that one in a query is part of it: ?q=two words.
    return cut if one else pl.when(cell.str.contains(_BLANK_AFTER_QUERY)).then(cut).otherwise(words)
