"""What stands out of accounts on their own, and of the whole log: no group, no flag."""

from __future__ import annotations

import polars as pl

from propgraph.report.explain.timeline import with_who
from propgraph.report.page.findings import Findings
from propgraph.report.page.markup import paragraphs, table
from propgraph.report.quotas import quota_sentence
from propgraph.report.words import reason, rule_name
from propgraph.words.said import tell

_MOST = 10


def alone(findings: Findings) -> str:
    """Return accounts that stand out by themselves, and counts at which objects stop; nothing where there are none."""
    return _accounts(findings) + _quotas(findings)


def _accounts(findings: Findings) -> str:
    rows = findings.study.scan("evidence").filter(subject_type="account")
    n = rows.select(pl.col("subject_id").n_unique()).collect().item()
    if not n:
        return ""
    heading, told = f"<h3>{tell('alone.heading')}</h3>", paragraphs((tell("alone.so-many", n=n),))
    if not findings.audience.accounts:
        return heading + told
    most = (
        rows.sort(["value", "subject_id"], descending=[True, False])
        .rename({"subject_id": "account_id"})
        .head(_MOST)
    )
    furthest = with_who(findings.study, most).collect()
    listed = pl.DataFrame(
        [(row["who"], rule_name(row["rule"]), reason(row)) for row in furthest.to_dicts()],
        schema=["who", "rule", "why"], orient="row",
    )  # fmt: skip
    return heading + told + table(
        listed, tell("alone.first-of", n=_MOST, n_all=n) if n > _MOST else tell("alone.heading")
    )  # fmt: skip


def _quotas(findings: Findings) -> str:
    if "quotas" not in findings.study.tables:
        return ""
    told = [quota_sentence(row) for row in findings.study.quotas.head(_MOST).to_dicts()]
    return f"<h3>{tell('alone.counts')}</h3>{paragraphs(findings.lines(told))}" if told else ""
