"""Rules about how the members' accounts were made: in lots, by one template, one after another."""

from __future__ import annotations

from propgraph.clusters.alike import FOLLOWERS, IDS, NAMES
from propgraph.clusters.baseline import Baseline, Row
from propgraph.clusters.profiles import RARE
from propgraph.clusters.rules.rule import Finding

CREATED_TOGETHER, ALIKE_PROFILES = "created-together", "alike-profiles"

_PART = 0.25  # of the members
_LOTS_TOLD = 3


def created_together(row: Row, base: Baseline) -> Finding | None:
    """Ask whether a quarter of the accounts were made in lots, beyond both comparisons (see `clusters.profiles`).

    Twice as many are required as on average in draws, for who shares the same objects is never quite of the same kind.
    """
    value, expected = row.get("lot_share"), row.get("lot_expected")
    if value is None or expected is None:
        return None
    threshold = max(_PART, row["lot_limit"], 2 * expected)
    n, lots = row["n_in_lots"], row["lots"]
    more = f" and {len(lots) - _LOTS_TOLD} more" if len(lots) > _LOTS_TOLD else ""
    made = "one lot" if len(lots) == 1 else f"{len(lots)} lots"
    return Finding(
        CREATED_TOGETHER, value, threshold, expected, value >= threshold and row["lot_p"] <= RARE,
        f"{n:,} of the {row['n_created']:,} accounts whose age is known were made in {made} of "
        f"{span_in_words(row['lot_width_s'])} or less ({'; '.join(lots[:_LOTS_TOLD])}{more}), where of as many "
        f"accounts in no cluster {expected:.0%} are{_also_peers(row['n_lot_peers'])}",
    )  # fmt: skip


def span_in_words(seconds: float) -> str:
    """Return an hour, a day or several days in words."""
    days = round(seconds / 86_400)
    return "an hour" if days < 1 else "a day" if days == 1 else f"{days:,} days"


def _also_peers(n: int | None) -> str:
    if n is None:
        return ", drawn from the log"
    return (
        f", drawn from the log or from {n:,} accounts who share most of the same objects, whichever are more"
    )


def alike_profiles(row: Row, base: Baseline) -> Finding | None:
    """Ask whether a quarter of the members have names by one template, ids in sequence, or equally many followers.

    Names by which most members say openly that they act together are no sign of anything hidden.
    """
    value, by = row.get("alike_share"), row.get("alike_by")
    if value is None or by is None:
        return None
    expected = row["alike_expected"]
    threshold = max(_PART, 2 * expected)
    what = {
        NAMES: f"have names by one template ({row['alike_what']})",
        IDS: f"have account ids in sequence, with no other account's between ({row['alike_what']})",
        FOLLOWERS: f"have exactly as many followers as fellows of theirs ({row['alike_what']})",
    }[by]
    declared = by == NAMES and 2 * (row.get("n_declared") or 0) >= row["n_accounts"]
    return Finding(
        ALIKE_PROFILES, value, threshold, expected,
        value >= threshold and row["alike_p"] <= RARE and not declared,
        f"{row['n_alike']:,} of the {row['n_accounts']:,} accounts {what}, where of as many accounts in no cluster "
        f"{expected:.1%} do",
    )  # fmt: skip
