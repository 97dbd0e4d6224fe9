"""The tables of a study, each declared once: dtype, unit and meaning of every column.

All ids are `String` (numeric ids lose their last digits in GraphML and JavaScript), all times are
`Datetime("ms", "UTC")`, all durations are seconds as `Float64` in columns that end in `_s`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from propgraph.errors import InputError, did_you_mean

ID = pl.String()
TIME = pl.Datetime("ms", "UTC")
SECONDS = pl.Float64()
COUNT = pl.UInt32()
PAIRS = pl.UInt64()  # pairs of posts grow with the square of a burst
SHARE = pl.Float64()
IDS = pl.List(pl.String())
COUNTS = pl.List(pl.UInt32())


@dataclass(frozen=True)
class Column:
    """One column of a table: its dtype, its unit or range, and one line of meaning."""

    dtype: Any
    unit: str
    meaning: str


@dataclass(frozen=True)
class Table:
    """One table of a study: the job that makes it, what a row is, its columns in order, and what tells rows apart."""

    name: str
    job: str
    row: str
    columns: Mapping[str, Column]
    key: tuple[str, ...]

    @property
    def dtypes(self) -> dict[str, Any]:
        """Column names to Polars dtypes, in order."""
        return {name: column.dtype for name, column in self.columns.items()}

    def empty(self) -> pl.DataFrame:
        """Return the table without a row."""
        return pl.DataFrame(schema=self.dtypes)

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return `frame` with this table's columns in order, cast; missing columns are null.

        Raises
        ------
        InputError
            When `frame` has a column that the table does not declare.
        """
        unknown = [name for name in frame.columns if name not in self.columns]
        if unknown:
            raise InputError(
                f"table {self.name!r} has no column {unknown[0]!r}{did_you_mean(unknown[0], self.columns)}"
            )
        return frame.select(
            (pl.col(name) if name in frame.columns else pl.lit(None)).cast(column.dtype).alias(name)
            for name, column in self.columns.items()
        )


def _table(name: str, job: str, row: str, key: tuple[str, ...], /, **columns: tuple[Any, str, str]) -> Table:
    return Table(name, job, row, {column: Column(*spec) for column, spec in columns.items()}, key)


_RESOLUTION = (
    SECONDS,
    "s",
    "how fine the times of the post's file are, on its platform: 3600 where they are whole hours; where many "
    "posts of a file lie on a coarser grid (it was put together of several, or they were made by a schedule), that; "
    "null: not known",
)

POSTS = _table(
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
)

SHARES = _table(
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
    via=(ID, "", "the short link that was posted, canonical, where --resolved told its target (trace url)"),
)

ACCOUNTS = _table(
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

OBJECTS = _table(
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

REJECTED = _table(
    "rejected",
    "build",
    "an input row not used",
    ("source", "line", "reason"),
    source=(ID, "path", "the file"),
    line=(pl.Int64(), "1-based", "line of a text file (a CSV's header is line 1), row of a binary one"),
    reason=(ID, "", "why the row was not used"),
    raw=(ID, "", "the row as found, cut at 2,000 characters"),
)

# What is told of each measure where trees were drawn (--parents pdi, learned).
_DRAWN = {
    f"{measure}_{statistic}": (pl.Float64(), unit, f"{meaning} over the trees drawn; null where none were")
    for measure, unit in (("depth", "edges"), ("max_breadth", "posts"), ("structural_virality", "edges"))
    for statistic, meaning in (("mean", "mean"), ("low", "5 % point"), ("high", "95 % point"))
}

CASCADES = _table(
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

CASCADE_NODES = _table(
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

SPREADERS = _table(
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

EDGES = _table(
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

SYNCHRONY = _table(
    "synchrony",
    "clusters",
    "two accounts near each other in rank over two objects or more, or joined by an edge; of one trace",
    ("trace", "source", "target"),
    trace=(ID, "", "what kind of object"),
    source=(ID, "id", "the account whose id sorts first"),
    target=(ID, "id", "the other account"),
    n_tested=(COUNT, "objects", "objects both shared in which they could have been near"),
    n_near=(
        COUNT,
        "objects",
        "those in which they are: nearer in rank than all but a fifth of pairs of posts",
    ),
    closest_delta_s=(SECONDS, "s", "the least time between their posts over these"),
    synchrony=(
        pl.Float64(),
        "-log10 P",
        "how surely they are nearer than accounts dealt at random to the posts",
    ),
    p_value=(SHARE, "0..1", "chance of that; null where fewer than two objects could tell"),
    q_value=(SHARE, "0..1", "false discovery rate over all pairs that could have been found"),
    n_shared=(COUNT, "objects", "distinct objects both shared, whenever"),
    expected_shared=(pl.Float64(), "objects", "as many as their activity and the objects' popularity give"),
    cosine=(SHARE, "0..1", "TF-IDF cosine of what they share; null where either shared one object only"),
    overlap_p=(SHARE, "0..1", "chance of n_shared or more if shares were dealt by activity and popularity"),
    overlap_q=(SHARE, "0..1", "false discovery rate of that over all pairs of accounts"),
    synchronised=(pl.Boolean(), "", "q_value is at most --q: they are near each other in time beyond chance"),
    alike=(pl.Boolean(), "", "overlap_q is at most --q: a common interest or list, no sign of organisation"),
)

NETWORK = _table(
    "network",
    "clusters",
    "two accounts near each other beyond chance (p_value up to 0.01) over all traces together",
    ("source", "target"),
    source=(ID, "id", "the account whose id sorts first"),
    target=(ID, "id", "the other account"),
    traces=(ID, "", "traces in which they are near, joined by +"),
    n_near=(COUNT, "objects", "objects in which they are near, in the trace with most"),
    closest_delta_s=(SECONDS, "s", "the least time between their posts over these"),
    synchrony=(pl.Float64(), "-log10 P", "of the traces' p-values joined (harmonic mean)"),
    p_value=(SHARE, "0..1", "the same as a probability"),
    q_value=(SHARE, "0..1", "false discovery rate over all pairs that could have been found"),
    synchronised=(pl.Boolean(), "", "q_value is at most --q"),
)

MEMBERS = _table(
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
        "pairs, group, window",
        "why it is here: synchronised with fellows pair by pair; near them as a group; co-shares in the window",
    ),
    stability=(
        SHARE,
        "0..1",
        "share of its fellows that are in one cluster with it, mean over the runs of `propgraph stability`",
    ),
)

ACCOUNT_SCORES = _table(
    "account_scores",
    "clusters",
    "an account with evidence of acting in step with others; one not here has score 0, q 1, and no flag",
    ("account_id",),
    account_id=(ID, "id", "the account"),
    score=(
        pl.Float64(),
        ">= 0",
        "higher is more surely synchronised; in a flagged cluster of the window -log10 of the cluster's p_value, at "
        "most 10, is added; orders accounts, never a probability",
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

CLUSTERS = _table(
    "clusters",
    "clusters",
    "a community of accounts that are synchronised, or that co-shared in the window",
    ("cluster_id",),
    cluster_id=(ID, "id", "c1, c2, ... from the highest score down"),
    score=(SHARE, "0..1", "how much of what organised behaviour looks like is there; never a probability"),
    flagged=(pl.Boolean(), "", "score at or above --min-score"),
    flags=(IDS, "", "rules that fired"),
    innocent=(IDS, "", "innocent readings that also fit"),
    evidence=(
        ID,
        "synchrony, window",
        "what it was found by: pairs beyond chance, or co-shares in the window",
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
        "how fine the times are by which observed and all down to p_value are told",
    ),
    fast_share=(
        SHARE,
        "0..1",
        "share of its pairs of posts known to be at most 10 s apart; null where all times are coarser than that",
    ),
    co_shared=(SHARE, "0..1", "share of these posts (n_shares) within the window of a fellow member's"),
    observed=(
        pl.Float64(),
        "pairs of posts",
        "members' pairs of posts within the window, in the strongest trace; so are all down to p_value",
    ),
    expected=(pl.Float64(), "pairs of posts", "as many as outsiders' timing of the same objects would give"),
    window_rate=(SHARE, "0..1", "part of members' pairs of posts in the window, over the objects they share"),
    outsider_rate=(SHARE, "0..1", "the same of outsiders' pairs of posts of these objects"),
    turnout=(
        SHARE,
        "0..1",
        "members who posted one object within one window, the third most of times an hour or more apart",
    ),
    p_value=(pl.Float64(), "0..1", "bound on the chance of such synchrony at the outsiders' rate (Chernoff)"),
    n_sites=(COUNT, "sites", "registrable domains shared"),
    site_gini=(SHARE, "0..1", "Gini of the members' shares over the sites; one site = 1"),
    top_site=(ID, "registrable domain", "the site shared most"),
    top_site_share=(SHARE, "0..1", "its part of the members' URL shares"),
    original_share=(SHARE, "0..1", "originals over all members' posts; null where the log has no kinds"),
    hour_entropy=(SHARE, "0..1", "entropy of the hours of the day (UTC) over log 24"),
    creation_spread_s=(SECONDS, "s", "shortest span that holds half of the accounts' creation times"),
    crowd_bot_index=(
        SHARE,
        "0..1",
        "exp(entropy of n_shares over members) / n_shares: near one over the posts an account",
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
    stability=(SHARE, "0..1", "Jaccard similarity found again, mean over the runs of `propgraph stability`"),
)

AMPLIFICATION = _table(
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

SITES = _table(
    "sites",
    "clusters",
    "a registrable domain",
    ("site",),
    site=(ID, "registrable domain", "the site"),
    score=(SHARE, "0..1", "how much of what seeding looks like is there; never a probability"),
    flags=(IDS, "", "rules that fired"),
    n_shares=(COUNT, "shares", "shares of its URLs"),
    n_accounts=(COUNT, "accounts", "accounts that shared it"),
    n_urls=(COUNT, "URLs", "distinct canonical URLs"),
    first_seen=(TIME, "UTC", "its first share"),
    last_seen=(TIME, "UTC", "its last share"),
    coordinated_share=(SHARE, "0..1", "share of its traffic made by flagged clusters"),
    early_share=(SHARE, "0..1", "share of its URLs' first ten shares made by flagged clusters"),
    n_half_seeders=(COUNT, "accounts", "fewest accounts that make half of its URLs' first ten shares"),
    gini=(SHARE, "0..1", "Gini of its shares over accounts; one account = 1"),
    top_cluster_id=(ID, "id", "the flagged cluster that shared it most"),
)

EVIDENCE = _table(
    "evidence",
    "clusters",
    "one reason for one flag",
    ("subject_type", "subject_id", "rule"),
    subject_type=(ID, "cluster, site", "what is flagged"),
    subject_id=(ID, "id", "which one"),
    rule=(ID, "", "the flag"),
    value=(pl.Float64(), "the rule's", "what was measured"),
    threshold=(pl.Float64(), "the rule's", "what the rule asks for"),
    expected=(pl.Float64(), "the rule's", "what the rest of the log, or chance, gives"),
    content_ids=(IDS, "id", "posts that show it, at most 24"),
    sentence=(ID, "", "the reason in words"),
)

STABILITY = _table(
    "stability",
    "stability",
    "a cluster, and how it fares when the choices behind it are made otherwise",
    ("cluster_id",),
    cluster_id=(ID, "id", "the cluster"),
    n_runs=(COUNT, "runs", "runs of the grid; the first repeats the study's own choices"),
    holds_share=(SHARE, "0..1", "share of the runs with a cluster of Jaccard similarity 0.5 or more"),
    jaccard_mean=(SHARE, "0..1", "similarity of the most similar cluster, mean over the runs"),
    vanishes=(
        IDS,
        "choice=level",
        "choices under which it holds in less than half of the runs that no worse one spoilt",
    ),
)

EVALUATION = _table(
    "evaluation",
    "evaluate",
    "one measure of how well a study meets a truth; printed by `propgraph evaluate`, in no study",
    ("measure", "at", "kind"),
    measure=(ID, "", "what is measured"),
    at=(pl.Float64(), "accounts or q", "the cut: k of precision at k, the q value of those at q"),
    kind=(ID, "", "the kind of account that it is about"),
    value=(SHARE, "0..1 (ari: -1..1)", "the measure; null where it is not defined"),
    low=(SHARE, "0..1", "2.5 % point over the resamples"),
    high=(SHARE, "0..1", "97.5 % point"),
    n=(COUNT, "accounts", "where the value is a part of some accounts: how many"),
    of=(COUNT, "accounts", "of how many"),
)

TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (
        POSTS, SHARES, ACCOUNTS, OBJECTS, REJECTED, CASCADES, CASCADE_NODES, SPREADERS,
        EDGES, SYNCHRONY, NETWORK, ACCOUNT_SCORES, MEMBERS, CLUSTERS, AMPLIFICATION, SITES, EVIDENCE, STABILITY,
    )
}  # fmt: skip


def tables_of(job: str, /) -> list[str]:
    """Return the names of the tables that a job makes."""
    return [table.name for table in TABLES.values() if table.job == job]
