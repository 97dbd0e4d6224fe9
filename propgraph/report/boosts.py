"""Who paid to boost what, in words: facts, with the innocent reading beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from propgraph.report.costs import money

_UNITS = ((86_400, "days"), (3_600, "hours"), (60, "minutes"), (1, "seconds"))


def boosts_headline(rows: Sequence[dict[str, Any]], /) -> str:
    """Return how much was boosted, by how many, and how much of it is adverts for the payer's own site."""
    objects = {(row["site"], row["object_id"]) for row in rows}
    payers = {row["payer"] for row in rows if row["payer"] not in (None, "yes")}
    own = {(row["site"], row["object_id"]) for row in rows if row["own"]}
    text = f"Boosted: {len(objects):,} of the URLs and sites, by {len(payers):,} named "
    text += "payer" if len(payers) == 1 else "payers"
    return text + (f" ({len(own):,} by an outlet or a shop for itself)" if own else "")


def boost_sentence(row: dict[str, Any], /) -> str:
    """Return who paid to boost what, how much, and what had been shared by then, by a row of `boosts`."""
    what = row["object_id"] or f"the site {row['site']}"
    who = "somebody" if row["payer"] in (None, "yes") else row["payer"]
    text = f"{what}: {who} paid"
    if row["own"]:
        text += " for an advert of its own"
    text += _spend(row)
    if row["n_before"] is None:
        return text + "; when is not known"
    text += _lead(row) + f"; {row['n_before']:,} organic shares before, {row['n_after']:,} after"
    if row["p_value"] is not None:
        text += (
            f" ({row['by_then']:.0%} by then, where {row['n_like']:,} like URLs of the site have "
            f"{row['expected_by_then']:.0%} at that age)"
        )
    if row["cluster_ids"]:
        text += (
            "; shared by "
            + ", ".join(row["cluster_ids"][:6])
            + (", ..." if len(row["cluster_ids"]) > 6 else "")
        )
    return text


def _spend(row: dict[str, Any]) -> str:
    low, high, currency = row["spend_low"], row["spend_high"], row["currency"]
    if currency is None:
        return ""
    if high is None:
        return f" {money(low, low, currency)} or more"
    return (
        f" {money(high if low is None else low, high, currency)}"
        if low is not None
        else f" up to {money(high, high, currency)}"
    )


def _lead(row: dict[str, Any]) -> str:
    lead = row["lead_s"]
    if lead is None:
        return ", and nobody else shared it"
    return f", {_span(abs(lead))} {'after' if lead >= 0 else 'before'} its first organic share"


def _span(seconds: float) -> str:
    """Return a time in the largest unit of which it is two or more."""
    size, unit = next((one for one in _UNITS if seconds >= 2 * one[0]), _UNITS[-1])
    return f"{seconds / size:,.0f} {unit}"
