"""What a person reads about one thing: a title and parts, whatever they are written as."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from html import escape
from textwrap import wrap
from typing import Any

import polars as pl

from propgraph.export.text import clean_terminal
from propgraph.words.said import formatted, language, named, read_in


@dataclass(frozen=True)
class Part:
    """One part of a document.

    Attributes
    ----------
    heading
        In a few words.
    lines
        Sentences, one a paragraph.
    table
        Rows shown below them, in their order; None for none.
    name
        Which part it is, whatever the language: a rule, `short`, `readings`, `weighed`, `unknown`, ...
    """

    heading: str
    lines: tuple[str, ...] = ()
    table: pl.DataFrame | None = None
    name: str = ""


@dataclass(frozen=True, repr=False)
class Document:
    """What there is to say about one thing.

    Attributes
    ----------
    kind, subject
        What it is about: `account`, `pair`, `cluster`, `campaign`, `operator`, `site` or `post`, and its id.
    title
        In one line.
    parts
        In the order in which they are read.
    language
        In which they are told, and numbers and times are written.
    """

    kind: str
    subject: str
    title: str
    parts: tuple[Part, ...] = field(default=())
    language: str = field(default_factory=language)

    def as_record(self) -> dict[str, Any]:
        """Return the same as plain values for JSON."""
        return {
            "kind": self.kind,
            "subject": self.subject,
            "title": self.title,
            "parts": [
                {
                    "heading": part.heading,
                    "name": part.name,
                    "lines": list(part.lines),
                    "rows": _plain_rows(part.table),
                }
                for part in self.parts
            ],
        }

    def as_markdown(self) -> str:
        """Return the same as Markdown; what names and texts contain stands as it is."""
        blocks = [f"# {_md(self.title)}"]
        with read_in(self.language):
            for part in self.parts:
                blocks.append(f"## {_md(part.heading)}")
                blocks += [_md(line) for line in part.lines]
                if part.table is not None and part.table.height:
                    blocks.append(_md_table(part.table))
        return "\n\n".join(blocks) + "\n"

    def as_html(self) -> str:
        """Return the same as a page by itself: no request, no script, no live link."""
        return _PAGE.format(language=self.language, title=escape(self.title), body=self._body(1))

    def _body(self, level: int) -> str:
        """Return the document as HTML without a page around it, its title a heading of this level."""
        body = [f"<h{level}>{escape(self.title)}</h{level}>"]
        with read_in(self.language):
            for part in self.parts:
                body.append(f"<h{level + 1}>{escape(part.heading)}</h{level + 1}>")
                body += [f"<p>{escape(line)}</p>" for line in part.lines]
                if part.table is not None and part.table.height:
                    body.append(html_table(part.table))
        return "\n".join(body)

    def __repr__(self) -> str:
        lines = [clean_terminal(self.title)]
        for part in self.parts:
            lines += ["", clean_terminal(part.heading)]
            for told in part.lines:
                lines += wrap(clean_terminal(told), _WIDTH, initial_indent="  ", subsequent_indent="    ")
            if part.table is not None and part.table.height:
                with pl.Config(
                    tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True, tbl_width_chars=_WIDTH
                ):
                    lines += map(clean_terminal, str(part.table).splitlines())
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return f'<div style="max-width:70rem;overflow-wrap:anywhere">{self._body(3)}</div>'

    def _repr_markdown_(self) -> str:
        return self.as_markdown()


_PAGE = """<!DOCTYPE html>
<html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }}
body {{ max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }}
table {{ border-collapse: collapse; font-size: .85rem; }}
th, td {{ text-align: left; vertical-align: top; padding: .2rem .7rem .2rem 0; border-bottom: 1px solid #8886; }}
td {{ overflow-wrap: anywhere; }}
</style></head><body>
{body}
</body></html>
"""

_WIDTH = 100


def cell(value: Any, /) -> str:
    """Return a value of a table as people read it, in the reader's language."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return named("answer", "yes" if value else "no")
    if isinstance(value, date):
        return formatted(value, "second" if isinstance(value, datetime) else "date")
    if isinstance(value, (int, float)):
        return formatted(value, "n" if float(value).is_integer() else "n2")
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def label(column: str, /) -> str:
    """Return what the reader's language calls a column of a table; its name where it has no word for it."""
    return named("column", column)


def _plain_rows(table: pl.DataFrame | None) -> list[dict[str, Any]]:
    if table is None:
        return []
    return [
        {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()}
        for row in table.to_dicts()
    ]


def _md(text: str) -> str:
    """Return a text in which Markdown finds no markup and no HTML."""
    text = " ".join(text.split())
    for character in "\\`*_{}[]<>#|":
        text = text.replace(character, "\\" + character)
    return text


def _md_label(column: str) -> str:
    """Return a column's label; an underscore within a word is no markup, and names are to be found as they are."""
    return re.sub(r"(?<=[^\W_])\\_(?=[^\W_])", "_", _md(label(column)))


def _md_table(table: pl.DataFrame) -> str:
    rows = [
        [_md_label(name) for name in table.columns],
        ["---"] * table.width,
        *([_md(cell(value)) for value in row] for row in table.rows()),
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def html_table(table: pl.DataFrame, /) -> str:
    """Return a table as HTML, everything escaped."""
    head = "".join(f'<th scope="col">{escape(label(name))}</th>' for name in table.columns)
    rows = (
        "<tr>" + "".join(f"<td>{escape(cell(value))}</td>" for value in row) + "</tr>" for row in table.rows()
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
