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
        "of them, within one span of lot_width_s",
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
}
