"""Rules about missions: in which order, up to which count, how soon after a release, and at what hours."""

from __future__ import annotations

from propgraph.clusters.baseline import Baseline, Row
from propgraph.clusters.context import OF_ONE_ORIGIN, OF_ONE_SITE
from propgraph.clusters.rules.rule import Finding, about
from propgraph.missions.order import AGREEMENT, is_one_list, keeps_order
from propgraph.missions.releases import RARE
from propgraph.words.said import said

MISSION_ORDER = "mission-order"
QUOTA_STOP, RELEASE_BURST, SHIFT = "quota-stop", "release-burst", "shift"

_RARELY = 1e-3
_TIMES = 2.0  # of the number that chance gives
_LEAST = 5  # objects
_HOURS, _WEEKENDS = 2 / 3, 1 / 2  # of the usual hours, and of the usual share
_NO_DRAW = 0.005  # of 200 draws none is like it


def mission_order(row: Row, base: Baseline) -> Finding | None:
    """Ask whether members take the same things in the same order, one that no feed and no newsletter gives."""
    value = row.get("order_agreement")
    if value is None:
        return None
    expected, by_age = row["order_expected"], row["order_by_age"]
    ages = (
        said("rules.ages-unknown") if by_age is None else said("rules.older-to-newer", part=by_age)
    )  # fmt: skip
    return Finding(
        MISSION_ORDER, value, AGREEMENT, expected, keeps_order(row) and not is_one_list(row),
        said(
            "rules.mission-order", n=row["n_order_accounts"], n_accounts=row["n_accounts"], pairs=row["n_order_pairs"],
            value=value, expected=expected, ages=ages, one_sitting=row["order_one_sitting"],
        ),
    )  # fmt: skip


def quota_stop(row: Row, base: Baseline) -> Finding | None:
    """Ask whether objects stop at one count far oftener than steady attendance would leave them there."""
    value, p = row.get("n_at_quota"), row.get("quota_p")
    if value is None or p is None:
        return None
    expected, tail, usual = row["expected_at_quota"], row["quota_tail"], row["usual_tail"]
    known = tail is not None and usual is not None
    pace = said("rules.last-tenth", part=tail, usual=usual) if known else None
    threshold = max(_TIMES * expected, _LEAST)
    return Finding(
        QUOTA_STOP, value, threshold, expected, p <= _RARELY and value >= threshold,
        said(
            "rules.quota-stop", n=value, trace=row["quota_trace"], quota=row["quota"], counted=row["quota_counted"],
            n_near=row["n_near_quota"], expected=expected, pace=pace,
        ),
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
    share, elsewhere = row["release_share"], row["usual_release_share"]
    # Where the other tasks are slow all of them together say the contrary.
    over = (
        said("rules.over-all", n=n, part=share, usual=elsewhere)
        if share > elsewhere
        else said("rules.at-the-others", n=n - value)
    )
    return Finding(
        RELEASE_BURST, value, max(_TIMES * expected, _LEAST), expected, fires,
        said(
            "rules.release-burst", n=value, n_all=n, trace=row["release_trace"], by_chance=about(expected), over=over
        ),
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
    days = None if weekend is None else said("rules.weekends", part=weekend, usual=usual_weekend)
    silent = [said("words.date", day=day) for day in row["quiet_days"] or []]
    return Finding(
        SHIFT, hours, _HOURS * usual, usual, by_day or (p <= _NO_DRAW and hours <= _HOURS * usual),
        said(
            "rules.shift", start=f"{row['active_from_h']:02d}", end=f"{until:02d}", hours=hours, usual=usual, days=days,
            quiet=said("rules.quiet", days=silent) if silent else None,
        ),
    )  # fmt: skip
