"""Rules about missions: in which order, up to which count, how soon after a release, and at what hours."""

from __future__ import annotations

from propgraph.clusters.baseline import Baseline, Row
from propgraph.clusters.context import OF_ONE_ORIGIN, OF_ONE_SITE
from propgraph.clusters.rules.rule import Finding, noun, rounded_up
from propgraph.missions.order import AGREEMENT, is_one_list, keeps_order
from propgraph.missions.releases import RARE

MISSION_ORDER = "mission-order"
QUOTA_STOP, RELEASE_BURST, SHIFT = "quota-stop", "release-burst", "shift"

_RARELY = 1e-3
_TIMES = 2.0  # of the number that chance gives
_LEAST = 5  # objects
_HOURS, _WEEKENDS = 2 / 3, 1 / 2  # of the usual hours, and of the usual share
_NO_DRAW = 0.005  # of 200 draws none is like it
_COUNTED = {
    "members": "the members' accounts", "accounts": "all accounts that shared it", "posts": "all posts of it",
}  # fmt: skip


def mission_order(row: Row, base: Baseline) -> Finding | None:
    """Ask whether members take the same things in the same order, one that no feed and no newsletter gives."""
    value = row.get("order_agreement")
    if value is None:
        return None
    expected, by_age = row["order_expected"], row["order_by_age"]
    n, pairs = row["n_order_accounts"], row["n_order_pairs"]
    ages = (
        "of whose ages nothing is known"
        if by_age is None
        else f"{by_age:.0%} of the steps go from the older to the newer"
    )
    return Finding(
        MISSION_ORDER, value, AGREEMENT, expected, keeps_order(row) and not is_one_list(row),
        f"{n:,} of the {row['n_accounts']:,} members take things in one order: of two who shared the same two objects "
        f"in a session of each ({pairs:,} such pairs of objects, all there before it began) {value:.0%} did so "
        f"in the same order (by chance: {expected:.0%}); it is not the order of publication ({ages}), nor that of a "
        f"list read at one sitting ({row['order_one_sitting']:.0%} of those who shared the two did so in one session); "
        "readers of one long list, such as a playlist, over several days look the same",
    )  # fmt: skip


def quota_stop(row: Row, base: Baseline) -> Finding | None:
    """Ask whether objects stop at one count far oftener than steady attendance would leave them there."""
    value, p = row.get("n_at_quota"), row.get("quota_p")
    if value is None or p is None:
        return None
    expected, tail, usual = row["expected_at_quota"], row["quota_tail"], row["usual_tail"]
    pace = (
        ""
        if tail is None or usual is None
        else f"; the last tenth of the posts took {tail:.0%} of an object's time (of others of like size: {usual:.0%})"
    )
    thing, threshold = noun({"timing_trace": row["quota_trace"]}), max(_TIMES * expected, _LEAST)
    return Finding(
        QUOTA_STOP, value, threshold, expected, p <= _RARELY and value >= threshold,
        f"{value:,} {thing}s stopped at {row['quota']:,} each ({_COUNTED[row['quota_counted']]}), of "
        f"{row['n_near_quota']:,} with a count at most a fifth away, where accounts that come or not by themselves "
        f"would leave at most {expected:,.1f} at one count (p <= {rounded_up(p)}){pace}; a limit set by a tool, or the "
        "end of a list, looks the same",
    )  # fmt: skip


def release_burst(row: Row, base: Baseline) -> Finding | None:
    """Ask whether members come within minutes of the first of them, task after task, oftener than others do.

    It rests where most of what they met over is one site's or one other account's: staff share what their outlet has,
    and fans what their star says, as soon as it is out.
    """
    value, n, p = row.get("n_prompt"), row.get("n_releases"), row.get("release_p")
    if value is None or n is None or p is None:
        return None
    expected = RARE * n
    fires = p <= _RARELY and value >= max(_TIMES * expected, _LEAST)
    site, usual = row["met_site_share"] or 0.0, row["met_site_all"] or 0.0
    if site >= max(OF_ONE_SITE, 2 * usual) or (row["met_origin_share"] or 0.0) >= OF_ONE_ORIGIN:
        return None
    thing = noun({"timing_trace": row["release_trace"]})
    share, elsewhere = row["release_share"], row["usual_release_share"]
    # Where the other tasks are slow all of them together say the contrary.
    over = (
        f"over all {n:,} {share:.0%} of those who came, where others who came later, or these members elsewhere, would "
        f"make it {elsewhere:.0%}; "
        if share > elsewhere
        else f"at the other {n - value:,} they come no sooner than others, or later; "
    )
    return Finding(
        RELEASE_BURST, value, max(_TIMES * expected, _LEAST), expected, fires,
        f"at {value:,} of {n:,} {thing}s that six members or more shared, more of them came within ten minutes of the "
        f"first than chance has once in twenty ({over}p <= {rounded_up(p)}); a newsletter or an alert that "
        "all of them get looks the same",
    )  # fmt: skip


def shift(row: Row, base: Baseline) -> Finding | None:
    """Tell when a cluster is at work, where that is far from when as many accounts as active are; it counts nothing."""
    hours, p = row.get("active_hours"), row.get("shift_p")
    if hours is None or p is None:
        return None
    usual = row["usual_active_hours"]
    weekend, usual_weekend = row["weekend_share"], row["usual_weekend_share"]
    by_day = weekend is not None and row["weekend_p"] <= _NO_DRAW and weekend <= _WEEKENDS * usual_weekend
    until = (row["active_from_h"] + hours) % 24
    days = (
        "" if weekend is None else f"; on weekends {weekend:.0%} of their posts (others: {usual_weekend:.0%})"
    )
    quiet = f"; all but silent on {', '.join(row['quiet_days'])}" if row["quiet_days"] else ""
    return Finding(
        SHIFT, hours, _HOURS * usual, usual, by_day or (p <= _NO_DRAW and hours <= _HOURS * usual),
        f"active {row['active_from_h']:02d} to {until:02d} UTC: nine tenths of their posts fall into {hours} hours of "
        f"the day, those of as many accounts as active into {usual:g}{days}{quiet}; an office keeps such hours, too",
    )  # fmt: skip
