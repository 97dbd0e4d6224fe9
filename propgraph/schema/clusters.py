"""The tables that `clusters` makes of accounts: who is near whom beyond chance, clusters, and the evidence."""

from __future__ import annotations

import polars as pl

from propgraph.schema.costs import OF_SPONSORS
from propgraph.schema.dtypes import COUNT, ID, IDS, PAIRS, SECONDS, SHARE, TIME
from propgraph.schema.missions import OF_MISSIONS
from propgraph.schema.profiles import OF_PROFILES
from propgraph.schema.table import declare

SPREADERS = declare(
    "spreaders",
    "clusters",
    "an account in the cascades of two posts or more of a trace",
    ("trace", "account_id"),
    trace=(ID, "reshare, url, object", "what kind of object spread"),
    account_id=(ID, "id", "the account"),
    n_cascades=(COUNT, "cascades", "cascades that it stands in"),
    n_started=(COUNT, "cascades", "those at whose root it stands"),
    n_reshares=(COUNT, "posts", "reshares made of its posts directly, where the parent is known"),
    n_reshares_below=(COUNT, "posts", "posts anywhere below its posts, each once"),
    fib_index=(COUNT, "posts", "largest h such that h of its posts were reshared h times or more (h-index)"),
    median_delay_s=(SECONDS, "s", "median time from the parent's post to its own, where the parent is known"),
    median_delay_root_s=(SECONDS, "s", "median time from the root's post to its own"),
)
MEMBERS = declare(
    "members",
    "clusters",
    "an account in a cluster",
    ("cluster_id", "account_id"),
    account_id=(ID, "id", "the account"),
    cluster_id=(ID, "id", "its cluster"),
    degree=(
        COUNT,
        "accounts",
        "fellow members that it co-shared with in the window or is synchronised with; in bursts above --burst-cap "
        "those of listed pairs",
    ),
    strength=(pl.Float64(), "weight", "sum of the weights of its listed edges inside the cluster (window)"),
    n_shares=(COUNT, "posts", "its posts that share objects of the network's traces, each once"),
    n_co_shares=(COUNT, "posts", "those within the window of a fellow member's post of the same object"),
    original_share=(SHARE, "0..1", "originals over all its posts; null where the log has no kinds"),
    n_targets=(COUNT, "groups", "groups, pages or channels it posted into"),
    created_at=(TIME, "UTC", "when the account was made, where known"),
    evidence=(
        ID,
        "pairs, crew, group, relays, order, window, habits",
        "why it is here: synchronised with fellows pair by pair; in a crew, found on one half of the objects and "
        "confirmed on the other; near such a group as a whole; under common relays; takes things in the order "
        "of others; co-shares in the window; near others by habit alone",
    ),
    stability=(
        SHARE,
        "0..1",
        "share of its fellows that are in one cluster with it, mean over the runs of `propgraph stability`",
    ),
)
ACCOUNT_SCORES = declare(
    "account_scores",
    "clusters",
    "an account with evidence of acting in step with others; one not here has score 0, q 1, and no flag",
    ("account_id",),
    account_id=(ID, "id", "the account"),
    score=(
        pl.Float64(),
        ">= 0",
        "higher is more surely synchronised; in a flagged cluster of the window -log10 of the cluster's p_value, at "
        "most 10, is added, and in a flagged crew behind relays that of its own p-value there; orders accounts, never "
        "a probability",
    ),
    q_value=(
        SHARE,
        "0..1",
        "smallest false discovery rate at which ranks make the account stand out; 1 where the window alone speaks",
    ),
    n_partners=(COUNT, "accounts", "accounts that it is synchronised with"),
    cluster_id=(ID, "id", "its cluster; null where it is in none"),
    flagged=(pl.Boolean(), "", "it is in a flagged cluster"),
)
CLUSTERS = declare(
    "clusters",
    "clusters",
    "a community of accounts that are synchronised, or that co-shared in the window",
    ("cluster_id",),
    cluster_id=(ID, "id", "c1, c2, ... from the highest score down"),
    score=(SHARE, "0..1", "how much of what organised behaviour looks like is there; never a probability"),
    flagged=(pl.Boolean(), "", "score at or above --min-score"),
    flags=(IDS, "", "rules that fired"),
    innocent=(IDS, "", "innocent readings that also fit"),
    campaign_id=(
        ID,
        "id",
        "the campaign it belongs to; null where it is not flagged and tied to no flagged cluster",
    ),
    evidence=(
        ID,
        "synchrony, relays, order, window, habits",
        "what it was found by: pairs or a crew beyond chance, common relays, one order of tasks, co-shares in the "
        "window, or pairs that habits explain",
    ),
    time_window_s=(
        SECONDS,
        "s",
        "the window that is meant here: that of the edges, or a wider one of --time-window in which its whole bursts "
        "are its own",
    ),
    own_objects=(
        COUNT,
        "objects",
        "of a crowd found in a wider window: over so many, at moments apart, half of it or more gathered within it and "
        "were half or more of all accounts that share the object; else null",
    ),
    usual_bursts=(
        SHARE,
        "0..1",
        "of other objects of like size, those with half of their accounts within one such window; null as there",
    ),
    n_accounts=(COUNT, "accounts", "members"),
    n_edges=(
        COUNT,
        "pairs",
        "pairs of members that co-shared in the window or are synchronised; in bursts above --burst-cap those listed, "
        "a sample, and so in all that counts or sums pairs or edges",
    ),
    n_synchronised=(COUNT, "pairs", "pairs of members synchronised beyond chance (network); those listed"),
    synchronised_share=(
        SHARE,
        "0..1",
        "share of the members with such a pair, or near the group beyond chance",
    ),
    n_objects=(COUNT, "objects", "objects co-shared by members within the window, in the strongest trace"),
    n_shares=(COUNT, "posts", "members' posts that share objects of the network's traces, each once"),
    density=(SHARE, "0..1", "n_edges over all pairs of members: low in bursts above --burst-cap"),
    total_weight=(pl.Float64(), "weight", "sum of the listed edges' weights"),
    median_weight=(pl.Float64(), "weight", "median of the edges' weights"),
    median_delta_s=(SECONDS, "s", "median of the edges' mean delays"),
    time_resolution_s=(
        SECONDS,
        "s",
        "resolution of the times from which observed and all down to turnout are taken",
    ),
    fast_share=(
        SHARE,
        "0..1",
        "share of its pairs of posts known to be at most 10 s apart; null where all times are coarser than that",
    ),
    seconds_share=(
        SHARE,
        "0..1",
        "share of the meetings of its 50 most frequent pairs at most 2 s apart; null where no times are as fine",
    ),
    offset_spread_s=(
        SECONDS,
        "s",
        "median absolute deviation of the signed delay between the same two members (five meetings or more), median "
        "over these pairs: near 0 where a tool keeps the delay",
    ),
    leader_account_id=(
        ID,
        "id",
        "who posts first most often where members meet (member or not), by times of 10 s or finer",
    ),
    leader_share=(SHARE, "0..1", "share of these meetings, one an object, at which it posts first"),
    leader_delay_s=(SECONDS, "s", "median time from its post to the other members'"),
    co_shared=(SHARE, "0..1", "share of these posts (n_shares) within the window of a fellow member's"),
    observed=(
        pl.Float64(),
        "pairs of posts",
        "members' pairs of posts within the window, in the strongest trace; so are all down to turnout",
    ),
    expected=(pl.Float64(), "pairs of posts", "as many as outsiders' timing of the same objects would give"),
    window_rate=(
        SHARE,
        "0..1",
        "fraction of members' pairs of posts in the window, over the objects they share",
    ),
    outsider_rate=(SHARE, "0..1", "the same of outsiders' pairs of posts of these objects"),
    turnout=(
        SHARE,
        "0..1",
        "members who posted one object within one window, the third most of times an hour or more apart",
    ),
    p_value=(
        pl.Float64(),
        "0..1",
        "chance that a group stands so near on the half of the objects that did not form it, by both nulls "
        "(cross-fitted; twice the median over the splits); null where no crew was found",
    ),
    n_sites=(COUNT, "sites", "registrable domains shared"),
    site_gini=(SHARE, "0..1", "Gini of the members' shares over the sites; one site = 1"),
    top_site=(ID, "registrable domain", "the site shared most"),
    top_site_share=(SHARE, "0..1", "its fraction of the members' URL shares"),
    original_share=(SHARE, "0..1", "originals over all members' posts; null where the log has no kinds"),
    hour_entropy=(SHARE, "0..1", "entropy of the hours of the day (UTC) over log 24"),
    creation_spread_s=(SECONDS, "s", "shortest span that holds half of the accounts' creation times"),
    **OF_PROFILES,
    **OF_SPONSORS,
    accounts_per_post=(
        SHARE,
        "0..1",
        "crowd or machine: the effective number of accounts (exp of the Shannon entropy, Hill number of order 1) of an "
        "object that two members or more share, over members' posts of it; mean over these objects, weighted by posts; "
        "1 where each posts once",
    ),
    n_busiest=(COUNT, "accounts", "fewest members that make nine in ten of its posts (n_shares)"),
    busiest_share=(SHARE, "0..1", "what these make of them"),
    posts_per_day=(
        pl.Float64(),
        "posts a day",
        "all posts of an account over the time from its first to its last, at least a day; median over members",
    ),
    posts_per_day_pct=(
        SHARE,
        "0..1",
        "fraction of the log's accounts that post less often; ties count half; one post is one a day, so a low place "
        "tells nothing",
    ),
    n_targets=(COUNT, "groups", "groups, pages or channels posted into"),
    first_time=(TIME, "UTC", "first co-share"),
    last_time=(TIME, "UTC", "last co-share"),
    cascade_trace=(ID, "reshare, url, object", "the trace whose cascades the following columns are about"),
    n_cascades=(COUNT, "cascades", "cascades of two posts or more that members stand in"),
    n_started=(COUNT, "cascades", "those at whose root a member stands"),
    early_share_mean=(SHARE, "0..1", "members' share of the first ten reshares, mean over these cascades"),
    early_share_median=(SHARE, "0..1", "the same, median"),
    share_below=(SHARE, "0..1", "share of these cascades' nodes with known parents that lie below members"),
    first_generation_share=(
        SHARE,
        "0..1",
        "share of the crowd (members' reshares, relays' left out) directly under the origin; this and the following "
        "null where no structure shows: parents unknown or all the origin, or fewer than two cascades with three "
        "members' reshares",
    ),
    middle_share=(SHARE, "0..1", "share of the crowd that lies below a relay"),
    n_relays=(COUNT, "accounts", "relays: accounts below the origin under whom members hang time after time"),
    relays=(IDS, "id", "the relays, the largest crowd first"),
    relay_overlap=(SHARE, "0..1", "of reshares below relays, the share not below the member's usual one"),
    relay_lag_s=(SECONDS, "s", "median time from a relay's post to its own crowd's"),
    clock=(
        SHARE,
        "0..1",
        "how much closer in time than outsiders' the reshares of one post by the crowd are",
    ),
    centralised=(SHARE, "0..1", "how much the crowd looks as if fired by the origin itself; no probability"),
    distributed=(SHARE, "0..1", "as if fired by relays, each its own sub-crowd; no probability"),
    pyramid=(SHARE, "0..1", "as if passed down through relays to ever wider tiers; no probability"),
    relayed_share=(
        SHARE,
        "0..1",
        "share of the members who stand under one relay or another, cascade after cascade, oftener than parents drawn "
        "among earlier posts would have it (false discovery rate --q); loyal readers do, too",
    ),
    relay_crew_share=(
        SHARE,
        "0..1",
        "share of the members who are of one crew: such relays with jobs in common, and their followers, who come "
        "each time and soon; this and the following null without any",
    ),
    n_relay_jobs=(
        COUNT,
        "cascades",
        "cascades in which two followers or more stand under one of the crew's relays",
    ),
    relay_turnout=(
        SHARE,
        "0..1",
        "when one follower of a relay came to a job, the share of the others who did",
    ),
    **OF_MISSIONS,
    stability=(SHARE, "0..1", "Jaccard similarity found again, mean over the runs of `propgraph stability`"),
)
CAMPAIGNS = declare(
    "campaigns",
    "clusters",
    "a flagged cluster, or several clusters that are one crowd, of which one or more are flagged",
    ("campaign_id",),
    campaign_id=(ID, "id", "g1, g2, ... from the highest score down"),
    score=(SHARE, "0..1", "the highest score of its clusters; never a probability"),
    n_clusters=(COUNT, "clusters", "its clusters"),
    n_flagged=(
        COUNT,
        "clusters",
        "those that are flagged; the others are tied to one of these, and not flagged by it",
    ),
    n_accounts=(COUNT, "accounts", "members of all its clusters"),
    cluster_ids=(IDS, "id", "its clusters, the highest score first"),
    ties=(
        IDS,
        "gatherings, pairs, tokens",
        "what joins them: they gather at the same moments; members synchronised across clusters; tracking tokens",
    ),
    n_gatherings=(
        COUNT,
        "sessions",
        "sessions of gatherings, of one of two clusters, that could have coincided with the other's; so are all "
        "down to p_value, of the two that most surely gather together, and null where none do",
    ),
    n_coinciding=(
        COUNT,
        "sessions",
        "those that did: within an hour, or at one object within the clusters' spread",
    ),
    expected_coinciding=(
        pl.Float64(),
        "sessions",
        "as many as the same hours of other days give (shifts by whole days), and the object's public",
    ),
    p_value=(SHARE, "0..1", "bound on the chance of so many (binomial)"),
    tokens=(IDS, "", "tracking tokens that join them, examples"),
    first_time=(TIME, "UTC", "first co-share within one of its clusters"),
    last_time=(TIME, "UTC", "last co-share within one of its clusters"),
    traces=(IDS, "", "traces in which fellow members co-shared in the window"),
    stability=(
        SHARE,
        "0..1",
        "similarity of its accounts to the clusters of a run that together are most like it, mean over the runs; by "
        "`propgraph stability`, null before",
    ),
)
AMPLIFICATION = declare(
    "amplification",
    "clusters",
    "a cluster and a cascade of two posts or more that it touches",
    ("cluster_id", "cascade_id"),
    cluster_id=(ID, "id", "the cluster"),
    cascade_id=(ID, "trace:object_id", "the cascade"),
    trace=(ID, "reshare, url, object", "what kind of object spread"),
    started=(pl.Boolean(), "", "a member stands at the root"),
    n_nodes=(COUNT, "posts", "members' posts, the root included"),
    n_known_own=(COUNT, "posts", "members' posts whose parent is known (not `inferred:star`)"),
    n_known=(COUNT, "posts", "all posts whose parent is known"),
    n_below=(COUNT, "posts", "posts with a member above them, by known parents: gone with the members"),
    share=(SHARE, "0..1", "members' share of the posts below the root"),
    share_below=(SHARE, "0..1", "n_below over n_known; null where no parent is known"),
    first_10_share=(SHARE, "0..1", "members' share of the first 10 posts below the root"),
    first_100_share=(SHARE, "0..1", "members' share of the first 100 posts below the root"),
    first_1m_share=(SHARE, "0..1", "members' share of the posts of the first minute; null without any"),
    first_10m_share=(SHARE, "0..1", "members' share of the posts of the first 10 minutes; null without any"),
    first_60m_share=(SHARE, "0..1", "members' share of the posts of the first 60 minutes; null without any"),
    tier_1=(
        COUNT,
        "posts",
        "posts at depth 1 that are members', below members' or above them, by known parents",
    ),
    tier_2=(COUNT, "posts", "the same at depth 2"),
    tier_3=(COUNT, "posts", "members' posts at depth 3 or more, and those below members there"),
)
EVIDENCE = declare(
    "evidence",
    "clusters",
    "one reason for one flag, what stands out of an account on its own, or what ties two accounts or a group of sites",
    ("subject_type", "subject_id", "rule"),
    subject_type=(ID, "account, campaign, cluster, operator, pair, site", "whom or what it is about"),
    subject_id=(
        ID,
        "id",
        "which one; of a pair, one of the ten surest of a flagged cluster, both accounts with a comma between",
    ),
    rule=(ID, "", "the flag"),
    value=(pl.Float64(), "the rule's", "what was measured"),
    threshold=(pl.Float64(), "the rule's", "what the rule asks for"),
    expected=(pl.Float64(), "the rule's", "what the rest of the log, or chance, gives"),
    content_ids=(IDS, "id", "posts that show it, at most 24"),
    counted=(ID, "posts, pairs of posts", "what n_shown and n_all count"),
    n_shown=(COUNT, "counted", "those among content_ids"),
    n_all=(
        PAIRS,
        "counted",
        "all that show it; null where that is no number of posts, or was not counted",
    ),
    sentence=(ID, "", "the reason in words, in English"),
    said=(ID, "JSON", "the same as the key of a sentence and its facts, to be told in another language"),
)
READINGS = declare(
    "readings",
    "clusters",
    "an innocent reading that fits a cluster, or a site: an explanation without any campaign",
    ("subject_type", "subject_id", "reading"),
    subject_type=(ID, "cluster, site", "what it fits"),
    subject_id=(ID, "id", "which one"),
    reading=(ID, "", "the reading, of a cluster as in clusters.innocent, the most telling first"),
    value=(pl.Float64(), "the reading's", "what was measured"),
    threshold=(
        pl.Float64(),
        "the reading's",
        "from where on it fits; no-comparison: pairs of posts below which, or a fraction above which",
    ),
    speaks_for=(ID, "", "what speaks for it, in words"),
    speaks_against=(ID, "", "what speaks against it, or what it leaves unexplained, in words"),
    said_for=(ID, "JSON", "what speaks for it as the key of a sentence and its facts"),
    said_against=(ID, "JSON", "what speaks against it alike"),
)
