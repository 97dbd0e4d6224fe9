"""What stands out of accounts on their own, and of the whole log: no group, no flag."""

from __future__ import annotations

import polars as pl

from propgraph.report.explain.timeline import named
from propgraph.report.page.findings import Findings
from propgraph.report.page.markup import paragraphs, table
from propgraph.report.quotas import quota_sentence

_MOST = 10


def alone(findings: Findings) -> str:
    """Return accounts that stand out by themselves, and counts at which objects stop; nothing where there are none."""
    return _accounts(findings) + _quotas(findings)


def _accounts(findings: Findings) -> str:
    rows = findings.study.scan("evidence").filter(subject_type="account")
    n = rows.select(pl.col("subject_id").n_unique()).collect().item()
    if not n:
        return ""
    one = n == 1
    said = (
        f"{n:,} {'account stands' if one else 'accounts stand'} out by {'itself' if one else 'themselves'}: what one "
        "account does alone is no campaign, and a tool, a zealot or an outlet's own page may look the same.",
    )
    if not findings.audience.accounts:
        return f"<h3>Accounts on their own</h3>{paragraphs(said)}"
    most = (
        rows.sort(["value", "subject_id"], descending=[True, False])
        .rename({"subject_id": "account_id"})
        .head(_MOST)
    )
    listed = named(findings.study, most).select("who", "rule", why="sentence").collect()
    return f"<h3>Accounts on their own</h3>{paragraphs(said)}" + table(
        listed,
        "Accounts on their own" + (f": {_MOST} of {n:,}, those furthest out first" if n > _MOST else ""),
    )


def _quotas(findings: Findings) -> str:
    if "quotas" not in findings.study.tables:
        return ""
    told = [quota_sentence(row) for row in findings.study.quotas.head(_MOST).to_dicts()]
    return f"<h3>Counts at which things stop</h3>{paragraphs(findings.lines(told))}" if told else ""
