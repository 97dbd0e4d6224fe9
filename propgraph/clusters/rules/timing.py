"""Rules about time: who meets whom, how often and how soon, beyond what chance or outsiders give."""

from __future__ import annotations

import math

from propgraph.amplification.relays import DELAY
from propgraph.clusters.baseline import Baseline, Row
from propgraph.clusters.rules.rule import Finding, about
from propgraph.clusters.timing import ENOUGH
from propgraph.words.said import Said, joined, said

SYNCHRONISED, RELAYED = "synchronised", "relayed"
AT_ONCE, IN_STEP, REPETITIVE, IN_SECONDS = "at-once", "in-step", "repetitive", "within-seconds"
TURNOUT, OWN_BURSTS = "turnout", "own-bursts"

# The tail is nominal: clusters are found by the very co-shares that it is about. Where times are drawn at random,
# clusters found in this way still meet five times as often as expected, at p down to 1e-5, and among thousands of
# busy innocents six times, at p down to 1e-7: so a multiple beyond that is asked for, or a tail far beyond that.
_SURE, _STRONG = (3.0, 1e-12), (10.0, 0.05)
_MOST_TIMES = 1_000_000  # nobody imagines more


def synchronised(row: Row, base: Baseline) -> Finding | None:
    """Ask whether half of the members stand near fellows beyond chance, pair by pair or as a crew."""
    value, n, p = row["synchronised_share"], row["n_synchronised"], row["p_value"]
    if not n and p is None:
        return None
    by_pairs = said("rules.by-pairs", n=n, by_chance=about(n * base.q)) if n else None
    by_crew = None if p is None else said("rules.by-crew", times=_once_in(p))
    return Finding(
        SYNCHRONISED, value, 0.5, base.q, value >= 0.5,
        said("rules.synchronised", value=value, ways=joined((by_pairs, by_crew))),
    )  # fmt: skip


def _once_in(p: float) -> int:
    """Return of how many draws chance gives one at most, in a round number that is none too large."""
    times = math.floor(1 / max(p, 1 / _MOST_TIMES) + 1e-9)
    unit = int(10 ** (len(str(times)) - 1))
    return times // unit * unit


def relayed(row: Row, base: Baseline) -> Finding | None:
    """Look for a crew behind relays, which has held all that is asked of one (see `amplification.relays`).

    Coarse times may tell less of its delay than was measured.
    """
    value, n = row["relay_crew_share"], row["n_of_crew"]
    if value is None:
        return None
    lag, usual = max(row["crew_lag_s"], row["time_resolution_s"] or 0.0), row["crew_usual_s"]
    return Finding(
        RELAYED, value, 0.5, base.q, value >= 0.5 and lag <= DELAY * usual,
        said(
            "rules.relayed", n=n, n_accounts=row["n_accounts"], n_relays=len(row["crew_relays"]),
            relays=row["crew_relays"], n_cascades=row["n_relay_jobs"], n_origins=row["n_origins"],
            turnout=row["relay_turnout"], lag=lag, usual=usual,
        ),
    )  # fmt: skip


def at_once(row: Row, base: Baseline) -> Finding | None:
    """Hold pairs of posts in the window against the outsiders' rate."""
    if row["observed"] is None or not row["compared"]:
        return None
    observed, expected, p = row["observed"], row["expected"], row["nominal_p"]
    multiple, limit = _SURE if p <= _SURE[1] else _STRONG
    fires = observed >= multiple * expected and p <= limit
    whose = said("rules.sharers" if row["n_outsider_pairs"] >= ENOUGH else "rules.people-of-log")
    return Finding(
        AT_ONCE, observed, multiple * expected, expected, fires,
        said(
            "rules.at-once", n=float(observed), trace=row["timing_trace"], nearby=base.nearby(row),
            times=_times(observed, expected), whose=whose, usual=about(expected),
        ),
    )  # fmt: skip


def _times(observed: float, expected: float) -> Said:
    """Return how many times as many there are as expected, in whole numbers."""
    if expected < 0.05:
        return said("rules.many-more")
    times = observed / expected
    return said("rules.times" if times >= 2 else "rules.times-and-tenths", times=times)


def in_step(row: Row, base: Baseline) -> Finding | None:
    """Compare the fraction of members' pairs in the window with the same of outsiders' pairs.

    Required are half of the pairs, and 1.25 times the outsiders' rate: no more, for in a log of mostly organised
    accounts outsiders are no innocent baseline. Half of all pairs within a minute is more than people do by
    themselves; of a longer effective window that cannot be said, and twice the outsiders' rate is required.
    """
    value, short = row["window_rate"], base.effective_s(row) <= 60
    if value is None or not (short or row["compared"]):
        return None
    outsider_rate = row["outsider_rate"] if row["compared"] else None
    threshold = 0.5 if outsider_rate is None else max(0.5, (1.25 if short else 2.0) * outsider_rate)
    others = (
        said("rules.nobody-else") if outsider_rate is None else said("rules.others-do", part=outsider_rate)
    )
    return Finding(
        IN_STEP, value, threshold, outsider_rate, value >= threshold and row["co_objects"] >= 5,
        said("rules.in-step", trace=row["timing_trace"], value=value, nearby=base.nearby(row), others=others),
    )  # fmt: skip


def repetitive(row: Row, base: Baseline) -> Finding | None:
    """Ask over how many different objects the members met."""
    if row["co_objects"] is None:
        return None
    value, expected = row["co_objects"], row["expected_co_objects"] if row["compared"] else None
    others = None if expected is None else said("rules.others-give", usual=about(expected))
    return Finding(
        REPETITIVE, value, 5, expected, value >= 5 and (expected is None or value > expected),
        said("rules.repetitive", nearby=base.nearby(row), n=math.floor(value), others=others),
    )  # fmt: skip


def turnout(row: Row, base: Baseline) -> Finding | None:
    """Look for a crowd that is called for a few jobs: it meets seldom, but each time most of it does.

    It is held against nobody, so it rests where coarse times make more than a minute of the window.
    """
    value, n = row["turnout"], row["n_gathered"]
    if value is None or base.effective_s(row) > max(base.window_of(row), 60):
        return None
    return Finding(
        TURNOUT, value, 0.5, None, value >= 0.5 and n >= 5,
        said(
            "rules.turnout", n=n, n_accounts=row["n_accounts"], trace=row["timing_trace"], nearby=base.nearby(row)
        ),
    )  # fmt: skip


def own_bursts(row: Row, base: Baseline) -> Finding | None:
    """Ask whether so many whole bursts of one crowd are more than the log's objects would show by themselves.

    Where every object has half of its accounts within the window (a breaking story, a lively log), it takes more.
    """
    value, usual = row.get("own_objects"), row.get("usual_bursts")
    if value is None or usual is None:
        return None
    threshold = 3.0 if usual <= 0 else max(3.0, math.log(0.05) / math.log(usual)) if usual < 1 else math.inf
    return Finding(
        OWN_BURSTS, value, threshold, usual, value >= threshold,
        said("rules.own-bursts", n=value, trace=row["timing_trace"], nearby=base.nearby(row), usual=usual),
    )  # fmt: skip


def within_seconds(row: Row, base: Baseline) -> Finding | None:
    """Ask whether half of the meetings are known to lie within ten seconds."""
    if row["fast_share"] is None or base.window_of(row) < 20:
        return None
    value, even = row["fast_share"], 10 / base.window_of(row)
    return Finding(
        IN_SECONDS, value, 0.5, even, value >= 0.5, said("rules.within-seconds", value=value, expected=even)
    )
