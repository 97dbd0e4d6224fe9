"""Innocent readings: which explanations without any campaign also fit a cluster, and what speaks for and against each.

Each reading holds figures of the cluster against a threshold, and says in words what it goes by and what it leaves
unexplained. That a reading fits does not make it true, and that none fits proves nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from propgraph.clusters.baseline import Baseline, Row
from propgraph.clusters.context import OF_ONE_ORIGIN, OF_ONE_SITE
from propgraph.clusters.delays import LEAD_MS, MEETINGS, SAME_S
from propgraph.clusters.rules.profiles import created_together, span_in_words
from propgraph.clusters.timing import ENOUGH
from propgraph.missions.order import AGREEMENT, BY_AGE, ONE_SITTING, is_one_list, keeps_order

ONE_OUTLET, FANS, BREAKING_NEWS = "one-outlet", "fans", "breaking-news"
INSTITUTION, ONE_HAND, ACTIVISTS = "institution", "one-hand", "activists"
NO_COMPARISON, HABITS, ONE_LIST = "no-comparison", "habits", "one-list"

#: Readings that account for the synchrony itself.
EXPLAINING = (ONE_OUTLET, FANS, BREAKING_NEWS, HABITS)

# A leader is told where chance would have one account so often first once in a thousand clusters.
_RARELY = 1e-3
# A delay that is kept to this (s) is constant; a person's is not.
_CONSTANT_S = 1.0
# Of two accounts the same one comes first this part of the time: in any order five meetings have 0.69.
IN_ORDER = 0.9
# From here on habits bring members so much oftener together than others that it is told.
_RAISED = 2.0

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
    `institution`: one account, a member or not, posts first at half of the meetings or more, beyond what chance has,
    and the others follow within a minute, as desks and spokesmen do. It does not account for the synchrony, for a
    hired crew that is led looks the same. `one-hand`: a tool for several accounts keeps the delay between the same
    two to a second, or posts for them within 2 s, at half of their meetings or more; of a person who goes from page to
    page the same one of two comes first, nine times in ten (of ten meetings or more).
    `activists`: half of the members or more say in their names or posts that they act together (see `declared`).
    `habits`: half of the members or more stand near each other beyond what dealing accounts to posts gives, but not
    beyond their own hours and how quickly each of them always reacts; or these bring them into the window so much
    oftener than others that it is half, in orders of magnitude, of how much oftener they are.
    `one-list`: they take things in one order, and it is that of publication, as a feed has it, or that of a list
    which is read at one sitting, as a newsletter, a digest or a thread is. It explains the order, not the synchrony.
    `no-comparison`: too few others shared what the members shared, or more than half of what they met over, to say
    what is usual.
    """
    fits = [check(row, base) for check in READINGS]
    return [fit for fit in fits if fit is not None]


def _one_outlet(row: Row, base: Baseline) -> Fit | None:
    value, usual, inside = row["met_site_share"], row["met_site_all"] or 0, row["met_site_inside"] or 0
    if value is None or value < (threshold := max(OF_ONE_SITE, 2 * usual)) or inside > 0.5:
        return None
    return Fit(
        ONE_OUTLET, value, threshold,
        f"{value:.0%} of the posts over which they met link to {row['met_site']}, where {_percent(usual)} of all links "
        f"of this log do, and other accounts made {1 - inside:.0%} of the links to it",
        _left_open(row, base),
    )  # fmt: skip


def _fans(row: Row, base: Baseline) -> Fit | None:
    value = row["met_origin_share"]
    if value is None or value < OF_ONE_ORIGIN:
        return None
    return Fit(
        FANS, value, OF_ONE_ORIGIN,
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


def _institution(row: Row, base: Baseline) -> Fit | None:
    value, delay = row["leader_share"], row["leader_delay_s"]
    if value is None or delay is None or row["n_meetings"] < MEETINGS:
        return None
    if value < 0.5 or row["leader_p"] > _RARELY or delay > LEAD_MS / 1000:
        return None
    n, led = row["n_meetings"], row["n_led"]
    whose = "one of them" if row["leader_inside"] else "not one of them"
    usual = f"{n * row['leader_expected']:.0f}"
    rest = f"; with the other {n - led:,} others came first" if n > led else ""
    return Fit(
        INSTITUTION, value, 0.5,
        f"one account, {row['leader_account_id']} ({whose}), was the first to post {led:,} of the {n:,} times they "
        f"met, where chance would make it about {usual}; the others followed after "
        f"{_seconds(delay)} (median)",
        f"a hired crew that waits for one account looks the same{rest}{_opened(row, base)}",
    )  # fmt: skip


def _one_hand(row: Row, base: Baseline) -> Fit | None:
    together, spread, alone = row["seconds_share"], row["offset_spread_s"], 1 - (row["co_shared"] or 0)
    apart = f"; {alone:.0%} of what they shared they shared without each other" if alone >= 0.1 else ""
    rest = f"a tool says nothing about who uses it and what for{apart}{_opened(row, base)}"
    if together is not None and together >= 0.5 and row["n_timed"] >= MEETINGS:
        return Fit(
            ONE_HAND, together, 0.5,
            f"the pairs of accounts that met most often met {row['n_timed']:,} times, and {together:.0%} of the time "
            f"their posts are at most {SAME_S:.0f} s apart",
            rest,
        )  # fmt: skip
    if spread is None or spread > _CONSTANT_S:
        return _in_turn(row, rest)
    n = row["n_constant"]
    whose = f"of the {n:,} pairs of accounts" if n > 1 else "of the pair of accounts"
    return Fit(
        ONE_HAND, spread, _CONSTANT_S,
        f"the delay between the posts {whose} that met {MEETINGS} times or more is the same again and again, give or "
        f"take {_seconds(spread)} (median)",
        rest,
    )  # fmt: skip


def _in_turn(row: Row, rest: str) -> Fit | None:
    """Look whether the same one of two always posts first, as where somebody goes from page to page."""
    share, n = row["in_order_share"], row["n_in_order"]
    if share is None or share < IN_ORDER or n < 2 * MEETINGS:
        return None
    return Fit(
        ONE_HAND, share, IN_ORDER,
        f"of two accounts that met {MEETINGS} times or more the same one came first {share:.0%} of the time ({n:,} "
        f"meetings; the other {_seconds(row['in_order_s'])} later, median), as where somebody, or a feed, goes from "
        "page to page",
        rest,
    )  # fmt: skip


def _activists(row: Row, base: Baseline) -> Fit | None:
    n, size = row["n_declared"] or 0, row["n_accounts"]
    if n < 0.5 * size:
        return None
    words = ", ".join(f"'{form}'" for form in row["declared_forms"])
    rest = f"; the other {size - n:,} say nothing of the kind" if n < size else ""
    return Fit(
        ACTIVISTS, n / size, 0.5,
        f"{n:,} of the {size:,} accounts say that they act together, in their names or in the posts over which they "
        f"met ({words})",
        f"anybody can write such words{rest}{_opened(row, base)}",
    )  # fmt: skip


def _habits(row: Row, base: Baseline) -> Fit | None:
    value, n = row["by_habit_share"], row["n_by_habit"]
    if row["n_synchronised"] or row["p_value"] is not None:
        return None  # these hold whatever the habits
    if value < 0.5:
        return _habits_in_window(row, base)
    return Fit(
        HABITS, value, 0.5,
        f"{n:,} {'pair' if n == 1 else 'pairs'} among {value:.0%} of the accounts post near each other again and "
        "again, but no nearer than the hours at which each of them always posts, and how quickly it always reacts, "
        "bring about: people of the same hours, or who are told by the same feed",
        f"a crew that only ever works in its own hours looks the same{_opened(row, base)}",
    )  # fmt: skip


def _habits_in_window(row: Row, base: Baseline) -> Fit | None:
    """Look whether habits explain half, in orders of magnitude, of how much oftener than others members are near."""
    window, usual, raised = row["window_rate"], row["usual_rate"], row["outsider_rate"]
    if not window or not usual or window <= usual:
        return None
    multiple, beyond = raised / usual, window / usual
    if multiple < _RAISED or 2 * math.log(multiple) < math.log(beyond):
        return None
    return Fit(
        HABITS, multiple, _RAISED,
        f"at the hours at which each of them always posts, and reacting as quickly as each always does, they would "
        f"share a {_things(row)[0]} {base.nearby(row)} {multiple:.1f} times as often as others do, of the "
        f"{beyond:.1f} times that they do",
        f"a crew that is always told at once looks the same{_opened(row, base)}",
    )  # fmt: skip


def _one_list(row: Row, base: Baseline) -> Fit | None:
    if not keeps_order(row) or not is_one_list(row):
        return None
    things, by_age, sitting = _things(row)[1], row["order_by_age"], row["order_one_sitting"]
    agreed = f"of two who shared the same two {things} at one sitting {row['order_agreement']:.0%} did so in one order"
    rest = f"an app that lists its tasks in this way looks the same{_opened(row, base)}"
    if by_age is not None and max(by_age, 1 - by_age) >= BY_AGE:
        way = "the newer to the older" if by_age < 0.5 else "the older to the newer"
        return Fit(
            ONE_LIST, max(by_age, 1 - by_age), BY_AGE,
            f"{agreed}, and {max(by_age, 1 - by_age):.0%} of these steps go from {way}, as readers of one feed do",
            rest,
        )  # fmt: skip
    if sitting < ONE_SITTING:  # `is_one_list` gave them the benefit of ages that are not known
        return Fit(
            ONE_LIST, row["order_agreement"], AGREEMENT,
            f"{agreed}; the two of each pair come up at one moment in this log, so that nothing tells whether they go "
            "from the newer to the older, as readers of one feed do",
            rest,
        )  # fmt: skip
    return Fit(
        ONE_LIST, sitting, ONE_SITTING,
        f"{agreed}, and {sitting:.0%} of those who shared both did so at one sitting, as readers of one newsletter, "
        "digest or thread do",
        rest,
    )  # fmt: skip


def _no_comparison(row: Row, base: Baseline) -> Fit | None:
    """Look for links that hardly anybody but the members shared; the usual rate of the log may stand in for them."""
    n, n_alone, n_met = row["n_outsider_pairs"], row["n_alone"] or 0, row["n_objects"] or 0
    if n is None or (n >= ENOUGH and n_alone <= 0.5 * n_met):
        return None
    thing, things = _things(row)
    usual = _nearer_than_others(row, base) or (
        f"in the rest of this log two posts of the same {thing} are as near in time as often"
        if row["compared"]
        else "the log holds no other accounts to compare with, so nothing can speak against it"
    )
    if n >= ENOUGH:
        return Fit(
            NO_COMPARISON, n_alone / n_met, 0.5,
            f"of the {n_met:,} {things} over which they met, {n_alone:,} were shared by others once at most, too "
            "seldom to say how near in time is usual",
            usual,
        )  # fmt: skip
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
    if (nearer := _nearer_than_others(row, base)) is not None:
        open_.append(nearer)
    if (made := _made_together(row, base)) is not None:
        open_.append(made)
    return "; ".join(open_) or "nothing that was measured speaks against it"


def _nearer_than_others(row: Row, base: Baseline) -> str | None:
    """Return how much oftener than others members are near in time, in words; None where they are not."""
    window, others = row["window_rate"], row["outsider_rate"]
    if not row["compared"] or window is None or window <= 1.25 * others:
        return None
    thing, things = _things(row)
    whose = (
        "others who shared it"
        if row["n_outsider_pairs"] >= ENOUGH
        else f"for {things} of this log it is usually"
    )
    return (
        f"when two of them share the same {thing} they do so {base.nearby(row)} {window:.0%} of the time, {whose} "
        f"{_percent(others)}"
    )


def _made_together(row: Row, base: Baseline) -> str | None:
    """Return how many of the accounts were made in lots, in words, where the rule about that fires."""
    found = created_together(row, base)
    if found is None or not found.fires:
        return None
    return (
        f"{row['n_in_lots']:,} of the {row['n_created']:,} accounts were opened in lots of "
        f"{span_in_words(row['lot_width_s'])} or less"
    )


def _opened(row: Row, base: Baseline) -> str:
    made = _made_together(row, base)
    return "" if made is None else f"; {made}"


def _seconds(seconds: float) -> str:
    return "less than a second" if 0 < seconds < 1 else f"{seconds:.0f} s"


def _things(row: Row) -> tuple[str, str]:
    return _THINGS.get(row["timing_trace"], ("post", "posts"))


def _percent(part: float) -> str:
    """Return a fraction in percent that never says nought where there is some."""
    return "less than 1%" if 0 < part < 0.01 else f"{part:.0%}"


#: The readings, the most telling first.
READINGS: Sequence[Callable[[Row, Baseline], Fit | None]] = (
    _one_outlet, _fans, _breaking_news, _institution, _one_hand, _activists, _habits, _one_list, _no_comparison,
)  # fmt: skip
