"""Innocent readings: which explanations without any campaign also fit a cluster, and what speaks for and against each.

Each reading holds figures of the cluster against a threshold, and says in words what it goes by and what it leaves
unexplained. That a reading fits does not make it true, and that none fits proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from propgraph.clusters.baseline import Baseline, Row
from propgraph.clusters.timing import ENOUGH

ONE_OUTLET, FANS, BREAKING_NEWS = "one-outlet", "fans", "breaking-news"
ONE_HAND, NO_COMPARISON = "one-hand", "no-comparison"

#: Readings that account for the synchrony itself.
EXPLAINING = (ONE_OUTLET, FANS, BREAKING_NEWS)

# How sentences call one thing shared in a trace, and several.
_THINGS = {
    "url": ("link", "links"), "domain": ("site", "sites"), "hashtag": ("hashtag", "hashtags"),
    "image": ("picture", "pictures"), "text": ("text", "texts"), "near-text": ("text", "texts"),
    "object": ("object", "objects"),
}  # fmt: skip


@dataclass(frozen=True)
class Fit:
    """One innocent reading that fits one cluster.

    Attributes
    ----------
    reading
        As in the column `innocent`.
    value, threshold
        What was measured, and from where on (for a number of pairs: below which) the reading fits.
    speaks_for, speaks_against
        A sentence each.
    """

    reading: str
    value: float
    threshold: float
    speaks_for: str
    speaks_against: str


def innocent_readings(row: Row, base: Baseline, /) -> list[Fit]:
    """Return the innocent readings that also fit a cluster, the most telling first.

    `one-outlet`: newsroom, syndication or devoted readers: what they met over is one site, far beyond its
    part of all links, which outsiders share more than the members do. `fans`: one account outside the
    cluster is behind most of what they met over. `breaking-news`: one object makes most of the pairs.
    `one-hand`: few accounts that post within seconds of each other, as a tool for several accounts does.
    `no-comparison`: too few others shared what the members shared to say what is usual.
    """
    fits = [check(row, base) for check in READINGS]
    return [fit for fit in fits if fit is not None]


def _one_outlet(row: Row, base: Baseline) -> Fit | None:
    value, usual, inside = row["met_site_share"], row["met_site_all"] or 0, row["met_site_inside"] or 0
    if value is None or value < (threshold := max(0.6, 2 * usual)) or inside > 0.5:
        return None
    return Fit(
        ONE_OUTLET, value, threshold,
        f"{value:.0%} of the posts over which they met link to {row['met_site']}, where {_percent(usual)} of all links "
        f"of this log do, and other accounts made {1 - inside:.0%} of the links to it",
        _left_open(row, base),
    )  # fmt: skip


def _fans(row: Row, base: Baseline) -> Fit | None:
    value = row["met_origin_share"]
    if value is None or value < 0.5:
        return None
    return Fit(
        FANS, value, 0.5,
        f"{value:.0%} of the posts over which they met go back to one account, {row['met_origin']}, which is not one "
        "of them",
        _left_open(row, base),
    )  # fmt: skip


def _breaking_news(row: Row, base: Baseline) -> Fit | None:
    value = row["top_object_share"]
    if value is None or value < 0.5:
        return None
    thing, things = _things(row)
    n_other = (row["n_objects"] or 1) - 1
    again = f"they met over {n_other:,} other {things if n_other > 1 else thing} as well; " if n_other else ""
    return Fit(
        BREAKING_NEWS, value, 0.5,
        f"of their pairs of posts {base.nearby(row)} {value:.0%} are about one and the same {thing}",
        again + _left_open(row, base),
    )  # fmt: skip


def _one_hand(row: Row, base: Baseline) -> Fit | None:
    value = row["fast_share"]
    if row["n_accounts"] > 5 or value is None or value < 0.9:
        return None
    return Fit(
        ONE_HAND, value, 0.9,
        f"they are {row['n_accounts']:,} accounts, and {value:.0%} of their pairs of posts are at most 10 s apart",
        "a tool says nothing about who uses it and what for",
    )  # fmt: skip


def _no_comparison(row: Row, base: Baseline) -> Fit | None:
    """Look for links that hardly anybody but the members shared; the usual rate of the log may stand in for them."""
    n = row["n_outsider_pairs"]
    if n is None or n >= ENOUGH:
        return None
    thing, things = _things(row)
    usual = (
        f"elsewhere in this log two posts of the same {thing} lie {base.nearby(row)} {_percent(row['outsider_rate'])} "
        f"of the time, theirs {row['window_rate']:.0%}"
        if row["compared"] and row["outsider_rate"] is not None
        else "the log holds no other accounts to compare with, so nothing can speak against it"
    )
    return Fit(
        NO_COMPARISON, n, ENOUGH,
        f"hardly anybody else shared the {things} that they have in common: other accounts' posts of these make "
        f"{n:,.0f} {'pair' if n == 1 else 'pairs'}, too few (under {ENOUGH}) to say how near in time is usual",
        usual,
    )  # fmt: skip


def _left_open(row: Row, base: Baseline) -> str:
    """Return what a reading that explains a common interest does not explain."""
    thing, things = _things(row)
    open_ = []
    if row["n_synchronised"]:
        n = row["n_synchronised"]
        open_.append(
            f"{n:,} {'pair' if n == 1 else 'pairs'} of them stand nearer to each other in time, {thing} after {thing}, "
            f"than others who shared the same {things} do"
        )
    window, others = row["window_rate"], row["outsider_rate"]
    if (row["n_outsider_pairs"] or 0) >= ENOUGH and window is not None and window > 1.25 * others:
        open_.append(
            f"when two of them share the same {thing} they do so {base.nearby(row)} {window:.0%} of the time, others "
            f"who shared it {_percent(others)}"
        )
    if (days := _made_together(row, base)) is not None:
        open_.append(f"half of the accounts were opened within {days}")
    return "; ".join(open_) or "nothing that was measured speaks against it"


def _made_together(row: Row, base: Baseline) -> str | None:
    """Return the span in which half of the accounts were made, in words, where a draw would not give it."""
    n, spread = row["n_created"], row["creation_spread_s"]
    if n is None or n < 5 or base.created_ms.size < 2 * n or spread >= base.creation_draws(n)[0]:
        return None
    days = max(1, round(spread / 86_400))
    return "one day" if days == 1 else f"{days:,} days"


def _things(row: Row) -> tuple[str, str]:
    return _THINGS.get(row["timing_trace"], ("post", "posts"))


def _percent(part: float) -> str:
    """Return a fraction in percent that never says nought where there is some."""
    return "less than 1%" if 0 < part < 0.01 else f"{part:.0%}"


#: The readings, the most telling first.
READINGS: Sequence[Callable[[Row, Baseline], Fit | None]] = (
    _one_outlet, _fans, _breaking_news, _one_hand, _no_comparison,
)  # fmt: skip
