"""Markup of the page: every text escaped, every address defanged, tables with captions and scopes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from html import escape

import polars as pl

from propgraph.export.text import clean_terminal
from propgraph.report.document import cell, label
from propgraph.words.said import ENGLISH, language

_SCHEME = re.compile(r"\bh(tt|xx)p(s?)://", re.IGNORECASE)
#: A host: labels joined by dots, the last of letters (or an internationalised one).
HOST = re.compile(r"(?<![\w.@])(?:[\w-]+\.)+(?:xn--[\w-]+|[^\W\d_]{2,})(?![\w])")
#: Names of files, not of hosts: no domain ends so.
_FILE = re.compile(r"\.(?:csv|tsv|json|ndjson|jsonl|parquet|gz|zst|xlsx|graphml|gexf)$", re.IGNORECASE)
_CODE = re.compile(r"(`[^`\n]{1,300}`)")


def defanged(text: str, /) -> str:
    """Return a text whose addresses nobody opens by mistake: `hxxps://news[.]example/page`."""
    text = _SCHEME.sub(lambda found: f"hxxp{found[2].lower()}://", text)
    return HOST.sub(lambda found: found[0] if _FILE.search(found[0]) else found[0].replace(".", "[.]"), text)


def shown(text: str, /) -> str:
    """Return a text of the log as markup: invisible characters gone, addresses defanged, everything escaped."""
    return escape(defanged(clean_terminal(text)))


def prose(text: str, /) -> str:
    """Return a sentence as markup: what stands between backquotes as code, the rest as `shown` gives it."""
    parts = _CODE.split(text)
    return "".join(
        f"<code>{escape(clean_terminal(part[1:-1]))}</code>" if k % 2 else shown(part)
        for k, part in enumerate(parts)
    )


def paragraphs(lines: Iterable[str], /) -> str:
    """Return sentences, one a paragraph."""
    return "".join(f"<p>{prose(line)}</p>" for line in lines)


def items(lines: Iterable[str], /) -> str:
    """Return sentences as a list; nothing for none."""
    inside = "".join(f"<li>{prose(line)}</li>" for line in lines)
    return f"<ul>{inside}</ul>" if inside else ""


def terms(pairs: Iterable[tuple[str, str]], /) -> str:
    """Return names and values, or words and what they mean, as a list of terms."""
    inside = "".join(f"<div><dt>{shown(name)}</dt><dd>{prose(value)}</dd></div>" for name, value in pairs)
    return f"<dl>{inside}</dl>"


def table(frame: pl.DataFrame, caption: str, /) -> str:
    """Return rows with a caption; the first column names each row. Nothing for no rows.

    Parameters
    ----------
    frame
        The rows, in their order; numbers stand to the right.
    caption
        What they are.
    """
    if frame.is_empty():
        return ""
    numeric = [dtype.is_numeric() for dtype in frame.dtypes]
    head = "".join(
        f'<th scope="col"{_class(number)}>{shown(label(name).replace("_", " "))}</th>'
        for name, number in zip(frame.columns, numeric, strict=True)
    )
    rows = "".join(_row(row, numeric) for row in frame.rows())
    told = shown(caption)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{told}"><table><caption>{told}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _row(values: Sequence[object], numeric: Sequence[bool]) -> str:
    first, *rest = (
        (shown(cell(value)), _class(number) + _sorted_by(value))
        for value, number in zip(values, numeric, strict=True)
    )
    cells = "".join(f"<td{kind}>{text}</td>" for text, kind in rest)
    return f'<tr><th scope="row"{first[1]}>{first[0]}</th>{cells}</tr>'


def _class(number: bool) -> str:
    return ' class="n"' if number else ""


def _sorted_by(value: object) -> str:
    """Return what a number or time sorts by where it is written as no script reads it."""
    if language() == ENGLISH or isinstance(value, bool) or not isinstance(value, (int, float, date)):
        return ""
    return f' data-sort="{value}"'


def folded(summary: str, inside: str, /, *, open: bool = False) -> str:
    """Return what opens at a click; print opens it, too."""
    return f"<details{' open' if open else ''}><summary>{prose(summary)}</summary>{inside}</details>"
