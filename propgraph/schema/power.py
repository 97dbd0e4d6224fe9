"""The table that `power` makes."""

from __future__ import annotations

from propgraph.schema.dtypes import COUNT, SECONDS, SHARE
from propgraph.schema.table import declare

POWER = declare(
    "power",
    "power",
    "a kind of crew, planted in the log several times, and how often it was flagged",
    ("n_accounts", "n_objects", "span_s"),
    n_accounts=(COUNT, "accounts", "accounts of the crew"),
    n_objects=(COUNT, "objects", "objects that they have in common"),
    span_s=(SECONDS, "s", "within how long of each other they post each of them"),
    turnout=(SHARE, "0..1", "the part of the crew that posts each of them"),
    n_planted=(COUNT, "crews", "how often it was planted"),
    n_flagged=(COUNT, "crews", "those of which half of the accounts or more were in flagged clusters"),
    power=(SHARE, "0..1", "n_flagged / n_planted: the chance that such a crew is flagged in this log"),
    power_low=(SHARE, "0..1", "lower end of its 95 % interval (Wilson)"),
    power_high=(SHARE, "0..1", "upper end"),
    recall=(SHARE, "0..1", "part of the crew that was flagged, mean over the crews"),
    n_false=(
        COUNT,
        "accounts",
        "accounts of the log, over all these crews, that were flagged in a cluster with a crew, and are not without it",
    ),
)
