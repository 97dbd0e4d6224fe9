"""Cascades, as `build` makes them: of each trace that has any, with the parents that are asked for."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl

from propgraph.cascades.build import CASCADE_TRACES, build_cascades
from propgraph.jobs.told import REPAIRED
from propgraph.options import CascadeOptions
from propgraph.provenance import Run, digest
from propgraph.pseudonyms.keys import Key, pseudonyms
from propgraph.pseudonyms.log import platform_marks
from propgraph.readers.log import Log
from propgraph.readers.side import read_side_table
from propgraph.schema import CASCADE_NODES, CASCADES
from propgraph.writing import StudyWriter, streamed


def make_cascades(
    *, log: Log, shares: dict[str, pl.DataFrame], follows: str | Path | None, options: CascadeOptions,
    secret: Key | None, threads: int | None, run: Run, writer: StudyWriter,
) -> None:  # fmt: skip
    """Write the cascades of all traces and their nodes, and tell what was repaired."""
    graph = None if follows is None else _read_follows(follows, log, secret, run)
    _write_cascades(writer, log, shares, run, {**options.record(), "follows": graph, "threads": threads})


def _read_follows(path: str | Path, log: Log, secret: Key | None, run: Run) -> pl.DataFrame:
    """Return who follows whom, by the ids that the study has."""
    table = read_side_table(path, columns=("follower_id", "followed_id"), what="who follows whom")
    usable = table.drop_nulls().unique(maintain_order=True)
    run.record["follows"] = {
        "path": str(path), "rows": table.height, "used": usable.height, "sha256": digest(Path(path)),
    }  # fmt: skip
    if usable.height < table.height:
        run.note(f"{path}: {table.height - usable.height:,} rows repeat others or lack an id; left out")
    if secret is None:
        return usable
    marks = platform_marks(log.posts)
    return usable.with_columns(
        pseudonyms(usable[name], key=secret, keep=marks).alias(name) for name in usable.columns
    )


def _write_cascades(
    writer: StudyWriter, log: Log, shares: dict[str, pl.DataFrame], run: Run, asked: dict[str, Any]
) -> None:
    cascades, nodes = [CASCADES.empty()], [CASCADE_NODES.empty().lazy()]
    counts: Counter[str] = Counter()
    followers = log.profiles if "followers" in log.profiles.columns else None
    for name in CASCADE_TRACES:
        if name in shares:
            built = build_cascades(shares[name], log.posts, trace=name, followers=followers, **asked)
            table = built.cascades
            if built.ensemble is not None:
                drawn = built.ensemble.select("cascade_id", pl.selectors.ends_with("_mean", "_low", "_high"))
                table = table.join(drawn, on="cascade_id", how="left", maintain_order="left")
            cascades.append(CASCADES.conform(table))
            nodes.append(streamed(built.nodes, CASCADE_NODES.dtypes))
            counts.update(built.counts)
            counts.update({
                f"parents_{source.removeprefix('inferred:')}": n
                for source, n in built.nodes["parent_source"].cast(pl.String).value_counts().iter_rows()
                if source != "root"
            })  # fmt: skip
    writer.write("cascades", pl.concat(cascades))
    writer.write("cascade_nodes", pl.concat(nodes))
    run.count(**counts, cascades=sum(frame.height for frame in cascades))
    repaired = [f"{counts[name]:,} {what}" for name, what in REPAIRED.items() if counts[name]]
    if repaired:
        run.note("trees repaired, no post lost: " + "; ".join(repaired))
