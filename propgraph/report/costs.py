"""What flagged clusters and campaigns would have cost, in words: always a range, always called hypothetical."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£"}
_HYPOTHETICAL = "(hypothetical; nothing in the log says so)"


def cost_sentence(rows: Sequence[dict[str, Any]], /) -> str | None:
    """Return what one cluster or campaign would have cost, if it was paid; None where no price is known.

    Parameters
    ----------
    rows
        Its rows of `costs`.
    """
    tasks = _of_item(rows, "tasks")
    paid = f"each of the {_many(tasks[0], 'post')}" if tasks else "this"
    parts = [_either(tasks)] if tasks else []
    for item, noun in (("profiles", "profile"), ("relays", "relays' post")):
        if of := _of_item(rows, item):
            parts.append(f"{_many(of[0], noun)} {_either(of)}")
    if of := _of_item(rows, "influencers"):
        parts.append(f"the same posts at the price of an influencer's like {_either(of)}")
    return f"If {paid} was paid {_HYPOTHETICAL}: {'; '.join(parts)}" if parts else None


def money(low: float, high: float, currency: str, /) -> str:
    """Return a range of money, with its currency: cents below ten, whole units above."""
    first, last = _amount(low), _amount(high)
    span = first if first == last else f"{first} to {last}"
    return f"{span} {_SIGNS.get(currency, currency)}"


def _amount(value: float) -> str:
    if 0 < value < 0.005:
        return "under 0.01"
    return f"{value:,.2f}" if value < 9.995 else f"{value:,.0f}"


def _of_item(rows: Sequence[dict[str, Any]], item: str) -> list[dict[str, Any]]:
    """Return the rows of one item, one a currency."""
    return [row for row in rows if row["item"] == item]


def _either(rows: Sequence[dict[str, Any]]) -> str:
    return " or ".join(money(row["low"], row["high"], row["currency"]) for row in rows)


def _many(row: dict[str, Any], noun: str) -> str:
    low, high = row["n_low"], row["n_high"]
    many = f"{high:,}" if low == high else f"{low:,} to {high:,}"
    return f"{many} {noun}" + ("s" if high != 1 else "")
