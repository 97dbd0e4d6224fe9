"""Rules about how the members' accounts were made: in lots, by one template, one after another."""

from __future__ import annotations

import re

from propgraph.clusters.alike import FOLLOWERS, IDS, NAMES
from propgraph.clusters.baseline import Baseline, Row
from propgraph.clusters.lots import lot_of
from propgraph.clusters.profiles import RARE
from propgraph.clusters.rules.rule import Finding, about
from propgraph.words.said import Said, joined, said

CREATED_TOGETHER, ALIKE_PROFILES = "created-together", "alike-profiles"

_PART = 0.25  # of the members
_LOTS_TOLD = 3
_MASKED = re.compile(r"letters and (\d+) digits")


def created_together(row: Row, base: Baseline) -> Finding | None:
    """Ask whether a quarter of the accounts were made in lots, beyond both comparisons (see `clusters.profiles`).

    Twice as many are required as on average in draws, for who shares the same objects is never quite of the same kind.
    """
    value, expected = row.get("lot_share"), row.get("lot_expected")
    if value is None or expected is None:
        return None
    threshold = max(_PART, row["lot_limit"], 2 * expected)
    n, lots = row["n_in_lots"], row["lots"]
    more = said("words.more", n=len(lots) - _LOTS_TOLD) if len(lots) > _LOTS_TOLD else None
    return Finding(
        CREATED_TOGETHER, value, threshold, expected, value >= threshold and row["lot_p"] <= RARE,
        said(
            "rules.created-together", n=n, n_created=row["n_created"], n_lots=len(lots), span=span(row["lot_width_s"]),
            lots=joined(map(_lot, lots[:_LOTS_TOLD])), more=more, drawn=_also_peers(row["n_lot_peers"]),
            usual=about(expected * row["n_created"]),
        ),
    )  # fmt: skip


def span(seconds: float) -> Said:
    """Return an hour, a day or several days."""
    days = round(seconds / 86_400)
    return said("words.days", n=days) if days > 1 else said("words.a-day" if days else "words.an-hour")


def _lot(written: str) -> Said:
    first, last, n = lot_of(written)
    return (
        said("words.on-day", day=first, n=n)
        if first == last
        else said("words.on-days", first=first, last=last, n=n)
    )


def _also_peers(n: int | None) -> Said:
    return said("rules.drawn-from-log") if n is None else said("rules.drawn-from-peers", n=n)


def alike_profiles(row: Row, base: Baseline) -> Finding | None:
    """Ask whether a quarter of the members have names by one template, ids in sequence, or equally many followers.

    Names by which most members say openly that they act together are no sign of anything hidden.
    """
    value, by = row.get("alike_share"), row.get("alike_by")
    if value is None or by is None:
        return None
    expected = row["alike_expected"]
    threshold = max(_PART, 2 * expected)
    declared = by == NAMES and 2 * (row.get("n_declared") or 0) >= row["n_accounts"]
    return Finding(
        ALIKE_PROFILES, value, threshold, expected,
        value >= threshold and row["alike_p"] <= RARE and not declared,
        said(
            "rules.alike-profiles", n=row["n_alike"], n_accounts=row["n_accounts"], what=_what(by, row["alike_what"]),
            expected=expected,
        ),
    )  # fmt: skip


def _what(by: str, what: str) -> Said:
    """Return what profiles have in common; `what` is as `clusters.alike` writes it."""
    if by == IDS:
        return said("rules.alike-ids", first=what.removeprefix("from ").removesuffix(" on"))
    if by == FOLLOWERS:
        return said("rules.alike-followers", n=int(what.split(" ", maxsplit=1)[0].replace(",", "")))
    masked = _MASKED.fullmatch(what)
    return said(
        "rules.alike-names", template=what if masked is None else said("words.masked", n=int(masked[1]))
    )
