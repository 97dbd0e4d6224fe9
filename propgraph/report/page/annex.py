"""The tables behind the page: to sort, and to take along as CSV that no spreadsheet runs."""

from __future__ import annotations

from base64 import b64encode

import polars as pl

from propgraph.export.tables import render
from propgraph.report.page.findings import Findings
from propgraph.report.page.markup import folded, table

#: Tables that are there to take along, with what they are.
TABLES = {
    "clusters": "All groups, flagged or not", "campaigns": "Campaigns", "members": "Who is in which group",
    "evidence": "Every reason, with its posts", "readings": "Innocent readings", "sites": "All sites",
    "operators": "Sites that look like one hand’s", "recruiters": "Tokens in links", "costs": "What it would have cost",
    "stability": "Whether groups hold", "power": "Which crews would have been found",
}  # fmt: skip
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
    for name, what in TABLES.items():
        rows = findings.table(name)
        if rows is None or rows.is_empty() or (name == "members" and not findings.audience.accounts):
            continue
        if name == "clusters":
            rows = findings.cleared(findings.clusters)
        parts.append(_one(name, what, _in_order(rows)))
    return "".join(parts) or "<p>There is no table.</p>"


def _in_order(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows in an order of their own: the highest score first, else by their first columns."""
    if "score" in rows.columns:
        return rows.sort(["score", rows.columns[0]], descending=[True, False], nulls_last=True)
    if "cluster_id" in rows.columns and "degree" in rows.columns:
        return rows.sort(["cluster_id", "degree", "account_id"], descending=[False, True, False])
    return rows


def _one(name: str, what: str, rows: pl.DataFrame) -> str:
    content, n = _csv(rows)
    saved = "all rows" if n == rows.height else f"the first {n:,} of {rows.height:,} rows"
    link = (
        f'<p><a download="{name}.csv" href="data:text/csv;charset=utf-8;base64,{b64encode(content).decode()}">'
        f"Save {name}.csv</a> ({saved}, {len(content) / 1000:,.0f} kB)</p>"
    )
    wanted = [column for column in _SHOWN.get(name, rows.columns) if column in rows.columns][:_COLUMNS]
    seen = rows.head(_SEEN).select(wanted)
    caption = what if rows.height <= _SEEN else f"{what}: the first {_SEEN} of {rows.height:,}"
    return folded(f"{what} ({rows.height:,})", link + table(seen, caption))


def _csv(rows: pl.DataFrame) -> tuple[bytes, int]:
    """Return rows as CSV, as many as there is room for."""
    content, n = render(rows, "csv"), rows.height
    while len(content) > _BYTES and n > 1:
        n = max(1, min(n - 1, int(n * _BYTES / len(content) * 0.95)))
        content = render(rows.head(n), "csv")
    return content, n
