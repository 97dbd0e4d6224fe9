"""From a study's shares to clusters again and again, with what all runs have in common done once.

What objects say of pairs, and over which objects accounts met, is looked up once. A run then leaves out objects
and traces, tests the pairs again, cuts, and goes the same way on to groups, their growth, and the window's core.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from propgraph.arrays.encoding import codes_in
from propgraph.arrays.incidence import Incidence
from propgraph.arrays.p_values import false_discovery_rate, harmonic_mean
from propgraph.arrays.types import Bool, Float64, Int64
from propgraph.clusters.groups import NO_GROUPS, grown_groups, number_clusters, window_clusters
from propgraph.clusters.inputs import logs_of
from propgraph.clusters.sampled import sampling, told_of_bursts
from propgraph.cosharing.choice import window_of
from propgraph.cosharing.window import edges_and_bursts
from propgraph.crews.found import NO_CREWS
from propgraph.options import ClusterOptions, WindowOptions
from propgraph.stability.grid import Grid, Setting
from propgraph.stability.meetings import Meetings, meetings_of
from propgraph.stability.terms import Retested, Terms, retest, terms_of
from propgraph.study import Study
from propgraph.synchrony.gaps import gaps_of
from propgraph.synchrony.joint import is_row_of
from propgraph.synchrony.pair_kernels import sessions_of
from propgraph.synchrony.pairs import LEAST_OBJECTS, MAX_P, ends_of, near_pairs, pairs_at
from propgraph.synchrony.prepared import PreparedShares, prepare_shares
from propgraph.synchrony.weighed import WEIGHED_Q, weigh_pairs

#: Pairs are tested again whose p-value over all objects is at most this in some trace.
SHARED_P = 0.05


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
    n_tests
        Pairs that could have been found in each trace, in the study's own run.
    by_events
        Edges count pairs of posts, not objects.
    in_bursts
        The windows (s) in which edges of some bursts are a sample.
    options
        Those of the study's `build`.
    choices
        The study's own.
    """

    pairs: pl.DataFrame
    parts: dict[str, Part]
    windows: list[float]
    n_tests: dict[str, float]
    by_events: bool
    in_bursts: set[float]
    options: dict[str, Any]
    choices: ClusterOptions


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
    own = window_of(study.run["build"])
    built = {**study.run["build"]["parameters"], "time_window": own}
    windows = sorted({setting.time_window for setting in grid.settings})
    logs, shares = logs_of(study, traces)
    in_bursts = {own} if told_of_bursts(study.run["build"]) else set()
    edges = {}
    for trace in traces:
        edges[trace], found = _edges(study, shares[trace], windows, built, threads=threads)
        in_bursts |= found
    prepared = {trace: prepare_shares(log) for trace, log in logs.items()}
    met = _distinct([frame for parts in edges.values() for frame in parts])
    near = met.clear()
    if choices.evidence != "window":
        most = max(setting.neighbours for setting in grid.settings)
        near = _distinct([_near(part, met, most, threads=threads) for part in prepared.values()])
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
            built=built,
            threads=threads,
        )
        tell(done / len(traces))
    n_tests = study.run["clusters"]["tested_pairs_by_trace"]
    by_events = built["edge_weight"] == "events"
    return Shared(pairs, parts, windows, n_tests, by_events, in_bursts, built, choices)


def rerun(shared: Shared, setting: Setting, /, *, threads: int) -> pl.DataFrame:
    """Return the clusters of one run: `account_id` (String), `cluster` (UInt32)."""
    drawn = {
        trace: setting.draw(len(part.log.objects), k)
        for k, (trace, part) in enumerate(shared.parts.items())
        if trace != setting.without
    }
    choices = replace(shared.choices, q=setting.q, resolution=setting.resolution, seed=setting.seed)
    weight = _weights(shared, setting, drawn)
    edges = shared.pairs.with_columns(weight=pl.Series(weight)).filter(pl.col("weight") > 0)
    window_ms = round(setting.time_window * 1000)
    logs = {}
    for trace, kept in drawn.items():
        log = shared.parts[trace].log
        logs[trace] = log.keep(kept[log.object])
    sampled = None
    if setting.time_window in shared.in_bursts:
        sampled = sampling(shared.options, logs, window_ms=window_ms, seed=choices.seed)
    groups = NO_GROUPS
    if choices.evidence != "window":
        p_values, candidate = _tested(shared, setting, drawn, threads=threads)
        prepared = {trace: _left(shared.parts[trace], kept, setting.tau) for trace, kept in drawn.items()}
        network, larger = _network(
            shared, p_values, candidate | (weight > 0), prepared=prepared, n_tests=_n_tests(shared, drawn),
            q=setting.q, threads=threads,
        )  # fmt: skip
        traced = _traced(shared, larger, list(drawn)) if choices.multiplex else network
        groups, _ = grown_groups(
            prepared,
            network,
            traced,
            crews=NO_CREWS.members,
            edges=edges,
            options=choices,
            sampled=sampled,
            threads=threads,
        )
    in_window = window_clusters(logs, edges, groups, options=choices, window_ms=window_ms, sampled=sampled)
    return number_clusters(groups, in_window).select("account_id", "cluster")


def _edges(
    study: Study, shares: pl.DataFrame, windows: list[float], built: dict[str, Any], *, threads: int
) -> tuple[list[pl.DataFrame], set[float]]:
    """Return the edges of one trace in each window, and the windows with bursts; the study's own are there already."""
    trace = "" if shares.is_empty() else shares.item(0, "trace")
    options = ("min_participation", "min_edge_weight", "edge_weight", "edge_quantile")
    cap = built.get("burst_cap", WindowOptions.burst_cap)  # a study of an earlier version has none
    found, in_bursts = [], set()
    for window in windows:
        if window == built["time_window"]:
            frame = study.scan("edges").filter(pl.col("trace") == trace).collect()
        else:
            same = {name: built[name] for name in options}
            asked = WindowOptions(time_window=window, burst_cap=cap, **same)
            frame, bursts = edges_and_bursts(shares, asked, threads=threads)
            if not bursts.is_empty():
                in_bursts.add(window)
        found.append(frame.select("source", "target", "weight"))
    return found, in_bursts


def _distinct(pairs: list[pl.DataFrame]) -> pl.DataFrame:
    both = [frame.select(pl.col("source", "target").cast(pl.String)) for frame in pairs]
    return pl.concat(both).unique().sort("source", "target")


def _near(prepared: PreparedShares, met: pl.DataFrame, neighbours: int, *, threads: int) -> pl.DataFrame:
    """Return the pairs that a run may find near in one trace, of those that met in a window or any others."""
    log = prepared.log
    prepared = replace(prepared, gaps=gaps_of(log, tau=prepared.tau, neighbours=neighbours))
    source, target = (codes_in(met[name], log.accounts) for name in ("source", "target"))
    there = (source >= 0) & (target >= 0)
    frames = [met.clear()]
    for found in (
        near_pairs(prepared, max_p=SHARED_P, threads=threads)[0],
        pairs_at(prepared, source[there], target[there], threads=threads),
    ):
        near = found.log_p <= math.log(SHARED_P)
        frames.append(ends_of(found, log.accounts).filter(pl.Series(near)))
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
    built: dict[str, Any],
    threads: int,
) -> Part:
    source, target = (codes_in(pairs[name], log.accounts) for name in ("source", "target"))
    there = np.flatnonzero((source >= 0) & (target >= 0) & is_row_of(pairs, near))
    present = np.stack([is_row_of(pairs, frame) for frame in edges], axis=1)
    edge = np.flatnonzero(present.any(axis=1))
    least = [
        int(frame["weight"].min() or 1) if built["edge_quantile"] > 0 else built["min_edge_weight"]  # type: ignore[arg-type]
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


def _weights(shared: Shared, setting: Setting, drawn: dict[str, Bool]) -> Int64:
    """Return the weight of each pair in the run's window, the largest of its traces'; 0 where it is no edge."""
    weight = np.zeros(shared.pairs.height, np.int64)
    window = shared.windows.index(setting.time_window)
    for trace, kept in drawn.items():
        part = shared.parts[trace]
        found = part.meetings.weights(kept, window=window, by_events=shared.by_events)
        found[~part.present[:, window] | (found < part.least[window])] = 0
        weight[part.edge] = np.maximum(weight[part.edge], found)
    return weight


def _tested(
    shared: Shared, setting: Setting, drawn: dict[str, Bool], *, threads: int
) -> tuple[Float64, Bool]:
    """Return the p-values of all pairs in each trace (NaN: not tested), and which are near enough to be one."""
    p_values = np.full((shared.pairs.height, len(drawn)), np.nan)
    candidate = np.zeros(shared.pairs.height, np.bool_)
    for k, (trace, kept) in enumerate(drawn.items()):
        part = shared.parts[trace]
        found = retested(part, kept, setting, threads=threads)
        told = found.n_tested >= LEAST_OBJECTS
        p_values[part.there[told], k] = np.exp(found.log_p[told])
        candidate[part.there] |= (found.n_met >= 2) & (found.log_p <= math.log(MAX_P))
    return p_values, candidate


def retested(part: Part, kept: Bool, setting: Setting, /, *, threads: int) -> Retested:
    """Return what the objects kept say of the pairs of one trace under a run's choices."""
    limit = part.limits[setting.tau, setting.neighbours]
    return retest(part.terms, part.kept_parts(kept), limit, tau=setting.tau, threads=threads)


def _n_tests(shared: Shared, drawn: dict[str, Bool]) -> float:
    return sum(shared.n_tests[trace] for trace in drawn)


def _network(
    shared: Shared,
    p_values: Float64,
    candidate: Bool,
    /,
    *,
    prepared: dict[str, PreparedShares],
    n_tests: float,
    q: float,
    threads: int,
) -> tuple[pl.DataFrame, Float64]:
    """Return `source, target, synchrony, synchronised`, all traces together, and the larger p-values in each.

    As `joint_evidence` does: pairs that stand out under the uniform deal are held to the accounts' habits, too.
    """
    least = np.fmin.reduce(p_values, axis=1, initial=np.inf)
    rows = np.flatnonzero(candidate & (least <= MAX_P))  # the joint probability is never below the least
    joint = harmonic_mean(p_values[rows])
    rows, joint = rows[joint <= MAX_P], joint[joint <= MAX_P]
    again = false_discovery_rate(joint, n_tests=n_tests) <= WEIGHED_Q
    p_habits = _weighed(shared, rows[again], p_values, prepared, threads=threads)
    joint[again] = np.maximum(joint[again], harmonic_mean(p_habits))
    larger = p_values.copy()
    larger[rows[again]] = np.maximum(larger[rows[again]], p_habits)
    near = false_discovery_rate(joint, n_tests=n_tests) <= q
    network = _as_frame(shared, rows, joint).with_columns(synchronised=pl.Series(near, dtype=pl.Boolean))
    return network, larger


def _weighed(
    shared: Shared, rows: Int64, p_values: Float64, prepared: dict[str, PreparedShares], *, threads: int
) -> Float64:
    """Return the p-values of some pairs under the null with habits in each trace; NaN where they were not tested."""
    found = np.full((rows.size, len(prepared)), np.nan)
    for k, part in enumerate(prepared.values()):
        there = np.flatnonzero(~np.isnan(p_values[rows, k]))
        if there.size == 0:
            continue
        pairs = shared.pairs[rows[there]]
        source, target = (codes_in(pairs[name], part.log.accounts) for name in ("source", "target"))
        habits = part.habits()
        found[there, k] = np.exp(weigh_pairs(part, habits, source=source, target=target, threads=threads))
    return found


def _traced(shared: Shared, p_values: Float64, traces: list[str]) -> pl.DataFrame:
    """Return `trace, source, target, synchrony` of the pairs that were tested in each trace."""
    frames = []
    for k, trace in enumerate(traces):
        rows = np.flatnonzero(~np.isnan(p_values[:, k]))
        found = _as_frame(shared, rows, p_values[rows, k])
        frames.append(found.with_columns(trace=pl.lit(trace)))
    return pl.concat(frames)


def _as_frame(shared: Shared, rows: Int64, p_value: Float64) -> pl.DataFrame:
    return shared.pairs[rows].with_columns(
        synchrony=pl.Series(-np.log10(np.maximum(p_value, 1e-300)), dtype=pl.Float64)
    )


def _left(part: Part, kept: Bool, tau: float) -> PreparedShares:
    """Return the shares of the objects kept as ranks read them, with another tau."""
    prepared, kept = part.prepared, part.kept_parts(kept)
    if kept.all():
        return replace(prepared, tau=tau)
    mask = kept[prepared.listed]
    start = np.concatenate([[0], np.cumsum(mask)])[prepared.start].astype(np.int64)
    position = prepared.position[mask]
    return replace(
        prepared, tau=tau, start=start, position=position, listed=prepared.listed[mask],
        opens=prepared.opens[mask], closes=prepared.closes[mask],
        session=sessions_of(start, position, prepared.log.time),
    )  # fmt: skip
