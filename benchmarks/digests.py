"""Whether a change changed a result: every table that the jobs make of every log at hand, as a digest a column.

    python -m benchmarks digests BEFORE.json                     # at one commit
    python -m benchmarks digests AFTER.json --against BEFORE.json   # at another: what differs, table by table
                                 [--data ../shared/data] [--logs veles german ...] [--runs 10] [--folder FOLDER]

Logs: the sample in `data/`, both simulators, and, where the real logs are at hand, those of real/flagged.py, the
four German ones each alone, Weibo's reposts, and one draw of real operators in these (detection/graft.py). Each goes
through `build`, `clusters`, `stability`, `evaluate` where the truth is known, and the exports: GraphML of the network,
the largest cascade as GraphML and as text, `clusters` as CSV and JSON. With --against, the command ends with 1 where
anything differs: rows, columns, their order, or one value.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks import ROOT, SHARED
from benchmarks.detection.graft import graft, ira, weibo
from benchmarks.real.flagged import LOGS
from propgraph import (
    Study,
    build,
    evaluate,
    find_clusters,
    measure_stability,
    simulate_crowdturf,
    simulate_veles,
    write_network,
)
from propgraph.export.tables import render
from propgraph.export.tree_network import write_tree
from propgraph.export.tree_text import tree_lines
from propgraph.trees import find_cascade, read_tree

# A log, the traces that make its network (None: those by default), and its truth (None: nobody knows).
Made = tuple[Path, list[str] | None, pl.DataFrame | None]


def sample(_: Path, __: Path) -> Made:
    """Return the log that `make demo` reads."""
    truth = pl.read_csv(ROOT / "data" / "truth_accounts.csv", schema_overrides={"account_id": pl.String})
    return ROOT / "data" / "veles.parquet", None, truth.rename({"organised": "label"})


def simulated(_: Path, folder: Path) -> Made:
    """Return another draw of a content farm's log."""
    made = simulate_veles(seed=3)
    made.log.write_parquet(folder / "farm.parquet")
    return folder / "farm.parquet", None, made.accounts.rename({"organised": "label"})


def crowd(_: Path, folder: Path, *, kind: str) -> Made:
    """Return a log of hired reshares, whose cascades have parents."""
    made = simulate_crowdturf(kind=kind, seed=3)
    made.log.write_parquet(folder / f"{kind}.parquet")
    return folder / f"{kind}.parquet", None, made.accounts.rename({"organised": "label"})


def german_alone(data: Path, _: Path, *, trace: str) -> Made:
    """Return one of the four German logs as it is."""
    return data / f"german_{trace}.parquet", None, None


def reposts(data: Path, folder: Path) -> Made:
    """Return Weibo's reposts."""
    rows = weibo(data).with_row_index("content_id").with_columns(pl.col("content_id").cast(pl.String))
    rows.write_parquet(folder / "weibo.parquet")
    return folder / "weibo.parquet", None, None


def grafted(data: Path, folder: Path) -> Made:
    """Return real operators in Weibo's reposts."""
    log, truth = graft(weibo(data), ira(data), seed=3)
    log.write_parquet(folder / "graft.parquet")
    return folder / "graft.parquet", ["object"], truth


def real(data: Path, folder: Path, *, name: str) -> Made:
    """Return a log of real/flagged.py."""
    return *LOGS[name](data, folder), None


Maker = Callable[[Path, Path], Made]
HERE: dict[str, Maker] = {
    "veles": sample,
    "farm": simulated,
    **{kind: partial(crowd, kind=kind) for kind in ("centralised", "distributed", "pyramid")},
}
SHARED_LOGS: dict[str, Maker] = {
    **{
        f"german_{name}": partial(german_alone, trace=name)
        for name in ("urls", "domains", "hashtags", "images")
    },
    **{name: partial(real, name=name) for name in LOGS},
    "weibo": reposts,
    "graft": grafted,
}


def of_table(table: pl.DataFrame) -> dict[str, Any]:
    """Return how many rows a table has, and a digest of each column, in order."""
    plain = table.with_columns(
        pl.col(name).cast(pl.String)
        for name, dtype in table.schema.items()
        if isinstance(dtype, pl.Enum | pl.Categorical)
    )
    return {
        "rows": table.height,
        "columns": {
            name: of_bytes(plain.select(name).write_ipc(None, compression="uncompressed").getvalue())
            for name in plain.columns
        },
    }


def of_bytes(content: bytes) -> str:
    """Return a digest of a file."""
    return hashlib.sha256(content).hexdigest()[:16]


def of_log(made: Made, folder: Path, *, runs: int) -> dict[str, Any]:
    """Return the digests of everything that the jobs make of a log."""
    log, traces, truth = made
    study = find_clusters(build([log], folder / "study", overwrite=True).path, trace=traces)
    found: dict[str, Any] = {
        "notes": of_bytes(json.dumps([study.run[job]["notes"] for job in ("build", "clusters")]).encode())
    }
    if truth is not None:
        measured = evaluate(study.scan("account_scores").collect(), truth, resamples=100)
        found["evaluation"] = of_table(measured.measures)
    study = measure_stability(study.path, runs=runs)
    return (
        found
        | {name: of_table(study.scan(name).collect()) for name in study.tables}
        | exported(study, folder)
    )


def exported(study: Study, folder: Path) -> dict[str, Any]:
    """Return the digests of what is written of a study."""
    write_network(folder / "network.graphml", study)
    found: dict[str, Any] = {"network.graphml": of_bytes((folder / "network.graphml").read_bytes())}
    clusters = study.clusters
    found |= {f"clusters.{format}": of_bytes(render(clusters, format)) for format in ("csv", "json")}
    largest = study.cascades.sort(["size", "cascade_id", "trace"], descending=[True, False, False])[
        "cascade_id"
    ]
    if largest.len():
        tree = read_tree(study, find_cascade(study, largest[0]))
        write_tree(folder / "tree.graphml", tree)
        found["tree.graphml"] = of_bytes((folder / "tree.graphml").read_bytes())
        found["tree.txt"] = of_bytes("\n".join(tree_lines(tree)).encode())
    return found


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return what is not the same of a log, a line a table or file."""
    lines = []
    for name in [*before, *(name for name in after if name not in before)]:
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if old is None or new is None:
            lines.append(f"{name}: {'new' if old is None else 'missing'}")
        elif isinstance(old, str):
            lines.append(f"{name}: differs")
        else:
            lines.append(f"{name}: {_unlike(old, new)}")
    return lines


def _unlike(old: dict[str, Any], new: dict[str, Any]) -> str:
    was, now = old["columns"], new["columns"]
    said = [f"{old['rows']:,} rows, then {new['rows']:,}"] if old["rows"] != new["rows"] else []
    for what, names in (
        ("differ", [name for name in was if name in now and was[name] != now[name]]),
        ("missing", [name for name in was if name not in now]),
        ("new", [name for name in now if name not in was]),
    ):
        if names:
            said.append(f"{what}: {', '.join(names)}")
    return "; ".join(said or ["columns in another order"])


def main() -> None:
    """Make the digests, write them, compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--logs", nargs="+", choices=[*HERE, *SHARED_LOGS])
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    logs = HERE | (SHARED_LOGS if options.data.is_dir() else {})
    before = json.loads(options.against.read_text()) if options.against else None
    found, unlike = {}, 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for name in options.logs or logs:
            start = time.perf_counter()
            found[name] = of_log(logs[name](options.data, folder), folder, runs=options.runs)
            options.out.write_text(json.dumps(found, indent=1) + "\n")
            said = f"{len(found[name])} tables and files, {time.perf_counter() - start:.0f} s"
            if before is not None:
                lines = differences(before.get(name, {}), found[name])
                unlike += len(lines)
                said = f"{said}; {'the same' if not lines else 'NOT the same'}"
                said = "\n  ".join([said, *lines])
            print(f"{name}: {said}", flush=True)
    sys.exit(1 if unlike else 0)


if __name__ == "__main__":
    main()
