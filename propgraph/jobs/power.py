"""The fourth job: which crews a study would have flagged, by crews planted in its own log."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from propgraph.arrays.types import Progress
from propgraph.clusters.choices import own_choices
from propgraph.clusters.judge import flagged_members
from propgraph.errors import StudyError, check_threads
from propgraph.options import PowerOptions
from propgraph.power.grid import Cell, cells_of, searches_of
from propgraph.power.plants import Material, material_of, plant
from propgraph.power.results import power_table, results_of
from propgraph.power.search import Search
from propgraph.progress import shows_progress
from propgraph.provenance import Run
from propgraph.study import Study, opened, run_first
from propgraph.writing import writing


@shows_progress
def measure_power(
    study: Study | str | Path,
    /,
    *,
    sizes: Sequence[int] = PowerOptions.sizes,
    objects: Sequence[int] = PowerOptions.objects,
    spans: Sequence[float] = PowerOptions.spans,
    turnout: float = PowerOptions.turnout,
    runs: int = PowerOptions.runs,
    seed: int = PowerOptions.seed,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Study:
    """Plant crews of several sizes and efforts in a study's own log, and tell how often each would have been flagged.

    A crew is new accounts that share some objects of the log: in the trace with most shares, drawn by popularity, of 20
    shares or more where there are enough. The first member posts at the time of a random share of the object, the
    others within the span. Each member hides behind the activity of an account of the log drawn at random: at that
    account's times it posts what others posted within the hour. The log with the crews goes through the steps of
    `find_clusters`, by the study's own choices. Several crews are planted at once, each on objects of its own: at most
    24, 2 % of the log's accounts and half of the objects. The pairs of each are judged as if it were alone; the false
    discovery rate of crews as a whole is over all of them, which helps a weak one a little. Cascades play no part: what
    would be flagged by its place in them is not.

    Parameters
    ----------
    study
        A study that `find_clusters` went through, open or by its path. Its table `power` is made anew.
    sizes
        Accounts of a crew; each with each of `objects` and `spans`.
    objects
        Objects that its members have in common.
    spans
        Within how long (s) of each other its members post each of them.
    turnout
        The part of a crew (0..1), drawn anew for each object, that posts it; two accounts at least.
    runs
        Crews of each kind.
    seed
        Of the crews.
    threads
        At most so many at once; None for one a processor. The result does not depend on it.
    progress
        Called with a label and the fraction done, 0..1. None shows a bar in a notebook and at a prompt.

    Returns
    -------
    Study
        The same study; `study.run["power"]` tells the trace, how many searches there were, and which crews the log is
        too small for.

    Raises
    ------
    StudyError
        When there is no study, it has no clusters yet, or its log is too small for any of the crews.
    UsageError
        When an option is out of its range.

    References
    ----------
    Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22 (1927).

    Examples
    --------
    >>> import propgraph as pg
    >>> log = pg.simulate_veles(n_accounts=300, n_days=3, n_sites=5, n_seeders=50, strength=2).log
    >>> study = pg.find_clusters(pg.build(log, "study"))
    >>> study = pg.measure_power(study, sizes=[6], objects=[2, 18], spans=[10], runs=2)
    >>> study.power.select("n_accounts", "n_objects", "span_s", "n_planted", "n_flagged").rows()
    [(6, 2, 10.0, 2, 1), (6, 18, 10.0, 2, 2)]
    """
    options = PowerOptions(
        tuple(sizes), tuple(objects), tuple(map(float, spans)), turnout=turnout, runs=runs, seed=seed
    )
    n_threads = check_threads(threads)
    source = opened(study)
    if "clusters" not in source.run:
        raise StudyError(f"{source.path}: no clusters yet; {run_first('clusters')}")
    traces, choices = own_choices(source)
    run = Run("power", {**options.record(), "threads": threads})
    with writing(source.path, of=source) as writer:
        source = writer.source
        run.record["of"] = {job: source.ids[job] for job in ("build", "clusters")}
        with run.step("material"):
            material = material_of(source, traces, most_objects=max(options.objects))
        cells = _cells(source, material, options, run)
        searches = searches_of(
            cells, runs=runs, seed=seed, n_accounts=len(material.accounts), n_objects=material.n_objects
        )
        search = Search(source, traces, choices, n_threads)
        with run.step("searches"):
            table = _searched(search, material, searches, options=options, run=run, progress=progress)
        writer.write("power", table)
        writer.finish()
        writer.run = {**writer.run, "power": run.finish()}
    return Study.open(source.path)


def _cells(study: Study, material: Material, options: PowerOptions, run: Run) -> list[Cell]:
    """Return the kinds of crews for which the log is large enough; the others are told."""
    run.record["trace"] = material.trace
    cells = cells_of(options)
    n_accounts, n_objects = len(material.accounts), material.n_objects
    fit = [cell for cell in cells if cell.n_accounts <= n_accounts and cell.n_objects <= n_objects]
    why = (
        f"the log has {n_accounts:,} accounts, and {n_objects:,} objects (trace {material.trace or 'none'}) of enough "
        "shares"
    )
    if not fit:
        raise StudyError(f"{study.path}: too small a log for any of these crews: {why}; plant smaller ones")
    if len(fit) < len(cells):
        run.note(f"{len(cells) - len(fit):,} of {len(cells):,} kinds of crews are left out: {why}")
    return fit


def _searched(
    search: Search,
    material: Material,
    searches: Sequence[Sequence[Cell]],
    /,
    *,
    options: PowerOptions,
    run: Run,
    progress: Progress | None,
) -> pl.DataFrame:
    """Plant, search and count, search by search; return the table."""
    study, tell = search.study, progress or (lambda _label, _done: None)
    before = flagged_members(study.clusters, study.members)["account_id"]
    results = []
    for k, cells in enumerate(searches):
        plants = plant(study, material, cells, turnout=options.turnout, seed=[options.seed, k])
        found = search.flagged(plants)
        results.append(results_of(cells, plants.crews, found, before=before))
        tell("searches", (k + 1) / len(searches))
    crews = pl.concat([one.crews for one in results])
    run.count(
        searches=len(searches),
        crews=crews.height,
        flagged_crews=int(crews["flagged"].sum()),
        flagged_elsewhere=sum(one.n_elsewhere for one in results),
    )
    return power_table(crews, turnout=options.turnout)
