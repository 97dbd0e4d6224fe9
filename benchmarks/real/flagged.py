"""What is flagged in real logs now, against what plain windows flag, and pairs to be read by hand.

    python -m benchmarks flagged [--data ../shared/data] [--logs german hoaxy ira twitter15] [--pairs 30]
                                 [--folder FOLDER]

Four public logs go through `build` and `clusters`: Facebook and Twitter before the German election of 2021, four
traces joined; Hoaxy's links to claims and fact checks; links of the Internet Research Agency to 2016, whose accounts
are all operators; retweets of Twitter15's stories. Printed for each: pairs that a plain window gives (the field's
habit: two objects or more within 60 s), pairs synchronised beyond chance, pairs alike, how far these agree, and the
flagged clusters by what they were found by. With --pairs, as many synchronised pairs and as many pairs of the window
that are not, each with its posts.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks import SHARED
from benchmarks.detection.graft import twitter15
from benchmarks.timing import header, row
from propgraph import build, find_clusters
from propgraph.arrays.incidence import incidence
from propgraph.study import Study
from propgraph.synchrony.joint import near_posts
from propgraph.synchrony.prepared import PreparedShares, prepare_shares


def german(data: Path, folder: Path) -> tuple[Path, list[str]]:
    """Return one log of the four German ones, a row a post, and its traces.

    The files know links and sites by number only; here they become addresses, so that `build` makes the traces.
    """
    parts = {
        name: pl.read_parquet(data / f"german_{name}.parquet")
        for name in ("urls", "domains", "hashtags", "images")
    }
    lists = {
        name: part.group_by("content_id").agg(pl.col("object_id").alias(name)) for name, part in parts.items()
    }
    posts = pl.concat(
        part.select("content_id", "account_id", timestamp="timestamp_share") for part in parts.values()
    )
    table = posts.unique("content_id", keep="first", maintain_order=True)
    for part in lists.values():
        table = table.join(part, on="content_id", how="left", maintain_order="left")
    site = pl.col("domains").list.first().str.replace("_", "-")
    page = pl.coalesce(pl.col("urls").list.first(), pl.format("post-{}", "content_id"))
    table = table.with_columns(
        urls=pl.when(site.is_not_null()).then(pl.concat_list(pl.format("https://{}.example/{}", site, page)))
    ).drop("domains")
    path = folder / "german.parquet"
    table.write_parquet(path)
    return path, ["url", "domain", "hashtag", "image"]


def hoaxy(data: Path, folder: Path) -> tuple[Path, list[str]]:
    """Return Hoaxy's log as it is."""
    return data / "hoaxy_edges.parquet", ["url", "reshare"]


def ira(data: Path, folder: Path) -> tuple[Path, list[str]]:
    """Return the operators' links as they are, each row a post."""
    path = folder / "ira.parquet"
    pl.read_parquet(data / "ira_link_shares.parquet").with_row_index("content_id").select(
        pl.col("content_id").cast(pl.String), "account_id", "timestamp", "object_id"
    ).write_parquet(path)
    return path, ["object"]


def rumours(data: Path, folder: Path) -> tuple[Path, list[str]]:
    """Return Twitter15's retweets; the object is the story's source."""
    path = folder / "twitter15.parquet"
    twitter15(data).with_row_index("content_id").with_columns(
        pl.col("content_id").cast(pl.String)
    ).write_parquet(path)
    return path, ["object"]


LOGS: dict[str, Callable[[Path, Path], tuple[Path, list[str]]]] = {
    "german": german,
    "hoaxy": hoaxy,
    "ira": ira,
    "twitter15": rumours,
}


def study_of(name: str, data: Path, folder: Path) -> Study:
    """Return the study of a log, clusters found."""
    log, traces = LOGS[name](data, folder)
    build([log], folder / name, overwrite=True)
    return find_clusters(folder / name, trace=traces)


def figures(name: str, study: Study) -> list[tuple[object, ...]]:
    """Return the rows of the table of a study."""
    by_trace = study.synchrony.group_by("trace").agg(
        window=pl.len(),
        synchronised=pl.col("synchronised").sum(),
        alike=pl.col("alike").sum(),
        both=(pl.col("synchronised") & pl.col("alike")).sum(),
    )
    edges = study.edges.filter(pl.col("trace").is_in(study.run["clusters"]["parameters"]["trace"]))
    counts = (
        by_trace.drop("window")
        .join(edges.group_by("trace").len("window"), on="trace", how="left")
        .sort("trace")
    )
    rows: list[tuple[object, ...]] = [
        (name, one["trace"], one["window"] or 0, one["synchronised"], one["alike"], one["both"])
        for one in counts.to_dicts()
    ]
    network = study.network.filter("synchronised")
    pairs = edges.select("source", "target").unique()
    also = network.join(pairs, on=["source", "target"], how="semi").height
    rows.append((name, "joined", pairs.height, network.height, "", f"{also} in the window too"))
    return rows


def clusters(study: Study) -> pl.DataFrame:
    """Return how many clusters and accounts were found by what, flagged or not."""
    return (
        study.clusters.group_by("evidence", "flagged")
        .agg(clusters=pl.len(), accounts=pl.col("n_accounts").sum(), largest=pl.col("n_accounts").max())
        .sort("evidence", "flagged")
    )


def show_pairs(study: Study, n: int, seed: int = 0) -> None:
    """Print synchronised pairs, and pairs of the window that are not, each with the posts that are nearest."""
    traces = study.run["clusters"]["parameters"]["trace"]
    shares = {trace: study.scan("shares").filter(pl.col("trace") == trace).collect() for trace in traces}
    prepared = {trace: prepare_shares(incidence(part)) for trace, part in shares.items()}
    found = study.network.filter("synchronised")
    rest = study.edges.filter(pl.col("trace").is_in(traces)).join(found, on=["source", "target"], how="anti")
    rng = np.random.default_rng(seed)
    for title, frame in (("synchronised", found), ("in the window only", rest.unique(["source", "target"]))):
        drawn = np.sort(rng.choice(frame.height, min(n, frame.height), replace=False)).tolist()
        print(f"\n### {title}: {len(drawn)} of {frame.height}")
        for pair in frame.sort("source", "target")[drawn].select("source", "target").to_dicts():
            show_pair(study.synchrony.filter(**pair), prepared, shares)


def show_pair(
    figures: pl.DataFrame, prepared: dict[str, PreparedShares], shares: dict[str, pl.DataFrame]
) -> None:
    """Print what is known of one pair, trace by trace, and its six nearest meetings."""
    one = figures.row(0, named=True)
    print(f"- {one['source']} {one['target']}")
    for told in figures.to_dicts():
        p = "untold" if told["p_value"] is None else f"{told['p_value']:.1e}"
        print(
            f"    {told['trace']}: near in {told['n_near']} of {told['n_tested']}, p {p}; shared {told['n_shared']}, "
            f"expected {told['expected_shared']:.2g}, p {told['overlap_p']:.0e}"
        )
    for post in near_posts(prepared, figures.select("source", "target").head(1)).head(6).to_dicts():
        at = shares[post["trace"]]["timestamp"][post["source_row"]]
        print(
            f"        {at:%m-%d %H:%M:%S} {post['delta_s']:+.0f} s, chance {post['chance']:.3f}, "
            f"{post['object_id'][:60]}"
        )


def main() -> None:
    """Run the logs, print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--logs", nargs="+", choices=list(LOGS), default=list(LOGS))
    parser.add_argument("--pairs", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "propgraph-benchmarks")
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)
    studies = {name: study_of(name, options.data, options.folder) for name in options.logs}
    header("log", "trace", "edges of the window", "synchronised", "alike", "both")
    for name, study in studies.items():
        for cells in figures(name, study):
            row(*cells)
    print()
    header("log", "found by", "flagged", "clusters", "accounts", "largest")
    for name, study in studies.items():
        for cells in clusters(study).iter_rows():
            row(name, *cells)
    for name, study in studies.items():
        if options.pairs:
            print(f"\n## {name}")
            show_pairs(study, options.pairs)


if __name__ == "__main__":
    main()
