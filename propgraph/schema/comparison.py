"""The table that `compare` prints."""

from __future__ import annotations

import polars as pl

from propgraph.schema.dtypes import COUNT, ID, SHARE
from propgraph.schema.table import declare

COMPARISON = declare(
    "comparison",
    "compare",
    "a cluster, campaign or flagged site before and what became of it, or one after that was not there; printed by "
    "`propgraph compare`, in no study",
    ("subject_type", "before_id", "after_id"),
    subject_type=(ID, "cluster, campaign, site", "what it is"),
    change=(
        ID,
        "stayed, grew, shrank, split, merged, returned, vanished, new",
        "what became of it; grew and shrank: by a quarter or more; split and merged: of two parts or more, a row each; "
        "returned: other accounts that do the same, oftener than chance",
    ),
    before_id=(ID, "id", "in the study before; null where it is new"),
    after_id=(ID, "id", "in the study after; null where it vanished"),
    before_flagged=(pl.Boolean(), "", "flagged before"),
    after_flagged=(pl.Boolean(), "", "flagged after"),
    before_score=(SHARE, "0..1", "its score before"),
    after_score=(SHARE, "0..1", "its score after"),
    n_before=(COUNT, "accounts", "members before; of a site, accounts that share it"),
    n_after=(COUNT, "accounts", "members after; likewise"),
    n_both=(COUNT, "accounts", "members of both; null of a site"),
    n_silent=(
        COUNT,
        "accounts",
        "members before that have not posted since the log before ended; null where the log after ends no later",
    ),
    n_arrived=(COUNT, "accounts", "members after that are in no post of the log before"),
    member_similarity=(SHARE, "0..1", "Jaccard similarity of the members"),
    object_similarity=(
        SHARE,
        "0..1",
        "similarity of what accounts do that are in one of them alone, mean over the kinds of traces (links, sites, "
        "hashtags, texts, groups, whom they pass on, tracking tokens): cosine, a thing weighing the logarithm of how "
        "few accounts share it. This and what follows, but for p_value, of those that returned alone",
    ),
    rhythm_similarity=(
        SHARE,
        "0..1",
        "the same of the hours of workdays and weekends at which they post: 1 - total variation",
    ),
    expected_similarity=(
        SHARE,
        "0..1",
        "the mean over all kinds that as many accounts give, drawn 99 times from the others that are as active and "
        "share what these share most",
    ),
    z=(
        pl.Float64(),
        "standard deviations",
        "how far the pair lies above the draws: Stouffer's sum over the kinds, of which each counts 5 at most",
    ),
    p_value=(
        SHARE,
        "0..1",
        "by members: chance of so many in common (hypergeometric), times the pairs; returned: fraction of the draws "
        "that come as near, these included",
    ),
)
