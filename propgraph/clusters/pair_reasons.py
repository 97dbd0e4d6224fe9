"""Evidence about two accounts by themselves: how often they are near, by chance how often, and which posts show it."""

from __future__ import annotations

from typing import Any

import polars as pl

from propgraph.clusters.judge import Judged
from propgraph.options import ClusterOptions, SynchronyOptions
from propgraph.schema import EVIDENCE
from propgraph.synchrony.joint import Joint
from propgraph.words.said import said

#: Of a flagged cluster so many pairs have rows of their own, the surest; more would bury what is said of the cluster.
MOST = 10
#: Once may be a coincidence: fewer things over which two are near are no reason.
LEAST = 2
_POSTS = 24
_PAIR = ("cluster_id", "source", "target")


def pair_reasons(
    *, pair_evidence: pl.DataFrame, judged: Judged, joint: Joint, options: ClusterOptions
) -> pl.DataFrame:
    """Return `schema.EVIDENCE` of the surest pairs of each flagged cluster, `subject_id` both ids with a comma between.

    Two rules speak of a pair. `at-once`: over so many things that both shared their closest posts lie in the cluster's
    window, of the hundred closest; `expected` is what the outsiders' rate gives over all that both shared.
    `synchronised`: over so many things they are near in rank; `expected` is tau for each thing in which they could
    have been near, and the pair stands out at the false discovery rate that was asked for.
    """
    of_clusters = judged.clusters.select("cluster_id", "outsider_rate", "time_window_s")
    near = pl.col("delta_s").abs() <= pl.col("time_window_s")
    posts = pl.concat_list("source_content_id", "target_content_id")
    pairs = (
        pair_evidence.join(of_clusters, on="cluster_id", maintain_order="left")
        .group_by(_PAIR, maintain_order=True)
        .agg(
            pl.col("n_common", "time_window_s").first(),
            usual=pl.col("outsider_rate").first() * pl.col("n_common").first(),
            n_near=near.sum(),
            n_told=pl.len(),
            kinds=pl.col("trace").unique().sort(),
            closest=posts.explode(),
            near_posts=posts.filter(near).explode(),
        )
        .group_by("cluster_id", maintain_order=True)
        .head(MOST)
    )
    by_rank = _by_rank(pairs, joint)
    found = [
        *(
            _at_once(row)
            for row in pairs.to_dicts()
            if row["n_near"] >= LEAST and row["n_near"] > (row["usual"] or 0)
        ),
        *(_synchronised(row, q=options.q) for row in by_rank.to_dicts()),
    ]
    return EVIDENCE.conform(pl.DataFrame(found, schema=EVIDENCE.dtypes))


def _by_rank(pairs: pl.DataFrame, joint: Joint) -> pl.DataFrame:
    """Return the synchronised among the pairs, with how often they are near in the trace in which they are most."""
    ends = ["source", "target"]
    known = joint.network.filter("synchronised").select(*ends, "q_value")
    of_traces = (
        joint.synchrony.join(known, on=ends, how="semi")
        .sort(["n_near", "trace"], descending=[True, False], nulls_last=True)
        .unique(ends, keep="first", maintain_order=True)
        .select(*ends, "trace", "n_tested", n_in_rank="n_near")
    )
    return pairs.join(known, on=ends, maintain_order="left").join(of_traces, on=ends, maintain_order="left")


def _at_once(row: dict[str, Any]) -> dict[str, Any]:
    n, usual = row["n_near"], row["usual"]
    others = None if usual is None else said("words.count-and-tenths", n=float(usual))
    within = said("words.within", seconds=row["time_window_s"])
    told = said(
        "rules.pair-at-once", n=n, n_all=row["n_common"], kinds=row["kinds"], within=within,
        usual=None if others is None else said("rules.others-give", usual=others),
    )  # fmt: skip
    # Of a pair with more things than are told, those that are told may all be near, and others, too.
    n_all = n if n < row["n_told"] or row["n_told"] == row["n_common"] else None
    return (
        _row(row, "at-once", value=n, expected=usual, posts=row["near_posts"], n_all=n_all)
        | told.as_columns()
    )


def _synchronised(row: dict[str, Any], *, q: float) -> dict[str, Any]:
    n, n_all = row["n_in_rank"], row["n_tested"]
    expected = SynchronyOptions.tau * n_all
    told = said(
        "rules.pair-synchronised", n=n, n_all=n_all, trace=row["trace"], expected=float(expected), q=row["q_value"],
        asked=q,
    )  # fmt: skip
    return (
        _row(row, "synchronised", value=n, expected=expected, posts=row["closest"], n_all=None)
        | told.as_columns()
    )


def _row(
    row: dict[str, Any], rule: str, *, value: int, expected: float | None, posts: list[str], n_all: int | None
) -> dict[str, Any]:
    ids = list(dict.fromkeys(posts[:_POSTS]))
    return {
        "subject_type": "pair", "subject_id": f"{row['source']},{row['target']}", "rule": rule, "value": float(value),
        "threshold": float(LEAST), "expected": expected, "content_ids": ids,
        "counted": "pairs of posts" if n_all is not None else "posts",
        "n_shown": min(len(posts), _POSTS) // 2 if n_all is not None else len(ids), "n_all": n_all,
    }  # fmt: skip
