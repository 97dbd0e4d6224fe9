"""A study's log with crews in it, gone through by the steps of `find_clusters`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from propgraph.clusters.find import STEPS, given_of
from propgraph.clusters.judge import Judged, flagged_members
from propgraph.cosharing.choice import window_options
from propgraph.cosharing.window import edges_and_bursts
from propgraph.options import ClusterOptions
from propgraph.power.plants import Plants
from propgraph.provenance import Run
from propgraph.schema import CASCADE_NODES, EDGES, NETWORK
from propgraph.steps import Step, run_steps
from propgraph.study import Study
from propgraph.synchrony.joint import Joint, with_verdicts


class PlantedStudy(Study):
    """A study with further rows in some tables, other edges, and no cascades; nothing of it is on disk."""

    def __init__(
        self, study: Study, added: Mapping[str, pl.DataFrame], edges: pl.DataFrame, built: dict[str, Any]
    ) -> None:
        super().__init__(study.path)
        self._study, self._added, self._edges = study, added, edges
        self._run = {**study.run, "build": built}

    @property
    def run(self) -> dict[str, Any]:
        """The run records of the study, that of `build` with the bursts there are now."""
        return self._run

    def scan(self, name: str, /) -> pl.LazyFrame:
        """Return a table lazily, with what is planted."""
        if name == EDGES.name:
            return self._edges.lazy()
        if name == CASCADE_NODES.name:
            return CASCADE_NODES.empty().lazy()
        table = self._study.scan(name)
        return pl.concat([table, self._added[name].lazy()]) if name in self._added else table


@dataclass(frozen=True)
class Search:
    """How a study's clusters were found: its traces, its choices, and at most how many threads."""

    study: Study
    traces: list[str]
    options: ClusterOptions
    threads: int

    def flagged(self, plants: Plants, /) -> pl.DataFrame:
        """Return `account_id`, `cluster_id` of the flagged accounts, the planted among them."""
        judged = self.judged(plants)
        return flagged_members(judged.clusters, judged.members)

    def judged(self, plants: Plants, /) -> Judged:
        """Return the clusters of the log with crews in it, judged."""
        given = given_of(self._planted(plants), self.traces, options=self.options, threads=self.threads)
        given["crew_of"] = plants.crews
        found: Judged = run_steps(_STEPS, given, run=Run("power", {}), wanted=("judged",))["judged"]
        return found

    def _planted(self, plants: Plants) -> PlantedStudy:
        """Return the study with crews in it; its edges are made anew."""
        added = {"posts": plants.posts, "shares": plants.shares, "accounts": plants.accounts}
        built = self.study.run["build"]
        bare = PlantedStudy(self.study, added, EDGES.empty(), built)
        asked = window_options(built)
        frames, n_bursts = [EDGES.empty()], 0
        for trace in self.traces:
            shares = bare.scan("shares").filter(pl.col("trace") == trace).collect()
            edges, bursts = edges_and_bursts(shares, asked, threads=self.threads)
            frames.append(edges)
            n_bursts += bursts.height
        told = {**built.get("bursts", {}), "n_bursts": n_bursts}
        return PlantedStudy(self.study, added, pl.concat(frames), {**built, "bursts": told})


def as_if_alone(*, joint: Joint, crew_of: pl.DataFrame, options: ClusterOptions) -> Joint:
    """Return what rank synchrony says of each crew's pairs, had it been the only one in the log.

    The false discovery rate is over the pairs of the log and of one crew at a time: the pairs of strong crews would let
    those of weak ones pass.
    """
    network = joint.network
    if network.is_empty():
        return joint
    for end in ("source", "target"):
        of = crew_of.rename({"account_id": end, "crew": f"{end}_crew"})
        network = network.join(of, on=end, how="left", maintain_order="left")
    ends = (pl.col("source_crew"), pl.col("target_crew"))
    of_log = network.filter(pl.all_horizontal(end.is_null() for end in ends))
    rest = network.filter(pl.any_horizontal(end.is_not_null() for end in ends))
    n_tests = sum(tests.total for tests in joint.tests.values())
    frames = [with_verdicts(of_log, n_tests=n_tests, q=options.q)]
    # A pair of two crews counts with the first of them.
    rest = rest.with_columns(crew=pl.coalesce(*ends))
    for part in rest.partition_by("crew", maintain_order=True):
        together = pl.concat([of_log, part.drop("crew")])
        frames.append(with_verdicts(together, n_tests=n_tests, q=options.q).tail(part.height))
    told = NETWORK.conform(pl.concat(frames).drop("source_crew", "target_crew"))
    return replace(joint, network=told.sort("source", "target"))


def _steps() -> list[Step]:
    """Return the steps of `find_clusters` up to the verdict, each crew's pairs judged as if it were alone."""
    steps = []
    for step in STEPS:
        if step.name == "first sharers":  # of sites, of which no verdict on a crew asks
            continue
        steps.append(step)
        if step.name == "synchrony":
            steps.append(Step("as if alone", as_if_alone, makes=("joint",)))
        if step.name == "judge":
            break
    return steps


_STEPS = _steps()
