"""Whether false stories go deeper and are more viral, and whether it is more than their size.

    python -m benchmarks veracity [--data ../shared/data] [--resamples 1000] [--folder FOLDER]

Three public data sets go the whole way, from their raw rows through `propgraph build` to the table `cascades`:
Weibo's rumours (Ma et al. 2016), Twitter15 (Liu et al. 2015; Ma et al. 2017) and Hoaxy's links to claims and
fact checks (Shao et al. 2016). The trees of the first two are mended by `trees_from_edges` on the way. Printed
for each: what was mended, then the groups' shapes, raw and size-matched after Juul and Ugander (2021), each
with the middle 95 % of the bootstrap resamples.

Group a is called higher in a measure when the interval of its superiority (the chance that a cascade of a has
the larger value than one of b, ties counting half) lies above 0.5, lower when it lies below, and else not told
apart, which is no proof that the groups are alike. The claim, that a goes deeper and is more viral, survives
the matching where a is higher in both depth and structural virality among cascades of one size.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from benchmarks import SHARED
from benchmarks.timing import header, row
from propgraph.cascades.build import REPAIRS
from propgraph.cascades.repair import Trees, trees_from_edges
from propgraph.cascades.shapes.comparison import matched_difference
from propgraph.jobs.build import build
from propgraph.study import Study

METRICS = ("size", "depth", "max_breadth", "structural_virality")
CLAIM = ("depth", "structural_virality")
ROUNDING = 1e-9
EPOCH = datetime(2015, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Groups:
    """Two groups of a data set's cascades, called alike or not: `a` is the one said to spread farther."""

    title: str
    a: tuple[str, ...]
    b: tuple[str, ...]


def weibo_rows(data: Path, /) -> pl.DataFrame:
    """Return Weibo's reposts as rows of trees; the root post is no row, and dates without a year are unknown."""
    when = pl.col("date").str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="ms", time_zone="UTC", strict=False)
    columns = ("cascade_id", "content_id", "parent_content_id", "account_id", "label")
    return pl.read_parquet(data / "weibo_trees.parquet").select(*columns, timestamp=when)


def twitter15_rows(data: Path, /) -> pl.DataFrame:
    """Return Twitter15's edges as rows of trees.

    A retweet has its tweet's id and some tweets stand in several trees, so that a node is told by all three.
    """

    def node(content: str, account: str) -> pl.Expr:
        named = pl.concat_str("cascade_id", content, account, separator=":")
        return pl.when(pl.col(account) == "ROOT").then(pl.lit("ROOT")).otherwise(named)

    return pl.read_parquet(data / "twitter15_trees.parquet").select(
        "cascade_id",
        "account_id",
        "label",
        content_id=node("content_id", "account_id"),
        parent_content_id=node("parent_content", "parent_account"),
        delay_s=pl.col("delay_min") * 60,
    )


def log_of(trees: Trees, /) -> pl.DataFrame:
    """Return the posts of trees, as `propgraph build` reads them; delays count from an arbitrary day.

    A root whose account is unknown stays out: its reshares name it, and `build` gives it its place.
    """
    posts = trees.nodes.with_columns(
        timestamp=EPOCH + pl.duration(milliseconds=pl.lit(pl.Series(trees.time)))
    )
    if "delay_s" not in trees.nodes.columns:
        posts = posts.with_columns(timestamp=pl.Series(trees.time).cast(pl.Datetime("ms", "UTC")))
    is_root = pl.col("parent_content_id").is_null()
    return posts.filter(pl.col("account_id").is_not_null()).select(
        "content_id",
        "account_id",
        "timestamp",
        "parent_content_id",
        kind=pl.when(is_root).then(pl.lit("original")).otherwise(pl.lit("reshare")),
    )


def study_of(trees: Trees, folder: Path, /) -> Study:
    """Return the study that `propgraph build` makes of trees."""
    log = folder / "log.parquet"
    log_of(trees).write_parquet(log)
    return build([log], folder / "study", trace=["reshare"], overwrite=True)


def labelled(study: Study, labels: pl.DataFrame, /, *, trace: str) -> pl.DataFrame:
    """Return a trace's cascades of two nodes or more with the label of their posts.

    `labels` has `content_id` and `label`; a cascade whose posts have several is left out.
    """
    by_cascade = (
        study.scan("cascade_nodes")
        .join(labels.lazy(), on="content_id")
        .group_by("cascade_id")
        .agg(pl.col("label").first(), n=pl.col("label").n_unique())
        .filter(pl.col("n") == 1)
    )
    cascades = study.scan("cascades").filter(pl.col("trace") == trace, pl.col("size") > 1)
    return cascades.join(by_cascade.drop("n"), on="cascade_id").sort("cascade_id").collect()


def compare(cascades: pl.DataFrame, groups: Groups, /, *, resamples: int) -> None:
    """Print the table of two groups and what it says."""
    label = pl.col("label")
    side = pl.when(label.is_in(groups.a)).then(pl.lit("a")).when(label.is_in(groups.b)).then(pl.lit("b"))
    told = matched_difference(
        cascades, cascades.select(side).to_series(), groups=("a", "b"), metrics=METRICS, resamples=resamples
    )
    first = told.row(0, named=True)
    print(f"\n### {groups.title}: a = {', '.join(groups.a)}; b = {', '.join(groups.b)}\n")
    print(
        f"{first['n_a']:,} and {first['n_b']:,} cascades, "
        f"{first['n_matched_a']:,} and {first['n_matched_b']:,} of them with some of the other group in their "
        "stratum of size.\n"
    )
    header(
        "measure", "median a", "median b", "mean a", "mean b", "difference, raw", "difference, matched",
        "superiority of a, raw", "superiority of a, matched",
    )  # fmt: skip
    for one in told.iter_rows(named=True):
        intervals = [
            _interval(one, name)
            for name in ("difference", "matched_difference", "superiority", "matched_superiority")
        ]
        row(
            one["metric"],
            *(f"{one[name]:.2f}" for name in ("median_a", "median_b", "mean_a", "mean_b")),
            *intervals,
        )
    print()
    verdicts = [
        [_verdict(one, name) for one in told.filter(pl.col("metric").is_in(CLAIM)).iter_rows(named=True)]
        for name in ("superiority", "matched_superiority")
    ]
    for name, raw, matched in zip(CLAIM, *verdicts, strict=True):
        print(f"- {name}: raw, a is {raw}; at the same size, {matched}.")
    answers = [
        "yes" if set(found) == {"higher"} else "in part" if "higher" in found else "no" for found in verdicts
    ]
    print(f"- Deeper and more viral: raw, {answers[0]}; size-matched, {answers[1]}.")


def _interval(one: dict[str, float], name: str) -> str:
    if one[name] is None:
        return "-"
    return f"{one[name]:.3f} [{one[name + '_low']:.3f}, {one[name + '_high']:.3f}]"


def _verdict(one: dict[str, float], name: str) -> str:
    if one[name] is None:
        return "not comparable"
    if one[name + "_low"] > 0.5 + ROUNDING:
        return "higher"
    return "lower" if one[name + "_high"] < 0.5 - ROUNDING else "not told apart"


def told_repairs(trees: Trees, study: Study, /) -> None:
    """Print what was mended before and during the build, and whether all parents came through."""
    counts = study.run["build"]["counts"]
    made = study.cascade_nodes
    kept = made.join(trees.nodes, on=["content_id", "parent_content_id"], how="semi", nulls_equal=True)
    mended = ", ".join(f"{name} {n:,}" for name, n in trees.counts.items() if n)
    print(f"{trees.nodes.height:,} nodes in {trees.offsets.size - 1:,} trees; mended: {mended}.")
    print(
        f"`propgraph build`: {made.height:,} nodes in {study.cascades.height:,} cascades, "
        f"{kept.height:,} with the same parent; "
        "mended: "
        + (", ".join(f"{name} {counts[name]:,}" for name in REPAIRS if counts[name]) or "nothing")
        + "."
    )


def main() -> None:
    """Load, build, compare, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "propgraph-benchmarks")
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)

    print("## Weibo\n")
    rows = weibo_rows(options.data)
    trees = trees_from_edges(rows, virtual_root=True)
    study = study_of(trees, options.folder)
    told_repairs(trees, study)
    cascades = labelled(study, rows.select("content_id", "label").unique(), trace="reshare")
    compare(
        cascades, Groups("Rumours against the rest", ("rumor",), ("non-rumor",)), resamples=options.resamples
    )

    print("\n## Twitter15\n")
    rows = twitter15_rows(options.data)
    trees = trees_from_edges(rows)
    study = study_of(trees, options.folder)
    told_repairs(trees, study)
    cascades = labelled(study, rows.select("content_id", "label").unique(), trace="reshare")
    everything = ("false", "true", "unverified", "non-rumor")
    compare(cascades, Groups("False against true", ("false",), ("true",)), resamples=options.resamples)
    rumours, others = everything[:3], everything[3:]
    compare(cascades, Groups("Rumours against the rest", rumours, others), resamples=options.resamples)
    for name in rumours:
        rest = tuple(other for other in everything if other != name)
        compare(cascades, Groups(f"{name} against the rest", (name,), rest), resamples=options.resamples)

    print("\n## Hoaxy\n")
    log = options.data / "hoaxy_edges.parquet"
    study = build([log], options.folder / "study", trace=["reshare", "url"], overwrite=True)
    types = pl.read_parquet(log, columns=["tweet_id", "site_type"])
    labels = types.rename({"tweet_id": "content_id", "site_type": "label"}).unique()
    for trace, what in (("url", "one cascade a link"), ("reshare", "one cascade a tweet")):
        cascades = labelled(study, labels, trace=trace)
        title = f"Claims against fact checks, {what}"
        compare(cascades, Groups(title, ("claim",), ("fact_checking",)), resamples=options.resamples)


if __name__ == "__main__":
    main()
