"""The tables behind the page: to sort, and to take along as CSV that no spreadsheet runs."""

from __future__ import annotations

from base64 import b64encode

import polars as pl

from propgraph.export.tables import render
from propgraph.report.page.findings import Findings
from propgraph.report.page.markup import folded, table
from propgraph.report.words import renamed, rule_names
from propgraph.words.said import named, retold, tell

#: Tables that are there to take along; what they are stands in the files of sentences.
TABLES = (
    "clusters", "campaigns", "members", "evidence", "readings", "sites", "operators", "recruiters", "costs",
    "stability", "power",
)  # fmt: skip
#: Columns with sentences, and those with the facts that these are told from.
_TOLD = (("sentence", "said"), ("speaks_for", "said_for"), ("speaks_against", "said_against"))
_RULES = ("rule", "reading")
_BYTES = 400_000  # of one table as CSV
_SEEN, _COLUMNS = 60, 9
#: Columns that a person looks at; the rest is in the CSV.
_SHOWN = {
    "clusters": ("cluster_id", "score", "flagged", "n_accounts", "n_objects", "first_time", "last_time", "flags"),
    "members": ("account_id", "cluster_id", "degree", "n_shares", "n_co_shares", "created_at", "evidence"),
    "sites": ("site", "score", "flagged", "n_shares", "n_accounts", "n_urls", "early_share", "flags"),
    "evidence": ("subject_id", "rule", "value", "threshold", "expected", "sentence"),
}  # fmt: skip


def annex(findings: Findings) -> str:
    """Return each table with a link that saves it as CSV."""
    parts = []
    for name in TABLES:
        rows = _of(findings, name)
        if rows is None or rows.is_empty() or (name == "members" and not findings.audience.accounts):
            continue
        if name == "clusters":
            rows = findings.cleared(findings.clusters)
        parts.append(_one(name, named("annex", name), _in_order(rows)))
    return "".join(parts) or f"<p>{tell('page.no-table')}</p>"


def _told(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows with their sentences in the reader's language, and rules as they are called in it."""
    for sentence, kept in _TOLD:
        if sentence in rows.columns and kept in rows.columns:
            told = [retold(*row) for row in rows.select(sentence, kept).rows()]
            rows = rows.with_columns(pl.Series(sentence, told, dtype=pl.String)).drop(kept)
    return rows


def _of(findings: Findings, name: str) -> pl.DataFrame | None:
    """Return a table in the reader's language, as the readers may see it."""
    if name not in findings.study.tables:
        return None
    return findings.cleared(_told(getattr(findings.study, name)))


def _in_order(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows in an order of their own: the highest score first, else by their first columns."""
    if "score" in rows.columns:
        return rows.sort(["score", rows.columns[0]], descending=[True, False], nulls_last=True)
    if "cluster_id" in rows.columns and "degree" in rows.columns:
        return rows.sort(["cluster_id", "degree", "account_id"], descending=[False, True, False])
    return rows


def _one(name: str, what: str, rows: pl.DataFrame) -> str:
    content, n = _csv(rows)
    saved = tell("page.all-rows") if n == rows.height else tell("page.first-rows", n=n, n_all=rows.height)
    link = (
        f'<p><a download="{name}.csv" href="data:text/csv;charset=utf-8;base64,{b64encode(content).decode()}">'
        f"{tell('page.save', file=f'{name}.csv')}</a> ({saved}, {tell('page.size', n=len(content) / 1000)})</p>"
    )
    wanted = [column for column in _SHOWN.get(name, rows.columns) if column in rows.columns][:_COLUMNS]
    seen = rows.head(_SEEN).select(wanted)
    seen = seen.with_columns(*_named_rules(seen))
    n_all = rows.height
    caption = what if n_all <= _SEEN else tell("page.first-of-table", what=what, n=_SEEN, n_all=n_all)
    return folded(tell("page.with-count", what=what, n=n_all), link + table(seen, caption))


def _named_rules(rows: pl.DataFrame) -> list[pl.Series]:
    """Call rules and readings as the reader's language does; data keep their names."""
    one = [renamed(rows[name], "rule") for name in _RULES if name in rows.columns]
    return one + [rule_names(rows[name]) for name in ("flags", "innocent") if name in rows.columns]


def _csv(rows: pl.DataFrame) -> tuple[bytes, int]:
    """Return rows as CSV, as many as there is room for."""
    content, n = render(rows, "csv"), rows.height
    while len(content) > _BYTES and n > 1:
        n = max(1, min(n - 1, int(n * _BYTES / len(content) * 0.95)))
        content = render(rows.head(n), "csv")
    return content, n
