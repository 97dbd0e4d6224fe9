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
    found = [
        row
        for trace, log in logs.items()
        for row in _rows(list(_stops(trace, log, n_traces=len(logs))), log, q=q)
    ]
    table = pl.DataFrame(found, schema=QUOTAS.dtypes, orient="row")
    return table.sort("p_value", "trace", "quota", "counted").unique(
        ["trace", "quota"], keep="first", maintain_order=True
    )


def _stops(trace: str, log: Incidence, *, n_traces: int) -> Iterator[tuple[Counts, Spike, float]]:
    """Go through the counts that stand out, with the chance of each, times all counts looked at in all traces."""
    objects = np.arange(len(log.objects))
    of_accounts = distinct_in_groups(log.offsets, log.account, len(log.accounts))
    for counted, counts in (("accounts", of_accounts), ("posts", np.diff(log.offsets))):
        there = Counts(trace, log, counted, objects, counts, sizes=counts)
        looked = 2 * n_traces * int((np.unique(counts) >= LEAST_COUNT).sum())
        for spike in spikes(counts, there.accounts_of):
            p_value = min(spike.p_value * looked, 1.0)
            if p_value <= RARELY and spike.at.size >= TIMES * spike.expected:
                yield there, spike, p_value


def _rows(stops: list[tuple[Counts, Spike, float]], log: Incidence, *, q: float) -> list[tuple[object, ...]]:
    """Return a row of `schema.QUOTAS` for each count of a trace."""
    if not stops:
        return []
    visits = _visits(log)
    n_accounts = visits["account"].n_unique()
    objects = [there.objects[spike.at] for there, spike, _ in stops]
    came = [_regulars(log, one, visits, n_accounts=n_accounts, q=q) for one in objects]
    return [_row(*stop, regulars) for stop, regulars in zip(stops, came, strict=True)]


def _row(counts: Counts, spike: Spike, p_value: float, came: tuple[int, list[str]], /) -> tuple[object, ...]:
    tail, usual = counts.tails(spike.at, spike.value)
    there, regulars = came
    objects = counts.log.objects.gather(counts.objects[spike.at]).cast(pl.String).to_list()
    return (
        counts.trace, counts.counted, spike.value, spike.at.size, spike.near.size, spike.expected, p_value, tail,
        usual, there, len(regulars), regulars, objects,
    )  # fmt: skip


def _visits(log: Incidence) -> pl.DataFrame:
    """Return `object, account`, each once, with `n`, the objects to which the account comes in all."""
    once = pl.DataFrame({"object": log.object, "account": log.account}).unique()
    return once.with_columns(n=pl.len().over("account").cast(pl.Int64))


def _regulars(
    log: Incidence, objects: Int64, visits: pl.DataFrame, *, n_accounts: int, q: float
) -> tuple[int, list[str]]:
    """Return how many accounts come to these objects, and those who come to several, beyond their activity."""
    here = visits.filter(pl.col("object").is_in(pl.Series(objects.astype(np.int32)).implode()))
    some = here.group_by("account").agg(pl.col("n").first(), k=pl.len().cast(pl.Int64)).sort("account")
    chance = here.height / visits.height
    often = some.filter(pl.col("k") >= LEAST_TIMES)
    k, n = often["k"].to_numpy(), often["n"].to_numpy()
    rate = false_discovery_rate(binomial_tail(k, n, np.full(k.size, chance)), n_tests=n_accounts)
    regular = often["account"].filter(pl.Series(rate <= q))
    return some.height, log.accounts.gather(regular).cast(pl.String).to_list()
