"""Rules about time: who meets whom, how often and how soon, beyond what chance or outsiders give."""

from __future__ import annotations

import math

from propgraph.amplification.relays import DELAY
from propgraph.clusters.baseline import Baseline, Row
from propgraph.clusters.rules.rule import Finding, noun, rounded_up
from propgraph.clusters.timing import ENOUGH

SYNCHRONISED, RELAYED = "synchronised", "relayed"
AT_ONCE, IN_STEP, REPETITIVE, IN_SECONDS = "at-once", "in-step", "repetitive", "within-seconds"
TURNOUT, OWN_BURSTS = "turnout", "own-bursts"

# The tail is nominal: clusters are found by the very co-shares that it is about. Where times are drawn at random,
# clusters found in this way still meet five times as often as expected, at p down to 1e-5, and among thousands of
# busy innocents six times, at p down to 1e-7: so a multiple beyond that is asked for, or a tail far beyond that.
_SURE, _STRONG = (3.0, 1e-12), (10.0, 0.05)


def synchronised(row: Row, base: Baseline) -> Finding | None:
    """Ask whether half of the members stand near fellows beyond chance, pair by pair or as a crew."""
    value, n, p = row["synchronised_share"], row["n_synchronised"], row["p_value"]
    if not n and p is None:
        return None
    ways = []
    if n:
        ways.append(
            f"{n:,} {'pair' if n == 1 else 'pairs'} at a false discovery rate of {base.q:g} (the surest: "
            f"p <= {rounded_up(row['best_p'])})"
        )
    if p is not None:
        ways.append(
            f"as a group, found on one half of the objects and tested on the other (p <= {rounded_up(p)})"
        )
    return Finding(
        SYNCHRONISED, value, 0.5, base.q, value >= 0.5,
        f"{value:.0%} of the members stand nearer to other members in the order of posts, object after object, than "
        f"chance and their own hours put accounts: {'; '.join(ways)}",
    )  # fmt: skip


def relayed(row: Row, base: Baseline) -> Finding | None:
    """Look for a crew behind relays, which has held all that is asked of one (see `amplification.relays`).

    Coarse times may tell less of its delay than was measured.
    """
    value, n = row["relay_crew_share"], row["n_of_crew"]
    if value is None:
        return None
    lag, usual = max(row["crew_lag_s"], row["time_resolution_s"] or 0.0), row["crew_usual_s"]
    relays = row["crew_relays"]
    named = ", ".join(relays[:3]) + (", ..." if len(relays) > 3 else "")
    return Finding(
        RELAYED, value, 0.5, base.q, value >= 0.5 and lag <= DELAY * usual,
        f"{n:,} of the {row['n_accounts']:,} members are {len(relays):,} relays of the same cascades ({named}) or "
        "stand under these, cascade after cascade, oftener than parents drawn among the earlier posts would have it "
        f"(false discovery rate {base.q:g}): over {row['n_relay_jobs']:,} cascades, nine in ten of which go back to "
        f"{row['n_origins']:,} {'account' if row['n_origins'] == 1 else 'accounts'}, when one follower of a relay "
        "came, "
        f"{row['relay_turnout']:.0%} of its others did, half within {lag:,.0f} s of the post before "
        f"(other people: {usual:,.0f} s); branches of one movement that pass on its posts at once look "
        "the same",
    )  # fmt: skip


def at_once(row: Row, base: Baseline) -> Finding | None:
    """Hold pairs of posts in the window against the outsiders' rate."""
    if row["observed"] is None or not row["compared"]:
        return None
    observed, expected, p = row["observed"], row["expected"], row["nominal_p"]
    multiple, limit = _SURE if p <= _SURE[1] else _STRONG
    fires = observed >= multiple * expected and p <= limit
    whose = "others who shared the same" if row["n_outsider_pairs"] >= ENOUGH else "people of this log"
    return Finding(
        AT_ONCE, observed, multiple * expected, expected, fires,
        f"{observed:,.0f} pairs of members' posts of the same {noun(row)} lie {base.nearby(row)}, "
        f"{_times(observed, expected)} the timing of {whose} gives ({_about(expected)})",
    )  # fmt: skip


def _times(observed: float, expected: float) -> str:
    """Return how many times as many there are as expected, in whole numbers."""
    if expected < 0.05:
        return "incomparably more than"
    times = observed / expected
    return f"{times:,.0f} times as many as" if times >= 2 else f"{times:.1f} times as many as"


def _about(expected: float) -> str:
    return "fewer than one" if expected < 1 else f"{expected:,.0f}"


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
    others = "nobody to compare with" if outsider_rate is None else f"others: {outsider_rate:.0%}"
    return Finding(
        IN_STEP, value, threshold, outsider_rate, value >= threshold and row["co_objects"] >= 5,
        f"when two members share the same {noun(row)}, {value:.0%} of their pairs of posts lie {base.nearby(row)}, on "
        f"average over what they shared ({others})",
    )  # fmt: skip


def repetitive(row: Row, base: Baseline) -> Finding | None:
    """Ask over how many different objects the members met."""
    if row["co_objects"] is None:
        return None
    value, expected = row["co_objects"], row["expected_co_objects"] if row["compared"] else None
    others = "" if expected is None else f", where others' timing gives {_about(expected)}"
    return Finding(
        REPETITIVE, value, 5, expected, value >= 5 and (expected is None or value > expected),
        f"half of the members or more posted the same as another member, {base.nearby(row)}, over "
        f"{math.floor(value):,} different things or more{others}",
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
        f"three times, an hour or more apart, at least {n:,} of the {row['n_accounts']:,} members posted the same "
        f"{noun(row)} {base.nearby(row)}",
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
        f"{value:,} times, hours apart, half of the members or more posted the same {noun(row)} {base.nearby(row)} "
        f"and were half of all who ever did, or more; of other objects of like size {usual:.0%} have half of their "
        "accounts so close together",
    )  # fmt: skip


def within_seconds(row: Row, base: Baseline) -> Finding | None:
    """Ask whether half of the meetings are known to lie within ten seconds."""
    if row["fast_share"] is None or base.window_of(row) < 20:
        return None
    value = row["fast_share"]
    return Finding(
        IN_SECONDS, value, 0.5, 10 / base.window_of(row), value >= 0.5,
        f"{value:.0%} of the pairs lie within 10 s, where an even spread over the window gives "
        f"{10 / base.window_of(row):.0%}",
    )  # fmt: skip
