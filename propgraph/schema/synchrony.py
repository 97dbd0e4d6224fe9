"""The tables of pairs that `clusters` makes: who is near whom beyond chance, in each trace and over all."""

from __future__ import annotations

import polars as pl

from propgraph.schema.dtypes import COUNT, ID, SECONDS, SHARE
from propgraph.schema.table import declare

_P_HABITS = (
    SHARE,
    "0..1",
    "the same where each account keeps its own hours, days and places in an object's life; null where p_value alone "
    "leaves the pair a false discovery rate above 0.5",
)
_WEIGHT = (
    pl.Float64(),
    "1 on average at most",
    "how much the pair counts in the false discovery rate: more where it could show enough to stand out among all, "
    "whatever the times, less where it could not",
)
_Q_VALUE = (
    SHARE,
    "0..1",
    "weighted false discovery rate over all pairs that could have been found, by the larger of p_value and p_habits",
)
SYNCHRONY = declare(
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
        "how surely they are nearer than chance puts accounts: by the larger of both p-values",
    ),
    p_value=(
        SHARE,
        "0..1",
        "chance of that if accounts were dealt at random to the posts; null where fewer than two objects could tell",
    ),
    p_habits=_P_HABITS,
    weight=_WEIGHT,
    q_value=_Q_VALUE,
    n_shared=(COUNT, "objects", "distinct objects both shared, whenever"),
    expected_shared=(pl.Float64(), "objects", "as many as their activity and the objects' popularity give"),
    cosine=(SHARE, "0..1", "TF-IDF cosine of what they share; null where either shared one object only"),
    overlap_p=(SHARE, "0..1", "chance of n_shared or more if shares were dealt by activity and popularity"),
    overlap_q=(SHARE, "0..1", "false discovery rate of that over all pairs of accounts"),
    synchronised=(
        pl.Boolean(),
        "",
        "q_value is at most --q: nearer to each other in rank than chance puts them",
    ),
    alike=(pl.Boolean(), "", "overlap_q is at most --q: a common interest or list, no sign of organisation"),
)
NETWORK = declare(
    "network",
    "clusters",
    "two accounts near each other beyond chance (p_value up to 0.01) over all traces together",
    ("source", "target"),
    source=(ID, "id", "the account whose id sorts first"),
    target=(ID, "id", "the other account"),
    traces=(ID, "", "traces in which they are near, joined by +"),
    n_near=(COUNT, "objects", "objects in which they are near, in the trace with most"),
    closest_delta_s=(SECONDS, "s", "the least time between their posts over these"),
    synchrony=(pl.Float64(), "-log10 P", "by the larger of both p-values"),
    p_value=(SHARE, "0..1", "the traces' p-values joined (harmonic mean)"),
    p_habits=_P_HABITS,
    weight=_WEIGHT,
    q_value=_Q_VALUE,
    synchronised=(pl.Boolean(), "", "q_value is at most --q"),
    by_habit=(
        pl.Boolean(),
        "",
        "the rate would be at most --q if accounts were dealt at random, and is not where each keeps its habits: "
        "same hours, or both quick",
    ),
)
