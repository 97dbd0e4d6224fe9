"""Groups of sites explained: what ties them, the sites, the surest pairs, and who shares them first."""

from __future__ import annotations

from typing import Any

import polars as pl

from propgraph.report.document import Document, Part
from propgraph.report.explain.people import unknown
from propgraph.report.explain.reasons import reason_part
from propgraph.report.explain.timeline import with_who
from propgraph.report.operators import operator_lines
from propgraph.study import Study
from propgraph.words.said import tell

_SITES, _PAIRS, _SEEDERS = 30, 10, 25


def explain_operator(study: Study, operator_id: str, /, *, rule: str | None, posts: int) -> Document:
    """Return what there is to say about one group of sites that look as if one hand pushed or ran them."""
    row = study.scan("operators").filter(operator_id=operator_id).collect().row(0, named=True)
    evidence = study.scan("evidence").filter(subject_type="operator", subject_id=operator_id).collect()
    reasons = [reason_part(study, one, posts) for one in evidence.to_dicts() if rule in (None, one["rule"])]
    first, *lines = operator_lines(row)
    lines.append(tell("operators.no-owner"))
    parts = (
        Part(tell("explain.short"), tuple(lines), name="short"), *reasons, _sites(study, row),
        *_pairs(study, operator_id), *_seeders(study, row), unknown(),
    )  # fmt: skip
    return Document("operator", operator_id, first, parts)


def _sites(study: Study, row: dict[str, Any]) -> Part:
    order = pl.DataFrame({"site": row["sites"][:_SITES]}).lazy()
    columns = ("site", "score", "flagged", "n_urls", "n_shares", "n_accounts", "first_seen", "last_seen")
    table = order.join(study.scan("sites"), on="site", how="left", maintain_order="left").select(columns)
    n, n_all = min(_SITES, row["n_sites"]), row["n_sites"]
    lines = (tell("operators.first-sites", n=n, n_all=n_all),) if n < n_all else ()
    return Part(tell("operators.sites"), lines, table.collect(), "sites")


def _pairs(study: Study, operator_id: str) -> list[Part]:
    """Show the surest pairs of its sites."""
    rows = study.scan("site_pairs").filter(operator_id=operator_id)
    surest = rows.sort("p_value", "source", "target", nulls_last=True).head(_PAIRS)
    table = surest.select(
        one="source", other="target", n_first_sharers="n_first_sharers", expected="expected",
        expected_order="expected_order", shared_facts=pl.col("shared_facts").list.join(", "),
    ).collect()  # fmt: skip
    return (
        [Part(tell("operators.pairs"), (tell("operators.pairs-columns"),), table, "pairs")]
        if table.height
        else []
    )


def _seeders(study: Study, row: dict[str, Any]) -> list[Part]:
    """Show who shares its sites first, and in which cluster they are."""
    if not row["seeders"]:
        return []
    seeders = pl.LazyFrame({"account_id": row["seeders"][:_SEEDERS]})
    clusters = study.scan("members").select("account_id", "cluster_id").unique("account_id", keep="first")
    of = with_who(study, seeders.join(clusters, on="account_id", how="left", maintain_order="left"))
    table = of.select("who", cluster="cluster_id").collect()
    lines = (tell("operators.first-seeders", n=table.height, n_all=row["n_seeders"]),)
    return [Part(tell("operators.seeders"), lines, table, "seeders")]
