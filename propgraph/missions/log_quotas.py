"""Counts at which objects of the whole log stop, whoever shares them, and who comes to these again and again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl

from propgraph.arrays.encoding import distinct_in_groups
from propgraph.arrays.incidence import Incidence
from propgraph.arrays.p_values import binomial_tail, false_discovery_rate
from propgraph.arrays.types import Int64
from propgraph.missions.counts import Counts
from propgraph.missions.spikes import LEAST_COUNT, Spike, spikes
from propgraph.schema import QUOTAS

#: A count is told whose chance is this or less, at which this many times as many objects stop as would by themselves.
RARELY, TIMES = 1e-3, 2.0
#: Objects of the count to which a regular comes, at least.
LEAST_TIMES = 3


def quotas_of_log(logs: Mapping[str, Incidence], /, *, q: float) -> pl.DataFrame:
    """Return `schema.QUOTAS`: counts at which far more objects of a log stop than steady attendance would leave there.

    Counted are all accounts and all posts of every object. A count that both show is told once, by what is surer.
    Regulars are accounts that come to three of the objects or more, oftener than if everybody's objects were drawn by
    how many accounts these have (binomial, false discovery rate `q`): those among whom whoever set the count may be,
    beside all who like what it was set for.

    Parameters
    ----------
    logs
        All shares of each trace.
    q
        False discovery rate of the regulars, 0..1.
    """
    found = [_row(*one, q=q) for trace, log in logs.items() for one in _stops(trace, log, n_traces=len(logs))]
    table = pl.DataFrame(found, schema=QUOTAS.dtypes, orient="row")
    return table.sort("p_value", "trace", "quota", "counted").unique(
        ["trace", "quota"], keep="first", maintain_order=True
    )


def _stops(trace: str, log: Incidence, *, n_traces: int) -> Iterator[tuple[Counts, Spike, float]]:
    """Go through the counts that stand out, with the chance of each, times all counts looked at in all traces."""
    objects = np.arange(len(log.objects))
    of_accounts = distinct_in_groups(log.offsets, log.account, len(log.accounts))
    for counted, counts in (("accounts", of_accounts), ("posts", np.diff(log.offsets))):
        there = Counts(trace, log, counted, objects, counts)
        looked = 2 * n_traces * int((np.unique(counts) >= LEAST_COUNT).sum())
        for spike in spikes(counts, there.accounts_of):
            p_value = min(spike.p_value * looked, 1.0)
            if p_value <= RARELY and spike.at.size >= TIMES * spike.expected:
                yield there, spike, p_value


def _row(counts: Counts, spike: Spike, p_value: float, *, q: float) -> tuple[object, ...]:
    tail, usual = counts.tails(spike.at, spike.value)
    objects = counts.objects[spike.at]
    there, regulars = _regulars(counts.log, objects, q=q)
    return (
        counts.trace, counts.counted, spike.value, spike.at.size, spike.near.size, spike.expected, p_value, tail,
        usual, there, len(regulars), regulars, counts.log.objects.gather(objects).cast(pl.String).to_list(),
    )  # fmt: skip


def _regulars(log: Incidence, objects: Int64, *, q: float) -> tuple[int, list[str]]:
    """Return how many accounts come to these objects, and those who come to several, beyond their activity."""
    once = pl.DataFrame({"account": log.account, "object": log.object}).unique()
    here = pl.col("object").is_in(pl.Series(objects.astype(np.int32)).implode())
    table = once.group_by("account").agg(n=pl.len().cast(pl.Int64), k=here.sum().cast(pl.Int64))
    some = table.filter(pl.col("k") > 0).sort("account")
    chance = float(some["k"].sum() / once.height)
    often = some.filter(pl.col("k") >= LEAST_TIMES)
    k, n = often["k"].to_numpy(), often["n"].to_numpy()
    rate = false_discovery_rate(binomial_tail(k, n, np.full(k.size, chance)), n_tests=table.height)
    regular = often["account"].filter(pl.Series(rate <= q))
    return some.height, log.accounts.gather(regular).cast(pl.String).to_list()
