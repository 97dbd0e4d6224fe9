"""What flagged clusters and campaigns would have cost, in words: always a range, always called hypothetical."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from propgraph.words.said import formatted, said, tell

_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£"}


def cost_sentence(rows: Sequence[dict[str, Any]], /) -> str | None:
    """Return what one cluster or campaign would have cost, if it was paid; None where no price is known.

    Parameters
    ----------
    rows
        Its rows of `costs`.
    """
    tasks = _of_item(rows, "tasks")
    parts = [_either(tasks)] if tasks else []
    for item, noun in (("profiles", "costs.profiles"), ("relays", "costs.relays")):
        if of := _of_item(rows, item):
            parts.append(tell("costs.item", many=said(noun, **_many(of[0])), money=_either(of)))
    if of := _of_item(rows, "influencers"):
        parts.append(tell("costs.influencer", money=_either(of)))
    paid = said("costs.posts", **_many(tasks[0])) if tasks else said("costs.this")
    return tell("costs.paid", paid=paid, parts=parts) if parts else None


def money(low: float, high: float, currency: str, /) -> str:
    """Return a range of money, with its currency: cents below ten, whole units above."""
    first, last = _amount(low), _amount(high)
    sign = _SIGNS.get(currency, currency)
    if first == last:
        return tell("costs.money", amount=first, sign=sign)
    return tell("costs.range", low=first, high=last, sign=sign)


def _amount(value: float) -> str:
    if 0 < value < 0.005:
        return tell("costs.under", amount=0.01)
    return formatted(float(value), "n2" if value < 9.995 else "n")


def _of_item(rows: Sequence[dict[str, Any]], item: str) -> list[dict[str, Any]]:
    """Return the rows of one item, one a currency."""
    return [row for row in rows if row["item"] == item]


def _either(rows: Sequence[dict[str, Any]]) -> str:
    return tell("costs.either", amounts=[money(row["low"], row["high"], row["currency"]) for row in rows])


def _many(row: dict[str, Any]) -> dict[str, Any]:
    low, high = row["n_low"], row["n_high"]
    many = said("words.count", n=high) if low == high else said("costs.so-many", low=low, high=high)
    return {"many": many, "n": high}
