"""All tables of a study, by name, in the order in which they are listed."""

from __future__ import annotations

from collections.abc import Mapping

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
from propgraph.schema.costs import BOOSTS, COSTS
from propgraph.schema.pair_evidence import PAIR_EVIDENCE
from propgraph.schema.power import POWER
from propgraph.schema.quotas import QUOTAS
from propgraph.schema.recruiters import RECRUITERS
from propgraph.schema.sites import COPIES, OPERATORS, SITE_FACTS, SITE_PAIRS, SITES
from propgraph.schema.stability import STABILITY
from propgraph.schema.synchrony import NETWORK, SYNCHRONY
from propgraph.schema.table import Table
from propgraph.schema.tried import TRIED_READINGS

TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (
        POSTS, SHARES, ACCOUNTS, OBJECTS, REJECTED, OWN_COLUMNS, SITE_FACTS, CASCADES, CASCADE_NODES, SPREADERS,
        EDGES, SYNCHRONY, NETWORK, ACCOUNT_SCORES, MEMBERS, CLUSTERS, CAMPAIGNS, RECRUITERS, QUOTAS, AMPLIFICATION,
        SITES, SITE_PAIRS, OPERATORS, COPIES, EVIDENCE, PAIR_EVIDENCE, READINGS, TRIED_READINGS, COSTS, BOOSTS,
        STABILITY, POWER,
    )
}  # fmt: skip


def tables_of(job: str, /) -> list[str]:
    """Return the names of the tables that a job makes."""
    return [table.name for table in TABLES.values() if table.job == job]
