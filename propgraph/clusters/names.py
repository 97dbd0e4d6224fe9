"""Names that clusters keep from one study to the next: who watches a cluster finds it under the name that it had."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from propgraph.clusters.judge import Judged
from propgraph.comparison.links import heirs, link
from propgraph.comparison.side import check_same_names, side_of
from propgraph.provenance import Run
from propgraph.study import Study

#: In the place of a study: clusters are numbered by their score, whatever they were called.
NONE = "none"


@dataclass(frozen=True)
class Names:
    """What clusters were called.

    Attributes
    ----------
    path
        The study in which they were.
    members
        Their members, by id.
    highest
        The highest number that any had, there or earlier: no name is ever another's again.
    """

    path: Path
    members: dict[str, frozenset[str]]
    highest: int


def names_of(study: Study | str | Path, /, *, for_study: Study) -> Names:
    """Return what clusters are called in a study.

    Raises
    ------
    InputError
        When the accounts of the two have pseudonyms by different keys.
    StudyError
        When there is no study, or it has no clusters.
    """
    side = side_of(study)
    check_same_names(side.study, for_study)
    members = side.of("cluster")
    numbers = [int(name[1:]) for name in members if name[1:].isdigit()]
    told = side.study.run["clusters"].get("names", {}).get("highest", 0)
    return Names(side.study.path, members, max([told, *numbers], default=0))


def keep_names(*, judged: Judged, study: Study, names: Names | None, run: Run) -> Judged:
    """Return the clusters with the names that they had: each goes to whom most of the old members are in.

    Others are numbered on from the highest number, in the order of their score. What is linked is said in `link`.
    """
    if names is None:
        return judged
    rows = judged.members.group_by("cluster_id", maintain_order=True).agg("account_id").iter_rows()
    now = {name: frozenset(accounts) for name, accounts in rows}
    here = study.scan("accounts").select("account_id").collect()["account_id"]
    gone = frozenset().union(*names.members.values()) - frozenset(here)
    kept = heirs(link(names.members, now, n_accounts=len(here) + len(gone)))
    called, highest = {}, names.highest
    for name in judged.clusters["cluster_id"].to_list():
        highest += name not in kept
        called[name] = kept.get(name, f"c{highest}")
    run.record["names"] = {"from": str(names.path), "kept": len(kept), "highest": highest}
    run.note(
        f"{len(kept):,} of {len(called):,} clusters go on from one in {names.path} and keep its name; the others are "
        f"numbered on from c{names.highest + 1}"
    )
    return _renamed(judged, called)


def _renamed(judged: Judged, called: dict[str, str]) -> Judged:
    def named(table: pl.DataFrame, column: str) -> pl.DataFrame:
        return table.with_columns(pl.col(column).replace(called))

    return replace(
        judged,
        members=named(judged.members, "cluster_id"),
        clusters=named(judged.clusters, "cluster_id"),
        evidence=named(judged.evidence, "subject_id"),
        readings=named(judged.readings, "subject_id"),
        tried=named(judged.tried, "subject_id"),
        amplification=named(judged.amplification, "cluster_id").sort("cluster_id", "cascade_id"),
        nominal=named(judged.nominal, "cluster_id"),
    )
