"""Who finds the operators: this and what the field does, side by side, on logs with a known truth.

    python -m benchmarks methods [--data ../shared/data] [--logs weibo hoaxy twitter15 veles] [--slow 1 10]
                                   [--draws 3] [--first 0] [--accounts 200] [--methods NAME ...]

Logs: real operators' timing grafted into Weibo's, Hoaxy's or Twitter15's posts (graft.py), and simulated
campaigns (`propgraph simulate veles`, links as objects; the fused network takes its hashtags and sites too). Methods:
baselines.py. Figures are means over the draws, with the least and greatest; the flags are each method's
own at its own defaults, and the last columns give the part of the innocents of a kind that it flags.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks import SHARED
from benchmarks.detection import baselines
from benchmarks.detection.graft import ORGANIC, graft, ira
from benchmarks.timing import header, row
from propgraph import build, find_clusters, make_shares, read_log, simulate_veles
from propgraph.evaluation.evaluate import evaluate

FIGURES = ("AP", "AUC", "P@50", "P@100", "precision", "recall", "precision q<=.05", "recall q<=.05")


@dataclass(frozen=True)
class Case:
    """One log: as a file has it, its shares in the main trace and in all traces, and the truth."""

    log: pl.DataFrame
    shares: pl.DataFrame
    truth: pl.DataFrame
    traces: list[pl.DataFrame] = field(default_factory=list)


def ours(log: pl.DataFrame, folder: Path) -> pl.DataFrame | None:
    """Return `account_scores` as build and find_clusters make them of the log; None where they make none."""
    file = folder / "log.parquet"
    log.write_parquet(file)
    study = find_clusters(build([file], folder / "study", overwrite=True).path)
    return study.scan("account_scores").collect() if "account_scores" in study.tables else None


METHODS: dict[str, Callable[[Case, Path], pl.DataFrame | None]] = {
    "propgraph": lambda case, folder: ours(case.log, folder),
    "window null, 60 s": lambda case, _: baselines.window_null(case.shares),
    "window, 60 s": lambda case, _: baselines.best_window(case.shares),
    "CooRTweet, 60 s": lambda case, _: baselines.coortweet(case.shares),
    "CooRTweet, 10 s": lambda case, _: baselines.coortweet(case.shares, time_window=10),
    "CooRnet, 60 s": lambda case, _: baselines.coornet(case.shares),
    "QUT, 60 s": lambda case, _: baselines.qut(case.shares),
    "Pacheco": lambda case, _: baselines.pacheco(case.shares),
    "Luceri": lambda case, _: baselines.luceri(case.traces or [case.shares]),
    "activity": lambda case, _: baselines.activity(case.shares),
}


def grafted(organic: pl.DataFrame, operators: pl.DataFrame, seed: int, /, **options: Any) -> Case:
    """Return one draw of real operators in a real log."""
    log, truth = graft(organic, operators, seed=seed, **options)
    return Case(log, log, truth)


def simulated(seed: int) -> Case:
    """Return one simulated campaign; what is shared are its links."""
    veles = simulate_veles(seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        veles.log.write_parquet(Path(folder) / "log.parquet")
        posts = read_log(Path(folder) / "log.parquet")
    made = make_shares(posts)
    shares = {name: _plain(part) for name, part in made.items()}
    truth = veles.accounts.select("account_id", "group", label="organised", kind="role")
    return Case(veles.log, shares["url"], truth, list(shares.values()))


def _plain(shares: pl.DataFrame) -> pl.DataFrame:
    ids = ("content_id", "account_id", "object_id")
    return shares.select(*(pl.col(name).cast(pl.String) for name in ids), "timestamp")


def cases(options: argparse.Namespace) -> Iterator[tuple[str, Callable[[int], Case]]]:
    """Yield the name of each kind of log and what makes a draw of it."""
    for name in options.logs:
        if name == "veles":
            yield "Simulated Veles", simulated
            continue
        organic, operators = ORGANIC[name](options.data), ira(options.data)
        for slow in options.slow:
            pace = "" if slow == 1 else f", {slow:g} x slower"
            yield (
                f"IRA in {name.capitalize()}{pace}",
                partial(grafted, organic, operators, n_accounts=options.accounts, slow=slow),
            )


def figures(scores: pl.DataFrame, case: Case) -> dict[str, float | None]:
    """Return the measures of one method on one log."""
    found = evaluate(scores, case.truth, accounts=case.truth, at=[50, 100], resamples=0).measures
    names = (
        "average_precision",
        "auc",
        "precision_at_k",
        "precision_at_k",
        "precision",
        "recall",
        "precision_at_q",
        "recall_at_q",
    )
    taken: dict[str, float | None] = {}
    for figure, name in zip(FIGURES, names, strict=True):
        k = figure.removeprefix("P@") if figure.startswith("P@") else None
        of = found.filter(measure=name)
        taken[figure] = of.filter(at=float(k)).item(0, "value") if k else of.item(0, "value")
    if "q_value" not in scores.columns:
        taken |= dict.fromkeys(("precision q<=.05", "recall q<=.05"))
    for kind, value in found.filter(measure="false_flags").select("kind", "value").iter_rows():
        taken[f"{kind} flagged"] = value
    return taken


def told(values: list[float | None], *, percent: bool) -> str:
    """Return the mean of some draws with the least and greatest, or a dash."""
    there = [value * (100 if percent else 1) for value in values if value is not None]
    if not there:
        return "-"
    unit, digits = (" %", 1) if percent else ("", 2)
    mean = f"{sum(there) / len(there):.{digits}f}{unit}"
    return mean if len(there) == 1 else f"{mean} ({min(there):.{digits}f}-{max(there):.{digits}f})"


def main() -> None:
    """Draw, score, evaluate; a table for each kind of log."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--logs", nargs="+", choices=[*ORGANIC, "veles"], default=[*ORGANIC, "veles"])
    parser.add_argument("--slow", type=float, nargs="+", default=[1.0, 10.0])
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--accounts", type=int, default=200)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    options = parser.parse_args()
    for title, draw in cases(options):
        measured: dict[str, list[dict[str, float | None]]] = {name: [] for name in options.methods}
        seconds = dict.fromkeys(options.methods, 0.0)
        for seed in range(options.first, options.first + options.draws):
            case = draw(seed)
            for name in options.methods:
                begun = time.perf_counter()
                with tempfile.TemporaryDirectory() as folder:
                    scores = METHODS[name](case, Path(folder))
                seconds[name] += time.perf_counter() - begun
                if scores is not None:
                    measured[name].append(figures(scores, case))
        print(f"\n{title}, {options.draws} draws from seed {options.first}\n")
        columns = list(dict.fromkeys(name for draws in measured.values() for one in draws for name in one))
        header("method", *columns, "s a draw")
        for name, draws in measured.items():
            texts = (told([one[column] for one in draws], percent="flagged" in column) for column in columns)
            row(name, *texts, seconds[name] / options.draws)


if __name__ == "__main__":
    main()
