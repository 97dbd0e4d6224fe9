"""The columns of `clusters` about missions: their order, quotas, releases, shifts."""

from __future__ import annotations

from typing import Any

import polars as pl

from propgraph.schema.dtypes import COUNT, ID, IDS, SHARE

OF_MISSIONS: dict[str, tuple[Any, str, str]] = {
    "n_order_pairs": (
        COUNT,
        "pairs of objects",
        "pairs of objects that two members or more shared in a session of each (posts at most 30 min apart), both in "
        "the log before the session began; of the trace with most; of a session the first 16 objects count, of a "
        "cluster 100,000 steps, those between the objects that most members took; this and the following null without "
        "any",
    ),
    "n_order_accounts": (COUNT, "accounts", "members who did"),
    "order_agreement": (
        SHARE,
        "0..1",
        "of two members who did so with one pair, how often they took both objects in the same order",
    ),
    "order_expected": (
        SHARE,
        "0..1",
        "the same where the objects of each session stand in any order (200 draws)",
    ),
    "order_p": (pl.Float64(), "0..1", "share of these draws with as much agreement; at least 1 in 201"),
    "order_by_age": (
        SHARE,
        "0..1",
        "share of these steps from the object that came up first in the log to the later one: near 0 or 1 where "
        "members read one feed",
    ),
    "order_one_sitting": (
        SHARE,
        "0..1",
        "of members who shared both objects of such a pair, those who did in one session: near 1 where members read "
        "one newsletter, digest or thread",
    ),
    "quota": (
        COUNT,
        "quota_counted",
        "the count at which its objects stop most surely, from 10 on; this and the following null where no five "
        "objects have one count",
    ),
    "quota_counted": (
        ID,
        "members, accounts, posts",
        "what is counted at each object; of members at most 80 %",
    ),
    "n_at_quota": (COUNT, "objects", "objects that stop there"),
    "n_near_quota": (COUNT, "objects", "objects of a count at most a fifth away, these included"),
    "expected_at_quota": (
        pl.Float64(),
        "objects",
        "as many at most as attendance as steady as theirs leaves at one count",
    ),
    "quota_p": (SHARE, "0..1", "bound on the chance of so many (binomial), times the counts looked at"),
    "quota_tail": (
        SHARE,
        "0..1",
        "share of the time from first post to last that the last tenth of the posts takes, median over these objects",
    ),
    "usual_tail": (SHARE, "0..1", "the same of other objects of like size"),
    "n_releases": (
        COUNT,
        "objects",
        "tasks: objects that six members or more share; this and the following null below five tasks, or where times "
        "are coarser than a minute",
    ),
    "n_prompt": (
        COUNT,
        "objects",
        "tasks at which more members than chance has once in twenty tasks came within ten minutes of the first of them",
    ),
    "release_turnout": (SHARE, "0..1", "part of all members that came so soon, mean over the tasks"),
    "release_share": (
        SHARE,
        "0..1",
        "of the members who came at all, over all tasks, the part that came so soon",
    ),
    "usual_release_share": (
        SHARE,
        "0..1",
        "the same by the object's other accounts and by what these members do elsewhere, whichever is more",
    ),
    "release_p": (SHARE, "0..1", "chance of so many prompt tasks (binomial)"),
    "active_from_h": (
        COUNT,
        "hour, UTC",
        "first of the active hours: the shortest run of hours of the day that holds nine tenths of the posts, each "
        "account weighing the same; null below five accounts with five posts each",
    ),
    "active_hours": (COUNT, "hours", "how many these are"),
    "usual_active_hours": (
        pl.Float64(),
        "hours",
        "as many accounts as active, in no cluster; median of 200 draws",
    ),
    "shift_p": (SHARE, "0..1", "share of the draws with as few hours"),
    "weekend_share": (
        SHARE,
        "0..1",
        "share of the posts on Saturdays and Sundays (UTC); this and the following null where they span less than "
        "four weeks",
    ),
    "usual_weekend_share": (SHARE, "0..1", "the same of as many accounts as active"),
    "weekend_p": (SHARE, "0..1", "share of the draws with as small a share"),
    "quiet_days": (
        IDS,
        "days",
        "days on which it all but fell silent and other accounts did not; at most ten",
    ),
}
