"""Rules: what organised behaviour looks like, when it is flagged, and which innocent readings also fit.

Each rule compares a value of the cluster with a threshold and with what the rest of the log, or chance,
gives. No rule, and no score, says who is behind a cluster or that an account is automated.
"""

from __future__ import annotations

from functools import partial

from propgraph.clusters.rules.hired import RECRUITER_TOKEN, recruiter_token
from propgraph.clusters.rules.missions import (
    MISSION_ORDER,
    QUOTA_STOP,
    RELEASE_BURST,
    SHIFT,
    mission_order,
    quota_stop,
    release_burst,
    shift,
)
from propgraph.clusters.rules.profiles import (
    ALIKE_PROFILES,
    CREATED_TOGETHER,
    alike_profiles,
    created_together,
)
from propgraph.clusters.rules.rule import Finding, Rule
from propgraph.clusters.rules.timing import (
    AT_ONCE,
    IN_SECONDS,
    IN_STEP,
    OWN_BURSTS,
    RELAYED,
    REPETITIVE,
    SYNCHRONISED,
    TURNOUT,
    at_once,
    in_step,
    own_bursts,
    relayed,
    repetitive,
    synchronised,
    turnout,
    within_seconds,
)
from propgraph.clusters.rules.traits import (
    LOW_ORIGINALITY,
    MANY_GROUPS,
    REGULAR_GAPS,
    SINGLE_SITE,
    TEMPLATE_TEXT,
    low_originality,
    many_groups,
    regular_gaps,
    single_site,
    template_text,
)
from propgraph.clusters.selection import (
    in_one_order,
    met,
    met_in_seconds,
    met_over_objects,
    not_original,
    on_top_site,
    one_in_each_group,
    one_in_each_hour,
    some_of_each_object,
)

#: All rules, in the order in which flags are told.
RULES = (
    Rule(SYNCHRONISED, 0.65, synchronised, shows=None),
    Rule(RELAYED, 0.60, relayed, shows=None, posts="crew_posts"),
    Rule(AT_ONCE, 0.40, at_once, shows=met_over_objects, in_trace=True, all_pairs="observed"),
    Rule(IN_STEP, 0.30, in_step, shows=met_over_objects, in_trace=True, all_pairs="observed"),
    Rule(REPETITIVE, 0.30, repetitive, shows=partial(some_of_each_object, n=2), in_trace=True, all_posts=met),
    Rule(TURNOUT, 0.30, turnout, shows=partial(some_of_each_object, n=6), in_trace=True, all_posts=met),
    Rule(OWN_BURSTS, 0.65, own_bursts, shows=partial(some_of_each_object, n=6), in_trace=True, all_posts=met),
    Rule(MISSION_ORDER, 0.65, mission_order, shows=in_one_order),
    Rule(CREATED_TOGETHER, 0.35, created_together, shows=None, posts="lot_posts"),
    Rule(ALIKE_PROFILES, 0.25, alike_profiles, shows=None, posts="alike_posts"),
    Rule(RECRUITER_TOKEN, 0.35, recruiter_token, shows=None, posts="token_posts"),
    Rule(MANY_GROUPS, 0.25, many_groups, shows=one_in_each_group),
    Rule(REGULAR_GAPS, 0.25, regular_gaps, shows=None, posts="lag_posts"),
    Rule(TEMPLATE_TEXT, 0.25, template_text, shows=None, posts="template_posts"),
    Rule(IN_SECONDS, 0.15, within_seconds, shows=met_in_seconds, all_posts=met_in_seconds),
    Rule(LOW_ORIGINALITY, 0.15, low_originality, shows=not_original, all_posts=not_original),
    Rule(QUOTA_STOP, 0.30, quota_stop, shows=None, posts="quota_posts"),
    Rule(RELEASE_BURST, 0.05, release_burst, shows=None, posts="release_posts"),
    Rule(SHIFT, 0.0, shift, shows=one_in_each_hour),
    Rule(SINGLE_SITE, 0.05, single_site, shows=on_top_site, all_posts=on_top_site),
)
#: The same by name.
RULE = {rule.name: rule for rule in RULES}

__all__ = [
    "ALIKE_PROFILES",
    "AT_ONCE",
    "CREATED_TOGETHER",
    "IN_SECONDS",
    "IN_STEP",
    "LOW_ORIGINALITY",
    "MANY_GROUPS",
    "MISSION_ORDER",
    "OWN_BURSTS",
    "QUOTA_STOP",
    "RECRUITER_TOKEN",
    "REGULAR_GAPS",
    "RELAYED",
    "RELEASE_BURST",
    "REPETITIVE",
    "RULE",
    "RULES",
    "SHIFT",
    "SINGLE_SITE",
    "SYNCHRONISED",
    "TEMPLATE_TEXT",
    "TURNOUT",
    "Finding",
    "Rule",
]
