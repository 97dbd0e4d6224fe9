"""What all runs of a grid have in common: what objects say of pairs, and over which objects accounts met.

Looked up are pairs near each other in some trace with a p-value over all objects of `SHARED_P` at most, and those that
stand out on a half in the study's own splits. A run that leaves objects out or cuts them into other halves may miss a
pair that only then stands out on a half, a weak one: of those that do so in the study's own splits, up to p = .05,
90 to 100 % are below `SHARED_P`, too (logs of 60 thousand to 1.1 million shares).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from propgraph.amplification.relays import Relayed
from propgraph.arrays.encoding import codes_in
from propgraph.arrays.incidence import Incidence
from propgraph.arrays.types import Bool, Int64
from propgraph.clusters.inputs import logs_of
from propgraph.clusters.relayed import relayed_accounts
from propgraph.clusters.sampled import told_of_bursts
from propgraph.cosharing.choice import window_options
from propgraph.cosharing.window import edges_and_bursts
from propgraph.options import ClusterOptions, WindowOptions
from propgraph.stability.grid import Grid
from propgraph.stability.meetings import Meetings, meetings_of
from propgraph.stability.terms import Terms, terms_of
from propgraph.study import Study
from propgraph.synchrony.gaps import gaps_of
from propgraph.synchrony.halves import halves_of
from propgraph.synchrony.joint import is_row_of
from propgraph.synchrony.pairs import ends_of, near_pairs, pairs_at
from propgraph.synchrony.prepared import PreparedShares, prepare_shares
from propgraph.synchrony.testable import NumberOfTests

#: Pairs near each other are tested again whose p-value over all objects is at most this in some trace,
SHARED_P = 0.2
#: and pairs that met in a window, near or not, with this one.
MET_P = 0.05


@dataclass(frozen=True)
class Part:
    """What all runs have in common in one trace.

    Attributes
    ----------
    log
        All its shares.
    prepared
        The same as ranks read them; its objects may be parts of the log's (see `grids.split`).
    there, terms
        int64; which pairs are tested again in the trace, and what each object says of them.
    limits
        The largest gap looked at in each object, by tau and neighbours.
    edge, meetings
        int64; which pairs are edges in any window, and over which objects they met.
    present
        bool[n_edges, n_windows]; they are edges in this window.
    least
        The least weight of an edge, by window.
    """

    log: Incidence
    prepared: PreparedShares
    there: Int64
    terms: Terms
    limits: dict[tuple[float, int], Int64]
    edge: Int64
    meetings: Meetings
    present: Bool
    least: list[int]

    def kept_parts(self, kept: Bool, /) -> Bool:
        """Return which objects of the ranks are kept where these of the log are."""
        whole = self.prepared.log.whole
        return kept[whole] if whole.size else kept


@dataclass(frozen=True)
class Shared:
    """What all runs have in common.

    Attributes
    ----------
    pairs
        `source`, `target` (String), sorted: all pairs that any run looks at.
    parts
        By trace.
    windows
        Seconds, ascending.
    tests
        Pairs that could have been found in each trace, and how far they reach, in the study's own run.
    in_bursts
        The windows (s) in which edges of some bursts are a sample.
    window
        How the study's edges were found.
    choices
        The study's own.
    relayed
        Crews behind relays, by the cut q of a run.
    """

    pairs: pl.DataFrame
    parts: dict[str, Part]
    windows: list[float]
    tests: dict[str, NumberOfTests]
    in_bursts: set[float]
    window: WindowOptions
    choices: ClusterOptions
    relayed: dict[float, Relayed]


def shared_work(
    study: Study,
    traces: list[str],
    grid: Grid,
    /,
    *,
    choices: ClusterOptions,
    threads: int,
    tell: Callable[[float], None] = lambda _: None,
) -> Shared:
    """Look up what all runs of a grid have in common.

    Parameters
    ----------
    study
        A study with clusters.
    traces
        The traces of its network.
    grid
        The runs.
    choices
        The study's own.
    threads
        At most so many at once.
    tell
        Called with the fraction done, 0..1.
    """
    own = window_options(study.run["build"])
    windows = sorted({setting.time_window for setting in grid.settings})
    logs, shares = logs_of(study, traces)
    in_bursts = {own.seconds} if told_of_bursts(study.run["build"]) else set()
    edges = {}
    for trace in traces:
        edges[trace], found = _edges(study, shares[trace], windows, own, threads=threads)
        in_bursts |= found
    prepared = {trace: prepare_shares(log) for trace, log in logs.items()}
    met = _distinct([frame for parts in edges.values() for frame in parts])
    near = met.clear()
    if choices.evidence != "window":
        most = max(setting.neighbours for setting in grid.settings)
        near = _distinct(
            [_near(part, met, most, seed=choices.seed, threads=threads) for part in prepared.values()]
        )
    pairs = _distinct([met, near])
    parts = {}
    for done, trace in enumerate(traces, 1):
        parts[trace] = _part(
            logs[trace],
            prepared[trace],
            pairs,
            edges=edges[trace],
            near=near,
            grid=grid,
            windows=windows,
            built=own,
            threads=threads,
        )
        tell(done / len(traces))
    tests = {
        trace: NumberOfTests.told(**told) for trace, told in study.run["clusters"]["tests_by_trace"].items()
    }
    relayed = {
        q: relayed_accounts(study=study, options=replace(choices, q=q))
        for q in {setting.q for setting in grid.settings}
    }
    return Shared(pairs, parts, windows, tests, in_bursts, own, choices, relayed)


def _edges(
    study: Study, shares: pl.DataFrame, windows: list[float], own: WindowOptions, *, threads: int
) -> tuple[list[pl.DataFrame], set[float]]:
    """Return the edges of one trace in each window, and the windows with bursts; the study's own are there already."""
    trace = "" if shares.is_empty() else shares.item(0, "trace")
    found, in_bursts = [], set()
    for window in windows:
        if window == own.seconds:
            frame = study.scan("edges").filter(pl.col("trace") == trace).collect()
        else:
            frame, bursts = edges_and_bursts(shares, replace(own, time_window=window), threads=threads)
            if not bursts.is_empty():
                in_bursts.add(window)
        found.append(frame.select("source", "target", "weight"))
    return found, in_bursts


def _distinct(pairs: list[pl.DataFrame]) -> pl.DataFrame:
    both = [frame.select(pl.col("source", "target").cast(pl.String)) for frame in pairs]
    return pl.concat(both).unique().sort("source", "target")


def _near(
    prepared: PreparedShares, met: pl.DataFrame, neighbours: int, *, seed: int, threads: int
) -> pl.DataFrame:
    """Return the pairs that a run may find near in one trace, of those that met in a window or any others."""
    log = prepared.log
    prepared = replace(prepared, gaps=gaps_of(log, tau=prepared.tau, neighbours=neighbours))
    source, target = (codes_in(met[name], log.accounts) for name in ("source", "target"))
    there = (source >= 0) & (target >= 0)
    near, on_half = near_pairs(
        prepared, max_p=SHARED_P, halves=halves_of(prepared, seed=seed), threads=threads
    )
    at_edges = pairs_at(prepared, source[there], target[there], threads=threads)
    frames = [
        met.clear(), ends_of(near, log.accounts), ends_of(on_half, log.accounts),
        ends_of(at_edges, log.accounts).filter(pl.Series(at_edges.log_p <= math.log(MET_P))),
    ]  # fmt: skip
    return _distinct(frames)


def _part(
    log: Incidence,
    prepared: PreparedShares,
    pairs: pl.DataFrame,
    /,
    *,
    edges: list[pl.DataFrame],
    near: pl.DataFrame,
    grid: Grid,
    windows: list[float],
    built: WindowOptions,
    threads: int,
) -> Part:
    source, target = (codes_in(pairs[name], log.accounts) for name in ("source", "target"))
    there = np.flatnonzero((source >= 0) & (target >= 0) & is_row_of(pairs, near))
    present = np.stack([is_row_of(pairs, frame) for frame in edges], axis=1)
    edge = np.flatnonzero(present.any(axis=1))
    least = [
        int(frame["weight"].min() or 1) if built.edge_quantile > 0 else built.min_edge_weight  # type: ignore[arg-type]
        for frame in edges
    ]
    ask = {(setting.tau, setting.neighbours) for setting in grid.settings}
    return Part(
        log=log,
        prepared=prepared,
        there=there,
        terms=terms_of(prepared, source[there], target[there], threads=threads),
        limits={(tau, reach): gaps_of(prepared.log, tau=tau, neighbours=reach).limit for tau, reach in sorted(ask)},
        edge=edge,
        meetings=meetings_of(
            log, source[edge], target[edge], windows_ms=np.round(np.array(windows) * 1000).astype(np.int64),
            threads=threads,
        ),
        present=present[edge],
        least=least,
    )  # fmt: skip
