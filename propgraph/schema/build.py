"""The tables that `build` makes: posts and what they share, cascades, edges."""

from __future__ import annotations

import polars as pl

from propgraph.schema.dtypes import COUNT, COUNTS, ID, IDS, PAIRS, SECONDS, SHARE, TIME
from propgraph.schema.table import declare

_RESOLUTION = (
    SECONDS,
    "s",
    "how fine the times of the post's file are, on its platform: 3600 where they are whole hours; where many "
    "posts of a file lie on a coarser grid (it was put together of several, or they were made by a schedule), that; "
    "null: not known",
)

_LINE = (
    pl.Int64(),
    "1-based",
    "record of a CSV (its header is line 1), line of other text, row of a binary file, record of a JSON document",
)

POSTS = declare(
    "posts",
    "build",
    "a post, repost, quote or reply; where the log has one row for each object of a post, one such row",
    ("timestamp", "account_id", "content_id", "object_id"),
    content_id=(ID, "id", "the post's own id"),
    account_id=(ID, "id", "who posted"),
    timestamp=(TIME, "UTC", "when"),
    time_resolution_s=_RESOLUTION,
    kind=(ID, "original, reshare, quote, reply", "what sort of post"),
    parent_content_id=(ID, "id", "the post reshared, quoted or replied to"),
    parent_timestamp=(TIME, "UTC", "when that post was made, where the log or the post's id says so"),
    origin_account_id=(
        ID,
        "id",
        "the account reshared, quoted or replied to; `@name` where only that is known",
    ),
    target_id=(ID, "id", "the group, page or channel posted into"),
    object_id=(ID, "id", "the log's own object id"),
    urls=(IDS, "", "links in the post, as written"),
    hashtags=(IDS, "", "hashtags, lower-case, without #"),
    mentions=(IDS, "", "accounts mentioned, as the log calls them, lower-case, without @"),
    images=(IDS, "hash", "perceptual or other hashes of the images, as the log gives them"),
    text=(ID, "", "the post's text"),
    language=(ID, "code", "language as the log gives it"),
    platform=(ID, "", "platform as the log or its reader gives it"),
    sponsor=(ID, "", "who paid for the post, as the platform marks it; `yes` where it says no more"),
    source=(ID, "path", "the file that it was read from"),
    line=_LINE,
)

SHARES = declare(
    "shares",
    "build",
    "one post sharing one object",
    ("trace", "object_id", "timestamp", "account_id", "content_id"),
    content_id=(ID, "id", "the post"),
    account_id=(ID, "id", "who shared"),
    timestamp=(TIME, "UTC", "when"),
    time_resolution_s=_RESOLUTION,
    trace=(ID, "as --trace takes it", "what kind of object"),
    object_id=(
        ID,
        "id",
        "what was shared: original post, canonical URL, site, hashtag, text:<hash>, the log's object",
    ),
    tokens=(ID, "", "tracking tokens that canonicalisation stripped from the URL"),
    via=(ID, "", "the short link that was posted, canonical, where --resolved names its target (trace url)"),
)

ACCOUNTS = declare(
    "accounts",
    "build",
    "an account",
    ("account_id",),
    account_id=(ID, "id", "the account"),
    name=(ID, "", "its latest known name"),
    created_at=(TIME, "UTC", "when the account was made, where known"),
    followers=(pl.Int64(), "accounts", "the most followers the log shows"),
    n_posts=(COUNT, "posts", "its posts"),
    n_shares=(COUNT, "shares", "its shares over all traces"),
    first_seen=(TIME, "UTC", "its first post"),
    last_seen=(TIME, "UTC", "its last post"),
)

OBJECTS = declare(
    "objects",
    "build",
    "a shared object",
    ("trace", "object_id"),
    trace=(ID, "", "what kind of object"),
    object_id=(ID, "id", "the object"),
    url=(ID, "", "canonical URL (traces url)"),
    site=(ID, "registrable domain", "site (traces url, domain)"),
    is_shortener=(pl.Boolean(), "", "the URL is a shortener's, its target unknown"),
    text=(ID, "", "as first written, cut at 280 characters (traces text, near-text)"),
    n_shares=(COUNT, "shares", "how often it was shared"),
    n_accounts=(COUNT, "accounts", "by how many accounts"),
    first_share=(TIME, "UTC", "its first share"),
    first_account_id=(ID, "id", "who shared it first"),
)

REJECTED = declare(
    "rejected",
    "build",
    "an input row not used",
    ("source", "line", "reason"),
    source=(ID, "path", "the file"),
    line=_LINE,
    reason=(ID, "", "why the row was not used"),
    raw=(ID, "", "the row as found, cut at 2,000 characters"),
)

OWN_COLUMNS = declare(
    "own_columns",
    "build",
    "what a column of the log that posts have no place for says of a post; those of --keep",
    ("column", "content_id", "value"),
    content_id=(ID, "id", "the post"),
    column=(ID, "", "what the log calls the column; of nested JSON the keys on the way, joined by dots"),
    value=(ID, "", "what it says, as text; lists and objects as JSON"),
)

# What is said of each measure where trees were drawn (--parents pdi, learned).
_DRAWN = {
    f"{measure}_{statistic}": (pl.Float64(), unit, f"{meaning} over the trees drawn; null where none were")
    for measure, unit in (("depth", "edges"), ("max_breadth", "posts"), ("structural_virality", "edges"))
    for statistic, meaning in (("mean", "mean"), ("low", "5 % point"), ("high", "95 % point"))
}

CASCADES = declare(
    "cascades",
    "build",
    "one diffusion tree",
    ("trace", "cascade_id"),
    cascade_id=(ID, "trace:object_id", "the cascade"),
    trace=(ID, "reshare, url, object", "what kind of object spread"),
    object_id=(ID, "id", "the object that spread"),
    root_account_id=(ID, "id", "the account at the root"),
    start=(TIME, "UTC", "the root's time; where its post is not in the log, the first reshare's"),
    size=(COUNT, "posts", "nodes of the tree, the root included"),
    n_accounts=(COUNT, "accounts", "distinct accounts"),
    depth=(COUNT, "edges", "longest way from the root; where trees were drawn, the median over them"),
    max_breadth=(COUNT, "posts", "largest number of nodes at one depth; likewise"),
    structural_virality=(
        pl.Float64(),
        "edges",
        "mean distance over all pairs of nodes; null for size 1; likewise",
    ),
    **_DRAWN,
    first_generation_share=(SHARE, "0..1", "children of the root over all nodes below it; null for size 1"),
    largest_subtree_share=(SHARE, "0..1", "nodes of the largest subtree below the root over all below it"),
    branching_factor=(pl.Float64(), "posts", "mean number of children of the nodes that have any"),
    level_widths=(COUNTS, "posts", "nodes at depth 0, 1, ... 63; what lies deeper is left out"),
    duration_s=(SECONDS, "s", "from the first to the last node"),
    t10_s=(SECONDS, "s", "from the start until 10 % of the final size is there, the root included"),
    t50_s=(SECONDS, "s", "the same, 50 %"),
    t90_s=(SECONDS, "s", "the same, 90 %"),
    size_1m=(COUNT, "posts", "size 1 minute after the start"),
    size_10m=(COUNT, "posts", "size after 10 minutes"),
    size_1h=(COUNT, "posts", "size after 1 hour"),
    size_1d=(COUNT, "posts", "size after 1 day"),
    observed_share=(SHARE, "0..1", "share of the nodes below the root whose parent the log names"),
    depth_pct=(SHARE, "0..1", "mid-rank of depth among cascades of like size; null: fewer than 30 of them"),
    max_breadth_pct=(SHARE, "0..1", "the same of max_breadth"),
    structural_virality_pct=(SHARE, "0..1", "the same of structural_virality"),
    first_generation_share_pct=(SHARE, "0..1", "the same of first_generation_share"),
    largest_subtree_share_pct=(SHARE, "0..1", "the same of largest_subtree_share"),
    branching_factor_pct=(SHARE, "0..1", "the same of branching_factor"),
    duration_pct=(SHARE, "0..1", "the same of duration_s"),
    t10_pct=(SHARE, "0..1", "the same of t10_s"),
    t50_pct=(SHARE, "0..1", "the same of t50_s"),
    t90_pct=(SHARE, "0..1", "the same of t90_s"),
    size_1m_pct=(SHARE, "0..1", "the same of size_1m"),
    size_10m_pct=(SHARE, "0..1", "the same of size_10m"),
    size_1h_pct=(SHARE, "0..1", "the same of size_1h"),
    size_1d_pct=(SHARE, "0..1", "the same of size_1d"),
)

CASCADE_NODES = declare(
    "cascade_nodes",
    "build",
    "one post in a tree",
    ("cascade_id", "timestamp", "account_id", "content_id"),
    cascade_id=(ID, "trace:object_id", "the cascade"),
    content_id=(ID, "id", "the post; for a root that is not in the log, its id as the reshares give it"),
    account_id=(ID, "id", "who posted"),
    timestamp=(TIME, "UTC", "when, not before its parent's; null for a root that is not in the log"),
    parent_content_id=(ID, "id", "the parent's post; null at the root"),
    parent_source=(ID, "root, observed, inferred:<method>", "where the parent comes from"),
    depth=(COUNT, "edges", "distance from the root"),
)

EDGES = declare(
    "edges",
    "build",
    "two accounts that co-shared; in bursts above --burst-cap a sample of these",
    ("trace", "source", "target"),
    trace=(ID, "", "what kind of object"),
    source=(ID, "id", "the account whose id sorts first"),
    target=(ID, "id", "the other account"),
    n_events=(PAIRS, "pairs of posts", "pairs of their posts of one object within the window"),
    n_objects=(COUNT, "objects", "distinct objects co-shared within the window"),
    weight=(PAIRS, "objects or pairs of posts", "the count that --edge-weight chose"),
    mean_delta_s=(SECONDS, "s", "mean time between the paired posts"),
    fast_share=(
        SHARE,
        "0..1",
        "share of the pairs of posts known to be at most 10 s apart; null where all times are coarser than that",
    ),
    first_time=(TIME, "UTC", "first post of the first pair"),
    last_time=(TIME, "UTC", "last post of the last pair"),
    n_shared=(COUNT, "objects", "distinct objects both shared, whenever"),
    expected=(pl.Float64(), "objects", "n_objects expected if times were permuted within each object"),
    p_value=(pl.Float64(), "0..1", "chance of n_objects or more under that null (Poisson)"),
)
