"""What `build` reports of what it found: told on stderr and kept in the run record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from propgraph.arrays.encoding import labels_of
from propgraph.provenance import Run, digest
from propgraph.readers.files.logfile import LogFile
from propgraph.readers.frames import frame_digest
from propgraph.readers.log import Log
from propgraph.readers.plan import Plan, PlannedFile
from propgraph.readers.times.coarse import coarse_notes
from propgraph.readers.times.fineness import RESOLUTION
from propgraph.traces.make import material_of, nothing_shared
from propgraph.traces.orders import sessions_note
from propgraph.traces.parents import FAST_S

#: The trace of reshares within seconds.
FAST = "fast-reshare"
REPAIRED = {
    "parents_absent": "posts whose parent is not in the tree hang under the root or their origin",
    "self_loops": "named themselves as the parent",
    "extra_parents": "further parents of posts that name several are left out",
    "cycles": "cycles of parents opened at their earliest post",
    "times_raised": "posts dated before their parent have its time in `cascade_nodes`",
    "roots_later": "originals dated after a reshare come first all the same",
}
BURSTS_TOLD = 20  # in the run record, the largest


def tell_nothing_shared(log: Log, shares: Mapping[str, pl.DataFrame], plan: Plan, run: Run) -> None:
    """Tell that nothing in the log can be shared, and which columns nobody read."""
    if not shares:
        unread = dict.fromkeys(name for one in plan.files for name in one.unread)
        run.record["nothing_shared"] = nothing_shared(log.posts, unread=unread)
        run.note(run.record["nothing_shared"])


def tell_coarse(
    log: Log, shares: Mapping[str, pl.DataFrame], run: Run, *, asked: Sequence[str], time_window: float
) -> None:
    """Tell which times are coarse, and what they cannot show."""
    for note in coarse_notes(log.times, time_window=time_window):
        run.note(note)
    if FAST in asked or not {"kind", RESOLUTION}.issubset(log.posts.columns):
        return
    coarse = log.posts.filter((pl.col("kind") == "reshare") & (pl.col(RESOLUTION) > FAST_S)).height
    if coarse and FAST in shares:
        run.note(f"{FAST} leaves out {coarse:,} reshares: their times are coarser than {FAST_S:g} s")
    elif coarse:
        run.note(
            f"{FAST} is left out: the times are too coarse to tell what was reshared within {FAST_S:g} s"
        )


def tell_sessions(log: Log, shares: Mapping[str, pl.DataFrame], run: Run) -> None:
    """Tell of sessions that were too long for the trace of orders to take them whole."""
    if "order" in shares and (note := sessions_note(material_of(log.posts))) is not None:
        run.note(note)


def with_digests(sources: list[dict[str, Any]], files: list[PlannedFile]) -> list[dict[str, Any]]:
    """Return `sources`, each with the digest of the file as it was given: of a member, that of the archive."""
    digests = digests_of([one.file for one in files if one.sha256 is None])
    known = [one.sha256 or digests[given_path(one.file)] for one in files]
    return [source | {"sha256": sha256} for source, sha256 in zip(sources, known, strict=True)]


def digests_of(files: list[LogFile]) -> dict[Path, str]:
    """Return the digest of each file as it was given, by its path; each is made once."""
    return {
        path: digest(path) if file.frame is None else frame_digest(file.frame)
        for path, file in {given_path(file): file for file in files}.items()
    }


def given_path(file: LogFile) -> Path:
    """Return the path of what the user gave: of a member that of the archive; of a frame what it is called."""
    return Path(file.name) if file.frame is not None else file.given or file.path


def count_resolved(run: Run, links: pl.DataFrame, objects: pl.DataFrame) -> None:
    """Tell how many links of the log were resolved, and how many short ones were not."""
    n_resolved = links["via"].drop_nulls().n_unique()
    n_left = int(objects["is_shortener"].sum())
    run.count(resolved_links=n_resolved, unresolved_shorteners=n_left)
    run.note(
        f"resolved links: {n_resolved:,} of the log's links count as their targets; "
        f"{n_left:,} short links stay"
    )


def count(run: Run, log: Log, shares: Mapping[str, pl.DataFrame], edges: pl.DataFrame) -> None:
    """Count rows, posts, accounts, shares, objects and edges, and rejected rows by reason."""
    run.count(
        rows=log.n_rows,
        posts=log.posts.height,
        rejected=log.rejected.height,
        accounts=log.posts["account_id"].n_unique(),
        shares=sum(part.height for part in shares.values()),
        objects=sum(len(labels_of(part["object_id"])) for part in shares.values()),
        edges=edges.height,
    )
    reasons = log.rejected["reason"].str.replace(
        r"^(\w+: ).*(is not a time|is a rounded number|lies|is another post|shares the same)", "$1… $2"
    )
    run.record["rejected_by_reason"] = dict(Counter(reasons.to_list()).most_common(20))
    run.record["edges_by_trace"] = {
        str(name): int(n) for name, n in edges.group_by("trace").len().sort("trace").iter_rows()
    }
