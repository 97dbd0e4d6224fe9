"""What joining traces gains, and the traces as layers (`--multiplex`) against their joint network.

    python -m benchmarks layers [--data ../shared/data] [--draws 3] [--first 3] [--accounts 200]

Real operators in Weibo's reposts (graft.py), each object as a link, as a hashtag, or as both:

- split: half of the objects, drawn at random, are links, the others hashtags: two traces that know different things;
- doubled: each object is both, in one post: two traces that know the same, as a repost of a post with a link does.

The same log is searched by the links alone, by the joint network, and with the traces as layers. Figures are means over
the draws, with the least and greatest. ARI is the adjusted Rand index of the layers' clusters with the joint network's,
over the accounts that both put into one.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks import SHARED
from benchmarks.detection.graft import ira, weibo
from benchmarks.detection.methods import figures, grafted, told
from benchmarks.timing import header, row
from propgraph import Study, build, find_clusters
from propgraph.evaluation.agreement import Partitions, agreement

SHOWN = ("AP", "precision", "recall", "precision q<=.05", "recall q<=.05")
WAYS = ("links alone", "joint network", "layers")


def as_traces(log: pl.DataFrame, way: str, seed: int) -> pl.DataFrame:
    """Return the log with `urls` and `hashtags` in place of its objects."""
    url, tag = (pl.concat_list(pl.format(form, "object_id")) for form in ("https://site.example/{}", "o{}"))
    if way == "doubled":
        return log.with_columns(urls=url, hashtags=tag).drop("object_id")
    objects = log["object_id"].unique().sort()
    linked = np.random.default_rng(seed).random(objects.len()) < 0.5
    is_link = pl.col("object_id").is_in(objects.filter(pl.Series(linked)).implode())
    return log.with_columns(urls=pl.when(is_link).then(url), hashtags=pl.when(~is_link).then(tag)).drop(
        "object_id"
    )


def searched(log: Path, folder: Path, way: str) -> Study:
    """Return the study of the log, its clusters found in one way."""
    study = build([log], folder / "study", trace=["url", "hashtag"], overwrite=True)
    traces = ["url"] if way == "links alone" else ["url", "hashtag"]
    return find_clusters(study.path, trace=traces, multiplex=way == "layers")


def alike(one: pl.DataFrame, other: pl.DataFrame) -> float:
    """Return the adjusted Rand index of two tables of members over the accounts of both."""
    both = one.join(other, on="account_id", suffix="_other")
    cluster, group = (
        both[name].rank("dense").cast(pl.Int64).to_numpy() - 1 for name in ("cluster_id", "cluster_id_other")
    )
    place = np.arange(both.height)
    _, ari = agreement(np.ones(both.height, np.int32), Partitions.of(place, cluster, group))
    return ari


def synchronised(study: Study) -> pl.DataFrame:
    """Return the members of clusters that synchronised pairs made."""
    return study.members.filter(pl.col("evidence") != "window").select("account_id", "cluster_id")


def main() -> None:
    """Draw, search, print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--first", type=int, default=3)
    parser.add_argument("--accounts", type=int, default=200)
    options = parser.parse_args()
    organic, operators = weibo(options.data), ira(options.data)
    header("objects", "searched by", *SHOWN, "ARI")
    for way in ("split", "doubled"):
        measured: dict[str, list[dict[str, float | None]]] = {name: [] for name in WAYS}
        for seed in range(options.first, options.first + options.draws):
            case = grafted(organic, operators, seed, n_accounts=options.accounts)
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                as_traces(case.log, way, seed).write_parquet(folder / "log.parquet")
                members: dict[str, pl.DataFrame] = {}
                for by in WAYS:
                    study = searched(folder / "log.parquet", folder, by)
                    members[by] = synchronised(study)
                    measured[by].append(figures(study.account_scores, case))
                measured["layers"][-1]["ARI"] = alike(members["joint network"], members["layers"])
        for by, draws in measured.items():
            texts = (told([one.get(column) for one in draws], percent=False) for column in (*SHOWN, "ARI"))
            row(way, by, *texts)


if __name__ == "__main__":
    main()
