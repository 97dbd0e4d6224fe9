"""Sites that were pushed, why, and which of them look like one hand's."""

from __future__ import annotations

from typing import Any

import polars as pl

from propgraph.report.boosts import boost_sentence, boosts_headline
from propgraph.report.explain.readings import innocent_readings
from propgraph.report.page.findings import Findings
from propgraph.report.page.markup import folded, items, paragraphs, shown, table
from propgraph.report.page.minute import reasons
from propgraph.report.words import rule_names, with_reason
from propgraph.words.said import named, tell

_MOST, _REASONS, _BOOSTS = 100, 40, 10


def sites(findings: Findings) -> str:
    """Return the flagged sites as a table, why each is flagged, and the operators."""
    seeded = findings.seeded
    if seeded.is_empty():
        return f"<p>{shown(tell('places.none'))}</p>" + _operators(findings) + _boosts(findings)
    shown_rows = seeded.head(_MOST)
    parts = [
        paragraphs((tell("places.columns"),)),
        table(_rows(findings, shown_rows), _caption(shown_rows.height, seeded.height)),
        *(_why(findings, row) for row in shown_rows.head(_REASONS).to_dicts()),
    ]  # fmt: skip
    return "".join(parts) + _operators(findings) + _boosts(findings)


def _caption(n: int, of: int) -> str:
    return tell("places.flagged") if n == of else tell("places.highest", n=n, n_all=of)


def _rows(findings: Findings, rows: pl.DataFrame) -> pl.DataFrame:
    seen = findings.clusters["cluster_id"].implode()
    per_cent = {name: (pl.col(column) * 100).round(0) for name, column in _PARTS.items()}
    return rows.select(
        "site", "score", links="n_urls", shares="n_shares", accounts="n_accounts",
        first=pl.col("first_seen").dt.date().cast(pl.String), **per_cent,
        most_by=pl.when(pl.col("top_cluster_id").is_in(seen)).then("top_cluster_id"),
        reasons=rule_names(rows["flags"]),
    )  # fmt: skip


_PARTS = {"early_percent": "early_share", "all_percent": "coordinated_share"}


def _why(findings: Findings, row: dict[str, Any]) -> str:
    """Return the reasons of one site, and the innocent readings that fit it."""
    name = row["site"]
    told = list(map(with_reason, reasons(findings, "site", name).to_dicts()))
    fits = innocent_readings(findings.study, "site", name)
    lines = findings.lines((*told, *_also(fits.lines)))
    return folded(tell("places.why", site=name), paragraphs(lines))


def _also(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Say before the innocent readings what they are; that there is none says so itself."""
    return lines if len(lines) == 1 else (tell("places.also-fits", reading=lines[0]), *lines[1:])


def _operators(findings: Findings) -> str:
    """Return groups of sites that look as if one hand pushed or ran them."""
    if "operators" not in findings.study.tables:
        return ""
    rows = findings.study.operators
    if rows.is_empty():
        return ""
    listed = rows.head(_MOST).select(
        "operator_id", "n_sites", "n_accounts", "n_shares", ties=pl.col("evidence").list.join(", "),
        declared_owner=pl.col("declared_owner"), sites=pl.col("sites").list.head(30).list.join(", "),
    )  # fmt: skip
    told = paragraphs((tell("places.operators-are"),))
    heading = f"<h3>{shown(named('annex', 'operators'))}</h3>"
    return heading + told + table(findings.cleared(listed), tell("places.operators"))


def _boosts(findings: Findings) -> str:
    """Say what was paid for, those of others than the site itself first, and of these what flagged groups shared."""
    if "boosts" not in findings.study.tables or findings.study.boosts.is_empty():
        return ""
    boosts = findings.study.boosts
    told = [boosts_headline(boosts.to_dicts())]
    if findings.audience.accounts:  # a payer may be a person
        order = boosts.with_columns(crews=pl.col("cluster_ids").list.len()).sort(
            ["own", "crews", "site", "object_id", "ad_id"], descending=[False, True, False, False, False]
        )
        told += [boost_sentence(row) for row in order.head(_BOOSTS).to_dicts()]
        if boosts.height > _BOOSTS:
            told.append(tell("places.more-boosts", n=boosts.height - _BOOSTS))
    return f"<h3>{shown(tell('places.boosts'))}</h3>{items(findings.lines(told))}"
