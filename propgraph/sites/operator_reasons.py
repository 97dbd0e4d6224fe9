"""Evidence about operators: what ties the sites of a group to each other, and the posts that show it."""

from __future__ import annotations

from typing import Any

import polars as pl

from propgraph.schema import EVIDENCE
from propgraph.sites.operators import MIN_SITES, Operators
from propgraph.sites.pairs import Q
from propgraph.sites.rules import ONE_OPERATOR
from propgraph.words.said import said

SHARED_FACTS = "shared-facts"
_POSTS = 24


def operator_reasons(found: Operators, of_sites: pl.DataFrame, /) -> pl.DataFrame:
    """Return `schema.EVIDENCE` of groups of sites.

    `one-operator`: so many pairs of its sites are shared first by the same accounts at a false discovery rate of 5 %,
    of which chance would give a twentieth; two such pairs tie three sites. `shared-facts`: so many pairs of its sites
    share a rare fact of the user's tables.

    Parameters
    ----------
    found
        The operators and the pairs of sites.
    of_sites
        `schema.EVIDENCE` of sites, whose posts show what ties them.
    """
    posts = dict(of_sites.filter(rule=ONE_OPERATOR).select("subject_id", "content_ids").iter_rows())
    facts = (
        found.pairs.filter(pl.col("shared_facts").list.len() > 0)
        .group_by("operator_id")
        .agg(n_tied=pl.len(), facts=pl.col("shared_facts").explode().unique().sort())
    )
    rows = found.operators.join(facts, on="operator_id", how="left", maintain_order="left").to_dicts()
    told = [_first_sharers(row, posts) for row in rows if row["n_pairs"] >= MIN_SITES - 1]
    told += [_facts(row) for row in rows if row["n_tied"]]
    return EVIDENCE.conform(pl.DataFrame(told, schema=EVIDENCE.dtypes))


def _first_sharers(row: dict[str, Any], posts: dict[str, list[str]]) -> dict[str, Any]:
    by_chance = Q * row["n_pairs"]
    told = said(
        "rules.sites-shared-first", n=row["n_pairs"], n_sites=row["n_sites"], n_seeders=row["n_seeders"],
        by_chance=float(by_chance), part=row["seeder_share"], n_urls=row["n_urls"],
    )  # fmt: skip
    # Post by post of each site in turn, for many sites are to be seen.
    turns = zip(*(_filled(posts.get(site, [])) for site in row["sites"]), strict=True)
    ids = list(dict.fromkeys(one for turn in turns for one in turn if one is not None))[:_POSTS]
    shown = {"rule": ONE_OPERATOR, "value": float(row["n_pairs"]), "threshold": float(MIN_SITES - 1)}
    return (
        _row(row)
        | shown
        | {"expected": by_chance, "content_ids": ids, "n_shown": len(ids)}
        | told.as_columns()
    )


def _filled(ids: list[str]) -> list[str | None]:
    """Return as many ids of each site, None where it has no more."""
    return [*ids[:_POSTS], *[None] * (_POSTS - len(ids))]


def _facts(row: dict[str, Any]) -> dict[str, Any]:
    kinds = sorted({fact.partition("=")[0] for fact in row["facts"]})
    told = said("rules.shared-facts", n=row["n_tied"], n_sites=row["n_sites"], facts=kinds)
    shown = {
        "rule": SHARED_FACTS,
        "value": float(row["n_tied"]),
        "threshold": 1.0,
        "content_ids": [],
        "n_shown": 0,
    }
    return _row(row) | shown | told.as_columns()


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "subject_type": "operator", "subject_id": row["operator_id"], "expected": None, "counted": "posts",
        "n_all": None,
    }  # fmt: skip
