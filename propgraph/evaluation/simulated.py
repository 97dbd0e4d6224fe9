"""What came out held against the truth that a simulator knows."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Comparison:
    """How well flags meet a known truth.

    Attributes
    ----------
    precision, recall
        Of flagged accounts, 0..1, and 0 of none; recall over the organised accounts that the log shows.
    flagged_by_role
        `role`, `accounts` (in the log), `flagged`.
    sites_precision, sites_recall
        Of flagged sites against farm sites, 0..1.
    lowest_farm_score, highest_other_score
        The farms stand above all other sites when the first is the larger.
    """

    precision: float
    recall: float
    flagged_by_role: pl.DataFrame
    sites_precision: float
    sites_recall: float
    lowest_farm_score: float
    highest_other_score: float


def compare(
    accounts: pl.DataFrame,
    flagged: pl.DataFrame,
    sites: pl.DataFrame,
    /,
    *,
    truth_accounts: pl.DataFrame,
    truth_sites: pl.DataFrame,
) -> Comparison:
    """Hold flagged accounts and sites against the truth.

    Parameters
    ----------
    accounts
        `account_id` of all accounts in the log.
    flagged
        `account_id` of the members of flagged clusters.
    sites
        `site`, `score`, `flagged`.
    truth_accounts
        `account_id`, `role`, `organised` (Boolean).
    truth_sites
        `site`, `role` (`farm` for those of the campaign).
    """
    seen = (
        accounts.select("account_id")
        .join(truth_accounts, on="account_id")
        .with_columns(flagged=pl.col("account_id").is_in(flagged["account_id"].to_list()))
    )
    hits = seen.filter("flagged", "organised").height
    by_role = seen.group_by("role").agg(accounts=pl.len(), flagged=pl.col("flagged").sum()).sort("role")
    judged = sites.join(truth_sites, on="site", how="left").with_columns(
        farm=(pl.col("role") == "farm").fill_null(False)
    )
    farms, others = judged.filter("farm"), judged.filter(~pl.col("farm"))
    found = farms.filter("flagged").height
    return Comparison(
        precision=_ratio(hits, seen.filter("flagged").height),
        recall=_ratio(hits, seen.filter("organised").height),
        flagged_by_role=by_role,
        sites_precision=_ratio(found, judged.filter("flagged").height),
        sites_recall=_ratio(found, farms.height),
        lowest_farm_score=_number(farms["score"].min()),
        highest_other_score=_number(others["score"].max()),
    )


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
