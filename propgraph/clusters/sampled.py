"""Communities where edges are a sample: parts of one crowd are put together again.

Of a burst a sample of pairs is listed (`cosharing.bursts`), and a community algorithm cuts a sampled clique to pieces,
for chance leaves it parts to find. Whether two parts belong together is asked of the log: pairs across them, drawn at
random, listed or not, are measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from propgraph.arrays.encoding import codes_in
from propgraph.arrays.grids import split
from propgraph.arrays.incidence import Incidence
from propgraph.arrays.types import Int64
from propgraph.cosharing.bursts import Crowd, crowd_of
from propgraph.cosharing.by_lists import co_objects
from propgraph.options import WindowOptions

_DRAWN = 64  # pairs, within each community and across each two
_LINKED = 8  # others that a community is held against, those it has most edges with


@dataclass(frozen=True)
class Sampled:
    """The shares behind edges of which some are a sample.

    Attributes
    ----------
    logs
        All shares of each trace, as the window pairs them (see `grids.split`).
    window_ms
        The window of the edges, in milliseconds.
    burst_cap
        As for `cosharing_edges`.
    least
        Objects that an edge takes.
    seed
        Of the pairs drawn.
    """

    logs: Mapping[str, Incidence]
    window_ms: int
    burst_cap: int
    least: int
    seed: int

    def of_one_crew(self, groups: pl.DataFrame, edges: pl.DataFrame, /) -> pl.DataFrame:
        """Return `community`, `other`: half of the pairs drawn across the two, or more, met often enough for an edge.

        Parameters
        ----------
        groups
            `account_id` (String), `community` (UInt32); an account stands once.
        edges
            `source`, `target` (String): pairs listed. Communities with an edge between accounts in bursts are held
            against each other, each against the eight others with which it has most.
        """
        linked = self._linked(groups, edges)
        _, across = self._met(groups, linked)
        return linked.filter(pl.Series((across >= self.least).mean(axis=1) >= 0.5, dtype=pl.Boolean))

    def met_outside(self, edges: pl.DataFrame, /) -> pl.DataFrame:
        """Return those of `edges` (`source`, `target`) that are edges without bursts, too: all such are listed."""
        ends = pl.concat([edges["source"], edges["target"].alias("source")]).unique().sort()
        source, target = (codes_in(edges[name], ends) for name in ("source", "target"))
        outside = {
            trace: log.keep(~self._crowds[trace].inside) if self._crowds[trace] else log
            for trace, log in self.logs.items()
        }
        met = self._counts(outside, ends, source, target)
        return edges.filter(pl.Series(met >= self.least, dtype=pl.Boolean))

    def parts_of_one(self, groups: pl.DataFrame, edges: pl.DataFrame, /) -> pl.DataFrame:
        """Return `community`, `other` of communities that met across as they met within.

        Pairs across the two met over more than half as many objects, on average, as pairs within the one of which the
        members met over more: so a crew that took part in a breaking story is no part of its crowd. The parameters are
        those of `of_one_crew`.
        """
        linked = self._linked(groups, edges)
        within, across = self._met(groups, linked)
        one, other = (within.mean(axis=1)[linked[name].to_numpy()] for name in ("community", "other"))
        alike = 2 * across.mean(axis=1) > np.maximum(one, other)
        return linked.filter(pl.Series(alike, dtype=pl.Boolean))

    def _met(self, groups: pl.DataFrame, linked: pl.DataFrame) -> tuple[Int64, Int64]:
        """Return over how many objects pairs drawn met: a row for each community, within, and for each link, across.

        Communities without a link stay at 0.
        """
        accounts, start = _laid_out(groups)
        size = np.diff(start)
        rng = np.random.default_rng(self.seed)
        one, other = (linked[name].to_numpy().astype(np.int64) for name in ("community", "other"))
        within = np.zeros((size.size, _DRAWN), np.int64)
        own = np.unique(np.concatenate([one, other]))
        first = rng.integers(0, size[own, None], (own.size, _DRAWN))
        second = (first + rng.integers(1, size[own, None], (own.size, _DRAWN))) % size[own, None]
        within[own] = self._counts(self.logs, accounts, start[own, None] + first, start[own, None] + second)
        first = start[one, None] + rng.integers(0, size[one, None], (one.size, _DRAWN))
        second = start[other, None] + rng.integers(0, size[other, None], (one.size, _DRAWN))
        return within, self._counts(self.logs, accounts, first, second)

    def _linked(self, groups: pl.DataFrame, edges: pl.DataFrame) -> pl.DataFrame:
        """Return `community`, `other` (the higher number) of those with most edges between accounts in bursts."""
        several = groups.filter(pl.len().over("community") > 1).select("account_id", "community")
        inside = several.join(self._in_bursts(), on="account_id", how="semi")
        both = (
            edges.select("source", "target")
            .join(inside, left_on="source", right_on="account_id")
            .join(inside.rename({"community": "other"}), left_on="target", right_on="account_id")
            .filter(pl.col("community") != pl.col("other"))
            .group_by(pl.min_horizontal("community", "other"), other=pl.max_horizontal("community", "other"))
            .len("n")
        )
        either = pl.concat([both, both.select(community="other", other="community", n="n")])
        most = either.sort(["community", "n", "other"], descending=[False, True, False])
        return (
            most.group_by("community", maintain_order=True)
            .head(_LINKED)
            .select(pl.min_horizontal("community", "other"), other=pl.max_horizontal("community", "other"))
            .unique()
            .sort("community", "other")
        )

    def _in_bursts(self) -> pl.DataFrame:
        """Return `account_id` of all accounts with a share in a burst of any trace."""
        found = [pl.Series("account_id", [], dtype=pl.String)]
        for trace, log in self.logs.items():
            if crowd := self._crowds[trace]:
                found.append(
                    log.accounts.cast(pl.String).filter(pl.Series(crowd.account)).alias("account_id")
                )
        return pl.concat(found).unique().to_frame()

    @cached_property
    def _crowds(self) -> dict[str, Crowd]:
        return {
            trace: crowd_of(log, window_ms=self.window_ms, burst_cap=self.burst_cap)
            for trace, log in self.logs.items()
        }

    def _counts(
        self, logs: Mapping[str, Incidence], accounts: pl.Series, source: Int64, target: Int64
    ) -> Int64:
        """Return over how many objects pairs of accounts (by their places) met, in the trace where most."""
        most = np.zeros(source.shape, np.int64)
        for log in logs.values():
            code = codes_in(accounts, log.accounts)
            there = (code[source] >= 0) & (code[target] >= 0)
            met = co_objects(log, code[source[there]], code[target[there]], window_ms=self.window_ms)
            most[there] = np.maximum(most[there], met)
        return most


def _laid_out(groups: pl.DataFrame) -> tuple[pl.Series, Int64]:
    """Return the accounts community by community, and where each community's begin."""
    ordered = groups.sort("community", "account_id")
    sizes = np.bincount(ordered["community"].to_numpy())
    return ordered["account_id"], np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def told_of_bursts(built: Mapping[str, Any], /) -> bool:
    """Tell by the record of a study's `build` whether its edges are a sample in some bursts."""
    return bool(built.get("bursts", {}).get("n_bursts"))  # a study of an earlier version has none


def sampling(
    options: WindowOptions, logs: Mapping[str, Incidence], /, *, window_ms: int, seed: int
) -> Sampled:
    """Return the shares behind edges that are a sample, by the options of `build`."""
    least = options.min_edge_weight if options.edge_weight == "objects" else 1
    parts = {trace: split(log, limit_ms=window_ms) for trace, log in logs.items()}
    return Sampled(parts, window_ms, options.burst_cap, least, seed)
