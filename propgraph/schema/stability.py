"""The table that `stability` makes; it fills the columns `stability` of `clusters`, `campaigns` and `members`, too."""

from __future__ import annotations

from propgraph.schema.dtypes import COUNT, ID, IDS, SHARE
from propgraph.schema.table import declare

STABILITY = declare(
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
