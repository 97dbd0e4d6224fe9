"""The tables of a study, each declared once: dtype, unit and meaning of every column.

A column is added in one place, where its table is declared: `build.py`, `clusters.py`, `sites.py`, `stability.py` or
`power.py`, by the job that makes the table. All ids are `String` (numeric ids lose their last digits in GraphML and
JavaScript), all times are `Datetime("ms", "UTC")`, all durations are seconds as `Float64` in columns that end in `_s`.
"""

from __future__ import annotations

from propgraph.schema.build import (
    ACCOUNTS,
    CASCADE_NODES,
    CASCADES,
    EDGES,
    OBJECTS,
    OWN_COLUMNS,
    POSTS,
    REJECTED,
    SHARES,
)
from propgraph.schema.clusters import (
    ACCOUNT_SCORES,
    AMPLIFICATION,
    CAMPAIGNS,
    CLUSTERS,
    EVIDENCE,
    MEMBERS,
    READINGS,
    SPREADERS,
)
from propgraph.schema.comparison import COMPARISON
from propgraph.schema.costs import BOOSTS, COSTS
from propgraph.schema.dtypes import COUNT, COUNTS, ID, IDS, PAIRS, SECONDS, SHARE, TIME
from propgraph.schema.evaluate import EVALUATION
from propgraph.schema.pair_evidence import PAIR_EVIDENCE
from propgraph.schema.power import POWER
from propgraph.schema.quotas import QUOTAS
from propgraph.schema.recruiters import RECRUITERS
from propgraph.schema.registry import TABLES, tables_of
from propgraph.schema.sites import COPIES, OPERATORS, SITE_FACTS, SITE_PAIRS, SITES
from propgraph.schema.stability import STABILITY
from propgraph.schema.synchrony import NETWORK, SYNCHRONY
from propgraph.schema.table import Column, Table
from propgraph.schema.tried import TRIED_READINGS

__all__ = [
    "ACCOUNTS",
    "ACCOUNT_SCORES",
    "AMPLIFICATION",
    "BOOSTS",
    "CAMPAIGNS",
    "CASCADES",
    "CASCADE_NODES",
    "CLUSTERS",
    "COMPARISON",
    "COPIES",
    "COSTS",
    "COUNT",
    "COUNTS",
    "EDGES",
    "EVALUATION",
    "EVIDENCE",
    "ID",
    "IDS",
    "MEMBERS",
    "NETWORK",
    "OBJECTS",
    "OPERATORS",
    "OWN_COLUMNS",
    "PAIRS",
    "PAIR_EVIDENCE",
    "POSTS",
    "POWER",
    "QUOTAS",
    "READINGS",
    "RECRUITERS",
    "REJECTED",
    "SECONDS",
    "SHARE",
    "SHARES",
    "SITES",
    "SITE_FACTS",
    "SITE_PAIRS",
    "SPREADERS",
    "STABILITY",
    "SYNCHRONY",
    "TABLES",
    "TIME",
    "TRIED_READINGS",
    "Column",
    "Table",
    "tables_of",
]
