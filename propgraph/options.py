"""The choices of a job, each once: its default and its name, for Python, `run.json` and the grid of stability."""

from __future__ import annotations

from dataclasses import dataclass

EVIDENCE_KINDS = ("both", "synchrony", "window")
#: Posts of an object, before and after each post, among which nearness in rank is looked for.
NEIGHBOURS = 50


@dataclass(frozen=True)
class ClusterOptions:
    """How clusters are looked for; see `jobs.clusters.find_clusters`."""

    evidence: str = "both"
    q: float = 0.05
    neighbours: int = NEIGHBOURS
    multiplex: bool = False
    objective: str = "modularity"
    resolution: float = 1.0
    partition: str | None = None
    seed: int = 0
    min_size: int = 3
