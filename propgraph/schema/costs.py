"""The tables about money: what flagged clusters and campaigns would have cost, and who paid to boost what."""

from __future__ import annotations

import polars as pl

from propgraph.schema.dtypes import COUNT, ID, IDS, SECONDS, SHARE, TIME
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
BOOSTS = declare(
    "boosts",
    "clusters",
    "an advert for a URL or a site of the log, by an ad library (--ads), or a URL in posts that somebody paid for",
    ("source", "site", "object_id", "ad_id", "payer", "start"),
    source=(
        ID,
        "ads, posts",
        "who says so: an ad library; the platform, which marks posts as paid (posts.sponsor)",
    ),
    matched=(
        ID,
        "url, site",
        "by what: the URL itself, or only its site, as ad libraries often show no more",
    ),
    object_id=(ID, "canonical URL", "what was boosted; null where matched by site"),
    site=(ID, "registrable domain", "its site"),
    ad_id=(ID, "id", "the advert, as the library calls it; null for posts"),
    page=(ID, "", "the page or advertiser that it is shown as"),
    payer=(ID, "", "who paid, as the library or the platform says; `yes` where it says no more"),
    own=(
        pl.Boolean(),
        "",
        "page or payer bears the site's name: an outlet's or a shop's own adverts, as ordinary as they come",
    ),
    spend_low=(pl.Float64(), "currency", "at least so much was spent, as the library says"),
    spend_high=(pl.Float64(), "currency", "at most; null: not known, or open"),
    currency=(ID, "ISO 4217", "of the spend; nothing is converted"),
    start=(TIME, "UTC", "when the advert began; of posts, the first one that was paid for"),
    stop=(TIME, "UTC", "when it ended; of posts, the last one"),
    start_resolution_s=(SECONDS, "s", "how finely the start is known: 86400 for a date alone"),
    first_share=(TIME, "UTC", "first organic share (of a post that nobody is said to have paid for)"),
    lead_s=(SECONDS, "s", "start less first_share: above 0 it had been shared before"),
    n_sponsored=(COUNT, "shares", "its shares in posts that somebody paid for"),
    n_before=(COUNT, "shares", "organic shares that surely came before the start; null without a start"),
    n_after=(COUNT, "shares", "organic shares that surely came after it began; the same"),
    by_then=(SHARE, "0..1", "part of all organic shares that may have come by the start"),
    expected_by_then=(
        SHARE,
        "0..1",
        "the same of URLs of the same site that nobody boosted and that have half to twice as many shares, at the same "
        "age; null with fewer than five of them, or matched by site",
    ),
    n_like=(COUNT, "URLs", "how many those are, at most 200"),
    p_value=(
        SHARE,
        "0..1",
        "chance of so few by then, by rank among them: small where the spread came with the boost",
    ),
    cluster_ids=(IDS, "id", "flagged clusters that shared it"),
)
#: Columns of `clusters`, null where the log marks no post as paid for.
OF_SPONSORS = {
    "sponsored_share": (
        SHARE,
        "0..1",
        "share of the members' posts that somebody paid for, as the platform marks them",
    ),
    "sponsors": (IDS, "", "who paid, the five who did for most; `yes` where the platform says no more"),
}
