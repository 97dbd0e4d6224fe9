"""One run: from what all runs have in common to clusters again, with other choices and fewer objects.

A run leaves out objects and traces, tests the pairs again, on all objects left and on their halves, forms crews and
tests them, cuts, and goes the same way on as `find_clusters`: groups, their growth, the window's core, and who stands
out by habit alone. Of crews behind relays only the cut is another, for the trees stay as they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from propgraph.arrays.p_values import false_discovery_rate, harmonic_mean
from propgraph.arrays.types import Bool, Float64, Int64
from propgraph.clusters.groups import NO_GROUPS, grown_groups
from propgraph.clusters.members import members_of_all
from propgraph.clusters.ordered import ordered_accounts
from propgraph.clusters.sampled import Sampled, sampling
from propgraph.crews.found import HalvedTrace, find_crews
from propgraph.options import ClusterOptions
from propgraph.schema import NETWORK
from propgraph.stability.grid import Setting
from propgraph.stability.shared import Part, Shared
from propgraph.stability.terms import Retested, retest
from propgraph.synchrony.halves import Halves, halves_of
from propgraph.synchrony.pair_kernels import sessions_of
from propgraph.synchrony.pairs import LEAST_OBJECTS, MAX_P
from propgraph.synchrony.prepared import PreparedShares
from propgraph.synchrony.weighed import WEIGHED_Q, weigh_in_traces


@dataclass(frozen=True)
class Ranks:
    """What ranks say in one trace of a run.

    Attributes
    ----------
    there, found
        int64; which pairs were tested again, and what came of it.
    halved
        The shares that are left, and the pairs that stand out on their halves.
    """

    there: Int64
    found: Retested
    halved: HalvedTrace


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
        sampled = sampling(shared.window, logs, window_ms=window_ms, seed=choices.seed)
    if choices.evidence == "window":
        groups, network = NO_GROUPS, NETWORK.empty()
    else:
        groups, network = _grown(
            shared, setting, drawn, met=weight > 0, edges=edges, choices=choices, sampled=sampled, threads=threads
        )  # fmt: skip
    wider = [one for one in shared.window.windows[1:] if one > setting.time_window]
    window = replace(shared.window, time_window=[setting.time_window, *wider])
    ordered = ordered_accounts(logs=logs, options=choices, threads=threads)
    members, _ = members_of_all(
        logs, groups, network, edges=edges, relayed=shared.relayed[setting.q], ordered=ordered,
        sampled=sampled, window=window, options=choices, threads=threads,
    )  # fmt: skip
    return members.select("account_id", "cluster")


def _grown(
    shared: Shared, setting: Setting, drawn: dict[str, Bool], /, *, met: Bool, edges: pl.DataFrame,
    choices: ClusterOptions, sampled: Sampled | None, threads: int,
) -> tuple[pl.DataFrame, pl.DataFrame]:  # fmt: skip
    """Return the groups of synchronised accounts and crews, grown, and who is synchronised with whom."""
    ranks = {
        trace: _ranks(shared.parts[trace], kept, setting, threads=threads) for trace, kept in drawn.items()
    }
    network, larger = _network(shared, ranks, met, q=setting.q, threads=threads)
    halved = {trace: one.halved for trace, one in ranks.items()}
    crews = find_crews(halved, q=setting.q, seed=setting.seed, threads=threads)
    groups, _ = grown_groups(
        {trace: one.prepared for trace, one in halved.items()}, network,
        _traced(shared, larger, list(drawn)) if choices.multiplex else network, crews=crews.members,
        edges=edges, options=choices, sampled=sampled, threads=threads,
    )  # fmt: skip
    return groups, network


def _weights(shared: Shared, setting: Setting, drawn: dict[str, Bool]) -> Int64:
    """Return the weight of each pair in the run's window, the largest of its traces'; 0 where it is no edge."""
    weight = np.zeros(shared.pairs.height, np.int64)
    window = shared.windows.index(setting.time_window)
    for trace, kept in drawn.items():
        part = shared.parts[trace]
        found = part.meetings.weights(kept, window=window, by_events=shared.window.edge_weight == "events")
        found[~part.present[:, window] | (found < part.least[window])] = 0
        weight[part.edge] = np.maximum(weight[part.edge], found)
    return weight


def _ranks(part: Part, kept: Bool, setting: Setting, /, *, threads: int) -> Ranks:
    """Return what the objects kept say of the pairs of one trace under a run's choices."""
    prepared, kept = _left(part, kept, setting.tau), part.kept_parts(kept)
    halves = halves_of(prepared, seed=setting.seed)
    usable = np.zeros(part.prepared.listed.size, np.uint8)
    usable[kept[part.prepared.listed]] = halves.usable
    found = retest(
        part.terms, kept, part.limits[setting.tau, setting.neighbours], tau=setting.tau,
        halves=Halves(halves.side, usable), threads=threads,
    )  # fmt: skip
    return Ranks(part.there, found, HalvedTrace(prepared, halves, found.on_half))


def _tested(shared: Shared, ranks: dict[str, Ranks]) -> tuple[Float64, Bool]:
    """Return the p-values of all pairs in each trace (NaN: not tested), and which are near enough to be one."""
    p_values = np.full((shared.pairs.height, len(ranks)), np.nan)
    candidate = np.zeros(shared.pairs.height, np.bool_)
    for k, one in enumerate(ranks.values()):
        told = one.found.n_tested >= LEAST_OBJECTS
        p_values[one.there[told], k] = np.exp(one.found.log_p[told])
        candidate[one.there] |= (one.found.n_met >= 2) & (one.found.log_p <= math.log(MAX_P))
    return p_values, candidate


def _network(
    shared: Shared, ranks: dict[str, Ranks], met: Bool, /, *, q: float, threads: int
) -> tuple[pl.DataFrame, Float64]:
    """Return `source, target, synchrony, p_value, synchronised, by_habit`, all traces together, and larger p-values.

    As `joint_evidence` does: pairs that stand out under the uniform deal are held to the accounts' habits, too.
    `met` marks the pairs that met in the window, which are tested whether near or not.
    """
    p_values, candidate = _tested(shared, ranks)
    n_tests = sum(shared.tests[trace].total for trace in ranks)
    weight = _weight_of_tests(shared, ranks)
    least = np.fmin.reduce(p_values, axis=1, initial=np.inf)
    # The joint probability is never below the least.
    rows = np.flatnonzero((candidate | met) & (least <= MAX_P))
    joint = harmonic_mean(p_values[rows])
    rows, joint = rows[joint <= MAX_P], joint[joint <= MAX_P]
    rate = false_discovery_rate(joint / weight[rows], n_tests=n_tests)
    again = rate <= WEIGHED_Q
    if_dealt = joint.copy()
    p_habits = _weighed(shared, rows[again], p_values, ranks, threads=threads)
    joint[again] = np.maximum(joint[again], harmonic_mean(p_habits))
    larger = p_values.copy()
    larger[rows[again]] = np.maximum(larger[rows[again]], p_habits)
    near = false_discovery_rate(joint / weight[rows], n_tests=n_tests) <= q
    network = _as_frame(shared, rows, joint).with_columns(
        p_value=pl.Series(if_dealt, dtype=pl.Float64),
        synchronised=pl.Series(near, dtype=pl.Boolean),
        by_habit=pl.Series((rate <= q) & ~near, dtype=pl.Boolean),
    )
    return network, larger


def _weight_of_tests(shared: Shared, ranks: dict[str, Ranks]) -> Float64:
    """Return how much each pair counts in the false discovery rate: as much as in the trace in which it counts most."""
    weight = np.zeros(shared.pairs.height)
    for trace, one in ranks.items():
        in_trace = shared.tests[trace].weights(one.found.n_tested, one.found.reach)
        weight[one.there] = np.maximum(weight[one.there], in_trace)
    return weight


def _weighed(
    shared: Shared, rows: Int64, p_values: Float64, ranks: dict[str, Ranks], *, threads: int
) -> Float64:
    """Return the p-values of some pairs under the null with habits in each trace; NaN where they were not tested."""
    prepared = {trace: one.halved.prepared for trace, one in ranks.items()}
    found = weigh_in_traces(prepared, shared.pairs[rows], threads=threads)
    found[np.isnan(p_values[rows])] = np.nan
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
