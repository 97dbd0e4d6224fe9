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
from propgraph.clusters.rules.profiles import created_together, span
from propgraph.clusters.timing import ENOUGH
from propgraph.missions.order import AGREEMENT, BY_AGE, ONE_SITTING, is_one_list, keeps_order
from propgraph.words.said import Said, joined, said, then

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


@dataclass(frozen=True)
class Fit:
    """One innocent reading that fits one cluster.

    Attributes
    ----------
    reading
        As in the column `innocent`.
    value, threshold
        What was measured, and from where on (for a number of pairs: below which) the reading fits.
    said_for, said_against
        What speaks for and against it, a sentence each, with its facts.
    """

    reading: str
    value: float
    threshold: float
    said_for: Said
    said_against: Said

    def as_columns(self) -> dict[str, object]:
        """Return it as columns of the table `readings`."""
        return {
            "reading": self.reading, "value": self.value, "threshold": self.threshold,
            **self.said_for.as_columns("speaks_for", "said_for"),
            **self.said_against.as_columns("speaks_against", "said_against"),
        }  # fmt: skip

    @property
    def speaks_for(self) -> str:
        """What speaks for it, in English, as the table `readings` has it."""
        return self.said_for.english

    @property
    def speaks_against(self) -> str:
        """What speaks against it, or what it leaves unexplained, in English."""
        return self.said_against.english


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
        said("why.one-outlet", value=value, site=row["met_site"], usual=usual, others=1 - inside),
        _left_open(row, base),
    )  # fmt: skip


def _fans(row: Row, base: Baseline) -> Fit | None:
    value = row["met_origin_share"]
    if value is None or value < OF_ONE_ORIGIN:
        return None
    return Fit(
        FANS, value, OF_ONE_ORIGIN,
        said("why.fans", value=value, account=row["met_origin"]),
        _left_open(row, base),
    )  # fmt: skip


def _breaking_news(row: Row, base: Baseline) -> Fit | None:
    value = row["top_object_share"]
    if value is None or value < 0.5:
        return None
    trace, n_other = row["timing_trace"], (row["n_objects"] or 1) - 1
    again = "but.one-other-thing" if n_other == 1 else "but.other-things"
    return Fit(
        BREAKING_NEWS, value, 0.5,
        said("why.breaking-news", nearby=base.nearby(row), value=value, trace=trace),
        then(said(again, n=n_other, trace=trace), _left_open(row, base)) if n_other else _left_open(row, base),
    )  # fmt: skip


def _institution(row: Row, base: Baseline) -> Fit | None:
    value, delay = row["leader_share"], row["leader_delay_s"]
    if value is None or delay is None or row["n_meetings"] < MEETINGS:
        return None
    if value < 0.5 or row["leader_p"] > _RARELY or delay > LEAD_MS / 1000:
        return None
    n, led = row["n_meetings"], row["n_led"]
    rest = said("but.others-first", n=n - led) if n > led else None
    return Fit(
        INSTITUTION, value, 0.5,
        said(
            "why.institution", account=row["leader_account_id"],
            whose=said("why.one-of-them" if row["leader_inside"] else "why.not-one-of-them"), led=led, n=n,
            usual=float(n * row["leader_expected"]), delay=_seconds(delay),
        ),
        then(said("but.institution"), rest, _made_together(row, base)),
    )  # fmt: skip


def _one_hand(row: Row, base: Baseline) -> Fit | None:
    together, spread, alone = row["seconds_share"], row["offset_spread_s"], 1 - (row["co_shared"] or 0)
    apart = said("but.without-each-other", part=alone) if alone >= 0.1 else None
    rest = then(said("but.one-hand"), apart, _made_together(row, base))
    if together is not None and together >= 0.5 and row["n_timed"] >= MEETINGS:
        return Fit(
            ONE_HAND, together, 0.5,
            said("why.same-seconds", n=row["n_timed"], value=together, seconds=SAME_S),
            rest,
        )  # fmt: skip
    if spread is None or spread > _CONSTANT_S:
        return _in_turn(row, rest)
    key = "why.same-delays" if row["n_constant"] > 1 else "why.same-delay"
    return Fit(
        ONE_HAND, spread, _CONSTANT_S,
        said(key, n=row["n_constant"], meetings=MEETINGS, spread=_seconds(spread)),
        rest,
    )  # fmt: skip


def _in_turn(row: Row, rest: Said) -> Fit | None:
    """Look whether the same one of two always posts first, as where somebody goes from page to page."""
    share, n = row["in_order_share"], row["n_in_order"]
    if share is None or share < IN_ORDER or n < 2 * MEETINGS:
        return None
    return Fit(
        ONE_HAND, share, IN_ORDER,
        said("why.in-turn", meetings=MEETINGS, part=share, n=n, delay=_seconds(row["in_order_s"])),
        rest,
    )  # fmt: skip


def _activists(row: Row, base: Baseline) -> Fit | None:
    n, size = row["n_declared"] or 0, row["n_accounts"]
    if n < 0.5 * size:
        return None
    words = [said("words.quoted", text=form) for form in row["declared_forms"]]
    rest = said("but.silent", n=size - n) if n < size else None
    return Fit(
        ACTIVISTS, n / size, 0.5,
        said("why.activists", n=n, n_accounts=size, words=words),
        then(said("but.activists"), rest, _made_together(row, base)),
    )  # fmt: skip


def _habits(row: Row, base: Baseline) -> Fit | None:
    value, n = row["by_habit_share"], row["n_by_habit"]
    if row["n_synchronised"] or row["p_value"] is not None:
        return None  # these hold whatever the habits
    if value < 0.5:
        return _habits_in_window(row, base)
    return Fit(
        HABITS, value, 0.5,
        said("why.habits", n=n, value=value),
        then(said("but.habits"), _made_together(row, base)),
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
        said(
            "why.habits-in-window", trace=row["timing_trace"], nearby=base.nearby(row), multiple=multiple, beyond=beyond
        ),
        then(said("but.habits-in-window"), _made_together(row, base)),
    )  # fmt: skip


def _one_list(row: Row, base: Baseline) -> Fit | None:
    if not keeps_order(row) or not is_one_list(row):
        return None
    by_age, sitting = row["order_by_age"], row["order_one_sitting"]
    facts = {"trace": row["timing_trace"], "agreed": row["order_agreement"]}
    rest = then(said("but.one-list"), _made_together(row, base))
    if by_age is not None and max(by_age, 1 - by_age) >= BY_AGE:
        key = "why.newer-to-older" if by_age < 0.5 else "why.older-to-newer"
        part = max(by_age, 1 - by_age)
        return Fit(ONE_LIST, part, BY_AGE, said(key, **facts, part=part), rest)
    if sitting < ONE_SITTING:  # `is_one_list` gave them the benefit of ages that are not known
        return Fit(ONE_LIST, row["order_agreement"], AGREEMENT, said("why.at-one-moment", **facts), rest)
    return Fit(ONE_LIST, sitting, ONE_SITTING, said("why.one-sitting", **facts, part=sitting), rest)


def _no_comparison(row: Row, base: Baseline) -> Fit | None:
    """Look for links that hardly anybody but the members shared; the usual rate of the log may stand in for them."""
    n, n_alone, n_met = row["n_outsider_pairs"], row["n_alone"] or 0, row["n_objects"] or 0
    if n is None or (n >= ENOUGH and n_alone <= 0.5 * n_met):
        return None
    trace = row["timing_trace"]
    usual = _nearer_than_others(row, base) or (
        said("but.as-near", trace=trace) if row["compared"] else said("but.nobody-else")
    )
    if n >= ENOUGH:
        return Fit(
            NO_COMPARISON, n_alone / n_met, 0.5,
            said("why.shared-alone", n=n_met, trace=trace, n_alone=n_alone),
            usual,
        )  # fmt: skip
    return Fit(
        NO_COMPARISON, n, ENOUGH, said("why.no-comparison", trace=trace, n=float(n), least=ENOUGH), usual
    )


def _left_open(row: Row, base: Baseline) -> Said:
    """Return what a reading that explains a common interest does not explain."""
    n, trace = row["n_synchronised"], row["timing_trace"]
    pairs = said("but.synchronised", n=n, trace=trace) if n else None
    found = joined((pairs, _nearer_than_others(row, base), _made_together(row, base)))
    return said("but.nothing") if found is None else found


def _nearer_than_others(row: Row, base: Baseline) -> Said | None:
    """Return how much oftener than others members are near in time; None where they are not."""
    window, others = row["window_rate"], row["outsider_rate"]
    if not row["compared"] or window is None or window <= 1.25 * others:
        return None
    key = "but.nearer-than-sharers" if row["n_outsider_pairs"] >= ENOUGH else "but.nearer-than-usual"
    return said(key, trace=row["timing_trace"], nearby=base.nearby(row), part=window, others=others)


def _made_together(row: Row, base: Baseline) -> Said | None:
    """Return how many of the accounts were made in lots, where the rule about that fires."""
    found = created_together(row, base)
    if found is None or not found.fires:
        return None
    return said("but.opened", n=row["n_in_lots"], n_created=row["n_created"], span=span(row["lot_width_s"]))


def _seconds(seconds: float) -> Said:
    return said("words.under-a-second") if 0 < seconds < 1 else said("words.seconds", n=float(seconds))


#: The readings, the most telling first.
READINGS: Sequence[Callable[[Row, Baseline], Fit | None]] = (
    _one_outlet, _fans, _breaking_news, _institution, _one_hand, _activists, _habits, _one_list, _no_comparison,
)  # fmt: skip
