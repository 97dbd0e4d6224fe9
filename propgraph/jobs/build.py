"""The first job: from logs to posts, shares, accounts, objects, cascades and edges."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl

from propgraph.arrays.types import Progress
from propgraph.cascades.build import CASCADE_TRACES
from propgraph.clocks.align import aligned
from propgraph.clocks.find import find_clocks
from propgraph.clocks.groups import groups_of
from propgraph.clocks.told import clock_notes, clocks_record
from propgraph.cosharing.bursts import NO_BURSTS, bursts_note
from propgraph.cosharing.choice import settled
from propgraph.cosharing.window import edges_and_bursts
from propgraph.errors import UsageError, check_threads
from propgraph.jobs.append import Adding, keeping, plan_adding, set_aside
from propgraph.jobs.cascades import make_cascades
from propgraph.jobs.sites import Sites, facts_to_keep, paths_of, tell_absent
from propgraph.jobs.told import (
    BURSTS_TOLD,
    count,
    count_resolved,
    tell_coarse,
    tell_nothing_shared,
    tell_sessions,
    with_digests,
)
from propgraph.options import CascadeOptions, ClockOptions, WindowOptions
from propgraph.progress import shows_progress
from propgraph.provenance import Run, digest
from propgraph.pseudonyms.keys import Key, read_key, save_key
from propgraph.pseudonyms.log import with_pseudonyms
from propgraph.readers.find import find_logs
from propgraph.readers.frames import LogLike, as_logs, names_of_logs
from propgraph.readers.log import Log
from propgraph.readers.own import ALL, own_table
from propgraph.readers.plan import Plan, plan_logs
from propgraph.readers.read import read_planned
from propgraph.readers.times.fineness import RESOLUTION, coarsest
from propgraph.schema import EDGES, POSTS, SHARES, SITE_FACTS, TIME
from propgraph.steps import Step, run_steps
from propgraph.study import Study
from propgraph.traces.make import check_traces, make_shares
from propgraph.traces.resolved import read_resolved, usable_links
from propgraph.traces.totals import accounts_table, objects_table
from propgraph.writing import StudyWriter, check_target, streamed, writing

PSEUDONYMS = "pseudonyms"


@shows_progress
def build(
    logs: LogLike | Iterable[LogLike],
    study: str | Path,
    /,
    *,
    format: str | None = None,
    mapping: Mapping[str, str] | None = None,
    encoding: str | None = None,
    skip_lines: int | None = None,
    time_format: str | None = None,
    time_zone: str | None = None,
    keep: str | Sequence[str] = (),
    align_clocks: bool = ClockOptions.align_clocks,
    trace: str | Sequence[str] | None = None,
    resolved: str | Path | None = None,
    time_window: float | str | Sequence[float] = WindowOptions.time_window,
    min_participation: int = WindowOptions.min_participation,
    min_edge_weight: int = WindowOptions.min_edge_weight,
    edge_weight: str = WindowOptions.edge_weight,
    edge_quantile: float = WindowOptions.edge_quantile,
    burst_cap: int = WindowOptions.burst_cap,
    parents: str | None = CascadeOptions.parents,
    follows: str | Path | None = None,
    sites: Sites | None = None,
    samples: int = CascadeOptions.samples,
    seed: int = CascadeOptions.seed,
    threads: int | None = None,
    pseudonymise: bool = False,
    key: str | Path | None = None,
    overwrite: bool = False,
    append: bool = False,
    progress: Progress | None = None,
) -> Study:
    """Go from logs to a study with posts, shares, accounts, objects, cascades and co-sharing edges.

    Parameters
    ----------
    logs
        Files, folders, globs or frames, as for `read_log`; one by itself, or several.
    study
        The folder to make; it appears when it is whole.
    format, mapping, encoding, skip_lines, time_format, time_zone
        As for `read_log`.
    keep
        Columns of the log that posts have no place for, to be kept as they are in the table `own_columns`: names, of
        nested JSON the keys on the way to a value joined by dots, or `all` for all columns of tables. With
        `pseudonymise` only those that are named are kept, and what they say stays as it is.
    align_clocks
        Where the clocks of two platforms (or files) differ, as those of two time zones do, move the times of the
        smaller one to the clock of the one with most posts. Such clocks are told in any case, and what was moved when
        by how much: `study.run["build"]["clocks"]`.
    trace
        Traces to make, or one; None takes all that the logs support and that `make_shares` makes by default.
    resolved
        A table of short links and where they lead, as for `read_resolved`; nothing is ever fetched.
    time_window, min_participation, min_edge_weight, edge_weight, edge_quantile, burst_cap, threads
        As for `cosharing_edges`; the window in seconds, or `"auto"`: chosen from the traces that make the network by
        default (see `find_clusters`). Of several the shortest is that of the edges, and in the wider ones
        `find_clusters` looks for crowds whose whole bursts are theirs. The run record reports which bursts were
        sampled, and how a window was chosen.
    parents, samples, seed
        Who gives the parents that the log does not name, how many trees are drawn, and where the draws
        begin; as for `build_cascades`.
    follows
        A table of who follows whom, with the columns `follower_id` and `followed_id`.
    sites
        A table of facts about sites, or several: who registered them, ids of adverts, owners, labels. They become the
        table `site_facts`, for `find_clusters`; see `propgraph.sites.facts.read_sites`.
    pseudonymise
        Put pseudonyms in the place of accounts, names and posts, and leave out the texts; see
        `pseudonyms.log.with_pseudonyms`.
    key
        File with the key of the pseudonyms. None takes `STUDY.key` beside the study, and makes it if it is
        not there.
    overwrite
        Replace a study that is there already.
    append
        Add the logs to the study: its tables become those of a build of all its logs together, of which only the new
        ones are read. A study made by this has all that takes in its folder `parts`; of one made without, and of one
        with pseudonyms, the earlier logs have to be there still. Where there is no study one is made. A log that is
        in the study already is left out, by its digest; the options have to be those that the study was built with.
        What its clusters were lies in its folder `before`, with their members' posts, for `compare`; `find_clusters`
        has to be run again.
    progress
        Called with a label and the fraction done, 0..1. None shows a bar in a notebook and at a prompt.

    Returns
    -------
    Study
        The study; `study.run["build"]` tells rows in, kept and rejected, and what every step took.

    Raises
    ------
    InputError
        When the logs cannot be used.
    StudyError
        When the study cannot be written or something is in its way.
    UsageError
        When an option is out of its range, or not the one that the study was built with which is added to.

    Examples
    --------
    >>> import polars as pl
    >>> import propgraph as pg
    >>> log = pl.DataFrame(
    ...     {
    ...         "user": ["ana", "bo", "cy", "ana", "bo", "cy"],
    ...         "link": ["https://a.example/1"] * 3 + ["https://a.example/2"] * 3,
    ...         "when": ["2024-03-05 10:00:00", "2024-03-05 10:00:20", "2024-03-05 11:30:00"] * 2,
    ...     }
    ... )
    >>> study = pg.build(log, "study", mapping={"account_id": "user", "url": "link", "timestamp": "when"})
    >>> study.edges.filter(trace="url").select("source", "target", "weight", "mean_delta_s").rows()
    [('ana', 'bo', 2, 20.0)]
    >>> counts = study.run["build"]["counts"]
    >>> counts["rows"], counts["posts"], counts["rejected"], counts["cascades"]
    (6, 6, 0, 2)
    """
    window = WindowOptions(
        time_window=time_window, min_participation=min_participation, min_edge_weight=min_edge_weight,
        edge_weight=edge_weight, edge_quantile=edge_quantile, burst_cap=burst_cap,
    )  # fmt: skip
    clocks = ClockOptions(align_clocks=align_clocks)
    cascades = CascadeOptions(parents=parents, samples=samples, seed=seed)
    check_threads(threads)
    traces = check_traces(trace)
    _check_follows(parents, follows)
    if key is not None and not pseudonymise:
        raise UsageError(
            "there is nothing to do for a key without --pseudonymise (in Python: pseudonymise=True)",
            option="key",
        )
    if append and overwrite:
        raise UsageError("it adds to a study, and --overwrite makes it anew; choose one", option="append")
    # What is missing or wrong is reported before what is in the way: it has to be put right in any case.
    given = as_logs(logs)
    kept = [keep] if isinstance(keep, str) else list(keep)
    kept = [name for name in kept if not (pseudonymise and name == ALL)]
    plan = plan_logs(
        given, format=format, mapping=mapping, encoding=encoding, skip_lines=skip_lines, time_format=time_format,
        time_zone=time_zone, keep=kept,
    )  # fmt: skip
    _check_there(resolved, follows, *paths_of(sites))
    secret = read_key(study, key) if pseudonymise else None
    check_target(study, overwrite=overwrite or append)
    parameters = {
        "logs": names_of_logs(given), "format": format, "map": dict(mapping or {}),
        "encoding": encoding, "skip_lines": skip_lines, "time_format": time_format, "time_zone": time_zone,
        "keep": kept or None,
        **clocks.record(),
        "trace": traces or None, "resolved": None if resolved is None else str(resolved),
        **window.record(), "threads": threads,
        "parents": parents, "follows": None if follows is None else str(follows),
        "sites": paths_of(sites) or None, "samples": samples, "seed": seed,
        "pseudonymise": pseudonymise, "key": str(key) if key else None,
    }  # fmt: skip
    adding = plan_adding(study, plan, parameters=parameters, secret=secret) if append else None
    if adding is not None and not adding.names:
        return adding.study
    asked = {
        "plan": plan, "traces": traces, "window_options": window, "options": cascades, "clock_options": clocks,
        "resolved": resolved, "follows": follows, "tables_of_sites": sites, "secret": secret,
        "threads": threads, "progress": progress, "adding": adding,
    }  # fmt: skip
    return _build(study, asked, Run("build", parameters), overwrite=overwrite, append=append)


def _build(path: str | Path, asked: dict[str, Any], run: Run, /, *, overwrite: bool, append: bool) -> Study:
    """Go through the steps, into a new study or one that is added to."""
    adding, secret = asked["adding"], asked["secret"]
    of = None if adding is None else adding.study
    with writing(path, of=of, overwrite=overwrite or append) as writer, ThreadPoolExecutor(1) as background:
        if adding is not None:
            adding.record(run)
            asked["plan"] = adding.plan
            set_aside(writer)
        if append and secret is None:
            asked["plan"] = keeping(asked["plan"], writer.folder)
        steps = [step for step in STEPS if secret is not None or step.name != PSEUDONYMS]
        run_steps(steps, asked | {"run": run, "writer": writer, "background": background}, run=run, wanted=())
        if secret is not None:
            save_key(secret)
        writer.run = {"build": run.finish()}
    return Study.open(path)


def _read(
    plan: Plan, run: Run, background: ThreadPoolExecutor, progress: Progress | None
) -> tuple[Log, Future[list[dict[str, Any]]]]:
    """Read the logs; the digests of the files are made in the background."""
    log = read_planned(plan, progress=progress)
    run.record[RESOLUTION] = coarsest(log.times)
    return log, background.submit(with_digests, log.sources, plan.files)


def _traces(
    log: Log, traces: Sequence[str], resolved: str | Path | None, run: Run
) -> tuple[pl.DataFrame | None, dict[str, pl.DataFrame]]:
    """Return where short links lead, and the shares of each trace."""
    led = None if resolved is None else _read_resolved(resolved, run)
    return led, make_shares(log.posts, trace=list(traces) or None, resolved=led)


def _clocks(
    *, log: Log, shares: dict[str, pl.DataFrame], led: pl.DataFrame | None, traces: Sequence[str],
    clock_options: ClockOptions, run: Run,
) -> tuple[Log, dict[str, pl.DataFrame]]:  # fmt: skip
    """Tell which clocks differ; where that is asked, go on with the posts on one clock."""
    groups = groups_of(log)
    if groups is None:
        return log, shares
    clocks = find_clocks(shares, groups)
    moves = clock_options.align_clocks and any(clock.is_off for clock in clocks)
    run.record["clocks"] = clocks_record(log.posts["timestamp"], groups, clocks, aligned=moves)
    for note in clock_notes(groups, clocks, aligned=moves):
        run.note(note)
    if moves:
        log = aligned(log, groups, clocks)
        shares = make_shares(log.posts, trace=list(traces) or None, resolved=led)
    return dataclasses.replace(log, files=None), shares


def _pseudonyms(
    log: Log, shares: dict[str, pl.DataFrame], secret: Key, run: Run
) -> tuple[Log, dict[str, pl.DataFrame]]:
    run.record["pseudonyms"] = secret.record
    return with_pseudonyms(log, shares, key=secret)


def _window(*, shares: dict[str, pl.DataFrame], window_options: WindowOptions, run: Run) -> WindowOptions:
    """Return the options of the window, which the log may choose by itself."""
    network = {name: part for name, part in shares.items() if name in CASCADE_TRACES}
    window, chosen = settled(window_options, network or shares)
    if chosen is not None:
        run.record["time_window"] = chosen.record()
        run.note(chosen.note())
    return window


def _accounts_and_objects(
    *, log: Log, shares: dict[str, pl.DataFrame], led: pl.DataFrame | None, plan: Plan, traces: Sequence[str],
    window: WindowOptions, tables_of_sites: Sites | None, adding: Adding | None, secret: Key | None, run: Run,
    writer: StudyWriter,
) -> None:  # fmt: skip
    """Say what is known of the log, and write the tables that every log has."""
    for note in log.notes:
        run.note(note)
    tell_coarse(log, shares, run, asked=traces, time_window=window.seconds)
    tell_nothing_shared(log, shares, plan, run)
    tell_sessions(log, shares, run)
    _write_shares(writer, log, shares)
    objects = objects_table(shares, log.posts)
    writer.write("objects", objects)
    if led is not None and "url" in shares:
        count_resolved(run, shares["url"], objects)
    if adding is None or tables_of_sites is not None:  # else those that the study has stay
        _write_facts(tables_of_sites, objects, secret, run, writer)


def _write_facts(
    sites: Sites | None, objects: pl.DataFrame, secret: Key | None, run: Run, writer: StudyWriter
) -> None:
    facts = SITE_FACTS.empty()
    if sites is not None:
        facts = facts_to_keep(sites, run, secret=secret)
        tell_absent(facts, objects["site"], run)
    writer.write("site_facts", facts)


def _edges(
    *, shares: dict[str, pl.DataFrame], window: WindowOptions, threads: int | None, progress: Progress | None,
    run: Run, writer: StudyWriter,
) -> pl.DataFrame:  # fmt: skip
    """Write the edges of all traces; the bursts of which pairs were sampled go into the record."""
    found = [edges_and_bursts(part, window, threads=threads, progress=progress) for part in shares.values()]
    bursts = pl.concat([NO_BURSTS, *(part for _, part in found)])
    told = bursts.sort(
        "n_accounts", "trace", "object_id", "first_time", descending=[True, False, False, False]
    )
    run.record["bursts"] = {
        **{name: int(bursts[name].sum()) for name in ("n_shares", "n_pairs", "n_looked_at")},
        "n_bursts": bursts.height,
        "n_objects": bursts.select(pl.struct("trace", "object_id").n_unique()).item(),
        "largest": told.head(BURSTS_TOLD).cast({TIME: pl.String}).to_dicts(),
    }
    note = bursts_note(bursts, burst_cap=window.burst_cap, time_window=window.seconds)
    if note is not None:
        run.note(note)
    edges = pl.concat([EDGES.empty(), *(part for part, _ in found)])
    writer.write("edges", edges)
    return edges


def _write(
    *, log: Log, shares: dict[str, pl.DataFrame], edges: pl.DataFrame, digests: Future[list[dict[str, Any]]],
    run: Run, writer: StudyWriter,
) -> None:  # fmt: skip
    run.record["inputs"] = digests.result()
    count(run, log, shares, edges)
    writer.finish()


def _check_there(*tables: str | Path | None) -> None:
    for table in tables:
        if table is not None:
            find_logs([table])


def _check_follows(parents: str | None, follows: str | Path | None) -> None:
    if parents == "follow" and follows is None:
        raise UsageError(
            "follow: who follows whom? Give a table with --follows FILE (in Python: follows=)",
            option="parents",
        )


def _write_shares(writer: StudyWriter, log: Log, shares: dict[str, pl.DataFrame]) -> None:
    writer.write("posts", streamed(log.posts, POSTS.dtypes))
    writer.write("rejected", log.rejected)
    writer.write("own_columns", own_table(log.posts))
    parts = [streamed(part, SHARES.dtypes) for part in shares.values()]
    writer.write("shares", pl.concat(parts) if parts else SHARES.empty())
    writer.write("accounts", accounts_table(log, shares))


def _read_resolved(path: str | Path, run: Run) -> pl.DataFrame:
    """Return the usable links of a table; its digest and what was wrong with it go into the record."""
    written = read_resolved(path)
    led, notes = usable_links(written)
    run.record["resolved"] = {"path": str(path), "rows": written.height, "sha256": digest(Path(path))}
    for note in notes:
        run.note(note)
    return led


STEPS = (
    Step("read", _read, makes=("log", "digests")),
    Step("traces", _traces, makes=("led", "shares")),
    Step("clocks", _clocks, makes=("log", "shares")),
    Step("window", _window, makes=("window",)),
    Step(PSEUDONYMS, _pseudonyms, makes=("log", "shares")),
    Step("accounts and objects", _accounts_and_objects),
    Step("cascades", make_cascades),
    Step("edges", _edges, makes=("edges",)),
    Step("write", _write),
)
