"""The table of tracking tokens: who carries which, and whose own it is."""

from __future__ import annotations

import polars as pl

from propgraph.schema.dtypes import COUNT, ID, IDS, SHARE
from propgraph.schema.table import declare

RECRUITERS = declare(
    "recruiters",
    "clusters",
    "a tracking token, or a family of tokens numbered on, that five accounts or more carry over two links or more",
    ("kind", "mark"),
    mark=(ID, "", "the token as `parameter=value`, or the family: its text, with # for each digit"),
    kind=(
        ID,
        "token, family",
        "one token, or tokens numbered on (half or more of the numbers between occur)",
    ),
    parameters=(IDS, "", "names of its parameters, the most carried first, at most 6"),
    values=(IDS, "", "its values, the most carried first, at most 6"),
    n_accounts=(COUNT, "accounts", "accounts that carry it over two links or more; reshares are not theirs"),
    n_sites=(COUNT, "sites", "registrable domains that its links lead to"),
    n_links=(COUNT, "links", "links with it: each account's URLs, each once"),
    top_site=(ID, "registrable domain", "the site of most of these links"),
    top_site_share=(SHARE, "0..1", "that site's part of them"),
    says=(
        ID,
        "tool, newsletter, share button, network, volunteers",
        "what it calls itself, by the words of parameter and value; null where it says nothing of the kind",
    ),
    cluster_id=(ID, "id", "the cluster that holds most of its accounts; null where a campaign holds more"),
    campaign_id=(
        ID,
        "id",
        "that cluster's campaign, or the one that holds more of its accounts than any cluster",
    ),
    n_inside=(
        COUNT,
        "accounts",
        "its accounts in that cluster, or, where cluster_id is null, in that campaign",
    ),
    purity=(SHARE, "0..1", "n_inside over n_accounts"),
    expected=(
        SHARE,
        "0..1",
        "part of all accounts with tokens over two links that is of that cluster or campaign",
    ),
    p_value=(
        pl.Float64(),
        "0..1",
        "chance of so many inside (hypergeometric, over accounts with tokens), times the groups it might have been; "
        "null where there are not twenty other accounts with tokens",
    ),
    q_value=(SHARE, "0..1", "the false discovery rate over all rows of this table"),
    flagged=(pl.Boolean(), "", "it is evidence there (recruiter-token)"),
    account_ids=(IDS, "id", "its accounts inside"),
)
