"""The table of counts at which objects of the whole log stop."""

from __future__ import annotations

import polars as pl

from propgraph.schema.dtypes import COUNT, ID, IDS, SHARE
from propgraph.schema.table import declare

QUOTAS = declare(
    "quotas",
    "clusters",
    "a count at which far more objects of the whole log stop than would by themselves; it flags nobody",
    ("trace", "quota"),
    trace=(ID, "", "the trace of the objects"),
    counted=(ID, "accounts, posts", "what is counted at each object"),
    quota=(COUNT, "counted", "the count"),
    n_objects=(COUNT, "objects", "objects that stop there"),
    n_near=(COUNT, "objects", "objects of a count at most a fifth away, these included"),
    expected=(
        pl.Float64(),
        "objects",
        "as many at most as attendance as steady as theirs leaves at one count",
    ),
    p_value=(SHARE, "0..1", "bound on the chance of so many (binomial), times the counts looked at"),
    tail=(
        SHARE,
        "0..1",
        "share of the time from first post to last that the last tenth of the posts takes, median over these objects",
    ),
    usual_tail=(SHARE, "0..1", "the same of other objects of like size"),
    n_accounts=(COUNT, "accounts", "accounts that share one of these objects or more"),
    n_regulars=(
        COUNT,
        "accounts",
        "those that share three of them or more, oftener than their activity and the objects' sizes have it (binomial, "
        "false discovery rate --q)",
    ),
    regulars=(IDS, "id", "these accounts: a reason to look, who has no part in it may be among them"),
    object_ids=(IDS, "id", "the objects"),
)
