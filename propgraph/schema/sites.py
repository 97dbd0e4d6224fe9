"""The tables of sites: who seeds them, what is known of them, and which look as if one hand ran them."""

from __future__ import annotations

import polars as pl

from propgraph.schema.dtypes import COUNT, ID, IDS, SECONDS, SHARE, TIME
from propgraph.schema.table import declare

SITES = declare(
    "sites",
    "clusters",
    "a registrable domain",
    ("site",),
    site=(ID, "registrable domain", "the site"),
    score=(SHARE, "0..1", "how much of what seeding looks like is there; never a probability"),
    flagged=(pl.Boolean(), "", "score at or above --min-score, and two URLs or more"),
    flags=(IDS, "", "rules that fired, whether or not they come to a flag"),
    n_shares=(COUNT, "shares", "shares of its URLs"),
    n_accounts=(COUNT, "accounts", "accounts that shared it"),
    n_urls=(COUNT, "URLs", "distinct canonical URLs"),
    first_seen=(TIME, "UTC", "its first share"),
    last_seen=(TIME, "UTC", "its last share"),
    life_s=(SECONDS, "s", "from its first share to its last"),
    burst_share=(SHARE, "0..1", "share of its shares on its busiest day (UTC)"),
    age_at_first_share_s=(SECONDS, "s", "from its registration to its first share; null where no fact tells"),
    coordinated_share=(SHARE, "0..1", "share of its traffic made by flagged clusters"),
    early_share=(SHARE, "0..1", "share of its URLs' first ten shares made by flagged clusters"),
    early_share_pct=(
        SHARE,
        "0..1",
        "chance that as many URLs of like size, drawn from all sites, have fewer first shares by flagged clusters",
    ),
    n_half_seeders=(COUNT, "accounts", "fewest accounts that make half of its URLs' first ten shares"),
    n_half_seeders_pct=(
        SHARE,
        "0..1",
        "share of sites with about as many first shares, and others' hands behind them, that have as few or fewer; "
        "null where first shares or sites are too few",
    ),
    gini=(SHARE, "0..1", "Gini of its shares over accounts; one account = 1"),
    top_cluster_id=(ID, "id", "the flagged cluster that shared it most"),
    operator_id=(ID, "id", "the group of sites that it is of (table operators); null where it is of none"),
    n_groups=(
        COUNT,
        "groups",
        "groups, pages or channels that its links went into; null where the log knows none",
    ),
    groups_per_url=(
        pl.Float64(),
        "groups",
        "groups that an account posted one of its URLs into, mean over the accounts and URLs that went into any",
    ),
    sponsored_share=(
        SHARE,
        "0..1",
        "share of its shares that were paid for; null where the log knows no sponsor",
    ),
    imitates=(ID, "registrable domain", "the well-known site that its name looks like"),
    imitates_how=(ID, "look-alike letters, other suffix, edit distance, brand in the name", "how it does"),
    copied_share=(
        SHARE,
        "0..1",
        "share of its articles that stood on another site before; null without --articles",
    ),
    median_copy_lag_s=(SECONDS, "s", "median time from there to here"),
)
SITE_FACTS = declare(
    "site_facts",
    "build",
    "something that the user's tables (--sites) say of a site",
    ("site", "fact", "value"),
    site=(ID, "registrable domain", "the site, in the log or not"),
    fact=(ID, "registrant, registered, ad_id, owner, ...", "what it is: the name of the column"),
    value=(
        ID,
        "the fact's",
        "what the table says; where a study has pseudonyms, one for what may lead to a person",
    ),
    n_sites_with_value=(COUNT, "sites", "sites of the tables of which the same is said"),
    ties=(
        pl.Boolean(),
        "",
        "it identifies one hand (registrant, owner, email, id of adverts, analytics or a page), is no proxy's by its "
        "words, and 2 to max(10, 1 %) of the tables' sites hold it",
    ),
)
SITE_PAIRS = declare(
    "site_pairs",
    "clusters",
    "two sites that the same accounts share first, that share a rare fact, or whose texts or names are alike",
    ("source", "target"),
    source=(ID, "registrable domain", "a site"),
    target=(ID, "registrable domain", "another, behind it in the alphabet"),
    n_first_sharers=(
        COUNT,
        "accounts",
        "first sharers of both: among a URL's first ten accounts, at most half of them, at half or more of a site's "
        "URLs that they share; null, as the following down to q_value, where a site has fewer than five, both share "
        "fewer than three, or either null gives so many at a level of 5 %",
    ),
    expected=(
        pl.Float64(),
        "accounts",
        "as many as activity and popularity give (bipartite configuration model)",
    ),
    n_sharers=(COUNT, "accounts", "that share both sites at all"),
    expected_order=(
        pl.Float64(),
        "accounts",
        "of these so many would be among the first of both, were the order of each URL's sharers drawn at random",
    ),
    p_value=(SHARE, "0..1", "the larger of the probabilities of so many by either null"),
    q_value=(SHARE, "0..1", "false discovery rate over all pairs of sites with five first sharers or more"),
    shared_facts=(IDS, "fact=value", "rare facts of the user's tables that both share"),
    name_template=(ID, "", "both names, where they differ in a number alone: channel#news"),
    n_copies=(COUNT, "texts", "texts of one that stood on the other before; null without texts of articles"),
    median_copy_lag_s=(SECONDS, "s", "median time from the earlier to the later; null without any"),
    operator_id=(ID, "id", "the operator of which both are sites; null where they are not of one"),
)
OPERATORS = declare(
    "operators",
    "clusters",
    "three sites or more that look as if one hand pushed or ran them",
    ("operator_id",),
    operator_id=(ID, "id", "o1, o2, ... from the most sites down"),
    n_sites=(COUNT, "sites", "its sites"),
    sites=(IDS, "registrable domain", "its sites, those with the most ties first"),
    evidence=(
        IDS,
        "first-sharers, registrant, owner, ad_id, ..., copies, names",
        "what ties them: the same accounts share them first; a rare fact; the other two beside these, never alone",
    ),
    n_pairs=(
        COUNT,
        "pairs",
        "pairs of its sites shared first by the same accounts at a false discovery rate of 5 %",
    ),
    declared_owner=(ID, "", "the owner whom the user's table names for half of its sites or more: a chain"),
    name_template=(ID, "", "the name of half of its sites or more, but for a number"),
    n_seeders=(COUNT, "accounts", "first sharers of two of its sites or more"),
    seeders=(IDS, "id", "those that are first at most of its URLs, at most 50"),
    seeder_share=(
        SHARE,
        "0..1",
        "share of all first shares of its URLs that these accounts (all n_seeders) made",
    ),
    n_accounts=(COUNT, "accounts", "accounts that share any of its sites"),
    n_urls=(COUNT, "URLs", "its sites' URLs in the log"),
    n_shares=(COUNT, "posts", "shares of these"),
    first_seen=(TIME, "UTC", "first share of any of its sites"),
    last_seen=(TIME, "UTC", "last share"),
    clusters=(IDS, "id", "flagged clusters of seeders, the one with most of them first"),
)
COPIES = declare(
    "copies",
    "clusters",
    "two sites of which one has stories that stood on the other before; without --articles none",
    ("site", "source_site"),
    site=(ID, "registrable domain", "the site that was later"),
    source_site=(ID, "registrable domain", "the site that was earlier"),
    n_articles=(COUNT, "articles", "articles of the first in the user's table"),
    n_shared=(
        COUNT,
        "stories",
        "stories on both, one earlier than the other; without those of agencies and those that name their source",
    ),
    n_copied=(COUNT, "stories", "those in which the first was the later"),
    median_lag_s=(SECONDS, "s", "median time from there to here, of these"),
    p_value=(SHARE, "0..1", "chance of being the later so often were either as likely (binomial)"),
    q_value=(
        SHARE,
        "0..1",
        "false discovery rate over all ordered pairs of sites with five such stories; null with fewer",
    ),
    urls=(IDS, "URL", "articles of the first that stood there before, the soonest first, at most five"),
)


def flagged_sites(sites: pl.DataFrame, /) -> pl.Series:
    """Return which rows of `sites` are flagged; in a study of an earlier version, wherever a rule fired."""
    return sites["flagged"] if "flagged" in sites.columns else sites["flags"].list.len() > 0
