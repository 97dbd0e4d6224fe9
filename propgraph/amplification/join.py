"""What cascades tell of clusters: columns of `clusters`, the table `amplification`, the evidence of structure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import polars as pl

from propgraph.amplification.forest import by_trace, forest
from propgraph.amplification.reach import measure_amplification
from propgraph.amplification.spreaders import measure_spreaders
from propgraph.amplification.structure import KINDS, Structure, joined_structures, measure_structure
from propgraph.schema import AMPLIFICATION, CLUSTERS, EVIDENCE, SPREADERS
from propgraph.words.said import Said, said

#: The rule of the evidence, and from which score on a structure is reported.
RULE, SHOWN = "structure", 0.5
_COLUMNS = list(CLUSTERS.columns)
#: Columns of `clusters` that cascades tell.
OF_CASCADES = _COLUMNS[_COLUMNS.index("cascade_trace") : _COLUMNS.index("pyramid") + 1]


@dataclass(frozen=True)
class Amplified:
    """What cascades tell of clusters and accounts.

    Attributes
    ----------
    table
        Columns of `schema.AMPLIFICATION`.
    figures
        `cluster_id`, and the columns of `schema.CLUSTERS` that cascades tell; a row for each cluster in a cascade.
    spreaders
        Columns of `schema.SPREADERS`.
    structure
        How the crowds of the clusters hang together; None without a cluster in a cascade.
    """

    table: pl.DataFrame
    figures: pl.DataFrame
    spreaders: pl.DataFrame
    structure: Structure | None

    def named(self, ids: Mapping[str, str], /) -> Amplified:
        """Return the same with other ids for the clusters, all of them."""
        by_id = pl.col("cluster_id").replace_strict(ids, return_dtype=pl.String)
        structure = self.structure
        if structure is not None:
            frames = {field.name: getattr(structure, field.name) for field in fields(structure)}
            structure = Structure(**{name: frame.with_columns(by_id) for name, frame in frames.items()})
        table = self.table.with_columns(by_id).sort("cluster_id", "cascade_id")
        return Amplified(table, self.figures.with_columns(by_id), self.spreaders, structure)


def amplify(nodes: pl.DataFrame | pl.LazyFrame, members: pl.DataFrame, /) -> Amplified:
    """Return what cascades tell of clusters: how early they are, what they start, how their crowds hang.

    A post may stand in cascades of several traces. The figures of a cluster are of one: that in which its
    members reshare most with a known parent, else simply most; it stands in `cascade_trace`. One trace is held
    in memory at a time.

    Parameters
    ----------
    nodes
        `schema.CASCADE_NODES`, in the order of a study.
    members
        `account_id`, `cluster_id`; an account is in one cluster at most.
    """
    parts, spreaders = [], [SPREADERS.empty()]
    for part in by_trace(nodes.lazy()):
        cascades = forest(part)
        if len(cascades.cascade_id):
            spreaders.append(measure_spreaders(cascades))
            if members.height:
                table = measure_amplification(cascades, members)
                parts.append((table, measure_structure(cascades, members, table)))
    spread = pl.concat(spreaders).sort("trace", "account_id")
    if not parts:
        return Amplified(AMPLIFICATION.empty(), pl.DataFrame(schema={"cluster_id": pl.String}), spread, None)
    table = pl.concat([table for table, _ in parts]).sort("cluster_id", "cascade_id")
    structure = joined_structures([structure for _, structure in parts])
    return Amplified(table, _figures(table, structure), spread, structure)


def _figures(table: pl.DataFrame, structure: Structure) -> pl.DataFrame:
    """Return a row for each cluster: its figures in its main trace."""
    by_trace = (
        table.group_by("cluster_id", "trace", maintain_order=True)
        .agg(
            n_known_own=pl.col("n_known_own").sum(),
            n_nodes=pl.col("n_nodes").sum(),
            n_cascades=pl.len(),
            n_started=pl.col("started").sum(),
            early_share_mean=pl.col("first_10_share").mean(),
            early_share_median=pl.col("first_10_share").median(),
            below=pl.col("n_below").sum(),
            known=pl.col("n_known").sum(),
        )
        .sort(["cluster_id", "n_known_own", "n_nodes", "trace"], descending=[False, True, True, False])
        .unique("cluster_id", keep="first", maintain_order=True)
    )
    share = pl.when(pl.col("known") > 0).then(pl.col("below") / pl.col("known"))
    return (
        by_trace.with_columns(share_below=share)
        .join(structure.clusters, on=["cluster_id", "trace"], how="left", maintain_order="left")
        .rename({"trace": "cascade_trace"})
        .select("cluster_id", *OF_CASCADES)
    )


def structure_evidence(amplified: Amplified, flagged: Sequence[str], /) -> pl.DataFrame:
    """Return the evidence of structure, a row for each flagged cluster whose highest score is 0.5 or more.

    Its sentence holds an innocent reading. It flags nothing by itself. The scores add up to 1 at most, so that one is
    highest.

    Parameters
    ----------
    amplified
        What cascades tell.
    flagged
        The ids of the flagged clusters.
    """
    if amplified.structure is None:
        return EVIDENCE.empty()
    structure = amplified.structure
    posts = {
        name: {(row["cluster_id"], row["trace"]): row["content_ids"] for row in frame.to_dicts()}
        for name, frame in (("relay", structure.relay_posts), ("origin", structure.origin_posts))
    }
    summary = pl.DataFrame({"cluster_id": flagged}, schema={"cluster_id": pl.String}).join(
        amplified.figures, on="cluster_id", how="inner", maintain_order="left"
    )
    rows = []
    for row in summary.to_dicts():
        kind = max(KINDS, key=lambda name: row[name] or 0)
        if (row[kind] or 0) >= SHOWN:
            shown = posts["origin" if kind == "centralised" else "relay"]
            rows.append(
                {
                    "subject_type": "cluster",
                    "subject_id": row["cluster_id"],
                    "rule": RULE,
                    "value": row[kind],
                    "threshold": SHOWN,
                    "content_ids": shown[row["cluster_id"], row["cascade_trace"]],
                    **_said(row, kind).as_columns(),
                }
            )
    return EVIDENCE.conform(pl.DataFrame(rows, schema={name: EVIDENCE.dtypes[name] for name in _WRITTEN}))


_WRITTEN = ("subject_type", "subject_id", "rule", "value", "threshold", "content_ids", "sentence", "said")


def _said(row: dict[str, Any], kind: str) -> Said:
    if kind == "centralised":
        return said("rules.centralised", part=row["first_generation_share"])
    facts = {
        "n": row["n_relays"], "relays": row["relays"], "part": row["middle_share"], "lag": float(row["relay_lag_s"]),
    }  # fmt: skip
    return said("rules.distributed" if kind == "distributed" else "rules.pyramid", **facts)
