"""What would overturn a flag: the log searched again without one object, or without one account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from propgraph.arrays.types import Progress
from propgraph.clusters.choices import own_choices
from propgraph.clusters.find import STEPS, given_of
from propgraph.clusters.judge import Judged
from propgraph.cosharing.choice import window_options
from propgraph.cosharing.window import edges_and_bursts
from propgraph.errors import check_threads
from propgraph.options import WindowOptions
from propgraph.provenance import Run
from propgraph.schema import EDGES, ID
from propgraph.steps import Step, run_steps, steps_towards
from propgraph.study import Study

# So many times as many objects are looked at as are left out: some are shared in the very posts of others.
_LOOKED_AT = 4
#: Columns of what `overturn` returns.
COLUMNS = {
    "without": ID, "trace": ID, "score": pl.Float64(), "flagged": pl.Boolean(), "n_together": pl.UInt32(),
    "n_flagged": pl.UInt32(), "flags": pl.List(pl.String()),
}  # fmt: skip


class ReducedStudy(Study):
    """A study without some rows, with the edges of what is left; nothing of it is on disk."""

    def __init__(self, study: Study, tables: Mapping[str, pl.LazyFrame], built: dict[str, Any]) -> None:
        super().__init__(study.path)
        self._study, self._reduced = study, tables
        self._run = {**study.run, "build": built}

    @property
    def run(self) -> dict[str, Any]:
        """The run records of the study, that of `build` with the bursts there are now."""
        return self._run

    def scan(self, name: str, /) -> pl.LazyFrame:
        """Return a table lazily, without what is left out."""
        return self._reduced[name] if name in self._reduced else self._study.scan(name)


def overturn(
    study: Study,
    cluster_id: str,
    /,
    *,
    objects: int = 5,
    members: int = 5,
    threads: int | None = None,
    progress: Progress | None = None,
) -> pl.DataFrame:
    """Search a log again without one object, or one account, at a time, and return what becomes of a cluster.

    Each time all steps up to the verdict are gone through anew, on all of the log that is left: edges, synchrony,
    groups, communities, figures, rules and readings. Without an object all posts of it are left out, and its cascade;
    without an account all of its posts, but for roots of cascades of others. Only the totals in `accounts` and
    `objects` (posts of an account, accounts of an object) stay as they were.

    Parameters
    ----------
    study
        A study with clusters.
    cluster_id
        The cluster.
    objects
        So many objects are tried, those that most members posted within the window of another member's.
    members
        So many members are tried, those with most posts within the window of a fellow member's.
    threads
        At most so many at once; None for one a processor. The result does not depend on it.
    progress
        Called with a label and the fraction done, 0..1.

    Returns
    -------
    pl.DataFrame
        A row for each object, then each member, that was left out: `without` (its id), `trace` (of an object; null for
        an account), and of the cluster that now holds most of the members: `score` (0..1), `flagged`, `n_together`
        (members in it), `flags`; 0, False and none where none holds any; `n_flagged`: members in any flagged
        cluster.
    """
    n_threads = check_threads(threads)
    traces, options = own_choices(study)
    mine = study.scan("members").filter(cluster_id=cluster_id).collect()
    tried = _without(study, mine, traces=traces, objects=objects, members=members)
    rows = []
    for k, (without, trace) in enumerate(tried):
        reduced = (
            _without_account(study, without, traces=traces, threads=n_threads)
            if trace is None
            else _without_object(study, trace, without, traces=traces, threads=n_threads)
        )
        given = given_of(reduced, traces, options=options, threads=n_threads)
        judged: Judged = run_steps(_STEPS, given, run=Run("overturn", {}), wanted=("judged",))["judged"]
        rows.append({"without": without, "trace": trace, **_found_again(judged, mine)})
        if progress is not None:
            progress("left out", (k + 1) / len(tried))
    return pl.DataFrame(rows, schema=COLUMNS)


def _up_to_the_verdict() -> Sequence[Step]:
    judge = next(k for k, step in enumerate(STEPS) if step.name == "judge")
    return steps_towards(STEPS[: judge + 1], ("judged",))


_STEPS = _up_to_the_verdict()


def _without(
    study: Study, mine: pl.DataFrame, *, traces: list[str], objects: int, members: int
) -> list[tuple[str, str | None]]:
    """Return what to leave out one at a time: the id with its trace, or None for an account."""
    window = window_options(study.run["build"])
    told = telling_objects(study, mine, traces=traces, window_s=window.seconds)
    told = of_different_posts(study, mine, told.head(_LOOKED_AT * objects)).head(objects)
    busiest = mine.sort(["n_co_shares", "degree", "account_id"], descending=[True, True, False]).head(members)
    return [
        *told.select("object_id", "trace").iter_rows(),
        *((account, None) for account in busiest["account_id"].to_list()),
    ]


def telling_objects(
    study: Study, members: pl.DataFrame, /, *, traces: Sequence[str], window_s: float
) -> pl.DataFrame:
    """Return the objects that several members shared, those first that most posted near another member's post.

    Parameters
    ----------
    study
        The study.
    members
        `account_id`.
    traces
        Objects of these kinds.
    window_s
        What is near, in seconds.

    Returns
    -------
    pl.DataFrame
        `trace`, `object_id`, `n_near` (members with a post so near another member's), `n_members` (that shared it).
    """
    of = ("trace", "object_id")
    shares = study.scan("shares").filter(pl.col("trace").is_in(list(traces)))
    mine = shares.join(members.lazy().select("account_id"), on="account_id", how="semi")
    near = (pl.col("timestamp").diff() <= pl.duration(milliseconds=round(window_s * 1000))) & (
        pl.col("account_id") != pl.col("account_id").shift()
    )
    marked = (
        mine.select(*of, "timestamp", "account_id", "content_id")
        .sort(*of, "timestamp", "account_id", "content_id")
        .with_columns(after=near.over(of).fill_null(False))
        .with_columns(near=pl.col("after") | pl.col("after").shift(-1).over(of).fill_null(False))
    )
    who = pl.col("account_id")
    return (
        marked.group_by(of)
        .agg(n_near=who.filter("near").n_unique(), n_members=who.n_unique())
        .filter(pl.col("n_members") > 1)
        .sort("n_near", "n_members", *of, descending=[True, True, False, False])
        .collect()
    )


def of_different_posts(study: Study, members: pl.DataFrame, objects: pl.DataFrame, /) -> pl.DataFrame:
    """Return `objects` without those that members shared in no other posts than one before: one act in two traces.

    Who reshares a post with a link shares the post and the link. `members` has `account_id`, `objects` `trace` and
    `object_id`.
    """
    shares = study.scan("shares").join(members.lazy().select("account_id"), on="account_id", how="semi")
    posts = (
        shares.join(objects.lazy(), on=["trace", "object_id"], how="semi")
        .group_by("trace", "object_id")
        .agg("content_id")
        .collect()
    )
    of = {(trace, name): frozenset(ids) for trace, name, ids in posts.iter_rows()}
    kept: list[tuple[str, str]] = []
    for key in objects.select("trace", "object_id").iter_rows():
        if not any(of[key] <= of[other] for other in kept):
            kept.append(key)
    order = pl.DataFrame(kept, schema={"trace": pl.String, "object_id": pl.String}, orient="row")
    return order.join(objects, on=["trace", "object_id"], maintain_order="left")


def _without_object(
    study: Study, trace: str, object_id: str, *, traces: list[str], threads: int
) -> ReducedStudy:
    same = (pl.col("trace") == trace) & (pl.col("object_id") == object_id)
    posts = study.scan("shares").filter(same).select("content_id").unique().collect().lazy()
    shares = study.scan("shares").join(posts, on="content_id", how="anti", maintain_order="left")
    touched = study.scan("shares").join(posts, on="content_id", how="semi").select("trace").unique().collect()
    nodes = study.scan("cascade_nodes").filter(pl.col("cascade_id") != f"{trace}:{object_id}")
    left = {
        "shares": shares,
        "posts": study.scan("posts").join(posts, on="content_id", how="anti", maintain_order="left"),
        "objects": study.scan("objects").filter(~same),
        "cascade_nodes": nodes,
    }
    return _with_edges(study, left, traces=traces, anew=touched["trace"].to_list(), threads=threads)


def _without_account(study: Study, account_id: str, *, traces: list[str], threads: int) -> ReducedStudy:
    other = pl.col("account_id") != account_id
    left = {name: study.scan(name).filter(other) for name in ("shares", "posts", "accounts")}
    # A tree keeps its root: who reshared it did reshare something.
    left["cascade_nodes"] = study.scan("cascade_nodes").filter(other | (pl.col("depth") == 0))
    left["edges"] = study.scan("edges").filter(pl.col("source") != account_id, pl.col("target") != account_id)
    # What others have in common stays as it was, unless edges were chosen by how many there are.
    chosen = window_options(study.run["build"]).edge_quantile > 0
    return _with_edges(study, left, traces=traces, anew=traces if chosen else [], threads=threads)


def _with_edges(
    study: Study, left: dict[str, pl.LazyFrame], *, traces: list[str], anew: Sequence[str], threads: int
) -> ReducedStudy:
    """Return the reduced study, with the edges of some traces made anew; those of the others are as they are."""
    built = study.run["build"]
    window: WindowOptions = window_options(built)
    edges = left.get("edges", study.scan("edges"))
    frames, n_bursts = [EDGES.empty()], 0
    for trace in traces:
        if trace in anew:
            found, bursts = edges_and_bursts(
                left["shares"].filter(pl.col("trace") == trace).collect(), window, threads=threads
            )
            frames.append(found)
            n_bursts += bursts.height
        else:
            frames.append(edges.filter(pl.col("trace") == trace).collect())
    told = built.get("bursts", {})
    if set(traces) <= set(anew):
        told = {**told, "n_bursts": n_bursts}
    return ReducedStudy(study, {**left, "edges": pl.concat(frames).lazy()}, {**built, "bursts": told})


def _found_again(judged: Judged, mine: pl.DataFrame) -> dict[str, object]:
    """Return what became of the cluster that `mine` were the members of."""
    there = judged.members.join(mine.select("account_id"), on="account_id", how="semi")
    clusters = judged.clusters.select("cluster_id", "score", "flagged", "flags")
    counts = there.group_by("cluster_id").len("n_together").join(clusters, on="cluster_id")
    flagged = int(counts.filter("flagged")["n_together"].sum())
    if counts.is_empty():
        return {"score": 0.0, "flagged": False, "n_together": 0, "n_flagged": 0, "flags": []}
    most = counts.sort(["n_together", "score", "cluster_id"], descending=[True, True, False]).row(
        0, named=True
    )
    return {name: most[name] for name in ("score", "flagged", "n_together", "flags")} | {"n_flagged": flagged}
