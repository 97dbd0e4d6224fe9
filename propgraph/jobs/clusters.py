"""The second job: from a study's shares and edges to clusters, sites, flags and their evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from propgraph.arrays.incidence import named
from propgraph.arrays.types import Progress
from propgraph.cascades.build import CASCADE_TRACES
from propgraph.clusters.find import STEPS, given_of
from propgraph.clusters.judge import flagged_members
from propgraph.clusters.names import NONE, Names
from propgraph.clusters.names import names_of as clusters_of
from propgraph.communities import check_leidenalg
from propgraph.errors import StudyError, UsageError, check_threads, did_you_mean
from propgraph.jobs.append import BEFORE
from propgraph.jobs.brought import Brought, read_side_tables
from propgraph.jobs.sites import Sites, facts_to_keep, key_of, paths_of, tell_absent
from propgraph.options import ClusterOptions, SynchronyOptions
from propgraph.progress import shows_progress
from propgraph.provenance import Run
from propgraph.steps import run_steps
from propgraph.study import Study, is_study, opened, run_first
from propgraph.synchrony.candidates import ties_note
from propgraph.synchrony.joint import Joint
from propgraph.traces.make import names_of
from propgraph.writing import writing


@shows_progress
def find_clusters(
    study: Study | str | Path,
    /,
    *,
    trace: str | Sequence[str] | None = None,
    evidence: str = ClusterOptions.evidence,
    q: float = ClusterOptions.q,
    neighbours: int = ClusterOptions.neighbours,
    multiplex: bool = ClusterOptions.multiplex,
    objective: str = ClusterOptions.objective,
    resolution: float = ClusterOptions.resolution,
    partition: str | None = ClusterOptions.partition,
    seed: int = ClusterOptions.seed,
    min_size: int = ClusterOptions.min_size,
    min_score: float = ClusterOptions.min_score,
    articles: Brought | Sequence[Brought] = (),
    known_sites: str | Path | None = None,
    ads: Brought | Sequence[Brought] = (),
    prices: Brought | None = None,
    sites: Sites | None = None,
    names_from: Study | str | Path | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Study:
    """Go on from a study's edges to communities, flagged clusters and sites, and their evidence.

    Parameters
    ----------
    study
        A study that `build` made, open or by its path; its tables `synchrony`, `network`, `account_scores`,
        `members`, `clusters`, `recruiters`, `quotas`, `amplification`, `spreaders`, `sites`, `site_pairs`, `operators`,
        `copies`, `evidence`, `pair_evidence`, `readings`, `tried_readings`, `costs` and `boosts` are replaced,
        `stability` and `power` are taken out.
    trace
        Traces that make the network, or one; None takes `object`, `reshare` and `url` (those there are), else all. By
        the evidence `window` alone, those without an edge are not there.
    evidence
        `synchrony`: clusters of accounts that stand nearer to each other in rank than chance puts them (see
        `rank_synchrony`), whatever the delays. `window`: communities of the edges in the time window, held
        against the outsiders' rate. `both`: the first, then the second among the other accounts.
    q
        False discovery rate (0..1) up to which two accounts are called synchronised.
    neighbours
        As for `rank_synchrony`.
    multiplex
        Find synchronised groups over the traces as layers (`detect_multiplex`), not over their joint network.
    objective, resolution, partition, seed, min_size
        As for `detect_communities`.
    min_score
        From which score (0..1) on a cluster or site is flagged.
    articles
        The texts behind links, tables or their paths, one or several, as for `read_articles`: the table `copies` says
        which sites' articles stood on other sites before.
    known_sites
        A table with the column `site`: well-known sites whose names others may imitate, beside those of the log.
    ads
        Exports of ad libraries, tables or their paths, one or several, as for `read_ads`: the table `boosts` joins
        them to the URLs and sites of the log.
    prices
        What things were sold for, a table or its path, as for `price_table`, in place of propgraph's own: the table
        `costs` multiplies it with what flagged clusters and campaigns did. Always a range, always hypothetical.
    sites
        Tables of facts about sites, as for `build`; they take the place of those that the study has.
    names_from
        A study whose clusters were looked at before: one that goes on as a cluster of this study (see `compare`) gives
        it its name, and new ones are numbered on. None takes what the clusters of this study were called before logs
        were added to it (`build` with `append`), if any were; `"none"` numbers them by their score, as elsewhere.
    threads
        At most so many at once; None for one a processor. The result does not depend on it.
    progress
        Called with a label and the fraction done, 0..1. None shows a bar in a notebook and at a prompt.

    Returns
    -------
    Study
        The same study, with the new tables.

    Raises
    ------
    StudyError
        When there is no study, or it is not whole.
    UsageError
        When an option is out of its range.

    Examples
    --------
    >>> import propgraph as pg
    >>> log = pg.simulate_veles(n_accounts=300, n_days=3, n_sites=5, n_seeders=50, strength=3).log
    >>> study = pg.find_clusters(pg.build(log, "study"))
    >>> study.clusters.filter("flagged").select("cluster_id", "n_accounts").row(0)
    ('c1', 25)
    >>> study.clusters["flags"][0].to_list()[:5]
    ['at-once', 'repetitive', 'turnout', 'created-together', 'recruiter-token']
    >>> study.sites.filter(study.sites["score"] >= 0.9)["site"].to_list()[:3]
    ['verouvikrealreport.xyz', 'rinotorpatriotwire.com', 'mevundanlibertybuzz.net']
    >>> print(study.evidence.filter(subject_id="c1", rule="at-once")["sentence"][0].split(", ")[0])
    3,420 pairs of members' posts of the same link lie within 60 s
    """
    source = opened(study)
    options = ClusterOptions(
        evidence=evidence, q=q, neighbours=neighbours, multiplex=multiplex, objective=objective,
        resolution=resolution, partition=partition, seed=seed, min_size=min_size, min_score=min_score,
    )  # fmt: skip
    check_leidenalg(multiplex=multiplex, partition=partition)
    n_threads = check_threads(threads)
    beside = read_side_tables(articles=articles, known_sites=known_sites, ads=ads, prices=prices)
    if "build" not in source.run:
        raise StudyError(f"{source.path}: no edges yet; {run_first('build')}")
    traces = _network_traces(source, names_of(trace), evidence=evidence)
    names = _names(source, names_from)
    asked = {
        **beside.named, "sites": paths_of(sites) or None, "names_from": _path_of(names_from), "threads": threads,
    }  # fmt: skip
    run = Run("clusters", {"trace": traces, **options.record(), **asked})
    beside.record(run)
    facts = None if sites is None else facts_to_keep(sites, run, secret=key_of(source))
    with writing(source.path, of=source) as writer:
        source = writer.source
        run.record["of"] = {"build": source.ids["build"]}
        given = given_of(source, traces, options=options, threads=n_threads, facts=facts, progress=progress)
        found = run_steps(
            STEPS, given | beside.given | {"names": names, "run": run}, run=run,
            wanted=("joint", "alone", "copies", "n_remarks_left", "tables"), tell=named(progress, "communities"),
        )  # fmt: skip
        for name, table in found["tables"].items():
            writer.write(name, table)
        if facts is not None:
            writer.write("site_facts", facts)
            tell_absent(facts, found["tables"]["sites"]["site"], run)
        _count(run, found["tables"])
        run.count(
            accounts_alone=found["alone"].evidence["subject_id"].n_unique(),
            declared_accounts=found["alone"].declared,
        )
        _count_tests(run, found["joint"])
        if n := found["n_remarks_left"]:
            run.count(remarks_left=n)
            run.note(
                f"{n:,} remarks that members of a cluster share, those of the fewest members, were not sought in the "
                "rest of the log, and count as no template"
            )
        beside.tell(run, copies=found["copies"], boosts=found["tables"]["boosts"])
        for job in ("stability", "power"):  # they are about the clusters that were there before
            writer.drop(job)
        writer.finish()
        kept = {job: record for job, record in writer.run.items() if job not in ("stability", "power")}
        writer.run = {**kept, "clusters": run.finish()}
    return Study.open(source.path)


def _names(study: Study, names_from: Study | str | Path | None) -> Names | None:
    """Return what the clusters were called in the study that was named, or before this one was added to."""
    if names_from is not None:
        return None if str(names_from) == NONE else clusters_of(names_from, for_study=study)
    before = study.path / BEFORE
    return clusters_of(before, for_study=study) if is_study(before) else None


def _path_of(study: Study | str | Path | None) -> str | None:
    return None if study is None else str(study.path if isinstance(study, Study) else study)


def _count(run: Run, tables: Mapping[str, pl.DataFrame]) -> None:
    clusters, sites = tables["clusters"], tables["sites"]
    run.count(
        clusters=clusters.height,
        flagged_clusters=int(clusters["flagged"].sum()),
        members=tables["members"].height,
        flagged_accounts=flagged_members(clusters, tables["members"]).height,
        synchronised_pairs=int(tables["network"]["synchronised"].sum()),
        sites=sites.height,
        flagged_sites=int(sites["flagged"].sum()),
        operators=tables["operators"].height,
    )


def _count_tests(run: Run, joint: Joint) -> None:
    """Tell how many pairs could have been found, and of which ties a sample was looked at."""
    run.record["tests_by_trace"] = {
        trace: tests.record(tau=SynchronyOptions.tau) for trace, tests in joint.tests.items()
    }
    run.record["sampled_ties_by_trace"] = {
        trace: told for trace, told in joint.ties.items() if told["n_ties"]
    }
    if (note := ties_note(joint.ties)) is not None:
        run.note(note)


def _network_traces(study: Study, wanted: list[str], *, evidence: str) -> list[str]:
    """Return the traces asked for, each once, or those of cascades, or all; of those over which anybody could meet."""
    shared = study.scan("objects").filter(pl.col("n_accounts") > 1)
    known, edges = (
        table.select(pl.col("trace").unique().sort()).collect()["trace"].to_list()
        for table in (shared, study.scan("edges"))
    )
    if wanted and not known:
        raise UsageError(
            f"{wanted[0]!r} makes no network; no object was shared by two accounts", option="trace"
        )
    for name in wanted:
        if name not in known:
            raise UsageError(
                f"over no {name!r} could accounts of this study meet, only over {', '.join(known)}"
                f"{did_you_mean(name, known)}",
                option="trace",
            )
    # Whom ranks find need not have met in the window: without an edge a trace may tell all the same.
    there = edges if evidence == "window" else known
    return list(dict.fromkeys(wanted)) or [name for name in there if name in CASCADE_TRACES] or there
