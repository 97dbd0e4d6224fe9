"""The tables of sites: who seeds them."""

from __future__ import annotations

from propgraph.schema.dtypes import COUNT, ID, IDS, SHARE, TIME
from propgraph.schema.table import declare

SITES = declare(
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
