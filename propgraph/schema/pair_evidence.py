"""The table of what pairs of accounts have in common, thing by thing."""

from __future__ import annotations

from propgraph.schema.dtypes import COUNT, ID, SECONDS, TIME
from propgraph.schema.table import declare

PAIR_EVIDENCE = declare(
    "pair_evidence",
    "clusters",
    "what two accounts of a flagged cluster both shared: the closest two posts; of each cluster the 50 pairs most "
    "surely synchronised, then those that co-shared most in the window, of each pair the 100 objects with the closest",
    ("cluster_id", "source", "target", "trace", "object_id"),
    cluster_id=(ID, "id", "the cluster, always flagged"),
    source=(ID, "id", "one account"),
    target=(ID, "id", "the other, later in the order of ids"),
    n_common=(COUNT, "objects", "objects that both shared, in the traces of the network, told here or not"),
    trace=(ID, "", "what kind of object"),
    object_id=(ID, "id", "the object"),
    source_content_id=(ID, "id", "the source's post of it"),
    target_content_id=(
        ID,
        "id",
        "the target's: no two posts of theirs of the object lie closer to each other",
    ),
    source_time=(TIME, "UTC", "when the source posted"),
    target_time=(TIME, "UTC", "when the target posted"),
    delta_s=(SECONDS, "s", "the target's post after the source's; negative where before"),
    n_accounts=(COUNT, "accounts", "accounts of the log that shared the object, these two included"),
)
