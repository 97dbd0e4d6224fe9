"""Evidence pair by pair: what two accounts both shared, and the two posts of each thing that lie closest."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from propgraph.clusters.inputs import ClusterInputs
from propgraph.clusters.judge import Judged, flagged_members
from propgraph.clusters.metrics import edges_inside
from propgraph.schema import PAIR_EVIDENCE
from propgraph.study import Study

#: Of a flagged cluster so many pairs are told, and of a pair so many objects.
PAIRS, OBJECTS = 50, 100


def pair_evidence(
    *, study: Study, traces: list[str], inputs: ClusterInputs | None, judged: Judged
) -> pl.DataFrame:
    """Return `schema.PAIR_EVIDENCE`: cluster by cluster as in `clusters`, the surest pair and closest posts first."""
    flagged = judged.clusters.filter("flagged").select("cluster_id")
    if inputs is None or flagged.is_empty():
        return PAIR_EVIDENCE.empty()
    place = flagged.with_row_index("cluster")
    members = flagged_members(judged.clusters, judged.members).join(place, on="cluster_id")
    pairs = (
        edges_inside(inputs.edges.select("source", "target", "synchrony", "weight"), members)
        .sort(
            ["cluster", "synchrony", "weight", "source", "target"],
            descending=[False, True, True, False, False],
            nulls_last=True,
        )
        .group_by("cluster", maintain_order=True)
        .head(PAIRS)
        .join(place, on="cluster", maintain_order="left")
    )
    met = closest_posts(study, pairs, traces=traces, most=OBJECTS)
    of = pairs.select("source", "target", "cluster_id")
    return PAIR_EVIDENCE.conform(met.join(of, on=["source", "target"], maintain_order="left"))


def closest_posts(
    study: Study, pairs: pl.DataFrame, /, *, traces: Sequence[str] | None = None, most: int | None = None
) -> pl.DataFrame:
    """Return what pairs of accounts both shared, and the two posts of each object that lie closest to each other.

    Parameters
    ----------
    study
        The study.
    pairs
        `source`, `target` (String), each pair once.
    traces
        Objects of these kinds; None for all.
    most
        At most so many objects a pair, those with the closest posts; None for all.

    Returns
    -------
    pl.DataFrame
        The columns of `schema.PAIR_EVIDENCE` without `cluster_id`, in the order of `pairs`, then the closest posts
        first. Of posts equally close the earliest are taken, of an account's posts at one time the first by id.
    """
    pairs = pairs.select("source", "target").with_row_index("pair")
    ends = {
        "source": pairs.select("pair", account_id="source"),
        "target": pairs.select("pair", account_id="target"),
    }
    shares = _shares_of(study, pl.concat(ends.values()).select("account_id").unique(), traces=traces)
    objects = shares.select("trace", "object_id").unique().sort("trace", "object_id").with_row_index("object")
    shares = shares.join(objects, on=["trace", "object_id"]).drop("trace", "object_id")
    there = shares.select("object", "account_id").unique()
    held = {end: of.join(there, on="account_id") for end, of in ends.items()}
    common = held["source"].join(held["target"], on=["pair", "object"], how="semi").select("pair", "object")
    posts = pl.concat(
        of.join(common, on=["pair", "object"], how="semi")
        .join(shares, on=["account_id", "object"])
        .select("pair", "object", "timestamp", "content_id", side=pl.lit(end))
        for end, of in held.items()
    )
    closest = _closest(posts)
    if most is not None:
        closest = closest.group_by("pair", maintain_order=True).head(most)
    return _named(study, closest, pairs=pairs, objects=objects)


def _shares_of(study: Study, accounts: pl.DataFrame, *, traces: Sequence[str] | None) -> pl.DataFrame:
    """Return the shares of some accounts; of several at the same time, of the same object, the first by id."""
    table = study.scan("shares").select("trace", "object_id", "account_id", "timestamp", "content_id")
    if traces is not None:
        table = table.filter(pl.col("trace").is_in(list(traces)))
    return (
        table.join(accounts.lazy(), on="account_id", how="semi")
        .group_by("trace", "object_id", "account_id", "timestamp")
        .agg(pl.col("content_id").min())
        .collect()
    )


def _closest(posts: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each pair and object: the two sides' posts that lie closest.

    Between two closest posts of different sides lies no post of either, or that would be closer: so they are neighbours
    in time, and one pass over posts in order finds them.
    """
    of = ["pair", "object"]
    posts = posts.sort(*of, "timestamp", "side")
    before = pl.all().exclude(of).shift().over(of).name.suffix("_before")
    steps = posts.with_columns(before).filter(pl.col("side") != pl.col("side_before"))
    source_first = pl.col("side_before") == "source"
    ends = {
        f"{end}_{name}": pl.when(source_first == (end == "source")).then(f"{column}_before").otherwise(column)
        for end in ("source", "target")
        for name, column in (("content_id", "content_id"), ("time", "timestamp"))
    }
    apart = (pl.col("timestamp") - pl.col("timestamp_before")).alias("apart")
    return (
        steps.select(*of, apart, "timestamp", **ends)
        .sort(*of, "apart", "timestamp", "source_time")
        .unique(of, keep="first", maintain_order=True)
        .with_columns(n_common=pl.len().over("pair"))
        .sort("pair", "apart", "timestamp", "object")
    )


def _named(
    study: Study, closest: pl.DataFrame, *, pairs: pl.DataFrame, objects: pl.DataFrame
) -> pl.DataFrame:
    """Put accounts and objects in the place of their numbers, and say how many accounts shared each object."""
    wanted = objects.join(closest.select("object").unique(), on="object", how="semi")
    sizes = study.scan("objects").select("trace", "object_id", "n_accounts")
    wanted = wanted.lazy().join(sizes, on=["trace", "object_id"], how="left").collect()
    delta = (pl.col("target_time") - pl.col("source_time")).dt.total_milliseconds() / 1000
    rows = closest.join(pairs, on="pair", maintain_order="left").join(
        wanted, on="object", maintain_order="left"
    )
    columns = [name for name in PAIR_EVIDENCE.columns if name != "cluster_id"]
    return rows.with_columns(delta_s=delta).select(columns)
