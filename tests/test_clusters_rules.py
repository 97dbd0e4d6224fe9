from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import polars as pl
import pytest

from propgraph.clusters.baseline import Baseline
from propgraph.clusters.evidence import pairs_among, posts_of_finding
from propgraph.clusters.judge import judge
from propgraph.clusters.readings import innocent_readings
from propgraph.clusters.rules import RULES
from propgraph.schema import TIME

DAY = 86_400
# A cluster of twenty that does nothing special: it met as often as the outsiders' rate gives.
PLAIN = {
    "n_accounts": 20, "timing_trace": "url", "observed": 10.0, "expected": 10.0, "nominal_p": 0.8,
    "window_rate": 0.1, "outsider_rate": 0.1, "usual_rate": 0.1, "p_value": None, "n_by_habit": 0,
    "by_habit_share": 0.0, "co_objects": 2.0, "expected_co_objects": 2.0, "fast_share": 0.1,
    "top_site": "x.com", "top_site_share": 0.2, "n_links": 100, "original_share": 0.5, "n_created": 20,
    "creation_spread_s": 300.0 * DAY, "n_targets": 4, "typical_targets": 1.0, "met_site_share": 0.2,
    "met_site_all": 0.2, "met_site_inside": 0.1, "met_origin_share": 0.1, "top_object_share": 0.1,
    "turnout": 0.1, "n_gathered": 2, "compared": True, "n_outsider_pairs": 1000.0, "n_alone": 0, "n_synchronised": 0,
    "synchronised_share": 0.0, "best_p": None, "time_resolution_s": 1.0, "n_objects": 12, "met_site": "x.com",
    "met_origin": "star", "leader_account_id": "ana", "leader_share": 0.1, "leader_delay_s": 20.0, "leader_p": 1.0,
    "leader_expected": 0.2, "leader_inside": True, "n_led": 2, "n_meetings": 20, "seconds_share": 0.1, "n_timed": 50,
    "offset_spread_s": 15.0, "n_constant": 9, "in_order_share": 0.6, "n_in_order": 40, "in_order_s": 20.0,
    "co_shared": 0.95, "n_declared": 0,
    "declared_forms": ["volunteer", "join us"], "relay_crew_share": None, "n_of_crew": None, "crew_relays": None,
    "n_relay_jobs": None, "relay_turnout": None, "crew_lag_s": None, "crew_usual_s": None,
}  # fmt: skip
# What rules about timing, sites, originals, creation and groups see where the log cannot tell.
# Pairs by habit are counted: where none was tested there are none.
UNKNOWN = dict.fromkeys(PLAIN) | {"n_accounts": 20, "n_by_habit": 0, "by_habit_share": 0.0}


def base(**changes):
    """A log a fifth of whose links lead to x.com."""
    default = {"site_share": {"x.com": 0.2}, "window_s": 60.0, "q": 0.05}
    return Baseline(**(default | changes))


def judged(baseline=None, **changes):
    """Score, rules that fired, readings."""
    score, findings, fits = judge(PLAIN | changes, baseline or base())
    return score, [finding.rule for finding in findings], [fit.reading for fit in fits]


SYNCHRONISED = {"n_synchronised": 7, "synchronised_share": 0.5, "best_p": 2.3e-9}
# Found as a group alone: no pair of it stands out.
CREW = {"p_value": 0.003, "synchronised_share": 0.8}
AT_ONCE = {"observed": 100.0, "nominal_p": 0.05}
# As often as the outsiders' rate gives, so not repetitive.
IN_STEP = {"window_rate": 0.5, "co_objects": 5.0, "expected_co_objects": 5.0}
REPETITIVE = {"co_objects": 5.0}
TURNOUT = {"turnout": 0.5, "n_gathered": 10}
RELAYS = {
    "relay_crew_share": 0.5, "n_of_crew": 10, "crew_relays": ["r1", "r2", "r3", "r4"], "n_relay_jobs": 30,
    "relay_turnout": 0.6, "n_origins": 3, "crew_lag_s": 122.0, "crew_usual_s": 1448.0,
}  # fmt: skip
OWN = {"own_objects": 3, "usual_bursts": 0.36}
TOGETHER = {
    "lot_share": 0.8, "lot_expected": 0.02, "lot_limit": 0.1, "lot_p": 0.002, "lot_width_s": 1.0 * DAY, "n_in_lots": 16,
    "lots": ["2016-06-06: 9", "2016-03-01 to 2016-03-02: 7"], "n_lot_peers": None,
}  # fmt: skip
ALIKE = {
    "alike_share": 0.6, "alike_expected": 0.3, "alike_p": 0.01, "alike_by": "names", "n_alike": 12,
    "alike_what": "letters and 8 digits",
}  # fmt: skip
GROUPS = {
    "typical_targets": 5.0, "groups_per_object": 3.0, "groups_per_object_expected": 1.0, "groups_per_object_limit": 1.5,
    "n_group_peers": 400,
}  # fmt: skip
LAGS = {
    "lag_spread": 0.09, "lag_spread_expected": 0.7, "lag_spread_limit": 0.4, "lag_p": 0.01, "group_lag_s": 52.0,
    "n_lags": 300, "n_regular": 10,
}  # fmt: skip
SECONDS = {"fast_share": 0.5}
TEMPLATES = {
    "template_share": 0.56, "template_expected": 0.01, "template_limit": 0.03,
    "n_template_accounts": 10, "n_texts": 1406,
    "templates": ["share before it is gone: 10", "they hide this: everybody knows: 9", "wake up: 8", "pass it on: 3"],
}  # fmt: skip
NO_ORIGINALS = {
    "original_share": 0.1, "original_expected": 0.5, "original_limit": 0.3, "n_like": 210,
}  # fmt: skip
ONE_SITE = {"top_site_share": 0.8}
TOKEN = {
    "recruiter": {
        "mark": "ref=r06", "kind": "token", "values": ["r06"], "n_accounts": 20, "n_inside": 18, "purity": 0.9,
        "expected": 0.081, "n_links": 345, "n_sites": 16, "q_value": 4.9e-33,
    }
}  # fmt: skip
QUOTA = {
    "quota": 24, "quota_counted": "members", "quota_trace": "url", "n_at_quota": 41, "n_near_quota": 54,
    "expected_at_quota": 6.2, "quota_p": 3.1e-20, "quota_tail": 0.12, "usual_tail": 0.31,
}  # fmt: skip
RELEASES = {
    "n_prompt": 18, "n_releases": 100, "release_p": 2e-5, "release_trace": "url", "release_share": 0.2,
    "usual_release_share": 0.03,
}  # fmt: skip
SHIFT = {
    "active_from_h": 22, "active_hours": 8, "usual_active_hours": 15.0, "shift_p": 1 / 201, "weekend_share": None,
    "usual_weekend_share": None, "weekend_p": None, "quiet_days": None,
}  # fmt: skip


def test_nothing_fires_on_a_plain_cluster():
    assert judged() == (0, [], [])
    assert judge(UNKNOWN, base())[:2] == (0, [])
    nothing = base(site_share={})
    assert judge(UNKNOWN, nothing)[:2] == (0, [])
    assert judge(PLAIN, nothing)[:2] == (0, [])


@pytest.mark.parametrize(
    ("rule", "fires", "changes"),
    [
        ("synchronised", True, SYNCHRONISED),
        ("synchronised", False, SYNCHRONISED | {"synchronised_share": 0.49}),
        ("synchronised", False, {"synchronised_share": 1.0}),
        ("synchronised", True, CREW),
        ("synchronised", True, CREW | {"synchronised_share": 0.5}),
        ("synchronised", False, CREW | {"synchronised_share": 0.49}),
        ("at-once", True, AT_ONCE),
        ("at-once", False, AT_ONCE | {"observed": 99.9}),
        ("at-once", False, AT_ONCE | {"nominal_p": 0.051}),
        ("at-once", True, {"observed": 30.0, "nominal_p": 1e-12}),
        ("at-once", False, {"observed": 29.9, "nominal_p": 1e-12}),
        ("at-once", False, {"observed": 99.9, "nominal_p": 1.1e-12}),
        ("at-once", False, AT_ONCE | {"compared": False}),
        ("in-step", True, IN_STEP),
        ("in-step", False, IN_STEP | {"window_rate": 0.49}),
        ("in-step", False, IN_STEP | {"co_objects": 4.5}),
        ("in-step", True, IN_STEP | {"outsider_rate": 0.4}),
        ("in-step", False, IN_STEP | {"outsider_rate": 0.41}),
        ("repetitive", True, REPETITIVE),
        ("repetitive", False, REPETITIVE | {"co_objects": 4.9}),
        ("repetitive", False, REPETITIVE | {"expected_co_objects": 5.0}),
        ("turnout", True, TURNOUT),
        ("turnout", False, TURNOUT | {"turnout": 0.49}),
        ("turnout", True, TURNOUT | {"n_gathered": 5}),
        ("turnout", False, TURNOUT | {"n_gathered": 4, "turnout": 1.0}),
        ("relayed", True, RELAYS),
        ("relayed", False, RELAYS | {"relay_crew_share": 0.49}),
        ("relayed", True, RELAYS | {"time_resolution_s": 724.0}),
        ("relayed", False, RELAYS | {"time_resolution_s": 725.0}),
        # Three are enough where 36 % cubed, 4.7 %, is the chance of as many whole bursts; where 37 % is, it takes four.
        ("own-bursts", True, OWN),
        ("own-bursts", False, OWN | {"usual_bursts": 0.37}),
        ("own-bursts", True, OWN | {"usual_bursts": 0.37, "own_objects": 4}),
        ("own-bursts", True, OWN | {"usual_bursts": 0.0}),
        ("own-bursts", False, OWN | {"usual_bursts": 1.0, "own_objects": 99}),
        ("own-bursts", False, OWN | {"usual_bursts": None}),
        ("created-together", True, TOGETHER),
        ("created-together", False, TOGETHER | {"lot_share": 0.24}),
        ("created-together", True, TOGETHER | {"lot_share": 0.25}),
        # The 99 % point of draws, twice their mean, and 1 % by the scan over all spans.
        ("created-together", False, TOGETHER | {"lot_limit": 0.81}),
        ("created-together", True, TOGETHER | {"lot_expected": 0.4}),
        ("created-together", False, TOGETHER | {"lot_expected": 0.41}),
        ("created-together", True, TOGETHER | {"lot_p": 0.01}),
        ("created-together", False, TOGETHER | {"lot_p": 0.011}),
        ("alike-profiles", True, ALIKE),
        ("alike-profiles", False, ALIKE | {"alike_share": 0.24, "alike_expected": 0.01}),
        ("alike-profiles", False, ALIKE | {"alike_expected": 0.31}),
        ("alike-profiles", False, ALIKE | {"alike_p": 0.011}),
        # Volunteers who number their names and say what they are.
        ("alike-profiles", True, ALIKE | {"n_declared": 9}),
        ("alike-profiles", False, ALIKE | {"n_declared": 10}),
        ("alike-profiles", True, ALIKE | {"n_declared": 10, "alike_by": "ids"}),
        ("recruiter-token", True, TOKEN),
        ("recruiter-token", True, TOKEN | {"n_declared": 9}),
        # Volunteers who say so, and whose links carry what their URL builder adds.
        ("recruiter-token", False, TOKEN | {"n_declared": 10}),
        ("many-groups", True, GROUPS),
        ("many-groups", False, GROUPS | {"typical_targets": 4.9}),
        ("many-groups", True, GROUPS | {"groups_per_object": 2.0}),
        ("many-groups", False, GROUPS | {"groups_per_object": 1.9}),
        ("many-groups", False, GROUPS | {"groups_per_object_limit": 3.1}),
        ("many-groups", False, GROUPS | {"groups_per_object_expected": None}),
        ("regular-gaps", True, LAGS),
        ("regular-gaps", True, LAGS | {"lag_spread": 0.25}),
        ("regular-gaps", False, LAGS | {"lag_spread": 0.26}),
        # Where others keep time as well, as on a platform that does it for everybody.
        ("regular-gaps", False, LAGS | {"lag_spread_limit": 0.08}),
        ("regular-gaps", True, LAGS | {"lag_spread_limit": None}),
        ("regular-gaps", False, LAGS | {"lag_p": 0.011}),
        # One account with a schedule, or two, or fewer than half.
        ("regular-gaps", False, LAGS | {"n_regular": 1}),
        ("regular-gaps", False, LAGS | {"n_regular": 9}),
        ("regular-gaps", False, LAGS | {"n_regular": 2, "n_accounts": 4}),
        ("regular-gaps", True, LAGS | {"n_regular": 3, "n_accounts": 6}),
        ("within-seconds", True, SECONDS),
        ("within-seconds", False, SECONDS | {"fast_share": 0.49}),
        ("template-text", True, TEMPLATES),
        ("template-text", True, TEMPLATES | {"template_share": 0.2}),
        ("template-text", False, TEMPLATES | {"template_share": 0.19}),
        ("template-text", False, TEMPLATES | {"n_template_accounts": 9}),
        ("template-text", False, TEMPLATES | {"template_limit": 0.56}),
        ("template-text", True, TEMPLATES | {"template_limit": None, "template_expected": None}),
        ("low-originality", True, NO_ORIGINALS),
        ("low-originality", False, NO_ORIGINALS | {"original_share": 0.11}),
        # Where hardly anybody like them posts originals, few originals say nothing.
        ("low-originality", True, NO_ORIGINALS | {"original_expected": 0.21}),
        ("low-originality", False, NO_ORIGINALS | {"original_expected": 0.20}),
        ("low-originality", False, NO_ORIGINALS | {"original_limit": 0.1}),
        # Of few accounts like these often none posts an original: 0 is not under 0.
        ("low-originality", False, NO_ORIGINALS | {"original_share": 0.0, "original_limit": 0.0}),
        ("low-originality", True, NO_ORIGINALS | {"original_share": 0.0, "original_expected": 0.2}),
        ("low-originality", False, NO_ORIGINALS | {"original_share": 0.0, "original_expected": 0.19}),
        ("low-originality", False, NO_ORIGINALS | {"original_expected": None}),
        ("single-site", True, ONE_SITE),
        ("single-site", False, ONE_SITE | {"top_site_share": 0.79}),
        ("single-site", True, ONE_SITE | {"n_links": 10}),
        ("single-site", False, ONE_SITE | {"n_links": 9}),
    ],
)  # fmt: skip
def test_a_rule_fires_at_its_threshold(rule, fires, changes):
    assert judged(**changes)[1] == ([rule] if fires else [])


@pytest.mark.parametrize(
    ("rule", "fires", "changes", "log"),
    [
        # Of a window beyond a minute, twice the outsiders' rate.
        ("in-step", True, IN_STEP | {"outsider_rate": 0.25}, {"window_s": 61.0}),
        ("in-step", False, IN_STEP | {"outsider_rate": 0.26}, {"window_s": 61.0}),
        ("in-step", False, {"window_rate": 0.9, "co_objects": 4.9, "compared": False}, {"window_s": 61.0}),
        # Ten seconds say little about a window of less than twenty.
        ("within-seconds", True, SECONDS, {"window_s": 20.0}),
        ("within-seconds", False, SECONDS, {"window_s": 19.0}),
        # Nor do whole minutes tell what lies within ten seconds.
        ("within-seconds", False, {"fast_share": None}, {}),
        # Over whole hours a window of a minute is an hour, and twice the outsiders' rate is asked for.
        ("in-step", True, IN_STEP | {"outsider_rate": 0.26, "time_resolution_s": 60.0}, {}),
        ("in-step", True, IN_STEP | {"outsider_rate": 0.25, "time_resolution_s": 3600.0}, {}),
        ("in-step", False, IN_STEP | {"outsider_rate": 0.26, "time_resolution_s": 3600.0}, {}),
        ("in-step", False, {"window_rate": 0.9, "co_objects": 4.9, "compared": False,
                             "time_resolution_s": 86400.0}, {}),
        # A crowd that came on one day may have come at any hour of it.
        ("turnout", True, TURNOUT | {"time_resolution_s": 60.0}, {}),
        ("turnout", True, TURNOUT | {"time_resolution_s": 3600.0}, {"window_s": 3600.0}),
        ("turnout", False, TURNOUT | {"time_resolution_s": 3600.0}, {}),
        ("turnout", False, TURNOUT | {"time_resolution_s": 60.5}, {}),
        ("turnout", True, TURNOUT | {"time_resolution_s": 60.0}, {"window_s": 30.0}),
        ("turnout", False, TURNOUT | {"time_resolution_s": 60.5}, {"window_s": 30.0}),
        ("turnout", True, TURNOUT, {"window_s": 7200.0}),
        ("turnout", False, TURNOUT | {"time_resolution_s": 7200.5}, {"window_s": 7200.0}),
        # Where half of all links lead to the site anyway.
        ("single-site", True, ONE_SITE, {"site_share": {"x.com": 0.49}}),
        ("single-site", False, ONE_SITE, {"site_share": {"x.com": 0.5}}),
    ],
)  # fmt: skip
def test_a_rule_is_held_against_the_log(rule, fires, changes, log):
    assert judged(base(**log), **changes)[1] == ([rule] if fires else [])


LED = {"leader_share": 0.5, "leader_p": 0.001, "leader_delay_s": 60.0, "n_led": 10, "n_meetings": 20}


@pytest.mark.parametrize(
    ("changes", "readings"),
    [
        ({}, []),
        # Three of five links to one site, twice its part of all links, and outsiders make half of the site's.
        ({"met_site_share": 0.6, "met_site_all": 0.3, "met_site_inside": 0.5}, ["one-outlet"]),
        ({"met_site_share": 0.59, "met_site_all": 0.01, "met_site_inside": 0.1}, []),
        ({"met_site_share": 0.6, "met_site_all": 0.31, "met_site_inside": 0.1}, []),
        ({"met_site_share": 0.9, "met_site_all": 0.01, "met_site_inside": 0.51}, []),
        ({"met_origin_share": 0.5}, ["fans"]),
        ({"met_origin_share": 0.49}, []),
        ({"top_object_share": 0.5}, ["breaking-news"]),
        ({"top_object_share": 0.49}, []),
        # Seconds and constant delays tell one hand, not how many accounts there are.
        ({"seconds_share": 0.5}, ["one-hand"]),
        ({"seconds_share": 0.49}, []),
        ({"seconds_share": 1.0, "n_timed": 4}, []),
        ({"n_accounts": 3, "fast_share": 1.0}, []),
        ({"offset_spread_s": 1.0}, ["one-hand"]),
        ({"offset_spread_s": 1.1}, []),
        ({"in_order_share": 0.9}, ["one-hand"]),
        ({"in_order_share": 0.89}, []),
        ({"in_order_share": 1.0, "n_in_order": 9}, []),
        (LED, ["institution"]),
        # Activists are those who say so.
        ({"n_declared": 10}, ["activists"]),
        ({"n_declared": 9}, []),
        (LED | {"leader_share": 0.49}, []),
        (LED | {"leader_p": 0.0011}, []),
        (LED | {"leader_delay_s": 61.0}, []),
        (LED | {"n_meetings": 4}, []),
        ({"met_origin_share": 1.0, "top_object_share": 1.0}, ["fans", "breaking-news"]),
        # Told where the members' own objects have too few others, whatever the usual rate of the log may stand in for.
        ({"n_outsider_pairs": 19.0}, ["no-comparison"]),
        ({"n_outsider_pairs": 20.0}, []),
        ({"n_alone": 7}, ["no-comparison"]),  # of twelve
        ({"n_alone": 6}, []),
        ({"n_outsider_pairs": 0.0, "compared": False}, ["no-comparison"]),
    ],
)  # fmt: skip
def test_innocent_readings(changes, readings):
    assert [fit.reading for fit in innocent_readings(PLAIN | changes, base())] == readings


def test_what_the_log_cannot_tell_has_no_innocent_reading():
    assert innocent_readings(UNKNOWN, base()) == []


def said(reading, **changes):
    """Value, threshold, and what speaks for and against the one reading that fits."""
    [fit] = innocent_readings(PLAIN | changes, base())
    assert fit.reading == reading
    return fit.value, fit.threshold, fit.speaks_for, fit.speaks_against


def test_readings_say_what_speaks_for_and_against_them():
    outlet = {"met_site_share": 0.81, "met_site_all": 0.004, "met_site_inside": 0.3}
    assert said("one-outlet", **outlet, n_synchronised=1, window_rate=0.68) == (
        0.81, 0.6,
        "81% of the posts over which they met link to x.com, where less than 1% of all links of this log do, and other "
        "accounts made 70% of the links to it",
        "1 pair of them stand nearer to each other in time, link after link, than others who shared the same links do; "
        "when two of them share the same link they do so within 60 s 68% of the time, others who shared it 10%",
    )  # fmt: skip
    assert said("fans", met_origin_share=0.75, **TOGETHER) == (
        0.75, 0.5, "75% of the posts over which they met go back to one account, star, which is not one of them",
        "16 of the 20 accounts were opened in lots of a day or less",
    )  # fmt: skip
    # No more in step than 1.25 times the others, nothing else: there is nothing against it.
    assert said("fans", met_origin_share=0.75, window_rate=0.125)[3] == (
        "nothing that was measured speaks against it"
    )
    assert said("breaking-news", top_object_share=0.9, timing_trace="reshare")[2:] == (
        "of their pairs of posts within 60 s 90% are about one and the same post",
        "they met over 11 other posts as well; nothing that was measured speaks against it",
    )
    assert said("breaking-news", top_object_share=1.0, n_objects=1)[3] == (
        "nothing that was measured speaks against it"
    )


def test_leaders_and_tools_are_told_with_how_often_and_how_near():
    assert said("institution", **LED | {"n_led": 18, "leader_share": 0.9, "leader_delay_s": 0.4}) == (
        0.9, 0.5,
        "one account, ana (one of them), was the first to post 18 of the 20 times they met, where chance would make it "
        "about 4; the others followed after less than a second (median)",
        "a hired crew that waits for one account looks the same; with the other 2 others came first",
    )  # fmt: skip
    outside = said(
        "institution", **LED | {"n_led": 20, "leader_share": 1.0, "leader_inside": False} | TOGETHER
    )
    assert "ana (not one of them), was the first to post 20 of the 20 times" in outside[2]
    assert outside[3] == (
        "a hired crew that waits for one account looks the same; 16 of the 20 accounts were opened in lots of a day or "
        "less"
    )
    assert said("one-hand", seconds_share=0.82, co_shared=0.6) == (
        0.82, 0.5,
        "the pairs of accounts that met most often met 50 times, and 82% of the time their posts are at most 2 s apart",
        "a tool says nothing about who uses it and what for; 40% of what they shared they shared without each other",
    )  # fmt: skip
    assert said("one-hand", offset_spread_s=0.0) == (
        0.0, 1.0,
        "the delay between the posts of the 9 pairs of accounts that met 5 times or more is the same again and again, "
        "give or take 0 s (median)",
        "a tool says nothing about who uses it and what for",
    )  # fmt: skip
    assert said("one-hand", in_order_share=0.96)[:3] == (
        0.96, 0.9,
        "of two accounts that met 5 times or more the same one came first 96% of the time (40 meetings; the other 20 s "
        "later, median), as where somebody, or a feed, goes from page to page",
    )  # fmt: skip
    assert said("one-hand", offset_spread_s=0.5, n_constant=1)[2] == (
        "the delay between the posts of the pair of accounts that met 5 times or more is the same again and again, "
        "give or take less than a second (median)"
    )


def test_activists_are_told_with_the_words_that_were_found():
    assert said("activists", n_declared=17) == (
        0.85, 0.5,
        "17 of the 20 accounts say that they act together, in their names or in the posts over which they met "
        "('volunteer', 'join us')",
        "anybody can write such words; the other 3 say nothing of the kind",
    )  # fmt: skip
    assert said("activists", n_declared=20)[3] == "anybody can write such words"


def test_what_cannot_be_compared_is_told_with_what_stands_in_for_it():
    value, threshold, in_favour, against = said(
        "no-comparison", n_outsider_pairs=1.0, window_rate=0.7, outsider_rate=0.03
    )
    assert (value, threshold) == (1, 20)
    assert in_favour == (
        "hardly anybody else shared the links that they have in common: other accounts' posts of these make 1 pair, "
        "too few (under 20) to say how near in time is usual"
    )
    assert against == (
        "when two of them share the same link they do so within 60 s 70% of the time, for links of this log it is "
        "usually 3%"
    )
    assert said("no-comparison", n_alone=9)[:3] == (
        0.75, 0.5,
        "of the 12 links over which they met, 9 were shared by others once at most, too seldom to say how near in time "
        "is usual",
    )  # fmt: skip
    as_usual = said("no-comparison", n_outsider_pairs=1.0)[3]
    assert as_usual == "in the rest of this log two posts of the same link are as near in time as often"
    nobody = said("no-comparison", n_outsider_pairs=0.0, compared=False)[3]
    assert nobody == "the log holds no other accounts to compare with, so nothing can speak against it"


@pytest.mark.parametrize(
    ("score", "changes", "readings"),
    [
        # One rule about timing, without repetition: .40 * .8, .30 * .8.
        (0.32, AT_ONCE, []),
        (0.24, IN_STEP, []),
        # Neither synchronised nor in step: (1 - .7) * .3.
        (0.09, REPETITIVE, []),
        # What is beyond chance pair by pair needs no window: .65; halved for fans; with the window 1 - .35 * .6.
        (0.65, SYNCHRONISED, []),
        (0.325, SYNCHRONISED | {"met_origin_share": 0.5}, ["fans"]),
        # One story explains a window, not nearness in the order of several objects' posts.
        (0.65, SYNCHRONISED | {"top_object_share": 0.5}, []),
        (0.79, SYNCHRONISED | AT_ONCE, []),
        # A crew behind relays is beyond chance by itself, too: .60; halved for fans; one story explains no tree.
        (0.60, RELAYS, []),
        (0.30, RELAYS | {"met_origin_share": 0.5}, ["fans"]),
        (0.60, RELAYS | {"top_object_share": 0.5}, []),
        # 1 - .6 * .7.
        (0.58, AT_ONCE | REPETITIVE, []),
        # A crowd that was called three times: 1 - .6 * .7, uncut, and nothing without any synchrony.
        (0.58, AT_ONCE | TURNOUT, []),
        (0.09, TURNOUT, []),
        # 1 - .6 * .7 * .7.
        (0.706, AT_ONCE | REPETITIVE | {"window_rate": 0.5}, []),
        # 1 - .6 * .7 * .65.
        (0.727, AT_ONCE | REPETITIVE | TOGETHER, []),
        # (1 - .6 * .7) / 2 for fans, and again for one story.
        (0.29, AT_ONCE | REPETITIVE | {"met_origin_share": 0.5}, ["fans"]),
        (0.145, AT_ONCE | REPETITIVE | {"met_origin_share": 0.5, "top_object_share": 0.5},
         ["fans", "breaking-news"]),
        # One hand explains who, not why: 1 - .6 * .7 stays; crews are led, too.
        (0.58, AT_ONCE | REPETITIVE | {"seconds_share": 0.9}, ["one-hand"]),
        (0.58, AT_ONCE | REPETITIVE | LED, ["institution"]),
        # Made together, in many groups, within seconds, no originals, one site, but no synchrony:
        # (1 - .65 * .75 * .85 * .85 * .95) * .3 * .8.
        (0.159694, TOGETHER | GROUPS | SECONDS | NO_ORIGINALS | ONE_SITE, []),
    ],
)  # fmt: skip
def test_scores_by_hand(score, changes, readings):
    found, _, also = judged(**changes)
    assert found == pytest.approx(score, abs=5e-7)
    assert also == readings


ALL_FIRE = (
    SYNCHRONISED
    | AT_ONCE
    | IN_STEP
    | REPETITIVE
    | TURNOUT
    | RELAYS
    | OWN
    | TOGETHER
    | TOKEN
    | ALIKE
    | GROUPS
    | LAGS
    | TEMPLATES
    | SECONDS
    | NO_ORIGINALS
    | ONE_SITE
)
ORDER = {
    "n_order_accounts": 8, "n_order_pairs": 40, "order_agreement": 0.9, "order_expected": 0.5, "order_p": 0.005,
    "order_by_age": 0.5, "order_one_sitting": 0.4,
}  # fmt: skip
ALL_FIRE |= {"expected_co_objects": 2.0} | ORDER | QUOTA | RELEASES | SHIFT


def test_an_order_flags_by_itself_whatever_explains_synchrony():
    assert judged(**ORDER)[0] == pytest.approx(0.65)
    # One outlet halves what is said of synchrony, and nothing of the order.
    outlet = {"met_site_share": 1.0, "met_site_all": 0.1, "met_site_inside": 0.1}
    alone, _, fits = judged(**REPETITIVE, **AT_ONCE, **outlet)
    assert "one-outlet" in fits
    assert judged(**ORDER, **REPETITIVE, **AT_ONCE, **outlet)[0] == pytest.approx(1 - 0.35 * (1 - alone))


@pytest.mark.parametrize(
    ("told", "way"),
    [({"order_by_age": 0.05}, "from the newer to the older"), ({"order_by_age": 0.9}, "from the older to the newer"),
     ({"order_one_sitting": 0.95}, "at one sitting, as readers of one newsletter")],
)  # fmt: skip
def test_the_order_of_a_feed_or_a_newsletter_is_an_innocent_reading(told, way):
    score, rules, fits = judged(**ORDER | told)
    assert (score, rules) == (0, [])
    assert fits == ["one-list"]
    _, _, (fit,) = judge(PLAIN | ORDER | told, base())
    assert way in fit.speaks_for
    assert "an app that lists its tasks in this way looks the same" in fit.speaks_against
    assert judged(**ORDER)[2] == []


def test_an_order_of_things_without_ages_may_be_a_feeds_and_claims_no_sitting():
    unknown = ORDER | {"order_by_age": None}
    assert judged(**unknown)[:2] == (0, [])
    _, _, (fit,) = judge(PLAIN | unknown, base())
    assert (fit.reading, fit.value, fit.threshold) == ("one-list", 0.9, 0.7)
    assert "the two of each pair come up at one moment" in fit.speaks_for
    assert "sitting 90%" in fit.speaks_for  # how many agreed, of those who shared two at one sitting
    assert "40%" not in fit.speaks_for  # too few shared both at one sitting for a newsletter
    _, _, (fit,) = judge(PLAIN | unknown | {"order_one_sitting": 0.95}, base())
    assert (fit.value, fit.threshold) == (0.95, 0.8)
    assert "95% of those who shared both did so at one sitting" in fit.speaks_for


def test_a_recruiters_token_needs_no_synchrony_and_flags_nobody_alone():
    assert judged(**TOKEN)[0] == pytest.approx(0.8 * 0.35)
    assert judged(**TOKEN, **GROUPS)[0] == pytest.approx(0.8 * (1 - 0.65 * 0.75))
    assert judged(**TOKEN, **GROUPS, **TOGETHER)[0] == pytest.approx(0.8 * (1 - 0.65 * 0.75 * 0.65))
    assert judged(**TOKEN, **REPETITIVE)[0] == pytest.approx(1 - 0.65 * 0.7)
    assert judged(**TOKEN, **REPETITIVE, n_declared=10)[0] == pytest.approx(0.3 * 0.3)


def test_all_rules_together_stay_below_one():
    score, rules, _ = judged(**ALL_FIRE)
    assert sorted(rules) == sorted(rule.name for rule in RULES)
    # 1 - .35 * .4 * .6 * .7 * .7 * .7 * .35 * .65 * .65 * .75 * .75 * .75 * .75 * .85 * .85 * .95 * .7 * .95, and
    # .35 for the order
    assert score == pytest.approx(0.999785, abs=5e-6)


def test_no_score_leaves_0_to_1():
    switches = [SYNCHRONISED, AT_ONCE, IN_STEP, REPETITIVE, TURNOUT, RELAYS, TOGETHER, GROUPS, SECONDS, NO_ORIGINALS,
                ONE_SITE, {"met_origin_share": 1.0}, LED]  # fmt: skip
    baseline = base()
    for on in product([False, True], repeat=len(switches)):
        row = dict(PLAIN)
        for switch, chosen in zip(switches, on, strict=True):
            row |= switch if chosen else {}
        assert 0 <= judge(row, baseline)[0] <= 1


def test_sentences_give_figures_and_no_verdict():
    _, findings, _ = judge(PLAIN | ALL_FIRE, base())
    said = {finding.rule: finding.sentence for finding in findings}
    assert said["at-once"] == (
        "100 pairs of members' posts of the same link lie within 60 s, 10 times as many as the timing of others who "
        "shared the same gives (10)"
    )
    assert said["in-step"] == (
        "when two members share the same link, 50% of their pairs of posts lie within 60 s, on average over what they "
        "shared (others: 10%)"
    )
    assert said["repetitive"] == (
        "half of the members or more posted the same as another member, within 60 s, over 5 different things or more, "
        "where others' timing gives 2"
    )
    assert said["within-seconds"] == (
        "50% of the pairs lie within 10 s, where an even spread over the window gives 17%"
    )
    assert said["single-site"] == "80% of the members' 100 links lead to x.com, where 20.0% of all links do"
    assert said["recruiter-token"] == (
        "18 of the 20 accounts whose links carry the tracking token ref=r06 are members, where of as many accounts "
        "that carry any such token 2 would be: 345 links to 16 sites, no single site's own; a list of links handed to "
        "volunteers, or links copied from each other, tokens and all, look the same"
    )
    assert said["relayed"] == (
        "10 of the 20 members are 4 relays of the same cascades (r1, r2, r3, ...) or stand under these, cascade after "
        "cascade, oftener than parents drawn among the earlier posts would have it: over "
        "30 cascades, nine in ten of which go back to 3 accounts, when one follower of a relay came, 60% of its others "
        "did, half within 122 s of the post before "
        "(other people: 1,448 s); branches of one movement that pass on its posts at once look the same"
    )
    assert said["created-together"] == (
        "16 of the 20 accounts whose age is known were made in 2 lots of a day or less (2016-06-06: 9; 2016-03-01 to "
        "2016-03-02: 7), where as many accounts in no cluster, drawn from the log, give fewer than one"
    )
    assert said["many-groups"] == (
        "half of the members or more posted into 5 groups or more and put the same link or post into 3.0 of them as "
        "a rule, where 400 accounts in no cluster with as many posts into groups put one into 1.0"
    )
    # e to the .09 is 1.094, to the .7 2.01.
    assert said["regular-gaps"] == (
        "10 of the 20 members went from one group to the next with the same link or post 300 times, 52 s apart "
        "(median), and kept to their own lag give or take 9%; others who post into groups: 101%"
    )
    assert said["template-text"] == (
        "56% of the members' 1,406 originals with a text hold, beside what stands for the title of their link, a "
        "remark that three of them or more write word for word, about several links, and hardly anybody in no cluster "
        "('share before it is gone', 'they hide this: everybody knows', 'wake up'; 10 of the 20 members); of as many "
        "accounts as active: 1.0%"
    )
    assert said["low-originality"] == (
        "10% of the members' posts are originals, where of 210 accounts in no cluster that post as much on the same "
        "platform it is 50%"
    )
    assert said["alike-profiles"] == (
        "12 of the 20 accounts have names by one template (letters and 8 digits), where of as many accounts in no "
        "cluster 30.0% do"
    )
    for sentence in said.values():
        for word in ("bot", "fake", "troll", "guilty", "automat"):
            assert word not in sentence.lower()


def test_sentences_say_what_coarse_times_can_tell():
    for resolution_s, nearby in (
        (None, "within 60 s"), (0.0, "within 60 s"), (0.001, "within 60 s"), (60.0, "within 60 s"),
        (3600.0, "in the same hour"), (86400.0, "on the same day"),
    ):  # fmt: skip
        coarse = (resolution_s or 0) > 10
        told = {"fast_share": None} if coarse else {}
        row = PLAIN | ALL_FIRE | {"window_rate": 0.6, "time_resolution_s": resolution_s} | told
        findings = judge(row, base())[1]
        said = {finding.rule: finding.sentence for finding in findings}
        for rule in ("at-once", "in-step", "repetitive"):
            assert f" {nearby}" in said[rule]
        assert ("within-seconds" in said) != coarse
        if coarse and resolution_s > 60:
            assert not any(" 60 s" in sentence or "10 s" in sentence for sentence in said.values())


def test_coarse_times_show_neither_one_hand_nor_a_leader():
    unknown = dict.fromkeys(
        [
            "seconds_share",
            "n_timed",
            "offset_spread_s",
            "in_order_share",
            "n_in_order",
            "leader_share",
            "leader_delay_s",
        ]
    )
    assert judged(**(AT_ONCE | REPETITIVE | {"fast_share": 1.0, "n_accounts": 5} | unknown))[2] == []


@pytest.mark.parametrize(
    ("p", "shown"),
    [(0.0, "1,000,000"), (1e-310, "1,000,000"), (9.9e-7, "1,000,000"), (1.1e-6, "900,000"), (0.0249, "40"),
     (0.05, "20"), (3e-5, "30,000"), (0.0099, "100"), (1e-4, "10,000")],
)  # fmt: skip
def test_how_seldom_chance_gives_a_crew_is_told_in_a_round_number_that_is_none_too_large(p, shown):
    _, [finding], _ = judge(PLAIN | CREW | {"p_value": p}, base())
    assert finding.sentence.endswith(f"chance puts a group so near at most once in {shown} times")


@pytest.mark.parametrize(
    ("n", "words"), [(7, "fewer than one"), (19, "fewer than one"), (20, "1"), (90, "4")]
)
def test_of_pairs_is_told_how_many_chance_would_give(n, words):
    _, [finding], _ = judge(PLAIN | SYNCHRONISED | {"n_synchronised": n}, base())
    assert finding.sentence.endswith(f": {n} pairs, of which {words} would be there by chance")


def shown(rule, rows, *, trace="url", **options):
    """Evidence of rows of account, content, second, object, n_fellows, with kind, group, trace and others."""
    default = {
        "kind": "original", "target_id": None, "trace": "url", "object_id": None, "n_fellows": None,
        "is_top_site": False, "created_at": 0, "time_resolution_s": None,
    }  # fmt: skip
    table = pl.DataFrame(
        [default | row for row in rows],
        schema={
            "account_id": pl.String, "content_id": pl.String, "timestamp": pl.Int64, "kind": pl.String,
            "target_id": pl.String, "trace": pl.String, "object_id": pl.String, "n_fellows": pl.Int64,
            "is_top_site": pl.Boolean, "created_at": pl.Int64, "time_resolution_s": pl.Float64,
        },
    )  # fmt: skip
    second = timedelta(seconds=1)
    start = datetime(2020, 1, 1, tzinfo=UTC)
    table = table.with_columns(
        (pl.lit(start).cast(TIME) + pl.col(name) * second).alias(name) for name in ("timestamp", "created_at")
    )
    return posts_of_finding(rule, table, trace=trace, **options)


def post(who, content, second, **more):
    return {"account_id": who, "content_id": content, "timestamp": second} | more


def test_evidence_of_synchrony_are_posts_that_met():
    rows = [
        post("a", "lone", 0, object_id="x", n_fellows=0),
        post("a", "a1", 500, object_id="x", n_fellows=1),
        post("b", "b1", 501, object_id="x", n_fellows=1),
        post("a", "a2", 10, object_id="y", n_fellows=2),
        post("b", "b2", 11, object_id="y", n_fellows=2),
        post("c", "c2", 12, object_id="y", n_fellows=2),
        post("a", "a3", 12, object_id="r", n_fellows=9, trace="reshare"),
        post("a", "chat", 12, trace=None),
    ]
    # The object over which they met most comes first; another trace's posts are no evidence of this one's.
    assert shown("at-once", rows) == ["a2", "b2", "c2", "a1", "b1"]
    assert shown("in-step", rows, most=2) == ["a2", "b2"]
    assert shown("at-once", rows, trace="reshare") == ["a3"]


def test_evidence_of_synchrony_takes_four_posts_of_each_object_around_its_busiest_moment():
    # Of x six accounts within 5 s, long after two that met alone; of y and z two accounts each.
    rows = [post(who, f"x{who}", 900 + k, object_id="x", n_fellows=5) for k, who in enumerate("abcdef")]
    rows += [post(who, f"e{who}", k, object_id="x", n_fellows=1) for k, who in enumerate("gh")]
    rows += [post("a", "again", 900, object_id="x", n_fellows=5)]
    rows += [
        post(who, f"{name}{who}", 50 + k, object_id=name, n_fellows=1)
        for name in "zy"
        for k, who in enumerate("ab")
    ]
    found = shown("at-once", rows)
    # Of a's two posts of the same second the first by id comes first, and the other after everybody's first.
    assert found[0] == "again"
    assert found[1:8] == ["xb", "xc", "xd", "ya", "yb", "za", "zb"]
    assert found[8:10] == ["xe", "xf"]
    assert len(found) == len(rows)
    assert shown("in-step", rows[::-1], most=8) == found[:8]


def test_pairs_shown_are_of_one_object_two_accounts_and_the_window():
    start = datetime(2020, 1, 1, tzinfo=UTC)
    rows = [
        ("u", "a", 0, "x"), ("v", "b", 60, "x"), ("w", "b", 61, "x"), ("o", "c", 0, "y"), ("s", "a", 30, "x"),
        ("n", "d", 0, None),
    ]  # fmt: skip
    posts = pl.DataFrame(
        [(content, who, start + timedelta(seconds=at), "url", what) for content, who, at, what in rows],
        schema={
            "content_id": pl.String, "account_id": pl.String, "timestamp": TIME, "trace": pl.String,
            "object_id": pl.String,
        },
        orient="row",
    )  # fmt: skip
    # u-v (60 s), s-v (30 s), s-w (31 s); u-w is 61 s apart, u-s and v-w are one account's, o is of another object.
    assert pairs_among(posts, list("uvwosn"), window_s=60) == 3
    assert pairs_among(posts, list("uvwos"), window_s=61) == 4
    assert pairs_among(posts, ["u", "v"], window_s=60) == 1


def test_evidence_of_repetition_spans_objects():
    rows = [
        post(who, f"{who}{name}{k}", 100 * k, object_id=name, n_fellows=5)
        for name in "uvwxyz" for who in "abcd" for k in (0, 1)
    ]  # fmt: skip
    found = shown("repetitive", rows)
    assert sorted({content[1] for content in found}) == list("uvwxyz")
    assert len(found) == 12


def test_evidence_of_turnout_spans_a_few_objects_by_some_accounts_each():
    rows = [
        post(who, f"{who}{name}", k, object_id=name, n_fellows=9)
        for name in "xyz" for k, who in enumerate("abcdefghij")
    ]  # fmt: skip
    found = shown("turnout", rows)
    assert sorted(found) == sorted(f"{who}{name}" for name in "xyz" for who in "abcdef")


def test_evidence_of_seconds_lies_seconds_apart():
    rows = [
        post("a", "a1", 0, object_id="x", n_fellows=3),
        post("b", "b1", 10, object_id="x", n_fellows=3),
        post("c", "c1", 21, object_id="x", n_fellows=3),
        post("c", "c2", 22, object_id="x", n_fellows=3),  # near its own post only
        post("d", "d1", 22, object_id="y", n_fellows=1),
    ]
    assert shown("within-seconds", rows, trace="url") == ["a1", "b1"]


def test_evidence_of_the_other_rules():
    rows = [
        post("a", "p1", 9, kind="reshare", is_top_site=True, target_id="g1", created_at=900),
        post("a", "p2", 1, kind="original", target_id="g2", created_at=900),
        post("a", "p3", 2, kind=None, target_id="g2", created_at=900),
        post("b", "p4", 3, kind="reply", target_id="g9", created_at=905),
        post("c", "p5", 4, created_at=0),
        post("d", "p6", 5, created_at=None),
    ]
    assert shown("single-site", rows) == ["p1"]
    assert sorted(shown("low-originality", rows)) == ["p1", "p4"]
    # a posted into two groups, b into one; once each.
    assert shown("many-groups", rows) == ["p2", "p1", "p4"]
    # Where several posted into as many groups, one account's posts stand together, account by account.
    alike = [post(who, f"{who}{k}", 10 * k, target_id=f"g{k}") for k in range(2) for who in "ba"]
    assert shown("many-groups", alike) == ["a0", "a1", "b0", "b1"]


def test_evidence_holds_at_most_twenty_posts_each_once():
    rows = [post("a", f"p{k // 2}", k, object_id=f"x{k}", n_fellows=1) for k in range(100)]
    found = shown("at-once", rows)
    assert len(found) == len(set(found)) == 20


HABITUAL = {"by_habit_share": 0.5, "n_by_habit": 12}
# Habits alone raise the usual rate of .01 four times, to .04; members are in the window sixteen times as often.
RAISED = {"usual_rate": 0.01, "outsider_rate": 0.04, "window_rate": 0.16}


@pytest.mark.parametrize(
    ("fits", "changes"),
    [
        (True, HABITUAL),
        (False, HABITUAL | {"by_habit_share": 0.49}),
        # What holds whatever the habits is not explained by them.
        (False, HABITUAL | {"n_synchronised": 1, "best_p": 1e-9}),
        (False, HABITUAL | {"p_value": 0.01}),
        (True, RAISED),
        # Four times is half, in orders of magnitude, of sixteen times, and less than half of seventeen.
        (False, RAISED | {"window_rate": 0.17}),
        (True, RAISED | {"outsider_rate": 0.02, "window_rate": 0.039}),
        # Less than twice is nothing to tell of, however much of it that explains.
        (False, RAISED | {"outsider_rate": 0.0199, "window_rate": 0.03}),
        (False, RAISED | {"window_rate": 0.01}),
        (False, RAISED | {"n_synchronised": 1, "best_p": 1e-9}),
        (False, RAISED | {"p_value": 0.01}),
        (False, RAISED | {"usual_rate": None}),
    ],
)
def test_habits_fit_at_their_thresholds(fits, changes):
    assert ("habits" in judged(**changes)[2]) == fits


def test_habits_say_what_speaks_for_them_and_explain():
    [fit] = [fit for fit in innocent_readings(PLAIN | HABITUAL, base()) if fit.reading == "habits"]
    assert (fit.value, fit.threshold) == (0.5, 0.5)
    assert fit.speaks_for.startswith(
        "12 pairs among 50% of the accounts post near each other again and again"
    )
    assert fit.speaks_against.startswith("a crew that only ever works in its own hours looks the same")
    [fit] = [fit for fit in innocent_readings(PLAIN | RAISED, base()) if fit.reading == "habits"]
    assert (fit.value, fit.threshold) == (pytest.approx(4), 2)
    assert "4.0 times as often as others do, of the 16.0 times that they do" in fit.speaks_for
    # As the other readings that explain the synchrony do, it takes from the score what the same rules give without it.
    fired = AT_ONCE | REPETITIVE
    assert judged(**(fired | HABITUAL))[0] < judged(**fired)[0]


def test_a_crew_is_told_as_a_group_with_its_pairs_or_without():
    lead = (
        "80% of the members stand nearer to other members in the order of posts, object after object, than chance and "
        "their own hours put accounts: "
    )
    group = (
        "as a group, found on one half of the objects and tested on the other: chance puts a group so near at most "
        "once in 300 times"
    )
    _, [alone], _ = judge(PLAIN | CREW, base())
    assert alone.sentence == lead + group
    _, [both], _ = judge(PLAIN | CREW | {"n_synchronised": 1, "best_p": 2e-7}, base())
    assert both.sentence == f"{lead}1 pair, of which fewer than one would be there by chance; {group}"
