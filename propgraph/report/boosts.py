"""Who paid to boost what, in words: facts, with the innocent reading beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from propgraph.report.costs import money
from propgraph.words.said import Said, said, tell

_UNITS = ((86_400, "boosts.days"), (3_600, "boosts.hours"), (60, "boosts.minutes"), (1, "boosts.seconds"))


def boosts_headline(rows: Sequence[dict[str, Any]], /) -> str:
    """Return how much was boosted, by how many, and how much of it is adverts for the payer's own site."""
    objects = {(row["site"], row["object_id"]) for row in rows}
    payers = {row["payer"] for row in rows if row["payer"] not in (None, "yes")}
    own = {(row["site"], row["object_id"]) for row in rows if row["own"]}
    return tell(
        "boosts.headline",
        n=len(objects),
        n_payers=len(payers),
        own=said("boosts.by-itself", n=len(own)) if own else None,
    )


def boost_sentence(row: dict[str, Any], /) -> str:
    """Return who paid to boost what, how much, and what had been shared by then, by a row of `boosts`."""
    what = row["object_id"] or said("boosts.the-site", site=row["site"])
    who = said("boosts.somebody") if row["payer"] in (None, "yes") else row["payer"]
    own = said("boosts.own") if row["own"] else None
    facts = {"what": what, "who": who, "own": own, "spend": _spend(row)}
    if row["n_before"] is None:
        return tell("boosts.undated", **facts)
    by_then = None
    if row["p_value"] is not None:
        by_then = said(
            "boosts.by-then", part=row["by_then"], n=row["n_like"], expected=row["expected_by_then"]
        )
    many = row["cluster_ids"][:6] + (["..."] if len(row["cluster_ids"]) > 6 else [])
    return tell(
        "boosts.dated", **facts, lead=_lead(row), n_before=row["n_before"], n_after=row["n_after"], by_then=by_then,
        shared=said("boosts.shared-by", clusters=many) if many else None,
    )  # fmt: skip


def _spend(row: dict[str, Any]) -> Said | None:
    low, high, currency = row["spend_low"], row["spend_high"], row["currency"]
    if currency is None:
        return None
    if high is None:
        return said("boosts.or-more", money=money(low, low, currency))
    if low is None:
        return said("boosts.up-to", money=money(high, high, currency))
    return said("boosts.paid", money=money(low, high, currency))


def _lead(row: dict[str, Any]) -> Said:
    lead = row["lead_s"]
    if lead is None:
        return said("boosts.nobody-else")
    return said("boosts.after" if lead >= 0 else "boosts.before", span=_span(abs(lead)))


def _span(seconds: float) -> Said:
    """Return a time in the largest unit of which it is two or more."""
    size, unit = next((one for one in _UNITS if seconds >= 2 * one[0]), _UNITS[-1])
    return said(unit, n=float(seconds / size))
