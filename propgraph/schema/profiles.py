"""Columns of `clusters` on what members' accounts and posts have in common, each held against like accounts."""

from __future__ import annotations

import polars as pl

from propgraph.schema.dtypes import ID, IDS, SECONDS, SHARE

#: Columns of `clusters`, null where the log cannot tell or nobody is there to compare with.
OF_PROFILES = {
    "lot_share": (
        SHARE,
        "0..1",
        "share of the members, of those whose creation is known, made in lots: three accounts or more, and a twentieth "
        "of them, within one span of lot_width_s, in which not as many others were made beyond their usual rate",
    ),
    "lot_expected": (
        SHARE,
        "0..1",
        "the same of as many accounts in no cluster, of the same platforms, drawn from the log or from those who share "
        "most of the same objects: the larger mean",
    ),
    "lot_p": (
        pl.Float64(),
        "0..1",
        "chance of lots that stand out so much in any span (scan statistic, 400 draws): the larger of both comparisons",
    ),
    "lot_width_s": (SECONDS, "s", "the span, an hour to 30 days, in which lots stand out most"),
    "lots": (IDS, "date: accounts", "the lots, the largest first"),
    "alike_share": (
        SHARE,
        "0..1",
        "share of the members alike in what stands out most: names by one template, ids in sequence, equally many "
        "followers",
    ),
    "alike_expected": (SHARE, "0..1", "the same of as many accounts in no cluster"),
    "alike_p": (pl.Float64(), "0..1", "chance of so many, times three, for three things are looked at"),
    "alike_by": (ID, "names, ids, followers", "what that is"),
    "groups_per_object": (
        pl.Float64(),
        "groups",
        "into how many groups a member put one link (or, where the log has none, another object) that it posted into "
        "groups: its mean, median over members",
    ),
    "groups_per_object_expected": (
        pl.Float64(),
        "groups",
        "the same of accounts in no cluster with as many posts into groups, mean over 400 draws",
    ),
    "group_lag_s": (
        SECONDS,
        "s",
        "median time from one group to the next with the same object, median over members",
    ),
    "lag_spread": (
        pl.Float64(),
        "ln s",
        "median absolute deviation of the logarithms of a member's lags from group to group (5 s to a day; five lags "
        "or more), median over members: 0.1 is a tenth more or less; null where times are coarser than 2 s",
    ),
    "lag_spread_expected": (
        pl.Float64(),
        "ln s",
        "the same of others who post as much into groups; of posts at random moments where ten of these have no lags",
    ),
    "lag_p": (
        pl.Float64(),
        "0..1",
        "chance of so small a spread if the members' lags were drawn from these others' (or at random), by draws",
    ),
    "original_expected": (
        SHARE,
        "0..1",
        "share of originals of accounts in no cluster, for each member one of its platform with as many posts, mean "
        "over 400 draws",
    ),
    "template_share": (
        SHARE,
        "0..1",
        "share of the members' originals with a text that hold a remark (beside link and what stands for the link's "
        "title) which three members or more write word for word, about two links or more, and hardly anybody in no "
        "cluster does; null where they write no texts",
    ),
    "template_expected": (
        SHARE,
        "0..1",
        "the same of as many accounts in no cluster with as many posts, mean over 19 draws; null for less than a tenth",
    ),
    "templates": (IDS, "remark: accounts", "these remarks, those of most members first, at most five"),
    "interval_entropy": (
        pl.Float64(),
        "bits",
        "entropy of the times between a member's posts, in bins each twice as long as the one before, median over "
        "members with eleven posts or more",
    ),
    "interval_entropy_pct": (
        SHARE,
        "0..1",
        "mid-rank of that among accounts in no cluster with as many posts, median over members; low is even, and no "
        "sign of anything by itself",
    ),
}
