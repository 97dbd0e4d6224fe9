"""The third job: a study's clusters held against a grid of other choices."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import polars as pl

from propgraph.arrays.types import Float64, Progress
from propgraph.clusters.choices import own_choices
from propgraph.cosharing.choice import window_options
from propgraph.errors import StudyError, check_at_least, check_seed, check_threads
from propgraph.options import ClusterOptions
from propgraph.progress import shows_progress
from propgraph.provenance import Run
from propgraph.schema import STABILITY
from propgraph.stability.grid import Grid, grid_of
from propgraph.stability.hold import HOLDS, best_match, best_union, together, vanishing
from propgraph.stability.rerun import rerun
from propgraph.stability.shared import shared_work
from propgraph.study import Study, opened, run_first
from propgraph.writing import StudyWriter, writing


@shows_progress
def measure_stability(
    study: Study | str | Path,
    /,
    *,
    runs: int = 100,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Study:
    """Go through a study again under other reasonable choices, and tell which clusters hold.

    Varied are, where they play a part: the traces (each left out), the time window (half, double; of several the
    shortest, while crowds are looked for in the same wider ones), tau (0.1) and
    the neighbours (half, double) of rank synchrony, the cut q (0.01, 0.05, 0.2), the resolution (half, double),
    the seed, and the objects: in half of the runs a bootstrap sample of the objects of each trace (n draws with
    replacement out of n, which bring up about 63 % of them). An object that is drawn twice counts once, for its
    double is no new evidence: it would make pairs surer than they are. The design is a Latin hypercube; see
    `stability.grid.grid_of`.

    In every run pairs are tested again, joined over the traces, cut, crews are formed and tested on new halves of the
    objects that are left, and both lead to groups that grow and to the window's communities and their core, as in
    `find_clusters`. Which pairs are tested is looked up once: a run may miss a weak pair that stands out only with
    its objects or halves (see `stability.shared`). The number of pairs that could have been found
    stays that of the study's own run, and so does, with fewer objects, who takes part often enough
    (`min_participation`) and what `edge_quantile` cut.

    Parameters
    ----------
    study
        A study that `find_clusters` went through, open or by its path. Its table `stability` and the columns
        `stability` of `clusters`, `campaigns` and `members` are made anew. A cluster's is its Jaccard similarity to
        the run's cluster most like it, mean over the runs. An account's is the share of its fellow members who are in
        one cluster with it in a run (0 where it is in none), mean over the runs. A campaign's is the Jaccard similarity
        of its accounts to those clusters of the run that together are most like it, mean over the runs.
    runs
        Number of runs, the first of which repeats the study's own choices.
    seed
        Of the design, the draws and the communities.
    threads
        At most so many at once; None for one a processor. The result does not depend on it.
    progress
        Called with a label and the fraction done, 0..1. None shows a bar in a notebook and at a prompt.

    Returns
    -------
    Study
        The same study; `study.run["stability"]` lists the choices of every run.

    Raises
    ------
    StudyError
        When there is no study, or it has no clusters yet.
    UsageError
        When an option is out of its range.

    References
    ----------
    Hennig, "Cluster-wise Assessment of Cluster Stability", Computational Statistics and Data Analysis 52 (2007);
    McKay, Beckman and Conover, "A Comparison of Three Methods for Selecting Values of Input Variables",
    Technometrics 21 (1979).

    Examples
    --------
    >>> import propgraph as pg
    >>> log = pg.simulate_veles(n_accounts=300, n_days=3, n_sites=5, n_seeders=50, strength=2).log
    >>> study = pg.find_clusters(pg.build(log, "study"))
    >>> study = pg.measure_stability(study, runs=5)
    >>> study.stability.select("cluster_id", "n_runs", "holds_share", "vanishes").head(2).rows()
    [('c1', 5, 0.8, ['resolution=2']), ('c2', 5, 0.8, ['resolution=2'])]
    """
    source = opened(study)
    check_at_least("runs", runs, 1)
    n_threads = check_threads(threads)
    check_seed(seed)
    if "clusters" not in source.run:
        raise StudyError(f"{source.path}: no clusters yet; {run_first('clusters')}")
    if "tests_by_trace" not in source.run["clusters"]:
        raise StudyError(
            f"{source.path}: its clusters are of an earlier version; run `propgraph clusters` again"
        )
    traces, choices = own_choices(source)
    window = window_options(source.run["build"]).seconds
    grid = grid_of(traces, choices, time_window=window, runs=runs, seed=seed)
    run = Run("stability", {"runs": runs, "seed": seed})
    with writing(source.path, of=source) as writer:
        source = writer.source
        run.record["of"] = {job: source.ids[job] for job in ("build", "clusters")}
        held = _reruns(source, traces, grid, choices=choices, threads=n_threads, run=run, progress=progress)
        _write(writer, held, grid)
        if held.clusters.size and (held.clusters[0] < 1).any():
            run.note("the first run did not find all of the study's clusters again; find them anew")
        _count(run, held)
        run.record["grid"] = {
            "levels": grid.levels,
            "runs": [asdict(setting) for setting in grid.settings],
        }
        writer.finish()
        writer.run = {**writer.run, "stability": run.finish()}
    return Study.open(source.path)


@dataclass(frozen=True)
class Held:
    """How much of a study is found again: a row a run, 0..1.

    Attributes
    ----------
    clusters
        The best match of each cluster, in order of first sight among the members.
    members
        Each member's share of fellows with it.
    campaigns
        The best match of each campaign, in order of first sight among the members.
    """

    clusters: Float64
    members: Float64
    campaigns: Float64


def _reruns(
    study: Study,
    traces: list[str],
    grid: Grid,
    /,
    *,
    choices: ClusterOptions,
    threads: int,
    run: Run,
    progress: Progress | None,
) -> Held:
    """Return how much of a study is found again in each run."""
    base = study.members.select("cluster_id", "account_id")
    of = study.clusters.select("cluster_id", "campaign_id").drop_nulls()
    crowds = base.join(of, on="cluster_id", maintain_order="left").select("campaign_id", "account_id")
    n_runs = len(grid.settings)
    held = Held(
        *(np.zeros((n_runs, n)) for n in (base["cluster_id"].n_unique(), base.height, crowds["campaign_id"].n_unique()))
    )  # fmt: skip
    if base.is_empty():
        return held
    tell = progress or (lambda _label, _done: None)
    with run.step("shared work"):
        shared = shared_work(
            study, traces, grid, choices=choices, threads=threads,
            tell=lambda done: tell("objects of pairs", done),
        )  # fmt: skip
    with run.step("runs"):
        for k, setting in enumerate(grid.settings):
            found = rerun(shared, setting, threads=threads)
            held.clusters[k] = best_match(base, found)["jaccard"].to_numpy()
            held.members[k] = together(base, found).to_numpy()
            held.campaigns[k] = best_union(crowds, found)["jaccard"].to_numpy()
            tell("runs", (k + 1) / n_runs)
    return held


def _write(writer: StudyWriter, held: Held, grid: Grid) -> None:
    """Write the table, and `stability` of clusters, campaigns and members."""
    study = writer.source
    members, clusters, campaigns = study.members, study.clusters, study.campaigns
    order = members.select(pl.col("cluster_id").unique(maintain_order=True)).to_series()
    table = _table(order, held.clusters, grid)
    of_crowds = members.select("cluster_id").join(
        clusters.select("cluster_id", "campaign_id").drop_nulls(), on="cluster_id", maintain_order="left"
    )
    mean = {
        "clusters": table.select("cluster_id", stability="jaccard_mean"),
        "campaigns": of_crowds.select(pl.col("campaign_id").unique(maintain_order=True)).with_columns(
            stability=pl.Series(held.campaigns.mean(axis=0), dtype=pl.Float64)
        ),
    }
    writer.write("stability", table)
    writer.write("members", members.with_columns(stability=pl.Series(held.members.mean(axis=0))))
    for name, frame in (("clusters", clusters), ("campaigns", campaigns)):
        told = frame.drop("stability").join(
            mean[name], on=mean[name].columns[0], how="left", maintain_order="left"
        )
        writer.write(name, told)


def _count(run: Run, held: Held) -> None:
    run.count(
        clusters=held.clusters.shape[1],
        hold=int(((held.clusters >= HOLDS).mean(axis=0) >= 0.5).sum()),
        campaigns=held.campaigns.shape[1],
        campaigns_hold=int(((held.campaigns >= HOLDS).mean(axis=0) >= 0.5).sum()),
    )


def _table(clusters: pl.Series, jaccard: Float64, grid: Grid) -> pl.DataFrame:
    holds = jaccard >= HOLDS
    labels = [grid.labels(setting) for setting in grid.settings]
    levels = sorted({label for row in labels for label in row}, key=_by_name)
    under = {level: np.array([level in row for row in labels]) for level in levels}
    table = pl.DataFrame(
        {
            "cluster_id": clusters,
            "n_runs": [len(labels)] * len(clusters),
            "holds_share": holds.mean(axis=0),
            "jaccard_mean": jaccard.mean(axis=0),
            "vanishes": [vanishing(holds[:, k], under) for k in range(len(clusters))],
        },
        schema=STABILITY.dtypes,
    )
    return STABILITY.conform(table)


def _by_name(label: str) -> tuple[str, float, str]:
    """Order levels by choice, numbers by size."""
    name, _, level = label.partition("=")
    try:
        return name, float(level), ""
    except ValueError:
        return name, 0.0, level
