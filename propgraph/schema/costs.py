"""The tables about money: what flagged clusters and campaigns would have cost, and who paid to boost what."""

from __future__ import annotations

import polars as pl

from propgraph.schema.dtypes import COUNT, ID, IDS
from propgraph.schema.table import declare

COSTS = declare(
    "costs",
    "clusters",
    "what one thing would have cost a flagged cluster, or a campaign, if it was paid: hypothetical, nothing in a log "
    "says so",
    ("subject_type", "subject_id", "item", "currency"),
    subject_type=(ID, "cluster, campaign", "of what; a campaign's are those of its flagged clusters alone"),
    subject_id=(ID, "id", "which one"),
    item=(
        ID,
        "profiles, created-together, tasks, relays, influencers, total",
        "profiles: all members; created-together: members made in lots, where that flag fired; tasks: posts, those "
        "met over up to all that share objects; relays: relays' posts in cascades that the crowd carried, as an "
        "influencer's likes; influencers: the tasks as such likes, in their place; total: profiles, tasks and relays",
    ),
    currency=(ID, "ISO 4217", "of the prices; nothing is converted, and no sum goes over two currencies"),
    n_low=(COUNT, "the item's", "how many at least"),
    n_high=(COUNT, "the item's", "how many at most"),
    price_low=(pl.Float64(), "currency", "the lowest price of one; null for total"),
    price_high=(pl.Float64(), "currency", "the highest"),
    low=(pl.Float64(), "currency", "n_low at the lowest price"),
    high=(pl.Float64(), "currency", "n_high at the highest"),
    sources=(IDS, "", "where the prices come from"),
)
