"""The table that `evaluate` prints."""

from __future__ import annotations

import polars as pl

from propgraph.schema.dtypes import COUNT, ID, SHARE
from propgraph.schema.table import declare

EVALUATION = declare(
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
    n=(COUNT, "accounts, or sites", "where the value is a fraction of some accounts: how many"),
    of=(COUNT, "accounts, or sites", "of how many"),
)
